// SPDX-License-Identifier: Apache-2.0
// Digests and encodings of an account's structs as viem computes them, and selectors as their signatures give them.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "trusted/base/keccak.hpp"
#include "trusted/tests/support/account.hpp"

namespace community::trusted::testing {
namespace {

using Fields = std::vector<std::string>;

std::vector<Fields> lines_of(const std::string& kind) {
  std::ifstream file(std::string(COMMUNITY_SOURCE_DIR) + "/trusted/tests/vectors/account_actions.txt");
  std::vector<Fields> lines;
  for (std::string line; std::getline(file, line);) {
    std::istringstream text(line);
    Fields fields;
    for (std::string field; std::getline(text, field, ' ');) fields.push_back(field == "-" ? "" : field);
    if (fields.at(0) == kind) lines.push_back(fields);
  }
  return lines;
}

Uint256 number(const std::string& hex) { return Uint256::from_be(unhex(hex)); }
template <class T>
T small(const std::string& hex) {
  return static_cast<T>(number(hex).limb[0]);
}

// chain, account, epoch, nonce, deadline, digest from field `at` on.
ethereum::Stamp stamp_of(const Fields& line, std::size_t at) {
  return {small<std::uint32_t>(line.at(at + 2)), number(line.at(at + 3)), small<std::uint64_t>(line.at(at + 4))};
}

protocol::AccountAction action_of(const Fields& line) {
  protocol::AccountAction action;
  action.kind = static_cast<protocol::ActionKind>(std::stoi(line.at(1)));
  action.stamp = stamp_of(line, 2);
  using protocol::ActionKind;
  switch (action.kind) {
    case ActionKind::freeze:
      break;
    case ActionKind::unfreeze:
      action.votes = small<std::uint8_t>(line.at(8));
      break;
    case ActionKind::change_rules:
      action.guardians_hash = word(line.at(8));
      action.guardian_threshold = small<std::uint8_t>(line.at(9));
      action.recovery_delay = small<std::uint32_t>(line.at(10));
      // viem's booleans
      action.strict = small<std::uint8_t>(line.at(11));
      action.unlisted_tokens = small<std::uint8_t>(line.at(12));
      action.votes = small<std::uint8_t>(line.at(13));
      break;
    case ActionKind::upgrade:
      action.subject = address(line.at(8));
      action.hash = word(line.at(9));
      break;
    case ActionKind::cancel:
    case ActionKind::unlist_domain:
    case ActionKind::revoke_grant:
      action.hash = word(line.at(8));
      break;
    case ActionKind::lower_limit:
      action.subject = address(line.at(8));
      action.amount = number(line.at(9));
      break;
    case ActionKind::lower_gas_cap:
      action.amount = number(line.at(8));
      break;
    case ActionKind::disallow_call:
      action.subject = address(line.at(8));
      action.selector = fixed<4>(line.at(9));
      break;
  }
  return action;
}

TEST(AccountVectors, ActionsHaveTheDigestsOfViem) {
  const auto lines = lines_of("action");
  EXPECT_EQ(lines.size(), 40u);
  for (const Fields& line : lines)
    EXPECT_EQ(to_hex(action_digest(action_of(line), small<std::uint64_t>(line.at(2)), address(line.at(3)))), line.at(7))
        << line.at(1);
}

TEST(AccountVectors, KeyChangesHaveTheDigestsOfViem) {
  const auto lines = lines_of("keys");
  EXPECT_EQ(lines.size(), 6u);
  for (const Fields& line : lines) {
    protocol::KeyChange change;
    change.stamp = stamp_of(line, 1);
    for (std::size_t at = 0; at < line.at(7).size(); at += 64)
      change.removed[change.removed_count++].x = word(line.at(7).substr(at, 64));
    for (std::size_t at = 0; at < line.at(8).size(); at += 192) {
      protocol::Passkey& key = change.added[change.added_count++];
      key.public_key = fixed<64>(line.at(8).substr(at, 128));
      key.rp_id_hash = word(line.at(8).substr(at + 128, 64));
    }
    change.escape_key = address(line.at(10));
    change.votes = small<std::uint8_t>(line.at(11));
    EXPECT_EQ(
        to_hex(key_change_digest(change, address(line.at(9)), small<std::uint64_t>(line.at(1)), address(line.at(2)))),
        line.at(6));
  }
}

void expect_grant(const ethereum::GrantCall& call, const Fields& line) {
  EXPECT_EQ(to_hex(call.hash), line.at(1));
  EXPECT_EQ(call.grant.target, address(line.at(5)));
  ASSERT_EQ(call.grant.selector_count * 8u, line.at(6).size());
  for (std::size_t i = 0; i < call.grant.selector_count; i++)
    EXPECT_EQ(to_hex(call.grant.selectors[i]), line.at(6).substr(8 * i, 8));
  EXPECT_EQ(call.grant.value_per_call, number(line.at(7)));
  EXPECT_EQ(call.grant.value_total, number(line.at(8)));
  EXPECT_EQ(call.grant.valid_after, small<std::uint64_t>(line.at(9)));
  EXPECT_EQ(call.grant.valid_until, small<std::uint64_t>(line.at(10)));
  EXPECT_EQ(call.grant.paymaster, address(line.at(11)));
  EXPECT_EQ(call.grant.salt, number(line.at(12)));
}

TEST(AccountVectors, GrantsAreReadAsViemWritesThem) {
  const auto lines = lines_of("grant");
  EXPECT_EQ(lines.size(), 8u);
  for (const Fields& line : lines) {
    const Bytes create = unhex(line.at(2)), data = unhex(line.at(3)), session = unhex(line.at(4));
    const auto created = ethereum::read_create_grant(create), used = ethereum::read_execute_session(session);
    ASSERT_TRUE(created && used);
    expect_grant(*created, line);
    expect_grant(*used, line);
    EXPECT_EQ(to_bytes(used->execution_data), data);
  }
}

TEST(AccountVectors, QueuedItemsAreReadAsViemWritesThem) {
  for (const std::string function : {"queue", "confirm"}) {
    const auto lines = lines_of(function);
    EXPECT_EQ(lines.size(), 5u);
    for (const Fields& line : lines) {
      const Bytes data = unhex(line.at(4));
      const auto call = ethereum::read_queue_call(data);
      ASSERT_TRUE(call);
      EXPECT_EQ(ethereum::selector_of(data), function == "queue" ? ethereum::kQueue : ethereum::kConfirm);
      EXPECT_EQ(std::to_string(call->kind), line.at(1));
      EXPECT_EQ(to_hex(call->content), line.at(2));
      EXPECT_EQ(call->salt, number(line.at(3)));
      if (call->kind == 0) continue;
      const auto kind = static_cast<ethereum::QueueKind>(call->kind);
      const auto content = ethereum::read_queue_content(kind, call->content);
      ASSERT_TRUE(content) << line.at(1);
      if (kind == ethereum::QueueKind::limit || kind == ethereum::QueueKind::allowed_call) {
        EXPECT_EQ(content->subject, address(line.at(5)));
      }
      if (kind == ethereum::QueueKind::limit) {
        EXPECT_EQ(content->amount, number(line.at(6)));
      }
      if (kind == ethereum::QueueKind::gas_cap) {
        EXPECT_EQ(content->amount, number(line.at(5)));
      }
      if (kind == ethereum::QueueKind::domain) {
        EXPECT_EQ(to_hex(content->domain), line.at(5));
      }
      if (kind == ethereum::QueueKind::allowed_call) {
        EXPECT_EQ(to_hex(content->selector), line.at(6));
      }
    }
  }
}

std::string computed_selector(std::string_view signature) {
  return to_hex(ByteView(base::keccak256(base::view(signature))).first(4));
}

TEST(Selectors, FollowFromTheirSignatures) {
  for (const auto& row : ethereum::kPlainFunctions)
    EXPECT_EQ(to_hex(row.selector), computed_selector(row.signature)) << row.signature;
  for (const auto& row : ethereum::kTokenFunctions)
    EXPECT_EQ(to_hex(row.selector), computed_selector(row.signature)) << row.signature;
  const std::string grant = "(address,bytes4[],uint128,uint128,uint48,uint48,address,uint256)";
  EXPECT_EQ(to_hex(ethereum::kQueue), computed_selector("queue(uint8,bytes,uint256)"));
  EXPECT_EQ(to_hex(ethereum::kConfirm), computed_selector("confirm(uint8,bytes,uint256)"));
  EXPECT_EQ(to_hex(ethereum::kCreateGrant), computed_selector("createGrant(" + grant + ")"));
  EXPECT_EQ(to_hex(ethereum::kExecuteSession), computed_selector("executeSession(" + grant + ",bytes)"));
}

TEST(Selectors, NoneStandsInTwoTables) {
  for (const auto& row : ethereum::kPlainFunctions) {
    EXPECT_FALSE(ethereum::is_token_function(row.selector)) << row.signature;
    EXPECT_NE(row.selector, ethereum::kExecute);
    EXPECT_NE(row.selector, ethereum::kHandleOps);
  }
}

}  // namespace
}  // namespace community::trusted::testing
