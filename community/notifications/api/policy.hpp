// SPDX-License-Identifier: Apache-2.0
// Who is told what by which way: one table. The person is the subject of the audit entry.
#pragma once
#include <optional>

#include "community/audit/api/events.hpp"
#include "community/notifications/api/mail.hpp"

namespace community::notifications {

struct Ways {
  // The text of the mail; nothing: no mail. Codes are queued in the write that makes them, everything else by
  // mail_listener().
  std::optional<MailText> mail;
  // The mail is for the case alone that the session's device was not seen before: payload member `newDevice`.
  bool mail_for_new_device_only = false;
  // A notice to the person's browsers, also when no page is open.
  bool push = false;
  // To the person's open pages.
  bool live = false;
};

// Mail tells what a thief would do and what cannot wait for the next visit; push tells the same and what people wait
// for; live tells everything that a page shows.
Ways ways_of(audit::EventName event);

}  // namespace community::notifications
