// SPDX-License-Identifier: Apache-2.0
// What the node asks of the trusted core about a wallet's phrase, messages and a person's secrets (rules 6 to 8). What
// a person reads or writes here is sealed between page and core; the node passes it on.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "community/core/userop.hpp"
#include "community/infra/api/task.hpp"
#include "community/keys/api/error.hpp"
#include "trusted/protocol/phrase_messages.hpp"

namespace community::keys {

struct Assertion;

// An HPKE message that owns its bytes.
struct SealedSecret {
  protocol::HpkeKey enc{};
  core::Bytes cipher;
};

// Typed data in the form of spec/trusted-core-protocol.md, section 10.
struct TypedMessage {
  // protocol::kDomain… flags
  std::uint8_t present = 0;
  std::string name;
  std::string version;
  std::uint64_t chain_id = 0;
  core::Address verifying_contract{};
  core::Bytes32 salt{};
  // encodeType of each, ascending by name
  std::vector<std::string> types;
  std::uint8_t primary = 0;
  core::Bytes values;
};

struct SignedEoaTransaction {
  core::Signature signature;
  core::Bytes32 digest{};
  core::Address signer{};
  // 0, 1, 2 or 4
  std::uint8_t type = 0;
  std::uint64_t nonce = 0;
  core::Uint256 max_cost;
  protocol::CallSummary call;
  std::uint16_t authorization_count = 0;
};

// What was signed, as the core read it; the names are empty for a personal message.
struct SignedText {
  core::Signature signature;
  core::Bytes32 digest{};
  // Of a key of the phrase; zero for an account's message.
  core::Address signer{};
  std::uint8_t domain_present = 0;
  std::string domain_name;
  std::uint64_t domain_chain_id = 0;
  core::Address verifying_contract{};
  std::string primary_type;
};

// Content roots: who signs for a change, and what its page or pages sealed.
struct ContentRootChange {
  // The passkey the root is wrapped for.
  core::Bytes credential_id;
  // One: the root is made for the passkey that signs. Two: its own PRF output, then that of `credential_id`.
  std::vector<SealedSecret> secrets;
};

// The bytes of a change; a passkey signs protocol::wallet_change_challenge over them and the wallet's revision.
core::Bytes encode_phrase_change(std::uint8_t words);
core::Bytes encode_content_root_change(const ContentRootChange& change);

// The account that a message is signed for.
struct SigningAccount {
  std::uint64_t chain_id = 0;
  core::Address address{};
  // The one that the chain says is the account's.
  std::uint32_t server_key_index = 0;
};

class PhraseKeys {
 public:
  virtual ~PhraseKeys() = default;
  // 12 or 24 words; committed when it returns.
  virtual infra::Task<Result<void>> make_phrase(protocol::RecordId wallet, std::uint8_t words, Assertion assertion) = 0;
  // Nothing while the wallet has no phrase.
  virtual infra::Task<Result<std::optional<core::Address>>> eoa_address(protocol::RecordId wallet,
                                                                        protocol::EoaKey eoa) = 0;
  // What keccak-256 of is signed: legacy with chain id, EIP-2930, EIP-1559, EIP-7702.
  virtual infra::Task<Result<SignedEoaTransaction>> sign_eoa_transaction(protocol::RecordId wallet,
                                                                         protocol::EoaKey eoa, core::Bytes transaction,
                                                                         Assertion assertion) = 0;
  // EIP-191
  virtual infra::Task<Result<SignedText>> sign_message(protocol::RecordId wallet, protocol::EoaKey eoa,
                                                       core::Bytes message, Assertion assertion) = 0;
  // EIP-712
  virtual infra::Task<Result<SignedText>> sign_typed_data(protocol::RecordId wallet, protocol::EoaKey eoa,
                                                          TypedMessage message, Assertion assertion) = 0;
  // The server key's part of an ERC-1271 signature, over the form that ERC-7739 nests.
  virtual infra::Task<Result<SignedText>> sign_account_message(protocol::RecordId wallet, SigningAccount account,
                                                               TypedMessage message, Assertion assertion) = 0;
  virtual infra::Task<Result<SignedText>> sign_account_text(protocol::RecordId wallet, SigningAccount account,
                                                            core::Bytes message, Assertion assertion) = 0;

  // Secrets, sealed to the page.
  virtual infra::Task<Result<SealedSecret>> export_phrase(protocol::RecordId wallet, protocol::HpkeKey page,
                                                          Assertion assertion) = 0;
  virtual infra::Task<Result<SealedSecret>> session_secret(protocol::RecordId wallet, SealedSecret request,
                                                           Assertion assertion) = 0;
  virtual infra::Task<Result<SealedSecret>> open_content_root(protocol::RecordId wallet, SealedSecret request,
                                                              Assertion assertion) = 0;
  // Committed when it returns.
  virtual infra::Task<Result<void>> wrap_content_root(protocol::RecordId wallet, ContentRootChange change,
                                                      Assertion assertion) = 0;
};

}  // namespace community::keys
