// SPDX-License-Identifier: Apache-2.0
// Why the bundler could not do what it was asked. Values are named after the rule that was broken.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace community::bundler {

#define COMMUNITY_BUNDLER_ERRORS(X)                                      \
  X(no_executor) /* the trusted core has none for this chain */          \
  X(chain_unavailable)                                                   \
  X(keys_refused) /* a rule of the trusted core; the message names it */ \
  X(keys_unavailable)                                                    \
  X(storage)                                                             \
  X(not_found)

enum class ErrorCode : std::uint8_t {
#define X(rule) rule,
  COMMUNITY_BUNDLER_ERRORS(X)
#undef X
};

std::string_view name(ErrorCode code);

struct Error {
  ErrorCode code{};
  // For a person; never a secret.
  std::string message;
};

template <class T>
using Result = tl::expected<T, Error>;

inline tl::unexpected<Error> fail(ErrorCode code, std::string message) {
  return tl::unexpected<Error>(Error{code, std::move(message)});
}

}  // namespace community::bundler
