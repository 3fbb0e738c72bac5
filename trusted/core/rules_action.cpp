// SPDX-License-Identifier: Apache-2.0
// Rule 9: the server key is the gate of an account's plain functions. The core hashes each struct from its fields and
// signs it with the assertion of a live passkey over exactly that digest; there is no way to have another struct of an
// account's domain signed. A server freeze needs no person, but the operator's leave.
#include "trusted/core/call_rules.hpp"
#include "trusted/protocol/account_messages.hpp"

namespace community::trusted {
namespace {

constexpr bool votes_in_range(std::uint8_t votes) { return votes == 1 || votes == 2; }

Error check_fields(const protocol::AccountAction& action) {
  // uint48
  if (action.stamp.deadline >> 48 != 0) return Error::action_field_out_of_range;
  if (action.kind == protocol::ActionKind::unfreeze && !votes_in_range(action.votes)) return Error::votes_out_of_range;
  if (action.kind != protocol::ActionKind::change_rules) return Error::ok;
  if (!votes_in_range(action.votes)) return Error::votes_out_of_range;
  if (action.strict > 1 || action.unlisted_tokens > 1) return Error::action_field_out_of_range;
  return check_guardians(action.guardians_hash, action.guardian_threshold, action.recovery_delay);
}

// Index of the passkey with this x; the count when there is none.
std::size_t find_x(const WalletRecord& wallet, ByteView x) {
  std::size_t i = 0;
  while (i < wallet.passkey_count && !base::equal(ByteView(wallet.passkeys[i].public_key).first(32), x)) i++;
  return i;
}

// A key that is named twice would mean one thing here and another on chain.
Error check_named_once(const protocol::KeyChange& change) {
  std::array<ByteView, 2 * protocol::kMaxPasskeys> named;
  std::size_t count = 0;
  for (std::size_t i = 0; i < change.removed_count; i++) named[count++] = change.removed[i].x;
  for (std::size_t i = 0; i < change.added_count; i++) named[count++] = ByteView(change.added[i].public_key).first(32);
  for (std::size_t i = 0; i < count; i++)
    for (std::size_t k = 0; k < i; k++)
      if (base::equal(named[i], named[k])) return Error::passkey_named_twice;
  return Error::ok;
}

Error check_key_change(const protocol::KeyChange& change) {
  if (change.stamp.deadline >> 48 != 0) return Error::action_field_out_of_range;
  if (!votes_in_range(change.votes)) return Error::votes_out_of_range;
  return check_named_once(change);
}

// A passkey that the account gets together with another node's server key, for a domain that this core does not serve.
// No assertion of it could be checked here, and none has to be: the contract applies keys and server key in one step,
// so the account never has this core's gate with a passkey that this core does not know. The record stays without it.
bool is_of_another_node(const protocol::KeyChange& change, const protocol::Passkey& added) {
  return change.server_key == protocol::NewServerKey::foreign && !base::is_zero(added.rp_id_hash);
}

// Enters the new server key into the binding and answers the address that the struct carries.
Error enter_server_key(const Port& port, const WalletRecord& wallet, const protocol::KeyChange& change,
                       std::uint32_t gate, protocol::AccountBinding& account, protocol::Address& named) {
  named = {};
  if (change.server_key == protocol::NewServerKey::foreign) named = account.moved_to = change.foreign_key;
  if (change.server_key == protocol::NewServerKey::own) {
    Error error = name_server_key(change.new_index, account);
    if (error == Error::ok) error = server_key_address(port, wallet, change.new_index, named);
    if (error != Error::ok) return error;
  }
  if (base::is_zero(change.escape_key)) return Error::ok;
  protocol::Address server_key = named;
  if (change.server_key == protocol::NewServerKey::none) {
    const Error error = server_key_address(port, wallet, gate, server_key);
    if (error != Error::ok) return error;
  }
  return change.escape_key == server_key ? Error::escape_key_is_server_key : Error::ok;
}

}  // namespace

Error name_server_key(std::uint32_t index, protocol::AccountBinding& account) {
  const std::uint64_t next = std::uint64_t{account.last_server_key_index} + 1;
  if (index < account.server_key_index || index > next) return Error::server_key_index_out_of_order;
  if (index == next) account.last_server_key_index = index;
  account.moved_to = {};
  return Error::ok;
}

Error Core::sign_action(ByteView body, Writer& reply) {
  protocol::SignActionRequest request;
  if (!protocol::decode(body, request)) return Error::malformed_request;
  const protocol::ChainConfig* chain = find_chain(request.chain_id);
  if (chain == nullptr) return Error::unknown_chain;
  Error error = check_fields(request.action);
  if (error != Error::ok) return error;
  WalletRecord wallet;
  RecordHeader header;
  error = open_under(state_.root, request.record, RecordType::wallet, header, wallet);
  if (error != Error::ok) return error;
  const protocol::AccountBinding* account = find_account(wallet, request.chain_id, request.account);
  if (account == nullptr) return Error::sender_not_account;

  protocol::SignActionReply result;
  result.digest = action_digest(request.action, request.chain_id, request.account);
  if (request.action.kind == protocol::ActionKind::freeze) {
    error = chain->server_freeze != 0 ? Error::ok : Error::server_freeze_not_allowed;
  } else {
    error = check_assertion(request.assertion, result.digest, wallet);
  }
  if (error != Error::ok) return error;
  error = sign_as_server(port_, wallet, *account, request.server_key_index, result.digest, result.signature);
  if (error != Error::ok) return error;
  result.fields(reply);
  return Error::ok;
}

Error Core::apply_key_change(const protocol::KeyChange& change, const Bytes32& signer, WalletRecord& wallet) const {
  const bool swaps_nothing_in = change.added_count == 0;
  for (std::size_t i = 0; i < change.removed_count; i++) {
    // One that is gone was removed by an earlier answer to this request, or never was in this wallet.
    const std::size_t found = find_x(wallet, change.removed[i].x);
    if (found == wallet.passkey_count) continue;
    if (wallet.passkey_count == 1 && swaps_nothing_in) return Error::passkey_last;
    if (wallet.passkeys[found].credential_hash == signer) return Error::passkey_own_removal;
    wallet.remove_passkey(found);
  }
  for (std::size_t i = 0; i < change.added_count; i++) {
    const protocol::Passkey& added = change.added[i];
    const std::size_t same_x = find_x(wallet, ByteView(added.public_key).first(32));
    if (same_x != wallet.passkey_count) {
      const protocol::Passkey& known = wallet.passkeys[same_x];
      const bool same = known.credential_hash == added.credential_hash && known.public_key == added.public_key &&
                        known.rp_id_hash == added.rp_id_hash;
      if (!same) return Error::passkey_exists;
      continue;
    }
    if (wallet.find_passkey(added.credential_hash) != nullptr) return Error::passkey_exists;
    const Error error = check_rp_id(added.rp_id_hash);
    const bool stays_elsewhere = error == Error::rp_id_not_configured && is_of_another_node(change, added);
    if (error != Error::ok && !stays_elsewhere) return error;
    if (!stays_elsewhere && wallet.passkey_count == protocol::kMaxPasskeys) return Error::too_many_passkeys;
    if (!port_.p256_public_key_valid(port_.context, added.public_key.data())) return Error::passkey_key_invalid;
    // The change is signed with it, and the record does without: see is_of_another_node.
    if (!stays_elsewhere) wallet.passkeys[wallet.passkey_count++] = added;
  }
  return Error::ok;
}

// The signature leaves the core with the COMMIT of the record that obeys it: no passkey lives on here that the owner
// signed away, and none that the account may accept is unknown here. Asked again, after a crash or when the chain
// refused, everything is there already and the same signature comes out.
Error Core::account_change_keys(Session& session, const protocol::Frame& frame, Writer& reply) {
  protocol::AccountChangeKeysRequest request;
  if (!protocol::decode(frame.body, request)) return Error::malformed_request;
  if (find_chain(request.chain_id) == nullptr) return Error::unknown_chain;
  Error error = check_key_change(request.change);
  if (error != Error::ok) return error;
  Bytes32 root;
  error = change_base(session, root);
  if (error != Error::ok) return error;
  WalletRecord wallet;
  RecordHeader header;
  error = open_under(root, request.record, RecordType::wallet, header, wallet);
  if (error != Error::ok) return error;
  const protocol::AccountBinding* found = find_account(wallet, request.chain_id, request.account);
  if (found == nullptr) return Error::sender_not_account;
  protocol::AccountBinding& account = wallet.accounts[static_cast<std::size_t>(found - wallet.accounts.data())];
  const protocol::AccountBinding before = account;
  protocol::Address server_key;
  error = enter_server_key(port_, wallet, request.change, request.server_key_index, account, server_key);
  if (error != Error::ok) return error;

  protocol::SignActionReply committed;
  committed.digest = key_change_digest(request.change, server_key, request.chain_id, request.account);
  error = check_assertion(request.assertion, committed.digest, wallet);
  if (error == Error::ok) error = apply_key_change(request.change, request.assertion.credential_hash, wallet);
  if (error != Error::ok) return error;
  // The gate is a key that the account had before.
  error = sign_as_server(port_, wallet, before, request.server_key_index, committed.digest, committed.signature);
  if (error != Error::ok) return error;
  std::array<std::uint8_t, protocol::kMaxChangeReply> answer;
  return enter(session, frame, request.record.path, header, wallet, protocol::encode(committed, answer), reply);
}

}  // namespace community::trusted
