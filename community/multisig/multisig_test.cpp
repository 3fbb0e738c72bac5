// SPDX-License-Identifier: Apache-2.0
// Bytes, digests and ids against those of another implementation (tests/vectors/account), and what is refused.
#include "community/multisig/api/multisig.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <map>

#include "community/core/eip712.hpp"
#include "trusted/base/keccak.hpp"

namespace community::multisig {
namespace {

namespace json = boost::json;

Address address(std::uint64_t n) { return core::address_from_word(Uint256(n).to_be()); }
Bytes32 word(std::uint64_t n) { return Uint256(n).to_be(); }
Uint256 power_of_two(unsigned exponent) {
  Uint256 value;
  value.limb[exponent / 64] = std::uint64_t{1} << (exponent % 64);
  return value;
}

Bytes passkey(std::uint64_t verifier, std::uint64_t x, std::uint64_t y) {
  std::array<std::uint8_t, 64> key{};
  base::copy(key, word(x));
  base::copy(base::MutableByteView(key).subspan(32), word(y));
  return passkey_owner(address(verifier), key);
}

const MultisigOnChain kWhere{31'337, core::parse_address("0x00000000000000000000000000000000c0ffee02").value()};
const Stamp kStamp{3, Uint256(0x1234567890abcdef), 1'800'000'000};
const Bytes kSignature(65, 0x5a);

std::vector<Call> calls() {
  return {{address(5), Uint256(1'000'000'000'000'000'000), {}}, {address(6), {}, {0xde, 0xad, 0xbe, 0xef, 0x01}}};
}

std::map<std::string, Action> actions() {
  std::map<std::string, Action> all;
  for (const Action& action : std::initializer_list<Action>{
           Propose{calls(), Uint256(7), 1'790'000'000}, Approve{word(10)}, WithdrawApproval{word(10)}, Reject{word(10)},
           Cancel{word(10)}, Spend{address(11), address(12), Uint256(13)}})
    all.emplace(action_name(action), action);
  return all;
}

MultisigInit good_init() {
  MultisigInit init;
  init.owners = {address_owner(address(0xa1)), address_owner(address(0xb0b)), passkey(0x7e, 1'001, 2'002)};
  init.threshold = 2;
  init.limits = {{31'337, {}, Uint256(100'000'000'000'000'000)}, {1, address(9), power_of_two(200)}};
  init.salt = Uint256(99);
  return init;
}

Proposal good_proposal() { return {owner_id(address_owner(address(0xb0b))), calls(), Uint256(7), 1'790'000'000}; }

json::object vectors() {
  std::ifstream file(COMMUNITY_SOURCE_DIR "/tests/vectors/account/multisig.json");
  return json::parse(file).as_object();
}
std::string text(const json::value& row, std::string_view name) {
  return std::string(row.as_object().at(name).as_string());
}

TEST(MultisigActions, DigestsAndCallsAreThoseOfAnotherImplementation) {
  const auto all = actions();
  const json::object file = vectors();
  std::size_t seen = 0;
  for (const json::value& row : file.at("actions").as_array()) {
    SCOPED_TRACE(text(row, "name"));
    const Action& action = all.at(text(row, "name"));
    const Bytes owner = core::parse_hex(text(row, "owner")).value();
    EXPECT_EQ(core::to_hex(action_digest(kWhere, owner, action, kStamp)), text(row, "digest"));
    EXPECT_EQ(core::to_hex(encode_action(action).value()), text(row, "call"));
    EXPECT_EQ(core::to_hex(encode_action_by_signature(action, owner, kStamp, kSignature).value()),
              text(row, "bySignature"));
    seen++;
  }
  // Each by an address and by a passkey.
  EXPECT_EQ(seen, 2 * all.size());
}

TEST(MultisigActions, ADocumentForWalletsHashesToTheDigestAndNamesItsOwner) {
  const Bytes owner = address_owner(address(0xa1));
  for (const auto& [name, action] : actions()) {
    SCOPED_TRACE(name);
    const json::object document = action_typed_data(kWhere, owner, action, kStamp);
    EXPECT_EQ(document.at("primaryType"), json::value(name));
    EXPECT_EQ(core::hash_typed_data(document).value().digest, action_digest(kWhere, owner, action, kStamp));
    EXPECT_NE(action_digest(kWhere, passkey(1, 2, 3), action, kStamp), action_digest(kWhere, owner, action, kStamp));
  }
}

TEST(MultisigActions, WhatItsFieldDoesNotHoldIsRefused) {
  const Bytes owner = address_owner(address(1));
  const std::uint64_t too_late = std::uint64_t{1} << 48;
  EXPECT_EQ(encode_action(Propose{calls(), {}, too_late}).error().code, ErrorCode::action_invalid);
  EXPECT_EQ(encode_action_by_signature(Approve{}, owner, Stamp{0, {}, too_late}, kSignature).error().code,
            ErrorCode::action_invalid);
  EXPECT_EQ(encode_execute({{}, calls(), {}, too_late}).error().code, ErrorCode::action_invalid);
  EXPECT_EQ(encode_self_call(kWhere.multisig, SetDailyLimit{{}, power_of_two(112)}).error().code,
            ErrorCode::action_invalid);
}

TEST(MultisigProposals, IdAndExecutionAreThoseOfAnotherImplementation) {
  const json::object file = vectors();
  const json::value& row = file.at("proposal");
  EXPECT_EQ(core::to_hex(calls_hash(calls())), text(row, "callsHash"));
  EXPECT_EQ(core::to_hex(proposal_id(kWhere, good_proposal())), text(row, "id"));
  EXPECT_EQ(core::to_hex(encode_execute(good_proposal()).value()), text(row, "execute"));
}

TEST(MultisigProposals, TheIdCommitsToEverything) {
  const Bytes32 id = proposal_id(kWhere, good_proposal());
  EXPECT_NE(proposal_id({1, kWhere.multisig}, good_proposal()), id);
  EXPECT_NE(proposal_id({kWhere.chain_id, address(1)}, good_proposal()), id);
  const auto changed = [&](auto change) {
    Proposal other = good_proposal();
    change(other);
    return proposal_id(kWhere, other) != id;
  };
  EXPECT_TRUE(changed([](Proposal& p) { p.proposer[0] ^= 1; }));
  EXPECT_TRUE(changed([](Proposal& p) { p.calls[0].value = Uint256(1); }));
  EXPECT_TRUE(changed([](Proposal& p) { p.calls[0].to = address(7); }));
  EXPECT_TRUE(changed([](Proposal& p) { p.calls[1].data.push_back(0); }));
  EXPECT_TRUE(changed([](Proposal& p) { std::swap(p.calls[0], p.calls[1]); }));
  EXPECT_TRUE(changed([](Proposal& p) { p.salt = Uint256(8); }));
  EXPECT_TRUE(changed([](Proposal& p) { p.expiry_s = 0; }));
}

TEST(MultisigProposals, CallsFollowTheRulesOfTheContract) {
  const Address self = kWhere.multisig;
  const Call limit = encode_self_call(self, SetDailyLimit{}).value();
  EXPECT_TRUE(check_calls(self, calls()));
  EXPECT_TRUE(check_calls(self, {limit}));
  EXPECT_TRUE(check_calls(self, std::vector<Call>(32, calls()[0])));
  Call with_value = limit;
  with_value.value = Uint256(1);
  Call cut = limit;
  cut.data.pop_back();
  for (const std::vector<Call>& bad :
       std::initializer_list<std::vector<Call>>{{},
                                                std::vector<Call>(33, calls()[0]),
                                                {{Address{}, {}, {}}},
                                                {limit, calls()[0]},
                                                {with_value},
                                                {cut},
                                                {{self, {}, {}}},
                                                {{self, {}, encode_action(Approve{}).value()}}})
    EXPECT_EQ(check_calls(self, bad).error().code, ErrorCode::calls_invalid) << bad.size();
}

TEST(MultisigSelfCalls, AreThoseOfAnotherImplementationAndReadBack) {
  const json::object file = vectors();
  const json::value& row = file.at("selfCalls");
  const MultisigInit init = good_init();
  const Call change =
      encode_self_call(kWhere.multisig, ChangeOwners{{init.owners[0]}, {init.owners[1], init.owners[2]}, 2}).value();
  EXPECT_EQ(change.to, kWhere.multisig);
  EXPECT_EQ(core::to_hex(change.data), text(row, "changeOwners"));
  const auto owners = std::get<ChangeOwners>(read_self_call(change.data).value());
  EXPECT_EQ(owners.removed, std::vector<Bytes>{init.owners[0]});
  EXPECT_EQ(owners.added, (std::vector<Bytes>{init.owners[1], init.owners[2]}));
  EXPECT_EQ(owners.threshold, 2);
  const Call limit = encode_self_call(kWhere.multisig, SetDailyLimit{address(11), power_of_two(111)}).value();
  EXPECT_EQ(core::to_hex(limit.data), text(row, "setDailyLimit"));
  const auto read = std::get<SetDailyLimit>(read_self_call(limit.data).value());
  EXPECT_EQ(read.token, address(11));
  EXPECT_EQ(read.per_day, power_of_two(111));
  EXPECT_FALSE(read_self_call({}));
  EXPECT_FALSE(read_self_call(encode_action(Spend{}).value()));
}

TEST(MultisigCreation, InitDataAndAddressAreThoseOfAnotherImplementation) {
  const json::object file = vectors();
  const json::value& row = file.at("creation");
  const Bytes init_data = encode_init_data(good_init()).value();
  EXPECT_EQ(core::to_hex(init_data), text(row, "initData"));
  EXPECT_EQ(core::to_hex(encode_create_multisig(init_data)), text(row, "call"));
  const Address factory = core::parse_address(text(row, "factory")).value();
  const Bytes32 hash = core::parse_bytes32(text(row, "proxyInitCodeHash")).value();
  EXPECT_EQ(core::format_address(multisig_address(factory, hash, init_data)), text(row, "multisig"));
}

TEST(MultisigCreation, InitDataIsReadBack) {
  const auto init = read_init_data(encode_init_data(good_init()).value());
  ASSERT_TRUE(init) << init.error().text();
  EXPECT_EQ(init->owners, good_init().owners);
  EXPECT_EQ(init->threshold, 2);
  EXPECT_EQ(init->salt, Uint256(99));
  ASSERT_EQ(init->limits.size(), 2u);
  EXPECT_EQ(init->limits[1].chain_id, 1u);
  EXPECT_EQ(init->limits[1].token, address(9));
  EXPECT_EQ(init->limits[1].per_day, power_of_two(200));
  Bytes longer = encode_init_data(good_init()).value();
  longer.push_back(0);
  EXPECT_EQ(read_init_data(longer).error().code, ErrorCode::init_data_invalid);
}

TEST(MultisigCreation, WhatTheFactoryRefusesIsRefusedBefore) {
  const auto refused = [](auto change) {
    MultisigInit init = good_init();
    change(init);
    const auto encoded = encode_init_data(init);
    return !encoded && encoded.error().code == ErrorCode::init_data_invalid;
  };
  EXPECT_FALSE(refused([](MultisigInit&) {}));
  EXPECT_TRUE(refused([](MultisigInit& i) { i.owners.clear(); }));
  EXPECT_TRUE(refused([](MultisigInit& i) { i.threshold = 0; }));
  EXPECT_TRUE(refused([](MultisigInit& i) { i.threshold = 4; }));
  EXPECT_TRUE(refused([](MultisigInit& i) { i.owners.push_back(i.owners[0]); }));
  EXPECT_TRUE(refused([](MultisigInit& i) { i.owners[0].pop_back(); }));
  EXPECT_TRUE(refused([](MultisigInit& i) { i.owners[2].resize(513); }));
  EXPECT_FALSE(refused([](MultisigInit& i) { i.owners[2].resize(512); }));
  EXPECT_TRUE(refused([](MultisigInit& i) { i.owners[0] = address_owner({}); }));
  // The verifier of one is another owner.
  EXPECT_TRUE(refused([](MultisigInit& i) { i.owners[0] = address_owner(address(0x7e)); }));
  // One secret: another y, another verifier, the same x.
  EXPECT_TRUE(refused([](MultisigInit& i) { i.owners.push_back(passkey(0x7f, 1'001, 3'003)); }));
  EXPECT_FALSE(refused([](MultisigInit& i) { i.owners.push_back(passkey(0x7e, 1'002, 2'002)); }));
  EXPECT_TRUE(refused([](MultisigInit& i) { i.limits.push_back(i.limits[0]); }));
  EXPECT_TRUE(refused([](MultisigInit& i) {
    for (std::uint64_t n = 0; n < 31; n++) i.limits.push_back({2, address(100 + n), {}});
  }));
  EXPECT_TRUE(refused([](MultisigInit& i) {
    for (std::uint64_t n = 0; n < 30; n++) i.owners.push_back(address_owner(address(100 + n)));
  }));
}

}  // namespace
}  // namespace community::multisig
