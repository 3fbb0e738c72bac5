// SPDX-License-Identifier: Apache-2.0
// What a node that takes an account in tells the account's owner: the public keys to give to the account on chain. No
// secret.
#pragma once
#include <filesystem>

#include "community/keys/api/key_service.hpp"
#include "community/wallet/api/files.hpp"

namespace community::wallet {

inline constexpr std::string_view kJoinFormat = "community-join-1";

struct JoinFile {
  Address account{};
  std::uint64_t chain_id = 0;
  keys::Passkey passkey;
  Address server_key{};
};

// file_unreadable, file_exists, file_malformed, file_kind; each names the file.
Result<JoinFile> parse_join_file(std::string_view text);
std::string format_join_file(const JoinFile& file);
Result<JoinFile> read_join_file(const std::filesystem::path& path);
Result<void> write_join_file(const std::filesystem::path& path, const JoinFile& file);

}  // namespace community::wallet
