// SPDX-License-Identifier: Apache-2.0
// The OP-TEE body under attack from its host: disks and flash that are damaged, full, cut, older or another device's,
// and applications that were changed, are older or signed by somebody else. Hostile guests: optee_hostile_test.cpp.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

#include "trusted/tests/support/guest.hpp"
#include "trusted/tests/support/world.hpp"

namespace community::trusted::testing {
namespace {

namespace fs = std::filesystem;

class Optee : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!optee_image().complete()) GTEST_SKIP() << "no OP-TEE image: make optee";
  }
  fs::path copy_of(const fs::path& path, const std::string& name) const {
    const fs::path target = fs::path(optee.folder()) / name;
    fs::copy_file(path, target, fs::copy_options::overwrite_existing);
    return target;
  }
  void put_disk(const fs::path& path) {
    fs::copy_file(path, optee.device().disk(), fs::copy_options::overwrite_existing);
  }
  // The device boots, and its application cannot be opened: the guest says so, with the error, and ends.
  void expect_refused(const std::string& error) {
    EXPECT_EQ(optee.start(), Error::store_failed);
    EXPECT_NE(optee.console().find("the trusted application cannot be opened: " + error), std::string::npos)
        << optee.console() << optee.secure_log();
  }
  // The device works again with everything it had.
  void expect_nothing_lost(World& world) {
    ASSERT_EQ(world.host.start(), Error::ok) << optee.console();
    EXPECT_EQ(world.sign(world.good_userop()).error, Error::ok);
    EXPECT_EQ(world.sign(world.good_transaction()).error, Error::ok);
  }
  fs::path in_folder(const std::string& name) const { return fs::path(optee.folder()) / name; }
  std::string debugfs(const std::string& command, bool writes = false) {
    std::vector<std::string> arguments{"/usr/sbin/debugfs"};
    if (writes) arguments.push_back("-w");
    arguments.insert(arguments.end(), {"-R", command, optee.device().disk().string()});
    return run_program(arguments).output;
  }
  // Flips a byte in the file of secure storage that holds most: the trusted state.
  void damage_largest_object() {
    // What a cut of the power left in the journal is entered first.
    run_program({"/usr/sbin/e2fsck", "-fy", optee.device().disk().string()});
    std::istringstream listing(debugfs("ls -p /tee"));
    std::string name;
    long largest = 0;
    for (std::string line; std::getline(listing, line);) {
      // /inode/mode/uid/gid/name/size/
      std::vector<std::string> fields;
      std::istringstream row(line);
      for (std::string field; std::getline(row, field, '/');) fields.push_back(field);
      if (fields.size() < 7 || fields[5].find_first_not_of("0123456789abcdef") != std::string::npos) continue;
      if (const long size = std::atol(fields[6].c_str()); size > largest) {
        largest = size;
        name = fields[5];
      }
    }
    ASSERT_FALSE(name.empty()) << listing.str();
    const std::string copy = optee.folder() + "/object";
    debugfs("dump /tee/" + name + " " + copy);
    std::fstream file(copy, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(largest - 100);
    const char changed = static_cast<char>(file.get() ^ 1);
    file.seekp(largest - 100);
    file.put(changed);
    file.close();
    debugfs("rm /tee/" + name, true);
    debugfs("write " + copy + " /tee/" + name, true);
  }
  // Flips a byte in the middle of the signed application inside the guest's file system.
  // An application that OP-TEE does not run, in an image that is right otherwise.
  void expect_not_run(World& world, const std::string& part, const std::string& error) {
    if (optee_test_part(part + ".ta").empty()) GTEST_SKIP() << "no hostile applications: tools/optee tests";
    optee.kill();
    optee.use_image(image_with_application(in_folder(part), part));
    expect_refused(error);
    optee.use_image(optee_image());
    expect_nothing_lost(world);
  }
  static void change_application(const fs::path& initramfs) {
    std::fstream file(initramfs, std::ios::in | std::ios::out | std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(file)), {});
    const std::size_t name = bytes.find("lib/optee_armtz/12345678");
    ASSERT_NE(name, std::string::npos);
    const auto place = static_cast<std::streamoff>(name + 200'000);
    file.seekp(place);
    file.put(static_cast<char>(bytes[name + 200'000] ^ 1));
  }
  OpteeDevice optee;
};

// TEE_Result (TEE Internal Core API 1.3, section 3.3.1) and where it came from: 3 is OP-TEE. Whether OP-TEE or the
// application is the first to meet a damaged object depends on which one that is.
constexpr const char* kSecurity = "0xffff000f from 3";
constexpr const char* kOlderVersion = "0xffff0003 from 3";
constexpr const char* kDamaged = "0xf0100001";

TEST_F(Optee, AnOlderDiskIsRefused) {
  World world(1, &optee);
  optee.kill();
  const fs::path older = copy_of(optee.device().disk(), "older.img");
  ASSERT_EQ(world.host.start(), Error::ok);
  ASSERT_FALSE(world.make_key(protocol::Purpose::executor, kChain).sealed.empty());
  optee.kill();
  const fs::path current = copy_of(optee.device().disk(), "current.img");
  put_disk(older);
  expect_refused(kSecurity);
  put_disk(current);
  EXPECT_EQ(world.host.start(), Error::ok) << optee.console();
  EXPECT_EQ(world.sign(world.good_userop()).error, Error::ok);
}

TEST_F(Optee, AnEmptyDiskOfAUsedDeviceIsRefused) {
  World world(1, &optee);
  optee.kill();
  const fs::path current = copy_of(optee.device().disk(), "current.img");
  put_disk(optee_image().data());
  expect_refused(kSecurity);
  put_disk(current);
  EXPECT_EQ(world.host.start(), Error::ok) << optee.console();
}

TEST_F(Optee, AnotherDevicesDiskIsRefused) {
  World world(1, &optee);
  optee.kill();
  OpteeDevice other;
  World stranger(2, &other);
  other.kill();
  put_disk(other.device().disk());
  expect_refused(kDamaged);
}

// OP-TEE deletes an object that it finds damaged. The device must not take that for one that never had keys.
TEST_F(Optee, ADamagedStateIsRefusedAndNeverMadeAnew) {
  World world(1, &optee);
  optee.kill();
  damage_largest_object();
  expect_refused(kDamaged);
  expect_refused(kDamaged);
}

// Nobody is connected: the guest waits, it does not turn in circles.
TEST_F(Optee, WithoutAHostItRests) {
  World world(1, &optee);
  optee.connection().close();
  // A loop would take all of the processor's time, waiting takes a few percent of it.
  wait_some(200'000);
  const double before = optee.cpu_micros();
  wait_some(1'000'000);
  EXPECT_LT(optee.cpu_micros() - before, 500'000);
  ASSERT_TRUE(world.host.reconnect());
  EXPECT_EQ(world.sign(world.good_userop()).error, Error::ok);
}

TEST_F(Optee, AnApplicationWithOneChangedByteIsNotLoaded) {
  World world(1, &optee);
  optee.kill();
  const fs::path image = fs::path(optee.folder()) / "image";
  fs::copy(optee_image().folder, image);
  change_application(image / "initramfs.cpio");
  optee.use_image({image});
  expect_refused(kSecurity);
  optee.use_image(optee_image());
  expect_nothing_lost(world);
}

// The key that comes with OP-TEE's sources is everybody's.
TEST_F(Optee, AnApplicationSignedWithThePublicKeyIsNotLoaded) {
  World world(1, &optee);
  expect_not_run(world, "public-key", kSecurity);
}

TEST_F(Optee, AnApplicationSignedWithAnotherKeyIsNotLoaded) {
  World world(1, &optee);
  expect_not_run(world, "other-key", kSecurity);
}

// Rightly signed, and older than what this device ran before.
TEST_F(Optee, AnOlderApplicationIsNotLoaded) {
  World world(1, &optee);
  expect_not_run(world, "older-version", kOlderVersion);
  if (IsSkipped()) return;
  optee.kill();
  optee.use_image(image_with_application(in_folder("newer"), "newer-version"));
  expect_nothing_lost(world);
  optee.kill();
  optee.use_image(optee_image());
  expect_refused(kOlderVersion);
}

TEST_F(Optee, ATruncatedDiskIsRefused) {
  World world(1, &optee);
  optee.kill();
  const fs::path whole = copy_of(optee.device().disk(), "whole.img");
  for (const std::uintmax_t size : {std::uintmax_t{0}, fs::file_size(whole) - 4096}) {
    fs::resize_file(optee.device().disk(), size);
    EXPECT_EQ(optee.start(), Error::store_failed) << size;
    EXPECT_NE(optee.console().find("tee-bridge: /data: "), std::string::npos) << size << ": " << optee.console();
    put_disk(whole);
  }
  expect_nothing_lost(world);
}

// The host has no room left in the middle of a change. The change fails, everything before it stays, and with room the
// device goes on. (The node reserves the room beforehand; a file system that cannot comes here.)
TEST_F(Optee, AHostWithoutRoomLosesNothing) {
  const fs::path full = in_folder("full");
  optee.use_environment(
      {"LD_PRELOAD=" COMMUNITY_BINARY_DIR "/helpers/full_disk.so", "COMMUNITY_FULL_DISK=" + full.string()});
  World world(1, &optee);
  for (int round = 0; round < 2; round++) {
    const auto before = world.host.status();
    protocol::KeyCreateRequest request;
    const OwnedPath path = world.host.pending_tree.path(world.host.next_leaf());
    request.path = path.view();
    request.purpose = static_cast<std::uint8_t>(protocol::Purpose::executor);
    ASSERT_EQ(world.host.change(Command::key_create, request).error, Error::ok);
    const Bytes32 root = world.host.pending_tree.root();
    std::ofstream(full) << "no room";
    const Error refused = world.host.commit_at(before.epoch + 1, root).error;
    EXPECT_TRUE(refused == Error::store_failed || refused == Error::no_session) << name(refused);
    optee.kill();
    fs::remove(full);
    ASSERT_EQ(world.host.start(), Error::ok) << optee.console();
    EXPECT_EQ(world.host.status().epoch, before.epoch);
    EXPECT_EQ(world.host.status().root, before.root);
    ASSERT_EQ(world.sign(world.good_userop()).error, Error::ok);
    // And a change goes through.
    world.make_key(protocol::Purpose::executor, kChain);
    EXPECT_EQ(world.host.status().epoch, before.epoch + 1);
  }
}

TEST_F(Optee, AnotherDevicesFlashIsRefused) {
  World world(1, &optee);
  optee.kill();
  OpteeDevice other;
  World stranger(2, &other);
  other.kill();
  const fs::path own = copy_of(optee.device().flash(), "own.flash");
  fs::copy_file(other.device().flash(), optee.device().flash(), fs::copy_options::overwrite_existing);
  expect_refused(kDamaged);
  fs::copy_file(own, optee.device().flash(), fs::copy_options::overwrite_existing);
  expect_nothing_lost(world);
}

// Both together are the other device: the host's channel key is not its.
TEST_F(Optee, AnotherDeviceAltogetherDoesNotAnswer) {
  World world(1, &optee);
  optee.kill();
  OpteeDevice other;
  World stranger(2, &other);
  other.kill();
  put_disk(other.device().disk());
  fs::copy_file(other.device().flash(), optee.device().flash(), fs::copy_options::overwrite_existing);
  EXPECT_EQ(world.host.start(), Error::no_session);
}

// Flash that was never a device's, or lost its key: OP-TEE itself does not start.
TEST_F(Optee, FlashWithoutADeviceIsRefused) {
  World world(1, &optee);
  optee.kill();
  const fs::path own = copy_of(optee.device().flash(), "own.flash");
  std::fstream flash(optee.device().flash(), std::ios::in | std::ios::out | std::ios::binary);
  flash.seekp(qemu::kSecretsOffset);
  for (int i = 0; i < 64; i++) flash.put(static_cast<char>(0xff));
  flash.close();
  EXPECT_EQ(optee.start(), Error::store_failed);
  EXPECT_NE(optee.secure_log().find("no device in secure flash"), std::string::npos) << optee.secure_log();
  fs::copy_file(own, optee.device().flash(), fs::copy_options::overwrite_existing);
  expect_nothing_lost(world);
}

// Keys that were made and never used, whose channel key may have been lost on its way, are made anew for whoever asks;
// once they were used, never.
TEST_F(Optee, KeysAreMadeAnewOnlyUntilTheyAreUsed) {
  TestHost host(1, &optee);
  ASSERT_EQ(host.provision(), Error::ok);
  const Bytes32 first = host.channel_key();
  optee.kill();
  ASSERT_EQ(host.start(), Error::ok);
  const auto lost_core = host.status().core_id;
  ASSERT_EQ(host.provision(), Error::ok);
  EXPECT_NE(host.channel_key(), first);
  ASSERT_TRUE(host.reconnect());
  EXPECT_NE(host.status().core_id, lost_core);
  // The power goes, and they are still unused.
  optee.kill();
  ASSERT_EQ(host.provision(), Error::ok);
  ASSERT_TRUE(host.reconnect());
  protocol::KeyCreateRequest request;
  const OwnedPath path = host.pending_tree.path(host.next_leaf());
  request.path = path.view();
  request.purpose = static_cast<std::uint8_t>(protocol::Purpose::executor);
  ASSERT_EQ(host.change(Command::key_create, request).error, Error::ok);
  ASSERT_EQ(host.commit().error, Error::ok);
  const Bytes32 used = host.channel_key();
  for (const bool crash : {false, true}) {
    if (crash) optee.kill();
    EXPECT_EQ(host.provision(), Error::already_provisioned);
    EXPECT_EQ(host.channel_key(), used);
    ASSERT_EQ(host.start(), Error::ok);
    EXPECT_EQ(host.status().epoch, 1u);
  }
}

}  // namespace
}  // namespace community::trusted::testing
