// SPDX-License-Identifier: Apache-2.0
// Orders about generic keys and requests of the founders' interface, as an operator and a host make them.
#pragma once
#include <gtest/gtest.h>

#include "trusted/hpke/hpke.hpp"
#include "trusted/protocol/founders_messages.hpp"
#include "trusted/tests/support/world.hpp"

namespace community::trusted::testing {

using protocol::FoundersCommand;
using protocol::GenericHash;
using protocol::GenericKeyType;

template <class Message>
Bytes founders_body(FoundersCommand command, const Message& message) {
  Bytes buffer(protocol::kMaxFrame);
  const ByteView written = protocol::encode_founders(command, message, buffer);
  buffer.resize(written.size());
  return buffer;
}

inline protocol::GenericKeyOrder generic_order(World& world, FoundersCommand command,
                                               GenericKeyType type = GenericKeyType::ecdsa_secp256k1,
                                               std::uint8_t flags = 0) {
  protocol::GenericKeyOrder order;
  const auto status = world.host.status();
  order.core_id = status.core_id;
  order.sequence = status.order_sequence + 1;
  order.command = static_cast<std::uint32_t>(command);
  order.type = static_cast<std::uint32_t>(type);
  order.flags = flags;
  return order;
}

// Bytes and signature of an order.
struct SignedBytes {
  Bytes bytes;
  std::array<std::uint8_t, 64> signature{};
  SignedBytes(const World& world, const protocol::GenericKeyOrder& order)
      : bytes(encoded(order)), signature(world.host.operator_sign("generic key", bytes)) {}
  protocol::SignedGenericOrder view() const { return {bytes, signature}; }
};

// A secret sealed to the core as an operator does.
struct SealedSecret {
  hpke::PublicKey enc{};
  Bytes cipher;
  SealedSecret(World& world, ByteView secret, std::string_view purpose = protocol::kGenericImport) {
    const auto status = world.host.status();
    const Bytes info = join({base::view(purpose), status.core_id});
    const Port port = world.host.store.port();
    cipher.resize(secret.size() + hpke::kTag);
    EXPECT_TRUE(hpke::seal(port, status.hpke_key, info, {}, secret, enc, cipher));
  }
  protocol::SealedMessage view() const { return {enc, cipher}; }
};

inline Bytes create_body(World& world, FoundersCommand command, const protocol::SignedGenericOrder& order) {
  const OwnedPath path = world.host.pending_tree.path(world.host.next_leaf());
  return founders_body(command, protocol::GenericCreateRequest{path.view(), order});
}

struct GenericKey {
  Error error = Error::ok;
  StoredRecord record;
  std::uint32_t type = 0;
  std::uint8_t flags = 0;
  Bytes public_key;
};

// Sends a change and commits it; what it answered then.
inline std::pair<Error, StoredRecord> change_and_commit(World& world, const Bytes& body, Bytes& committed_reply) {
  const Uncommitted change = world.host.take_change(world.host.call(Command::founders, body));
  if (change.error != Error::ok) return {change.error, {}};
  const Committed committed = world.host.commit();
  if (committed.error == Error::ok) committed_reply = committed.changes.back().second;
  return {committed.error, change.record};
}

inline GenericKey create_generic(World& world, const protocol::GenericKeyOrder& order) {
  const SignedBytes signed_order(world, order);
  GenericKey key;
  Bytes reply;
  const Bytes body = create_body(world, static_cast<FoundersCommand>(order.command), signed_order.view());
  std::tie(key.error, key.record) = change_and_commit(world, body, reply);
  if (key.error != Error::ok) return key;
  const auto description = decoded<protocol::GenericKeyDescription>(reply);
  EXPECT_EQ(description.key_id, key.record.id);
  key.type = description.type;
  key.flags = description.flags;
  key.public_key = to_bytes(description.public_key);
  return key;
}

inline GenericKey generate_generic(World& world, GenericKeyType type = GenericKeyType::ecdsa_secp256k1,
                                   std::uint8_t flags = 0) {
  return create_generic(world, generic_order(world, FoundersCommand::generate_key, type, flags));
}

inline GenericKey import_generic(World& world, GenericKeyType type, ByteView secret, std::uint8_t flags = 0) {
  const SealedSecret sealed(world, secret);
  auto order = generic_order(world, FoundersCommand::import_key, type, flags);
  order.secret = sealed.view();
  return create_generic(world, order);
}

inline Reply sign_generic(World& world, const StoredRecord& record, GenericHash hash, ByteView message) {
  const OwnedProof proof = world.host.proof(record);
  return world.host.call(Command::founders, founders_body(FoundersCommand::sign_message,
                                                          protocol::GenericSignRequest{proof.view(), hash, message}));
}

}  // namespace community::trusted::testing
