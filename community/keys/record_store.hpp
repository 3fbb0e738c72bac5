// SPDX-License-Identifier: Apache-2.0
// Sealed records and the freshness tree in the node's database, with the batch that waits between the two phases of a
// change. After a crash the core's epoch tells which side of the COMMIT the batch is on.
#pragma once
#include <set>

#include "community/infra/api/database.hpp"
#include "community/keys/api/key_service.hpp"
#include "community/keys/tree.hpp"

namespace community::keys {

enum class RecordKind : std::uint8_t { wallet = 1, key = 2, share = 3 };

struct StoredRecord {
  RecordId id{};
  RecordKind kind{};
  std::uint32_t leaf = 0;
  std::uint64_t revision = 0;
  // Empty: the record was deleted. Only in a batch.
  Bytes sealed;
  // Of a wallet that is being made. Only in a batch.
  std::optional<WalletTag> tag;
};

struct StoredEpoch {
  std::uint64_t epoch = 0;
  Bytes32 root{};
};

// Changes that one COMMIT makes valid.
struct Batch {
  std::uint64_t epoch = 0;
  Bytes32 root{};
  std::vector<StoredRecord> records;
  // Records that leave a root key, by its version. Known to the run that made the batch alone.
  std::map<std::uint32_t, std::uint64_t> resealed;
  // Records that nobody asked for: they were re-sealed.
  std::set<RecordId> in_passing;
};

class RecordStore {
 public:
  // `database` outlives the store.
  explicit RecordStore(infra::Database& database) : database_(database) {}

  static infra::MigrationSet migrations();

  Task<Result<StoredEpoch>> epoch();
  // The first leaf nothing was ever entered at.
  Task<Result<std::uint32_t>> next_leaf();
  // not_found
  Task<Result<StoredRecord>> record(RecordId id);
  // Number of records by the version of the root key in their headers.
  Task<Result<std::map<std::uint32_t, std::uint64_t>>> records_by_root();
  // At most `limit` records under a version, from a leaf on, in the order of leaves.
  Task<Result<std::vector<StoredRecord>>> records_under(std::uint32_t version, std::uint32_t from_leaf,
                                                        std::size_t limit);
  // Those at the `count` leaves from `first` on, in the order of leaves.
  Task<Result<std::vector<StoredRecord>>> records_at(std::uint32_t first, std::uint32_t count);
  // Rows of the chunks; those that are not stored are empty.
  Task<Result<std::vector<std::pair<ChunkId, Chunk>>>> chunks(std::vector<ChunkId> ids);

  // First phase: makes the batch durable beside the records it will replace.
  Task<Result<void>> prepare(Batch batch);
  Task<Result<std::optional<Batch>>> prepared();
  Task<Result<void>> drop_prepared();
  // Second phase, after the core's COMMIT: records, tree and epoch in one transaction.
  Task<Result<void>> apply(Batch batch, std::map<ChunkId, Chunk> chunks);
  // After `keys recover` and after a restore: the tree stays, the epoch is the core's, and what was prepared is
  // dropped.
  Task<Result<void>> set_epoch(std::uint64_t epoch);

  Task<Result<void>> remember_key(KeyInfo key);
  Task<Result<std::vector<KeyInfo>>> keys();
  // Keys whose record is there and whose description is not: a crash came between.
  Task<Result<std::vector<RecordId>>> undescribed_keys();
  // The wallet that was made under a tag; nothing when none was.
  Task<Result<std::optional<RecordId>>> tagged_wallet(WalletTag tag);
  // Ids of the kept shares, in the order of leaves.
  Task<Result<std::vector<RecordId>>> shares();

 private:
  infra::Database& database_;
};

}  // namespace community::keys
