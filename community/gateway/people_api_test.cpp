// SPDX-License-Identifier: Apache-2.0
// The HTTP API as a hostile client meets it: every check that stands before a handler, and whole flows through
// requests.
#include "community/audit/factory.hpp"
#include "community/gateway/api_v1/api.hpp"
#include "community/users/test_support/people_world.hpp"

namespace community::gateway {
namespace {

namespace json = core::json;
using infra::HttpRequest;
using infra::HttpResponse;
using infra::Task;
using users::test_support::Device;

// Remembers what it was asked, and answers as a test says.
class FakeApps final : public apps::Apps {
 public:
  Task<apps::Result<apps::Permission>> connect(std::string, apps::ConnectRequest) override {
    co_return apps::fail(apps::ErrorCode::too_many_apps);
  }
  Task<apps::Result<std::vector<apps::Permission>>> permissions(std::string) override {
    co_return std::vector<apps::Permission>();
  }
  Task<apps::Result<void>> disconnect(std::string, std::string) override { co_return apps::Result<void>{}; }
  Task<apps::Result<apps::NewToken>> issue_token(std::string, std::string, std::string, core::Bytes32) override {
    co_return apps::NewToken{};
  }
  Task<apps::Result<void>> note_calls(std::string, std::string, std::string) override {
    co_return apps::Result<void>{};
  }
  Task<apps::Result<transactions::Transaction>> send_calls(apps::AppRequest request) override {
    asked.push_back(std::move(request));
    if (refusal) co_return apps::fail(*refusal);
    transactions::Transaction out;
    out.transaction_id = kCalls;
    co_return out;
  }
  Task<apps::Result<apps::CallsStatus>> calls_status(std::string origin, std::string) override {
    origins.push_back(std::move(origin));
    if (refusal) co_return apps::fail(*refusal);
    apps::CallsStatus out;
    out.transaction.transaction_id = kCalls;
    out.transaction.chain_id = 1'337;
    co_return out;
  }
  static constexpr const char* kCalls = "00000000-0000-4000-8000-0000000000ca";
  std::vector<apps::AppRequest> asked;
  std::vector<std::string> origins;
  std::optional<apps::ErrorCode> refusal;
};

class ApiTest : public users::test_support::PeopleTest {
 protected:
  ApiTest() {
    // The tables of the log beside those of people.
    people.reset();
    database.reset();
    auto opened =
        infra::Database::open(place.options(), {users::user_migrations(), test_tables(), audit::audit_migrations()});
    if (!opened) throw std::runtime_error(opened.error().text());
    database = std::move(*opened);
    audit_log = audit::make_audit_log({*database, *random, clock, loop.executor()});
    people = users::make_users({*database, clock, *random, core, core, journal, mail, key, &metrics}, options());
    api_options.relying_party = {"example.org", "Test node"};
    api_options.origin = kOrigin;
    api_options.limits.requests = {10'000, infra::Milliseconds(60'000)};
    api_options.limits.registrations = {10'000, infra::Milliseconds(60'000)};
    api_options.limits.attempts = {10'000, infra::Milliseconds(60'000)};
    make();
  }

  void make() {
    router = infra::HttpRouter();
    api = make_people_api({*people, *audit_log, clock, [] { return NodeFacts{}; }, nullptr, hub.get(), nullptr, nullptr,
                           &metrics, &fake_apps},
                          api_options);
    api->add_to(router);
  }

  HttpRequest request(std::string method, std::string target, std::string body = {}) const {
    HttpRequest out;
    out.method = std::move(method);
    out.target = std::move(target);
    out.body = std::move(body);
    out.remote = "203.0.113.7";
    if (!out.body.empty()) out.headers.add("content-type", "application/json");
    if (!cookie.empty()) out.headers.add("cookie", "session=" + cookie);
    if (!csrf.empty()) out.headers.add("x-csrf-token", csrf);
    return out;
  }
  HttpResponse send(HttpRequest request) { return wait(router.handle(std::move(request))); }
  HttpResponse send(std::string method, std::string target, std::string body = {}) {
    return send(request(std::move(method), std::move(target), std::move(body)));
  }
  static json::object body_of(const HttpResponse& response) {
    const auto value = core::parse_json(response.content());
    return value && value->is_object() ? value->get_object() : json::object();
  }
  // "code-wrong 400 /field", or the status alone.
  static std::string verdict(const HttpResponse& response) {
    const json::object body = body_of(response);
    const json::value* type = body.if_contains("type");
    if (type == nullptr) return std::to_string(response.status);
    EXPECT_EQ(response.headers.get("content-type"), "application/problem+json");
    EXPECT_EQ(body.at("status").to_number<unsigned>(), response.status);
    constexpr std::string_view kPrefix = "urn:community-node:problem:";
    std::string out(std::string_view(type->get_string()).substr(kPrefix.size()));
    out += " " + std::to_string(response.status);
    if (const json::value* field = body.if_contains("field")) out += " " + std::string(field->get_string());
    return out;
  }

  static std::string base64url(core::ByteView bytes) { return "\"" + core::to_base64url(bytes) + "\""; }
  static std::string credential(const users::NewPasskey& passkey) {
    return "{\"id\":" + base64url(passkey.credential_id) + ",\"rawId\":" + base64url(passkey.credential_id) +
           ",\"type\":\"public-key\",\"authenticatorAttachment\":\"platform\",\"response\":{\"clientDataJSON\":" +
           base64url(passkey.client_data) + ",\"attestationObject\":" + base64url(passkey.attestation_object) +
           ",\"transports\":[\"internal\"],\"publicKeyAlgorithm\":-7},\"clientExtensionResults\":{\"prf\":{\"enabled\":"
           "true}}}";
  }
  static std::string credential(const users::LogInAssertion& assertion) {
    return "{\"id\":" + base64url(assertion.credential_id) + ",\"rawId\":" + base64url(assertion.credential_id) +
           ",\"type\":\"public-key\",\"response\":{\"clientDataJSON\":" + base64url(assertion.client_data) +
           ",\"authenticatorData\":" + base64url(assertion.authenticator_data) +
           ",\"signature\":" + base64url(assertion.signature) + ",\"userHandle\":null},\"clientExtensionResults\":{}}";
  }
  static core::Bytes32 challenge_in(const json::object& options) {
    const auto bytes = core::parse_base64url(std::string_view(options.at("challenge").get_string()), 32).value();
    core::Bytes32 challenge{};
    base::copy(challenge, bytes);
    return challenge;
  }

  // Through requests alone; keeps cookie and CSRF token as a browser would.
  HttpResponse register_over_http(const std::string& email, const Device& device) {
    const HttpResponse asked = send("POST", "/api/v1/registrations", "{\"email\":\"" + email + "\"}");
    EXPECT_EQ(asked.status, 202u) << asked.content();
    const std::string path = "/api/v1/registrations/" + std::string(body_of(asked).at("registrationId").get_string());
    const HttpResponse proven = send("POST", path + "/code", "{\"code\":\"" + mails().back().code + "\"}");
    EXPECT_EQ(proven.status, 200u) << proven.content();
    const auto passkey = device.create(challenge_in(body_of(proven).at("passkey").get_object()));
    const HttpResponse made = send("POST", path + "/passkey",
                                   "{\"credential\":" + credential(passkey) +
                                       ",\"escapeKey\":\"0x00000000000000000000000000000000000000e5\","
                                       "\"deviceName\":\"Telephone\"}");
    EXPECT_EQ(made.status, 201u) << made.content();
    take_session(made);
    return made;
  }
  void take_session(const HttpResponse& response) {
    const std::string set_cookie(response.headers.get("set-cookie"));
    cookie = set_cookie.substr(8, set_cookie.find(';') - 8);
    csrf = std::string(body_of(response).at("csrfToken").get_string());
  }

  static constexpr const char* kOrigin = "https://example.org:8443";
  std::unique_ptr<audit::AuditLog> audit_log;
  ApiOptions api_options;
  std::unique_ptr<notifications::Hub> hub =
      std::make_unique<notifications::Hub>(clock, notifications::HubLimits(), &metrics);
  FakeApps fake_apps;
  std::unique_ptr<PeopleApi> api;
  infra::HttpRouter router;
  std::string cookie, csrf;
};

TEST_F(ApiTest, APersonRegistersLogsOutAndLogsIn) {
  const Device device;
  const HttpResponse made = register_over_http("ada@example.com", device);
  const std::string set_cookie(made.headers.get("set-cookie"));
  EXPECT_NE(set_cookie.find("; HttpOnly; SameSite=Strict; Secure"), std::string::npos) << set_cookie;
  EXPECT_NE(set_cookie.find("; Path=/;"), std::string::npos);
  EXPECT_NE(set_cookie.find("; Max-Age=86400;"), std::string::npos);
  EXPECT_EQ(send("GET", "/api/v1/me").status, 200u);
  EXPECT_EQ(send("GET", "/api/v1/wallets").status, 200u);
  EXPECT_EQ(send("DELETE", "/api/v1/session").status, 204u);
  EXPECT_EQ(verdict(send("GET", "/api/v1/me")), "not-logged-in 401");
  EXPECT_EQ(send("GET", "/api/v1/session").content(), "null");

  cookie.clear();
  csrf.clear();
  const HttpResponse asked = send("POST", "/api/v1/session/challenge", "{}");
  ASSERT_EQ(asked.status, 200u);
  const auto assertion = device.get(challenge_in(body_of(asked)));
  const HttpResponse in = send("POST", "/api/v1/session", "{\"credential\":" + credential(assertion) + "}");
  ASSERT_EQ(in.status, 200u) << in.content();
  take_session(in);
  EXPECT_EQ(body_of(send("GET", "/api/v1/session")).at("csrfToken").get_string(), csrf);
  EXPECT_EQ(verdict(send("POST", "/api/v1/session", "{\"credential\":" + credential(assertion) + "}")),
            "passkey-refused 401");
}

TEST_F(ApiTest, EveryAnswerCarriesTheHeadersThatKeepItPrivate) {
  for (const HttpResponse& response :
       {send("GET", "/api/v1/session"), send("GET", "/api/v1/me"), send("POST", "/api/v1/registrations", "[]"),
        send("POST", "/api/v1/registrations", "{\"email\":\"ada@example.com\"}"), send("GET", "/api/v1/node")}) {
    EXPECT_EQ(response.headers.get("x-content-type-options"), "nosniff");
    EXPECT_EQ(response.headers.get("referrer-policy"), "no-referrer");
    EXPECT_EQ(response.headers.get("cross-origin-resource-policy"), "same-origin");
    EXPECT_EQ(response.headers.get("cache-control"), "no-store");
  }
  EXPECT_EQ(send("GET", "/api/v1/openapi.json").headers.get("content-type"), "application/json");
}

TEST_F(ApiTest, AppsAreAnsweredByOriginAndWithoutCookies) {
  register_over_http("ada@example.com", Device());
  const std::string calls =
      R"({"requestId":"00000000-0000-4000-8000-000000000001","calls":[{"to":"0x1111111111111111111111111111111111111111"}]})";
  const std::string kGame = "https://game.example", path = "/api/v1/apps/calls";
  const auto ask = [&](const std::vector<std::string>& origins, const std::string& method = "POST") {
    HttpRequest out = request(method, method == "GET" ? path + "/" + FakeApps::kCalls : path,
                              method == "POST" ? calls : std::string());
    for (const std::string& origin : origins) out.headers.add("origin", origin);
    out.headers.add("authorization", "Bearer abc");
    return send(std::move(out));
  };
  // A person's cookie and CSRF token come along, and are not looked at.
  const HttpResponse done = ask({kGame});
  EXPECT_EQ(done.status, 202u) << done.content();
  EXPECT_EQ(done.headers.get("access-control-allow-origin"), kGame);
  EXPECT_EQ(done.headers.get("vary"), "origin");
  EXPECT_FALSE(done.headers.find("access-control-allow-credentials"));
  EXPECT_FALSE(done.headers.find("set-cookie"));
  ASSERT_EQ(fake_apps.asked.size(), 1u);
  EXPECT_EQ(fake_apps.asked[0].origin, kGame);
  EXPECT_EQ(fake_apps.asked[0].token, "abc");
  const std::vector<std::vector<std::string>> none{
      {}, {"null"}, {""}, {kGame, kGame}, {kGame, "null"}, {"http://game.example"}, {"https://game.example/"}, {"*"}};
  for (const auto& origins : none)
    for (const char* method : {"POST", "GET", "OPTIONS"}) {
      const HttpResponse refused = ask(origins, method);
      if (std::string_view(method) != "OPTIONS") {
        EXPECT_EQ(verdict(refused), "origin-wrong 403");
      }
      EXPECT_FALSE(refused.headers.find("access-control-allow-origin"));
    }
  EXPECT_EQ(fake_apps.asked.size(), 1u);
  EXPECT_TRUE(fake_apps.origins.empty());
  // What is refused is told to the app's own script, but not with another origin's token.
  fake_apps.refusal = apps::ErrorCode::token_invalid;
  EXPECT_EQ(verdict(ask({kGame})), "token-invalid 401");
  EXPECT_EQ(ask({kGame}).headers.get("access-control-allow-origin"), kGame);
  fake_apps.refusal = apps::ErrorCode::origin_wrong;
  EXPECT_EQ(verdict(ask({kGame})), "origin-wrong 403");
  EXPECT_FALSE(ask({kGame}).headers.find("access-control-allow-origin"));
  fake_apps.refusal.reset();
  const HttpResponse preflight = ask({kGame}, "OPTIONS");
  EXPECT_EQ(preflight.status, 204u);
  EXPECT_EQ(preflight.headers.get("access-control-allow-origin"), kGame);
  EXPECT_EQ(preflight.headers.get("access-control-allow-headers"), "authorization, content-type");
  EXPECT_EQ(body_of(ask({kGame}, "GET")).at("status"), 100);
  // Nothing else of the API is for other origins.
  HttpRequest list = request("GET", "/api/v1/app-permissions");
  list.headers.add("origin", kGame);
  EXPECT_FALSE(send(std::move(list)).headers.find("access-control-allow-origin"));
  HttpRequest connect = request("POST", "/api/v1/app-permissions", "{}");
  connect.headers.add("origin", kGame);
  EXPECT_EQ(verdict(send(std::move(connect))), "origin-wrong 403");
  EXPECT_EQ(verdict(send(
                "POST", "/api/v1/app-permissions",
                R"({"origin":"https://game.example","walletId":"00000000-0000-4000-8000-000000000001","chainId":1})")),
            "too-many-apps 409");
}

TEST_F(ApiTest, NothingChangesWithoutTheSessionsCsrfToken) {
  register_over_http("ada@example.com", Device());
  const std::string mine = csrf;
  for (const std::string& bad : {std::string(), std::string("x"), mine + "A", std::string(43, 'A')}) {
    csrf = bad;
    EXPECT_EQ(verdict(send("PATCH", "/api/v1/me", "{\"username\":\"Eve\"}")), "csrf-token-wrong 403");
    EXPECT_EQ(verdict(send("DELETE", "/api/v1/session")), "csrf-token-wrong 403");
    EXPECT_EQ(verdict(send("POST", "/api/v1/wallets", "{}")), "csrf-token-wrong 403");
  }
  csrf = mine;
  HttpRequest twice = request("PATCH", "/api/v1/me", "{\"username\":\"Eve\"}");
  twice.headers.add("X-CSRF-Token", mine);
  EXPECT_EQ(verdict(send(twice)), "csrf-token-wrong 403");
  EXPECT_EQ(send("PATCH", "/api/v1/me", "{\"username\":\"Ada\"}").status, 200u);
  // Another session's token is of no use.
  const std::string my_cookie = cookie;
  register_over_http("eve@example.com", Device(2));
  cookie = my_cookie;
  EXPECT_EQ(verdict(send("PATCH", "/api/v1/me", "{\"username\":\"Eve\"}")), "csrf-token-wrong 403");
}

TEST_F(ApiTest, OtherPagesMayNotChangeAnythingEvenOnTheSameMachine) {
  register_over_http("ada@example.com", Device());
  for (const char* origin : {"https://evil.example", "https://example.org", "https://example.org:8444", "null",
                             "http://localhost:3000", "https://EXAMPLE.org:8443"}) {
    HttpRequest foreign = request("PATCH", "/api/v1/me", "{\"username\":\"Eve\"}");
    foreign.headers.add("origin", origin);
    EXPECT_EQ(verdict(send(foreign)), "origin-wrong 403") << origin;
    HttpRequest log_in = request("POST", "/api/v1/session/challenge", "{}");
    log_in.headers.add("origin", origin);
    EXPECT_EQ(verdict(send(log_in)), "origin-wrong 403") << origin;
  }
  HttpRequest own = request("PATCH", "/api/v1/me", "{\"username\":\"Ada\"}");
  own.headers.add("origin", kOrigin);
  EXPECT_EQ(send(own).status, 200u);
}

TEST_F(ApiTest, OnlyJsonIsRead) {
  for (const char* type : {"", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
                           "application/json; charset=utf-16", "application/jsonp", "text/plain; application/json"}) {
    HttpRequest other = request("POST", "/api/v1/registrations");
    other.body = "{\"email\":\"ada@example.com\"}";
    if (*type != 0) other.headers.add("content-type", type);
    EXPECT_EQ(verdict(send(other)), "content-type-unsupported 415") << type;
  }
  HttpRequest good = request("POST", "/api/v1/registrations");
  good.body = "{\"email\":\"ada@example.com\"}";
  good.headers.add("content-type", "Application/JSON; charset=UTF-8");
  EXPECT_EQ(send(good).status, 202u);
}

TEST_F(ApiTest, ABadBodyIsNamedAndChangesNothing) {
  const auto post = [this](const std::string& body) { return verdict(send("POST", "/api/v1/registrations", body)); };
  EXPECT_EQ(post("{"), "malformed-request 400");
  EXPECT_EQ(post("[]"), "malformed-request 400");
  EXPECT_EQ(post("null"), "malformed-request 400");
  EXPECT_EQ(post("{\"email\":\"a@b.cd\",\"email\":\"e@f.gh\"}"), "malformed-request 400");
  EXPECT_EQ(post("{\"email\":\"a@b.cd\"} x"), "malformed-request 400");
  EXPECT_EQ(post("{\"email\":\"\xff\"}"), "malformed-request 400");
  EXPECT_EQ(post("{}"), "field-invalid 400 /email");
  EXPECT_EQ(post("{\"email\":7}"), "field-invalid 400 /email");
  EXPECT_EQ(post("{\"email\":null}"), "field-invalid 400 /email");
  EXPECT_EQ(post("{\"email\":\"a@b.cd\",\"is/admin~\":true}"), "field-invalid 400 /is~1admin~0");
  EXPECT_EQ(post("{\"email\":\"a@b.cd\",\"username\":\"\"}"), "field-invalid 400 /username");
  EXPECT_EQ(post("{\"email\":\"a@b.cd\",\"username\":\"" + std::string(10'000, 'a') + "\"}"),
            "field-invalid 400 /username");
  EXPECT_EQ(post("{\"email\":\"" + std::string(70'000, 'a') + "\"}"), "body-too-large 413");
  EXPECT_EQ(post(std::string(200, '[') + std::string(200, ']')), "malformed-request 400");
  EXPECT_EQ(rows("registrations"), 0);
  HttpRequest with_body = request("DELETE", "/api/v1/session", "{}");
  EXPECT_EQ(verdict(send(with_body)), "malformed-request 400");
}

TEST_F(ApiTest, AnIdInAPathIsAUuidOrNothing) {
  register_over_http("ada@example.com", Device());
  for (const char* id : {"x", "..", "%2e%2e", "1%27%20OR%20%271%27=%271", "0F8FAD5B-D9CB-469F-A165-70867728950E",
                         "0f8fad5b-d9cb-469f-a165-70867728950e"})
    EXPECT_EQ(verdict(send("GET", std::string("/api/v1/wallets/") + id)), "not-found 404") << id;
}

TEST_F(ApiTest, CredentialsAreReadStrictly) {
  const auto post = [this](const std::string& credential) {
    return verdict(send("POST", "/api/v1/session", "{\"credential\":" + credential + "}"));
  };
  const std::string good = credential(Device().get(core::Bytes32{}));
  EXPECT_EQ(post(good), "passkey-refused 401");
  EXPECT_EQ(post("{}"), "field-invalid 400 /credential/rawId");
  EXPECT_EQ(post("7"), "field-invalid 400 /credential");
  const auto with = [&good](const std::string& from, const std::string& to) {
    std::string changed = good;
    return changed.replace(changed.find(from), from.size(), to);
  };
  EXPECT_EQ(post(with("\"type\":\"public-key\"", "\"type\":\"password\"")), "field-invalid 400 /credential/type");
  EXPECT_EQ(post(with("\"id\":\"", "\"id\":\"AA")), "field-invalid 400 /credential/id");
  EXPECT_EQ(post(with("\"signature\":\"", "\"signature\":\"=")), "field-invalid 400 /credential/response/signature");
  EXPECT_EQ(post(with("\"signature\":\"", "\"signature\":\"" + std::string(400, 'A'))),
            "field-invalid 400 /credential/response/signature");
  EXPECT_EQ(post(with("\"clientDataJSON\":\"", "\"clientDataJSON\":\"" + std::string(8'000, 'A'))),
            "field-invalid 400 /credential/response/clientDataJSON");
  EXPECT_EQ(post(with("\"userHandle\":null", "\"userHandle\":[]")),
            "field-invalid 400 /credential/response/userHandle");
}

TEST_F(ApiTest, WhoAsksTooOftenWaitsAndOthersDoNot) {
  api_options.limits.requests = {5, infra::Milliseconds(60'000)};
  api_options.limits.registrations = {2, infra::Milliseconds(60 * 60'000)};
  api_options.trusted_proxies = {*users::AddressRange::parse("10.0.0.1")};
  const std::string secret = "a key of a shop";
  api_options.keys = {{"shop", base::sha256(base::view(secret)), {3, infra::Milliseconds(60'000)}}};
  make();
  for (int i = 0; i < 2; i++) send("POST", "/api/v1/registrations", "{\"email\":\"ada@example.com\"}");
  const HttpResponse third = send("POST", "/api/v1/registrations", "{\"email\":\"ada@example.com\"}");
  EXPECT_EQ(verdict(third), "too-many-requests 429");
  EXPECT_EQ(third.headers.get("retry-after"), "1800");
  EXPECT_EQ(body_of(third).at("retryAfterSeconds").to_number<int>(), 1'800);
  for (int i = 0; i < 2; i++) EXPECT_EQ(send("GET", "/api/v1/session").status, 200u);
  EXPECT_EQ(send("GET", "/api/v1/session").status, 429u);

  // Behind the proxy there are others; a field that a client writes itself changes nothing.
  HttpRequest other = request("GET", "/api/v1/session");
  other.remote = "10.0.0.1";
  other.headers.add("x-forwarded-for", "198.51.100.9");
  EXPECT_EQ(send(other).status, 200u);
  HttpRequest liar = request("GET", "/api/v1/session");
  liar.headers.add("x-forwarded-for", "198.51.100.10");
  EXPECT_EQ(send(liar).status, 429u);

  HttpRequest shop = request("GET", "/api/v1/session");
  shop.headers.add("authorization", "Bearer " + secret);
  for (int i = 0; i < 3; i++) EXPECT_EQ(send(shop).status, 200u);
  EXPECT_EQ(send(shop).status, 429u);
  HttpRequest guess = request("GET", "/api/v1/session");
  guess.headers.add("authorization", "Bearer a key of a shoq");
  EXPECT_EQ(send(guess).status, 429u) << "no key, so it is counted by its address";
  clock.advance(infra::Milliseconds(60'000));
  EXPECT_EQ(send("GET", "/api/v1/session").status, 200u);
}

TEST_F(ApiTest, AnApiKeyLogsNobodyIn) {
  const std::string secret = "a key of a shop";
  api_options.keys = {{"shop", base::sha256(base::view(secret)), {30, infra::Milliseconds(60'000)}}};
  make();
  HttpRequest shop = request("GET", "/api/v1/me");
  shop.headers.add("authorization", "Bearer " + secret);
  EXPECT_EQ(verdict(send(shop)), "not-logged-in 401");
}

TEST_F(ApiTest, ACookieThatWasChosenByAnotherIsNobodysSession) {
  std::uint8_t number = 0;
  for (const std::string& bad : {std::string("x"), std::string(43, 'A'), std::string(10'000, 'A'), std::string("\"")}) {
    cookie = bad;
    EXPECT_EQ(verdict(send("GET", "/api/v1/me")), "not-logged-in 401");
    // A log-in makes a token of its own, whatever was there before.
    const Device device(++number);
    register_over_http("p" + std::to_string(number) + "@example.com", device);
    EXPECT_NE(cookie, bad);
  }
  // Two cookies of the name: nobody knows whose is whose.
  HttpRequest two = request("GET", "/api/v1/me");
  EXPECT_EQ(send(two).status, 200u);
  two.headers.add("cookie", "session=" + std::string(43, 'A'));
  EXPECT_EQ(verdict(send(two)), "not-logged-in 401");
}

TEST_F(ApiTest, ProfileWalletsPasskeysAndSessionsThroughRequests) {
  register_over_http("ada@example.com", Device());
  EXPECT_EQ(verdict(send("PATCH", "/api/v1/me", "{\"phoneNumber\":\"12\"}")), "field-invalid 400 /phoneNumber");
  EXPECT_TRUE(body_of(send("PATCH", "/api/v1/me", "{\"username\":null}")).at("username").is_null());
  const HttpResponse made = send("POST", "/api/v1/wallets",
                                 "{\"escapeKey\":\"0x00000000000000000000000000000000000000e6\",\"requestId\":"
                                 "\"0f8fad5b-d9cb-469f-a165-70867728950e\",\"alias\":\"Savings\"}");
  ASSERT_EQ(made.status, 201u) << made.content();
  const std::string wallet(body_of(made).at("walletId").get_string());
  const json::object changed =
      body_of(send("PATCH", "/api/v1/wallets/" + wallet, "{\"isPrimary\":true,\"recoveryFileSaved\":true}"));
  EXPECT_TRUE(changed.at("isPrimary").get_bool());
  EXPECT_EQ(verdict(send("PATCH", "/api/v1/wallets/" + wallet, "{\"isPrimary\":false}")),
            "field-invalid 400 /isPrimary");
  EXPECT_EQ(verdict(send("POST", "/api/v1/wallets",
                         "{\"escapeKey\":\"0x00\",\"requestId\":\"0f8fad5b-d9cb-469f-a165-70867728950f\"}")),
            "field-invalid 400 /escapeKey");
  const json::object passkeys = body_of(send("GET", "/api/v1/passkeys"));
  const std::string passkey(passkeys.at("passkeys").get_array()[0].get_object().at("passkeyId").get_string());
  EXPECT_EQ(send("PATCH", "/api/v1/passkeys/" + passkey, "{\"name\":\"\u0e01\u0e38\u0e0d\u0e41\u0e08\"}").status, 200u);
  const json::object sessions = body_of(send("GET", "/api/v1/sessions"));
  EXPECT_TRUE(sessions.at("sessions").get_array()[0].get_object().at("current").get_bool());
  EXPECT_EQ(send("GET", "/api/v1/activity?limit=1").status, 200u);
  for (const char* bad : {"limit=0", "limit=101", "limit=x", "before=0", "before=-1", "limit="})
    EXPECT_EQ(verdict(send("GET", std::string("/api/v1/activity?") + bad)), "malformed-request 400") << bad;
  EXPECT_EQ(send("DELETE", "/api/v1/sessions").status, 204u);
}

TEST_F(ApiTest, ABrowserKeepsWhatItIsKnownByUnderANameThatNobodyElseCanSet) {
  const Device device;
  const HttpResponse made = register_over_http("ada@example.com", device);
  std::string known;
  for (std::size_t i = 0; i < made.headers.size(); i++) {
    const std::string_view value = made.headers.value(i);
    if (made.headers.name(i) == "set-cookie" && value.starts_with("__Host-device=")) known = value;
  }
  EXPECT_NE(known.find("; Max-Age=34560000; Path=/; HttpOnly; SameSite=Strict; Secure"), std::string::npos) << known;
  const std::string token = known.substr(14, 43);
  const auto log_in = [&](const std::string& cookies) {
    const auto challenge = challenge_in(body_of(send("POST", "/api/v1/session/challenge", "{}")));
    HttpRequest asked =
        request("POST", "/api/v1/session", "{\"credential\":" + credential(device.get(challenge)) + "}");
    asked.headers.add("cookie", cookies);
    EXPECT_EQ(send(asked).status, 200u);
  };
  cookie.clear();
  csrf.clear();
  log_in("__Host-device=" + token);
  EXPECT_NE(details().back().find("\"newDevice\":false"), std::string::npos) << details().back();
  // A name without the prefix could be of another host of the domain; two are nobody's.
  log_in("device=" + token);
  EXPECT_NE(details().back().find("\"newDevice\":true"), std::string::npos);
  log_in("__Host-device=" + token + "; __Host-device=" + std::string(43, 'A'));
  EXPECT_NE(details().back().find("\"newDevice\":true"), std::string::npos);
}

TEST_F(ApiTest, LiveEventsNeedASessionAndHaveTheirLimits) {
  EXPECT_EQ(verdict(send("GET", "/api/v1/events")), "not-logged-in 401");
  register_over_http("ada@example.com", Device());
  const HttpResponse stream = send("GET", "/api/v1/events");
  ASSERT_EQ(stream.status, 200u);
  EXPECT_EQ(stream.headers.get("content-type"), "text/event-stream");
  EXPECT_EQ(stream.headers.get("cache-control"), "no-store");
  EXPECT_EQ(stream.headers.get("x-content-type-options"), "nosniff");
  std::vector<HttpResponse> more;
  for (int i = 1; i < 12; i++) more.push_back(send("GET", "/api/v1/events"));
  EXPECT_EQ(hub->streams(), 12u);
  const HttpResponse refused = send("GET", "/api/v1/events");
  EXPECT_EQ(verdict(refused), "too-many-requests 429");
  EXPECT_EQ(refused.headers.get("retry-after"), "15");
  more.pop_back();
  EXPECT_EQ(send("GET", "/api/v1/events").status, 200u);
}

TEST_F(ApiTest, WithoutWebPushThereIsNoKeyAndNothingToSubscribeTo) {
  register_over_http("ada@example.com", Device());
  EXPECT_EQ(send("GET", "/api/v1/push").content(), "{\"publicKey\":null,\"subscriptions\":[]}");
  EXPECT_EQ(verdict(send("POST", "/api/v1/push/subscriptions", "{}")), "push-unavailable 409");
  EXPECT_EQ(send("DELETE", "/api/v1/push/subscriptions").status, 204u);
  EXPECT_EQ(verdict(send("DELETE", "/api/v1/push/subscriptions/0f8fad5b-d9cb-469f-a165-70867728950e")),
            "not-found 404");
}

TEST_F(ApiTest, APathThatIsNotThereIsAProblem) {
  for (const char* path : {"/api", "/api/", "/api/v1/nothing", "/api/v2/me"})
    EXPECT_EQ(verdict(send("GET", path)), "not-found 404") << path;
  const HttpResponse other = send("PUT", "/api/v1/me", "{}");
  EXPECT_EQ(verdict(other), "method-not-allowed 405");
  EXPECT_EQ(other.headers.get("allow"), "GET, PATCH");
  EXPECT_EQ(other.headers.get("x-content-type-options"), "nosniff");
  EXPECT_EQ(send("GET", "/apiary").headers.get("content-type"), "text/plain; charset=utf-8");
}

}  // namespace
}  // namespace community::gateway
