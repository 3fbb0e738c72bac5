// SPDX-License-Identifier: Apache-2.0
#include "trusted/process/store.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "trusted/base/sha2.hpp"
#include "trusted/core/state.hpp"

namespace community::trusted {
namespace {

// "CNS1" | u64 counter | u32 size | state | SHA-256 of all before.
constexpr std::array<std::uint8_t, 4> kMagic{'C', 'N', 'S', '1'};
constexpr std::size_t kSlotHeader = 4 + 8 + 4;
constexpr std::size_t kSlotBytes = kSlotHeader + kMaxState + 32;

bool read_all(int fd, MutableByteView out, std::size_t* size) {
  *size = 0;
  while (*size < out.size()) {
    const ssize_t got = pread(fd, out.data() + *size, out.size() - *size, static_cast<off_t>(*size));
    if (got < 0) return false;
    if (got == 0) break;
    *size += static_cast<std::size_t>(got);
  }
  return true;
}

bool write_all(int fd, ByteView in) {
  std::size_t done = 0;
  while (done < in.size()) {
    const ssize_t put = pwrite(fd, in.data() + done, in.size() - done, static_cast<off_t>(done));
    if (put <= 0) return false;
    done += static_cast<std::size_t>(put);
  }
  return fdatasync(fd) == 0;
}

// The state in a slot's bytes, nothing when the slot is empty or was cut off while it was written.
bool parse_slot(ByteView bytes, std::uint64_t& counter, ByteView& state) {
  if (bytes.size() < kSlotHeader + 32 || !base::equal(bytes.first(4), kMagic)) return false;
  counter = base::load_be<std::uint64_t>(bytes.data() + 4);
  const std::size_t size = base::load_be<std::uint32_t>(bytes.data() + 12);
  if (size > kMaxState || bytes.size() < kSlotHeader + size + 32) return false;
  const ByteView checked = bytes.first(kSlotHeader + size);
  if (!base::equal(base::sha256(checked), bytes.subspan(checked.size(), 32))) return false;
  state = checked.subspan(kSlotHeader);
  return true;
}

}  // namespace

FileStore::~FileStore() {
  for (const int fd : slots_)
    if (fd >= 0) close(fd);
}

FileStore::Status FileStore::open(const std::string& folder) {
  struct stat info {};
  if (stat(folder.c_str(), &info) != 0 || !S_ISDIR(info.st_mode)) return Status::cannot_open;
  if (info.st_uid != geteuid() || (info.st_mode & 077) != 0) return Status::wrong_owner;
  const int folder_fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder_fd < 0) return Status::cannot_open;
  Status status = Status::ok;
  const char* const names[2] = {"state.0", "state.1"};
  for (int i = 0; i < 2 && status == Status::ok; i++) {
    slots_[i] = openat(folder_fd, names[i], O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (slots_[i] < 0) status = Status::cannot_open;
  }
  if (status == Status::ok && flock(slots_[0], LOCK_EX | LOCK_NB) != 0) status = Status::in_use;
  if (status == Status::ok && fsync(folder_fd) != 0) status = Status::cannot_open;
  close(folder_fd);
  return status;
}

void FileStore::attach(Port& port) {
  port.context = this;
  port.store_read = read;
  port.store_write = write;
}

bool FileStore::read(void* context, MutableByteView out, std::size_t* size) {
  auto* self = static_cast<FileStore*>(context);
  *size = 0;
  self->counter_ = 0;
  bool second_write_begun = false;
  for (const int fd : self->slots_) {
    base::Secret<kSlotBytes> bytes;
    std::size_t read_size = 0;
    if (!read_all(fd, bytes.bytes, &read_size)) return false;
    if (fd == self->slots_[0]) second_write_begun = read_size != 0;
    std::uint64_t counter = 0;
    ByteView state;
    if (!parse_slot(ByteView(bytes).first(read_size), counter, state) || counter <= self->counter_) continue;
    if (state.size() > out.size()) return false;
    self->counter_ = counter;
    *size = state.size();
    base::copy(out, state);
  }
  // The first write goes to slot 1, so a power cut may leave it torn with slot 0 empty: nothing was ever stored. Once
  // slot 0 holds anything there was a good state, and losing it must not look like an empty store.
  if (self->counter_ == 0 && second_write_begun) return false;
  self->loaded_ = true;
  return true;
}

bool FileStore::write(void* context, ByteView state) {
  auto* self = static_cast<FileStore*>(context);
  if (!self->loaded_ || state.size() > kMaxState) return false;
  base::Secret<kSlotBytes> bytes;
  const std::uint64_t counter = self->counter_ + 1;
  base::copy(bytes.bytes, kMagic);
  base::store_be(bytes.data() + 4, counter);
  base::store_be(bytes.data() + 12, static_cast<std::uint32_t>(state.size()));
  base::copy(MutableByteView(bytes.bytes).subspan(kSlotHeader), state);
  const std::size_t checked = kSlotHeader + state.size();
  base::copy(MutableByteView(bytes.bytes).subspan(checked), base::sha256(ByteView(bytes).first(checked)));
  // The other slot keeps the latest good state until this write is durable.
  if (!write_all(self->slots_[counter % 2], ByteView(bytes).first(checked + 32))) return false;
  self->counter_ = counter;
  return true;
}

}  // namespace community::trusted
