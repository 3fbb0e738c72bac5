// SPDX-License-Identifier: Apache-2.0
// Records and their two-phase changes: a change answers the new record and the root it leads to; only the COMMIT of
// that root makes it valid and releases what it answers. Changes pending on a connection die with it.
#include "trusted/base/keccak.hpp"
#include "trusted/core/call_rules.hpp"
#include "trusted/core/phrase.hpp"

namespace community::trusted {

using protocol::PendingReply;
using protocol::Purpose;
using protocol::RecordProof;
using protocol::TreePath;

Error Core::change_base(const Session& session, Bytes32& root) const {
  if (pending_.count == 0) {
    root = state_.root;
    return Error::ok;
  }
  if (pending_.owner != &session) return Error::pending_elsewhere;
  if (pending_.count == protocol::kMaxPendingChanges) return Error::too_many_pending;
  root = pending_.root;
  return Error::ok;
}

Error Core::check_current(const RecordProof& proof, const RecordHeader& header, const Bytes32& root) const {
  return check_root(root_of(proof.path, protocol::leaf_hash(header.id, header.revision, proof.sealed)), root);
}

Error Core::check_root(const Bytes32& computed, const Bytes32& root) const {
  if (computed == root) return Error::ok;
  if (computed == state_.root || (pending_.count != 0 && computed == pending_.root)) return Error::stale_path;
  for (const Bytes32& old : old_roots_)
    if (computed == old) return Error::stale_path;
  return Error::record_not_current;
}

template <class Record>
Error Core::open_under(const Bytes32& root, const RecordProof& proof, RecordType type, RecordHeader& header,
                       Record& record) const {
  const Error error = open_record(port_, state_, proof.sealed, type, header, record);
  return error == Error::ok ? check_current(proof, header, root) : error;
}

Error Core::enter_sealed(Session& session, const protocol::Frame& frame, const TreePath& path,
                         const RecordHeader& header, ByteView sealed, ByteView committed_reply, Writer& reply) {
  PendingChange& change = pending_.changes[pending_.count];
  change.request_id = frame.request_id;
  change.leaf = path.leaf;
  change.root_before = header.root_version;
  change.root_after = sealed.empty() ? 0 : state_.active_root_key().version;
  change.reply_size = static_cast<std::uint32_t>(committed_reply.size());
  base::copy(change.reply, committed_reply);
  PendingReply answer;
  answer.record_id = header.id;
  answer.revision = header.revision;
  answer.leaf = path.leaf;
  answer.root = root_of(path, protocol::leaf_value(header.id, header.revision, sealed));
  answer.sealed = sealed;
  answer.fields(reply);
  if (!reply.ok()) return Error::reply_too_large;
  pending_.owner = &session;
  pending_.root = answer.root;
  pending_.count++;
  return Error::ok;
}

template <class Record>
Error Core::enter(Session& session, const protocol::Frame& frame, const TreePath& path, RecordHeader header,
                  const Record& record, ByteView committed_reply, Writer& reply) {
  header.revision++;
  std::size_t size = 0;
  const Error error = seal_record(port_, state_, header, record, sealed_buffer_, size);
  if (error != Error::ok) return error;
  return enter_sealed(session, frame, path, header, ByteView(sealed_buffer_).first(size), committed_reply, reply);
}

template <class Record>
Error Core::enter_new(Session& session, const protocol::Frame& frame, const TreePath& path, RecordType type,
                      const RecordId& id, const Record& record, ByteView committed_reply, Writer& reply) {
  Bytes32 root;
  const Error error = change_base(session, root);
  if (error != Error::ok) return error;
  if (const Bytes32 computed = root_of(path, protocol::kEmptyNode); computed != root) {
    // Either the leaf holds a record, or the path is old; an old one can be told.
    if (computed == state_.root) return Error::stale_path;
    for (const Bytes32& old : old_roots_)
      if (computed == old) return Error::stale_path;
    return Error::leaf_occupied;
  }
  return enter(session, frame, path, RecordHeader{type, id, 0}, record, committed_reply, reply);
}

Error Core::check_rp_id(const Bytes32& rp_id_hash) const {
  for (std::size_t i = 0; i < configuration_.relying_party_count; i++)
    if (configuration_.relying_parties[i].rp_id_hash == rp_id_hash) return Error::ok;
  return Error::rp_id_not_configured;
}

Error Core::wallet_create(Session& session, const protocol::Frame& frame, Writer& reply) {
  protocol::WalletCreateRequest request;
  if (!protocol::decode(frame.body, request)) return Error::malformed_request;
  if (configuration_.sequence == 0) return Error::not_configured;
  Error error = check_rp_id(request.passkey.rp_id_hash);
  if (error != Error::ok) return error;
  if (!port_.p256_public_key_valid(port_.context, request.passkey.public_key.data())) return Error::passkey_key_invalid;
  WalletRecord wallet;
  protocol::WalletCommitted committed;
  const bool random = port_.random(port_.context, wallet.server_secret) &&
                      port_.random(port_.context, wallet.content_secret) &&
                      port_.random(port_.context, committed.wallet_id);
  if (!random) return Error::random_failed;
  wallet.passkey_count = 1;
  wallet.passkeys[0] = request.passkey;
  wallet.policy = request.policy;
  error = server_key_address(port_, wallet, 0, committed.server_key);
  if (error != Error::ok) return error;
  std::array<std::uint8_t, protocol::kMaxChangeReply> answer;
  return enter_new(session, frame, request.path, RecordType::wallet, committed.wallet_id, wallet,
                   protocol::encode(committed, answer), reply);
}

Error Core::apply_wallet_change(const protocol::WalletChange& change, const RecordId& id, const Bytes32& signer,
                                WalletRecord& wallet) const {
  switch (change.kind) {
    case protocol::WalletChangeKind::add_passkey: {
      // A key under two names would survive the removal of one of them; a point and its negative are one key.
      for (std::size_t i = 0; i < wallet.passkey_count; i++)
        if (wallet.passkeys[i].credential_hash == change.passkey.credential_hash ||
            base::equal(ByteView(wallet.passkeys[i].public_key).first(32),
                        ByteView(change.passkey.public_key).first(32)))
          return Error::passkey_exists;
      if (wallet.passkey_count == protocol::kMaxPasskeys) return Error::too_many_passkeys;
      const Error error = check_rp_id(change.passkey.rp_id_hash);
      if (error != Error::ok) return error;
      if (!port_.p256_public_key_valid(port_.context, change.passkey.public_key.data()))
        return Error::passkey_key_invalid;
      wallet.passkeys[wallet.passkey_count++] = change.passkey;
      return Error::ok;
    }
    case protocol::WalletChangeKind::remove_passkey: {
      const protocol::Passkey* removed = wallet.find_passkey(change.passkey.credential_hash);
      if (removed == nullptr) return Error::passkey_unknown;
      if (wallet.passkey_count == 1) return Error::passkey_last;
      if (change.passkey.credential_hash == signer) return Error::passkey_own_removal;
      wallet.remove_passkey(static_cast<std::size_t>(removed - wallet.passkeys.data()));
      return Error::ok;
    }
    case protocol::WalletChangeKind::set_policy:
      wallet.policy = change.policy;
      return Error::ok;
    case protocol::WalletChangeKind::make_phrase:
      return make_phrase(port_, change.words, wallet);
    case protocol::WalletChangeKind::wrap_content_root:
      return wrap_content_root(change, id, signer, wallet);
  }
  return Error::malformed_request;
}

Error Core::wallet_update(Session& session, const protocol::Frame& frame, Writer& reply) {
  protocol::WalletUpdateRequest request;
  protocol::WalletChange change;
  if (!protocol::decode(frame.body, request) || !protocol::decode(request.change, change))
    return Error::malformed_request;
  Bytes32 root;
  Error error = change_base(session, root);
  if (error != Error::ok) return error;
  WalletRecord wallet;
  RecordHeader header;
  error = open_under(root, request.record, RecordType::wallet, header, wallet);
  if (error != Error::ok) return error;
  const Bytes32 challenge = protocol::wallet_change_challenge(header.id, header.revision, request.change);
  error = check_assertion(request.assertion, challenge, wallet);
  if (error == Error::ok) error = apply_wallet_change(change, header.id, request.assertion.credential_hash, wallet);
  if (error != Error::ok) return error;
  return enter(session, frame, request.record.path, header, wallet, {}, reply);
}

Error Core::account_bind(Session& session, const protocol::Frame& frame, Writer& reply) {
  protocol::AccountBindRequest request;
  if (!protocol::decode(frame.body, request)) return Error::malformed_request;
  const protocol::ChainConfig* chain = find_chain(request.chain_id);
  if (chain == nullptr) return Error::unknown_chain;
  Bytes32 root;
  Error error = change_base(session, root);
  if (error != Error::ok) return error;
  WalletRecord wallet;
  RecordHeader header;
  error = open_under(root, request.record, RecordType::wallet, header, wallet);
  if (error != Error::ok) return error;

  const auto init = ethereum::read_init_data(request.init_data);
  if (!init) return Error::init_data_malformed;
  error = check_init_data(port_, *init);
  if (error != Error::ok) return error;
  protocol::Address server_key;
  error = server_key_address(port_, wallet, request.server_key_index, server_key);
  if (error != Error::ok) return error;
  if (init->server_key != server_key) return Error::init_data_foreign_server_key;
  for (std::size_t i = 0; i < init->passkey_count; i++) {
    bool known = false;
    for (std::size_t k = 0; k < wallet.passkey_count; k++)
      known = known || (wallet.passkeys[k].public_key == init->passkeys[i].public_key &&
                        wallet.passkeys[k].rp_id_hash == init->passkeys[i].rp_id_hash);
    if (!known) return Error::init_data_foreign_passkey;
  }

  protocol::AccountBinding binding;
  binding.chain_id = request.chain_id;
  binding.init_data_hash = base::keccak256(request.init_data);
  binding.server_key_index = binding.last_server_key_index = request.server_key_index;
  static constexpr std::array<std::uint8_t, 1> kCreate2{0xff};
  const Bytes32 hash =
      base::keccak256({kCreate2, chain->account_factory, binding.init_data_hash, chain->proxy_init_code_hash});
  base::copy(binding.address, ByteView(hash).last(20));
  if (find_account(wallet, binding.chain_id, binding.address) != nullptr) return Error::account_exists;
  if (wallet.account_count == protocol::kMaxAccountsPerWallet) return Error::too_many_accounts;
  wallet.accounts[wallet.account_count++] = binding;
  const protocol::AccountCommitted committed{binding.address};
  std::array<std::uint8_t, protocol::kMaxChangeReply> answer;
  return enter(session, frame, request.record.path, header, wallet, protocol::encode(committed, answer), reply);
}

Error Core::key_create(Session& session, const protocol::Frame& frame, Writer& reply) {
  protocol::KeyCreateRequest request;
  if (!protocol::decode(frame.body, request)) return Error::malformed_request;
  const auto purpose = static_cast<Purpose>(request.purpose);
  if (purpose != Purpose::executor && purpose != Purpose::treasury && purpose != Purpose::paymaster)
    return Error::wrong_purpose;
  KeyRecord key;
  key.purpose = request.purpose;
  key.chain_id = request.chain_id;
  protocol::KeyCommitted committed;
  if (!port_.random(port_.context, committed.key_id)) return Error::random_failed;
  std::array<std::uint8_t, 64> public_key{};
  // Out of range once in 2^128 times.
  do {
    if (!port_.random(port_.context, key.secret)) return Error::random_failed;
  } while (!port_.secp256k1_public_key(port_.context, key.secret, public_key.data()));
  committed.address = address_of(public_key.data());
  std::array<std::uint8_t, protocol::kMaxChangeReply> answer;
  return enter_new(session, frame, request.path, RecordType::key, committed.key_id, key,
                   protocol::encode(committed, answer), reply);
}

Error Core::commit(Session& session, ByteView body, Writer& reply) {
  protocol::CommitRequest request;
  if (!protocol::decode(body, request)) return Error::malformed_request;
  protocol::CommitReply answer;
  // Asked again for what is committed already: a host that lost the answer may repeat.
  if (request.epoch == state_.epoch && request.root == state_.root) {
    answer.epoch = state_.epoch;
    answer.fields(reply);
    return Error::ok;
  }
  if (request.epoch != state_.epoch + 1) return Error::stale_epoch;
  if (pending_.count == 0 || request.root != pending_.root) return Error::commit_root_mismatch;
  if (pending_.owner != &session) return Error::pending_elsewhere;
  answer.epoch = request.epoch;
  answer.count = pending_.count;
  for (std::size_t i = 0; i < pending_.count; i++) {
    const PendingChange& change = pending_.changes[i];
    answer.changes[i] = {change.request_id, ByteView(change.reply).first(change.reply_size)};
  }
  answer.fields(reply);
  if (!reply.ok()) return Error::reply_too_large;

  // Under another root none of the keys that are open would be found again.
  opened_keys_.forget();
  for (std::size_t i = 0; i < pending_.count; i++) count_change(pending_.changes[i]);
  if (pending_.order_sequence > state_.order_sequence) state_.order_sequence = pending_.order_sequence;
  old_roots_[next_old_root_++ % kRememberedRoots] = state_.root;
  state_.root = pending_.root;
  state_.epoch = request.epoch;
  pending_.count = 0;
  pending_.order_sequence = 0;
  pending_.owner = nullptr;
  const Error error = save_state(port_, state_);
  // Whether the write took place is unknown: only a restart, which reads the store, can tell.
  if (error != Error::ok) ready_ = false;
  return error;
}

Error Core::wallet_describe(ByteView body, Writer& reply) {
  protocol::WalletDescribeRequest request;
  if (!protocol::decode(body, request)) return Error::malformed_request;
  WalletRecord wallet;
  RecordHeader header;
  Error error = open_under(state_.root, request.record, RecordType::wallet, header, wallet);
  if (error != Error::ok) return error;
  protocol::WalletDescribeReply answer;
  error = server_key_address(port_, wallet, request.server_key_index, answer.server_key);
  if (error != Error::ok) return error;
  answer.wallet_id = header.id;
  answer.revision = header.revision;
  answer.passkey_count = wallet.passkey_count;
  answer.passkeys = wallet.passkeys;
  answer.policy = wallet.policy;
  answer.account_count = wallet.account_count;
  answer.accounts = wallet.accounts;
  answer.fields(reply);
  return Error::ok;
}

Error Core::key_describe(ByteView body, Writer& reply) {
  RecordProof proof;
  if (!protocol::decode(body, proof)) return Error::malformed_request;
  KeyRecord key;
  RecordHeader header;
  const Error error = open_under(state_.root, proof, RecordType::key, header, key);
  if (error != Error::ok) return error;
  protocol::KeyDescribeReply answer{header.id, key.purpose, key.chain_id, {}};
  const Error addressed = key_address(key, answer.address);
  if (addressed == Error::ok) answer.fields(reply);
  return addressed;
}

// Zero for a key that is not of secp256k1.
Error Core::key_address(const KeyRecord& key, protocol::Address& address) const {
  address = {};
  if (key.generic_type != static_cast<std::uint32_t>(protocol::GenericKeyType::ecdsa_secp256k1)) return Error::ok;
  std::array<std::uint8_t, 64> public_key{};
  if (!port_.secp256k1_public_key(port_.context, key.secret, public_key.data())) return Error::crypto_failed;
  address = address_of(public_key.data());
  return Error::ok;
}

Error Core::open_key(const RecordProof& proof, Purpose purpose, KeyRecord& key, protocol::Address& address) {
  if (const OpenedKeys::Entry* known = opened_keys_.find(state_.root, proof)) {
    key.assign(known->key);
    address = known->address;
  } else {
    RecordHeader header;
    const Error error = open_under(state_.root, proof, RecordType::key, header, key);
    if (error != Error::ok) return error;
    const Error addressed = key_address(key, address);
    if (addressed != Error::ok) return addressed;
    opened_keys_.remember(state_.root, proof, key, address);
  }
  return key.purpose == static_cast<std::uint8_t>(purpose) ? Error::ok : Error::wrong_purpose;
}

// The rules' files open wallets under the committed root as well.
template Error Core::open_under(const Bytes32&, const RecordProof&, RecordType, RecordHeader&, WalletRecord&) const;
// founders.cpp makes and opens keys.
template Error Core::open_under(const Bytes32&, const RecordProof&, RecordType, RecordHeader&, KeyRecord&) const;
template Error Core::enter_new(Session&, const protocol::Frame&, const TreePath&, RecordType, const RecordId&,
                               const KeyRecord&, ByteView, Writer&);
// rules_action.cpp and rules_adoption.cpp change wallets.
template Error Core::enter(Session&, const protocol::Frame&, const TreePath&, RecordHeader, const WalletRecord&,
                           ByteView, Writer&);
// backup_holder.cpp keeps shares.
template Error Core::open_under(const Bytes32&, const RecordProof&, RecordType, RecordHeader&, ShareRecord&) const;
template Error Core::enter(Session&, const protocol::Frame&, const TreePath&, RecordHeader, const ShareRecord&,
                           ByteView, Writer&);
template Error Core::enter_new(Session&, const protocol::Frame&, const TreePath&, RecordType, const RecordId&,
                               const ShareRecord&, ByteView, Writer&);

}  // namespace community::trusted
