// SPDX-License-Identifier: Apache-2.0
// What the chain says about a multisig and its proposals now. State is per chain: ask each chain.
#pragma once
#include "community/chain/api/execution_client.hpp"
#include "community/multisig/api/multisig.hpp"

namespace community::multisig {

// Numbers of the contract.
enum class Status : std::uint8_t { unknown = 0, open = 1, executed = 2, cancelled = 3, expired = 4 };
enum class Vote : std::uint8_t { none = 0, approved = 1, rejected = 2 };

// In the token's smallest unit, on the UTC day of the block that was asked.
struct LimitState {
  // Zero: the native currency.
  Address token{};
  Uint256 per_day, spent_today, left_today;
};

struct MultisigState {
  bool deployed = false;
  // Of the block that everything here is of. Seconds since 1970.
  std::uint64_t block_number = 0, time_s = 0;
  // Wei
  Uint256 balance;
  // Everything below only when it is deployed.
  std::uint32_t epoch = 0;
  std::size_t threshold = 0;
  std::vector<Bytes> owners;
  // The native currency first, then the tokens that were asked for.
  std::vector<LimitState> limits;

  bool is_owner(ByteView owner) const;
};

struct ProposalState {
  Bytes32 id{};
  // Nothing when all that the chain's server showed hashes to other ids: a server could answer anything.
  std::optional<Proposal> content;
  Status status = Status::unknown;
  // Seconds since 1970; it can be voted on and executed up to and with this second.
  std::uint64_t last_second_s = 0;
  // As the contract counts, with the owners and the threshold of now.
  std::size_t needed = 0, approvals = 0, rejections = 0;
  // Beside the state's owners; empty when the proposal is not open.
  std::vector<Vote> votes;
};

class MultisigView {
 public:
  explicit MultisigView(chain::ExecutionClient& chain) : chain_(chain) {}

  // Tokens whose limit was set in these blocks, creation included, each once and the latest first, `most` of them;
  // never the native currency. chain_failed.
  infra::Task<Result<std::vector<Address>>> limited_tokens(Address multisig, std::uint64_t from_block,
                                                           std::uint64_t to_block, std::size_t most);
  // All answers are of one block. chain_failed when the chain does not answer, unreadable when code at the address
  // answers otherwise than a multisig does.
  infra::Task<Result<MultisigState>> state(Address multisig, std::vector<Address> tokens = {});
  // Proposals made from `from_block` on, oldest first, as they stand at the block of `state`; with `only` that one, or
  // none; of more than `most` the latest. Errors as above.
  infra::Task<Result<std::vector<ProposalState>>> proposals(MultisigOnChain where, MultisigState state,
                                                            std::uint64_t from_block,
                                                            std::optional<Bytes32> only = std::nullopt,
                                                            std::size_t most = SIZE_MAX);

 private:
  chain::ExecutionClient& chain_;
};

// The proposal in the event Proposed of `where`, believed when it hashes to the event's id; nothing otherwise.
std::optional<Proposal> read_proposed(const MultisigOnChain& where, const chain::Log& log);

}  // namespace community::multisig
