// SPDX-License-Identifier: Apache-2.0
// JSON forms of ABI values and types.
#include "community/core/abi_json.hpp"

#include <cmath>

namespace community::core {

namespace {

using Kind = AbiType::Kind;

// Every integer up to here is exact in a JSON reader that keeps numbers as IEEE doubles.
constexpr std::uint64_t kMaxExact = (std::uint64_t{1} << 53) - 1;

struct Signed {
  Uint256 magnitude;
  bool negative = false;
};

Result<Signed> signed_from_text(std::string_view text) {
  Signed number;
  if (text.starts_with('-')) {
    number.negative = true;
    text.remove_prefix(1);
  }
  const auto magnitude = parse_number(text);
  if (!magnitude) return tl::unexpected(magnitude.error());
  number.magnitude = *magnitude;
  return number;
}

Result<Signed> signed_from_json(const json::value& value) {
  if (value.is_string()) return signed_from_text(std::string_view(value.get_string()));
  if (value.is_uint64()) return Signed{value.get_uint64(), false};
  if (value.is_int64()) {
    const std::int64_t number = value.get_int64();
    const auto bits = static_cast<std::uint64_t>(number);
    return Signed{number < 0 ? ~bits + 1 : bits, number < 0};
  }
  if (value.is_double()) {
    const double number = value.get_double();
    if (std::nearbyint(number) == number && std::abs(number) <= static_cast<double>(kMaxExact))
      return Signed{static_cast<std::uint64_t>(std::abs(number)), number < 0};
  }
  return fail(ErrorCode::abi_value_kind, "not an integer");
}

// The word of a signed number, or an error when it does not fit `bits`.
Result<AbiValue> integer_word(const Signed& number, unsigned bits) {
  if (!number.negative) {
    if (number.magnitude.bit_length() >= bits) return fail(ErrorCode::abi_value_range);
    return AbiValue(number.magnitude);
  }
  if (number.magnitude.is_zero()) return AbiValue(Uint256());
  if (subtract(number.magnitude, Uint256(1))->bit_length() >= bits) return fail(ErrorCode::abi_value_range);
  return AbiValue(negate(number.magnitude));
}

Result<AbiValue> word_from_json(const AbiType& type, const json::value& value) {
  if (type.kind == Kind::boolean) {
    if (value.is_bool()) return AbiValue(std::uint64_t{value.get_bool()});
    if (value.is_string() && value.get_string() == "true") return AbiValue(std::uint64_t{1});
    if (value.is_string() && value.get_string() == "false") return AbiValue(std::uint64_t{0});
  }
  if (type.kind == Kind::address) {
    if (!value.is_string()) return fail(ErrorCode::abi_value_kind, "address");
    const auto address = parse_address(std::string_view(value.get_string()), HexPrefix::optional);
    if (!address) return tl::unexpected(address.error());
    return AbiValue(*address);
  }
  const auto number = signed_from_json(value);
  if (!number) return tl::unexpected(number.error());
  if (type.kind == Kind::integer) return integer_word(*number, type.size);
  const unsigned bits = type.kind == Kind::boolean ? 1 : type.size;
  if ((number->negative && !number->magnitude.is_zero()) || number->magnitude.bit_length() > bits)
    return fail(ErrorCode::abi_value_range, type.text());
  return AbiValue(number->magnitude);
}

Result<AbiValue> bytes_from_json(const AbiType& type, const json::value& value) {
  if (!value.is_string()) return fail(ErrorCode::abi_value_kind, type.text());
  const std::string_view text(value.get_string());
  if (type.kind == Kind::string) return AbiValue(to_bytes(base::view(text)));
  auto bytes = parse_hex(text, HexPrefix::optional);
  if (!bytes) return tl::unexpected(bytes.error());
  if (type.kind == Kind::fixed_bytes && bytes->size() != type.size)
    return fail(ErrorCode::abi_value_range, type.text());
  return AbiValue(std::move(*bytes));
}

Result<AbiValue> tuple_from_object(const AbiType& type, const json::object& object) {
  AbiValue::List list;
  for (const AbiType& component : type.components) {
    const json::value* member = component.name.empty() ? nullptr : object.if_contains(component.name);
    if (member == nullptr) return fail(ErrorCode::abi_value_count, "member " + component.name);
    auto value = abi_value_from_json(component, *member);
    if (!value) return value;
    list.push_back(std::move(*value));
  }
  if (object.size() != list.size()) return fail(ErrorCode::abi_value_count, "unknown member");
  return AbiValue(std::move(list));
}

}  // namespace

Result<AbiValue> abi_value_from_json(const AbiType& type, const json::value& value) {
  switch (type.kind) {
    case Kind::uint:
    case Kind::integer:
    case Kind::address:
    case Kind::boolean:
      return word_from_json(type, value);
    case Kind::fixed_bytes:
    case Kind::bytes:
    case Kind::string:
      return bytes_from_json(type, value);
    case Kind::array:
    case Kind::list:
    case Kind::tuple:
      break;
  }
  if (type.kind == Kind::tuple && value.is_object()) return tuple_from_object(type, value.get_object());
  if (!value.is_array()) return fail(ErrorCode::abi_value_kind, type.text());
  const json::array& elements = value.get_array();
  if ((type.kind == Kind::array && elements.size() != type.length) ||
      (type.kind == Kind::tuple && elements.size() != type.components.size()))
    return fail(ErrorCode::abi_value_count, type.text());
  AbiValue::List list;
  list.reserve(elements.size());
  for (std::size_t i = 0; i < elements.size(); i++) {
    auto element = abi_value_from_json(type.components[type.kind == Kind::tuple ? i : 0], elements[i]);
    if (!element) return element;
    list.push_back(std::move(*element));
  }
  return AbiValue(std::move(list));
}

json::value number_to_json(const Uint256& magnitude, bool negative) {
  if (magnitude <= Uint256(kMaxExact)) {
    const auto number = static_cast<std::int64_t>(magnitude.limb[0]);
    return negative ? -number : number;
  }
  return json::value((negative ? "-" : "") + format_quantity(magnitude));
}

Result<json::value> abi_value_to_json(const AbiType& type, const AbiValue& value, json::storage_ptr storage) {
  switch (type.kind) {
    case Kind::uint:
      return json::value(number_to_json(value.word()), storage);
    case Kind::integer:
      if (is_negative(value.word())) return json::value(number_to_json(negate(value.word()), true), storage);
      return json::value(number_to_json(value.word()), storage);
    case Kind::address:
      return json::value(format_address(value.address()), storage);
    case Kind::boolean:
      return json::value(!value.word().is_zero(), storage);
    case Kind::fixed_bytes:
    case Kind::bytes:
      return json::value(to_hex(value.bytes()), storage);
    case Kind::string:
      if (!is_utf8(value.bytes())) return fail(ErrorCode::utf8_invalid);
      return json::value(base::text(value.bytes()), storage);
    case Kind::array:
    case Kind::list:
    case Kind::tuple:
      break;
  }
  json::array out(storage);
  out.reserve(value.list().size());
  for (std::size_t i = 0; i < value.list().size(); i++) {
    auto element = abi_value_to_json(type.components[type.kind == Kind::tuple ? i : 0], value[i], storage);
    if (!element) return element;
    out.push_back(std::move(*element));
  }
  return json::value(std::move(out));
}

Result<AbiType> abi_type_from_json(const json::value& value) {
  if (value.is_string()) return parse_abi_type(std::string_view(value.get_string()));
  if (!value.is_object()) return fail(ErrorCode::abi_type_syntax, "neither text nor object");
  const json::object& object = value.get_object();
  const auto text = string_member(object, "type");
  if (!text) return tl::unexpected(text.error());
  Result<AbiType> type = fail(ErrorCode::abi_type_syntax);
  if (text->starts_with("tuple") && find_member(object, "components") != nullptr) {
    const json::value* components = find_member(object, "components");
    if (!components->is_array()) return fail(ErrorCode::abi_type_syntax, "components");
    std::vector<AbiType> members;
    for (const json::value& component : components->get_array()) {
      auto member = abi_type_from_json(component);
      if (!member) return member;
      members.push_back(std::move(*member));
    }
    if (members.size() > kMaxAbiTypeNodes) return fail(ErrorCode::abi_type_too_large);
    auto tuple = make_abi_tuple(std::move(members));
    if (!tuple) return tuple;
    type = wrap_abi_arrays(std::move(*tuple), text->substr(5));
  } else {
    type = parse_abi_type(*text);
  }
  const json::value* name = find_member(object, "name");
  if (type && name != nullptr && name->is_string()) type->name = std::string(std::string_view(name->get_string()));
  return type;
}

}  // namespace community::core
