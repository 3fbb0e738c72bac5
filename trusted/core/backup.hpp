// SPDX-License-Identifier: Apache-2.0
// What backup between cores is made of, apart from the commands: evidence of a peer, packages, shares, checkpoints.
// spec/backup.md describes each; the core's commands are in backup.cpp, backup_holder.cpp and backup_restore.cpp.
#pragma once
#include "trusted/core/record.hpp"
#include "trusted/protocol/backup_messages.hpp"

namespace community::trusted {

// --- peers (backup_peer.cpp) -----------------------------------------------------------------------------------------

// Challenges that are known again without being kept: a nonce and its MAC under a secret of this start.
class PeerChallenges {
 public:
  Error make(const Port& port, Bytes32& challenge);
  bool is_ours(const Bytes32& challenge) const;

 private:
  void mac(const Bytes32& challenge, Bytes32& out) const;

  bool started_ = false;
  base::Secret<32> secret_;
};

// SHA-256 of the SubjectPublicKeyInfo (RFC 5280, RFC 3279) in DER of an RSA-3072 key with exponent 65537.
Bytes32 attestation_key_fingerprint(const std::array<std::uint8_t, protocol::kQuoteKeyBytes>& modulus);

// Whether the evidence is for one of our challenges and of exactly the peer that is described; the first rule of
// spec/backup.md, section 1, that it breaks.
Error check_evidence(const Port& port, const PeerChallenges& challenges, const protocol::PeerDescription& peer,
                     const protocol::Evidence& evidence);
Bytes32 statement_digest(const protocol::AttestationStatement& statement);

// ECDSA secp256k1 over identity_digest(kind, message).
Error sign_as_identity(const Port& port, const State& state, std::string_view kind, ByteView message,
                       std::array<std::uint8_t, 64>& signature);
bool identity_verifies(const Port& port, const std::array<std::uint8_t, 64>& identity_key, std::string_view kind,
                       ByteView message, const std::array<std::uint8_t, 64>& signature);

// A key of HPKE: a point of P-256 as RFC 9180 serialises it.
bool is_hpke_key(const Port& port, const protocol::HpkeKey& key);

// Encrypts and signs; the two statements stand in the package already, its cipher text goes to `cipher`.
Error seal_package(const Port& port, const State& state, std::string_view purpose, const protocol::HpkeKey& recipient,
                   const protocol::ShareContents& contents,
                   std::array<std::uint8_t, protocol::kMaxSharePackage>& cipher, protocol::SharePackage& package);
// Whether this sender signed the package, over the statement that he showed.
Error check_package(const Port& port, std::string_view purpose, const std::array<std::uint8_t, 64>& sender,
                    const protocol::AttestationStatement& statement, const protocol::SharePackage& package);
// `contents` points into `plain`.
Error open_package(const Port& port, const State& state, std::string_view purpose,
                   const protocol::SharePackage& package, base::Secret<protocol::kMaxSharePackage>& plain,
                   protocol::ShareContents& contents);

// --- shares ----------------------------------------------------------------------------------------------------------

// Share `index` of the state's backup key.
void make_share(const State& state, std::uint8_t threshold, std::uint8_t index, Bytes32& share);

// Whether a kept share is the one at its index of the backup that `description` describes; `digest` is SHA-256 of the
// encoded description.
Error check_share(const protocol::BackupDescription& description, const Bytes32& digest,
                  const protocol::KeptShare& share);

// A share of another core's backup, in its holder's database.
struct ShareRecord {
  protocol::KeptShare share;
  // The device whose checkpoints are kept, and its recovery count when it was last known: by its evidence, or by the
  // certificate with which it took over.
  std::array<std::uint8_t, 64> followed_identity{};
  std::uint32_t followed_recovery_count = 0;
  // The newest, empty before the first.
  std::uint32_t checkpoint_size = 0;
  std::array<std::uint8_t, protocol::kMaxCheckpoint> checkpoint_bytes{};

  ByteView checkpoint() const { return ByteView(checkpoint_bytes).first(checkpoint_size); }
  void set_checkpoint(ByteView bytes) {
    base::copy(checkpoint_bytes, bytes);
    checkpoint_size = static_cast<std::uint32_t>(bytes.size());
  }
  template <class C>
  void fields(C& c) {
    share.fields(c);
    ByteView kept = checkpoint();
    c.fixed(followed_identity).number(followed_recovery_count).bytes(kept, protocol::kMaxCheckpoint);
    if constexpr (C::kReads) set_checkpoint(kept);
  }
};

// --- checkpoints (backup_checkpoint.cpp) -----------------------------------------------------------------------------

// What a core needs to go on elsewhere.
struct CheckpointContents {
  std::uint16_t root_key_count = 0;
  std::array<RootKey, kMaxRootKeys> root_keys{};
  std::uint8_t records_counted = 0;
  std::uint64_t epoch = 0;
  Bytes32 root{};
  std::uint64_t configuration_sequence = 0;
  std::uint16_t spent_count = 0;
  std::array<Spent, protocol::kMaxChains> spent{};
  std::array<std::uint8_t, 64> operator_key{};
  Bytes32 fence_secret{};
  // Of the operator's latest order about generic keys.
  std::uint64_t order_sequence = 0;

  CheckpointContents() = default;
  CheckpointContents(const CheckpointContents&) = delete;
  CheckpointContents& operator=(const CheckpointContents&) = delete;
  ~CheckpointContents() { base::wipe(this, sizeof *this); }
  // By name, so that no copy of the keys is made by accident.
  void assign(const CheckpointContents& other) {
    root_key_count = other.root_key_count;
    root_keys = other.root_keys;
    records_counted = other.records_counted;
    epoch = other.epoch;
    root = other.root;
    configuration_sequence = other.configuration_sequence;
    spent_count = other.spent_count;
    spent = other.spent;
    operator_key = other.operator_key;
    fence_secret = other.fence_secret;
    order_sequence = other.order_sequence;
  }

  template <class C>
  void fields(C& c) {
    c.list(root_keys, root_key_count);
    for (std::size_t i = 0; i < root_key_count; i++) c.number(root_keys[i].records);
    c.number(records_counted).number(epoch).fixed(root).number(configuration_sequence).list(spent, spent_count);
    for (std::size_t i = 0; i < spent_count; i++) c.word(spent[i].treasury);
    c.fixed(operator_key).fixed(fence_secret).number(order_sequence);
    if (root_key_count == 0 || records_counted > 1) c.fail();
  }
};

// The state's checkpoint, encoded, encrypted and signed, into `out`. What `configuration` allows counts as spent.
Error seal_checkpoint(const Port& port, const State& state, const protocol::Configuration& configuration,
                      MutableByteView out, ByteView& sealed);
// Reads what is public of a checkpoint of this backup.
Error read_checkpoint(ByteView sealed, const protocol::RecordId& core_id, std::uint32_t generation,
                      protocol::Checkpoint& checkpoint);
// Opens one that was read.
Error open_checkpoint(const Port& port, const Bytes32& backup_key, ByteView sealed,
                      const protocol::Checkpoint& checkpoint, CheckpointContents& contents);

}  // namespace community::trusted
