// SPDX-License-Identifier: Apache-2.0
// The one way into the HTTP API: every route goes through the same checks, in the same order, before its handler runs.
// A handler cannot be reached without them, because there is no other way to add one.
#pragma once
#include <functional>
#include <memory>
#include <set>

#include "community/gateway/api_v1/json_reader.hpp"
#include "community/gateway/factory.hpp"
#include "community/infra/api/clock.hpp"
#include "community/infra/api/metrics.hpp"

namespace community::gateway::api_v1 {

using infra::HttpRequest;
using infra::HttpResponse;
using infra::Task;

// Of a request on most routes; the largest there is a registration's attestation with certificates, some 8 kB.
inline constexpr std::size_t kMaxBody = 64 * 1'024;
// What servers take of everybody; who sends more is asked for the session first, and sends one at a time.
inline constexpr std::size_t kLargeBody = infra::kOrdinaryBodyBytes;

enum class Access : std::uint8_t {
  // Anybody.
  open,
  // By session; with X-CSRF-Token where something changes.
  person,
  // A script of another origin, which is named and is one that apps have; cookies are not looked at. The answer is for
  // that origin alone (CORS, without credentials), and so is the answer to the question that browsers ask before.
  app,
};

// Which bucket a request empties besides that of all requests.
enum class Cost : std::uint8_t { request, registration, attempt, export_ };

// DELETE takes none but where a route says so: its meaning is not general (RFC 9110, section 9.3.5). `raw` is JSON that
// the handler reads itself, from the request: it is too large for the loop.
enum class Body : std::uint8_t { by_method, json, raw };

// A request that passed the checks.
struct Call {
  HttpRequest request;
  infra::HttpRouter::Parameters parameters;
  // Of the path, in the order of the pattern, each a UUID.
  const std::string& id() const { return parameters.front().second; }
  users::Client client;
  // Empty when the route takes no body.
  json::object body;
  // Of a person's route.
  std::optional<users::Identity> identity;
  // As the cookie carried it; empty without one.
  std::string token;
  // Of an app's route; a handler that clears it gives an answer that no script reads.
  std::string app_origin;
};

// Of a person's route.
inline const std::string& user_of(const Call& call) { return call.identity->person.user_id; }

using CallHandler = std::function<Task<Result<HttpResponse>>(Call&)>;

// The answer under a path that no route has (404), or with another method (405).
HttpResponse refuse_path(unsigned status, std::string_view allowed);

class Api {
 public:
  // All outlive it.
  Api(users::Users& users, infra::Clock& clock, ApiOptions options, infra::Metrics* metrics);

  // Parameters of the path are UUIDs; anything else is not found.
  void add(infra::HttpRouter& router, std::string method, std::string pattern, Access access, Cost cost,
           CallHandler handler, std::size_t max_body = kMaxBody, Body body = Body::by_method);

  // Set-Cookie for a session that was made now and for the browser that it was made in.
  void add_cookies(HttpResponse& response, const users::NewSession& session) const;
  // Takes both away.
  void end_cookies(HttpResponse& response) const;
  // The value of Set-Cookie for a session that has ended.
  std::string ended_cookie() const;
  const ApiOptions& options() const { return options_; }
  users::Users& users() { return users_; }
  // Routes that take more than kLargeBody; their requests are let in by everything that their head decides.
  std::vector<infra::HttpServerOptions::LargeBody> large_bodies() const { return large_bodies_; }

 private:
  struct Route {
    std::string method;
    Access access;
    Cost cost;
    CallHandler handler;
    std::size_t max_body = kMaxBody;
    bool takes_body = false;
    bool is_raw = false;
  };
  Task<HttpResponse> serve(std::shared_ptr<const Route> route, HttpRequest request,
                           infra::HttpRouter::Parameters parameters);
  Task<infra::HttpAdmission> admit(std::shared_ptr<const Route> route, const HttpRequest& head);
  // One for each person; nothing while it is taken.
  std::shared_ptr<void> take_place(const std::string& user_id);
  // Counts a refusal.
  HttpResponse refuse(const Route& route, const Problem& problem, const std::string& app_origin);
  users::Client client_of(const HttpRequest& request) const;
  Task<Result<HttpResponse>> answer(const Route& route, Call& call);
  Result<void> check_rate(const Route& route, const Call& call);
  Result<void> take(const std::string& name, const users::Rate& rate);
  Task<HttpResponse> answer_preflight(HttpRequest request);
  Result<void> check_origin(const Route& route, Call& call) const;
  static Result<void> check_app_origin(Call& call);
  Result<void> read_body(const Route& route, Call& call) const;
  Task<Result<void>> identify(const Route& route, Call& call);
  bool is_secure() const;
  std::string cookie(std::string_view name, std::string_view value, std::int64_t life_s) const;
  const ApiKey* api_key(const HttpRequest& request) const;

  users::Users& users_;
  infra::Clock& clock_;
  const ApiOptions options_;
  infra::Metrics* metrics_;
  users::RateLimits rates_;
  std::vector<infra::HttpServerOptions::LargeBody> large_bodies_;
  // People whose large body is on its way. A connection may end after this object.
  std::shared_ptr<std::set<std::string>> senders_ = std::make_shared<std::set<std::string>>();
};

}  // namespace community::gateway::api_v1
