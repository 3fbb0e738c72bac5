// SPDX-License-Identifier: Apache-2.0
// Requests about an account beyond its own operations: session operations, actions by EIP-712 struct, changes of keys
// (spec/account.md) and the adoption of accounts that began elsewhere. Digests and challenges are computed here for
// both sides, because they are what a passkey signs.
#pragma once
#include "trusted/ethereum/account_structs.hpp"
#include "trusted/protocol/messages.hpp"

namespace community::protocol {

// --- session operations ----------------------------------------------------------------------------------------------

// No assertion: the ticket proves that a person signed the grant.
struct SignSessionRequest {
  RecordProof record;
  std::uint64_t chain_id = 0;
  Address entry_point{};
  UseropFields userop;
  Bytes32 ticket{};
  std::uint32_t server_key_index = 0;
  template <class C>
  void fields(C& c) {
    record.fields(c);
    c.number(chain_id).fixed(entry_point);
    userop.fields(c);
    c.fixed(ticket).number(server_key_index);
  }
};

struct SignSessionReply {
  Signature65 signature{};
  Bytes32 userop_hash{};
  Uint256 max_cost;
  std::uint16_t call_count = 0;
  std::array<CallSummary, kMaxCallsPerUserop> calls{};
  template <class C>
  void fields(C& c) {
    c.fixed(signature).fixed(userop_hash).word(max_cost).list(calls, call_count);
  }
};

// --- actions ---------------------------------------------------------------------------------------------------------

template <class C>
void stamp_fields(C& c, ethereum::Stamp& stamp) {
  c.number(stamp.key_epoch).word(stamp.nonce).number(stamp.deadline);
}

enum class ActionKind : std::uint8_t {
  freeze = 1,
  unfreeze = 2,
  change_rules = 3,
  upgrade = 4,
  cancel = 5,
  lower_limit = 6,
  lower_gas_cap = 7,
  unlist_domain = 8,
  disallow_call = 9,
  revoke_grant = 10
};

// The fields of one struct; each kind has its own.
struct AccountAction {
  ActionKind kind = ActionKind::freeze;
  ethereum::Stamp stamp;
  // unfreeze, change_rules
  std::uint8_t votes = 0;
  // change_rules; the last two are bool
  Bytes32 guardians_hash{};
  std::uint8_t guardian_threshold = 0;
  std::uint32_t recovery_delay = 0;
  std::uint8_t strict = 0, unlisted_tokens = 0;
  // upgrade: implementation; lower_limit: token; disallow_call: target
  Address subject{};
  // upgrade: code hash; cancel: item; unlist_domain: domain separator; revoke_grant: grant id
  Bytes32 hash{};
  // lower_limit: a day; lower_gas_cap: an operation
  Uint256 amount;
  // disallow_call
  std::array<std::uint8_t, 4> selector{};

  template <class C>
  void fields(C& c) {
    auto number = static_cast<std::uint8_t>(kind);
    c.number(number);
    kind = static_cast<ActionKind>(number);
    switch (kind) {
      case ActionKind::freeze:
        break;
      case ActionKind::unfreeze:
        c.number(votes);
        break;
      case ActionKind::change_rules:
        c.fixed(guardians_hash).number(guardian_threshold).number(recovery_delay).number(strict);
        c.number(unlisted_tokens).number(votes);
        break;
      case ActionKind::upgrade:
        c.fixed(subject).fixed(hash);
        break;
      case ActionKind::cancel:
      case ActionKind::unlist_domain:
      case ActionKind::revoke_grant:
        c.fixed(hash);
        break;
      case ActionKind::lower_limit:
        c.fixed(subject).word(amount);
        break;
      case ActionKind::lower_gas_cap:
        c.word(amount);
        break;
      case ActionKind::disallow_call:
        c.fixed(subject).fixed(selector);
        break;
      default:
        c.fail();
    }
    stamp_fields(c, stamp);
  }
};

// The digest of an action whose kind the reader accepted.
inline Bytes32 action_digest(const AccountAction& action, std::uint64_t chain_id, const Address& account) {
#define COMMUNITY_ACTION_TYPE(fields) fields "uint32 keyEpoch,uint256 nonce,uint48 deadline)"
  using Struct = ethereum::AccountStruct;
  const ethereum::Stamp& stamp = action.stamp;
  switch (action.kind) {
    case ActionKind::freeze:
      break;
    case ActionKind::unfreeze: {
      Struct fields(COMMUNITY_ACTION_TYPE("Unfreeze(uint8 votes,"));
      return fields.number(action.votes).digest(stamp, chain_id, account);
    }
    case ActionKind::change_rules: {
      Struct fields(
          COMMUNITY_ACTION_TYPE("ChangeRules(bytes32 guardiansHash,uint8 guardianThreshold,uint32 recoveryDelay,"
                                "bool strict,bool unlistedTokens,uint8 votes,"));
      fields.word(action.guardians_hash).number(action.guardian_threshold).number(action.recovery_delay);
      fields.number(action.strict).number(action.unlisted_tokens).number(action.votes);
      return fields.digest(stamp, chain_id, account);
    }
    case ActionKind::upgrade: {
      Struct fields(COMMUNITY_ACTION_TYPE("Upgrade(address implementation,bytes32 codeHash,"));
      return fields.address(action.subject).word(action.hash).digest(stamp, chain_id, account);
    }
    case ActionKind::cancel: {
      Struct fields(COMMUNITY_ACTION_TYPE("Cancel(bytes32 item,"));
      return fields.word(action.hash).digest(stamp, chain_id, account);
    }
    case ActionKind::lower_limit: {
      Struct fields(COMMUNITY_ACTION_TYPE("LowerLimit(address token,uint256 perDay,"));
      return fields.address(action.subject).number(action.amount).digest(stamp, chain_id, account);
    }
    case ActionKind::lower_gas_cap: {
      Struct fields(COMMUNITY_ACTION_TYPE("LowerGasCap(uint256 maxCost,"));
      return fields.number(action.amount).digest(stamp, chain_id, account);
    }
    case ActionKind::unlist_domain: {
      Struct fields(COMMUNITY_ACTION_TYPE("UnlistDomain(bytes32 domainSeparator,"));
      return fields.word(action.hash).digest(stamp, chain_id, account);
    }
    case ActionKind::disallow_call: {
      Struct fields(COMMUNITY_ACTION_TYPE("DisallowCall(address target,bytes4 selector,"));
      return fields.address(action.subject).selector(action.selector).digest(stamp, chain_id, account);
    }
    case ActionKind::revoke_grant: {
      Struct fields(COMMUNITY_ACTION_TYPE("RevokeGrant(bytes32 grantId,"));
      return fields.word(action.hash).digest(stamp, chain_id, account);
    }
  }
  return Struct(COMMUNITY_ACTION_TYPE("Freeze(")).digest(stamp, chain_id, account);
#undef COMMUNITY_ACTION_TYPE
}

struct SignActionRequest {
  RecordProof record;
  std::uint64_t chain_id = 0;
  Address account{};
  std::uint32_t server_key_index = 0;
  AccountAction action;
  // Over the action's digest; a freeze has none.
  Assertion assertion;
  template <class C>
  void fields(C& c) {
    record.fields(c);
    c.number(chain_id).fixed(account).number(server_key_index);
    action.fields(c);
    if (action.kind != ActionKind::freeze) assertion.fields(c);
  }
};

// Also what an account_change_keys answers once it is committed.
struct SignActionReply {
  Signature65 signature{};
  Bytes32 digest{};
  template <class C>
  void fields(C& c) {
    c.fixed(signature).fixed(digest);
  }
};

// --- change of keys --------------------------------------------------------------------------------------------------

struct RemovedPasskey {
  // Coordinate of its key, by which the contract names it
  Bytes32 x{};
  template <class C>
  void fields(C& c) {
    c.fixed(x);
  }
};

enum class NewServerKey : std::uint8_t { none = 0, own = 1, foreign = 2 };

struct KeyChange {
  std::uint16_t removed_count = 0;
  std::array<RemovedPasskey, kMaxPasskeys> removed{};
  std::uint16_t added_count = 0;
  std::array<Passkey, kMaxPasskeys> added{};
  NewServerKey server_key = NewServerKey::none;
  // own: index of a server key of this wallet
  std::uint32_t new_index = 0;
  // foreign: never zero
  Address foreign_key{};
  // Zero: as it is
  Address escape_key{};
  std::uint8_t votes = 0;
  ethereum::Stamp stamp;
  template <class C>
  void fields(C& c) {
    c.list(removed, removed_count).list(added, added_count);
    auto number = static_cast<std::uint8_t>(server_key);
    c.number(number);
    server_key = static_cast<NewServerKey>(number);
    if (number > 2) c.fail();
    if (server_key == NewServerKey::own) c.number(new_index);
    if (server_key == NewServerKey::foreign) c.fixed(foreign_key);
    if (server_key == NewServerKey::foreign && base::is_zero(foreign_key)) c.fail();
    c.fixed(escape_key).number(votes);
    stamp_fields(c, stamp);
  }
};

// `server_key` is the address that the struct carries: zero for "as it is".
inline Bytes32 key_change_digest(const KeyChange& change, const Address& server_key, std::uint64_t chain_id,
                                 const Address& account) {
  base::Keccak256 removed, added;
  for (std::size_t i = 0; i < change.removed_count; i++) removed.add(change.removed[i].x);
  const Bytes32 passkey_type = base::keccak256(base::view("Passkey(uint256 x,uint256 y,bytes32 rpIdHash)"));
  for (std::size_t i = 0; i < change.added_count; i++)
    added.add(base::keccak256({passkey_type, change.added[i].public_key, change.added[i].rp_id_hash}));
  ethereum::AccountStruct fields(
      "ChangeKeys(uint256[] removed,Passkey[] added,address serverKey,address escapeKey,uint8 votes,"
      "uint32 keyEpoch,uint256 nonce,uint48 deadline)Passkey(uint256 x,uint256 y,bytes32 rpIdHash)");
  fields.word(removed.finish()).word(added.finish()).address(server_key).address(change.escape_key);
  return fields.number(change.votes).digest(change.stamp, chain_id, account);
}

struct AccountChangeKeysRequest {
  RecordProof record;
  std::uint64_t chain_id = 0;
  Address account{};
  // The gate: the key that signs, as the account knows it now.
  std::uint32_t server_key_index = 0;
  KeyChange change;
  // Over the digest of the struct
  Assertion assertion;
  template <class C>
  void fields(C& c) {
    record.fields(c);
    c.number(chain_id).fixed(account).number(server_key_index);
    change.fields(c);
    assertion.fields(c);
  }
};

// --- adoption --------------------------------------------------------------------------------------------------------

// Takes in an account whose init data names other keys than this wallet's, because it moved here, escaped or was
// recovered to keys of this wallet; or takes back one that left. The owner gives it server key `server_key_index` on
// chain, before or afterwards.
struct AccountAdoptRequest {
  RecordProof record;
  std::uint64_t chain_id = 0;
  Address account{};
  std::uint32_t server_key_index = 0;
  // Over account_adoption_challenge()
  Assertion assertion;
  template <class C>
  void fields(C& c) {
    record.fields(c);
    c.number(chain_id).fixed(account).number(server_key_index);
    assertion.fields(c);
  }
};

// What a passkey of the wallet signs. The revision is the record's before the adoption, so that no assertion serves
// twice. All fields have a fixed length and no other challenge begins with these words.
inline Bytes32 account_adoption_challenge(const RecordId& wallet, std::uint64_t revision, std::uint64_t chain_id,
                                          const Address& account, std::uint32_t server_key_index) {
  std::array<std::uint8_t, 16> numbers;
  std::array<std::uint8_t, 4> index;
  base::store_be(numbers.data(), revision);
  base::store_be(numbers.data() + 8, chain_id);
  base::store_be(index.data(), server_key_index);
  return base::sha256({base::view("community account adoption"), wallet, numbers, account, index});
}

struct AdoptionCommitted {
  // Address of the server key that was named: the one to give to the account on chain.
  Address server_key{};
  template <class C>
  void fields(C& c) {
    c.fixed(server_key);
  }
};

}  // namespace community::protocol
