// SPDX-License-Identifier: Apache-2.0
// What gathering requests gains: signatures of the node's own keys through the key service, by callers that each ask
// again as soon as they are answered. A batch of 1 sends every request at once. And how many changes of records one
// durable write carries when several callers change at the same time.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "community/infra/factory.hpp"
#include "community/infra/fake/temporary_directory.hpp"
#include "community/keys/api/operator.hpp"
#include "community/keys/factory.hpp"
#include "trusted/tests/support/enclave.hpp"
#include "trusted/tests/support/encode.hpp"
#include "trusted/tests/support/optee.hpp"

namespace community::keys {
namespace {

using Clock = std::chrono::steady_clock;
using trusted::testing::ProgramBody;

constexpr std::uint64_t kChain = 31'337;
constexpr std::size_t kSignatures = 600;
constexpr std::size_t kChanges = 256;

template <class T>
T need(Result<T> result, const char* what) {
  if (result) return std::move(*result);
  std::fprintf(stderr, "batch_bench: %s: %s\n", what, result.error().text().c_str());
  std::exit(1);
}

protocol::Configuration configuration() {
  protocol::Configuration wanted;
  wanted.chain_count = 1;
  protocol::ChainConfig& chain = wanted.chains[0];
  chain.chain_id = kChain;
  chain.entry_point_count = 1;
  chain.entry_points[0] = {Address{0x43, 0x37}, 8};
  chain.account_factory = Address{0xfa};
  chain.proxy_init_code_hash = Bytes32{0x01};
  chain.bundle_gas_cap = 16'000'000;
  chain.fee_cap = chain.executor_budget = chain.sponsor_budget = Uint256(1'000'000'000'000'000'000);
  return wanted;
}

struct Figures {
  double per_second = 0, median = 0, p99 = 0;
};

class Bench {
 public:
  explicit Bench(ProgramBody& body) : body_(body) {
    if (body_.provision(operator_.public_key(), channel_key_) != protocol::Error::ok ||
        body_.start() != protocol::Error::ok) {
      std::fprintf(stderr, "batch_bench: the body does not start\n");
      std::exit(1);
    }
    // An emulator's port has one host at a time.
    body_.connection().close();
    infra::DatabaseOptions options;
    options.url = "sqlite:" + (folder_.path() / "node.db").string();
    database_ = infra::Database::open(options, {key_migrations()}).value();
  }

  Figures measure(std::size_t callers, std::size_t batch_size) {
    return run(callers, batch_size, kSignatures, &Bench::sign);
  }
  // `changes_per_commit` is how many changes one COMMIT carried on average.
  Figures change(std::size_t callers, double& changes_per_commit) {
    const Figures figures = run(callers, 10, kChanges, &Bench::make_key);
    changes_per_commit = static_cast<double>(kChanges) / static_cast<double>(commits_);
    return figures;
  }

 private:
  using Work = Task<void> (Bench::*)();

  Figures run(std::size_t callers, std::size_t batch_size, std::size_t times, Work work) {
    service_ = make_key_service({*database_, *random_});
    latencies_.clear();
    left_ = times;
    loop_.block_on(session(callers, batch_size, work));
    std::sort(latencies_.begin(), latencies_.end());
    return {static_cast<double>(latencies_.size()) / seconds_, latencies_[latencies_.size() / 2],
            latencies_[latencies_.size() * 99 / 100]};
  }

  Task<void> session(std::size_t callers, std::size_t batch_size, Work work) {
    ChannelOptions options;
    options.socket_path = body_.socket_path();
    options.channel_key = channel_key_;
    options.calls.batch_size = batch_size;
    infra::TaskGroup serving(loop_.executor()), calling(loop_.executor());
    serving.spawn(serve(options));
    co_await service_->connected().wait();
    co_await prepare();
    const auto before = need(co_await service_->status(), "the status");
    const auto begin = Clock::now();
    for (std::size_t i = 0; i < callers; i++) calling.spawn(call(work));
    co_await calling.join();
    seconds_ = std::chrono::duration<double>(Clock::now() - begin).count();
    const auto after = need(co_await service_->status(), "the status");
    commits_ = after.epoch - before.epoch;
    serving.cancel();
    co_await serving.join();
  }

  Task<void> serve(ChannelOptions options) { (void)co_await service_->serve(std::move(options)); }

  Task<void> prepare() {
    need(co_await ensure_configuration(*service_, &operator_, configuration()), "the configuration");
    const auto known = need(co_await service_->executors(kChain), "the executors");
    if (known.empty()) {
      executor_ = need(co_await service_->create_key(Purpose::executor, kChain), "an executor");
    } else {
      executor_ = known.front();
    }
    trusted::testing::TestTransaction cancel;
    cancel.to = core::to_bytes(executor_.address);
    transaction_ = cancel.encode();
  }

  Task<void> sign() { need(co_await service_->sign_transaction(executor_.id, transaction_), "a signature"); }
  Task<void> make_key() { need(co_await service_->create_key(Purpose::executor, kChain), "a key"); }

  Task<void> call(Work work) {
    while (left_ > 0) {
      left_--;
      const auto begin = Clock::now();
      co_await (this->*work)();
      latencies_.push_back(std::chrono::duration<double, std::milli>(Clock::now() - begin).count());
    }
  }

  ProgramBody& body_;
  infra::EventLoop loop_;
  infra::TemporaryDirectory folder_;
  std::unique_ptr<infra::Random> random_ = infra::make_system_random();
  Operator operator_ = Operator::generate(*random_);
  Bytes32 channel_key_{};
  std::unique_ptr<infra::Database> database_;
  std::unique_ptr<ConnectedKeyService> service_;
  KeyInfo executor_;
  Bytes transaction_;
  std::size_t left_ = 0;
  std::uint64_t commits_ = 0;
  std::vector<double> latencies_;
  double seconds_ = 0;
};

void measure_body(const char* name, ProgramBody& body) {
  Bench bench(body);
  std::printf("%-10s %8s %8s %14s %10s %10s\n", name, "callers", "batch", "signatures/s", "median ms", "99 % ms");
  for (const std::size_t callers : {1u, 4u, 16u, 64u}) {
    for (const std::size_t batch : {1u, 10u, 64u}) {
      const Figures figures = bench.measure(callers, batch);
      std::printf("%-10s %8zu %8zu %14.0f %10.2f %10.2f\n", "", callers, batch, figures.per_second, figures.median,
                  figures.p99);
    }
  }
  std::printf("%-10s %8s %8s %14s %10s %10s\n", "", "callers", "a commit", "changes/s", "median ms", "99 % ms");
  for (const std::size_t callers : {1u, 16u, 64u, 256u}) {
    double changes_per_commit = 0;
    const Figures figures = bench.change(callers, changes_per_commit);
    std::printf("%-10s %8zu %8.1f %14.0f %10.2f %10.2f\n", "", callers, changes_per_commit, figures.per_second,
                figures.median, figures.p99);
  }
}

int run() {
  if (trusted::testing::optee_image().complete()) {
    trusted::testing::OpteeDevice device;
    measure_body("OP-TEE", device);
  } else {
    std::printf("no OP-TEE image: make optee\n");
  }
  trusted::testing::Enclave enclave;
  measure_body("process", enclave);
  return 0;
}

}  // namespace
}  // namespace community::keys

int main() { return community::keys::run(); }
