// SPDX-License-Identifier: Apache-2.0
// What makes the address of a multisig: init data and factory (spec/multisig.md, section 5). No secret: with it anybody
// makes the multisig at the same address on another chain.
#pragma once
#include <filesystem>

#include "community/multisig/api/multisig.hpp"
#include "community/wallet/api/error.hpp"

namespace community::wallet {

inline constexpr std::string_view kMultisigFormat = "community-multisig-1";

struct MultisigFile {
  core::Address multisig{};
  core::Address factory{};
  core::Bytes32 proxy_init_code_hash{};
  core::Bytes init_data;
};

// file_malformed, file_kind; file_inconsistent when the address follows from other parts, or the init data breaks a
// rule.
Result<MultisigFile> parse_multisig_file(std::string_view text);
std::string format_multisig_file(const MultisigFile& file);
// file_unreadable, file_exists and the errors of parsing; each names the file.
Result<MultisigFile> read_multisig_file(const std::filesystem::path& path);
Result<void> write_multisig_file(const std::filesystem::path& path, const MultisigFile& file);

}  // namespace community::wallet
