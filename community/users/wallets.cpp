// SPDX-License-Identifier: Apache-2.0
// Wallets: written down as an intent, made by the trusted core, entered with everything that belongs to them. Each step
// may be repeated, by whoever comes.
#include "community/accounts/api/account.hpp"
#include "community/infra/api/log.hpp"
#include "community/users/service.hpp"
#include "trusted/base/keccak.hpp"

namespace community::users {
namespace {

accounts::AccountInit init_of(const store::WalletIntent& intent, const Bytes32& rp_id_hash, const Address& server_key) {
  accounts::AccountInit init;
  init.passkeys.push_back({intent.passkey.public_key, rp_id_hash});
  init.server_key = server_key;
  init.escape_key = intent.escape_key;
  init.recovery_delay_s = intent.rules.recovery_delay_s;
  for (const AccountChain& chain : intent.chains) {
    init.gas_caps.push_back({chain.chain_id, intent.rules.gas_cap});
    init.limits.push_back({chain.chain_id, {}, intent.rules.daily_limit});
  }
  init.salt = core::Uint256::from_be(intent.salt);
  return init;
}

// The contract's daily limit is the bound that counts; the trusted core's lets queued spends through.
protocol::Policy policy_of(const AccountRules& rules) {
  protocol::Policy policy;
  policy.call_value_cap = policy.operation_value_cap = core::max_of_bits(128);
  policy.cost_cap = rules.gas_cap;
  return policy;
}

PersonEvent wallet_event(EventName name, const std::string& user_id, const Wallet& wallet, std::int64_t now_ms) {
  core::json::object details;
  details["walletId"] = wallet.wallet_id;
  if (!wallet.accounts.empty()) details["address"] = core::format_address(wallet.address);
  return {name, user_id, std::move(details), now_ms};
}

}  // namespace

store::WalletIntent UsersService::new_intent(const std::string& user_id, const std::string& request_id,
                                             PasskeyProfile passkey, const Address& escape_key) {
  store::WalletIntent intent;
  d_.random.fill(intent.tag);
  d_.random.fill(intent.salt);
  intent.user_id = user_id;
  intent.request_id = request_id;
  intent.passkey = std::move(passkey);
  intent.escape_key = escape_key;
  intent.rules = options_.rules;
  intent.chains = options_.chains;
  intent.created_ms = d_.clock.now_ms();
  return intent;
}

Task<Result<void>> UsersService::fulfil(store::WalletIntent intent) {
  const auto begin = std::chrono::steady_clock::now();
  auto wallet = co_await ask_core(intent);
  if (!wallet) co_return tl::unexpected(wallet.error());
  auto entered = co_await enter(std::move(intent), std::move(*wallet));
  if (!entered) co_return tl::unexpected(entered.error());
  if (*entered) {
    count("community_users_wallets_created_total", "Wallets made in the trusted core and entered for a person.");
    if (d_.metrics != nullptr)
      d_.metrics
          ->histogram("community_users_wallet_creation_seconds", "From the intent to the entered wallet.",
                      infra::Buckets::seconds)
          .observe(std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
  }
  co_return Result<void>{};
}

Task<Result<Wallet>> UsersService::ask_core(const store::WalletIntent& intent) {
  const Bytes32 rp_id_hash = base::sha256(base::view(options_.rp_id));
  keys::Passkey passkey{intent.passkey.credential_id, intent.passkey.public_key, rp_id_hash};
  const auto made =
      co_await d_.tagged_wallets.create_wallet_once(intent.tag, std::move(passkey), policy_of(intent.rules));
  if (!made) co_return from_core(made.error());
  const accounts::AccountInit init = init_of(intent, rp_id_hash, made->server_key);
  if (intent.is_incoming()) {
    Wallet empty;
    empty.wallet_id = core::format_uuid(made->id);
    empty.created_ms = intent.created_ms;
    co_return empty;
  }
  if (auto good = accounts::check_init(init); !good) co_return fail(ErrorCode::core_refused, good.error().message);
  auto init_data = accounts::encode_init_data(init);
  if (!init_data) co_return fail(ErrorCode::core_refused, init_data.error().message);
  const AccountChain& first = intent.chains.front();
  Wallet wallet;
  wallet.wallet_id = core::format_uuid(made->id);
  wallet.alias = intent.alias;
  wallet.address = accounts::account_address(first.factory, first.proxy_init_code_hash, *init_data);
  wallet.created_ms = intent.created_ms;
  wallet.origin = WalletOrigin{first.factory,         first.entry_point, first.proxy_init_code_hash,
                               std::move(*init_data), made->server_key,  intent.escape_key};
  for (const AccountChain& chain : intent.chains) {
    const auto bound = co_await bind(*made, wallet, chain.chain_id);
    if (!bound) co_return tl::unexpected(bound.error());
    wallet.accounts.push_back({chain.chain_id, wallet.address});
  }
  co_return wallet;
}

// A binding whose answer was lost is found again by what it was made of.
Task<Result<void>> UsersService::bind(keys::WalletInfo made, const Wallet& wallet, std::uint64_t chain_id) {
  keys::AccountBindRequest request;
  request.wallet = made.id;
  request.chain_id = chain_id;
  request.init_data = wallet.origin->init_data;
  const auto bound = co_await d_.wallets.bind_account(std::move(request));
  if (bound && *bound == wallet.address) co_return Result<void>{};
  if (bound) co_return fail(ErrorCode::core_refused, "the trusted core and this node compute different addresses");
  const keys::Error& error = bound.error();
  if (error.code != keys::ErrorCode::refused || error.refusal != protocol::Error::account_exists)
    co_return from_core(error);
  const auto described = co_await d_.wallets.describe_wallet(made.id, 0);
  if (!described) co_return from_core(described.error());
  const Bytes32 hash = base::keccak256(wallet.origin->init_data);
  for (std::size_t i = 0; i < described->account_count; i++) {
    const protocol::AccountBinding& account = described->accounts[i];
    if (account.chain_id == chain_id && account.address == wallet.address && account.init_data_hash == hash)
      co_return Result<void>{};
  }
  co_return from_core(error);
}

// False when somebody else entered it first.
Task<Result<bool>> UsersService::enter(store::WalletIntent intent, Wallet wallet) {
  std::vector<std::string> binding_ids;
  for (std::size_t i = 0; i < wallet.accounts.size(); i++) binding_ids.push_back(new_id());
  const bool registers = intent.registers;
  auto work = [intent = std::move(intent), wallet = std::move(wallet), binding_ids = std::move(binding_ids),
               now = d_.clock.now_ms(), journal = &d_.journal](soci::session& sql) -> Result<bool> {
    if (!store::intent(sql, intent.tag)) return false;
    if (intent.registers) enter_person(sql, intent, wallet.wallet_id, now, *journal);
    store::NewWallet entered{intent.user_id, intent.request_id, intent.passkey.profile_id, wallet, binding_ids};
    entered.wallet.is_primary = intent.registers;
    store::insert(sql, entered);
    store::remove_intent(sql, intent.tag);
    journal->record(sql, wallet_event(EventName::WalletCreated, intent.user_id, wallet, now));
    return true;
  };
  auto entered = from_database(co_await d_.database.write(work));
  if (entered && *entered && registers) count("community_users_registrations_total", "People who registered.");
  co_return entered;
}

// --- a person's wallets ----------------------------------------------------------------------------------------------

Task<Result<std::vector<Wallet>>> UsersService::all_wallets(std::string user_id) {
  auto read = [user_id](soci::session& sql) -> Result<std::vector<Wallet>> { return store::wallets(sql, user_id); };
  co_return from_database(co_await d_.database.read_short(read));
}

Task<Result<std::vector<Wallet>>> UsersService::get_user_wallets(std::string user_id) {
  auto found = co_await all_wallets(std::move(user_id));
  if (found) std::erase_if(*found, [](const Wallet& wallet) { return wallet.accounts.empty(); });
  co_return found;
}

Task<Result<std::optional<std::string>>> UsersService::owner(AccountOnChain account) {
  auto read = [account](soci::session& sql) -> Result<std::optional<std::string>> {
    std::string found = store::owner(sql, account);
    return found.empty() ? std::optional<std::string>() : std::optional<std::string>(std::move(found));
  };
  co_return from_database(co_await d_.database.read_short(read));
}

Task<Result<Wallet>> UsersService::wallet(std::string user_id, std::string wallet_id) {
  auto read = [user_id, wallet_id](soci::session& sql) -> Result<Wallet> {
    auto found = store::wallet(sql, user_id, wallet_id);
    if (!found || found->accounts.empty()) return fail(ErrorCode::not_found);
    return std::move(*found);
  };
  co_return from_database(co_await d_.database.read_short(read));
}

Task<Result<Wallet>> UsersService::create_wallet(Identity identity, WalletRequest request) {
  if (!request.alias.empty())
    if (auto good = check_name(request.alias, "/alias"); !good) co_return tl::unexpected(good.error());
  if (base::is_zero(request.escape_key)) co_return fail_field("/escapeKey", "nobody has the key of this address");
  store::WalletIntent draft = new_intent(identity.person.user_id, request.request_id, {}, request.escape_key);
  draft.alias = request.alias;
  auto begun = co_await begin_intent(std::move(draft), identity.session.profile_id);
  if (!begun) co_return tl::unexpected(begun.error());
  if (*begun)
    if (auto done = co_await fulfil(std::move(**begun)); !done) co_return tl::unexpected(done.error());
  co_return co_await wallet_of_request(identity.person.user_id, request.request_id);
}

Task<Result<std::optional<store::WalletIntent>>> UsersService::begin_intent(store::WalletIntent draft,
                                                                            std::string profile_id) {
  using Begun = std::optional<store::WalletIntent>;
  auto work = [draft = std::move(draft), profile_id](soci::session& sql) -> Result<Begun> {
    if (store::wallet_of_request(sql, draft.user_id, draft.request_id)) return Begun{};
    if (auto known = store::intent_of_request(sql, draft.user_id, draft.request_id)) return known;
    if (store::count_wallets(sql, draft.user_id) >= static_cast<long long>(kMaxWallets))
      return fail(ErrorCode::too_many_wallets);
    auto passkey = store::passkey(sql, draft.user_id, profile_id);
    if (!passkey || !passkey->is_active) return fail(ErrorCode::not_logged_in);
    store::WalletIntent intent = draft;
    intent.passkey = std::move(*passkey);
    store::insert(sql, intent);
    return Begun{std::move(intent)};
  };
  co_return from_database(co_await d_.database.write(work));
}

Task<Result<Wallet>> UsersService::wallet_of_request(std::string user_id, std::string request_id) {
  auto read = [user_id, request_id](soci::session& sql) -> Result<Wallet> {
    auto found = store::wallet_of_request(sql, user_id, request_id);
    if (!found) return fail(ErrorCode::not_found);
    return std::move(*found);
  };
  co_return from_database(co_await d_.database.read(read));
}

Task<Result<Wallet>> UsersService::update_wallet(std::string user_id, std::string wallet_id, WalletChange change) {
  if (change.alias && !change.alias->empty())
    if (auto good = check_name(*change.alias, "/alias"); !good) co_return tl::unexpected(good.error());
  auto work = [user_id, wallet_id, change, now = d_.clock.now_ms(),
               journal = &d_.journal](soci::session& sql) -> Result<Wallet> {
    const auto known = store::wallet(sql, user_id, wallet_id);
    if (!known || known->accounts.empty()) return fail(ErrorCode::not_found);
    if (change.alias) store::set_alias(sql, wallet_id, *change.alias);
    if (change.make_primary) store::set_primary(sql, user_id, wallet_id);
    if (change.recovery_file_saved) store::set_recovery_file_saved(sql, wallet_id);
    Wallet changed = store::wallet(sql, user_id, wallet_id).value();
    journal->record(sql, wallet_event(EventName::WalletChanged, user_id, changed, now));
    return changed;
  };
  co_return from_database(co_await d_.database.write(work));
}

}  // namespace community::users
