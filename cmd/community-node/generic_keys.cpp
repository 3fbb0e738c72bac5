// SPDX-License-Identifier: Apache-2.0
#include "cmd/community-node/generic_keys.hpp"

#include <cstdio>

#include "community/core/bytes.hpp"
#include "community/infra/api/files.hpp"
#include "trusted/hpke/hpke.hpp"
#include "trusted/process/crypto.hpp"

namespace community::node {

using infra::Task;
using protocol::FoundersCommand;
using protocol::GenericHash;
using protocol::GenericKeyType;

namespace {

// 64 digits and the end of the line.
constexpr std::size_t kMaxSecretFile = 70;

int failed(const std::string& words) {
  std::fprintf(stderr, "community-node: %s\n", words.c_str());
  return 1;
}

std::string type_name(GenericKeyType type) { return type == GenericKeyType::ed25519 ? "ed25519" : "secp256k1"; }

void print(const keys::GenericKey& key) {
  std::printf("%s  %-9s %s  %s\n", core::to_plain_hex(key.id).c_str(), type_name(key.type).c_str(),
              key.signs_digests ? "signs digests " : "signs messages", core::to_hex(key.public_key).c_str());
}

std::optional<protocol::RecordId> read_id(const std::string& text) {
  const auto id = core::parse_hex_array<16>(text, core::HexPrefix::optional);
  if (!id) return std::nullopt;
  return *id;
}

// Fills in what every order has, and signs it.
Task<keys::Result<keys::SignedMessage>> sign_order(keys::RootKeys& core, const keys::Operator& op,
                                                   protocol::GenericKeyOrder order) {
  const auto status = co_await core.status();
  if (!status) co_return tl::unexpected(status.error());
  order.core_id = status->core_id;
  order.sequence = status->order_sequence + 1;
  co_return op.sign(order);
}

protocol::GenericKeyOrder new_key_order(const GenericKeyOptions& options, FoundersCommand command) {
  protocol::GenericKeyOrder order;
  order.command = static_cast<std::uint32_t>(command);
  const bool is_ed25519 = options.type == type_name(GenericKeyType::ed25519);
  order.type = static_cast<std::uint32_t>(is_ed25519 ? GenericKeyType::ed25519 : GenericKeyType::ecdsa_secp256k1);
  order.flags = options.signs_digests ? protocol::kGenericPrehashed : 0;
  return order;
}

Task<int> create_key(keys::RootKeys& core, keys::GenericKeys& keys, const keys::Operator& op,
                     protocol::GenericKeyOrder order) {
  const auto message = co_await sign_order(core, op, order);
  if (!message) co_return failed(message.error().text());
  const auto made = co_await keys.create_generic_key(message->message, message->signature);
  if (!made) co_return failed("no key: " + made.error().text());
  print(*made);
  co_return 0;
}

// The secret leaves this program only encrypted to the trusted core: neither node nor guest can read it.
Task<int> import_key(const KeysOptions& options, keys::RootKeys& core, keys::GenericKeys& keys,
                     const keys::Operator& op) {
  auto text = infra::read_file(options.generic.secret, kMaxSecretFile);
  if (!text) co_return failed(text.error().text());
  while (!text->empty() && (text->back() == '\n' || text->back() == '\r')) text->pop_back();
  base::Secret<32> secret;
  auto read = core::parse_hex_array<32>(*text, core::HexPrefix::optional);
  base::wipe(text->data(), text->size());
  if (!read) co_return failed(options.generic.secret.string() + " does not hold 32 bytes in hexadecimal");
  secret.bytes = *read;
  base::wipe(*read);
  const auto status = co_await core.status();
  if (!status) co_return failed(status.error().text());
  core::Bytes info = core::to_bytes(base::view(protocol::kGenericImport));
  core::append(info, status->core_id);
  trusted::Port port;
  trusted::use_software_crypto(port);
  auto order = new_key_order(options.generic, FoundersCommand::import_key);
  std::array<std::uint8_t, 32 + hpke::kTag> cipher{};
  if (!hpke::seal(port, status->hpke_key, info, {}, secret, order.secret.enc, cipher))
    co_return failed("the secret could not be encrypted to the trusted core");
  order.secret.cipher = cipher;
  co_return co_await create_key(core, keys, op, order);
}

Task<int> delete_key(keys::RootKeys& core, keys::GenericKeys& keys, const keys::Operator& op, protocol::RecordId id) {
  protocol::GenericKeyOrder order;
  order.command = static_cast<std::uint32_t>(FoundersCommand::delete_key);
  order.key_id = id;
  const auto message = co_await sign_order(core, op, order);
  if (!message) co_return failed(message.error().text());
  const auto deleted = co_await keys.delete_generic_key(id, message->message, message->signature);
  if (!deleted) co_return failed("not deleted: " + deleted.error().text());
  std::printf("deleted\n");
  co_return 0;
}

Task<int> list_keys(keys::GenericKeys& keys, std::optional<protocol::RecordId> only) {
  const auto listed = co_await keys.generic_keys();
  if (!listed) co_return failed(listed.error().text());
  bool found = false;
  for (const keys::GenericKey& key : *listed) {
    if (only && key.id != *only) continue;
    print(key);
    found = true;
  }
  if (!found && only) co_return failed("there is no generic key with this id");
  if (!found) std::printf("no generic keys\n");
  co_return 0;
}

Task<int> sign(const GenericKeyOptions& options, keys::GenericKeys& keys, protocol::RecordId id) {
  core::Bytes message;
  if (!options.file.empty()) {
    const auto text = infra::read_file(options.file, protocol::kMaxGenericMessage);
    if (!text) co_return failed(text.error().text());
    message = core::to_bytes(base::view(*text));
  } else {
    auto bytes = core::parse_hex(options.message, core::HexPrefix::optional, protocol::kMaxGenericMessage);
    if (!bytes) co_return failed("--message takes bytes in hexadecimal; for a file say --file");
    message = std::move(*bytes);
  }
  GenericHash hash = GenericHash::none;
  if (options.hash == "keccak256") hash = GenericHash::keccak256;
  if (options.hash == "sha256") hash = GenericHash::sha256;
  const auto made = co_await keys.sign_generic(id, hash, std::move(message));
  if (!made) co_return failed("not signed: " + made.error().text());
  std::printf("signature       %s\n", core::to_hex(made->signature).c_str());
  std::printf("recovery id     %u\n", made->recovery_id);
  co_return 0;
}

}  // namespace

bool is_generic(KeysAction action) { return action >= KeysAction::generic_list; }

Task<int> use_generic_keys(const KeysOptions& options, keys::RootKeys& core, keys::GenericKeys& keys,
                           const std::optional<keys::Operator>& op) {
  std::optional<protocol::RecordId> none;
  if (options.action == KeysAction::generic_list) co_return co_await list_keys(keys, none);
  if (options.action == KeysAction::generic_create) {
    const auto order = new_key_order(options.generic, FoundersCommand::generate_key);
    co_return co_await create_key(core, keys, *op, order);
  }
  if (options.action == KeysAction::generic_import) co_return co_await import_key(options, core, keys, *op);
  const auto id = read_id(options.generic.id);
  if (!id) co_return failed("a key's id has 32 hexadecimal digits: community-node keys generic list");
  if (options.action == KeysAction::generic_public_key) co_return co_await list_keys(keys, id);
  if (options.action == KeysAction::generic_delete) co_return co_await delete_key(core, keys, *op, *id);
  co_return co_await sign(options.generic, keys, *id);
}

void add_generic_commands(CLI::App& keys_command, KeysOptions& options) {
  CLI::App* generic = keys_command.add_subcommand(
      "generic", "keys of the operator's own, which sign what they are given; the node uses none of them");
  generic->require_subcommand(1);
  generic->fallthrough();
  GenericKeyOptions& in = options.generic;
  const auto add = [&options, generic](const char* name, const char* words, KeysAction action) {
    CLI::App* made = generic->add_subcommand(name, words);
    made->fallthrough();
    made->callback([&options, action] { options.action = action; });
    return made;
  };
  const auto with_type = [&in](CLI::App* command) {
    command->add_option("--type", in.type)->check(CLI::IsMember({"secp256k1", "ed25519"}))->capture_default_str();
    command->add_flag("--signs-digests", in.signs_digests,
                      "a secp256k1 key that signs 32 bytes which somebody else hashed, too");
  };
  const auto with_id = [&in](CLI::App* command) { command->add_option("ID", in.id)->required(); };
  add("list", "id, type, what it signs, public key", KeysAction::generic_list);
  with_type(add("create", "a new key (operator-signed)", KeysAction::generic_create));
  CLI::App* import = add("import", "a secret of elsewhere, encrypted to the trusted core (operator-signed)",
                         KeysAction::generic_import);
  with_type(import);
  import->add_option("--secret", in.secret, "file with its 32 bytes in hexadecimal")->required();
  CLI::App* sign = add("sign", "sign a message", KeysAction::generic_sign);
  with_id(sign);
  sign->add_option("--hash", in.hash, "of secp256k1: what the core makes of the message; none for Ed25519 and digests")
      ->check(CLI::IsMember({"none", "keccak256", "sha256"}))
      ->capture_default_str();
  CLI::Option* message = sign->add_option("--message", in.message, "in hexadecimal");
  sign->add_option("--file", in.file, "the message is what this file holds")->excludes(message);
  with_id(add("public-key", "one of the list", KeysAction::generic_public_key));
  with_id(add("delete", "for good (operator-signed)", KeysAction::generic_delete));
}

}  // namespace community::node
