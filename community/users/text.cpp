// SPDX-License-Identifier: Apache-2.0
#include "community/users/api/text.hpp"

#include <idn2.h>
#include <utf8proc.h>

#include <algorithm>
#include <memory>

namespace community::users {
namespace {

constexpr std::size_t kMaxEmail = 254, kMaxLocalPart = 64, kMaxDomain = 253, kMaxLabel = 63, kMaxUrl = 512;
constexpr std::size_t kCodeDigits = 8;
// Four octets a character at most; ten spare ones let a longer text be refused for its length and not for its form.
constexpr std::size_t kMaxNameBytes = kMaxNameCharacters * 4 + 10;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](char c) { return lower(c); });
  return out;
}

// RFC 5322, section 3.2.3.
bool is_atom_character(char c) {
  return is_letter(c) || is_digit(c) || std::string_view("!#$%&'*+-/=?^_`{|}~").find(c) != std::string_view::npos;
}

bool is_local_part(std::string_view text) {
  if (text.empty() || text.size() > kMaxLocalPart || text.front() == '.' || text.back() == '.') return false;
  if (text.find("..") != std::string_view::npos) return false;
  return std::all_of(text.begin(), text.end(), [](char c) { return c == '.' || is_atom_character(c); });
}

bool is_label(std::string_view label) {
  if (label.empty() || label.size() > kMaxLabel || label.front() == '-' || label.back() == '-') return false;
  return std::all_of(label.begin(), label.end(), [](char c) { return is_letter(c) || is_digit(c) || c == '-'; });
}

// Letters, digits and hyphens (RFC 5321, section 4.1.2), and a last label that is no number: an IPv4 address is no
// domain.
bool is_domain(std::string_view domain) {
  if (domain.size() > kMaxDomain || domain.find('.') == std::string_view::npos) return false;
  std::string_view rest = domain;
  for (;;) {
    const std::size_t dot = rest.find('.');
    const std::string_view label = rest.substr(0, dot);
    if (!is_label(label)) return false;
    if (dot == std::string_view::npos) return !std::all_of(label.begin(), label.end(), is_digit);
    rest.remove_prefix(dot + 1);
  }
}

// A-labels by IDNA 2008 (RFC 5891) after the mapping of UTS 46; empty when the name has none.
std::string to_ascii(std::string_view domain) {
  char* converted = nullptr;
  const std::string text(domain);
  if (idn2_to_ascii_8z(text.c_str(), &converted, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) != IDN2_OK) return {};
  const std::unique_ptr<char, decltype(&idn2_free)> owned(converted, idn2_free);
  return lower(converted);
}

// Embeddings, overrides and isolates of the bidirectional algorithm (UAX 9): a name could turn round its neighbours.
bool turns_direction(utf8proc_int32_t c) { return (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069); }

bool is_space(utf8proc_int32_t c) { return utf8proc_category(c) == UTF8PROC_CATEGORY_ZS; }

bool is_shown(utf8proc_int32_t c) {
  const utf8proc_category_t category = utf8proc_category(c);
  return category != UTF8PROC_CATEGORY_CC && category != UTF8PROC_CATEGORY_CN && category != UTF8PROC_CATEGORY_ZL &&
         category != UTF8PROC_CATEGORY_ZP && category != UTF8PROC_CATEGORY_CO && !turns_direction(c);
}

}  // namespace

Result<EmailAddress> parse_email(std::string_view text, std::string pointer) {
  const auto refused = [&pointer](const char* why) { return fail_field(pointer, why); };
  if (text.empty() || text.size() > kMaxEmail) return refused("an e-mail address has 3 to 254 characters");
  if (text.find('\0') != std::string_view::npos) return refused("an e-mail address has no control characters");
  const std::size_t at = text.rfind('@');
  if (at == std::string_view::npos) return refused("an e-mail address has an @");
  const std::string_view local = text.substr(0, at);
  if (!is_local_part(local)) return refused("the part before the @ is not one that mail servers take");
  if (!core::is_utf8(base::view(text))) return refused("the domain is no text");
  const std::string domain = to_ascii(text.substr(at + 1));
  if (!is_domain(domain)) return refused("the part behind the @ is no domain");
  EmailAddress address{std::string(local) + "@" + domain, lower(local) + "@" + domain};
  if (address.text.size() > kMaxEmail) return refused("an e-mail address has 3 to 254 characters");
  return address;
}

Result<void> check_name(std::string_view text, std::string pointer) {
  const auto refused = [&pointer](const char* why) { return fail_field(pointer, why); };
  if (text.empty() || text.size() > kMaxNameBytes) return refused("a name has 1 to 64 characters");
  if (!core::is_utf8(base::view(text))) return refused("a name is UTF-8");
  std::size_t characters = 0;
  utf8proc_int32_t first = 0, last = 0;
  const auto* next = reinterpret_cast<const utf8proc_uint8_t*>(text.data());
  for (auto left = static_cast<utf8proc_ssize_t>(text.size()); left > 0; characters++) {
    const utf8proc_ssize_t read = utf8proc_iterate(next, left, &last);
    if (read <= 0) return refused("a name is UTF-8");
    if (!is_shown(last)) return refused("a name has no control characters and no marks that turn its direction");
    if (characters == 0) first = last;
    next += read;
    left -= read;
  }
  if (characters > kMaxNameCharacters) return refused("a name has 1 to 64 characters");
  if (is_space(first) || is_space(last)) return refused("a name neither begins nor ends with a space");
  return {};
}

Result<void> check_avatar_url(std::string_view text, std::string pointer) {
  const auto printable = [](char c) { return c > ' ' && c < 0x7f && c != '"' && c != '<' && c != '>' && c != '\\'; };
  constexpr std::string_view kScheme = "https://";
  if (text.size() > kMaxUrl || text.size() <= kScheme.size() || lower(text.substr(0, kScheme.size())) != kScheme ||
      text[kScheme.size()] == '/' || !std::all_of(text.begin(), text.end(), printable))
    return fail_field(std::move(pointer), "an https URL of at most 512 characters");
  return {};
}

Result<void> check_phone_number(std::string_view text, std::string pointer) {
  const bool good = text.size() >= 8 && text.size() <= 16 && text[0] == '+' && text[1] != '0' &&
                    std::all_of(text.begin() + 1, text.end(), is_digit);
  if (!good) return fail_field(std::move(pointer), "a telephone number is + and 7 to 15 digits");
  return {};
}

Result<void> check_locale(std::string_view text, std::string pointer) {
  if (std::find(kLocales.begin(), kLocales.end(), text) == kLocales.end())
    return fail_field(std::move(pointer), "a language that this node has no texts in");
  return {};
}

std::string code_digits(std::string_view typed) {
  std::string digits;
  for (const char c : typed) {
    if (c == ' ' || c == '-') continue;
    if (!is_digit(c) || digits.size() == kCodeDigits) return {};
    digits += c;
  }
  return digits.size() == kCodeDigits ? digits : std::string();
}

}  // namespace community::users
