// SPDX-License-Identifier: Apache-2.0
#include "community/gateway/api_v1/json_reader.hpp"

#include "community/core/base64url.hpp"
#include "community/core/uuid.hpp"

namespace community::gateway::api_v1 {
namespace {

// Of a member's name in a pointer: a stranger may have chosen it.
constexpr std::size_t kMaxShownName = 64;

}  // namespace

JsonReader::JsonReader(const json::object& object, Unknown unknown, std::string pointer)
    : object_(object), unknown_(unknown), pointer_(std::move(pointer)) {}

// RFC 6901, section 3.
std::string JsonReader::pointer(std::string_view member) const {
  std::string out = pointer_ + "/";
  std::string_view shown = member.substr(0, kMaxShownName);
  // Not in the middle of a character.
  while (!core::is_utf8(base::view(shown))) shown.remove_suffix(1);
  for (const char c : shown) {
    if (c == '~') {
      out += "~0";
    } else if (c == '/') {
      out += "~1";
    } else {
      out += c;
    }
  }
  return out;
}

void JsonReader::refuse(std::string_view member, std::string why) {
  if (!problem_) problem_ = field_invalid(pointer(member), std::move(why));
}

void JsonReader::take(JsonReader& inner) {
  auto problem = inner.finish();
  if (problem && !problem_) problem_ = std::move(problem);
}

const json::value* JsonReader::find(std::string_view member) {
  asked_.push_back(member);
  return object_.if_contains(member);
}

const json::value* JsonReader::require(std::string_view member) {
  const json::value* value = find(member);
  if (value == nullptr) refuse(member, "this member is missing");
  return value;
}

std::string JsonReader::read_text(std::string_view member, const json::value& value, std::size_t max_bytes) {
  if (!value.is_string()) {
    refuse(member, "a text is expected");
    return {};
  }
  const json::string& text = value.get_string();
  if (text.size() > max_bytes) {
    refuse(member, "longer than " + std::to_string(max_bytes) + " bytes");
    return {};
  }
  return std::string(text.data(), text.size());
}

std::string JsonReader::text(std::string_view member, std::size_t max_bytes) {
  const json::value* value = require(member);
  return value == nullptr ? std::string() : read_text(member, *value, max_bytes);
}

std::optional<std::string> JsonReader::optional_text(std::string_view member, std::size_t max_bytes) {
  const json::value* value = find(member);
  if (value == nullptr) return std::nullopt;
  std::string text = read_text(member, *value, max_bytes);
  if (text.empty()) refuse(member, "leave the member out instead of an empty text");
  return text;
}

std::optional<std::string> JsonReader::nullable_text(std::string_view member, std::size_t max_bytes) {
  const json::value* value = find(member);
  if (value == nullptr) return std::nullopt;
  if (value->is_null()) return std::string();
  std::string text = read_text(member, *value, max_bytes);
  if (text.empty()) refuse(member, "null takes a member away, not an empty text");
  return text;
}

core::Bytes JsonReader::read_base64url(std::string_view member, const json::value& value, std::size_t max_bytes) {
  const std::string text = read_text(member, value, max_bytes / 3 * 4 + 4);
  auto bytes = core::parse_base64url(text, max_bytes);
  if (bytes) return std::move(*bytes);
  refuse(member, "base64url without padding of at most " + std::to_string(max_bytes) + " bytes is expected");
  return {};
}

core::Bytes JsonReader::base64url(std::string_view member, std::size_t max_bytes) {
  const json::value* value = require(member);
  return value == nullptr ? core::Bytes() : read_base64url(member, *value, max_bytes);
}

std::optional<core::Bytes> JsonReader::optional_base64url(std::string_view member, std::size_t max_bytes) {
  const json::value* value = find(member);
  if (value == nullptr || value->is_null()) return std::nullopt;
  return read_base64url(member, *value, max_bytes);
}

core::Address JsonReader::address(std::string_view member) {
  const json::value* value = require(member);
  if (value == nullptr) return {};
  const auto address = core::parse_address(read_text(member, *value, kMaxText));
  if (address) return *address;
  refuse(member, "an address is expected: 0x and 40 digits, in one case or with a right checksum (EIP-55)");
  return {};
}

std::string JsonReader::uuid(std::string_view member) {
  std::string id = text(member);
  if (!core::parse_uuid(id)) refuse(member, "a UUID in lower case is expected");
  return id;
}

bool JsonReader::optional_true(std::string_view member) {
  const json::value* value = find(member);
  if (value == nullptr) return false;
  if (!value->is_bool() || !value->get_bool()) refuse(member, "true is the only value");
  return true;
}

void JsonReader::constant(std::string_view member, std::string_view value) {
  if (text(member) != value) refuse(member, "\"" + std::string(value) + "\" is the only value");
}

std::vector<std::string> JsonReader::optional_texts(std::string_view member, std::size_t most, std::size_t max_bytes) {
  std::vector<std::string> texts;
  const json::value* value = find(member);
  if (value == nullptr) return texts;
  if (!value->is_array() || value->get_array().size() > most) {
    refuse(member, "a list of at most " + std::to_string(most) + " is expected");
    return texts;
  }
  for (const json::value& entry : value->get_array()) texts.push_back(read_text(member, entry, max_bytes));
  return texts;
}

const json::object* JsonReader::object(std::string_view member) {
  const json::value* value = require(member);
  if (value == nullptr) return nullptr;
  if (!value->is_object()) refuse(member, "an object is expected");
  return value->if_object();
}

const json::object* JsonReader::optional_object(std::string_view member) {
  const json::value* value = find(member);
  if (value == nullptr) return nullptr;
  if (!value->is_object()) refuse(member, "an object is expected");
  return value->if_object();
}

std::optional<Problem> JsonReader::finish() {
  if (problem_ || unknown_ == Unknown::passed_over) return problem_;
  for (const auto& entry : object_) {
    const std::string_view name(entry.key().data(), entry.key().size());
    if (std::find(asked_.begin(), asked_.end(), name) == asked_.end())
      return field_invalid(pointer(name), "this member is not known here");
  }
  return std::nullopt;
}

}  // namespace community::gateway::api_v1
