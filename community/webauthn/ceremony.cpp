// SPDX-License-Identifier: Apache-2.0
// Client data is read by the trusted core's own reader, so that a node and its core agree about every text.
#include "community/webauthn/api/ceremony.hpp"

#include "community/core/base64url.hpp"
#include "trusted/base/sha2.hpp"
#include "trusted/webauthn/assertion.hpp"

namespace community::webauthn {

namespace {

bool contains(const std::vector<std::string>& allowed, std::string_view origin) {
  return std::find(allowed.begin(), allowed.end(), origin) != allowed.end();
}

}  // namespace

Result<void> check_client_data(core::ByteView json, std::string_view type, const Ceremony& ceremony) {
  ClientData client;
  const AssertionError error = read_client_data(json, client);
  if (error == AssertionError::client_data_duplicate_member) return fail(ErrorCode::client_data_duplicate_member);
  if (error != AssertionError::none) return fail(ErrorCode::client_data_malformed);
  if (client.type != type) return fail(ErrorCode::client_data_wrong_type);
  if (client.challenge != core::to_base64url(ceremony.challenge)) return fail(ErrorCode::challenge_mismatch);
  if (!contains(ceremony.origins, client.origin)) return fail(ErrorCode::origin_not_allowed);
  if (client.cross_origin && !ceremony.cross_origin_allowed) return fail(ErrorCode::cross_origin);
  // There is an outermost page to tell of only in a frame.
  if (!client.top_origin.empty() && (!client.cross_origin || !contains(ceremony.top_origins, client.top_origin)))
    return fail(ErrorCode::top_origin);
  return {};
}

Result<void> check_flags(const core::Bytes32& rp_id_hash, std::uint8_t flags, const Ceremony& ceremony) {
  if (rp_id_hash != base::sha256(base::view(ceremony.rp_id))) return fail(ErrorCode::rp_id_mismatch);
  if ((flags & kUserPresent) == 0) return fail(ErrorCode::user_not_present);
  if (ceremony.user_verification_required && (flags & kUserVerified) == 0) return fail(ErrorCode::user_not_verified);
  if ((flags & kBackedUp) != 0 && (flags & kBackupEligible) == 0) return fail(ErrorCode::backed_up_but_not_eligible);
  return {};
}

}  // namespace community::webauthn
