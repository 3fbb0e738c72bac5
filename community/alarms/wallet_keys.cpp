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

}  // namespace community::alarms
