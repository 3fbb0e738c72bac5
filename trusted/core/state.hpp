// SPDX-License-Identifier: Apache-2.0
// The trusted state: the one small object that the core keeps in its body's secure store, however many users there are.
#pragma once
#include "trusted/port/port.hpp"
#include "trusted/protocol/messages.hpp"

namespace community::trusted {

using protocol::Error;
using protocol::RecordId;
using protocol::Uint256;

using protocol::kMaxRootKeys;

inline constexpr std::uint32_t kStateFormat = 4;
// The oldest format that still loads. It has no identity key, which the first start makes, and no counts of records,
// which are unknown until the host has them counted. Format 3 has neither revision nor backup. Before format 4 no
// treasury had spent anything and there were no generic keys.
inline constexpr std::uint32_t kOldestStateFormat = 2;
// Fixed fields and budgets take under 1.5 KiB, the configuration up to 6 KiB.
inline constexpr std::size_t kMaxState = 8'192;

// Key that sealed records are encrypted under. New records use the newest; old ones open with their version.
struct RootKey {
  std::uint32_t version = 0;
  Bytes32 key{};
  // Records of the committed tree that are sealed under it; means nothing unless State::records_counted.
  std::uint32_t records = 0;
  template <class C>
  void fields(C& c) {
    c.number(version).fixed(key);
  }
};

// What was signed or leased so far on a chain, in wei; never falls except by a clean return of a lease.
struct Spent {
  std::uint64_t chain_id = 0;
  Uint256 executor;
  Uint256 sponsor;
  // Stands behind the other fields of the state, where its format begins to have it.
  Uint256 treasury;
  template <class C>
  void fields(C& c) {
    c.number(chain_id).word(executor).word(sponsor);
  }
};

struct State {
  // As it was read; a state is written in the format it is in, so that every encoding has one reading.
  std::uint32_t format = kStateFormat;
  RecordId core_id{};
  Bytes32 channel_key{};
  std::array<std::uint8_t, 64> operator_key{};
  std::uint16_t root_key_count = 0;
  // Oldest first; versions ascend.
  std::array<RootKey, kMaxRootKeys> root_keys{};
  // Number of COMMITs since the core was made, and the root of the freshness tree after the last.
  std::uint64_t epoch = 0;
  Bytes32 root{};
  std::uint32_t recovery_count = 0;
  std::uint16_t spent_count = 0;
  std::array<Spent, protocol::kMaxChains> spent{};
  // As the operator signed it; empty before the first.
  std::array<std::uint8_t, protocol::kMaxConfiguration> configuration_bytes{};
  std::uint32_t configuration_size = 0;
  // What pages encrypt to (HPKE); made once.
  Bytes32 hpke_secret{};
  protocol::HpkeKey hpke_key{};
  // secp256k1, what the core signs statements of its own with; made once. Public key x || y.
  Bytes32 identity_secret{};
  std::array<std::uint8_t, 64> identity_key{};
  // 1: `records` of each root key is right. 0 after a recovery, whose tree is the host's word, and in a state of an
  // older format.
  std::uint8_t records_counted = 0;
  // Number of durable writes, this one included: orders the checkpoints of a backup.
  std::uint64_t revision = 0;
  // 1: another device goes on as this core. Nothing here is secret any more, and nothing is signed.
  std::uint8_t fenced = 0;
  // Configurations up to this sequence are refused: they are of the time before a restore.
  std::uint64_t configuration_floor = 0;
  // The backup: its generation (0: none was ever made), its key, and SHA-256 of its description.
  std::uint32_t backup_generation = 0;
  Bytes32 backup_key{};
  Bytes32 backup_description{};
  // secp256k1, made with the first backup: signs fence certificates.
  Bytes32 fence_secret{};
  // Of the operator's latest order about generic keys; changes with the COMMIT that it led to.
  std::uint64_t order_sequence = 0;

  template <class C>
  void fields(C& c) {
    c.number(format);
    if (format < kOldestStateFormat || format > kStateFormat) c.fail();
    c.fixed(core_id).fixed(channel_key).fixed(operator_key).list(root_keys, root_key_count);
    c.number(epoch).fixed(root).number(recovery_count).list(spent, spent_count);
    ByteView configuration(configuration_bytes.data(), configuration_size);
    c.bytes(configuration, protocol::kMaxConfiguration).fixed(hpke_secret).fixed(hpke_key);
    if (format >= 3) {
      c.fixed(identity_secret).fixed(identity_key).number(records_counted);
      for (std::size_t i = 0; i < root_key_count; i++) c.number(root_keys[i].records);
    }
    if (format >= 4) {
      c.number(revision).number(fenced).number(configuration_floor);
      c.number(backup_generation).fixed(backup_key).fixed(backup_description).fixed(fence_secret);
      for (std::size_t i = 0; i < spent_count; i++) c.word(spent[i].treasury);
      c.number(order_sequence);
    }
    if constexpr (C::kReads) {
      base::copy(configuration_bytes, configuration);
      configuration_size = static_cast<std::uint32_t>(configuration.size());
      if (root_key_count == 0 || records_counted > 1 || fenced > 1) c.fail();
    }
  }

  const RootKey& active_root_key() const { return root_keys[root_key_count - 1u]; }
  // Nothing when the core does not have this version.
  RootKey* find_root_key(std::uint32_t version) {
    for (std::size_t i = 0; i < root_key_count; i++)
      if (root_keys[i].version == version) return &root_keys[i];
    return nullptr;
  }
  const RootKey* find_root_key(std::uint32_t version) const { return const_cast<State*>(this)->find_root_key(version); }
};

// Reads the state; `not_provisioned` when there is none, `store_failed` when it cannot be read.
Error load_state(const Port& port, State& state);
// Writes the state durably, with the next revision. When it cannot be written the revision stays, and no checkpoint
// ever has the one that was tried unless a restart finds it written after all.
Error save_state(const Port& port, State& state);
// A state of an older format becomes one of the present, durably: it gets an identity key if its format had no place
// for one.
// Changes nothing when it cannot be written.
Error migrate_state(const Port& port, State& state);
// A new identity key pair; random_failed without randomness.
Error make_identity_key(const Port& port, State& state);

}  // namespace community::trusted
