// SPDX-License-Identifier: Apache-2.0
// Takes due notices from the table and posts them to push services. What a service answers decides: taken, gone for
// good with its subscription, later, or never.
#include <soci/soci.h>
#include <sys/stat.h>

#include <charconv>
#include <map>

#include "community/audit/api/left.hpp"
#include "community/core/base64url.hpp"
#include "community/infra/api/files.hpp"
#include "community/infra/api/log.hpp"
#include "community/infra/api/write_signal.hpp"
#include "community/notifications/api/policy.hpp"
#include "community/notifications/factory.hpp"
#include "community/notifications/ids.hpp"
#include "community/notifications/push_crypto.hpp"
#include "community/notifications/push_store.hpp"

namespace community::notifications {
namespace {

using infra::Milliseconds;

constexpr std::size_t kBatch = 64;
constexpr Milliseconds kPauseAfterFailure{1'000};
constexpr Milliseconds kTidyEvery{60 * 60 * 1'000};
// RFC 8292, section 2: at most 24 hours ahead. Half of it, made anew when half of that is over.
constexpr std::int64_t kTokenLife_s = 12 * 60 * 60;
// Origins with a token. The services have a handful; Microsoft's hosts number a few dozen.
constexpr std::size_t kMaxTokens = 64;
// Push services answer with an empty body or a few words.
constexpr std::uint64_t kMaxAnswer = 64 * 1'024;

Error storage_error(const infra::Error& error) { return {ErrorCode::storage_failed, error.text()}; }

Result<P256Key> load_key(const std::filesystem::path& file, infra::Random& random) {
  struct stat status {};
  if (::stat(file.c_str(), &status) != 0) {
    Bytes32 secret{};
    std::optional<P256Key> made;
    // All but one in 2^32 draws is a key.
    while (!made) {
      random.fill(secret);
      made = P256Key::from_secret(secret);
    }
    const auto written = infra::write_file_atomically(file, core::to_plain_hex(secret) + "\n");
    base::wipe(secret);
    if (!written) return fail(ErrorCode::key_file, written.error().text());
    return std::move(*made);
  }
  if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0)
    return fail(ErrorCode::key_file, file.string() + " is open to other users: chmod 600 it");
  auto text = infra::read_file(file, 128);
  if (!text) return fail(ErrorCode::key_file, text.error().text());
  if (text->ends_with('\n')) text->pop_back();
  auto secret = core::parse_bytes32(*text, core::HexPrefix::optional);
  auto key = secret ? P256Key::from_secret(*secret) : std::nullopt;
  if (secret) base::wipe(*secret);
  base::wipe(text->data(), text->size());
  if (!key) return fail(ErrorCode::key_file, file.string() + " holds no P-256 key");
  return std::move(*key);
}

// Seconds; a date (RFC 9110, section 10.2.3) is not read: our own pause is longer anyway.
Milliseconds retry_after(const infra::HttpHeaders& headers, Milliseconds most) {
  const std::string_view text = headers.get("Retry-After");
  std::uint32_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc() || end != text.data() + text.size()) return Milliseconds(0);
  return std::min(most, Milliseconds(std::int64_t{seconds} * 1'000));
}

enum class Answer { taken, gone, later, never };

Answer judge(unsigned status) {
  if (status >= 200 && status < 300) return Answer::taken;
  // RFC 8030, section 7.3: the subscription is no more.
  if (status == 404 || status == 410) return Answer::gone;
  if (status == 408 || status == 429 || status >= 500) return Answer::later;
  // Redirections too: nobody sends the node elsewhere.
  return Answer::never;
}

struct Token {
  std::string authorization;
  std::int64_t expires_s = 0;
};

class WebPush final : public Push {
 public:
  WebPush(PushDependencies dependencies, PushOptions options, P256Key key)
      : d_(std::move(dependencies)),
        options_(std::move(options)),
        key_(std::move(key)),
        signal_(d_.database, d_.executor) {
    if (d_.metrics == nullptr) return;
    const auto counter = [this](const char* result) {
      return d_.metrics->counter("community_pushes_total", "Notices to browsers by what became of an attempt",
                                 {{"result", result}});
    };
    counters_.emplace(Counters{counter("taken"), counter("gone"), counter("later"), counter("never")});
  }

  std::string public_key() const override { return core::to_base64url(key_.public_key()); }

  Result<std::string> subscribe(soci::session& sql, const std::string& user, const PushSubscription& subscription,
                                std::int64_t now_ms) override {
    if (auto allowed = check_endpoint(subscription.endpoint); !allowed) return tl::unexpected(allowed.error());
    const std::string id = make_uuid(d_.random);
    put_subscription(sql, id, user, subscription, now_ms);
    // Behind it: a browser that subscribes again counts once.
    if (count_subscriptions(sql, user) > kMaxSubscriptions)
      return fail(ErrorCode::subscriptions_full, std::to_string(kMaxSubscriptions) + " browsers are subscribed");
    return id;
  }

  bool unsubscribe(soci::session& sql, const std::string& user, const std::string& id) override {
    return !user.empty() && remove_subscription(sql, user, id);
  }
  void forget(soci::session& sql, const std::string& user) override { remove_user(sql, user); }

  Result<std::size_t> queue(soci::session& sql, const std::string& user, const PushMessage& message) override {
    const std::string payload = core::json::serialize(message.payload);
    if (payload.size() > kMaxPushBytes)
      return fail(ErrorCode::payload_too_large, std::to_string(payload.size()) + " bytes");
    const auto ids = subscription_ids(sql, user);
    if (ids.empty() || message.expires_ms <= message.now_ms) return std::size_t{0};
    if (count_notices(sql) + ids.size() > options_.max_waiting) {
      infra::log_warning("a push notice was dropped: too many wait", {{"most", options_.max_waiting}});
      return std::size_t{0};
    }
    for (const std::string& id : ids) insert_notice(sql, make_uuid(d_.random), id, payload, message);
    signal_.raise();
    return ids.size();
  }

  Task<Result<std::vector<PushDevice>>> devices(std::string user) override {
    auto work = [user = std::move(user)](soci::session& sql) { return list_devices(sql, user); };
    auto found = co_await d_.database.read(work);
    if (!found) co_return tl::unexpected(storage_error(found.error()));
    co_return std::move(*found);
  }

  Task<Result<PushDevice>> subscribe_browser(audit::AuditLog& log, std::string user,
                                             PushSubscription subscription) override {
    auto work = [this, &log, user, subscription, now = d_.clock.now_ms()](soci::session& sql) -> Result<PushDevice> {
      if (audit::has_left(sql, user)) return fail(ErrorCode::storage_failed, "this person was deleted");
      const auto id = subscribe(sql, user, subscription, now);
      if (!id) return tl::unexpected(id.error());
      PushDevice device{*id, parse_push_endpoint(subscription.endpoint)->host, now};
      if (auto told = tell(sql, log, audit::EventName::push_subscribed, user, *id, now); !told)
        return tl::unexpected(told.error());
      return device;
    };
    co_return from_database(co_await d_.database.write(work));
  }

  Task<Result<std::size_t>> unsubscribe_browser(audit::AuditLog& log, std::string user, std::string id) override {
    auto work = [this, &log, user, id, now = d_.clock.now_ms()](soci::session& sql) -> Result<std::size_t> {
      const auto ids = id.empty() ? subscription_ids(sql, user) : std::vector<std::string>{id};
      std::size_t count = 0;
      for (const std::string& one : ids) {
        if (!unsubscribe(sql, user, one)) continue;
        count++;
        if (auto told = tell(sql, log, audit::EventName::push_unsubscribed, user, one, now); !told)
          return tl::unexpected(told.error());
      }
      return count;
    };
    co_return from_database(co_await d_.database.write(work));
  }

  Task<void> run() override {
    for (;;) {
      auto work = [now = d_.clock.now_ms()](soci::session& sql) { return due_notices(sql, now, kBatch); };
      auto due = co_await d_.database.write(work);
      if (!due) {
        infra::log_warning("push notices cannot be read now", {{"why", due.error().text()}});
        co_await d_.clock.sleep_for(kPauseAfterFailure);
        continue;
      }
      if (due->notices.empty()) {
        const std::int64_t pause = std::clamp<std::int64_t>(due->next_ms - d_.clock.now_ms(), 0, kTidyEvery.count());
        co_await signal_.wait_until(d_.clock, d_.clock.steady() + Milliseconds(pause));
        continue;
      }
      std::function<Task<void>(std::size_t)> send = [this, &due](std::size_t i) { return deliver(due->notices[i]); };
      co_await infra::for_each_bounded(due->notices.size(), options_.requests, send);
    }
  }

 private:
  static Result<void> tell(soci::session& sql, audit::AuditLog& log, audit::EventName name, const std::string& user,
                           const std::string& id, std::int64_t now_ms) {
    audit::AuditEvent event;
    event.event = name;
    event.subject = user;
    event.payload["subscriptionId"] = id;
    event.time_ms = now_ms;
    if (const auto recorded = log.record(sql, event); !recorded)
      return fail(ErrorCode::storage_failed, std::string(audit::name(recorded.error().code)));
    return {};
  }

  template <class T>
  static Result<T> from_database(infra::Result<Result<T>> outcome) {
    if (!outcome) return tl::unexpected(storage_error(outcome.error()));
    return std::move(*outcome);
  }

  struct Counters {
    infra::Counter taken, gone, later, never;
  };

  // Also before each request: the configuration may have changed since.
  Result<PushEndpoint> check_endpoint(const std::string& url) const {
    auto endpoint = parse_push_endpoint(url);
    if (!endpoint) return endpoint;
    if (!is_push_service(endpoint->host, options_.services))
      return fail(ErrorCode::endpoint_not_allowed, "its host is none of push.services");
    return endpoint;
  }

  std::optional<std::string> authorization(const std::string& origin) {
    const std::int64_t now_s = d_.clock.now_s();
    Token& token = tokens_[origin];
    if (token.expires_s < now_s + kTokenLife_s / 2 || token.expires_s > now_s + kTokenLife_s) {
      auto made = vapid_authorization(key_, origin, now_s + kTokenLife_s, options_.contact);
      if (!made) return std::nullopt;
      token = {std::move(*made), now_s + kTokenLife_s};
    }
    std::string text = token.authorization;
    if (tokens_.size() > kMaxTokens) tokens_.clear();
    return text;
  }

  // Nothing when this subscription will never take anything.
  std::optional<infra::HttpCall> make_call(const DueNotice& notice) {
    const auto endpoint = check_endpoint(notice.to.endpoint);
    if (!endpoint) return std::nullopt;
    std::array<std::uint8_t, 16> salt{};
    d_.random.fill(salt);
    Bytes32 secret{};
    d_.random.fill(secret);
    const auto sender = P256Key::from_secret(secret);
    base::wipe(secret);
    if (!sender) return std::nullopt;
    const auto body = encrypt_push(notice.payload, notice.to.p256dh, notice.to.auth, *sender, salt);
    const auto who = authorization(endpoint->origin);
    if (!body || !who) return std::nullopt;
    infra::HttpCall call;
    call.url = endpoint->url;
    if (!options_.test_receiver.empty())
      call.url = options_.test_receiver + endpoint->url.substr(endpoint->origin.size());
    call.method = "POST";
    call.timeout = options_.timeout;
    call.max_response_bytes = kMaxAnswer;
    call.repeatable = false;
    const std::int64_t left_s = std::max<std::int64_t>(0, (notice.expires_ms - d_.clock.now_ms()) / 1'000);
    call.headers.add("TTL", std::to_string(left_s));
    call.headers.add("Urgency", notice.urgent ? "high" : "normal");
    call.headers.add("Content-Encoding", "aes128gcm");
    call.headers.add("Content-Type", "application/octet-stream");
    call.headers.add("Authorization", *who);
    call.body.assign(body->begin(), body->end());
    return call;
  }

  Task<void> deliver(const DueNotice& notice) {
    auto call = make_call(notice);
    if (!call) {
      infra::log_warning("a push subscription cannot be used", {{"subscription", notice.subscription}});
      co_await conclude(notice, Answer::gone, Milliseconds(0));
      co_return;
    }
    const auto response = co_await d_.http.send(std::move(*call));
    Answer answer = Answer::later;
    Milliseconds asked{0};
    if (response) {
      answer = judge(response->status);
      asked = retry_after(response->headers, options_.max_pause);
      if (answer == Answer::never)
        infra::log_warning("a push service refused a notice",
                           {{"subscription", notice.subscription}, {"status", response->status}});
    }
    co_await conclude(notice, answer, asked);
  }

  Task<void> conclude(const DueNotice& notice, Answer answer, Milliseconds asked) {
    count(answer);
    const Milliseconds own =
        std::min(options_.max_pause, options_.first_pause * (std::int64_t{1} << std::min(notice.attempts, 20u)));
    const std::int64_t next = d_.clock.now_ms() + std::max(own, asked).count();
    auto work = [id = notice.id, subscription = notice.subscription, answer, next](soci::session& sql) {
      if (answer == Answer::gone) {
        remove_subscription(sql, "", subscription);
      } else if (answer == Answer::later) {
        postpone_notice(sql, id, next);
      } else {
        remove_notice(sql, id);
      }
    };
    for (;;) {
      const auto done = co_await d_.database.write(work);
      if (done) co_return;
      infra::log_error("what became of a push notice cannot be written down now", {{"why", done.error().text()}});
      co_await d_.clock.sleep_for(kPauseAfterFailure);
    }
  }

  void count(Answer answer) {
    if (!counters_) return;
    switch (answer) {
      case Answer::taken:
        return counters_->taken.add();
      case Answer::gone:
        return counters_->gone.add();
      case Answer::later:
        return counters_->later.add();
      case Answer::never:
        return counters_->never.add();
    }
  }

  PushDependencies d_;
  PushOptions options_;
  P256Key key_;
  infra::WriteSignal signal_;
  std::map<std::string, Token> tokens_;
  std::optional<Counters> counters_;
};

bool is_contact(std::string_view text) {
  if (text.starts_with("mailto:")) return parse_mail_address(text.substr(7)).has_value();
  return text.starts_with("https://") && text.size() <= 256 &&
         std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f && c != '"' && c != '\\'; });
}

}  // namespace

Result<std::unique_ptr<Push>> make_push(PushDependencies dependencies, PushOptions options) {
  if (!is_contact(options.contact))
    return fail(ErrorCode::option_malformed, "push.contact is mailto:operator@example.org or an https address");
  for (const std::string& service : options.services)
    if (!parse_push_endpoint("https://" + service + "/"))
      return fail(ErrorCode::option_malformed, "push.services: " + service + " is no host in lower case");
  auto key = load_key(options.key_file, dependencies.random);
  if (!key) return tl::unexpected(key.error());
  return std::make_unique<WebPush>(std::move(dependencies), std::move(options), std::move(*key));
}

Result<std::optional<PushOptions>> push_options(const infra::Config& config, const std::filesystem::path& data_dir) {
  PushOptions options;
  options.contact = config.text("push.contact");
  if (options.contact.empty()) return std::nullopt;
  if (!is_contact(options.contact))
    return fail(ErrorCode::option_malformed, "push.contact is mailto:operator@example.org or an https address");
  options.services = config.list("push.services");
  options.key_file = data_dir / "push-vapid.key";
  return options;
}

audit::Listener push_listener(infra::Database& database, Push& push) {
  return [&database, &push](const audit::Entry& entry) -> Task<bool> {
    // A browser that was off for longer shows what is on the page instead.
    constexpr std::int64_t kLife_ms = 24 * 60 * 60 * 1'000;
    const auto event = audit::parse_event_name(entry.event);
    if (entry.subject.empty() || !event || !ways_of(*event).push) co_return true;
    PushMessage message;
    message.payload["event"] = entry.event;
    message.payload["sequence"] = entry.sequence;
    message.payload["time"] = audit::format_time_ms(entry.time_ms);
    message.urgent = ways_of(*event).mail.has_value();
    message.now_ms = entry.time_ms;
    message.expires_ms = entry.time_ms + kLife_ms;
    auto work = [&push, user = entry.subject, message, told = entry.sequence](soci::session& sql) {
      const auto queued = push.queue(sql, user, message);
      audit::note_told(sql, kPushListener, told);
      return queued.has_value();
    };
    const auto queued = co_await database.write(work);
    if (!queued) {
      infra::log_warning("a push notice is not queued yet", {{"why", queued.error().text()}});
      co_return false;
    }
    // A fault of ours, and nothing that a second try would change.
    if (!*queued) infra::log_error("a push notice was refused", {{"event", entry.event}});
    co_return true;
  };
}

}  // namespace community::notifications
