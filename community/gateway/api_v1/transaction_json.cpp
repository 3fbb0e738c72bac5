// SPDX-License-Identifier: Apache-2.0
#include "community/gateway/api_v1/transaction_json.hpp"

#include "community/core/base64url.hpp"
#include "community/gateway/api_v1/to_json.hpp"
#include "community/transactions/api/eoa_json.hpp"

namespace community::gateway::api_v1 {
namespace {

using core::Address;
using core::Uint256;

std::string decimal(const Uint256& value) { return core::format_decimal(value); }

json::value hash_or_null(const std::optional<core::Bytes32>& hash) {
  if (!hash) return nullptr;
  return json::value(core::to_hex(*hash));
}
json::value token_or_null(const Address& token) {
  if (base::is_zero(token)) return nullptr;
  return json::value(core::format_address(token));
}
std::string time_of_seconds(std::uint64_t seconds) { return format_time(static_cast<std::int64_t>(seconds) * 1'000); }

// "lower_limit" as "lowerLimit".
std::string camel(std::string_view word) {
  std::string out;
  for (std::size_t i = 0; i < word.size(); i++)
    out += word[i] == '_' && i + 1 < word.size() ? static_cast<char>(word[++i] - 'a' + 'A') : word[i];
  return out;
}

void add_content(const transactions::Transaction& t, json::object& out) {
  out["userOperation"] = out["entryPoint"] = out["typedData"] = nullptr;
  const bool needs_vote = t.digest && !transactions::is_brought_unsigned(t.kind);
  out["votesNeeded"] = needs_vote ? 1 : 0;
  out["votesGiven"] = needs_vote && t.signed_ms != 0 ? 1 : 0;
  out["escapeKeyMayVote"] = false;
  if (const auto* operation = std::get_if<transactions::PreparedOperation>(&t.content)) {
    json::object userop = core::to_json(operation->userop);
    userop.erase("signature");
    out["userOperation"] = std::move(userop);
    out["entryPoint"] = core::format_address(operation->entry_point);
  }
  if (const auto* action = std::get_if<transactions::PreparedAction>(&t.content)) {
    out["typedData"] = accounts::action_typed_data({t.chain_id, t.account}, action->action, action->stamp);
    out["votesNeeded"] = action->votes_needed;
    out["votesGiven"] = action->votes_given;
    out["escapeKeyMayVote"] = transactions::may_escape_key_vote(t);
  }
}

json::object key_json(std::uint64_t chain_id, transactions::PhraseKey key) {
  json::object out;
  out["account"] = key.account;
  out["index"] = key.index;
  out["path"] = transactions::derivation_path(chain_id, key);
  return out;
}

json::object message_json(const transactions::Transaction& t, const transactions::PreparedMessage& message) {
  json::object out;
  out["by"] = message.key ? "phrase" : "account";
  out["signer"] = core::format_address(message.signer);
  out["key"] = message.key ? json::value(key_json(t.chain_id, *message.key)) : json::value(nullptr);
  out["personal"] = message.personal ? json::value(core::to_hex(*message.personal)) : json::value(nullptr);
  out["document"] = message.personal ? json::value(nullptr) : json::value(message.document);
  out["hash"] = core::to_hex(message.hash);
  out["domainSeparator"] = core::to_hex(message.domain_separator);
  out["members"] = message.members;
  out["showsAll"] = message.shows_all;
  out["signature"] = message.signature.empty() ? json::value(nullptr) : json::value(core::to_hex(message.signature));
  return out;
}

// What nothing on chain comes of.
void add_answered(const transactions::Transaction& t, json::object& out) {
  out["message"] = out["phrase"] = out["phraseExport"] = out["eoa"] = nullptr;
  if (const auto* eoa = std::get_if<transactions::PreparedEoa>(&t.content)) {
    json::object one = transactions::eoa_json(*eoa);
    one["key"] = key_json(t.chain_id, eoa->key);
    out["eoa"] = std::move(one);
  }
  if (const auto* message = std::get_if<transactions::PreparedMessage>(&t.content)) {
    out["message"] = message_json(t, *message);
    // Of a key's personal message the digest is the message's own.
    if (!message->nested.empty()) out["typedData"] = message->nested;
    if (message->key && !message->personal) out["typedData"] = message->document;
  }
  if (const auto* phrase = std::get_if<transactions::PreparedPhrase>(&t.content)) {
    json::object one;
    one["words"] = phrase->words;
    one["revision"] = phrase->revision;
    out["phrase"] = std::move(one);
  }
  if (const auto* leaving = std::get_if<transactions::PreparedExport>(&t.content)) {
    json::object one;
    one["recipient"] = core::to_hex(leaving->recipient);
    one["enc"] = leaving->enc.empty() ? json::value(nullptr) : json::value(core::to_hex(leaving->enc));
    one["cipher"] = leaving->cipher.empty() ? json::value(nullptr) : json::value(core::to_hex(leaving->cipher));
    out["phraseExport"] = std::move(one);
  }
}

void add_outcome(const transactions::Transaction& t, json::object& out) {
  const bool in_block = t.block_number != 0;
  out["transactionHash"] = hash_or_null(t.transaction_hash);
  out["blockNumber"] = in_block ? json::value(t.block_number) : json::value(nullptr);
  out["actualCost"] =
      in_block && t.payer != transactions::Payer::node ? json::value(decimal(t.actual_cost)) : json::value(nullptr);
  out["reason"] = text_or_null(t.reason);
  out["replaces"] = text_or_null(t.replaces);
  out["replacedBy"] = text_or_null(t.replaced_by);
}

json::object to_json(const transactions::AccountPasskey& passkey) {
  json::object out;
  out["slot"] = passkey.on_chain.slot;
  out["publicKey"] = core::to_hex(passkey.on_chain.key.public_key);
  out["rpIdHash"] = core::to_hex(passkey.on_chain.key.rp_id_hash);
  out["passkeyId"] = text_or_null(passkey.passkey_id);
  out["name"] = text_or_null(passkey.name);
  return out;
}

json::object to_json(const transactions::WaitingItem& waiting, const accounts::AccountOnChain& where) {
  json::object out;
  out["item"] = core::to_hex(waiting.item.id);
  static constexpr std::string_view kKinds[] = {"none",   "done",    "unfreeze", "changeKeys", "changeRules",
                                                "escape", "recover", "upgrade",  "queued"};
  const auto kind = static_cast<std::size_t>(waiting.item.kind);
  out["kind"] = kind < std::size(kKinds) ? kKinds[kind] : "none";
  json::array votes;
  for (int signer = 0; signer < 9; signer++)
    if (((waiting.item.votes >> signer) & 1) != 0) votes.emplace_back(signer);
  out["votes"] = std::move(votes);
  out["ageSeconds"] = waiting.item.age_s;
  out["delaySeconds"] = waiting.item.delay_s;
  out["isReady"] = waiting.item.age_s >= waiting.item.delay_s;
  out["isReadable"] = waiting.content.has_value();
  out["summary"] = waiting.summary;
  out["typedData"] = nullptr;
  const auto* started = waiting.content ? std::get_if<accounts::StartedAction>(&*waiting.content) : nullptr;
  if (started != nullptr) out["typedData"] = accounts::action_typed_data(where, started->action, started->stamp);
  return out;
}

json::object to_json(const transactions::GrantState& grant) {
  json::object out;
  out["grantId"] = core::to_hex(grant.id);
  out["valueLeft"] = decimal(grant.value_left);
  out["target"] = out["validAfter"] = out["validUntil"] = nullptr;
  json::array selectors;
  if (grant.content) {
    out["target"] = core::format_address(grant.content->target);
    out["validAfter"] = time_of_seconds(grant.content->valid_after_s);
    out["validUntil"] = time_of_seconds(grant.content->valid_until_s);
    for (const auto& selector : grant.content->selectors) selectors.emplace_back(core::to_hex(selector));
  }
  out["selectors"] = std::move(selectors);
  return out;
}

json::object to_json(const transactions::Lane& lane) {
  json::object out;
  out["key"] = lane.key;
  out["next"] = lane.next;
  json::array places;
  for (const transactions::Lane::Place& place : lane.places) {
    json::object one;
    one["transactionId"] = place.transaction_id;
    one["sequence"] = place.sequence;
    one["missing"] = place.missing;
    places.push_back(std::move(one));
  }
  out["transactions"] = std::move(places);
  return out;
}

json::array limits_json(const std::vector<accounts::LimitState>& limits) {
  json::array out;
  for (const accounts::LimitState& limit : limits) {
    json::object one;
    one["token"] = token_or_null(limit.token);
    one["isListed"] = limit.listed;
    one["perDay"] = decimal(limit.per_day);
    one["spentToday"] = decimal(limit.spent_today);
    out.push_back(std::move(one));
  }
  return out;
}

template <class List, class... More>
json::array list_of(const List& list, const More&... more) {
  json::array out;
  for (const auto& one : list) out.push_back(to_json(one, more...));
  return out;
}

void add_account(const accounts::AccountState& state, std::uint64_t block_time_s, json::object& out) {
  out["isDeployed"] = state.deployed;
  out["balance"] = decimal(state.balance);
  const bool frozen = state.frozen_until_s > block_time_s;
  out["isFrozen"] = frozen;
  out["frozenUntil"] = frozen && state.frozen_until_s != accounts::kFrozenForever
                           ? json::value(time_of_seconds(state.frozen_until_s))
                           : json::value(nullptr);
  out["serverKey"] = core::format_address(state.server_key);
  out["escapeKey"] = core::format_address(state.escape_key);
  out["keyEpoch"] = state.key_epoch;
  out["guardiansHash"] = core::to_hex(state.guardians_hash);
  out["guardianThreshold"] = state.guardian_threshold;
  out["recoveryDelaySeconds"] = state.recovery_delay_s;
  out["isStrict"] = state.strict;
  out["unlistedTokensAllowed"] = state.unlisted_tokens;
  out["gasCap"] = decimal(state.gas_cap);
  out["limits"] = limits_json(state.limits);
}

}  // namespace

json::object to_json(const transactions::TokenBalance& token) {
  json::object out;
  out["address"] = core::format_address(token.token);
  out["symbol"] = text_or_null(token.symbol);
  out["decimals"] = token.decimals ? json::value(*token.decimals) : json::value(nullptr);
  out["standard"] = text_or_null(token.standard);
  out["balance"] = token.balance ? json::value(decimal(*token.balance)) : json::value(nullptr);
  return out;
}

json::object to_json(const transactions::Transaction& t) {
  json::object out;
  out["transactionId"] = t.transaction_id;
  out["sequence"] = t.sequence;
  out["walletId"] = t.wallet_id;
  out["address"] = core::format_address(t.account);
  out["chainId"] = t.chain_id;
  out["kind"] = camel(name(t.kind));
  out["state"] = transactions::name(t.state);
  out["digest"] = hash_or_null(t.digest);
  json::array credentials;
  for (const core::Bytes& id : t.credential_ids) {
    json::object one;
    one["type"] = "public-key";
    one["id"] = core::to_base64url(id);
    credentials.push_back(std::move(one));
  }
  out["allowCredentials"] = std::move(credentials);
  out["payer"] = transactions::name(t.payer);
  out["sponsor"] = text_or_null(t.sponsor_name);
  out["payerReason"] = text_or_null(t.payer_reason);
  out["maxCost"] = decimal(t.max_cost);
  out["value"] = decimal(t.value);
  out["summary"] = t.summary;
  out["warnings"] = t.warnings;
  out["createdAt"] = format_time(t.created_ms);
  out["updatedAt"] = format_time(t.updated_ms);
  out["expiresAt"] = format_time(t.expires_ms);
  out["signedAt"] = t.signed_ms == 0 ? json::value(nullptr) : json::value(format_time(t.signed_ms));
  add_content(t, out);
  add_answered(t, out);
  add_outcome(t, out);
  return out;
}

json::object to_json(const transactions::DerivedAddress& derived) {
  json::object out;
  out["path"] = derived.path;
  out["account"] = derived.key.account;
  out["index"] = derived.key.index;
  out["address"] = derived.address ? json::value(core::format_address(*derived.address)) : json::value(nullptr);
  out["balance"] = decimal(derived.balance);
  out["nonce"] = derived.nonce;
  return out;
}

json::object to_json(const transactions::WalletState& state) {
  json::object out;
  out["walletId"] = state.wallet_id;
  out["chainId"] = state.chain_id;
  out["address"] = core::format_address(state.account);
  out["blockNumber"] = state.block_number;
  out["blockTime"] = time_of_seconds(state.block_time_s);
  add_account(state.state, state.block_time_s, out);
  out["passkeys"] = list_of(state.passkeys);
  json::array tokens;
  for (const transactions::TokenBalance& token : state.tokens) tokens.push_back(to_json(token));
  out["tokens"] = std::move(tokens);
  out["waiting"] = list_of(state.waiting, accounts::AccountOnChain{state.chain_id, state.account});
  out["grants"] = list_of(state.grants);
  out["lanes"] = list_of(state.lanes);
  out["isElsewhere"] = state.is_elsewhere;
  out["movedAt"] = state.moved_at_s == 0 ? json::value(nullptr) : json::value(time_of_seconds(state.moved_at_s));
  return out;
}

json::object waiting_json(const transactions::WaitingItem& waiting, const accounts::AccountOnChain& where) {
  return to_json(waiting, where);
}

}  // namespace community::gateway::api_v1
