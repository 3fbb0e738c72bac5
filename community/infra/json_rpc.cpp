// SPDX-License-Identifier: Apache-2.0
// The server's side of JSON-RPC 2.0.
#include "community/infra/api/json_rpc.hpp"

#include <cassert>

#include "community/core/json.hpp"
#include "community/infra/api/log.hpp"

namespace community::infra {
namespace {

// What is echoed of a stranger's method name in an error.
constexpr std::size_t kMaxEchoedName = 64;

json::object envelope(const json::value& id) {
  json::object object;
  object.reserve(3);
  object["jsonrpc"] = "2.0";
  object["id"] = id;
  return object;
}

json::object error_object(const json::value& id, RpcError error) {
  json::object body;
  body["code"] = error.code;
  body["message"] = std::move(error.message);
  if (error.data) body["data"] = std::move(*error.data);
  auto object = envelope(id);
  object["error"] = std::move(body);
  return object;
}

std::string error_text(const json::value& id, int code, std::string message) {
  return json::serialize(error_object(id, {code, std::move(message), {}}));
}

std::string result_text(const json::value& id, RpcResult result) {
  if (!result) return json::serialize(error_object(id, std::move(result.error())));
  auto object = envelope(id);
  object["result"] = std::move(*result);
  return json::serialize(object);
}

bool is_id(const json::value& value) { return value.is_string() || value.is_number() || value.is_null(); }

struct Parsed {
  RpcCall call;
  json::value id;
  bool notification = false;
};

// Section 4 of the specification; the error's words say what is wrong.
tl::expected<Parsed, std::string> parse_request(json::value& value, json::value& id) {
  json::object* object = value.if_object();
  if (object == nullptr) return tl::unexpected<std::string>("a request is an object");
  Parsed parsed;
  if (json::value* given = object->if_contains("id")) {
    if (!is_id(*given)) return tl::unexpected<std::string>("id is a string, a number or null");
    id = *given;
    parsed.id = std::move(*given);
  } else {
    parsed.notification = true;
  }
  const json::value* version = object->if_contains("jsonrpc");
  if (version == nullptr || *version != "2.0") return tl::unexpected<std::string>("jsonrpc is \"2.0\"");
  const json::value* method = object->if_contains("method");
  if (method == nullptr || !method->is_string()) return tl::unexpected<std::string>("method is a string");
  parsed.call.method = std::string(method->get_string());
  if (json::value* params = object->if_contains("params")) {
    if (!params->is_structured() && !params->is_null())
      return tl::unexpected<std::string>("params is an array or an object");
    parsed.call.params = std::move(*params);
  }
  return parsed;
}

std::string api_key(const HttpRequest& request) {
  if (const auto key = request.headers.find("x-api-key")) return std::string(*key);
  const std::string_view authorization = request.headers.get("authorization");
  if (authorization.starts_with("Bearer ")) return std::string(authorization.substr(7));
  if (request.query().empty()) return {};
  return request.query_value("apikey").value_or(std::string{});
}

}  // namespace

struct RpcDispatcher::Body {
  struct Method {
    RpcHandler handler;
    std::optional<Counter> succeeded;
    std::optional<Counter> failed;
    std::optional<Histogram> seconds;
  };
  RpcLimits limits;
  Metrics* metrics = nullptr;
  std::map<std::string, Method, std::less<>> methods;
  Method fallback;

  Method make_method(const std::string& name, RpcHandler handler) const {
    Method method;
    method.handler = std::move(handler);
    if (metrics == nullptr) return method;
    const std::string help = "JSON-RPC calls";
    method.succeeded = metrics->counter("community_rpc_calls_total", help, {{"method", name}, {"outcome", "result"}});
    method.failed = metrics->counter("community_rpc_calls_total", help, {{"method", name}, {"outcome", "error"}});
    method.seconds = metrics->histogram("community_rpc_call_duration_seconds", "Time in the handler", Buckets::seconds,
                                        {{"method", name}});
    return method;
  }

  Task<RpcResult> run(RpcCall call) {
    const auto found = methods.find(call.method);
    Method& method = found == methods.end() ? fallback : found->second;
    if (!method.handler)
      co_return rpc_fail(kRpcMethodNotFound, "the method " + call.method.substr(0, kMaxEchoedName) + " does not exist");
    const auto started = std::chrono::steady_clock::now();
    std::string failure;
    std::optional<RpcResult> result;
    try {
      result = co_await method.handler(std::move(call));
    } catch (const std::exception& e) {
      if (is_cancellation(e)) throw;
      failure = e.what();
    }
    if (!result) {
      log_error("rpc handler failed", {{"method", found == methods.end() ? "other" : found->first}, {"why", failure}});
      result = rpc_fail(kRpcInternalError, "internal error");
    }
    if (method.seconds) {
      const std::chrono::duration<double> took = std::chrono::steady_clock::now() - started;
      method.seconds->observe(took.count());
      (result->has_value() ? method.succeeded : method.failed)->add();
    }
    co_return std::move(*result);
  }

  // The response text, empty for a notification.
  Task<std::string> handle_one(json::value& value, std::shared_ptr<const RpcContext> context) {
    json::value id;
    auto parsed = parse_request(value, id);
    if (!parsed) co_return error_text(id, kRpcInvalidRequest, "invalid request: " + parsed.error());
    parsed->call.context = std::move(context);
    auto result = co_await run(std::move(parsed->call));
    if (parsed->notification) co_return std::string{};
    co_return result_text(parsed->id, std::move(result));
  }

  Task<std::string> handle_batch(json::array& items, std::shared_ptr<const RpcContext> context) {
    if (items.empty()) co_return error_text(nullptr, kRpcInvalidRequest, "invalid request: the batch is empty");
    if (items.size() > limits.batch)
      co_return error_text(nullptr, kRpcInvalidRequest,
                           "invalid request: a batch holds at most " + std::to_string(limits.batch) + " calls");
    std::vector<std::string> texts(items.size());
    std::size_t total = 0;
    std::function<Task<void>(std::size_t)> work = [&](std::size_t i) {
      return handle_item(items[i], context, texts[i], total);
    };
    co_await for_each_bounded(items.size(), limits.batch_concurrency, work);
    std::string joined = "[";
    for (const auto& text : texts) {
      if (text.empty()) continue;
      if (joined.size() > 1) joined += ',';
      joined += text;
    }
    if (joined.size() == 1) co_return std::string{};
    joined += ']';
    co_return joined;
  }

  Task<void> handle_item(json::value& item, std::shared_ptr<const RpcContext> context, std::string& text,
                         std::size_t& total) {
    json::value id;
    if (const auto* object = item.if_object())
      if (const auto* given = object->if_contains("id"); given != nullptr && is_id(*given)) id = *given;
    if (total < limits.batch_response_bytes) {
      text = co_await handle_one(item, std::move(context));
      total += text.size();
      if (text.empty() || total <= limits.batch_response_bytes) co_return;
    }
    text = error_text(id, kRpcLimitExceeded,
                      "the batch's responses exceed " + std::to_string(limits.batch_response_bytes) + " bytes");
  }
};

RpcDispatcher::RpcDispatcher(RpcLimits limits, Metrics* metrics) : body_(std::make_unique<Body>()) {
  body_->limits = limits;
  body_->metrics = metrics;
}
RpcDispatcher::~RpcDispatcher() = default;

void RpcDispatcher::add(std::string method, RpcHandler handler) {
  auto made = body_->make_method(method, std::move(handler));
  const bool added = body_->methods.emplace(std::move(method), std::move(made)).second;
  assert(added);
  static_cast<void>(added);
}

void RpcDispatcher::otherwise(RpcHandler handler) { body_->fallback = body_->make_method("other", std::move(handler)); }

std::vector<std::string> RpcDispatcher::methods() const {
  std::vector<std::string> names;
  for (const auto& [name, method] : body_->methods) names.push_back(name);
  return names;
}

Task<std::string> RpcDispatcher::handle(std::string body, std::shared_ptr<const RpcContext> context) {
  core::JsonLimits limits;
  limits.max_bytes = body_->limits.request_bytes;
  limits.max_depth = body_->limits.depth;
  auto parsed = core::parse_json(body, limits);
  if (!parsed) {
    const auto& error = parsed.error();
    const bool syntax = error.code == core::ErrorCode::json_syntax;
    co_return error_text(nullptr, syntax ? kRpcParseError : kRpcInvalidRequest,
                         (syntax ? "parse error: " : "invalid request: ") + error.text());
  }
  body = {};
  if (json::array* items = parsed->if_array()) co_return co_await body_->handle_batch(*items, std::move(context));
  co_return co_await body_->handle_one(*parsed, std::move(context));
}

Task<HttpResponse> RpcDispatcher::handle_http(HttpRequest request) {
  if (request.method != "POST") {
    auto response = http_text(405, "JSON-RPC 2.0 is served here: POST one call or a batch\n");
    response.headers.add("allow", "POST");
    co_return response;
  }
  auto context = std::make_shared<RpcContext>();
  context->api_key = api_key(request);
  context->remote = std::move(request.remote);
  std::string text = co_await handle(std::move(request.body), std::move(context));
  if (text.empty()) {
    HttpResponse none;
    none.status = 204;
    co_return none;
  }
  co_return http_json(200, std::move(text));
}

}  // namespace community::infra
