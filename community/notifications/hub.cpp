// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <charconv>

#include "community/notifications/api/live.hpp"
#include "community/notifications/api/policy.hpp"

namespace community::notifications {
namespace {

constexpr std::string_view kReread = "reread";

Task<void> ring(infra::Clock& clock, infra::SteadyTime when, infra::Event& event) {
  co_await clock.sleep_until(when);
  event.set();
}

}  // namespace

// --- a page ----------------------------------------------------------------------------------------------------------

LiveStream::~LiveStream() { hub_.remove(*this); }

void LiveStream::push(const LiveEvent& event) {
  if (ended_) return;
  if (queue_.size() >= hub_.limits_.queued) {
    reread();
    return;
  }
  queue_.push_back(event);
  came_.set();
}

// In place of everything that waits: the page reads the tables, which hold all of it.
void LiveStream::reread() {
  queue_.clear();
  queue_.push_back({hub_.last_id_, std::string(kReread), "{}"});
  came_.set();
}

void LiveStream::end() {
  ended_ = true;
  came_.set();
}

Task<std::optional<LiveEvent>> LiveStream::next(infra::Clock& clock, infra::SteadyTime until) {
  if (queue_.empty() && !ended_) {
    came_.reset();
    infra::TaskGroup timer(co_await boost::asio::this_coro::executor);
    timer.spawn(ring(clock, until, came_));
    co_await came_.wait();
    timer.cancel();
    co_await timer.join();
  }
  if (queue_.empty() || ended_) co_return std::nullopt;
  LiveEvent event = std::move(queue_.front());
  queue_.pop_front();
  co_return event;
}

// --- everybody's pages -----------------------------------------------------------------------------------------------

// A thousand ids for each millisecond: no node tells as many events, so ids grow over restarts as long as the clock is
// not set back, and when it is, pages are told to reread.
Hub::Hub(infra::Clock& clock, HubLimits limits, infra::Metrics* metrics)
    : limits_(limits), last_id_(static_cast<std::uint64_t>(clock.now_ms()) * 1'000), forgotten_(last_id_) {
  if (metrics != nullptr) gauge_.emplace(metrics->gauge("community_live_streams", "Open streams of live events"));
}

Result<std::unique_ptr<LiveStream>> Hub::subscribe(std::string user, std::string session,
                                                   std::optional<std::uint64_t> last_seen) {
  if (count_ >= limits_.streams) return fail(ErrorCode::streams_full, std::to_string(count_) + " streams are open");
  const auto found = users_.find(user);
  if (found != users_.end() && found->second.size() >= limits_.streams_of_user)
    return fail(ErrorCode::streams_of_user_full, std::to_string(found->second.size()) + " pages are open");
  std::unique_ptr<LiveStream> stream(new LiveStream(*this, user, std::move(session)));
  users_[std::move(user)].push_back(stream.get());
  count_++;
  if (gauge_) gauge_->set(static_cast<double>(count_));
  if (last_seen) replay(*stream, *last_seen);
  return stream;
}

void Hub::replay(LiveStream& stream, std::uint64_t last_seen) {
  if (last_seen < forgotten_ || last_seen > last_id_) {
    stream.reread();
    return;
  }
  for (const Kept& one : kept_)
    if (one.event.id > last_seen && one.user == stream.user_) stream.push(one.event);
}

void Hub::publish(const std::string& user, std::string name, const core::json::object& data) {
  LiveEvent event{++last_id_, std::move(name), core::json::serialize(data)};
  if (const auto found = users_.find(user); found != users_.end())
    for (LiveStream* stream : found->second) stream->push(event);
  kept_.push_back({user, std::move(event)});
  if (kept_.size() <= limits_.kept) return;
  forgotten_ = kept_.front().event.id;
  kept_.pop_front();
}

void Hub::remove(LiveStream& stream) {
  const auto found = users_.find(stream.user_);
  std::erase(found->second, &stream);
  if (found->second.empty()) users_.erase(found);
  count_--;
  if (gauge_) gauge_->set(static_cast<double>(count_));
}

void Hub::end_session(const std::string& session) {
  for (auto& [user, streams] : users_)
    for (LiveStream* stream : streams)
      if (stream->session_ == session) stream->end();
}

void Hub::end_user(const std::string& user) {
  if (const auto found = users_.find(user); found != users_.end())
    for (LiveStream* stream : found->second) stream->end();
}

void Hub::end_all() {
  for (auto& [user, streams] : users_)
    for (LiveStream* stream : streams) stream->end();
}

// --- over HTTP -------------------------------------------------------------------------------------------------------

namespace {

struct Serving {
  std::unique_ptr<LiveStream> stream;
  infra::Clock& clock;
  StreamOptions options;
};

// Name and data hold no line feed: names are words of ours, data is JSON, which escapes them.
std::string to_text(const LiveEvent& event) {
  return "id: " + std::to_string(event.id) + "\nevent: " + event.name + "\ndata: " + event.data + "\n\n";
}

Task<void> serve(std::shared_ptr<Serving> serving, infra::BodyWriter& writer) {
  infra::Clock& clock = serving->clock;
  const infra::SteadyTime end = clock.steady() + serving->options.longest;
  bool open = co_await writer.write("retry: 3000\n\n");
  while (open && !serving->stream->ended() && clock.steady() < end) {
    const infra::SteadyTime beat = std::min(end, clock.steady() + serving->options.heartbeat);
    const auto event = co_await serving->stream->next(clock, beat);
    if (serving->stream->ended()) co_return;
    std::string piece = event ? to_text(*event) : std::string(": still here\n\n");
    open = co_await writer.write(std::move(piece));
  }
}

// Nothing without the header; a number that is none is one that nobody ever saw.
std::optional<std::uint64_t> parse_last_seen(std::string_view text) {
  if (text.empty()) return std::nullopt;
  std::uint64_t id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  return error == std::errc() && end == text.data() + text.size() ? id : 0;
}

core::json::object payload_of(const audit::Entry& entry) {
  auto payload = core::parse_json(entry.payload ? std::string_view(entry.payload->text) : std::string_view("{}"));
  if (!payload || !payload->is_object()) return {};
  return std::move(payload->get_object());
}

std::optional<std::string> session_of(const audit::Entry& entry) {
  const core::json::object payload = payload_of(entry);
  const core::json::value* session = payload.if_contains("sessionId");
  if (session == nullptr || !session->is_string()) return std::nullopt;
  return std::string(session->get_string());
}

// As GET /api/v1/activity shows it.
core::json::object told_of(const audit::Entry& entry) {
  core::json::object data;
  data["sequence"] = entry.sequence;
  data["time"] = audit::format_time_ms(entry.time_ms);
  data["event"] = entry.event;
  data["details"] = payload_of(entry);
  return data;
}

}  // namespace

Result<infra::HttpResponse> stream_live_events(Hub& hub, infra::Clock& clock, std::string user, std::string session,
                                               std::string_view last_event_id, StreamOptions options) {
  auto stream = hub.subscribe(std::move(user), std::move(session), parse_last_seen(last_event_id));
  if (!stream) return tl::unexpected(stream.error());
  infra::HttpResponse response;
  response.headers.add("Content-Type", "text/event-stream");
  response.headers.add("Cache-Control", "no-store");
  // A proxy that gathers pieces would keep them from the page.
  response.headers.add("X-Accel-Buffering", "no");
  auto serving = std::make_shared<Serving>(Serving{std::move(*stream), clock, options});
  response.stream = [serving](infra::BodyWriter& writer) { return serve(serving, writer); };
  return response;
}

audit::Listener live_listener(Hub& hub) {
  return [&hub](const audit::Entry& entry) -> Task<bool> {
    const auto event = audit::parse_event_name(entry.event);
    if (entry.subject.empty() || !event) co_return true;
    // Its page hears nothing more, neither this.
    if (*event == audit::EventName::session_revoked)
      if (const auto session = session_of(entry)) hub.end_session(*session);
    if (*event == audit::EventName::user_deleted) hub.end_user(entry.subject);
    if (ways_of(*event).live) hub.publish(entry.subject, entry.event, told_of(entry));
    co_return true;
  };
}

}  // namespace community::notifications
