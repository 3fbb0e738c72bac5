// SPDX-License-Identifier: Apache-2.0
// What a mail is: an address, a text of strings.json with its values, and the message of RFC 5322 that both become.
// Pure: neither storage nor clock.
#pragma once
#include <array>
#include <cstdint>
#include <map>
#include <optional>

#include "community/core/bytes.hpp"
#include "community/notifications/api/error.hpp"

namespace community::notifications {

// Of RFC 5321: local part and domain as they go into MAIL FROM and RCPT TO.
struct MailAddress {
  std::string local;
  std::string domain;
  std::string text() const { return local + "@" + domain; }
};

// A dot-atom of at most 64 octets, an @, and a domain of at least two labels, A-labels where it is international; 254
// octets in all (RFC 5321, sections 4.1.2 and 4.5.3.1; RFC 3696 erratum 1690). Quoted local parts and address literals
// are refused: no person has one, and mail programs read them differently. address_syntax; address_needs_smtputf8 for
// characters beyond ASCII: few servers take them, and there is no way down from them (RFC 6531, section 3.6).
Result<MailAddress> parse_mail_address(std::string_view text);

// Texts of strings.json, in its order.
#define COMMUNITY_MAIL_TEXTS(X) \
  X(registration_code)          \
  X(registration_repeated)      \
  X(new_login)                  \
  X(passkey_added)              \
  X(passkey_removed)            \
  X(account_frozen)             \
  X(change_waiting)             \
  X(escape_started)             \
  X(recovery_started)           \
  X(phrase_exported)

COMMUNITY_RULES(MailText, COMMUNITY_MAIL_TEXTS)

inline constexpr std::array<std::string_view, 3> kLanguages{"en", "zh-Hans", "th"};

// What a value may be: whoever chooses it must not be able to write a mail of our own with it.
enum class ValueKind : std::uint8_t {
  // 4 to 10 digits
  code,
  // 1 to 10,080
  minutes,
  // 1 to 48 letters, digits, blanks and ()_-+ of ASCII: no dot, slash or at-sign, so nothing becomes a link
  device,
  // as format_mail_time() writes it
  time,
  // 0x and 40 hexadecimal digits
  account,
  // one of the text's words: for {change} keys, rules, limit, spend, upgrade, unfreeze, permission
  word,
};

// Placeholder to value: exactly those that the text has. {node} and {origin} come from the sender.
using MailValues = std::map<std::string, std::string, std::less<>>;

// Who sends. Checked once, by check_identity().
struct MailIdentity {
  // As recipients see it; no control characters, no quotation marks.
  std::string name;
  MailAddress from;
  // The node's page, the one link in a mail: "https://example.org".
  std::string origin;
};
// option_malformed.
Result<void> check_identity(const MailIdentity& identity);

// "2026-01-01 12:00 UTC".
std::string format_mail_time(std::int64_t time_ms);

struct RenderedText {
  std::string subject;
  // Lines that end with LF.
  std::string body;
  // Padded, and always encoded the same way, so that all texts of this kind make messages of one length: who watches
  // the connection to the mail server does not see which one was sent.
  bool equal_length = false;
};
// language_unknown, value_missing, value_superfluous, value_malformed.
Result<RenderedText> render(MailText text, std::string_view language, const MailValues& values,
                            const MailIdentity& identity);

struct MessageHead {
  MailAddress to;
  // Language of the body (RFC 3282).
  std::string language;
  std::int64_t date_ms = 0;
  // The part before the @ of the Message-ID: a UUID. Repetitions of one mail carry the same.
  std::string id;
};
// RFC 5322 with MIME, ASCII, lines of at most 78 characters (an address may be longer) that end with CRLF: From, To,
// Subject (RFC 2047), Date, Message-ID, Auto-Submitted (RFC 3834), text/plain in UTF-8, quoted-printable or base64,
// whichever is shorter.
std::string compose_message(const MailIdentity& identity, const MessageHead& head, const RenderedText& text);

}  // namespace community::notifications
