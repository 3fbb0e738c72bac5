// SPDX-License-Identifier: Apache-2.0
// A PostgreSQL server of one test program: in a temporary folder, behind a Unix socket in it, as an ordinary user, and
// gone with the program however that ends. Throws std::runtime_error with the server's words when something fails.
#pragma once
#include <sys/types.h>

#include <filesystem>
#include <string>

namespace community::infra {

class PostgresqlServer {
 public:
  // Whether a power failure may lose what was committed. Tests that kill the server need `kept`.
  enum class Writes : std::uint8_t { lost, kept };

  explicit PostgresqlServer(Writes writes);
  ~PostgresqlServer();
  PostgresqlServer(const PostgresqlServer&) = delete;
  PostgresqlServer& operator=(const PostgresqlServer&) = delete;

  // The one of this program, started when first asked for.
  static PostgresqlServer& shared(Writes writes);
  // Whether PostgreSQL 15 is installed.
  static bool is_installed();

  // As the superuser `postgres`, who needs no password.
  std::string url(const std::string& database) const;
  // As anybody; the words follow the `?` of a URL.
  std::string url(const std::string& database, const std::string& user, const std::string& words) const;
  const std::filesystem::path& folder() const { return folder_; }

  // An empty name of the template: an empty database.
  void create_database(const std::string& name, const std::string& like = {});
  void drop_database(const std::string& name);
  // Any statement, as the superuser. Returns the first value of the first row.
  std::string run(const std::string& sql, const std::string& database = "postgres");

  // kill -9 for the whole server.
  void kill();
  void start();

 private:
  void command(const std::string& word);

  std::filesystem::path folder_;
  pid_t runner_ = -1;
  int commands_ = -1, answers_ = -1;
};

}  // namespace community::infra
