// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "cmd/community-node/account_multisig.hpp"
#include "community/core/abi.hpp"

namespace community::node {

using multisig::ProposalState;
using multisig::Status;
using multisig::Vote;
using wallet::ErrorCode;
using wallet::fail;

namespace {

std::string line(const char* name, const std::string& value) {
  std::string text = "  " + std::string(name);
  text.resize(20, ' ');
  return text + value;
}

std::string token_text(const Address& token) {
  return base::is_zero(token) ? std::string("native currency") : core::format_address(token);
}

std::string amount_text(const Address& token, const Uint256& amount) {
  return base::is_zero(token) ? ether_text(amount) : core::format_decimal(amount) + " base units";
}

std::string owners_text(const std::vector<Bytes>& owners) {
  std::string text;
  for (const Bytes& owner : owners) text += (text.empty() ? "" : ", ") + owner_text(owner);
  return text;
}

std::string self_call_text(const multisig::SelfCall& call) {
  if (const auto* limit = std::get_if<multisig::SetDailyLimit>(&call))
    return "daily limit of " + token_text(limit->token) + " becomes " + amount_text(limit->token, limit->per_day);
  const auto& change = std::get<multisig::ChangeOwners>(call);
  std::string text = "owners change:";
  if (!change.removed.empty()) text += " removes " + owners_text(change.removed) + ";";
  if (!change.added.empty()) text += " adds " + owners_text(change.added) + ";";
  return text + " the threshold becomes " + std::to_string(change.threshold);
}

std::string call_text(const Address& multisig, const multisig::Call& call) {
  if (call.to == multisig)
    if (const auto change = multisig::read_self_call(call.data)) return self_call_text(*change);
  static const auto transfer = core::parse_abi_function("transfer(address,uint256)").value();
  // Value beside a transfer is unusual enough to be shown as what it is.
  if (const auto values = transfer.decode(call.data); values && call.value.is_zero())
    return core::format_decimal((*values)[1].word()) + " base units of token " + core::format_address(call.to) +
           " to " + core::format_address((*values)[0].address());
  std::string text = ether_text(call.value) + " to " + core::format_address(call.to);
  // All of it: what an owner did not see is what somebody hides.
  if (!call.data.empty()) text += " with call data " + core::to_hex(call.data);
  return text;
}

std::string proposer_text(const multisig::MultisigState& state, const Bytes32& proposer) {
  for (const Bytes& owner : state.owners)
    if (multisig::owner_id(owner) == proposer) return owner_text(owner);
  return "somebody who is no owner any more";
}

std::string voters_text(const multisig::MultisigState& state, const ProposalState& proposal, Vote vote) {
  std::vector<Bytes> voters;
  for (std::size_t i = 0; i < proposal.votes.size(); i++)
    if (proposal.votes[i] == vote) voters.push_back(state.owners[i]);
  return owners_text(voters);
}

void say_open(const multisig::MultisigState& state, const ProposalState& proposal) {
  if (proposal.content) say(line("", "proposed by " + proposer_text(state, proposal.content->proposer)));
  if (proposal.approvals > 0) say(line("", "approved by " + voters_text(state, proposal, Vote::approved)));
  if (proposal.rejections > 0) say(line("", "rejected by " + voters_text(state, proposal, Vote::rejected)));
  // What is open ends later than the block that was asked, or the chain's server says nonsense.
  const std::string ends =
      "; it ends in " + span_text(proposal.last_second_s - std::min(proposal.last_second_s, state.time_s));
  if (proposal.approvals >= proposal.needed) {
    say(line("", "ready: `account multisig execute`, by anybody" + ends));
    return;
  }
  say(line("", std::to_string(proposal.needed - proposal.approvals) + " more of " + std::to_string(proposal.needed) +
                   " approvals are missing" + ends));
}

const char* closed_text(Status status) {
  switch (status) {
    case Status::executed:
      return "executed";
    case Status::cancelled:
      return "cancelled";
    case Status::expired:
      return "expired";
    default:
      return "unknown to the contract";
  }
}

}  // namespace

wallet::Result<Bytes> read_owner(const std::string& text) {
  if (const auto address = core::parse_address(text)) return multisig::address_owner(*address);
  const auto bytes = core::parse_hex(text);
  // Forty digits are an address with a wrong checksum: what a copying mistake looks like.
  if (!bytes || bytes->size() <= multisig::kAddressOwnerBytes)
    return fail(ErrorCode::argument, text + " is no owner: write an address, or verifier and key in hex");
  return *bytes;
}

std::string owner_text(core::ByteView owner) {
  const core::ByteView head = owner.first(std::min<std::size_t>(multisig::kAddressOwnerBytes, owner.size()));
  if (head.size() < multisig::kAddressOwnerBytes) return core::to_hex(owner);
  Address address{};
  base::copy(address, head);
  if (owner.size() == head.size()) return core::format_address(address);
  return "key " + core::to_hex(owner.subspan(head.size())) + " of verifier " + core::format_address(address);
}

std::vector<std::string> calls_text(const Address& multisig, const std::vector<multisig::Call>& calls) {
  std::vector<std::string> lines;
  for (const multisig::Call& call : calls) lines.push_back(call_text(multisig, call));
  return lines;
}

void say_multisig(const multisig::MultisigState& state, const Address& multisig,
                  const std::vector<ProposalState>& proposals, bool closed) {
  say(line("balance", ether_text(state.balance)));
  say(line("threshold", std::to_string(state.threshold) + " of " + std::to_string(state.owners.size()) + " owners"));
  for (const Bytes& owner : state.owners) say(line("owner", owner_text(owner)));
  say(line("epoch", std::to_string(state.epoch)));
  for (const multisig::LimitState& limit : state.limits)
    say(line("limit", token_text(limit.token) + ": one owner alone spends " +
                          (limit.per_day.is_zero() ? std::string("nothing")
                                                   : amount_text(limit.token, limit.per_day) + " a day, " +
                                                         amount_text(limit.token, limit.left_today) + " left today")));
  bool any = false;
  for (const ProposalState& proposal : proposals) {
    if (proposal.status != Status::open && !closed) continue;
    any = true;
    say(line("proposal", core::to_hex(proposal.id)));
    if (!proposal.content)
      say(line("", "the chain's server shows content that is not this proposal's: do not vote on it"));
    else
      for (const std::string& text : calls_text(multisig, proposal.content->calls)) say(line("", text));
    if (proposal.status == Status::open)
      say_open(state, proposal);
    else
      say(line("", closed_text(proposal.status)));
  }
  if (!any) say(line("proposals", closed ? "none" : "none open"));
}

wallet::Error multisig_error(const multisig::Error& error) {
  switch (error.code) {
    case multisig::ErrorCode::chain_failed:
    case multisig::ErrorCode::unreadable:
      return {ErrorCode::chain, error.text()};
    default:
      return {ErrorCode::argument, error.text()};
  }
}

}  // namespace community::node
