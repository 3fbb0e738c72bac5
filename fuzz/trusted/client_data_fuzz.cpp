// SPDX-License-Identifier: Apache-2.0
// The client data scanner: what it accepts, another JSON reader accepts too and sees the same members in.
#include <boost/json.hpp>

#include "fuzz/trusted/fuzz.hpp"
#include "trusted/webauthn/assertion.hpp"

using namespace community::trusted::testing;
namespace webauthn = community::webauthn;

namespace {

// The member as the other reader sees it; a scanner that found nothing says so with an empty view.
void same(const boost::json::object& object, const char* name, std::string_view seen) {
  const auto* member = object.if_contains(name);
  require((member != nullptr) == (seen.data() != nullptr), "both see the member");
  if (member == nullptr) return;
  require(member->is_string(), "a member that decides is a string");
  require(std::string_view(member->as_string().data(), member->as_string().size()) == seen, "both read the same");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  webauthn::ClientData client;
  if (webauthn::read_client_data({data, size}, client) != webauthn::AssertionError::none) return 0;
  boost::system::error_code error;
  const boost::json::value value =
      boost::json::parse(boost::json::string_view(reinterpret_cast<const char*>(data), size), error);
  require(!error && value.is_object(), "another reader accepts it");
  const auto& object = value.as_object();
  same(object, "type", client.type);
  same(object, "challenge", client.challenge);
  same(object, "origin", client.origin);
  same(object, "topOrigin", client.top_origin);
  const auto* cross = object.if_contains("crossOrigin");
  require((cross != nullptr && cross->as_bool()) == client.cross_origin, "both read the same crossOrigin");
  return 0;
}
