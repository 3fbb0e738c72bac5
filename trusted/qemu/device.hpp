// SPDX-License-Identifier: Apache-2.0
// An emulated device for the OP-TEE body: the files that are its flash and its disk, and how QEMU is started on them.
// Emulated means: whoever may read these files, or QEMU's memory, can read every key.
#pragma once
#include <filesystem>
#include <string>
#include <tl/expected.hpp>
#include <vector>

namespace community::trusted::qemu {

// Words for a person; nothing was left half done.
template <class T>
using Result = tl::expected<T, std::string>;

// What `make optee` builds, in one folder.
struct Image {
  std::filesystem::path folder;

  std::filesystem::path firmware() const { return folder / "firmware.bin"; }
  std::filesystem::path kernel() const { return folder / "kernel"; }
  std::filesystem::path initramfs() const { return folder / "initramfs.cpio"; }
  // An empty file system for secure storage.
  std::filesystem::path data() const { return folder / "data.img"; }
  // One byte: QEMU takes a kernel command line only together with a kernel, and the real one is put into memory apart.
  std::filesystem::path placeholder() const { return folder / "placeholder.kernel"; }
  // Made last, so that no half of an image is taken for one.
  std::filesystem::path stamp() const { return folder / "complete"; }
  bool complete() const;
};

// Flash bank 0 of QEMU's machine `virt`. With secure=on only the secure world sees it.
inline constexpr std::size_t kFlashBytes = 64 << 20;
inline constexpr std::size_t kFirmwareRoom = 2 << 20;
// ta/platform/device_secrets.c: magic[16] | unique key[16] | seed[32], and in a sector of its own the counter.
inline constexpr std::size_t kSecretsOffset = 0x200000;
inline constexpr std::size_t kCounterOffset = 0x240000;

// A guest can make the secure world complain as often as it likes.
inline constexpr std::size_t kMaxLog = 1 << 20;

class Device {
 public:
  // `folder` holds flash and disk; its owner alone may enter it.
  explicit Device(std::filesystem::path folder) : folder_(std::move(folder)) {}

  std::filesystem::path flash() const { return folder_ / "device.flash"; }
  std::filesystem::path disk() const { return folder_ / "data.img"; }
  // The flash is written last, so a device whose making was cut off does not exist.
  bool exists() const { return std::filesystem::exists(flash()); }

  // A new device: flash with a fresh unique key, an empty disk. Refuses when there is one already.
  Result<void> create(const Image& image) const;
  // Puts the image's firmware into the flash, where another one stands. The rest of the flash stays as it is.
  Result<void> install_firmware(const Image& image) const;
  // Takes what room the disk still lacks on the host, so that a host that fills up later leaves the device whole. On a
  // file system that cannot, nothing happens.
  Result<void> reserve_disk() const;
  // The secure world's messages, in secure.log of the folder: those of the last start are kept beside it as
  // secure.log.old.
  std::filesystem::path log() const { return folder_ / "secure.log"; }
  Result<void> begin_log() const;
  // Moves them to secure.log.old when they are more than kMaxLog, also while QEMU writes: it always writes at the end.
  Result<void> limit_log() const;
  // Factory reset: flash and disk are gone, and with them every key.
  Result<void> erase() const;

  // Arguments of qemu-system-aarch64: no network, one processor, the frames' port on a unix socket at `socket`, the
  // guest's console on standard output, the secure world's messages in `folder`/secure.log.
  Result<std::vector<std::string>> arguments(const Image& image, const std::filesystem::path& socket) const;

 private:
  std::filesystem::path folder_;
};

// Settings of QEMU's environment ("NAME=value"): what it gives back while it runs goes back to the host. It makes and
// drops tables of up to megabytes as the guest's load changes, and glibc would keep them, each where it was.
inline const std::vector<std::string> kEnvironment{"MALLOC_ARENA_MAX=1", "MALLOC_MMAP_THRESHOLD_=131072",
                                                   "MALLOC_TRIM_THRESHOLD_=262144"};

// The line of the guest's console that says that frames are answered now.
inline constexpr std::string_view kReadyLine = "tee-bridge: ready";

}  // namespace community::trusted::qemu
