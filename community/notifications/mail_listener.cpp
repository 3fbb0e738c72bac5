// SPDX-License-Identifier: Apache-2.0
// Mails that follow from the audit log. A mail and the note that its entry was heard are one write, so a process that
// dies anywhere neither loses one nor sends it twice.
#include "community/infra/api/log.hpp"
#include "community/notifications/api/mailer.hpp"
#include "community/notifications/api/policy.hpp"

namespace community::notifications {
namespace {

constexpr std::int64_t kLife_ms = 24 * 60 * 60 * 1'000;
constexpr std::size_t kMaxDevice = 48;

core::json::object payload_of(const audit::Entry& entry) {
  auto payload = core::parse_json(entry.payload ? std::string_view(entry.payload->text) : std::string_view("{}"));
  if (!payload || !payload->is_object()) return {};
  return std::move(payload->get_object());
}

std::string text(const core::json::object& payload, std::string_view member) {
  const core::json::value* value = payload.if_contains(member);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

// "2026-01-31T12:00:59.999Z" to "2026-01-31 12:00 UTC"; empty for anything shorter.
std::string minute_of(const std::string& time) {
  return time.size() < 16 ? std::string() : time.substr(0, 10) + " " + time.substr(11, 5) + " UTC";
}

MailValues values_of(MailText mail, const audit::Entry& entry, const core::json::object& payload,
                     const std::string& device) {
  MailValues values{{"time", format_mail_time(entry.time_ms)}};
  switch (mail) {
    case MailText::change_waiting:
      values["change"] = text(payload, "change");
      [[fallthrough]];
    case MailText::escape_started:
    case MailText::recovery_started:
      values["time"] = minute_of(text(payload, "readyAt"));
      [[fallthrough]];
    case MailText::account_frozen:
      values["account"] = text(payload, "account");
      break;
    default:
      values["device"] = mail_device(device);
  }
  return values;
}

bool is_wanted(const Ways& ways, const core::json::object& payload) {
  if (!ways.mail_for_new_device_only) return true;
  const core::json::value* is_new = payload.if_contains("newDevice");
  return is_new != nullptr && is_new->is_bool() && is_new->get_bool();
}

}  // namespace

std::string mail_device(std::string_view name) {
  std::string out;
  for (const char c : name) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view(" ()_-+").find(c) != std::string_view::npos;
    if (plain && out.size() < kMaxDevice && (c != ' ' || !out.empty())) out += c;
  }
  while (out.ends_with(' ')) out.pop_back();
  return out.empty() ? "-" : out;
}

audit::Listener mail_listener(infra::Database& database, infra::Clock& clock, Mailer& mailer, FindRecipient find) {
  return [&database, &clock, &mailer, find = std::move(find)](const audit::Entry& entry) -> Task<bool> {
    const auto event = audit::parse_event_name(entry.event);
    // Codes go with the write that makes them: nobody who has no account yet is the subject of an entry.
    if (entry.subject.empty() || !event || !ways_of(*event).mail) co_return true;
    const core::json::object payload = payload_of(entry);
    const bool is_late = entry.time_ms + kLife_ms <= clock.now_ms();
    if (is_late || !is_wanted(ways_of(*event), payload)) co_return true;
    auto recipient = co_await find(entry);
    if (!recipient) co_return false;
    if (!*recipient) co_return true;
    Mail mail;
    mail.to = (*recipient)->address;
    mail.text = *ways_of(*event).mail;
    mail.language = (*recipient)->language;
    mail.values = values_of(mail.text, entry, payload, (*recipient)->device);
    mail.now_ms = clock.now_ms();
    mail.expires_ms = entry.time_ms + kLife_ms;
    // Queued or not, the entry was heard; only a full outbox is a reason to come back.
    using Queued = std::optional<ErrorCode>;
    auto work = [&mailer, mail, told = entry.sequence](soci::session& sql) {
      const auto queued = mailer.queue(sql, mail);
      const Queued refused = queued ? Queued() : Queued(queued.error().code);
      if (refused != ErrorCode::outbox_full) audit::note_told(sql, kMailListener, told);
      return refused;
    };
    const auto queued = co_await database.write(work);
    if (!queued || *queued == ErrorCode::outbox_full) {
      infra::log_warning("a mail is not queued yet", {{"why", queued ? "the outbox is full" : queued.error().text()}});
      co_return false;
    }
    // The text of a refusal may hold the address, which belongs into no log.
    if (*queued) infra::log_warning("a mail was not queued", {{"event", entry.event}, {"why", name(**queued)}});
    co_return true;
  };
}

}  // namespace community::notifications
