// SPDX-License-Identifier: Apache-2.0
// Geohashes: cells cover the plane once, also at their edges, at the poles and at the meridian 180.
#include "community/core/geohash.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

namespace community::core {
namespace {

template <class T>
std::string why(const Result<T>& result) {
  return result ? "accepted" : std::string(name(result.error().code));
}

std::string encode(double latitude, double longitude, std::size_t chars) {
  return geohash_encode({latitude, longitude}, chars).value();
}

bool holds(const GeoCell& cell, const GeoPoint& point) {
  const bool row = point.latitude >= cell.min_latitude &&
                   (point.latitude < cell.max_latitude || (point.latitude == 90 && cell.max_latitude == 90));
  const bool column = point.longitude >= cell.min_longitude &&
                      (point.longitude < cell.max_longitude || (point.longitude == 180 && cell.max_longitude == 180));
  return row && column;
}

std::string random_hash(std::mt19937_64& random, std::size_t chars) {
  std::string hash(chars, '0');
  for (char& c : hash) c = "0123456789bcdefghjkmnpqrstuvwxyz"[random() % 32];
  return hash;
}

TEST(Geohash, NamesKnownPlaces) {
  EXPECT_EQ(encode(42.605, -5.603, 5), "ezs42");
  EXPECT_EQ(encode(57.64911, 10.40744, 11), "u4pruydqqvj");
  EXPECT_EQ(encode(-25.382708, -49.265506, 8), "6gkzwgjz");
  const GeoCell cell = geohash_decode("ezs42").value();
  EXPECT_EQ(cell.min_latitude, 42.5830078125);
  EXPECT_EQ(cell.max_latitude, 42.626953125);
  EXPECT_EQ(cell.min_longitude, -5.625);
  EXPECT_EQ(cell.max_longitude, -5.5810546875);
}

TEST(Geohash, ACenterNamesItsCellAndEachPrefixHoldsIt) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 20'000; i++) {
    const std::string hash = random_hash(random, 1 + random() % kMaxGeohashChars);
    const GeoPoint center = geohash_decode(hash).value().center();
    ASSERT_EQ(geohash_encode(center, hash.size()).value(), hash);
    for (std::size_t chars = 1; chars < hash.size(); chars++)
      ASSERT_EQ(geohash_encode(center, chars).value(), hash.substr(0, chars));
  }
}

TEST(Geohash, EveryPointIsInTheCellThatItsNameSays) {
  std::mt19937_64 random(2);
  std::uniform_real_distribution<double> latitude(-90, 90), longitude(-180, 180);
  for (int i = 0; i < 20'000; i++) {
    const GeoPoint point{latitude(random), longitude(random)};
    const std::string hash = geohash_encode(point, 1 + random() % kMaxGeohashChars).value();
    ASSERT_TRUE(holds(geohash_decode(hash).value(), point)) << hash << " " << point.latitude << " " << point.longitude;
  }
}

TEST(Geohash, AnEdgeBelongsToTheCellNorthAndEastOfIt) {
  std::mt19937_64 random(3);
  for (int i = 0; i < 20'000; i++) {
    const std::string hash = random_hash(random, 1 + random() % kMaxGeohashChars);
    const std::size_t chars = hash.size();
    const GeoCell cell = geohash_decode(hash).value();
    ASSERT_EQ(encode(cell.min_latitude, cell.min_longitude, chars), hash);
    // The last numbers before the other edges are inside, the edges are not, unless nothing lies behind them.
    ASSERT_EQ(encode(std::nextafter(cell.max_latitude, -91), std::nextafter(cell.max_longitude, -181), chars), hash);
    ASSERT_EQ(encode(cell.max_latitude, cell.min_longitude, chars) == hash, cell.max_latitude == 90);
    ASSERT_EQ(encode(cell.min_latitude, cell.max_longitude, chars) == hash, cell.max_longitude == 180);
    if (cell.min_latitude > -90) {
      ASSERT_NE(encode(std::nextafter(cell.min_latitude, -91), cell.min_longitude, chars), hash);
    }
    if (cell.min_longitude > -180) {
      ASSERT_NE(encode(cell.min_latitude, std::nextafter(cell.min_longitude, -181), chars), hash);
    }
  }
  // The smallest numbers beside zero, which adding 90 would round away.
  const double least = std::numeric_limits<double>::denorm_min();
  EXPECT_EQ(encode(0, 0, 12), "s00000000000");
  EXPECT_EQ(encode(-0.0, -0.0, 12), "s00000000000");
  EXPECT_EQ(encode(least, least, 12), "s00000000000");
  EXPECT_EQ(encode(-least, -least, 12), "7zzzzzzzzzzz");
  EXPECT_EQ(encode(90, 180, 12), "zzzzzzzzzzzz");
  EXPECT_EQ(encode(-90, -180, 12), "000000000000");
  EXPECT_EQ(encode(0, 180, 4), "xbpb");
}

TEST(Geohash, NeighboursTouchAndAreNeighboursOfEachOther) {
  std::mt19937_64 random(4);
  for (int i = 0; i < 3'000; i++) {
    const std::string hash = random_hash(random, 1 + random() % kMaxGeohashChars);
    const GeoCell cell = geohash_decode(hash).value();
    const auto names = geohash_neighbors(hash).value();
    const bool polar = cell.min_latitude == -90 || cell.max_latitude == 90;
    ASSERT_EQ(names.size(), polar ? 5u : 8u) << hash;
    for (const std::string& name : names) {
      ASSERT_EQ(name.size(), hash.size());
      ASSERT_NE(name, hash);
      ASSERT_TRUE(geohash_neighbors(name).value().contains(hash)) << hash << " " << name;
      const GeoCell other = geohash_decode(name).value();
      ASSERT_LE(other.min_latitude, cell.max_latitude);
      ASSERT_GE(other.max_latitude, cell.min_latitude);
      // Degrees eastward from this cell's western edge to the other's: a width either way, or none.
      const double east = std::fmod(other.min_longitude - cell.min_longitude + 720, 360);
      const double width = cell.max_longitude - cell.min_longitude;
      ASSERT_TRUE(east == 0 || east == width || east == 360 - width) << hash << " " << name;
    }
  }
}

TEST(Geohash, NeighboursGoOverTheMeridian180ButNotOverAPole) {
  EXPECT_EQ(geohash_neighbors("ezs42").value(),
            (std::set<std::string>{"ezefp", "ezefr", "ezefx", "ezs40", "ezs41", "ezs43", "ezs48", "ezs49"}));
  EXPECT_EQ(geohash_neighbors("8").value(), (std::set<std::string>{"2", "3", "9", "b", "c", "r", "x", "z"}));
  EXPECT_EQ(geohash_neighbors("z").value(), (std::set<std::string>{"8", "b", "w", "x", "y"}));
  EXPECT_EQ(geohash_neighbors("0").value(), (std::set<std::string>{"1", "2", "3", "p", "r"}));
}

TEST(Geohash, RefusesByName) {
  const double nan = std::numeric_limits<double>::quiet_NaN(), inf = std::numeric_limits<double>::infinity();
  for (const double bad : {nan, inf, -inf, 90.0000001, -90.0000001})
    EXPECT_EQ(why(geohash_encode({bad, 0}, 5)), "geohash_out_of_range");
  for (const double bad : {nan, inf, -inf, std::nextafter(180.0, 181.0), -180.0000001})
    EXPECT_EQ(why(geohash_encode({0, bad}, 5)), "geohash_out_of_range");
  EXPECT_EQ(why(geohash_encode({0, 0}, 0)), "geohash_length");
  EXPECT_EQ(why(geohash_encode({0, 0}, 13)), "geohash_length");
  EXPECT_EQ(why(geohash_decode("")), "geohash_length");
  EXPECT_EQ(why(geohash_decode("0000000000000")), "geohash_length");
  EXPECT_EQ(why(geohash_neighbors("")), "geohash_length");
  for (const std::string_view bad : {"a", "i", "l", "o", "s ", "-5", "s\xc3\xb6", "A", "O"})
    EXPECT_EQ(why(geohash_decode(bad)), "geohash_bad_digit") << bad;
  EXPECT_EQ(why(geohash_neighbors("sa")), "geohash_bad_digit");
  EXPECT_EQ(geohash_neighbors("EZS42").value(), geohash_neighbors("ezs42").value());
}

}  // namespace
}  // namespace community::core
