// SPDX-License-Identifier: Apache-2.0
// The line protocol: every line gets its answer, bad ones too, and the next line is none the worse for it.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "community/core/json.hpp"
#include "community/tool/api/tool.hpp"

namespace community::tool {
namespace {

namespace json = boost::json;

std::vector<json::object> run(const std::string& text) {
  std::stringstream in(text), out;
  EXPECT_EQ(run_tool(in, out), 0);
  std::vector<json::object> answers;
  for (std::string line; std::getline(out, line);) answers.push_back(json::parse(line).get_object());
  return answers;
}

json::object one(const std::string& line) {
  const auto answers = run(line + "\n");
  EXPECT_EQ(answers.size(), 1u);
  return answers.empty() ? json::object() : answers[0];
}

std::string error(const std::string& op, const std::string& in) {
  const json::object answer = one(R"({"id":1,"op":")" + op + R"(","in":)" + in + "}");
  const json::value* text = answer.if_contains("error");
  return text == nullptr ? json::serialize(answer) : std::string(text->as_string());
}

std::string out(const std::string& op, const std::string& in) {
  const json::object answer = one(R"({"id":1,"op":")" + op + R"(","in":)" + in + "}");
  const json::value* value = answer.if_contains("out");
  return json::serialize(value == nullptr ? json::value(answer) : *value);
}

TEST(Lines, EveryLineIsAnsweredInTurn) {
  const auto answers =
      run("{\"id\":1,\"op\":\"hash\",\"in\":{\"data\":\"0x\"}}\n"
          "this is not JSON\n"
          "\n"
          "{\"id\":\"two\",\"op\":\"no.such\",\"in\":{}}\r\n"
          "[1,2]\n"
          "{\"id\":{\"a\":[3]},\"op\":\"rlp.encode\",\"in\":{\"value\":[]}}\n"
          "{\"id\":4,\"in\":{}}\n"
          "{\"id\":5,\"op\":\"hash\"}\n"
          "{\"op\":\"rlp.encode\",\"in\":{\"value\":\"\"}}");
  ASSERT_EQ(answers.size(), 8u);
  EXPECT_EQ(answers[0].at("id"), 1);
  EXPECT_TRUE(answers[0].contains("out"));
  EXPECT_TRUE(answers[1].at("id").is_null());
  EXPECT_TRUE(answers[1].contains("error"));
  EXPECT_EQ(answers[2].at("id"), "two");
  EXPECT_EQ(answers[2].at("error"), "unknown operation");
  EXPECT_TRUE(answers[3].contains("error"));
  EXPECT_EQ(json::serialize(answers[4]), R"({"id":{"a":[3]},"out":{"encoded":"0xc0"}})");
  EXPECT_EQ(answers[5].at("error"), "json_member_missing: op");
  EXPECT_EQ(answers[6].at("error"), "json_member_missing: in");
  EXPECT_TRUE(answers[7].at("id").is_null()) << "a line without id";
  EXPECT_TRUE(answers[7].contains("out")) << "and without line feed";
}

TEST(Lines, ALongLineIsRefusedAndTheNextOneAnswered) {
  std::string text = R"({"id":1,"op":"hash","in":{"data":"0x)" + std::string(kMaxLineBytes, '0') + "\"}}\n";
  text += R"({"id":2,"op":"hash","in":{"data":"0x00"}})";
  const auto answers = run(text);
  ASSERT_EQ(answers.size(), 2u);
  EXPECT_TRUE(answers[0].at("error").as_string().starts_with("json_too_large"));
  EXPECT_TRUE(answers[1].contains("out"));
}

TEST(Lines, DuplicateMembersAndDepthAreRefused) {
  EXPECT_TRUE(one(R"({"id":1,"op":"hash","in":{"data":"0x00","data":"0x01"}})")
                  .at("error")
                  .as_string()
                  .starts_with("json_duplicate_member"));
  const std::string deep = std::string(400, '[') + std::string(400, ']');
  EXPECT_TRUE(
      one(R"({"id":1,"op":"rlp.encode","in":{"value":)" + deep + "}}").at("error").as_string().starts_with("json_too"));
}

// A stream buffer that has one line at a time, like a pipe whose writer waits for each answer.
class OneLineAtATime : public std::streambuf {
 public:
  OneLineAtATime(std::vector<std::string> lines, const std::stringstream& answers)
      : lines_(std::move(lines)), answers_(answers) {}

 protected:
  int_type underflow() override {
    if (next_ > 0) {
      const std::string text = answers_.str();
      EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), static_cast<std::ptrdiff_t>(next_)) << "an answer waits";
    }
    if (next_ == lines_.size()) return traits_type::eof();
    std::string& line = lines_[next_++];
    setg(line.data(), line.data(), line.data() + line.size());
    return traits_type::to_int_type(line[0]);
  }

 private:
  std::vector<std::string> lines_;
  const std::stringstream& answers_;
  std::size_t next_ = 0;
};

TEST(Lines, AnAnswerDoesNotWaitForTheNextLine) {
  const std::string line = "{\"id\":1,\"op\":\"hash\",\"in\":{\"data\":\"0x\"}}\n";
  std::stringstream answers;
  OneLineAtATime source({line, line, line}, answers);
  std::istream in(&source);
  EXPECT_EQ(run_tool(in, answers), 0);
}

TEST(Operations, WhatTheProductHasNoUseForIsSkipped) {
  const std::string skip = R"({"id":1,"skip":true})";
  EXPECT_EQ(out("hkdf", R"({"hash":"sha1","ikm":"00","size":1})"), skip);
  EXPECT_EQ(out("ecdh", R"({"curve":"secp384r1","public":"00","private":"01"})"), skip);
  EXPECT_EQ(out("ecdsa.verify", R"({"curve":"secp521r1","hash":"sha256","key":"04","msg":"","sig":""})"), skip);
}

TEST(Operations, EveryOneIsOfferedAndAsksForItsInput) {
  for (const std::string op : {"hash",
                               "rlp.encode",
                               "rlp.decode",
                               "abi.encode",
                               "abi.decode",
                               "abi.packedHash",
                               "eth.address",
                               "eth.create",
                               "eth.create2",
                               "eth.tx.sign",
                               "eip712.hash",
                               "eip712.sign",
                               "userop.hash",
                               "bip32.derive",
                               "bip32.parse",
                               "bip39.toSeed",
                               "bip39.fromEntropy",
                               "hd.wallet",
                               "ecdsa.verify",
                               "ed25519.verify",
                               "aes_gcm.seal",
                               "aes_gcm.open",
                               "hkdf",
                               "pbkdf2",
                               "hmac.verify",
                               "ecdh",
                               "webauthn.register",
                               "webauthn.assert",
                               "geohash.encode",
                               "geohash.decode",
                               "geohash.neighbors"})
    EXPECT_TRUE(error(op, "{}").starts_with("json_member_missing")) << op << " " << error(op, "{}");
}

TEST(Operations, KeyAgreementTakesTheFormsOfAPublicKey) {
  // 1 times G and 2 times G on each curve: their x coordinates.
  const std::string one = "01", two = "000000000000000000000000000000000000000000000000000000000000000002";
  const std::string p256 =
      "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
      "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5";
  const auto ecdh = [](const std::string& curve, const std::string& enc, const std::string& key,
                       const std::string& secret) {
    const std::string in =
        R"({"curve":")" + curve + R"(","enc":")" + enc + R"(","public":")" + key + R"(","private":")" + secret + "\"}";
    const std::string answer = out("ecdh", in);
    return answer.starts_with(R"({"shared")") ? answer.substr(13, 64) : error("ecdh", in);
  };
  const std::string spki = "3059301306072a8648ce3d020106082a8648ce3d030107034200";
  for (const std::string& answer :
       {ecdh("secp256r1", "point", "04" + p256, one), ecdh("P-256", "raw", p256, one),
        ecdh("secp256r1", "raw", "04" + p256, "0001"), ecdh("secp256r1", "spki", spki + "04" + p256, one)})
    EXPECT_EQ(answer, p256.substr(0, 64));
  EXPECT_EQ(ecdh("secp256r1", "point", "04" + p256, two),
            "7cf27b188d034f7e8a52380304b51ac3c08969e277f21b35a60b48fc47669978");
  EXPECT_EQ(ecdh("secp256r1", "point", p256, one), "public_key_invalid") << "no 04";
  EXPECT_EQ(ecdh("secp256r1", "point", "04" + p256.substr(0, 126) + "f6", one), "public_key_invalid")
      << "off the curve";
  EXPECT_EQ(ecdh("secp256k1", "point", "04" + p256, one), "public_key_invalid") << "another curve";
  EXPECT_EQ(ecdh("secp256r1", "point", "04" + p256, "00"), "private_key_out_of_range");
  EXPECT_EQ(ecdh("secp256r1", "point", "04" + p256, std::string(64, 'f')), "private_key_out_of_range");
  EXPECT_EQ(ecdh("secp256r1", "point", "04" + p256, "01" + std::string(64, '0')), "private_key_out_of_range");
  EXPECT_EQ(ecdh("secp256r1", "pem", "04" + p256, one), "unknown enc");
  EXPECT_EQ(ecdh("x25519", "raw", std::string(64, '0'), std::string(64, '1')), "shared_secret_zero");
  EXPECT_EQ(ecdh("x25519", "raw", "00", std::string(64, '1')), "hex_wrong_length: public");
}

TEST(Operations, GeohashesTakeNumbersAndTexts) {
  EXPECT_EQ(out("geohash.encode", R"({"lat":42.605,"lng":-5.603,"chars":5})"), R"({"hash":"ezs42"})");
  EXPECT_EQ(out("geohash.encode", R"({"lat":"42.605","lng":"-5.603","chars":"5"})"), R"({"hash":"ezs42"})");
  EXPECT_EQ(out("geohash.encode", R"({"lat":-90,"lng":180,"chars":1})"), R"({"hash":"p"})");
  EXPECT_EQ(out("geohash.neighbors", R"({"hash":"Z"})"), R"({"set":["8","b","w","x","y"]})");
  const json::value cell = json::parse(out("geohash.decode", R"({"hash":"ezs42"})"));
  EXPECT_EQ(cell.at("minLat").as_double(), 42.5830078125);
  EXPECT_EQ(cell.at("maxLng").as_double(), -5.5810546875);
  EXPECT_EQ(error("geohash.encode", R"({"lat":90.1,"lng":0,"chars":5})"), "geohash_out_of_range: latitude");
  EXPECT_EQ(error("geohash.encode", R"({"lat":"nan","lng":0,"chars":5})"), "geohash_out_of_range: latitude");
  EXPECT_EQ(error("geohash.encode", R"({"lat":"5 ","lng":0,"chars":5})"), "number_bad_digit: lat");
  EXPECT_EQ(error("geohash.encode", R"({"lat":true,"lng":0,"chars":5})"), "json_wrong_type: lat is not a number");
  EXPECT_EQ(error("geohash.encode", R"({"lng":0,"chars":5})"), "json_member_missing: lat");
  EXPECT_EQ(error("geohash.encode", R"({"lat":0,"lng":0,"chars":13})"), "chars is above 12");
  EXPECT_EQ(error("geohash.encode", R"({"lat":0,"lng":0,"chars":0})"), "geohash_length");
  EXPECT_EQ(error("geohash.decode", R"({"hash":"a"})"), "geohash_bad_digit");
}

TEST(Operations, RefusalsSayTheRule) {
  EXPECT_EQ(error("hash", "{}"), "json_member_missing: data");
  EXPECT_EQ(error("hash", R"({"data":"0x0"})"), "hex_odd_length: data");
  EXPECT_EQ(error("rlp.decode", R"({"encoded":"0x8100"})"), "rlp_single_byte_with_prefix");
  EXPECT_EQ(error("abi.decode", R"({"type":"uint256[]","encoded":"0x"})"), "abi_truncated");
  EXPECT_EQ(error("abi.encode", R"({"type":"uint256[99999999]","value":[]})"), "abi_type_too_large");
  EXPECT_EQ(error("abi.encode", R"({"type":["uint8"],"value":[1,2]})"), "abi_value_count: as many values as types");
  EXPECT_EQ(error("eth.address", R"({"privateKey":"0x00"})"), "hex_wrong_length: privateKey");
  EXPECT_EQ(error("eth.address", R"({"privateKey":")" + std::string(64, '0') + "\"}"), "private_key_out_of_range");
  EXPECT_EQ(error("eth.tx.sign", R"({"kind":"homestead","tx":{},"privateKey":")" + std::string(64, '1') + "\"}"),
            "unknown kind");
  EXPECT_EQ(
      error("eth.tx.sign", R"({"kind":"london","tx":{"value":"x"},"privateKey":")" + std::string(64, '1') + "\"}"),
      "tx: number_bad_digit: value");
  EXPECT_EQ(error("userop.hash",
                  R"({"version":"0.6","userOperation":{},"entryPoint":")" + std::string(40, '1') + R"(","chainId":1})"),
            "version is neither 0.7 nor 0.8");
  EXPECT_EQ(error("bip32.parse", R"({"key":"xprv"})"), "base58_bad_checksum");
  EXPECT_EQ(error("hkdf", R"({"hash":"sha256","ikm":"00","size":8161})"), "size is above 8160");
}

TEST(Operations, TypesComeAsOneOrMany) {
  const std::string word = std::string(63, '0') + "5";
  EXPECT_EQ(out("abi.encode", R"({"type":"uint8","value":"0x5"})"), R"({"encoded":"0x)" + word + "\"}");
  EXPECT_EQ(out("abi.encode", R"({"type":["uint8"],"value":["5"]})"), R"({"encoded":"0x)" + word + "\"}");
  EXPECT_EQ(out("abi.encode", R"({"type":[{"name":"a","type":"uint8"}],"value":[5]})"),
            R"({"encoded":"0x)" + word + "\"}");
  EXPECT_EQ(out("abi.encode", R"_({"type":"tuple(uint8 a)","value":{"a":5}})_"), R"({"encoded":"0x)" + word + "\"}");
  EXPECT_EQ(out("abi.decode", R"({"type":"uint8","encoded":")" + word + "\"}"), R"({"value":5})");
  EXPECT_EQ(out("abi.decode", R"({"type":["uint8"],"encoded":")" + word + "\"}"), R"({"value":[5]})");
}

TEST(Operations, TransactionFieldsMayBeAbsentNullOrEmpty) {
  const std::string key = std::string(64, '1');
  const auto sign = [&](const std::string& tx) {
    return out("eth.tx.sign", R"({"kind":"london","tx":)" + tx + R"(,"privateKey":")" + key + "\"}");
  };
  EXPECT_EQ(sign("{}"), sign(R"({"to":null,"nonce":"0x","value":"","data":"0x","accessList":[]})"));
  const std::string address = "0x" + std::string(40, '1'), slot = "0x" + std::string(64, '2');
  const std::string list =
      sign(R"({"accessList":[{"address":")" + address + R"(","storageKeys":[")" + slot + R"("]}]})");
  EXPECT_NE(list.find("signed"), std::string::npos);
  EXPECT_EQ(list, sign(R"({"accessList":[[")" + address + R"(",[")" + slot + R"("]]]})"));
  EXPECT_EQ(list, sign(R"({"accessList":{")" + address + R"(":[")" + slot + R"("]}})"));
}

// The standard's example of a packed statement with a certificate (section 16.7), with some members changed.
json::object register_packed(const json::object& changes) {
  std::ifstream file(std::string(COMMUNITY_SOURCE_DIR) + "/tests/vectors/webauthn_level3.jsonl");
  const std::string credential = "0xc9a6f5b3462d02873fea0c56862234f99f081728084e511bb7760201a89054a5";
  for (std::string line; std::getline(file, line);) {
    if (line.find(R"("credentialId":")" + credential) == std::string::npos) continue;
    json::object request{{"id", 1}, {"op", "webauthn.register"}, {"in", json::parse(line).at("in")}};
    for (const auto& change : changes) request["in"].as_object()[change.key()] = change.value();
    return one(json::serialize(request));
  }
  return {};
}

std::string register_error(const json::object& changes) {
  const json::object answer = register_packed(changes);
  const json::value* text = answer.if_contains("error");
  const std::string all = text == nullptr ? json::serialize(answer) : std::string(text->as_string());
  return all.substr(0, all.find(':'));
}

TEST(WebAuthn, ARegistrationSaysWhatItsAttestationProves) {
  const json::object trusted = register_packed({}).at("out").as_object();
  EXPECT_EQ(trusted.at("ok"), true);
  EXPECT_EQ(trusted.at("aaguid"), "0x876ca4f52071c3e9b25509ef2cdf7ed6");
  EXPECT_EQ(trusted.at("format"), "packed");
  EXPECT_EQ(trusted.at("attestation"), "basic");
  EXPECT_EQ(trusted.at("trusted"), true);
  EXPECT_EQ(trusted.at("publicKey").as_string().size(), 2u + 130u);
  const json::object unknown = register_packed({{"trustRoot", nullptr}}).at("out").as_object();
  EXPECT_EQ(unknown.at("ok"), true);
  EXPECT_EQ(unknown.at("trusted"), false);
}

TEST(WebAuthn, RegistrationsAreRefusedByName) {
  EXPECT_EQ(register_error({{"trustRoot", "0x3000"}}), "trust_root_malformed");
  // The certificates are of 2024 to 3024.
  EXPECT_EQ(register_error({{"time", 1'700'000'000}}), "certificate_chain_untrusted");
  EXPECT_EQ(register_error({{"time", -1}}), "json_wrong_type");
  EXPECT_EQ(register_error({{"challenge", "0x00"}}), "challenge_mismatch");
  EXPECT_EQ(register_error({{"origin", "https://example.org:443"}}), "origin_not_allowed");
  EXPECT_EQ(register_error({{"rpId", "example.com"}}), "rp_id_mismatch");
  EXPECT_EQ(register_error({{"userVerification", "yes"}}), "unknown userVerification");
  EXPECT_EQ(register_error({{"attestationObject", nullptr}}), "json_member_missing");
  EXPECT_EQ(register_error({{"attestationObject", "0xa0"}}), "attestation_object_malformed");
}

TEST(WebAuthn, CrossOriginNeedsLeaveAndTheExpectedTop) {
  // The key's owner is not asked: all of these are refused before the signature, and the last one at it.
  const auto why = [](const std::string& client, const std::string& more) {
    const std::string zero = std::string(64, '0');
    std::string data;
    for (char c : client) {
      static constexpr char kDigits[] = "0123456789abcdef";
      data += kDigits[static_cast<unsigned char>(c) >> 4];
      data += kDigits[c & 15];
    }
    // SHA-256 of "localhost", flags present and verified.
    return error(
        "webauthn.assert",
        R"({"rpId":"localhost","origin":"http://localhost:1","challenge":")" + zero + R"(","clientDataJSON":")" + data +
            R"(","authenticatorData":"49960de5880e8c687434170f6476605b8fe4aeb9a28632c7995cf3ba831d97630500000002")"
            R"(,"signature":"3006020101020101","registration":{"publicKey":"0x04)"
            "6b4ea6d1e21566f63a01bfe050b6c8f4515d810364ae550103d180d49bbfa0e4"
            "b903e776cf3ae3d0f5958db49041e2c5db298227f91d04f382f45730974ae2b0\"}" +
            more + "}");
  };
  const std::string challenge = std::string(43, 'A');
  const auto client = [&](const std::string& rest) {
    return R"({"type":"webauthn.get","challenge":")" + challenge + R"(","origin":"http://localhost:1")" + rest + "}";
  };
  EXPECT_EQ(why(client(R"(,"crossOrigin":true)"), ""), "cross_origin");
  EXPECT_EQ(why(client(R"(,"crossOrigin":true,"topOrigin":"https://a")"), R"(,"allowCrossOrigin":true)"), "top_origin");
  EXPECT_EQ(why(client(R"(,"crossOrigin":true,"topOrigin":"https://a")"),
                R"(,"allowCrossOrigin":true,"topOrigin":"https://b")"),
            "top_origin");
  EXPECT_EQ(why(client(R"(,"crossOrigin":false,"topOrigin":"https://a")"),
                R"(,"allowCrossOrigin":true,"topOrigin":"https://a")"),
            "top_origin");
  EXPECT_EQ(why(client(R"(,"crossOrigin":true,"topOrigin":"https://a")"),
                R"(,"allowCrossOrigin":true,"topOrigin":"https://a")"),
            "passkey_signature_invalid");
  EXPECT_EQ(why(client(R"(,"crossOrigin":true,"topOrigin":"https://a")"), R"(,"topOrigin":"https://a")"),
            "cross_origin");
  EXPECT_EQ(why(client(R"(,"crossOrigin":true,"topOrigin":"https://a")"),
                R"(,"allowCrossOrigin":false,"topOrigin":"https://a")"),
            "cross_origin");
  EXPECT_EQ(why(client(""), R"(,"allowCrossOrigin":"yes")"), "json_wrong_type: allowCrossOrigin");
  EXPECT_EQ(why(client(R"(,"crossOrigin":false,"crossOrigin":false)"), ""), "client_data_duplicate_member");
  EXPECT_EQ(why(client(""), R"(,"userVerification":"required")"), "passkey_signature_invalid") << "the flag is set";
  EXPECT_EQ(why(client(""), R"(,"userVerification":"maybe")"), "unknown userVerification");
}

}  // namespace
}  // namespace community::tool
