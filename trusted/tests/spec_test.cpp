// SPDX-License-Identifier: Apache-2.0
// spec/trusted-core-protocol.md lists exactly the commands, limits and errors of protocol.hpp.
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <sstream>

#include "trusted/protocol/account_messages.hpp"
#include "trusted/protocol/frame.hpp"

namespace community::protocol {
namespace {

using Rows = std::vector<std::vector<std::string>>;

// The rows of the first table below a heading, without its head.
Rows table(const std::string& heading) {
  std::ifstream file(std::string(COMMUNITY_SOURCE_DIR) + "/spec/trusted-core-protocol.md");
  Rows rows;
  bool inside = false;
  for (std::string line; std::getline(file, line);) {
    if (line == heading) inside = true;
    if (!inside) continue;
    if (line.empty() && !rows.empty()) break;
    if (line.rfind("| ", 0) != 0) continue;
    std::vector<std::string> cells;
    std::istringstream text(line.substr(2));
    for (std::string cell; std::getline(text, cell, '|');) {
      const std::size_t begin = cell.find_first_not_of(' '), end = cell.find_last_not_of(' ');
      cells.push_back(begin == std::string::npos ? "" : cell.substr(begin, end - begin + 1));
    }
    rows.push_back(cells);
  }
  // Head and rule
  if (rows.size() >= 2) rows.erase(rows.begin(), rows.begin() + 2);
  return rows;
}

TEST(Spec, ListsEveryErrorWithItsNumber) {
  std::map<std::string, int> expected;
#define COMMUNITY_EXPECT_ERROR(name, number) expected[#name] = number;
  COMMUNITY_PROTOCOL_ERRORS(COMMUNITY_EXPECT_ERROR)
#undef COMMUNITY_EXPECT_ERROR
  std::map<std::string, int> listed;
  for (const auto& row : table("## 9. Errors")) {
    EXPECT_TRUE(listed.emplace(row.at(1), std::stoi(row.at(0))).second) << row.at(1);
    EXPECT_FALSE(row.at(2).empty()) << row.at(1);
  }
  EXPECT_EQ(listed, expected);
}

TEST(Spec, ErrorNumbersAreDistinctAndNamed) {
  std::map<int, std::string> seen;
#define COMMUNITY_DISTINCT_ERROR(error, number)     \
  EXPECT_TRUE(seen.emplace(number, #error).second); \
  EXPECT_EQ(name(static_cast<Error>(number)), #error);
  COMMUNITY_PROTOCOL_ERRORS(COMMUNITY_DISTINCT_ERROR)
#undef COMMUNITY_DISTINCT_ERROR
  EXPECT_EQ(name(static_cast<Error>(9'999)), "unknown");
}

TEST(Spec, ListsEveryCommandWithItsNumber) {
  std::map<std::string, Command> commands;
#define COMMUNITY_EXPECT_COMMAND(name, number) commands[#name] = Command::name;
  COMMUNITY_PROTOCOL_COMMANDS(COMMUNITY_EXPECT_COMMAND)
#undef COMMUNITY_EXPECT_COMMAND
  const Rows rows = table("## 3. Commands");
  EXPECT_EQ(rows.size(), commands.size());
  for (const auto& row : rows) {
    ASSERT_TRUE(commands.contains(row.at(1))) << row.at(1);
    EXPECT_EQ(static_cast<int>(commands.at(row.at(1))), std::stoi(row.at(0))) << row.at(1);
  }
  // All but hello have a row that describes their messages.
  const Rows messages = table("### Requests and replies");
  EXPECT_EQ(messages.size() + 1, commands.size());
  for (const auto& row : messages) EXPECT_TRUE(commands.contains(row.at(0))) << row.at(0);
}

TEST(Spec, ListsTheLimits) {
  const std::map<std::string, std::size_t> limits{{"kMaxFrame", kMaxFrame},
                                                  {"kMaxReplyFrame", kMaxReplyFrame},
                                                  {"kMaxTransactionBytes", kMaxTransactionBytes},
                                                  {"kMaxSealedRecord", kMaxSealedRecord},
                                                  {"kMaxPasskeys", kMaxPasskeys},
                                                  {"kMaxPolicyRules", kMaxPolicyRules},
                                                  {"kMaxAccountsPerWallet", kMaxAccountsPerWallet},
                                                  {"kMaxCallsPerUserop", kMaxCallsPerUserop},
                                                  {"kMaxUseropBytes", kMaxUseropBytes},
                                                  {"kMaxClientData", kMaxClientData},
                                                  {"kMaxAuthenticatorData", kMaxAuthenticatorData},
                                                  {"kMaxInitData", kMaxInitData},
                                                  {"kMaxInitRows", kMaxInitRows},
                                                  {"kMaxPlainCallGas", kMaxPlainCallGas},
                                                  {"kMaxTreasuryGas", kMaxTreasuryGas},
                                                  {"kMaxTreasuryTransaction", kMaxTreasuryTransaction},
                                                  {"kMaxConfiguration", kMaxConfiguration},
                                                  {"kMaxChains", kMaxChains},
                                                  {"kMaxEntryPoints", kMaxEntryPoints},
                                                  {"kMaxPaymasters", kMaxPaymasters},
                                                  {"kMaxRelyingParties", kMaxRelyingParties},
                                                  {"kMaxOrigin", kMaxOrigin},
                                                  {"kMaxPendingChanges", kMaxPendingChanges},
                                                  {"kMaxRootKeys", kMaxRootKeys},
                                                  {"kCountBlock", kCountBlock},
                                                  {"kMaxHolders", kMaxHolders},
                                                  {"kMaxBackupDescription", kMaxBackupDescription},
                                                  {"kMaxEvidence", kMaxEvidence},
                                                  {"kMaxCheckpoint", kMaxCheckpoint},
                                                  {"kMaxSharePackage", kMaxSharePackage},
                                                  {"kMaxEoaTransaction", kMaxEoaTransaction},
                                                  {"kMaxPersonalMessage", kMaxPersonalMessage},
                                                  {"kMaxTypedDataTypes", kMaxTypedDataTypes},
                                                  {"kMaxTypeDefinition", kMaxTypeDefinition},
                                                  {"kMaxTypedDataBytes", kMaxTypedDataBytes},
                                                  {"kMaxTypedDataName", kMaxTypedDataName},
                                                  {"kMaxSealedMessage", kMaxSealedMessage},
                                                  {"kMaxGenericMessage", kMaxGenericMessage}};
  std::map<std::string, std::size_t> listed;
  for (const auto& row : table("## 8. Limits")) listed[row.at(0)] = std::stoul(row.at(1));
  EXPECT_EQ(listed, limits);
}

TEST(Spec, ListsTheEffectsOfAnOperation) {
  std::map<std::string, int> expected;
#define COMMUNITY_EXPECT_EFFECT(name, number) expected[#name] = number;
  COMMUNITY_PROTOCOL_EFFECTS(COMMUNITY_EXPECT_EFFECT)
#undef COMMUNITY_EXPECT_EFFECT
  std::map<std::string, int> listed;
  for (const auto& row : table("### Effects")) listed[row.at(1)] = std::stoi(row.at(0));
  EXPECT_EQ(listed, expected);
}

TEST(Spec, ListsTheActions) {
  const std::map<std::string, ActionKind> expected{
      {"freeze", ActionKind::freeze},
      {"unfreeze", ActionKind::unfreeze},
      {"changeRules", ActionKind::change_rules},
      {"upgrade", ActionKind::upgrade},
      {"cancel", ActionKind::cancel},
      {"lowerLimit", ActionKind::lower_limit},
      {"lowerGasCap", ActionKind::lower_gas_cap},
      {"unlistDomain", ActionKind::unlist_domain},
      {"disallowCall", ActionKind::disallow_call},
      {"revokeGrant", ActionKind::revoke_grant},
  };
  std::map<std::string, ActionKind> listed;
  for (const auto& row : table("### Actions")) listed[row.at(1)] = static_cast<ActionKind>(std::stoi(row.at(0)));
  EXPECT_EQ(listed, expected);
}

// The offsets of the frame and of the sealed record as the tables give them.
TEST(Spec, GivesTheFramesOffsets) {
  const Rows frame = table("## 1. Frame");
  ASSERT_EQ(frame.size(), 7u);
  EXPECT_EQ(std::stoul(frame[5].at(0)), kHeaderBytes);
  EXPECT_EQ(frame[6].at(1), "[" + std::to_string(kMacBytes) + "]");
}

}  // namespace
}  // namespace community::protocol
