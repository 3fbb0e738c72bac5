// SPDX-License-Identifier: Apache-2.0
// The reader of a bundle: what it accepts is exactly what an encoder makes of the words and bytes in it.
#include "fuzz/trusted/fuzz.hpp"
#include "trusted/ethereum/calls.hpp"
#include "trusted/tests/support/encode.hpp"

using namespace community::trusted::testing;
namespace ethereum = community::ethereum;

namespace {

constexpr std::size_t kDynamic[4] = {2, 3, 7, 8};

community::base::MutableByteView head_word(Bytes& head, std::size_t i) {
  return community::base::MutableByteView(head).subspan(32 * i, 32);
}

// Encodes one operation again from its nine head words, the offsets made anew, and its four byte strings.
Bytes encode_op(ByteView element) {
  auto op = *ethereum::AbiTuple::open(element, 9);
  Bytes head(9 * 32), tail;
  for (std::size_t i = 0; i < 9; i++) community::base::copy(head_word(head, i), op.word(i));
  for (const std::size_t i : kDynamic) {
    const auto bytes = op.bytes(i);
    require(bytes.has_value(), "its bytes are read");
    community::base::copy(head_word(head, i), abi_word(Uint256(9 * 32 + tail.size())));
    append(tail, abi_bytes(*bytes));
  }
  return join({head, tail});
}

void check(ByteView call_data) {
  const auto beneficiary = ethereum::read_handle_ops(call_data);
  if (!beneficiary) return;
  auto arguments = *ethereum::AbiTuple::open(call_data.subspan(4), 2);
  const auto array = arguments.last_array(0);
  require(array && array->count > 0, "it has operations");
  ethereum::AbiElements elements(*array);
  Bytes table, ops;
  for (std::size_t i = 0; i < elements.count(); i++) {
    append(table, abi_word(Uint256(32 * elements.count() + ops.size())));
    append(ops, encode_op(*elements.element(i)));
  }
  const Bytes again = join({unhex("765e827f"), abi_word(Uint256(64)), abi_word(*beneficiary),
                            abi_word(Uint256(elements.count())), table, ops});
  require(again == to_bytes(call_data), "one encoding");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  check({data, size});
  return 0;
}
