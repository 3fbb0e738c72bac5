// SPDX-License-Identifier: Apache-2.0
#include "cmd/community-node/key_process.hpp"

#include <sys/wait.h>

#include "cmd/community-node/files.hpp"
#include "community/infra/api/log.hpp"

namespace community::node {

using infra::Milliseconds;
using infra::Task;

namespace {

constexpr Milliseconds kFirstPause{100}, kLongestPause{10'000};
constexpr Milliseconds kSocketPoll{20};
// A second and a half on a loaded machine; a start takes some ten milliseconds.
constexpr int kSocketPolls = 500;
constexpr Milliseconds kPatience{5'000};

}  // namespace

infra::Result<bool> KeyProcess::provision(const std::array<std::uint8_t, 64>& operator_public_key) {
  const auto core = options_.folder / "core";
  const auto channel_key = options_.folder / "channel.key";
  if (exists(channel_key)) return false;
  if (auto made = make_private_folder(core); !made) return tl::unexpected(made.error());
  const std::string command = "'" + options_.program.string() + "' provision --state '" + core.string() +
                              "' --operator-key " + core::to_plain_hex(operator_public_key);
  FILE* output = popen(command.c_str(), "r");
  if (output == nullptr) return infra::fail(infra::ErrorCode::process, "cannot start " + options_.program.string());
  std::array<char, 80> line{};
  const bool read = fgets(line.data(), line.size(), output) != nullptr;
  const int status = pclose(output);
  if (!read || status != 0)
    return infra::fail(infra::ErrorCode::process, "key-enclave could not be provisioned in " + core.string());
  auto key = core::parse_bytes32(std::string_view(line.data(), 64), core::HexPrefix::optional);
  base::wipe(line.data(), line.size());
  if (!key) return infra::fail(infra::ErrorCode::process, "key-enclave answered no channel key");
  if (auto written = write_private_file(channel_key, *key); !written) return tl::unexpected(written.error());
  return true;
}

infra::Result<keys::ChannelOptions> KeyProcess::channel_options() const {
  keys::ChannelOptions options;
  options.socket_path = (options_.folder / "socket").string();
  const auto key = read_private_file(options_.folder / "channel.key");
  if (!key) return tl::unexpected(key.error());
  if (key->size() != 32) return infra::fail(infra::ErrorCode::io, "channel.key is damaged");
  base::copy(options.channel_key, *key);
  return options;
}

Task<infra::Result<void>> KeyProcess::start() {
  const auto socket = options_.folder / "socket";
  std::error_code ignored;
  std::filesystem::remove(socket, ignored);
  std::vector<std::string> arguments{"serve", "--state", (options_.folder / "core").string(), "--socket",
                                     socket.string()};
  const auto executor = co_await boost::asio::this_coro::executor;
  auto child = Child::start(executor, options_.program, std::move(arguments), options_.folder / "log");
  if (!child) co_return tl::unexpected(child.error());
  child_ = std::move(*child);
  for (int poll = 0; poll < kSocketPolls && !exists(socket); poll++) co_await infra::sleep_real(kSocketPoll);
  co_return infra::Result<void>{};
}

Task<std::string> KeyProcess::run() {
  Milliseconds pause = kFirstPause;
  while (!stopping_) {
    const auto options = channel_options();
    if (!options) co_return options.error().text();
    if (auto started = co_await start(); !started) co_return started.error().text();
    const keys::Error ended = co_await service_.serve(*options);
    if (stopping_) break;
    if (ended.code == keys::ErrorCode::state_forked) co_return ended.message;
    infra::log_error("the trusted core is gone; starting it again",
                     {{"reason", ended.text()}, {"pause_ms", pause.count()}});
    if (child_) co_await child_->stop(kPatience);
    child_.reset();
    co_await infra::sleep_real(pause);
    pause = std::min(pause * 2, kLongestPause);
  }
  co_return "stopped";
}

Task<void> KeyProcess::stop() {
  stopping_ = true;
  if (service_.is_connected()) co_await service_.release_leases();
  if (child_) co_await child_->stop(kPatience);
}

}  // namespace community::node
