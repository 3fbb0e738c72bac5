// SPDX-License-Identifier: Apache-2.0
// The database of one test: SQLite in a folder of its own; with COMMUNITY_TEST_DATABASE=postgresql a fresh one of this
// program's PostgreSQL server. Gone with the object, after whoever had it open.
#pragma once
#include <cstdlib>

#include "community/infra/api/database.hpp"
#include "community/infra/fake/postgresql_server.hpp"
#include "community/infra/fake/temporary_directory.hpp"

namespace community::infra {

class TestDatabase {
 public:
  using Writes = PostgresqlServer::Writes;

  explicit TestDatabase(Writes writes = Writes::lost) : writes_(writes) {
    if (!is_postgresql()) return;
    static int made = 0;
    name_ = "test_" + std::to_string(++made);
    server().create_database(name_);
  }
  ~TestDatabase() {
    if (!is_postgresql()) return;
    try {
      server().drop_database(name_);
    } catch (const std::runtime_error&) {
      // It goes with the server.
    }
  }
  TestDatabase(const TestDatabase&) = delete;
  TestDatabase& operator=(const TestDatabase&) = delete;

  static bool is_postgresql() {
    const char* kind = std::getenv("COMMUNITY_TEST_DATABASE");
    return kind != nullptr && std::string_view(kind) == "postgresql";
  }

  DatabaseOptions options() const {
    DatabaseOptions options;
    options.url = url();
    options.durable = writes_ == Writes::kept;
    return options;
  }
  std::string url() const { return is_postgresql() ? server().url(name_) : "sqlite:" + file().string(); }

  // Makes `other` what this one is now: a backup that is put back. Nobody has either open.
  void copy_to(const TestDatabase& other) const {
    if (is_postgresql()) {
      server().drop_database(other.name_);
      server().create_database(other.name_, name_);
      return;
    }
    for (const char* end : {"", "-wal", "-shm"}) std::filesystem::remove(other.file().string() + end);
    std::filesystem::copy_file(file(), other.file());
  }

 private:
  PostgresqlServer& server() const { return PostgresqlServer::shared(writes_); }
  std::filesystem::path file() const { return folder_.path() / "node.db"; }

  Writes writes_;
  TemporaryDirectory folder_;
  std::string name_;
};

}  // namespace community::infra
