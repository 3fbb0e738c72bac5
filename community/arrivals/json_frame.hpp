// SPDX-License-Identifier: Apache-2.0
// Walks the members of a JSON object and the elements of an array, each as the piece of text that it is: a file of many
// megabytes is passed over without a value for each of its parts. Pieces that are wanted go to core::parse_json, which
// is strict; of the others, brackets and strings are followed, and no more is looked at.
#pragma once
#include <functional>
#include <optional>
#include <string_view>

namespace community::arrivals {

inline constexpr std::size_t kMaxFrameDepth = 64;

// `take` gets each member's name, as it is written between its quotes, and the text of its value; false stops the walk.
// False when `text` is not one object with nothing behind it, or `take` said so.
bool walk_object(std::string_view text, const std::function<bool(std::string_view name, std::string_view value)>& take);
// Likewise for the elements of one array.
bool walk_array(std::string_view text, const std::function<bool(std::string_view value)>& take);

}  // namespace community::arrivals
