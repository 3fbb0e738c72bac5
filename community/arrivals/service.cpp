// SPDX-License-Identifier: Apache-2.0
// What a person sees of their arrivals, and the passkey's consent.
#include "community/arrivals/service.hpp"

#include "community/arrivals/store.hpp"
#include "community/core/ecdsa.hpp"
#include "community/core/uuid.hpp"
#include "community/transactions/api/brought.hpp"
#include "trusted/base/sha2.hpp"

namespace community::arrivals {

std::string_view name(State state) {
  constexpr std::string_view kNames[] = {"named", "expected", "arrived"};
  return kNames[static_cast<std::size_t>(state)];
}

bool has_keys(const accounts::AccountState& state, const Arrival& arrival) {
  if (!state.deployed || state.server_key != arrival.server_key) return false;
  return std::any_of(state.passkeys.begin(), state.passkeys.end(), [&arrival](const accounts::ChainPasskey& one) {
    return one.key.public_key == arrival.passkey.public_key && one.key.rp_id_hash == arrival.passkey.rp_id_hash;
  });
}

std::unique_ptr<Arrivals> make_arrivals(ArrivalsDependencies dependencies, ArrivalsOptions options) {
  return std::make_unique<ArrivalsService>(std::move(dependencies), std::move(options));
}

ArrivalsService::ArrivalsService(ArrivalsDependencies dependencies, ArrivalsOptions options)
    : d_(std::move(dependencies)), options_(std::move(options)) {
  for (const ServedChain& chain : d_.chains) {
    chains_.push_back(std::make_unique<Chain>(chain));
    chain.blocks.listen([this](const chain::ChainEvent&) -> Task<void> {
      changed_.set();
      co_return;
    });
  }
}

ArrivalsService::Chain* ArrivalsService::find_chain(std::uint64_t chain_id) {
  for (const auto& chain : chains_)
    if (chain->served.chain_id == chain_id) return chain.get();
  return nullptr;
}

std::string ArrivalsService::new_id() {
  core::Uuid id{};
  d_.random.fill(id);
  return core::format_uuid(core::random_uuid(id));
}

void ArrivalsService::count(const char* what) {
  if (d_.metrics != nullptr)
    d_.metrics
        ->counter("community_arrivals_total", "Accounts that people bring from elsewhere, by what happened.",
                  {{"what", what}})
        .add();
}

Result<void> ArrivalsService::take(const std::string& bucket, users::Rate rate) {
  const std::int64_t wait_s = rates_.take(bucket, rate, d_.clock.steady());
  if (wait_s == 0) return {};
  Error error;
  error.code = ErrorCode::too_many_requests;
  error.retry_after_s = wait_s;
  return tl::unexpected<Error>(std::move(error));
}

tl::unexpected<Error> ArrivalsService::from_core(const keys::Error& error) {
  if (error.code != keys::ErrorCode::refused) {
    const bool own = error.code == keys::ErrorCode::storage;
    return fail(own ? ErrorCode::database_unavailable : ErrorCode::core_unavailable,
                std::string(keys::name(error.code)));
  }
  Error refused;
  refused.code = ErrorCode::core_refused;
  refused.refusal = std::string(protocol::name(error.refusal));
  return tl::unexpected<Error>(std::move(refused));
}

// --- what is there ---------------------------------------------------------------------------------------------------

Task<Result<Arrival>> ArrivalsService::find(std::string user_id, std::string arrival_id) {
  auto read = [user_id, arrival_id](soci::session& sql) -> Result<Arrival> {
    auto found = store::arrival(sql, user_id, arrival_id);
    if (!found) return fail(ErrorCode::not_found);
    return std::move(*found);
  };
  co_return from_database(co_await d_.database.read(read));
}

Task<Result<Adoption>> ArrivalsService::adoption(const Arrival& arrival) {
  const auto record = core::parse_uuid(arrival.wallet_id);
  if (!record) co_return fail(ErrorCode::not_found, "the wallet's id is no record of a trusted core");
  const auto described = co_await d_.wallets.describe_wallet(*record, arrival.server_key_index);
  if (!described) co_return from_core(described.error());
  const auto own = co_await d_.people.passkeys(arrival.user_id);
  if (!own) co_return tl::unexpected(own.error());
  Adoption out;
  out.revision = described->revision;
  out.challenge = protocol::account_adoption_challenge(*record, described->revision, arrival.chain_id, arrival.account,
                                                       arrival.server_key_index);
  for (const users::PasskeyProfile& passkey : *own) {
    const Bytes32 hash = base::sha256(passkey.credential_id);
    for (std::size_t i = 0; i < described->passkey_count; i++)
      if (described->passkeys[i].credential_hash == hash) out.credential_ids.push_back(passkey.credential_id);
  }
  co_return out;
}

Task<std::optional<OnChain>> ArrivalsService::on_chain(const Arrival& arrival) {
  Chain* chain = find_chain(arrival.chain_id);
  if (chain == nullptr) co_return std::nullopt;
  auto state = co_await chain->view.state(arrival.account);
  if (!state || !state->deployed) co_return std::nullopt;
  const std::uint64_t head = state->block_number, from = head > kItemBlocks ? head - kItemBlocks : 0;
  auto waiting = co_await chain->view.waiting(arrival.account, from);
  if (!waiting) co_return std::nullopt;
  OnChain out;
  const accounts::AccountOnChain where{arrival.chain_id, arrival.account};
  out.waiting = transactions::read_waiting(where, state->key_epoch, std::move(*waiting));
  out.state = std::move(*state);
  co_return out;
}

Task<Result<ArrivalReport>> ArrivalsService::report(Arrival arrival) {
  ArrivalReport out;
  if (arrival.state != State::arrived) out.on_chain = co_await on_chain(arrival);
  // Whoever looks need not wait for the next block.
  if (arrival.state == State::expected && out.on_chain)
    if (Chain* chain = find_chain(arrival.chain_id); chain != nullptr)
      arrival = co_await look(*chain, std::move(arrival), out.on_chain->state);
  if (arrival.state == State::named) {
    auto asked = co_await adoption(arrival);
    if (!asked) co_return tl::unexpected(asked.error());
    out.adoption = std::move(*asked);
  }
  out.arrival = std::move(arrival);
  co_return out;
}

Task<Result<std::vector<ArrivalReport>>> ArrivalsService::list(std::string user_id) {
  auto read = [user_id](soci::session& sql) -> Result<std::vector<Arrival>> { return store::arrivals(sql, user_id); };
  auto found = from_database(co_await d_.database.read(read));
  if (!found) co_return tl::unexpected(found.error());
  std::vector<ArrivalReport> out;
  for (Arrival& one : *found) {
    auto reported = co_await report(std::move(one));
    if (!reported) co_return tl::unexpected(reported.error());
    out.push_back(std::move(*reported));
  }
  co_return out;
}

Task<Result<ArrivalReport>> ArrivalsService::arrival(std::string user_id, std::string arrival_id) {
  auto found = co_await find(std::move(user_id), std::move(arrival_id));
  if (!found) co_return tl::unexpected(found.error());
  co_return co_await report(std::move(*found));
}

// --- consent ---------------------------------------------------------------------------------------------------------

Task<Result<ArrivalReport>> ArrivalsService::adopt(std::string user_id, std::string arrival_id,
                                                   users::LogInAssertion assertion) {
  auto found = co_await find(user_id, arrival_id);
  if (!found) co_return tl::unexpected(found.error());
  if (found->state != State::named) co_return co_await report(std::move(*found));
  if (find_chain(found->chain_id) == nullptr)
    co_return fail(ErrorCode::chain_unknown, "the node does not serve this chain any more");
  const auto record = core::parse_uuid(found->wallet_id);
  if (!record) co_return fail(ErrorCode::not_found, "the wallet's id is no record of a trusted core");
  const auto signature = core::parse_der_signature(assertion.signature);
  if (!signature) co_return fail(ErrorCode::passkey_refused, "signature_malformed");
  keys::AccountAdoptRequest request;
  request.wallet = *record;
  request.chain_id = found->chain_id;
  request.account = found->account;
  request.server_key_index = found->server_key_index;
  request.assertion.credential_id = std::move(assertion.credential_id);
  request.assertion.client_data = std::move(assertion.client_data);
  request.assertion.authenticator_data = std::move(assertion.authenticator_data);
  base::copy(request.assertion.signature, signature->r);
  base::copy(base::MutableByteView(request.assertion.signature).subspan(32), signature->s);
  const auto adopted = co_await d_.wallets.adopt_account(std::move(request));
  if (adopted && *adopted != found->server_key)
    co_return fail(ErrorCode::core_refused, "the trusted core names another server key than before");
  if (!adopted) {
    const keys::Error& error = adopted.error();
    const bool refused = error.code == keys::ErrorCode::refused;
    if (refused && error.refusal == protocol::Error::challenge_mismatch) co_return fail(ErrorCode::challenge_stale);
    // What an answer that was lost had done.
    if (!refused || error.refusal != protocol::Error::account_exists) co_return from_core(error);
  }
  auto work = [user_id, arrival_id](soci::session& sql) -> Result<Arrival> {
    auto row = store::arrival(sql, user_id, arrival_id);
    if (!row) return fail(ErrorCode::not_found);
    if (row->state != State::named) return std::move(*row);
    row->state = State::expected;
    store::update(sql, *row);
    return std::move(*row);
  };
  auto expected = from_database(co_await d_.database.write(work));
  if (!expected) co_return tl::unexpected(expected.error());
  count("expected");
  co_return co_await report(std::move(*expected));
}

Task<Result<void>> ArrivalsService::forget(std::string user_id, std::string arrival_id) {
  auto work = [user_id, arrival_id](soci::session& sql) -> Result<bool> {
    const auto row = store::arrival(sql, user_id, arrival_id);
    if (!row) return fail(ErrorCode::not_found);
    if (row->state == State::arrived) return fail(ErrorCode::already_arrived, "the account is among the wallets");
    store::erase(sql, arrival_id);
    return true;
  };
  const auto done = from_database(co_await d_.database.write(work));
  if (!done) co_return tl::unexpected(done.error());
  contested_.erase(arrival_id);
  count("forgotten");
  co_return Result<void>{};
}

}  // namespace community::arrivals
