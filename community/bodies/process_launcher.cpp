// SPDX-License-Identifier: Apache-2.0
// The process body: key-enclave, with its state in `folder`/core.
#include "community/bodies/process_launcher.hpp"

#include "community/core/bytes.hpp"
#include "community/infra/api/files.hpp"

namespace community::bodies {

infra::Result<infra::ChildOptions> ProcessLauncher::program() {
  infra::ChildOptions child;
  child.name = "key-enclave";
  child.executable = places_.key_enclave.string();
  child.arguments = {"serve", "--state", core_folder(), "--socket", (places_.folder / "socket").string()};
  return child;
}

bool ProcessLauncher::says_ready(std::string_view line) const { return line.find("ready") != std::string_view::npos; }

infra::Result<void> ProcessLauncher::erase() {
  std::error_code error;
  std::filesystem::remove_all(core_folder(), error);
  if (error) return infra::fail(infra::ErrorCode::io, "cannot remove " + core_folder() + ": " + error.message());
  return {};
}

infra::Result<void> ProcessLauncher::prepare() { return infra::ensure_private_directory(core_folder()); }

std::optional<infra::ChildOptions> ProcessLauncher::provisioner(std::array<std::uint8_t, 64> operator_public_key) {
  infra::ChildOptions child;
  child.name = "key-enclave provision";
  child.executable = places_.key_enclave.string();
  child.arguments = {"provision", "--state", core_folder(), "--operator-key", core::to_plain_hex(operator_public_key)};
  return child;
}

}  // namespace community::bodies
