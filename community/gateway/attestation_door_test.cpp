// SPDX-License-Identifier: Apache-2.0
// GET /api/v1/attestation with a core that takes its time on a clock of the test.
#include <gtest/gtest.h>

#include "community/attestation/api/quote.hpp"
#include "community/core/json.hpp"
#include "community/gateway/factory.hpp"
#include "community/infra/fake/clock.hpp"

namespace community::gateway {
namespace {

using core::Bytes32;
using infra::HttpResponse;
using infra::Milliseconds;
using infra::Task;

constexpr Milliseconds kQuoteTime{500};

class FakeCore final : public keys::AttestingCore {
 public:
  explicit FakeCore(infra::Clock& clock) : clock_(clock) {}

  Task<keys::Result<keys::Attestation>> attest(Bytes32 challenge) override {
    most = std::max(most, ++running);
    struct Leave {
      std::size_t& count;
      ~Leave() { count--; }
    } leave{running};
    started.push_back(clock_.steady());
    challenges.push_back(challenge);
    co_await clock_.sleep_for(kQuoteTime);
    if (error) co_return tl::unexpected(*error);
    keys::Attestation answer;
    answer.statement.challenge = challenge;
    answer.statement.epoch = 7;
    answer.statement.body = static_cast<std::uint8_t>(protocol::Body::process);
    if (quoting) {
      answer.statement.body = static_cast<std::uint8_t>(protocol::Body::optee_qemu);
      answer.statement.protection = static_cast<std::uint8_t>(protocol::Protection::emulated);
      protocol::Quote quote;
      quote.signature_size = protocol::kQuoteKeyBytes;
      quote.exponent = 65'537;
      quote.modulus.fill(0xa1);
      quote.signature.fill(0xb2);
      quote.measurement.fill(0xc3);
      answer.quotes.emplace(quote, quote);
      answer.quotes->second.measurement.fill(0xd4);
    }
    co_return answer;
  }

  bool quoting = false;
  std::optional<keys::Error> error;
  std::size_t running = 0, most = 0;
  std::vector<infra::SteadyTime> started;
  std::vector<Bytes32> challenges;

 private:
  infra::Clock& clock_;
};

class AttestationDoorTest : public ::testing::Test {
 protected:
  static infra::HttpRequest request(const std::string& query) {
    infra::HttpRequest made;
    made.target = "/api/v1/attestation" + query;
    return made;
  }
  static infra::HttpRequest challenge(std::uint8_t byte) {
    Bytes32 bytes{};
    bytes.fill(byte);
    return request("?challenge=" + core::to_plain_hex(bytes));
  }
  // The answer to a request that the clock lets through.
  HttpResponse get(infra::HttpRequest asked) {
    auto test = [this](infra::HttpRequest one) -> Task<HttpResponse> {
      std::optional<HttpResponse> answer;
      infra::TaskGroup group(loop.executor());
      group.spawn(store(std::move(one), answer));
      while (!answer) {
        clock.advance(Milliseconds(100));
        for (int turn = 0; turn < 20; turn++) co_await infra::reschedule();
      }
      co_await group.join();
      co_return std::move(*answer);
    };
    return loop.block_on(test(std::move(asked)));
  }
  Task<void> store(infra::HttpRequest asked, std::optional<HttpResponse>& answer) {
    answer = co_await handler(std::move(asked));
  }
  static std::string rule(const HttpResponse& response) {
    const auto body = core::parse_json(response.body);
    return body ? std::string(body->as_object().at("error").as_string()) : response.body;
  }
  static std::string header(const HttpResponse& response, std::string_view name) {
    return std::string(response.headers.get(name));
  }

  infra::EventLoop loop;
  infra::FakeClock clock;
  FakeCore core_{clock};
  std::unique_ptr<AttestationDoor> door = make_attestation_door(core_, clock);
  infra::HttpHandler handler = door->handler();
};

TEST_F(AttestationDoorTest, AnswersTheQuoteOfThisChallenge) {
  core_.quoting = true;
  const HttpResponse response = get(challenge(0x5a));
  EXPECT_EQ(response.status, 200u);
  EXPECT_EQ(header(response, "content-type"), "application/json");
  EXPECT_EQ(header(response, "cache-control"), "no-store");
  const auto document = attestation::parse_quote(response.content());
  ASSERT_TRUE(document) << document.error().text();
  Bytes32 expected;
  expected.fill(0x5a);
  EXPECT_EQ(document->statement.challenge, expected);
  EXPECT_EQ(document->statement.epoch, 7u);
  ASSERT_TRUE(document->quotes);
  EXPECT_EQ(document->quotes->key.modulus, core::Bytes(384, 0xa1));
  EXPECT_EQ(document->quotes->key.exponent, 65'537u);
  EXPECT_EQ(document->quotes->application.signature, core::Bytes(384, 0xb2));
  EXPECT_EQ(document->quotes->application.measurement[0], 0xc3);
  EXPECT_EQ(document->quotes->system.measurement[31], 0xd4);
}

TEST_F(AttestationDoorTest, ABodyWithoutQuotesIsAnsweredAsSuch) {
  const HttpResponse response = get(challenge(1));
  EXPECT_EQ(response.status, 200u);
  const auto document = attestation::parse_quote(response.content());
  ASSERT_TRUE(document) << document.error().text();
  EXPECT_FALSE(document->quotes);
}

TEST_F(AttestationDoorTest, NoAnswerServesTwoChallenges) {
  const HttpResponse first = get(challenge(1)), second = get(challenge(2)), again = get(challenge(1));
  EXPECT_NE(first.body, second.body);
  EXPECT_EQ(core_.challenges.size(), 3u) << "the same challenge is asked again too";
}

TEST_F(AttestationDoorTest, WhatIsNoChallengeIsRefusedByNameAndNotAsked) {
  const std::string good(64, 'a');
  for (const std::string& query : {std::string(), std::string("?"), "?Challenge=" + good, "?x=" + good}) {
    const HttpResponse response = get(request(query));
    EXPECT_EQ(response.status, 400u) << query;
    EXPECT_EQ(rule(response), "challenge_missing") << query;
  }
  for (const std::string& value : {std::string(), good.substr(2), good + "aa", good.substr(1), "g" + good.substr(1),
                                   good + "%00", std::string("0x"), std::string(20'000, 'a'), "%22" + good.substr(3)}) {
    const HttpResponse response = get(request("?challenge=" + value));
    EXPECT_EQ(response.status, 400u) << value;
    EXPECT_EQ(rule(response), "challenge_malformed") << value;
    EXPECT_EQ(header(response, "cache-control"), "no-store");
  }
  EXPECT_TRUE(core_.started.empty());
  EXPECT_EQ(get(request("?challenge=0x" + good)).status, 200u);
}

TEST_F(AttestationDoorTest, OneAtATimeAndAShortQueue) {
  auto test = [this]() -> Task<void> {
    std::array<std::optional<HttpResponse>, 8> answers;
    infra::TaskGroup group(loop.executor());
    for (std::size_t i = 0; i < answers.size(); i++)
      group.spawn(store(challenge(static_cast<std::uint8_t>(i)), answers[i]));
    for (int turn = 0; turn < 50; turn++) co_await infra::reschedule();
    // Five have a place; three are sent away at once, with a time to come back.
    EXPECT_EQ(core_.running, 1u);
    for (std::size_t i = 0; i < 5; i++) EXPECT_FALSE(answers[i]) << i;
    for (std::size_t i = 5; i < answers.size(); i++) {
      EXPECT_TRUE(answers[i]) << i;
      if (!answers[i]) continue;
      EXPECT_EQ(answers[i]->status, 503u);
      EXPECT_EQ(rule(*answers[i]), "attestation_busy");
      EXPECT_GE(std::stoi(header(*answers[i], "retry-after")), 1);
    }
    while (group.size() > 0) {
      clock.advance(Milliseconds(100));
      for (int turn = 0; turn < 20; turn++) co_await infra::reschedule();
    }
    co_await group.join();
    for (std::size_t i = 0; i < 5; i++) EXPECT_EQ(answers[i]->status, 200u) << i;
  };
  loop.block_on(test());
  EXPECT_EQ(core_.most, 1u);
  ASSERT_EQ(core_.challenges.size(), 5u);
  for (std::size_t i = 0; i < 5; i++) EXPECT_EQ(core_.challenges[i][0], i) << "in the order they came";
  // In the queue's order, and the core has three quarters of the time for itself.
  for (std::size_t i = 1; i < 5; i++) EXPECT_GE(core_.started[i] - core_.started[i - 1], 4 * kQuoteTime) << i;
  EXPECT_EQ(get(challenge(9)).status, 200u) << "the places are free again";
}

TEST_F(AttestationDoorTest, WhoeverGoesAwayLeavesThePlaceButNotTheRest) {
  auto test = [this]() -> Task<void> {
    std::optional<HttpResponse> running, waiting, patient;
    infra::TaskGroup gone(loop.executor()), staying(loop.executor());
    gone.spawn(store(challenge(1), running));
    gone.spawn(store(challenge(2), waiting));
    staying.spawn(store(challenge(3), patient));
    for (int turn = 0; turn < 50; turn++) co_await infra::reschedule();
    gone.cancel();
    co_await gone.join();
    while (staying.size() > 0) {
      clock.advance(Milliseconds(100));
      for (int turn = 0; turn < 20; turn++) co_await infra::reschedule();
    }
    co_await staying.join();
    EXPECT_TRUE(patient && patient->status == 200u);
    // Known from the last answer: a question that nobody waits for counts as long.
    infra::TaskGroup again(loop.executor());
    again.spawn(store(challenge(4), running));
    clock.advance(4 * kQuoteTime);
    for (int turn = 0; turn < 50; turn++) co_await infra::reschedule();
    again.cancel();
    co_await again.join();
  };
  loop.block_on(test());
  ASSERT_EQ(core_.challenges.size(), 3u);
  EXPECT_EQ(core_.challenges[1][0], 3);
  EXPECT_EQ(get(challenge(5)).status, 200u);
  ASSERT_EQ(core_.started.size(), 4u);
  EXPECT_GE(core_.started[3] - core_.started[2], 4 * kQuoteTime);
}

TEST_F(AttestationDoorTest, ACoreThatIsAwayIsSaidToBe) {
  for (const auto code : {keys::ErrorCode::unavailable, keys::ErrorCode::timeout, keys::ErrorCode::queue_full}) {
    core_.error = keys::Error{code, protocol::Error::ok, "not for strangers"};
    const HttpResponse response = get(challenge(1));
    EXPECT_EQ(response.status, 503u);
    EXPECT_EQ(rule(response), "core_unavailable");
    EXPECT_EQ(header(response, "retry-after"), "2");
    EXPECT_EQ(response.body.find("strangers"), std::string::npos);
  }
  core_.error = keys::Error{keys::ErrorCode::refused, protocol::Error::quote_failed, "quote_failed"};
  EXPECT_EQ(rule(get(challenge(1))), "quote_failed");
  core_.error = keys::Error{keys::ErrorCode::protocol_violation, protocol::Error::ok, ""};
  const HttpResponse response = get(challenge(1));
  EXPECT_EQ(response.status, 500u);
  EXPECT_EQ(rule(response), "attestation_failed");
  core_.error.reset();
  EXPECT_EQ(get(challenge(1)).status, 200u);
}

}  // namespace
}  // namespace community::gateway
