// SPDX-License-Identifier: Apache-2.0
// HTTP/1.1 over TCP for one loop. Every limit an outsider can reach is an option with its arithmetic; what exceeds it
// is answered with a status that names the limit.
#pragma once
#include "community/infra/api/http.hpp"
#include "community/infra/api/metrics.hpp"

namespace community::infra {

struct HttpServerLimits {
  // 431 beyond. Browsers send 1 to 4 KiB with cookies; eight times that.
  std::uint32_t header_bytes = 32 * 1'024;
  // 413 beyond. The largest operation allowed is 262,144 bytes, in hex and with its envelope about 600 kB.
  std::uint64_t body_bytes = 1'024 * 1'024;
  // 503 beyond. Idle connections cost about 6 kB: 1,024 of them 6 MB, with full headers 38 MB at the worst.
  std::size_t connections = 1'024;
  // Time between a response and the first byte of the next request.
  Milliseconds idle{60'000};
  // From the first byte of a request to the end of its header, however slowly it drips.
  Milliseconds header{10'000};
  // From the end of the header to the end of the body: 1 MiB at 35 kB/s.
  Milliseconds body{30'000};
  // For a large body: 16 MiB at 140 kB/s.
  Milliseconds large_body{120'000};
  // For one response, or one piece of a streamed one, to be taken by the peer.
  Milliseconds write{30'000};
  // How long stop() lets running requests finish.
  Milliseconds drain{10'000};
};

// Bodies beyond this are large where a path has its own limit (LargeBody), whatever limits.body_bytes allows.
inline constexpr std::uint64_t kOrdinaryBodyBytes = 1'024 * 1'024;

// What becomes of a request of which only the head is known.
struct HttpAdmission {
  // Nothing lets it in.
  std::optional<HttpResponse> refusal;
  // Kept until the request is answered or its connection ends: by it a gate counts those whom it let in.
  std::shared_ptr<void> place;
};
using HttpGate = std::function<Task<HttpAdmission>(const HttpRequest& head)>;

struct HttpServerOptions {
  // "localhost:3000" (both 127.0.0.1 and ::1), "0.0.0.0:9000", "[::1]:80". Port 0 takes a free one.
  std::string bind = "localhost:0";
  HttpServerLimits limits;
  // Browser origins that may call, as "https://app.example"; "*" for all. Pages of localhost and of this server itself
  // always may. A request of another origin is refused with 403: without a preflight it would run all the same.
  std::vector<std::string> allowed_origins;
  // Paths whose handler looks at origins itself and answers preflights: nothing is refused or added for it. One that
  // ends in "/" stands for everything below it.
  std::vector<std::string> paths_of_any_origin;
  // Requests that may be larger than others, when they say how large they are. Beyond limits.body_bytes or
  // kOrdinaryBodyBytes, whichever is less, they have a budget of their own, so that they keep no other request out.
  struct LargeBody {
    std::string method;
    std::string path;
    std::uint64_t bytes = 0;
    // Asked about the head before a byte of the body is read or room is kept for it: what is answered in its place. A
    // few strangers who send slowly would fill the budget otherwise.
    HttpGate admit;
  };
  std::vector<LargeBody> large_bodies;
  // Names in the Host field beyond localhost and literal addresses, against DNS rebinding; "*" for all. Checked when
  // the server is bound to loopback or when the list is not empty.
  std::vector<std::string> allowed_hosts;
  // For metrics and log lines: "api", "rpc".
  std::string name = "http";
};

class HttpServer {
 public:
  // `metrics` may be null; otherwise it outlives the server.
  HttpServer(EventLoop& loop, HttpServerOptions options, HttpHandler handler, Metrics* metrics = nullptr);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // Binds; transport with the address in words when it cannot. Requests are served once the loop runs.
  Result<void> start();
  // The port in use after start().
  std::uint16_t port() const;
  std::size_t connections() const;
  // Stops accepting, closes idle connections, waits for running requests up to limits.drain, then cuts the rest.
  Task<void> stop();

 private:
  struct Body;
  std::shared_ptr<Body> body_;
};

}  // namespace community::infra
