// SPDX-License-Identifier: Apache-2.0
#include "community/wallet/api/gate.hpp"

#include "trusted/base/sha2.hpp"

namespace community::wallet {
namespace {

Error node_error(const keys::Error& error) { return {ErrorCode::node, "the trusted core: " + error.text()}; }

keys::Assertion to_keys(PasskeyAssertion assertion) {
  return {std::move(assertion.credential_id), std::move(assertion.client_data), std::move(assertion.authenticator_data),
          assertion.signature};
}

ethereum::Stamp to_protocol(const accounts::Stamp& stamp) { return {stamp.key_epoch, stamp.nonce, stamp.deadline_s}; }

// Nothing for actions that no trusted core signs by sign_action.
std::optional<protocol::AccountAction> to_protocol(const accounts::Action& action, const accounts::Stamp& stamp) {
  using namespace accounts;
  protocol::AccountAction out;
  out.stamp = to_protocol(stamp);
  if (std::holds_alternative<Freeze>(action)) {
    out.kind = protocol::ActionKind::freeze;
  } else if (const auto* unfreeze = std::get_if<Unfreeze>(&action)) {
    out.kind = protocol::ActionKind::unfreeze;
    out.votes = unfreeze->votes;
  } else if (const auto* rules = std::get_if<ChangeRules>(&action)) {
    out.kind = protocol::ActionKind::change_rules;
    out.guardians_hash = rules->guardians_hash;
    out.guardian_threshold = rules->guardian_threshold;
    out.recovery_delay = rules->recovery_delay_s;
    out.strict = rules->strict ? 1 : 0;
    out.unlisted_tokens = rules->unlisted_tokens ? 1 : 0;
    out.votes = rules->votes;
  } else if (const auto* upgrade = std::get_if<Upgrade>(&action)) {
    out.kind = protocol::ActionKind::upgrade;
    out.subject = upgrade->implementation;
    out.hash = upgrade->code_hash;
  } else if (const auto* cancel = std::get_if<Cancel>(&action)) {
    out.kind = protocol::ActionKind::cancel;
    out.hash = cancel->item;
  } else {
    return std::nullopt;
  }
  return out;
}

class NodeGate final : public Gate {
 public:
  NodeGate(keys::WalletKeys& wallets, protocol::RecordId wallet, std::uint32_t index, std::uint64_t chain_id,
           Address entry_point)
      : wallets_(wallets), wallet_(wallet), index_(index), chain_id_(chain_id), entry_point_(entry_point) {}

  Task<Result<GateSignature>> sign_operation(core::UserOperation op, Bytes32 hash,
                                             PasskeyAssertion assertion) override {
    auto packed = core::pack(op);
    if (!packed) co_return fail(ErrorCode::argument, packed.error().text());
    keys::UseropRequest request;
    request.wallet = wallet_;
    request.chain_id = chain_id_;
    request.entry_point = entry_point_;
    request.userop = std::move(*packed);
    request.assertion = to_keys(std::move(assertion));
    request.server_key_index = index_;
    const auto answer = co_await wallets_.sign_userop(std::move(request));
    if (!answer) co_return tl::unexpected(node_error(answer.error()));
    if (answer->hash != hash)
      co_return fail(ErrorCode::hash_differs, "the trusted core computes another hash of the operation");
    co_return GateSignature{answer->signature, answer->self_call.ticket};
  }

  Task<Result<core::Signature>> sign_action(accounts::AccountOnChain where, accounts::Action action,
                                            accounts::Stamp stamp, std::optional<PasskeyAssertion> assertion) override {
    auto known = to_protocol(action, stamp);
    if (!known) co_return fail(ErrorCode::argument, "a trusted core does not sign this action");
    keys::ActionRequest request;
    request.wallet = wallet_;
    request.chain_id = where.chain_id;
    request.account = where.account;
    request.server_key_index = index_;
    request.action = *known;
    if (assertion) request.assertion = to_keys(std::move(*assertion));
    const auto answer = co_await wallets_.sign_action(std::move(request));
    if (!answer) co_return tl::unexpected(node_error(answer.error()));
    if (answer->digest != accounts::action_digest(where, action, stamp))
      co_return fail(ErrorCode::hash_differs, "the trusted core computes another digest of the action");
    co_return answer->signature;
  }

  Task<Result<core::Signature>> sign_key_change(accounts::AccountOnChain where, KeyChangeOrder order,
                                                accounts::ChangeKeys change, accounts::Stamp stamp,
                                                std::optional<PasskeyAssertion> assertion) override {
    if (!assertion)
      co_return fail(ErrorCode::vote_missing, "the trusted core changes keys for one of the account's passkeys only");
    if (order.removed.size() > protocol::kMaxPasskeys || order.added.size() > protocol::kMaxPasskeys)
      co_return fail(ErrorCode::argument, "an account has eight passkeys at most");
    keys::KeyChangeRequest request;
    request.wallet = wallet_;
    request.chain_id = where.chain_id;
    request.account = where.account;
    request.server_key_index = index_;
    protocol::KeyChange& out = request.change;
    for (const Uint256& x : order.removed) out.removed[out.removed_count++].x = x.to_be();
    for (const keys::Passkey& passkey : order.added) {
      protocol::Passkey& one = out.added[out.added_count++];
      one.credential_hash = base::sha256(passkey.credential_id);
      one.public_key = passkey.public_key;
      one.rp_id_hash = passkey.rp_id_hash;
    }
    if (order.own_server_key) {
      out.server_key = protocol::NewServerKey::own;
      out.new_index = *order.own_server_key;
    } else if (order.foreign_server_key) {
      out.server_key = protocol::NewServerKey::foreign;
      out.foreign_key = *order.foreign_server_key;
    }
    out.escape_key = order.escape_key;
    out.votes = order.votes;
    out.stamp = to_protocol(stamp);
    request.assertion = to_keys(std::move(*assertion));
    const auto answer = co_await wallets_.change_account_keys(std::move(request));
    if (!answer) co_return tl::unexpected(node_error(answer.error()));
    if (answer->digest != accounts::action_digest(where, change, stamp))
      co_return fail(ErrorCode::hash_differs, "the trusted core computes another digest of the change");
    co_return answer->signature;
  }

 private:
  keys::WalletKeys& wallets_;
  protocol::RecordId wallet_;
  std::uint32_t index_;
  std::uint64_t chain_id_;
  Address entry_point_;
};

// The person is their own gate: both halves are in the file.
class OwnGate final : public Gate {
 public:
  explicit OwnGate(const Bytes32& secret) : secret_(secret) {}
  ~OwnGate() override { base::wipe(secret_); }

  Task<Result<GateSignature>> sign_operation(core::UserOperation, Bytes32 hash, PasskeyAssertion) override {
    co_return GateSignature{sign(hash), {}};
  }
  Task<Result<core::Signature>> sign_action(accounts::AccountOnChain where, accounts::Action action,
                                            accounts::Stamp stamp, std::optional<PasskeyAssertion>) override {
    co_return sign(accounts::action_digest(where, action, stamp));
  }
  Task<Result<core::Signature>> sign_key_change(accounts::AccountOnChain where, KeyChangeOrder,
                                                accounts::ChangeKeys change, accounts::Stamp stamp,
                                                std::optional<PasskeyAssertion>) override {
    co_return sign(accounts::action_digest(where, change, stamp));
  }

 private:
  core::Signature sign(const Bytes32& digest) const { return core::sign_digest(secret_, digest).value(); }
  Bytes32 secret_;
};

}  // namespace

std::unique_ptr<Gate> make_node_gate(keys::WalletKeys& wallets, protocol::RecordId wallet,
                                     std::uint32_t server_key_index, std::uint64_t chain_id, Address entry_point) {
  return std::make_unique<NodeGate>(wallets, wallet, server_key_index, chain_id, entry_point);
}

std::unique_ptr<Gate> make_own_gate(const Bytes32& server_secret) { return std::make_unique<OwnGate>(server_secret); }

Task<Result<core::Signature>> sign_session(keys::WalletKeys& wallets, keys::SessionRequest request, Bytes32 hash) {
  const auto answer = co_await wallets.sign_session(std::move(request));
  if (!answer) co_return tl::unexpected(node_error(answer.error()));
  if (answer->hash != hash)
    co_return fail(ErrorCode::hash_differs, "the trusted core computes another hash of the operation");
  co_return answer->signature;
}

}  // namespace community::wallet
