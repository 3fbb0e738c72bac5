// SPDX-License-Identifier: Apache-2.0
// getrandom(2) and what is derived from any source of bytes.
#include "community/infra/api/random.hpp"

#include <sys/random.h>

#include <cerrno>
#include <cstring>
#include <system_error>

#include "community/infra/factory.hpp"

namespace community::infra {

std::uint64_t Random::u64() {
  std::uint8_t bytes[8];
  fill(bytes);
  std::uint64_t value;
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

std::uint64_t Random::below(std::uint64_t bound) {
  // Values under 2^64 mod bound would make small results likelier: draw again.
  const std::uint64_t skip = (0 - bound) % bound;
  for (;;) {
    const std::uint64_t value = u64();
    if (value >= skip) return value % bound;
  }
}

std::string Random::hex(std::size_t bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string raw(bytes, '\0');
  fill({reinterpret_cast<std::uint8_t*>(raw.data()), raw.size()});
  std::string text;
  text.reserve(bytes * 2);
  for (const char c : raw) {
    const auto byte = static_cast<unsigned char>(c);
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

namespace {

class SystemRandom final : public Random {
 public:
  void fill(std::span<std::uint8_t> out) override {
    while (!out.empty()) {
      const ssize_t got = getrandom(out.data(), out.size(), 0);
      if (got < 0) {
        if (errno == EINTR) continue;
        throw std::system_error(errno, std::generic_category(), "getrandom");
      }
      out = out.subspan(static_cast<std::size_t>(got));
    }
  }
};

}  // namespace

std::unique_ptr<Random> make_system_random() { return std::make_unique<SystemRandom>(); }

}  // namespace community::infra
