// SPDX-License-Identifier: Apache-2.0
// The ERC-4337 EntryPoint contracts behind one interface: what to call, what their events and errors mean. Versions
// are sibling files (v0_7, v0_8); a new one is added without touching the others.
#pragma once
#include <memory>
#include <variant>

#include "community/chain/api/types.hpp"
#include "community/core/userop.hpp"

namespace community::chain {

using core::EntryPointVersion;
using core::PackedUserOperation;

// UserOperationEvent: one operation was executed, or failed in its execution phase.
struct UserOperationEvent {
  Bytes32 userop_hash{};
  Address sender{};
  // Zero without a paymaster.
  Address paymaster{};
  Uint256 nonce;
  bool success = false;
  Uint256 actual_gas_cost;
  Uint256 actual_gas_used;
};

// UserOperationRevertReason and PostOpRevertReason.
struct RevertReasonEvent {
  Bytes32 userop_hash{};
  Address sender{};
  Uint256 nonce;
  Bytes reason;
  bool post_op = false;
};

struct AccountDeployedEvent {
  Bytes32 userop_hash{};
  Address sender{};
  Address factory{};
  Address paymaster{};
};

// The boundary between validation and execution in the logs of a bundle.
struct BeforeExecutionEvent {};

using EntryPointEvent = std::variant<UserOperationEvent, RevertReasonEvent, AccountDeployedEvent, BeforeExecutionEvent>;

// FailedOp and FailedOpWithRevert: handleOps refused an operation. `reason` starts with AAnn.
struct FailedOp {
  std::uint64_t index = 0;
  std::string reason;
  // The inner revert of FailedOpWithRevert.
  Bytes inner;
};

struct DepositInfo {
  Uint256 deposit;
  bool staked = false;
  Uint256 stake;
  std::uint32_t unstake_delay_s = 0;
  std::uint64_t withdraw_time = 0;
};

class EntryPoint {
 public:
  virtual ~EntryPoint() = default;
  virtual EntryPointVersion version() const = 0;
  // "0.7", "0.8".
  virtual std::string_view version_text() const = 0;
  virtual const Address& address() const = 0;
  // The contract through which factories are called.
  virtual Address sender_creator() const = 0;

  virtual core::Result<Bytes32> userop_hash(const core::UserOperation& op, const Uint256& chain_id,
                                            const std::optional<Address>& delegate = std::nullopt) const = 0;

  virtual core::Result<Bytes> encode_handle_ops(const std::vector<PackedUserOperation>& ops,
                                                const Address& beneficiary) const = 0;
  // `key` has 192 bits.
  virtual Bytes encode_get_nonce(const Address& sender, const Uint256& key) const = 0;
  virtual Bytes encode_balance_of(const Address& account) const = 0;
  virtual Bytes encode_get_deposit_info(const Address& account) const = 0;
  virtual core::Result<DepositInfo> decode_deposit_info(ByteView returned) const = 0;

  // Nothing for logs of other contracts and of other events, malformed ones included.
  virtual std::optional<EntryPointEvent> decode_event(const Log& log) const = 0;
  // Nothing when the revert is none of the two.
  virtual std::optional<FailedOp> decode_failed_op(ByteView revert) const = 0;
};

// First topics of the events, for log filters.
struct EntryPointTopics {
  Bytes32 user_operation, revert_reason, post_op_revert_reason, account_deployed, before_execution;
};
const EntryPointTopics& entry_point_topics();

// A word that a function returned: getNonce, balanceOf. Nothing when it is not exactly one word.
std::optional<Uint256> decode_word(ByteView returned);
// The text of Error(string), "Panic(n)", or hex of anything else (shortened); empty for no bytes.
std::string describe_revert(ByteView revert);

namespace v0_7 {
// The canonical address; another one for tests.
std::unique_ptr<EntryPoint> make_entry_point(std::optional<Address> address = std::nullopt);
}  // namespace v0_7
namespace v0_8 {
std::unique_ptr<EntryPoint> make_entry_point(std::optional<Address> address = std::nullopt);
}  // namespace v0_8

}  // namespace community::chain
