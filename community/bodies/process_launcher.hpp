// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "community/bodies/launcher.hpp"

namespace community::bodies {

class ProcessLauncher final : public Launcher {
 public:
  explicit ProcessLauncher(Places places) : places_(std::move(places)) {}

  infra::Result<infra::ChildOptions> program() override;
  bool says_ready(std::string_view line) const override;
  infra::Milliseconds start_patience() const override { return infra::Milliseconds(10'000); }
  bool exists() const override { return std::filesystem::exists(core_folder()); }
  infra::Result<void> erase() override;
  infra::Result<void> prepare() override;
  std::optional<infra::ChildOptions> provisioner(std::array<std::uint8_t, 64> operator_public_key) override;
  bool attests() const override { return false; }

 private:
  std::string core_folder() const { return (places_.folder / "core").string(); }

  Places places_;
};

}  // namespace community::bodies
