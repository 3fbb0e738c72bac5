// SPDX-License-Identifier: Apache-2.0
// A chain in memory that speaks JSON-RPC like an execution client, so that tests use the same codecs as production.
// It executes no code: tests say what calls return and what transactions do. Everything happens when told.
#pragma once
#include <deque>
#include <functional>

#include "community/chain/api/execution_client.hpp"
#include "community/chain/api/view_calls.hpp"

namespace community::chain {

class FakeChain final : public ExecutionClient {
 public:
  using MethodHandler = std::function<ChainResult<json::value>(const json::array&)>;
  using CallHandler = std::function<ChainResult<Bytes>(const CallRequest&)>;
  struct Executed {
    bool success = true;
    std::uint64_t gas_used = 21'000;
    // Address, topics and data are enough; the rest is filled in.
    std::vector<Log> logs;
  };
  using TransactionHandler = std::function<Executed(const core::Transaction&, const Address& from)>;

  explicit FakeChain(std::uint64_t chain_id = 1'337);

  Task<ChainResult<json::value>> request(ChainCall call, ChainCallOptions options) override;
  Task<ChainResult<std::vector<ChainResult<json::value>>>> batch(std::vector<ChainCall> calls,
                                                                 ChainCallOptions options) override;

  // The world.
  void set_balance(const Address& address, const Uint256& balance) { balances_[address] = balance; }
  void set_nonce(const Address& address, std::uint64_t nonce) { nonces_[address] = nonce; }
  void set_code(const Address& address, Bytes code) { codes_[address] = std::move(code); }
  void set_storage(const Address& address, const Bytes32& slot, const Bytes32& value) {
    storage_[{address, slot}] = value;
  }
  void set_base_fee(const Uint256& fee) { base_fee_ = fee; }
  void set_priority_fee(const Uint256& fee) { priority_fee_ = fee; }

  // What eth_call and eth_estimateGas to this contract answer; without a handler: empty bytes.
  void on_call(const Address& to, CallHandler handler) { call_handlers_[to] = std::move(handler); }
  // Replaces or adds a method; without a handler the world answers again.
  void on(std::string method, MethodHandler handler) {
    if (!handler) methods_.erase(method);
    if (handler) methods_[std::move(method)] = std::move(handler);
  }
  // What a mined transaction does; without a handler it succeeds.
  void on_transaction(TransactionHandler handler) { on_transaction_ = std::move(handler); }
  // The next requests fail so, oldest first.
  void fail_next(ChainError error) { failures_.push_back(std::move(error)); }

  // Of blocks that are mined from now on.
  void pass_time(std::uint64_t seconds) { passed_s_ += seconds; }
  // Adds blocks; the first takes the pending transactions that are next in their nonce and pay the base fee.
  const Block& mine(std::size_t blocks = 1);
  // Replaces the last `depth` blocks by `blocks` others; transactions of the replaced ones are pending again.
  void reorg(std::size_t depth, std::size_t blocks);
  // Takes the last blocks away, as evm_revert of development chains does.
  void rewind(std::size_t depth) { reorg(depth, 0); }
  // Another chain from its genesis on, with the same world.
  void reset();
  // Forgets a pending transaction, as nodes do under pressure.
  void drop_pending(const Bytes32& hash);

  const Block& head() const { return blocks_.back(); }
  std::size_t pending() const { return pending_.size(); }
  // Raw transactions accepted, in order.
  const std::vector<core::Transaction>& sent() const { return sent_; }
  // Everything asked, in order; single and batched.
  const std::vector<ChainCall>& calls() const { return calls_; }
  std::size_t count(std::string_view method) const;
  std::size_t requests() const { return requests_; }

 private:
  struct Known {
    core::Transaction transaction;
    Address from{};
    // Null while pending.
    json::value receipt;
  };

  ChainResult<json::value> answer(const ChainCall& call);
  ChainResult<json::value> answer_state(const ChainCall& call);
  ChainResult<json::value> answer_call(const ChainCall& call);
  ChainResult<Bytes> answer_contract(const CallRequest& request);
  ChainResult<Bytes> answer_view_calls(const std::vector<ViewCall>& calls);
  ChainResult<json::value> answer_block(const ChainCall& call) const;
  ChainResult<json::value> answer_fees(const ChainCall& call) const;
  ChainResult<json::value> send(const ChainCall& call);
  ChainResult<json::value> find_logs(const json::object& filter) const;
  void append_block();
  void include(const Bytes32& hash, Block& block);

  std::uint64_t chain_id_;
  std::uint64_t salt_ = 0, passed_s_ = 0;
  Uint256 base_fee_ = 1'000'000'000;
  Uint256 priority_fee_ = 1'000'000'000;
  std::vector<Block> blocks_;
  std::map<Address, Uint256> balances_;
  std::map<Address, std::uint64_t> nonces_;
  std::map<Address, Bytes> codes_;
  std::map<std::pair<Address, Bytes32>, Bytes32> storage_;
  std::map<Address, CallHandler> call_handlers_;
  std::map<std::string, MethodHandler, std::less<>> methods_;
  TransactionHandler on_transaction_;
  std::deque<ChainError> failures_;
  std::map<Bytes32, Known> transactions_;
  std::vector<Bytes32> pending_;
  std::vector<core::Transaction> sent_;
  std::vector<ChainCall> calls_;
  std::size_t requests_ = 0;
};

}  // namespace community::chain
