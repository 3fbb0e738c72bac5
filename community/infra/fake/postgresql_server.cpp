// SPDX-License-Identifier: Apache-2.0
#include "community/infra/fake/postgresql_server.hpp"

#include <fcntl.h>
#include <libpq-fe.h>
#include <pwd.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <vector>

extern char** environ;

namespace community::infra {
namespace {

namespace fs = std::filesystem;

constexpr const char* kPrograms = "/usr/lib/postgresql/15/bin";
constexpr const char* kSuperuser = "postgres";

// Obeys one word a line and answers with a status. Its standard input ends when the test program does, also by kill -9.
// kill -9 hits all processes of the server, each of which could answer once more, and waits until they are gone.
// The tests' collation sorts unlike bytes: what relies on the order of text shows.
constexpr const char* kRunner = R"sh(
folder=$1; programs=$2; shift 2
cd "$folder" || exit 1
trap '' INT TERM HUP
while read -r word; do
  case $word in
    make) "$@" "$programs/initdb" -D data -U postgres -A trust -E UTF8 --locale=C --locale-provider=icu \
            --icu-locale=en-US --no-sync --no-instructions >>log 2>&1 ;;
    start) tries=0
      until "$@" "$programs/pg_ctl" -D data -l server.log -w -t 60 start >>log 2>&1; do
        tries=$((tries + 1)); [ $tries -lt 20 ] || break
      done
      [ $tries -lt 20 ] ;;
    kill) server=$(head -n 1 data/postmaster.pid)
      all="$server $(cat "/proc/$server/task/$server/children")"
      kill -KILL $all
      for one in $all; do while [ -e "/proc/$one/exe" ]; do :; done; done ;;
  esac
  echo $?
done
"$@" "$programs/pg_ctl" -D data -m immediate -w stop >>log 2>&1
cd /
rm -rf "$folder"
)sh";

struct Finish {
  void operator()(PGconn* connection) const { PQfinish(connection); }
  void operator()(PGresult* result) const { PQclear(result); }
};

std::string read_all(const fs::path& file) {
  std::stringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

// initdb and the server refuse to run as root.
std::vector<std::string> as_ordinary_user(const fs::path& folder) {
  if (::geteuid() != 0) return {};
  const char* user = ::getpwnam("postgres") != nullptr ? "postgres" : "nobody";
  const passwd* entry = ::getpwnam(user);
  if (entry == nullptr || ::chown(folder.c_str(), entry->pw_uid, entry->pw_gid) != 0)
    throw std::runtime_error("no ordinary user for a PostgreSQL server");
  return {"/usr/bin/setpriv", "--reuid=" + std::to_string(entry->pw_uid), "--regid=" + std::to_string(entry->pw_gid),
          "--clear-groups"};
}

std::string quoted(const std::string& name) { return "\"" + name + "\""; }

}  // namespace

bool PostgresqlServer::is_installed() { return ::access((std::string(kPrograms) + "/initdb").c_str(), X_OK) == 0; }

PostgresqlServer& PostgresqlServer::shared(Writes writes) {
  static std::unique_ptr<PostgresqlServer> servers[2];
  auto& server = servers[static_cast<std::size_t>(writes)];
  if (!server) server = std::make_unique<PostgresqlServer>(writes);
  return *server;
}

PostgresqlServer::PostgresqlServer(Writes writes) {
  if (!is_installed()) throw std::runtime_error(std::string("PostgreSQL 15 is not installed in ") + kPrograms);
  std::string pattern = (fs::temp_directory_path() / "community-pg-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary directory");
  folder_ = pattern;
  std::vector<std::string> arguments{"/bin/sh", "-c", kRunner, "runner", folder_.string(), kPrograms};
  for (const std::string& word : as_ordinary_user(folder_)) arguments.push_back(word);
  std::vector<char*> pointers;
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  int in[2], out[2];
  if (::pipe2(in, O_CLOEXEC) != 0 || ::pipe2(out, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  // A terminal's Ctrl-C ends the tests; the runner then cleans up.
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  const int failed = ::posix_spawn(&runner_, "/bin/sh", &actions, &attributes, pointers.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  ::close(in[0]);
  ::close(out[1]);
  commands_ = in[1];
  answers_ = out[0];
  if (failed != 0) throw std::runtime_error("the runner of the PostgreSQL server was not started");
  command("make");
  std::ofstream settings(folder_ / "data/postgresql.conf", std::ios::app);
  settings << "listen_addresses = ''\nunix_socket_directories = '" << folder_.string() << "'\n"
           << "max_connections = 200\nshared_buffers = 16MB\nlc_messages = 'C'\n";
  if (writes == Writes::lost) settings << "fsync = off\nfull_page_writes = off\nsynchronous_commit = off\n";
  settings.close();
  // A role whose name is `guarded` needs its password.
  const std::string rules = read_all(folder_ / "data/pg_hba.conf");
  std::ofstream(folder_ / "data/pg_hba.conf") << "local all guarded scram-sha-256\n" << rules;
  start();
}

PostgresqlServer::~PostgresqlServer() {
  ::close(commands_);
  ::close(answers_);
  if (runner_ > 0) ::waitpid(runner_, nullptr, 0);
}

void PostgresqlServer::command(const std::string& word) {
  const std::string line = word + "\n";
  std::string answer;
  char c = 0;
  if (::write(commands_, line.data(), line.size()) == static_cast<ssize_t>(line.size()))
    while (::read(answers_, &c, 1) == 1 && c != '\n') answer += c;
  if (answer != "0")
    throw std::runtime_error("PostgreSQL: " + word + " failed:\n" + read_all(folder_ / "log") +
                             read_all(folder_ / "server.log"));
}

std::string PostgresqlServer::url(const std::string& database) const { return url(database, kSuperuser, ""); }

std::string PostgresqlServer::url(const std::string& database, const std::string& user,
                                  const std::string& words) const {
  return "postgresql://" + user + "@/" + database + "?host=" + folder_.string() + (words.empty() ? "" : "&" + words);
}

void PostgresqlServer::create_database(const std::string& name, const std::string& like) {
  run("CREATE DATABASE " + quoted(name) + (like.empty() ? "" : " TEMPLATE " + quoted(like)));
}

void PostgresqlServer::drop_database(const std::string& name) {
  run("DROP DATABASE IF EXISTS " + quoted(name) + " WITH (FORCE)");
}

std::string PostgresqlServer::run(const std::string& sql, const std::string& database) {
  const std::unique_ptr<PGconn, Finish> connection(PQconnectdb(url(database).c_str()));
  PQsetNoticeProcessor(
      connection.get(), [](void*, const char*) {}, nullptr);
  const std::unique_ptr<PGresult, Finish> result(PQexec(connection.get(), sql.c_str()));
  const ExecStatusType status = PQresultStatus(result.get());
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
    throw std::runtime_error(std::string("PostgreSQL: ") + PQerrorMessage(connection.get()));
  return PQntuples(result.get()) > 0 ? PQgetvalue(result.get(), 0, 0) : "";
}

void PostgresqlServer::kill() { command("kill"); }
void PostgresqlServer::start() { command("start"); }

}  // namespace community::infra
