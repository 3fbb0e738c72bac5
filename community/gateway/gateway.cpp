// SPDX-License-Identifier: Apache-2.0
// Puts the handlers behind the two doors. JSON-RPC's envelope, batches and limits are infra's.
#include "community/gateway/rpc_support.hpp"

namespace community::gateway {
namespace {

using infra::HttpRequest;
using infra::HttpResponse;

class RelayGateway final : public Gateway {
 public:
  RelayGateway(GatewayDependencies dependencies, GatewayOptions options)
      : dependencies_(dependencies), options_(std::move(options)), rpc_({}, dependencies.metrics) {
    add_userop_methods(rpc_, dependencies_, options_);
    add_paymaster_methods(rpc_, dependencies_);
    add_pimlico_methods(rpc_, dependencies_);
    add_chain_methods(rpc_, dependencies_, options_);
    const infra::HttpHandler rpc = [this](HttpRequest request) { return rpc_.handle_http(std::move(request)); };
    rpc_router_.add("POST", "/", rpc);
    rpc_router_.add("POST", "/rpc", rpc);
    add_state(rpc_router_);
    add_state(http_router_);
    http_router_.add("GET", "/api/v1/version", [this](HttpRequest) -> Task<HttpResponse> {
      json::object body;
      body["version"] = options_.version;
      body["chainId"] = core::format_quantity(Uint256(options_.chain_id));
      co_return infra::http_json(200, json::serialize(body));
    });
  }

  infra::HttpHandler rpc_handler() override { return rpc_router_.handler(); }
  infra::HttpRouter& http_router() override { return http_router_; }
  infra::HttpHandler http_handler() override { return http_router_.handler(); }

 private:
  void add_state(infra::HttpRouter& router) {
    router.add("GET", "/health", [this](HttpRequest) -> Task<HttpResponse> {
      co_return infra::http_json(
          200, dependencies_.health == nullptr ? R"({"status":"ok","components":{}})" : dependencies_.health->json());
    });
    router.add("GET", "/ready", [this](HttpRequest) -> Task<HttpResponse> {
      const bool is_ready = dependencies_.health == nullptr || dependencies_.health->ready();
      co_return infra::http_text(is_ready ? 200 : 503, is_ready ? "ready\n" : "not ready; GET /health says why\n");
    });
    router.add("GET", "/metrics", [this](HttpRequest) -> Task<HttpResponse> {
      const std::string text = dependencies_.metrics == nullptr ? std::string() : dependencies_.metrics->text();
      co_return infra::http_text(200, text, "text/plain; version=0.0.4; charset=utf-8");
    });
  }

  GatewayDependencies dependencies_;
  GatewayOptions options_;
  infra::RpcDispatcher rpc_;
  infra::HttpRouter rpc_router_, http_router_;
};

}  // namespace

std::unique_ptr<Gateway> make_gateway(GatewayDependencies dependencies, GatewayOptions options) {
  return std::make_unique<RelayGateway>(dependencies, std::move(options));
}

}  // namespace community::gateway
