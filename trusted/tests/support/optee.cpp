// SPDX-License-Identifier: Apache-2.0
#include "trusted/tests/support/optee.hpp"

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
  const auto arguments = device_.arguments(image_, socket_path());
  if (!firmware || !arguments) return Error::store_failed;
  std::vector<std::string> command{"/usr/bin/qemu-system-aarch64"};
  command.insert(command.end(), arguments->begin(), arguments->end());
  const Child child = spawn(command);
  pid_ = child.pid;
  console_.clear();
  char c = 0;
  while (read(child.output, &c, 1) == 1 && console_.find(qemu::kReadyLine) == std::string::npos) console_ += c;
  // Later messages go nowhere; QEMU ignores that.
  ::close(child.output);
  ::close(child.errors);
  if (console_.find(qemu::kReadyLine) != std::string::npos) return Error::ok;
  kill();
  return Error::store_failed;
}

Error OpteeDevice::stop(bool) {
  // The device survives the loss of its power; there is nothing to say to it.
  kill();
  return Error::ok;
}

std::string OpteeDevice::secure_log() const {
  std::ifstream file(folder_.path() + "/device/secure.log", std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace community::trusted::testing
