// SPDX-License-Identifier: Apache-2.0
#include "community/wallet/api/operations.hpp"

#include "community/accounts/api/account.hpp"
#include "community/accounts/api/reverts.hpp"
#include "community/chain/api/entry_point.hpp"

namespace community::wallet {
namespace {

namespace json = boost::json;
using core::UserOperation;

constexpr int kReceiptPolls = 1'200;
constexpr infra::Milliseconds kReceiptPause{100};
// A relay that gave the operation up will never have a receipt for it. Asked seldom: it is one call more.
constexpr int kPollsPerStatus = 10;
// P-256 without the precompile takes 250,000 gas; what is not used costs nothing.
constexpr std::uint64_t kDirectVerificationGas = 1'000'000;
// Where the server does not estimate.
constexpr std::uint64_t kCallGas = 2'000'000;
// What handleOps itself takes around an operation, and 63/64 of what is given reaches the account.
constexpr std::uint64_t kBundleGas = 200'000;

// Replaces the bytes of an error of our contracts, which a relay passes on as hex, by its name and figures.
std::string with_named_revert(std::string words) {
  const std::size_t start = words.rfind("0x");
  if (start == std::string::npos) return words;
  const std::size_t end = words.find_first_not_of("0123456789abcdefABCDEF", start + 2);
  const auto bytes = core::parse_hex(std::string_view(words).substr(start, end - start));
  const auto named = bytes ? accounts::describe_account_revert(*bytes) : std::nullopt;
  if (named) words.replace(start, end == std::string::npos ? end : end - start, *named);
  return words;
}

Error node_says(const std::string& method, const infra::RpcError& error) {
  return {ErrorCode::node, method + ": " + with_named_revert(error.message)};
}

Task<Result<json::value>> call(infra::RpcClient& rpc, std::string method, json::array params) {
  json::value value(std::move(params));
  auto answer = co_await rpc.call(method, std::move(value));
  if (!answer) co_return fail(ErrorCode::node, method + ": " + answer.error().text());
  if (!*answer) co_return tl::unexpected(node_says(method, answer->error()));
  co_return std::move(**answer);
}

tl::unexpected<Error> malformed(std::string_view method) {
  return fail(ErrorCode::node, std::string(method) + " answers in another form than its standard says");
}

// Takes the members that are there; each is a quantity.
Result<void> take_numbers(const json::value& value, std::string_view method,
                          std::initializer_list<std::pair<const char*, Uint256*>> members) {
  const json::object* object = value.if_object();
  if (object == nullptr) return malformed(method);
  for (const auto& [key, target] : members) {
    if (core::find_member(*object, key) == nullptr) continue;
    const auto number = core::number_member(*object, key);
    if (!number) return malformed(method);
    *target = *number;
  }
  return {};
}

Result<void> take_paymaster(const json::value& answer, std::string_view method, UserOperation& op) {
  const json::object* object = answer.if_object();
  if (object == nullptr) return malformed(method);
  const auto address = core::address_member(*object, "paymaster");
  auto data = core::bytes_member(*object, "paymasterData");
  if (!address || !data) return malformed(method);
  op.paymaster = *address;
  op.paymaster_data = std::move(*data);
  return take_numbers(answer, method,
                      {{"paymasterVerificationGasLimit", &op.paymaster_verification_gas_limit},
                       {"paymasterPostOpGasLimit", &op.paymaster_post_op_gas_limit}});
}

std::uint32_t day_of(std::uint64_t seconds) {
  return static_cast<std::uint32_t>(seconds / static_cast<std::uint64_t>(accounts::kSecondsPerDay));
}

class RelayedOperation {
 public:
  RelayedOperation(RelayClient relay, OperationOrder order, OperationSigner& signer, Step step)
      : relay_(relay), order_(std::move(order)), signer_(signer), step_(std::move(step)) {}

  Task<Result<OperationResult>> run() {
    if (auto done = co_await build(); !done) co_return tl::unexpected(done.error());
    if (auto done = co_await estimate(); !done) co_return tl::unexpected(done.error());
    if (auto done = co_await sign(); !done) co_return tl::unexpected(done.error());
    co_return co_await submit();
  }

 private:
  Task<Result<void>> build();
  Task<Result<void>> estimate();
  Task<Result<void>> sign();
  Task<Result<OperationResult>> submit();
  Task<Result<void>> check_status();
  Result<OperationResult> read_receipt(const json::value& answer);

  json::array op_params() const {
    json::array params;
    params.push_back(core::to_json(op_));
    params.push_back(json::string(core::format_address(relay_.entry_point)));
    return params;
  }
  json::array paymaster_params() const {
    json::array params = op_params();
    params.push_back(json::string(core::format_quantity(Uint256(relay_.chain_id))));
    params.push_back(json::object());
    return params;
  }

  RelayClient relay_;
  OperationOrder order_;
  OperationSigner& signer_;
  Step step_;
  UserOperation op_;
  Bytes32 hash_{};
  std::uint32_t day_ = 0;
};

Task<Result<void>> RelayedOperation::build() {
  op_.sender = order_.sender;
  op_.call_data = order_.call_data;
  if (!order_.init_data.empty()) {
    op_.factory = order_.factory;
    op_.factory_data = accounts::encode_create_account(order_.init_data);
  }
  const auto entry_point = chain::v0_8::make_entry_point(relay_.entry_point);
  json::object nonce_call;
  nonce_call["to"] = core::format_address(relay_.entry_point);
  nonce_call["data"] = core::to_hex(entry_point->encode_get_nonce(op_.sender, order_.nonce_key));
  json::array nonce_params{std::move(nonce_call), "latest"};
  const auto nonce = co_await call(relay_.rpc, "eth_call", std::move(nonce_params));
  if (!nonce) co_return tl::unexpected(nonce.error());
  const auto nonce_word = core::number_value(*nonce);
  if (!nonce_word) co_return malformed("eth_call");
  op_.nonce = *nonce_word;

  constexpr const char* kPrice = "pimlico_getUserOperationGasPrice";
  const auto price = co_await call(relay_.rpc, kPrice, json::array());
  if (!price) co_return tl::unexpected(price.error());
  const json::value* fast = price->is_object() ? price->get_object().if_contains("fast") : nullptr;
  if (fast == nullptr) co_return malformed(kPrice);
  if (auto taken = take_numbers(
          *fast, kPrice,
          {{"maxFeePerGas", &op_.max_fee_per_gas}, {"maxPriorityFeePerGas", &op_.max_priority_fee_per_gas}});
      !taken)
    co_return taken;
  if (!order_.sponsored) {
    json::array latest{"latest", false};
    const auto block = co_await call(relay_.rpc, "eth_getBlockByNumber", std::move(latest));
    if (!block) co_return tl::unexpected(block.error());
    const auto time =
        block->is_object() ? core::number_member(block->get_object(), "timestamp") : core::Result<Uint256>(Uint256());
    if (!time) co_return malformed("eth_getBlockByNumber");
    day_ = day_of(time->to_u64().value_or(0));
  }
  op_.signature = signer_.dummy(day_);
  co_return Result<void>{};
}

Task<Result<void>> RelayedOperation::estimate() {
  if (order_.sponsored) {
    constexpr const char* kStub = "pm_getPaymasterStubData";
    const auto stub = co_await call(relay_.rpc, kStub, paymaster_params());
    if (!stub) co_return tl::unexpected(stub.error());
    if (auto taken = take_paymaster(*stub, kStub, op_); !taken) co_return taken;
  }
  constexpr const char* kEstimate = "eth_estimateUserOperationGas";
  const auto limits = co_await call(relay_.rpc, kEstimate, op_params());
  if (!limits) co_return tl::unexpected(limits.error());
  if (auto taken = take_numbers(*limits, kEstimate,
                                {{"preVerificationGas", &op_.pre_verification_gas},
                                 {"verificationGasLimit", &op_.verification_gas_limit},
                                 {"callGasLimit", &op_.call_gas_limit},
                                 {"paymasterVerificationGasLimit", &op_.paymaster_verification_gas_limit},
                                 {"paymasterPostOpGasLimit", &op_.paymaster_post_op_gas_limit}});
      !taken)
    co_return taken;
  step_("gas is estimated with a dummy signature as long as the real one");
  if (!order_.sponsored) co_return Result<void>{};
  constexpr const char* kData = "pm_getPaymasterData";
  const auto data = co_await call(relay_.rpc, kData, paymaster_params());
  if (!data) co_return tl::unexpected(data.error());
  if (auto taken = take_paymaster(*data, kData, op_); !taken) co_return taken;
  step_("the paymaster key in the trusted core signed the sponsorship");
  co_return Result<void>{};
}

Task<Result<void>> RelayedOperation::sign() {
  const auto hash = core::userop_hash(op_, core::EntryPointVersion::v0_8, relay_.entry_point, Uint256(relay_.chain_id));
  if (!hash) co_return fail(ErrorCode::argument, hash.error().text());
  hash_ = *hash;
  auto signature = co_await signer_.sign(op_, hash_, day_);
  if (!signature) co_return tl::unexpected(std::move(signature.error()));
  op_.signature = std::move(*signature);
  step_("the operation " + core::to_hex(hash_) + " is signed");
  co_return Result<void>{};
}

Result<OperationResult> RelayedOperation::read_receipt(const json::value& answer) {
  constexpr const char* kReceipt = "eth_getUserOperationReceipt";
  const json::object* receipt = answer.if_object();
  const json::value* success = receipt == nullptr ? nullptr : receipt->if_contains("success");
  if (success == nullptr || !success->is_bool()) return malformed(kReceipt);
  if (!success->get_bool()) {
    const auto reason = core::bytes_member(*receipt, "reason");
    const auto words = reason ? accounts::describe_account_revert(*reason) : std::nullopt;
    return fail(ErrorCode::reverted,
                "the operation was included and its execution failed" + (words ? ": " + *words : std::string()));
  }
  const auto transaction = core::object_member(*receipt, "receipt");
  if (!transaction) return malformed(kReceipt);
  const auto hash = core::bytes32_member(**transaction, "transactionHash");
  const auto block = core::number_member(**transaction, "blockNumber");
  if (!hash || !block) return malformed(kReceipt);
  OperationResult result;
  result.userop_hash = hash_;
  result.transaction_hash = *hash;
  result.block_number = block->to_u64().value_or(0);
  if (auto taken = take_numbers(answer, kReceipt, {{"actualGasUsed", &result.gas_used}}); !taken)
    return tl::unexpected(std::move(taken.error()));
  return result;
}

// Refused when the relay says that it gave the operation up. A relay without the method is waited for like before.
Task<Result<void>> RelayedOperation::check_status() {
  constexpr const char* kStatus = "pimlico_getUserOperationStatus";
  json::array params{json::string(core::to_hex(hash_))};
  const auto answer = co_await call(relay_.rpc, kStatus, std::move(params));
  const json::object* object = answer ? answer->if_object() : nullptr;
  const json::value* status = object == nullptr ? nullptr : object->if_contains("status");
  if (status == nullptr || !status->is_string() || status->get_string() != "rejected") co_return Result<void>{};
  const json::value* reason = object->if_contains("reason");
  const bool has_reason = reason != nullptr && reason->is_string();
  co_return fail(ErrorCode::not_included,
                 "the operation " + core::to_hex(hash_) + " was accepted and given up by the node: " +
                     (has_reason ? with_named_revert(std::string(reason->get_string())) : "it does not say why"));
}

Task<Result<OperationResult>> RelayedOperation::submit() {
  const auto accepted = co_await call(relay_.rpc, "eth_sendUserOperation", op_params());
  if (!accepted) co_return tl::unexpected(accepted.error());
  step_("the bundler accepted it; it is on disk");
  for (int poll = 0; poll < kReceiptPolls; poll++) {
    json::array params{json::string(core::to_hex(hash_))};
    const auto answer = co_await call(relay_.rpc, "eth_getUserOperationReceipt", std::move(params));
    if (!answer) co_return tl::unexpected(answer.error());
    if (!answer->is_null()) co_return read_receipt(*answer);
    if (poll % kPollsPerStatus == kPollsPerStatus - 1)
      if (auto goes_on = co_await check_status(); !goes_on) co_return tl::unexpected(std::move(goes_on.error()));
    co_await infra::sleep_real(kReceiptPause);
  }
  co_return fail(ErrorCode::not_included, "the operation " + core::to_hex(hash_) +
                                              " was accepted but not included in time; look at the node's log");
}

}  // namespace

Task<Result<OperationResult>> send_through_relay(RelayClient relay, OperationOrder order, OperationSigner& signer,
                                                 Step step) {
  RelayedOperation operation(relay, std::move(order), signer, std::move(step));
  co_return co_await operation.run();
}

Task<Result<OperationResult>> send_directly(Payer& payer, Address entry_point, OperationOrder order,
                                            OperationSigner& signer, Step step) {
  chain::ExecutionClient& chain = payer.chain();
  const auto contract = chain::v0_8::make_entry_point(entry_point);
  const auto latest = co_await chain.block(chain::BlockRef::latest());
  if (!latest) co_return tl::unexpected(chain_refusal(latest.error()));
  if (!*latest) co_return fail(ErrorCode::chain, "the chain has no latest block");
  chain::CallRequest ask_nonce;
  ask_nonce.to = entry_point;
  ask_nonce.data = contract->encode_get_nonce(order.sender, order.nonce_key);
  const auto nonce = co_await chain.call(std::move(ask_nonce));
  if (!nonce) co_return tl::unexpected(chain_refusal(nonce.error()));
  const auto nonce_word = chain::decode_word(*nonce);
  if (!nonce_word) co_return fail(ErrorCode::chain, "there is no EntryPoint at " + core::format_address(entry_point));

  // The trial run says why it would fail, and what it takes.
  chain::CallRequest trial;
  trial.from = entry_point;
  trial.to = order.sender;
  trial.data = order.call_data;
  std::uint64_t call_gas = kCallGas;
  if (!order.call_data.empty()) {
    const auto gas = co_await chain.estimate_gas(std::move(trial));
    if (!gas && gas.error().reverted) co_return tl::unexpected(chain_refusal(gas.error()));
    // Some servers estimate for no sender that has code.
    if (gas) call_gas = *gas + *gas / 2 + 50'000;
  }
  UserOperation op;
  op.sender = order.sender;
  op.nonce = *nonce_word;
  op.call_data = std::move(order.call_data);
  op.verification_gas_limit = Uint256(kDirectVerificationGas);
  op.call_gas_limit = Uint256(call_gas);
  const std::uint32_t day = day_of((*latest)->timestamp);
  const auto hash = core::userop_hash(op, core::EntryPointVersion::v0_8, entry_point, Uint256(payer.chain_id()));
  if (!hash) co_return fail(ErrorCode::argument, hash.error().text());
  auto signature = co_await signer.sign(op, *hash, day);
  if (!signature) co_return tl::unexpected(std::move(signature.error()));
  op.signature = std::move(*signature);
  step("the operation " + core::to_hex(*hash) + " is signed");
  auto packed = core::pack(op);
  if (!packed) co_return fail(ErrorCode::argument, packed.error().text());
  std::vector<core::PackedUserOperation> ops{std::move(*packed)};
  auto bundle = contract->encode_handle_ops(ops, payer.address());
  if (!bundle) co_return fail(ErrorCode::argument, bundle.error().text());
  chain::CallRequest rehearsal;
  rehearsal.from = payer.address();
  rehearsal.to = entry_point;
  rehearsal.data = *bundle;
  if (const auto tried = co_await chain.call(std::move(rehearsal)); !tried)
    co_return tl::unexpected(chain_refusal(tried.error()));
  const auto receipt =
      co_await payer.send(entry_point, Uint256(), std::move(*bundle), kDirectVerificationGas + call_gas + kBundleGas);
  if (!receipt) co_return tl::unexpected(receipt.error());
  std::string why;
  for (const chain::Log& log : receipt->logs) {
    const auto event = contract->decode_event(log);
    if (!event) continue;
    // Stands before the operation's own event.
    if (const auto* reason = std::get_if<chain::RevertReasonEvent>(&*event); reason && reason->userop_hash == *hash)
      why = ": " + accounts::describe_account_revert(reason->reason).value_or(chain::describe_revert(reason->reason));
    const auto* done = std::get_if<chain::UserOperationEvent>(&*event);
    if (done == nullptr || done->userop_hash != *hash) continue;
    if (!done->success)
      co_return fail(ErrorCode::reverted, "the operation was included and its execution failed" + why +
                                              "; transaction " + core::to_hex(receipt->transaction_hash));
    co_return OperationResult{*hash, receipt->transaction_hash, receipt->block_number, done->actual_gas_used};
  }
  co_return fail(ErrorCode::chain, "transaction " + core::to_hex(receipt->transaction_hash) +
                                       " does not hold the operation: ask another server of the chain");
}

}  // namespace community::wallet
