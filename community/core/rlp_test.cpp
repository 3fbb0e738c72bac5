// SPDX-License-Identifier: Apache-2.0
// RLP: random trees survive the way there and back, random bytes are accepted only when they are canonical, and each
// other form is refused by its rule.
#include "community/core/rlp.hpp"

#include <gtest/gtest.h>

#include <random>

namespace community::core {
namespace {

void write(RlpWriter& rlp, const RlpItem& item) {
  if (!item.is_list) return rlp.add(item.payload);
  const std::size_t list = rlp.begin_list();
  for (const RlpItem& child : item.items) write(rlp, child);
  rlp.end_list(list);
}

void write_random(RlpWriter& rlp, std::mt19937_64& random, int depth) {
  if (depth == 0 || random() % 3 != 0) {
    static constexpr std::size_t kSizes[] = {0, 1, 1, 2, 20, 32, 54, 55, 56, 57, 255, 256, 300};
    Bytes bytes(kSizes[random() % std::size(kSizes)]);
    for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random());
    return rlp.add(bytes);
  }
  const std::size_t list = rlp.begin_list();
  for (std::uint64_t i = random() % 6; i > 0; i--) write_random(rlp, random, depth - 1);
  rlp.end_list(list);
}

std::string why(std::string_view hex) {
  const Bytes bytes = parse_hex(hex, HexPrefix::optional).value();
  const auto item = rlp_decode(bytes);
  return item ? "accepted" : std::string(name(item.error().code));
}

TEST(Rlp, DecodedTreesEncodeToTheSameBytes) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 2000; i++) {
    RlpWriter rlp;
    write_random(rlp, random, 5);
    const auto item = rlp_decode(rlp.bytes());
    ASSERT_TRUE(item);
    RlpWriter again;
    write(again, *item);
    ASSERT_EQ(again.bytes(), rlp.bytes());
  }
}

TEST(Rlp, WhateverIsAcceptedIsCanonical) {
  std::mt19937_64 random(8);
  int accepted = 0;
  for (int i = 0; i < 20'000; i++) {
    RlpWriter rlp;
    write_random(rlp, random, 3);
    Bytes bytes = rlp.bytes();
    const std::size_t place = random() % std::min<std::size_t>(bytes.size(), 24);
    bytes[place] = static_cast<std::uint8_t>(random());
    const auto item = rlp_decode(bytes);
    if (!item) continue;
    accepted++;
    RlpWriter again;
    write(again, *item);
    ASSERT_EQ(again.bytes(), bytes);
  }
  EXPECT_GT(accepted, 100) << "the property was never put to the test";
}

TEST(Rlp, RefusesByName) {
  EXPECT_EQ(why(""), "rlp_truncated");
  EXPECT_EQ(why("83646f"), "rlp_truncated");
  EXPECT_EQ(why("c281"), "rlp_truncated");
  EXPECT_EQ(why("b8"), "rlp_truncated");
  EXPECT_EQ(why("8001"), "rlp_trailing_bytes");
  EXPECT_EQ(why("c0c0"), "rlp_trailing_bytes");
  EXPECT_EQ(why("8100"), "rlp_single_byte_with_prefix");
  EXPECT_EQ(why("817f"), "rlp_single_byte_with_prefix");
  EXPECT_EQ(why("8180"), "accepted");
  EXPECT_EQ(why("b837" + std::string(110, '1')), "rlp_long_form_for_short");
  EXPECT_EQ(why("f800"), "rlp_length_leading_zero");
  EXPECT_EQ(why("b90038" + std::string(112, '1')), "rlp_length_leading_zero");
  EXPECT_EQ(why("b838" + std::string(112, '1')), "accepted");
  EXPECT_EQ(why("bfffffffffffffffff"), "rlp_length_overflow");
  EXPECT_EQ(why("ffffffffffffffffff"), "rlp_length_overflow");
  EXPECT_EQ(why("bf00ffffffffffffff"), "rlp_length_leading_zero");
  EXPECT_EQ(why("bf7fffffffffffffff"), "rlp_truncated");
}

TEST(Rlp, LimitsDepthAndCount) {
  const auto nested = [](unsigned depth) {
    RlpWriter rlp;
    std::vector<std::size_t> lists;
    for (unsigned i = 0; i <= depth; i++) lists.push_back(rlp.begin_list());
    for (; !lists.empty(); lists.pop_back()) rlp.end_list(lists.back());
    return std::move(rlp).bytes();
  };
  const Bytes deepest = nested(kMaxRlpDepth), deeper = nested(kMaxRlpDepth + 1);
  EXPECT_TRUE(rlp_decode(deepest));
  EXPECT_EQ(rlp_decode(deeper).error().code, ErrorCode::rlp_too_deep);
  RlpWriter many;
  const std::size_t list = many.begin_list();
  many.add_raw(Bytes(kMaxRlpItems, 1));
  many.end_list(list);
  EXPECT_EQ(rlp_decode(many.bytes()).error().code, ErrorCode::rlp_too_many_items);
}

TEST(Rlp, IntegersHaveOneForm) {
  const auto integer = [](std::string_view hex) {
    const Bytes bytes = parse_hex(hex, HexPrefix::optional).value();
    const auto value = rlp_decode(bytes)->to_uint();
    return value ? format_quantity(*value) : std::string(name(value.error().code));
  };
  EXPECT_EQ(integer("80"), "0x0");
  EXPECT_EQ(integer("7f"), "0x7f");
  EXPECT_EQ(integer("00"), "rlp_integer_leading_zero");
  EXPECT_EQ(integer("820001"), "rlp_integer_leading_zero");
  EXPECT_EQ(integer("c0"), "rlp_string_expected");
  EXPECT_EQ(integer("a1" + std::string(66, '1')), "rlp_integer_out_of_range");
  const Bytes wide = parse_hex("0x89010000000000000000").value();
  EXPECT_EQ(rlp_decode(wide)->to_u64().error().code, ErrorCode::rlp_integer_out_of_range);
}

}  // namespace
}  // namespace community::core
