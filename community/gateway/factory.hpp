// SPDX-License-Identifier: Apache-2.0
// The doors of the node: JSON-RPC (:3000) and the HTTP API (:9000), each as a handler for an HttpServer that the
// program makes. Only programs (cmd/) and tests include this header.
#pragma once
#include <memory>
#include <string>

#include "community/bundler/api/bundler.hpp"
#include "community/chain/api/execution_client.hpp"
#include "community/chain/api/fee_oracle.hpp"
#include "community/infra/api/clock.hpp"
#include "community/infra/api/health.hpp"
#include "community/infra/api/http.hpp"
#include "community/infra/api/metrics.hpp"
#include "community/keys/api/attestation.hpp"
#include "community/paymaster/api/sponsor.hpp"
#include "community/pool/api/pool.hpp"
#include "community/validation/api/validator.hpp"

namespace community::gateway {

struct GatewayOptions {
  // "community-node/0.1.0", answered by web3_clientVersion and GET /api/v1/version.
  std::string version;
  std::uint64_t chain_id = 0;
  std::vector<const chain::EntryPoint*> entry_points;
};

// All outlive the gateway; `sponsor` is null when the node sponsors nothing.
struct GatewayDependencies {
  chain::ExecutionClient& chain;
  chain::FeeOracle& fees;
  validation::Validator& validator;
  validation::Estimator& estimator;
  pool::Pool& pool;
  bundler::Bundler& bundler;
  paymaster::Sponsor* sponsor = nullptr;
  infra::Metrics* metrics = nullptr;
  // What /health and /ready tell.
  infra::Health* health = nullptr;
};

class Gateway {
 public:
  virtual ~Gateway() = default;
  // For the server on :3000. POST / and POST /rpc take JSON-RPC; GET /health, /ready, /metrics.
  virtual infra::HttpHandler rpc_handler() = 0;
  // For the server on :9000. GET /api/v1/version, /health, /ready, /metrics. Other modules add their routes to it.
  virtual infra::HttpRouter& http_router() = 0;
  virtual infra::HttpHandler http_handler() = 0;
};

std::unique_ptr<Gateway> make_gateway(GatewayDependencies dependencies, GatewayOptions options);

struct AttestationLimits {
  // Requests that run or wait; 503 beyond. In an emulator an answer takes half a second and its rest one and a half, so
  // the last of five waits for eight seconds.
  std::size_t queue = 5;
  // The core rests this many times as long as the last answer took before the next begins: whoever asks without end
  // takes a quarter of its time.
  int rest = 3;
};

// GET /api/v1/attestation?challenge=HEX answers a QUOTE.json (spec/attestation.md); only errors are JSON of another
// form: {"error": rule, "message": words}.
class AttestationDoor {
 public:
  virtual ~AttestationDoor() = default;
  virtual infra::HttpHandler handler() = 0;
};

// Core and clock outlive the door, and the door every request that it answers.
std::unique_ptr<AttestationDoor> make_attestation_door(keys::AttestingCore& core, infra::Clock& clock,
                                                       AttestationLimits limits = {});

}  // namespace community::gateway
