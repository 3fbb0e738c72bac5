// SPDX-License-Identifier: Apache-2.0
// RLP: what is accepted encodes to the same bytes.
#include "community/core/rlp.hpp"

#include "fuzz/core/fuzz.hpp"

using namespace community::core;

namespace {

void write(RlpWriter& rlp, const RlpItem& item) {
  if (!item.is_list) return rlp.add(item.payload);
  const std::size_t list = rlp.begin_list();
  for (const RlpItem& child : item.items) write(rlp, child);
  rlp.end_list(list);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView input(data, size);
  const auto item = rlp_decode(input);
  if (!item) return 0;
  RlpWriter rlp;
  write(rlp, *item);
  require(community::base::equal(rlp.bytes(), input), "RLP is canonical");
  return 0;
}
