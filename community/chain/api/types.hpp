// SPDX-License-Identifier: Apache-2.0
// What an execution client is asked and what it answers, as values. Shapes are those of the execution APIs
// specification (eth_* methods).
#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "community/core/json.hpp"
#include "community/core/rules.hpp"
#include "community/core/transaction.hpp"

namespace community::chain {

namespace json = boost::json;
using core::Address;
using core::Bytes;
using core::Bytes32;
using core::ByteView;
using core::Uint256;

#define COMMUNITY_CHAIN_ERRORS(X)                                                             \
  X(transport) /* no endpoint could be reached */                                             \
  X(timeout)                                                                                  \
  X(rpc)         /* the node answered with an error: `code`, `message`, `data` are its own */ \
  X(malformed)   /* the node's answer has another shape than the specification says */        \
  X(wrong_chain) /* the node serves another chain than configured */                          \
  X(overloaded)  /* too many calls wait */

COMMUNITY_RULES(ChainErrorKind, COMMUNITY_CHAIN_ERRORS)

struct ChainError {
  ChainErrorKind kind{};
  std::string message;
  // Of rpc only: the node's code, and the bytes a contract reverted with.
  int code = 0;
  Bytes data;
  // Of rpc only: whether the call was executed and reverted, as opposed to refused.
  bool reverted = false;

  // "kind: message", for people.
  std::string text() const;
};

template <class T>
using ChainResult = tl::expected<T, ChainError>;

inline tl::unexpected<ChainError> chain_fail(ChainErrorKind kind, std::string message) {
  ChainError error;
  error.kind = kind;
  error.message = std::move(message);
  return tl::unexpected<ChainError>(std::move(error));
}

// Which state a question is about.
class BlockRef {
 public:
  static BlockRef latest() { return BlockRef("latest"); }
  static BlockRef pending() { return BlockRef("pending"); }
  static BlockRef safe() { return BlockRef("safe"); }
  static BlockRef finalized() { return BlockRef("finalized"); }
  static BlockRef earliest() { return BlockRef("earliest"); }
  static BlockRef number(std::uint64_t number);
  // EIP-1898.
  static BlockRef hash(const Bytes32& hash);

  // The parameter of state queries: a tag, a quantity, or {"blockHash": …}.
  json::value to_json() const;
  const std::optional<Bytes32>& block_hash() const { return hash_; }

 private:
  explicit BlockRef(std::string text) : text_(std::move(text)) {}
  std::string text_;
  std::optional<Bytes32> hash_;
};

struct Block {
  std::uint64_t number = 0;
  Bytes32 hash{};
  Bytes32 parent_hash{};
  // Seconds since 1970.
  std::uint64_t timestamp = 0;
  // Zero before London.
  Uint256 base_fee;
  std::uint64_t gas_limit = 0;
  std::uint64_t gas_used = 0;
  Address beneficiary{};
  // prevRandao after the merge.
  Bytes32 mix_hash{};
  std::optional<std::uint64_t> excess_blob_gas;
  std::vector<Bytes32> transactions;
};

struct Log {
  Address address{};
  std::vector<Bytes32> topics;
  Bytes data;
  // Absent for logs of a pending block.
  std::uint64_t block_number = 0;
  Bytes32 block_hash{};
  Bytes32 transaction_hash{};
  std::uint64_t transaction_index = 0;
  std::uint64_t log_index = 0;
  bool removed = false;
};

struct Receipt {
  Bytes32 transaction_hash{};
  std::uint64_t transaction_index = 0;
  Bytes32 block_hash{};
  std::uint64_t block_number = 0;
  Address from{};
  std::optional<Address> to;
  std::optional<Address> contract_address;
  bool success = false;
  std::uint64_t gas_used = 0;
  std::uint64_t cumulative_gas_used = 0;
  Uint256 effective_gas_price;
  std::vector<Log> logs;
  // As the node sent it: clients of eth_getUserOperationReceipt get it unchanged.
  json::object raw;
};

struct CallRequest {
  std::optional<Address> from;
  std::optional<Address> to;
  std::optional<std::uint64_t> gas;
  std::optional<Uint256> gas_price;
  std::optional<Uint256> max_fee_per_gas;
  std::optional<Uint256> max_priority_fee_per_gas;
  std::optional<Uint256> value;
  Bytes data;
  std::vector<core::Authorization> authorization_list;
};

struct AccountOverride {
  std::optional<Uint256> balance;
  std::optional<std::uint64_t> nonce;
  std::optional<Bytes> code;
  // Replaces the whole storage.
  std::optional<std::map<Bytes32, Bytes32>> state;
  // Replaces single slots.
  std::map<Bytes32, Bytes32> state_diff;
};
using StateOverrides = std::map<Address, AccountOverride>;

struct LogFilter {
  // A block hash, or a range.
  std::optional<Bytes32> block_hash;
  BlockRef from = BlockRef::latest();
  BlockRef to = BlockRef::latest();
  std::vector<Address> addresses;
  // Position by position; an empty set matches anything.
  std::vector<std::vector<Bytes32>> topics;
};

struct FeeHistory {
  std::uint64_t oldest_block = 0;
  // One more than there are blocks: the last is the next block's.
  std::vector<Uint256> base_fees;
  std::vector<double> gas_used_ratio;
  // For each block, the priority fees at the percentiles asked for.
  std::vector<std::vector<Uint256>> rewards;
};

json::object to_json(const CallRequest& request);
json::object to_json(const StateOverrides& overrides);
json::object to_json(const LogFilter& filter);
// The parameter some clients send with an estimate; malformed names what is wrong.
ChainResult<StateOverrides> state_overrides_from_json(const json::value& value);
ChainResult<Block> block_from_json(const json::value& value);
ChainResult<Log> log_from_json(const json::value& value);
ChainResult<Receipt> receipt_from_json(const json::value& value);
ChainResult<FeeHistory> fee_history_from_json(const json::value& value);
// The bytes in the `data` member of a node's error, in the forms clients use.
Bytes revert_data_from_json(const json::value& data);

}  // namespace community::chain
