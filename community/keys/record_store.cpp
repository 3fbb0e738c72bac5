// SPDX-License-Identifier: Apache-2.0
#include "community/keys/record_store.hpp"

#include <soci/soci.h>

#include "community/core/address.hpp"
#include "trusted/protocol/root_key_messages.hpp"

namespace community::keys {
namespace {

constexpr const char* kSchema = R"sql(
CREATE TABLE keys_epoch (
  id INTEGER NOT NULL PRIMARY KEY,
  epoch BIGINT NOT NULL,
  root TEXT NOT NULL
);
INSERT INTO keys_epoch (id, epoch, root) VALUES (1, 0, '0000000000000000000000000000000000000000000000000000000000000000');
CREATE TABLE keys_records (
  record_id TEXT NOT NULL PRIMARY KEY,
  kind INTEGER NOT NULL,
  leaf BIGINT NOT NULL UNIQUE,
  revision BIGINT NOT NULL,
  sealed TEXT NOT NULL
);
CREATE TABLE keys_tree (
  chunk_group INTEGER NOT NULL,
  chunk_index BIGINT NOT NULL,
  nodes TEXT NOT NULL,
  PRIMARY KEY (chunk_group, chunk_index)
);
CREATE TABLE keys_prepared (
  position INTEGER NOT NULL PRIMARY KEY,
  epoch BIGINT NOT NULL,
  root TEXT NOT NULL,
  record_id TEXT NOT NULL,
  kind INTEGER NOT NULL,
  leaf BIGINT NOT NULL,
  revision BIGINT NOT NULL,
  sealed TEXT NOT NULL
);
CREATE TABLE keys_node_keys (
  record_id TEXT NOT NULL PRIMARY KEY,
  purpose INTEGER NOT NULL,
  chain_id BIGINT NOT NULL,
  address TEXT NOT NULL
);
)sql";

// The version of the root key is the four bytes at offset 5 of a sealed record (spec/trusted-core-protocol.md, section
// 4), kept as eight hex digits: their order is that of the numbers.
constexpr const char* kRootVersions = R"sql(
ALTER TABLE keys_records ADD COLUMN root_version TEXT NOT NULL DEFAULT '';
UPDATE keys_records SET root_version = substr(sealed, 11, 8);
CREATE INDEX keys_records_root_version ON keys_records (root_version, leaf);
)sql";

// Who asked for a wallet is known as soon as the wallet is: both come with the same batch.
constexpr const char* kWalletTags = R"sql(
ALTER TABLE keys_prepared ADD COLUMN tag TEXT NOT NULL DEFAULT '';
CREATE TABLE keys_wallet_tags (
  tag TEXT NOT NULL PRIMARY KEY,
  record_id TEXT NOT NULL UNIQUE
);
)sql";

std::string hex(core::ByteView bytes) { return core::to_plain_hex(bytes); }

template <std::size_t N>
Result<std::array<std::uint8_t, N>> fixed(const std::string& text) {
  auto bytes = core::parse_hex_array<N>(text, core::HexPrefix::optional);
  if (!bytes) return fail(ErrorCode::storage, "a row of the keys tables is damaged: " + bytes.error().message);
  return *bytes;
}

template <class T>
Result<T> from_database(infra::Result<Result<T>> outcome) {
  if (!outcome) return fail(ErrorCode::storage, outcome.error().text());
  return std::move(*outcome);
}

Result<void> from_database(infra::Result<void> outcome) {
  if (!outcome) return fail(ErrorCode::storage, outcome.error().text());
  return {};
}

std::string root_version_text(std::uint32_t version) {
  std::array<std::uint8_t, 4> bytes;
  base::store_be(bytes.data(), version);
  return hex(bytes);
}

struct Row {
  std::string id, sealed, root_version, tag;
  int kind = 0;
  long long leaf = 0, revision = 0;

  explicit Row(const StoredRecord& record)
      : id(hex(record.id)),
        sealed(hex(record.sealed)),
        root_version(root_version_text(protocol::sealed_root_version(record.sealed))),
        kind(static_cast<int>(record.kind)),
        leaf(record.leaf),
        revision(static_cast<long long>(record.revision)) {
    if (record.tag) tag = hex(*record.tag);
  }
  Row() = default;

  Result<StoredRecord> record() const {
    auto record_id = fixed<16>(id);
    auto bytes = core::parse_hex(sealed, core::HexPrefix::optional, protocol::kMaxSealedRecord);
    if (!record_id) return tl::unexpected(record_id.error());
    if (!bytes) return fail(ErrorCode::storage, "a sealed record in the database is damaged");
    StoredRecord stored{*record_id,
                        static_cast<RecordKind>(kind),
                        static_cast<std::uint32_t>(leaf),
                        static_cast<std::uint64_t>(revision),
                        std::move(*bytes),
                        std::nullopt};
    if (!tag.empty()) {
      auto bytes_of_tag = fixed<16>(tag);
      if (!bytes_of_tag) return tl::unexpected(bytes_of_tag.error());
      stored.tag = *bytes_of_tag;
    }
    return stored;
  }
};

// What the statement, whose answers go into `row`, finds.
Result<std::vector<StoredRecord>> fetch_records(soci::statement& statement, const Row& row) {
  statement.execute();
  std::vector<StoredRecord> records;
  while (statement.fetch()) {
    auto record = row.record();
    if (!record) return tl::unexpected(record.error());
    records.push_back(std::move(*record));
  }
  return records;
}

}  // namespace

infra::MigrationSet RecordStore::migrations() {
  return {"keys",
          {{1, "records, tree and node keys", kSchema},
           {2, "root key of each record", kRootVersions},
           {3, "tags of wallets", kWalletTags}}};
}

Task<Result<StoredEpoch>> RecordStore::epoch() {
  co_return from_database(co_await database_.read([](soci::session& sql) -> Result<StoredEpoch> {
    long long epoch = 0;
    std::string root;
    sql << "SELECT epoch, root FROM keys_epoch WHERE id = 1", soci::into(epoch), soci::into(root);
    auto bytes = fixed<32>(root);
    if (!bytes) return tl::unexpected(bytes.error());
    return StoredEpoch{static_cast<std::uint64_t>(epoch), *bytes};
  }));
}

Task<Result<std::uint32_t>> RecordStore::next_leaf() {
  co_return from_database(co_await database_.read([](soci::session& sql) -> Result<std::uint32_t> {
    long long next = 0;
    sql << "SELECT COALESCE(MAX(leaf) + 1, 0) FROM keys_records", soci::into(next);
    return static_cast<std::uint32_t>(next);
  }));
}

Task<Result<StoredRecord>> RecordStore::record(RecordId id) {
  auto work = [key = hex(id)](soci::session& sql) -> Result<StoredRecord> {
    Row row;
    row.id = key;
    sql << "SELECT kind, leaf, revision, sealed FROM keys_records WHERE record_id = :id", soci::use(key),
        soci::into(row.kind), soci::into(row.leaf), soci::into(row.revision), soci::into(row.sealed);
    if (!sql.got_data()) return fail(ErrorCode::not_found, "no record " + key);
    return row.record();
  };
  co_return from_database(co_await database_.read_short(work));
}

Task<Result<std::map<std::uint32_t, std::uint64_t>>> RecordStore::records_by_root() {
  using Numbers = std::map<std::uint32_t, std::uint64_t>;
  co_return from_database(co_await database_.read([](soci::session& sql) -> Result<Numbers> {
    std::string version;
    long long records = 0;
    soci::statement statement = (sql.prepare << "SELECT root_version, COUNT(*) FROM keys_records GROUP BY root_version",
                                 soci::into(version), soci::into(records));
    statement.execute();
    Numbers numbers;
    while (statement.fetch()) {
      const auto bytes = fixed<4>(version);
      if (!bytes) return tl::unexpected(bytes.error());
      numbers[base::load_be<std::uint32_t>(bytes->data())] = static_cast<std::uint64_t>(records);
    }
    return numbers;
  }));
}

Task<Result<std::vector<StoredRecord>>> RecordStore::records_under(std::uint32_t version, std::uint32_t from_leaf,
                                                                   std::size_t limit) {
  auto work = [version = root_version_text(version), from = static_cast<long long>(from_leaf),
               most = static_cast<long long>(limit)](soci::session& sql) {
    Row row;
    soci::statement statement =
        (sql.prepare << "SELECT record_id, kind, leaf, revision, sealed FROM keys_records "
                        "WHERE root_version = :v AND leaf >= :l ORDER BY leaf LIMIT :n",
         soci::use(version), soci::use(from), soci::use(most), soci::into(row.id), soci::into(row.kind),
         soci::into(row.leaf), soci::into(row.revision), soci::into(row.sealed));
    return fetch_records(statement, row);
  };
  co_return from_database(co_await database_.read(work));
}

Task<Result<std::vector<StoredRecord>>> RecordStore::records_at(std::uint32_t first, std::uint32_t count) {
  auto work = [from = static_cast<long long>(first), to = static_cast<long long>(first) + count](soci::session& sql) {
    Row row;
    soci::statement statement = (sql.prepare << "SELECT record_id, kind, leaf, revision, sealed FROM keys_records "
                                                "WHERE leaf >= :f AND leaf < :t ORDER BY leaf",
                                 soci::use(from), soci::use(to), soci::into(row.id), soci::into(row.kind),
                                 soci::into(row.leaf), soci::into(row.revision), soci::into(row.sealed));
    return fetch_records(statement, row);
  };
  co_return from_database(co_await database_.read(work));
}

Task<Result<std::vector<std::pair<ChunkId, Chunk>>>> RecordStore::chunks(std::vector<ChunkId> ids) {
  using Chunks = std::vector<std::pair<ChunkId, Chunk>>;
  auto work = [ids = std::move(ids)](soci::session& sql) -> Result<Chunks> {
    Chunks chunks;
    for (const ChunkId id : ids) {
      const int group = id.group;
      const long long index = id.index;
      std::string nodes;
      sql << "SELECT nodes FROM keys_tree WHERE chunk_group = :g AND chunk_index = :i", soci::use(group),
          soci::use(index), soci::into(nodes);
      Chunk chunk;
      if (sql.got_data()) {
        const auto bytes = core::parse_hex(nodes, core::HexPrefix::optional);
        if (!bytes || !Chunk::decode(*bytes, chunk))
          return fail(ErrorCode::storage, "a chunk of the freshness tree is damaged");
      }
      chunks.emplace_back(id, chunk);
    }
    return chunks;
  };
  co_return from_database(co_await database_.read_short(work));
}

Task<Result<void>> RecordStore::prepare(Batch batch) {
  auto work = [batch = std::move(batch)](soci::session& sql) {
    sql << "DELETE FROM keys_prepared";
    const long long epoch = static_cast<long long>(batch.epoch);
    const std::string root = hex(batch.root);
    int position = 0;
    for (const StoredRecord& record : batch.records) {
      const Row row(record);
      sql << "INSERT INTO keys_prepared (position, epoch, root, record_id, kind, leaf, revision, sealed, tag) "
             "VALUES (:p, :e, :root, :id, :kind, :leaf, :revision, :sealed, :tag)",
          soci::use(position), soci::use(epoch), soci::use(root), soci::use(row.id), soci::use(row.kind),
          soci::use(row.leaf), soci::use(row.revision), soci::use(row.sealed), soci::use(row.tag);
      position++;
    }
  };
  co_return from_database(co_await database_.write(work));
}

Task<Result<std::optional<Batch>>> RecordStore::prepared() {
  using Answer = std::optional<Batch>;
  co_return from_database(co_await database_.read([](soci::session& sql) -> Result<Answer> {
    Row row;
    long long epoch = 0;
    std::string root;
    soci::statement statement =
        (sql.prepare << "SELECT epoch, root, record_id, kind, leaf, revision, sealed, tag FROM keys_prepared "
                        "ORDER BY position",
         soci::into(epoch), soci::into(root), soci::into(row.id), soci::into(row.kind), soci::into(row.leaf),
         soci::into(row.revision), soci::into(row.sealed), soci::into(row.tag));
    statement.execute();
    Batch batch;
    while (statement.fetch()) {
      auto record = row.record();
      auto bytes = fixed<32>(root);
      if (!record) return tl::unexpected(record.error());
      if (!bytes) return tl::unexpected(bytes.error());
      batch.epoch = static_cast<std::uint64_t>(epoch);
      batch.root = *bytes;
      batch.records.push_back(std::move(*record));
    }
    if (batch.records.empty()) return Answer{};
    return Answer{std::move(batch)};
  }));
}

Task<Result<void>> RecordStore::drop_prepared() {
  co_return from_database(co_await database_.write([](soci::session& sql) { sql << "DELETE FROM keys_prepared"; }));
}

Task<Result<void>> RecordStore::apply(Batch batch, std::map<ChunkId, Chunk> chunks) {
  auto work = [batch = std::move(batch), chunks = std::move(chunks)](soci::session& sql) {
    for (const StoredRecord& record : batch.records) {
      const Row row(record);
      if (record.sealed.empty()) {
        sql << "DELETE FROM keys_node_keys WHERE record_id = :id", soci::use(row.id);
        sql << "DELETE FROM keys_wallet_tags WHERE record_id = :id", soci::use(row.id);
        sql << "DELETE FROM keys_records WHERE record_id = :id", soci::use(row.id);
        continue;
      }
      sql << "INSERT INTO keys_records (record_id, kind, leaf, revision, sealed, root_version) "
             "VALUES (:id, :kind, :leaf, :revision, :sealed, :root) ON CONFLICT (record_id) DO UPDATE SET "
             "revision = excluded.revision, sealed = excluded.sealed, root_version = excluded.root_version",
          soci::use(row.id), soci::use(row.kind), soci::use(row.leaf), soci::use(row.revision), soci::use(row.sealed),
          soci::use(row.root_version);
      // The service has no second change under a tag while there is one; a row too many must not keep it from entering
      // what the core has committed.
      if (record.tag)
        sql << "INSERT INTO keys_wallet_tags (tag, record_id) VALUES (:t, :id) ON CONFLICT (tag) DO NOTHING",
            soci::use(row.tag), soci::use(row.id);
    }
    for (const auto& [id, chunk] : chunks) {
      const int group = id.group;
      const long long index = id.index;
      const std::string nodes = hex(chunk.encode());
      sql << "INSERT INTO keys_tree (chunk_group, chunk_index, nodes) VALUES (:g, :i, :n) "
             "ON CONFLICT (chunk_group, chunk_index) DO UPDATE SET nodes = excluded.nodes",
          soci::use(group), soci::use(index), soci::use(nodes);
    }
    const long long epoch = static_cast<long long>(batch.epoch);
    const std::string root = hex(batch.root);
    sql << "UPDATE keys_epoch SET epoch = :e, root = :r WHERE id = 1", soci::use(epoch), soci::use(root);
    sql << "DELETE FROM keys_prepared";
  };
  co_return from_database(co_await database_.write(work));
}

Task<Result<void>> RecordStore::set_epoch(std::uint64_t epoch) {
  co_return from_database(co_await database_.write([number = static_cast<long long>(epoch)](soci::session& sql) {
    sql << "UPDATE keys_epoch SET epoch = :e WHERE id = 1", soci::use(number);
    sql << "DELETE FROM keys_prepared";
  }));
}

Task<Result<void>> RecordStore::remember_key(KeyInfo key) {
  co_return from_database(co_await database_.write([key](soci::session& sql) {
    const std::string id = hex(key.id), address = core::format_address(key.address);
    const int purpose = static_cast<int>(key.purpose);
    const long long chain = static_cast<long long>(key.chain_id);
    sql << "INSERT INTO keys_node_keys (record_id, purpose, chain_id, address) VALUES (:id, :p, :c, :a) "
           "ON CONFLICT (record_id) DO NOTHING",
        soci::use(id), soci::use(purpose), soci::use(chain), soci::use(address);
  }));
}

Task<Result<std::vector<KeyInfo>>> RecordStore::keys() {
  using Keys = std::vector<KeyInfo>;
  co_return from_database(co_await database_.read([](soci::session& sql) -> Result<Keys> {
    std::string id, address;
    int purpose = 0;
    long long chain = 0;
    soci::statement statement =
        (sql.prepare << "SELECT k.record_id, k.purpose, k.chain_id, k.address "
                        "FROM keys_node_keys k JOIN keys_records r ON r.record_id = k.record_id "
                        "ORDER BY r.leaf",
         soci::into(id), soci::into(purpose), soci::into(chain), soci::into(address));
    statement.execute();
    Keys keys;
    while (statement.fetch()) {
      auto key_id = fixed<16>(id);
      auto key_address = fixed<20>(address);
      if (!key_id) return tl::unexpected(key_id.error());
      if (!key_address) return tl::unexpected(key_address.error());
      keys.push_back({*key_id, static_cast<Purpose>(purpose), static_cast<std::uint64_t>(chain), *key_address});
    }
    return keys;
  }));
}

Task<Result<std::vector<RecordId>>> RecordStore::undescribed_keys() {
  using Ids = std::vector<RecordId>;
  co_return from_database(co_await database_.read([](soci::session& sql) -> Result<Ids> {
    std::string id;
    const int kind = static_cast<int>(RecordKind::key);
    soci::statement statement =
        (sql.prepare << "SELECT record_id FROM keys_records WHERE kind = :k AND record_id NOT IN "
                        "(SELECT record_id FROM keys_node_keys)",
         soci::use(kind), soci::into(id));
    statement.execute();
    Ids ids;
    while (statement.fetch()) {
      auto key_id = fixed<16>(id);
      if (!key_id) return tl::unexpected(key_id.error());
      ids.push_back(*key_id);
    }
    return ids;
  }));
}

Task<Result<std::optional<RecordId>>> RecordStore::tagged_wallet(WalletTag tag) {
  using Answer = std::optional<RecordId>;
  auto work = [key = hex(tag)](soci::session& sql) -> Result<Answer> {
    std::string id;
    sql << "SELECT record_id FROM keys_wallet_tags WHERE tag = :t", soci::use(key), soci::into(id);
    if (!sql.got_data()) return Answer{};
    auto wallet = fixed<16>(id);
    if (!wallet) return tl::unexpected(wallet.error());
    return Answer{*wallet};
  };
  co_return from_database(co_await database_.read(work));
}

Task<Result<std::vector<RecordId>>> RecordStore::shares() {
  using Ids = std::vector<RecordId>;
  co_return from_database(co_await database_.read([](soci::session& sql) -> Result<Ids> {
    std::string id;
    const int kind = static_cast<int>(RecordKind::share);
    soci::statement statement = (sql.prepare << "SELECT record_id FROM keys_records WHERE kind = :k ORDER BY leaf",
                                 soci::use(kind), soci::into(id));
    statement.execute();
    Ids ids;
    while (statement.fetch()) {
      auto share_id = fixed<16>(id);
      if (!share_id) return tl::unexpected(share_id.error());
      ids.push_back(*share_id);
    }
    return ids;
  }));
}

}  // namespace community::keys
