// SPDX-License-Identifier: Apache-2.0
// The model is the database's, and what is told is what is done.
#include <gtest/gtest.h>
#include <soci/soci.h>

#include <set>

#include "community/accounts/api/account_watcher.hpp"
#include "community/alarms/factory.hpp"
#include "community/apps/factory.hpp"
#include "community/arrivals/factory.hpp"
#include "community/audit/factory.hpp"
#include "community/bundler/factory.hpp"
#include "community/courier/factory.hpp"
#include "community/infra/api/files.hpp"
#include "community/infra/factory.hpp"
#include "community/infra/fake/clock.hpp"
#include "community/infra/fake/test_database.hpp"
#include "community/keys/factory.hpp"
#include "community/multisigs/factory.hpp"
#include "community/notifications/factory.hpp"
#include "community/pool/factory.hpp"
#include "community/privacy/api/model.hpp"
#include "community/privacy/factory.hpp"
#include "community/transactions/factory.hpp"
#include "community/treasury/factory.hpp"
#include "community/users/factory.hpp"

namespace community::privacy {
namespace {

const std::string kAda = "4f1c2f0a-8d3e-4a51-9f0e-1f2d3c4b5a69", kBob = "9a7d3b52-0c41-4d7e-b0a3-5f1e2d3c4b5a";

// Takes what an export writes; can be full.
class Paper final : public infra::BodyWriter {
 public:
  Task<bool> write(std::string piece) override {
    text += piece;
    pieces++;
    co_return pieces < most;
  }
  std::string text;
  int pieces = 0, most = INT_MAX;
};

class PrivacyTest : public testing::Test {
 protected:
  PrivacyTest() {
    database = infra::Database::open(
                   place.options(),
                   {keys::key_migrations(), pool::pool_migrations(), bundler::bundler_migrations(),
                    courier::courier_migrations(), treasury::treasury_migrations(), accounts::account_migrations(),
                    alarms::alarm_migrations(), audit::audit_migrations(), notifications::notification_migrations(),
                    users::user_migrations(), transactions::transaction_migrations(), apps::app_migrations(),
                    multisigs::multisigs_migrations(), arrivals::arrivals_migrations()})
                   .value();
    log = audit::make_audit_log({*database, *random, clock, loop.executor()});
    privacy = make_privacy(
        {*database, clock, *log, [this](const std::string& id) { forgotten = id; }, "https://example.org"});
  }

  template <class F>
  auto write(F work) {
    using T = std::invoke_result_t<F&, soci::session&>;
    if constexpr (std::is_void_v<T>) {
      auto task = [&]() -> Task<infra::Result<void>> { co_return co_await database->write(work); };
      ASSERT_TRUE(loop.block_on(task()).has_value());
    } else {
      auto task = [&]() -> Task<infra::Result<T>> { co_return co_await database->write(work); };
      return loop.block_on(task()).value();
    }
  }

  // One row of every table of the model, with the person's marks in it; `mark` differs from person to person.
  void fill(const std::string& user_id, char mark) {
    const std::string account(40, mark), record = std::string(32, mark), email = std::string(1, mark) + "@example.com";
    const std::string wallet = record.substr(0, 8) + "-" + record.substr(8, 4) + "-" + record.substr(12, 4) + "-" +
                               record.substr(16, 4) + "-" + record.substr(20);
    const auto value = [&](std::string_view table, const Column& column) -> std::string {
      const std::string_view name = column.name;
      if (name == "user_id" || name == "subject") return user_id;
      if (name == "email" || name == "recipient_address" || (name == "recipient" && table == "notifications_mails"))
        return email;
      if (name == "email_key") return email;
      if (name == "wallet_id") return wallet;
      if (name == "record_id") return record;
      if (name == "account" || name == "wallet_address" || (name == "address" && table == "accounts_watched"))
        return account;
      if (name == "subscription_id") return "subscription-" + user_id;
      if (column.kind == ColumnKind::text) return std::string(name) + "-" + std::string(3, mark);
      if (column.kind == ColumnKind::json) return "{\"of\":\"" + std::string(3, mark) + "\"}";
      if (column.kind == ColumnKind::flag) return "1";
      return std::to_string(mark - 'a' + 1);
    };
    auto enter = [&](soci::session& sql) {
      // What is referred to first.
      std::vector<Table> tables(model().begin(), model().end());
      std::reverse(tables.begin(), tables.end());
      for (const Table& table : tables) {
        if (table.name.starts_with("audit_")) continue;
        std::string names, places;
        std::vector<std::string> values;
        for (const Column& column : table.columns) {
          names += (names.empty() ? "" : ", ") + std::string(column.name);
          places += (places.empty() ? ":v" : ", :v") + std::to_string(values.size());
          values.push_back(value(table.name, column));
        }
        std::vector<long long> numbers(values.size());
        soci::statement statement(sql);
        for (std::size_t i = 0; i < values.size(); i++) {
          const ColumnKind kind = table.columns[i].kind;
          if (kind == ColumnKind::text || kind == ColumnKind::json) {
            statement.exchange(soci::use(values[i]));
          } else {
            numbers[i] = std::stoll(values[i]);
            statement.exchange(soci::use(numbers[i]));
          }
        }
        statement.alloc();
        statement.prepare("INSERT INTO " + std::string(table.name) + " (" + names + ") VALUES (" + places + ")");
        statement.define_and_bind();
        statement.execute(true);
      }
      audit::AuditEvent event;
      event.event = audit::EventName::wallet_used;
      event.subject = user_id;
      event.payload["account"] = account;
      event.time_ms = clock.now_ms();
      return log->record(sql, event).has_value();
    };
    ASSERT_TRUE(write(enter));
  }

  // Every text of every table, for looking whether something is anywhere.
  std::string everything() {
    auto read = [](soci::session& sql) {
      std::string all;
      for (const Table& table : model()) {
        for (const Column& column : table.columns) {
          std::string value;
          soci::statement rows =
              (sql.prepare << "SELECT CAST(" + std::string(column.name) + " AS TEXT) FROM " + std::string(table.name),
               soci::into(value));
          rows.execute();
          while (rows.fetch()) all += std::string(table.name) + "." + std::string(column.name) + "=" + value + "\n";
        }
      }
      return all;
    };
    return write(read);
  }

  Result<std::string> exported(const std::string& user_id) {
    auto task = [&]() -> Task<Result<std::string>> {
      auto response = co_await privacy->export_person(user_id);
      if (!response) co_return tl::unexpected(response.error());
      Paper paper;
      co_await response->stream(paper);
      co_return paper.text;
    };
    return loop.block_on(task());
  }

  infra::TestDatabase place;
  infra::EventLoop loop;
  infra::FakeClock clock;
  std::unique_ptr<infra::Random> random = infra::make_system_random();
  std::unique_ptr<audit::AuditLog> log;
  std::unique_ptr<infra::Database> database;
  std::unique_ptr<Privacy> privacy;
  std::string forgotten;
};

TEST_F(PrivacyTest, TheModelNamesEveryTableAndColumnOfTheDatabase) {
  if (infra::TestDatabase::is_postgresql()) GTEST_SKIP() << "the schema is the same; SQLite's catalogue tells it";
  auto read = [](soci::session& sql) {
    std::map<std::string, std::set<std::string>> found;
    std::string table, column;
    soci::statement rows = (sql.prepare << "SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c "
                                           "WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%'",
                            soci::into(table), soci::into(column));
    rows.execute();
    while (rows.fetch()) found[table].insert(column);
    return found;
  };
  auto found = write(read);
  for (const std::string_view name : impersonal_tables()) found.erase(std::string(name));
  for (const Table& table : model()) {
    std::set<std::string> columns;
    for (const Column& column : table.columns) columns.emplace(column.name);
    EXPECT_EQ(columns, found[std::string(table.name)]) << table.name;
    found.erase(std::string(table.name));
  }
  for (const auto& [name, columns] : found) ADD_FAILURE() << name << " is in no list: does it hold anything of people?";
}

json::object value_schema(const Column& column) {
  json::object out;
  switch (column.kind) {
    case ColumnKind::text:
      out["type"] = "string";
      break;
    case ColumnKind::number:
      out["type"] = "integer";
      break;
    case ColumnKind::flag:
      out["type"] = "boolean";
      break;
    case ColumnKind::time:
      out["type"] = json::array{"string", "null"};
      out["format"] = "date-time";
      break;
    case ColumnKind::json:
      break;
  }
  return out;
}

json::object object_schema(json::object properties) {
  json::array required;
  for (const auto& [name, schema] : properties) required.emplace_back(name);
  return {{"type", "object"},
          {"additionalProperties", false},
          {"properties", std::move(properties)},
          {"required", std::move(required)}};
}

// What spec/person-export.schema.json has to say about tables.
json::object tables_schema() {
  json::object tables;
  for (const Table& table : model()) {
    json::object columns;
    for (const Column& column : table.columns)
      if (column.protection == Protection::clear) columns[column.name] = value_schema(column);
    tables[table.name] = json::object{{"type", "array"}, {"items", object_schema(std::move(columns))}};
  }
  return object_schema(std::move(tables));
}

TEST_F(PrivacyTest, TheSchemaOfExportsIsTheModels) {
  const auto text = infra::read_file(COMMUNITY_SOURCE_DIR "/spec/person-export.schema.json", 1u << 20);
  ASSERT_TRUE(text);
  const auto schema = core::parse_json(*text, core::JsonLimits{1u << 20, 32});
  ASSERT_TRUE(schema);
  EXPECT_EQ(schema->at("properties").at("tables"), json::value(tables_schema()))
      << "the schema's member `tables` has to be:\n"
      << json::serialize(tables_schema());
  EXPECT_EQ(schema->at("properties").at("version").at("const").to_number<int>(), kExportVersion);
}

TEST_F(PrivacyTest, AnExportHoldsEveryRowOfThePersonAndNothingElse) {
  fill(kAda, 'a');
  fill(kBob, 'b');
  const auto text = exported(kAda);
  ASSERT_TRUE(text);
  const auto parsed = core::parse_json(*text);
  ASSERT_TRUE(parsed) << *text;
  const json::object& document = parsed->get_object();
  EXPECT_EQ(document.at("version").to_number<int>(), kExportVersion);
  EXPECT_TRUE(document.at("complete").get_bool());
  const json::object& tables = document.at("tables").get_object();
  EXPECT_EQ(tables.size(), model().size());
  for (const Table& table : model()) {
    const json::array& rows = tables.at(table.name).get_array();
    // The log has the export's own entry, too.
    EXPECT_EQ(rows.size(), table.name.starts_with("audit_") ? 2u : 1u) << table.name;
    for (const Column& column : table.columns)
      EXPECT_EQ(rows[0].get_object().contains(column.name), column.protection == Protection::clear)
          << table.name << "." << column.name;
  }
  EXPECT_EQ(text->find(kBob), std::string::npos);
  // As fill() marks texts and JSON, which no random number in hexadecimal looks like.
  EXPECT_NE(text->find("-aaa\""), std::string::npos);
  EXPECT_NE(text->find("\"aaa\""), std::string::npos);
  EXPECT_EQ(text->find("-bbb\""), std::string::npos);
  EXPECT_EQ(text->find("\"bbb\""), std::string::npos);
  EXPECT_EQ(text->find("b@example.com"), std::string::npos);
  EXPECT_EQ(exported("0f8fad5b-d9cb-469f-a165-70867728950e").error().code, ErrorCode::not_found);
}

TEST_F(PrivacyTest, AnExportOfManyPagesHasEachRowOnce) {
  fill(kAda, 'a');
  constexpr int kMany = 3 * static_cast<int>(kExportPage) + 7;
  auto enter = [&](soci::session& sql) {
    for (int i = 0; i < kMany; i++) {
      audit::AuditEvent event;
      event.event = audit::EventName::wallet_used;
      event.subject = kAda;
      event.payload["number"] = i;
      if (!log->record(sql, event)) return false;
    }
    return true;
  };
  ASSERT_TRUE(write(enter));
  const auto parsed = core::parse_json(*exported(kAda), core::JsonLimits{64u << 20, 32});
  ASSERT_TRUE(parsed);
  std::set<std::int64_t> sequences;
  const json::array& rows = parsed->at("tables").at("audit_entries").get_array();
  for (const json::value& row : rows) sequences.insert(row.at("sequence").to_number<std::int64_t>());
  EXPECT_EQ(rows.size(), static_cast<std::size_t>(kMany) + 2);
  EXPECT_EQ(sequences.size(), rows.size());
}

TEST_F(PrivacyTest, AnExportThatNobodyReadsToItsEndIsNoJsonAndMakesRoom) {
  fill(kAda, 'a');
  auto test = [&]() -> Task<void> {
    std::vector<infra::HttpResponse> waiting;
    for (std::size_t i = 0; i < kMaxExports; i++) waiting.push_back((co_await privacy->export_person(kAda)).value());
    const auto refused = co_await privacy->export_person(kAda);
    EXPECT_EQ(refused.error().code, ErrorCode::too_many_exports);
    Paper paper;
    paper.most = 3;
    co_await waiting.back().stream(paper);
    EXPECT_FALSE(core::parse_json(paper.text).has_value());
    waiting.pop_back();
    const auto after = co_await privacy->export_person(kAda);
    EXPECT_TRUE(after.has_value());
  };
  loop.block_on(test());
}

TEST_F(PrivacyTest, TheOverviewCountsWhatThereIs) {
  fill(kAda, 'a');
  auto task = [&]() -> Task<Result<json::object>> { co_return co_await privacy->overview(kAda); };
  const auto overview = loop.block_on(task());
  ASSERT_TRUE(overview);
  const json::array& tables = overview->at("tables").get_array();
  ASSERT_EQ(tables.size(), model().size());
  for (const json::value& table : tables) EXPECT_EQ(table.at("rows").to_number<int>(), 1) << json::serialize(table);
  const json::array& keys = overview->at("keys").get_array();
  ASSERT_EQ(keys.size(), 3u);
  EXPECT_EQ(keys[0].at("livesIn").get_string(), "device");
  EXPECT_EQ(keys[1].at("livesIn").get_string(), "trusted-core");
  EXPECT_EQ(keys[2].at("livesIn").get_string(), "recovery-file");
}

TEST_F(PrivacyTest, WhoLeavesIsGoneFromEveryTableThatSaysSoAndNobodyElseIs) {
  fill(kAda, 'a');
  fill(kBob, 'b');
  auto leave = [&](const std::string& id) {
    auto task = [&]() -> Task<Result<void>> { co_return co_await privacy->erase_person(id); };
    return loop.block_on(task());
  };
  ASSERT_TRUE(leave(kAda));
  EXPECT_EQ(forgotten, kAda);
  const std::string left = everything();
  EXPECT_EQ(left.find("a@example.com"), std::string::npos) << left;
  for (const Table& table : model()) {
    if (table.on_leaving != OnLeaving::erased) continue;
    auto count = [&table](soci::session& sql) {
      long long rows = 0;
      sql << "SELECT COUNT(*) FROM " + std::string(table.name), soci::into(rows);
      return rows;
    };
    // Bob's; and in the log what tells of the erasure.
    EXPECT_EQ(write(count), table.name == "audit_payloads" ? 3 : 1) << table.name;
  }
  // The random id stays in the chain and nowhere else.
  std::istringstream lines(left);
  for (std::string line; std::getline(lines, line);)
    EXPECT_TRUE(line.find(kAda) == std::string::npos || line.starts_with("audit_entries.subject=")) << line;
  // Keys and what is public stay.
  EXPECT_NE(left.find("keys_records.record_id=" + std::string(32, 'a')), std::string::npos);
  EXPECT_NE(left.find("alarms_wallets.account=" + std::string(40, 'a')), std::string::npos);
  auto verify = [](soci::session& sql) { return !audit::verify_log(sql, {}).finding.has_value(); };
  EXPECT_TRUE(write(verify));
  auto last = [&]() -> Task<audit::Result<std::vector<audit::Entry>>> {
    audit::Query query;
    query.subject = kAda;
    co_return co_await log->read(std::move(query));
  };
  const auto entries = loop.block_on(last()).value();
  EXPECT_EQ(entries.back().event, "UserDeleted");
  EXPECT_EQ(leave(kAda).error().code, ErrorCode::not_found);
}

TEST_F(PrivacyTest, AWriteThatFailsLeavesEverything) {
  fill(kAda, 'a');
  const std::string before = everything();
  auto spoil = [](soci::session& sql) {
    sql << "CREATE TABLE in_the_way (user_id TEXT NOT NULL REFERENCES users (user_id))";
    sql << "INSERT INTO in_the_way (user_id) SELECT user_id FROM users";
  };
  write(spoil);
  auto task = [&]() -> Task<Result<void>> { co_return co_await privacy->erase_person(kAda); };
  EXPECT_EQ(loop.block_on(task()).error().code, ErrorCode::database_unavailable);
  EXPECT_EQ(everything(), before);
  EXPECT_TRUE(forgotten.empty());
}

}  // namespace
}  // namespace community::privacy
