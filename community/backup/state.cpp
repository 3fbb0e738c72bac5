// SPDX-License-Identifier: Apache-2.0
// The keeper's files: where holders are, and who has which checkpoint.
#include <algorithm>

#include "community/attestation/api/document.hpp"
#include "community/backup/state.hpp"
#include "community/infra/api/files.hpp"

namespace community::backup {
namespace {

using attestation::Members;
namespace json = core::json;

constexpr std::string_view kHoldersFormat = "community-holders-1";
constexpr std::string_view kStateFormat = "community-backup-state-1";
constexpr std::size_t kMaxFile = 32'768;
// As documents have it: printable ASCII without what JSON escapes, in words of bounded length.
constexpr std::size_t kMaxText = 128;

std::string plain(std::string_view text) {
  std::string out(text.substr(0, kMaxText));
  for (char& c : out)
    if (c < ' ' || c > '~' || c == '"' || c == '\\') c = '.';
  return out;
}

template <class T>
std::string number(T value) {
  std::array<std::uint8_t, sizeof(T)> bytes;
  base::store_be(bytes.data(), value);
  return "\"" + core::to_plain_hex(bytes) + "\"";
}

tl::unexpected<Error> refuse(const std::filesystem::path& file, const attestation::Error& error) {
  return fail(ErrorCode::document, file.string() + ": " + error.message, std::string(name(error.code)));
}

HolderState read_holder(const json::value& value, Members& outer) {
  Members members(value, "holder", {"url", "generation", "recoveryCount", "revision", "current", "trouble"});
  HolderState holder;
  holder.url = members.text("url");
  holder.held.generation = members.number<std::uint32_t>("generation");
  holder.held.recovery_count = members.number<std::uint32_t>("recoveryCount");
  holder.held.revision = members.number<std::uint64_t>("revision");
  holder.current_ms = static_cast<std::int64_t>(members.number<std::uint64_t>("current"));
  if (!members.error() && !members.is_null("trouble")) holder.trouble = members.text("trouble");
  outer.take(members.error());
  return holder;
}

std::string format_holder(const HolderState& holder) {
  return "    {\"url\": \"" + plain(holder.url) + "\", \"generation\": " + number(holder.held.generation) +
         ", \"recoveryCount\": " + number(holder.held.recovery_count) +
         ", \"revision\": " + number(holder.held.revision) +
         ", \"current\": " + number(static_cast<std::uint64_t>(holder.current_ms)) +
         ", \"trouble\": " + (holder.trouble.empty() ? "null" : "\"" + plain(holder.trouble) + "\"") + "}";
}

}  // namespace

std::string format_state(const BackupState& state) {
  std::string text = "{\n  \"format\": \"" + std::string(kStateFormat) + "\",\n";
  text += "  \"generation\": " + number(state.generation) + ",\n  \"revision\": " + number(state.revision) + ",\n";
  text += "  \"made\": " + number(static_cast<std::uint64_t>(state.made_ms)) + ",\n  \"holders\": [";
  for (std::size_t i = 0; i < state.holders.size(); i++)
    text += (i == 0 ? "\n" : ",\n") + format_holder(state.holders[i]);
  return text + "]\n}\n";
}

Result<void> write_holders(const BackupFiles& files, const std::vector<std::string>& urls) {
  std::string text = "{\n  \"format\": \"" + std::string(kHoldersFormat) + "\",\n  \"urls\": [";
  for (std::size_t i = 0; i < urls.size(); i++) {
    if (urls[i].size() > kMaxText || plain(urls[i]) != urls[i])
      return fail(ErrorCode::io, "the URL of a holder is too long, or is no plain text: " + plain(urls[i]));
    text += (i == 0 ? "\"" : ", \"") + urls[i] + "\"";
  }
  if (auto written = infra::write_file_atomically(files.holders(), text + "]\n}\n"); !written)
    return fail(ErrorCode::io, written.error().text());
  return {};
}

Result<std::vector<std::string>> read_holders(const BackupFiles& files) {
  std::vector<std::string> urls;
  std::error_code ignored;
  if (!std::filesystem::exists(files.holders(), ignored)) return urls;
  const auto text = infra::read_file(files.holders(), kMaxFile);
  if (!text) return fail(ErrorCode::io, text.error().text());
  const auto value = attestation::read_document(*text, kMaxFile);
  if (!value) return refuse(files.holders(), value.error());
  Members members(*value, "holders", {"format", "urls"});
  if (!members.error() && members.text("format") != kHoldersFormat) members.wrong("format");
  members.list("urls", protocol::kMaxHolders, [&](const json::value& url) {
    if (!url.is_string() || url.get_string().empty()) return members.wrong("urls");
    urls.emplace_back(url.get_string());
  });
  if (members.error()) return refuse(files.holders(), *members.error());
  return urls;
}

Result<BackupState> read_state(const BackupFiles& files) {
  BackupState state;
  std::error_code ignored;
  if (!std::filesystem::exists(files.state(), ignored)) return state;
  const auto text = infra::read_file(files.state(), kMaxFile);
  if (!text) return fail(ErrorCode::io, text.error().text());
  const auto value = attestation::read_document(*text, kMaxFile);
  if (!value) return refuse(files.state(), value.error());
  Members members(*value, "state", {"format", "generation", "revision", "made", "holders"});
  if (!members.error() && members.text("format") != kStateFormat) members.wrong("format");
  state.generation = members.number<std::uint32_t>("generation");
  state.revision = members.number<std::uint64_t>("revision");
  state.made_ms = static_cast<std::int64_t>(members.number<std::uint64_t>("made"));
  members.list("holders", protocol::kMaxHolders,
               [&](const json::value& holder) { state.holders.push_back(read_holder(holder, members)); });
  if (members.error()) return refuse(files.state(), *members.error());
  return state;
}

Freshness freshness(const BackupState& state, std::size_t threshold, infra::Milliseconds interval,
                    std::int64_t now_ms) {
  Freshness out;
  out.holders = state.holders.size();
  out.wanted = std::max<std::size_t>(1, std::min(threshold, out.holders));
  for (const HolderState& holder : state.holders) {
    const bool of_this_backup = holder.held.generation == state.generation && state.generation != 0;
    if (of_this_backup && now_ms - holder.current_ms < 3 * interval.count()) out.fresh++;
  }
  return out;
}

}  // namespace community::backup
