// SPDX-License-Identifier: Apache-2.0
// Members that webauthn.register and webauthn.assert share.
#pragma once
#include "community/tool/input.hpp"
#include "community/webauthn/api/ceremony.hpp"

namespace community::tool {

// rpId, origin, challenge, and where they are there
// - topOrigin: the outermost page that a frame may stand in;
// - allowCrossOrigin: whether a frame is allowed;
// - userVerification: "required" or, as WebAuthn's own default, "preferred" or "discouraged", which ask for nothing.
inline webauthn::Ceremony read_ceremony(Input& in) {
  webauthn::Ceremony ceremony;
  ceremony.rp_id = in.text("rpId");
  ceremony.origins = {std::string(in.text("origin"))};
  ceremony.challenge = in.bytes("challenge");
  if (in.has("topOrigin")) ceremony.top_origins = {std::string(in.text("topOrigin"))};
  const json::value* allow = in.find("allowCrossOrigin");
  if (allow != nullptr && !allow->is_bool()) in.refuse(Error{ErrorCode::json_wrong_type, "allowCrossOrigin"});
  ceremony.cross_origin_allowed = allow != nullptr && allow->is_bool() && allow->get_bool();
  const std::string_view verification = in.has("userVerification") ? in.text("userVerification") : "preferred";
  if (verification != "required" && verification != "preferred" && verification != "discouraged")
    in.refuse("unknown userVerification");
  ceremony.user_verification_required = verification == "required";
  return ceremony;
}

}  // namespace community::tool
