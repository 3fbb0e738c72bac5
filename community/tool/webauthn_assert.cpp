// SPDX-License-Identifier: Apache-2.0
// The steps of WebAuthn level 3, section 7.2, in the order in which the trusted core takes them, on its own code.
#include "community/tool/webauthn_assert.hpp"

#include "community/core/ecdsa.hpp"
#include "community/core/webauthn.hpp"
#include "trusted/base/sha2.hpp"
#include "trusted/webauthn/assertion.hpp"

namespace community::tool {

namespace {

using webauthn::AssertionError;

std::string_view name(AssertionError error) {
  static constexpr std::string_view kNames[] = {"none",
                                                "client_data_malformed",
                                                "client_data_duplicate_member",
                                                "client_data_wrong_type",
                                                "challenge_mismatch",
                                                "origin_not_allowed",
                                                "cross_origin",
                                                "authenticator_data_malformed",
                                                "rp_id_mismatch",
                                                "user_not_present",
                                                "user_not_verified"};
  return kNames[static_cast<std::size_t>(error)];
}

bool check(Input& in, bool good, AssertionError error) {
  if (!good) in.refuse(std::string(name(error)));
  return in.good();
}

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

void check_client_data(Input& in, ByteView client_data) {
  const Bytes32 challenge = in.bytes32("challenge");
  const std::string_view origin = in.text("origin");
  const std::string_view top_origin = in.has("topOrigin") ? in.text("topOrigin") : std::string_view();
  const json::value* allow = in.find("allowCrossOrigin");
  const bool cross_origin_allowed = allow != nullptr && allow->is_bool() && allow->get_bool();
  webauthn::ClientData client;
  const AssertionError error = webauthn::read_client_data(client_data, client);
  if (!check(in, error == AssertionError::none, error)) return;
  const auto expected = webauthn::base64url(challenge);
  check(in, client.type == "webauthn.get", AssertionError::client_data_wrong_type);
  check(in, client.challenge == std::string_view(expected.data(), expected.size()), AssertionError::challenge_mismatch);
  check(in, client.origin == origin, AssertionError::origin_not_allowed);
  check(in, !client.cross_origin || cross_origin_allowed, AssertionError::cross_origin);
  // A top origin makes sense only across origins, and then it is the one that was expected.
  check(in, client.top_origin.empty() || (client.cross_origin && client.top_origin == top_origin),
        AssertionError::cross_origin);
}

void check_authenticator_data(Input& in, ByteView authenticator_data) {
  const Bytes32 rp_id_hash = base::sha256(base::view(in.text("rpId")));
  webauthn::AuthenticatorData data;
  const AssertionError error = webauthn::read_authenticator_data(authenticator_data, data);
  if (!check(in, error == AssertionError::none, error)) return;
  check(in, data.rp_id_hash == rp_id_hash, AssertionError::rp_id_mismatch);
  check(in, (data.flags & webauthn::kUserPresent) != 0, AssertionError::user_not_present);
  check(in, (data.flags & webauthn::kUserVerified) != 0, AssertionError::user_not_verified);
}

}  // namespace

void webauthn_assert(Input& in, json::object& out) {
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
  check_client_data(in, client_data);
  if (!in.good()) return;
  check_authenticator_data(in, authenticator_data);
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
