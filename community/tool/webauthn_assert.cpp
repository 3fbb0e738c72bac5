// SPDX-License-Identifier: Apache-2.0
// The steps of WebAuthn level 3, section 7.2, in the order in which the trusted core takes them, on its own code. The
// core always asks for user verification; here the line says whether the ceremony did.
#include "community/tool/webauthn_assert.hpp"

#include "community/core/ecdsa.hpp"
#include "community/core/webauthn.hpp"
#include "community/tool/webauthn_ceremony.hpp"
#include "trusted/base/sha2.hpp"
#include "trusted/webauthn/assertion.hpp"

namespace community::tool {

namespace {

using Key = std::array<std::uint8_t, 64>;

// A key as point (04 || x || y), as x || y, as SubjectPublicKeyInfo or as COSE_Key.
Result<Key> key_of(ByteView bytes) {
  Key key{};
  if (bytes.size() == 65 && bytes[0] == 4) bytes = bytes.subspan(1);
  if (bytes.size() == 64) {
    std::copy(bytes.begin(), bytes.end(), key.begin());
    return key;
  }
  if (!bytes.empty() && bytes[0] == 0x30) return core::parse_p256_spki(bytes);
  const auto cose = core::cbor_take(bytes);
  if (!cose) return tl::unexpected(cose.error());
  return core::parse_cose_key(*cose);
}

// The public key out of what a registration left: its attestation object, its authenticator data, or the key.
Result<Key> registered_key(Input& registration) {
  Bytes auth_data;
  if (registration.has("attestationObject")) {
    auto object = core::parse_attestation_object(registration.bytes("attestationObject"));
    if (!object) return tl::unexpected(object.error());
    auth_data = std::move(object->auth_data);
  } else if (registration.has("x") && registration.has("y")) {
    Bytes point = registration.bytes("x");
    core::append(point, registration.bytes("y"));
    return key_of(point);
  } else {
    for (std::string_view key : {"publicKey", "key", "credentialPublicKey", "coseKey", "publicKeySpki"})
      if (registration.has(key)) return key_of(registration.bytes(key));
    auth_data = registration.bytes("authenticatorData");
  }
  const auto credential = core::parse_attested_credential(auth_data);
  if (!credential) return tl::unexpected(credential.error());
  return credential->public_key;
}

void check(Input& in, const webauthn::Result<void>& checked) {
  if (!checked) in.refuse(checked.error().text());
}

void check_authenticator_data(Input& in, ByteView authenticator_data, const webauthn::Ceremony& ceremony) {
  webauthn::AuthenticatorData data;
  if (webauthn::read_authenticator_data(authenticator_data, data) != webauthn::AssertionError::none)
    return in.refuse("authenticator_data_malformed");
  check(in, webauthn::check_flags(data.rp_id_hash, data.flags, ceremony));
}

}  // namespace

void webauthn_assert(Input& in, json::object& out) {
  const webauthn::Ceremony ceremony = read_ceremony(in);
  const Bytes client_data = in.bytes("clientDataJSON");
  const Bytes authenticator_data = in.bytes("authenticatorData");
  const Bytes signature_bytes = in.bytes("signature");
  const json::object& registration = in.member("registration");
  if (!in.good()) return;
  Input registered(registration);
  const auto key = registered_key(registered);
  if (!key && key.error().code == ErrorCode::webauthn_key_algorithm) return in.skip();
  if (!registered.good()) return in.refuse("registration: " + registered.why());
  if (!key) return in.refuse("registration: " + key.error().text());
  check(in, webauthn::check_client_data(client_data, "webauthn.get", ceremony));
  if (!in.good()) return;
  check_authenticator_data(in, authenticator_data, ceremony);
  if (!in.good()) return;
  const auto signature = in.take(core::parse_der_signature(signature_bytes));
  if (!in.good()) return;
  Key rs;
  std::copy(signature.r.begin(), signature.r.end(), rs.begin());
  std::copy(signature.s.begin(), signature.s.end(), rs.begin() + 32);
  const Bytes32 digest = base::sha256({authenticator_data, base::sha256(client_data)});
  const trusted::Port& port = software_port();
  if (!port.p256_verify(port.context, key->data(), digest, rs.data())) return in.refuse("passkey_signature_invalid");
  out["ok"] = true;
}

}  // namespace community::tool
