// SPDX-License-Identifier: Apache-2.0
// Shapes and codes of the answers. Chain, simulation and bundler are fakes; pool and database are real.
#include <gtest/gtest.h>

#include <filesystem>

#include "community/chain/fake/fake_chain.hpp"
#include "community/gateway/factory.hpp"
#include "community/infra/fake/clock.hpp"
#include "community/infra/fake/test_database.hpp"
#include "community/pool/factory.hpp"
#include "community/validation/factory.hpp"
#include "community/validation/fake/simulator.hpp"
#include "community/validation/fake/userop.hpp"

namespace community::gateway {
namespace {

namespace json = core::json;
using core::Address;
using core::Uint256;
using infra::Task;

class FakeEstimator final : public validation::Estimator {
 public:
  Task<validation::Result<validation::GasEstimate>> estimate(core::UserOperation op, validation::EntryPointId,
                                                             json::object, bool) override {
    if (reverts)
      co_return validation::fail(validation::ErrorCode::execution_reverted, "execution reverted: no", "", {1});
    validation::GasEstimate result;
    result.verification_gas_limit = Uint256(100);
    result.call_gas_limit = Uint256(200);
    result.pre_verification_gas = Uint256(300);
    if (op.paymaster) result.paymaster_verification_gas_limit = result.paymaster_post_op_gas_limit = Uint256(0);
    co_return result;
  }
  bool reverts = false;
};

class FakeBundler final : public bundler::Bundler {
 public:
  Task<void> run() override { co_return; }
  void stop() override {}
  std::vector<bundler::ExecutorState> executors() const override { return {}; }
  Task<bundler::Result<json::object>> transaction_receipt(core::Bytes32) override {
    json::object receipt;
    receipt["status"] = "0x1";
    receipt["logs"] = json::array{"before", "own", "event"};
    co_return receipt;
  }
};

// Signs nothing until it is told to.
class FakeSponsor final : public paymaster::Sponsor {
 public:
  std::vector<paymaster::PaymasterContract> contracts() const override { return {}; }
  Task<paymaster::Result<paymaster::SponsorData>> stub(core::UserOperation, Address, Uint256) override {
    co_return paymaster::SponsorData{};
  }
  Task<paymaster::Result<paymaster::SponsorData>> sign(core::UserOperation, Address, Uint256) override {
    most = std::max(most, ++running);
    for (int turn = 0; turn < 10; turn++) co_await infra::reschedule();
    running--;
    co_return paymaster::SponsorData{};
  }
  void settle(const Address&, const Uint256&) override {}
  std::size_t running = 0, most = 0;
};

class gateway_test : public testing::Test {
 protected:
  gateway_test() {
    database = std::move(*infra::Database::open(place_.options(), {pool::pool_migrations()}));
    chain.mine();
    validation::ValidationOptions options;
    options.chain_id = 1'337;
    options.entry_points.push_back({entry_point.get(), {}});
    validator = validation::make_validator(fees, simulator, *rules, options);
    pool = pool::make_pool(*database, clock, 1'337, nullptr, {});
    GatewayDependencies d{chain, fees, *validator, estimator, *pool, bundler, nullptr, &metrics, &health};
    d.sponsor = with_sponsor() ? &sponsor : nullptr;
    gateway = make_gateway(d, {"community-node/test", 1'337, {entry_point.get()}});
  }
  ~gateway_test() override {
    gateway.reset();
    pool.reset();
    database.reset();
  }

  static bool with_sponsor() {
    return std::string_view(testing::UnitTest::GetInstance()->current_test_info()->name()).starts_with("Sponsorships");
  }

  static infra::HttpRequest post(std::string_view method, json::array params) {
    json::object call;
    call["jsonrpc"] = "2.0";
    call["id"] = 1;
    call["method"] = method;
    call["params"] = std::move(params);
    infra::HttpRequest request;
    request.method = "POST";
    request.target = "/rpc";
    request.body = json::serialize(call);
    return request;
  }
  json::object ask(std::string_view method, json::array params) {
    const infra::HttpRequest request = post(method, std::move(params));
    return json::parse(loop.block_on(gateway->rpc_handler()(request)).body).as_object();
  }
  // How many of `count` requests at the same time are refused with -32005.
  std::size_t refused_as_too_many(std::size_t count, std::string_view method, const json::array& params) {
    std::vector<Task<infra::HttpResponse>> tasks;
    for (std::size_t i = 0; i < count; i++) tasks.push_back(gateway->rpc_handler()(post(method, params)));
    std::size_t refused = 0;
    for (const infra::HttpResponse& response : loop.block_on(infra::all(std::move(tasks))))
      refused += response.body.find("-32005") != std::string::npos;
    return refused;
  }
  json::value result(std::string_view method, json::array params = {}) {
    json::object answer = ask(method, std::move(params));
    EXPECT_TRUE(answer.contains("result")) << json::serialize(answer);
    return answer.contains("result") ? answer["result"] : json::value();
  }
  std::int64_t code(std::string_view method, json::array params) {
    json::object answer = ask(method, std::move(params));
    return answer.contains("error") ? answer["error"].at("code").as_int64() : 0;
  }
  infra::HttpResponse get(const infra::HttpHandler& handler, std::string target) {
    infra::HttpRequest request;
    request.target = std::move(target);
    return loop.block_on(handler(request));
  }
  core::UserOperation op() const {
    core::UserOperation one = validation::sample_userop();
    one.nonce = *base::multiply(Uint256(std::uint64_t{1} << 63), Uint256(std::uint64_t{1} << 40));
    return one;
  }
  std::string entry() const { return core::format_address(entry_point->address()); }
  json::array send_params(const core::UserOperation& one) const { return {core::to_json(one), entry()}; }

  infra::TestDatabase place_;
  infra::EventLoop loop;
  infra::FakeClock clock;
  chain::FakeChain chain{1'337};
  chain::FeeOracle fees{chain, clock};
  std::unique_ptr<chain::EntryPoint> entry_point = chain::v0_8::make_entry_point();
  validation::FakeSimulator simulator;
  std::unique_ptr<validation::Rules> rules = validation::make_rules();
  FakeEstimator estimator;
  FakeBundler bundler;
  FakeSponsor sponsor;
  infra::Metrics metrics;
  infra::Health health;
  std::unique_ptr<infra::Database> database;
  std::unique_ptr<validation::Validator> validator;
  std::unique_ptr<pool::Pool> pool;
  std::unique_ptr<Gateway> gateway;
};

TEST_F(gateway_test, AnAcceptedOperationAnswersItsHashAndIsKept) {
  const std::string hash = core::to_hex(*entry_point->userop_hash(op(), Uint256(1'337)));
  EXPECT_EQ(result("eth_sendUserOperation", send_params(op())), json::value(hash));
  EXPECT_EQ(pool->statistics().waiting, 1u);
  // The same again is no error and changes nothing.
  EXPECT_EQ(result("eth_sendUserOperation", send_params(op())), json::value(hash));
  EXPECT_EQ(pool->statistics().waiting, 1u);
  EXPECT_EQ(simulator.sizes.size(), 1u);
  EXPECT_EQ(result("pimlico_getUserOperationStatus", {hash}).at("status"), "not_submitted");
  EXPECT_TRUE(result("eth_getUserOperationReceipt", {hash}).is_null());
  EXPECT_TRUE(result("eth_getUserOperationByHash", {hash}).is_null());
}

TEST_F(gateway_test, RefusalsHaveTheCodesOfErc7769) {
  const std::pair<const char*, int> rows[] = {{"AA23 reverted", -32'500},
                                              {"AA33 reverted", -32'501},
                                              {"AA22 expired or not due", -32'503},
                                              {"AA24 signature error", -32'507},
                                              {"AA31 paymaster deposit too low", -32'508},
                                              {"AA25 invalid account nonce", -32'500}};
  for (const auto& [reason, wanted] : rows) {
    simulator.judge = [reason = reason](const core::UserOperation&) { return std::string(reason); };
    const json::object answer = ask("eth_sendUserOperation", send_params(op()));
    EXPECT_EQ(answer.at("error").at("code").as_int64(), wanted) << reason;
    EXPECT_EQ(answer.at("error").at("message").as_string(), reason);
    EXPECT_EQ(answer.at("error").at("data").at("rule").as_string(), std::string_view(reason).substr(0, 4));
  }
  simulator.judge = nullptr;
  core::UserOperation one = op();
  one.max_fee_per_gas = one.max_priority_fee_per_gas = Uint256(1);
  EXPECT_EQ(code("eth_sendUserOperation", send_params(one)), -32'602);
  EXPECT_EQ(code("eth_sendUserOperation", {core::to_json(op()), "0x0000000000000000000000000000000000000001"}),
            -32'602);
  EXPECT_EQ(code("eth_sendUserOperation", {core::to_json(op())}), -32'602);
  EXPECT_EQ(code("eth_sendUserOperation", {7, entry()}), -32'602);
  EXPECT_EQ(code("eth_sendTransaction", {}), -32'601);
  EXPECT_EQ(code("pm_getPaymasterStubData", {}), -32'601);
  EXPECT_EQ(pool->statistics().waiting, 0u);
}

TEST_F(gateway_test, AReceiptHasTheOperationsOwnLogs) {
  const std::string text(result("eth_sendUserOperation", send_params(op())).as_string());
  pool::Inclusion inclusion;
  inclusion.hash = *core::parse_bytes32(text);
  inclusion.transaction_hash.fill(0x77);
  inclusion.block_number = 5;
  inclusion.success = false;
  inclusion.actual_gas_cost = Uint256(16);
  inclusion.actual_gas_used = Uint256(2);
  inclusion.reason = {0xde, 0xad};
  inclusion.first_log = 1;
  inclusion.end_log = 2;
  ASSERT_TRUE(loop.block_on(pool->mark_included({inclusion}, pool::AlsoWrite())));
  const json::value receipt = result("eth_getUserOperationReceipt", {text});
  EXPECT_EQ(receipt.at("userOpHash"), json::value(text));
  EXPECT_EQ(receipt.at("entryPoint"), json::value(entry()));
  EXPECT_EQ(receipt.at("nonce"), json::value(core::format_quantity(op().nonce)));
  EXPECT_EQ(receipt.at("actualGasCost"), "0x10");
  EXPECT_EQ(receipt.at("actualGasUsed"), "0x2");
  EXPECT_EQ(receipt.at("success"), false);
  EXPECT_EQ(receipt.at("reason"), "0xdead");
  EXPECT_EQ(receipt.at("logs"), json::array{"own"});
  EXPECT_EQ(receipt.at("receipt").at("logs").as_array().size(), 3u);
  EXPECT_FALSE(receipt.as_object().contains("paymaster"));
  const json::value known = result("eth_getUserOperationByHash", {text});
  EXPECT_EQ(known.at("userOperation"), json::value(core::to_json(op())));
  EXPECT_EQ(known.at("blockNumber"), "0x5");
  EXPECT_EQ(result("pimlico_getUserOperationStatus", {text}).at("status"), "reverted");
}

TEST_F(gateway_test, AnEstimateNamesPaymasterGasOnlyWithAPaymaster) {
  core::UserOperation one = op();
  json::value gas = result("eth_estimateUserOperationGas", send_params(one));
  EXPECT_EQ(gas.at("preVerificationGas"), "0x12c");
  EXPECT_FALSE(gas.as_object().contains("paymasterVerificationGasLimit"));
  one.paymaster = Address{0x44};
  gas = result("eth_estimateUserOperationGas", {core::to_json(one), entry(), nullptr});
  EXPECT_EQ(gas.at("paymasterVerificationGasLimit"), "0x0");
  estimator.reverts = true;
  const json::object answer = ask("eth_estimateUserOperationGas", send_params(one));
  EXPECT_EQ(answer.at("error").at("code").as_int64(), -32'521);
  EXPECT_EQ(answer.at("error").at("data").as_string(), "0x01");
}

TEST_F(gateway_test, ReadsPassAndErrorsOfTheNodeKeepTheirCode) {
  EXPECT_EQ(result("eth_blockNumber"), json::value(core::format_quantity(Uint256(chain.head().number))));
  EXPECT_EQ(result("eth_chainId"), "0x539");
  EXPECT_EQ(result("web3_clientVersion"), "community-node/test");
  EXPECT_EQ(result("eth_supportedEntryPoints"), json::array{entry()});
  EXPECT_TRUE(result("pimlico_getUserOperationGasPrice").at("fast").as_object().contains("maxFeePerGas"));
  chain.on("eth_call", [](const json::array&) -> chain::ChainResult<json::value> {
    chain::ChainError error;
    error.kind = chain::ChainErrorKind::rpc;
    error.code = 3;
    error.message = "execution reverted";
    error.data = {0xab};
    return tl::unexpected(error);
  });
  const json::object answer = ask("eth_call", {});
  EXPECT_EQ(answer.at("error").at("code").as_int64(), 3);
  EXPECT_EQ(answer.at("error").at("data").as_string(), "0xab");
}

TEST_F(gateway_test, HealthIsToldOnBothDoors) {
  health.add("part", [] {
    infra::HealthReport report;
    report.state = infra::HealthState::failed;
    report.words = "out of order";
    return report;
  });
  for (const auto& handler : {gateway->rpc_handler(), gateway->http_handler()}) {
    EXPECT_NE(get(handler, "/health").body.find("out of order"), std::string::npos);
    EXPECT_EQ(get(handler, "/health").status, 200u);
    EXPECT_EQ(get(handler, "/ready").status, 503u);
    EXPECT_EQ(get(handler, "/metrics").status, 200u);
  }
  EXPECT_EQ(get(gateway->http_handler(), "/api/v1/version").status, 200u);
  EXPECT_EQ(get(gateway->rpc_handler(), "/").status, 405u);
  EXPECT_EQ(get(gateway->rpc_handler(), "/nothing").status, 404u);
}

TEST_F(gateway_test, ReadsAtTheSameTimeAreLimited) {
  EXPECT_EQ(refused_as_too_many(260, "eth_blockNumber", {}), 4u);
  EXPECT_EQ(refused_as_too_many(256, "eth_blockNumber", {}), 0u);
}

TEST_F(gateway_test, SponsorshipsAtTheSameTimeAreLimited) {
  const json::array params{core::to_json(op()), entry(), "0x539"};
  EXPECT_EQ(refused_as_too_many(70, "pm_getPaymasterData", params), 6u);
  EXPECT_EQ(sponsor.most, 64u);
  EXPECT_EQ(refused_as_too_many(64, "pm_getPaymasterData", params), 0u);
}

TEST_F(gateway_test, ADepositThatIsNoNumberIsNotTakenForUnlimited) {
  chain.on_call(entry_point->address(), [](const chain::CallRequest&) { return core::Bytes{1, 2}; });
  core::UserOperation one = op();
  one.paymaster = Address{0x44};
  one.paymaster_verification_gas_limit = Uint256(50'000);
  EXPECT_EQ(code("eth_sendUserOperation", send_params(one)), -32'603);
  EXPECT_EQ(pool->statistics().waiting, 0u);
}

}  // namespace
}  // namespace community::gateway
