// SPDX-License-Identifier: Apache-2.0
// Devices that back each other up, as their hosts and operators handle them: challenges, evidence, orders, shares,
// checkpoints, restore and fence, all through frames.
#pragma once
#include "trusted/protocol/backup_messages.hpp"
#include "trusted/tests/support/world.hpp"

namespace community::trusted::testing {

// Made once for a device of each role: a new RSA key takes longer than most tests.
QuoteMaker& source_quotes();
QuoteMaker& holder_quotes();
QuoteMaker& device_quotes();

// What a core shows for a challenge. The first quote of a device in OP-TEE waits for its key, so it is asked for again.
protocol::Evidence make_evidence(TestHost& host, const Bytes32& challenge);
Bytes32 peer_challenge(TestHost& host);
// A device as an operator describes it who knows it: by the maker of its quotes, or else by what it attests.
protocol::PeerDescription describe_peer(TestHost& host, QuoteMaker* maker);

// Signed bytes of an order.
struct OwnedOrder {
  Bytes bytes;
  std::array<std::uint8_t, 64> signature{};
  protocol::SignedBackupOrder view() const { return {bytes, signature}; }
};
template <class Order>
OwnedOrder sign_order(const TestHost& signer, std::string_view what, const Order& order) {
  OwnedOrder owned{encoded(order), {}};
  owned.signature = signer.operator_sign(what, owned.bytes);
  return owned;
}

// A package that owns its cipher text.
struct OwnedPackage {
  protocol::SharePackage package;
  Bytes cipher;
  OwnedPackage() = default;
  explicit OwnedPackage(const protocol::SharePackage& other) : package(other), cipher(to_bytes(other.cipher)) {}
  protocol::SharePackage view() const {
    protocol::SharePackage out = package;
    out.cipher = cipher;
    return out;
  }
};

// What came with it: evidence of the sender.
struct SentShare {
  Error error = Error::ok;
  Bytes evidence;
  OwnedPackage package;
};

struct OwnedContribution {
  std::uint8_t index = 0;
  Bytes evidence;
  OwnedPackage package;
  protocol::Contribution view() const { return {index, evidence, package.view()}; }
};

// A holder outside of any core: a key pair and what was sent to it.
struct OfflineHolder {
  explicit OfflineHolder(std::uint64_t seed);
  MemoryStore store;
  Bytes32 secret{};
  protocol::HpkeKey key{};
  OwnedPackage package;
  // The contents of the package, encoded; empty when it does not open.
  Bytes open() const;
  // Seals such contents to a restoring core.
  OwnedPackage seal(ByteView contents, const protocol::HpkeKey& recipient) const;
};

// A source in a TEE with a world of wallets, a holder in a TEE, three software holders, one offline holder, threshold
// 3; and a new device in a TEE.
class BackupWorld {
 public:
  static constexpr std::size_t kCores = 4;
  // Source and new device may be remote bodies, which outlive this.
  explicit BackupWorld(RemoteBody* source_body = nullptr, RemoteBody* device_body = nullptr);

  World world;
  TestHost& source = world.host;
  std::array<std::unique_ptr<TestHost>, kCores> holders;
  OfflineHolder offline{90};
  TestHost device;

  QuoteMaker* maker_of(std::size_t holder) const { return holder == 0 ? &holder_quotes() : nullptr; }

  // The order for a backup of this generation, to all five holders.
  protocol::BackupOrder order(std::uint32_t generation = 1);
  // Asks for it; on success the description is kept.
  Error create(const protocol::BackupOrder& order);
  // backup_share for holder `index` (from 1) with good evidence; the offline one's is kept there.
  SentShare send(std::uint8_t index);
  // share_keep with what was sent, committed; the record is kept.
  Error keep(std::uint8_t index, const SentShare& sent);
  protocol::KeepOrder keep_order(std::uint8_t index);
  Uncommitted ask_keep(std::uint8_t index, const SentShare& sent, const OwnedOrder& order);
  // create, send and keep for everybody.
  void distribute(std::uint32_t generation = 1);

  Bytes checkpoint() { return checkpoint_of(source); }
  static Bytes checkpoint_of(TestHost& host);
  // checkpoint_keep, committed when it was accepted.
  Error keep_checkpoint(std::uint8_t index, ByteView checkpoint,
                        const protocol::FenceCertificate* certificate = nullptr);
  protocol::ShareDescribeReply describe(std::uint8_t index);

  protocol::RestoreOrder restore_order(std::uint64_t floor = 0) { return restore_order_for(device, floor); }
  protocol::RestoreOrder restore_order_for(TestHost& to, std::uint64_t floor = 0);
  OwnedOrder signed_restore_order() { return sign_order(source, "restore", restore_order()); }
  // What the holder gives for the restore order.
  SentShare release(std::uint8_t index, const OwnedOrder& order) { return release_to(device, index, order); }
  SentShare release_to(TestHost& to, std::uint8_t index, const OwnedOrder& order);
  OwnedContribution contribute(std::uint8_t index) { return contribute_to(device, index); }
  OwnedContribution contribute_to(TestHost& to, std::uint8_t index);
  Reply restore(const std::vector<OwnedContribution>& contributions) {
    return restore_to(device, contributions, signed_restore_order());
  }
  Reply restore_to(TestHost& to, const std::vector<OwnedContribution>& contributions, const OwnedOrder& order);
  // From the first three holders with a checkpoint of now.
  void restore_now();

  static Reply certificate(TestHost& host) { return host.call(Command::fence_certificate); }

  Bytes description;
  std::array<StoredRecord, kCores> shares;

 private:
  // Null for a remote body.
  QuoteMaker* source_maker_;
  QuoteMaker* device_maker_;
};

}  // namespace community::trusted::testing
