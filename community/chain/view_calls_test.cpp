// SPDX-License-Identifier: Apache-2.0
// Bytes alone; that a chain runs the program is shown in anvil_test.cpp.
#include "community/chain/api/view_calls.hpp"

#include <gtest/gtest.h>

#include <random>

namespace community::chain {
namespace {

TEST(ViewCalls, AreReadBack) {
  const std::vector<ViewCall> calls{{Address{1}, {1, 2, 3, 4}}, {Address{2}, {}}, {Address{1}, Bytes(300, 7)}};
  const auto read = decode_view_calls(encode_view_calls(calls));
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, calls);
  EXPECT_FALSE(decode_view_calls(Bytes{0x60, 0x00}));
  Bytes longer = encode_view_calls(calls);
  longer.push_back(0);
  EXPECT_FALSE(decode_view_calls(longer));
}

TEST(ViewCalls, AnswersAreReadBack) {
  const std::vector<ViewAnswer> answers{{true, Bytes(32, 9)}, {false, {}}, {true, {}}, {false, {1, 2, 3}}};
  const Bytes bytes = encode_view_answers(answers);
  const auto read = decode_view_answers(bytes, answers.size());
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, answers);
  EXPECT_FALSE(decode_view_answers(bytes, answers.size() - 1)) << "bytes are left";
  EXPECT_FALSE(decode_view_answers(bytes, answers.size() + 1));
  EXPECT_FALSE(decode_view_answers(ByteView(bytes).first(bytes.size() - 1), answers.size()));
  Bytes neither = bytes;
  neither[31] = 2;
  EXPECT_FALSE(decode_view_answers(neither, answers.size())) << "a word that is no truth value";
}

// Of whatever a server answers nothing is read beyond its end.
TEST(ViewCalls, AnyBytesAreRefusedOrRead) {
  std::mt19937 random(7);
  for (int round = 0; round < 2'000; round++) {
    Bytes bytes(random() % 200);
    for (auto& byte : bytes) byte = random() % 4 == 0 ? static_cast<std::uint8_t>(random()) : 0;
    const std::size_t count = random() % 4;
    if (const auto read = decode_view_answers(bytes, count)) {
      EXPECT_EQ(encode_view_answers(*read), bytes);
    }
    (void)decode_view_calls(bytes);
  }
}

}  // namespace
}  // namespace community::chain
