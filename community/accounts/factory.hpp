// SPDX-License-Identifier: Apache-2.0
// What a program does with the tables of this module at its start. Only programs (cmd/) and tests include this header.
#pragma once
#include <cstdint>

#include "community/infra/api/database.hpp"

namespace community::accounts {

// Rows that were written before rows named their chain are this chain's. Inside of Database::write; the second time
// there is nothing left to do.
void claim_rows(soci::session& sql, std::uint64_t chain_id);

}  // namespace community::accounts
