// SPDX-License-Identifier: Apache-2.0
// What every body of the trusted core does alike: it serves, it keeps what was committed through any crash, and nothing
// but its host's frames reaches it. Linked once for each body.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <functional>

#include "trusted/tests/support/backup.hpp"
#include "trusted/tests/support/body_under_test.hpp"
#include "trusted/tests/support/ed25519_vectors.hpp"
#include "trusted/tests/support/generic_keys.hpp"
#include "trusted/tests/support/programs.hpp"
#include "trusted/tests/support/root_keys.hpp"
#include "trusted/tests/support/world.hpp"

namespace community::trusted::testing {
namespace {

class Body : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const std::string missing = body_missing(); !missing.empty()) GTEST_SKIP() << missing;
    tested = make_body_under_test();
  }
  RemoteBody& body() { return *tested.body; }
  int rounds() const { return std::getenv("COMMUNITY_TEST_LONG") != nullptr ? tested.long_rounds : tested.rounds; }

  BodyUnderTest tested;
};

TEST_F(Body, SaysWhatItIs) {
  World world(1, &body());
  const auto status = world.host.status();
  EXPECT_EQ(status.body, static_cast<std::uint8_t>(tested.kind));
  EXPECT_EQ(status.protection, static_cast<std::uint8_t>(tested.protection));
}

TEST_F(Body, CreatesCommitsAndSigns) {
  World world(1, &body());
  EXPECT_EQ(world.sign(world.good_userop()).error, Error::ok);
  EXPECT_EQ(world.sign(world.good_transaction()).error, Error::ok);
  ASSERT_EQ(world.host.restart(true), Error::ok);
  EXPECT_EQ(world.sign(world.good_userop()).error, Error::ok);
  ASSERT_EQ(world.host.restart(false), Error::ok);
  EXPECT_EQ(world.sign(world.good_userop()).error, Error::ok);
}

TEST_F(Body, ACleanStopReturnsLeasesAndKillLosesThem) {
  World world(1, &body());
  const Uint256 cost(2'000'000'000'000'000);
  const Uint256 budget = world.configuration.chains[0].executor_budget;
  ASSERT_EQ(world.sign(world.good_transaction()).error, Error::ok);
  const Uint256 left = *subtract(budget, cost);
  EXPECT_EQ(world.host.status().budgets[0].executor_left, left);
  ASSERT_EQ(world.host.restart(true), Error::ok);
  EXPECT_EQ(world.host.status().budgets[0].executor_left, left);
  TestTransaction next = world.good_transaction();
  next.nonce = Uint256(1);
  ASSERT_EQ(world.sign(next).error, Error::ok);
  ASSERT_EQ(world.host.restart(false), Error::ok);
  const Uint256 hundredth = divide(budget, 100).quotient;
  EXPECT_EQ(world.host.status().budgets[0].executor_left, *subtract(left, hundredth));
}

TEST_F(Body, IsBackedUpToCoresThatItJudges) {
  BackupWorld backup(&body());
  TestHost& source = backup.source;
  ASSERT_EQ(backup.create(backup.order()), Error::ok);
  const protocol::Evidence good = make_evidence(*backup.holders[0], peer_challenge(source));
  const auto verdict = [&](const std::function<void(protocol::Evidence&)>& bend) {
    protocol::Evidence bent = good;
    bend(bent);
    const Bytes evidence = encoded(bent);
    return source.refusal(Command::backup_share, protocol::BackupShareRequest{backup.description, 1, {}, evidence});
  };
  EXPECT_EQ(verdict([](auto&) {}), Error::ok);
  EXPECT_EQ(verdict([](auto& e) { e.statement.epoch++; }), Error::evidence_signature_invalid);
  EXPECT_EQ(verdict([](auto& e) { e.application.signature[7] ^= 1; }), Error::evidence_signature_invalid);
  EXPECT_EQ(verdict([](auto& e) { e.system.signature[383] ^= 1; }), Error::evidence_signature_invalid);
  // Numbers that are no signature at all: above the modulus, zero, one.
  EXPECT_EQ(verdict([](auto& e) { e.system.signature.fill(0xff); }), Error::evidence_signature_invalid);
  EXPECT_EQ(verdict([](auto& e) { e.system.signature = e.system.modulus; }), Error::evidence_signature_invalid);
  EXPECT_EQ(verdict([](auto& e) { e.system.signature.fill(0); }), Error::evidence_signature_invalid);
  EXPECT_EQ(verdict([](auto& e) {
              e.system.signature.fill(0);
              e.system.signature.back() = 1;
            }),
            Error::evidence_signature_invalid);
  for (std::uint8_t index = 1; index <= BackupWorld::kCores; index++)
    ASSERT_EQ(backup.keep(index, backup.send(index)), Error::ok) << +index;
  backup.restore_now();
  // The new device goes on; the body under test is the one that was left behind.
  const auto certificate = decoded<protocol::FenceCertificate>(BackupWorld::certificate(backup.device).body);
  EXPECT_EQ(certificate.core_id, source.status().core_id);
  ASSERT_EQ(source.refusal(Command::fence, certificate), Error::ok);
  EXPECT_EQ(backup.world.sign(backup.world.good_userop()).error, Error::fenced);
  ASSERT_EQ(source.restart(false), Error::ok);
  EXPECT_EQ(source.status().fenced, 1);
  EXPECT_EQ(backup.world.sign(backup.world.good_userop()).error, Error::fenced);
}

TEST_F(Body, IsRestoredFromSharesOfOtherCores) {
  BackupWorld backup(nullptr, &body());
  TestHost& device = backup.device;
  backup.distribute();
  backup.restore_now();
  device.tree = device.pending_tree = backup.source.tree;
  ASSERT_EQ(device.restart(false), Error::ok);
  EXPECT_EQ(device.status().core_id, backup.source.status().core_id);
  EXPECT_EQ(device.status().recovery_count, 1u);
  const OwnedProof proof = device.proof(backup.world.wallet);
  const Reply wallet = device.ask(Command::wallet_describe, protocol::WalletDescribeRequest{proof.view(), 0});
  ASSERT_EQ(wallet.error, Error::ok);
  EXPECT_EQ(decoded<protocol::WalletDescribeReply>(wallet.body).server_key, backup.world.server_key);
  const auto certificate = decoded<protocol::FenceCertificate>(BackupWorld::certificate(device).body);
  EXPECT_EQ(backup.source.refusal(Command::fence, certificate), Error::ok);
}

// kill -9 at a random point of a loop of changes, commits and signatures.
TEST_F(Body, KilledAtAnyMomentItRestartsInOneOfTwoStates) {
  World world(1, &body());
  Random random(2'024);
  const Uint256 budget = world.configuration.chains[0].executor_budget;
  Uint256 spent;
  std::uint64_t nonce = 0;
  for (int round = 0; round < rounds(); round++) {
    const auto before = world.host.status();
    protocol::KeyCreateRequest request;
    const OwnedPath path = world.host.pending_tree.path(world.host.next_leaf());
    request.path = path.view();
    request.purpose = static_cast<std::uint8_t>(protocol::Purpose::executor);
    TestTransaction transaction = world.good_transaction();
    transaction.nonce = Uint256(++nonce);
    if (random.one_in(2)) {
      // Each crash loses a lease, a hundredth of the budget, so a hundred of them exhaust it.
      const Error error = world.sign(transaction).error;
      if (error == Error::ok) {
        spent = *add(spent, Uint256(2'000'000'000'000'000));
      } else {
        ASSERT_EQ(error, Error::budget_exhausted);
        ASSERT_GT(round, 90);
      }
    }
    ASSERT_EQ(world.host.change(Command::key_create, request).error, Error::ok);
    // The COMMIT is on its way when the process dies, somewhere between before it was read and after it was answered.
    const Bytes32 new_root = world.host.pending_tree.root();
    ASSERT_TRUE(body().send(
        world.host.channel().request(Command::commit, encoded(protocol::CommitRequest{before.epoch + 1, new_root}))));
    wait_some(random.below(tested.commit_micros));
    body().crash();
    const MerkleTree with_change = world.host.pending_tree;
    ASSERT_EQ(world.host.start(), Error::ok) << "round " << round;
    const auto after = world.host.status();
    if (after.epoch == before.epoch) {
      EXPECT_EQ(after.root, before.root);
    } else {
      EXPECT_EQ(after.epoch, before.epoch + 1);
      EXPECT_EQ(after.root, new_root);
      world.host.tree = with_change;
    }
    world.host.pending_tree = world.host.tree;
    EXPECT_LE(after.budgets[0].executor_left, before.budgets[0].executor_left);
    EXPECT_LE(after.budgets[0].executor_left, *subtract(budget, spent));
    ASSERT_EQ(world.sign(world.good_userop()).error, Error::ok);
  }
}

// Rotations with a kill at a random moment of each order and of the COMMIT of the re-seals: the numbers of records are
// always those of the tree that the core has, and in the end the old keys are gone.
TEST_F(Body, ARotationGoesOnAfterAKillAtAnyMoment) {
  World world(1, &body());
  TestHost& host = world.host;
  Random random(2'026);
  const Reply signed_before = world.sign(world.good_userop());
  const auto crash_after = [&](const Bytes& frame) {
    ASSERT_TRUE(body().send(frame));
    wait_some(random.below(tested.commit_micros));
    body().crash();
    ASSERT_EQ(host.start(), Error::ok);
  };
  const auto order_frame = [&](Command command, std::uint32_t version, std::string_view what) {
    return host.channel().request(command, encoded(SignedOrder(host, version, what).view()));
  };
  for (std::uint32_t version = 2; version < 2 + static_cast<std::uint32_t>(std::max(rounds() / 5, 2)); version++) {
    crash_after(order_frame(Command::rotate_root_key, version, "root key rotation"));
    ASSERT_EQ(rotate(host, version), Error::ok);
    ASSERT_EQ(retire(host, version - 1), Error::root_key_in_use);
    std::vector<StoredRecord> resealed;
    for (const StoredRecord* record : {&world.wallet, &world.executor, &world.paymaster}) {
      const Uncommitted change = reseal(host, *record, true);
      ASSERT_EQ(name(change.error), "ok");
      resealed.push_back(change.record);
    }
    const MerkleTree with_changes = host.pending_tree;
    const auto before = host.status();
    if (random.one_in(4)) {
      ASSERT_EQ(host.commit().error, Error::ok);
    } else {
      const protocol::CommitRequest commit{before.epoch + 1, with_changes.root()};
      crash_after(host.channel().request(Command::commit, encoded(commit)));
    }
    const bool committed = host.status().epoch == before.epoch + 1;
    const std::map<std::uint32_t, std::uint32_t> expected{{version - 1, committed ? 0u : 3u},
                                                          {version, committed ? 3u : 0u}};
    ASSERT_EQ(root_keys(host), expected) << version;
    if (!committed) {
      host.settle(false);
      for (const StoredRecord* record : {&world.wallet, &world.executor, &world.paymaster}) {
        const Uncommitted change = reseal(host, *record, true);
        ASSERT_EQ(name(change.error), "ok");
        resealed.erase(resealed.begin());
        resealed.push_back(change.record);
      }
      ASSERT_EQ(host.commit().error, Error::ok);
    }
    host.tree = host.pending_tree = committed ? with_changes : host.tree;
    world.wallet = resealed[0];
    world.executor = resealed[1];
    world.paymaster = resealed[2];
    crash_after(order_frame(Command::retire_root_key, version - 1, "root key retirement"));
    ASSERT_EQ(retire(host, version - 1), Error::ok);
    ASSERT_EQ(root_keys(host), (std::map<std::uint32_t, std::uint32_t>{{version, 3}})) << version;
    EXPECT_EQ(to_hex(world.sign(world.good_userop()).body), to_hex(signed_before.body));
    EXPECT_EQ(world.sign(world.good_transaction()).error, Error::ok);
  }
}

TEST_F(Body, AFullBlockIsCountedInOneFrame) {
  World world(1, &body());
  TestHost& host = world.host;
  std::vector<StoredRecord> records{world.wallet, world.executor, world.paymaster};
  // With full policies, so that the frame is larger than any other of these tests.
  protocol::Policy policy = world.policy;
  policy.rule_count = protocol::kMaxPolicyRules;
  while (records.size() < protocol::kCountBlock) records.push_back(world.make_wallet(world.passkey, policy));
  const auto status = host.status();
  const Bytes recovery = encoded(protocol::Recovery{status.core_id, status.recovery_count + 1, status.root});
  const protocol::RecoverRequest request{recovery, host.operator_sign("recovery", recovery)};
  ASSERT_EQ(host.refusal(Command::recover, request), Error::ok);
  ASSERT_EQ(root_keys(host), std::nullopt);
  ASSERT_EQ(count_records(host, records), Error::ok);
  EXPECT_EQ(root_keys(host), (std::map<std::uint32_t, std::uint32_t>{{1, 32}}));
}

TEST_F(Body, GenericKeysSignAsRfc8032AndRfc6979Say) {
  World world(1, &body());
  for (const Ed25519Vector& vector : kRfc8032Vectors) {
    const GenericKey key = import_generic(world, GenericKeyType::ed25519, unhex(vector.secret));
    ASSERT_EQ(name(key.error), "ok");
    EXPECT_EQ(to_hex(key.public_key), vector.public_key);
    const Reply reply = sign_generic(world, key.record, GenericHash::none, unhex(vector.message));
    ASSERT_EQ(name(reply.error), "ok");
    EXPECT_EQ(to_hex(decoded<protocol::GenericSignature>(reply.body).signature), vector.signature);
  }
  const GenericKey one = import_generic(world, GenericKeyType::ecdsa_secp256k1, Uint256(1).to_be());
  const Reply reply = sign_generic(world, one.record, GenericHash::sha256, to_bytes("Satoshi Nakamoto"));
  ASSERT_EQ(name(reply.error), "ok");
  EXPECT_EQ(to_hex(decoded<protocol::GenericSignature>(reply.body).signature),
            "934b1ea10a4b3c1757e2b0c017d0b6143ce3c9a7e6a4a49860d7a6ab210ee3d8"
            "2442ce9d2b916064108014783e923ec36b49743e2ffa1c4496f01a512aafd9e5");
}

// What the operator ordered is so after a kill, and an order does not serve again.
TEST_F(Body, AGenericKeyIsDeletedForGood) {
  World world(1, &body());
  const SealedSecret sealed(world, Uint256(77).to_be());
  auto import = generic_order(world, FoundersCommand::import_key);
  import.secret = sealed.view();
  const GenericKey key = create_generic(world, import);
  ASSERT_EQ(name(key.error), "ok");
  auto removal = generic_order(world, FoundersCommand::delete_key);
  removal.key_id = key.record.id;
  const SignedBytes order(world, removal);
  const OwnedProof proof = world.host.proof(key.record);
  Bytes reply;
  const Bytes request =
      founders_body(FoundersCommand::delete_key, protocol::GenericDeleteRequest{proof.view(), order.view()});
  ASSERT_EQ(name(change_and_commit(world, request, reply).first), "ok");
  ASSERT_EQ(world.host.restart(false), Error::ok);
  EXPECT_EQ(sign_generic(world, key.record, GenericHash::sha256, {}).error, Error::record_not_current);
  EXPECT_EQ(name(create_generic(world, import).error), "generic_order_out_of_sequence");
}

TEST_F(Body, ATreasuryPaysOnlyWhatItsConfigurationAllows) {
  World world(1, &body());
  Address address{};
  const StoredRecord treasury = world.make_key(protocol::Purpose::treasury, kChain, &address);
  const auto pay = [&](std::uint64_t value) {
    TestTransaction payment;
    payment.to = to_bytes(world.executor_address);
    payment.value = Uint256(value);
    payment.gas_limit = Uint256(21'000);
    const Bytes bytes = payment.encode();
    const OwnedProof proof = world.host.proof(treasury), executor = world.host.proof(world.executor);
    return world.host.refusal(Command::sign_treasury,
                              protocol::SignTreasuryRequest{proof.view(), bytes, 1, {executor.view()}});
  };
  EXPECT_EQ(pay(1), Error::treasury_not_configured);
  world.configuration.treasury_count = 1;
  world.configuration.treasuries[0] = {kChain, Uint256(1'000), Uint256(1'000'000'000'000'000'000)};
  world.configuration.sequence++;
  ASSERT_EQ(world.host.configure(world.configuration), Error::ok);
  EXPECT_EQ(pay(1'000), Error::ok);
  EXPECT_EQ(pay(1'001), Error::treasury_value_over_cap);
  ASSERT_EQ(world.host.restart(true), Error::ok);
  EXPECT_EQ(world.host.status().budgets[0].treasury_left,
            *subtract(Uint256(1'000'000'000'000'000'000), Uint256(1'000 + 21'000ull * 2'000'000'000)));
}

TEST_F(Body, AnswersPipelinedRequestsInOrder) {
  World world(1, &body());
  HostChannel& channel = world.host.channel();
  Bytes all;
  std::vector<std::uint64_t> ids;
  for (int i = 0; i < 1'000; i++) {
    append(all, channel.request(Command::status, {}));
    ids.push_back(channel.last_request_id());
  }
  ASSERT_TRUE(body().send(all));
  for (const std::uint64_t id : ids) {
    const auto reply = channel.reply(body().receive());
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->request_id, id);
  }
}

TEST_F(Body, AFrameMayArriveByteByByte) {
  World world(1, &body());
  HostChannel& channel = world.host.channel();
  for (const std::uint8_t byte : channel.request(Command::status, {})) ASSERT_TRUE(body().send({&byte, 1}));
  EXPECT_TRUE(channel.reply(body().receive()));
}

TEST_F(Body, OneCommitMakesManyChangesValid) {
  World world(1, &body());
  const auto before = world.host.status();
  std::vector<Uncommitted> changes;
  for (std::size_t i = 0; i < 64; i++) {
    protocol::KeyCreateRequest request;
    const OwnedPath path = world.host.pending_tree.path(world.host.next_leaf());
    request.path = path.view();
    request.purpose = static_cast<std::uint8_t>(protocol::Purpose::executor);
    changes.push_back(world.host.change(Command::key_create, request));
    ASSERT_EQ(changes.back().error, Error::ok);
  }
  const Committed committed = world.host.commit();
  ASSERT_EQ(committed.error, Error::ok);
  EXPECT_EQ(committed.changes.size(), changes.size());
  ASSERT_EQ(world.host.restart(false), Error::ok);
  EXPECT_EQ(world.host.status().epoch, before.epoch + 1);
}

TEST_F(Body, UncommittedChangesDieWithTheConnection) {
  World world(1, &body());
  protocol::KeyCreateRequest request;
  const OwnedPath path = world.host.pending_tree.path(world.host.next_leaf());
  request.path = path.view();
  request.purpose = static_cast<std::uint8_t>(protocol::Purpose::executor);
  ASSERT_EQ(world.host.change(Command::key_create, request).error, Error::ok);
  const Bytes32 root = world.host.pending_tree.root();
  const auto before = world.host.status();
  ASSERT_TRUE(world.host.reconnect());
  EXPECT_EQ(world.host.commit_at(before.epoch + 1, root).error, Error::commit_root_mismatch);
  EXPECT_EQ(world.host.status().root, before.root);
}

TEST_F(Body, DropsAConnectionThatSendsNoFrames) {
  World world(1, &body());
  for (const std::string_view bytes : {"00000000", "ffffffff", "00000024"}) {
    ASSERT_TRUE(body().connect());
    Bytes garbage = unhex(bytes);
    garbage.resize(64);
    ASSERT_TRUE(body().send(garbage));
    // A body whose transport outlives connections may answer with one refusal first.
    if (!body().receive().empty()) {
      EXPECT_TRUE(body().receive().empty()) << bytes;
    }
    ASSERT_TRUE(world.host.reconnect()) << bytes;
    EXPECT_EQ(world.sign(world.good_userop()).error, Error::ok);
  }
}

TEST_F(Body, ARepeatedFrameEndsTheConnection) {
  World world(1, &body());
  const Bytes frame = world.host.channel().request(Command::status, {});
  ASSERT_TRUE(world.host.channel().reply(body().exchange(frame)));
  const auto refusal = world.host.channel().reply(body().exchange(frame));
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->error, Error::bad_sequence);
  ASSERT_TRUE(world.host.reconnect());
  EXPECT_EQ(world.sign(world.good_userop()).error, Error::ok);
}

TEST_F(Body, AChangedFrameIsRefused) {
  World world(1, &body());
  Bytes frame = world.host.channel().request(Command::status, {});
  frame.back() ^= 1;
  const auto refusal = world.host.channel().reply(body().exchange(frame));
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->error, Error::bad_mac);
  ASSERT_TRUE(world.host.reconnect());
  EXPECT_EQ(world.host.call(Command::status).error, Error::ok);
}

TEST_F(Body, AHelloWithoutTheChannelKeyIsNotAnswered) {
  World world(1, &body());
  ASSERT_TRUE(body().connect());
  HostChannel stranger(Bytes32{1}, 40);
  ASSERT_TRUE(body().send(stranger.hello()));
  EXPECT_TRUE(body().wait_for_end());
  ASSERT_TRUE(world.host.reconnect());
  EXPECT_EQ(world.host.call(Command::status).error, Error::ok);
}

}  // namespace
}  // namespace community::trusted::testing
