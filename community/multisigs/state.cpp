// SPDX-License-Identifier: Apache-2.0
// What a multisig is now, for one of its owners or whoever keeps it: from the chain, with what this node knows besides.
#include <algorithm>

#include "community/multisigs/service.hpp"
#include "community/multisigs/store.hpp"

namespace community::multisigs {
namespace {

std::size_t data_size(const multisig::ProposalState& proposal) {
  std::size_t size = 0;
  for (const multisig::Call& call : proposal.content->calls) size += call.data.size();
  return size;
}

// Places of the proposals, open ones first: what is left out of an answer is what matters least.
std::vector<std::size_t> by_weight(const std::vector<Proposal>& proposals) {
  std::vector<std::size_t> order(proposals.size());
  for (std::size_t i = 0; i < order.size(); i++) order[i] = i;
  std::ranges::stable_partition(
      order, [&proposals](std::size_t i) { return proposals[i].on_chain.status == multisig::Status::open; });
  return order;
}

void bound_content(std::vector<Proposal>& proposals) {
  std::size_t room = kMaxContentBytes;
  // Asked for alone, a proposal comes whole: a block holds no larger one.
  const bool is_alone = proposals.size() == 1;
  for (const std::size_t i : by_weight(proposals)) {
    Proposal& one = proposals[i];
    if (!one.on_chain.content) {
      one.content = Content::unreadable;
      continue;
    }
    const std::size_t size = data_size(one.on_chain);
    if (size > room && !is_alone) {
      one.content = Content::left_out;
      one.on_chain.content.reset();
      continue;
    }
    room -= std::min(room, size);
  }
}

// Looked at again, for blocks that others took the place of.
constexpr std::uint64_t kBlocksAgain = 64;

// Tokens that nobody asked for are there for their limits.
void leave_out_unlimited(std::size_t asked, std::vector<multisig::LimitState>& limits) {
  const auto first = limits.begin() + static_cast<std::ptrdiff_t>(1 + asked);
  limits.erase(std::remove_if(first, limits.end(), [](const auto& limit) { return limit.per_day.is_zero(); }),
               limits.end());
}

// Of a multisig that is not on chain yet: as its init data makes it.
void take_init(const ServedChain& chain, const multisig::MultisigInit& init, const std::vector<Address>& tokens,
               MultisigState& out) {
  out.threshold = init.threshold;
  for (const Bytes& owner : init.owners) out.owners.push_back({owner, {}, {}});
  std::vector<Address> wanted = tokens;
  wanted.insert(wanted.begin(), Address{});
  for (const Address& token : wanted) {
    multisig::LimitState limit;
    limit.token = token;
    for (const multisig::LimitRow& row : init.limits)
      if (row.chain_id == chain.chain_id && row.token == token) limit.per_day = limit.left_today = row.per_day;
    out.limits.push_back(limit);
  }
}

}  // namespace

Task<Result<std::vector<Address>>> MultisigsService::limited_tokens(const ServedChain& chain, Address multisig,
                                                                    core::ByteView init_data) {
  const auto latest = co_await chain.chain.block(chain::BlockRef::latest());
  if (!latest) co_return fail(ErrorCode::chain_unavailable, latest.error().text());
  if (!*latest) co_return fail(ErrorCode::chain_unavailable, "the chain has no latest block");
  const std::uint64_t to_block = (*latest)->number;
  const auto key = std::pair(chain.chain_id, multisig);
  std::uint64_t from_block = to_block - std::min(to_block, kProposalBlocks);
  if (const auto known = limited_.find(key); known != limited_.end())
    from_block = std::max(from_block, known->second.to_block - std::min(known->second.to_block, kBlocksAgain));
  multisig::MultisigView view(chain.chain);
  auto found = co_await view.limited_tokens(multisig, from_block, to_block, kMaxLimited);
  if (!found) co_return tl::unexpected(from_multisig(found.error()));
  const auto add = [&found](const Address& token) {
    const bool is_new = !base::is_zero(token) && std::ranges::find(*found, token) == found->end();
    if (is_new && found->size() < kMaxLimited) found->push_back(token);
  };
  if (limited_.size() >= kMaxRemembered && !limited_.contains(key)) limited_.erase(limited_.begin());
  Limited& known = limited_[key];
  for (const Address& token : known.tokens) add(token);
  if (const auto init = multisig::read_init_data(init_data))
    for (const multisig::LimitRow& row : init->limits)
      if (row.chain_id == chain.chain_id) add(row.token);
  known.to_block = std::max(known.to_block, to_block);
  known.tokens = *found;
  co_return std::move(*found);
}

void MultisigsService::mark_own(const ServedChain& chain, const Own& own, std::vector<Owner>& owners) {
  for (Owner& owner : owners) {
    for (const OwnAccount& account : own.accounts)
      if (owner.signer == multisig::address_owner(account.address)) owner.wallet_id = account.wallet_id;
    for (const OwnPasskey& passkey : own.passkeys)
      if (owner.signer == multisig::passkey_owner(chain.passkey_verifier, passkey.public_key))
        owner.passkey_id = passkey.passkey_id;
  }
}

Task<Result<void>> MultisigsService::describe(const ServedChain& chain, Address multisig,
                                              std::vector<Proposal>& proposals) {
  std::size_t room = kMaxDescribed;
  for (const std::size_t i : by_weight(proposals)) {
    Proposal& one = proposals[i];
    if (!one.on_chain.content) continue;
    const std::vector<multisig::Call>& calls = one.on_chain.content->calls;
    if (calls.size() == 1 && calls.front().to == multisig) {
      one.self_call = multisig::read_self_call(calls.front().data);
      continue;
    }
    if (calls.size() > room) continue;
    room -= calls.size();
    std::vector<accounts::Call> asked = calls;
    auto described = co_await chain.describer.describe(multisig, std::move(asked));
    // Calls that carry more than there is have no summary: the page shows them as they are.
    if (!described && described.error().code == transactions::ErrorCode::calls_invalid) continue;
    if (!described) co_return fail(ErrorCode::chain_unavailable, described.error().message);
    one.summary = std::move(described->summary);
    one.warnings = std::move(described->warnings);
  }
  co_return Result<void>{};
}

Task<Result<void>> MultisigsService::read_proposals(const ServedChain& chain, MultisigState& out,
                                                    multisig::MultisigState on_chain, std::optional<Bytes32> only) {
  out.proposals_from_block = out.block_number - std::min(out.block_number, kProposalBlocks);
  multisig::MultisigView view(chain.chain);
  const multisig::MultisigOnChain where{chain.chain_id, out.entry.address};
  // One more than is shown tells whether there are more.
  auto found = co_await view.proposals(where, std::move(on_chain), out.proposals_from_block, only, kMaxProposals + 1);
  if (!found) co_return tl::unexpected(from_multisig(found.error()));
  out.has_more = found->size() > kMaxProposals;
  if (out.has_more) found->erase(found->begin());
  std::ranges::reverse(*found);
  for (multisig::ProposalState& one : *found) {
    Proposal proposal;
    proposal.on_chain = std::move(one);
    out.proposals.push_back(std::move(proposal));
  }
  bound_content(out.proposals);
  co_return co_await describe(chain, out.entry.address, out.proposals);
}

Task<Result<MultisigState>> MultisigsService::state(std::string user_id, std::string multisig_id, StateQuery query) {
  if (query.tokens.size() > kMaxTokens) co_return fail_field("/token", "32 tokens at most");
  auto find = [user_id, multisig_id](soci::session& sql) { return store::find(sql, user_id, multisig_id); };
  auto entry = co_await d_.database.read(find);
  if (!entry) co_return fail(ErrorCode::database_unavailable, entry.error().text());
  if (!*entry) co_return fail(ErrorCode::not_found);
  const ServedChain* chain = find_chain((*entry)->chain_id);
  if (chain == nullptr) co_return fail(ErrorCode::chain_unknown, "the node does not serve this chain any more");
  MultisigState out;
  out.entry = std::move(**entry);
  const auto limited = co_await limited_tokens(*chain, out.entry.address, out.entry.init_data);
  if (!limited) co_return tl::unexpected(limited.error());
  std::vector<Address> tokens = query.tokens;
  for (const Address& token : *limited)
    if (std::ranges::find(query.tokens, token) == query.tokens.end()) tokens.push_back(token);
  multisig::MultisigView view(chain->chain);
  auto on_chain = co_await view.state(out.entry.address, tokens);
  if (!on_chain) co_return tl::unexpected(from_multisig(on_chain.error()));
  out.block_number = on_chain->block_number;
  out.block_time_s = on_chain->time_s;
  out.balance = on_chain->balance;
  out.deployed = on_chain->deployed;
  if (out.deployed) {
    const auto code = co_await chain->chain.code(out.entry.address);
    if (!code) co_return fail(ErrorCode::chain_unavailable, code.error().text());
    if (!multisig::is_multisig_code(*code, chain->proxy_init_code_hash))
      co_return fail(ErrorCode::not_a_multisig, "other code than this node's factory makes is at this address");
    out.epoch = on_chain->epoch;
    out.threshold = on_chain->threshold;
    for (const Bytes& owner : on_chain->owners) out.owners.push_back({owner, {}, {}});
    out.limits = on_chain->limits;
    auto read = co_await read_proposals(*chain, out, std::move(*on_chain), query.proposal);
    if (!read) co_return tl::unexpected(read.error());
  } else if (out.entry.init_data.empty()) {
    co_return fail(ErrorCode::not_deployed, "nothing is at this address any more");
  } else {
    const auto init = multisig::read_init_data(out.entry.init_data);
    if (!init) co_return tl::unexpected(from_multisig(init.error()));
    take_init(*chain, *init, tokens, out);
  }
  leave_out_unlimited(query.tokens.size(), out.limits);
  const auto own = co_await d_.people.own(std::move(user_id), chain->chain_id);
  if (!own) co_return tl::unexpected(own.error());
  mark_own(*chain, *own, out.owners);
  tokens.clear();
  for (auto limit = std::next(out.limits.begin()); limit != out.limits.end(); ++limit) tokens.push_back(limit->token);
  out.tokens = co_await chain->describer.balances(out.entry.address, std::move(tokens));
  co_return out;
}

}  // namespace community::multisigs
