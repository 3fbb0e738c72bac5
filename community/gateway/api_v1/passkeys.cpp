// SPDX-License-Identifier: Apache-2.0
// /passkeys: what the person logs in and signs with.
#include "community/core/base64url.hpp"
#include "community/gateway/api_v1/credentials.hpp"
#include "community/gateway/api_v1/resources.hpp"

namespace community::gateway::api_v1 {
namespace {

// A person looks for a finger, a phone or a key; WebAuthn recommends 5 to 10 minutes.
constexpr int kTimeout_ms = 300'000;
constexpr int kEs256 = -7;

Task<Result<HttpResponse>> list(Api& api, Call& call) {
  const auto passkeys = co_await api.users().passkeys(user_of(call));
  if (!passkeys) co_return refuse(passkeys.error());
  json::array entries;
  for (const users::PasskeyProfile& passkey : *passkeys) entries.push_back(to_json(passkey));
  json::object out;
  out["passkeys"] = std::move(entries);
  co_return answer_json(200, out);
}

Task<Result<HttpResponse>> rename(Api& api, Call& call) {
  JsonReader in(call.body, JsonReader::Unknown::refused);
  std::string name = in.text("name");
  if (auto wrong = in.finish()) co_return tl::unexpected(*wrong);
  const auto passkey = co_await api.users().rename_passkey(user_of(call), call.id(), std::move(name));
  if (!passkey) co_return refuse(passkey.error());
  co_return answer_json(200, to_json(*passkey));
}

// What a device is asked for that gets a further passkey.
Task<Result<HttpResponse>> begin(Api& api, const RelyingParty& relying_party, Call& call) {
  JsonReader in(call.body, JsonReader::Unknown::refused);
  if (auto wrong = in.finish()) co_return tl::unexpected(*wrong);
  const auto question = co_await api.users().begin_passkey(user_of(call));
  if (!question) co_return refuse(question.error());
  json::object out;
  out["passkey"] = creation_options(*question, relying_party);
  out["expiresAt"] = format_time(question->expires_ms);
  co_return answer_json(200, out);
}

Task<Result<HttpResponse>> add_passkey(Api& api, Call& call) {
  JsonReader in(call.body, JsonReader::Unknown::refused);
  users::NewPasskey passkey = read_further_passkey(in);
  if (auto wrong = in.finish()) co_return tl::unexpected(*wrong);
  const auto added = co_await api.users().add_passkey(user_of(call), std::move(passkey));
  if (!added) co_return refuse(added.error());
  co_return answer_json(201, to_json(*added));
}

Task<Result<HttpResponse>> remove(Api& api, Call& call) {
  const auto removed = co_await api.users().remove_passkey(user_of(call), call.id());
  if (!removed) co_return refuse(removed.error());
  co_return no_content();
}

}  // namespace

json::object creation_options(const users::PasskeyQuestion& question, const RelyingParty& relying_party) {
  json::object user;
  user["id"] = core::to_base64url(question.user_handle);
  user["name"] = question.user_name;
  user["displayName"] = question.display_name;
  json::object selection;
  selection["residentKey"] = "required";
  selection["requireResidentKey"] = true;
  selection["userVerification"] = "required";
  json::object extensions;
  extensions["credProps"] = true;
  extensions["prf"] = json::object();
  json::object algorithm;
  algorithm["type"] = "public-key";
  algorithm["alg"] = kEs256;
  json::object party;
  party["id"] = relying_party.id;
  party["name"] = relying_party.name;
  json::object out;
  out["rp"] = std::move(party);
  out["user"] = std::move(user);
  out["challenge"] = core::to_base64url(question.challenge);
  out["pubKeyCredParams"] = json::array{std::move(algorithm)};
  out["timeout"] = kTimeout_ms;
  out["authenticatorSelection"] = std::move(selection);
  out["attestation"] = "none";
  json::array known;
  for (const core::Bytes& id : question.known_credential_ids) {
    json::object one;
    one["type"] = "public-key";
    one["id"] = core::to_base64url(id);
    known.push_back(std::move(one));
  }
  out["excludeCredentials"] = std::move(known);
  out["extensions"] = std::move(extensions);
  return out;
}

void add_passkeys(Api& api, infra::HttpRouter& router, const RelyingParty& relying_party) {
  api.add(router, "POST", "/api/v1/passkeys/challenge", Access::person, Cost::request,
          [&api, relying_party](Call& call) { return begin(api, relying_party, call); });
  api.add(router, "POST", "/api/v1/passkeys", Access::person, Cost::attempt,
          [&api](Call& call) { return add_passkey(api, call); });
  api.add(router, "DELETE", "/api/v1/passkeys/{passkeyId}", Access::person, Cost::request,
          [&api](Call& call) { return remove(api, call); });
  api.add(router, "GET", "/api/v1/passkeys", Access::person, Cost::request,
          [&api](Call& call) { return list(api, call); });
  api.add(router, "PATCH", "/api/v1/passkeys/{passkeyId}", Access::person, Cost::request,
          [&api](Call& call) { return rename(api, call); });
}

}  // namespace community::gateway::api_v1
