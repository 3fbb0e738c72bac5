// SPDX-License-Identifier: Apache-2.0
#include "trusted/process/server.hpp"

#include <poll.h>
#include <sys/auxv.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

namespace community::trusted {
namespace {

// Room for two replies: one frame is handled while the one before it is still being sent.
constexpr std::size_t kOutput = 2 * protocol::kMaxReplyFrame;

class Connection {
 public:
  bool open() const { return fd_ >= 0; }
  // The peer holds the channel key. A hello alone does not show it, since an old one can be repeated; a frame under the
  // keys of this session does.
  bool proven() const { return session_.established && session_.received > 1 && !session_.closed; }
  int fd() const { return fd_; }
  std::uint64_t age() const { return age_; }

  void start(int fd, std::uint64_t age) {
    fd_ = fd;
    age_ = age;
    session_ = {};
    in_size_ = out_begin_ = out_end_ = 0;
  }

  void stop(Core& core) {
    core.end(session_);
    close(fd_);
    fd_ = -1;
    base::wipe(in_.data(), in_size_);
  }

  short events() const {
    const bool wants_input = !session_.closed && in_size_ < in_.size();
    return static_cast<short>((wants_input ? POLLIN : 0) | (out_end_ > out_begin_ ? POLLOUT : 0));
  }

  // Reads what is there, answers what is whole, sends what the socket takes. False when the connection is over.
  bool work(Core& core) {
    if (!receive()) return false;
    do {
      answer(core);
      if (!send_output()) return false;
      // What was sent made room for further answers to frames that are here already.
    } while (ready_frame() && out_end_ == 0 && !session_.closed);
    return !(session_.closed && out_end_ == 0);
  }

 private:
  bool receive() {
    while (in_size_ < in_.size()) {
      const ssize_t got = recv(fd_, in_.data() + in_size_, in_.size() - in_size_, MSG_DONTWAIT);
      if (got == 0) return false;
      if (got < 0) return errno == EAGAIN || errno == EINTR;
      in_size_ += static_cast<std::size_t>(got);
    }
    return true;
  }

  bool ready_frame() const {
    const std::size_t size = protocol::frame_size(ByteView(in_).first(in_size_));
    return size != 0 && size <= in_size_;
  }

  void answer(Core& core) {
    std::size_t used = 0;
    while (!session_.closed && out_.size() - out_end_ >= protocol::kMaxReplyFrame) {
      const ByteView rest = ByteView(in_).subspan(used, in_size_ - used);
      const std::size_t size = protocol::frame_size(rest);
      if (size > protocol::kMaxFrame) session_.closed = true;
      if (size == 0 || size > rest.size()) break;
      const ByteView reply = core.handle(session_, rest.first(size), MutableByteView(out_).subspan(out_end_));
      out_end_ += reply.size();
      used += size;
    }
    std::memmove(in_.data(), in_.data() + used, in_size_ - used);
    in_size_ -= used;
  }

  bool send_output() {
    while (out_begin_ < out_end_) {
      const ssize_t put = send(fd_, out_.data() + out_begin_, out_end_ - out_begin_, MSG_DONTWAIT | MSG_NOSIGNAL);
      if (put < 0) return errno == EAGAIN || errno == EINTR;
      out_begin_ += static_cast<std::size_t>(put);
    }
    out_begin_ = out_end_ = 0;
    return true;
  }

  int fd_ = -1;
  std::uint64_t age_ = 0;
  Session session_;
  std::size_t in_size_ = 0, out_begin_ = 0, out_end_ = 0;
  std::array<std::uint8_t, protocol::kMaxFrame> in_{};
  std::array<std::uint8_t, kOutput> out_{};
};

// A place for a new connection: a free one, else the oldest that never proved the channel key.
Connection* find_place(std::array<Connection, kMaxConnections>& connections) {
  Connection* place = nullptr;
  for (Connection& connection : connections) {
    if (!connection.open()) return &connection;
    if (!connection.proven() && (place == nullptr || connection.age() < place->age())) place = &connection;
  }
  return place;
}

void accept_one(Core& core, int listener, std::array<Connection, kMaxConnections>& connections, std::uint64_t age) {
  const int fd = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (fd < 0) return;
  ucred peer{};
  socklen_t size = sizeof peer;
  // From the auxiliary vector: the sandbox does not let the process ask the kernel.
  const auto own_user = static_cast<uid_t>(getauxval(AT_EUID));
  const bool same_user =
      getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && (peer.uid == own_user || peer.uid == 0);
  Connection* place = same_user ? find_place(connections) : nullptr;
  if (place == nullptr) {
    close(fd);
    return;
  }
  if (place->open()) place->stop(core);
  place->start(fd, age);
}

}  // namespace

int listen_on(const char* path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (std::strlen(path) >= sizeof address.sun_path) return -1;
  std::memcpy(address.sun_path, path, std::strlen(path) + 1);
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return -1;
  // The store's lock has shown that no other core runs on this folder, so a socket there is a left-over. Anything else
  // that stands at a mistyped path stays.
  struct stat existing {};
  if (lstat(path, &existing) == 0 && S_ISSOCK(existing.st_mode)) unlink(path);
  const mode_t mask = umask(0177);
  const bool bound = bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  umask(mask);
  if (!bound || listen(fd, kMaxConnections) != 0) {
    close(fd);
    return -1;
  }
  return fd;
}

bool serve(Core& core, int listener, const volatile bool* stop) {
  static std::array<Connection, kMaxConnections> connections;
  std::uint64_t age = 0;
  // Signals arrive only while the server waits: one between the look at `*stop` and the wait would be lost otherwise.
  sigset_t held, waiting;
  sigemptyset(&held);
  sigaddset(&held, SIGTERM);
  sigaddset(&held, SIGINT);
  if (sigprocmask(SIG_BLOCK, &held, &waiting) != 0) return false;
  sigdelset(&waiting, SIGTERM);
  sigdelset(&waiting, SIGINT);
  while (!*stop && core.ready()) {
    std::array<pollfd, kMaxConnections + 1> polled{};
    polled[0] = {listener, POLLIN, 0};
    for (std::size_t i = 0; i < connections.size(); i++)
      polled[i + 1] = {connections[i].fd(), connections[i].open() ? connections[i].events() : short{0}, 0};
    if (ppoll(polled.data(), polled.size(), nullptr, &waiting) < 0) {
      if (errno == EINTR) continue;
      return false;
    }
    for (std::size_t i = 0; i < connections.size(); i++) {
      Connection& connection = connections[i];
      if (!connection.open() || polled[i + 1].revents == 0) continue;
      if (!connection.work(core)) connection.stop(core);
    }
    if ((polled[0].revents & POLLIN) != 0) accept_one(core, listener, connections, ++age);
  }
  for (Connection& connection : connections)
    if (connection.open()) connection.stop(core);
  return true;
}

}  // namespace community::trusted
