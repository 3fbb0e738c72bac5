// SPDX-License-Identifier: Apache-2.0
// Documents of other implementations in the form of the core: the digest stays theirs.
#include <gtest/gtest.h>

#include <fstream>

#include "community/keys/api/typed_message.hpp"

namespace community::keys {
namespace {

namespace json = core::json;

json::object document_of(const json::value& vector) {
  const json::object& in = vector.at("in").as_object();
  return {{"domain", in.at("domain")},
          {"types", in.at("types")},
          {"primaryType", in.at("primaryType")},
          {"message", in.at("data")}};
}

TEST(TypedMessage, KeepsTheDigestOfOthers) {
  std::ifstream file(std::string(COMMUNITY_SOURCE_DIR) + "/tests/vectors/typed_data.jsonl");
  int read = 0, refused = 0;
  for (std::string line; std::getline(file, line);) {
    const json::value vector = core::parse_json(line, {.long_integers_as_text = true}).value();
    const json::object* out = vector.at("out").if_object();
    if (out == nullptr || !out->contains("digest")) continue;
    const auto document = typed_document(document_of(vector));
    if (!document) {
      // A domain without members binds a signature to nothing.
      EXPECT_EQ(document.error().message, "domain") << line;
      refused++;
      continue;
    }
    EXPECT_EQ(core::to_hex(document->digest), out->at("digest").as_string().c_str());
    read++;
  }
  EXPECT_EQ(read, 143);
  EXPECT_EQ(refused, 7);
}

json::object mail() {
  return core::parse_json(R"({
    "domain": {"name": "Ether Mail", "version": "1", "chainId": 1,
               "verifyingContract": "0xCcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC"},
    "types": {"Person": [{"name": "name", "type": "string"}, {"name": "wallet", "type": "address"}],
              "Mail": [{"name": "from", "type": "Person"}, {"name": "to", "type": "Person"},
                       {"name": "contents", "type": "string"}],
              "Unused": [{"name": "x", "type": "bool"}]},
    "primaryType": "Mail",
    "message": {"from": {"name": "Cow", "wallet": "0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826"},
                "to": {"name": "Bob", "wallet": "0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB"},
                "contents": "Hello, Bob!"}})")
      .value()
      .get_object();
}

TEST(TypedMessage, TheExampleOfTheStandard) {
  const auto document = typed_document(mail());
  ASSERT_TRUE(document.has_value()) << document.error().text();
  EXPECT_EQ(core::to_hex(document->digest), "0xbe609aee343fb3c4b28e1df9e632fca64fcfaede20f02e86244efddf30957bd2");
  EXPECT_EQ(document->message.types, (std::vector<std::string>{"Mail(Person from,Person to,string contents)",
                                                               "Person(string name,address wallet)"}));
  EXPECT_EQ(document->message.primary, 0);
  EXPECT_EQ(document->message.present, 15);
}

TEST(TypedMessage, RefusesWhatTheCoreCannotRead) {
  json::object document = mail();
  document["domain"] = json::object{};
  EXPECT_EQ(typed_document(document).error().code, core::ErrorCode::eip712_type_syntax);
  // The domain's members in another order hash to another domain.
  document = mail();
  document["types"].as_object()["EIP712Domain"] = json::array{
      json::object{{"name", "version"}, {"type", "string"}}, json::object{{"name", "name"}, {"type", "string"}},
      json::object{{"name", "chainId"}, {"type", "uint256"}},
      json::object{{"name", "verifyingContract"}, {"type", "address"}}};
  EXPECT_EQ(typed_document(document).error().code, core::ErrorCode::eip712_type_syntax);
  document = mail();
  document["primaryType"] = "EIP712Domain";
  EXPECT_FALSE(typed_document(document).has_value());
  document = mail();
  document["message"].as_object()["contents"] = std::string(protocol::kMaxTypedDataBytes, 'x');
  EXPECT_EQ(typed_document(document).error().code, core::ErrorCode::eip712_too_large);
  document = mail();
  document["message"].as_object().erase("contents");
  EXPECT_EQ(typed_document(document).error().code, core::ErrorCode::eip712_member_missing);
}

}  // namespace
}  // namespace community::keys
