// SPDX-License-Identifier: Apache-2.0
// The slots of the process body: whatever stands in the two files, reading ends well, and what is read was written.
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "fuzz/trusted/fuzz.hpp"
#include "trusted/base/sha2.hpp"
#include "trusted/core/state.hpp"
#include "trusted/process/store.hpp"

using namespace community::trusted;
using namespace community::trusted::testing;

namespace {

void put(const std::string& path, ByteView bytes) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::string folder = [] {
    std::string name = (std::filesystem::temp_directory_path() / ("community-slot-" + std::string(6, 'X'))).string();
    if (mkdtemp(name.data()) == nullptr) std::abort();
    return name;
  }();
  Input input({data, size});
  const bool checksummed = (input.byte() & 1) != 0;
  const ByteView first = input.take(input.size16());
  Bytes slots[2] = {to_bytes(first), to_bytes(input.rest())};
  for (Bytes& slot : slots)
    if (checksummed && slot.size() >= 16) append(slot, community::base::sha256(slot));
  put(folder + "/state.0", slots[0]);
  put(folder + "/state.1", slots[1]);
  FileStore store;
  require(store.open(folder) == FileStore::Status::ok, "the store opens");
  Port port;
  store.attach(port);
  Bytes out(kMaxState);
  std::size_t read_size = 0;
  if (!port.store_read(port.context, out, &read_size) || read_size == 0) return 0;
  out.resize(read_size);
  // It stands in one of the files behind its header.
  bool found = false;
  for (const Bytes& slot : slots)
    found = found || (slot.size() >= 16 + read_size &&
                      Bytes(slot.begin() + 16, slot.begin() + 16 + static_cast<std::ptrdiff_t>(read_size)) == out);
  require(found, "what is read stands in a slot");
  return 0;
}
