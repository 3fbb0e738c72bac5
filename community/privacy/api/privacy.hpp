// SPDX-License-Identifier: Apache-2.0
// What a person may ask about their data: what there is, all of it, and its end. All calls belong to the thread of the
// loop that the object was made on.
#pragma once
#include "community/core/json.hpp"
#include "community/infra/api/http.hpp"
#include "community/infra/api/task.hpp"
#include "community/privacy/api/error.hpp"

namespace community::privacy {

using infra::Task;
namespace json = core::json;

// Of the form of an export (spec/person-export.schema.json); raised with every change that a reader could miss.
inline constexpr int kExportVersion = 1;
// Exports that are written at the same time, of everybody.
inline constexpr std::size_t kMaxExports = 4;
// Rows of one piece: at most 50 MB, of the largest transactions; 250 kB usually.
inline constexpr std::size_t kExportPage = 256;

class Privacy {
 public:
  virtual ~Privacy() = default;

  // Each table with the person's number of rows, its columns with their protection, how long it stays and what becomes
  // of it; and each key with the place where its secret lives. database_unavailable.
  virtual Task<Result<json::object>> overview(std::string user_id) = 0;

  // A response whose body is written while it is read from the database, page by page: the person's rows of every
  // table of the model but for columns that are verifiers or sealed. Pages are snapshots of their own. A document that
  // could not be finished has no end and is no JSON; a whole one ends with "complete": true. Told to the audit log.
  // not_found, too_many_exports.
  virtual Task<Result<infra::HttpResponse>> export_person(std::string user_id) = 0;

  // One write removes everything that the model says is removed, and tells the audit log UserDeleted under the random
  // id that then leads to nobody. Whoever calls has made sure that the person wants it. not_found.
  virtual Task<Result<void>> erase_person(std::string user_id) = 0;
};

}  // namespace community::privacy
