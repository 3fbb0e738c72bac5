// SPDX-License-Identifier: Apache-2.0
#include "community/devnet/api/chain_state.hpp"

#include <optional>

#include "community/infra/api/files.hpp"
#include "community/infra/api/log.hpp"

namespace community::devnet {

namespace fs = std::filesystem;

namespace {

// Far above a development chain's state.
constexpr std::size_t kMaxStateFile = 512u << 20;

std::optional<std::string> read_whole(const fs::path& path) {
  auto text = infra::read_file(path, kMaxStateFile);
  if (!text || !is_whole_json_object(*text)) return std::nullopt;
  return std::move(*text);
}

}  // namespace

bool is_whole_json_object(std::string_view text) {
  std::size_t depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); i++) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') i++;
      in_string = c != '"';
    } else if (c == '"') {
      if (depth == 0) return false;
      in_string = true;
    } else if (c == '{' || c == '[') {
      if (depth == 0 && (c != '{' || i != 0)) return false;
      depth++;
    } else if (c == '}' || c == ']') {
      if (depth == 0) return false;
      if (--depth == 0) return text.find_first_not_of(" \n\r\t", i + 1) == std::string_view::npos;
    }
  }
  return false;
}

ChainStateFile::ChainStateFile(fs::path file) : file_(std::move(file)), copy_(file_) { copy_ += ".whole"; }

void ChainStateFile::keep_copy() {
  std::error_code failed;
  const fs::file_time_type written = fs::last_write_time(file_, failed);
  if (failed || written == copied_) return;
  const auto text = read_whole(file_);
  // A file that is just being written is whole at the next call, or the copy stays as it is.
  if (!text) return;
  if (auto done = infra::write_file_atomically(copy_, *text); !done) {
    infra::log_warning("the development chain's state was not copied", {{"why", done.error().text()}});
    return;
  }
  copied_ = written;
}

bool ChainStateFile::repair() {
  if (!fs::exists(file_) || read_whole(file_)) return false;
  std::error_code failed;
  if (fs::exists(copy_)) {
    fs::copy_file(copy_, file_, fs::copy_options::overwrite_existing, failed);
    return !failed;
  }
  // Killed before it wrote its first state: nothing was lost that a new chain would not make again.
  fs::remove(file_, failed);
  return !failed;
}

}  // namespace community::devnet
