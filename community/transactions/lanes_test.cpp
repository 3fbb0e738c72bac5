// SPDX-License-Identifier: Apache-2.0
// Nonces against a model of an EntryPoint: whatever order things happen in, no two operations that are alive have one
// nonce, unless one replaces the other, and a gap is told exactly where one is.
#include "community/transactions/lanes.hpp"

#include <gtest/gtest.h>

#include <random>

namespace community::transactions {
namespace {

const LaneBook::Account kAccount{1, Address{1}};
const auto kNobody = [](std::uint64_t) { return false; };

TEST(Lanes, AreTakenFromTheFirst) {
  LaneBook book;
  EXPECT_EQ(book.reserve(kAccount, "a", 100, 0, kNobody), 0u);
  EXPECT_EQ(book.reserve(kAccount, "b", 100, 0, kNobody), 1u);
  book.hold(kAccount, "b");
  // What was only prepared is over with its time; what was signed is not.
  EXPECT_EQ(book.reserve(kAccount, "c", 300, 200, kNobody), 0u);
  EXPECT_EQ(book.reserve(kAccount, "d", 300, 200, kNobody), 2u);
  book.release(kAccount, "b");
  EXPECT_EQ(book.reserve(kAccount, "e", 300, 200, kNobody), 1u);
  const LaneBook::Account other{2, Address{1}};
  EXPECT_EQ(book.reserve(other, "f", 300, 200, kNobody), 0u) << "another chain has other nonces";
}

TEST(Lanes, LeaveAloneWhatOthersUse) {
  LaneBook book;
  EXPECT_EQ(book.reserve(kAccount, "a", 100, 0, [](std::uint64_t lane) { return lane < 3; }), 3u);
  EXPECT_EQ(book.reserve(kAccount, "b", 100, 0, [](std::uint64_t) { return true; }), std::nullopt);
  book.release(kAccount, "a");
  EXPECT_EQ(book.accounts(), 0u) << "what nobody uses takes no memory";
}

TEST(Lanes, EndSomewhere) {
  LaneBook book;
  for (std::size_t i = 0; i < kMaxLanes; i++) {
    const std::string id = std::to_string(i);
    ASSERT_EQ(book.reserve(kAccount, id, 100, 0, kNobody), i);
    book.hold(kAccount, id);
  }
  EXPECT_EQ(book.reserve(kAccount, "one more", 100, 0, kNobody), std::nullopt);
}

TEST(Lanes, AReplacementSharesItsPlace) {
  LaneBook book;
  ASSERT_EQ(book.reserve(kAccount, "old", 100, 0, kNobody), 0u);
  book.hold(kAccount, "old");
  book.share(kAccount, "new", 0, 100);
  book.release(kAccount, "old");
  EXPECT_FALSE(book.is_free(kAccount, 0, 50));
  EXPECT_TRUE(book.is_free(kAccount, 0, 150)) << "never signed, and its time is over";
}

TEST(Nonces, AreReadAsKeyAndSequence) {
  Uint256 nonce(7);
  nonce.limb[1] = 3;
  const auto place = place_of(nonce);
  ASSERT_TRUE(place);
  EXPECT_EQ(place->lane, 3u);
  EXPECT_EQ(place->sequence, 7u);
  nonce.limb[1] = kMaxLanes;
  EXPECT_FALSE(place_of(nonce));
  EXPECT_FALSE(place_of(Uint256::max()));
}

TEST(Nonces, GapsAreFoundAsACountByHandFindsThem) {
  std::mt19937_64 random(20'260'101);
  for (int round = 0; round < 20'000; round++) {
    const std::uint64_t next = random() % 6, sequence = random() % 12;
    std::set<std::uint64_t> live;
    for (std::uint64_t i = random() % 8; i > 0; i--) live.insert(random() % 12);
    std::uint64_t missing = 0;
    for (std::uint64_t n = next; n < sequence; n++) missing += live.contains(n) ? 0 : 1;
    EXPECT_EQ(missing_before(next, live, sequence), missing);
    const Standing standing = standing_of(next, live, sequence);
    EXPECT_EQ(standing == Standing::past, sequence < next);
    EXPECT_EQ(standing == Standing::next, sequence == next);
    EXPECT_EQ(standing == Standing::gap, sequence > next && missing > 0);
    EXPECT_EQ(standing == Standing::behind, sequence > next && missing == 0);
  }
}

// An account's operations in a model of chain and person: prepared, signed, replaced, included, dropped, expired.
class Model {
 public:
  explicit Model(std::uint64_t seed) : random_(seed) {}

  void step() {
    now_ += static_cast<std::int64_t>(random_() % 20);
    switch (random_() % 6) {
      case 0:
      case 1:
        prepare();
        break;
      case 2:
        sign();
        break;
      case 3:
        replace();
        break;
      case 4:
        end(true);
        break;
      default:
        end(false);
    }
    check();
  }
  std::size_t prepared_count() const { return prepared_count_; }

 private:
  struct Operation {
    std::uint64_t lane = 0, sequence = 0;
    std::int64_t until = 0;
    bool is_signed = false;
    std::string replaces;
  };

  std::string new_id() { return std::to_string(ids_++); }
  bool is_alive(const Operation& operation) const { return operation.is_signed || operation.until > now_; }

  void prepare() {
    const std::string id = new_id();
    const auto lane = book_.reserve(kAccount, id, now_ + 50, now_, kNobody);
    std::set<std::uint64_t> taken;
    for (const auto& [other, operation] : operations_)
      if (is_alive(operation)) taken.insert(operation.lane);
    if (!lane) {
      EXPECT_EQ(taken.size(), kMaxLanes);
      return;
    }
    for (std::uint64_t lower = 0; lower < *lane; lower++) EXPECT_TRUE(taken.contains(lower)) << "not the first one";
    operations_[id] = {*lane, next_[*lane], now_ + 50, false, {}};
    prepared_count_++;
  }
  std::string any(bool is_signed) {
    std::vector<std::string> found;
    for (const auto& [id, operation] : operations_)
      if (operation.is_signed == is_signed && is_alive(operation)) found.push_back(id);
    return found.empty() ? "" : found[random_() % found.size()];
  }
  void sign() {
    const std::string id = any(false);
    if (id.empty()) return;
    operations_[id].is_signed = true;
    book_.hold(kAccount, id);
    const std::string old = operations_[id].replaces;
    if (old.empty()) return;
    book_.release(kAccount, old);
    operations_.erase(old);
    drop_replacements_of(old);
  }
  // What was to replace something that is gone has nothing to replace any more: signing it is refused.
  void drop_replacements_of(const std::string& old) {
    for (auto it = operations_.begin(); it != operations_.end();) {
      const bool is_void = it->second.replaces == old && !it->second.is_signed;
      if (is_void) book_.release(kAccount, it->first);
      it = is_void ? operations_.erase(it) : std::next(it);
    }
  }
  void replace() {
    const std::string old = any(true);
    if (old.empty()) return;
    const std::string id = new_id();
    operations_[id] = {operations_[old].lane, operations_[old].sequence, now_ + 50, false, old};
    book_.share(kAccount, id, operations_[old].lane, now_ + 50);
  }
  void end(bool is_included) {
    const std::string id = any(true);
    if (id.empty()) return;
    if (is_included) next_[operations_[id].lane]++;
    book_.release(kAccount, id);
    operations_.erase(id);
    drop_replacements_of(id);
  }
  void check() {
    std::map<std::pair<std::uint64_t, std::uint64_t>, std::string> signed_places;
    for (const auto& [id, operation] : operations_) {
      if (!is_alive(operation)) continue;
      EXPECT_FALSE(book_.is_free(kAccount, operation.lane, now_)) << "a lane with something alive is taken";
      if (!operation.is_signed) continue;
      EXPECT_TRUE(signed_places.emplace(std::pair(operation.lane, operation.sequence), id).second) << "one nonce twice";
      EXPECT_EQ(standing_of(next_[operation.lane], {operation.sequence}, operation.sequence), Standing::next);
    }
  }

  std::mt19937_64 random_;
  LaneBook book_;
  std::map<std::string, Operation> operations_;
  std::map<std::uint64_t, std::uint64_t> next_;
  std::int64_t now_ = 0;
  std::uint64_t ids_ = 0;
  std::size_t prepared_count_ = 0;
};

TEST(Nonces, ALaneRemembersWhatComesNext) {
  LaneBook book;
  const LaneBook::Account account{1, {}}, elsewhere{2, {}};
  EXPECT_FALSE(book.likely_next(account, 0));
  book.note_next(account, {0, 5});
  book.note_next(account, {1, 2});
  book.note_next(account, {0, 6});
  book.note_next(account, {kMaxLanes, 1});
  EXPECT_EQ(book.likely_next(account, 0), 6u);
  EXPECT_EQ(book.likely_next(account, 1), 2u);
  EXPECT_FALSE(book.likely_next(account, kMaxLanes)) << "no lane of ours";
  EXPECT_FALSE(book.likely_next(elsewhere, 0));
}

TEST(Nonces, NoTwoOperationsMeetInAnyOrderOfThings) {
  const char* given = std::getenv("COMMUNITY_TEST_SEED");
  const std::uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : 4'337;
  SCOPED_TRACE("COMMUNITY_TEST_SEED=" + std::to_string(seed));
  std::size_t prepared = 0;
  for (std::uint64_t world = 0; world < 40; world++) {
    Model model(seed + world);
    for (int i = 0; i < 1'000; i++) model.step();
    prepared += model.prepared_count();
    if (testing::Test::HasFailure()) break;
  }
  EXPECT_GT(prepared, 1'000u);
}

}  // namespace
}  // namespace community::transactions
