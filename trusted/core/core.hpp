// SPDX-License-Identifier: Apache-2.0
// The trusted core: one object that answers frames. No heap, no threads, no clock; all state is here and in the body's
// secure store. rules_*.cpp hold the checks before each signature, changes.cpp the two-phase changes of records.
#pragma once
#include "trusted/core/backup.hpp"
#include "trusted/core/budget.hpp"
#include "trusted/core/opened_keys.hpp"
#include "trusted/protocol/account_messages.hpp"
#include "trusted/protocol/founders_messages.hpp"
#include "trusted/protocol/frame.hpp"
#include "trusted/protocol/phrase_messages.hpp"
#include "trusted/protocol/root_key_messages.hpp"

namespace community::ethereum {
struct Call;
struct UnsignedTransaction;
}  // namespace community::ethereum

namespace community::trusted {

// One connection of the host.
struct Session {
  bool established = false;
  // The frame was not from our host, or out of order: the body must drop the connection after sending the reply.
  bool closed = false;
  protocol::SessionKeys keys;
  std::uint64_t received = 0;
  std::uint64_t sent = 0;

  ~Session() { base::wipe(&keys, sizeof keys); }
};

class Core {
 public:
  explicit Core(const Port& port) : port_(port) {}
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;

  // Makes keys and an empty tree in a store that holds nothing yet. The channel key goes to the host once.
  static Error provision(const Port& port, const std::uint8_t operator_key[64], Bytes32& channel_key);

  // The same for a body that its host reaches by frames alone (an OP-TEE trusted application): answers a provision
  // frame, which is sealed with a key of zeros, and nothing else. `out` as for handle(). Whoever asks first is the
  // host.
  static ByteView provision_by_frame(const Port& port, ByteView frame, MutableByteView out);

  // Loads the trusted state. Until it answers ok, every frame is refused.
  Error start();

  // Answers one frame; `out` has room for kMaxReplyFrame bytes. Empty when there is nothing to answer (the session is
  // then closed).
  ByteView handle(Session& session, ByteView frame, MutableByteView out);

  // Must be called when a connection ends: its uncommitted changes die.
  void end(Session& session);

  // False before start() and after a write failed whose outcome only a restart can tell.
  bool ready() const { return ready_; }

  // Clean stop: returns leases. A core that is not ready writes nothing.
  Error stop() { return ready_ ? budgets_.release(port_, state_) : Error::store_failed; }

  const State& state() const { return state_; }

 private:
  // Tests check published assertions, whose challenges are not hashes of operations.
  friend struct CoreAccess;

  // A change that waits for its COMMIT.
  struct PendingChange {
    std::uint64_t request_id = 0;
    std::uint32_t leaf = 0;
    // Versions of the root keys that the record of before (0: none) and the new one are sealed under.
    std::uint32_t root_before = 0, root_after = 0;
    std::uint32_t reply_size = 0;
    std::array<std::uint8_t, protocol::kMaxChangeReply> reply{};
  };
  struct Pending {
    const Session* owner = nullptr;
    Bytes32 root{};
    std::uint16_t count = 0;
    // Of the latest order about generic keys among the changes; 0 without one.
    std::uint64_t order_sequence = 0;
    std::array<PendingChange, protocol::kMaxPendingChanges> changes{};
  };
  // A count of all records on its way, block by block from the left (count_records). Blocks on the left of `next_leaf`
  // are counted as of the latest COMMIT. In memory alone: after a restart a count begins anew.
  struct Counting {
    bool active = false;
    std::uint32_t next_leaf = 0;
    // In the order of State::root_keys, which only grows while records are not counted.
    std::array<std::uint32_t, kMaxRootKeys> records{};
  };
  static constexpr std::size_t kRememberedRoots = 8;

  using Reader = protocol::Reader;
  using Writer = protocol::Writer;

  ByteView hello(Session& session, ByteView frame, MutableByteView out);
  Error dispatch(Session& session, const protocol::Frame& frame, Writer& reply);
  // What needs no record and leaves nothing pending.
  Error administer(const protocol::Frame& frame, Writer& reply);

  // admin.cpp
  void status(Writer& reply) const;
  Error configure(ByteView body, Writer& reply);
  Error recover(ByteView body, Writer& reply);
  Error load_configuration();
  Error check_operator(std::string_view what, ByteView message, const std::array<std::uint8_t, 64>& signature) const;

  // root_keys.cpp
  Error rotate_root_key(ByteView body, Writer& reply);
  Error retire_root_key(ByteView body);
  Error drop_root_key(RootKey& retired);
  Error read_order(ByteView body, std::string_view what, protocol::RootKeyOrder& order) const;
  Error reseal(Session& session, const protocol::Frame& frame, Writer& reply);
  Error count_records(ByteView body, Writer& reply);
  // Enters a change that is committed into the numbers of records.
  void count_change(const PendingChange& change);

  // attestation.cpp
  Error attest(ByteView body, Writer& reply) const;
  void describe_self(const Bytes32& challenge, protocol::AttestationStatement& statement) const;
  Error make_quote(protocol::QuoteKind kind, const protocol::AttestationStatement& statement,
                   protocol::Quote& quote) const;

  // backup.cpp, backup_holder.cpp, backup_restore.cpp
  Error backup(Session& session, const protocol::Frame& frame, Writer& reply);
  Error peer_challenge(ByteView body, Writer& reply);
  Error backup_create(ByteView body, Writer& reply);
  Error make_backup(const protocol::BackupOrder& order);
  Error make_fence_key();
  Error make_evidence(const Bytes32& challenge, protocol::Evidence& evidence) const;
  Error backup_share(ByteView body, Writer& reply);
  Error checkpoint(ByteView body, Writer& reply);
  Error fence_certificate(ByteView body, Writer& reply);
  Error fence(ByteView body);
  Error share_keep(Session& session, const protocol::Frame& frame, Writer& reply);
  Error checkpoint_keep(Session& session, const protocol::Frame& frame, Writer& reply);
  Error share_describe(ByteView body, Writer& reply);
  Error share_release(ByteView body, Writer& reply);
  // Nothing was ever made with this core.
  bool is_empty() const;
  Error restore(ByteView body, Writer& reply);
  Error check_restore(const protocol::SignedBackupOrder& request, ByteView description_bytes,
                      const protocol::BackupDescription& description, protocol::RestoreOrder& order) const;
  Error take_over(const protocol::RestoreOrder& order, const Bytes32& backup_key,
                  const protocol::CheckpointHeader& header, const CheckpointContents& contents);

  // changes.cpp
  Error wallet_create(Session& session, const protocol::Frame& frame, Writer& reply);
  Error wallet_update(Session& session, const protocol::Frame& frame, Writer& reply);
  Error account_bind(Session& session, const protocol::Frame& frame, Writer& reply);
  Error key_create(Session& session, const protocol::Frame& frame, Writer& reply);
  Error commit(Session& session, ByteView body, Writer& reply);
  Error wallet_describe(ByteView body, Writer& reply);
  Error key_describe(ByteView body, Writer& reply);
  Error apply_wallet_change(const protocol::WalletChange& change, const RecordId& id, const Bytes32& signer,
                            WalletRecord& wallet) const;
  Error check_rp_id(const Bytes32& rp_id_hash) const;
  // The root that changes of this session build on; refuses when another session has changes pending.
  Error change_base(const Session& session, Bytes32& root) const;
  // Opens a record that is current under `root`.
  template <class Record>
  Error open_under(const Bytes32& root, const protocol::RecordProof& proof, RecordType type, RecordHeader& header,
                   Record& record) const;
  Error check_current(const protocol::RecordProof& proof, const RecordHeader& header, const Bytes32& root) const;
  // ok when `computed` is `root`; else whether it is old or was never true.
  Error check_root(const Bytes32& computed, const Bytes32& root) const;
  // Seals `record`, enters it at the path's leaf and answers the uncommitted record and root.
  template <class Record>
  Error enter(Session& session, const protocol::Frame& frame, const protocol::TreePath& path, RecordHeader header,
              const Record& record, ByteView committed_reply, Writer& reply);
  template <class Record>
  Error enter_new(Session& session, const protocol::Frame& frame, const protocol::TreePath& path, RecordType type,
                  const RecordId& id, const Record& record, ByteView committed_reply, Writer& reply);
  // An empty record leaves the tree.
  Error enter_sealed(Session& session, const protocol::Frame& frame, const protocol::TreePath& path,
                     const RecordHeader& header, ByteView sealed, ByteView committed_reply, Writer& reply);

  // rules_userop.cpp, rules_passkey.cpp
  Error sign_userop(ByteView body, Writer& reply);
  Error check_calls(const protocol::SignUseropRequest& request, const protocol::ChainConfig& chain,
                    const WalletRecord& wallet, protocol::SignUseropReply& result) const;
  Error check_deployment(const protocol::SignUseropRequest& request, const protocol::ChainConfig& chain,
                         const protocol::AccountBinding& account) const;
  Error check_cost(const protocol::SignUseropRequest& request, const protocol::ChainConfig& chain,
                   const WalletRecord& wallet, protocol::SignUseropReply& result) const;
  Error check_assertion(const protocol::Assertion& assertion, const Bytes32& challenge,
                        const WalletRecord& wallet) const;

  // rules_session.cpp, rules_action.cpp
  Error sign_session(ByteView body, Writer& reply);
  Error sign_action(ByteView body, Writer& reply);
  Error account_change_keys(Session& session, const protocol::Frame& frame, Writer& reply);
  Error apply_key_change(const protocol::KeyChange& change, const Bytes32& signer, WalletRecord& wallet) const;

  // rules_adoption.cpp
  Error account_adopt(Session& session, const protocol::Frame& frame, Writer& reply);

  // rules_transaction.cpp, rules_treasury.cpp, rules_sponsorship.cpp
  Error sign_transaction(ByteView body, Writer& reply);
  Error sign_treasury(ByteView body, Writer& reply);
  Error check_payment(const protocol::SignTreasuryRequest& request, const ethereum::UnsignedTransaction& tx,
                      const protocol::ChainConfig& chain, const protocol::Address& treasury);
  Error sign_sponsorship(ByteView body, Writer& reply);
  Error open_key(const protocol::RecordProof& proof, protocol::Purpose purpose, KeyRecord& key,
                 protocol::Address& address);
  Error key_address(const KeyRecord& key, protocol::Address& address) const;

  // founders.cpp
  Error founders(Session& session, const protocol::Frame& frame, Writer& reply);
  Error read_generic_order(const protocol::SignedGenericOrder& signed_order, protocol::FoundersCommand command,
                           protocol::GenericKeyOrder& order) const;
  Error generic_create(Session& session, const protocol::Frame& frame, protocol::FoundersCommand command, ByteView body,
                       Writer& reply);
  Error generic_delete(Session& session, const protocol::Frame& frame, ByteView body, Writer& reply);
  Error generic_sign(ByteView body, Writer& reply);
  Error generic_public_key(ByteView body, Writer& reply);

  // rules_eoa.cpp, rules_typed_data.cpp, rules_export.cpp
  Error eoa_describe(ByteView body, Writer& reply);
  Error sign_eoa_transaction(ByteView body, Writer& reply);
  Error sign_message(ByteView body, Writer& reply);
  Error sign_eoa_digest(const protocol::EoaKey& eoa, const protocol::Assertion& assertion, const WalletRecord& wallet,
                        const Bytes32& digest, protocol::Address& signer, protocol::Signature65& signature) const;
  Error sign_typed_data(ByteView body, Writer& reply);
  Error sign_account_message(ByteView body, Writer& reply);
  Error account_message_digest(const protocol::SignAccountMessageRequest& request, const WalletRecord& wallet,
                               protocol::SignAccountMessageReply& result) const;
  Error phrase_export(ByteView body, Writer& reply);
  // What a page sealed to the core: whose PRF output, the session key that follows from it, where the answer goes.
  struct SealedRequestSecrets {
    Bytes32 credential_hash{};
    protocol::HpkeKey page{};
    base::Secret<32> session_key;
  };
  Error open_sealed_request(ByteView body, std::string_view purpose, RecordHeader& header, WalletRecord& wallet,
                            SealedRequestSecrets& secrets) const;
  Error session_secret(ByteView body, Writer& reply);
  Error content_root_open(ByteView body, Writer& reply);
  Error wrap_content_root(const protocol::WalletChange& change, const RecordId& id, const Bytes32& signer,
                          WalletRecord& wallet) const;

  const protocol::ChainConfig* find_chain(std::uint64_t chain_id) const;
  // Nothing for a chain whose treasury the operator allows nothing.
  const protocol::TreasuryConfig* find_treasury(std::uint64_t chain_id) const;
  const Port port_;
  bool ready_ = false;
  State state_;
  protocol::Configuration configuration_;
  Bytes32 configuration_digest_{};
  Budgets budgets_;
  OpenedKeys opened_keys_;
  PeerChallenges challenges_;
  Pending pending_;
  Counting counting_;
  // Roots of the latest epochs: a path to one of them is only old, not wrong.
  std::array<Bytes32, kRememberedRoots> old_roots_{};
  std::size_t next_old_root_ = 0;
  std::array<std::uint8_t, protocol::kMaxSealedRecord> sealed_buffer_{};
};

const protocol::EntryPointConfig* find_entry_point(const protocol::ChainConfig& chain,
                                                   const protocol::Address& address);
// Of any EntryPoint of the chain.
bool is_paymaster(const protocol::ChainConfig& chain, const protocol::Address& address);
const protocol::PaymasterConfig* find_paymaster(const protocol::ChainConfig& chain, const protocol::Address& address,
                                                const protocol::Address& entry_point);

// Largest cost of an operation in wei: all gas limits times the maximum fee (spec/wire-formats.md, section 4). The
// paymaster's gas limits count when paymasterAndData has them; nothing when the sum does not fit 256 bits.
std::optional<Uint256> max_userop_cost(const protocol::UseropFields& userop, const Uint256& paymaster_gas);

}  // namespace community::trusted
