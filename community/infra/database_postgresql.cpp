// SPDX-License-Identifier: Apache-2.0
// PostgreSQL 15 or newer. One session writes. It holds an advisory lock as long as it lives, and every transaction
// counts itself in a row that names this opening of the database: so after a lost connection it is known whether the
// last commit took place, whether somebody else wrote in between, and whether the server lost what it had confirmed.
#include <libpq-fe.h>
#include <soci/postgresql/soci-postgresql.h>

#include <cstring>

#include "community/infra/api/log.hpp"
#include "community/infra/connection_watchdog.hpp"
#include "community/infra/database_backend.hpp"
#include "community/infra/factory.hpp"
#include "community/infra/postgresql_address.hpp"

namespace community::infra {
namespace {

constexpr int kOldestServer = 15'00'00;
// The first half of the advisory lock says what it is for ("CN"); advisory locks belong to one database.
constexpr int kLockClass = 0x434e, kLockNumber = 1;
// For a predecessor that was killed: its server process needs a moment to notice.
constexpr const char* kLockPatience = "SET lock_timeout = '3s'";
constexpr const char* kLockTimeout = "SET lock_timeout = '5s'";
constexpr const char* kStatementTimeout = "SET statement_timeout = '15s'";
// For the answer to one statement, and for opening a connection. Longer than any statement may take, so that the
// server's own limits come first as long as it answers at all.
constexpr Milliseconds kAnswer{30'000};

PGconn* connection(const soci::session& session) {
  return static_cast<const soci::postgresql_session_backend*>(const_cast<soci::session&>(session).get_backend())->conn_;
}

// In one line. PQERRORS_TERSE keeps the values of rows out of it.
std::string one_line(std::string_view words) {
  std::string line;
  for (const char c : words) {
    const bool blank = c == '\n' || c == '\t' || c == ' ';
    if (!blank) {
      line += c;
    } else if (!line.empty() && line.back() != ' ') {
      line += ' ';
    }
  }
  while (!line.empty() && line.back() == ' ') line.pop_back();
  return line;
}

[[noreturn]] void raise(PGconn* conn, const PGresult* result) {
  const char* state = result == nullptr ? nullptr : PQresultErrorField(result, PG_DIAG_SQLSTATE);
  const char* words = result == nullptr ? PQerrorMessage(conn) : PQresultErrorMessage(result);
  throw soci::postgresql_soci_error(one_line(words), state != nullptr && std::strlen(state) == 5 ? state : "08006");
}

struct Clear {
  void operator()(PGresult* result) const { PQclear(result); }
};
using Answer = std::unique_ptr<PGresult, Clear>;

Answer run(soci::session& session, const char* sql) {
  PGconn* conn = connection(session);
  Answer result(PQexec(conn, sql));
  const ExecStatusType status = PQresultStatus(result.get());
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) raise(conn, result.get());
  return result;
}

std::string setting(soci::session& session, const char* show) {
  const Answer result = run(session, show);
  return PQgetvalue(result.get(), 0, 0);
}

// What a person does about a connection that was not made. libpq's own words are in no language but English; the
// server's may be, and then stand alone.
const char* advice(const std::string& words) {
  static constexpr std::pair<const char*, const char*> kAdvice[] = {
      {"password authentication failed", "put the right password into the file that database.password_file names"},
      {"no password supplied", "name a file with the password in database.password_file, or set PGPASSWORD"},
      {"could not translate host name", "correct the host in database.url"},
      {"Connection refused", "start PostgreSQL there, or correct host and port in database.url"},
      {"No such file or directory", "start PostgreSQL there, or correct the socket folder in database.url"},
      {"timeout expired", "correct host and port in database.url, or let the firewall pass it"},
      {"root certificate", "name the authority's certificate with sslrootcert in database.url"},
      {"certificate verify failed", "name the authority's certificate with sslrootcert in database.url"},
      {"server certificate for", "use the name that the server's certificate carries in database.url"},
      {"does not support SSL", "switch TLS on at the server; sslmode=disable in database.url would send all in clear"},
      {"no pg_hba.conf entry", "let this user and address in by the server's pg_hba.conf"},
      {"read-only", "name the primary server in database.url, not a standby"},
      {"too many clients", "raise the server's max_connections, or lower database.readers"},
      {"does not exist", "make them: createuser NAME; createdb --owner NAME --encoding UTF8 --template template0 NAME"},
  };
  for (const auto& [part, what] : kAdvice)
    if (words.find(part) != std::string::npos) return what;
  return nullptr;
}

// SOCI tells it of each statement: whoever asks the next one got an answer.
class Progress final : public soci::logger_impl {
 public:
  Progress(ConnectionWatchdog& watchdog, ConnectionWatchdog::Owner owner) : watchdog_(watchdog), owner_(owner) {}
  void start_query(const std::string&) override { watchdog_.extend(owner_, kAnswer); }

 private:
  soci::logger_impl* do_clone() const override { return new Progress(watchdog_, owner_); }

  ConnectionWatchdog& watchdog_;
  ConnectionWatchdog::Owner owner_;
};

class PostgresqlBackend final : public DatabaseBackend {
 public:
  PostgresqlBackend(PostgresqlAddress address, bool durable)
      : address_(std::move(address)), durable_(durable), token_(make_system_random()->hex(16)) {
    if (address_.is_unverified)
      log_warning("the database is on another machine and sslmode does not make sure that it is the right one",
                  {{"where", address_.shown}});
  }

  Result<void> open_writer(soci::session& session) override {
    return guarded(session, [&]() -> Result<void> {
      connect(session);
      if (auto fits = check_server(session); !fits) return fits;
      if (auto taken = take_lock(session); !taken) return taken;
      run(session, kLockTimeout);
      if (!is_started_) return claim(session);
      if (auto same = go_on(session); !same) return same;
      limit_statements(session);
      return {};
    });
  }

  Result<void> open_reader(soci::session& session) override {
    return guarded(session, [&]() -> Result<void> {
      connect(session);
      run(session, kLockTimeout);
      run(session, kStatementTimeout);
      return {};
    });
  }

  void limit_statements(soci::session& writer) override { run(writer, kStatementTimeout); }

  // Always synced: a commit that the server lost after it had answered would put its count behind ours.
  void begin_write(soci::session& writer, bool) override {
    watchdog_.watch(&writer, PQsocket(connection(writer)), kAnswer);
    has_savepoint_ = false;
    run(writer, "BEGIN TRANSACTION ISOLATION LEVEL READ COMMITTED READ WRITE");
  }
  void begin_read(soci::session& reader) override {
    watchdog_.watch(&reader, PQsocket(connection(reader)), kAnswer);
    run(reader, "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY");
  }
  // One round trip for each write instead of two; the last savepoint goes with COMMIT.
  void set_savepoint(soci::session& writer) override {
    run(writer, has_savepoint_ ? "RELEASE SAVEPOINT item; SAVEPOINT item" : "SAVEPOINT item");
    has_savepoint_ = true;
  }
  void keep(soci::session&) override {}
  void undo(soci::session& writer) override { run(writer, "ROLLBACK TO SAVEPOINT item"); }

  void commit_write(soci::session& writer) override {
    watchdog_.extend(&writer, kAnswer);
    const bool is_counted = count_commit(writer);
    is_committing_ = is_counted;
    try {
      // A transaction that failed answers to COMMIT that it was rolled back, which is no error to PostgreSQL.
      if (std::string_view(PQcmdStatus(run(writer, "COMMIT").get())) != "COMMIT")
        throw soci::soci_error("the transaction was rolled back at its end");
    } catch (const soci::soci_error&) {
      is_committing_ = is_counted && !is_connected(writer);
      throw;
    }
    is_committing_ = false;
    if (is_counted) commits_++;
  }
  bool is_in_doubt() const override { return is_committing_; }
  bool was_committed() const override { return was_committed_; }

  void end(soci::session& session) override {
    watchdog_.release(&session);
    if (session.get_backend() == nullptr) return;
    PGconn* conn = connection(session);
    if (!is_connected(session)) return;
    if (PQtransactionStatus(conn) != PQTRANS_IDLE) run(session, "ROLLBACK");
  }

  TransactionState transaction(soci::session& session) const override {
    switch (PQtransactionStatus(connection(session))) {
      case PQTRANS_INTRANS:
        return TransactionState::open;
      case PQTRANS_INERROR:
        return TransactionState::failed;
      default:
        return TransactionState::none;
    }
  }
  bool is_connected(soci::session& session) const override {
    return session.get_backend() != nullptr && PQstatus(connection(session)) == CONNECTION_OK;
  }

  Error describe(const soci::soci_error& error) const override {
    const auto* own = dynamic_cast<const soci::postgresql_soci_error*>(&error);
    // SQLSTATE class 23: integrity constraint violation.
    const bool constraint = own != nullptr && own->sqlstate().starts_with("23");
    return {constraint ? ErrorCode::constraint : ErrorCode::database, one_line(error.get_error_message())};
  }
  bool is_final() const override { return is_final_; }
  bool answers_at_once() const override { return false; }

  Result<std::string> describe_server() {
    soci::session session;
    std::string words;
    auto fits = guarded(session, [&]() -> Result<void> {
      connect(session);
      words = "PostgreSQL " + setting(session, "SHOW server_version") + ", " + address_.shown +
              (PQsslInUse(connection(session)) != 0 ? ", TLS" : "") +
              (address_.is_unverified ? " (sslmode does not make sure that it is the right server)" : "");
      return check_server(session);
    });
    if (!fits) return tl::unexpected(fits.error());
    return words;
  }

 private:
  template <class F>
  Result<void> guarded(soci::session& session, F work) {
    Result<void> outcome;
    try {
      outcome = work();
    } catch (const soci::soci_error& e) {
      outcome = tl::unexpected(cannot_use(e));
    }
    watchdog_.release(&session);
    if (!outcome) session.close();
    return outcome;
  }

  Error cannot_use(const soci::soci_error& e) const {
    std::string words = one_line(e.get_error_message());
    static constexpr std::string_view kPreamble = "Cannot establish connection to the database. ";
    if (words.starts_with(kPreamble)) words.erase(0, kPreamble.size());
    std::string message = "cannot use the " + address_.shown + ": " + words;
    if (const char* what = advice(words)) message += std::string("; ") + what;
    return {ErrorCode::database, std::move(message)};
  }

  void connect(soci::session& session) {
    session.open(soci::postgresql, address_.connect_string);
    PGconn* conn = connection(session);
    watchdog_.watch(&session, PQsocket(conn), kAnswer);
    session.set_logger(new Progress(watchdog_, &session));
    PQsetErrorVerbosity(conn, PQERRORS_TERSE);
    const auto note = [](void*, const char* words) { log_debug("database", {{"note", one_line(words)}}); };
    PQsetNoticeProcessor(conn, note, nullptr);
    run(session, "SET client_min_messages = warning");
    // A node that hangs holds no locks for long.
    run(session, "SET idle_in_transaction_session_timeout = '60s'");
  }

  Result<void> check_server(soci::session& session) {
    const int version = PQserverVersion(connection(session));
    if (version < kOldestServer)
      return fail(ErrorCode::database, "the " + address_.shown + " is PostgreSQL " + std::to_string(version / 10'000) +
                                           "; this program needs 15 or newer: upgrade the server");
    if (const std::string encoding = setting(session, "SHOW server_encoding"); encoding != "UTF8")
      return fail(ErrorCode::database, "the " + address_.shown + " has the encoding " + encoding +
                                           "; make it anew: createdb --encoding UTF8 --template template0 NAME");
    // The server notices a node that is gone as fast as the node notices the server, and gives the lock back.
    for (const char* keepalive : {"SET tcp_keepalives_idle = 10", "SET tcp_keepalives_interval = 3",
                                  "SET tcp_keepalives_count = 3", "SET tcp_user_timeout = 10000"})
      run(session, keepalive);
    if (!durable_) {
      run(session, "SET synchronous_commit = off");
      return {};
    }
    if (setting(session, "SHOW fsync") != "on")
      return fail(ErrorCode::database, "the server of the " + address_.shown +
                                           " runs with fsync off and loses confirmed writes in a power failure; "
                                           "set fsync = on in its postgresql.conf");
    // remote_apply is stronger than on; everything else confirms writes that may be lost.
    if (setting(session, "SHOW synchronous_commit") != "remote_apply") run(session, "SET synchronous_commit = on");
    return {};
  }

  Result<void> take_lock(soci::session& session) {
    run(session, kLockPatience);
    try {
      session << "SELECT pg_advisory_lock(:class, :number)", soci::use(kLockClass), soci::use(kLockNumber);
      return {};
    } catch (const soci::postgresql_soci_error& e) {
      // lock_not_available
      if (e.sqlstate() != "55P03") throw;
    }
    int pid = 0;
    std::string application, address;
    session << "SELECT a.pid, a.application_name, COALESCE(host(a.client_addr), 'a local socket') FROM pg_locks l "
               "JOIN pg_stat_activity a ON a.pid = l.pid WHERE l.locktype = 'advisory' AND l.granted AND "
               "CAST(l.classid AS BIGINT) = :class AND CAST(l.objid AS BIGINT) = :number AND l.database = (SELECT oid "
               "FROM pg_database WHERE datname = current_database())",
        soci::use(kLockClass), soci::use(kLockNumber), soci::into(pid), soci::into(application), soci::into(address);
    std::string who = "another node";
    if (session.got_data())
      who += " (" + application + " at " + address + ", server process " + std::to_string(pid) + ")";
    return fail(ErrorCode::locked,
                who + " writes to the " + address_.shown + ": stop it, or give this node a database of its own");
  }

  // At the first opening: from now on this process alone counts.
  Result<void> claim(soci::session& session) {
    run(session,
        "CREATE TABLE IF NOT EXISTS database_writer (id INTEGER NOT NULL PRIMARY KEY, token TEXT NOT NULL, "
        "commits BIGINT NOT NULL)");
    session << "INSERT INTO database_writer (id, token, commits) VALUES (1, :token, 0) ON CONFLICT (id) DO UPDATE SET "
               "token = excluded.token, commits = 0",
        soci::use(token_);
    is_started_ = true;
    return {};
  }

  // After a lost connection.
  Result<void> go_on(soci::session& session) {
    std::string token;
    long long commits = 0;
    session << "SELECT token, commits FROM database_writer WHERE id = 1", soci::into(token), soci::into(commits);
    const auto refuse = [&](const std::string& words) -> Result<void> {
      is_final_ = true;
      return fail(ErrorCode::database, "the " + address_.shown + " " + words);
    };
    if (!session.got_data() || token != token_)
      return refuse(
          "was written by another node while the connection was lost; what this one knows is out of date: "
          "start it anew");
    if (commits < commits_)
      return refuse(
          "went back behind writes that its server had confirmed (a backup, or a standby that had not caught "
          "up); start this node anew, and see SECURITY.md on databases that go back");
    was_committed_ = commits == commits_ + 1 && is_committing_;
    if (commits != commits_ && !was_committed_) return refuse("counts writes that this node does not know");
    commits_ = commits;
    is_committing_ = false;
    return {};
  }

  // Without SOCI's prepared statements, which cost three round trips. A transaction that wrote nothing has no number,
  // is not counted, and its COMMIT costs no fsync; false then.
  bool count_commit(soci::session& writer) {
    PGconn* conn = connection(writer);
    const std::string next = std::to_string(commits_ + 1);
    const char* const values[] = {token_.c_str(), next.c_str()};
    const Answer counted(PQexecParams(conn,
                                      "UPDATE database_writer SET commits = $2 WHERE id = 1 AND token = $1 AND "
                                      "pg_current_xact_id_if_assigned() IS NOT NULL",
                                      2, nullptr, values, nullptr, nullptr, 0));
    if (PQresultStatus(counted.get()) != PGRES_COMMAND_OK) raise(conn, counted.get());
    if (std::string_view(PQcmdTuples(counted.get())) == "1") return true;
    const Answer own(PQexecParams(conn, "SELECT 1 FROM database_writer WHERE id = 1 AND token = $1", 1, nullptr, values,
                                  nullptr, nullptr, 0));
    if (PQresultStatus(own.get()) != PGRES_TUPLES_OK) raise(conn, own.get());
    // A pooler that hands sessions around gives the lock to many.
    if (PQntuples(own.get()) != 1)
      throw soci::soci_error("another node has taken this database; connect to the server itself, not to a pooler");
    return false;
  }

  PostgresqlAddress address_;
  bool durable_;
  std::string token_;
  ConnectionWatchdog watchdog_;
  long long commits_ = 0;
  bool is_started_ = false, is_committing_ = false, was_committed_ = false, has_savepoint_ = false;
  bool is_final_ = false;
};

}  // namespace

Result<std::string> describe_postgresql(const DatabaseOptions& options) {
  auto address = parse_postgresql_url(options.url, options.password);
  if (!address) return tl::unexpected(address.error());
  return PostgresqlBackend(std::move(*address), options.durable).describe_server();
}

Result<std::unique_ptr<DatabaseBackend>> make_postgresql_backend(const DatabaseOptions& options) {
  auto address = parse_postgresql_url(options.url, options.password);
  if (!address) return tl::unexpected(address.error());
  return std::make_unique<PostgresqlBackend>(std::move(*address), options.durable);
}

}  // namespace community::infra
