// SPDX-License-Identifier: Apache-2.0
#include "community/bundler/inclusions.hpp"

#include <map>

namespace community::bundler {

std::vector<pool::Inclusion> read_inclusions(const chain::Receipt& receipt, const chain::EntryPoint& entry_point) {
  std::vector<pool::Inclusion> inclusions;
  std::map<core::Bytes32, core::Bytes> reasons;
  std::uint32_t first_log = 0;
  for (std::uint32_t i = 0; i < receipt.logs.size(); i++) {
    const auto event = entry_point.decode_event(receipt.logs[i]);
    if (!event) continue;
    if (std::holds_alternative<chain::BeforeExecutionEvent>(*event)) first_log = i + 1;
    if (const auto* reason = std::get_if<chain::RevertReasonEvent>(&*event))
      reasons[reason->userop_hash] = reason->reason;
    const auto* userop = std::get_if<chain::UserOperationEvent>(&*event);
    if (userop == nullptr) continue;
    pool::Inclusion inclusion;
    inclusion.hash = userop->userop_hash;
    inclusion.transaction_hash = receipt.transaction_hash;
    inclusion.block_hash = receipt.block_hash;
    inclusion.block_number = receipt.block_number;
    inclusion.success = userop->success;
    inclusion.actual_gas_cost = userop->actual_gas_cost;
    inclusion.actual_gas_used = userop->actual_gas_used;
    if (const auto found = reasons.find(userop->userop_hash); found != reasons.end()) inclusion.reason = found->second;
    inclusion.first_log = first_log;
    inclusion.end_log = i;
    first_log = i + 1;
    inclusions.push_back(std::move(inclusion));
  }
  return inclusions;
}

}  // namespace community::bundler
