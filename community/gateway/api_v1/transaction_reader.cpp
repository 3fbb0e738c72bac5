// SPDX-License-Identifier: Apache-2.0
#include "community/gateway/api_v1/transaction_reader.hpp"

#include "community/gateway/api_v1/credentials.hpp"
#include "trusted/protocol/protocol.hpp"

namespace community::gateway::api_v1 {
namespace {

using core::Uint256;
using transactions::Order;

// 2^256 has 78 digits.
constexpr std::size_t kAmountDigits = 78;
// What every JSON reader holds exactly (RFC 8259, section 6).
constexpr std::int64_t kMaxChainId = 9'007'199'254'740'991;

Uint256 amount(JsonReader& in, std::string_view member) {
  const auto value = core::parse_decimal(in.text(member, kAmountDigits));
  if (!value) in.refuse(member, "a decimal number below 2^256 is expected, as a text");
  return value.value_or(Uint256());
}

template <std::size_t N>
std::array<std::uint8_t, N> fixed(JsonReader& in, std::string_view member) {
  const auto bytes = core::parse_hex_array<N>(in.text(member, 2 + 2 * N));
  if (!bytes) in.refuse(member, "0x and " + std::to_string(2 * N) + " hexadecimal digits are expected");
  return bytes.value_or(std::array<std::uint8_t, N>{});
}

// Zero, which the chain takes for its native currency, is null here.
core::Address token(JsonReader& in, std::string_view member) {
  const json::value* value = in.required(member);
  if (value == nullptr || value->is_null()) return {};
  return in.address(member);
}

core::Bytes call_data(JsonReader& in) {
  const auto text = in.optional("data");
  if (text == nullptr) return {};
  auto bytes = core::parse_hex(in.text("data", 2 + 2 * transactions::kMaxCallData), core::HexPrefix::required,
                               transactions::kMaxCallData);
  if (!bytes) in.refuse("data", "bytes in hexadecimal with 0x are expected, 65,536 at most");
  return bytes ? std::move(*bytes) : core::Bytes();
}

}  // namespace

std::vector<accounts::Call> read_calls(JsonReader& in) {
  std::vector<accounts::Call> calls;
  const json::value* list = in.required("calls");
  if (list == nullptr) return calls;
  if (!list->is_array() || list->get_array().empty() || list->get_array().size() > transactions::kMaxCalls) {
    in.refuse("calls", "a list of 1 to 32 calls is expected");
    return calls;
  }
  for (std::size_t i = 0; i < list->get_array().size(); i++) {
    const json::value& one = list->get_array()[i];
    if (!one.is_object()) {
      in.refuse("calls", "a list of calls is expected");
      return calls;
    }
    JsonReader call(one.get_object(), JsonReader::Unknown::refused, in.pointer("calls") + "/" + std::to_string(i));
    accounts::Call read;
    read.to = call.address("to");
    if (call.optional("value") != nullptr) read.value = amount(call, "value");
    read.data = call_data(call);
    calls.push_back(std::move(read));
    in.take(call);
  }
  return calls;
}

namespace {

transactions::QueueOrder read_queue(JsonReader& in) {
  transactions::QueueOrder order;
  const json::object* members = in.object("queue");
  if (members == nullptr) return order;
  JsonReader queue(*members, JsonReader::Unknown::refused, in.pointer("queue"));
  const std::string kind = queue.text("kind", 32);
  using enum accounts::QueueKind;
  if (kind == "spend") {
    order.kind = spend;
    order.calls = read_calls(queue);
  } else if (kind == "limit") {
    order.kind = limit;
    order.subject = token(queue, "token");
    order.amount = amount(queue, "perDay");
  } else if (kind == "gasCap") {
    order.kind = gas_cap;
    order.amount = amount(queue, "maxCost");
  } else if (kind == "domain") {
    order.kind = domain;
    order.domain = fixed<32>(queue, "domainSeparator");
  } else if (kind == "allowedCall") {
    order.kind = allowed_call;
    order.subject = queue.address("target");
    order.selector = fixed<4>(queue, "selector");
  } else {
    queue.refuse("kind", "spend, limit, gasCap, domain or allowedCall");
  }
  in.take(queue);
  return order;
}

std::uint64_t seconds(JsonReader& in, std::string_view member) {
  const json::value* value = in.required(member);
  if (value == nullptr) return 0;
  if (value->is_int64() && value->get_int64() >= 0 && value->get_int64() <= 0xffff'ffff)
    return static_cast<std::uint64_t>(value->get_int64());
  in.refuse(member, "a number of seconds is expected");
  return 0;
}

bool flag(JsonReader& in, std::string_view member) {
  const json::value* value = in.required(member);
  if (value != nullptr && !value->is_bool()) in.refuse(member, "true or false");
  return value != nullptr && value->is_bool() && value->get_bool();
}

std::uint8_t read_votes(JsonReader& in) {
  const json::value* value = in.optional("votes");
  if (value == nullptr) return 1;
  const auto number = core::number_value(*value);
  if (number && value->is_number() && (*number == Uint256(1) || *number == Uint256(2)))
    return static_cast<std::uint8_t>(number->limb[0]);
  in.refuse("votes", "1 or 2");
  return 1;
}

std::vector<std::uint8_t> read_slots(JsonReader& in) {
  std::vector<std::uint8_t> slots;
  const json::value* list = in.optional("remove");
  if (list == nullptr) return slots;
  const auto is_slot = [](const json::value& one) {
    return one.is_int64() && one.get_int64() >= 0 && one.get_int64() < 8;
  };
  if (!list->is_array() || list->get_array().size() > 8 ||
      !std::all_of(list->get_array().begin(), list->get_array().end(), is_slot)) {
    in.refuse("remove", "a list of up to 8 slots, 0 to 7, is expected");
    return slots;
  }
  for (const json::value& one : list->get_array()) slots.push_back(static_cast<std::uint8_t>(one.get_int64()));
  return slots;
}

std::vector<accounts::InitPasskey> read_foreign_passkeys(JsonReader& in) {
  std::vector<accounts::InitPasskey> passkeys;
  const json::value* list = in.optional("addForeign");
  if (list == nullptr) return passkeys;
  const auto is_object = [](const json::value& one) { return one.is_object(); };
  if (!list->is_array() || list->get_array().size() > 8 ||
      !std::all_of(list->get_array().begin(), list->get_array().end(), is_object)) {
    in.refuse("addForeign", "a list of up to 8 passkeys is expected");
    return passkeys;
  }
  for (std::size_t i = 0; i < list->get_array().size(); i++) {
    JsonReader one(list->get_array()[i].get_object(), JsonReader::Unknown::refused,
                   in.pointer("addForeign") + "/" + std::to_string(i));
    const auto public_key = fixed<64>(one, "publicKey");
    passkeys.push_back({public_key, fixed<32>(one, "rpIdHash")});
    in.take(one);
  }
  return passkeys;
}

transactions::KeysOrder read_keys(JsonReader& in) {
  transactions::KeysOrder order;
  order.votes = read_votes(in);
  const json::object* members = in.object("keys");
  if (members == nullptr) return order;
  JsonReader keys(*members, JsonReader::Unknown::refused, in.pointer("keys"));
  order.added = keys.optional_texts("add", 8, 36);
  order.foreign_passkeys = read_foreign_passkeys(keys);
  order.removed = read_slots(keys);
  using enum transactions::KeysOrder::ServerKey;
  if (const json::value* server = keys.optional("serverKey"); server != nullptr) {
    const bool is_next = server->is_string() && server->get_string() == "next";
    order.server_key = is_next ? next : foreign;
    if (!is_next) order.foreign_server_key = keys.address("serverKey");
  }
  if (keys.optional("escapeKey") != nullptr) order.escape_key = keys.address("escapeKey");
  in.take(keys);
  return order;
}

accounts::ChangeRules read_rules(JsonReader& in) {
  accounts::ChangeRules rules;
  rules.votes = read_votes(in);
  const json::object* members = in.object("rules");
  if (members == nullptr) return rules;
  JsonReader reader(*members, JsonReader::Unknown::refused, in.pointer("rules"));
  rules.guardians_hash = fixed<32>(reader, "guardiansHash");
  const std::uint64_t threshold = seconds(reader, "guardianThreshold");
  if (threshold > 16) reader.refuse("guardianThreshold", "0 to 16");
  rules.guardian_threshold = static_cast<std::uint8_t>(threshold & 0xff);
  rules.recovery_delay_s = static_cast<std::uint32_t>(seconds(reader, "recoveryDelay"));
  rules.strict = flag(reader, "strict");
  rules.unlisted_tokens = flag(reader, "unlistedTokens");
  in.take(reader);
  return rules;
}

transactions::GrantOrder read_grant(JsonReader& in) {
  transactions::GrantOrder order;
  const json::object* members = in.object("grant");
  if (members == nullptr) return order;
  JsonReader reader(*members, JsonReader::Unknown::refused, in.pointer("grant"));
  order.target = reader.address("target");
  for (const std::string& text : reader.optional_texts("selectors", 8, 10)) {
    const auto selector = core::parse_hex_array<4>(text);
    if (!selector) reader.refuse("selectors", "a list of up to 8 selectors is expected");
    if (selector) order.selectors.push_back(*selector);
  }
  order.value_per_call = amount(reader, "valuePerCall");
  order.value_total = amount(reader, "valueTotal");
  order.valid_for_s = seconds(reader, "validFor");
  in.take(reader);
  return order;
}

core::Bytes read_brought(JsonReader& in) {
  auto bytes = core::parse_hex(in.text("call", 2 + 2 * transactions::kMaxCallData), core::HexPrefix::required,
                               transactions::kMaxCallData);
  if (!bytes) in.refuse("call", "bytes in hexadecimal with 0x are expected, 65,536 at most");
  return bytes ? std::move(*bytes) : core::Bytes();
}

// BIP-32: what is not hardened by itself.
constexpr std::int64_t kMaxPathNumber = 0x7fff'ffff;

std::uint32_t path_number(JsonReader& in, std::string_view member) {
  const json::value* value = in.optional(member);
  if (value == nullptr) return 0;
  if (value->is_int64() && value->get_int64() >= 0 && value->get_int64() <= kMaxPathNumber)
    return static_cast<std::uint32_t>(value->get_int64());
  in.refuse(member, "a number below 2^31 is expected");
  return 0;
}

transactions::MessageOrder read_message(JsonReader& in) {
  transactions::MessageOrder order;
  const json::object* members = in.object("message");
  if (members == nullptr) return order;
  JsonReader reader(*members, JsonReader::Unknown::refused, in.pointer("message"));
  const std::string by = reader.text("by", 16);
  if (by == "phrase") {
    order.key.emplace();
    if (const json::object* key = reader.optional_object("key")) {
      JsonReader path(*key, JsonReader::Unknown::refused, reader.pointer("key"));
      order.key = transactions::PhraseKey{path_number(path, "account"), path_number(path, "index")};
      reader.take(path);
    }
  } else if (by != "account") {
    reader.refuse("by", "account or phrase");
  }
  const json::object* document = reader.optional_object("typedData");
  if (document != nullptr) {
    // Its four members and no others: what is not signed is not kept.
    json::object kept;
    for (const char* name : {"domain", "types", "primaryType", "message"})
      if (const json::value* member = document->if_contains(name)) kept[name] = *member;
    order.content = std::move(kept);
  } else {
    auto bytes = core::parse_hex(reader.text("personal", 2 + 2 * protocol::kMaxPersonalMessage),
                                 core::HexPrefix::required, protocol::kMaxPersonalMessage);
    if (!bytes) reader.refuse("personal", "bytes in hexadecimal with 0x are expected, 16,384 at most");
    order.content = bytes ? std::move(*bytes) : core::Bytes();
  }
  in.take(reader);
  return order;
}

transactions::EoaOrder read_eoa(JsonReader& in) {
  transactions::EoaOrder order;
  const json::object* members = in.object("eoa");
  if (members == nullptr) return order;
  JsonReader reader(*members, JsonReader::Unknown::refused, in.pointer("eoa"));
  const std::string type = reader.text("type", 16);
  using enum core::TransactionType;
  order.type = type == "legacy" ? legacy : type == "eip7702" ? set_code : dynamic_fee;
  if (order.type == dynamic_fee && type != "eip1559") reader.refuse("type", "legacy, eip1559 or eip7702");
  if (const json::object* key = reader.optional_object("key")) {
    JsonReader path(*key, JsonReader::Unknown::refused, reader.pointer("key"));
    order.key = transactions::PhraseKey{path_number(path, "account"), path_number(path, "index")};
    reader.take(path);
  }
  order.to = reader.address("to");
  if (reader.optional("value") != nullptr) order.value = amount(reader, "value");
  order.data = call_data(reader);
  const json::value* list = reader.optional("authorizationList");
  if (list != nullptr && (!list->is_array() || list->get_array().size() > 16)) {
    reader.refuse("authorizationList", "a list of up to 16 signed authorizations is expected");
  } else if (list != nullptr) {
    for (const json::value& one : list->get_array()) {
      const auto read = one.is_object()
                            ? core::authorization_from_json(one.get_object())
                            : core::Result<core::Authorization>(core::fail(core::ErrorCode::json_wrong_type));
      if (!read) reader.refuse("authorizationList", "a list of up to 16 signed authorizations is expected");
      if (read) order.authorizations.push_back(*read);
    }
  }
  in.take(reader);
  return order;
}

std::uint8_t read_words(JsonReader& in) {
  const json::value* value = in.required("words");
  if (value != nullptr && value->is_int64() && (value->get_int64() == 12 || value->get_int64() == 24))
    return static_cast<std::uint8_t>(value->get_int64());
  if (value != nullptr) in.refuse("words", "12 or 24");
  return 12;
}

Order read_order(JsonReader& in, const std::string& kind) {
  using namespace transactions;
  if (kind == "calls") return CallsOrder{read_calls(in)};
  if (kind == "queue") return read_queue(in);
  if (kind == "confirm") return ConfirmOrder{fixed<32>(in, "item")};
  if (kind == "finish") return FinishOrder{fixed<32>(in, "item")};
  if (kind == "replace") return ReplaceOrder{in.uuid("transactionId")};
  if (kind == "freeze") return PlainOrder{accounts::Freeze{}};
  if (kind == "unfreeze") return PlainOrder{accounts::Unfreeze{read_votes(in)}};
  if (kind == "cancel") return PlainOrder{accounts::Cancel{fixed<32>(in, "item")}};
  if (kind == "lowerLimit") {
    const core::Address of = token(in, "token");
    return PlainOrder{accounts::LowerLimit{of, amount(in, "perDay")}};
  }
  if (kind == "lowerGasCap") return PlainOrder{accounts::LowerGasCap{amount(in, "maxCost")}};
  if (kind == "revokeGrant") return PlainOrder{accounts::RevokeGrant{fixed<32>(in, "grantId")}};
  if (kind == "disallowCall") {
    const core::Address target = in.address("target");
    return PlainOrder{accounts::DisallowCall{target, fixed<4>(in, "selector")}};
  }
  if (kind == "rules") return PlainOrder{read_rules(in)};
  if (kind == "keys") return read_keys(in);
  if (kind == "grant") return read_grant(in);
  if (kind == "session") {
    const core::Bytes32 grant_id = fixed<32>(in, "grantId");
    return SessionOrder{grant_id, read_calls(in)};
  }
  if (kind == "escape") return BroughtOrder{Kind::escape, read_brought(in)};
  if (kind == "recover") return BroughtOrder{Kind::recover, read_brought(in)};
  if (kind == "message") return read_message(in);
  if (kind == "eoa") return read_eoa(in);
  if (kind == "phrase") return PhraseOrder{read_words(in)};
  if (kind == "exportPhrase") return ExportOrder{fixed<65>(in, "recipient")};
  if (kind == "unlistDomain") return PlainOrder{accounts::UnlistDomain{fixed<32>(in, "domainSeparator")}};
  in.refuse("kind", "no kind of transaction that this node prepares");
  return FinishOrder{};
}

}  // namespace

std::uint64_t read_chain_id(JsonReader& in) {
  const json::value* value = in.required("chainId");
  if (value == nullptr) return 0;
  if (value->is_int64() && value->get_int64() > 0 && value->get_int64() <= kMaxChainId)
    return static_cast<std::uint64_t>(value->get_int64());
  in.refuse("chainId", "a chain's number is expected");
  return 0;
}

transactions::PrepareRequest read_prepare_request(JsonReader& in) {
  transactions::PrepareRequest request;
  request.wallet_id = in.uuid("walletId");
  request.chain_id = read_chain_id(in);
  const json::value* sponsored = in.optional("sponsored");
  if (sponsored != nullptr && !sponsored->is_bool()) in.refuse("sponsored", "true or false");
  request.sponsored = sponsored == nullptr || !sponsored->is_bool() || sponsored->get_bool();
  request.order = read_order(in, in.text("kind", 32));
  return request;
}

transactions::SignRequest read_sign_request(JsonReader& in) {
  transactions::SignRequest request;
  request.digest = fixed<32>(in, "digest");
  if (in.optional("escapeSignature") != nullptr) {
    const auto signature = fixed<65>(in, "escapeSignature");
    request.escape_signature.assign(signature.begin(), signature.end());
    // The recovery file may vote in a request of its own.
    if (in.optional("credential") == nullptr) return request;
  }
  users::LogInAssertion assertion = read_assertion(in);
  request.credential_id = std::move(assertion.credential_id);
  request.client_data = std::move(assertion.client_data);
  request.authenticator_data = std::move(assertion.authenticator_data);
  request.signature = std::move(assertion.signature);
  return request;
}

std::optional<std::vector<core::Address>> read_addresses(std::string_view text) {
  std::vector<core::Address> out;
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    const auto address = core::parse_address(text.substr(0, comma));
    if (!address || out.size() == transactions::kMaxTokens) return std::nullopt;
    out.push_back(*address);
    if (comma == std::string_view::npos) return out;
    text.remove_prefix(comma + 1);
  }
  return std::nullopt;
}

core::Uint256 read_amount(JsonReader& in, std::string_view member) { return amount(in, member); }

core::Address read_token(JsonReader& in, std::string_view member) { return token(in, member); }

}  // namespace community::gateway::api_v1
