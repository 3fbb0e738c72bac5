// SPDX-License-Identifier: Apache-2.0
#include "community/infra/api/database_config.hpp"

#include <sys/stat.h>

#include "community/infra/api/files.hpp"
#include "community/infra/api/log.hpp"
#include "community/infra/postgresql_address.hpp"

namespace community::infra {
namespace {

// PostgreSQL's own limit for ~/.pgpass is less.
constexpr std::size_t kMaxPassword = 1'024;

Result<std::string> read_password(const std::string& file) {
  auto password = read_file(file, kMaxPassword);
  if (!password) return fail(password.error().code, "database.password_file: " + password.error().message);
  while (!password->empty() && (password->back() == '\n' || password->back() == '\r')) password->pop_back();
  if (password->empty()) return fail(ErrorCode::config_value, "database.password_file: " + file + " is empty");
  struct stat status {};
  if (::stat(file.c_str(), &status) == 0 && (status.st_mode & (S_IRGRP | S_IROTH)) != 0)
    log_warning("others may read the database's password: chmod 600", {{"file", file}});
  return password;
}

}  // namespace

Result<DatabaseOptions> database_options(const Config& config, const std::filesystem::path& data_dir) {
  const std::string &host = config.text("database.host"), &name = config.text("database.name");
  DatabaseOptions options;
  options.readers = static_cast<std::size_t>(config.integer("database.readers"));
  options.url = config.text("database.url");
  if (!host.empty() || !name.empty()) {
    if (!options.url.empty())
      return fail(ErrorCode::config_value,
                  "database.url names the database already; leave database.host and database.name out");
    options.url = postgresql_url(host, name);
  }
  if (options.url.empty()) options.url = "sqlite:" + (data_dir / "node.db").string();
  const std::string& password_file = config.text("database.password_file");
  if (password_file.empty()) return options;
  if (!is_postgresql(options.url))
    return fail(ErrorCode::config_value, "database.password_file is set, but the database is SQLite and has none");
  auto password = read_password(password_file);
  if (!password) return tl::unexpected(password.error());
  options.password = std::move(*password);
  return options;
}

}  // namespace community::infra
