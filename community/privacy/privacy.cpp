// SPDX-License-Identifier: Apache-2.0
// Everything here is made of the model: no table is named but for what a key's place is told from.
#include "community/privacy/factory.hpp"

#include <soci/soci.h>

#include <charconv>

#include "community/infra/api/log.hpp"
#include "community/privacy/api/model.hpp"

namespace community::privacy {
namespace {

using infra::BodyWriter;
using infra::HttpResponse;

// Where an export goes on: behind the last row's key. Nothing: at the first.
struct Page {
  json::array rows;
  std::optional<std::string> last;
  bool is_last = false;
};

bool is_number(const Table& table) {
  for (const Column& column : table.columns)
    if (column.name == table.key) return column.kind == ColumnKind::number;
  return false;
}

long long number(const std::string& text) {
  long long value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size())
    throw soci::soci_error("a number of a person's row is none");
  return value;
}

json::value shown(const Column& column, const std::string& text) {
  switch (column.kind) {
    case ColumnKind::text:
      return json::value(text);
    case ColumnKind::number:
      return number(text);
    case ColumnKind::flag:
      return number(text) != 0;
    case ColumnKind::time:
      if (number(text) == 0) return nullptr;
      return json::value(audit::format_time_ms(number(text)));
    case ColumnKind::json:
      break;
  }
  auto value = core::parse_json(text);
  return value ? std::move(*value) : json::value(text);
}

// Constants of the model alone; the person's id is bound.
std::string rows_of(const Table& table) { return std::string(table.name) + " WHERE " + std::string(table.rows); }

// Rows of the person behind `after`, at most `kExportPage`.
Page read_page(soci::session& sql, const Table& table, const std::string& user_id,
               const std::optional<std::string>& after) {
  std::vector<const Column*> columns;
  for (const Column& column : table.columns)
    if (column.protection == Protection::clear) columns.push_back(&column);
  const std::string key(table.key);
  // Nothing but constants of the model.
  // Names of their own: PostgreSQL would order by a text that has its column's name.
  std::string rest = "CAST(" + key + " AS TEXT) AS c";
  for (std::size_t i = 0; i < columns.size(); i++)
    rest += ", CAST(" + std::string(columns[i]->name) + " AS TEXT) AS c" + std::to_string(i);
  rest += " FROM " + rows_of(table);
  if (after) rest += " AND " + key + " > :after";
  rest += " ORDER BY " + key + " LIMIT :most";
  const long long most = kExportPage, after_number = after && is_number(table) ? number(*after) : 0;
  std::string found;
  std::vector<std::string> values(columns.size());
  soci::statement statement(sql);
  statement.exchange(soci::use(user_id));
  if (after && is_number(table)) statement.exchange(soci::use(after_number));
  if (after && !is_number(table)) statement.exchange(soci::use(*after));
  statement.exchange(soci::use(most));
  statement.exchange(soci::into(found));
  for (std::string& value : values) statement.exchange(soci::into(value));
  statement.alloc();
  statement.prepare("SELECT " + rest);
  statement.define_and_bind();
  statement.execute();
  Page page;
  while (statement.fetch()) {
    json::object row;
    for (std::size_t i = 0; i < columns.size(); i++) row[columns[i]->name] = shown(*columns[i], values[i]);
    page.rows.push_back(std::move(row));
    page.last = found;
  }
  page.is_last = page.rows.size() < kExportPage;
  return page;
}

long long count_rows(soci::session& sql, const Table& table, const std::string& user_id) {
  long long count = 0;
  const std::string rest = rows_of(table);
  sql << "SELECT COUNT(*) FROM " + rest, soci::use(user_id), soci::into(count);
  return count;
}

bool is_known(soci::session& sql, const std::string& user_id) {
  long long count = 0;
  sql << "SELECT COUNT(*) FROM users WHERE user_id = :user", soci::use(user_id), soci::into(count);
  return count == 1;
}

// --- keys ------------------------------------------------------------------------------------------------------------

json::object key_entry(const char* kind, const char* lives_in, const char* held_by) {
  json::object out;
  out["kind"] = kind;
  out["livesIn"] = lives_in;
  out["heldBy"] = held_by;
  return out;
}

// Of which secrets there are, what is known of them here, and where they themselves are.
json::array read_keys(soci::session& sql, const std::string& user_id) {
  json::array keys;
  std::string id, known;
  soci::statement passkeys = (sql.prepare << "SELECT profile_id, public_key FROM biometric_profiles WHERE user_id = "
                                             ":user ORDER BY created_at, profile_id",
                              soci::use(user_id), soci::into(id), soci::into(known));
  passkeys.execute();
  while (passkeys.fetch()) {
    json::object key = key_entry("passkey", "device", "person");
    key["passkeyId"] = id;
    key["publicKey"] = "0x" + known;
    keys.push_back(std::move(key));
  }
  // Of a wallet for an account that began elsewhere, the server key is known by its arrival, and who has which recovery
  // file the chain alone knows.
  std::string escape, arrived;
  soci::statement wallets =
      (sql.prepare << "SELECT w.wallet_id, w.server_key, w.escape_key, COALESCE((SELECT MAX(a.server_key) FROM "
                      "arrivals_accounts a WHERE a.wallet_id = w.wallet_id AND w.init_data = ''), '') FROM "
                      "wallet_origins w WHERE w.user_id = :user AND (w.init_data <> '' OR EXISTS (SELECT 1 FROM "
                      "arrivals_accounts a WHERE a.wallet_id = w.wallet_id)) ORDER BY w.created_at, w.wallet_id",
       soci::use(user_id), soci::into(id), soci::into(known), soci::into(escape), soci::into(arrived));
  wallets.execute();
  while (wallets.fetch()) {
    json::object server = key_entry("server-key", "trusted-core", "trusted-core");
    server["walletId"] = id;
    server["address"] = "0x" + (arrived.empty() ? known : arrived);
    keys.push_back(std::move(server));
    if (!arrived.empty()) continue;
    json::object recovery = key_entry("escape-key", "recovery-file", "person");
    recovery["walletId"] = id;
    recovery["address"] = "0x" + escape;
    keys.push_back(std::move(recovery));
  }
  return keys;
}

json::object describe(const Table& table, long long rows) {
  json::array columns;
  for (const Column& column : table.columns) {
    json::object out;
    out["name"] = column.name;
    out["protection"] = name(column.protection);
    columns.push_back(std::move(out));
  }
  json::object out;
  out["table"] = table.name;
  out["rows"] = rows;
  out["kept"] = name(table.kept);
  out["onLeaving"] = name(table.on_leaving);
  out["columns"] = std::move(columns);
  return out;
}

// --- the service -----------------------------------------------------------------------------------------------------

class PrivacyService final : public Privacy {
 public:
  explicit PrivacyService(PrivacyDependencies dependencies) : d_(std::move(dependencies)) {}

  Task<Result<json::object>> overview(std::string user_id) override {
    auto read = [user_id](soci::session& sql) -> Result<json::object> {
      json::array tables;
      for (const Table& table : model()) tables.push_back(describe(table, count_rows(sql, table, user_id)));
      json::object out;
      out["tables"] = std::move(tables);
      out["keys"] = read_keys(sql, user_id);
      return out;
    };
    co_return from_database(co_await d_.database.read(read));
  }

  Task<Result<HttpResponse>> export_person(std::string user_id) override {
    if (exports_ >= kMaxExports)
      co_return fail(ErrorCode::too_many_exports, std::to_string(exports_) + " are being written");
    // Held by the response, however it ends.
    const std::shared_ptr<void> room(nullptr, [this](void*) { exports_--; });
    exports_++;
    const std::int64_t now = d_.clock.now_ms();
    auto begin = [this, user_id, now](soci::session& sql) -> Result<void> {
      if (!is_known(sql, user_id)) return fail(ErrorCode::not_found);
      return record(sql, audit::EventName::data_exported, user_id, now);
    };
    if (auto begun = from_database(co_await d_.database.write(begin)); !begun) co_return tl::unexpected(begun.error());
    HttpResponse response;
    response.headers.add("content-type", "application/json");
    response.headers.add("content-disposition", "attachment; filename=\"community-node-export.json\"");
    response.stream = [this, user_id, now, room](BodyWriter& out) { return write(user_id, now, room, out); };
    co_return response;
  }

  Task<Result<void>> erase_person(std::string user_id) override {
    auto work = [this, user_id, now = d_.clock.now_ms()](soci::session& sql) -> Result<void> {
      if (!is_known(sql, user_id)) return fail(ErrorCode::not_found);
      // Payloads go by the log, which says so in its chain.
      if (const auto erased = d_.audit.erase(sql, user_id, now); !erased)
        return fail(ErrorCode::database_unavailable, erased.error().text());
      for (const Table& table : model()) {
        if (table.on_leaving != OnLeaving::erased || table.name == "audit_payloads") continue;
        const std::string rest = rows_of(table);
        sql << "DELETE FROM " + rest, soci::use(user_id);
      }
      return record(sql, audit::EventName::user_deleted, user_id, now);
    };
    auto erased = from_database(co_await d_.database.write(work));
    if (erased && d_.forget) d_.forget(user_id);
    co_return erased;
  }

 private:
  Result<void> record(soci::session& sql, audit::EventName event, const std::string& user_id,
                      std::int64_t now_ms) const {
    audit::AuditEvent entry;
    entry.event = event;
    entry.subject = user_id;
    entry.time_ms = now_ms;
    if (const auto recorded = d_.audit.record(sql, entry); !recorded)
      return fail(ErrorCode::database_unavailable, recorded.error().text());
    return {};
  }

  template <class T>
  static Result<T> from_database(infra::Result<Result<T>> outcome) {
    if (!outcome) return fail(ErrorCode::database_unavailable, outcome.error().text());
    return std::move(*outcome);
  }

  // Head, then each table's rows, then the end: whoever reads it half has no JSON.
  Task<void> write(std::string user_id, std::int64_t now_ms, std::shared_ptr<void>, BodyWriter& out) {
    json::object head;
    head["format"] = "community-node person export";
    head["version"] = kExportVersion;
    head["exportedAt"] = audit::format_time_ms(now_ms);
    head["origin"] = d_.origin;
    head["userId"] = user_id;
    auto read_keys_of = [user_id](soci::session& sql) { return read_keys(sql, user_id); };
    const auto keys = co_await d_.database.read(read_keys_of);
    if (!keys) co_return;
    head["keys"] = *keys;
    std::string text = json::serialize(head);
    text.back() = ',';
    text += "\"tables\":{";
    bool open = co_await out.write(std::move(text));
    bool first = true;
    for (const Table& table : model()) {
      if (!open) co_return;
      std::string opening = std::string(first ? "" : ",") + "\"" + std::string(table.name) + "\":[";
      first = false;
      open = co_await out.write(std::move(opening));
      if (!open) co_return;
      open = co_await write_table(table, user_id, out);
    }
    if (!open) co_return;
    co_await out.write("},\"complete\":true}\n");
  }

  Task<bool> write_table(const Table& table, std::string user_id, BodyWriter& out) {
    std::optional<std::string> after;
    for (bool is_first = true;; is_first = false) {
      auto read = [&table, user_id, after](soci::session& sql) { return read_page(sql, table, user_id, after); };
      auto page = co_await d_.database.read(read);
      if (!page) {
        infra::log_warning("an export was cut off", {{"why", page.error().text()}});
        co_return false;
      }
      std::string piece;
      for (const json::value& row : page->rows) {
        piece += piece.empty() && is_first ? "\n" : ",\n";
        piece += json::serialize(row);
      }
      const bool is_last = page->is_last;
      if (is_last) piece += "]";
      after = page->last;
      const bool open = co_await out.write(std::move(piece));
      if (!open || is_last) co_return open;
    }
  }

  PrivacyDependencies d_;
  std::size_t exports_ = 0;
};

}  // namespace

std::unique_ptr<Privacy> make_privacy(PrivacyDependencies dependencies) {
  return std::make_unique<PrivacyService>(std::move(dependencies));
}

}  // namespace community::privacy
