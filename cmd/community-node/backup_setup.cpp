// SPDX-License-Identifier: Apache-2.0
// Setting a backup up and looking after it: peers, orders, shares, checkpoints.
#include <cstdio>

#include "cmd/community-node/backup_common.hpp"
#include "community/backup/api/exchange.hpp"
#include "community/backup/api/offline.hpp"
#include "community/infra/api/files.hpp"
#include "community/infra/factory.hpp"
#include "community/wallet/api/files.hpp"

namespace community::node {

namespace fs = std::filesystem;
using backup::PeerClient;
using infra::Task;

namespace {

// The core's quote over the challenge, its own or that of the node at the URL.
Task<backup::Result<std::string>> own_quote(CoreAccess& access, core::Bytes32 challenge) {
  const auto evidence = co_await access.backup.evidence(challenge);
  if (!evidence) co_return backup::fail(evidence.error());
  const auto document = backup::to_quote(*evidence);
  if (!document) co_return backup::fail(backup::ErrorCode::malformed, "the trusted core's quotes are by two keys");
  co_return attestation::format_quote(*document);
}

Task<backup::Result<std::string>> quote_at(const std::string& url, core::Bytes32 challenge) {
  const auto http = infra::make_http_client({});
  const auto clock = infra::make_system_clock();
  PeerClient peer(*http, *clock, url);
  co_return co_await peer.quote(challenge);
}

int describe(const BackupOptions& options, const std::string& quote, const core::Bytes32& challenge) {
  const auto verdict = show_answers(options, quote, challenge);
  if (!verdict) return failed(verdict.error().text());
  if (!options.quote.empty())
    if (auto written = write_document_file(options.quote, quote); !written) return failed(written.error().text());
  const std::string text = backup::format_peer(backup::describe_peer(verdict->document));
  if (options.out.empty()) {
    std::fputs(text.c_str(), stdout);
    return 0;
  }
  if (auto written = write_document_file(options.out, text); !written) return failed(written.error().text());
  tell("The description is in " + options.out.string() +
       ". Whoever names this core in an order vouches for it: compare it, and the answers above, with what you know "
       "from its operator.");
  return 0;
}

// The holders as the order names them, and where those that are cores are reached: empty for an offline one.
struct Wanted {
  protocol::BackupOrder order;
  std::vector<std::string> urls;
};

backup::Result<void> add_core(const std::string& argument, Wanted& wanted) {
  const auto at = argument.rfind("@http");
  if (at == std::string::npos)
    return backup::fail(backup::ErrorCode::io, "--holder takes PEER.json@URL, and this is none: " + argument);
  const auto peer = read_with(argument.substr(0, at), backup::parse_peer);
  if (!peer) return tl::unexpected(peer.error());
  protocol::Holder& holder = wanted.order.holders[wanted.order.holder_count++];
  holder.kind = static_cast<std::uint8_t>(protocol::HolderKind::core);
  holder.peer = *peer;
  wanted.urls.push_back(argument.substr(at + 1));
  return {};
}

backup::Result<void> add_offline(const fs::path& file, Wanted& wanted) {
  const auto key = read_with(file, backup::parse_offline_public);
  if (!key) return tl::unexpected(key.error());
  protocol::Holder& holder = wanted.order.holders[wanted.order.holder_count++];
  holder.kind = static_cast<std::uint8_t>(protocol::HolderKind::offline);
  holder.offline_key = *key;
  wanted.urls.emplace_back();
  return {};
}

backup::Result<Wanted> read_wanted(const BackupOptions& options) {
  Wanted wanted;
  const std::size_t count = options.holders.size() + options.offline.size();
  if (count > protocol::kMaxHolders || count < options.threshold || options.threshold < 2)
    return backup::fail(backup::ErrorCode::io,
                        "a backup has 2 to 16 holders, and a threshold of 2 to their number; these are " +
                            std::to_string(count) + " holders and threshold " + std::to_string(options.threshold));
  wanted.order.threshold = static_cast<std::uint8_t>(options.threshold);
  for (const std::string& holder : options.holders)
    if (auto added = add_core(holder, wanted); !added) return tl::unexpected(added.error());
  for (const fs::path& key : options.offline)
    if (auto added = add_offline(key, wanted); !added) return tl::unexpected(added.error());
  return wanted;
}

// The same order again has the same answer, so the present generation is asked for first: what was cut off goes on. A
// core that says that this is another backup gets the next one.
Task<backup::Result<keys::MadeBackup>> make(CoreAccess& access, const keys::Operator& op, protocol::BackupOrder order,
                                            bool renew) {
  const auto core = co_await access.core.status();
  if (!core) co_return backup::fail(core.error());
  order.core_id = core->core_id;
  order.generation = core->backup_generation;
  if (core->backup_generation != 0 && !renew) {
    keys::SignedMessage again = op.sign(order);
    const auto made = co_await access.backup.create_backup(std::move(again));
    if (made) co_return *made;
    if (made.error().refusal != protocol::Error::backup_out_of_order) co_return backup::fail(made.error());
  }
  order.generation++;
  keys::SignedMessage next = op.sign(order);
  const auto made = co_await access.backup.create_backup(std::move(next));
  if (!made) co_return backup::fail(made.error());
  co_return *made;
}

backup::Result<void> write_files(const BackupOptions& options, const keys::MadeBackup& made, const Wanted& wanted) {
  if (auto folder = infra::ensure_private_directory(options.files().folder); !folder)
    return backup::fail(backup::ErrorCode::io, folder.error().text());
  std::vector<std::string> urls;
  for (const std::string& url : wanted.urls)
    if (!url.empty()) urls.push_back(url);
  if (auto written = backup::write_holders(options.files(), urls); !written) return written;
  return write_document_file(options.files().description(), backup::format_backup(made));
}

Task<backup::Result<void>> hand_out(const BackupOptions& options, CoreAccess& access, const keys::MadeBackup& made,
                                    const std::string& url, std::uint8_t index) {
  if (!url.empty()) {
    PeerClient holder(access.http, access.clock, url);
    co_return co_await backup::give_share(access.backup, holder, made.description, index);
  }
  const auto share = co_await backup::make_offline_share(access.backup, access.random, made.description, index);
  if (!share) co_return tl::unexpected(share.error());
  co_return write_document_file(options.files().offline_share(index), backup::format_share(*share));
}

void print_holders(const backup::BackupState& state, std::int64_t now_ms) {
  for (const backup::HolderState& holder : state.holders) {
    std::string words = "no checkpoint yet";
    if (holder.held.generation != 0)
      words = "generation " + std::to_string(holder.held.generation) + ", revision " +
              std::to_string(holder.held.revision) + ", known to be the newest " +
              std::to_string((now_ms - holder.current_ms) / 60'000) + " minutes ago";
    if (!holder.trouble.empty()) words += "; NOW: " + holder.trouble;
    std::printf("holder          %s: %s\n", holder.url.c_str(), words.c_str());
  }
}

Task<int> create(const BackupOptions& options, CoreAccess& access, const keys::Operator& op, const Wanted& wanted) {
  const auto made = co_await make(access, op, wanted.order, options.renew);
  if (!made) co_return failed("no backup: " + made.error().text());
  if (auto written = write_files(options, *made, wanted); !written) co_return failed(written.error().text());
  const auto parsed = backup::parse_backup(backup::format_backup(*made));
  if (!parsed) co_return failed(parsed.error().text());
  tell("Backup generation " + std::to_string(parsed->description.generation) + ": " +
       std::to_string(parsed->description.threshold) + " of " + std::to_string(parsed->description.holder_count) +
       " shares restore it.");
  std::size_t missing = 0;
  for (std::size_t i = 0; i < wanted.urls.size(); i++) {
    const auto index = static_cast<std::uint8_t>(i + 1);
    const auto given = co_await hand_out(options, access, *made, wanted.urls[i], index);
    const std::string where =
        wanted.urls[i].empty() ? "offline: " + options.files().offline_share(index).string() : wanted.urls[i];
    if (!given) missing++;
    tell("  share " + std::to_string(i + 1) + "  " + (given ? "given  " : "NOT GIVEN  ") + where +
         (given ? "" : ": " + given.error().text()));
  }
  if (missing > 0)
    co_return failed(std::to_string(missing) +
                     " holders have no share yet. Say the same command again: those that have theirs keep it");
  const auto keeper = backup::make_keeper({access.backup, access.core, access.http, access.clock},
                                          {options.files(), options.interval, options.configured_holders});
  const auto brought = co_await keeper->bring_now();
  if (!brought) co_return failed("no checkpoint: " + brought.error().text());
  print_holders(*brought, access.clock.now_ms());
  tell("Keep copies of " + options.files().description().string() +
       " where this machine's loss does not reach: a restore needs it, and nothing in it is secret.");
  co_return 0;
}

}  // namespace

void print_backup(const keys::CoreStatus& core, const fs::path& data_dir, infra::Milliseconds interval) {
  if (core.fenced) std::printf("FENCED          another device goes on as this core; nothing here signs any more\n");
  if (core.configuration_floor != 0)
    std::printf("restored        configurations up to number %llu are refused\n",
                static_cast<unsigned long long>(core.configuration_floor));
  if (core.backup_generation == 0) {
    std::printf("backup          none; docs/backup.md says how one is made\n");
    return;
  }
  const backup::BackupFiles files{data_dir / "backup"};
  const auto description = read_with(files.description(), backup::parse_backup);
  const auto state = backup::read_state(files);
  const std::int64_t now = infra::make_system_clock()->now_ms();
  const unsigned threshold = description ? description->description.threshold : 0;
  std::printf("backup          generation %u", core.backup_generation);
  if (description) std::printf(", %u of %u shares restore it", threshold, description->description.holder_count);
  std::printf("\n");
  if (!state || state->made_ms == 0) {
    std::printf("checkpoint      none was made yet\n");
    return;
  }
  std::printf("checkpoint      revision %llu of %s; the core is at revision %llu\n",
              static_cast<unsigned long long>(state->revision),
              wallet::format_time(static_cast<std::uint64_t>(state->made_ms / 1'000)).c_str(),
              static_cast<unsigned long long>(core.revision));
  const backup::Freshness found = backup::freshness(*state, threshold, interval, now);
  std::printf("holders         %zu of %zu have a fresh checkpoint%s\n", found.fresh, found.holders,
              found.enough() ? "" : ": TOO FEW");
  print_holders(*state, now);
}

int backup_peer(const BackupOptions& options) {
  core::Bytes32 challenge;
  infra::make_system_random()->fill(challenge);
  if (!options.challenge.empty()) {
    const auto given = core::parse_bytes32(options.challenge, core::HexPrefix::optional);
    if (!given) return failed("--challenge takes 32 bytes in hexadecimal");
    challenge = *given;
  }
  if (!options.url.empty()) {
    infra::EventLoop loop;
    const auto quote = loop.block_on(quote_at(options.url, challenge));
    if (!quote) return failed(quote.error().text());
    return describe(options, *quote, challenge);
  }
  return with_core_access(options.keys, [&options, challenge](CoreAccess& access) -> Task<int> {
    const auto quote = co_await own_quote(access, challenge);
    if (!quote) co_return failed(quote.error().text());
    co_return describe(options, *quote, challenge);
  });
}

int backup_allow(const BackupOptions& options) {
  const auto op = read_operator_key(options.operator_file());
  if (!op) return failed(op.error().message);
  const auto peer = read_with(options.peer, backup::parse_peer);
  if (!peer) return failed(peer.error().text());
  return with_core_access(options.keys, [&](CoreAccess& access) -> Task<int> {
    const auto core = co_await access.core.status();
    if (!core) co_return failed(core.error().text());
    protocol::KeepOrder order;
    order.core_id = core->core_id;
    order.source = *peer;
    order.generation = options.generation;
    const fs::path file = options.files().allowed(peer->core_id);
    for (const fs::path& folder : {options.files().folder, file.parent_path()})
      if (auto made = infra::ensure_private_directory(folder); !made) co_return failed(made.error().text());
    const std::string text = backup::format_order(backup::kKeepOrderFormat, op->sign(order));
    if (auto written = write_document_file(file, text); !written) co_return failed(written.error().text());
    tell("This node takes shares of the core " + core::to_plain_hex(peer->core_id) +
         ", as long as its keys and code are those described. To end that, remove " + file.string());
    co_return 0;
  });
}

int backup_create(const BackupOptions& options) {
  const auto op = read_operator_key(options.operator_file());
  if (!op) return failed(op.error().message);
  const auto wanted = read_wanted(options);
  if (!wanted) return failed(wanted.error().text());
  return with_core_access(options.keys,
                          [&](CoreAccess& access) -> Task<int> { return create(options, access, *op, *wanted); });
}

int backup_status(const BackupOptions& options) {
  return with_core_access(options.keys, [&options](CoreAccess& access) -> Task<int> {
    const auto core = co_await access.core.status();
    if (!core) co_return failed(core.error().text());
    print_backup(*core, options.keys.data_dir, options.interval);
    co_return 0;
  });
}

int backup_checkpoint(const BackupOptions& options) {
  return with_core_access(options.keys, [&options](CoreAccess& access) -> Task<int> {
    const auto keeper = backup::make_keeper({access.backup, access.core, access.http, access.clock},
                                            {options.files(), options.interval, options.configured_holders});
    const auto state = co_await keeper->bring_now();
    if (!state) co_return failed("no checkpoint: " + state.error().text());
    tell("Checkpoint of revision " + std::to_string(state->revision) + " is in " +
         options.files().checkpoint().string());
    print_holders(*state, access.clock.now_ms());
    bool all = true;
    for (const backup::HolderState& holder : state->holders) all = all && holder.trouble.empty();
    co_return all ? 0 : 1;
  });
}

}  // namespace community::node
