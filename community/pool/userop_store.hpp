// SPDX-License-Identifier: Apache-2.0
// The pool's table: one row an operation, from acceptance until retention removes it; each store sees the rows of its
// chain. Inside of the module.
#pragma once
#include "community/infra/api/database.hpp"
#include "community/pool/api/pool.hpp"

namespace community::pool {

// Rows of a change, written together.
struct StatusChange {
  Bytes32 hash{};
  UseropStatus status{};
  // Nothing will change it any more.
  bool is_final = false;
  std::optional<Bytes32> transaction_hash;
  std::optional<Inclusion> inclusion;
  std::string reason;
  std::uint32_t failures = 0;
};

class UseropStore {
 public:
  UseropStore(infra::Database& database, std::uint64_t chain_id)
      : database_(database), chain_id_(static_cast<long long>(chain_id)) {}
  static infra::MigrationSet migrations();

  struct Loaded {
    // Live, or included and not final, by sequence.
    std::vector<PooledUserop> userops;
    std::uint64_t last_sequence = 0;
  };
  Task<Result<Loaded>> load();
  // Writes the operation and, in the same commit, that `replaced` (if any) was replaced by it, and `also`.
  Task<Result<void>> insert(PooledUserop userop, std::optional<Bytes32> replaced, AlsoWrite also, Survives survives);
  Task<Result<void>> change(std::vector<StatusChange> changes, std::int64_t now_ms, AlsoWrite also);
  // Marks the rows as finished without changing anything else.
  Task<Result<void>> finalize(std::vector<Bytes32> hashes, AlsoWrite also);
  Task<Result<UseropRecord>> record(Bytes32 hash);
  // Deletes finished rows but the newest `keep`.
  Task<Result<void>> trim(std::size_t keep);

 private:
  infra::Database& database_;
  const long long chain_id_;
};

}  // namespace community::pool
