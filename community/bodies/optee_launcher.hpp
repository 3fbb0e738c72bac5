// SPDX-License-Identifier: Apache-2.0
// The OP-TEE bodies: the same trusted application under QEMU, on an emulated device of this node's own, or on a board.
#pragma once
#include "community/bodies/launcher.hpp"
#include "trusted/qemu/device.hpp"

namespace community::bodies {

// qemu-system-aarch64; empty when there is none.
std::filesystem::path qemu_program(const Places& places);
// Flash and disk of the emulated device.
std::filesystem::path device_folder(const Places& places);

class QemuLauncher final : public Launcher {
 public:
  explicit QemuLauncher(Places places)
      : places_(std::move(places)), device_(device_folder(places_)), image_{places_.optee_image} {}

  infra::Result<infra::ChildOptions> program() override;
  bool says_ready(std::string_view line) const override;
  bool says_why(std::string_view line) const override { return line.find("tee-bridge: ") != std::string_view::npos; }
  std::string advice(std::string_view last_line) const override;
  void tidy() override;
  // Two to six seconds on two idle processors; a machine that builds beside it takes several times that.
  infra::Milliseconds start_patience() const override { return infra::Milliseconds(90'000); }
  bool exists() const override { return device_.exists(); }
  infra::Result<void> erase() override;
  infra::Result<void> prepare() override;
  std::optional<infra::ChildOptions> provisioner(std::array<std::uint8_t, 64>) override { return std::nullopt; }
  bool attests() const override { return true; }

 private:
  Places places_;
  trusted::qemu::Device device_;
  trusted::qemu::Image image_;
};

class BoardLauncher final : public Launcher {
 public:
  explicit BoardLauncher(Places places) : places_(std::move(places)) {}

  infra::Result<infra::ChildOptions> program() override;
  bool says_ready(std::string_view line) const override;
  std::string advice(std::string_view last_line) const override;
  infra::Milliseconds start_patience() const override { return infra::Milliseconds(30'000); }
  // A board's storage is the board's; the core there says itself when it has keys.
  bool exists() const override { return false; }
  infra::Result<void> erase() override { return {}; }
  infra::Result<void> prepare() override { return {}; }
  std::optional<infra::ChildOptions> provisioner(std::array<std::uint8_t, 64>) override { return std::nullopt; }
  bool attests() const override { return true; }

 private:
  Places places_;
};

}  // namespace community::bodies
