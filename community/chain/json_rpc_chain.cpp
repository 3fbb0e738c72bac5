// SPDX-License-Identifier: Apache-2.0
// Execution clients over JSON-RPC. Calls of one turn of the loop, and calls that wait for a free place, travel in one
// HTTP request; an endpoint that fails rests while the next one answers.
#include <algorithm>
#include <cassert>
#include <deque>

#include "community/chain/factory.hpp"
#include "community/infra/api/json_rpc.hpp"
#include "community/infra/api/log.hpp"

namespace community::chain {
namespace {

using infra::Event;
using infra::RpcRequest;
using infra::RpcResult;
using Answers = std::vector<ChainResult<json::value>>;

// Endpoints tried for one request: three time-outs are what a caller can be expected to wait.
constexpr std::size_t kMaxTries = 3;

ChainError from_transport(const infra::Error& error) {
  ChainError out;
  out.message = error.message;
  switch (error.code) {
    case infra::ErrorCode::timeout:
      out.kind = ChainErrorKind::timeout;
      break;
    case infra::ErrorCode::malformed:
    case infra::ErrorCode::too_large:
      out.kind = ChainErrorKind::malformed;
      break;
    default:
      out.kind = ChainErrorKind::transport;
      break;
  }
  return out;
}

ChainResult<json::value> from_peer(RpcResult result) {
  if (result) return std::move(*result);
  ChainError error;
  error.kind = ChainErrorKind::rpc;
  error.code = result.error().code;
  error.message = std::move(result.error().message);
  if (result.error().data) error.data = revert_data_from_json(*result.error().data);
  error.reverted = error.code == 3 || !error.data.empty() || error.message.find("revert") != std::string::npos;
  return tl::unexpected(std::move(error));
}

struct Endpoint {
  infra::RpcClient rpc;
  bool verified = false;
  // Some public services answer single calls only.
  bool batches = true;
  unsigned failures = 0;
  infra::SteadyTime rest_until{};
  std::optional<infra::Gauge> up;
};

struct Waiting {
  ChainCall call;
  std::optional<ChainResult<json::value>> answer;
  bool taken = false;
  Event wake;
};

struct ChainMetrics {
  explicit ChainMetrics(infra::Metrics& metrics)
      : calls(metrics.counter("community_chain_calls_total", "Calls asked of the execution client")),
        requests(metrics.counter("community_chain_requests_total", "HTTP requests they travelled in")),
        failures(metrics.counter("community_chain_failures_total", "Requests an endpoint did not answer")),
        seconds(metrics.histogram("community_chain_request_seconds", "Time of one HTTP request",
                                  infra::Buckets::seconds)) {}
  infra::Counter calls, requests, failures;
  infra::Histogram seconds;
};

class JsonRpcChain final : public ExecutionClient {
 public:
  JsonRpcChain(infra::HttpClient& http, infra::Clock& clock, JsonRpcChainOptions options, infra::Metrics* metrics)
      : clock_(clock), options_(std::move(options)), chain_id_(options_.chain_id) {
    assert(!options_.urls.empty());
    if (metrics != nullptr) metrics_.emplace(*metrics);
    for (const auto& url : options_.urls) {
      infra::RpcClientOptions rpc;
      rpc.url = url;
      rpc.timeout = options_.timeout;
      auto endpoint =
          std::make_unique<Endpoint>(Endpoint{infra::RpcClient(http, std::move(rpc)), false, true, 0, {}, {}});
      if (metrics != nullptr)
        endpoint->up = metrics->gauge("community_chain_endpoint_up", "1 while the endpoint answers",
                                      {{"endpoint", std::to_string(endpoints_.size())}});
      endpoints_.push_back(std::move(endpoint));
    }
  }

  Task<ChainResult<json::value>> request(ChainCall call, ChainCallOptions options) override {
    if (options.coalesce && !options.timeout) co_return co_await request_together(std::move(call));
    std::vector<ChainCall> calls;
    calls.push_back(std::move(call));
    auto answers = co_await batch(std::move(calls), options);
    if (!answers) co_return tl::unexpected(std::move(answers.error()));
    co_return std::move(answers->front());
  }

  Task<ChainResult<Answers>> batch(std::vector<ChainCall> calls, ChainCallOptions options) override {
    if (calls.empty()) co_return Answers{};
    if (queued_ + calls.size() > options_.max_queued) co_return overloaded();
    const Count waiting(queued_, calls.size());
    if (active_ >= options_.concurrency) {
      Event turn;
      const Place place(turns_, turn);
      do {
        turn.reset();
        co_await turn.wait();
      } while (active_ >= options_.concurrency);
    }
    const Slot slot(*this);
    wake_next();
    co_return co_await exchange(std::move(calls), options.timeout.value_or(options_.timeout), options.coalesce);
  }

 private:
  struct Count {
    Count(std::size_t& c, std::size_t n) : count(c), by(n) { count += by; }
    ~Count() { count -= by; }
    Count(const Count&) = delete;
    Count& operator=(const Count&) = delete;
    std::size_t& count;
    std::size_t by;
  };
  struct Place {
    Place(std::deque<Event*>& list, Event& event) : turns(list), mine(&event) { turns.push_back(mine); }
    ~Place() { std::erase(turns, mine); }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    std::deque<Event*>& turns;
    Event* mine;
  };
  // One HTTP request under way; its end wakes who waits for a place.
  struct Slot {
    explicit Slot(JsonRpcChain& chain) : owner(chain) { owner.active_++; }
    ~Slot() {
      owner.active_--;
      owner.wake_next();
    }
    Slot(const Slot&) = delete;
    Slot& operator=(const Slot&) = delete;
    JsonRpcChain& owner;
  };
  // Calls taken from the queue; what has no answer when the leader goes away returns to the queue.
  struct Load {
    explicit Load(JsonRpcChain& chain) : owner(chain) {}
    ~Load() {
      for (auto it = calls.rbegin(); it != calls.rend(); ++it) {
        if ((*it)->answer) continue;
        (*it)->taken = false;
        owner.queue_.push_front(*it);
      }
      for (auto& call : calls) call->wake.set();
    }
    Load(const Load&) = delete;
    Load& operator=(const Load&) = delete;
    JsonRpcChain& owner;
    std::vector<std::shared_ptr<Waiting>> calls;
  };

  // Free places go in turn to calls that travel together and to those that travel alone: neither kind, however many of
  // it wait, holds up the other.
  void wake_next() {
    if (active_ >= options_.concurrency) return;
    woke_together_ = !queue_.empty() && (turns_.empty() || !woke_together_);
    if (woke_together_) {
      queue_.front()->wake.set();
    } else if (!turns_.empty()) {
      turns_.front()->set();
    }
  }

  static tl::unexpected<ChainError> overloaded() {
    return chain_fail(ChainErrorKind::overloaded, "too many calls to the execution client wait");
  }

  // Whoever finds a free place first carries the calls of all who wait, its own among them or not.
  Task<ChainResult<json::value>> request_together(ChainCall call) {
    if (queued_ >= options_.max_queued) co_return overloaded();
    const Count waiting(queued_, 1);
    auto mine = std::make_shared<Waiting>();
    mine->call = std::move(call);
    queue_.push_back(mine);
    struct Leave {
      std::deque<std::shared_ptr<Waiting>>& queue;
      std::shared_ptr<Waiting> mine;
      ~Leave() { std::erase(queue, mine); }
    } leave{queue_, mine};
    co_await infra::reschedule();
    while (!mine->answer) {
      if (!mine->taken && active_ < options_.concurrency) {
        co_await carry();
      } else {
        mine->wake.reset();
        co_await mine->wake.wait();
      }
    }
    co_return std::move(*mine->answer);
  }

  Task<void> carry() {
    const Slot slot(*this);
    Load load(*this);
    std::vector<ChainCall> calls;
    while (!queue_.empty() && load.calls.size() < options_.max_batch) {
      load.calls.push_back(std::move(queue_.front()));
      queue_.pop_front();
      load.calls.back()->taken = true;
      calls.push_back(load.calls.back()->call);
    }
    wake_next();
    auto answers = co_await exchange(std::move(calls), options_.timeout, true);
    for (std::size_t i = 0; i < load.calls.size(); i++) {
      if (answers) {
        load.calls[i]->answer = std::move((*answers)[i]);
      } else {
        load.calls[i]->answer = tl::unexpected(answers.error());
      }
    }
  }

  // The endpoints in the order to try: those that do not rest by preference, then the others by the end of their rest.
  std::vector<Endpoint*> order() const {
    std::vector<Endpoint*> all;
    for (const auto& endpoint : endpoints_) all.push_back(endpoint.get());
    const auto now = clock_.steady();
    std::stable_sort(all.begin(), all.end(), [now](const Endpoint* a, const Endpoint* b) {
      return std::max(a->rest_until, now) < std::max(b->rest_until, now);
    });
    if (all.size() > kMaxTries) all.resize(kMaxTries);
    return all;
  }

  // `judges`: whatever goes wrong is the endpoint's fault. A call that travels alone may take too long or answer too
  // much by its own nature, and strangers choose such calls.
  Task<ChainResult<Answers>> exchange(std::vector<ChainCall> calls, Milliseconds timeout, bool judges) {
    if (metrics_) metrics_->calls.add(static_cast<double>(calls.size()));
    ChainError last;
    for (Endpoint* endpoint : order()) {
      auto answers = co_await try_endpoint(*endpoint, calls, timeout);
      if (answers) {
        succeeded(*endpoint);
        co_return answers;
      }
      last = std::move(answers.error());
      if (judges || (last.kind != ChainErrorKind::timeout && last.kind != ChainErrorKind::malformed))
        failed(*endpoint, last);
    }
    co_return tl::unexpected(std::move(last));
  }

  Task<ChainResult<Answers>> try_endpoint(Endpoint& endpoint, const std::vector<ChainCall>& calls,
                                          Milliseconds timeout) {
    if (!endpoint.verified) {
      auto verified = co_await verify(endpoint, timeout);
      if (!verified) co_return tl::unexpected(std::move(verified.error()));
    }
    Answers answers;
    answers.reserve(calls.size());
    while (answers.size() < calls.size()) {
      const std::size_t size =
          endpoint.batches ? std::min(options_.max_batch, calls.size() - answers.size()) : std::size_t{1};
      const auto started = clock_.steady();
      if (metrics_) metrics_->requests.add();
      auto part = co_await send(endpoint, calls, answers.size(), size, timeout);
      const std::chrono::duration<double> took = clock_.steady() - started;
      if (metrics_) metrics_->seconds.observe(took.count());
      if (!part) {
        const bool odd = size > 1 && part.error().code == infra::ErrorCode::malformed;
        if (!odd) co_return tl::unexpected(from_transport(part.error()));
        endpoint.batches = false;
        continue;
      }
      for (auto& answer : *part) answers.push_back(from_peer(std::move(answer)));
    }
    co_return answers;
  }

  static Task<infra::Result<std::vector<RpcResult>>> send(Endpoint& endpoint, const std::vector<ChainCall>& calls,
                                                          std::size_t first, std::size_t count, Milliseconds timeout) {
    if (count == 1) {
      auto answer = co_await endpoint.rpc.call(calls[first].method, calls[first].params, timeout);
      if (!answer) co_return tl::unexpected(answer.error());
      std::vector<RpcResult> one;
      one.push_back(std::move(*answer));
      co_return one;
    }
    std::vector<RpcRequest> requests;
    requests.reserve(count);
    for (std::size_t i = first; i < first + count; i++) requests.push_back({calls[i].method, calls[i].params});
    co_return co_await endpoint.rpc.batch(std::move(requests), timeout);
  }

  Task<ChainResult<void>> verify(Endpoint& endpoint, Milliseconds timeout) {
    auto answer = co_await endpoint.rpc.call("eth_chainId", json::array(), timeout);
    if (!answer) co_return tl::unexpected(from_transport(answer.error()));
    if (!*answer) co_return chain_fail(ChainErrorKind::transport, "eth_chainId: " + answer->error().message);
    const auto id = core::number_value(**answer);
    if (!id || !id->fits_u64()) co_return chain_fail(ChainErrorKind::malformed, "eth_chainId is not a number");
    if (chain_id_ == 0) chain_id_ = id->limb[0];
    if (chain_id_ != id->limb[0])
      co_return chain_fail(ChainErrorKind::wrong_chain, endpoint.rpc.shown() + " serves chain " +
                                                            std::to_string(id->limb[0]) + ", expected " +
                                                            std::to_string(chain_id_));
    endpoint.verified = true;
    co_return ChainResult<void>();
  }

  void succeeded(Endpoint& endpoint) {
    if (endpoint.failures > 0) infra::log_info("execution client answers again", {{"endpoint", endpoint.rpc.shown()}});
    endpoint.failures = 0;
    endpoint.rest_until = {};
    if (endpoint.up) endpoint.up->set(1);
  }

  void failed(Endpoint& endpoint, const ChainError& error) {
    if (metrics_) metrics_->failures.add();
    if (endpoint.up) endpoint.up->set(0);
    if (endpoint.failures == 0)
      infra::log_warning("execution client failed", {{"endpoint", endpoint.rpc.shown()}, {"why", error.text()}});
    const auto rest =
        std::min(options_.max_rest, options_.rest * (std::int64_t{1} << std::min(endpoint.failures, 16u)));
    endpoint.failures++;
    endpoint.rest_until = clock_.steady() + rest;
    // It may come back as something else: another chain behind the same address, a client that takes batches.
    endpoint.verified = false;
    endpoint.batches = true;
  }

  infra::Clock& clock_;
  JsonRpcChainOptions options_;
  std::uint64_t chain_id_;
  std::vector<std::unique_ptr<Endpoint>> endpoints_;
  std::optional<ChainMetrics> metrics_;
  std::deque<std::shared_ptr<Waiting>> queue_;
  std::deque<Event*> turns_;
  std::size_t queued_ = 0;
  std::size_t active_ = 0;
  bool woke_together_ = false;
};

}  // namespace

std::unique_ptr<ExecutionClient> make_json_rpc_chain(infra::HttpClient& http, infra::Clock& clock,
                                                     JsonRpcChainOptions options, infra::Metrics* metrics) {
  return std::make_unique<JsonRpcChain>(http, clock, std::move(options), metrics);
}

}  // namespace community::chain
