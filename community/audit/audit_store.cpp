// SPDX-License-Identifier: Apache-2.0
// Two tables: entries, which only grow, and payloads, which may go. The last entry is read from the table each time: a
// copy in memory would be wrong after a write that was undone.
#include "community/audit/audit_store.hpp"

#include <soci/soci.h>

namespace community::audit {
namespace {

constexpr const char* kSchema = R"sql(
CREATE TABLE audit_entries (
  sequence BIGINT NOT NULL PRIMARY KEY,
  time_ms BIGINT NOT NULL,
  event TEXT NOT NULL,
  subject TEXT NOT NULL,
  payload_digest TEXT NOT NULL,
  previous TEXT NOT NULL,
  hash TEXT NOT NULL
);
CREATE INDEX audit_entries_by_subject ON audit_entries (subject, sequence);
CREATE TABLE audit_payloads (
  sequence BIGINT NOT NULL PRIMARY KEY,
  salt TEXT NOT NULL,
  payload TEXT NOT NULL
);
CREATE TABLE audit_listeners (
  name TEXT NOT NULL PRIMARY KEY,
  sequence BIGINT NOT NULL
);
)sql";

// The columns below, one row at a time.
struct Row {
  long long sequence = 0, time_ms = 0;
  int has_payload = 0;
  std::string event, subject, digest, previous, hash, salt, payload;

  void bind(soci::statement& rows) {
    for (long long* number : {&sequence, &time_ms}) rows.exchange(soci::into(*number));
    for (std::string* text : {&event, &subject, &digest, &previous, &hash}) rows.exchange(soci::into(*text));
    rows.exchange(soci::into(has_payload));
    for (std::string* text : {&salt, &payload}) rows.exchange(soci::into(*text));
  }

  Result<Entry> entry() const {
    Entry one;
    one.sequence = static_cast<std::uint64_t>(sequence);
    one.time_ms = time_ms;
    one.event = event;
    one.subject = subject;
    if (has_payload != 0) one.payload = Payload{{}, payload};
    const auto read = [](Bytes32& out, const std::string& text) {
      const auto bytes = core::parse_bytes32(text, core::HexPrefix::optional);
      // One spelling: what the program wrote is what the row must hold.
      if (!bytes || core::to_plain_hex(*bytes) != text) return false;
      out = *bytes;
      return true;
    };
    if (!read(one.payload_digest, digest)) return fail(ErrorCode::entry_malformed, "its payload digest is no hash");
    if (!read(one.previous, previous)) return fail(ErrorCode::entry_malformed, "its previous hash is no hash");
    if (!read(one.hash, hash)) return fail(ErrorCode::entry_malformed, "its hash is no hash");
    if (one.payload && !read(one.payload->salt, salt))
      return fail(ErrorCode::entry_malformed, "its payload's salt is not 32 bytes");
    return one;
  }
};

constexpr const char* kColumns =
    "SELECT e.sequence, e.time_ms, e.event, e.subject, e.payload_digest, e.previous, e.hash, "
    "CASE WHEN p.sequence IS NULL THEN 0 ELSE 1 END, COALESCE(p.salt, ''), COALESCE(p.payload, '') "
    "FROM audit_entries e LEFT JOIN audit_payloads p ON p.sequence = e.sequence ";

}  // namespace

infra::MigrationSet audit_migrations() { return {"audit", {{1, "entries, their payloads, listeners", kSchema}}}; }

void for_each_row(soci::session& sql, const Query& query, const std::function<bool(const StoredRow&)>& take) {
  const long long after = static_cast<long long>(query.after), before = static_cast<long long>(query.before);
  const long long since = query.since_ms, until = query.until_ms, limit = static_cast<long long>(query.limit);
  std::string text(kColumns);
  text += "WHERE e.sequence > :after AND e.sequence < :before AND e.time_ms >= :since AND e.time_ms < :until ";
  if (!query.subject.empty()) text += "AND e.subject = :subject ";
  text += query.newest_first ? "ORDER BY e.sequence DESC LIMIT :most" : "ORDER BY e.sequence LIMIT :most";
  Row row;
  soci::statement rows(sql);
  row.bind(rows);
  for (const long long* number : {&after, &before, &since, &until}) rows.exchange(soci::use(*number));
  if (!query.subject.empty()) rows.exchange(soci::use(query.subject));
  rows.exchange(soci::use(limit));
  rows.alloc();
  rows.prepare(text);
  rows.define_and_bind();
  rows.execute();
  while (rows.fetch()) {
    const StoredRow stored{row.sequence, row.entry()};
    if (!take(stored)) break;
  }
}

Result<void> check_subject(std::string_view subject) {
  if (subject.empty()) return {};
  bool right = subject.size() == 36;
  for (std::size_t i = 0; right && i < subject.size(); i++) {
    const char c = subject[i];
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    right = dash ? c == '-' : (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
  }
  if (!right) return fail(ErrorCode::subject_syntax, "a subject is a UUID in lower case");
  return {};
}

Head read_head(soci::session& sql) {
  long long sequence = 0;
  std::string hash;
  sql << "SELECT sequence, hash FROM audit_entries ORDER BY sequence DESC LIMIT 1", soci::into(sequence),
      soci::into(hash);
  if (!sql.got_data()) return {};
  return {static_cast<std::uint64_t>(sequence),
          core::parse_bytes32(hash, core::HexPrefix::optional).value_or(Bytes32{})};
}

Entry append(soci::session& sql, EventName event, const std::string& subject, std::int64_t time_ms, Payload payload) {
  const Head head = read_head(sql);
  Entry entry;
  entry.sequence = head.sequence + 1;
  entry.time_ms = time_ms;
  entry.event = std::string(name(event));
  entry.subject = subject;
  entry.payload_digest = payload_digest(payload);
  entry.previous = head.hash;
  entry.hash = entry_hash(entry);
  entry.payload = std::move(payload);
  const long long sequence = static_cast<long long>(entry.sequence), time = entry.time_ms;
  const std::string digest = core::to_plain_hex(entry.payload_digest), previous = core::to_plain_hex(entry.previous);
  const std::string hash = core::to_plain_hex(entry.hash), salt = core::to_plain_hex(entry.payload->salt);
  sql << "INSERT INTO audit_entries (sequence, time_ms, event, subject, payload_digest, previous, hash) "
         "VALUES (:sequence, :time, :event, :subject, :digest, :previous, :hash)",
      soci::use(sequence), soci::use(time), soci::use(entry.event), soci::use(entry.subject), soci::use(digest),
      soci::use(previous), soci::use(hash);
  sql << "INSERT INTO audit_payloads (sequence, salt, payload) VALUES (:sequence, :salt, :payload)",
      soci::use(sequence), soci::use(salt), soci::use(entry.payload->text);
  return entry;
}

Result<std::vector<Entry>> read_entries(soci::session& sql, const Query& query) {
  if (query.limit == 0 || query.limit > kMaxPage)
    return fail(ErrorCode::page_size, "a page has 1 to " + std::to_string(kMaxPage) + " entries");
  if (auto right = check_subject(query.subject); !right) return tl::unexpected(right.error());
  std::vector<Entry> entries;
  std::optional<Error> bad;
  for_each_row(sql, query, [&](const StoredRow& row) {
    if (row.entry) {
      entries.push_back(*row.entry);
    } else {
      bad =
          Error{ErrorCode::entry_malformed, "entry " + std::to_string(row.sequence) + ": " + row.entry.error().message};
    }
    return !bad;
  });
  if (bad) return tl::unexpected(*bad);
  return entries;
}

VerifyReport verify_log(soci::session& sql, VerifyOptions options) {
  // Rows of one statement: PostgreSQL hands a statement's rows over all at once.
  constexpr std::size_t kPage = 4'096;
  long long total = 0, payload_rows = 0, entry_rows = 0;
  sql << "SELECT COALESCE(MAX(sequence), 0), COUNT(*) FROM audit_entries", soci::into(total), soci::into(entry_rows);
  sql << "SELECT COUNT(*) FROM audit_payloads", soci::into(payload_rows);
  ChainVerifier chain(std::move(options.kept));
  Query query;
  query.after = 0;
  query.limit = kPage;
  // From below every number that might stand there: a number that is no sequence is found, not skipped.
  long long before_first = 0;
  sql << "SELECT COUNT(*) FROM audit_entries WHERE sequence < 1", soci::into(before_first);
  if (before_first > 0) chain.malformed(0, "a number below 1 is used");
  for (bool more = !chain.finding(); more;) {
    std::size_t got = 0;
    for_each_row(sql, query, [&](const StoredRow& row) {
      got++;
      query.after = static_cast<std::uint64_t>(row.sequence);
      if (row.entry) return chain.take(*row.entry);
      chain.malformed(static_cast<std::uint64_t>(row.sequence), row.entry.error().message);
      return false;
    });
    more = got == kPage && !chain.finding();
    if (options.progress) options.progress(chain.head().sequence, static_cast<std::uint64_t>(total));
  }
  VerifyReport report;
  report.finding = chain.finish();
  report.head = chain.head();
  report.payloads = chain.payloads();
  report.erased = chain.erased();
  if (!report.finding && static_cast<std::uint64_t>(payload_rows) != report.payloads) {
    long long stray = 0;
    sql << "SELECT COALESCE(MIN(p.sequence), 0) FROM audit_payloads p WHERE NOT EXISTS "
           "(SELECT 1 FROM audit_entries e WHERE e.sequence = p.sequence)",
        soci::into(stray);
    report.finding = Finding{Fault::payload_without_entry, static_cast<std::uint64_t>(stray),
                             "a payload of this number is there, and no entry commits to it"};
  }
  return report;
}

}  // namespace community::audit
