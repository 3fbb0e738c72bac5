// SPDX-License-Identifier: Apache-2.0
#include "community/keys/api/core_status.hpp"

namespace community::keys {

CoreStatus to_core_status(const protocol::StatusReply& reply) {
  CoreStatus status;
  status.body = static_cast<protocol::Body>(reply.body);
  status.protection = static_cast<protocol::Protection>(reply.protection);
  status.core_id = reply.core_id;
  status.epoch = reply.epoch;
  status.root = reply.root;
  status.recovery_count = reply.recovery_count;
  status.configuration_sequence = reply.configuration_sequence;
  status.configuration_digest = reply.configuration_digest;
  status.hpke_key = reply.hpke_key;
  status.budgets.assign(reply.budgets.begin(), reply.budgets.begin() + reply.budget_count);
  status.root_keys.assign(reply.root_keys.begin(), reply.root_keys.begin() + reply.root_key_count);
  status.records_counted = reply.records_counted != 0;
  status.revision = reply.revision;
  status.backup_generation = reply.backup_generation;
  status.fenced = reply.fenced != 0;
  status.configuration_floor = reply.configuration_floor;
  status.order_sequence = reply.order_sequence;
  return status;
}

protocol::StatusReply to_status_reply(const CoreStatus& status) {
  protocol::StatusReply reply;
  reply.body = static_cast<std::uint8_t>(status.body);
  reply.protection = static_cast<std::uint8_t>(status.protection);
  reply.core_id = status.core_id;
  reply.epoch = status.epoch;
  reply.root = status.root;
  reply.recovery_count = status.recovery_count;
  reply.root_key_version = status.newest_root_key();
  reply.configuration_sequence = status.configuration_sequence;
  reply.configuration_digest = status.configuration_digest;
  reply.hpke_key = status.hpke_key;
  for (const protocol::BudgetStatus& budget : status.budgets)
    if (reply.budget_count < reply.budgets.size()) reply.budgets[reply.budget_count++] = budget;
  for (const protocol::RootKeyStatus& key : status.root_keys)
    if (reply.root_key_count < reply.root_keys.size()) reply.root_keys[reply.root_key_count++] = key;
  reply.records_counted = status.records_counted ? 1 : 0;
  reply.revision = status.revision;
  reply.backup_generation = status.backup_generation;
  reply.fenced = status.fenced ? 1 : 0;
  reply.configuration_floor = status.configuration_floor;
  reply.order_sequence = status.order_sequence;
  return reply;
}

std::string describe_protection(protocol::Body body, protocol::Protection protection) {
  if (body == protocol::Body::process)
    return "software process: sandboxed, but without hardware protection; whoever controls this machine can read the "
           "keys";
  if (protection == protocol::Protection::emulated)
    return "OP-TEE in an emulator: the real trusted software, but whoever controls this machine can read the keys";
  return "OP-TEE on this board's hardware";
}

}  // namespace community::keys
