// SPDX-License-Identifier: Apache-2.0
// What was started is read back as it was, init data too, and what breaks a rule is refused.
#include "community/accounts/api/items.hpp"

#include <gtest/gtest.h>

#include "community/accounts/api/reverts.hpp"
#include "community/core/abi.hpp"

namespace community::accounts {
namespace {

Address address(std::uint64_t n) { return core::address_from_word(Uint256(n).to_be()); }
Bytes32 word(std::uint64_t n) { return Uint256(n).to_be(); }

// Generator of P-256 (SEC 2, section 2.4.2) and its double, points that exist.
InitPasskey generator(std::uint64_t rp) {
  InitPasskey key;
  key.public_key = core::parse_hex_array<64>(
                       "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
                       "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5",
                       core::HexPrefix::optional)
                       .value();
  key.rp_id_hash = word(rp);
  return key;
}
InitPasskey doubled(std::uint64_t rp) {
  InitPasskey key;
  key.public_key = core::parse_hex_array<64>(
                       "7cf27b188d034f7e8a52380304b51ac3c08969e277f21b35a60b48fc47669978"
                       "07775510db8ed040293d9ac69f7430dbba7dade63ce982299e04b79d227873d1",
                       core::HexPrefix::optional)
                       .value();
  key.rp_id_hash = word(rp);
  return key;
}

const AccountOnChain kWhere{31'337, address(0xacc)};
const Stamp kStamp{3, Uint256(77), 1'800'000'000};

std::vector<Action> waiting_actions() {
  ChangeRules rules;
  rules.guardians_hash = word(5);
  rules.guardian_threshold = 2;
  rules.recovery_delay_s = 86'400;
  rules.strict = true;
  rules.unlisted_tokens = true;
  rules.votes = 1;
  return {Unfreeze{1}, ChangeKeys{{Uint256(9), Uint256(10)}, {generator(1)}, address(2), address(3), 2}, rules,
          Escape{{generator(1), doubled(2)}, address(4), 1}, Upgrade{address(6), word(7)}};
}

TEST(StartedItem, EveryActionThatWaitsIsReadBackWithItsId) {
  for (const Action& action : waiting_actions()) {
    const Bytes call = encode_action(action, kStamp, {{8, Bytes(65, 1)}, {0, Bytes(140, 2)}}).value();
    const auto item = read_started_item(call);
    ASSERT_TRUE(item) << action_name(action);
    const auto& started = std::get<StartedAction>(*item);
    EXPECT_EQ(started.action.index(), action.index());
    EXPECT_EQ(item_id(kWhere, kStamp.key_epoch, *item), action_digest(kWhere, action, kStamp)) << action_name(action);
  }
}

TEST(StartedItem, ARecoveryIsReadBackWithItsId) {
  const Recover recover{{generator(4)}, address(17), address(18)};
  const auto list = GuardianList::make(word(1), {Bytes(20, 1), Bytes(20, 2)}).value();
  const Bytes call = encode_recover(recover, kStamp, list, {Bytes(65, 3), Bytes{}}).value();
  const auto item = read_started_item(call);
  ASSERT_TRUE(item);
  EXPECT_EQ(item_id(kWhere, 0, *item), action_digest(kWhere, recover, kStamp));
}

TEST(StartedItem, AQueuedSpendIsReadBackWithItsIdAndItsCalls) {
  const Queued queued = queued_spend({{address(1), Uint256(2), {3, 4}}}, Uint256(5)).value();
  // The account calls itself: the call that starts the item is the inner one.
  static const auto queue = core::parse_abi_function("queue(uint8,bytes,uint256)").value();
  const Bytes call =
      queue.encode({core::AbiValue(std::uint64_t{0}), core::AbiValue(queued.content), queued.salt}).value();
  const auto item = read_started_item(call);
  ASSERT_TRUE(item);
  EXPECT_EQ(item_id(kWhere, 3, *item), queued_id(kWhere, 3, queued));
  const auto calls = read_calls(std::get<Queued>(*item).content);
  ASSERT_TRUE(calls);
  ASSERT_EQ(calls->size(), 1u);
  EXPECT_EQ(calls->front().to, address(1));
  EXPECT_EQ(calls->front().value, Uint256(2));
  EXPECT_EQ(calls->front().data, (Bytes{3, 4}));
}

TEST(StartedItem, OtherCallsAndUnknownKindsStartNothing) {
  EXPECT_FALSE(read_started_item({}));
  EXPECT_FALSE(read_started_item(encode_action(Freeze{}, kStamp, {{8, Bytes(65, 1)}}).value()));
  Bytes cut = encode_action(Unfreeze{1}, kStamp, {{8, Bytes(65, 1)}}).value();
  cut.pop_back();
  EXPECT_FALSE(read_started_item(cut));
  static const auto queue = core::parse_abi_function("queue(uint8,bytes,uint256)").value();
  const Bytes unknown = queue.encode({core::AbiValue(std::uint64_t{5}), core::AbiValue(Bytes{}), Uint256(1)}).value();
  EXPECT_FALSE(read_started_item(unknown));
}

TEST(StartedItem, AGrantIsReadBackWithItsId) {
  Grant grant;
  grant.target = address(9);
  grant.selectors = {{1, 2, 3, 4}, {5, 6, 7, 8}};
  grant.value_per_call = Uint256(10);
  grant.value_total = Uint256(20);
  grant.valid_after_s = 100;
  grant.valid_until_s = 200;
  grant.paymaster = address(11);
  grant.salt = Uint256(12);
  // Of execute(mode, [(account, 0, createGrant(grant))]), the inner call alone is in the event.
  const Bytes batch = encode_create_grant(kWhere.account, grant).value();
  const auto execute = core::parse_abi_function("execute(bytes32,bytes)").value().decode(batch).value();
  const Bytes inner = read_calls(execute[1].bytes()).value().front().data;
  const auto read = read_grant(inner);
  ASSERT_TRUE(read);
  EXPECT_EQ(grant_id(kWhere, 3, *read), grant_id(kWhere, 3, grant));
  EXPECT_FALSE(read_grant(batch));
}

AccountInit good_init() {
  AccountInit init;
  init.passkeys = {generator(1), doubled(2)};
  init.server_key = address(21);
  init.escape_key = address(22);
  init.guardians_hash = word(23);
  init.guardian_threshold = 2;
  init.strict = true;
  init.gas_caps = {{1, Uint256(5)}, {10, Uint256(6)}};
  init.limits = {{1, {}, Uint256(7)}, {1, address(9), Uint256(8)}};
  init.salt = Uint256(99);
  return init;
}

TEST(InitData, IsReadBackAsItWas) {
  const Bytes encoded = encode_init_data(good_init()).value();
  const auto read = read_init_data(encoded);
  ASSERT_TRUE(read) << read.error().text();
  EXPECT_EQ(encode_init_data(*read).value(), encoded);
  EXPECT_EQ(read->passkeys[1].rp_id_hash, word(2));
  EXPECT_EQ(read->limits[1].token, address(9));
  Bytes longer = encoded;
  longer.push_back(0);
  EXPECT_FALSE(read_init_data(longer));
  EXPECT_FALSE(read_init_data(core::ByteView(encoded).first(encoded.size() - 32)));
}

TEST(InitData, EachRuleOfTheFactoryIsNamed) {
  const auto refused = [](void (*spoil)(AccountInit&)) {
    AccountInit init = good_init();
    spoil(init);
    const auto checked = check_init(init);
    return checked ? std::string() : checked.error().message;
  };
  EXPECT_NE(refused([](AccountInit& i) { i.passkeys.clear(); }), "");
  EXPECT_NE(refused([](AccountInit& i) { i.passkeys.resize(9, generator(1)); }), "");
  EXPECT_NE(refused([](AccountInit& i) { i.passkeys[0].public_key[63] ^= 1; }), "");
  EXPECT_NE(refused([](AccountInit& i) { i.passkeys[0].rp_id_hash = {}; }), "");
  EXPECT_NE(refused([](AccountInit& i) { i.passkeys[1] = generator(3); }), "");
  EXPECT_NE(refused([](AccountInit& i) { i.server_key = {}; }), "");
  EXPECT_NE(refused([](AccountInit& i) { i.escape_key = i.server_key; }), "");
  EXPECT_NE(refused([](AccountInit& i) { i.guardian_threshold = 0; }), "");
  EXPECT_NE(refused([](AccountInit& i) { i.guardians_hash = {}; }), "");
  EXPECT_NE(refused([](AccountInit& i) { i.recovery_delay_s = 86'399; }), "");
  EXPECT_NE(refused([](AccountInit& i) { i.gas_caps[1].chain_id = 1; }), "");
  EXPECT_NE(refused([](AccountInit& i) { i.limits[1].token = {}; }), "");
  EXPECT_TRUE(check_init(good_init()));
}

TEST(AccountRevert, SaysTheRuleAndItsFigures) {
  static const auto over = core::parse_abi_function("OverLimit(address,uint256,uint256)").value();
  const Bytes revert = over.encode({Address{}, Uint256(20), Uint256(10)}).value();
  EXPECT_EQ(describe_account_revert(revert), "OverLimit(0x0000000000000000000000000000000000000000, 20, 10)");
  static const auto failed = core::parse_abi_function("FailedOpWithRevert(uint256,string,bytes)").value();
  const std::string words = "AA23 reverted";
  const Bytes outer =
      failed.encode({Uint256(0), core::AbiValue(core::to_bytes(base::view(words))), core::AbiValue(revert)}).value();
  const auto text = describe_account_revert(outer);
  ASSERT_TRUE(text);
  EXPECT_NE(text->find("AA23 reverted"), std::string::npos);
  EXPECT_NE(text->find(": OverLimit("), std::string::npos);
  // Likewise the call of a multisig's proposal, whose index stays.
  static const auto call_failed = core::parse_abi_function("CallFailed(uint256,bytes)").value();
  const Bytes proposal = call_failed.encode({Uint256(3), core::AbiValue(revert)}).value();
  EXPECT_TRUE(describe_account_revert(proposal)->starts_with("CallFailed(3, 0x"));
  EXPECT_NE(describe_account_revert(proposal)->find(": OverLimit("), std::string::npos);
  const Bytes silent = call_failed.encode({Uint256(3), core::AbiValue(Bytes{})}).value();
  EXPECT_EQ(describe_account_revert(silent), "CallFailed(3, 0x)");
  EXPECT_FALSE(describe_account_revert({}));
  EXPECT_FALSE(describe_account_revert(Bytes{1, 2, 3, 4}));
  // A known selector with other bytes behind it is not that error.
  EXPECT_FALSE(describe_account_revert(core::ByteView(revert).first(40)));
}

}  // namespace
}  // namespace community::accounts
