// SPDX-License-Identifier: Apache-2.0
// Wallets as records: what an account's address follows from, and the founders' bindings, one an account.
#include "community/users/people_store.hpp"
#include "community/users/rows.hpp"

namespace community::users::store {
namespace {

struct OriginRow {
  std::string wallet_id, factory, entry_point, proxy_init_code_hash, init_data, server_key, escape_key;
  int saved = 0;
  long long created = 0;

  void bind(soci::statement& statement) {
    statement.exchange(soci::into(wallet_id));
    statement.exchange(soci::into(factory));
    statement.exchange(soci::into(entry_point));
    statement.exchange(soci::into(proxy_init_code_hash));
    statement.exchange(soci::into(init_data));
    statement.exchange(soci::into(server_key));
    statement.exchange(soci::into(escape_key));
    statement.exchange(soci::into(saved));
    statement.exchange(soci::into(created));
  }
  Wallet wallet() const {
    Wallet out;
    out.wallet_id = wallet_id;
    if (!init_data.empty())
      out.origin = WalletOrigin{fixed<20>(factory), fixed<20>(entry_point), fixed<32>(proxy_init_code_hash),
                                bytes(init_data),   fixed<20>(server_key),  fixed<20>(escape_key)};
    out.created_ms = created;
    out.recovery_file_saved = saved != 0;
    return out;
  }
};

std::vector<Wallet> fetch_origins(soci::statement& statement, const std::string& rest) {
  OriginRow row;
  row.bind(statement);
  statement.alloc();
  statement.prepare(
      "SELECT wallet_id, factory, entry_point, proxy_init_code_hash, init_data, server_key, escape_key, "
      "recovery_file_saved, created_at FROM wallet_origins " +
      rest);
  statement.define_and_bind();
  statement.execute();
  std::vector<Wallet> found;
  while (statement.fetch()) found.push_back(row.wallet());
  return found;
}

void add_accounts(soci::session& sql, Wallet& wallet) {
  std::string address;
  long long chain = 0, used = 0;
  int primary = 0;
  soci::statement statement =
      (sql.prepare << "SELECT wallet_address, chain_id, alias, is_primary, last_used_at FROM wallet_bindings "
                      "WHERE wallet_id = :id ORDER BY chain_id",
       soci::use(wallet.wallet_id), soci::into(address), soci::into(chain), soci::into(wallet.alias),
       soci::into(primary), soci::into(used));
  statement.execute();
  while (statement.fetch()) {
    wallet.accounts.push_back({static_cast<std::uint64_t>(chain), fixed<20>(address)});
    wallet.is_primary = primary != 0;
    wallet.last_used_ms = std::max<std::int64_t>(wallet.last_used_ms, used);
  }
  if (!wallet.accounts.empty()) wallet.address = wallet.accounts.front().address;
}

std::optional<Wallet> first(soci::session& sql, std::vector<Wallet> found) {
  if (found.empty()) return std::nullopt;
  add_accounts(sql, found.front());
  return std::move(found.front());
}

}  // namespace

void insert(soci::session& sql, const NewWallet& wanted) {
  const Wallet& w = wanted.wallet;
  const WalletOrigin origin = w.origin.value_or(WalletOrigin{});
  const std::string factory = hex(origin.factory), entry_point = hex(origin.entry_point);
  const std::string proxy = hex(origin.proxy_init_code_hash), init_data = hex(origin.init_data);
  const std::string server_key = hex(origin.server_key), escape_key = hex(origin.escape_key), path;
  const int saved = w.recovery_file_saved ? 1 : 0, primary = w.is_primary ? 1 : 0;
  const long long created = w.created_ms, used = w.last_used_ms;
  sql << "INSERT INTO wallet_origins (wallet_id, user_id, request_id, profile_id, factory, entry_point, "
         "proxy_init_code_hash, init_data, server_key, escape_key, recovery_file_saved, created_at) VALUES "
         "(:id, :user, :request, :profile, :factory, :entry, :proxy, :init, :server, :escape, :saved, :created)",
      soci::use(w.wallet_id), soci::use(wanted.user_id), soci::use(wanted.request_id), soci::use(wanted.profile_id),
      soci::use(factory), soci::use(entry_point), soci::use(proxy), soci::use(init_data), soci::use(server_key),
      soci::use(escape_key), soci::use(saved), soci::use(created);
  for (std::size_t i = 0; i < w.accounts.size(); i++) {
    const std::string address = hex(w.accounts[i].address);
    const long long chain = static_cast<long long>(w.accounts[i].chain_id);
    sql << "INSERT INTO wallet_bindings (binding_id, user_id, wallet_id, wallet_address, chain_id, derivation_path, "
           "alias, is_primary, created_at, last_used_at) VALUES (:id, :user, :wallet, :address, :chain, :path, :alias, "
           ":primary, :created, :used)",
        soci::use(wanted.binding_ids[i]), soci::use(wanted.user_id), soci::use(w.wallet_id), soci::use(address),
        soci::use(chain), soci::use(path), soci::use(w.alias), soci::use(primary), soci::use(created), soci::use(used);
  }
}

std::vector<Wallet> wallets(soci::session& sql, const std::string& user_id) {
  soci::statement statement(sql);
  statement.exchange(soci::use(user_id));
  std::vector<Wallet> found = fetch_origins(statement, "WHERE user_id = :user ORDER BY created_at, wallet_id");
  for (Wallet& wallet : found) add_accounts(sql, wallet);
  std::stable_partition(found.begin(), found.end(), [](const Wallet& wallet) { return wallet.is_primary; });
  return found;
}

std::optional<Wallet> wallet(soci::session& sql, const std::string& user_id, const std::string& wallet_id) {
  soci::statement statement(sql);
  statement.exchange(soci::use(user_id));
  statement.exchange(soci::use(wallet_id));
  return first(sql, fetch_origins(statement, "WHERE user_id = :user AND wallet_id = :wallet"));
}

std::string owner(soci::session& sql, const AccountOnChain& account) {
  const std::string address = hex(account.address);
  const long long chain = static_cast<long long>(account.chain_id);
  std::string user_id;
  sql << "SELECT user_id FROM wallet_bindings WHERE wallet_address = :address AND chain_id = :chain",
      soci::use(address), soci::use(chain), soci::into(user_id);
  return user_id;
}

std::optional<Wallet> wallet_of_request(soci::session& sql, const std::string& user_id, const std::string& request_id) {
  soci::statement statement(sql);
  statement.exchange(soci::use(user_id));
  statement.exchange(soci::use(request_id));
  return first(sql, fetch_origins(statement, "WHERE user_id = :user AND request_id = :request"));
}

std::optional<std::string> remove_other_binding(soci::session& sql, const AccountOnChain& account,
                                                const std::string& wallet_id) {
  const std::string address = hex(account.address);
  const long long chain = static_cast<long long>(account.chain_id);
  std::string binding_id, user_id;
  sql << "SELECT binding_id, user_id FROM wallet_bindings WHERE wallet_address = :address AND chain_id = :chain AND "
         "wallet_id <> :wallet",
      soci::use(address), soci::use(chain), soci::use(wallet_id), soci::into(binding_id), soci::into(user_id);
  if (!sql.got_data()) return std::nullopt;
  sql << "DELETE FROM wallet_bindings WHERE binding_id = :id", soci::use(binding_id);
  return user_id;
}

void insert_binding(soci::session& sql, const ArrivedAccount& arrived, const std::string& binding_id) {
  const std::string address = hex(arrived.account.address), path;
  const long long chain = static_cast<long long>(arrived.account.chain_id), now = arrived.now_ms, never = 0;
  long long there = 0;
  sql << "SELECT COUNT(*) FROM wallet_bindings WHERE wallet_address = :address AND chain_id = :chain",
      soci::use(address), soci::use(chain), soci::into(there);
  if (there != 0) return;
  // Alias and rank are the wallet's, in each of its rows.
  std::string alias = arrived.alias;
  int primary = 0;
  sql << "SELECT alias, is_primary FROM wallet_bindings WHERE wallet_id = :wallet LIMIT 1",
      soci::use(arrived.wallet_id), soci::into(alias), soci::into(primary);
  if (!sql.got_data()) alias = arrived.alias;
  sql << "INSERT INTO wallet_bindings (binding_id, user_id, wallet_id, wallet_address, chain_id, derivation_path, "
         "alias, is_primary, created_at, last_used_at) VALUES (:id, :user, :wallet, :address, :chain, :path, :alias, "
         ":primary, :created, :used)",
      soci::use(binding_id), soci::use(arrived.user_id), soci::use(arrived.wallet_id), soci::use(address),
      soci::use(chain), soci::use(path), soci::use(alias), soci::use(primary), soci::use(now), soci::use(never);
}

std::vector<OwnedWallet> wallets_without_account(soci::session& sql, std::uint64_t chain_id, const std::string& after,
                                                 std::size_t most) {
  const long long chain = static_cast<long long>(chain_id), limit = static_cast<long long>(most);
  std::vector<OwnedWallet> found;
  std::string user_id, wallet_id;
  soci::statement statement =
      (sql.prepare
           << "SELECT o.user_id, o.wallet_id FROM wallet_origins o WHERE o.wallet_id > :after AND o.init_data <> "
              "'' AND EXISTS (SELECT 1 FROM wallet_bindings b WHERE b.wallet_id = o.wallet_id) AND NOT EXISTS "
              "(SELECT 1 FROM wallet_bindings c, wallet_bindings d WHERE c.wallet_id = o.wallet_id AND "
              "d.wallet_address = c.wallet_address AND d.chain_id = :chain) ORDER BY o.wallet_id LIMIT :most",
       soci::use(after), soci::use(chain), soci::use(limit), soci::into(user_id), soci::into(wallet_id));
  statement.execute();
  std::vector<std::pair<std::string, std::string>> ids;
  while (statement.fetch()) ids.emplace_back(user_id, wallet_id);
  for (const auto& [owner, id] : ids)
    if (auto one = wallet(sql, owner, id)) found.push_back({owner, std::move(*one)});
  return found;
}

long long count_wallets(soci::session& sql, const std::string& user_id) {
  long long made = 0, on_their_way = 0;
  sql << "SELECT COUNT(*) FROM wallet_origins WHERE user_id = :user", soci::use(user_id), soci::into(made);
  sql << "SELECT COUNT(*) FROM wallet_intents WHERE user_id = :user", soci::use(user_id), soci::into(on_their_way);
  return made + on_their_way;
}

void note_wallet_used(soci::session& sql, const std::string& wallet_id, std::uint64_t chain_id, std::int64_t now_ms) {
  const long long chain = static_cast<long long>(chain_id), now = now_ms;
  sql << "UPDATE wallet_bindings SET last_used_at = :now WHERE wallet_id = :wallet AND chain_id = :chain",
      soci::use(now), soci::use(wallet_id), soci::use(chain);
}

void set_alias(soci::session& sql, const std::string& wallet_id, const std::string& alias) {
  sql << "UPDATE wallet_bindings SET alias = :alias WHERE wallet_id = :id", soci::use(alias), soci::use(wallet_id);
}

void set_primary(soci::session& sql, const std::string& user_id, const std::string& wallet_id) {
  sql << "UPDATE wallet_bindings SET is_primary = 0 WHERE user_id = :user AND wallet_id <> :id", soci::use(user_id),
      soci::use(wallet_id);
  sql << "UPDATE wallet_bindings SET is_primary = 1 WHERE user_id = :user AND wallet_id = :id", soci::use(user_id),
      soci::use(wallet_id);
}

void set_recovery_file_saved(soci::session& sql, const std::string& wallet_id) {
  sql << "UPDATE wallet_origins SET recovery_file_saved = 1 WHERE wallet_id = :id", soci::use(wallet_id);
}

}  // namespace community::users::store
