// SPDX-License-Identifier: Apache-2.0
// The whole way on a real chain: real contracts on anvil, the real key-enclave, the real courier. A thief's operation
// that never saw this node raises the alarm in its block and is answered with a freeze in the next; and each point at
// which a change of keys can be lost between core and chain is found and named.
#include <gtest/gtest.h>

#include "community/alarms/factory.hpp"
#include "community/alarms/test_support/core_proxy.hpp"
#include "community/chain/fake/anvil.hpp"
#include "community/courier/factory.hpp"
#include "community/devnet/api/deployment.hpp"
#include "community/infra/api/files.hpp"
#include "community/infra/factory.hpp"
#include "community/infra/fake/temporary_directory.hpp"
#include "community/infra/fake/test_database.hpp"
#include "community/keys/api/operator.hpp"
#include "community/keys/factory.hpp"
#include "community/wallet/api/passkey.hpp"

namespace community::alarms {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using accounts::ActionSignature;
using wallet::SoftwarePasskey;

constexpr std::string_view kRpId = "localhost", kOrigin = "http://localhost:9000";
constexpr std::size_t kMaxContracts = 16u << 20;

Uint256 ether(std::uint64_t amount) { return *multiply(Uint256(amount), Uint256(1'000'000'000'000'000'000)); }
Uint256 milliether(std::uint64_t amount) { return *multiply(Uint256(amount), Uint256(1'000'000'000'000'000)); }

keys::Assertion assertion_of(const SoftwarePasskey& passkey, const Bytes32& challenge) {
  const auto made = passkey.assert_challenge(challenge);
  return {made.credential_id, made.client_data, made.authenticator_data, made.signature};
}

accounts::PasskeySignature vote_of(const keys::Assertion& assertion) {
  return {assertion.client_data, assertion.authenticator_data, assertion.signature};
}

class AlarmChainTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!chain::find_anvil()) GTEST_SKIP() << "anvil is NOT INSTALLED: run npm ci in contracts/ to have these tests";
    const fs::path contracts = fs::path(COMMUNITY_SOURCE_DIR) / "build/contracts.json";
    if (!fs::exists(contracts)) GTEST_SKIP() << "build/contracts.json is MISSING: run make contracts";
    bundle = devnet::ContractBundle::parse(infra::read_file(contracts, kMaxContracts).value()).value();
    escape_key_address = core::address_of(*core::public_key_of(escape_key));
    rules.set(AlarmClass::unknown_submitter, AlarmAction::freeze);
    set_up();
  }
  void TearDown() override {
    close_node();
    stop_core();
  }

  // --- chain and core
  // -------------------------------------------------------------------------------------------------

  void set_up() {
    auto started = loop.block_on(chain::Anvil::start(loop, {"--gas-limit", "300000000"}));
    ASSERT_TRUE(started.has_value()) << started.error().text();
    anvil = std::move(*started);
    chain::JsonRpcChainOptions options;
    options.urls = {anvil->url()};
    client = chain::make_json_rpc_chain(*http, *clock, options);
    start_core();
    open_database();
    connect();
    deploy();
    make_account();
    ask("evm_setAutomine", {false});
  }

  fs::path program() const { return fs::path(COMMUNITY_BINARY_DIR) / "bin/key-enclave"; }

  void start_core() {
    const std::string state = (folder.path() / "core").string();
    fs::create_directory(state);
    fs::permissions(state, fs::perms::owner_all);
    std::string line;
    infra::ChildOptions provision;
    provision.name = "key-enclave provision";
    provision.executable = program().string();
    provision.arguments = {"provision", "--state", state, "--operator-key", core::to_plain_hex(op.public_key())};
    provision.on_line = [&line](std::string_view text) { line = text; };
    auto provisioning = infra::ChildProcess::start(loop, std::move(provision)).value();
    EXPECT_EQ(loop.block_on(provisioning->wait()).status, 0) << line;
    channel_key = core::parse_bytes32(line, core::HexPrefix::optional).value();
    infra::ChildOptions serving;
    serving.name = "key-enclave";
    serving.executable = program().string();
    serving.arguments = {"serve", "--state", state, "--socket", socket()};
    serving.on_line = [this](std::string_view text) {
      if (text.find("ready") != std::string_view::npos) core_ready.set();
    };
    enclave = infra::ChildProcess::start(loop, std::move(serving)).value();
    EXPECT_TRUE(loop.block_on(core_ready.wait_for(infra::Milliseconds(20'000))));
  }
  void stop_core() {
    if (enclave) loop.block_on(enclave->terminate(infra::Milliseconds(20'000)));
    enclave.reset();
  }
  std::string socket() const { return (folder.path() / "socket").string(); }
  std::string proxy_socket() const { return (folder.path() / "proxy").string(); }
  // From the next connection on, which cut_at() may end.
  void put_proxy_before_core() { proxy = std::make_unique<CoreProxy>(proxy_socket(), socket()); }
  // The node dies as by kill -9 and starts again.
  void kill_and_start_node() {
    close_node();
    open_database();
    connect();
    open_node();
  }

  void open_database() {
    database = infra::Database::open(place.options(), {keys::key_migrations(), accounts::account_migrations(),
                                                       courier::courier_migrations(), alarm_migrations()})
                   .value();
  }
  void connect() {
    service = keys::make_key_service({*database, *random});
    group = std::make_unique<infra::TaskGroup>(loop.executor());
    group->spawn(serve());
    EXPECT_TRUE(loop.block_on(service->connected().wait_for(infra::Milliseconds(20'000)))) << ended.text();
  }
  Task<void> serve() {
    keys::ChannelOptions options;
    options.socket_path = proxy ? proxy_socket() : socket();
    options.channel_key = channel_key;
    ended = co_await service->serve(std::move(options));
  }

  void deploy() {
    executor = loop.block_on(service->create_key(protocol::Purpose::executor, kChain)).value();
    devnet::DeployInput input;
    input.executors = {executor.address};
    input.paymaster_signer = loop.block_on(service->create_key(protocol::Purpose::paymaster, kChain)).value().address;
    devnet::DevelopmentChain development(*client);
    auto made = loop.block_on(development.deploy(bundle, std::move(input)));
    ASSERT_TRUE(made.has_value()) << made.error().message;
    deployment = std::move(*made);
    configure(true);
  }
  void configure(bool server_freeze) {
    protocol::Configuration wanted;
    wanted.chain_count = 1;
    protocol::ChainConfig& one = wanted.chains[0];
    one.chain_id = kChain;
    one.entry_point_count = 1;
    one.entry_points[0] = {deployment.entry_point_v0_8, 8};
    one.account_factory = deployment.account_factory;
    one.proxy_init_code_hash = deployment.proxy_init_code_hash;
    one.bundle_gas_cap = 16'000'000;
    one.fee_cap = Uint256(1'000'000'000'000);
    one.executor_budget = one.sponsor_budget = one.sponsorship_cost_cap = ether(1'000);
    one.server_freeze = server_freeze ? 1 : 0;
    wanted.relying_party_count = 1;
    wanted.relying_parties[0] = {base::sha256(base::view(kRpId)), base::view(kOrigin)};
    const auto configured = loop.block_on(ensure_configuration(*service, &op, wanted));
    ASSERT_TRUE(configured.has_value()) << configured.error().text();
  }

  // A person's account, deployed and with an ether.
  void make_account() {
    protocol::Policy policy;
    policy.call_value_cap = policy.operation_value_cap = policy.cost_cap = ether(1);
    const keys::Passkey key{passkey.credential_id(), passkey.public_key(), passkey.rp_id_hash()};
    person = loop.block_on(service->create_wallet(key, policy)).value();
    accounts::AccountInit init;
    init.passkeys.push_back({passkey.public_key(), passkey.rp_id_hash()});
    init.server_key = person.server_key;
    init.escape_key = escape_key_address;
    init.limits.push_back({kChain, {}, ether(1)});
    init.gas_caps.push_back({kChain, milliether(100)});
    const Bytes init_data = accounts::encode_init_data(init).value();
    keys::AccountBindRequest bind;
    bind.wallet = person.id;
    bind.chain_id = kChain;
    bind.init_data = init_data;
    account = loop.block_on(service->bind_account(bind)).value();
    devnet::DevelopmentChain development(*client);
    ASSERT_TRUE(loop.block_on(development.fund(account, ether(1))).has_value());
    send(deployment.account_factory, accounts::encode_create_account(init_data));
  }

  // --- the node under test
  // --------------------------------------------------------------------------------------------

  void open_node() {
    blocks = std::make_unique<chain::BlockWatcher>(*client, *clock);
    fees = std::make_unique<chain::FeeOracle>(*client, *clock);
    courier::CourierLimits limits;
    limits.max_fee_per_gas = Uint256(1'000'000'000'000);
    limits.final_depth = 2;
    courier = courier::make_courier({*database, *clock, *client, *blocks, *fees, *service, nullptr}, kChain, executor,
                                    limits);
    book = make_alarms({*database, *clock, *client, *blocks, *service, courier.get(), nullptr}, kChain, rules);
    accounts::AccountWatcherDependencies d{*database, *clock, *client, *blocks, {entry_point.get()}, {}, nullptr, {}};
    d.is_known_userop = [](Bytes32) -> Task<bool> { co_return false; };
    d.journals = {&book->journal()};
    watcher = accounts::make_account_watcher(std::move(d));
    EXPECT_TRUE(loop.block_on(watcher->load()));
    alarms = &book->open(*watcher);
    node = std::make_unique<infra::TaskGroup>(loop.executor());
    node->spawn(courier->run());
    node->spawn(alarms->run());
    for (const keys::RecordId& wallet : strangers) EXPECT_TRUE(loop.block_on(alarms->follow(account, wallet)));
    EXPECT_TRUE(loop.block_on(alarms->follow(account, person.id)));
    look();
  }
  // As kill -9 leaves it: nothing is finished, what is on disk stays.
  void close_node() {
    for (auto* tasks : {&node, &group}) {
      if (!*tasks) continue;
      (*tasks)->cancel();
      loop.block_on((*tasks)->join());
      tasks->reset();
    }
    alarms = nullptr;
    watcher.reset();
    book.reset();
    courier.reset();
    fees.reset();
    blocks.reset();
    service.reset();
    database.reset();
  }
  void look() { EXPECT_TRUE(loop.block_on(blocks->poll()).has_value()); }
  void until(const std::function<bool()>& condition) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    bool holds = condition();
    while (!holds && std::chrono::steady_clock::now() < end) {
      loop.block_on(infra::reschedule());
      holds = condition();
    }
    EXPECT_TRUE(holds);
  }
  std::vector<Alarm> list() { return loop.block_on(alarms->list(AlarmQuery())).value(); }
  const Alarm* find(const std::vector<Alarm>& all, AlarmClass what) {
    const auto found = std::ranges::find(all, what, &Alarm::what);
    return found == all.end() ? nullptr : &*found;
  }
  KeyDifference difference() {
    auto found = loop.block_on(alarms->difference(account));
    EXPECT_TRUE(found) << found.error().text();
    return found.value_or(KeyDifference{});
  }
  accounts::AccountState state() {
    accounts::AccountView view(*client);
    return loop.block_on(view.state(account)).value();
  }

  // --- chain
  // ----------------------------------------------------------------------------------------------------------

  json::value ask(std::string method, json::array params) {
    chain::ChainCall call{std::move(method), std::move(params)};
    auto answer = loop.block_on(client->request(std::move(call), {}));
    EXPECT_TRUE(answer.has_value()) << answer.error().text();
    return answer.value_or(json::value());
  }
  void mine() { ask("evm_mine", {}); }
  // A transaction of somebody who has nothing to do with this node; its hash.
  Bytes32 send(const Address& to, const Bytes& data) {
    const json::value unlocked = ask("eth_accounts", {});
    stranger = core::parse_address(std::string(unlocked.at(1).as_string())).value();
    json::object transaction;
    transaction["from"] = core::format_address(stranger);
    transaction["to"] = core::format_address(to);
    transaction["data"] = core::to_hex(data);
    // Without an estimate: what reverts is sent all the same.
    transaction["gas"] = core::format_quantity(Uint256(5'000'000));
    json::array params;
    params.push_back(std::move(transaction));
    const json::value hash = ask("eth_sendTransaction", std::move(params));
    return core::parse_bytes32(std::string(hash.as_string())).value();
  }
  // Sends and mines; whether it succeeded.
  bool submit(const Bytes& call) {
    const Bytes32 hash = send(account, call);
    mine();
    return loop.block_on(client->receipt(hash)).value()->success;
  }
  std::uint64_t now_s() { return loop.block_on(client->block(chain::BlockRef::latest())).value()->timestamp; }
  void wait_on_chain(std::uint64_t seconds) {
    ask("evm_increaseTime", {seconds});
    mine();
  }

  // --- people
  // ---------------------------------------------------------------------------------------------------------

  // An operation as a thief of the passkey makes it: the core signs along, and the thief submits it alone.
  Bytes32 thief_spends(const Address& to, const Uint256& amount) {
    core::UserOperation operation;
    operation.sender = account;
    operation.call_data = accounts::encode_batch({{to, amount, {}}}).value();
    operation.verification_gas_limit = Uint256(1'000'000);
    operation.call_gas_limit = Uint256(300'000);
    operation.pre_verification_gas = Uint256(60'000);
    operation.max_fee_per_gas = Uint256(3'000'000'000);
    operation.max_priority_fee_per_gas = Uint256(1'000'000'000);
    const Address& door = deployment.entry_point_v0_8;
    const auto version = core::EntryPointVersion::v0_8;
    const Bytes32 hash = core::userop_hash(operation, version, door, Uint256(kChain)).value();
    keys::UseropRequest request;
    request.wallet = person.id;
    request.chain_id = kChain;
    request.entry_point = door;
    request.userop = core::pack(operation).value();
    request.assertion = assertion_of(passkey, hash);
    const auto gate = loop.block_on(service->sign_userop(request));
    EXPECT_TRUE(gate.has_value()) << gate.error().text();
    const auto day = static_cast<std::uint32_t>(now_s() / accounts::kSecondsPerDay);
    operation.signature = accounts::encode_dual_signature(0, day, gate->signature, vote_of(request.assertion)).value();
    return send(door, entry_point->encode_handle_ops({core::pack(operation).value()}, beneficiary).value());
  }

  // A wallet of this node with a passkey of the stranger's own, into which he adopts the account: any core allows it.
  keys::RecordId stranger_adopts() {
    const SoftwarePasskey own{Uint256(666 + strangers.size()).to_be(), std::string(kRpId), std::string(kOrigin)};
    protocol::Policy policy;
    policy.call_value_cap = policy.operation_value_cap = policy.cost_cap = ether(1);
    const keys::Passkey key{own.credential_id(), own.public_key(), own.rp_id_hash()};
    const keys::WalletInfo wallet = loop.block_on(service->create_wallet(key, policy)).value();
    const auto described = loop.block_on(service->describe_wallet(wallet.id)).value();
    keys::AccountAdoptRequest request;
    request.wallet = wallet.id;
    request.chain_id = kChain;
    request.account = account;
    const Bytes32 challenge =
        protocol::account_adoption_challenge(wallet.id, described.revision, kChain, account, request.server_key_index);
    request.assertion = assertion_of(own, challenge);
    EXPECT_EQ(loop.block_on(service->adopt_account(request)).value(), wallet.server_key);
    strangers.push_back(wallet.id);
    return wallet.id;
  }

  // A second passkey, voted for by the first one and the escape key.
  keys::KeyChangeRequest adds_second_passkey(std::uint64_t deadline_s, std::uint64_t nonce) {
    keys::KeyChangeRequest request;
    request.wallet = person.id;
    request.chain_id = kChain;
    request.account = account;
    request.change.added_count = 1;
    request.change.added[0] = {base::sha256(second.credential_id()), second.public_key(), second.rp_id_hash()};
    request.change.votes = 2;
    request.change.stamp.key_epoch = 0;
    request.change.stamp.nonce = Uint256(nonce);
    request.change.stamp.deadline = deadline_s;
    request.assertion = assertion_of(passkey, protocol::key_change_digest(request.change, {}, kChain, account));
    return request;
  }
  Bytes call_of(const keys::KeyChangeRequest& request, const keys::SignedDigest& gate) {
    accounts::ChangeKeys change;
    change.added.push_back({second.public_key(), second.rp_id_hash()});
    change.votes = 2;
    const ethereum::Stamp& stamp = request.change.stamp;
    const accounts::Stamp signed_stamp{stamp.key_epoch, stamp.nonce, stamp.deadline};
    const Bytes32 digest = accounts::action_digest({kChain, account}, change, signed_stamp);
    EXPECT_EQ(digest, gate.digest);
    std::vector<ActionSignature> votes;
    votes.push_back({0, accounts::encode_passkey_vote(vote_of(request.assertion)).value()});
    votes.push_back({accounts::kEscapeSigner, core::to_bytes(core::sign_digest(escape_key, digest)->to_rsv())});
    votes.push_back({accounts::kServerSigner, core::to_bytes(gate.signature.to_rsv())});
    return accounts::encode_action(change, signed_stamp, std::move(votes)).value();
  }
  // The escape key takes the account to another passkey and `server_key`, without this node.
  void escape_to(const Address& server_key) {
    accounts::Escape escape;
    escape.passkeys.push_back({second.public_key(), second.rp_id_hash()});
    escape.server_key = server_key;
    escape.votes = 1;
    const accounts::Stamp stamp{0, Uint256(9), now_s() + 86'400};
    const Bytes32 digest = accounts::action_digest({kChain, account}, escape, stamp);
    const Bytes vote = core::to_bytes(core::sign_digest(escape_key, digest)->to_rsv());
    std::vector<ActionSignature> votes{{accounts::kEscapeSigner, vote}};
    EXPECT_TRUE(submit(accounts::encode_action(escape, stamp, votes).value()));
    wait_on_chain(3 * 86'400 + 60);
    EXPECT_TRUE(submit(accounts::encode_finish(escape, stamp).value()));
  }

  static constexpr std::uint64_t kChain = 31'337;
  const Bytes32 escape_key = Uint256(4'242).to_be();
  const Address beneficiary = core::address_from_word(Uint256(0xbe9ef).to_be());
  Address escape_key_address{};
  infra::TemporaryDirectory folder;
  infra::TestDatabase place;
  infra::EventLoop loop;
  std::unique_ptr<infra::Clock> clock = infra::make_system_clock();
  std::unique_ptr<infra::Random> random = infra::make_system_random();
  std::unique_ptr<infra::HttpClient> http = infra::make_http_client({});
  keys::Operator op = keys::Operator::generate(*random);
  SoftwarePasskey passkey{Uint256(1).to_be(), std::string(kRpId), std::string(kOrigin)};
  SoftwarePasskey second{Uint256(2).to_be(), std::string(kRpId), std::string(kOrigin)};
  Bytes32 channel_key{};
  AlarmRules rules;
  devnet::ContractBundle bundle;
  devnet::Deployment deployment;
  std::unique_ptr<chain::EntryPoint> entry_point = chain::v0_8::make_entry_point();
  std::unique_ptr<chain::Anvil> anvil;
  std::unique_ptr<chain::ExecutionClient> client;
  std::unique_ptr<infra::ChildProcess> enclave;
  std::unique_ptr<CoreProxy> proxy;
  std::unique_ptr<infra::Database> database;
  std::unique_ptr<keys::ConnectedKeyService> service;
  infra::Event core_ready;
  keys::Error ended;
  keys::KeyInfo executor;
  keys::WalletInfo person;
  Address account{}, stranger{};
  // Wallets that the node follows the account with before its owner's.
  std::vector<keys::RecordId> strangers;
  std::unique_ptr<chain::BlockWatcher> blocks;
  std::unique_ptr<chain::FeeOracle> fees;
  std::unique_ptr<courier::Courier> courier;
  std::unique_ptr<AlarmBook> book;
  std::unique_ptr<accounts::AccountWatcher> watcher;
  Alarms* alarms = nullptr;
  // Connection to the core; the node's own tasks.
  std::unique_ptr<infra::TaskGroup> group, node;
};

TEST_F(AlarmChainTest, AThiefsOperationIsAnAlarmInItsBlockAndAFreezeInTheNext) {
  open_node();
  const Address loot = core::address_from_word(Uint256(0x1007).to_be());
  const Bytes32 theft = thief_spends(loot, milliether(50));
  mine();
  const auto receipt = loop.block_on(client->receipt(theft)).value();
  ASSERT_TRUE(receipt && receipt->success);
  EXPECT_EQ(loop.block_on(client->balance(loot)).value(), milliether(50));
  EXPECT_EQ(state().frozen_until_s, 0u);

  look();
  until([this] { return !list().empty() && list()[0].freeze && list()[0].freeze->state == FreezeState::sent; });
  const auto alarms_now = list();
  const Alarm& alarm = alarms_now[0];
  EXPECT_EQ(alarm.what, AlarmClass::unknown_submitter);
  EXPECT_EQ(alarm.block_number, receipt->block_number);
  EXPECT_EQ(alarm.transaction_hash, theft);
  until([this] { return list()[0].submitter == stranger; });

  // The courier's transaction is in the chain's own queue: the very next block has it.
  until([this] {
    return loop.block_on(client->transaction_count(executor.address, chain::BlockRef::pending())).value() == 1;
  });
  mine();
  const accounts::AccountState frozen = state();
  EXPECT_EQ(frozen.frozen_until_s, now_s() + 7 * 86'400);
  EXPECT_EQ(frozen.server_freeze_not_before_s, frozen.frozen_until_s + 30 * 86'400);
  look();
  until([this] { return find(list(), AlarmClass::server_frozen) != nullptr; });
  until([this] { return find(list(), AlarmClass::server_frozen)->submitter == executor.address; });

  // The freeze itself is an alarm, and no second freeze.
  for (int block = 0; block < 4; block++) {
    mine();
    look();
  }
  until([this] { return list()[0].freeze->state == FreezeState::frozen; });
  EXPECT_EQ(loop.block_on(client->transaction_count(executor.address)).value(), 1u);
}

TEST_F(AlarmChainTest, AStrangersWalletThatAdoptedTheAccountFirstChangesNeitherFreezeNorComparison) {
  stranger_adopts();
  stranger_adopts();
  open_node();
  EXPECT_EQ(difference().wallet, person.id);
  EXPECT_EQ(difference().next, KeyStep::agreed);
  thief_spends(stranger, milliether(1));
  mine();
  look();
  until([this] { return !list().empty() && list()[0].freeze && list()[0].freeze->state == FreezeState::sent; });
  until([this] {
    return loop.block_on(client->transaction_count(executor.address, chain::BlockRef::pending())).value() == 1;
  });
  mine();
  EXPECT_EQ(state().frozen_until_s, now_s() + 7 * 86'400);
}

TEST_F(AlarmChainTest, ANodeThatDiesWhileTheFreezeIsOnItsWayFreezesOnce) {
  open_node();
  thief_spends(stranger, milliether(1));
  mine();
  look();
  until([this] { return !list().empty() && list()[0].freeze && list()[0].freeze->state == FreezeState::sent; });
  kill_and_start_node();
  until([this] {
    return loop.block_on(client->transaction_count(executor.address, chain::BlockRef::pending())).value() == 1;
  });
  mine();
  EXPECT_NE(state().frozen_until_s, 0u);
  for (int block = 0; block < 4; block++) {
    mine();
    look();
  }
  until([this] { return list()[0].freeze->state == FreezeState::frozen; });
  EXPECT_EQ(loop.block_on(client->transaction_count(executor.address)).value(), 1u);
}

TEST_F(AlarmChainTest, ACoreThatMayNotFreezeIsNamedByTheAlarm) {
  configure(false);
  open_node();
  thief_spends(stranger, milliether(1));
  mine();
  look();
  until([this] { return !list().empty() && list()[0].freeze && list()[0].freeze->state == FreezeState::refused; });
  EXPECT_NE(list()[0].freeze->reason.find("server_freeze_not_allowed"), std::string::npos);
  EXPECT_EQ(state().frozen_until_s, 0u);
}

// --- a change of keys between core and chain -------------------------------------------------------------------------

TEST_F(AlarmChainTest, ANodeThatDiesBeforeTheCoresCommitHasChangedNothing) {
  put_proxy_before_core();
  open_node();
  EXPECT_EQ(difference().next, KeyStep::agreed);
  kill_and_start_node();
  proxy->cut_at(static_cast<std::uint16_t>(protocol::Command::commit));
  const auto request = adds_second_passkey(now_s() + 86'400, 1);
  const auto lost = loop.block_on(service->change_account_keys(request));
  EXPECT_TRUE(proxy->has_cut());
  EXPECT_EQ(lost.error().code, keys::ErrorCode::unavailable);
  kill_and_start_node();
  EXPECT_EQ(difference().next, KeyStep::agreed);
}

TEST_F(AlarmChainTest, ANodeThatDiesAfterTheCoresCommitLearnsWhatTheChainLacks) {
  put_proxy_before_core();
  open_node();
  EXPECT_EQ(difference().next, KeyStep::agreed);
  kill_and_start_node();
  // The core has committed and signed; neither the database nor anybody else has seen the answer.
  proxy->cut_at(static_cast<std::uint16_t>(protocol::Command::commit) | protocol::kReplyBit);
  const auto request = adds_second_passkey(now_s() + 86'400, 1);
  const auto lost = loop.block_on(service->change_account_keys(request));
  EXPECT_TRUE(proxy->has_cut());
  EXPECT_EQ(lost.error().code, keys::ErrorCode::unavailable);
  kill_and_start_node();
  const KeyDifference found = difference();
  EXPECT_EQ(found.next, KeyStep::repeat);
  ASSERT_EQ(found.only_in_core.size(), 1u);
  EXPECT_EQ(found.only_in_core[0].key.public_key, second.public_key());
  const auto again = loop.block_on(service->change_account_keys(request));
  ASSERT_TRUE(again) << again.error().text();
  EXPECT_TRUE(submit(call_of(request, *again)));
  look();
  EXPECT_EQ(difference().next, KeyStep::agreed);
}

TEST_F(AlarmChainTest, ACommittedChangeThatWasNeverSentIsRepeatedAndThenAgreed) {
  open_node();
  EXPECT_EQ(difference().next, KeyStep::agreed);
  const auto request = adds_second_passkey(now_s() + 86'400, 1);
  const auto gate = loop.block_on(service->change_account_keys(request));
  ASSERT_TRUE(gate) << gate.error().text();
  // The node dies before anything is sent.
  kill_and_start_node();
  const KeyDifference found = difference();
  EXPECT_EQ(found.next, KeyStep::repeat);
  ASSERT_EQ(found.only_in_core.size(), 1u);
  EXPECT_EQ(found.only_in_core[0].key.public_key, second.public_key());
  EXPECT_TRUE(found.only_on_chain.empty());
  EXPECT_FALSE(found.server_key_differs());
  // The same request again is answered with the same signature, and that brings both together.
  const auto again = loop.block_on(service->change_account_keys(request));
  ASSERT_TRUE(again);
  EXPECT_EQ(again->signature.to_rsv(), gate->signature.to_rsv());
  EXPECT_TRUE(submit(call_of(request, *again)));
  look();
  const KeyDifference after = difference();
  EXPECT_EQ(after.next, KeyStep::agreed);
  EXPECT_EQ(after.key_epoch, 1u);
  EXPECT_EQ(difference().agreed.key_epoch, 1u);
}

TEST_F(AlarmChainTest, ACommittedChangeThatRevertedIsSignedAnew) {
  open_node();
  EXPECT_EQ(difference().next, KeyStep::agreed);
  const auto late = adds_second_passkey(now_s() + 60, 1);
  const auto gate = loop.block_on(service->change_account_keys(late));
  ASSERT_TRUE(gate) << gate.error().text();
  wait_on_chain(120);
  EXPECT_FALSE(submit(call_of(late, *gate)));
  look();
  EXPECT_EQ(difference().next, KeyStep::repeat);
  const auto anew = adds_second_passkey(now_s() + 86'400, 2);
  const auto signed_anew = loop.block_on(service->change_account_keys(anew));
  ASSERT_TRUE(signed_anew) << signed_anew.error().text();
  EXPECT_TRUE(submit(call_of(anew, *signed_anew)));
  look();
  EXPECT_EQ(difference().next, KeyStep::agreed);
}

TEST_F(AlarmChainTest, AnEscapeToAnotherNodeIsToldAndNothingIsRepeated) {
  open_node();
  EXPECT_EQ(difference().next, KeyStep::agreed);
  escape_to(stranger);
  look();
  const KeyDifference found = difference();
  EXPECT_EQ(found.next, KeyStep::account_left);
  EXPECT_EQ(found.server_key, stranger);
  EXPECT_EQ(found.server_key_in_core, person.server_key);
  EXPECT_FALSE(found.server_key_index);
  EXPECT_EQ(found.only_in_core.size(), 1u);
  EXPECT_EQ(found.only_on_chain.size(), 1u);
  until([this] { return list().size() == 2; });
  EXPECT_NE(find(list(), AlarmClass::escape_started), nullptr);
  EXPECT_NE(find(list(), AlarmClass::keys_changed), nullptr);
}

TEST_F(AlarmChainTest, AnEscapeThatKeepsTheServerKeyIsBroughtInLineByTheOwner) {
  open_node();
  EXPECT_EQ(difference().next, KeyStep::agreed);
  escape_to(person.server_key);
  look();
  const KeyDifference found = difference();
  EXPECT_EQ(found.next, KeyStep::chain_moved);
  EXPECT_EQ(found.key_epoch, 1u);
  EXPECT_EQ(found.agreed.key_epoch, 0u);
  EXPECT_EQ(found.only_on_chain.size(), 1u);
}

}  // namespace
}  // namespace community::alarms
