// SPDX-License-Identifier: Apache-2.0
#include "community/devnet/api_client.hpp"

namespace community::devnet {
namespace {

using infra::Task;
using wallet::ErrorCode;
using wallet::Result;

// A problem of RFC 9457 in words: its rule, and its detail where it has one.
std::string words_of(const json::object& problem, unsigned status) {
  const auto text = [&problem](std::string_view name) {
    const json::value* value = problem.if_contains(name);
    return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
  };
  const std::string type = text("type"), detail = text("detail");
  const std::string rule = type.empty() ? "status " + std::to_string(status) : type.substr(type.rfind(':') + 1);
  return detail.empty() ? rule : rule + ": " + detail;
}

}  // namespace

Result<std::string> text_member(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  if (value == nullptr || !value->is_string())
    return wallet::fail(ErrorCode::node, "the answer has no text " + std::string(name));
  return std::string(value->get_string());
}

Result<json::object> object_member(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  if (value == nullptr || !value->is_object())
    return wallet::fail(ErrorCode::node, "the answer has no object " + std::string(name));
  return value->get_object();
}

Task<Result<json::object>> ApiClient::get(std::string path) {
  infra::HttpCall call;
  call.url = url_ + path;
  co_return co_await send(std::move(call));
}

Task<Result<json::object>> ApiClient::post(std::string path, json::object body) {
  infra::HttpCall call;
  call.method = "POST";
  call.url = url_ + path;
  call.body = json::serialize(body);
  call.repeatable = false;
  call.headers.add("content-type", "application/json");
  call.headers.add("origin", origin_);
  if (!csrf_token_.empty()) call.headers.add("x-csrf-token", csrf_token_);
  co_return co_await send(std::move(call));
}

Task<Result<json::object>> ApiClient::send(infra::HttpCall call) {
  if (!cookie_.empty()) call.headers.add("cookie", cookie_);
  const std::string where = call.method + " " + call.url.substr(url_.size());
  const auto answer = co_await http_.send(std::move(call));
  if (!answer) co_return wallet::fail(ErrorCode::node, where + ": " + answer.error().text());
  auto parsed = core::parse_json(answer->content());
  if (!parsed || !parsed->is_object())
    co_return wallet::fail(ErrorCode::node,
                           where + ": status " + std::to_string(answer->status) + " without an object");
  json::object object = std::move(parsed->get_object());
  if (answer->status < 200 || answer->status >= 300)
    co_return wallet::fail(ErrorCode::node, where + ": " + words_of(object, answer->status));
  for (std::size_t i = 0; i < answer->headers.size(); i++) {
    const std::string_view value = answer->headers.value(i);
    if (answer->headers.name(i) == "set-cookie" && value.starts_with("session="))
      cookie_ = value.substr(0, value.find(';'));
  }
  if (auto token = text_member(object, "csrfToken")) csrf_token_ = std::move(*token);
  co_return object;
}

}  // namespace community::devnet
