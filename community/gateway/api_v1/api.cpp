// SPDX-License-Identifier: Apache-2.0
#include "community/gateway/api_v1/api.hpp"

#include "community/apps/api/origin.hpp"
#include "community/core/uuid.hpp"
#include "community/gateway/api_v1/cookie.hpp"
#include "community/infra/api/log.hpp"
#include "trusted/base/sha2.hpp"

namespace community::gateway::api_v1 {
namespace {

// Depth of the deepest request, a credential's extension results, and some room.
constexpr std::size_t kMaxDepth = 16;
constexpr std::size_t kMaxApiKey = 256;

Problem problem(unsigned status, const char* rule, const char* title, std::string detail) {
  Problem out;
  out.status = status;
  out.rule = rule;
  out.title = title;
  out.detail = std::move(detail);
  return out;
}

bool changes(std::string_view method) { return method != "GET" && method != "HEAD"; }
bool takes_body(std::string_view method) { return method == "POST" || method == "PATCH" || method == "PUT"; }

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  return out;
}

// application/json, alone or with the only character set that JSON has (RFC 8259, section 8.1).
bool is_json(std::string_view content_type) {
  std::string text = lower(content_type);
  std::erase_if(text, [](char c) { return c == ' ' || c == '\t'; });
  return text == "application/json" || text == "application/json;charset=utf-8" ||
         text == "application/json;charset=\"utf-8\"";
}

std::vector<std::string_view> values_of(const infra::HttpHeaders& headers, std::string_view name) {
  std::vector<std::string_view> values;
  for (std::size_t i = 0; i < headers.size(); i++)
    if (lower(headers.name(i)) == name) values.push_back(headers.value(i));
  return values;
}

// Not to be kept by caches, and with Retry-After where it says when.
HttpResponse to_response(const Problem& problem) {
  HttpResponse response = infra::http_text(problem.status, to_json_text(problem), "application/problem+json");
  if (problem.retry_after_s) response.headers.add("retry-after", std::to_string(*problem.retry_after_s));
  return response;
}

// What people send and get is nobody else's: no cache keeps it, no frame shows it, no other site reads it.
void add_security_headers(HttpResponse& response) {
  if (!response.headers.find("cache-control")) response.headers.add("cache-control", "no-store");
  response.headers.add("x-content-type-options", "nosniff");
  response.headers.add("referrer-policy", "no-referrer");
  response.headers.add("cross-origin-resource-policy", "same-origin");
  response.headers.add("cross-origin-opener-policy", "same-origin");
  response.headers.add("cross-origin-embedder-policy", "require-corp");
  response.headers.add("content-security-policy", "default-src 'none'; frame-ancestors 'none'");
}

// The CORS protocol (Fetch standard, section 3.3): without Access-Control-Allow-Credentials no cookie comes with it.
void allow_origin(HttpResponse& response, const std::string& origin) {
  response.headers.add("vary", "origin");
  if (origin.empty()) return;
  response.headers.add("access-control-allow-origin", origin);
  response.headers.add("access-control-expose-headers", "retry-after");
}

}  // namespace

HttpResponse refuse_path(unsigned status, std::string_view allowed) {
  Problem why = not_found();
  if (status == 405) {
    why = problem(405, "method-not-allowed", "This path takes another method.", "it takes " + std::string(allowed));
  } else {
    why.detail = "GET /api/v1/openapi.json describes every path";
  }
  HttpResponse response = to_response(why);
  add_security_headers(response);
  return response;
}

Api::Api(users::Users& users, infra::Clock& clock, ApiOptions options, infra::Metrics* metrics)
    : users_(users), clock_(clock), options_(std::move(options)), metrics_(metrics) {}

void Api::add(infra::HttpRouter& router, std::string method, std::string pattern, Access access, Cost cost,
              CallHandler handler, std::size_t max_body, Body body) {
  const bool with_body = body != Body::by_method || takes_body(method);
  const auto route = std::make_shared<const Route>(
      Route{method, access, cost, std::move(handler), max_body, with_body, body == Body::raw});
  router.add(method, pattern, [this, route](HttpRequest request, infra::HttpRouter::Parameters parameters) {
    return serve(route, std::move(request), std::move(parameters));
  });
  if (max_body > kLargeBody)
    large_bodies_.push_back(
        {method, pattern, max_body, [this, route](const HttpRequest& head) { return admit(route, head); }});
  if (access == Access::app)
    router.add("OPTIONS", pattern, [this](HttpRequest request) { return answer_preflight(std::move(request)); });
}

// A preflight carries no token yet: it says what may be asked, and nothing of anybody.
Task<HttpResponse> Api::answer_preflight(HttpRequest request) {
  Call call;
  call.request = std::move(request);
  HttpResponse response;
  response.status = 204;
  const bool is_app = check_app_origin(call).has_value();
  if (is_app) {
    response.headers.add("access-control-allow-methods", "GET, POST");
    response.headers.add("access-control-allow-headers", "authorization, content-type");
    response.headers.add("access-control-max-age", "600");
    // A page from elsewhere may ask for a node on this machine (Private Network Access).
    if (call.request.headers.get("access-control-request-private-network") == "true")
      response.headers.add("access-control-allow-private-network", "true");
  }
  allow_origin(response, is_app ? call.app_origin : std::string());
  add_security_headers(response);
  co_return response;
}

Task<HttpResponse> Api::serve(std::shared_ptr<const Route> route, HttpRequest request,
                              infra::HttpRouter::Parameters parameters) {
  Call call;
  call.request = std::move(request);
  call.parameters = std::move(parameters);
  call.client = client_of(call.request);
  auto answered = co_await answer(*route, call);
  if (!answered) co_return refuse(*route, answered.error(), call.app_origin);
  HttpResponse response = std::move(*answered);
  if (route->access == Access::app) allow_origin(response, call.app_origin);
  add_security_headers(response);
  co_return response;
}

HttpResponse Api::refuse(const Route& route, const Problem& problem, const std::string& app_origin) {
  if (metrics_ != nullptr)
    metrics_
        ->counter("community_api_problems_total", "Requests to the HTTP API that were answered with a problem.",
                  {{"rule", problem.rule}})
        .add();
  HttpResponse response = to_response(problem);
  if (route.access == Access::app) allow_origin(response, app_origin);
  add_security_headers(response);
  return response;
}

users::Client Api::client_of(const HttpRequest& request) const {
  users::Client client;
  client.address =
      users::client_address(request.remote, values_of(request.headers, "x-forwarded-for"), options_.trusted_proxies);
  return client;
}

// Most large bodies are there by then; the server cuts those that take two minutes.
constexpr std::int64_t kLargeBodyWait_s = 15;

std::shared_ptr<void> Api::take_place(const std::string& user_id) {
  if (!senders_->insert(user_id).second) return nullptr;
  return {senders_.get(), [senders = senders_, user_id](void*) { senders->erase(user_id); }};
}

// The same checks once more when the body is there: the session may have ended meanwhile. So it counts as two requests.
Task<infra::HttpAdmission> Api::admit(std::shared_ptr<const Route> route, const HttpRequest& head) {
  Call call;
  call.request = head;
  call.client = client_of(head);
  auto good = check_rate(*route, call);
  if (good) good = check_origin(*route, call);
  if (good) {
    auto known = co_await identify(*route, call);
    good = std::move(known);
  }
  infra::HttpAdmission admission;
  if (good && call.identity) {
    // Two that come slowly would keep everybody else out.
    admission.place = take_place(user_of(call));
    if (!admission.place) {
      users::Error busy;
      busy.code = users::ErrorCode::too_many_requests;
      busy.message = "another large request of this person is on its way";
      busy.retry_after_s = kLargeBodyWait_s;
      good = tl::unexpected(to_problem(busy));
    }
  }
  if (!good) admission.refusal = refuse(*route, good.error(), {});
  co_return admission;
}

Task<Result<HttpResponse>> Api::answer(const Route& route, Call& call) {
  if (auto good = check_rate(route, call); !good) co_return tl::unexpected(good.error());
  if (route.access == Access::app)
    if (auto good = check_app_origin(call); !good) co_return tl::unexpected(good.error());
  for (const auto& [name, value] : call.parameters)
    if (!core::parse_uuid(value)) co_return tl::unexpected(not_found());
  if (auto good = check_origin(route, call); !good) co_return tl::unexpected(good.error());
  if (auto good = read_body(route, call); !good) co_return tl::unexpected(good.error());
  if (auto good = co_await identify(route, call); !good) co_return tl::unexpected(good.error());
  co_return co_await route.handler(call);
}

Result<void> Api::take(const std::string& name, const users::Rate& rate) {
  const std::int64_t wait_s = rates_.take(name, rate, clock_.steady());
  if (wait_s == 0) return {};
  users::Error error;
  error.code = users::ErrorCode::too_many_requests;
  error.retry_after_s = wait_s;
  return tl::unexpected(to_problem(error));
}

const ApiKey* Api::api_key(const HttpRequest& request) const {
  constexpr std::string_view kScheme = "bearer ";
  const std::string_view value = request.headers.get("authorization");
  if (value.size() <= kScheme.size() || value.size() > kMaxApiKey || lower(value.substr(0, kScheme.size())) != kScheme)
    return nullptr;
  const core::Bytes32 hash = base::sha256(base::view(value.substr(kScheme.size())));
  for (const ApiKey& key : options_.keys)
    if (base::equal_constant_time(key.hash, hash)) return &key;
  return nullptr;
}

// A program with a key has its own bucket for everything.
Result<void> Api::check_rate(const Route& route, const Call& call) {
  if (const ApiKey* key = api_key(call.request)) return take("key " + key->name, key->rate);
  const std::string network = users::client_network(call.client.address);
  if (auto good = take("request " + network, options_.limits.requests); !good) return good;
  if (route.cost == Cost::registration) return take("registration " + network, options_.limits.registrations);
  if (route.cost == Cost::attempt) return take("attempt " + network, options_.limits.attempts);
  return {};
}

// Browsers name the origin of whatever changes something. Another port of this machine is another origin, though it is
// of the same site and gets the cookie.
Result<void> Api::check_origin(const Route& route, Call& call) const {
  if (route.access == Access::app || !changes(call.request.method)) return {};
  const auto origins = values_of(call.request.headers, "origin");
  if (origins.empty() || (origins.size() == 1 && origins[0] == options_.origin)) return {};
  return tl::unexpected(problem(403, "origin-wrong", "The request comes from another page.",
                                "this node's page is at " + options_.origin));
}

// Browsers name the origin of every request to another one; a page without an origin of its own says "null".
Result<void> Api::check_app_origin(Call& call) {
  const auto origins = values_of(call.request.headers, "origin");
  if (origins.size() != 1 || !apps::is_app_origin(origins[0]))
    return tl::unexpected(problem(403, "origin-wrong", "The request names no origin of an app.",
                                  "a page with https, or of this machine, asks with its Origin"));
  call.app_origin = origins[0];
  return {};
}

Result<void> Api::read_body(const Route& route, Call& call) const {
  const std::string& body = call.request.body;
  if (body.size() > route.max_body)
    return tl::unexpected(
        problem(413, "body-too-large", "The request is too large.", std::to_string(route.max_body) + " bytes at most"));
  if (!route.takes_body) {
    if (body.empty()) return {};
    return tl::unexpected(malformed_request("this path takes no body"));
  }
  const auto types = values_of(call.request.headers, "content-type");
  if (types.size() != 1 || !is_json(types[0]))
    return tl::unexpected(
        problem(415, "content-type-unsupported", "The request is not JSON.", "send Content-Type: application/json"));
  if (route.is_raw) return {};
  core::JsonLimits limits;
  limits.max_bytes = route.max_body;
  limits.max_depth = kMaxDepth;
  auto value = core::parse_json(body, limits);
  if (!value) return tl::unexpected(malformed_request(std::string(name(value.error().code))));
  if (!value->is_object()) return tl::unexpected(malformed_request("an object is expected"));
  call.body = std::move(value->get_object());
  return {};
}

Task<Result<void>> Api::identify(const Route& route, Call& call) {
  if (route.access == Access::app) co_return Result<void>{};
  const auto cookies = values_of(call.request.headers, "cookie");
  call.token = cookie_token(cookies, kSessionCookie);
  call.client.device_token = cookie_token(cookies, is_secure() ? kSecureDeviceCookie : kDeviceCookie);
  if (route.access == Access::open) co_return Result<void>{};
  auto identity = co_await users_.identify(call.token);
  if (!identity) co_return tl::unexpected(to_problem(identity.error()));
  call.identity = std::move(*identity);
  const std::string& user_id = user_of(call);
  if (auto good = take("person " + user_id, options_.limits.person); !good) co_return good;
  if (route.cost == Cost::export_)
    if (auto good = take("export " + user_id, options_.limits.exports); !good) co_return good;
  if (!changes(call.request.method)) co_return Result<void>{};
  const auto tokens = values_of(call.request.headers, "x-csrf-token");
  const std::string expected = users_.csrf_token(call.token);
  if (tokens.size() == 1 && base::equal_constant_time(base::view(tokens[0]), base::view(expected)))
    co_return Result<void>{};
  co_return tl::unexpected(
      problem(403, "csrf-token-wrong", "X-CSRF-Token is not the session's.", "GET /api/v1/session tells it"));
}

// Everything but a page without TLS, which browsers allow passkeys on localhost alone.
bool Api::is_secure() const { return options_.origin.starts_with("https://"); }

std::string Api::cookie(std::string_view name, std::string_view value, std::int64_t life_s) const {
  return std::string(name) + "=" + std::string(value) + "; Max-Age=" + std::to_string(life_s) +
         "; Path=/; HttpOnly; SameSite=Strict" + (is_secure() ? "; Secure" : "");
}

void Api::add_cookies(HttpResponse& response, const users::NewSession& session) const {
  const std::int64_t life_s = (session.session.expires_ms - session.session.created_ms) / 1'000;
  response.headers.add("set-cookie", cookie(kSessionCookie, session.token, life_s));
  response.headers.add("set-cookie", cookie(is_secure() ? kSecureDeviceCookie : kDeviceCookie, session.device_token,
                                            users::kDeviceLife.count() / 1'000));
}

void Api::end_cookies(HttpResponse& response) const {
  response.headers.add("set-cookie", ended_cookie());
  response.headers.add("set-cookie", cookie(is_secure() ? kSecureDeviceCookie : kDeviceCookie, {}, 0));
}

std::string Api::ended_cookie() const { return cookie(kSessionCookie, {}, 0); }

}  // namespace community::gateway::api_v1
