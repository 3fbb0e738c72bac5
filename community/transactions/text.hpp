// SPDX-License-Identifier: Apache-2.0
// Text that strangers wrote into contracts, made fit to stand beside a person's own: a token's symbol, a revert's
// words.
#pragma once
#include <string>
#include <string_view>

namespace community::transactions {

inline constexpr std::size_t kMaxSymbolCharacters = 24, kMaxRevertCharacters = 256;

// Valid UTF-8 (what is none goes) of at most `most` characters, without control and format characters, line ends, marks
// that turn the direction of what stands around them (UAX 9), invisible or private characters; spaces at the ends go,
// runs of spaces become one.
std::string clean_text(std::string_view text, std::size_t most);

}  // namespace community::transactions
