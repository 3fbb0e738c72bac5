// SPDX-License-Identifier: Apache-2.0
#include "community/attestation/api/document.hpp"

#include <algorithm>

#include "community/attestation/api/manifest.hpp"

namespace community::attestation {
namespace {

// Deeper than any document of ours goes, so that a deep one is refused for what is in it.
constexpr std::size_t kMaxDepth = 8;

const json::value kNull;

bool plain_character(char c) { return (c >= ' ' && c <= '~' && c != '\\') || c == '\n' || c == '\r' || c == '\t'; }

bool without_numbers(const json::value& value) {
  if (value.is_object())
    return std::all_of(value.get_object().begin(), value.get_object().end(),
                       [](const auto& member) { return without_numbers(member.value()); });
  if (value.is_array()) return std::all_of(value.get_array().begin(), value.get_array().end(), without_numbers);
  return value.is_string() || value.is_null();
}

}  // namespace

Result<json::value> read_document(std::string_view text, std::size_t max_bytes) {
  if (text.size() > max_bytes)
    return fail(ErrorCode::document_too_large, "more than " + std::to_string(max_bytes) + " bytes");
  if (!std::all_of(text.begin(), text.end(), plain_character))
    return fail(ErrorCode::document_malformed, "a backslash or a character outside printable ASCII");
  core::JsonLimits limits;
  limits.max_bytes = max_bytes;
  limits.max_depth = kMaxDepth;
  auto value = core::parse_json(text, limits);
  if (!value) {
    const bool twice = value.error().code == core::ErrorCode::json_duplicate_member;
    return fail(twice ? ErrorCode::document_member_twice : ErrorCode::document_malformed, value.error().text());
  }
  if (!without_numbers(*value)) return fail(ErrorCode::document_malformed, "a number, true or false");
  return std::move(*value);
}

Members::Members(const json::value& value, std::string_view where, std::initializer_list<std::string_view> names)
    : where_(where) {
  if (!value.is_object()) {
    error_ = Error{ErrorCode::document_member_wrong, where_ + " is no object"};
    return;
  }
  object_ = &value.get_object();
  for (const std::string_view name : names)
    if (!object_->contains(name)) {
      error_ = Error{ErrorCode::document_member_missing, where_ + "." + std::string(name)};
      return;
    }
  for (const auto& member : *object_)
    if (std::find(names.begin(), names.end(), std::string_view(member.key())) == names.end()) {
      error_ = Error{ErrorCode::document_member_unknown, where_ + "." + std::string(member.key()).substr(0, kMaxText)};
      return;
    }
}

const json::value& Members::at(std::string_view name) { return error_ ? kNull : object_->at(name); }

std::string Members::text(std::string_view name) {
  const json::value& value = at(name);
  if (error_) return {};
  if (!value.is_string() || value.get_string().empty() || value.get_string().size() > kMaxText) {
    wrong(name);
    return {};
  }
  return std::string(value.get_string());
}

Bytes Members::hex(std::string_view name, std::size_t min, std::size_t max) {
  const json::value& value = at(name);
  if (error_) return {};
  const std::string_view digits = value.is_string() ? std::string_view(value.get_string()) : std::string_view();
  const std::size_t size = digits.size() / 2;
  if (!value.is_string() || digits.size() % 2 != 0 || size < min || size > max || !is_plain_hex(digits)) {
    wrong(name);
    return {};
  }
  return core::parse_hex(digits, core::HexPrefix::optional).value();
}

void Members::wrong(std::string_view name) {
  if (!error_) error_ = Error{ErrorCode::document_member_wrong, where_ + "." + std::string(name)};
}

bool is_plain_hex(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

}  // namespace community::attestation
