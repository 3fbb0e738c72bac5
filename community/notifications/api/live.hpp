// SPDX-License-Identifier: Apache-2.0
// Live events: what happened to a person, told to their open pages within the second (server-sent events, WHATWG HTML
// section 9.2). Nothing here is kept: the tables are the truth, and a page that missed something is told to read them.
#pragma once
#include <deque>
#include <optional>
#include <unordered_map>

#include "community/audit/api/audit_log.hpp"
#include "community/infra/api/clock.hpp"
#include "community/infra/api/http.hpp"
#include "community/infra/api/metrics.hpp"
#include "community/notifications/api/error.hpp"

namespace community::notifications {

using infra::Task;

struct LiveEvent {
  // Grows by one with every event of the node, over restarts too.
  std::uint64_t id = 0;
  // An event of the audit log, or "reread": something was left out, read everything anew.
  std::string name;
  // One line of JSON.
  std::string data;
};

struct HubLimits {
  // Pages of one person: a browser opens at most 6 connections to a host (HTTP/1.1), and people have two devices.
  std::size_t streams_of_user = 12;
  // Each holds a connection: half of those that a port has by default (limits.http_connections), so that open pages
  // never keep everybody else out.
  std::size_t streams = 512;
  // Events that wait for one page; with the usual 500 bytes all queues of all streams are 16 MB at the very worst.
  std::size_t queued = 64;
  // Events kept for pages that come back, of everybody: 2 MB.
  std::size_t kept = 4'096;
};

class Hub;

// One open page. Ends with its destruction.
class LiveStream {
 public:
  ~LiveStream();
  LiveStream(const LiveStream&) = delete;
  LiveStream& operator=(const LiveStream&) = delete;

  // The next event; nothing when none came before `until`, or when the stream ended.
  Task<std::optional<LiveEvent>> next(infra::Clock& clock, infra::SteadyTime until);
  // Its session was revoked, or the node stops.
  bool ended() const { return ended_; }

 private:
  friend class Hub;
  LiveStream(Hub& hub, std::string user, std::string session)
      : hub_(hub), user_(std::move(user)), session_(std::move(session)) {}
  void push(const LiveEvent& event);
  void reread();
  void end();

  Hub& hub_;
  const std::string user_, session_;
  std::deque<LiveEvent> queue_;
  infra::Event came_;
  bool ended_ = false;
};

// Belongs to one loop; outlives its streams.
class Hub {
 public:
  Hub(infra::Clock& clock, HubLimits limits, infra::Metrics* metrics = nullptr);

  // `session` is what the stream ends with; no secret. With the id of the last event that the page saw, what came since
  // is told first, or "reread" when that is no longer known. streams_of_user_full, streams_full.
  Result<std::unique_ptr<LiveStream>> subscribe(std::string user, std::string session,
                                                std::optional<std::uint64_t> last_seen);
  void publish(const std::string& user, std::string name, const core::json::object& data);
  // The person logged out there, or was logged out.
  void end_session(const std::string& session);
  void end_user(const std::string& user);
  // Before the servers stop: streams would keep them waiting.
  void end_all();

  std::size_t streams() const { return count_; }

 private:
  friend class LiveStream;
  struct Kept {
    std::string user;
    LiveEvent event;
  };
  void replay(LiveStream& stream, std::uint64_t last_seen);
  void remove(LiveStream& stream);

  HubLimits limits_;
  std::uint64_t last_id_;
  // Of the newest event that is no longer kept.
  std::uint64_t forgotten_;
  std::deque<Kept> kept_;
  std::unordered_map<std::string, std::vector<LiveStream*>> users_;
  std::size_t count_ = 0;
  std::optional<infra::Gauge> gauge_;
};

struct StreamOptions {
  // A comment, so that proxies keep the connection and a page that is gone is noticed.
  infra::Milliseconds heartbeat{15'000};
  // Then the page comes back and shows its session again.
  infra::Milliseconds longest{60 * 60 * 1'000};
};

// The answer to GET of live events for a person who is logged in: text/event-stream until the page goes, the session
// ends or an hour has passed. `last_event_id` is the header Last-Event-ID as sent, or empty; what is no number asks for
// "reread". Hub and clock outlive the response. The errors of Hub::subscribe.
Result<infra::HttpResponse> stream_live_events(Hub& hub, infra::Clock& clock, std::string user, std::string session,
                                               std::string_view last_event_id, StreamOptions options = {});

// For AuditLog::listen without a name: tells entries of people to their pages, as the policy has it, in the form of
// GET /api/v1/activity; ends the streams of a session that was revoked, and of a person who left.
audit::Listener live_listener(Hub& hub);

}  // namespace community::notifications
