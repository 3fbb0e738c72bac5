// SPDX-License-Identifier: Apache-2.0
// trusted/p256, which trusted applications use, beside OpenSSL's P-256, which the process body uses.
#include <benchmark/benchmark.h>

#include <cstdlib>

#include "trusted/base/sha2.hpp"
#include "trusted/p256/p256.hpp"
#include "trusted/process/crypto.hpp"
#include "trusted/tests/support/passkey.hpp"

namespace community::trusted::testing {
namespace {

const Bytes32 kSecret = base::sha256(base::view("secret"));

void p256_verify(benchmark::State& state) {
  const SoftPasskey passkey(1);
  const Bytes32 digest = base::sha256(base::view("x"));
  const auto signature = passkey.sign_digest(digest);
  for (auto _ : state)
    if (!p256::verify(passkey.passkey().public_key, digest, signature)) std::abort();
}
BENCHMARK(p256_verify)->Unit(benchmark::kMicrosecond);

void p256_agreement(benchmark::State& state) {
  const SoftPasskey passkey(1);
  Bytes32 shared{};
  for (auto _ : state)
    if (!p256::ecdh_x(kSecret, passkey.passkey().public_key, shared)) std::abort();
}
BENCHMARK(p256_agreement)->Unit(benchmark::kMicrosecond);

void bare_p256_agreement(benchmark::State& state) {
  Port port;
  use_software_crypto(port);
  const SoftPasskey passkey(1);
  Bytes32 shared{};
  for (auto _ : state)
    if (!port.p256_ecdh(nullptr, kSecret, passkey.passkey().public_key.data(), shared)) std::abort();
}
BENCHMARK(bare_p256_agreement)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace community::trusted::testing
