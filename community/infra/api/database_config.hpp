// SPDX-License-Identifier: Apache-2.0
// From the section [database] to what Database::open takes.
#pragma once
#include <filesystem>

#include "community/infra/api/config.hpp"
#include "community/infra/api/database.hpp"

namespace community::infra {

// node.db in the data folder when the section names nothing. Reads the password's file: io when it cannot be read.
// config_value when the section names two databases, or a password for SQLite.
Result<DatabaseOptions> database_options(const Config& config, const std::filesystem::path& data_dir);

// Of a URL in DatabaseOptions.
bool is_postgresql(std::string_view url);

}  // namespace community::infra
