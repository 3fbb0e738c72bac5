// SPDX-License-Identifier: Apache-2.0
// Wallets for accounts that people bring from elsewhere (community/arrivals): made like others, without an account of
// their own; the account comes to them when the chain says that it has their key.
#include "community/users/service.hpp"

namespace community::users {

Task<Result<Wallet>> UsersService::create_incoming_wallet(Identity identity, std::string request_id) {
  store::WalletIntent draft = new_intent(identity.person.user_id, request_id, {}, Address{});
  draft.chains.clear();
  auto begun = co_await begin_intent(std::move(draft), identity.session.profile_id);
  if (!begun) co_return tl::unexpected(begun.error());
  if (*begun)
    if (auto done = co_await fulfil(std::move(**begun)); !done) co_return tl::unexpected(done.error());
  co_return co_await wallet_of_request(identity.person.user_id, std::move(request_id));
}

Task<Result<std::vector<Wallet>>> UsersService::incoming_wallets(std::string user_id) {
  auto found = co_await all_wallets(std::move(user_id));
  // One that was made here has an origin, and is none of these when its account went.
  if (found)
    std::erase_if(*found, [](const Wallet& wallet) { return !wallet.accounts.empty() || wallet.origin.has_value(); });
  co_return found;
}

std::optional<std::string> UsersService::enter_account(soci::session& sql, const ArrivedAccount& account) {
  auto former = store::remove_other_binding(sql, account.account, account.wallet_id);
  store::insert_binding(sql, account, new_id());
  // The file that its owner has elsewhere stays the account's. Of one that comes home nothing new is known.
  const auto wallet = store::wallet(sql, account.user_id, account.wallet_id);
  if (wallet && !wallet->origin) store::set_recovery_file_saved(sql, account.wallet_id);
  if (former && *former == account.user_id) former.reset();
  return former;
}

}  // namespace community::users
