// SPDX-License-Identifier: Apache-2.0
#include "community/attestation/api/quote.hpp"

#include "community/attestation/api/document.hpp"
#include "community/attestation/names.hpp"
#include "trusted/base/sha2.hpp"

namespace community::attestation {
namespace {

// A key or signature of another size is refused for its size and not as malformed; RSA-4096 is the PTA's largest.
constexpr std::size_t kMaxRsaBytes = 512;

MeasurementQuote read_quote(const json::value& value, std::string_view where, Members& outer) {
  Members members(value, where, {"measurement", "signature"});
  MeasurementQuote quote;
  quote.measurement = members.fixed<32>("measurement");
  quote.signature = members.hex("signature", 1, kMaxRsaBytes);
  outer.take(members.error());
  return quote;
}

protocol::AttestationStatement read_statement(const json::value& value, Members& outer) {
  Members members(value, "statement",
                  {"challenge", "coreId", "identityKey", "hpkeKey", "configurationDigest", "epoch", "recoveryCount",
                   "rootKeyVersion", "body", "protection"});
  protocol::AttestationStatement statement;
  statement.challenge = members.fixed<32>("challenge");
  statement.core_id = members.fixed<16>("coreId");
  statement.identity_key = members.fixed<64>("identityKey");
  statement.hpke_key = members.fixed<65>("hpkeKey");
  statement.configuration_digest = members.fixed<32>("configurationDigest");
  statement.epoch = members.number<std::uint64_t>("epoch");
  statement.recovery_count = members.number<std::uint32_t>("recoveryCount");
  statement.root_key_version = members.number<std::uint32_t>("rootKeyVersion");
  statement.body = read_name(members, "body", kBodyNames);
  statement.protection = read_name(members, "protection", kProtectionNames);
  outer.take(members.error());
  return statement;
}

std::string quoted(std::string_view text) { return "\"" + std::string(text) + "\""; }

std::string hex_member(std::string_view name, core::ByteView bytes) {
  return quoted(name) + ": " + quoted(core::to_plain_hex(bytes));
}

template <class T>
std::string number_member(std::string_view name, T value) {
  std::array<std::uint8_t, sizeof(T)> bytes;
  base::store_be(bytes.data(), value);
  return hex_member(name, bytes);
}

std::string format_measurement(std::string_view name, const MeasurementQuote& quote) {
  return "    " + quoted(name) + ": {\n      " + hex_member("measurement", quote.measurement) + ",\n      " +
         hex_member("signature", quote.signature) + "\n    }";
}

// One element of DER (X.690, section 8.1): tag, definite length, contents.
Bytes der(std::uint8_t tag, core::ByteView contents) {
  Bytes out{tag};
  const std::size_t size = contents.size();
  if (size >= 0x100) {
    out.insert(out.end(), {0x82, static_cast<std::uint8_t>(size >> 8), static_cast<std::uint8_t>(size)});
  } else if (size >= 0x80) {
    out.insert(out.end(), {0x81, static_cast<std::uint8_t>(size)});
  } else {
    out.push_back(static_cast<std::uint8_t>(size));
  }
  core::append(out, contents);
  return out;
}

// A positive INTEGER: without leading zeros but the one that keeps the sign.
Bytes der_integer(core::ByteView number) {
  while (number.size() > 1 && number[0] == 0) number = number.subspan(1);
  Bytes contents;
  if (number.empty() || (number[0] & 0x80) != 0) contents.push_back(0);
  core::append(contents, number);
  return der(0x02, contents);
}

}  // namespace

std::string_view body_name(std::uint8_t body) { return name_of(kBodyNames, body); }
std::string_view protection_name(std::uint8_t protection) { return name_of(kProtectionNames, protection); }

Result<QuoteDocument> parse_quote(std::string_view text) {
  const auto value = read_document(text, kMaxQuoteDocument);
  if (!value) return tl::unexpected(value.error());
  if (auto known = check_format(*value, kQuoteFormat); !known) return tl::unexpected(known.error());
  Members members(*value, "quote", {"format", "statement", "attestationKey", "quotes"});
  members.text("format");
  QuoteDocument document;
  document.statement = read_statement(members.at("statement"), members);
  Quotes quotes;
  const bool has_key = !members.is_null("attestationKey"), has_quotes = !members.is_null("quotes");
  if (has_key) {
    Members key(members.at("attestationKey"), "attestationKey", {"n", "e"});
    quotes.key.modulus = key.hex("n", 1, kMaxRsaBytes);
    quotes.key.exponent = key.number<std::uint32_t>("e");
    members.take(key.error());
  }
  if (has_quotes) {
    Members both(members.at("quotes"), "quotes", {"application", "system"});
    quotes.application = read_quote(both.at("application"), "application", both);
    quotes.system = read_quote(both.at("system"), "system", both);
    members.take(both.error());
  }
  if (members.error()) return tl::unexpected(*members.error());
  if (has_key != has_quotes) return fail(ErrorCode::quotes_and_key_apart, has_key ? "no quotes" : "no key");
  if (has_quotes) document.quotes = std::move(quotes);
  return document;
}

std::string format_quote(const QuoteDocument& document) {
  const protocol::AttestationStatement& statement = document.statement;
  std::string text = "{\n  \"format\": " + quoted(kQuoteFormat) + ",\n  \"statement\": {\n";
  for (const std::string& member :
       {hex_member("challenge", statement.challenge), hex_member("coreId", statement.core_id),
        hex_member("identityKey", statement.identity_key), hex_member("hpkeKey", statement.hpke_key),
        hex_member("configurationDigest", statement.configuration_digest), number_member("epoch", statement.epoch),
        number_member("recoveryCount", statement.recovery_count),
        number_member("rootKeyVersion", statement.root_key_version), "\"body\": " + quoted(body_name(statement.body))})
    text += "    " + member + ",\n";
  text += "    \"protection\": " + quoted(protection_name(statement.protection)) + "\n  },\n";
  if (!document.quotes) return text + "  \"attestationKey\": null,\n  \"quotes\": null\n}\n";
  const Quotes& quotes = *document.quotes;
  text += "  \"attestationKey\": {\n    " + hex_member("n", quotes.key.modulus) + ",\n    " +
          number_member("e", quotes.key.exponent) + "\n  },\n";
  return text + "  \"quotes\": {\n" + format_measurement("application", quotes.application) + ",\n" +
         format_measurement("system", quotes.system) + "\n  }\n}\n";
}

Bytes32 fingerprint(const AttestationKey& key) {
  std::array<std::uint8_t, 4> exponent;
  base::store_be(exponent.data(), key.exponent);
  Bytes rsa = der_integer(key.modulus);
  core::append(rsa, der_integer(exponent));
  // AlgorithmIdentifier of rsaEncryption with its NULL (RFC 3279, section 2.3.1).
  constexpr std::array<std::uint8_t, 15> kRsaEncryption{0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86,
                                                        0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00};
  Bytes bits{0};
  core::append(bits, der(0x30, rsa));
  Bytes info(kRsaEncryption.begin(), kRsaEncryption.end());
  core::append(info, der(0x03, bits));
  return base::sha256(der(0x30, info));
}

}  // namespace community::attestation
