// SPDX-License-Identifier: Apache-2.0
// Calls that bring an arrival's keys to its account when its former node does not: the person signed them with the file
// of their escape key, or guardians did. The courier pays for nothing else.
#include "community/arrivals/service.hpp"
#include "community/transactions/api/brought.hpp"

namespace community::arrivals {
namespace {

constexpr infra::Milliseconds kDay{24ll * 60 * 60 * 1'000};

bool is_passkey(const accounts::InitPasskey& one, const Arrival& arrival) {
  return one.public_key == arrival.passkey.public_key && one.rp_id_hash == arrival.passkey.rp_id_hash;
}

tl::unexpected<Error> from_transactions(const transactions::Error& error) {
  Error out;
  out.code =
      error.code == transactions::ErrorCode::chain_unavailable ? ErrorCode::chain_unavailable : ErrorCode::would_revert;
  out.message = error.message;
  out.revert = error.revert;
  return tl::unexpected<Error>(std::move(out));
}

tl::unexpected<Error> from_courier(const courier::Error& error) {
  using enum courier::ErrorCode;
  Error out;
  out.code = ErrorCode::refused_by_node;
  if (error.code == call_invalid) out.code = ErrorCode::call_refused;
  if (error.code == would_revert) out.code = ErrorCode::would_revert;
  if (error.code == chain_unavailable || error.code == queue_full) out.code = ErrorCode::chain_unavailable;
  if (error.code == keys_unavailable) out.code = ErrorCode::core_unavailable;
  if (error.code == storage) out.code = ErrorCode::database_unavailable;
  out.message = error.text();
  return tl::unexpected<Error>(std::move(out));
}

}  // namespace

bool names_exactly(const accounts::Action& action, const Arrival& arrival) {
  const auto is_it = [&arrival](const std::vector<accounts::InitPasskey>& passkeys, const Address& server_key) {
    return passkeys.size() == 1 && is_passkey(passkeys.front(), arrival) && server_key == arrival.server_key;
  };
  if (const auto* escape = std::get_if<accounts::Escape>(&action)) return is_it(escape->passkeys, escape->server_key);
  if (const auto* recover = std::get_if<accounts::Recover>(&action))
    return is_it(recover->passkeys, recover->server_key);
  return false;
}

bool brings(const accounts::Action& action, const Arrival& arrival) {
  if (const auto* change = std::get_if<accounts::ChangeKeys>(&action))
    return change->server_key == arrival.server_key &&
           std::any_of(change->added.begin(), change->added.end(),
                       [&arrival](const accounts::InitPasskey& one) { return is_passkey(one, arrival); });
  return names_exactly(action, arrival);
}

Task<Result<void>> ArrivalsService::check_finish(Chain& chain, const Arrival& arrival, const Bytes& call) {
  const auto state = co_await chain.view.state(arrival.account);
  if (!state) co_return fail(ErrorCode::chain_unavailable, state.error().text());
  if (!state->deployed) co_return fail(ErrorCode::call_refused, "nothing is at the account's address");
  const std::uint64_t head = state->block_number, from = head > kItemBlocks ? head - kItemBlocks : 0;
  auto items = co_await chain.view.waiting(arrival.account, from);
  if (!items) co_return fail(ErrorCode::chain_unavailable, items.error().text());
  const accounts::AccountOnChain where{arrival.chain_id, arrival.account};
  for (const auto& item : transactions::read_waiting(where, state->key_epoch, std::move(*items))) {
    const auto* started = item.content ? std::get_if<accounts::StartedAction>(&*item.content) : nullptr;
    if (started == nullptr || !brings(started->action, arrival)) continue;
    const auto finish = accounts::encode_finish(started->action, started->stamp);
    if (finish && *finish == call) co_return Result<void>{};
  }
  co_return fail(ErrorCode::call_refused,
                 "neither escape nor recover with exactly this arrival's keys, nor the end of what waits and brings "
                 "them");
}

Task<Result<ArrivalReport>> ArrivalsService::bring(std::string user_id, std::string arrival_id, Bytes call) {
  auto found = co_await find(user_id, arrival_id);
  if (!found) co_return tl::unexpected(found.error());
  if (found->state == State::arrived) co_return fail(ErrorCode::already_arrived);
  if (found->state == State::named)
    co_return fail(ErrorCode::not_expected, "the wallet has to take the account in first");
  Chain* chain = find_chain(found->chain_id);
  if (chain == nullptr) co_return fail(ErrorCode::chain_unknown, "the node does not serve this chain any more");
  if (call.size() > kMaxCallBytes) co_return fail(ErrorCode::call_refused, "16,384 bytes at most");
  if (const auto started = transactions::read_brought(call)) {
    if (!names_exactly(started->action, *found))
      co_return fail(ErrorCode::call_refused, "it names other keys than this arrival's");
  } else if (auto good = co_await check_finish(*chain, *found, call); !good) {
    co_return tl::unexpected(good.error());
  }
  auto tried = co_await transactions::try_call(chain->served.chain, found->account, call);
  if (!tried) co_return from_transactions(tried.error());
  if (auto good = take("call " + arrival_id, {kCallsPerArrival, kDay}); !good) co_return tl::unexpected(good.error());
  if (auto good = take("calls " + user_id, {kCallsPerPerson, kDay}); !good) co_return tl::unexpected(good.error());
  const auto accepted = co_await chain->served.courier.accept(found->account, std::move(call));
  if (!accepted) co_return from_courier(accepted.error());
  count("brought");
  co_return co_await report(std::move(*found));
}

}  // namespace community::arrivals
