// SPDX-License-Identifier: Apache-2.0
// What can go wrong while the development chain is set up and the main job runs: one kind, in words that say what to
// do.
#pragma once
#include <string>
#include <tl/expected.hpp>

namespace community::devnet {

struct Error {
  std::string message;
};
template <class T>
using Result = tl::expected<T, Error>;

inline tl::unexpected<Error> fail(std::string message) { return tl::unexpected<Error>(Error{std::move(message)}); }

}  // namespace community::devnet
