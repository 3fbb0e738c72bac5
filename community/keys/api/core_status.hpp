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

  std::uint32_t newest_root_key() const { return root_keys.empty() ? 0 : root_keys.back().version; }
};

CoreStatus to_core_status(const protocol::StatusReply& reply);
protocol::StatusReply to_status_reply(const CoreStatus& status);

// Where the keys live and how they are protected, in plain words for people.
std::string describe_protection(protocol::Body body, protocol::Protection protection);

}  // namespace community::keys
