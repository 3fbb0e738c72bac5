// SPDX-License-Identifier: Apache-2.0
// Strict reader of RLP (Ethereum yellow paper, appendix B): every item has exactly one encoding, all others are
// refused. No heap, no copies; the hosted encoder and decoder are community/core/rlp.hpp.
#pragma once
#include <optional>

#include "trusted/base/uint256.hpp"

namespace community::ethereum {

using base::Address;
using base::Bytes32;
using base::ByteView;
using base::Uint256;

// Walks over the items of one list; after the first violation every call answers nothing.
class RlpReader {
 public:
  explicit RlpReader(ByteView items) : rest_(items) {}

  bool empty() const { return rest_.empty(); }

  // The next item when it is a string.
  std::optional<ByteView> string() {
    const auto item = next();
    if (!item || item->list) return fail<ByteView>();
    return item->payload;
  }
  // The items of the next item when it is a list.
  std::optional<RlpReader> list() {
    const auto item = next();
    if (!item || !item->list) return fail<RlpReader>();
    return RlpReader(item->payload);
  }
  // An unsigned integer: big-endian, no leading zeros, at most 32 bytes.
  std::optional<Uint256> integer() {
    const auto bytes = string();
    if (!bytes || bytes->size() > 32 || (!bytes->empty() && bytes->front() == 0)) return fail<Uint256>();
    return Uint256::from_be(*bytes);
  }
  std::optional<std::uint64_t> integer64() {
    const auto value = integer();
    if (!value || !value->fits_u64()) return fail<std::uint64_t>();
    return value->limb[0];
  }
  std::optional<Address> address() {
    const auto bytes = string();
    Address address;
    if (!bytes || bytes->size() != address.size()) return fail<Address>();
    base::copy(address, *bytes);
    return address;
  }

 private:
  struct Item {
    bool list = false;
    ByteView payload;
  };

  template <class T>
  std::optional<T> fail() {
    rest_ = {};
    return std::nullopt;
  }

  std::optional<Item> next() {
    if (rest_.empty()) return std::nullopt;
    const std::uint8_t first = rest_[0];
    if (first < 0x80) return take(false, 0, 1);
    const bool list = first >= 0xc0;
    const std::uint8_t kind = static_cast<std::uint8_t>(first - (list ? 0xc0 : 0x80));
    if (kind <= 55) {
      // A single byte below 0x80 stands for itself.
      if (!list && kind == 1 && rest_.size() > 1 && rest_[1] < 0x80) return std::nullopt;
      return take(list, 1, kind);
    }
    const std::size_t length_bytes = kind - 55u;
    if (rest_.size() < 1 + length_bytes || rest_[1] == 0) return std::nullopt;
    std::uint64_t length = 0;
    for (std::size_t i = 0; i < length_bytes; i++) {
      if (length >> 56 != 0) return std::nullopt;
      length = length << 8 | rest_[1 + i];
    }
    if (length <= 55) return std::nullopt;
    return take(list, 1 + length_bytes, length);
  }

  std::optional<Item> take(bool list, std::size_t header, std::uint64_t length) {
    if (length > rest_.size() - header) return std::nullopt;
    const Item item{list, rest_.subspan(header, static_cast<std::size_t>(length))};
    rest_ = rest_.subspan(header + static_cast<std::size_t>(length));
    return item;
  }

  ByteView rest_;
};

// The items of `bytes` when it is exactly one list.
inline std::optional<RlpReader> rlp_list(ByteView bytes) {
  RlpReader outer(bytes);
  auto items = outer.list();
  if (!items || !outer.empty()) return std::nullopt;
  return items;
}

}  // namespace community::ethereum
