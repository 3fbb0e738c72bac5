// SPDX-License-Identifier: Apache-2.0
#include "community/notifications/mail_outbox.hpp"

#include <soci/soci.h>

#include "community/notifications/push_store.hpp"

namespace community::notifications {
namespace {

constexpr const char* kMailSchema = R"sql(
CREATE TABLE notifications_mails (
  mail_id TEXT NOT NULL PRIMARY KEY,
  state TEXT NOT NULL,
  recipient TEXT NOT NULL,
  message TEXT NOT NULL,
  queued_ms BIGINT NOT NULL,
  expires_ms BIGINT NOT NULL,
  next_ms BIGINT NOT NULL,
  attempts INTEGER NOT NULL,
  reply INTEGER NOT NULL,
  ended_ms BIGINT NOT NULL
);
CREATE INDEX notifications_mails_by_state ON notifications_mails (state, next_ms);
)sql";

constexpr long long kKeptMs = 7ll * 24 * 60 * 60 * 1'000;

std::string word(MailEnd end) {
  switch (end) {
    case MailEnd::sent:
      return "sent";
    case MailEnd::refused:
      return "refused";
    case MailEnd::expired:
      return "expired";
  }
  return {};
}

}  // namespace

infra::MigrationSet notification_migrations() {
  return {"notifications", {{1, "mails", kMailSchema}, {2, "push subscriptions and notices", kPushSchema}}};
}

std::uint64_t count_waiting(soci::session& sql) {
  long long count = 0;
  sql << "SELECT COUNT(*) FROM notifications_mails WHERE state = 'waiting'", soci::into(count);
  return static_cast<std::uint64_t>(count);
}

void insert_mail(soci::session& sql, const Envelope& envelope, std::int64_t expires_ms) {
  const std::string to = envelope.to.text();
  const long long queued = envelope.queued_ms, expires = expires_ms;
  sql << "INSERT INTO notifications_mails (mail_id, state, recipient, message, queued_ms, expires_ms, next_ms, "
         "attempts, reply, ended_ms) VALUES (:id, 'waiting', :recipient, :message, :queued, :expires, :next, 0, 0, 0)",
      soci::use(envelope.id), soci::use(to), soci::use(envelope.message), soci::use(queued), soci::use(expires),
      soci::use(queued);
}

DueMails due_mails(soci::session& sql, std::int64_t now_ms, std::size_t limit) {
  DueMails due;
  const long long most = static_cast<long long>(limit) + 1;
  long long queued = 0, expires = 0, next = 0;
  int attempts = 0;
  std::string id, recipient, message;
  soci::statement rows =
      (sql.prepare << "SELECT mail_id, recipient, message, queued_ms, expires_ms, next_ms, attempts "
                      "FROM notifications_mails WHERE state = 'waiting' ORDER BY next_ms, mail_id LIMIT :most",
       soci::use(most), soci::into(id), soci::into(recipient), soci::into(message), soci::into(queued),
       soci::into(expires), soci::into(next), soci::into(attempts));
  rows.execute();
  while (rows.fetch()) {
    if (next > now_ms || due.mails.size() == limit) {
      due.next_ms = next;
      break;
    }
    DueMail mail;
    mail.envelope.id = id;
    mail.envelope.message = message;
    mail.envelope.queued_ms = queued;
    mail.recipient = recipient;
    mail.expires_ms = expires;
    mail.attempts = static_cast<unsigned>(attempts);
    due.mails.push_back(std::move(mail));
  }
  return due;
}

void postpone_mail(soci::session& sql, const std::string& id, std::int64_t next_ms, int reply) {
  const long long next = next_ms;
  sql << "UPDATE notifications_mails SET next_ms = :next, attempts = attempts + 1, reply = :reply "
         "WHERE mail_id = :id AND state = 'waiting'",
      soci::use(next), soci::use(reply), soci::use(id);
}

void end_mail(soci::session& sql, const std::string& id, MailEnd end, std::int64_t now_ms, int reply) {
  const std::string state = word(end);
  const long long now = now_ms;
  sql << "UPDATE notifications_mails SET state = :state, recipient = '', message = '', ended_ms = :now, "
         "attempts = attempts + 1, reply = :reply WHERE mail_id = :id AND state = 'waiting'",
      soci::use(state), soci::use(now), soci::use(reply), soci::use(id);
}

std::uint64_t tidy_mails(soci::session& sql, std::int64_t now_ms) {
  const long long now = now_ms, before = now_ms - kKeptMs;
  soci::statement expire =
      (sql.prepare << "UPDATE notifications_mails SET state = 'expired', recipient = '', message = '', "
                      "ended_ms = :now WHERE state = 'waiting' AND expires_ms <= :again",
       soci::use(now), soci::use(now));
  expire.execute(true);
  sql << "DELETE FROM notifications_mails WHERE state <> 'waiting' AND ended_ms < :before", soci::use(before);
  return static_cast<std::uint64_t>(std::max(0ll, expire.get_affected_rows()));
}

std::size_t remove_waiting(soci::session& sql, const std::string& recipient) {
  soci::statement remove =
      (sql.prepare << "DELETE FROM notifications_mails WHERE state = 'waiting' AND recipient = :recipient",
       soci::use(recipient));
  remove.execute(true);
  return static_cast<std::size_t>(std::max(0ll, remove.get_affected_rows()));
}

MailCounts count_mails(soci::session& sql) {
  MailCounts counts;
  std::string state;
  long long count = 0;
  soci::statement rows = (sql.prepare << "SELECT state, COUNT(*) FROM notifications_mails GROUP BY state",
                          soci::into(state), soci::into(count));
  rows.execute();
  while (rows.fetch()) {
    const auto number = static_cast<std::uint64_t>(count);
    if (state == "waiting") counts.waiting = number;
    if (state == "sent") counts.sent = number;
    if (state == "refused") counts.refused = number;
    if (state == "expired") counts.expired = number;
  }
  return counts;
}

}  // namespace community::notifications
