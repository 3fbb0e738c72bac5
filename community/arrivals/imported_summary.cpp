// SPDX-License-Identifier: Apache-2.0
#include "community/arrivals/imported_summary.hpp"

#include <algorithm>

#include "community/arrivals/api/imports.hpp"
#include "community/users/api/text.hpp"

namespace community::arrivals {
namespace {

namespace json = core::json;

constexpr std::string_view kMeanings[] = {"payment",
                                          "tokenTransfer",
                                          "tokenTransferFrom",
                                          "allowance",
                                          "allowanceIncrease",
                                          "permit",
                                          "allowanceDecrease",
                                          "operatorApproval",
                                          "multiTransfer",
                                          "unreadableTokenCall",
                                          "selfCall",
                                          "contractCall",
                                          "changeLimit",
                                          "multiBatchTransfer",
                                          "changeGasCap",
                                          "listDomain",
                                          "allowCall",
                                          "freeze",
                                          "unfreeze",
                                          "cancel",
                                          "finish",
                                          "lowerLimit",
                                          "lowerGasCap",
                                          "revokeGrant",
                                          "disallowCall",
                                          "unlistDomain",
                                          "changeKeys",
                                          "changeRules",
                                          "createGrant",
                                          "escape",
                                          "recover"};
constexpr std::string_view kItems[] = {"none",   "unfreeze", "changeKeys", "changeRules",
                                       "escape", "recover",  "upgrade",    "queued"};
constexpr std::string_view kStandards[] = {"erc20", "erc721", "erc1155"};
constexpr std::size_t kMaxListed = 8, kMaxDigits = 78;
constexpr std::int64_t kMaxDecimals = 77, kMaxSlot = 7;

using Value = std::optional<json::value>;

bool is_one_of(std::span<const std::string_view> words, std::string_view text) {
  return std::find(words.begin(), words.end(), text) != words.end();
}
std::string_view text_of(const json::value& value) {
  return value.is_string() ? std::string_view(value.get_string()) : std::string_view();
}

Value address(const json::value& value) {
  const auto read = core::parse_address(text_of(value));
  if (!read) return std::nullopt;
  return json::value(core::format_address(*read));
}
Value address_or_null(const json::value& value) { return value.is_null() ? Value(nullptr) : address(value); }
Value amount(const json::value& value) {
  const std::string_view text = text_of(value);
  if (text.size() > kMaxDigits) return std::nullopt;
  const auto read = core::parse_decimal(text);
  if (!read) return std::nullopt;
  return json::value(core::format_decimal(*read));
}
template <std::size_t N>
Value digits(const json::value& value) {
  const auto read = core::parse_hex_array<N>(text_of(value));
  if (!read) return std::nullopt;
  return json::value(core::to_hex(*read));
}
Value selector_or_null(const json::value& value) { return value.is_null() ? Value(nullptr) : digits<4>(value); }
Value number(const json::value& value) {
  // What every reader holds exactly (RFC 8259, section 6).
  constexpr std::int64_t kMost = 9'007'199'254'740'991;
  if (!value.is_int64() || value.get_int64() < 0 || value.get_int64() > kMost) return std::nullopt;
  return value;
}
Value flag(const json::value& value) { return value.is_bool() ? Value(value) : std::nullopt; }
Value item(const json::value& value) { return is_one_of(kItems, text_of(value)) ? Value(value) : std::nullopt; }
Value selectors(const json::value& value) {
  if (!value.is_array() || value.get_array().size() > kMaxListed) return std::nullopt;
  json::array out;
  for (const json::value& one : value.get_array())
    if (auto read = digits<4>(one)) out.push_back(std::move(*read));
  return out;
}
// A name that somebody gave: one line, or none.
json::value name_or_null(const json::value* value) {
  if (value == nullptr || !users::check_name(text_of(*value), "/name")) return nullptr;
  return *value;
}
Value token(const json::value& value) {
  if (value.is_null()) return Value(nullptr);
  const json::object* facts = value.if_object();
  const json::value* at = facts == nullptr ? nullptr : facts->if_contains("address");
  auto read = at == nullptr ? std::nullopt : address(*at);
  if (!read) return std::nullopt;
  json::object out;
  out["address"] = std::move(*read);
  out["symbol"] = name_or_null(facts->if_contains("symbol"));
  out["decimals"] = out["standard"] = nullptr;
  if (const json::value* decimals = facts->if_contains("decimals"); decimals != nullptr && number(*decimals))
    if (decimals->get_int64() <= kMaxDecimals) out["decimals"] = *decimals;
  if (const json::value* standard = facts->if_contains("standard"); standard != nullptr)
    if (is_one_of(kStandards, text_of(*standard))) out["standard"] = *standard;
  return out;
}
// Passkeys: by their names alone, for their ids are another node's.
Value passkeys(const json::value& value, bool with_slot) {
  if (!value.is_array() || value.get_array().size() > kMaxListed) return std::nullopt;
  json::array out;
  for (const json::value& one : value.get_array()) {
    const json::object* members = one.if_object();
    if (members == nullptr) return std::nullopt;
    json::object passkey;
    passkey["passkeyId"] = nullptr;
    passkey["name"] = name_or_null(members->if_contains("name"));
    const json::value* slot = members->if_contains("slot");
    if (with_slot && (slot == nullptr || !number(*slot) || slot->get_int64() > kMaxSlot)) return std::nullopt;
    if (with_slot) passkey["slot"] = *slot;
    out.push_back(std::move(passkey));
  }
  return out;
}
Value added(const json::value& value) { return passkeys(value, false); }
Value removed(const json::value& value) { return passkeys(value, true); }

struct Member {
  std::string_view name;
  Value (*read)(const json::value&);
};
constexpr Member kMembers[] = {
    {"to", address},
    {"value", amount},
    {"selector", selector_or_null},
    {"dataSize", number},
    {"token", token},
    {"from", address},
    {"counterparty", address},
    {"amount", amount},
    {"tokenId", amount},
    {"approved", flag},
    {"count", number},
    {"hash", digits<32>},
    {"item", item},
    {"added", added},
    {"removed", removed},
    {"serverKey", address_or_null},
    {"strict", flag},
    {"unlistedTokens", flag},
    {"seconds", number},
    {"escapeKey", address_or_null},
    {"selectors", selectors},
    {"valuePerCall", amount},
};

}  // namespace

json::array imported_summary(const json::value& summary) {
  json::array out;
  if (!summary.is_array() || summary.get_array().size() > kMaxSummaryItems) return out;
  for (const json::value& one : summary.get_array()) {
    const json::object* members = one.if_object();
    const json::value* meaning = members == nullptr ? nullptr : members->if_contains("meaning");
    if (meaning == nullptr || !is_one_of(kMeanings, text_of(*meaning))) continue;
    json::object kept;
    kept["meaning"] = *meaning;
    for (const Member& member : kMembers) {
      const json::value* value = members->if_contains(member.name);
      if (value == nullptr) continue;
      if (auto read = member.read(*value)) kept[member.name] = std::move(*read);
    }
    out.push_back(std::move(kept));
  }
  if (json::serialize(out).size() > kMaxSummaryBytes) out.clear();
  return out;
}

}  // namespace community::arrivals
