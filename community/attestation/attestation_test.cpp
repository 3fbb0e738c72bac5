// SPDX-License-Identifier: Apache-2.0
// Quotes, manifests and pins against the cases that web/attestation answers too (tests/vectors/attestation), and what
// they do not say: words, documents written and read again.
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <sstream>

#include "community/attestation/api/verifier.hpp"
#include "community/core/json.hpp"
#include "trusted/base/sha2.hpp"

namespace community::attestation {
namespace {

namespace json = core::json;

std::string read_source(const std::string& path) {
  std::ifstream file(std::string(COMMUNITY_SOURCE_DIR) + "/" + path);
  EXPECT_TRUE(file) << path;
  std::stringstream content;
  content << file.rdbuf();
  return content.str();
}

std::string text_at(const json::object& object, std::string_view name) {
  return std::string(object.at(name).as_string());
}

// The text of a case: a base document with a piece replaced, filled with spaces.
std::string case_text(const json::object& vectors, const json::object& one) {
  std::string text = text_at(vectors.at("documents").as_object(), text_at(one, "document"));
  const auto from = one.at("from").to_number<std::size_t>(), to = one.at("to").to_number<std::size_t>();
  text.replace(from, to - from, text_at(one, "text"));
  const auto pad = one.at("pad").to_number<std::size_t>();
  if (text.size() < pad) text.resize(pad, ' ');
  return text;
}

template <class Document, class Parse>
std::map<std::string, Document> parse_table(const json::value& table, Parse parse) {
  std::map<std::string, Document> parsed;
  for (const auto& [name, text] : table.as_object()) {
    auto document = parse(std::string_view(text.as_string()));
    if (document) {
      parsed.emplace(name, std::move(*document));
    } else {
      ADD_FAILURE() << name << ": " << document.error().text();
    }
  }
  return parsed;
}

class Quotes : public ::testing::Test {
 protected:
  Quotes() {
    static const json::value parsed = core::parse_json(read_source("tests/vectors/attestation/cases.json")).value();
    vectors = &parsed.as_object();
    manifests = parse_table<Manifest>(vectors->at("manifests"), parse_manifest);
    pins = parse_table<Pins>(vectors->at("pins"), parse_pins);
  }
  const Manifest* manifest_of(const json::object& one) {
    return one.at("manifest").is_null() ? nullptr : &manifests.at(text_at(one, "manifest"));
  }
  const Pins* pins_of(const json::object& one) {
    return one.at("pins").is_null() ? nullptr : &pins.at(text_at(one, "pins"));
  }
  Verdict verdict_of(const json::object& one) {
    const Bytes32 challenge = core::parse_bytes32(text_at(one, "challenge"), core::HexPrefix::optional).value();
    return verify(case_text(*vectors, one), challenge, manifest_of(one), pins_of(one));
  }
  // Of the case with this name.
  Verdict verdict_of(std::string_view name) {
    for (const json::value& one : vectors->at("cases").as_array())
      if (text_at(one.as_object(), "name") == name) return verdict_of(one.as_object());
    ADD_FAILURE() << "no case " << name;
    return {};
  }
  std::string good() { return text_at(vectors->at("documents").as_object(), "good"); }

  const json::object* vectors;
  std::map<std::string, Manifest> manifests;
  std::map<std::string, Pins> pins;
};

json::value answers(const Verdict& verdict) {
  if (verdict.refusal) return {{"refusal", std::string(name(verdict.refusal->code))}};
  return {{"refusal", nullptr},
          {"application", std::string(name(verdict.code.application))},
          {"system", std::string(name(verdict.code.system))},
          {"voucher", std::string(name(verdict.key.voucher))},
          {"fingerprint", core::to_plain_hex(verdict.key.fingerprint)},
          {"since", verdict.key.since},
          {"listed", verdict.key.listed},
          {"protection", std::string(protection_name(verdict.machine.protection))},
          {"believed", verdict.machine.believed},
          {"holds", everything_holds(verdict)}};
}

TEST_F(Quotes, EveryCaseHasItsAnswers) {
  const json::array& cases = vectors->at("cases").as_array();
  EXPECT_GT(cases.size(), 100u);
  for (const json::value& one : cases) {
    const json::object& object = one.as_object();
    const Verdict verdict = verdict_of(object);
    EXPECT_EQ(answers(verdict), object.at("expect"))
        << text_at(object, "name") << ": " << json::serialize(answers(verdict))
        << (verdict.refusal ? ", " + verdict.refusal->text() : "");
  }
}

TEST_F(Quotes, EveryRefusalHasACase) {
  std::map<std::string, int> seen;
  for (const json::value& one : vectors->at("cases").as_array()) {
    const json::value& refusal = one.as_object().at("expect").as_object().at("refusal");
    if (!refusal.is_null()) seen[std::string(refusal.as_string())]++;
  }
  for (int code = 0;; code++) {
    const std::string_view rule = name(static_cast<ErrorCode>(code));
    if (rule == "unknown") break;
    EXPECT_GT(seen[std::string(rule)], 0) << rule;
  }
}

TEST_F(Quotes, ManifestsAndPinsThatAreNoneAreRefused) {
  for (const json::value& one : vectors->at("brokenManifests").as_array()) {
    const auto read = parse_manifest(std::string_view(one.as_object().at("text").as_string()));
    ASSERT_FALSE(read) << text_at(one.as_object(), "name");
    EXPECT_EQ(name(read.error().code), text_at(one.as_object(), "refusal")) << text_at(one.as_object(), "name");
  }
  for (const json::value& one : vectors->at("brokenPins").as_array()) {
    const auto read = parse_pins(std::string_view(one.as_object().at("text").as_string()));
    ASSERT_FALSE(read) << text_at(one.as_object(), "name");
    EXPECT_EQ(name(read.error().code), text_at(one.as_object(), "refusal")) << text_at(one.as_object(), "name");
  }
  for (const auto& [parse_size, text] :
       {std::pair(kMaxListDocument, text_at(vectors->at("pins").as_object(), "this"))}) {
    std::string padded = text;
    padded.resize(parse_size, ' ');
    EXPECT_TRUE(parse_pins(padded));
    padded += ' ';
    EXPECT_EQ(parse_pins(padded).error().code, ErrorCode::document_too_large);
    EXPECT_EQ(parse_manifest(padded).error().code, ErrorCode::document_too_large);
  }
}

// Not made by the script of the other cases but by OP-TEE's attestation PTA, measured as tools/manifest predicts.
TEST_F(Quotes, ThatOfARealOpTeeMatchesItsImage) {
  const json::value file = core::parse_json(read_source("tests/vectors/attestation/optee.json")).value();
  const json::object& real = file.as_object();
  const Manifest manifest = parse_manifest(text_at(real, "manifest")).value();
  const Bytes32 challenge = core::parse_bytes32(text_at(real, "challenge"), core::HexPrefix::optional).value();
  const Verdict verdict = verify(text_at(real, "quote"), challenge, &manifest, nullptr);
  EXPECT_EQ(answers(verdict), real.at("expect")) << json::serialize(answers(verdict));
}

// Every byte of a good document matters, or the document says the same without it.
TEST_F(Quotes, NoChangedCharacterIsOverlooked) {
  const std::string text = good();
  const Verdict before = verdict_of("all holds");
  ASSERT_TRUE(everything_holds(before));
  const Bytes32 challenge = before.document.statement.challenge;
  const Pins& pinned = pins.at("this");
  std::size_t same = 0;
  for (std::size_t i = 0; i < text.size(); i++) {
    std::string bent = text;
    bent[i] = bent[i] == '0' ? '1' : '0';
    const Verdict verdict = verify(bent, challenge, &manifests.at("release"), &pinned);
    if (everything_holds(verdict)) same++;
  }
  // White space replaced by a digit is no JSON, and every digit is signed or compared.
  EXPECT_EQ(same, 0u);
}

TEST_F(Quotes, ADocumentIsWrittenAsItIsRead) {
  for (const char* name : {"all holds", "a board", "a software body"}) {
    const QuoteDocument document = verdict_of(name).document;
    const std::string written = format_quote(document);
    const auto again = parse_quote(written);
    ASSERT_TRUE(again) << again.error().text();
    EXPECT_EQ(format_quote(*again), written);
    EXPECT_EQ(again->quotes.has_value(), document.quotes.has_value());
    const Bytes32 challenge = document.statement.challenge;
    EXPECT_EQ(answers(verify(written, challenge, &manifests.at("release"), &pins.at("this"))),
              answers(verdict_of(name)));
  }
  const Pins& several = pins.at("several");
  const auto read = parse_pins(format_pins(several));
  ASSERT_TRUE(read);
  ASSERT_EQ(read->pins.size(), several.pins.size());
  for (std::size_t i = 0; i < several.pins.size(); i++) {
    EXPECT_EQ(read->pins[i].attestation_key, several.pins[i].attestation_key);
    EXPECT_EQ(read->pins[i].core_id, several.pins[i].core_id);
    EXPECT_EQ(read->pins[i].first_seen, several.pins[i].first_seen);
  }
  EXPECT_TRUE(parse_pins(format_pins({}))->pins.empty());
}

TEST_F(Quotes, TheReportIsThatOfTheSpecification) {
  const QuoteDocument document = verdict_of("all holds").document;
  std::array<std::uint8_t, protocol::kAttestationStatement> buffer;
  const auto encoded = protocol::encode(document.statement, buffer);
  ASSERT_EQ(encoded.size(), 227u);
  EXPECT_EQ(protocol::attestation_report(protocol::QuoteKind::system, document.statement),
            base::sha256({base::view("community attestation: system"), encoded}));
}

// STYLE.md: nothing is called protected whose protection is none or an emulator.
TEST_F(Quotes, NoWordsPromiseMoreThanThereIs) {
  for (const json::value& one : vectors->at("cases").as_array()) {
    const Verdict verdict = verdict_of(one.as_object());
    std::string words;
    for (const std::string& line : describe(verdict, manifest_of(one.as_object()))) words += line + "\n";
    EXPECT_EQ(words.find("protected"), std::string::npos) << words;
    EXPECT_EQ(words.find("secure"), std::string::npos) << words;
    if (verdict.refusal) {
      EXPECT_EQ(words.rfind("NOT GENUINE: ", 0), 0u) << words;
      continue;
    }
    const auto protection = static_cast<protocol::Protection>(verdict.machine.protection);
    const bool hardware = words.find("3 machine    hardware, ") != std::string::npos;
    EXPECT_EQ(hardware, protection == protocol::Protection::hardware) << words;
    const bool host_reads = words.find("can read every key") != std::string::npos;
    EXPECT_EQ(host_reads, protection != protocol::Protection::hardware) << words;
  }
}

TEST_F(Quotes, TheWordsNameEachAnswer) {
  const auto all = describe(verdict_of("made by software with a foreign key"), &manifests.at("release"));
  const std::string fingerprint = core::to_plain_hex(verdict_of("made by software with a foreign key").key.fingerprint);
  ASSERT_GE(all.size(), 5u);
  EXPECT_EQ(all[1].rfind("1 code       application ", 0), 0u) << all[1];
  EXPECT_NE(all[1].find("is the one of release 0.1.0"), std::string::npos) << all[1];
  EXPECT_NE(all[3].find("that is the word of the key below, which nobody vouches for"), std::string::npos) << all[3];
  EXPECT_EQ(all[4], "2 key        attestation key " + fingerprint + " IS NOT a key that is pinned here");
  EXPECT_EQ(all[5].rfind("3 machine    emulated", 0), 0u) << all[5];
  for (const std::string& line : describe(verdict_of("all holds"), &manifests.at("release")))
    EXPECT_EQ(line.find("the word of the key below"), std::string::npos) << line;
  const auto claimed =
      describe(verdict_of("made by software that claims the code of a board"), &manifests.at("release"));
  EXPECT_EQ(claimed[5].rfind("3 machine    hardware, if the key above is a TEE's", 0), 0u) << claimed[5];
  const auto refused = describe(verdict_of("another challenge"), nullptr);
  ASSERT_EQ(refused.size(), 1u);
  EXPECT_EQ(refused[0].rfind("NOT GENUINE: challenge_mismatch", 0), 0u) << refused[0];
  const auto unmatched = describe(verdict_of("no manifest, no pins"), nullptr);
  EXPECT_NE(unmatched[5].find("as code says that nobody checked"), std::string::npos) << unmatched[5];
}

}  // namespace
}  // namespace community::attestation
