// SPDX-License-Identifier: Apache-2.0
// JSON-RPC 2.0 as the specification has it, and what hostile bodies get.
#include "community/infra/api/json_rpc.hpp"

#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "community/infra/fake/http_client.hpp"

namespace community::infra {
namespace {

class json_rpc_test : public testing::Test {
 protected:
  json_rpc_test() {
    RpcLimits limits;
    limits.batch = 10;
    limits.batch_concurrency = 3;
    dispatcher = std::make_unique<RpcDispatcher>(limits);
    dispatcher->add("echo", [](RpcCall call) -> Task<RpcResult> { co_return std::move(call.params); });
    dispatcher->add("refuse", [](RpcCall) -> Task<RpcResult> {
      co_return rpc_fail(-32'500, "AA23 reverted", json::value{{"rule", "OP-011"}});
    });
    dispatcher->add("bug", [](RpcCall) -> Task<RpcResult> {
      throw std::logic_error("secret detail");
      co_return json::value{};
    });
    dispatcher->add("count", [this](RpcCall) -> Task<RpcResult> {
      most = std::max(most, ++running);
      co_await reschedule();
      running--;
      calls++;
      co_return json::value(calls);
    });
  }

  std::string ask(std::string body) {
    return loop.block_on(dispatcher->handle(std::move(body), std::make_shared<RpcContext>()));
  }
  std::int64_t code(std::string body) { return json::parse(ask(std::move(body))).at("error").at("code").as_int64(); }

  EventLoop loop;
  std::unique_ptr<RpcDispatcher> dispatcher;
  int running = 0, most = 0, calls = 0;
};

TEST_F(json_rpc_test, TheIdComesBackAsItWasSent) {
  EXPECT_EQ(ask(R"({"jsonrpc":"2.0","id":7,"method":"echo","params":[1]})"),
            R"({"jsonrpc":"2.0","id":7,"result":[1]})");
  EXPECT_EQ(ask(R"({"jsonrpc":"2.0","id":"a\"b","method":"echo","params":{}})"),
            R"({"jsonrpc":"2.0","id":"a\"b","result":{}})");
  EXPECT_EQ(ask(R"({"jsonrpc":"2.0","id":null,"method":"echo","params":[]})"),
            R"({"jsonrpc":"2.0","id":null,"result":[]})");
}

TEST_F(json_rpc_test, AnErrorOfTheHandlerKeepsCodeWordsAndData) {
  EXPECT_EQ(ask(R"({"jsonrpc":"2.0","id":1,"method":"refuse"})"),
            R"({"jsonrpc":"2.0","id":1,"error":{"code":-32500,"message":"AA23 reverted","data":{"rule":"OP-011"}}})");
}

TEST_F(json_rpc_test, AnExceptionOfTheHandlerIsInternalAndSaysNothingInside) {
  const std::string answer = ask(R"({"jsonrpc":"2.0","id":1,"method":"bug"})");
  EXPECT_NE(answer.find("-32603"), std::string::npos);
  EXPECT_EQ(answer.find("secret"), std::string::npos);
}

TEST_F(json_rpc_test, CodesOfTheSpecification) {
  EXPECT_EQ(code("{"), kRpcParseError);
  EXPECT_EQ(code(""), kRpcParseError);
  EXPECT_EQ(code("[1"), kRpcParseError);
  EXPECT_EQ(code(R"({"jsonrpc":"2.0","id":1,"method":"x"} junk)"), kRpcParseError);
  EXPECT_EQ(code("1"), kRpcInvalidRequest);
  EXPECT_EQ(code("[]"), kRpcInvalidRequest);
  EXPECT_EQ(code(R"({"id":1,"method":"echo"})"), kRpcInvalidRequest);
  EXPECT_EQ(code(R"({"jsonrpc":"1.0","id":1,"method":"echo"})"), kRpcInvalidRequest);
  EXPECT_EQ(code(R"({"jsonrpc":"2.0","id":1,"method":5})"), kRpcInvalidRequest);
  EXPECT_EQ(code(R"({"jsonrpc":"2.0","id":1,"method":"echo","params":5})"), kRpcInvalidRequest);
  EXPECT_EQ(code(R"({"jsonrpc":"2.0","id":{},"method":"echo"})"), kRpcInvalidRequest);
  EXPECT_EQ(code(R"({"jsonrpc":"2.0","id":1,"method":"none"})"), kRpcMethodNotFound);
}

TEST_F(json_rpc_test, NotificationsAreRunAndNotAnswered) {
  EXPECT_EQ(ask(R"({"jsonrpc":"2.0","method":"count"})"), "");
  EXPECT_EQ(ask(R"([{"jsonrpc":"2.0","method":"count"},{"jsonrpc":"2.0","method":"count"}])"), "");
  EXPECT_EQ(calls, 3);
}

TEST_F(json_rpc_test, ABatchIsAnsweredInOrderWithBoundedConcurrency) {
  std::string body = "[1";
  for (int i = 0; i < 9; i++) body += R"(,{"jsonrpc":"2.0","id":)" + std::to_string(i) + R"(,"method":"count"})";
  const auto answers = json::parse(ask(body + "]")).as_array();
  ASSERT_EQ(answers.size(), 10u);
  EXPECT_EQ(answers[0].at("error").at("code").as_int64(), kRpcInvalidRequest);
  for (std::size_t i = 1; i < 10; i++) EXPECT_EQ(answers[i].at("id").as_int64(), static_cast<int>(i) - 1);
  EXPECT_EQ(most, 3);
}

TEST_F(json_rpc_test, ALargerBatchIsRefusedWhole) {
  std::string body = "[1";
  for (int i = 0; i < 10; i++) body += R"(,{"jsonrpc":"2.0","id":1,"method":"count"})";
  EXPECT_EQ(code(body + "]"), kRpcInvalidRequest);
  EXPECT_EQ(calls, 0);
}

TEST_F(json_rpc_test, DuplicateMembersAreRefused) {
  EXPECT_EQ(code(R"({"jsonrpc":"2.0","id":1,"method":"echo","method":"count"})"), kRpcInvalidRequest);
  EXPECT_EQ(code(R"({"jsonrpc":"2.0","id":1,"method":"echo","params":[{"a":1,"\u0061":2}]})"), kRpcInvalidRequest);
}

TEST_F(json_rpc_test, AThousandLevelsAreRefused) {
  const std::string deep = std::string(1'000, '[') + std::string(1'000, ']');
  EXPECT_EQ(code(R"({"jsonrpc":"2.0","id":1,"method":"echo","params":)" + deep + "}"), kRpcInvalidRequest);
  EXPECT_EQ(code(std::string(1'000'000, '[')), kRpcInvalidRequest);
}

TEST_F(json_rpc_test, InvalidUtf8AndHugeNumbersAreRefused) {
  EXPECT_EQ(code("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ec\xff\"}"), kRpcParseError);
  EXPECT_EQ(code("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\xed\xa0\x80\"}"), kRpcParseError);
  EXPECT_EQ(code(R"({"jsonrpc":"2.0","id":99999999999999999999999,"method":"echo"})"), kRpcInvalidRequest);
}

TEST_F(json_rpc_test, HttpKnowsOnlyPost) {
  HttpRequest get;
  EXPECT_EQ(loop.block_on(dispatcher->handle_http(get)).status, 405u);
  HttpRequest post;
  post.method = "POST";
  post.body = R"({"jsonrpc":"2.0","method":"count"})";
  EXPECT_EQ(loop.block_on(dispatcher->handle_http(post)).status, 204u);
}

TEST_F(json_rpc_test, TheKeyOfTheCallerIsFoundInFieldTokenOrQuery) {
  std::string seen;
  dispatcher->add("who", [&](RpcCall call) -> Task<RpcResult> {
    seen = call.context->api_key;
    co_return json::value(true);
  });
  HttpRequest request;
  request.method = "POST";
  request.body = R"({"jsonrpc":"2.0","id":1,"method":"who"})";
  auto with_query = request, with_token = request, with_field = request;
  with_query.target = "/rpc?apikey=k%201";
  loop.block_on(dispatcher->handle_http(with_query));
  EXPECT_EQ(seen, "k 1");
  with_token.headers.add("Authorization", "Bearer k2");
  loop.block_on(dispatcher->handle_http(with_token));
  EXPECT_EQ(seen, "k2");
  with_field.headers.add("X-API-Key", "k3");
  loop.block_on(dispatcher->handle_http(with_field));
  EXPECT_EQ(seen, "k3");
}

class rpc_client_test : public testing::Test {
 protected:
  Result<RpcResult> call(std::string answer, unsigned status = 200) {
    http.answer(http_json(status, std::move(answer)));
    return loop.block_on(client.call("eth_chainId", json::array{}));
  }

  EventLoop loop;
  FakeHttpClient http;
  RpcClient client{http, {"http://127.0.0.1:8545", Milliseconds(1'000), 1'000'000, 100}};
};

TEST_F(rpc_client_test, ResultAndErrorOfThePeerAreTold) {
  const auto result = call(R"({"jsonrpc":"2.0","id":1,"result":"0x1"})");
  ASSERT_TRUE(result && *result);
  EXPECT_EQ((*result)->as_string(), "0x1");
  const auto error = call(R"({"jsonrpc":"2.0","id":2,"error":{"code":3,"message":"reverted","data":"0x08"}})");
  ASSERT_TRUE(error && !*error);
  EXPECT_EQ(error->error().code, 3);
  EXPECT_EQ(error->error().data->as_string(), "0x08");
}

TEST_F(rpc_client_test, NonsenseIsMalformedAndAnErrorPageIsTransport) {
  EXPECT_EQ(call("hello").error().code, ErrorCode::malformed);
  EXPECT_EQ(call("[]").error().code, ErrorCode::malformed);
  EXPECT_EQ(call("{}").error().code, ErrorCode::malformed);
  EXPECT_EQ(call(R"({"jsonrpc":"2.0","id":99,"result":1})").error().code, ErrorCode::malformed);
  EXPECT_EQ(call("<html>bad gateway</html>", 502).error().code, ErrorCode::transport);
}

TEST_F(rpc_client_test, ABatchIsPutBackInOrder) {
  http.answer(http_json(200, R"([{"jsonrpc":"2.0","id":2,"result":"b"},{"jsonrpc":"2.0","id":1,"result":"a"}])"));
  std::vector<RpcRequest> requests;
  requests.push_back({"x", json::array{}});
  requests.push_back({"y", json::array{}});
  const auto results = loop.block_on(client.batch(std::move(requests)));
  ASSERT_TRUE(results.has_value());
  EXPECT_EQ((*results)[0]->as_string(), "a");
  EXPECT_EQ((*results)[1]->as_string(), "b");
}

TEST_F(rpc_client_test, ABatchWithATwiceAnsweredCallIsMalformed) {
  http.answer(http_json(200, R"([{"jsonrpc":"2.0","id":1,"result":"b"},{"jsonrpc":"2.0","id":1,"result":"a"}])"));
  std::vector<RpcRequest> requests(2, RpcRequest{"x", json::array{}});
  EXPECT_EQ(loop.block_on(client.batch(std::move(requests))).error().code, ErrorCode::malformed);
}

}  // namespace
}  // namespace community::infra
