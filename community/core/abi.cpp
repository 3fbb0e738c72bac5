// SPDX-License-Identifier: Apache-2.0
// ABI encoder and canonical decoder. Both walk type and value together; recursion is bounded by the type's depth.
#include "community/core/abi.hpp"

#include "trusted/base/keccak.hpp"

namespace community::core {

namespace {

using Kind = AbiType::Kind;

constexpr std::size_t kWord = 32;
constexpr std::size_t padded(std::size_t size) { return (size + kWord - 1) / kWord * kWord; }

Uint256 word_at(ByteView bytes, std::size_t place) { return Uint256::from_be(bytes.subspan(place, kWord)); }

// Whether `word` is a value of the number type: the unused high bits are the sign's.
bool in_range(const AbiType& type, const Uint256& word) {
  switch (type.kind) {
    case Kind::uint:
    case Kind::address:
      return word.bit_length() <= type.size;
    case Kind::boolean:
      return word <= Uint256(1);
    case Kind::integer: {
      const Uint256 magnitude = is_negative(word) ? negate(word) : word;
      if (!is_negative(word)) return magnitude.bit_length() < type.size;
      const Uint256 below = *subtract(magnitude, Uint256(1));
      return below.bit_length() < type.size;
    }
    default:
      return false;
  }
}

Result<void> check_word(const AbiType& type, const AbiValue& value) {
  if (!value.is_word()) return fail(ErrorCode::abi_value_kind, type.text());
  if (!in_range(type, value.word())) return fail(ErrorCode::abi_value_range, type.text());
  return {};
}

Result<void> check_fixed_bytes(const AbiType& type, const AbiValue& value) {
  if (!value.is_bytes()) return fail(ErrorCode::abi_value_kind, type.text());
  if (value.bytes().size() != type.size) return fail(ErrorCode::abi_value_range, type.text());
  return {};
}

Result<void> check_list(const AbiType& type, const AbiValue& value) {
  if (!value.is_list()) return fail(ErrorCode::abi_value_kind, type.text());
  const std::size_t count = value.list().size();
  if ((type.kind == Kind::array && count != type.length) ||
      (type.kind == Kind::tuple && count != type.components.size()))
    return fail(ErrorCode::abi_value_count, type.text());
  return {};
}

void append_word(Bytes& out, const Uint256& word) { append(out, word.to_be()); }

void append_padded_right(Bytes& out, ByteView bytes) {
  append(out, bytes);
  out.resize(out.size() + padded(bytes.size()) - bytes.size());
}

const AbiType& component(const AbiType& type, std::size_t i) {
  return type.kind == Kind::tuple ? type.components[i] : type.components[0];
}

Result<void> encode_value(Bytes& out, const AbiType& type, const AbiValue& value);

// Heads, then tails; `type_at(i)` is the type of value i.
template <class TypeAt>
Result<void> encode_sequence(Bytes& out, const std::vector<AbiValue>& values, TypeAt type_at) {
  const std::size_t start = out.size();
  std::size_t head_bytes = 0;
  for (std::size_t i = 0; i < values.size(); i++) head_bytes += type_at(i).head_size();
  out.resize(start + head_bytes);
  std::size_t head = start;
  Bytes inline_value;
  for (std::size_t i = 0; i < values.size(); i++) {
    const AbiType& type = type_at(i);
    if (type.is_dynamic()) {
      const Bytes32 offset = Uint256(out.size() - start).to_be();
      std::copy(offset.begin(), offset.end(), out.begin() + static_cast<std::ptrdiff_t>(head));
      if (auto done = encode_value(out, type, values[i]); !done) return done;
    } else {
      inline_value.clear();
      if (auto done = encode_value(inline_value, type, values[i]); !done) return done;
      std::copy(inline_value.begin(), inline_value.end(), out.begin() + static_cast<std::ptrdiff_t>(head));
    }
    head += type.head_size();
  }
  return {};
}

Result<void> encode_value(Bytes& out, const AbiType& type, const AbiValue& value) {
  switch (type.kind) {
    case Kind::uint:
    case Kind::integer:
    case Kind::address:
    case Kind::boolean:
      if (auto good = check_word(type, value); !good) return good;
      append_word(out, value.word());
      return {};
    case Kind::fixed_bytes:
      if (auto good = check_fixed_bytes(type, value); !good) return good;
      append_padded_right(out, value.bytes());
      return {};
    case Kind::bytes:
    case Kind::string:
      if (!value.is_bytes()) return fail(ErrorCode::abi_value_kind, type.text());
      append_word(out, Uint256(value.bytes().size()));
      append_padded_right(out, value.bytes());
      return {};
    case Kind::list:
    case Kind::array:
    case Kind::tuple:
      break;
  }
  if (auto good = check_list(type, value); !good) return good;
  if (type.kind == Kind::list) append_word(out, Uint256(value.list().size()));
  return encode_sequence(out, value.list(), [&](std::size_t i) -> const AbiType& { return component(type, i); });
}

class Decoder {
 public:
  explicit Decoder(ByteView input) : input_(input) {}

  // Decodes `count` values whose heads begin at `start`; tails follow the heads in order. `next` becomes the first
  // byte after the last tail.
  template <class TypeAt>
  Result<AbiValue::List> sequence(std::size_t start, std::size_t count, TypeAt type_at, std::size_t& next) {
    std::size_t head_bytes = 0;
    for (std::size_t i = 0; i < count; i++) head_bytes += type_at(i).head_size();
    if (input_.size() - start < head_bytes) return fail(ErrorCode::abi_truncated);
    AbiValue::List values;
    values.reserve(count);
    std::size_t head = start;
    next = start + head_bytes;
    for (std::size_t i = 0; i < count; i++) {
      const AbiType& type = type_at(i);
      std::size_t place = head;
      if (type.is_dynamic()) {
        if (word_at(input_, head) != Uint256(next - start)) return fail(ErrorCode::abi_offset_not_canonical);
        place = next;
      }
      std::size_t end = 0;
      auto value = this->value(type, place, end);
      if (!value) return tl::unexpected(value.error());
      values.push_back(std::move(*value));
      if (type.is_dynamic()) next = end;
      head += type.head_size();
    }
    return values;
  }

 private:
  Result<AbiValue> value(const AbiType& type, std::size_t place, std::size_t& end) {
    if (++values_ > kMaxAbiValues) return fail(ErrorCode::abi_count_too_large);
    switch (type.kind) {
      case Kind::uint:
      case Kind::integer:
      case Kind::address:
      case Kind::boolean: {
        if (input_.size() - place < kWord) return fail(ErrorCode::abi_truncated);
        const Uint256 word = word_at(input_, place);
        if (!in_range(type, word)) return fail(ErrorCode::abi_dirty_bits, type.text());
        return AbiValue(word);
      }
      case Kind::fixed_bytes: {
        if (input_.size() - place < kWord) return fail(ErrorCode::abi_truncated);
        const ByteView word = input_.subspan(place, kWord);
        if (!base::is_zero(word.subspan(type.size))) return fail(ErrorCode::abi_dirty_padding, type.text());
        return AbiValue(to_bytes(word.first(type.size)));
      }
      case Kind::bytes:
      case Kind::string:
        return bytes(place, end);
      case Kind::list:
      case Kind::array:
      case Kind::tuple:
        break;
    }
    std::size_t count = type.kind == Kind::tuple ? type.components.size() : type.length;
    if (type.kind == Kind::list) {
      const auto length = this->count(place, type.components[0].head_size());
      if (!length) return tl::unexpected(length.error());
      count = *length;
      place += kWord;
    }
    auto list = sequence(
        place, count, [&](std::size_t i) -> const AbiType& { return component(type, i); }, end);
    if (!list) return tl::unexpected(list.error());
    return AbiValue(std::move(*list));
  }

  // The element count at `place`; that many units of `unit` bytes must be able to follow.
  Result<std::size_t> count(std::size_t place, std::size_t unit) {
    if (input_.size() - place < kWord) return fail(ErrorCode::abi_truncated);
    const Uint256 count = word_at(input_, place);
    const std::size_t rest = input_.size() - place - kWord;
    if (!count.fits_u64() || count.limb[0] > rest / unit) return fail(ErrorCode::abi_truncated);
    if (unit != 1 && count.limb[0] > kMaxAbiValues) return fail(ErrorCode::abi_count_too_large);
    return static_cast<std::size_t>(count.limb[0]);
  }

  Result<AbiValue> bytes(std::size_t place, std::size_t& end) {
    const auto size = count(place, 1);
    if (!size) return tl::unexpected(size.error());
    const ByteView rest = input_.subspan(place + kWord);
    if (rest.size() < padded(*size)) return fail(ErrorCode::abi_truncated);
    if (!base::is_zero(rest.subspan(*size, padded(*size) - *size))) return fail(ErrorCode::abi_dirty_padding);
    end = place + kWord + padded(*size);
    return AbiValue(to_bytes(rest.first(*size)));
  }

  ByteView input_;
  std::size_t values_ = 0;
};

Result<void> pack_value(Bytes& out, const AbiType& type, const AbiValue& value, bool in_array) {
  switch (type.kind) {
    case Kind::uint:
    case Kind::integer:
    case Kind::address:
    case Kind::boolean: {
      if (auto good = check_word(type, value); !good) return good;
      const Bytes32 word = value.word().to_be();
      append(out, ByteView(word).last(in_array ? kWord : type.size / 8));
      return {};
    }
    case Kind::fixed_bytes:
      if (auto good = check_fixed_bytes(type, value); !good) return good;
      if (in_array) {
        append_padded_right(out, value.bytes());
      } else {
        append(out, value.bytes());
      }
      return {};
    case Kind::bytes:
    case Kind::string:
      if (in_array) return fail(ErrorCode::abi_type_unknown, "packed " + type.text() + " in an array");
      if (!value.is_bytes()) return fail(ErrorCode::abi_value_kind, type.text());
      append(out, value.bytes());
      return {};
    case Kind::list:
    case Kind::array:
      if (auto good = check_list(type, value); !good) return good;
      for (const AbiValue& element : value.list())
        if (auto done = pack_value(out, type.components[0], element, true); !done) return done;
      return {};
    case Kind::tuple:
      break;
  }
  return fail(ErrorCode::abi_type_unknown, "packed " + type.text());
}

}  // namespace

Result<Bytes> abi_encode(const std::vector<AbiType>& types, const std::vector<AbiValue>& values) {
  if (types.size() != values.size()) return fail(ErrorCode::abi_value_count);
  Bytes out;
  auto done = encode_sequence(out, values, [&](std::size_t i) -> const AbiType& { return types[i]; });
  if (!done) return tl::unexpected(done.error());
  return out;
}

Result<std::vector<AbiValue>> abi_decode(const std::vector<AbiType>& types, ByteView encoded) {
  std::size_t end = 0;
  auto values = Decoder(encoded).sequence(
      0, types.size(), [&](std::size_t i) -> const AbiType& { return types[i]; }, end);
  if (values && end != encoded.size()) return fail(ErrorCode::abi_trailing_bytes);
  return values;
}

Result<Bytes> abi_encode_packed(const std::vector<AbiType>& types, const std::vector<AbiValue>& values) {
  if (types.size() != values.size()) return fail(ErrorCode::abi_value_count);
  Bytes out;
  for (std::size_t i = 0; i < types.size(); i++)
    if (auto done = pack_value(out, types[i], values[i], false); !done) return tl::unexpected(done.error());
  return out;
}

Result<Bytes> AbiFunction::encode(const std::vector<AbiValue>& values) const {
  auto encoded = abi_encode(parameters, values);
  if (encoded) encoded->insert(encoded->begin(), selector.begin(), selector.end());
  return encoded;
}

Result<std::vector<AbiValue>> AbiFunction::decode(ByteView call_data) const {
  if (call_data.size() < 4 || !base::equal(call_data.first(4), selector)) return fail(ErrorCode::abi_wrong_selector);
  return abi_decode(parameters, call_data.subspan(4));
}

Result<AbiFunction> parse_abi_function(std::string_view text) {
  const std::size_t open = text.find('(');
  if (open == std::string_view::npos || open == 0 || text.back() != ')') return fail(ErrorCode::abi_type_syntax);
  auto parameters = parse_abi_parameters(text.substr(open + 1, text.size() - open - 2));
  if (!parameters) return tl::unexpected(parameters.error());
  AbiFunction function;
  std::string canonical(text.substr(0, open + 1));
  for (std::size_t i = 0; i < parameters->size(); i++) canonical += (i == 0 ? "" : ",") + (*parameters)[i].text();
  const Bytes32 digest = base::keccak256(base::view(canonical + ")"));
  std::copy(digest.begin(), digest.begin() + 4, function.selector.begin());
  function.parameters = std::move(*parameters);
  return function;
}

Bytes32 event_topic(std::string_view canonical) { return base::keccak256(base::view(canonical)); }

}  // namespace community::core
