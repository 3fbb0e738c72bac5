// SPDX-License-Identifier: Apache-2.0
// Client, watcher, fees and entry points against a real development chain.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "community/chain/api/block_watcher.hpp"
#include "community/chain/api/entry_point.hpp"
#include "community/chain/api/fee_oracle.hpp"
#include "community/chain/api/view_calls.hpp"
#include "community/chain/fake/anvil.hpp"
#include "community/core/abi.hpp"
#include "community/infra/factory.hpp"
#include "trusted/base/sha2.hpp"

namespace community::chain {
namespace {

// The first account of anvil's well-known development phrase.
constexpr const char* kKey = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
constexpr const char* kAccount = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
// Arachnid's deterministic deployer, preloaded by anvil.
constexpr const char* kDeployer = "0x4e59b44847b379578588920ca78fbf26c0b4956c";

class anvil_test : public testing::Test {
 protected:
  void SetUp() override {
    if (!find_anvil()) GTEST_SKIP() << "anvil is NOT INSTALLED: run npm ci in contracts/ to have these tests";
  }

  void start(std::vector<std::string> arguments = {"--no-mining"}, std::uint16_t port = 0) {
    auto started = loop.block_on(Anvil::start(loop, std::move(arguments), port));
    ASSERT_TRUE(started.has_value()) << started.error().message;
    anvil = std::move(*started);
    JsonRpcChainOptions options;
    options.urls = {anvil->url()};
    options.chain_id = 31'337;
    options.rest = Milliseconds(1);
    if (!client) client = make_json_rpc_chain(*http, *clock, options);
  }

  Task<json::value> ask(std::string method, json::array params) {
    ChainCall call{std::move(method), std::move(params)};
    auto answer = co_await client->request(std::move(call), ChainCallOptions());
    EXPECT_TRUE(answer.has_value()) << answer.error().text();
    co_return answer.value_or(json::value());
  }
  Task<void> mine(std::uint64_t blocks = 1) {
    json::array params;
    params.push_back(json::value(core::format_quantity(blocks)));
    co_await ask("anvil_mine", std::move(params));
  }

  core::Transaction transfer(std::uint64_t nonce) const {
    core::Transaction transaction;
    transaction.chain_id = 31'337;
    transaction.nonce = nonce;
    transaction.to = Address{1};
    transaction.gas_limit = 100'000;
    transaction.max_fee_per_gas = 5'000'000'000;
    transaction.max_priority_fee_per_gas = 1'000'000'000;
    return core::sign_transaction(transaction, *core::parse_bytes32(kKey)).value();
  }

  infra::EventLoop loop;
  std::unique_ptr<infra::Clock> clock = infra::make_system_clock();
  std::unique_ptr<infra::HttpClient> http = infra::make_http_client({});
  std::unique_ptr<Anvil> anvil;
  std::unique_ptr<ExecutionClient> client;
  const Address account = *core::parse_address(kAccount);
};

TEST_F(anvil_test, TypedQuestionsAreAnswered) {
  start();
  auto test = [&]() -> Task<void> {
    EXPECT_EQ(co_await client->chain_id(), 31'337u);
    EXPECT_EQ(co_await client->block_number(), 0u);
    const auto balance = co_await client->balance(account);
    EXPECT_GT(balance.value(), Uint256(1'000'000));
    const auto code = co_await client->code(*core::parse_address(kDeployer));
    EXPECT_FALSE(code.value().empty());
    const auto none = co_await client->block(BlockRef::number(99));
    EXPECT_FALSE(none.value().has_value());
    const auto genesis = co_await client->block(BlockRef::number(0));
    const auto by_hash = co_await client->block(BlockRef::hash(genesis.value()->hash));
    EXPECT_EQ(by_hash.value()->number, 0u);
    EXPECT_EQ(co_await client->storage(account, Bytes32{}), Bytes32{});
  };
  loop.block_on(test());
}

TEST_F(anvil_test, ATransactionIsSentOnceMinedAndItsReceiptRead) {
  start();
  auto test = [&]() -> Task<void> {
    const auto transaction = transfer(0);
    const auto raw = transaction.signed_encoding().value();
    const auto hash = co_await client->send_raw_transaction(raw);
    EXPECT_EQ(hash.value(), transaction.hash().value());
    // The same bytes again: the node knows them, and that is no failure.
    const auto again = co_await client->send_raw_transaction(raw);
    EXPECT_TRUE(again.has_value());
    EXPECT_EQ(co_await client->transaction_count(account, BlockRef::pending()), 1u);
    const auto before = co_await client->receipt(*hash);
    EXPECT_FALSE(before.value().has_value());
    co_await mine();
    const auto after = co_await client->receipt(*hash);
    EXPECT_TRUE(after.value().has_value());
    EXPECT_TRUE((*after)->success);
    EXPECT_EQ((*after)->gas_used, 21'000u);
    EXPECT_EQ((*after)->raw.at("transactionHash").as_string(), core::to_hex(*hash));
  };
  loop.block_on(test());
}

TEST_F(anvil_test, RevertsCarryTheirBytesAndOverridesAreApplied) {
  start();
  auto test = [&]() -> Task<void> {
    CallRequest request;
    request.to = Address{7};
    StateOverrides overrides;
    // PUSH4 deadbeef, PUSH0, MSTORE, PUSH1 4, PUSH1 28, REVERT.
    overrides[Address{7}].code = core::parse_hex("0x63deadbeef5f526004601cfd").value();
    const auto reverted = co_await client->call(request, BlockRef::latest(), overrides);
    EXPECT_FALSE(reverted.has_value());
    EXPECT_TRUE(reverted.error().reverted);
    EXPECT_EQ(core::to_hex(reverted.error().data), "0xdeadbeef");
    const auto plain = co_await client->call(request);
    EXPECT_TRUE(plain.has_value());
    request.from = account;
    EXPECT_GE((co_await client->estimate_gas(request)).value(), 21'000u);
    json::object options;
    options["tracer"] = "prestateTracer";
    const auto trace = co_await client->trace_call(request, BlockRef::latest(), std::move(options));
    EXPECT_TRUE(trace.value().is_object());
    FeeOracle oracle(*client, *clock);
    const auto fees = co_await oracle.suggest();
    EXPECT_GT(fees.value().standard.max_fee_per_gas, fees.value().base_fee);
  };
  loop.block_on(test());
}

TEST_F(anvil_test, TheWatcherFollowsMiningReorganisationRevertAndRestart) {
  start();
  BlockWatcherOptions options;
  options.lag_polls = 1;
  BlockWatcher watcher(*client, *clock, options);
  std::vector<ChainEvent::Kind> kinds;
  watcher.listen([&](const ChainEvent& event) -> Task<void> {
    kinds.push_back(event.kind);
    co_return;
  });
  using Kind = ChainEvent::Kind;
  auto test = [&]() -> Task<void> {
    EXPECT_TRUE((co_await watcher.poll()).has_value());
    co_await mine(5);
    EXPECT_TRUE((co_await watcher.poll()).has_value());
    EXPECT_EQ(watcher.head()->number, 5u);
    EXPECT_EQ(kinds, std::vector<Kind>(6, Kind::block));
    kinds.clear();
    json::array reorg;
    reorg.push_back(2);
    reorg.push_back(json::array());
    co_await ask("anvil_reorg", std::move(reorg));
    EXPECT_TRUE((co_await watcher.poll()).has_value());
    EXPECT_EQ(kinds, (std::vector<Kind>{Kind::reorg, Kind::block, Kind::block}));
    const auto snapshot = co_await ask("evm_snapshot", json::array());
    co_await mine(2);
    EXPECT_TRUE((co_await watcher.poll()).has_value());
    json::array revert;
    revert.push_back(snapshot);
    co_await ask("evm_revert", std::move(revert));
    kinds.clear();
    EXPECT_TRUE((co_await watcher.poll()).has_value());
    EXPECT_EQ(kinds, std::vector<Kind>{Kind::reorg});
    EXPECT_EQ(watcher.head()->number, 5u);
    co_await anvil->stop();
    EXPECT_FALSE((co_await watcher.poll()).has_value());
  };
  loop.block_on(test());
  kinds.clear();
  start({"--no-mining", "--timestamp", "1700000000"}, anvil->port());
  const auto polled = loop.block_on(watcher.poll());
  EXPECT_TRUE(polled.has_value());
  EXPECT_EQ(kinds, (std::vector<Kind>{Kind::reset, Kind::block}));
}

TEST_F(anvil_test, RunTellsBlocksAsTheyAreMined) {
  start({"--block-time", "1"});
  BlockWatcherOptions options;
  options.poll = Milliseconds(50);
  BlockWatcher watcher(*client, *clock, options);
  infra::Event second;
  watcher.listen([&](const ChainEvent& event) -> Task<void> {
    if (event.block.number >= 2) second.set();
    co_return;
  });
  auto test = [&]() -> Task<void> {
    infra::TaskGroup group(co_await boost::asio::this_coro::executor);
    group.spawn(watcher.run());
    EXPECT_TRUE(co_await second.wait_for(Milliseconds(60'000)));
    group.cancel();
    co_await group.join();
  };
  loop.block_on(test());
}

// Deploys the published EntryPoint through the deterministic deployer and compares what we compute with what it says.
class anvil_entry_point_test : public anvil_test {
 protected:
  Task<void> deploy(const EntryPoint& entry_point, std::string artifact, std::string salt) {
    std::ifstream file(std::string(COMMUNITY_SOURCE_DIR) + "/contracts/node_modules/" + artifact +
                       "/artifacts/EntryPoint.json");
    std::stringstream text;
    text << file.rdbuf();
    const std::string bytecode(json::parse(text.str()).at("bytecode").as_string());
    json::object transaction;
    transaction["from"] = kAccount;
    transaction["to"] = kDeployer;
    transaction["gas"] = "0xb71b00";
    transaction["data"] = salt + bytecode.substr(2);
    json::array params;
    params.push_back(std::move(transaction));
    co_await ask("eth_sendTransaction", std::move(params));
    co_await mine();
    const auto code = co_await client->code(entry_point.address());
    EXPECT_FALSE(code.value().empty());
  }

  Task<void> compare(const EntryPoint& entry_point) {
    core::UserOperation op;
    op.sender = Address{8};
    op.nonce = 5;
    // No contract there: the sender is not created.
    op.factory = Address{9};
    op.call_data = Bytes{1, 2, 3};
    op.call_gas_limit = op.verification_gas_limit = op.pre_verification_gas = 100'000;
    op.max_fee_per_gas = 2'000'000'000;
    op.signature = Bytes(65, 1);
    const auto packed = core::pack(op).value();

    CallRequest request;
    request.to = entry_point.address();
    const auto function =
        core::parse_abi_function("getUserOpHash((address,uint256,bytes,bytes,bytes32,uint256,bytes32,bytes,bytes))");
    std::vector<core::AbiValue> values;
    values.push_back(core::to_abi(packed));
    request.data = function->encode(values).value();
    const auto hash = co_await client->call(request);
    EXPECT_EQ(core::to_hex(hash.value()), core::to_hex(entry_point.userop_hash(op, 31'337).value()));

    request.data = entry_point.encode_get_nonce(account, Uint256(0));
    const auto nonce = co_await client->call(request);
    EXPECT_EQ(decode_word(nonce.value()), Uint256(0));
    request.data = entry_point.encode_get_deposit_info(account);
    const auto info = co_await client->call(request);
    EXPECT_FALSE(entry_point.decode_deposit_info(info.value()).value().staked);

    std::vector<PackedUserOperation> ops;
    ops.push_back(packed);
    request.data = entry_point.encode_handle_ops(ops, account).value();
    request.from = account;
    const auto refused = co_await client->call(request);
    EXPECT_FALSE(refused.has_value());
    const auto failed = entry_point.decode_failed_op(refused.error().data);
    EXPECT_TRUE(failed.has_value()) << refused.error().text();
    EXPECT_EQ(failed.value_or(FailedOp()).reason.substr(0, 3), "AA1");
  }
};

TEST_F(anvil_entry_point_test, Version07AgreesWithTheContract) {
  start();
  const auto entry_point = v0_7::make_entry_point();
  loop.block_on(deploy(*entry_point, "aa07", "0x90d8084deab30c2a37c45e8d47f49f2f7965183cb6990a98943ef94940681de3"));
  loop.block_on(compare(*entry_point));
}

TEST_F(anvil_entry_point_test, Version08AgreesWithTheContract) {
  start();
  const auto entry_point = v0_8::make_entry_point();
  loop.block_on(deploy(*entry_point, "@account-abstraction/contracts",
                       "0x0a59dbff790c23c976a548690c27297883cc66b4c67024f9117b0238995e35e9"));
  loop.block_on(compare(*entry_point));
}

// One eth_call with what several would answer, reverts and addresses without code among them.
TEST_F(anvil_test, AsksManyThingsInOneCall) {
  start();
  // Precompiles: SHA-256, identity, and a pairing check, which fails for an input of a wrong length.
  const Bytes words(70, 0x11);
  const auto precompile = [](std::uint8_t number) {
    Address address{};
    address.back() = number;
    return address;
  };
  const std::vector<ViewCall> calls{{precompile(2), words},
                                    {precompile(4), words},
                                    {Address{9, 9}, words},
                                    {precompile(8), Bytes(5, 1)},
                                    {precompile(4), {}}};
  CallRequest request;
  request.data = encode_view_calls(calls);
  const auto answer = loop.block_on(client->call(request));
  ASSERT_TRUE(answer) << answer.error().text();
  const auto answers = decode_view_answers(*answer, calls.size());
  ASSERT_TRUE(answers);
  EXPECT_EQ((*answers)[0].data, core::to_bytes(base::sha256(words)));
  EXPECT_EQ((*answers)[1].data, words);
  EXPECT_TRUE((*answers)[2].success && (*answers)[2].data.empty());
  EXPECT_FALSE((*answers)[3].success);
  EXPECT_TRUE((*answers)[4].success && (*answers)[4].data.empty());
}

}  // namespace
}  // namespace community::chain
