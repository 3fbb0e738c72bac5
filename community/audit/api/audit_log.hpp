// SPDX-License-Identifier: Apache-2.0
// The append-only log of what happened to people and money. An event is written inside of the transaction of what it
// tells, so that it is there exactly when the thing happened.
#pragma once
#include <functional>

#include "community/audit/api/entry.hpp"
#include "community/audit/api/events.hpp"
#include "community/core/json.hpp"
#include "community/infra/api/database.hpp"

namespace community::audit {

using infra::Task;
namespace json = core::json;

// As JSON. The largest event (a transaction with its calls' recipients) is below 2 kB; a million of the largest
// allowed are 4 GB.
inline constexpr std::size_t kMaxPayloadBytes = 4'096;
// Entries of one answer: about 1 MB of the usual ones.
inline constexpr std::size_t kMaxPage = 1'000;

struct AuditEvent {
  EventName event{};
  // The user's id as a UUID in lower case, or empty.
  std::string subject;
  // Ids and addresses of the chain, amounts, named rules. Never e-mail addresses, names, codes or tokens.
  json::object payload;
  // The caller's clock.
  std::int64_t time_ms = 0;
};

struct Query {
  // Empty: of everybody.
  std::string subject;
  // since <= time < until.
  std::int64_t since_ms = INT64_MIN, until_ms = INT64_MAX;
  // after < sequence < before; the next page continues from the last entry of this one.
  std::uint64_t after = 0, before = INT64_MAX;
  bool newest_first = false;
  std::size_t limit = 100;
};

// For members of the API and of exports: sequence, time (RFC 3339), event, payload (null once erased), hash.
json::object to_json(const Entry& entry);
// Of JSON and of people: "2026-01-01T00:00:00.000Z".
std::string format_time_ms(std::int64_t time_ms);

// Called for every entry in order, on the loop, once it is committed. False: not now; the same entry comes again a
// little later, and none before it.
using Listener = std::function<Task<bool>(const Entry&)>;

class AuditLog {
 public:
  virtual ~AuditLog() = default;

  // Inside of Database::write, on the writer's thread. The entry as it will stand once the write is committed; an error
  // is a fault of the caller, who then fails its write. Errors of the database are thrown as SOCI throws them.
  [[nodiscard]] virtual Result<Entry> record(soci::session& sql, const AuditEvent& event) = 0;
  // Inside of Database::write: removes payloads and salts of everything about this subject so far, and records
  // PayloadsErased. Entries, with the subject's random id, stay, and so does the chain. How many were erased;
  // subject_syntax.
  [[nodiscard]] virtual Result<std::uint64_t> erase(soci::session& sql, const std::string& subject,
                                                    std::int64_t time_ms) = 0;

  // page_size, subject_syntax, entry_malformed, storage_failed.
  virtual Task<Result<std::vector<Entry>>> read(Query query) = 0;
  virtual Task<Result<Head>> head() = 0;

  // Before run(). With a name, every entry is handed over at least once, over restarts too: where it has come to is
  // kept under the name. Without, everything that is recorded from the start of run() on is handed over once. A
  // listener that throws ends run().
  virtual void listen(std::string name, Listener listener) = 0;
  // Hands entries to listeners, until cancelled. Joined by its owner.
  virtual Task<void> run() = 0;
};

infra::MigrationSet audit_migrations();

// Inside of Database::write: the listener of this name has heard everything up to this entry. What a listener writes
// is written exactly once when it says so in the same write.
void note_told(soci::session& sql, const std::string& name, std::uint64_t sequence);

// --- on a session of one's own, without an AuditLog ------------------------------------------------------------------

// Entries that `query` asks for; the errors of AuditLog::read.
Result<std::vector<Entry>> read_entries(soci::session& sql, const Query& query);
Head read_head(soci::session& sql);

struct VerifyOptions {
  std::vector<Head> kept;
  // Called now and then, on the thread that verifies.
  std::function<void(std::uint64_t done, std::uint64_t total)> progress;
};

struct VerifyReport {
  // Absent: the whole chain holds.
  std::optional<Finding> finding;
  // Of the last entry that was right.
  Head head;
  std::uint64_t payloads = 0, erased = 0;
};

// Reads the whole log in the session's one snapshot, page by page: memory does not grow with it.
VerifyReport verify_log(soci::session& sql, VerifyOptions options);

}  // namespace community::audit
