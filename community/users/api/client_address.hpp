// SPDX-License-Identifier: Apache-2.0
// Whom a request came from, when proxies may stand between: X-Forwarded-For is believed from named proxies only, and
// only as far as they wrote it themselves.
#pragma once
#include <span>
#include <string>
#include <vector>

#include "community/users/api/error.hpp"

namespace community::users {

// A range of network addresses: "10.0.0.0/8", "fd00::/8", or one address.
class AddressRange {
 public:
  // Nothing when the text is no address with, where given, a prefix length, or when bits behind the prefix are set.
  static std::optional<AddressRange> parse(std::string_view text);
  bool contains(std::string_view address) const;

 private:
  // IPv4 addresses in their IPv4-mapped form (RFC 4291, section 2.5.5.2).
  std::array<std::uint8_t, 16> first_{};
  unsigned prefix_ = 0;
};

// Octets of the field, of which a longer one is passed over as a whole, and proxies in a row.
inline constexpr std::size_t kMaxForwardedFor = 2'048;
inline constexpr std::size_t kMaxProxies = 16;

// The canonical text of the client's address. `peer` is who connected; `forwarded_for` are the values of all
// X-Forwarded-For fields in the order they came. From the right, every proxy that is trusted tells who came to it; the
// first address that is not a trusted proxy's is the client's, and so is the last good one before something that is no
// address. What a client wrote itself stands further left and is never reached.
std::string client_address(std::string_view peer, const std::vector<std::string_view>& forwarded_for,
                           std::span<const AddressRange> trusted);

// By what clients are counted: an IPv4 address, or the /64 of an IPv6 one, which is one subscriber's (RFC 6177). The
// text itself when it is no address.
std::string client_network(std::string_view address);

}  // namespace community::users
