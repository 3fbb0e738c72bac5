// SPDX-License-Identifier: Apache-2.0
// The bundler's table: one row for each transaction it signed; each store sees the rows of its
// chain. Inside of the module.
#pragma once
#include "community/bundler/api/bundler.hpp"
#include "community/infra/api/database.hpp"

namespace community::bundler {

// The numbers are stored.
enum class TransactionState : std::uint8_t {
  // Signed; sent or about to be.
  pending = 0,
  mined = 1,
  // Mined, and too deep to vanish.
  final = 2,
  // Another transaction used its nonce.
  dead = 3,
};

// One signed transaction. Those with the same executor and nonce exclude each other.
struct Attempt {
  Bytes32 hash{};
  Address executor{};
  std::uint64_t nonce = 0;
  // Zero for a cancellation.
  Address entry_point{};
  std::vector<Bytes32> userops;
  core::Bytes raw;
  Uint256 max_fee_per_gas;
  Uint256 max_priority_fee_per_gas;
  TransactionState state = TransactionState::pending;
  std::uint64_t block_number = 0;
  Bytes32 block_hash{};
  // Head when it was first sent.
  std::uint64_t sent_at = 0;
};

void insert_attempt(soci::session& sql, std::uint64_t chain_id, const Attempt& attempt, std::int64_t now_ms);
// With the operations that the transaction included: none when it reverted.
void set_mined(soci::session& sql, const Attempt& attempt, const std::string& receipt);
void set_state(soci::session& sql, const Bytes32& hash, TransactionState state);

class TransactionStore {
 public:
  TransactionStore(infra::Database& database, std::uint64_t chain_id)
      : database_(database), chain_id_(static_cast<long long>(chain_id)) {}
  static infra::MigrationSet migrations();

  // Pending and mined ones, by time.
  Task<Result<std::vector<Attempt>>> load();
  Task<Result<std::string>> receipt(Bytes32 hash);
  // Deletes what is finished and older than the newest `keep`.
  Task<Result<void>> trim(std::size_t keep);

 private:
  infra::Database& database_;
  const long long chain_id_;
};

}  // namespace community::bundler
