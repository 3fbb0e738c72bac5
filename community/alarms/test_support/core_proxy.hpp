// SPDX-License-Identifier: Apache-2.0
// A socket between node and trusted core that cuts the connection at one frame: the node then is where a kill -9 at
// that moment would have left it, and the core has, or has not, done its part.
#pragma once
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <stdexcept>
#include <thread>

#include "community/core/bytes.hpp"
#include "trusted/protocol/frame.hpp"

namespace community::alarms {

class CoreProxy {
 public:
  CoreProxy(std::string path, std::string core) : core_(std::move(core)) {
    listener_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_un address = address_of(path);
    if (::bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(listener_, 4) != 0 || ::pipe2(stop_, O_CLOEXEC) != 0)
      throw std::runtime_error("the proxy does not listen");
    thread_ = std::thread([this] { run(); });
  }
  ~CoreProxy() {
    ::close(stop_[1]);
    thread_.join();
    ::close(stop_[0]);
    ::close(listener_);
  }
  CoreProxy(const CoreProxy&) = delete;
  CoreProxy& operator=(const CoreProxy&) = delete;

  // The next frame of this command (with protocol::kReplyBit for an answer) is not passed on, and ends the connection.
  void cut_at(std::uint16_t command) { cut_at_ = command; }
  bool has_cut() const { return has_cut_; }

 private:
  static sockaddr_un address_of(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    return address;
  }

  void run() {
    for (;;) {
      pollfd waiting[] = {{listener_, POLLIN, 0}, {stop_[0], POLLIN, 0}};
      ::poll(waiting, 2, -1);
      if (waiting[1].revents != 0) return;
      const int node = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      const int core = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
      const sockaddr_un address = address_of(core_);
      if (::connect(core, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) pass_on(node, core);
      ::close(core);
      ::close(node);
    }
  }

  void pass_on(int node, int core) {
    core::Bytes from_node, from_core;
    for (;;) {
      pollfd waiting[] = {{node, POLLIN, 0}, {core, POLLIN, 0}, {stop_[0], POLLIN, 0}};
      ::poll(waiting, 3, -1);
      if (waiting[2].revents != 0) return;
      if (waiting[0].revents != 0 && !move_frames(node, core, from_node)) return;
      if (waiting[1].revents != 0 && !move_frames(core, node, from_core)) return;
    }
  }

  // False when the connection is over.
  bool move_frames(int from, int to, core::Bytes& held) {
    std::array<std::uint8_t, 65'536> chunk{};
    const ssize_t got = ::read(from, chunk.data(), chunk.size());
    if (got <= 0) return false;
    held.insert(held.end(), chunk.begin(), chunk.begin() + got);
    for (;;) {
      const std::size_t size = protocol::frame_size(held);
      if (size == 0 || size > held.size()) return true;
      const auto command = base::load_be<std::uint16_t>(held.data() + 6);
      if (command == cut_at_) {
        cut_at_ = 0;
        has_cut_ = true;
        return false;
      }
      if (::send(to, held.data(), size, MSG_NOSIGNAL) != static_cast<ssize_t>(size)) return false;
      held.erase(held.begin(), held.begin() + static_cast<std::ptrdiff_t>(size));
    }
  }

  std::string core_;
  int listener_ = -1;
  int stop_[2]{};
  std::atomic<std::uint16_t> cut_at_{0};
  std::atomic<bool> has_cut_{false};
  std::thread thread_;
};

}  // namespace community::alarms
