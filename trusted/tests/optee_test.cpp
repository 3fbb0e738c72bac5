// SPDX-License-Identifier: Apache-2.0
// The OP-TEE body under attack: disks and flash that are damaged, older or another device's, applications that were
// changed or signed by somebody else, a bridge that lies, and a guest whose root wants to see the secure world.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

#include "trusted/tests/support/optee.hpp"
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
  // The device boots, and its application cannot be opened: the guest says so and ends.
  void expect_refused() {
    EXPECT_EQ(optee.start(), Error::store_failed);
    EXPECT_NE(optee.console().find("the trusted application cannot be opened"), std::string::npos) << optee.console();
  }
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

TEST_F(Optee, AnOlderDiskIsRefused) {
  World world(1, &optee);
  optee.kill();
  const fs::path older = copy_of(optee.device().disk(), "older.img");
  ASSERT_EQ(world.host.start(), Error::ok);
  ASSERT_FALSE(world.make_key(protocol::Purpose::executor, kChain).sealed.empty());
  optee.kill();
  const fs::path current = copy_of(optee.device().disk(), "current.img");
  put_disk(older);
  expect_refused();
  put_disk(current);
  EXPECT_EQ(world.host.start(), Error::ok) << optee.console();
  EXPECT_EQ(world.sign(world.good_userop()).error, Error::ok);
}

TEST_F(Optee, AnEmptyDiskOfAUsedDeviceIsRefused) {
  World world(1, &optee);
  optee.kill();
  const fs::path current = copy_of(optee.device().disk(), "current.img");
  put_disk(optee_image().data());
  expect_refused();
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
  expect_refused();
}

// OP-TEE deletes an object that it finds damaged. The device must not take that for one that never had keys.
TEST_F(Optee, ADamagedStateIsRefusedAndNeverMadeAnew) {
  World world(1, &optee);
  optee.kill();
  damage_largest_object();
  expect_refused();
  expect_refused();
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
  expect_refused();
  optee.use_image(optee_image());
  EXPECT_EQ(world.host.start(), Error::ok) << optee.console();
}

}  // namespace
}  // namespace community::trusted::testing
