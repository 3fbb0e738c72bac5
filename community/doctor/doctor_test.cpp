// SPDX-License-Identifier: Apache-2.0
// What the doctor says, on made-up machines.
#include "community/doctor/api/doctor.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fstream>

namespace community::doctor {
namespace {

namespace fs = std::filesystem;

class DeadChain final : public chain::ExecutionClient {
 public:
  infra::Task<chain::ChainResult<boost::json::value>> request(chain::ChainCall, chain::ChainCallOptions) override {
    co_return chain::chain_fail(chain::ChainErrorKind::transport, "connection refused");
  }
  infra::Task<chain::ChainResult<std::vector<chain::ChainResult<boost::json::value>>>> batch(
      std::vector<chain::ChainCall>, chain::ChainCallOptions) override {
    co_return chain::chain_fail(chain::ChainErrorKind::transport, "connection refused");
  }
};

class DoctorTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "doctor-XXXXXX").string();
    root_ = mkdtemp(pattern.data());
    touch("bin/key-enclave");
    fs::permissions(root_ / "bin/key-enclave", fs::perms::owner_all);
    touch("contracts.json");
    input_.root = root_;
    input_.data_dir = root_ / "data";
    input_.places.folder = root_ / "data/keys";
    input_.places.key_enclave = root_ / "bin/key-enclave";
    input_.places.optee_image = root_ / "image";
    input_.places.qemu = root_ / "bin/qemu";
    input_.places.tee_device = root_ / "dev/tee0";
    input_.places.tee_bridge = root_ / "bin/tee-bridge";
    input_.contracts = root_ / "contracts.json";
    input_.chain_url = "http://127.0.0.1:1";
    input_.development = true;
    input_.version = "test";
  }
  void TearDown() override { fs::remove_all(root_); }

  void touch(const fs::path& path, const std::string& text = {}) {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text;
  }

  std::vector<Finding> look() {
    infra::EventLoop loop;
    return loop.block_on(examine(input_, chain_));
  }

  static Finding about(const std::vector<Finding>& findings, const std::string& subject) {
    for (const Finding& finding : findings)
      if (finding.subject == subject) return finding;
    ADD_FAILURE() << "nothing about " << subject;
    return {};
  }

  fs::path root_;
  Input input_;
  DeadChain chain_;
};

TEST_F(DoctorTest, ABareMachineCanRunTheDevelopmentNode) {
  const auto findings = look();
  EXPECT_TRUE(could_run(findings)) << to_text(findings);
  EXPECT_NE(about(findings, "trusted core").words.find("without hardware protection"), std::string::npos);
  EXPECT_EQ(about(findings, "hardware").level, Level::good);
}

TEST_F(DoctorTest, HardwareIsFoundByDeviceAndByFlag) {
  EXPECT_FALSE(find_hardware(root_).sgx);
  touch("dev/tee0");
  touch("dev/tpmrm0");
  touch("dev/kvm");
  touch("proc/cpuinfo", "processor : 0\nflags\t\t: fpu sgx sev_es\n");
  const Hardware found = find_hardware(root_);
  EXPECT_TRUE(found.op_tee && found.tpm && found.kvm && found.sgx);
  EXPECT_FALSE(found.sev || found.tdx);
  EXPECT_EQ(about(look(), "hardware").level, Level::note);
}

TEST_F(DoctorTest, WhatIsMissingIsAProblemWithARemedy) {
  fs::remove(root_ / "bin/key-enclave");
  fs::remove(root_ / "contracts.json");
  input_.development = false;
  const auto findings = look();
  EXPECT_FALSE(could_run(findings));
  for (const char* subject : {"trusted core", "contracts", "chain"})
    EXPECT_EQ(about(findings, subject).level, Level::problem) << subject;
  EXPECT_NE(about(findings, "contracts").words.find("make contracts"), std::string::npos);
}

TEST_F(DoctorTest, AFileInTheWayOfTheDataFolderIsAProblem) {
  touch("data");
  input_.data_dir = root_ / "data/node";
  EXPECT_EQ(about(look(), "data").level, Level::problem);
}

TEST_F(DoctorTest, ABodyThatCannotRunHereIsAProblem) {
  input_.body = "optee-device";
  EXPECT_EQ(about(look(), "trusted core").level, Level::problem);
}

TEST_F(DoctorTest, EachStrongerBodyIsNamedWithWhatItLacks) {
  std::string text = to_text(look());
  EXPECT_NE(text.find("optee-device: this machine has no TEE driver"), std::string::npos) << text;
  EXPECT_NE(text.find("build it with make optee"), std::string::npos) << text;
  for (const char* part : {"firmware.bin", "kernel", "initramfs.cpio", "data.img", "placeholder.kernel", "complete"})
    touch(fs::path("image") / part);
  touch("bin/qemu");
  fs::permissions(root_ / "bin/qemu", fs::perms::owner_all);
  text = to_text(look());
  EXPECT_NE(text.find("'optee-qemu' would be taken"), std::string::npos) << text;
  EXPECT_NE(text.find("in an emulator"), std::string::npos) << text;
  EXPECT_EQ(text.find("protected"), std::string::npos) << text;
}

TEST_F(DoctorTest, ATakenPortIsAProblem) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ASSERT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(listen(fd, 1), 0);
  ASSERT_EQ(getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size), 0);
  const std::string port = std::to_string(ntohs(address.sin_port));
  input_.binds = {"localhost:" + port};
  EXPECT_EQ(about(look(), "port " + port).level, Level::problem);
  close(fd);
  EXPECT_EQ(about(look(), "port " + port).level, Level::good);
}

TEST_F(DoctorTest, ADamagedDatabaseIsAProblem) {
  touch("data/node.db", std::string(8'192, 'x'));
  EXPECT_EQ(about(look(), "database").level, Level::problem);
}

TEST_F(DoctorTest, NoBackupAndAnUnreadableOneAreTold) {
  EXPECT_EQ(about(look(), "backup").level, Level::note);
  EXPECT_NE(about(look(), "backup").words.find("docs/backup.md"), std::string::npos);
  touch("data/backup/backup.json", "{}");
  const Finding damaged = about(look(), "backup");
  EXPECT_EQ(damaged.level, Level::note);
  EXPECT_NE(damaged.words.find("document_member_missing"), std::string::npos) << damaged.words;
  EXPECT_TRUE(could_run(look()));
}

}  // namespace
}  // namespace community::doctor
