// SPDX-License-Identifier: Apache-2.0
// Requests about phrases, messages and secrets: each is one question to the core, or one change of a wallet.
#include "community/keys/messages.hpp"
#include "community/keys/service.hpp"

namespace community::keys {

using protocol::Command;

namespace {

protocol::SealedMessage to_protocol(const SealedSecret& secret) { return {secret.enc, secret.cipher}; }

// A host that gives too many types learns so from the core: the count alone is copied beyond the limit.
protocol::TypedData to_protocol(const TypedMessage& message) {
  protocol::TypedData data;
  data.domain = {message.present,  base::view(message.name),   base::view(message.version),
                 message.chain_id, message.verifying_contract, message.salt};
  data.type_count = static_cast<std::uint16_t>(std::min<std::size_t>(message.types.size(), 0xffff));
  for (std::size_t i = 0; i < message.types.size() && i < data.types.size(); i++)
    data.types[i].text = base::view(message.types[i]);
  data.primary = message.primary;
  data.values = message.values;
  return data;
}

template <class Reply>
SignedText to_signed(const Reply& reply) {
  SignedText text;
  text.signature = to_signature(reply.signature);
  text.digest = reply.digest;
  if constexpr (requires { reply.signer; }) text.signer = reply.signer;
  if constexpr (requires { reply.summary; }) {
    text.domain_present = reply.summary.present;
    text.domain_name = base::text(reply.summary.name);
    text.domain_chain_id = reply.summary.chain_id;
    text.verifying_contract = reply.summary.verifying_contract;
    text.primary_type = base::text(reply.summary.primary_type);
  }
  return text;
}

template <class Reply>
Result<SignedText> read_signed(const Result<Bytes>& answer) {
  if (!answer) return tl::unexpected(answer.error());
  const auto reply = decode_message<Reply>(*answer);
  if (!reply) return tl::unexpected(reply.error());
  return to_signed(*reply);
}

Result<SealedSecret> read_sealed(const Result<Bytes>& answer) {
  if (!answer) return tl::unexpected(answer.error());
  const auto reply = decode_message<protocol::SealedMessage>(*answer);
  if (!reply) return tl::unexpected(reply.error());
  return SealedSecret{reply->enc, core::to_bytes(reply->cipher)};
}

}  // namespace

Bytes encode_phrase_change(std::uint8_t words) {
  protocol::WalletChange change;
  change.kind = protocol::WalletChangeKind::make_phrase;
  change.words = words;
  return encode_message(change);
}

Bytes encode_content_root_change(const ContentRootChange& content) {
  protocol::WalletChange change;
  change.kind = protocol::WalletChangeKind::wrap_content_root;
  change.passkey.credential_hash = base::sha256(content.credential_id);
  change.secret_count = static_cast<std::uint16_t>(std::min<std::size_t>(content.secrets.size(), 3));
  for (std::size_t i = 0; i < content.secrets.size() && i < change.secrets.size(); i++)
    change.secrets[i] = to_protocol(content.secrets[i]);
  return encode_message(change);
}

Task<Result<void>> Service::change_wallet(RecordId wallet, Bytes bytes, Assertion assertion) {
  auto change = std::make_shared<Change>();
  change->command = Command::wallet_update;
  change->kind = RecordKind::wallet;
  change->record = wallet;
  change->build = [bytes, assertion](const protocol::TreePath& path, core::ByteView sealed) {
    return encode_message(protocol::WalletUpdateRequest{{sealed, path}, bytes, keys::to_protocol(assertion)});
  };
  const auto answer = co_await submit(change);
  if (!answer) co_return tl::unexpected(answer.error());
  co_return Result<void>{};
}

Task<Result<void>> Service::make_phrase(RecordId wallet, std::uint8_t words, Assertion assertion) {
  return change_wallet(wallet, encode_phrase_change(words), std::move(assertion));
}

Task<Result<void>> Service::wrap_content_root(RecordId wallet, ContentRootChange change, Assertion assertion) {
  return change_wallet(wallet, encode_content_root_change(change), std::move(assertion));
}

Task<Result<std::optional<Address>>> Service::eoa_address(RecordId wallet, protocol::EoaKey eoa) {
  const auto answer = co_await ask(Command::eoa_describe, wallet, [eoa](const protocol::RecordProof& proof) {
    return encode_message(protocol::EoaDescribeRequest{proof, eoa});
  });
  if (!answer) co_return tl::unexpected(answer.error());
  const auto reply = decode_message<protocol::EoaDescribeReply>(*answer);
  if (!reply) co_return tl::unexpected(reply.error());
  if (reply->has_phrase == 0) co_return std::optional<Address>();
  co_return std::optional<Address>(reply->address);
}

Task<Result<SignedEoaTransaction>> Service::sign_eoa_transaction(RecordId wallet, protocol::EoaKey eoa,
                                                                 Bytes transaction, Assertion assertion) {
  const auto answer = co_await ask(Command::sign_eoa_transaction, wallet, [&](const protocol::RecordProof& proof) {
    return encode_message(protocol::SignEoaTransactionRequest{proof, eoa, transaction, keys::to_protocol(assertion)});
  });
  if (!answer) co_return tl::unexpected(answer.error());
  const auto reply = decode_message<protocol::SignEoaTransactionReply>(*answer);
  if (!reply) co_return tl::unexpected(reply.error());
  co_return SignedEoaTransaction{to_signature(reply->signature),
                                 reply->digest,
                                 reply->signer,
                                 reply->type,
                                 reply->nonce,
                                 reply->max_cost,
                                 reply->call,
                                 reply->authorization_count};
}

Task<Result<SignedText>> Service::sign_message(RecordId wallet, protocol::EoaKey eoa, Bytes message,
                                               Assertion assertion) {
  const auto answer = co_await ask(Command::sign_message, wallet, [&](const protocol::RecordProof& proof) {
    return encode_message(protocol::SignMessageRequest{proof, eoa, message, keys::to_protocol(assertion)});
  });
  co_return read_signed<protocol::SignMessageReply>(answer);
}

Task<Result<SignedText>> Service::sign_typed_data(RecordId wallet, protocol::EoaKey eoa, TypedMessage message,
                                                  Assertion assertion) {
  const auto answer = co_await ask(Command::sign_typed_data, wallet, [&](const protocol::RecordProof& proof) {
    return encode_message(
        protocol::SignTypedDataRequest{proof, eoa, to_protocol(message), keys::to_protocol(assertion)});
  });
  co_return read_signed<protocol::SignTypedDataReply>(answer);
}

Task<Result<SignedText>> Service::sign_account_message(RecordId wallet, SigningAccount account, TypedMessage message,
                                                       Assertion assertion) {
  const auto answer = co_await ask(Command::sign_account_message, wallet, [&](const protocol::RecordProof& proof) {
    return encode_message(protocol::SignAccountMessageRequest{proof,
                                                              account.chain_id,
                                                              account.address,
                                                              account.server_key_index,
                                                              protocol::AccountMessageKind::typed_data,
                                                              to_protocol(message),
                                                              {},
                                                              keys::to_protocol(assertion)});
  });
  co_return read_signed<protocol::SignAccountMessageReply>(answer);
}

Task<Result<SignedText>> Service::sign_account_text(RecordId wallet, SigningAccount account, Bytes message,
                                                    Assertion assertion) {
  const auto answer = co_await ask(Command::sign_account_message, wallet, [&](const protocol::RecordProof& proof) {
    return encode_message(protocol::SignAccountMessageRequest{proof,
                                                              account.chain_id,
                                                              account.address,
                                                              account.server_key_index,
                                                              protocol::AccountMessageKind::personal,
                                                              {},
                                                              message,
                                                              keys::to_protocol(assertion)});
  });
  co_return read_signed<protocol::SignAccountMessageReply>(answer);
}

Task<Result<SealedSecret>> Service::export_phrase(RecordId wallet, protocol::HpkeKey page, Assertion assertion) {
  const auto answer = co_await ask(Command::phrase_export, wallet, [&](const protocol::RecordProof& proof) {
    return encode_message(protocol::PhraseExportRequest{proof, page, keys::to_protocol(assertion)});
  });
  co_return read_sealed(answer);
}

Task<Result<SealedSecret>> Service::ask_sealed(Command command, RecordId wallet, SealedSecret request,
                                               Assertion assertion) {
  const auto answer = co_await ask(command, wallet, [&](const protocol::RecordProof& proof) {
    return encode_message(protocol::SealedRequest{proof, to_protocol(request), keys::to_protocol(assertion)});
  });
  co_return read_sealed(answer);
}

Task<Result<SealedSecret>> Service::session_secret(RecordId wallet, SealedSecret request, Assertion assertion) {
  return ask_sealed(Command::session_secret, wallet, std::move(request), std::move(assertion));
}

Task<Result<SealedSecret>> Service::open_content_root(RecordId wallet, SealedSecret request, Assertion assertion) {
  return ask_sealed(Command::content_root_open, wallet, std::move(request), std::move(assertion));
}

}  // namespace community::keys
