// SPDX-License-Identifier: Apache-2.0
// The history of a schema is data: number, name and checksum of each step lie in schema_migrations, and a program that
// does not recognise them refuses to touch the database.
#include "community/infra/migrations.hpp"

#include <openssl/sha.h>
#include <soci/soci.h>

#include <chrono>

#include "community/infra/api/log.hpp"

namespace community::infra {
namespace {

struct Applied {
  std::uint32_t number;
  std::string name;
  std::string checksum;
};

std::string checksum(std::string_view sql) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(sql.data()), sql.size(), digest);
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const unsigned char byte : digest) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

std::vector<Applied> read_applied(soci::session& session, const std::string& module) {
  std::vector<Applied> applied;
  int number = 0;
  std::string name, sum;
  soci::statement statement =
      (session.prepare << "SELECT number, name, checksum FROM schema_migrations WHERE module = :module ORDER BY number",
       soci::use(module), soci::into(number), soci::into(name), soci::into(sum));
  statement.execute();
  while (statement.fetch()) applied.push_back({static_cast<std::uint32_t>(number), name, sum});
  return applied;
}

Result<void> compare(const MigrationSet& set, const std::vector<Applied>& applied) {
  for (std::size_t i = 0; i < set.steps.size(); i++)
    if (set.steps[i].number != i + 1)
      return fail(ErrorCode::migration_history, "the steps of " + set.module + " are not numbered 1, 2, 3 …");
  for (std::size_t i = 0; i < applied.size(); i++) {
    const std::string step = set.module + " " + std::to_string(applied[i].number) + " (" + applied[i].name + ")";
    if (i >= set.steps.size())
      return fail(ErrorCode::migration_history,
                  "the database was written by a newer program: " + step + " is not known here");
    if (applied[i].number != i + 1)
      return fail(ErrorCode::migration_history, "the database skipped a step before " + step);
    if (applied[i].checksum != checksum(set.steps[i].sql))
      return fail(ErrorCode::migration_history, "the database holds another version of " + step + " than this program");
  }
  return {};
}

void apply_step(soci::session& session, const std::string& module, const Migration& step) {
  const auto now = std::chrono::duration_cast<Milliseconds>(std::chrono::system_clock::now().time_since_epoch());
  const long long applied_at = now.count();
  const int number = static_cast<int>(step.number);
  const std::string sum = checksum(step.sql);
  soci::transaction transaction(session);
  for (const auto& statement : split_statements(step.sql)) session << statement;
  session << "INSERT INTO schema_migrations (module, number, name, checksum, applied_at) "
             "VALUES (:module, :number, :name, :checksum, :applied_at)",
      soci::use(module), soci::use(number), soci::use(step.name), soci::use(sum), soci::use(applied_at);
  transaction.commit();
}

}  // namespace

std::vector<std::string> split_statements(std::string_view sql) {
  std::vector<std::string> statements;
  std::string current;
  while (!sql.empty()) {
    const std::size_t end = std::min(sql.find('\n'), sql.size());
    std::string_view line = sql.substr(0, end);
    sql.remove_prefix(std::min(end + 1, sql.size()));
    while (!line.empty() && (line.back() == ' ' || line.back() == '\r')) line.remove_suffix(1);
    const bool ends = !line.empty() && line.back() == ';';
    if (ends) line.remove_suffix(1);
    current += line;
    current += '\n';
    if (ends) statements.push_back(std::exchange(current, {}));
  }
  if (current.find_first_not_of(" \n\t") != std::string::npos) statements.push_back(current);
  return statements;
}

Result<void> apply_migrations(soci::session& session, const std::vector<MigrationSet>& sets) {
  session << "CREATE TABLE IF NOT EXISTS schema_migrations ("
             "module TEXT NOT NULL, number INTEGER NOT NULL, name TEXT NOT NULL, checksum TEXT NOT NULL, "
             "applied_at BIGINT NOT NULL, PRIMARY KEY (module, number))";
  for (const auto& set : sets) {
    const auto applied = read_applied(session, set.module);
    if (auto same = compare(set, applied); !same) return same;
    for (std::size_t i = applied.size(); i < set.steps.size(); i++) {
      try {
        apply_step(session, set.module, set.steps[i]);
      } catch (const soci::soci_error& e) {
        return fail(ErrorCode::database,
                    "step " + std::to_string(i + 1) + " of " + set.module + " failed: " + e.get_error_message());
      }
      log_info("schema step applied", {{"module", set.module}, {"number", i + 1}, {"name", set.steps[i].name}});
    }
  }
  return {};
}

}  // namespace community::infra
