// SPDX-License-Identifier: Apache-2.0
// Factory reset: the keys of a data folder, in whatever body, are gone for good. A mark stands from before the first
// file is removed until after the last, so that nothing that is half erased is ever taken for keys.
#include "community/bodies/factory.hpp"
#include "community/bodies/launcher.hpp"
#include "community/infra/api/files.hpp"

namespace community::bodies {

namespace fs = std::filesystem;

namespace {

constexpr const char* kMark = "erasing";
// Words of the mark: whether the database goes too.
constexpr std::string_view kKeys = "keys", kKeysAndDatabase = "keys and database";

infra::Result<void> remove_path(const fs::path& path) {
  std::error_code error;
  fs::remove_all(path, error);
  if (error) return infra::fail(infra::ErrorCode::io, "cannot remove " + path.string() + ": " + error.message());
  return {};
}

infra::Result<void> erase_marked(const Places& places, const fs::path& database) {
  // What the keys rest on first: without the device's unique key, or the core's state, the rest is noise.
  for (const protocol::Body body : {protocol::Body::optee_qemu, protocol::Body::process}) {
    const auto launcher = make_launcher(body, places);
    if (!launcher->exists()) continue;
    if (auto erased = launcher->erase(); !erased) return erased;
  }
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(places.folder, error)) {
    if (entry.path().filename() == kMark) continue;
    if (auto removed = remove_path(entry.path()); !removed) return removed;
  }
  if (error) return infra::fail(infra::ErrorCode::io, "cannot read " + places.folder.string());
  if (!database.empty())
    for (const char* suffix : {"", "-wal", "-shm"})
      if (auto removed = remove_path(database.string() + suffix); !removed) return removed;
  for (const fs::path& folder : {places.folder, database.empty() ? places.folder : database.parent_path()})
    if (auto synced = infra::sync_directory(folder); !synced) return synced;
  if (auto removed = remove_path(places.folder / kMark); !removed) return removed;
  return infra::sync_directory(places.folder);
}

}  // namespace

infra::Result<void> erase_keys(const Places& places, const fs::path& database, bool with_database) {
  const std::string_view words = with_database ? kKeysAndDatabase : kKeys;
  if (auto marked = infra::write_file_atomically(places.folder / kMark, words); !marked) return marked;
  return erase_marked(places, with_database ? database : fs::path());
}

infra::Result<bool> finish_erasing(const Places& places, const fs::path& database) {
  std::error_code ignored;
  if (!fs::exists(places.folder / kMark, ignored)) return false;
  const auto words = infra::read_file(places.folder / kMark, kKeysAndDatabase.size());
  if (!words) return tl::unexpected(words.error());
  if (auto erased = erase_marked(places, *words == kKeysAndDatabase ? database : fs::path()); !erased)
    return tl::unexpected(erased.error());
  return true;
}

}  // namespace community::bodies
