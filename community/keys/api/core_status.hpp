// SPDX-License-Identifier: Apache-2.0
// What the trusted core says of itself.
#pragma once
#include <string>
#include <vector>

#include "trusted/protocol/messages.hpp"

namespace community::keys {

using protocol::RecordId;

struct CoreStatus {
  protocol::Body body{};
  protocol::Protection protection{};
  RecordId core_id{};
  std::uint64_t epoch = 0;
  protocol::Bytes32 root{};
  std::uint32_t recovery_count = 0;
  std::uint64_t configuration_sequence = 0;
  protocol::Bytes32 configuration_digest{};
  // What pages seal their secrets to.
  protocol::HpkeKey hpke_key{};
  std::vector<protocol::BudgetStatus> budgets;
  // Oldest first and never empty; the numbers of records mean something only when they are counted.
  std::vector<protocol::RootKeyStatus> root_keys;
  bool records_counted = false;
  // Number of durable writes of the core's state; a checkpoint of an earlier one is out of date.
  std::uint64_t revision = 0;
  // 0: no backup was made.
  std::uint32_t backup_generation = 0;
  // Another device goes on as this core: it answers nothing but this and its attestation.
  bool fenced = false;
  // Configurations up to this sequence are refused; 0 unless the core was restored from a backup.
  std::uint64_t configuration_floor = 0;
  // Of the operator's latest order about generic keys; the next one is larger.
  std::uint64_t order_sequence = 0;

  std::uint32_t newest_root_key() const { return root_keys.empty() ? 0 : root_keys.back().version; }
};

CoreStatus to_core_status(const protocol::StatusReply& reply);
protocol::StatusReply to_status_reply(const CoreStatus& status);

// Where the keys live and how they are protected, in plain words for people.
std::string describe_protection(protocol::Body body, protocol::Protection protection);

}  // namespace community::keys
