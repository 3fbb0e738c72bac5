// SPDX-License-Identifier: Apache-2.0
// Reading a multisig: what it answers becomes values, and a server that shows other calls than an id names is not
// believed.
#include "community/multisig/api/state.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <map>

#include "community/chain/fake/fake_chain.hpp"
#include "community/core/abi.hpp"
#include "community/infra/api/task.hpp"

namespace community::multisig {
namespace {

using core::AbiValue;

Address address(std::uint64_t n) { return core::address_from_word(Uint256(n).to_be()); }
AbiValue number(std::uint64_t n) { return AbiValue(n); }

chain::Log proposed(const MultisigOnChain& where, const Proposal& proposal) {
  static const auto types = core::parse_abi_parameters("(address,uint256,bytes)[],uint256,uint48,uint48").value();
  AbiValue::List calls;
  for (const Call& call : proposal.calls)
    calls.emplace_back(AbiValue::List{AbiValue(call.to), call.value, AbiValue(call.data)});
  chain::Log log;
  log.address = where.multisig;
  log.topics = {core::event_topic("Proposed(bytes32,bytes32,(address,uint256,bytes)[],uint256,uint48,uint48)"),
                proposal_id(where, proposal), proposal.proposer};
  log.data = core::abi_encode(types, {AbiValue(std::move(calls)), AbiValue(proposal.salt), AbiValue(proposal.expiry_s),
                                      AbiValue(proposal.expiry_s)})
                 .value();
  return log;
}

class MultisigStateTest : public ::testing::Test {
 protected:
  void SetUp() override {
    chain.mine(3);
    chain.set_code(kWhere.multisig, {1});
    chain.set_balance(kWhere.multisig, Uint256(77));
    answer("epoch()", "uint32", {number(4)});
    answer("threshold()", "uint256", {number(2)});
    answer("owners()", "bytes[]", {AbiValue(AbiValue::List{AbiValue(kOwners[0]), AbiValue(kOwners[1])})});
    answer("dailyLimit(address)", "uint256,uint256,uint256", {number(100), number(30), number(70)});
    answer("proposal(bytes32)", "uint8,uint48,uint256,uint256,uint256",
           {number(1), number(1'790'000'000), number(2), number(1), number(0)});
    answer("vote(bytes32,bytes)", "uint8", {number(1)});
    chain.on_call(kWhere.multisig, [this](const chain::CallRequest& request) -> chain::ChainResult<Bytes> {
      std::array<std::uint8_t, 4> selector{};
      std::copy_n(request.data.begin(), 4, selector.begin());
      const auto known = answers_.find(selector);
      if (known != answers_.end()) return known->second;
      chain::ChainError error;
      error.kind = chain::ChainErrorKind::rpc;
      error.reverted = true;
      return tl::unexpected(std::move(error));
    });
  }

  void answer(std::string_view function, std::string_view types, const std::vector<AbiValue>& values) {
    answers_[core::parse_abi_function(function)->selector] =
        core::abi_encode(core::parse_abi_parameters(types).value(), values).value();
  }
  void forget(std::string_view function) { answers_.erase(core::parse_abi_function(function)->selector); }

  // A block whose one transaction has these logs.
  void put(std::vector<chain::Log> logs) {
    chain.on_transaction([logs](const core::Transaction&, const Address&) {
      chain::FakeChain::Executed done;
      done.logs = logs;
      return done;
    });
    const Bytes32 key = Uint256(9).to_be();
    const Address sender = core::address_of(core::public_key_of(key).value());
    chain.set_balance(sender, Uint256(1'000'000'000'000'000'000));
    core::Transaction transaction;
    transaction.chain_id = Uint256(kWhere.chain_id);
    transaction.nonce = nonce_++;
    transaction.gas_limit = Uint256(100'000);
    transaction.max_fee_per_gas = Uint256(100'000'000'000);
    transaction.max_priority_fee_per_gas = Uint256(1'000'000'000);
    transaction.to = kWhere.multisig;
    Bytes raw = core::sign_transaction(std::move(transaction), key).value().signed_encoding().value();
    ASSERT_TRUE(loop.block_on(chain.send_raw_transaction(std::move(raw))));
    chain.mine();
  }

  Result<MultisigState> state(std::vector<Address> tokens = {}) {
    return loop.block_on(view.state(kWhere.multisig, std::move(tokens)));
  }
  Result<std::vector<ProposalState>> proposals(std::optional<Bytes32> only = std::nullopt) {
    const auto now = state();
    EXPECT_TRUE(now);
    return loop.block_on(view.proposals(kWhere, *now, 0, only));
  }
  Proposal proposal(std::uint64_t salt = 7) const {
    return {owner_id(kOwners[1]), {{address(5), Uint256(3), {1, 2}}}, Uint256(salt), 1'790'000'000};
  }

  const MultisigOnChain kWhere{1'337, address(0xb0)};
  const std::vector<Bytes> kOwners{address_owner(address(2)), address_owner(address(3))};
  infra::EventLoop loop;
  chain::FakeChain chain{1'337};
  MultisigView view{chain};

 private:
  std::map<std::array<std::uint8_t, 4>, Bytes> answers_;
  std::uint64_t nonce_ = 0;
};

TEST_F(MultisigStateTest, EverythingIsRead) {
  const auto now = state({address(20)});
  ASSERT_TRUE(now) << now.error().text();
  EXPECT_TRUE(now->deployed);
  EXPECT_EQ(now->balance, Uint256(77));
  EXPECT_EQ(now->block_number, chain.head().number);
  EXPECT_EQ(now->time_s, chain.head().timestamp);
  EXPECT_EQ(now->epoch, 4u);
  EXPECT_EQ(now->threshold, 2u);
  EXPECT_EQ(now->owners, kOwners);
  EXPECT_TRUE(now->is_owner(kOwners[1]));
  EXPECT_FALSE(now->is_owner(address_owner(address(4))));
  EXPECT_FALSE(now->is_owner({}));
  ASSERT_EQ(now->limits.size(), 2u);
  EXPECT_EQ(now->limits[1].token, address(20));
  EXPECT_EQ(now->limits[1].per_day, Uint256(100));
  EXPECT_EQ(now->limits[1].spent_today, Uint256(30));
  EXPECT_EQ(now->limits[1].left_today, Uint256(70));
}

TEST_F(MultisigStateTest, WhatIsNoMultisigIsSaidToBeNone) {
  chain.set_code(kWhere.multisig, {});
  EXPECT_FALSE(state()->deployed);
  chain.set_code(kWhere.multisig, {1});
  answer("threshold()", "uint256", {number(3)});
  EXPECT_EQ(state().error().code, ErrorCode::unreadable);
  answer("threshold()", "uint256", {number(2)});
  answer("owners()", "bytes[]", {AbiValue(AbiValue::List{})});
  EXPECT_EQ(state().error().code, ErrorCode::unreadable);
  forget("owners()");
  EXPECT_EQ(state().error().code, ErrorCode::unreadable);
  chain::ChainError away;
  away.kind = chain::ChainErrorKind::transport;
  chain.fail_next(away);
  EXPECT_EQ(state().error().code, ErrorCode::chain_failed);
}

TEST_F(MultisigStateTest, ProposalsComeWithTheirCallsAndVotes) {
  EXPECT_TRUE(proposals()->empty());
  put({proposed(kWhere, proposal(7)), proposed(kWhere, proposal(8))});
  const auto all = proposals();
  ASSERT_TRUE(all) << all.error().text();
  ASSERT_EQ(all->size(), 2u);
  const ProposalState& first = all->front();
  EXPECT_EQ(first.id, proposal_id(kWhere, proposal(7)));
  ASSERT_TRUE(first.content);
  EXPECT_EQ(first.content->calls[0].to, address(5));
  EXPECT_EQ(first.content->salt, Uint256(7));
  EXPECT_EQ(first.status, Status::open);
  EXPECT_EQ(first.last_second_s, 1'790'000'000u);
  EXPECT_EQ(first.needed, 2u);
  EXPECT_EQ(first.approvals, 1u);
  EXPECT_EQ(first.votes, (std::vector<Vote>{Vote::approved, Vote::approved}));
  const auto one = proposals(proposal_id(kWhere, proposal(8)));
  ASSERT_EQ(one->size(), 1u);
  EXPECT_EQ(one->front().content->salt, Uint256(8));
  EXPECT_TRUE(proposals(Bytes32{1})->empty());
  // Nobody is asked for votes on what is over.
  answer("proposal(bytes32)", "uint8,uint48,uint256,uint256,uint256",
         {number(2), number(1'790'000'000), number(2), number(2), number(0)});
  forget("vote(bytes32,bytes)");
  EXPECT_EQ(proposals()->front().status, Status::executed);
  EXPECT_TRUE(proposals()->front().votes.empty());
}

TEST_F(MultisigStateTest, OfManyProposalsTheLatestAreRead) {
  put({proposed(kWhere, proposal(1)), proposed(kWhere, proposal(2))});
  put({proposed(kWhere, proposal(3))});
  const auto now = state();
  const auto two = loop.block_on(view.proposals(kWhere, *now, 0, std::nullopt, 2));
  ASSERT_TRUE(two) << two.error().text();
  ASSERT_EQ(two->size(), 2u);
  EXPECT_EQ(two->front().content->salt, Uint256(2));
  EXPECT_EQ(two->back().content->salt, Uint256(3));
}

TEST_F(MultisigStateTest, OwnersOfNoSizeAreRefused) {
  for (const std::size_t size : {std::size_t{0}, kAddressOwnerBytes - 1, kMaxOwnerBytes + 1}) {
    answer("owners()", "bytes[]", {AbiValue(AbiValue::List{AbiValue(Bytes(size, 1)), AbiValue(kOwners[0])})});
    EXPECT_EQ(state().error().code, ErrorCode::unreadable) << size;
  }
}

TEST_F(MultisigStateTest, OtherCallsThanTheIdNamesAreNotBelieved) {
  const Proposal real = proposal();
  const chain::Log good = proposed(kWhere, real);
  ASSERT_TRUE(read_proposed(kWhere, good));
  Proposal forged = real;
  forged.calls[0].to = address(0xbad);
  chain::Log lie = proposed(kWhere, forged);
  lie.topics[1] = good.topics[1];
  EXPECT_FALSE(read_proposed(kWhere, lie));
  chain::Log other_proposer = good;
  other_proposer.topics[2] = owner_id(kOwners[0]);
  EXPECT_FALSE(read_proposed(kWhere, other_proposer));
  chain::Log cut = good;
  cut.data.pop_back();
  EXPECT_FALSE(read_proposed(kWhere, cut));
  chain::Log longer = good;
  longer.data.push_back(0);
  EXPECT_FALSE(read_proposed(kWhere, longer));
  chain::Log few_topics = good;
  few_topics.topics.pop_back();
  EXPECT_FALSE(read_proposed(kWhere, few_topics));
  EXPECT_FALSE(read_proposed({1, kWhere.multisig}, good));
  EXPECT_FALSE(read_proposed({kWhere.chain_id, address(1)}, good));

  // Shown as what it is, an id without content; the true event heals it, before or after.
  put({lie});
  const auto shown = proposals();
  ASSERT_EQ(shown->size(), 1u);
  EXPECT_EQ(shown->front().id, good.topics[1]);
  EXPECT_FALSE(shown->front().content);
  put({good, lie});
  const auto healed = proposals();
  ASSERT_EQ(healed->size(), 1u);
  ASSERT_TRUE(healed->front().content);
  EXPECT_EQ(healed->front().content->calls[0].to, address(5));
}

TEST_F(MultisigStateTest, AnswersOutsideOfTheContractsNumbersAreRefused) {
  put({proposed(kWhere, proposal())});
  answer("vote(bytes32,bytes)", "uint8", {number(3)});
  EXPECT_EQ(proposals().error().code, ErrorCode::unreadable);
  answer("vote(bytes32,bytes)", "uint8", {number(2)});
  EXPECT_EQ(proposals()->front().votes, (std::vector<Vote>{Vote::rejected, Vote::rejected}));
  answer("proposal(bytes32)", "uint8,uint48,uint256,uint256,uint256",
         {number(5), number(1), number(2), number(1), number(0)});
  EXPECT_EQ(proposals().error().code, ErrorCode::unreadable);
}

TEST_F(MultisigStateTest, EventsOfTheContractAreThoseOfAnotherImplementation) {
  std::ifstream file(COMMUNITY_SOURCE_DIR "/tests/vectors/account/multisig.json");
  const boost::json::object row = boost::json::parse(file).at("proposal").as_object();
  chain::Log log;
  for (const auto& topic : row.at("topics").as_array())
    log.topics.push_back(core::parse_bytes32(topic.as_string()).value());
  log.data = core::parse_hex(row.at("data").as_string()).value();
  const MultisigOnChain there{31'337, core::parse_address("0x00000000000000000000000000000000c0ffee02").value()};
  const auto read = read_proposed(there, log);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->calls.size(), 2u);
  EXPECT_EQ(read->expiry_s, 1'790'000'000u);
}

}  // namespace
}  // namespace community::multisig
