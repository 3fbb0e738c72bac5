// SPDX-License-Identifier: Apache-2.0
// Times are milliseconds since 1970, 0 for never; bytes are lower-case hex; an empty text means that there is none.
#include "community/arrivals/store.hpp"

namespace community::arrivals {
namespace {

constexpr const char* kSchema = R"sql(
CREATE TABLE arrivals_accounts (
  arrival_id TEXT NOT NULL PRIMARY KEY,
  user_id TEXT NOT NULL REFERENCES users (user_id) ON DELETE CASCADE,
  request_id TEXT NOT NULL,
  wallet_id TEXT NOT NULL,
  chain_id BIGINT NOT NULL,
  account TEXT NOT NULL,
  alias TEXT NOT NULL,
  state INTEGER NOT NULL,
  passkey TEXT NOT NULL,
  rp_id_hash TEXT NOT NULL,
  server_key_index BIGINT NOT NULL,
  server_key TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  arrived_at BIGINT NOT NULL,
  UNIQUE (user_id, request_id)
);
CREATE INDEX arrivals_accounts_state ON arrivals_accounts (state, chain_id, arrival_id);
CREATE TABLE arrivals_imports (
  import_id TEXT NOT NULL PRIMARY KEY,
  user_id TEXT NOT NULL REFERENCES users (user_id) ON DELETE CASCADE,
  file_hash TEXT NOT NULL,
  origin TEXT NOT NULL,
  exported_at BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  entries BIGINT NOT NULL,
  left_out BIGINT NOT NULL,
  accounts TEXT NOT NULL,
  UNIQUE (user_id, file_hash)
);
CREATE TABLE arrivals_entries (
  sequence BIGINT NOT NULL PRIMARY KEY,
  user_id TEXT NOT NULL REFERENCES users (user_id) ON DELETE CASCADE,
  import_id TEXT NOT NULL REFERENCES arrivals_imports (import_id) ON DELETE CASCADE,
  chain_id BIGINT NOT NULL,
  account TEXT NOT NULL,
  kind TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  transaction_hash TEXT NOT NULL,
  digest TEXT NOT NULL,
  summary TEXT NOT NULL,
  checked INTEGER NOT NULL
);
CREATE INDEX arrivals_entries_user ON arrivals_entries (user_id, sequence);
CREATE INDEX arrivals_entries_import ON arrivals_entries (import_id);
)sql";

constexpr const char* kSelect =
    "SELECT arrival_id, user_id, wallet_id, chain_id, account, alias, state, passkey, rp_id_hash, server_key_index, "
    "server_key, created_at, arrived_at FROM arrivals_accounts ";

template <std::size_t N>
std::array<std::uint8_t, N> fixed(const std::string& text) {
  auto bytes = core::parse_hex_array<N>(text, core::HexPrefix::optional);
  if (!bytes) throw soci::soci_error("a row of the tables of arrivals is damaged: " + bytes.error().message);
  return *bytes;
}

struct Row {
  std::string id, user, wallet, account, alias, passkey, rp_id_hash, server_key;
  long long chain = 0, index = 0, created = 0, arrived = 0;
  int state = 0;

  void bind(soci::statement& statement) {
    for (std::string* text : {&id, &user, &wallet}) statement.exchange(soci::into(*text));
    statement.exchange(soci::into(chain));
    for (std::string* text : {&account, &alias}) statement.exchange(soci::into(*text));
    statement.exchange(soci::into(state));
    for (std::string* text : {&passkey, &rp_id_hash}) statement.exchange(soci::into(*text));
    statement.exchange(soci::into(index));
    statement.exchange(soci::into(server_key));
    statement.exchange(soci::into(created));
    statement.exchange(soci::into(arrived));
  }
  Arrival arrival() const {
    Arrival out;
    out.arrival_id = id;
    out.user_id = user;
    out.wallet_id = wallet;
    out.chain_id = static_cast<std::uint64_t>(chain);
    out.account = fixed<20>(account);
    out.alias = alias;
    out.state = static_cast<State>(state);
    out.passkey = {fixed<64>(passkey), fixed<32>(rp_id_hash)};
    out.server_key_index = static_cast<std::uint32_t>(index);
    out.server_key = fixed<20>(server_key);
    out.created_ms = created;
    out.arrived_ms = arrived;
    return out;
  }
};

std::vector<Arrival> fetch(soci::statement& statement, const std::string& rest) {
  Row row;
  row.bind(statement);
  statement.alloc();
  statement.prepare(kSelect + rest);
  statement.define_and_bind();
  statement.execute();
  std::vector<Arrival> found;
  while (statement.fetch()) found.push_back(row.arrival());
  return found;
}

std::optional<Arrival> first(std::vector<Arrival> found) {
  if (found.empty()) return std::nullopt;
  return std::move(found.front());
}

}  // namespace

infra::MigrationSet arrivals_migrations() {
  return {"arrivals", {{1, "accounts and history that people bring", kSchema}}};
}

namespace store {

std::vector<Arrival> arrivals(soci::session& sql, const std::string& user_id) {
  soci::statement statement(sql);
  statement.exchange(soci::use(user_id));
  return fetch(statement, "WHERE user_id = :user ORDER BY created_at, arrival_id");
}

std::optional<Arrival> arrival(soci::session& sql, const std::string& user_id, const std::string& arrival_id) {
  soci::statement statement(sql);
  statement.exchange(soci::use(user_id));
  statement.exchange(soci::use(arrival_id));
  return first(fetch(statement, "WHERE user_id = :user AND arrival_id = :id"));
}

std::optional<Arrival> arrival_of_request(soci::session& sql, const std::string& user_id,
                                          const std::string& request_id) {
  soci::statement statement(sql);
  statement.exchange(soci::use(user_id));
  statement.exchange(soci::use(request_id));
  return first(fetch(statement, "WHERE user_id = :user AND request_id = :request"));
}

std::vector<Arrival> expected(soci::session& sql, std::uint64_t chain_id, const std::string& after, std::size_t most) {
  const long long chain = static_cast<long long>(chain_id), limit = static_cast<long long>(most);
  const int state = static_cast<int>(State::expected);
  soci::statement statement(sql);
  statement.exchange(soci::use(state));
  statement.exchange(soci::use(chain));
  statement.exchange(soci::use(after));
  statement.exchange(soci::use(limit));
  return fetch(statement,
               "WHERE state = :state AND chain_id = :chain AND arrival_id > :after ORDER BY arrival_id LIMIT :most");
}

long long count_open(soci::session& sql) {
  const int arrived = static_cast<int>(State::arrived);
  long long count = 0;
  sql << "SELECT COUNT(*) FROM arrivals_accounts WHERE state <> :arrived", soci::use(arrived), soci::into(count);
  return count;
}

void insert(soci::session& sql, const std::string& request_id, const Arrival& a) {
  const std::string account = core::to_plain_hex(a.account), passkey = core::to_plain_hex(a.passkey.public_key);
  const std::string rp_id_hash = core::to_plain_hex(a.passkey.rp_id_hash);
  const std::string server_key = core::to_plain_hex(a.server_key);
  const long long chain = static_cast<long long>(a.chain_id), index = a.server_key_index;
  const long long created = a.created_ms, arrived = a.arrived_ms;
  const int state = static_cast<int>(a.state);
  sql << "INSERT INTO arrivals_accounts (arrival_id, user_id, request_id, wallet_id, chain_id, account, alias, state, "
         "passkey, rp_id_hash, server_key_index, server_key, created_at, arrived_at) VALUES (:id, :user, :request, "
         ":wallet, :chain, :account, :alias, :state, :passkey, :rp, :key_index, :server, :created, :arrived)",
      soci::use(a.arrival_id), soci::use(a.user_id), soci::use(request_id), soci::use(a.wallet_id), soci::use(chain),
      soci::use(account), soci::use(a.alias), soci::use(state), soci::use(passkey), soci::use(rp_id_hash),
      soci::use(index), soci::use(server_key), soci::use(created), soci::use(arrived);
}

void update(soci::session& sql, const Arrival& a) {
  const int state = static_cast<int>(a.state);
  const long long arrived = a.arrived_ms;
  sql << "UPDATE arrivals_accounts SET state = :state, arrived_at = :arrived WHERE arrival_id = :id", soci::use(state),
      soci::use(arrived), soci::use(a.arrival_id);
}

void erase(soci::session& sql, const std::string& arrival_id) {
  sql << "DELETE FROM arrivals_accounts WHERE arrival_id = :id", soci::use(arrival_id);
}

void erase_arrived(soci::session& sql, const Arrival& but) {
  const int state = static_cast<int>(State::arrived);
  const long long chain = static_cast<long long>(but.chain_id);
  const std::string account = core::to_plain_hex(but.account);
  sql << "DELETE FROM arrivals_accounts WHERE chain_id = :chain AND account = :account AND state = :state AND "
         "arrival_id <> :id",
      soci::use(chain), soci::use(account), soci::use(state), soci::use(but.arrival_id);
}

bool is_person(soci::session& sql, const std::string& user_id) {
  long long found = 0;
  sql << "SELECT COUNT(*) FROM users WHERE user_id = :user", soci::use(user_id), soci::into(found);
  return found != 0;
}

std::optional<std::string> holder(soci::session& sql, std::uint64_t chain_id, const Address& account) {
  const std::string address = core::to_plain_hex(account);
  const long long chain = static_cast<long long>(chain_id);
  std::string wallet_id;
  sql << "SELECT wallet_id FROM wallet_bindings WHERE wallet_address = :address AND chain_id = :chain",
      soci::use(address), soci::use(chain), soci::into(wallet_id);
  if (!sql.got_data()) return std::nullopt;
  return wallet_id;
}

bool has_other_account(soci::session& sql, const std::string& wallet_id, const Address& account) {
  const std::string address = core::to_plain_hex(account);
  long long bound = 0, named = 0;
  sql << "SELECT COUNT(*) FROM wallet_bindings WHERE wallet_id = :wallet AND wallet_address <> :address",
      soci::use(wallet_id), soci::use(address), soci::into(bound);
  sql << "SELECT COUNT(*) FROM arrivals_accounts WHERE wallet_id = :wallet AND account <> :address",
      soci::use(wallet_id), soci::use(address), soci::into(named);
  return bound + named != 0;
}

}  // namespace store
}  // namespace community::arrivals
