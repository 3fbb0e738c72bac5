// SPDX-License-Identifier: Apache-2.0
// Web push: the vectors of RFC 8291, a receiver on loopback whose requests another implementation reads, and what push
// services answer.
#include <gtest/gtest.h>
#include <soci/soci.h>
#include <sys/stat.h>

#include <fstream>

#include "community/core/base64url.hpp"
#include "community/infra/api/files.hpp"
#include "community/infra/api/http_server.hpp"
#include "community/infra/factory.hpp"
#include "community/infra/fake/clock.hpp"
#include "community/infra/fake/http_client.hpp"
#include "community/infra/fake/temporary_directory.hpp"
#include "community/infra/fake/test_database.hpp"
#include "community/notifications/factory.hpp"
#include "community/notifications/push_crypto.hpp"

namespace community::notifications {
namespace {

namespace json = core::json;

const std::string kAlice = "4f1c2f0a-8d3e-4a51-9f0e-1f2d3c4b5a69";
const std::string kBob = "9a7d3b52-0c41-4d7e-b0a3-5f1e2d3c4b5a";

template <std::size_t N>
std::array<std::uint8_t, N> bytes(std::string_view base64url) {
  const auto read = core::parse_base64url(base64url, N).value();
  std::array<std::uint8_t, N> out{};
  if (read.size() != N) throw std::runtime_error("not of its length");
  std::copy(read.begin(), read.end(), out.begin());
  return out;
}

// RFC 8291, section 5 and appendix A.
const std::string kRfcSender = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw";
const std::string kRfcSenderPublic =
    "BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8";
const std::string kRfcBrowser = "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94";
const std::string kRfcBrowserPublic =
    "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
const std::string kRfcAuth = "BTBZMqHH6r4Tts7J_aSIgg";
const std::string kRfcSalt = "DGv6ra1nlYgDCS1FRnbzlw";
const std::string kRfcShared = "kyrL1jIIOHEzg3sM2ZWRHDRB62YACZhhSlknJ672kSs";
const std::string kRfcBody =
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl"
    "7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN";

TEST(PushCrypto, EqualsTheVectorsOfRfc8291) {
  const auto sender = P256Key::from_secret(bytes<32>(kRfcSender)),
             browser = P256Key::from_secret(bytes<32>(kRfcBrowser));
  ASSERT_TRUE(sender && browser);
  EXPECT_EQ(core::to_base64url(sender->public_key()), kRfcSenderPublic);
  EXPECT_EQ(core::to_base64url(browser->public_key()), kRfcBrowserPublic);
  EXPECT_EQ(core::to_base64url(*sender->ecdh(browser->public_key())), kRfcShared);
  EXPECT_EQ(core::to_base64url(*browser->ecdh(sender->public_key())), kRfcShared);
  const auto body = encrypt_push("When I grow up, I want to be a watermelon", browser->public_key(),
                                 bytes<16>(kRfcAuth), *sender, bytes<16>(kRfcSalt));
  ASSERT_TRUE(body);
  EXPECT_EQ(core::to_base64url(*body), kRfcBody);
}

TEST(PushCrypto, RefusesKeysThatAreNoneAndTextsThatDoNotFit) {
  Bytes32 secret{};
  EXPECT_FALSE(P256Key::from_secret(secret));
  secret.fill(0xff);
  EXPECT_FALSE(P256Key::from_secret(secret));
  const auto sender = P256Key::from_secret(bytes<32>(kRfcSender)).value();
  auto point = bytes<65>(kRfcBrowserPublic);
  const auto encrypt = [&](std::size_t size) {
    return encrypt_push(std::string(size, 'x'), point, bytes<16>(kRfcAuth), sender, bytes<16>(kRfcSalt));
  };
  ASSERT_TRUE(encrypt(kMaxPushBytes));
  EXPECT_EQ(encrypt(kMaxPushBytes)->size(), 4'096u);
  EXPECT_FALSE(encrypt(kMaxPushBytes + 1));
  point[64] ^= 1;
  EXPECT_FALSE(encrypt(1));
  point = {};
  EXPECT_FALSE(encrypt(1));
}

TEST(PushEndpoint, IsAPlainHttpsAddressOfAName) {
  const auto read = parse_push_endpoint("https://fcm.googleapis.com/fcm/send/abc:def-_~%20?x=1");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->origin, "https://fcm.googleapis.com");
  EXPECT_EQ(read->host, "fcm.googleapis.com");
  for (const char* url : {"",
                          "https://",
                          "http://fcm.googleapis.com/x",
                          "https://fcm.googleapis.com",
                          "https://fcm.googleapis.com:443/x",
                          "https://user@fcm.googleapis.com/x",
                          "https://fcm.googleapis.com@evil.example/x",
                          "https://FCM.googleapis.com/x",
                          "https://fcm.googleapis.com./x",
                          "https://127.0.0.1/x",
                          "https://2130706433/x",
                          "https://[::1]/x",
                          "https://localhost/x",
                          "https://fcm.googleapis.com/a b",
                          "https://fcm.googleapis.com/\r\nHost: evil",
                          "https://fcm.googleapis.com/#x",
                          "https://fcm.googleapis.com\\@evil.example/x",
                          "https:///x",
                          "https://.com/x",
                          "https://a..com/x",
                          "https://-a.com/x",
                          "file:///etc/passwd",
                          "https://f\xc3\xa4.com/x"})
    EXPECT_EQ(parse_push_endpoint(url).error().code, ErrorCode::endpoint_syntax) << url;
  EXPECT_EQ(parse_push_endpoint("https://a.com/" + std::string(1'024, 'x')).error().code, ErrorCode::endpoint_syntax);
}

TEST(PushEndpoint, OnlyPushServicesAreCalled) {
  const std::vector<std::string> services{"fcm.googleapis.com", "notify.windows.com"};
  EXPECT_TRUE(is_push_service("fcm.googleapis.com", services));
  EXPECT_TRUE(is_push_service("wns2-par02p.notify.windows.com", services));
  for (const char* host : {"googleapis.com", "evilfcm.googleapis.com.evil.example", "xfcm.googleapis.com",
                           "notify.windows.com.evil.example", "windows.com", ""})
    EXPECT_FALSE(is_push_service(host, services)) << host;
  EXPECT_FALSE(is_push_service("anything", std::vector<std::string>{""}));
}

json::object browser_says(const std::string& endpoint = "https://fcm.googleapis.com/fcm/send/abc") {
  json::object keys;
  keys["p256dh"] = kRfcBrowserPublic;
  keys["auth"] = kRfcAuth;
  json::object says;
  says["endpoint"] = endpoint;
  says["expirationTime"] = nullptr;
  says["keys"] = keys;
  return says;
}

TEST(PushSubscription, ReadsWhatBrowsersGive) {
  const auto read = parse_push_subscription(browser_says());
  ASSERT_TRUE(read);
  EXPECT_EQ(read->p256dh, bytes<65>(kRfcBrowserPublic));
  EXPECT_EQ(read->auth, bytes<16>(kRfcAuth));
  const auto code = [](const char* member, const json::value& value) {
    json::object says = browser_says();
    if (std::string_view(member) == "endpoint") {
      says[member] = value;
    } else {
      says["keys"].as_object()[member] = value;
    }
    return parse_push_subscription(says).error().code;
  };
  EXPECT_EQ(code("endpoint", 1), ErrorCode::endpoint_syntax);
  EXPECT_EQ(code("endpoint", "http://a.com/"), ErrorCode::endpoint_syntax);
  std::string off = kRfcBrowserPublic;
  off[20] = off[20] == 'A' ? 'B' : 'A';
  for (const json::value& value : {json::value(off), json::value("BA"), json::value(kRfcBrowserPublic + "A"),
                                   json::value(kRfcBrowserPublic + "="), json::value(nullptr)})
    EXPECT_EQ(code("p256dh", value), ErrorCode::subscription_key) << value;
  for (const json::value& value : {json::value("BA"), json::value(kRfcAuth + "AA"), json::value(5)})
    EXPECT_EQ(code("auth", value), ErrorCode::subscription_auth) << value;
  EXPECT_EQ(parse_push_subscription({}).error().code, ErrorCode::endpoint_syntax);
}

class PushTest : public testing::Test {
 protected:
  PushTest() {
    options.contact = "mailto:operator@example.org";
    options.services = {"fcm.googleapis.com"};
    options.key_file = folder.path() / "push-vapid.key";
    database = infra::Database::open(place.options(), {audit::audit_migrations(), notification_migrations()}).value();
    open(fake);
  }
  ~PushTest() override {
    push.reset();
    database.reset();
  }

  void open(infra::HttpClient& client) {
    push = make_push({*database, clock, *random, client, loop.executor(), &metrics}, options).value();
  }
  template <class F>
  auto write(F work) {
    using T = std::invoke_result_t<F&, soci::session&>;
    auto task = [&]() -> Task<infra::Result<T>> { co_return co_await database->write(work); };
    return loop.block_on(task()).value();
  }
  Result<std::string> subscribe(const std::string& user, const std::string& endpoint) {
    const auto read = parse_push_subscription(browser_says(endpoint)).value();
    auto keep = [&](soci::session& sql) -> infra::Result<Result<std::string>> {
      auto done = push->subscribe(sql, user, read, clock.now_ms());
      // As a caller would: what was refused changes nothing.
      if (!done) {
        refused = done.error().code;
        return infra::fail(infra::ErrorCode::malformed);
      }
      return done;
    };
    auto task = [&]() -> Task<infra::Result<Result<std::string>>> {
      auto done = co_await database->write(keep);
      if (!done) co_return infra::Result<Result<std::string>>(fail(*refused));
      co_return infra::Result<Result<std::string>>(std::move(*done));
    };
    return loop.block_on(task()).value();
  }
  std::string endpoint(int number) { return "https://fcm.googleapis.com/fcm/send/" + std::to_string(number); }
  std::size_t queue(const std::string& user, std::int64_t life_ms = 60'000, std::size_t size = 5) {
    PushMessage message;
    message.payload["event"] = std::string(size, 'x');
    message.urgent = true;
    message.now_ms = clock.now_ms();
    message.expires_ms = message.now_ms + life_ms;
    return write([&](soci::session& sql) { return push->queue(sql, user, message); }).value();
  }
  long long rows(const std::string& table) {
    return write([&](soci::session& sql) {
      long long count = 0;
      sql << "SELECT COUNT(*) FROM " + table, soci::into(count);
      return count;
    });
  }
  // Runs until the table of notices holds so many.
  void run_until(long long notices) {
    auto count = [](soci::session& sql) {
      long long found = 0;
      sql << "SELECT COUNT(*) FROM notifications_notices", soci::into(found);
      return found;
    };
    auto test = [&]() -> Task<void> {
      infra::TaskGroup group(co_await boost::asio::this_coro::executor);
      group.spawn(push->run());
      for (;;) {
        const auto found = co_await database->read(count);
        if (found.value() == notices) break;
        co_await infra::sleep_real(infra::Milliseconds(1));
      }
      group.cancel();
      co_await group.join();
    };
    loop.block_on(test());
  }
  void answer(unsigned status, const std::string& retry_after = {}) {
    infra::HttpResponse response;
    response.status = status;
    if (!retry_after.empty()) response.headers.add("Retry-After", retry_after);
    fake.answer(response);
  }

  infra::TestDatabase place;
  infra::TemporaryDirectory folder;
  infra::EventLoop loop;
  infra::FakeClock clock;
  infra::Metrics metrics;
  std::unique_ptr<infra::Random> random = infra::make_system_random();
  infra::FakeHttpClient fake;
  PushOptions options;
  std::optional<ErrorCode> refused;
  std::unique_ptr<infra::Database> database;
  std::unique_ptr<Push> push;
};

TEST_F(PushTest, AnotherImplementationReadsWhatAPushServiceGets) {
  infra::HttpServerOptions server_options;
  std::optional<infra::HttpRequest> got;
  infra::HttpHandler handler = [&](infra::HttpRequest request) -> Task<infra::HttpResponse> {
    got = std::move(request);
    co_return infra::http_text(201, "");
  };
  infra::HttpServer server(loop, server_options, handler);
  ASSERT_TRUE(server.start());
  const auto client = infra::make_http_client({});
  options.test_receiver = "http://127.0.0.1:" + std::to_string(server.port());
  open(*client);
  ASSERT_TRUE(subscribe(kAlice, endpoint(1)));
  ASSERT_EQ(queue(kAlice, 60'000), 1u);
  run_until(0);
  loop.block_on(server.stop());
  ASSERT_TRUE(got);
  EXPECT_EQ(got->method, "POST");
  EXPECT_EQ(got->target, "/fcm/send/1");
  EXPECT_EQ(got->headers.get("Content-Encoding"), "aes128gcm");
  EXPECT_EQ(got->headers.get("TTL"), "60");
  EXPECT_EQ(got->headers.get("Urgency"), "high");
  EXPECT_EQ(got->body.find("xxxxx"), std::string::npos);
  json::object request;
  request["secret"] = core::to_plain_hex(bytes<32>(kRfcBrowser));
  request["auth"] = core::to_plain_hex(bytes<16>(kRfcAuth));
  request["body"] = core::to_plain_hex(base::view(got->body));
  request["authorization"] = std::string(got->headers.get("Authorization"));
  request["audience"] = "https://fcm.googleapis.com";
  request["publicKey"] = push->public_key();
  request["nowS"] = clock.now_s();
  const std::string file = (folder.path() / "request.json").string();
  std::ofstream(file) << json::serialize(request);
  const std::string script = std::string(COMMUNITY_SOURCE_DIR) + "/community/notifications/test_support/read_push.py";
  FILE* pipe = ::popen(("python3 " + script + " " + file + " 2>&1").c_str(), "r");
  ASSERT_NE(pipe, nullptr);
  std::string output;
  char buffer[1'024];
  while (std::fgets(buffer, sizeof buffer, pipe) != nullptr) output += buffer;
  EXPECT_EQ(::pclose(pipe), 0);
  EXPECT_EQ(output, "{\"event\":\"xxxxx\"}\n");
  EXPECT_EQ(metrics.counter("community_pushes_total", "", {{"result", "taken"}}).value(), 1);
}

TEST_F(PushTest, EveryBrowserOfThePersonGetsItAndNobodyElses) {
  for (int i = 0; i < 3; i++) ASSERT_TRUE(subscribe(kAlice, endpoint(i)));
  ASSERT_TRUE(subscribe(kBob, endpoint(9)));
  EXPECT_EQ(queue(kAlice), 3u);
  fake.answer_with([](const infra::HttpCall&) { return infra::http_text(201, ""); });
  run_until(0);
  ASSERT_EQ(fake.calls.size(), 3u);
  std::vector<std::string> bodies;
  for (const infra::HttpCall& call : fake.calls) {
    EXPECT_NE(call.url, endpoint(9));
    bodies.push_back(call.body);
  }
  // Fresh keys and salts for each.
  EXPECT_NE(bodies[0], bodies[1]);
  EXPECT_NE(bodies[0].substr(0, 86), bodies[1].substr(0, 86));
  EXPECT_EQ(queue("11111111-1111-4111-8111-111111111111"), 0u);
}

TEST_F(PushTest, ASubscriptionThatIsGoneIsRemoved) {
  for (const unsigned status : {404u, 410u}) {
    ASSERT_TRUE(subscribe(kAlice, endpoint(1)));
    queue(kAlice);
    queue(kAlice);
    answer(status);
    answer(status);
    run_until(0);
    EXPECT_EQ(rows("notifications_subscriptions"), 0) << status;
  }
}

TEST_F(PushTest, AServiceThatIsBusyIsAskedLaterAsItWishes) {
  ASSERT_TRUE(subscribe(kAlice, endpoint(1)));
  queue(kAlice, 10 * 60'000);
  answer(429, "120");
  answer(503);
  answer(201);
  auto test = [&]() -> Task<void> {
    infra::TaskGroup group(co_await boost::asio::this_coro::executor);
    group.spawn(push->run());
    co_await clock.wait_for_sleepers(1);
    EXPECT_EQ(fake.calls.size(), 1u);
    clock.advance(infra::Milliseconds(119'999));
    co_await clock.wait_for_sleepers(1);
    EXPECT_EQ(fake.calls.size(), 1u);
    clock.advance(infra::Milliseconds(1));
    while (fake.calls.size() < 2) co_await infra::reschedule();
    // Without a wish of its own: the node's pause, which grows.
    co_await clock.wait_for_sleepers(1);
    clock.advance(infra::Milliseconds(10'000));
    while (fake.calls.size() < 3) co_await infra::reschedule();
    group.cancel();
    co_await group.join();
  };
  loop.block_on(test());
  run_until(0);
  EXPECT_EQ(fake.calls.size(), 3u);
  EXPECT_EQ(rows("notifications_subscriptions"), 1);
}

TEST_F(PushTest, WhatAServiceRefusesIsDroppedAndNoRedirectionIsFollowed) {
  ASSERT_TRUE(subscribe(kAlice, endpoint(1)));
  for (const unsigned status : {301u, 400u, 403u, 413u}) {
    queue(kAlice);
    answer(status);
    run_until(0);
  }
  EXPECT_EQ(fake.calls.size(), 4u);
  EXPECT_EQ(rows("notifications_subscriptions"), 1);
}

TEST_F(PushTest, WhatExpiredIsNotSent) {
  ASSERT_TRUE(subscribe(kAlice, endpoint(1)));
  queue(kAlice, 60'000);
  clock.advance(infra::Milliseconds(60'000));
  run_until(0);
  EXPECT_TRUE(fake.calls.empty());
}

TEST_F(PushTest, OnlyConfiguredServicesAreCalledAlsoAfterTheConfigurationChanged) {
  EXPECT_EQ(subscribe(kAlice, "https://evil.example/x").error().code, ErrorCode::endpoint_not_allowed);
  EXPECT_EQ(rows("notifications_subscriptions"), 0);
  ASSERT_TRUE(subscribe(kAlice, endpoint(1)));
  queue(kAlice);
  options.services = {"notify.windows.com"};
  open(fake);
  run_until(0);
  EXPECT_TRUE(fake.calls.empty());
  EXPECT_EQ(rows("notifications_subscriptions"), 0);
}

TEST_F(PushTest, ABrowserBelongsToWhomeverSubscribedLast) {
  ASSERT_TRUE(subscribe(kAlice, endpoint(1)));
  queue(kAlice);
  ASSERT_TRUE(subscribe(kBob, endpoint(1)));
  // What was for the one is not told to the other.
  EXPECT_EQ(rows("notifications_notices"), 0);
  EXPECT_EQ(queue(kAlice), 0u);
  EXPECT_EQ(queue(kBob), 1u);
  const auto devices = loop.block_on(push->devices(kBob)).value();
  ASSERT_EQ(devices.size(), 1u);
  EXPECT_EQ(devices[0].service, "fcm.googleapis.com");
  EXPECT_TRUE(loop.block_on(push->devices(kAlice))->empty());
}

TEST_F(PushTest, SubscriptionsAndNoticesAreBounded) {
  for (std::size_t i = 0; i < kMaxSubscriptions; i++) ASSERT_TRUE(subscribe(kAlice, endpoint(static_cast<int>(i))));
  EXPECT_EQ(subscribe(kAlice, endpoint(99)).error().code, ErrorCode::subscriptions_full);
  // The same browser again is no ninth.
  EXPECT_TRUE(subscribe(kAlice, endpoint(3)));
  EXPECT_EQ(rows("notifications_subscriptions"), 8);
  options.max_waiting = 20;
  open(fake);
  EXPECT_EQ(queue(kAlice) + queue(kAlice), 16u);
  EXPECT_EQ(queue(kAlice), 0u);
  PushMessage large;
  large.payload["event"] = std::string(kMaxPushBytes, 'x');
  large.expires_ms = 1;
  EXPECT_EQ(write([&](soci::session& sql) { return push->queue(sql, kAlice, large); }).error().code,
            ErrorCode::payload_too_large);
}

TEST_F(PushTest, APersonEndsTheirOwnSubscriptionsAlone) {
  const std::string id = subscribe(kAlice, endpoint(1)).value();
  queue(kAlice);
  EXPECT_FALSE(write([&](soci::session& sql) { return push->unsubscribe(sql, kBob, id); }));
  EXPECT_FALSE(write([&](soci::session& sql) { return push->unsubscribe(sql, "", id); }));
  EXPECT_TRUE(write([&](soci::session& sql) { return push->unsubscribe(sql, kAlice, id); }));
  EXPECT_EQ(rows("notifications_notices"), 0);
  ASSERT_TRUE(subscribe(kAlice, endpoint(1)));
  ASSERT_TRUE(subscribe(kBob, endpoint(2)));
  write([&](soci::session& sql) { return push->forget(sql, kAlice), 0; });
  EXPECT_EQ(rows("notifications_subscriptions"), 1);
}

TEST_F(PushTest, TheKeyIsMadeOnceAndKeptPrivate) {
  const std::string key = push->public_key();
  EXPECT_EQ(core::parse_base64url(key, 65)->size(), 65u);
  struct stat status {};
  ASSERT_EQ(::stat(options.key_file.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  open(fake);
  EXPECT_EQ(push->public_key(), key);
  const auto fails = [&] {
    return make_push({*database, clock, *random, fake, loop.executor()}, options).error().code;
  };
  ASSERT_EQ(::chmod(options.key_file.c_str(), 0640), 0);
  EXPECT_EQ(fails(), ErrorCode::key_file);
  ASSERT_EQ(::chmod(options.key_file.c_str(), 0600), 0);
  std::ofstream(options.key_file) << std::string(64, '0') << "\n";
  EXPECT_EQ(fails(), ErrorCode::key_file);
  std::ofstream(options.key_file) << "no key\n";
  EXPECT_EQ(fails(), ErrorCode::key_file);
}

TEST_F(PushTest, AConfigurationThatCannotWorkIsRefused) {
  const auto read = [&](const std::string& toml) {
    return push_options(infra::Config::load(infra::standard_config_schema(), toml).value(), folder.path());
  };
  EXPECT_FALSE(read("").value().has_value());
  EXPECT_EQ(read("[push]\ncontact = \"operator\"\n").error().code, ErrorCode::option_malformed);
  const auto whole = read("[push]\ncontact = \"mailto:operator@example.org\"\n").value();
  ASSERT_TRUE(whole);
  EXPECT_EQ(whole->services.size(), 4u);
  options = *whole;
  options.services.push_back("https://evil.example");
  EXPECT_EQ(make_push({*database, clock, *random, fake, loop.executor()}, options).error().code,
            ErrorCode::option_malformed);
}

TEST_F(PushTest, EntriesOfTheAuditLogAreToldAsThePolicyHasIt) {
  ASSERT_TRUE(subscribe(kAlice, endpoint(1)));
  const auto listener = push_listener(*database, *push);
  audit::Entry entry;
  entry.subject = kAlice;
  entry.time_ms = clock.now_ms();
  entry.sequence = 7;
  for (const char* event : {"PasskeyAdded", "WalletUsed", "SomethingNewer"}) {
    entry.event = event;
    EXPECT_TRUE(loop.block_on(listener(entry)));
  }
  entry.event = "PasskeyAdded";
  entry.subject.clear();
  EXPECT_TRUE(loop.block_on(listener(entry)));
  EXPECT_EQ(rows("notifications_notices"), 1);
  answer(201);
  run_until(0);
  EXPECT_EQ(fake.calls.at(0).headers.get("Urgency"), "high");
}

}  // namespace
}  // namespace community::notifications
