// SPDX-License-Identifier: Apache-2.0
// Text of strangers beside a person's own.
#include "community/transactions/text.hpp"

#include <gtest/gtest.h>

#include <random>

#include "community/core/abi.hpp"
#include "community/core/bytes.hpp"
#include "community/transactions/token_book.hpp"

namespace community::transactions {
namespace {

TEST(CleanText, KeepsWhatPeopleRead) {
  for (const char* text : {"USDC", "ETH-2.0", "เหรียญ", "人民币", "€uro", "नमस्ते", "🪙"})
    EXPECT_EQ(clean_text(text, kMaxSymbolCharacters), text);
}

TEST(CleanText, TakesAwayWhatDeceives) {
  EXPECT_EQ(clean_text("US\xe2\x80\xaeX\xe2\x80\xac", 24), "USX") << "U+202E turns the direction";
  EXPECT_EQ(clean_text("US\xe2\x80\x8b"
                       "DC",
                       24),
            "USDC")
      << "U+200B is not seen";
  EXPECT_EQ(clean_text("a\x01\x7f\xc2\x85z", 24), "az");
  EXPECT_EQ(clean_text("\xe2\x81\xa6x\xe2\x81\xa9", 24), "x") << "isolates";
  EXPECT_EQ(clean_text("\xef\xbb\xbfx\xf3\xa0\x81\x81", 24), "x") << "byte order mark, tag characters";
  EXPECT_EQ(clean_text("\xee\x80\x80x", 24), "x") << "private use";
  EXPECT_EQ(clean_text("  a \n\t b\xc2\xa0\xe3\x80\x80 c  ", 24), "a b c");
  EXPECT_EQ(clean_text("\xc0\x80\xff\xed\xa0\x80ok\xe2\x82", 24), "ok") << "no UTF-8: overlong, surrogate, cut short";
}

TEST(CleanText, CountsCharactersAndNotBytes) {
  EXPECT_EQ(clean_text("เหรียญทองคำ", 3), "เหร");
  EXPECT_EQ(clean_text(std::string(1'000, 'a'), 24).size(), 24u);
  EXPECT_EQ(clean_text("ab c", 3), "ab") << "no space at the end";
}

TEST(CleanText, AnswersValidTextWhateverComes) {
  std::mt19937_64 random(7);
  for (int round = 0; round < 20'000; round++) {
    std::string bytes;
    for (std::uint64_t i = random() % 40; i > 0; i--) bytes += static_cast<char>(random());
    const std::string text = clean_text(bytes, 16);
    EXPECT_TRUE(core::is_utf8(base::view(text)));
    EXPECT_EQ(clean_text(text, 16), text) << "cleaned once is clean";
    for (const char c : text) EXPECT_FALSE(c >= 0 && c < 0x20);
  }
}

TEST(Symbol, ReadsBothFormsOfTokens) {
  const auto string = core::abi_encode(core::parse_abi_parameters("string").value(),
                                       {core::AbiValue(core::to_bytes(base::view("DAI")))});
  EXPECT_EQ(read_symbol(*string), "DAI");
  core::Bytes32 word{'M', 'K', 'R'};
  EXPECT_EQ(read_symbol(word), "MKR");
  EXPECT_EQ(read_symbol(core::Bytes(31, 'a')), "");
  EXPECT_EQ(read_symbol(core::Bytes()), "");
  core::Bytes huge = *string;
  huge[63] = 0xff;
  EXPECT_EQ(read_symbol(huge), "") << "longer than what is there";
}

}  // namespace
}  // namespace community::transactions
