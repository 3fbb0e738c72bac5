// SPDX-License-Identifier: Apache-2.0
// What a row keeps as JSON: read back by this program alone, so that a member more needs no migration.
#include "community/accounts/api/messages.hpp"
#include "community/transactions/service.hpp"

namespace community::transactions {
namespace {

namespace json = core::json;

template <class List, class Make>
json::array array_of(const List& list, Make make) {
  json::array out;
  for (const auto& one : list) out.push_back(json::value(make(one)));
  return out;
}

std::string digits(ByteView bytes) { return core::to_hex(bytes); }

json::object action_json(const PreparedAction& prepared, const PlainFields& fields) {
  json::object out;
  out["votes"] = fields.votes;
  out["hash"] = digits(fields.hash);
  out["subject"] = digits(fields.subject);
  out["amount"] = core::format_decimal(fields.amount);
  out["selector"] = digits(fields.selector);
  out["keyEpoch"] = prepared.stamp.key_epoch;
  out["nonce"] = digits(prepared.stamp.nonce.to_be());
  out["deadline"] = prepared.stamp.deadline_s;
  out["votesNeeded"] = prepared.votes_needed;
  if (prepared.escape_key) out["escapeKey"] = digits(*prepared.escape_key);
  return out;
}

// Changes of keys and rules have lists in them: kept as the call that starts them, without signatures.
json::object started_json(const PreparedAction& prepared) {
  json::object out;
  const auto call = accounts::encode_action(prepared.action, prepared.stamp, {});
  if (call) out["call"] = digits(*call);
  out["votesNeeded"] = prepared.votes_needed;
  if (prepared.escape_key) out["escapeKey"] = digits(*prepared.escape_key);
  return out;
}

json::object plan_json(const KeyPlan& plan) {
  const auto passkey = [](const KeyPlan::Passkey& one) {
    json::object out;
    out["passkeyId"] = one.passkey_id;
    out["credentialId"] = digits(one.credential_id);
    return out;
  };
  json::object out;
  out["added"] = array_of(plan.added, passkey);
  out["removed"] = array_of(plan.removed, passkey);
  out["retired"] = array_of(plan.retired, [](const std::string& id) { return json::string(id); });
  if (plan.own_server_key) out["ownServerKey"] = *plan.own_server_key;
  return out;
}

json::object request_json(const SignRequest& request) {
  json::object out;
  out["digest"] = digits(request.digest);
  out["credentialId"] = digits(request.credential_id);
  out["clientData"] = digits(request.client_data);
  out["authenticatorData"] = digits(request.authenticator_data);
  out["signature"] = digits(request.signature);
  if (!request.escape_signature.empty()) out["escapeSignature"] = digits(request.escape_signature);
  return out;
}

template <std::size_t N>
bool take(const json::object& object, std::string_view key, std::array<std::uint8_t, N>& out) {
  const auto text = core::string_member(object, key);
  const auto bytes = text ? core::parse_hex_array<N>(*text) : core::parse_hex_array<N>("");
  if (bytes) out = *bytes;
  return bytes.has_value();
}
bool take(const json::object& object, std::string_view key, Bytes& out) {
  auto bytes = core::bytes_member(object, key);
  if (bytes) out = std::move(*bytes);
  return bytes.has_value();
}
template <class Number>
bool take_number(const json::object& object, std::string_view key, Number& out) {
  const auto number = core::number_member(object, key);
  const auto small = number ? number->to_u64() : std::nullopt;
  if (small) out = static_cast<Number>(*small);
  return small.has_value();
}
const json::array* array_in(const json::object& object, std::string_view key) {
  const json::value* value = core::find_member(object, key);
  return value == nullptr ? nullptr : value->if_array();
}

// False when there is an escape key that is none.
bool read_voters(const json::object& object, const Stored& row, PreparedAction& prepared) {
  prepared.votes_given = static_cast<std::uint8_t>(row.votes.size());
  for (const accounts::ActionSignature& vote : row.votes)
    if (vote.signer == accounts::kEscapeSigner) prepared.escape_key_voted = true;
  Address escape_key{};
  if (!object.contains("escapeKey")) return true;
  if (!take(object, "escapeKey", escape_key)) return false;
  prepared.escape_key = escape_key;
  return true;
}

bool read_started(const json::object& object, ByteView call, Stored& row) {
  auto read = accounts::read_started_item(call);
  auto* started = read ? std::get_if<accounts::StartedAction>(&*read) : nullptr;
  PreparedAction prepared;
  if (started == nullptr || !take_number(object, "votesNeeded", prepared.votes_needed) ||
      !read_voters(object, row, prepared))
    return false;
  prepared.action = std::move(started->action);
  prepared.stamp = started->stamp;
  row.transaction.content = std::move(prepared);
  return true;
}

bool read_plan_passkeys(const json::object& object, std::string_view key, std::vector<KeyPlan::Passkey>& out) {
  const json::array* list = array_in(object, key);
  if (list == nullptr) return false;
  for (const json::value& value : *list) {
    KeyPlan::Passkey one;
    if (!value.is_object()) return false;
    const auto id = core::string_member(value.get_object(), "passkeyId");
    if (!id || !take(value.get_object(), "credentialId", one.credential_id)) return false;
    one.passkey_id = *id;
    out.push_back(std::move(one));
  }
  return true;
}

bool read_plan(const json::object& object, Stored& row) {
  KeyPlan plan;
  const json::array* retired = array_in(object, "retired");
  if (retired == nullptr || !read_plan_passkeys(object, "added", plan.added) ||
      !read_plan_passkeys(object, "removed", plan.removed))
    return false;
  for (const json::value& one : *retired)
    if (one.is_string()) plan.retired.emplace_back(one.get_string());
  std::uint32_t index = 0;
  if (take_number(object, "ownServerKey", index)) plan.own_server_key = index;
  row.plan = std::move(plan);
  return true;
}

bool read_request(const json::object& object, std::optional<SignRequest>& out) {
  SignRequest request;
  const bool whole = take(object, "digest", request.digest) && take(object, "credentialId", request.credential_id) &&
                     take(object, "clientData", request.client_data) &&
                     take(object, "authenticatorData", request.authenticator_data) &&
                     take(object, "signature", request.signature);
  const bool has_escape = object.contains("escapeSignature");
  if (!whole || (has_escape && !take(object, "escapeSignature", request.escape_signature))) return false;
  out = std::move(request);
  return true;
}

bool read_stored_grant(const json::object& object, Stored& row) {
  StoredGrant grant;
  auto content = read_grant_json(object);
  if (!content || !take(object, "id", grant.id)) return false;
  grant.grant = std::move(*content);
  row.grant = std::move(grant);
  return true;
}

bool read_action(const json::object& object, Stored& row) {
  Bytes call;
  if (take(object, "call", call)) return read_started(object, call, row);
  PlainFields fields;
  PreparedAction prepared;
  Bytes32 nonce{};
  const auto amount = core::number_member(object, "amount");
  if (!amount || !take_number(object, "votes", fields.votes) || !take(object, "hash", fields.hash) ||
      !take(object, "subject", fields.subject) || !take(object, "selector", fields.selector) ||
      !take(object, "nonce", nonce) || !take_number(object, "keyEpoch", prepared.stamp.key_epoch) ||
      !take_number(object, "deadline", prepared.stamp.deadline_s) ||
      !take_number(object, "votesNeeded", prepared.votes_needed) || !read_voters(object, row, prepared))
    return false;
  fields.amount = *amount;
  auto action = action_of(row.transaction.kind, fields);
  if (!action) return false;
  prepared.action = std::move(*action);
  prepared.stamp.nonce = Uint256::from_be(nonce);
  row.transaction.content = std::move(prepared);
  return true;
}

json::object key_json(PhraseKey key) {
  json::object out;
  out["account"] = key.account;
  out["index"] = key.index;
  return out;
}
bool read_key(const json::object& object, std::optional<PhraseKey>& out) {
  const auto member = core::object_member(object, "key");
  PhraseKey key;
  if (!member) return true;
  if (!take_number(**member, "account", key.account) || !take_number(**member, "index", key.index)) return false;
  out = key;
  return true;
}

// What follows from the rest is left out: the nested form and the lines that are shown.
json::object message_json(const PreparedMessage& message) {
  json::object out;
  if (message.key) out["key"] = key_json(*message.key);
  out["signer"] = digits(message.signer);
  if (message.personal) {
    out["personal"] = digits(*message.personal);
  } else {
    out["document"] = message.document;
  }
  out["hash"] = digits(message.hash);
  out["domainSeparator"] = digits(message.domain_separator);
  return out;
}
bool read_message(const json::object& object, Stored& row) {
  Transaction& t = row.transaction;
  PreparedMessage message;
  Bytes personal;
  if (!read_key(object, message.key) || !take(object, "signer", message.signer) ||
      !take(object, "hash", message.hash) || !take(object, "domainSeparator", message.domain_separator))
    return false;
  const auto document = core::object_member(object, "document");
  if (document) {
    message.document = **document;
  } else if (take(object, "personal", personal)) {
    message.personal = std::move(personal);
  } else {
    return false;
  }
  // Once it is signed the document says it all.
  if (t.signed_ms == 0) show_members(message);
  const accounts::AccountOnChain where{t.chain_id, t.account};
  if (t.signed_ms == 0 && !message.key)
    message.nested = message.personal ? accounts::nested_personal(where, *message.personal)
                                      : accounts::nested_typed_data(where, message.document);
  message.signature = row.submission;
  t.content = std::move(message);
  return true;
}

bool read_eoa(const json::object& object, Stored& row) {
  PreparedEoa prepared;
  std::optional<PhraseKey> key;
  Address remembered_by{};
  const auto transaction = core::object_member(object, "transaction");
  if (!read_key(object, key) || !key || !transaction || !take(object, "rememberedBy", remembered_by) ||
      !read_eoa_json(**transaction, row.transaction.chain_id, prepared.transaction))
    return false;
  prepared.key = *key;
  row.remembered_by = remembered_by;
  row.transaction.content = std::move(prepared);
  return true;
}
bool read_phrase(const json::object& object, Stored& row) {
  PreparedPhrase phrase;
  if (!take_number(object, "words", phrase.words) || !take_number(object, "revision", phrase.revision)) return false;
  row.transaction.content = phrase;
  return true;
}
bool read_export(const json::object& object, Stored& row) {
  PreparedExport prepared;
  if (!take(object, "recipient", prepared.recipient)) return false;
  row.transaction.content = std::move(prepared);
  return true;
}

bool read_operation(const json::object& content, const json::object& object, Stored& row) {
  auto userop = core::userop_from_json(object, core::UserOpParse::estimate);
  const auto entry_point = core::address_member(content, "entryPoint");
  if (!userop || !entry_point) return false;
  row.transaction.content = PreparedOperation{std::move(*userop), *entry_point};
  return true;
}

bool read_passkeys(const json::array& list, Stored& row) {
  for (const json::value& value : list) {
    accounts::ChainPasskey passkey;
    if (!value.is_object() || !take_number(value.get_object(), "slot", passkey.slot) ||
        !take(value.get_object(), "publicKey", passkey.key.public_key) ||
        !take(value.get_object(), "rpIdHash", passkey.key.rp_id_hash))
      return false;
    row.passkeys.push_back(passkey);
  }
  return true;
}

bool read_votes(const json::array& list, Stored& row) {
  for (const json::value& value : list) {
    accounts::ActionSignature vote;
    if (!value.is_object() || !take_number(value.get_object(), "signer", vote.signer) ||
        !take(value.get_object(), "data", vote.data))
      return false;
    row.votes.push_back(std::move(vote));
  }
  return true;
}

bool read_addresses(const json::object& content, std::string_view key, std::vector<Address>& out) {
  const json::array* list = array_in(content, key);
  if (list == nullptr) return false;
  for (const json::value& one : *list) {
    const auto address = one.is_string() ? core::parse_address(one.get_string()) : core::parse_address("");
    if (!address) return false;
    out.push_back(*address);
  }
  return true;
}

bool read_texts(const json::object& content, Stored& row) {
  Transaction& t = row.transaction;
  const json::array* summary = array_in(content, "summary");
  const json::array* warnings = array_in(content, "warnings");
  const json::array* credentials = array_in(content, "credentials");
  if (summary == nullptr || warnings == nullptr || credentials == nullptr) return false;
  t.summary = *summary;
  t.warnings = *warnings;
  for (const json::value& one : *credentials) {
    auto id = one.is_string() ? core::parse_hex(one.get_string()) : core::parse_hex("");
    if (!id) return false;
    t.credential_ids.push_back(std::move(*id));
  }
  return read_addresses(content, "recipients", row.recipients) &&
         read_addresses(content, "newRecipients", row.new_recipients);
}

}  // namespace

std::optional<accounts::Action> action_of(Kind kind, const PlainFields& fields) {
  switch (kind) {
    case Kind::freeze:
      return accounts::Freeze{};
    case Kind::unfreeze:
      return accounts::Unfreeze{fields.votes};
    case Kind::cancel:
      return accounts::Cancel{fields.hash};
    case Kind::lower_limit:
      return accounts::LowerLimit{fields.subject, fields.amount};
    case Kind::lower_gas_cap:
      return accounts::LowerGasCap{fields.amount};
    case Kind::revoke_grant:
      return accounts::RevokeGrant{fields.hash};
    case Kind::disallow_call:
      return accounts::DisallowCall{fields.subject, fields.selector};
    case Kind::unlist_domain:
      return accounts::UnlistDomain{fields.hash};
    default:
      break;
  }
  return std::nullopt;
}

std::optional<std::pair<Kind, PlainFields>> fields_of(const accounts::Action& action) {
  PlainFields fields;
  if (std::holds_alternative<accounts::Freeze>(action)) return std::pair(Kind::freeze, fields);
  if (const auto* unfreeze = std::get_if<accounts::Unfreeze>(&action)) {
    fields.votes = unfreeze->votes;
    return std::pair(Kind::unfreeze, fields);
  }
  if (const auto* cancel = std::get_if<accounts::Cancel>(&action)) {
    fields.hash = cancel->item;
    return std::pair(Kind::cancel, fields);
  }
  if (const auto* limit = std::get_if<accounts::LowerLimit>(&action)) {
    fields.subject = limit->token;
    fields.amount = limit->per_day;
    return std::pair(Kind::lower_limit, fields);
  }
  if (const auto* cap = std::get_if<accounts::LowerGasCap>(&action)) {
    fields.amount = cap->max_cost;
    return std::pair(Kind::lower_gas_cap, fields);
  }
  if (const auto* revoke = std::get_if<accounts::RevokeGrant>(&action)) {
    fields.hash = revoke->grant_id;
    return std::pair(Kind::revoke_grant, fields);
  }
  if (const auto* disallow = std::get_if<accounts::DisallowCall>(&action)) {
    fields.subject = disallow->target;
    fields.selector = disallow->selector;
    return std::pair(Kind::disallow_call, fields);
  }
  if (const auto* unlist = std::get_if<accounts::UnlistDomain>(&action)) {
    fields.hash = unlist->domain_separator;
    return std::pair(Kind::unlist_domain, fields);
  }
  return std::nullopt;
}

json::object content_json(const Stored& row) {
  const Transaction& t = row.transaction;
  json::object out;
  if (const auto* operation = std::get_if<PreparedOperation>(&t.content)) {
    out["userOperation"] = core::to_json(operation->userop);
    out["entryPoint"] = core::format_address(operation->entry_point);
  } else if (const auto* action = std::get_if<PreparedAction>(&t.content)) {
    const auto fields = fields_of(action->action);
    out["action"] = fields ? action_json(*action, fields->second) : started_json(*action);
  }
  if (const auto* message = std::get_if<PreparedMessage>(&t.content)) out["message"] = message_json(*message);
  if (const auto* eoa = std::get_if<PreparedEoa>(&t.content)) {
    json::object one;
    one["key"] = key_json(eoa->key);
    one["transaction"] = eoa_json(*eoa);
    one["rememberedBy"] = digits(row.remembered_by.value_or(t.account));
    out["eoa"] = std::move(one);
  }
  if (const auto* phrase = std::get_if<PreparedPhrase>(&t.content)) {
    json::object one;
    one["words"] = phrase->words;
    one["revision"] = phrase->revision;
    out["phrase"] = std::move(one);
  }
  if (const auto* exported = std::get_if<PreparedExport>(&t.content)) {
    json::object one;
    one["recipient"] = digits(exported->recipient);
    out["export"] = std::move(one);
  }
  out["passkeys"] = array_of(row.passkeys, [](const accounts::ChainPasskey& passkey) {
    json::object one;
    one["slot"] = passkey.slot;
    one["publicKey"] = digits(passkey.key.public_key);
    one["rpIdHash"] = digits(passkey.key.rp_id_hash);
    return one;
  });
  out["votes"] = array_of(row.votes, [](const accounts::ActionSignature& vote) {
    json::object one;
    one["signer"] = vote.signer;
    one["data"] = digits(vote.data);
    return one;
  });
  out["credentials"] = array_of(t.credential_ids, [](const Bytes& id) { return json::string(digits(id)); });
  const auto text = [](const Address& one) { return json::string(core::format_address(one)); };
  out["recipients"] = array_of(row.recipients, text);
  out["newRecipients"] = array_of(row.new_recipients, text);
  out["serverKeyIndex"] = row.server_key_index;
  out["startedBy"] = row.started_by;
  out["summary"] = t.summary;
  out["warnings"] = t.warnings;
  if (row.plan) out["plan"] = plan_json(*row.plan);
  if (row.asked) out["asked"] = request_json(*row.asked);
  if (row.assertion) out["assertion"] = request_json(*row.assertion);
  if (row.grant) {
    json::object grant = grant_json(row.grant->grant);
    grant["id"] = digits(row.grant->id);
    out["grant"] = std::move(grant);
  }
  if (row.told_inclusion) out["toldInclusion"] = true;
  if (row.told_failure) out["toldFailure"] = true;
  out["sponsorName"] = t.sponsor_name;
  out["payerReason"] = t.payer_reason;
  return out;
}

bool read_content(const json::object& content, Stored& row) {
  Transaction& t = row.transaction;
  const json::array* passkeys = array_in(content, "passkeys");
  const json::array* votes = array_in(content, "votes");
  const auto sponsor = core::string_member(content, "sponsorName");
  const auto reason = core::string_member(content, "payerReason");
  if (passkeys == nullptr || votes == nullptr || !sponsor || !reason) return false;
  if (!read_passkeys(*passkeys, row) || !read_votes(*votes, row) || !read_texts(content, row)) return false;
  if (!take_number(content, "serverKeyIndex", row.server_key_index) ||
      !take_number(content, "startedBy", row.started_by))
    return false;
  row.told_inclusion = content.contains("toldInclusion");
  row.told_failure = content.contains("toldFailure");
  if (const auto plan = core::object_member(content, "plan"); plan && !read_plan(**plan, row)) return false;
  if (const auto asked = core::object_member(content, "asked"); asked && !read_request(**asked, row.asked))
    return false;
  const auto assertion = core::object_member(content, "assertion");
  if (assertion && !read_request(**assertion, row.assertion)) return false;
  if (const auto grant = core::object_member(content, "grant"); grant && !read_stored_grant(**grant, row)) return false;
  t.sponsor_name = *sponsor;
  t.payer_reason = *reason;
  if (const auto operation = core::object_member(content, "userOperation"))
    return read_operation(content, **operation, row);
  if (const auto action = core::object_member(content, "action")) return read_action(**action, row);
  if (const auto message = core::object_member(content, "message")) return read_message(**message, row);
  if (const auto eoa = core::object_member(content, "eoa")) return read_eoa(**eoa, row);
  if (const auto phrase = core::object_member(content, "phrase")) return read_phrase(**phrase, row);
  if (const auto exported = core::object_member(content, "export")) return read_export(**exported, row);
  return true;
}

}  // namespace community::transactions
