// SPDX-License-Identifier: Apache-2.0
// A program that answers requests for trusted/p256 on standard input until it ends (p256_pipe.hpp). Built for
// another processor and run under QEMU's user emulation.
#include <algorithm>
#include <cstdlib>

#include "trusted/p256/p256.hpp"
#include "trusted/tests/support/p256_pipe.hpp"

namespace {

namespace base = community::base;
using namespace community::trusted;
using testing::p256_pipe::Function;

template <std::size_t N>
std::array<std::uint8_t, N> argument() {
  std::array<std::uint8_t, N> bytes;
  if (!testing::p256_pipe::read_all(0, bytes.data(), N)) std::exit(1);
  return bytes;
}

// Sends the verdict and what was written; a refusal that wrote something ends the program, which fails the test.
template <std::size_t N, class Call>
void reply(Call&& call) {
  std::array<std::uint8_t, 1 + N> out;
  out.fill(0xa5);
  const std::array<std::uint8_t, 1 + N> before = out;
  out[0] = call(std::span(out).template last<N>()) ? 1 : 0;
  if (out[0] == 0 && !std::equal(out.begin() + 1, out.end(), before.begin() + 1)) std::exit(2);
  if (!testing::p256_pipe::write_all(1, out.data(), out[0] == 0 ? 1 : out.size())) std::exit(1);
}

}  // namespace

int main() {
  for (std::uint8_t function = 0; testing::p256_pipe::read_all(0, &function, 1);) {
    switch (static_cast<Function>(function)) {
      case Function::public_key_valid: {
        const auto key = argument<64>();
        reply<0>([&](auto) { return p256::public_key_valid(key); });
        break;
      }
      case Function::verify: {
        const auto key = argument<64>();
        const auto digest = argument<32>();
        const auto signature = argument<64>();
        reply<0>([&](auto) { return p256::verify(key, digest, signature); });
        break;
      }
      case Function::public_key: {
        const auto secret = argument<32>();
        reply<64>([&](auto out) { return p256::public_key(secret, out); });
        break;
      }
      case Function::ecdh_x: {
        const auto secret = argument<32>();
        const auto peer = argument<64>();
        reply<32>([&](auto out) {
          base::Bytes32 shared;
          base::copy(shared, out);
          const bool done = p256::ecdh_x(secret, peer, shared);
          base::copy(out, shared);
          return done;
        });
        break;
      }
      default:
        return 1;
    }
  }
  return 0;
}
