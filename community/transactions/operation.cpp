// SPDX-License-Identifier: Apache-2.0
// User operations: nonce, gas, fees, who pays, hash.
#include "community/chain/api/entry_point.hpp"
#include "community/transactions/service.hpp"
#include "community/validation/api/gas.hpp"

namespace community::transactions {
namespace {

// Fees last for nine full blocks in a row, each of which raises the base fee by an eighth (EIP-1559): what is shown
// holds while a person reads, and nobody pays more than the block's own fee.
constexpr std::uint64_t kHeadroom = 3;
constexpr std::int64_t kSponsorMargin_ms = 10'000;

struct Fees {
  Uint256 max_fee, priority_fee;
};

Fees lasting_fees(const chain::FeeSuggestion& suggestion) {
  Fees fees{suggestion.fast.max_fee_per_gas, suggestion.fast.max_priority_fee_per_gas};
  const auto base = base::multiply(suggestion.base_fee, Uint256(kHeadroom));
  const auto sum = base ? base::add(*base, fees.priority_fee) : std::nullopt;
  if (sum) fees.max_fee = std::max(fees.max_fee, *sum);
  return fees;
}

void set_fees(core::UserOperation& op, const Fees& fees, const Uint256& least_max, const Uint256& least_priority) {
  op.max_priority_fee_per_gas = std::max(fees.priority_fee, least_priority);
  op.max_fee_per_gas = std::max({fees.max_fee, least_max, op.max_priority_fee_per_gas});
}

void drop_paymaster(core::UserOperation& op) {
  op.paymaster.reset();
  op.paymaster_data.clear();
  op.paymaster_verification_gas_limit = op.paymaster_post_op_gas_limit = Uint256();
}

void take(const paymaster::SponsorData& data, core::UserOperation& op) {
  op.paymaster = data.paymaster;
  op.paymaster_data = data.data;
  op.paymaster_verification_gas_limit = data.verification_gas_limit;
  op.paymaster_post_op_gas_limit = data.post_op_gas_limit;
}

std::string reason_of(paymaster::ErrorCode code) { return with_hyphens(name(code)); }

// Sponsorships begin with the second until which they hold (spec/wire-formats.md, section 4).
std::int64_t sponsored_until_ms(const core::UserOperation& op) {
  constexpr std::size_t kTimeBytes = 6;
  if (op.paymaster_data.size() < kTimeBytes) return 0;
  const Uint256 seconds = Uint256::from_be(ByteView(op.paymaster_data).first(kTimeBytes));
  return static_cast<std::int64_t>(seconds.limb[0]) * 1'000;
}

// An estimate is made with fees of its own and without the gas limits, and knows the sponsorship by its length alone.
bool is_estimated_alike(const core::UserOperation& one, const core::UserOperation& other) {
  return one.sender == other.sender && one.nonce == other.nonce && one.factory == other.factory &&
         one.factory_data == other.factory_data && one.call_data == other.call_data &&
         one.paymaster == other.paymaster && one.paymaster_data.size() == other.paymaster_data.size() &&
         one.signature == other.signature;
}

// A nonce: key, then sequence number.
Uint256 nonce_of(const NoncePlace& place) {
  Uint256 nonce(place.sequence);
  nonce.limb[1] = place.lane;
  return nonce;
}

}  // namespace

tl::unexpected<Error> fail_deploying() {
  constexpr std::int64_t kRetry_s = 2;
  return fail_until(ErrorCode::account_deploying, kRetry_s,
                    "the account comes on chain with an operation that is under way");
}

std::uint32_t TransactionService::today(const Chain& chain) const {
  const auto& head = chain.served.blocks.head();
  // A chain may be ahead of this machine, or behind it.
  const std::int64_t now = head ? static_cast<std::int64_t>(head->timestamp) : d_.clock.now_s();
  return static_cast<std::uint32_t>(now / accounts::kSecondsPerDay);
}

Task<Result<Uint256>> TransactionService::next_nonce(const Chain& chain, Address account, std::uint64_t lane) {
  chain::CallRequest question;
  question.to = chain.served.entry_point.address();
  question.data = chain.served.entry_point.encode_get_nonce(account, Uint256(lane));
  const auto answer = co_await chain.served.chain.call_known(std::move(question));
  const auto nonce = answer ? chain::decode_word(*answer) : std::nullopt;
  if (!nonce) co_return fail(ErrorCode::chain_unavailable, "the EntryPoint tells no nonce");
  co_return *nonce;
}

Task<validation::Result<validation::GasEstimate>> TransactionService::ask_estimate(const Chain& chain,
                                                                                   core::UserOperation op) {
  const chain::EntryPoint& contract = chain.served.entry_point;
  const validation::EntryPointId entry_point{contract.address(), contract.version()};
  auto asked = chain.served.estimator.estimate(std::move(op), entry_point, core::json::object(), false);
  co_return co_await std::move(asked);
}

Task<validation::Result<void>> TransactionService::estimate(const Moment& now, core::UserOperation& op) {
  std::optional<validation::Result<validation::GasEstimate>> limits;
  if (now.ahead && now.ahead->estimate && is_estimated_alike(now.ahead->estimate->op, op))
    limits = now.ahead->estimate->limits;
  if (!limits) {
    core::UserOperation copy = op;
    limits = co_await ask_estimate(*now.chain, std::move(copy));
  }
  if (!*limits) co_return tl::unexpected(std::move(limits->error()));
  const validation::GasEstimate& found = **limits;
  op.pre_verification_gas = found.pre_verification_gas;
  op.verification_gas_limit = found.verification_gas_limit;
  op.call_gas_limit = found.call_gas_limit;
  if (found.paymaster_verification_gas_limit)
    op.paymaster_verification_gas_limit = *found.paymaster_verification_gas_limit;
  if (found.paymaster_post_op_gas_limit) op.paymaster_post_op_gas_limit = *found.paymaster_post_op_gas_limit;
  co_return validation::Result<void>{};
}

Task<Result<std::optional<TransactionService::Settled>>> TransactionService::settle_sponsored(
    const Moment& now, const OperationDraft& draft, core::UserOperation op, std::string& reason) {
  const ServedChain& served = now.chain->served;
  const Address entry_point = served.entry_point.address();
  const Uint256 chain_id(served.chain_id);
  using Maybe = std::optional<Settled>;
  op.signature =
      draft.paymaster ? accounts::dummy_session_signature() : accounts::dummy_dual_signature(options_.origin, 0);
  core::UserOperation question = op;
  const auto stub = co_await served.sponsor->stub(std::move(question), entry_point, chain_id);
  if (!stub) {
    reason = reason_of(stub.error().code);
    co_return Maybe();
  }
  if (draft.paymaster && stub->paymaster != *draft.paymaster) {
    reason = "paymaster-differs";
    co_return Maybe();
  }
  take(*stub, op);
  const auto estimated = co_await estimate(now, op);
  if (!estimated) {
    using enum validation::ErrorCode;
    const auto code = estimated.error().code;
    if (code != paymaster_rejected && code != paymaster_deposit_too_low)
      co_return tl::unexpected(from_validation(estimated.error()));
    reason = with_hyphens(name(code));
    co_return Maybe();
  }
  core::UserOperation final_fields = op;
  const auto signed_data = co_await served.sponsor->sign(std::move(final_fields), entry_point, chain_id);
  if (!signed_data) {
    reason = reason_of(signed_data.error().code);
    co_return Maybe();
  }
  take(*signed_data, op);
  Settled settled;
  settled.payer = Payer::sponsor;
  settled.sponsor_name = signed_data->name;
  settled.max_cost = validation::max_cost(op).value_or(Uint256::max());
  settled.op = std::move(op);
  co_return Maybe(std::move(settled));
}

Task<Result<TransactionService::Settled>> TransactionService::settle_paid(const Moment& now,
                                                                          const OperationDraft& draft,
                                                                          core::UserOperation op,
                                                                          const chain::FeeSuggestion& fees) {
  drop_paymaster(op);
  op.signature = accounts::dummy_dual_signature(options_.origin, today(*now.chain));
  const auto estimated = co_await estimate(now, op);
  if (!estimated) co_return tl::unexpected(from_validation(estimated.error()));
  // Head-room counts against the account's gas cap and balance: less of it where it does not fit.
  const Fees offers[] = {lasting_fees(fees),
                         {fees.fast.max_fee_per_gas, fees.fast.max_priority_fee_per_gas},
                         {fees.standard.max_fee_per_gas, fees.standard.max_priority_fee_per_gas}};
  Settled settled;
  bool is_over_cap = false;
  for (const Fees& offer : offers) {
    set_fees(op, offer, draft.least_max_fee, draft.least_priority_fee);
    settled.max_cost = validation::max_cost(op).value_or(Uint256::max());
    is_over_cap = settled.max_cost > now.state.gas_cap;
    if (!is_over_cap && settled.max_cost <= now.state.balance) {
      settled.op = std::move(op);
      co_return settled;
    }
  }
  const std::string cost = core::format_decimal(settled.max_cost);
  if (is_over_cap)
    co_return fail(ErrorCode::gas_cost_over_cap,
                   "it may cost " + cost + " wei, and the account's cap is " + core::format_decimal(now.state.gas_cap));
  co_return fail(ErrorCode::insufficient_funds,
                 "gas may cost " + cost + " wei, and the account has " + core::format_decimal(now.state.balance));
}

Task<Result<TransactionService::Settled>> TransactionService::settle(const Moment& now, const OperationDraft& draft,
                                                                     core::UserOperation op) {
  const auto fees = co_await now.chain->served.fees.suggest();
  if (!fees) co_return fail(ErrorCode::chain_unavailable, fees.error().text());
  set_fees(op, lasting_fees(*fees), draft.least_max_fee, draft.least_priority_fee);
  std::string reason = draft.wants_sponsor ? "disabled" : "not-asked";
  if (draft.wants_sponsor && now.chain->served.sponsor != nullptr) {
    core::UserOperation copy = op;
    auto sponsored = co_await settle_sponsored(now, draft, std::move(copy), reason);
    if (!sponsored) co_return tl::unexpected(sponsored.error());
    if (*sponsored) co_return std::move(**sponsored);
  }
  if (draft.paymaster) co_return fail(ErrorCode::sponsor_missing, reason);
  auto paid = co_await settle_paid(now, draft, std::move(op), *fees);
  if (paid) paid->payer_reason = reason;
  co_return paid;
}

Result<std::uint64_t> TransactionService::reserve_lane(const Moment& now, std::int64_t until_ms) {
  const pool::Pool& pool = now.chain->served.pool;
  const Address entry_point = now.chain->served.entry_point.address();
  const auto is_busy = [&pool, entry_point, sender = now.wallet.account](std::uint64_t key) {
    return pool.next_nonce(entry_point, sender, nonce_of({key, 0})).has_value();
  };
  const auto lane = lanes_.reserve(lane_account(now), now.transaction_id, until_ms, d_.clock.now_ms(), is_busy);
  if (lane) return *lane;
  return fail(ErrorCode::too_many_under_way, "16 operations of the account are under way; wait for one to end");
}

Task<Result<std::vector<Address>>> TransactionService::known_recipients(const Moment& now) {
  auto read = [chain_id = now.chain->served.chain_id,
               account = now.wallet.account](soci::session& sql) -> Result<std::vector<Address>> {
    return store::recipients(sql, chain_id, account);
  };
  co_return from_database(co_await d_.database.read(read));
}

Task<Result<Described>> TransactionService::describe(const Moment& now, std::vector<accounts::Call> calls) {
  DescribeRequest question{now.wallet.account, std::move(calls)};
  co_return co_await now.chain->describer.describe(std::move(question), known_recipients(now));
}

Task<Result<TransactionService::Ahead>> TransactionService::look_ahead(const Moment& now, Coming coming) {
  Ahead ahead;
  const auto lane = reserve_lane(now, d_.clock.now_ms() + kPreparedLife.count());
  if (!lane) co_return tl::unexpected(lane.error());
  ahead.lane = *lane;
  auto nonce_question = next_nonce(*now.chain, now.wallet.account, ahead.lane);
  // Kept by the oracle for the moment when it is needed.
  auto fees = now.chain->served.fees.suggest();
  auto first = infra::both(std::move(nonce_question), std::move(fees));
  auto second = infra::both(describe(now, coming.calls), estimate_ahead(now, ahead.lane, coming));
  auto [answers, told] = co_await infra::both(std::move(first), std::move(second));
  if (!answers.first) co_return tl::unexpected(answers.first.error());
  ahead.nonce = *answers.first;
  if (const auto place = place_of(ahead.nonce)) lanes_.note_next(lane_account(now), *place);
  ahead.estimate = std::move(told.second);
  if (!coming.are_all) co_return ahead;
  if (!told.first) co_return tl::unexpected(told.first.error());
  ahead.described = std::move(*told.first);
  co_return ahead;
}

// Beside the questions about the account, as if they were answered as the last ones were. Where they are not, the
// estimate is of another operation and made again.
Task<std::optional<TransactionService::Estimate>> TransactionService::estimate_ahead(const Moment& now,
                                                                                     std::uint64_t lane,
                                                                                     const Coming& coming) {
  const ServedChain& served = now.chain->served;
  const auto sequence = lanes_.likely_next(lane_account(now), lane);
  if (!sequence || !coming.call_data || !coming.wants_sponsor || served.sponsor == nullptr) co_return std::nullopt;
  Estimate estimate;
  core::UserOperation& op = estimate.op;
  op.sender = now.wallet.account;
  op.nonce = nonce_of({lane, *sequence});
  op.call_data = *coming.call_data;
  op.signature = accounts::dummy_dual_signature(options_.origin, 0);
  core::UserOperation question = op;
  const auto stub =
      co_await served.sponsor->stub(std::move(question), served.entry_point.address(), Uint256(served.chain_id));
  if (!stub) co_return std::nullopt;
  take(*stub, op);
  // The estimate takes the chain longest. It is asked for behind the questions that travel together, which leave at the
  // end of this turn.
  co_await infra::reschedule();
  core::UserOperation expected = op;
  estimate.limits = co_await ask_estimate(*now.chain, std::move(expected));
  co_return estimate;
}

Task<Result<Stored>> TransactionService::prepare_operation(Moment now, OperationDraft draft) {
  Stored row = new_row(now, draft.kind);
  if (draft.place) {
    lanes_.share(lane_account(now), now.transaction_id, draft.place->lane, row.transaction.expires_ms);
    const auto next = co_await next_nonce(*now.chain, now.wallet.account, draft.place->lane);
    if (!next) co_return tl::unexpected(next.error());
    if (draft.place->sequence < next->limb[0])
      co_return fail(ErrorCode::not_replaceable, "its nonce is used: it is in a block, or another one was");
  } else {
    draft.place = NoncePlace{now.ahead->lane, now.ahead->nonce.limb[0]};
  }
  co_return co_await prepare_in_lane(now, std::move(draft), std::move(row));
}

Task<Result<Stored>> TransactionService::prepare_in_lane(const Moment& now, OperationDraft draft, Stored row) {
  const ServedChain& served = now.chain->served;
  row.lane = draft.place->lane;
  row.lane_sequence = draft.place->sequence;
  core::UserOperation op;
  op.sender = now.wallet.account;
  op.nonce = nonce_of(*draft.place);
  op.call_data = draft.call_data;
  if (!now.state.deployed) {
    // Two of them would both make the account, and the second one fail for it, after it was signed.
    auto read = [transaction = row.transaction, replaced = draft.replaces](soci::session& sql) -> Result<bool> {
      return store::is_deploying(sql, transaction, replaced);
    };
    const auto is_deploying = from_database(co_await d_.database.read_short(read));
    if (!is_deploying) co_return tl::unexpected(is_deploying.error());
    if (*is_deploying) co_return fail_deploying();
    op.factory = now.wallet.origin->factory;
    op.factory_data = accounts::encode_create_account(now.wallet.origin->init_data);
  }
  std::optional<Described> described;
  if (now.ahead) described = now.ahead->described;
  if (!described) {
    auto told = co_await describe(now, draft.calls);
    if (!told) co_return tl::unexpected(told.error());
    described = std::move(*told);
  }
  auto found = settle(now, draft, std::move(op));
  auto [settled, index] = co_await infra::both(std::move(found), server_key_index(now));
  if (!settled) co_return tl::unexpected(settled.error());
  if (!index) co_return tl::unexpected(index.error());
  row.server_key_index = *index;

  Transaction& t = row.transaction;
  settled->op.signature.clear();
  const auto hash = core::userop_hash(settled->op, served.entry_point.version(), served.entry_point.address(),
                                      Uint256(served.chain_id));
  if (!hash) co_return fail(ErrorCode::calls_invalid, hash.error().text());
  t.digest = *hash;
  t.payer = settled->payer;
  t.sponsor_name = std::move(settled->sponsor_name);
  t.payer_reason = std::move(settled->payer_reason);
  t.max_cost = settled->max_cost;
  // A little before it ends, so that what is signed in time is in a block in time.
  if (t.payer == Payer::sponsor)
    t.expires_ms = std::min(t.expires_ms, sponsored_until_ms(settled->op) - kSponsorMargin_ms);
  t.replaces = draft.replaces;
  t.summary = std::move(draft.summary);
  t.warnings = std::move(draft.warnings);
  for (auto& one : described->summary) t.summary.push_back(std::move(one));
  for (auto& one : described->warnings) t.warnings.push_back(std::move(one));
  if (draft.acts_now) {
    t.value = described->value;
    row.recipients = std::move(described->recipients);
    row.new_recipients = std::move(described->new_recipients);
    const Uint256 gas = t.payer == Payer::account ? t.max_cost : Uint256();
    const auto all = base::add(t.value, gas);
    if (!t.value.is_zero() && (!all || *all >= now.state.balance))
      t.warnings.push_back(warning_json(Warning::whole_balance));
  }
  t.content = PreparedOperation{std::move(settled->op), served.entry_point.address()};
  co_return row;
}

}  // namespace community::transactions
