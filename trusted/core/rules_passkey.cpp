// SPDX-License-Identifier: Apache-2.0
// The passkey's assertion (WebAuthn level 3, section 7.2): whoever holds the server key's host cannot make one.
#include "trusted/core/core.hpp"
#include "trusted/webauthn/assertion.hpp"

namespace community::trusted {
namespace {

Error to_protocol(webauthn::AssertionError error) {
  using webauthn::AssertionError;
  switch (error) {
    case AssertionError::none:
      return Error::ok;
    case AssertionError::client_data_malformed:
      return Error::client_data_malformed;
    case AssertionError::client_data_duplicate_member:
      return Error::client_data_duplicate_member;
    case AssertionError::client_data_wrong_type:
      return Error::client_data_wrong_type;
    case AssertionError::challenge_mismatch:
      return Error::challenge_mismatch;
    case AssertionError::origin_not_allowed:
      return Error::origin_not_allowed;
    case AssertionError::cross_origin:
      return Error::cross_origin;
    case AssertionError::authenticator_data_malformed:
      return Error::authenticator_data_malformed;
    case AssertionError::rp_id_mismatch:
      return Error::rp_id_mismatch;
    case AssertionError::user_not_present:
      return Error::user_not_present;
    case AssertionError::user_not_verified:
      return Error::user_not_verified;
  }
  return Error::malformed_request;
}

}  // namespace

Error Core::check_assertion(const protocol::Assertion& assertion, const Bytes32& challenge,
                            const WalletRecord& wallet) const {
  const protocol::Passkey* passkey = wallet.find_passkey(assertion.credential_hash);
  if (passkey == nullptr) return Error::passkey_unknown;

  webauthn::ClientData client;
  Error error = to_protocol(webauthn::read_client_data(assertion.client_data, client));
  if (error != Error::ok) return error;
  if (client.type != "webauthn.get") return Error::client_data_wrong_type;
  const auto expected = webauthn::base64url(challenge);
  if (client.challenge != std::string_view(expected.data(), expected.size())) return Error::challenge_mismatch;
  // Browsers write topOrigin only when the page is embedded, so an empty one is no better than another.
  if (client.cross_origin || client.top_origin.data() != nullptr) return Error::cross_origin;
  bool origin_known = false;
  for (std::size_t i = 0; i < configuration_.relying_party_count; i++) {
    const protocol::RelyingPartyConfig& party = configuration_.relying_parties[i];
    origin_known =
        origin_known || (party.rp_id_hash == passkey->rp_id_hash && base::text(party.origin) == client.origin);
  }
  if (!origin_known) return Error::origin_not_allowed;

  webauthn::AuthenticatorData data;
  error = to_protocol(webauthn::read_authenticator_data(assertion.authenticator_data, data));
  if (error != Error::ok) return error;
  if (data.rp_id_hash != passkey->rp_id_hash) return Error::rp_id_mismatch;
  if ((data.flags & webauthn::kUserPresent) == 0) return Error::user_not_present;
  if ((data.flags & webauthn::kUserVerified) == 0) return Error::user_not_verified;

  const Bytes32 digest = base::sha256({assertion.authenticator_data, base::sha256(assertion.client_data)});
  const bool valid = port_.p256_verify(port_.context, passkey->public_key.data(), digest, assertion.signature.data());
  return valid ? Error::ok : Error::passkey_signature_invalid;
}

}  // namespace community::trusted
