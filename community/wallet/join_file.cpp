// SPDX-License-Identifier: Apache-2.0
#include "community/wallet/api/join_file.hpp"

#include "community/core/ecdsa.hpp"
#include "community/wallet/json_file.hpp"

namespace community::wallet {
namespace {

// WebAuthn, level 3, section 4: a credential id has 1,023 bytes at most.
constexpr std::size_t kMaxJoinFile = 8'192, kMaxCredentialId = 1'023;

}  // namespace

Result<JoinFile> parse_join_file(std::string_view text) {
  const auto object = parse_json_file(text, kMaxJoinFile);
  if (!object) return tl::unexpected(object.error());
  if (json_file_format(*object) != kJoinFormat) return fail(ErrorCode::file_kind, "it is no join file");
  JsonReader in(*object, "");
  JoinFile file;
  Bytes32 x{}, y{};
  in.text("format", 64);
  in.fixed("account", file.account);
  file.chain_id = in.number("chainId", (std::uint64_t{1} << 53) - 1);
  file.passkey.credential_id = in.bytes("credentialId", kMaxCredentialId);
  in.fixed("x", x);
  in.fixed("y", y);
  in.fixed("rpIdHash", file.passkey.rp_id_hash);
  in.fixed("serverKey", file.server_key);
  if (auto done = in.finish(); !done) return tl::unexpected(std::move(done.error()));
  base::copy(file.passkey.public_key, x);
  base::copy(base::MutableByteView(file.passkey.public_key).subspan(32), y);
  if (!core::is_p256_point(file.passkey.public_key)) return malformed("x and y are no point of P-256");
  if (base::is_zero(file.server_key) || base::is_zero(file.passkey.rp_id_hash))
    return malformed("the server key or the relying party is zero");
  return file;
}

std::string format_join_file(const JoinFile& file) {
  const core::ByteView key(file.passkey.public_key);
  json::object object;
  object["format"] = kJoinFormat;
  object["account"] = core::to_hex(file.account);
  object["chainId"] = file.chain_id;
  object["credentialId"] = core::to_hex(file.passkey.credential_id);
  object["x"] = core::to_hex(key.first(32));
  object["y"] = core::to_hex(key.last(32));
  object["rpIdHash"] = core::to_hex(file.passkey.rp_id_hash);
  object["serverKey"] = core::to_hex(file.server_key);
  return json_file_text(object);
}

Result<JoinFile> read_join_file(const std::filesystem::path& path) {
  return read_file_with(path, kMaxJoinFile, parse_join_file);
}

Result<void> write_join_file(const std::filesystem::path& path, const JoinFile& file) {
  return write_new_file(path, format_join_file(file));
}

}  // namespace community::wallet
