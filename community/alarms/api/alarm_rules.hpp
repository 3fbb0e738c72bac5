// SPDX-License-Identifier: Apache-2.0
// Which events of an account are worth an alarm, and what the operator wants done about each class of them. Pure.
#pragma once
#include <array>

#include "community/accounts/api/events.hpp"

namespace community::alarms {

using core::Address;
using core::Bytes;
using core::Bytes32;
using core::Uint256;

// What happened, by what it means for the account's owner (spec/account.md, sections 2 to 5). All names are keys of the
// section [alarms] of the configuration; a name is stored with each alarm and never given another meaning.
#define COMMUNITY_ALARM_CLASSES(X)                                                 \
  X(unknown_submitter) /* an operation of the account that this node never took */ \
  X(escape_started)                                                                \
  X(recovery_started)                                                              \
  X(key_change_queued)                                                             \
  X(keys_changed) /* at once, or an item that waited was finished */               \
  X(rules_change_queued)                                                           \
  X(rules_changed) /* guardians, recovery delay, strict mode, unlisted tokens */   \
  X(upgrade_queued)                                                                \
  X(upgraded)                                                                      \
  X(spend_queued)  /* over the day's limit */                                      \
  X(limit_queued)  /* a higher limit or gas cap */                                 \
  X(limit_changed) /* raised or lowered; the event has the new value */            \
  X(domain_queued) /* an application whose messages are signed (ERC-1271) */       \
  X(domain_listed)                                                                 \
  X(call_queued) /* for the allow-list of strict mode */                           \
  X(call_allowed)                                                                  \
  X(queue_confirmed) /* something that was queued was carried out */               \
  X(grant_created)                                                                 \
  X(unfreeze_started)                                                              \
  X(unfrozen)                                                                      \
  X(frozen) /* by a vote */                                                        \
  X(server_frozen)

COMMUNITY_RULES(AlarmClass, COMMUNITY_ALARM_CLASSES)

#define COMMUNITY_ALARM_COUNT(rule) +1
inline constexpr std::size_t kAlarmClasses = 0 COMMUNITY_ALARM_CLASSES(COMMUNITY_ALARM_COUNT);
#undef COMMUNITY_ALARM_COUNT

// log: a line in the log. alarm: that, and a row that stays until it is acknowledged. freeze: that, and the server key
// freezes the account, as far as the trusted core and the contract let it.
#define COMMUNITY_ALARM_ACTIONS(X) X(log) X(alarm) X(freeze)
COMMUNITY_RULES(AlarmAction, COMMUNITY_ALARM_ACTIONS)

// Nothing for a name that is none.
std::optional<AlarmClass> parse_alarm_class(std::string_view text);
std::optional<AlarmAction> parse_alarm_action(std::string_view text);

// Freezing answers neither a freeze, nor an owner who has just ended one.
constexpr bool may_freeze(AlarmClass what) {
  return what != AlarmClass::frozen && what != AlarmClass::server_frozen && what != AlarmClass::unfrozen;
}

// What the operator configured. Unless told otherwise each class is an alarm, and none freezes.
class AlarmRules {
 public:
  AlarmRules() { actions_.fill(AlarmAction::alarm); }
  // False, and nothing is set, for a freeze of a class that does not freeze.
  bool set(AlarmClass what, AlarmAction action);
  AlarmAction action(AlarmClass what) const { return actions_[static_cast<std::size_t>(what)]; }
  // Whether the trusted core has to allow server freezes for these rules to work.
  bool any_freezes() const;

 private:
  std::array<AlarmAction, kAlarmClasses> actions_{};
};

// Nothing for an event that is no alarm: what follows from every day, what the creation of an account tells, and what
// ends a danger.
std::optional<AlarmClass> alarm_class_of(const accounts::AccountEvent& event);

}  // namespace community::alarms
