// SPDX-License-Identifier: Apache-2.0
// What people write about themselves: read strictly, kept as they wrote it.
#pragma once
#include "community/users/api/error.hpp"
#include "community/users/api/people.hpp"

namespace community::users {

// Unicode code points: what a page shows in one line.
inline constexpr std::size_t kMaxNameCharacters = 64;

struct EmailAddress {
  // For sending: the local part as it was given, the domain in lower-case ASCII (RFC 5890, A-labels).
  std::string text;
  // For comparing: all lower case. Providers that tell letters' cases apart are not known; two people who differ in
  // nothing else are.
  std::string key;
};

// RFC 5321: at most 254 octets, of which at most 64 before the sign; a local part of RFC 5322's dot-atom, so neither
// quotes nor comments; letters beyond ASCII in the domain only (SMTPUTF8, RFC 6531, is what too few servers speak); a
// domain of two labels at least, never an address literal. field_invalid for `pointer`.
Result<EmailAddress> parse_email(std::string_view text, std::string pointer);

// 1 to 64 characters of UTF-8, without control characters, line separators and marks that turn the direction of what
// stands around them, without space at either end. field_invalid.
Result<void> check_name(std::string_view text, std::string pointer);
// An https: URL of at most 512 printable ASCII characters. field_invalid.
Result<void> check_avatar_url(std::string_view text, std::string pointer);
// "+" and 7 to 15 digits (E.164). field_invalid.
Result<void> check_phone_number(std::string_view text, std::string pointer);
// One of kLocales. field_invalid.
Result<void> check_locale(std::string_view text, std::string pointer);
// The digits of a code as a person types it, spaces and hyphens passed over; nothing when it is not eight digits.
std::string code_digits(std::string_view typed);

}  // namespace community::users
