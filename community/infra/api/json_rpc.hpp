// SPDX-License-Identifier: Apache-2.0
// JSON-RPC 2.0, both ends. Handlers are coroutines from parsed parameters to a value or an error; everything about
// envelopes, batches, notifications and limits happens here.
#pragma once
#include <boost/json/value.hpp>
#include <map>

#include "community/infra/api/http.hpp"
#include "community/infra/api/http_client.hpp"
#include "community/infra/api/metrics.hpp"

namespace community::infra {

namespace json = boost::json;

// JSON-RPC 2.0, section 5.1.
inline constexpr int kRpcParseError = -32'700;
inline constexpr int kRpcInvalidRequest = -32'600;
inline constexpr int kRpcMethodNotFound = -32'601;
inline constexpr int kRpcInvalidParams = -32'602;
inline constexpr int kRpcInternalError = -32'603;
// EIP-1474, "limit exceeded".
inline constexpr int kRpcLimitExceeded = -32'005;

struct RpcError {
  int code = kRpcInternalError;
  std::string message;
  std::optional<json::value> data;
};

using RpcResult = tl::expected<json::value, RpcError>;

inline tl::unexpected<RpcError> rpc_fail(int code, std::string message, std::optional<json::value> data = {}) {
  return tl::unexpected<RpcError>(RpcError{code, std::move(message), std::move(data)});
}

// Who calls; shared by the calls of one batch.
struct RpcContext {
  std::string remote;
  // From the field X-Api-Key, a bearer token, or the query parameter apikey; empty when none was sent.
  std::string api_key;
};

struct RpcCall {
  std::string method;
  // An array, an object, or null when the member was absent.
  json::value params;
  std::shared_ptr<const RpcContext> context;
};

using RpcHandler = std::function<Task<RpcResult>(RpcCall)>;

struct RpcLimits {
  // -32600 beyond. Clients that batch send tens.
  std::size_t batch = 100;
  // Calls of one batch that run at the same time.
  std::size_t batch_concurrency = 8;
  // An operation nests 5 levels deep; state overrides 6.
  std::size_t depth = 64;
  std::size_t request_bytes = 1'024 * 1'024;
  // Results of a batch beyond this sum are replaced by -32005.
  std::size_t batch_response_bytes = 16 * 1'024 * 1'024;
};

class RpcDispatcher {
 public:
  explicit RpcDispatcher(RpcLimits limits = {}, Metrics* metrics = nullptr);
  ~RpcDispatcher();

  // Each name once.
  void add(std::string method, RpcHandler handler);
  // Called for methods nobody added, in place of -32601.
  void otherwise(RpcHandler handler);
  std::vector<std::string> methods() const;

  // The response text; empty when the request held only notifications.
  Task<std::string> handle(std::string body, std::shared_ptr<const RpcContext> context);
  // POST with a body; 204 for notifications only, 405 for other methods.
  Task<HttpResponse> handle_http(HttpRequest request);

 private:
  struct Body;
  std::unique_ptr<Body> body_;
};

struct RpcClientOptions {
  std::string url;
  Milliseconds timeout{10'000};
  std::uint64_t max_response_bytes = 16 * 1'024 * 1'024;
  // A call trace nests two levels for each of at most 1,024 frames.
  std::size_t max_depth = 2'200;
  // Sent as a bearer token (RFC 6750) when not empty; never logged.
  std::string bearer = {};
};

struct RpcRequest {
  std::string method;
  json::value params;
};

class RpcClient {
 public:
  // `http` outlives the client.
  RpcClient(HttpClient& http, RpcClientOptions options);

  // Outer: timeout, transport, malformed, too_large. Inner: what the peer answered.
  Task<Result<RpcResult>> call(std::string method, json::value params, std::optional<Milliseconds> timeout = {});
  // Answers in the order of the requests. malformed when the peer does not answer each request exactly once.
  Task<Result<std::vector<RpcResult>>> batch(std::vector<RpcRequest> requests,
                                             std::optional<Milliseconds> timeout = {});
  const std::string& shown() const { return shown_; }

 private:
  Task<Result<json::value>> post(std::string body, Milliseconds timeout);

  HttpClient& http_;
  RpcClientOptions options_;
  // Host and port, for errors: paths of public services hold keys.
  std::string shown_;
  std::uint64_t next_id_ = 1;
};

}  // namespace community::infra
