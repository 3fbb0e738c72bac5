// SPDX-License-Identifier: Apache-2.0
// Keeps this core's backup recent: makes checkpoints at intervals and brings the newest to every holder, again and
// again while one is away. What it knows lies in a folder, so that commands and a later start can tell.
#pragma once
#include <filesystem>

#include "community/backup/api/documents.hpp"
#include "community/infra/api/clock.hpp"
#include "community/infra/api/health.hpp"
#include "community/infra/api/http_client.hpp"
#include "community/infra/api/metrics.hpp"
#include "community/keys/api/root_keys.hpp"

namespace community::backup {

// Files of the node's backup folder: DATA/backup.
struct BackupFiles {
  std::filesystem::path folder;

  // The description with the source's signature. A restore needs a copy of it that is elsewhere.
  std::filesystem::path description() const { return folder / "backup.json"; }
  // Where the holders that are cores are reached.
  std::filesystem::path holders() const { return folder / "holders.json"; }
  // The newest, which offline holders may be given.
  std::filesystem::path checkpoint() const { return folder / "checkpoint.json"; }
  std::filesystem::path state() const { return folder / "state.json"; }
  // For the offline holder at this index.
  std::filesystem::path offline_share(unsigned index) const {
    return folder / ("offline-" + std::to_string(index) + ".json");
  }
  // Keep orders of this node's operator, by source.
  std::filesystem::path allowed(const RecordId& source) const {
    return folder / "allowed" / (core::to_plain_hex(source) + ".json");
  }
};

// Base URLs of holders; at most protocol::kMaxHolders.
Result<void> write_holders(const BackupFiles& files, const std::vector<std::string>& urls);
// Empty when the file is missing.
Result<std::vector<std::string>> read_holders(const BackupFiles& files);

struct HolderState {
  std::string url;
  // Of the newest checkpoint that it is known to have; generation 0: of none.
  protocol::CheckpointHeader held;
  // Milliseconds since 1970 when it was last known to have what was then the newest.
  std::int64_t current_ms = 0;
  // Words about the last attempt; empty when it went well.
  std::string trouble;
};

struct BackupState {
  // 0: no backup.
  std::uint32_t generation = 0;
  // Of the newest checkpoint, and when it was made, in milliseconds since 1970; 0: none was.
  std::uint64_t revision = 0;
  std::int64_t made_ms = 0;
  std::vector<HolderState> holders;
};
// A state of nothing when the file is missing.
Result<BackupState> read_state(const BackupFiles& files);

struct KeeperOptions {
  BackupFiles files;
  infra::Milliseconds interval{3'600'000};
  // Base URLs; empty: those of the folder's holders.json.
  std::vector<std::string> holders;
};

// All outlive the keeper.
struct KeeperDependencies {
  keys::BackupKeys& keys;
  keys::RootKeys& core;
  infra::HttpClient& http;
  infra::Clock& clock;
  infra::Metrics* metrics = nullptr;
};

// How many of the holders that are cores have a checkpoint younger than three intervals, and how many should.
struct Freshness {
  std::size_t fresh = 0, holders = 0, wanted = 0;
  bool enough() const { return fresh >= wanted; }
};
// `threshold` of the description. Of fewer cores than that, the offline holders being the rest, all should.
Freshness freshness(const BackupState& state, std::size_t threshold, infra::Milliseconds interval, std::int64_t now_ms);

class Keeper {
 public:
  virtual ~Keeper() = default;
  // Until cancelled.
  virtual infra::Task<void> run() = 0;
  // Makes a checkpoint now and brings it to every holder once; the state after that. keys: there is no backup, or the
  // core is away.
  virtual infra::Task<Result<BackupState>> bring_now() = 0;
  // Degraded when too few holders have a fresh checkpoint.
  virtual infra::HealthReport report() const = 0;
};

std::unique_ptr<Keeper> make_keeper(KeeperDependencies dependencies, KeeperOptions options);

}  // namespace community::backup
