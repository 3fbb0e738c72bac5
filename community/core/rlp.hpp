// SPDX-License-Identifier: Apache-2.0
// Recursive length prefix (Yellow Paper, appendix B). There is one encoding of each value; every other is refused.
#pragma once
#include "community/core/uint256.hpp"

namespace community::core {

// Nesting that no Ethereum structure comes near; keeps recursion shallow.
inline constexpr unsigned kMaxRlpDepth = 256;
// An item costs 48 bytes in memory and at least one on the wire: 12 MiB at most.
inline constexpr std::size_t kMaxRlpItems = 1u << 18;

struct RlpItem {
  bool is_list = false;
  // What a string holds, or the encoded items of a list; points into the decoded bytes.
  ByteView payload;
  std::vector<RlpItem> items;

  // The string as big-endian integer without leading zeros: rlp_string_expected, rlp_integer_leading_zero,
  // rlp_integer_out_of_range.
  Result<Uint256> to_uint() const;
  Result<std::uint64_t> to_u64() const;
};

// The whole of `encoded` is one item. The result points into `encoded`.
Result<RlpItem> rlp_decode(ByteView encoded);

class RlpWriter {
 public:
  void add(ByteView string);
  void add(const Uint256& integer);
  // Lists nest; end_list takes what begin_list returned and writes the prefix in front of what was added since.
  std::size_t begin_list() const { return out_.size(); }
  void end_list(std::size_t start);
  // Bytes that are already RLP.
  void add_raw(ByteView encoded) { append(out_, encoded); }

  const Bytes& bytes() const& { return out_; }
  Bytes bytes() && { return std::move(out_); }

 private:
  Bytes out_;
};

}  // namespace community::core
