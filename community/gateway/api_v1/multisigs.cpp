// SPDX-License-Identifier: Apache-2.0
// /multisigs: the person's list of multisigs, and what the chain says of each.
#include "community/multisigs/api/multisigs.hpp"

#include "community/gateway/api_v1/resources.hpp"
#include "community/gateway/api_v1/transaction_json.hpp"
#include "community/gateway/api_v1/transaction_reader.hpp"

namespace community::gateway::api_v1 {
namespace {

using core::Address;
using multisigs::ErrorCode;
using multisigs::Multisigs;

constexpr ProblemRule<ErrorCode> kRules[] = {
    {ErrorCode::field_invalid, 400, "A member of the request is not what it has to be."},
    {ErrorCode::not_found, 404, "There is no such thing."},
    {ErrorCode::chain_unknown, 404, "The node does not serve this chain."},
    {ErrorCode::init_data_invalid, 400, "The factory makes no such multisig."},
    {ErrorCode::not_deployed, 409, "Nothing is at this address."},
    {ErrorCode::not_a_multisig, 409, "Something else is at this address."},
    {ErrorCode::already_kept, 409, "The person's list has it."},
    {ErrorCode::too_many_multisigs, 409, "The person keeps as many as one may."},
    {ErrorCode::chain_unavailable, 503, "The chain is away or busy; try again."},
    {ErrorCode::database_unavailable, 503, "The database is away or busy; try again."},
};
static_assert(rules_without_row(kRules) == 0);

tl::unexpected<Problem> refuse(const multisigs::Error& error) { return tl::unexpected(problem_of(error, kRules)); }

json::value token_or_null(const Address& token) {
  if (base::is_zero(token)) return nullptr;
  return json::value(core::format_address(token));
}
std::string time_of_seconds(std::uint64_t seconds) { return format_time(static_cast<std::int64_t>(seconds) * 1'000); }

// --- output ----------------------------------------------------------------------------------------------------------

json::object to_json(const multisigs::KeptMultisig& entry) {
  json::object out;
  out["multisigId"] = entry.multisig_id;
  out["chainId"] = entry.chain_id;
  out["address"] = core::format_address(entry.address);
  out["name"] = text_or_null(entry.name);
  out["initData"] = entry.init_data.empty() ? json::value(nullptr) : json::value(core::to_hex(entry.init_data));
  out["createdAt"] = format_time(entry.created_ms);
  return out;
}

// An owner that is an address has one; a verifier with a key has none.
json::value address_of(const core::Bytes& signer) {
  if (signer.size() != multisig::kAddressOwnerBytes) return nullptr;
  Address address{};
  std::copy(signer.begin(), signer.end(), address.begin());
  return json::value(core::format_address(address));
}

json::object to_json(const multisigs::Owner& owner) {
  json::object out;
  out["signer"] = core::to_hex(owner.signer);
  out["address"] = address_of(owner.signer);
  out["walletId"] = text_or_null(owner.wallet_id);
  out["passkeyId"] = text_or_null(owner.passkey_id);
  return out;
}

json::object to_json(const multisig::LimitState& limit) {
  json::object out;
  out["token"] = token_or_null(limit.token);
  out["perDay"] = core::format_decimal(limit.per_day);
  out["spentToday"] = core::format_decimal(limit.spent_today);
  out["leftToday"] = core::format_decimal(limit.left_today);
  return out;
}

json::object to_json(const multisig::Call& call) {
  json::object out;
  out["to"] = core::format_address(call.to);
  out["value"] = core::format_decimal(call.value);
  out["data"] = core::to_hex(call.data);
  return out;
}

json::array signers_json(const std::vector<core::Bytes>& signers) {
  json::array out;
  for (const core::Bytes& signer : signers) out.emplace_back(core::to_hex(signer));
  return out;
}

json::object to_json(const multisig::SelfCall& call) {
  json::object out;
  if (const auto* change = std::get_if<multisig::ChangeOwners>(&call)) {
    out["kind"] = "changeOwners";
    out["removed"] = signers_json(change->removed);
    out["added"] = signers_json(change->added);
    out["threshold"] = change->threshold;
  } else {
    const auto& limit = std::get<multisig::SetDailyLimit>(call);
    out["kind"] = "setDailyLimit";
    out["token"] = token_or_null(limit.token);
    out["perDay"] = core::format_decimal(limit.per_day);
  }
  return out;
}

template <class List>
json::array list_of(const List& list) {
  json::array out;
  for (const auto& one : list) out.push_back(to_json(one));
  return out;
}

json::object content_json(const multisig::Proposal& content) {
  json::object out;
  out["proposer"] = core::to_hex(content.proposer);
  out["calls"] = list_of(content.calls);
  out["salt"] = core::format_decimal(content.salt);
  out["expiry"] = content.expiry_s;
  return out;
}

json::object to_json(const multisigs::Proposal& proposal) {
  static constexpr const char* kStatus[] = {"unknown", "open", "executed", "cancelled", "expired"};
  static constexpr const char* kVotes[] = {"none", "approved", "rejected"};
  static constexpr const char* kContent[] = {"there", "unreadable", "left-out"};
  const multisig::ProposalState& on_chain = proposal.on_chain;
  json::object out;
  out["proposalId"] = core::to_hex(on_chain.id);
  out["status"] = kStatus[static_cast<std::size_t>(on_chain.status)];
  out["openUntil"] = time_of_seconds(on_chain.last_second_s);
  out["needed"] = on_chain.needed;
  out["approvals"] = on_chain.approvals;
  out["rejections"] = on_chain.rejections;
  json::array votes;
  for (const multisig::Vote vote : on_chain.votes) votes.emplace_back(kVotes[static_cast<std::size_t>(vote)]);
  out["votes"] = std::move(votes);
  out["contentState"] = kContent[static_cast<std::size_t>(proposal.content)];
  out["content"] = on_chain.content ? json::value(content_json(*on_chain.content)) : json::value(nullptr);
  out["summary"] = proposal.summary;
  out["warnings"] = proposal.warnings;
  out["selfCall"] = proposal.self_call ? json::value(to_json(*proposal.self_call)) : json::value(nullptr);
  return out;
}

json::object to_json(const multisigs::MultisigState& state) {
  json::object out = to_json(state.entry);
  out["blockNumber"] = state.block_number;
  out["blockTime"] = time_of_seconds(state.block_time_s);
  out["isDeployed"] = state.deployed;
  out["balance"] = core::format_decimal(state.balance);
  out["epoch"] = state.epoch;
  out["threshold"] = state.threshold;
  out["owners"] = list_of(state.owners);
  out["limits"] = list_of(state.limits);
  json::array tokens;
  for (const transactions::TokenBalance& token : state.tokens) tokens.push_back(api_v1::to_json(token));
  out["tokens"] = std::move(tokens);
  json::array proposals;
  for (const multisigs::Proposal& proposal : state.proposals) proposals.push_back(to_json(proposal));
  out["proposals"] = std::move(proposals);
  out["proposalsFromBlock"] = state.proposals_from_block;
  out["hasMoreProposals"] = state.has_more;
  return out;
}

// --- input -----------------------------------------------------------------------------------------------------------

// The array in a member, or null when it is none of 0 to `most` values.
const json::array* read_list(JsonReader& in, std::string_view member, std::size_t most) {
  const json::value* list = in.required(member);
  if (list == nullptr) return nullptr;
  if (list->is_array() && list->get_array().size() <= most) return &list->get_array();
  in.refuse(member, "a list of at most " + std::to_string(most) + " is expected");
  return nullptr;
}

std::uint8_t read_threshold(JsonReader& in) {
  const json::value* value = in.required("threshold");
  if (value == nullptr) return 0;
  if (value->is_int64() && value->get_int64() >= 1 &&
      value->get_int64() <= static_cast<std::int64_t>(multisig::kMaxOwners))
    return static_cast<std::uint8_t>(value->get_int64());
  in.refuse("threshold", "a number from 1 to 32 is expected");
  return 0;
}

std::vector<core::Bytes> read_owners(JsonReader& in) {
  std::vector<core::Bytes> owners;
  const json::array* list = read_list(in, "owners", multisig::kMaxOwners);
  if (list == nullptr) return owners;
  for (const json::value& one : *list) {
    const std::string_view text = one.is_string() ? std::string_view(one.get_string()) : std::string_view();
    auto signer = core::parse_hex(text, core::HexPrefix::required, multisig::kMaxOwnerBytes);
    if (!signer) {
      in.refuse("owners", "a list of signers in hexadecimal with 0x is expected, each of 20 to 512 bytes");
      return owners;
    }
    owners.push_back(std::move(*signer));
  }
  return owners;
}

std::vector<multisig::LimitRow> read_limits(JsonReader& in) {
  std::vector<multisig::LimitRow> limits;
  const json::array* list = read_list(in, "limits", multisig::kMaxLimits);
  if (list == nullptr) return limits;
  for (std::size_t i = 0; i < list->size(); i++) {
    if (!(*list)[i].is_object()) {
      in.refuse("limits", "a list of limits is expected");
      return limits;
    }
    JsonReader row((*list)[i].get_object(), JsonReader::Unknown::refused,
                   in.pointer("limits") + "/" + std::to_string(i));
    multisig::LimitRow limit;
    limit.token = read_token(row, "token");
    limit.per_day = read_amount(row, "perDay");
    // The contract's field has 112 bits, and takes what is above as that: the address would say something else.
    if (limit.per_day.bit_length() > 112) row.refuse("perDay", "less than 2^112 is expected");
    limits.push_back(limit);
    in.take(row);
  }
  return limits;
}

multisigs::KeepRequest read_keep_request(JsonReader& in) {
  multisigs::KeepRequest request;
  request.chain_id = read_chain_id(in);
  request.name = in.nullable_text("name").value_or("");
  const json::object* init = in.optional_object("init");
  if (init == nullptr) {
    request.what = in.address("address");
    return request;
  }
  JsonReader members(*init, JsonReader::Unknown::refused, in.pointer("init"));
  multisigs::NewMultisig wanted;
  wanted.owners = read_owners(members);
  wanted.threshold = read_threshold(members);
  wanted.limits = read_limits(members);
  wanted.salt = read_amount(members, "salt");
  in.take(members);
  request.what = std::move(wanted);
  return request;
}

// --- routes ----------------------------------------------------------------------------------------------------------

Task<Result<HttpResponse>> list(Multisigs& multisigs, Call& call) {
  const auto kept = co_await multisigs.list(user_of(call));
  if (!kept) co_return refuse(kept.error());
  json::object out;
  out["multisigs"] = list_of(*kept);
  co_return answer_json(200, out);
}

Task<Result<HttpResponse>> keep(Multisigs& multisigs, Call& call) {
  JsonReader in(call.body, JsonReader::Unknown::refused);
  multisigs::KeepRequest request = read_keep_request(in);
  if (auto wrong = in.finish()) co_return tl::unexpected(*wrong);
  const auto kept = co_await multisigs.keep(user_of(call), std::move(request));
  if (!kept) co_return refuse(kept.error());
  co_return answer_json(201, to_json(*kept));
}

Task<Result<HttpResponse>> get_state(Multisigs& multisigs, Call& call) {
  multisigs::StateQuery query;
  if (const auto text = call.request.query_value("token")) {
    auto tokens = read_addresses(*text);
    if (!tokens) co_return tl::unexpected(malformed_request("token is a list of 1 to 32 addresses with commas"));
    query.tokens = std::move(*tokens);
  }
  if (const auto text = call.request.query_value("proposal")) {
    const auto id = core::parse_bytes32(*text);
    if (!id) co_return tl::unexpected(malformed_request("proposal is 0x and 64 hexadecimal digits"));
    query.proposal = *id;
  }
  const auto state = co_await multisigs.state(user_of(call), call.id(), std::move(query));
  if (!state) co_return refuse(state.error());
  co_return answer_json(200, to_json(*state));
}

Task<Result<HttpResponse>> rename(Multisigs& multisigs, Call& call) {
  JsonReader in(call.body, JsonReader::Unknown::refused);
  std::string name;
  if (in.required("name") != nullptr) name = in.nullable_text("name").value_or("");
  if (auto wrong = in.finish()) co_return tl::unexpected(*wrong);
  const auto renamed = co_await multisigs.rename(user_of(call), call.id(), std::move(name));
  if (!renamed) co_return refuse(renamed.error());
  co_return answer_json(200, to_json(*renamed));
}

Task<Result<HttpResponse>> forget(Multisigs& multisigs, Call& call) {
  const auto forgotten = co_await multisigs.forget(user_of(call), call.id());
  if (!forgotten) co_return refuse(forgotten.error());
  co_return no_content();
}

}  // namespace

void add_multisigs(Api& api, infra::HttpRouter& router, Multisigs& multisigs) {
  using Handler = Task<Result<HttpResponse>> (*)(Multisigs&, Call&);
  const auto add = [&](const char* method, const char* pattern, Handler handler) {
    api.add(router, method, pattern, Access::person, Cost::request,
            [&multisigs, handler](Call& call) { return handler(multisigs, call); });
  };
  add("GET", "/api/v1/multisigs", list);
  add("POST", "/api/v1/multisigs", keep);
  add("GET", "/api/v1/multisigs/{multisigId}", get_state);
  add("PATCH", "/api/v1/multisigs/{multisigId}", rename);
  add("DELETE", "/api/v1/multisigs/{multisigId}", forget);
}

}  // namespace community::gateway::api_v1
