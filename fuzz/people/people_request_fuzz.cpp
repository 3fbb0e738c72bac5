// SPDX-License-Identifier: Apache-2.0
// The first byte says which reader gets the rest. What a reader accepts obeys its own rules; what it refuses is named
// in a document that is JSON again.
#include <cstdlib>

#include "community/core/base64url.hpp"
#include "community/gateway/api_v1/cookie.hpp"
#include "community/gateway/api_v1/credentials.hpp"
#include "community/users/api/client_address.hpp"
#include "community/users/api/relying_party.hpp"
#include "community/users/api/text.hpp"

namespace {

using namespace community;

void expect(bool holds) {
  if (!holds) std::abort();
}

void check_problem(const gateway::api_v1::Problem& problem) {
  const auto text = gateway::api_v1::to_json_text(problem);
  const auto value = core::parse_json(text);
  expect(value && value->is_object());
  expect(problem.field.empty() || problem.field.front() == '/');
}

void read_request(std::string_view text, bool registers) {
  core::JsonLimits limits;
  limits.max_bytes = 64 * 1'024;
  limits.max_depth = 16;
  const auto value = core::parse_json(text, limits);
  if (!value || !value->is_object()) return;
  gateway::api_v1::JsonReader in(value->get_object(), gateway::api_v1::JsonReader::Unknown::refused);
  if (registers) {
    const auto passkey = gateway::api_v1::read_new_passkey(in);
    const auto wrong = in.finish();
    if (wrong) return check_problem(*wrong);
    expect(!passkey.credential_id.empty() && passkey.credential_id.size() <= 1'023);
    expect(passkey.client_data.size() <= 2'048 && passkey.attestation_object.size() <= 32'768);
    expect(passkey.transports.size() <= 8);
  } else {
    const auto assertion = gateway::api_v1::read_assertion(in);
    const auto wrong = in.finish();
    if (wrong) return check_problem(*wrong);
    expect(assertion.signature.size() <= 128 && assertion.authenticator_data.size() <= 512);
  }
}

void read_cookies(std::string_view text) {
  // Two fields: a client may send several.
  const std::size_t half = text.find('\n');
  std::vector<std::string_view> fields{text.substr(0, half)};
  if (half != std::string_view::npos) fields.push_back(text.substr(half + 1));
  const std::string token = gateway::api_v1::cookie_token(fields, gateway::api_v1::kSessionCookie);
  expect(token.empty() || core::parse_base64url(token + "A", 64).has_value() || token.size() == 43);
}

void read_forwarded_for(std::string_view text) {
  static const std::vector<users::AddressRange> trusted{*users::AddressRange::parse("10.0.0.0/8"),
                                                        *users::AddressRange::parse("fd00::/8")};
  const std::string client = users::client_address("10.0.0.1", {text}, trusted);
  expect(users::AddressRange::parse(client).has_value());
  expect(!users::client_network(client).empty());
  // Nobody but a trusted proxy is believed.
  expect(users::client_address("203.0.113.1", {text}, trusted) == "203.0.113.1");
  if (const auto range = users::AddressRange::parse(text)) expect(range->contains(text.substr(0, text.find('/'))));
}

void read_texts(std::string_view text) {
  if (const auto email = users::parse_email(text, "/email")) {
    const auto again = users::parse_email(email->text, "/email");
    expect(again && again->text == email->text && again->key == email->key);
    expect(users::parse_email(email->key, "/email")->key == email->key);
    for (const char c : email->text) expect(c > ' ' && c < 0x7f);
  }
  if (users::check_name(text, "/name")) {
    expect(core::is_utf8(base::view(text)) && text.size() <= 4 * users::kMaxNameCharacters);
    expect(text.find_first_of(std::string_view("\0\r\n\t", 4)) == std::string_view::npos);
  }
  const std::string code = users::code_digits(text);
  expect(code.empty() || code.size() == 8);
  if (users::check_avatar_url(text, "/u")) expect(text.find_first_of("\r\n\"<> ") == std::string_view::npos);
  (void)users::check_phone_number(text, "/p");
  const std::size_t space = text.find(' ');
  if (space != std::string_view::npos && !users::misfit(text.substr(0, space), text.substr(space + 1)))
    expect(text.substr(space + 1).find_first_of("/@", 8) == std::string_view::npos);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0]) {
    case 'r':
      read_request(text, true);
      break;
    case 'l':
      read_request(text, false);
      break;
    case 'c':
      read_cookies(text);
      break;
    case 'f':
      read_forwarded_for(text);
      break;
    default:
      read_texts(text);
  }
  return 0;
}
