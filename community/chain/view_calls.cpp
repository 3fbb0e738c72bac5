// SPDX-License-Identifier: Apache-2.0
// The program is a block of instructions for each call, a return, and the calls' data. On its stack lies one number
// alone, the end of what was written to memory: answers stand there behind each other, each as a word that says whether
// the call succeeded, a word with the length, and the bytes.
#include "community/chain/api/view_calls.hpp"

namespace community::chain {
namespace {

// Instructions of the EVM (Yellow Paper, appendix H), older than any chain that is served.
enum Op : std::uint8_t {
  kAdd = 0x01,
  kCodeCopy = 0x39,
  kReturnDataSize = 0x3d,
  kReturnDataCopy = 0x3e,
  kMStore = 0x52,
  kGas = 0x5a,
  kPush1 = 0x60,
  kPush2 = 0x61,
  kPush20 = 0x73,
  kDup2 = 0x81,
  kDup3 = 0x82,
  kDup4 = 0x83,
  kReturn = 0xf3,
  kStaticCall = 0xfa,
};

constexpr std::size_t kWord = 32;
constexpr std::uint8_t kBegin[] = {kPush1, 0};
constexpr std::uint8_t kEnd[] = {kPush1, 0, kReturn};
// Where a block has the length of the call's data, its place in the program, and the address.
constexpr std::size_t kLengthAt = 1, kPlaceAt = 4, kAddressAt = 17;

Bytes block_of(const ViewCall& call, std::size_t place) {
  const auto high = [](std::size_t value) { return static_cast<std::uint8_t>(value >> 8); };
  const auto low = [](std::size_t value) { return static_cast<std::uint8_t>(value); };
  const std::size_t length = call.data.size();
  // The data, to the end of memory.
  Bytes block{kPush2, high(length), low(length), kPush2, high(place), low(place), kDup3, kCodeCopy};
  // The call, which returns nothing into memory by itself.
  const std::uint8_t before[] = {kPush1, 0, kPush1, 0, kPush2, high(length), low(length), kDup4, kPush20};
  block.insert(block.end(), std::begin(before), std::end(before));
  block.insert(block.end(), call.to.begin(), call.to.end());
  const std::uint8_t after[] = {kGas, kStaticCall,
                                // Whether it succeeded, over the data.
                                kDup2, kMStore,
                                // How much it returned, and that.
                                kReturnDataSize, kDup2, kPush1, kWord, kAdd, kMStore, kReturnDataSize, kPush1, 0, kDup3,
                                kPush1, 2 * kWord, kAdd, kReturnDataCopy,
                                // The new end.
                                kReturnDataSize, kAdd, kPush1, 2 * kWord, kAdd};
  block.insert(block.end(), std::begin(after), std::end(after));
  return block;
}

std::size_t block_size() {
  static const std::size_t size = block_of(ViewCall(), 0).size();
  return size;
}

std::size_t two_bytes(ByteView bytes, std::size_t at) { return std::size_t{bytes[at]} << 8 | bytes[at + 1]; }

}  // namespace

Bytes encode_view_calls(const std::vector<ViewCall>& calls) {
  Bytes program(std::begin(kBegin), std::end(kBegin));
  std::size_t place = sizeof kBegin + calls.size() * block_size() + sizeof kEnd;
  for (const ViewCall& call : calls) {
    const Bytes block = block_of(call, place);
    program.insert(program.end(), block.begin(), block.end());
    place += call.data.size();
  }
  program.insert(program.end(), std::begin(kEnd), std::end(kEnd));
  for (const ViewCall& call : calls) program.insert(program.end(), call.data.begin(), call.data.end());
  return program;
}

std::optional<std::vector<ViewCall>> decode_view_calls(ByteView program) {
  std::vector<ViewCall> calls;
  for (std::size_t at = sizeof kBegin; at + block_size() < program.size() && program[at] == kPush2;
       at += block_size()) {
    const std::size_t length = two_bytes(program, at + kLengthAt), place = two_bytes(program, at + kPlaceAt);
    if (place + length > program.size()) return std::nullopt;
    ViewCall call;
    base::copy(call.to, program.subspan(at + kAddressAt, call.to.size()));
    call.data = core::to_bytes(program.subspan(place, length));
    calls.push_back(std::move(call));
  }
  const Bytes same = encode_view_calls(calls);
  if (!std::equal(same.begin(), same.end(), program.begin(), program.end())) return std::nullopt;
  return calls;
}

Bytes encode_view_answers(const std::vector<ViewAnswer>& answers) {
  Bytes out;
  for (const ViewAnswer& answer : answers) {
    for (const std::uint64_t number : {std::uint64_t{answer.success}, std::uint64_t{answer.data.size()}}) {
      const Bytes32 word = Uint256(number).to_be();
      out.insert(out.end(), word.begin(), word.end());
    }
    out.insert(out.end(), answer.data.begin(), answer.data.end());
  }
  return out;
}

std::optional<std::vector<ViewAnswer>> decode_view_answers(ByteView bytes, std::size_t count) {
  std::vector<ViewAnswer> answers;
  for (std::size_t i = 0; i < count; i++) {
    if (bytes.size() < 2 * kWord) return std::nullopt;
    const Uint256 success = Uint256::from_be(bytes.first(kWord)),
                  length = Uint256::from_be(bytes.subspan(kWord, kWord));
    bytes = bytes.subspan(2 * kWord);
    if (success > Uint256(1) || length > Uint256(bytes.size())) return std::nullopt;
    const ByteView data = bytes.first(static_cast<std::size_t>(length.limb[0]));
    answers.push_back({success == Uint256(1), core::to_bytes(data)});
    bytes = bytes.subspan(data.size());
  }
  if (!bytes.empty()) return std::nullopt;
  return answers;
}

}  // namespace community::chain
