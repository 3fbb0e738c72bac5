// SPDX-License-Identifier: Apache-2.0
#include "community/wallet/api/grant_file.hpp"

#include "community/wallet/json_file.hpp"

namespace community::wallet {
namespace {

// Eight selectors are the most that a grant names.
constexpr std::size_t kMaxGrantFile = 8'192, kMaxSelectors = 8;
constexpr std::uint64_t kMaxSeconds = (std::uint64_t{1} << 48) - 1;

}  // namespace

Result<GrantFile> parse_grant_file(std::string_view text) {
  const auto object = parse_json_file(text, kMaxGrantFile);
  if (!object) return tl::unexpected(object.error());
  if (json_file_format(*object) != kGrantFormat) return fail(ErrorCode::file_kind, "it is no grant file");
  JsonReader in(*object, "");
  GrantFile file;
  in.text("format", 64);
  in.fixed("account", file.account);
  file.chain_id = in.number("chainId", (std::uint64_t{1} << 53) - 1);
  in.fixed("id", file.id);
  in.fixed("ticket", file.ticket);
  in.fixed("target", file.grant.target);
  const json::array* selectors = in.list("selectors", kMaxSelectors);
  file.grant.value_per_call = in.decimal("valuePerCall");
  file.grant.value_total = in.decimal("valueTotal");
  file.grant.valid_after_s = in.number("validAfter", kMaxSeconds);
  file.grant.valid_until_s = in.number("validUntil", kMaxSeconds);
  in.fixed("paymaster", file.grant.paymaster);
  file.grant.salt = in.decimal("salt");
  if (auto done = in.finish(); !done) return tl::unexpected(std::move(done.error()));
  for (const json::value& one : *selectors) {
    const auto selector = one.is_string() ? core::parse_hex_array<4>(one.get_string())
                                          : core::Result<std::array<std::uint8_t, 4>>(tl::unexpect, core::Error{});
    if (!selector) return malformed("selectors holds something that is none");
    file.grant.selectors.push_back(*selector);
  }
  const accounts::AccountOnChain where{file.chain_id, file.account};
  accounts::Grant grant = file.grant;
  if (auto good = accounts::normalise_grant(grant, where.account); !good)
    return fail(ErrorCode::file_inconsistent, good.error().text());
  return file;
}

std::string format_grant_file(const GrantFile& file) {
  json::object object;
  object["format"] = kGrantFormat;
  object["account"] = core::to_hex(file.account);
  object["chainId"] = file.chain_id;
  object["id"] = core::to_hex(file.id);
  object["ticket"] = core::to_hex(file.ticket);
  object["target"] = core::to_hex(file.grant.target);
  json::array selectors;
  for (const auto& selector : file.grant.selectors) selectors.emplace_back(core::to_hex(selector));
  object["selectors"] = std::move(selectors);
  object["valuePerCall"] = core::format_decimal(file.grant.value_per_call);
  object["valueTotal"] = core::format_decimal(file.grant.value_total);
  object["validAfter"] = file.grant.valid_after_s;
  object["validUntil"] = file.grant.valid_until_s;
  object["paymaster"] = core::to_hex(file.grant.paymaster);
  object["salt"] = core::format_decimal(file.grant.salt);
  return json_file_text(object);
}

Result<GrantFile> read_grant_file(const std::filesystem::path& path) {
  return read_file_with(path, kMaxGrantFile, parse_grant_file);
}

Result<void> write_grant_file(const std::filesystem::path& path, const GrantFile& file) {
  return write_new_file(path, format_grant_file(file));
}

}  // namespace community::wallet
