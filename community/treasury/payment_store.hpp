// SPDX-License-Identifier: Apache-2.0
// Payments on disk, as orders of community/sender. Inside of the module.
#pragma once
#include "community/infra/api/database.hpp"
#include "community/treasury/api/treasurer.hpp"

namespace community::treasury {

class PaymentStore {
 public:
  // `database` outlives the store.
  explicit PaymentStore(infra::Database& database) : database_(database) {}

  static infra::MigrationSet migrations();

  // The row of a new payment; its id. For the database's writer thread, where no two are added at once.
  static std::uint64_t add(soci::session& session, const Payment& payment, std::int64_t now_ms);
  // Those that are not over, oldest first.
  static std::vector<Payment> open(soci::session& session);
  // not_found
  Task<Result<Payment>> payment(std::uint64_t id);
  // Newest first.
  Task<Result<std::vector<Payment>>> latest(std::size_t count);

 private:
  infra::Database& database_;
};

}  // namespace community::treasury
