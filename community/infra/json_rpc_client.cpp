// SPDX-License-Identifier: Apache-2.0
// The client's side of JSON-RPC 2.0. Nothing the peer says is trusted to have the right shape.
#include <algorithm>

#include "community/core/json.hpp"
#include "community/infra/api/json_rpc.hpp"

namespace community::infra {
namespace {

json::object request_object(RpcRequest request, std::uint64_t id) {
  json::object object;
  object["jsonrpc"] = "2.0";
  object["id"] = id;
  object["method"] = std::move(request.method);
  if (!request.params.is_null()) object["params"] = std::move(request.params);
  return object;
}

std::optional<std::uint64_t> response_id(const json::value& response) {
  const json::object* object = response.if_object();
  const json::value* id = object == nullptr ? nullptr : object->if_contains("id");
  if (id == nullptr) return std::nullopt;
  if (id->is_uint64()) return id->get_uint64();
  if (id->is_int64() && id->get_int64() >= 0) return static_cast<std::uint64_t>(id->get_int64());
  return std::nullopt;
}

std::optional<RpcError> peer_error(const json::value& value) {
  const json::object* object = value.if_object();
  if (object == nullptr) return std::nullopt;
  RpcError error;
  const json::value* code = object->if_contains("code");
  if (code == nullptr || !code->is_int64()) return std::nullopt;
  error.code = static_cast<int>(code->get_int64());
  if (const json::value* message = object->if_contains("message"); message != nullptr && message->is_string())
    error.message = std::string(message->get_string());
  // JSON may carry control characters, which neither a log line nor a database wants.
  std::replace_if(
      error.message.begin(), error.message.end(), [](char c) { return c >= 0 && c < 0x20; }, ' ');
  if (const json::value* data = object->if_contains("data")) error.data = *data;
  return error;
}

Result<RpcResult> read_response(json::value& response) {
  json::object* object = response.if_object();
  if (object == nullptr) return fail(ErrorCode::malformed, "a JSON-RPC response is an object");
  if (const json::value* error = object->if_contains("error"); error != nullptr && !error->is_null()) {
    auto read = peer_error(*error);
    if (!read) return fail(ErrorCode::malformed, "the JSON-RPC error has no code");
    return RpcResult(tl::unexpected<RpcError>(std::move(*read)));
  }
  json::value* result = object->if_contains("result");
  if (result == nullptr) return fail(ErrorCode::malformed, "the JSON-RPC response has neither result nor error");
  return RpcResult(std::move(*result));
}

}  // namespace

RpcClient::RpcClient(HttpClient& http, RpcClientOptions options) : http_(http), options_(std::move(options)) {
  const auto url = parse_http_url(options_.url);
  shown_ = url ? url->authority : "the endpoint";
}

Task<Result<json::value>> RpcClient::post(std::string body, Milliseconds timeout) {
  HttpCall call;
  call.url = options_.url;
  call.method = "POST";
  call.headers.add("content-type", "application/json");
  if (!options_.bearer.empty()) call.headers.add("authorization", "Bearer " + options_.bearer);
  call.body = std::move(body);
  call.timeout = timeout;
  call.max_response_bytes = options_.max_response_bytes;
  auto response = co_await http_.send(std::move(call));
  if (!response) co_return tl::unexpected(response.error());
  core::JsonLimits limits;
  limits.max_bytes = options_.max_response_bytes;
  limits.max_depth = options_.max_depth;
  limits.long_integers_as_text = true;
  auto parsed = core::parse_json(response->content(), limits);
  if (parsed) co_return std::move(*parsed);
  // Many servers put an error page of their own in front: the status says more than the syntax error.
  if (response->status != 200)
    co_return fail(ErrorCode::transport, shown_ + " answered HTTP " + std::to_string(response->status));
  co_return fail(ErrorCode::malformed, "not JSON from " + shown_ + ": " + parsed.error().text());
}

Task<Result<RpcResult>> RpcClient::call(std::string method, json::value params, std::optional<Milliseconds> timeout) {
  const std::uint64_t id = next_id_++;
  std::string body = json::serialize(request_object({std::move(method), std::move(params)}, id));
  auto response = co_await post(std::move(body), timeout.value_or(options_.timeout));
  if (!response) co_return tl::unexpected(response.error());
  auto result = read_response(*response);
  // An error may come with a null id when the peer could not read the request.
  if (result && result->has_value() && response_id(*response) != id)
    co_return fail(ErrorCode::malformed, "the response carries another id");
  co_return result;
}

Task<Result<std::vector<RpcResult>>> RpcClient::batch(std::vector<RpcRequest> requests,
                                                      std::optional<Milliseconds> timeout) {
  if (requests.empty()) co_return std::vector<RpcResult>{};
  const std::uint64_t first = next_id_;
  next_id_ += requests.size();
  json::array items;
  items.reserve(requests.size());
  for (std::size_t i = 0; i < requests.size(); i++) items.push_back(request_object(std::move(requests[i]), first + i));
  auto response = co_await post(json::serialize(items), timeout.value_or(options_.timeout));
  if (!response) co_return tl::unexpected(response.error());
  json::array* answers = response->if_array();
  if (answers == nullptr || answers->size() != requests.size())
    co_return fail(ErrorCode::malformed, "the batch was not answered call by call");
  std::vector<std::optional<RpcResult>> slots(requests.size());
  for (auto& answer : *answers) {
    const auto id = response_id(answer);
    if (!id || *id < first || *id - first >= slots.size() || slots[*id - first])
      co_return fail(ErrorCode::malformed, "an answer of the batch carries a wrong id");
    auto result = read_response(answer);
    if (!result) co_return tl::unexpected(result.error());
    slots[*id - first] = std::move(*result);
  }
  std::vector<RpcResult> results;
  results.reserve(slots.size());
  for (auto& slot : slots) results.push_back(std::move(*slot));
  co_return results;
}

}  // namespace community::infra
