// SPDX-License-Identifier: Apache-2.0
// Wallets and passkeys as community/users keeps them.
#include "community/arrivals/factory.hpp"

namespace community::arrivals {
namespace {

tl::unexpected<Error> from_users(const users::Error& error) {
  using enum users::ErrorCode;
  Error out;
  out.code = ErrorCode::database_unavailable;
  if (error.code == too_many_wallets) out.code = ErrorCode::too_many_wallets;
  if (error.code == core_unavailable) out.code = ErrorCode::core_unavailable;
  if (error.code == core_refused) out.code = ErrorCode::core_refused;
  if (error.code == not_found || error.code == not_logged_in) out.code = ErrorCode::not_found;
  out.message = error.message;
  out.refusal = error.refusal;
  return tl::unexpected<Error>(std::move(out));
}

template <class T>
Result<T> in_own_words(users::Result<T> outcome) {
  if (!outcome) return from_users(outcome.error());
  return std::move(*outcome);
}

class UsersPeople final : public People {
 public:
  explicit UsersPeople(users::Users& users) : users_(users) {}

  Task<Result<std::vector<users::Wallet>>> wallets(std::string user_id) override {
    co_return in_own_words(co_await users_.get_user_wallets(std::move(user_id)));
  }
  Task<Result<std::vector<users::Wallet>>> incoming_wallets(std::string user_id) override {
    co_return in_own_words(co_await users_.incoming_wallets(std::move(user_id)));
  }
  Task<Result<users::Wallet>> make_wallet(users::Identity identity, std::string request_id) override {
    co_return in_own_words(co_await users_.create_incoming_wallet(std::move(identity), std::move(request_id)));
  }
  Task<Result<std::vector<users::PasskeyProfile>>> passkeys(std::string user_id) override {
    auto found = co_await users_.passkeys(std::move(user_id));
    if (found) std::erase_if(*found, [](const users::PasskeyProfile& one) { return !one.is_active; });
    co_return in_own_words(std::move(found));
  }
  std::optional<std::string> enter_account(soci::session& sql, const users::ArrivedAccount& account) override {
    return users_.enter_account(sql, account);
  }

 private:
  users::Users& users_;
};

}  // namespace

std::unique_ptr<People> make_people(users::Users& users) { return std::make_unique<UsersPeople>(users); }

}  // namespace community::arrivals
