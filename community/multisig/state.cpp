// SPDX-License-Identifier: Apache-2.0
#include "community/multisig/api/state.hpp"

#include <algorithm>

#include "community/accounts/api/questions.hpp"

namespace community::multisig {
namespace {

using accounts::Question;
using core::AbiValue;
using infra::Task;

constexpr std::string_view kProposed = "Proposed(bytes32,bytes32,(address,uint256,bytes)[],uint256,uint48,uint48)";
// Each costs its multisig a proposal; more would only say the same tokens again.
constexpr std::size_t kMaxLimitEvents = 1'024;
// What public servers answer in one go.
constexpr std::uint64_t kBlocksPerQuestion = 10'000;

Error chain_error(const chain::ChainError& error) { return {ErrorCode::chain_failed, error.text()}; }

Error reading_error(const accounts::Error& error) {
  const bool unreadable = error.code == accounts::ErrorCode::account_unreadable;
  return {unreadable ? ErrorCode::unreadable : ErrorCode::chain_failed, error.message};
}

std::uint64_t small(const AbiValue& value) { return value.word().limb[0]; }

const Bytes32& proposed_topic() {
  static const Bytes32 topic = core::event_topic(kProposed);
  return topic;
}

const Bytes32& limit_topic() {
  static const Bytes32 topic = core::event_topic("DailyLimitChanged(address,uint256)");
  return topic;
}

// Events with these topics of the multisig, of the latest blocks first until `most` are there; the answer is oldest
// first.
Task<Result<std::vector<chain::Log>>> latest_logs(chain::ExecutionClient& client, Address multisig,
                                                  std::vector<std::vector<Bytes32>> topics, std::uint64_t from_block,
                                                  std::uint64_t to_block, std::size_t most) {
  std::vector<chain::Log> all;
  for (std::uint64_t end = to_block + 1; end > from_block && all.size() < most;) {
    const std::uint64_t from = end - std::min(kBlocksPerQuestion, end - from_block);
    chain::LogFilter filter;
    filter.from = chain::BlockRef::number(from);
    filter.to = chain::BlockRef::number(end - 1);
    filter.addresses = {multisig};
    filter.topics = topics;
    auto logs = co_await client.logs(std::move(filter));
    if (!logs) co_return tl::unexpected(chain_error(logs.error()));
    all.insert(all.begin(), std::make_move_iterator(logs->begin()), std::make_move_iterator(logs->end()));
    end = from;
  }
  co_return all;
}

// One entry an id, with the content of whichever event proves it.
std::vector<ProposalState> proposals_of(const MultisigOnChain& where, const std::vector<chain::Log>& logs,
                                        const std::optional<Bytes32>& only) {
  std::vector<ProposalState> found;
  for (const chain::Log& log : logs) {
    if (log.address != where.multisig || log.topics.size() != 3 || log.topics[0] != proposed_topic()) continue;
    const Bytes32& id = log.topics[1];
    if (only && id != *only) continue;
    auto at = std::ranges::find(found, id, &ProposalState::id);
    if (at == found.end()) {
      found.emplace_back().id = id;
      at = std::prev(found.end());
    }
    if (!at->content) at->content = read_proposed(where, log);
  }
  return found;
}

}  // namespace

bool MultisigState::is_owner(ByteView owner) const {
  return std::ranges::any_of(owners, [owner](const Bytes& one) { return std::ranges::equal(one, owner); });
}

std::optional<Proposal> read_proposed(const MultisigOnChain& where, const chain::Log& log) {
  static const auto types = core::parse_abi_parameters("(address,uint256,bytes)[],uint256,uint48,uint48").value();
  if (log.topics.size() != 3 || log.topics[0] != proposed_topic()) return std::nullopt;
  const auto values = core::abi_decode(types, log.data);
  if (!values) return std::nullopt;
  Proposal proposal;
  proposal.proposer = log.topics[2];
  for (const AbiValue& one : (*values)[0].list())
    proposal.calls.push_back({one[0].address(), one[1].word(), one[2].bytes()});
  proposal.salt = (*values)[1].word();
  proposal.expiry_s = small((*values)[2]);
  if (proposal_id(where, proposal) != log.topics[1]) return std::nullopt;
  return proposal;
}

Task<Result<std::vector<Address>>> MultisigView::limited_tokens(Address multisig, std::uint64_t from_block,
                                                                std::uint64_t to_block, std::size_t most) {
  std::vector<std::vector<Bytes32>> topics;
  topics.push_back({limit_topic()});
  const auto logs = co_await latest_logs(chain_, multisig, std::move(topics), from_block, to_block, kMaxLimitEvents);
  if (!logs) co_return tl::unexpected(logs.error());
  std::vector<Address> tokens;
  for (auto log = logs->rbegin(); log != logs->rend() && tokens.size() < most; ++log) {
    if (log->address != multisig || log->topics.size() != 2 || log->topics[0] != limit_topic()) continue;
    const Address token = core::address_from_word(log->topics[1]);
    if (!base::is_zero(token) && std::ranges::find(tokens, token) == tokens.end()) tokens.push_back(token);
  }
  co_return tokens;
}

Task<Result<MultisigState>> MultisigView::state(Address multisig, std::vector<Address> tokens) {
  const auto latest = co_await chain_.block(chain::BlockRef::latest());
  if (!latest) co_return tl::unexpected(chain_error(latest.error()));
  if (!*latest) co_return fail(ErrorCode::chain_failed, "the chain has no latest block");
  MultisigState state;
  state.block_number = (*latest)->number;
  state.time_s = (*latest)->timestamp;
  const chain::BlockRef block = chain::BlockRef::number(state.block_number);
  const auto code = co_await chain_.code(multisig, block);
  const auto balance = co_await chain_.balance(multisig, block);
  if (!code) co_return tl::unexpected(chain_error(code.error()));
  if (!balance) co_return tl::unexpected(chain_error(balance.error()));
  state.balance = *balance;
  state.deployed = !code->empty();
  if (!state.deployed) co_return state;

  std::vector<Question> questions;
  questions.push_back({"epoch()", {}, "uint32"});
  questions.push_back({"threshold()", {}, "uint256"});
  questions.push_back({"owners()", {}, "bytes[]"});
  tokens.insert(tokens.begin(), Address{});
  for (const Address& token : tokens)
    questions.push_back({"dailyLimit(address)", {AbiValue(token)}, "uint256,uint256,uint256"});
  const auto answers = co_await accounts::ask_all(chain_, multisig, std::move(questions), block);
  if (!answers) co_return tl::unexpected(reading_error(answers.error()));
  state.epoch = static_cast<std::uint32_t>(small((*answers)[0][0]));
  state.threshold = small((*answers)[1][0]);
  for (const AbiValue& owner : (*answers)[2][0].list()) state.owners.push_back(owner.bytes());
  const auto is_owner_size = [](const Bytes& owner) {
    return owner.size() >= kAddressOwnerBytes && owner.size() <= kMaxOwnerBytes;
  };
  if (!std::ranges::all_of(state.owners, is_owner_size) || state.owners.empty() || state.owners.size() > kMaxOwners ||
      state.threshold == 0 || state.threshold > state.owners.size())
    co_return fail(ErrorCode::unreadable, "it says owners and a threshold that no multisig has");
  for (std::size_t i = 0; i < tokens.size(); i++) {
    const auto& limit = (*answers)[3 + i];
    state.limits.push_back({tokens[i], limit[0].word(), limit[1].word(), limit[2].word()});
  }
  co_return state;
}

Task<Result<std::vector<ProposalState>>> MultisigView::proposals(MultisigOnChain where, MultisigState state,
                                                                 std::uint64_t from_block, std::optional<Bytes32> only,
                                                                 std::size_t most) {
  std::vector<std::vector<Bytes32>> topics;
  topics.push_back({proposed_topic()});
  if (only) topics.push_back({*only});
  const auto logs =
      co_await latest_logs(chain_, where.multisig, std::move(topics), from_block, state.block_number, most);
  if (!logs) co_return tl::unexpected(logs.error());
  std::vector<ProposalState> found = proposals_of(where, *logs, only);
  if (found.size() > most) found.erase(found.begin(), found.end() - static_cast<std::ptrdiff_t>(most));
  const chain::BlockRef block = chain::BlockRef::number(state.block_number);
  std::vector<Question> questions;
  for (const ProposalState& one : found)
    questions.push_back({"proposal(bytes32)", {AbiValue(one.id)}, "uint8,uint48,uint256,uint256,uint256"});
  const auto answers = co_await accounts::ask_all(chain_, where.multisig, std::move(questions), block);
  if (!answers) co_return tl::unexpected(reading_error(answers.error()));
  std::vector<Question> about_votes;
  for (std::size_t i = 0; i < found.size(); i++) {
    ProposalState& one = found[i];
    const auto& now = (*answers)[i];
    if (small(now[0]) > static_cast<std::uint8_t>(Status::expired))
      co_return fail(ErrorCode::unreadable, "a proposal has a status that is none");
    one.status = static_cast<Status>(small(now[0]));
    one.last_second_s = small(now[1]);
    one.needed = small(now[2]);
    one.approvals = small(now[3]);
    one.rejections = small(now[4]);
    if (one.status != Status::open) continue;
    for (const Bytes& owner : state.owners)
      about_votes.push_back({"vote(bytes32,bytes)", {AbiValue(one.id), AbiValue(owner)}, "uint8"});
  }
  const auto votes = co_await accounts::ask_all(chain_, where.multisig, std::move(about_votes), block);
  if (!votes) co_return tl::unexpected(reading_error(votes.error()));
  auto next = votes->begin();
  for (ProposalState& one : found) {
    if (one.status != Status::open) continue;
    for (std::size_t i = 0; i < state.owners.size(); i++, ++next) {
      const std::uint64_t vote = small((*next)[0]);
      if (vote > static_cast<std::uint8_t>(Vote::rejected))
        co_return fail(ErrorCode::unreadable, "a vote is neither yes nor no nor none");
      one.votes.push_back(static_cast<Vote>(vote));
    }
  }
  co_return found;
}

}  // namespace community::multisig
