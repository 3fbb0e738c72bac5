// SPDX-License-Identifier: Apache-2.0
// The transactions that were signed for orders, on disk beside the rows of their owner. Inside of the module.
#pragma once
#include <optional>

#include "community/sender/api/sender.hpp"

namespace community::sender {

struct Attempt {
  Bytes32 hash{};
  Bytes raw;
  chain::FeeOffer fees;
  // Head when it was sent.
  std::uint64_t sent_at = 0;
};

struct Job {
  Order order;
  std::uint64_t nonce = 0;
  // In the order they were made.
  std::vector<Attempt> attempts;
  // Looks in a row that found the nonce used and none of the attempts mined. Not on disk.
  unsigned missing = 0;
  // The row does not say yet where the order is: it is written again at the next look. Not on disk.
  bool is_row_behind = false;
};

class AttemptStore {
 public:
  // Both outlive the store.
  AttemptStore(infra::Database& database, OrderOwner& owner, OrderTables tables)
      : database_(database), owner_(owner), tables_(std::move(tables)) {}

  // Those that are not over, oldest first.
  Task<Result<std::vector<Job>>> open();
  // The owner's row of a new order, in place of what is left of one that is over; its id.
  Task<Result<std::string>> add(Order order, KeepOrder keep);
  // State of the order, and one attempt more if it is given.
  Task<Result<void>> write(Job job, std::optional<Attempt> attempt);

 private:
  infra::Database& database_;
  OrderOwner& owner_;
  const OrderTables tables_;
};

}  // namespace community::sender
