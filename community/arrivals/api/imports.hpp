// SPDX-License-Identifier: Apache-2.0
// History that people bring: final transactions in the file that their former node exported
// (spec/person-export.schema.json). It is somebody's word about the past, kept to be read, in tables of its own:
// nothing here counts for limits, nonces or known recipients.
#pragma once
#include "community/arrivals/api/error.hpp"
#include "community/core/address.hpp"
#include "community/core/json.hpp"
#include "community/infra/api/task.hpp"

namespace community::arrivals {

// --- limits ----------------------------------------------------------------------------------------------------------

inline constexpr std::size_t kMaxFileBytes = 16u << 20;
// Files that are read at the same time: a file and what is read of it are 40 MB at the worst.
inline constexpr std::size_t kMaxFilesAtOnce = 2;
// Of a person; entries take about 700 bytes each: 35 MB.
inline constexpr std::size_t kMaxImports = 20, kMaxEntries = 50'000;
inline constexpr double kImportsPerHour = 10;
// Accounts that an import is shown with; one with more of them is refused.
inline constexpr std::size_t kMaxAccounts = 256;
inline constexpr std::size_t kMaxEntriesPage = 100;
// Of one entry, as JSON.
inline constexpr std::size_t kMaxSummaryItems = 33, kMaxSummaryBytes = 8'192;

// --- values ----------------------------------------------------------------------------------------------------------

struct ImportedAccount {
  std::uint64_t chain_id = 0;
  core::Address address{};
  bool operator==(const ImportedAccount&) const = default;
};

struct Import {
  // A random UUID.
  std::string import_id;
  // Of the node that wrote the file, as it says.
  std::string origin;
  // Milliseconds since 1970.
  std::int64_t exported_ms = 0, created_ms = 0;
  // Kept; and not final, of no account, or known from an earlier file.
  std::size_t entries = 0, left_out = 0;
  std::vector<ImportedAccount> accounts;
};

struct ImportedEntry {
  // Grows from one to the next; what history is ordered by.
  std::uint64_t sequence = 0;
  std::string import_id, origin;
  ImportedAccount account;
  // A transactions::Kind in camel case: "calls".
  std::string kind;
  std::int64_t created_ms = 0;
  core::Bytes32 transaction_hash{}, digest{};
  // CallSummary of spec/openapi.json: members of known types, texts cleaned.
  core::json::array summary;
  // The chain confirms that the transaction did this operation of the account.
  bool checked = false;
};

struct EntriesQuery {
  // Nothing: of all accounts.
  std::optional<core::Address> address;
  std::uint64_t before = INT64_MAX;
  // 1 to kMaxEntriesPage.
  std::size_t limit = 50;
};

class Imports {
 public:
  virtual ~Imports() = default;
  // The file as it came; the same one again answers the same import. import_invalid, too_many_imports,
  // too_many_entries, too_many_requests; nothing is kept then.
  virtual infra::Task<Result<Import>> keep(std::string user_id, std::string file) = 0;
  // Earliest first.
  virtual infra::Task<Result<std::vector<Import>>> list(std::string user_id) = 0;
  // Latest first.
  virtual infra::Task<Result<std::vector<ImportedEntry>>> entries(std::string user_id, EntriesQuery query) = 0;
  // With its entries. not_found.
  virtual infra::Task<Result<void>> forget(std::string user_id, std::string import_id) = 0;
};

}  // namespace community::arrivals
