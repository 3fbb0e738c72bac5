// SPDX-License-Identifier: Apache-2.0
// How modules whose errors carry more than a rule and words make one: `fail(ErrorCode::not_found)`. A module says once
// `inline constexpr core::Fail<Error> fail{};` and, where its requests come from people, the same of FailField.
#pragma once
#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace community::core {

template <class Error>
struct Fail {
  using Code = decltype(Error::code);

  tl::unexpected<Error> operator()(Code code, std::string message = {}) const {
    Error error;
    error.code = code;
    error.message = std::move(message);
    return tl::unexpected<Error>(std::move(error));
  }
};

// field_invalid; `pointer` is a JSON pointer into the request (RFC 6901).
template <class Error>
struct FailField {
  tl::unexpected<Error> operator()(std::string pointer, std::string message) const {
    Error error;
    error.code = Fail<Error>::Code::field_invalid;
    error.message = std::move(message);
    error.field = std::move(pointer);
    return tl::unexpected<Error>(std::move(error));
  }
};

}  // namespace community::core
