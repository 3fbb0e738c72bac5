// SPDX-License-Identifier: Apache-2.0
// The founders' interface: generic keys are made, imported and deleted by the operator's orders alone, each order once;
// they sign what their kind signs and nothing of another purpose.
#include <gtest/gtest.h>

#include "trusted/base/keccak.hpp"
#include "trusted/tests/support/ed25519_vectors.hpp"
#include "trusted/tests/support/generic_keys.hpp"
#include "trusted/tests/support/root_keys.hpp"

namespace community::trusted::testing {
namespace {

constexpr auto kSecp256k1 = GenericKeyType::ecdsa_secp256k1;
constexpr auto kEd25519 = GenericKeyType::ed25519;

class GenericKeys : public ::testing::Test {
 protected:
  protocol::GenericSignature signature(const StoredRecord& record, GenericHash hash, ByteView message) {
    const Reply reply = sign_generic(world, record, hash, message);
    EXPECT_EQ(name(reply.error), "ok");
    return reply.error == Error::ok ? decoded<protocol::GenericSignature>(reply.body) : protocol::GenericSignature{};
  }
  static Address recover(const Bytes32& digest, const protocol::GenericSignature& signature) {
    protocol::Signature65 bytes{};
    base::copy(bytes, signature.signature);
    bytes[64] = signature.recovery_id;
    EXPECT_TRUE(has_low_s(bytes));
    return recover_address(digest, bytes);
  }
  static Address address_of_key(const GenericKey& key) {
    Address address{};
    base::copy(address, ByteView(base::keccak256(key.public_key)).last(20));
    return address;
  }
  // Sends an order as it is and says what came of it; nothing is committed.
  Error refusal(FoundersCommand command, const protocol::SignedGenericOrder& order) {
    return world.host.call(Command::founders, create_body(world, command, order)).error;
  }
  Error refusal(const protocol::GenericKeyOrder& order) {
    const SignedBytes signed_order(world, order);
    return refusal(static_cast<FoundersCommand>(order.command), signed_order.view());
  }
  Bytes delete_body(const StoredRecord& record, const protocol::SignedGenericOrder& order) {
    const OwnedProof proof = world.host.pending_proof(record);
    return founders_body(FoundersCommand::delete_key, protocol::GenericDeleteRequest{proof.view(), order});
  }
  protocol::GenericKeyOrder delete_order(const StoredRecord& record) {
    auto order = generic_order(world, FoundersCommand::delete_key);
    order.key_id = record.id;
    return order;
  }
  Error remove(const StoredRecord& record) {
    const SignedBytes order(world, delete_order(record));
    Bytes reply;
    return change_and_commit(world, delete_body(record, order.view()), reply).first;
  }
  Reply describe(const StoredRecord& record) {
    const OwnedProof proof = world.host.proof(record);
    return world.host.call(Command::founders, founders_body(FoundersCommand::get_public_key, proof.view()));
  }
  World world;
};

TEST_F(GenericKeys, TheNumbersAreTheFounders) {
  EXPECT_EQ(static_cast<std::uint32_t>(FoundersCommand::generate_key), 0u);
  EXPECT_EQ(static_cast<std::uint32_t>(FoundersCommand::import_key), 1u);
  EXPECT_EQ(static_cast<std::uint32_t>(FoundersCommand::sign_message), 2u);
  EXPECT_EQ(static_cast<std::uint32_t>(FoundersCommand::get_public_key), 3u);
  EXPECT_EQ(static_cast<std::uint32_t>(FoundersCommand::delete_key), 4u);
  EXPECT_EQ(static_cast<std::uint32_t>(kSecp256k1), 0u);
  EXPECT_EQ(static_cast<std::uint32_t>(kEd25519), 1u);
}

TEST_F(GenericKeys, ASecp256k1KeySignsMessagesThatTheCoreHashes) {
  const GenericKey key = generate_generic(world);
  ASSERT_EQ(name(key.error), "ok");
  ASSERT_EQ(key.public_key.size(), 64u);
  const Bytes message = to_bytes("a message");
  const auto keccak = signature(key.record, GenericHash::keccak256, message);
  EXPECT_EQ(recover(base::keccak256(message), keccak), address_of_key(key));
  EXPECT_EQ(recover(base::sha256(message), signature(key.record, GenericHash::sha256, message)), address_of_key(key));
  EXPECT_EQ(signature(key.record, GenericHash::keccak256, message).signature, keccak.signature);
  EXPECT_EQ(keccak.signature_len, 64u);
  EXPECT_EQ(signature(key.record, GenericHash::keccak256, {}).signature_len, 64u);
}

TEST_F(GenericKeys, NoBareDigestIsSignedUnlessTheOperatorMadeTheKeyForIt) {
  const GenericKey plain = generate_generic(world),
                   digests = generate_generic(world, kSecp256k1, protocol::kGenericPrehashed);
  const Bytes digest(32, 0x5a);
  EXPECT_EQ(sign_generic(world, plain.record, GenericHash::none, digest).error, Error::generic_hash_refused);
  EXPECT_EQ(digests.flags, protocol::kGenericPrehashed);
  Bytes32 as_word;
  base::copy(as_word, digest);
  EXPECT_EQ(recover(as_word, signature(digests.record, GenericHash::none, digest)), address_of_key(digests));
  for (const std::size_t size : {0u, 31u, 33u})
    EXPECT_EQ(sign_generic(world, digests.record, GenericHash::none, Bytes(size)).error, Error::generic_hash_refused);
  // It hashes messages as others do.
  EXPECT_EQ(recover(base::sha256(digest), signature(digests.record, GenericHash::sha256, digest)),
            address_of_key(digests));
}

TEST_F(GenericKeys, EqualsTheVectorsOfRfc8032) {
  for (const Ed25519Vector& vector : kRfc8032Vectors) {
    const GenericKey key = import_generic(world, kEd25519, unhex(vector.secret));
    ASSERT_EQ(name(key.error), "ok");
    EXPECT_EQ(to_hex(key.public_key), vector.public_key);
    const auto made = signature(key.record, GenericHash::none, unhex(vector.message));
    EXPECT_EQ(to_hex(made.signature), vector.signature);
    EXPECT_EQ(made.recovery_id, 0);
  }
}

// RFC 6979 over secp256k1 with SHA-256, as many wallets publish it: secret 1.
TEST_F(GenericKeys, EqualsThePublishedSignaturesOfRfc6979) {
  const GenericKey key = import_generic(world, kSecp256k1, Uint256(1).to_be());
  ASSERT_EQ(name(key.error), "ok");
  EXPECT_EQ(to_hex(signature(key.record, GenericHash::sha256, to_bytes("Satoshi Nakamoto")).signature),
            "934b1ea10a4b3c1757e2b0c017d0b6143ce3c9a7e6a4a49860d7a6ab210ee3d8"
            "2442ce9d2b916064108014783e923ec36b49743e2ffa1c4496f01a512aafd9e5");
}

TEST_F(GenericKeys, Ed25519TakesTheMessageItself) {
  const GenericKey key = generate_generic(world, kEd25519);
  ASSERT_EQ(key.public_key.size(), 32u);
  for (const GenericHash hash : {GenericHash::keccak256, GenericHash::sha256})
    EXPECT_EQ(sign_generic(world, key.record, hash, Bytes(32)).error, Error::generic_hash_refused);
}

TEST_F(GenericKeys, SignsAndDescribesOnlyWithGenericKeys) {
  for (const StoredRecord* other : {&world.executor, &world.paymaster}) {
    EXPECT_EQ(sign_generic(world, *other, GenericHash::keccak256, {}).error, Error::wrong_purpose);
    EXPECT_EQ(describe(*other).error, Error::wrong_purpose);
    const SignedBytes order(world, delete_order(*other));
    EXPECT_EQ(world.host.call(Command::founders, delete_body(*other, order.view())).error, Error::wrong_purpose);
  }
  EXPECT_EQ(sign_generic(world, world.wallet, GenericHash::keccak256, {}).error, Error::record_wrong_type);
  // And a generic key signs nothing of another purpose.
  const GenericKey key = generate_generic(world);
  const OwnedProof proof = world.host.proof(key.record);
  const Bytes bundle = world.good_transaction().encode();
  EXPECT_EQ(world.host.refusal(Command::sign_transaction, protocol::SignTransactionRequest{proof.view(), bundle}),
            Error::wrong_purpose);
  EXPECT_EQ(world.host.refusal(Command::sign_treasury, protocol::SignTreasuryRequest{proof.view(), bundle, 0, {}}),
            Error::malformed_request);
  World::Sponsorship sponsorship;
  sponsorship.userop = world.good_userop();
  EXPECT_EQ(world.sign(sponsorship, &key.record).error, Error::wrong_purpose);
}

TEST_F(GenericKeys, AHostMakesNone) {
  auto order = generic_order(world, FoundersCommand::generate_key);
  const Bytes bytes = encoded(order);
  EXPECT_EQ(refusal(FoundersCommand::generate_key, {bytes, {}}), Error::operator_signature_invalid);
  // Signed for something else.
  EXPECT_EQ(refusal(FoundersCommand::generate_key, {bytes, world.host.operator_sign("recovery", bytes)}),
            Error::operator_signature_invalid);
  const SignedBytes good(world, order);
  for (std::size_t i = 0; i < good.bytes.size(); i++) {
    SignedBytes changed = good;
    changed.bytes[i] ^= 1;
    EXPECT_EQ(refusal(FoundersCommand::generate_key, changed.view()), Error::operator_signature_invalid) << i;
  }
  // An order is for its own command.
  EXPECT_EQ(refusal(FoundersCommand::import_key, good.view()), Error::generic_order_malformed);
  order.core_id[0] ^= 1;
  EXPECT_EQ(refusal(order), Error::configuration_foreign);
}

TEST_F(GenericKeys, RefusesOrdersOfNoKnownShape) {
  auto order = generic_order(world, FoundersCommand::generate_key);
  const auto refuses = [this](Bytes bytes) {
    return refusal(FoundersCommand::generate_key, {bytes, world.host.operator_sign("generic key", bytes)});
  };
  const Bytes good = encoded(order);
  EXPECT_EQ(refuses(Bytes(good.begin(), good.end() - 1)), Error::generic_order_malformed);
  EXPECT_EQ(refuses(join({good, Bytes(1)})), Error::generic_order_malformed);
  EXPECT_EQ(refuses({}), Error::generic_order_malformed);
  // Type 2; flags of no meaning; a digest for Ed25519; signing is no order.
  const std::size_t command_at = 16 + 8, type_at = command_at + 4, flags_at = type_at + 4;
  for (const auto& [at, value] :
       std::vector<std::pair<std::size_t, int>>{{type_at + 3, 2}, {flags_at, 2}, {command_at + 3, 2}}) {
    Bytes bad = good;
    bad[at] = static_cast<std::uint8_t>(value);
    EXPECT_EQ(refuses(bad), Error::generic_order_malformed) << at;
  }
  Bytes digests = good;
  digests[type_at + 3] = 1;
  digests[flags_at] = protocol::kGenericPrehashed;
  EXPECT_EQ(refuses(digests), Error::generic_order_malformed);
}

TEST_F(GenericKeys, AnOrderServesOnce) {
  auto order = generic_order(world, FoundersCommand::generate_key);
  order.sequence = 7;
  ASSERT_EQ(name(create_generic(world, order).error), "ok");
  EXPECT_EQ(world.host.status().order_sequence, 7u);
  EXPECT_EQ(refusal(order), Error::generic_order_out_of_sequence);
  order.sequence = 6;
  EXPECT_EQ(refusal(order), Error::generic_order_out_of_sequence);
  ASSERT_EQ(world.host.restart(false), Error::ok);
  order.sequence = 7;
  EXPECT_EQ(refusal(order), Error::generic_order_out_of_sequence);
  order.sequence = 8;
  EXPECT_EQ(refusal(order), Error::ok);
  // Also among the changes that wait for their COMMIT.
  EXPECT_EQ(refusal(order), Error::generic_order_out_of_sequence);
}

TEST_F(GenericKeys, AnOrderWhoseChangeDiedMayBeGivenAgain) {
  const auto order = generic_order(world, FoundersCommand::generate_key);
  ASSERT_EQ(refusal(order), Error::ok);
  ASSERT_TRUE(world.host.reconnect());
  EXPECT_EQ(world.host.status().order_sequence, 0u);
  EXPECT_EQ(name(create_generic(world, order).error), "ok");
}

TEST_F(GenericKeys, AnImportNeedsASecretSealedToThisCoreForThis) {
  const Bytes32 secret = Uint256(77).to_be();
  const auto import = [&](const SealedSecret& sealed) {
    auto order = generic_order(world, FoundersCommand::import_key);
    order.secret = sealed.view();
    return refusal(order);
  };
  EXPECT_EQ(import(SealedSecret(world, secret, "community phrase export")), Error::hpke_message_not_opened);
  SealedSecret changed(world, secret);
  changed.cipher[0] ^= 1;
  EXPECT_EQ(import(changed), Error::hpke_message_not_opened);
  World other(2);
  EXPECT_EQ(import(SealedSecret(other, secret)), Error::hpke_message_not_opened);
  for (const std::size_t size : {0u, 31u, 33u, 64u})
    EXPECT_EQ(import(SealedSecret(world, Bytes(size))), Error::hpke_message_malformed);
  EXPECT_EQ(import(SealedSecret(world, secret)), Error::ok);
}

TEST_F(GenericKeys, RefusesSecretsThatAreNoKeysOrNotToBeUsedHere) {
  const auto import = [&](GenericKeyType type, ByteView secret) { return import_generic(world, type, secret).error; };
  const Bytes order_of_the_group = unhex("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141");
  EXPECT_EQ(import(kSecp256k1, Bytes(32)), Error::generic_secret_refused);
  EXPECT_EQ(import(kSecp256k1, order_of_the_group), Error::generic_secret_refused);
  // With the operator's key a host could sign orders, with the core's own what the core says of itself.
  Bytes32 operator_secret;
  base::copy(operator_secret, Random(1 ^ 0x09).bytes(32));
  EXPECT_EQ(import(kSecp256k1, operator_secret), Error::generic_secret_refused);
  EXPECT_EQ(import(kSecp256k1, world.host.core().state().identity_secret), Error::generic_secret_refused);
  EXPECT_EQ(name(import(kEd25519, Bytes(32))), "ok");
}

TEST_F(GenericKeys, ADeletedKeyIsGoneFromTheTree) {
  const GenericKey key = generate_generic(world), kept = generate_generic(world, kEd25519);
  const auto before = root_keys(world.host);
  ASSERT_EQ(name(remove(key.record)), "ok");
  // Record and path lead to the root of before.
  EXPECT_EQ(sign_generic(world, key.record, GenericHash::keccak256, {}).error, Error::stale_path);
  EXPECT_EQ(sign_generic(world, kept.record, GenericHash::none, {}).error, Error::ok);
  EXPECT_EQ(root_keys(world.host)->at(1), before->at(1) - 1);
  // The record is kept outside by a hostile host; nothing proves it any more, after a restart neither.
  ASSERT_EQ(world.host.restart(false), Error::ok);
  EXPECT_EQ(sign_generic(world, key.record, GenericHash::keccak256, {}).error, Error::record_not_current);
  const SignedBytes order(world, delete_order(key.record));
  EXPECT_EQ(world.host.call(Command::founders, delete_body(key.record, order.view())).error, Error::record_not_current);
  // Its leaf is free.
  protocol::KeyCreateRequest request;
  const OwnedPath path = world.host.pending_tree.path(key.record.leaf);
  request.path = path.view();
  request.purpose = static_cast<std::uint8_t>(protocol::Purpose::executor);
  EXPECT_EQ(world.host.refusal(Command::key_create, request), Error::ok);
}

TEST_F(GenericKeys, AnOldImportDoesNotBringADeletedKeyBack) {
  const SealedSecret sealed(world, Uint256(77).to_be());
  auto order = generic_order(world, FoundersCommand::import_key);
  order.secret = sealed.view();
  const GenericKey key = create_generic(world, order);
  ASSERT_EQ(name(key.error), "ok");
  ASSERT_EQ(name(remove(key.record)), "ok");
  EXPECT_EQ(refusal(order), Error::generic_order_out_of_sequence);
}

TEST_F(GenericKeys, ADeletionNamesItsKey) {
  const GenericKey key = generate_generic(world), other = generate_generic(world);
  const SignedBytes order(world, delete_order(other.record));
  EXPECT_EQ(world.host.call(Command::founders, delete_body(key.record, order.view())).error,
            Error::generic_order_other_key);
  EXPECT_EQ(sign_generic(world, key.record, GenericHash::keccak256, {}).error, Error::ok);
}

TEST_F(GenericKeys, ADeletionCountsWithItsCommitOnly) {
  const GenericKey key = generate_generic(world);
  const auto before = world.host.status();
  const SignedBytes order(world, delete_order(key.record));
  ASSERT_EQ(world.host.take_change(world.host.call(Command::founders, delete_body(key.record, order.view()))).error,
            Error::ok);
  EXPECT_EQ(sign_generic(world, key.record, GenericHash::keccak256, {}).error, Error::ok);
  ASSERT_TRUE(world.host.reconnect());
  EXPECT_EQ(world.host.status().root, before.root);
  EXPECT_EQ(sign_generic(world, key.record, GenericHash::keccak256, {}).error, Error::ok);
  // Made and deleted in one batch.
  const auto make = generic_order(world, FoundersCommand::generate_key);
  const SignedBytes made(world, make);
  const Uncommitted change = world.host.take_change(
      world.host.call(Command::founders, create_body(world, FoundersCommand::generate_key, made.view())));
  ASSERT_EQ(change.error, Error::ok);
  auto gone = delete_order(change.record);
  gone.sequence = make.sequence + 1;
  const SignedBytes deleted(world, gone);
  ASSERT_EQ(
      world.host.take_change(world.host.call(Command::founders, delete_body(change.record, deleted.view()))).error,
      Error::ok);
  ASSERT_EQ(world.host.commit().error, Error::ok);
  EXPECT_EQ(world.host.status().root, before.root);
  EXPECT_EQ(world.host.status().order_sequence, gone.sequence);
  EXPECT_EQ(root_keys(world.host)->at(1), 4u);
}

TEST_F(GenericKeys, SurviveRotationAndReSealing) {
  const GenericKey secp = generate_generic(world), ed = generate_generic(world, kEd25519);
  const auto secp_before = signature(secp.record, GenericHash::sha256, {}).signature;
  const auto ed_before = signature(ed.record, GenericHash::none, {}).signature;
  ASSERT_EQ(rotate(world.host, 2), Error::ok);
  const Uncommitted one = reseal(world.host, secp.record), two = reseal(world.host, ed.record, true);
  ASSERT_EQ(name(two.error), "ok");
  ASSERT_EQ(world.host.commit().error, Error::ok);
  EXPECT_EQ(signature(one.record, GenericHash::sha256, {}).signature, secp_before);
  EXPECT_EQ(signature(two.record, GenericHash::none, {}).signature, ed_before);
  EXPECT_EQ(to_bytes(decoded<protocol::GenericKeyDescription>(describe(two.record).body).public_key), ed.public_key);
}

TEST_F(GenericKeys, KeyDescribeTellsTheAddressWhereThereIsOne) {
  const GenericKey secp = generate_generic(world), ed = generate_generic(world, kEd25519);
  const auto ask = [this](const StoredRecord& record) {
    const OwnedProof proof = world.host.proof(record);
    return decoded<protocol::KeyDescribeReply>(world.host.ask(Command::key_describe, proof.view()).body);
  };
  EXPECT_EQ(ask(secp.record).address, address_of_key(secp));
  EXPECT_EQ(ask(secp.record).purpose, static_cast<std::uint8_t>(protocol::Purpose::generic));
  EXPECT_EQ(ask(ed.record).address, Address{});
}

TEST_F(GenericKeys, UnknownNumbersAndShapesAreRefused) {
  EXPECT_EQ(world.host.call(Command::founders, {}).error, Error::malformed_request);
  EXPECT_EQ(world.host.call(Command::founders, Bytes(3)).error, Error::malformed_request);
  for (const std::string_view number : {"00000005", "00000100", "ffffffff"})
    EXPECT_EQ(world.host.call(Command::founders, unhex(number)).error, Error::unknown_command) << number;
  for (const std::string_view number : {"00000000", "00000001", "00000002", "00000003", "00000004"})
    EXPECT_EQ(world.host.call(Command::founders, unhex(number)).error, Error::malformed_request) << number;
  const GenericKey key = generate_generic(world);
  EXPECT_EQ(sign_generic(world, key.record, static_cast<GenericHash>(3), {}).error, Error::malformed_request);
  EXPECT_EQ(sign_generic(world, key.record, GenericHash::sha256, Bytes(protocol::kMaxGenericMessage)).error, Error::ok);
}

TEST_F(GenericKeys, NothingIsMadeWithoutRandomness) {
  const auto order = generic_order(world, FoundersCommand::generate_key);
  world.host.store.fail_random(true);
  EXPECT_EQ(refusal(order), Error::random_failed);
  world.host.store.fail_random(false);
  EXPECT_EQ(refusal(order), Error::ok);
}

TEST_F(GenericKeys, AFailedWriteStopsTheCoreAndOneOfTwoStatesIsThere) {
  for (const auto fault : {MemoryStore::Fault::cut_before, MemoryStore::Fault::cut_after}) {
    const auto before = world.host.status();
    const auto order = generic_order(world, FoundersCommand::generate_key);
    const SignedBytes signed_order(world, order);
    const Bytes body = create_body(world, FoundersCommand::generate_key, signed_order.view());
    ASSERT_EQ(world.host.take_change(world.host.call(Command::founders, body)).error, Error::ok);
    const Bytes32 root = world.host.pending_tree.root();
    world.host.store.fail_write(1, fault);
    EXPECT_EQ(world.host.commit_at(before.epoch + 1, root).error, Error::store_failed);
    world.host.store.restore_power();
    const MerkleTree with = world.host.pending_tree;
    ASSERT_EQ(world.host.start(), Error::ok);
    const bool written = fault == MemoryStore::Fault::cut_after;
    const auto after = world.host.status();
    EXPECT_EQ(after.order_sequence, before.order_sequence + (written ? 1 : 0));
    EXPECT_EQ(after.epoch, before.epoch + (written ? 1 : 0));
    if (written) world.host.tree = world.host.pending_tree = with;
  }
}

}  // namespace
}  // namespace community::trusted::testing
