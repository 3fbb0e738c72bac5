// SPDX-License-Identifier: Apache-2.0
// One life for everything that a person does with an account: prepared and shown, signed by a passkey and the trusted
// core, brought on chain, followed until final. The founders' operations keep their names: prepare_transaction,
// sign_transaction, broadcast_transaction. All calls belong to the thread of the loop that the object was made on.
#pragma once
#include <functional>

#include "community/accounts/api/state.hpp"
#include "community/infra/api/task.hpp"
#include "community/transactions/api/transaction.hpp"

namespace community::transactions {

using infra::Task;

// --- limits ----------------------------------------------------------------------------------------------------------

// Prepared and neither signed nor over, a person; the oldest goes. At most 200 kB each: 3 MB a person.
inline constexpr std::size_t kMaxPrepared = 16;
inline constexpr std::size_t kMaxCalls = 32;
inline constexpr std::size_t kMaxCallData = 64 * 1'024;
// Of a wallet; what is over and older goes. About 2 kB each: 20 MB.
inline constexpr std::size_t kMaxHistory = 10'000;
inline constexpr std::size_t kMaxTokens = 32;
inline constexpr std::size_t kMaxPage = 100;
// Of a message's content that is shown as lines: the whole is in the document.
inline constexpr std::size_t kMaxShownMembers = 256, kMaxShownText = 512;
// Operations of an account that are not over at the same time, each under a nonce key of its own: what the pool takes
// of one sender.
inline constexpr std::size_t kMaxLanes = 16;
// Room for a person to read and to touch the passkey; fees are chosen to last longer.
inline constexpr infra::Milliseconds kPreparedLife{5 * 60'000};

// --- requests --------------------------------------------------------------------------------------------------------

// An assertion as the page has it from the device, a signature by the key of the recovery file, or both.
struct SignRequest {
  Bytes32 digest{};
  // Empty, and the four below, where the recovery file alone votes.
  Bytes credential_id;
  Bytes client_data;
  Bytes authenticator_data;
  // ECDSA in DER, as WebAuthn has it.
  Bytes signature;
  // r || s || v over the digest, s low; or empty. One of the two votes where two are asked for.
  Bytes escape_signature;

  bool has_assertion() const { return !credential_id.empty(); }
};

struct HistoryQuery {
  // Empty: of all wallets.
  std::string wallet_id;
  // Entries below this sequence.
  std::uint64_t before = INT64_MAX;
  // 1 to kMaxPage.
  std::size_t limit = 50;
};

struct TokenBalance {
  Address token{};
  // Untrusted and cleaned; empty when the contract tells none.
  std::string symbol;
  std::optional<std::uint8_t> decimals;
  // "erc20", "erc721", "erc1155", or empty.
  std::string standard;
  // Nothing when it tells none.
  std::optional<Uint256> balance;
};

// A passkey of the account on chain. `passkey_id` is empty when it is none of the person's at this node.
struct AccountPasskey {
  accounts::ChainPasskey on_chain;
  std::string passkey_id, name;
};

struct WaitingItem {
  accounts::WaitingItem item;
  // Absent when the call that started it is not what the item's id says: nobody knows what it does.
  std::optional<accounts::StartedItem> content;
  // Of what is queued, as CallSummary; a started action says what it is by its EIP-712 struct.
  core::json::array summary;
};

struct GrantState {
  Bytes32 id{};
  Uint256 value_left;
  // Absent as above.
  std::optional<accounts::Grant> content;
};

// Everything of one block.
struct WalletState {
  std::string wallet_id;
  std::uint64_t chain_id = 0;
  Address account{};
  std::uint64_t block_number = 0, block_time_s = 0;
  // Of an account that is not deployed yet: keys, gas cap and limits that its init data gives it.
  accounts::AccountState state;
  std::vector<AccountPasskey> passkeys;
  std::vector<TokenBalance> tokens;
  std::vector<WaitingItem> waiting;
  std::vector<GrantState> grants;
  std::vector<Lane> lanes;
  // Its server key is none of this wallet's: it moved to another node. Not known, and so false, while the core is away.
  bool is_elsewhere = false;
  // Of the block that changed its keys last, where this node heard of it and it is elsewhere; 0: not known.
  std::uint64_t moved_at_s = 0;
};

// A grant that this node holds the trusted core's ticket for.
struct OwnGrant {
  std::string wallet_id;
  // Seconds since 1970, of the chain's clock.
  std::uint64_t valid_until_s = 0;
};

// Of a user operation in a block: what the chain says of it.
struct UseropReceipt {
  Bytes32 transaction_hash{}, block_hash{};
  std::uint64_t block_number = 0;
  bool success = false;
  // Of this operation alone.
  Uint256 gas_used;
  // Of this operation alone: address, data, topics.
  core::json::array logs;
};

struct FundsGiven {
  Bytes32 transaction_hash{};
  Uint256 amount;
};

class Transactions {
 public:
  // Called once for each change that was written, in the order of the changes of a transaction.
  using Listener = std::function<Task<void>(const Transaction&)>;

  virtual ~Transactions() = default;

  // Says what it would do, who pays and what is signed; nothing is signed but a sponsorship, nothing is sent. Refuses
  // by name what would fail.
  virtual Task<Result<Transaction>> prepare_transaction(std::string user_id, PrepareRequest request) = 0;

  // Four layers: the transaction is the person's; the content is what was prepared, unchanged and in time; limits and
  // risk; the assertion, which the trusted core checks before its server key signs (of plain functions without the
  // server key, the chain does). On disk when it returns. Signing again what was signed with this digest is a success.
  // A plain function that asks for two votes stays `prepared` after the first; one of them may be the recovery file's,
  // which the trusted core is not asked about: its gate opens for the passkey's assertion, whichever came first.
  virtual Task<Result<Transaction>> sign_transaction(std::string user_id, std::string transaction_id,
                                                     SignRequest request) = 0;
  // Both at once, as a page asks for them: what was signed and that it is in the pool are one write. Its errors are
  // those of both.
  virtual Task<Result<Transaction>> sign_and_broadcast(std::string user_id, std::string transaction_id,
                                                       SignRequest request) = 0;
  // Into the pool, or to the courier; again is harmless. What cannot be brought now (a full pool, no chain) stays
  // `signed` and is tried with each block. not_signed, refused_by_node, would_revert.
  virtual Task<Result<Transaction>> broadcast_transaction(std::string user_id, std::string transaction_id) = 0;

  virtual Task<Result<Transaction>> transaction(std::string user_id, std::string transaction_id) = 0;
  // Latest first; what was never signed is left out.
  virtual Task<Result<std::vector<Transaction>>> history(std::string user_id, HistoryQuery query) = 0;
  // Takes back what was prepared. Of an operation that waits in the pool: this node gives it up; signed as it is, it is
  // void for certain only when another operation has used its nonce. too_late.
  virtual Task<Result<Transaction>> discard(std::string user_id, std::string transaction_id) = 0;

  virtual Task<Result<WalletState>> wallet_state(std::string user_id, std::string wallet_id, std::uint64_t chain_id,
                                                 std::vector<Address> tokens) = 0;

  // not_found; one that is over by its time may be gone.
  virtual Task<Result<OwnGrant>> grant(std::string user_id, Bytes32 grant_id) = 0;
  // Nothing while it is in no block, and of what is no user operation. not_found, chain_unavailable.
  virtual Task<Result<std::optional<UseropReceipt>>> receipt(std::string user_id, std::string transaction_id) = 0;

  // derive_address: of a key of the wallet's phrase; the coin in its path follows from the chain (SLIP-44).
  // field_invalid, not_found, chain_unknown, core_unavailable, chain_unavailable.
  virtual Task<Result<DerivedAddress>> derive_address(std::string user_id, std::string wallet_id,
                                                      std::uint64_t chain_id, PhraseKey key) = 0;

  // Ether of the development chain. chain_unknown on every other chain; funds_given.
  virtual Task<Result<FundsGiven>> give_funds(std::string user_id, std::string wallet_id, std::uint64_t chain_id) = 0;

  // The person left and their rows are gone: what is on its way is no longer followed or told. On chain it goes on.
  virtual void forget(const std::string& user_id) = 0;

  // Before run().
  virtual void listen(Listener listener) = 0;
  // Reads what a former run left. Before the first call, and before the block watcher runs.
  virtual Task<Result<void>> load() = 0;
  // Brings what was signed and is not on its way, follows the rest, tells listeners; until cancelled.
  virtual Task<void> run() = 0;
};

}  // namespace community::transactions
