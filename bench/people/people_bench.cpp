// SPDX-License-Identifier: Apache-2.0
// Registrations a second: code, proof, passkey, wallet in the real process body, account bound, person with session,
// audit entries and mail in a durable SQLite, by callers that each begin again as soon as they are done. What devices
// answer is made before the clock runs. Then log-ins; and, once the database holds a hundred thousand people with a
// million wallets, a person's list of wallets and log-ins again.
#include <soci/soci.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "community/audit/factory.hpp"
#include "community/infra/api/log.hpp"
#include "community/infra/factory.hpp"
#include "community/infra/fake/temporary_directory.hpp"
#include "community/keys/api/operator.hpp"
#include "community/keys/factory.hpp"
#include "community/users/factory.hpp"
#include "community/users/test_support/device.hpp"
#include "trusted/tests/support/enclave.hpp"

namespace community::users {
namespace {

using Clock = std::chrono::steady_clock;
using test_support::Device;

constexpr std::uint64_t kChain = 31'337;
constexpr std::size_t kPeople = 1'500;
// Rows that are only there to be many.
constexpr std::size_t kOthers = 100'000, kWalletsOfOthers = 10;

[[noreturn]] void give_up(const std::string& what) {
  std::fprintf(stderr, "people_bench: %s\n", what.c_str());
  std::exit(1);
}

// The codes as they were queued, by address; the rows of mails are counted, their delivery is not.
class Codes final : public Mail {
 public:
  void queue(soci::session&, const CodeMail& mail) override {
    const std::lock_guard lock(mutex_);
    codes_[mail.to] = mail.code;
  }
  std::string of(const std::string& address) {
    const std::lock_guard lock(mutex_);
    return codes_[address];
  }

 private:
  std::mutex mutex_;
  std::map<std::string, std::string> codes_;
};

class AuditEntries final : public Journal {
 public:
  explicit AuditEntries(audit::AuditLog& log) : log_(log) {}
  void record(soci::session& sql, const PersonEvent& event) override {
    const auto word = audit::parse_event_name(name(event.event));
    if (!word || !log_.record(sql, {*word, event.user_id, event.details, event.time_ms})) give_up("an event");
  }

 private:
  audit::AuditLog& log_;
};

struct Figures {
  double per_second = 0, median_ms = 0, p99_ms = 0;
};

class Bench {
 public:
  Bench() {
    if (body_.provision(operator_.public_key(), channel_key_) != protocol::Error::ok ||
        body_.start() != protocol::Error::ok)
      give_up("the body does not start");
    body_.connection().close();
    infra::DatabaseOptions database;
    database.url = "sqlite:" + (folder_.path() / "node.db").string();
    database_ =
        infra::Database::open(database, {keys::key_migrations(), audit::audit_migrations(), user_migrations()}).value();
    keys_ = keys::make_key_service({*database_, *random_});
    log_ = audit::make_audit_log({*database_, *random_, *clock_, loop_.executor()});
    journal_ = std::make_unique<AuditEntries>(*log_);
    UsersOptions options;
    options.rp_id = "example.org";
    options.origin = "https://example.org:8443";
    options.chains = {{kChain, Address{0xfa}, Address{0x43, 0x37}, Bytes32{0x01}}};
    options.rules.daily_limit = core::Uint256(1'000'000);
    options.rules.gas_cap = core::Uint256(2'000);
    people_ = make_users({*database_, *clock_, *random_, *keys_, *keys_, *journal_, codes_, Bytes32{0x6b}}, options);
    devices_.resize(kPeople);
    for (auto& device : devices_) {
      device = std::make_unique<Device>();
      device->credential_id.resize(32);
      random_->fill(device->credential_id);
    }
  }

  // Everything under one connection to the core.
  template <class Work>
  void with_core(Work work) {
    loop_.block_on(session(std::move(work)));
  }

  Task<Figures> registrations(std::size_t callers, std::size_t first, std::size_t count) {
    return measure(callers, first, count, &Bench::register_one);
  }
  Task<Figures> log_ins(std::size_t callers, std::size_t count) { return measure(callers, 0, count, &Bench::log_in); }
  Task<Figures> wallet_lists(std::size_t callers, std::size_t count) {
    return measure(callers, 0, count, &Bench::list_wallets);
  }

  // As registrations leave them, by a few statements of SQLite's. Their ids are random, as those of people are.
  Task<void> add_others() {
    const std::string people = std::to_string(kOthers), wallets = std::to_string(kWalletsOfOthers);
    auto fill = [people, wallets](soci::session& sql) {
      sql << "INSERT INTO users WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < " + people +
                 ") SELECT lower(hex(randomblob(16))), 'o' || i || '@example.net', 'o' || i, '', '', '', 'en', i, i, "
                 "'active' FROM n";
      sql << "INSERT INTO wallet_origins WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < " +
                 wallets +
                 ") SELECT lower(hex(randomblob(16))), user_id, i, '', lower(hex(randomblob(20))), "
                 "lower(hex(randomblob(20))), lower(hex(randomblob(32))), lower(hex(randomblob(400))), "
                 "lower(hex(randomblob(20))), lower(hex(randomblob(20))), 1, i "
                 "FROM users CROSS JOIN n WHERE email LIKE 'o%@example.net'";
      sql << "INSERT INTO wallet_bindings SELECT lower(hex(randomblob(16))), user_id, wallet_id, "
             "lower(hex(randomblob(20))), 31337, '', '', 0, created_at, 0 FROM wallet_origins WHERE created_at <= 10";
    };
    if (!co_await database_->write(fill)) give_up("the other people");
    auto read = [](soci::session& sql) {
      std::vector<std::string> ids;
      std::string id;
      soci::statement rows =
          (sql.prepare << "SELECT user_id FROM users WHERE email LIKE 'o%@example.net' LIMIT 20000", soci::into(id));
      rows.execute();
      while (rows.fetch()) ids.push_back(id);
      return ids;
    };
    others_ = (co_await database_->read(read)).value();
  }

 private:
  using One = Task<void> (Bench::*)(std::size_t);

  template <class Work>
  Task<void> session(Work work) {
    keys::ChannelOptions options;
    options.socket_path = body_.socket_path();
    options.channel_key = channel_key_;
    infra::TaskGroup serving(loop_.executor());
    serving.spawn(serve(options));
    co_await keys_->connected().wait();
    protocol::Configuration wanted;
    wanted.chain_count = 1;
    protocol::ChainConfig& chain = wanted.chains[0];
    chain.chain_id = kChain;
    chain.entry_point_count = 1;
    chain.entry_points[0] = {Address{0x43, 0x37}, 8};
    chain.account_factory = Address{0xfa};
    chain.proxy_init_code_hash = Bytes32{0x01};
    chain.bundle_gas_cap = 16'000'000;
    chain.fee_cap = chain.executor_budget = chain.sponsor_budget = core::Uint256(1'000'000'000'000'000'000);
    wanted.relying_party_count = 1;
    wanted.relying_parties[0] = {base::sha256(base::view("example.org")), base::view("https://example.org:8443")};
    const auto configured = co_await keys::ensure_configuration(*keys_, &operator_, wanted);
    if (!configured) give_up(configured.error().text());
    co_await work(*this);
    serving.cancel();
    co_await serving.join();
  }
  Task<void> serve(keys::ChannelOptions options) { (void)co_await keys_->serve(std::move(options)); }

  Task<Figures> measure(std::size_t callers, std::size_t first, std::size_t count, One one) {
    latencies_.clear();
    next_ = first;
    end_ = first + count;
    infra::TaskGroup calling(loop_.executor());
    const auto begin = Clock::now();
    for (std::size_t i = 0; i < callers; i++) calling.spawn(call(one));
    co_await calling.join();
    const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
    std::sort(latencies_.begin(), latencies_.end());
    co_return Figures{static_cast<double>(count) / seconds, latencies_[count / 2], latencies_[count * 99 / 100]};
  }

  Task<void> call(One one) {
    while (next_ < end_) {
      const std::size_t number = next_++;
      const auto begin = Clock::now();
      co_await (this->*one)(number);
      latencies_.push_back(std::chrono::duration<double, std::milli>(Clock::now() - begin).count());
    }
  }

  Task<void> register_one(std::size_t number) {
    const std::string address = "person" + std::to_string(number) + "@example.com";
    RegisterRequest request;
    request.email = address;
    const auto pending = co_await people_->register_user(std::move(request), client_);
    if (!pending) give_up(pending.error().message);
    const auto question = co_await people_->prove_email(pending->registration_id, codes_.of(address));
    if (!question) give_up(std::string(name(question.error().code)));
    NewPasskey passkey = devices_[number]->create(question->challenge);
    const auto made = co_await people_->setup_biometric(pending->registration_id, std::move(passkey), client_);
    if (!made) give_up(std::string(name(made.error().code)) + " " + made.error().message);
  }

  Task<void> log_in(std::size_t number) {
    LogInAssertion assertion = devices_[number]->get(people_->begin_log_in());
    const auto done = co_await people_->authenticate_user(std::move(assertion), client_);
    if (!done) give_up(std::string(name(done.error().code)));
  }

  Task<void> list_wallets(std::size_t number) {
    const auto found = co_await people_->get_user_wallets(others_[number * 19 % others_.size()]);
    if (!found || found->size() != kWalletsOfOthers) give_up("a list of wallets");
  }

  infra::EventLoop loop_;
  std::unique_ptr<infra::Clock> clock_ = infra::make_system_clock();
  std::unique_ptr<infra::Random> random_ = infra::make_system_random();
  infra::TemporaryDirectory folder_;
  keys::Operator operator_ = keys::Operator::generate(*random_);
  Bytes32 channel_key_{};
  trusted::testing::Enclave body_;
  Codes codes_;
  std::unique_ptr<audit::AuditLog> log_;
  std::unique_ptr<AuditEntries> journal_;
  std::unique_ptr<infra::Database> database_;
  std::unique_ptr<keys::ConnectedKeyService> keys_;
  std::unique_ptr<Users> people_;
  std::vector<std::unique_ptr<Device>> devices_;
  const Client client_{"127.0.0.1", "", ""};
  std::vector<std::string> others_;
  std::vector<double> latencies_;
  std::size_t next_ = 0, end_ = 0;
};

void print(const char* what, std::size_t callers, const Figures& figures) {
  std::printf("%-16s%8zu callers %9.0f a second   median %7.1f ms   p99 %7.1f ms\n", what, callers, figures.per_second,
              figures.median_ms, figures.p99_ms);
  std::fflush(stdout);
}

Task<void> run(Bench& bench) {
  std::size_t first = 0;
  for (const auto& [callers, count] : {std::pair<std::size_t, std::size_t>{1, 100}, {16, 400}, {128, 1'000}}) {
    print("registrations", callers, co_await bench.registrations(callers, first, count));
    first += count;
  }
  for (const std::size_t callers : {std::size_t{1}, std::size_t{16}, std::size_t{128}})
    print("log-ins", callers, co_await bench.log_ins(callers, 1'000));
  co_await bench.add_others();
  std::printf("with %zu more people and %zu wallets:\n", kOthers, kOthers * kWalletsOfOthers);
  for (const std::size_t callers : {std::size_t{1}, std::size_t{16}}) {
    print("lists of wallets", callers, co_await bench.wallet_lists(callers, 1'000));
    print("log-ins", callers, co_await bench.log_ins(callers, 1'000));
  }
}

}  // namespace
}  // namespace community::users

int main() {
  community::infra::configure_log({community::infra::LogLevel::off, ""});
  community::users::Bench bench;
  bench.with_core(community::users::run);
  return 0;
}
