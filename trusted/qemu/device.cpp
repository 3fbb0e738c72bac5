// SPDX-License-Identifier: Apache-2.0
#include "trusted/qemu/device.hpp"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "trusted/base/bytes.hpp"

namespace community::trusted::qemu {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::uint8_t, 16> kMagic{'C', 'N', '-', 'D', 'E', 'V', 'I', 'C', 'E', '-', '1'};
constexpr std::size_t kPage = 4'096, kChunk = 1 << 20;
// Where TF-A enters the kernel (tools/optee), and a place for the file system that its 32 MiB do not reach.
constexpr std::string_view kKernelAddress = "0x42200000", kInitramfsAddress = "0x44800000";

class File {
 public:
  File(const fs::path& path, int flags) : fd_(::open(path.c_str(), flags | O_CLOEXEC | O_NOFOLLOW, 0600)) {}
  ~File() {
    if (fd_ >= 0) ::close(fd_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  bool open() const { return fd_ >= 0; }
  int fd() const { return fd_; }

  bool write_at(std::size_t offset, base::ByteView bytes) const {
    while (!bytes.empty()) {
      const ssize_t put = ::pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
      if (put < 0 && errno == EINTR) continue;
      if (put <= 0) return false;
      offset += static_cast<std::size_t>(put);
      bytes = bytes.subspan(static_cast<std::size_t>(put));
    }
    return true;
  }
  bool read_at(std::size_t offset, base::MutableByteView bytes) const {
    while (!bytes.empty()) {
      const ssize_t got = ::pread(fd_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return false;
      offset += static_cast<std::size_t>(got);
      bytes = bytes.subspan(static_cast<std::size_t>(got));
    }
    return true;
  }

 private:
  int fd_;
};

tl::unexpected<std::string> failed(const std::string& what, const fs::path& path) {
  return tl::unexpected(what + " " + path.string() + ": " + std::strerror(errno));
}

// Copies without writing the holes: an empty file system is 64 MiB of them and some kilobytes.
Result<void> copy_sparse(const fs::path& from, const fs::path& to) {
  const File source(from, O_RDONLY);
  if (!source.open()) return failed("cannot read", from);
  const File target(to, O_WRONLY | O_CREAT | O_TRUNC);
  std::error_code error;
  const auto size = static_cast<std::size_t>(fs::file_size(from, error));
  if (error || !target.open() || ::ftruncate(target.fd(), static_cast<off_t>(size)) != 0)
    return failed("cannot write", to);
  std::vector<std::uint8_t> chunk(kPage);
  for (std::size_t offset = 0; offset < size; offset += chunk.size()) {
    chunk.resize(std::min(kPage, size - offset));
    if (!source.read_at(offset, chunk)) return failed("cannot read", from);
    if (!base::is_zero(chunk) && !target.write_at(offset, chunk)) return failed("cannot write", to);
  }
  if (::fsync(target.fd()) != 0) return failed("cannot write", to);
  return {};
}

Result<void> write_flash(const fs::path& path) {
  base::Secret<kPage> page;
  std::memset(page.data(), 0xff, kPage);
  base::copy(page.bytes, kMagic);
  const base::MutableByteView secrets = base::MutableByteView(page.bytes).subspan(kMagic.size(), 16 + 32);
  if (getrandom(secrets.data(), secrets.size(), 0) != static_cast<ssize_t>(secrets.size()))
    return tl::unexpected(std::string("the system has no random numbers"));
  // Erased flash is all ones: a counter that was never written.
  std::array<std::uint8_t, kPage> erased;
  erased.fill(0xff);
  const File flash(path, O_WRONLY | O_CREAT | O_TRUNC);
  const bool written = flash.open() && ::ftruncate(flash.fd(), kFlashBytes) == 0 &&
                       flash.write_at(kSecretsOffset, page) && flash.write_at(kCounterOffset, erased) &&
                       ::fsync(flash.fd()) == 0;
  if (!written) return failed("cannot write", path);
  return {};
}

fs::path old_log(const fs::path& log) { return log.string() + ".old"; }

Result<void> sync_folder(const fs::path& folder) {
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool done = fd >= 0 && ::fsync(fd) == 0;
  if (fd >= 0) ::close(fd);
  if (!done) return failed("cannot write", folder);
  return {};
}

}  // namespace

bool Image::complete() const {
  for (const fs::path& path : {firmware(), kernel(), initramfs(), data(), placeholder(), stamp()})
    if (!fs::exists(path)) return false;
  return true;
}

Result<void> Device::create(const Image& image) const {
  if (exists()) return tl::unexpected("there is a device in " + folder_.string() + " already");
  std::error_code error;
  fs::create_directories(folder_, error);
  if (error || ::chmod(folder_.c_str(), 0700) != 0) return failed("cannot make", folder_);
  if (auto copied = copy_sparse(image.data(), disk()); !copied) return copied;
  const fs::path unfinished = folder_ / "device.flash.new";
  if (auto written = write_flash(unfinished); !written) return written;
  fs::rename(unfinished, flash(), error);
  if (error) return failed("cannot make", flash());
  return sync_folder(folder_);
}

Result<void> Device::install_firmware(const Image& image) const {
  const File source(image.firmware(), O_RDONLY), target(flash(), O_RDWR);
  if (!source.open()) return failed("cannot read", image.firmware());
  if (!target.open()) return failed("cannot write", flash());
  std::error_code error;
  const auto size = static_cast<std::size_t>(fs::file_size(image.firmware(), error));
  if (error || size > kFirmwareRoom) return tl::unexpected(image.firmware().string() + " is no firmware of 2 MiB");
  std::vector<std::uint8_t> wanted(size), present(size);
  if (!source.read_at(0, wanted)) return failed("cannot read", image.firmware());
  if (target.read_at(0, present) && base::equal(wanted, present)) return {};
  if (!target.write_at(0, wanted) || ::fsync(target.fd()) != 0) return failed("cannot write", flash());
  return {};
}

Result<void> Device::reserve_disk() const {
  const File file(disk(), O_RDWR);
  struct stat status {};
  if (!file.open() || ::fstat(file.fd(), &status) != 0) return failed("cannot write", disk());
  if (status.st_size == 0 || ::fallocate(file.fd(), FALLOC_FL_KEEP_SIZE, 0, status.st_size) == 0) return {};
  if (errno == EOPNOTSUPP || errno == ENOSYS) return {};
  return failed("there is no room for the disk of the trusted core's device: cannot reserve " +
                    std::to_string(status.st_size >> 20) + " MiB for",
                disk());
}

Result<void> Device::begin_log() const {
  if (::rename(log().c_str(), old_log(log()).c_str()) != 0 && errno != ENOENT) return failed("cannot rename", log());
  return {};
}

Result<void> Device::limit_log() const {
  const File file(log(), O_RDWR);
  struct stat status {};
  if (!file.open()) return errno == ENOENT ? Result<void>{} : failed("cannot write", log());
  if (::fstat(file.fd(), &status) != 0) return failed("cannot read", log());
  if (static_cast<std::size_t>(status.st_size) <= kMaxLog) return {};
  // The newest of it: what was written since the last look may be more than the limit.
  std::vector<std::uint8_t> newest(kMaxLog);
  if (!file.read_at(static_cast<std::size_t>(status.st_size) - kMaxLog, newest)) return failed("cannot read", log());
  const File old(old_log(log()), O_WRONLY | O_CREAT | O_TRUNC);
  if (!old.open() || !old.write_at(0, newest)) return failed("cannot write", old_log(log()));
  if (::ftruncate(file.fd(), 0) != 0) return failed("cannot write", log());
  return {};
}

Result<void> Device::erase() const {
  std::error_code error;
  // The flash first: without its unique key the disk is noise.
  for (const fs::path& path : {flash(), disk(), log(), old_log(log())}) {
    fs::remove(path, error);
    if (error) return tl::unexpected("cannot remove " + path.string() + ": " + error.message());
  }
  return sync_folder(folder_);
}

Result<std::vector<std::string>> Device::arguments(const Image& image, const fs::path& socket) const {
  std::error_code error;
  const auto initramfs = fs::file_size(image.initramfs(), error);
  if (error) return tl::unexpected("cannot read " + image.initramfs().string() + ": " + error.message());
  // In QEMU's option lists a comma inside a value is written twice.
  const auto quoted = [](const fs::path& path) {
    std::string out;
    for (const char c : path.string()) out.append(c == ',' ? 2 : 1, c);
    return out;
  };
  const auto loaded = [&quoted](const fs::path& path, std::string_view at) {
    return "loader,file=" + quoted(path) + ",addr=" + std::string(at) + ",force-raw=on";
  };
  return std::vector<std::string>{
      "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none",
      // What QEMU itself may do on the host.
      "-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny",
      // With SVE or SME on, the first trusted application hangs under this firmware; without "max" there is no
      // FEAT_RNG.
      "-machine", "virt,secure=on,virtualization=off,gic-version=3", "-cpu", "max,pauth-impdef=on,sve=off,sme=off",
      "-smp", "1", "-m", "128", "-accel", "tcg,tb-size=64", "-drive",
      "if=pflash,unit=0,format=raw,file=" + quoted(flash()),
      // With firmware QEMU loads no kernel by itself.
      "-device", loaded(image.kernel(), kKernelAddress), "-device", loaded(image.initramfs(), kInitramfsAddress),
      "-kernel", image.placeholder().string(), "-append",
      "console=ttyAMA0 loglevel=3 panic=-1 initrdmem=" + std::string(kInitramfsAddress) + "," +
          std::to_string(initramfs),
      "-global", "virtio-mmio.force-legacy=false", "-drive",
      // By default a host without room would stop the whole guest; so it is the guest's error, and has a name.
      "if=none,id=disk,format=raw,werror=report,rerror=report,file=" + quoted(disk()), "-device",
      "virtio-blk-device,drive=disk", "-device", "virtio-serial-device", "-chardev",
      "socket,id=frames,server=on,wait=off,path=" + quoted(socket), "-device",
      "virtserialport,chardev=frames,name=org.community-node.trusted-core", "-serial", "stdio", "-chardev",
      "file,id=secure,append=on,path=" + quoted(log()), "-serial", "chardev:secure"};
}

}  // namespace community::trusted::qemu
