// SPDX-License-Identifier: Apache-2.0
#include "community/control/codec.hpp"

namespace community::control {
namespace {

constexpr std::size_t kMaxText = 512;
// WebAuthn, level 3, section 4: "at most 1023 bytes".
constexpr std::size_t kMaxCredentialId = 1'023;

template <class Enum>
std::optional<Enum> named(std::string_view text) {
  for (unsigned i = 0; i < 64; i++) {
    const auto value = static_cast<Enum>(i);
    if (name(value) == text) return value;
  }
  return std::nullopt;
}

}  // namespace

Members::Members(const json::value& params) : object_(params.if_object()), trouble_(std::make_shared<std::string>()) {
  if (object_ == nullptr) wrong("params");
}

Bytes Members::bytes(std::string_view member, std::size_t most) {
  const json::value* value = object_ == nullptr ? nullptr : object_->if_contains(member);
  if (value != nullptr && value->is_string()) {
    auto bytes = core::parse_hex(value->get_string(), core::HexPrefix::required, most);
    if (bytes) return std::move(*bytes);
  }
  wrong(member);
  return {};
}

core::Uint256 Members::word(std::string_view member) {
  const json::value* value = object_ == nullptr ? nullptr : object_->if_contains(member);
  if (value != nullptr)
    if (const auto number = core::number_value(*value)) return *number;
  wrong(member);
  return {};
}

std::uint64_t Members::number(std::string_view member, std::uint64_t most) {
  const auto small = word(member).to_u64();
  if (!small || *small > most) wrong(member);
  return small.value_or(0);
}

std::string Members::text(std::string_view member) {
  const json::value* value = object_ == nullptr ? nullptr : object_->if_contains(member);
  if (value != nullptr && value->is_string() && value->get_string().size() <= kMaxText)
    return std::string(value->get_string());
  wrong(member);
  return {};
}

bool Members::flag(std::string_view member) {
  const json::value* value = object_ == nullptr ? nullptr : object_->if_contains(member);
  if (value != nullptr && value->is_bool()) return value->get_bool();
  wrong(member);
  return false;
}

bool Members::has(std::string_view member) const {
  return object_ != nullptr && object_->if_contains(member) != nullptr;
}

Members Members::object(std::string_view member) {
  static const json::value none;
  const json::value* value = object_ == nullptr ? nullptr : object_->if_contains(member);
  Members inner(value == nullptr ? none : *value);
  if (inner.object_ == nullptr) wrong(member);
  inner.trouble_ = trouble_;
  return inner;
}

std::vector<Members> Members::list(std::string_view member) {
  const json::value* value = object_ == nullptr ? nullptr : object_->if_contains(member);
  std::vector<Members> items;
  if (value == nullptr || !value->is_array()) {
    wrong(member);
    return items;
  }
  for (const json::value& item : value->get_array()) {
    Members inner(item);
    if (inner.object_ == nullptr) wrong(member);
    inner.trouble_ = trouble_;
    items.push_back(std::move(inner));
  }
  return items;
}

void Members::wrong(std::string_view member) {
  if (trouble_->empty()) *trouble_ = member;
}

json::object to_json(const keys::Assertion& assertion) {
  json::object out;
  out["credentialId"] = core::to_hex(assertion.credential_id);
  out["clientData"] = core::to_hex(assertion.client_data);
  out["authenticatorData"] = core::to_hex(assertion.authenticator_data);
  out["signature"] = core::to_hex(assertion.signature);
  return out;
}

keys::Assertion read_assertion(Members members) {
  keys::Assertion assertion;
  assertion.credential_id = members.bytes("credentialId", kMaxCredentialId);
  assertion.client_data = members.bytes("clientData", protocol::kMaxClientData);
  assertion.authenticator_data = members.bytes("authenticatorData", protocol::kMaxAuthenticatorData);
  assertion.signature = members.fixed<64>("signature");
  return assertion;
}

core::PackedUserOperation read_packed(Members members) {
  core::PackedUserOperation op;
  op.sender = members.fixed<20>("sender");
  op.nonce = members.word("nonce");
  op.init_code = members.bytes("initCode", protocol::kMaxUseropBytes);
  op.call_data = members.bytes("callData", protocol::kMaxUseropBytes);
  op.account_gas_limits = members.fixed<32>("accountGasLimits");
  op.pre_verification_gas = members.word("preVerificationGas");
  op.gas_fees = members.fixed<32>("gasFees");
  op.paymaster_and_data = members.bytes("paymasterAndData", protocol::kMaxUseropBytes);
  return op;
}

json::object to_json(const NodeInfo& info) {
  json::object out;
  out["chainId"] = info.chain_id;
  out["rpcUrl"] = info.rpc_url;
  out["entryPoint"] = core::to_hex(info.entry_point);
  out["factory"] = core::to_hex(info.factory);
  out["proxyInitCodeHash"] = core::to_hex(info.proxy_init_code_hash);
  out["multisigFactory"] = core::to_hex(info.multisig_factory);
  out["multisigProxyInitCodeHash"] = core::to_hex(info.multisig_proxy_init_code_hash);
  out["paymaster"] = core::to_hex(info.paymaster);
  out["rpId"] = info.rp_id;
  out["origin"] = info.web_origin;
  return out;
}

NodeInfo read_info(Members& members) {
  NodeInfo info;
  info.chain_id = members.number("chainId", ~std::uint64_t{0});
  info.rpc_url = members.text("rpcUrl");
  info.entry_point = members.fixed<20>("entryPoint");
  info.factory = members.fixed<20>("factory");
  info.proxy_init_code_hash = members.fixed<32>("proxyInitCodeHash");
  info.multisig_factory = members.fixed<20>("multisigFactory");
  info.multisig_proxy_init_code_hash = members.fixed<32>("multisigProxyInitCodeHash");
  info.paymaster = members.fixed<20>("paymaster");
  info.rp_id = members.text("rpId");
  info.web_origin = members.text("origin");
  return info;
}

json::object to_json(const courier::Errand& errand) {
  json::object out;
  out["id"] = core::to_hex(errand.id);
  out["state"] = courier::name(errand.state);
  out["to"] = core::to_hex(errand.to);
  out["transactionHash"] = core::to_hex(errand.transaction_hash);
  out["blockNumber"] = errand.block_number;
  out["reason"] = errand.reason.substr(0, kMaxText);
  return out;
}

courier::Errand read_errand(Members& members) {
  courier::Errand errand;
  errand.id = members.fixed<32>("id");
  const auto state = named<courier::ErrandState>(members.text("state"));
  if (!state) members.wrong("state");
  errand.state = state.value_or(courier::ErrandState::failed);
  errand.to = members.fixed<20>("to");
  errand.transaction_hash = members.fixed<32>("transactionHash");
  errand.block_number = members.number("blockNumber", ~std::uint64_t{0});
  errand.reason = members.text("reason");
  return errand;
}

json::object to_json(const keys::GenericKey& key) {
  json::object out;
  out["id"] = core::to_hex(key.id);
  out["type"] = static_cast<unsigned>(key.type);
  out["signsDigests"] = key.signs_digests;
  out["publicKey"] = core::to_hex(key.public_key);
  return out;
}

keys::GenericKey read_generic_key(Members& members) {
  keys::GenericKey key;
  key.id = members.fixed<16>("id");
  key.type = static_cast<protocol::GenericKeyType>(members.number("type", 1));
  key.signs_digests = members.flag("signsDigests");
  key.public_key = members.bytes("publicKey", 64);
  return key;
}

json::object to_json(const treasury::Payment& payment) {
  json::object out;
  out["id"] = payment.id;
  out["kind"] = treasury::name(payment.kind);
  out["payee"] = core::to_hex(payment.payee);
  out["value"] = core::format_decimal(payment.value);
  out["automatic"] = payment.automatic;
  out["state"] = treasury::name(payment.state);
  out["transactionHash"] = core::to_hex(payment.transaction_hash);
  out["blockNumber"] = payment.block_number;
  out["reason"] = payment.reason.substr(0, kMaxText);
  return out;
}

treasury::Payment read_payment(Members& members) {
  treasury::Payment payment;
  payment.id = members.number("id", INT64_MAX);
  const auto kind = named<treasury::PaymentKind>(members.text("kind"));
  const auto state = named<treasury::PaymentState>(members.text("state"));
  if (!kind) members.wrong("kind");
  if (!state) members.wrong("state");
  payment.kind = kind.value_or(treasury::PaymentKind::executor);
  payment.state = state.value_or(treasury::PaymentState::failed);
  payment.payee = members.fixed<20>("payee");
  payment.value = members.word("value");
  payment.automatic = members.flag("automatic");
  payment.transaction_hash = members.fixed<32>("transactionHash");
  payment.block_number = members.number("blockNumber", ~std::uint64_t{0});
  payment.reason = members.text("reason");
  return payment;
}

json::object to_json(const treasury::TreasuryReport& report) {
  json::object out;
  out["address"] = core::to_hex(report.address);
  out["balance"] = core::format_decimal(report.balance);
  json::array holdings, payments;
  for (const treasury::Holding& holding : report.holdings) {
    json::object one;
    one["kind"] = treasury::name(holding.kind);
    one["payee"] = core::to_hex(holding.payee);
    one["balance"] = core::format_decimal(holding.balance);
    holdings.emplace_back(std::move(one));
  }
  for (const treasury::Payment& payment : report.payments) payments.emplace_back(to_json(payment));
  out["holdings"] = std::move(holdings);
  out["payments"] = std::move(payments);
  return out;
}

treasury::TreasuryReport read_report(Members& members) {
  treasury::TreasuryReport report;
  report.address = members.fixed<20>("address");
  report.balance = members.word("balance");
  for (Members& one : members.list("holdings")) {
    const auto kind = named<treasury::PaymentKind>(one.text("kind"));
    if (!kind) one.wrong("kind");
    report.holdings.push_back(
        {kind.value_or(treasury::PaymentKind::executor), one.fixed<20>("payee"), one.word("balance")});
  }
  for (Members& one : members.list("payments")) report.payments.push_back(read_payment(one));
  return report;
}

json::object to_json(const users::PersonSummary& person) {
  json::object out;
  out["user"] = person.user_id;
  out["createdMs"] = person.created_ms;
  out["active"] = person.is_active;
  out["passkeys"] = person.passkeys;
  out["wallets"] = person.wallets;
  out["sessions"] = person.sessions;
  out["lastUsedMs"] = person.last_used_ms;
  return out;
}

users::PersonSummary read_person(Members& members) {
  users::PersonSummary person;
  person.user_id = members.text("user");
  person.created_ms = static_cast<std::int64_t>(members.number("createdMs", INT64_MAX));
  person.is_active = members.flag("active");
  person.passkeys = static_cast<std::size_t>(members.number("passkeys", UINT32_MAX));
  person.wallets = static_cast<std::size_t>(members.number("wallets", UINT32_MAX));
  person.sessions = static_cast<std::size_t>(members.number("sessions", UINT32_MAX));
  person.last_used_ms = static_cast<std::int64_t>(members.number("lastUsedMs", INT64_MAX));
  return person;
}

infra::RpcError to_rpc(const keys::Error& error) {
  json::object data;
  data["code"] = name(error.code);
  data["refusal"] = static_cast<unsigned>(error.refusal);
  infra::RpcError out;
  out.code = kRpcKeysError;
  out.message = error.message;
  out.data = json::value(std::move(data));
  return out;
}

keys::Error to_keys(const infra::RpcError& error) {
  if (error.code != kRpcKeysError || !error.data)
    return {keys::ErrorCode::unavailable, protocol::Error::ok, "the node: " + error.message};
  Members members(*error.data);
  const auto code = named<keys::ErrorCode>(members.text("code"));
  const std::uint64_t refusal = members.number("refusal", UINT16_MAX);
  if (!code || !members.trouble().empty())
    return {keys::ErrorCode::protocol_violation, protocol::Error::ok, "the node: " + error.message};
  return {*code, static_cast<protocol::Error>(refusal), error.message};
}

}  // namespace community::control
