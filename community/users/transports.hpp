// SPDX-License-Identifier: Apache-2.0
// A device's hints about how it is reached ("internal", "usb", …; WebAuthn level 3, section 5.8.4). New words may come,
// so any are kept, in one column with a space between.
#pragma once
#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace community::users {

inline constexpr std::size_t kMaxTransports = 8, kMaxTransportBytes = 32;

inline bool is_transport(std::string_view word) {
  return !word.empty() && word.size() <= kMaxTransportBytes &&
         std::all_of(word.begin(), word.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

// What is no hint goes, and what is too much.
inline void keep_transports(std::vector<std::string>& words) {
  std::erase_if(words, [](const std::string& word) { return !is_transport(word); });
  if (words.size() > kMaxTransports) words.resize(kMaxTransports);
}

inline std::string join_transports(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text.append(text.empty() ? "" : " ").append(word);
  return text;
}

inline std::vector<std::string> split_transports(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    words.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

}  // namespace community::users
