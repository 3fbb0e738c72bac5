// SPDX-License-Identifier: Apache-2.0
#include "community/notifications/api/mail.hpp"

namespace community::notifications {
namespace {

constexpr std::size_t kMaxLocalPart = 64, kMaxAddress = 254, kMaxLabel = 63;

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// RFC 5322, section 3.2.3.
bool is_atom_character(char c) {
  return is_letter(c) || is_digit(c) || std::string_view("!#$%&'*+-/=?^_`{|}~").find(c) != std::string_view::npos;
}

bool is_dot_atom(std::string_view text) {
  if (text.empty() || text.front() == '.' || text.back() == '.' || text.find("..") != std::string_view::npos)
    return false;
  return std::ranges::all_of(text, [](char c) { return c == '.' || is_atom_character(c); });
}

bool is_label(std::string_view label) {
  if (label.empty() || label.size() > kMaxLabel || label.front() == '-' || label.back() == '-') return false;
  return std::ranges::all_of(label, [](char c) { return is_letter(c) || is_digit(c) || c == '-'; });
}

bool is_domain(std::string_view domain) {
  std::size_t labels = 1;
  for (std::size_t dot = domain.find('.'); dot != std::string_view::npos; dot = domain.find('.')) {
    if (!is_label(domain.substr(0, dot))) return false;
    domain.remove_prefix(dot + 1);
    labels++;
  }
  // Digits alone would be the end of an IPv4 address.
  return labels >= 2 && is_label(domain) && !std::ranges::all_of(domain, is_digit);
}

}  // namespace

Result<MailAddress> parse_mail_address(std::string_view text) {
  if (text.size() > kMaxAddress) return fail(ErrorCode::address_syntax, "longer than 254 octets");
  const std::size_t at = text.rfind('@');
  if (at == std::string_view::npos) return fail(ErrorCode::address_syntax, "no @");
  const std::string_view local = text.substr(0, at), domain = text.substr(at + 1);
  if (local.size() > kMaxLocalPart) return fail(ErrorCode::address_syntax, "the local part is longer than 64 octets");
  if (core::is_utf8(base::view(text)) && std::ranges::any_of(local, [](char c) { return (c & 0x80) != 0; }))
    return fail(ErrorCode::address_needs_smtputf8, "the local part is not ASCII");
  if (!is_dot_atom(local)) return fail(ErrorCode::address_syntax, "the local part is no dot-atom");
  if (!is_domain(domain)) return fail(ErrorCode::address_syntax, "the domain is none of at least two ASCII labels");
  return MailAddress{std::string(local), std::string(domain)};
}

}  // namespace community::notifications
