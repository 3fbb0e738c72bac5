// SPDX-License-Identifier: Apache-2.0
// Rule 5: what only the operator may do.
#include <gtest/gtest.h>

#include "trusted/tests/support/world.hpp"

namespace community::trusted::testing {
namespace {

class Operator : public ::testing::Test {
 protected:
  Error configure(const Bytes& bytes, std::string_view what = "configuration") {
    return world.host.refusal(Command::configure,
                              protocol::ConfigureRequest{bytes, world.host.operator_sign(what, bytes)});
  }
  protocol::Configuration next() {
    protocol::Configuration configuration = world.configuration;
    configuration.sequence = 2;
    return configuration;
  }
  Error recover(const protocol::Recovery& recovery) {
    const Bytes bytes = encoded(recovery);
    return world.host.refusal(Command::recover,
                              protocol::RecoverRequest{bytes, world.host.operator_sign("recovery", bytes)});
  }
  protocol::Recovery recovery() { return {world.configuration.core_id, 1, base::sha256(base::view("another tree"))}; }
  World world;
};

TEST_F(Operator, ANewerConfigurationIsTakenAndToldByItsDigest) {
  const Bytes bytes = encoded(next());
  const Reply reply = world.host.ask(
      Command::configure, protocol::ConfigureRequest{bytes, world.host.operator_sign("configuration", bytes)});
  ASSERT_EQ(reply.error, Error::ok);
  EXPECT_EQ(to_hex(reply.body), to_hex(base::sha256(bytes)));
  const auto status = world.host.status();
  EXPECT_EQ(status.configuration_sequence, 2u);
  EXPECT_EQ(status.configuration_digest, base::sha256(bytes));
  ASSERT_EQ(world.host.restart(false), Error::ok);
  EXPECT_EQ(world.host.status().configuration_digest, base::sha256(bytes));
}

TEST_F(Operator, AConfigurationWithoutTheOperatorsSignatureIsRefused) {
  const Bytes bytes = encoded(next());
  const auto good = world.host.operator_sign("configuration", bytes);
  for (std::size_t i = 0; i < good.size(); i += 5) {
    auto bad = good;
    bad[i] ^= 1;
    EXPECT_EQ(world.host.refusal(Command::configure, protocol::ConfigureRequest{bytes, bad}),
              Error::operator_signature_invalid)
        << i;
  }
  EXPECT_EQ(world.host.refusal(Command::configure, protocol::ConfigureRequest{bytes, {}}),
            Error::operator_signature_invalid);
  // Signed for another purpose, by another operator.
  EXPECT_EQ(configure(bytes, "recovery"), Error::operator_signature_invalid);
  EXPECT_EQ(world.host.refusal(Command::configure,
                               protocol::ConfigureRequest{bytes, TestHost(77).operator_sign("configuration", bytes)}),
            Error::operator_signature_invalid);
  EXPECT_EQ(world.host.status().configuration_sequence, 1u);
}

TEST_F(Operator, EveryByteOfAConfigurationIsSigned) {
  const Bytes good = encoded(next());
  const auto signature = world.host.operator_sign("configuration", good);
  for (std::size_t i = 0; i < good.size(); i += 7) {
    Bytes bad = good;
    bad[i] ^= 1;
    EXPECT_EQ(world.host.refusal(Command::configure, protocol::ConfigureRequest{bad, signature}),
              Error::operator_signature_invalid)
        << i;
  }
}

TEST_F(Operator, AConfigurationForAnotherCoreIsRefused) {
  protocol::Configuration foreign = next();
  foreign.core_id[15] ^= 1;
  EXPECT_EQ(configure(encoded(foreign)), Error::configuration_foreign);
}

TEST_F(Operator, AnOldOrEqualSequenceIsRefused) {
  protocol::Configuration other = world.configuration;
  other.chains[0].bundle_gas_cap++;
  EXPECT_EQ(configure(encoded(other)), Error::configuration_sequence);
  other.sequence = 0;
  EXPECT_EQ(configure(encoded(other)), Error::configuration_sequence);
  // An old configuration does not come back after a newer one.
  ASSERT_EQ(configure(encoded(next())), Error::ok);
  EXPECT_EQ(configure(encoded(world.configuration)), Error::configuration_sequence);
}

TEST_F(Operator, TheSameConfigurationAgainIsNoChange) {
  const std::size_t writes = world.host.store.writes();
  EXPECT_EQ(configure(encoded(world.configuration)), Error::ok);
  EXPECT_EQ(world.host.store.writes(), writes);
}

TEST_F(Operator, MalformedConfigurationsAreRefused) {
  const Bytes good = encoded(next());
  Bytes more = good;
  more.push_back(0);
  EXPECT_EQ(configure(more), Error::configuration_malformed);
  EXPECT_EQ(configure(Bytes(good.begin(), good.end() - 1)), Error::configuration_malformed);
  EXPECT_EQ(configure({}), Error::configuration_malformed);
  protocol::Configuration twice = next();
  twice.chains[1].chain_id = twice.chains[0].chain_id;
  EXPECT_EQ(configure(encoded(twice)), Error::configuration_malformed);
  // Fields that the encoder itself refuses are bent in the bytes: version of the first entry point, chain id.
  Bytes version = good;
  version[16 + 8 + 2 + 8 + 2 + 20] = 6;
  EXPECT_EQ(configure(version), Error::configuration_malformed);
  Bytes chain = good;
  std::fill_n(chain.begin() + 26, 8, std::uint8_t{0});
  EXPECT_EQ(configure(chain), Error::configuration_malformed);
  EXPECT_EQ(world.host.status().configuration_sequence, 1u);
}

TEST_F(Operator, AConfigurationTooLargeIsRefused) {
  EXPECT_EQ(configure(Bytes(protocol::kMaxConfiguration)), Error::configuration_malformed);
  const Bytes large(protocol::kMaxConfiguration + 1);
  Bytes body(4);
  base::store_be(body.data(), static_cast<std::uint32_t>(large.size()));
  append(body, large);
  append(body, Bytes(64));
  EXPECT_EQ(world.host.call(Command::configure, body).error, Error::malformed_request);
}

TEST_F(Operator, AConfigurationThatCannotBeStoredDoesNotCount) {
  for (const auto fault : {MemoryStore::Fault::refuse, MemoryStore::Fault::cut_before}) {
    world.host.store.fail_write(1, fault);
    EXPECT_EQ(configure(encoded(next())), Error::store_failed);
    EXPECT_EQ(world.host.status().configuration_sequence, 1u);
    EXPECT_EQ(world.sign(world.good_userop()).error, Error::ok);
    world.host.store.restore_power();
  }
  EXPECT_EQ(configure(encoded(next())), Error::ok);
}

TEST_F(Operator, ANinthChainIdIsRefusedBecauseItsSpendingCouldNotBeCounted) {
  protocol::Configuration configuration = next();
  // Two chains are known already; six more fill the table.
  configuration.chain_count = 8;
  for (std::uint64_t i = 0; i < 8; i++) {
    configuration.chains[i] = world.configuration.chains[0];
    configuration.chains[i].chain_id = i < 2 ? world.configuration.chains[i].chain_id : 1'000 + i;
  }
  ASSERT_EQ(configure(encoded(configuration)), Error::ok);
  configuration.sequence = 3;
  configuration.chains[7].chain_id = 2'000;
  EXPECT_EQ(configure(encoded(configuration)), Error::configuration_malformed);
  EXPECT_EQ(world.host.status().configuration_sequence, 2u);
}

TEST_F(Operator, AnOriginThatIsTakenAwaySignsNoMore) {
  protocol::Configuration configuration = next();
  configuration.relying_party_count = 1;
  configuration.relying_parties[0] = world.configuration.relying_parties[1];
  ASSERT_EQ(configure(encoded(configuration)), Error::ok);
  EXPECT_EQ(world.sign(world.good_userop()).error, Error::origin_not_allowed);
}

TEST_F(Operator, RecoveryTakesTheHostsTreeAndIsCounted) {
  const auto before = world.host.status();
  ASSERT_EQ(recover(recovery()), Error::ok);
  const auto after = world.host.status();
  EXPECT_EQ(after.root, recovery().root);
  EXPECT_EQ(after.recovery_count, before.recovery_count + 1);
  EXPECT_EQ(after.epoch, before.epoch + 1);
  ASSERT_EQ(world.host.restart(false), Error::ok);
  EXPECT_EQ(world.host.status().root, recovery().root);
  EXPECT_EQ(world.host.status().recovery_count, 1u);
  // Records of the tree that was given up are not current, and its roots are forgotten.
  EXPECT_EQ(world.sign(world.good_userop()).error, Error::record_not_current);
}

TEST_F(Operator, RecoveryForgetsTheRootsOfBefore) {
  const OwnedProof proof = world.host.proof(world.executor);
  ASSERT_EQ(recover(recovery()), Error::ok);
  EXPECT_EQ(world.host.refusal(Command::key_describe, proof.view()), Error::record_not_current);
}

TEST_F(Operator, RecoveryIsNotReplayed) {
  ASSERT_EQ(recover(recovery()), Error::ok);
  EXPECT_EQ(recover(recovery()), Error::configuration_sequence);
  protocol::Recovery later = recovery();
  later.recovery_count = 3;
  EXPECT_EQ(recover(later), Error::configuration_sequence);
  later.recovery_count = 0;
  EXPECT_EQ(recover(later), Error::configuration_sequence);
  later.recovery_count = 2;
  EXPECT_EQ(recover(later), Error::ok);
}

TEST_F(Operator, RecoveryNeedsTheOperatorsSignature) {
  const Bytes bytes = encoded(recovery());
  auto signature = world.host.operator_sign("recovery", bytes);
  signature[20] ^= 1;
  EXPECT_EQ(world.host.refusal(Command::recover, protocol::RecoverRequest{bytes, signature}),
            Error::operator_signature_invalid);
  signature = world.host.operator_sign("configuration", bytes);
  EXPECT_EQ(world.host.refusal(Command::recover, protocol::RecoverRequest{bytes, signature}),
            Error::operator_signature_invalid);
  EXPECT_EQ(world.host.status().recovery_count, 0u);
}

TEST_F(Operator, RecoveryOfAnotherCoreOrMalformedIsRefused) {
  protocol::Recovery foreign = recovery();
  foreign.core_id[0] ^= 1;
  EXPECT_EQ(recover(foreign), Error::configuration_foreign);
  Bytes bytes = encoded(recovery());
  bytes.push_back(0);
  EXPECT_EQ(world.host.refusal(Command::recover,
                               protocol::RecoverRequest{bytes, world.host.operator_sign("recovery", bytes)}),
            Error::recovery_malformed);
}

TEST_F(Operator, RecoveryWaitsForPendingChanges) {
  protocol::KeyCreateRequest request;
  const OwnedPath path = world.host.tree.path(world.host.next_leaf());
  request.path = path.view();
  request.purpose = static_cast<std::uint8_t>(protocol::Purpose::executor);
  ASSERT_EQ(world.host.change(Command::key_create, request).error, Error::ok);
  EXPECT_EQ(recover(recovery()), Error::pending_elsewhere);
}

TEST_F(Operator, ARecoveryThatCannotBeStoredDoesNotCount) {
  const auto before = world.host.status();
  world.host.store.fail_write(1, MemoryStore::Fault::refuse);
  EXPECT_EQ(recover(recovery()), Error::store_failed);
  EXPECT_EQ(world.host.status().root, before.root);
  EXPECT_EQ(world.host.status().epoch, before.epoch);
  EXPECT_EQ(world.host.status().recovery_count, 0u);
  EXPECT_EQ(world.sign(world.good_userop()).error, Error::ok);
}

}  // namespace
}  // namespace community::trusted::testing
