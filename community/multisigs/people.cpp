// SPDX-License-Identifier: Apache-2.0
// Accounts and passkeys as community/users keeps them.
#include "community/multisigs/factory.hpp"
#include "community/users/api/users.hpp"

namespace community::multisigs {
namespace {

class UsersPeople final : public People {
 public:
  explicit UsersPeople(users::Users& users) : users_(users) {}

  Task<Result<Own>> own(std::string user_id, std::uint64_t chain_id) override {
    const auto wallets = co_await users_.get_user_wallets(user_id);
    if (!wallets) co_return fail(ErrorCode::database_unavailable, wallets.error().message);
    const auto passkeys = co_await users_.passkeys(std::move(user_id));
    if (!passkeys) co_return fail(ErrorCode::database_unavailable, passkeys.error().message);
    Own own;
    for (const users::Wallet& wallet : *wallets)
      for (const users::AccountOnChain& account : wallet.accounts)
        if (account.chain_id == chain_id) own.accounts.push_back({wallet.wallet_id, account.address});
    for (const users::PasskeyProfile& passkey : *passkeys)
      own.passkeys.push_back({passkey.profile_id, passkey.public_key});
    co_return own;
  }

 private:
  users::Users& users_;
};

}  // namespace

std::unique_ptr<People> make_people(users::Users& users) { return std::make_unique<UsersPeople>(users); }

}  // namespace community::multisigs
