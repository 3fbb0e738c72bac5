// SPDX-License-Identifier: Apache-2.0
#include "community/wallet/api/multisig_file.hpp"

#include "community/wallet/json_file.hpp"

namespace community::wallet {
namespace {

// 32 owners of 512 bytes and 32 limits, each with its length, offset and padding.
constexpr std::size_t kMaxInitData = 32 * (512 + 96) + 32 * 96 + 512;
constexpr std::size_t kMaxMultisigFile = 2 * kMaxInitData + 1'024;

}  // namespace

Result<MultisigFile> parse_multisig_file(std::string_view text) {
  const auto object = parse_json_file(text, kMaxMultisigFile);
  if (!object) return tl::unexpected(object.error());
  if (json_file_format(*object) != kMultisigFormat) return fail(ErrorCode::file_kind, "it is no multisig file");
  JsonReader in(*object, "");
  MultisigFile file;
  in.text("format", 64);
  in.fixed("multisig", file.multisig);
  in.fixed("factory", file.factory);
  in.fixed("proxyInitCodeHash", file.proxy_init_code_hash);
  file.init_data = in.bytes("initData", kMaxInitData);
  if (auto done = in.finish(); !done) return tl::unexpected(std::move(done.error()));
  if (multisig::multisig_address(file.factory, file.proxy_init_code_hash, file.init_data) != file.multisig)
    return fail(ErrorCode::file_inconsistent, "its address does not follow from factory and init data");
  if (const auto init = multisig::read_init_data(file.init_data); !init)
    return fail(ErrorCode::file_inconsistent, init.error().text());
  return file;
}

std::string format_multisig_file(const MultisigFile& file) {
  json::object object;
  object["format"] = kMultisigFormat;
  object["multisig"] = core::to_hex(file.multisig);
  object["factory"] = core::to_hex(file.factory);
  object["proxyInitCodeHash"] = core::to_hex(file.proxy_init_code_hash);
  object["initData"] = core::to_hex(file.init_data);
  return json_file_text(object);
}

Result<MultisigFile> read_multisig_file(const std::filesystem::path& path) {
  return read_file_with(path, kMaxMultisigFile, parse_multisig_file);
}

Result<void> write_multisig_file(const std::filesystem::path& path, const MultisigFile& file) {
  return write_new_file(path, format_multisig_file(file));
}

}  // namespace community::wallet
