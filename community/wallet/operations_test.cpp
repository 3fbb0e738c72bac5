// SPDX-License-Identifier: Apache-2.0
// What a relay says of an operation after it accepted it.
#include "community/wallet/api/operations.hpp"

#include <gtest/gtest.h>

#include "community/infra/fake/http_client.hpp"

namespace community::wallet {
namespace {

class NoKey final : public OperationSigner {
 public:
  Bytes dummy(std::uint32_t) const override { return Bytes(65); }
  Task<Result<Bytes>> sign(core::UserOperation, Bytes32, std::uint32_t) override { co_return Bytes(65); }
};

class relayed_operation_test : public testing::Test {
 protected:
  // In the order of the questions; `result` is JSON.
  void relay_answers(const std::string& result) {
    infra::HttpResponse answer;
    answer.status = 200;
    answer.body = R"({"jsonrpc":"2.0","id":)" + std::to_string(++asked_) + R"(,"result":)" + result + "}";
    http_.answer(std::move(answer));
  }
  void relay_accepts() {
    relay_answers('"' + core::to_hex(Bytes32{}) + '"');
    relay_answers(R"({"fast":{"maxFeePerGas":"0x10","maxPriorityFeePerGas":"0x1"}})");
    relay_answers(R"({"timestamp":"0x65000000"})");
    relay_answers(R"({"preVerificationGas":"0x1","verificationGasLimit":"0x2","callGasLimit":"0x3"})");
    relay_answers('"' + core::to_hex(Bytes32{}) + '"');
  }
  Result<OperationResult> send() {
    OperationOrder order;
    order.sponsored = false;
    return loop_.block_on(send_through_relay({rpc_, 31'337, Address{1}}, std::move(order), key_,
                                             [this](std::string step) { last_step_ = std::move(step); }));
  }

  infra::EventLoop loop_;
  infra::FakeHttpClient http_;
  infra::RpcClient rpc_{http_, {"http://127.0.0.1:9000", infra::Milliseconds(1'000), 1'000'000, 100}};
  NoKey key_;
  std::uint64_t asked_ = 0;
  std::string last_step_;
};

TEST_F(relayed_operation_test, WhatTheNodeGaveUpIsNotWaitedForAndTheReasonIsTold) {
  relay_accepts();
  for (int i = 0; i < 10; i++) relay_answers("null");
  relay_answers(R"({"status":"rejected","transactionHash":null,"reason":"AA25: its nonce was used"})");
  const auto result = send();
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, ErrorCode::not_included);
  EXPECT_NE(result.error().message.find("given up by the node: AA25: its nonce was used"), std::string::npos)
      << result.error().message;
  EXPECT_NE(last_step_.find("accepted"), std::string::npos);
}

TEST_F(relayed_operation_test, WhatWaitsStillIsWaitedFor) {
  relay_accepts();
  for (int i = 0; i < 10; i++) relay_answers("null");
  relay_answers(R"({"status":"not_submitted","transactionHash":null})");
  relay_answers(R"({"success":true,"actualGasUsed":"0x7","receipt":{"blockNumber":"0x9","transactionHash":")" +
                core::to_hex(Bytes32{5}) + R"("}})");
  const auto result = send();
  ASSERT_TRUE(result.has_value()) << result.error().text();
  EXPECT_EQ(result->block_number, 9u);
  EXPECT_EQ(result->gas_used, Uint256(7));
}

}  // namespace
}  // namespace community::wallet
