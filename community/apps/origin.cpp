// SPDX-License-Identifier: Apache-2.0
#include "community/apps/api/origin.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <string>

namespace community::apps {
namespace {

constexpr std::size_t kMaxHost = 253, kMaxLabel = 63;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }

// Letters, digits and inner hyphens; browsers let an underscore stand anywhere.
bool is_label(std::string_view label) {
  if (label.empty() || label.size() > kMaxLabel || label.front() == '-' || label.back() == '-') return false;
  return std::all_of(label.begin(), label.end(),
                     [](char c) { return is_lower(c) || is_digit(c) || c == '-' || c == '_'; });
}

bool is_byte(std::string_view text) {
  int value = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool is_plain = !text.empty() && text.size() <= 3 && (text.size() == 1 || text.front() != '0');
  return is_plain && error == std::errc() && end == text.data() + text.size() && value <= 255;
}

// A host whose last label is a number is an IPv4 address to browsers (URL standard, "ends in a number"), written with
// four decimal bytes.
bool is_name_or_v4(std::string_view host) {
  if (host.empty() || host.size() > kMaxHost) return false;
  std::size_t labels = 0, bytes = 0;
  std::string_view last;
  for (std::string_view rest = host;;) {
    const std::size_t dot = rest.find('.');
    last = rest.substr(0, dot);
    if (!is_label(last)) return false;
    labels++;
    if (is_byte(last)) bytes++;
    if (dot == std::string_view::npos) break;
    rest.remove_prefix(dot + 1);
  }
  const bool is_number = std::all_of(last.begin(), last.end(), is_digit) || last.starts_with("0x");
  return !is_number || (labels == 4 && bytes == 4);
}

// Shortest form in brackets, as browsers write it.
bool is_v6(std::string_view host) {
  if (host.size() < 4 || host.front() != '[' || host.back() != ']') return false;
  const std::string inner(host.substr(1, host.size() - 2));
  // inet_pton would stop at it.
  if (inner.find('\0') != std::string::npos) return false;
  in6_addr address{};
  std::array<char, INET6_ADDRSTRLEN> text{};
  return inet_pton(AF_INET6, inner.c_str(), &address) == 1 &&
         inet_ntop(AF_INET6, &address, text.data(), text.size()) != nullptr && inner == text.data();
}

bool is_this_machine(std::string_view host) {
  const bool is_v4 = host.starts_with("127.") && is_digit(host.back());
  return host == "localhost" || host.ends_with(".localhost") || host == "[::1]" || is_v4;
}

bool is_port(std::string_view text, std::uint16_t own) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size() && !text.empty() && text.front() != '0' &&
         port != own;
}

}  // namespace

bool is_app_origin(std::string_view text) {
  if (text.size() > kMaxOrigin) return false;
  const bool is_https = text.starts_with("https://");
  if (!is_https && !text.starts_with("http://")) return false;
  text.remove_prefix(is_https ? 8 : 7);
  // A bracket holds colons of its own.
  const std::size_t bracket = text.find(']'), from = bracket == std::string_view::npos ? 0 : bracket;
  const std::size_t colon = text.find(':', from);
  const std::string_view host = text.substr(0, colon);
  if (colon != std::string_view::npos && !is_port(text.substr(colon + 1), is_https ? 443 : 80)) return false;
  if (!is_name_or_v4(host) && !is_v6(host)) return false;
  return is_https || is_this_machine(host);
}

}  // namespace community::apps
