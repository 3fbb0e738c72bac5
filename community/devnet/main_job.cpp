// SPDX-License-Identifier: Apache-2.0
#include "community/devnet/api/main_job.hpp"

#include "community/accounts/api/account.hpp"
#include "community/core/json.hpp"

namespace community::devnet {
namespace {

namespace json = boost::json;
using core::UserOperation;

constexpr int kReceiptPolls = 1'200;
constexpr infra::Milliseconds kReceiptPause{100};
// Wei; what the demonstration account holds before its first transfer.
constexpr std::uint64_t kInitialBalance = 1'000'000'000'000'000'000;

// Calls the node's own JSON-RPC and keeps the words of its errors.
Task<Result<json::value>> call(infra::RpcClient& relay, std::string method, json::array params) {
  json::value value(std::move(params));
  auto answer = co_await relay.call(method, std::move(value));
  if (!answer) co_return fail(method + ": " + answer.error().text());
  if (!*answer) co_return fail(method + ": " + answer->error().message);
  co_return std::move(**answer);
}

json::array op_params(const UserOperation& op, const Address& entry_point) {
  json::array params;
  params.push_back(core::to_json(op));
  params.push_back(json::string(core::format_address(entry_point)));
  return params;
}

json::array paymaster_params(const UserOperation& op, const Deployment& deployment) {
  json::array params = op_params(op, deployment.entry_point_v0_8);
  params.push_back(json::string(core::format_quantity(Uint256(deployment.chain_id))));
  params.push_back(json::object());
  return params;
}

Result<const json::object*> as_object(const json::value& value, std::string_view method) {
  const json::object* object = value.if_object();
  if (object == nullptr) return fail(std::string(method) + " answered no object");
  return object;
}

// Takes the members that are there; each is a quantity.
Result<void> take_numbers(const json::object& object, std::initializer_list<std::pair<const char*, Uint256*>> members) {
  for (const auto& [key, target] : members) {
    if (core::find_member(object, key) == nullptr) continue;
    const auto number = core::number_member(object, key);
    if (!number) return fail(number.error().message);
    *target = *number;
  }
  return {};
}

Result<void> take_paymaster(const json::value& answer, UserOperation& op) {
  const auto object = as_object(answer, "the paymaster");
  if (!object) return tl::unexpected(object.error());
  const auto address = core::address_member(**object, "paymaster");
  auto data = core::bytes_member(**object, "paymasterData");
  if (!address || !data) return fail("the paymaster's answer is malformed");
  op.paymaster = *address;
  op.paymaster_data = std::move(*data);
  return take_numbers(**object, {{"paymasterVerificationGasLimit", &op.paymaster_verification_gas_limit},
                                 {"paymasterPostOpGasLimit", &op.paymaster_post_op_gas_limit}});
}

class MainJob {
 public:
  explicit MainJob(MainJobInput input) : in_(std::move(input)) {}

  Task<Result<MainJobResult>> run() {
    if (auto done = co_await prepare_wallet(); !done) co_return tl::unexpected(done.error());
    if (auto done = co_await build(); !done) co_return tl::unexpected(done.error());
    if (auto done = co_await sign(); !done) co_return tl::unexpected(done.error());
    if (auto done = co_await submit(); !done) co_return tl::unexpected(done.error());
    co_return result_;
  }

 private:
  Task<Result<void>> prepare_wallet();
  Task<Result<void>> create_wallet();
  Task<Result<void>> build();
  Task<Result<void>> sponsor_and_estimate();
  Task<Result<void>> sign();
  Task<Result<void>> submit();

  std::string account_text() const { return core::format_address(result_.wallet.account); }

  MainJobInput in_;
  MainJobResult result_;
  UserOperation op_;
};

Task<Result<void>> MainJob::create_wallet() {
  keys::Passkey passkey;
  passkey.credential_id = in_.passkey.credential_id();
  passkey.public_key = in_.passkey.public_key();
  passkey.rp_id_hash = in_.passkey.rp_id_hash();
  protocol::Policy policy;
  policy.call_value_cap = policy.operation_value_cap = Uint256(kInitialBalance);
  const auto wallet = co_await in_.wallets.create_wallet(passkey, policy);
  if (!wallet) co_return fail("creating the wallet: " + wallet.error().text());
  in_.step("the trusted core made a wallet; its server key is " + core::format_address(wallet->server_key));

  accounts::AccountInit init;
  init.passkeys.push_back({in_.passkey.public_key(), in_.passkey.rp_id_hash()});
  init.server_key = wallet->server_key;
  init.escape_key = in_.escape_key;
  init.limits.push_back({in_.deployment.chain_id, {}, Uint256(kInitialBalance)});
  auto init_data = accounts::encode_init_data(init);
  if (!init_data) co_return fail("encoding the init data: " + init_data.error().message);
  keys::AccountBindRequest bind;
  bind.wallet = wallet->id;
  bind.chain_id = in_.deployment.chain_id;
  bind.init_data = *init_data;
  const auto account = co_await in_.wallets.bind_account(std::move(bind));
  if (!account) co_return fail("binding the account: " + account.error().text());
  const Address computed =
      accounts::account_address(in_.deployment.account_factory, in_.deployment.proxy_init_code_hash, *init_data);
  if (computed != *account) co_return fail("the trusted core and the node compute different account addresses");
  result_.wallet = {wallet->id, std::move(*init_data), *account};
  if (auto kept = in_.keep(result_.wallet); !kept) co_return kept;
  in_.step("the account will be " + account_text() + ", whoever deploys it");
  co_return Result<void>{};
}

Task<Result<void>> MainJob::prepare_wallet() {
  if (in_.wallet) {
    result_.wallet = *in_.wallet;
    in_.step("the wallet of an earlier start is there; its account is " + account_text());
  } else {
    if (auto made = co_await create_wallet(); !made) co_return made;
  }
  if (auto funded = co_await in_.chain.fund(result_.wallet.account, Uint256(kInitialBalance)); !funded)
    co_return funded;
  co_return Result<void>{};
}

Task<Result<void>> MainJob::build() {
  op_.sender = result_.wallet.account;
  std::vector<accounts::Call> calls;
  calls.push_back({in_.recipient, in_.amount, {}});
  auto call_data = accounts::encode_batch(calls);
  if (!call_data) co_return fail("encoding the calls: " + call_data.error().message);
  op_.call_data = std::move(*call_data);

  json::array code_params;
  code_params.push_back(json::string(account_text()));
  code_params.push_back("latest");
  const auto code = co_await call(in_.relay, "eth_getCode", std::move(code_params));
  if (!code) co_return tl::unexpected(code.error());
  if (code->is_string() && code->get_string() == "0x") {
    op_.factory = in_.deployment.account_factory;
    op_.factory_data = accounts::encode_create_account(result_.wallet.init_data);
    result_.deployed = true;
  }

  const auto entry_point = chain::v0_8::make_entry_point();
  json::object nonce_call;
  nonce_call["to"] = core::format_address(in_.deployment.entry_point_v0_8);
  nonce_call["data"] = core::to_hex(entry_point->encode_get_nonce(op_.sender, in_.nonce_key));
  json::array nonce_params;
  nonce_params.push_back(std::move(nonce_call));
  nonce_params.push_back("latest");
  const auto nonce = co_await call(in_.relay, "eth_call", std::move(nonce_params));
  if (!nonce) co_return tl::unexpected(nonce.error());
  const auto nonce_word = core::number_value(*nonce);
  if (!nonce_word) co_return fail("the nonce is malformed");
  op_.nonce = *nonce_word;

  const auto price = co_await call(in_.relay, "pimlico_getUserOperationGasPrice", json::array());
  if (!price) co_return tl::unexpected(price.error());
  const json::object* fast = price->is_object() ? price->get_object().if_contains("fast")->if_object() : nullptr;
  if (fast == nullptr) co_return fail("the gas price is malformed");
  if (auto taken = take_numbers(
          *fast, {{"maxFeePerGas", &op_.max_fee_per_gas}, {"maxPriorityFeePerGas", &op_.max_priority_fee_per_gas}});
      !taken)
    co_return taken;
  op_.signature = accounts::dummy_dual_signature(in_.passkey.origin(), 0);
  co_return co_await sponsor_and_estimate();
}

Task<Result<void>> MainJob::sponsor_and_estimate() {
  const auto stub = co_await call(in_.relay, "pm_getPaymasterStubData", paymaster_params(op_, in_.deployment));
  if (!stub) co_return tl::unexpected(stub.error());
  if (auto taken = take_paymaster(*stub, op_); !taken) co_return taken;

  const auto estimate =
      co_await call(in_.relay, "eth_estimateUserOperationGas", op_params(op_, in_.deployment.entry_point_v0_8));
  if (!estimate) co_return tl::unexpected(estimate.error());
  const auto limits = as_object(*estimate, "eth_estimateUserOperationGas");
  if (!limits) co_return tl::unexpected(limits.error());
  auto taken = take_numbers(**limits, {{"preVerificationGas", &op_.pre_verification_gas},
                                       {"verificationGasLimit", &op_.verification_gas_limit},
                                       {"callGasLimit", &op_.call_gas_limit},
                                       {"paymasterVerificationGasLimit", &op_.paymaster_verification_gas_limit},
                                       {"paymasterPostOpGasLimit", &op_.paymaster_post_op_gas_limit}});
  if (!taken) co_return taken;
  in_.step("gas is estimated with a dummy signature as long as the real one");

  const auto final_data = co_await call(in_.relay, "pm_getPaymasterData", paymaster_params(op_, in_.deployment));
  if (!final_data) co_return tl::unexpected(final_data.error());
  if (auto done = take_paymaster(*final_data, op_); !done) co_return done;
  in_.step("the paymaster key in the trusted core signed the sponsorship");
  co_return Result<void>{};
}

Task<Result<void>> MainJob::sign() {
  const auto hash = core::userop_hash(op_, core::EntryPointVersion::v0_8, in_.deployment.entry_point_v0_8,
                                      Uint256(in_.deployment.chain_id));
  auto packed = core::pack(op_);
  if (!hash || !packed) co_return fail("the operation cannot be packed");
  const PasskeyAssertion assertion = in_.passkey.assert_challenge(*hash);
  keys::UseropRequest request;
  request.wallet = result_.wallet.wallet;
  request.chain_id = in_.deployment.chain_id;
  request.entry_point = in_.deployment.entry_point_v0_8;
  request.userop = std::move(*packed);
  request.assertion = {assertion.credential_id, assertion.client_data, assertion.authenticator_data,
                       assertion.signature};
  const auto is_signed = co_await in_.wallets.sign_userop(std::move(request));
  if (!is_signed) co_return fail("the trusted core refused to sign: " + is_signed.error().text());
  if (is_signed->hash != *hash) co_return fail("the trusted core computed another hash than the wallet");
  const accounts::PasskeySignature passkey{assertion.client_data, assertion.authenticator_data, assertion.signature};
  auto signature = accounts::encode_dual_signature(0, 0, is_signed->signature, passkey);
  if (!signature) co_return fail("assembling the signature: " + signature.error().message);
  op_.signature = std::move(*signature);
  result_.userop_hash = *hash;
  in_.step("passkey and server key signed the operation " + core::to_hex(*hash));
  co_return Result<void>{};
}

Task<Result<void>> MainJob::submit() {
  const auto accepted =
      co_await call(in_.relay, "eth_sendUserOperation", op_params(op_, in_.deployment.entry_point_v0_8));
  if (!accepted) co_return tl::unexpected(accepted.error());
  in_.step("the bundler accepted it; it is on disk");
  for (int poll = 0; poll < kReceiptPolls; poll++) {
    json::array params;
    params.push_back(json::string(core::to_hex(result_.userop_hash)));
    const auto answer = co_await call(in_.relay, "eth_getUserOperationReceipt", std::move(params));
    if (!answer) co_return tl::unexpected(answer.error());
    if (answer->is_null()) {
      co_await infra::sleep_real(kReceiptPause);
      continue;
    }
    const auto receipt = as_object(*answer, "eth_getUserOperationReceipt");
    if (!receipt) co_return tl::unexpected(receipt.error());
    const json::value* success = (*receipt)->if_contains("success");
    if (success == nullptr || !success->is_bool() || !success->get_bool())
      co_return fail("the operation was included, but its execution failed");
    const auto transaction = core::object_member(**receipt, "receipt");
    if (!transaction) co_return fail("the receipt is malformed");
    const auto hash = core::bytes32_member(**transaction, "transactionHash");
    const auto block = core::number_member(**transaction, "blockNumber");
    if (!hash || !block) co_return fail("the receipt is malformed");
    result_.transaction_hash = *hash;
    result_.block_number = block->to_u64().value_or(0);
    co_return take_numbers(**receipt, {{"actualGasUsed", &result_.gas_used}});
  }
  co_return fail("the operation was accepted but not included in time; look at the node's log");
}

}  // namespace

Task<Result<MainJobResult>> perform_main_job(MainJobInput input) {
  MainJob job(std::move(input));
  co_return co_await job.run();
}

}  // namespace community::devnet
