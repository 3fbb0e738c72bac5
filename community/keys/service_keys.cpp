// SPDX-License-Identifier: Apache-2.0
// Requests about treasuries and generic keys: payments, and the founders' commands.
#include "community/keys/messages.hpp"
#include "community/keys/service.hpp"
#include "trusted/base/keccak.hpp"

namespace community::keys {

using protocol::Command;
using protocol::FoundersCommand;

namespace {

template <class Message>
Bytes encode_founders(FoundersCommand command, const Message& message) {
  Bytes buffer(protocol::kMaxBody);
  buffer.resize(protocol::encode_founders(command, message, buffer).size());
  return buffer;
}

GenericKey to_generic_key(const protocol::GenericKeyDescription& description) {
  return {description.key_id, static_cast<protocol::GenericKeyType>(description.type),
          (description.flags & protocol::kGenericPrehashed) != 0, core::to_bytes(description.public_key)};
}

// Zero for a key that is not of secp256k1.
Address address_of(const GenericKey& key) {
  Address address{};
  if (key.type == protocol::GenericKeyType::ecdsa_secp256k1)
    base::copy(address, core::ByteView(base::keccak256(key.public_key)).last(20));
  return address;
}

}  // namespace

Task<Result<std::vector<KeyInfo>>> Service::treasuries(std::uint64_t chain_id) {
  return keys_for(Purpose::treasury, chain_id);
}

Task<Result<SignedPayment>> Service::sign_treasury(RecordId treasury, Bytes unsigned_transaction,
                                                   std::optional<RecordId> executor) {
  std::vector<RecordId> records{treasury};
  if (executor) records.push_back(*executor);
  const auto answer = co_await ask_about(Command::sign_treasury, std::move(records),
                                         [&](const std::vector<protocol::RecordProof>& proofs) {
                                           protocol::SignTreasuryRequest request;
                                           request.record = proofs[0];
                                           request.transaction = unsigned_transaction;
                                           request.executor_count = executor ? 1 : 0;
                                           if (executor) request.executor[0] = proofs[1];
                                           return encode_message(request);
                                         });
  if (!answer) co_return tl::unexpected(answer.error());
  const auto reply = decode_message<protocol::SignTreasuryReply>(*answer);
  if (!reply) co_return tl::unexpected(reply.error());
  co_return SignedPayment{to_signature(reply->signature), reply->cost};
}

Task<Result<std::vector<GenericKey>>> Service::generic_keys() {
  std::vector<RecordId> ids;
  for (const KeyInfo& key : node_keys_)
    if (key.purpose == Purpose::generic) ids.push_back(key.id);
  std::vector<GenericKey> keys;
  for (const RecordId& id : ids) {
    const auto answer = co_await ask(Command::founders, id, [](const protocol::RecordProof& proof) {
      return encode_founders(FoundersCommand::get_public_key, proof);
    });
    if (!answer) co_return tl::unexpected(answer.error());
    const auto description = decode_message<protocol::GenericKeyDescription>(*answer);
    if (!description) co_return tl::unexpected(description.error());
    keys.push_back(to_generic_key(*description));
  }
  co_return keys;
}

Task<Result<GenericKey>> Service::create_generic_key(Bytes order, std::array<std::uint8_t, 64> signature) {
  protocol::GenericKeyOrder content;
  if (!protocol::decode(order, content)) co_return refuse(protocol::Error::generic_order_malformed);
  const auto generic = [](const KeyInfo& key) { return key.purpose == Purpose::generic; };
  if (std::count_if(node_keys_.begin(), node_keys_.end(), generic) >= static_cast<std::ptrdiff_t>(kMaxGenericKeys))
    co_return fail(ErrorCode::too_many_keys,
                   "a node keeps at most " + std::to_string(kMaxGenericKeys) + " generic keys; delete one first");
  auto change = std::make_shared<Change>();
  change->command = Command::founders;
  change->kind = RecordKind::key;
  const auto command = static_cast<FoundersCommand>(content.command);
  change->build = [command, order, signature](const protocol::TreePath& path, core::ByteView) {
    return encode_founders(command, protocol::GenericCreateRequest{path, {order, signature}});
  };
  const auto answer = co_await submit(change);
  if (!answer) co_return tl::unexpected(answer.error());
  const auto description = decode_message<protocol::GenericKeyDescription>(*answer);
  if (!description) co_return tl::unexpected(description.error());
  GenericKey key = to_generic_key(*description);
  const KeyInfo info{key.id, Purpose::generic, 0, address_of(key)};
  if (auto done = co_await store_.remember_key(info); !done) co_return tl::unexpected(done.error());
  node_keys_.push_back(info);
  co_return key;
}

Task<Result<void>> Service::delete_generic_key(RecordId key, Bytes order, std::array<std::uint8_t, 64> signature) {
  auto change = std::make_shared<Change>();
  change->command = Command::founders;
  change->kind = RecordKind::key;
  change->record = key;
  change->build = [order, signature](const protocol::TreePath& path, core::ByteView sealed) {
    return encode_founders(FoundersCommand::delete_key,
                           protocol::GenericDeleteRequest{{sealed, path}, {order, signature}});
  };
  const auto answer = co_await submit(change);
  if (!answer) co_return tl::unexpected(answer.error());
  std::erase_if(node_keys_, [&key](const KeyInfo& known) { return known.id == key; });
  co_return Result<void>{};
}

Task<Result<protocol::GenericSignature>> Service::sign_generic(RecordId key, protocol::GenericHash hash,
                                                               Bytes message) {
  const auto answer = co_await ask(Command::founders, key, [&](const protocol::RecordProof& proof) {
    return encode_founders(FoundersCommand::sign_message, protocol::GenericSignRequest{proof, hash, message});
  });
  if (!answer) co_return tl::unexpected(answer.error());
  // Of all that this command carries, signing alone is an operation of a key.
  if (dependencies_.metrics != nullptr) count_signature(Command::founders);
  co_return decode_message<protocol::GenericSignature>(*answer);
}

}  // namespace community::keys
