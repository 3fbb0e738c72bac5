// SPDX-License-Identifier: Apache-2.0
#include "community/alarms/wallet_keys.hpp"

namespace community::alarms {
namespace {

const protocol::AccountBinding* find_binding(const protocol::WalletDescribeReply& wallet, std::uint64_t chain_id,
                                             const Address& account) {
  for (std::size_t i = 0; i < wallet.account_count; i++)
    if (wallet.accounts[i].chain_id == chain_id && wallet.accounts[i].address == account) return &wallet.accounts[i];
  return nullptr;
}

// Of two wallets that are both not the chain's choice now, the first one earlier in the store's order. What the chain
// has said of a wallet, and what the address commits to, a stranger cannot bring about; the rest is a guess.
bool is_likelier(const AccountWallet& later, const AccountWallet& earlier) {
  if (earlier.follower.was_named) return false;
  return earlier.keys.binding.is_adopted() && !later.keys.binding.is_adopted();
}

}  // namespace

Task<Result<WalletKeysOnChain>> find_server_key(keys::WalletKeys& keys, keys::RecordId wallet, std::uint64_t chain_id,
                                                Address account, Address on_chain) {
  auto described = co_await keys.describe_wallet(wallet, 0);
  if (!described) co_return fail(ErrorCode::keys_failed, described.error().text());
  const protocol::AccountBinding* binding = find_binding(*described, chain_id, account);
  if (binding == nullptr) co_return fail(ErrorCode::account_unknown, "the wallet is not bound to this account");
  WalletKeysOnChain found;
  found.binding = *binding;
  const std::uint32_t last = binding->last_server_key_index, first = binding->server_key_index;
  for (std::uint32_t tried = 0; tried < kMaxServerKeysTried && tried <= last - first; tried++) {
    Address key = described->server_key;
    if (last - tried != 0) {
      const auto other = co_await keys.describe_wallet(wallet, last - tried);
      if (!other) co_return fail(ErrorCode::keys_failed, other.error().text());
      key = other->server_key;
    }
    if (tried == 0) found.last_server_key = key;
    if (key != on_chain) continue;
    found.server_key_index = last - tried;
    break;
  }
  found.wallet = std::move(*described);
  co_return found;
}

Task<Result<AccountWallet>> find_account_wallet(keys::WalletKeys& keys, std::vector<Follower> followers,
                                                std::uint64_t chain_id, Address account, Address on_chain) {
  std::optional<AccountWallet> likeliest;
  std::optional<Error> failed;
  for (const Follower& follower : followers) {
    auto found = co_await find_server_key(keys, follower.wallet, chain_id, account, on_chain);
    if (!found) {
      // One that the core does not tell about could be the one; the others are asked all the same, because it could
      // also be a stranger's.
      if (found.error().code == ErrorCode::keys_failed) failed = found.error();
      continue;
    }
    AccountWallet one;
    one.follower = follower;
    one.keys = std::move(*found);
    if (one.keys.server_key_index) co_return one;
    if (!likeliest || is_likelier(one, *likeliest)) likeliest = std::move(one);
  }
  if (failed) co_return tl::unexpected(*failed);
  if (!likeliest) co_return fail(ErrorCode::account_unknown, "no wallet is bound to this account");
  co_return std::move(*likeliest);
}

}  // namespace community::alarms
