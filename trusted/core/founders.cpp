// SPDX-License-Identifier: Apache-2.0
// The founders' interface: generic keys, which the operator alone orders made, imported and deleted, and which sign
// what they are given. They are apart from every other purpose: no path leads from one to the other.
#include "trusted/base/keccak.hpp"
#include "trusted/core/core.hpp"
#include "trusted/hpke/hpke.hpp"
#include "trusted/protocol/founders_messages.hpp"

namespace community::trusted {
namespace {

using protocol::FoundersCommand;
using protocol::GenericHash;
using protocol::GenericKeyType;
using protocol::RecordProof;

bool is_ed25519(const KeyRecord& key) {
  return key.generic_type == static_cast<std::uint32_t>(GenericKeyType::ed25519);
}

// A public key of either type; its size.
struct PublicKey {
  std::array<std::uint8_t, 64> bytes{};
  std::size_t size = 0;
};

Error public_key_of(const Port& port, const KeyRecord& key, PublicKey& out) {
  if (is_ed25519(key)) {
    Bytes32 point{};
    if (!port.ed25519_public_key(port.context, key.secret, point)) return Error::crypto_failed;
    base::copy(out.bytes, point);
    out.size = point.size();
    return Error::ok;
  }
  out.size = out.bytes.size();
  return port.secp256k1_public_key(port.context, key.secret, out.bytes.data()) ? Error::ok : Error::crypto_failed;
}

Error describe(const Port& port, const RecordId& id, const KeyRecord& key, protocol::Writer& writer) {
  PublicKey public_key;
  const Error error = public_key_of(port, key, public_key);
  if (error != Error::ok) return error;
  protocol::GenericKeyDescription description{id, key.generic_type, key.generic_flags,
                                              ByteView(public_key.bytes).first(public_key.size)};
  description.fields(writer);
  return Error::ok;
}

Error make_secret(const Port& port, KeyRecord& key) {
  // Outside the range of a secp256k1 secret once in 2^128 times; a generator that gives it again is broken.
  for (int attempt = 0; attempt < 4; attempt++) {
    if (!port.random(port.context, key.secret)) break;
    if (is_ed25519(key) || is_secp256k1_secret(key.secret)) return Error::ok;
  }
  return Error::random_failed;
}

// The secret arrives sealed to the core, past guest and host.
Error open_secret(const Port& port, const State& state, const protocol::SealedMessage& sealed, KeyRecord& key) {
  std::array<std::uint8_t, protocol::kGenericImport.size() + sizeof(RecordId)> info;
  base::copy(info, base::view(protocol::kGenericImport));
  base::copy(base::MutableByteView(info).subspan(protocol::kGenericImport.size()), state.core_id);
  if (sealed.cipher.size() != key.secret.size() + hpke::kTag) return Error::hpke_message_malformed;
  if (!hpke::open(port, state.hpke_secret, state.hpke_key, sealed.enc, info, {}, sealed.cipher, key.secret))
    return Error::hpke_message_not_opened;
  if (is_ed25519(key)) return Error::ok;
  if (!is_secp256k1_secret(key.secret)) return Error::generic_secret_refused;
  // With the operator's key a host would sign orders, with the core's own statements. Every other secret here was made
  // by the core and is known to nobody who could import it, or is a phrase's, with which its owner signs anyway.
  PublicKey public_key;
  const Error error = public_key_of(port, key, public_key);
  if (error != Error::ok) return error;
  const bool reserved = public_key.bytes == state.operator_key || public_key.bytes == state.identity_key;
  return reserved ? Error::generic_secret_refused : Error::ok;
}

Error digest_of(const KeyRecord& key, const protocol::GenericSignRequest& request, Bytes32& digest) {
  switch (request.hash) {
    case GenericHash::keccak256:
      digest = base::keccak256(request.message);
      return Error::ok;
    case GenericHash::sha256:
      digest = base::sha256(request.message);
      return Error::ok;
    case GenericHash::none:
      break;
  }
  const bool signs_digests = (key.generic_flags & protocol::kGenericPrehashed) != 0;
  if (!signs_digests || request.message.size() != digest.size()) return Error::generic_hash_refused;
  base::copy(digest, request.message);
  return Error::ok;
}

}  // namespace

Error Core::read_generic_order(const protocol::SignedGenericOrder& signed_order, FoundersCommand command,
                               protocol::GenericKeyOrder& order) const {
  const Error signature = check_operator("generic key", signed_order.order, signed_order.signature);
  if (signature != Error::ok) return signature;
  if (!protocol::decode(signed_order.order, order) || order.command != static_cast<std::uint32_t>(command))
    return Error::generic_order_malformed;
  if (order.core_id != state_.core_id) return Error::configuration_foreign;
  const std::uint64_t latest = pending_.count != 0 && pending_.order_sequence > state_.order_sequence
                                   ? pending_.order_sequence
                                   : state_.order_sequence;
  return order.sequence > latest ? Error::ok : Error::generic_order_out_of_sequence;
}

Error Core::generic_create(Session& session, const protocol::Frame& frame, FoundersCommand command, ByteView body,
                           Writer& reply) {
  protocol::GenericCreateRequest request;
  if (!protocol::decode(body, request)) return Error::malformed_request;
  protocol::GenericKeyOrder order;
  Error error = read_generic_order(request.order, command, order);
  if (error != Error::ok) return error;
  KeyRecord key;
  key.purpose = static_cast<std::uint8_t>(protocol::Purpose::generic);
  key.generic_type = order.type;
  key.generic_flags = order.flags;
  error = command == FoundersCommand::generate_key ? make_secret(port_, key)
                                                   : open_secret(port_, state_, order.secret, key);
  if (error != Error::ok) return error;
  RecordId id{};
  if (!port_.random(port_.context, id)) return Error::random_failed;
  std::array<std::uint8_t, protocol::kMaxChangeReply> answer;
  Writer committed(answer);
  error = describe(port_, id, key, committed);
  if (error == Error::ok)
    error = enter_new(session, frame, request.path, RecordType::key, id, key, committed.written(), reply);
  if (error == Error::ok) pending_.order_sequence = order.sequence;
  return error;
}

Error Core::generic_delete(Session& session, const protocol::Frame& frame, ByteView body, Writer& reply) {
  protocol::GenericDeleteRequest request;
  if (!protocol::decode(body, request)) return Error::malformed_request;
  protocol::GenericKeyOrder order;
  Error error = read_generic_order(request.order, FoundersCommand::delete_key, order);
  if (error != Error::ok) return error;
  Bytes32 root;
  error = change_base(session, root);
  if (error != Error::ok) return error;
  KeyRecord key;
  RecordHeader header;
  error = open_under(root, request.record, RecordType::key, header, key);
  if (error != Error::ok) return error;
  if (key.purpose != static_cast<std::uint8_t>(protocol::Purpose::generic)) return Error::wrong_purpose;
  if (header.id != order.key_id) return Error::generic_order_other_key;
  // The leaf is empty again; the record is no longer part of the tree, and no path proves it.
  error = enter_sealed(session, frame, request.record.path, header, {}, {}, reply);
  if (error == Error::ok) pending_.order_sequence = order.sequence;
  return error;
}

Error Core::generic_sign(ByteView body, Writer& reply) {
  protocol::GenericSignRequest request;
  if (!protocol::decode(body, request)) return Error::malformed_request;
  KeyRecord key;
  protocol::Address address{};
  Error error = open_key(request.record, protocol::Purpose::generic, key, address);
  if (error != Error::ok) return error;
  protocol::GenericSignature result;
  if (is_ed25519(key)) {
    // The scheme hashes by itself; a second hash before it would be another scheme.
    if (request.hash != GenericHash::none) return Error::generic_hash_refused;
    if (!port_.ed25519_sign(port_.context, key.secret, request.message, result.signature.data()))
      return Error::crypto_failed;
    result.fields(reply);
    return Error::ok;
  }
  Bytes32 digest{};
  error = digest_of(key, request, digest);
  if (error != Error::ok) return error;
  protocol::Signature65 signature{};
  if (!port_.secp256k1_sign(port_.context, key.secret, digest, signature.data())) return Error::crypto_failed;
  base::copy(result.signature, ByteView(signature).first(64));
  result.recovery_id = signature[64];
  result.fields(reply);
  return Error::ok;
}

Error Core::generic_public_key(ByteView body, Writer& reply) {
  RecordProof proof;
  if (!protocol::decode(body, proof)) return Error::malformed_request;
  KeyRecord key;
  RecordHeader header;
  const Error error = open_under(state_.root, proof, RecordType::key, header, key);
  if (error != Error::ok) return error;
  if (key.purpose != static_cast<std::uint8_t>(protocol::Purpose::generic)) return Error::wrong_purpose;
  return describe(port_, header.id, key, reply);
}

Error Core::founders(Session& session, const protocol::Frame& frame, Writer& reply) {
  if (frame.body.size() < 4) return Error::malformed_request;
  const auto command = static_cast<FoundersCommand>(base::load_be<std::uint32_t>(frame.body.data()));
  const ByteView body = frame.body.subspan(4);
  switch (command) {
    case FoundersCommand::generate_key:
    case FoundersCommand::import_key:
      return generic_create(session, frame, command, body, reply);
    case FoundersCommand::sign_message:
      return generic_sign(body, reply);
    case FoundersCommand::get_public_key:
      return generic_public_key(body, reply);
    case FoundersCommand::delete_key:
      return generic_delete(session, frame, body, reply);
  }
  return Error::unknown_command;
}

}  // namespace community::trusted
