// SPDX-License-Identifier: Apache-2.0
// What calls say, against calls that another implementation encoded (tests/vectors/calls).
#include <gtest/gtest.h>

#include <fstream>

#include "community/core/json.hpp"
#include "community/transactions/summary.hpp"

namespace community::transactions {
namespace {

namespace json = core::json;

json::object vectors() {
  std::ifstream file(std::string(COMMUNITY_SOURCE_DIR) + "/tests/vectors/calls/cases.json");
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  return core::parse_json(text).value().as_object();
}

void expect_member(const json::object& expected, std::string_view member, const std::string& found) {
  const json::value* wanted = expected.if_contains(member);
  if (wanted != nullptr) {
    EXPECT_EQ(std::string(wanted->as_string()), found) << member;
  }
}
void expect_flag(const json::object& expected, std::string_view member, bool found) {
  const json::value* wanted = expected.if_contains(member);
  if (wanted != nullptr) {
    EXPECT_EQ(wanted->as_bool(), found) << member;
  }
}

TEST(CallReader, ReadsWhatAnotherImplementationEncoded) {
  const json::object all = vectors();
  const Address account = *core::address_member(all, "account");
  const json::array& cases = all.at("cases").as_array();
  ASSERT_GE(cases.size(), 25u);
  for (const json::value& value : cases) {
    const json::object& one = value.as_object();
    SCOPED_TRACE(std::string(one.at("signature").as_string()));
    const accounts::Call call{*core::address_member(one, "to"), *core::number_member(one, "value"),
                              *core::bytes_member(one, "data")};
    const CallReading read = read_call(call, account);
    const json::object& expected = one.at("expect").as_object();
    expect_member(expected, "meaning", in_camel_case(name(read.meaning)));
    expect_member(expected, "from", core::to_hex(read.from));
    expect_member(expected, "counterparty", core::to_hex(read.counterparty));
    expect_member(expected, "amount", core::format_decimal(read.amount));
    expect_member(expected, "tokenId", read.token_id ? core::format_decimal(*read.token_id) : "");
    expect_flag(expected, "permission", read.is_permission());
    expect_flag(expected, "unlimited", is_unlimited(read));
    if (const json::value* count = expected.if_contains("count")) {
      EXPECT_EQ(count->as_int64(), static_cast<std::int64_t>(read.count));
    }
  }
}

TEST(CallReader, ACallToTheAccountIsOneHoweverShort) {
  const Address account = *core::parse_address("0x1234000000000000000000000000000000005678");
  for (const std::size_t size : {0u, 1u, 3u, 4u, 68u}) {
    const CallReading read = read_call({account, {}, core::Bytes(size, 0xa9)}, account);
    EXPECT_EQ(read.meaning, Meaning::self_call) << size;
    EXPECT_EQ(read.selector.has_value(), size >= 4) << size;
  }
}

TEST(CallReader, ComparesAddressesAsPeopleDo) {
  const Address one = *core::parse_address("0x1234000000000000000000000000000000005678");
  const Address like = *core::parse_address("0x1234ffffffffffffffffffffffffffffffff5678");
  const Address other_end = *core::parse_address("0x1234000000000000000000000000000000005679");
  EXPECT_TRUE(looks_like(one, like));
  EXPECT_FALSE(looks_like(one, one));
  EXPECT_FALSE(looks_like(one, other_end));
}

TEST(CallReader, WritesRulesAsPagesReadThem) {
  EXPECT_EQ(with_hyphens(name(Warning::unlimited_allowance)), "unlimited-allowance");
  EXPECT_EQ(in_camel_case(name(Kind::lower_gas_cap)), "lowerGasCap");
}

}  // namespace
}  // namespace community::transactions
