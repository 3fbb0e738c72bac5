// SPDX-License-Identifier: Apache-2.0
// What the commands about backups have in common.
#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "cmd/community-node/core_access.hpp"
#include "community/attestation/api/verifier.hpp"
#include "community/backup/api/keeper.hpp"

namespace community::node {

struct BackupOptions {
  KeysOptions keys;
  infra::Milliseconds interval{};
  // Of the configuration.
  std::vector<std::string> configured_holders;

  // Empty: operator.key of the data folder.
  std::filesystem::path operator_key;
  std::filesystem::path manifest, pins, out;
  bool yes = false;

  // peer
  std::string url, challenge;
  std::filesystem::path quote;
  // allow; the device of sign-restore
  std::filesystem::path peer;
  std::uint32_t generation = 1;
  // create: PEER.json@URL, and public keys
  std::vector<std::string> holders;
  std::vector<std::filesystem::path> offline;
  unsigned threshold = 3;
  bool renew = false;
  // offline-key, offline-release
  std::filesystem::path key, package, order, checkpoint;
  // restore, sign-restore
  std::filesystem::path description;
  std::vector<std::string> from;
  std::vector<std::filesystem::path> contributions;
  std::uint64_t configuration_floor = 0;
  // fence
  std::filesystem::path certificate;

  backup::BackupFiles files() const { return {keys.data_dir / "backup"}; }
  std::filesystem::path operator_file() const {
    return operator_key.empty() ? keys.data_dir / "operator.key" : operator_key;
  }
};

int failed(const std::string& words);
void tell(const std::string& words);

// The whole of a document's file.
backup::Result<std::string> read_document_file(const std::filesystem::path& file);
// Of mode 0600, as a whole or not at all.
backup::Result<void> write_document_file(const std::filesystem::path& file, const std::string& text);
// Reads the file and parses it; the error names the file.
template <class Parse>
auto read_with(const std::filesystem::path& file, Parse parse) -> decltype(parse(std::string_view())) {
  const auto text = read_document_file(file);
  if (!text) return tl::unexpected(text.error());
  auto parsed = parse(std::string_view(*text));
  if (!parsed) {
    backup::Error error = parsed.error();
    error.message = file.string() + ": " + error.message;
    return tl::unexpected(std::move(error));
  }
  return parsed;
}

// The verifier's three answers about a quote, on standard error.
backup::Result<attestation::Verdict> show_answers(const BackupOptions& options, std::string_view quote,
                                                  const core::Bytes32& challenge);

// backup_setup.cpp
int backup_peer(const BackupOptions& options);
int backup_allow(const BackupOptions& options);
int backup_create(const BackupOptions& options);
int backup_status(const BackupOptions& options);
int backup_checkpoint(const BackupOptions& options);
// backup_restore.cpp
int backup_offline_key(const BackupOptions& options);
int backup_sign_restore(const BackupOptions& options);
int backup_offline_release(const BackupOptions& options);
int backup_restore(const BackupOptions& options);
int backup_fence(const BackupOptions& options);

// The lines of `keys status` about the backup of this core; nothing when there is none.
void print_backup(const keys::CoreStatus& core, const std::filesystem::path& data_dir, infra::Milliseconds interval);

}  // namespace community::node
