// SPDX-License-Identifier: Apache-2.0
// Rows of arrivals and of what was imported. What throws is an error of the database.
#pragma once
#include <soci/soci.h>

#include <unordered_set>

#include "community/arrivals/factory.hpp"

namespace community::arrivals::store {

// --- arrivals --------------------------------------------------------------------------------------------------------

// Earliest first.
std::vector<Arrival> arrivals(soci::session& sql, const std::string& user_id);
std::optional<Arrival> arrival(soci::session& sql, const std::string& user_id, const std::string& arrival_id);
std::optional<Arrival> arrival_of_request(soci::session& sql, const std::string& user_id,
                                          const std::string& request_id);
// Of everybody, on one chain, behind the one with this id.
std::vector<Arrival> expected(soci::session& sql, std::uint64_t chain_id, const std::string& after, std::size_t most);
long long count_open(soci::session& sql);
// The person is in the tables of people.
void insert(soci::session& sql, const std::string& request_id, const Arrival& arrival);
// Its state and when it arrived.
void update(soci::session& sql, const Arrival& arrival);
void erase(soci::session& sql, const std::string& arrival_id);
bool is_person(soci::session& sql, const std::string& user_id);
// Of others: the account is not with them any more.
void erase_arrived(soci::session& sql, const Arrival& but);
// The wallet that has the account at this node, whoever's it is.
std::optional<std::string> holder(soci::session& sql, std::uint64_t chain_id, const Address& account);
// Another account than this one that the wallet has.
bool has_other_account(soci::session& sql, const std::string& wallet_id, const Address& account);

// --- imports ---------------------------------------------------------------------------------------------------------

std::vector<Import> imports(soci::session& sql, const std::string& user_id);
std::optional<Import> import_of_file(soci::session& sql, const std::string& user_id, const Bytes32& file_hash);
void insert(soci::session& sql, const std::string& user_id, const Bytes32& file_hash, const Import& import);
// Sequences are given here. Prepared once for all.
void insert(soci::session& sql, const std::string& user_id, std::vector<ImportedEntry>& entries);
// False when there was none.
bool erase_import(soci::session& sql, const std::string& user_id, const std::string& import_id);
// What a person's entries are known by: transaction hash and digest.
std::unordered_set<std::string> known_entries(soci::session& sql, const std::string& user_id);
std::string key_of(const ImportedEntry& entry);
std::vector<ImportedEntry> entries(soci::session& sql, const std::string& user_id, const EntriesQuery& query);
void set_checked(soci::session& sql, const std::string& user_id, const std::vector<std::uint64_t>& sequences);

}  // namespace community::arrivals::store
