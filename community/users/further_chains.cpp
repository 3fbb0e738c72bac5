// SPDX-License-Identifier: Apache-2.0
// An operator adds a chain to a node that has people: wallets that were made before get their account there, at the
// same address, from the same init data. Done once after each start, since chains change at no other time. Each step
// may be repeated: the core's binding is found again by what it was made of, and the row is entered once.
#include "community/infra/api/log.hpp"
#include "community/users/service.hpp"

namespace community::users {
namespace {

// Read at once; each costs the trusted core one change.
constexpr std::size_t kInOneGo = 256;

}  // namespace

Task<bool> UsersService::use_further_chains() {
  for (const AccountChain& chain : options_.chains) {
    std::string after;
    for (;;) {
      auto read = [chain_id = chain.chain_id, after](soci::session& sql) -> Result<std::vector<store::OwnedWallet>> {
        return store::wallets_without_account(sql, chain_id, after, kInOneGo);
      };
      const auto found = from_database(co_await d_.database.read(read));
      if (!found) co_return false;
      if (found->empty()) break;
      for (const store::OwnedWallet& one : *found) {
        const auto used = co_await use_on_chain(one.user_id, one.wallet, chain);
        if (used) continue;
        const ErrorCode why = used.error().code;
        if (why == ErrorCode::core_unavailable || why == ErrorCode::database_unavailable) co_return false;
        infra::log_warning("users: a wallet has no account on a further chain",
                           {{"user", one.user_id}, {"chain", chain.chain_id}, {"refusal", used.error().refusal}});
      }
      after = found->back().wallet.wallet_id;
    }
  }
  co_return true;
}

Task<Result<void>> UsersService::use_on_chain(std::string user_id, Wallet wallet, AccountChain chain) {
  const auto record = core::parse_uuid(wallet.wallet_id);
  if (!record) co_return fail(ErrorCode::not_found);
  // Another factory, or another proxy, would put it at another address.
  const WalletOrigin& origin = *wallet.origin;
  if (origin.factory != chain.factory || origin.proxy_init_code_hash != chain.proxy_init_code_hash)
    co_return fail(ErrorCode::core_refused, "the chain has another factory of accounts");
  keys::WalletInfo made;
  made.id = *record;
  if (auto bound = co_await bind(made, wallet, chain.chain_id); !bound) co_return bound;
  ArrivedAccount account;
  account.user_id = std::move(user_id);
  account.wallet_id = wallet.wallet_id;
  account.account = {chain.chain_id, wallet.address};
  account.now_ms = d_.clock.now_ms();
  auto work = [account, binding_id = new_id()](soci::session& sql) -> Result<void> {
    // The person may have left meanwhile.
    if (store::wallet(sql, account.user_id, account.wallet_id)) store::insert_binding(sql, account, binding_id);
    return {};
  };
  auto entered = from_database(co_await d_.database.write(work));
  if (entered)
    count("community_users_accounts_added_total", "Accounts of older wallets on chains that the operator added.");
  co_return entered;
}

}  // namespace community::users
