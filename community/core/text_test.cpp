// SPDX-License-Identifier: Apache-2.0
// Text forms: hex, numbers, addresses, UTF-8 and strict JSON. Each refusal is asked for by its name.
#include <gtest/gtest.h>

#include <limits>
#include <random>

#include "community/core/base64url.hpp"
#include "community/core/json.hpp"
#include "community/core/uuid.hpp"
#include "trusted/base/keccak.hpp"

namespace community::core {
namespace {

template <class T>
std::string why(const Result<T>& result) {
  return result ? "accepted" : std::string(name(result.error().code));
}

TEST(Hex, ReadsWhatItWrites) {
  std::mt19937_64 random(1);
  for (std::size_t size = 0; size < 70; size++) {
    Bytes bytes(size);
    for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random());
    EXPECT_EQ(parse_hex(to_hex(bytes)).value(), bytes);
    EXPECT_EQ(parse_hex(to_plain_hex(bytes), HexPrefix::optional).value(), bytes);
  }
  EXPECT_EQ(parse_hex("0xAbCd").value(), (Bytes{0xab, 0xcd}));
}

TEST(Base64Url, ReadsWhatItWritesAndWhatTheStandardShows) {
  // RFC 4648, section 10, without padding.
  for (const auto& [bytes, text] : std::initializer_list<std::pair<std::string_view, std::string_view>>{
           {"", ""}, {"f", "Zg"}, {"fo", "Zm8"}, {"foo", "Zm9v"}, {"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"}}) {
    EXPECT_EQ(to_base64url(base::view(bytes)), text);
    EXPECT_EQ(parse_base64url(text, 5).value(), to_bytes(base::view(bytes)));
  }
  EXPECT_EQ(to_base64url(Bytes{0xfb, 0xff}), "-_8");
  std::mt19937_64 random(2);
  for (std::size_t size = 0; size < 70; size++) {
    Bytes bytes(size);
    for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random());
    EXPECT_EQ(parse_base64url(to_base64url(bytes), size).value(), bytes);
    if (size > 0) {
      EXPECT_FALSE(parse_base64url(to_base64url(bytes), size - 1)) << "longer than allowed";
    }
  }
}

TEST(Base64Url, HasOneTextForEveryByteString) {
  for (const std::string_view bad : {"Zg==", "Zh", "Zm9", "Z", "Zm 9", "Zm9v\n", "+_8", "-/8", "Zm9vZ"})
    EXPECT_FALSE(parse_base64url(bad, 100)) << bad;
  EXPECT_FALSE(parse_base64url(std::string(1'000'000, 'A'), 100));
}

TEST(Uuid, IsReadInOneFormOnly) {
  const std::string text = "0f8fad5b-d9cb-469f-a165-70867728950e";
  EXPECT_EQ(format_uuid(parse_uuid(text).value()), text);
  for (const std::string_view bad : {"", "0f8fad5bd9cb469fa16570867728950e", "0F8FAD5B-d9cb-469f-a165-70867728950e",
                                     "0f8fad5b-d9cb-469f-a165-70867728950", "0f8fad5b-d9cb-469f-a165-70867728950e0",
                                     "0f8fad5b-d9cb-469f-a1657-0867728950e", "0f8fad5b_d9cb_469f_a165_70867728950e",
                                     "{0f8fad5b-d9cb-469f-a165-70867728950e}", "0f8fad5b-d9cb-469f-a165-70867728950g"})
    EXPECT_FALSE(parse_uuid(bad)) << bad;
  Uuid ones;
  ones.fill(0xff);
  EXPECT_EQ(format_uuid(random_uuid(ones)), "ffffffff-ffff-4fff-bfff-ffffffffffff");
  EXPECT_EQ(format_uuid(random_uuid({})), "00000000-0000-4000-8000-000000000000");
}

TEST(Hex, RefusesByName) {
  EXPECT_EQ(why(parse_hex("abcd")), "hex_prefix_missing");
  EXPECT_EQ(why(parse_hex("0Xab")), "hex_prefix_missing");
  EXPECT_EQ(why(parse_hex("")), "hex_prefix_missing");
  EXPECT_EQ(why(parse_hex("0xabc")), "hex_odd_length");
  for (char bad : std::string_view("gG/:@`-+ x\0", 11))
    EXPECT_EQ(why(parse_hex(std::string("0x0") + bad)), "hex_bad_digit");
  EXPECT_EQ(why(parse_hex("0x0102", HexPrefix::required, 1)), "hex_too_long");
  EXPECT_EQ(why(parse_bytes32("0x01")), "hex_wrong_length");
}

TEST(Number, QuantityIsStrict) {
  EXPECT_EQ(parse_quantity("0x0").value(), Uint256());
  EXPECT_EQ(parse_quantity("0x" + std::string(64, 'f')).value(), Uint256::max());
  EXPECT_EQ(why(parse_quantity("0x")), "number_empty");
  EXPECT_EQ(why(parse_quantity("0x00")), "number_leading_zero");
  EXPECT_EQ(why(parse_quantity("0x01")), "number_leading_zero");
  EXPECT_EQ(why(parse_quantity("1")), "hex_prefix_missing");
  EXPECT_EQ(why(parse_quantity("0x1g")), "number_bad_digit");
  EXPECT_EQ(why(parse_quantity("0x1" + std::string(64, '0'))), "number_out_of_range");
}

TEST(Number, LenientFormsStillHaveLimits) {
  EXPECT_EQ(parse_hex_number("0x0001").value(), Uint256(1));
  EXPECT_EQ(parse_hex_number("0x" + std::string(100, '0') + "5").value(), Uint256(5));
  EXPECT_EQ(why(parse_hex_number("0x" + std::string(kMaxLenientDigits + 1, '0'))), "number_out_of_range");
  EXPECT_EQ(why(parse_decimal("01")), "number_leading_zero");
  EXPECT_EQ(why(parse_decimal("")), "number_empty");
  EXPECT_EQ(why(parse_decimal("-1")), "number_bad_digit");
  EXPECT_EQ(why(parse_decimal("1e3")), "number_bad_digit");
  const std::string largest = "115792089237316195423570985008687907853269984665640564039457584007913129639935";
  EXPECT_EQ(parse_decimal(largest).value(), Uint256::max());
  EXPECT_EQ(format_decimal(Uint256::max()), largest);
  EXPECT_EQ(why(parse_decimal(largest.substr(0, 77) + "6")), "number_out_of_range");
  EXPECT_EQ(why(parse_decimal(largest + "0")), "number_out_of_range");
}

TEST(Number, ReadsWhatItWrites) {
  std::mt19937_64 random(2);
  for (int i = 0; i < 3000; i++) {
    Bytes bytes(random() % 33);
    for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random() % 4 == 0 ? 0 : random());
    const Uint256 value = Uint256::from_be(bytes);
    EXPECT_EQ(parse_quantity(format_quantity(value)).value(), value);
    EXPECT_EQ(parse_decimal(format_decimal(value)).value(), value);
    EXPECT_EQ(negate(negate(value)), value);
  }
  EXPECT_EQ(format_quantity(Uint256()), "0x0");
  EXPECT_EQ(format_decimal(Uint256()), "0");
  for (unsigned bits = 0; bits <= 256; bits++) EXPECT_EQ(max_of_bits(bits).bit_length(), bits);
}

TEST(Address, ChecksumOfTheStandardsExamples) {
  for (std::string_view text :
       {"0x52908400098527886E0F7030069857D2E4169EE7", "0xde709f2102306220921060314715629080e2fb77",
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
        "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB", "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb"}) {
    const auto address = parse_address(text);
    ASSERT_TRUE(address);
    EXPECT_EQ(format_address(*address), text);
  }
}

TEST(Address, RefusesByName) {
  EXPECT_EQ(why(parse_address("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD")), "address_bad_checksum");
  EXPECT_EQ(why(parse_address("0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed")), "accepted");
  EXPECT_EQ(why(parse_address("0x5AAEB6053F3E94C9B9A09F33669435E7EF1BEAED")), "accepted");
  EXPECT_EQ(why(parse_address("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeA")), "hex_wrong_length");
  EXPECT_EQ(why(parse_address("5aaeb6053f3e94c9b9a09f33669435e7ef1beaed")), "hex_prefix_missing");
  EXPECT_EQ(why(parse_address("0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaeg")), "hex_bad_digit");
}

TEST(Address, Create2OfTheStandardsExample) {
  const auto deployer = parse_address("0xdeadbeef00000000000000000000000000000000").value();
  EXPECT_EQ(format_address(create2_address(deployer, Bytes32{}, base::keccak256(Bytes{0}))),
            "0xB928f69Bb1D91Cd65274e3c79d8986362984fDA3");
}

TEST(Utf8, FollowsRfc3629) {
  const auto check = [](std::string_view text) { return is_utf8(base::view(text)); };
  EXPECT_TRUE(check("plain ß € 😀"));
  for (std::string_view bad : {"\x80", "\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf",
                               "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xe2\x82", "\xff", "a\xc3"})
    EXPECT_FALSE(check(bad)) << to_hex(base::view(bad));
  EXPECT_TRUE(check("\xf4\x8f\xbf\xbf"));
  EXPECT_TRUE(check("\xed\x9f\xbf\xee\x80\x80"));
}

TEST(Json, RefusesByName) {
  EXPECT_EQ(why(parse_json(R"({"a":1,"b":2,"a":3})")), "json_duplicate_member");
  EXPECT_EQ(parse_json(R"({"x":{"deep":1,"d\u0065ep":2}})").error().message, "deep") << "escapes do not hide it";
  EXPECT_EQ(why(parse_json(R"([{"a":1},{"a":1}])")), "accepted") << "two objects are two objects";
  EXPECT_EQ(why(parse_json(R"({"a":{"b":1},"b":2})")), "accepted");
  EXPECT_EQ(why(parse_json(R"({"a":{"b":1},"c":2,"a":3})")), "json_duplicate_member") << "after an inner object";
  EXPECT_EQ(why(parse_json("{} x")), "json_syntax");
  EXPECT_EQ(why(parse_json("")), "json_syntax");
  EXPECT_EQ(why(parse_json("{\"a\":1")), "json_syntax");
  EXPECT_EQ(why(parse_json("{'a':1}")), "json_syntax");
  EXPECT_EQ(why(parse_json("[1,]")), "json_syntax");
  EXPECT_EQ(why(parse_json("\"\xff\"")), "json_syntax");
  EXPECT_EQ(why(parse_json("\"\\ud800\"")), "json_syntax");
  EXPECT_EQ(why(parse_json("NaN")), "json_syntax");
  EXPECT_EQ(why(parse_json("18446744073709551616")), "json_number_out_of_range");
  EXPECT_EQ(why(parse_json("18446744073709551615")), "accepted");
  EXPECT_EQ(why(parse_json("1e999")), "json_number_out_of_range");
  EXPECT_EQ(why(parse_json("0e4343")), "json_number_out_of_range");
  EXPECT_EQ(why(parse_json(std::string(65, '[') + std::string(65, ']'))), "json_too_deep");
  EXPECT_EQ(why(parse_json(std::string(64, '[') + std::string(64, ']'))), "accepted");
  EXPECT_EQ(why(parse_json("[1]", {.max_bytes = 2})), "json_too_large");
}

TEST(Json, FindsADuplicateAmongManyMembers) {
  std::string text = "{";
  for (int i = 0; i < 300; i++) text += "\"member" + std::to_string(i) + "\":" + std::to_string(i) + ",";
  EXPECT_EQ(why(parse_json(text + "\"last\":0}")), "accepted");
  EXPECT_EQ(parse_json(text + "\"member123\":0}").error().message, "member123");
}

TEST(Json, KeepsLongIntegersWhenAsked) {
  const JsonLimits limits{.long_integers_as_text = true};
  const auto value = parse_json("[123456789012345678901234567890, -99999999999999999999, 1.5, 1e30]", limits).value();
  EXPECT_EQ(value.at(0), "123456789012345678901234567890");
  EXPECT_EQ(value.at(1), "-99999999999999999999");
  EXPECT_TRUE(value.at(2).is_double());
  EXPECT_TRUE(value.at(3).is_double());
  // Nearest doubles of numbers that multiplying by a power of ten misses.
  EXPECT_EQ(parse_json("7.2057594037927933e16").value().as_double(), 72057594037927936.0);
  EXPECT_EQ(parse_json("9007199254740993.0").value().as_double(), 9007199254740992.0);
  EXPECT_EQ(parse_json("0.50000000000000011102230246251565").value().as_double(), 0.50000000000000011102230246251565);
  EXPECT_EQ(parse_json("-1.7976931348623157e308").value().as_double(), -std::numeric_limits<double>::max());
}

TEST(Json, MembersNameThemselvesInErrors) {
  const json::object object = parse_json(R"({"n":"0x01","t":5,"z":null,"neg":-1})").value().get_object();
  EXPECT_EQ(number_member(object, "n").value(), Uint256(1));
  EXPECT_EQ(number_member(object, "t").value(), Uint256(5));
  EXPECT_EQ(number_member(object, "z").error().text(), "json_member_missing: z");
  EXPECT_EQ(string_member(object, "t").error().text(), "json_wrong_type: t is not a string");
  EXPECT_EQ(number_member(object, "neg").error().code, ErrorCode::json_wrong_type);
  EXPECT_EQ(bytes_member(object, "n").value(), Bytes{1});
  EXPECT_EQ(address_member(object, "n").error().text(), "hex_wrong_length: n");
}

}  // namespace
}  // namespace community::core
