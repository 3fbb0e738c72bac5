// SPDX-License-Identifier: Apache-2.0
// The two slots of the process body: a write that is cut off at any byte leaves the state of before.
#include "trusted/process/store.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "trusted/core/state.hpp"
#include "trusted/tests/support/enclave.hpp"

namespace community::trusted::testing {
namespace {

class Slots : public ::testing::Test {
 protected:
  // Opens the store anew and reads; nothing when it cannot be read.
  std::optional<Bytes> read() {
    FileStore store;
    if (store.open(folder.path()) != FileStore::Status::ok) return std::nullopt;
    Port port;
    store.attach(port);
    Bytes out(kMaxState);
    std::size_t size = 0;
    if (!port.store_read(port.context, out, &size)) return std::nullopt;
    out.resize(size);
    return out;
  }
  bool write(ByteView state) {
    FileStore store;
    if (store.open(folder.path()) != FileStore::Status::ok) return false;
    Port port;
    store.attach(port);
    Bytes out(kMaxState);
    std::size_t size = 0;
    return port.store_read(port.context, out, &size) && port.store_write(port.context, state);
  }
  std::string slot(int i) const { return folder.path() + "/state." + std::to_string(i); }
  Bytes slot_bytes(int i) const {
    std::ifstream file(slot(i), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void put_slot(int i, ByteView bytes) const {
    std::ofstream file(slot(i), std::ios::binary | std::ios::trunc);
    file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  }
  TemporaryFolder folder;
};

TEST_F(Slots, AnEmptyStoreIsEmpty) { EXPECT_EQ(read(), Bytes{}); }

TEST_F(Slots, TheLatestWriteIsRead) {
  for (int i = 0; i < 5; i++) {
    const Bytes state(100, static_cast<std::uint8_t>(i));
    ASSERT_TRUE(write(state));
    EXPECT_EQ(read(), state);
  }
}

TEST_F(Slots, LargestAndTooLargeStates) {
  const Bytes largest(kMaxState, 7);
  ASSERT_TRUE(write(largest));
  EXPECT_EQ(read(), largest);
  EXPECT_FALSE(write(Bytes(kMaxState + 1, 8)));
  EXPECT_EQ(read(), largest);
  // A shorter state leaves the tail of a longer one behind it in the slot.
  ASSERT_TRUE(write(Bytes(10, 9)));
  ASSERT_TRUE(write(Bytes(11, 10)));
  EXPECT_EQ(read(), Bytes(11, 10));
}

TEST_F(Slots, AWriteCutOffAtAnyByteLeavesTheStateOfBefore) {
  const Bytes first(100, 1), second(120, 2), third(140, 3);
  ASSERT_TRUE(write(first));
  ASSERT_TRUE(write(second));
  const Bytes before = slot_bytes(1);
  ASSERT_TRUE(write(third));
  const Bytes after = slot_bytes(1);
  ASSERT_NE(before, after);
  for (std::size_t cut = 0; cut <= after.size(); cut++) {
    // The first bytes are the new ones, the rest is as it was.
    Bytes torn(after.begin(), after.begin() + static_cast<std::ptrdiff_t>(cut));
    if (torn.size() < before.size())
      torn.insert(torn.end(), before.begin() + static_cast<std::ptrdiff_t>(cut), before.end());
    put_slot(1, torn);
    EXPECT_EQ(read(), torn == after ? third : second) << cut;
    // In the other order: the end reached the disk first.
    Bytes backwards(before.begin(), before.begin() + static_cast<std::ptrdiff_t>(std::min(cut, before.size())));
    backwards.resize(cut);
    backwards.insert(backwards.end(), after.begin() + static_cast<std::ptrdiff_t>(cut), after.end());
    put_slot(1, backwards);
    EXPECT_EQ(read(), backwards == after ? third : second) << cut;
  }
}

TEST_F(Slots, AWriteAfterATornOneGoesToTheSameSlot) {
  ASSERT_TRUE(write(Bytes(100, 1)));
  ASSERT_TRUE(write(Bytes(100, 2)));
  put_slot(1, Bytes(40, 0xee));
  ASSERT_EQ(read(), Bytes(100, 2));
  const Bytes good = slot_bytes(0);
  ASSERT_TRUE(write(Bytes(100, 3)));
  EXPECT_EQ(slot_bytes(0), good);
  EXPECT_EQ(read(), Bytes(100, 3));
}

TEST_F(Slots, AChangeOfAnyByteOfASlotIsNoticed) {
  ASSERT_TRUE(write(Bytes(50, 1)));
  ASSERT_TRUE(write(Bytes(50, 2)));
  const Bytes good = slot_bytes(0);
  for (std::size_t i = 0; i < good.size(); i++) {
    Bytes bad = good;
    bad[i] ^= 1;
    put_slot(0, bad);
    EXPECT_EQ(read(), Bytes(50, 1)) << i;
  }
}

TEST_F(Slots, AFirstWriteThatWasCutOffLeavesAnEmptyStore) {
  ASSERT_TRUE(write(Bytes(50, 1)));
  const Bytes good = slot_bytes(1);
  for (std::size_t cut = 0; cut < good.size(); cut++) {
    put_slot(1, ByteView(good).first(cut));
    EXPECT_EQ(read(), Bytes{}) << cut;
  }
}

TEST_F(Slots, TwoDamagedSlotsAreNoEmptyStore) {
  ASSERT_TRUE(write(Bytes(50, 1)));
  ASSERT_TRUE(write(Bytes(50, 2)));
  put_slot(0, Bytes(10, 0));
  put_slot(1, Bytes(10, 0));
  EXPECT_EQ(read(), std::nullopt);
  EXPECT_FALSE(write(Bytes(50, 3)));
}

TEST_F(Slots, OneProcessAtATime) {
  FileStore first, second;
  ASSERT_EQ(first.open(folder.path()), FileStore::Status::ok);
  EXPECT_EQ(second.open(folder.path()), FileStore::Status::in_use);
}

TEST_F(Slots, TheFolderMustBeClosedToOthers) {
  for (const unsigned mode : {0710u, 0701u, 0755u}) {
    chmod(folder.path().c_str(), mode);
    FileStore store;
    EXPECT_EQ(store.open(folder.path()), FileStore::Status::wrong_owner);
  }
  FileStore store;
  EXPECT_EQ(store.open(folder.path() + "/nothing"), FileStore::Status::cannot_open);
  std::ofstream(folder.path() + "/file") << "x";
  EXPECT_EQ(store.open(folder.path() + "/file"), FileStore::Status::cannot_open);
}

TEST_F(Slots, ASlotThatIsALinkIsNotFollowed) {
  std::filesystem::create_symlink(folder.path() + "/elsewhere", slot(0));
  FileStore store;
  EXPECT_EQ(store.open(folder.path()), FileStore::Status::cannot_open);
}

TEST_F(Slots, NothingIsWrittenBeforeTheFirstRead) {
  FileStore store;
  ASSERT_EQ(store.open(folder.path()), FileStore::Status::ok);
  Port port;
  store.attach(port);
  EXPECT_FALSE(port.store_write(port.context, Bytes(10)));
}

}  // namespace
}  // namespace community::trusted::testing
