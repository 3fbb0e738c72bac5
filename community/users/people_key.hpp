// SPDX-License-Identifier: Apache-2.0
// The node's own secret about people: keys the MACs of codes and of CSRF tokens, each under a name of its purpose, so
// that neither stands for the other and neither can be guessed from a copy of the database.
#pragma once
#include "community/core/base64url.hpp"
#include "trusted/base/sha2.hpp"

namespace community::users {

class PeopleKey {
 public:
  explicit PeopleKey(const core::Bytes32& key) : key_(key) {}
  ~PeopleKey() { base::wipe(key_); }
  PeopleKey(const PeopleKey&) = delete;
  PeopleKey& operator=(const PeopleKey&) = delete;

  // Of a code of eight digits, for one registration alone.
  core::Bytes32 code_mac(std::string_view registration_id, std::string_view code) const {
    return base::hmac_sha256(key_, {base::view("community-node code v1\n"), base::view(registration_id),
                                    base::view("\n"), base::view(code)});
  }
  std::string csrf_token(std::string_view session_token) const {
    return core::to_base64url(
        base::hmac_sha256(key_, {base::view("community-node csrf v1\n"), base::view(session_token)}));
  }

 private:
  core::Bytes32 key_;
};

}  // namespace community::users
