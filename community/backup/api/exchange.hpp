// SPDX-License-Identifier: Apache-2.0
// The steps of a backup and of a restore in which two cores see each other (spec/backup.md, sections 4 and 6). Each may
// be repeated after any interruption.
#pragma once
#include "community/backup/api/peer_client.hpp"
#include "community/infra/api/random.hpp"

namespace community::backup {

// Each core gives the other a challenge and its evidence; then the share of the holder at `index`, from 1, goes to it.
infra::Task<Result<void>> give_share(keys::BackupKeys& source, PeerClient& holder, Bytes description,
                                     std::uint8_t index);

// The package for an offline holder, with the source's evidence over a random challenge: what that person keeps.
infra::Task<Result<Share>> make_offline_share(keys::BackupKeys& source, infra::Random& random, Bytes description,
                                              std::uint8_t index);

// What a holder gives to this device, which the order names.
infra::Task<Result<ShareContribution>> collect_share(keys::BackupKeys& device, PeerClient& holder,
                                                     keys::SignedMessage order);

}  // namespace community::backup
