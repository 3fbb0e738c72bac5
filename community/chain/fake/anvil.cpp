// SPDX-License-Identifier: Apache-2.0
// Starts anvil and reads from its own words where it listens.
#include "community/chain/fake/anvil.hpp"

#include <charconv>
#include <cstdlib>
#include <filesystem>

namespace community::chain {
namespace {

constexpr Milliseconds kStartTime{20'000};

struct Listening {
  std::uint16_t port = 0;
  infra::Event known;
};

void read_line(Listening& listening, std::string_view line) {
  static constexpr std::string_view kWords = "Listening on 127.0.0.1:";
  const std::size_t at = line.find(kWords);
  if (at == std::string_view::npos) return;
  const char* digits = line.data() + at + kWords.size();
  std::from_chars(digits, line.data() + line.size(), listening.port);
  listening.known.set();
}

}  // namespace

std::optional<std::string> find_anvil() {
  if (const char* named = std::getenv("COMMUNITY_ANVIL"); named != nullptr) return std::string(named);
  const std::filesystem::path packages = COMMUNITY_ANVIL_PACKAGES;
  std::error_code error;
  for (const char* machine : {"amd64", "arm64"}) {
    const auto program = packages / (std::string("anvil-linux-") + machine) / "bin" / "anvil";
    if (std::filesystem::exists(program, error)) return program.string();
  }
  return std::nullopt;
}

infra::Task<infra::Result<std::unique_ptr<Anvil>>> Anvil::start(infra::EventLoop& loop,
                                                                std::vector<std::string> arguments,
                                                                std::uint16_t port) {
  const auto program = find_anvil();
  if (!program) co_return infra::fail(infra::ErrorCode::process, "anvil is not installed");
  infra::ChildOptions options;
  options.name = "anvil";
  options.executable = *program;
  options.arguments = std::move(arguments);
  for (const char* argument : {"--host", "127.0.0.1", "--enable-tx-gas-limit", "--port"})
    options.arguments.emplace_back(argument);
  options.arguments.push_back(std::to_string(port));
  auto listening = std::make_shared<Listening>();
  options.on_line = [listening](std::string_view line) { read_line(*listening, line); };
  auto child = infra::ChildProcess::start(loop, std::move(options));
  if (!child) co_return tl::unexpected(child.error());
  const bool up = co_await listening->known.wait_for(kStartTime);
  if (!up) co_return infra::fail(infra::ErrorCode::timeout, "anvil did not say where it listens");
  auto anvil = std::make_unique<Anvil>();
  anvil->child_ = std::move(*child);
  anvil->port_ = listening->port;
  co_return anvil;
}

infra::Task<void> Anvil::stop() { co_await child_->terminate(Milliseconds(5'000)); }

}  // namespace community::chain
