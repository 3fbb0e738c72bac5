// SPDX-License-Identifier: Apache-2.0
// What an operation reads: typed members of "in". The first failure is kept and is the line's answer, so operations
// read all they need and ask once whether it was good.
#pragma once
#include <charconv>

#include "community/core/abi_json.hpp"

namespace community::tool {

using core::Address;
using core::Bytes;
using core::Bytes32;
using core::ByteView;
using core::Error;
using core::ErrorCode;
using core::HexPrefix;
using core::Result;
using core::Uint256;
namespace json = boost::json;

class Input {
 public:
  explicit Input(const json::object& object) : object_(object) {}

  const json::object& object() const { return object_; }
  const json::value* find(std::string_view key) const { return core::find_member(object_, key); }
  bool has(std::string_view key) const { return find(key) != nullptr; }

  bool good() const { return !skipped_ && !why_; }
  bool skipped() const { return skipped_; }
  const std::string& why() const { return *why_; }
  // This variant of the operation is not offered; a line that is wrong is refused all the same.
  void skip() { skipped_ = !why_; }
  void refuse(std::string why) {
    if (!why_) why_ = std::move(why);
  }
  void refuse(const Error& error) { refuse(error.text()); }

  // The value, or an empty one after remembering the error.
  template <class T>
  T take(Result<T> result) {
    if (result) return std::move(*result);
    refuse(result.error());
    return T{};
  }

  std::string_view text(std::string_view key) { return take(core::string_member(object_, key)); }
  Bytes bytes(std::string_view key) { return take(core::bytes_member(object_, key, HexPrefix::optional)); }
  Bytes bytes_or_empty(std::string_view key) { return has(key) ? bytes(key) : Bytes(); }
  Bytes32 bytes32(std::string_view key) { return take(core::bytes32_member(object_, key, HexPrefix::optional)); }
  Address address(std::string_view key) { return take(core::address_member(object_, key, HexPrefix::optional)); }
  Uint256 number(std::string_view key) { return take(core::number_member(object_, key)); }
  // Absent, null and the empty byte string, which some suites write for zero, are zero.
  Uint256 number_or_zero(std::string_view key) {
    const json::value* value = find(key);
    const bool empty = value != nullptr && value->is_string() && (*value == "0x" || *value == "");
    return value == nullptr || empty ? Uint256() : number(key);
  }
  // A number with a fraction, as a JSON number or as the text of one.
  double real(std::string_view key) {
    const json::value& found = value(key);
    if (found.is_string()) {
      const std::string_view text = found.get_string();
      double number = 0;
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
      if (error != std::errc() || end != text.data() + text.size())
        refuse(Error{ErrorCode::number_bad_digit, std::string(key)});
      return number;
    }
    if (!found.is_number()) refuse(Error{ErrorCode::json_wrong_type, std::string(key) + " is not a number"});
    return found.is_number() ? found.to_number<double>() : 0;
  }
  // A count that is at most `limit`.
  std::size_t count(std::string_view key, std::size_t limit) {
    const Uint256 value = number(key);
    if (value > Uint256(limit)) refuse(std::string(key) + " is above " + std::to_string(limit));
    return good() ? static_cast<std::size_t>(value.limb[0]) : 0;
  }
  // A required member of any kind.
  const json::value& value(std::string_view key) {
    static const json::value kNull;
    const json::value* found = object_.if_contains(key);
    if (found == nullptr) refuse(Error{ErrorCode::json_member_missing, std::string(key)});
    return found == nullptr ? kNull : *found;
  }
  const json::object& member(std::string_view key) {
    static const json::object kEmpty;
    const json::object* found = take(core::object_member(object_, key));
    return found == nullptr ? kEmpty : *found;
  }
  const json::array& array(std::string_view key) {
    static const json::array kEmpty;
    const json::value& found = value(key);
    if (good() && !found.is_array()) refuse(Error{ErrorCode::json_wrong_type, std::string(key) + " is not an array"});
    return found.is_array() ? found.get_array() : kEmpty;
  }

 private:
  const json::object& object_;
  bool skipped_ = false;
  std::optional<std::string> why_;
};

// One operation: reads `in`, fills `out`, or refuses or skips through `in`.
using Operation = void (*)(Input& in, json::object& out);

struct NamedOperation {
  std::string_view name;
  Operation run = nullptr;
};

// Tables of ops_*.cpp.
std::span<const NamedOperation> encoding_operations();
std::span<const NamedOperation> chain_operations();
std::span<const NamedOperation> key_operations();
std::span<const NamedOperation> check_operations();

}  // namespace community::tool
