// SPDX-License-Identifier: Apache-2.0
// The development chain's state file. anvil writes it in place each second, so one that is killed may leave it torn,
// and then never starts from it again. A complete copy beside it costs the chain a second of blocks at most.
#pragma once
#include <filesystem>
#include <string_view>

namespace community::devnet {

// Whether the text is one JSON object from its first brace to its last: what a torn file is not.
bool is_whole_json_object(std::string_view text);

class ChainStateFile {
 public:
  explicit ChainStateFile(std::filesystem::path file);

  const std::filesystem::path& path() const { return file_; }
  // Copies the file when it is whole and has changed since the last copy. Call it more often than anvil writes.
  void keep_copy();
  // Before a start: puts the copy back when the file is torn. True when it did.
  bool repair();

 private:
  std::filesystem::path file_, copy_;
  std::filesystem::file_time_type copied_{};
};

}  // namespace community::devnet
