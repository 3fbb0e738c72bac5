// SPDX-License-Identifier: Apache-2.0
// What a browser says about where it takes notices: the node will call that address.
#include "community/notifications/api/push_subscription.hpp"
#include "fuzz/core/fuzz.hpp"

using namespace community;
using core::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = base::text({data, size});
  static const std::vector<std::string> services{"googleapis.com"};
  if (const auto endpoint = notifications::parse_push_endpoint(text)) {
    require(endpoint->url == text, "an endpoint is what was written");
    require(endpoint->origin == "https://" + endpoint->host, "an origin is scheme and host");
    require(text.starts_with(endpoint->origin + "/"), "the host ends where the path begins");
    require(endpoint->host.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-.") == std::string::npos,
            "a host is a name");
    require(text.find_first_of(" \r\n\t#\\\"") == std::string_view::npos, "an endpoint breaks no request");
    if (notifications::is_push_service(endpoint->host, services))
      require(endpoint->host == services[0] || endpoint->host.ends_with("." + services[0]),
              "a service is below its name");
  }
  const auto value = core::parse_json(text, {4'096, 8});
  if (!value || !value->is_object()) return 0;
  const auto read = notifications::parse_push_subscription(value->get_object());
  if (read) {
    require(notifications::parse_push_endpoint(read->endpoint).has_value(), "a subscription has an endpoint");
    require(read->p256dh[0] == 0x04, "a key is an uncompressed point");
  }
  return 0;
}
