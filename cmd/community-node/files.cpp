// SPDX-License-Identifier: Apache-2.0
#include "cmd/community-node/files.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <fstream>
#include <iterator>

namespace community::node {

namespace fs = std::filesystem;

infra::Result<void> make_private_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (!error) fs::permissions(folder, fs::perms::owner_all, error);
  if (error) return infra::fail(infra::ErrorCode::io, "cannot make " + folder.string() + ": " + error.message());
  return {};
}

infra::Result<void> write_private_file(const fs::path& path, core::ByteView bytes) {
  const fs::path temporary = path.string() + ".new";
  const int fd = open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  const bool written =
      fd >= 0 && write(fd, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()) && fsync(fd) == 0;
  if (fd >= 0) close(fd);
  std::error_code error;
  if (written) fs::rename(temporary, path, error);
  if (!written || error) return infra::fail(infra::ErrorCode::io, "cannot write " + path.string());
  const int folder = open(path.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder >= 0) {
    fsync(folder);
    close(folder);
  }
  return {};
}

infra::Result<core::Bytes> read_private_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return infra::fail(infra::ErrorCode::io, "cannot read " + path.string());
  return core::Bytes(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
}

infra::Result<void> lock_folder(const fs::path& folder) {
  const int fd = open((folder / "lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return infra::fail(infra::ErrorCode::io, "cannot write to " + folder.string());
  if (flock(fd, LOCK_EX | LOCK_NB) == 0) return {};
  close(fd);
  return infra::fail(infra::ErrorCode::locked, "another community-node uses " + folder.string() +
                                                   "; stop it, or choose another folder with --data-dir");
}

}  // namespace community::node
