// SPDX-License-Identifier: Apache-2.0
// Naming an account: which wallet is for it, and the keys that it has to be given.
#include "community/arrivals/service.hpp"
#include "community/arrivals/store.hpp"
#include "community/core/uuid.hpp"
#include "community/users/api/text.hpp"
#include "trusted/base/sha2.hpp"

namespace community::arrivals {
namespace {

constexpr infra::Milliseconds kHour{60 * 60 * 1'000};

const protocol::AccountBinding* find_account(const protocol::WalletDescribeReply& wallet, std::uint64_t chain_id,
                                             const Address& account) {
  for (std::size_t i = 0; i < wallet.account_count; i++)
    if (wallet.accounts[i].chain_id == chain_id && wallet.accounts[i].address == account) return &wallet.accounts[i];
  return nullptr;
}

bool has_account(const protocol::WalletDescribeReply& wallet, const Address& account) {
  for (std::size_t i = 0; i < wallet.account_count; i++)
    if (wallet.accounts[i].address == account) return true;
  return false;
}

// The session's own passkey where the wallet has it, else another one of the person's.
std::optional<accounts::InitPasskey> passkey_of(const protocol::WalletDescribeReply& wallet,
                                                const std::vector<users::PasskeyProfile>& own,
                                                const std::string& preferred) {
  std::optional<accounts::InitPasskey> found;
  for (const users::PasskeyProfile& passkey : own) {
    const Bytes32 hash = base::sha256(passkey.credential_id);
    for (std::size_t i = 0; i < wallet.passkey_count; i++) {
      if (wallet.passkeys[i].credential_hash != hash) continue;
      if (!found || passkey.profile_id == preferred)
        found = accounts::InitPasskey{wallet.passkeys[i].public_key, wallet.passkeys[i].rp_id_hash};
    }
  }
  return found;
}

bool has_account(const users::Wallet& wallet, const Address& account) {
  return std::any_of(wallet.accounts.begin(), wallet.accounts.end(),
                     [&account](const users::AccountOnChain& one) { return one.address == account; });
}

}  // namespace

Result<void> ArrivalsService::check(const NameRequest& request, const std::string& user_id) {
  if (!request.alias.empty())
    if (const auto good = users::check_name(request.alias, "/alias"); !good)
      return fail_field(good.error().field, good.error().message);
  if (base::is_zero(request.account)) return fail_field("/account", "nobody's address");
  if (find_chain(request.chain_id) == nullptr)
    return fail(ErrorCode::chain_unknown, "the node does not serve this chain");
  return take("name " + user_id, {kNamedPerHour, kHour});
}

Task<Result<std::optional<Arrival>>> ArrivalsService::find_named(std::string user_id, NameRequest request) {
  using Found = std::optional<Arrival>;
  auto read = [user_id, request](soci::session& sql) -> Result<Found> {
    if (auto same = store::arrival_of_request(sql, user_id, request.request_id)) return same;
    std::size_t open = 0;
    for (Arrival& one : store::arrivals(sql, user_id)) {
      if (one.state == State::arrived) continue;
      open++;
      if (one.chain_id == request.chain_id && one.account == request.account) return Found(std::move(one));
    }
    if (open >= kMaxOpen) return fail(ErrorCode::too_many_arrivals, "16 at most: take one back that does not come");
    return Found{};
  };
  co_return from_database(co_await d_.database.read(read));
}

// What the trusted core would refuse of a wallet is no reason to fail: another one is made.
Task<Result<std::optional<ArrivalsService::Chosen>>> ArrivalsService::choose(const users::Identity& identity,
                                                                             std::string wallet_id,
                                                                             const NameRequest& request, Fit fit) {
  const auto record = core::parse_uuid(wallet_id);
  if (!record) co_return std::nullopt;
  auto described = co_await d_.wallets.describe_wallet(*record, 0);
  if (!described) co_return from_core(described.error());
  const bool has_it = has_account(*described, request.account);
  const bool has_room = has_it || described->account_count < protocol::kMaxAccountsPerWallet;
  if ((fit == Fit::has_it && !has_it) || (fit == Fit::empty && described->account_count != 0) || !has_room)
    co_return std::nullopt;
  const auto own = co_await d_.people.passkeys(identity.person.user_id);
  if (!own) co_return tl::unexpected(own.error());
  const auto passkey = passkey_of(*described, *own, identity.session.profile_id);
  if (!passkey) co_return std::nullopt;
  Chosen out;
  out.wallet_id = std::move(wallet_id);
  out.passkey = *passkey;
  // One that comes home has the last key that this wallet gave it.
  if (const auto* account = find_account(*described, request.chain_id, request.account); account != nullptr)
    out.server_key_index = account->last_server_key_index;
  if (out.server_key_index != 0) {
    described = co_await d_.wallets.describe_wallet(*record, out.server_key_index);
    if (!described) co_return from_core(described.error());
  }
  out.server_key = described->server_key;
  co_return out;
}

Task<Result<std::optional<ArrivalsService::Chosen>>> ArrivalsService::find_wallet(const users::Identity& identity,
                                                                                  const NameRequest& request) {
  const std::string user_id = identity.person.user_id;
  const auto wallets = co_await d_.people.wallets(user_id);
  if (!wallets) co_return tl::unexpected(wallets.error());
  for (const users::Wallet& wallet : *wallets)
    if (has_account(wallet, request.account))
      co_return co_await choose(identity, wallet.wallet_id, request, Fit::has_room);
  auto read = [user_id](soci::session& sql) -> Result<std::vector<Arrival>> { return store::arrivals(sql, user_id); };
  const auto named = from_database(co_await d_.database.read(read));
  if (!named) co_return tl::unexpected(named.error());
  for (const Arrival& one : *named)
    if (one.account == request.account) co_return co_await choose(identity, one.wallet_id, request, Fit::has_room);
  const auto waiting = co_await d_.people.incoming_wallets(user_id);
  if (!waiting) co_return tl::unexpected(waiting.error());
  for (const Fit fit : {Fit::has_it, Fit::empty, Fit::has_room}) {
    for (const users::Wallet& wallet : *waiting) {
      const auto is_its = [&wallet](const Arrival& one) { return one.wallet_id == wallet.wallet_id; };
      if (std::any_of(named->begin(), named->end(), is_its)) continue;
      auto chosen = co_await choose(identity, wallet.wallet_id, request, fit);
      if (!chosen || *chosen) co_return chosen;
    }
  }
  co_return std::nullopt;
}

Task<Result<std::optional<Arrival>>> ArrivalsService::enter(const users::Identity& identity, const NameRequest& request,
                                                            Chosen chosen) {
  Arrival draft;
  draft.arrival_id = new_id();
  draft.user_id = identity.person.user_id;
  draft.wallet_id = std::move(chosen.wallet_id);
  draft.chain_id = request.chain_id;
  draft.account = request.account;
  draft.alias = request.alias;
  draft.passkey = chosen.passkey;
  draft.server_key_index = chosen.server_key_index;
  draft.server_key = chosen.server_key;
  draft.created_ms = d_.clock.now_ms();
  using Entered = std::optional<Arrival>;
  auto work = [draft, request_id = request.request_id](soci::session& sql) -> Result<Entered> {
    if (!store::is_person(sql, draft.user_id)) return fail(ErrorCode::not_found, "the person left");
    if (auto same = store::arrival_of_request(sql, draft.user_id, request_id)) return same;
    std::size_t open = 0;
    for (Arrival& one : store::arrivals(sql, draft.user_id)) {
      const bool is_same = one.chain_id == draft.chain_id && one.account == draft.account;
      // It left since, or is named for no reason: the new row takes the place of the old one.
      if (one.state == State::arrived && is_same) store::erase(sql, one.arrival_id);
      if (one.state == State::arrived) continue;
      open++;
      if (is_same) return Entered(std::move(one));
    }
    if (open >= kMaxOpen) return fail(ErrorCode::too_many_arrivals, "16 at most: take one back that does not come");
    if (store::has_other_account(sql, draft.wallet_id, draft.account)) return Entered{};
    store::insert(sql, request_id, draft);
    return Entered(draft);
  };
  co_return from_database(co_await d_.database.write(work));
}

Task<Result<ArrivalReport>> ArrivalsService::name(users::Identity identity, NameRequest request) {
  if (auto good = check(request, identity.person.user_id); !good) co_return tl::unexpected(good.error());
  auto known = co_await find_named(identity.person.user_id, request);
  if (!known) co_return tl::unexpected(known.error());
  if (*known) co_return co_await report(std::move(**known));
  auto chosen = co_await find_wallet(identity, request);
  if (!chosen) co_return tl::unexpected(chosen.error());
  std::optional<Arrival> entered;
  if (*chosen) {
    auto done = co_await enter(identity, request, std::move(**chosen));
    if (!done) co_return tl::unexpected(done.error());
    entered = std::move(*done);
  }
  if (!entered) {
    // Made before the row: whatever ends this program between both leaves a wallet that the next arrival takes.
    const auto made = co_await d_.people.make_wallet(identity, "arrival " + request.request_id);
    if (!made) co_return tl::unexpected(made.error());
    auto own = co_await choose(identity, made->wallet_id, request, Fit::has_room);
    if (!own) co_return tl::unexpected(own.error());
    if (!*own) co_return fail(ErrorCode::core_refused, "the wallet of this request serves another account");
    auto done = co_await enter(identity, request, std::move(**own));
    if (!done) co_return tl::unexpected(done.error());
    if (!*done) co_return fail(ErrorCode::core_refused, "the wallet of this request serves another account");
    entered = std::move(*done);
  }
  count("named");
  co_return co_await report(std::move(*entered));
}

}  // namespace community::arrivals
