// SPDX-License-Identifier: Apache-2.0
#include "community/bodies/optee_launcher.hpp"

#include <unistd.h>

#include "community/bodies/process_launcher.hpp"
#include "community/infra/api/files.hpp"
#include "community/infra/api/log.hpp"

namespace community::bodies {
namespace {

namespace fs = std::filesystem;

// sockaddr_un has room for this and a zero.
constexpr std::size_t kMaxSocketPath = 107;

// What tee-bridge and OP-TEE say when the application cannot be opened, and what it comes from: TEE_Result as TEE
// Internal Core API 1.3, section 3.3.1, has them, and how OP-TEE uses them (SECURITY.md names the tests).
struct Advice {
  std::string_view words, told;
};
constexpr Advice kAdvice[] = {
    {"opened: 0xffff000f",
     "OP-TEE refuses it. Either the application was changed or signed with another key than this image's: build it "
     "anew "
     "with make optee. Or the device's data.img is older than its device.flash, or empty: put back the data.img that "
     "belongs to it"},
    {"opened: 0xffff0003",
     "this device ran a newer version of the application before, and goes back to none: use the newer release"},
    {"opened: 0xf0100001",
     "what the device has stored is damaged or another device's: put back data.img and device.flash that belong "
     "together"},
    {"opened: 0xffff3024", "the application ended while it started; secure.log of the device says more"},
    {"/data: ", "the device's disk cannot be mounted: put back its data.img, whole"},
};

std::string advice_on(std::string_view line) {
  for (const Advice& advice : kAdvice)
    if (line.find(advice.words) != std::string_view::npos) return std::string(advice.told);
  return {};
}

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
  if (auto reserved = told(device_.reserve_disk()); !reserved) return tl::unexpected(reserved.error());
  if (auto begun = told(device_.begin_log()); !begun) return tl::unexpected(begun.error());
  auto arguments = device_.arguments(image_, socket);
  if (!arguments) return infra::fail(infra::ErrorCode::io, arguments.error());
  // A socket that an earlier run left behind; QEMU would replace it, but a client must not find the old one meanwhile.
  std::error_code ignored;
  fs::remove(socket, ignored);
  infra::ChildOptions child;
  child.name = "optee-qemu";
  child.executable = qemu_program(places_).string();
  child.arguments = std::move(*arguments);
  child.environment = trusted::qemu::kEnvironment;
  return child;
}

bool QemuLauncher::says_ready(std::string_view line) const {
  return line.find(trusted::qemu::kReadyLine) != std::string_view::npos;
}

std::string QemuLauncher::advice(std::string_view last_line) const {
  // An OP-TEE that panics halts its processor without a word on the guest's console.
  if (last_line.empty()) return "It said nothing; " + device_.log().string() + " may say why";
  return advice_on(last_line);
}

void QemuLauncher::tidy() {
  if (const auto done = device_.limit_log(); !done)
    infra::log_warning("the log of the secure world grows", {{"reason", done.error()}});
}

std::string BoardLauncher::advice(std::string_view last_line) const { return advice_on(last_line); }

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
