// SPDX-License-Identifier: Apache-2.0
// Rules, traces and the order of checks; the chain is a fake that answers what the test says.
#include <gtest/gtest.h>

#include "community/chain/fake/fake_chain.hpp"
#include "community/core/abi.hpp"
#include "community/infra/fake/clock.hpp"
#include "community/validation/call_trace.hpp"
#include "community/validation/factory.hpp"
#include "community/validation/fake/simulator.hpp"
#include "community/validation/fake/userop.hpp"
#include "community/validation/revert.hpp"

namespace community::validation {
namespace {

chain::FailedOp failed(std::string reason, Bytes inner = {}) {
  chain::FailedOp failure;
  failure.reason = std::move(reason);
  failure.inner = std::move(inner);
  return failure;
}

TEST(refusal_test, TheEntryPointsWordsBecomeCodes) {
  const std::pair<const char*, ErrorCode> rows[] = {
      {"AA10 sender already constructed", ErrorCode::account_rejected},
      {"AA21 didn't pay prefund", ErrorCode::account_rejected},
      {"AA22 expired or not due", ErrorCode::outside_time_range},
      {"AA24 signature error", ErrorCode::signature_invalid},
      {"AA25 invalid account nonce", ErrorCode::nonce_invalid},
      {"AA31 paymaster deposit too low", ErrorCode::paymaster_deposit_too_low},
      {"AA32 paymaster expired or not due", ErrorCode::outside_time_range},
      {"AA33 reverted", ErrorCode::paymaster_rejected},
      {"AA34 signature error", ErrorCode::signature_invalid},
      {"AA94 gas values overflow", ErrorCode::field_invalid},
      {"something else", ErrorCode::account_rejected}};
  for (const auto& [reason, code] : rows) {
    const Error error = refusal_of(failed(reason));
    EXPECT_EQ(error.code, code) << reason;
    EXPECT_EQ(error.message, reason);
  }
  EXPECT_EQ(refusal_of(failed("AA25 invalid account nonce")).rule, "AA25");
  EXPECT_EQ(refusal_of(failed("something else")).rule, "");
}

TEST(refusal_test, AContractsTextCannotBreakTheAnswer) {
  EXPECT_EQ(clean_text("a\nb\x01"
                       "c"),
            "a b c");
  EXPECT_EQ(clean_text("\xff\xfe"), "0xfffe");
  EXPECT_LE(clean_text(std::string(10'000, 'x')).size(), kMaxReasonBytes);
  EXPECT_EQ(reason_text({}), "no reason");
}

CallFrame leaf(std::uint64_t gas, std::uint64_t used) {
  CallFrame frame;
  frame.gas = gas;
  frame.gas_used = used;
  return frame;
}

TEST(call_trace_test, AFrameNeedsAtLeastWhatItUsed) { EXPECT_EQ(needed_gas(leaf(100'000, 40'000)), 40'000u); }

TEST(call_trace_test, ACallForAllGasKeepsA64thPartBack) {
  // The parent had used 1,000 when it called with all it had: 63/64 of 99,000.
  CallFrame parent = leaf(100'000, 31'100);
  parent.calls.push_back(leaf(99'000 - 99'000 / 64, 30'000));
  const std::uint64_t need = needed_gas(parent);
  const std::uint64_t left = need - 1'000;
  EXPECT_GE(left - left / 64, 30'000u);
  EXPECT_LE(need, 1'000 + 30'000 * 64 / 63 + 5);
}

TEST(call_trace_test, ACallForAFixedAmountIsLeftToTheSecondRun) {
  CallFrame parent = leaf(100'000, 31'500);
  parent.calls.push_back(leaf(30'000, 29'000));
  EXPECT_EQ(needed_gas(parent), 31'500u);
}

TEST(call_trace_test, TheStipendIsNotPaidByTheCaller) {
  CallFrame parent = leaf(100'000, 12'000);
  CallFrame child = leaf(90'000 - 90'000 / 64 + 2'300, 2'000);
  child.has_value = true;
  parent.calls.push_back(child);
  EXPECT_EQ(needed_gas(parent), 12'000u);
}

TEST(call_trace_test, OnlyACallTraceIsRead) {
  const auto parse = [](const char* text) { return parse_call_frame(*core::parse_json(text)); };
  EXPECT_FALSE(parse("[]"));
  EXPECT_FALSE(parse(R"({"calls":7})"));
  const auto frame =
      parse(R"({"type":"CALL","to":"0x00000000000000000000000000000000000d00d5","gas":"0x64","gasUsed":"0xa",
    "input":"0x19822f7c00","value":"0x1","error":"execution reverted","output":"0x0102","calls":[{"type":"STATICCALL"}]})");
  ASSERT_TRUE(frame);
  EXPECT_EQ(frame->gas, 100u);
  EXPECT_EQ(frame->gas_used, 10u);
  EXPECT_EQ(frame->selector[3], 0x7c);
  EXPECT_TRUE(frame->has_value);
  EXPECT_TRUE(frame->failed);
  EXPECT_EQ(frame->output, (Bytes{1, 2}));
  EXPECT_EQ(frame->calls.size(), 1u);
}

class validation_test : public testing::Test {
 protected:
  validation_test() {
    options.chain_id = 1'337;
    options.entry_points.push_back({entry_point.get(), {}});
    id = {entry_point->address(), entry_point->version()};
    fees = std::make_unique<chain::FeeOracle>(chain, clock);
    validator = make_validator(*fees, simulator, *rules, options);
    chain.mine();
  }

  Result<ValidatedUserop> validate(std::vector<const UserOperation*> before = {}) {
    return loop.block_on(validator->validate(op, id, std::move(before)));
  }
  ErrorCode refusal() {
    const auto result = validate();
    EXPECT_FALSE(result);
    return result ? ErrorCode{} : result.error().code;
  }

  infra::EventLoop loop;
  infra::FakeClock clock;
  chain::FakeChain chain{1'337};
  std::unique_ptr<chain::EntryPoint> entry_point = chain::v0_8::make_entry_point();
  EntryPointId id;
  ValidationOptions options;
  FakeSimulator simulator;
  std::unique_ptr<Rules> rules = make_rules();
  std::unique_ptr<chain::FeeOracle> fees;
  std::unique_ptr<Validator> validator;
  UserOperation op = sample_userop();
};

TEST_F(validation_test, AGoodOperationCarriesWhatOthersNeed) {
  const auto result = validate();
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->hash, *core::userop_hash(op, id.version, id.address, Uint256(1'337)));
  EXPECT_EQ(result->op, op);
  EXPECT_EQ(result->max_cost, *max_cost(op));
  EXPECT_EQ(simulator.sizes, std::vector<std::size_t>{1});
}

TEST_F(validation_test, WhatIsRefusedCheaplyCostsTheChainNothing) {
  op.max_fee_per_gas = Uint256(1);
  op.max_priority_fee_per_gas = Uint256(1);
  EXPECT_EQ(refusal(), ErrorCode::fee_too_low);
  op.max_fee_per_gas = Uint256(9'000'000'000);
  op.max_priority_fee_per_gas = Uint256(9'000'000'001);
  EXPECT_EQ(refusal(), ErrorCode::priority_fee_above_max_fee);
  op.max_priority_fee_per_gas = Uint256(1);
  op.pre_verification_gas = Uint256(20'000);
  EXPECT_EQ(refusal(), ErrorCode::pre_verification_gas_too_low);
  op.pre_verification_gas = Uint256(60'000);
  op.call_gas_limit = Uint256(8'999);
  EXPECT_EQ(refusal(), ErrorCode::call_gas_too_low);
  op.call_gas_limit = Uint256(kMaxTransactionGas);
  EXPECT_EQ(refusal(), ErrorCode::gas_over_bundle);
  op.call_gas_limit = Uint256(50'000);
  op.verification_gas_limit = Uint256(5'000'001);
  EXPECT_EQ(refusal(), ErrorCode::verification_gas_too_high);
  op.verification_gas_limit = Uint256(100'000);
  op.call_data = Bytes(262'144, 0);
  EXPECT_EQ(refusal(), ErrorCode::userop_too_large);
  op.call_data = {1, 2, 3, 4};
  op.sender = Address{};
  EXPECT_EQ(refusal(), ErrorCode::field_invalid);
  op.sender[19] = 1;
  op.factory = core::kEip7702Marker;
  EXPECT_EQ(refusal(), ErrorCode::eip7702_not_supported);
  EXPECT_TRUE(simulator.sizes.empty());
}

TEST_F(validation_test, PredecessorsAreSimulatedBeforeIt) {
  const UserOperation before = op;
  op.nonce = Uint256(1);
  simulator.judge = [](const UserOperation& one) { return one.nonce == Uint256(1) ? "AA24 signature error" : ""; };
  const auto result = validate({&before});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::signature_invalid);
  EXPECT_EQ(simulator.sizes, std::vector<std::size_t>{2});
}

TEST_F(validation_test, APredecessorThatWasJustIncludedIsLeftOut) {
  const UserOperation before = op;
  op.nonce = Uint256(1);
  simulator.judge = [](const UserOperation& one) {
    return one.nonce == Uint256(0) ? "AA25 invalid account nonce" : "";
  };
  EXPECT_TRUE(validate({&before}));
  EXPECT_EQ(simulator.sizes, (std::vector<std::size_t>{2, 1}));
}

TEST_F(validation_test, TheSimulatorAsksForTheRealHandleOps) {
  const auto body = make_call_simulator(chain, options);
  chain::CallRequest asked;
  static const auto kFailedOp = core::parse_abi_function("FailedOp(uint256,string)");
  chain.on_call(id.address, [&](const chain::CallRequest& call) -> chain::ChainResult<chain::Bytes> {
    asked = call;
    chain::ChainError error;
    error.kind = chain::ChainErrorKind::rpc;
    error.code = 3;
    error.message = "execution reverted";
    error.reverted = true;
    const std::string text = "AA23 reverted";
    error.data = *kFailedOp->encode({std::uint64_t{0}, core::to_bytes(base::view(text))});
    return tl::unexpected(error);
  });
  SimulationRequest request;
  request.entry_point = id;
  request.ops.push_back(&op);
  const auto trace = loop.block_on(body->simulate(request));
  ASSERT_TRUE(trace) << trace.error().message;
  ASSERT_TRUE(trace->failure);
  EXPECT_EQ(trace->failure->reason, "AA23 reverted");
  EXPECT_FALSE(trace->has_frames);
  ASSERT_TRUE(asked.from);
  EXPECT_EQ(asked.data, *entry_point->encode_handle_ops({*core::pack(op)}, *asked.from));
  EXPECT_EQ(asked.gas, bundle_gas_limit({&op}, calldata_cost(asked.data)));
}

TEST_F(validation_test, ASilentChainIsNotTheOperationsFault) {
  const auto body = make_call_simulator(chain, options);
  chain::ChainError error;
  error.kind = chain::ChainErrorKind::timeout;
  chain.fail_next(error);
  SimulationRequest request;
  request.entry_point = id;
  request.ops.push_back(&op);
  const auto trace = loop.block_on(body->simulate(request));
  ASSERT_FALSE(trace);
  EXPECT_EQ(trace.error().code, ErrorCode::chain_unavailable);
}

}  // namespace
}  // namespace community::validation
