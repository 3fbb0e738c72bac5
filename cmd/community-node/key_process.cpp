// SPDX-License-Identifier: Apache-2.0
#include "cmd/community-node/key_process.hpp"

#include "community/infra/api/files.hpp"
#include "community/infra/api/log.hpp"

namespace community::node {

using infra::Milliseconds;
using infra::Task;

namespace {

constexpr Milliseconds kFirstPause{100}, kLongestPause{10'000};
constexpr Milliseconds kStartPatience{10'000}, kStopPatience{5'000};
constexpr std::size_t kChannelKeyText = 64;

}  // namespace

Task<infra::Result<bool>> KeyProcess::provision(std::array<std::uint8_t, 64> operator_public_key) {
  const auto core = options_.folder / "core";
  const auto channel_key = options_.folder / "channel.key";
  if (exists(channel_key)) co_return false;
  if (auto made = infra::ensure_private_directory(core); !made) co_return tl::unexpected(made.error());
  std::string line;
  infra::ChildOptions child;
  child.name = "key-enclave provision";
  child.executable = options_.program.string();
  child.arguments = {"provision", "--state", core.string(), "--operator-key", core::to_plain_hex(operator_public_key)};
  child.on_line = [&line](std::string_view text) { line = text; };
  auto started = infra::ChildProcess::start(loop_, std::move(child));
  if (!started) co_return tl::unexpected(started.error());
  const infra::ChildExit ended = co_await (*started)->wait();
  if (ended.status != 0)
    co_return infra::fail(infra::ErrorCode::process, "key-enclave could not make its keys: " + line);
  const bool form = line.size() == kChannelKeyText && core::parse_bytes32(line, core::HexPrefix::optional).has_value();
  auto written = form ? infra::write_file_atomically(channel_key, line)
                      : infra::fail(infra::ErrorCode::process, "key-enclave answered no channel key");
  base::wipe(line.data(), line.size());
  if (!written) co_return tl::unexpected(written.error());
  co_return true;
}

infra::Result<keys::ChannelOptions> KeyProcess::channel_options() const {
  keys::ChannelOptions options;
  options.socket_path = (options_.folder / "socket").string();
  const auto text = infra::read_file(options_.folder / "channel.key", kChannelKeyText);
  if (!text) return tl::unexpected(text.error());
  const auto key = core::parse_bytes32(*text, core::HexPrefix::optional);
  if (!key) return infra::fail(infra::ErrorCode::io, "channel.key is damaged");
  options.channel_key = *key;
  options.call_timeout = options_.call_timeout;
  return options;
}

// The core says when it listens; until then a connection could only fail.
Task<infra::Result<void>> KeyProcess::start() {
  auto ready = std::make_shared<infra::Event>();
  auto words = std::make_shared<std::string>();
  infra::ChildOptions child;
  child.name = "key-enclave";
  child.executable = options_.program.string();
  child.arguments = {"serve", "--state", (options_.folder / "core").string(), "--socket",
                     (options_.folder / "socket").string()};
  child.on_line = [ready, words](std::string_view line) {
    *words = line;
    if (line.find("ready") != std::string_view::npos) ready->set();
    infra::log_info("key-enclave", {{"line", line}});
  };
  auto started = infra::ChildProcess::start(loop_, std::move(child));
  if (!started) co_return tl::unexpected(started.error());
  child_ = std::move(*started);
  if (co_await ready->wait_for(kStartPatience)) co_return infra::Result<void>{};
  co_return infra::fail(infra::ErrorCode::process, "the trusted core did not start: " + *words);
}

Task<std::string> KeyProcess::run() {
  Milliseconds pause = kFirstPause;
  while (!stopping_) {
    const auto options = channel_options();
    if (!options) co_return options.error().text();
    const auto started = co_await start();
    if (started) {
      trouble_.clear();
      const keys::Error ended = co_await service_.serve(*options);
      trouble_ = ended.text();
      if (ended.code == keys::ErrorCode::state_forked) co_return ended.message;
    } else {
      trouble_ = started.error().text();
    }
    if (stopping_) break;
    infra::log_error("the trusted core is gone; starting it again",
                     {{"reason", trouble_}, {"pause_ms", pause.count()}});
    if (child_) co_await child_->terminate(kStopPatience);
    child_.reset();
    co_await infra::sleep_real(pause);
    pause = std::min(pause * 2, kLongestPause);
  }
  co_return "stopped";
}

Task<infra::Result<void>> KeyProcess::attach() {
  const auto options = channel_options();
  if (!options) co_return tl::unexpected(options.error());
  if (auto started = co_await start(); !started) co_return started;
  const auto attached = co_await service_.attach(*options);
  if (!attached) co_return infra::fail(infra::ErrorCode::process, attached.error().text());
  co_return infra::Result<void>{};
}

Task<void> KeyProcess::stop() {
  stopping_ = true;
  if (service_.is_connected()) co_await service_.release_leases();
  if (child_) co_await child_->terminate(kStopPatience);
}

}  // namespace community::node
