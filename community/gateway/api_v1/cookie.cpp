// SPDX-License-Identifier: Apache-2.0
#include "community/gateway/api_v1/cookie.hpp"

#include <algorithm>

namespace community::gateway::api_v1 {
namespace {

// 32 bytes.
constexpr std::size_t kTokenCharacters = 43;

bool is_base64url(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

}  // namespace

std::string cookie_token(const std::vector<std::string_view>& cookie_fields, std::string_view name) {
  std::string token;
  for (std::string_view rest : cookie_fields) {
    while (!rest.empty()) {
      std::string_view pair = rest.substr(0, rest.find(';'));
      rest.remove_prefix(std::min(pair.size() + 1, rest.size()));
      while (!pair.empty() && pair.front() == ' ') pair.remove_prefix(1);
      const std::size_t equals = pair.find('=');
      if (equals == std::string_view::npos || pair.substr(0, equals) != name) continue;
      const std::string_view value = pair.substr(equals + 1);
      const bool is_token = value.size() == kTokenCharacters && std::all_of(value.begin(), value.end(), is_base64url);
      if (!is_token || !token.empty()) return {};
      token = value;
    }
  }
  return token;
}

}  // namespace community::gateway::api_v1
