// SPDX-License-Identifier: Apache-2.0
// The database, SQLite or PostgreSQL: one writer thread that commits groups, reader threads beside it. SQL stays within
// what both understand (types TEXT, BIGINT, INTEGER, DOUBLE PRECISION; upserts as INSERT … ON CONFLICT; bytes as
// lower-case hex TEXT, because SOCI's blobs differ between its backends; times as BIGINT milliseconds; text from
// outside is UTF-8 without zero bytes, which PostgreSQL does not keep).
#pragma once
#include <cstdint>
#include <exception>
#include <type_traits>

#include "community/infra/api/metrics.hpp"
#include "community/infra/api/task.hpp"

namespace soci {
class session;
}

namespace community::infra {

// One step of a module's schema. Never edited once released: its checksum is kept in the database.
struct Migration {
  // 1, 2, 3 … within the module.
  std::uint32_t number = 0;
  std::string name;
  // Statements that each end with ';' at the end of a line.
  std::string sql;
};

// Tables of a module carry its name as prefix, so that two modules never meet.
struct MigrationSet {
  std::string module;
  std::vector<Migration> steps;
};

struct DatabaseOptions {
  // "sqlite:" and a path whose directory exists; or for PostgreSQL 15 or newer what libpq takes, without a password:
  // "postgresql://user@host:5432/name", "postgresql:///name?host=/run/postgresql" for a socket folder. To another
  // machine sslmode=verify-full unless the URL or PGSSLMODE says otherwise.
  std::string url;
  // Of PostgreSQL; empty: what libpq finds (PGPASSWORD, ~/.pgpass), or none. Never shown.
  std::string password = {};
  std::size_t readers = 2;
  // Writes or reads waiting; queue_full beyond. 4,096 jobs of about 1 kB are 4 MB.
  std::size_t max_queued = 4'096;
  // Off only in tests and throw-away simulations: a power failure may then lose confirmed writes.
  bool durable = true;
  // For looking at a database that another process may be using: no migrations, writes are refused with closed.
  bool read_only = false;
};

namespace detail {
template <class T>
struct IsExpected : std::false_type {};
template <class T, class E>
struct IsExpected<tl::expected<T, E>> : std::true_type {};

// What a caller gets from a lambda that returns T: a Result<U> is not wrapped twice.
template <class T>
struct DatabaseResult {
  using Type = Result<T>;
};
template <class U>
struct DatabaseResult<Result<U>> {
  using Type = Result<U>;
};
template <class F>
using DatabaseResultOf = typename DatabaseResult<std::invoke_result_t<std::remove_cvref_t<F>&, soci::session&>>::Type;
}  // namespace detail

class Database {
 public:
  // Opens, sets up (SQLite: WAL, synchronous=FULL, foreign keys; PostgreSQL: synchronous_commit=on, limits of time) and
  // brings the schema up to date, one transaction for each step. Errors: config_value for a URL that means nothing or
  // holds a password, locked when another node writes to this PostgreSQL database, migration_history when the database
  // holds steps this program does not know, or other ones; database for the rest, with what to do about it.
  static Result<std::unique_ptr<Database>> open(DatabaseOptions options, std::vector<MigrationSet> migrations,
                                                Metrics* metrics = nullptr);
  // Finishes the writes that wait, then closes. Call before the loops go.
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // Runs `f(soci::session&)` on the writer thread inside a savepoint of a transaction shared with other writes, and
  // returns its value once that transaction is on disk: at once when idle, one fsync for all that gathered under load.
  // When `f` returns an error value or throws, its own changes are undone and nobody else's. soci errors arrive as
  // constraint or database. A caller that is cancelled goes on when `f` has ended, so that `f` may use what lives as
  // long as the task; only a loop that is destroyed with tasks on it leaves `f` behind.
  //
  // After any error but one nothing of `f` is in the database. The one is outcome_unknown (PostgreSQL only): the
  // connection was lost between COMMIT and its answer, and the server did not come back within ten seconds to say what
  // became of it. Who gets it tells its own caller that the outcome is unknown, does not act as if it had been written
  // or not, and does not repeat the write blindly: it reads first, or repeats what may be repeated (an upsert by key).
  // While there is no connection every call fails at once with `database`; connecting again goes on behind it.
  template <class F>
  auto write(F&& f) -> Task<detail::DatabaseResultOf<F>> {
    static_assert(detail::kSafeInAwait<F>, "name the lambda first: see the warning in task.hpp");
    return run(Access::write, detail::take_closure(f));
  }
  // As write, for what nobody was promised: on SQLite it returns without waiting for the disk. What it returned then
  // survives the end of this process at any point and every later write sees it, but a power failure may lose it,
  // together with nothing that any other write returned.
  template <class F>
  auto write_unsynced(F&& f) -> Task<detail::DatabaseResultOf<F>> {
    static_assert(detail::kSafeInAwait<F>, "name the lambda first: see the warning in task.hpp");
    return run(Access::write_unsynced, detail::take_closure(f));
  }
  // Runs `f(soci::session&)` on a reader thread in one snapshot; it sees every write whose result was returned.
  template <class F>
  auto read(F&& f) -> Task<detail::DatabaseResultOf<F>> {
    static_assert(detail::kSafeInAwait<F>, "name the lambda first: see the warning in task.hpp");
    return run(Access::read, detail::take_closure(f));
  }

  // As read, for a few rows by their keys: on SQLite it runs on the caller's thread, which takes a third of the time
  // that asking another thread does. What may touch many rows is a read.
  template <class F>
  auto read_short(F&& f) -> Task<detail::DatabaseResultOf<F>> {
    static_assert(detail::kSafeInAwait<F>, "name the lambda first: see the warning in task.hpp");
    return run(Access::read_short, detail::take_closure(f));
  }

  // Why there is no connection just now; for a report of health. From any thread.
  std::optional<Error> trouble() const;

  void stop();

 private:
  // False asks for the changes of this job to be undone.
  using Job = std::function<bool(soci::session&)>;
  enum class Access : std::uint8_t { read, read_short, write, write_unsynced };
  struct Body;
  explicit Database(std::unique_ptr<Body> body);
  Task<Result<void>> run_write(bool synced, Job job);
  Task<Result<void>> run_read(Job job);
  Task<Result<void>> run_read_short(Job job);

  Task<Result<void>> run_job(Access access, Job job);
  template <class F>
  auto run(Access access, F f) -> Task<detail::DatabaseResultOf<F>>;
  template <class R, class Shared>
  Task<R> finish(Access access, std::shared_ptr<Shared> shared, Job job);

  std::unique_ptr<Body> body_;
};

// Connects and describes, for `doctor`: "PostgreSQL 15.18, database node at db.example, TLS". Takes no lock and changes
// nothing. Errors as Database::open; config_value for SQLite, which needs no connection.
Result<std::string> describe_postgresql(const DatabaseOptions& options);

namespace detail {
template <class F, class T>
struct DatabaseJob {
  explicit DatabaseJob(F function) : f(std::move(function)) {}
  F f;
  std::conditional_t<std::is_void_v<T>, std::monostate, std::optional<T>> value{};
  std::exception_ptr failure;

  bool call(soci::session& session) {
    if constexpr (std::is_void_v<T>) {
      f(session);
      return true;
    } else {
      value.emplace(f(session));
      if constexpr (IsExpected<T>::value) {
        return value->has_value();
      } else {
        return true;
      }
    }
  }
};
}  // namespace detail

template <class F>
auto Database::run(Access access, F f) -> Task<detail::DatabaseResultOf<F>> {
  using T = std::invoke_result_t<F&, soci::session&>;
  using R = detail::DatabaseResultOf<F>;
  auto shared = std::make_shared<detail::DatabaseJob<F, T>>(std::move(f));
  Job job = [shared](soci::session& session) {
    try {
      return shared->call(session);
    } catch (...) {
      shared->failure = std::current_exception();
      throw;
    }
  };
  return finish<R>(access, std::move(shared), std::move(job));
}

template <class R, class Shared>
Task<R> Database::finish(Access access, std::shared_ptr<Shared> shared, Job job) {
  auto done = co_await run_job(access, std::move(job));
  if (!done) co_return R(tl::unexpected<Error>(std::move(done.error())));
  if (shared->failure) std::rethrow_exception(shared->failure);
  if constexpr (std::is_void_v<typename R::value_type>) {
    // A lambda that returns Result<void> comes here too: its own error counts.
    if constexpr (!std::is_same_v<decltype(shared->value), std::monostate>) {
      co_return std::move(*shared->value);
    } else {
      co_return R{};
    }
  } else {
    co_return R(std::move(*shared->value));
  }
}

}  // namespace community::infra
