// SPDX-License-Identifier: Apache-2.0
// Requests a second and CPU time of a request for the HTTP server and JSON-RPC, and writes a second of the group
// commit at several numbers of writers. One line of JSON for each figure.
#include <soci/soci.h>
#include <sys/resource.h>
#include <unistd.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/json.hpp>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "community/infra/api/database.hpp"
#include "community/infra/api/http_server.hpp"
#include "community/infra/api/json_rpc.hpp"
#include "community/infra/api/log.hpp"
#include "community/infra/fake/postgresql_server.hpp"

namespace community::infra {
namespace {

namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;

double cpu_seconds(int who) {
  rusage usage{};
  getrusage(who, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double resident_mb() {
  std::ifstream file("/proc/self/statm");
  std::size_t pages = 0, resident = 0;
  file >> pages >> resident;
  return static_cast<double>(resident) * static_cast<double>(sysconf(_SC_PAGESIZE)) / 1e6;
}

// Sends `rounds` requests one after the other on one connection and counts whole answers of a known size.
Task<void> client(std::uint16_t port, const std::string& request, std::size_t answer_bytes, int rounds) {
  asio::ip::tcp::socket socket(co_await asio::this_coro::executor);
  const asio::ip::tcp::endpoint endpoint(asio::ip::address_v4::loopback(), port);
  co_await socket.async_connect(endpoint, asio::use_awaitable);
  socket.set_option(asio::ip::tcp::no_delay(true));
  char buffer[8'192];
  for (int i = 0; i < rounds; i++) {
    co_await asio::async_write(socket, asio::buffer(request), asio::use_awaitable);
    for (std::size_t got = 0; got < answer_bytes;)
      got += co_await socket.async_read_some(asio::buffer(buffer), asio::use_awaitable);
  }
}

Task<std::size_t> measure_answer(std::uint16_t port, const std::string& request) {
  asio::ip::tcp::socket socket(co_await asio::this_coro::executor);
  const asio::ip::tcp::endpoint endpoint(asio::ip::address_v4::loopback(), port);
  co_await socket.async_connect(endpoint, asio::use_awaitable);
  co_await asio::async_write(socket, asio::buffer(request), asio::use_awaitable);
  char buffer[8'192];
  co_return co_await socket.async_read_some(asio::buffer(buffer), asio::use_awaitable);
}

void bench_http(const char* name, HttpHandler handler, const std::string& request) {
  EventLoop server_loop, client_loop;
  HttpServerOptions options;
  HttpServer server(server_loop, options, std::move(handler));
  if (!server.start()) std::abort();
  double server_cpu = 0;
  std::thread thread([&] {
    server_loop.run();
    server_cpu = cpu_seconds(RUSAGE_THREAD);
  });
  constexpr int kConnections = 64, kRounds = 2'000;
  const std::size_t bytes = client_loop.block_on(measure_answer(server.port(), request));
  const auto started = Clock::now();
  std::function<Task<void>(std::size_t)> work = [&](std::size_t) {
    return client(server.port(), request, bytes, kRounds);
  };
  client_loop.block_on(for_each_bounded(kConnections, kConnections, work));
  const double seconds = std::chrono::duration<double>(Clock::now() - started).count();
  const double resident = resident_mb();
  server_loop.post([&] { server_loop.stop(); });
  thread.join();
  std::printf("{\"bench\":\"%s\",\"requests_per_s\":%.0f,\"server_cpu_us\":%.1f,\"resident_mb\":%.1f}\n", name,
              kConnections * kRounds / seconds, server_cpu / (kConnections * kRounds) * 1e6, resident);
}

Task<HttpResponse> hello(HttpRequest) { co_return http_text(200, "hello\n"); }

std::string post(const std::string& body) {
  return "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + body;
}

// A JSON body of the size of a user operation.
std::string operation_call() {
  json::object op;
  for (const char* member : {"sender", "nonce", "callGasLimit", "verificationGasLimit", "preVerificationGas",
                             "maxFeePerGas", "maxPriorityFeePerGas", "paymaster"})
    op[member] = "0x4337084D9E255Ff0702461CF8895CE9E3b5Ff108";
  op["callData"] = "0x" + std::string(520, 'a');
  op["signature"] = "0x" + std::string(130, 'b');
  json::object call;
  call["jsonrpc"] = "2.0";
  call["id"] = 1;
  call["method"] = "eth_sendUserOperation";
  call["params"] = json::array{op, "0x4337084D9E255Ff0702461CF8895CE9E3b5Ff108"};
  return json::serialize(call);
}

void bench_writes(const char* database_name, const std::string& url, std::size_t writers, int rounds) {
  EventLoop loop;
  DatabaseOptions options;
  options.url = url;
  MigrationSet set{"bench",
                   {{1, "create", "CREATE TABLE bench_row (\n  id TEXT PRIMARY KEY,\n  body TEXT NOT NULL\n);\n"}}};
  auto database = Database::open(options, {set}).value();
  const std::string body(1'500, 'x');
  std::vector<double> waits;
  std::function<Task<void>(std::size_t)> work = [&](std::size_t writer) -> Task<void> {
    for (int i = 0; i < rounds; i++) {
      const auto started = Clock::now();
      auto insert = [writer, i, &body](soci::session& sql) {
        const std::string id = std::to_string(writer) + "-" + std::to_string(i);
        sql << "INSERT INTO bench_row (id, body) VALUES (:id, :body)", soci::use(id), soci::use(body);
      };
      const auto done = co_await database->write(insert);
      if (!done) std::abort();
      waits.push_back(std::chrono::duration<double, std::milli>(Clock::now() - started).count());
    }
  };
  const auto started = Clock::now();
  loop.block_on(for_each_bounded(writers, writers, work));
  const double seconds = std::chrono::duration<double>(Clock::now() - started).count();
  std::sort(waits.begin(), waits.end());
  std::printf(
      "{\"bench\":\"group_commit\",\"database\":\"%s\",\"writers\":%zu,\"writes_per_s\":%.0f,\"p50_ms\":%.2f,"
      "\"p99_ms\":%.2f}\n",
      database_name, writers, static_cast<double>(waits.size()) / seconds, waits[waits.size() / 2],
      waits[waits.size() * 99 / 100]);
}

}  // namespace
}  // namespace community::infra

int main() {
  using namespace community::infra;
  configure_log({LogLevel::off, ""});
  bench_http("http_hello", hello, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  RpcDispatcher dispatcher;
  dispatcher.add("eth_sendUserOperation", [](RpcCall) -> Task<RpcResult> { co_return json::value("0x00"); });
  bench_http(
      "json_rpc_operation", [&](HttpRequest request) { return dispatcher.handle_http(std::move(request)); },
      post(operation_call()));
  std::string pattern = std::filesystem::temp_directory_path() / ("community-bench-" + std::string(6, 'X'));
  const std::string directory = mkdtemp(pattern.data());
  // Durable on both; PostgreSQL behind a Unix socket on the same disk.
  std::optional<PostgresqlServer> server;
  if (PostgresqlServer::is_installed()) server.emplace(PostgresqlServer::Writes::kept);
  for (const auto& [writers, rounds] : {std::pair(1, 500), std::pair(16, 200), std::pair(256, 40)}) {
    const std::string name = "bench_" + std::to_string(writers);
    bench_writes("SQLite", "sqlite:" + directory + "/" + name + ".db", static_cast<std::size_t>(writers), rounds);
    if (!server) continue;
    server->create_database(name);
    bench_writes("PostgreSQL", server->url(name), static_cast<std::size_t>(writers), rounds);
  }
  std::filesystem::remove_all(directory);
  return 0;
}
