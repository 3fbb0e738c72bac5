// SPDX-License-Identifier: Apache-2.0
// webauthn.register: community/webauthn, with the system's clock for the certificates unless "time" says another.
#include <chrono>

#include "community/tool/webauthn_assert.hpp"
#include "community/tool/webauthn_ceremony.hpp"
#include "community/webauthn/api/registration.hpp"

namespace community::tool {

namespace {

webauthn::AttestationPolicy read_policy(Input& in) {
  webauthn::AttestationPolicy policy;
  if (in.has("trustRoot")) policy.trust_roots.push_back(in.bytes("trustRoot"));
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  policy.now_s = in.has("time") ? static_cast<std::int64_t>(in.count("time", std::size_t{1} << 40))
                                : std::chrono::duration_cast<std::chrono::seconds>(now).count();
  // The standard's own example of the format is such a one.
  policy.android_description_may_be_empty = true;
  return policy;
}

}  // namespace

void webauthn_register(Input& in, json::object& out) {
  const webauthn::Ceremony ceremony = read_ceremony(in);
  const webauthn::AttestationPolicy policy = read_policy(in);
  const Bytes client_data = in.bytes("clientDataJSON"), object = in.bytes("attestationObject");
  if (!in.good()) return;
  const auto registration = webauthn::verify_registration(ceremony, policy, client_data, object);
  if (!registration) {
    using webauthn::ErrorCode;
    const ErrorCode code = registration.error().code;
    if (code == ErrorCode::key_algorithm_unsupported || code == ErrorCode::attestation_format_retired) return in.skip();
    return in.refuse(registration.error().text());
  }
  out["ok"] = true;
  out["credentialId"] = core::to_hex(registration->credential.credential_id);
  out["aaguid"] = core::to_hex(registration->credential.aaguid);
  Bytes point{4};
  core::append(point, registration->credential.public_key);
  out["publicKey"] = core::to_hex(point);
  out["format"] = registration->format;
  out["attestation"] = name(registration->type);
  out["trusted"] = registration->trusted;
  out["userVerified"] = registration->user_verified();
  out["backupEligible"] = registration->backup_eligible();
  out["backedUp"] = registration->backed_up();
}

}  // namespace community::tool
