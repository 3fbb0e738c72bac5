// SPDX-License-Identifier: Apache-2.0
// Group commit over SOCI. The writer takes whatever has gathered, runs it in one transaction with a savepoint for each
// write, commits once, and only then answers. While it waits for the disk the next group gathers by itself.
#include "community/infra/api/database.hpp"

#include <pthread.h>
#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "community/infra/api/log.hpp"
#include "community/infra/api/worker_pool.hpp"
#include "community/infra/completion.hpp"
#include "community/infra/migrations.hpp"

namespace community::infra {
namespace {

// A group takes no more writes after this time: the first of them waits this long plus one commit.
constexpr Milliseconds kMaxGathering{5};
// 1,024 writes of a few pages each stay within SQLite's page cache below.
constexpr std::size_t kMaxGroup = 1'024;
// A checkpoint or another process may hold a lock this long.
constexpr int kBusySeconds = 5;
// Negative: KiB instead of pages.
constexpr int kWriterCacheKib = -4'096;
constexpr int kReaderCacheKib = -1'024;

Error describe(const soci::soci_error& error) {
  const auto* sqlite = dynamic_cast<const soci::sqlite3_soci_error*>(&error);
  const std::string words = error.get_error_message();
  // Statements report through the base class with SQLite's words, which begin the same for every kind of constraint.
  const bool constraint = (sqlite != nullptr && (sqlite->result() & 0xff) == SQLITE_CONSTRAINT) ||
                          error.get_error_category() == soci::soci_error::constraint_violation ||
                          words.find("constraint failed") != std::string::npos;
  return {constraint ? ErrorCode::constraint : ErrorCode::database, words};
}

void open_session(soci::session& session, const std::string& path, bool durable, bool reader) {
  session.open(soci::sqlite3, "db=\"" + path + "\" timeout=" + std::to_string(kBusySeconds));
  if (reader) {
    session << "PRAGMA query_only = ON";
  } else {
    std::string mode;
    session << "PRAGMA journal_mode = WAL", soci::into(mode);
    session << (durable ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = OFF");
    session << "PRAGMA foreign_keys = ON";
  }
  session << "PRAGMA cache_size = " + std::to_string(reader ? kReaderCacheKib : kWriterCacheKib);
}

bool in_transaction(soci::session& session) {
  auto* backend = static_cast<soci::sqlite3_session_backend*>(session.get_backend());
  return sqlite3_get_autocommit(backend->conn_) == 0;
}

}  // namespace

struct Database::Body {
  struct Write {
    Job job;
    std::shared_ptr<Completion> completion;
    Result<void> outcome;
  };

  DatabaseOptions options;
  soci::session writer;
  std::mutex mutex;
  std::condition_variable wake;
  std::deque<Write> queue;
  bool stopped = false;
  std::thread thread;

  std::mutex reader_mutex;
  std::vector<std::unique_ptr<soci::session>> free_readers;
  std::unique_ptr<WorkerPool> readers;

  std::optional<Counter> groups;
  std::optional<Histogram> group_size;
  std::optional<Histogram> group_seconds;

  void work() {
    pthread_setname_np(pthread_self(), "database");
    std::unique_lock lock(mutex);
    for (;;) {
      wake.wait(lock, [this] { return stopped || !queue.empty(); });
      if (queue.empty()) return;
      lock.unlock();
      run_group();
      lock.lock();
    }
  }

  std::optional<Write> take() {
    const std::lock_guard lock(mutex);
    if (queue.empty()) return std::nullopt;
    std::optional<Write> write(std::move(queue.front()));
    queue.pop_front();
    return write;
  }

  void run_group() {
    const auto started = std::chrono::steady_clock::now();
    std::vector<Write> group;
    Result<void> whole;
    try {
      writer << "BEGIN IMMEDIATE";
      while (group.size() < kMaxGroup && std::chrono::steady_clock::now() - started < kMaxGathering) {
        auto write = take();
        if (!write) break;
        group.push_back(std::move(*write));
        run_one(group.back());
      }
      writer << "COMMIT";
    } catch (const soci::soci_error& e) {
      whole = tl::unexpected(describe(e));
      whole.error().code = ErrorCode::database;
      abandon();
      if (group.empty())
        if (auto write = take()) group.push_back(std::move(*write));
      log_error("database group failed", {{"why", whole.error().message}, {"writes", group.size()}});
    }
    if (groups) {
      const std::chrono::duration<double> took = std::chrono::steady_clock::now() - started;
      groups->add();
      group_size->observe(static_cast<double>(group.size()));
      group_seconds->observe(took.count());
    }
    for (auto& write : group) {
      write.job = nullptr;
      write.completion->finish(whole ? std::move(write.outcome) : whole);
    }
  }

  // Throws only when the whole transaction is lost.
  void run_one(Write& write) {
    writer << "SAVEPOINT item";
    bool keep = false;
    try {
      keep = write.job(writer);
    } catch (const soci::soci_error& e) {
      write.outcome = tl::unexpected(describe(e));
    } catch (...) {
      // The caller's side holds the exception and throws it there.
    }
    if (!in_transaction(writer)) throw soci::soci_error("SQLite gave the transaction up");
    if (!keep) writer << "ROLLBACK TO item";
    writer << "RELEASE item";
  }

  void abandon() {
    try {
      if (in_transaction(writer)) writer << "ROLLBACK";
    } catch (const soci::soci_error& e) {
      log_error("database rollback failed", {{"why", e.get_error_message()}});
    }
  }

  Result<void> run_reader(const Job& job) {
    std::unique_ptr<soci::session> session;
    {
      const std::lock_guard lock(reader_mutex);
      session = std::move(free_readers.back());
      free_readers.pop_back();
    }
    Result<void> outcome;
    try {
      *session << "BEGIN";
      job(*session);
    } catch (const soci::soci_error& e) {
      outcome = tl::unexpected(describe(e));
    } catch (...) {
      // As in run_one.
    }
    try {
      if (in_transaction(*session)) *session << "COMMIT";
    } catch (const soci::soci_error& e) {
      outcome = tl::unexpected(describe(e));
    }
    const std::lock_guard lock(reader_mutex);
    free_readers.push_back(std::move(session));
    return outcome;
  }
};

Database::Database(std::unique_ptr<Body> body) : body_(std::move(body)) {}
Database::~Database() { stop(); }

Result<std::unique_ptr<Database>> Database::open(DatabaseOptions options, std::vector<MigrationSet> migrations,
                                                 Metrics* metrics) {
  static constexpr std::string_view kScheme = "sqlite:";
  if (!options.url.starts_with(kScheme))
    return fail(ErrorCode::config_value, "database.url starts with sqlite: (other databases are not built in)");
  const std::string path = options.url.substr(kScheme.size());
  if (path.empty() || path.find('"') != std::string::npos)
    return fail(ErrorCode::config_value, "database.url names no usable file");
  auto body = std::make_unique<Body>();
  body->options = std::move(options);
  try {
    if (body->options.read_only) {
      // SQLite would make an empty file.
      if (::access(path.c_str(), R_OK) != 0) return fail(ErrorCode::io, "there is no database " + path);
    } else {
      open_session(body->writer, path, body->options.durable, false);
      ::chmod(path.c_str(), S_IRUSR | S_IWUSR);
      if (auto applied = apply_migrations(body->writer, migrations); !applied) return tl::unexpected(applied.error());
    }
    for (std::size_t i = 0; i < body->options.readers; i++) {
      auto session = std::make_unique<soci::session>();
      open_session(*session, path, body->options.durable, true);
      body->free_readers.push_back(std::move(session));
    }
  } catch (const soci::soci_error& e) {
    return fail(ErrorCode::database, "cannot open " + path + ": " + e.get_error_message());
  }
  if (metrics != nullptr) {
    body->groups.emplace(metrics->counter("community_database_commits_total", "Group commits"));
    body->group_size.emplace(
        metrics->histogram("community_database_group_writes", "Writes in one commit", Buckets::count));
    body->group_seconds.emplace(
        metrics->histogram("community_database_group_seconds", "From the first write to the commit", Buckets::seconds));
  }
  body->readers =
      std::make_unique<WorkerPool>(WorkerPoolOptions{"database-read", body->options.readers, body->options.max_queued});
  if (!body->options.read_only) body->thread = std::thread([raw = body.get()] { raw->work(); });
  return std::unique_ptr<Database>(new Database(std::move(body)));
}

void Database::stop() {
  {
    const std::lock_guard lock(body_->mutex);
    body_->stopped = true;
  }
  body_->wake.notify_all();
  if (body_->thread.joinable()) body_->thread.join();
  body_->readers->stop();
  body_->free_readers.clear();
  body_->writer.close();
}

Task<Result<void>> Database::run_write(Job job) {
  auto completion = std::make_shared<Completion>(co_await boost::asio::this_coro::executor);
  std::optional<Error> refusal;
  {
    const std::lock_guard lock(body_->mutex);
    if (body_->options.read_only) {
      refusal = Error{ErrorCode::closed, "the database was opened for reading"};
    } else if (body_->stopped) {
      refusal = Error{ErrorCode::closed, "the database was closed"};
    } else if (body_->queue.size() >= body_->options.max_queued) {
      refusal =
          Error{ErrorCode::queue_full, "the database has " + std::to_string(body_->queue.size()) + " writes waiting"};
    } else {
      body_->queue.push_back({std::move(job), completion, {}});
    }
  }
  if (refusal) co_return tl::unexpected<Error>(std::move(*refusal));
  body_->wake.notify_one();
  co_return co_await completion->wait();
}

Task<Result<void>> Database::run_job(bool writes, Job job) {
  if (writes) return run_write(std::move(job));
  return run_read(std::move(job));
}

Task<Result<void>> Database::run_read(Job job) {
  Body* body = body_.get();
  auto shared = std::make_shared<Job>(std::move(job));
  auto work = [body, shared] { return body->run_reader(*shared); };
  auto outcome = co_await body->readers->run(work);
  if (!outcome) co_return tl::unexpected(outcome.error());
  co_return std::move(*outcome);
}

}  // namespace community::infra
