// SPDX-License-Identifier: Apache-2.0
// One person with one account on a chain in memory. Database and pool are real, and the service can be killed at any
// point: what is on disk stays, what is in memory is gone.
#pragma once
#include <gtest/gtest.h>
#include <soci/soci.h>

#include "community/audit/factory.hpp"
#include "community/chain/fake/fake_chain.hpp"
#include "community/infra/fake/clock.hpp"
#include "community/infra/fake/random.hpp"
#include "community/infra/fake/temporary_directory.hpp"
#include "community/pool/factory.hpp"
#include "community/transactions/test_support/fake_phrases.hpp"
#include "community/transactions/test_support/fakes.hpp"

namespace community::transactions::test_support {

namespace json = core::json;
using core::AbiValue;

inline Address test_address(std::uint64_t n) { return core::address_from_word(Uint256(n).to_be()); }

class TransactionWorld : public ::testing::Test {
 protected:
  static constexpr std::uint64_t kChain = 1'337;

  TransactionWorld() {
    chain.mine(5);
    people.owner_id = person;
    people.owned.wallet_id = wallet_id;
    people.owned.account = alice;
    people.owned.chain_ids = {kChain};
    people.own = {first.owned("00000000-0000-4000-8000-0000000000a1", "Telephone"),
                  second.owned("00000000-0000-4000-8000-0000000000a2", "Key")};
    passkeys = {first.on_chain(), second.on_chain()};
    chain.set_code(alice, {1});
    chain.set_balance(alice, ether(10));
    chain.on_call(alice, [this](const chain::CallRequest& request) { return account_answer(request.data); });
    chain.on_call(entry_point->address(),
                  [this](const chain::CallRequest& request) { return nonce_answer(request.data); });
    chain.on("eth_getLogs",
             [this](const json::array&) -> chain::ChainResult<json::value> { return json::value(logs); });
    open();
  }
  ~TransactionWorld() override { kill(); }

  static Uint256 ether(std::uint64_t n) { return *base::multiply(Uint256(n), Uint256(1'000'000'000'000'000'000)); }

  void open() {
    infra::DatabaseOptions settings;
    settings.url = "sqlite:" + (folder.path() / "node.db").string();
    settings.durable = false;
    std::vector<infra::MigrationSet> migrations{pool::pool_migrations(), audit::audit_migrations(),
                                                transaction_migrations()};
    migrations.insert(migrations.end(), more_migrations.begin(), more_migrations.end());
    auto opened = infra::Database::open(settings, migrations);
    ASSERT_TRUE(opened) << opened.error().text();
    database = std::move(*opened);
    blocks = std::make_unique<chain::BlockWatcher>(chain, clock);
    fees = std::make_unique<chain::FeeOracle>(chain, clock);
    audit_log = audit::make_audit_log({*database, random, clock, loop.executor()});
    pool = pool::make_pool(*database, clock, 1'337, nullptr, {});
    TransactionsDependencies d{*database, clock, random, core, phrases, *audit_log, people, {}};
    d.chains.push_back({kChain, chain, *fees, *blocks, *entry_point, validator, estimator, *pool, courier,
                        has_sponsor ? &sponsor : nullptr, true, 3});
    d.policy = &policy;
    d.metrics = &metrics;
    service = make_transactions(std::move(d), options);
    service->listen([this](const Transaction& transaction) -> Task<void> {
      told.push_back({transaction.transaction_id, transaction.state});
      co_return;
    });
    ASSERT_TRUE(loop.block_on(pool->load()));
    ASSERT_TRUE(loop.block_on(service->load()));
    ASSERT_TRUE(loop.block_on(blocks->poll()));
    group = std::make_unique<infra::TaskGroup>(loop.executor());
  }
  void run() { group->spawn(service->run()); }
  // Nothing in memory survives, and nothing is finished.
  void kill() {
    if (!group) return;
    group->cancel();
    loop.block_on(group->join());
    group.reset();
    service.reset();
    pool.reset();
    fees.reset();
    blocks.reset();
    database.reset();
    audit_log.reset();
  }
  void restart() {
    kill();
    open();
  }
  void mine(std::size_t count = 1) {
    for (std::size_t i = 0; i < count; i++) {
      chain.mine();
      ASSERT_TRUE(loop.block_on(blocks->poll()));
    }
  }
  // The limit only ends a test that has failed.
  void until(const std::function<bool()>& condition) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    bool holds = condition();
    while (!holds && std::chrono::steady_clock::now() < end) {
      clock.advance(infra::Milliseconds(50));
      for (int i = 0; i < 5; i++) loop.block_on(infra::reschedule());
      holds = condition();
    }
    EXPECT_TRUE(holds);
  }

  // --- what a person does ---

  static accounts::Call pay(const Address& to, std::uint64_t amount) { return {to, Uint256(amount), {}}; }
  Result<Transaction> prepare(Order order, bool sponsored = true) {
    PrepareRequest request;
    request.wallet_id = wallet_id;
    request.chain_id = kChain;
    request.order = std::move(order);
    request.sponsored = sponsored;
    return loop.block_on(service->prepare_transaction(person, std::move(request)));
  }
  Transaction prepared(Order order, bool sponsored = true) {
    auto made = prepare(std::move(order), sponsored);
    EXPECT_TRUE(made) << name(made.error().code) << " " << made.error().message << " " << made.error().revert;
    return made ? std::move(*made) : Transaction();
  }
  Transaction payment(std::uint64_t amount = 5) { return prepared(CallsOrder{{pay(bob, amount)}}); }
  Result<Transaction> sign(const Transaction& transaction, const Device& device) {
    return loop.block_on(service->sign_transaction(person, transaction.transaction_id,
                                                   device.sign(transaction.digest.value_or(Bytes32{}))));
  }
  Result<Transaction> sign(const Transaction& transaction) { return sign(transaction, first); }
  Result<Transaction> broadcast(const Transaction& transaction) {
    return loop.block_on(service->broadcast_transaction(person, transaction.transaction_id));
  }
  // As the page asks: both in one request.
  Result<Transaction> send(const Transaction& transaction, const Device& device) {
    return loop.block_on(service->sign_and_broadcast(person, transaction.transaction_id,
                                                     device.sign(transaction.digest.value_or(Bytes32{}))));
  }
  Transaction sent(const Transaction& transaction) {
    auto done = send(transaction, first);
    EXPECT_TRUE(done) << name(done.error().code) << " " << done.error().message;
    // The pool's row is written behind the answer; whoever asks for what is on disk waits for it.
    EXPECT_TRUE(loop.block_on(service->history(person, HistoryQuery())));
    return done ? std::move(*done) : Transaction();
  }
  Transaction now(const Transaction& transaction) {
    auto found = loop.block_on(service->transaction(person, transaction.transaction_id));
    EXPECT_TRUE(found);
    return found ? std::move(*found) : Transaction();
  }
  void until_state(const Transaction& transaction, State wanted) {
    until([&] { return now(transaction).state == wanted; });
  }
  template <class T>
  static void expect_refusal(const Result<T>& result, ErrorCode code) {
    ASSERT_FALSE(result) << "it was not refused";
    EXPECT_EQ(name(result.error().code), name(code)) << result.error().message;
  }

  // --- what the chain does ---

  void include(const Transaction& transaction, bool success = true, Bytes reason = {}) {
    pool::Inclusion inclusion;
    inclusion.hash = *transaction.digest;
    inclusion.transaction_hash = Bytes32{7};
    inclusion.block_number = chain.head().number;
    inclusion.success = success;
    inclusion.reason = std::move(reason);
    inclusion.actual_gas_cost = Uint256(77);
    nonces[key_of(transaction)]++;
    ASSERT_TRUE(loop.block_on(pool->mark_included({inclusion}, pool::AlsoWrite())));
  }
  static std::uint64_t key_of(const Transaction& transaction) {
    return std::get<PreparedOperation>(transaction.content).userop.nonce.limb[1];
  }
  std::vector<std::string> events() {
    audit::Query query;
    query.limit = 1'000;
    const auto found = loop.block_on(audit_log->read(query));
    EXPECT_TRUE(found);
    std::vector<std::string> out;
    for (const audit::Entry& entry : *found) out.push_back(entry.event);
    return out;
  }
  // What the latest entry of this kind says, as JSON; empty where there is none.
  std::string told_by(const std::string& event) {
    audit::Query query;
    query.limit = 1'000;
    const auto found = loop.block_on(audit_log->read(query));
    EXPECT_TRUE(found);
    std::string out;
    std::uint64_t latest = 0;
    for (const audit::Entry& entry : *found) {
      if (entry.event != event || !entry.payload || entry.sequence < latest) continue;
      latest = entry.sequence;
      out = entry.payload->text;
    }
    return out;
  }
  std::size_t count(const std::string& event) {
    const auto all = events();
    return static_cast<std::size_t>(std::count(all.begin(), all.end(), event));
  }
  static bool has(const std::vector<std::string>& rules, const std::string& rule) {
    return std::find(rules.begin(), rules.end(), rule) != rules.end();
  }
  static std::vector<std::string> rules(const json::array& warnings) {
    std::vector<std::string> out;
    for (const json::value& one : warnings) out.emplace_back(one.as_object().at("rule").as_string());
    return out;
  }

  const std::string person = "00000000-0000-4000-8000-00000000000a", stranger = "00000000-0000-4000-8000-00000000000b";
  const std::string wallet_id = "00000000-0000-4000-8000-00000000000c";
  const Address alice = test_address(0xa11ce), bob = test_address(0xb0b), token = test_address(0x70c0);
  Device first{11}, second{12};
  infra::TemporaryDirectory folder;
  infra::EventLoop loop;
  infra::FakeClock clock;
  infra::FakeRandom random;
  infra::Metrics metrics;
  chain::FakeChain chain{kChain};
  std::unique_ptr<chain::EntryPoint> entry_point = chain::v0_8::make_entry_point();
  FakeCore core;
  FakePhrases phrases;
  FakePeople people;
  FakeEstimator estimator;
  FakeValidator validator;
  FakeSponsor sponsor;
  FakeCourier courier;
  FakePolicy policy;
  TransactionsOptions options = [] {
    TransactionsOptions out;
    out.rp_id = "example.org";
    out.origin = "https://example.org";
    out.signed_per_minute = out.prepared_per_minute = 1'000;
    return out;
  }();
  bool has_sponsor = true;
  // Of modules that build on this one, from the next open() on.
  std::vector<infra::MigrationSet> more_migrations;
  // Of the account.
  std::vector<accounts::InitPasskey> passkeys;
  std::uint32_t key_epoch = 3;
  static Bytes32 escape_secret() { return Uint256(0xe5c).to_be(); }
  Address server_key = FakeCore::server_key();
  Address escape_key = core::address_of(*core::public_key_of(escape_secret()));
  std::uint64_t frozen_until_s = 0;
  std::set<Address> known;
  std::set<Bytes32> listed_domains;
  Uint256 gas_cap = ether(1);
  std::map<std::uint64_t, std::uint64_t> nonces;
  struct Item {
    accounts::ItemKind kind{};
    std::uint16_t votes = 0;
    std::uint64_t age_s = 0, delay_s = 0;
  };
  std::map<Bytes32, Item> items;
  json::array logs;

  std::unique_ptr<infra::Database> database;
  std::unique_ptr<chain::BlockWatcher> blocks;
  std::unique_ptr<chain::FeeOracle> fees;
  std::unique_ptr<audit::AuditLog> audit_log;
  std::unique_ptr<pool::Pool> pool;
  std::unique_ptr<Transactions> service;
  std::unique_ptr<infra::TaskGroup> group;
  // In the order of the telling.
  std::vector<std::pair<std::string, State>> told;

  // An item that waits, started by this call.
  void item_waits(const Bytes32& id, const Item& item, const Bytes& call) {
    items[id] = item;
    json::object log;
    log["address"] = core::to_hex(alice);
    json::array topics;
    topics.emplace_back(core::to_hex(core::event_topic("ItemStarted(bytes32,uint8,uint256,bytes)")));
    topics.emplace_back(core::to_hex(id));
    topics.emplace_back(core::to_hex(Uint256(static_cast<std::uint64_t>(item.kind)).to_be()));
    log["topics"] = std::move(topics);
    log["data"] = core::to_hex(
        core::abi_encode(core::parse_abi_parameters("uint256,bytes").value(), {AbiValue(std::uint64_t{1}), call})
            .value());
    log["blockNumber"] = "0x1";
    log["blockHash"] = core::to_hex(Bytes32{1});
    log["transactionHash"] = core::to_hex(Bytes32{2});
    log["transactionIndex"] = log["logIndex"] = "0x0";
    log["removed"] = false;
    logs.push_back(std::move(log));
  }

  chain::ChainResult<Bytes> words(std::vector<Uint256> values) const {
    Bytes out;
    for (const Uint256& value : values) core::append(out, value.to_be());
    return out;
  }
  static bool asks(const Bytes& call, std::string_view function) {
    const auto selector = core::parse_abi_function(function).value().selector;
    return call.size() >= 4 && std::equal(selector.begin(), selector.end(), call.begin());
  }
  static Uint256 argument(const Bytes& call, std::size_t i = 0) {
    return Uint256::from_be(ByteView(call).subspan(4 + 32 * i, 32));
  }
  chain::ChainResult<Bytes> account_answer(const Bytes& call) const {
    const std::uint64_t mask = (1U << passkeys.size()) - 1;
    if (asks(call, "keys()"))
      return words({Uint256::from_be(server_key), Uint256::from_be(escape_key), Uint256(key_epoch), Uint256(mask)});
    if (asks(call, "frozen()")) return words({Uint256(frozen_until_s), Uint256()});
    if (asks(call, "guardians()")) return words({Uint256(), Uint256(), Uint256(604'800)});
    if (asks(call, "gasCap()")) return words({gas_cap});
    if (asks(call, "spendingLimit(address)")) return words({ether(1), Uint256(), Uint256()});
    if (asks(call, "isKnown(address)"))
      return words({Uint256(known.contains(core::address_from_word(argument(call).to_be())) ? 1 : 0)});
    if (asks(call, "passkey(uint256)")) {
      const std::uint64_t slot = argument(call).limb[0];
      if (slot >= passkeys.size()) return words({Uint256(), Uint256(), Uint256()});
      const auto& key = passkeys[slot];
      return words({Uint256::from_be(ByteView(key.public_key).first(32)),
                    Uint256::from_be(ByteView(key.public_key).subspan(32)), Uint256::from_be(key.rp_id_hash)});
    }
    if (asks(call, "item(bytes32)")) {
      const auto found = items.find(argument(call).to_be());
      if (found == items.end()) return words({Uint256(), Uint256(), Uint256(), Uint256(), Uint256()});
      const Item& item = found->second;
      return words({Uint256(static_cast<std::uint64_t>(item.kind)), Uint256(item.votes), Uint256(key_epoch),
                    Uint256(item.age_s), Uint256(item.delay_s)});
    }
    if (asks(call, "isListedDomain(bytes32)"))
      return words({Uint256(listed_domains.contains(argument(call).to_be()) ? 1 : 0)});
    return words({Uint256()});
  }
  chain::ChainResult<Bytes> nonce_answer(const Bytes& call) const {
    if (!asks(call, "getNonce(address,uint192)")) return words({ether(100)});
    const std::uint64_t key = argument(call, 1).limb[0];
    Uint256 nonce(nonces.contains(key) ? nonces.at(key) : 0);
    nonce.limb[1] = key;
    return words({nonce});
  }
};

}  // namespace community::transactions::test_support
