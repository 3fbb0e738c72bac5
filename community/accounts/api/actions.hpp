// SPDX-License-Identifier: Apache-2.0
// The plain functions of a CommunityAccount (spec/account.md, sections 1 and 2): what each signer signs and what
// anybody then submits. Pure.
#pragma once
#include <variant>

#include "community/accounts/api/account.hpp"
#include "community/core/json.hpp"

namespace community::accounts {

// Numbers of signers; 0 to 7 are passkey slots.
inline constexpr std::uint8_t kEscapeSigner = 8, kServerSigner = 9;

// Whose action it is: one account on one chain.
struct AccountOnChain {
  std::uint64_t chain_id = 0;
  Address account{};
};

// The end of every signed struct. `nonce` is any number that makes the struct unlike others; `deadline_s` is the last
// second, since 1970, at which it may be submitted.
struct Stamp {
  std::uint32_t key_epoch = 0;
  Uint256 nonce;
  std::uint64_t deadline_s = 0;
};

// `data` as spec/account.md, section 1, has it: encode_passkey_vote or r || s || v.
struct ActionSignature {
  std::uint8_t signer = 0;
  Bytes data;
};

struct Freeze {};
struct Unfreeze {
  std::uint8_t votes = 0;
};
// `removed` names passkeys by x; a zero key means "as it is".
struct ChangeKeys {
  std::vector<Uint256> removed;
  std::vector<InitPasskey> added;
  Address server_key{};
  Address escape_key{};
  std::uint8_t votes = 0;
};
struct ChangeRules {
  Bytes32 guardians_hash{};
  std::uint8_t guardian_threshold = 0;
  std::uint32_t recovery_delay_s = kDefaultRecoveryDelay_s;
  bool strict = false;
  bool unlisted_tokens = false;
  std::uint8_t votes = 0;
};
struct Escape {
  std::vector<InitPasskey> passkeys;
  Address server_key{};
  std::uint8_t votes = 0;
};
// Signed by guardians only.
struct Recover {
  std::vector<InitPasskey> passkeys;
  Address server_key{};
  Address escape_key{};
};
struct Upgrade {
  Address implementation{};
  Bytes32 code_hash{};
};
struct ConfirmUpgrade {
  Bytes32 item{};
  // What was started, with its stamp: the call repeats it, the signature names the item alone.
  Upgrade upgrade;
  Stamp started;
};
struct Cancel {
  Bytes32 item{};
};
struct LowerLimit {
  // Zero: the native currency.
  Address token{};
  Uint256 per_day;
};
struct LowerGasCap {
  Uint256 max_cost;
};
struct UnlistDomain {
  Bytes32 domain_separator{};
};
struct DisallowCall {
  Address target{};
  std::array<std::uint8_t, 4> selector{};
};
struct RevokeGrant {
  Bytes32 grant_id{};
};

using Action = std::variant<Freeze, Unfreeze, ChangeKeys, ChangeRules, Escape, Recover, Upgrade, ConfirmUpgrade, Cancel,
                            LowerLimit, LowerGasCap, UnlistDomain, DisallowCall, RevokeGrant>;

// Name of the struct in EIP-712, "ChangeKeys".
std::string_view action_name(const Action& action);

// The document that wallets of guardians and owners sign with eth_signTypedData_v4.
core::json::object action_typed_data(const AccountOnChain& where, const Action& action, const Stamp& stamp);
// What is signed; also the id of the item that the action starts when it has to wait.
Bytes32 action_digest(const AccountOnChain& where, const Action& action, const Stamp& stamp);

// Call data of the account's function. The signatures are sorted here; which of them an action needs is the contract's
// to say. actions_signer: a signer twice, or none that exists. Recover is encode_recover's.
Result<Bytes> encode_action(const Action& action, const Stamp& stamp, std::vector<ActionSignature> signatures);

// Call data of finish…: Unfreeze, ChangeKeys, ChangeRules, Escape and Recover wait and are finished by anybody.
// actions_not_finishable for the others.
Result<Bytes> encode_finish(const Action& action, const Stamp& stamp);

// The guardian list behind `guardiansHash`. Each guardian is a signer of ERC-7913: 20 bytes of an account, or verifier
// and key.
struct GuardianList {
  Bytes32 salt{};
  std::vector<Bytes> guardians;

  // In the order in which the contract wants them. guardians_invalid: none, more than 16, too short, or one twice.
  static Result<GuardianList> make(const Bytes32& salt, std::vector<Bytes> guardians);
  Bytes32 hash() const;
};

// One signature a guardian of the list, empty for who takes no part or approved on chain.
Result<Bytes> encode_recover(const Recover& recover, const Stamp& stamp, const GuardianList& list,
                             const std::vector<Bytes>& signatures);
Result<Bytes> encode_cancel_as_guardians(const Cancel& cancel, const Stamp& stamp, const GuardianList& list,
                                         const std::vector<Bytes>& signatures);
// A guardian that is a contract calls this on the account it guards.
Bytes encode_approve(const Bytes32& digest);

}  // namespace community::accounts
