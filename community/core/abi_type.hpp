// SPDX-License-Identifier: Apache-2.0
// Types of the contract ABI: parsed from "uint256", "(address,bytes32[2])[]", "tuple(uint256 a, string b)" or the JSON
// form with components. Sizes are known before any value is read, so a type cannot make us allocate.
#pragma once
#include <optional>

#include "community/core/bytes.hpp"

namespace community::core {

inline constexpr std::size_t kMaxAbiTypeText = 1u << 16;
inline constexpr unsigned kMaxAbiTypeDepth = 32;
// Members of all tuples of one type together.
inline constexpr std::size_t kMaxAbiTypeNodes = 4096;
// Static size of a type in its head; larger ones fit no transaction.
inline constexpr std::size_t kMaxAbiHeadBytes = 8u << 20;

struct AbiType {
  enum class Kind : std::uint8_t { uint, integer, address, boolean, fixed_bytes, bytes, string, array, list, tuple };

  Kind kind = Kind::uint;
  // Bits of uint and integer; bytes of fixed_bytes.
  unsigned size = 256;
  // Elements of an array T[N]; a list is T[].
  std::size_t length = 0;
  // The one element type of arrays and lists, the members of tuples.
  std::vector<AbiType> components;
  // Name of this member in its tuple; may be empty.
  std::string name;

  // Whether the head holds an offset instead of the value.
  bool is_dynamic() const { return dynamic; }
  // Bytes in the head when it is the value itself or an offset.
  std::size_t head_size() const { return dynamic ? 32 : static_size; }
  // Canonical text, as in selectors: "(address,uint256[])".
  std::string text() const;

  // Filled by the parser.
  bool dynamic = false;
  std::size_t static_size = 32;
};

// abi_type_syntax, abi_type_unknown, abi_type_too_deep, abi_type_too_large, abi_element_without_size.
Result<AbiType> parse_abi_type(std::string_view text);
// "(T1,T2)" without the brackets, as in the parameter list of a function; names are allowed.
Result<std::vector<AbiType>> parse_abi_parameters(std::string_view text);
// Builds a tuple and computes its sizes.
Result<AbiType> make_abi_tuple(std::vector<AbiType> components);
// Wraps `element` by suffixes such as "[3][]".
Result<AbiType> wrap_abi_arrays(AbiType element, std::string_view suffixes);

}  // namespace community::core
