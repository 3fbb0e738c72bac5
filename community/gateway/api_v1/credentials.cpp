// SPDX-License-Identifier: Apache-2.0
#include "community/gateway/api_v1/credentials.hpp"

namespace community::gateway::api_v1 {
namespace {

// Client data and authenticator data as the trusted core takes them; the rest as WebAuthn bounds it.
constexpr std::size_t kMaxCredentialId = 1'023, kMaxClientData = 2'048, kMaxAttestation = 32'768;
constexpr std::size_t kMaxAuthenticatorData = 512, kMaxSignature = 128, kMaxUserHandle = 64;
constexpr std::size_t kMaxTransports = 8, kMaxTransport = 32;

// The members that both credentials have. `response` is null when it is not there.
struct CredentialParts {
  core::Bytes id;
  const json::object* response = nullptr;
  const json::object* extension_results = nullptr;
};

CredentialParts read_credential(JsonReader& credential) {
  CredentialParts parts;
  parts.id = credential.base64url("rawId", kMaxCredentialId);
  if (credential.base64url("id", kMaxCredentialId) != parts.id) credential.refuse("id", "id and rawId are the same");
  if (parts.id.empty()) credential.refuse("rawId", "a credential has an id");
  credential.constant("type", "public-key");
  parts.response = credential.object("response");
  parts.extension_results = credential.optional_object("clientExtensionResults");
  return parts;
}

// {"prf":{"enabled":true}} says that the device has the extension (WebAuthn level 3, section 10.1.4).
bool has_prf(const json::object* results) {
  const json::value* prf = results == nullptr ? nullptr : results->if_contains("prf");
  const json::object* members = prf == nullptr ? nullptr : prf->if_object();
  const json::value* enabled = members == nullptr ? nullptr : members->if_contains("enabled");
  return enabled != nullptr && enabled->is_bool() && enabled->get_bool();
}

}  // namespace

users::NewPasskey read_new_passkey(JsonReader& in) {
  const core::Address escape_key = in.address("escapeKey");
  users::NewPasskey passkey = read_further_passkey(in);
  passkey.escape_key = escape_key;
  return passkey;
}

users::NewPasskey read_further_passkey(JsonReader& in) {
  users::NewPasskey passkey;
  passkey.device_name = in.optional_text("deviceName").value_or("");
  const json::object* members = in.object("credential");
  if (members == nullptr) return passkey;
  JsonReader credential(*members, JsonReader::Unknown::passed_over, "/credential");
  CredentialParts parts = read_credential(credential);
  passkey.credential_id = std::move(parts.id);
  passkey.prf = has_prf(parts.extension_results);
  if (parts.response != nullptr) {
    JsonReader response(*parts.response, JsonReader::Unknown::passed_over, "/credential/response");
    passkey.client_data = response.base64url("clientDataJSON", kMaxClientData);
    passkey.attestation_object = response.base64url("attestationObject", kMaxAttestation);
    passkey.transports = response.optional_texts("transports", kMaxTransports, kMaxTransport);
    credential.take(response);
  }
  in.take(credential);
  return passkey;
}

users::LogInAssertion read_assertion(JsonReader& in) {
  users::LogInAssertion assertion;
  const json::object* members = in.object("credential");
  if (members == nullptr) return assertion;
  JsonReader credential(*members, JsonReader::Unknown::passed_over, "/credential");
  CredentialParts parts = read_credential(credential);
  assertion.credential_id = std::move(parts.id);
  if (parts.response != nullptr) {
    JsonReader response(*parts.response, JsonReader::Unknown::passed_over, "/credential/response");
    assertion.client_data = response.base64url("clientDataJSON", kMaxClientData);
    assertion.authenticator_data = response.base64url("authenticatorData", kMaxAuthenticatorData);
    assertion.signature = response.base64url("signature", kMaxSignature);
    assertion.user_handle = response.optional_base64url("userHandle", kMaxUserHandle);
    credential.take(response);
  }
  in.take(credential);
  return assertion;
}

}  // namespace community::gateway::api_v1
