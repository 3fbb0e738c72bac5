// SPDX-License-Identifier: Apache-2.0
// Runs the functions of trusted/p256 that see a secret, with the secret marked as undefined for valgrind's memcheck:
// it then reports every branch and every address that depends on the secret. One argument names what to run;
// `branch` and `address` do what must not be done, so that a test sees that memcheck would report it.
#include <valgrind/memcheck.h>

#include <cstdio>
#include <cstring>

#include "trusted/p256/p256.hpp"

using namespace community::trusted;

namespace {

std::array<std::uint8_t, 64> generator() {
  std::array<std::uint8_t, 64> point{};
  p256::Bytes32 one{};
  one[31] = 1;
  p256::public_key(one, point);
  return point;
}

// The result is as secret as what it was made of; only that there is one may be branched on.
bool run(const char* what, const p256::Bytes32& secret, const std::array<std::uint8_t, 64>& peer) {
  std::array<std::uint8_t, 64> key{};
  p256::Bytes32 shared{};
  if (std::strcmp(what, "public_key") == 0) return p256::public_key(secret, key);
  if (std::strcmp(what, "ecdh_x") == 0) return p256::ecdh_x(secret, peer, shared);
  static volatile std::uint8_t table[256];
  if (std::strcmp(what, "address") == 0) return table[secret[7]] == 0;
  if (std::strcmp(what, "branch") == 0 && secret[7] > 100) table[0] = 1;
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const std::array<std::uint8_t, 64> peer = generator();
  p256::Bytes32 secret;
  for (std::size_t i = 0; i < secret.size(); i++) secret[i] = static_cast<std::uint8_t>(37 * i + 11);
  VALGRIND_MAKE_MEM_UNDEFINED(secret.data(), secret.size());
  bool done = run(argv[1], secret, peer);
  VALGRIND_MAKE_MEM_DEFINED(&done, sizeof done);
  if (!done) return 3;
  std::puts(RUNNING_ON_VALGRIND != 0 ? "ran under valgrind" : "ran");
  return 0;
}
