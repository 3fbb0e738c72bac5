// SPDX-License-Identifier: Apache-2.0
// RFC 5322 messages in pure ASCII, whatever is in them.
#include <algorithm>
#include <ctime>

#include "community/notifications/api/mail.hpp"

namespace community::notifications {
namespace {

constexpr std::string_view kCrLf = "\r\n";
// RFC 2045, section 6.7: 76 characters a line.
constexpr std::size_t kEncodedLine = 76;
constexpr char kHex[] = "0123456789ABCDEF";

std::string base64(std::string_view bytes) {
  static constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t j = 0; j < 3; j++)
      group = group << 8 | (i + j < bytes.size() ? static_cast<std::uint8_t>(bytes[i + j]) : 0u);
    for (std::size_t j = 0; j < 4; j++) text += i + j > bytes.size() ? '=' : kAlphabet[group >> (18 - 6 * j) & 63];
  }
  return text;
}

bool is_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return (c & 0x80) == 0; });
}

// Splits where no character of UTF-8 is cut.
std::string_view take_characters(std::string_view& text, std::size_t most) {
  std::size_t size = std::min(most, text.size());
  while (size < text.size() && size > 0 && (static_cast<std::uint8_t>(text[size]) & 0xc0) == 0x80) size--;
  const std::string_view part = text.substr(0, size);
  text.remove_prefix(size);
  return part;
}

// RFC 2047: "=?UTF-8?B?" and "?=" leave 60 characters of base64 in an encoded word of at most 75, which are 45 bytes.
std::string encoded_words(std::string_view text) {
  constexpr std::size_t kBytes = 45;
  std::string words;
  while (!text.empty()) {
    if (!words.empty()) words += "\r\n ";
    words += "=?UTF-8?B?" + base64(take_characters(text, kBytes)) + "?=";
  }
  return words;
}

// Folded behind blanks (RFC 5322, section 2.2.3), so that no line has more than 78 characters.
std::string header(std::string_view name, std::string_view value) {
  constexpr std::size_t kLine = 78;
  std::string text(name);
  text += ':';
  std::size_t line = text.size();
  while (!value.empty()) {
    const std::size_t end = std::min(value.find(' '), value.size());
    const std::string_view word = value.substr(0, end);
    value.remove_prefix(std::min(end + 1, value.size()));
    if (line + 1 + word.size() > kLine && line > name.size() + 1) {
      text += kCrLf;
      line = 0;
    }
    text += ' ';
    text += word;
    line += 1 + word.size();
  }
  text += kCrLf;
  return text;
}

std::string unstructured(std::string_view name, std::string_view text) {
  if (is_ascii(text)) return header(name, text);
  return std::string(name) + ": " + encoded_words(text) + std::string(kCrLf);
}

std::string from_header(const MailIdentity& identity) {
  const std::string address = "<" + identity.from.text() + ">";
  if (is_ascii(identity.name)) return header("From", "\"" + identity.name + "\" " + address);
  return "From: " + encoded_words(identity.name) + "\r\n " + address + std::string(kCrLf);
}

// RFC 5322, section 3.3, in UTC; the names of days and months are English whatever the locale.
std::string date(std::int64_t time_ms) {
  static constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto time = static_cast<std::time_t>(time_ms / 1'000);
  std::tm parts{};
  gmtime_r(&time, &parts);
  char text[64];
  std::snprintf(text, sizeof text, "%s, %02d %s %04d %02d:%02d:%02d +0000", kDays[parts.tm_wday], parts.tm_mday,
                kMonths[parts.tm_mon], parts.tm_year + 1900, parts.tm_hour, parts.tm_min, parts.tm_sec);
  return text;
}

std::string with_crlf(std::string_view body) {
  std::string text;
  for (const char c : body) {
    if (c == '\n') text += '\r';
    text += c;
  }
  return text;
}

// RFC 2045, section 6.7. Lines of `body` end with LF.
std::string quoted_printable(std::string_view body) {
  std::string text;
  std::size_t line = 0;
  for (std::size_t i = 0; i < body.size(); i++) {
    const char c = body[i];
    if (c == '\n') {
      text += kCrLf;
      line = 0;
      continue;
    }
    const bool before_end = i + 1 == body.size() || body[i + 1] == '\n';
    const bool plain = (c >= '!' && c <= '~' && c != '=') || (c == ' ' && !before_end);
    const std::size_t size = plain ? 1 : 3;
    if (line + size > kEncodedLine - 1) {
      text += "=\r\n";
      line = 0;
    }
    if (plain) {
      text += c;
    } else {
      const auto byte = static_cast<std::uint8_t>(c);
      text += '=';
      text += kHex[byte >> 4];
      text += kHex[byte & 15];
    }
    line += size;
  }
  if (line > 0) text += kCrLf;
  return text;
}

std::string base64_lines(std::string_view body) {
  const std::string encoded = base64(with_crlf(body));
  std::string text;
  for (std::size_t at = 0; at < encoded.size(); at += kEncodedLine) {
    text += encoded.substr(at, kEncodedLine);
    text += kCrLf;
  }
  return text;
}

}  // namespace

std::string compose_message(const MailIdentity& identity, const MessageHead& head, const RenderedText& text) {
  std::string body = base64_lines(text.body);
  std::string_view encoding = "base64";
  if (!text.equal_length) {
    std::string printable = quoted_printable(text.body);
    if (printable.size() < body.size()) {
      body = std::move(printable);
      encoding = "quoted-printable";
    }
  }
  std::string message = from_header(identity);
  message += header("To", "<" + head.to.text() + ">");
  message += unstructured("Subject", text.subject);
  message += header("Date", date(head.date_ms));
  message += header("Message-ID", "<" + head.id + "@" + identity.from.domain + ">");
  message += header("Auto-Submitted", "auto-generated");
  message += header("MIME-Version", "1.0");
  message += header("Content-Type", "text/plain; charset=utf-8");
  message += header("Content-Transfer-Encoding", encoding);
  message += header("Content-Language", head.language);
  message += kCrLf;
  message += body;
  return message;
}

}  // namespace community::notifications
