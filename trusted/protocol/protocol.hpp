// SPDX-License-Identifier: Apache-2.0
// The contract between the trusted core and its host: commands, limits and errors. Both sides compile this file.
// spec/trusted-core-protocol.md explains it in words.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace community::protocol {

inline constexpr std::uint16_t kProtocolVersion = 1;

// A bundle may fill a transaction of 262,144 bytes; the rest of a request (record, path, fields) stays under 16 KiB.
inline constexpr std::size_t kMaxTransactionBytes = 262'144;
inline constexpr std::size_t kMaxFrame = kMaxTransactionBytes + 16'384;
// The largest answer is that of a COMMIT of 256 changes: 44 KiB.
inline constexpr std::size_t kMaxReplyFrame = 65'536;
// Wallet record: 8 passkeys with their content roots, 32 policy entries and 16 accounts come to about 4 KiB sealed.
inline constexpr std::size_t kMaxSealedRecord = 8'192;
inline constexpr std::size_t kMaxPasskeys = 8;
inline constexpr std::size_t kMaxPolicyRules = 32;
inline constexpr std::size_t kMaxAccountsPerWallet = 16;
inline constexpr std::size_t kMaxCallsPerUserop = 32;
inline constexpr std::size_t kMaxUseropBytes = 131'072;
inline constexpr std::size_t kMaxClientData = 2'048;
inline constexpr std::size_t kMaxAuthenticatorData = 512;
inline constexpr std::size_t kMaxInitData = 16'384;
// Rows of each table of init data, for all chains together.
inline constexpr std::size_t kMaxInitRows = 32;
// Gas limit of a transaction that carries a plain function or deploys an account. Two votes and the gate need well
// under 1,000,000 even where P-256 has no precompile; a recovery by many guardians there may need another sender.
inline constexpr std::uint64_t kMaxPlainCallGas = 2'000'000;
// Gas limit of a treasury's transaction. Paying an executor takes 21,000 and a deposit about 50,000; chains that charge
// for their base layer in gas need a few times that.
inline constexpr std::uint64_t kMaxTreasuryGas = 200'000;
// An unsigned payment: ten numbers of at most 33 bytes, an address and 36 bytes of call data.
inline constexpr std::size_t kMaxTreasuryTransaction = 512;
// Configuration: 8 chains with all their tables and treasuries and 8 relying parties with the longest origins take
// 5,638 bytes.
inline constexpr std::size_t kMaxConfiguration = 6'144;
inline constexpr std::size_t kMaxChains = 8;
inline constexpr std::size_t kMaxEntryPoints = 4;
inline constexpr std::size_t kMaxPaymasters = 4;
inline constexpr std::size_t kMaxRelyingParties = 8;
inline constexpr std::size_t kMaxOrigin = 128;
// Changes that one COMMIT makes valid together.
inline constexpr std::size_t kMaxPendingChanges = 256;
inline constexpr std::size_t kMaxChangeReply = 160;
// A transaction of a wallet's own: what execution clients take into their pools.
inline constexpr std::size_t kMaxEoaTransaction = 131'072;
inline constexpr std::size_t kMaxPersonalMessage = 16'384;
// Typed data (EIP-712): the largest in use, orders of exchanges, have ten types and a few kilobytes of values.
inline constexpr std::size_t kMaxTypedDataTypes = 24;
inline constexpr std::size_t kMaxTypeDefinition = 1'024;
inline constexpr std::size_t kMaxTypedDataBytes = 65'536;
inline constexpr std::size_t kMaxTypedDataName = 128;
// What a generic key signs: the product signs nothing with them, and a transaction's worth is enough for others.
inline constexpr std::size_t kMaxGenericMessage = 131'072;
// Cipher text of an HPKE message: a passkey's PRF output and a page's key come to 113 bytes.
inline constexpr std::size_t kMaxSealedMessage = 256;
// Root keys at a time: the newest and those that records may still be sealed under.
inline constexpr std::size_t kMaxRootKeys = 8;
// Leaves of one step of a count of all records: 32 records of the largest size and a path of 25 siblings fit a frame.
inline constexpr std::size_t kCountBlock = 32;
static_assert(kCountBlock * (kMaxSealedRecord + 5) + 1'024 < kMaxFrame);
// Backup: shares of one backup key. A description of 16 cores takes 4,615 bytes, an order less.
inline constexpr std::size_t kMaxHolders = 16;
inline constexpr std::size_t kMaxBackupDescription = 5'120;
// A statement and two quotes: 1,844 bytes.
inline constexpr std::size_t kMaxEvidence = 2'048;
// Eight root keys and the spending of eight chains come to 1,441 bytes.
inline constexpr std::size_t kMaxCheckpoint = 2'048;
// Cipher text of a package: a share with its checkpoint.
inline constexpr std::size_t kMaxSharePackage = 2'560;
static_assert(kMaxHolders * (kMaxEvidence + kMaxSharePackage + 256) + 2 * kMaxBackupDescription + 1'024 < kMaxFrame);
// A billion records; a path is at most 12 + 30 * 32 = 972 bytes.
inline constexpr std::size_t kTreeDepth = 30;

#define COMMUNITY_PROTOCOL_COMMANDS(X) \
  X(hello, 1)                          \
  X(status, 2)                         \
  X(configure, 3)                      \
  X(commit, 4)                         \
  X(recover, 5)                        \
  X(release_leases, 6)                 \
  X(attest, 7)                         \
  X(rotate_root_key, 8)                \
  X(retire_root_key, 9)                \
  X(provision, 10)                     \
  X(wallet_create, 16)                 \
  X(wallet_update, 17)                 \
  X(account_bind, 18)                  \
  X(wallet_describe, 19)               \
  X(account_change_keys, 20)           \
  X(eoa_describe, 21)                  \
  X(account_adopt, 22)                 \
  X(key_create, 32)                    \
  X(key_describe, 33)                  \
  X(reseal, 34)                        \
  X(count_records, 35)                 \
  X(sign_userop, 48)                   \
  X(sign_transaction, 49)              \
  X(sign_sponsorship, 50)              \
  X(sign_session, 51)                  \
  X(sign_action, 52)                   \
  X(sign_eoa_transaction, 53)          \
  X(sign_message, 54)                  \
  X(sign_typed_data, 55)               \
  X(sign_account_message, 56)          \
  X(phrase_export, 57)                 \
  X(session_secret, 58)                \
  X(content_root_open, 59)             \
  X(sign_treasury, 60)                 \
  X(peer_challenge, 64)                \
  X(backup_create, 65)                 \
  X(backup_share, 66)                  \
  X(checkpoint, 67)                    \
  X(share_keep, 68)                    \
  X(checkpoint_keep, 69)               \
  X(share_describe, 70)                \
  X(share_release, 71)                 \
  X(restore, 72)                       \
  X(fence_certificate, 73)             \
  X(fence, 74)                         \
  X(founders, 96)

// The numbers are part of the protocol and are never reused.
enum class Command : std::uint16_t {
#define COMMUNITY_COMMAND_VALUE(name, number) name = number,
  COMMUNITY_PROTOCOL_COMMANDS(COMMUNITY_COMMAND_VALUE)
#undef COMMUNITY_COMMAND_VALUE
};

// The name of a command as it stands above; "unknown" for a number this version does not know.
constexpr std::string_view name(Command command) {
  switch (command) {
#define COMMUNITY_COMMAND_NAME(name, number) \
  case Command::name:                        \
    return #name;
    COMMUNITY_PROTOCOL_COMMANDS(COMMUNITY_COMMAND_NAME)
#undef COMMUNITY_COMMAND_NAME
  }
  return "unknown";
}

// Set in the command of every answer.
inline constexpr std::uint16_t kReplyBit = 0x8000;

// What a key may be used for, fixed when it is made.
enum class Purpose : std::uint8_t { server = 1, eoa = 2, executor = 3, treasury = 4, paymaster = 5, generic = 6 };

enum class Body : std::uint8_t { process = 1, optee_qemu = 2, optee_device = 3 };
enum class Protection : std::uint8_t { none = 0, emulated = 1, hardware = 2 };

// Every refusal by the name of the rule it enforces. The numbers are part of the protocol and are never reused.
#define COMMUNITY_PROTOCOL_ERRORS(X)               \
  X(ok, 0)                                         \
  /* channel */                                    \
  X(malformed_frame, 1)                            \
  X(frame_too_large, 2)                            \
  X(unsupported_version, 3)                        \
  X(bad_mac, 4)                                    \
  X(bad_sequence, 5)                               \
  X(no_session, 6)                                 \
  X(unknown_command, 7)                            \
  X(malformed_request, 8)                          \
  X(reply_too_large, 9)                            \
  X(not_provisioned, 10)                           \
  X(not_configured, 11)                            \
  X(store_failed, 12)                              \
  X(random_failed, 13)                             \
  X(crypto_failed, 14)                             \
  X(quote_failed, 15)                              \
  /* sealed records and the freshness tree */      \
  X(record_malformed, 32)                          \
  X(record_foreign, 33)                            \
  X(record_unknown_root, 34)                       \
  X(record_tampered, 35)                           \
  X(record_wrong_type, 36)                         \
  X(record_not_current, 37)                        \
  X(stale_path, 38)                                \
  X(leaf_occupied, 39)                             \
  X(stale_epoch, 41)                               \
  X(commit_root_mismatch, 42)                      \
  X(too_many_pending, 43)                          \
  X(pending_elsewhere, 44)                         \
  X(wrong_purpose, 45)                             \
  /* wallets */                                    \
  X(too_many_passkeys, 64)                         \
  X(passkey_exists, 65)                            \
  X(passkey_key_invalid, 66)                       \
  X(passkey_last, 67)                              \
  X(passkey_own_removal, 68)                       \
  X(too_many_accounts, 70)                         \
  X(account_exists, 71)                            \
  X(init_data_malformed, 72)                       \
  X(init_data_foreign_server_key, 73)              \
  X(init_data_foreign_passkey, 74)                 \
  X(rp_id_not_configured, 75)                      \
  X(account_address_refused, 76)                   \
  /* passkey assertion */                          \
  X(passkey_unknown, 96)                           \
  X(client_data_malformed, 97)                     \
  X(client_data_duplicate_member, 98)              \
  X(client_data_wrong_type, 99)                    \
  X(challenge_mismatch, 100)                       \
  X(origin_not_allowed, 101)                       \
  X(cross_origin, 102)                             \
  X(authenticator_data_malformed, 103)             \
  X(rp_id_mismatch, 104)                           \
  X(user_not_present, 105)                         \
  X(user_not_verified, 106)                        \
  X(passkey_signature_invalid, 107)                \
  /* user operations, rule 1 */                    \
  X(unknown_chain, 128)                            \
  X(unknown_entry_point, 129)                      \
  X(sender_not_account, 130)                       \
  X(factory_not_ours, 131)                         \
  X(init_data_not_wallets, 132)                    \
  X(call_selector_not_execute, 133)                \
  X(call_execute_user_op, 134)                     \
  X(call_mode_not_batch, 135)                      \
  X(call_encoding_not_canonical, 136)              \
  X(call_count_out_of_range, 137)                  \
  X(call_to_zero_address, 138)                     \
  X(call_to_self, 139)                             \
  X(call_to_entry_point, 140)                      \
  X(contract_not_allowed, 141)                     \
  X(function_not_allowed, 142)                     \
  X(call_value_over_cap, 143)                      \
  X(operation_value_over_cap, 144)                 \
  X(cost_over_cap, 145)                            \
  X(paymaster_data_malformed, 146)                 \
  X(self_call_not_alone, 147)                      \
  X(self_call_malformed, 148)                      \
  X(self_call_has_value, 149)                      \
  X(queue_kind_unknown, 150)                       \
  X(queue_content_malformed, 151)                  \
  X(grant_malformed, 152)                          \
  X(grant_selectors_out_of_order, 153)             \
  X(grant_selector_of_token, 154)                  \
  X(grant_target_refused, 155)                     \
  X(grant_never_valid, 156)                        \
  X(server_key_not_accounts, 157)                  \
  X(adopted_account_deploys, 158)                  \
  /* executor transactions, rule 3 */              \
  X(transaction_malformed, 160)                    \
  X(transaction_type_not_allowed, 161)             \
  X(transaction_wrong_chain, 162)                  \
  X(transaction_not_to_entry_point, 163)           \
  X(transaction_not_handle_ops, 164)               \
  X(transaction_has_value, 165)                    \
  X(transaction_gas_over_cap, 166)                 \
  X(transaction_fee_over_cap, 167)                 \
  X(transaction_foreign_beneficiary, 168)          \
  X(transaction_access_list, 169)                  \
  X(budget_exhausted, 170)                         \
  X(authorization_malformed, 171)                  \
  /* sponsorship, rule 4 */                        \
  X(paymaster_not_configured, 176)                 \
  X(sponsorship_without_end, 177)                  \
  X(sponsorship_cost_over_cap, 178)                \
  /* administration, rule 5 */                     \
  X(operator_signature_invalid, 192)               \
  X(configuration_malformed, 193)                  \
  X(configuration_sequence, 194)                   \
  X(configuration_foreign, 195)                    \
  X(recovery_malformed, 196)                       \
  X(already_provisioned, 197)                      \
  /* session operations, rule 2 */                 \
  X(session_call_malformed, 200)                   \
  X(session_deploys, 201)                          \
  X(grant_ticket_invalid, 202)                     \
  X(session_target_not_granted, 203)               \
  X(session_selector_not_granted, 204)             \
  X(session_value_over_grant, 205)                 \
  X(session_total_over_grant, 206)                 \
  X(session_paymaster_not_granted, 207)            \
  /* account actions, rule 9; init data */         \
  X(votes_out_of_range, 208)                       \
  X(action_field_out_of_range, 209)                \
  X(server_freeze_not_allowed, 210)                \
  X(guardians_inconsistent, 211)                   \
  X(recovery_delay_too_short, 212)                 \
  X(escape_key_zero, 213)                          \
  X(escape_key_is_server_key, 214)                 \
  X(passkey_named_twice, 215)                      \
  X(passkey_without_rp_id, 216)                    \
  X(init_data_too_many_rows, 217)                  \
  X(init_data_duplicate_row, 218)                  \
  X(server_key_index_out_of_order, 219)            \
  X(transaction_not_create_account, 220)           \
  X(plain_call_type_not_allowed, 221)              \
  /* phrase, messages and secrets, rules 6 to 8 */ \
  X(phrase_exists, 224)                            \
  X(phrase_missing, 225)                           \
  X(transaction_creates_contract, 226)             \
  X(authorization_other_chain, 227)                \
  X(typed_data_types_malformed, 228)               \
  X(typed_data_values_malformed, 229)              \
  X(typed_data_too_complex, 230)                   \
  X(typed_data_other_chain, 231)                   \
  X(typed_data_of_entry_point, 232)                \
  X(typed_data_of_account, 233)                    \
  X(typed_data_is_permit, 234)                     \
  X(hpke_key_invalid, 235)                         \
  X(hpke_message_not_opened, 236)                  \
  X(hpke_message_malformed, 237)                   \
  X(content_root_exists, 238)                      \
  X(content_root_missing, 239)                     \
  X(content_root_not_wrapped, 240)                 \
  X(content_root_other_secret, 241)                \
  /* root keys, rule 5 */                          \
  X(root_key_order_malformed, 256)                 \
  X(root_key_out_of_order, 257)                    \
  X(too_many_root_keys, 258)                       \
  X(root_key_is_newest, 259)                       \
  X(root_key_in_use, 260)                          \
  X(records_not_counted, 261)                      \
  X(record_under_newest_root, 262)                 \
  X(count_out_of_order, 263)                       \
  /* backup between cores */                       \
  X(backup_order_malformed, 272)                   \
  X(backup_out_of_order, 273)                      \
  X(backup_missing, 274)                           \
  X(backup_description_wrong, 275)                 \
  X(holder_unknown, 276)                           \
  X(peer_challenge_foreign, 277)                   \
  X(evidence_other_core, 278)                      \
  X(evidence_quotes_missing, 279)                  \
  X(evidence_other_key, 280)                       \
  X(evidence_other_code, 281)                      \
  X(evidence_signature_invalid, 282)               \
  X(package_signature_invalid, 283)                \
  X(package_not_opened, 284)                       \
  X(package_malformed, 285)                        \
  X(share_other_backup, 286)                       \
  X(share_not_committed, 287)                      \
  X(share_twice, 288)                              \
  X(too_few_shares, 289)                           \
  X(checkpoint_malformed, 290)                     \
  X(checkpoint_other_backup, 291)                  \
  X(checkpoint_signature_invalid, 292)             \
  X(checkpoint_not_newer, 293)                     \
  X(checkpoint_not_opened, 294)                    \
  X(checkpoint_missing, 295)                       \
  X(restore_other_device, 296)                     \
  X(core_not_empty, 297)                           \
  X(fence_without_recovery, 298)                   \
  X(fence_certificate_foreign, 299)                \
  X(fence_certificate_invalid, 300)                \
  X(fence_certificate_not_newer, 301)              \
  X(fence_certificate_is_own, 302)                 \
  X(fenced, 303)                                   \
  /* treasury, rule 3 */                           \
  X(treasury_not_configured, 320)                  \
  X(treasury_destination_refused, 321)             \
  X(treasury_call_refused, 322)                    \
  X(treasury_value_zero, 323)                      \
  X(treasury_value_over_cap, 324)                  \
  /* generic keys, the founders' interface */      \
  X(generic_order_malformed, 325)                  \
  X(generic_order_out_of_sequence, 326)            \
  X(generic_order_other_key, 327)                  \
  X(generic_secret_refused, 328)                   \
  X(generic_hash_refused, 329)

enum class Error : std::uint16_t {
#define COMMUNITY_ERROR_VALUE(name, number) name = number,
  COMMUNITY_PROTOCOL_ERRORS(COMMUNITY_ERROR_VALUE)
#undef COMMUNITY_ERROR_VALUE
};

// The name of an error as it stands above; "unknown" for a number this version does not know.
constexpr std::string_view name(Error error) {
  switch (error) {
#define COMMUNITY_ERROR_NAME(name, number) \
  case Error::name:                        \
    return #name;
    COMMUNITY_PROTOCOL_ERRORS(COMMUNITY_ERROR_NAME)
#undef COMMUNITY_ERROR_NAME
  }
  return "unknown";
}

}  // namespace community::protocol
