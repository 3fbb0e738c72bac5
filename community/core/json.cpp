// SPDX-License-Identifier: Apache-2.0
// The strict reader: a handler for Boost's streaming parser that builds the value and watches member names.
#include "community/core/json.hpp"

#include <boost/json/basic_parser_impl.hpp>
#include <charconv>
#include <cmath>

namespace community::core {

namespace {

class StrictHandler {
 public:
  static constexpr std::size_t max_object_size = std::size_t{1} << 24;
  static constexpr std::size_t max_array_size = std::size_t{1} << 24;
  static constexpr std::size_t max_key_size = std::size_t{1} << 24;
  static constexpr std::size_t max_string_size = std::size_t{1} << 30;
  using Code = boost::system::error_code;

  StrictHandler(json::storage_ptr storage, bool long_integers_as_text) : long_integers_as_text_(long_integers_as_text) {
    stack_.reset(std::move(storage));
  }

  json::value release() { return stack_.release(); }
  const std::optional<Error>& error() const { return error_; }

  bool on_document_begin(Code&) { return true; }
  bool on_document_end(Code&) { return true; }
  bool on_object_begin(Code&) {
    first_key_.push_back(keys_.size());
    return true;
  }
  bool on_object_end(std::size_t count, Code& code) {
    const std::size_t first = first_key_.back();
    first_key_.pop_back();
    if (!keys_differ(first)) return stop(code);
    if (keys_.size() > first) text_.resize(keys_[first].start);
    keys_.resize(first);
    stack_.push_object(count);
    return true;
  }
  bool on_array_begin(Code&) { return true; }
  bool on_array_end(std::size_t count, Code&) {
    stack_.push_array(count);
    return true;
  }
  bool on_key_part(json::string_view part, std::size_t, Code&) {
    if (!in_key_) begin_key();
    text_.append(part.data(), part.size());
    stack_.push_chars(part);
    return true;
  }
  bool on_key(json::string_view part, std::size_t, Code&) {
    if (!in_key_) begin_key();
    text_.append(part.data(), part.size());
    keys_.back().size = text_.size() - keys_.back().start;
    in_key_ = false;
    stack_.push_key(part);
    return true;
  }
  bool on_string_part(json::string_view part, std::size_t, Code&) {
    stack_.push_chars(part);
    return true;
  }
  bool on_string(json::string_view part, std::size_t, Code&) {
    stack_.push_string(part);
    return true;
  }
  bool on_number_part(json::string_view part, Code&) {
    number_.append(part.data(), part.size());
    return true;
  }
  bool on_int64(std::int64_t value, json::string_view, Code&) {
    number_.clear();
    stack_.push_int64(value);
    return true;
  }
  bool on_uint64(std::uint64_t value, json::string_view, Code&) {
    number_.clear();
    stack_.push_uint64(value);
    return true;
  }
  bool on_double(double value, json::string_view part, Code& code) {
    number_.append(part.data(), part.size());
    const bool integer = number_.find_first_of(".eE") == std::string::npos;
    // Also 0e4343 is not finite here: the library multiplies zero by an infinite power.
    if (integer ? !long_integers_as_text_ : !std::isfinite(value)) {
      error_ = Error{ErrorCode::json_number_out_of_range, {}};
      return stop(code);
    }
    if (integer) {
      stack_.push_string(number_);
    } else {
      stack_.push_double(nearest(value));
    }
    number_.clear();
    return true;
  }
  bool on_bool(bool value, Code&) {
    stack_.push_bool(value);
    return true;
  }
  bool on_null(Code&) {
    stack_.push_null();
    return true;
  }
  bool on_comment_part(json::string_view, Code&) { return true; }
  bool on_comment(json::string_view, Code&) { return true; }

 private:
  struct Key {
    std::size_t start = 0;
    std::size_t size = 0;
  };

  void begin_key() {
    in_key_ = true;
    keys_.push_back({text_.size(), 0});
  }
  std::string_view key(std::size_t i) const { return std::string_view(text_).substr(keys_[i].start, keys_[i].size); }

  // The double that is nearest to the number's text; the library's own may be a neighbour of it.
  double nearest(double fallback) const {
    double exact = 0;
    const auto [end, error] = std::from_chars(number_.data(), number_.data() + number_.size(), exact);
    return error == std::errc() ? exact : fallback;
  }

  // Whether the members of the innermost object have different names: by pairs when few, sorted when many.
  bool keys_differ(std::size_t first) {
    constexpr std::size_t kFew = 24;
    const auto duplicate = [&](std::string_view name) {
      error_ = Error{ErrorCode::json_duplicate_member, std::string(name.substr(0, 64))};
      return false;
    };
    if (keys_.size() - first <= kFew) {
      for (std::size_t i = first; i < keys_.size(); i++)
        for (std::size_t j = first; j < i; j++)
          if (keys_[i].size == keys_[j].size && key(i) == key(j)) return duplicate(key(i));
      return true;
    }
    std::vector<std::string_view> names;
    names.reserve(keys_.size() - first);
    for (std::size_t i = first; i < keys_.size(); i++) names.push_back(key(i));
    std::sort(names.begin(), names.end());
    const auto twin = std::adjacent_find(names.begin(), names.end());
    return twin == names.end() || duplicate(*twin);
  }

  bool stop(Code& code) {
    code = json::make_error_code(json::error::exception);
    return false;
  }

  json::value_stack stack_;
  bool long_integers_as_text_;
  bool in_key_ = false;
  std::string text_;
  std::string number_;
  std::vector<Key> keys_;
  std::vector<std::size_t> first_key_;
  std::optional<Error> error_;
};

Error at_member(Error error, std::string_view key) {
  error.message = error.message.empty() ? std::string(key) : std::string(key) + ": " + error.message;
  return error;
}

template <class T>
Result<T> named(Result<T> result, std::string_view key) {
  if (!result) return tl::unexpected(at_member(std::move(result.error()), key));
  return result;
}

}  // namespace

Result<json::value> parse_json(std::string_view text, const JsonLimits& limits, json::storage_ptr storage) {
  if (text.size() > limits.max_bytes) return fail(ErrorCode::json_too_large);
  json::parse_options options;
  options.max_depth = limits.max_depth;
  json::basic_parser<StrictHandler> parser(options, std::move(storage), limits.long_integers_as_text);
  boost::system::error_code code;
  const std::size_t used = parser.write_some(false, text.data(), text.size(), code);
  if (code) {
    if (parser.handler().error()) return tl::unexpected(*parser.handler().error());
    if (code == json::error::too_deep) return fail(ErrorCode::json_too_deep);
    return fail(ErrorCode::json_syntax, code.message() + " near byte " + std::to_string(used));
  }
  if (used != text.size()) return fail(ErrorCode::json_syntax, "extra data after the value");
  return parser.handler().release();
}

const json::value* find_member(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value == nullptr || value->is_null() ? nullptr : value;
}

Result<std::string_view> string_member(const json::object& object, std::string_view key) {
  const json::value* value = find_member(object, key);
  if (value == nullptr) return fail(ErrorCode::json_member_missing, std::string(key));
  if (!value->is_string()) return fail(ErrorCode::json_wrong_type, std::string(key) + " is not a string");
  return std::string_view(value->get_string());
}

Result<const json::object*> object_member(const json::object& object, std::string_view key) {
  const json::value* value = find_member(object, key);
  if (value == nullptr) return fail(ErrorCode::json_member_missing, std::string(key));
  if (!value->is_object()) return fail(ErrorCode::json_wrong_type, std::string(key) + " is not an object");
  return &value->get_object();
}

Result<Bytes> bytes_member(const json::object& object, std::string_view key, HexPrefix prefix) {
  const auto text = string_member(object, key);
  if (!text) return tl::unexpected(text.error());
  return named(parse_hex(*text, prefix), key);
}

Result<Bytes32> bytes32_member(const json::object& object, std::string_view key, HexPrefix prefix) {
  const auto text = string_member(object, key);
  if (!text) return tl::unexpected(text.error());
  return named(parse_bytes32(*text, prefix), key);
}

Result<Address> address_member(const json::object& object, std::string_view key, HexPrefix prefix) {
  const auto text = string_member(object, key);
  if (!text) return tl::unexpected(text.error());
  return named(parse_address(*text, prefix), key);
}

Result<Uint256> number_value(const json::value& value) {
  if (value.is_string()) return parse_number(std::string_view(value.get_string()));
  if (value.is_uint64()) return Uint256(value.get_uint64());
  if (value.is_int64() && value.get_int64() >= 0) return Uint256(static_cast<std::uint64_t>(value.get_int64()));
  return fail(ErrorCode::json_wrong_type, "not a number");
}

Result<Uint256> number_member(const json::object& object, std::string_view key) {
  const json::value* value = find_member(object, key);
  if (value == nullptr) return fail(ErrorCode::json_member_missing, std::string(key));
  return named(number_value(*value), key);
}

}  // namespace community::core
