// SPDX-License-Identifier: Apache-2.0
// What comes into a person's list is a multisig or is refused by name; what is shown of one is what the chain proves.
#include <gtest/gtest.h>

#include "community/audit/factory.hpp"
#include "community/chain/fake/fake_chain.hpp"
#include "community/core/abi.hpp"
#include "community/infra/factory.hpp"
#include "community/infra/fake/clock.hpp"
#include "community/infra/fake/test_database.hpp"
#include "community/multisigs/store.hpp"
#include "community/transactions/factory.hpp"
#include "community/users/factory.hpp"
#include "trusted/base/keccak.hpp"

namespace community::multisigs {
namespace {

using core::AbiValue;
using multisig::Call;

const std::string kAda = "4f1c2f0a-8d3e-4a51-9f0e-1f2d3c4b5a69", kBob = "9a7d3b52-0c41-4d7e-b0a3-5f1e2d3c4b5a";
const std::string kWallet = "11111111-2222-4333-8444-555555555555";
constexpr std::uint64_t kChainId = 1'337;

Address address(std::uint64_t n) { return core::address_from_word(Uint256(n).to_be()); }
AbiValue number(std::uint64_t n) { return AbiValue(n); }

// What Solady's LibClone deploys: a minimal proxy (ERC-1167) of 44 bytes.
Bytes proxy_of(const Address& implementation) {
  Bytes code = core::parse_hex("0x3d3d3d3d363d3d37363d73").value();
  core::append(code, implementation);
  core::append(code, core::parse_hex("0x5af43d3d93803e602a57fd5bf3").value());
  return code;
}
Bytes32 init_code_hash(const Bytes& code) {
  Bytes all = core::parse_hex("0x602c3d8160093d39f3").value();
  core::append(all, code);
  return base::keccak256(all);
}

class FakePeople final : public People {
 public:
  Task<Result<Own>> own(std::string user_id, std::uint64_t chain_id) override {
    co_await infra::reschedule();
    if (user_id != kAda || chain_id != kChainId) co_return Own{};
    co_return ada;
  }
  Own ada;
};

class MultisigsTest : public testing::Test {
 protected:
  void SetUp() override {
    for (const std::string& id : {kAda, kBob}) enter_person(id);
    people.ada.accounts.push_back({kWallet, address(2)});
    people.ada.passkeys.push_back({"a-passkey", key(7)});
    chain.mine(3);
    chain.set_code(kAddress, proxy_of(address(0xc1)));
    chain.set_code(kVerifier, {1});
    chain.set_balance(kAddress, Uint256(77));
    answer("epoch()", "uint32", {number(4)});
    answer("threshold()", "uint256", {number(2)});
    answer("owners()", "bytes[]", {AbiValue(AbiValue::List{AbiValue(kOwners[0]), AbiValue(kOwners[1])})});
    answer("dailyLimit(address)", "uint256,uint256,uint256", {number(100), number(30), number(70)});
    answer("proposal(bytes32)", "uint8,uint48,uint256,uint256,uint256",
           {number(1), number(1'790'000'000), number(2), number(1), number(0)});
    answer("vote(bytes32,bytes)", "uint8", {number(1)});
    const auto handler = [answers = answers_](const chain::CallRequest& request) -> chain::ChainResult<Bytes> {
      std::array<std::uint8_t, 4> selector{};
      std::copy_n(request.data.begin(), 4, selector.begin());
      const auto known = answers->find(selector);
      if (known != answers->end()) return known->second;
      chain::ChainError error;
      error.kind = chain::ChainErrorKind::rpc;
      error.reverted = true;
      return tl::unexpected(std::move(error));
    };
    for (const Address& at : {kAddress, kOther}) chain.on_call(at, handler);
    multisigs = make_multisigs(
        {*database, clock, *random, *log, people, {{kChainId, chain, *describer, kFactory, kHash, kVerifier}}});
  }

  void enter_person(const std::string& id) {
    auto enter = [id](soci::session& sql) {
      sql << "INSERT INTO users (user_id, email, email_key, username, avatar_url, phone_number, locale, created_at, "
             "updated_at, status) VALUES (:id, :mail, :key, '', '', '', 'en', 0, 0, 'active')",
          soci::use(id, "id"), soci::use(id, "mail"), soci::use(id, "key");
    };
    auto task = [&]() -> Task<infra::Result<void>> { co_return co_await database->write(enter); };
    ASSERT_TRUE(loop.block_on(task()));
  }
  void leave(const std::string& id) {
    auto erase = [id](soci::session& sql) { sql << "DELETE FROM users WHERE user_id = :id", soci::use(id); };
    auto task = [&]() -> Task<infra::Result<void>> { co_return co_await database->write(erase); };
    ASSERT_TRUE(loop.block_on(task()));
  }

  static std::array<std::uint8_t, 64> key(std::uint8_t fill) {
    std::array<std::uint8_t, 64> out{};
    out.fill(fill);
    return out;
  }
  void answer(std::string_view function, std::string_view types, const std::vector<AbiValue>& values) {
    (*answers_)[core::parse_abi_function(function)->selector] =
        core::abi_encode(core::parse_abi_parameters(types).value(), values).value();
  }
  void forget_answer(std::string_view function) { answers_->erase(core::parse_abi_function(function)->selector); }

  // A block whose one transaction proposes these.
  void propose(const std::vector<multisig::Proposal>& proposals) {
    static const auto types = core::parse_abi_parameters("(address,uint256,bytes)[],uint256,uint48,uint48").value();
    std::vector<chain::Log> logs;
    for (const multisig::Proposal& proposal : proposals) {
      AbiValue::List calls;
      for (const Call& call : proposal.calls)
        calls.emplace_back(AbiValue::List{AbiValue(call.to), call.value, AbiValue(call.data)});
      chain::Log proposed;
      proposed.address = kAddress;
      proposed.topics = {core::event_topic("Proposed(bytes32,bytes32,(address,uint256,bytes)[],uint256,uint48,uint48)"),
                         multisig::proposal_id({kChainId, kAddress}, proposal), proposal.proposer};
      proposed.data = core::abi_encode(types, {AbiValue(std::move(calls)), AbiValue(proposal.salt),
                                               AbiValue(proposal.expiry_s), AbiValue(proposal.expiry_s)})
                          .value();
      logs.push_back(std::move(proposed));
    }
    put(std::move(logs));
  }
  static chain::Log limit_set(const Address& multisig, const Address& token) {
    chain::Log log;
    log.address = multisig;
    log.topics = {core::event_topic("DailyLimitChanged(address,uint256)"), Uint256::from_be(token).to_be()};
    log.data = Bytes(32, 1);
    return log;
  }
  void put(std::vector<chain::Log> logs) {
    chain.on_transaction([logs](const core::Transaction&, const Address&) {
      chain::FakeChain::Executed done;
      done.logs = logs;
      return done;
    });
    const Bytes32 secret = Uint256(9).to_be();
    chain.set_balance(core::address_of(core::public_key_of(secret).value()), Uint256(1'000'000'000'000'000'000));
    core::Transaction transaction;
    transaction.chain_id = Uint256(kChainId);
    transaction.nonce = nonce_++;
    transaction.gas_limit = Uint256(100'000);
    transaction.max_fee_per_gas = Uint256(100'000'000'000);
    transaction.max_priority_fee_per_gas = Uint256(1'000'000'000);
    transaction.to = kAddress;
    Bytes raw = core::sign_transaction(std::move(transaction), secret).value().signed_encoding().value();
    ASSERT_TRUE(loop.block_on(chain.send_raw_transaction(std::move(raw))));
    chain.mine();
  }
  multisig::Proposal proposal(std::uint64_t salt, std::vector<Call> calls) const {
    return {multisig::owner_id(kOwners[1]), std::move(calls), Uint256(salt), 1'790'000'000};
  }

  Result<KeptMultisig> keep(std::variant<Address, NewMultisig> what, std::string name = "Garden",
                            const std::string& who = kAda) {
    return loop.block_on(multisigs->keep(who, {kChainId, std::move(name), std::move(what)}));
  }
  Result<MultisigState> state(const std::string& id, StateQuery query = {}, const std::string& who = kAda) {
    return loop.block_on(multisigs->state(who, id, std::move(query)));
  }
  NewMultisig wanted() const { return {kOwners, 2, {{0, Address{}, Uint256(500)}}, Uint256(6)}; }
  std::vector<std::string> events() {
    audit::Query query;
    query.subject = kAda;
    const auto found = loop.block_on(log->read(query));
    std::vector<std::string> out;
    for (const audit::Entry& entry : found.value()) {
      EXPECT_TRUE(entry.payload);
      EXPECT_EQ(entry.payload->text.find("Garden"), std::string::npos) << "a name is in the audit log";
      out.push_back(entry.event);
    }
    return out;
  }

  const Address kAddress = address(0xb0), kOther = address(0xb1), kFactory = address(0xfa), kVerifier = address(0xe1);
  const Bytes32 kHash = init_code_hash(proxy_of(address(0xc1)));
  const std::vector<Bytes> kOwners{multisig::address_owner(address(2)), multisig::address_owner(address(3))};
  infra::TestDatabase place;
  infra::EventLoop loop;
  infra::FakeClock clock;
  chain::FakeChain chain{kChainId};
  FakePeople people;
  std::unique_ptr<infra::Random> random = infra::make_system_random();
  std::unique_ptr<infra::Database> database =
      infra::Database::open(place.options(),
                            {audit::audit_migrations(), users::user_migrations(), multisigs_migrations()})
          .value();
  std::unique_ptr<audit::AuditLog> log = audit::make_audit_log({*database, *random, clock, loop.executor()});
  std::unique_ptr<transactions::CallDescriber> describer = transactions::make_call_describer(chain, clock);
  std::unique_ptr<Multisigs> multisigs;

 private:
  using Answers = std::map<std::array<std::uint8_t, 4>, Bytes>;
  std::shared_ptr<Answers> answers_ = std::make_shared<Answers>();
  std::uint64_t nonce_ = 0;
};

TEST_F(MultisigsTest, KeptRenamedForgotten) {
  const auto kept = keep(kAddress);
  ASSERT_TRUE(kept) << kept.error().message;
  EXPECT_EQ(kept->address, kAddress);
  EXPECT_EQ(kept->name, "Garden");
  EXPECT_TRUE(kept->init_data.empty());
  EXPECT_EQ(loop.block_on(multisigs->list(kAda))->size(), 1u);
  EXPECT_TRUE(loop.block_on(multisigs->list(kBob))->empty());
  EXPECT_EQ(keep(kAddress).error().code, ErrorCode::already_kept);
  // Somebody else's entry is none.
  for (const std::string& id : {kept->multisig_id}) {
    EXPECT_EQ(loop.block_on(multisigs->rename(kBob, id, "Mine")).error().code, ErrorCode::not_found);
    EXPECT_EQ(loop.block_on(multisigs->forget(kBob, id)).error().code, ErrorCode::not_found);
    EXPECT_EQ(state(id, {}, kBob).error().code, ErrorCode::not_found);
  }
  EXPECT_TRUE(keep(kAddress, "", kBob));
  EXPECT_EQ(loop.block_on(multisigs->rename(kAda, kept->multisig_id, "a\u202eb")).error().field, "/name");
  EXPECT_EQ(loop.block_on(multisigs->rename(kAda, kept->multisig_id, "Garden shed"))->name, "Garden shed");
  EXPECT_EQ(loop.block_on(multisigs->list(kAda))->front().name, "Garden shed");
  EXPECT_TRUE(loop.block_on(multisigs->forget(kAda, kept->multisig_id)));
  EXPECT_EQ(loop.block_on(multisigs->forget(kAda, kept->multisig_id)).error().code, ErrorCode::not_found);
  EXPECT_TRUE(loop.block_on(multisigs->list(kAda))->empty());
  EXPECT_EQ(loop.block_on(multisigs->list(kBob))->size(), 1u);
  EXPECT_EQ(events(), (std::vector<std::string>{"MultisigKept", "MultisigRenamed", "MultisigForgotten"}));
}

TEST_F(MultisigsTest, WhatIsNoMultisigIsRefused) {
  EXPECT_EQ(keep(address(0x1234)).error().code, ErrorCode::not_deployed);
  // Answers all questions, and is other code.
  chain.set_code(kOther, proxy_of(address(0xc2)));
  EXPECT_EQ(keep(kOther).error().code, ErrorCode::not_a_multisig);
  chain.set_code(kOther, Bytes(4'096, 1));
  EXPECT_EQ(keep(kOther).error().code, ErrorCode::not_a_multisig);
  // The right code, whose storage nobody set.
  answer("owners()", "bytes[]", {AbiValue(AbiValue::List{})});
  EXPECT_EQ(keep(kAddress).error().code, ErrorCode::not_a_multisig);
  EXPECT_EQ(loop.block_on(multisigs->keep(kAda, {1, "", kAddress})).error().code, ErrorCode::chain_unknown);
  EXPECT_EQ(keep(kAddress, std::string(300, 'a')).error().field, "/name");
  chain::ChainError away;
  away.kind = chain::ChainErrorKind::transport;
  chain.fail_next(away);
  EXPECT_EQ(keep(kAddress).error().code, ErrorCode::chain_unavailable);
  EXPECT_TRUE(loop.block_on(multisigs->list(kAda))->empty());
  EXPECT_TRUE(events().empty());
}

TEST_F(MultisigsTest, OneToBeMadeHasTheFactorysAddress) {
  const auto kept = keep(wanted());
  ASSERT_TRUE(kept) << kept.error().message;
  EXPECT_EQ(kept->address, multisig::multisig_address(kFactory, kHash, kept->init_data));
  const auto init = multisig::read_init_data(kept->init_data);
  ASSERT_TRUE(init);
  EXPECT_EQ(init->owners, kOwners);
  EXPECT_EQ(init->limits.front().chain_id, kChainId);
  chain.set_balance(kept->address, Uint256(5));
  const auto before = state(kept->multisig_id, {{address(20)}, std::nullopt});
  ASSERT_TRUE(before) << before.error().message;
  EXPECT_FALSE(before->deployed);
  EXPECT_EQ(before->balance, Uint256(5));
  EXPECT_EQ(before->threshold, 2u);
  ASSERT_EQ(before->owners.size(), 2u);
  EXPECT_EQ(before->owners[0].wallet_id, kWallet);
  EXPECT_TRUE(before->owners[1].wallet_id.empty());
  ASSERT_EQ(before->limits.size(), 2u);
  EXPECT_EQ(before->limits[0].left_today, Uint256(500));
  EXPECT_TRUE(before->limits[1].per_day.is_zero());
  // Limits of tokens come with it, and are shown to whoever does not ask for them.
  NewMultisig with_token = wanted();
  with_token.limits.push_back({0, address(20), Uint256(7)});
  const auto other = keep(std::move(with_token));
  ASSERT_TRUE(other) << other.error().message;
  EXPECT_NE(other->address, kept->address);
  const auto shown = state(other->multisig_id);
  ASSERT_EQ(shown->limits.size(), 2u);
  EXPECT_EQ(shown->limits[1].token, address(20));
  EXPECT_EQ(shown->limits[1].left_today, Uint256(7));
  EXPECT_TRUE(before->proposals.empty());
}

TEST_F(MultisigsTest, InitDataThatTheFactoryRefusesIsRefused) {
  const auto refused = [this](const std::function<void(NewMultisig&)>& change) {
    NewMultisig init = wanted();
    change(init);
    const auto kept = keep(init);
    return !kept && kept.error().code == ErrorCode::init_data_invalid;
  };
  EXPECT_TRUE(refused([](NewMultisig& init) { init.owners.clear(); }));
  EXPECT_TRUE(refused([](NewMultisig& init) { init.owners.push_back(init.owners[0]); }));
  EXPECT_TRUE(refused([](NewMultisig& init) { init.owners.push_back(Bytes(20)); }));
  EXPECT_TRUE(refused([](NewMultisig& init) { init.threshold = 3; }));
  EXPECT_TRUE(refused([](NewMultisig& init) { init.threshold = 0; }));
  EXPECT_TRUE(refused([](NewMultisig& init) { init.limits.push_back(init.limits[0]); }));
  // An owner whose verifier is not on this chain.
  EXPECT_TRUE(
      refused([](NewMultisig& init) { init.owners.push_back(multisig::passkey_owner(address(0xe2), key(1))); }));
  NewMultisig with_passkey = wanted();
  with_passkey.owners.push_back(multisig::passkey_owner(kVerifier, key(7)));
  const auto kept = keep(with_passkey);
  ASSERT_TRUE(kept) << kept.error().message;
  EXPECT_EQ(state(kept->multisig_id)->owners[2].passkey_id, "a-passkey");
}

TEST_F(MultisigsTest, ThirtyTwoAPersonAndNoMore) {
  for (std::size_t i = 0; i < kMaxKept; i++) {
    NewMultisig init = wanted();
    init.salt = Uint256(i);
    ASSERT_TRUE(keep(std::move(init)));
  }
  EXPECT_EQ(keep(wanted()).error().code, ErrorCode::already_kept);
  EXPECT_EQ(keep(kAddress).error().code, ErrorCode::too_many_multisigs);
  EXPECT_TRUE(keep(kAddress, "", kBob));
}

TEST_F(MultisigsTest, AnEntryGoesWithItsPerson) {
  ASSERT_TRUE(keep(kAddress));
  leave(kAda);
  EXPECT_TRUE(loop.block_on(multisigs->list(kAda))->empty());
  // Who left while the chain was asked leaves nothing behind.
  EXPECT_EQ(keep(kAddress).error().code, ErrorCode::not_found);
}

TEST_F(MultisigsTest, ProposalsComeWithTheirCallsInWords) {
  const auto kept = keep(kAddress);
  ASSERT_TRUE(kept);
  const Call pays{address(5), Uint256(3), {}};
  const Call changes = multisig::encode_self_call(kAddress, multisig::SetDailyLimit{Address{}, Uint256(9)}).value();
  propose({proposal(1, {pays}), proposal(2, {changes})});
  const auto now = state(kept->multisig_id);
  ASSERT_TRUE(now) << now.error().message;
  EXPECT_EQ(now->owners[0].wallet_id, kWallet);
  EXPECT_EQ(now->limits[0].left_today, Uint256(70));
  EXPECT_FALSE(now->has_more);
  ASSERT_EQ(now->proposals.size(), 2u);
  // Latest first.
  ASSERT_TRUE(now->proposals[0].self_call);
  EXPECT_EQ(std::get<multisig::SetDailyLimit>(*now->proposals[0].self_call).per_day, Uint256(9));
  EXPECT_TRUE(now->proposals[0].summary.empty());
  const Proposal& payment = now->proposals[1];
  EXPECT_EQ(payment.content, Content::there);
  ASSERT_EQ(payment.summary.size(), 1u);
  EXPECT_EQ(payment.summary[0].at("meaning").as_string(), "payment");
  EXPECT_EQ(payment.summary[0].at("from").as_string(), core::format_address(kAddress));
  // Nobody asks a multisig whom it knows.
  EXPECT_TRUE(payment.warnings.empty());
  EXPECT_EQ(payment.on_chain.votes, (std::vector<multisig::Vote>(2, multisig::Vote::approved)));
  const Bytes32 id = payment.on_chain.id;
  const auto alone = state(kept->multisig_id, {{}, id});
  ASSERT_EQ(alone->proposals.size(), 1u);
  EXPECT_EQ(alone->proposals[0].on_chain.id, id);
  EXPECT_EQ(state(kept->multisig_id, {std::vector<Address>(33), {}}).error().field, "/token");
}

TEST_F(MultisigsTest, TokensWithALimitAreShownToWhoeverDoesNotAskForThem) {
  const auto kept = keep(kAddress);
  ASSERT_TRUE(kept);
  put({limit_set(kAddress, address(20)), limit_set(kOther, address(21)), limit_set(kAddress, Address{}),
       limit_set(kAddress, address(20))});
  const auto now = state(kept->multisig_id, {{address(22)}, std::nullopt});
  ASSERT_TRUE(now) << now.error().message;
  ASSERT_EQ(now->limits.size(), 3u);
  EXPECT_EQ(now->limits[1].token, address(22));
  EXPECT_EQ(now->limits[2].token, address(20));
  EXPECT_EQ(now->limits[2].left_today, Uint256(70));
  ASSERT_EQ(now->tokens.size(), 2u);
  EXPECT_EQ(now->tokens[1].token, address(20));
  // The next look reads only what came since, and keeps what it knew.
  chain.mine(200);
  put({limit_set(kAddress, address(23))});
  const auto later = state(kept->multisig_id, {{address(20)}, std::nullopt});
  ASSERT_TRUE(later);
  ASSERT_EQ(later->limits.size(), 3u);
  EXPECT_EQ(later->limits[1].token, address(20));
  EXPECT_EQ(later->limits[2].token, address(23));
  // Taken off the list: it is there when it is asked for.
  answer("dailyLimit(address)", "uint256,uint256,uint256", {number(0), number(0), number(0)});
  EXPECT_EQ(state(kept->multisig_id)->limits.size(), 1u);
  EXPECT_TRUE(state(kept->multisig_id)->tokens.empty());
  EXPECT_EQ(state(kept->multisig_id, {{address(20)}, std::nullopt})->limits.size(), 2u);
}

TEST_F(MultisigsTest, NobodyFillsAnAnswerWithLimits) {
  const auto kept = keep(kAddress);
  ASSERT_TRUE(kept);
  std::vector<chain::Log> many;
  for (std::uint64_t i = 0; i < 2 * kMaxLimited; i++) many.push_back(limit_set(kAddress, address(1'000 + i)));
  put(std::move(many));
  const auto now = state(kept->multisig_id, {std::vector<Address>(kMaxTokens, address(5)), std::nullopt});
  ASSERT_TRUE(now) << now.error().message;
  EXPECT_EQ(now->limits.size(), 1 + kMaxTokens + kMaxLimited);
  // The latest ones.
  EXPECT_EQ(now->limits[1 + kMaxTokens].token, address(1'000 + 2 * kMaxLimited - 1));
}

TEST_F(MultisigsTest, OtherCallsThanTheIdNamesAreNotShown) {
  const auto kept = keep(kAddress);
  ASSERT_TRUE(kept);
  // The chain's server shows the content of one proposal under the id of another.
  chain::Log lie;
  lie.address = kAddress;
  lie.topics = {core::event_topic("Proposed(bytes32,bytes32,(address,uint256,bytes)[],uint256,uint48,uint48)"),
                Bytes32{1}, multisig::owner_id(kOwners[1])};
  lie.data = Bytes(32 * 5);
  put({lie});
  const auto now = state(kept->multisig_id);
  ASSERT_TRUE(now) << now.error().message;
  ASSERT_EQ(now->proposals.size(), 1u);
  EXPECT_EQ(now->proposals[0].content, Content::unreadable);
  EXPECT_FALSE(now->proposals[0].on_chain.content);
  EXPECT_TRUE(now->proposals[0].summary.empty());
}

TEST_F(MultisigsTest, AnAnswerIsBounded) {
  const auto kept = keep(kAddress);
  ASSERT_TRUE(kept);
  std::vector<multisig::Proposal> many;
  for (std::size_t i = 0; i < kMaxProposals + 8; i++)
    many.push_back(proposal(i, std::vector<Call>(4, Call{address(5), Uint256(1), Bytes(4'000, 7)})));
  propose(many);
  const auto now = state(kept->multisig_id);
  ASSERT_TRUE(now) << now.error().message;
  ASSERT_EQ(now->proposals.size(), kMaxProposals);
  EXPECT_TRUE(now->has_more);
  std::size_t bytes = 0, described = 0, left_out = 0;
  for (const Proposal& one : now->proposals) {
    if (one.content == Content::left_out) left_out++;
    described += one.summary.size();
    if (!one.on_chain.content) continue;
    for (const Call& call : one.on_chain.content->calls) bytes += call.data.size();
  }
  EXPECT_LE(bytes, kMaxContentBytes);
  EXPECT_EQ(described, kMaxDescribed);
  EXPECT_EQ(left_out, kMaxProposals - kMaxContentBytes / 16'000);
  // The first one, that was left out, alone.
  const Bytes32 id = multisig::proposal_id({kChainId, kAddress}, many.front());
  const auto alone = state(kept->multisig_id, {{}, id});
  ASSERT_EQ(alone->proposals.size(), 1u);
  EXPECT_EQ(alone->proposals[0].content, Content::there);
}

TEST_F(MultisigsTest, OtherCodeLaterIsSaid) {
  const auto kept = keep(kAddress);
  ASSERT_TRUE(kept);
  chain.set_code(kAddress, proxy_of(address(0xc2)));
  EXPECT_EQ(state(kept->multisig_id).error().code, ErrorCode::not_a_multisig);
  chain.set_code(kAddress, {});
  EXPECT_EQ(state(kept->multisig_id).error().code, ErrorCode::not_deployed);
}

}  // namespace
}  // namespace community::multisigs
