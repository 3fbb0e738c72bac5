// SPDX-License-Identifier: Apache-2.0
// Mails on disk, from the write that queued them to a week after their end. Inside of the module.
#pragma once
#include "community/notifications/mail_transport.hpp"

namespace community::notifications {

// A mail that waits and is due.
struct DueMail {
  std::string recipient;
  Envelope envelope;
  std::int64_t expires_ms = 0;
  unsigned attempts = 0;
};

enum class MailEnd : std::uint8_t { sent, refused, expired };

struct DueMails {
  std::vector<DueMail> mails;
  // When the next one is due that is not among them; INT64_MAX when none waits.
  std::int64_t next_ms = INT64_MAX;
};

// --- all on a session of the database, inside of a write or read ----------------------------------------------------

std::uint64_t count_waiting(soci::session& sql);
void insert_mail(soci::session& sql, const Envelope& envelope, std::int64_t expires_ms);
DueMails due_mails(soci::session& sql, std::int64_t now_ms, std::size_t limit);
void postpone_mail(soci::session& sql, const std::string& id, std::int64_t next_ms, int reply);
// Recipient and message are wiped: a code and an address are kept no longer than they are needed.
void end_mail(soci::session& sql, const std::string& id, MailEnd end, std::int64_t now_ms, int reply);
// What ended more than a week ago goes; what expired while it waited ends: how many those were.
std::uint64_t tidy_mails(soci::session& sql, std::int64_t now_ms);
MailCounts count_mails(soci::session& sql);
// Those that wait for this recipient go, with everything about them. How many.
std::size_t remove_waiting(soci::session& sql, const std::string& recipient);

}  // namespace community::notifications
