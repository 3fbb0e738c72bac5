// SPDX-License-Identifier: Apache-2.0
// The encoding against another implementation, and a chain in which anything at all was changed.
#include "community/audit/api/entry.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <random>
#include <set>
#include <sstream>

#include "community/audit/api/events.hpp"
#include "community/core/json.hpp"

namespace community::audit {
namespace {

namespace json = core::json;

Bytes32 hex32(const json::value& text) {
  return core::parse_bytes32(std::string(text.as_string()), core::HexPrefix::optional).value();
}

std::vector<Entry> vectors() {
  std::stringstream text;
  text << std::ifstream(std::string(COMMUNITY_SOURCE_DIR) + "/tests/vectors/audit/cases.json").rdbuf();
  std::vector<Entry> entries;
  const json::value document = core::parse_json(text.str()).value();
  for (const json::value& one : document.as_array()) {
    Entry entry;
    entry.sequence = one.at("sequence").to_number<std::uint64_t>();
    entry.time_ms = one.at("timeMs").to_number<std::int64_t>();
    entry.event = std::string(one.at("event").as_string());
    entry.subject = std::string(one.at("subject").as_string());
    entry.payload_digest = hex32(one.at("payloadDigest"));
    entry.previous = hex32(one.at("previous"));
    entry.hash = hex32(one.at("hash"));
    entry.payload = Payload{hex32(one.at("salt")), std::string(one.at("payload").as_string())};
    entries.push_back(std::move(entry));
  }
  return entries;
}

// A chain of random entries; every third is about one of three subjects.
std::vector<Entry> chain(std::mt19937_64& random, std::size_t count) {
  std::vector<Entry> entries;
  Bytes32 previous{};
  for (std::size_t i = 1; i <= count; i++) {
    Entry entry;
    entry.sequence = i;
    entry.time_ms = static_cast<std::int64_t>(random() >> 20);
    entry.event = std::string(kEventWords[random() % (kEventNames - 1)]);
    if (entry.event == "PayloadsErased") entry.event = "WalletUsed";
    entry.subject = random() % 3 == 0 ? "subject-" + std::to_string(random() % 3) : "";
    Payload payload;
    for (auto& byte : payload.salt) byte = static_cast<std::uint8_t>(random());
    payload.text = "{\"n\":" + std::to_string(random()) + "}";
    entry.payload_digest = payload_digest(payload);
    entry.payload = payload;
    entry.previous = previous;
    entry.hash = previous = entry_hash(entry);
    entries.push_back(std::move(entry));
  }
  return entries;
}

void erase_and_say(std::vector<Entry>& entries, const std::string& subject) {
  for (Entry& entry : entries)
    if (entry.subject == subject) entry.payload.reset();
  Entry said;
  said.sequence = entries.size() + 1;
  said.event = "PayloadsErased";
  said.subject = subject;
  said.payload = Payload{{}, "{}"};
  said.payload_digest = payload_digest(*said.payload);
  said.previous = entries.back().hash;
  said.hash = entry_hash(said);
  entries.push_back(said);
}

std::optional<Finding> verify(const std::vector<Entry>& entries, std::vector<Head> kept = {}) {
  ChainVerifier verifier(std::move(kept));
  for (const Entry& entry : entries)
    if (!verifier.take(entry)) break;
  return verifier.finish();
}

void expect_fault(const std::vector<Entry>& entries, Fault fault, std::uint64_t sequence, std::vector<Head> kept = {}) {
  const auto finding = verify(entries, std::move(kept));
  ASSERT_TRUE(finding.has_value());
  EXPECT_EQ(name(finding->fault), name(fault)) << finding->words;
  EXPECT_EQ(finding->sequence, sequence) << finding->words;
}

TEST(AuditEntry, HashesAreThoseOfAnotherImplementation) {
  const auto entries = vectors();
  ASSERT_EQ(entries.size(), 5u);
  for (const Entry& entry : entries) {
    EXPECT_EQ(payload_digest(*entry.payload), entry.payload_digest) << entry.sequence;
    EXPECT_EQ(entry_hash(entry), entry.hash) << entry.sequence;
  }
  EXPECT_FALSE(verify(entries).has_value());
}

TEST(AuditEntry, NoTwoSplitsOfATextAreTheSameEntry) {
  Entry one;
  one.event = "AB";
  one.subject = "C";
  Entry other = one;
  other.event = "A";
  other.subject = "BC";
  EXPECT_NE(entry_hash(one), entry_hash(other));
}

TEST(AuditEntry, NamesAreTheFoundersAndEachIsOne) {
  const std::vector<std::string_view> founders{"UserRegistered",       "UserAuthenticated", "WalletCreated",
                                               "WalletUsed",           "BiometricSetup",    "SecurityViolation",
                                               "TransactionInitiated", "TransactionSigned", "TransactionBroadcast"};
  for (std::size_t i = 0; i < founders.size(); i++) EXPECT_EQ(kEventWords[i], founders[i]);
  EXPECT_EQ(std::set<std::string_view>(std::begin(kEventWords), std::end(kEventWords)).size(), kEventNames);
  for (const auto word : kEventWords) EXPECT_EQ(name(*parse_event_name(word)), word);
  EXPECT_FALSE(parse_event_name("userregistered").has_value());
}

TEST(AuditHead, ReadsWhatItPrintsAndNothingElse) {
  const Head head{12, vectors()[0].hash};
  EXPECT_EQ(parse_head(head.text()).value(), head);
  EXPECT_EQ(Head{}.text(), "0:" + std::string(64, '0'));
  EXPECT_EQ(parse_head(Head{}.text()).value(), Head{});
  const std::string hash(64, 'a');
  for (const std::string& text :
       {std::string(), hash, ":" + hash, std::string("1:"), "1:" + hash + "a", "01:" + hash, "-1:" + hash, " 1:" + hash,
        "1: " + hash, "1:0x" + hash.substr(2), "9999999999999999999:" + hash})
    EXPECT_EQ(parse_head(text).error().code, ErrorCode::head_syntax) << text;
}

TEST(AuditChain, EveryChangedFieldIsFoundWhereItIs) {
  std::mt19937_64 random(1);
  for (int round = 0; round < 300; round++) {
    SCOPED_TRACE("round " + std::to_string(round) + " of seed 1");
    auto entries = chain(random, 1 + random() % 40);
    ASSERT_FALSE(verify(entries).has_value());
    const std::size_t at = random() % entries.size();
    Entry& entry = entries[at];
    const std::size_t bit = random() % 256;
    const auto flip = [bit](Bytes32& bytes) { bytes[bit / 8] ^= static_cast<std::uint8_t>(1u << (bit % 8)); };
    const std::uint64_t here = at + 1;
    switch (random() % 10) {
      case 0:
        entry.time_ms ^= 1ll << (bit % 60);
        expect_fault(entries, Fault::entry_changed, here);
        break;
      case 1:
        entry.event = entry.event == "WalletUsed" ? "WalletCreated" : "WalletUsed";
        expect_fault(entries, Fault::entry_changed, here);
        break;
      case 2:
        entry.subject += "x";
        expect_fault(entries, Fault::entry_changed, here);
        break;
      case 3:
        flip(entry.payload_digest);
        expect_fault(entries, Fault::entry_changed, here);
        break;
      case 4:
        flip(entry.hash);
        expect_fault(entries, Fault::entry_changed, here);
        break;
      case 5:
        flip(entry.previous);
        expect_fault(entries, Fault::link_broken, here);
        break;
      case 6:
        entry.payload->text += " ";
        expect_fault(entries, Fault::payload_changed, here);
        break;
      case 7:
        flip(entry.payload->salt);
        expect_fault(entries, Fault::payload_changed, here);
        break;
      case 8:
        entry.payload.reset();
        expect_fault(entries, Fault::payload_missing, here);
        break;
      default:
        // Changed with care: its own hash is right again, and the next one tells.
        entry.time_ms ^= 1;
        entry.hash = entry_hash(entry);
        if (at + 1 < entries.size()) {
          expect_fault(entries, Fault::link_broken, here + 1);
        } else {
          EXPECT_FALSE(verify(entries).has_value());
        }
    }
  }
}

TEST(AuditChain, WhatIsLeftOutExchangedOrDoubledIsFound) {
  std::mt19937_64 random(2);
  const auto whole = chain(random, 30);
  for (std::size_t at = 0; at + 1 < whole.size(); at++) {
    auto entries = whole;
    entries.erase(entries.begin() + static_cast<std::ptrdiff_t>(at));
    expect_fault(entries, Fault::entry_missing, at + 1);
    entries = whole;
    std::swap(entries[at], entries[at + 1]);
    expect_fault(entries, Fault::entry_missing, at + 1);
    entries = whole;
    entries.insert(entries.begin() + static_cast<std::ptrdiff_t>(at), whole[at]);
    expect_fault(entries, Fault::entry_missing, at + 2);
  }
}

TEST(AuditChain, OnlyAKeptHeadShowsACutTailOrALogWrittenAnew) {
  std::mt19937_64 random(3);
  const auto whole = chain(random, 30), other = chain(random, 30);
  for (std::size_t keep = 0; keep <= whole.size(); keep++) {
    const std::vector<Entry> cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(keep));
    const std::vector<Head> kept{{30, whole[29].hash}, {7, whole[6].hash}, {0, {}}};
    EXPECT_FALSE(verify(cut).has_value());
    if (keep < whole.size()) {
      expect_fault(cut, Fault::tail_missing, keep + 1, kept);
    } else {
      EXPECT_FALSE(verify(cut, kept).has_value());
    }
  }
  EXPECT_FALSE(verify(other).has_value());
  expect_fault(other, Fault::head_differs, 7, {{7, whole[6].hash}});
  // Of two heads of one number both count.
  expect_fault(whole, Fault::head_differs, 7, {{7, whole[6].hash}, {7, other[6].hash}});
  expect_fault(whole, Fault::head_differs, 0, {{0, whole[6].hash}});
}

TEST(AuditChain, AnErasureThatTheLogTellsIsNoFault) {
  std::mt19937_64 random(4);
  auto entries = chain(random, 60);
  erase_and_say(entries, "subject-1");
  EXPECT_FALSE(verify(entries).has_value());
  // It speaks of its own subject alone.
  const auto other =
      std::find_if(entries.begin(), entries.end(), [](const Entry& e) { return e.subject == "subject-2"; });
  ASSERT_NE(other, entries.end());
  auto more = entries;
  more[other->sequence - 1].payload.reset();
  expect_fault(more, Fault::payload_missing, other->sequence);
  // Its own payload is not covered by itself, only by the next one.
  auto own = entries;
  own.back().payload.reset();
  expect_fault(own, Fault::payload_missing, own.size());
  erase_and_say(own, "subject-1");
  EXPECT_FALSE(verify(own).has_value());
}

}  // namespace
}  // namespace community::audit
