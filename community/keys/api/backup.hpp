// SPDX-License-Identifier: Apache-2.0
// Backup between trusted cores (spec/backup.md), as the host sees it: evidence, packages and checkpoints are bytes that
// it carries from one core to the other. Orders are messages that an operator signed (api/operator.hpp).
#pragma once
#include <optional>
#include <vector>

#include "community/infra/api/task.hpp"
#include "community/keys/api/error.hpp"
#include "community/keys/api/signed_message.hpp"
#include "trusted/protocol/backup_messages.hpp"

namespace community::keys {

struct MadeBackup {
  // An encoded protocol::BackupDescription.
  core::Bytes description;
  // Of the source's identity key over identity_digest(kBackupDescription, description).
  std::array<std::uint8_t, 64> signature{};
};

// A share on its way, with what shows who sent it.
struct SentShare {
  // An encoded protocol::Evidence of the sender, over the challenge in the request.
  core::Bytes evidence;
  // An encoded protocol::SharePackage.
  core::Bytes package;
};

// What a core says to others about itself and its own backup.
class BackupKeys {
 public:
  virtual ~BackupKeys() = default;
  // For a peer's evidence; good until this core starts again.
  virtual infra::Task<Result<core::Bytes32>> peer_challenge() = 0;
  // An encoded protocol::Evidence of this core over a peer's challenge. Holds the core as AttestingCore::attest does.
  virtual infra::Task<Result<core::Bytes>> evidence(core::Bytes32 challenge) = 0;
  // By an order signed as "backup". The same order again has the same answer and changes nothing.
  virtual infra::Task<Result<MadeBackup>> create_backup(SignedMessage order) = 0;
  // The share of the holder at `index`, from 1. `evidence` is the holder's over a challenge of this core; empty for an
  // offline holder, whose `challenge` is 32 random bytes of that person's own.
  virtual infra::Task<Result<SentShare>> backup_share(core::Bytes description, std::uint8_t index,
                                                      core::Bytes32 challenge, core::Bytes evidence) = 0;
  // An encoded protocol::Checkpoint of the present state. refused(backup_missing).
  virtual infra::Task<Result<core::Bytes>> checkpoint() = 0;
  // refused(fence_without_recovery) from a core that was neither restored nor recovered.
  virtual infra::Task<Result<protocol::FenceCertificate>> fence_certificate() = 0;
  // Ends this core for good when the certificate is of the core that goes on; the connection ends with it.
  virtual infra::Task<Result<void>> fence(protocol::FenceCertificate certificate) = 0;
};

// Shares of other cores' backups that this core keeps. Each is a record of the node's database.
class ShareKeys {
 public:
  virtual ~ShareKeys() = default;
  // By an order signed as "keep share" by this core's operator; the id of the record. `evidence` is the source's, over
  // a challenge of this core.
  virtual infra::Task<Result<protocol::RecordId>> keep_share(SignedMessage order, core::Bytes description,
                                                             core::Bytes evidence, core::Bytes package) = 0;
  // refused(checkpoint_not_newer) and the other rules of spec/backup.md, section 5.
  virtual infra::Task<Result<void>> keep_checkpoint(protocol::RecordId share, core::Bytes checkpoint,
                                                    std::optional<protocol::FenceCertificate> certificate) = 0;
  // All of them, in the order they came.
  virtual infra::Task<Result<std::vector<protocol::ShareDescribeReply>>> shares() = 0;
  // By an order signed as "restore" by the operator of the backup.
  virtual infra::Task<Result<SentShare>> release_share(protocol::RecordId share, SignedMessage order,
                                                       core::Bytes32 challenge, core::Bytes evidence) = 0;
};

// What one holder gives towards a restore.
struct ShareContribution {
  // From 1.
  std::uint8_t index = 0;
  // An encoded protocol::Evidence of a core, over a challenge of the restoring core; empty from an offline holder.
  core::Bytes evidence;
  // An encoded protocol::SharePackage.
  core::Bytes package;
};

struct RestoreOutcome {
  // ok when the core is restored; too_few_shares or checkpoint_missing when nothing was changed.
  protocol::Error result = protocol::Error::ok;
  // Of the checkpoint that was taken.
  std::uint64_t revision = 0;
  // In the order of the contributions: why a share, or the checkpoint with it, was not used.
  std::vector<protocol::ContributionResult> contributions;
  // The node's database is that of the checkpoint; otherwise the operator has the core recover.
  bool database_matches = false;
};

class RestorableCore {
 public:
  virtual ~RestorableCore() = default;
  // Puts another core's checkpoint into this one, which is empty; by an order signed as "restore". At most kMaxHolders
  // contributions.
  virtual infra::Task<Result<RestoreOutcome>> restore(SignedMessage order, core::Bytes description,
                                                      std::vector<ShareContribution> contributions) = 0;
};

}  // namespace community::keys
