// SPDX-License-Identifier: Apache-2.0
#include "community/apps/factory.hpp"
#include "community/users/api/users.hpp"

namespace community::apps {
namespace {

tl::unexpected<Error> refused(const users::Error& error) {
  return fail(error.code == users::ErrorCode::not_found ? ErrorCode::not_found : ErrorCode::database_unavailable,
              error.message);
}

class OfUsers final : public People {
 public:
  OfUsers(users::Users& users, infra::Clock& clock) : users_(users), clock_(clock) {}

  Task<Result<core::Address>> account(std::string user_id, std::string wallet_id, std::uint64_t chain_id) override {
    const auto wallet = co_await users_.wallet(user_id, wallet_id);
    if (!wallet) co_return refused(wallet.error());
    for (const users::AccountOnChain& account : wallet->accounts)
      if (account.chain_id == chain_id) co_return account.address;
    co_return fail(ErrorCode::not_found, "the wallet has no account on this chain");
  }

  Task<Result<std::int64_t>> session_end(std::string user_id, std::string session_id) override {
    const auto person = co_await users_.person(user_id);
    if (!person) co_return refused(person.error());
    if (!*person || !(*person)->is_active) co_return 0;
    const auto sessions = co_await users_.sessions(user_id);
    if (!sessions) co_return refused(sessions.error());
    for (const users::Session& session : *sessions)
      if (session.session_id == session_id && session.expires_ms > clock_.now_ms()) co_return session.expires_ms;
    co_return 0;
  }

 private:
  users::Users& users_;
  infra::Clock& clock_;
};

}  // namespace

std::unique_ptr<People> make_people(users::Users& users, infra::Clock& clock) {
  return std::make_unique<OfUsers>(users, clock);
}

}  // namespace community::apps
