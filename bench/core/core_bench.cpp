// SPDX-License-Identifier: Apache-2.0
// Hot paths of core: what every operation costs before it reaches the pool, and the tool's lines.
#include <benchmark/benchmark.h>

#include <sstream>

#include "community/core/abi.hpp"
#include "community/core/userop.hpp"
#include "community/tool/api/tool.hpp"
#include "trusted/base/keccak.hpp"
#include "trusted/base/sha2.hpp"

namespace community::core {
namespace {

// The shape of a sponsored transfer: 196 bytes of call data, 149 of paymaster data, 257 of signature.
std::string operation_text() {
  const auto digits = [](std::size_t bytes) { return "\"0x" + std::string(2 * bytes, 'a') + "\""; };
  return R"({"sender":"0x1234567890123456789012345678901234567890","nonce":"0x70000000000000005","callData":)" +
         digits(196) +
         R"(,"callGasLimit":"0x186a0","verificationGasLimit":"0x30d40","preVerificationGas":"0xc350",)"
         R"("maxFeePerGas":"0xb2d05e00","maxPriorityFeePerGas":"0x3b9aca00",)"
         R"("paymaster":"0x70997970c51812dc3a010c7d01b50e0d17dc79c8","paymasterVerificationGasLimit":"0x7530",)"
         R"("paymasterPostOpGasLimit":"0x9c40","paymasterData":)" +
         digits(149) + R"(,"signature":)" + digits(257) + "}";
}

UserOperation operation() { return userop_from_json(parse_json(operation_text()).value()).value(); }

void keccak256(benchmark::State& state) {
  const Bytes data(static_cast<std::size_t>(state.range(0)), 7);
  for (auto _ : state) benchmark::DoNotOptimize(base::keccak256(data));
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) * state.range(0));
}
BENCHMARK(keccak256)->Arg(32)->Arg(1024)->Arg(65536);

void sha256(benchmark::State& state) {
  const Bytes data(static_cast<std::size_t>(state.range(0)), 7);
  for (auto _ : state) benchmark::DoNotOptimize(base::sha256(data));
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) * state.range(0));
}
BENCHMARK(sha256)->Arg(32)->Arg(1024)->Arg(65536);

void userop_parse_json(benchmark::State& state) {
  const std::string text = operation_text();
  for (auto _ : state) benchmark::DoNotOptimize(userop_from_json(parse_json(text).value()));
}
BENCHMARK(userop_parse_json);

void userop_hash(benchmark::State& state) {
  const UserOperation op = operation();
  const auto version = static_cast<EntryPointVersion>(state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(userop_hash(op, version, op.sender, Uint256(1)));
}
BENCHMARK(userop_hash)->Arg(7)->Arg(8);

void encode_bundle(benchmark::State& state) {
  const std::vector<PackedUserOperation> ops(static_cast<std::size_t>(state.range(0)), pack(operation()).value());
  for (auto _ : state) benchmark::DoNotOptimize(encode_handle_ops(ops, ops[0].sender));
}
BENCHMARK(encode_bundle)->Arg(1)->Arg(100);

void abi_decode_bundle(benchmark::State& state) {
  const std::vector<PackedUserOperation> ops(100, pack(operation()).value());
  const Bytes call = encode_handle_ops(ops, ops[0].sender).value();
  const auto function =
      parse_abi_function("handleOps((address,uint256,bytes,bytes,bytes32,uint256,bytes32,bytes,bytes)[],address)");
  for (auto _ : state) benchmark::DoNotOptimize(function->decode(call));
}
BENCHMARK(abi_decode_bundle);

void transaction_sign(benchmark::State& state) {
  Transaction tx;
  tx.chain_id = Uint256(1);
  tx.data = Bytes(1000, 1);
  const Bytes32 key = base::keccak256(base::view("key"));
  for (auto _ : state) benchmark::DoNotOptimize(sign_transaction(tx, key));
}
BENCHMARK(transaction_sign);

void transaction_sender(benchmark::State& state) {
  Transaction tx;
  tx.chain_id = Uint256(1);
  tx.data = Bytes(1000, 1);
  const Bytes encoded = sign_transaction(tx, base::keccak256(base::view("key")))->signed_encoding().value();
  for (auto _ : state) benchmark::DoNotOptimize(decode_transaction(encoded)->sender());
}
BENCHMARK(transaction_sender);

void tool_hash_lines(benchmark::State& state) {
  std::string lines;
  for (int i = 0; i < 1000; i++)
    lines += "{\"id\":" + std::to_string(i) + R"(,"op":"hash","in":{"data":"0x)" + std::string(200, 'b') + "\"}}\n";
  for (auto _ : state) {
    std::stringstream in(lines), out;
    benchmark::DoNotOptimize(tool::run_tool(in, out));
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()) * 1000);
}
BENCHMARK(tool_hash_lines);

}  // namespace
}  // namespace community::core
