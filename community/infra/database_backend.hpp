// SPDX-License-Identifier: Apache-2.0
// What differs between the databases. `database.cpp` gathers writes and runs them; a backend opens connections, says
// where a transaction stands and puts errors into our words. Inside of the module.
#pragma once
#include <soci/soci.h>

#include "community/infra/api/database.hpp"

namespace community::infra {

enum class TransactionState : std::uint8_t {
  none,
  open,
  // An error ended it; nothing but undoing is possible.
  failed,
};

// Functions without a Result throw soci::soci_error. The writer's are called by one thread at a time, a reader's by the
// thread that holds its session.
class DatabaseBackend {
 public:
  virtual ~DatabaseBackend() = default;

  // Connects a closed session, sets it up, and makes sure that nobody else writes. Called again after a lost
  // connection; an error that `is_final` calls final then says that this process must not go on writing.
  virtual Result<void> open_writer(soci::session& session) = 0;
  virtual Result<void> open_reader(soci::session& session) = 0;
  // Once the schema is up to date: steps of a schema may take longer than any other statement.
  virtual void limit_statements(soci::session& writer) = 0;

  // What is not `synced` may be committed before it is on disk, as long as only a power failure loses it.
  virtual void begin_write(soci::session& writer, bool synced) = 0;
  // One snapshot for all statements, and none of them may write.
  virtual void begin_read(soci::session& reader) = 0;
  // Around each write of a group; `undo` ends in the state of the newest savepoint, `keep` needs no failed one.
  virtual void set_savepoint(soci::session& writer) = 0;
  virtual void keep(soci::session& writer) = 0;
  virtual void undo(soci::session& writer) = 0;
  // Returns when the transaction is on disk. When it throws with the connection lost, the server may have committed.
  virtual void commit_write(soci::session& writer) = 0;
  // After commit_write threw with the connection lost: whether COMMIT was sent.
  virtual bool is_in_doubt() const = 0;
  // After commit_write threw and open_writer succeeded: whether that commit took place.
  virtual bool was_committed() const = 0;
  // Of either kind of session, whatever became of its transaction.
  virtual void end(soci::session& session) = 0;

  virtual TransactionState transaction(soci::session& session) const = 0;
  virtual bool is_connected(soci::session& session) const = 0;
  // constraint or database.
  virtual Error describe(const soci::soci_error& error) const = 0;
  virtual bool is_final() const = 0;
  // Whether a few rows are read sooner than another thread is woken.
  virtual bool answers_at_once() const = 0;
};

// config_value when the path cannot be one.
Result<std::unique_ptr<DatabaseBackend>> make_sqlite_backend(const DatabaseOptions& options);
// config_value when libpq does not understand the URL, or when it holds a password.
Result<std::unique_ptr<DatabaseBackend>> make_postgresql_backend(const DatabaseOptions& options);

}  // namespace community::infra
