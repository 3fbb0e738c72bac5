// SPDX-License-Identifier: Apache-2.0
#include "community/notifications/api/policy.hpp"

namespace community::notifications {
namespace {

using E = audit::EventName;
using M = MailText;

struct Row {
  E event;
  Ways ways;
};

constexpr std::optional<MailText> kNoMail;

// In the order of the events. Mail, for a new device alone, push, live.
constexpr Row kPolicy[] = {
    {E::user_registered, {kNoMail, false, false, true}},
    {E::user_authenticated, {M::new_login, true, false, true}},
    {E::wallet_created, {kNoMail, false, false, true}},
    {E::wallet_used, {kNoMail, false, false, true}},
    {E::biometric_setup, {kNoMail, false, false, true}},
    {E::security_violation, {kNoMail, false, true, true}},
    {E::transaction_initiated, {kNoMail, false, false, true}},
    {E::transaction_signed, {kNoMail, false, false, true}},
    {E::transaction_broadcast, {kNoMail, false, false, true}},
    {E::registration_repeated, {M::registration_repeated, false, false, false}},
    {E::session_revoked, {kNoMail, false, false, true}},
    {E::passkey_added, {M::passkey_added, false, true, true}},
    {E::passkey_removed, {M::passkey_removed, false, true, true}},
    {E::wallet_changed, {kNoMail, false, false, true}},
    {E::address_derived, {kNoMail, false, false, true}},
    {E::account_deployed, {kNoMail, false, false, true}},
    {E::account_frozen, {M::account_frozen, false, true, true}},
    {E::account_unfrozen, {kNoMail, false, true, true}},
    {E::change_queued, {M::change_waiting, false, true, true}},
    {E::change_confirmed, {kNoMail, false, true, true}},
    {E::change_cancelled, {kNoMail, false, true, true}},
    {E::rules_changed, {kNoMail, false, true, true}},
    {E::grant_created, {kNoMail, false, true, true}},
    {E::grant_revoked, {kNoMail, false, false, true}},
    {E::escape_started, {M::escape_started, false, true, true}},
    {E::recovery_started, {M::recovery_started, false, true, true}},
    {E::recovery_finished, {kNoMail, false, true, true}},
    {E::account_moved, {kNoMail, false, true, true}},
    {E::phrase_exported, {M::phrase_exported, false, true, true}},
    {E::message_signed, {kNoMail, false, false, true}},
    {E::profile_changed, {kNoMail, false, false, true}},
    {E::push_subscribed, {kNoMail, false, false, true}},
    {E::push_unsubscribed, {kNoMail, false, false, true}},
    {E::data_exported, {kNoMail, false, true, true}},
    {E::payloads_erased, {kNoMail, false, false, false}},
    {E::user_deleted, {kNoMail, false, false, false}},
    {E::transaction_included, {kNoMail, false, true, true}},
    {E::transaction_failed, {kNoMail, false, true, true}},
    {E::app_connected, {kNoMail, false, true, true}},
    {E::app_disconnected, {kNoMail, false, false, true}},
    {E::app_token_issued, {kNoMail, false, false, true}},
    {E::multisig_kept, {kNoMail, false, false, true}},
    {E::multisig_renamed, {kNoMail, false, false, true}},
    {E::multisig_forgotten, {kNoMail, false, false, true}},
    {E::wallet_arrived, {kNoMail, false, true, true}},
};

static_assert(std::size(kPolicy) == audit::kEventNames, "every event has a row");
static_assert(
    [] {
      for (std::size_t i = 0; i < std::size(kPolicy); i++)
        if (kPolicy[i].event != static_cast<E>(i)) return false;
      return true;
    }(),
    "rows stand in the order of the events");

}  // namespace

Ways ways_of(audit::EventName event) { return kPolicy[static_cast<std::size_t>(event)].ways; }

}  // namespace community::notifications
