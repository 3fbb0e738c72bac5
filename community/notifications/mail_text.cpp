// SPDX-License-Identifier: Apache-2.0
// Texts of strings.json with their values. The build has checked that every text has every language and exactly its
// placeholders (embed_strings.py); here the values are checked.
#include <algorithm>
#include <ctime>
#include <span>

#include "community/notifications/api/mail.hpp"

namespace community::notifications {
namespace {

using Languages = std::array<std::string_view, kLanguages.size()>;

struct Word {
  std::string_view group, word;
  Languages texts;
};
struct Placeholder {
  std::string_view name;
  ValueKind kind;
  // Of ValueKind::word.
  std::string_view group;
};
struct TextRow {
  std::string_view name;
  bool equal_length;
  std::span<const Placeholder> placeholders;
  Languages subjects, bodies;
};

#include "community/notifications/mail_texts.inc"

constexpr std::size_t kTextCount = std::size(kTexts);
static_assert(
    [] {
      for (std::size_t i = 0; i < kTextCount; i++)
        if (kTexts[i].name != name(static_cast<MailText>(i))) return false;
      return name(static_cast<MailText>(kTextCount)) == "unknown";
    }(),
    "the texts of strings.json are those of COMMUNITY_MAIL_TEXTS, in their order");

constexpr std::size_t kMaxName = 64, kMaxOrigin = 128;

bool digits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

bool is_device(std::string_view text) {
  constexpr std::size_t kMaxDevice = 48;
  return !text.empty() && text.size() <= kMaxDevice && text.front() != ' ' && text.back() != ' ' &&
         std::ranges::all_of(text, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  std::string_view(" ()_-+").find(c) != std::string_view::npos;
         });
}

bool is_time(std::string_view text) {
  constexpr std::string_view kForm = "0000-00-00 00:00 UTC";
  if (text.size() != kForm.size()) return false;
  for (std::size_t i = 0; i < kForm.size(); i++)
    if (kForm[i] == '0' ? (text[i] < '0' || text[i] > '9') : text[i] != kForm[i]) return false;
  return true;
}

// Nothing when the value is not of the placeholder's kind.
std::optional<std::string> shown(const Placeholder& place, const std::string& value, std::size_t language) {
  bool right = false;
  switch (place.kind) {
    case ValueKind::code:
      right = digits(value) && value.size() >= 4 && value.size() <= 10;
      break;
    case ValueKind::minutes:
      right = digits(value) && value.size() <= 5 && value.front() != '0' && std::stoul(value) <= 10'080;
      break;
    case ValueKind::device:
      right = is_device(value);
      break;
    case ValueKind::time:
      right = is_time(value);
      break;
    case ValueKind::account:
      right = value.size() == 42 && core::parse_hex(value).has_value();
      break;
    case ValueKind::word:
      for (const Word& word : kWords)
        if (word.group == place.group && word.word == value) return std::string(word.texts[language]);
      break;
  }
  if (!right) return std::nullopt;
  return value;
}

// Values replace placeholders once: what stands in a value is never looked at again.
std::string fill(std::string_view text, const MailValues& values) {
  std::string filled;
  while (!text.empty()) {
    const std::size_t open = std::min(text.find('{'), text.size());
    filled += text.substr(0, open);
    text.remove_prefix(open);
    if (text.empty()) break;
    const std::size_t close = text.find('}');
    filled += values.find(text.substr(1, close - 1))->second;
    text.remove_prefix(close + 1);
  }
  return filled;
}

// As it is sent: lines end with CR and LF.
std::size_t size_sent(std::string_view body) {
  return body.size() + static_cast<std::size_t>(std::ranges::count(body, '\n'));
}

std::string fill_body(const TextRow& row, std::size_t language, const MailValues& values) {
  return fill(row.bodies[language], values) + fill(kFooters[language], values);
}

// To the length of the longest text of its kind with the same values: the build has checked that they have the same
// subject and placeholders. Blanks, for nobody to see.
void pad(std::string& body, std::size_t language, const MailValues& values) {
  std::size_t longest = 0;
  for (const TextRow& row : kTexts)
    if (row.equal_length) longest = std::max(longest, size_sent(fill_body(row, language, values)));
  body.append(longest - size_sent(body), ' ');
}

}  // namespace

Result<void> check_identity(const MailIdentity& identity) {
  const bool plain = std::ranges::all_of(identity.name, [](char c) {
    return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f && c != '"' && c != '\\';
  });
  if (identity.name.empty() || identity.name.size() > kMaxName || !plain || !core::is_utf8(base::view(identity.name)))
    return fail(ErrorCode::option_malformed, "the sender's name has 1 to 64 bytes and no quotation marks");
  if (const auto from = parse_mail_address(identity.from.text()); !from)
    return fail(ErrorCode::option_malformed, "the sender's address: " + from.error().message);
  std::string_view host = identity.origin;
  const bool secure = host.starts_with("https://"), plain_http = host.starts_with("http://");
  host.remove_prefix(std::min(host.size(), host.find("://") + 3));
  const std::string_view machine = host.substr(0, host.find(':'));
  const bool here = plain_http && (machine == "localhost" || machine.ends_with(".localhost"));
  if ((!secure && !here) || host.empty() || identity.origin.size() > kMaxOrigin ||
      host.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789.-:[]") != std::string_view::npos)
    return fail(ErrorCode::option_malformed,
                "the node's origin is https://host[:port], or http://[name.]localhost[:port]");
  return {};
}

std::string format_mail_time(std::int64_t time_ms) {
  const auto time = static_cast<std::time_t>(time_ms / 1'000);
  std::tm parts{};
  gmtime_r(&time, &parts);
  char text[48];
  std::strftime(text, sizeof text, "%Y-%m-%d %H:%M UTC", &parts);
  return text;
}

Result<RenderedText> render(MailText text, std::string_view language, const MailValues& values,
                            const MailIdentity& identity) {
  const auto* const known = std::ranges::find(kLanguages, language);
  if (known == kLanguages.end()) return fail(ErrorCode::language_unknown);
  const auto index = static_cast<std::size_t>(known - kLanguages.begin());
  const TextRow& row = kTexts[static_cast<std::size_t>(text)];
  MailValues all{{"node", identity.name}, {"origin", identity.origin}};
  for (const Placeholder& place : row.placeholders) {
    const auto value = values.find(place.name);
    if (value == values.end()) return fail(ErrorCode::value_missing, std::string(place.name));
    auto words = shown(place, value->second, index);
    if (!words) return fail(ErrorCode::value_malformed, std::string(place.name));
    all.emplace(place.name, std::move(*words));
  }
  if (values.size() != row.placeholders.size())
    return fail(ErrorCode::value_superfluous, std::string(row.name) + " has other placeholders");
  RenderedText rendered;
  rendered.subject = fill(row.subjects[index], all);
  rendered.body = fill_body(row, index, all);
  rendered.equal_length = row.equal_length;
  if (row.equal_length) pad(rendered.body, index, all);
  return rendered;
}

}  // namespace community::notifications
