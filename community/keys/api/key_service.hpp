// SPDX-License-Identifier: Apache-2.0
// What the node asks of the trusted core, whatever body it runs in. Requests carry structures, never hashes: the core
// hashes, checks and signs. All calls belong to the thread of the loop the service was made on.
#pragma once
#include <cstdint>
#include <vector>

#include "community/core/userop.hpp"
#include "community/infra/api/task.hpp"
#include "community/keys/api/backup.hpp"
#include "community/keys/api/error.hpp"
#include "community/keys/api/generic_keys.hpp"
#include "community/keys/api/phrase_keys.hpp"
#include "community/keys/api/root_keys.hpp"
#include "community/keys/api/tagged_wallets.hpp"
#include "trusted/protocol/account_messages.hpp"

namespace community::keys {

using core::Address;
using core::Bytes;
using core::Bytes32;
using core::ByteView;
using core::Signature;
using core::Uint256;
using infra::Task;
using protocol::Purpose;
using protocol::RecordId;

struct KeyInfo {
  RecordId id{};
  Purpose purpose{};
  // 0: any configured chain.
  std::uint64_t chain_id = 0;
  Address address{};
};

// Rule 3: bundles, cancellations, and plain functions or deployments of accounts.
class ExecutorKeys {
 public:
  virtual ~ExecutorKeys() = default;
  virtual Task<Result<std::vector<KeyInfo>>> executors(std::uint64_t chain_id) = 0;
  // `unsigned_transaction` is type || rlp(fields) of an EIP-1559 or EIP-7702 transaction.
  virtual Task<Result<Signature>> sign_transaction(RecordId executor, Bytes unsigned_transaction) = 0;
};

struct SponsorshipRequest {
  std::uint64_t chain_id = 0;
  Address entry_point{};
  Address paymaster{};
  // With final gas limits and fees; paymaster data and signature are not looked at.
  core::PackedUserOperation userop;
  Uint256 paymaster_verification_gas_limit;
  Uint256 paymaster_post_op_gas_limit;
  // Seconds since 1970.
  std::uint64_t valid_until = 0;
  std::uint64_t valid_after = 0;
};

struct Sponsorship {
  Signature signature;
  // wei counted against the budget
  Uint256 max_cost;
};

// Rule 4: sponsorships.
class SponsorKeys {
 public:
  virtual ~SponsorKeys() = default;
  virtual Task<Result<std::vector<KeyInfo>>> sponsors(std::uint64_t chain_id) = 0;
  virtual Task<Result<Sponsorship>> sign_sponsorship(RecordId key, SponsorshipRequest request) = 0;
};

struct SignedPayment {
  Signature signature;
  // wei counted against the budget: value and maximum gas cost
  Uint256 cost;
};

// Rule 3: payments to executors and to the deposits of configured paymasters.
class TreasuryKeys {
 public:
  virtual ~TreasuryKeys() = default;
  virtual Task<Result<std::vector<KeyInfo>>> treasuries(std::uint64_t chain_id) = 0;
  // `unsigned_transaction` is type || rlp(fields) of an EIP-1559 transaction; `executor` the key that it pays, nothing
  // for a deposit and a cancellation.
  virtual Task<Result<SignedPayment>> sign_treasury(RecordId treasury, Bytes unsigned_transaction,
                                                    std::optional<RecordId> executor) = 0;
};

struct Passkey {
  Bytes credential_id;
  // P-256 x || y
  std::array<std::uint8_t, 64> public_key{};
  Bytes32 rp_id_hash{};
};

struct Assertion {
  Bytes credential_id;
  Bytes client_data;
  Bytes authenticator_data;
  // P-256 r || s
  std::array<std::uint8_t, 64> signature{};
};

struct WalletInfo {
  RecordId id{};
  // Address of server key 0
  Address server_key{};
};

struct AccountBindRequest {
  RecordId wallet{};
  std::uint64_t chain_id = 0;
  std::uint32_t server_key_index = 0;
  // abi.encode(AccountInit), spec/wire-formats.md section 2
  Bytes init_data;
};

// The challenge of the assertion is protocol::account_adoption_challenge of the wallet as describe_wallet tells it now.
struct AccountAdoptRequest {
  RecordId wallet{};
  std::uint64_t chain_id = 0;
  Address account{};
  // The wallet's server key that the owner gave, or will give, to the account on chain.
  std::uint32_t server_key_index = 0;
  Assertion assertion;
};

struct UseropRequest {
  RecordId wallet{};
  std::uint64_t chain_id = 0;
  Address entry_point{};
  core::PackedUserOperation userop;
  Assertion assertion;
  // The one that the chain says is the account's.
  std::uint32_t server_key_index = 0;
};

// What the core decoded and signed.
struct SignedUserop {
  Signature signature;
  Bytes32 hash{};
  bool deploys = false;
  bool sponsored = false;
  Uint256 max_cost;
  std::vector<protocol::CallSummary> calls;
  // What it does beyond calls, with the ticket of a grant it creates.
  protocol::SelfCall self_call;
};

// An operation under a session grant: no person is asked.
struct SessionRequest {
  RecordId wallet{};
  std::uint64_t chain_id = 0;
  Address entry_point{};
  core::PackedUserOperation userop;
  Bytes32 ticket{};
  std::uint32_t server_key_index = 0;
};

struct SignedSession {
  Signature signature;
  Bytes32 hash{};
  Uint256 max_cost;
  std::vector<protocol::CallSummary> calls;
};

// The challenge of the assertions below is protocol::action_digest and protocol::key_change_digest.
struct ActionRequest {
  RecordId wallet{};
  std::uint64_t chain_id = 0;
  Address account{};
  std::uint32_t server_key_index = 0;
  protocol::AccountAction action;
  // A freeze has none.
  Assertion assertion;
};

struct KeyChangeRequest {
  RecordId wallet{};
  std::uint64_t chain_id = 0;
  Address account{};
  // The gate, as the account knows it now.
  std::uint32_t server_key_index = 0;
  protocol::KeyChange change;
  Assertion assertion;
};

struct SignedDigest {
  Signature signature;
  Bytes32 digest{};
};

// Rules 1, 2, 9 and the wallet's life. A returned change is committed: it survives everything.
class WalletKeys {
 public:
  virtual ~WalletKeys() = default;
  virtual Task<Result<WalletInfo>> create_wallet(Passkey passkey, protocol::Policy policy) = 0;
  // The account's address. Binding what is bound already answers refused(account_exists).
  virtual Task<Result<Address>> bind_account(AccountBindRequest request) = 0;
  // Takes in an account that began elsewhere, or takes back one that left; answers the address of the named server key.
  // What is there with this key already answers refused(account_exists), also when an answer was lost; a wallet that
  // changed since the challenge was made answers refused(challenge_mismatch). Nothing that deploys is signed for an
  // adopted account.
  virtual Task<Result<Address>> adopt_account(AccountAdoptRequest request) = 0;
  virtual Task<Result<SignedUserop>> sign_userop(UseropRequest request) = 0;
  virtual Task<Result<SignedSession>> sign_session(SessionRequest request) = 0;
  virtual Task<Result<SignedDigest>> sign_action(ActionRequest request) = 0;
  // The wallet obeys before the signature comes; may be repeated until the chain has it.
  virtual Task<Result<SignedDigest>> change_account_keys(KeyChangeRequest request) = 0;
  // With the address of the server key of this index.
  virtual Task<Result<protocol::WalletDescribeReply>> describe_wallet(RecordId wallet,
                                                                      std::uint32_t server_key_index = 0) = 0;
};

// Administration: each needs a message that the operator signed.
class KeyAdministration : public RootKeys {
 public:
  // Both as ConfigureRequest and RecoverRequest describe them.
  virtual Task<Result<Bytes32>> configure(Bytes configuration, std::array<std::uint8_t, 64> signature) = 0;
  virtual Task<Result<std::uint64_t>> recover(Bytes recovery, std::array<std::uint8_t, 64> signature) = 0;
  virtual Task<Result<KeyInfo>> create_key(Purpose purpose, std::uint64_t chain_id) = 0;
  // Root of the tree as the node's database has it, for a recovery.
  virtual Bytes32 database_root() const = 0;
};

class KeyService : public ExecutorKeys,
                   public SponsorKeys,
                   public TreasuryKeys,
                   public WalletKeys,
                   public TaggedWallets,
                   public PhraseKeys,
                   public GenericKeys,
                   public BackupKeys,
                   public ShareKeys,
                   public KeyAdministration {};

}  // namespace community::keys
