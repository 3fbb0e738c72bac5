// SPDX-License-Identifier: Apache-2.0
// Readers of what people, proxies and operators write, and the counting of who asks too often.
#include "community/users/api/text.hpp"

#include <gtest/gtest.h>

#include "community/users/api/client_address.hpp"
#include "community/users/api/rate_limits.hpp"
#include "community/users/api/relying_party.hpp"
#include "community/users/api/users.hpp"

namespace community::users {
namespace {

std::string email(std::string_view text) {
  const auto address = parse_email(text, "/email");
  return address ? address->text + " " + address->key : "refused";
}

TEST(Email, KeepsTheLocalPartAndComparesWithoutCase) {
  EXPECT_EQ(email("ada@example.com"), "ada@example.com ada@example.com");
  EXPECT_EQ(email("Ada.Love-lace+x@Example.COM"), "Ada.Love-lace+x@example.com ada.love-lace+x@example.com");
  EXPECT_EQ(email("ada@b\u00fccher.example"), "ada@xn--bcher-kva.example ada@xn--bcher-kva.example");
  EXPECT_EQ(email("ada@B\u00dcCHER.example"), email("ada@b\u00fccher.example"));
  EXPECT_EQ(email("ada@xn--bcher-kva.example"), email("ada@b\u00fccher.example"));
  EXPECT_EQ(email("a@\u4f8b\u5b50.\u6d4b\u8bd5"), "a@xn--fsqu00a.xn--0zwm56d a@xn--fsqu00a.xn--0zwm56d");
  EXPECT_EQ(email("!#$%&'*+-/=?^_`{|}~@a.bc"), "!#$%&'*+-/=?^_`{|}~@a.bc !#$%&'*+-/=?^_`{|}~@a.bc");
}

TEST(Email, RefusesWhatNoServerTakesAndWhatWouldWriteHeaders) {
  const std::string long_local(65, 'a'), long_label(64, 'a'),
      long_domain = std::string(63, 'a') + "." + std::string(63, 'b');
  for (const std::string& bad : {std::string(),
                                 std::string("ada"),
                                 std::string("@example.com"),
                                 std::string("ada@"),
                                 std::string("ada@example"),
                                 std::string("ada@localhost"),
                                 std::string("a..b@example.com"),
                                 std::string(".a@example.com"),
                                 std::string("a.@example.com"),
                                 std::string("a b@example.com"),
                                 std::string("\"a b\"@example.com"),
                                 std::string("a@b@example.com"),
                                 std::string("ada@example.com\r\nBcc: x@y.zz"),
                                 std::string("a\n@example.com"),
                                 std::string("a\0@example.com", 14),
                                 std::string("a@exam\0ple.com", 14),
                                 std::string("a@[127.0.0.1]"),
                                 std::string("a@127.0.0.1"),
                                 std::string("a@-b.com"),
                                 std::string("a@b-.com"),
                                 std::string("a@b..com"),
                                 std::string("a@.com"),
                                 std::string("a@b.com."),
                                 std::string("a@b_c.com"),
                                 std::string("\u00fc@example.com"),
                                 std::string("a@b.com\xff"),
                                 long_local + "@example.com",
                                 "a@" + long_label + ".com",
                                 "a@" + long_domain + "." + long_domain + ".com",
                                 std::string(10'000, 'a') + "@example.com"})
    EXPECT_EQ(email(bad), "refused") << bad.substr(0, 80);
}

TEST(Code, IsEightDigitsWhereverTheSpacesAre) {
  EXPECT_EQ(code_digits("12345678"), "12345678");
  EXPECT_EQ(code_digits(" 1234-5678 "), "12345678");
  for (const char* bad : {"", "1234567", "123456789", "1234567a", "１２３４５６７８", "+1234567", "12345678\n"})
    EXPECT_EQ(code_digits(bad), "") << bad;
}

// --- network addresses -----------------------------------------------------------------------------------------------

std::vector<AddressRange> ranges(std::initializer_list<std::string_view> texts) {
  std::vector<AddressRange> out;
  for (const std::string_view text : texts) out.push_back(AddressRange::parse(text).value());
  return out;
}

TEST(AddressRange, TakesPrefixesAndNothingThatWasMeantOtherwise) {
  EXPECT_TRUE(AddressRange::parse("10.0.0.0/8")->contains("10.255.0.1"));
  EXPECT_FALSE(AddressRange::parse("10.0.0.0/8")->contains("11.0.0.1"));
  EXPECT_TRUE(AddressRange::parse("127.0.0.1")->contains("::ffff:127.0.0.1"));
  EXPECT_TRUE(AddressRange::parse("fd00::/9")->contains("fd7f::1"));
  EXPECT_FALSE(AddressRange::parse("fd00::/9")->contains("fd80::1"));
  EXPECT_TRUE(AddressRange::parse("0.0.0.0/0")->contains("8.8.8.8"));
  EXPECT_FALSE(AddressRange::parse("0.0.0.0/0")->contains("2001:db8::1"));
  EXPECT_TRUE(AddressRange::parse("::/0")->contains("8.8.8.8"));
  for (const char* bad : {"", "localhost", "10.0.0.0/33", "10.0.0.1/8", "::/129", "10.0.0.0/", "10.0.0.0/-1",
                          "10.0.0/8", "10.0.0.0/8 ", "fe80::1%eth0", "1.2.3.4:80"})
    EXPECT_FALSE(AddressRange::parse(bad)) << bad;
}

TEST(ClientAddress, BelievesOnlyWhatTrustedProxiesWrote) {
  const auto trusted = ranges({"10.0.0.0/8", "2001:db8::1"});
  const auto client = [&](std::string_view peer, std::vector<std::string_view> fields) {
    return client_address(peer, fields, trusted);
  };
  EXPECT_EQ(client("203.0.113.9", {}), "203.0.113.9");
  EXPECT_EQ(client("::ffff:203.0.113.9", {}), "203.0.113.9");
  EXPECT_EQ(client("203.0.113.9", {"198.51.100.1"}), "203.0.113.9") << "nobody asked it";
  EXPECT_EQ(client("10.0.0.1", {"198.51.100.1"}), "198.51.100.1");
  EXPECT_EQ(client("10.0.0.1", {"1.1.1.1, 198.51.100.1"}), "198.51.100.1") << "the client wrote the first";
  EXPECT_EQ(client("10.0.0.1", {"1.1.1.1, 198.51.100.1 , 10.3.0.1,10.2.0.1"}), "198.51.100.1");
  EXPECT_EQ(client("10.0.0.1", {"1.1.1.1", "198.51.100.1, 10.2.0.1"}), "198.51.100.1");
  EXPECT_EQ(client("2001:db8::1", {"2001:DB8:0:0:0::7"}), "2001:db8::7");
  EXPECT_EQ(client("10.0.0.1", {"198.51.100.1, nonsense"}), "10.0.0.1");
  EXPECT_EQ(client("10.0.0.1", {"198.51.100.1, 10.2.0.1, "}), "10.0.0.1");
  EXPECT_EQ(client("10.0.0.1", {"unknown, 10.2.0.1"}), "10.2.0.1");
  EXPECT_EQ(client("10.0.0.1", {"198.51.100.1:4711"}), "10.0.0.1");
  EXPECT_EQ(client("10.0.0.1", {"10.0.0.2"}), "10.0.0.2");
  EXPECT_EQ(client("10.0.0.1", {""}), "10.0.0.1");
  std::string many;
  for (int i = 0; i < 100; i++) many += "10.0.0.2, ";
  EXPECT_EQ(client("10.0.0.1", {"1.1.1.1, " + many + "10.0.0.3"}), "10.0.0.2") << "proxies in a row have an end";
  const std::string large(kMaxForwardedFor + 1, ',');
  EXPECT_EQ(client("10.0.0.1", {large}), "10.0.0.1");
}

TEST(ClientNetwork, CountsASubscriberOnce) {
  EXPECT_EQ(client_network("203.0.113.9"), "203.0.113.9");
  EXPECT_EQ(client_network("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
  EXPECT_EQ(client_network("2001:db8:1:2:ffff::"), client_network("2001:db8:1:2::1"));
  EXPECT_NE(client_network("2001:db8:1:3::1"), client_network("2001:db8:1:2::1"));
  EXPECT_EQ(client_network("::ffff:1.2.3.4"), "1.2.3.4");
}

// --- rates -----------------------------------------------------------------------------------------------------------

TEST(RateLimits, ABucketEmptiesAndFillsSteadily) {
  RateLimits limits;
  const Rate rate{3, infra::Milliseconds(60'000)};
  infra::SteadyTime now{};
  for (int i = 0; i < 3; i++) EXPECT_EQ(limits.take("a", rate, now), 0);
  EXPECT_EQ(limits.take("a", rate, now), 20);
  EXPECT_EQ(limits.take("b", rate, now), 0);
  now += infra::Milliseconds(19'000);
  EXPECT_EQ(limits.take("a", rate, now), 1);
  now += infra::Milliseconds(1'001);
  EXPECT_EQ(limits.take("a", rate, now), 0);
  now += std::chrono::hours(10);
  for (int i = 0; i < 3; i++) EXPECT_EQ(limits.take("a", rate, now), 0);
  EXPECT_NE(limits.take("a", rate, now), 0) << "a bucket never holds more than its size";
}

TEST(RateLimits, TheBucketThatWasNotUsedForLongestGoes) {
  RateLimits limits(2);
  const Rate rate{1, infra::Milliseconds(60'000)};
  const infra::SteadyTime now{};
  EXPECT_EQ(limits.take("a", rate, now), 0);
  EXPECT_EQ(limits.take("b", rate, now), 0);
  EXPECT_NE(limits.take("a", rate, now), 0);
  EXPECT_EQ(limits.take("c", rate, now), 0);
  EXPECT_EQ(limits.size(), 2u);
  EXPECT_NE(limits.take("a", rate, now), 0);
  EXPECT_EQ(limits.take("b", rate, now), 0) << "forgotten, so full";
}

// --- relying party ---------------------------------------------------------------------------------------------------

TEST(RelyingParty, FitsItsOrigin) {
  for (const auto& [id, origin] :
       std::initializer_list<std::pair<const char*, const char*>>{{"example.org", "https://example.org"},
                                                                  {"example.org", "https://node.example.org:8443"},
                                                                  {"node.example.org", "https://node.example.org"},
                                                                  {"localhost", "http://localhost:9000"},
                                                                  {"localhost", "http://localhost"},
                                                                  {"two.localhost", "http://two.localhost:9100"},
                                                                  {"localhost", "https://localhost:9443"}})
    EXPECT_EQ(misfit(id, origin).value_or("fits"), "fits") << id << " " << origin;
  for (const auto& [id, origin] :
       std::initializer_list<std::pair<const char*, const char*>>{{"", ""},
                                                                  {"example.org", ""},
                                                                  {"example.org", "example.org"},
                                                                  {"example.org", "http://example.org"},
                                                                  {"example.org", "https://example.org/"},
                                                                  {"example.org", "https://example.org:443"},
                                                                  {"example.org", "https://example.org:0"},
                                                                  {"example.org", "https://example.org:08443"},
                                                                  {"example.org", "https://example.org:65536"},
                                                                  {"example.org", "https://Example.org"},
                                                                  {"example.org", "https://notexample.org"},
                                                                  {"example.org", "https://example.org.evil.example"},
                                                                  {"node.example.org", "https://example.org"},
                                                                  {"org", "https://example.org"},
                                                                  {"https://example.org", "https://example.org"},
                                                                  {"127.0.0.1", "http://127.0.0.1:9000"},
                                                                  {"localhost", "http://localhost:80"},
                                                                  {"localhost", "http://two.localhost:9100"},
                                                                  {"two.localhost", "http://localhost:9000"},
                                                                  {"evillocalhost", "http://evillocalhost:9000"},
                                                                  {"localhost", "http://user@localhost:9000"},
                                                                  {"localhost", "http://localhost:9000/page"}})
    EXPECT_TRUE(misfit(id, origin)) << id << " " << origin;
  EXPECT_TRUE(misfit("example.org", "https://" + std::string(200, 'a') + ".example.org"));
}

}  // namespace
}  // namespace community::users
