// SPDX-License-Identifier: Apache-2.0
// Requests and replies of the trusted core. Byte views point into the frame they were read from. Numbers of the EVM
// are 32-byte words; addresses are 20 bytes; signatures are r || s || recovery id (0 or 1), low s.
#pragma once
#include "trusted/protocol/effect.hpp"
#include "trusted/protocol/sealed_message.hpp"
#include "trusted/protocol/tree.hpp"

namespace community::protocol {

using Signature65 = std::array<std::uint8_t, 65>;

struct Hello {
  Bytes32 nonce{};
  template <class C>
  void fields(C& c) {
    c.fixed(nonce);
  }
};

// Only to a core that has no keys yet, and only where no command line reaches it (spec section 2).
struct ProvisionRequest {
  // secp256k1 x || y
  std::array<std::uint8_t, 64> operator_key{};
  template <class C>
  void fields(C& c) {
    c.fixed(operator_key);
  }
};

struct ProvisionReply {
  Bytes32 channel_key{};
  template <class C>
  void fields(C& c) {
    c.fixed(channel_key);
  }
};

// --- status ----------------------------------------------------------------------------------------------------------

struct BudgetStatus {
  std::uint64_t chain_id = 0;
  // Totals in wei that the operator signed, and what of them is left.
  Uint256 executor_limit, executor_left, sponsor_limit, sponsor_left, treasury_limit, treasury_left;
  template <class C>
  void fields(C& c) {
    c.number(chain_id).word(executor_limit).word(executor_left).word(sponsor_limit).word(sponsor_left);
    c.word(treasury_limit).word(treasury_left);
  }
};

// A root key of the core, oldest first in the status.
struct RootKeyStatus {
  std::uint32_t version = 0;
  // Current records sealed under it; 0 while records are not counted.
  std::uint32_t records = 0;
  template <class C>
  void fields(C& c) {
    c.number(version).number(records);
  }
};

struct StatusReply {
  std::uint8_t body = 0;
  std::uint8_t protection = 0;
  RecordId core_id{};
  std::uint64_t epoch = 0;
  Bytes32 root{};
  std::uint32_t recovery_count = 0;
  std::uint32_t root_key_version = 0;
  std::uint64_t configuration_sequence = 0;
  Bytes32 configuration_digest{};
  // The core's own, made when it was provisioned.
  HpkeKey hpke_key{};
  std::uint16_t budget_count = 0;
  std::array<BudgetStatus, kMaxChains> budgets{};
  // 1: the core knows the number of records under each root key.
  std::uint8_t records_counted = 0;
  std::uint16_t root_key_count = 0;
  std::array<RootKeyStatus, kMaxRootKeys> root_keys{};
  // Number of durable writes of the core's state: a checkpoint is out of date when it has grown.
  std::uint64_t revision = 0;
  // 0: no backup was made.
  std::uint32_t backup_generation = 0;
  // 1: another device goes on as this core, and this one does nothing any more.
  std::uint8_t fenced = 0;
  // Configurations up to this sequence are refused; 0 unless the core was restored.
  std::uint64_t configuration_floor = 0;
  // Of the operator's latest order about generic keys that was committed; the next one is larger.
  std::uint64_t order_sequence = 0;
  template <class C>
  void fields(C& c) {
    c.number(body).number(protection).fixed(core_id).number(epoch).fixed(root).number(recovery_count);
    c.number(root_key_version).number(configuration_sequence).fixed(configuration_digest);
    c.fixed(hpke_key).list(budgets, budget_count).number(records_counted).list(root_keys, root_key_count);
    c.number(revision).number(backup_generation).number(fenced).number(configuration_floor);
    c.number(order_sequence);
    if constexpr (C::kReads) {
      if (body == 0 || body > 3 || protection > 2 || records_counted > 1 || fenced > 1) c.fail();
    }
  }
};

// --- administration: signed by the operator key
// ------------------------------------------------------------------------

struct EntryPointConfig {
  Address address{};
  // 7 or 8
  std::uint8_t version = 0;
  template <class C>
  void fields(C& c) {
    c.fixed(address).number(version);
    if (version != 7 && version != 8) c.fail();
  }
};

struct PaymasterConfig {
  Address address{};
  Address entry_point{};
  template <class C>
  void fields(C& c) {
    c.fixed(address).fixed(entry_point);
  }
};

struct ChainConfig {
  std::uint64_t chain_id = 0;
  std::uint16_t entry_point_count = 0;
  std::array<EntryPointConfig, kMaxEntryPoints> entry_points{};
  Address account_factory{};
  // keccak256 of the constant init code of an account's proxy (spec/wire-formats.md, section 2)
  Bytes32 proxy_init_code_hash{};
  std::uint16_t paymaster_count = 0;
  std::array<PaymasterConfig, kMaxPaymasters> paymasters{};
  std::uint64_t bundle_gas_cap = 0;
  // wei a gas
  Uint256 fee_cap;
  // Who receives what operations pay; zero: the executor that signs.
  Address beneficiary{};
  Uint256 sponsorship_cost_cap;
  // Totals of signed maximum cost in wei, counted since the core was made. Only a newer configuration raises them.
  Uint256 executor_budget;
  Uint256 sponsor_budget;
  // 1: server keys freeze accounts of this chain without an assertion. What raised the alarm the core cannot see.
  std::uint8_t server_freeze = 0;
  template <class C>
  void fields(C& c) {
    c.number(chain_id).list(entry_points, entry_point_count).fixed(account_factory).fixed(proxy_init_code_hash);
    c.list(paymasters, paymaster_count).number(bundle_gas_cap).word(fee_cap).fixed(beneficiary);
    c.word(sponsorship_cost_cap).word(executor_budget).word(sponsor_budget).number(server_freeze);
    if (chain_id == 0 || server_freeze > 1) c.fail();
  }
};

struct RelyingPartyConfig {
  // SHA-256 of the rp id
  Bytes32 rp_id_hash{};
  // Full origin with scheme and port, as the browser writes it into the client data.
  ByteView origin;
  template <class C>
  void fields(C& c) {
    c.fixed(rp_id_hash).bytes(origin, kMaxOrigin);
    if (origin.empty()) c.fail();
  }
};

// What the treasury key of a chain may pay (rule 3).
struct TreasuryConfig {
  std::uint64_t chain_id = 0;
  // wei that one transaction moves.
  Uint256 value_cap;
  // Total of value and maximum gas cost in wei, counted since the core was made. Only a newer configuration raises it.
  Uint256 budget;
  template <class C>
  void fields(C& c) {
    c.number(chain_id).word(value_cap).word(budget);
  }
};

struct Configuration {
  RecordId core_id{};
  // Strictly growing, so that an old configuration cannot come back.
  std::uint64_t sequence = 0;
  std::uint16_t chain_count = 0;
  std::array<ChainConfig, kMaxChains> chains{};
  std::uint16_t relying_party_count = 0;
  std::array<RelyingPartyConfig, kMaxRelyingParties> relying_parties{};
  // At most one a chain, each of a chain above. An empty list is not written, so that a configuration without
  // treasuries has the bytes, and the digest, that it had before there were any.
  std::uint16_t treasury_count = 0;
  std::array<TreasuryConfig, kMaxChains> treasuries{};
  template <class C>
  void fields(C& c) {
    c.fixed(core_id).number(sequence).list(chains, chain_count).list(relying_parties, relying_party_count);
    if constexpr (C::kReads) {
      treasury_count = 0;
      if (c.at_end()) return;
    } else {
      if (treasury_count == 0) return;
    }
    c.list(treasuries, treasury_count);
    if (treasury_count == 0) c.fail();
  }
};

// Digest the operator signs (ECDSA secp256k1) for a configuration and for a recovery.
inline Bytes32 operator_digest(std::string_view what, ByteView message) {
  return base::sha256({base::view("community trusted core operator: "), base::view(what), base::sha256(message)});
}

struct ConfigureRequest {
  ByteView configuration;
  std::array<std::uint8_t, 64> signature{};
  template <class C>
  void fields(C& c) {
    c.bytes(configuration, kMaxConfiguration).fixed(signature);
  }
};

// "keys recover": accepts the host's tree as it is, after data was lost. Raises epoch and recovery count.
struct Recovery {
  RecordId core_id{};
  // The count this recovery leads to: the present one plus one.
  std::uint32_t recovery_count = 0;
  Bytes32 root{};
  template <class C>
  void fields(C& c) {
    c.fixed(core_id).number(recovery_count).fixed(root);
  }
};

struct RecoverRequest {
  ByteView recovery;
  std::array<std::uint8_t, 64> signature{};
  template <class C>
  void fields(C& c) {
    c.bytes(recovery, 256).fixed(signature);
  }
};

// --- two-phase changes
// -------------------------------------------------------------------------------------------------

// Answer of every command that changes a record: nothing is valid before the COMMIT of `root`. Of a record that goes
// `sealed` is empty.
struct PendingReply {
  RecordId record_id{};
  std::uint64_t revision = 0;
  std::uint32_t leaf = 0;
  Bytes32 root{};
  ByteView sealed;
  template <class C>
  void fields(C& c) {
    c.fixed(record_id).number(revision).number(leaf).fixed(root).bytes(sealed, kMaxSealedRecord);
  }
};

struct CommitRequest {
  // The epoch the commit leads to: the present one plus one.
  std::uint64_t epoch = 0;
  Bytes32 root{};
  template <class C>
  void fields(C& c) {
    c.number(epoch).fixed(root);
  }
};

// What the change with this request id answers now that it is valid: one of the ...Committed messages.
struct ChangeReply {
  std::uint64_t request_id = 0;
  ByteView reply;
  template <class C>
  void fields(C& c) {
    c.number(request_id).bytes(reply, kMaxChangeReply);
  }
};

struct CommitReply {
  std::uint64_t epoch = 0;
  std::uint16_t count = 0;
  std::array<ChangeReply, kMaxPendingChanges> changes{};
  template <class C>
  void fields(C& c) {
    c.number(epoch).list(changes, count);
  }
};

// --- wallets
// -----------------------------------------------------------------------------------------------------------

struct Passkey {
  // SHA-256 of the credential id
  Bytes32 credential_hash{};
  // P-256 public key x || y
  std::array<std::uint8_t, 64> public_key{};
  Bytes32 rp_id_hash{};
  template <class C>
  void fields(C& c) {
    c.fixed(credential_hash).fixed(public_key).fixed(rp_id_hash);
  }
};

inline constexpr std::uint8_t kRuleAnyFunction = 1;

// One contract, and one function of it or all.
struct PolicyRule {
  Address contract{};
  std::array<std::uint8_t, 4> selector{};
  std::uint8_t flags = 0;
  template <class C>
  void fields(C& c) {
    c.fixed(contract).fixed(selector).number(flags);
    if ((flags & ~kRuleAnyFunction) != 0) c.fail();
  }
};

// Only contracts and functions with a rule may be called; without the flag every contract may.
inline constexpr std::uint8_t kPolicyListedOnly = 1;
// Plain transfers (empty call data) to addresses without a rule are allowed even when only listed contracts are.
inline constexpr std::uint8_t kPolicyAnyTransfer = 2;

struct Policy {
  std::uint8_t flags = 0;
  // wei
  Uint256 call_value_cap;
  Uint256 operation_value_cap;
  // Largest maximum cost in wei of an operation that no configured paymaster pays.
  Uint256 cost_cap;
  std::uint16_t rule_count = 0;
  std::array<PolicyRule, kMaxPolicyRules> rules{};
  template <class C>
  void fields(C& c) {
    c.number(flags).word(call_value_cap).word(operation_value_cap).word(cost_cap).list(rules, rule_count);
    if ((flags & ~(kPolicyListedOnly | kPolicyAnyTransfer)) != 0) c.fail();
  }
};

struct AccountBinding {
  std::uint64_t chain_id = 0;
  Address address{};
  // keccak-256 of the init data its address follows from. Zero: an adopted account, which began elsewhere, with init
  // data that this core has never seen.
  Bytes32 init_data_hash{};
  // The key it was bound or adopted with, and the last one that an account_change_keys or account_adopt named. The
  // chain knows which of them, or of those between, is the account's; the core never does, so it signs with each that a
  // request names.
  std::uint32_t server_key_index = 0;
  std::uint32_t last_server_key_index = 0;
  // Not zero: the latest account_change_keys that named a server key gave the account to this foreign one, and no
  // account_adopt brought it back since.
  Address moved_to{};
  bool is_adopted() const { return base::is_zero(init_data_hash); }
  template <class C>
  void fields(C& c) {
    c.number(chain_id).fixed(address).fixed(init_data_hash).number(server_key_index).number(last_server_key_index);
    c.fixed(moved_to);
    if (last_server_key_index < server_key_index) c.fail();
  }
};

// The path leads to an empty leaf; the record will stand there.
struct WalletCreateRequest {
  TreePath path;
  Passkey passkey;
  Policy policy;
  template <class C>
  void fields(C& c) {
    path.fields(c);
    passkey.fields(c);
    policy.fields(c);
  }
};

struct WalletCommitted {
  RecordId wallet_id{};
  // Address of server key 0
  Address server_key{};
  template <class C>
  void fields(C& c) {
    c.fixed(wallet_id).fixed(server_key);
  }
};

// A sealed record with the path that proves it current.
struct RecordProof {
  ByteView sealed;
  TreePath path;
  template <class C>
  void fields(C& c) {
    c.bytes(sealed, kMaxSealedRecord);
    path.fields(c);
  }
};

struct Assertion {
  Bytes32 credential_hash{};
  ByteView client_data;
  ByteView authenticator_data;
  // P-256 r || s; high s is accepted
  std::array<std::uint8_t, 64> signature{};
  template <class C>
  void fields(C& c) {
    c.fixed(credential_hash).bytes(client_data, kMaxClientData).bytes(authenticator_data, kMaxAuthenticatorData);
    c.fixed(signature);
  }
};

enum class WalletChangeKind : std::uint8_t {
  add_passkey = 1,
  remove_passkey = 2,
  set_policy = 3,
  make_phrase = 4,
  wrap_content_root = 5,
};

// A change of a wallet by one of its passkeys. The challenge is wallet_change_challenge() of all fields before the
// assertion; a passkey cannot sign its own removal.
struct WalletChange {
  WalletChangeKind kind = WalletChangeKind::add_passkey;
  Passkey passkey;
  Policy policy;
  // 12 or 24
  std::uint8_t words = 0;
  // PRF output of the passkey that signs; then, unless the root is made now, that of `passkey`. Each sealed to the
  // core.
  std::uint16_t secret_count = 0;
  std::array<SealedMessage, 2> secrets{};
  template <class C>
  void fields(C& c) {
    auto number = static_cast<std::uint8_t>(kind);
    c.number(number);
    kind = static_cast<WalletChangeKind>(number);
    switch (kind) {
      case WalletChangeKind::add_passkey:
        passkey.fields(c);
        break;
      case WalletChangeKind::remove_passkey:
        c.fixed(passkey.credential_hash);
        break;
      case WalletChangeKind::set_policy:
        policy.fields(c);
        break;
      case WalletChangeKind::make_phrase:
        c.number(words);
        if (words != 12 && words != 24) c.fail();
        break;
      case WalletChangeKind::wrap_content_root:
        c.fixed(passkey.credential_hash).list(secrets, secret_count);
        if (secret_count == 0) c.fail();
        break;
      default:
        c.fail();
    }
  }
};

struct WalletUpdateRequest {
  RecordProof record;
  // An encoded WalletChange
  ByteView change;
  Assertion assertion;
  template <class C>
  void fields(C& c) {
    record.fields(c);
    c.bytes(change, kMaxSealedRecord);
    assertion.fields(c);
  }
};

inline Bytes32 wallet_change_challenge(const RecordId& wallet, std::uint64_t revision, ByteView change) {
  std::array<std::uint8_t, 8> number;
  base::store_be(number.data(), revision);
  return base::sha256({base::view("community wallet change"), wallet, number, base::sha256(change)});
}

struct AccountBindRequest {
  RecordProof record;
  std::uint64_t chain_id = 0;
  std::uint32_t server_key_index = 0;
  // abi.encode(AccountInit), spec/wire-formats.md section 2
  ByteView init_data;
  template <class C>
  void fields(C& c) {
    record.fields(c);
    c.number(chain_id).number(server_key_index).bytes(init_data, kMaxInitData);
  }
};

struct AccountCommitted {
  Address account{};
  template <class C>
  void fields(C& c) {
    c.fixed(account);
  }
};

struct WalletDescribeRequest {
  RecordProof record;
  std::uint32_t server_key_index = 0;
  template <class C>
  void fields(C& c) {
    record.fields(c);
    c.number(server_key_index);
  }
};

// Everything of a wallet that is not secret.
struct WalletDescribeReply {
  RecordId wallet_id{};
  std::uint64_t revision = 0;
  // Address of the server key that was asked for
  Address server_key{};
  std::uint16_t passkey_count = 0;
  std::array<Passkey, kMaxPasskeys> passkeys{};
  Policy policy;
  std::uint16_t account_count = 0;
  std::array<AccountBinding, kMaxAccountsPerWallet> accounts{};
  template <class C>
  void fields(C& c) {
    c.fixed(wallet_id).number(revision).fixed(server_key).list(passkeys, passkey_count);
    policy.fields(c);
    c.list(accounts, account_count);
  }
};

// --- node keys
// -----------------------------------------------------------------------------------------------------------

struct KeyCreateRequest {
  TreePath path;
  std::uint8_t purpose = 0;
  std::uint64_t chain_id = 0;
  template <class C>
  void fields(C& c) {
    path.fields(c);
    c.number(purpose).number(chain_id);
  }
};

struct KeyCommitted {
  RecordId key_id{};
  Address address{};
  template <class C>
  void fields(C& c) {
    c.fixed(key_id).fixed(address);
  }
};

struct KeyDescribeReply {
  RecordId key_id{};
  std::uint8_t purpose = 0;
  std::uint64_t chain_id = 0;
  Address address{};
  template <class C>
  void fields(C& c) {
    c.fixed(key_id).number(purpose).number(chain_id).fixed(address);
  }
};

// --- signing
// ---------------------------------------------------------------------------------------------------------------

// PackedUserOperation without its signature.
struct UseropFields {
  Address sender{};
  Bytes32 nonce{};
  ByteView init_code;
  ByteView call_data;
  Bytes32 account_gas_limits{};
  Bytes32 pre_verification_gas{};
  Bytes32 gas_fees{};
  ByteView paymaster_and_data;
  template <class C>
  void fields(C& c) {
    c.fixed(sender).fixed(nonce).bytes(init_code, kMaxUseropBytes).bytes(call_data, kMaxUseropBytes);
    c.fixed(account_gas_limits).fixed(pre_verification_gas).fixed(gas_fees);
    c.bytes(paymaster_and_data, kMaxUseropBytes);
  }
};

struct SignUseropRequest {
  RecordProof record;
  std::uint64_t chain_id = 0;
  Address entry_point{};
  UseropFields userop;
  Assertion assertion;
  // One of the account's, see AccountBinding
  std::uint32_t server_key_index = 0;
  template <class C>
  void fields(C& c) {
    record.fields(c);
    c.number(chain_id).fixed(entry_point);
    userop.fields(c);
    assertion.fields(c);
    c.number(server_key_index);
  }
};

struct CallSummary {
  Address to{};
  Uint256 value;
  // First four bytes of the call data, zero for a plain transfer
  std::array<std::uint8_t, 4> selector{};
  std::uint32_t data_bytes = 0;
  template <class C>
  void fields(C& c) {
    c.fixed(to).word(value).fixed(selector).number(data_bytes);
  }
};

// What was signed, as the core itself decoded it.
struct SignUseropReply {
  Signature65 signature{};
  Bytes32 userop_hash{};
  std::uint8_t deploys = 0;
  // 1 when a configured paymaster pays
  std::uint8_t sponsored = 0;
  Uint256 max_cost;
  // Of the batch, or of the spend that the batch queues or confirms; none for the other effects.
  std::uint16_t call_count = 0;
  std::array<CallSummary, kMaxCallsPerUserop> calls{};
  SelfCall self_call;
  template <class C>
  void fields(C& c) {
    c.fixed(signature).fixed(userop_hash).number(deploys).number(sponsored).word(max_cost).list(calls, call_count);
    self_call.fields(c);
  }
};

struct SignTransactionRequest {
  RecordProof record;
  // The unsigned EIP-1559 or EIP-7702 transaction: type byte || RLP
  ByteView transaction;
  template <class C>
  void fields(C& c) {
    record.fields(c);
    c.bytes(transaction, kMaxTransactionBytes);
  }
};

struct SignTransactionReply {
  Signature65 signature{};
  template <class C>
  void fields(C& c) {
    c.fixed(signature);
  }
};

// A payment of the treasury key: the unsigned EIP-1559 transaction, type byte || RLP.
struct SignTreasuryRequest {
  RecordProof record;
  ByteView transaction;
  // Of the executor key that is paid, so that the core itself knows the address for one of its own; none otherwise.
  std::uint16_t executor_count = 0;
  std::array<RecordProof, 1> executor;
  template <class C>
  void fields(C& c) {
    record.fields(c);
    c.bytes(transaction, kMaxTreasuryTransaction).list(executor, executor_count);
  }
};

struct SignTreasuryReply {
  Signature65 signature{};
  // wei counted against the budget: value and maximum gas cost
  Uint256 cost;
  template <class C>
  void fields(C& c) {
    c.fixed(signature).word(cost);
  }
};

// The signature in paymasterAndData, if any stands there yet, is not looked at.
struct SignSponsorshipRequest {
  RecordProof record;
  std::uint64_t chain_id = 0;
  Address entry_point{};
  Address paymaster{};
  UseropFields userop;
  // Seconds since 1970; 48 bits
  std::uint64_t valid_until = 0;
  std::uint64_t valid_after = 0;
  // uint128 each
  Uint256 paymaster_verification_gas_limit;
  Uint256 paymaster_post_op_gas_limit;
  template <class C>
  void fields(C& c) {
    record.fields(c);
    c.number(chain_id).fixed(entry_point).fixed(paymaster);
    userop.fields(c);
    c.number(valid_until).number(valid_after);
    c.word(paymaster_verification_gas_limit).word(paymaster_post_op_gas_limit);
  }
};

struct SignSponsorshipReply {
  Signature65 signature{};
  Uint256 max_cost;
  template <class C>
  void fields(C& c) {
    c.fixed(signature).word(max_cost);
  }
};

}  // namespace community::protocol
