// SPDX-License-Identifier: Apache-2.0
// Files that survive a crash, and the lock that keeps two nodes off one data directory.
#pragma once
#include <filesystem>
#include <memory>

#include "community/infra/api/error.hpp"

namespace community::infra {

// Creates the directory (and its parents) with mode 0700; an existing one must be ours and closed to others.
Result<void> ensure_private_directory(const std::filesystem::path& path);

// Replaces the file as a whole: written beside it with mode 0600, synced, renamed, directory synced. After a crash
// either the old or the new content is there.
Result<void> write_file_atomically(const std::filesystem::path& path, std::string_view content);

// Makes what was created, renamed or removed in the directory outlive a power cut.
Result<void> sync_directory(const std::filesystem::path& path);

// too_large beyond `max_bytes`; io when it cannot be read.
Result<std::string> read_file(const std::filesystem::path& path, std::size_t max_bytes);

// Held as long as the object lives, and freed by the kernel when the process dies in any way.
class DirectoryLock {
 public:
  // locked, with the process that holds it, when another node uses the directory.
  static Result<DirectoryLock> take(const std::filesystem::path& directory);
  DirectoryLock(DirectoryLock&& other) noexcept;
  DirectoryLock& operator=(DirectoryLock&&) = delete;
  ~DirectoryLock();

 private:
  explicit DirectoryLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

}  // namespace community::infra
