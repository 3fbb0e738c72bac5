// SPDX-License-Identifier: Apache-2.0
// The multisigs that a person keeps in their list at this node, and what the chain says of each. Keeping one gives no
// right to it: its owners act by operations of their accounts (kind `calls`), which the chain judges. All calls belong
// to the thread of the loop that the object was made on.
#pragma once
#include "community/core/json.hpp"
#include "community/infra/api/task.hpp"
#include "community/multisig/api/state.hpp"
#include "community/multisigs/api/error.hpp"
#include "community/transactions/api/transactions.hpp"

namespace community::multisigs {

using core::Address;
using core::Bytes;
using core::Bytes32;
using core::Uint256;
using infra::Task;

// --- limits ----------------------------------------------------------------------------------------------------------

// In a person's list; about 10 kB each at most.
inline constexpr std::size_t kMaxKept = 32;
// Proposals of one answer, the latest; any other one is asked for by its id.
inline constexpr std::size_t kMaxProposals = 32;
// Call data of all proposals of one answer, open ones first; those beyond come without their calls.
inline constexpr std::size_t kMaxContentBytes = 256 * 1'024;
// Calls that one answer says in words, open proposals first: each asks the chain some four times.
inline constexpr std::size_t kMaxDescribed = 64;
// Proposals end 30 days after they are made at the latest: with blocks of 12 seconds this is 41 days.
inline constexpr std::uint64_t kProposalBlocks = 300'000;
// That one asks for; and that are shown besides because they have a limit.
inline constexpr std::size_t kMaxTokens = 32, kMaxLimited = 32;
// Multisigs whose tokens with a limit are remembered, under 1 kB each.
inline constexpr std::size_t kMaxRemembered = 4'096;

// --- the list --------------------------------------------------------------------------------------------------------

struct KeptMultisig {
  // A random UUID.
  std::string multisig_id;
  std::uint64_t chain_id = 0;
  Address address{};
  // Empty when the person gave none.
  std::string name;
  // What makes the address (spec/multisig.md, section 5); empty when it was kept by its address.
  Bytes init_data;
  std::int64_t created_ms = 0;
};

// Limits of this chain alone.
struct NewMultisig {
  std::vector<Bytes> owners;
  std::uint8_t threshold = 0;
  std::vector<multisig::LimitRow> limits;
  Uint256 salt;
};

struct KeepRequest {
  std::uint64_t chain_id = 0;
  // As a wallet's alias: users::check_name, or empty.
  std::string name;
  // One of both: a multisig that is on chain, or one to be made, whose address follows.
  std::variant<Address, NewMultisig> what;
};

// --- what the chain says ---------------------------------------------------------------------------------------------

struct Owner {
  // As in ERC-7913.
  Bytes signer;
  // The person's own account, or passkey; empty otherwise.
  std::string wallet_id, passkey_id;
};

enum class Content : std::uint8_t {
  there,
  // All that the chain's server showed hashes to other ids.
  unreadable,
  // Beyond kMaxContentBytes; asked for by its id it comes alone.
  left_out,
};

struct Proposal {
  multisig::ProposalState on_chain;
  Content content{};
  // CallSummary and Warning of spec/openapi.json, with the multisig as the sender. Empty when the content is not there,
  // of a call to the multisig itself, and beyond kMaxDescribed.
  core::json::array summary, warnings;
  // Of a proposal to change the multisig itself.
  std::optional<multisig::SelfCall> self_call;
};

// Everything of one block.
struct MultisigState {
  KeptMultisig entry;
  std::uint64_t block_number = 0, block_time_s = 0;
  // False: owners, threshold and limits are those that its init data gives it.
  bool deployed = false;
  // Wei
  Uint256 balance;
  std::uint32_t epoch = 0;
  std::size_t threshold = 0;
  std::vector<Owner> owners;
  // The native currency first, then the tokens that were asked for, then kMaxLimited others that have a limit: any
  // owner can spend those alone, whoever looks at them. Known are the limits of the init data and those that were set
  // since proposals_from_block, or since this node looked first.
  std::vector<multisig::LimitState> limits;
  // The same tokens.
  std::vector<transactions::TokenBalance> tokens;
  // Latest first.
  std::vector<Proposal> proposals;
  // The first block that was looked at for proposals, and whether there were more than kMaxProposals.
  std::uint64_t proposals_from_block = 0;
  bool has_more = false;
};

struct StateQuery {
  std::vector<Address> tokens;
  // That proposal alone.
  std::optional<Bytes32> proposal;
};

class Multisigs {
 public:
  virtual ~Multisigs() = default;
  // Errors of keep: field_invalid (the name), chain_unknown, init_data_invalid, not_deployed, not_a_multisig,
  // already_kept, too_many_multisigs, chain_unavailable. not_found for a person who left meanwhile.
  virtual Task<Result<KeptMultisig>> keep(std::string user_id, KeepRequest request) = 0;
  // Earliest first.
  virtual Task<Result<std::vector<KeptMultisig>>> list(std::string user_id) = 0;
  // field_invalid, not_found.
  virtual Task<Result<KeptMultisig>> rename(std::string user_id, std::string multisig_id, std::string name) = 0;
  // From the list; on chain nothing changes. not_found.
  virtual Task<Result<void>> forget(std::string user_id, std::string multisig_id) = 0;
  // field_invalid (more than kMaxTokens), not_found, chain_unknown, not_a_multisig, chain_unavailable.
  virtual Task<Result<MultisigState>> state(std::string user_id, std::string multisig_id, StateQuery query) = 0;
};

}  // namespace community::multisigs
