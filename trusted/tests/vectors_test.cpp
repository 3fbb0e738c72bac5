// SPDX-License-Identifier: Apache-2.0
// Answers of others: a browser's authenticator, Wycheproof's ECDSA suites, wallets' hashes of user operations.
#define OPENSSL_API_COMPAT 0x10100000L
#include <gtest/gtest.h>
#include <openssl/ecdsa.h>

#include <boost/json.hpp>
#include <fstream>
#include <map>
#include <sstream>

#include "trusted/base/keccak.hpp"
#include "trusted/process/crypto.hpp"
#include "trusted/tests/support/core_access.hpp"
#include "trusted/tests/support/world.hpp"

namespace community::trusted::testing {
namespace {

namespace json = boost::json;

std::string read_source(const std::string& path) {
  std::ifstream file(std::string(COMMUNITY_SOURCE_DIR) + "/" + path);
  EXPECT_TRUE(file) << path;
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string_view text(const json::value& value) {
  const json::string& string = value.as_string();
  return {string.data(), string.size()};
}

// --- passkeys of a browser -------------------------------------------------------------------------------------------

class BrowserVectors : public ::testing::Test {
 protected:
  BrowserVectors() : vectors(json::parse(read_source("contracts/test/vectors/webauthn-vectors.json")).as_object()) {
    const std::string_view origin = text(vectors["origin"]);
    world.configuration.relying_parties[0] = {base::sha256(base::view(text(vectors["rpId"]))), base::view(origin)};
    world.configuration.sequence++;
    EXPECT_EQ(world.host.configure(world.configuration), Error::ok);
    for (const auto& registration : vectors["registrations"].as_array()) {
      const auto& expect = registration.at("expect").as_object();
      if (!expect.contains("xHex") || expect.at("xHex").is_null() || expect.at("alg").as_int64() != -7) continue;
      protocol::Passkey passkey;
      passkey.credential_hash = base::sha256(unhex(text(expect.at("credentialIdHex"))));
      base::copy(passkey.public_key, join({unhex(text(expect.at("xHex"))), unhex(text(expect.at("yHex")))}));
      passkey.rp_id_hash = base::sha256(base::view(text(vectors["rpId"])));
      passkeys[std::string(text(registration.at("name")))] = passkey;
    }
  }

  // DER to r || s; zeros when it is no DER.
  static std::array<std::uint8_t, 64> fixed_signature(const Bytes& der) {
    std::array<std::uint8_t, 64> out{};
    const std::uint8_t* p = der.data();
    ECDSA_SIG* signature = der.empty() ? nullptr : d2i_ECDSA_SIG(nullptr, &p, static_cast<long>(der.size()));
    if (signature == nullptr) return out;
    BN_bn2binpad(ECDSA_SIG_get0_r(signature), out.data(), 32);
    BN_bn2binpad(ECDSA_SIG_get0_s(signature), out.data() + 32, 32);
    ECDSA_SIG_free(signature);
    return out;
  }

  // What a wallet with that credential answers to the assertion.
  Error check(const json::object& assertion) {
    const auto& response = assertion.at("response").as_object();
    const protocol::Passkey& passkey = passkeys.at(std::string(text(assertion.at("credential"))));
    WalletRecord wallet;
    wallet.passkey_count = 1;
    wallet.passkeys[0] = passkey;
    SignedAssertion signed_assertion;
    signed_assertion.credential_hash = passkey.credential_hash;
    signed_assertion.client_data = base64url_decode(text(response.at("clientDataJSON")));
    signed_assertion.authenticator_data = base64url_decode(text(response.at("authenticatorData")));
    signed_assertion.signature = fixed_signature(base64url_decode(text(response.at("signature"))));
    Bytes32 challenge{};
    base::copy(challenge, base64url_decode(text(assertion.at("request").at("challenge"))));
    return CoreAccess::check_assertion(world.host.core(), signed_assertion.view(), challenge, wallet);
  }

  World world;
  json::object vectors;
  std::map<std::string, protocol::Passkey> passkeys;
};

TEST_F(BrowserVectors, AssertionsWithUserVerificationAreAccepted) {
  int accepted = 0, unverified = 0;
  for (const auto& value : vectors["assertions"].as_array()) {
    const auto& assertion = value.as_object();
    if (!passkeys.contains(std::string(text(assertion.at("credential"))))) continue;
    const bool verified = assertion.at("expect").at("uv").as_bool();
    EXPECT_EQ(check(assertion), verified ? Error::ok : Error::user_not_verified) << text(assertion.at("name"));
    (verified ? accepted : unverified)++;
  }
  EXPECT_GE(accepted, 14);
  EXPECT_GE(unverified, 5);
}

TEST_F(BrowserVectors, TheMalleableTwinIsAccepted) { EXPECT_EQ(check(vectors["malleable"].as_object()), Error::ok); }

TEST_F(BrowserVectors, EveryNegativeIsRefusedForItsReason) {
  const std::map<std::string_view, Error> expected{
      {"signature-bit", Error::passkey_signature_invalid},
      {"rpIdHash-bit", Error::rp_id_mismatch},
      {"uv-flag-cleared", Error::user_not_verified},
      {"counter-bit", Error::passkey_signature_invalid},
      {"challenge-replaced", Error::challenge_mismatch},
      {"origin-replaced", Error::origin_not_allowed},
      {"type-create", Error::client_data_wrong_type},
      {"cross-origin", Error::cross_origin},
      {"signature-empty", Error::passkey_signature_invalid},
      {"data-truncated", Error::authenticator_data_malformed},
      {"signed/another-challenge", Error::challenge_mismatch},
      {"signed/another-origin", Error::origin_not_allowed},
      {"signed/another-port", Error::origin_not_allowed},
      {"signed/type-create", Error::client_data_wrong_type},
      {"signed/cross-origin", Error::cross_origin},
      {"signed/user-not-verified", Error::user_not_verified},
      {"signed/user-not-present", Error::user_not_present},
      {"signed/backed-up-but-not-eligible", Error::authenticator_data_malformed},
      {"signed/another-rp", Error::rp_id_mismatch},
      // A signal for the node, never a refusal of the core.
      {"signed/counter-went-back", Error::ok},
      {"signed/duplicate-challenge-member", Error::client_data_duplicate_member},
      {"signed/client-data-not-json", Error::client_data_malformed},
  };
  std::size_t seen = 0;
  for (const auto& value : vectors["negatives"].as_array()) {
    const auto& negative = value.as_object();
    // What the browser itself refused has no assertion.
    if (!negative.contains("response")) continue;
    const std::string_view name = text(negative.at("name"));
    ASSERT_TRUE(expected.contains(name)) << name;
    EXPECT_EQ(check(negative), expected.at(name)) << name;
    seen++;
  }
  EXPECT_EQ(seen, expected.size());
}

// --- ECDSA, RSA ------------------------------------------------------------------------------------------------------

struct Counts {
  int accepted = 0, refused = 0;
};

// Key and signature have kBytes.
template <std::size_t kBytes = 64, class Verify>
Counts run_wycheproof(const std::string& name, Verify&& verify) {
  std::istringstream lines(read_source("trusted/tests/vectors/" + name));
  std::array<std::uint8_t, kBytes> key{};
  Counts counts;
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || line[0] == '#') continue;
    std::istringstream fields(line);
    std::string first, digest, signature, result;
    fields >> first >> digest;
    if (first == "key") {
      key = fixed<kBytes>(digest);
      continue;
    }
    fields >> signature >> result;
    const bool valid = verify(key, word(digest), fixed<kBytes>(signature), result == "valid");
    (valid ? counts.accepted : counts.refused)++;
    EXPECT_EQ(valid, result == "valid") << name << " test " << first;
  }
  return counts;
}

TEST(Wycheproof, P256) {
  Port port;
  use_software_crypto(port);
  const Counts counts =
      run_wycheproof("wycheproof_p256.txt", [&](auto& key, const auto& digest, const auto& signature, bool) {
        return port.p256_verify(nullptr, key.data(), digest, signature.data());
      });
  EXPECT_EQ(counts.accepted, 173);
  EXPECT_GE(counts.refused, 60);
}

TEST(Wycheproof, RsaPss) {
  Port port;
  use_software_crypto(port);
  const Counts counts =
      run_wycheproof<384>("wycheproof_rsa_pss.txt", [&](auto& key, const auto& digest, const auto& signature, bool) {
        return port.rsa_pss_verify(nullptr, key.data(), digest, signature.data());
      });
  EXPECT_EQ(counts.accepted, 63);
  EXPECT_GE(counts.refused, 40);
}

TEST(Wycheproof, Secp256k1AcceptsOnlyLowS) {
  Port port;
  use_software_crypto(port);
  const Bytes half = unhex("7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0");
  int high = 0;
  const Counts counts = run_wycheproof(
      "wycheproof_secp256k1.txt", [&](auto& key, const auto& digest, const auto& signature, bool expected) {
        const bool valid = port.secp256k1_verify(nullptr, key.data(), digest, signature.data());
        // Stricter than the suite: a valid signature with a high s is refused.
        if (expected && Uint256::from_be(ByteView(signature).last(32)) > Uint256::from_be(half)) {
          EXPECT_FALSE(valid);
          high++;
          return true;
        }
        return valid;
      });
  EXPECT_GE(counts.accepted, 100);
  EXPECT_GE(high, 1);
}

TEST(P256, RefusesSpellingsOfAPointOutsideTheField) {
  Port port;
  use_software_crypto(port);
  // x = 5 is on the curve; x + p spells the same point with 32 bytes.
  const auto on_curve = fixed<64>(
      "0000000000000000000000000000000000000000000000000000000000000005"
      "459243b9aa581806fe913bce99817ade11ca503c64d9a3c533415c083248fbcc");
  EXPECT_TRUE(port.p256_public_key_valid(nullptr, on_curve.data()));
  const Uint256 prime = Uint256::from_be(unhex("ffffffff00000001000000000000000000000000ffffffffffffffffffffffff"));
  auto spelled = on_curve;
  base::copy(spelled, add(prime, Uint256(5))->to_be());
  EXPECT_FALSE(port.p256_public_key_valid(nullptr, spelled.data()));
  auto off = on_curve;
  off[63] ^= 1;
  EXPECT_FALSE(port.p256_public_key_valid(nullptr, off.data()));
  const std::array<std::uint8_t, 64> zero{};
  EXPECT_FALSE(port.p256_public_key_valid(nullptr, zero.data()));
}

// --- hashes ----------------------------------------------------------------------------------------------------------

TEST(Hashes, EqualThoseOfOthers) {
  std::istringstream lines(read_source("tests/vectors/hashes.jsonl"));
  int count = 0;
  for (std::string line; std::getline(lines, line); count++) {
    const json::value vector = json::parse(line);
    const Bytes data = unhex(text(vector.at("in").at("data")));
    const json::value& out = vector.at("out");
    EXPECT_EQ("0x" + to_hex(base::keccak256(data)), text(out.at("keccak256")));
    EXPECT_EQ("0x" + to_hex(base::sha256(data)), text(out.at("sha256")));
    EXPECT_EQ("0x" + to_hex(base::Sha512().add(data).finish()), text(out.at("sha512")));
  }
  EXPECT_GE(count, 50);
}

Bytes member(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  if (value == nullptr) return {};
  std::string hex(text(*value).substr(2));
  if (hex.size() % 2 != 0) hex.insert(0, "0");
  return unhex(hex);
}

Bytes padded(const json::object& object, std::string_view key, std::size_t size) {
  Bytes bytes = member(object, key);
  bytes.insert(bytes.begin(), size - bytes.size(), std::uint8_t{0});
  return bytes;
}

TEST(UseropHash, EqualsThatOfAWallet) {
  std::istringstream lines(read_source("tests/vectors/user_operations.jsonl"));
  int count = 0;
  for (std::string line; std::getline(lines, line);) {
    const json::value vector = json::parse(line);
    const auto* hash = vector.as_object().contains("out") ? vector.at("out").as_object().if_contains("hash") : nullptr;
    if (text(vector.at("op")) != "userop.hash" || hash == nullptr) continue;
    const auto& in = vector.at("in").as_object();
    const std::string_view version = text(in.at("version"));
    const auto& op = in.at("userOperation").as_object();
    if (version != "0.7") continue;
    TestUserop userop;
    base::copy(userop.sender, member(op, "sender"));
    userop.nonce = Uint256::from_be(member(op, "nonce"));
    userop.init_code = join({member(op, "factory"), member(op, "factoryData")});
    userop.call_data = member(op, "callData");
    Bytes32 packed{};
    base::copy(packed, join({padded(op, "verificationGasLimit", 16), padded(op, "callGasLimit", 16)}));
    userop.raw_gas_limits = packed;
    base::copy(packed, padded(op, "preVerificationGas", 32));
    userop.raw_pre_verification_gas = packed;
    base::copy(packed, join({padded(op, "maxPriorityFeePerGas", 16), padded(op, "maxFeePerGas", 16)}));
    userop.raw_gas_fees = packed;
    if (op.contains("paymaster"))
      userop.paymaster_and_data = join({member(op, "paymaster"), padded(op, "paymasterVerificationGasLimit", 16),
                                        padded(op, "paymasterPostOpGasLimit", 16), member(op, "paymasterData")});
    Address entry_point{};
    base::copy(entry_point, member(in, "entryPoint"));
    const Bytes32 computed =
        userop.hash(entry_point, in.at("chainId").to_number<std::uint64_t>(), ethereum::EntryPointVersion::v0_7);
    EXPECT_EQ("0x" + to_hex(computed), text(*hash)) << line;
    count++;
  }
  EXPECT_GE(count, 20);
}

TEST(UseropHash, EqualsThatOfTheEntryPoints) {
  std::istringstream lines(read_source("trusted/tests/vectors/userop_hashes.txt"));
  int count = 0;
  for (std::string line; std::getline(lines, line);) {
    if (line[0] == '#') continue;
    std::istringstream fields(line);
    int version = 0;
    std::uint64_t chain_id = 0;
    std::string entry_point, sender, nonce, init_code, call_data, gas_limits, pre_gas, fees, paymaster, hash;
    fields >> version >> chain_id >> entry_point >> sender >> nonce >> init_code >> call_data >> gas_limits >> pre_gas;
    fields >> fees >> paymaster >> hash;
    auto optional_bytes = [](const std::string& hex) { return hex == "-" ? Bytes{} : unhex(hex); };
    TestUserop userop;
    userop.sender = address(sender);
    userop.nonce = Uint256::from_be(unhex(nonce));
    userop.init_code = optional_bytes(init_code);
    userop.call_data = optional_bytes(call_data);
    userop.raw_gas_limits = word(gas_limits);
    userop.raw_pre_verification_gas = word(pre_gas);
    userop.raw_gas_fees = word(fees);
    userop.paymaster_and_data = optional_bytes(paymaster);
    EXPECT_EQ(to_hex(userop.hash(address(entry_point), chain_id, static_cast<ethereum::EntryPointVersion>(version))),
              hash)
        << line;
    count++;
  }
  EXPECT_EQ(count, 48);
}

}  // namespace
}  // namespace community::trusted::testing
