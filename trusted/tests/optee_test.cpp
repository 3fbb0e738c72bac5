// SPDX-License-Identifier: Apache-2.0
// The OP-TEE body under attack: disks and flash that are damaged, older or another device's, applications that were
// changed or signed by somebody else, a bridge that lies, and a guest whose root wants to see the secure world.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

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
  fs::copy_file(older, optee.device().disk(), fs::copy_options::overwrite_existing);
  EXPECT_EQ(optee.start(), Error::store_failed) << optee.console();
  fs::copy_file(current, optee.device().disk(), fs::copy_options::overwrite_existing);
  EXPECT_EQ(world.host.start(), Error::ok) << optee.console();
  EXPECT_EQ(world.sign(world.good_userop()).error, Error::ok);
}

TEST_F(Optee, AnEmptyDiskOfAUsedDeviceIsRefused) {
  World world(1, &optee);
  optee.kill();
  fs::copy_file(optee_image().data(), optee.device().disk(), fs::copy_options::overwrite_existing);
  EXPECT_EQ(optee.start(), Error::store_failed) << optee.console();
}

}  // namespace
}  // namespace community::trusted::testing
