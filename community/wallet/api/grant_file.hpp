// SPDX-License-Identifier: Apache-2.0
// A session grant and the trusted core's ticket for it. No secret: without the trusted core it signs nothing.
#pragma once
#include <filesystem>

#include "community/accounts/api/self_calls.hpp"
#include "community/wallet/api/error.hpp"

namespace community::wallet {

inline constexpr std::string_view kGrantFormat = "community-grant-1";

struct GrantFile {
  core::Address account{};
  std::uint64_t chain_id = 0;
  core::Bytes32 id{}, ticket{};
  accounts::Grant grant;
};

Result<GrantFile> parse_grant_file(std::string_view text);
std::string format_grant_file(const GrantFile& file);
// file_unreadable, file_exists and the errors of parsing; each names the file.
Result<GrantFile> read_grant_file(const std::filesystem::path& path);
Result<void> write_grant_file(const std::filesystem::path& path, const GrantFile& file);

}  // namespace community::wallet
