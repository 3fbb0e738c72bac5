// SPDX-License-Identifier: Apache-2.0
// Treasury and generic keys through the service, against the real key-enclave: what was made or deleted is so after any
// crash.
#include <soci/soci.h>

#include "community/core/transaction.hpp"
#include "community/infra/fake/test_database.hpp"
#include "community/keys/test_support/key_world.hpp"

namespace community::keys {
namespace {

using protocol::FoundersCommand;
using protocol::GenericHash;
using protocol::GenericKeyType;

class NodeKeys : public KeyServiceTest {
 protected:
  Task<SignedMessage> order(KeyService& service, FoundersCommand command, GenericKeyType type, RecordId key = {}) {
    const auto status = co_await service.status();
    protocol::GenericKeyOrder wanted;
    wanted.core_id = status->core_id;
    wanted.sequence = status->order_sequence + 1;
    wanted.command = static_cast<std::uint32_t>(command);
    wanted.type = static_cast<std::uint32_t>(type);
    wanted.key_id = key;
    co_return operator_.sign(wanted);
  }
  Task<GenericKey> generate(KeyService& service, GenericKeyType type) {
    const SignedMessage signed_order = co_await order(service, FoundersCommand::generate_key, type);
    const auto made = co_await service.create_generic_key(signed_order.message, signed_order.signature);
    EXPECT_TRUE(made.has_value()) << made.error().text();
    co_return made.value_or(GenericKey{});
  }
  Task<Result<void>> remove(KeyService& service, RecordId key) {
    const SignedMessage signed_order =
        co_await order(service, FoundersCommand::delete_key, GenericKeyType::ecdsa_secp256k1, key);
    co_return co_await service.delete_generic_key(key, signed_order.message, signed_order.signature);
  }
  static std::array<std::uint8_t, 64> unsigned_order() { return {}; }
  protocol::Configuration with_treasury() const {
    protocol::Configuration wanted = configuration();
    wanted.treasury_count = 1;
    wanted.treasuries[0] = {kChain, Uint256(1'000'000), Uint256(1'000'000'000'000)};
    return wanted;
  }
};

TEST_F(NodeKeys, ATreasuryPaysAnExecutorThatTheCoreKnows) {
  auto work = [&](KeyService& service) -> Task<void> {
    co_await configure(service, operator_, with_treasury());
    const auto treasury = co_await service.create_key(Purpose::treasury, kChain);
    const auto executor = co_await service.create_key(Purpose::executor, kChain);
    EXPECT_TRUE(treasury && executor);
    if (!treasury || !executor) co_return;
    core::Transaction payment;
    payment.chain_id = Uint256(kChain);
    payment.max_fee_per_gas = Uint256(1);
    payment.gas_limit = Uint256(21'000);
    payment.to = executor->address;
    payment.value = Uint256(1'000'000);
    std::optional<RecordId> nobody, paid = executor->id;
    const auto unnamed = co_await service.sign_treasury(treasury->id, payment.unsigned_encoding(), nobody);
    EXPECT_EQ(unnamed.error().refusal, protocol::Error::treasury_destination_refused);
    const auto made = co_await service.sign_treasury(treasury->id, payment.unsigned_encoding(), paid);
    EXPECT_TRUE(made.has_value()) << made.error().text();
    if (!made) co_return;
    EXPECT_EQ(made->cost, Uint256(1'021'000));
    EXPECT_EQ(core::recover_address(payment.signing_hash(), made->signature).value(), treasury->address);
    const auto status = co_await service.status();
    EXPECT_EQ(status->budgets[0].treasury_left, Uint256(1'000'000'000'000 - 1'021'000));
    const auto known = co_await service.treasuries(kChain);
    EXPECT_EQ(known->size(), 1u);
    const auto elsewhere = co_await service.treasuries(kChain + 1);
    EXPECT_TRUE(elsewhere->empty());
  };
  with_service(work);
}

TEST_F(NodeKeys, GenericKeysSignAndAreListedAfterARestart) {
  GenericKey secp, ed;
  auto make = [&](KeyService& service) -> Task<void> {
    secp = co_await generate(service, GenericKeyType::ecdsa_secp256k1);
    ed = co_await generate(service, GenericKeyType::ed25519);
  };
  with_service(make);
  stop_core(SIGKILL);
  start_core();
  infra::Metrics metrics;
  service_ = make_key_service({*database_, *random_, &metrics});
  auto use = [&](KeyService& service) -> Task<void> {
    const auto listed = co_await service.generic_keys();
    EXPECT_TRUE(listed.has_value());
    if (!listed) co_return;
    EXPECT_EQ(listed->size(), 2u);
    EXPECT_EQ((*listed)[0].public_key, secp.public_key);
    EXPECT_EQ((*listed)[1].public_key, ed.public_key);
    EXPECT_EQ((*listed)[1].type, GenericKeyType::ed25519);
    const Bytes message(3, 1);
    const auto hashed = co_await service.sign_generic(secp.id, GenericHash::keccak256, message);
    const auto pure = co_await service.sign_generic(ed.id, GenericHash::none, message);
    EXPECT_TRUE(hashed && pure);
    const auto wrong = co_await service.sign_generic(ed.id, GenericHash::sha256, message);
    EXPECT_EQ(wrong.error().refusal, protocol::Error::generic_hash_refused);
  };
  with_service(use);
  // Two signatures among the requests that the founders' command carried.
  const auto counted = metrics.counter("superrelay_optee_key_operations_total", "Signatures.",
                                       {{"operation", std::string(protocol::name(protocol::Command::founders))}});
  EXPECT_EQ(counted.value(), 2);
  service_ = make_key_service({*database_, *random_});
}

TEST_F(NodeKeys, ADeletedKeyIsGoneFromCoreAndDatabase) {
  RecordId gone{};
  auto work = [&](KeyService& service) -> Task<void> {
    const GenericKey first = co_await generate(service, GenericKeyType::ed25519);
    const GenericKey second = co_await generate(service, GenericKeyType::ed25519);
    gone = second.id;
    const auto removed = co_await remove(service, gone);
    EXPECT_TRUE(removed.has_value()) << removed.error().text();
    const auto again = co_await remove(service, gone);
    EXPECT_EQ(again.error().code, ErrorCode::not_found);
    const auto listed = co_await service.generic_keys();
    EXPECT_EQ(listed->size(), 1u);
    const auto status = co_await service.status();
    EXPECT_EQ(status->root, service.database_root());
    EXPECT_EQ(status->root_keys[0].records, 1u);
    // Its leaf serves again after a restart of the node.
    const Bytes empty;
    const auto kept = co_await service.sign_generic(first.id, GenericHash::none, empty);
    EXPECT_TRUE(kept.has_value());
  };
  with_service(work);
  auto after = [&](KeyService& service) -> Task<void> {
    const Bytes empty;
    const auto signed_by_it = co_await service.sign_generic(gone, GenericHash::none, empty);
    EXPECT_EQ(signed_by_it.error().code, ErrorCode::not_found);
    const GenericKey next = co_await generate(service, GenericKeyType::ecdsa_secp256k1);
    const auto works = co_await service.sign_generic(next.id, GenericHash::sha256, empty);
    EXPECT_TRUE(works.has_value());
    const auto listed = co_await service.generic_keys();
    EXPECT_EQ(listed->size(), 2u);
  };
  with_service(after);
}

// The core committed the deletion; the node died before it entered it.
TEST_F(NodeKeys, ADeletionThatTheCoreCommittedIsEnteredAfterACrash) {
  GenericKey key;
  auto make = [&](KeyService& service) -> Task<void> { key = co_await generate(service, GenericKeyType::ed25519); };
  with_service(make);
  service_.reset();
  database_.reset();
  const infra::TestDatabase before;
  place_.copy_to(before);
  open_database();
  Bytes32 root{};
  auto drop = [&](KeyService& service) -> Task<void> {
    const auto removed = co_await remove(service, key.id);
    EXPECT_TRUE(removed.has_value());
    root = service.database_root();
  };
  with_service(drop);
  // The rows of before, with the batch that was prepared.
  service_.reset();
  database_.reset();
  before.copy_to(place_);
  open_database();
  const std::string id = core::to_plain_hex(key.id), text = core::to_plain_hex(root);
  auto prepare = [id, text](soci::session& sql) {
    sql << "INSERT INTO keys_prepared (position, epoch, root, record_id, kind, leaf, revision, sealed) "
           "SELECT 0, e.epoch + 1, :root, r.record_id, r.kind, r.leaf, r.revision, '' FROM keys_records r, keys_epoch "
           "e "
           "WHERE r.record_id = :id",
        soci::use(text), soci::use(id);
  };
  const auto prepared = loop_.block_on(database_->write(prepare));
  ASSERT_TRUE(prepared.has_value());
  auto look = [&](KeyService& service) -> Task<void> {
    const auto listed = co_await service.generic_keys();
    EXPECT_TRUE(listed && listed->empty());
    const auto status = co_await service.status();
    EXPECT_EQ(status->root, service.database_root());
  };
  with_service(look);
}

TEST_F(NodeKeys, AnOrderOfSomebodyElseMakesNothing) {
  auto work = [&](KeyService& service) -> Task<void> {
    const SignedMessage good = co_await order(service, FoundersCommand::generate_key, GenericKeyType::ed25519);
    const std::array<std::uint8_t, 64> nothing = unsigned_order();
    const auto made = co_await service.create_generic_key(good.message, nothing);
    EXPECT_EQ(made.error().refusal, protocol::Error::operator_signature_invalid);
    const Bytes garbage(1, 1);
    const auto shape = co_await service.create_generic_key(garbage, nothing);
    EXPECT_EQ(shape.error().refusal, protocol::Error::generic_order_malformed);
    const auto listed = co_await service.generic_keys();
    EXPECT_TRUE(listed && listed->empty());
  };
  with_service(work);
}

}  // namespace
}  // namespace community::keys
