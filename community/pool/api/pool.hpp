// SPDX-License-Identifier: Apache-2.0
// Operations between acceptance and finality. What was accepted is on disk before its hash is returned, and what became
// of it can be asked afterwards.
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "community/infra/api/task.hpp"
#include "community/pool/api/error.hpp"
#include "community/validation/api/validator.hpp"

namespace soci {
class session;
}

namespace community::pool {

using core::Address;
using core::Bytes32;
using core::Uint256;
using infra::Task;
using validation::EntryPointId;
using validation::UserOperation;
using validation::ValidatedUserop;

// The numbers are stored.
enum class UseropStatus : std::uint8_t {
  received = 0,
  validated = 1,
  pooled = 2,
  // In a signed transaction that was or will be sent.
  bundled = 3,
  included = 4,
  // Included, but its execution reverted.
  failed = 5,
  // Will never be included by this node; `reason` says why.
  dropped = 6,
  replaced = 7,
};
std::string_view status_text(UseropStatus status);
// Waits or is on its way: counts against limits and liabilities.
constexpr bool is_live(UseropStatus status) { return status <= UseropStatus::bundled; }

struct PooledUserop {
  ValidatedUserop userop;
  UseropStatus status = UseropStatus::pooled;
  std::int64_t received_ms = 0;
  // Order of acceptance.
  std::uint64_t sequence = 0;
  // Bundles that were to hold it and reverted or vanished.
  std::uint32_t failures = 0;
};
using UseropPtr = std::shared_ptr<const PooledUserop>;

// Where and how an operation was included.
struct Inclusion {
  Bytes32 hash{};
  Bytes32 transaction_hash{};
  Bytes32 block_hash{};
  std::uint64_t block_number = 0;
  bool success = false;
  Uint256 actual_gas_cost;
  Uint256 actual_gas_used;
  // Revert reason of the execution; empty when there was none.
  core::Bytes reason;
  // Its own logs are [first_log, end_log) of the transaction's logs.
  std::uint32_t first_log = 0;
  std::uint32_t end_log = 0;
};

// Everything known about an operation, live or not.
struct UseropRecord {
  Bytes32 hash{};
  EntryPointId entry_point;
  UserOperation op;
  UseropStatus status{};
  // Of the last transaction that carried it.
  std::optional<Bytes32> transaction_hash;
  std::optional<Inclusion> inclusion;
  // Why it was dropped or what replaced it.
  std::string reason;
  std::int64_t received_ms = 0;
  std::int64_t updated_ms = 0;
};

struct PoolLimits {
  // 4,096 operations of about 2 kB in memory are 8 MB.
  std::size_t total = 4'096;
  // Bytes of all operations; large ones count for many small ones. 32 MB.
  std::size_t total_bytes = 32u << 20;
  // ERC-7562 lets an unstaked sender have 4; nonce keys make 16 useful, still far from filling the pool.
  std::size_t per_sender = 16;
  // Waiting operations one paymaster pays for; its deposit limits it before that.
  std::size_t per_paymaster = 2'048;
  // ERC-4337 bundlers ask for 10 % more on both fees.
  unsigned replacement_percent = 10;
  // Records of finished operations are kept at least this long and at most this many.
  std::size_t history = 200'000;
};

struct PoolStatistics {
  std::size_t waiting = 0;
  std::size_t bundled = 0;
  std::size_t bytes = 0;
};

// SQL that must become durable together with the pool's own change.
using AlsoWrite = std::function<void(soci::session&)>;

// What survives the end of this program survives `kill -9`, and waits for no disk; a power failure may lose it. For
// whoever keeps what was added elsewhere, too, and adds it again: before an operation leaves for the chain it is on
// disk.
enum class Survives : std::uint8_t { power_failure, end_of_program };

// A place in the pool's memory and limits, taken for an operation whose row is still to be written. Destroyed before it
// was kept, it gives the place back. The pool outlives it.
class Admission {
 public:
  Admission() = default;
  virtual ~Admission() = default;
  Admission(const Admission&) = delete;
  Admission& operator=(const Admission&) = delete;
};
using AdmissionPtr = std::unique_ptr<Admission>;

class Pool {
 public:
  virtual ~Pool() = default;
  // Restores what was live. The bundler calls it when it starts, `add` if it comes first; later calls do nothing.
  virtual Task<Result<void>> load() = 0;

  // Durable when it returns, together with `also`; when that throws, the operation is not added either (storage).
  // `paymaster_deposit` is the payer's deposit at the latest block, for operations with a paymaster.
  Task<Result<Bytes32>> add(ValidatedUserop userop, std::optional<Uint256> paymaster_deposit, AlsoWrite also = {});
  // The two halves of `add`, for who answers between them: whatever refuses an operation does so in the first one.
  virtual Task<Result<AdmissionPtr>> admit(ValidatedUserop userop, std::optional<Uint256> paymaster_deposit) = 0;
  virtual Task<Result<Bytes32>> keep(AdmissionPtr admission, AlsoWrite also, Survives survives) = 0;
  // What `add` would refuse for reasons of its own, before a simulation is spent on it.
  virtual Result<void> check(const Bytes32& hash, const EntryPointId& entry_point, const UserOperation& op) const = 0;

  // Live operations of the same sender and nonce key with smaller nonces, in order.
  virtual std::vector<UseropPtr> predecessors(const Address& entry_point, const Address& sender,
                                              const Uint256& nonce) const = 0;
  // The nonce after the last live one of the key; nothing when none is live.
  virtual std::optional<Uint256> next_nonce(const Address& entry_point, const Address& sender,
                                            const Uint256& nonce_key) const = 0;
  // Waiting operations of an EntryPoint, best payers first; those of one nonce key are in nonce order.
  virtual std::vector<UseropPtr> waiting(const Address& entry_point) const = 0;
  virtual UseropPtr find_live(const Bytes32& hash) const = 0;
  // wei this paymaster may be charged for live operations
  virtual Uint256 liability(const Address& entry_point, const Address& paymaster) const = 0;
  // Operations that left the queue for a transaction, and those whose inclusion is not final yet.
  virtual std::vector<UseropPtr> under_way() const = 0;
  virtual PoolStatistics statistics() const = 0;

  // The operations leave the queue for a transaction; `also` is written in the same commit. not_found, and nothing is
  // changed, when one of them is no longer live.
  virtual Task<Result<void>> mark_bundled(std::vector<Bytes32> hashes, Bytes32 transaction_hash, AlsoWrite also) = 0;
  virtual Task<Result<void>> mark_included(std::vector<Inclusion> inclusions, AlsoWrite also) = 0;
  // Back to the queue: the transaction reverted, vanished, or was replaced by one without them. `failed` counts against
  // them: a bundle reverted although its simulation went through.
  virtual Task<Result<void>> mark_waiting(std::vector<Bytes32> hashes, bool failed, AlsoWrite also) = 0;
  virtual Task<Result<void>> drop(Bytes32 hash, std::string reason) = 0;
  // The inclusions of these are final: they leave memory. Live ones among them stay.
  virtual Task<Result<void>> forget(std::vector<Bytes32> hashes, AlsoWrite also) = 0;

  virtual Task<Result<UseropRecord>> record(Bytes32 hash) = 0;
  // Set whenever something was added to the queue or returned to it; the bundler resets it.
  virtual infra::Event& arrivals() = 0;
};

}  // namespace community::pool
