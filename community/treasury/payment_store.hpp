// SPDX-License-Identifier: Apache-2.0
// Payments and the transactions that were signed for them, on disk. Inside of the module.
#pragma once
#include "community/chain/api/fee_oracle.hpp"
#include "community/infra/api/database.hpp"
#include "community/treasury/api/treasurer.hpp"

namespace community::treasury {

struct Attempt {
  Bytes32 hash{};
  Bytes raw;
  chain::FeeOffer fees;
  // Head when it was sent.
  std::uint64_t sent_at = 0;
};

// All attempts have one nonce, so that at most one of them is mined.
struct Job {
  Payment payment;
  std::uint64_t nonce = 0;
  std::vector<Attempt> attempts;
};

class PaymentStore {
 public:
  // `database` outlives the store.
  explicit PaymentStore(infra::Database& database) : database_(database) {}

  static infra::MigrationSet migrations();

  // The payment's id.
  Task<Result<std::uint64_t>> add(Payment payment, std::int64_t now_ms);
  // not_found
  Task<Result<Payment>> payment(std::uint64_t id);
  // Newest first.
  Task<Result<std::vector<Payment>>> latest(std::size_t count);
  // Those that are not over, oldest first.
  Task<Result<std::vector<Job>>> open();
  // State of the payment, and one attempt more if it is given.
  Task<Result<void>> write(Job job, std::optional<Attempt> attempt);

 private:
  infra::Database& database_;
};

}  // namespace community::treasury
