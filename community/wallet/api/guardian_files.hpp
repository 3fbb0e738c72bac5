// SPDX-License-Identifier: Apache-2.0
// What guardians need: the list behind the hash that the chain keeps, and a recovery that they are asked to sign. No
// secrets.
#pragma once
#include <filesystem>

#include "community/accounts/api/actions.hpp"
#include "community/wallet/api/error.hpp"

namespace community::wallet {

inline constexpr std::string_view kGuardiansFormat = "community-guardians-1";
inline constexpr std::string_view kRecoveryRequestFormat = "community-recovery-request-1";

struct GuardiansFile {
  core::Address account{};
  accounts::GuardianList list;
  std::uint8_t threshold = 0;
};

struct RecoveryRequest {
  std::uint64_t chain_id = 0;
  GuardiansFile guardians;
  accounts::Recover recover;
  accounts::Stamp stamp;
};

// file_unreadable, file_exists, file_malformed, file_kind; each names the file.
Result<GuardiansFile> parse_guardians_file(std::string_view text);
Result<GuardiansFile> read_guardians_file(const std::filesystem::path& path);
Result<void> write_guardians_file(const std::filesystem::path& path, const GuardiansFile& file);
Result<RecoveryRequest> parse_recovery_request(std::string_view text);
Result<RecoveryRequest> read_recovery_request(const std::filesystem::path& path);
Result<void> write_recovery_request(const std::filesystem::path& path, const RecoveryRequest& request);
// 64 hex digits, mode 0600; what read_key_file reads.
Result<void> write_secret_file(const std::filesystem::path& path, const core::Bytes32& secret);

}  // namespace community::wallet
