// SPDX-License-Identifier: Apache-2.0
#include "community/bodies/optee_launcher.hpp"

#include <unistd.h>

#include "community/bodies/process_launcher.hpp"
#include "community/infra/api/files.hpp"

namespace community::bodies {
namespace {

namespace fs = std::filesystem;

// sockaddr_un has room for this and a zero.
constexpr std::size_t kMaxSocketPath = 107;

infra::Result<void> told(const trusted::qemu::Result<void>& result) {
  if (!result) return infra::fail(infra::ErrorCode::io, result.error());
  return {};
}

}  // namespace

fs::path qemu_program(const Places& places) {
  if (!places.qemu.empty()) return access(places.qemu.c_str(), X_OK) == 0 ? places.qemu : fs::path();
  for (const char* folder : {"/usr/bin", "/usr/local/bin"}) {
    const fs::path program = fs::path(folder) / "qemu-system-aarch64";
    if (access(program.c_str(), X_OK) == 0) return program;
  }
  return {};
}

fs::path device_folder(const Places& places) { return places.folder / "device"; }

infra::Result<infra::ChildOptions> QemuLauncher::program() {
  const fs::path socket = places_.folder / "socket";
  if (socket.native().size() > kMaxSocketPath)
    return infra::fail(infra::ErrorCode::config_value, "the path of the socket " + socket.string() +
                                                           " is longer than 107 bytes; choose another "
                                                           "--data-dir");
  if (auto installed = told(device_.install_firmware(image_)); !installed) return tl::unexpected(installed.error());
  auto arguments = device_.arguments(image_, socket);
  if (!arguments) return infra::fail(infra::ErrorCode::io, arguments.error());
  // A socket that an earlier run left behind; QEMU would replace it, but a client must not find the old one meanwhile.
  std::error_code ignored;
  fs::remove(socket, ignored);
  infra::ChildOptions child;
  child.name = "optee-qemu";
  child.executable = qemu_program(places_).string();
  child.arguments = std::move(*arguments);
  return child;
}

bool QemuLauncher::says_ready(std::string_view line) const {
  return line.find(trusted::qemu::kReadyLine) != std::string_view::npos;
}

infra::Result<void> QemuLauncher::erase() { return device_.exists() ? told(device_.erase()) : infra::Result<void>{}; }

infra::Result<void> QemuLauncher::prepare() { return told(device_.create(image_)); }

infra::Result<infra::ChildOptions> BoardLauncher::program() {
  infra::ChildOptions child;
  child.name = "tee-bridge";
  child.executable = places_.tee_bridge.string();
  child.arguments = {"--socket", (places_.folder / "socket").string()};
  return child;
}

bool BoardLauncher::says_ready(std::string_view line) const {
  return line.find(trusted::qemu::kReadyLine) != std::string_view::npos;
}

std::unique_ptr<Launcher> make_launcher(protocol::Body body, const Places& places) {
  switch (body) {
    case protocol::Body::optee_qemu:
      return std::make_unique<QemuLauncher>(places);
    case protocol::Body::optee_device:
      return std::make_unique<BoardLauncher>(places);
    case protocol::Body::process:
      break;
  }
  return std::make_unique<ProcessLauncher>(places);
}

}  // namespace community::bodies
