// SPDX-License-Identifier: Apache-2.0
// Web push: short notices to the browsers of a person, also when no page is open (RFC 8030). Contents are encrypted to
// the browser (RFC 8291), and the node says who it is (RFC 8292), so a push service learns when, not what.
#pragma once
#include "community/audit/api/audit_log.hpp"
#include "community/infra/api/database.hpp"
#include "community/notifications/api/push_subscription.hpp"

namespace community::notifications {

using infra::Task;

// Browsers of one person.
inline constexpr std::size_t kMaxSubscriptions = 8;

struct PushMessage {
  // Of what the page's service worker reads; at most kMaxPushBytes as JSON.
  core::json::object payload;
  // Wakes a device that saves its battery (RFC 8030, section 5.3).
  bool urgent = false;
  // The caller's clock; afterwards nobody wants it.
  std::int64_t now_ms = 0, expires_ms = 0;
};

struct PushDevice {
  // A UUID.
  std::string id;
  // The push service's, which tells the browser's maker.
  std::string service;
  std::int64_t created_ms = 0;
};

class Push {
 public:
  virtual ~Push() = default;

  // For the page's applicationServerKey: the node's public key in base64url.
  virtual std::string public_key() const = 0;

  // --- inside of Database::write, on the writer's thread -------------------------------------------------------------

  // The subscription's id. A browser that was subscribed before, for whomever, is now this person's alone: people share
  // devices, and notices of one are not for the other. endpoint_not_allowed, endpoint_syntax, subscriptions_full.
  [[nodiscard]] virtual Result<std::string> subscribe(soci::session& sql, const std::string& user,
                                                      const PushSubscription& subscription, std::int64_t now_ms) = 0;
  // Whether there was one.
  virtual bool unsubscribe(soci::session& sql, const std::string& user, const std::string& id) = 0;
  virtual void forget(soci::session& sql, const std::string& user) = 0;
  // One notice to each browser; how many. A notice is a courtesy: beyond a full queue it is dropped, with a line in the
  // log, and never fails the write that it comes with. payload_too_large.
  [[nodiscard]] virtual Result<std::size_t> queue(soci::session& sql, const std::string& user,
                                                  const PushMessage& message) = 0;

  // --- on the loop ---------------------------------------------------------------------------------------------------

  virtual Task<Result<std::vector<PushDevice>>> devices(std::string user) = 0;
  // subscribe() and unsubscribe() in a write of their own, told to the audit log in it. An empty id stands for all of
  // the person's browsers. storage_failed beside the errors of the above.
  virtual Task<Result<PushDevice>> subscribe_browser(audit::AuditLog& log, std::string user,
                                                     PushSubscription subscription) = 0;
  // How many there were.
  virtual Task<Result<std::size_t>> unsubscribe_browser(audit::AuditLog& log, std::string user, std::string id) = 0;
  // Sends, until cancelled. Joined by its owner before the database stops.
  virtual Task<void> run() = 0;
};

// The name that it listens under.
inline constexpr const char* kPushListener = "push";
// For AuditLog::listen: queues notices of entries, as the policy has it, each exactly once. A notice holds event,
// sequence and time; the page asks for the rest with its session.
audit::Listener push_listener(infra::Database& database, Push& push);

}  // namespace community::notifications
