// SPDX-License-Identifier: Apache-2.0
// The typed questions over the one untyped.
#include "community/chain/api/execution_client.hpp"

namespace community::chain {
namespace {

// Executions, traces and scans of logs may take the node long: they do not hold other answers back.
constexpr ChainCallOptions kAlone{std::nullopt, false};

tl::unexpected<ChainError> malformed(std::string_view method, std::string_view what) {
  return chain_fail(ChainErrorKind::malformed, std::string(method) + ": " + std::string(what));
}

ChainResult<Uint256> as_number(ChainResult<json::value> answer, std::string_view method) {
  if (!answer) return tl::unexpected(std::move(answer.error()));
  auto number = core::number_value(*answer);
  if (!number) return malformed(method, number.error().text());
  return *number;
}

ChainResult<std::uint64_t> as_u64(ChainResult<json::value> answer, std::string_view method) {
  const auto number = as_number(std::move(answer), method);
  if (!number) return tl::unexpected(number.error());
  if (!number->fits_u64()) return malformed(method, "the number does not fit 64 bits");
  return number->limb[0];
}

ChainResult<Bytes> as_bytes(ChainResult<json::value> answer, std::string_view method) {
  if (!answer) return tl::unexpected(std::move(answer.error()));
  if (!answer->is_string()) return malformed(method, "not a string");
  auto bytes = core::parse_hex(std::string_view(answer->get_string()));
  if (!bytes) return malformed(method, bytes.error().text());
  return std::move(*bytes);
}

ChainResult<Bytes32> as_bytes32(ChainResult<json::value> answer, std::string_view method) {
  auto bytes = as_bytes(std::move(answer), method);
  if (!bytes) return tl::unexpected(std::move(bytes.error()));
  if (bytes->size() > 32) return malformed(method, "more than 32 bytes");
  // A storage word may come without its leading zeros.
  return Uint256::from_be(*bytes).to_be();
}

json::array list(std::initializer_list<json::value_ref> values) { return json::array(values); }

bool is_already_known(const ChainError& error) {
  if (error.kind != ChainErrorKind::rpc) return false;
  for (const char* words : {"already known", "already imported", "known transaction", "Known transaction",
                            "AlreadyKnown", "ALREADY_EXISTS"})
    if (error.message.find(words) != std::string::npos) return true;
  return false;
}

}  // namespace

Task<ChainResult<std::uint64_t>> ExecutionClient::chain_id() {
  ChainCall question{"eth_chainId", {}};
  co_return as_u64(co_await request(std::move(question), ChainCallOptions()), "eth_chainId");
}

Task<ChainResult<std::uint64_t>> ExecutionClient::block_number() {
  ChainCall question{"eth_blockNumber", {}};
  co_return as_u64(co_await request(std::move(question), ChainCallOptions()), "eth_blockNumber");
}

Task<ChainResult<std::optional<Block>>> ExecutionClient::block(BlockRef ref) {
  const bool by_hash = ref.block_hash().has_value();
  const char* method = by_hash ? "eth_getBlockByHash" : "eth_getBlockByNumber";
  ChainCall question{method, list({by_hash ? json::value(core::to_hex(*ref.block_hash())) : ref.to_json(), false})};
  auto answer = co_await request(std::move(question), ChainCallOptions());
  if (!answer) co_return tl::unexpected(std::move(answer.error()));
  if (answer->is_null()) co_return std::optional<Block>();
  auto block = block_from_json(*answer);
  if (!block) co_return tl::unexpected(std::move(block.error()));
  co_return std::optional<Block>(std::move(*block));
}

Task<ChainResult<Bytes>> ExecutionClient::code(Address address, BlockRef ref) {
  ChainCall question{"eth_getCode", list({core::to_hex(address), ref.to_json()})};
  co_return as_bytes(co_await request(std::move(question), ChainCallOptions()), "eth_getCode");
}

Task<ChainResult<Uint256>> ExecutionClient::balance(Address address, BlockRef ref) {
  ChainCall question{"eth_getBalance", list({core::to_hex(address), ref.to_json()})};
  co_return as_number(co_await request(std::move(question), ChainCallOptions()), "eth_getBalance");
}

Task<ChainResult<std::uint64_t>> ExecutionClient::transaction_count(Address address, BlockRef ref) {
  ChainCall question{"eth_getTransactionCount", list({core::to_hex(address), ref.to_json()})};
  co_return as_u64(co_await request(std::move(question), ChainCallOptions()), "eth_getTransactionCount");
}

Task<ChainResult<Bytes32>> ExecutionClient::storage(Address address, Bytes32 slot, BlockRef ref) {
  ChainCall question{"eth_getStorageAt", list({core::to_hex(address), core::to_hex(slot), ref.to_json()})};
  co_return as_bytes32(co_await request(std::move(question), ChainCallOptions()), "eth_getStorageAt");
}

Task<ChainResult<Bytes>> ExecutionClient::call(CallRequest request_, BlockRef ref, StateOverrides overrides) {
  ChainCall question{"eth_call", list({to_json(request_), ref.to_json()})};
  if (!overrides.empty()) question.params.push_back(to_json(overrides));
  co_return as_bytes(co_await request(std::move(question), kAlone), "eth_call");
}

Task<ChainResult<Bytes>> ExecutionClient::call_known(CallRequest request_) {
  ChainCall question{"eth_call", list({to_json(request_), BlockRef::latest().to_json()})};
  co_return as_bytes(co_await request(std::move(question), ChainCallOptions()), "eth_call");
}

Task<ChainResult<std::uint64_t>> ExecutionClient::estimate_gas(CallRequest request_, BlockRef ref,
                                                               StateOverrides overrides) {
  ChainCall question{"eth_estimateGas", list({to_json(request_), ref.to_json()})};
  if (!overrides.empty()) question.params.push_back(to_json(overrides));
  co_return as_u64(co_await request(std::move(question), kAlone), "eth_estimateGas");
}

Task<ChainResult<json::value>> ExecutionClient::trace_call(CallRequest request_, BlockRef ref, json::object options) {
  ChainCall question{"debug_traceCall", list({to_json(request_), ref.to_json(), std::move(options)})};
  co_return co_await request(std::move(question), kAlone);
}

Task<ChainResult<Bytes32>> ExecutionClient::send_raw_transaction(Bytes transaction) {
  ChainCall question{"eth_sendRawTransaction", list({core::to_hex(transaction)})};
  auto answer = co_await request(std::move(question), kAlone);
  if (!answer && is_already_known(answer.error())) {
    auto decoded = core::decode_transaction(transaction);
    if (!decoded) co_return tl::unexpected(std::move(answer.error()));
    auto hash = decoded->hash();
    if (!hash) co_return tl::unexpected(std::move(answer.error()));
    co_return *hash;
  }
  co_return as_bytes32(std::move(answer), "eth_sendRawTransaction");
}

Task<ChainResult<std::optional<Receipt>>> ExecutionClient::receipt(Bytes32 transaction_hash) {
  ChainCall question{"eth_getTransactionReceipt", list({core::to_hex(transaction_hash)})};
  auto answer = co_await request(std::move(question), ChainCallOptions());
  if (!answer) co_return tl::unexpected(std::move(answer.error()));
  if (answer->is_null()) co_return std::optional<Receipt>();
  auto receipt = receipt_from_json(*answer);
  if (!receipt) co_return tl::unexpected(std::move(receipt.error()));
  co_return std::optional<Receipt>(std::move(*receipt));
}

Task<ChainResult<json::value>> ExecutionClient::transaction(Bytes32 transaction_hash) {
  ChainCall question{"eth_getTransactionByHash", list({core::to_hex(transaction_hash)})};
  co_return co_await request(std::move(question), ChainCallOptions());
}

Task<ChainResult<std::vector<Log>>> ExecutionClient::logs(LogFilter filter) {
  ChainCall question{"eth_getLogs", list({to_json(filter)})};
  auto answer = co_await request(std::move(question), kAlone);
  if (!answer) co_return tl::unexpected(std::move(answer.error()));
  if (!answer->is_array()) co_return malformed("eth_getLogs", "not an array");
  std::vector<Log> logs;
  for (const auto& entry : answer->get_array()) {
    auto log = log_from_json(entry);
    if (!log) co_return tl::unexpected(std::move(log.error()));
    logs.push_back(std::move(*log));
  }
  co_return logs;
}

Task<ChainResult<FeeHistory>> ExecutionClient::fee_history(std::uint64_t blocks, BlockRef newest,
                                                           std::vector<double> percentiles) {
  json::array wanted;
  for (const double percentile : percentiles) wanted.push_back(percentile);
  ChainCall question{"eth_feeHistory", list({core::format_quantity(blocks), newest.to_json(), std::move(wanted)})};
  auto answer = co_await request(std::move(question), ChainCallOptions());
  if (!answer) co_return tl::unexpected(std::move(answer.error()));
  co_return fee_history_from_json(*answer);
}

Task<ChainResult<Uint256>> ExecutionClient::max_priority_fee() {
  ChainCall question{"eth_maxPriorityFeePerGas", {}};
  co_return as_number(co_await request(std::move(question), ChainCallOptions()), "eth_maxPriorityFeePerGas");
}

}  // namespace community::chain
