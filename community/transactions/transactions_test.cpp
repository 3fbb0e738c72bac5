// SPDX-License-Identifier: Apache-2.0
// The life of a transaction, each layer's refusal, and what a crash at any point leaves.
#include "community/transactions/test_support/transaction_world.hpp"

namespace community::transactions::test_support {
namespace {

using testing::Test;

class Transacting : public TransactionWorld {};

// --- prepare ---------------------------------------------------------------------------------------------------------

TEST_F(Transacting, SaysWhatIsSignedAndWhoPays) {
  const Transaction t = payment(5);
  EXPECT_EQ(t.state, State::prepared);
  EXPECT_EQ(t.kind, Kind::calls);
  EXPECT_EQ(t.value, Uint256(5));
  const auto& operation = std::get<PreparedOperation>(t.content);
  EXPECT_TRUE(operation.userop.signature.empty());
  EXPECT_EQ(operation.entry_point, entry_point->address());
  EXPECT_EQ(*t.digest, *core::userop_hash(operation.userop, core::EntryPointVersion::v0_8, entry_point->address(),
                                          Uint256(kChain)));
  EXPECT_EQ(t.payer, Payer::sponsor);
  EXPECT_EQ(t.sponsor_name, "The village");
  EXPECT_FALSE(t.max_cost.is_zero());
  EXPECT_EQ(t.credential_ids.size(), 2u);
  EXPECT_EQ(t.expires_ms, t.created_ms + kPreparedLife.count());
  ASSERT_EQ(t.summary.size(), 1u);
  EXPECT_EQ(t.summary[0].as_object().at("meaning"), "payment");
  EXPECT_EQ(t.summary[0].as_object().at("amount"), "5");
  EXPECT_EQ(count("TransactionInitiated"), 1u);
  // Base fee 1 gwei: nine full blocks in a row raise it to less than three.
  EXPECT_GE(operation.userop.max_fee_per_gas, Uint256(3'000'000'000));
}

// The request was under way when their deletion was written.
TEST_F(Transacting, NothingIsPreparedForWhoLeftMeanwhile) {
  auto leave = [this](soci::session& sql) {
    audit::AuditEvent left;
    left.event = audit::EventName::user_deleted;
    left.subject = person;
    left.time_ms = clock.now_ms();
    return audit_log->record(sql, left).has_value();
  };
  auto task = [&]() -> Task<bool> {
    const auto done = co_await database->write(leave);
    co_return done.value();
  };
  ASSERT_TRUE(loop.block_on(task()));
  expect_refusal(prepare(CallsOrder{{pay(bob, 5)}}), ErrorCode::not_found);
  expect_refusal(prepare(PlainOrder{accounts::Freeze{}}), ErrorCode::not_found);
  EXPECT_EQ(count("TransactionInitiated"), 0u);
  auto rows = [](soci::session& sql) {
    long long found = 0;
    sql << "SELECT COUNT(*) FROM transactions_entries", soci::into(found);
    return found;
  };
  auto counted = [&]() -> Task<long long> {
    const auto done = co_await database->read(rows);
    co_return done.value();
  };
  EXPECT_EQ(loop.block_on(counted()), 0);
}

class Undeployed : public Transacting {
 protected:
  void SetUp() override {
    Transacting::SetUp();
    chain.set_code(alice, {});
    accounts::AccountInit init;
    init.passkeys = {first.on_chain()};
    init.server_key = FakeCore::server_key();
    init.escape_key = test_address(9);
    init.gas_caps = {{kChain, ether(1)}};
    people.owned.origin = OwnedOrigin{test_address(0xfac), *accounts::encode_init_data(init)};
  }
};

TEST_F(Undeployed, TheFirstOperationDeploys) {
  const Transaction t = payment();
  const auto& userop = std::get<PreparedOperation>(t.content).userop;
  EXPECT_EQ(userop.factory, test_address(0xfac));
  EXPECT_EQ(userop.factory_data, accounts::encode_create_account(people.owned.origin->init_data));
  EXPECT_EQ(t.credential_ids.size(), 1u) << "the init data names one passkey";
  expect_refusal(prepare(PlainOrder{accounts::Freeze{}}), ErrorCode::account_not_deployed);
}

TEST_F(Undeployed, OneOperationAloneDeploys) {
  run();
  const Transaction one = payment(), other = payment();
  const Transaction deploying = sent(one);
  const auto early = prepare(CallsOrder{{pay(bob, 1)}});
  expect_refusal(early, ErrorCode::account_deploying);
  EXPECT_GE(early.error().retry_after_s.value_or(0), 1);
  // It was shown before, and would fail once the account is there.
  expect_refusal(sign(other), ErrorCode::account_deploying);
  EXPECT_EQ(now(other).state, State::prepared);
  // What takes the place of the one may deploy in its stead.
  const auto replacement = prepare(ReplaceOrder{deploying.transaction_id});
  ASSERT_TRUE(replacement) << replacement.error().message;
  EXPECT_TRUE(std::get<PreparedOperation>(replacement->content).userop.factory);
  include(deploying);
  until_state(deploying, State::included);
  expect_refusal(sign(other), ErrorCode::account_deploying);
  chain.set_code(alice, {1});
  const Transaction behind = payment();
  EXPECT_FALSE(std::get<PreparedOperation>(behind.content).userop.factory);
  EXPECT_EQ(sent(behind).state, State::submitted);
}

TEST_F(Undeployed, AnOperationThatWasGivenUpDeploysNothing) {
  run();
  const Transaction first_try = sent(payment());
  expect_refusal(prepare(CallsOrder{{pay(bob, 1)}}), ErrorCode::account_deploying);
  ASSERT_TRUE(loop.block_on(service->discard(person, first_try.transaction_id)));
  EXPECT_TRUE(std::get<PreparedOperation>(payment().content).userop.factory);
}

TEST_F(Transacting, TheAccountPaysWhereNobodySponsors) {
  sponsor.stub_refusal = paymaster::ErrorCode::disabled;
  const Transaction disabled = payment();
  EXPECT_EQ(disabled.payer, Payer::account);
  EXPECT_EQ(disabled.payer_reason, "disabled");
  EXPECT_FALSE(std::get<PreparedOperation>(disabled.content).userop.paymaster);
  sponsor.stub_refusal.reset();
  sponsor.sign_refusal = paymaster::ErrorCode::budget_exhausted;
  EXPECT_EQ(payment().payer_reason, "budget-exhausted");
  EXPECT_EQ(prepared(CallsOrder{{pay(bob, 1)}}, false).payer_reason, "not-asked");
}

TEST_F(Transacting, LessHeadroomWhereTheGasCapIsLow) {
  // 460,000 gas: 0.00092 ether at two gwei and 0.00184 at four.
  gas_cap = Uint256(1'500'000'000'000'000);
  const Transaction t = prepared(CallsOrder{{pay(bob, 1)}}, false);
  EXPECT_LE(t.max_cost, gas_cap);
  gas_cap = Uint256(1'000);
  expect_refusal(prepare(CallsOrder{{pay(bob, 1)}}, false), ErrorCode::gas_cost_over_cap);
  gas_cap = ether(1);
  chain.set_balance(alice, Uint256(1'000));
  expect_refusal(prepare(CallsOrder{{pay(bob, 1)}}, false), ErrorCode::insufficient_funds);
}

TEST_F(Transacting, RefusesByNameWhatWouldFail) {
  estimator.reverts_with("OverLimit(address,uint256,uint256)",
                         {AbiValue(Address{}), AbiValue(std::uint64_t{20}), AbiValue(std::uint64_t{10})});
  const auto over = prepare(CallsOrder{{pay(bob, 1)}});
  expect_refusal(over, ErrorCode::over_limit);
  EXPECT_EQ(over.error().revert, "OverLimit(0x0000000000000000000000000000000000000000, 20, 10)");
  // What a called contract says is not the account's word.
  const Bytes inner = core::parse_abi_function("OverLimit(address,uint256,uint256)")
                          .value()
                          .encode({AbiValue(Address{}), AbiValue(std::uint64_t{20}), AbiValue(std::uint64_t{10})})
                          .value();
  estimator.reverts_with("CallFailed(uint256,bytes)", {AbiValue(std::uint64_t{0}), AbiValue(inner)});
  expect_refusal(prepare(CallsOrder{{pay(bob, 1)}}), ErrorCode::would_revert);
  estimator.reverts_with("Error(string)", {AbiValue(core::to_bytes(base::view("no\n\xe2\x80\xae way")))});
  const auto words = prepare(CallsOrder{{pay(bob, 1)}});
  expect_refusal(words, ErrorCode::would_revert);
  EXPECT_EQ(words.error().revert.find('\n'), std::string::npos);
  estimator.trouble = validation::Error{validation::ErrorCode::account_rejected, "AA21 didn't pay prefund", "AA21", {}};
  expect_refusal(prepare(CallsOrder{{pay(bob, 1)}}), ErrorCode::insufficient_funds);
  estimator.trouble = validation::Error{validation::ErrorCode::chain_unavailable, "away", "", {}};
  expect_refusal(prepare(CallsOrder{{pay(bob, 1)}}), ErrorCode::chain_unavailable);
  estimator.trouble.reset();
  frozen_until_s = accounts::kFrozenForever;
  expect_refusal(prepare(CallsOrder{{pay(bob, 1)}}), ErrorCode::account_frozen);
}

TEST_F(Transacting, RefusesCallsThatMakeNoBatch) {
  expect_refusal(prepare(CallsOrder{}), ErrorCode::field_invalid);
  expect_refusal(prepare(CallsOrder{std::vector<accounts::Call>(33, pay(bob, 1))}), ErrorCode::field_invalid);
  const auto zero = prepare(CallsOrder{{pay(bob, 1), pay(Address{}, 1)}});
  expect_refusal(zero, ErrorCode::field_invalid);
  EXPECT_EQ(zero.error().field, "/calls/1/to");
  EXPECT_EQ(prepare(CallsOrder{{pay(alice, 1)}}).error().field, "/calls/0/to");
  const accounts::Call large{bob, Uint256(), Bytes(kMaxCallData / 2 + 1)};
  EXPECT_EQ(prepare(CallsOrder{{large, large}}).error().field, "/calls/1/data");
  accounts::Call rich = pay(bob, 1);
  rich.value = Uint256::max();
  expect_refusal(prepare(CallsOrder{{rich, rich}}), ErrorCode::calls_invalid);
}

TEST_F(Transacting, BelongsToItsPersonAlone) {
  PrepareRequest request;
  request.wallet_id = wallet_id;
  request.chain_id = kChain;
  request.order = CallsOrder{{pay(bob, 1)}};
  expect_refusal(loop.block_on(service->prepare_transaction(stranger, request)), ErrorCode::not_found);
  request.chain_id = 1;
  expect_refusal(loop.block_on(service->prepare_transaction(person, request)), ErrorCode::chain_unknown);
  const Transaction t = payment();
  expect_refusal(loop.block_on(service->transaction(stranger, t.transaction_id)), ErrorCode::not_found);
  expect_refusal(loop.block_on(service->discard(stranger, t.transaction_id)), ErrorCode::not_found);
  expect_refusal(loop.block_on(service->broadcast_transaction(stranger, t.transaction_id)), ErrorCode::not_found);
  expect_refusal(loop.block_on(service->sign_transaction(stranger, t.transaction_id, first.sign(*t.digest))),
                 ErrorCode::not_found);
  EXPECT_EQ(core.asked, 0u);
}

TEST_F(Transacting, WarnsOfWhatPeopleRegret) {
  const auto approve = core::parse_abi_function("approve(address,uint256)").value();
  const Bytes unlimited = approve.encode({AbiValue(bob), AbiValue(Uint256::max())}).value();
  EXPECT_TRUE(has(rules(prepared(CallsOrder{{{token, Uint256(), unlimited}}}).warnings), "unlimited-allowance"));
  const Bytes some = approve.encode({AbiValue(bob), AbiValue(std::uint64_t{5})}).value();
  EXPECT_TRUE(has(rules(prepared(CallsOrder{{{token, Uint256(), some}}}).warnings), "allowance"));
  const Bytes none = approve.encode({AbiValue(bob), AbiValue(std::uint64_t{0})}).value();
  EXPECT_TRUE(prepared(CallsOrder{{{token, Uint256(), none}}}).warnings.empty());
  EXPECT_TRUE(has(rules(payment().warnings), "first-payment"));
  known.insert(bob);
  EXPECT_TRUE(payment().warnings.empty());
  chain.set_code(bob, {1});
  EXPECT_EQ(rules(payment().warnings), std::vector<std::string>{"recipient-is-contract"});
  const auto transfer = core::parse_abi_function("transfer(address,uint256)").value();
  const Bytes to_token = transfer.encode({AbiValue(token), AbiValue(std::uint64_t{5})}).value();
  EXPECT_TRUE(has(rules(prepared(CallsOrder{{{token, Uint256(), to_token}}}).warnings), "recipient-is-token"));
  accounts::Call all = pay(bob, 0);
  all.value = ether(10);
  EXPECT_TRUE(has(rules(prepared(CallsOrder{{all}}).warnings), "whole-balance"));
}

TEST_F(Transacting, WarnsOfAddressesThatOnlyLookKnown) {
  const Address friendly = *core::parse_address("0x1234000000000000000000000000000000005678");
  const Address evil = *core::parse_address("0x1234ffffffffffffffffffffffffffffffff5678");
  run();
  const Transaction t = sent(prepared(CallsOrder{{pay(friendly, 1)}}));
  include(t);
  until_state(t, State::included);
  const Transaction trap = prepared(CallsOrder{{pay(evil, 1)}});
  ASSERT_TRUE(has(rules(trap.warnings), "recipient-looks-like"));
  for (const json::value& one : trap.warnings) {
    const auto& warning = one.as_object();
    if (warning.at("rule") == "recipient-looks-like") {
      EXPECT_EQ(warning.at("similar"), json::value(core::format_address(friendly)));
    }
  }
  EXPECT_FALSE(has(rules(prepared(CallsOrder{{pay(friendly, 1)}}).warnings), "recipient-looks-like"));
}

TEST_F(Transacting, TokensAreNamedByTheirContracts) {
  chain.on_call(token, [](const chain::CallRequest& request) -> chain::ChainResult<Bytes> {
    const auto asks = [&request](std::string_view text) {
      const auto selector = core::parse_abi_function(text).value().selector;
      return std::equal(selector.begin(), selector.end(), request.data.begin());
    };
    if (asks("symbol()"))
      return core::abi_encode(core::parse_abi_parameters("string").value(),
                              {AbiValue(core::to_bytes(base::view("US\xe2\x80\xaeX")))})
          .value();
    if (asks("decimals()")) return core::to_bytes(Uint256(6).to_be());
    if (asks("balanceOf(address)")) return core::to_bytes(Uint256(5).to_be());
    return core::to_bytes(Uint256(0).to_be());
  });
  const auto transfer = core::parse_abi_function("transfer(address,uint256)").value();
  const Bytes data = transfer.encode({AbiValue(bob), AbiValue(std::uint64_t{5})}).value();
  const Transaction t = prepared(CallsOrder{{{token, Uint256(), data}}});
  const auto& shown = t.summary[0].as_object();
  EXPECT_EQ(shown.at("meaning"), "tokenTransfer");
  EXPECT_EQ(shown.at("token").as_object().at("symbol"), "USX") << "cleaned";
  EXPECT_EQ(shown.at("token").as_object().at("decimals"), 6);
  EXPECT_EQ(shown.at("token").as_object().at("standard"), "erc20");
  EXPECT_EQ(shown.at("amount"), "5");
  EXPECT_TRUE(has(rules(t.warnings), "whole-balance"));
  EXPECT_TRUE(t.value.is_zero());
}

TEST_F(Transacting, OneMoreThanSixteenTakesTheOldest) {
  std::vector<Transaction> all;
  for (std::size_t i = 0; i < kMaxPrepared; i++) all.push_back(payment(i + 1));
  std::set<std::uint64_t> lanes;
  for (const Transaction& one : all) lanes.insert(key_of(one));
  EXPECT_EQ(lanes.size(), kMaxLanes);
  expect_refusal(prepare(CallsOrder{{pay(bob, 1)}}), ErrorCode::too_many_under_way);
  // A plain function takes no nonce.
  (void)prepared(PlainOrder{accounts::Freeze{}});
  EXPECT_EQ(now(all[0]).state, State::discarded);
  EXPECT_EQ(now(all[1]).state, State::prepared);
  EXPECT_EQ(key_of(payment()), 0u) << "its lane is free again";
}

TEST_F(Transacting, LimitsHowOftenAPersonPrepares) {
  kill();
  options.prepared_per_minute = 3;
  open();
  for (int i = 0; i < 3; i++) (void)payment();
  const auto refused = prepare(CallsOrder{{pay(bob, 1)}});
  expect_refusal(refused, ErrorCode::too_many_requests);
  EXPECT_GE(refused.error().retry_after_s.value_or(0), 1);
}

// --- sign: layer by layer --------------------------------------------------------------------------------------------

TEST_F(Transacting, IsSignedSentIncludedAndFinal) {
  run();
  const Transaction t = sent(payment());
  EXPECT_EQ(t.state, State::submitted);
  ASSERT_EQ(validator.seen.size(), 1u);
  const Bytes& signature = validator.seen[0].signature;
  EXPECT_EQ(signature[0], 1);
  EXPECT_EQ(signature[1], 0) << "slot";
  EXPECT_TRUE(std::all_of(signature.begin() + 2, signature.begin() + 6, [](std::uint8_t b) { return b == 0; }))
      << "day";
  ASSERT_TRUE(pool->find_live(*t.digest));
  include(t);
  until_state(t, State::included);
  EXPECT_EQ(now(t).transaction_hash, (Bytes32{7}));
  EXPECT_EQ(now(t).actual_cost, Uint256(77));
  mine(3);
  until_state(t, State::final_);
  const std::vector<State> states{State::signed_, State::submitted, State::included, State::final_};
  until([&] { return told.size() == states.size(); });
  for (std::size_t i = 0; i < states.size(); i++) EXPECT_EQ(name(told[i].second), name(states[i]));
  const std::vector<std::string> expected{"TransactionInitiated", "TransactionSigned", "WalletUsed",
                                          "TransactionBroadcast", "TransactionIncluded"};
  EXPECT_EQ(events(), expected);
}

TEST_F(Transacting, SignsThePaymentsOfAnAccountForADay) {
  const Transaction t = sent(prepared(CallsOrder{{pay(bob, 1)}}, false));
  const Bytes& signature = validator.seen.at(0).signature;
  const std::uint32_t day = base::load_be<std::uint32_t>(signature.data() + 2);
  EXPECT_EQ(day, chain.head().timestamp / 86'400);
}

TEST_F(Transacting, Layer2RefusesAnotherPasskey) {
  const Transaction t = payment();
  const Device third(13);
  expect_refusal(sign(t, third), ErrorCode::passkey_not_accounts);
  people.own.push_back(third.owned("00000000-0000-4000-8000-0000000000a3", "New"));
  expect_refusal(sign(t, third), ErrorCode::passkey_not_accounts);
  // One that the person removed meanwhile.
  people.own.erase(people.own.begin());
  expect_refusal(sign(t, first), ErrorCode::passkey_not_accounts);
  EXPECT_EQ(core.asked, 0u);
}

TEST_F(Transacting, Layer2RefusesAssertionsOfOtherThings) {
  const Transaction t = payment();
  const auto refused = [&](SignRequest request, std::string_view rule) {
    const auto result = loop.block_on(service->sign_transaction(person, t.transaction_id, std::move(request)));
    expect_refusal(result, ErrorCode::passkey_refused);
    if (!result) {
      EXPECT_EQ(result.error().message, rule);
    }
  };
  SignRequest other = first.sign(Bytes32{1});
  other.digest = *t.digest;
  refused(other, "challenge_mismatch");
  refused(Device(11, "https://evil.example").sign(*t.digest), "origin_not_allowed");
  SignRequest unverified = first.sign(*t.digest);
  unverified.authenticator_data[32] = 0x01;
  refused(unverified, "user_not_verified");
  SignRequest foreign = first.sign(*t.digest);
  foreign.authenticator_data[0] ^= 1;
  refused(foreign, "rp_id_mismatch");
  SignRequest forged = first.sign(*t.digest);
  forged.authenticator_data[36] ^= 1;
  refused(forged, "signature_invalid");
  SignRequest no_der = first.sign(*t.digest);
  no_der.signature.push_back(0);
  refused(no_der, "signature_malformed");
  SignRequest large = first.sign(*t.digest);
  large.client_data.resize(3'000);
  refused(large, "too_large");
  EXPECT_EQ(core.asked, 0u) << "the core was not bothered";
  EXPECT_EQ(count("SecurityViolation"), 7u);
  EXPECT_EQ(now(t).state, State::prepared);
}

TEST_F(Transacting, Layer2IsTheCoresWord) {
  const Transaction t = payment();
  core.refusal = protocol::Error::user_not_verified;
  const auto refused = sign(t);
  expect_refusal(refused, ErrorCode::core_refused);
  EXPECT_EQ(refused.error().refusal, protocol::name(protocol::Error::user_not_verified));
  core.refusal.reset();
  core.is_away = true;
  expect_refusal(sign(t), ErrorCode::core_unavailable);
  core.is_away = false;
  core.lies = true;
  expect_refusal(sign(t), ErrorCode::core_refused);
  core.lies = false;
  EXPECT_EQ(count("TransactionSigned"), 0u);
  EXPECT_TRUE(sign(t)) << "nothing was used up";
}

TEST_F(Transacting, Layer3RefusesWhatWasNotPrepared) {
  const Transaction t = payment();
  const auto other = loop.block_on(service->sign_transaction(person, t.transaction_id, first.sign(Bytes32{1})));
  expect_refusal(other, ErrorCode::digest_differs);
  EXPECT_EQ(count("SecurityViolation"), 1u);
  clock.advance(kPreparedLife);
  expect_refusal(sign(t), ErrorCode::transaction_expired);
  EXPECT_EQ(now(t).state, State::expired);
  const Transaction discarded = payment();
  ASSERT_TRUE(loop.block_on(service->discard(person, discarded.transaction_id)));
  expect_refusal(sign(discarded), ErrorCode::not_prepared);
  expect_refusal(broadcast(discarded), ErrorCode::not_signed);
  EXPECT_EQ(core.asked, 0u);
}

TEST_F(Transacting, Layer4HoldsTheDaysLimit) {
  kill();
  options.daily_limit = Uint256(100);
  open();
  (void)sent(payment(60));
  const Transaction next = payment(41);
  const auto over = sign(next);
  expect_refusal(over, ErrorCode::transaction_limit);
  EXPECT_GE(over.error().retry_after_s.value_or(0), 1);
  EXPECT_EQ(core.asked, 1u);
  EXPECT_TRUE(sign(payment(40)));
  expect_refusal(sign(payment(1)), ErrorCode::transaction_limit);
  clock.advance(std::chrono::hours(24));
  EXPECT_TRUE(sign(payment(100))) << "another day";
}

TEST_F(Transacting, Layer4HoldsHowOften) {
  kill();
  options.signed_per_minute = 2;
  open();
  (void)sent(payment());
  (void)sent(payment());
  const Transaction t = payment();
  const auto refused = sign(t);
  expect_refusal(refused, ErrorCode::too_many_requests);
  EXPECT_EQ(refused.error().retry_after_s, 60);
  clock.advance(infra::Milliseconds(60'000));
  EXPECT_TRUE(sign(t));
}

TEST_F(Transacting, Layer4AsksThePolicy) {
  policy.words = "not to this one";
  const Transaction t = payment();
  const auto refused = sign(t);
  expect_refusal(refused, ErrorCode::policy_refused);
  EXPECT_EQ(refused.error().message, "not to this one");
  ASSERT_EQ(policy.asked.size(), 1u);
  EXPECT_EQ(policy.asked[0].new_recipients, std::vector<Address>{bob});
  EXPECT_EQ(policy.asked[0].value, Uint256(5));
  EXPECT_EQ(core.asked, 0u);
}

TEST_F(Transacting, SigningTwiceSendsOnce) {
  const Transaction t = payment();
  (void)sent(t);
  const auto again = sign(t);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->state, State::submitted);
  EXPECT_TRUE(broadcast(t));
  EXPECT_EQ(core.asked, 1u);
  EXPECT_EQ(validator.seen.size(), 1u);
  EXPECT_EQ(count("TransactionSigned"), 1u);
  EXPECT_EQ(count("TransactionBroadcast"), 1u);
}

TEST_F(Transacting, TwoRequestsAtOnceSignOnce) {
  const Transaction t = payment();
  auto one = service->sign_transaction(person, t.transaction_id, first.sign(*t.digest));
  auto other = service->sign_transaction(person, t.transaction_id, second.sign(*t.digest));
  const auto [a, b] = loop.block_on(infra::both(std::move(one), std::move(other)));
  EXPECT_TRUE(a && b);
  EXPECT_EQ(count("TransactionSigned"), 1u);
  (void)broadcast(t);
  EXPECT_EQ(pool->statistics().waiting, 1u);
}

TEST_F(Transacting, TwoRequestsAtOnceSendOnce) {
  const Transaction t = payment();
  auto one = service->sign_and_broadcast(person, t.transaction_id, first.sign(*t.digest));
  auto other = service->sign_and_broadcast(person, t.transaction_id, second.sign(*t.digest));
  const auto [a, b] = loop.block_on(infra::both(std::move(one), std::move(other)));
  ASSERT_TRUE(a && b);
  // Who comes second may be answered before the pool has it.
  EXPECT_TRUE(is_under_way(a->state) && is_under_way(b->state));
  EXPECT_EQ(now(t).state, State::submitted);
  EXPECT_EQ(count("TransactionSigned"), 1u);
  EXPECT_EQ(count("TransactionBroadcast"), 1u);
  EXPECT_EQ(pool->statistics().waiting, 1u);
}

TEST_F(Transacting, ALimitThatIsReachedMeanwhileKeepsItOutOfThePool) {
  options.daily_limit = Uint256(7);
  restart();
  const Transaction one = payment(5), other = payment(5);
  auto first_request = service->sign_and_broadcast(person, one.transaction_id, first.sign(*one.digest));
  auto second_request = service->sign_and_broadcast(person, other.transaction_id, second.sign(*other.digest));
  const auto [a, b] = loop.block_on(infra::both(std::move(first_request), std::move(second_request)));
  ASSERT_NE(a.has_value(), b.has_value());
  expect_refusal(a ? b : a, ErrorCode::transaction_limit);
  EXPECT_EQ(pool->statistics().waiting, 1u);
  EXPECT_EQ(now(a ? other : one).state, State::prepared) << "another day it may be signed";
}

TEST_F(Transacting, EachChangeIsToldInItsOrder) {
  run();
  const Transaction t = sent(payment());
  include(t);
  until_state(t, State::included);
  mine(3);
  until_state(t, State::final_);
  until([&] { return told.size() == 4; });
  std::vector<State> states;
  for (const auto& [id, state] : told) states.push_back(state);
  EXPECT_EQ(states, (std::vector<State>{State::signed_, State::submitted, State::included, State::final_}));
}

TEST_F(Transacting, WhatThePoolCannotTakeNowIsSignedAndWaits) {
  validator.trouble = validation::Error{validation::ErrorCode::chain_unavailable, "away", "", {}};
  const Transaction t = payment();
  const auto done = send(t, first);
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(done->state, State::signed_);
  validator.trouble.reset();
  restart();
  run();
  until_state(t, State::submitted);
  EXPECT_EQ(core.asked, 1u);
}

TEST_F(Transacting, WhatThePoolCannotWriteIsSignedAndTriedAgain) {
  auto execute = [this](const char* statement) {
    auto work = [statement](soci::session& sql) { sql << statement; };
    ASSERT_TRUE(loop.block_on(database->write(work)));
  };
  run();
  const Transaction t = payment();
  execute("CREATE TRIGGER refuse BEFORE INSERT ON pool_userops BEGIN SELECT RAISE(ABORT, 'no room'); END");
  ASSERT_TRUE(send(t, first));
  until_state(t, State::signed_);
  until([&] { return pool->statistics().waiting == 0; });
  execute("DROP TRIGGER refuse");
  mine();
  until([&] { return pool->find_live(*t.digest) != nullptr; });
  until_state(t, State::submitted);
}

// --- crashes ---------------------------------------------------------------------------------------------------------

TEST_F(Transacting, WhatWasSignedComesIntoThePoolAfterACrash) {
  const Transaction t = payment();
  ASSERT_TRUE(sign(t));
  restart();
  EXPECT_EQ(now(t).state, State::signed_);
  EXPECT_FALSE(pool->find_live(*t.digest));
  run();
  until_state(t, State::submitted);
  EXPECT_TRUE(pool->find_live(*t.digest)) << "the same hash";
  EXPECT_EQ(core.asked, 1u);
  EXPECT_EQ(count("TransactionBroadcast"), 1u);
}

TEST_F(Transacting, WhatIsInThePoolIsNotSentAgainAfterACrash) {
  const Transaction t = payment();
  ASSERT_TRUE(sign(t));
  // The pool has it, and the row does not say so yet: the crash came between the two writes.
  core::UserOperation op = std::get<PreparedOperation>(t.content).userop;
  op.signature = {1};
  auto validated = loop.block_on(validator.validate(op, {entry_point->address(), core::EntryPointVersion::v0_8}, {}));
  ASSERT_TRUE(loop.block_on(pool->add(std::move(*validated), ether(1))));
  restart();
  const std::size_t asked = validator.seen.size();
  run();
  until_state(t, State::submitted);
  EXPECT_EQ(validator.seen.size(), asked);
  EXPECT_EQ(pool->statistics().waiting, 1u);
}

TEST_F(Transacting, WhatWasIncludedWhileTheNodeWasDownIsFound) {
  const Transaction t = sent(payment());
  kill();
  open();
  include(t);
  restart();
  run();
  until_state(t, State::included);
  mine(3);
  until_state(t, State::final_);
}

TEST_F(Transacting, WhatWasOnlyPreparedExpires) {
  const Transaction t = payment();
  restart();
  EXPECT_EQ(now(t).state, State::prepared);
  EXPECT_EQ(key_of(payment()), 1u) << "its lane is kept while it may be signed";
  clock.advance(kPreparedLife);
  restart();
  EXPECT_EQ(now(t).state, State::expired);
  EXPECT_EQ(key_of(payment()), 0u);
}

TEST_F(Transacting, WhatCannotBeSentNowIsSentLater) {
  run();
  const Transaction t = payment();
  ASSERT_TRUE(sign(t));
  validator.trouble = validation::Error{validation::ErrorCode::chain_unavailable, "away", "", {}};
  const auto done = broadcast(t);
  ASSERT_TRUE(done);
  EXPECT_EQ(done->state, State::signed_);
  validator.trouble.reset();
  until_state(t, State::submitted);
}

TEST_F(Transacting, WhatTheNodeRefusesIsOver) {
  const Transaction t = payment();
  ASSERT_TRUE(sign(t));
  validator.trouble = validation::Error{validation::ErrorCode::signature_invalid, "AA24 signature error", "AA24", {}};
  expect_refusal(broadcast(t), ErrorCode::refused_by_node);
  EXPECT_EQ(now(t).state, State::dropped);
  EXPECT_EQ(now(t).reason, "AA24 signature error");
  EXPECT_EQ(key_of(payment()), 0u);
}

TEST_F(Transacting, WhatIsSentAfterMidnightGoesUnderTheNewDay) {
  run();
  const Transaction t = prepared(CallsOrder{{pay(bob, 1)}}, false);
  ASSERT_TRUE(sign(t));
  chain.pass_time(86'400);
  validator.next_trouble =
      validation::Error{validation::ErrorCode::outside_time_range, "AA22 expired or not due", "AA22", {}};
  mine();
  until_state(t, State::submitted);
  EXPECT_EQ(validator.seen.size(), 2u);
}

// --- what becomes of it ----------------------------------------------------------------------------------------------

TEST_F(Transacting, AFailureIsToldInTheContractsWords) {
  run();
  const Transaction t = sent(payment());
  include(t, false, core::parse_abi_function("ETHTransferFailed()").value().encode({}).value());
  until_state(t, State::failed);
  EXPECT_EQ(now(t).reason, "ETHTransferFailed()");
  mine(3);
  until([&] { return told.size() == 4; });
  EXPECT_EQ(now(t).state, State::failed);
}

TEST_F(Transacting, AReorganisationTakesItBack) {
  run();
  const Transaction t = sent(payment());
  include(t);
  until_state(t, State::included);
  ASSERT_TRUE(loop.block_on(pool->mark_waiting({*t.digest}, false, pool::AlsoWrite())));
  until_state(t, State::submitted);
  EXPECT_FALSE(now(t).transaction_hash);
  EXPECT_EQ(now(t).block_number, 0u);
  EXPECT_TRUE(now(t).actual_cost.is_zero());
  restart();
  run();
  include(t);
  until_state(t, State::included);
  mine(3);
  until_state(t, State::final_);
  EXPECT_EQ(count("TransactionIncluded"), 1u);
}

TEST_F(Transacting, ADropIsTold) {
  run();
  const Transaction t = sent(payment());
  ASSERT_TRUE(loop.block_on(pool->drop(*t.digest, "AA25 invalid account nonce")));
  until_state(t, State::dropped);
  EXPECT_EQ(now(t).reason, "AA25 invalid account nonce");
}

TEST_F(Transacting, OverMidnightItGoesOnUnderTheNewDay) {
  run();
  const Transaction t = sent(prepared(CallsOrder{{pay(bob, 1)}}, false));
  chain.pass_time(86'400);
  mine();
  ASSERT_TRUE(loop.block_on(pool->drop(*t.digest, "AA22 expired or not due")));
  until([&] { return validator.seen.size() == 2; });
  until_state(t, State::submitted);
  const auto day = [](const core::UserOperation& op) { return base::load_be<std::uint32_t>(op.signature.data() + 2); };
  EXPECT_GT(day(validator.seen[1]), day(validator.seen[0]));
  EXPECT_EQ(core.asked, 1u) << "the day is not signed";
}

TEST_F(Transacting, WhatIsStuckIsReplacedForMore) {
  run();
  const Transaction old = sent(payment());
  const Transaction better = prepared(ReplaceOrder{old.transaction_id});
  const auto& before = std::get<PreparedOperation>(old.content).userop;
  const auto& after = std::get<PreparedOperation>(better.content).userop;
  EXPECT_EQ(after.nonce, before.nonce);
  EXPECT_EQ(after.call_data, before.call_data);
  EXPECT_GE(after.max_fee_per_gas, chain::raised_fee(before.max_fee_per_gas, 100));
  EXPECT_EQ(better.value, old.value);
  (void)sent(better);
  until_state(old, State::replaced);
  EXPECT_EQ(now(old).replaced_by, better.transaction_id);
  EXPECT_EQ(pool->statistics().waiting, 1u);
  expect_refusal(prepare(ReplaceOrder{old.transaction_id}), ErrorCode::not_replaceable);
}

class Replacing : public TransactionWorld {
 protected:
  // Until what waits outside of the pool was tried again, whatever was under way before.
  void until_tried() {
    const std::size_t before = validator.seen.size();
    until([this, before] { return validator.seen.size() >= before + 2; });
  }
  // `old` waits outside of the pool, for its fees, and `better` in it.
  void replace_outside() {
    validator.trouble = validation::Error{validation::ErrorCode::fee_too_low, "too little", "", {}};
    old = payment();
    ASSERT_EQ(sent(old).state, State::signed_);
    better = prepared(ReplaceOrder{old.transaction_id});
    validator.trouble.reset();
    (void)sent(better);
    ASSERT_EQ(now(better).state, State::submitted);
    run();
    until_tried();
    ASSERT_EQ(now(old).state, State::signed_)
        << "while its replacement waits, lower fees are no end: " << now(old).reason;
  }
  Transaction old, better;
};

// What it is told when its turn comes is that its nonce is used.
TEST_F(Replacing, WhatWaitsOutsideOfThePoolIsReplacedToo) {
  replace_outside();
  validator.trouble = validation::Error{validation::ErrorCode::nonce_invalid, "AA25 invalid account nonce", "", {}};
  until_tried();
  include(better);
  until_state(old, State::replaced);
  EXPECT_EQ(now(old).replaced_by, better.transaction_id);
  EXPECT_EQ(count("TransactionFailed"), 0u);
  EXPECT_EQ(now(better).state, State::included);
}

TEST_F(Replacing, WhatThePoolDropsForItsNonceIsReplaced) {
  replace_outside();
  // As if its replacement had come from elsewhere: the pool has the old one, and learns of the nonce from the chain.
  ASSERT_TRUE(loop.block_on(service->discard(person, better.transaction_id)));
  until_state(old, State::submitted);
  auto work = [this](soci::session& sql) {
    const std::string id = better.transaction_id;
    const int included = static_cast<int>(State::included);
    sql << "UPDATE transactions_entries SET state = :state WHERE transaction_id = :id", soci::use(included),
        soci::use(id);
  };
  ASSERT_TRUE(loop.block_on(database->write(work)));
  ASSERT_TRUE(loop.block_on(pool->drop(*old.digest, "AA25 invalid account nonce: its nonce was used")));
  until_state(old, State::replaced);
  EXPECT_EQ(now(old).replaced_by, better.transaction_id);
}

TEST_F(Replacing, WhatWaitsOutsideOfThePoolGoesOnWhenItsReplacementIsGivenUp) {
  replace_outside();
  ASSERT_TRUE(loop.block_on(service->discard(person, better.transaction_id)));
  until_state(old, State::submitted);
}

TEST_F(Transacting, WhatReplacesNothingAnyMoreIsNotSigned) {
  run();
  const Transaction old = sent(payment());
  const Transaction better = prepared(ReplaceOrder{old.transaction_id});
  include(old);
  until_state(old, State::included);
  expect_refusal(sign(better), ErrorCode::not_replaceable);
}

TEST_F(Transacting, WhatWaitsIsTakenBackAndWhatTravelsIsNot) {
  run();
  const Transaction t = sent(payment());
  const auto dropped = loop.block_on(service->discard(person, t.transaction_id));
  ASSERT_TRUE(dropped);
  EXPECT_EQ(dropped->state, State::dropped);
  EXPECT_FALSE(pool->find_live(*t.digest));
  const Transaction behind = sent(payment());
  EXPECT_EQ(key_of(behind), 0u) << "the next operation makes it void";
  ASSERT_TRUE(loop.block_on(pool->mark_bundled({*behind.digest}, Bytes32{7}, pool::AlsoWrite())));
  expect_refusal(loop.block_on(service->discard(person, behind.transaction_id)), ErrorCode::too_late);
  expect_refusal(prepare(ReplaceOrder{behind.transaction_id}), ErrorCode::too_late);
}

TEST_F(Transacting, HistoryIsOfWhatWasSigned) {
  const Transaction a = sent(payment(1));
  (void)payment(2);
  const Transaction c = sent(payment(3));
  HistoryQuery query;
  query.limit = 1;
  auto page = loop.block_on(service->history(person, query));
  ASSERT_TRUE(page && page->size() == 1);
  EXPECT_EQ(page->front().transaction_id, c.transaction_id);
  query.before = page->front().sequence;
  query.wallet_id = wallet_id;
  page = loop.block_on(service->history(person, query));
  ASSERT_TRUE(page && page->size() == 1);
  EXPECT_EQ(page->front().transaction_id, a.transaction_id);
  EXPECT_TRUE(loop.block_on(service->history(stranger, {}))->empty());
  query.limit = 101;
  expect_refusal(loop.block_on(service->history(person, query)), ErrorCode::field_invalid);
}

}  // namespace
}  // namespace community::transactions::test_support
