// SPDX-License-Identifier: Apache-2.0
#include "community/alarms/api/alarm_rules.hpp"

#include <algorithm>
#include <map>

#include "community/accounts/api/account_watcher.hpp"
#include "community/accounts/api/self_calls.hpp"

namespace community::alarms {
namespace {

using accounts::AccountEvent;
using accounts::ItemKind;
using accounts::QueueKind;

constexpr std::size_t kSelectorBytes = 4, kWordBytes = 32;

template <class Name, std::size_t Count>
std::optional<Name> parse_name(std::string_view text) {
  for (std::size_t i = 0; i < Count; i++)
    if (name(static_cast<Name>(i)) == text) return static_cast<Name>(i);
  return std::nullopt;
}

ItemKind item_kind(const AccountEvent& event) {
  const core::AbiValue* kind = event.field("kind");
  return kind == nullptr ? ItemKind::none : static_cast<ItemKind>(kind->word().limb[0]);
}

// The event carries the call queue(uint8 kind, bytes content, uint256 salt).
AlarmClass queued_class(const AccountEvent& event) {
  const core::AbiValue* call = event.field("call");
  const Bytes bytes = call == nullptr ? Bytes() : call->bytes();
  if (bytes.size() < kSelectorBytes + kWordBytes) return AlarmClass::spend_queued;
  switch (static_cast<QueueKind>(bytes[kSelectorBytes + kWordBytes - 1])) {
    case QueueKind::limit:
    case QueueKind::gas_cap:
      return AlarmClass::limit_queued;
    case QueueKind::domain:
      return AlarmClass::domain_queued;
    case QueueKind::allowed_call:
      return AlarmClass::call_queued;
    case QueueKind::spend:
      break;
  }
  return AlarmClass::spend_queued;
}

AlarmClass started_class(const AccountEvent& event) {
  switch (item_kind(event)) {
    case ItemKind::unfreeze:
      return AlarmClass::unfreeze_started;
    case ItemKind::change_rules:
      return AlarmClass::rules_change_queued;
    case ItemKind::escape:
      return AlarmClass::escape_started;
    case ItemKind::recover:
      return AlarmClass::recovery_started;
    case ItemKind::upgrade:
      return AlarmClass::upgrade_queued;
    case ItemKind::queued:
      return queued_class(event);
    default:
      return AlarmClass::key_change_queued;
  }
}

// What an item does tells events of its own in the same transaction; they are one alarm.
AlarmClass finished_class(const AccountEvent& event) {
  switch (item_kind(event)) {
    case ItemKind::unfreeze:
      return AlarmClass::unfrozen;
    case ItemKind::change_rules:
      return AlarmClass::rules_changed;
    case ItemKind::upgrade:
      return AlarmClass::upgraded;
    case ItemKind::queued:
      return AlarmClass::queue_confirmed;
    default:
      return AlarmClass::keys_changed;
  }
}

const std::map<std::string_view, AlarmClass>& classes_by_name() {
  static const std::map<std::string_view, AlarmClass> all{
      {accounts::kUnknownSubmitter, AlarmClass::unknown_submitter},
      {"Frozen", AlarmClass::frozen},
      {"ServerFrozen", AlarmClass::server_frozen},
      {"Unfrozen", AlarmClass::unfrozen},
      {"PasskeyAdded", AlarmClass::keys_changed},
      {"PasskeyRemoved", AlarmClass::keys_changed},
      {"ServerKeyChanged", AlarmClass::keys_changed},
      {"EscapeKeyChanged", AlarmClass::keys_changed},
      {"GuardiansChanged", AlarmClass::rules_changed},
      {"StrictModeChanged", AlarmClass::rules_changed},
      {"UnlistedTokensChanged", AlarmClass::rules_changed},
      {"Upgraded", AlarmClass::upgraded},
      {"GasCapChanged", AlarmClass::limit_changed},
      {"SpendingLimitChanged", AlarmClass::limit_changed},
      {"DomainListed", AlarmClass::domain_listed},
      {"CallAllowed", AlarmClass::call_allowed},
      {"GrantCreated", AlarmClass::grant_created},
  };
  return all;
}

}  // namespace

std::optional<AlarmClass> parse_alarm_class(std::string_view text) {
  return parse_name<AlarmClass, kAlarmClasses>(text);
}

std::optional<AlarmAction> parse_alarm_action(std::string_view text) { return parse_name<AlarmAction, 3>(text); }

bool AlarmRules::set(AlarmClass what, AlarmAction action) {
  if (action == AlarmAction::freeze && !may_freeze(what)) return false;
  actions_[static_cast<std::size_t>(what)] = action;
  return true;
}

bool AlarmRules::any_freezes() const { return std::ranges::find(actions_, AlarmAction::freeze) != actions_.end(); }

std::optional<AlarmClass> alarm_class_of(const AccountEvent& event) {
  if (event.loudness != accounts::Loudness::alarm) return std::nullopt;
  if (event.name == "ItemStarted") return started_class(event);
  if (event.name == "ItemFinished") return finished_class(event);
  const auto found = classes_by_name().find(event.name);
  if (found == classes_by_name().end()) return std::nullopt;
  return found->second;
}

}  // namespace community::alarms
