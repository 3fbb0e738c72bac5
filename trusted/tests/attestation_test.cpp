// SPDX-License-Identifier: Apache-2.0
// Attestation: a quote stands for exactly one statement, challenge and kind, and the state of before gets its identity.
#include <gtest/gtest.h>

#include <set>

#include "trusted/tests/support/quote_maker.hpp"
#include "trusted/tests/support/source_files.hpp"
#include "trusted/tests/support/world.hpp"

namespace community::trusted::testing {
namespace {

using protocol::AttestReply;
using protocol::AttestRequest;
using protocol::QuoteKind;

const Bytes32 kChallenge = base::sha256(base::view("a challenge"));

// Made once: a new RSA key takes longer than all these tests.
QuoteMaker& quotes() {
  static QuoteMaker maker;
  return maker;
}

class Attestation : public ::testing::Test {
 protected:
  Attestation() {
    quotes().requests.clear();
    quotes().fail = false;
    quotes().bend = nullptr;
    world.host.store.quote_with(&quotes());
    EXPECT_EQ(world.host.restart(false), Error::ok);
  }
  Reply ask(QuoteKind kind, const Bytes32& challenge = kChallenge) {
    return world.host.ask(Command::attest, AttestRequest{challenge, static_cast<std::uint8_t>(kind)});
  }
  AttestReply attest(QuoteKind kind, const Bytes32& challenge = kChallenge) {
    const Reply reply = ask(kind, challenge);
    EXPECT_EQ(reply.error, Error::ok);
    return decoded<AttestReply>(reply.body);
  }
  Bytes32 report(QuoteKind kind, const Bytes32& challenge = kChallenge) {
    attest(kind, challenge);
    return quotes().requests.back().report;
  }
  World world;
};

TEST_F(Attestation, TheQuoteIsOverTheStatementAndItsKind) {
  // As spec/attestation.md has it: the statement is the first 227 bytes of the answer, before the kind.
  const std::pair<QuoteKind, std::string_view> domains[] = {
      {QuoteKind::application, "community attestation: application"},
      {QuoteKind::system, "community attestation: system"},
  };
  for (const auto& [kind, domain] : domains) {
    const Reply reply = ask(kind);
    ASSERT_EQ(reply.error, Error::ok);
    const Bytes statement(reply.body.begin(), reply.body.begin() + 227);
    EXPECT_EQ(reply.body[227], static_cast<std::uint8_t>(kind));
    const Bytes32 expected = base::sha256(join({base::view(domain), statement}));
    ASSERT_FALSE(quotes().requests.empty());
    EXPECT_EQ(quotes().requests.back().report, expected);
    EXPECT_EQ(quotes().requests.back().kind, kind);
    const auto answer = decoded<AttestReply>(reply.body);
    EXPECT_EQ(answer.quote.measurement, QuoteMaker::measurement(kind));
    EXPECT_TRUE(quotes().verifies(expected, answer.quote));
    Bytes32 other = expected;
    other[31] ^= 1;
    EXPECT_FALSE(quotes().verifies(other, answer.quote));
    EXPECT_EQ(answer.quote.exponent, 65'537u);
    EXPECT_EQ(answer.quote.modulus[0] & 0x80, 0x80) << "3,072 bits";
  }
}

TEST_F(Attestation, TheStatementIsWhatTheStatusSays) {
  const auto status = world.host.status();
  const auto statement = attest(QuoteKind::application).statement;
  EXPECT_EQ(statement.challenge, kChallenge);
  EXPECT_EQ(statement.core_id, status.core_id);
  EXPECT_EQ(statement.hpke_key, status.hpke_key);
  EXPECT_EQ(statement.configuration_digest, status.configuration_digest);
  EXPECT_FALSE(base::is_zero(statement.configuration_digest));
  EXPECT_EQ(statement.epoch, status.epoch);
  EXPECT_GT(statement.epoch, 0u);
  EXPECT_EQ(statement.recovery_count, status.recovery_count);
  EXPECT_EQ(statement.root_key_version, status.root_key_version);
  EXPECT_EQ(statement.body, status.body);
  EXPECT_EQ(statement.protection, status.protection);
  EXPECT_EQ(statement.identity_key, world.host.core().state().identity_key);
}

TEST_F(Attestation, TheTwoKindsAreNeverOverTheSameReport) {
  EXPECT_NE(report(QuoteKind::application), report(QuoteKind::system));
}

TEST_F(Attestation, NoCallersBytesReachTheQuoteUnhashed) {
  const Bytes32 before = report(QuoteKind::application);
  EXPECT_NE(report(QuoteKind::application, before), before);
  for (const auto& request : quotes().requests) EXPECT_NE(request.report, kChallenge);
}

TEST_F(Attestation, EveryFieldOfTheStatementChangesTheReport) {
  const auto good = attest(QuoteKind::application).statement;
  Bytes bytes = encoded(good);
  ASSERT_EQ(bytes.size(), protocol::kAttestationStatement);
  std::set<std::string> reports{to_hex(protocol::attestation_report(QuoteKind::application, good))};
  for (std::size_t i = 0; i < bytes.size(); i++) {
    // Body (process) and protection (none) have few values; these lead to another one.
    const std::size_t left = bytes.size() - i;
    Bytes bent = bytes;
    bent[i] = static_cast<std::uint8_t>(bent[i] ^ (left == 1 ? 0x01 : left == 2 ? 0x03 : 0x80));
    const auto statement = decoded<protocol::AttestationStatement>(bent);
    for (const QuoteKind kind : {QuoteKind::application, QuoteKind::system})
      EXPECT_TRUE(reports.insert(to_hex(protocol::attestation_report(kind, statement))).second) << i;
  }
}

TEST_F(Attestation, WhatHappensToTheCoreIsInItsNextQuote) {
  const auto before = attest(QuoteKind::application).statement;
  EXPECT_EQ(report(QuoteKind::application), report(QuoteKind::application));
  world.make_key(protocol::Purpose::executor, 0);
  const auto later = attest(QuoteKind::application).statement;
  EXPECT_EQ(later.epoch, before.epoch + 1);
  protocol::Configuration configuration = world.configuration;
  configuration.sequence++;
  ASSERT_EQ(world.host.configure(configuration), Error::ok);
  EXPECT_NE(attest(QuoteKind::application).statement.configuration_digest, before.configuration_digest);
  const Bytes recovery = encoded(protocol::Recovery{before.core_id, 1, world.host.tree.root()});
  ASSERT_EQ(world.host.refusal(Command::recover,
                               protocol::RecoverRequest{recovery, world.host.operator_sign("recovery", recovery)}),
            Error::ok);
  const auto recovered = attest(QuoteKind::application).statement;
  EXPECT_EQ(recovered.recovery_count, before.recovery_count + 1);
  EXPECT_EQ(recovered.epoch, later.epoch + 1);
  EXPECT_EQ(recovered.identity_key, before.identity_key);
  EXPECT_EQ(recovered.hpke_key, before.hpke_key);
}

TEST_F(Attestation, ABodyWithoutQuotesSaysSo) {
  world.host.store.quote_with(nullptr);
  ASSERT_EQ(world.host.restart(false), Error::ok);
  for (const QuoteKind kind : {QuoteKind::application, QuoteKind::system}) {
    const Reply reply = ask(kind);
    ASSERT_EQ(reply.error, Error::ok);
    const auto answer = decoded<AttestReply>(reply.body);
    EXPECT_EQ(answer.kind, static_cast<std::uint8_t>(QuoteKind::none));
    EXPECT_EQ(answer.statement.challenge, kChallenge);
    EXPECT_EQ(reply.body.size(), protocol::kAttestationStatement + 1);
  }
  EXPECT_TRUE(quotes().requests.empty());
}

TEST_F(Attestation, ARequestOfAnotherShapeIsMalformed) {
  Bytes body = encoded(AttestRequest{kChallenge, 1});
  ASSERT_EQ(body.size(), 33u);
  for (const int kind : {0, 3, 255}) {
    body[32] = static_cast<std::uint8_t>(kind);
    EXPECT_EQ(world.host.call(Command::attest, body).error, Error::malformed_request) << kind;
  }
  body[32] = 1;
  Bytes more = body;
  more.push_back(0);
  EXPECT_EQ(world.host.call(Command::attest, more).error, Error::malformed_request);
  body.pop_back();
  EXPECT_EQ(world.host.call(Command::attest, body).error, Error::malformed_request);
  EXPECT_EQ(world.host.call(Command::attest).error, Error::malformed_request);
  EXPECT_TRUE(quotes().requests.empty());
}

TEST_F(Attestation, AQuoteThatFailsIsNamedAndTheCoreGoesOn) {
  quotes().fail = true;
  EXPECT_EQ(ask(QuoteKind::application).error, Error::quote_failed);
  quotes().fail = false;
  for (const std::uint32_t size : {0u, 256u, 383u, 385u}) {
    quotes().bend = [size](protocol::Quote& quote) { quote.signature_size = size; };
    EXPECT_EQ(ask(QuoteKind::system).error, Error::quote_failed) << size;
  }
  quotes().bend = nullptr;
  EXPECT_EQ(ask(QuoteKind::application).error, Error::ok);
  EXPECT_EQ(world.sign(world.good_userop()).error, Error::ok);
}

TEST_F(Attestation, AttestingWritesNothing) {
  const std::size_t writes = world.host.store.writes();
  attest(QuoteKind::application);
  attest(QuoteKind::system);
  EXPECT_EQ(world.host.store.writes(), writes);
}

TEST(Identity, IsTheCoresOwnAndStays) {
  TestHost one(1), other(2);
  for (TestHost* host : {&one, &other}) {
    ASSERT_EQ(host->provision(), Error::ok);
    ASSERT_EQ(host->start(), Error::ok);
    const State& state = host->core().state();
    std::array<std::uint8_t, 64> key{};
    const Port port = host->store.port();
    ASSERT_TRUE(port.secp256k1_public_key(port.context, state.identity_secret, key.data()));
    EXPECT_EQ(key, state.identity_key);
    EXPECT_NE(key, state.operator_key);
  }
  EXPECT_NE(one.core().state().identity_key, other.core().state().identity_key);
  const auto before = one.core().state().identity_key;
  ASSERT_EQ(one.restart(false), Error::ok);
  EXPECT_EQ(one.core().state().identity_key, before);
}

// A state that was written in format 2, by the core of that time.
Bytes old_state() {
  std::string hex = read_source("trusted/tests/vectors/state_format_2.txt");
  hex.erase(std::remove(hex.begin(), hex.end(), '\n'), hex.end());
  return unhex(hex);
}

class OldState : public ::testing::Test {
 protected:
  OldState() {
    store.put(old_state());
    EXPECT_EQ(load_state(store.port(), before), Error::ok);
    EXPECT_EQ(before.format, 2u);
  }
  // The formats have the same fields; the new one ends with the identity and the numbers of records.
  void expect_rest_unchanged(const State& after) const {
    State same = after;
    same.format = 2;
    EXPECT_EQ(encoded(same), old_state());
  }
  MemoryStore store{5};
  State before;
};

TEST_F(OldState, LoadsAndGetsItsIdentityOnce) {
  Core core(store.port());
  ASSERT_EQ(core.start(), Error::ok);
  EXPECT_EQ(core.state().format, kStateFormat);
  EXPECT_FALSE(base::is_zero(core.state().identity_secret));
  expect_rest_unchanged(core.state());
  EXPECT_EQ(store.writes(), 1u);
  const auto key = core.state().identity_key;
  Core again(store.port());
  ASSERT_EQ(again.start(), Error::ok);
  EXPECT_EQ(again.state().identity_key, key);
  EXPECT_EQ(store.writes(), 1u);
}

TEST_F(OldState, AnIdentityThatCannotBeStoredIsNone) {
  for (const auto fault : {MemoryStore::Fault::refuse, MemoryStore::Fault::cut_before}) {
    store.fail_write(1, fault);
    Core core(store.port());
    EXPECT_EQ(core.start(), Error::store_failed);
    EXPECT_FALSE(core.ready());
    EXPECT_TRUE(base::is_zero(core.state().identity_secret));
    store.restore_power();
    EXPECT_EQ(store.contents(), old_state());
  }
  store.fail_random(true);
  EXPECT_EQ(Core(store.port()).start(), Error::random_failed);
  EXPECT_EQ(store.contents(), old_state());
  store.fail_random(false);
  EXPECT_EQ(Core(store.port()).start(), Error::ok);
}

TEST_F(OldState, AWriteWhoseAnswerWasLostIsTheIdentity) {
  store.fail_write(1, MemoryStore::Fault::cut_after);
  EXPECT_EQ(Core(store.port()).start(), Error::store_failed);
  store.restore_power();
  State written;
  ASSERT_EQ(load_state(store.port(), written), Error::ok);
  Core core(store.port());
  ASSERT_EQ(core.start(), Error::ok);
  EXPECT_EQ(core.state().identity_key, written.identity_key);
  expect_rest_unchanged(core.state());
}

TEST_F(OldState, OtherFormatsDoNotLoad) {
  for (const int format : {0, 1, 5, 255}) {
    Bytes bytes = old_state();
    bytes[3] = static_cast<std::uint8_t>(format);
    store.put(bytes);
    EXPECT_EQ(Core(store.port()).start(), Error::store_failed) << format;
  }
  // The new format with the old one's fields is cut short, and the reverse has something left over.
  Bytes bytes = old_state();
  bytes[3] = 3;
  store.put(bytes);
  EXPECT_EQ(Core(store.port()).start(), Error::store_failed);
  bytes = old_state();
  append(bytes, Bytes(96, 1));
  store.put(bytes);
  EXPECT_EQ(Core(store.port()).start(), Error::store_failed);
}

TEST(OldStateInUse, ServesItsWalletsAsBefore) {
  for (const std::uint32_t format : {2u, 3u}) {
    World world;
    State state = world.host.core().state();
    state.format = format;
    world.host.store.put(encoded(state));
    ASSERT_EQ(world.host.restart(false), Error::ok);
    EXPECT_EQ(world.host.core().state().identity_key == state.identity_key, format == 3) << format;
    EXPECT_EQ(world.sign(world.good_userop()).error, Error::ok);
    EXPECT_EQ(world.sign(world.good_transaction()).error, Error::ok);
  }
}

// A state that was written in format 3, by the core of that time: two root keys, three counted records, a lease.
class StateOfFormatThree : public ::testing::Test {
 protected:
  StateOfFormatThree() {
    std::string hex = read_source("trusted/tests/vectors/state_format_3.txt");
    std::erase(hex, '\n');
    bytes = unhex(hex);
    store.put(bytes);
  }
  Bytes bytes;
  MemoryStore store{5};
};

TEST_F(StateOfFormatThree, LoadsAsItIsAndHasNoBackup) {
  Core core(store.port());
  ASSERT_EQ(core.start(), Error::ok);
  State state = core.state();
  EXPECT_EQ(state.format, kStateFormat);
  EXPECT_EQ(state.revision, 1u);
  EXPECT_EQ(state.fenced, 0);
  EXPECT_EQ(state.configuration_floor, 0u);
  EXPECT_EQ(state.backup_generation, 0u);
  EXPECT_TRUE(base::is_zero(state.backup_key));
  EXPECT_TRUE(base::is_zero(state.fence_secret));
  EXPECT_EQ(state.root_key_count, 2);
  EXPECT_EQ(state.root_keys[0].records, 3u);
  EXPECT_EQ(state.records_counted, 1);
  state.format = 3;
  EXPECT_EQ(encoded(state), bytes) << "the identity and everything else stay";
  EXPECT_EQ(store.writes(), 1u);
  Core again(store.port());
  ASSERT_EQ(again.start(), Error::ok);
  EXPECT_EQ(again.state().revision, 1u);
  EXPECT_EQ(store.writes(), 1u);
}

TEST_F(StateOfFormatThree, ThatCannotBeMigratedKeepsItsIdentity) {
  store.fail_write(1, MemoryStore::Fault::refuse);
  Core core(store.port());
  EXPECT_EQ(core.start(), Error::store_failed);
  EXPECT_FALSE(base::is_zero(core.state().identity_secret));
  EXPECT_EQ(store.contents(), bytes);
  EXPECT_EQ(core.start(), Error::ok);
}

TEST_F(StateOfFormatThree, CutShortOrLeftOverDoesNotLoad) {
  for (Bytes bent : {Bytes(bytes.begin(), bytes.end() - 1), join({bytes, Bytes(1)})}) {
    store.put(bent);
    EXPECT_EQ(Core(store.port()).start(), Error::store_failed);
    bent[3] = 4;
    store.put(bent);
    EXPECT_EQ(Core(store.port()).start(), Error::store_failed);
  }
}

// What orders checkpoints: no two durable states of a core have the same revision.
TEST(StateRevision, GrowsWithEveryDurableWriteAndNoOther) {
  World world;
  const auto before = world.host.status().revision;
  EXPECT_EQ(before, world.host.store.writes());
  ASSERT_EQ(world.set_policy(world.policy), Error::ok);
  EXPECT_EQ(world.host.status().revision, before + 1);
  world.host.store.fail_write(1, MemoryStore::Fault::refuse);
  world.configuration.sequence++;
  EXPECT_EQ(world.host.configure(world.configuration), Error::store_failed);
  EXPECT_EQ(world.host.status().revision, before + 1);
  EXPECT_EQ(world.host.configure(world.configuration), Error::ok);
  EXPECT_EQ(world.host.status().revision, before + 2);
  ASSERT_EQ(world.host.restart(false), Error::ok);
  EXPECT_EQ(world.host.status().revision, before + 2);
}

}  // namespace
}  // namespace community::trusted::testing
