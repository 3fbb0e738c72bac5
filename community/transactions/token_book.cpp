// SPDX-License-Identifier: Apache-2.0
#include "community/transactions/token_book.hpp"

#include "community/chain/api/entry_point.hpp"
#include "community/core/abi.hpp"
#include "community/transactions/text.hpp"

namespace community::transactions {
namespace {

constexpr infra::Milliseconds kKeep{60 * 60'000}, kAskAgain{60'000};
// A view function that needs more is no token's.
constexpr std::uint64_t kQuestionGas = 300'000;
constexpr std::uint32_t kErc721 = 0x80ac58cd, kErc1155 = 0xd9b67a26;
// No token in use has more.
constexpr std::uint64_t kMostDecimals = 77;

}  // namespace

std::string_view TokenFacts::standard() const {
  if (is_erc721) return "erc721";
  if (is_erc1155) return "erc1155";
  return decimals ? "erc20" : "";
}

std::string read_symbol(ByteView returned) {
  if (returned.size() == 32) {
    const auto end = std::find(returned.begin(), returned.end(), std::uint8_t{0});
    return clean_text(
        {reinterpret_cast<const char*>(returned.data()), static_cast<std::size_t>(end - returned.begin())},
        kMaxSymbolCharacters);
  }
  static const auto kString = core::parse_abi_parameters("string").value();
  const auto values = core::abi_decode(kString, returned);
  if (!values) return {};
  const core::Bytes& bytes = values->front().bytes();
  return clean_text({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, kMaxSymbolCharacters);
}

Task<std::optional<Bytes>> TokenBook::ask(Address token, std::string function, std::vector<core::AbiValue> arguments) {
  chain::CallRequest request;
  request.to = token;
  request.gas = kQuestionGas;
  request.data = core::parse_abi_function(function).value().encode(arguments).value();
  auto answer = co_await chain_.call(std::move(request));
  if (!answer) co_return std::nullopt;
  co_return std::move(*answer);
}

Task<bool> TokenBook::supports(Address token, std::uint32_t interface_id) {
  Bytes id(4);
  base::store_be(id.data(), interface_id);
  std::vector<core::AbiValue> arguments;
  arguments.emplace_back(std::move(id));
  const auto answer = co_await ask(token, "supportsInterface(bytes4)", std::move(arguments));
  const auto word = answer ? chain::decode_word(*answer) : std::nullopt;
  co_return word == Uint256(1);
}

Task<TokenFacts> TokenBook::read(Address token) {
  auto symbol = ask(token, "symbol()", std::vector<core::AbiValue>());
  auto digits = ask(token, "decimals()", std::vector<core::AbiValue>());
  auto [texts, standards] = co_await infra::both(infra::both(std::move(symbol), std::move(digits)),
                                                 infra::both(supports(token, kErc721), supports(token, kErc1155)));
  TokenFacts facts;
  facts.is_erc721 = standards.first;
  facts.is_erc1155 = standards.second;
  if (texts.first) facts.symbol = read_symbol(*texts.first);
  const auto decimals = texts.second ? chain::decode_word(*texts.second) : std::nullopt;
  if (decimals && *decimals <= Uint256(kMostDecimals)) facts.decimals = static_cast<std::uint8_t>(decimals->limb[0]);
  facts.is_token = !facts.symbol.empty() || facts.decimals || facts.is_erc721 || facts.is_erc1155;
  co_return facts;
}

Task<TokenFacts> TokenBook::facts(Address token) {
  const auto known = kept_.find(token);
  if (known != kept_.end() && known->second->until > clock_.steady()) {
    order_.splice(order_.begin(), order_, known->second);
    co_return known->second->facts;
  }
  TokenFacts facts = co_await read(token);
  const infra::SteadyTime until = clock_.steady() + (facts.is_token ? kKeep : kAskAgain);
  // Another request may have come here first.
  if (const auto there = kept_.find(token); there != kept_.end()) {
    there->second->facts = facts;
    there->second->until = until;
    co_return facts;
  }
  if (kept_.size() >= most_) {
    kept_.erase(order_.back().token);
    order_.pop_back();
  }
  order_.push_front({token, facts, until});
  kept_[token] = order_.begin();
  co_return facts;
}

Task<std::optional<Uint256>> TokenBook::balance(Address token, Address holder) {
  std::vector<core::AbiValue> arguments;
  arguments.emplace_back(holder);
  const auto answer = co_await ask(token, "balanceOf(address)", std::move(arguments));
  if (!answer) co_return std::nullopt;
  co_return chain::decode_word(*answer);
}

Task<std::vector<TokenBalance>> TokenBook::balances(Address holder, std::vector<Address> tokens) {
  std::vector<Task<TokenFacts>> wanted;
  std::vector<Task<std::optional<Uint256>>> amounts;
  for (const Address& token : tokens) {
    wanted.push_back(facts(token));
    amounts.push_back(balance(token, holder));
  }
  auto [told, held] = co_await infra::both(infra::all(std::move(wanted)), infra::all(std::move(amounts)));
  std::vector<TokenBalance> out;
  for (std::size_t i = 0; i < tokens.size(); i++) {
    TokenBalance one;
    one.token = tokens[i];
    one.symbol = told[i].symbol;
    one.decimals = told[i].decimals;
    one.standard = told[i].standard();
    one.balance = held[i];
    out.push_back(std::move(one));
  }
  co_return out;
}

}  // namespace community::transactions
