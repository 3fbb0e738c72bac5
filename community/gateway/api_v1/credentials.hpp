// SPDX-License-Identifier: Apache-2.0
// What PublicKeyCredential.toJSON() makes (WebAuthn level 3, section 5.1), read from a request. Members that are not
// named in spec/openapi.json are passed over: browsers add some.
#pragma once
#include "community/gateway/api_v1/json_reader.hpp"
#include "community/gateway/factory.hpp"
#include "community/users/api/users.hpp"

namespace community::gateway::api_v1 {

// `credential`, `escapeKey` and `deviceName` of a registration's passkey.
users::NewPasskey read_new_passkey(JsonReader& in);
// `credential` and `deviceName` of a further passkey.
users::NewPasskey read_further_passkey(JsonReader& in);
// PublicKeyCredentialCreationOptionsJSON (WebAuthn level 3, section 5.1.8).
json::object creation_options(const users::PasskeyQuestion& question, const RelyingParty& relying_party);
// `credential` of a log-in.
users::LogInAssertion read_assertion(JsonReader& in);

}  // namespace community::gateway::api_v1
