// SPDX-License-Identifier: Apache-2.0
#include "community/arrivals/json_frame.hpp"

#include <array>

namespace community::arrivals {
namespace {

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
// What may stand in a number, true, false or null.
bool is_plain(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == 'E' || c == '+' || c == '-' || c == '.';
}

class Cursor {
 public:
  explicit Cursor(std::string_view text) : text_(text) {}

  void skip_spaces() {
    while (at_ < text_.size() && is_space(text_[at_])) at_++;
  }
  bool take(char c) {
    skip_spaces();
    if (at_ == text_.size() || text_[at_] != c) return false;
    at_++;
    return true;
  }
  bool at_end() {
    skip_spaces();
    return at_ == text_.size();
  }
  // What stands between the quotes.
  std::optional<std::string_view> string() {
    if (!take('"')) return std::nullopt;
    const std::size_t begin = at_;
    for (; at_ < text_.size(); at_++) {
      if (text_[at_] == '"') return text_.substr(begin, at_++ - begin);
      // A line end in a string is none of JSON.
      if (static_cast<unsigned char>(text_[at_]) < 0x20) return std::nullopt;
      if (text_[at_] == '\\') at_++;
    }
    return std::nullopt;
  }
  std::optional<std::string_view> value() {
    skip_spaces();
    const std::size_t begin = at_;
    if (!skip_value()) return std::nullopt;
    return text_.substr(begin, at_ - begin);
  }

 private:
  bool skip_value() {
    std::array<char, kMaxFrameDepth> closing{};
    std::size_t depth = 0;
    do {
      skip_spaces();
      if (at_ == text_.size()) return false;
      const char c = text_[at_];
      if (c == '"') {
        if (!string()) return false;
      } else if (c == '{' || c == '[') {
        if (depth == closing.size()) return false;
        closing[depth++] = c == '{' ? '}' : ']';
        at_++;
      } else if (c == '}' || c == ']') {
        if (depth == 0 || closing[depth - 1] != c) return false;
        depth--;
        at_++;
      } else if (c == ',' || c == ':') {
        if (depth == 0) return false;
        at_++;
      } else {
        if (!is_plain(c)) return false;
        while (at_ < text_.size() && is_plain(text_[at_])) at_++;
      }
    } while (depth != 0);
    return true;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

bool walk_object(std::string_view text,
                 const std::function<bool(std::string_view name, std::string_view value)>& take) {
  Cursor cursor(text);
  if (!cursor.take('{')) return false;
  if (cursor.take('}')) return cursor.at_end();
  do {
    const auto name = cursor.string();
    if (!name || !cursor.take(':')) return false;
    const auto value = cursor.value();
    if (!value || !take(*name, *value)) return false;
  } while (cursor.take(','));
  return cursor.take('}') && cursor.at_end();
}

bool walk_array(std::string_view text, const std::function<bool(std::string_view value)>& take) {
  Cursor cursor(text);
  if (!cursor.take('[')) return false;
  if (cursor.take(']')) return cursor.at_end();
  do {
    const auto value = cursor.value();
    if (!value || !take(*value)) return false;
  } while (cursor.take(','));
  return cursor.take(']') && cursor.at_end();
}

}  // namespace community::arrivals
