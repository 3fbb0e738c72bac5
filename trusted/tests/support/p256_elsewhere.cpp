// SPDX-License-Identifier: Apache-2.0
// The door of trusted/p256 with code for another processor behind it: each call goes to p256_answerer.cpp under QEMU's
// user emulation. A test that links this instead of the library tests, for arm64, the assembly that a trusted
// application contains.
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>

#include "trusted/p256/p256.hpp"
#include "trusted/tests/support/p256_pipe.hpp"

namespace community::trusted::p256 {
namespace {

using testing::p256_pipe::Function;

// The program, for as long as the test runs.
class Answerer {
 public:
  Answerer() {
    int to_child[2], from_child[2];
    if (pipe(to_child) != 0 || pipe(from_child) != 0) fail("no pipe");
    child_ = fork();
    if (child_ < 0) fail("no process");
    if (child_ == 0) {
      dup2(to_child[0], 0);
      dup2(from_child[1], 1);
      for (const int file : {to_child[0], to_child[1], from_child[0], from_child[1]}) close(file);
      execl(COMMUNITY_QEMU, COMMUNITY_QEMU, "-cpu", COMMUNITY_QEMU_CPU, COMMUNITY_P256_ANSWERER, nullptr);
      _exit(127);
    }
    close(to_child[0]);
    close(from_child[1]);
    requests_ = to_child[1];
    replies_ = from_child[0];
    // A child that died shows as a failed write.
    static_cast<void>(std::signal(SIGPIPE, SIG_IGN));
  }
  ~Answerer() {
    close(requests_);
    close(replies_);
    waitpid(child_, nullptr, 0);
  }
  Answerer(const Answerer&) = delete;
  Answerer& operator=(const Answerer&) = delete;

  // `out` is written when the answer is yes.
  bool ask(Function function, std::initializer_list<base::ByteView> arguments, base::MutableByteView out = {}) {
    const auto name = static_cast<std::uint8_t>(function);
    bool done = testing::p256_pipe::write_all(requests_, &name, 1);
    for (const base::ByteView bytes : arguments)
      done = done && testing::p256_pipe::write_all(requests_, bytes.data(), bytes.size());
    std::uint8_t verdict = 2;
    done = done && testing::p256_pipe::read_all(replies_, &verdict, 1);
    if (done && verdict == 1) done = testing::p256_pipe::read_all(replies_, out.data(), out.size());
    if (!done || verdict > 1) fail("the program gave no answer");
    return verdict == 1;
  }

 private:
  [[noreturn]] static void fail(const char* what) {
    static_cast<void>(std::fprintf(stderr, "P-256 under QEMU: %s\n", what));
    std::abort();
  }

  pid_t child_ = -1;
  int requests_ = -1, replies_ = -1;
};

Answerer& answerer() {
  static Answerer instance;
  return instance;
}

}  // namespace

bool public_key_valid(PublicKeyView public_key) { return answerer().ask(Function::public_key_valid, {public_key}); }

bool verify(PublicKeyView public_key, const Bytes32& digest, SignatureView signature) {
  return answerer().ask(Function::verify, {public_key, digest, signature});
}

bool public_key(const Bytes32& secret, std::span<std::uint8_t, 64> public_key) {
  return answerer().ask(Function::public_key, {secret}, public_key);
}

bool ecdh_x(const Bytes32& secret, PublicKeyView peer, Bytes32& shared_x) {
  return answerer().ask(Function::ecdh_x, {secret, peer}, shared_x);
}

}  // namespace community::trusted::p256
