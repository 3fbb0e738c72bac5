// SPDX-License-Identifier: Apache-2.0
// Which body a node takes, and the process body through its supervisor. The OP-TEE body through the same supervisor is
// tests/optee.
#include <gtest/gtest.h>

#include <sys/stat.h>

#include <fstream>

#include "community/bodies/factory.hpp"
#include "community/bodies/optee_launcher.hpp"
#include "community/infra/api/files.hpp"
#include "community/infra/factory.hpp"
#include "community/infra/fake/temporary_directory.hpp"
#include "community/infra/fake/test_database.hpp"
#include "community/keys/factory.hpp"

namespace community::bodies {
namespace {

namespace fs = std::filesystem;
using protocol::Body;

class Choosing : public ::testing::Test {
 protected:
  Choosing() {
    places.folder = folder.path() / "keys";
    fs::create_directories(places.folder);
    places.key_enclave = folder.path() / "key-enclave";
    places.optee_image = folder.path() / "image";
    places.qemu = folder.path() / "qemu";
    places.tee_bridge = folder.path() / "tee-bridge";
    places.tee_device = folder.path() / "tee0";
  }
  void program(const fs::path& path) {
    touch(path);
    fs::permissions(path, fs::perms::owner_all);
  }
  static void touch(const fs::path& path) {
    fs::create_directories(path.parent_path());
    std::ofstream(path) << "";
  }
  void image() {
    for (const char* part : {"firmware.bin", "kernel", "initramfs.cpio", "data.img", "placeholder.kernel", "complete"})
      touch(places.optee_image / part);
  }
  Body taken(const std::string& wanted) {
    const auto choice = choose(wanted, places);
    EXPECT_TRUE(choice) << choice.error().text();
    return choice ? choice->body : Body{};
  }
  std::string refusal(const std::string& wanted) {
    const auto choice = choose(wanted, places);
    EXPECT_FALSE(choice);
    return choice ? "" : choice.error().message;
  }

  infra::TemporaryDirectory folder;
  Places places;
};

TEST_F(Choosing, AutoTakesTheStrongestThatCanRun) {
  EXPECT_NE(refusal("auto").find("no body of the trusted core can run here"), std::string::npos);
  program(places.key_enclave);
  EXPECT_EQ(taken("auto"), Body::process);
  EXPECT_EQ(choose("auto", places)->weaker_because.size(), 2u);
  image();
  EXPECT_EQ(taken("auto"), Body::process);
  program(places.qemu);
  EXPECT_EQ(taken("auto"), Body::optee_qemu);
  touch(places.tee_device);
  EXPECT_EQ(taken("auto"), Body::optee_qemu);
  program(places.tee_bridge);
  EXPECT_EQ(taken("auto"), Body::optee_device);
  EXPECT_TRUE(choose("auto", places)->weaker_because.empty());
}

TEST_F(Choosing, ANamedBodyIsTakenOrRefusedWithWhatItLacks) {
  program(places.key_enclave);
  EXPECT_EQ(taken("process"), Body::process);
  EXPECT_NE(refusal("optee-qemu").find("make optee"), std::string::npos);
  EXPECT_NE(refusal("optee-device").find("no TEE driver"), std::string::npos);
}

TEST_F(Choosing, KeysDoNotMoveBetweenBodies) {
  program(places.key_enclave);
  fs::create_directories(places.folder / "core");
  touch(places.folder / "channel.key");
  image();
  program(places.qemu);
  EXPECT_EQ(taken("auto"), Body::process);
  EXPECT_NE(refusal("optee-qemu").find("keys do not move between bodies"), std::string::npos);
  // The body that has the keys cannot run any more: nothing weaker or stronger takes its place.
  fs::remove(places.key_enclave);
  EXPECT_NE(refusal("auto").find("cannot run here"), std::string::npos);
}

class EmulatedDevice : public ::testing::Test {
 protected:
  EmulatedDevice() {
    places.folder = folder.path() / "keys";
    fs::create_directories(places.folder / "device");
  }
  std::string contents(const fs::path& path) const { return *infra::read_file(path, 16 << 20); }

  infra::TemporaryDirectory folder;
  Places places;
  trusted::qemu::Device device{folder.path() / "keys/device"};
};

// Whatever a hostile guest makes the secure world say, there are two files of at most a mebibyte.
TEST_F(EmulatedDevice, ItsLogHasALimit) {
  QemuLauncher launcher(places);
  launcher.tidy();
  std::ofstream(device.log()) << std::string(trusted::qemu::kMaxLog, 'a');
  launcher.tidy();
  EXPECT_EQ(fs::file_size(device.log()), trusted::qemu::kMaxLog);
  std::ofstream(device.log(), std::ios::app) << "the end";
  launcher.tidy();
  EXPECT_EQ(fs::file_size(device.log()), 0u);
  const std::string old = contents(device.log().string() + ".old");
  EXPECT_EQ(old.size(), trusted::qemu::kMaxLog);
  EXPECT_EQ(old.substr(old.size() - 7), "the end");
}

TEST_F(EmulatedDevice, TheLogOfTheLastStartIsKept) {
  ASSERT_TRUE(device.begin_log());
  std::ofstream(device.log()) << "before";
  ASSERT_TRUE(device.begin_log());
  EXPECT_FALSE(fs::exists(device.log()));
  EXPECT_EQ(contents(device.log().string() + ".old"), "before");
}

// Room on the host is taken before the device runs, so that it cannot be missing in the middle of a change.
TEST_F(EmulatedDevice, ItsDiskIsReservedWhole) {
  constexpr std::size_t kSize = 8 << 20;
  { std::ofstream disk(device.disk()); }
  fs::resize_file(device.disk(), kSize);
  struct stat before {
  }, after{};
  ASSERT_EQ(stat(device.disk().c_str(), &before), 0);
  ASSERT_TRUE(device.reserve_disk());
  ASSERT_EQ(stat(device.disk().c_str(), &after), 0);
  EXPECT_LT(static_cast<std::size_t>(before.st_blocks) * 512, kSize);
  EXPECT_GE(static_cast<std::size_t>(after.st_blocks) * 512, kSize);
  EXPECT_EQ(static_cast<std::size_t>(after.st_size), kSize);
}

TEST_F(EmulatedDevice, WhatItEndsWithIsExplained) {
  const QemuLauncher launcher(places);
  const auto says = [&launcher](std::string_view line, std::string_view words) {
    return launcher.advice(line).find(words) != std::string::npos;
  };
  constexpr std::string_view kCannot = "tee-bridge: the trusted application cannot be opened: ";
  EXPECT_TRUE(says(std::string(kCannot) + "0xffff000f from 3", "signed with another key"));
  EXPECT_TRUE(says(std::string(kCannot) + "0xffff0003 from 3", "newer version"));
  EXPECT_TRUE(says(std::string(kCannot) + "0xf0100001 from 4", "another device's"));
  EXPECT_TRUE(says("tee-bridge: /data: Invalid argument", "cannot be mounted"));
  EXPECT_TRUE(says("", "secure.log"));
  EXPECT_EQ(launcher.advice("qemu-system-aarch64: out of memory"), "");
  EXPECT_TRUE(BoardLauncher(places).advice(std::string(kCannot) + "0xffff000f from 3").find("signed") !=
              std::string::npos);
}

class Supervised : public ::testing::Test {
 protected:
  Supervised() {
    places.folder = folder.path() / "keys";
    EXPECT_TRUE(infra::ensure_private_directory(places.folder));
    places.key_enclave = fs::path(COMMUNITY_BINARY_DIR) / "bin/key-enclave";
    database = std::move(*infra::Database::open(place.options(), {keys::key_migrations()}));
    service = keys::make_key_service({*database, *random});
  }
  // The outcome of making keys.
  infra::Result<bool> provision() {
    Supervisor body(loop, Body::process, places, *service, {});
    std::array<std::uint8_t, 64> operator_key{};
    operator_key[0] = 1;
    return loop.block_on(body.provision(operator_key, [](const std::string&) {}));
  }

  infra::TemporaryDirectory folder;
  Places places;
  infra::EventLoop loop;
  std::unique_ptr<infra::Random> random = infra::make_system_random();
  infra::TestDatabase place;
  std::unique_ptr<infra::Database> database;
  std::unique_ptr<keys::ConnectedKeyService> service;
};

TEST_F(Supervised, MakesKeysOnce) {
  const auto first = provision();
  ASSERT_TRUE(first) << first.error().text();
  EXPECT_TRUE(*first);
  EXPECT_TRUE(fs::exists(places.folder / "channel.key"));
  EXPECT_FALSE(fs::exists(places.folder / "provisioning"));
  const auto second = provision();
  ASSERT_TRUE(second) << second.error().text();
  EXPECT_FALSE(*second);
}

TEST_F(Supervised, AnAttemptThatWasCutOffIsMadeAnew) {
  ASSERT_TRUE(provision());
  // As if the power had gone before channel.key was written.
  fs::remove(places.folder / "channel.key");
  std::ofstream(places.folder / "provisioning") << "keys are being made";
  const auto again = provision();
  ASSERT_TRUE(again) << again.error().text();
  EXPECT_TRUE(*again);
}

TEST_F(Supervised, AMarkThatOutlivedItsPurposeGoesAtTheNextStart) {
  ASSERT_TRUE(provision());
  // The power went between channel.key and the removal of the mark.
  std::ofstream(places.folder / "provisioning") << "keys are being made";
  ASSERT_TRUE(provision());
  EXPECT_FALSE(fs::exists(places.folder / "provisioning"));
}

TEST_F(Supervised, LeftoversOfAnotherBodyAreCleared) {
  // A first start on an emulated device that was cut off, then another body.
  fs::create_directories(places.folder / "device");
  std::ofstream(places.folder / "device/device.flash") << "half a device";
  std::ofstream(places.folder / "provisioning") << "keys are being made";
  ASSERT_TRUE(provision());
  EXPECT_FALSE(fs::exists(places.folder / "device/device.flash"));
  EXPECT_EQ(present_body(places), Body::process);
}

TEST_F(Supervised, KeysOfAnotherBodyWithoutTheirChannelKeyStay) {
  fs::create_directories(places.folder / "device");
  std::ofstream(places.folder / "device/device.flash") << "somebody's device";
  const auto refused = provision();
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("optee-qemu"), std::string::npos) << refused.error().message;
  EXPECT_TRUE(fs::exists(places.folder / "device/device.flash"));
}

TEST_F(Supervised, KeysWithoutTheirChannelKeyAreNotThrownAway) {
  ASSERT_TRUE(provision());
  fs::remove(places.folder / "channel.key");
  const auto state = infra::read_file(places.folder / "core/state.0", 1 << 20);
  const auto refused = provision();
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("channel.key is missing"), std::string::npos);
  EXPECT_EQ(*infra::read_file(places.folder / "core/state.0", 1 << 20), *state);
}

// A program that ends at once is told at once, in its own words.
TEST_F(Supervised, ABodyThatCannotStartIsNotWaitedFor) {
  ASSERT_TRUE(provision());
  fs::permissions(places.folder / "core", fs::perms::owner_all | fs::perms::group_read);
  Supervisor body(loop, Body::process, places, *service, {});
  const auto begin = std::chrono::steady_clock::now();
  const auto attached = loop.block_on(body.attach());
  ASSERT_FALSE(attached);
  EXPECT_NE(attached.error().message.find("0700"), std::string::npos) << attached.error().message;
  EXPECT_LT(std::chrono::steady_clock::now() - begin, body.start_patience());
}

TEST_F(Supervised, ServesAndStops) {
  ASSERT_TRUE(provision());
  Supervisor body(loop, Body::process, places, *service, {});
  const auto job = [&]() -> infra::Task<std::string> {
    infra::TaskGroup tasks(loop.executor());
    std::string ended;
    tasks.spawn([](Supervisor& supervisor, std::string& reason) -> infra::Task<void> {
      reason = co_await supervisor.run();
    }(body, ended));
    EXPECT_TRUE(co_await service->connected().wait_for(body.start_patience()));
    const auto status = co_await service->status();
    EXPECT_TRUE(status);
    EXPECT_TRUE(status && status->body == Body::process);
    EXPECT_TRUE(body.trouble().empty());
    co_await body.stop();
    co_await tasks.join();
    co_return ended;
  };
  EXPECT_EQ(loop.block_on(job()), "stopped");
}

TEST_F(Supervised, AResetErasesKeysInWhateverBodyAndNothingElse) {
  ASSERT_TRUE(provision());
  fs::create_directories(places.folder / "device");
  std::ofstream(places.folder / "device/device.flash") << "a device";
  const fs::path rows = places.folder.parent_path() / "reset.db";
  std::ofstream(rows) << "records";
  const auto erased = erase_keys(places, rows, false);
  ASSERT_TRUE(erased) << erased.error().text();
  EXPECT_TRUE(fs::is_empty(places.folder));
  EXPECT_TRUE(fs::exists(rows));
  EXPECT_EQ(present_body(places), std::nullopt);
  EXPECT_FALSE(finish_erasing(places, rows).value()) << "nothing is left to finish";
  ASSERT_TRUE(provision()) << "and a new core may be made";
  ASSERT_TRUE(erase_keys(places, rows, true));
  EXPECT_FALSE(fs::exists(rows));
}

// A kill leaves the mark and any part of the rest, as each of these removals may have been the last.
TEST_F(Supervised, AResetThatWasCutOffIsFinishedByTheNextStart) {
  const fs::path rows = places.folder.parent_path() / "reset.db";
  for (const char* gone : {"", "core", "channel.key", "body"}) {
    for (const char* words : {"keys", "keys and database"}) {
      ASSERT_TRUE(provision());
      std::ofstream(rows) << "records";
      if (*gone != 0) fs::remove_all(places.folder / gone);
      std::ofstream(places.folder / "erasing") << words;
      const auto finished = finish_erasing(places, rows);
      ASSERT_TRUE(finished && *finished) << gone;
      EXPECT_TRUE(fs::is_empty(places.folder)) << gone;
      EXPECT_EQ(fs::exists(rows), std::string_view(words) == "keys") << gone;
    }
  }
}

}  // namespace
}  // namespace community::bodies
