// SPDX-License-Identifier: Apache-2.0
// The execution client behind one question: a JSON-RPC method with parameters. The typed questions below are built on
// it, so a fake and a real node go through the same codecs.
#pragma once
#include "community/chain/api/types.hpp"
#include "community/infra/api/task.hpp"

namespace community::chain {

using infra::Milliseconds;
using infra::Task;

struct ChainCall {
  std::string method;
  json::array params;
};

struct ChainCallOptions {
  // The body's default when absent.
  std::optional<Milliseconds> timeout;
  // Calls asked in the same turn of the loop travel in one HTTP request. Off for what takes the node long: an answer
  // comes only when the whole batch is done.
  bool coalesce = true;
};

class ExecutionClient {
 public:
  virtual ~ExecutionClient() = default;

  virtual Task<ChainResult<json::value>> request(ChainCall call, ChainCallOptions options) = 0;
  // One JSON-RPC batch to one endpoint, so all answers come from the same node. The outer error is for the whole.
  virtual Task<ChainResult<std::vector<ChainResult<json::value>>>> batch(std::vector<ChainCall> calls,
                                                                         ChainCallOptions options) = 0;

  Task<ChainResult<std::uint64_t>> chain_id();
  Task<ChainResult<std::uint64_t>> block_number();
  // Without a value when the node does not know the block.
  Task<ChainResult<std::optional<Block>>> block(BlockRef ref);
  Task<ChainResult<Bytes>> code(Address address, BlockRef ref = BlockRef::latest());
  Task<ChainResult<Uint256>> balance(Address address, BlockRef ref = BlockRef::latest());
  Task<ChainResult<std::uint64_t>> transaction_count(Address address, BlockRef ref = BlockRef::latest());
  Task<ChainResult<Bytes32>> storage(Address address, Bytes32 slot, BlockRef ref = BlockRef::latest());

  // A revert is an rpc error with `reverted` and its bytes in `data`.
  Task<ChainResult<Bytes>> call(CallRequest request, BlockRef ref = BlockRef::latest(), StateOverrides overrides = {});
  // As call at the latest block, together with others: for a short view function of a contract that this program knows,
  // and of no other, which could take as long as it likes.
  Task<ChainResult<Bytes>> call_known(CallRequest request);
  Task<ChainResult<std::uint64_t>> estimate_gas(CallRequest request, BlockRef ref = BlockRef::latest(),
                                                StateOverrides overrides = {});
  // debug_traceCall: `options` names the tracer, its configuration and overrides, as the node wants them.
  Task<ChainResult<json::value>> trace_call(CallRequest request, BlockRef ref, json::object options);

  // The transaction's hash. Sending the same bytes again is harmless: "already known" answers are a success.
  Task<ChainResult<Bytes32>> send_raw_transaction(Bytes transaction);
  // Without a value while it is not in a block.
  Task<ChainResult<std::optional<Receipt>>> receipt(Bytes32 transaction_hash);
  // The node's own object, null when unknown.
  Task<ChainResult<json::value>> transaction(Bytes32 transaction_hash);
  Task<ChainResult<std::vector<Log>>> logs(LogFilter filter);

  Task<ChainResult<FeeHistory>> fee_history(std::uint64_t blocks, BlockRef newest, std::vector<double> percentiles);
  Task<ChainResult<Uint256>> max_priority_fee();
};

}  // namespace community::chain
