// SPDX-License-Identifier: Apache-2.0
// How the door of trusted/p256 is asked over a pipe, when the code behind it was built for another processor. A request
// is one byte that names the function and its arguments one after the other; a reply is one byte, 0 or 1, and behind a
// 1 what the function wrote.
#pragma once
#include <unistd.h>

#include <cstddef>
#include <cstdint>

namespace community::trusted::testing::p256_pipe {

enum class Function : std::uint8_t { public_key_valid, verify, public_key, ecdh_x };

// False at the end of the pipe.
inline bool read_all(int file, std::uint8_t* to, std::size_t size) {
  while (size > 0) {
    const ssize_t got = ::read(file, to, size);
    if (got <= 0) return false;
    to += got;
    size -= static_cast<std::size_t>(got);
  }
  return true;
}

inline bool write_all(int file, const std::uint8_t* from, std::size_t size) {
  while (size > 0) {
    const ssize_t sent = ::write(file, from, size);
    if (sent <= 0) return false;
    from += sent;
    size -= static_cast<std::size_t>(sent);
  }
  return true;
}

}  // namespace community::trusted::testing::p256_pipe
