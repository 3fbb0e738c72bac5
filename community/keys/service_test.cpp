// SPDX-License-Identifier: Apache-2.0
// The key service against the real key-enclave: what is returned is committed, and no crash leaves the two disagreeing.
#define OPENSSL_API_COMPAT 0x10100000L
#include <fcntl.h>
#include <gtest/gtest.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/obj_mac.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "community/infra/factory.hpp"
#include "community/infra/fake/random.hpp"
#include "community/keys/api/operator.hpp"
#include "community/keys/factory.hpp"
#include "trusted/ethereum/calls.hpp"
#include "trusted/ethereum/typed_data.hpp"

namespace community::keys {
namespace {

namespace fs = std::filesystem;
using core::Bytes;

constexpr std::uint64_t kChain = 31'337;

class KeyServiceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "keys-test-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
    fs::create_directory(folder_ / "core");
    fs::permissions(folder_ / "core", fs::perms::owner_all);
    provision();
    start_core();
    open_database();
  }

  void TearDown() override {
    stop_core(SIGTERM);
    service_.reset();
    database_.reset();
    fs::remove_all(folder_);
  }

  static fs::path program() { return fs::path(COMMUNITY_BINARY_DIR) / "bin/key-enclave"; }

  void provision() {
    const std::string command = program().string() + " provision --state " + (folder_ / "core").string() +
                                " --operator-key " + core::to_plain_hex(operator_.public_key());
    FILE* out = popen(command.c_str(), "r");
    std::array<char, 128> line{};
    ASSERT_NE(fgets(line.data(), line.size(), out), nullptr);
    ASSERT_EQ(pclose(out), 0);
    channel_key_ = core::parse_bytes32(std::string_view(line.data(), 64), core::HexPrefix::optional).value();
  }

  void start_core() {
    int ready[2];
    ASSERT_EQ(pipe(ready), 0);
    core_ = fork();
    if (core_ == 0) {
      dup2(ready[1], 2);
      close(ready[0]);
      const std::string state = (folder_ / "core").string();
      execl(program().c_str(), "key-enclave", "serve", "--state", state.c_str(), "--socket", socket().c_str(),
            static_cast<char*>(nullptr));
      _exit(127);
    }
    close(ready[1]);
    std::array<char, 256> line{};
    ASSERT_GT(read(ready[0], line.data(), line.size()), 0);
    ASSERT_NE(std::string_view(line.data()).find("ready"), std::string_view::npos) << line.data();
    close(ready[0]);
  }

  void stop_core(int signal) {
    if (core_ <= 0) return;
    kill(core_, signal);
    waitpid(core_, nullptr, 0);
    core_ = -1;
  }

  std::string socket() const { return (folder_ / "socket").string(); }

  void open_database() {
    infra::DatabaseOptions options;
    options.url = "sqlite:" + (folder_ / "node.db").string();
    database_ = infra::Database::open(options, {key_migrations()}).value();
    service_ = make_key_service({*database_, *random_});
  }

  // Connects, runs `work` on the loop, disconnects.
  template <class Work>
  void with_service(Work work) {
    loop_.block_on(session(std::move(work)));
  }

  template <class Work>
  Task<void> session(Work work) {
    ChannelOptions options;
    options.socket_path = socket();
    options.channel_key = channel_key_;
    infra::TaskGroup group(loop_.executor());
    group.spawn(serve(options));
    const bool connected = co_await service_->connected().wait_for(infra::Milliseconds(20'000));
    EXPECT_TRUE(connected) << ended_.text();
    if (connected) co_await work(*service_);
    group.cancel();
    co_await group.join();
    service_ = make_key_service({*database_, *random_});
  }

  Task<void> serve(ChannelOptions options) { ended_ = co_await service_->serve(std::move(options)); }

  protocol::Configuration configuration() const {
    protocol::Configuration wanted;
    wanted.chain_count = 1;
    protocol::ChainConfig& chain = wanted.chains[0];
    chain.chain_id = kChain;
    chain.entry_point_count = 1;
    chain.entry_points[0] = {Address{0x43, 0x37}, 8};
    chain.account_factory = Address{0xfa};
    chain.proxy_init_code_hash = Bytes32{0x01};
    chain.bundle_gas_cap = 16'000'000;
    chain.fee_cap = Uint256(1'000'000'000'000);
    chain.executor_budget = chain.sponsor_budget = chain.sponsorship_cost_cap = Uint256(1'000'000'000'000'000'000);
    wanted.relying_party_count = 1;
    wanted.relying_parties[0] = {base::sha256(base::view("localhost")), base::view("http://localhost:9000")};
    return wanted;
  }

  // The generator of P-256, whose secret is 1.
  static Passkey passkey(std::uint8_t number) {
    Passkey key;
    key.credential_id = {number};
    key.public_key = core::parse_hex_array<64>(
                         "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
                         "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5",
                         core::HexPrefix::optional)
                         .value();
    key.rp_id_hash = base::sha256(base::view("localhost"));
    return key;
  }

  static std::string base64url(const Bytes32& bytes) {
    constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    std::string text;
    unsigned bits = 0, held = 0;
    for (const std::uint8_t byte : bytes) {
      bits = bits << 8 | byte;
      for (held += 8; held >= 6; held -= 6) text += kAlphabet[bits >> (held - 6) & 63];
    }
    return text + kAlphabet[bits << (6 - held) & 63];
  }

  // What passkey(1) answers to a challenge.
  static Assertion sign(const Bytes32& challenge) {
    Assertion assertion;
    assertion.credential_id = {1};
    const std::string client = "{\"type\":\"webauthn.get\",\"challenge\":\"" + base64url(challenge) +
                               "\",\"origin\":\"http://localhost:9000\",\"crossOrigin\":false}";
    assertion.client_data = core::to_bytes(base::view(client));
    assertion.authenticator_data = core::to_bytes(base::sha256(base::view("localhost")));
    assertion.authenticator_data.insert(assertion.authenticator_data.end(), {0x05, 0, 0, 0, 0});
    const Bytes32 digest = base::sha256({assertion.authenticator_data, base::sha256(assertion.client_data)});
    const std::unique_ptr<EC_KEY, decltype(&EC_KEY_free)> key(EC_KEY_new_by_curve_name(NID_X9_62_prime256v1),
                                                              EC_KEY_free);
    EC_KEY_set_private_key(key.get(), BN_value_one());
    const std::unique_ptr<ECDSA_SIG, decltype(&ECDSA_SIG_free)> signature(
        ECDSA_do_sign(digest.data(), static_cast<int>(digest.size()), key.get()), ECDSA_SIG_free);
    BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), assertion.signature.data(), 32);
    BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), assertion.signature.data() + 32, 32);
    return assertion;
  }

  infra::EventLoop loop_;
  std::unique_ptr<infra::Random> random_ = infra::make_system_random();
  Operator operator_ = Operator::generate(*random_);
  fs::path folder_;
  Bytes32 channel_key_{};
  pid_t core_ = -1;
  std::unique_ptr<infra::Database> database_;
  std::unique_ptr<ConnectedKeyService> service_;
  Error ended_;
};

Task<void> configure(KeyService& service, const Operator& op, const protocol::Configuration& wanted) {
  const auto digest = co_await ensure_configuration(service, &op, wanted);
  EXPECT_TRUE(digest.has_value()) << digest.error().text();
}

TEST_F(KeyServiceTest, AWalletSurvivesRestartsOfNodeAndCore) {
  WalletInfo made;
  auto create = [&](KeyService& service) -> Task<void> {
    co_await configure(service, operator_, configuration());
    const auto wallet = co_await service.create_wallet(passkey(1), {});
    EXPECT_TRUE(wallet.has_value()) << wallet.error().text();
    if (wallet) made = *wallet;
  };
  with_service(create);
  stop_core(SIGKILL);
  start_core();
  auto describe = [&](KeyService& service) -> Task<void> {
    const auto wallet = co_await service.describe_wallet(made.id);
    EXPECT_TRUE(wallet.has_value()) << wallet.error().text();
    if (wallet) {
      EXPECT_EQ(wallet->server_key, made.server_key);
    }
  };
  with_service(describe);
}

TEST_F(KeyServiceTest, ConcurrentChangesAndQuestionsAllFindAConsistentTree) {
  constexpr int kWallets = 200;
  std::vector<WalletInfo> wallets;
  auto work = [&](KeyService& service) -> Task<void> {
    co_await configure(service, operator_, configuration());
    infra::TaskGroup group(loop_.executor());
    auto one = [&](int number) -> Task<void> {
      const auto wallet = co_await service.create_wallet(passkey(static_cast<std::uint8_t>(number)), {});
      EXPECT_TRUE(wallet.has_value()) << wallet.error().text();
      if (!wallet) co_return;
      wallets.push_back(*wallet);
      const auto described = co_await service.describe_wallet(wallet->id);
      EXPECT_TRUE(described.has_value()) << described.error().text();
    };
    for (int i = 0; i < kWallets; i++) group.spawn(one(i));
    co_await group.join();
    const auto status = co_await service.status();
    EXPECT_EQ(status->root, service.database_root());
    // Group commit: far fewer commits than changes.
    EXPECT_LT(status->epoch, std::uint64_t{kWallets} / 4);
  };
  with_service(work);
  EXPECT_EQ(wallets.size(), std::size_t{kWallets});
}

TEST_F(KeyServiceTest, APhraseSignsThroughTheService) {
  auto work = [&](KeyService& service) -> Task<void> {
    co_await configure(service, operator_, configuration());
    protocol::Policy policy;
    policy.call_value_cap = policy.operation_value_cap = policy.cost_cap = Uint256(1'000'000'000'000'000'000);
    const auto wallet = co_await service.create_wallet(passkey(1), policy);
    if (!wallet) co_return;
    const protocol::EoaKey eoa{kChain, 0, 0};
    const auto none = co_await service.eoa_address(wallet->id, eoa);
    EXPECT_TRUE(none && !none->has_value());

    const Bytes change = encode_phrase_change(12);
    const Assertion wrong = sign(Bytes32{});
    const auto refused = co_await service.make_phrase(wallet->id, 12, wrong);
    EXPECT_EQ(refused.error().refusal, protocol::Error::challenge_mismatch);
    const Assertion right = sign(protocol::wallet_change_challenge(wallet->id, 1, change));
    const auto made = co_await service.make_phrase(wallet->id, 12, right);
    EXPECT_TRUE(made.has_value()) << made.error().text();
    const auto address = co_await service.eoa_address(wallet->id, eoa);
    EXPECT_TRUE(address && address->has_value());
    if (!address || !*address) co_return;

    // rlp(nonce 1, gas price 1, gas 21000, to, value 1, no data, chain id, 0, 0)
    const Bytes transaction = core::parse_hex(
                                  "0xe1010182520894"
                                  "0000000000000000000000000000000000000001"
                                  "0180827a698080")
                                  .value();
    const Assertion over_transaction = sign(base::keccak256(transaction));
    const auto sent = co_await service.sign_eoa_transaction(wallet->id, eoa, transaction, over_transaction);
    EXPECT_TRUE(sent.has_value()) << sent.error().text();
    if (sent) {
      EXPECT_EQ(sent->signer, **address);
      EXPECT_EQ(sent->call.value, Uint256(1));
      EXPECT_EQ(core::recover_address(sent->digest, sent->signature).value(), **address);
    }

    const Bytes message{'h', 'i'};
    const Assertion over_message = sign(ethereum::personal_message_hash(message));
    const auto text = co_await service.sign_message(wallet->id, eoa, message, over_message);
    EXPECT_TRUE(text.has_value()) << text.error().text();

    TypedMessage typed;
    typed.present = protocol::kDomainName;
    typed.name = "Shop";
    typed.types = {"Order(bool paid)"};
    typed.values = {1};
    const auto unsigned_data = co_await service.sign_typed_data(wallet->id, eoa, typed, wrong);
    EXPECT_EQ(unsigned_data.error().refusal, protocol::Error::challenge_mismatch);
    typed.types.assign(protocol::kMaxTypedDataTypes + 1, "Order(bool paid)");
    const auto too_many = co_await service.sign_typed_data(wallet->id, eoa, typed, wrong);
    EXPECT_EQ(too_many.error().refusal, protocol::Error::malformed_request);
    const SigningAccount nobody{kChain, Address{1}, 0};
    const auto account = co_await service.sign_account_text(wallet->id, nobody, message, wrong);
    EXPECT_EQ(account.error().refusal, protocol::Error::sender_not_account);
    typed.types.resize(1);
    const auto nested = co_await service.sign_account_message(wallet->id, nobody, typed, wrong);
    EXPECT_EQ(nested.error().refusal, protocol::Error::sender_not_account);
  };
  with_service(work);
}

TEST_F(KeyServiceTest, SecretsPassThroughSealed) {
  auto work = [&](KeyService& service) -> Task<void> {
    co_await configure(service, operator_, configuration());
    const auto wallet = co_await service.create_wallet(passkey(1), {});
    const auto status = co_await service.status();
    if (!wallet || !status) co_return;
    EXPECT_EQ(status->hpke_key[0], 4);
    const Assertion make = sign(protocol::wallet_change_challenge(wallet->id, 1, encode_phrase_change(24)));
    const auto made = co_await service.make_phrase(wallet->id, 24, make);
    EXPECT_TRUE(made.has_value()) << made.error().text();
    // Any point of the curve is a page's key.
    const protocol::HpkeKey page = status->hpke_key;
    const Assertion over_export = sign(protocol::phrase_export_challenge(wallet->id, page));
    const auto exported = co_await service.export_phrase(wallet->id, page, over_export);
    EXPECT_TRUE(exported.has_value()) << exported.error().text();
    if (exported) {
      EXPECT_EQ(exported->cipher.size(), 32u + 16u);
    }

    SealedSecret secret{page, Bytes(113)};
    const protocol::SealedMessage view{secret.enc, secret.cipher};
    const Assertion over_secret = sign(protocol::sealed_request_challenge(protocol::kSessionSecret, wallet->id, view));
    const auto session = co_await service.session_secret(wallet->id, secret, over_secret);
    EXPECT_EQ(session.error().refusal, protocol::Error::hpke_message_not_opened);
    const Assertion over_open = sign(protocol::sealed_request_challenge(protocol::kContentRootOpen, wallet->id, view));
    const auto opened = co_await service.open_content_root(wallet->id, secret, over_open);
    EXPECT_EQ(opened.error().refusal, protocol::Error::hpke_message_not_opened);
    secret.cipher.resize(48);
    ContentRootChange change{passkey(1).credential_id, {secret}};
    const Assertion over_change =
        sign(protocol::wallet_change_challenge(wallet->id, 2, encode_content_root_change(change)));
    const auto wrapped = co_await service.wrap_content_root(wallet->id, change, over_change);
    EXPECT_EQ(wrapped.error().refusal, protocol::Error::hpke_message_not_opened);
  };
  with_service(work);
}

TEST_F(KeyServiceTest, NodeKeysKeepPurposeAndAddress) {
  std::vector<KeyInfo> made;
  auto create = [&](KeyService& service) -> Task<void> {
    co_await configure(service, operator_, configuration());
    made.push_back((co_await service.create_key(Purpose::executor, kChain)).value());
    made.push_back((co_await service.create_key(Purpose::paymaster, kChain)).value());
    const auto server = co_await service.create_key(Purpose::server, kChain);
    EXPECT_EQ(server.error().refusal, protocol::Error::wrong_purpose);
  };
  with_service(create);
  auto find = [&](KeyService& service) -> Task<void> {
    const auto executors = co_await service.executors(kChain);
    EXPECT_EQ(executors->size(), 1u);
    EXPECT_EQ(executors->front().address, made[0].address);
    EXPECT_EQ((co_await service.sponsors(kChain))->front().address, made[1].address);
    EXPECT_TRUE((co_await service.executors(1))->empty());
  };
  with_service(find);
}

// Without padding, as browsers write a challenge.
std::string base64url(const Bytes32& bytes) {
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string text;
  for (std::size_t bit = 0; bit < 256; bit += 6) {
    unsigned value = 0;
    for (std::size_t i = bit; i < bit + 6; i++)
      value = value << 1 | (i < 256 ? static_cast<unsigned>(bytes[i / 8]) >> (7 - i % 8) & 1 : 0);
    text += kAlphabet[value];
  }
  return text;
}

// The secret of passkey() is 1. With 1 for the nonce too, ECDSA is an addition: r = x of the generator, s = digest + r.
Assertion assert_over(const Passkey& key, const Bytes32& challenge) {
  Assertion assertion;
  assertion.credential_id = key.credential_id;
  assertion.client_data =
      core::to_bytes(base::view("{\"type\":\"webauthn.get\",\"challenge\":\"" + base64url(challenge) +
                                "\",\"origin\":\"http://localhost:9000\",\"crossOrigin\":false}"));
  assertion.authenticator_data = core::to_bytes(key.rp_id_hash);
  assertion.authenticator_data.insert(assertion.authenticator_data.end(), {0x05, 0, 0, 0, 0});
  const Uint256 order = Uint256::from_be(
      core::parse_bytes32("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551", core::HexPrefix::optional)
          .value());
  const Uint256 r = Uint256::from_be(core::ByteView(key.public_key).first(32));
  const Uint256 digest =
      Uint256::from_be(base::sha256({assertion.authenticator_data, base::sha256(assertion.client_data)}));
  const Uint256 room = *subtract(order, r);
  const Uint256 s = digest >= room ? *subtract(digest, room) : *add(digest, r);
  base::copy(assertion.signature, r.to_be());
  base::copy(base::MutableByteView(assertion.signature).subspan(32), s.to_be());
  return assertion;
}

// abi.encode(AccountInit) with one passkey and no rows.
Bytes init_data(const Passkey& key, const Address& server_key) {
  Bytes out;
  auto word = [&out](const Uint256& value) {
    const Bytes32 bytes = value.to_be();
    out.insert(out.end(), bytes.begin(), bytes.end());
  };
  for (const std::uint64_t value : {32, 320}) word(Uint256(value));
  word(Uint256::from_be(server_key));
  // Escape key, guardians, threshold, delay, strict, offsets of the rows, salt, one passkey
  for (const std::uint64_t value : {77, 0, 0, 604'800, 0, 448, 480, 1, 1}) word(Uint256(value));
  out.insert(out.end(), key.public_key.begin(), key.public_key.end());
  out.insert(out.end(), key.rp_id_hash.begin(), key.rp_id_hash.end());
  for (int i = 0; i < 2; i++) word(Uint256(0));
  return out;
}

// execute() of the plain batch with one call: no value, no data.
Bytes plain_call(const Address& to) {
  Bytes out = core::to_bytes(ethereum::kExecute);
  out.insert(out.end(), ethereum::kBatchMode.begin(), ethereum::kBatchMode.end());
  // Offset and length of the bytes; inside: offset and count of the calls, offset of the call.
  std::vector<Uint256> words{64, 224, 32, 1, 32, Uint256::from_be(to), 0, 96, 0};
  for (const Uint256& word : words) {
    const Bytes32 bytes = word.to_be();
    out.insert(out.end(), bytes.begin(), bytes.end());
  }
  return out;
}

class AccountKeysTest : public KeyServiceTest {
 protected:
  // Makes a wallet with an account, then `work`.
  template <class Work>
  void with_account(Work work) {
    auto all = [&](KeyService& service) -> Task<void> {
      protocol::Configuration wanted = configuration();
      wanted.chains[0].server_freeze = 1;
      co_await configure(service, operator_, wanted);
      const auto made = co_await service.create_wallet(key_, {});
      EXPECT_TRUE(made.has_value()) << made.error().text();
      if (!made) co_return;
      wallet_ = *made;
      AccountBindRequest bind;
      bind.wallet = wallet_.id;
      bind.chain_id = kChain;
      bind.init_data = init_data(key_, wallet_.server_key);
      const auto account = co_await service.bind_account(std::move(bind));
      EXPECT_TRUE(account.has_value()) << account.error().text();
      if (!account) co_return;
      account_ = *account;
      co_await work(service);
    };
    with_service(all);
  }
  KeyChangeRequest change_request(const protocol::KeyChange& change, const Address& server_key) const {
    KeyChangeRequest request;
    request.wallet = wallet_.id;
    request.chain_id = kChain;
    request.account = account_;
    request.change = change;
    request.assertion = assert_over(key_, protocol::key_change_digest(change, server_key, kChain, account_));
    return request;
  }
  // `revision` is the wallet's when the person signs: 1 when made, 2 with its account.
  AccountAdoptRequest adopt_request(const Address& account, std::uint32_t index, std::uint64_t revision) const {
    AccountAdoptRequest request;
    request.wallet = wallet_.id;
    request.chain_id = kChain;
    request.account = account;
    request.server_key_index = index;
    request.assertion =
        assert_over(key_, protocol::account_adoption_challenge(wallet_.id, revision, kChain, account, index));
    return request;
  }
  Passkey key_ = passkey(1);
  WalletInfo wallet_;
  Address account_{}, adopted_key_{};
};

TEST_F(AccountKeysTest, AnActionIsSignedWithThePasskeysAssertion) {
  auto work = [&](KeyService& service) -> Task<void> {
    ActionRequest request;
    request.wallet = wallet_.id;
    request.chain_id = kChain;
    request.account = account_;
    request.action.kind = protocol::ActionKind::freeze;
    const auto freeze = co_await service.sign_action(request);
    EXPECT_TRUE(freeze.has_value()) << freeze.error().text();
    if (!freeze) co_return;
    EXPECT_EQ(freeze->digest, protocol::action_digest(request.action, kChain, account_));
    EXPECT_EQ(core::recover_address(freeze->digest, freeze->signature).value(), wallet_.server_key);

    request.action.kind = protocol::ActionKind::unfreeze;
    request.action.votes = 1;
    const auto without = co_await service.sign_action(request);
    EXPECT_EQ(without.error().refusal, protocol::Error::passkey_unknown);
    request.assertion = assert_over(key_, protocol::action_digest(request.action, kChain, account_));
    const auto unfreeze = co_await service.sign_action(request);
    EXPECT_TRUE(unfreeze.has_value()) << unfreeze.error().text();
    request.server_key_index = 1;
    EXPECT_EQ((co_await service.sign_action(request)).error().refusal, protocol::Error::server_key_not_accounts);
  };
  with_account(work);
}

TEST_F(AccountKeysTest, AChangeOfKeysIsCommittedWhenItsSignatureIsThere) {
  auto work = [&](KeyService& service) -> Task<void> {
    protocol::KeyChange change;
    change.votes = 1;
    change.server_key = protocol::NewServerKey::foreign;
    change.foreign_key = Address{0x0f};
    const auto first = co_await service.change_account_keys(change_request(change, change.foreign_key));
    EXPECT_TRUE(first.has_value()) << first.error().text();
    if (!first) co_return;
    EXPECT_EQ(core::recover_address(first->digest, first->signature).value(), wallet_.server_key);
    const auto wallet = co_await service.describe_wallet(wallet_.id);
    EXPECT_EQ(wallet->accounts[0].moved_to, change.foreign_key);
    const auto again = co_await service.change_account_keys(change_request(change, change.foreign_key));
    EXPECT_TRUE(again.has_value());
    EXPECT_EQ(again->signature.r, first->signature.r);
    EXPECT_EQ(again->signature.s, first->signature.s);
    const auto status = co_await service.status();
    EXPECT_EQ(status->root, service.database_root());

    const auto elsewhere = co_await service.change_account_keys(change_request(change, Address{0x0e}));
    EXPECT_EQ(elsewhere.error().refusal, protocol::Error::challenge_mismatch);
  };
  with_account(work);
  // What was answered survives both sides.
  stop_core(SIGKILL);
  start_core();
  auto check = [&](KeyService& service) -> Task<void> {
    const auto wallet = co_await service.describe_wallet(wallet_.id);
    EXPECT_EQ(wallet->accounts[0].moved_to, Address{0x0f});
  };
  with_service(check);
}

TEST_F(AccountKeysTest, AnAccountThatBeganElsewhereIsAdoptedAndSignsButDoesNotDeploy) {
  const Address immigrant{0x1b};
  auto work = [&](KeyService& service) -> Task<void> {
    // Made before the account was bound, so of an earlier revision.
    AccountAdoptRequest request = adopt_request(immigrant, 2, 1);
    const auto overtaken = co_await service.adopt_account(request);
    EXPECT_EQ(overtaken.error().refusal, protocol::Error::challenge_mismatch);
    request = adopt_request(immigrant, 2, 2);
    const auto server_key = co_await service.adopt_account(request);
    EXPECT_TRUE(server_key.has_value()) << server_key.error().text();
    if (!server_key) co_return;
    adopted_key_ = *server_key;
    EXPECT_NE(adopted_key_, wallet_.server_key);
    const auto again = co_await service.adopt_account(request);
    EXPECT_EQ(again.error().refusal, protocol::Error::account_exists);
  };
  with_account(work);
  stop_core(SIGKILL);
  start_core();
  auto sign_one = [&](KeyService& service) -> Task<void> {
    UseropRequest request;
    request.wallet = wallet_.id;
    request.chain_id = kChain;
    request.entry_point = Address{0x43, 0x37};
    request.server_key_index = 2;
    request.userop.sender = immigrant;
    request.userop.call_data = plain_call(Address{0x5a});
    const core::UserOperation unpacked = core::unpack(request.userop).value();
    const auto hash = core::userop_hash(unpacked, core::EntryPointVersion::v0_8, request.entry_point, Uint256(kChain));
    request.assertion = assert_over(key_, hash.value());
    const auto signed_one = co_await service.sign_userop(request);
    EXPECT_TRUE(signed_one.has_value()) << signed_one.error().text();
    if (signed_one) {
      EXPECT_EQ(core::recover_address(signed_one->hash, signed_one->signature).value(), adopted_key_);
    }
    request.userop.init_code = Bytes(20);
    const auto deploying = co_await service.sign_userop(request);
    EXPECT_EQ(deploying.error().refusal, protocol::Error::adopted_account_deploys);
  };
  with_service(sign_one);
}

TEST_F(AccountKeysTest, AnAccountThatMovedAwayComesHome) {
  auto work = [&](KeyService& service) -> Task<void> {
    protocol::KeyChange change;
    change.votes = 1;
    change.server_key = protocol::NewServerKey::foreign;
    change.foreign_key = Address{0x0f};
    const auto left = co_await service.change_account_keys(change_request(change, change.foreign_key));
    EXPECT_TRUE(left.has_value()) << left.error().text();
    const auto skipped = co_await service.adopt_account(adopt_request(account_, 2, 3));
    EXPECT_EQ(skipped.error().refusal, protocol::Error::server_key_index_out_of_order);
    const auto home = co_await service.adopt_account(adopt_request(account_, 1, 3));
    EXPECT_TRUE(home.has_value()) << home.error().text();
    const auto wallet = co_await service.describe_wallet(wallet_.id);
    EXPECT_EQ(wallet->account_count, 1);
    EXPECT_EQ(wallet->accounts[0].moved_to, Address{});
    EXPECT_EQ(wallet->accounts[0].last_server_key_index, 1u);
    EXPECT_FALSE(wallet->accounts[0].is_adopted());
  };
  with_account(work);
}

TEST_F(AccountKeysTest, ASessionOperationNeedsItsTicket) {
  auto work = [&](KeyService& service) -> Task<void> {
    SessionRequest request;
    request.wallet = wallet_.id;
    request.chain_id = kChain;
    request.entry_point = Address{0x43, 0x37};
    request.userop.sender = account_;
    EXPECT_EQ((co_await service.sign_session(request)).error().refusal, protocol::Error::session_call_malformed);
    // executeSession of a grant with one selector and of no execution data: nobody signed this grant.
    request.userop.call_data = core::to_bytes(ethereum::kExecuteSession);
    for (const std::uint64_t value : {64, 384, 5, 256, 0, 0, 0, 0, 9, 0, 1, 0, 0}) {
      const Bytes32 word = Uint256(value).to_be();
      request.userop.call_data.insert(request.userop.call_data.end(), word.begin(), word.end());
    }
    EXPECT_EQ((co_await service.sign_session(request)).error().refusal, protocol::Error::grant_ticket_invalid);
  };
  with_account(work);
}

TEST_F(KeyServiceTest, ADatabaseOfAnEarlierDayIsRefusedAndRecoverIsTheWayOut) {
  auto create = [&](KeyService& service) -> Task<void> {
    co_await configure(service, operator_, configuration());
    EXPECT_TRUE((co_await service.create_wallet(passkey(1), {})).has_value());
  };
  with_service(create);
  service_.reset();
  database_.reset();
  const fs::path backup = folder_ / "backup.db";
  fs::copy_file(folder_ / "node.db", backup);
  open_database();
  with_service(create);
  service_.reset();
  database_.reset();
  for (const char* suffix : {"", "-wal", "-shm"}) fs::remove(folder_ / (std::string("node.db") + suffix));
  fs::copy_file(backup, folder_ / "node.db");
  open_database();

  ChannelOptions options;
  options.socket_path = socket();
  options.channel_key = channel_key_;
  EXPECT_EQ(loop_.block_on(service_->serve(options)).code, ErrorCode::state_forked);

  auto recover = [&]() -> Task<void> {
    const auto attached = co_await service_->attach(options);
    EXPECT_TRUE(attached.has_value());
    const auto status = co_await service_->status();
    protocol::Recovery recovery;
    recovery.core_id = status->core_id;
    recovery.recovery_count = status->recovery_count + 1;
    recovery.root = service_->database_root();
    const SignedMessage message = operator_.sign(recovery);
    const auto epoch = co_await service_->recover(message.message, message.signature);
    EXPECT_TRUE(epoch.has_value()) << epoch.error().text();
  };
  loop_.block_on(recover());
  service_ = make_key_service({*database_, *random_});
  with_service(create);
}

TEST_F(KeyServiceTest, WhatDoesNotKnowTheChannelKeyIsRefused) {
  ChannelOptions options;
  options.socket_path = socket();
  const Error error = loop_.block_on(service_->serve(options));
  EXPECT_EQ(error.code, ErrorCode::unavailable);
}

TEST_F(KeyServiceTest, KilledAnywhereCoreAndDatabaseAgreeAfterwards) {
  const int rounds = std::getenv("COMMUNITY_TEST_LONG") != nullptr ? 200 : 20;
  infra::FakeRandom seeded(7);
  auto set_up = [&](KeyService& service) -> Task<void> { co_await configure(service, operator_, configuration()); };
  with_service(set_up);
  std::vector<WalletInfo> confirmed;
  for (int round = 0; round < rounds; round++) {
    // The core dies while changes are on their way; which step it dies in differs from round to round.
    const auto victim = core_;
    const auto delay_us = static_cast<useconds_t>(seeded.below(6'000));
    auto work = [&](KeyService& service) -> Task<void> {
      infra::TaskGroup group(loop_.executor());
      auto one = [&](int number) -> Task<void> {
        const auto wallet = co_await service.create_wallet(passkey(static_cast<std::uint8_t>(number)), {});
        if (wallet) confirmed.push_back(*wallet);
      };
      for (int i = 0; i < 20; i++) group.spawn(one(i));
      const pid_t killer = fork();
      if (killer == 0) {
        usleep(delay_us);
        kill(victim, SIGKILL);
        _exit(0);
      }
      co_await group.join();
      waitpid(killer, nullptr, 0);
    };
    with_service(work);
    waitpid(core_, nullptr, 0);
    core_ = -1;
    start_core();
    auto check = [&](KeyService& service) -> Task<void> {
      const auto status = co_await service.status();
      EXPECT_EQ(status->root, service.database_root()) << "round " << round;
      for (const WalletInfo& wallet : confirmed)
        EXPECT_TRUE((co_await service.describe_wallet(wallet.id)).has_value()) << "round " << round;
    };
    with_service(check);
    if (HasFailure()) break;
    if (confirmed.size() > 100) confirmed.erase(confirmed.begin(), confirmed.begin() + 50);
  }
}

}  // namespace
}  // namespace community::keys
