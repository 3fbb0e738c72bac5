// SPDX-License-Identifier: Apache-2.0
#include "community/infra/postgresql_address.hpp"

#include <libpq-fe.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <sstream>

namespace community::infra {
namespace {

// Longer than any address; what libpq parses is bounded by it.
constexpr std::size_t kMaxUrl = 2'048;
// Of Debian and most others; libpq 15 has no word for "the system's authorities".
constexpr const char* kSystemAuthorities = "/etc/ssl/certs/ca-certificates.crt";

using Options = std::map<std::string, std::string>;

Options take(PQconninfoOption* list) {
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> owner(list, PQconninfoFree);
  Options options;
  for (const PQconninfoOption* option = list; option != nullptr && option->keyword != nullptr; option++)
    if (option->val != nullptr && *option->val != '\0') options[option->keyword] = option->val;
  return options;
}

bool is_local_host(const std::string& host) {
  return host.empty() || host.front() == '/' || host.front() == '@' || host == "localhost" || host == "::1" ||
         host.starts_with("127.");
}

// A list separated by commas; libpq tries one after the other.
bool are_local_hosts(const std::string& hosts) {
  std::istringstream list(hosts);
  for (std::string host; std::getline(list, host, ',');)
    if (!is_local_host(host)) return false;
  return true;
}

void append_encoded(std::string& out, const std::string& value) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  for (const char c : value) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                       c == '_' || c == '.' || c == '~';
    if (plain) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
    }
  }
}

// SOCI takes its own words out of the string, separated by blanks; a URL has none.
std::string as_url(const Options& options) {
  std::string url = "postgresql://?";
  for (const auto& [name, value] : options) {
    if (url.back() != '?') url += '&';
    url += name + "=";
    append_encoded(url, value);
  }
  return url;
}

bool has_own_authorities() {
  const char* home = std::getenv("HOME");
  std::error_code ignored;
  return home != nullptr && std::filesystem::exists(std::filesystem::path(home) / ".postgresql/root.crt", ignored);
}

}  // namespace

bool is_postgresql(std::string_view url) { return url.starts_with("postgresql:") || url.starts_with("postgres:"); }

Result<PostgresqlAddress> parse_postgresql_url(const std::string& url, const std::string& password) {
  const auto refuse = [](const char* words) { return fail(ErrorCode::config_value, words); };
  constexpr const char* kForm =
      "database.url is no address that libpq understands; it looks like postgresql://user@host:5432/name, or "
      "postgresql:///name?host=/run/postgresql for a socket folder";
  if (url.size() > kMaxUrl || url.find('\0') != std::string::npos) return refuse(kForm);
  // libpq's own words would repeat the URL, and with it a password that does not belong there.
  Options options = take(PQconninfoParse(url.c_str(), nullptr));
  if (options.empty() && url.find_first_not_of("/", url.find(':') + 1) != std::string::npos) return refuse(kForm);
  if (options.contains("password") || options.contains("sslpassword"))
    return refuse(
        "database.url holds a password, which would end up in listings and logs; put it into a file and name that in "
        "database.password_file, or use PGPASSWORD or ~/.pgpass");
  if (password.find('\0') != std::string::npos) return refuse("the database's password holds a zero byte");

  PostgresqlAddress address;
  // What libpq takes from the environment where the URL says nothing.
  const Options from_environment = take(PQconndefaults());
  const auto effective = [&](const char* name) -> std::string {
    if (const auto own = options.find(name); own != options.end()) return own->second;
    const auto other = from_environment.find(name);
    return other == from_environment.end() ? std::string() : other->second;
  };
  const bool by_service = options.contains("service") || std::getenv("PGSERVICE") != nullptr;
  const std::string host = effective("host"), direct = effective("hostaddr");
  address.is_local = are_local_hosts(host) && are_local_hosts(direct) && !(by_service && host.empty());
  const auto standard = [&](const char* name, const std::string& value) { options.try_emplace(name, value); };
  if (!address.is_local) {
    // libpq's standard, prefer, accepts whoever answers.
    if (std::getenv("PGSSLMODE") == nullptr) standard("sslmode", "verify-full");
    if (effective("sslrootcert").empty() && !has_own_authorities()) standard("sslrootcert", kSystemAuthorities);
    address.is_unverified = effective("sslmode") != "verify-full";
  }
  standard("fallback_application_name", "community-node");
  standard("connect_timeout", "3");
  // A peer that is gone is noticed within half a minute.
  standard("keepalives_idle", "10");
  standard("keepalives_interval", "3");
  standard("keepalives_count", "3");
  standard("tcp_user_timeout", "10000");
  options["client_encoding"] = "UTF8";
  // A standby shows writes late and takes none.
  options["target_session_attrs"] = "read-write";
  if (!password.empty()) options["password"] = password;
  const std::string name = effective("dbname").empty() ? effective("user") : effective("dbname");
  const std::string& place = host.empty() ? direct : host;
  address.shown = "database " + name + (place.empty() ? " on this machine" : " at " + place);
  address.connect_string = as_url(options);
  return address;
}

std::string postgresql_url(const std::string& host, const std::string& database) {
  Options options;
  if (!host.empty()) options["host"] = host;
  if (!database.empty()) options["dbname"] = database;
  return as_url(options);
}

}  // namespace community::infra
