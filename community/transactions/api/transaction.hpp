// SPDX-License-Identifier: Apache-2.0
// A transaction as its person sees it: what was wanted, what is signed, and what became of it. Values without
// behaviour. Times are milliseconds since 1970 where nothing else is said; amounts are wei or a token's smallest unit.
#pragma once
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "community/accounts/api/items.hpp"
#include "community/core/json.hpp"
#include "community/core/transaction.hpp"
#include "community/core/userop.hpp"
#include "community/transactions/api/error.hpp"

namespace community::transactions {

using core::Address;
using core::Bytes;
using core::Bytes32;
using core::ByteView;
using core::Uint256;

// --- what a person wants ---------------------------------------------------------------------------------------------

#define COMMUNITY_TRANSACTION_KINDS(X)                                                                          \
  X(calls)   /* a batch of calls by a user operation; the first of an account deploys it */                     \
  X(queue)   /* what is over a limit, to be carried out a day later: a user operation */                        \
  X(confirm) /* of what was queued: a user operation */                                                         \
  X(grant)   /* lets the node sign some calls without a touch for two hours at most: a user operation */        \
  X(session) /* calls under a grant: a user operation that nobody signs but the node */                         \
  X(freeze)  /* from here on plain functions, which the node's courier brings (spec/account.md, part 2) */      \
  X(unfreeze)                                                                                                   \
  X(cancel)                                                                                                     \
  X(finish) /* of an item whose time has come: nobody signs */                                                  \
  X(lower_limit)                                                                                                \
  X(lower_gas_cap)                                                                                              \
  X(revoke_grant)                                                                                               \
  X(disallow_call)                                                                                              \
  X(unlist_domain)                                                                                              \
  X(rules)         /* guardians, recovery delay, strict mode, unlisted tokens */                                \
  X(keys)          /* passkeys, server key, escape key; the trusted core first */                               \
  X(escape)        /* signed elsewhere, and only brought: nobody signs here */                                  \
  X(recover)       /* likewise, by guardians */                                                                 \
  X(message)       /* from here on nothing comes on chain: a signature for an application (EIP-191, EIP-712) */ \
  X(phrase)        /* the wallet's phrase is made, in the trusted core */                                       \
  X(export_phrase) /* it leaves, sealed to a key of the person's page */                                        \
  X(eoa)           /* a transaction of a key of the phrase, which pays for it itself */

COMMUNITY_RULES(Kind, COMMUNITY_TRANSACTION_KINDS)

constexpr bool is_operation(Kind kind) { return kind <= Kind::session; }
// What comes of it is the answer to its signature; over at once.
constexpr bool is_answered(Kind kind) { return kind >= Kind::message && kind <= Kind::export_phrase; }
// Asked for by a session of the page alone: no passkey signs it here.
constexpr bool is_brought_unsigned(Kind kind) {
  return kind == Kind::finish || kind == Kind::session || kind == Kind::escape || kind == Kind::recover;
}

struct CallsOrder {
  std::vector<accounts::Call> calls;
};
// The salt is chosen by the node.
struct QueueOrder {
  accounts::QueueKind kind = accounts::QueueKind::spend;
  // spend
  std::vector<accounts::Call> calls;
  // limit: token (zero: the native currency); allowed call: target
  Address subject{};
  // limit: a day; gas cap: an operation
  Uint256 amount;
  // domain; zero stands for personal messages
  Bytes32 domain{};
  // allowed call
  std::array<std::uint8_t, 4> selector{};
};
struct ConfirmOrder {
  Bytes32 item{};
};
// Freeze, Unfreeze and ChangeRules (with 1 or 2 votes), Cancel, LowerLimit, LowerGasCap, RevokeGrant, DisallowCall,
// UnlistDomain.
struct PlainOrder {
  accounts::Action action;
};
struct FinishOrder {
  Bytes32 item{};
};
// The same calls under the same nonce, for higher fees: of an operation that waits.
struct ReplaceOrder {
  std::string transaction_id;
};

struct KeysOrder {
  enum class ServerKey : std::uint8_t {
    as_it_is,
    // The next one of this wallet in this node's trusted core.
    next,
    // Another node's: the account moves house.
    foreign,
  };
  // Ids of the person's passkeys.
  std::vector<std::string> added;
  // Of another node, with its server key alone: what the person has there.
  std::vector<accounts::InitPasskey> foreign_passkeys;
  // Slots of the account.
  std::vector<std::uint8_t> removed;
  ServerKey server_key = ServerKey::as_it_is;
  Address foreign_server_key{};
  // Zero: as it is.
  Address escape_key{};
  // 1 or 2.
  std::uint8_t votes = 1;
};
struct GrantOrder {
  Address target{};
  std::vector<std::array<std::uint8_t, 4>> selectors;
  // wei
  Uint256 value_per_call, value_total;
  // 1 to 7,200 seconds.
  std::uint64_t valid_for_s = 0;
};
struct SessionOrder {
  Bytes32 grant_id{};
  std::vector<accounts::Call> calls;
};
// `kind`: escape or recover. `call`: what the wallet or the guardians made, ready to be sent to the account.
struct BroughtOrder {
  Kind kind = Kind::escape;
  Bytes call;
};

// One key of the wallet's phrase: m/44'/coin'/account'/0/index, coin by the chain. Both below 2^31.
struct PhraseKey {
  std::uint32_t account = 0, index = 0;
  bool operator==(const PhraseKey&) const = default;
};
// "m/44'/60'/0'/0/0"
std::string derivation_path(std::uint64_t chain_id, PhraseKey key);
struct MessageOrder {
  // Nothing: the account signs (ERC-1271), for domains that its owner listed; else a key of the phrase.
  std::optional<PhraseKey> key;
  // The bytes of a personal message (EIP-191, without its prefix), or a document as eth_signTypedData_v4 takes it.
  std::variant<Bytes, core::json::object> content;
};
struct PhraseOrder {
  // 12 or 24
  std::uint8_t words = 24;
};
struct ExportOrder {
  // HPKE key of the page: a P-256 point, uncompressed.
  std::array<std::uint8_t, 65> recipient{};
};

// One call by a key of the phrase; nonce, gas and fees are the node's to find.
struct EoaOrder {
  PhraseKey key;
  // legacy, dynamic_fee, or set_code with 1 to 16 authorizations that others signed for this chain (EIP-7702).
  core::TransactionType type = core::TransactionType::dynamic_fee;
  Address to{};
  Uint256 value;
  Bytes data;
  std::vector<core::Authorization> authorizations;
};

using Order = std::variant<CallsOrder, QueueOrder, ConfirmOrder, PlainOrder, FinishOrder, ReplaceOrder, KeysOrder,
                           GrantOrder, SessionOrder, BroughtOrder, MessageOrder, PhraseOrder, ExportOrder, EoaOrder>;

struct PrepareRequest {
  std::string wallet_id;
  std::uint64_t chain_id = 0;
  Order order;
  // False: the account pays, although somebody would sponsor it.
  bool sponsored = true;
};

// --- what is signed --------------------------------------------------------------------------------------------------

// A user operation without its signature: sender, nonce and everything else that its hash covers.
struct PreparedOperation {
  core::UserOperation userop;
  Address entry_point{};
};
// A plain function: the EIP-712 struct.
struct PreparedAction {
  accounts::Action action;
  accounts::Stamp stamp;
  // Votes that sign, and how many have.
  std::uint8_t votes_needed = 1, votes_given = 0;
  // Whose signature is taken as one of two votes, as the account had it when this was prepared. Nothing where one vote
  // is asked for, which is a passkey's, and where this key started the item that is cancelled.
  std::optional<Address> escape_key;
  bool escape_key_voted = false;
};

// A message. What the passkey signs is its digest: of an account's message the form of ERC-7739, `nested`.
struct PreparedMessage {
  std::optional<PhraseKey> key;
  // The account, or the key's address.
  Address signer{};
  // One of the two; the document is empty where bytes are signed.
  std::optional<Bytes> personal;
  core::json::object document;
  // Of an account: typed data of ERC-7739, whose digest is signed.
  core::json::object nested;
  // What the application verifies the signature for (EIP-191, EIP-712), and the domain; zero for personal messages.
  Bytes32 hash{}, domain_separator{};
  // {path, type, value} of each member that is no struct, in order, cleaned; at most kMaxShownMembers.
  core::json::array members;
  bool shows_all = true;
  // Once it is signed: r || s || v of a key, else what isValidSignature takes.
  Bytes signature;
};
// A change of the wallet's record in the trusted core: the digest is protocol::wallet_change_challenge.
struct PreparedPhrase {
  std::uint8_t words = 0;
  // Of the record, before it.
  std::uint64_t revision = 0;
};
// The digest is protocol::phrase_export_challenge. `sealed` (RFC 9180: encapsulated key, cipher text) is in the answer
// to the signature alone: it is kept nowhere.
struct PreparedExport {
  std::array<std::uint8_t, 65> recipient{};
  Bytes enc, cipher;
};

// The digest is keccak-256 of its unsigned encoding; without a signature.
struct PreparedEoa {
  PhraseKey key;
  core::Transaction transaction;
};

// Who pays for gas.
enum class Payer : std::uint8_t { sponsor, account, node };
std::string_view name(Payer payer);

enum class State : std::uint8_t {
  // Shown, not signed. Void at its expiry.
  prepared = 0,
  // Signed and on disk; about to be brought on chain.
  signed_ = 1,
  // In the pool, or an errand of the courier.
  submitted = 2,
  // In a block that may still be replaced.
  included = 3,
  // In a block deep enough.
  final_ = 4,
  // In a block, and did nothing: see `reason`.
  failed = 5,
  // Given up: see `reason`.
  dropped = 6,
  // Another operation took its nonce.
  replaced = 7,
  // Never signed: time ran out, or its person took it back.
  expired = 8,
  discarded = 9,
};
// "prepared", "signed", "final" …
std::string_view name(State state);
std::optional<State> parse_state(std::string_view name);
// Signed, and it is still open what becomes of it.
constexpr bool is_under_way(State state) { return state == State::signed_ || state == State::submitted; }

// --- the whole -------------------------------------------------------------------------------------------------------

struct Transaction {
  std::string transaction_id;
  // Grows from one to the next; what history is ordered by.
  std::uint64_t sequence = 0;
  std::string user_id, wallet_id;
  // Of an eoa its key's address.
  Address account{};
  std::uint64_t chain_id = 0;
  Kind kind{};
  State state = State::prepared;
  // What the passkey's challenge is; nothing where nobody signs. Of an operation it is its hash.
  std::optional<Bytes32> digest;
  std::variant<std::monostate, PreparedOperation, PreparedAction, PreparedMessage, PreparedPhrase, PreparedExport,
               PreparedEoa>
      content;
  // Credential ids of the person's passkeys that the account takes.
  std::vector<Bytes> credential_ids;
  Payer payer = Payer::node;
  // The sponsor's name; or why nobody sponsors it, a word of community/paymaster's errors or `not-asked`.
  std::string sponsor_name, payer_reason;
  // wei that its payer is liable for; 0 where the node pays.
  Uint256 max_cost;
  // Native value that leaves the account by it; what is queued counts when it is confirmed.
  Uint256 value;
  // As spec/openapi.json has them: CallSummary and Warning.
  core::json::array summary, warnings;
  std::int64_t created_ms = 0, updated_ms = 0, expires_ms = 0;
  // 0: not yet.
  std::int64_t signed_ms = 0;
  // What became of it.
  std::optional<Bytes32> transaction_hash;
  std::uint64_t block_number = 0;
  std::string reason;
  Uint256 actual_cost;
  // Empty: none.
  std::string replaces, replaced_by;
};

// Whether a signature of the recovery file would count as a vote now.
inline bool may_escape_key_vote(const Transaction& transaction) {
  const auto* action = std::get_if<PreparedAction>(&transaction.content);
  return action != nullptr && transaction.state == State::prepared && action->escape_key && !action->escape_key_voted;
}

// A key of a wallet's phrase, on one chain.
struct DerivedAddress {
  PhraseKey key;
  // "m/44'/60'/0'/0/0"
  std::string path;
  // Nothing while the wallet has no phrase; balance and nonce at the latest block are zero then.
  std::optional<Address> address;
  Uint256 balance;
  std::uint64_t nonce = 0;
};

// What an account's nonces look like: keys ("lanes") with something under way.
struct Lane {
  std::uint64_t key = 0;
  // The sequence number that the EntryPoint expects.
  std::uint64_t next = 0;
  struct Place {
    std::string transaction_id;
    std::uint64_t sequence = 0;
    // Sequence numbers before this one that nobody fills: it cannot be included until somebody does.
    std::uint64_t missing = 0;
  };
  std::vector<Place> places;
};

}  // namespace community::transactions
