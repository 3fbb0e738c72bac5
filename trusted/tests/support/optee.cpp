// SPDX-License-Identifier: Apache-2.0
#include "trusted/tests/support/optee.hpp"

#include <poll.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iterator>

namespace community::trusted::testing {

qemu::Image optee_image() {
  const char* named = std::getenv("COMMUNITY_OPTEE_IMAGE");
  return {named != nullptr ? named : std::string(COMMUNITY_SOURCE_DIR) + "/build/optee/image"};
}

Error OpteeDevice::provision(const std::array<std::uint8_t, 64>& operator_key, Bytes32& channel_key) {
  if (!device_.exists() && !device_.create(image_)) return Error::store_failed;
  if (const Error started = start(); started != Error::ok) return started;
  if (!connect()) return Error::no_session;
  const Bytes body = encoded(protocol::ProvisionRequest{operator_key});
  Bytes frame(protocol::kMinFrame + body.size());
  std::copy(body.begin(), body.end(), frame.begin() + protocol::kHeaderBytes);
  protocol::seal_frame(frame, body.size(), static_cast<std::uint16_t>(Command::provision), 1, 0, {});
  const Bytes answer = exchange(frame);
  protocol::Frame reply;
  if (protocol::open_frame(answer, {}, reply) != Error::ok || reply.body.size() < 2) return Error::already_provisioned;
  const auto error = static_cast<Error>(base::load_be<std::uint16_t>(reply.body.data()));
  if (error == Error::ok) channel_key = decoded<protocol::ProvisionReply>(reply.body.subspan(2)).channel_key;
  return error;
}

Error OpteeDevice::start() {
  if (pid_ > 0) return Error::ok;
  ::unlink(socket_path().c_str());
  const auto firmware = device_.install_firmware(image_);
  if (!device_.begin_log()) return Error::store_failed;
  const auto arguments = device_.arguments(image_, socket_path());
  if (!firmware || !arguments) return Error::store_failed;
  std::vector<std::string> command{"/usr/bin/qemu-system-aarch64"};
  command.insert(command.end(), arguments->begin(), arguments->end());
  for (std::size_t i = 1; i < command.size(); i++)
    if (command[i - 1] == "-append") command[i] += " " + kernel_words_;
  close_console();
  std::vector<std::string> environment = qemu::kEnvironment;
  environment.insert(environment.end(), environment_.begin(), environment_.end());
  const Child child = spawn(command, environment);
  pid_ = child.pid;
  console_output_ = child.output;
  console_input_ = child.input;
  ::close(child.errors);
  console_.clear();
  char c = 0;
  // An OP-TEE that panics halts its processor, and QEMU goes on.
  const auto halted = [this] { return secure_log().find("Panic") != std::string::npos; };
  while (console_.find(qemu::kReadyLine) == std::string::npos) {
    pollfd ready{console_output_, POLLIN, 0};
    if (poll(&ready, 1, 200) == 0) {
      if (halted()) break;
      continue;
    }
    if (read(console_output_, &c, 1) != 1) break;
    console_ += c;
  }
  // The console stays open: a pipe takes more than a guest says that loses its application a hundred times.
  if (console_.find(qemu::kReadyLine) != std::string::npos) return Error::ok;
  kill();
  return Error::store_failed;
}

Error OpteeDevice::stop(bool) {
  // The device survives the loss of its power; there is nothing to say to it.
  kill();
  return Error::ok;
}

std::string OpteeDevice::console_to_the_end() {
  std::string text;
  char c = 0;
  while (read(console_output_, &c, 1) == 1) text += c;
  wait();
  connection_.close();
  return text;
}

void OpteeDevice::type_line() {
  if (write(console_input_, "\n", 1) != 1) std::abort();
}

void OpteeDevice::close_console() {
  for (int* fd : {&console_output_, &console_input_}) {
    if (*fd >= 0) ::close(*fd);
    *fd = -1;
  }
}

std::string OpteeDevice::secure_log() const {
  std::ifstream file(device_.log(), std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace community::trusted::testing
