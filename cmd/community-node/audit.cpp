// SPDX-License-Identifier: Apache-2.0
#include "cmd/community-node/audit.hpp"

#include <unistd.h>

#include <ctime>
#include <iostream>

#include "community/audit/api/audit_log.hpp"
#include "community/infra/api/log.hpp"

namespace community::node {

namespace {

constexpr int kHolds = 0, kDoesNot = 1, kUsage = 2;

constexpr const char* kFooter =
    "Exit status 0 only if every entry and every payload holds, and every head that was given; 1 if not or if the log\n"
    "cannot be read; 2 if the command line is wrong.\n"
    "\n"
    "What this cannot show: whoever controls the node can write the whole log anew, or cut its end off, and a chain\n"
    "that agrees with itself proves nothing against them. Keep what `audit head` prints elsewhere, now and then, and\n"
    "give it to `verify --head`: what came before such a head cannot be changed unseen.";

struct Arguments {
  std::vector<std::string> heads;
  std::string subject, since, until;
  std::size_t limit = 100;
  bool newest_first = false, as_json = false;
};
using Shared = std::shared_ptr<Arguments>;

int failed(const std::string& words, int status = kDoesNot) {
  std::cerr << "community-node: " << words << "\n";
  return status;
}

// Runs `work` in one snapshot of the log.
template <class F>
auto look(const RunOptions& run, F work) -> infra::Result<std::invoke_result_t<F&, soci::session&>> {
  // Goes after the database, whose threads answer it.
  infra::EventLoop loop;
  infra::DatabaseOptions options = run.database;
  options.readers = 1;
  options.read_only = true;
  auto database = infra::Database::open(options, {});
  if (!database) return tl::unexpected(database.error());
  auto task = [&]() -> infra::Task<infra::Result<std::invoke_result_t<F&, soci::session&>>> {
    co_return co_await (*database)->read(work);
  };
  return loop.block_on(task());
}

int verify(const RunOptions& run, const Arguments& in) {
  audit::VerifyOptions options;
  for (const std::string& text : in.heads) {
    const auto head = audit::parse_head(text);
    if (!head) return failed("--head " + text + ": " + head.error().message, kUsage);
    options.kept.push_back(*head);
  }
  // A short log is there before anybody could read a line of progress.
  constexpr std::uint64_t kStep = 250'000;
  if (::isatty(STDERR_FILENO) == 1)
    options.progress = [next = kStep](std::uint64_t done, std::uint64_t total) mutable {
      if (done < next) return;
      next = done - done % kStep + kStep;
      std::cerr << done << " of " << total << " entries hold\n";
    };
  auto work = [options](soci::session& sql) { return audit::verify_log(sql, options); };
  const auto report = look(run, work);
  if (!report) return failed(report.error().text());
  if (report->finding) {
    const audit::Finding& finding = *report->finding;
    std::cout << "the audit log does NOT hold\nfirst wrong    entry " << finding.sequence << ", " << name(finding.fault)
              << ": " << finding.words << "\nholds up to    " << report->head.text() << "\n";
    return kDoesNot;
  }
  std::cout << "the audit log holds\nentries        " << report->head.sequence << ", of which " << report->erased
            << " with an erased payload\nhead           " << report->head.text() << "\n";
  if (in.heads.empty())
    std::cout << "No kept head was compared: that nothing was cut off or written anew is not shown (--head).\n";
  return kHolds;
}

int head(const RunOptions& run) {
  auto work = [](soci::session& sql) { return audit::read_head(sql); };
  const auto found = look(run, work);
  if (!found) return failed(found.error().text());
  std::cout << found->text() << "\n";
  return kHolds;
}

// "2026-01-31" or "2026-01-31T12:00:00Z", as milliseconds.
std::optional<std::int64_t> read_time(const std::string& text) {
  for (const char* form : {"%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d"}) {
    std::tm parts{};
    const char* end = ::strptime(text.c_str(), form, &parts);
    if (end == nullptr || *end != '\0') continue;
    // A day that the month does not have would come back as one of the next month.
    const std::tm written = parts;
    const std::int64_t seconds = ::timegm(&parts);
    if (parts.tm_mday == written.tm_mday && parts.tm_mon == written.tm_mon) return seconds * 1'000;
  }
  return std::nullopt;
}

void print_entry(const audit::Entry& entry, bool as_json) {
  if (as_json) {
    std::cout << boost::json::serialize(audit::to_json(entry)) << "\n";
    return;
  }
  std::cout << entry.sequence << "  " << audit::format_time_ms(entry.time_ms) << "  " << entry.event << "  "
            << (entry.subject.empty() ? "-" : entry.subject) << "  "
            << (entry.payload ? boost::json::serialize(audit::to_json(entry).at("payload")) : "(erased)") << "\n";
}

int show(const RunOptions& run, const Arguments& in) {
  audit::Query query;
  query.subject = in.subject;
  query.newest_first = in.newest_first;
  for (auto [text, out] : {std::pair(&in.since, &query.since_ms), std::pair(&in.until, &query.until_ms)}) {
    if (text->empty()) continue;
    const auto time = read_time(*text);
    if (!time) return failed(*text + " is neither 2026-01-31 nor 2026-01-31T12:00:00Z", kUsage);
    *out = *time;
  }
  std::size_t left = in.limit;
  while (left > 0) {
    query.limit = std::min(left, audit::kMaxPage);
    auto work = [query](soci::session& sql) { return audit::read_entries(sql, query); };
    const auto page = look(run, work);
    if (!page) return failed(page.error().text());
    if (!*page)
      return failed((*page).error().text(),
                    (*page).error().code == audit::ErrorCode::subject_syntax ? kUsage : kDoesNot);
    for (const audit::Entry& entry : **page) print_entry(entry, in.as_json);
    if ((*page)->size() < query.limit) break;
    left -= (*page)->size();
    (in.newest_first ? query.before : query.after) = (*page)->back().sequence;
  }
  return kHolds;
}

}  // namespace

CLI::App* add_audit_commands(CLI::App& app, const RunOptions& run, std::function<int()>& job) {
  CLI::App* command = app.add_subcommand("audit", "the append-only log of what happened to people and money");
  command->require_subcommand(1);
  auto in = std::make_shared<Arguments>();
  const auto add = [&](const char* name, const char* words, std::function<int()> todo) {
    CLI::App* made = command->add_subcommand(name, words);
    made->fallthrough();
    made->callback([&job, todo] {
      job = [todo] {
        infra::LogOptions log;
        log.level = infra::LogLevel::error;
        infra::configure_log(log);
        return todo();
      };
    });
    return made;
  };
  CLI::App* made = add("verify", "check the whole chain", [&run, in] { return verify(run, *in); });
  made->add_option("--head", in->heads, "a head that was kept elsewhere, SEQUENCE:HASH; any number of them");
  made->footer(kFooter);
  add("head", "print what the whole log is known by, for safe-keeping elsewhere", [&run] {
    return head(run);
  })->footer(kFooter);
  made = add("show", "print entries, oldest first", [&run, in] { return show(run, *in); });
  made->add_option("--subject", in->subject, "of this user's id alone");
  made->add_option("--since", in->since, "not before this time: 2026-01-31 or 2026-01-31T12:00:00Z");
  made->add_option("--until", in->until, "before this time");
  made->add_option("--limit", in->limit, "at most so many entries")->capture_default_str();
  made->add_flag("--newest-first", in->newest_first, "the other way round");
  made->add_flag("--json", in->as_json, "one line of JSON for each");
  return command;
}

}  // namespace community::node
