// SPDX-License-Identifier: Apache-2.0
// Digests and call data against those of another implementation (tests/vectors/account), and what is refused.
#include "community/accounts/api/actions.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <map>

#include "community/core/eip712.hpp"

namespace community::accounts {
namespace {

namespace json = boost::json;

Address address(std::uint64_t n) { return core::address_from_word(Uint256(n).to_be()); }
Bytes32 word(std::uint64_t n) { return Uint256(n).to_be(); }

InitPasskey passkey(std::uint64_t n) {
  InitPasskey key;
  base::copy(key.public_key, word(1'000 + n));
  base::copy(base::MutableByteView(key.public_key).subspan(32), word(2'000 + n));
  key.rp_id_hash = word(77 + n);
  return key;
}

const AccountOnChain kWhere{31'337, core::parse_address("0x00000000000000000000000000000000c0ffee01").value()};
const Stamp kStamp{3, Uint256(0x1234567890abcdef), 1'800'000'000};
const std::vector<ActionSignature> kSignatures{{9, {}}, {0, {1, 2}}, {8, {3}}};

// The actions of the vectors, by name.
std::map<std::string, Action> actions() {
  Uint256 high;
  high.limb[3] = 1ULL << 63;
  std::map<std::string, Action> all;
  for (Action action : std::initializer_list<Action>{
           Freeze{}, Unfreeze{1}, ChangeKeys{{Uint256(1), high}, {passkey(1), passkey(2)}, address(5), {}, 2},
           ChangeRules{word(9), 2, 604'800, true, false, 1}, Escape{{passkey(3)}, address(6), 2},
           Upgrade{address(7), word(8)}, Cancel{word(10)}, LowerLimit{address(11), Uint256(12)},
           LowerGasCap{Uint256(13)}, UnlistDomain{word(14)}, DisallowCall{address(15), {0xa9, 0x05, 0x9c, 0xbb}},
           RevokeGrant{word(16)}, Recover{{passkey(4), passkey(5)}, address(17), address(18)}})
    all.emplace(action_name(action), action);
  return all;
}

json::array vectors() {
  std::ifstream file(COMMUNITY_SOURCE_DIR "/tests/vectors/account/actions.json");
  return json::parse(file).as_array();
}

std::string text(const json::object& row, std::string_view name) { return std::string(row.at(name).as_string()); }

TEST(Actions, DigestsAndCallsAreThoseOfAnotherImplementation) {
  const auto all = actions();
  std::size_t seen = 0;
  for (const json::value& value : vectors()) {
    const json::object& row = value.as_object();
    const auto action = all.find(text(row, "name"));
    if (action == all.end() || action->first == "Recover") continue;
    SCOPED_TRACE(action->first);
    EXPECT_EQ(core::to_hex(action_digest(kWhere, action->second, kStamp)), text(row, "digest"));
    EXPECT_EQ(core::to_hex(encode_action(action->second, kStamp, kSignatures).value()), text(row, "call"));
    const auto finish = encode_finish(action->second, kStamp);
    if (row.contains("finish")) {
      EXPECT_EQ(core::to_hex(finish.value()), text(row, "finish"));
    } else {
      EXPECT_EQ(finish.error().code, ErrorCode::action_not_finishable);
    }
    seen++;
  }
  EXPECT_EQ(seen, all.size() - 1);
}

TEST(Actions, ConfirmingAnUpgradeNamesTheItemAndRepeatsItsContent) {
  const Upgrade upgrade{address(7), word(8)};
  const Action confirm = ConfirmUpgrade{action_digest(kWhere, upgrade, kStamp), upgrade, kStamp};
  const Stamp stamp{3, Uint256(99), 1'800'000'000};
  for (const json::value& row : vectors()) {
    if (text(row.as_object(), "name") != "ConfirmUpgrade") continue;
    EXPECT_EQ(core::to_hex(action_digest(kWhere, confirm, stamp)), text(row.as_object(), "digest"));
    EXPECT_EQ(core::to_hex(encode_action(confirm, stamp, kSignatures).value()), text(row.as_object(), "call"));
    return;
  }
  FAIL() << "no vector";
}

TEST(Actions, GuardiansRecoverAndCancel) {
  const auto list = GuardianList::make(
      word(20), {core::to_bytes(address(21)), core::to_bytes(address(22)), Bytes(84, std::uint8_t{0xab})});
  ASSERT_TRUE(list);
  const std::vector<Bytes> signatures{{}, {4, 5}, {6}};
  const Recover recover = std::get<Recover>(actions().at("Recover"));
  for (const json::value& value : vectors()) {
    const json::object& row = value.as_object();
    if (text(row, "name") != "Recover") continue;
    EXPECT_EQ(core::to_hex(list->hash()), text(row, "guardiansHash"));
    EXPECT_EQ(core::to_hex(action_digest(kWhere, recover, kStamp)), text(row, "digest"));
    EXPECT_EQ(core::to_hex(encode_recover(recover, kStamp, *list, signatures).value()), text(row, "call"));
    EXPECT_EQ(core::to_hex(encode_finish(recover, kStamp).value()), text(row, "finish"));
    EXPECT_EQ(core::to_hex(encode_cancel_as_guardians({word(10)}, kStamp, *list, signatures).value()),
              text(row, "cancel"));
    EXPECT_EQ(core::to_hex(encode_approve(word(23))), text(row, "approve"));
    return;
  }
  FAIL() << "no vector";
}

TEST(Actions, ADocumentForWalletsHashesToTheDigest) {
  for (const auto& [name, action] : actions()) {
    SCOPED_TRACE(name);
    const json::object document = action_typed_data(kWhere, action, kStamp);
    EXPECT_EQ(document.at("primaryType"), json::value(name));
    EXPECT_EQ(core::hash_typed_data(document).value().digest, action_digest(kWhere, action, kStamp));
  }
}

TEST(Actions, ASignerCountsOnceAndMustExist) {
  EXPECT_EQ(encode_action(Freeze{}, kStamp, {{1, {}}, {1, {}}}).error().code, ErrorCode::action_signer);
  EXPECT_EQ(encode_action(Freeze{}, kStamp, {{10, {}}}).error().code, ErrorCode::action_signer);
  EXPECT_EQ(encode_action(Recover{}, kStamp, {}).error().code, ErrorCode::action_invalid);
}

TEST(Actions, AStampThatDoesNotFitIsRefused) {
  EXPECT_EQ(encode_action(Freeze{}, {1, {}, 1ULL << 48}, {}).error().code, ErrorCode::action_invalid);
}

TEST(Guardians, AListHasNoDoubtfulMembers) {
  const Bytes one = core::to_bytes(address(1));
  const auto code = [](std::vector<Bytes> guardians) {
    return GuardianList::make({}, std::move(guardians)).error().code;
  };
  EXPECT_EQ(code({}), ErrorCode::guardians_invalid);
  EXPECT_EQ(code({one, one}), ErrorCode::guardians_invalid);
  EXPECT_EQ(code({Bytes(19, std::uint8_t{1})}), ErrorCode::guardians_invalid);
  std::vector<Bytes> many;
  for (std::uint64_t i = 1; i <= kMaxGuardians + 1; i++) many.push_back(core::to_bytes(address(i)));
  EXPECT_EQ(code(many), ErrorCode::guardians_invalid);
  const auto list = GuardianList::make({}, {one});
  EXPECT_EQ(encode_recover({}, kStamp, *list, {}).error().code, ErrorCode::guardians_invalid);
}

TEST(DualSignature, TheDayCanBeSetLater) {
  Bytes signature = dummy_dual_signature("https://node.example", 20'000);
  EXPECT_EQ(base::load_be<std::uint32_t>(signature.data() + 2), 20'000u);
  EXPECT_TRUE(set_signature_day(signature, 20'001));
  EXPECT_EQ(signature, dummy_dual_signature("https://node.example", 20'001));
  Bytes session{2, 0, 0, 0, 0, 0};
  EXPECT_FALSE(set_signature_day(session, 20'001));
}

}  // namespace
}  // namespace community::accounts
