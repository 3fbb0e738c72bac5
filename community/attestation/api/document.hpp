// SPDX-License-Identifier: Apache-2.0
// The JSON of spec/attestation.md, section 3: objects, lists, strings and null in printable ASCII without escapes, all
// members present and no others. One reading for every reader, and none that needs a number.
#pragma once
#include <initializer_list>

#include "community/attestation/api/error.hpp"
#include "community/core/json.hpp"

namespace community::attestation {

using core::Bytes;
namespace json = core::json;

// document_too_large, document_malformed, document_member_twice.
Result<json::value> read_document(std::string_view text, std::size_t max_bytes);

// Reads the members of one object; after the first error every read yields nothing and the error stays.
class Members {
 public:
  // document_member_wrong when `value` is no object; document_member_missing and _unknown by the names.
  Members(const json::value& value, std::string_view where, std::initializer_list<std::string_view> names);

  const json::value& at(std::string_view name);
  bool is_null(std::string_view name) { return at(name).is_null(); }
  // 1 to kMaxText characters.
  std::string text(std::string_view name);
  // Lower-case digits, `min` to `max` bytes.
  Bytes hex(std::string_view name, std::size_t min, std::size_t max);
  template <std::size_t N>
  std::array<std::uint8_t, N> fixed(std::string_view name) {
    std::array<std::uint8_t, N> out{};
    const Bytes bytes = hex(name, N, N);
    base::copy(out, bytes);
    return out;
  }
  // Big-endian, all its digits.
  template <class T>
  T number(std::string_view name) {
    const auto bytes = fixed<sizeof(T)>(name);
    return base::load_be<T>(bytes.data());
  }
  // At most `max` elements, read by `one(value)`.
  template <class One>
  void list(std::string_view name, std::size_t max, One one) {
    const json::value& value = at(name);
    if (error_) return;
    if (!value.is_array() || value.get_array().size() > max) return wrong(name);
    for (const json::value& element : value.get_array())
      if (!error_) one(element);
  }

  // Ends the reading: document_member_wrong, naming the member.
  void wrong(std::string_view name);
  void take(const std::optional<Error>& error) {
    if (!error_) error_ = error;
  }
  const std::optional<Error>& error() const { return error_; }

 private:
  const json::object* object_ = nullptr;
  std::string where_;
  std::optional<Error> error_;
};

// Digits and lower-case letters a to f alone.
bool is_plain_hex(std::string_view text);

}  // namespace community::attestation
