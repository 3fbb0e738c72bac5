// SPDX-License-Identifier: Apache-2.0
// Quotes, manifests and pins: what is read is strict JSON with one reading, and no input makes all answers hold but the
// quote that a key signed.
#include "community/attestation/api/verifier.hpp"
#include "community/core/json.hpp"
#include "fuzz/core/fuzz.hpp"

using namespace community;
using core::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = base::text({data, size});
  const auto manifest = attestation::parse_manifest(text);
  const auto pins = attestation::parse_pins(text);
  const auto quote = attestation::parse_quote(text);
  if (manifest || pins || quote) require(core::parse_json(text).has_value(), "a document is strict JSON");
  require(manifest.has_value() + pins.has_value() + quote.has_value() <= 1, "a document is of one kind");
  if (pins) {
    const std::string written = attestation::format_pins(*pins);
    const auto again = attestation::parse_pins(written);
    require(again && attestation::format_pins(*again) == written, "pins are read as they are written");
  }
  if (!quote) return 0;
  const std::string written = attestation::format_quote(*quote);
  const auto again = attestation::parse_quote(written);
  require(again && attestation::format_quote(*again) == written, "a quote is read as it is written");
  // The manifest and the pins that this quote would need, whatever it says: its signatures are still missing.
  attestation::Manifest fitting;
  attestation::Pins pinned;
  if (quote->quotes) {
    fitting.images.push_back({quote->statement.body, quote->statement.protection,
                              quote->quotes->application.measurement, quote->quotes->system.measurement});
    pinned.pins.push_back(
        {attestation::fingerprint(quote->quotes->key), quote->statement.core_id, "2026-01-01T00:00:00Z"});
  }
  const auto verdict = attestation::verify(text, quote->statement.challenge, &fitting, &pinned);
  const bool held = attestation::everything_holds(verdict);
  require(!held || (!verdict.refusal && quote->quotes && verdict.code.matches() && verdict.key.vouched()),
          "only a genuine quote holds");
  core::Bytes32 other = quote->statement.challenge;
  other[0] ^= 1;
  require(attestation::verify(text, other, &fitting, &pinned).refusal.has_value(), "another challenge is refused");
  for (const std::string& line : attestation::describe(verdict, &fitting))
    require(line.find("protected") == std::string::npos, "no promise");
  return 0;
}
