// SPDX-License-Identifier: Apache-2.0
// Batching, fail-over and the proof of the chain id, over an HTTP client in memory.
#include <gtest/gtest.h>

#include <set>

#include "community/chain/factory.hpp"
#include "community/infra/fake/clock.hpp"
#include "community/infra/fake/http_client.hpp"

namespace community::chain {
namespace {

// Answers only after some turns of the loop, so that places are taken for a while.
class PatientHttpClient final : public infra::HttpClient {
 public:
  explicit PatientHttpClient(infra::HttpClient& client) : client_(client) {}
  Task<infra::Result<infra::HttpResponse>> send(infra::HttpCall call) override {
    for (int turn = 0; turn < 6; turn++) co_await infra::reschedule();
    co_return co_await client_.send(std::move(call));
  }

 private:
  infra::HttpClient& client_;
};

class json_rpc_chain_test : public testing::Test {
 protected:
  json_rpc_chain_test() {
    http.answer_with([this](const infra::HttpCall& call) { return serve(call); });
  }

  void make(std::vector<std::string> urls, std::uint64_t chain_id = 1'337) {
    JsonRpcChainOptions options;
    options.urls = std::move(urls);
    options.chain_id = chain_id;
    options.concurrency = 2;
    options.max_batch = 10;
    chain = make_json_rpc_chain(is_patient ? static_cast<infra::HttpClient&>(patient) : http, clock, options, &metrics);
  }

  infra::Result<infra::HttpResponse> serve(const infra::HttpCall& call) {
    if (down.contains(call.url)) return infra::fail(infra::ErrorCode::transport, "down");
    const auto body = json::parse(call.body);
    if (call.url == slow_with_calls && body.is_object() && body.at("method") == "eth_call")
      return infra::fail(infra::ErrorCode::timeout, "slow");
    if (!body.is_array()) return infra::http_json(200, json::serialize(one(body, call.url)));
    if (no_batches)
      return infra::http_json(200, R"({"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"no"}})");
    json::array answers;
    for (const auto& entry : body.as_array()) answers.push_back(one(entry, call.url));
    return infra::http_json(200, json::serialize(answers));
  }
  json::object one(const json::value& request, const std::string& url) {
    json::object answer;
    answer["jsonrpc"] = "2.0";
    answer["id"] = request.at("id");
    if (request.at("method") == "eth_chainId") {
      answer["result"] = chain_ids.contains(url) ? chain_ids[url] : "0x539";
    } else if (request.at("method") == "eth_call") {
      answer["error"] = json::parse(R"({"code":3,"message":"execution reverted","data":"0x08c379a0"})");
    } else {
      answer["result"] = "0x5";
    }
    return answer;
  }
  ChainResult<Uint256> balance() { return loop.block_on(chain->balance(Address{})); }

  infra::EventLoop loop;
  infra::FakeClock clock;
  infra::FakeHttpClient http;
  PatientHttpClient patient{http};
  bool is_patient = false;
  infra::Metrics metrics;
  std::unique_ptr<ExecutionClient> chain;
  std::set<std::string> down;
  std::map<std::string, std::string> chain_ids;
  bool no_batches = false;
  std::string slow_with_calls;
};

TEST_F(json_rpc_chain_test, CallsOfOneTurnTravelTogether) {
  make({"http://a"});
  EXPECT_TRUE(balance().has_value());
  const std::size_t before = http.calls.size();
  std::function<Task<void>(std::size_t)> ask = [&](std::size_t) -> Task<void> {
    const auto answer = co_await chain->balance(Address{});
    EXPECT_EQ(answer.value(), Uint256(5));
  };
  loop.block_on(infra::for_each_bounded(20, 20, ask));
  EXPECT_EQ(http.calls.size() - before, 2u);
}

TEST_F(json_rpc_chain_test, AServiceWithoutBatchesIsAskedOneByOne) {
  make({"http://a"});
  no_batches = true;
  std::function<Task<void>(std::size_t)> ask = [&](std::size_t) -> Task<void> {
    const auto answer = co_await chain->balance(Address{});
    EXPECT_TRUE(answer.has_value());
  };
  loop.block_on(infra::for_each_bounded(5, 5, ask));
}

TEST_F(json_rpc_chain_test, TheNextEndpointAnswersAndTheFirstComesBackAfterItsRest) {
  make({"http://a", "http://b"});
  down.insert("http://a");
  EXPECT_TRUE(balance().has_value());
  EXPECT_EQ(http.calls.back().url, "http://b");
  down.clear();
  EXPECT_TRUE(balance().has_value());
  EXPECT_EQ(http.calls.back().url, "http://b");
  clock.advance(Milliseconds(500));
  EXPECT_TRUE(balance().has_value());
  EXPECT_EQ(http.calls.back().url, "http://a");
}

TEST_F(json_rpc_chain_test, AllEndpointsDownIsTransportAndLaterAnswersAgain) {
  make({"http://a", "http://b"});
  down = {"http://a", "http://b"};
  EXPECT_EQ(balance().error().kind, ChainErrorKind::transport);
  down.clear();
  EXPECT_TRUE(balance().has_value());
}

TEST_F(json_rpc_chain_test, AnEndpointOfAnotherChainIsNeverAsked) {
  make({"http://a", "http://b"});
  chain_ids["http://a"] = "0x1";
  EXPECT_TRUE(balance().has_value());
  EXPECT_EQ(http.calls.back().url, "http://b");
  chain_ids["http://b"] = "0x1";
  make({"http://a", "http://b"});
  EXPECT_EQ(balance().error().kind, ChainErrorKind::wrong_chain);
  for (const auto& call : http.calls) {
    const bool about_identity = call.body.find("eth_chainId") != std::string::npos;
    EXPECT_TRUE(call.url != "http://a" || about_identity);
  }
}

TEST_F(json_rpc_chain_test, ARevertIsToldWithItsBytesAndIsNoFailureOfTheEndpoint) {
  make({"http://a", "http://b"});
  const auto result = loop.block_on(chain->call(CallRequest{}));
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().kind, ChainErrorKind::rpc);
  EXPECT_TRUE(result.error().reverted);
  EXPECT_EQ(core::to_hex(result.error().data), "0x08c379a0");
  EXPECT_EQ(http.calls.back().url, "http://a");
}

TEST_F(json_rpc_chain_test, ACancelledCarrierLeavesTheCallsOfOthersToTheNext) {
  make({"http://a"});
  EXPECT_TRUE(balance().has_value());
  auto test = [&]() -> Task<void> {
    int answered = 0;
    auto ask = [&]() -> Task<void> {
      const auto answer = co_await chain->balance(Address{});
      if (answer) answered++;
    };
    infra::TaskGroup first(co_await boost::asio::this_coro::executor),
        others(co_await boost::asio::this_coro::executor);
    first.spawn(ask());
    others.spawn(ask());
    others.spawn(ask());
    // The first has its turn, carries all three, and goes away before the answer.
    co_await infra::reschedule();
    first.cancel();
    co_await first.join();
    co_await others.join();
    EXPECT_GE(answered, 2);
  };
  loop.block_on(test());
}

TEST_F(json_rpc_chain_test, ManyCallsThatTravelAloneDoNotHoldUpThoseThatTravelTogether) {
  is_patient = true;
  make({"http://a"});
  EXPECT_TRUE(balance().has_value());
  // When it comes, in turns of the loop after the others.
  std::size_t late = 0;
  auto test = [&]() -> Task<void> {
    infra::TaskGroup group(co_await boost::asio::this_coro::executor);
    auto alone = [&]() -> Task<void> {
      CallRequest request;
      co_await chain->call(std::move(request));
    };
    auto together = [&]() -> Task<void> { co_await chain->balance(Address{}); };
    for (int i = 0; i < 40; i++) group.spawn(alone());
    for (std::size_t turn = 0; turn < late; turn++) co_await infra::reschedule();
    group.spawn(together());
    co_await group.join();
  };
  for (late = 0; late < 8; late++) {
    http.calls.clear();
    loop.block_on(test());
    ASSERT_EQ(http.calls.size(), 41u);
    const auto place = std::find_if(http.calls.begin(), http.calls.end(), [](const infra::HttpCall& call) {
      return call.body.find("eth_getBalance") != std::string::npos;
    });
    EXPECT_LT(place - http.calls.begin(), 20) << late;
  }
}

TEST_F(json_rpc_chain_test, ASlowCallOfItsOwnSaysNothingAboutTheEndpoint) {
  make({"http://a", "http://b"});
  slow_with_calls = "http://a";
  EXPECT_EQ(loop.block_on(chain->call(CallRequest{})).error().kind, ChainErrorKind::rpc);
  EXPECT_EQ(http.calls.back().url, "http://b");
  EXPECT_TRUE(balance().has_value());
  EXPECT_EQ(http.calls.back().url, "http://a");
}

TEST_F(json_rpc_chain_test, BatchesAreTriedAgainAfterAnOutage) {
  make({"http://a"});
  std::function<Task<void>(std::size_t)> ask = [&](std::size_t) -> Task<void> { co_await chain->balance(Address{}); };
  no_batches = true;
  loop.block_on(infra::for_each_bounded(5, 5, ask));
  down.insert("http://a");
  EXPECT_FALSE(balance().has_value());
  down.clear();
  no_batches = false;
  EXPECT_TRUE(balance().has_value());
  const std::size_t before = http.calls.size();
  loop.block_on(infra::for_each_bounded(5, 5, ask));
  EXPECT_EQ(http.calls.size() - before, 1u);
}

}  // namespace
}  // namespace community::chain
