// SPDX-License-Identifier: Apache-2.0
// Times are milliseconds since 1970; bytes are lower-case hex, empty for none.
#include "community/multisigs/store.hpp"

namespace community::multisigs {
namespace {

constexpr const char* kSchema = R"sql(
CREATE TABLE multisigs_kept (
  entry_id TEXT NOT NULL PRIMARY KEY,
  user_id TEXT NOT NULL REFERENCES users (user_id) ON DELETE CASCADE,
  chain_id BIGINT NOT NULL,
  address TEXT NOT NULL,
  name TEXT NOT NULL,
  init_data TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  UNIQUE (user_id, chain_id, address)
);
)sql";

constexpr const char* kSelect = "SELECT entry_id, chain_id, address, name, init_data, created_at FROM multisigs_kept ";

struct Row {
  std::string id, address, name, init_data;
  long long chain = 0, created = 0;

  void bind(soci::statement& statement) {
    statement.exchange(soci::into(id));
    statement.exchange(soci::into(chain));
    statement.exchange(soci::into(address));
    statement.exchange(soci::into(name));
    statement.exchange(soci::into(init_data));
    statement.exchange(soci::into(created));
  }
  KeptMultisig kept() const {
    auto at = core::parse_hex_array<20>(address, core::HexPrefix::optional);
    auto data = core::parse_hex(init_data, core::HexPrefix::optional);
    if (!at || !data) throw soci::soci_error("a row of multisigs_kept is damaged");
    return {id, static_cast<std::uint64_t>(chain), *at, name, std::move(*data), created};
  }
};

std::vector<KeptMultisig> fetch(soci::statement& statement, const std::string& rest) {
  Row row;
  row.bind(statement);
  statement.alloc();
  statement.prepare(kSelect + rest);
  statement.define_and_bind();
  statement.execute();
  std::vector<KeptMultisig> found;
  while (statement.fetch()) found.push_back(row.kept());
  return found;
}

}  // namespace

infra::MigrationSet multisigs_migrations() { return {"multisigs", {{1, "kept multisigs", kSchema}}}; }

namespace store {

std::vector<KeptMultisig> list(soci::session& sql, const std::string& user_id) {
  soci::statement statement(sql);
  statement.exchange(soci::use(user_id));
  return fetch(statement, "WHERE user_id = :user ORDER BY created_at, entry_id");
}

std::optional<KeptMultisig> find(soci::session& sql, const std::string& user_id, const std::string& multisig_id) {
  soci::statement statement(sql);
  statement.exchange(soci::use(user_id));
  statement.exchange(soci::use(multisig_id));
  auto found = fetch(statement, "WHERE user_id = :user AND entry_id = :id");
  if (found.empty()) return std::nullopt;
  return std::move(found.front());
}

void insert(soci::session& sql, const std::string& user_id, const KeptMultisig& entry) {
  const std::string address = core::to_plain_hex(entry.address), init_data = core::to_plain_hex(entry.init_data);
  const long long chain = static_cast<long long>(entry.chain_id), created = entry.created_ms;
  sql << "INSERT INTO multisigs_kept (entry_id, user_id, chain_id, address, name, init_data, created_at) VALUES "
         "(:id, :user, :chain, :address, :name, :init, :created)",
      soci::use(entry.multisig_id), soci::use(user_id), soci::use(chain), soci::use(address), soci::use(entry.name),
      soci::use(init_data), soci::use(created);
}

void set_name(soci::session& sql, const std::string& multisig_id, const std::string& name) {
  sql << "UPDATE multisigs_kept SET name = :name WHERE entry_id = :id", soci::use(name), soci::use(multisig_id);
}

void erase(soci::session& sql, const std::string& multisig_id) {
  sql << "DELETE FROM multisigs_kept WHERE entry_id = :id", soci::use(multisig_id);
}

bool is_person(soci::session& sql, const std::string& user_id) {
  long long found = 0;
  sql << "SELECT COUNT(*) FROM users WHERE user_id = :user", soci::use(user_id), soci::into(found);
  return found != 0;
}

}  // namespace store
}  // namespace community::multisigs
