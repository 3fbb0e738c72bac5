// SPDX-License-Identifier: Apache-2.0
// The bytes of a CommunityMultisig (spec/multisig.md): init data and address, what an owner calls or signs, proposals
// and their ids. Pure.
#pragma once
#include <optional>
#include <variant>

#include "community/accounts/api/account.hpp"
#include "community/core/json.hpp"
#include "community/core/rules.hpp"

namespace community::multisig {

using accounts::Call;
using core::Address;
using core::Bytes;
using core::Bytes32;
using core::ByteView;
using core::Uint256;

#define COMMUNITY_MULTISIG_ERRORS(X)                                               \
  X(init_data_invalid) /* breaks a rule of spec/multisig.md, sections 1, 4 or 5 */ \
  X(calls_invalid)     /* of a proposal: section 3 */                              \
  X(action_invalid)    /* a value that its field does not hold */                  \
  X(chain_failed)                                                                  \
  X(unreadable) /* what is at the address answers otherwise than a multisig */

COMMUNITY_ERRORS(COMMUNITY_MULTISIG_ERRORS)

inline constexpr std::size_t kMaxOwners = 32, kMaxLimits = 32, kMaxProposalCalls = 32;
// A signer as in ERC-7913: an address, or a verifier's address and a key.
inline constexpr std::size_t kAddressOwnerBytes = 20, kMaxOwnerBytes = 512;
// Seconds from the proposal on: what expiry 0 stands for, and the most.
inline constexpr std::uint64_t kDefaultLifetime_s = 14 * 86'400, kMaxLifetime_s = 30 * 86'400;

// --- creation --------------------------------------------------------------------------------------------------------

// What one owner alone may send of one token a UTC day, on one chain.
struct LimitRow {
  std::uint64_t chain_id = 0;
  // Zero: the native currency.
  Address token{};
  // In the token's smallest unit.
  Uint256 per_day;
};

struct MultisigInit {
  std::vector<Bytes> owners;
  std::uint8_t threshold = 0;
  std::vector<LimitRow> limits;
  Uint256 salt;
};

// What the factory would accept, as far as it can be known without a chain: init_data_invalid names the rule. Whether
// the verifier of an owner is deployed only the chain knows.
Result<void> check_init(const MultisigInit& init);
// init_data_invalid
Result<Bytes> encode_init_data(const MultisigInit& init);
// Canonical and by the rules: init_data_invalid.
Result<MultisigInit> read_init_data(ByteView init_data);
// The counterfactual address (EIP-1014): the same on every chain where the factory is. `proxy_init_code_hash` is the
// factory's constant, the hash of a minimal proxy (ERC-1167) of its implementation.
Address multisig_address(const Address& factory, const Bytes32& proxy_init_code_hash, ByteView init_data);
// Whether deployed code is the minimal proxy of that factory's implementation, and so a CommunityMultisig whatever it
// answers.
bool is_multisig_code(ByteView code, const Bytes32& proxy_init_code_hash);
// Call data of the factory: createMultisig(initData).
Bytes encode_create_multisig(ByteView init_data);

// --- owners ----------------------------------------------------------------------------------------------------------

Bytes address_owner(const Address& address);
// A passkey that `verifier`, the factory's deployment of PasskeyVerifier, checks; `public_key` is x || y of P-256.
Bytes passkey_owner(const Address& verifier, const std::array<std::uint8_t, 64>& public_key);
Bytes32 owner_id(ByteView owner);

// --- what an owner does ----------------------------------------------------------------------------------------------

// One multisig on one chain.
struct MultisigOnChain {
  std::uint64_t chain_id = 0;
  Address multisig{};
};

// Proposes the calls and approves them. `expiry_s` is the last second, since 1970, for votes and execution; 0 stands
// for 14 days after the proposal, 30 are the most. `salt` tells equal proposals apart.
struct Propose {
  std::vector<Call> calls;
  Uint256 salt;
  std::uint64_t expiry_s = 0;
};
struct Approve {
  Bytes32 proposal{};
};
struct WithdrawApproval {
  Bytes32 proposal{};
};
struct Reject {
  Bytes32 proposal{};
};
struct Cancel {
  Bytes32 proposal{};
};
// Within what is left of today's limit. Token zero is the native currency; the amount is in the smallest unit.
struct Spend {
  Address token{};
  Address to{};
  Uint256 amount;
};
using Action = std::variant<Propose, Approve, WithdrawApproval, Reject, Cancel, Spend>;

// End of every signed struct. `nonce` is any number that makes the struct unlike others; `deadline_s` is the last
// second, since 1970, at which it may be submitted.
struct Stamp {
  std::uint32_t epoch = 0;
  Uint256 nonce;
  std::uint64_t deadline_s = 0;
};

// Name of the struct in EIP-712, "WithdrawApproval".
std::string_view action_name(const Action& action);
// Call data for an owner that is an address and calls itself: action_invalid.
Result<Bytes> encode_action(const Action& action);

// The document that `owner` signs with eth_signTypedData_v4 when somebody else submits the action, and its digest.
core::json::object action_typed_data(const MultisigOnChain& where, ByteView owner, const Action& action,
                                     const Stamp& stamp);
Bytes32 action_digest(const MultisigOnChain& where, ByteView owner, const Action& action, const Stamp& stamp);
// Call data of the ...BySignature form, which anybody submits: action_invalid. Of an EOA the signature is r || s || v.
Result<Bytes> encode_action_by_signature(const Action& action, ByteView owner, const Stamp& stamp, ByteView signature);

// --- proposals -------------------------------------------------------------------------------------------------------

// What the id of a proposal commits to, and what its execution repeats.
struct Proposal {
  // owner_id of who proposed it.
  Bytes32 proposer{};
  std::vector<Call> calls;
  Uint256 salt;
  // As it was asked for, 0 included.
  std::uint64_t expiry_s = 0;
};

// The rules that the contract has for calls, in its order: calls_invalid.
Result<void> check_calls(const Address& multisig, const std::vector<Call>& calls);
// EIP-712 encoding of `Call[]`.
Bytes32 calls_hash(const std::vector<Call>& calls);
Bytes32 proposal_id(const MultisigOnChain& where, const Proposal& proposal);
// Call data of execute, which anybody may send once enough owners approve: action_invalid.
Result<Bytes> encode_execute(const Proposal& proposal);

// --- what a multisig calls on itself, by a proposal of this one call
// --------------------------------------------------

// Removes, then adds, then sets the threshold.
struct ChangeOwners {
  std::vector<Bytes> removed, added;
  std::uint8_t threshold = 0;
};
// Zero token: the native currency. Zero a day takes the token off the list; at most 112 bits.
struct SetDailyLimit {
  Address token{};
  Uint256 per_day;
};
using SelfCall = std::variant<ChangeOwners, SetDailyLimit>;

// action_invalid
Result<Call> encode_self_call(const Address& multisig, const SelfCall& call);
// Nothing for other call data.
std::optional<SelfCall> read_self_call(ByteView call_data);

}  // namespace community::multisig
