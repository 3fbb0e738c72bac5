// SPDX-License-Identifier: Apache-2.0
// The words of documents: bodies and protections by their number in the protocol, and the format's own name.
#pragma once
#include <array>

#include "community/attestation/api/document.hpp"

namespace community::attestation {

// In the order of protocol::Body, which begins with 1, and of protocol::Protection.
inline constexpr std::array<std::string_view, 4> kBodyNames{"", "process", "optee-qemu", "optee-device"};
inline constexpr std::array<std::string_view, 3> kProtectionNames{"none", "emulated", "hardware"};

template <std::size_t N>
std::string_view name_of(const std::array<std::string_view, N>& names, std::uint8_t number) {
  return number < N && !names[number].empty() ? names[number] : "unknown";
}

template <std::size_t N>
std::uint8_t read_name(Members& members, std::string_view member, const std::array<std::string_view, N>& names) {
  const std::string word = members.text(member);
  for (std::uint8_t number = 0; number < N; number++)
    if (!word.empty() && names[number] == word) return number;
  members.wrong(member);
  return 0;
}

// format_unknown when the document says another format; its members are then nobody's business here.
inline Result<void> check_format(const json::value& document, std::string_view format) {
  const json::value* said = document.is_object() ? document.get_object().if_contains("format") : nullptr;
  if (said != nullptr && said->is_string() && std::string_view(said->get_string()) != format)
    return fail(ErrorCode::format_unknown, "not " + std::string(format));
  return {};
}

}  // namespace community::attestation
