// SPDX-License-Identifier: Apache-2.0
// Rule 1: the only call data that is accepted is `execute(batch mode, Call[])` in its one canonical encoding.
#include <gtest/gtest.h>

#include "trusted/tests/support/world.hpp"

namespace community::trusted::testing {
namespace {

class CallForms : public ::testing::Test {
 protected:
  Error sign(Bytes call_data) {
    TestUserop userop = world.good_userop();
    userop.call_data = std::move(call_data);
    return world.sign(userop).error;
  }
  // The good call data with one word of the whole replaced; word 0 is the mode.
  Error with_word(std::size_t index, const Bytes& value) {
    Bytes data = batch_call({{kShop, Uint256(1), unhex("0102")}, {kShop, Uint256(2), {}}});
    base::copy(base::MutableByteView(data).subspan(4 + 32 * index), value);
    return sign(data);
  }
  // Offsets of words: mode, offset of bytes, length, then execution data: 32, count, 2 offsets, elements.
  static constexpr std::size_t kArrayOffset = 3, kCount = 4, kFirstOffset = 5, kSecondOffset = 6, kTo = 7;
  static constexpr std::size_t kDataOffset = 9, kDataLength = 10, kData = 11;
  World world;
};

TEST_F(CallForms, AcceptsUpTo32CallsAndEmptyAndLongData) {
  EXPECT_EQ(sign(batch_call({{kShop, Uint256(1), {}}})), Error::ok);
  EXPECT_EQ(sign(batch_call({{kShop, Uint256(1), Bytes(1'000, 7)}})), Error::ok);
  EXPECT_EQ(sign(batch_call(std::vector<TestCall>(32, {kShop, Uint256(1), unhex("01020304")}))), Error::ok);
}

TEST_F(CallForms, RefusesEveryOtherMode) {
  const Bytes data = batch_data({{kShop, Uint256(1), {}}});
  for (const std::string_view mode : {
           // Single call
           "0000000000000000000000000000000000000000000000000000000000000000",
           // Batch with optional data, ERC-7821
           "0100000000007821000100000000000000000000000000000000000000000000",
           // Batch of batches
           "0100000000007821000200000000000000000000000000000000000000000000",
           // Batch that swallows failures
           "0101000000000000000000000000000000000000000000000000000000000000",
           // Delegatecall
           "ff00000000000000000000000000000000000000000000000000000000000000",
           // Static call
           "fe00000000000000000000000000000000000000000000000000000000000000",
           // A bit far behind
           "0100000000000000000000000000000000000000000000000000000000000001",
       }) {
    EXPECT_EQ(sign(execute_call(word(mode), data)), Error::call_mode_not_batch) << mode;
  }
}

TEST_F(CallForms, RefusesExecuteUserOp) {
  Bytes data = batch_call({{kShop, Uint256(1), {}}});
  base::copy(data, unhex("8dd7712f"));
  EXPECT_EQ(sign(data), Error::call_execute_user_op);
  EXPECT_EQ(sign(unhex("8dd7712f")), Error::call_execute_user_op);
}

TEST_F(CallForms, RefusesEveryOtherSelector) {
  // execute(address,uint256,bytes), executeBatch(address[],bytes[]), upgradeToAndCall(address,bytes), nothing
  for (const std::string_view selector : {"b61d27f6", "18dfb3c7", "4f1ef286", "00000000", "e9ae5c54"}) {
    Bytes data = batch_call({{kShop, Uint256(1), {}}});
    base::copy(data, unhex(selector));
    EXPECT_EQ(sign(data), Error::call_selector_not_execute) << selector;
  }
}

TEST_F(CallForms, RefusesCallDataTooShortForASelector) {
  for (const std::string_view data : {"", "e9", "e9ae", "e9ae5c"})
    EXPECT_EQ(sign(unhex(data)), Error::call_selector_not_execute) << data;
}

TEST_F(CallForms, RefusesEveryTruncation) {
  const Bytes good = batch_call({{kShop, Uint256(1), unhex("0102")}, {kShop, Uint256(2), {}}});
  for (std::size_t size = 4; size < good.size(); size++) {
    const Error error = sign(Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size)));
    EXPECT_EQ(error, Error::call_encoding_not_canonical) << size;
  }
}

TEST_F(CallForms, RefusesTrailingBytes) {
  const Bytes good = batch_call({{kShop, Uint256(1), {}}});
  for (const std::size_t more : {1u, 31u, 32u, 64u}) {
    Bytes data = good;
    append(data, Bytes(more));
    EXPECT_EQ(sign(data), Error::call_encoding_not_canonical) << more;
    // The same inside the execution data.
    Bytes inner = batch_data({{kShop, Uint256(1), {}}});
    append(inner, Bytes(more));
    EXPECT_EQ(sign(execute_call(Bytes32{0x01}, inner)), Error::call_encoding_not_canonical) << more;
  }
}

TEST_F(CallForms, RefusesCallsToTheZeroAddressTheAccountAndEntryPoints) {
  EXPECT_EQ(sign(batch_call({{Address{}, Uint256(1), {}}})), Error::call_to_zero_address);
  EXPECT_EQ(sign(batch_call({{world.account, Uint256(1), {}}})), Error::call_to_self);
  EXPECT_EQ(sign(batch_call({{kEntryPoint8, Uint256(1), {}}})), Error::call_to_entry_point);
  EXPECT_EQ(sign(batch_call({{kEntryPoint7, Uint256(1), {}}})), Error::call_to_entry_point);
  // Also when it is the last of several.
  EXPECT_EQ(sign(batch_call({{kShop, Uint256(1), {}}, {world.account, Uint256(0), {}}})), Error::call_to_self);
}

TEST_F(CallForms, RefusesNoCallsAndTooManyCalls) {
  EXPECT_EQ(sign(batch_call({})), Error::call_count_out_of_range);
  EXPECT_EQ(sign(batch_call(std::vector<TestCall>(33, {kShop, Uint256(0), {}}))), Error::call_count_out_of_range);
}

TEST_F(CallForms, RefusesCountsLargerThanTheData) {
  EXPECT_EQ(with_word(kCount, abi_word(Uint256(3))), Error::call_encoding_not_canonical);
  EXPECT_EQ(with_word(kCount, abi_word(Uint256(1))), Error::call_encoding_not_canonical);
  EXPECT_EQ(with_word(kCount, abi_word(Uint256(0xffff'ffff))), Error::call_encoding_not_canonical);
  EXPECT_EQ(with_word(kCount, abi_word(Uint256::max())), Error::call_encoding_not_canonical);
}

TEST_F(CallForms, RefusesOffsetsThatAreNotCanonical) {
  for (const std::uint64_t offset : {std::uint64_t{0}, std::uint64_t{32}, std::uint64_t{65}, std::uint64_t{96},
                                     std::uint64_t{0xffff'ffff}, ~std::uint64_t{0}}) {
    EXPECT_EQ(with_word(1, abi_word(Uint256(offset))), Error::call_encoding_not_canonical) << offset;
    EXPECT_EQ(with_word(kFirstOffset, abi_word(Uint256(offset))),
              offset == 64 ? Error::ok : Error::call_encoding_not_canonical)
        << offset;
    if (offset != 32) {
      EXPECT_EQ(with_word(kArrayOffset, abi_word(Uint256(offset))), Error::call_encoding_not_canonical) << offset;
    }
    if (offset != 96) {
      EXPECT_EQ(with_word(kDataOffset, abi_word(Uint256(offset))), Error::call_encoding_not_canonical) << offset;
    }
  }
}

TEST_F(CallForms, RefusesOverlappingElements) {
  // Both offsets name the first element.
  EXPECT_EQ(with_word(kSecondOffset, abi_word(Uint256(64))), Error::call_encoding_not_canonical);
  // The second begins inside the first.
  EXPECT_EQ(with_word(kSecondOffset, abi_word(Uint256(96))), Error::call_encoding_not_canonical);
  // In the other order.
  Bytes data = batch_call({{kShop, Uint256(1), unhex("0102")}, {kShop, Uint256(2), {}}});
  const Bytes first(data.begin() + 4 + 32 * kFirstOffset, data.begin() + 4 + 32 * kSecondOffset);
  const Bytes second(data.begin() + 4 + 32 * kSecondOffset, data.begin() + 4 + 32 * kTo);
  base::copy(base::MutableByteView(data).subspan(4 + 32 * kFirstOffset), second);
  base::copy(base::MutableByteView(data).subspan(4 + 32 * kSecondOffset), first);
  EXPECT_EQ(sign(data), Error::call_encoding_not_canonical);
}

TEST_F(CallForms, RefusesAnAddressWithDirtyUpperBytes) {
  for (const std::size_t byte : {0u, 5u, 11u}) {
    Bytes dirty = abi_word(kShop);
    dirty[byte] = 1;
    EXPECT_EQ(with_word(kTo, dirty), Error::call_encoding_not_canonical) << byte;
  }
}

TEST_F(CallForms, RefusesPaddingThatIsNotZero) {
  for (std::size_t byte = 2; byte < 32; byte++) {
    Bytes data(32, 0);
    data[0] = 1, data[1] = 2, data[byte] = 1;
    EXPECT_EQ(with_word(kData, data), Error::call_encoding_not_canonical) << byte;
  }
}

TEST_F(CallForms, RefusesLengthsThatDoNotFit) {
  for (const std::uint64_t length : {std::uint64_t{33}, std::uint64_t{0xffff'ffff}, ~std::uint64_t{0}})
    EXPECT_EQ(with_word(kDataLength, abi_word(Uint256(length))), Error::call_encoding_not_canonical) << length;
  EXPECT_EQ(with_word(kDataLength, abi_word(Uint256(0))), Error::call_encoding_not_canonical);
  EXPECT_EQ(with_word(2, abi_word(Uint256::max())), Error::call_encoding_not_canonical);
}

TEST_F(CallForms, RefusesEveryChangedByteOrSignsWhatItSays) {
  // Whatever byte changes: either it is refused, or the summary tells the change.
  const Bytes good = batch_call({{kShop, Uint256(1), unhex("01020304")}});
  std::size_t accepted = 0;
  for (std::size_t i = 0; i < good.size(); i++) {
    TestUserop userop = world.good_userop();
    userop.call_data = good;
    userop.call_data[i] ^= 1;
    const Reply reply = world.sign(userop);
    if (reply.error != Error::ok) continue;
    accepted++;
    const auto summary = decoded<protocol::SignUseropReply>(reply.body);
    ASSERT_EQ(summary.call_count, 1);
    // The summary tells the first four bytes and the length; the only length that still fits ends in a zero.
    Bytes data = to_bytes(summary.calls[0].selector);
    data.resize(summary.calls[0].data_bytes);
    const Bytes again = batch_call({{summary.calls[0].to, summary.calls[0].value, data}});
    EXPECT_EQ(again, userop.call_data) << i;
  }
  // The address, the low bytes of the value within the cap, and the four bytes of data.
  EXPECT_GE(accepted, 20u + 4u);
}

}  // namespace
}  // namespace community::trusted::testing
