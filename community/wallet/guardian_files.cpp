// SPDX-License-Identifier: Apache-2.0
#include "community/wallet/api/guardian_files.hpp"

#include "community/wallet/json_file.hpp"

namespace community::wallet {
namespace {

// 16 guardians of up to 512 bytes.
constexpr std::size_t kMaxFile = 32'768, kMaxGuardian = 512, kMaxPasskeys = 8;
constexpr std::uint64_t kMaxExact = (std::uint64_t{1} << 53) - 1;

void write_guardians(json::object& object, const GuardiansFile& file) {
  object["account"] = core::to_hex(file.account);
  object["threshold"] = file.threshold;
  object["salt"] = core::to_hex(file.list.salt);
  json::array guardians;
  for (const Bytes& guardian : file.list.guardians) guardians.emplace_back(core::to_hex(guardian));
  object["guardians"] = std::move(guardians);
}

Result<GuardiansFile> read_guardians(JsonReader& in) {
  GuardiansFile file;
  Bytes32 salt{};
  in.fixed("account", file.account);
  file.threshold = static_cast<std::uint8_t>(in.number("threshold", accounts::kMaxGuardians));
  in.fixed("salt", salt);
  std::vector<Bytes> guardians;
  if (const json::array* list = in.list("guardians", accounts::kMaxGuardians); list != nullptr) {
    for (const json::value& one : *list) {
      auto bytes = one.is_string() ? core::parse_hex(one.get_string(), core::HexPrefix::required, kMaxGuardian)
                                   : core::Result<Bytes>(tl::unexpect, core::Error{});
      if (!bytes) return malformed("guardians holds something that is none");
      guardians.push_back(std::move(*bytes));
    }
  }
  if (auto done = in.finish(); !done) return tl::unexpected(std::move(done.error()));
  auto list = accounts::GuardianList::make(salt, std::move(guardians));
  if (!list) return malformed(list.error().text());
  file.list = std::move(*list);
  if (file.threshold == 0 || file.threshold > file.list.guardians.size())
    return malformed("threshold is not between 1 and the number of guardians");
  return file;
}

json::object to_json(const accounts::InitPasskey& passkey) {
  const core::ByteView key(passkey.public_key);
  json::object out;
  out["x"] = core::to_hex(key.first(32));
  out["y"] = core::to_hex(key.last(32));
  out["rpIdHash"] = core::to_hex(passkey.rp_id_hash);
  return out;
}

Result<accounts::InitPasskey> read_passkey(const json::value& value) {
  if (!value.is_object()) return malformed("passkeys holds something that is none");
  JsonReader in(value.get_object(), "passkeys.");
  Bytes32 x{}, y{};
  accounts::InitPasskey passkey;
  in.fixed("x", x);
  in.fixed("y", y);
  in.fixed("rpIdHash", passkey.rp_id_hash);
  if (auto done = in.finish(); !done) return tl::unexpected(std::move(done.error()));
  base::copy(passkey.public_key, x);
  base::copy(base::MutableByteView(passkey.public_key).subspan(32), y);
  return passkey;
}

}  // namespace

Result<GuardiansFile> parse_guardians_file(std::string_view text) {
  const auto object = parse_json_file(text, kMaxFile);
  if (!object) return tl::unexpected(object.error());
  if (json_file_format(*object) != kGuardiansFormat) return fail(ErrorCode::file_kind, "it is no guardians' file");
  JsonReader in(*object, "");
  in.text("format", 64);
  return read_guardians(in);
}

Result<GuardiansFile> read_guardians_file(const std::filesystem::path& path) {
  return read_file_with(path, kMaxFile, parse_guardians_file);
}

Result<void> write_guardians_file(const std::filesystem::path& path, const GuardiansFile& file) {
  json::object object;
  object["format"] = kGuardiansFormat;
  write_guardians(object, file);
  return write_new_file(path, json_file_text(object));
}

Result<RecoveryRequest> parse_recovery_request(std::string_view text) {
  const auto object = parse_json_file(text, kMaxFile);
  if (!object) return tl::unexpected(object.error());
  if (json_file_format(*object) != kRecoveryRequestFormat)
    return fail(ErrorCode::file_kind, "it is no recovery request");
  JsonReader in(*object, "");
  in.text("format", 64);
  RecoveryRequest request;
  request.chain_id = in.number("chainId", kMaxExact);
  in.fixed("serverKey", request.recover.server_key);
  in.fixed("escapeKey", request.recover.escape_key);
  request.stamp.key_epoch = static_cast<std::uint32_t>(in.number("keyEpoch", UINT32_MAX));
  request.stamp.nonce = in.decimal("nonce");
  request.stamp.deadline_s = in.number("deadline", (std::uint64_t{1} << 48) - 1);
  const json::array* passkeys = in.list("passkeys", kMaxPasskeys);
  auto guardians = read_guardians(in);
  if (!guardians) return tl::unexpected(std::move(guardians.error()));
  request.guardians = std::move(*guardians);
  for (const json::value& value : *passkeys) {
    auto passkey = read_passkey(value);
    if (!passkey) return tl::unexpected(std::move(passkey.error()));
    request.recover.passkeys.push_back(*passkey);
  }
  const accounts::Recover& recover = request.recover;
  if (auto good = accounts::check_keys(recover.passkeys, recover.server_key, recover.escape_key); !good)
    return fail(ErrorCode::file_inconsistent, good.error().text());
  return request;
}

Result<RecoveryRequest> read_recovery_request(const std::filesystem::path& path) {
  return read_file_with(path, kMaxFile, parse_recovery_request);
}

Result<void> write_recovery_request(const std::filesystem::path& path, const RecoveryRequest& request) {
  json::object object;
  object["format"] = kRecoveryRequestFormat;
  object["chainId"] = request.chain_id;
  write_guardians(object, request.guardians);
  json::array passkeys;
  for (const accounts::InitPasskey& passkey : request.recover.passkeys) passkeys.emplace_back(to_json(passkey));
  object["passkeys"] = std::move(passkeys);
  object["serverKey"] = core::to_hex(request.recover.server_key);
  object["escapeKey"] = core::to_hex(request.recover.escape_key);
  object["keyEpoch"] = request.stamp.key_epoch;
  object["nonce"] = core::format_decimal(request.stamp.nonce);
  object["deadline"] = request.stamp.deadline_s;
  return write_new_file(path, json_file_text(object));
}

Result<void> write_secret_file(const std::filesystem::path& path, const core::Bytes32& secret) {
  return write_new_file(path, core::to_plain_hex(secret) + "\n");
}

}  // namespace community::wallet
