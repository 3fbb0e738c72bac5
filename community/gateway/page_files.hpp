// SPDX-License-Identifier: Apache-2.0
// The built page (web/page) as files in memory, and how HTTP asks for them. What is decided here without a file system
// or a socket is a function of its own, so that a test can put every odd request.
#pragma once
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "community/gateway/factory.hpp"

namespace community::gateway {

// In the order in which equal wishes are served: the smallest answer first.
enum class ContentCoding : std::uint8_t { br, gzip, identity };

// One file in the codings that the build made of it; `identity` is always there.
struct PageFile {
  std::shared_ptr<const std::string> identity, gzip, br;
  std::string content_type;
  // 32 hexadecimal digits of its SHA-256, without quotes.
  std::string tag;
  // Its name carries a hash of its content, so it never changes.
  bool immutable = false;

  bool has(ContentCoding coding) const;
};

// Paths as a browser sends them, decoded: "/index.html".
using PageFileMap = std::map<std::string, PageFile, std::less<>>;

// Reads a folder that web/page/tools/build.mjs made; every file must be in its files.sha256 with this hash, be of a
// kind that a page has, and be a plain file. too_large beyond a limit, io and malformed else; the words name the file.
infra::Result<PageFileMap> read_page(const std::filesystem::path& folder, const PageLimits& limits);

// The content type of a file's ending ("js", with RFC 9239's type); nothing for kinds that a page does not have.
std::optional<std::string_view> content_type_of(std::string_view name);

// RFC 9110, section 12.5.3: the best that both sides have; nothing when the client takes none of them. A field that
// follows no grammar counts as absent, and absent means anything goes, for which identity is the careful answer.
std::optional<ContentCoding> choose_coding(std::optional<std::string_view> accept_encoding, const PageFile& file);

// RFC 9110, section 13.1.2: whether If-None-Match lists this entity tag, quotes included, or is "*".
bool matches_tag(std::string_view if_none_match, std::string_view tag);

// Whether an unknown path is a view of the page, which its own router knows, and not something that should be there:
// no path of an API, no file of a build, nothing with an ending.
bool is_view(std::string_view path);

}  // namespace community::gateway
