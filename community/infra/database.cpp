// SPDX-License-Identifier: Apache-2.0
// Group commit over SOCI. The writer takes whatever has gathered, runs it in one transaction with a savepoint for each
// write, commits once, and only then answers. While it waits for the disk the next group gathers by itself.
#include "community/infra/api/database.hpp"

#include <pthread.h>
#include <soci/soci.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "community/infra/api/log.hpp"
#include "community/infra/api/worker_pool.hpp"
#include "community/infra/completion.hpp"
#include "community/infra/database_backend.hpp"
#include "community/infra/migrations.hpp"
#include "community/infra/postgresql_address.hpp"

namespace community::infra {
namespace {

// A group takes no more writes after this time, or after as long as the last commit took where that is longer, on a
// slow disk or a server far away: the first write waits this long plus one commit, and commits take half of the time
// at the most.
constexpr Milliseconds kGathering{5};
constexpr Milliseconds kLongestGathering{50};
constexpr std::size_t kMaxGroup = 1'024;
// Between attempts to connect again; doubled each time.
constexpr Milliseconds kFirstPause{50};
constexpr Milliseconds kLongestPause{5'000};
// How long the writers of a group whose commit was not answered wait to learn what became of it. A server that was
// killed is back within seconds; whoever waits behind an HTTP request does not wait longer.
constexpr Milliseconds kOutcomePatience{10'000};

constexpr const char* kNothingWritten = "the connection to the database was lost; nothing of this was written";

Result<std::unique_ptr<DatabaseBackend>> make_backend(const DatabaseOptions& options) {
  if (options.url.starts_with("sqlite:")) return make_sqlite_backend(options);
  if (is_postgresql(options.url)) return make_postgresql_backend(options);
  return fail(ErrorCode::config_value, "database.url begins with sqlite: or postgresql:");
}

}  // namespace

struct Database::Body {
  struct Write {
    Job job;
    std::shared_ptr<Completion> completion;
    Result<void> outcome;
    // The commit waits for the disk.
    bool synced = true;
  };

  DatabaseOptions options;
  std::unique_ptr<DatabaseBackend> backend;
  soci::session writer;
  std::mutex mutex;
  std::condition_variable wake;
  std::deque<Write> queue;
  bool stopped = false;
  // A reader lost its connection: the writer looks at its own, which may have nothing to do.
  bool is_suspect = false;
  // Set while there is no connection: requests are refused with it at once.
  std::optional<Error> trouble;
  // Of the thread that writes: the next pause before it connects again.
  Milliseconds pause = kFirstPause;
  std::chrono::nanoseconds gathering = kGathering;
  std::thread thread;

  std::mutex reader_mutex;
  std::vector<std::unique_ptr<soci::session>> free_readers;
  // Of short reads on callers' threads; nothing where they are read as others.
  std::mutex here_mutex;
  std::unique_ptr<soci::session> here_session;
  std::unique_ptr<WorkerPool> readers;

  std::optional<Counter> groups, reconnections;
  std::optional<Histogram> group_size;
  std::optional<Histogram> group_seconds;

  // --- the writer's thread -------------------------------------------------------------------------------------------

  void work() {
    pthread_setname_np(pthread_self(), "database");
    std::unique_lock lock(mutex);
    for (;;) {
      if (trouble) {
        if (!wait_out(lock)) return;
        lock.unlock();
        connect_again();
      } else {
        wake.wait(lock, [this] { return stopped || is_suspect || !queue.empty(); });
        if (queue.empty() && !is_suspect) return;
        is_suspect = false;
        lock.unlock();
        run_group();
      }
      lock.lock();
    }
  }

  // Answers what had gathered, then waits for the next attempt; false when there will be none.
  bool wait_out(std::unique_lock<std::mutex>& lock) {
    for (Write& write : queue) {
      write.job = nullptr;
      write.completion->finish(tl::unexpected(*trouble));
    }
    queue.clear();
    const auto is_over = [this] { return stopped; };
    if (backend->is_final()) {
      wake.wait(lock, is_over);
    } else {
      wake.wait_for(lock, pause, is_over);
    }
    return !stopped;
  }

  bool connect_again() {
    writer.close();
    auto opened = backend->open_writer(writer);
    const std::lock_guard lock(mutex);
    if (!opened) {
      pause = std::min(2 * pause, kLongestPause);
      if (!trouble || trouble->message != opened.error().message)
        log_error(backend->is_final() ? "the database must not be used any more" : "the database is not reachable",
                  {{"why", opened.error().message}});
      trouble = std::move(opened.error());
      return false;
    }
    trouble.reset();
    pause = kFirstPause;
    log_info("the database is connected again");
    if (reconnections) reconnections->add();
    return true;
  }

  // The next write that a commit of this kind may hold: a synced one serves both.
  std::optional<Write> take(bool synced) {
    const std::lock_guard lock(mutex);
    if (queue.empty() || (queue.front().synced && !synced)) return std::nullopt;
    std::optional<Write> write(std::move(queue.front()));
    queue.pop_front();
    return write;
  }

  void run_group() {
    const auto started = std::chrono::steady_clock::now();
    std::vector<Write> group;
    Result<void> whole;
    try {
      const bool synced = next_is_synced();
      begin(synced);
      const auto enough = std::chrono::steady_clock::now() + gathering;
      while (group.empty() || (group.size() < kMaxGroup && std::chrono::steady_clock::now() < enough)) {
        auto write = take(synced);
        if (!write) break;
        group.push_back(std::move(*write));
        run_one(group.back());
      }
      const auto commits = std::chrono::steady_clock::now();
      backend->commit_write(writer);
      gathering = std::clamp<std::chrono::nanoseconds>(std::chrono::steady_clock::now() - commits, kGathering,
                                                       kLongestGathering);
    } catch (const soci::soci_error& e) {
      whole = fail(ErrorCode::database, backend->describe(e).message);
    }
    abandon();
    if (!whole) {
      log_error("database group failed", {{"why", whole.error().message}, {"writes", group.size()}});
      if (!backend->is_connected(writer)) whole = after_loss();
      if (group.empty())
        if (auto write = take(true)) group.push_back(std::move(*write));
    }
    if (groups && !group.empty()) {
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

  bool next_is_synced() {
    const std::lock_guard lock(mutex);
    return queue.empty() || queue.front().synced;
  }

  // A connection that was lost while nothing was written is no reason to fail anybody.
  void begin(bool synced) {
    try {
      backend->begin_write(writer, synced);
      return;
    } catch (const soci::soci_error&) {
      if (backend->is_connected(writer)) throw;
    }
    if (!connect_again()) throw soci::soci_error("the connection was lost and there is no other yet");
    backend->begin_write(writer, synced);
  }

  // Throws only when the whole transaction is lost.
  void run_one(Write& write) {
    backend->set_savepoint(writer);
    bool keep = false;
    try {
      keep = write.job(writer);
    } catch (const soci::soci_error& e) {
      write.outcome = tl::unexpected(backend->describe(e));
    } catch (...) {
      // The caller's side holds the exception and throws it there.
    }
    const TransactionState state = backend->transaction(writer);
    if (state == TransactionState::none) throw soci::soci_error("the database gave the transaction up");
    if (state == TransactionState::failed && keep) {
      write.outcome = fail(ErrorCode::database, "a statement failed and the write went on as if it had not");
      keep = false;
    }
    if (keep) {
      backend->keep(writer);
    } else {
      backend->undo(writer);
    }
  }

  void abandon() {
    try {
      backend->end(writer);
    } catch (const soci::soci_error& e) {
      log_error("database rollback failed", {{"why", backend->describe(e).message}});
    }
  }

  // What the writers of the group are told whose connection is gone.
  Result<void> after_loss() {
    {
      const std::lock_guard lock(mutex);
      // Connecting again failed already, before anything was asked for.
      if (trouble) return tl::unexpected(*trouble);
      trouble = Error{ErrorCode::database, "the connection to the database was lost"};
    }
    if (!backend->is_in_doubt()) return fail(ErrorCode::database, kNothingWritten);
    const auto patience = std::chrono::steady_clock::now() + kOutcomePatience;
    while (!connect_again()) {
      std::unique_lock lock(mutex);
      const auto next = std::chrono::steady_clock::now() + pause;
      if (backend->is_final() || next > patience || wake.wait_until(lock, next, [this] { return stopped; }))
        return fail(ErrorCode::outcome_unknown,
                    "the connection to the database was lost while it committed: this was written or not");
    }
    if (backend->was_committed()) return {};
    return fail(ErrorCode::database, kNothingWritten);
  }

  // --- readers -------------------------------------------------------------------------------------------------------

  Result<void> run_reader(const Job& job) {
    std::unique_ptr<soci::session> session;
    {
      const std::lock_guard lock(mutex);
      if (trouble) return tl::unexpected(*trouble);
    }
    {
      const std::lock_guard lock(reader_mutex);
      session = std::move(free_readers.back());
      free_readers.pop_back();
    }
    auto outcome = begin_reading(*session);
    if (outcome) outcome = run_begun(*session, job);
    const std::lock_guard lock(reader_mutex);
    free_readers.push_back(std::move(session));
    return outcome;
  }

  // Nothing where the database does not answer at once, or the session for it is in use by another loop's thread.
  std::optional<Result<void>> read_here(const Job& job) {
    const std::unique_lock here(here_mutex, std::try_to_lock);
    if (!here || here_session == nullptr) return std::nullopt;
    auto outcome = begin_reading(*here_session);
    if (outcome) outcome = run_begun(*here_session, job);
    return outcome;
  }

  // Connects again where the connection was lost since the last read.
  Result<void> begin_reading(soci::session& session) {
    if (backend->is_connected(session)) {
      try {
        backend->begin_read(session);
        return {};
      } catch (const soci::soci_error& e) {
        if (backend->is_connected(session)) return tl::unexpected(backend->describe(e));
      }
    }
    close(session);
    if (auto opened = backend->open_reader(session); !opened) {
      suspect();
      return opened;
    }
    try {
      backend->begin_read(session);
      return {};
    } catch (const soci::soci_error& e) {
      return tl::unexpected(backend->describe(e));
    }
  }

  Result<void> run_begun(soci::session& session, const Job& job) {
    Result<void> outcome;
    try {
      job(session);
    } catch (const soci::soci_error& e) {
      outcome = tl::unexpected(backend->describe(e));
    } catch (...) {
      // As in run_one.
    }
    try {
      backend->end(session);
    } catch (const soci::soci_error& e) {
      outcome = tl::unexpected(backend->describe(e));
    }
    if (backend->is_connected(session)) return outcome;
    close(session);
    suspect();
    if (!outcome) outcome = fail(ErrorCode::database, "the connection to the database was lost");
    return outcome;
  }

  void suspect() {
    {
      const std::lock_guard lock(mutex);
      is_suspect = true;
    }
    wake.notify_one();
  }

  // Its socket may be watched.
  void close(soci::session& session) {
    try {
      if (session.get_backend() != nullptr) backend->end(session);
    } catch (const soci::soci_error&) {
      // It is closed next.
    }
    session.close();
  }
};

Database::Database(std::unique_ptr<Body> body) : body_(std::move(body)) {}
Database::~Database() { stop(); }

Result<std::unique_ptr<Database>> Database::open(DatabaseOptions options, std::vector<MigrationSet> migrations,
                                                 Metrics* metrics) {
  auto backend = make_backend(options);
  if (!backend) return tl::unexpected(backend.error());
  auto body = std::make_unique<Body>();
  body->options = std::move(options);
  body->backend = std::move(*backend);
  if (!body->options.read_only) {
    if (auto opened = body->backend->open_writer(body->writer); !opened) return tl::unexpected(opened.error());
    try {
      if (auto applied = apply_migrations(body->writer, migrations); !applied) return tl::unexpected(applied.error());
      body->backend->limit_statements(body->writer);
    } catch (const soci::soci_error& e) {
      return fail(ErrorCode::database, "cannot bring the schema up to date: " + body->backend->describe(e).message);
    }
  }
  for (std::size_t i = 0; i < body->options.readers; i++) {
    auto session = std::make_unique<soci::session>();
    if (auto opened = body->backend->open_reader(*session); !opened) return tl::unexpected(opened.error());
    body->free_readers.push_back(std::move(session));
  }
  if (body->backend->answers_at_once()) {
    body->here_session = std::make_unique<soci::session>();
    if (auto opened = body->backend->open_reader(*body->here_session); !opened) return tl::unexpected(opened.error());
  }
  if (metrics != nullptr) {
    body->groups.emplace(metrics->counter("community_database_commits_total", "Group commits"));
    body->reconnections.emplace(
        metrics->counter("community_database_reconnections_total", "Connections that replaced a lost one"));
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
  {
    const std::lock_guard lock(body_->here_mutex);
    if (body_->here_session) body_->close(*body_->here_session);
    body_->here_session.reset();
  }
  for (auto& session : body_->free_readers) body_->close(*session);
  body_->free_readers.clear();
  body_->close(body_->writer);
}

std::optional<Error> Database::trouble() const {
  const std::lock_guard lock(body_->mutex);
  return body_->trouble;
}

Task<Result<void>> Database::run_write(bool synced, Job job) {
  auto completion = std::make_shared<Completion>(co_await boost::asio::this_coro::executor);
  std::optional<Error> refusal;
  {
    const std::lock_guard lock(body_->mutex);
    if (body_->options.read_only) {
      refusal = Error{ErrorCode::closed, "the database was opened for reading"};
    } else if (body_->stopped) {
      refusal = Error{ErrorCode::closed, "the database was closed"};
    } else if (body_->trouble) {
      refusal = body_->trouble;
    } else if (body_->queue.size() >= body_->options.max_queued) {
      refusal =
          Error{ErrorCode::queue_full, "the database has " + std::to_string(body_->queue.size()) + " writes waiting"};
    } else {
      body_->queue.push_back({std::move(job), completion, {}, synced});
    }
  }
  if (refusal) co_return tl::unexpected<Error>(std::move(*refusal));
  body_->wake.notify_one();
  co_return co_await completion->wait();
}

Task<Result<void>> Database::run_job(Access access, Job job) {
  if (access == Access::read) return run_read(std::move(job));
  if (access == Access::read_short) return run_read_short(std::move(job));
  return run_write(access == Access::write, std::move(job));
}

Task<Result<void>> Database::run_read_short(Job job) {
  if (auto outcome = body_->read_here(job)) co_return std::move(*outcome);
  co_return co_await run_read(std::move(job));
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
