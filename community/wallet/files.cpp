// SPDX-License-Identifier: Apache-2.0
#include "community/wallet/api/files.hpp"

#include <algorithm>
#include <ctime>
#include <set>

#include "community/core/secp256k1.hpp"
#include "community/infra/api/files.hpp"
#include "community/infra/api/http_client.hpp"
#include "community/wallet/api/passkey.hpp"
#include "community/wallet/json_file.hpp"
#include "trusted/base/keccak.hpp"
#include "trusted/base/sha2.hpp"

namespace community::wallet {
namespace {

namespace json = boost::json;
using Object = json::object;
using Reader = JsonReader;

constexpr std::size_t kMaxInitData = 8'192, kMaxChains = 64, kMaxUrls = 8, kMaxUrl = 512, kMaxName = 64;
constexpr std::size_t kMaxHost = 253, kMaxWebOrigin = 128, kMaxPasskeys = 8;

tl::unexpected<Error> inconsistent(std::string what) { return fail(ErrorCode::file_inconsistent, std::move(what)); }

// A name is shown beside amounts of money: no control or direction characters (U+200B to U+200F, U+2028 to U+202E,
// U+2060 to U+2069, U+FEFF, and C1).
bool is_plain(std::string_view text) {
  if (!core::is_utf8(base::view(text))) return false;
  for (std::size_t i = 0; i < text.size(); i++) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c < 0x20 || c == 0x7f) return false;
    const unsigned next = i + 1 < text.size() ? static_cast<unsigned char>(text[i + 1]) : 0;
    if (c == 0xc2 && next < 0xa0) return false;
    if (i + 2 >= text.size()) continue;
    const unsigned point = (c & 0x0fu) << 12 | (next & 0x3fu) << 6 | (static_cast<unsigned char>(text[i + 2]) & 0x3fu);
    if ((c & 0xf0) != 0xe0) continue;
    const bool hidden = (point >= 0x200b && point <= 0x200f) || (point >= 0x2028 && point <= 0x202e) ||
                        (point >= 0x2060 && point <= 0x2069) || point == 0xfeff;
    if (hidden) return false;
  }
  return true;
}

// A host name as WebAuthn wants a relying party id: labels of letters, digits and inner hyphens.
bool is_rp_id(std::string_view text) {
  if (text.empty() || text.size() > kMaxHost) return false;
  std::size_t label = 0;
  for (std::size_t i = 0; i <= text.size(); i++) {
    const char c = i == text.size() ? '.' : text[i];
    if (c != '.') {
      const bool letter = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
      if (!letter && c != '-') return false;
      label++;
      continue;
    }
    if (label == 0 || label > 63 || text[i - 1] == '-' || text[i - label] == '-') return false;
    label = 0;
  }
  return true;
}

// "2026-01-31T12:00:00Z", with up to three digits of a second.
bool is_time(const std::string& text) {
  std::tm parts{};
  const char* rest = strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
  if (rest == nullptr) return false;
  if (*rest == '.') {
    const char* first = ++rest;
    while (*rest >= '0' && *rest <= '9') rest++;
    if (rest == first || rest - first > 3) return false;
  }
  return std::string_view(rest) == "Z";
}

void read_time(Reader& in, std::string& out) {
  out = in.text("createdAt", 32);
  if (!is_time(out)) in.wrong("createdAt");
}

void read_origin(Reader& in, AccountOrigin& origin) {
  in.fixed("account", origin.account);
  in.fixed("factory", origin.factory);
  in.fixed("entryPoint", origin.entry_point);
  in.fixed("proxyInitCodeHash", origin.proxy_init_code_hash);
  origin.init_data = in.bytes("initData", kMaxInitData);
}

Result<accounts::AccountInit> check_origin(const AccountOrigin& origin) {
  auto init = accounts::read_init_data(origin.init_data);
  if (!init) return inconsistent(init.error().text());
  if (accounts::account_address(origin.factory, origin.proxy_init_code_hash, origin.init_data) != origin.account)
    return inconsistent("the account does not follow from factory and init data");
  return std::move(*init);
}

Result<KnownChain> read_chain(const json::value& value) {
  if (!value.is_object()) return malformed("chains holds something that is no chain");
  Reader in(value.get_object(), "chains.");
  KnownChain chain;
  // The largest number that every JSON reader keeps exactly.
  chain.chain_id = in.number("chainId", (std::uint64_t{1} << 53) - 1);
  if (chain.chain_id == 0) in.wrong("chainId");
  chain.name = in.text("name", 4 * kMaxName);
  if (chain.name.empty() || !is_plain(chain.name)) in.wrong("name");
  if (const json::array* urls = in.list("rpcUrls", kMaxUrls, true); urls != nullptr) {
    for (const json::value& url : *urls) {
      const bool good = url.is_string() && url.get_string().size() <= kMaxUrl && is_plain(url.get_string()) &&
                        infra::parse_http_url(url.get_string()).has_value();
      if (!good) in.wrong("rpcUrls");
      if (good) chain.rpc_urls.emplace_back(url.get_string());
    }
  }
  if (auto done = in.finish(); !done) return tl::unexpected(std::move(done.error()));
  return chain;
}

Result<std::vector<KnownChain>> read_chains(const json::array& values) {
  std::vector<KnownChain> out;
  std::set<std::uint64_t> seen;
  for (const json::value& value : values) {
    auto chain = read_chain(value);
    if (!chain) return tl::unexpected(std::move(chain.error()));
    if (!seen.insert(chain->chain_id).second) return malformed("two chains have one chainId");
    out.push_back(std::move(*chain));
  }
  return out;
}

// What both kinds of recovery files end with.
Result<void> read_end(Reader& in, RecoveryFile& file) {
  const json::array* chains = in.list("chains", kMaxChains);
  read_time(in, file.created_at);
  if (auto done = in.finish(); !done) return tl::unexpected(std::move(done.error()));
  auto known = read_chains(*chains);
  if (!known) return tl::unexpected(std::move(known.error()));
  file.chains = std::move(*known);
  return {};
}

// Nothing else in such a file follows from anything, and a digit may get lost.
Bytes32 check_of(const RecoveryFile& file) {
  Bytes all;
  core::append(all, file.origin.account);
  core::append(all, file.origin.entry_point);
  core::append(all, file.escape_secret);
  return base::keccak256(all);
}

Result<WalletFile> read_brought(const Object& object) {
  Reader in(object, "");
  in.text("format", 64);
  RecoveryFile file;
  Bytes32 check{};
  in.fixed("account", file.origin.account);
  in.fixed("entryPoint", file.origin.entry_point);
  in.fixed("escapeKey", file.escape_secret);
  in.fixed("check", check);
  file.escape_key_is_later = true;
  if (auto done = read_end(in, file); !done) return tl::unexpected(std::move(done.error()));
  if (check != check_of(file)) return inconsistent("the file was changed: its check does not follow from it");
  if (!core::public_key_of(file.escape_secret)) return inconsistent("the escape key is no secret");
  return WalletFile(std::move(file));
}

Result<WalletFile> read_recovery(const Object& object) {
  Reader in(object, "");
  in.text("format", 64);
  RecoveryFile file;
  read_origin(in, file.origin);
  in.fixed("escapeKey", file.escape_secret);
  file.escape_key_is_later = in.flag("escapeKeyIsLater");
  if (auto done = read_end(in, file); !done) return tl::unexpected(std::move(done.error()));
  const auto init = check_origin(file.origin);
  if (!init) return tl::unexpected(init.error());
  const auto key = core::public_key_of(file.escape_secret);
  const bool first = key && core::address_of(*key) == init->escape_key;
  if (!key || first == file.escape_key_is_later)
    return inconsistent(
        "escapeKey is not the secret of the escape key in the init data, or not said to be a later one");
  return WalletFile(std::move(file));
}

Result<WalletFile> read_keys(const Object& object) {
  Reader in(object, "");
  in.text("format", 64);
  KeysFile file;
  in.fixed("account", file.account);
  file.rp_id = in.text("rpId", kMaxHost);
  if (!is_rp_id(file.rp_id)) in.wrong("rpId");
  const Object* passkey = in.object("passkey");
  const Object* server = in.object("serverKey");
  read_time(in, file.created_at);
  if (auto done = in.finish(); !done) return tl::unexpected(std::move(done.error()));
  Bytes32 x{}, y{}, rp_id_hash{};
  Reader of_passkey(*passkey, "passkey.");
  of_passkey.fixed("x", x);
  of_passkey.fixed("y", y);
  of_passkey.fixed("rpIdHash", rp_id_hash);
  of_passkey.fixed("privateKey", file.passkey_secret);
  if (!SoftwarePasskey::is_secret(file.passkey_secret)) of_passkey.wrong("privateKey");
  if (auto done = of_passkey.finish(); !done) return tl::unexpected(std::move(done.error()));
  Address address{};
  Reader of_server(*server, "serverKey.");
  of_server.fixed("address", address);
  of_server.fixed("privateKey", file.server_secret);
  const auto server_key = core::public_key_of(file.server_secret);
  if (!server_key) of_server.wrong("privateKey");
  if (auto done = of_server.finish(); !done) return tl::unexpected(std::move(done.error()));
  const SoftwarePasskey made(file.passkey_secret, file.rp_id, {});
  const core::ByteView key(made.public_key());
  const bool same = base::equal(key.first(32), x) && base::equal(key.last(32), y) && made.rp_id_hash() == rp_id_hash &&
                    core::address_of(*server_key) == address;
  if (!same) return inconsistent("a public part does not follow from its secret");
  return WalletFile(std::move(file));
}

Result<WalletFile> read_account(const Object& object) {
  Reader in(object, "");
  in.text("format", 64);
  AccountFile file;
  read_origin(in, file.origin);
  in.fixed("wallet", file.wallet);
  file.server_key_index = static_cast<std::uint32_t>(in.number("serverKeyIndex", UINT32_MAX));
  file.rp_id = in.text("rpId", kMaxHost);
  if (!is_rp_id(file.rp_id)) in.wrong("rpId");
  file.web_origin = in.text("origin", kMaxWebOrigin);
  if (!infra::parse_http_url(file.web_origin)) in.wrong("origin");
  const json::array* secrets = in.list("passkeys", kMaxPasskeys);
  if (secrets != nullptr && secrets->empty()) in.wrong("passkeys");
  read_time(in, file.created_at);
  if (auto done = in.finish(); !done) return tl::unexpected(std::move(done.error()));
  for (const json::value& value : *secrets) {
    const auto secret = value.is_string() ? core::parse_bytes32(value.get_string()) : core::Result<Bytes32>(Bytes32{});
    if (!secret || !SoftwarePasskey::is_secret(*secret)) return malformed("passkeys holds something that is no secret");
    file.passkey_secrets.push_back(*secret);
  }
  if (const auto init = check_origin(file.origin); !init) return tl::unexpected(init.error());
  return WalletFile(std::move(file));
}

void write_origin(Object& object, const AccountOrigin& origin) {
  object["account"] = core::to_hex(origin.account);
  object["factory"] = core::to_hex(origin.factory);
  object["entryPoint"] = core::to_hex(origin.entry_point);
  object["proxyInitCodeHash"] = core::to_hex(origin.proxy_init_code_hash);
  object["initData"] = core::to_hex(origin.init_data);
}

Object write(const RecoveryFile& file) {
  Object object;
  const bool is_brought = file.origin.init_data.empty();
  object["format"] = is_brought ? kBroughtFormat : kRecoveryFormat;
  if (is_brought) {
    object["account"] = core::to_hex(file.origin.account);
    object["entryPoint"] = core::to_hex(file.origin.entry_point);
  } else {
    write_origin(object, file.origin);
  }
  object["escapeKey"] = core::to_hex(file.escape_secret);
  if (is_brought) object["check"] = core::to_hex(check_of(file));
  if (file.escape_key_is_later && !is_brought) object["escapeKeyIsLater"] = true;
  json::array chains;
  for (const KnownChain& known : file.chains) {
    Object chain;
    chain["chainId"] = known.chain_id;
    chain["name"] = known.name;
    if (!known.rpc_urls.empty()) chain["rpcUrls"] = json::value_from(known.rpc_urls);
    chains.emplace_back(std::move(chain));
  }
  object["chains"] = std::move(chains);
  object["createdAt"] = file.created_at;
  return object;
}

Object write(const KeysFile& file) {
  const SoftwarePasskey made(file.passkey_secret, file.rp_id, {});
  const core::ByteView key(made.public_key());
  Object passkey, server, object;
  passkey["x"] = core::to_hex(key.first(32));
  passkey["y"] = core::to_hex(key.last(32));
  passkey["rpIdHash"] = core::to_hex(made.rp_id_hash());
  passkey["privateKey"] = core::to_hex(file.passkey_secret);
  server["address"] = core::to_hex(core::address_of(*core::public_key_of(file.server_secret)));
  server["privateKey"] = core::to_hex(file.server_secret);
  object["format"] = kKeysFormat;
  object["account"] = core::to_hex(file.account);
  object["rpId"] = file.rp_id;
  object["passkey"] = std::move(passkey);
  object["serverKey"] = std::move(server);
  object["createdAt"] = file.created_at;
  return object;
}

Object write(const AccountFile& file) {
  Object object;
  object["format"] = kAccountFormat;
  write_origin(object, file.origin);
  object["wallet"] = core::to_hex(file.wallet);
  object["serverKeyIndex"] = file.server_key_index;
  object["rpId"] = file.rp_id;
  object["origin"] = file.web_origin;
  json::array secrets;
  for (const Bytes32& secret : file.passkey_secrets) secrets.emplace_back(core::to_hex(secret));
  object["passkeys"] = std::move(secrets);
  object["createdAt"] = file.created_at;
  return object;
}

}  // namespace

Address account_of(const WalletFile& file) {
  if (const auto* keys = std::get_if<KeysFile>(&file)) return keys->account;
  if (const auto* recovery = std::get_if<RecoveryFile>(&file)) return recovery->origin.account;
  return std::get<AccountFile>(file).origin.account;
}

Result<WalletFile> parse_wallet_file(std::string_view text) {
  const auto object = parse_json_file(text, kMaxFileBytes);
  if (!object) return tl::unexpected(object.error());
  const std::string_view name = json_file_format(*object);
  if (name == kRecoveryFormat) return read_recovery(*object);
  if (name == kBroughtFormat) return read_brought(*object);
  if (name == kKeysFormat) return read_keys(*object);
  if (name == kAccountFormat) return read_account(*object);
  return fail(ErrorCode::file_kind, "it is no recovery file, keys file or account file that this version knows");
}

std::string format_wallet_file(const WalletFile& file) {
  return std::visit([](const auto& one) { return json_file_text(write(one)); }, file);
}

Result<WalletFile> read_wallet_file(const std::filesystem::path& path) {
  return read_file_with(path, kMaxFileBytes, parse_wallet_file);
}

Result<void> write_new_wallet_file(const std::filesystem::path& path, const WalletFile& file) {
  return write_new_file(path, format_wallet_file(file));
}

Result<void> replace_wallet_file(const std::filesystem::path& path, const WalletFile& file) {
  if (auto done = infra::write_file_atomically(path, format_wallet_file(file)); !done)
    return fail(ErrorCode::file_unreadable, done.error().text());
  return {};
}

Result<Bytes32> read_key_file(const std::filesystem::path& path) {
  auto text = infra::read_file(path, 128);
  if (!text) return fail(ErrorCode::file_unreadable, text.error().text());
  while (!text->empty() && (text->back() == '\n' || text->back() == '\r' || text->back() == ' ')) text->pop_back();
  const auto secret = core::parse_bytes32(*text, core::HexPrefix::optional);
  if (!secret || !core::public_key_of(*secret))
    return malformed(path.string() + ": it holds no secret key; write 64 hexadecimal digits");
  return *secret;
}

std::string format_time(std::uint64_t seconds) {
  const auto time = static_cast<std::time_t>(seconds);
  std::tm parts{};
  gmtime_r(&time, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

}  // namespace community::wallet
