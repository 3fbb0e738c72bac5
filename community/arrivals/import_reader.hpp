// SPDX-License-Identifier: Apache-2.0
// Reads what a node exported of a person (spec/person-export.schema.json) for the history in it, and nothing else. The
// file comes from anywhere: its frame is walked without building it, so that memory stays near the size of the text;
// what is taken is read strictly, bounded, and reduced to members and types that are known. Pure.
#pragma once
#include "community/arrivals/api/imports.hpp"

namespace community::arrivals {

struct ReadExport {
  std::string origin;
  std::int64_t exported_ms = 0;
  // Final transactions of accounts, earliest first; sequence, import and `checked` are not set.
  std::vector<ImportedEntry> entries;
  std::size_t left_out = 0;
  // Those that the entries name.
  std::vector<ImportedAccount> accounts;
};

// import_invalid with what is wrong and where.
Result<ReadExport> read_export(std::string_view text);

}  // namespace community::arrivals
