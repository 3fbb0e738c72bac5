// SPDX-License-Identifier: Apache-2.0
// Static checks, one simulation, rules; in this order, so that what is cheap to refuse costs the chain nothing.
#include "community/validation/factory.hpp"

namespace community::validation {
namespace {

class ThinValidator final : public Validator {
 public:
  ThinValidator(chain::FeeOracle& fees, Simulator& simulator, const Rules& rules, ValidationOptions options)
      : fees_(fees), simulator_(simulator), rules_(rules), options_(std::move(options)) {
    for (const ServedEntryPoint& served : options_.entry_points) ids_.push_back(served.id());
  }

  const std::vector<EntryPointId>& entry_points() const override { return ids_; }

  Result<EntryPointId> find_entry_point(const Address& address) const override {
    for (const EntryPointId& id : ids_)
      if (id.address == address) return id;
    return fail(ErrorCode::entry_point_unknown,
                "entry point " + core::format_address(address) + " is not served; see eth_supportedEntryPoints");
  }

  Result<Bytes32> hash(const UserOperation& op, const EntryPointId& entry_point) const override {
    auto value = core::userop_hash(op, entry_point.version, entry_point.address, Uint256(options_.chain_id));
    if (!value) return fail(ErrorCode::field_invalid, value.error().text());
    return *value;
  }

  Task<Result<ValidatedUserop>> validate(UserOperation op, EntryPointId entry_point,
                                         std::vector<const UserOperation*> predecessors) override {
    auto fees = co_await fees_.suggest();
    if (!fees) co_return fail(ErrorCode::chain_unavailable, fees.error().text());
    FeeLevel level;
    level.base_fee = fees->base_fee;
    level.least_priority_fee = options_.least_priority_fee;
    auto checked = rules_.check_static(op, entry_point, options_.limits, level);
    if (!checked) co_return tl::unexpected(std::move(checked.error()));
    auto digest = hash(op, entry_point);
    if (!digest) co_return tl::unexpected(std::move(digest.error()));
    auto ran = co_await run(op, entry_point, std::move(predecessors));
    if (!ran) co_return tl::unexpected(std::move(ran.error()));
    ValidatedUserop result;
    result.hash = *digest;
    result.entry_point = entry_point;
    result.gas = userop_gas(op);
    result.calldata = userop_calldata(*core::pack(op));
    result.max_cost = *max_cost(op);
    result.op = std::move(op);
    co_return result;
  }

 private:
  // A predecessor may be included between the pool's answer and the simulation, which then fails with its AA25: it is
  // left out and the rest tried again.
  Task<Result<void>> run(const UserOperation& op, EntryPointId entry_point,
                         std::vector<const UserOperation*> predecessors) {
    for (;;) {
      SimulationRequest request;
      request.entry_point = entry_point;
      request.ops = predecessors;
      request.ops.push_back(&op);
      auto trace = co_await simulator_.simulate(std::move(request));
      if (!trace) co_return tl::unexpected(std::move(trace.error()));
      const bool predecessor_is_included = !predecessors.empty() && trace->failure && trace->failure->index == 0 &&
                                           trace->failure->reason.starts_with("AA25");
      if (!predecessor_is_included) co_return rules_.check_trace(*trace, predecessors.size());
      predecessors.erase(predecessors.begin());
    }
  }

  chain::FeeOracle& fees_;
  Simulator& simulator_;
  const Rules& rules_;
  ValidationOptions options_;
  std::vector<EntryPointId> ids_;
};

}  // namespace

std::unique_ptr<Validator> make_validator(chain::FeeOracle& fees, Simulator& simulator, const Rules& rules,
                                          ValidationOptions options) {
  return std::make_unique<ThinValidator>(fees, simulator, rules, std::move(options));
}

}  // namespace community::validation
