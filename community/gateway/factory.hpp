// SPDX-License-Identifier: Apache-2.0
// The doors of the node: JSON-RPC (:3000) and the HTTP API (:9000), each as a handler for an HttpServer that the
// program makes. Only programs (cmd/) and tests include this header.
#pragma once
#include <filesystem>
#include <memory>
#include <string>

#include "community/apps/api/apps.hpp"
#include "community/arrivals/api/arrivals.hpp"
#include "community/arrivals/api/imports.hpp"
#include "community/audit/api/audit_log.hpp"
#include "community/bundler/api/bundler.hpp"
#include "community/chain/api/execution_client.hpp"
#include "community/chain/api/fee_oracle.hpp"
#include "community/infra/api/clock.hpp"
#include "community/infra/api/health.hpp"
#include "community/infra/api/http_server.hpp"
#include "community/infra/api/metrics.hpp"
#include "community/keys/api/attestation.hpp"
#include "community/multisigs/api/multisigs.hpp"
#include "community/notifications/api/live.hpp"
#include "community/notifications/api/push.hpp"
#include "community/paymaster/api/sponsor.hpp"
#include "community/pool/api/pool.hpp"
#include "community/privacy/api/privacy.hpp"
#include "community/transactions/api/transactions.hpp"
#include "community/users/api/client_address.hpp"
#include "community/users/api/rate_limits.hpp"
#include "community/users/api/users.hpp"
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

struct PageLimits {
  // About 70 files are built, each in three codings.
  std::size_t files = 1'024;
  // All codings together, kept in memory; about 1 MB is built.
  std::size_t bytes = 8u << 20;
};

// The page under every path that no route of the API has: for HttpRouter::otherwise.
class PageDoor {
 public:
  virtual ~PageDoor() = default;
  // Refers to the door, which outlives every request.
  virtual infra::HttpHandler handler() = 0;
  // False when it only says why there is none.
  virtual bool has_page() const = 0;
};

// Reads `folder`, which `make page` built, into memory; later changes of the folder are not seen. io when it is not
// there, malformed when its files are not those that the build listed, too_large beyond a limit.
infra::Result<std::unique_ptr<PageDoor>> make_page_door(const std::filesystem::path& folder, PageLimits limits = {});
// The same for a node, which serves the API without its page all the same: what is wrong is logged, and said at /.
std::unique_ptr<PageDoor> open_page_door(const std::filesystem::path& folder);
// Says in place of the page why there is none ("there is no folder x") and how to build it.
std::unique_ptr<PageDoor> make_door_without_page(std::string why);

// --- people ----------------------------------------------------------------------------------------------------------

// A program of the operator's or of a partner: its requests are counted by its key and not by its address. It logs
// nobody in.
struct ApiKey {
  std::string name;
  // SHA-256 of the key, of which the node keeps nothing else.
  core::Bytes32 hash{};
  users::Rate rate;
};

struct ApiLimits {
  // By network address (IPv6: by /64).
  users::Rate requests{600, infra::Milliseconds(60'000)};
  users::Rate registrations{20, infra::Milliseconds(60 * 60'000)};
  // Challenges, assertions and codes.
  users::Rate attempts{60, infra::Milliseconds(60'000)};
  // By person.
  users::Rate person{600, infra::Milliseconds(60'000)};
  // Of everything about a person, which is read anew each time.
  users::Rate exports{6, infra::Milliseconds(60 * 60'000)};
};

// Whom passkeys are for (WebAuthn level 3, section 5.4.2).
struct RelyingParty {
  std::string id;
  // As a device may show it.
  std::string name;
};

struct ApiOptions {
  RelyingParty relying_party;
  // The page's full origin. Requests that change something and name an origin name this one.
  std::string origin;
  ApiLimits limits;
  std::vector<ApiKey> keys;
  std::vector<users::AddressRange> trusted_proxies;
};

// A chain as a page needs to know it.
struct ChainFacts {
  std::uint64_t chain_id = 0;
  core::Address factory{};
  core::Address entry_point{};
  core::Bytes32 proxy_init_code_hash{};
  std::optional<core::Address> paymaster;
  // Of shared accounts (spec/multisig.md, section 5).
  core::Address multisig_factory{};
  core::Bytes32 multisig_proxy_init_code_hash{};
};

// What GET /api/v1/node tells everybody.
struct NodeFacts {
  std::string version;
  RelyingParty relying_party;
  std::string origin;
  std::vector<ChainFacts> chains;
  protocol::Body body{};
  protocol::Protection protection{};
  bool core_connected = false;
  // Otherwise codes lie in a folder of the node's machine.
  bool mail_by_smtp = false;
  bool development = false;
  // wei
  core::Uint256 daily_limit, gas_cap;
  std::uint32_t recovery_delay_s = 0;
};

// All outlive the API; `facts` answers at once.
struct PeopleApiDependencies {
  users::Users& users;
  audit::AuditLog& audit;
  infra::Clock& clock;
  std::function<NodeFacts()> facts;
  // Null: the node has no chain for people's accounts, and these routes are not there.
  transactions::Transactions* transactions = nullptr;
  // Null: no live events, and no route for them.
  notifications::Hub* hub = nullptr;
  // Null: the configuration names nobody whom push services could ask, and no browser is subscribed.
  notifications::Push* push = nullptr;
  // Null: nobody exports or leaves.
  privacy::Privacy* privacy = nullptr;
  infra::Metrics* metrics = nullptr;
  // Null: no app of others is let in.
  apps::Apps* apps = nullptr;
  // Null: nobody keeps multisigs here.
  multisigs::Multisigs* multisigs = nullptr;
  // Null: nobody brings accounts here, or history.
  arrivals::Arrivals* arrivals = nullptr;
  arrivals::Imports* imports = nullptr;
};

// The routes of spec/openapi.json about people, their sessions, passkeys and wallets.
class PeopleApi {
 public:
  virtual ~PeopleApi() = default;
  // The router serves no request after the API is gone.
  virtual void add_to(infra::HttpRouter& router) = 0;
  // After add_to(): its routes that take large bodies, from whoever has a session. For the server in front of the
  // router, which serves nothing after the API is gone.
  virtual std::vector<infra::HttpServerOptions::LargeBody> large_bodies() = 0;
};

std::unique_ptr<PeopleApi> make_people_api(PeopleApiDependencies dependencies, ApiOptions options);

}  // namespace community::gateway
