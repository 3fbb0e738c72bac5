// SPDX-License-Identifier: Apache-2.0
// The secure store of the process body: two slots in a folder of mode 0700, written in turn. There is no hardware
// behind it: whoever controls the host can put an older copy back, and nobody can tell.
#pragma once
#include <string>

#include "trusted/port/port.hpp"

namespace community::trusted {

class FileStore {
 public:
  enum class Status { ok, cannot_open, in_use, wrong_owner };

  FileStore() = default;
  FileStore(const FileStore&) = delete;
  FileStore& operator=(const FileStore&) = delete;
  ~FileStore();

  // Opens (and makes, when missing) both slots and locks them against a second process. All files are opened here, so
  // that a sandbox may forbid opening any later.
  Status open(const std::string& folder);

  // Lets the port read and write this store.
  void attach(Port& port);

  int slot(int i) const { return slots_[i]; }

 private:
  static bool read(void* self, MutableByteView out, std::size_t* size);
  static bool write(void* self, ByteView state);

  int slots_[2] = {-1, -1};
  // Number of the latest write; the slot is its parity. Known after the first read.
  std::uint64_t counter_ = 0;
  bool loaded_ = false;
};

}  // namespace community::trusted
