// SPDX-License-Identifier: Apache-2.0
#include "community/transactions/summary.hpp"

#include <algorithm>

#include "community/chain/api/entry_point.hpp"
#include "community/core/abi.hpp"

namespace community::transactions {
namespace {

namespace json = core::json;

bool names_token(const CallReading& reading) {
  using enum Meaning;
  return reading.meaning != payment && reading.meaning != self_call && reading.meaning != contract_call;
}

template <class Value>
const Value* find(const std::vector<std::pair<Address, Value>>& list, const Address& key) {
  for (const auto& [address, value] : list)
    if (address == key) return &value;
  return nullptr;
}

void add_once(std::vector<Address>& list, const Address& address) {
  if (std::find(list.begin(), list.end(), address) == list.end()) list.push_back(address);
}

std::string decimal(const Uint256& value) { return core::format_decimal(value); }

json::object token_json(const Address& token, const TokenFacts& facts) {
  json::object out;
  out["address"] = core::format_address(token);
  out["symbol"] = facts.symbol.empty() ? json::value(nullptr) : json::value(facts.symbol);
  out["decimals"] = facts.decimals ? json::value(*facts.decimals) : json::value(nullptr);
  out["standard"] = facts.standard().empty() ? json::value(nullptr) : json::value(facts.standard());
  return out;
}

bool has_amount(Meaning meaning) {
  using enum Meaning;
  return meaning == payment || meaning == token_transfer || meaning == token_transfer_from || meaning == allowance ||
         meaning == allowance_increase || meaning == allowance_decrease || meaning == permit ||
         meaning == multi_transfer;
}

json::object call_json(const accounts::Call& call, const CallReading& reading, const TokenFacts* token) {
  json::object out;
  out["meaning"] = in_camel_case(name(reading.meaning));
  out["to"] = core::format_address(call.to);
  out["value"] = decimal(call.value);
  out["selector"] = reading.selector ? json::value(core::to_hex(*reading.selector)) : json::value(nullptr);
  out["dataSize"] = call.data.size();
  if (token != nullptr) out["token"] = token_json(call.to, *token);
  if (reading.meaning == Meaning::self_call || reading.meaning == Meaning::contract_call ||
      reading.meaning == Meaning::unreadable_token_call)
    return out;
  out["from"] = core::format_address(reading.from);
  out["counterparty"] = core::format_address(reading.counterparty);
  // An ERC-721 shares its functions with ERC-20: the number is which one, and not how much.
  const bool is_one = token != nullptr && token->is_erc721 && !reading.token_id;
  if (has_amount(reading.meaning)) out[is_one ? "tokenId" : "amount"] = decimal(reading.amount);
  if (reading.token_id) out["tokenId"] = decimal(*reading.token_id);
  if (reading.meaning == Meaning::operator_approval || reading.meaning == Meaning::permit)
    out["approved"] = reading.approved;
  if (reading.meaning == Meaning::multi_batch_transfer) out["count"] = reading.count;
  return out;
}

}  // namespace

std::string with_hyphens(std::string_view rule) {
  std::string text(rule);
  std::replace(text.begin(), text.end(), '_', '-');
  return text;
}

std::string in_camel_case(std::string_view rule) {
  std::string out;
  bool raise = false;
  for (const char c : rule) {
    if (c == '_') {
      raise = true;
      continue;
    }
    out += raise ? static_cast<char>(c - 'a' + 'A') : c;
    raise = false;
  }
  return out;
}

bool looks_like(const Address& one, const Address& other) {
  return one != other && base::equal(ByteView(one).first(2), ByteView(other).first(2)) &&
         base::equal(ByteView(one).last(2), ByteView(other).last(2));
}

json::object warning_json(Warning warning, std::optional<std::size_t> call, const std::optional<Address>& address) {
  json::object out;
  out["rule"] = with_hyphens(name(warning));
  if (call) out["call"] = *call;
  if (address) out["address"] = core::format_address(*address);
  return out;
}

Task<Result<Describer::Party>> Describer::party(Address address, Address account) {
  static const auto kIsKnown = core::parse_abi_function("isKnown(address)").value();
  Party out;
  out.address = address;
  // An account that is not deployed answers nothing: it knows nobody.
  chain::CallRequest request;
  request.to = account;
  std::vector<core::AbiValue> arguments;
  arguments.emplace_back(address);
  request.data = kIsKnown.encode(arguments).value();
  const auto [code, known] = co_await infra::both(chain_.code(address), chain_.call(std::move(request)));
  if (!code) co_return fail(ErrorCode::chain_unavailable, code.error().text());
  if (!known && !known.error().reverted) co_return fail(ErrorCode::chain_unavailable, known.error().text());
  out.is_contract = !code->empty();
  out.is_known = known && chain::decode_word(*known) == Uint256(1);
  co_return out;
}

Task<Result<Describer::Facts>> Describer::ask(const DescribeRequest& request,
                                              const std::vector<CallReading>& readings) {
  std::vector<Address> places, tokens, moved;
  for (std::size_t i = 0; i < readings.size(); i++) {
    const CallReading& reading = readings[i];
    if (reading.is_transfer()) add_once(places, reading.counterparty);
    if (reading.meaning == Meaning::contract_call || reading.is_permission()) add_once(places, reading.counterparty);
    if (!names_token(reading)) continue;
    add_once(tokens, request.calls[i].to);
    const bool is_own = reading.from == request.account && reading.is_transfer();
    if (is_own && reading.meaning == Meaning::token_transfer) add_once(moved, request.calls[i].to);
  }
  std::vector<Task<Result<Party>>> parties;
  for (const Address& place : places) parties.push_back(party(place, request.account));
  std::vector<Task<TokenFacts>> facts;
  for (const Address& token : tokens) facts.push_back(tokens_.facts(token));
  std::vector<Task<std::optional<Uint256>>> balances;
  for (const Address& token : moved) balances.push_back(tokens_.balance(token, request.account));
  auto [found, told] = co_await infra::both(infra::all(std::move(parties)),
                                            infra::both(infra::all(std::move(facts)), infra::all(std::move(balances))));
  Facts out;
  for (auto& one : found) {
    if (!one) co_return tl::unexpected(one.error());
    out.parties.push_back(*one);
  }
  for (std::size_t i = 0; i < tokens.size(); i++) out.tokens.emplace_back(tokens[i], std::move(told.first[i]));
  for (std::size_t i = 0; i < moved.size(); i++) out.balances.emplace_back(moved[i], told.second[i]);
  co_return out;
}

void Describer::warn(const DescribeRequest& request, const CallReading& reading, std::size_t index, const Facts& facts,
                     const std::vector<Address>& known, Described& out) {
  const auto say = [&](Warning warning) { out.warnings.push_back(warning_json(warning, index, reading.counterparty)); };
  if (reading.meaning == Meaning::unreadable_token_call) say(Warning::unreadable_token_call);
  if (reading.is_permission()) {
    add_once(out.recipients, reading.counterparty);
    if (reading.meaning == Meaning::operator_approval) {
      say(Warning::operator_approval);
    } else {
      say(is_unlimited(reading) ? Warning::unlimited_allowance : Warning::allowance);
    }
  }
  const auto party = std::find_if(facts.parties.begin(), facts.parties.end(),
                                  [&reading](const Party& one) { return one.address == reading.counterparty; });
  if (party != facts.parties.end() && !party->is_known) add_once(out.new_recipients, reading.counterparty);
  if (!reading.is_transfer() && !reading.is_permission()) return;
  for (const Address& one : known) {
    if (!looks_like(reading.counterparty, one)) continue;
    json::object similar = warning_json(Warning::recipient_looks_like, index, reading.counterparty);
    similar["similar"] = core::format_address(one);
    out.warnings.push_back(std::move(similar));
    break;
  }
  if (!reading.is_transfer()) return;
  add_once(out.recipients, reading.counterparty);
  const Address& to = request.calls[index].to;
  if (reading.counterparty == request.account) say(Warning::recipient_is_account);
  if (reading.meaning != Meaning::payment && reading.counterparty == to) say(Warning::recipient_is_token);
  if (reading.meaning != Meaning::payment && reading.from != request.account) say(Warning::somebody_elses);
  if (party == facts.parties.end() || reading.counterparty == request.account) return;
  if (!party->is_known) say(Warning::first_payment);
  if (party->is_contract) say(Warning::recipient_is_contract);
  const auto* balance = find(facts.balances, to);
  if (reading.meaning == Meaning::token_transfer && balance != nullptr && *balance && !(*balance)->is_zero() &&
      reading.amount == **balance)
    say(Warning::whole_balance);
}

Task<Result<std::vector<Address>>> Describer::these(std::vector<Address> known) { co_return known; }

Task<json::array> Describer::name_tokens(json::array summary) {
  for (json::value& one : summary) {
    json::object& change = one.get_object();
    const json::string& meaning = change.at("meaning").get_string();
    const json::value* to = change.if_contains("to");
    if (to == nullptr || (meaning != "changeLimit" && meaning != "lowerLimit")) continue;
    const Address token = core::parse_address(to->get_string()).value();
    const TokenFacts facts = co_await tokens_.facts(token);
    if (facts.is_token) change["token"] = token_json(token, facts);
  }
  co_return summary;
}

Task<Result<Described>> Describer::describe(DescribeRequest request, Task<Result<std::vector<Address>>> known) {
  std::vector<CallReading> readings;
  for (const accounts::Call& call : request.calls) readings.push_back(read_call(call, request.account));
  const auto [facts, used] = co_await infra::both(ask(request, readings), std::move(known));
  if (!facts) co_return tl::unexpected(facts.error());
  if (!used) co_return tl::unexpected(used.error());
  Described out;
  for (std::size_t i = 0; i < readings.size(); i++) {
    const accounts::Call& call = request.calls[i];
    out.summary.push_back(call_json(call, readings[i], find(facts->tokens, call.to)));
    warn(request, readings[i], i, *facts, *used, out);
    const auto sum = base::add(out.value, call.value);
    if (!sum) co_return fail(ErrorCode::calls_invalid, "the calls carry more than there is");
    out.value = *sum;
  }
  co_return out;
}

}  // namespace community::transactions
