// SPDX-License-Identifier: Apache-2.0
// How long a log of a million entries takes: `audit_bench [ENTRIES]`. One line of JSON.
#include <soci/soci.h>

#include <cstdio>
#include <cstdlib>

#include "community/audit/factory.hpp"
#include "community/infra/factory.hpp"
#include "community/infra/fake/temporary_directory.hpp"

using namespace community;

namespace {

using Steady = std::chrono::steady_clock;

double since(Steady::time_point start) { return std::chrono::duration<double>(Steady::now() - start).count(); }

infra::Task<void> bench(infra::Database& database, audit::AuditLog& log, std::uint64_t entries) {
  // One write holds what a thousand requests at the same time would: one group commit.
  constexpr std::uint64_t kGroup = 1'000;
  const std::string alice = "4f1c2f0a-8d3e-4a51-9f0e-1f2d3c4b5a69";
  const auto started = Steady::now();
  for (std::uint64_t done = 0; done < entries; done += kGroup) {
    auto work = [&log, &alice](soci::session& sql) {
      for (std::uint64_t i = 0; i < kGroup; i++) {
        audit::AuditEvent event;
        event.event = audit::EventName::transaction_signed;
        if (i % 100 == 0) event.subject = alice;
        event.payload["wallet"] = "0b5f1b0e-56a5-4f0d-8a55-7b9d1f5c2e10";
        event.payload["userOpHash"] = "0x" + std::string(64, 'a');
        event.time_ms = 1'767'225'600'000;
        if (!log.record(sql, event)) std::abort();
      }
    };
    const auto written = co_await database.write(work);
    if (!written) std::abort();
  }
  const double write_s = since(started);
  const auto verifying = Steady::now();
  const auto report = co_await database.read([](soci::session& sql) { return audit::verify_log(sql, {}); });
  const double verify_s = since(verifying);
  if (!report || report->finding) std::abort();
  const auto reading = Steady::now();
  audit::Query query;
  query.subject = alice;
  query.newest_first = true;
  const auto page = co_await log.read(query);
  if (!page || page->size() != query.limit) std::abort();
  std::printf(
      "{\"bench\":\"audit\",\"entries\":%llu,\"record_us\":%.1f,\"verify_s\":%.2f,\"newest_page_of_one_ms\":%.2f}\n",
      static_cast<unsigned long long>(report->head.sequence), write_s / static_cast<double>(entries) * 1e6, verify_s,
      since(reading) * 1e3);
}

}  // namespace

int main(int argc, char** argv) {
  const std::uint64_t entries = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1'000'000;
  const infra::TemporaryDirectory folder;
  const auto random = infra::make_system_random();
  const auto clock = infra::make_system_clock();
  infra::EventLoop loop;
  auto database =
      infra::Database::open({"sqlite:" + (folder.path() / "node.db").string()}, {audit::audit_migrations()}).value();
  const auto log = audit::make_audit_log({*database, *random, *clock, loop.executor()});
  loop.block_on(bench(*database, *log, entries));
  return 0;
}
