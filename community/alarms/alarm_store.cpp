// SPDX-License-Identifier: Apache-2.0
// What happened in one transaction to one account and belongs to one class is one alarm: a change of keys tells half a
// dozen events, and people read alarms.
#include "community/alarms/alarm_store.hpp"

#include <soci/soci.h>

#include "community/core/json.hpp"

namespace community::alarms {
namespace {

namespace json = boost::json;
using accounts::AccountEvent;

constexpr const char* kSchema = R"sql(
CREATE TABLE alarms_accounts (
  account TEXT NOT NULL PRIMARY KEY,
  wallet TEXT NOT NULL,
  agreed_epoch BIGINT NOT NULL,
  agreed_server_key BIGINT NOT NULL,
  created_ms BIGINT NOT NULL
);
CREATE TABLE alarms_sequence (
  id INTEGER NOT NULL PRIMARY KEY,
  last BIGINT NOT NULL
);
CREATE TABLE alarms_raised (
  id BIGINT NOT NULL PRIMARY KEY,
  chain_id BIGINT NOT NULL,
  account TEXT NOT NULL,
  class TEXT NOT NULL,
  block_number BIGINT NOT NULL,
  transaction_hash TEXT NOT NULL,
  submitter TEXT NOT NULL,
  seen_ms BIGINT NOT NULL,
  events TEXT NOT NULL,
  event_count BIGINT NOT NULL,
  acknowledged_ms BIGINT NOT NULL,
  removed INTEGER NOT NULL,
  told INTEGER NOT NULL,
  freeze_id BIGINT NOT NULL
);
CREATE UNIQUE INDEX alarms_raised_by_cause ON alarms_raised (account, class, transaction_hash, chain_id);
CREATE INDEX alarms_raised_by_account ON alarms_raised (account, id);
CREATE INDEX alarms_raised_by_block ON alarms_raised (block_number);
CREATE INDEX alarms_raised_by_told ON alarms_raised (told, id);
CREATE INDEX alarms_raised_by_freeze ON alarms_raised (freeze_id);
CREATE TABLE alarms_freezes (
  id BIGINT NOT NULL PRIMARY KEY,
  chain_id BIGINT NOT NULL,
  account TEXT NOT NULL,
  block_number BIGINT NOT NULL,
  state TEXT NOT NULL,
  is_open INTEGER NOT NULL,
  key_epoch BIGINT NOT NULL,
  deadline_s BIGINT NOT NULL,
  server_key_index BIGINT NOT NULL,
  attempts INTEGER NOT NULL,
  errand TEXT NOT NULL,
  reason TEXT NOT NULL,
  changed_ms BIGINT NOT NULL
);
CREATE INDEX alarms_freezes_by_state ON alarms_freezes (is_open, account);
)sql";

// Any wallet may say that it has an account, so what is kept belongs to both. `named` and `followed` count within the
// account: when the chain named the wallet last (0: never), and the order in which they said so.
constexpr const char* kSeveralWallets = R"sql(
CREATE TABLE alarms_wallets (
  account TEXT NOT NULL,
  wallet TEXT NOT NULL,
  agreed_epoch BIGINT NOT NULL,
  agreed_server_key BIGINT NOT NULL,
  named BIGINT NOT NULL,
  followed BIGINT NOT NULL,
  created_ms BIGINT NOT NULL,
  PRIMARY KEY (account, wallet)
);
INSERT INTO alarms_wallets (account, wallet, agreed_epoch, agreed_server_key, named, followed, created_ms)
  SELECT account, wallet, agreed_epoch, agreed_server_key, 0, 1, created_ms FROM alarms_accounts;
ALTER TABLE alarms_freezes ADD COLUMN wallet TEXT NOT NULL DEFAULT '';
UPDATE alarms_freezes SET wallet = COALESCE(
  (SELECT a.wallet FROM alarms_accounts a WHERE a.account = alarms_freezes.account), '');
DROP TABLE alarms_accounts;
)sql";

// Chain 0 until claim_rows says whose they are; alarms and freezes have always named theirs.
constexpr const char* kChains = R"sql(
ALTER TABLE alarms_wallets RENAME TO alarms_wallets_before;
CREATE TABLE alarms_wallets (
  chain_id BIGINT NOT NULL,
  account TEXT NOT NULL,
  wallet TEXT NOT NULL,
  agreed_epoch BIGINT NOT NULL,
  agreed_server_key BIGINT NOT NULL,
  named BIGINT NOT NULL,
  followed BIGINT NOT NULL,
  created_ms BIGINT NOT NULL,
  PRIMARY KEY (account, chain_id, wallet)
);
INSERT INTO alarms_wallets (chain_id, account, wallet, agreed_epoch, agreed_server_key, named, followed, created_ms)
  SELECT 0, account, wallet, agreed_epoch, agreed_server_key, named, followed, created_ms FROM alarms_wallets_before;
DROP TABLE alarms_wallets_before;
)sql";

constexpr std::string_view kAcknowledged = "the alarm was acknowledged";
constexpr std::string_view kReorganised = "a reorganisation took the transaction out of the chain";

template <class Bytes>
std::string hex(const Bytes& bytes) {
  return core::to_plain_hex(bytes);
}
template <std::size_t N>
std::array<std::uint8_t, N> fixed(const std::string& text) {
  return core::parse_hex_array<N>(text, core::HexPrefix::optional).value_or(std::array<std::uint8_t, N>{});
}

FreezeState freeze_state(const std::string& text) {
  for (int i = 0; i <= static_cast<int>(FreezeState::failed); i++)
    if (name(static_cast<FreezeState>(i)) == text) return static_cast<FreezeState>(i);
  return FreezeState::failed;
}

long long next_id(soci::session& sql) {
  long long last = 0;
  sql << "SELECT last FROM alarms_sequence WHERE id = 1", soci::into(last);
  const long long next = last + 1;
  sql << "INSERT INTO alarms_sequence (id, last) VALUES (1, :next) ON CONFLICT (id) DO UPDATE SET last = :again",
      soci::use(next), soci::use(next);
  return next;
}

// Freezes that nothing asks for any more: every alarm that shares one is acknowledged or gone.
void call_off(soci::session& sql, std::string_view why) {
  const std::string state(name(FreezeState::called_off)), wanted(name(FreezeState::wanted)), reason(why);
  sql << "UPDATE alarms_freezes SET state = :state, is_open = 0, reason = :reason WHERE state = :wanted AND NOT EXISTS "
         "(SELECT 1 FROM alarms_raised WHERE alarms_raised.freeze_id = alarms_freezes.id AND alarms_raised.removed = 0 "
         "AND alarms_raised.acknowledged_ms = 0)",
      soci::use(state), soci::use(reason), soci::use(wanted);
}

constexpr const char* kAlarmColumns =
    "SELECT r.id, r.chain_id, r.account, r.class, r.block_number, r.transaction_hash, r.submitter, r.seen_ms, "
    "r.events, "
    "r.event_count, r.acknowledged_ms, r.removed, r.freeze_id, COALESCE(f.state, ''), COALESCE(f.errand, ''), "
    "COALESCE(f.reason, '') FROM alarms_raised r LEFT JOIN alarms_freezes f ON f.id = r.freeze_id ";

// The columns above, one row at a time.
struct AlarmRow {
  long long id = 0, chain_id = 0, block = 0, seen = 0, count = 0, acknowledged = 0, freeze = 0;
  int removed = 0;
  std::string account, what, transaction, submitter, events, freeze_state, errand, reason;

  void bind(soci::statement& rows) {
    for (long long* number : {&id, &chain_id}) rows.exchange(soci::into(*number));
    for (std::string* text : {&account, &what}) rows.exchange(soci::into(*text));
    rows.exchange(soci::into(block));
    for (std::string* text : {&transaction, &submitter}) rows.exchange(soci::into(*text));
    rows.exchange(soci::into(seen));
    rows.exchange(soci::into(events));
    for (long long* number : {&count, &acknowledged}) rows.exchange(soci::into(*number));
    rows.exchange(soci::into(removed));
    rows.exchange(soci::into(freeze));
    for (std::string* text : {&freeze_state, &errand, &reason}) rows.exchange(soci::into(*text));
  }

  Alarm alarm() const {
    Alarm one;
    one.id = id;
    one.chain_id = static_cast<std::uint64_t>(chain_id);
    one.account = fixed<20>(account);
    one.what = parse_alarm_class(what).value_or(AlarmClass::unknown_submitter);
    one.block_number = static_cast<std::uint64_t>(block);
    one.transaction_hash = fixed<32>(transaction);
    if (!submitter.empty()) one.submitter = fixed<20>(submitter);
    one.seen_ms = seen;
    one.events = json::parse(events).as_array();
    one.event_count = static_cast<std::size_t>(count);
    one.acknowledged_ms = acknowledged;
    one.removed = removed != 0;
    if (!freeze_state.empty())
      one.freeze = FreezeReport{alarms::freeze_state(freeze_state), freeze, reason, fixed<32>(errand)};
    return one;
  }
};

std::vector<Alarm> read_alarms(soci::session& sql, const std::string& condition, const std::string& account,
                               long long since, std::size_t limit) {
  AlarmRow row;
  const long long most = static_cast<long long>(limit);
  soci::statement rows(sql);
  row.bind(rows);
  if (!account.empty()) rows.exchange(soci::use(account));
  rows.exchange(soci::use(since));
  rows.exchange(soci::use(most));
  rows.alloc();
  rows.prepare(kAlarmColumns + condition);
  rows.define_and_bind();
  rows.execute();
  std::vector<Alarm> alarms;
  while (rows.fetch()) alarms.push_back(row.alarm());
  return alarms;
}

Error storage_error(const infra::Error& error) { return {ErrorCode::storage_failed, error.text()}; }

}  // namespace

AlarmStore::AlarmStore(AlarmStoreDependencies dependencies, std::uint64_t chain_id, AlarmRules rules,
                       AlarmLimits limits)
    : d_(dependencies), chain_id_(chain_id), rules_(rules), limits_(limits) {
  if (d_.metrics == nullptr) return;
  constexpr const char* kName = "community_alarms_evicted_total";
  constexpr const char* kHelp = "Alarms that were dropped because there were too many.";
  evicted_seen_.emplace(d_.metrics->counter(kName, kHelp, {{"acknowledged", "yes"}}));
  evicted_unseen_.emplace(d_.metrics->counter(kName, kHelp, {{"acknowledged", "no"}}));
}

infra::MigrationSet AlarmStore::migrations() {
  return {"alarms",
          {{1, "alarms, wanted freezes and the wallets of accounts", kSchema},
           {2, "several wallets of one account", kSeveralWallets},
           {3, "the chain of a followed account", kChains}}};
}

void claim_rows(soci::session& sql, std::uint64_t chain_id) {
  const long long chain = static_cast<long long>(chain_id);
  sql << "UPDATE alarms_wallets SET chain_id = :chain WHERE chain_id = 0", soci::use(chain);
}

// --- in the watcher's write ------------------------------------------------------------------------------------------

void AlarmStore::came(soci::session& sql, const AccountEvent& event, bool is_new, std::int64_t now_ms) {
  const auto what = alarm_class_of(event);
  if (!what || rules_.action(*what) == AlarmAction::log) return;
  const std::string account = hex(event.account), kind(name(*what)), transaction = hex(event.transaction_hash);
  const long long chain = static_cast<long long>(chain_id_), block = static_cast<long long>(event.block_number);
  long long id = 0, count = 0;
  std::string events;
  sql << "SELECT id, events, event_count FROM alarms_raised WHERE account = :account AND class = :class AND "
         "transaction_hash = :transaction AND chain_id = :chain",
      soci::use(account), soci::use(kind), soci::use(transaction), soci::use(chain), soci::into(id), soci::into(events),
      soci::into(count);
  const bool is_there = sql.got_data();
  if (!is_new) {
    // An alarm that is not there was dropped for others, or its rule was not in force.
    if (is_there) revive(sql, id, event);
    return;
  }
  if (!is_there) {
    id = raise(sql, event, *what, now_ms);
    if (rules_.action(*what) == AlarmAction::freeze) want_freeze(sql, id, event, now_ms);
    return;
  }
  json::array list = json::parse(events).as_array();
  if (list.size() < limits_.events) list.push_back(accounts::to_json(event));
  const std::string longer = json::serialize(list);
  sql << "UPDATE alarms_raised SET events = :events, event_count = event_count + 1, block_number = :block, removed = 0 "
         "WHERE id = :id",
      soci::use(longer), soci::use(block), soci::use(id);
}

std::int64_t AlarmStore::raise(soci::session& sql, const AccountEvent& event, AlarmClass what, std::int64_t now_ms) {
  const std::string account = hex(event.account), kind(name(what)), transaction = hex(event.transaction_hash);
  make_room(sql, account);
  const long long id = next_id(sql), chain = static_cast<long long>(chain_id_), seen = now_ms;
  const long long block = static_cast<long long>(event.block_number);
  json::array list;
  list.push_back(accounts::to_json(event));
  const std::string events = json::serialize(list);
  sql << "INSERT INTO alarms_raised (id, chain_id, account, class, block_number, transaction_hash, submitter, seen_ms, "
         "events, event_count, acknowledged_ms, removed, told, freeze_id) VALUES (:id, :chain, :account, :class, "
         ":block, :transaction, '', :seen, :events, 1, 0, 0, 0, 0)",
      soci::use(id), soci::use(chain), soci::use(account), soci::use(kind), soci::use(block), soci::use(transaction),
      soci::use(seen), soci::use(events);
  return id;
}

void AlarmStore::make_room(soci::session& sql, const std::string& account) {
  long long own = 0, all = 0;
  sql << "SELECT COUNT(*) FROM alarms_raised WHERE account = :account", soci::use(account), soci::into(own);
  sql << "SELECT COUNT(*) FROM alarms_raised", soci::into(all);
  const bool own_full = own >= static_cast<long long>(limits_.per_account);
  if (own_full || all >= static_cast<long long>(limits_.total)) evict_one(sql, own_full ? account : "");
}

// `account` empty: of whichever account. What nobody has to see any more goes first; then the oldest of the account
// that has most, so that one account cannot push the alarms of others out.
void AlarmStore::evict_one(soci::session& sql, const std::string& account) {
  constexpr const char* kOldest =
      "SELECT id, CASE WHEN acknowledged_ms = 0 AND removed = 0 THEN 1 ELSE 0 END AS unseen FROM alarms_raised WHERE "
      "(account = :account OR :any = '') AND id NOT IN (SELECT id FROM alarms_freezes WHERE is_open = 1) ORDER BY "
      "unseen, id LIMIT 1";
  long long id = 0;
  int unseen = 0;
  sql << kOldest, soci::use(account), soci::use(account), soci::into(id), soci::into(unseen);
  if (!sql.got_data()) return;
  if (unseen != 0 && account.empty()) {
    std::string fullest;
    sql << "SELECT account FROM alarms_raised GROUP BY account ORDER BY COUNT(*) DESC, MIN(id) LIMIT 1",
        soci::into(fullest);
    sql << kOldest, soci::use(fullest), soci::use(fullest), soci::into(id), soci::into(unseen);
    if (!sql.got_data()) return;
  }
  sql << "DELETE FROM alarms_raised WHERE id = :id", soci::use(id);
  sql << "DELETE FROM alarms_freezes WHERE is_open = 0 AND NOT EXISTS (SELECT 1 FROM alarms_raised WHERE "
         "alarms_raised.freeze_id = alarms_freezes.id)";
  const auto& counter = unseen != 0 ? evicted_unseen_ : evicted_seen_;
  if (counter) infra::Counter(*counter).add();
}

// One at a time for an account: the contract takes one in 37 days.
void AlarmStore::want_freeze(soci::session& sql, std::int64_t alarm, const AccountEvent& event, std::int64_t now_ms) {
  const std::string account = hex(event.account), wanted(name(FreezeState::wanted));
  const long long chain = static_cast<long long>(chain_id_), id = alarm, now = now_ms;
  const long long block = static_cast<long long>(event.block_number);
  long long shared = 0;
  sql << "SELECT id FROM alarms_freezes WHERE is_open = 1 AND account = :account AND chain_id = :chain",
      soci::use(account), soci::use(chain), soci::into(shared);
  if (!sql.got_data()) {
    sql << "INSERT INTO alarms_freezes (id, chain_id, account, block_number, state, is_open, key_epoch, deadline_s, "
           "server_key_index, attempts, errand, reason, changed_ms) VALUES (:id, :chain, :account, :block, :state, 1, "
           "0, 0, 0, 0, '', '', :now)",
        soci::use(id), soci::use(chain), soci::use(account), soci::use(block), soci::use(wanted), soci::use(now);
    shared = id;
  }
  sql << "UPDATE alarms_raised SET freeze_id = :shared WHERE id = :id", soci::use(shared), soci::use(id);
}

// A transaction that a reorganisation took is in the chain again.
void AlarmStore::revive(soci::session& sql, std::int64_t alarm, const AccountEvent& event) {
  const long long id = alarm, block = static_cast<long long>(event.block_number);
  sql << "UPDATE alarms_raised SET removed = 0, block_number = :block WHERE id = :id", soci::use(block), soci::use(id);
  const std::string wanted(name(FreezeState::wanted)), called_off(name(FreezeState::called_off));
  const std::string reason(kReorganised);
  sql << "UPDATE alarms_freezes SET state = :wanted, is_open = 1, reason = '', block_number = :block WHERE state = "
         ":called_off AND reason = :reason AND id = (SELECT freeze_id FROM alarms_raised WHERE id = :id AND "
         "acknowledged_ms = 0)",
      soci::use(wanted), soci::use(block), soci::use(called_off), soci::use(reason), soci::use(id);
}

void AlarmStore::went(soci::session& sql, std::uint64_t above_block) {
  const long long above = static_cast<long long>(above_block), chain = static_cast<long long>(chain_id_);
  sql << "UPDATE alarms_raised SET removed = 1 WHERE block_number > :above AND chain_id = :chain", soci::use(above),
      soci::use(chain);
  call_off(sql, kReorganised);
}

// --- accounts --------------------------------------------------------------------------------------------------------

Task<Result<void>> AlarmStore::follow(Address account, keys::RecordId wallet, WhenFull when_full) {
  auto job = [chain = static_cast<long long>(chain_id_), address = hex(account), record = hex(wallet),
              most = static_cast<long long>(limits_.wallets_per_account), when_full,
              now = static_cast<long long>(d_.clock.now_ms())](soci::session& sql) {
    long long same = 0, all = 0, last = 0;
    sql << "SELECT COUNT(*) FROM alarms_wallets WHERE account = :account AND chain_id = :chain AND wallet = :wallet",
        soci::use(address), soci::use(chain), soci::use(record), soci::into(same);
    if (same != 0) return true;
    sql << "SELECT COUNT(*), COALESCE(MAX(followed), 0) FROM alarms_wallets WHERE account = :account AND "
           "chain_id = :chain",
        soci::use(address), soci::use(chain), soci::into(all), soci::into(last);
    if (all >= most && when_full == WhenFull::refuse) return false;
    if (all >= most)
      sql << "DELETE FROM alarms_wallets WHERE account = :account AND chain_id = :chain AND wallet = (SELECT wallet "
             "FROM alarms_wallets WHERE account = :again AND chain_id = :same ORDER BY named, followed LIMIT 1)",
          soci::use(address), soci::use(chain), soci::use(address), soci::use(chain);
    const long long next = last + 1;
    sql << "INSERT INTO alarms_wallets (chain_id, account, wallet, agreed_epoch, agreed_server_key, named, followed, "
           "created_ms) VALUES (:chain, :account, :wallet, 0, 0, 0, :followed, :now)",
        soci::use(chain), soci::use(address), soci::use(record), soci::use(next), soci::use(now);
    return true;
  };
  const auto kept = co_await d_.database.write(job);
  if (!kept) co_return tl::unexpected(storage_error(kept.error()));
  if (!*kept)
    co_return fail(ErrorCode::too_many_wallets, core::format_address(account) + " has " +
                                                    std::to_string(limits_.wallets_per_account) + " wallets already");
  co_return Result<void>{};
}

Task<Result<std::vector<Follower>>> AlarmStore::followers(Address account) {
  auto job = [chain = static_cast<long long>(chain_id_), address = hex(account)](soci::session& sql) {
    std::vector<Follower> all;
    std::string wallet;
    long long epoch = 0, index = 0, named = 0;
    soci::statement rows =
        (sql.prepare << "SELECT wallet, agreed_epoch, agreed_server_key, named FROM alarms_wallets WHERE account = "
                        ":account AND chain_id = :chain ORDER BY named DESC, followed DESC",
         soci::use(address), soci::use(chain), soci::into(wallet), soci::into(epoch), soci::into(index),
         soci::into(named));
    rows.execute();
    while (rows.fetch()) {
      const KeyAgreement agreed{static_cast<std::uint32_t>(epoch), static_cast<std::uint32_t>(index)};
      all.push_back({fixed<16>(wallet), agreed, named != 0});
    }
    return all;
  };
  auto found = co_await d_.database.read(job);
  if (!found) co_return tl::unexpected(storage_error(found.error()));
  if (found->empty()) co_return fail(ErrorCode::account_unknown, core::format_address(account) + " is not followed");
  co_return std::move(*found);
}

Task<Result<void>> AlarmStore::name_wallet(Address account, keys::RecordId wallet) {
  auto job = [chain = static_cast<long long>(chain_id_), address = hex(account),
              record = hex(wallet)](soci::session& sql) {
    sql << "UPDATE alarms_wallets SET named = (SELECT MAX(w.named) + 1 FROM alarms_wallets w WHERE w.account = "
           ":account AND w.chain_id = :chain) WHERE account = :again AND chain_id = :same AND wallet = :wallet",
        soci::use(address), soci::use(chain), soci::use(address), soci::use(chain), soci::use(record);
  };
  const auto written = co_await d_.database.write(job);
  if (!written) co_return tl::unexpected(storage_error(written.error()));
  co_return Result<void>{};
}

Task<Result<std::vector<Address>>> AlarmStore::all_followed() {
  auto job = [chain = static_cast<long long>(chain_id_)](soci::session& sql) {
    std::vector<Address> accounts;
    std::string account;
    soci::statement rows = (sql.prepare << "SELECT DISTINCT account FROM alarms_wallets WHERE chain_id = :chain",
                            soci::use(chain), soci::into(account));
    rows.execute();
    while (rows.fetch()) accounts.push_back(fixed<20>(account));
    return accounts;
  };
  auto accounts = co_await d_.database.read(job);
  if (!accounts) co_return tl::unexpected(storage_error(accounts.error()));
  co_return std::move(*accounts);
}

Task<Result<void>> AlarmStore::agree(Address account, keys::RecordId wallet, KeyAgreement before, KeyAgreement now) {
  auto job = [chain = static_cast<long long>(chain_id_), address = hex(account), record = hex(wallet), before,
              now](soci::session& sql) {
    const long long epoch = now.key_epoch, index = now.server_key_index;
    const long long old_epoch = before.key_epoch, old_index = before.server_key_index;
    sql << "UPDATE alarms_wallets SET agreed_epoch = :epoch, agreed_server_key = :key WHERE account = :account AND "
           "chain_id = :chain AND wallet = :wallet AND agreed_epoch = :old_epoch AND agreed_server_key = :old_key",
        soci::use(epoch), soci::use(index), soci::use(address), soci::use(chain), soci::use(record),
        soci::use(old_epoch), soci::use(old_index);
  };
  const auto written = co_await d_.database.write(job);
  if (!written) co_return tl::unexpected(storage_error(written.error()));
  co_return Result<void>{};
}

// --- alarms ----------------------------------------------------------------------------------------------------------

Task<Result<std::vector<Alarm>>> AlarmStore::list(AlarmQuery query) {
  if (query.limit == 0 || query.limit > limits_.listed)
    co_return fail(ErrorCode::limit_out_of_range, "1 to " + std::to_string(limits_.listed) + " alarms at once");
  auto job = [query](soci::session& sql) {
    const std::string account = query.account ? hex(*query.account) : std::string();
    const std::string condition = account.empty()
                                      ? "WHERE r.id > :since ORDER BY r.id LIMIT :most"
                                      : "WHERE r.account = :account AND r.id > :since ORDER BY r.id LIMIT :most";
    return read_alarms(sql, condition, account, query.since_id, query.limit);
  };
  auto alarms = co_await d_.database.read(job);
  if (!alarms) co_return tl::unexpected(storage_error(alarms.error()));
  co_return std::move(*alarms);
}

Task<Result<std::vector<Alarm>>> AlarmStore::untold(std::size_t limit) {
  const std::string condition =
      "WHERE r.told = 0 AND r.chain_id = " + std::to_string(chain_id_) + " AND r.id > :since ORDER BY r.id LIMIT :most";
  auto job = [limit, condition](soci::session& sql) { return read_alarms(sql, condition, "", 0, limit); };
  auto alarms = co_await d_.database.read(job);
  if (!alarms) co_return tl::unexpected(storage_error(alarms.error()));
  co_return std::move(*alarms);
}

Task<Result<void>> AlarmStore::tell(std::int64_t id, std::optional<Address> submitter) {
  auto job = [number = static_cast<long long>(id),
              from = submitter ? hex(*submitter) : std::string()](soci::session& sql) {
    sql << "UPDATE alarms_raised SET told = 1, submitter = :submitter WHERE id = :id", soci::use(from),
        soci::use(number);
  };
  const auto written = co_await d_.database.write(job);
  if (!written) co_return tl::unexpected(storage_error(written.error()));
  co_return Result<void>{};
}

Task<Result<void>> AlarmStore::acknowledge(std::int64_t id) {
  auto job = [number = static_cast<long long>(id),
              now = static_cast<long long>(d_.clock.now_ms())](soci::session& sql) {
    int known = 0;
    sql << "SELECT COUNT(*) FROM alarms_raised WHERE id = :id", soci::use(number), soci::into(known);
    sql << "UPDATE alarms_raised SET acknowledged_ms = :now WHERE id = :id AND acknowledged_ms = 0", soci::use(now),
        soci::use(number);
    call_off(sql, kAcknowledged);
    return known != 0;
  };
  const auto known = co_await d_.database.write(job);
  if (!known) co_return tl::unexpected(storage_error(known.error()));
  if (!*known) co_return fail(ErrorCode::alarm_unknown, "there is no alarm " + std::to_string(id));
  co_return Result<void>{};
}

Task<Result<std::uint64_t>> AlarmStore::count_waiting() {
  auto job = [chain = static_cast<long long>(chain_id_)](soci::session& sql) {
    long long count = 0;
    sql << "SELECT COUNT(*) FROM alarms_raised WHERE chain_id = :chain AND acknowledged_ms = 0 AND removed = 0",
        soci::use(chain), soci::into(count);
    return static_cast<std::uint64_t>(count);
  };
  const auto count = co_await d_.database.read(job);
  if (!count) co_return tl::unexpected(storage_error(count.error()));
  co_return *count;
}

// --- freezes ---------------------------------------------------------------------------------------------------------

Task<Result<std::vector<FreezeRow>>> AlarmStore::open_freezes() {
  auto job = [chain = static_cast<long long>(chain_id_)](soci::session& sql) {
    std::vector<FreezeRow> freezes;
    long long id = 0, block = 0, epoch = 0, deadline = 0, index = 0;
    int attempts = 0;
    std::string account, state, wallet, errand, reason;
    soci::statement rows =
        (sql.prepare << "SELECT id, account, block_number, state, key_epoch, deadline_s, wallet, server_key_index, "
                        "attempts, errand, reason FROM alarms_freezes WHERE is_open = 1 AND chain_id = :chain ORDER BY "
                        "id",
         soci::use(chain), soci::into(id), soci::into(account), soci::into(block), soci::into(state), soci::into(epoch),
         soci::into(deadline), soci::into(wallet), soci::into(index), soci::into(attempts), soci::into(errand),
         soci::into(reason));
    rows.execute();
    while (rows.fetch())
      freezes.push_back({id, fixed<20>(account), static_cast<std::uint64_t>(block), freeze_state(state),
                         static_cast<std::uint32_t>(epoch), static_cast<std::uint64_t>(deadline), fixed<16>(wallet),
                         static_cast<std::uint32_t>(index), static_cast<unsigned>(attempts), fixed<32>(errand),
                         reason});
    return freezes;
  };
  auto freezes = co_await d_.database.read(job);
  if (!freezes) co_return tl::unexpected(storage_error(freezes.error()));
  co_return std::move(*freezes);
}

Task<Result<bool>> AlarmStore::move_freeze(FreezeState from, FreezeRow next) {
  auto job = [from = std::string(name(from)), next,
              now = static_cast<long long>(d_.clock.now_ms())](soci::session& sql) {
    const long long id = next.id;
    int here = 0;
    sql << "SELECT COUNT(*) FROM alarms_freezes WHERE id = :id AND state = :from", soci::use(id), soci::use(from),
        soci::into(here);
    if (here == 0) return false;
    const std::string state(name(next.state)), wallet = hex(next.wallet), errand = hex(next.errand);
    const int open = is_open(next.state) ? 1 : 0, attempts = static_cast<int>(next.attempts);
    const long long epoch = next.key_epoch, deadline = static_cast<long long>(next.deadline_s);
    const long long index = next.server_key_index;
    sql << "UPDATE alarms_freezes SET state = :state, is_open = :open, key_epoch = :epoch, deadline_s = :deadline, "
           "wallet = :wallet, server_key_index = :index, attempts = :attempts, errand = :errand, reason = :reason, "
           "changed_ms = :now WHERE id = :id",
        soci::use(state), soci::use(open), soci::use(epoch), soci::use(deadline), soci::use(wallet), soci::use(index),
        soci::use(attempts), soci::use(errand), soci::use(next.reason), soci::use(now), soci::use(id);
    return true;
  };
  const auto moved = co_await d_.database.write(job);
  if (!moved) co_return tl::unexpected(storage_error(moved.error()));
  co_return *moved;
}

}  // namespace community::alarms
