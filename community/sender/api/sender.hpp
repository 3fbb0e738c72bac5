// SPDX-License-Identifier: Apache-2.0
// Transactions of a key that nobody else sends with, one order after the other. Each is on disk before it is sent, and
// all attempts of an order have one nonce, so that a crash loses none and no order is carried out twice.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "community/chain/api/block_watcher.hpp"
#include "community/chain/api/fee_oracle.hpp"
#include "community/core/address.hpp"
#include "community/core/rules.hpp"
#include "community/core/secp256k1.hpp"
#include "community/core/uint256.hpp"
#include "community/infra/api/database.hpp"
#include "community/infra/api/task.hpp"

namespace community::sender {

using core::Address;
using core::Bytes;
using core::Bytes32;
using core::Uint256;
using infra::Task;

#define COMMUNITY_SENDER_ERRORS(X)                                                       \
  X(would_revert) /* the chain refuses it now; the message has its words */              \
  X(gas_too_high) /* above the limit */                                                  \
  X(queue_full)                                                                          \
  X(refused) /* a rule of the trusted core, or no transaction; the message says which */ \
  X(keys_unavailable)                                                                    \
  X(chain_unavailable)                                                                   \
  X(storage)

COMMUNITY_ERRORS(COMMUNITY_SENDER_ERRORS)

#define COMMUNITY_ORDER_STATES(X) X(waiting) X(sent) X(included) X(failed)
COMMUNITY_RULES(OrderState, COMMUNITY_ORDER_STATES)

struct Order {
  // The key of the owner's row, as text.
  std::string id;
  Address to{};
  // wei
  Uint256 value;
  Bytes data;
  // Included is final. One that is sent may be in a block already.
  OrderState state{};
  // Of the transaction that is in a block, or of the last one sent.
  Bytes32 transaction_hash{};
  // Zero before it is in a block, and again once a reorganisation took it out.
  std::uint64_t block_number = 0;
  // Why it failed; of one that is sent and in a block, why it did nothing there.
  std::string reason;

  bool is_in_block() const { return block_number != 0; }
};

// The owner's tables. Orders have at least the columns id, state, nonce, transaction_hash, block_number and reason;
// attempts are those that attempts_schema makes.
struct OrderTables {
  std::string orders, attempts;
  // Of the attempts: the order they are of.
  std::string order_column;
};

// Whose orders they are: keeps what they are for, and lets the trusted core sign them.
class OrderOwner {
 public:
  virtual ~OrderOwner() = default;
  // Those that are not over, oldest first. On a reader thread of the database.
  virtual std::vector<Order> open_orders(soci::session& session) = 0;
  // Of an EIP-1559 transaction, type || rlp(fields). refused, keys_unavailable.
  virtual Task<Result<core::Signature>> sign(Order order, Bytes unsigned_transaction) = 0;
  // Words for what a call of an order reverted with; nothing when there are none.
  virtual std::string describe_revert(core::ByteView revert) const = 0;
  // It is over, and on disk as included or failed.
  virtual Task<void> ended(Order order) = 0;
  // Looks for something to do; called at each block while nothing waits.
  virtual Task<void> idle() = 0;
};

// Writes the owner's row of a new order, in state waiting; answers the order's id. On the database's writer thread.
using KeepOrder = std::function<std::string(soci::session& session, const Order& order)>;

struct SenderLimits {
  // Waiting and under way together.
  std::size_t queue = 64;
  // Of one transaction.
  std::uint64_t gas = 0;
  // wei; the trusted core's fee_cap. Bumps stop there.
  Uint256 max_fee_per_gas;
  // Blocks without inclusion after which fees are raised, and by how much; see the bundler's limits.
  std::uint64_t stuck_blocks = 3;
  unsigned bump_permille = 125;
  // Blocks after which an inclusion is final.
  std::uint64_t final_depth = 12;
  // Sent and not final; all but the last are in blocks. Each costs a question or more at each block.
  std::size_t under_way = 1;
};

// All outlive the sender.
struct SenderDependencies {
  infra::Database& database;
  chain::ExecutionClient& chain;
  // The sender listens to it; its owner runs it.
  chain::BlockWatcher& blocks;
  chain::FeeOracle& fees;
  OrderOwner& owner;
};

struct SenderOptions {
  std::uint64_t chain_id = 0;
  // Of the key; nobody else sends with it.
  Address from{};
  OrderTables tables;
  SenderLimits limits;
  // Offers what takes an order into one of the next blocks, in place of what is usual.
  bool is_urgent = false;
  // For log lines: "an errand", "a payment of the treasury".
  std::string what;
};

class Sender {
 public:
  virtual ~Sender() = default;
  // Waits until run() has read what a former run left. On disk when it returns; the order's id. An order that has an id
  // and is open is a success, and nothing is written; one that is over gives way. With `try_first` it is tried on the
  // latest state before. queue_full, storage, and those of a try.
  virtual Task<Result<std::string>> accept(Order order, bool try_first, KeepOrder keep) = 0;
  // Reads what a former run left, then works until cancelled. Joined by its owner.
  virtual Task<void> run() = 0;
  // The latest block that was seen.
  virtual std::uint64_t head() const = 0;
};

std::unique_ptr<Sender> make_sender(SenderDependencies dependencies, SenderOptions options);

}  // namespace community::sender
