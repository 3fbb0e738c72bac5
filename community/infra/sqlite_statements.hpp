// SPDX-License-Identifier: Apache-2.0
// SQLite sessions of SOCI that keep prepared statements. SOCI compiles the text of a statement each time that it is
// executed, which took a third of the time of a short write; a connection of this factory compiles each text once.
#pragma once
#include <soci/sqlite3/soci-sqlite3.h>

namespace community::infra {

// For soci::session::open(), with the connection string of SOCI's own factory. Lives as long as the program.
const soci::backend_factory& keeping_sqlite();

}  // namespace community::infra
