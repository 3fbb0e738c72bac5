// SPDX-License-Identifier: Apache-2.0
#include "community/bodies/factory.hpp"

#include "community/bodies/launcher.hpp"
#include "community/infra/api/files.hpp"
#include "community/infra/api/log.hpp"

namespace community::bodies {

using core::Bytes32;
using infra::Milliseconds;
using infra::Task;

namespace {

constexpr Milliseconds kFirstPause{100}, kLongestPause{10'000}, kStopPatience{5'000}, kTidyPause{10'000};
constexpr std::size_t kChannelKeyText = 64;
constexpr const char* kMark = "provisioning";
// A body that served this long was well: the next trouble is a new one.
constexpr std::chrono::seconds kHealthyAfter{10};

infra::Result<Bytes32> parse_channel_key(const std::string& text) {
  const auto key = core::parse_bytes32(text, core::HexPrefix::optional);
  if (text.size() != kChannelKeyText || !key) return infra::fail(infra::ErrorCode::io, "channel.key is damaged");
  return *key;
}

// A program that ends before it is ready is not waited for any longer.
Task<void> set_at_the_end(infra::ChildProcess& child, std::shared_ptr<infra::Event> ready) {
  co_await child.wait();
  ready->set();
}

// Runs a program that makes keys and prints the channel key as its last line.
Task<infra::Result<Bytes32>> run_provisioner(infra::EventLoop& loop, infra::ChildOptions child) {
  std::string line;
  child.on_line = [&line](std::string_view text) { line = text; };
  auto started = infra::ChildProcess::start(loop, std::move(child));
  if (!started) co_return tl::unexpected(started.error());
  const infra::ChildExit ended = co_await (*started)->wait();
  if (ended.status != 0)
    co_return infra::fail(infra::ErrorCode::process, "the trusted core could not make its keys: " + line);
  auto key = parse_channel_key(line);
  base::wipe(line.data(), line.size());
  if (!key) co_return infra::fail(infra::ErrorCode::process, "the trusted core answered no channel key");
  co_return *key;
}

}  // namespace

Supervisor::Supervisor(infra::EventLoop& loop, protocol::Body body, Places places, keys::ConnectedKeyService& service,
                       keys::CallOptions calls)
    : loop_(loop),
      places_(std::move(places)),
      kind_(body),
      launcher_(make_launcher(body, places_)),
      service_(service),
      calls_(calls) {}

Supervisor::~Supervisor() = default;

Milliseconds Supervisor::start_patience() const { return launcher_->start_patience(); }

Task<infra::Result<Bytes32>> Supervisor::ask_for_keys(std::array<std::uint8_t, 64> operator_public_key) {
  if (auto child = launcher_->provisioner(operator_public_key))
    co_return co_await run_provisioner(loop_, std::move(*child));
  if (auto started = co_await start(); !started) co_return tl::unexpected(started.error());
  const auto key = co_await service_.provision(path("socket").string(), operator_public_key);
  if (!key) co_return infra::fail(infra::ErrorCode::process, key.error().text());
  co_return *key;
}

// Between the first file and channel.key stands a mark: with it, keys that nobody knows the channel key of were never
// used and may be made anew, whatever body they are in. Without it they are somebody's, and stay.
infra::Result<void> Supervisor::clear_place() const {
  const bool cut_off = exists(path(kMark));
  for (const protocol::Body body : {protocol::Body::process, protocol::Body::optee_qemu}) {
    const auto launcher = make_launcher(body, places_);
    if (!launcher->exists()) continue;
    if (!cut_off)
      return infra::fail(
          infra::ErrorCode::io,
          "there are keys in " + places_.folder.string() + " (body '" + name(body) +
              "'), but channel.key is missing: put it back from a backup; without it nobody can use them");
    if (auto erased = launcher->erase(); !erased) return erased;
  }
  return infra::write_file_atomically(path(kMark), "keys are being made");
}

infra::Result<void> Supervisor::remove_mark() const {
  if (!exists(path(kMark))) return {};
  std::error_code error;
  std::filesystem::remove(path(kMark), error);
  if (error) return infra::fail(infra::ErrorCode::io, "cannot remove " + path(kMark).string() + ": " + error.message());
  // Durably: a mark that came back after a power cut would say that the keys were never used.
  return infra::sync_directory(places_.folder);
}

Task<infra::Result<bool>> Supervisor::provision(std::array<std::uint8_t, 64> operator_public_key,
                                                std::function<void(const std::string&)> step) {
  const auto channel_key = path("channel.key");
  if (exists(channel_key)) {
    if (auto removed = remove_mark(); !removed) co_return tl::unexpected(removed.error());
    co_return false;
  }
  if (auto cleared = clear_place(); !cleared) co_return tl::unexpected(cleared.error());
  if (auto prepared = launcher_->prepare(); !prepared) co_return tl::unexpected(prepared.error());
  auto key = co_await ask_for_keys(operator_public_key);
  if (!key) co_return tl::unexpected(key.error());
  if (launcher_->attests()) {
    step("the device makes its attestation key (RSA-3072), once; it may take a minute");
    keys::ChannelOptions options;
    options.socket_path = path("socket").string();
    options.channel_key = *key;
    const auto made = co_await service_.make_attestation_key(options);
    if (!made) co_return infra::fail(infra::ErrorCode::process, "no attestation key: " + made.error().text());
  }
  if (auto named = infra::write_file_atomically(path(kBodyFile), name(kind_)); !named)
    co_return tl::unexpected(named.error());
  std::string text = core::to_plain_hex(*key);
  base::wipe(*key);
  auto written = infra::write_file_atomically(channel_key, text);
  base::wipe(text.data(), text.size());
  if (!written) co_return tl::unexpected(written.error());
  if (auto removed = remove_mark(); !removed) co_return tl::unexpected(removed.error());
  co_return true;
}

infra::Result<keys::ChannelOptions> Supervisor::channel_options() const {
  keys::ChannelOptions options;
  options.socket_path = path("socket").string();
  const auto text = infra::read_file(path("channel.key"), kChannelKeyText);
  if (!text) return tl::unexpected(text.error());
  const auto key = parse_channel_key(*text);
  if (!key) return tl::unexpected(key.error());
  options.channel_key = *key;
  options.calls = calls_;
  return options;
}

// The body says when it answers; until then a connection could only fail.
Task<infra::Result<void>> Supervisor::start() {
  if (child_ && !child_->exit()) co_return infra::Result<void>{};
  auto child = launcher_->program();
  if (!child) co_return tl::unexpected(child.error());
  auto ready = std::make_shared<infra::Event>();
  auto words = std::make_shared<std::string>();
  const auto told_why = std::make_shared<bool>(false);
  child->on_line = [ready, words, told_why, launcher = launcher_.get(), name = child->name](std::string_view line) {
    // What a program says of its end is not always the last line: firmware adds that the power goes.
    if (*told_why = *told_why || launcher->says_why(line); !*told_why || launcher->says_why(line))
      *words = line.substr(0, line.find_last_not_of("\r ") + 1);
    if (launcher->says_ready(line)) ready->set();
    infra::log_info("trusted core", {{"program", name}, {"line", line}});
  };
  auto started = infra::ChildProcess::start(loop_, std::move(*child));
  if (!started) co_return tl::unexpected(started.error());
  child_ = std::move(*started);
  infra::TaskGroup watch(loop_.executor());
  watch.spawn(set_at_the_end(*child_, ready));
  const bool told = co_await ready->wait_for(launcher_->start_patience());
  watch.cancel();
  co_await watch.join();
  if (told && !child_->exit()) co_return infra::Result<void>{};
  const std::string advice = launcher_->advice(*words);
  co_return infra::fail(infra::ErrorCode::process,
                        "the trusted core did not start: " + *words + (advice.empty() ? "" : ". " + advice));
}

Task<void> Supervisor::keep_tidy() {
  for (;;) {
    co_await infra::sleep_real(kTidyPause);
    launcher_->tidy();
  }
}

Task<std::string> Supervisor::run() {
  Milliseconds pause = kFirstPause;
  while (!stopping_) {
    const auto options = channel_options();
    if (!options) co_return options.error().text();
    const auto started = co_await start();
    if (started) {
      trouble_.clear();
      const auto since = std::chrono::steady_clock::now();
      infra::TaskGroup upkeep(loop_.executor());
      upkeep.spawn(keep_tidy());
      const keys::Error ended = co_await service_.serve(*options);
      upkeep.cancel();
      co_await upkeep.join();
      trouble_ = ended.text();
      if (ended.code == keys::ErrorCode::state_forked || ended.code == keys::ErrorCode::fenced) co_return ended.message;
      if (std::chrono::steady_clock::now() - since >= kHealthyAfter) pause = kFirstPause;
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

Task<infra::Result<void>> Supervisor::attach() {
  const auto options = channel_options();
  if (!options) co_return tl::unexpected(options.error());
  if (auto started = co_await start(); !started) co_return started;
  const auto attached = co_await service_.attach(*options);
  if (!attached) co_return infra::fail(infra::ErrorCode::process, attached.error().text());
  co_return infra::Result<void>{};
}

Task<void> Supervisor::stop() {
  stopping_ = true;
  if (service_.is_connected()) co_await service_.release_leases();
  if (child_) co_await child_->terminate(kStopPatience);
}

}  // namespace community::bodies
