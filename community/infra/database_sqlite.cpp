// SPDX-License-Identifier: Apache-2.0
// SQLite: one file, readable by its owner alone, with a write-ahead log.
#include <soci/sqlite3/soci-sqlite3.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <mutex>

#include "community/infra/database_backend.hpp"
#include "community/infra/sqlite_statements.hpp"

namespace community::infra {
namespace {

// A checkpoint or another process may hold a lock this long.
constexpr int kBusySeconds = 5;
// Negative: KiB instead of pages. A group of 1,024 writes of a few pages each stays within the writer's.
constexpr const char* kWriterCache = "PRAGMA cache_size = -4096";
constexpr const char* kReaderCache = "PRAGMA cache_size = -1024";

// Debian's SQLite counts each allocation under one lock of the whole process, so that readers and the writer wait for
// each other all the time, and it has a lock in each connection, though only one thread at a time uses a session here.
void configure_once() {
  static std::once_flag once;
  std::call_once(once, [] {
    sqlite_api::sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    sqlite_api::sqlite3_config(SQLITE_CONFIG_MULTITHREAD);
  });
}

class SqliteBackend final : public DatabaseBackend {
 public:
  SqliteBackend(std::string path, bool durable) : path_(std::move(path)), durable_(durable) {}

  Result<void> open_writer(soci::session& session) override {
    try {
      connect(session);
      ::chmod(path_.c_str(), S_IRUSR | S_IWUSR);
      std::string mode;
      session << "PRAGMA journal_mode = WAL", soci::into(mode);
      session << (durable_ ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = OFF");
      is_synced_ = true;
      session << "PRAGMA foreign_keys = ON";
      // What a savepoint may undo is kept in memory instead of a file that each group makes and removes.
      session << "PRAGMA temp_store = MEMORY";
      session << kWriterCache;
    } catch (const soci::soci_error& e) {
      return cannot_open(e);
    }
    return {};
  }

  Result<void> open_reader(soci::session& session) override {
    // SQLite would make an empty file.
    if (::access(path_.c_str(), R_OK) != 0) return fail(ErrorCode::io, "there is no database " + path_);
    try {
      connect(session);
      session << "PRAGMA query_only = ON";
      session << kReaderCache;
    } catch (const soci::soci_error& e) {
      return cannot_open(e);
    }
    return {};
  }

  void limit_statements(soci::session&) override {}

  // The write-ahead log stays whole without an fsync (synchronous = NORMAL), and the next one covers it.
  void begin_write(soci::session& writer, bool synced) override {
    if (durable_ && synced != is_synced_) {
      writer << (synced ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
      is_synced_ = synced;
    }
    writer << "BEGIN IMMEDIATE";
  }
  void begin_read(soci::session& reader) override { reader << "BEGIN"; }
  void set_savepoint(soci::session& writer) override { writer << "SAVEPOINT item"; }
  void keep(soci::session& writer) override { writer << "RELEASE item"; }
  void undo(soci::session& writer) override {
    writer << "ROLLBACK TO item";
    writer << "RELEASE item";
  }
  void commit_write(soci::session& writer) override { writer << "COMMIT"; }
  // The file is here: a commit that failed did not take place.
  bool is_in_doubt() const override { return false; }
  bool was_committed() const override { return false; }
  void end(soci::session& session) override {
    if (transaction(session) != TransactionState::none) session << "ROLLBACK";
  }

  TransactionState transaction(soci::session& session) const override {
    auto* backend = static_cast<soci::sqlite3_session_backend*>(session.get_backend());
    return sqlite3_get_autocommit(backend->conn_) == 0 ? TransactionState::open : TransactionState::none;
  }
  bool is_connected(soci::session&) const override { return true; }

  Error describe(const soci::soci_error& error) const override {
    const auto* sqlite = dynamic_cast<const soci::sqlite3_soci_error*>(&error);
    std::string words = error.get_error_message();
    // Statements report through the base class with SQLite's words, which begin the same for every kind of constraint.
    const bool constraint = (sqlite != nullptr && (sqlite->result() & 0xff) == SQLITE_CONSTRAINT) ||
                            error.get_error_category() == soci::soci_error::constraint_violation ||
                            words.find("constraint failed") != std::string::npos;
    return {constraint ? ErrorCode::constraint : ErrorCode::database, std::move(words)};
  }
  bool is_final() const override { return false; }
  bool answers_at_once() const override { return true; }

 private:
  void connect(soci::session& session) {
    session.open(keeping_sqlite(), "db=\"" + path_ + "\" timeout=" + std::to_string(kBusySeconds));
  }
  tl::unexpected<Error> cannot_open(const soci::soci_error& e) const {
    return fail(ErrorCode::database, "cannot open " + path_ + ": " + e.get_error_message());
  }

  std::string path_;
  bool durable_;
  bool is_synced_ = true;
};

}  // namespace

Result<std::unique_ptr<DatabaseBackend>> make_sqlite_backend(const DatabaseOptions& options) {
  std::string path = options.url.substr(options.url.find(':') + 1);
  if (path.empty() || path.find('"') != std::string::npos)
    return fail(ErrorCode::config_value, "database.url names no usable file");
  configure_once();
  return std::make_unique<SqliteBackend>(std::move(path), options.durable);
}

}  // namespace community::infra
