// SPDX-License-Identifier: Apache-2.0
// History of other nodes: read beside the loop, kept in one write, shown with what the chain confirms of it.
#include "community/arrivals/import_reader.hpp"
#include "community/arrivals/store.hpp"
#include "community/core/uuid.hpp"
#include "community/infra/api/worker_pool.hpp"
#include "community/users/api/rate_limits.hpp"
#include "trusted/base/sha2.hpp"

namespace community::arrivals {
namespace {

constexpr infra::Milliseconds kHour{60 * 60 * 1'000};
constexpr std::int64_t kBusyRetry_s = 5;
// Receipts that one look at a page asks for: one request to the chain's server.
constexpr std::size_t kMaxReceipts = 50;

tl::unexpected<Error> busy(std::int64_t retry_after_s) {
  Error error;
  error.code = ErrorCode::too_many_requests;
  error.retry_after_s = retry_after_s;
  return tl::unexpected<Error>(std::move(error));
}

class ImportService final : public Imports {
 public:
  explicit ImportService(ImportsDependencies dependencies) : d_(std::move(dependencies)) {}

  Task<Result<Import>> keep(std::string user_id, std::string file) override {
    const std::int64_t wait_s = rates_.take("import " + user_id, {kImportsPerHour, kHour}, d_.clock.steady());
    if (wait_s != 0) co_return busy(wait_s);
    if (reading_ >= kMaxFilesAtOnce) co_return busy(kBusyRetry_s);
    const Reading reading(reading_);
    // The hash of 16 MiB takes as long as reading them.
    auto job = [text = std::make_shared<const std::string>(std::move(file))] {
      return std::pair(base::sha256(base::view(*text)), read_export(*text));
    };
    auto read = co_await pool_.run(job);
    if (!read) co_return busy(kBusyRetry_s);
    auto& [hash, content] = *read;
    count(content ? "read" : "refused");
    if (!content) co_return tl::unexpected(content.error());
    co_return co_await enter(std::move(user_id), hash, std::move(*content));
  }

  Task<Result<std::vector<Import>>> list(std::string user_id) override {
    auto read = [user_id](soci::session& sql) -> Result<std::vector<Import>> { return store::imports(sql, user_id); };
    co_return from_database(co_await d_.database.read(read));
  }

  Task<Result<std::vector<ImportedEntry>>> entries(std::string user_id, EntriesQuery query) override {
    using Found = std::vector<ImportedEntry>;
    auto read = [user_id, query](soci::session& sql) -> Result<Found> { return store::entries(sql, user_id, query); };
    auto found = from_database(co_await d_.database.read(read));
    if (!found) co_return found;
    co_await check(std::move(user_id), *found);
    co_return found;
  }

  Task<Result<void>> forget(std::string user_id, std::string import_id) override {
    auto work = [user_id, import_id](soci::session& sql) -> Result<bool> {
      if (!store::erase_import(sql, user_id, import_id)) return fail(ErrorCode::not_found);
      return true;
    };
    const auto done = from_database(co_await d_.database.write(work));
    if (!done) co_return tl::unexpected(done.error());
    co_return Result<void>{};
  }

 private:
  class Reading {
   public:
    explicit Reading(std::size_t& count) : count_(count) { count_++; }
    ~Reading() { count_--; }
    Reading(const Reading&) = delete;
    Reading& operator=(const Reading&) = delete;

   private:
    std::size_t& count_;
  };

  Task<Result<Import>> enter(std::string user_id, Bytes32 hash, ReadExport content) {
    Import import;
    core::Uuid id{};
    d_.random.fill(id);
    import.import_id = core::format_uuid(core::random_uuid(id));
    import.origin = std::move(content.origin);
    import.exported_ms = content.exported_ms;
    import.created_ms = d_.clock.now_ms();
    import.left_out = content.left_out;
    import.accounts = std::move(content.accounts);
    auto work = [user_id, hash, import, rows = std::move(content.entries)](soci::session& sql) -> Result<Import> {
      if (!store::is_person(sql, user_id)) return fail(ErrorCode::not_found, "the person left");
      if (auto same = store::import_of_file(sql, user_id, hash)) return std::move(*same);
      if (store::imports(sql, user_id).size() >= kMaxImports)
        return fail(ErrorCode::too_many_imports, "20 at most: take one away first");
      auto known = store::known_entries(sql, user_id);
      const std::size_t before = known.size();
      Import kept = import;
      std::vector<ImportedEntry> fresh;
      for (const ImportedEntry& row : rows) {
        if (!known.insert(store::key_of(row)).second) {
          kept.left_out++;
          continue;
        }
        fresh.push_back(row);
        fresh.back().import_id = kept.import_id;
      }
      if (before + fresh.size() > kMaxEntries)
        return fail(ErrorCode::too_many_entries, "50,000 at most: take an import away first");
      kept.entries = fresh.size();
      store::insert(sql, user_id, hash, kept);
      store::insert(sql, user_id, fresh);
      return kept;
    };
    co_return from_database(co_await d_.database.write(work));
  }

  const ServedChain* find_chain(std::uint64_t chain_id) const {
    for (const ServedChain& chain : d_.chains)
      if (chain.chain_id == chain_id) return &chain;
    return nullptr;
  }

  // By the EntryPoint's own word, which names operation and account.
  Task<void> ask(const ServedChain& chain, ImportedEntry& entry) {
    const auto receipt = co_await chain.chain.receipt(entry.transaction_hash);
    if (!receipt || !*receipt) co_return;
    for (const chain::Log& log : (*receipt)->logs) {
      const auto event = chain.entry_point.decode_event(log);
      const auto* done = event ? std::get_if<chain::UserOperationEvent>(&*event) : nullptr;
      if (done == nullptr || done->userop_hash != entry.digest || done->sender != entry.account.address) continue;
      entry.checked = done->success;
    }
  }

  // Only what is confirmed is written down: what is not found may be, once the chain's server has caught up.
  Task<void> check(std::string user_id, std::vector<ImportedEntry>& entries) {
    infra::TaskGroup group(co_await boost::asio::this_coro::executor);
    std::vector<ImportedEntry*> asked;
    for (ImportedEntry& entry : entries) {
      const ServedChain* chain = find_chain(entry.account.chain_id);
      if (entry.checked || chain == nullptr || base::is_zero(entry.digest) || asked.size() == kMaxReceipts) continue;
      asked.push_back(&entry);
      group.spawn(ask(*chain, entry));
    }
    co_await group.join();
    std::vector<std::uint64_t> confirmed;
    for (const ImportedEntry* entry : asked)
      if (entry->checked) confirmed.push_back(entry->sequence);
    if (confirmed.empty()) co_return;
    auto work = [user_id, confirmed](soci::session& sql) { store::set_checked(sql, user_id, confirmed); };
    co_await d_.database.write_unsynced(work);
  }

  void count(const char* what) {
    if (d_.metrics != nullptr)
      d_.metrics
          ->counter("community_arrivals_files_total", "Files of other nodes with a person's history, by outcome.",
                    {{"what", what}})
          .add();
  }
  template <class T>
  static Result<T> from_database(infra::Result<Result<T>> outcome) {
    if (!outcome) return fail(ErrorCode::database_unavailable, outcome.error().text());
    return std::move(*outcome);
  }

  ImportsDependencies d_;
  users::RateLimits rates_;
  std::size_t reading_ = 0;
  infra::WorkerPool pool_{{"imports", 1, kMaxFilesAtOnce}};
};

}  // namespace

std::unique_ptr<Imports> make_imports(ImportsDependencies dependencies) {
  return std::make_unique<ImportService>(std::move(dependencies));
}

}  // namespace community::arrivals
