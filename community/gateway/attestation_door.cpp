// SPDX-License-Identifier: Apache-2.0
// GET /api/v1/attestation: anybody may ask, and each answer holds the trusted core, so they come one at a time and
// leave the core to its signatures for most of the time.
#include <deque>

#include "community/attestation/api/quote.hpp"
#include "community/gateway/factory.hpp"

namespace community::gateway {
namespace {

using core::Bytes32;
using infra::HttpRequest;
using infra::HttpResponse;
using infra::Task;
using keys::Result;

// Two quotes in an emulator: what a question counts that nobody waited for, before any was answered.
constexpr infra::SteadyTime::duration kUnanswered = infra::Milliseconds(500);

HttpResponse refusal(unsigned status, std::string_view rule, std::string_view words) {
  HttpResponse response = infra::http_json(
      status, "{\"error\":\"" + std::string(rule) + "\",\"message\":\"" + std::string(words) + "\"}\n");
  response.headers.add("cache-control", "no-store");
  return response;
}

HttpResponse later(std::string_view rule, std::string_view words, std::int64_t seconds) {
  HttpResponse response = refusal(503, rule, words);
  response.headers.add("retry-after", std::to_string(seconds));
  return response;
}

attestation::MeasurementQuote to_document(const protocol::Quote& quote) {
  const core::ByteView signature(quote.signature.data(), quote.signature_size);
  return {quote.measurement, core::to_bytes(signature)};
}

attestation::QuoteDocument to_document(const keys::Attestation& answer) {
  attestation::QuoteDocument document;
  document.statement = answer.statement;
  if (!answer.quotes) return document;
  const auto& [application, system] = *answer.quotes;
  document.quotes = attestation::Quotes{
      {core::to_bytes(application.modulus), application.exponent}, to_document(application), to_document(system)};
  return document;
}

class Door final : public AttestationDoor {
 public:
  Door(keys::AttestingCore& core, infra::Clock& clock, AttestationLimits limits)
      : core_(core), clock_(clock), limits_(limits) {}

  infra::HttpHandler handler() override {
    return [this](HttpRequest request) { return answer(std::move(request)); };
  }

 private:
  // A place in the queue; the first has its turn. Left however the request ends.
  class Place {
   public:
    explicit Place(std::deque<infra::Event*>& queue) : queue_(queue) {
      queue_.push_back(&turn_);
      if (queue_.size() == 1) turn_.set();
    }
    ~Place() {
      std::erase(queue_, &turn_);
      if (!queue_.empty()) queue_.front()->set();
    }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    Task<void> turn() { return turn_.wait(); }

   private:
    std::deque<infra::Event*>& queue_;
    infra::Event turn_;
  };

  // Measures one question to the core and sets when the next may begin, also when whoever asked went away meanwhile:
  // the core then still makes the quotes, for about as long as the last time.
  struct Pace {
    Door& door;
    const infra::SteadyTime begin = door.clock_.steady();
    bool answered = false;
    ~Pace() {
      const auto took = door.clock_.steady() - begin;
      door.last_ = answered ? took : std::max({took, door.last_, kUnanswered});
      door.next_ = begin + door.last_ * (1 + door.limits_.rest);
    }
  };

  Task<Result<keys::Attestation>> ask(const Bytes32& challenge) {
    co_await clock_.sleep_until(next_);
    Pace pace{*this};
    auto attested = co_await core_.attest(challenge);
    pace.answered = true;
    co_return attested;
  }

  Task<HttpResponse> answer(HttpRequest request) {
    const auto text = request.query_value("challenge");
    if (!text)
      co_return refusal(400, "challenge_missing", "say ?challenge= with 32 random bytes of your own in hexadecimal");
    const auto challenge = core::parse_bytes32(*text, core::HexPrefix::optional);
    if (!challenge) co_return refusal(400, "challenge_malformed", "a challenge is 32 bytes in hexadecimal");
    if (queue_.size() >= limits_.queue)
      co_return later("attestation_busy", "others are waiting for their quotes", seconds_of_queue());
    Place place(queue_);
    co_await place.turn();
    const auto attested = co_await ask(*challenge);
    if (!attested) co_return failure(attested.error());
    HttpResponse response = infra::http_json(200, attestation::format_quote(to_document(*attested)));
    // An answer to one challenge is an answer to nobody else.
    response.headers.add("cache-control", "no-store");
    co_return response;
  }

  static HttpResponse failure(const keys::Error& error) {
    switch (error.code) {
      case keys::ErrorCode::unavailable:
      case keys::ErrorCode::timeout:
      case keys::ErrorCode::queue_full:
        return later("core_unavailable", "the trusted core is away or busy; it is started again by itself", 2);
      case keys::ErrorCode::refused:
        return later("quote_failed", "the body of the trusted core could not make a quote", 2);
      default:
        return refusal(500, "attestation_failed", "the trusted core answered what no correct one does");
    }
  }

  // Until those who wait now are done, at the pace of the last one; at least one second.
  std::int64_t seconds_of_queue() const {
    const auto each = last_ * (1 + limits_.rest);
    const auto all = std::chrono::duration_cast<std::chrono::seconds>(each * queue_.size());
    return std::max<std::int64_t>(1, all.count() + 1);
  }

  keys::AttestingCore& core_;
  infra::Clock& clock_;
  const AttestationLimits limits_;
  std::deque<infra::Event*> queue_;
  infra::SteadyTime next_{};
  // How long the core took for the last answer.
  std::chrono::steady_clock::duration last_{};
};

}  // namespace

std::unique_ptr<AttestationDoor> make_attestation_door(keys::AttestingCore& core, infra::Clock& clock,
                                                       AttestationLimits limits) {
  return std::make_unique<Door>(core, clock, limits);
}

}  // namespace community::gateway
