// SPDX-License-Identifier: Apache-2.0
// A cell is a pair of whole numbers, row and column counted from the south-western corner, and the number of bits of
// each; a name is these bits in turn, longitude first.
#include "community/core/geohash.hpp"

#include <cmath>

namespace community::core {

namespace {

constexpr std::string_view kDigits = "0123456789bcdefghjkmnpqrstuvwxyz";
constexpr double kLatitudeSpan = 180, kLongitudeSpan = 360;

struct Cell {
  std::size_t chars = 0;
  std::uint32_t row = 0;
  std::uint32_t column = 0;

  // Longitude is halved first and has the odd bit.
  int column_bits() const { return static_cast<int>((chars * 5 + 1) / 2); }
  int row_bits() const { return static_cast<int>(chars * 5 / 2); }
};

// The edge before number `index` of 2^bits equal parts of [-span / 2, span / 2]. Exact: the spans are 45 times a power
// of two, so the product has at most 36 significant bits, and so has the difference.
double edge(std::uint32_t index, int bits, double span) { return std::ldexp(span * index, -bits) - span / 2; }

// The part that holds `value`, which lies in the span. Rounding may put the first guess beside the right one; the edges
// are exact, so comparing with them is what decides.
std::uint32_t part_of(double value, int bits, double span) {
  const auto last = static_cast<std::uint32_t>((std::uint64_t{1} << bits) - 1);
  const double guess = std::floor(std::ldexp((value + span / 2) / span, bits));
  auto index = static_cast<std::uint32_t>(std::min(guess, static_cast<double>(last)));
  while (index > 0 && value < edge(index, bits, span)) index--;
  while (index < last && value >= edge(index + 1, bits, span)) index++;
  return index;
}

std::string name_of(const Cell& cell) {
  std::string name(cell.chars, '0');
  int column_bit = cell.column_bits(), row_bit = cell.row_bits();
  bool longitude = true;
  for (char& digit : name) {
    unsigned value = 0;
    for (int i = 0; i < 5; i++, longitude = !longitude)
      value = value << 1 | (longitude ? cell.column >> --column_bit & 1 : cell.row >> --row_bit & 1);
    digit = kDigits[value];
  }
  return name;
}

Result<Cell> parse(std::string_view hash) {
  if (hash.empty() || hash.size() > kMaxGeohashChars) return fail(ErrorCode::geohash_length);
  Cell cell{hash.size(), 0, 0};
  bool longitude = true;
  for (const char c : hash) {
    const char lower = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    const std::size_t value = kDigits.find(lower);
    if (value == std::string_view::npos) return fail(ErrorCode::geohash_bad_digit);
    for (int bit = 4; bit >= 0; bit--, longitude = !longitude) {
      std::uint32_t& number = longitude ? cell.column : cell.row;
      number = number << 1 | static_cast<std::uint32_t>(value >> bit & 1);
    }
  }
  return cell;
}

}  // namespace

GeoPoint GeoCell::center() const { return {(min_latitude + max_latitude) / 2, (min_longitude + max_longitude) / 2}; }

Result<std::string> geohash_encode(const GeoPoint& point, std::size_t chars) {
  if (chars == 0 || chars > kMaxGeohashChars) return fail(ErrorCode::geohash_length);
  // Written so that what is not a number is outside, too.
  if (!(std::abs(point.latitude) <= kLatitudeSpan / 2)) return fail(ErrorCode::geohash_out_of_range, "latitude");
  if (!(std::abs(point.longitude) <= kLongitudeSpan / 2)) return fail(ErrorCode::geohash_out_of_range, "longitude");
  Cell cell{chars, 0, 0};
  cell.row = part_of(point.latitude, cell.row_bits(), kLatitudeSpan);
  cell.column = part_of(point.longitude, cell.column_bits(), kLongitudeSpan);
  return name_of(cell);
}

Result<GeoCell> geohash_decode(std::string_view hash) {
  const auto cell = parse(hash);
  if (!cell) return tl::unexpected(cell.error());
  return GeoCell{edge(cell->row, cell->row_bits(), kLatitudeSpan), edge(cell->row + 1, cell->row_bits(), kLatitudeSpan),
                 edge(cell->column, cell->column_bits(), kLongitudeSpan),
                 edge(cell->column + 1, cell->column_bits(), kLongitudeSpan)};
}

Result<std::set<std::string>> geohash_neighbors(std::string_view hash) {
  const auto cell = parse(hash);
  if (!cell) return tl::unexpected(cell.error());
  const std::int64_t rows = std::int64_t{1} << cell->row_bits(), columns = std::int64_t{1} << cell->column_bits();
  std::set<std::string> names;
  for (const std::int64_t north : {-1, 0, 1})
    for (const std::int64_t east : {-1, 0, 1}) {
      const std::int64_t row = cell->row + north, column = (cell->column + east + columns) % columns;
      if (row < 0 || row >= rows || (north == 0 && east == 0)) continue;
      names.insert(name_of({cell->chars, static_cast<std::uint32_t>(row), static_cast<std::uint32_t>(column)}));
    }
  return names;
}

}  // namespace community::core
