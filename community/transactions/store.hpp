// SPDX-License-Identifier: Apache-2.0
// The tables of this module. All functions run inside of Database::write or read; what SOCI throws makes them fail.
#pragma once
#include "community/infra/api/database.hpp"
#include "community/transactions/api/eoa_json.hpp"
#include "community/transactions/factory.hpp"

namespace community::transactions {

// Of a change of keys, what the struct does not say. In the struct's order.
struct KeyPlan {
  struct Passkey {
    // Both empty: of another node, to which the account moves.
    std::string passkey_id;
    Bytes credential_id;

    bool is_foreign() const { return passkey_id.empty(); }
  };
  std::vector<Passkey> added;
  // The person's own among those that go, and which of them no other wallet has.
  std::vector<Passkey> removed;
  std::vector<std::string> retired;
  // Of a new server key of this wallet.
  std::optional<std::uint32_t> own_server_key;
};

// With the trusted core's ticket for it, which stands in transactions_grants alone: zero before it was signed, and in
// rows that were read back.
struct StoredGrant {
  Bytes32 id{};
  Bytes32 ticket{};
  accounts::Grant grant;
};

// A transaction with what its person does not see.
struct Stored {
  Transaction transaction;
  keys::RecordId wallet{};
  std::uint32_t server_key_index = 0;
  // Of an operation: key and sequence number of its nonce.
  std::uint64_t lane = 0, lane_sequence = 0;
  // The account's passkeys as they were when this was prepared: whose signature it takes, by slot.
  std::vector<accounts::ChainPasskey> passkeys;
  // Bit i: signer i started the item that is cancelled, and cannot cancel it.
  std::uint16_t started_by = 0;
  // Of a plain function that wants two: those that came, and how many were on disk when this row was read.
  std::vector<accounts::ActionSignature> votes;
  std::size_t votes_found = 0;
  // Of a passkey that voted first, for the trusted core's gate; gone once the core has answered.
  std::optional<SignRequest> assertion;
  // What is sent once it is signed: the operation's signature, or the call data of a plain function.
  Bytes submission;
  // Of the courier.
  std::optional<Bytes32> errand;
  // Who gets something by it, remembered once it is included.
  std::vector<Address> recipients;
  // Places that the account never paid or called before, for the policy.
  std::vector<Address> new_recipients;
  std::optional<KeyPlan> plan;
  // Of kinds grant and session.
  std::optional<StoredGrant> grant;
  // What the trusted core was asked to change by, before its answer.
  std::optional<SignRequest> asked;
  // Of an eoa: the wallet's account, under which recipients are remembered for all keys of the wallet.
  std::optional<Address> remembered_by;
  // Its person heard of it in a block, or that it failed: once each, however often a reorganisation brings it back.
  bool told_inclusion = false, told_failure = false;
  // Nothing changes any more.
  bool is_over = false;
};

namespace store {

// 0: there is none.
std::uint64_t last_sequence(soci::session& sql);
// Under a sequence that no other one has.
void insert(soci::session& sql, const Stored& row);
// Everything that may change: by its id.
// False: it is gone, because its person left.
bool update(soci::session& sql, const Stored& row);
std::optional<Stored> find(soci::session& sql, const std::string& user_id, const std::string& transaction_id);
// What is not over, by sequence; prepared ones that have expired are among them.
std::vector<Stored> open(soci::session& sql);
// Latest first, without what was never signed.
std::vector<Stored> history(soci::session& sql, const std::string& user_id, const HistoryQuery& query);
// Prepared ones of a person beyond the latest `keep`.
std::vector<Stored> prepared_beyond(soci::session& sql, const std::string& user_id, std::size_t keep);
// Prepared ones whose time is over.
void expire(soci::session& sql, std::int64_t now_ms);
// Removes of this wallet what is over and beyond kMaxHistory.
void trim(soci::session& sql, const std::string& wallet_id);
// Removes what was never signed and is over since before this time.
void remove_unsigned(soci::session& sql, std::int64_t before_ms);

// wei that the person signed away since; what failed or was replaced is left out.
Uint256 value_signed(soci::session& sql, const std::string& user_id, std::uint64_t chain_id, std::int64_t since_ms);
// How many, and the time of the oldest of them.
struct Count {
  std::size_t count = 0;
  std::int64_t oldest_ms = 0;
};
Count signed_since(soci::session& sql, const std::string& user_id, std::int64_t since_ms);

// Latest first, at most kMaxRecipients.
inline constexpr std::size_t kMaxRecipients = 1'000;
std::vector<Address> recipients(soci::session& sql, std::uint64_t chain_id, const Address& account);
void note_recipients(soci::session& sql, const Stored& row, std::int64_t now_ms);

// When the person was given development funds last; 0: never.
std::int64_t funds_given_ms(soci::session& sql, const std::string& user_id);
void note_funds(soci::session& sql, const std::string& user_id, std::int64_t now_ms);

// Of transactions that were to replace this one, the one that is in a block; empty: none is.
std::string replacement_in_block(soci::session& sql, const Transaction& transaction);
// Another operation of the account under the same nonce that is in a block; empty: none is.
std::string same_nonce_in_block(soci::session& sql, const Stored& row);
// Whether another operation brings the account of this one on chain: one that is under way, or came into a block since
// this one was prepared, and is not `replaced` by it.
bool is_deploying(soci::session& sql, const Transaction& transaction, const std::string& replaced);
// Whether another transaction of this key was signed under this number and is not over.
bool has_eoa_nonce(soci::session& sql, const Stored& row);

// Grants that are not over.
void insert_grant(soci::session& sql, const Transaction& transaction, const StoredGrant& grant);
std::optional<StoredGrant> grant(soci::session& sql, const std::string& user_id, const Bytes32& grant_id);
// Of a grant that there is.
std::string wallet_of_grant(soci::session& sql, const std::string& user_id, const Bytes32& grant_id);
void remove_grants(soci::session& sql, std::int64_t until_ms);

// An account whose key epoch was heard of, in this block. Every such change voids what older keys signed.
struct KeyEpoch {
  std::uint64_t chain_id = 0;
  Address account{};
  std::uint32_t key_epoch = 0;
  std::uint64_t block_number = 0;
};
// Opens it for a comparison, unless this epoch or a later one was heard of before.
void note_key_epoch(soci::session& sql, const KeyEpoch& heard);
// Of these blocks, open ones: those first that were not tried for longest.
std::vector<KeyEpoch> open_key_epochs(soci::session& sql, std::uint64_t chain_id, std::uint64_t up_to_block,
                                      std::size_t most);
// Unless a later epoch was heard of meanwhile.
void close_key_epoch(soci::session& sql, const KeyEpoch& compared);
void note_key_epoch_tried(soci::session& sql, const KeyEpoch& tried, std::int64_t now_ms);
void remove_key_epoch(soci::session& sql, const KeyEpoch& heard);
// A reorganisation took these blocks: what comes again is heard of again.
void take_back_key_epochs(soci::session& sql, std::uint64_t chain_id, std::uint64_t above_block);
// In which block this epoch began; 0: it was not heard of.
std::uint64_t block_of_key_epoch(soci::session& sql, const KeyEpoch& heard);
// The latest that was heard of; 0: none.
std::uint32_t key_epoch(soci::session& sql, std::uint64_t chain_id, const Address& account);
// An item of an account, which somebody cancelled in this block: here, at another node, or with the escape page.
struct CancelledItem {
  std::uint64_t chain_id = 0;
  Address account{};
  Bytes32 item{};
  std::uint64_t block_number = 0;
};
void note_cancelled(soci::session& sql, const CancelledItem& heard);
// Of these blocks, earliest first.
std::vector<CancelledItem> cancelled_items(soci::session& sql, std::uint64_t chain_id, std::uint64_t up_to_block,
                                           std::size_t most);
void remove_cancelled(soci::session& sql, const CancelledItem& looked_at);
// A reorganisation took these blocks.
void take_back_cancelled(soci::session& sql, std::uint64_t chain_id, std::uint64_t above_block);
// Changes of keys that the person signed here, latest first. An account has 8 passkeys at the most, and one that waits
// on chain for longer than the 256 latest changes is void by its time.
inline constexpr std::size_t kMaxKeyChanges = 256;
std::vector<Stored> signed_key_changes(soci::session& sql, const std::string& user_id);

}  // namespace store

core::json::object grant_json(const accounts::Grant& grant);
std::optional<accounts::Grant> read_grant_json(const core::json::object& object);

// Back from eoa_json.
bool read_eoa_json(const core::json::object& object, std::uint64_t chain_id, core::Transaction& transaction);

// The columns' JSON.
core::json::object content_json(const Stored& row);
// False when it is not what content_json writes.
bool read_content(const core::json::object& content, Stored& row);

// The action of a kind, from fields that all of them share.
struct PlainFields {
  std::uint8_t votes = 1;
  // cancel: item; revoke_grant: grant; unlist_domain: domain separator
  Bytes32 hash{};
  // lower_limit: token; disallow_call: target
  Address subject{};
  Uint256 amount;
  std::array<std::uint8_t, 4> selector{};
};
std::optional<accounts::Action> action_of(Kind kind, const PlainFields& fields);
// Kind and fields of an action that a person orders; nothing for the others.
std::optional<std::pair<Kind, PlainFields>> fields_of(const accounts::Action& action);

}  // namespace community::transactions
