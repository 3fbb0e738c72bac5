// SPDX-License-Identifier: Apache-2.0
// Backup through the key service, between real key-enclaves with databases of their own: shares to holders,
// checkpoints, a restore that goes on with the database of before, and the fence for the device that was left behind.
#include "community/infra/fake/temporary_directory.hpp"
#include "community/infra/fake/test_database.hpp"
#include "community/keys/test_support/key_world.hpp"

namespace community::keys {
namespace {

using protocol::PeerDescription;

// A core in a folder of its own with a node's database beside it.
class Party {
 public:
  explicit Party(infra::Random& random) : random_(random), op(Operator::generate(random)) {
    EXPECT_EQ(body_.provision(op.public_key(), channel_key_), protocol::Error::ok);
    start();
    open_database();
  }
  ~Party() {
    stop();
    service_.reset();
  }
  Party(const Party&) = delete;
  Party& operator=(const Party&) = delete;

  void start() {
    ASSERT_EQ(body_.start(), protocol::Error::ok);
    // The service makes its own connection.
    body_.connection().close();
  }
  void stop() { body_.kill(); }
  void open_database() {
    database_ = infra::Database::open(place_.options(), {key_migrations()}).value();
    service_ = make_key_service({*database_, random_});
  }
  void close_database() {
    service_.reset();
    database_.reset();
  }
  // As it is now; both are closed.
  void copy_database_to(const Party& other) const { place_.copy_to(other.place_); }

  ChannelOptions options() const {
    ChannelOptions options;
    options.socket_path = body_.socket_path();
    options.channel_key = channel_key_;
    return options;
  }
  // As a node that runs: until the group is cancelled, or the service says why it ends.
  Task<void> serve() { ended = co_await service_->serve(options()); }
  Task<bool> connected(infra::TaskGroup& group) {
    group.spawn(serve());
    co_return co_await service_->connected().wait_for(infra::Milliseconds(20'000));
  }
  ConnectedKeyService& keys() { return *service_; }
  void renew() { service_ = make_key_service({*database_, random_}); }

  Task<PeerDescription> describe() {
    const auto attested = co_await service_->attest({});
    EXPECT_TRUE(attested.has_value());
    PeerDescription peer;
    peer.core_id = attested->statement.core_id;
    peer.identity_key = attested->statement.identity_key;
    peer.hpke_key = attested->statement.hpke_key;
    peer.body = attested->statement.body;
    co_return peer;
  }

 private:
  infra::Random& random_;
  infra::TemporaryDirectory folder_;
  Bytes32 channel_key_{};
  trusted::testing::Enclave body_;
  infra::TestDatabase place_;
  std::unique_ptr<infra::Database> database_;
  std::unique_ptr<ConnectedKeyService> service_;

 public:
  Operator op;
  Error ended;
};

class BackupKeysTest : public KeyServiceTest {
 protected:
  void SetUp() override {
    if (is_optee()) GTEST_SKIP() << "five cores at a time are processes here; tests/backup has them in OP-TEE";
    for (int i = 0; i < 5; i++) parties_.push_back(std::make_unique<Party>(*random_));
  }
  void TearDown() override { parties_.clear(); }
  Party& source() { return *parties_[0]; }
  Party& holder(std::size_t i) { return *parties_[1 + i]; }
  Party& device() { return *parties_[4]; }

  template <class Work>
  void with_all(Work work) {
    auto run = [this, &work]() -> Task<void> {
      infra::TaskGroup group(loop_.executor());
      for (auto& party : parties_) {
        const bool connected = co_await party->connected(group);
        EXPECT_TRUE(connected) << party->ended.text();
      }
      co_await work(group);
      group.cancel();
      co_await group.join();
      for (auto& party : parties_) party->renew();
    };
    loop_.block_on(run());
  }

  // 2 of 3, all of them processes.
  Task<void> make_backup() {
    protocol::BackupOrder order;
    const auto status = co_await source().keys().status();
    order.core_id = status->core_id;
    order.generation = 1;
    order.threshold = 2;
    order.holder_count = 3;
    for (std::size_t i = 0; i < 3; i++) {
      order.holders[i].kind = 1;
      order.holders[i].peer = co_await holder(i).describe();
    }
    SignedMessage message = source().op.sign(order);
    const auto made = co_await source().keys().create_backup(std::move(message));
    EXPECT_TRUE(made.has_value()) << made.error().text();
    if (!made) co_return;
    made_ = *made;
    EXPECT_TRUE(protocol::decode(made_.description, description_));
    for (std::uint8_t i = 0; i < 3; i++) {
      const auto kept = co_await give(i, holder(i).op);
      EXPECT_TRUE(kept.has_value()) << kept.error().text();
    }
  }
  Task<Result<RecordId>> give(std::uint8_t i, Operator op) {
    const auto theirs = co_await holder(i).keys().peer_challenge();
    const auto own = co_await source().keys().peer_challenge();
    const auto evidence = co_await holder(i).keys().evidence(*own);
    const auto sent =
        co_await source().keys().backup_share(made_.description, static_cast<std::uint8_t>(i + 1), *theirs, *evidence);
    if (!sent) co_return tl::unexpected(sent.error());
    protocol::KeepOrder keep;
    const auto status = co_await holder(i).keys().status();
    keep.core_id = status->core_id;
    keep.source = co_await source().describe();
    SignedMessage order = op.sign(keep);
    co_return co_await holder(i).keys().keep_share(std::move(order), made_.description, sent->evidence, sent->package);
  }
  Task<void> checkpoint_to(std::size_t i, Party& from, bool with_certificate) {
    const auto checkpoint = co_await from.keys().checkpoint();
    EXPECT_TRUE(checkpoint.has_value());
    std::optional<protocol::FenceCertificate> certificate;
    if (with_certificate) {
      const auto given = co_await from.keys().fence_certificate();
      EXPECT_TRUE(given.has_value());
      certificate = *given;
    }
    const auto shares = co_await holder(i).keys().shares();
    EXPECT_EQ(shares->size(), 1u);
    const auto kept = co_await holder(i).keys().keep_checkpoint(shares->front().share_id, *checkpoint, certificate);
    EXPECT_TRUE(kept.has_value()) << kept.error().text();
  }
  Task<SignedMessage> restore_order() {
    protocol::RestoreOrder order;
    order.core_id = description_.core_id;
    order.generation = 1;
    order.description = base::sha256(made_.description);
    order.device = co_await device().describe();
    co_return source().op.sign(order);
  }
  // From the holders at the bits of `holders`.
  Task<Result<RestoreOutcome>> restore(unsigned holders) {
    const SignedMessage order = co_await restore_order();
    std::vector<ShareContribution> contributions;
    for (std::size_t i = 0; i < 3; i++) {
      if ((holders >> i & 1) == 0) continue;
      const auto theirs = co_await holder(i).keys().peer_challenge();
      const auto own = co_await device().keys().peer_challenge();
      const auto evidence = co_await device().keys().evidence(*theirs);
      const auto shares = co_await holder(i).keys().shares();
      const auto sent = co_await holder(i).keys().release_share(shares->front().share_id, order, *own, *evidence);
      EXPECT_TRUE(sent.has_value()) << sent.error().text();
      if (sent) contributions.push_back({static_cast<std::uint8_t>(i + 1), sent->evidence, sent->package});
    }
    if (touch) contributions[0].package[contributions[0].package.size() - 80] ^= 1;
    co_return co_await device().keys().restore(order, made_.description, std::move(contributions));
  }

  Task<void> make_person() {
    const auto configured = co_await ensure_configuration(source().keys(), &source().op, configuration());
    EXPECT_TRUE(configured.has_value()) << configured.error().text();
    const auto made = co_await source().keys().create_wallet(passkey(1), {});
    EXPECT_TRUE(made.has_value()) << made.error().text();
    if (made) wallet_ = *made;
  }

  std::vector<std::unique_ptr<Party>> parties_;
  MadeBackup made_;
  protocol::BackupDescription description_;
  WalletInfo wallet_;
  bool touch = false;
};

TEST_F(BackupKeysTest, ANewDeviceGoesOnWithTheDatabaseOfBefore) {
  with_all([this](infra::TaskGroup& group) -> Task<void> {
    co_await make_person();
    co_await make_backup();
    co_await checkpoint_to(1, source(), false);
    const auto outcome = co_await restore(0b011);
    EXPECT_TRUE(outcome.has_value()) << outcome.error().text();
    if (!outcome) co_return;
    EXPECT_EQ(outcome->result, protocol::Error::ok);
    EXPECT_FALSE(outcome->database_matches) << "its own database is empty";
    for (const auto& one : outcome->contributions) EXPECT_EQ(one.error, 0);
    group.cancel();
    co_await group.join();
  });
  source().stop();
  source().close_database();
  device().close_database();
  source().copy_database_to(device());
  device().open_database();
  auto go_on = [this]() -> Task<void> {
    infra::TaskGroup group(loop_.executor());
    const bool connected = co_await device().connected(group);
    EXPECT_TRUE(connected) << device().ended.text();
    const auto described = co_await device().keys().describe_wallet(wallet_.id);
    EXPECT_TRUE(described.has_value()) << described.error().text();
    if (described) {
      EXPECT_EQ(described->server_key, wallet_.server_key);
    }
    auto status = co_await device().keys().status();
    EXPECT_EQ(status->recovery_count, 1u);
    EXPECT_EQ(status->configuration_sequence, 0u);
    EXPECT_EQ(status->configuration_floor, 1u);
    // The next number above the floor; nothing is left until the operator signs more.
    const auto configured = co_await ensure_configuration(device().keys(), &source().op, configuration());
    EXPECT_TRUE(configured.has_value()) << configured.error().text();
    status = co_await device().keys().status();
    EXPECT_EQ(status->configuration_sequence, 2u);
    EXPECT_TRUE(status->budgets[0].executor_left.is_zero());
    EXPECT_TRUE(status->budgets[0].sponsor_left.is_zero());
    const auto renewed = co_await renew_budgets(device().keys(), source().op, configuration());
    EXPECT_TRUE(renewed.has_value()) << renewed.error().text();
    status = co_await device().keys().status();
    EXPECT_EQ(status->budgets[0].executor_left, configuration().chains[0].executor_budget);
    EXPECT_EQ(status->budgets[0].sponsor_left, configuration().chains[0].sponsor_budget);
    // A start that wants the first configuration keeps what was signed since.
    protocol::Configuration wanted = configuration();
    keep_budgets(*status, wanted);
    EXPECT_EQ(wanted.chains[0].executor_budget, status->budgets[0].executor_limit);
    EXPECT_GT(wanted.chains[0].executor_budget, configuration().chains[0].executor_budget);
    group.cancel();
    co_await group.join();
    device().renew();
  };
  loop_.block_on(go_on());
}

TEST_F(BackupKeysTest, ADatabaseOfAnotherMomentNeedsTheOperator) {
  with_all([this](infra::TaskGroup&) -> Task<void> {
    co_await make_person();
    co_await make_backup();
    co_await checkpoint_to(0, source(), false);
    // After the last checkpoint.
    const auto later = co_await source().keys().create_wallet(passkey(2), {});
    EXPECT_TRUE(later.has_value());
    const auto outcome = co_await restore(0b011);
    EXPECT_EQ(outcome->result, protocol::Error::ok);
  });
  source().stop();
  source().close_database();
  device().close_database();
  source().copy_database_to(device());
  device().open_database();
  auto go_on = [this]() -> Task<void> {
    co_await device().serve();
    EXPECT_EQ(device().ended.code, ErrorCode::state_forked) << device().ended.text();
    device().renew();
    const auto attached = co_await device().keys().attach(device().options());
    EXPECT_TRUE(attached.has_value());
    const auto status = co_await device().keys().status();
    protocol::Recovery recovery;
    recovery.core_id = status->core_id;
    recovery.recovery_count = status->recovery_count + 1;
    recovery.root = device().keys().database_root();
    const SignedMessage message = source().op.sign(recovery);
    const auto recovered = co_await device().keys().recover(message.message, message.signature);
    EXPECT_TRUE(recovered.has_value()) << recovered.error().text();
    device().renew();
    infra::TaskGroup group(loop_.executor());
    const bool connected = co_await device().connected(group);
    EXPECT_TRUE(connected) << device().ended.text();
    const auto described = co_await device().keys().describe_wallet(wallet_.id);
    EXPECT_TRUE(described.has_value());
    group.cancel();
    co_await group.join();
  };
  loop_.block_on(go_on());
}

TEST_F(BackupKeysTest, ABadShareIsNamedAndTooFewChangeNothing) {
  with_all([this](infra::TaskGroup&) -> Task<void> {
    co_await make_backup();
    co_await checkpoint_to(1, source(), false);
    auto outcome = co_await restore(0b010);
    EXPECT_EQ(outcome->result, protocol::Error::too_few_shares);
    touch = true;
    outcome = co_await restore(0b011);
    EXPECT_EQ(outcome->result, protocol::Error::too_few_shares);
    EXPECT_EQ(outcome->contributions[0].error, static_cast<std::uint16_t>(protocol::Error::package_signature_invalid));
    EXPECT_EQ(outcome->contributions[1].error, 0);
    outcome = co_await restore(0b111);
    EXPECT_EQ(outcome->result, protocol::Error::ok);
    EXPECT_NE(outcome->contributions[0].error, 0);
    touch = false;
    const auto again = co_await restore(0b011);
    EXPECT_EQ(again.error().refusal, protocol::Error::core_not_empty);
  });
}

TEST_F(BackupKeysTest, HoldersFollowTheRestoredDeviceAndTheOldOneIsFenced) {
  with_all([this](infra::TaskGroup& group) -> Task<void> {
    co_await make_person();
    co_await make_backup();
    co_await checkpoint_to(0, source(), false);
    auto shares = co_await holder(0).keys().shares();
    const auto first = shares->front();
    const auto refused = co_await source().keys().fence_certificate();
    EXPECT_EQ(refused.error().refusal, protocol::Error::fence_without_recovery);
    const auto outcome = co_await restore(0b011);
    EXPECT_EQ(outcome->result, protocol::Error::ok);
    co_await checkpoint_to(0, device(), true);
    shares = co_await holder(0).keys().shares();
    EXPECT_EQ(shares->front().share_id, first.share_id);
    EXPECT_EQ(shares->front().recovery_count, 1u);
    EXPECT_NE(shares->front().followed_identity, first.followed_identity);
    // The old device's are over.
    const auto late = co_await source().keys().checkpoint();
    const auto kept = co_await holder(0).keys().keep_checkpoint(first.share_id, *late, std::nullopt);
    EXPECT_EQ(kept.error().refusal, protocol::Error::checkpoint_signature_invalid);

    const auto certificate = co_await device().keys().fence_certificate();
    const auto own = co_await device().keys().fence(*certificate);
    EXPECT_EQ(own.error().refusal, protocol::Error::fence_certificate_is_own);
    const auto fenced = co_await source().keys().fence(*certificate);
    EXPECT_TRUE(fenced.has_value()) << fenced.error().text();
    group.cancel();
    co_await group.join();
  });
  for (int start = 0; start < 2; start++) {
    loop_.block_on(source().serve());
    EXPECT_EQ(source().ended.code, ErrorCode::fenced) << source().ended.text();
    source().renew();
    source().stop();
    source().start();
  }
  auto see = [this]() -> Task<void> {
    const auto attached = co_await source().keys().attach(source().options());
    EXPECT_TRUE(attached.has_value());
    const auto status = co_await source().keys().status();
    EXPECT_TRUE(status.has_value() && status->fenced);
  };
  loop_.block_on(see());
}

TEST_F(BackupKeysTest, AShareIsTakenByTheHoldersOperatorAloneAndSurvivesAStart) {
  with_all([this](infra::TaskGroup&) -> Task<void> {
    co_await make_backup();
    const auto refused = co_await give(0, source().op);
    EXPECT_EQ(refused.error().refusal, protocol::Error::operator_signature_invalid);
    const auto no_checkpoint = co_await device().keys().checkpoint();
    EXPECT_EQ(no_checkpoint.error().refusal, protocol::Error::backup_missing);
  });
  const auto ends = [this](std::size_t i) {
    holder(i).stop();
    holder(i).start();
  };
  for (std::size_t i = 0; i < 3; i++) ends(i);
  with_all([this](infra::TaskGroup&) -> Task<void> {
    for (std::size_t i = 0; i < 3; i++) {
      const auto shares = co_await holder(i).keys().shares();
      EXPECT_TRUE(shares.has_value()) << shares.error().text();
      EXPECT_EQ(shares->size(), 1u);
      EXPECT_EQ(shares->front().index, i + 1);
      EXPECT_EQ(shares->front().has_checkpoint, 0);
    }
  });
}

TEST_F(BackupKeysTest, RotationAtTheHolderTakesItsSharesAlong) {
  with_all([this](infra::TaskGroup&) -> Task<void> {
    co_await make_backup();
    co_await checkpoint_to(0, source(), false);
    const auto before = co_await holder(0).keys().status();
    const SignedMessage order = holder(0).op.sign_rotation({before->core_id, before->newest_root_key() + 1});
    const auto rotated = co_await holder(0).keys().rotate_root_key(order.message, order.signature);
    EXPECT_TRUE(rotated.has_value());
    for (;;) {
      const auto progress = co_await holder(0).keys().reseal_progress();
      EXPECT_TRUE(progress.has_value());
      if (!progress || !progress->is_running) {
        EXPECT_EQ(progress->left, 0u);
        EXPECT_EQ(progress->refused, 0u);
        break;
      }
      co_await infra::sleep_real(infra::Milliseconds(2));
    }
    const auto outcome = co_await restore(0b011);
    EXPECT_EQ(outcome->result, protocol::Error::ok);
  });
}

}  // namespace
}  // namespace community::keys
