// SPDX-License-Identifier: Apache-2.0
// key-enclave: the trusted core as a sandboxed process. Not a TEE: its keys rest in files, without hardware behind
// them.
#include <sys/stat.h>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "trusted/port/self_test.hpp"
#include "trusted/process/crypto.hpp"
#include "trusted/process/sandbox.hpp"
#include "trusted/process/server.hpp"
#include "trusted/process/store.hpp"

namespace {

using namespace community;

volatile bool stop_requested = false;
void request_stop(int) { stop_requested = true; }

constexpr std::string_view kUsage =
    "key-enclave: the trusted core of Community Node as a sandboxed process (no hardware protection)\n"
    "\n"
    "  key-enclave provision --state FOLDER --operator-key HEX\n"
    "      make keys in an empty folder; HEX is the operator's public key (64 bytes x || y, secp256k1).\n"
    "      Prints the channel key (64 hexadecimal digits) for the node.\n"
    "  key-enclave serve --state FOLDER --socket PATH\n"
    "      answer the node until SIGTERM.\n";

struct Options {
  std::string command, state, socket, operator_key;
};

int fail(const std::string& what) {
  std::fprintf(stderr, "key-enclave: %s\n", what.c_str());
  return 1;
}

bool parse(int argc, char** argv, Options& options) {
  if (argc < 2) return false;
  options.command = argv[1];
  for (int i = 2; i + 1 < argc; i += 2) {
    const std::string_view flag = argv[i];
    std::string* target = flag == "--state"          ? &options.state
                          : flag == "--socket"       ? &options.socket
                          : flag == "--operator-key" ? &options.operator_key
                                                     : nullptr;
    if (target == nullptr) return false;
    *target = argv[i + 1];
  }
  return argc % 2 == 0 && !options.state.empty();
}

bool parse_public_key(std::string_view hex, std::array<std::uint8_t, 64>& key) {
  if (hex.size() != 128) return false;
  for (std::size_t i = 0; i < 64; i++) {
    unsigned value = 0;
    for (const char c : hex.substr(2 * i, 2)) {
      const int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
      if (digit < 0) return false;
      value = value * 16 + static_cast<unsigned>(digit);
    }
    key[i] = static_cast<std::uint8_t>(value);
  }
  return true;
}

int provision(const trusted::Port& port, const Options& options) {
  std::array<std::uint8_t, 64> operator_key;
  if (!parse_public_key(options.operator_key, operator_key))
    return fail("--operator-key takes 128 lower-case hexadecimal digits");
  base::Secret<32> channel_key;
  const protocol::Error error = trusted::Core::provision(port, operator_key.data(), channel_key.bytes);
  if (error != protocol::Error::ok) return fail("cannot provision: " + std::string(protocol::name(error)));
  for (const std::uint8_t byte : channel_key.bytes) std::printf("%02x", byte);
  std::printf("\n");
  return 0;
}

int serve(const trusted::Port& port, const Options& options) {
  if (options.socket.empty()) return fail("serve needs --socket");
  static trusted::Core core(port);
  const int listener = trusted::listen_on(options.socket.c_str());
  if (listener < 0) return fail("cannot listen on the socket");
  struct sigaction action {};
  action.sa_handler = request_stop;
  sigaction(SIGTERM, &action, nullptr);
  sigaction(SIGINT, &action, nullptr);
  signal(SIGPIPE, SIG_IGN);
  // RSA too: once the process is confined, its library can load nothing any more.
  if (!trusted::self_test_passes(port) || !trusted::rsa_self_test_passes(port))
    return fail("a cryptographic self-test failed");
  const trusted::SandboxError sandboxed = trusted::enter_sandbox();
  if (sandboxed != trusted::SandboxError::none)
    return fail(std::string("cannot enter the sandbox: ") + trusted::name(sandboxed));
  const protocol::Error error = core.start();
  if (error != protocol::Error::ok) return fail("cannot start: " + std::string(protocol::name(error)));
  std::fprintf(stderr, "key-enclave: ready (protection: none, software)\n");
  const bool served = trusted::serve(core, listener, &stop_requested);
  const protocol::Error stopped = core.stop();
  if (stopped != protocol::Error::ok) return fail("could not return leases: " + std::string(protocol::name(stopped)));
  return served ? 0 : fail("the socket failed");
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  if (!parse(argc, argv, options)) {
    std::fputs(kUsage.data(), stderr);
    return 2;
  }
  umask(077);
  trusted::Port port;
  trusted::use_software_crypto(port);
  static trusted::FileStore store;
  switch (store.open(options.state)) {
    case trusted::FileStore::Status::ok:
      break;
    case trusted::FileStore::Status::cannot_open:
      return fail("cannot open the state folder");
    case trusted::FileStore::Status::in_use:
      return fail("another key-enclave uses this state folder");
    case trusted::FileStore::Status::wrong_owner:
      return fail("the state folder must belong to this user with mode 0700");
  }
  store.attach(port);
  int status = 2;
  if (options.command == "provision") {
    status = provision(port, options);
  } else if (options.command == "serve") {
    status = serve(port, options);
  } else {
    std::fputs(kUsage.data(), stderr);
  }
  // No destructors of libraries inside the sandbox.
  std::fflush(nullptr);
  std::_Exit(status);
}
