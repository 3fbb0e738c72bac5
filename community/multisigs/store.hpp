// SPDX-License-Identifier: Apache-2.0
// Rows of the list. What throws is an error of the database.
#pragma once
#include <soci/soci.h>

#include "community/multisigs/factory.hpp"

namespace community::multisigs::store {

// Earliest first.
std::vector<KeptMultisig> list(soci::session& sql, const std::string& user_id);
std::optional<KeptMultisig> find(soci::session& sql, const std::string& user_id, const std::string& multisig_id);
// The person is in the tables of people.
void insert(soci::session& sql, const std::string& user_id, const KeptMultisig& entry);
void set_name(soci::session& sql, const std::string& multisig_id, const std::string& name);
void erase(soci::session& sql, const std::string& multisig_id);
bool is_person(soci::session& sql, const std::string& user_id);

}  // namespace community::multisigs::store
