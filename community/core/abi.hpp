// SPDX-License-Identifier: Apache-2.0
// Contract ABI encoding and decoding (Solidity documentation, "Contract ABI Specification"). Decoding accepts only what
// encoding produces: tails in order without gaps or sharing, clean padding, nothing after the end.
#pragma once
#include <initializer_list>
#include <variant>

#include "community/core/abi_type.hpp"
#include "community/core/address.hpp"

namespace community::core {

// One value of any ABI type. Numbers, addresses and booleans are words (signed numbers in two's complement of 256
// bits); bytes, string and bytesN are bytes; arrays and tuples are lists. A braced list with a single List in it is
// that List to the compiler: write {AbiValue(list)} where a list is the only value.
class AbiValue {
 public:
  using List = std::vector<AbiValue>;

  AbiValue() = default;
  AbiValue(const Uint256& word) : value_(word) {}
  AbiValue(std::uint64_t word) : value_(Uint256(word)) {}
  AbiValue(const Address& address) : value_(Uint256::from_be(address)) {}
  AbiValue(const Bytes32& bytes) : value_(to_bytes(bytes)) {}
  AbiValue(Bytes bytes) : value_(std::move(bytes)) {}
  AbiValue(List list) : value_(std::move(list)) {}

  bool is_word() const { return value_.index() == 0; }
  bool is_bytes() const { return value_.index() == 1; }
  bool is_list() const { return value_.index() == 2; }
  // The caller knows the type the value was decoded with.
  const Uint256& word() const { return std::get<0>(value_); }
  const Bytes& bytes() const { return std::get<1>(value_); }
  const List& list() const { return std::get<2>(value_); }
  List& list() { return std::get<2>(value_); }
  Address address() const { return address_from_word(word().to_be()); }
  const AbiValue& operator[](std::size_t i) const { return list()[i]; }

  bool operator==(const AbiValue&) const = default;

 private:
  std::variant<Uint256, Bytes, List> value_;
};

// Values a decoder makes from one input; each costs 40 bytes and stands for at least one word.
inline constexpr std::size_t kMaxAbiValues = 1u << 18;

// Encodes the values as the parameters of a call without its selector.
// abi_value_kind, abi_value_count, abi_value_range.
Result<Bytes> abi_encode(const std::vector<AbiType>& types, const std::vector<AbiValue>& values);
// abi_truncated, abi_trailing_bytes, abi_offset_not_canonical, abi_dirty_bits, abi_dirty_padding, abi_count_too_large.
Result<std::vector<AbiValue>> abi_decode(const std::vector<AbiType>& types, ByteView encoded);
// Solidity's abi.encodePacked: no padding outside arrays; nested dynamic types and structs have no packed form
// (abi_type_unknown).
Result<Bytes> abi_encode_packed(const std::vector<AbiType>& types, const std::vector<AbiValue>& values);

// A function or error by its text, "transfer(address,uint256)"; parsed once, used many times.
struct AbiFunction {
  std::array<std::uint8_t, 4> selector{};
  std::vector<AbiType> parameters;

  // Selector and parameters.
  Result<Bytes> encode(const std::vector<AbiValue>& values) const;
  // abi_wrong_selector and what abi_decode answers.
  Result<std::vector<AbiValue>> decode(ByteView call_data) const;
};
Result<AbiFunction> parse_abi_function(std::string_view text);

// Digest of canonical text such as "Transfer(address,address,uint256)": an event's first topic.
Bytes32 event_topic(std::string_view canonical);

}  // namespace community::core
