// SPDX-License-Identifier: Apache-2.0
// Times are milliseconds since 1970, 0 for never; bytes are lower-case hex; amounts are decimal text.
#include "community/transactions/store.hpp"

#include <soci/soci.h>

#include "community/core/uuid.hpp"

namespace community::transactions {
namespace {

namespace json = core::json;

constexpr const char* kSchema = R"sql(
CREATE TABLE transactions_entries (
  transaction_id TEXT NOT NULL PRIMARY KEY,
  sequence BIGINT NOT NULL UNIQUE,
  user_id TEXT NOT NULL,
  wallet_id TEXT NOT NULL,
  account TEXT NOT NULL,
  chain_id BIGINT NOT NULL,
  kind TEXT NOT NULL,
  state INTEGER NOT NULL,
  is_over INTEGER NOT NULL,
  digest TEXT NOT NULL,
  lane BIGINT NOT NULL,
  lane_sequence TEXT NOT NULL,
  payer INTEGER NOT NULL,
  max_cost TEXT NOT NULL,
  value TEXT NOT NULL,
  content TEXT NOT NULL,
  submission TEXT NOT NULL,
  errand TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  signed_at BIGINT NOT NULL,
  transaction_hash TEXT NOT NULL,
  block_number BIGINT NOT NULL,
  reason TEXT NOT NULL,
  actual_cost TEXT NOT NULL,
  replaces TEXT NOT NULL,
  replaced_by TEXT NOT NULL
);
CREATE INDEX transactions_entries_user ON transactions_entries (user_id, sequence);
CREATE INDEX transactions_entries_wallet ON transactions_entries (wallet_id, sequence);
CREATE INDEX transactions_entries_signed ON transactions_entries (user_id, signed_at);
CREATE INDEX transactions_entries_open ON transactions_entries (is_over, sequence);
CREATE TABLE transactions_recipients (
  chain_id BIGINT NOT NULL,
  account TEXT NOT NULL,
  recipient TEXT NOT NULL,
  used_at BIGINT NOT NULL,
  PRIMARY KEY (chain_id, account, recipient)
);
CREATE TABLE transactions_funds (
  user_id TEXT NOT NULL PRIMARY KEY,
  given_at BIGINT NOT NULL
);
)sql";

constexpr const char* kGrants = R"sql(
CREATE TABLE transactions_grants (
  grant_id TEXT NOT NULL PRIMARY KEY,
  user_id TEXT NOT NULL,
  wallet_id TEXT NOT NULL,
  content TEXT NOT NULL,
  ticket TEXT NOT NULL,
  valid_until BIGINT NOT NULL
);
CREATE INDEX transactions_grants_end ON transactions_grants (valid_until);
)sql";

// One row an account: the latest key epoch that was heard of, and whether passkeys are still to be compared with it.
constexpr const char* kKeyEpochs = R"sql(
CREATE TABLE transactions_key_epochs (
  chain_id BIGINT NOT NULL,
  account TEXT NOT NULL,
  key_epoch BIGINT NOT NULL,
  block_number BIGINT NOT NULL,
  is_open INTEGER NOT NULL,
  tried_at BIGINT NOT NULL,
  PRIMARY KEY (chain_id, account)
);
CREATE INDEX transactions_key_epochs_open ON transactions_key_epochs (is_open, tried_at);
)sql";

// Items whose cancellation the chain told of, until it is final.
constexpr const char* kCancelled = R"sql(
CREATE TABLE transactions_cancelled (
  chain_id BIGINT NOT NULL,
  account TEXT NOT NULL,
  item TEXT NOT NULL,
  block_number BIGINT NOT NULL,
  PRIMARY KEY (chain_id, account, item)
);
CREATE INDEX transactions_cancelled_by_block ON transactions_cancelled (chain_id, block_number);
)sql";

constexpr const char* kColumns =
    "SELECT transaction_id, sequence, user_id, wallet_id, account, chain_id, kind, state, is_over, digest, lane, "
    "lane_sequence, payer, max_cost, value, content, submission, errand, created_at, updated_at, expires_at, "
    "signed_at, transaction_hash, block_number, reason, actual_cost, replaces, replaced_by FROM transactions_entries ";

std::string hex(ByteView bytes) { return core::to_plain_hex(bytes); }
template <std::size_t N>
std::array<std::uint8_t, N> fixed(const std::string& text) {
  return core::parse_hex_array<N>(text, core::HexPrefix::optional).value_or(std::array<std::uint8_t, N>{});
}
std::optional<Bytes32> optional_hash(const std::string& text) {
  if (text.empty()) return std::nullopt;
  return fixed<32>(text);
}
std::string optional_hex(const std::optional<Bytes32>& hash) { return hash ? hex(*hash) : std::string(); }
Uint256 amount(const std::string& text) { return core::parse_decimal(text).value_or(Uint256()); }

// The columns above, in their order.
struct Columns {
  std::string id, user, wallet, account, kind, digest, lane_sequence, max_cost, value, content, submission, errand,
      transaction, reason, actual_cost, replaces, replaced_by;
  long long sequence = 0, chain = 0, lane = 0, created = 0, updated = 0, expires = 0, signed_at = 0, block = 0;
  int state = 0, is_over = 0, payer = 0;

  template <class Exchange>
  void each(Exchange exchange) {
    exchange(id, "id"), exchange(sequence, "sequence"), exchange(user, "user"), exchange(wallet, "wallet");
    exchange(account, "account"), exchange(chain, "chain"), exchange(kind, "kind"), exchange(state, "state");
    exchange(is_over, "is_over"), exchange(digest, "digest"), exchange(lane, "lane");
    exchange(lane_sequence, "lane_sequence"), exchange(payer, "payer"), exchange(max_cost, "max_cost");
    exchange(value, "value"), exchange(content, "content"), exchange(submission, "submission");
    exchange(errand, "errand"), exchange(created, "created"), exchange(updated, "updated");
    exchange(expires, "expires"), exchange(signed_at, "signed_at"), exchange(transaction, "transaction_hash");
    exchange(block, "block"), exchange(reason, "reason"), exchange(actual_cost, "actual_cost");
    exchange(replaces, "replaces"), exchange(replaced_by, "replaced_by");
  }

  explicit Columns() = default;
  explicit Columns(const Stored& row);
  Stored stored() const;
};

Columns::Columns(const Stored& row) {
  const Transaction& t = row.transaction;
  id = t.transaction_id;
  sequence = static_cast<long long>(t.sequence);
  user = t.user_id;
  wallet = t.wallet_id;
  account = hex(t.account);
  chain = static_cast<long long>(t.chain_id);
  kind = name(t.kind);
  state = static_cast<int>(t.state);
  is_over = row.is_over ? 1 : 0;
  digest = optional_hex(t.digest);
  lane = static_cast<long long>(row.lane);
  lane_sequence = std::to_string(row.lane_sequence);
  payer = static_cast<int>(t.payer);
  max_cost = core::format_decimal(t.max_cost);
  value = core::format_decimal(t.value);
  content = json::serialize(content_json(row));
  submission = hex(row.submission);
  errand = optional_hex(row.errand);
  created = t.created_ms;
  updated = t.updated_ms;
  expires = t.expires_ms;
  signed_at = t.signed_ms;
  transaction = optional_hex(t.transaction_hash);
  block = static_cast<long long>(t.block_number);
  reason = t.reason;
  actual_cost = core::format_decimal(t.actual_cost);
  replaces = t.replaces;
  replaced_by = t.replaced_by;
}

std::optional<Kind> parse_kind(std::string_view text) {
  for (std::uint8_t i = 0; i <= static_cast<std::uint8_t>(Kind::eoa); i++)
    if (name(static_cast<Kind>(i)) == text) return static_cast<Kind>(i);
  return std::nullopt;
}

Stored Columns::stored() const {
  Stored row;
  Transaction& t = row.transaction;
  t.transaction_id = id;
  t.sequence = static_cast<std::uint64_t>(sequence);
  t.user_id = user;
  t.wallet_id = wallet;
  t.account = fixed<20>(account);
  t.chain_id = static_cast<std::uint64_t>(chain);
  const auto known_kind = parse_kind(kind);
  if (!known_kind) throw soci::soci_error("transactions_entries has a kind that this program does not know: " + kind);
  t.kind = *known_kind;
  t.state = static_cast<State>(state);
  row.is_over = is_over != 0;
  t.digest = optional_hash(digest);
  row.wallet = core::parse_uuid(wallet).value_or(core::Uuid{});
  row.lane = static_cast<std::uint64_t>(lane);
  row.lane_sequence = std::strtoull(lane_sequence.c_str(), nullptr, 10);
  t.payer = static_cast<Payer>(payer);
  t.max_cost = amount(max_cost);
  t.value = amount(value);
  row.submission = core::parse_hex(submission, core::HexPrefix::optional).value_or(Bytes());
  row.errand = optional_hash(errand);
  t.created_ms = created;
  t.updated_ms = updated;
  t.expires_ms = expires;
  t.signed_ms = signed_at;
  t.transaction_hash = optional_hash(transaction);
  t.block_number = static_cast<std::uint64_t>(block);
  t.reason = reason;
  t.actual_cost = amount(actual_cost);
  t.replaces = replaces;
  t.replaced_by = replaced_by;
  const auto parsed = core::parse_json(content);
  if (!parsed || !parsed->is_object() || !read_content(parsed->get_object(), row))
    throw soci::soci_error("transactions_entries has content that this program did not write: " + id);
  // Rows of before this was written down.
  if (t.state == State::included || t.state == State::final_) row.told_inclusion = true;
  if (t.state == State::failed || t.state == State::dropped) row.told_failure = true;
  return row;
}

// `condition` comes behind the columns; `bind` adds what it names.
template <class Bind>
std::vector<Stored> select(soci::session& sql, const std::string& condition, Bind bind) {
  Columns columns;
  soci::statement rows(sql);
  columns.each([&rows](auto& column, const char*) { rows.exchange(soci::into(column)); });
  bind(rows);
  rows.alloc();
  rows.prepare(kColumns + condition);
  rows.define_and_bind();
  rows.execute();
  std::vector<Stored> out;
  while (rows.fetch()) out.push_back(columns.stored());
  return out;
}

}  // namespace

infra::MigrationSet transaction_migrations() {
  return {"transactions",
          {{1, "what people did with their accounts", kSchema},
           {2, "session grants", kGrants},
           {3, "key epochs of accounts", kKeyEpochs},
           {4, "cancelled items", kCancelled}}};
}

namespace store {

std::uint64_t last_sequence(soci::session& sql) {
  long long last = 0;
  sql << "SELECT COALESCE(MAX(sequence), 0) FROM transactions_entries", soci::into(last);
  return static_cast<std::uint64_t>(last);
}

void insert(soci::session& sql, const Stored& row) {
  Columns columns(row);
  soci::statement insertion(sql);
  columns.each([&insertion](auto& column, const char* name) { insertion.exchange(soci::use(column, name)); });
  insertion.alloc();
  insertion.prepare(
      "INSERT INTO transactions_entries (transaction_id, sequence, user_id, wallet_id, account, chain_id, kind, state, "
      "is_over, digest, lane, lane_sequence, payer, max_cost, value, content, submission, errand, created_at, "
      "updated_at, expires_at, signed_at, transaction_hash, block_number, reason, actual_cost, replaces, replaced_by) "
      "VALUES (:id, :sequence, :user, :wallet, :account, :chain, :kind, :state, :is_over, :digest, :lane, "
      ":lane_sequence, :payer, :max_cost, :value, :content, :submission, :errand, :created, :updated, :expires, "
      ":signed_at, :transaction_hash, :block, :reason, :actual_cost, :replaces, :replaced_by)");
  insertion.define_and_bind();
  insertion.execute(true);
}

bool update(soci::session& sql, const Stored& row) {
  Columns c(row);
  soci::statement change =
      (sql.prepare
           << "UPDATE transactions_entries SET state = :state, is_over = :over, content = :content, submission = :sub, "
              "errand = :errand, updated_at = :updated, expires_at = :expires, signed_at = :signed_at, "
              "transaction_hash = :hash, "
              "block_number = :block, reason = :reason, actual_cost = :cost, replaced_by = :by WHERE transaction_id = "
              ":id",
       soci::use(c.state), soci::use(c.is_over), soci::use(c.content), soci::use(c.submission), soci::use(c.errand),
       soci::use(c.updated), soci::use(c.expires), soci::use(c.signed_at), soci::use(c.transaction), soci::use(c.block),
       soci::use(c.reason), soci::use(c.actual_cost), soci::use(c.replaced_by), soci::use(c.id));
  change.execute(true);
  return change.get_affected_rows() > 0;
}

std::optional<Stored> find(soci::session& sql, const std::string& user_id, const std::string& transaction_id) {
  auto rows = select(sql, "WHERE transaction_id = :id AND user_id = :user", [&](soci::statement& statement) {
    statement.exchange(soci::use(transaction_id));
    statement.exchange(soci::use(user_id));
  });
  if (rows.empty()) return std::nullopt;
  return std::move(rows.front());
}

std::string replacement_in_block(soci::session& sql, const Transaction& transaction) {
  std::string found;
  const int included = static_cast<int>(State::included), failed = static_cast<int>(State::failed);
  sql << "SELECT transaction_id FROM transactions_entries WHERE user_id = :user AND replaces = :id AND state BETWEEN "
         ":included AND :failed",
      soci::use(transaction.user_id), soci::use(transaction.transaction_id), soci::use(included), soci::use(failed),
      soci::into(found);
  return found;
}

std::string same_nonce_in_block(soci::session& sql, const Stored& row) {
  const Transaction& t = row.transaction;
  const long long chain = static_cast<long long>(t.chain_id), lane = static_cast<long long>(row.lane);
  const std::string account = hex(t.account), sequence = std::to_string(row.lane_sequence);
  const int included = static_cast<int>(State::included), failed = static_cast<int>(State::failed);
  std::string id, kind;
  soci::statement rows =
      (sql.prepare << "SELECT transaction_id, kind FROM transactions_entries WHERE user_id = :user "
                      "AND account = :account AND chain_id = :chain AND lane = :lane AND "
                      "lane_sequence = :sequence AND state BETWEEN :included AND :failed AND "
                      "transaction_id <> :own",
       soci::use(t.user_id), soci::use(account), soci::use(chain), soci::use(lane), soci::use(sequence),
       soci::use(included), soci::use(failed), soci::use(t.transaction_id), soci::into(id), soci::into(kind));
  rows.execute();
  // Whatever is no operation has neither lane nor sequence.
  while (rows.fetch())
    if (const auto known = parse_kind(kind); known && is_operation(*known)) return id;
  return std::string();
}

bool is_deploying(soci::session& sql, const Transaction& transaction, const std::string& replaced) {
  const int first = static_cast<int>(State::signed_), last = static_cast<int>(State::failed);
  const auto signed_ones = select(sql, "WHERE wallet_id = :wallet AND signed_at > 0 AND state BETWEEN :first AND :last",
                                  [&](soci::statement& statement) {
                                    statement.exchange(soci::use(transaction.wallet_id));
                                    statement.exchange(soci::use(first));
                                    statement.exchange(soci::use(last));
                                  });
  for (const Stored& one : signed_ones) {
    const Transaction& t = one.transaction;
    const auto* operation = std::get_if<PreparedOperation>(&t.content);
    const bool is_other = t.transaction_id != transaction.transaction_id && t.transaction_id != replaced;
    const bool is_here = t.account == transaction.account && t.chain_id == transaction.chain_id;
    const bool counts = is_under_way(t.state) || t.updated_ms >= transaction.created_ms;
    if (operation != nullptr && operation->userop.factory && is_other && is_here && counts) return true;
  }
  return false;
}

std::vector<Stored> open(soci::session& sql) {
  return select(sql, "WHERE is_over = 0 ORDER BY sequence", [](soci::statement&) {});
}

std::vector<Stored> history(soci::session& sql, const std::string& user_id, const HistoryQuery& query) {
  const auto before = static_cast<long long>(std::min<std::uint64_t>(query.before, INT64_MAX));
  const auto limit = static_cast<long long>(query.limit);
  const std::string of_wallet = query.wallet_id.empty() ? "" : "AND wallet_id = :wallet ";
  return select(sql,
                "WHERE user_id = :user AND sequence < :before AND signed_at > 0 " + of_wallet +
                    "ORDER BY sequence DESC LIMIT :limit",
                [&](soci::statement& statement) {
                  statement.exchange(soci::use(user_id));
                  statement.exchange(soci::use(before));
                  if (!query.wallet_id.empty()) statement.exchange(soci::use(query.wallet_id));
                  statement.exchange(soci::use(limit));
                });
}

std::vector<Stored> prepared_beyond(soci::session& sql, const std::string& user_id, std::size_t keep) {
  // SQLite takes an offset with a limit only; there are never more than one more.
  const long long offset = static_cast<long long>(keep), limit = 1'000;
  return select(sql,
                "WHERE user_id = :user AND state = 0 AND is_over = 0 ORDER BY sequence DESC LIMIT :limit OFFSET :keep",
                [&](soci::statement& statement) {
                  statement.exchange(soci::use(user_id));
                  statement.exchange(soci::use(limit));
                  statement.exchange(soci::use(offset));
                });
}

void expire(soci::session& sql, std::int64_t now_ms) {
  const long long now = now_ms;
  const int expired = static_cast<int>(State::expired);
  sql << "UPDATE transactions_entries SET state = :expired, is_over = 1, updated_at = :now WHERE is_over = 0 AND state "
         "= 0 AND expires_at <= :until",
      soci::use(expired), soci::use(now), soci::use(now);
}

void trim(soci::session& sql, const std::string& wallet_id) {
  const long long offset = static_cast<long long>(kMaxHistory);
  long long edge = 0;
  sql << "SELECT sequence FROM transactions_entries WHERE wallet_id = :wallet ORDER BY sequence DESC LIMIT 1 OFFSET "
         ":keep",
      soci::use(wallet_id), soci::use(offset), soci::into(edge);
  if (!sql.got_data()) return;
  sql << "DELETE FROM transactions_entries WHERE wallet_id = :wallet AND sequence <= :edge AND is_over = 1",
      soci::use(wallet_id), soci::use(edge);
}

void remove_unsigned(soci::session& sql, std::int64_t before_ms) {
  const long long before = before_ms;
  sql << "DELETE FROM transactions_entries WHERE is_over = 1 AND signed_at = 0 AND updated_at < :before",
      soci::use(before);
}

Uint256 value_signed(soci::session& sql, const std::string& user_id, std::uint64_t chain_id, std::int64_t since_ms) {
  const long long since = since_ms, chain = static_cast<long long>(chain_id);
  const int failed = static_cast<int>(State::failed), replaced = static_cast<int>(State::replaced);
  std::string value;
  soci::statement rows = (sql.prepare << "SELECT value FROM transactions_entries WHERE user_id = :user AND signed_at "
                                         ">= :since AND signed_at > 0 AND chain_id = :chain AND state <> :failed AND "
                                         "state <> :replaced",
                          soci::use(user_id), soci::use(since), soci::use(chain), soci::use(failed),
                          soci::use(replaced), soci::into(value));
  rows.execute();
  Uint256 sum;
  while (rows.fetch()) sum = base::add(sum, amount(value)).value_or(Uint256::max());
  return sum;
}

Count signed_since(soci::session& sql, const std::string& user_id, std::int64_t since_ms) {
  const long long since = since_ms;
  long long count = 0, oldest = 0;
  sql << "SELECT COUNT(*), COALESCE(MIN(signed_at), 0) FROM transactions_entries WHERE user_id = :user AND signed_at > "
         ":since AND signed_at > 0",
      soci::use(user_id), soci::use(since), soci::into(count), soci::into(oldest);
  return {static_cast<std::size_t>(count), oldest};
}

std::vector<Address> recipients(soci::session& sql, std::uint64_t chain_id, const Address& account) {
  const long long chain = static_cast<long long>(chain_id), limit = static_cast<long long>(kMaxRecipients);
  const std::string of = hex(account);
  std::string recipient;
  soci::statement rows = (sql.prepare << "SELECT recipient FROM transactions_recipients WHERE chain_id = :chain AND "
                                         "account = :account ORDER BY used_at DESC LIMIT :limit",
                          soci::use(chain), soci::use(of), soci::use(limit), soci::into(recipient));
  rows.execute();
  std::vector<Address> out;
  while (rows.fetch()) out.push_back(fixed<20>(recipient));
  return out;
}

void note_recipients(soci::session& sql, const Stored& row, std::int64_t now_ms) {
  const long long chain = static_cast<long long>(row.transaction.chain_id), now = now_ms;
  const std::string account = hex(row.remembered_by.value_or(row.transaction.account));
  for (const Address& one : row.recipients) {
    const std::string recipient = hex(one);
    sql << "INSERT INTO transactions_recipients (chain_id, account, recipient, used_at) VALUES (:chain, :account, "
           ":recipient, :now) ON CONFLICT (chain_id, account, recipient) DO UPDATE SET used_at = excluded.used_at",
        soci::use(chain), soci::use(account), soci::use(recipient), soci::use(now);
  }
  if (row.recipients.empty()) return;
  const long long offset = static_cast<long long>(kMaxRecipients);
  long long edge = 0;
  sql << "SELECT used_at FROM transactions_recipients WHERE chain_id = :chain AND account = :account ORDER BY used_at "
         "DESC LIMIT 1 OFFSET :keep",
      soci::use(chain), soci::use(account), soci::use(offset), soci::into(edge);
  if (!sql.got_data()) return;
  sql << "DELETE FROM transactions_recipients WHERE chain_id = :chain AND account = :account AND used_at <= :edge",
      soci::use(chain), soci::use(account), soci::use(edge);
}

bool has_eoa_nonce(soci::session& sql, const Stored& row) {
  const long long chain = static_cast<long long>(row.transaction.chain_id);
  const std::string account = hex(row.transaction.account), kind(name(Kind::eoa)),
                    number = std::to_string(row.lane_sequence), own = row.transaction.transaction_id;
  long long count = 0;
  sql << "SELECT COUNT(*) FROM transactions_entries WHERE account = :account AND chain_id = :chain AND kind = :kind "
         "AND "
         "lane_sequence = :number AND signed_at > 0 AND is_over = 0 AND transaction_id <> :own",
      soci::use(account), soci::use(chain), soci::use(kind), soci::use(number), soci::use(own), soci::into(count);
  return count != 0;
}

std::int64_t funds_given_ms(soci::session& sql, const std::string& user_id) {
  long long given = 0;
  sql << "SELECT given_at FROM transactions_funds WHERE user_id = :user", soci::use(user_id), soci::into(given);
  return sql.got_data() ? given : 0;
}

void note_funds(soci::session& sql, const std::string& user_id, std::int64_t now_ms) {
  const long long now = now_ms;
  sql << "INSERT INTO transactions_funds (user_id, given_at) VALUES (:user, :now) ON CONFLICT (user_id) DO UPDATE SET "
         "given_at = excluded.given_at",
      soci::use(user_id), soci::use(now);
}

void insert_grant(soci::session& sql, const Transaction& transaction, const StoredGrant& grant) {
  const std::string id = hex(grant.id), ticket = hex(grant.ticket);
  const std::string content = json::serialize(grant_json(grant.grant));
  const long long until = static_cast<long long>(grant.grant.valid_until_s) * 1'000;
  sql << "INSERT INTO transactions_grants (grant_id, user_id, wallet_id, content, ticket, valid_until) VALUES (:id, "
         ":user, :wallet, :content, :ticket, :until) ON CONFLICT (grant_id) DO UPDATE SET ticket = excluded.ticket",
      soci::use(id), soci::use(transaction.user_id), soci::use(transaction.wallet_id), soci::use(content),
      soci::use(ticket), soci::use(until);
}

std::optional<StoredGrant> grant(soci::session& sql, const std::string& user_id, const Bytes32& grant_id) {
  const std::string id = hex(grant_id);
  std::string content, ticket;
  sql << "SELECT content, ticket FROM transactions_grants WHERE grant_id = :id AND user_id = :user", soci::use(id),
      soci::use(user_id), soci::into(content), soci::into(ticket);
  if (!sql.got_data()) return std::nullopt;
  const auto parsed = core::parse_json(content);
  auto read = parsed && parsed->is_object() ? read_grant_json(parsed->get_object()) : std::nullopt;
  if (!read) throw soci::soci_error("transactions_grants has content that this program did not write: " + id);
  return StoredGrant{grant_id, fixed<32>(ticket), std::move(*read)};
}

std::string wallet_of_grant(soci::session& sql, const std::string& user_id, const Bytes32& grant_id) {
  const std::string id = hex(grant_id);
  std::string wallet_id;
  sql << "SELECT wallet_id FROM transactions_grants WHERE grant_id = :id AND user_id = :user", soci::use(id),
      soci::use(user_id), soci::into(wallet_id);
  return wallet_id;
}

void remove_grants(soci::session& sql, std::int64_t until_ms) {
  const long long until = until_ms;
  sql << "DELETE FROM transactions_grants WHERE valid_until < :until", soci::use(until);
}

void note_key_epoch(soci::session& sql, const KeyEpoch& heard) {
  const long long chain = static_cast<long long>(heard.chain_id), epoch = heard.key_epoch,
                  block = static_cast<long long>(heard.block_number);
  const std::string account = hex(heard.account);
  sql << "INSERT INTO transactions_key_epochs (chain_id, account, key_epoch, block_number, is_open, tried_at) VALUES "
         "(:chain, :account, :epoch, :block, 1, 0) ON CONFLICT (chain_id, account) DO UPDATE SET key_epoch = "
         "excluded.key_epoch, block_number = excluded.block_number, is_open = 1, tried_at = 0 WHERE "
         "transactions_key_epochs.key_epoch < excluded.key_epoch",
      soci::use(chain), soci::use(account), soci::use(epoch), soci::use(block);
}

std::vector<KeyEpoch> open_key_epochs(soci::session& sql, std::uint64_t chain_id, std::uint64_t up_to_block,
                                      std::size_t most) {
  const long long chain = static_cast<long long>(chain_id), until = static_cast<long long>(up_to_block),
                  limit = static_cast<long long>(most);
  std::string account;
  long long epoch = 0, block = 0;
  soci::statement rows =
      (sql.prepare << "SELECT account, key_epoch, block_number FROM transactions_key_epochs WHERE "
                      "is_open = 1 AND chain_id = :chain AND block_number <= :until ORDER BY "
                      "tried_at, account LIMIT :limit",
       soci::use(chain), soci::use(until), soci::use(limit), soci::into(account), soci::into(epoch), soci::into(block));
  rows.execute();
  std::vector<KeyEpoch> out;
  while (rows.fetch())
    out.push_back({chain_id, fixed<20>(account), static_cast<std::uint32_t>(epoch), static_cast<std::uint64_t>(block)});
  return out;
}

void close_key_epoch(soci::session& sql, const KeyEpoch& compared) {
  const long long chain = static_cast<long long>(compared.chain_id), epoch = compared.key_epoch;
  const std::string account = hex(compared.account);
  sql << "UPDATE transactions_key_epochs SET is_open = 0 WHERE chain_id = :chain AND account = :account AND key_epoch "
         "= :epoch",
      soci::use(chain), soci::use(account), soci::use(epoch);
}

void note_key_epoch_tried(soci::session& sql, const KeyEpoch& tried, std::int64_t now_ms) {
  const long long chain = static_cast<long long>(tried.chain_id), now = now_ms;
  const std::string account = hex(tried.account);
  sql << "UPDATE transactions_key_epochs SET tried_at = :now WHERE chain_id = :chain AND account = :account",
      soci::use(now), soci::use(chain), soci::use(account);
}

void remove_key_epoch(soci::session& sql, const KeyEpoch& heard) {
  const long long chain = static_cast<long long>(heard.chain_id);
  const std::string account = hex(heard.account);
  sql << "DELETE FROM transactions_key_epochs WHERE chain_id = :chain AND account = :account", soci::use(chain),
      soci::use(account);
}

void take_back_key_epochs(soci::session& sql, std::uint64_t chain_id, std::uint64_t above_block) {
  const long long chain = static_cast<long long>(chain_id), above = static_cast<long long>(above_block);
  sql << "DELETE FROM transactions_key_epochs WHERE chain_id = :chain AND block_number > :above", soci::use(chain),
      soci::use(above);
}

std::uint64_t block_of_key_epoch(soci::session& sql, const KeyEpoch& heard) {
  const long long chain = static_cast<long long>(heard.chain_id), epoch = heard.key_epoch;
  const std::string account = hex(heard.account);
  long long block = 0;
  sql << "SELECT block_number FROM transactions_key_epochs WHERE chain_id = :chain AND account = :account AND "
         "key_epoch = :epoch",
      soci::use(chain), soci::use(account), soci::use(epoch), soci::into(block);
  return static_cast<std::uint64_t>(block);
}

std::uint32_t key_epoch(soci::session& sql, std::uint64_t chain_id, const Address& account) {
  const long long chain = static_cast<long long>(chain_id);
  const std::string of = hex(account);
  long long epoch = 0;
  sql << "SELECT key_epoch FROM transactions_key_epochs WHERE chain_id = :chain AND account = :account",
      soci::use(chain), soci::use(of), soci::into(epoch);
  return static_cast<std::uint32_t>(epoch);
}

void note_cancelled(soci::session& sql, const CancelledItem& heard) {
  const long long chain = static_cast<long long>(heard.chain_id), block = static_cast<long long>(heard.block_number);
  const std::string account = hex(heard.account), item = hex(heard.item);
  sql << "INSERT INTO transactions_cancelled (chain_id, account, item, block_number) VALUES (:chain, :account, :item, "
         ":block) ON CONFLICT (chain_id, account, item) DO UPDATE SET block_number = excluded.block_number",
      soci::use(chain), soci::use(account), soci::use(item), soci::use(block);
}

std::vector<CancelledItem> cancelled_items(soci::session& sql, std::uint64_t chain_id, std::uint64_t up_to_block,
                                           std::size_t most) {
  const long long chain = static_cast<long long>(chain_id), until = static_cast<long long>(up_to_block),
                  limit = static_cast<long long>(most);
  std::string account, item;
  long long block = 0;
  soci::statement rows =
      (sql.prepare << "SELECT account, item, block_number FROM transactions_cancelled WHERE chain_id = :chain AND "
                      "block_number <= :until ORDER BY block_number LIMIT :limit",
       soci::use(chain), soci::use(until), soci::use(limit), soci::into(account), soci::into(item), soci::into(block));
  rows.execute();
  std::vector<CancelledItem> out;
  while (rows.fetch())
    out.push_back({chain_id, fixed<20>(account), fixed<32>(item), static_cast<std::uint64_t>(block)});
  return out;
}

void remove_cancelled(soci::session& sql, const CancelledItem& looked_at) {
  const long long chain = static_cast<long long>(looked_at.chain_id);
  const std::string account = hex(looked_at.account), item = hex(looked_at.item);
  sql << "DELETE FROM transactions_cancelled WHERE chain_id = :chain AND account = :account AND item = :item",
      soci::use(chain), soci::use(account), soci::use(item);
}

void take_back_cancelled(soci::session& sql, std::uint64_t chain_id, std::uint64_t above_block) {
  const long long chain = static_cast<long long>(chain_id), above = static_cast<long long>(above_block);
  sql << "DELETE FROM transactions_cancelled WHERE chain_id = :chain AND block_number > :above", soci::use(chain),
      soci::use(above);
}

std::vector<Stored> signed_key_changes(soci::session& sql, const std::string& user_id) {
  const std::string kind(name(Kind::keys));
  const auto limit = static_cast<long long>(kMaxKeyChanges);
  return select(sql, "WHERE user_id = :user AND kind = :kind AND signed_at > 0 ORDER BY sequence DESC LIMIT :limit",
                [&](soci::statement& statement) {
                  statement.exchange(soci::use(user_id));
                  statement.exchange(soci::use(kind));
                  statement.exchange(soci::use(limit));
                });
}

}  // namespace store
}  // namespace community::transactions
