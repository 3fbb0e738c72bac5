// SPDX-License-Identifier: Apache-2.0
// Geohashes: cells of the WGS 84 latitude-longitude plane, named by halving longitude and latitude in turn and writing
// five halvings a character. A longer name lies inside the cell of each of its prefixes, which is what regional content
// is found by. Names are those of Niemeyer's geohash.org: digits and lower-case letters without a, i, l, o.
#pragma once
#include <set>

#include "community/core/bytes.hpp"

namespace community::core {

// 60 halvings: a cell of about 3.7 cm by 1.9 cm at the equator, and numbers of 30 bits for each direction.
inline constexpr std::size_t kMaxGeohashChars = 12;

// Degrees: latitude from -90 (south) to 90, longitude from -180 (west) to 180.
struct GeoPoint {
  double latitude = 0;
  double longitude = 0;
};

// A cell holds its southern and western edges and not the others; the northernmost cells hold the pole, the easternmost
// the meridian 180, so that every point of the plane is in exactly one cell of each length. All edges are multiples of
// 45 / 2^28 degrees, which a double holds exactly.
struct GeoCell {
  double min_latitude = 0;
  double max_latitude = 0;
  double min_longitude = 0;
  double max_longitude = 0;

  GeoPoint center() const;
};

// The cell of `chars` characters (1 to 12) that holds the point, exact also beside an edge: geohash_length,
// geohash_out_of_range (also for what is not a number).
Result<std::string> geohash_encode(const GeoPoint& point, std::size_t chars);
// Upper-case letters are read as lower-case ones, as geohash.org does: geohash_length, geohash_bad_digit.
Result<GeoCell> geohash_decode(std::string_view hash);
// The cells of the same length that share an edge or a corner with this one: eight, over the meridian 180 too; five in
// the rows beside a pole, because there is no cell behind it. Lower case. Errors as in geohash_decode.
Result<std::set<std::string>> geohash_neighbors(std::string_view hash);

}  // namespace community::core
