// SPDX-License-Identifier: Apache-2.0
// RFC 8949 by initial byte: three bits of type, five of length.
#include "community/core/cbor.hpp"

#include <limits>

namespace community::core {

namespace {

using Kind = CborItem::Kind;

// The argument behind the initial byte, in its shortest form only.
Result<std::uint64_t> take_argument(ByteView& in, unsigned low) {
  if (low < 24) return low;
  if (low > 27) return fail(ErrorCode::cbor_syntax);
  const std::size_t size = std::size_t{1} << (low - 24);
  if (in.size() < size) return fail(ErrorCode::cbor_syntax);
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < size; i++) value = value << 8 | in[i];
  in = in.subspan(size);
  const std::uint64_t least = size == 1 ? 24 : std::uint64_t{1} << 4 * size;
  if (value < least) return fail(ErrorCode::cbor_syntax);
  return value;
}

bool same_key(const CborItem& a, const CborItem& b) { return base::equal(a.encoded, b.encoded); }

Result<CborItem> take(ByteView& in, unsigned depth, std::size_t& count) {
  if (depth > kMaxCborDepth || ++count > kMaxCborItems) return fail(ErrorCode::cbor_too_deep);
  if (in.empty()) return fail(ErrorCode::cbor_syntax);
  const ByteView start = in;
  const unsigned type = in[0] >> 5, low = in[0] & 31;
  in = in.subspan(1);
  CborItem item;
  if (type == 7) {
    if (low != 20 && low != 21 && low != 22) return fail(ErrorCode::cbor_syntax);
    item.kind = low == 22 ? Kind::null : Kind::boolean;
    item.number = low == 21;
    item.encoded = start.first(1);
    return item;
  }
  const auto argument = take_argument(in, low);
  if (!argument) return tl::unexpected(argument.error());
  if (type <= 1) {
    if (*argument > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
      return fail(ErrorCode::cbor_syntax);
    item.kind = Kind::integer;
    item.number = type == 0 ? static_cast<std::int64_t>(*argument) : -1 - static_cast<std::int64_t>(*argument);
  } else if (type <= 3) {
    if (*argument > in.size()) return fail(ErrorCode::cbor_syntax);
    item.kind = type == 2 ? Kind::bytes : Kind::text;
    item.bytes = in.first(static_cast<std::size_t>(*argument));
    in = in.subspan(item.bytes.size());
    if (type == 3 && !is_utf8(item.bytes)) return fail(ErrorCode::utf8_invalid);
  } else if (type <= 5) {
    item.kind = type == 4 ? Kind::array : Kind::map;
    // Each element has at least one byte.
    if (*argument > in.size()) return fail(ErrorCode::cbor_syntax);
    const std::uint64_t elements = *argument * (type == 5 ? 2 : 1);
    for (std::uint64_t i = 0; i < elements; i++) {
      auto child = take(in, depth + 1, count);
      if (!child) return child;
      if (type == 5 && i % 2 == 0)
        for (std::size_t k = 0; k < item.items.size(); k += 2)
          if (same_key(item.items[k], *child)) return fail(ErrorCode::cbor_duplicate_key);
      item.items.push_back(std::move(*child));
    }
  } else {
    return fail(ErrorCode::cbor_syntax);
  }
  item.encoded = start.first(start.size() - in.size());
  return item;
}

}  // namespace

const CborItem* CborItem::find(std::int64_t key) const {
  if (kind == Kind::map)
    for (std::size_t i = 0; i < items.size(); i += 2)
      if (items[i].kind == Kind::integer && items[i].number == key) return &items[i + 1];
  return nullptr;
}

const CborItem* CborItem::find(std::string_view key) const {
  if (kind == Kind::map)
    for (std::size_t i = 0; i < items.size(); i += 2)
      if (items[i].kind == Kind::text && base::text(items[i].bytes) == key) return &items[i + 1];
  return nullptr;
}

Result<CborItem> cbor_take(ByteView& in) {
  std::size_t count = 0;
  return take(in, 0, count);
}

}  // namespace community::core
