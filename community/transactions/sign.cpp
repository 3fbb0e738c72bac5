// SPDX-License-Identifier: Apache-2.0
// sign_transaction, layer by layer. Who asks was found out before: the session names the person, and a transaction is
// found among that person's own. Then what was confirmed is what was prepared; then limits and risk; then the
// assertion, first here, so that a refusal has a name and costs the core nothing, and then by the trusted core, which
// signs with the server key only for an assertion over the hash that it computed itself. The recovery file's vote is
// checked here and by the chain; the core is not asked about it.
#include <soci/soci.h>

#include "community/core/ecdsa.hpp"
#include "community/infra/api/log.hpp"
#include "community/transactions/service.hpp"
#include "community/webauthn/api/ceremony.hpp"
#include "trusted/base/sha2.hpp"
#include "trusted/webauthn/assertion.hpp"

namespace community::transactions {
namespace {

constexpr std::size_t kMaxClientData = 2'048, kMaxAuthenticatorData = 512, kMaxSignature = 80;
constexpr std::int64_t kMinute_ms = 60'000;

Error passkey_refused(std::string_view rule) {
  Error error;
  error.code = ErrorCode::passkey_refused;
  error.message = rule;
  return error;
}

keys::Assertion to_keys(const SignRequest& request, const accounts::PasskeySignature& passkey) {
  return {request.credential_id, passkey.client_data, passkey.authenticator_data, passkey.signature};
}

tl::unexpected<Error> escape_refused(std::string message) {
  return fail(ErrorCode::escape_signature_refused, std::move(message));
}

// Already signed with what this request confirms: the answer to a repetition.
bool is_repetition(const Transaction& transaction, const SignRequest& request) {
  return transaction.signed_ms != 0 && transaction.digest == request.digest;
}

}  // namespace

Task<Result<accounts::PasskeySignature>> TransactionService::check_assertion(const Stored& row,
                                                                             const SignRequest& request,
                                                                             const accounts::ChainPasskey& key) {
  const auto refuse = [](std::string_view rule) { return tl::unexpected<Error>(passkey_refused(rule)); };
  if (request.client_data.size() > kMaxClientData || request.authenticator_data.size() > kMaxAuthenticatorData ||
      request.signature.size() > kMaxSignature)
    co_return refuse("too_large");
  webauthn::Ceremony ceremony;
  ceremony.rp_id = options_.rp_id;
  ceremony.origins = {options_.origin};
  ceremony.challenge = core::to_bytes(*row.transaction.digest);
  if (const auto good = webauthn::check_client_data(request.client_data, "webauthn.get", ceremony); !good)
    co_return refuse(name(good.error().code));
  webauthn::AuthenticatorData data;
  if (webauthn::read_authenticator_data(request.authenticator_data, data) != webauthn::AssertionError::none)
    co_return refuse(name(webauthn::ErrorCode::authenticator_data_malformed));
  if (const auto good = webauthn::check_flags(data.rp_id_hash, data.flags, ceremony); !good)
    co_return refuse(name(good.error().code));
  const auto signature = core::parse_der_signature(request.signature);
  if (!signature) co_return refuse("signature_malformed");
  const Bytes32 digest = base::sha256({request.authenticator_data, base::sha256(request.client_data)});
  if (!core::verify_p256(key.key.public_key, digest, *signature)) co_return refuse("signature_invalid");
  accounts::PasskeySignature out;
  out.client_data = request.client_data;
  out.authenticator_data = request.authenticator_data;
  base::copy(out.signature, signature->r);
  base::copy(base::MutableByteView(out.signature).subspan(32), signature->s);
  co_return out;
}

tl::unexpected<Error> TransactionService::from_core(const keys::Error& error) {
  Error out;
  out.code = error.code == keys::ErrorCode::refused || error.code == keys::ErrorCode::not_found
                 ? ErrorCode::core_refused
                 : ErrorCode::core_unavailable;
  out.message = error.text();
  if (error.code == keys::ErrorCode::refused) out.refusal = protocol::name(error.refusal);
  return tl::unexpected<Error>(std::move(out));
}

Task<Error> TransactionService::violate(const Stored& row, std::string_view type, Error error) {
  audit::AuditEvent violation = event(audit::EventName::security_violation, row.transaction);
  violation.payload["type"] = std::string(type);
  count("community_transactions_violations_total", "Requests to sign that were refused as an attack might be, by type.",
        {{"type", std::string(type)}});
  auto work = [violation, audit = &d_.audit](soci::session& sql) { (void)audit->record(sql, violation); };
  // The refusal stands whether or not it could be written down.
  (void)co_await d_.database.write(work);
  co_return error;
}

Result<void> TransactionService::check_limits(soci::session& sql, const Transaction& transaction,
                                              std::int64_t now_ms) const {
  const store::Count lately = store::signed_since(sql, transaction.user_id, now_ms - kMinute_ms);
  if (lately.count >= options_.signed_per_minute) {
    const std::int64_t wait_ms = lately.oldest_ms + kMinute_ms - now_ms;
    return fail_until(ErrorCode::too_many_requests, std::max<std::int64_t>(1, (wait_ms + 999) / 1'000),
                      "too many transactions were signed within a minute");
  }
  if (!options_.daily_limit || transaction.value.is_zero()) return {};
  constexpr std::int64_t kDay_ms = accounts::kSecondsPerDay * 1'000;
  const std::int64_t day_ms = now_ms / kDay_ms * kDay_ms;
  const Uint256 before = store::value_signed(sql, transaction.user_id, transaction.chain_id, day_ms);
  const auto sum = base::add(before, transaction.value);
  if (sum && *sum <= *options_.daily_limit) return {};
  return fail_until(ErrorCode::transaction_limit, (day_ms + kDay_ms - now_ms + 999) / 1'000,
                    "this node lets a person sign away " + core::format_decimal(*options_.daily_limit) +
                        " wei a day, and " + core::format_decimal(before) + " are signed away");
}

// Looked at before the core is asked, and again in the write that counts.
Task<Result<void>> TransactionService::check_risk(const Stored& row) {
  auto read = [this, transaction = row.transaction, now = d_.clock.now_ms()](soci::session& sql) -> Result<void> {
    return check_limits(sql, transaction, now);
  };
  auto within = co_await d_.database.read_short(read);
  if (!within) co_return fail(ErrorCode::database_unavailable, within.error().text());
  if (!*within) co_return tl::unexpected(within->error());
  co_return co_await check_policy(row);
}

Task<Result<void>> TransactionService::check_policy(const Stored& row) {
  if (d_.policy == nullptr) co_return Result<void>{};
  RiskQuestion question;
  question.user_id = row.transaction.user_id;
  question.chain_id = row.transaction.chain_id;
  question.account = row.transaction.account;
  question.kind = row.transaction.kind;
  question.value = row.transaction.value;
  question.new_recipients = row.new_recipients;
  const auto refusal = co_await d_.policy->refuse(std::move(question));
  if (refusal) co_return fail(ErrorCode::policy_refused, *refusal);
  co_return Result<void>{};
}

// The contract asks the same (spec/account.md, section 1); here a refusal has a name and costs nothing.
Result<accounts::ActionSignature> TransactionService::check_escape_vote(const Stored& row, const SignRequest& request) {
  const auto* prepared = std::get_if<PreparedAction>(&row.transaction.content);
  if (prepared == nullptr || !prepared->escape_key)
    return fail(ErrorCode::escape_key_has_no_vote, "the recovery file is one of two votes, beside a passkey");
  for (const accounts::ActionSignature& vote : row.votes)
    if (vote.signer == accounts::kEscapeSigner) return fail(ErrorCode::escape_key_voted);
  const auto signature = core::parse_rsv(request.escape_signature);
  if (!signature) return escape_refused(std::string(name(signature.error().code)));
  // signature_high_s among them: one signature has one form.
  const auto signer = core::recover_address(*row.transaction.digest, *signature);
  if (!signer) return escape_refused(std::string(name(signer.error().code)));
  if (*signer != *prepared->escape_key) return escape_refused("not_the_escape_key");
  return accounts::ActionSignature{accounts::kEscapeSigner, core::to_bytes(signature->to_rsv())};
}

Task<Result<TransactionService::PasskeyVote>> TransactionService::check_passkey_vote(const ToSign& known,
                                                                                     const SignRequest& request) {
  const Stored& row = known.row;
  const auto passkey = std::find_if(known.own.begin(), known.own.end(), [&request](const OwnedPasskey& one) {
    return one.is_active && one.credential_id == request.credential_id;
  });
  const auto slot = std::find_if(row.passkeys.begin(), row.passkeys.end(), [&](const accounts::ChainPasskey& one) {
    return passkey != known.own.end() && one.key.public_key == passkey->public_key;
  });
  if (slot == row.passkeys.end())
    co_return fail(ErrorCode::passkey_not_accounts, "the passkey is none that may sign this");
  if (!known.limits) co_return tl::unexpected(known.limits.error());
  if (auto allowed = co_await check_policy(row); !allowed) co_return tl::unexpected(allowed.error());
  auto assertion = co_await check_assertion(row, request, *slot);
  count("community_transactions_biometric_verifications_total", "Assertions over transactions, by what came of them.",
        {{"result", assertion ? "ok" : "refused"}});
  if (!assertion) {
    Error refused = assertion.error();
    co_return tl::unexpected(co_await violate(row, "assertion_refused", std::move(refused)));
  }
  co_return PasskeyVote{std::move(*assertion), slot->slot, passkey->passkey_id};
}

Task<Result<Stored>> TransactionService::sign_operation(Stored row, SignRequest request,
                                                        accounts::PasskeySignature passkey, std::uint8_t slot) {
  const auto& operation = std::get<PreparedOperation>(row.transaction.content);
  auto packed = core::pack(operation.userop);
  if (!packed) co_return fail(ErrorCode::calls_invalid, packed.error().text());
  keys::UseropRequest question;
  question.wallet = row.wallet;
  question.chain_id = row.transaction.chain_id;
  question.entry_point = operation.entry_point;
  question.userop = std::move(*packed);
  question.assertion = to_keys(request, passkey);
  question.server_key_index = row.server_key_index;
  // The fees that it will be judged by are asked for beside it and kept by their oracle.
  auto fees = find_chain(row.transaction.chain_id)->served.fees.suggest();
  auto signing = d_.wallets.sign_userop(std::move(question));
  const auto [answer, asked] = co_await infra::both(std::move(signing), std::move(fees));
  if (!answer) co_return from_core(answer.error());
  if (answer->hash != *row.transaction.digest)
    co_return fail(ErrorCode::core_refused, "the trusted core computes another hash of the operation");
  const bool pays = row.transaction.payer == Payer::account;
  const std::uint32_t day = pays ? today(*find_chain(row.transaction.chain_id)) : 0;
  auto signature = accounts::encode_dual_signature(slot, day, answer->signature, passkey);
  // Chain and core read client data alike; what the contract could not check is of no use.
  if (!signature) co_return tl::unexpected(passkey_refused(name(signature.error().code)));
  row.submission = std::move(*signature);
  if (row.grant) row.grant->ticket = answer->self_call.ticket;
  co_return row;
}

std::optional<keys::Assertion> TransactionService::to_core(const SignRequest& request) {
  const auto signature = core::parse_der_signature(request.signature);
  if (!signature) return std::nullopt;
  keys::Assertion out;
  out.credential_id = request.credential_id;
  out.client_data = request.client_data;
  out.authenticator_data = request.authenticator_data;
  base::copy(out.signature, signature->r);
  base::copy(base::MutableByteView(out.signature).subspan(32), signature->s);
  return out;
}

Task<Result<core::Signature>> TransactionService::ask_gate(const Stored& row, const PreparedAction& prepared,
                                                           const SignRequest& request) {
  keys::ActionRequest question;
  question.wallet = row.wallet;
  question.chain_id = row.transaction.chain_id;
  question.account = row.transaction.account;
  question.server_key_index = row.server_key_index;
  if (const auto* rules = std::get_if<accounts::ChangeRules>(&prepared.action)) {
    question.action.kind = protocol::ActionKind::change_rules;
    question.action.guardians_hash = rules->guardians_hash;
    question.action.guardian_threshold = rules->guardian_threshold;
    question.action.recovery_delay = rules->recovery_delay_s;
    question.action.strict = rules->strict ? 1 : 0;
    question.action.unlisted_tokens = rules->unlisted_tokens ? 1 : 0;
    question.action.votes = rules->votes;
  } else {
    question.action.kind = protocol::ActionKind::unfreeze;
    question.action.votes = std::get<accounts::Unfreeze>(prepared.action).votes;
  }
  question.action.stamp = {prepared.stamp.key_epoch, prepared.stamp.nonce, prepared.stamp.deadline_s};
  auto assertion = to_core(request);
  if (!assertion) co_return tl::unexpected(passkey_refused("signature_malformed"));
  question.assertion = std::move(*assertion);
  const auto answer = co_await d_.wallets.sign_action(std::move(question));
  if (!answer) co_return from_core(answer.error());
  if (answer->digest != *row.transaction.digest)
    co_return fail(ErrorCode::core_refused, "the trusted core computes another digest of the action");
  co_return answer->signature;
}

bool TransactionService::has_gate(const accounts::Action& action) {
  return std::holds_alternative<accounts::ChangeKeys>(action) || std::holds_alternative<accounts::Unfreeze>(action) ||
         std::holds_alternative<accounts::ChangeRules>(action);
}

Task<Result<Stored>> TransactionService::sign_action(Stored row, SignRequest request,
                                                     std::optional<PasskeyVote> passkey,
                                                     std::optional<accounts::ActionSignature> escape) {
  auto& prepared = std::get<PreparedAction>(row.transaction.content);
  if (passkey) {
    for (const accounts::ActionSignature& vote : row.votes)
      if (vote.signer == passkey->slot)
        co_return fail(ErrorCode::passkey_voted, "the second vote comes from another key");
    auto vote = accounts::encode_passkey_vote(passkey->signature);
    if (!vote) co_return tl::unexpected(passkey_refused(name(vote.error().code)));
    row.votes.push_back({passkey->slot, std::move(*vote)});
    // The gate opens for this assertion, should the recovery file's vote be the last one.
    row.assertion = request;
    row.assertion->escape_signature.clear();
  }
  if (escape) {
    if (row.votes.size() >= prepared.votes_needed)
      co_return fail(ErrorCode::escape_key_has_no_vote, "two votes are there already");
    row.votes.push_back(std::move(*escape));
    prepared.escape_key_voted = true;
  }
  prepared.votes_given = static_cast<std::uint8_t>(row.votes.size());
  if (prepared.votes_given < prepared.votes_needed) co_return row;
  std::vector<accounts::ActionSignature> signatures = row.votes;
  if (has_gate(prepared.action)) {
    if (!row.assertion) co_return fail(ErrorCode::escape_key_has_no_vote, "a passkey has to sign, too");
    const SignRequest assertion = *row.assertion;
    const bool changes_keys = std::holds_alternative<accounts::ChangeKeys>(prepared.action);
    auto asked = changes_keys ? ask_key_change(row, prepared, request, assertion) : ask_gate(row, prepared, assertion);
    const auto server = co_await std::move(asked);
    if (!server) co_return tl::unexpected(server.error());
    if (auto looked = co_await look_who_goes(row); !looked) co_return tl::unexpected(looked.error());
    signatures.push_back({accounts::kServerSigner, core::to_bytes(server->to_rsv())});
  }
  auto call = accounts::encode_action(prepared.action, prepared.stamp, std::move(signatures));
  if (!call) co_return tl::unexpected(from_accounts(call.error()));
  row.submission = std::move(*call);
  row.assertion.reset();
  co_return row;
}

std::vector<audit::AuditEvent> TransactionService::events_of_signature(const Transaction& transaction,
                                                                       const std::string& passkey_id) const {
  std::vector<audit::AuditEvent> events;
  events.push_back(event(audit::EventName::transaction_signed, transaction));
  events.back().payload["digest"] = core::to_hex(*transaction.digest);
  if (!passkey_id.empty()) events.back().payload["passkeyId"] = passkey_id;
  const auto* action = std::get_if<PreparedAction>(&transaction.content);
  if (action != nullptr && action->escape_key_voted) events.back().payload["escapeKeyVoted"] = true;
  events.push_back(event(audit::EventName::wallet_used, transaction));
  if (transaction.kind == Kind::message) events.push_back(event(audit::EventName::message_signed, transaction));
  if (transaction.kind == Kind::phrase) events.push_back(event(audit::EventName::address_derived, transaction));
  if (transaction.kind == Kind::export_phrase) events.push_back(event(audit::EventName::phrase_exported, transaction));
  return events;
}

Result<bool> TransactionService::write_signed(soci::session& sql, const Stored& row,
                                              const std::vector<audit::AuditEvent>& events) const {
  const Transaction& now = row.transaction;
  const auto before = store::find(sql, now.user_id, now.transaction_id);
  if (!before) return fail(ErrorCode::not_found);
  if (before->transaction.state != State::prepared || before->votes.size() != row.votes_found) return false;
  // What an earlier key epoch's vote signed is void on chain, and brings no passkey into use here (retire.cpp).
  const auto* action = std::get_if<PreparedAction>(&now.content);
  if (row.plan && action != nullptr && action->stamp.key_epoch < store::key_epoch(sql, now.chain_id, now.account))
    return fail(ErrorCode::transaction_expired, "the account's keys changed since; prepare it again");
  const auto old = now.replaces.empty() ? std::nullopt : store::find(sql, now.user_id, now.replaces);
  if (old && !is_under_way(old->transaction.state))
    return fail(ErrorCode::not_replaceable, "what it was to replace does not wait any more");
  const auto* operation = std::get_if<PreparedOperation>(&now.content);
  if (operation != nullptr && operation->userop.factory && store::is_deploying(sql, now, now.replaces))
    return fail_deploying();
  if (now.kind == Kind::eoa && now.replaces.empty() && store::has_eoa_nonce(sql, row))
    return fail(ErrorCode::nonce_taken, "prepare it again, under the next number");
  if (now.signed_ms != 0)
    if (auto within = check_limits(sql, now, now.signed_ms); !within) return tl::unexpected(within.error());
  store::update(sql, row);
  if (now.signed_ms != 0) d_.people.note_used(sql, now.wallet_id, now.chain_id, now.signed_ms);
  if (now.signed_ms != 0 && now.kind == Kind::grant) store::insert_grant(sql, now, *row.grant);
  if (now.signed_ms != 0 && row.plan) {
    OwnedPasskeyChange change{now.user_id, now.wallet_id, {}, row.plan->retired};
    for (const KeyPlan::Passkey& one : row.plan->added)
      if (!one.is_foreign()) change.activated.push_back(one.passkey_id);
    d_.people.enter_passkeys(sql, change);
  }
  for (const audit::AuditEvent& one : events)
    if (const auto told = d_.audit.record(sql, one); !told)
      return fail(ErrorCode::database_unavailable, told.error().text());
  return true;
}

void TransactionService::take_signed(const Stored& row) {
  const Transaction& t = row.transaction;
  count("community_transactions_signed_total", "Transactions signed, by kind.", {{"kind", std::string(name(t.kind))}});
  if (t.signed_ms == 0) return;
  if (is_operation(t.kind)) lanes_.hold(lane_account(t), t.transaction_id);
  enter(row);
  untold_.push_back(t);
}

Task<Result<bool>> TransactionService::keep_signature(Stored& row, const std::string& passkey_id) {
  Transaction& t = row.transaction;
  t.updated_ms = d_.clock.now_ms();
  if (!row.submission.empty() || is_answered(t.kind)) {
    t.state = is_answered(t.kind) ? State::final_ : State::signed_;
    row.is_over = is_answered(t.kind);
    t.signed_ms = t.updated_ms;
  }
  auto work = [this, row, events = events_of_signature(t, passkey_id)](soci::session& sql) {
    return write_signed(sql, row, events);
  };
  const auto kept = from_database(co_await d_.database.write(work));
  if (kept && *kept) take_signed(row);
  co_return kept;
}

Task<Result<Transaction>> TransactionService::keep_signed(Stored row, std::string passkey_id) {
  const auto kept = co_await keep_signature(row, passkey_id);
  to_tell_.set();
  if (!kept) co_return tl::unexpected(kept.error());
  if (!*kept) co_return co_await transaction(row.transaction.user_id, row.transaction.transaction_id);
  co_return std::move(row.transaction);
}

// Nothing when there is something to say about the operation.
Task<pool::AdmissionPtr> TransactionService::admit_signed(Chain& chain, const Stored& row) {
  auto ready = co_await make_ready(chain, row);
  if (!ready) co_return nullptr;
  auto admitted = co_await chain.served.pool.admit(std::move(ready->userop), ready->paymaster_deposit);
  if (!admitted) co_return nullptr;
  co_return std::move(*admitted);
}

Task<Result<void>> TransactionService::write_submitted(Chain& chain, const Stored& sent, pool::AdmissionPtr admission) {
  audit::AuditEvent broadcast = event(audit::EventName::transaction_broadcast, sent.transaction);
  broadcast.payload["hash"] = core::to_hex(*sent.transaction.digest);
  auto also = [this, sent, broadcast](soci::session& sql) {
    const auto before = store::find(sql, sent.transaction.user_id, sent.transaction.transaction_id);
    const bool is_signed =
        before && before->transaction.state == State::signed_ && before->submission == sent.submission;
    if (!is_signed || !store::update(sql, sent) || !d_.audit.record(sql, broadcast))
      throw soci::soci_error("what was signed is gone");
  };
  const auto kept =
      co_await chain.served.pool.keep(std::move(admission), std::move(also), pool::Survives::end_of_program);
  if (!kept) co_return fail(ErrorCode::database_unavailable, kept.error().text());
  untold_.push_back(sent.transaction);
  co_return Result<void>{};
}

// Behind the answer, which the signature on disk is good for. What fails here, or a crash cuts off, is brought to the
// pool again like anything else that is signed (follow.cpp).
Task<void> TransactionService::write_submitted_behind(Chain& chain, Stored sent, pool::AdmissionPtr admission,
                                                      std::unique_ptr<const Behind> behind) {
  std::string why;
  try {
    co_await infra::reschedule();
    const auto done = co_await write_submitted(chain, sent, std::move(admission));
    if (!done) why = done.error().message;
  } catch (const std::exception& e) {
    // A fault of one operation ends nothing else.
    if (infra::is_cancellation(e)) throw;
    why = e.what();
  }
  if (!why.empty()) {
    infra::log_warning("what is signed is not in the pool yet",
                       {{"transaction", sent.transaction.transaction_id}, {"why", why}});
    sent.transaction.state = State::signed_;
    enter(sent);
  }
  behind.reset();
  // Now and not before: what listeners read and write would keep the database from what the person waited for.
  to_tell_.set();
  changed_.set();
}

// The signature goes to disk while the chain is asked whether the operation holds: it is the promise, and what is in
// the pool follows from it after a crash.
Task<Result<std::optional<Transaction>>> TransactionService::keep_in_pool(Chain& chain, Stored row,
                                                                          std::string passkey_id) {
  const Hold hold(*this, row.transaction.transaction_id);
  auto keeping = keep_signature(row, passkey_id);
  auto [kept, admission] = co_await infra::both(std::move(keeping), admit_signed(chain, row));
  if (kept && *kept && admission) {
    row.transaction.state = State::submitted;
    enter(row);
    Transaction sent = row.transaction;
    auto behind = std::make_unique<const Behind>(*this, sent);
    auto writing = write_submitted_behind(chain, std::move(row), std::move(admission), std::move(behind));
    if (background_ != nullptr) {
      background_->spawn(std::move(writing));
    } else {
      co_await std::move(writing);
    }
    co_return sent;
  }
  to_tell_.set();
  if (!kept) co_return tl::unexpected(kept.error());
  // Another request was faster, or there is something to say about the operation: each has its way from what is on
  // disk.
  co_return std::nullopt;
}

// In one question to the database, beside the other one.
Task<Result<TransactionService::ToSign>> TransactionService::find_to_sign(std::string user_id,
                                                                          std::string transaction_id) {
  co_await until_kept(user_id);
  auto read = [this, user_id, transaction_id, now = d_.clock.now_ms()](soci::session& sql) -> Result<ToSign> {
    auto row = read_row(sql, user_id, transaction_id, now);
    if (!row) return fail(ErrorCode::not_found);
    auto limits = check_limits(sql, row->transaction, now);
    return ToSign{std::move(*row), std::move(limits), {}};
  };
  auto [found, own] = co_await infra::both(d_.database.read_short(read), d_.people.passkeys(user_id));
  auto known = from_database(std::move(found));
  if (!known) co_return known;
  if (!own) co_return tl::unexpected(own.error());
  known->own = std::move(*own);
  co_return known;
}

Task<Result<TransactionService::Signing>> TransactionService::make_signature(std::string user_id,
                                                                             std::string transaction_id,
                                                                             SignRequest request) {
  auto found = co_await find_to_sign(std::move(user_id), std::move(transaction_id));
  if (!found) co_return tl::unexpected(found.error());
  Stored& row = found->row;
  const Transaction& t = row.transaction;
  if (is_repetition(t, request)) co_return Signing{std::move(row), {}, true};
  if (t.state != State::prepared && t.state != State::expired) co_return fail(ErrorCode::not_prepared);
  if (!t.digest) co_return fail(ErrorCode::not_prepared, "nobody signs this; it is brought as it is");
  if (*t.digest != request.digest) {
    Error refused;
    refused.code = ErrorCode::digest_differs;
    refused.message = "the page computed another digest than was prepared: nothing was signed";
    co_return tl::unexpected(co_await violate(row, "digest_differs", std::move(refused)));
  }
  if (is_brought_unsigned(t.kind)) co_return fail(ErrorCode::not_prepared, "nobody signs this; it is brought as it is");
  if (t.state == State::expired || d_.clock.now_ms() >= t.expires_ms)
    co_return fail(ErrorCode::transaction_expired, "its fees may be too low by now; prepare it again");
  if (!request.has_assertion() && request.escape_signature.empty())
    co_return fail_field("/credential", "an assertion, or the signature of the recovery file");
  row.votes_found = row.votes.size();
  std::optional<accounts::ActionSignature> escape;
  if (!request.escape_signature.empty()) {
    auto checked = check_escape_vote(row, request);
    if (!checked) {
      Error refused = checked.error();
      if (refused.code == ErrorCode::escape_signature_refused)
        refused = co_await violate(row, "escape_signature_refused", std::move(refused));
      co_return tl::unexpected(std::move(refused));
    }
    escape = std::move(*checked);
  }
  std::optional<PasskeyVote> passkey;
  if (request.has_assertion()) {
    auto checked = co_await check_passkey_vote(*found, request);
    if (!checked) co_return tl::unexpected(checked.error());
    passkey = std::move(*checked);
  }
  const std::string passkey_id = passkey ? passkey->passkey_id : std::string();
  auto task = sign_by_kind(std::move(row), std::move(request), std::move(passkey), std::move(escape));
  auto signed_row = co_await std::move(task);
  if (!signed_row) co_return tl::unexpected(signed_row.error());
  co_return Signing{std::move(*signed_row), passkey_id, false};
}

Task<Result<Stored>> TransactionService::sign_by_kind(Stored row, SignRequest request,
                                                      std::optional<PasskeyVote> passkey,
                                                      std::optional<accounts::ActionSignature> escape) {
  const Kind kind = row.transaction.kind;
  if (std::holds_alternative<PreparedAction>(row.transaction.content))
    return sign_action(std::move(row), std::move(request), std::move(passkey), std::move(escape));
  // The recovery file votes in plain functions alone, so there is an assertion.
  accounts::PasskeySignature signature = std::move(passkey->signature);
  const std::uint8_t slot = passkey->slot;
  if (is_operation(kind)) return sign_operation(std::move(row), std::move(request), std::move(signature), slot);
  if (kind == Kind::message) return sign_message(std::move(row), std::move(request), std::move(signature), slot);
  if (kind == Kind::eoa) return sign_eoa(std::move(row), std::move(request));
  if (kind == Kind::phrase) return sign_phrase(std::move(row), std::move(request));
  return sign_export(std::move(row), std::move(request));
}

void TransactionService::observe_signature(std::chrono::steady_clock::time_point begin) {
  if (d_.metrics == nullptr) return;
  d_.metrics
      ->histogram("community_transactions_signature_seconds", "From the assertion to the signature on disk.",
                  infra::Buckets::seconds)
      .observe(std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
}

Task<Result<Transaction>> TransactionService::sign_transaction(std::string user_id, std::string transaction_id,
                                                               SignRequest request) {
  const auto begin = std::chrono::steady_clock::now();
  auto made = co_await make_signature(std::move(user_id), std::move(transaction_id), std::move(request));
  if (!made) co_return tl::unexpected(made.error());
  if (made->is_repetition) co_return std::move(made->row.transaction);
  auto kept = co_await keep_signed(std::move(made->row), std::move(made->passkey_id));
  if (kept) observe_signature(begin);
  co_return kept;
}

Task<Result<Transaction>> TransactionService::sign_and_broadcast(std::string user_id, std::string transaction_id,
                                                                 SignRequest request) {
  const auto begin = std::chrono::steady_clock::now();
  auto made = co_await make_signature(user_id, transaction_id, std::move(request));
  if (!made) co_return tl::unexpected(made.error());
  if (made->is_repetition && is_answered(made->row.transaction.kind)) co_return std::move(made->row.transaction);
  if (made->is_repetition) co_return co_await broadcast_transaction(std::move(user_id), std::move(transaction_id));
  Stored& row = made->row;
  Chain* chain = find_chain(row.transaction.chain_id);
  if (chain != nullptr && is_operation(row.transaction.kind)) {
    auto sent = co_await keep_in_pool(*chain, std::move(row), std::move(made->passkey_id));
    if (!sent) co_return tl::unexpected(sent.error());
    observe_signature(begin);
    if (*sent) co_return std::move(**sent);
    co_return co_await broadcast_transaction(std::move(user_id), std::move(transaction_id));
  }
  auto kept = co_await keep_signed(std::move(row), std::move(made->passkey_id));
  if (!kept) co_return tl::unexpected(kept.error());
  observe_signature(begin);
  // A second vote is still to come, or nothing comes on chain.
  if (kept->signed_ms == 0 || is_answered(kept->kind)) co_return kept;
  co_return co_await broadcast_transaction(std::move(user_id), std::move(transaction_id));
}

}  // namespace community::transactions
