// SPDX-License-Identifier: Apache-2.0
// Wallets and passkeys as community/users keeps them.
#include "community/core/uuid.hpp"
#include "community/transactions/factory.hpp"
#include "community/users/api/users.hpp"

namespace community::transactions {
namespace {

tl::unexpected<Error> from_users(const users::Error& error) {
  const bool missing = error.code == users::ErrorCode::not_found;
  const bool core = error.code == users::ErrorCode::core_unavailable || error.code == users::ErrorCode::core_refused;
  if (core) return fail(ErrorCode::core_unavailable, error.message);
  return fail(missing ? ErrorCode::not_found : ErrorCode::database_unavailable, error.message);
}

Result<OwnedWallet> to_owned(users::Wallet found) {
  OwnedWallet wallet;
  const auto record = core::parse_uuid(found.wallet_id);
  if (!record) return fail(ErrorCode::not_found, "the wallet's id is no record of a trusted core");
  wallet.record = *record;
  wallet.wallet_id = std::move(found.wallet_id);
  wallet.account = found.address;
  for (const users::AccountOnChain& account : found.accounts) wallet.chain_ids.push_back(account.chain_id);
  if (found.origin) wallet.origin = OwnedOrigin{found.origin->factory, std::move(found.origin->init_data)};
  return wallet;
}

class UsersPeople final : public People {
 public:
  explicit UsersPeople(users::Users& users) : users_(users) {}

  Task<Result<OwnedWallet>> wallet(std::string user_id, std::string wallet_id) override {
    auto found = co_await users_.wallet(std::move(user_id), std::move(wallet_id));
    if (!found) co_return from_users(found.error());
    co_return to_owned(std::move(*found));
  }
  Task<Result<std::vector<OwnedWallet>>> wallets(std::string user_id) override {
    auto found = co_await users_.get_user_wallets(user_id);
    if (!found) co_return from_users(found.error());
    // Those that wait for an account of another node, too.
    auto incoming = co_await users_.incoming_wallets(std::move(user_id));
    if (!incoming) co_return from_users(incoming.error());
    std::move(incoming->begin(), incoming->end(), std::back_inserter(*found));
    std::vector<OwnedWallet> out;
    for (users::Wallet& one : *found) {
      auto wallet = to_owned(std::move(one));
      if (!wallet) co_return tl::unexpected(wallet.error());
      out.push_back(std::move(*wallet));
    }
    co_return out;
  }
  Task<Result<std::optional<std::string>>> owner(std::uint64_t chain_id, Address account) override {
    auto found = co_await users_.owner({chain_id, account});
    if (!found) co_return from_users(found.error());
    co_return std::move(*found);
  }

  Task<Result<std::vector<OwnedPasskey>>> passkeys(std::string user_id) override {
    auto found = co_await users_.passkeys(std::move(user_id));
    if (!found) co_return from_users(found.error());
    std::vector<OwnedPasskey> out;
    for (users::PasskeyProfile& one : *found)
      out.push_back({one.profile_id, std::move(one.name), std::move(one.credential_id), one.public_key, one.is_active});
    co_return out;
  }

  Task<Result<bool>> is_held_elsewhere(std::string user_id, Bytes credential_id, std::string wallet_id) override {
    const auto held = co_await users_.is_held(std::move(user_id), std::move(credential_id), std::move(wallet_id));
    if (!held) co_return from_users(held.error());
    co_return *held;
  }
  void enter_passkeys(soci::session& sql, const OwnedPasskeyChange& change) override {
    users_.enter_passkeys(sql, {change.user_id, change.wallet_id, change.activated, change.retired});
  }
  void note_used(soci::session& sql, const std::string& wallet_id, std::uint64_t chain_id,
                 std::int64_t now_ms) override {
    users_.note_wallet_used(sql, wallet_id, chain_id, now_ms);
  }

 private:
  users::Users& users_;
};

}  // namespace

std::unique_ptr<People> make_people(users::Users& users) { return std::make_unique<UsersPeople>(users); }

}  // namespace community::transactions
