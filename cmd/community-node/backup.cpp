// SPDX-License-Identifier: Apache-2.0
#include "cmd/community-node/backup.hpp"

#include <cstdio>
#include <iostream>

#include "cmd/community-node/backup_common.hpp"
#include "community/infra/api/files.hpp"
#include "community/infra/api/log.hpp"

namespace community::node {

namespace fs = std::filesystem;

int failed(const std::string& words) {
  std::fprintf(stderr, "community-node: %s\n", words.c_str());
  return 1;
}

void tell(const std::string& words) {
  std::printf("%s\n", words.c_str());
  std::fflush(stdout);
}

backup::Result<std::string> read_document_file(const fs::path& file) {
  auto text = infra::read_file(file, backup::kMaxDocument);
  if (!text) return backup::fail(backup::ErrorCode::io, text.error().text());
  return std::move(*text);
}

backup::Result<void> write_document_file(const fs::path& file, const std::string& text) {
  if (auto written = infra::write_file_atomically(file, text); !written)
    return backup::fail(backup::ErrorCode::io, written.error().text());
  return {};
}

namespace {

backup::Result<std::string> read_list(const fs::path& file) {
  auto text = infra::read_file(file, attestation::kMaxListDocument + 1);
  if (!text) return backup::fail(backup::ErrorCode::io, text.error().text());
  return std::move(*text);
}

template <class T>
backup::Result<std::optional<T>> parse_list(const fs::path& file, attestation::Result<T> (*parse)(std::string_view)) {
  if (file.empty()) return std::optional<T>();
  const auto text = read_list(file);
  if (!text) return tl::unexpected(text.error());
  auto parsed = parse(*text);
  if (!parsed) return backup::fail(backup::ErrorCode::document, file.string() + ": " + parsed.error().text());
  return std::optional<T>(std::move(*parsed));
}

using Shared = std::shared_ptr<BackupOptions>;
using Job = int (*)(const BackupOptions&);

void add_judging(CLI::App& command, const Shared& in) {
  command.add_option("--manifest", in->manifest, "of the release: measurements, perhaps keys");
  command.add_option("--pins", in->pins, "pinned attestation keys");
}

void add_operator(CLI::App& command, const Shared& in) {
  command.add_option("--operator-key", in->operator_key, "the operator's key; else operator.key of the data folder");
}

// The commands of a holder and of the source.
void add_setup(const std::function<CLI::App*(const char*, const char*, Job)>& add, const Shared& in) {
  CLI::App* peer = add("peer", "describe this core, or the one at a URL, for an order that names it", backup_peer);
  peer->add_option("--url", in->url, "HTTP API of the node to describe; else this data folder's own core");
  peer->add_option("--out", in->out, "PEER.json; else standard output");
  peer->add_option("--challenge", in->challenge, "somebody else's challenge, in hexadecimal; else a random one");
  peer->add_option("--quote", in->quote, "keep the quote that answers the challenge here");
  add_judging(*peer, in);
  CLI::App* allow = add("allow", "let this node keep shares of a core (operator-signed)", backup_allow);
  allow->add_option("PEER.json", in->peer, "its description")->required();
  allow->add_option("--generation", in->generation, "the oldest that is taken")->capture_default_str();
  add_operator(*allow, in);
  CLI::App* create = add("create", "make a backup and give every holder its share (operator-signed)", backup_create);
  create->add_option("--holder", in->holders, "PEER.json@URL of a node whose operator allowed this core");
  create->add_option("--offline", in->offline, "public key file of a person (backup offline-key)");
  create->add_option("--threshold", in->threshold, "shares that restore")->capture_default_str();
  create->add_flag("--renew", in->renew, "a new generation even for the same holders");
  add_operator(*create, in);
  add("status", "generation, holders, and who has the newest checkpoint", backup_status);
  add("checkpoint", "make a checkpoint now and bring it to all holders", backup_checkpoint);
}

void add_offline(const std::function<CLI::App*(const char*, const char*, Job)>& add, const Shared& in) {
  CLI::App* key = add("offline-key", "a key pair for a holder that is a person", backup_offline_key);
  key->add_option("FILE", in->key, "for the secret key; the public one goes to FILE.pub.json")->required();
  CLI::App* release = add("offline-release", "release an offline holder's share to a device", backup_offline_release);
  release->add_option("--package", in->package, "the share as it was handed over");
  release->add_option("--key", in->key, "the holder's secret key");
  release->add_option("--order", in->order, "the operator's restore order");
  release->add_option("--challenge", in->challenge, "what the device answered, in hexadecimal");
  release->add_option("--quote", in->quote, "the device's answer; without it this command says what to ask");
  release->add_option("--checkpoint", in->checkpoint, "a checkpoint to give with the share");
  release->add_option("--out", in->out, "for the contribution; else contribution.json");
  release->add_flag("--yes", in->yes, "do not ask");
  add_judging(*release, in);
}

void add_restoring(const std::function<CLI::App*(const char*, const char*, Job)>& add, const Shared& in) {
  CLI::App* sign =
      add("sign-restore", "name the device that goes on (operator-signed); needs no core", backup_sign_restore);
  sign->add_option("--description", in->description, "the lost core's backup.json")->required();
  sign->add_option("--device", in->peer, "PEER.json of the new device")->required();
  sign->add_option("--configuration-floor", in->configuration_floor, "configurations up to this are refused");
  sign->add_option("--out", in->out, "for the order; else restore-order.json");
  add_operator(*sign, in);
  CLI::App* restore = add("restore", "make this new device the core that was lost", backup_restore);
  restore->add_option("--description", in->description, "the lost core's backup.json")->required();
  restore->add_option("--from", in->from, "HTTP API of a holder");
  restore->add_option("--contribution", in->contributions, "of an offline holder");
  restore->add_option("--order", in->order, "signed elsewhere; else operator.key signs it now");
  restore->add_option("--configuration-floor", in->configuration_floor, "configurations up to this are refused");
  add_operator(*restore, in);
  CLI::App* fence = add("fence", "end the old device for good, once this core was restored", backup_fence);
  fence->add_option("--url", in->url, "HTTP API of the old device");
  fence->add_option("--out", in->out, "for the certificate, to be shown elsewhere");
  fence->add_option("--certificate", in->certificate, "on the old device: the certificate it is shown");
}

}  // namespace

backup::Result<attestation::Verdict> show_answers(const BackupOptions& options, std::string_view quote,
                                                  const core::Bytes32& challenge) {
  const auto manifest = parse_list<attestation::Manifest>(options.manifest, attestation::parse_manifest);
  if (!manifest) return tl::unexpected(manifest.error());
  const auto pins = parse_list<attestation::Pins>(options.pins, attestation::parse_pins);
  if (!pins) return tl::unexpected(pins.error());
  const attestation::Manifest* listed = *manifest ? &**manifest : nullptr;
  auto verdict = attestation::verify(quote, challenge, listed, *pins ? &**pins : nullptr);
  if (verdict.refusal)
    return backup::fail(backup::ErrorCode::not_genuine, verdict.refusal->message,
                        std::string(name(verdict.refusal->code)));
  for (const std::string& line : attestation::describe(verdict, listed)) std::cerr << line << "\n";
  return verdict;
}

CLI::App* add_backup_commands(CLI::App& app, const RunOptions& run, std::function<int()>& job) {
  CLI::App* command = app.add_subcommand("backup", "shares and checkpoints of the trusted core, and its restore");
  command->require_subcommand(1);
  auto in = std::make_shared<BackupOptions>();
  const auto add = [&](const char* name, const char* words, Job todo) {
    CLI::App* made = command->add_subcommand(name, words);
    made->fallthrough();
    made->callback([&run, &job, in, todo] {
      job = [&run, in, todo] {
        infra::LogOptions log;
        log.level = infra::LogLevel::error;
        infra::configure_log(log);
        in->keys.data_dir = run.data_dir;
        in->keys.database = run.database;
        in->keys.body = run.body;
        in->keys.places = run.places;
        in->keys.places.folder = run.data_dir / "keys";
        in->interval = run.backup_interval;
        in->configured_holders = run.backup_holders;
        return todo(*in);
      };
    });
    return made;
  };
  add_setup(add, in);
  add_offline(add, in);
  add_restoring(add, in);
  return command;
}

}  // namespace community::node
