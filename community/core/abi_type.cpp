// SPDX-License-Identifier: Apache-2.0
// Recursive-descent parser of ABI type text. Every node computes its head size with overflow checks.
#include "community/core/abi_type.hpp"

namespace community::core {

namespace {

using Kind = AbiType::Kind;

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_word(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$';
}

// Digits without leading zeros; nothing when there are none or more than fit the limits of any type.
std::optional<std::size_t> small_number(std::string_view digits) {
  if (digits.empty() || digits.size() > 8 || (digits.size() > 1 && digits[0] == '0')) return std::nullopt;
  std::size_t value = 0;
  for (char c : digits) {
    if (!is_digit(c)) return std::nullopt;
    value = value * 10 + static_cast<std::size_t>(c - '0');
  }
  return value;
}

AbiType word(Kind kind, unsigned size) {
  AbiType type;
  type.kind = kind;
  type.size = size;
  return type;
}

AbiType sequence(Kind kind) {
  AbiType type = word(kind, 0);
  type.dynamic = true;
  return type;
}

Result<AbiType> elementary(std::string_view name) {
  if (name == "address") return word(Kind::address, 160);
  if (name == "bool") return word(Kind::boolean, 8);
  if (name == "string") return sequence(Kind::string);
  if (name == "bytes") return sequence(Kind::bytes);
  // An external function reference: address and selector.
  if (name == "function") return word(Kind::fixed_bytes, 24);
  const auto sized = [&](Kind kind, std::string_view digits, unsigned unit, unsigned limit) -> Result<AbiType> {
    if (digits.empty()) return word(kind, 256);
    const auto size = small_number(digits);
    if (!size || *size == 0 || *size > limit || *size % unit != 0)
      return fail(ErrorCode::abi_type_unknown, std::string(name.substr(0, 64)));
    return word(kind, static_cast<unsigned>(*size));
  };
  if (name.starts_with("uint")) return sized(Kind::uint, name.substr(4), 8, 256);
  if (name.starts_with("int")) return sized(Kind::integer, name.substr(3), 8, 256);
  if (name.starts_with("bytes")) return sized(Kind::fixed_bytes, name.substr(5), 1, 32);
  return fail(ErrorCode::abi_type_unknown, std::string(name.substr(0, 64)));
}

class Parser {
 public:
  explicit Parser(std::string_view text) : rest_(text) {}

  Result<std::vector<AbiType>> parameters(unsigned depth, char end) {
    std::vector<AbiType> types;
    skip_spaces();
    if (take_end(end)) return types;
    for (;;) {
      auto type = parameter(depth);
      if (!type) return tl::unexpected(type.error());
      types.push_back(std::move(*type));
      skip_spaces();
      if (take_end(end)) return types;
      if (!take(',')) return syntax();
    }
  }

  // A type with the words that may follow it: data location, "indexed", the name.
  Result<AbiType> parameter(unsigned depth) {
    skip_spaces();
    auto type = this->type(depth);
    if (!type) return type;
    for (skip_spaces(); !rest_.empty() && is_word(rest_[0]); skip_spaces()) {
      const std::string_view word = take_word();
      if (word != "memory" && word != "calldata" && word != "storage" && word != "indexed" && word != "payable")
        type->name = word;
    }
    return type;
  }

  bool at_end() {
    skip_spaces();
    return rest_.empty();
  }

  tl::unexpected<Error> syntax() const {
    return fail(ErrorCode::abi_type_syntax, "near \"" + std::string(rest_.substr(0, 16)) + "\"");
  }

 private:
  Result<AbiType> type(unsigned depth) {
    if (depth > kMaxAbiTypeDepth) return fail(ErrorCode::abi_type_too_deep);
    if (++nodes_ > kMaxAbiTypeNodes) return fail(ErrorCode::abi_type_too_large);
    const std::string_view name = take_word();
    Result<AbiType> base = fail(ErrorCode::abi_type_syntax);
    if (name.empty() || name == "tuple") {
      if (!take('(')) return syntax();
      auto members = parameters(depth + 1, ')');
      if (!members) return tl::unexpected(members.error());
      base = make_abi_tuple(std::move(*members));
    } else {
      base = elementary(name);
    }
    if (!base) return base;
    std::size_t suffix = 0;
    while (suffix < rest_.size() && (rest_[suffix] == '[' || rest_[suffix] == ']' || is_digit(rest_[suffix]))) suffix++;
    const std::string_view suffixes = rest_.substr(0, suffix);
    rest_.remove_prefix(suffix);
    return wrap_abi_arrays(std::move(*base), suffixes);
  }

  void skip_spaces() {
    while (!rest_.empty() && rest_[0] == ' ') rest_.remove_prefix(1);
  }
  bool take(char c) {
    if (rest_.empty() || rest_[0] != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  // A zero byte stands for the end of the text.
  bool take_end(char end) { return end == '\0' ? rest_.empty() : take(end); }
  std::string_view take_word() {
    std::size_t size = 0;
    while (size < rest_.size() && is_word(rest_[size])) size++;
    const std::string_view word = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return word;
  }

  std::string_view rest_;
  std::size_t nodes_ = 0;
};

}  // namespace

Result<AbiType> make_abi_tuple(std::vector<AbiType> components) {
  AbiType type = word(Kind::tuple, 0);
  type.static_size = 0;
  for (const AbiType& component : components) {
    type.dynamic = type.dynamic || component.dynamic;
    type.static_size += component.head_size();
    if (type.static_size > kMaxAbiHeadBytes) return fail(ErrorCode::abi_type_too_large);
  }
  type.components = std::move(components);
  return type;
}

Result<AbiType> wrap_abi_arrays(AbiType element, std::string_view suffixes) {
  unsigned depth = 0;
  while (!suffixes.empty()) {
    const std::size_t end = suffixes.find(']');
    if (suffixes[0] != '[' || end == std::string_view::npos) return fail(ErrorCode::abi_type_syntax, "array brackets");
    if (++depth > kMaxAbiTypeDepth) return fail(ErrorCode::abi_type_too_deep);
    // Elements that take no bytes would let a short text claim any number of values.
    if (!element.dynamic && element.static_size == 0) return fail(ErrorCode::abi_element_without_size);
    const std::string_view digits = suffixes.substr(1, end - 1);
    suffixes.remove_prefix(end + 1);
    AbiType type = word(digits.empty() ? Kind::list : Kind::array, 0);
    if (digits.empty()) {
      type.dynamic = true;
    } else {
      const auto length = small_number(digits);
      if (!length) return fail(ErrorCode::abi_type_syntax, "array length");
      if (*length > kMaxAbiHeadBytes / element.head_size()) return fail(ErrorCode::abi_type_too_large);
      type.length = *length;
      type.dynamic = element.dynamic;
      type.static_size = *length * element.head_size();
    }
    type.components.push_back(std::move(element));
    element = std::move(type);
  }
  return element;
}

Result<AbiType> parse_abi_type(std::string_view text) {
  if (text.size() > kMaxAbiTypeText) return fail(ErrorCode::abi_type_too_large);
  Parser parser(text);
  auto type = parser.parameter(0);
  if (type && !parser.at_end()) return parser.syntax();
  return type;
}

Result<std::vector<AbiType>> parse_abi_parameters(std::string_view text) {
  if (text.size() > kMaxAbiTypeText) return fail(ErrorCode::abi_type_too_large);
  return Parser(text).parameters(0, '\0');
}

std::string AbiType::text() const {
  switch (kind) {
    case Kind::uint:
      return "uint" + std::to_string(size);
    case Kind::integer:
      return "int" + std::to_string(size);
    case Kind::address:
      return "address";
    case Kind::boolean:
      return "bool";
    case Kind::fixed_bytes:
      return "bytes" + std::to_string(size);
    case Kind::bytes:
      return "bytes";
    case Kind::string:
      return "string";
    case Kind::array:
      return components[0].text() + "[" + std::to_string(length) + "]";
    case Kind::list:
      return components[0].text() + "[]";
    case Kind::tuple:
      break;
  }
  std::string all = "(";
  for (std::size_t i = 0; i < components.size(); i++) all += (i == 0 ? "" : ",") + components[i].text();
  return all + ")";
}

}  // namespace community::core
