// SPDX-License-Identifier: Apache-2.0
// Pages hear what is theirs, in order, again after a break, or are told to reread; over real HTTP too.
#include <gtest/gtest.h>

#include <set>

#include "community/infra/api/http_server.hpp"
#include "community/infra/factory.hpp"
#include "community/infra/fake/clock.hpp"
#include "community/notifications/api/live.hpp"
#include "community/notifications/api/policy.hpp"

namespace community::notifications {
namespace {

using infra::Milliseconds;

class HubTest : public testing::Test {
 protected:
  std::unique_ptr<LiveStream> open(const std::string& user, std::optional<std::uint64_t> last = {},
                                   const std::string& session = "s") {
    return hub->subscribe(user, session, last).value();
  }
  void tell(const std::string& user, int number) { hub->publish(user, "WalletUsed", {{"number", number}}); }
  // What waits in the stream now.
  std::vector<LiveEvent> waiting(LiveStream& stream) {
    std::vector<LiveEvent> events;
    auto test = [&]() -> Task<void> {
      for (;;) {
        auto event = co_await stream.next(clock, clock.steady());
        if (!event) co_return;
        events.push_back(std::move(*event));
      }
    };
    loop.block_on(test());
    return events;
  }
  std::vector<std::string> data(LiveStream& stream) {
    std::vector<std::string> texts;
    for (const LiveEvent& event : waiting(stream)) texts.push_back(event.name == "reread" ? "reread" : event.data);
    return texts;
  }

  infra::EventLoop loop;
  infra::FakeClock clock;
  infra::Metrics metrics;
  HubLimits limits;
  std::unique_ptr<Hub> hub = std::make_unique<Hub>(clock, limits, &metrics);
};

using Texts = std::vector<std::string>;

TEST_F(HubTest, APageHearsWhatIsItsPersonsAlone) {
  const auto alice = open("alice"), again = open("alice"), bob = open("bob");
  tell("alice", 1);
  tell("bob", 2);
  tell("alice", 3);
  tell("carol", 4);
  EXPECT_EQ(data(*alice), (Texts{"{\"number\":1}", "{\"number\":3}"}));
  EXPECT_EQ(data(*again), (Texts{"{\"number\":1}", "{\"number\":3}"}));
  EXPECT_EQ(data(*bob), (Texts{"{\"number\":2}"}));
}

TEST_F(HubTest, APageThatComesBackHearsWhatItMissed) {
  auto page = open("alice");
  tell("alice", 1);
  tell("bob", 2);
  const std::uint64_t last = waiting(*page).back().id;
  page.reset();
  tell("alice", 3);
  tell("bob", 4);
  tell("alice", 5);
  page = open("alice", last);
  const auto events = waiting(*page);
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[0].data, "{\"number\":3}");
  EXPECT_EQ(events[1].data, "{\"number\":5}");
  EXPECT_GT(events[1].id, events[0].id);
  // Another person's id is a place in time, not a key: nothing of theirs is told.
  EXPECT_EQ(data(*open("carol", last)), Texts{});
}

TEST_F(HubTest, WhatIsNoLongerKnownIsReread) {
  limits.kept = 4;
  hub = std::make_unique<Hub>(clock, limits);
  auto page = open("alice");
  tell("alice", 0);
  const std::uint64_t first = waiting(*page).back().id;
  for (int i = 1; i <= 4; i++) tell("alice", i);
  EXPECT_EQ(data(*open("alice", first)).size(), 4u);
  tell("alice", 5);
  EXPECT_EQ(data(*open("alice", first)), Texts{"reread"});
  EXPECT_EQ(data(*open("alice", 0)), Texts{"reread"});
  EXPECT_EQ(data(*open("alice", UINT64_MAX)), Texts{"reread"});
  page.reset();
  // After a restart: ids of before are older than everything that is known.
  clock.advance(Milliseconds(1'000));
  hub = std::make_unique<Hub>(clock, limits);
  EXPECT_EQ(data(*open("alice", first + 5)), Texts{"reread"});
}

TEST_F(HubTest, APageThatDoesNotReadIsToldToReread) {
  limits.queued = 3;
  hub = std::make_unique<Hub>(clock, limits);
  const auto page = open("alice");
  for (int i = 0; i < 4; i++) tell("alice", i);
  const auto events = waiting(*page);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].name, "reread");
  tell("alice", 4);
  EXPECT_EQ(data(*page), Texts{"{\"number\":4}"});
  // From the id that came with it, nothing is told twice.
  EXPECT_EQ(data(*open("alice", events[0].id)), Texts{"{\"number\":4}"});
}

TEST_F(HubTest, StreamsAreBoundedForAPersonAndInAll) {
  limits.streams_of_user = 2;
  limits.streams = 3;
  hub = std::make_unique<Hub>(clock, limits, &metrics);
  auto one = open("alice");
  const auto two = open("alice"), three = open("bob");
  EXPECT_EQ(hub->subscribe("alice", "s", {}).error().code, ErrorCode::streams_full);
  one.reset();
  EXPECT_EQ(hub->streams(), 2u);
  const auto four = open("bob");
  EXPECT_EQ(hub->subscribe("carol", "s", {}).error().code, ErrorCode::streams_full);
  limits.streams = 10;
  Hub roomy(clock, limits);
  const auto five = roomy.subscribe("bob", "s", {}).value(), six = roomy.subscribe("bob", "s", {}).value();
  EXPECT_EQ(roomy.subscribe("bob", "s", {}).error().code, ErrorCode::streams_of_user_full);
}

TEST_F(HubTest, ARevokedSessionEndsItsPages) {
  const auto here = open("alice", {}, "laptop"), there = open("alice", {}, "phone"), bob = open("bob");
  tell("alice", 1);
  hub->end_session("phone");
  EXPECT_TRUE(there->ended());
  EXPECT_EQ(data(*there), Texts{});
  EXPECT_EQ(data(*here).size(), 1u);
  hub->end_user("alice");
  EXPECT_TRUE(here->ended());
  EXPECT_FALSE(bob->ended());
  hub->end_all();
  EXPECT_TRUE(bob->ended());
}

TEST_F(HubTest, TheAuditLogsEntriesAreToldAsThePolicyHasIt) {
  const auto page = open("alice");
  const auto listener = live_listener(*hub);
  audit::Entry entry;
  entry.subject = "alice";
  for (const char* event : {"TransactionBroadcast", "PayloadsErased", "SomethingNewer", "PasskeyAdded"}) {
    entry.event = event;
    EXPECT_TRUE(loop.block_on(listener(entry)));
  }
  entry.subject.clear();
  EXPECT_TRUE(loop.block_on(listener(entry)));
  const auto events = waiting(*page);
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[0].name, "TransactionBroadcast");
  EXPECT_EQ(events[1].name, "PasskeyAdded");
}

TEST_F(HubTest, ARevokedSessionsPageHearsNothingMoreAndTheOthersHearOfIt) {
  const auto gone = open("alice", {}, "0f8fad5b"), other = open("alice", {}, "7d444840");
  const auto listener = live_listener(*hub);
  audit::Entry entry;
  entry.sequence = 7;
  entry.subject = "alice";
  entry.event = "SessionRevoked";
  entry.payload = audit::Payload{{}, R"({"sessionId":"0f8fad5b"})"};
  EXPECT_TRUE(loop.block_on(listener(entry)));
  EXPECT_TRUE(gone->ended());
  EXPECT_FALSE(other->ended());
  const auto events = waiting(*other);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].data,
            "{\"sequence\":7,\"time\":\"1970-01-01T00:00:00.000Z\",\"event\":\"SessionRevoked\","
            "\"details\":{\"sessionId\":\"0f8fad5b\"}}");
  entry.event = "UserDeleted";
  EXPECT_TRUE(loop.block_on(listener(entry)));
  EXPECT_TRUE(other->ended());
}

TEST(Policy, MailTellsWhatAThiefWouldDo) {
  using E = audit::EventName;
  for (const E event : {E::passkey_added, E::passkey_removed, E::account_frozen, E::change_queued, E::recovery_started,
                        E::escape_started, E::phrase_exported}) {
    EXPECT_TRUE(ways_of(event).mail.has_value()) << audit::name(event);
    EXPECT_TRUE(ways_of(event).push) << audit::name(event);
  }
  EXPECT_TRUE(ways_of(E::user_authenticated).mail_for_new_device_only);
  for (std::size_t i = 0; i < audit::kEventNames; i++) {
    const Ways ways = ways_of(static_cast<E>(i));
    // What is worth a notice is worth a line on the page.
    EXPECT_TRUE(!ways.push || ways.live) << audit::kEventWords[i];
  }
  // Nobody who is not known yet, or not any more, is told.
  EXPECT_FALSE(ways_of(E::user_deleted).live);
}

// A writer that keeps what it is given and hangs up when told.
class FakeWriter final : public infra::BodyWriter {
 public:
  Task<bool> write(std::string piece) override {
    co_await infra::reschedule();
    text += piece;
    pieces.set();
    co_return open;
  }
  std::string text;
  infra::Event pieces;
  bool open = true;
};

TEST_F(HubTest, HeartbeatsHourAndHangingUpEndAStream) {
  FakeWriter writer;
  StreamOptions options;
  options.heartbeat = Milliseconds(1'000);
  options.longest = Milliseconds(2'500);
  auto response = stream_live_events(*hub, clock, "alice", "s", "", options).value();
  EXPECT_EQ(response.headers.get("Content-Type"), "text/event-stream");
  auto test = [&]() -> Task<void> {
    infra::TaskGroup group(co_await boost::asio::this_coro::executor);
    group.spawn(response.stream(writer));
    for (const int step : {1'000, 1'000, 500}) {
      co_await clock.wait_for_sleepers(1);
      clock.advance(Milliseconds(step));
      writer.pieces.reset();
      co_await writer.pieces.wait();
    }
    co_await group.join();
  };
  loop.block_on(test());
  const std::string beat = ": still here\n\n";
  EXPECT_EQ(writer.text, "retry: 3000\n\n" + beat + beat + beat);
  response = {};
  EXPECT_EQ(hub->streams(), 0u);
  writer.open = false;
  writer.text.clear();
  auto gone = stream_live_events(*hub, clock, "alice", "s", "x", options).value();
  loop.block_on(gone.stream(writer));
  EXPECT_EQ(writer.text, "retry: 3000\n\n");
}

TEST_F(HubTest, APageReadsItOverHttp) {
  tell("alice", 0);
  const auto before = open("alice");
  tell("alice", 1);
  const std::uint64_t last = waiting(*before).back().id - 1;
  infra::HttpServerOptions options;
  infra::HttpHandler handler = [&](infra::HttpRequest request) -> Task<infra::HttpResponse> {
    auto response = stream_live_events(*hub, clock, "alice", "s", request.headers.get("Last-Event-ID"));
    if (!response) co_return infra::http_text(503, response.error().text());
    co_return std::move(*response);
  };
  infra::HttpServer server(loop, options, handler);
  ASSERT_TRUE(server.start());
  const auto client = infra::make_http_client({});
  infra::HttpCall call;
  call.url = "http://127.0.0.1:" + std::to_string(server.port()) + "/";
  call.headers.add("Last-Event-ID", std::to_string(last));
  infra::Result<infra::HttpResponse> answer = infra::fail(infra::ErrorCode::closed);
  auto fetch = [&]() -> Task<void> {
    auto got = co_await client->send(std::move(call));
    answer = std::move(got);
  };
  auto test = [&]() -> Task<void> {
    infra::TaskGroup group(co_await boost::asio::this_coro::executor);
    group.spawn(fetch());
    // The page's own stream, and then it waits for more.
    co_await clock.wait_for_sleepers(1);
    tell("alice", 2);
    while (clock.sleepers() > 0) co_await infra::reschedule();
    co_await clock.wait_for_sleepers(1);
    hub->end_user("alice");
    co_await group.join();
    co_await server.stop();
  };
  loop.block_on(test());
  ASSERT_TRUE(answer) << answer.error().text();
  EXPECT_EQ(answer->headers.get("Content-Type"), "text/event-stream");
  EXPECT_EQ(answer->content(), "retry: 3000\n\nid: " + std::to_string(last + 1) +
                                   "\nevent: WalletUsed\ndata: {\"number\":1}\n\nid: " + std::to_string(last + 2) +
                                   "\nevent: WalletUsed\ndata: {\"number\":2}\n\n");
}

}  // namespace
}  // namespace community::notifications
