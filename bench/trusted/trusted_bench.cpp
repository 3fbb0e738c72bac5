// SPDX-License-Identifier: Apache-2.0
// What a signed user operation costs over the two bare signatures that it cannot do without: one P-256 verification and
// one secp256k1 signature. Ends with the ratios of the run, since a ratio means the same on every machine.
#include <benchmark/benchmark.h>

#include <cstdio>
#include <map>

#include "trusted/base/keccak.hpp"
#include "trusted/process/crypto.hpp"
#include "trusted/tests/support/enclave.hpp"
#include "trusted/tests/support/world.hpp"

namespace community::trusted::testing {
namespace {

// A request to sign one operation of three calls, as a node sends it.
Bytes sign_request(World& world) {
  TestUserop userop = world.good_userop();
  userop.call_data =
      batch_call({{kShop, Uint256(1), Bytes(68, 1)}, {kShop, Uint256(2), Bytes(100, 2)}, {kStranger, Uint256(3), {}}});
  userop.paymaster_and_data = paymaster_data(kPaymaster8, 1, 1, Bytes(77));
  const OwnedProof proof = world.host.proof(world.wallet);
  const SignedAssertion assertion = world.passkey.sign(world.hash(userop));
  return encoded(protocol::SignUseropRequest{proof.view(), kChain, kEntryPoint8, userop.fields(), assertion.view()});
}

// 2^17 wallets, which is what a path of twenty levels stands for; only this one is real.
void fill_tree(World& world) {
  for (std::uint32_t level = 4; level < 21; level++) {
    protocol::KeyCreateRequest request;
    const OwnedPath path = world.host.pending_tree.path(1u << level);
    request.path = path.view();
    request.purpose = static_cast<std::uint8_t>(protocol::Purpose::executor);
    world.host.change(Command::key_create, request);
  }
  world.host.commit();
}

void bare_p256_verify(benchmark::State& state) {
  Port port;
  use_software_crypto(port);
  const SoftPasskey passkey(1);
  const Bytes32 digest = base::sha256(base::view("x"));
  const auto signature = passkey.sign_digest(digest);
  for (auto _ : state)
    if (!port.p256_verify(nullptr, passkey.passkey().public_key.data(), digest, signature.data())) std::abort();
}
BENCHMARK(bare_p256_verify)->Unit(benchmark::kMicrosecond);

void bare_secp256k1_sign(benchmark::State& state) {
  Port port;
  use_software_crypto(port);
  Bytes32 digest{}, secret = Uint256(7).to_be();
  protocol::Signature65 signature{};
  for (auto _ : state) {
    digest[0]++;
    if (!port.secp256k1_sign(nullptr, secret, digest, signature.data())) std::abort();
  }
}
BENCHMARK(bare_secp256k1_sign)->Unit(benchmark::kMicrosecond);

void sign_userop_in_process(benchmark::State& state) {
  World world;
  fill_tree(world);
  const Bytes body = sign_request(world);
  Bytes out(protocol::kMaxReplyFrame);
  for (auto _ : state) {
    const Bytes frame = world.host.channel().request(Command::sign_userop, body);
    const ByteView reply = world.host.core().handle(world.host.session(), frame, out);
    if (reply.size() < 100) std::abort();
  }
  state.counters["a_second"] = benchmark::Counter(static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
}
BENCHMARK(sign_userop_in_process)->Unit(benchmark::kMicrosecond);

// One client that keeps `window` requests on their way.
void sign_userop_over_socket(benchmark::State& state) {
  Enclave enclave;
  World world(1, &enclave);
  fill_tree(world);
  const Bytes body = sign_request(world);
  HostChannel& channel = world.host.channel();
  SocketConnection& connection = enclave.connection();
  const auto window = static_cast<int>(state.range(0));
  const double before = enclave.cpu_micros();
  for (int i = 0; i < window; i++) connection.send(channel.request(Command::sign_userop, body));
  for (auto _ : state) {
    if (connection.receive().size() < 100) std::abort();
    connection.send(channel.request(Command::sign_userop, body));
  }
  state.counters["a_second"] = benchmark::Counter(static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
  state.counters["enclave_us"] = (enclave.cpu_micros() - before) / static_cast<double>(state.iterations());
  state.counters["enclave_kB"] = static_cast<double>(enclave.proc_kilobytes("VmRSS"));
}
BENCHMARK(sign_userop_over_socket)->Arg(1)->Arg(16)->Unit(benchmark::kMicrosecond)->UseRealTime()->MinTime(2);

void sign_transaction_in_process(benchmark::State& state) {
  World world;
  const OwnedProof proof = world.host.proof(world.executor);
  TestTransaction transaction = world.good_transaction();
  transaction.data = handle_ops(10, world.executor_address, Bytes(400, 1));
  const Bytes bytes = transaction.encode();
  const Bytes body = encoded(protocol::SignTransactionRequest{proof.view(), bytes});
  Bytes out(protocol::kMaxReplyFrame);
  for (auto _ : state) {
    const Bytes frame = world.host.channel().request(Command::sign_transaction, body);
    if (world.host.core().handle(world.host.session(), frame, out).size() < 100) std::abort();
  }
}
BENCHMARK(sign_transaction_in_process)->Unit(benchmark::kMicrosecond);

// Remembers each benchmark's processor time so that the ratios can be printed behind the table. Processor time, because
// other programs on the machine would stretch one benchmark and not the next; for the socket it is key-enclave's.
class Ratios : public benchmark::ConsoleReporter {
 public:
  void ReportRuns(const std::vector<Run>& runs) override {
    ConsoleReporter::ReportRuns(runs);
    for (const Run& run : runs) {
      const auto enclave = run.counters.find("enclave_us");
      const bool remote = enclave != run.counters.end();
      micros_[run.run_name.function_name + (run.run_name.args.empty() ? "" : "/" + run.run_name.args)] =
          remote ? enclave->second.value : run.GetAdjustedCPUTime();
    }
  }
  void print() const {
    const double bare = time("bare_p256_verify") + time("bare_secp256k1_sign");
    if (bare <= 0) return;
    std::printf("\nbare signatures (P-256 verify + secp256k1 sign): %.1f us\n", bare);
    for (const auto& [name, micros] : micros_)
      if (name.rfind("sign_userop", 0) == 0)
        std::printf("%-28s %6.1f us, %.2f x the bare signatures, %.0f a second and core\n", name.c_str(), micros,
                    micros / bare, 1e6 / micros);
    for (const char* what : {"verify", "agreement"}) {
      const double own = time(std::string("p256_") + what), openssl = time(std::string("bare_p256_") + what);
      if (own > 0 && openssl > 0)
        std::printf("trusted/p256 %-15s %6.1f us, %.2f x OpenSSL\n", what, own, own / openssl);
    }
  }

 private:
  double time(const std::string& name) const {
    const auto found = micros_.find(name);
    return found == micros_.end() ? 0 : found->second;
  }
  std::map<std::string, double> micros_;
};

}  // namespace
}  // namespace community::trusted::testing

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  community::trusted::testing::Ratios reporter;
  benchmark::RunSpecifiedBenchmarks(&reporter);
  reporter.print();
  return 0;
}
