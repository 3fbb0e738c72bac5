// SPDX-License-Identifier: Apache-2.0
// What is recorded is written by whoever holds the session; what listeners hear is read back from the table, behind the
// commit, so that a process that dies in between loses nothing.
#include <soci/soci.h>

#include <ctime>

#include "community/audit/api/left.hpp"
#include "community/audit/audit_store.hpp"
#include "community/audit/factory.hpp"
#include "community/infra/api/log.hpp"
#include "community/infra/api/write_signal.hpp"

namespace community::audit {
namespace {

constexpr infra::Milliseconds kPauseAfterFailure{1'000};
// About 250 kB of usual entries.
constexpr std::size_t kListenerPage = 256;

Error storage_error(const infra::Error& error) { return {ErrorCode::storage_failed, error.text()}; }

// Ids, addresses and named rules hold no at-sign; an e-mail address always does.
bool holds_address(const json::value& value) {
  if (value.is_string()) return value.get_string().find('@') != json::string::npos;
  if (value.is_array()) return std::ranges::any_of(value.get_array(), holds_address);
  if (!value.is_object()) return false;
  for (const auto& [key, member] : value.get_object())
    if (key.find('@') != json::string_view::npos || holds_address(member)) return true;
  return false;
}

bool is_word(const json::value* value) {
  constexpr std::size_t kLongestWord = 64;
  if (value == nullptr || !value->is_string()) return false;
  const json::string& word = value->get_string();
  return !word.empty() && word.size() <= kLongestWord &&
         word.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == json::string::npos;
}

struct Follower {
  std::string name;
  Listener listener;
  std::uint64_t told = 0;
};

class SqlAuditLog final : public AuditLog {
 public:
  explicit SqlAuditLog(AuditDependencies dependencies)
      : d_(std::move(dependencies)), signal_(d_.database, d_.executor) {}

  Result<Entry> record(soci::session& sql, const AuditEvent& event) override {
    if (event.event == EventName::payloads_erased)
      return fail(ErrorCode::event_reserved, "PayloadsErased is recorded by what it tells");
    if (auto right = check_subject(event.subject); !right) return tl::unexpected(right.error());
    if (event.event == EventName::security_violation && !is_word(event.payload.if_contains("type")))
      return fail(ErrorCode::violation_without_type, "a SecurityViolation names its `type` in a_z words");
    if (holds_address(event.payload))
      return fail(ErrorCode::payload_personal_data, "a payload holds no e-mail address");
    return write(sql, event.event, event.subject, event.time_ms, event.payload);
  }

  Result<std::uint64_t> erase(soci::session& sql, const std::string& subject, std::int64_t time_ms) override {
    if (subject.empty()) return fail(ErrorCode::subject_syntax, "nobody's payloads are not erased");
    if (auto right = check_subject(subject); !right) return tl::unexpected(right.error());
    long long count = 0;
    sql << "SELECT COUNT(*) FROM audit_payloads WHERE sequence IN (SELECT sequence FROM audit_entries WHERE subject = "
           ":subject)",
        soci::use(subject), soci::into(count);
    sql << "DELETE FROM audit_payloads WHERE sequence IN (SELECT sequence FROM audit_entries WHERE subject = :subject)",
        soci::use(subject);
    json::object payload;
    payload["payloads"] = count;
    const auto entry = write(sql, EventName::payloads_erased, subject, time_ms, payload);
    if (!entry) return tl::unexpected(entry.error());
    return static_cast<std::uint64_t>(count);
  }

  Task<Result<std::vector<Entry>>> read(Query query) override {
    auto work = [query = std::move(query)](soci::session& sql) { return read_entries(sql, query); };
    auto found = co_await d_.database.read(work);
    if (!found) co_return tl::unexpected(storage_error(found.error()));
    co_return std::move(*found);
  }

  Task<Result<Head>> head() override {
    const auto found = co_await d_.database.read([](soci::session& sql) { return read_head(sql); });
    if (!found) co_return tl::unexpected(storage_error(found.error()));
    co_return *found;
  }

  void listen(std::string name, Listener listener) override {
    followers_.push_back({std::move(name), std::move(listener), 0});
  }

  Task<void> run() override {
    while (!co_await start()) co_await d_.clock.sleep_for(kPauseAfterFailure);
    for (;;) {
      bool all = true;
      for (Follower& follower : followers_) {
        const bool done = co_await tell(follower);
        all = all && done;
      }
      if (all) {
        co_await signal_.wait();
      } else {
        co_await d_.clock.sleep_for(kPauseAfterFailure);
      }
    }
  }

 private:
  Result<Entry> write(soci::session& sql, EventName event, const std::string& subject, std::int64_t time_ms,
                      const json::object& members) {
    Payload payload;
    payload.text = json::serialize(members);
    if (payload.text.size() > kMaxPayloadBytes)
      return fail(ErrorCode::payload_too_large,
                  std::to_string(payload.text.size()) + " bytes, " + std::to_string(kMaxPayloadBytes) + " at most");
    d_.random.fill(payload.salt);
    Entry entry = append(sql, event, subject, time_ms, std::move(payload));
    signal_.raise();
    return entry;
  }

  // Where each listener begins. False when the database did not answer.
  Task<bool> start() {
    const auto now = co_await head();
    if (!now) co_return failed(now.error());
    for (Follower& follower : followers_) {
      follower.told = now->sequence;
      if (follower.name.empty()) continue;
      auto work = [name = follower.name](soci::session& sql) {
        long long sequence = 0;
        sql << "SELECT sequence FROM audit_listeners WHERE name = :name", soci::use(name), soci::into(sequence);
        return sql.got_data() ? static_cast<std::uint64_t>(sequence) : 0;
      };
      const auto kept = co_await d_.database.read(work);
      if (!kept) co_return failed(storage_error(kept.error()));
      follower.told = *kept;
    }
    co_return true;
  }

  // Everything that is there now. False when the database did not answer.
  Task<bool> tell(Follower& follower) {
    for (;;) {
      Query query;
      query.after = follower.told;
      query.limit = kListenerPage;
      const auto page = co_await read(query);
      if (!page) co_return failed(page.error());
      if (page->empty()) co_return true;
      for (const Entry& entry : *page) {
        const bool heard = co_await follower.listener(entry);
        if (!heard) co_return false;
        follower.told = entry.sequence;
      }
      if (follower.name.empty()) continue;
      const bool kept = co_await keep(follower);
      if (!kept) co_return false;
    }
  }

  Task<bool> keep(const Follower& follower) {
    auto work = [name = follower.name, told = follower.told](soci::session& sql) { note_told(sql, name, told); };
    const auto done = co_await d_.database.write(work);
    co_return done ? true : failed(storage_error(done.error()));
  }

  bool failed(const Error& error) {
    infra::log_warning("the audit log cannot be followed now", {{"why", error.text()}});
    return false;
  }

  AuditDependencies d_;
  infra::WriteSignal signal_;
  std::vector<Follower> followers_;
};

}  // namespace

bool has_left(soci::session& sql, const std::string& subject) {
  if (subject.empty()) return false;
  std::string last;
  sql << "SELECT event FROM audit_entries WHERE subject = :subject ORDER BY sequence DESC LIMIT 1", soci::use(subject),
      soci::into(last);
  return sql.got_data() && last == name(EventName::user_deleted);
}

void note_told(soci::session& sql, const std::string& name, std::uint64_t sequence) {
  const auto told = static_cast<long long>(sequence);
  sql << "INSERT INTO audit_listeners (name, sequence) VALUES (:name, :told) "
         "ON CONFLICT (name) DO UPDATE SET sequence = :again",
      soci::use(name), soci::use(told), soci::use(told);
}

std::string format_time_ms(std::int64_t time_ms) {
  // Floor, so that times before 1970 are right too.
  const std::int64_t seconds = time_ms >= 0 ? time_ms / 1'000 : -((999 - time_ms) / 1'000);
  const auto time = static_cast<std::time_t>(seconds);
  std::tm parts{};
  gmtime_r(&time, &parts);
  char text[48];
  const std::size_t size = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
  std::snprintf(text + size, sizeof text - size, ".%03dZ", static_cast<int>(time_ms - seconds * 1'000));
  return text;
}

json::object to_json(const Entry& entry) {
  json::object shown;
  shown["sequence"] = entry.sequence;
  shown["time"] = format_time_ms(entry.time_ms);
  shown["event"] = entry.event;
  if (!entry.subject.empty()) shown["subject"] = entry.subject;
  shown["payload"] = nullptr;
  if (entry.payload) {
    const auto value = core::parse_json(entry.payload->text);
    // Text that is no JSON is not ours; `audit verify` says so, here it is shown as it is.
    shown["payload"] = value ? *value : json::value(json::string(entry.payload->text));
  }
  shown["hash"] = core::to_plain_hex(entry.hash);
  return shown;
}

std::unique_ptr<AuditLog> make_audit_log(AuditDependencies dependencies) {
  return std::make_unique<SqlAuditLog>(std::move(dependencies));
}

}  // namespace community::audit
