// SPDX-License-Identifier: Apache-2.0
#include "community/users/api/client_address.hpp"

#include <boost/asio/ip/address.hpp>
#include <charconv>

namespace community::users {
namespace {

namespace ip = boost::asio::ip;

using Octets = std::array<std::uint8_t, 16>;
constexpr unsigned kMappedBits = 96;

// Without zone, port and brackets: those are not an address's.
std::optional<ip::address> parse(std::string_view text) {
  if (text.empty() || text.size() > 45 || text.find('%') != std::string_view::npos) return std::nullopt;
  boost::system::error_code error;
  ip::address address = ip::make_address(std::string(text), error);
  if (error) return std::nullopt;
  if (address.is_v6() && address.to_v6().is_v4_mapped()) address = ip::make_address_v4(ip::v4_mapped, address.to_v6());
  return address;
}

Octets octets(const ip::address& address) {
  if (address.is_v6()) return address.to_v6().to_bytes();
  return ip::make_address_v6(ip::v4_mapped, address.to_v4()).to_bytes();
}

bool same_prefix(const Octets& a, const Octets& b, unsigned bits) {
  const unsigned whole = bits / 8, rest = bits % 8;
  if (!std::equal(a.begin(), a.begin() + whole, b.begin())) return false;
  if (rest == 0) return true;
  const unsigned mask = 0xff00u >> rest & 0xffu;
  return ((a[whole] ^ b[whole]) & mask) == 0;
}

bool is_trusted(std::string_view address, std::span<const AddressRange> trusted) {
  return std::any_of(trusted.begin(), trusted.end(),
                     [address](const AddressRange& range) { return range.contains(address); });
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

}  // namespace

std::optional<AddressRange> AddressRange::parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto address = users::parse(text.substr(0, slash));
  if (!address) return std::nullopt;
  AddressRange range;
  range.first_ = octets(*address);
  const unsigned width = address->is_v4() ? 32 : 128;
  range.prefix_ = width;
  if (slash != std::string_view::npos) {
    const std::string_view digits = text.substr(slash + 1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), range.prefix_);
    if (error != std::errc() || end != digits.data() + digits.size() || digits.size() > 3 || range.prefix_ > width)
      return std::nullopt;
  }
  if (address->is_v4()) range.prefix_ += kMappedBits;
  // A range that names a host in it was meant otherwise.
  for (unsigned bit = range.prefix_; bit < 128; bit++)
    if ((range.first_[bit / 8] >> (7 - bit % 8) & 1) != 0) return std::nullopt;
  return range;
}

bool AddressRange::contains(std::string_view text) const {
  const auto address = users::parse(text);
  return address && same_prefix(octets(*address), first_, prefix_);
}

std::string client_address(std::string_view peer, const std::vector<std::string_view>& forwarded_for,
                           std::span<const AddressRange> trusted) {
  const auto connected = parse(peer);
  std::string client = connected ? connected->to_string() : std::string(peer);
  std::size_t octets_of_field = 0;
  for (const std::string_view value : forwarded_for) octets_of_field += value.size();
  if (octets_of_field > kMaxForwardedFor) return client;
  std::size_t proxies = 0;
  for (auto value = forwarded_for.rbegin(); value != forwarded_for.rend(); ++value) {
    std::string_view rest = *value;
    for (bool more = true; more;) {
      if (!is_trusted(client, trusted) || ++proxies > kMaxProxies) return client;
      const std::size_t comma = rest.rfind(',');
      more = comma != std::string_view::npos;
      const auto told = parse(trim(more ? rest.substr(comma + 1) : rest));
      if (!told) return client;
      client = told->to_string();
      if (more) rest = rest.substr(0, comma);
    }
  }
  return client;
}

std::string client_network(std::string_view address) {
  const auto parsed = parse(address);
  if (!parsed) return std::string(address.substr(0, 64));
  if (parsed->is_v4()) return parsed->to_string();
  Octets prefix = octets(*parsed);
  std::fill(prefix.begin() + 8, prefix.end(), std::uint8_t{0});
  return ip::make_address_v6(prefix).to_string() + "/64";
}

}  // namespace community::users
