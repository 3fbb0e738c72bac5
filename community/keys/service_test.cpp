// SPDX-License-Identifier: Apache-2.0
// The key service against the real key-enclave: what is returned is committed, and no crash leaves the two disagreeing.
#include "community/keys/test_support/key_world.hpp"

namespace community::keys {
namespace {

TEST_F(KeyServiceTest, AWalletSurvivesRestartsOfNodeAndCore) {
  WalletInfo made;
  auto create = [&](KeyService& service) -> Task<void> {
    co_await configure(service, operator_, configuration());
    const auto wallet = co_await service.create_wallet(passkey(1), {});
    EXPECT_TRUE(wallet.has_value()) << wallet.error().text();
    if (wallet) made = *wallet;
  };
  with_service(create);
  stop_core(SIGKILL);
  start_core();
  auto describe = [&](KeyService& service) -> Task<void> {
    const auto wallet = co_await service.describe_wallet(made.id);
    EXPECT_TRUE(wallet.has_value()) << wallet.error().text();
    if (wallet) {
      EXPECT_EQ(wallet->server_key, made.server_key);
    }
  };
  with_service(describe);
}

TEST_F(KeyServiceTest, ConcurrentChangesAndQuestionsAllFindAConsistentTree) {
  constexpr int kWallets = 200;
  std::vector<WalletInfo> wallets;
  auto work = [&](KeyService& service) -> Task<void> {
    co_await configure(service, operator_, configuration());
    infra::TaskGroup group(loop_.executor());
    auto one = [&](int number) -> Task<void> {
      const auto wallet = co_await service.create_wallet(passkey(static_cast<std::uint8_t>(number)), {});
      EXPECT_TRUE(wallet.has_value()) << wallet.error().text();
      if (!wallet) co_return;
      wallets.push_back(*wallet);
      const auto described = co_await service.describe_wallet(wallet->id);
      EXPECT_TRUE(described.has_value()) << described.error().text();
    };
    for (int i = 0; i < kWallets; i++) group.spawn(one(i));
    co_await group.join();
    const auto status = co_await service.status();
    EXPECT_EQ(status->root, service.database_root());
    // Group commit: far fewer commits than changes.
    EXPECT_LT(status->epoch, std::uint64_t{kWallets} / 4);
  };
  with_service(work);
  EXPECT_EQ(wallets.size(), std::size_t{kWallets});
}

TEST_F(KeyServiceTest, APhraseSignsThroughTheService) {
  auto work = [&](KeyService& service) -> Task<void> {
    co_await configure(service, operator_, configuration());
    protocol::Policy policy;
    policy.call_value_cap = policy.operation_value_cap = policy.cost_cap = Uint256(1'000'000'000'000'000'000);
    const auto wallet = co_await service.create_wallet(passkey(1), policy);
    if (!wallet) co_return;
    const protocol::EoaKey eoa{kChain, 0, 0};
    const auto none = co_await service.eoa_address(wallet->id, eoa);
    EXPECT_TRUE(none && !none->has_value());

    const Bytes change = encode_phrase_change(12);
    const Assertion wrong = sign(Bytes32{});
    const auto refused = co_await service.make_phrase(wallet->id, 12, wrong);
    EXPECT_EQ(refused.error().refusal, protocol::Error::challenge_mismatch);
    const Assertion right = sign(protocol::wallet_change_challenge(wallet->id, 1, change));
    const auto made = co_await service.make_phrase(wallet->id, 12, right);
    EXPECT_TRUE(made.has_value()) << made.error().text();
    const auto address = co_await service.eoa_address(wallet->id, eoa);
    EXPECT_TRUE(address && address->has_value());
    if (!address || !*address) co_return;

    // rlp(nonce 1, gas price 1, gas 21000, to, value 1, no data, chain id, 0, 0)
    const Bytes transaction = core::parse_hex(
                                  "0xe1010182520894"
                                  "0000000000000000000000000000000000000001"
                                  "0180827a698080")
                                  .value();
    const Assertion over_transaction = sign(base::keccak256(transaction));
    const auto sent = co_await service.sign_eoa_transaction(wallet->id, eoa, transaction, over_transaction);
    EXPECT_TRUE(sent.has_value()) << sent.error().text();
    if (sent) {
      EXPECT_EQ(sent->signer, **address);
      EXPECT_EQ(sent->call.value, Uint256(1));
      EXPECT_EQ(core::recover_address(sent->digest, sent->signature).value(), **address);
    }

    const Bytes message{'h', 'i'};
    const Assertion over_message = sign(ethereum::personal_message_hash(message));
    const auto text = co_await service.sign_message(wallet->id, eoa, message, over_message);
    EXPECT_TRUE(text.has_value()) << text.error().text();

    TypedMessage typed;
    typed.present = protocol::kDomainName;
    typed.name = "Shop";
    typed.types = {"Order(bool paid)"};
    typed.values = {1};
    const auto unsigned_data = co_await service.sign_typed_data(wallet->id, eoa, typed, wrong);
    EXPECT_EQ(unsigned_data.error().refusal, protocol::Error::challenge_mismatch);
    typed.types.assign(protocol::kMaxTypedDataTypes + 1, "Order(bool paid)");
    const auto too_many = co_await service.sign_typed_data(wallet->id, eoa, typed, wrong);
    EXPECT_EQ(too_many.error().refusal, protocol::Error::malformed_request);
    const SigningAccount nobody{kChain, Address{1}, 0};
    const auto account = co_await service.sign_account_text(wallet->id, nobody, message, wrong);
    EXPECT_EQ(account.error().refusal, protocol::Error::sender_not_account);
    typed.types.resize(1);
    const auto nested = co_await service.sign_account_message(wallet->id, nobody, typed, wrong);
    EXPECT_EQ(nested.error().refusal, protocol::Error::sender_not_account);
  };
  with_service(work);
}

TEST_F(KeyServiceTest, SecretsPassThroughSealed) {
  auto work = [&](KeyService& service) -> Task<void> {
    co_await configure(service, operator_, configuration());
    const auto wallet = co_await service.create_wallet(passkey(1), {});
    const auto status = co_await service.status();
    if (!wallet || !status) co_return;
    EXPECT_EQ(status->hpke_key[0], 4);
    const Assertion make = sign(protocol::wallet_change_challenge(wallet->id, 1, encode_phrase_change(24)));
    const auto made = co_await service.make_phrase(wallet->id, 24, make);
    EXPECT_TRUE(made.has_value()) << made.error().text();
    // Any point of the curve is a page's key.
    const protocol::HpkeKey page = status->hpke_key;
    const Assertion over_export = sign(protocol::phrase_export_challenge(wallet->id, page));
    const auto exported = co_await service.export_phrase(wallet->id, page, over_export);
    EXPECT_TRUE(exported.has_value()) << exported.error().text();
    if (exported) {
      EXPECT_EQ(exported->cipher.size(), 32u + 16u);
    }

    SealedSecret secret{page, Bytes(113)};
    const protocol::SealedMessage view{secret.enc, secret.cipher};
    const Assertion over_secret = sign(protocol::sealed_request_challenge(protocol::kSessionSecret, wallet->id, view));
    const auto session = co_await service.session_secret(wallet->id, secret, over_secret);
    EXPECT_EQ(session.error().refusal, protocol::Error::hpke_message_not_opened);
    const Assertion over_open = sign(protocol::sealed_request_challenge(protocol::kContentRootOpen, wallet->id, view));
    const auto opened = co_await service.open_content_root(wallet->id, secret, over_open);
    EXPECT_EQ(opened.error().refusal, protocol::Error::hpke_message_not_opened);
    secret.cipher.resize(48);
    ContentRootChange change{passkey(1).credential_id, {secret}};
    const Assertion over_change =
        sign(protocol::wallet_change_challenge(wallet->id, 2, encode_content_root_change(change)));
    const auto wrapped = co_await service.wrap_content_root(wallet->id, change, over_change);
    EXPECT_EQ(wrapped.error().refusal, protocol::Error::hpke_message_not_opened);
  };
  with_service(work);
}

TEST_F(KeyServiceTest, NodeKeysKeepPurposeAndAddress) {
  std::vector<KeyInfo> made;
  auto create = [&](KeyService& service) -> Task<void> {
    co_await configure(service, operator_, configuration());
    made.push_back((co_await service.create_key(Purpose::executor, kChain)).value());
    made.push_back((co_await service.create_key(Purpose::paymaster, kChain)).value());
    const auto server = co_await service.create_key(Purpose::server, kChain);
    EXPECT_EQ(server.error().refusal, protocol::Error::wrong_purpose);
  };
  with_service(create);
  auto find = [&](KeyService& service) -> Task<void> {
    const auto executors = co_await service.executors(kChain);
    EXPECT_EQ(executors->size(), 1u);
    EXPECT_EQ(executors->front().address, made[0].address);
    EXPECT_EQ((co_await service.sponsors(kChain))->front().address, made[1].address);
    EXPECT_TRUE((co_await service.executors(1))->empty());
  };
  with_service(find);
}

TEST_F(KeyServiceTest, OneRefusedRequestOfABatchDoesNotSpoilTheOthers) {
  auto work = [&](KeyService& service) -> Task<void> {
    co_await configure(service, operator_, configuration());
    const auto executor = co_await service.create_key(Purpose::executor, kChain);
    EXPECT_TRUE(executor.has_value());
    if (!executor) co_return;
    Bytes good = core::parse_hex("0x02ea827a6980843b9aca008477359400830f424094").value();
    core::append(good, executor->address);
    core::append(good, core::parse_hex("0x8080c0").value());
    Bytes dear = good;
    // The priority fee's first byte: more than the maximum fee.
    dear[7] = 0x7f;
    infra::TaskGroup group(loop_.executor());
    std::size_t signatures = 0, refusals = 0;
    auto sign = [&](const Bytes& transaction) -> Task<void> {
      const auto signature = co_await service.sign_transaction(executor->id, transaction);
      if (signature) signatures++;
      if (!signature && signature.error().refusal == protocol::Error::transaction_fee_over_cap) refusals++;
    };
    for (std::size_t i = 0; i < 30; i++) group.spawn(sign(i % 3 == 1 ? dear : good));
    co_await group.join();
    EXPECT_EQ(signatures, 20u);
    EXPECT_EQ(refusals, 10u);
  };
  with_service(work);
}

class AccountKeysTest : public KeyServiceTest {
 protected:
  // Makes a wallet with an account, then `work`.
  template <class Work>
  void with_account(Work work) {
    auto all = [&](KeyService& service) -> Task<void> {
      protocol::Configuration wanted = configuration();
      wanted.chains[0].server_freeze = 1;
      co_await configure(service, operator_, wanted);
      const auto made = co_await service.create_wallet(key_, {});
      EXPECT_TRUE(made.has_value()) << made.error().text();
      if (!made) co_return;
      wallet_ = *made;
      AccountBindRequest bind;
      bind.wallet = wallet_.id;
      bind.chain_id = kChain;
      bind.init_data = init_data(key_, wallet_.server_key);
      const auto account = co_await service.bind_account(std::move(bind));
      EXPECT_TRUE(account.has_value()) << account.error().text();
      if (!account) co_return;
      account_ = *account;
      co_await work(service);
    };
    with_service(all);
  }
  KeyChangeRequest change_request(const protocol::KeyChange& change, const Address& server_key) const {
    KeyChangeRequest request;
    request.wallet = wallet_.id;
    request.chain_id = kChain;
    request.account = account_;
    request.change = change;
    request.assertion = assert_over(key_, protocol::key_change_digest(change, server_key, kChain, account_));
    return request;
  }
  // `revision` is the wallet's when the person signs: 1 when made, 2 with its account.
  AccountAdoptRequest adopt_request(const Address& account, std::uint32_t index, std::uint64_t revision) const {
    AccountAdoptRequest request;
    request.wallet = wallet_.id;
    request.chain_id = kChain;
    request.account = account;
    request.server_key_index = index;
    request.assertion =
        assert_over(key_, protocol::account_adoption_challenge(wallet_.id, revision, kChain, account, index));
    return request;
  }
  Passkey key_ = passkey(1);
  WalletInfo wallet_;
  Address account_{}, adopted_key_{};
};

TEST_F(AccountKeysTest, AnActionIsSignedWithThePasskeysAssertion) {
  auto work = [&](KeyService& service) -> Task<void> {
    ActionRequest request;
    request.wallet = wallet_.id;
    request.chain_id = kChain;
    request.account = account_;
    request.action.kind = protocol::ActionKind::freeze;
    const auto freeze = co_await service.sign_action(request);
    EXPECT_TRUE(freeze.has_value()) << freeze.error().text();
    if (!freeze) co_return;
    EXPECT_EQ(freeze->digest, protocol::action_digest(request.action, kChain, account_));
    EXPECT_EQ(core::recover_address(freeze->digest, freeze->signature).value(), wallet_.server_key);

    request.action.kind = protocol::ActionKind::unfreeze;
    request.action.votes = 1;
    const auto without = co_await service.sign_action(request);
    EXPECT_EQ(without.error().refusal, protocol::Error::passkey_unknown);
    request.assertion = assert_over(key_, protocol::action_digest(request.action, kChain, account_));
    const auto unfreeze = co_await service.sign_action(request);
    EXPECT_TRUE(unfreeze.has_value()) << unfreeze.error().text();
    request.server_key_index = 1;
    EXPECT_EQ((co_await service.sign_action(request)).error().refusal, protocol::Error::server_key_not_accounts);
  };
  with_account(work);
}

TEST_F(AccountKeysTest, AChangeOfKeysIsCommittedWhenItsSignatureIsThere) {
  auto work = [&](KeyService& service) -> Task<void> {
    protocol::KeyChange change;
    change.votes = 1;
    change.server_key = protocol::NewServerKey::foreign;
    change.foreign_key = Address{0x0f};
    const auto first = co_await service.change_account_keys(change_request(change, change.foreign_key));
    EXPECT_TRUE(first.has_value()) << first.error().text();
    if (!first) co_return;
    EXPECT_EQ(core::recover_address(first->digest, first->signature).value(), wallet_.server_key);
    const auto wallet = co_await service.describe_wallet(wallet_.id);
    EXPECT_EQ(wallet->accounts[0].moved_to, change.foreign_key);
    const auto again = co_await service.change_account_keys(change_request(change, change.foreign_key));
    EXPECT_TRUE(again.has_value());
    EXPECT_EQ(again->signature.r, first->signature.r);
    EXPECT_EQ(again->signature.s, first->signature.s);
    const auto status = co_await service.status();
    EXPECT_EQ(status->root, service.database_root());

    const auto elsewhere = co_await service.change_account_keys(change_request(change, Address{0x0e}));
    EXPECT_EQ(elsewhere.error().refusal, protocol::Error::challenge_mismatch);
  };
  with_account(work);
  // What was answered survives both sides.
  stop_core(SIGKILL);
  start_core();
  auto check = [&](KeyService& service) -> Task<void> {
    const auto wallet = co_await service.describe_wallet(wallet_.id);
    EXPECT_EQ(wallet->accounts[0].moved_to, Address{0x0f});
  };
  with_service(check);
}

TEST_F(AccountKeysTest, AnAccountThatBeganElsewhereIsAdoptedAndSignsButDoesNotDeploy) {
  const Address immigrant{0x1b};
  auto work = [&](KeyService& service) -> Task<void> {
    // Made before the account was bound, so of an earlier revision.
    AccountAdoptRequest request = adopt_request(immigrant, 2, 1);
    const auto overtaken = co_await service.adopt_account(request);
    EXPECT_EQ(overtaken.error().refusal, protocol::Error::challenge_mismatch);
    request = adopt_request(immigrant, 2, 2);
    const auto server_key = co_await service.adopt_account(request);
    EXPECT_TRUE(server_key.has_value()) << server_key.error().text();
    if (!server_key) co_return;
    adopted_key_ = *server_key;
    EXPECT_NE(adopted_key_, wallet_.server_key);
    const auto again = co_await service.adopt_account(request);
    EXPECT_EQ(again.error().refusal, protocol::Error::account_exists);
  };
  with_account(work);
  stop_core(SIGKILL);
  start_core();
  auto sign_one = [&](KeyService& service) -> Task<void> {
    UseropRequest request;
    request.wallet = wallet_.id;
    request.chain_id = kChain;
    request.entry_point = Address{0x43, 0x37};
    request.server_key_index = 2;
    request.userop.sender = immigrant;
    request.userop.call_data = plain_call(Address{0x5a});
    const core::UserOperation unpacked = core::unpack(request.userop).value();
    const auto hash = core::userop_hash(unpacked, core::EntryPointVersion::v0_8, request.entry_point, Uint256(kChain));
    request.assertion = assert_over(key_, hash.value());
    const auto signed_one = co_await service.sign_userop(request);
    EXPECT_TRUE(signed_one.has_value()) << signed_one.error().text();
    if (signed_one) {
      EXPECT_EQ(core::recover_address(signed_one->hash, signed_one->signature).value(), adopted_key_);
    }
    request.userop.init_code = Bytes(20);
    const auto deploying = co_await service.sign_userop(request);
    EXPECT_EQ(deploying.error().refusal, protocol::Error::adopted_account_deploys);
  };
  with_service(sign_one);
}

TEST_F(AccountKeysTest, AnAccountThatMovedAwayComesHome) {
  auto work = [&](KeyService& service) -> Task<void> {
    protocol::KeyChange change;
    change.votes = 1;
    change.server_key = protocol::NewServerKey::foreign;
    change.foreign_key = Address{0x0f};
    const auto left = co_await service.change_account_keys(change_request(change, change.foreign_key));
    EXPECT_TRUE(left.has_value()) << left.error().text();
    const auto skipped = co_await service.adopt_account(adopt_request(account_, 2, 3));
    EXPECT_EQ(skipped.error().refusal, protocol::Error::server_key_index_out_of_order);
    const auto home = co_await service.adopt_account(adopt_request(account_, 1, 3));
    EXPECT_TRUE(home.has_value()) << home.error().text();
    const auto wallet = co_await service.describe_wallet(wallet_.id);
    EXPECT_EQ(wallet->account_count, 1);
    EXPECT_EQ(wallet->accounts[0].moved_to, Address{});
    EXPECT_EQ(wallet->accounts[0].last_server_key_index, 1u);
    EXPECT_FALSE(wallet->accounts[0].is_adopted());
  };
  with_account(work);
}

TEST_F(AccountKeysTest, ASessionOperationNeedsItsTicket) {
  auto work = [&](KeyService& service) -> Task<void> {
    SessionRequest request;
    request.wallet = wallet_.id;
    request.chain_id = kChain;
    request.entry_point = Address{0x43, 0x37};
    request.userop.sender = account_;
    EXPECT_EQ((co_await service.sign_session(request)).error().refusal, protocol::Error::session_call_malformed);
    // executeSession of a grant with one selector and of no execution data: nobody signed this grant.
    request.userop.call_data = core::to_bytes(ethereum::kExecuteSession);
    for (const std::uint64_t value : {64, 384, 5, 256, 0, 0, 0, 0, 9, 0, 1, 0, 0}) {
      const Bytes32 word = Uint256(value).to_be();
      request.userop.call_data.insert(request.userop.call_data.end(), word.begin(), word.end());
    }
    EXPECT_EQ((co_await service.sign_session(request)).error().refusal, protocol::Error::grant_ticket_invalid);
  };
  with_account(work);
}

TEST_F(KeyServiceTest, ADatabaseOfAnEarlierDayIsRefusedAndRecoverIsTheWayOut) {
  auto create = [&](KeyService& service) -> Task<void> {
    co_await configure(service, operator_, configuration());
    EXPECT_TRUE((co_await service.create_wallet(passkey(1), {})).has_value());
  };
  with_service(create);
  service_.reset();
  database_.reset();
  const infra::TestDatabase backup;
  place_.copy_to(backup);
  open_database();
  with_service(create);
  service_.reset();
  database_.reset();
  backup.copy_to(place_);
  open_database();

  ChannelOptions options;
  options.socket_path = socket();
  options.channel_key = channel_key_;
  EXPECT_EQ(loop_.block_on(service_->serve(options)).code, ErrorCode::state_forked);

  auto recover = [&]() -> Task<void> {
    const auto attached = co_await service_->attach(options);
    EXPECT_TRUE(attached.has_value());
    const auto status = co_await service_->status();
    protocol::Recovery recovery;
    recovery.core_id = status->core_id;
    recovery.recovery_count = status->recovery_count + 1;
    recovery.root = service_->database_root();
    const SignedMessage message = operator_.sign(recovery);
    const auto epoch = co_await service_->recover(message.message, message.signature);
    EXPECT_TRUE(epoch.has_value()) << epoch.error().text();
  };
  loop_.block_on(recover());
  service_ = make_key_service({*database_, *random_});
  with_service(create);
}

TEST_F(KeyServiceTest, WhatDoesNotKnowTheChannelKeyIsRefused) {
  ChannelOptions options;
  options.socket_path = socket();
  const Error error = loop_.block_on(service_->serve(options));
  // A port of an emulator cannot be closed by the core, which says there that the connection is over.
  EXPECT_EQ(error.code, is_optee() ? ErrorCode::protocol_violation : ErrorCode::unavailable);
}

TEST_F(KeyServiceTest, KilledAnywhereCoreAndDatabaseAgreeAfterwards) {
  const int rounds = std::getenv("COMMUNITY_TEST_LONG") != nullptr && !is_optee() ? 200 : 20;
  infra::FakeRandom seeded(7);
  auto set_up = [&](KeyService& service) -> Task<void> { co_await configure(service, operator_, configuration()); };
  with_service(set_up);
  std::vector<WalletInfo> confirmed;
  for (int round = 0; round < rounds; round++) {
    // The core dies while changes are on their way; which step it dies in differs from round to round.
    const auto victim = body_->pid();
    const auto delay_us = static_cast<useconds_t>(seeded.below(is_optee() ? 200'000 : 6'000));
    auto work = [&](KeyService& service) -> Task<void> {
      infra::TaskGroup group(loop_.executor());
      auto one = [&](int number) -> Task<void> {
        const auto wallet = co_await service.create_wallet(passkey(static_cast<std::uint8_t>(number)), {});
        if (wallet) confirmed.push_back(*wallet);
      };
      for (int i = 0; i < 20; i++) group.spawn(one(i));
      const pid_t killer = fork();
      if (killer == 0) {
        usleep(delay_us);
        kill(victim, SIGKILL);
        _exit(0);
      }
      co_await group.join();
      waitpid(killer, nullptr, 0);
    };
    with_service(work);
    stop_core(SIGKILL);
    start_core();
    auto check = [&](KeyService& service) -> Task<void> {
      const auto status = co_await service.status();
      EXPECT_EQ(status->root, service.database_root()) << "round " << round;
      for (const WalletInfo& wallet : confirmed)
        EXPECT_TRUE((co_await service.describe_wallet(wallet.id)).has_value()) << "round " << round;
    };
    with_service(check);
    if (HasFailure()) break;
    if (confirmed.size() > 100) confirmed.erase(confirmed.begin(), confirmed.begin() + 50);
  }
}

}  // namespace
}  // namespace community::keys