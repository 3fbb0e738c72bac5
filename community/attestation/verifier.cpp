// SPDX-License-Identifier: Apache-2.0
#include "community/attestation/api/verifier.hpp"

#include <algorithm>

#include "community/attestation/rsa_pss.hpp"
#include "trusted/base/sha2.hpp"

namespace community::attestation {
namespace {

using protocol::Body;
using protocol::Protection;
using protocol::QuoteKind;

// A process protects nothing, an emulator emulates; the code for boards also runs where the board is emulated.
bool protection_of_body(const protocol::AttestationStatement& statement) {
  const auto protection = static_cast<Protection>(statement.protection);
  switch (static_cast<Body>(statement.body)) {
    case Body::process:
      return protection == Protection::none;
    case Body::optee_qemu:
      return protection == Protection::emulated;
    case Body::optee_device:
      return protection == Protection::emulated || protection == Protection::hardware;
  }
  return false;
}

bool signature_valid(const QuoteDocument& document, QuoteKind kind, const MeasurementQuote& quote) {
  if (quote.signature.size() != protocol::kQuoteKeyBytes) return false;
  const Bytes32 report = protocol::attestation_report(kind, document.statement);
  // What the PTA signs: SHA-256 over the nonce, which is the report, and the measurement.
  return verify_rsa_pss(document.quotes->key, base::sha256({report, quote.measurement}), quote.signature);
}

Result<void> check_quotes(const QuoteDocument& document) {
  const bool software = document.statement.body == static_cast<std::uint8_t>(Body::process);
  if (!document.quotes) {
    if (software) return {};
    return fail(ErrorCode::quotes_missing, std::string(body_name(document.statement.body)) + " without quotes");
  }
  if (software) return fail(ErrorCode::quotes_of_software_body, "a process with quotes");
  const Quotes& quotes = *document.quotes;
  const Bytes& modulus = quotes.key.modulus;
  // 3,072 bits exactly, and odd, as every product of two large primes is.
  if (modulus.size() != protocol::kQuoteKeyBytes || (modulus.front() & 0x80) == 0 || (modulus.back() & 1) == 0)
    return fail(ErrorCode::attestation_key_not_rsa_3072, std::to_string(modulus.size() * 8) + " bits at most");
  if (quotes.key.exponent != kExponent)
    return fail(ErrorCode::attestation_key_exponent, std::to_string(quotes.key.exponent));
  if (quotes.application.measurement == quotes.system.measurement)
    return fail(ErrorCode::measurements_equal, "the same for application and TEE core");
  if (!signature_valid(document, QuoteKind::application, quotes.application))
    return fail(ErrorCode::application_signature_invalid, "not over this statement by this key as this kind");
  if (!signature_valid(document, QuoteKind::system, quotes.system))
    return fail(ErrorCode::system_signature_invalid, "not over this statement by this key as this kind");
  return {};
}

// Both measurements are compared with one image: an application of one release on the core of another is neither.
CodeAnswer check_code(const QuoteDocument& document, const Manifest* manifest) {
  if (!document.quotes) return {Match::not_measured, Match::not_measured};
  if (manifest == nullptr) return {Match::no_manifest, Match::no_manifest};
  CodeAnswer best{Match::not_listed, Match::not_listed};
  int most = -1;
  for (const Image& image : manifest->images) {
    if (image.body != document.statement.body || image.protection != document.statement.protection) continue;
    const bool application = image.application == document.quotes->application.measurement;
    const bool system = image.system == document.quotes->system.measurement;
    const int score = 2 * application + system;
    if (score <= most) continue;
    most = score;
    best = {application ? Match::matches : Match::differs, system ? Match::matches : Match::differs};
  }
  return best;
}

KeyAnswer check_key(const QuoteDocument& document, const Manifest* manifest, const Pins* pins) {
  KeyAnswer answer;
  answer.voucher = Voucher::no_key;
  if (!document.quotes) return answer;
  answer.fingerprint = fingerprint(document.quotes->key);
  answer.listed = manifest != nullptr && std::find(manifest->attestation_keys.begin(), manifest->attestation_keys.end(),
                                                   answer.fingerprint) != manifest->attestation_keys.end();
  answer.voucher = answer.listed ? Voucher::listed : Voucher::unknown;
  if (pins == nullptr || pins->pins.empty()) return answer;
  // A client that has pinned a key believes its own eyes before any list.
  answer.voucher = Voucher::other_key_pinned;
  for (const Pin& pin : pins->pins) {
    if (pin.attestation_key != answer.fingerprint) continue;
    answer.voucher = Voucher::other_core;
    if (pin.core_id != document.statement.core_id) continue;
    answer.voucher = Voucher::pinned;
    answer.since = pin.first_seen;
    break;
  }
  return answer;
}

std::string code_words(std::string_view what, const Bytes32& measurement, Match match, const Manifest* manifest) {
  const std::string subject = std::string(what) + " " + core::to_plain_hex(measurement);
  switch (match) {
    case Match::matches:
      return subject + " is the one of release " + manifest->version + ", commit " + manifest->commit;
    case Match::differs:
      return subject + " DIFFERS from release " + manifest->version + ", commit " + manifest->commit;
    case Match::not_listed:
      return subject + " is in no image of this body and protection in the manifest";
    case Match::no_manifest:
      return subject + " was not compared: no manifest was given";
    case Match::not_measured:
      break;
  }
  return "nothing measured it: this body has no quotes";
}

std::string key_words(const KeyAnswer& key) {
  const std::string subject = "attestation key " + core::to_plain_hex(key.fingerprint);
  const std::string listed = key.listed ? "; the manifest lists it" : "";
  switch (key.voucher) {
    case Voucher::pinned:
      return subject + " is the one pinned here on " + key.since + listed;
    case Voucher::listed:
      return subject + " is listed in the manifest: whoever made that vouches for it";
    case Voucher::unknown:
      return subject + " is vouched for by nobody; anybody can make a key that signs such a quote";
    case Voucher::other_key_pinned:
      return subject + " IS NOT a key that is pinned here" + listed;
    case Voucher::other_core:
      return subject + " is pinned here, BUT FOR ANOTHER CORE: this one was provisioned since" + listed;
    case Voucher::no_key:
      break;
  }
  return "there is no attestation key: nobody but the host stands behind this";
}

std::string machine_words(const Verdict& verdict) {
  // Measurements are the word of the key, and the machine is the word of the code: each is worth what stands before it.
  const std::string source = verdict.machine.believed ? ", as the code of the manifest says: "
                             : verdict.code.matches() ? ", if the key above is a TEE's, which nobody vouches for: "
                                                      : ", as code says that nobody checked: ";
  switch (static_cast<Protection>(verdict.machine.protection)) {
    case Protection::emulated:
      return "emulated" + source + "a TEE's software in an emulator; whoever controls the host can read every key";
    case Protection::hardware:
      return "hardware" + source + "a TEE on a board";
    case Protection::none:
      break;
  }
  return "none: a software process; whoever controls its machine can read every key";
}

}  // namespace

Verdict verify(std::string_view quote, const Bytes32& challenge, const Manifest* manifest, const Pins* pins) {
  Verdict verdict;
  auto document = parse_quote(quote);
  if (!document) {
    verdict.refusal = document.error();
    return verdict;
  }
  verdict.document = std::move(*document);
  const protocol::AttestationStatement& statement = verdict.document.statement;
  if (statement.challenge != challenge) {
    verdict.refusal = Error{ErrorCode::challenge_mismatch, "it answers " + core::to_plain_hex(statement.challenge)};
  } else if (!protection_of_body(statement)) {
    verdict.refusal = Error{ErrorCode::protection_not_of_body, std::string(protection_name(statement.protection)) +
                                                                   " and " + std::string(body_name(statement.body))};
  } else if (auto checked = check_quotes(verdict.document); !checked) {
    verdict.refusal = checked.error();
  }
  if (verdict.refusal) return verdict;
  verdict.code = check_code(verdict.document, manifest);
  verdict.key = check_key(verdict.document, manifest, pins);
  verdict.machine = {statement.protection, verdict.code.matches() && verdict.key.vouched()};
  return verdict;
}

bool everything_holds(const Verdict& verdict) {
  return !verdict.refusal && verdict.machine.believed &&
         verdict.machine.protection != static_cast<std::uint8_t>(Protection::none);
}

std::vector<std::string> describe(const Verdict& verdict, const Manifest* manifest) {
  if (verdict.refusal) return {"NOT GENUINE: " + verdict.refusal->text()};
  const protocol::AttestationStatement& statement = verdict.document.statement;
  std::vector<std::string> lines;
  const bool quoted = verdict.document.quotes.has_value();
  lines.push_back(quoted ? "genuine      one key signed both quotes, over this statement and this challenge"
                         : "no quote     the body says itself that it has none");
  const Quotes none;
  const Quotes& quotes = quoted ? *verdict.document.quotes : none;
  lines.push_back("1 code       " +
                  code_words("application", quotes.application.measurement, verdict.code.application, manifest));
  if (quoted)
    lines.push_back("             " + code_words("TEE core", quotes.system.measurement, verdict.code.system, manifest));
  if (quoted && !verdict.key.vouched())
    lines.push_back("             that is the word of the key below, which nobody vouches for");
  lines.push_back("2 key        " + key_words(verdict.key));
  lines.push_back("3 machine    " + machine_words(verdict));
  lines.push_back("core         " + core::to_plain_hex(statement.core_id) + ", epoch " +
                  std::to_string(statement.epoch) + ", recoveries " + std::to_string(statement.recovery_count) +
                  ", root key version " + std::to_string(statement.root_key_version));
  lines.push_back("identity     " + core::to_plain_hex(statement.identity_key));
  lines.push_back("HPKE key     " + core::to_plain_hex(statement.hpke_key));
  lines.push_back("configured   " + core::to_plain_hex(statement.configuration_digest));
  return lines;
}

}  // namespace community::attestation
