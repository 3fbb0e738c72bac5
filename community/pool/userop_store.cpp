// SPDX-License-Identifier: Apache-2.0
#include "community/pool/userop_store.hpp"

#include <soci/soci.h>

#include "community/pool/factory.hpp"
#include "community/validation/api/gas.hpp"

namespace community::pool {
namespace {

constexpr const char* kSchema = R"sql(
CREATE TABLE pool_userops (
  hash TEXT NOT NULL PRIMARY KEY,
  sequence BIGINT NOT NULL,
  entry_point TEXT NOT NULL,
  version INTEGER NOT NULL,
  status INTEGER NOT NULL,
  is_final INTEGER NOT NULL,
  userop TEXT NOT NULL,
  transaction_hash TEXT NOT NULL,
  block_hash TEXT NOT NULL,
  block_number BIGINT NOT NULL,
  success INTEGER NOT NULL,
  gas_cost TEXT NOT NULL,
  gas_used TEXT NOT NULL,
  revert_reason TEXT NOT NULL,
  first_log BIGINT NOT NULL,
  end_log BIGINT NOT NULL,
  reason TEXT NOT NULL,
  failures INTEGER NOT NULL,
  received_ms BIGINT NOT NULL,
  updated_ms BIGINT NOT NULL
);
CREATE INDEX pool_userops_open ON pool_userops (is_final, sequence);
)sql";

// 0 until claim_rows says whose they are. Sequences count within a chain.
constexpr const char* kChains = R"sql(
ALTER TABLE pool_userops ADD COLUMN chain_id BIGINT NOT NULL DEFAULT 0;
DROP INDEX pool_userops_open;
CREATE INDEX pool_userops_open ON pool_userops (chain_id, is_final, sequence);
)sql";

constexpr const char* kColumns =
    "hash, chain_id, sequence, entry_point, version, status, userop, transaction_hash, block_hash, block_number, "
    "success, "
    "gas_cost, "
    "gas_used, revert_reason, first_log, end_log, reason, failures, received_ms, updated_ms";

std::string hex(core::ByteView bytes) { return core::to_plain_hex(bytes); }

struct Row {
  std::string hash, entry_point, userop, transaction_hash, block_hash, gas_cost, gas_used, revert_reason, reason;
  long long chain_id = 0, sequence = 0, block_number = 0, first_log = 0, end_log = 0, received_ms = 0, updated_ms = 0;
  int version = 0, status = 0, success = 0, failures = 0;
};

// Statement with all columns of `row` bound for reading.
soci::statement select(soci::session& sql, const std::string& condition, const std::string& key, Row& row) {
  return (sql.prepare << "SELECT " + std::string(kColumns) + " FROM pool_userops WHERE " + condition, soci::use(key),
          soci::into(row.hash), soci::into(row.chain_id), soci::into(row.sequence), soci::into(row.entry_point),
          soci::into(row.version), soci::into(row.status), soci::into(row.userop), soci::into(row.transaction_hash),
          soci::into(row.block_hash), soci::into(row.block_number), soci::into(row.success), soci::into(row.gas_cost),
          soci::into(row.gas_used), soci::into(row.revert_reason), soci::into(row.first_log), soci::into(row.end_log),
          soci::into(row.reason), soci::into(row.failures), soci::into(row.received_ms), soci::into(row.updated_ms));
}

template <std::size_t N>
std::array<std::uint8_t, N> fixed(const std::string& text) {
  return core::parse_hex_array<N>(text, core::HexPrefix::optional).value_or(std::array<std::uint8_t, N>{});
}
Uint256 number(const std::string& text) { return core::parse_decimal(text).value_or(Uint256()); }

Result<UseropRecord> to_record(const Row& row) {
  UseropRecord record;
  core::JsonLimits limits;
  // Hex doubles the largest operation.
  limits.max_bytes = 4 * validation::kMaxBundleBytes;
  const auto json = core::parse_json(row.userop, limits);
  auto op = json ? core::userop_from_json(*json) : core::Result<UserOperation>(tl::unexpected(json.error()));
  if (!op) return fail(ErrorCode::storage, "row " + row.hash + " of pool_userops is damaged: " + op.error().text());
  record.op = std::move(*op);
  record.hash = fixed<32>(row.hash);
  record.entry_point.address = fixed<20>(row.entry_point);
  record.entry_point.version = static_cast<core::EntryPointVersion>(row.version);
  record.status = static_cast<UseropStatus>(row.status);
  record.reason = row.reason;
  record.received_ms = row.received_ms;
  record.updated_ms = row.updated_ms;
  if (!row.transaction_hash.empty()) record.transaction_hash = fixed<32>(row.transaction_hash);
  if (record.status != UseropStatus::included && record.status != UseropStatus::failed) return record;
  Inclusion inclusion;
  inclusion.hash = record.hash;
  inclusion.transaction_hash = fixed<32>(row.transaction_hash);
  inclusion.block_hash = fixed<32>(row.block_hash);
  inclusion.block_number = static_cast<std::uint64_t>(row.block_number);
  inclusion.success = row.success != 0;
  inclusion.actual_gas_cost = number(row.gas_cost);
  inclusion.actual_gas_used = number(row.gas_used);
  inclusion.reason = core::parse_hex(row.revert_reason, core::HexPrefix::optional).value_or(core::Bytes{});
  inclusion.first_log = static_cast<std::uint32_t>(row.first_log);
  inclusion.end_log = static_cast<std::uint32_t>(row.end_log);
  record.inclusion = std::move(inclusion);
  return record;
}

Result<PooledUserop> to_userop(const Row& row) {
  auto record = to_record(row);
  if (!record) return tl::unexpected(record.error());
  PooledUserop pooled;
  pooled.status = record->status;
  pooled.received_ms = record->received_ms;
  pooled.sequence = static_cast<std::uint64_t>(row.sequence);
  pooled.failures = static_cast<std::uint32_t>(row.failures);
  pooled.userop.hash = record->hash;
  pooled.userop.entry_point = record->entry_point;
  pooled.userop.gas = validation::userop_gas(record->op);
  const auto packed = core::pack(record->op);
  const auto cost = validation::max_cost(record->op);
  if (!packed || !cost)
    return fail(ErrorCode::storage, "row " + row.hash + " of pool_userops holds no valid operation");
  pooled.userop.calldata = validation::userop_calldata(*packed);
  pooled.userop.max_cost = *cost;
  pooled.userop.op = std::move(record->op);
  return pooled;
}

void write_change(soci::session& sql, const StatusChange& change, std::int64_t now_ms) {
  const std::string hash = hex(change.hash);
  const int status = static_cast<int>(change.status);
  const int is_final = change.is_final ? 1 : 0;
  const int failures = static_cast<int>(change.failures);
  const long long now = now_ms;
  const std::string transaction = change.transaction_hash ? hex(*change.transaction_hash) : std::string();
  const Inclusion inclusion = change.inclusion.value_or(Inclusion{});
  const std::string block = change.inclusion ? hex(inclusion.block_hash) : std::string();
  const std::string cost = core::format_decimal(inclusion.actual_gas_cost);
  const std::string used = core::format_decimal(inclusion.actual_gas_used);
  const std::string revert = hex(inclusion.reason);
  const long long number = static_cast<long long>(inclusion.block_number);
  const long long first_log = inclusion.first_log, end_log = inclusion.end_log;
  const int success = inclusion.success ? 1 : 0;
  sql << "UPDATE pool_userops SET status = :status, is_final = :final, transaction_hash = :tx, block_hash = :block, "
         "block_number = :number, success = :success, gas_cost = :cost, gas_used = :used, revert_reason = :revert, "
         "first_log = :first, end_log = :end, reason = :reason, failures = :failures, updated_ms = :now "
         "WHERE hash = :hash",
      soci::use(status), soci::use(is_final), soci::use(transaction), soci::use(block), soci::use(number),
      soci::use(success), soci::use(cost), soci::use(used), soci::use(revert), soci::use(first_log), soci::use(end_log),
      soci::use(change.reason), soci::use(failures), soci::use(now), soci::use(hash);
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

}  // namespace

infra::MigrationSet UseropStore::migrations() {
  return {"pool", {{1, "operations", kSchema}, {2, "the chain of an operation", kChains}}};
}

infra::MigrationSet pool_migrations() { return UseropStore::migrations(); }

void claim_rows(soci::session& sql, std::uint64_t chain_id) {
  const long long chain = static_cast<long long>(chain_id);
  sql << "UPDATE pool_userops SET chain_id = :chain WHERE chain_id = 0", soci::use(chain);
}

Task<Result<UseropStore::Loaded>> UseropStore::load() {
  auto job = [chain = chain_id_](soci::session& sql) -> Result<Loaded> {
    Loaded loaded;
    Row row;
    const std::string key = std::to_string(chain);
    soci::statement statement =
        select(sql, "chain_id = CAST(:chain AS BIGINT) AND is_final = 0 ORDER BY sequence", key, row);
    statement.execute();
    while (statement.fetch()) {
      auto userop = to_userop(row);
      if (!userop) return tl::unexpected(userop.error());
      loaded.userops.push_back(std::move(*userop));
    }
    long long last = 0;
    sql << "SELECT COALESCE(MAX(sequence), 0) FROM pool_userops WHERE chain_id = :chain", soci::use(chain),
        soci::into(last);
    loaded.last_sequence = static_cast<std::uint64_t>(last);
    return loaded;
  };
  co_return from_database<Loaded>(co_await database_.read(job));
}

Task<Result<void>> UseropStore::insert(PooledUserop userop, std::optional<Bytes32> replaced, AlsoWrite also,
                                       Survives survives) {
  auto job = [userop = std::move(userop), chain = chain_id_, replaced, also = std::move(also)](soci::session& sql) {
    if (replaced) {
      StatusChange change;
      change.hash = *replaced;
      change.status = UseropStatus::replaced;
      change.is_final = true;
      change.reason = "replaced by " + core::to_hex(userop.userop.hash);
      write_change(sql, change, userop.received_ms);
    }
    const std::string hash = hex(userop.userop.hash);
    const std::string entry_point = hex(userop.userop.entry_point.address);
    const std::string op = core::json::serialize(core::to_json(userop.userop.op));
    const long long sequence = static_cast<long long>(userop.sequence);
    const int version = static_cast<int>(userop.userop.entry_point.version);
    const int status = static_cast<int>(UseropStatus::pooled);
    const long long received = userop.received_ms;
    // A dropped operation may come again; its row starts anew.
    sql << "DELETE FROM pool_userops WHERE hash = :hash", soci::use(hash);
    sql << "INSERT INTO pool_userops (hash, chain_id, sequence, entry_point, version, status, is_final, userop, "
           "transaction_hash, "
           "block_hash, block_number, success, gas_cost, gas_used, revert_reason, first_log, end_log, reason, "
           "failures, "
           "received_ms, updated_ms) VALUES (:hash, :chain, :sequence, :entry_point, :version, :status, 0, :userop, "
           "'', '', 0, "
           "0, "
           "'0', '0', '', 0, 0, '', 0, :received, :received)",
        soci::use(hash, "hash"), soci::use(chain, "chain"), soci::use(sequence, "sequence"),
        soci::use(entry_point, "entry_point"), soci::use(version, "version"), soci::use(status, "status"),
        soci::use(op, "userop"), soci::use(received, "received");
    if (also) also(sql);
  };
  if (survives == Survives::end_of_program) co_return from_database(co_await database_.write_unsynced(job));
  co_return from_database(co_await database_.write(job));
}

Task<Result<void>> UseropStore::change(std::vector<StatusChange> changes, std::int64_t now_ms, AlsoWrite also) {
  auto job = [changes = std::move(changes), now_ms, also = std::move(also)](soci::session& sql) {
    for (const StatusChange& change : changes) write_change(sql, change, now_ms);
    if (also) also(sql);
  };
  co_return from_database(co_await database_.write(job));
}

Task<Result<void>> UseropStore::finalize(std::vector<Bytes32> hashes, AlsoWrite also) {
  auto job = [hashes = std::move(hashes), also = std::move(also)](soci::session& sql) {
    for (const Bytes32& hash : hashes) {
      const std::string key = hex(hash);
      sql << "UPDATE pool_userops SET is_final = 1 WHERE hash = :hash", soci::use(key);
    }
    if (also) also(sql);
  };
  co_return from_database(co_await database_.write(job));
}

Task<Result<UseropRecord>> UseropStore::record(Bytes32 hash) {
  auto job = [key = hex(hash), chain = chain_id_](soci::session& sql) -> Result<UseropRecord> {
    Row row;
    soci::statement statement = select(sql, "hash = :hash", key, row);
    statement.execute();
    if (!statement.fetch() || row.chain_id != chain) return fail(ErrorCode::not_found, "no such operation");
    return to_record(row);
  };
  co_return from_database<UseropRecord>(co_await database_.read_short(job));
}

Task<Result<void>> UseropStore::trim(std::size_t keep) {
  const long long kept = static_cast<long long>(keep);
  auto job = [kept, chain = chain_id_](soci::session& sql) {
    sql << "DELETE FROM pool_userops WHERE chain_id = :chain AND is_final = 1 AND sequence <= (SELECT MAX(sequence) "
           "FROM pool_userops WHERE chain_id = :same) - :kept",
        soci::use(chain), soci::use(chain), soci::use(kept);
  };
  co_return from_database(co_await database_.write(job));
}

}  // namespace community::pool
