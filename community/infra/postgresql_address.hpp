// SPDX-License-Identifier: Apache-2.0
// Where a PostgreSQL server is and how it is spoken to, from a URL that people write. Inside of the module.
#pragma once
#include <string>

#include "community/infra/api/error.hpp"

namespace community::infra {

struct PostgresqlAddress {
  // For libpq, with everything that decides about safety spelt out. It may hold the password and is never shown.
  std::string connect_string;
  // "database node at db.example": for messages.
  std::string shown;
  // Every host is this machine: a socket folder, localhost or a loopback address.
  bool is_local = true;
  // To another machine, without proof that it is the right one: somebody chose an sslmode below verify-full.
  bool is_unverified = false;
};

// Whether it is for PostgreSQL at all.
bool is_postgresql(std::string_view url);

// `url` as libpq has it (PostgreSQL 15 documentation, section 34.1.1.2): postgresql://user@host:5432/name, or
// postgresql:///name?host=/run/postgresql for a socket folder. config_value for anything else, and for a URL with a
// password in it. The error never repeats the URL.
Result<PostgresqlAddress> parse_postgresql_url(const std::string& url, const std::string& password);

// The URL of the two founders' names; an empty one is left to libpq.
std::string postgresql_url(const std::string& host, const std::string& database);

}  // namespace community::infra
