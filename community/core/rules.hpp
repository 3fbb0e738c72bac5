// SPDX-License-Identifier: Apache-2.0
// How a module names the rules that it refuses by: one list makes the enum, the names that people and logs see, and the
// error value, so that none of them can drift from another.
#pragma once
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace community::core {

// What went wrong: the rule, and where and what for a person. Never contains a secret.
template <class Code>
struct RuleError {
  Code code{};
  std::string message;

  // "rule: where and what".
  std::string text() const {
    std::string all(name(code));
    if (!message.empty()) all.append(": ").append(message);
    return all;
  }
};

}  // namespace community::core

#define COMMUNITY_RULE_VALUE(rule) rule,
#define COMMUNITY_RULE_NAME(rule) #rule,

// enum class `Code` with the values of `RULES(X)` and `name(Code)`, which is "unknown" for a value outside.
#define COMMUNITY_RULES(Code, RULES)                                                \
  enum class Code : std::uint8_t { RULES(COMMUNITY_RULE_VALUE) };                   \
  constexpr std::string_view name(Code code) {                                      \
    constexpr std::string_view kNames[] = {RULES(COMMUNITY_RULE_NAME)};             \
    const auto index = static_cast<std::size_t>(code);                              \
    return index < std::size(kNames) ? kNames[index] : std::string_view("unknown"); \
  }

// A module's errors: `ErrorCode`, `name`, `Error`, `Result<T>` and `fail`.
#define COMMUNITY_ERRORS(RULES)                                                 \
  COMMUNITY_RULES(ErrorCode, RULES)                                             \
  using Error = ::community::core::RuleError<ErrorCode>;                        \
  template <class T>                                                            \
  using Result = tl::expected<T, Error>;                                        \
  inline tl::unexpected<Error> fail(ErrorCode code, std::string message = {}) { \
    return tl::unexpected<Error>(Error{code, std::move(message)});              \
  }
