// SPDX-License-Identifier: Apache-2.0
// Rotation of root keys beside serving, against the real key-enclave: nothing that a person has changes, people go
// first, and a crash anywhere costs nothing.
#include <soci/soci.h>

#include <chrono>

#include "community/infra/fake/temporary_directory.hpp"
#include "community/infra/fake/test_database.hpp"
#include "community/keys/record_store.hpp"
#include "community/keys/test_support/key_world.hpp"
#include "trusted/hpke/hpke.hpp"
#include "trusted/process/crypto.hpp"
#include "trusted/protocol/root_key_messages.hpp"

namespace community::keys {
namespace {

bool is_long() { return std::getenv("COMMUNITY_TEST_LONG") != nullptr; }

class RootKeyTest : public KeyServiceTest {
 protected:
  // What a person would notice, each asked of the trusted core by a command of its own.
  struct Seen {
    Address server_key{}, account{};
    // HMAC of a fixed value under the wallet's content secret.
    Bytes session_key;
    bool operator==(const Seen&) const = default;
  };

  RootKeyTest() {
    trusted::use_software_crypto(port_);
    EXPECT_TRUE(hpke::make_key_pair(port_, page_secret_, page_key_));
  }

  Task<std::uint32_t> newest(RootKeys& keys) {
    const auto status = co_await keys.status();
    EXPECT_TRUE(status.has_value()) << status.error().text();
    co_return status ? status->newest_root_key() : 0;
  }
  Task<Result<std::uint32_t>> rotate(RootKeys& keys) {
    const auto status = co_await keys.status();
    if (!status) co_return tl::unexpected(status.error());
    const SignedMessage order = operator_.sign_rotation({status->core_id, status->newest_root_key() + 1});
    co_return co_await keys.rotate_root_key(order.message, order.signature);
  }
  Task<Result<void>> retire(RootKeys& keys, std::uint32_t version) {
    const auto status = co_await keys.status();
    if (!status) co_return tl::unexpected(status.error());
    const SignedMessage order = operator_.sign_retirement({status->core_id, version});
    co_return co_await keys.retire_root_key(order.message, order.signature);
  }
  // Until the node has nothing more to do by itself, or the core is gone.
  Task<ResealProgress> upkeep_done(RootKeys& keys) {
    for (;;) {
      const auto progress = co_await keys.reseal_progress();
      if (!progress) co_return ResealProgress{};
      if (!progress->is_running) co_return *progress;
      co_await infra::sleep_real(infra::Milliseconds(2));
    }
  }

  // `count` wallets with an account each, many at the same time.
  Task<void> make_wallets(KeyService& service, std::size_t count) {
    infra::TaskGroup group(loop_.executor());
    const std::size_t before = wallets_.size();
    for (std::size_t begin = 0; begin < count; begin += 1'024) {
      for (std::size_t i = begin; i < std::min(count, begin + 1'024); i++) group.spawn(make_wallet(service));
      co_await group.join();
    }
    EXPECT_EQ(wallets_.size(), before + count);
  }
  Task<void> make_wallet(KeyService& service) {
    const auto made = co_await service.create_wallet(key_, {});
    if (!made) co_return;
    AccountBindRequest bind;
    bind.wallet = made->id;
    bind.chain_id = kChain;
    bind.init_data = init_data(key_, made->server_key);
    const auto account = co_await service.bind_account(std::move(bind));
    if (account) wallets_.push_back({made->id, *account});
  }

  Task<Seen> see(KeyService& service, RecordId wallet) {
    Seen seen;
    const auto described = co_await service.describe_wallet(wallet);
    EXPECT_TRUE(described.has_value()) << described.error().text();
    if (described) {
      seen.server_key = described->server_key;
      seen.account = described->accounts[0].address;
    }
    const auto status = co_await service.status();
    if (!status) co_return seen;
    Bytes plain(32, 0x51), info = core::to_bytes(base::view(protocol::kSessionSecret));
    plain.insert(plain.end(), page_key_.begin(), page_key_.end());
    info.insert(info.end(), wallet.begin(), wallet.end());
    SealedSecret request{{}, Bytes(plain.size() + hpke::kTag)};
    EXPECT_TRUE(hpke::seal(port_, status->hpke_key, info, {}, plain, request.enc, request.cipher));
    const protocol::SealedMessage view{request.enc, request.cipher};
    const Assertion assertion =
        assert_over(key_, protocol::sealed_request_challenge(protocol::kSessionSecret, wallet, view));
    const auto answer = co_await service.session_secret(wallet, request, assertion);
    EXPECT_TRUE(answer.has_value()) << answer.error().text();
    if (!answer) co_return seen;
    info = core::to_bytes(base::view(protocol::kSessionSecretReply));
    info.insert(info.end(), wallet.begin(), wallet.end());
    seen.session_key.resize(answer->cipher.size() - hpke::kTag);
    EXPECT_TRUE(hpke::open(port_, page_secret_, page_key_, answer->enc, info, {}, answer->cipher, seen.session_key));
    co_return seen;
  }
  Task<std::vector<Seen>> see_all(KeyService& service) {
    std::vector<Seen> all;
    for (const auto& [wallet, account] : wallets_) all.push_back(co_await see(service, wallet));
    co_return all;
  }

  Task<Result<SignedUserop>> sign_one(KeyService& service, std::size_t index, std::uint64_t nonce) {
    UseropRequest request;
    request.wallet = wallets_[index].first;
    request.chain_id = kChain;
    request.entry_point = Address{0x43, 0x37};
    request.userop.sender = wallets_[index].second;
    request.userop.nonce = Uint256(nonce);
    request.userop.call_data = plain_call(Address{0x5a});
    const core::UserOperation unpacked = core::unpack(request.userop).value();
    const auto hash = core::userop_hash(unpacked, core::EntryPointVersion::v0_8, request.entry_point, Uint256(kChain));
    request.assertion = assert_over(key_, hash.value());
    co_return co_await service.sign_userop(std::move(request));
  }

  void kill_and_restart_core() {
    stop_core(SIGKILL);
    start_core();
  }

  trusted::Port port_;
  Bytes32 page_secret_{};
  protocol::HpkeKey page_key_{};
  const Passkey key_ = passkey(1);
  // Wallet and account.
  std::vector<std::pair<RecordId, Address>> wallets_;
};

TEST_F(RootKeyTest, ARotationReSealsEverythingAndTheOldKeyCanGo) {
  std::vector<Seen> before;
  auto make = [&](KeyService& service) -> Task<void> {
    co_await configure(service, operator_, configuration());
    co_await make_wallets(service, 40);
    EXPECT_TRUE((co_await service.create_key(Purpose::executor, kChain)).has_value());
    before = co_await see_all(service);
    const auto rotated = co_await rotate(service);
    EXPECT_EQ(rotated.value_or(0), 2u);
    EXPECT_EQ((co_await retire(service, 1)).error().refusal, protocol::Error::root_key_in_use);
    const ResealProgress done = co_await upkeep_done(service);
    EXPECT_EQ(done.left, 0u);
    EXPECT_EQ(done.refused, 0u);
    const auto status = co_await service.status();
    EXPECT_TRUE(status->records_counted);
    EXPECT_EQ(status->root_keys.size(), 2u);
    EXPECT_EQ(status->root_keys[0].records, 0u);
    EXPECT_EQ(status->root_keys[1].records, 41u);
    EXPECT_TRUE((co_await retire(service, 1)).has_value());
  };
  with_service(make);
  ASSERT_FALSE(HasFailure());
  kill_and_restart_core();
  auto check = [&](KeyService& service) -> Task<void> {
    const auto status = co_await service.status();
    EXPECT_EQ(status->root_keys.size(), 1u);
    EXPECT_EQ(co_await see_all(service), before);
    EXPECT_EQ((co_await service.executors(kChain))->size(), 1u);
    // Nothing is left to do.
    const auto progress = co_await service.reseal_progress();
    EXPECT_FALSE(progress->is_running);
  };
  with_service(check);
}

TEST_F(RootKeyTest, RotationsOneAfterTheOtherAllEndUnderTheNewest) {
  for (std::uint32_t version = 2; version <= 7; version++) {
    // Right after the connection, while the service looks for what there is to do, and while it re-seals.
    auto work = [&](KeyService& service) -> Task<void> {
      if (version == 2) {
        co_await configure(service, operator_, configuration());
        co_await make_wallets(service, 60);
      }
      EXPECT_EQ((co_await rotate(service)).value_or(0), version);
      if (version % 2 == 0) co_return;
      const ResealProgress done = co_await upkeep_done(service);
      EXPECT_EQ(done.left, 0u);
      const auto status = co_await service.status();
      EXPECT_EQ(status->root_keys.back().version, version);
      EXPECT_EQ(status->root_keys.back().records, 60u);
    };
    with_service(work);
  }
}

TEST_F(RootKeyTest, WhatPeopleAskGoesFirst) {
  auto work = [&](KeyService& service) -> Task<void> {
    co_await configure(service, operator_, configuration());
    co_await make_wallets(service, 600);
    EXPECT_TRUE((co_await rotate(service)).has_value());
    // They come after 600 records to re-seal and are served before most of them.
    co_await make_wallets(service, 20);
    const auto progress = co_await service.reseal_progress();
    EXPECT_GT(progress->left, 0u);
    EXPECT_TRUE(progress->is_running);
    const ResealProgress done = co_await upkeep_done(service);
    EXPECT_EQ(done.left, 0u);
    const auto status = co_await service.status();
    EXPECT_EQ(status->root_keys[0].records, 0u);
    EXPECT_EQ(status->root_keys[1].records, 620u);
  };
  with_service(work);
}

TEST_F(RootKeyTest, TheMetricCountsDownWhatIsLeft) {
  infra::Metrics metrics;
  service_ = make_key_service({*database_, *random_, &metrics});
  auto gauge = [&] {
    return metrics.gauge("community_keys_records_to_reseal", "Sealed records under an older root key.").value();
  };
  double largest = 0;
  auto work = [&](KeyService& service) -> Task<void> {
    co_await configure(service, operator_, configuration());
    co_await make_wallets(service, 400);
    EXPECT_EQ(gauge(), 0);
    EXPECT_TRUE((co_await rotate(service)).has_value());
    for (;;) {
      largest = std::max(largest, gauge());
      const auto progress = co_await service.reseal_progress();
      if (!progress || !progress->is_running) break;
      co_await infra::reschedule();
    }
  };
  with_service(work);
  EXPECT_GT(largest, 0);
  EXPECT_LE(largest, 400);
  EXPECT_EQ(gauge(), 0);
}

TEST_F(RootKeyTest, ARecordThatTheCoreRefusesIsToldAndKeepsItsKey) {
  auto make = [&](KeyService& service) -> Task<void> {
    co_await configure(service, operator_, configuration());
    co_await make_wallets(service, 10);
  };
  with_service(make);
  // One row is damaged on the disk.
  const std::string damaged = core::to_plain_hex(wallets_[4].first);
  auto damage = [damaged](soci::session& sql) {
    sql << "UPDATE keys_records SET sealed = substr(sealed, 1, length(sealed) - 4) || '0000' WHERE record_id = :id",
        soci::use(damaged);
  };
  EXPECT_TRUE(loop_.block_on(database_->write(damage)).has_value());
  auto work = [&](KeyService& service) -> Task<void> {
    EXPECT_TRUE((co_await rotate(service)).has_value());
    const ResealProgress done = co_await upkeep_done(service);
    EXPECT_EQ(done.left, 1u);
    EXPECT_EQ(done.refused, 1u);
    EXPECT_EQ((co_await retire(service, 1)).error().refusal, protocol::Error::root_key_in_use);
    const auto status = co_await service.status();
    EXPECT_EQ(status->root_keys[0].records, 1u);
    EXPECT_EQ(status->root_keys[1].records, 9u);
  };
  with_service(work);
}

TEST_F(RootKeyTest, AfterARecoveryTheNodeHasTheRecordsCounted) {
  auto make = [&](KeyService& service) -> Task<void> {
    co_await configure(service, operator_, configuration());
    co_await make_wallets(service, 100);
    EXPECT_TRUE((co_await rotate(service)).has_value());
    co_await upkeep_done(service);
  };
  with_service(make);
  ChannelOptions options;
  options.socket_path = socket();
  options.channel_key = channel_key_;
  auto recover = [&]() -> Task<void> {
    EXPECT_TRUE((co_await service_->attach(options)).has_value());
    const auto status = co_await service_->status();
    protocol::Recovery recovery{status->core_id, status->recovery_count + 1, service_->database_root()};
    const SignedMessage message = operator_.sign(recovery);
    EXPECT_TRUE((co_await service_->recover(message.message, message.signature)).has_value());
    EXPECT_EQ((co_await retire(*service_, 1)).error().refusal, protocol::Error::records_not_counted);
    const auto progress = co_await service_->reseal_progress();
    EXPECT_EQ(progress->left, 0u);
    EXPECT_FALSE(progress->is_running);
  };
  loop_.block_on(recover());
  service_ = make_key_service({*database_, *random_});
  auto check = [&](KeyService& service) -> Task<void> {
    // Changes in blocks that were counted, and in those to come.
    co_await make_wallets(service, 30);
    co_await upkeep_done(service);
    const auto status = co_await service.status();
    EXPECT_TRUE(status->records_counted);
    EXPECT_EQ(status->root_keys[0].records, 0u);
    EXPECT_EQ(status->root_keys[1].records, 130u);
    EXPECT_TRUE((co_await retire(service, 1)).has_value());
  };
  with_service(check);
}

TEST_F(RootKeyTest, RecordsOfARetiredKeyAreToldAsLost) {
  auto make = [&](KeyService& service) -> Task<void> {
    co_await configure(service, operator_, configuration());
    co_await make_wallets(service, 5);
  };
  with_service(make);
  service_.reset();
  database_.reset();
  const infra::TestDatabase backup;
  place_.copy_to(backup);
  open_database();
  auto retired = [&](KeyService& service) -> Task<void> {
    EXPECT_TRUE((co_await rotate(service)).has_value());
    co_await upkeep_done(service);
    EXPECT_TRUE((co_await retire(service, 1)).has_value());
  };
  with_service(retired);
  service_.reset();
  database_.reset();
  backup.copy_to(place_);
  open_database();
  ChannelOptions options;
  options.socket_path = socket();
  options.channel_key = channel_key_;
  auto recover = [&]() -> Task<void> {
    EXPECT_TRUE((co_await service_->attach(options)).has_value());
    const auto status = co_await service_->status();
    protocol::Recovery recovery{status->core_id, status->recovery_count + 1, service_->database_root()};
    const SignedMessage message = operator_.sign(recovery);
    EXPECT_TRUE((co_await service_->recover(message.message, message.signature)).has_value());
  };
  loop_.block_on(recover());
  service_ = make_key_service({*database_, *random_});
  auto check = [&](KeyService& service) -> Task<void> {
    const ResealProgress progress = co_await upkeep_done(service);
    EXPECT_EQ(progress.lost, 5u);
    EXPECT_EQ(progress.left, 0u);
    const auto wallet = co_await service.describe_wallet(wallets_[0].first);
    EXPECT_EQ(wallet.error().refusal, protocol::Error::record_unknown_root);
    co_await make_wallets(service, 1);
  };
  with_service(check);
}

// The node's half in a process of its own, which can be killed: it serves until nothing is left to do.
[[noreturn]] void serve_until_done(const infra::DatabaseOptions& place, const ChannelOptions& options) {
  infra::EventLoop loop;
  const auto random = infra::make_system_random();
  const auto database = infra::Database::open(place, {key_migrations()});
  if (!database) _exit(2);
  const auto service = make_key_service({**database, *random});
  auto serve = [&]() -> Task<void> {
    co_await service->serve(options);
    _exit(3);
  };
  auto watch = [&]() -> Task<void> {
    co_await service->connected().wait();
    for (int idle = 0; idle < 3;) {
      const auto progress = co_await service->reseal_progress();
      if (!progress) _exit(4);
      idle = progress->is_running || progress->left != 0 ? 0 : idle + 1;
      co_await infra::sleep_real(infra::Milliseconds(2));
    }
    _exit(0);
  };
  auto both = [&]() -> Task<void> {
    infra::TaskGroup group(loop.executor());
    group.spawn(serve());
    group.spawn(watch());
    co_await group.join();
  };
  loop.block_on(both());
  _exit(5);
}

TEST_F(RootKeyTest, KilledAtAnyPointItGoesOnWhereItWas) {
  const char* given = std::getenv("COMMUNITY_TEST_SEED");
  const std::uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10)
                             : is_long()      ? std::random_device()()
                                              : 11;
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  std::fflush(stdout);
  infra::FakeRandom seeded(seed);
  const std::size_t wallets = is_long() ? 3'000 : 300;
  std::vector<Seen> before;
  auto make = [&](KeyService& service) -> Task<void> {
    co_await configure(service, operator_, configuration());
    co_await make_wallets(service, wallets);
    before = co_await see_all(service);
  };
  with_service(make);
  ChannelOptions options;
  options.socket_path = socket();
  options.channel_key = channel_key_;
  int kills = 0;
  for (std::uint32_t version = 2; version <= 4 && !HasFailure(); version++) {
    auto begin = [&](KeyService& service) -> Task<void> { EXPECT_EQ((co_await rotate(service)).value_or(0), version); };
    with_service(begin);
    service_.reset();
    database_.reset();
    for (bool done = false; !done;) {
      const pid_t node = fork();
      if (node == 0) serve_until_done(place_.options(), options);
      // Rounds get longer, so that one of them comes to its end whatever the machine.
      const std::uint64_t span = static_cast<std::uint64_t>(20'000 + 4'000 * kills) * (is_optee() ? 20 : 1);
      usleep(static_cast<useconds_t>(seeded.below(span)));
      const std::uint64_t victim = seeded.below(3);
      int status = 0;
      if (waitpid(node, &status, WNOHANG) == 0) {
        kills++;
        if (victim != 0) kill(node, SIGKILL);
        if (victim != 1) stop_core(SIGKILL);
        // Without its core the node ends by itself.
        waitpid(node, &status, 0);
      }
      done = WIFEXITED(status) && WEXITSTATUS(status) == 0;
      if (body_->pid() <= 0) start_core();
    }
    open_database();
    auto check = [&](KeyService& service) -> Task<void> {
      const auto status = co_await service.status();
      EXPECT_EQ(status->root, service.database_root());
      EXPECT_EQ(status->root_keys.size(), 2u);
      EXPECT_EQ(status->root_keys[0].records, 0u);
      EXPECT_EQ(status->root_keys[1].records, wallets);
      EXPECT_TRUE((co_await retire(service, version - 1)).has_value());
    };
    with_service(check);
  }
  auto check = [&](KeyService& service) -> Task<void> { EXPECT_EQ(co_await see_all(service), before); };
  with_service(check);
  std::printf("killed %d times\n", kills);
}

double percentile(std::vector<double>& values, double share) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(share * static_cast<double>(values.size() - 1))];
}

struct Signatures {
  std::vector<double> took_ms;
  bool stop = false;
};

// Ten thousand with the long tests. Nothing here depends on speed; the figures inform.
TEST_F(RootKeyTest, ManyWalletsKeepEverythingWhileTheyAreServed) {
  const std::size_t wallets = is_long() ? 10'000 : 500;
  std::vector<Seen> before;
  auto make = [&](KeyService& service) -> Task<void> {
    co_await configure(service, operator_, configuration());
    co_await make_wallets(service, wallets);
    before = co_await see_all(service);
  };
  with_service(make);
  // Signs for one wallet after the other, from anywhere on, until it is told to stop.
  auto sign = [&](KeyService& service, std::size_t from, Signatures& signatures) -> Task<void> {
    for (std::size_t i = from; !signatures.stop && !HasFailure(); i++) {
      const auto begin = std::chrono::steady_clock::now();
      const auto made = co_await sign_one(service, i * 37 % wallets, i);
      const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begin;
      signatures.took_ms.push_back(took.count());
      EXPECT_TRUE(made.has_value()) << made.error().text();
    }
  };
  Signatures idle, busy;
  std::chrono::duration<double> took{};
  // A service that was just started has no record at hand.
  auto rotate_and_sign = [&](KeyService& service) -> Task<void> {
    infra::TaskGroup signers(loop_.executor());
    for (std::size_t from = 0; from < 4; from++) signers.spawn(sign(service, from * wallets, idle));
    while (idle.took_ms.size() < 400 && !HasFailure()) co_await infra::sleep_real(infra::Milliseconds(5));
    idle.stop = true;
    co_await signers.join();

    const auto begin = std::chrono::steady_clock::now();
    EXPECT_TRUE((co_await rotate(service)).has_value());
    for (std::size_t from = 0; from < 4; from++) signers.spawn(sign(service, from * wallets, busy));
    const ResealProgress done = co_await upkeep_done(service);
    took = std::chrono::steady_clock::now() - begin;
    busy.stop = true;
    co_await signers.join();
    EXPECT_EQ(done.left, 0u);
    EXPECT_TRUE((co_await retire(service, 1)).has_value());
    EXPECT_EQ(co_await see_all(service), before);
  };
  with_service(rotate_and_sign);
  EXPECT_FALSE(busy.took_ms.empty());
  std::printf("%zu wallets re-sealed in %.2f s, %.0f a second; %zu user operations signed meanwhile, %.0f a second\n",
              wallets, took.count(), static_cast<double>(wallets) / took.count(), busy.took_ms.size(),
              static_cast<double>(busy.took_ms.size()) / took.count());
  std::printf(
      "a signature, of four at a time, took %.2f ms (99 %%: %.2f ms), before the rotation %.2f ms (99 %%: %.2f ms)\n",
      percentile(busy.took_ms, 0.5), percentile(busy.took_ms, 0.99), percentile(idle.took_ms, 0.5),
      percentile(idle.took_ms, 0.99));
}

// A database of before gets the column from the headers of its records.
TEST(RecordStoreMigration, FillsTheVersionOfTheRootKeyFromTheHeader) {
  const infra::TestDatabase place;
  infra::MigrationSet steps = RecordStore::migrations();
  ASSERT_GE(steps.steps.size(), 2u);
  infra::MigrationSet first = steps;
  first.steps.resize(1);
  infra::EventLoop loop;
  {
    const auto database = infra::Database::open(place.options(), {first}).value();
    auto insert = [](soci::session& sql) {
      for (int i = 0; i < 300; i++) {
        Bytes sealed(77);
        base::store_be(sealed.data() + 5, static_cast<std::uint32_t>(i < 200 ? 1 : 0x1234'5678));
        const std::string id =
            core::to_plain_hex(RecordId{static_cast<std::uint8_t>(i), static_cast<std::uint8_t>(i >> 8)});
        const std::string text = core::to_plain_hex(sealed);
        sql << "INSERT INTO keys_records (record_id, kind, leaf, revision, sealed) VALUES (:i, 1, :l, 1, :s)",
            soci::use(id), soci::use(i), soci::use(text);
      }
    };
    ASSERT_TRUE(loop.block_on(database->write(insert)).has_value());
  }
  const auto database = infra::Database::open(place.options(), {steps}).value();
  RecordStore store(*database);
  const auto records = loop.block_on(store.records_by_root());
  ASSERT_TRUE(records.has_value());
  EXPECT_EQ(*records, (std::map<std::uint32_t, std::uint64_t>{{1, 200}, {0x1234'5678, 100}}));
  const auto some = loop.block_on(store.records_under(0x1234'5678, 250, 10));
  ASSERT_TRUE(some && some->size() == 10);
  EXPECT_EQ(some->front().leaf, 250u);
  EXPECT_EQ(some->back().leaf, 259u);
  EXPECT_EQ(loop.block_on(store.records_at(290, 32))->size(), 10u);
}

}  // namespace
}  // namespace community::keys
