// SPDX-License-Identifier: Apache-2.0
// One cursor for all accounts of a chain: events of a block and the cursor behind it are one write, so that a crash
// neither loses nor repeats one. A reorganisation moves the cursor back and sets what is above it aside; what comes
// again is not told again.
#include "community/accounts/api/account_watcher.hpp"

#include <soci/soci.h>

#include <algorithm>
#include <set>

#include "community/accounts/factory.hpp"
#include "community/infra/api/log.hpp"
#include "trusted/base/keccak.hpp"

namespace community::accounts {
namespace {

namespace json = boost::json;
using infra::Task;

constexpr const char* kSchema = R"sql(
CREATE TABLE accounts_watched (
  address TEXT NOT NULL PRIMARY KEY,
  created_ms BIGINT NOT NULL
);
CREATE TABLE accounts_events (
  id TEXT NOT NULL PRIMARY KEY,
  account TEXT NOT NULL,
  loudness INTEGER NOT NULL,
  block_number BIGINT NOT NULL,
  log_index BIGINT NOT NULL,
  gone INTEGER NOT NULL,
  content TEXT NOT NULL,
  seen_ms BIGINT NOT NULL
);
CREATE INDEX accounts_events_by_account ON accounts_events (account, block_number, log_index);
CREATE INDEX accounts_events_by_block ON accounts_events (block_number);
CREATE TABLE accounts_cursor (
  id INTEGER NOT NULL PRIMARY KEY,
  block_number BIGINT NOT NULL
);
)sql";

// Chain 0 until claim_rows says whose they are. The id of an event covers its transaction, which is of one chain.
constexpr const char* kChains = R"sql(
ALTER TABLE accounts_watched RENAME TO accounts_watched_before;
CREATE TABLE accounts_watched (
  chain_id BIGINT NOT NULL,
  address TEXT NOT NULL,
  created_ms BIGINT NOT NULL,
  PRIMARY KEY (chain_id, address)
);
INSERT INTO accounts_watched (chain_id, address, created_ms)
  SELECT 0, address, created_ms FROM accounts_watched_before;
DROP TABLE accounts_watched_before;
ALTER TABLE accounts_events ADD COLUMN chain_id BIGINT NOT NULL DEFAULT 0;
DROP INDEX accounts_events_by_account;
DROP INDEX accounts_events_by_block;
CREATE INDEX accounts_events_by_account ON accounts_events (account, chain_id, block_number, log_index);
CREATE INDEX accounts_events_by_block ON accounts_events (chain_id, block_number);
CREATE TABLE accounts_cursors (
  chain_id BIGINT NOT NULL PRIMARY KEY,
  block_number BIGINT NOT NULL
);
INSERT INTO accounts_cursors (chain_id, block_number) SELECT 0, block_number FROM accounts_cursor;
DROP TABLE accounts_cursor;
)sql";

constexpr infra::Milliseconds kWarnEvery{10'000};

// The same log in another block is the same event.
std::string id_of(const AccountEvent& event) {
  json::object content = to_json(event);
  content.erase("block");
  return core::to_plain_hex(base::keccak256(base::view(json::serialize(content))));
}

std::string hex(const Address& address) { return core::to_plain_hex(address); }

chain::LogFilter between(std::uint64_t from, std::uint64_t to) {
  chain::LogFilter filter;
  filter.from = chain::BlockRef::number(from);
  filter.to = chain::BlockRef::number(to);
  return filter;
}

AccountEvent unknown_submitter(const chain::Log& log, const chain::UserOperationEvent& operation) {
  AccountEvent event;
  event.name = kUnknownSubmitter;
  event.loudness = Loudness::alarm;
  event.account = operation.sender;
  event.block_number = log.block_number;
  event.block_hash = log.block_hash;
  event.transaction_hash = log.transaction_hash;
  event.log_index = log.log_index;
  const auto field = [&](std::string_view name, std::string_view type, core::AbiValue value) {
    event.fields.push_back({std::string(name), core::parse_abi_type(type).value(), std::move(value)});
  };
  field("userOpHash", "bytes32", core::AbiValue(operation.userop_hash));
  field("entryPoint", "address", core::AbiValue(log.address));
  field("nonce", "uint256", core::AbiValue(operation.nonce));
  return event;
}

// An account that is made tells its first keys and limits; nothing of that needs an answer. A change of keys is another
// thing: it begins a key epoch.
void soften_creations(std::vector<AccountEvent>& events) {
  using Place = std::pair<Address, Bytes32>;
  std::set<Place> begun, changed;
  for (const AccountEvent& event : events) {
    if (event.name == "ServerKeyChanged") begun.emplace(event.account, event.transaction_hash);
    if (event.name == "KeyEpochChanged") changed.emplace(event.account, event.transaction_hash);
  }
  for (AccountEvent& event : events) {
    const Place place(event.account, event.transaction_hash);
    const bool is_first = event.name.ends_with("Changed") || event.name == "PasskeyAdded";
    if (is_first && begun.contains(place) && !changed.contains(place)) event.loudness = Loudness::quiet;
  }
}

class ChainAccountWatcher final : public AccountWatcher {
 public:
  ChainAccountWatcher(AccountWatcherDependencies dependencies, AccountWatcherLimits limits)
      : d_(std::move(dependencies)), limits_(limits), warning_(d_.clock, kWarnEvery) {
    d_.blocks.listen([this](const chain::ChainEvent& event) -> Task<void> {
      if (event.kind == chain::ChainEvent::Kind::block) {
        co_await follow(event.block.number);
      } else {
        rewind_to_ = std::min(rewind_to_.value_or(event.ancestor), event.ancestor);
      }
    });
    if (d_.metrics == nullptr) return;
    for (const Loudness loudness : {Loudness::quiet, Loudness::notice, Loudness::alarm})
      counters_.push_back(d_.metrics->counter("community_account_events_total", "Events of the node's accounts.",
                                              {{"loudness", std::string(name(loudness))}}));
  }

  Task<Result<void>> load() override {
    const auto chain_id = co_await d_.chain.chain_id();
    if (!chain_id) co_return fail(ErrorCode::chain_failed, chain_id.error().text());
    chain_ = static_cast<long long>(*chain_id);
    auto job = [chain = chain_](soci::session& sql) {
      Loaded loaded;
      std::string address;
      soci::statement rows = (sql.prepare << "SELECT address FROM accounts_watched WHERE chain_id = :chain",
                              soci::use(chain), soci::into(address));
      rows.execute();
      while (rows.fetch())
        if (const auto bytes = core::parse_hex_array<20>(address, core::HexPrefix::optional))
          loaded.accounts.push_back(*bytes);
      sql << "SELECT block_number FROM accounts_cursors WHERE chain_id = :chain", soci::use(chain),
          soci::into(loaded.cursor);
      loaded.has_cursor = sql.got_data();
      return loaded;
    };
    auto loaded = co_await d_.database.read(job);
    if (!loaded) co_return fail(ErrorCode::storage_failed, loaded.error().text());
    accounts_.insert(accounts_.end(), loaded->accounts.begin(), loaded->accounts.end());
    if (loaded->has_cursor) cursor_ = static_cast<std::uint64_t>(loaded->cursor);
    co_return Result<void>{};
  }

  void listen(Listener listener) override { listeners_.push_back(std::move(listener)); }

  Task<Result<void>> watch(Address account) override {
    auto job = [chain = chain_, address = hex(account),
                now = static_cast<long long>(d_.clock.now_ms())](soci::session& sql) {
      sql << "INSERT INTO accounts_watched (chain_id, address, created_ms) VALUES (:chain, :address, :now) ON CONFLICT "
             "(chain_id, address) DO NOTHING",
          soci::use(chain), soci::use(address), soci::use(now);
    };
    auto written = co_await d_.database.write(job);
    if (!written) co_return fail(ErrorCode::storage_failed, written.error().text());
    if (std::ranges::find(accounts_, account) == accounts_.end()) accounts_.push_back(account);
    co_return Result<void>{};
  }

  Task<Result<std::vector<json::object>>> recent(Address account, std::size_t limit) override {
    auto job = [chain = chain_, address = hex(account), most = static_cast<long long>(limit)](soci::session& sql) {
      std::vector<json::object> events;
      std::string content;
      soci::statement rows =
          (sql.prepare << "SELECT content FROM accounts_events WHERE account = :address AND chain_id = :chain AND gone "
                          "= 0 ORDER BY block_number DESC, log_index DESC LIMIT :most",
           soci::use(address), soci::use(chain), soci::use(most), soci::into(content));
      rows.execute();
      while (rows.fetch()) events.push_back(json::parse(content).as_object());
      return events;
    };
    auto events = co_await d_.database.read(job);
    if (!events) co_return fail(ErrorCode::storage_failed, events.error().text());
    co_return std::move(*events);
  }

  std::optional<std::uint64_t> seen_block() const override { return cursor_; }

 private:
  struct Loaded {
    std::vector<Address> accounts;
    long long cursor = 0;
    bool has_cursor = false;
  };

  // Whatever fails is asked again at the next block, from the cursor on.
  Task<void> follow(std::uint64_t head) {
    if (rewind_to_) {
      if (!co_await rewind(*rewind_to_)) co_return;
      rewind_to_.reset();
    }
    // Nothing was watched before the first block that is seen.
    if (!cursor_) cursor_ = head == 0 ? 0 : head - 1;
    while (*cursor_ < head) {
      const std::uint64_t to = std::min(head, *cursor_ + limits_.blocks_per_question);
      auto events = co_await read(*cursor_ + 1, to);
      if (!events) {
        warning_.warn("accounts are not watched now", {{"why", events.error().message}, {"from", *cursor_ + 1}});
        co_return;
      }
      if (!co_await keep(std::move(*events), to)) co_return;
    }
  }

  Task<Result<std::vector<AccountEvent>>> read(std::uint64_t from, std::uint64_t to) {
    std::vector<AccountEvent> events;
    for (std::size_t first = 0; first < accounts_.size(); first += limits_.accounts_per_question) {
      const std::size_t count = std::min(limits_.accounts_per_question, accounts_.size() - first);
      const std::vector<Address> some(accounts_.begin() + static_cast<std::ptrdiff_t>(first),
                                      accounts_.begin() + static_cast<std::ptrdiff_t>(first + count));
      auto own = co_await read_own(some, from, to);
      if (!own) co_return own;
      auto foreign = co_await read_foreign(some, from, to);
      if (!foreign) co_return foreign;
      std::ranges::move(*own, std::back_inserter(events));
      std::ranges::move(*foreign, std::back_inserter(events));
    }
    soften_creations(events);
    std::ranges::sort(events, [](const AccountEvent& a, const AccountEvent& b) {
      return std::tie(a.block_number, a.log_index) < std::tie(b.block_number, b.log_index);
    });
    co_return events;
  }

  // What the accounts say themselves.
  Task<Result<std::vector<AccountEvent>>> read_own(std::vector<Address> accounts, std::uint64_t from,
                                                   std::uint64_t to) {
    chain::LogFilter filter = between(from, to);
    filter.addresses = std::move(accounts);
    filter.topics = {account_event_topics()};
    const auto logs = co_await d_.chain.logs(std::move(filter));
    if (!logs) co_return fail(ErrorCode::chain_failed, logs.error().text());
    std::vector<AccountEvent> events;
    for (const chain::Log& log : *logs)
      if (auto event = read_account_event(log)) events.push_back(std::move(*event));
    co_return events;
  }

  // Operations of the accounts that somebody else submitted.
  Task<Result<std::vector<AccountEvent>>> read_foreign(std::vector<Address> accounts, std::uint64_t from,
                                                       std::uint64_t to) {
    chain::LogFilter filter = between(from, to);
    std::vector<Bytes32> senders;
    for (const Address& account : accounts) senders.push_back(Uint256::from_be(account).to_be());
    for (const chain::EntryPoint* entry_point : d_.entry_points) filter.addresses.push_back(entry_point->address());
    filter.topics = {{chain::entry_point_topics().user_operation}, {}, std::move(senders)};
    const auto logs = co_await d_.chain.logs(std::move(filter));
    if (!logs) co_return fail(ErrorCode::chain_failed, logs.error().text());
    std::vector<AccountEvent> events;
    for (const chain::Log& log : *logs) {
      const auto operation = decode(log);
      if (!operation) continue;
      const bool known = co_await d_.is_known_userop(operation->userop_hash);
      if (!known) events.push_back(unknown_submitter(log, *operation));
    }
    co_return events;
  }

  std::optional<chain::UserOperationEvent> decode(const chain::Log& log) const {
    for (const chain::EntryPoint* entry_point : d_.entry_points)
      if (const auto event = entry_point->decode_event(log))
        if (const auto* operation = std::get_if<chain::UserOperationEvent>(&*event)) return *operation;
    return std::nullopt;
  }

  // Events and cursor in one write; tells what is new.
  Task<bool> keep(std::vector<AccountEvent> events, std::uint64_t to) {
    std::vector<std::pair<std::string, std::string>> rows;
    for (const AccountEvent& event : events) rows.emplace_back(id_of(event), json::serialize(to_json(event)));
    auto job = [chain = chain_, events, rows, to, journals = d_.journals, now = d_.clock.now_ms()](soci::session& sql) {
      std::vector<bool> is_new;
      for (std::size_t i = 0; i < events.size(); i++) {
        is_new.push_back(insert(sql, chain, events[i], rows[i], now));
        for (EventJournal* journal : journals) journal->came(sql, events[i], is_new.back(), now);
      }
      const long long cursor = static_cast<long long>(to);
      sql << "INSERT INTO accounts_cursors (chain_id, block_number) VALUES (:chain, :cursor) ON CONFLICT (chain_id) DO "
             "UPDATE SET block_number = :again",
          soci::use(chain), soci::use(cursor), soci::use(cursor);
      return is_new;
    };
    auto is_new = co_await d_.database.write(job);
    if (!is_new) {
      infra::log_warning("events of accounts were not kept", {{"why", is_new.error().text()}});
      co_return false;
    }
    cursor_ = to;
    for (std::size_t i = 0; i < events.size(); i++)
      if ((*is_new)[i]) co_await tell(events[i]);
    co_return true;
  }

  static bool insert(soci::session& sql, long long chain, const AccountEvent& event,
                     const std::pair<std::string, std::string>& row, std::int64_t now_ms) {
    const auto& [id, content] = row;
    const long long now = now_ms;
    const long long block = static_cast<long long>(event.block_number), index = static_cast<long long>(event.log_index);
    int known = 0;
    sql << "SELECT COUNT(*) FROM accounts_events WHERE id = :id", soci::use(id), soci::into(known);
    if (known != 0) {
      sql << "UPDATE accounts_events SET gone = 0, block_number = :block, log_index = :log_index, content = :content "
             "WHERE id = :id",
          soci::use(block), soci::use(index), soci::use(content), soci::use(id);
      return false;
    }
    const std::string account = hex(event.account);
    const int loudness = static_cast<int>(event.loudness);
    sql << "INSERT INTO accounts_events (id, chain_id, account, loudness, block_number, log_index, gone, content, "
           "seen_ms) "
           "VALUES "
           "(:id, :chain, :account, :loudness, :block, :log_index, 0, :content, :now)",
        soci::use(id), soci::use(chain), soci::use(account), soci::use(loudness), soci::use(block), soci::use(index),
        soci::use(content), soci::use(now);
    return true;
  }

  Task<void> tell(const AccountEvent& event) {
    if (!counters_.empty()) counters_[static_cast<std::size_t>(event.loudness)].add();
    for (const Listener& listener : listeners_) co_await listener(event);
  }

  Task<bool> rewind(std::uint64_t ancestor) {
    auto job = [chain = chain_, above = static_cast<long long>(ancestor), journals = d_.journals](soci::session& sql) {
      sql << "UPDATE accounts_events SET gone = 1 WHERE chain_id = :chain AND block_number > :above", soci::use(chain),
          soci::use(above);
      sql << "UPDATE accounts_cursors SET block_number = :cursor WHERE chain_id = :chain AND block_number > :above",
          soci::use(above), soci::use(chain), soci::use(above);
      for (EventJournal* journal : journals) journal->went(sql, static_cast<std::uint64_t>(above));
    };
    auto written = co_await d_.database.write(job);
    if (!written) {
      infra::log_warning("events of accounts were not set aside", {{"why", written.error().text()}});
      co_return false;
    }
    if (cursor_) cursor_ = std::min(*cursor_, ancestor);
    co_return true;
  }

  AccountWatcherDependencies d_;
  // Whose rows are its own; known when they are loaded.
  long long chain_ = 0;
  AccountWatcherLimits limits_;
  infra::RateLimitedWarning warning_;
  std::vector<Address> accounts_;
  std::vector<Listener> listeners_;
  std::optional<std::uint64_t> cursor_;
  std::optional<std::uint64_t> rewind_to_;
  std::vector<infra::Counter> counters_;
};

}  // namespace

infra::MigrationSet account_migrations() {
  return {"accounts", {{1, "watched accounts and their events", kSchema}, {2, "several chains", kChains}}};
}

void claim_rows(soci::session& sql, std::uint64_t chain_id) {
  const long long chain = static_cast<long long>(chain_id);
  sql << "UPDATE accounts_watched SET chain_id = :chain WHERE chain_id = 0", soci::use(chain);
  sql << "UPDATE accounts_events SET chain_id = :chain WHERE chain_id = 0", soci::use(chain);
  sql << "UPDATE accounts_cursors SET chain_id = :chain WHERE chain_id = 0", soci::use(chain);
}

std::unique_ptr<AccountWatcher> make_account_watcher(AccountWatcherDependencies dependencies,
                                                     AccountWatcherLimits limits) {
  return std::make_unique<ChainAccountWatcher>(std::move(dependencies), limits);
}

}  // namespace community::accounts
