// SPDX-License-Identifier: Apache-2.0
// The trusted core in OP-TEE under QEMU, from the host: start, signatures one by one and in batches, commits. Beside
// each figure the same of the process body in the same run: machines differ by a factor of two and more, ratios do not.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>

#include "trusted/tests/support/enclave.hpp"
#include "trusted/tests/support/generic_keys.hpp"
#include "trusted/tests/support/optee.hpp"
#include "trusted/tests/support/world.hpp"

namespace community::trusted::testing {
namespace {

using Clock = std::chrono::steady_clock;

double milliseconds(const std::function<void()>& work) {
  const auto begin = Clock::now();
  work();
  return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

struct Spread {
  double median = 0, p99 = 0;
};

Spread measure(int times, const std::function<void()>& work) {
  std::vector<double> all;
  for (int i = 0; i < times; i++) all.push_back(milliseconds(work));
  std::sort(all.begin(), all.end());
  return {all[all.size() / 2], all[all.size() * 99 / 100]};
}

void need(bool done, const char* what) {
  if (done) return;
  std::fprintf(stderr, "optee_bench: %s failed\n", what);
  std::exit(1);
}

// A tree as of 2^17 wallets: paths of twenty levels.
void fill_tree(World& world) {
  for (std::uint32_t level = 4; level < 21; level++) {
    protocol::KeyCreateRequest request;
    const OwnedPath path = world.host.pending_tree.path(1u << level);
    request.path = path.view();
    request.purpose = static_cast<std::uint8_t>(protocol::Purpose::executor);
    need(world.host.change(Command::key_create, request).error == Error::ok, "filling the tree");
  }
  need(world.host.commit().error == Error::ok, "the commit");
}

// Requests of one command as one write, and their answers.
void batch(World& world, RemoteBody& body, Command command, ByteView request, int count) {
  Bytes all;
  for (int i = 0; i < count; i++) append(all, world.host.channel().request(command, request));
  need(body.send(all), "sending");
  for (int i = 0; i < count; i++) {
    const auto reply = world.host.channel().reply(body.receive());
    need(reply && reply->error == Error::ok, "a signature of a batch");
  }
}

struct Figures {
  double start = 0;
  // 32 bytes by a generic key: nothing but a signature, and the proof of its record. An executor's transaction
  // besides.
  Spread generic, plain, passkey, status;
  double status_64 = 0, plain_64 = 0, passkey_16 = 0;
  double commit_1 = 0, commit_64 = 0, commit_256 = 0;
  long resident_kilobytes = 0;
};

double commit_of(World& world, std::uint32_t changes) {
  // Beyond the leaves of fill_tree.
  static std::uint32_t next_leaf = 1u << 21;
  for (std::uint32_t i = 0; i < changes; i++) {
    protocol::KeyCreateRequest request;
    const OwnedPath path = world.host.pending_tree.path(next_leaf++);
    request.path = path.view();
    request.purpose = static_cast<std::uint8_t>(protocol::Purpose::executor);
    need(world.host.change(Command::key_create, request).error == Error::ok, "a change");
  }
  return milliseconds([&world] { need(world.host.commit().error == Error::ok, "the commit"); });
}

Figures measure_body(ProgramBody& body) {
  Figures figures;
  World world(1, &body);
  fill_tree(world);
  const GenericKey generic_key = generate_generic(world);
  need(generic_key.error == Error::ok, "making a generic key");
  body.kill();
  figures.start = milliseconds([&world] { need(world.host.start() == Error::ok, "the start"); });

  const OwnedProof executor = world.host.proof(world.executor), wallet = world.host.proof(world.wallet);
  const Bytes transaction = world.good_transaction().encode();
  const Bytes plain = encoded(protocol::SignTransactionRequest{executor.view(), transaction});
  const OwnedProof generic_proof = world.host.proof(generic_key.record);
  const Bytes message(32, 7);
  const Bytes short_message =
      founders_body(protocol::FoundersCommand::sign_message,
                    protocol::GenericSignRequest{generic_proof.view(), protocol::GenericHash::sha256, message});
  const TestUserop userop = world.good_userop();
  const SignedAssertion assertion = world.passkey.sign(world.hash(userop));
  const Bytes passkey =
      encoded(protocol::SignUseropRequest{wallet.view(), kChain, kEntryPoint8, userop.fields(), assertion.view()});

  figures.status = measure(200, [&] { batch(world, body, Command::status, {}, 1); });
  figures.generic = measure(500, [&] { batch(world, body, Command::founders, short_message, 1); });
  figures.plain = measure(500, [&] { batch(world, body, Command::sign_transaction, plain, 1); });
  figures.passkey = measure(500, [&] { batch(world, body, Command::sign_userop, passkey, 1); });
  figures.status_64 = measure(20, [&] { batch(world, body, Command::status, {}, 64); }).median;
  figures.plain_64 = measure(20, [&] { batch(world, body, Command::sign_transaction, plain, 64); }).median;
  figures.passkey_16 = measure(20, [&] { batch(world, body, Command::sign_userop, passkey, 16); }).median;
  figures.commit_1 = commit_of(world, 1);
  figures.commit_64 = commit_of(world, 64);
  figures.commit_256 = commit_of(world, 256);
  figures.resident_kilobytes = body.proc_kilobytes("VmRSS");
  return figures;
}

void row(const char* what, double optee, double process) {
  std::printf("%-44s %10.2f ms %10.2f ms %8.1f\n", what, optee, process, optee / process);
}

int run() {
  if (!optee_image().complete()) {
    std::printf("no OP-TEE image: make optee\n");
    return 0;
  }
  OpteeDevice device;
  Enclave enclave;
  const Figures optee = measure_body(device), process = measure_body(enclave);
  std::printf("%-44s %13s %13s %8s\n", "", "OP-TEE", "process", "ratio");
  row("start until the first answer", optee.start, process.start);
  row("status, median of 200", optee.status.median, process.status.median);
  row("32 bytes by a generic key, median of 500", optee.generic.median, process.generic.median);
  row("plain (executor) signature, median of 500", optee.plain.median, process.plain.median);
  row("  99 %", optee.plain.p99, process.plain.p99);
  row("passkey-checked signature, median of 500", optee.passkey.median, process.passkey.median);
  row("  99 %", optee.passkey.p99, process.passkey.p99);
  row("64 status in one write", optee.status_64, process.status_64);
  row("64 plain signatures in one write", optee.plain_64, process.plain_64);
  row("16 passkey-checked signatures in one write", optee.passkey_16, process.passkey_16);
  row("COMMIT of 1 change", optee.commit_1, process.commit_1);
  row("COMMIT of 64 changes", optee.commit_64, process.commit_64);
  row("COMMIT of 256 changes", optee.commit_256, process.commit_256);
  std::printf("%-44s %10.1f MB %10.1f MB\n\n", "resident", static_cast<double>(optee.resident_kilobytes) / 1'024,
              static_cast<double>(process.resident_kilobytes) / 1'024);
  std::printf("passkey-checked over plain: median %.2f (at most 2.5), 99 %% over its median %.2f (at most 8)\n",
              optee.passkey.median / optee.plain.median, optee.passkey.p99 / optee.plain.median);
  std::printf("64 plain in one write over 64 singles: %.2f (at most 0.25)\n",
              optee.plain_64 / (64 * optee.plain.median));
  std::printf("16 passkey-checked in one write over 16 singles: %.2f (below 1)\n",
              optee.passkey_16 / (16 * optee.passkey.median));
  return 0;
}

}  // namespace
}  // namespace community::trusted::testing

int main() { return community::trusted::testing::run(); }
