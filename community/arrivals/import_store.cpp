// SPDX-License-Identifier: Apache-2.0
#include "community/arrivals/store.hpp"

namespace community::arrivals::store {
namespace {

template <std::size_t N>
std::array<std::uint8_t, N> fixed(const std::string& text) {
  auto bytes = core::parse_hex_array<N>(text, core::HexPrefix::optional);
  if (!bytes) throw soci::soci_error("a row of what was imported is damaged: " + bytes.error().message);
  return *bytes;
}

std::string accounts_text(const std::vector<ImportedAccount>& accounts) {
  core::json::array list;
  for (const ImportedAccount& one : accounts) {
    core::json::object account;
    account["chainId"] = one.chain_id;
    account["address"] = core::format_address(one.address);
    list.push_back(std::move(account));
  }
  return core::json::serialize(list);
}

std::vector<ImportedAccount> read_accounts(const std::string& text) {
  std::vector<ImportedAccount> out;
  const auto list = core::parse_json(text);
  if (!list || !list->is_array()) throw soci::soci_error("a row of what was imported is damaged");
  for (const core::json::value& one : list->get_array()) {
    if (!one.is_object()) throw soci::soci_error("a row of what was imported is damaged");
    const auto chain_id = core::number_member(one.get_object(), "chainId");
    const auto address = core::address_member(one.get_object(), "address");
    if (!chain_id || !address) throw soci::soci_error("a row of what was imported is damaged");
    out.push_back({chain_id->limb[0], *address});
  }
  return out;
}

std::vector<Import> fetch_imports(soci::statement& statement, const std::string& rest) {
  Import one;
  std::string accounts;
  long long exported = 0, created = 0, entries = 0, left_out = 0;
  for (std::string* text : {&one.import_id, &one.origin, &accounts}) statement.exchange(soci::into(*text));
  for (long long* number : {&exported, &created, &entries, &left_out}) statement.exchange(soci::into(*number));
  statement.alloc();
  statement.prepare(
      "SELECT import_id, origin, accounts, exported_at, created_at, entries, left_out FROM arrivals_imports " + rest);
  statement.define_and_bind();
  statement.execute();
  std::vector<Import> found;
  while (statement.fetch()) {
    one.exported_ms = exported;
    one.created_ms = created;
    one.entries = static_cast<std::size_t>(entries);
    one.left_out = static_cast<std::size_t>(left_out);
    one.accounts = read_accounts(accounts);
    found.push_back(one);
  }
  return found;
}

}  // namespace

std::vector<Import> imports(soci::session& sql, const std::string& user_id) {
  soci::statement statement(sql);
  statement.exchange(soci::use(user_id));
  return fetch_imports(statement, "WHERE user_id = :user ORDER BY created_at, import_id");
}

std::optional<Import> import_of_file(soci::session& sql, const std::string& user_id, const Bytes32& file_hash) {
  const std::string hash = core::to_plain_hex(file_hash);
  soci::statement statement(sql);
  statement.exchange(soci::use(user_id));
  statement.exchange(soci::use(hash));
  auto found = fetch_imports(statement, "WHERE user_id = :user AND file_hash = :hash");
  if (found.empty()) return std::nullopt;
  return std::move(found.front());
}

void insert(soci::session& sql, const std::string& user_id, const Bytes32& file_hash, const Import& import) {
  const std::string hash = core::to_plain_hex(file_hash), accounts = accounts_text(import.accounts);
  const long long exported = import.exported_ms, created = import.created_ms;
  const long long entries = static_cast<long long>(import.entries), left_out = static_cast<long long>(import.left_out);
  sql << "INSERT INTO arrivals_imports (import_id, user_id, file_hash, origin, exported_at, created_at, entries, "
         "left_out, accounts) VALUES (:id, :user, :hash, :origin, :exported, :created, :entries, :left, :accounts)",
      soci::use(import.import_id), soci::use(user_id), soci::use(hash), soci::use(import.origin), soci::use(exported),
      soci::use(created), soci::use(entries), soci::use(left_out), soci::use(accounts);
}

void insert(soci::session& sql, const std::string& user_id, std::vector<ImportedEntry>& entries) {
  long long sequence = 0, chain = 0, created = 0;
  sql << "SELECT COALESCE(MAX(sequence), 0) FROM arrivals_entries", soci::into(sequence);
  std::string account, hash, digest, summary, import_id, kind;
  soci::statement insertion =
      (sql.prepare << "INSERT INTO arrivals_entries (sequence, user_id, import_id, chain_id, account, kind, "
                      "created_at, transaction_hash, digest, summary, checked) VALUES (:sequence, :user, :import, "
                      ":chain, :account, :kind, :created, :hash, :digest, :summary, 0)",
       soci::use(sequence), soci::use(user_id), soci::use(import_id), soci::use(chain), soci::use(account),
       soci::use(kind), soci::use(created), soci::use(hash), soci::use(digest), soci::use(summary));
  for (ImportedEntry& entry : entries) {
    entry.sequence = static_cast<std::uint64_t>(++sequence);
    import_id = entry.import_id;
    chain = static_cast<long long>(entry.account.chain_id);
    account = core::to_plain_hex(entry.account.address);
    kind = entry.kind;
    created = entry.created_ms;
    hash = core::to_plain_hex(entry.transaction_hash);
    digest = core::to_plain_hex(entry.digest);
    summary = core::json::serialize(entry.summary);
    insertion.execute(true);
  }
}

bool erase_import(soci::session& sql, const std::string& user_id, const std::string& import_id) {
  long long found = 0;
  sql << "SELECT COUNT(*) FROM arrivals_imports WHERE user_id = :user AND import_id = :id", soci::use(user_id),
      soci::use(import_id), soci::into(found);
  if (found == 0) return false;
  sql << "DELETE FROM arrivals_entries WHERE import_id = :id", soci::use(import_id);
  sql << "DELETE FROM arrivals_imports WHERE import_id = :id", soci::use(import_id);
  return true;
}

std::string key_of(const ImportedEntry& entry) {
  return core::to_plain_hex(entry.transaction_hash) + core::to_plain_hex(entry.digest) +
         core::to_plain_hex(entry.account.address);
}

std::unordered_set<std::string> known_entries(soci::session& sql, const std::string& user_id) {
  std::string hash, digest, account;
  std::unordered_set<std::string> known;
  soci::statement rows =
      (sql.prepare << "SELECT transaction_hash, digest, account FROM arrivals_entries WHERE user_id = :user",
       soci::use(user_id), soci::into(hash), soci::into(digest), soci::into(account));
  rows.execute();
  while (rows.fetch()) known.insert(hash + digest + account);
  return known;
}

std::vector<ImportedEntry> entries(soci::session& sql, const std::string& user_id, const EntriesQuery& query) {
  ImportedEntry one;
  std::string account, hash, digest, summary;
  long long sequence = 0, chain = 0, created = 0;
  int checked = 0;
  const long long before = static_cast<long long>(query.before), limit = static_cast<long long>(query.limit);
  const std::string wanted = query.address ? core::to_plain_hex(*query.address) : std::string();
  soci::statement rows(sql);
  rows.exchange(soci::use(user_id));
  rows.exchange(soci::use(before));
  if (query.address) rows.exchange(soci::use(wanted));
  rows.exchange(soci::use(limit));
  rows.exchange(soci::into(sequence));
  for (std::string* text : {&one.import_id, &one.origin}) rows.exchange(soci::into(*text));
  rows.exchange(soci::into(chain));
  for (std::string* text : {&account, &one.kind}) rows.exchange(soci::into(*text));
  rows.exchange(soci::into(created));
  for (std::string* text : {&hash, &digest, &summary}) rows.exchange(soci::into(*text));
  rows.exchange(soci::into(checked));
  rows.alloc();
  rows.prepare(
      std::string("SELECT e.sequence, e.import_id, i.origin, e.chain_id, e.account, e.kind, e.created_at, "
                  "e.transaction_hash, e.digest, e.summary, e.checked FROM arrivals_entries e JOIN arrivals_imports i "
                  "ON i.import_id = e.import_id WHERE e.user_id = :user AND e.sequence < :before ") +
      (query.address ? "AND e.account = :account " : "") + "ORDER BY e.sequence DESC LIMIT :most");
  rows.define_and_bind();
  rows.execute();
  std::vector<ImportedEntry> found;
  while (rows.fetch()) {
    one.sequence = static_cast<std::uint64_t>(sequence);
    one.account = {static_cast<std::uint64_t>(chain), fixed<20>(account)};
    one.created_ms = created;
    one.transaction_hash = fixed<32>(hash);
    one.digest = fixed<32>(digest);
    auto read = core::parse_json(summary);
    if (!read || !read->is_array()) throw soci::soci_error("a row of what was imported is damaged");
    one.summary = std::move(read->get_array());
    one.checked = checked != 0;
    found.push_back(one);
  }
  return found;
}

void set_checked(soci::session& sql, const std::string& user_id, const std::vector<std::uint64_t>& sequences) {
  long long sequence = 0;
  soci::statement change =
      (sql.prepare << "UPDATE arrivals_entries SET checked = 1 WHERE user_id = :user AND sequence = :sequence",
       soci::use(user_id), soci::use(sequence));
  for (const std::uint64_t one : sequences) {
    sequence = static_cast<long long>(one);
    change.execute(true);
  }
}

}  // namespace community::arrivals::store
