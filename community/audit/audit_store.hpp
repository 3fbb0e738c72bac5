// SPDX-License-Identifier: Apache-2.0
// Rows of the audit log. Inside of the module.
#pragma once
#include <functional>

#include "community/audit/api/audit_log.hpp"

namespace community::audit {

// A row as it stands, which need not be what this program wrote.
struct StoredRow {
  long long sequence = 0;
  Result<Entry> entry;
};

// Rows that `query` asks for, in its order, until `take` answers false. `query` was checked.
void for_each_row(soci::session& sql, const Query& query, const std::function<bool(const StoredRow&)>& take);

// subject_syntax for what is neither empty nor a UUID in lower case.
Result<void> check_subject(std::string_view subject);

// Links the event behind the last entry. Its parts were checked.
Entry append(soci::session& sql, EventName event, const std::string& subject, std::int64_t time_ms, Payload payload);

}  // namespace community::audit
