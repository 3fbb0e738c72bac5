// SPDX-License-Identifier: Apache-2.0
#include "community/backup/api/keeper.hpp"

#include <algorithm>

#include "community/backup/api/peer_client.hpp"
#include "community/backup/state.hpp"
#include "community/infra/api/files.hpp"
#include "community/infra/api/log.hpp"

namespace community::backup {
namespace {

using infra::Milliseconds;
using infra::Task;

// How often the core's status is compared with that of the last checkpoint. One request of a tenth of a millisecond.
constexpr Milliseconds kLook{5'000};
constexpr Milliseconds kFirstPause{5'000};

// What calls for a checkpoint as soon as it changes: a restore without it would lose keys, or be refused.
struct Occasion {
  std::uint32_t generation = 0, root_key = 0, recovery_count = 0;
  std::uint64_t configuration = 0;
  bool operator==(const Occasion&) const = default;

  static Occasion of(const keys::CoreStatus& core) {
    return {core.backup_generation, core.newest_root_key(), core.recovery_count, core.configuration_sequence};
  }
};

bool same(const protocol::CheckpointHeader& a, const protocol::CheckpointHeader& b) {
  return a.generation == b.generation && a.recovery_count == b.recovery_count && a.revision == b.revision;
}

class KeeperBody final : public Keeper {
 public:
  KeeperBody(KeeperDependencies dependencies, KeeperOptions options)
      : d_(dependencies), options_(std::move(options)), look_(std::min(kLook, options_.interval)) {
    if (auto state = read_state(options_.files)) {
      state_ = std::move(*state);
    } else {
      infra::log_warning("backup: what is known of holders is read anew from them", {{"reason", state.error().text()}});
    }
    read_threshold();
  }

  Task<void> run() override {
    for (;;) {
      const auto core = co_await d_.core.status();
      if (core && !core->fenced && core->backup_generation != 0) co_await tend(*core);
      co_await d_.clock.sleep_for(look_);
    }
  }

  Task<Result<BackupState>> bring_now() override {
    const auto core = co_await d_.core.status();
    if (!core) co_return fail(core.error());
    auto made = co_await make_checkpoint(*core);
    if (!made) co_return tl::unexpected(made.error());
    for (Visit& visit : visits_) visit.due = {};
    co_await bring();
    co_return state_;
  }

  infra::HealthReport report() const override {
    if (state_.generation == 0) return {};
    const Freshness found = freshness(state_, threshold_, options_.interval, d_.clock.now_ms());
    if (found.enough()) return {};
    return {infra::HealthState::degraded, std::to_string(found.fresh) + " of " + std::to_string(found.holders) +
                                              " holders have a checkpoint younger than three intervals, and " +
                                              std::to_string(found.wanted) +
                                              " should: `community-node backup status` names them"};
  }

 private:
  // When a holder is tried next.
  struct Visit {
    infra::SteadyTime due{};
    Milliseconds pause = kFirstPause;
  };

  void read_threshold() {
    std::error_code ignored;
    if (!std::filesystem::exists(options_.files.description(), ignored)) return;
    const auto text = infra::read_file(options_.files.description(), kMaxDocument);
    if (!text) return;
    if (const auto backup = parse_backup(*text)) threshold_ = backup->description.threshold;
  }

  Task<void> tend(const keys::CoreStatus& core) {
    const infra::SteadyTime now = d_.clock.steady();
    if (checkpoint_.checkpoint.empty() || Occasion::of(core) != occasion_ || now >= next_) {
      const bool changed =
          checkpoint_.checkpoint.empty() || Occasion::of(core) != occasion_ || core.revision != newest_.revision;
      if (changed) {
        const auto made = co_await make_checkpoint(core);
        if (!made) {
          infra::log_error("backup: no checkpoint was made", {{"reason", made.error().text()}});
          co_return;
        }
      } else {
        // Nothing was written since: the checkpoint is as new as another would be, wherever it is.
        confirm_current();
        keep_state();
      }
      next_ = now + options_.interval;
    }
    take_holders();
    co_await bring();
    show();
  }

  Task<Result<void>> make_checkpoint(const keys::CoreStatus& core) {
    auto bytes = co_await d_.keys.checkpoint();
    if (!bytes) co_return fail(bytes.error());
    const auto header = checkpoint_header(*bytes);
    if (!header) co_return fail(ErrorCode::malformed, "the trusted core answered no checkpoint");
    std::optional<FenceCertificate> certificate;
    // A core that was restored shows holders that it is the one to follow.
    if (core.recovery_count > 0) {
      const auto given = co_await d_.keys.fence_certificate();
      if (given) certificate = *given;
    }
    checkpoint_ = {std::move(*bytes), certificate};
    newest_ = *header;
    occasion_ = Occasion::of(core);
    state_.generation = header->generation;
    state_.revision = header->revision;
    state_.made_ms = d_.clock.now_ms();
    read_threshold();
    take_holders();
    confirm_current();
    // Whoever was paused is told of the new one at once.
    for (Visit& visit : visits_) visit = {};
    const auto kept = infra::write_file_atomically(options_.files.checkpoint(), format_checkpoint(checkpoint_));
    if (!kept) co_return fail(ErrorCode::io, kept.error().text());
    keep_state();
    if (d_.metrics != nullptr)
      d_.metrics->counter("community_backup_checkpoints_total", "Checkpoints that were made.").add();
    co_return Result<void>{};
  }

  void confirm_current() {
    for (HolderState& holder : state_.holders)
      if (same(holder.held, newest_)) holder.current_ms = d_.clock.now_ms();
  }

  // Those of the configuration, or of the folder; what is known of one stays with its URL.
  void take_holders() {
    std::vector<std::string> urls = options_.holders;
    if (urls.empty()) {
      auto read = read_holders(options_.files);
      if (!read) {
        infra::log_error("backup: holders cannot be read", {{"reason", read.error().text()}});
        return;
      }
      urls = std::move(*read);
    }
    if (urls.size() > protocol::kMaxHolders) urls.resize(protocol::kMaxHolders);
    const bool as_before = std::equal(urls.begin(), urls.end(), state_.holders.begin(), state_.holders.end(),
                                      [](const std::string& url, const HolderState& one) { return one.url == url; });
    if (!as_before) {
      std::vector<HolderState> holders;
      for (const std::string& url : urls) {
        const auto known = std::find_if(state_.holders.begin(), state_.holders.end(),
                                        [&url](const HolderState& one) { return one.url == url; });
        holders.push_back(known != state_.holders.end() ? *known : HolderState{url, {}, 0, {}});
      }
      state_.holders = std::move(holders);
      visits_.clear();
    }
    visits_.resize(state_.holders.size());
  }

  Task<void> bring() {
    infra::TaskGroup group(co_await boost::asio::this_coro::executor);
    bool any = false;
    for (std::size_t i = 0; i < state_.holders.size(); i++) {
      if (same(state_.holders[i].held, newest_) || d_.clock.steady() < visits_[i].due) continue;
      any = true;
      group.spawn(bring_to(i));
    }
    if (!any) co_return;
    co_await group.join();
    keep_state();
  }

  Task<void> bring_to(std::size_t i) {
    PeerClient holder(d_.http, d_.clock, state_.holders[i].url);
    CheckpointDocument document = checkpoint_;
    const auto kept = co_await holder.keep_checkpoint(std::move(document));
    HolderState& state = state_.holders[i];
    Visit& visit = visits_[i];
    // It has this one: the answer to an earlier attempt was lost, or a command brought it.
    const bool has = kept || kept.error().rule == name(protocol::Error::checkpoint_not_newer);
    if (has) {
      state.held = newest_;
      state.current_ms = d_.clock.now_ms();
      state.trouble.clear();
      visit = {};
      co_return;
    }
    if (state.trouble.empty())
      infra::log_warning("backup: a holder did not take the checkpoint",
                         {{"holder", state.url}, {"reason", kept.error().text()}});
    state.trouble = kept.error().text();
    visit.due = d_.clock.steady() + visit.pause;
    visit.pause = std::min(visit.pause * 2, std::max(options_.interval, kFirstPause));
    if (d_.metrics != nullptr)
      d_.metrics->counter("community_backup_deliveries_failed_total", "Checkpoints that a holder did not take.").add();
  }

  void keep_state() {
    if (auto kept = infra::write_file_atomically(options_.files.state(), format_state(state_)); !kept)
      infra::log_error("backup: the state cannot be kept", {{"reason", kept.error().text()}});
  }

  void show() {
    const Freshness found = freshness(state_, threshold_, options_.interval, d_.clock.now_ms());
    if (found.enough() != was_enough_) {
      if (found.enough()) {
        infra::log_info("backup: enough holders have a fresh checkpoint again", {{"holders", found.fresh}});
      } else {
        infra::log_error("backup: too few holders have a fresh checkpoint",
                         {{"fresh", found.fresh}, {"holders", found.holders}, {"wanted", found.wanted}});
      }
      was_enough_ = found.enough();
    }
    if (d_.metrics == nullptr) return;
    d_.metrics->gauge("community_backup_generation", "Generation of this core's backup; 0: none.")
        .set(state_.generation);
    d_.metrics->gauge("community_backup_holders", "Holders that checkpoints are brought to.")
        .set(static_cast<double>(found.holders));
    d_.metrics->gauge("community_backup_holders_fresh", "Holders with a checkpoint younger than three intervals.")
        .set(static_cast<double>(found.fresh));
  }

  KeeperDependencies d_;
  KeeperOptions options_;
  const Milliseconds look_;
  BackupState state_;
  std::size_t threshold_ = 0;
  std::vector<Visit> visits_;
  // The newest, as it is brought to holders; empty until the first one of this run.
  CheckpointDocument checkpoint_;
  protocol::CheckpointHeader newest_;
  Occasion occasion_;
  infra::SteadyTime next_{};
  bool was_enough_ = true;
};

}  // namespace

std::unique_ptr<Keeper> make_keeper(KeeperDependencies dependencies, KeeperOptions options) {
  return std::make_unique<KeeperBody>(dependencies, std::move(options));
}

}  // namespace community::backup
