// SPDX-License-Identifier: Apache-2.0
// Mails that are queued with the write that they belong to, and sent afterwards.
#pragma once
#include "community/audit/api/audit_log.hpp"
#include "community/infra/api/clock.hpp"
#include "community/infra/api/database.hpp"
#include "community/infra/api/health.hpp"
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

  // Inside of Database::write: what waits for this address is not sent any more; what is being sent at this moment may
  // still arrive. How many there were.
  virtual std::size_t forget(soci::session& sql, const std::string& address) = 0;

  // Degraded when mails wait although attempts were made for ten minutes, or when the outbox is nearly full.
  virtual infra::HealthReport report() const = 0;

  // Of mails not older than a week.
  virtual Task<Result<MailCounts>> counts() = 0;

  // Sends, until cancelled. Joined by its owner before the database stops.
  virtual Task<void> run() = 0;
};

// --- mails that follow from the audit log ---------------------------------------------------------------------------

// Where mails about a person go.
struct Recipient {
  std::string address;
  // One of kLanguages.
  std::string language;
  // The device that the entry's payload names by session or passkey, as the person called it; empty when unknown.
  std::string device;
};

// What the program knows of people. An error: not now. Nothing: the person is gone, or never was.
using FindRecipient = std::function<Task<Result<std::optional<Recipient>>>(const audit::Entry& entry)>;

// The name that it listens under.
inline constexpr const char* kMailListener = "mail";
// For AuditLog::listen: queues mails about entries, as the policy has it, each exactly once. Entries that are older
// than a day are passed over: a node that was away does not tell at night what was long ago. Members of the payload
// that mails are made of: `newDevice`, `account`, `change` (a word of strings.json), `readyAt` (RFC 3339); an entry
// without those that its mail needs has none, and a line in the log.
audit::Listener mail_listener(infra::Database& database, infra::Clock& clock, Mailer& mailer, FindRecipient find);

// What a person called a device, as mails take it: 1 to 48 letters, digits, blanks and ()_-+; other characters are left
// out, and what is empty then is "-".
std::string mail_device(std::string_view name);

}  // namespace community::notifications
