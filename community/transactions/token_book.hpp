// SPDX-License-Identifier: Apache-2.0
// What token contracts say of themselves, asked once and kept for a while. Whatever they say is untrusted: anybody may
// deploy a token with another one's symbol.
#pragma once
#include <list>
#include <unordered_map>

#include "community/chain/api/execution_client.hpp"
#include "community/infra/api/clock.hpp"
#include "community/transactions/api/transactions.hpp"

namespace community::transactions {

struct TokenFacts {
  // Cleaned; empty when the contract tells none.
  std::string symbol;
  // Of ERC-20.
  std::optional<std::uint8_t> decimals;
  // ERC-165 says so; a token without decimals that says neither is none we know.
  bool is_erc721 = false, is_erc1155 = false;
  // Anything of the above was told.
  bool is_token = false;

  // "erc20", "erc721", "erc1155" or nothing.
  std::string_view standard() const;
};

class TokenBook {
 public:
  // About 300 bytes each: 4,096 are 1 MB.
  TokenBook(chain::ExecutionClient& chain, infra::Clock& clock, std::size_t most = 4'096)
      : chain_(chain), clock_(clock), most_(most) {}

  // Facts of a contract that did not answer are empty and asked for again soon.
  Task<TokenFacts> facts(Address token);
  // Of ERC-20 and 721, at the latest block. Nothing when the contract answers otherwise.
  Task<std::optional<Uint256>> balance(Address token, Address holder);
  // In the order of the tokens.
  Task<std::vector<TokenBalance>> balances(Address holder, std::vector<Address> tokens);
  std::size_t size() const { return kept_.size(); }

 private:
  struct Kept {
    Address token{};
    TokenFacts facts;
    infra::SteadyTime until;
  };
  struct HashOfAddress {
    std::size_t operator()(const Address& address) const { return base::load_be<std::uint64_t>(address.data() + 12); }
  };
  Task<std::optional<Bytes>> ask(Address token, std::string function, std::vector<core::AbiValue> arguments);
  Task<bool> supports(Address token, std::uint32_t interface_id);
  Task<TokenFacts> read(Address token);

  chain::ExecutionClient& chain_;
  infra::Clock& clock_;
  const std::size_t most_;
  // Latest use first.
  std::list<Kept> order_;
  std::unordered_map<Address, std::list<Kept>::iterator, HashOfAddress> kept_;
};

// A symbol as contracts return it: `string`, or `bytes32` as early tokens have it. Empty for anything else.
std::string read_symbol(ByteView returned);

}  // namespace community::transactions
