// SPDX-License-Identifier: Apache-2.0
// Both ends of the door against each other: what goes in comes out, and nothing goes in without the token.
#include <gtest/gtest.h>

#include "community/control/factory.hpp"
#include "community/infra/fake/temporary_directory.hpp"

namespace community::control {
namespace {

const std::string kToken(64, 'a');

// Remembers what it was asked and answers what it is told to.
class RecordingWallets final : public keys::WalletKeys {
 public:
  Task<keys::Result<keys::WalletInfo>> create_wallet(keys::Passkey given, protocol::Policy wanted) override {
    passkey = std::move(given);
    policy = wanted;
    co_return keys::WalletInfo{{7}, {8}};
  }
  Task<keys::Result<Address>> bind_account(keys::AccountBindRequest request) override {
    bind = std::move(request);
    if (refusal) co_return keys::refuse(*refusal);
    co_return Address{9};
  }
  Task<keys::Result<Address>> adopt_account(keys::AccountAdoptRequest request) override {
    adopt = std::move(request);
    if (refusal) co_return keys::refuse(*refusal);
    co_return Address{10};
  }
  Task<keys::Result<keys::SignedUserop>> sign_userop(keys::UseropRequest request) override {
    userop = std::move(request);
    keys::SignedUserop out;
    out.signature = signature();
    out.hash = {3};
    out.max_cost = core::Uint256(4);
    out.self_call.ticket = {5};
    co_return out;
  }
  Task<keys::Result<keys::SignedSession>> sign_session(keys::SessionRequest request) override {
    session = std::move(request);
    keys::SignedSession out;
    out.signature = signature();
    out.hash = {3};
    co_return out;
  }
  Task<keys::Result<keys::SignedDigest>> sign_action(keys::ActionRequest request) override {
    action = std::move(request);
    co_return keys::SignedDigest{signature(), {6}};
  }
  Task<keys::Result<keys::SignedDigest>> change_account_keys(keys::KeyChangeRequest request) override {
    change = std::move(request);
    co_return keys::SignedDigest{signature(), {6}};
  }
  Task<keys::Result<protocol::WalletDescribeReply>> describe_wallet(keys::RecordId wallet,
                                                                    std::uint32_t index) override {
    described = {wallet, index};
    protocol::WalletDescribeReply reply;
    reply.server_key = {4, 4};
    reply.passkey_count = 1;
    reply.passkeys[0].credential_hash = {1};
    co_return reply;
  }

  static core::Signature signature() {
    core::Signature out;
    out.r = {1};
    out.s = {2};
    out.y_parity = 1;
    return out;
  }

  keys::Passkey passkey;
  protocol::Policy policy;
  keys::AccountBindRequest bind;
  keys::AccountAdoptRequest adopt;
  keys::UseropRequest userop;
  keys::SessionRequest session;
  keys::ActionRequest action;
  keys::KeyChangeRequest change;
  std::pair<keys::RecordId, std::uint32_t> described;
  std::optional<protocol::Error> refusal;
};

class RecordingRootKeys final : public keys::RootKeys {
 public:
  Task<keys::Result<keys::CoreStatus>> status() override { co_return core; }
  Task<keys::Result<std::uint32_t>> rotate_root_key(Bytes given, std::array<std::uint8_t, 64> by) override {
    order = std::move(given);
    signature = by;
    if (refusal) co_return keys::refuse(*refusal);
    co_return 3;
  }
  Task<keys::Result<void>> retire_root_key(Bytes given, std::array<std::uint8_t, 64> by) override {
    order = std::move(given);
    signature = by;
    if (refusal) co_return keys::refuse(*refusal);
    co_return keys::Result<void>{};
  }
  Task<keys::Result<keys::ResealProgress>> reseal_progress() override {
    co_return keys::ResealProgress{10'000'000'000, 2, 3, true};
  }

  keys::CoreStatus core;
  Bytes order;
  std::array<std::uint8_t, 64> signature{};
  std::optional<protocol::Error> refusal;
};

class RecordingGenericKeys final : public keys::GenericKeys {
 public:
  Task<keys::Result<std::vector<keys::GenericKey>>> generic_keys() override {
    co_return std::vector<keys::GenericKey>{key()};
  }
  Task<keys::Result<keys::GenericKey>> create_generic_key(Bytes given, std::array<std::uint8_t, 64> by) override {
    order = std::move(given);
    signature = by;
    if (refusal) co_return keys::refuse(*refusal);
    co_return key();
  }
  Task<keys::Result<void>> delete_generic_key(keys::RecordId id, Bytes given,
                                              std::array<std::uint8_t, 64> by) override {
    named = id;
    order = std::move(given);
    signature = by;
    co_return keys::Result<void>{};
  }
  Task<keys::Result<protocol::GenericSignature>> sign_generic(keys::RecordId id, protocol::GenericHash with,
                                                              Bytes given) override {
    named = id;
    hash = with;
    message = std::move(given);
    protocol::GenericSignature made;
    made.signature[0] = 7;
    made.recovery_id = 1;
    co_return made;
  }
  static keys::GenericKey key() {
    keys::GenericKey key;
    key.id[0] = 5;
    key.type = protocol::GenericKeyType::ed25519;
    key.public_key = Bytes(32, 6);
    return key;
  }

  Bytes order, message;
  std::array<std::uint8_t, 64> signature{};
  keys::RecordId named{};
  protocol::GenericHash hash{};
  std::optional<protocol::Error> refusal;
};

class RecordingUsers final : public users::UsersOperator {
 public:
  Task<users::Result<std::vector<users::PersonSummary>>> list(std::string behind, std::size_t most) override {
    after = std::move(behind);
    limit = most;
    co_return std::vector<users::PersonSummary>{person};
  }
  Task<users::Result<users::PersonSummary>> show(std::string id) override {
    if (id != person.user_id) co_return users::fail(users::ErrorCode::not_found);
    co_return person;
  }
  Task<users::Result<std::string>> find(std::string email) override {
    if (email != "ada@example.com") co_return users::fail(users::ErrorCode::not_found);
    co_return person.user_id;
  }
  Task<users::Result<void>> set_active(std::string id, bool wanted) override {
    if (id != person.user_id) co_return users::fail(users::ErrorCode::not_found);
    person.is_active = wanted;
    co_return users::Result<void>{};
  }
  Task<users::Result<std::size_t>> end_sessions(std::string id) override {
    if (id != person.user_id) co_return users::fail(users::ErrorCode::not_found);
    co_return std::size_t{3};
  }

  users::PersonSummary person{"4f1c2f0a-8d3e-4a51-9f0e-1f2d3c4b5a69", 5, true, 1, 2, 3, 7};
  std::string after;
  std::size_t limit = 0;
};

class RecordingTreasurer final : public treasury::Treasurer {
 public:
  Task<treasury::Result<std::uint64_t>> pay(treasury::PaymentKind of, Address to, core::Uint256 amount) override {
    kind = of;
    payee = to;
    value = amount;
    if (value.is_zero()) co_return treasury::fail(treasury::ErrorCode::value_out_of_range, "nothing");
    co_return 4;
  }
  Task<treasury::Result<treasury::Payment>> payment(std::uint64_t id) override { co_return one(id); }
  Task<treasury::Result<treasury::TreasuryReport>> report() override {
    treasury::TreasuryReport report;
    report.address = {1};
    report.balance = core::Uint256(9);
    report.holdings = {{treasury::PaymentKind::deposit, {2}, core::Uint256(8)}};
    report.payments = {one(4)};
    co_return report;
  }
  Task<void> run() override { co_return; }
  static treasury::Payment one(std::uint64_t id) {
    treasury::Payment payment;
    payment.id = id;
    payment.kind = treasury::PaymentKind::deposit;
    payment.payee = {2};
    payment.value = core::Uint256(3);
    payment.automatic = true;
    payment.state = treasury::PaymentState::failed;
    payment.reason = "budget_exhausted";
    return payment;
  }

  treasury::PaymentKind kind{};
  Address payee{};
  core::Uint256 value;
};

class RecordingBackup final : public keys::BackupKeys {
 public:
  Task<keys::Result<Bytes32>> peer_challenge() override { co_return Bytes32{1}; }
  Task<keys::Result<Bytes>> evidence(Bytes32 given) override {
    challenge = given;
    co_return Bytes(protocol::kMaxEvidence, 2);
  }
  Task<keys::Result<keys::MadeBackup>> create_backup(keys::SignedMessage given) override {
    order = std::move(given);
    if (refusal) co_return keys::refuse(*refusal);
    co_return keys::MadeBackup{Bytes(protocol::kMaxBackupDescription, 3), {4}};
  }
  Task<keys::Result<keys::SentShare>> backup_share(Bytes given, std::uint8_t at, Bytes32 by, Bytes shown) override {
    description = std::move(given);
    index = at;
    challenge = by;
    shown_evidence = std::move(shown);
    co_return keys::SentShare{Bytes(5, 5), Bytes(protocol::kMaxSharePackage + 197, 6)};
  }
  Task<keys::Result<Bytes>> checkpoint() override {
    if (refusal) co_return keys::refuse(*refusal);
    co_return Bytes(protocol::kMaxCheckpoint, 7);
  }
  Task<keys::Result<protocol::FenceCertificate>> fence_certificate() override {
    co_return protocol::FenceCertificate{{8}, 9, {10}, {11}};
  }
  Task<keys::Result<void>> fence(protocol::FenceCertificate given) override {
    if (refusal) co_return keys::refuse(*refusal);
    certificate = given;
    co_return keys::Result<void>{};
  }

  Bytes32 challenge{};
  keys::SignedMessage order;
  Bytes description, shown_evidence;
  std::uint8_t index = 0;
  protocol::FenceCertificate certificate;
  std::optional<protocol::Error> refusal;
};

class RecordingCourier final : public courier::Courier {
 public:
  Task<courier::Result<Bytes32>> accept(Address given_to, Bytes given) override {
    to = given_to;
    data = std::move(given);
    if (data.empty()) co_return courier::fail(courier::ErrorCode::call_invalid, "it is empty");
    co_return Bytes32{1};
  }
  Task<courier::Result<courier::Errand>> errand(Bytes32 id) override {
    courier::Errand one;
    one.id = id;
    one.state = courier::ErrandState::included;
    one.transaction_hash = {2};
    one.block_number = 77;
    co_return one;
  }
  Task<void> run() override { co_return; }
  std::optional<Address> address() const override { return std::nullopt; }

  Address to{};
  Bytes data;
};

class RecordingAlarms final : public alarms::Alarms {
 public:
  Task<alarms::Result<void>> follow(Address account, keys::RecordId wallet) override {
    followed.emplace_back(account, wallet);
    co_return alarms::Result<void>{};
  }
  Task<alarms::Result<std::vector<alarms::Alarm>>> list(alarms::AlarmQuery given) override {
    query = given;
    alarms::Alarm one;
    one.id = 5;
    one.account = {9};
    co_return std::vector<alarms::Alarm>{one};
  }
  Task<alarms::Result<void>> acknowledge(std::int64_t id) override {
    if (id != 5) co_return alarms::fail(alarms::ErrorCode::alarm_unknown, "there is none");
    co_return alarms::Result<void>{};
  }
  Task<alarms::Result<alarms::KeyDifference>> difference(Address account) override {
    alarms::KeyDifference one;
    one.account = account;
    one.next = alarms::KeyStep::repeat;
    co_return one;
  }
  Task<void> run() override { co_return; }

  std::vector<std::pair<Address, keys::RecordId>> followed;
  alarms::AlarmQuery query;
};

// Carries requests to a handler, as a network would.
class Wire final : public infra::HttpClient {
 public:
  Task<infra::Result<infra::HttpResponse>> send(infra::HttpCall call) override {
    infra::HttpRequest request;
    request.method = call.method;
    request.target = infra::parse_http_url(call.url)->target;
    request.headers = call.headers;
    if (origin) request.headers.add("origin", *origin);
    request.body = call.body;
    last_body = call.body;
    auto response = co_await handler(std::move(request));
    last_status = response.status;
    co_return response;
  }

  infra::HttpHandler handler;
  std::optional<std::string> origin;
  std::string last_body;
  unsigned last_status = 0;
};

class ControlTest : public ::testing::Test {
 protected:
  ControlTest() {
    info.chain_id = 31'337;
    info.rpc_url = "http://localhost:3000";
    info.factory = {1};
    info.entry_point = {2};
    info.proxy_init_code_hash = {3};
    info.multisig_factory = {5};
    info.multisig_proxy_init_code_hash = {6};
    info.paymaster = {4};
    info.rp_id = "localhost";
    info.web_origin = "http://localhost:9000";
    door = make_control_door({wallets, root_keys, courier, alarms, generic_keys, backup, &treasurer, &users}, info,
                             kToken);
    wire.handler = door->handler();
    client = std::make_unique<ControlClient>(wire, ControlPlace{"http://localhost:9000/control", kToken});
  }

  static keys::Assertion assertion() { return {{1, 2}, {3, 4, 5}, Bytes(37, 6), {7}}; }

  infra::EventLoop loop;
  RecordingWallets wallets;
  RecordingRootKeys root_keys;
  RecordingGenericKeys generic_keys;
  RecordingTreasurer treasurer;
  RecordingUsers users;
  RecordingCourier courier;
  Wire wire;
  NodeInfo info;
  RecordingAlarms alarms;
  RecordingBackup backup;
  std::unique_ptr<ControlDoor> door;
  std::unique_ptr<ControlClient> client;
};

TEST_F(ControlTest, TellsWhatAClientMustKnow) {
  const auto told = loop.block_on(client->info());
  ASSERT_TRUE(told) << told.error().text();
  EXPECT_EQ(told->chain_id, 31'337u);
  EXPECT_EQ(told->rpc_url, info.rpc_url);
  EXPECT_EQ(told->multisig_factory, info.multisig_factory);
  EXPECT_EQ(told->multisig_proxy_init_code_hash, info.multisig_proxy_init_code_hash);
  EXPECT_EQ(told->paymaster, info.paymaster);
  EXPECT_EQ(told->web_origin, info.web_origin);
}

TEST_F(ControlTest, NothingWithoutTheToken) {
  for (const std::string& token : {std::string(), std::string(64, 'b'), kToken.substr(1), kToken + "a"}) {
    ControlClient stranger(wire, ControlPlace{"http://localhost:9000/control", token});
    EXPECT_FALSE(loop.block_on(stranger.info()));
    EXPECT_EQ(wire.last_status, 401u) << token;
  }
  // Not in the address, where logs would keep it.
  infra::HttpRequest request;
  request.method = "POST";
  request.target = "/control?apikey=" + kToken;
  request.headers.add("x-api-key", kToken);
  request.body = R"({"jsonrpc":"2.0","id":1,"method":"control_info"})";
  EXPECT_EQ(loop.block_on(wire.handler(std::move(request))).status, 401u);
}

TEST_F(ControlTest, NobodyFromAnotherMachineIsAnswered) {
  const auto status = [this](const std::string& remote) {
    infra::HttpRequest request;
    request.method = "POST";
    request.remote = remote;
    request.headers.add("authorization", "Bearer " + kToken);
    request.body = R"({"jsonrpc":"2.0","id":1,"method":"control_info"})";
    return loop.block_on(wire.handler(std::move(request))).status;
  };
  EXPECT_EQ(status("127.0.0.1"), 200u);
  EXPECT_EQ(status("::1"), 200u);
  EXPECT_EQ(status("::ffff:127.0.0.1"), 200u);
  for (const char* remote : {"192.0.2.1", "127.0.0.1.example", "::ffff:192.0.2.1"}) EXPECT_EQ(status(remote), 401u);
}

TEST_F(ControlTest, NoPageIsAnswered) {
  wire.origin = "http://localhost:9000";
  EXPECT_FALSE(loop.block_on(client->info()));
  EXPECT_EQ(wire.last_status, 401u);
}

TEST_F(ControlTest, WalletsAndAccountsArriveAsTheyWereMade) {
  protocol::Policy policy;
  policy.call_value_cap = core::Uint256(10);
  policy.flags = protocol::kPolicyListedOnly;
  policy.rule_count = 1;
  policy.rules[0].contract = {5};
  keys::Passkey passkey{{1, 2, 3}, {4}, {5}};
  const auto made = loop.block_on(client->create_wallet(passkey, policy));
  ASSERT_TRUE(made) << made.error().text();
  EXPECT_EQ(made->id, protocol::RecordId{7});
  EXPECT_EQ(wallets.passkey.credential_id, passkey.credential_id);
  EXPECT_EQ(wallets.passkey.public_key, passkey.public_key);
  EXPECT_EQ(wallets.policy.call_value_cap, policy.call_value_cap);
  EXPECT_EQ(wallets.policy.rules[0].contract, policy.rules[0].contract);

  keys::AccountBindRequest bind{{7}, 31'337, 2, Bytes(100, 1)};
  EXPECT_EQ(loop.block_on(client->bind_account(bind)).value(), Address{9});
  EXPECT_EQ(wallets.bind.init_data, bind.init_data);
  EXPECT_EQ(wallets.bind.server_key_index, 2u);
  EXPECT_EQ(alarms.followed.back(), std::pair(Address{9}, keys::RecordId{7}));

  keys::AccountAdoptRequest adopt{{7}, 31'337, {12}, 3, assertion()};
  EXPECT_EQ(loop.block_on(client->adopt_account(adopt)).value(), Address{10});
  EXPECT_EQ(wallets.adopt.account, adopt.account);
  EXPECT_EQ(wallets.adopt.server_key_index, 3u);
  EXPECT_EQ(wallets.adopt.assertion.client_data, adopt.assertion.client_data);
  EXPECT_EQ(alarms.followed.back(), std::pair(Address{12}, keys::RecordId{7}));
}

TEST_F(ControlTest, AnAccountThatTheWalletHasAlreadyIsFollowedAllTheSame) {
  const keys::AccountAdoptRequest adopt{{7}, 31'337, {12}, 3, assertion()};
  wallets.refusal = protocol::Error::challenge_mismatch;
  EXPECT_EQ(loop.block_on(client->adopt_account(adopt)).error().refusal, protocol::Error::challenge_mismatch);
  EXPECT_TRUE(alarms.followed.empty());
  wallets.refusal = protocol::Error::account_exists;
  EXPECT_EQ(loop.block_on(client->adopt_account(adopt)).error().refusal, protocol::Error::account_exists);
  ASSERT_EQ(alarms.followed.size(), 1u);
  EXPECT_EQ(alarms.followed[0], std::pair(Address{12}, keys::RecordId{7}));
}

TEST_F(ControlTest, OperationsArriveAsTheyWereMade) {
  keys::UseropRequest userop;
  userop.wallet = {7};
  userop.chain_id = 31'337;
  userop.entry_point = {2};
  userop.userop.sender = {9};
  userop.userop.nonce = core::Uint256(12);
  userop.userop.init_code = Bytes(30, 1);
  userop.userop.call_data = Bytes(40, 2);
  userop.userop.account_gas_limits = {3};
  userop.userop.pre_verification_gas = core::Uint256(4);
  userop.userop.gas_fees = {5};
  userop.userop.paymaster_and_data = Bytes(60, 6);
  userop.assertion = assertion();
  userop.server_key_index = 3;
  const auto is_signed = loop.block_on(client->sign_userop(userop));
  ASSERT_TRUE(is_signed) << is_signed.error().text();
  EXPECT_EQ(is_signed->signature, RecordingWallets::signature());
  EXPECT_EQ(is_signed->self_call.ticket, Bytes32{5});
  EXPECT_EQ(wallets.userop.userop, userop.userop);
  EXPECT_EQ(wallets.userop.assertion.client_data, userop.assertion.client_data);
  EXPECT_EQ(wallets.userop.assertion.signature, userop.assertion.signature);
  EXPECT_EQ(wallets.userop.server_key_index, 3u);

  keys::SessionRequest session;
  session.wallet = {7};
  session.userop = userop.userop;
  session.ticket = {8};
  ASSERT_TRUE(loop.block_on(client->sign_session(session)));
  EXPECT_EQ(wallets.session.ticket, session.ticket);
  EXPECT_EQ(wallets.session.userop, userop.userop);
}

TEST_F(ControlTest, ActionsAndChangesArriveAsTheyWereMade) {
  keys::ActionRequest action;
  action.wallet = {7};
  action.account = {9};
  action.action.kind = protocol::ActionKind::cancel;
  action.action.hash = {4};
  action.action.stamp = {1, core::Uint256(2), 3};
  action.assertion = assertion();
  ASSERT_TRUE(loop.block_on(client->sign_action(action)));
  EXPECT_EQ(wallets.action.action.hash, action.action.hash);
  EXPECT_EQ(wallets.action.action.stamp.deadline, 3u);
  EXPECT_EQ(wallets.action.assertion.authenticator_data, action.assertion.authenticator_data);

  keys::KeyChangeRequest change;
  change.wallet = {7};
  change.account = {9};
  change.change.added_count = 1;
  change.change.added[0].credential_hash = {5};
  change.change.server_key = protocol::NewServerKey::foreign;
  change.change.foreign_key = {6};
  change.change.votes = 2;
  change.assertion = assertion();
  ASSERT_TRUE(loop.block_on(client->change_account_keys(change)));
  EXPECT_EQ(wallets.change.change.foreign_key, change.change.foreign_key);
  EXPECT_EQ(wallets.change.change.added[0].credential_hash, change.change.added[0].credential_hash);

  const auto described = loop.block_on(client->describe_wallet({7}, 5));
  ASSERT_TRUE(described) << described.error().text();
  EXPECT_EQ(wallets.described.second, 5u);
  EXPECT_EQ(described->passkeys[0].credential_hash, Bytes32{1});
}

TEST_F(ControlTest, AFreezeNeedsNoAssertion) {
  keys::ActionRequest action;
  action.action.kind = protocol::ActionKind::freeze;
  EXPECT_TRUE(loop.block_on(client->sign_action(action)));
}

TEST_F(ControlTest, ARefusalOfTheTrustedCoreKeepsItsRule) {
  wallets.refusal = protocol::Error::init_data_foreign_server_key;
  const auto bound = loop.block_on(client->bind_account({{7}, 1, 0, Bytes(10, 1)}));
  ASSERT_FALSE(bound);
  EXPECT_EQ(bound.error().code, keys::ErrorCode::refused);
  EXPECT_EQ(bound.error().refusal, protocol::Error::init_data_foreign_server_key);
  EXPECT_TRUE(alarms.followed.empty());
}

TEST_F(ControlTest, OrdersAboutRootKeysArriveAsTheyWereSigned) {
  const Bytes order(20, 5);
  const std::array<std::uint8_t, 64> signature{9, 8, 7};
  EXPECT_EQ(loop.block_on(client->rotate_root_key(order, signature)).value(), 3u);
  EXPECT_EQ(root_keys.order, order);
  EXPECT_EQ(root_keys.signature, signature);
  const Bytes other(20, 6);
  EXPECT_TRUE(loop.block_on(client->retire_root_key(other, signature)));
  EXPECT_EQ(root_keys.order, other);
  root_keys.refusal = protocol::Error::root_key_in_use;
  EXPECT_EQ(loop.block_on(client->retire_root_key(other, signature)).error().refusal, protocol::Error::root_key_in_use);
  root_keys.refusal = protocol::Error::too_many_root_keys;
  EXPECT_EQ(loop.block_on(client->rotate_root_key(other, signature)).error().refusal,
            protocol::Error::too_many_root_keys);
}

TEST_F(ControlTest, WhatABackupTakesArrivesWhole) {
  EXPECT_EQ(loop.block_on(client->peer_challenge()).value(), Bytes32{1});
  EXPECT_EQ(loop.block_on(client->evidence({12})).value(), Bytes(protocol::kMaxEvidence, 2));
  EXPECT_EQ(backup.challenge, Bytes32{12});
  const keys::SignedMessage order{Bytes(protocol::kMaxBackupDescription, 13), {14}};
  const auto made = loop.block_on(client->create_backup(order));
  ASSERT_TRUE(made) << made.error().text();
  EXPECT_EQ(made->description, Bytes(protocol::kMaxBackupDescription, 3));
  EXPECT_EQ(made->signature[0], 4);
  EXPECT_EQ(backup.order.message, order.message);
  EXPECT_EQ(backup.order.signature, order.signature);
  for (const Bytes& evidence : {Bytes(), Bytes(20, 15)}) {
    const auto sent = loop.block_on(client->backup_share(Bytes(9, 16), 16, {17}, evidence));
    ASSERT_TRUE(sent) << sent.error().text();
    EXPECT_EQ(sent->package, Bytes(protocol::kMaxSharePackage + 197, 6));
    EXPECT_EQ(backup.shown_evidence, evidence) << "an offline holder has none";
    EXPECT_EQ(backup.index, 16);
    EXPECT_EQ(backup.challenge, Bytes32{17});
    EXPECT_EQ(backup.description, Bytes(9, 16));
  }
  EXPECT_EQ(loop.block_on(client->checkpoint()).value(), Bytes(protocol::kMaxCheckpoint, 7));
  const auto certificate = loop.block_on(client->fence_certificate());
  ASSERT_TRUE(certificate);
  EXPECT_EQ(certificate->recovery_count, 9u);
  EXPECT_TRUE(loop.block_on(client->fence(*certificate)));
  EXPECT_EQ(backup.certificate.identity_key[0], 10);
  backup.refusal = protocol::Error::backup_missing;
  EXPECT_EQ(loop.block_on(client->checkpoint()).error().refusal, protocol::Error::backup_missing);
  EXPECT_EQ(loop.block_on(client->fence(*certificate)).error().refusal, protocol::Error::backup_missing);
}

TEST_F(ControlTest, TheStatusOfTheCoreAndTheProgressArriveWhole) {
  root_keys.core.body = protocol::Body::optee_qemu;
  root_keys.core.protection = protocol::Protection::emulated;
  root_keys.core.epoch = 77;
  root_keys.core.root_keys = {{1, 40}, {2, 60}};
  root_keys.core.records_counted = true;
  root_keys.core.budgets.resize(2);
  root_keys.core.budgets[1].sponsor_left = core::Uint256(5);
  const auto status = loop.block_on(client->status());
  ASSERT_TRUE(status) << status.error().text();
  EXPECT_EQ(status->protection, protocol::Protection::emulated);
  EXPECT_EQ(status->epoch, 77u);
  ASSERT_EQ(status->root_keys.size(), 2u);
  EXPECT_EQ(status->root_keys[1].records, 60u);
  EXPECT_TRUE(status->records_counted);
  EXPECT_EQ(status->newest_root_key(), 2u);
  ASSERT_EQ(status->budgets.size(), 2u);
  EXPECT_EQ(status->budgets[1].sponsor_left, core::Uint256(5));
  const auto progress = loop.block_on(client->reseal_progress());
  ASSERT_TRUE(progress) << progress.error().text();
  EXPECT_EQ(progress->left, 10'000'000'000u);
  EXPECT_EQ(progress->refused, 2u);
  EXPECT_EQ(progress->lost, 3u);
  EXPECT_TRUE(progress->is_running);
}

TEST_F(ControlTest, TheCourierIsReached) {
  EXPECT_EQ(loop.block_on(client->bring({5}, {1, 2, 3, 4})).value(), Bytes32{1});
  EXPECT_EQ(courier.to, Address{5});
  EXPECT_EQ(courier.data, (Bytes{1, 2, 3, 4}));
  const auto refused = loop.block_on(client->bring({5}, {}));
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("call_invalid"), std::string::npos);
  const auto errand = loop.block_on(client->errand({9}));
  ASSERT_TRUE(errand) << errand.error().text();
  EXPECT_EQ(errand->state, courier::ErrandState::included);
  EXPECT_EQ(errand->block_number, 77u);
}

TEST_F(ControlTest, AlarmsAndTheDifferenceOfKeysAreRead) {
  const auto list = loop.block_on(client->alarms(Address{9}, 3, 10));
  ASSERT_TRUE(list) << list.error().text();
  EXPECT_EQ(alarms.query.account, Address{9});
  EXPECT_EQ(alarms.query.since_id, 3);
  EXPECT_EQ(alarms.query.limit, 10u);
  EXPECT_EQ(list->at(0).at("id"), 5);
  ASSERT_TRUE(loop.block_on(client->alarms(std::nullopt, 0, 1)));
  EXPECT_FALSE(alarms.query.account);
  EXPECT_FALSE(loop.block_on(client->alarms(std::nullopt, 0, 1'001)));
  EXPECT_TRUE(loop.block_on(client->acknowledge(5)));
  const auto unknown = loop.block_on(client->acknowledge(6));
  ASSERT_FALSE(unknown);
  EXPECT_NE(unknown.error().message.find("alarm_unknown"), std::string::npos);
  const auto difference = loop.block_on(client->key_difference({9}));
  ASSERT_TRUE(difference) << difference.error().text();
  EXPECT_EQ(difference->at("next"), "repeat");
}

TEST_F(ControlTest, GenericKeysAreThoseOfTheNode) {
  const auto listed = loop.block_on(client->generic_keys());
  ASSERT_TRUE(listed) << listed.error().text();
  ASSERT_EQ(listed->size(), 1u);
  EXPECT_EQ(listed->front().public_key, Bytes(32, 6));
  EXPECT_EQ(listed->front().type, protocol::GenericKeyType::ed25519);
  const std::array<std::uint8_t, 64> signature{3};
  const auto made = loop.block_on(client->create_generic_key(Bytes(300, 2), signature));
  ASSERT_TRUE(made) << made.error().text();
  EXPECT_EQ(made->id[0], 5);
  EXPECT_EQ(generic_keys.order, Bytes(300, 2));
  EXPECT_EQ(generic_keys.signature, signature);
  generic_keys.refusal = protocol::Error::generic_order_out_of_sequence;
  const auto refused = loop.block_on(client->create_generic_key(Bytes(1), signature));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().refusal, protocol::Error::generic_order_out_of_sequence);
  const keys::RecordId id{8};
  const auto signed_one = loop.block_on(client->sign_generic(id, protocol::GenericHash::sha256, Bytes(2'000, 4)));
  ASSERT_TRUE(signed_one) << signed_one.error().text();
  EXPECT_EQ(signed_one->signature[0], 7);
  EXPECT_EQ(signed_one->recovery_id, 1);
  EXPECT_EQ(generic_keys.named, id);
  EXPECT_EQ(generic_keys.hash, protocol::GenericHash::sha256);
  EXPECT_EQ(generic_keys.message, Bytes(2'000, 4));
  ASSERT_TRUE(loop.block_on(client->delete_generic_key(keys::RecordId{9}, Bytes(5), signature)));
  EXPECT_EQ(generic_keys.named, keys::RecordId{9});
}

TEST_F(ControlTest, TheTreasuryPaysAndReports) {
  const auto id = loop.block_on(client->pay(treasury::PaymentKind::deposit, Address{2}, core::Uint256(3)));
  ASSERT_TRUE(id) << id.error().text();
  EXPECT_EQ(*id, 4u);
  EXPECT_EQ(treasurer.kind, treasury::PaymentKind::deposit);
  EXPECT_EQ(treasurer.payee, Address{2});
  EXPECT_EQ(treasurer.value, core::Uint256(3));
  const auto nothing = loop.block_on(client->pay(treasury::PaymentKind::executor, Address{2}, core::Uint256(0)));
  ASSERT_FALSE(nothing);
  EXPECT_NE(nothing.error().message.find("value_out_of_range"), std::string::npos);
  const auto payment = loop.block_on(client->payment(6));
  ASSERT_TRUE(payment) << payment.error().text();
  EXPECT_EQ(payment->id, 6u);
  EXPECT_EQ(payment->reason, "budget_exhausted");
  const auto report = loop.block_on(client->treasury());
  ASSERT_TRUE(report) << report.error().text();
  EXPECT_EQ(report->balance, core::Uint256(9));
  ASSERT_EQ(report->holdings.size(), 1u);
  EXPECT_EQ(report->holdings[0].balance, core::Uint256(8));
  ASSERT_EQ(report->payments.size(), 1u);
  EXPECT_TRUE(report->payments[0].automatic);
  EXPECT_EQ(report->payments[0].state, treasury::PaymentState::failed);
}

TEST_F(ControlTest, TheOperatorSeesAndLocksPeople) {
  const std::string id = users.person.user_id;
  const auto listed = loop.block_on(client->users("x", 7));
  ASSERT_TRUE(listed) << listed.error().text();
  EXPECT_EQ(users.after, "x");
  EXPECT_EQ(users.limit, 7u);
  ASSERT_EQ(listed->size(), 1u);
  EXPECT_EQ(listed->front().user_id, id);
  EXPECT_EQ(listed->front().created_ms, 5);
  EXPECT_TRUE(listed->front().is_active);
  EXPECT_EQ(listed->front().passkeys, 1u);
  EXPECT_EQ(listed->front().wallets, 2u);
  EXPECT_EQ(listed->front().sessions, 3u);
  EXPECT_EQ(listed->front().last_used_ms, 7);
  ASSERT_TRUE(loop.block_on(client->set_user_active(id, false)));
  EXPECT_FALSE(loop.block_on(client->user(id))->is_active);
  EXPECT_EQ(loop.block_on(client->user_of_email("ada@example.com"))->user_id, id);
  EXPECT_EQ(loop.block_on(client->end_user_sessions(id)).value(), 3u);
  const auto unknown = loop.block_on(client->user_of_email("eve@example.com"));
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().message, "not_found");
  EXPECT_FALSE(loop.block_on(client->set_user_active("x", true)));
  EXPECT_FALSE(loop.block_on(client->end_user_sessions("x")));
}

TEST_F(ControlTest, ANodeWithoutATreasurySaysWhy) {
  control::ControlDependencies without{wallets, root_keys, courier, alarms, generic_keys, backup, nullptr, nullptr};
  door = make_control_door(std::move(without), {}, kToken);
  wire.handler = door->handler();
  const auto report = loop.block_on(client->treasury());
  ASSERT_FALSE(report);
  EXPECT_NE(report.error().message.find("treasury.budget_gwei"), std::string::npos);
}

TEST_F(ControlTest, EachChainHasItsDoorBehindOnePath) {
  control::ControlDependencies without{wallets, root_keys, courier, alarms, generic_keys, backup, nullptr, nullptr};
  NodeInfo other;
  other.chain_id = 137;
  const auto second = make_control_door(std::move(without), other, kToken);
  wire.handler = door_by_chain({{31'337, door->handler()}, {137, second->handler()}});
  const ControlPlace place{"http://localhost:9000/control", kToken};
  EXPECT_NE(loop.block_on(client->info())->chain_id, 137u);
  ControlClient there(wire, on_chain(place, 137));
  const auto other_info = loop.block_on(there.info());
  ASSERT_TRUE(other_info) << other_info.error().text();
  EXPECT_EQ(other_info->chain_id, 137u);
  // Its own treasury, which it has none of, and never the first chain's.
  EXPECT_FALSE(loop.block_on(there.treasury()));
  EXPECT_TRUE(loop.block_on(client->treasury()));
  for (const std::uint64_t unknown : {0ull, 1ull, 1'371ull}) {
    ControlClient nowhere(wire, on_chain(place, unknown));
    EXPECT_FALSE(loop.block_on(nowhere.info()));
    EXPECT_EQ(wire.last_status, 404u);
  }
  // The token is asked for behind each of them.
  ControlClient stranger(wire, on_chain({place.url, std::string(64, 'b')}, 137));
  EXPECT_FALSE(loop.block_on(stranger.info()));
  EXPECT_EQ(wire.last_status, 401u);
}

TEST_F(ControlTest, AWrongMemberIsNamed) {
  const auto answered = [this](const std::string& method, const std::string& params) {
    infra::HttpRequest request;
    request.method = "POST";
    request.headers.add("authorization", "Bearer " + kToken);
    request.body = R"({"jsonrpc":"2.0","id":1,"method":")" + method + R"(","params":)" + params + "}";
    return loop.block_on(wire.handler(std::move(request))).body;
  };
  EXPECT_NE(answered("control_bring", R"({"to":"0x12","callData":"0x00"})").find("to is missing or wrong"),
            std::string::npos);
  EXPECT_NE(answered("control_describeWallet", "[]").find("missing or wrong"), std::string::npos);
  EXPECT_NE(answered("control_createWallet", R"({"passkey":7,"policy":"0x"})").find("passkey is missing or wrong"),
            std::string::npos);
  EXPECT_NE(
      answered("control_createWallet", R"({"passkey":{"credentialId":"0x01","publicKey":"0x)" + std::string(128, '0') +
                                           R"(","rpIdHash":"0x)" + std::string(64, '0') + R"("},"policy":"0xffff"})")
          .find("policy is missing or wrong"),
      std::string::npos);
}

TEST(ControlPlace, IsKeptForTheOwnerAloneAndGoesAway) {
  const infra::TemporaryDirectory folder;
  EXPECT_EQ(read_control_place(folder.path()).error().code, ErrorCode::not_running);
  ASSERT_TRUE(write_control_place(folder.path(), {"http://localhost:1/control", kToken}));
  const auto mode = std::filesystem::status(folder.path() / "control.json").permissions();
  EXPECT_EQ(mode, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  EXPECT_EQ(read_control_place(folder.path())->token, kToken);
  remove_control_place(folder.path());
  EXPECT_EQ(read_control_place(folder.path()).error().code, ErrorCode::not_running);
}

}  // namespace
}  // namespace community::control
