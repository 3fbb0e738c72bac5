// SPDX-License-Identifier: Apache-2.0
// The interface of the product's founders: five commands by their numbers, about generic keys alone
// (spec/trusted-core-protocol.md, section 14). All travel in the command `founders`: a founders' number, then its body.
#pragma once
#include "trusted/protocol/messages.hpp"

namespace community::protocol {

enum class FoundersCommand : std::uint32_t {
  generate_key = 0,
  import_key = 1,
  sign_message = 2,
  get_public_key = 3,
  delete_key = 4
};

enum class GenericKeyType : std::uint32_t { ecdsa_secp256k1 = 0, ed25519 = 1 };

// Of a secp256k1 key: it signs 32 bytes that somebody else hashed, too. The operator alone can want that.
inline constexpr std::uint8_t kGenericPrehashed = 1;

// What the core makes of a message before it signs with secp256k1. Ed25519 takes the message itself: `none`, as a key
// that signs digests does.
enum class GenericHash : std::uint8_t { none = 0, keccak256 = 1, sha256 = 2 };

// HPKE info of an imported secret, followed by the core id.
inline constexpr std::string_view kGenericImport = "community generic key import";

// What the operator signs (operator_digest, "generic key") to make, import or delete a generic key. Sequences only
// grow, so that no order serves twice: an old import cannot bring back a key that was deleted.
struct GenericKeyOrder {
  RecordId core_id{};
  std::uint64_t sequence = 0;
  // generate_key, import_key or delete_key
  std::uint32_t command = 0;
  // Of generate_key and import_key
  std::uint32_t type = 0;
  std::uint8_t flags = 0;
  // Of import_key: the 32 bytes of the secret, sealed to the core.
  SealedMessage secret;
  // Of delete_key
  RecordId key_id{};

  template <class C>
  void fields(C& c) {
    c.fixed(core_id).number(sequence).number(command);
    const auto kind = static_cast<FoundersCommand>(command);
    if (kind == FoundersCommand::generate_key || kind == FoundersCommand::import_key) {
      c.number(type).number(flags);
      const bool signs_digests = flags == kGenericPrehashed && type == 0;
      if (type > 1 || (flags != 0 && !signs_digests)) c.fail();
      if (kind == FoundersCommand::import_key) secret.fields(c);
    } else if (kind == FoundersCommand::delete_key) {
      c.fixed(key_id);
    } else {
      c.fail();
    }
  }
};

struct SignedGenericOrder {
  // An encoded GenericKeyOrder
  ByteView order;
  std::array<std::uint8_t, 64> signature{};
  template <class C>
  void fields(C& c) {
    c.bytes(order, 512).fixed(signature);
  }
};

// generate_key and import_key. The path leads to an empty leaf; the key will stand there.
struct GenericCreateRequest {
  TreePath path;
  SignedGenericOrder order;
  template <class C>
  void fields(C& c) {
    path.fields(c);
    order.fields(c);
  }
};

struct GenericDeleteRequest {
  RecordProof record;
  SignedGenericOrder order;
  template <class C>
  void fields(C& c) {
    record.fields(c);
    order.fields(c);
  }
};

// get_public_key's answer, and what generate_key and import_key answer once committed.
struct GenericKeyDescription {
  RecordId key_id{};
  std::uint32_t type = 0;
  std::uint8_t flags = 0;
  // secp256k1: x || y, 64 bytes; Ed25519: 32 bytes
  ByteView public_key;
  template <class C>
  void fields(C& c) {
    c.fixed(key_id).number(type).number(flags).bytes(public_key, 64);
    if (type > 1 || public_key.size() != (type == 0 ? 64u : 32u)) c.fail();
  }
};

struct GenericSignRequest {
  RecordProof record;
  GenericHash hash = GenericHash::none;
  ByteView message;
  template <class C>
  void fields(C& c) {
    record.fields(c);
    auto number = static_cast<std::uint8_t>(hash);
    c.number(number);
    if (number > 2) c.fail();
    hash = static_cast<GenericHash>(number);
    c.bytes(message, kMaxGenericMessage);
  }
};

struct GenericSignature {
  // secp256k1: r || s, low s; Ed25519: R || S
  std::array<std::uint8_t, 64> signature{};
  std::uint32_t signature_len = 64;
  // Of secp256k1, 0 or 1; 0 for Ed25519.
  std::uint8_t recovery_id = 0;
  template <class C>
  void fields(C& c) {
    c.fixed(signature).number(signature_len).number(recovery_id);
    if (signature_len != 64 || recovery_id > 1) c.fail();
  }
};

// The body of the command `founders` for a founders' number and its message.
template <class Message>
ByteView encode_founders(FoundersCommand command, const Message& message, MutableByteView out) {
  Writer writer(out);
  writer.number(static_cast<std::uint32_t>(command));
  const_cast<Message&>(message).fields(writer);
  return writer.ok() ? writer.written() : ByteView{};
}

}  // namespace community::protocol
