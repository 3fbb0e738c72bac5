// SPDX-License-Identifier: Apache-2.0
// Typed data: the standard's own example, and every document that must not get a hash, by the name of its fault.
#include "community/core/eip712.hpp"

#include <gtest/gtest.h>

namespace community::core {
namespace {

constexpr std::string_view kMail = R"({
  "types": {
    "EIP712Domain": [{"name": "name", "type": "string"}, {"name": "version", "type": "string"},
                     {"name": "chainId", "type": "uint256"}, {"name": "verifyingContract", "type": "address"}],
    "Person": [{"name": "name", "type": "string"}, {"name": "wallet", "type": "address"}],
    "Mail": [{"name": "from", "type": "Person"}, {"name": "to", "type": "Person"},
             {"name": "contents", "type": "string"}]},
  "primaryType": "Mail",
  "domain": {"name": "Ether Mail", "version": "1", "chainId": 1,
             "verifyingContract": "0xCcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC"},
  "message": {"from": {"name": "Cow", "wallet": "0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826"},
              "to": {"name": "Bob", "wallet": "0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB"},
              "contents": "Hello, Bob!"}})";

json::object mail() { return parse_json(kMail).value().get_object(); }

json::object& part(json::object& document, std::string_view name) { return document[name].as_object(); }

template <class Change>
std::string why(Change change) {
  json::object document = mail();
  change(document);
  const auto hashes = hash_typed_data(document);
  return hashes ? "accepted" : std::string(name(hashes.error().code));
}

TEST(TypedData, HashesTheStandardsExample) {
  const auto hashes = hash_typed_data(mail()).value();
  EXPECT_EQ(to_plain_hex(hashes.digest), "be609aee343fb3c4b28e1df9e632fca64fcfaede20f02e86244efddf30957bd2");
  EXPECT_EQ(to_plain_hex(hashes.domain_separator), "f2cee375fa42b42143804025fc449deafd50cc031ca257e0b194a650a912090f");
  EXPECT_EQ(to_plain_hex(hashes.message_hash), "c52c0ee5d84264471806290a3f2c4cecfc5490626bf912d01f240d7a274b371e");
  json::object document = mail();
  EXPECT_EQ(typed_data_type_text(part(document, "types"), "Mail").value(),
            "Mail(Person from,Person to,string contents)Person(string name,address wallet)");
}

TEST(TypedData, DomainTypeIsMadeOfTheDomainWhenAbsent) {
  json::object document = mail();
  part(document, "types").erase("EIP712Domain");
  EXPECT_EQ(hash_typed_data(document)->digest, hash_typed_data(mail())->digest);
}

TEST(TypedData, RefusesByName) {
  EXPECT_EQ(why([](auto& d) { part(d, "message").erase("contents"); }), "eip712_member_missing");
  EXPECT_EQ(why([](auto& d) { part(d, "message")["memo"] = "unsigned words"; }), "eip712_member_unknown");
  EXPECT_EQ(why([](auto& d) { part(d, "domain")["salt"] = "0x00"; }), "eip712_member_unknown");
  EXPECT_EQ(why([](auto& d) { part(d, "domain").erase("name"); }), "eip712_member_missing");
  EXPECT_EQ(why([](auto& d) { part(d, "message")["contents"] = 5; }), "eip712_value");
  EXPECT_EQ(why([](auto& d) { part(d, "message")["from"] = nullptr; }), "eip712_value");
  EXPECT_EQ(why([](auto& d) { part(d, "domain")["chainId"] = -1; }), "eip712_value");
  EXPECT_EQ(why([](auto& d) { d["primaryType"] = "Letter"; }), "eip712_type_missing");
  EXPECT_EQ(why([](auto& d) { part(d, "types").erase("Person"); }), "eip712_type_missing");
  EXPECT_EQ(why([](auto& d) { part(d, "types")["uint8"] = json::array(); }), "eip712_type_syntax");
  EXPECT_EQ(why([](auto& d) { part(d, "types")["A(uint8 x)B"] = json::array(); }), "eip712_type_syntax");
  EXPECT_EQ(why([](auto& d) {
              part(d, "types")["Mail"].as_array().push_back({{"name", "to"}, {"type", "Person"}});
            }),
            "eip712_type_syntax");
  EXPECT_EQ(why([](auto& d) { part(d, "types")["Mail"].as_array()[0].as_object()["type"] = "Person["; }),
            "eip712_type_syntax");
  EXPECT_EQ(why([](auto& d) { d.erase("types"); }), "json_member_missing");
  EXPECT_EQ(why([](auto& d) {
              for (std::size_t i = 0; i < kMaxTypedDataStructs; i++)
                part(d, "types")["S" + std::to_string(i)] = json::array();
            }),
            "eip712_too_large");
}

TEST(TypedData, ErrorsNameTheWayToTheMember) {
  json::object document = mail();
  part(document, "message")["to"].as_object()["wallet"] = "0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBb";
  EXPECT_EQ(hash_typed_data(document).error().text(), "eip712_value: to: wallet: hex_odd_length");
}

TEST(TypedData, ArraysCountTheirElements) {
  const auto hash = [](std::string_view type, std::string_view value) {
    json::object document =
        parse_json(R"({"types":{"A":[{"name":"x","type":")" + std::string(type) +
                   R"("}]},"primaryType":"A","domain":{},"message":{"x":)" + std::string(value) + "}}")
            .value()
            .get_object();
    const auto hashes = hash_typed_data(document);
    return hashes ? "accepted" : std::string(name(hashes.error().code));
  };
  EXPECT_EQ(hash("uint8[2]", "[1,2]"), "accepted");
  EXPECT_EQ(hash("uint8[2]", "[1]"), "eip712_value");
  EXPECT_EQ(hash("uint8[2]", "[1,256]"), "eip712_value");
  EXPECT_EQ(hash("uint8[][2]", "[[],[1,2,3]]"), "accepted");
  EXPECT_EQ(hash("uint8[][2]", "[[],1]"), "eip712_value");
  EXPECT_EQ(hash("bytes4", "\"0x0102\""), "eip712_value");
  EXPECT_EQ(hash("A[]", "[{\"x\":[]}]"), "accepted") << "a struct may hold a list of itself";
}

}  // namespace
}  // namespace community::core
