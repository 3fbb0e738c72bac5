// SPDX-License-Identifier: Apache-2.0
// POSIX files with their errors in words.
#include "community/infra/api/files.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace community::infra {
namespace {

tl::unexpected<Error> failed(std::string_view what, const std::filesystem::path& path) {
  return fail(ErrorCode::io, std::string(what) + " " + path.string() + ": " + std::strerror(errno));
}

class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return value_; }
  int release() { return std::exchange(value_, -1); }

 private:
  int value_;
};

bool write_all(int descriptor, std::string_view content) {
  while (!content.empty()) {
    const ssize_t written = ::write(descriptor, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

}  // namespace

Result<void> ensure_private_directory(const std::filesystem::path& path) {
  std::error_code error;
  if (const auto parent = path.parent_path(); !parent.empty()) std::filesystem::create_directories(parent, error);
  if (::mkdir(path.c_str(), S_IRWXU) == 0) return {};
  if (errno != EEXIST) return failed("cannot create", path);
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return failed("cannot look at", path);
  if (!S_ISDIR(status.st_mode)) return fail(ErrorCode::io, path.string() + " is not a directory");
  if (status.st_uid != ::geteuid()) return fail(ErrorCode::io, path.string() + " belongs to another user");
  if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0)
    return fail(ErrorCode::io, path.string() + " is open to other users: chmod 700 it");
  return {};
}

Result<void> sync_directory(const std::filesystem::path& path) {
  const Descriptor directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.get() < 0 || ::fsync(directory.get()) != 0) return failed("cannot sync", path);
  return {};
}

Result<void> write_file_atomically(const std::filesystem::path& path, std::string_view content) {
  std::string temporary = path.string() + "." + std::string(6, 'X');
  const Descriptor file(::mkostemp(temporary.data(), O_CLOEXEC));
  if (file.get() < 0) return failed("cannot create a file beside", path);
  if (!write_all(file.get(), content) || ::fsync(file.get()) != 0 || ::rename(temporary.c_str(), path.c_str()) != 0) {
    auto error = failed("cannot write", path);
    ::unlink(temporary.c_str());
    return error;
  }
  return sync_directory(path.has_parent_path() ? path.parent_path() : std::filesystem::path("."));
}

Result<std::string> read_file(const std::filesystem::path& path, std::size_t max_bytes) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return failed("cannot open", path);
  std::string content;
  char buffer[16'384];
  for (;;) {
    const ssize_t got = ::read(file.get(), buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failed("cannot read", path);
    if (got == 0) return content;
    content.append(buffer, static_cast<std::size_t>(got));
    if (content.size() > max_bytes)
      return fail(ErrorCode::too_large, path.string() + " is larger than " + std::to_string(max_bytes) + " bytes");
  }
}

Result<DirectoryLock> DirectoryLock::take(const std::filesystem::path& directory) {
  const auto path = directory / "lock";
  Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR));
  if (file.get() < 0) return failed("cannot open", path);
  if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return failed("cannot lock", path);
    char holder[32] = {};
    const ssize_t size = ::pread(file.get(), holder, sizeof holder - 1, 0);
    std::string words = directory.string() + " is used by another node";
    if (size > 0) words += " (process " + std::string(holder, static_cast<std::size_t>(size)) + ")";
    return fail(ErrorCode::locked, words);
  }
  // For the message above only; the lock is the kernel's.
  if (::ftruncate(file.get(), 0) != 0 || !write_all(file.get(), std::to_string(::getpid())))
    return failed("cannot write", path);
  return DirectoryLock(file.release());
}

DirectoryLock::DirectoryLock(DirectoryLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
DirectoryLock::~DirectoryLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace community::infra
