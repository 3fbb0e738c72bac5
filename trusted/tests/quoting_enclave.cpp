// SPDX-License-Identifier: Apache-2.0
// A stand-in for a body in a TEE, for tests of what is around it: the trusted core with quotes of a key made at its
// start. It takes the command lines of key-enclave, says optee-qemu and emulated, and has no sandbox.
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "trusted/process/crypto.hpp"
#include "trusted/process/server.hpp"
#include "trusted/process/store.hpp"
#include "trusted/tests/support/bytes.hpp"
#include "trusted/tests/support/quote_maker.hpp"

namespace trusted = community::trusted;
namespace protocol = community::protocol;

namespace {

volatile bool stop_requested = false;
trusted::testing::QuoteMaker* maker = nullptr;

void request_stop(int) { stop_requested = true; }

bool quote(void*, protocol::QuoteKind kind, const trusted::Bytes32& report, protocol::Quote& out) {
  return maker->quote(kind, report, out);
}

int fail(std::string_view words) {
  std::fprintf(stderr, "quoting-enclave: %.*s\n", static_cast<int>(words.size()), words.data());
  return 1;
}

int provision(const trusted::Port& port, const std::string& operator_key) {
  const auto key = trusted::testing::fixed<64>(operator_key);
  trusted::Bytes32 channel_key{};
  const auto error = trusted::Core::provision(port, key.data(), channel_key);
  if (error != protocol::Error::ok) return fail(name(error));
  std::printf("%s\n", trusted::testing::to_hex(channel_key).c_str());
  return 0;
}

int serve(trusted::Port port, const std::string& socket) {
  static trusted::testing::QuoteMaker made;
  maker = &made;
  port.quote = quote;
  port.body = protocol::Body::optee_qemu;
  port.protection = protocol::Protection::emulated;
  static trusted::Core core(port);
  const int listener = trusted::listen_on(socket.c_str());
  if (listener < 0) return fail("cannot listen on the socket");
  struct sigaction action {};
  action.sa_handler = request_stop;
  sigaction(SIGTERM, &action, nullptr);
  sigaction(SIGINT, &action, nullptr);
  const auto error = core.start();
  if (error != protocol::Error::ok) return fail(name(error));
  std::fprintf(stderr, "quoting-enclave: ready\n");
  const bool served = trusted::serve(core, listener, &stop_requested);
  return served && core.stop() == protocol::Error::ok ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  std::string state, socket, operator_key;
  for (int i = 2; i + 1 < argc; i += 2) {
    const std::string_view flag = argv[i];
    if (flag == "--state") state = argv[i + 1];
    if (flag == "--socket") socket = argv[i + 1];
    if (flag == "--operator-key") operator_key = argv[i + 1];
  }
  trusted::Port port;
  trusted::use_software_crypto(port);
  static trusted::FileStore store;
  if (store.open(state) != trusted::FileStore::Status::ok) return fail("cannot open the state folder");
  store.attach(port);
  const std::string_view command = argc > 1 ? argv[1] : "";
  if (command == "provision") return provision(port, operator_key);
  return command == "serve" ? serve(port, socket) : 2;
}
