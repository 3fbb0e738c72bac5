// SPDX-License-Identifier: Apache-2.0
// One account on a chain in memory, watched by a node whose alarms are real and whose core and courier are fakes. The
// node can be killed at any point: what is on disk stays, what is in memory is gone.
#pragma once
#include <gtest/gtest.h>

#include "community/alarms/factory.hpp"
#include "community/alarms/test_support/fakes.hpp"
#include "community/chain/fake/fake_chain.hpp"
#include "community/infra/fake/clock.hpp"
#include "community/infra/fake/test_database.hpp"

namespace community::alarms {

namespace json = boost::json;
using core::AbiValue;

inline Address test_address(std::uint64_t n) { return core::address_from_word(Uint256(n).to_be()); }

// What the account on chain answers; see community/accounts/state.cpp for the questions.
struct TestAccount {
  bool deployed = true;
  Address server_key = FakeWalletKeys::server_key(0);
  std::uint32_t key_epoch = 0;
  std::vector<accounts::InitPasskey> passkeys;
  std::uint64_t frozen_until_s = 0, server_freeze_not_before_s = 0;
  // By id, which is the number of the transaction that started it.
  std::map<Bytes32, accounts::ItemKind> items;
};

class AlarmWorld : public ::testing::Test {
 protected:
  AlarmWorld() {
    chain.mine(5);
    chain.on("eth_getLogs", [this](const json::array& params) { return logs(params.at(0).as_object()); });
    chain.on("eth_getTransactionByHash", [this](const json::array&) -> chain::ChainResult<json::value> {
      if (transaction_error) return chain::chain_fail(*transaction_error, "as the test says");
      json::object transaction;
      transaction["from"] = core::to_hex(mallory);
      return json::value(std::move(transaction));
    });
    chain.on_call(alice, [this](const chain::CallRequest& request) { return answer(request.data); });
    keys.wallet.wallet_id[0] = 7;
    keys.wallet.passkey_count = 1;
    keys.wallet.passkeys[0].public_key[31] = 1;
    keys.wallet.account_count = 1;
    keys.wallet.accounts[0].chain_id = kChain;
    keys.wallet.accounts[0].address = alice;
    account.passkeys.push_back({keys.wallet.passkeys[0].public_key, {}});
    chain.set_code(alice, {1});
  }
  ~AlarmWorld() override { kill(); }

  // Database and objects; nothing runs yet.
  void open() {
    auto opened = infra::Database::open(place.options(), {accounts::account_migrations(), alarm_migrations()});
    ASSERT_TRUE(opened) << opened.error().text();
    database = std::move(*opened);
    metrics = std::make_unique<infra::Metrics>();
    blocks = std::make_unique<chain::BlockWatcher>(chain, clock);
    book = make_alarms({*database, clock, chain, *blocks, keys, has_courier ? &courier : nullptr, metrics.get()},
                       kChain, rules, limits);
    accounts::AccountWatcherDependencies d{*database, clock, chain, *blocks, {entry_point.get()}, {}, nullptr};
    d.is_known_userop = [this](Bytes32 hash) -> Task<bool> { co_return ours.contains(hash); };
    d.journals = {&book->journal()};
    watcher = accounts::make_account_watcher(std::move(d));
    ASSERT_TRUE(loop.block_on(watcher->load()));
    alarms = &book->open(*watcher);
    group = std::make_unique<infra::TaskGroup>(loop.executor());
    ASSERT_TRUE(loop.block_on(alarms->follow(alice, first_follower.value_or(keys.wallet.wallet_id))));
  }
  // The nth of keys.others, which adopted the account: a stranger's, or another one of its owner's.
  keys::RecordId adopt(std::uint8_t passkey) {
    protocol::WalletDescribeReply other = keys.wallet;
    other.wallet_id[0] = static_cast<std::uint8_t>(100 + keys.others.size());
    other.passkeys[0].public_key[31] = passkey;
    other.accounts[0].init_data_hash = {};
    keys.others.push_back(other);
    return other.wallet_id;
  }
  void run() { group->spawn(alarms->run()); }
  void start() {
    open();
    run();
    look();
  }
  // Nothing in memory survives, and nothing is finished.
  void kill() {
    if (!group) return;
    group->cancel();
    loop.block_on(group->join());
    group.reset();
    alarms = nullptr;
    watcher.reset();
    book.reset();
    blocks.reset();
    metrics.reset();
    database.reset();
  }

  void look() { ASSERT_TRUE(loop.block_on(blocks->poll())); }
  void mine() {
    chain.mine();
    look();
  }
  // The limit only ends a test that has failed.
  void until(const std::function<bool()>& condition) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    bool holds = condition();
    while (!holds && std::chrono::steady_clock::now() < end) {
      loop.block_on(infra::reschedule());
      holds = condition();
    }
    EXPECT_TRUE(holds);
  }
  // One block after the other, each with time for what follows from it.
  void mine_until(const std::function<bool()>& condition) {
    bool holds = condition();
    for (int block = 0; block < 40 && !holds; block++) {
      mine();
      for (int turn = 0; turn < 50 && !holds; turn++) {
        // The database answers on a thread of its own; asking it something waits for what was asked before.
        list();
        holds = condition();
      }
    }
    EXPECT_TRUE(holds);
  }
  std::vector<Alarm> list(std::int64_t since = 0) {
    AlarmQuery query;
    query.since_id = since;
    auto found = loop.block_on(alarms->list(query));
    EXPECT_TRUE(found);
    return found ? std::move(*found) : std::vector<Alarm>();
  }
  // Carrying freezes on comes before telling, so an alarm that is told has had its turn.
  double told(AlarmClass what) {
    return metrics
        ->counter("community_alarms_total",
                  "Alarms about the node's accounts, those that are only logged "
                  "among them.",
                  {{"class", std::string(name(what))}})
        .value();
  }
  void until_told(AlarmClass what, double count = 1) {
    until([&] { return told(what) >= count; });
  }
  std::optional<FreezeState> freeze_state(std::size_t alarm = 0) {
    const auto alarms_now = list();
    if (alarm >= alarms_now.size() || !alarms_now[alarm].freeze) return std::nullopt;
    return alarms_now[alarm].freeze->state;
  }
  void until_freeze(FreezeState wanted) {
    until([&] { return freeze_state() == wanted; });
  }

  // In the next block that is mined.
  void happens(const Address& from, std::string_view event, const std::vector<Bytes32>& topics, const Bytes& data,
               std::uint64_t transaction) {
    std::vector<Bytes32> all{core::event_topic(std::string(event))};
    all.insert(all.end(), topics.begin(), topics.end());
    add_log(from, all, data, transaction);
  }
  void item(std::string_view event, accounts::ItemKind kind, std::uint64_t transaction, const Bytes& call = {}) {
    const Bytes32 id = Uint256(transaction).to_be(), number = Uint256(static_cast<std::uint64_t>(kind)).to_be();
    Bytes data;
    if (event == "ItemStarted")
      data = core::abi_encode(core::parse_abi_parameters("uint256,bytes").value(), {AbiValue(std::uint64_t{1}), call})
                 .value();
    happens(alice, event == "ItemStarted" ? "ItemStarted(bytes32,uint8,uint256,bytes)" : "ItemFinished(bytes32,uint8)",
            {id, number}, data, transaction);
  }
  void escape_starts(std::uint64_t transaction) { item("ItemStarted", accounts::ItemKind::escape, transaction); }
  void key_epoch_changes(std::uint32_t epoch, std::uint64_t transaction) {
    happens(alice, "KeyEpochChanged(uint32)", {Uint256(epoch).to_be()}, {}, transaction);
  }
  void operation(const Bytes32& hash, std::uint64_t transaction) {
    const std::vector<AbiValue> values{AbiValue(std::uint64_t{7}), AbiValue(std::uint64_t{1}),
                                       AbiValue(std::uint64_t{2}), AbiValue(std::uint64_t{3})};
    const Bytes data =
        core::abi_encode(core::parse_abi_parameters("uint256,bool,uint256,uint256").value(), values).value();
    add_log(entry_point->address(),
            {chain::entry_point_topics().user_operation, hash, Uint256::from_be(alice).to_be(), Bytes32{}}, data,
            transaction);
  }

  static constexpr std::uint64_t kChain = 1'337;
  const Address alice = test_address(0xa11ce), mallory = test_address(0x3a11);
  infra::TestDatabase place;
  infra::EventLoop loop;
  infra::FakeClock clock;
  chain::FakeChain chain{kChain};
  std::unique_ptr<chain::EntryPoint> entry_point = chain::v0_8::make_entry_point();
  FakeWalletKeys keys;
  FakeCourier courier;
  TestAccount account;
  AlarmRules rules;
  AlarmLimits limits;
  bool has_courier = true;
  // Whom open() follows the account with, unless it is keys.wallet.
  std::optional<keys::RecordId> first_follower;
  std::unique_ptr<infra::Database> database;
  std::unique_ptr<infra::Metrics> metrics;
  std::unique_ptr<chain::BlockWatcher> blocks;
  std::unique_ptr<AlarmBook> book;
  std::unique_ptr<accounts::AccountWatcher> watcher;
  Alarms* alarms = nullptr;
  std::unique_ptr<infra::TaskGroup> group;
  std::map<std::uint64_t, json::array> logs_by_block;
  std::set<Bytes32> ours;
  bool is_down = false;
  std::optional<chain::ChainErrorKind> transaction_error;

 private:
  void add_log(const Address& from, const std::vector<Bytes32>& topics, const Bytes& data, std::uint64_t transaction) {
    json::object log;
    log["address"] = core::to_hex(from);
    json::array list;
    for (const Bytes32& topic : topics) list.emplace_back(core::to_hex(topic));
    log["topics"] = std::move(list);
    log["data"] = core::to_hex(data);
    log["transactionHash"] = core::to_hex(Uint256(transaction).to_be());
    log["transactionIndex"] = "0x0";
    log["removed"] = false;
    logs_by_block[chain.head().number + 1].push_back(std::move(log));
  }

  // As a node answers: what matches addresses and topics, numbered within its block.
  chain::ChainResult<json::value> logs(const json::object& filter) {
    if (is_down) return chain::chain_fail(chain::ChainErrorKind::timeout, "slow");
    const auto number = [&](const char* name, std::uint64_t otherwise) -> std::uint64_t {
      const auto* text = filter.if_contains(name);
      if (text == nullptr || *text == "latest") return otherwise;
      return std::stoull(std::string(text->as_string()).substr(2), nullptr, 16);
    };
    json::array found;
    const std::uint64_t last = number("toBlock", chain.head().number);
    for (std::uint64_t block = number("fromBlock", 0); block <= last; block++) {
      std::uint64_t index = 0;
      for (const json::value& one : logs_by_block[block]) {
        json::object log = one.as_object();
        log["blockNumber"] = core::format_quantity(Uint256(block));
        log["blockHash"] = core::to_hex(Uint256(block).to_be());
        log["logIndex"] = core::format_quantity(Uint256(index++));
        if (matches(filter, log)) found.push_back(std::move(log));
      }
    }
    return json::value(std::move(found));
  }
  static bool any_of(const json::value& wanted, const json::value& value) {
    if (wanted.is_null()) return true;
    if (!wanted.is_array()) return wanted == value;
    return wanted.as_array().empty() || std::ranges::find(wanted.as_array(), value) != wanted.as_array().end();
  }
  static bool matches(const json::object& filter, const json::object& log) {
    if (!any_of(filter.at("address"), log.at("address"))) return false;
    const json::array& topics = filter.at("topics").as_array();
    for (std::size_t i = 0; i < topics.size(); i++)
      if (i >= log.at("topics").as_array().size() || !any_of(topics[i], log.at("topics").as_array()[i])) return false;
    return true;
  }

  // The reading functions of an account.
  chain::ChainResult<Bytes> answer(const Bytes& call) const {
    const auto is = [&call](std::string_view function) {
      const auto selector = core::parse_abi_function(function)->selector;
      return call.size() >= 4 && std::equal(selector.begin(), selector.end(), call.begin());
    };
    const auto encode = [](std::string_view types, const std::vector<AbiValue>& values) {
      return core::abi_encode(core::parse_abi_parameters(types).value(), values).value();
    };
    const auto number = [](std::uint64_t n) { return AbiValue(n); };
    if (is("keys()"))
      return encode("address,address,uint32,uint8",
                    {AbiValue(account.server_key), AbiValue(test_address(3)), number(account.key_epoch),
                     number((1u << account.passkeys.size()) - 1)});
    if (is("frozen()"))
      return encode("uint48,uint48", {number(account.frozen_until_s), number(account.server_freeze_not_before_s)});
    if (is("guardians()")) return encode("bytes32,uint8,uint32", {AbiValue(Bytes32{}), number(0), number(0)});
    if (is("strictMode()") || is("unlistedTokensAllowed()") || is("gasCap()") || is("isListedToken(address)"))
      return encode("uint256", {number(0)});
    if (is("spendingLimit(address)")) return encode("uint256,uint256,uint256", {number(0), number(0), number(0)});
    if (is("item(bytes32)")) {
      Bytes32 id{};
      base::copy(id, core::ByteView(call).subspan(4));
      const auto found = account.items.find(id);
      const auto kind = found == account.items.end() ? accounts::ItemKind::none : found->second;
      return encode("uint8,uint16,uint32,uint256,uint256", {number(static_cast<std::uint64_t>(kind)), number(1),
                                                            number(account.key_epoch), number(60), number(259'200)});
    }
    if (is("passkey(uint256)")) {
      const std::size_t slot = call.back();
      const accounts::InitPasskey key =
          slot < account.passkeys.size() ? account.passkeys[slot] : accounts::InitPasskey{};
      const Uint256 x = Uint256::from_be(core::ByteView(key.public_key).first(32));
      const Uint256 y = Uint256::from_be(core::ByteView(key.public_key).subspan(32));
      return encode("(uint256,uint256,bytes32)",
                    {AbiValue(AbiValue::List{AbiValue(x), AbiValue(y), AbiValue(key.rp_id_hash)})});
    }
    chain::ChainError error;
    error.kind = chain::ChainErrorKind::rpc;
    error.reverted = true;
    return tl::unexpected(std::move(error));
  }
};

}  // namespace community::alarms
