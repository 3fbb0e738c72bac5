// SPDX-License-Identifier: Apache-2.0
// /events: live events of the person, as server-sent events (WHATWG HTML, section 9.2).
#include "community/gateway/api_v1/resources.hpp"

namespace community::gateway::api_v1 {
namespace {

using notifications::Hub;

Problem too_many(const notifications::Error& error) {
  users::Error busy;
  busy.code = users::ErrorCode::too_many_requests;
  // A page that closes makes room at once; one that never comes back is noticed at the next heartbeat.
  busy.retry_after_s = 15;
  busy.message = error.code == notifications::ErrorCode::streams_of_user_full
                     ? "the person has as many pages open as are served"
                     : "as many pages are open as this node serves";
  return to_problem(busy);
}

// A stream ends with its session, at the latest when that would have expired.
Task<Result<HttpResponse>> open_stream(Hub& hub, infra::Clock& clock, Call& call) {
  const users::Session& session = call.identity->session;
  notifications::StreamOptions options;
  const infra::Milliseconds left(std::max<std::int64_t>(0, session.expires_ms - clock.now_ms()));
  options.longest = std::min(options.longest, left);
  auto answered = notifications::stream_live_events(hub, clock, session.user_id, session.session_id,
                                                    call.request.headers.get("last-event-id"), options);
  if (!answered) co_return tl::unexpected(too_many(answered.error()));
  co_return std::move(*answered);
}

}  // namespace

void add_events(Api& api, infra::HttpRouter& router, Hub& hub, infra::Clock& clock) {
  api.add(router, "GET", "/api/v1/events", Access::person, Cost::request,
          [&hub, &clock](Call& call) { return open_stream(hub, clock, call); });
}

}  // namespace community::gateway::api_v1
