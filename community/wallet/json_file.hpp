// SPDX-License-Identifier: Apache-2.0
// What all files of this module share: strict reading of the members of one JSON object, one member a line when
// written.
#pragma once
#include <filesystem>
#include <set>

#include "community/core/json.hpp"
#include "community/infra/api/files.hpp"
#include "community/wallet/api/error.hpp"

namespace community::wallet {

namespace json = boost::json;
using core::Bytes;
using core::Bytes32;
using core::Uint256;

inline tl::unexpected<Error> malformed(std::string what) { return fail(ErrorCode::file_malformed, std::move(what)); }

// Reads members one by one; the first that is wrong is remembered, and the end knows which were not asked for.
class JsonReader {
 public:
  JsonReader(const json::object& object, std::string place) : object_(object), place_(std::move(place)) {}

  template <std::size_t N>
  void fixed(std::string_view member, std::array<std::uint8_t, N>& out) {
    const Bytes bytes = this->bytes(member, N);
    if (bytes.size() == N) base::copy(out, bytes);
    if (bytes.size() != N) wrong(member);
  }
  Bytes bytes(std::string_view member, std::size_t most) {
    const std::string text = this->text(member, 2 * most + 2);
    const auto bytes = core::parse_hex(text, core::HexPrefix::required, most);
    // Lower case: what a checker compares has one form.
    if (!bytes || core::to_hex(*bytes) != text) {
      wrong(member);
      return {};
    }
    return *bytes;
  }
  std::string text(std::string_view member, std::size_t most) {
    const json::value* value = take(member);
    if (value == nullptr || !value->is_string() || value->get_string().size() > most) {
      wrong(member);
      return {};
    }
    return std::string(value->get_string());
  }
  std::uint64_t number(std::string_view member, std::uint64_t most) {
    const json::value* value = take(member);
    const auto number =
        value != nullptr && value->is_number() ? core::number_value(*value) : core::Result<Uint256>(Uint256(most + 1));
    const auto small = number ? number->to_u64() : std::nullopt;
    if (!small || *small > most) wrong(member);
    return small.value_or(0);
  }
  // A string of decimal digits: more than a JSON number holds exactly.
  Uint256 decimal(std::string_view member) {
    const auto number = core::parse_decimal(text(member, 78));
    if (!number) wrong(member);
    return number.value_or(Uint256());
  }
  // Null when it is absent and may be.
  const json::array* list(std::string_view member, std::size_t most, bool optional = false) {
    const json::value* value = take(member);
    if (value == nullptr && optional) return nullptr;
    if (value == nullptr || !value->is_array() || value->get_array().size() > most) {
      wrong(member);
      return nullptr;
    }
    return &value->get_array();
  }
  const json::object* object(std::string_view member) {
    const json::value* value = take(member);
    if (value == nullptr || !value->is_object()) {
      wrong(member);
      return nullptr;
    }
    return &value->get_object();
  }
  // Absent: false; else true and nothing else.
  bool flag(std::string_view member) {
    const json::value* value = take(member);
    if (value != nullptr && !(value->is_bool() && value->get_bool())) wrong(member);
    return value != nullptr;
  }
  bool has(std::string_view member) const { return object_.if_contains(member) != nullptr; }
  void wrong(std::string_view member) {
    if (trouble_.empty()) trouble_ = place_ + std::string(member) + " is missing or wrong";
  }
  Result<void> finish() {
    for (const auto& entry : object_)
      if (!asked_.contains(std::string(entry.key()))) wrong(std::string(entry.key()));
    if (!trouble_.empty()) return malformed(trouble_);
    return {};
  }

 private:
  const json::value* take(std::string_view member) {
    asked_.emplace(member);
    return object_.if_contains(member);
  }

  const json::object& object_;
  std::string place_;
  std::set<std::string> asked_;
  std::string trouble_;
};

// file_malformed; file_kind when it has no format.
Result<json::object> parse_json_file(std::string_view text, std::size_t most);
// The member `format`.
std::string_view json_file_format(const json::object& object);
std::string json_file_text(const json::object& object);
// With mode 0600: file_exists, file_unreadable.
Result<void> write_new_file(const std::filesystem::path& path, const std::string& text);

// The parsed file; every error names the path.
template <class T>
Result<T> read_file_with(const std::filesystem::path& path, std::size_t most, Result<T> (*parse)(std::string_view)) {
  const auto text = infra::read_file(path, most);
  if (!text) return fail(ErrorCode::file_unreadable, text.error().text());
  auto file = parse(*text);
  if (!file) file.error().message.insert(0, path.string() + ": ");
  return file;
}

}  // namespace community::wallet
