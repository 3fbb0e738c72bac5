// SPDX-License-Identifier: Apache-2.0
// RLP reader and writer; the reader refuses every form but the shortest.
#include "community/core/rlp.hpp"

#include <limits>

namespace community::core {

namespace {

struct Header {
  bool is_list = false;
  std::size_t header_size = 0;
  std::size_t payload_size = 0;
};

Result<Header> read_header(ByteView in) {
  if (in.empty()) return fail(ErrorCode::rlp_truncated);
  const std::uint8_t first = in[0];
  if (first < 0x80) return Header{false, 0, 1};
  const bool is_list = first >= 0xc0;
  const unsigned form = first - (is_list ? 0xc0u : 0x80u);
  Header header{is_list, 1, form};
  if (form > 55) {
    const std::size_t length_size = form - 55;
    if (in.size() < 1 + length_size) return fail(ErrorCode::rlp_truncated);
    if (in[1] == 0) return fail(ErrorCode::rlp_length_leading_zero);
    std::uint64_t length = 0;
    for (std::size_t i = 0; i < length_size; i++) length = length << 8 | in[1 + i];
    if (length < 56) return fail(ErrorCode::rlp_long_form_for_short);
    if (length > std::numeric_limits<std::size_t>::max() / 2) return fail(ErrorCode::rlp_length_overflow);
    header.header_size = 1 + length_size;
    header.payload_size = static_cast<std::size_t>(length);
  }
  if (in.size() - header.header_size < header.payload_size) return fail(ErrorCode::rlp_truncated);
  if (!is_list && header.payload_size == 1 && in[header.header_size] < 0x80)
    return fail(ErrorCode::rlp_single_byte_with_prefix);
  return header;
}

// Reads one item from the front of `in` and shortens it.
Result<RlpItem> read_item(ByteView& in, unsigned depth, std::size_t& count) {
  if (depth > kMaxRlpDepth) return fail(ErrorCode::rlp_too_deep);
  if (++count > kMaxRlpItems) return fail(ErrorCode::rlp_too_many_items);
  const auto header = read_header(in);
  if (!header) return tl::unexpected(header.error());
  RlpItem item;
  item.is_list = header->is_list;
  item.payload = in.subspan(header->header_size, header->payload_size);
  in = in.subspan(header->header_size + header->payload_size);
  if (item.is_list) {
    ByteView rest = item.payload;
    while (!rest.empty()) {
      auto child = read_item(rest, depth + 1, count);
      if (!child) return child;
      item.items.push_back(std::move(*child));
    }
  }
  return item;
}

// The prefix of `size` payload bytes: at most 9 bytes, returns how many.
std::size_t make_prefix(std::uint8_t* out, std::uint8_t base, std::size_t size) {
  if (size < 56) {
    out[0] = static_cast<std::uint8_t>(base + size);
    return 1;
  }
  std::size_t length_size = 0;
  for (std::size_t rest = size; rest != 0; rest >>= 8) length_size++;
  out[0] = static_cast<std::uint8_t>(base + 55 + length_size);
  for (std::size_t i = 0; i < length_size; i++)
    out[1 + i] = static_cast<std::uint8_t>(size >> 8 * (length_size - 1 - i));
  return 1 + length_size;
}

}  // namespace

Result<Uint256> RlpItem::to_uint() const {
  if (is_list) return fail(ErrorCode::rlp_string_expected);
  if (!payload.empty() && payload[0] == 0) return fail(ErrorCode::rlp_integer_leading_zero);
  if (payload.size() > 32) return fail(ErrorCode::rlp_integer_out_of_range);
  return Uint256::from_be(payload);
}

Result<std::uint64_t> RlpItem::to_u64() const {
  const auto value = to_uint();
  if (!value) return tl::unexpected(value.error());
  if (!value->fits_u64()) return fail(ErrorCode::rlp_integer_out_of_range);
  return value->limb[0];
}

Result<RlpItem> rlp_decode(ByteView encoded) {
  std::size_t count = 0;
  ByteView rest = encoded;
  auto item = read_item(rest, 0, count);
  if (item && !rest.empty()) return fail(ErrorCode::rlp_trailing_bytes);
  return item;
}

void RlpWriter::add(ByteView string) {
  if (string.size() != 1 || string[0] >= 0x80) {
    std::uint8_t prefix[9];
    append(out_, ByteView(prefix, make_prefix(prefix, 0x80, string.size())));
  }
  append(out_, string);
}

void RlpWriter::add(const Uint256& integer) {
  const Bytes32 word = integer.to_be();
  const std::size_t size = (integer.bit_length() + 7) / 8;
  add(ByteView(word).last(size));
}

void RlpWriter::end_list(std::size_t start) {
  std::uint8_t prefix[9];
  const std::size_t size = make_prefix(prefix, 0xc0, out_.size() - start);
  out_.insert(out_.begin() + static_cast<std::ptrdiff_t>(start), prefix, prefix + size);
}

}  // namespace community::core
