// SPDX-License-Identifier: Apache-2.0
// The key service over a channel: it proves records current, groups changes into commits, and reconciles the database
// with the core whenever a connection begins. Owned by one loop's thread.
#pragma once
#include <deque>

#include "community/infra/api/log.hpp"
#include "community/keys/channel.hpp"
#include "community/keys/factory.hpp"
#include "community/keys/record_store.hpp"

namespace community::keys {

class Service final : public ConnectedKeyService {
 public:
  explicit Service(KeyServiceDependencies dependencies);

  Task<Error> serve(ChannelOptions options) override;
  Task<Result<void>> attach(ChannelOptions options) override;
  Task<Result<Bytes32>> provision(std::string socket_path, std::array<std::uint8_t, 64> operator_public_key) override;
  Task<Result<void>> make_attestation_key(ChannelOptions options) override;
  bool is_connected() const override { return connected_.is_set(); }
  infra::Event& connected() override { return connected_; }
  Task<Result<void>> release_leases() override;

  Task<Result<std::vector<KeyInfo>>> executors(std::uint64_t chain_id) override;
  Task<Result<Signature>> sign_transaction(RecordId executor, Bytes unsigned_transaction) override;
  Task<Result<std::vector<KeyInfo>>> sponsors(std::uint64_t chain_id) override;
  Task<Result<Sponsorship>> sign_sponsorship(RecordId key, SponsorshipRequest request) override;
  // service_keys.cpp
  Task<Result<std::vector<KeyInfo>>> treasuries(std::uint64_t chain_id) override;
  Task<Result<SignedPayment>> sign_treasury(RecordId treasury, Bytes unsigned_transaction,
                                            std::optional<RecordId> executor) override;
  Task<Result<std::vector<GenericKey>>> generic_keys() override;
  Task<Result<GenericKey>> create_generic_key(Bytes order, std::array<std::uint8_t, 64> signature) override;
  Task<Result<void>> delete_generic_key(RecordId key, Bytes order, std::array<std::uint8_t, 64> signature) override;
  Task<Result<protocol::GenericSignature>> sign_generic(RecordId key, protocol::GenericHash hash,
                                                        Bytes message) override;
  Task<Result<WalletInfo>> create_wallet(Passkey passkey, protocol::Policy policy) override;
  // service_wallets.cpp
  Task<Result<WalletInfo>> create_wallet_once(WalletTag tag, Passkey passkey, protocol::Policy policy) override;
  Task<Result<std::optional<RecordId>>> find_wallet(WalletTag tag) override;
  // service.cpp
  Task<Result<Address>> bind_account(AccountBindRequest request) override;
  Task<Result<Address>> adopt_account(AccountAdoptRequest request) override;
  Task<Result<SignedUserop>> sign_userop(UseropRequest request) override;
  Task<Result<SignedSession>> sign_session(SessionRequest request) override;
  Task<Result<SignedDigest>> sign_action(ActionRequest request) override;
  Task<Result<SignedDigest>> change_account_keys(KeyChangeRequest request) override;
  Task<Result<protocol::WalletDescribeReply>> describe_wallet(RecordId wallet, std::uint32_t index) override;
  // service_phrase.cpp
  Task<Result<void>> make_phrase(RecordId wallet, std::uint8_t words, Assertion assertion) override;
  Task<Result<std::optional<Address>>> eoa_address(RecordId wallet, protocol::EoaKey eoa) override;
  Task<Result<SignedEoaTransaction>> sign_eoa_transaction(RecordId wallet, protocol::EoaKey eoa, Bytes transaction,
                                                          Assertion assertion) override;
  Task<Result<SignedText>> sign_message(RecordId wallet, protocol::EoaKey eoa, Bytes message,
                                        Assertion assertion) override;
  Task<Result<SignedText>> sign_typed_data(RecordId wallet, protocol::EoaKey eoa, TypedMessage message,
                                           Assertion assertion) override;
  Task<Result<SignedText>> sign_account_message(RecordId wallet, SigningAccount account, TypedMessage message,
                                                Assertion assertion) override;
  Task<Result<SignedText>> sign_account_text(RecordId wallet, SigningAccount account, Bytes message,
                                             Assertion assertion) override;
  Task<Result<SealedSecret>> export_phrase(RecordId wallet, protocol::HpkeKey page, Assertion assertion) override;
  Task<Result<SealedSecret>> session_secret(RecordId wallet, SealedSecret request, Assertion assertion) override;
  Task<Result<SealedSecret>> open_content_root(RecordId wallet, SealedSecret request, Assertion assertion) override;
  Task<Result<void>> wrap_content_root(RecordId wallet, ContentRootChange change, Assertion assertion) override;
  Task<Result<CoreStatus>> status() override;
  // upkeep.cpp
  Task<Result<std::uint32_t>> rotate_root_key(Bytes order, std::array<std::uint8_t, 64> signature) override;
  Task<Result<void>> retire_root_key(Bytes order, std::array<std::uint8_t, 64> signature) override;
  Task<Result<ResealProgress>> reseal_progress() override;
  Task<Result<Bytes32>> configure(Bytes configuration, std::array<std::uint8_t, 64> signature) override;
  Task<Result<std::uint64_t>> recover(Bytes recovery, std::array<std::uint8_t, 64> signature) override;
  Task<Result<KeyInfo>> create_key(Purpose purpose, std::uint64_t chain_id) override;
  Bytes32 database_root() const override { return tree_.root(); }
  // service_attestation.cpp
  Task<Result<Attestation>> attest(Bytes32 challenge) override;
  // service_backup.cpp
  Task<Result<Bytes32>> peer_challenge() override;
  Task<Result<Bytes>> evidence(Bytes32 challenge) override;
  Task<Result<MadeBackup>> create_backup(SignedMessage order) override;
  Task<Result<SentShare>> backup_share(Bytes description, std::uint8_t index, Bytes32 challenge,
                                       Bytes evidence) override;
  Task<Result<Bytes>> checkpoint() override;
  Task<Result<protocol::FenceCertificate>> fence_certificate() override;
  Task<Result<void>> fence(protocol::FenceCertificate certificate) override;
  Task<Result<RecordId>> keep_share(SignedMessage order, Bytes description, Bytes evidence, Bytes package) override;
  Task<Result<void>> keep_checkpoint(RecordId share, Bytes checkpoint,
                                     std::optional<protocol::FenceCertificate> certificate) override;
  Task<Result<std::vector<protocol::ShareDescribeReply>>> shares() override;
  Task<Result<SentShare>> release_share(RecordId share, SignedMessage order, Bytes32 challenge,
                                        Bytes evidence) override;
  Task<Result<RestoreOutcome>> restore(SignedMessage order, Bytes description,
                                       std::vector<ShareContribution> contributions) override;

 private:
  // Holds a tag as long as a wallet is being made under it: longer than its caller, who may be cancelled.
  class TagInUse;

  // One change on its way through a batch.
  struct Change {
    protocol::Command command{};
    RecordKind kind{};
    // Nothing: a new record at the next free leaf.
    std::optional<RecordId> record;
    // The request's body for this path, and for this record when there is one.
    std::function<Bytes(const protocol::TreePath&, core::ByteView sealed)> build;
    // Of a re-seal, which nobody waits for: the record as the database has it.
    std::shared_ptr<const StoredRecord> stored;
    std::shared_ptr<TagInUse> tag;
    std::uint64_t request_id = 0;
    infra::Event done;
    // The core's ...Committed message.
    Result<Bytes> result = fail(ErrorCode::unavailable, "the trusted core went away before the change was committed");
  };
  using ChangePointer = std::shared_ptr<Change>;

  // What there is to do about root keys, as of the last look.
  struct Upkeep {
    std::uint32_t newest = 0;
    // Records under each older root key; those that the core refused are among them.
    std::map<std::uint32_t, std::uint64_t> left;
    std::uint64_t refused = 0, lost = 0;
    // Versions whose records are still to be re-sealed, and where that goes on for the first of them.
    std::deque<std::uint32_t> versions;
    std::uint32_t next_leaf = 0;
    // The core does not know the numbers of records, and is shown them from this leaf on.
    bool counting = false;
    std::uint32_t count_leaf = 0;
    std::chrono::steady_clock::time_point due, log_due;

    std::uint64_t records_left() const;
    bool is_resealing() const { return !versions.empty(); }
    bool is_running() const { return is_resealing() || counting; }
  };

  Task<Result<void>> open(ChannelOptions options);
  Task<Result<void>> reconcile();
  Task<Result<void>> take_prepared(Batch prepared, const CoreStatus& core);
  Task<Result<void>> agree(const CoreStatus& core);
  Task<Result<void>> describe_new_keys();
  Task<Result<void>> load_path(std::uint32_t leaf);
  Task<Result<std::shared_ptr<const StoredRecord>>> load_record(RecordId id);
  void cache_record(StoredRecord record);

  Task<Result<Bytes>> submit(ChangePointer change);
  static ChangePointer wallet_change(const Passkey& passkey, const protocol::Policy& policy);
  Task<Result<WalletInfo>> make_wallet(ChangePointer change);
  Task<void> until_free(WalletTag tag);
  Task<Result<void>> change_wallet(RecordId wallet, Bytes change, Assertion assertion);
  Task<Result<SealedSecret>> ask_sealed(protocol::Command command, RecordId wallet, SealedSecret request,
                                        Assertion assertion);
  Task<void> change_loop();
  Task<Result<void>> work(bool with_upkeep);
  // Sends the changes that wait, as many as fit one commit, and commits them; with re-seals in what room they leave.
  Task<Result<void>> run_batch(std::deque<ChangePointer> reseals);
  Task<Result<void>> send_change(Change& change, Batch& batch);
  Task<Result<void>> commit(Batch batch, std::vector<ChangePointer>& changes);
  // A request about one current record; repeated when a commit made its path stale on the way.
  Task<Result<Bytes>> ask(protocol::Command command, RecordId id,
                          std::function<Bytes(const protocol::RecordProof&)> build);
  // The same about several, all proved under one root.
  Task<Result<Bytes>> ask_about(protocol::Command command, std::vector<RecordId> ids,
                                std::function<Bytes(const std::vector<protocol::RecordProof>&)> build);
  // upkeep.cpp
  Task<Result<Upkeep>> find_upkeep();
  Task<Result<void>> begin_upkeep();
  bool has_looked() const { return looks_done_ == looks_wanted_; }
  bool upkeep_due() const;
  Task<void> wait_for_work();
  void rest_after(std::chrono::steady_clock::time_point begin);
  // The next records of the walk, at most as many as fit a commit; none when it is over.
  Task<Result<std::deque<ChangePointer>>> next_reseals();
  void end_walk();
  void take_refusal(const Change& reseal, protocol::Error refusal);
  void take_resealed(const Batch& batch);
  void show_records_left();
  Task<Result<void>> count_blocks();
  Task<Result<std::vector<KeyInfo>>> keys_for(Purpose purpose, std::uint64_t chain_id);
  Task<Result<protocol::AttestReply>> attest_kind(Bytes32 challenge, protocol::QuoteKind kind);
  Task<Result<Bytes>> call(protocol::Command command, Bytes body);
  // As above, and tells the request id that a COMMIT will name.
  Task<Result<Bytes>> call(protocol::Command command, Bytes body, std::uint64_t& request_id);
  void measure(protocol::Command command, const Result<Bytes>& answer, std::chrono::steady_clock::duration duration);

  // Series of one command, looked up when it is used first: the lookup by name costs more than a signature may.
  struct CommandSeries {
    infra::Counter operations;
    infra::Histogram duration;
    std::optional<infra::Counter> signatures;
  };
  CommandSeries& series(protocol::Command command);
  // Of a command whose requests are not all signatures.
  void count_signature(protocol::Command command);

  KeyServiceDependencies dependencies_;
  std::map<protocol::Command, CommandSeries> series_;
  std::optional<infra::Histogram> commit_changes_;
  RecordStore store_;
  std::unique_ptr<Channel> channel_;
  infra::Event connected_;
  Tree tree_;
  std::uint64_t epoch_ = 0;
  std::uint32_t next_leaf_ = 0;
  // Before the changes, which leave it when they go.
  std::map<WalletTag, std::shared_ptr<infra::Event>> tags_in_use_;
  std::deque<ChangePointer> changes_;
  infra::Event changes_waiting_;
  Upkeep upkeep_;
  // A rotation may come while the service looks for what there is to do; then it looks again.
  std::uint64_t looks_wanted_ = 0, looks_done_ = 0;
  // Records at hand, by id, in the order they came; wallets of people who transact now.
  std::map<RecordId, std::shared_ptr<const StoredRecord>> records_;
  std::deque<RecordId> record_order_;
  // Records that were re-sealed, of the batch that is being entered; they have no place among those at hand.
  std::map<RecordId, StoredRecord> entering_;
  std::vector<KeyInfo> node_keys_;
  // Kept shares as the core described them last; nothing when one of them may have changed since.
  std::optional<std::vector<protocol::ShareDescribeReply>> shares_;
  std::uint64_t share_changes_ = 0;
};

}  // namespace community::keys
