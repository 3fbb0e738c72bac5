// SPDX-License-Identifier: Apache-2.0
#include "community/bundler/bundle_builder.hpp"

#include <map>

namespace community::bundler {
namespace {

using validation::CalldataCost;

Bytes32 key_of(const Uint256& nonce) {
  Bytes32 bytes = nonce.to_be();
  std::fill(bytes.begin() + 24, bytes.end(), std::uint8_t{0});
  return bytes;
}

}  // namespace

bool BundleBuilder::fits_alone(const pool::PooledUserop& userop) const {
  CalldataCost calldata = validation::bundle_calldata_base();
  calldata.tokens += userop.userop.calldata.tokens;
  calldata.bytes += userop.userop.calldata.bytes;
  return calldata.bytes <= options_.limits.bytes &&
         validation::bundle_gas_limit({&userop.userop.op}, calldata) <= options_.limits.gas;
}

std::vector<pool::UseropPtr> BundleBuilder::select(const Selection& selection) const {
  const BundlerLimits& limits = options_.limits;
  std::vector<pool::UseropPtr> chosen;
  std::vector<const validation::UserOperation*> ops;
  CalldataCost calldata = validation::bundle_calldata_base();
  // The nonce key a sender uses in this bundle; senders that were passed over are not taken later either, so that no
  // operation overtakes an earlier one of its key.
  std::map<Address, Bytes32> key_of_sender;
  std::set<Address> passed_over;
  for (const pool::UseropPtr& candidate : selection.candidates) {
    if (chosen.size() >= limits.operations) break;
    const auto& op = candidate->userop.op;
    if (selection.busy_senders->contains(op.sender) || passed_over.contains(op.sender)) continue;
    const auto used_key = key_of_sender.find(op.sender);
    if (used_key != key_of_sender.end() && used_key->second != key_of(op.nonce)) continue;
    const CalldataCost with{calldata.tokens + candidate->userop.calldata.tokens,
                            calldata.bytes + candidate->userop.calldata.bytes};
    ops.push_back(&op);
    const bool fits = with.bytes <= limits.bytes && validation::bundle_gas_limit(ops, with) <= limits.gas;
    const bool ready = op.max_fee_per_gas >= selection.base_fee && !selection.parked->contains(candidate->userop.hash);
    // One of them is at fault and must not take the others along again.
    const bool alone = candidate->failures > 0;
    if (!fits || !ready || (alone && !chosen.empty())) {
      ops.pop_back();
      passed_over.insert(op.sender);
      continue;
    }
    calldata = with;
    key_of_sender[op.sender] = key_of(op.nonce);
    chosen.push_back(candidate);
    if (alone) break;
  }
  return chosen;
}

Result<void> BundleBuilder::encode(Bundle& bundle, const Address& executor) const {
  std::vector<core::PackedUserOperation> packed;
  std::vector<const validation::UserOperation*> ops;
  for (const pool::UseropPtr& userop : bundle.userops) {
    packed.push_back(*core::pack(userop->userop.op));
    ops.push_back(&userop->userop.op);
  }
  auto data = bundle.entry_point->encode_handle_ops(packed, options_.beneficiary.value_or(executor));
  if (!data) return fail(ErrorCode::not_found, "the bundle cannot be encoded: " + data.error().text());
  bundle.call_data = std::move(*data);
  bundle.gas_limit = validation::bundle_gas_limit(ops, validation::calldata_cost(bundle.call_data));
  return {};
}

Task<validation::Result<validation::ValidationTrace>> BundleBuilder::simulate(const Bundle& bundle, Address executor) {
  validation::SimulationRequest request;
  request.entry_point = {bundle.entry_point->address(), bundle.entry_point->version()};
  for (const pool::UseropPtr& userop : bundle.userops) request.ops.push_back(&userop->userop.op);
  request.executor = executor;
  request.beneficiary = options_.beneficiary;
  request.gas_limit = bundle.gas_limit;
  co_return co_await simulator_.simulate(std::move(request));
}

Task<Result<Misfit>> BundleBuilder::judge(const chain::EntryPoint& entry_point, pool::UseropPtr userop,
                                          std::string reason, bool alone, Address executor) {
  Misfit misfit;
  misfit.hash = userop->userop.hash;
  misfit.reason = std::move(reason);
  misfit.hopeless = alone;
  if (alone) co_return misfit;
  // It may only disturb the others, or they it.
  Bundle single;
  single.entry_point = &entry_point;
  single.userops.push_back(std::move(userop));
  if (auto encoded = encode(single, executor); !encoded) co_return tl::unexpected(std::move(encoded.error()));
  auto trace = co_await simulate(single, executor);
  if (!trace && trace.error().code == validation::ErrorCode::chain_unavailable)
    co_return fail(ErrorCode::chain_unavailable, trace.error().message);
  misfit.hopeless = !trace || trace->failure.has_value();
  if (trace && trace->failure) misfit.reason = trace->failure->reason;
  co_return misfit;
}

// The shortest prefix that fails so ends with it; each half that is tried costs one simulation.
Task<Result<std::size_t>> BundleBuilder::find_fault(const Bundle& bundle, Address executor) {
  std::size_t good = 0;
  std::size_t bad = bundle.userops.size();
  while (bad - good > 1) {
    const std::size_t middle = good + (bad - good) / 2;
    Bundle prefix;
    prefix.entry_point = bundle.entry_point;
    prefix.userops.assign(bundle.userops.begin(), bundle.userops.begin() + static_cast<std::ptrdiff_t>(middle));
    if (auto encoded = encode(prefix, executor); !encoded) co_return tl::unexpected(std::move(encoded.error()));
    auto trace = co_await simulate(prefix, executor);
    if (!trace && trace.error().code == validation::ErrorCode::chain_unavailable)
      co_return fail(ErrorCode::chain_unavailable, trace.error().message);
    (trace ? good : bad) = middle;
  }
  co_return bad - 1;
}

Task<Result<BundleBuilder::Outcome>> BundleBuilder::prove(const chain::EntryPoint& entry_point,
                                                          std::vector<pool::UseropPtr> userops, Address executor) {
  Outcome outcome;
  outcome.bundle.entry_point = &entry_point;
  outcome.bundle.userops = std::move(userops);
  auto& rest = outcome.bundle.userops;
  while (!rest.empty()) {
    if (auto encoded = encode(outcome.bundle, executor); !encoded) co_return tl::unexpected(std::move(encoded.error()));
    auto trace = co_await simulate(outcome.bundle, executor);
    if (trace && !trace->failure) break;
    if (!trace && trace.error().code == validation::ErrorCode::chain_unavailable)
      co_return fail(ErrorCode::chain_unavailable, trace.error().message);
    const bool alone = rest.size() == 1;
    std::size_t index = trace ? static_cast<std::size_t>(trace->failure->index) : 0;
    if (!trace && !alone) {
      auto fault = co_await find_fault(outcome.bundle, executor);
      if (!fault) co_return tl::unexpected(std::move(fault.error()));
      index = *fault;
    }
    const std::string reason = trace ? trace->failure->reason : trace.error().message;
    if (index >= rest.size()) co_return fail(ErrorCode::chain_unavailable, "the EntryPoint names no operation of ours");
    const pool::UseropPtr failing = rest[index];
    auto misfit = co_await judge(entry_point, failing, reason, alone, executor);
    if (!misfit) co_return tl::unexpected(std::move(misfit.error()));
    outcome.misfits.push_back(std::move(*misfit));
    // What follows it in its nonce key cannot go without it.
    const auto& op = failing->userop.op;
    const Address sender = op.sender;
    const Uint256 nonce = op.nonce;
    std::erase_if(rest, [&](const pool::UseropPtr& other) {
      return other->userop.op.sender == sender && other->userop.op.nonce >= nonce;
    });
  }
  if (rest.empty()) outcome.bundle.call_data.clear();
  co_return outcome;
}

}  // namespace community::bundler
