// SPDX-License-Identifier: Apache-2.0
#include "community/backup/api/peer_client.hpp"

#include "community/core/json.hpp"

namespace community::backup {

using infra::Milliseconds;
using infra::Task;

namespace {

// A holder in an emulator makes two quotes on the way, behind others who wait for theirs.
constexpr Milliseconds kPatience{60'000};
// A busy node names a time to come back, which is bounded here.
constexpr int kAttempts = 8;
constexpr Milliseconds kShortestWait{250}, kLongestWait{10'000};
constexpr std::size_t kMaxWords = 256;

// {"error": rule, "message": words}, as every door of the HTTP API answers.
Error refusal(const std::string& url, const infra::HttpResponse& response) {
  Error error{ErrorCode::refused, {}, url + " answers " + std::to_string(response.status)};
  const auto value = core::parse_json(response.content());
  if (!value || !value->is_object()) return error;
  const auto text = [&value](std::string_view member) {
    const core::json::value* found = value->get_object().if_contains(member);
    return found != nullptr && found->is_string() ? std::string(found->get_string()).substr(0, kMaxWords)
                                                  : std::string();
  };
  error.rule = text("error");
  if (const std::string words = text("message"); !words.empty()) error.message += ": " + words;
  return error;
}

Milliseconds wait_of(const infra::HttpResponse& response) {
  const std::string seconds(response.headers.get("retry-after"));
  const Milliseconds wait(1'000 * std::strtol(seconds.c_str(), nullptr, 10));
  return std::clamp(wait, kShortestWait, kLongestWait);
}

}  // namespace

PeerClient::PeerClient(infra::HttpClient& http, infra::Clock& clock, std::string url)
    : http_(http), clock_(clock), url_(std::move(url)) {
  while (url_.ends_with('/')) url_.pop_back();
}

Task<Result<std::string>> PeerClient::ask(std::string method, std::string target, std::string body) {
  for (int attempt = 1;; attempt++) {
    infra::HttpCall call;
    call.url = url_ + target;
    call.method = method;
    call.body = body;
    if (!body.empty()) call.headers.add("content-type", "application/json");
    call.timeout = kPatience;
    call.max_response_bytes = kMaxDocument + 1;
    const auto answer = co_await http_.send(std::move(call));
    if (!answer) co_return fail(ErrorCode::unreachable, url_ + ": " + answer.error().text());
    if (answer->status == 200) co_return std::string(answer->content());
    if (answer->status != 503 || attempt == kAttempts) co_return tl::unexpected(refusal(url_, *answer));
    co_await clock_.sleep_for(wait_of(*answer));
  }
}

Task<Result<Bytes32>> PeerClient::challenge() {
  const auto answer = co_await ask("POST", "/api/v1/backup/challenge", "{}");
  if (!answer) co_return tl::unexpected(answer.error());
  co_return parse_challenge(*answer);
}

Task<Result<std::string>> PeerClient::quote(Bytes32 challenge) {
  co_return co_await ask("GET", "/api/v1/attestation?challenge=" + core::to_plain_hex(challenge), "");
}

Task<Result<void>> PeerClient::keep_share(Share share) {
  const auto answer = co_await ask("POST", "/api/v1/backup/shares", format_share(share));
  if (!answer) co_return tl::unexpected(answer.error());
  co_return Result<void>{};
}

Task<Result<std::vector<HeldShare>>> PeerClient::shares(RecordId core_id) {
  const auto answer = co_await ask("GET", "/api/v1/backup/shares?coreId=" + core::to_plain_hex(core_id), "");
  if (!answer) co_return tl::unexpected(answer.error());
  co_return parse_held(*answer);
}

Task<Result<void>> PeerClient::keep_checkpoint(CheckpointDocument checkpoint) {
  const auto answer = co_await ask("PUT", "/api/v1/backup/checkpoints", format_checkpoint(checkpoint));
  if (!answer) co_return tl::unexpected(answer.error());
  co_return Result<void>{};
}

Task<Result<ShareContribution>> PeerClient::release(Release release) {
  const auto answer = co_await ask("POST", "/api/v1/backup/release", format_release(release));
  if (!answer) co_return tl::unexpected(answer.error());
  co_return parse_contribution(*answer);
}

Task<Result<void>> PeerClient::fence(FenceCertificate certificate) {
  const auto answer = co_await ask("POST", "/api/v1/backup/fence", format_fence(certificate));
  if (!answer) co_return tl::unexpected(answer.error());
  co_return Result<void>{};
}

}  // namespace community::backup
