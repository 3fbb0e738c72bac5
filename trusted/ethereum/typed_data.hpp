// SPDX-License-Identifier: Apache-2.0
// Hashes of messages that people sign: EIP-191 personal messages and EIP-712 typed data. Typed data comes as the texts
// of its types and its values in their order (spec/trusted-core-protocol.md, section 10); no JSON, no heap.
#pragma once
#include <bit>

#include "trusted/base/keccak.hpp"
#include "trusted/base/uint256.hpp"

namespace community::ethereum {

using base::Address;
using base::Bytes32;
using base::ByteView;
using base::Keccak256;

// keccak256("\x19Ethereum Signed Message:\n" || decimal length || message)
inline Bytes32 personal_message_hash(ByteView message) {
  std::array<std::uint8_t, 20> digits;
  std::size_t at = digits.size(), rest = message.size();
  do {
    digits[--at] = static_cast<std::uint8_t>('0' + rest % 10);
    rest /= 10;
  } while (rest != 0);
  return base::keccak256({base::view("\x19"
                                     "Ethereum Signed Message:\n"),
                          ByteView(digits).subspan(at), message});
}

inline Bytes32 typed_data_digest(const Bytes32& domain_separator, const Bytes32& struct_hash) {
  static constexpr std::array<std::uint8_t, 2> kPrefix{0x19, 0x01};
  return base::keccak256({kPrefix, domain_separator, struct_hash});
}

struct TypedDomain {
  // 1 name, 2 version, 4 chain id, 8 verifying contract, 16 salt
  std::uint8_t present = 0;
  ByteView name;
  ByteView version;
  std::uint64_t chain_id = 0;
  Address verifying_contract{};
  Bytes32 salt{};
};

// hashStruct of the domain, its type made of the fields that are present.
inline Bytes32 domain_separator(const TypedDomain& domain) {
  static constexpr std::string_view kFields[5] = {"string name", "string version", "uint256 chainId",
                                                  "address verifyingContract", "bytes32 salt"};
  static constexpr std::array<std::uint8_t, 12> kAddressPadding{};
  Keccak256 type, fields;
  type.add(base::view("EIP712Domain("));
  bool first = true;
  for (std::size_t i = 0; i < 5; i++) {
    if ((domain.present >> i & 1) == 0) continue;
    if (!first) type.add(base::view(","));
    type.add(base::view(kFields[i]));
    first = false;
  }
  fields.add(type.add(base::view(")")).finish());
  if ((domain.present & 1) != 0) fields.add(base::keccak256(domain.name));
  if ((domain.present & 2) != 0) fields.add(base::keccak256(domain.version));
  if ((domain.present & 4) != 0) fields.add(base::Uint256(domain.chain_id).to_be());
  if ((domain.present & 8) != 0) fields.add(kAddressPadding).add(domain.verifying_contract);
  if ((domain.present & 16) != 0) fields.add(domain.salt);
  return fields.finish();
}

enum class TypedDataError : std::uint8_t { none, types, values, complexity };

inline constexpr std::size_t kMaxTypes = 24;
// Type hashes are computed once, each over at most all definitions: 24 times 8 KiB.
inline constexpr std::size_t kMaxDefinitionBytes = 8'192;
inline constexpr std::size_t kMaxMembers = 32;
// Structs and arrays inside one another; a level takes about 600 bytes of stack.
inline constexpr std::size_t kMaxDepth = 12;
// Values altogether, arrays and structs counted as well: even those that take no bytes end.
inline constexpr std::size_t kMaxElements = 4'096;

struct TypedMember {
  std::string_view type;
  std::string_view name;
};

// The members of a definition whose shape was checked.
class TypedMembers {
 public:
  explicit TypedMembers(std::string_view definition) : rest_(definition) {
    while (rest_.front() != '(') rest_.remove_prefix(1);
    rest_.remove_prefix(1);
  }
  bool next(TypedMember& member) {
    if (rest_.front() == ')') return false;
    member.type = until(' ');
    rest_.remove_prefix(1);
    member.name = until(',');
    if (rest_.front() == ',') rest_.remove_prefix(1);
    return true;
  }

 private:
  std::string_view until(char end) {
    const char* begin = rest_.data();
    std::size_t size = 0;
    while (rest_.front() != end && rest_.front() != ')') {
      rest_.remove_prefix(1);
      size++;
    }
    return {begin, size};
  }

  std::string_view rest_;
};

// What a type that is neither an array nor a struct looks like in a value.
struct AtomicType {
  enum class Kind : std::uint8_t { none, boolean, address, unsigned_number, signed_number, fixed_bytes, bytes };
  Kind kind = Kind::none;
  // Bits of a number, bytes of fixed bytes.
  std::uint16_t size = 0;
};

namespace detail {

constexpr bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$'; }
constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Cuts an identifier off the front; empty when there is none.
inline std::string_view take_identifier(std::string_view& text) {
  const char* begin = text.data();
  std::size_t size = 0;
  while (!text.empty() && (is_letter(text.front()) || (size != 0 && is_digit(text.front())))) {
    text.remove_prefix(1);
    size++;
  }
  return {begin, size};
}

// Cuts a decimal number of at most four digits without leading zeros off the front; 0 when there is none.
inline std::size_t take_number(std::string_view& text) {
  std::size_t value = 0, digits = 0;
  while (!text.empty() && is_digit(text.front()) && digits < 4) {
    if (value == 0 && text.front() == '0') return 0;
    value = value * 10 + static_cast<std::size_t>(text.front() - '0');
    text.remove_prefix(1);
    digits++;
  }
  return value;
}

inline bool take(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

inline bool take_prefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

}  // namespace detail

inline AtomicType atomic_type(std::string_view type) {
  using namespace std::string_view_literals;
  using Kind = AtomicType::Kind;
  if (type == "bool"sv) return {Kind::boolean, 0};
  if (type == "address"sv) return {Kind::address, 0};
  if (type == "bytes"sv || type == "string"sv) return {Kind::bytes, 0};
  std::string_view rest = type;
  const bool is_unsigned = detail::take_prefix(rest, "uint"sv);
  if (is_unsigned || detail::take_prefix(rest, "int"sv)) {
    const std::size_t bits = detail::take_number(rest);
    if (!rest.empty() || bits == 0 || bits > 256 || bits % 8 != 0) return {};
    return {is_unsigned ? Kind::unsigned_number : Kind::signed_number, static_cast<std::uint16_t>(bits)};
  }
  if (detail::take_prefix(rest, "bytes"sv)) {
    const std::size_t size = detail::take_number(rest);
    if (rest.empty() && size >= 1 && size <= 32) return {Kind::fixed_bytes, static_cast<std::uint16_t>(size)};
  }
  return {};
}

// The types of a message: added one by one in strictly ascending order of their names, then closed.
class TypedTypes {
 public:
  TypedDataError add(ByteView definition) {
    using namespace std::string_view_literals;
    const std::string_view text = base::text(definition);
    std::string_view rest = text;
    const std::string_view type_name = detail::take_identifier(rest);
    bytes_ += text.size();
    if (count_ == kMaxTypes || bytes_ > kMaxDefinitionBytes) return TypedDataError::complexity;
    // A struct cannot be called like a type that is built in, nor like the domain.
    const bool free_name = !type_name.empty() && atomic_type(type_name).kind == AtomicType::Kind::none &&
                           type_name != "EIP712Domain"sv && type_name != "uint"sv && type_name != "int"sv;
    if (!free_name || (count_ != 0 && !(names_[count_ - 1] < type_name))) return TypedDataError::types;
    const TypedDataError error = check_members(rest);
    if (error != TypedDataError::none) return error;
    definitions_[count_] = text;
    names_[count_++] = type_name;
    return TypedDataError::none;
  }

  // Resolves what the members name and computes type hashes; every type must be part of the primary one.
  TypedDataError close(std::size_t primary) {
    if (primary >= count_) return TypedDataError::types;
    std::uint32_t parts[kMaxTypes] = {};
    for (std::size_t i = 0; i < count_; i++) {
      TypedMembers members(definitions_[i]);
      for (TypedMember member; members.next(member);) {
        const std::string_view element = element_type(member.type);
        if (atomic_type(element).kind != AtomicType::Kind::none) continue;
        const std::size_t named = find(element);
        if (named == count_) return TypedDataError::types;
        parts[i] |= std::uint32_t{1} << named;
      }
    }
    for (std::size_t i = 0; i < count_; i++) {
      std::uint32_t all = std::uint32_t{1} << i | parts[i], before = 0;
      while (all != before) {
        before = all;
        for (std::size_t j = 0; j < count_; j++)
          if ((before >> j & 1) != 0) all |= parts[j];
      }
      closures_[i] = all;
    }
    if (closures_[primary] != (std::uint32_t{1} << count_) - 1) return TypedDataError::types;
    for (std::size_t i = 0; i < count_; i++) {
      Keccak256 hash;
      hash.add(base::view(definitions_[i]));
      for (std::size_t j = 0; j < count_; j++)
        if (j != i && (closures_[i] >> j & 1) != 0) hash.add(base::view(definitions_[j]));
      hashes_[i] = hash.finish();
    }
    return TypedDataError::none;
  }

  std::size_t count() const { return count_; }
  std::string_view name(std::size_t i) const { return names_[i]; }
  std::string_view definition(std::size_t i) const { return definitions_[i]; }
  const Bytes32& type_hash(std::size_t i) const { return hashes_[i]; }
  // The type's number, count() when there is none of this name.
  std::size_t find(std::string_view type_name) const {
    for (std::size_t i = 0; i < count_; i++)
      if (names_[i] == type_name) return i;
    return count_;
  }

 private:
  // "(type name,type name)" and nothing behind it.
  static TypedDataError check_members(std::string_view rest) {
    std::string_view seen[kMaxMembers];
    std::size_t count = 0;
    if (!detail::take(rest, '(')) return TypedDataError::types;
    while (!detail::take(rest, ')')) {
      if (count == kMaxMembers) return TypedDataError::complexity;
      if (count != 0 && !detail::take(rest, ',')) return TypedDataError::types;
      if (detail::take_identifier(rest).empty()) return TypedDataError::types;
      while (detail::take(rest, '[')) {
        if (detail::take(rest, ']')) continue;
        if (detail::take_number(rest) == 0 || !detail::take(rest, ']')) return TypedDataError::types;
      }
      if (!detail::take(rest, ' ')) return TypedDataError::types;
      const std::string_view member = detail::take_identifier(rest);
      if (member.empty()) return TypedDataError::types;
      for (std::size_t i = 0; i < count; i++)
        if (seen[i] == member) return TypedDataError::types;
      seen[count++] = member;
    }
    return rest.empty() ? TypedDataError::none : TypedDataError::types;
  }

  static std::string_view element_type(std::string_view type) {
    std::size_t size = 0;
    while (size < type.size() && type[size] != '[') size++;
    return {type.data(), size};
  }

  std::size_t count_ = 0, bytes_ = 0;
  std::string_view definitions_[kMaxTypes], names_[kMaxTypes];
  std::uint32_t closures_[kMaxTypes] = {};
  Bytes32 hashes_[kMaxTypes] = {};
};

// Walks over the values in the order of the types and hashes them.
class TypedValues {
 public:
  TypedValues(const TypedTypes& types, ByteView values) : types_(types), rest_(values) {}

  // hashStruct of a message of that type; all values must be used up.
  TypedDataError hash(std::size_t type, Bytes32& out) {
    const TypedDataError error = hash_struct(type, 0, out);
    if (error != TypedDataError::none) return error;
    return rest_.empty() ? TypedDataError::none : TypedDataError::values;
  }

 private:
  using Kind = AtomicType::Kind;

  TypedDataError hash_struct(std::size_t type, std::size_t depth, Bytes32& out) {
    if (depth == kMaxDepth) return TypedDataError::complexity;
    Keccak256 hash;
    hash.add(types_.type_hash(type));
    TypedMembers members(types_.definition(type));
    for (TypedMember member; members.next(member);) {
      Bytes32 word{};
      const TypedDataError error = value(member.type, depth, word);
      if (error != TypedDataError::none) return error;
      hash.add(word);
    }
    out = hash.finish();
    return TypedDataError::none;
  }

  // The last brackets are the outermost dimension.
  TypedDataError hash_array(std::string_view type, std::size_t depth, Bytes32& out) {
    if (depth == kMaxDepth) return TypedDataError::complexity;
    std::size_t open = type.size() - 1;
    while (type[open] != '[') open--;
    std::string_view inside(type.data() + open + 1, type.size() - open - 2);
    std::size_t count = 0;
    if (!inside.empty()) {
      count = detail::take_number(inside);
    } else {
      const ByteView bytes = take(2);
      if (bytes.empty()) return TypedDataError::values;
      count = base::load_be<std::uint16_t>(bytes.data());
    }
    Keccak256 hash;
    for (std::size_t i = 0; i < count; i++) {
      Bytes32 word{};
      const TypedDataError error = value({type.data(), open}, depth, word);
      if (error != TypedDataError::none) return error;
      hash.add(word);
    }
    out = hash.finish();
    return TypedDataError::none;
  }

  TypedDataError value(std::string_view type, std::size_t depth, Bytes32& word) {
    if (++elements_ > kMaxElements) return TypedDataError::complexity;
    if (type.back() == ']') return hash_array(type, depth + 1, word);
    const AtomicType atomic = atomic_type(type);
    if (atomic.kind == Kind::none) return hash_struct(types_.find(type), depth + 1, word);
    return atomic_value(atomic, word) ? TypedDataError::none : TypedDataError::values;
  }

  bool atomic_value(AtomicType type, Bytes32& word) {
    std::size_t size = 32;
    if (type.kind == Kind::boolean) size = 1;
    if (type.kind == Kind::address) size = 20;
    if (type.kind == Kind::fixed_bytes) size = type.size;
    if (type.kind == Kind::bytes) {
      const ByteView length = take(4);
      if (length.empty()) return false;
      size = base::load_be<std::uint32_t>(length.data());
      if (size > rest_.size()) return false;
      word = base::keccak256(take(size));
      return true;
    }
    const ByteView bytes = take(size);
    if (bytes.empty()) return false;
    if (type.kind == Kind::fixed_bytes) {
      base::copy(word, bytes);
    } else {
      base::copy(base::MutableByteView(word).last(size), bytes);
    }
    return is_in_range(type, word);
  }

  static bool is_in_range(AtomicType type, const Bytes32& word) {
    if (type.kind == Kind::boolean) return word[31] <= 1;
    const std::size_t above = 32 - type.size / 8u;
    if (type.kind == Kind::unsigned_number) return base::is_zero(ByteView(word).first(above));
    if (type.kind == Kind::signed_number) {
      // All bytes above repeat the sign.
      const std::uint8_t sign = (word[above] & 0x80) != 0 ? 0xff : 0;
      for (std::size_t i = 0; i < above; i++)
        if (word[i] != sign) return false;
    }
    return true;
  }

  // Empty when there are not as many; never called for none.
  ByteView take(std::size_t n) {
    if (n > rest_.size()) {
      rest_ = {};
      return {};
    }
    const ByteView taken = rest_.first(n);
    rest_ = rest_.subspan(n);
    return taken;
  }

  const TypedTypes& types_;
  ByteView rest_;
  std::size_t elements_ = 0;
};

}  // namespace community::ethereum
