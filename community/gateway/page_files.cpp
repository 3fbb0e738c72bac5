// SPDX-License-Identifier: Apache-2.0
// Reading the built page: what lies in the folder must be what the build wrote down, or the node says so at its start.
#include "community/gateway/page_files.hpp"

#include <algorithm>

#include "community/core/bytes.hpp"
#include "community/infra/api/files.hpp"
#include "trusted/base/sha2.hpp"

namespace community::gateway {
namespace {

namespace fs = std::filesystem;
using infra::ErrorCode;
using infra::Result;

// `sha256sum` writes it and reads it: 64 digits, two spaces, a path.
constexpr std::string_view kList = "files.sha256";
constexpr std::string_view kIndex = "index.html";
constexpr std::size_t kDigits = 64, kTagDigits = 32;
// Where the build puts what carries a hash in its name.
constexpr std::string_view kHashed = "assets/";

std::string digest_of(std::string_view content) {
  return core::to_plain_hex(
      base::sha256(base::ByteView(reinterpret_cast<const std::uint8_t*>(content.data()), content.size())));
}

// The relative paths of all files below the folder. Nothing is followed: a link in a page's folder is none of ours.
Result<std::vector<std::string>> list_files(const fs::path& folder, std::size_t limit) {
  std::vector<std::string> names;
  std::error_code error;
  fs::recursive_directory_iterator entry(folder, error);
  for (; !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
    const fs::file_status status = entry->symlink_status(error);
    if (error) break;
    if (fs::is_directory(status)) continue;
    const std::string name = entry->path().lexically_relative(folder).generic_string();
    if (!fs::is_regular_file(status))
      return infra::fail(ErrorCode::malformed, "the page's " + name + " is no plain file");
    if (names.size() >= limit)
      return infra::fail(ErrorCode::too_large, "the page has more than " + std::to_string(limit) + " files");
    names.push_back(name);
  }
  if (error) return infra::fail(ErrorCode::io, "the page's folder " + folder.string() + ": " + error.message());
  std::sort(names.begin(), names.end());
  return names;
}

// Paths to digests. A name twice, or one that climbs, is refused.
Result<std::map<std::string, std::string>> read_list(std::string_view text) {
  std::map<std::string, std::string> digests;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const bool formed = line.size() > kDigits + 2 && line.substr(kDigits, 2) == "  " &&
                        line.find_first_not_of("0123456789abcdef") == kDigits;
    if (!formed) return infra::fail(ErrorCode::malformed, "the page's files.sha256 has a line of another form");
    if (!digests.emplace(line.substr(kDigits + 2), line.substr(0, kDigits)).second)
      return infra::fail(ErrorCode::malformed, "the page's files.sha256 names a file twice");
  }
  return digests;
}

// "a.js.br" is the file a.js in another coding.
ContentCoding coding_of(std::string_view name) {
  if (name.ends_with(".br")) return ContentCoding::br;
  if (name.ends_with(".gz")) return ContentCoding::gzip;
  return ContentCoding::identity;
}

std::string_view plain_name(std::string_view name) {
  return coding_of(name) == ContentCoding::identity ? name : name.substr(0, name.rfind('.'));
}

class Reader {
 public:
  Reader(const fs::path& folder, const PageLimits& limits) : folder_(folder), left_(limits.bytes), limits_(limits) {}

  Result<PageFileMap> read() {
    const auto names = list_files(folder_, limits_.files);
    if (!names) return tl::unexpected(names.error());
    const auto list = content(kList);
    if (!list) return tl::unexpected(list.error());
    const auto digests = read_list(*list);
    if (!digests) return tl::unexpected(digests.error());
    if (digests->size() + 1 != names->size())
      return infra::fail(ErrorCode::malformed, "the page has other files than its files.sha256: build it again");
    for (const std::string& name : *names) {
      if (name == kList) continue;
      const auto digest = digests->find(name);
      if (digest == digests->end())
        return infra::fail(ErrorCode::malformed, "the page's " + name + " is not in its files.sha256");
      if (auto added = add(name, digest->second); !added) return tl::unexpected(added.error());
    }
    return whole(*list);
  }

 private:
  Result<std::string> content(std::string_view name) {
    auto text = infra::read_file(folder_ / name, left_);
    if (!text && text.error().code == ErrorCode::too_large)
      return infra::fail(ErrorCode::too_large, "the page has more than " + std::to_string(limits_.bytes) + " bytes");
    if (text) left_ -= text->size();
    return text;
  }

  Result<void> add(const std::string& name, const std::string& digest) {
    const std::string plain(plain_name(name));
    const auto type = content_type_of(plain);
    if (!type) return infra::fail(ErrorCode::malformed, "the page's " + name + " is of a kind that no page has");
    auto text = content(name);
    if (!text) return tl::unexpected(text.error());
    if (digest_of(*text) != digest)
      return infra::fail(ErrorCode::malformed, "the page's " + name + " is not the one of its files.sha256");
    PageFile& file = files_["/" + plain];
    file.content_type = *type;
    file.immutable = plain.starts_with(kHashed);
    auto shared = std::make_shared<const std::string>(std::move(*text));
    switch (coding_of(name)) {
      case ContentCoding::br:
        file.br = std::move(shared);
        break;
      case ContentCoding::gzip:
        file.gzip = std::move(shared);
        break;
      case ContentCoding::identity:
        file.identity = std::move(shared);
        file.tag = digest.substr(0, kTagDigits);
        break;
    }
    return {};
  }

  // The list itself is served, so that anybody can hold the page against the hash in a manifest.
  Result<PageFileMap> whole(const std::string& list) {
    for (const auto& [path, file] : files_)
      if (!file.identity) return infra::fail(ErrorCode::malformed, "the page has " + path + " in compressed form only");
    if (!files_.contains("/" + std::string(kIndex)))
      return infra::fail(ErrorCode::malformed, "the page has no index.html");
    PageFile& file = files_["/" + std::string(kList)];
    file.content_type = "text/plain; charset=utf-8";
    file.tag = digest_of(list).substr(0, kTagDigits);
    file.identity = std::make_shared<const std::string>(list);
    return std::move(files_);
  }

  const fs::path& folder_;
  std::size_t left_;
  const PageLimits& limits_;
  PageFileMap files_;
};

}  // namespace

bool PageFile::has(ContentCoding coding) const {
  switch (coding) {
    case ContentCoding::br:
      return br != nullptr;
    case ContentCoding::gzip:
      return gzip != nullptr;
    default:
      return identity != nullptr;
  }
}

Result<PageFileMap> read_page(const fs::path& folder, const PageLimits& limits) {
  return Reader(folder, limits).read();
}

std::optional<std::string_view> content_type_of(std::string_view name) {
  static constexpr std::pair<std::string_view, std::string_view> kTypes[] = {
      {".html", "text/html; charset=utf-8"},
      {".js", "text/javascript; charset=utf-8"},
      {".css", "text/css; charset=utf-8"},
      {".svg", "image/svg+xml"},
      {".png", "image/png"},
      {".webmanifest", "application/manifest+json"},
      {".json", "application/json"},
      {".txt", "text/plain; charset=utf-8"},
  };
  for (const auto& [ending, type] : kTypes)
    if (name.ends_with(ending)) return type;
  return std::nullopt;
}

bool is_view(std::string_view path) {
  for (const std::string_view taken : {"/api", "/control", "/health", "/ready", "/metrics", "/assets"})
    if (path == taken || (path.starts_with(taken) && path[taken.size()] == '/')) return false;
  return path.substr(path.rfind('/') + 1).find('.') == std::string_view::npos;
}

}  // namespace community::gateway
