// SPDX-License-Identifier: Apache-2.0
// Sealed records: data only this core can open, stored outside by the host. The header is associated data, so that no
// part of it can be changed or moved to another record.
#pragma once
#include "trusted/core/state.hpp"

namespace community::trusted {

enum class RecordType : std::uint8_t { wallet = 1, key = 2, share = 3 };

// "CNR1" | type | u32 root key version | core id | record id | u64 revision, then nonce (12), ciphertext, tag (16).
inline constexpr std::size_t kRecordHeader = 4 + 1 + 4 + 16 + 16 + 8;
inline constexpr std::size_t kRecordOverhead = kRecordHeader + 12 + 16;
inline constexpr std::size_t kMaxRecordPlain = protocol::kMaxSealedRecord - kRecordOverhead;

struct RecordHeader {
  RecordType type = RecordType::wallet;
  RecordId id{};
  std::uint64_t revision = 0;
  // Of the root key that a record was opened with; 0 for one that was never sealed. Sealing takes the newest.
  std::uint32_t root_version = 0;
};

// The person's content root under the session key of one passkey: AES-256-GCM.
struct WrappedRoot {
  Bytes32 credential_hash{};
  std::array<std::uint8_t, 12> nonce{};
  Bytes32 cipher{};
  std::array<std::uint8_t, 16> tag{};
  template <class C>
  void fields(C& c) {
    c.fixed(credential_hash).fixed(nonce).fixed(cipher).fixed(tag);
  }
};

// A wallet: the secrets of one user.
struct WalletRecord {
  // Server keys are derived from it; never leaves the core.
  Bytes32 server_secret{};
  // `TEE_Key`: random, never rotates.
  Bytes32 content_secret{};
  // The phrase: 16 or 32 bytes of entropy and the seed that follows from it; no entropy when there is no phrase.
  std::uint8_t entropy_size = 0;
  Bytes32 entropy{};
  std::array<std::uint8_t, 64> seed{};
  std::uint16_t passkey_count = 0;
  std::array<protocol::Passkey, protocol::kMaxPasskeys> passkeys{};
  protocol::Policy policy;
  std::uint16_t account_count = 0;
  std::array<protocol::AccountBinding, protocol::kMaxAccountsPerWallet> accounts{};
  // At most one a passkey, in the order they were made.
  std::uint16_t root_count = 0;
  std::array<WrappedRoot, protocol::kMaxPasskeys> roots{};

  WalletRecord() = default;
  WalletRecord(const WalletRecord&) = delete;
  WalletRecord& operator=(const WalletRecord&) = delete;
  ~WalletRecord() {
    base::wipe(server_secret);
    base::wipe(content_secret);
    base::wipe(entropy);
    base::wipe(seed);
  }

  template <class C>
  void fields(C& c) {
    c.fixed(server_secret).fixed(content_secret).number(entropy_size).fixed(entropy).fixed(seed);
    c.list(passkeys, passkey_count);
    policy.fields(c);
    c.list(accounts, account_count).list(roots, root_count);
    if (entropy_size != 0 && entropy_size != 16 && entropy_size != 32) c.fail();
  }

  const protocol::Passkey* find_passkey(const Bytes32& credential_hash) const {
    for (std::size_t i = 0; i < passkey_count; i++)
      if (passkeys[i].credential_hash == credential_hash) return &passkeys[i];
    return nullptr;
  }

  // The last one takes its place, and the content root that was wrapped for it goes with it.
  void remove_passkey(std::size_t index) {
    passkeys[index] = passkeys[passkey_count - 1u];
    passkeys[--passkey_count] = {};
    drop_lost_roots();
  }

  // Forgets the roots that were wrapped for passkeys which the wallet no longer has.
  void drop_lost_roots() {
    std::uint16_t kept = 0;
    for (std::size_t i = 0; i < root_count; i++)
      if (find_passkey(roots[i].credential_hash) != nullptr) roots[kept++] = roots[i];
    for (std::size_t i = kept; i < root_count; i++) roots[i] = {};
    root_count = kept;
  }
};

// A key of the node itself (executor, treasury, paymaster) or a generic one of the operator's.
struct KeyRecord {
  std::uint8_t purpose = 0;
  // 0: any configured chain
  std::uint64_t chain_id = 0;
  Bytes32 secret{};
  // protocol::GenericKeyType and flags; of a generic key only.
  std::uint32_t generic_type = 0;
  std::uint8_t generic_flags = 0;

  KeyRecord() = default;
  KeyRecord(const KeyRecord&) = delete;
  KeyRecord& operator=(const KeyRecord&) = delete;
  ~KeyRecord() { base::wipe(secret); }
  // By name, so that no copy of a secret is made by accident.
  void assign(const KeyRecord& other) {
    purpose = other.purpose;
    chain_id = other.chain_id;
    secret = other.secret;
    generic_type = other.generic_type;
    generic_flags = other.generic_flags;
  }

  template <class C>
  void fields(C& c) {
    c.number(purpose).number(chain_id).fixed(secret);
    if (purpose == static_cast<std::uint8_t>(protocol::Purpose::generic)) c.number(generic_type).number(generic_flags);
  }
};

// Reads the header of a record of this core; its root key need not be there. Only the freshness tree, or opening the
// record, tells whether what the header says is true.
Error read_header(const State& state, ByteView sealed, RecordHeader& header);
Error seal_bytes(const Port& port, const State& state, const RecordHeader& header, ByteView plain, MutableByteView out,
                 std::size_t& size);
// Opens a record of this core; `size` is that of the plain text in `out`.
Error open_bytes(const Port& port, const State& state, ByteView sealed, RecordType type, RecordHeader& header,
                 MutableByteView out, std::size_t& size);

template <class Record>
Error seal_record(const Port& port, const State& state, const RecordHeader& header, const Record& record,
                  MutableByteView out, std::size_t& size) {
  base::Secret<kMaxRecordPlain> plain;
  const ByteView encoded = protocol::encode(record, plain.bytes);
  if (encoded.empty()) return Error::record_malformed;
  return seal_bytes(port, state, header, encoded, out, size);
}

template <class Record>
Error open_record(const Port& port, const State& state, ByteView sealed, RecordType type, RecordHeader& header,
                  Record& record) {
  base::Secret<kMaxRecordPlain> plain;
  std::size_t size = 0;
  const Error error = open_bytes(port, state, sealed, type, header, plain.bytes, size);
  if (error != Error::ok) return error;
  return protocol::decode(ByteView(plain).first(size), record) ? Error::ok : Error::record_malformed;
}

// True for a number in [1, n - 1], n the order of secp256k1; in constant time.
bool is_secp256k1_secret(const Bytes32& secret);

// Server key `index` of a wallet: HKDF of the server secret, with a further byte until it is a valid secret key. The
// public key is not computed, since that costs as much as a signature.
Error derive_server_key(const WalletRecord& wallet, std::uint32_t index, Bytes32& secret);
Error server_key_address(const Port& port, const WalletRecord& wallet, std::uint32_t index, protocol::Address& address);

// keccak256 of the public key, its last 20 bytes.
protocol::Address address_of(const std::uint8_t public_key[64]);

}  // namespace community::trusted
