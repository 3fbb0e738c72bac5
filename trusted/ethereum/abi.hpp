// SPDX-License-Identifier: Apache-2.0
// Strict reader of the contract ABI (Solidity specification, "Formal Specification of the Encoding"): heads in order,
// tails one directly behind the other, zero padding, nothing left over. Whatever a contract would decode differently
// from us is refused. No heap; the hosted codec is community/core/abi.hpp.
#pragma once
#include <optional>

#include "trusted/base/uint256.hpp"

namespace community::ethereum {

using base::Address;
using base::Bytes32;
using base::ByteView;
using base::Uint256;

// One tuple: a head of `words` 32-byte words at the start of `data`, its dynamic members behind it. Dynamic members
// must be read in order, each begins where the last one ended.
class AbiTuple {
 public:
  static std::optional<AbiTuple> open(ByteView data, std::size_t words) {
    if (data.size() % 32 != 0 || data.size() / 32 < words) return std::nullopt;
    return AbiTuple(data, words * 32);
  }

  // Word i of the head; i is below the number of words.
  ByteView word(std::size_t i) const { return data_.subspan(i * 32, 32); }
  Bytes32 bytes32(std::size_t i) const {
    Bytes32 value;
    base::copy(value, word(i));
    return value;
  }
  Uint256 number(std::size_t i) const { return Uint256::from_be(word(i)); }
  std::optional<Address> address(std::size_t i) const {
    if (!base::is_zero(word(i).first(12))) return std::nullopt;
    Address value;
    base::copy(value, word(i).last(20));
    return value;
  }
  // A number below 2^32, enough for every length and offset within our limits.
  static std::optional<std::size_t> small(ByteView word) {
    if (!base::is_zero(word.first(28))) return std::nullopt;
    return base::load_be<std::uint32_t>(word.data() + 28);
  }

  // `bytes` whose offset is word i.
  std::optional<ByteView> bytes(std::size_t i) {
    const auto length = open_tail(i);
    if (!length) return std::nullopt;
    const std::size_t padded = (*length + 31) / 32 * 32;
    if (padded > data_.size() - tail_) return std::nullopt;
    const ByteView value = data_.subspan(tail_, *length);
    if (!base::is_zero(data_.subspan(tail_ + *length, padded - *length))) return std::nullopt;
    tail_ += padded;
    return value;
  }

  struct Array {
    std::size_t count = 0;
    // The elements, without the count.
    ByteView elements;
  };
  // An array of static elements of `words` words each, its offset at word i.
  std::optional<Array> static_array(std::size_t i, std::size_t words) {
    const auto count = open_tail(i);
    if (!count || *count > (data_.size() - tail_) / 32 / words) return std::nullopt;
    const Array array{*count, data_.subspan(tail_, *count * words * 32)};
    tail_ += array.elements.size();
    return array;
  }
  // An array of dynamic elements that is the last member of the tuple: all the rest is its elements.
  std::optional<Array> last_array(std::size_t i) {
    const auto count = open_tail(i);
    if (!count || *count > (data_.size() - tail_) / 32) return std::nullopt;
    const Array array{*count, data_.subspan(tail_)};
    tail_ = data_.size();
    return array;
  }
  // A dynamic tuple that takes `size` bytes, its offset at word i.
  std::optional<ByteView> tuple(std::size_t i, std::size_t size) {
    const auto offset = small(word(i));
    if (!offset || *offset != tail_ || size > data_.size() - tail_) return std::nullopt;
    tail_ += size;
    return data_.subspan(tail_ - size, size);
  }
  // True when everything was read.
  bool finished() const { return tail_ == data_.size(); }

 private:
  AbiTuple(ByteView data, std::size_t head) : data_(data), tail_(head) {}

  // Checks that word i is the offset where the last member ended, and reads the length that stands there.
  std::optional<std::size_t> open_tail(std::size_t i) {
    const auto offset = small(word(i));
    if (!offset || *offset != tail_ || data_.size() - tail_ < 32) return std::nullopt;
    const auto length = small(data_.subspan(tail_, 32));
    if (!length || *length > data_.size()) return std::nullopt;
    tail_ += 32;
    return length;
  }

  ByteView data_;
  std::size_t tail_;
};

// The elements of an array of dynamic tuples, one after the other: each is handed out as the rest of the array that
// begins at it, so its reader tells where it ends.
class AbiElements {
 public:
  explicit AbiElements(const AbiTuple::Array& array)
      : data_(array.elements), count_(array.count), end_(array.count * 32) {}

  std::size_t count() const { return count_; }

  // Bytes of element i: from its offset to the next one's, or to the end. Offsets must grow from the end of the table.
  std::optional<ByteView> element(std::size_t i) {
    const auto begin = AbiTuple::small(data_.subspan(i * 32, 32));
    if (!begin || *begin != end_) return std::nullopt;
    std::size_t end = data_.size();
    if (i + 1 < count_) {
      const auto next = AbiTuple::small(data_.subspan((i + 1) * 32, 32));
      if (!next || *next < *begin || *next > data_.size()) return std::nullopt;
      end = *next;
    }
    end_ = end;
    return data_.subspan(*begin, end - *begin);
  }

 private:
  ByteView data_;
  std::size_t count_;
  std::size_t end_;
};

}  // namespace community::ethereum
