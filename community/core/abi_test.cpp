// SPDX-License-Identifier: Apache-2.0
// ABI: random types and values survive encoding and decoding, damaged encodings are refused unless they are canonical
// themselves, types cannot make the decoder allocate.
#include "community/core/abi.hpp"

#include <gtest/gtest.h>

#include <random>

#include "community/core/abi_json.hpp"

namespace community::core {
namespace {

using Kind = AbiType::Kind;

struct Generator {
  std::mt19937_64 random{9};

  std::size_t below(std::size_t limit) { return random() % limit; }

  std::string type(int depth) {
    switch (below(depth > 0 ? 12 : 8)) {
      case 0:
        return "uint" + std::to_string(8 + 8 * below(32));
      case 1:
        return "int" + std::to_string(8 + 8 * below(32));
      case 2:
        return "address";
      case 3:
        return "bool";
      case 4:
        return "bytes" + std::to_string(1 + below(32));
      case 5:
        return "bytes";
      case 6:
        return "string";
      case 7:
        return "function";
      case 8:
        return type(depth - 1) + "[]";
      case 9:
        return type(depth - 1) + "[" + std::to_string(1 + below(3)) + "]";
      default:
        break;
    }
    std::string text = "(";
    for (std::size_t i = 0, count = 1 + below(4); i < count; i++) text += (i == 0 ? "" : ",") + type(depth - 1);
    return text + ")";
  }

  Bytes bytes(std::size_t size) {
    Bytes out(size);
    for (auto& byte : out) byte = static_cast<std::uint8_t>(random());
    return out;
  }

  AbiValue value(const AbiType& type) {
    switch (type.kind) {
      case Kind::uint:
      case Kind::address:
        return Uint256::from_be(bytes(below(type.size / 8 + 1)));
      case Kind::boolean:
        return std::uint64_t{below(2)};
      case Kind::integer: {
        const Uint256 half = Uint256::from_be(bytes(type.size / 8 - 1));
        return below(2) == 0 ? half : negate(half);
      }
      case Kind::fixed_bytes:
        return bytes(type.size);
      case Kind::bytes:
        return bytes(below(70));
      case Kind::string: {
        Bytes letters = bytes(below(70));
        for (auto& letter : letters) letter &= 0x7f;
        return letters;
      }
      default:
        break;
    }
    const std::size_t count = type.kind == Kind::tuple   ? type.components.size()
                              : type.kind == Kind::array ? type.length
                                                         : below(4);
    AbiValue::List list;
    for (std::size_t i = 0; i < count; i++) list.push_back(value(type.components[type.kind == Kind::tuple ? i : 0]));
    return list;
  }
};

std::string why_type(std::string_view text) {
  const auto type = parse_abi_type(text);
  return type ? "accepted" : std::string(name(type.error().code));
}

std::string why_decode(std::string_view type, std::string_view hex) {
  const auto values = abi_decode({parse_abi_type(type).value()}, parse_hex(hex, HexPrefix::optional).value());
  return values ? "accepted" : std::string(name(values.error().code));
}

std::string why_encode(std::string_view type, const AbiValue& value) {
  const auto encoded = abi_encode({parse_abi_type(type).value()}, {value});
  return encoded ? "accepted" : std::string(name(encoded.error().code));
}

std::string word(std::uint64_t number) { return to_plain_hex(Uint256(number).to_be()); }

TEST(Abi, DecodesWhatItEncodedAndPrintsWhatItReads) {
  Generator generator;
  for (int i = 0; i < 3000; i++) {
    const std::string text = generator.type(4);
    const AbiType type = parse_abi_type(text).value();
    ASSERT_EQ(parse_abi_type(type.text())->text(), type.text());
    const AbiValue value = generator.value(type);
    const auto encoded = abi_encode({type}, {value});
    ASSERT_TRUE(encoded) << text;
    const auto decoded = abi_decode({type}, *encoded);
    ASSERT_TRUE(decoded) << text << " " << decoded.error().text();
    ASSERT_EQ((*decoded)[0], value) << text;
    const json::value printed = abi_value_to_json(type, value).value();
    ASSERT_EQ(abi_value_from_json(type, printed).value(), value) << text << " " << printed;
  }
}

TEST(Abi, WhateverIsAcceptedIsCanonical) {
  Generator generator;
  int accepted = 0;
  for (int i = 0; i < 20'000; i++) {
    const AbiType type = parse_abi_type(generator.type(3)).value();
    Bytes encoded = abi_encode({type}, {generator.value(type)}).value();
    if (encoded.empty()) continue;
    if (i % 3 == 0) {
      encoded.resize(generator.below(encoded.size() + 33));
    } else {
      encoded[generator.below(encoded.size())] = static_cast<std::uint8_t>(generator.random());
    }
    const auto decoded = abi_decode({type}, encoded);
    if (!decoded) continue;
    accepted++;
    ASSERT_EQ(abi_encode({type}, *decoded).value(), encoded) << type.text();
  }
  EXPECT_GT(accepted, 1000) << "the property was never put to the test";
}

TEST(Abi, RefusesTypesByName) {
  for (auto bad :
       {"", "uint7", "uint0", "uint264", "uint08", "int1", "bytes0", "bytes33", "adress", "fixed128x18", "Address"})
    EXPECT_TRUE(why_type(bad) == "abi_type_unknown" || why_type(bad) == "abi_type_syntax") << bad;
  for (auto bad : {"uint256[", "uint256]", "uint256[-1]", "uint256[01]", "uint256[1x]", "(uint256", "uint256)",
                   "(uint256,)", "(,uint256)", "tuple", "uint256[[2]]", "uint256[2", "uint256,uint256"})
    EXPECT_EQ(why_type(bad), "abi_type_syntax") << bad;
  EXPECT_EQ(why_type("uint256[99999999]"), "abi_type_too_large");
  EXPECT_EQ(why_type("uint256[1000][1000]"), "abi_type_too_large");
  EXPECT_EQ(why_type("string[200000][200000]"), "accepted") << "a head of offsets, only large where it is used";
  EXPECT_EQ(why_type("uint256[0][]"), "abi_element_without_size");
  EXPECT_EQ(why_type("()[5]"), "abi_element_without_size");
  EXPECT_EQ(why_type("uint256[0]"), "accepted");
  std::string deep(kMaxAbiTypeDepth + 2, '('), many = "(bool";
  EXPECT_EQ(why_type(deep + "bool" + std::string(deep.size(), ')')), "abi_type_too_deep");
  for (std::size_t i = 0; i < kMaxAbiTypeNodes; i++) many += ",bool";
  EXPECT_EQ(why_type(many + ")"), "abi_type_too_large");
  EXPECT_EQ(why_type(std::string(kMaxAbiTypeText + 1, ' ')), "abi_type_too_large");
  std::string suffixes = "bool";
  for (unsigned i = 0; i <= kMaxAbiTypeDepth; i++) suffixes += "[1]";
  EXPECT_EQ(why_type(suffixes), "abi_type_too_deep");
}

TEST(Abi, ReadsTheSpellingsOfTypes) {
  EXPECT_EQ(parse_abi_type("tuple(uint a, string[2] memory b)[]")->text(), "(uint256,string[2])[]");
  EXPECT_EQ(parse_abi_type("( address , int )")->text(), "(address,int256)");
  EXPECT_EQ(parse_abi_type("function")->text(), "bytes24");
  const json::value form = parse_json(R"({"type":"tuple[3]","name":"x","components":[{"type":"uint256","name":"a"},
      {"type":"tuple","name":"b","components":[{"type":"bytes","name":"c"}]}]})")
                               .value();
  const AbiType type = abi_type_from_json(form).value();
  EXPECT_EQ(type.text(), "(uint256,(bytes))[3]");
  EXPECT_EQ(type.components[0].components[1].name, "b");
}

TEST(Abi, RefusesEncodingsByName) {
  EXPECT_EQ(why_decode("uint256", word(1) + "00"), "abi_trailing_bytes");
  EXPECT_EQ(why_decode("uint256", word(1).substr(2)), "abi_truncated");
  EXPECT_EQ(why_decode("uint8", word(256)), "abi_dirty_bits");
  EXPECT_EQ(why_decode("bool", word(2)), "abi_dirty_bits");
  EXPECT_EQ(why_decode("int8", word(128)), "abi_dirty_bits");
  EXPECT_EQ(why_decode("int8", std::string(62, 'f') + "80"), "accepted");
  EXPECT_EQ(why_decode("int8", std::string(62, 'f') + "7f"), "abi_dirty_bits");
  EXPECT_EQ(why_decode("address", "01" + std::string(62, '0')), "abi_dirty_bits");
  EXPECT_EQ(why_decode("bytes4", "01020304" + std::string(54, '0') + "01"), "abi_dirty_padding");
  EXPECT_EQ(why_decode("bytes", word(32) + word(1) + "01" + std::string(60, '0') + "01"), "abi_dirty_padding");
  EXPECT_EQ(why_decode("bytes", word(64) + word(0) + word(0)), "abi_offset_not_canonical");
  EXPECT_EQ(why_decode("bytes", word(0) + word(0)), "abi_offset_not_canonical");
  EXPECT_EQ(why_decode("bytes", std::string(64, 'f')), "abi_offset_not_canonical");
  EXPECT_EQ(why_decode("bytes", word(32) + word(33) + word(0)), "abi_truncated");
  EXPECT_EQ(why_decode("bytes", word(32) + std::string(64, 'f')), "abi_truncated");
  EXPECT_EQ(why_decode("uint256[]", word(32) + word(2) + word(1)), "abi_truncated");
  EXPECT_EQ(why_decode("bytes[]", word(32) + word(2) + word(64) + word(64) + word(0)), "abi_offset_not_canonical")
      << "two elements may not share a tail";
}

TEST(Abi, RefusesMoreValuesThanItsLimit) {
  const std::size_t count = kMaxAbiValues + 1;
  Bytes encoded = abi_encode({parse_abi_type("uint8[]").value()}, {AbiValue(AbiValue::List())}).value();
  const Bytes32 size = Uint256(count).to_be();
  std::copy(size.begin(), size.end(), encoded.begin() + 32);
  encoded.resize(encoded.size() + 32 * count);
  EXPECT_EQ(abi_decode({parse_abi_type("uint8[]").value()}, encoded).error().code, ErrorCode::abi_count_too_large);
}

TEST(Abi, RefusesValuesByName) {
  EXPECT_EQ(why_encode("uint8", Uint256(256)), "abi_value_range");
  EXPECT_EQ(why_encode("int8", Uint256(128)), "abi_value_range");
  EXPECT_EQ(why_encode("int8", negate(Uint256(128))), "accepted");
  EXPECT_EQ(why_encode("int8", negate(Uint256(129))), "abi_value_range");
  EXPECT_EQ(why_encode("bool", Uint256(2)), "abi_value_range");
  EXPECT_EQ(why_encode("bytes4", Bytes(5)), "abi_value_range");
  EXPECT_EQ(why_encode("bytes", Uint256(1)), "abi_value_kind");
  EXPECT_EQ(why_encode("uint8", Bytes(1)), "abi_value_kind");
  EXPECT_EQ(why_encode("uint8[2]", AbiValue::List{Uint256(1)}), "abi_value_count");
  EXPECT_EQ(why_encode("uint8[]", Uint256(1)), "abi_value_kind");
}

TEST(Abi, ReadsNumbersAsPeopleWriteThem) {
  const auto read = [](std::string_view type, json::value value) {
    const auto parsed = abi_value_from_json(parse_abi_type(type).value(), value);
    return parsed ? to_plain_hex(parsed->word().to_be()).substr(48) : std::string(name(parsed.error().code));
  };
  EXPECT_EQ(read("uint256", 255), "00000000000000ff");
  EXPECT_EQ(read("uint256", "255"), "00000000000000ff");
  EXPECT_EQ(read("uint256", "0x00ff"), "00000000000000ff");
  EXPECT_EQ(read("uint256", 2.0), "0000000000000002");
  EXPECT_EQ(read("uint256", 2.5), "abi_value_kind");
  EXPECT_EQ(read("uint256", -1), "abi_value_range");
  EXPECT_EQ(read("int256", -1), std::string(16, 'f'));
  EXPECT_EQ(read("int256", "-0x1"), std::string(16, 'f'));
  EXPECT_EQ(read("int64", "-9223372036854775808"), "8000000000000000");
  EXPECT_EQ(read("int64", std::numeric_limits<std::int64_t>::min()), "8000000000000000");
  EXPECT_EQ(read("int64", "9223372036854775808"), "abi_value_range");
  EXPECT_EQ(read("bool", true), "0000000000000001");
  EXPECT_EQ(read("bool", 2), "abi_value_range");
  EXPECT_EQ(read("address", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD"), "address_bad_checksum");
}

TEST(Abi, PrintsNumbersThatEveryReaderKeepsExact) {
  const AbiType type = parse_abi_type("int256").value();
  const auto print = [&](const Uint256& value) { return json::serialize(abi_value_to_json(type, value).value()); };
  EXPECT_EQ(print(Uint256(9007199254740991)), "9007199254740991");
  EXPECT_EQ(print(Uint256(9007199254740992)), "\"0x20000000000000\"");
  EXPECT_EQ(print(negate(Uint256(9007199254740991))), "-9007199254740991");
  EXPECT_EQ(print(negate(Uint256(9007199254740992))), "\"-0x20000000000000\"");
  EXPECT_EQ(abi_value_to_json(parse_abi_type("string").value(), Bytes{0xff}).error().code, ErrorCode::utf8_invalid);
}

TEST(Abi, FunctionsKnowTheirSelector) {
  const AbiFunction transfer = parse_abi_function("transfer(address to, uint256 amount)").value();
  EXPECT_EQ(to_hex(transfer.selector), "0xa9059cbb");
  const Bytes call = transfer.encode({Address{1}, Uint256(5)}).value();
  EXPECT_EQ(call.size(), 68u);
  EXPECT_EQ(transfer.decode(call).value()[1].word(), Uint256(5));
  EXPECT_EQ(parse_abi_function("approve(address,uint256)")->decode(call).error().code, ErrorCode::abi_wrong_selector);
  EXPECT_EQ(parse_abi_function("transfer").error().code, ErrorCode::abi_type_syntax);
}

TEST(Abi, PackedFormHasNoStructs) {
  const auto packed = [](std::string_view type, const AbiValue& value) {
    const auto bytes = abi_encode_packed({parse_abi_type(type).value()}, {value});
    return bytes ? to_hex(*bytes) : std::string(name(bytes.error().code));
  };
  EXPECT_EQ(packed("int16", negate(Uint256(1))), "0xffff");
  EXPECT_EQ(packed("uint16[]", AbiValue::List{Uint256(1)}), "0x" + word(1));
  EXPECT_EQ(packed("(uint16)", AbiValue::List{Uint256(1)}), "abi_type_unknown");
  EXPECT_EQ(packed("string[]", AbiValue::List{Bytes{1}}), "abi_type_unknown");
}

}  // namespace
}  // namespace community::core
