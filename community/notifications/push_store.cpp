// SPDX-License-Identifier: Apache-2.0
#include "community/notifications/push_store.hpp"

#include <soci/soci.h>

namespace community::notifications {

// Subscriptions of one endpoint are one row: a browser has one person.
const char* const kPushSchema = R"sql(
CREATE TABLE notifications_subscriptions (
  subscription_id TEXT NOT NULL PRIMARY KEY,
  user_id TEXT NOT NULL,
  endpoint TEXT NOT NULL,
  p256dh TEXT NOT NULL,
  auth TEXT NOT NULL,
  created_ms BIGINT NOT NULL
);
CREATE UNIQUE INDEX notifications_subscriptions_by_endpoint ON notifications_subscriptions (endpoint);
CREATE INDEX notifications_subscriptions_by_user ON notifications_subscriptions (user_id);
CREATE TABLE notifications_notices (
  notice_id TEXT NOT NULL PRIMARY KEY,
  subscription_id TEXT NOT NULL,
  payload TEXT NOT NULL,
  urgent INTEGER NOT NULL,
  expires_ms BIGINT NOT NULL,
  next_ms BIGINT NOT NULL,
  attempts INTEGER NOT NULL
);
CREATE INDEX notifications_notices_by_time ON notifications_notices (next_ms);
CREATE INDEX notifications_notices_by_subscription ON notifications_notices (subscription_id);
)sql";

namespace {

void remove_notices_of(soci::session& sql, const std::string& subscription) {
  sql << "DELETE FROM notifications_notices WHERE subscription_id = :id", soci::use(subscription);
}

std::string host_of(const std::string& endpoint) {
  const auto parsed = parse_push_endpoint(endpoint);
  return parsed ? parsed->host : std::string();
}

}  // namespace

std::size_t count_subscriptions(soci::session& sql, const std::string& user) {
  long long count = 0;
  sql << "SELECT COUNT(*) FROM notifications_subscriptions WHERE user_id = :user", soci::use(user), soci::into(count);
  return static_cast<std::size_t>(count);
}

void put_subscription(soci::session& sql, const std::string& id, const std::string& user,
                      const PushSubscription& subscription, std::int64_t now_ms) {
  const std::string point = core::to_plain_hex(subscription.p256dh), auth = core::to_plain_hex(subscription.auth);
  const long long now = now_ms;
  sql << "DELETE FROM notifications_notices WHERE subscription_id IN "
         "(SELECT subscription_id FROM notifications_subscriptions WHERE endpoint = :endpoint)",
      soci::use(subscription.endpoint);
  sql << "DELETE FROM notifications_subscriptions WHERE endpoint = :endpoint", soci::use(subscription.endpoint);
  sql << "INSERT INTO notifications_subscriptions (subscription_id, user_id, endpoint, p256dh, auth, created_ms) "
         "VALUES (:id, :user, :endpoint, :point, :auth, :now)",
      soci::use(id), soci::use(user), soci::use(subscription.endpoint), soci::use(point), soci::use(auth),
      soci::use(now);
}

bool remove_subscription(soci::session& sql, const std::string& user, const std::string& id) {
  int found = 0;
  if (user.empty()) {
    sql << "SELECT COUNT(*) FROM notifications_subscriptions WHERE subscription_id = :id", soci::use(id),
        soci::into(found);
  } else {
    sql << "SELECT COUNT(*) FROM notifications_subscriptions WHERE subscription_id = :id AND user_id = :user",
        soci::use(id), soci::use(user), soci::into(found);
  }
  if (found == 0) return false;
  remove_notices_of(sql, id);
  sql << "DELETE FROM notifications_subscriptions WHERE subscription_id = :id", soci::use(id);
  return true;
}

void remove_user(soci::session& sql, const std::string& user) {
  for (const std::string& id : subscription_ids(sql, user)) remove_subscription(sql, user, id);
}

std::vector<std::string> subscription_ids(soci::session& sql, const std::string& user) {
  std::vector<std::string> ids;
  std::string id;
  soci::statement rows = (sql.prepare << "SELECT subscription_id FROM notifications_subscriptions "
                                         "WHERE user_id = :user ORDER BY created_ms, subscription_id",
                          soci::use(user), soci::into(id));
  rows.execute();
  while (rows.fetch()) ids.push_back(id);
  return ids;
}

std::vector<PushDevice> list_devices(soci::session& sql, const std::string& user) {
  std::vector<PushDevice> devices;
  std::string id, endpoint;
  long long created = 0;
  soci::statement rows =
      (sql.prepare << "SELECT subscription_id, endpoint, created_ms FROM notifications_subscriptions "
                      "WHERE user_id = :user ORDER BY created_ms, subscription_id",
       soci::use(user), soci::into(id), soci::into(endpoint), soci::into(created));
  rows.execute();
  while (rows.fetch()) devices.push_back({id, host_of(endpoint), created});
  return devices;
}

std::uint64_t count_notices(soci::session& sql) {
  long long count = 0;
  sql << "SELECT COUNT(*) FROM notifications_notices", soci::into(count);
  return static_cast<std::uint64_t>(count);
}

void insert_notice(soci::session& sql, const std::string& id, const std::string& subscription,
                   const std::string& payload, const PushMessage& message) {
  const int urgent = message.urgent ? 1 : 0;
  const long long expires = message.expires_ms, next = message.now_ms;
  sql << "INSERT INTO notifications_notices (notice_id, subscription_id, payload, urgent, expires_ms, next_ms, "
         "attempts) "
         "VALUES (:id, :subscription, :payload, :urgent, :expires, :next, 0)",
      soci::use(id), soci::use(subscription), soci::use(payload), soci::use(urgent), soci::use(expires),
      soci::use(next);
}

DueNotices due_notices(soci::session& sql, std::int64_t now_ms, std::size_t limit) {
  const long long now = now_ms, most = static_cast<long long>(limit) + 1;
  sql << "DELETE FROM notifications_notices WHERE expires_ms <= :now", soci::use(now);
  DueNotices due;
  std::string id, subscription, endpoint, point, auth, payload;
  int urgent = 0, attempts = 0;
  long long expires = 0, next = 0;
  soci::statement rows =
      (sql.prepare << "SELECT n.notice_id, n.subscription_id, s.endpoint, s.p256dh, s.auth, n.payload, n.urgent, "
                      "n.expires_ms, n.next_ms, n.attempts FROM notifications_notices n "
                      "JOIN notifications_subscriptions s ON s.subscription_id = n.subscription_id "
                      "ORDER BY n.next_ms, n.notice_id LIMIT :most",
       soci::use(most), soci::into(id), soci::into(subscription), soci::into(endpoint), soci::into(point),
       soci::into(auth), soci::into(payload), soci::into(urgent), soci::into(expires), soci::into(next),
       soci::into(attempts));
  rows.execute();
  while (rows.fetch()) {
    if (next > now_ms || due.notices.size() == limit) {
      due.next_ms = next;
      break;
    }
    DueNotice notice{id, subscription, {}, payload, urgent != 0, expires, static_cast<unsigned>(attempts)};
    notice.to.endpoint = endpoint;
    // A row that does not read has a point of zeros, which encrypts nothing.
    notice.to.p256dh = core::parse_hex_array<65>(point, core::HexPrefix::optional).value_or(notice.to.p256dh);
    notice.to.auth = core::parse_hex_array<16>(auth, core::HexPrefix::optional).value_or(notice.to.auth);
    due.notices.push_back(std::move(notice));
  }
  return due;
}

void postpone_notice(soci::session& sql, const std::string& id, std::int64_t next_ms) {
  const long long next = next_ms;
  sql << "UPDATE notifications_notices SET next_ms = :next, attempts = attempts + 1 WHERE notice_id = :id",
      soci::use(next), soci::use(id);
}

void remove_notice(soci::session& sql, const std::string& id) {
  sql << "DELETE FROM notifications_notices WHERE notice_id = :id", soci::use(id);
}

}  // namespace community::notifications
