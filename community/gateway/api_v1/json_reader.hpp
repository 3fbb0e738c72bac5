// SPDX-License-Identifier: Apache-2.0
// A request's JSON object, read member by member. The first thing that is wrong is kept, with a JSON pointer to it, and
// told by finish(); until then values that were not there are empty.
#pragma once
#include "community/core/json.hpp"
#include "community/gateway/api_v1/problem.hpp"

namespace community::gateway::api_v1 {

namespace json = core::json;

// Of text members, in bytes, where a module has no limit of its own that is smaller.
inline constexpr std::size_t kMaxText = 16'384;

class JsonReader {
 public:
  // What may stand beside the members that are asked for.
  enum class Unknown : std::uint8_t { refused, passed_over };

  JsonReader(const json::object& object, Unknown unknown, std::string pointer = {});
  JsonReader(const JsonReader&) = delete;
  JsonReader& operator=(const JsonReader&) = delete;

  // A text that must be there; that may be absent; that may be absent (nothing) or null (empty).
  std::string text(std::string_view member, std::size_t max_bytes = kMaxText);
  std::optional<std::string> optional_text(std::string_view member, std::size_t max_bytes = kMaxText);
  std::optional<std::string> nullable_text(std::string_view member, std::size_t max_bytes = kMaxText);
  // Bytes in base64url without padding; the optional one may be null too.
  core::Bytes base64url(std::string_view member, std::size_t max_bytes);
  std::optional<core::Bytes> optional_base64url(std::string_view member, std::size_t max_bytes);
  core::Address address(std::string_view member);
  // A UUID in lower case.
  std::string uuid(std::string_view member);
  // True when the member is there, which it may be as `true` alone.
  bool optional_true(std::string_view member);
  // `value` and nothing else.
  void constant(std::string_view member, std::string_view value);
  std::vector<std::string> optional_texts(std::string_view member, std::size_t most, std::size_t max_bytes);
  // An object in the object. Null when it is not there, which is an error only of the first.
  const json::object* object(std::string_view member);
  const json::object* optional_object(std::string_view member);

  // A member of any type, for readers that build on this one; an error only of the first when it is not there.
  const json::value* required(std::string_view member) { return require(member); }
  const json::value* optional(std::string_view member) { return find(member); }

  void refuse(std::string_view member, std::string why);
  // Takes over what a reader of an inner object found.
  void take(JsonReader& inner);
  std::string pointer(std::string_view member) const;
  // What was wrong first; otherwise a member that nobody asked for.
  std::optional<Problem> finish();

 private:
  const json::value* find(std::string_view member);
  const json::value* require(std::string_view member);
  std::string read_text(std::string_view member, const json::value& value, std::size_t max_bytes);
  core::Bytes read_base64url(std::string_view member, const json::value& value, std::size_t max_bytes);

  const json::object& object_;
  const Unknown unknown_;
  const std::string pointer_;
  std::vector<std::string_view> asked_;
  std::optional<Problem> problem_;
};

}  // namespace community::gateway::api_v1
