// SPDX-License-Identifier: Apache-2.0
// Mails that are queued with the write that they belong to, and sent afterwards.
#pragma once
#include "community/infra/api/database.hpp"
#include "community/notifications/api/mail.hpp"

namespace community::notifications {

using infra::Task;

struct Mail {
  // As the person wrote it; parsed by parse_mail_address().
  std::string to;
  MailText text{};
  // One of kLanguages.
  std::string language = "en";
  MailValues values;
  // The caller's clock.
  std::int64_t now_ms = 0;
  // Nobody wants it afterwards: a code that expired. It is then neither sent nor kept.
  std::int64_t expires_ms = 0;
};

// How many mails there are in each state.
struct MailCounts {
  std::uint64_t waiting = 0, sent = 0, refused = 0, expired = 0;
};

class Mailer {
 public:
  virtual ~Mailer() = default;

  // Inside of Database::write, on the writer's thread: the mail is sent if and only if that write is kept. Errors are
  // those of parse_mail_address() and render(), mail_expired and outbox_full; the caller then fails its write.
  [[nodiscard]] virtual Result<void> queue(soci::session& sql, const Mail& mail) = 0;

  // Of mails not older than a week.
  virtual Task<Result<MailCounts>> counts() = 0;

  // Sends, until cancelled. Joined by its owner before the database stops.
  virtual Task<void> run() = 0;
};

}  // namespace community::notifications
