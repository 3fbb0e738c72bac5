// SPDX-License-Identifier: Apache-2.0
// The names of the rules, generated from the one list so that they cannot drift from the enum.
#include "community/core/result.hpp"

namespace community::core {

std::string_view name(ErrorCode code) {
  static constexpr std::string_view kNames[] = {
#define X(rule) #rule,
      COMMUNITY_CORE_ERRORS(X)
#undef X
  };
  const auto index = static_cast<std::size_t>(code);
  return index < std::size(kNames) ? kNames[index] : "unknown";
}

std::string Error::text() const {
  std::string all(name(code));
  if (!message.empty()) all.append(": ").append(message);
  return all;
}

}  // namespace community::core
