// SPDX-License-Identifier: Apache-2.0
// The body of Transactions. What a person may do with a row is decided inside of the write that changes it, so that
// requests which meet see each other's work; what is under way is in memory too, and changed by whoever holds it.
#pragma once
#include <deque>

#include "community/keys/api/typed_message.hpp"
#include "community/transactions/lanes.hpp"
#include "community/transactions/retire.hpp"
#include "community/transactions/summary.hpp"
#include "community/users/api/rate_limits.hpp"

namespace community::transactions {

// What waits is void 30 days after its time, three days or seven: with blocks of 12 seconds this is 41 days.
inline constexpr std::uint64_t kItemBlocks = 300'000;

class TransactionService final : public Transactions {
 public:
  TransactionService(TransactionsDependencies dependencies, TransactionsOptions options);

  // prepare.cpp
  Task<Result<Transaction>> prepare_transaction(std::string user_id, PrepareRequest request) override;
  // sign.cpp
  Task<Result<Transaction>> sign_transaction(std::string user_id, std::string transaction_id,
                                             SignRequest request) override;
  Task<Result<Transaction>> sign_and_broadcast(std::string user_id, std::string transaction_id,
                                               SignRequest request) override;
  // broadcast.cpp
  Task<Result<Transaction>> broadcast_transaction(std::string user_id, std::string transaction_id) override;
  Task<Result<Transaction>> discard(std::string user_id, std::string transaction_id) override;
  // service.cpp
  Task<Result<Transaction>> transaction(std::string user_id, std::string transaction_id) override;
  Task<Result<std::vector<Transaction>>> history(std::string user_id, HistoryQuery query) override;
  Task<Result<FundsGiven>> give_funds(std::string user_id, std::string wallet_id, std::uint64_t chain_id) override;
  void forget(const std::string& user_id) override;
  void listen(Listener listener) override { listeners_.push_back(std::move(listener)); }
  Task<Result<void>> load() override;
  Task<void> run() override;
  // receipt.cpp
  Task<Result<std::optional<UseropReceipt>>> receipt(std::string user_id, std::string transaction_id) override;
  // grants.cpp
  Task<Result<OwnGrant>> grant(std::string user_id, Bytes32 grant_id) override;
  // phrase.cpp
  Task<Result<DerivedAddress>> derive_address(std::string user_id, std::string wallet_id, std::uint64_t chain_id,
                                              PhraseKey key) override;
  // overview.cpp
  Task<Result<WalletState>> wallet_state(std::string user_id, std::string wallet_id, std::uint64_t chain_id,
                                         std::vector<Address> tokens) override;

 private:
  // Who works on a row that is under way: nobody else changes it meanwhile.
  class Hold {
   public:
    Hold(TransactionService& owner, std::string id) : owner_(owner), id_(std::move(id)) { owner_.held_.insert(id_); }
    ~Hold() { owner_.held_.erase(owner_.held_.find(id_)); }
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;

   private:
    TransactionService& owner_;
    std::string id_;
  };

  // What is told already and still on its way to the disk: whoever asks for the person's transactions waits for it.
  class Writing {
   public:
    Writing(TransactionService& owner, const Transaction& transaction)
        : owner_(owner), id_(transaction.transaction_id) {
      owner_.writing_[id_] = transaction.user_id;
    }
    ~Writing() {
      owner_.writing_.erase(id_);
      owner_.has_written_.set();
    }
    Writing(const Writing&) = delete;
    Writing& operator=(const Writing&) = delete;

   private:
    TransactionService& owner_;
    const std::string id_;
  };

  // Of what is written behind its answer.
  struct Behind {
    Behind(TransactionService& owner, const Transaction& transaction)
        : hold(owner, transaction.transaction_id), writing(owner, transaction) {}
    const Hold hold;
    const Writing writing;
  };

  // A chain with what this module keeps beside it.
  struct Chain {
    explicit Chain(const ServedChain& given, infra::Clock& clock)
        : served(given), view(given.chain), tokens(given.chain, clock), describer(given.chain, tokens) {}
    ServedChain served;
    accounts::AccountView view;
    TokenBook tokens;
    Describer describer;
    // Head at which passkeys were compared with accounts last.
    std::uint64_t compared_at = 0;
    // Development funds are on their way to somebody.
    bool is_paying = false;
    infra::Event has_paid;
  };

  // The limits of an operation that was expected.
  struct Estimate {
    core::UserOperation op;
    validation::Result<validation::GasEstimate> limits;
  };
  // Of an operation, what need not wait for the account's state.
  struct Ahead {
    std::uint64_t lane = 0;
    Uint256 nonce;
    // Nothing where the calls are not known yet.
    std::optional<Described> described;
    // Nothing where its nonce or payer could not be guessed.
    std::optional<Estimate> estimate;
  };
  // Calls that are about to be prepared.
  struct Coming {
    std::vector<accounts::Call> calls;
    // The account's function that makes them; nothing where that is not known yet.
    std::optional<Bytes> call_data;
    // The calls are all there are.
    bool are_all = false;
    bool wants_sponsor = false;
  };

  // Everything that preparing needs to know, of one moment.
  struct Moment {
    Chain* chain = nullptr;
    std::string user_id;
    // Of what is prepared.
    std::string transaction_id;
    std::optional<Ahead> ahead;
    OwnedWallet wallet;
    // Of an account that is not deployed: as its init data makes it.
    accounts::AccountState state;
    std::vector<OwnedPasskey> own;
    // The account's passkeys that the person has here.
    std::vector<accounts::ChainPasskey> usable;
    std::vector<Bytes> credential_ids;

    accounts::AccountOnChain where() const { return {chain->served.chain_id, wallet.account}; }
    bool is_frozen() const { return state.frozen_until_s > state.block_time_s; }
  };

  // An operation before chain and sponsor were asked.
  struct OperationDraft {
    Kind kind = Kind::calls;
    Bytes call_data;
    // What is shown: of a queued spend its calls, though none acts now.
    std::vector<accounts::Call> calls;
    // What is shown besides.
    core::json::array summary, warnings;
    bool acts_now = true;
    bool wants_sponsor = true;
    // Of a session: its operation is signed without a passkey, and this one alone pays.
    std::optional<Address> paymaster;
    // Of a replacement: whose place it takes, and the fees that are the least.
    std::string replaces;
    std::optional<NoncePlace> place;
    Uint256 least_max_fee, least_priority_fee;
  };
  // An operation whose limits, fees and payer are settled.
  struct Settled {
    core::UserOperation op;
    Payer payer = Payer::account;
    std::string sponsor_name, payer_reason;
    Uint256 max_cost;
  };

  // What became of bringing something on chain.
  enum class Sent : std::uint8_t { sent, later, refused };
  struct Outcome {
    Sent sent = Sent::later;
    std::string reason;
  };

  // moment.cpp
  Chain* find_chain(std::uint64_t chain_id);
  Task<Result<Moment>> moment(std::string user_id, std::string wallet_id, std::uint64_t chain_id,
                              std::vector<Address> tokens);
  // First whose wallet it is and where, then the rest.
  Task<Result<Moment>> begin_moment(std::string user_id, std::string wallet_id, std::uint64_t chain_id);
  Task<Result<void>> complete(Moment& now, std::vector<Address> tokens);
  Task<Result<accounts::WaitingItem>> find_item(const Moment& now, Bytes32 item);
  Task<Result<std::uint32_t>> server_key_index(const Moment& now);
  Task<void> look_elsewhere(const Moment& now, WalletState& out);

  // retire.cpp
  enum class Unknown : std::uint8_t { for_now, for_good };
  Task<void> notice_strange_keys(const Moment& now);
  Task<void> look_for_retired();
  Task<void> compare_passkeys(store::KeyEpoch heard);
  Task<void> look_at_cancelled(store::CancelledItem item);
  Task<tl::expected<HeldKeys, Unknown>> held_keys(std::vector<OwnedWallet> wallets, store::KeyEpoch heard);
  Task<tl::expected<void, Unknown>> add_held(HeldKeys& held, OwnedWallet wallet, std::uint64_t chain_id,
                                             store::KeyEpoch heard);

  // overview.cpp
  Task<Result<std::vector<WaitingItem>>> waiting_items(const Moment& now, std::uint64_t from_block);
  Task<Result<std::vector<GrantState>>> live_grants(const Moment& now, std::uint64_t from_block);
  Task<Result<std::vector<Lane>>> lanes_of(const Moment& now);

  // prepare.cpp
  Task<Result<Moment>> look_around(std::string user_id, const PrepareRequest& request);
  Task<Result<Stored>> prepare(Moment now, PrepareRequest request);
  Task<Result<Stored>> prepare_calls(Moment now, CallsOrder order, bool sponsored);
  Task<Result<Stored>> prepare_queue(Moment now, QueueOrder order, bool sponsored);
  Task<Result<Stored>> prepare_confirm(Moment now, ConfirmOrder order, bool sponsored);
  Task<Result<Stored>> prepare_replacement(Moment now, ReplaceOrder order, bool sponsored);
  Task<Result<void>> keep_prepared(Stored row);
  Task<void> keep_prepared_behind(Stored row, std::unique_ptr<const Writing> writing);
  // Until all that the person was told is on disk.
  Task<void> until_kept(std::string user_id);
  Stored new_row(const Moment& now, Kind kind) const;

  // grants.cpp
  Task<Result<Stored>> prepare_grant(Moment now, GrantOrder order, bool sponsored);
  Task<Result<Stored>> prepare_session(Moment now, SessionOrder order);
  Task<Result<Stored>> sign_session(Stored row);

  // messages.cpp
  Task<Result<Stored>> prepare_message(Moment now, MessageOrder order);
  Task<Result<void>> check_listed(const Moment& now, const Bytes32& domain_separator);
  Result<void> check_domain(const Moment& now, const keys::TypedMessage& message) const;
  Result<void> nest(const Moment& now, const keys::TypedDocument& typed, PreparedMessage& prepared, Stored& row) const;
  Task<Result<Stored>> sign_message(Stored row, SignRequest request, accounts::PasskeySignature passkey,
                                    std::uint8_t slot);

  // eoa.cpp
  Task<Result<Stored>> prepare_eoa(Moment now, EoaOrder order);
  Task<Result<Stored>> replace_eoa(Moment now, Stored old);
  Task<Result<std::uint64_t>> next_eoa_nonce(const Chain& chain, Address sender);
  Task<Result<void>> estimate_eoa(const Chain& chain, Address sender, core::Transaction& tx);
  Task<Result<void>> describe_eoa(const Moment& now, Address sender, Stored& row);
  Task<Result<Stored>> settle_eoa(const Moment& now, Stored row);
  Task<Result<Stored>> sign_eoa(Stored row, SignRequest request);
  Task<Outcome> submit_eoa(Stored& row);
  Task<void> follow_eoa(Stored& row);

  // phrase.cpp
  static void keep_own_signers(const Moment& now, Stored& row);
  // phrase_missing; field_invalid below `pointer`.
  Task<Result<Address>> key_address(const Moment& now, PhraseKey key, std::string pointer);
  Task<Result<Stored>> prepare_phrase(Moment now, PhraseOrder order);
  Task<Result<Stored>> prepare_export(Moment now, ExportOrder order);
  Task<Result<Stored>> sign_phrase(Stored row, SignRequest request);
  Task<Result<Stored>> sign_export(Stored row, SignRequest request);

  // brought.cpp
  Task<Result<Stored>> prepare_brought(Moment now, BroughtOrder order);

  // keys.cpp
  Task<Result<Stored>> prepare_keys(Moment now, KeysOrder order);
  static Result<void> take_removed(const Moment& now, const KeysOrder& order, Stored& row, accounts::ChangeKeys& change,
                                   core::json::object& summary);
  Result<void> take_added(const Moment& now, const KeysOrder& order, Stored& row, accounts::ChangeKeys& change,
                          core::json::object& summary) const;
  Result<void> take_foreign(const Moment& now, const KeysOrder& order, Stored& row, accounts::ChangeKeys& change,
                            core::json::array& shown) const;
  Task<Result<void>> take_server_key(const Moment& now, const KeysOrder& order, Stored& row,
                                     accounts::ChangeKeys& change, core::json::object& summary);
  // One of two votes, where the account's escape key did not start what is cancelled.
  static void let_escape_key_vote(const Moment& now, const Stored& row, PreparedAction& prepared);
  Result<Stored> prepare_gated(const Moment& now, Stored row, accounts::Action action, std::uint8_t votes);
  static void keep_signers(const Moment& now, Stored& row);
  Task<Result<void>> note_asked(Stored& row, const SignRequest& request);
  // `request` is what is asked again after a crash, `assertion` what the core checks.
  Task<Result<core::Signature>> ask_key_change(Stored& row, const PreparedAction& prepared, const SignRequest& request,
                                               const SignRequest& assertion);
  Task<Result<void>> look_who_goes(Stored& row);
  Task<void> finish_interrupted();

  // plain.cpp
  Task<Result<Stored>> prepare_plain(Moment now, PlainOrder order);
  Task<Result<Stored>> prepare_rules(Moment now, accounts::ChangeRules rules);
  Task<Result<Stored>> prepare_finish(Moment now, FinishOrder order);
  Task<Result<void>> look_at_item(const Moment& now, const accounts::Action& action, Stored& row);

  // operation.cpp
  Task<Result<Ahead>> look_ahead(const Moment& now, Coming coming);
  Task<std::optional<Estimate>> estimate_ahead(const Moment& now, std::uint64_t lane, const Coming& coming);
  Task<Result<std::vector<Address>>> known_recipients(const Moment& now);
  Task<Result<Described>> describe(const Moment& now, std::vector<accounts::Call> calls);
  Result<std::uint64_t> reserve_lane(const Moment& now, std::int64_t until_ms);
  Task<Result<Stored>> prepare_operation(Moment now, OperationDraft draft);
  Task<Result<Stored>> prepare_in_lane(const Moment& now, OperationDraft draft, Stored row);
  Task<Result<Uint256>> next_nonce(const Chain& chain, Address account, std::uint64_t lane);
  Task<Result<Settled>> settle(const Moment& now, const OperationDraft& draft, core::UserOperation op);
  // Nothing, and the reason, when nobody sponsors it.
  Task<Result<std::optional<Settled>>> settle_sponsored(const Moment& now, const OperationDraft& draft,
                                                        core::UserOperation op, std::string& reason);
  Task<Result<Settled>> settle_paid(const Moment& now, const OperationDraft& draft, core::UserOperation op,
                                    const chain::FeeSuggestion& fees);
  Task<validation::Result<void>> estimate(const Moment& now, core::UserOperation& op);
  static Task<validation::Result<validation::GasEstimate>> ask_estimate(const Chain& chain, core::UserOperation op);

  // What the pool needs besides the operation.
  struct PoolReady {
    validation::ValidatedUserop userop;
    std::optional<Uint256> paymaster_deposit;
  };

  // sign.cpp
  struct Signing {
    Stored row;
    std::string passkey_id;
    // Nothing was signed: it had been, with the same digest.
    bool is_repetition = false;
  };
  // What a signature depends on here: the row, what its person may still sign away, and the person's passkeys.
  struct ToSign {
    Stored row;
    Result<void> limits;
    std::vector<OwnedPasskey> own;
  };
  Task<Result<ToSign>> find_to_sign(std::string user_id, std::string transaction_id);
  Task<Result<Signing>> make_signature(std::string user_id, std::string transaction_id, SignRequest request);
  Task<Result<accounts::PasskeySignature>> check_assertion(const Stored& row, const SignRequest& request,
                                                           const accounts::ChainPasskey& key);
  Task<Result<Stored>> sign_operation(Stored row, SignRequest request, accounts::PasskeySignature passkey,
                                      std::uint8_t slot);
  struct PasskeyVote {
    accounts::PasskeySignature signature;
    std::uint8_t slot = 0;
    std::string passkey_id;
  };
  // passkey_not_accounts, passkey_refused, and what limits and risk say.
  Task<Result<PasskeyVote>> check_passkey_vote(const ToSign& known, const SignRequest& request);
  // escape_key_has_no_vote, escape_key_voted, escape_signature_refused.
  static Result<accounts::ActionSignature> check_escape_vote(const Stored& row, const SignRequest& request);
  // Whether the server key signs, too, which takes a passkey's assertion.
  static bool has_gate(const accounts::Action& action);
  Task<Result<Stored>> sign_action(Stored row, SignRequest request, std::optional<PasskeyVote> passkey,
                                   std::optional<accounts::ActionSignature> escape);
  Task<Result<Stored>> sign_by_kind(Stored row, SignRequest request, std::optional<PasskeyVote> passkey,
                                    std::optional<accounts::ActionSignature> escape);
  // Nothing for a signature that is no DER.
  static std::optional<keys::Assertion> to_core(const SignRequest& request);
  Task<Result<core::Signature>> ask_gate(const Stored& row, const PreparedAction& prepared, const SignRequest& request);
  Result<void> check_limits(soci::session& sql, const Transaction& transaction, std::int64_t now_ms) const;
  Task<Result<void>> check_risk(const Stored& row);
  Task<Result<void>> check_policy(const Stored& row);
  // False when another request of the person's signed it meanwhile, or gave a vote.
  Result<bool> write_signed(soci::session& sql, const Stored& row, const std::vector<audit::AuditEvent>& events) const;
  std::vector<audit::AuditEvent> events_of_signature(const Transaction& transaction,
                                                     const std::string& passkey_id) const;
  // False when another request was faster; nothing is written then.
  Task<Result<bool>> keep_signature(Stored& row, const std::string& passkey_id);
  Task<Result<Transaction>> keep_signed(Stored row, std::string passkey_id);
  Task<pool::AdmissionPtr> admit_signed(Chain& chain, const Stored& row);
  Task<Result<void>> write_submitted(Chain& chain, const Stored& sent, pool::AdmissionPtr admission);
  Task<void> write_submitted_behind(Chain& chain, Stored sent, pool::AdmissionPtr admission,
                                    std::unique_ptr<const Behind> behind);
  // Nothing when the pool does not have it: what is on disk says how it goes on.
  Task<Result<std::optional<Transaction>>> keep_in_pool(Chain& chain, Stored row, std::string passkey_id);
  void take_signed(const Stored& row);
  void observe_signature(std::chrono::steady_clock::time_point begin);
  // Written to the audit log; the error as it was given.
  Task<Error> violate(const Stored& row, std::string_view type, Error error);
  tl::unexpected<Error> from_core(const keys::Error& error);

  // broadcast.cpp
  Task<Outcome> submit(Stored& row);
  Task<Outcome> submit_operation(Stored& row);
  Task<tl::expected<PoolReady, Outcome>> make_ready(const Chain& chain, const Stored& row);
  Task<Outcome> submit_action(Stored& row);
  Task<Result<Stored>> bring(Stored row);
  Task<Result<Stored>> begin_unsigned(Stored row);
  Task<Result<Stored>> drop_waiting(Stored row);

  // follow.cpp
  Task<void> follow_all();
  Task<void> follow(std::string id);
  Task<void> follow_operation(Stored& row);
  Task<void> follow_errand(Stored& row);
  void take_inclusion(const pool::UseropRecord& record, Stored& row);
  // Submitted, and in no block: before it comes into one, or after a reorganisation took it out.
  static void leave_block(Stored& row);
  // Of a row as it is now, what the log does not have; the row says that it has, when it is kept.
  std::vector<audit::AuditEvent> untold_events(Stored& row) const;
  bool was_renewed(Stored& row, const std::string& reason);
  // Of an operation that was refused or dropped. False: it is given up. True: another one took its nonce, and the row
  // says so, or may still take it, and the row is as it was.
  Task<bool> has_lost_nonce(Stored& row);
  Task<void> sweep();
  Task<void> tick();
  Task<void> tell();

  // service.cpp
  Task<chain::ChainResult<core::json::value>> pay_funds(Chain& chain, Address to);
  std::string new_id() const;
  // Writes the row with events of the audit log, and then tells listeners. What is over leaves memory.
  Task<Result<void>> keep(Stored row, std::vector<audit::AuditEvent> events);
  void enter(const Stored& row);
  void place_in_lane(const Stored& row);
  static LaneBook::Account lane_account(const Transaction& transaction);
  static LaneBook::Account lane_account(const Moment& now);
  audit::AuditEvent event(audit::EventName name, const Transaction& transaction) const;
  static bool moves_away(const PreparedAction& action, const KeyPlan& plan);
  static std::vector<audit::AuditEvent> events_of_inclusion(const TransactionService& self, const Stored& row);
  // It failed in a block, or was dropped by pool, courier or chain.
  audit::AuditEvent event_of_failure(const Transaction& transaction) const;
  void count(const char* name, const char* help, const infra::MetricLabels& labels = {}, double amount = 1);
  // Errors of the database in this module's words.
  template <class T>
  static Result<T> from_database(infra::Result<Result<T>> outcome) {
    if (!outcome) return fail(ErrorCode::database_unavailable, outcome.error().text());
    return std::move(*outcome);
  }
  Task<Result<Stored>> find(std::string user_id, std::string transaction_id);
  // One whose time is over is expired, whether or not that is written yet.
  static std::optional<Stored> read_row(soci::session& sql, const std::string& user_id,
                                        const std::string& transaction_id, std::int64_t now_ms);
  // The day of the chain's clock, of operations that nobody sponsors.
  std::uint32_t today(const Chain& chain) const;

  TransactionsDependencies d_;
  const TransactionsOptions options_;
  std::vector<std::unique_ptr<Chain>> chains_;
  LaneBook lanes_;
  users::RateLimits rates_;
  // Signed and not over.
  std::map<std::string, Stored> live_;
  // Changes of keys that the trusted core was asked for before this program began.
  std::vector<Stored> interrupted_;
  // By whom it is worked on, as often as somebody does: two requests may sign one row at the same time.
  std::multiset<std::string> held_;
  // Of transactions of phrases' keys: the head at which each was asked for last.
  std::map<std::string, Bytes32> looked_at_;
  // Accounts with strange keys, by chain and address: the key epoch that is on disk for them.
  std::map<std::pair<std::uint64_t, Address>, std::uint32_t> noted_epochs_;
  // Accounts by chain and address: the server key that was found to be their wallet's.
  std::map<std::pair<std::uint64_t, Address>, Address> own_server_keys_;
  std::vector<Listener> listeners_;
  std::deque<Transaction> untold_;
  infra::Event changed_, to_tell_;
  // Of all that was ever prepared; known when it is loaded, which comes before all else.
  std::uint64_t last_sequence_ = 0;
  // What was told and is not on disk yet, with whose it is.
  std::map<std::string, std::string> writing_;
  infra::Event has_written_;
  // Of run(), while it runs.
  infra::TaskGroup* background_ = nullptr;
};

// Until it is made, an account is what its init data says.
Result<void> take_init(const OwnedOrigin& origin, std::uint64_t chain_id, accounts::AccountState& state);
// Of its document, the lines that are shown.
void show_members(PreparedMessage& message);
// account_deploying, with a time after which it may be over.
tl::unexpected<Error> fail_deploying();
// What a revert means to the person: account_frozen, over_limit, gas_cost_over_cap, item_not_ready, would_revert.
Error refusal_of_revert(ByteView revert, std::string_view fallback);
Error from_validation(const validation::Error& error);
Error from_accounts(const accounts::Error& error);

}  // namespace community::transactions
