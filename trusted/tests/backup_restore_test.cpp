// SPDX-License-Identifier: Apache-2.0
// Restore: any three of five bring the core back on a new device, two do not, and what comes back is what the newest
// checkpoint says and no more.
#include <gtest/gtest.h>

#include <functional>

#include "trusted/tests/support/backup.hpp"
#include "trusted/tests/support/generic_keys.hpp"
#include "trusted/tests/support/root_keys.hpp"

namespace community::trusted::testing {
namespace {

using protocol::RestoreReply;

class Restore : public ::testing::Test {
 protected:
  Restore() {
    backup.distribute();
    EXPECT_EQ(rotate(backup.source, 2), Error::ok);
    keep_everywhere(backup.checkpoint());
  }
  void keep_everywhere(const Bytes& checkpoint) {
    for (std::uint8_t index = 1; index <= BackupWorld::kCores; index++)
      EXPECT_EQ(backup.keep_checkpoint(index, checkpoint), Error::ok) << +index;
  }
  // A new device in a TEE that was never used.
  static std::unique_ptr<TestHost> new_device(std::uint64_t seed) {
    auto host = std::make_unique<TestHost>(seed);
    host->store.pretend(protocol::Body::optee_qemu, protocol::Protection::emulated);
    host->store.quote_with(&device_quotes());
    EXPECT_EQ(host->provision(), Error::ok);
    EXPECT_EQ(host->start(), Error::ok);
    return host;
  }
  // The answer's result, and its verdicts as (index, error).
  struct Outcome {
    Error error = Error::ok;
    Error result = Error::ok;
    std::uint64_t revision = 0;
    std::vector<std::pair<int, Error>> verdicts;
  };
  static Outcome outcome(const Reply& reply) {
    Outcome out;
    out.error = reply.error;
    if (reply.error != Error::ok) return out;
    const auto answer = decoded<RestoreReply>(reply.body);
    out.result = static_cast<Error>(answer.result);
    out.revision = answer.revision;
    for (std::size_t i = 0; i < answer.contribution_count; i++)
      out.verdicts.emplace_back(answer.contributions[i].index, static_cast<Error>(answer.contributions[i].error));
    return out;
  }
  Outcome restore(const std::vector<OwnedContribution>& contributions) {
    return outcome(backup.restore(contributions));
  }
  bool device_is_untouched() {
    const auto status = device.status();
    return status.epoch == 0 && status.recovery_count == 0 && status.backup_generation == 0 &&
           status.core_id != backup.source.status().core_id && device.store.writes() == 1;
  }
  // The source's database, at the restored core.
  void move_database(TestHost& to) {
    to.tree = to.pending_tree = backup.source.tree;
    ASSERT_EQ(to.restart(false), Error::ok);
  }
  // As the operator of the source, who is the restored core's operator now.
  Error configure(TestHost& host, const protocol::Configuration& configuration) {
    const Bytes bytes = encoded(configuration);
    return host.refusal(Command::configure,
                        protocol::ConfigureRequest{bytes, backup.source.operator_sign("configuration", bytes)});
  }
  Reply sign_transaction(TestHost& host) {
    const OwnedProof proof = host.proof(backup.world.executor);
    const Bytes transaction = backup.world.good_transaction().encode();
    return host.ask(Command::sign_transaction, protocol::SignTransactionRequest{proof.view(), transaction});
  }
  Reply sign_userop(TestHost& host) {
    const World& world = backup.world;
    const OwnedProof proof = host.proof(world.wallet);
    const TestUserop userop = world.good_userop();
    const SignedAssertion assertion = world.passkey.sign(world.hash(userop));
    return host.ask(Command::sign_userop,
                    protocol::SignUseropRequest{proof.view(), kChain, kEntryPoint8, userop.fields(), assertion.view()});
  }
  BackupWorld backup;
  TestHost& device = backup.device;
};

TEST_F(Restore, AnyThreeOfFiveBringTheCoreBack) {
  const State& source = backup.source.core().state();
  std::uint64_t seed = 100;
  for (unsigned subset = 0; subset < 32; subset++) {
    if (std::popcount(subset) != 3) continue;
    const auto host = new_device(seed++);
    std::vector<OwnedContribution> contributions;
    for (std::uint8_t index = 1; index <= 5; index++)
      if ((subset >> (index - 1) & 1) != 0) contributions.push_back(backup.contribute_to(*host, index));
    const OwnedOrder order = sign_order(backup.source, "restore", backup.restore_order_for(*host));
    const Outcome done = outcome(backup.restore_to(*host, contributions, order));
    ASSERT_EQ(done.error, Error::ok) << subset;
    EXPECT_EQ(done.result, Error::ok) << subset;
    for (const auto& [index, error] : done.verdicts) EXPECT_EQ(error, Error::ok) << subset << ": " << index;
    const State& state = host->core().state();
    EXPECT_EQ(state.core_id, source.core_id);
    EXPECT_EQ(state.backup_key, source.backup_key);
    EXPECT_EQ(state.root_keys[1].key, source.root_keys[1].key);
  }
}

TEST_F(Restore, TheRestoredCoreIsTheSourceOnANewDevice) {
  const State source = backup.source.core().state();
  const State before = device.core().state();
  const Outcome done = restore({backup.contribute(1), backup.contribute(2), backup.contribute(5)});
  ASSERT_EQ(done.error, Error::ok);
  ASSERT_EQ(done.result, Error::ok);
  EXPECT_EQ(done.revision, source.revision);
  ASSERT_EQ(device.restart(false), Error::ok);
  const State& state = device.core().state();
  EXPECT_EQ(state.core_id, source.core_id);
  EXPECT_EQ(state.operator_key, source.operator_key);
  ASSERT_EQ(state.root_key_count, source.root_key_count);
  for (std::size_t i = 0; i < state.root_key_count; i++) {
    EXPECT_EQ(state.root_keys[i].version, source.root_keys[i].version);
    EXPECT_EQ(state.root_keys[i].key, source.root_keys[i].key);
    EXPECT_EQ(state.root_keys[i].records, source.root_keys[i].records);
  }
  EXPECT_EQ(state.records_counted, 1);
  EXPECT_EQ(state.epoch, source.epoch + 1);
  EXPECT_EQ(state.root, source.root);
  EXPECT_EQ(state.recovery_count, source.recovery_count + 1);
  EXPECT_EQ(state.revision, source.revision + 1);
  EXPECT_EQ(state.backup_generation, 1u);
  EXPECT_EQ(state.backup_key, source.backup_key);
  EXPECT_EQ(state.backup_description, source.backup_description);
  EXPECT_EQ(state.fence_secret, source.fence_secret);
  EXPECT_EQ(state.configuration_size, 0u);
  EXPECT_EQ(state.configuration_floor, 1u);
  EXPECT_EQ(device.status().configuration_floor, 1u);
  // The device's own.
  EXPECT_EQ(state.channel_key, before.channel_key);
  EXPECT_EQ(state.identity_key, before.identity_key);
  EXPECT_EQ(state.identity_secret, before.identity_secret);
  EXPECT_EQ(state.hpke_key, before.hpke_key);
  EXPECT_EQ(state.hpke_secret, before.hpke_secret);
}

TEST_F(Restore, WalletsSignAsBeforeOnceTheOperatorHasConfigured) {
  const Bytes userop = backup.world.sign(backup.world.good_userop()).body;
  const Bytes transaction = backup.world.sign(backup.world.good_transaction()).body;
  ASSERT_EQ(restore({backup.contribute(1), backup.contribute(2), backup.contribute(3)}).result, Error::ok);
  move_database(device);
  EXPECT_EQ(sign_userop(device).error, Error::unknown_chain);
  // Orders of before do not come back, whoever kept them; nor those up to the floor.
  EXPECT_EQ(configure(device, backup.world.configuration), Error::configuration_sequence);
  protocol::Configuration configuration = backup.world.configuration;
  configuration.sequence = 2;
  ASSERT_EQ(configure(device, configuration), Error::ok);
  EXPECT_EQ(sign_userop(device).body, userop) << "the same server key signs the same";
  // Every budget is used up until a larger one is signed.
  for (std::size_t i = 0; i < 2; i++) {
    EXPECT_TRUE(device.status().budgets[i].executor_left.is_zero());
    EXPECT_TRUE(device.status().budgets[i].sponsor_left.is_zero());
  }
  EXPECT_EQ(sign_transaction(device).error, Error::budget_exhausted);
  configuration.sequence = 3;
  configuration.chains[0].executor_budget =
      *add(configuration.chains[0].executor_budget, Uint256(1'000'000'000'000'000'000));
  ASSERT_EQ(configure(device, configuration), Error::ok);
  EXPECT_EQ(sign_transaction(device).body, transaction);
}

TEST_F(Restore, AConfigurationUpToTheOrdersFloorIsRefused) {
  const OwnedOrder order = sign_order(backup.source, "restore", backup.restore_order(41));
  const std::vector<OwnedContribution> contributions = {backup.contribute(1), backup.contribute(2),
                                                        backup.contribute(3)};
  ASSERT_EQ(outcome(backup.restore_to(device, contributions, order)).result, Error::ok);
  EXPECT_EQ(device.status().configuration_floor, 41u);
  ASSERT_EQ(device.restart(false), Error::ok);
  protocol::Configuration configuration = backup.world.configuration;
  for (const std::uint64_t sequence : {1, 40, 41}) {
    configuration.sequence = sequence;
    EXPECT_EQ(configure(device, configuration), Error::configuration_sequence) << sequence;
  }
  configuration.sequence = 42;
  EXPECT_EQ(configure(device, configuration), Error::ok);
  // The device's first operator has no say any more.
  configuration.sequence = 43;
  EXPECT_EQ(device.configure(configuration), Error::operator_signature_invalid);
}

TEST_F(Restore, OrdersAboutGenericKeysOfBeforeDoNotComeBack) {
  ASSERT_EQ(generate_generic(backup.world).error, Error::ok);
  ASSERT_EQ(generate_generic(backup.world).error, Error::ok);
  keep_everywhere(backup.checkpoint());
  const auto with_floor = [&](std::uint64_t floor, std::uint64_t seed) {
    const auto host = new_device(seed);
    protocol::RestoreOrder order = backup.restore_order_for(*host);
    order.order_floor = floor;
    const std::vector<OwnedContribution> contributions = {
        backup.contribute_to(*host, 1), backup.contribute_to(*host, 2), backup.contribute_to(*host, 3)};
    const OwnedOrder owned = sign_order(backup.source, "restore", order);
    EXPECT_EQ(outcome(backup.restore_to(*host, contributions, owned)).result, Error::ok);
    EXPECT_EQ(host->restart(false), Error::ok);
    return host->status().order_sequence;
  };
  EXPECT_EQ(with_floor(0, 71), 2u) << "as the checkpoint has it";
  EXPECT_EQ(with_floor(9, 72), 9u) << "later ones, which the checkpoint does not know, the operator names";
}

TEST_F(Restore, TwoSharesRestoreNothing) {
  const Outcome done = restore({backup.contribute(1), backup.contribute(2)});
  ASSERT_EQ(done.error, Error::ok);
  EXPECT_EQ(done.result, Error::too_few_shares);
  EXPECT_EQ(done.verdicts, (std::vector<std::pair<int, Error>>{{1, Error::ok}, {2, Error::ok}}));
  EXPECT_TRUE(device_is_untouched());
  // One of them twice is not three.
  const OwnedContribution again = backup.contribute(1);
  const Outcome twice = restore({backup.contribute(1), backup.contribute(2), again});
  EXPECT_EQ(twice.result, Error::too_few_shares);
  EXPECT_EQ(twice.verdicts.back(), (std::pair<int, Error>{1, Error::share_twice}));
  EXPECT_EQ(restore({}).result, Error::too_few_shares);
  EXPECT_TRUE(device_is_untouched());
  EXPECT_EQ(restore({backup.contribute(1), backup.contribute(2), backup.contribute(3)}).result, Error::ok);
}

TEST_F(Restore, ABadShareIsNamedAndThreeOthersSuffice) {
  // The offline holder gives another share than it was sent.
  const Bytes plain = backup.offline.open();
  protocol::ShareContents contents;
  ASSERT_TRUE(protocol::decode(plain, contents));
  const auto bent = [&](const std::function<void(protocol::KeptShare&)>& bend) {
    protocol::ShareContents changed;
    changed.share.assign(contents.share);
    bend(changed.share);
    OwnedContribution contribution;
    contribution.index = 5;
    contribution.package = backup.offline.seal(encoded(changed), device.status().hpke_key);
    const Outcome done = restore({contribution, backup.contribute(1), backup.contribute(2)});
    EXPECT_EQ(done.result, Error::too_few_shares);
    EXPECT_EQ(done.verdicts[1].second, Error::ok);
    EXPECT_EQ(done.verdicts[2].second, Error::ok);
    return done.verdicts[0].second;
  };
  EXPECT_EQ(bent([](auto& share) { share.share[31] ^= 1; }), Error::share_not_committed);
  EXPECT_EQ(bent([](auto& share) { share.index = 4; }), Error::share_other_backup);
  EXPECT_EQ(bent([](auto& share) { share.generation = 2; }), Error::share_other_backup);
  EXPECT_EQ(bent([](auto& share) { share.core_id[0] ^= 1; }), Error::share_other_backup);
  EXPECT_EQ(bent([](auto& share) { share.description[0] ^= 1; }), Error::share_other_backup);
  EXPECT_TRUE(device_is_untouched());
  protocol::ShareContents changed;
  changed.share.assign(contents.share);
  changed.share.share[0] ^= 0x80;
  OwnedContribution bad;
  bad.index = 5;
  bad.package = backup.offline.seal(encoded(changed), device.status().hpke_key);
  const Outcome done = restore({bad, backup.contribute(1), backup.contribute(3), backup.contribute(4)});
  EXPECT_EQ(done.result, Error::ok);
  EXPECT_EQ(done.verdicts, (std::vector<std::pair<int, Error>>{
                               {5, Error::share_not_committed}, {1, Error::ok}, {3, Error::ok}, {4, Error::ok}}));
}

TEST_F(Restore, EachContributionIsJudgedByItself) {
  const OwnedContribution good = backup.contribute(1);
  const auto verdict = [&](const std::function<void(OwnedContribution&)>& bend) {
    OwnedContribution bent = good;
    bend(bent);
    const Outcome done = restore({bent});
    EXPECT_EQ(done.error, Error::ok);
    EXPECT_EQ(done.result, Error::too_few_shares);
    return done.verdicts.at(0).second;
  };
  EXPECT_EQ(verdict([](auto&) {}), Error::ok);
  EXPECT_EQ(verdict([](auto& c) { c.index = 0; }), Error::holder_unknown);
  EXPECT_EQ(verdict([](auto& c) { c.index = 6; }), Error::holder_unknown);
  EXPECT_EQ(verdict([](auto& c) { c.index = 2; }), Error::evidence_other_core);
  EXPECT_EQ(verdict([](auto& c) { c.index = 5; }), Error::malformed_request);
  EXPECT_EQ(verdict([](auto& c) { c.evidence.clear(); }), Error::malformed_request);
  EXPECT_EQ(verdict([](auto& c) { c.evidence[0] ^= 1; }), Error::peer_challenge_foreign);
  EXPECT_EQ(verdict([](auto& c) { c.evidence.back() ^= 1; }), Error::evidence_other_key);
  EXPECT_EQ(verdict([](auto& c) { c.package.package.signature[9] ^= 1; }), Error::package_signature_invalid);
  EXPECT_EQ(verdict([](auto& c) { c.package.package.sender_statement[9] ^= 1; }), Error::package_signature_invalid);
  EXPECT_EQ(verdict([](auto& c) { c.package.package.recipient_statement[9] ^= 1; }), Error::package_signature_invalid);
  EXPECT_EQ(verdict([](auto& c) { c.package.package.enc[9] ^= 1; }), Error::package_signature_invalid);
  EXPECT_EQ(verdict([](auto& c) { c.package.cipher[9] ^= 1; }), Error::package_signature_invalid);
  // What was released to another device, which holds another key.
  const auto other = new_device(60);
  const OwnedContribution elsewhere = backup.contribute_to(*other, 1);
  EXPECT_EQ(verdict([&](auto& c) { c.package = elsewhere.package; }), Error::package_signature_invalid);
  EXPECT_EQ(verdict([&](auto& c) { c = elsewhere; }), Error::peer_challenge_foreign);
  // Nothing signs what an offline holder seals; it opens or it does not.
  OwnedContribution offline = backup.contribute(5);
  offline.package.cipher[3] ^= 1;
  EXPECT_EQ(restore({offline}).verdicts[0].second, Error::package_not_opened);
  offline.package = backup.offline.seal(Bytes(40), device.status().hpke_key);
  EXPECT_EQ(restore({offline}).verdicts[0].second, Error::package_malformed);
  offline.package = backup.offline.seal(backup.offline.open(), other->status().hpke_key);
  EXPECT_EQ(restore({offline}).verdicts[0].second, Error::package_not_opened);
  EXPECT_TRUE(device_is_untouched());
}

TEST_F(Restore, EvidenceOfBeforeARestartIsWorthless) {
  const std::vector<OwnedContribution> contributions = {backup.contribute(1), backup.contribute(2),
                                                        backup.contribute(3)};
  ASSERT_EQ(device.restart(false), Error::ok);
  const Outcome done = restore(contributions);
  EXPECT_EQ(done.result, Error::too_few_shares);
  for (const auto& [index, error] : done.verdicts) EXPECT_EQ(error, Error::peer_challenge_foreign) << index;
}

TEST_F(Restore, TheNewestCheckpointIsTaken) {
  const std::uint64_t old = backup.source.status().revision;
  ASSERT_EQ(backup.world.set_policy(backup.world.policy), Error::ok);
  ASSERT_EQ(backup.keep_checkpoint(2, backup.checkpoint()), Error::ok);
  const Outcome done = restore({backup.contribute(1), backup.contribute(2), backup.contribute(3)});
  ASSERT_EQ(done.result, Error::ok);
  EXPECT_GT(done.revision, old);
  EXPECT_EQ(done.revision, backup.source.status().revision);
  EXPECT_EQ(device.status().root, backup.source.status().root);
}

TEST_F(Restore, AnOlderCheckpointStandsInForOneThatIsLost) {
  const auto status = backup.source.status();
  ASSERT_EQ(backup.world.set_policy(backup.world.policy), Error::ok);
  ASSERT_EQ(backup.keep_checkpoint(2, backup.checkpoint()), Error::ok);
  const Outcome done = restore({backup.contribute(1), backup.contribute(3), backup.contribute(5)});
  ASSERT_EQ(done.result, Error::ok);
  EXPECT_EQ(done.revision, status.revision);
  EXPECT_EQ(device.status().root, status.root);
  // A host with the newer database must go back, or have the operator say that it is right.
  move_database(device);
  const OwnedProof proof = device.proof(backup.world.wallet);
  EXPECT_EQ(device.refusal(Command::wallet_describe, protocol::WalletDescribeRequest{proof.view(), 0}),
            Error::record_not_current);
  const auto restored = device.status();
  const Bytes recovery = encoded(protocol::Recovery{restored.core_id, restored.recovery_count + 1, device.tree.root()});
  ASSERT_EQ(device.refusal(Command::recover,
                           protocol::RecoverRequest{recovery, backup.source.operator_sign("recovery", recovery)}),
            Error::ok);
  EXPECT_EQ(device.refusal(Command::wallet_describe, protocol::WalletDescribeRequest{proof.view(), 0}), Error::ok);
}

TEST_F(Restore, BadCheckpointsAreNamedAndTheBestOtherIsTaken) {
  const std::uint64_t good = backup.source.status().revision;
  // What the offline holder's tool adds as checkpoint is bent, of another core, or nothing at all.
  const Bytes plain = backup.offline.open();
  const auto with = [&](const Bytes& checkpoint, const std::unique_ptr<TestHost>& host) {
    protocol::ShareContents contents;
    EXPECT_TRUE(protocol::decode(plain, contents));
    contents.checkpoint = checkpoint;
    OwnedContribution contribution;
    contribution.index = 5;
    contribution.package = backup.offline.seal(encoded(contents), host->status().hpke_key);
    const OwnedOrder order = sign_order(backup.source, "restore", backup.restore_order_for(*host));
    const Outcome done = outcome(backup.restore_to(
        *host, {contribution, backup.contribute_to(*host, 1), backup.contribute_to(*host, 2)}, order));
    EXPECT_EQ(done.result, Error::ok);
    EXPECT_EQ(done.revision, good);
    EXPECT_EQ(done.verdicts[1].second, Error::ok);
    return done.verdicts[0].second;
  };
  Bytes checkpoint = backup.checkpoint();
  EXPECT_EQ(with(Bytes(10), new_device(61)), Error::checkpoint_malformed);
  checkpoint[200] ^= 1;
  EXPECT_EQ(with(checkpoint, new_device(62)), Error::checkpoint_not_opened);
  // A revision that was raised by hand is not newer: the header is sealed with the rest.
  checkpoint = backup.checkpoint();
  checkpoint[34] ^= 0x40;
  EXPECT_EQ(with(checkpoint, new_device(63)), Error::checkpoint_not_opened);
  checkpoint = backup.checkpoint();
  checkpoint[6] ^= 1;
  EXPECT_EQ(with(checkpoint, new_device(64)), Error::checkpoint_other_backup);
  ASSERT_EQ(
      backup.source.ask(Command::backup_create, sign_order(backup.source, "backup", backup.order(2)).view()).error,
      Error::ok);
  EXPECT_EQ(with(backup.checkpoint(), new_device(65)), Error::checkpoint_other_backup);
}

TEST_F(Restore, SharesWithoutACheckpointRestoreNothing) {
  BackupWorld fresh;
  fresh.distribute();
  std::vector<OwnedContribution> contributions;
  for (const std::uint8_t index : {std::uint8_t{1}, std::uint8_t{2}, std::uint8_t{5}})
    contributions.push_back(fresh.contribute(index));
  const Outcome done = outcome(fresh.restore(contributions));
  EXPECT_EQ(done.result, Error::checkpoint_missing);
  EXPECT_EQ(fresh.device.status().backup_generation, 0u);
  EXPECT_EQ(fresh.device.store.writes(), 1u);
}

TEST_F(Restore, OnlyAnEmptyCoreIsRestoredInto) {
  const auto refused = [&](TestHost& host, const char* why) {
    const OwnedOrder order = sign_order(backup.source, "restore", backup.restore_order_for(host));
    const std::vector<OwnedContribution> contributions = {backup.contribute_to(host, 1), backup.contribute_to(host, 2),
                                                          backup.contribute_to(host, 3)};
    EXPECT_EQ(backup.restore_to(host, contributions, order).error, Error::core_not_empty) << why;
  };
  auto host = new_device(50);
  protocol::Configuration configuration;
  configuration.core_id = host->status().core_id;
  configuration.sequence = 1;
  ASSERT_EQ(host->configure(configuration), Error::ok);
  refused(*host, "configured");

  host = new_device(51);
  protocol::KeyCreateRequest request;
  const OwnedPath path = host->pending_tree.path(host->next_leaf());
  request.path = path.view();
  request.purpose = static_cast<std::uint8_t>(protocol::Purpose::executor);
  ASSERT_EQ(host->change(Command::key_create, request).error, Error::ok);
  refused(*host, "a change is pending");
  ASSERT_EQ(host->commit().error, Error::ok);
  refused(*host, "a record was made");

  host = new_device(52);
  const Bytes recovery = encoded(protocol::Recovery{host->status().core_id, 1, {}});
  ASSERT_EQ(
      host->refusal(Command::recover, protocol::RecoverRequest{recovery, host->operator_sign("recovery", recovery)}),
      Error::ok);
  refused(*host, "recovered");

  host = new_device(53);
  protocol::BackupOrder order = backup.order();
  order.core_id = host->status().core_id;
  ASSERT_EQ(host->refusal(Command::backup_create, sign_order(*host, "backup", order).view()), Error::ok);
  refused(*host, "backed up");

  ASSERT_EQ(restore({backup.contribute(1), backup.contribute(2), backup.contribute(3)}).result, Error::ok);
  EXPECT_EQ(backup.restore({backup.contribute(1), backup.contribute(2), backup.contribute(3)}).error,
            Error::core_not_empty);
}

TEST_F(Restore, TheOrderIsOfTheBackupsOperatorAndNamesThisDevice) {
  const std::vector<OwnedContribution> contributions = {backup.contribute(1), backup.contribute(2),
                                                        backup.contribute(3)};
  const OwnedOrder good = backup.signed_restore_order();
  for (std::size_t i = 0; i < good.bytes.size(); i += 3) {
    OwnedOrder bent = good;
    bent.bytes[i] ^= 1;
    ASSERT_EQ(backup.restore_to(device, contributions, bent).error, Error::operator_signature_invalid) << i;
  }
  EXPECT_EQ(backup.restore_to(device, contributions, sign_order(device, "restore", backup.restore_order())).error,
            Error::operator_signature_invalid);
  EXPECT_EQ(backup.restore_to(device, contributions, sign_order(backup.source, "backup", backup.restore_order())).error,
            Error::operator_signature_invalid);
  const auto refusal = [&](const std::function<void(protocol::RestoreOrder&)>& bend) {
    protocol::RestoreOrder order = backup.restore_order();
    bend(order);
    return backup.restore_to(device, contributions, sign_order(backup.source, "restore", order)).error;
  };
  EXPECT_EQ(refusal([](auto& order) { order.core_id[0] ^= 1; }), Error::backup_description_wrong);
  EXPECT_EQ(refusal([](auto& order) { order.generation = 2; }), Error::backup_description_wrong);
  EXPECT_EQ(refusal([](auto& order) { order.description[0] ^= 1; }), Error::backup_description_wrong);
  EXPECT_EQ(refusal([](auto& order) { order.device.core_id[0] ^= 1; }), Error::restore_other_device);
  EXPECT_EQ(refusal([](auto& order) { order.device.identity_key[0] ^= 1; }), Error::restore_other_device);
  EXPECT_EQ(refusal([](auto& order) { order.device.hpke_key[1] ^= 1; }), Error::restore_other_device);
  EXPECT_EQ(refusal([](auto& order) { order.device.body = 3; }), Error::restore_other_device);
  OwnedOrder longer{join({good.bytes, Bytes(1)}), {}};
  longer.signature = backup.source.operator_sign("restore", longer.bytes);
  EXPECT_EQ(backup.restore_to(device, contributions, longer).error, Error::backup_order_malformed);
  const Bytes description = backup.description;
  for (std::size_t i = 0; i < description.size(); i += 11) {
    backup.description = description;
    backup.description[i] ^= 1;
    EXPECT_NE(backup.restore_to(device, contributions, good).error, Error::ok) << i;
  }
  backup.description = Bytes(12);
  EXPECT_EQ(backup.restore_to(device, contributions, good).error, Error::backup_description_wrong);
  backup.description = description;
  EXPECT_EQ(device.call(Command::restore, Bytes(12)).error, Error::malformed_request);
  EXPECT_TRUE(device_is_untouched());
  EXPECT_EQ(outcome(backup.restore_to(device, contributions, good)).result, Error::ok);
}

TEST_F(Restore, AWriteThatFailsLeavesTheDeviceAsItWasOrRestored) {
  for (const auto fault : {MemoryStore::Fault::refuse, MemoryStore::Fault::cut_before}) {
    std::vector<OwnedContribution> contributions = {backup.contribute(1), backup.contribute(2), backup.contribute(3)};
    device.store.fail_write(1, fault);
    EXPECT_EQ(restore(contributions).error, Error::store_failed);
    EXPECT_FALSE(device.core().ready()) << "nothing is signed by a core that does not know which it is";
    EXPECT_EQ(device.call(Command::status).error, Error::no_session);
    ASSERT_EQ(device.restart(false), Error::ok);
    EXPECT_TRUE(device_is_untouched());
  }
  std::vector<OwnedContribution> contributions = {backup.contribute(1), backup.contribute(2), backup.contribute(3)};
  device.store.fail_write(1, MemoryStore::Fault::cut_after);
  EXPECT_EQ(restore(contributions).error, Error::store_failed);
  ASSERT_EQ(device.restart(false), Error::ok);
  EXPECT_EQ(device.status().core_id, backup.source.status().core_id);
  EXPECT_EQ(device.status().recovery_count, 1u);
}

TEST_F(Restore, UncountedRecordsStayUncounted) {
  const auto status = backup.source.status();
  const Bytes recovery = encoded(protocol::Recovery{status.core_id, 1, status.root});
  ASSERT_EQ(backup.source.refusal(Command::recover, protocol::RecoverRequest{recovery, backup.source.operator_sign(
                                                                                           "recovery", recovery)}),
            Error::ok);
  backup.restore_now();
  EXPECT_EQ(root_keys(device), std::nullopt);
  EXPECT_EQ(device.status().recovery_count, 2u);
}

TEST_F(Restore, TheRestoredCoreGoesOnWithTheSameHoldersAndCanBeLostInTurn) {
  backup.restore_now();
  move_database(device);
  // Its shares are those of the backup, so a holder that lost its own gets it again.
  const auto evidence = encoded(make_evidence(*backup.holders[1], peer_challenge(device)));
  const protocol::BackupShareRequest request{backup.description, 2, Bytes32{}, evidence};
  EXPECT_EQ(device.refusal(Command::backup_share, request), Error::ok);
  const auto certificate = decoded<protocol::FenceCertificate>(BackupWorld::certificate(device).body);
  const Bytes checkpoint = BackupWorld::checkpoint_of(device);
  EXPECT_EQ(backup.keep_checkpoint(1, checkpoint), Error::checkpoint_signature_invalid) << "without its certificate";
  for (std::uint8_t index = 1; index <= 3; index++)
    ASSERT_EQ(backup.keep_checkpoint(index, checkpoint, &certificate), Error::ok) << +index;
  EXPECT_EQ(backup.describe(1).followed_identity, device.core().state().identity_key);
  // Holder 4 was away and has a checkpoint of the first device with a larger revision: the recovery goes before it.
  for (int i = 0; i < 20; i++) ASSERT_EQ(backup.world.set_policy(backup.world.policy), Error::ok);
  ASSERT_EQ(backup.keep_checkpoint(4, backup.checkpoint()), Error::ok);
  ASSERT_GT(backup.describe(4).revision, backup.describe(1).revision);
  const auto third = new_device(55);
  const OwnedOrder order = sign_order(backup.source, "restore", backup.restore_order_for(*third));
  const std::vector<OwnedContribution> contributions = {
      backup.contribute_to(*third, 4), backup.contribute_to(*third, 1), backup.contribute_to(*third, 2)};
  const Outcome done = outcome(backup.restore_to(*third, contributions, order));
  ASSERT_EQ(done.result, Error::ok);
  EXPECT_EQ(done.revision, device.status().revision);
  EXPECT_EQ(third->status().recovery_count, 2u);
  EXPECT_EQ(third->status().configuration_floor, 1u) << "the device before it was never configured";
}

TEST_F(Restore, AHolderTakesAShareFromTheRestoredCoreWhenItsOperatorNamesThat) {
  backup.restore_now();
  TestHost& holder = *backup.holders[0];
  const Bytes evidence = encoded(make_evidence(holder, peer_challenge(device)));
  const Bytes32 challenge = peer_challenge(holder);
  const Reply reply =
      device.ask(Command::backup_share, protocol::BackupShareRequest{backup.description, 1, challenge, evidence});
  ASSERT_EQ(reply.error, Error::ok);
  const auto answer = decoded<protocol::SharePackageReply>(reply.body);
  const SentShare sent{Error::ok, encoded(answer.evidence), OwnedPackage(answer.package)};
  protocol::KeepOrder order = backup.keep_order(1);
  EXPECT_EQ(backup.ask_keep(1, sent, sign_order(holder, "keep share", order)).error, Error::evidence_other_core);
  order.source = describe_peer(device, &device_quotes());
  const Uncommitted change = backup.ask_keep(1, sent, sign_order(holder, "keep share", order));
  ASSERT_EQ(change.error, Error::ok);
  ASSERT_EQ(holder.commit().error, Error::ok);
  backup.shares[0] = change.record;
  EXPECT_EQ(backup.describe(1).followed_identity, device.core().state().identity_key);
  EXPECT_EQ(backup.describe(1).followed_recovery_count, 1u);
  EXPECT_EQ(backup.keep_checkpoint(1, BackupWorld::checkpoint_of(device)), Error::ok);
}

}  // namespace
}  // namespace community::trusted::testing
