// SPDX-License-Identifier: Apache-2.0
// The line protocol: every line gets its answer, bad ones too, and the next line is none the worse for it.
#include <gtest/gtest.h>

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

TEST(Operations, WhatIsKnownButNotOfferedIsSkipped) {
  for (auto op : {"ecdh", "ed25519.verify", "geohash.encode", "webauthn.register"})
    EXPECT_EQ(json::serialize(one(std::string(R"({"id":7,"op":")") + op + R"(","in":{}})")), R"({"id":7,"skip":true})");
  EXPECT_EQ(out("hkdf", R"({"hash":"sha1","ikm":"00","size":1})"), R"({"id":1,"skip":true})");
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
  EXPECT_EQ(why(client(R"(,"crossOrigin":true,"topOrigin":"https://a")"), R"(,"allowCrossOrigin":true)"),
            "cross_origin");
  EXPECT_EQ(why(client(R"(,"crossOrigin":true,"topOrigin":"https://a")"),
                R"(,"allowCrossOrigin":true,"topOrigin":"https://b")"),
            "cross_origin");
  EXPECT_EQ(why(client(R"(,"crossOrigin":false,"topOrigin":"https://a")"),
                R"(,"allowCrossOrigin":true,"topOrigin":"https://a")"),
            "cross_origin");
  EXPECT_EQ(why(client(R"(,"crossOrigin":true,"topOrigin":"https://a")"),
                R"(,"allowCrossOrigin":true,"topOrigin":"https://a")"),
            "passkey_signature_invalid");
  EXPECT_EQ(why(client(R"(,"crossOrigin":false,"crossOrigin":false)"), ""), "client_data_duplicate_member");
}

}  // namespace
}  // namespace community::tool
