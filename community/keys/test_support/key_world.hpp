// SPDX-License-Identifier: Apache-2.0
// A key service on a real database, and the real trusted core that it serves from: both can be killed at any point. The
// core is key-enclave, or with COMMUNITY_TEST_BODY=optee the trusted application in QEMU.
#pragma once
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
#include "community/infra/fake/test_database.hpp"
#include "community/keys/api/operator.hpp"
#include "community/keys/factory.hpp"
#include "trusted/ethereum/calls.hpp"
#include "trusted/ethereum/typed_data.hpp"
#include "trusted/tests/support/enclave.hpp"
#include "trusted/tests/support/optee.hpp"

namespace community::keys {

namespace fs = std::filesystem;
using core::Bytes;

constexpr std::uint64_t kChain = 31'337;

class KeyServiceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "keys-test-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
    ASSERT_EQ(body_->provision(operator_.public_key(), channel_key_), protocol::Error::ok);
    start_core();
    open_database();
  }

  void TearDown() override {
    stop_core(SIGTERM);
    service_.reset();
    database_.reset();
    fs::remove_all(folder_);
  }

  static bool is_optee() {
    const char* body = std::getenv("COMMUNITY_TEST_BODY");
    return body != nullptr && std::string_view(body) == "optee";
  }
  static std::unique_ptr<trusted::testing::ProgramBody> make_body() {
    if (is_optee()) return std::make_unique<trusted::testing::OpteeDevice>();
    return std::make_unique<trusted::testing::Enclave>();
  }

  void start_core() {
    ASSERT_EQ(body_->start(), protocol::Error::ok);
    // An emulator's port has one host at a time.
    body_->connection().close();
  }

  void stop_core(int signal) {
    if (signal == SIGKILL) {
      body_->kill();
    } else {
      body_->stop(true);
    }
  }

  std::string socket() const { return body_->socket_path(); }

  void open_database() {
    database_ = infra::Database::open(place_.options(), {key_migrations()}).value();
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
  std::unique_ptr<trusted::testing::ProgramBody> body_ = make_body();
  infra::TestDatabase place_;
  std::unique_ptr<infra::Database> database_;
  std::unique_ptr<ConnectedKeyService> service_;
  Error ended_;
};

inline Task<void> configure(KeyService& service, const Operator& op, const protocol::Configuration& wanted) {
  const auto digest = co_await ensure_configuration(service, &op, wanted);
  EXPECT_TRUE(digest.has_value()) << digest.error().text();
}

// Without padding, as browsers write a challenge.
inline std::string base64url(const Bytes32& bytes) {
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
inline Assertion assert_over(const Passkey& key, const Bytes32& challenge) {
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
inline Bytes init_data(const Passkey& key, const Address& server_key) {
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
inline Bytes plain_call(const Address& to) {
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

}  // namespace community::keys
