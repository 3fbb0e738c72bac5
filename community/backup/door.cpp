// SPDX-License-Identifier: Apache-2.0
// What other nodes' hosts ask of this node about backups. The trusted core checks every signature and quote; the door
// checks shapes and limits, finds the record, and lets one request at a time through.
#include <deque>

#include "community/backup/factory.hpp"
#include "community/infra/api/files.hpp"
#include "community/infra/api/log.hpp"

namespace community::backup {
namespace {

using infra::HttpRequest;
using infra::HttpResponse;
using infra::Task;
using protocol::ShareDescribeReply;

HttpResponse answer(unsigned status, std::string body) {
  HttpResponse response = infra::http_json(status, std::move(body));
  response.headers.add("cache-control", "no-store");
  return response;
}

HttpResponse refusal(unsigned status, std::string_view rule, std::string_view words) {
  return answer(status, "{\"error\":\"" + std::string(rule) + "\",\"message\":\"" + std::string(words) + "\"}\n");
}

HttpResponse later(std::string_view rule, std::string_view words, std::int64_t seconds) {
  HttpResponse response = refusal(503, rule, words);
  response.headers.add("retry-after", std::to_string(seconds));
  return response;
}

// Words of a document's error name its members, which are text of the caller: left out.
HttpResponse refusal(const Error& error) {
  return refusal(400, error.rule.empty() ? name(error.code) : std::string_view(error.rule),
                 "not the document that is taken here");
}

HttpResponse refusal(const keys::Error& error) {
  switch (error.code) {
    case keys::ErrorCode::unavailable:
    case keys::ErrorCode::timeout:
    case keys::ErrorCode::queue_full:
      return later("core_unavailable", "the trusted core is away or busy; it is started again by itself", 2);
    case keys::ErrorCode::refused:
      return refusal(error.refusal == protocol::Error::checkpoint_not_newer ? 409 : 403, name(error.refusal),
                     "the trusted core refuses by this rule");
    default:
      return refusal(500, "backup_failed", "the request could not be carried out; the log says why");
  }
}

class Door final : public BackupDoor {
 public:
  Door(DoorDependencies dependencies, DoorLimits limits) : d_(std::move(dependencies)), limits_(limits) {}

  void add_to(infra::HttpRouter& router) override {
    add(router, "POST", "challenge", &Door::challenge);
    add(router, "POST", "shares", &Door::keep_share);
    add(router, "GET", "shares", &Door::list_shares);
    add(router, "PUT", "checkpoints", &Door::keep_checkpoint);
    add(router, "POST", "release", &Door::release);
    add(router, "POST", "fence", &Door::fence);
  }

 private:
  using Method = Task<HttpResponse> (Door::*)(HttpRequest request);

  // A place in the queue; the first has its turn. Left however the request ends, and the core rests before the next.
  class Place {
   public:
    explicit Place(Door& door) : door_(door) {
      door_.queue_.push_back(&turn_);
      if (door_.queue_.size() == 1) turn_.set();
    }
    ~Place() {
      if (begin_) {
        door_.last_ = door_.d_.clock.steady() - *begin_;
        door_.next_ = *begin_ + door_.last_ * (1 + door_.limits_.rest);
      }
      std::erase(door_.queue_, &turn_);
      if (!door_.queue_.empty()) door_.queue_.front()->set();
    }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    Task<void> turn() {
      co_await turn_.wait();
      co_await door_.d_.clock.sleep_until(door_.next_);
      begin_ = door_.d_.clock.steady();
    }

   private:
    Door& door_;
    infra::Event turn_;
    std::optional<infra::SteadyTime> begin_;
  };

  void add(infra::HttpRouter& router, const char* method, const char* path, Method method_of_door) {
    infra::HttpHandler handler = [this, method_of_door](HttpRequest request) {
      return serve(method_of_door, std::move(request));
    };
    router.add(method, std::string("/api/v1/backup/") + path, std::move(handler));
  }

  Task<HttpResponse> serve(Method method, HttpRequest request) {
    if (queue_.size() >= limits_.queue) co_return later("backup_busy", "others are being served", seconds_of_queue());
    Place place(*this);
    co_await place.turn();
    HttpResponse response = co_await (this->*method)(std::move(request));
    co_return response;
  }

  std::int64_t seconds_of_queue() const {
    const auto all = std::chrono::duration_cast<std::chrono::seconds>(last_ * (1 + limits_.rest) * queue_.size());
    return std::max<std::int64_t>(1, all.count() + 1);
  }

  Task<HttpResponse> challenge(HttpRequest) {
    const auto made = co_await d_.core.peer_challenge();
    if (!made) co_return refusal(made.error());
    co_return answer(200, format_challenge(*made));
  }

  // The operator's order for this source, as `backup allow` left it.
  std::optional<keys::SignedMessage> allowed(const RecordId& source) const {
    const auto file = d_.files.allowed(source);
    std::error_code ignored;
    if (!std::filesystem::exists(file, ignored)) return std::nullopt;
    const auto text = infra::read_file(file, kMaxDocument);
    if (!text) return std::nullopt;
    auto order = parse_order(kKeepOrderFormat, *text);
    if (!order) {
      infra::log_error("backup: a keep order cannot be read",
                       {{"file", file.string()}, {"reason", order.error().text()}});
      return std::nullopt;
    }
    return std::move(*order);
  }

  Task<HttpResponse> keep_share(HttpRequest request) {
    auto share = parse_share(request.body);
    if (!share) co_return refusal(share.error());
    protocol::BackupDescription description;
    if (!protocol::decode(share->description, description))
      co_return refusal(400, name(protocol::Error::backup_description_wrong), "the description is none");
    auto order = allowed(description.core_id);
    if (!order)
      co_return refusal(403, "source_not_allowed", "this node's operator did not allow this source: backup allow");
    const auto kept = co_await d_.shares.shares();
    if (!kept) co_return refusal(kept.error());
    const Bytes32 digest = base::sha256(share->description);
    std::size_t of_source = 0;
    for (const ShareDescribeReply& one : *kept) {
      // Sent again, because an answer was lost.
      if (one.core_id == description.core_id && one.description == digest) co_return answer(200, "{}\n");
      if (one.core_id == description.core_id) of_source++;
    }
    if (kept->size() >= limits_.shares || of_source >= limits_.shares_of_source)
      co_return refusal(409, "too_many_shares", "this node keeps as many shares as it may");
    const auto done = co_await d_.shares.keep_share(std::move(*order), std::move(share->description),
                                                    std::move(share->sent.evidence), std::move(share->sent.package));
    count("keep", done.has_value());
    if (!done) co_return refusal(done.error());
    infra::log_info("backup: a share is kept",
                    {{"source", core::to_plain_hex(description.core_id)}, {"generation", description.generation}});
    co_return answer(200, "{}\n");
  }

  Task<HttpResponse> list_shares(HttpRequest request) {
    const auto text = request.query_value("coreId");
    const auto core_id = core::parse_hex_array<16>(text.value_or(""), core::HexPrefix::optional);
    if (!core_id) co_return refusal(400, "core_id_malformed", "say ?coreId= with 16 bytes in hexadecimal");
    const auto kept = co_await d_.shares.shares();
    if (!kept) co_return refusal(kept.error());
    std::vector<HeldShare> held;
    for (const ShareDescribeReply& one : *kept) {
      if (one.core_id != *core_id || held.size() == kMaxListed) continue;
      held.push_back(
          {one.generation, one.index, one.description, one.has_checkpoint == 1, one.recovery_count, one.revision});
    }
    co_return answer(200, format_held(held));
  }

  // The share of this core and generation; the one that came last, when there are several.
  Task<keys::Result<std::optional<ShareDescribeReply>>> find(RecordId core_id, std::uint32_t generation) {
    const auto kept = co_await d_.shares.shares();
    if (!kept) co_return tl::unexpected(kept.error());
    std::optional<ShareDescribeReply> found;
    for (const ShareDescribeReply& one : *kept)
      if (one.core_id == core_id && one.generation == generation) found = one;
    co_return found;
  }

  static HttpResponse unknown_share() {
    return refusal(404, "share_unknown", "this node keeps no share of this core and generation");
  }

  Task<HttpResponse> keep_checkpoint(HttpRequest request) {
    auto document = parse_checkpoint(request.body);
    if (!document) co_return refusal(document.error());
    const protocol::CheckpointHeader header = *checkpoint_header(document->checkpoint);
    const auto share = co_await find(header.core_id, header.generation);
    if (!share) co_return refusal(share.error());
    if (!*share) co_return unknown_share();
    // The core compares as well; here it costs no change.
    protocol::CheckpointHeader held;
    held.recovery_count = (*share)->recovery_count;
    held.revision = (*share)->revision;
    if ((*share)->has_checkpoint == 1 && !header.is_newer_than(held))
      co_return refusal(409, name(protocol::Error::checkpoint_not_newer), "a newer one, or this one, is kept");
    const auto done =
        co_await d_.shares.keep_checkpoint((*share)->share_id, std::move(document->checkpoint), document->certificate);
    count("checkpoint", done.has_value());
    if (!done) co_return refusal(done.error());
    co_return answer(200, "{}\n");
  }

  Task<HttpResponse> release(HttpRequest request) {
    auto asked = parse_release(request.body);
    if (!asked) co_return refusal(asked.error());
    protocol::RestoreOrder order;
    if (!protocol::decode(asked->order.message, order))
      co_return refusal(400, name(protocol::Error::backup_order_malformed), "the order is no restore order");
    const auto share = co_await find(order.core_id, order.generation);
    if (!share) co_return refusal(share.error());
    if (!*share) co_return unknown_share();
    const auto sent = co_await d_.shares.release_share((*share)->share_id, std::move(asked->order), asked->challenge,
                                                       std::move(asked->evidence));
    count("release", sent.has_value());
    if (!sent) co_return refusal(sent.error());
    // Somebody's core was restored, or its operator's key is in other hands: this node's operator may want to know.
    infra::log_warning(
        "backup: a share was released to a device that its operator named",
        {{"source", core::to_plain_hex(order.core_id)}, {"device", core::to_plain_hex(order.device.core_id)}});
    co_return answer(200, format_contribution({(*share)->index, sent->evidence, sent->package}));
  }

  Task<HttpResponse> fence(HttpRequest request) {
    const auto certificate = parse_fence(request.body);
    if (!certificate) co_return refusal(certificate.error());
    const auto done = co_await d_.core.fence(*certificate);
    count("fence", done.has_value());
    if (!done) co_return refusal(done.error());
    co_return answer(200, "{}\n");
  }

  void count(const char* what, bool done) {
    if (d_.metrics == nullptr) return;
    d_.metrics
        ->counter("community_backup_requests_total", "Requests of other nodes that reached the trusted core.",
                  {{"what", what}, {"outcome", done ? "done" : "refused"}})
        .add();
  }

  DoorDependencies d_;
  const DoorLimits limits_;
  std::deque<infra::Event*> queue_;
  infra::SteadyTime next_{};
  // How long the last request took.
  std::chrono::steady_clock::duration last_{};
};

}  // namespace

std::unique_ptr<BackupDoor> make_backup_door(DoorDependencies dependencies, DoorLimits limits) {
  return std::make_unique<Door>(std::move(dependencies), limits);
}

}  // namespace community::backup
