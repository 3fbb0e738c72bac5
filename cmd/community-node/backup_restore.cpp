// SPDX-License-Identifier: Apache-2.0
// When a core was lost: orders, contributions of holders, the restore on a new device, and the fence for the old one.
#include <cstdio>
#include <iostream>

#include "cmd/community-node/backup_common.hpp"
#include "community/backup/api/exchange.hpp"
#include "community/backup/api/offline.hpp"
#include "community/infra/api/files.hpp"
#include "community/infra/factory.hpp"

namespace community::node {

namespace fs = std::filesystem;
using backup::PeerClient;
using infra::Task;

namespace {

// Asks a person at the terminal; anything but the word is no.
bool confirmed(const std::string& question, std::string_view word) {
  std::printf("%s Type %.*s to go on: ", question.c_str(), static_cast<int>(word.size()), word.data());
  std::fflush(stdout);
  std::string line;
  return std::getline(std::cin, line) && line == word;
}

protocol::RestoreOrder order_for(const backup::Backup& backup, const protocol::PeerDescription& device,
                                 std::uint64_t floor) {
  protocol::RestoreOrder order;
  order.core_id = backup.description.core_id;
  order.generation = backup.description.generation;
  order.description = base::sha256(backup.made.description);
  order.device = device;
  order.configuration_floor = floor;
  return order;
}

// The order of a file, or one that the operator signs now for this device.
backup::Result<keys::SignedMessage> restore_order(const BackupOptions& options, const backup::Backup& backup,
                                                  const protocol::PeerDescription& device) {
  if (!options.order.empty())
    return read_with(options.order,
                     [](std::string_view text) { return backup::parse_order(backup::kRestoreOrderFormat, text); });
  const auto op = read_operator_key(options.operator_file());
  if (!op) return backup::fail(backup::ErrorCode::io, op.error().message);
  if (op->public_key() != backup.description.operator_key)
    return backup::fail(
        backup::ErrorCode::not_genuine,
        "the key in " + options.operator_file().string() + " is not that of the operator who made this backup",
        std::string(name(protocol::Error::operator_signature_invalid)));
  return op->sign(order_for(backup, device, options.configuration_floor));
}

Task<backup::Result<protocol::PeerDescription>> describe_device(CoreAccess& access) {
  core::Bytes32 challenge;
  access.random.fill(challenge);
  const auto evidence = co_await access.backup.evidence(challenge);
  if (!evidence) co_return backup::fail(evidence.error());
  const auto document = backup::to_quote(*evidence);
  if (!document) co_return backup::fail(backup::ErrorCode::malformed, "the device's quotes are by two keys");
  co_return backup::describe_peer(*document);
}

// What the holders at the URLs and the files give; a holder that gives nothing is named, and the rest may be enough.
Task<std::vector<keys::ShareContribution>> collect(const BackupOptions& options, CoreAccess& access,
                                                   const keys::SignedMessage& order) {
  std::vector<keys::ShareContribution> contributions;
  for (const fs::path& file : options.contributions) {
    const auto contribution = read_with(file, backup::parse_contribution);
    tell("  " + file.string() + ": " + (contribution ? "read" : contribution.error().text()));
    if (contribution) contributions.push_back(*contribution);
  }
  for (const std::string& url : options.from) {
    PeerClient holder(access.http, access.clock, url);
    const auto contribution = co_await backup::collect_share(access.backup, holder, order);
    tell("  " + url + ": " + (contribution ? "released its share" : contribution.error().text()));
    if (contribution) contributions.push_back(*contribution);
  }
  co_return contributions;
}

void print_contributions(const keys::RestoreOutcome& outcome) {
  for (const protocol::ContributionResult& one : outcome.contributions)
    tell("  share " + std::to_string(one.index) + "  " +
         (one.error == 0 ? "good" : "BAD: " + std::string(name(static_cast<protocol::Error>(one.error)))));
}

void print_next_steps(const keys::RestoreOutcome& outcome) {
  tell("\nThis device goes on as the core that was lost. What is left to do:");
  tell(
      outcome.database_matches
          ? "  1. The database here is the one of the checkpoint: nothing to do."
          : "  1. The database here is not the one of the checkpoint. Put the node's database in place and start the "
            "node;\n"
            "     if it is of another moment, the start says so, and `community-node keys recover --yes` accepts it as "
            "it\n"
            "     is: changes that only one of them knows are forgotten (a removed passkey counts again).");
  tell(
      "  2. The operator signs a configuration: start the node with operator.key in the data folder. All that was\n"
      "     allowed before counts as spent, so budgets are empty until the operator signs larger ones\n"
      "     (`run --renew-budgets`).");
  tell(
      "  3. If the old device may still run: `community-node backup fence --url OLD`. And a new backup is wise once "
      "all\n"
      "     is well: what was shared before can still restore the checkpoints of before.");
}

backup::Result<void> keep_files(const BackupOptions& options, const backup::Backup& backup) {
  if (auto folder = infra::ensure_private_directory(options.files().folder); !folder)
    return backup::fail(backup::ErrorCode::io, folder.error().text());
  if (!options.from.empty())
    if (auto written = backup::write_holders(options.files(), options.from); !written) return written;
  return write_document_file(options.files().description(), backup::format_backup(backup.made));
}

Task<int> restore(const BackupOptions& options, CoreAccess& access, const backup::Backup& backup) {
  if (access.alone == nullptr) co_return failed("a node runs on this data folder; a restore is for a new device alone");
  const auto device = co_await describe_device(access);
  if (!device) co_return failed(device.error().text());
  auto order = restore_order(options, backup, *device);
  if (!order) co_return failed(order.error().text());
  auto contributions = co_await collect(options, access, *order);
  const auto outcome =
      co_await access.alone->restore(std::move(*order), backup.made.description, std::move(contributions));
  if (!outcome) co_return failed("not restored: " + outcome.error().text());
  print_contributions(*outcome);
  if (outcome->result != protocol::Error::ok)
    co_return failed("not restored: " + std::string(name(outcome->result)) + "; it takes " +
                     std::to_string(backup.description.threshold) +
                     " good shares and a checkpoint with one of them. Nothing was changed");
  if (auto kept = keep_files(options, backup); !kept) co_return failed(kept.error().text());
  tell("Restored from the checkpoint of revision " + std::to_string(outcome->revision) + ".");
  print_next_steps(*outcome);
  co_return 0;
}

Task<backup::Result<void>> fence_at(CoreAccess& access, const std::string& url,
                                    const protocol::FenceCertificate& certificate) {
  PeerClient old(access.http, access.clock, url);
  co_return co_await old.fence(certificate);
}

Task<int> fence(const BackupOptions& options, CoreAccess& access) {
  if (!options.certificate.empty()) {
    const auto certificate = read_with(options.certificate, backup::parse_fence);
    if (!certificate) co_return failed(certificate.error().text());
    const auto done = co_await access.backup.fence(*certificate);
    if (!done) co_return failed(done.error().text());
    tell("This core has ended for good: it signs nothing any more.");
    co_return 0;
  }
  const auto certificate = co_await access.backup.fence_certificate();
  if (!certificate) co_return failed(certificate.error().text());
  if (!options.out.empty()) {
    if (auto written = write_document_file(options.out, backup::format_fence(*certificate)); !written)
      co_return failed(written.error().text());
    tell("The certificate is in " + options.out.string() + "; nothing in it is secret.");
  }
  if (options.url.empty()) co_return 0;
  const auto done = co_await fence_at(access, options.url, *certificate);
  if (!done) co_return failed(done.error().text());
  tell("The core at " + options.url + " has ended for good: it signs nothing any more.");
  co_return 0;
}

// The challenge that the device must answer, when there is no quote yet.
int ask_for_quote() {
  core::Bytes32 challenge;
  infra::make_system_random()->fill(challenge);
  tell(
      "Have the new device answer this challenge, and give the answer back to this command with --quote and "
      "--challenge:\n  community-node backup peer --challenge " +
      core::to_plain_hex(challenge) + " --quote QUOTE.json");
  return 0;
}

backup::Result<backup::OfflineRequest> read_request(const BackupOptions& options) {
  backup::OfflineRequest request;
  const auto challenge = core::parse_bytes32(options.challenge, core::HexPrefix::optional);
  if (!challenge) return backup::fail(backup::ErrorCode::io, "--challenge takes 32 bytes in hexadecimal");
  request.challenge = *challenge;
  auto share = read_with(options.package, backup::parse_share);
  if (!share) return tl::unexpected(share.error());
  request.share = std::move(*share);
  auto order = read_with(options.order,
                         [](std::string_view text) { return backup::parse_order(backup::kRestoreOrderFormat, text); });
  if (!order) return tl::unexpected(order.error());
  request.order = std::move(*order);
  const auto quote = read_document_file(options.quote);
  if (!quote) return tl::unexpected(quote.error());
  request.quote = *quote;
  if (options.checkpoint.empty()) return request;
  const auto checkpoint = read_with(options.checkpoint, backup::parse_checkpoint);
  if (!checkpoint) return tl::unexpected(checkpoint.error());
  request.checkpoint = checkpoint->checkpoint;
  return request;
}

}  // namespace

int backup_offline_key(const BackupOptions& options) {
  std::error_code ignored;
  const fs::path public_file = options.key.string() + ".pub.json";
  if (fs::exists(options.key, ignored) || fs::exists(public_file, ignored))
    return failed(options.key.string() + " is there already; a key is never replaced");
  const auto key = backup::make_offline_key();
  if (!key) return failed(key.error().text());
  std::string secret = backup::format_offline_secret(*key);
  const auto kept = write_document_file(options.key, secret);
  base::wipe(secret.data(), secret.size());
  if (!kept) return failed(kept.error().text());
  if (auto written = write_document_file(public_file, backup::format_offline_public(key->public_key)); !written)
    return failed(written.error().text());
  tell("The secret key is in " + options.key.string() + " and stays with its holder, offline. To the operator goes " +
       public_file.string());
  return 0;
}

int backup_sign_restore(const BackupOptions& options) {
  const auto backup = read_with(options.description, backup::parse_backup);
  if (!backup) return failed(backup.error().text());
  const auto device = read_with(options.peer, backup::parse_peer);
  if (!device) return failed(device.error().text());
  BackupOptions signing = options;
  signing.order.clear();
  const auto order = restore_order(signing, *backup, *device);
  if (!order) return failed(order.error().text());
  const fs::path out = options.out.empty() ? fs::path("restore-order.json") : options.out;
  if (auto written = write_document_file(out, backup::format_order(backup::kRestoreOrderFormat, *order)); !written)
    return failed(written.error().text());
  tell("The order is in " + out.string() + ". It lets this one device have the shares, and no other.");
  return 0;
}

int backup_offline_release(const BackupOptions& options) {
  if (options.quote.empty()) return ask_for_quote();
  const auto request = read_request(options);
  if (!request) return failed(request.error().text());
  std::string secret;
  const auto key = read_with(options.key, [&secret](std::string_view text) {
    secret = text;
    return backup::parse_offline_secret(text);
  });
  base::wipe(secret.data(), secret.size());
  if (!key) return failed(key.error().text());
  const auto release = backup::release_offline(*key, *request);
  if (!release) return failed("not released: " + release.error().text());
  tell("The order is signed by the operator of the backup of the core " +
       core::to_plain_hex(release->description.core_id) + ", and names the device that answered the challenge.");
  if (auto shown = show_answers(options, request->quote, request->challenge); !shown)
    return failed(shown.error().text());
  if (!options.yes &&
      !confirmed("Whoever holds that device's keys will have share " + std::to_string(release->index) + ".", "release"))
    return failed("not released");
  const fs::path out = options.out.empty() ? fs::path("contribution.json") : options.out;
  if (auto written = write_document_file(out, backup::format_contribution(release->contribution)); !written)
    return failed(written.error().text());
  tell("The contribution is in " + out.string() + "; only the device can open it.");
  return 0;
}

int backup_restore(const BackupOptions& options) {
  const auto backup = read_with(options.description, backup::parse_backup);
  if (!backup) return failed(backup.error().text());
  return with_core_access(options.keys,
                          [&](CoreAccess& access) -> Task<int> { return restore(options, access, *backup); });
}

int backup_fence(const BackupOptions& options) {
  if (options.url.empty() && options.certificate.empty() && options.out.empty())
    return failed(
        "say where the old device is reached (--url), where to put the certificate (--out), or, on the old "
        "device, which certificate it is shown (--certificate)");
  return with_core_access(options.keys, [&options](CoreAccess& access) -> Task<int> { return fence(options, access); });
}

}  // namespace community::node
