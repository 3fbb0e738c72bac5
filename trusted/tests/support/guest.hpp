// SPDX-License-Identifier: Apache-2.0
// An emulated device whose guest is hostile: its first process is ta/tests/test_guest.c and does what the test orders.
#pragma once
#include <map>
#include <optional>
#include <set>

#include "trusted/tests/support/optee.hpp"

namespace community::trusted::testing {

// What `tools/optee tests` built: hostile applications, and the guest's first process. Empty when there is none.
std::filesystem::path optee_test_part(const std::string& name);

// A copy of `image` in `folder` whose guest has other files: path in the guest to contents. The archive is appended to
// the guest's own, as the kernel allows (Documentation/driver-api/early-userspace/buffer-format.rst); what comes later
// stands.
qemu::Image changed_image(const qemu::Image& image, const std::filesystem::path& folder,
                          const std::map<std::string, std::string>& files);
// The image with another application in the place of ours.
qemu::Image image_with_application(const std::filesystem::path& folder, const std::string& part);

std::string file_contents(const std::filesystem::path& path);

// A parameter of a GlobalPlatform client call: of a value its halves; of memory `a` is the size that is told, `b` 1 for
// no memory at all, and `bytes` what stands in it.
struct GuestParameter {
  std::uint32_t a = 0, b = 0;
  Bytes bytes;
};
struct GuestResult {
  // TEEC_Result and its origin (TEE Client API Specification 1.0, sections 4.4.2 and 4.4.3)
  std::uint32_t result = 0, origin = 0;
  std::uint32_t session = 0;
  std::array<GuestParameter, 4> parameters;
};

class HostileGuest : public OpteeDevice {
 public:
  // "orders" or "victim", as the top of ta/tests/test_guest.c says; `application` names a part, empty: the image's own.
  explicit HostileGuest(const std::string& mode, const std::string& application = "");
  static bool exists();

  GuestResult open_session(std::uint32_t types = 0, const std::array<GuestParameter, 4>& parameters = {});
  void close_session(std::uint32_t session);
  void close_all_sessions();
  GuestResult invoke(std::uint32_t session, std::uint32_t command, std::uint32_t types,
                     const std::array<GuestParameter, 4>& parameters);
  // A call as tee-bridge makes it: bytes to the application; its answers, bytes taken and whether the connection is
  // over.
  struct Answered {
    std::uint32_t result = 0, taken = 0;
    bool closed = false;
    Bytes answers;
  };
  Answered frames(std::uint32_t session, ByteView bytes);
  // Maps pages of physical memory and touches a word of each. Of each page: 0, 1 when it could not be mapped, else the
  // number of the signal.
  enum class Touch : std::uint32_t { read, read_write_and_read_back, write };
  Bytes touch_memory(std::uint64_t address, std::uint32_t pages, Touch how);

 protected:
  // Sends one order of the letter and gives its answer.
  Bytes order(char letter, ByteView fields);

 private:
  std::set<std::uint32_t> sessions_;
};

// tee-bridge as a board runs it, behind its unix socket, and a client of that socket in the same guest.
class BoardDevice : public HostileGuest {
 public:
  BoardDevice() : HostileGuest("orders", "board") {}

  Error start() override;
  Error stop(bool clean) override;
  void crash() override;
  bool connect() override;
  bool send(ByteView frame) override;
  Bytes receive() override;
  bool wait_for_end() override;

  // Starts tee-bridge anew, with OP-TEE and the application going on.
  void restart_bridge();
  // Permissions of the socket.
  std::uint32_t socket_mode() const { return socket_mode_; }
  // Another client of the socket; its number, nothing when it is not let in.
  std::optional<std::uint32_t> connect_stranger();

 private:
  void start_bridge();

  std::optional<std::uint32_t> connection_;
  std::uint32_t bridge_ = 0, socket_mode_ = 0;
  bool ended_ = false;
};

}  // namespace community::trusted::testing
