// SPDX-License-Identifier: Apache-2.0
// Requests and replies about a wallet's phrase, the keys derived from it, messages, and secrets of a person's page.
#pragma once
#include "trusted/protocol/messages.hpp"

namespace community::protocol {

// One key of a wallet's phrase: m/44'/coin'/account'/0/index, the coin following from the chain.
struct EoaKey {
  std::uint64_t chain_id = 0;
  std::uint32_t account = 0;
  std::uint32_t index = 0;
  template <class C>
  void fields(C& c) {
    c.number(chain_id).number(account).number(index);
    if (chain_id == 0 || account >> 31 != 0 || index >> 31 != 0) c.fail();
  }
};

struct EoaDescribeRequest {
  RecordProof record;
  EoaKey eoa;
  template <class C>
  void fields(C& c) {
    record.fields(c);
    eoa.fields(c);
  }
};

struct EoaDescribeReply {
  // 0: the wallet has no phrase, and the address is zero
  std::uint8_t has_phrase = 0;
  Address address{};
  template <class C>
  void fields(C& c) {
    c.number(has_phrase).fixed(address);
  }
};

struct SignEoaTransactionRequest {
  RecordProof record;
  EoaKey eoa;
  // What keccak-256 of is signed: rlp(nonce … data, chain id, 0, 0) or type || rlp(fields)
  ByteView transaction;
  Assertion assertion;
  template <class C>
  void fields(C& c) {
    record.fields(c);
    eoa.fields(c);
    c.bytes(transaction, kMaxEoaTransaction);
    assertion.fields(c);
  }
};

struct SignEoaTransactionReply {
  Signature65 signature{};
  Bytes32 digest{};
  Address signer{};
  // 0, 1, 2 or 4
  std::uint8_t type = 0;
  std::uint64_t nonce = 0;
  Uint256 max_cost;
  CallSummary call;
  std::uint16_t authorization_count = 0;
  template <class C>
  void fields(C& c) {
    c.fixed(signature).fixed(digest).fixed(signer).number(type).number(nonce).word(max_cost);
    call.fields(c);
    c.number(authorization_count);
  }
};

struct SignMessageRequest {
  RecordProof record;
  EoaKey eoa;
  // Without the prefix of EIP-191, which the core puts before it.
  ByteView message;
  Assertion assertion;
  template <class C>
  void fields(C& c) {
    record.fields(c);
    eoa.fields(c);
    c.bytes(message, kMaxPersonalMessage);
    assertion.fields(c);
  }
};

struct SignMessageReply {
  Signature65 signature{};
  Bytes32 digest{};
  Address signer{};
  template <class C>
  void fields(C& c) {
    c.fixed(signature).fixed(digest).fixed(signer);
  }
};

// --- typed data (EIP-712) --------------------------------------------------------------------------------------------

inline constexpr std::uint8_t kDomainName = 1;
inline constexpr std::uint8_t kDomainVersion = 2;
inline constexpr std::uint8_t kDomainChainId = 4;
inline constexpr std::uint8_t kDomainContract = 8;
inline constexpr std::uint8_t kDomainSalt = 16;

// The type of the domain follows from the fields that are present, in the order of the standard.
struct TypedDataDomain {
  std::uint8_t present = 0;
  ByteView name;
  ByteView version;
  std::uint64_t chain_id = 0;
  Address verifying_contract{};
  Bytes32 salt{};
  template <class C>
  void fields(C& c) {
    c.number(present);
    if (present == 0 || present > 31) c.fail();
    if ((present & kDomainName) != 0) c.bytes(name, kMaxTypedDataName);
    if ((present & kDomainVersion) != 0) c.bytes(version, kMaxTypedDataName);
    if ((present & kDomainChainId) != 0) c.number(chain_id);
    if ((present & kDomainContract) != 0) c.fixed(verifying_contract);
    if ((present & kDomainSalt) != 0) c.fixed(salt);
  }
};

struct TypeDefinition {
  // As encodeType writes it: Mail(Person from,string contents)
  ByteView text;
  template <class C>
  void fields(C& c) {
    c.bytes(text, kMaxTypeDefinition);
  }
};

struct TypedData {
  TypedDataDomain domain;
  // Strictly ascending by name; every one is used.
  std::uint16_t type_count = 0;
  std::array<TypeDefinition, kMaxTypedDataTypes> types{};
  // Which of them the message is.
  std::uint8_t primary = 0;
  // The values in the order of the types (spec/trusted-core-protocol.md)
  ByteView values;
  template <class C>
  void fields(C& c) {
    domain.fields(c);
    c.list(types, type_count).number(primary).bytes(values, kMaxTypedDataBytes);
    if (primary >= type_count) c.fail();
  }
};

// What an application asked to be signed for.
struct TypedDataSummary {
  // kDomain… flags
  std::uint8_t present = 0;
  ByteView name;
  std::uint64_t chain_id = 0;
  Address verifying_contract{};
  ByteView primary_type;
  template <class C>
  void fields(C& c) {
    c.number(present).bytes(name, kMaxTypedDataName).number(chain_id).fixed(verifying_contract);
    c.bytes(primary_type, kMaxTypeDefinition);
  }
};

struct SignTypedDataRequest {
  RecordProof record;
  EoaKey eoa;
  TypedData data;
  Assertion assertion;
  template <class C>
  void fields(C& c) {
    record.fields(c);
    eoa.fields(c);
    data.fields(c);
    assertion.fields(c);
  }
};

struct SignTypedDataReply {
  Signature65 signature{};
  Bytes32 digest{};
  Address signer{};
  TypedDataSummary summary;
  template <class C>
  void fields(C& c) {
    c.fixed(signature).fixed(digest).fixed(signer);
    summary.fields(c);
  }
};

enum class AccountMessageKind : std::uint8_t { typed_data = 1, personal = 2 };

// A message that an account's ERC-1271 will be asked about, as ERC-7739 nests it.
struct SignAccountMessageRequest {
  RecordProof record;
  std::uint64_t chain_id = 0;
  Address account{};
  // The one that the chain says is the account's.
  std::uint32_t server_key_index = 0;
  AccountMessageKind kind = AccountMessageKind::typed_data;
  TypedData data;
  // Without a prefix
  ByteView message;
  Assertion assertion;
  template <class C>
  void fields(C& c) {
    record.fields(c);
    auto number = static_cast<std::uint8_t>(kind);
    c.number(chain_id).fixed(account).number(server_key_index).number(number);
    kind = static_cast<AccountMessageKind>(number);
    if (kind == AccountMessageKind::typed_data) {
      data.fields(c);
    } else if (kind == AccountMessageKind::personal) {
      c.bytes(message, kMaxPersonalMessage);
    } else {
      c.fail();
    }
    assertion.fields(c);
  }
};

struct SignAccountMessageReply {
  // By the account's server key
  Signature65 signature{};
  Bytes32 digest{};
  // Empty of a personal message
  TypedDataSummary summary;
  template <class C>
  void fields(C& c) {
    c.fixed(signature).fixed(digest);
    summary.fields(c);
  }
};

// --- secrets, to a page and from it ----------------------------------------------------------------------------------

struct PhraseExportRequest {
  RecordProof record;
  HpkeKey recipient{};
  Assertion assertion;
  template <class C>
  void fields(C& c) {
    record.fields(c);
    c.fixed(recipient);
    assertion.fields(c);
  }
};

// session_secret and content_root_open.
struct SealedRequest {
  RecordProof record;
  // To the core: the PRF output of the passkey that signs (32 bytes), the page's HPKE key (65)
  SealedMessage secret;
  Assertion assertion;
  template <class C>
  void fields(C& c) {
    record.fields(c);
    secret.fields(c);
    assertion.fields(c);
  }
};

}  // namespace community::protocol
