// SPDX-License-Identifier: Apache-2.0
// Phrases and hierarchical keys.
#include "community/core/bip39.hpp"
#include "community/core/hd.hpp"
#include "community/tool/input.hpp"

namespace community::tool {

namespace {

// Paths of one line; each costs a few elliptic-curve multiplications a level.
constexpr std::size_t kMaxPaths = 1024;

core::Language read_language(Input& in) {
  for (std::string_view key : {"lang", "locale", "language"})
    if (in.has(key)) return in.take(core::parse_language(in.text(key)));
  return core::Language::english;
}

void bip32_derive(Input& in, json::object& out) {
  const Bytes seed = in.bytes("seed");
  const std::string_view path = in.text("path");
  if (!in.good()) return;
  const auto root = in.take(core::master_key(seed));
  if (!in.good()) return;
  const auto key = in.take(core::derive_path(root, path));
  if (!in.good()) return;
  out["xpub"] = key.neutered().text();
  out["xprv"] = key.text();
}

void bip32_parse(Input& in, json::object& out) {
  const std::string_view key = in.text("key");
  if (in.good()) in.take(core::parse_extended_key(key));
  if (in.good()) out["ok"] = true;
}

void bip39_from_entropy(Input& in, json::object& out) {
  const auto language = read_language(in);
  const Bytes entropy = in.bytes("entropy");
  if (!in.good()) return;
  const std::string mnemonic = in.take(core::mnemonic_from_entropy(language, entropy));
  if (in.good()) out["mnemonic"] = mnemonic;
}

void bip39_to_seed(Input& in, json::object& out) {
  const auto language = read_language(in);
  const std::string_view mnemonic = in.text("mnemonic");
  const std::string_view passphrase = in.has("passphrase") ? in.text("passphrase") : std::string_view();
  if (!in.good()) return;
  const Bytes entropy = in.take(core::entropy_from_mnemonic(language, mnemonic));
  if (!in.good()) return;
  const auto seed = in.take(core::seed_from_mnemonic(mnemonic, passphrase));
  if (!in.good()) return;
  const auto root = in.take(core::master_key(seed));
  if (!in.good()) return;
  out["entropy"] = core::to_hex(entropy);
  out["seed"] = core::to_hex(seed);
  out["xprv"] = root.text();
}

void hd_wallet(Input& in, json::object& out) {
  const auto language = read_language(in);
  const std::string_view phrase = in.text("phrase");
  const Bytes password = in.bytes_or_empty("password");
  const json::array& paths = in.array("paths");
  if (!in.good()) return;
  if (paths.size() > kMaxPaths) return in.refuse("more than " + std::to_string(kMaxPaths) + " paths");
  const Bytes entropy = in.take(core::entropy_from_mnemonic(language, phrase));
  if (!in.good()) return;
  const auto seed = in.take(core::seed_from_mnemonic(phrase, base::text(password)));
  if (!in.good()) return;
  const auto root = in.take(core::master_key(seed));
  json::array nodes(out.storage());
  for (const json::value& path : paths) {
    if (!path.is_string()) return in.refuse("a path is not a string");
    const auto key = in.take(core::derive_path(root, std::string_view(path.get_string())));
    if (!in.good()) return;
    json::object node(out.storage());
    node["privateKey"] = core::to_hex(*key.private_key);
    node["chainCode"] = core::to_hex(key.chain_code);
    nodes.push_back(std::move(node));
  }
  out["entropy"] = core::to_hex(entropy);
  out["seed"] = core::to_hex(seed);
  out["nodes"] = std::move(nodes);
}

constexpr NamedOperation kOperations[] = {
    {"bip32.derive", bip32_derive},  {"bip32.parse", bip32_parse}, {"bip39.fromEntropy", bip39_from_entropy},
    {"bip39.toSeed", bip39_to_seed}, {"hd.wallet", hd_wallet},
};

}  // namespace

std::span<const NamedOperation> key_operations() { return kOperations; }

}  // namespace community::tool
