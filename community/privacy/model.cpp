// SPDX-License-Identifier: Apache-2.0
#include "community/privacy/api/model.hpp"

namespace community::privacy {
namespace {

using enum ColumnKind;
using enum Protection;

constexpr Column kRegistrations[] = {{"registration_id"},
                                     {"user_id"},
                                     {"email"},
                                     {"email_key"},
                                     {"username"},
                                     {"locale"},
                                     {"state", number},
                                     {"mailed", flag},
                                     {"code_mac", text, verifier},
                                     {"attempts", number},
                                     {"challenge", text, verifier},
                                     {"answer_hash", text, verifier},
                                     {"session_id"},
                                     {"created_at", time},
                                     {"expires_at", time}};
constexpr Column kIntents[] = {{"tag"},
                               {"user_id"},
                               {"request_id"},
                               {"registers", flag},
                               {"profile_id"},
                               {"device_id"},
                               {"name"},
                               {"credential_id"},
                               {"public_key"},
                               {"flags", number},
                               {"sign_count", number},
                               {"aaguid"},
                               {"transports"},
                               {"prf", flag},
                               {"escape_key"},
                               {"salt"},
                               {"alias"},
                               {"plan", json},
                               {"created_at", time}};
constexpr Column kSessions[] = {{"session_id"},       {"user_id"},
                                {"profile_id"},       {"token_hash", text, verifier},
                                {"created_at", time}, {"last_used_at", time},
                                {"expires_at", time}, {"device_name"},
                                {"address"}};
constexpr Column kDevices[] = {{"user_id"}, {"token_hash", text, verifier}, {"last_used_at", time}};
constexpr Column kNotices[] = {{"notice_id"},        {"subscription_id"}, {"payload", json},   {"urgent", flag},
                               {"expires_ms", time}, {"next_ms", time},   {"attempts", number}};
constexpr Column kSubscriptions[] = {{"subscription_id"}, {"user_id"}, {"endpoint"},
                                     {"p256dh"},          {"auth"},    {"created_ms", time}};
constexpr Column kMails[] = {
    {"mail_id"},          {"state"},         {"recipient"},        {"message"},       {"queued_ms", time},
    {"expires_ms", time}, {"next_ms", time}, {"attempts", number}, {"reply", number}, {"ended_ms", time}};
constexpr Column kRecipients[] = {{"chain_id", number}, {"account"}, {"recipient"}, {"used_at", time}};
constexpr Column kKeyEpochs[] = {{"chain_id", number},     {"account"},       {"key_epoch", number},
                                 {"block_number", number}, {"is_open", flag}, {"tried_at", time}};
constexpr Column kCancelled[] = {{"chain_id", number}, {"account"}, {"item"}, {"block_number", number}};
constexpr Column kFunds[] = {{"user_id"}, {"given_at", time}};
constexpr Column kGrants[] = {
    {"grant_id"}, {"user_id"}, {"wallet_id"}, {"content", json}, {"ticket", text, verifier}, {"valid_until", time}};
constexpr Column kTransactions[] = {{"transaction_id"},
                                    {"sequence", number},
                                    {"user_id"},
                                    {"wallet_id"},
                                    {"account"},
                                    {"chain_id", number},
                                    {"kind"},
                                    {"state", number},
                                    {"is_over", flag},
                                    {"digest"},
                                    {"lane", number},
                                    {"lane_sequence"},
                                    {"payer", number},
                                    {"max_cost"},
                                    {"value"},
                                    {"content", json},
                                    {"submission"},
                                    {"errand"},
                                    {"created_at", time},
                                    {"updated_at", time},
                                    {"expires_at", time},
                                    {"signed_at", time},
                                    {"transaction_hash"},
                                    {"block_number", number},
                                    {"reason"},
                                    {"actual_cost"},
                                    {"replaces"},
                                    {"replaced_by"}};
constexpr Column kEntries[] = {{"sequence", number}, {"time_ms", time}, {"event"}, {"subject"},
                               {"payload_digest"},   {"previous"},      {"hash"}};
constexpr Column kPayloads[] = {{"sequence", number}, {"salt"}, {"payload", json}};
constexpr Column kAlarmsWallets[] = {
    {"chain_id", number},          {"account"},       {"wallet"},           {"agreed_epoch", number},
    {"agreed_server_key", number}, {"named", number}, {"followed", number}, {"created_ms", time}};
constexpr Column kAlarms[] = {{"id", number},
                              {"chain_id", number},
                              {"account"},
                              {"class"},
                              {"block_number", number},
                              {"transaction_hash"},
                              {"submitter"},
                              {"seen_ms", time},
                              {"events", json},
                              {"event_count", number},
                              {"acknowledged_ms", time},
                              {"removed", flag},
                              {"told", flag},
                              {"freeze_id", number}};
constexpr Column kFreezes[] = {{"id", number},
                               {"chain_id", number},
                               {"account"},
                               {"block_number", number},
                               {"state"},
                               {"is_open", flag},
                               {"key_epoch", number},
                               {"deadline_s", number},
                               {"server_key_index", number},
                               {"attempts", number},
                               {"errand"},
                               {"reason"},
                               {"changed_ms", time},
                               {"wallet"}};
constexpr Column kWatched[] = {{"chain_id", number}, {"address"}, {"created_ms", time}};
constexpr Column kEvents[] = {{"id"},
                              {"chain_id", number},
                              {"account"},
                              {"loudness", number},
                              {"block_number", number},
                              {"log_index", number},
                              {"gone", flag},
                              {"content", json},
                              {"seen_ms", time}};
constexpr Column kRecords[] = {{"record_id"},        {"kind", number},         {"leaf", number},
                               {"revision", number}, {"root_version", number}, {"sealed", text, sealed}};
constexpr Column kTags[] = {{"tag"}, {"record_id"}};
constexpr Column kBindings[] = {{"binding_id"},       {"user_id"},           {"wallet_id"}, {"wallet_address"},
                                {"chain_id", number}, {"derivation_path"},   {"alias"},     {"is_primary", flag},
                                {"created_at", time}, {"last_used_at", time}};
constexpr Column kOrigins[] = {{"wallet_id"},
                               {"user_id"},
                               {"request_id"},
                               {"profile_id"},
                               {"factory"},
                               {"entry_point"},
                               {"proxy_init_code_hash"},
                               {"init_data"},
                               {"server_key"},
                               {"escape_key"},
                               {"recovery_file_saved", flag},
                               {"created_at", time}};
constexpr Column kPasskeys[] = {
    {"profile_id"},    {"user_id"},         {"biometric_type"},   {"template_hash"},          {"tee_template_id"},
    {"device_id"},     {"is_active", flag}, {"created_at", time}, {"last_verified_at", time}, {"name"},
    {"credential_id"}, {"public_key"},      {"flags", number},    {"sign_count", number},     {"aaguid"},
    {"transports"},    {"prf", flag}};
constexpr Column kMultisigs[] = {{"entry_id"}, {"user_id"},   {"chain_id", number}, {"address"},
                                 {"name"},     {"init_data"}, {"created_at", time}};
constexpr Column kArrivals[] = {{"arrival_id"},
                                {"user_id"},
                                {"request_id"},
                                {"wallet_id"},
                                {"chain_id", number},
                                {"account"},
                                {"alias"},
                                {"state", number},
                                {"passkey"},
                                {"rp_id_hash"},
                                {"server_key_index", number},
                                {"server_key"},
                                {"created_at", time},
                                {"arrived_at", time}};
constexpr Column kImportedEntries[] = {
    {"sequence", number}, {"user_id"},          {"import_id"}, {"chain_id", number}, {"account"},      {"kind"},
    {"created_at", time}, {"transaction_hash"}, {"digest"},    {"summary", json},    {"checked", flag}};
constexpr Column kImports[] = {{"import_id"},       {"user_id"},           {"file_hash"},
                               {"origin"},          {"exported_at", time}, {"created_at", time},
                               {"entries", number}, {"left_out", number},  {"accounts", json}};
constexpr Column kUsers[] = {{"user_id"},      {"email"},  {"email_key"},        {"username"},         {"avatar_url"},
                             {"phone_number"}, {"locale"}, {"created_at", time}, {"updated_at", time}, {"status"}};

constexpr Column kApps[] = {{"permission_id"}, {"user_id"},          {"origin"},           {"wallet_id"},
                            {"account"},       {"chain_id", number}, {"created_at", time}, {"last_used_at", time}};
constexpr Column kAppTokens[] = {
    {"token_hash", text, verifier}, {"permission_id"},   {"user_id"}, {"session_id"}, {"grant_id"},
    {"created_at", time},           {"expires_at", time}};
constexpr Column kAppCalls[] = {
    {"transaction_id"}, {"permission_id"}, {"user_id"}, {"request_id"}, {"created_at", time}};

constexpr std::string_view kOwn = "user_id = :user";
// Addresses of the person's accounts, and ids of their records in the trusted core.
#define COMMUNITY_OWN_ACCOUNTS "(SELECT wallet_address FROM wallet_bindings WHERE user_id = :user)"
#define COMMUNITY_OWN_RECORDS "(SELECT REPLACE(wallet_id, '-', '') FROM wallet_origins WHERE user_id = :user)"

constexpr Table kModel[] = {
    {"registrations", "email_key IN (SELECT email_key FROM users WHERE user_id = :user)", "registration_id",
     Kept::quarter_hour, OnLeaving::erased, kRegistrations},
    {"wallet_intents", kOwn, "tag", Kept::while_wallet_is_made, OnLeaving::erased, kIntents},
    {"sessions", kOwn, "session_id", Kept::until_ended, OnLeaving::erased, kSessions},
    {"known_devices", kOwn, "token_hash", Kept::while_person_stays, OnLeaving::erased, kDevices},
    {"notifications_notices",
     "subscription_id IN (SELECT subscription_id FROM notifications_subscriptions WHERE user_id = :user)", "notice_id",
     Kept::until_sent, OnLeaving::erased, kNotices},
    {"notifications_subscriptions", kOwn, "subscription_id", Kept::until_ended, OnLeaving::erased, kSubscriptions},
    {"notifications_mails", "recipient IN (SELECT email FROM users WHERE user_id = :user)", "mail_id", Kept::until_sent,
     OnLeaving::erased, kMails},
    {"app_calls", kOwn, "transaction_id", Kept::until_ended, OnLeaving::erased, kAppCalls},
    {"app_tokens", kOwn, "token_hash", Kept::until_ended, OnLeaving::erased, kAppTokens},
    {"app_permissions", kOwn, "permission_id", Kept::until_ended, OnLeaving::erased, kApps},
    {"transactions_recipients", "account IN " COMMUNITY_OWN_ACCOUNTS,
     "CAST(chain_id AS TEXT) || ':' || account || ':' || recipient", Kept::while_person_stays, OnLeaving::erased,
     kRecipients},
    {"transactions_key_epochs", "account IN " COMMUNITY_OWN_ACCOUNTS, "CAST(chain_id AS TEXT) || ':' || account",
     Kept::while_person_stays, OnLeaving::erased, kKeyEpochs},
    {"transactions_cancelled", "account IN " COMMUNITY_OWN_ACCOUNTS,
     "CAST(chain_id AS TEXT) || ':' || account || ':' || item", Kept::until_ended, OnLeaving::erased, kCancelled},
    {"transactions_funds", kOwn, "user_id", Kept::while_person_stays, OnLeaving::erased, kFunds},
    {"transactions_grants", kOwn, "grant_id", Kept::while_person_stays, OnLeaving::erased, kGrants},
    {"transactions_entries", kOwn, "transaction_id", Kept::while_person_stays, OnLeaving::erased, kTransactions},
    {"multisigs_kept", kOwn, "entry_id", Kept::while_person_stays, OnLeaving::erased, kMultisigs},
    {"arrivals_accounts", kOwn, "arrival_id", Kept::while_person_stays, OnLeaving::erased, kArrivals},
    {"arrivals_entries", kOwn, "sequence", Kept::while_person_stays, OnLeaving::erased, kImportedEntries},
    {"arrivals_imports", kOwn, "import_id", Kept::while_person_stays, OnLeaving::erased, kImports},
    {"audit_payloads", "sequence IN (SELECT sequence FROM audit_entries WHERE subject = :user)", "sequence",
     Kept::while_person_stays, OnLeaving::erased, kPayloads},
    {"audit_entries", "subject = :user", "sequence", Kept::while_person_stays, OnLeaving::chained, kEntries},
    {"alarms_wallets", "account IN " COMMUNITY_OWN_ACCOUNTS,
     "CAST(chain_id AS TEXT) || ':' || account || ':' || wallet", Kept::while_person_stays, OnLeaving::public_on_chain,
     kAlarmsWallets},
    {"alarms_raised", "account IN " COMMUNITY_OWN_ACCOUNTS, "id", Kept::while_person_stays, OnLeaving::public_on_chain,
     kAlarms},
    {"alarms_freezes", "account IN " COMMUNITY_OWN_ACCOUNTS, "id", Kept::while_person_stays, OnLeaving::public_on_chain,
     kFreezes},
    {"accounts_watched", "address IN " COMMUNITY_OWN_ACCOUNTS, "CAST(chain_id AS TEXT) || ':' || address",
     Kept::while_person_stays, OnLeaving::public_on_chain, kWatched},
    {"accounts_events", "account IN " COMMUNITY_OWN_ACCOUNTS, "id", Kept::while_person_stays,
     OnLeaving::public_on_chain, kEvents},
    {"keys_records", "record_id IN " COMMUNITY_OWN_RECORDS, "record_id", Kept::while_person_stays,
     OnLeaving::sealed_record, kRecords},
    {"keys_wallet_tags", "record_id IN " COMMUNITY_OWN_RECORDS, "tag", Kept::while_person_stays,
     OnLeaving::sealed_record, kTags},
    {"wallet_bindings", kOwn, "binding_id", Kept::while_person_stays, OnLeaving::erased, kBindings},
    {"wallet_origins", kOwn, "wallet_id", Kept::while_person_stays, OnLeaving::erased, kOrigins},
    {"biometric_profiles", kOwn, "profile_id", Kept::while_person_stays, OnLeaving::erased, kPasskeys},
    {"users", kOwn, "user_id", Kept::while_person_stays, OnLeaving::erased, kUsers},
};

constexpr std::string_view kImpersonal[] = {
    // What the node as a whole has come to.
    "schema_migrations", "database_writer", "audit_listeners", "alarms_sequence", "accounts_cursors", "keys_epoch",
    "keys_tree", "keys_prepared", "keys_node_keys", "treasury_payments", "treasury_attempts",
    // What was brought on chain for whomever: public there, and under no id of a person here.
    "pool_userops", "bundler_transactions", "courier_errands", "courier_attempts"};

}  // namespace

std::span<const Table> model() { return kModel; }
std::span<const std::string_view> impersonal_tables() { return kImpersonal; }

std::string_view name(Protection protection) {
  constexpr std::string_view kNames[] = {"clear", "verifier", "sealed"};
  return kNames[static_cast<std::size_t>(protection)];
}

std::string_view name(Kept kept) {
  constexpr std::string_view kNames[] = {"while-person-stays", "until-ended", "quarter-hour", "until-sent",
                                         "while-wallet-is-made"};
  return kNames[static_cast<std::size_t>(kept)];
}

std::string_view name(OnLeaving on_leaving) {
  constexpr std::string_view kNames[] = {"erased", "chained", "sealed-record", "public-on-chain"};
  return kNames[static_cast<std::size_t>(on_leaving)];
}

}  // namespace community::privacy
