// SPDX-License-Identifier: Apache-2.0
// Payments on disk, as orders of community/sender; each store sees those of its chain, and ids count over all chains.
// Inside of the module.
#pragma once
#include "community/infra/api/database.hpp"
#include "community/treasury/api/treasurer.hpp"

namespace community::treasury {

class PaymentStore {
 public:
  // `database` outlives the store.
  PaymentStore(infra::Database& database, std::uint64_t chain_id)
      : database_(database), chain_id_(static_cast<long long>(chain_id)) {}

  static infra::MigrationSet migrations();

  // The row of a new payment; its id. For the database's writer thread, where no two are added at once.
  std::uint64_t add(soci::session& session, const Payment& payment, std::int64_t now_ms) const;
  // Those that are not over, oldest first.
  std::vector<Payment> open(soci::session& session) const;
  // not_found
  Task<Result<Payment>> payment(std::uint64_t id);
  // Newest first.
  Task<Result<std::vector<Payment>>> latest(std::size_t count);

 private:
  infra::Database& database_;
  const long long chain_id_;
};

}  // namespace community::treasury
