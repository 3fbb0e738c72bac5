// SPDX-License-Identifier: Apache-2.0
// Runs the functions of trusted/ed25519 with the secret marked as undefined for valgrind's memcheck, and says whether
// the result is undefined as well: then the mark went all the way. `branch` does what must not be done, so that a test
// sees that memcheck would report it.
#include <valgrind/memcheck.h>

#include <cstdio>
#include <cstring>

#include "trusted/ed25519/ed25519.hpp"

using namespace community::trusted;

namespace {

// Whether every byte of the result depends on the secret, as far as memcheck knows. Asking memcheck about them would
// count as reports.
bool is_undefined(const std::uint8_t* bytes, std::size_t size) {
  for (std::size_t i = 0; i < size; i++) {
    std::uint8_t known = 0;
    if (VALGRIND_GET_VBITS(bytes + i, &known, 1) != 1 || known == 0) return false;
  }
  return true;
}

bool run(const char* what, const ed25519::Bytes32& secret) {
  if (std::strcmp(what, "public_key") == 0) {
    ed25519::Bytes32 key{};
    ed25519::public_key(secret, key);
    return is_undefined(key.data(), key.size());
  }
  if (std::strcmp(what, "sign") == 0) {
    std::array<std::uint8_t, 64> signature{};
    const std::uint8_t message[] = {'a', 'b', 'c'};
    ed25519::sign(secret, message, signature);
    return is_undefined(signature.data(), signature.size());
  }
  static volatile int reached = 0;
  if (std::strcmp(what, "branch") == 0 && secret[7] > 100) reached = 1;
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  ed25519::Bytes32 secret;
  for (std::size_t i = 0; i < secret.size(); i++) secret[i] = static_cast<std::uint8_t>(37 * i + 11);
  VALGRIND_MAKE_MEM_UNDEFINED(secret.data(), secret.size());
  const bool reached = run(argv[1], secret);
  std::puts(RUNNING_ON_VALGRIND != 0 && reached ? "the mark went through" : "ran");
  return 0;
}
