// SPDX-License-Identifier: Apache-2.0
// The node's own keys that were opened lately. A node signs with a handful of them over and over; opening one anew each
// time costs as much as the signature itself, for the thirty hashes of its path and the decryption.
#pragma once
#include "trusted/core/record.hpp"

namespace community::trusted {

// Proofs under one root: the same bytes under the same root are the same record, so nothing is believed that was not
// verified. Another root forgets them all.
class OpenedKeys {
 public:
  // A key record takes half of it.
  static constexpr std::size_t kMaxSealed = 256;

  struct Entry {
    std::uint32_t sealed_size = 0;
    std::array<std::uint8_t, kMaxSealed> sealed{};
    std::uint32_t leaf = 0, present = 0;
    std::array<std::uint8_t, protocol::kTreeDepth * 32> siblings{};
    KeyRecord key;
    // Of the key; making it again costs as much as a signature.
    protocol::Address address{};
  };

  // Null when this proof was not verified under `root`.
  const Entry* find(const Bytes32& root, const protocol::RecordProof& proof) const {
    if (count_ == 0 || root != root_) return nullptr;
    for (std::size_t i = 0; i < count_; i++)
      if (matches(entries_[i], proof)) return &entries_[i];
    return nullptr;
  }

  // Of a proof that was verified under `root`. The oldest makes room.
  void remember(const Bytes32& root, const protocol::RecordProof& proof, const KeyRecord& key,
                const protocol::Address& address) {
    if (proof.sealed.size() > kMaxSealed) return;
    if (root != root_) forget();
    root_ = root;
    Entry& entry = entries_[next_];
    next_ = (next_ + 1) % entries_.size();
    if (count_ < entries_.size()) count_++;
    entry.sealed_size = static_cast<std::uint32_t>(proof.sealed.size());
    base::copy(entry.sealed, proof.sealed);
    entry.leaf = proof.path.leaf;
    entry.present = proof.path.present;
    base::copy(entry.siblings, proof.path.siblings);
    entry.key.assign(key);
    entry.address = address;
  }

  void forget() {
    for (Entry& entry : entries_) base::wipe(entry.key.secret);
    count_ = next_ = 0;
  }

 private:
  static bool matches(const Entry& entry, const protocol::RecordProof& proof) {
    return entry.leaf == proof.path.leaf && entry.present == proof.path.present &&
           base::equal(ByteView(entry.sealed).first(entry.sealed_size), proof.sealed) &&
           base::equal(ByteView(entry.siblings).first(proof.path.siblings.size()), proof.path.siblings);
  }

  Bytes32 root_{};
  std::size_t count_ = 0, next_ = 0;
  std::array<Entry, 8> entries_;
};

}  // namespace community::trusted
