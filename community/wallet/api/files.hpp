// SPDX-License-Identifier: Apache-2.0
// The files that hold a person's keys (spec/recovery-file.md): the recovery file with the escape key, the keys file of
// an escape, and the account file of an operator's software passkeys. Read strictly; written once, never over.
#pragma once
#include <filesystem>
#include <variant>

#include "community/accounts/api/account.hpp"
#include "community/wallet/api/error.hpp"
#include "trusted/protocol/tree.hpp"

namespace community::wallet {

using core::Address;
using core::Bytes;
using core::Bytes32;
using core::Uint256;

inline constexpr std::string_view kRecoveryFormat = "community-recovery-1";
// Of an account that came from another node, by its guardians.
inline constexpr std::string_view kBroughtFormat = "community-recovery-2";
inline constexpr std::string_view kKeysFormat = "community-keys-1";
inline constexpr std::string_view kAccountFormat = "community-account-1";
inline constexpr std::size_t kMaxFileBytes = 128 * 1024;

// What makes an account's address, the same on every chain. Of an account that came from another node, account and
// EntryPoint alone: init data is empty, nothing can make it on a further chain.
struct AccountOrigin {
  Address account{};
  Address factory{};
  Address entry_point{};
  Bytes32 proxy_init_code_hash{};
  Bytes init_data;
};

// A hint for a person; nothing asks these servers by itself.
struct KnownChain {
  std::uint64_t chain_id = 0;
  std::string name;
  std::vector<std::string> rpc_urls;
};

struct RecoveryFile {
  AccountOrigin origin;
  // secp256k1
  Bytes32 escape_secret{};
  // Not the escape key of the init data: a change of keys brought it. The chain knows whether it is in force.
  bool escape_key_is_later = false;
  std::vector<KnownChain> chains;
  // UTC, "2026-01-31T12:00:00Z"
  std::string created_at;
};

// Both keys of an account that takes no node: a software passkey and its own server key.
struct KeysFile {
  Address account{};
  std::string rp_id;
  // P-256, secp256k1
  Bytes32 passkey_secret{}, server_secret{};
  std::string created_at;
};

// Software passkeys of an account whose server key is in a node's trusted core.
struct AccountFile {
  AccountOrigin origin;
  protocol::RecordId wallet{};
  std::uint32_t server_key_index = 0;
  std::string rp_id;
  // As the passkeys' client data names it: scheme, host, port.
  std::string web_origin;
  // P-256; 1 to 8
  std::vector<Bytes32> passkey_secrets;
  std::string created_at;
};

using WalletFile = std::variant<RecoveryFile, KeysFile, AccountFile>;

Address account_of(const WalletFile& file);

// file_malformed, file_kind, file_inconsistent.
Result<WalletFile> parse_wallet_file(std::string_view text);
std::string format_wallet_file(const WalletFile& file);

// file_unreadable and the errors above; each names the file.
Result<WalletFile> read_wallet_file(const std::filesystem::path& path);
// With mode 0600: file_exists, file_unreadable.
Result<void> write_new_wallet_file(const std::filesystem::path& path, const WalletFile& file);
// Replaces an account file that this program wrote: its passkeys changed.
Result<void> replace_wallet_file(const std::filesystem::path& path, const WalletFile& file);

// A secret of secp256k1, 64 hex digits with or without 0x in a file of its own: who pays for transactions, an owner or
// guardian that is an EOA.
Result<Bytes32> read_key_file(const std::filesystem::path& path);

// "2026-01-31T12:00:00Z"
std::string format_time(std::uint64_t seconds);

}  // namespace community::wallet
