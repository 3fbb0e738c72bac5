// SPDX-License-Identifier: Apache-2.0
// Subscriptions and notices on disk. Inside of the module; all on a session, inside of a write or read.
#pragma once
#include "community/notifications/api/push.hpp"

namespace community::notifications {

extern const char* const kPushSchema;

// A notice that is due, with where it goes.
struct DueNotice {
  std::string id, subscription;
  PushSubscription to;
  std::string payload;
  bool urgent = false;
  std::int64_t expires_ms = 0;
  unsigned attempts = 0;
};

struct DueNotices {
  std::vector<DueNotice> notices;
  // When the next one is due that is not among them; INT64_MAX when none waits.
  std::int64_t next_ms = INT64_MAX;
};

std::size_t count_subscriptions(soci::session& sql, const std::string& user);
// In place of whoever had this endpoint, whose notices go.
void put_subscription(soci::session& sql, const std::string& id, const std::string& user,
                      const PushSubscription& subscription, std::int64_t now_ms);
// With its notices. Of any user when `user` is empty.
bool remove_subscription(soci::session& sql, const std::string& user, const std::string& id);
void remove_user(soci::session& sql, const std::string& user);
std::vector<std::string> subscription_ids(soci::session& sql, const std::string& user);
std::vector<PushDevice> list_devices(soci::session& sql, const std::string& user);

std::uint64_t count_notices(soci::session& sql);
void insert_notice(soci::session& sql, const std::string& id, const std::string& subscription,
                   const std::string& payload, const PushMessage& message);
// Drops what expired first.
DueNotices due_notices(soci::session& sql, std::int64_t now_ms, std::size_t limit);
void postpone_notice(soci::session& sql, const std::string& id, std::int64_t next_ms);
void remove_notice(soci::session& sql, const std::string& id);

}  // namespace community::notifications
