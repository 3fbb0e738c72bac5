// SPDX-License-Identifier: Apache-2.0
// Rules 6 and 8: what leaves the core for a person's page leaves encrypted to a key of that page which a passkey of the
// wallet signed for; the passkey's PRF output arrives encrypted to the core's own key.
#include "trusted/base/keccak.hpp"
#include "trusted/core/core.hpp"
#include "trusted/hpke/hpke.hpp"

namespace community::trusted {
namespace {

using protocol::HpkeKey;
using protocol::SealedMessage;

constexpr std::size_t kPrfBytes = 32;
// Entropy, session key or content root.
constexpr std::size_t kMaxSecret = 32;
constexpr std::size_t kInfoBytes = 80;

// purpose || wallet id, and the credential where the message is one passkey's.
struct Info {
  std::array<std::uint8_t, kInfoBytes> bytes{};
  std::size_t size = 0;
  Info(std::string_view purpose, const RecordId& wallet, ByteView credential = {}) {
    for (const ByteView part : {base::view(purpose), ByteView(wallet), credential}) {
      base::copy(MutableByteView(bytes).subspan(size), part);
      size += part.size();
    }
  }
  operator ByteView() const { return ByteView(bytes).first(size); }
};
static_assert(protocol::kContentRootWrap.size() + 16 + 32 <= kInfoBytes);

// Writes (enc, bytes cipher) of `plain` sealed to a page's key.
Error seal_to_page(const Port& port, const HpkeKey& page, ByteView info, ByteView plain, protocol::Writer& reply) {
  SealedMessage message;
  std::array<std::uint8_t, kMaxSecret + hpke::kTag> cipher;
  if (page[0] != 4 || !port.p256_public_key_valid(port.context, page.data() + 1)) return Error::hpke_key_invalid;
  const MutableByteView used = MutableByteView(cipher).first(plain.size() + hpke::kTag);
  base::Secret<32> ephemeral;
  if (!hpke::make_key_pair(port, ephemeral.bytes, message.enc)) return Error::random_failed;
  if (!hpke::seal_with(port, ephemeral.bytes, page, info, {}, plain, message.enc, used)) return Error::crypto_failed;
  message.cipher = used;
  message.fields(reply);
  return Error::ok;
}

// Opens what was sealed to the core; it must hold exactly as many bytes as `plain`.
Error open_from_page(const Port& port, const State& state, const SealedMessage& message, ByteView info,
                     MutableByteView plain) {
  if (message.cipher.size() != plain.size() + hpke::kTag) return Error::hpke_message_malformed;
  return hpke::open(port, state.hpke_secret, state.hpke_key, message.enc, info, {}, message.cipher, plain)
             ? Error::ok
             : Error::hpke_message_not_opened;
}

// SessionKey = HMAC-SHA-256(key = SHA3-256(PRF output), message = content secret)
void derive_session_key(const WalletRecord& wallet, ByteView prf_output, Bytes32& session_key) {
  base::Sha3_256 hash;
  Bytes32 fingerprint = hash.add(prf_output).finish();
  Bytes32 key = base::hmac_sha256(fingerprint, {wallet.content_secret});
  session_key = key;
  hash.wipe_state();
  base::wipe(fingerprint);
  base::wipe(key);
}

const WrappedRoot* find_root(const WalletRecord& wallet, const Bytes32& credential_hash) {
  for (std::size_t i = 0; i < wallet.root_count; i++)
    if (wallet.roots[i].credential_hash == credential_hash) return &wallet.roots[i];
  return nullptr;
}

Error open_root(const Port& port, const RecordId& id, const WalletRecord& wallet, const Bytes32& credential_hash,
                const Bytes32& session_key, Bytes32& root) {
  const WrappedRoot* wrapped = find_root(wallet, credential_hash);
  if (wrapped == nullptr) return wallet.root_count == 0 ? Error::content_root_missing : Error::content_root_not_wrapped;
  const Info associated("community content root", id, credential_hash);
  const bool opened = port.aes_gcm_open(port.context, session_key, wrapped->nonce.data(), associated, wrapped->cipher,
                                        wrapped->tag.data(), root);
  return opened ? Error::ok : Error::content_root_other_secret;
}

// Enters the root under a passkey's session key, in place of an earlier one of that passkey.
Error wrap_root(const Port& port, const RecordId& id, const Bytes32& credential_hash, const Bytes32& session_key,
                const Bytes32& root, WalletRecord& wallet) {
  auto* entry = const_cast<WrappedRoot*>(find_root(wallet, credential_hash));
  // As many places as passkeys, and none is held by a passkey that is gone.
  if (entry == nullptr) entry = &wallet.roots[wallet.root_count++];
  entry->credential_hash = credential_hash;
  if (!port.random(port.context, entry->nonce)) return Error::random_failed;
  const Info associated("community content root", id, credential_hash);
  const bool sealed = port.aes_gcm_seal(port.context, session_key, entry->nonce.data(), associated, root, entry->cipher,
                                        entry->tag.data());
  return sealed ? Error::ok : Error::crypto_failed;
}

}  // namespace

Error Core::phrase_export(ByteView body, Writer& reply) {
  protocol::PhraseExportRequest request;
  if (!protocol::decode(body, request)) return Error::malformed_request;
  WalletRecord wallet;
  RecordHeader header;
  Error error = open_under(state_.root, request.record, RecordType::wallet, header, wallet);
  if (error != Error::ok) return error;
  const Bytes32 challenge = protocol::phrase_export_challenge(header.id, request.recipient);
  error = check_assertion(request.assertion, challenge, wallet);
  if (error != Error::ok) return error;
  if (wallet.entropy_size == 0) return Error::phrase_missing;
  return seal_to_page(port_, request.recipient, Info(protocol::kPhraseExport, header.id),
                      ByteView(wallet.entropy).first(wallet.entropy_size), reply);
}

Error Core::open_sealed_request(ByteView body, std::string_view purpose, RecordHeader& header, WalletRecord& wallet,
                                SealedRequestSecrets& secrets) const {
  protocol::SealedRequest request;
  if (!protocol::decode(body, request)) return Error::malformed_request;
  Error error = open_under(state_.root, request.record, RecordType::wallet, header, wallet);
  if (error != Error::ok) return error;
  const Bytes32 challenge = protocol::sealed_request_challenge(purpose, header.id, request.secret);
  error = check_assertion(request.assertion, challenge, wallet);
  if (error != Error::ok) return error;
  base::Secret<kPrfBytes + 65> plain;
  error = open_from_page(port_, state_, request.secret, Info(purpose, header.id), plain.bytes);
  if (error != Error::ok) return error;
  secrets.credential_hash = request.assertion.credential_hash;
  base::copy(secrets.page, ByteView(plain).subspan(kPrfBytes));
  derive_session_key(wallet, ByteView(plain).first(kPrfBytes), secrets.session_key.bytes);
  return Error::ok;
}

Error Core::session_secret(ByteView body, Writer& reply) {
  WalletRecord wallet;
  RecordHeader header;
  SealedRequestSecrets secrets;
  const Error error = open_sealed_request(body, protocol::kSessionSecret, header, wallet, secrets);
  if (error != Error::ok) return error;
  return seal_to_page(port_, secrets.page, Info(protocol::kSessionSecretReply, header.id), secrets.session_key, reply);
}

Error Core::content_root_open(ByteView body, Writer& reply) {
  WalletRecord wallet;
  RecordHeader header;
  SealedRequestSecrets secrets;
  Error error = open_sealed_request(body, protocol::kContentRootOpen, header, wallet, secrets);
  if (error != Error::ok) return error;
  base::Secret<32> root;
  error = open_root(port_, header.id, wallet, secrets.credential_hash, secrets.session_key.bytes, root.bytes);
  if (error != Error::ok) return error;
  return seal_to_page(port_, secrets.page, Info(protocol::kContentRootReply, header.id), root, reply);
}

Error Core::wrap_content_root(const protocol::WalletChange& change, const RecordId& id, const Bytes32& signer,
                              WalletRecord& wallet) const {
  const Bytes32& target = change.passkey.credential_hash;
  const bool makes = change.secret_count == 1;
  if (wallet.find_passkey(target) == nullptr) return Error::passkey_unknown;
  // One secret makes the root for the passkey that signs; two carry it over from that passkey to another.
  if (makes != (target == signer)) return Error::malformed_request;
  if (makes && wallet.root_count != 0) return Error::content_root_exists;

  base::Secret<kPrfBytes> prf;
  base::Secret<32> session_key, root;
  Error error =
      open_from_page(port_, state_, change.secrets[0], Info(protocol::kContentRootWrap, id, signer), prf.bytes);
  if (error != Error::ok) return error;
  derive_session_key(wallet, prf, session_key.bytes);
  if (makes) {
    if (!port_.random(port_.context, root.bytes)) return Error::random_failed;
    return wrap_root(port_, id, target, session_key.bytes, root.bytes, wallet);
  }
  error = open_root(port_, id, wallet, signer, session_key.bytes, root.bytes);
  if (error != Error::ok) return error;
  error = open_from_page(port_, state_, change.secrets[1], Info(protocol::kContentRootWrap, id, target), prf.bytes);
  if (error != Error::ok) return error;
  derive_session_key(wallet, prf, session_key.bytes);
  return wrap_root(port_, id, target, session_key.bytes, root.bytes, wallet);
}

}  // namespace community::trusted
