// SPDX-License-Identifier: Apache-2.0
// Forward-only schema steps. Inside of the module.
#pragma once
#include "community/infra/api/database.hpp"

namespace community::infra {

std::vector<std::string> split_statements(std::string_view sql);
// Compares what the database says was applied with `sets`, then applies the rest.
Result<void> apply_migrations(soci::session& session, const std::vector<MigrationSet>& sets);

}  // namespace community::infra
