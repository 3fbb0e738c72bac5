// SPDX-License-Identifier: Apache-2.0
#include "community/wallet/json_file.hpp"

namespace community::wallet {

Result<json::object> parse_json_file(std::string_view text, std::size_t most) {
  core::JsonLimits limits;
  limits.max_bytes = most;
  limits.max_depth = 8;
  auto value = core::parse_json(text, limits);
  if (!value) return malformed(value.error().text());
  json::object* object = value->if_object();
  const json::value* format = object == nullptr ? nullptr : object->if_contains("format");
  if (format == nullptr || !format->is_string()) return fail(ErrorCode::file_kind, "it is no file of this product");
  return std::move(*object);
}

std::string_view json_file_format(const json::object& object) { return object.at("format").get_string(); }

// One member a line: people look into these files.
std::string json_file_text(const json::object& object) {
  std::string text = "{\n";
  for (auto member = object.begin(); member != object.end();) {
    text += " " + json::serialize(json::value(member->key())) + ": " + json::serialize(member->value());
    text += ++member == object.end() ? "\n" : ",\n";
  }
  return text + "}\n";
}

Result<void> write_new_file(const std::filesystem::path& path, const std::string& text) {
  std::error_code ignored;
  if (std::filesystem::exists(path, ignored))
    return fail(ErrorCode::file_exists, path.string() + " is there already and may hold keys; name another one");
  if (auto done = infra::write_file_atomically(path, text); !done)
    return fail(ErrorCode::file_unreadable, done.error().text());
  return {};
}

}  // namespace community::wallet
