// SPDX-License-Identifier: Apache-2.0
// /push: the person's browsers that take notices without an open page (W3C Push API, RFC 8030).
#include "community/gateway/api_v1/resources.hpp"

namespace community::gateway::api_v1 {
namespace {

using notifications::Push;

json::object to_json(const notifications::PushDevice& device) {
  json::object out;
  out["subscriptionId"] = device.id;
  out["service"] = device.service;
  out["createdAt"] = format_time(device.created_ms);
  return out;
}

tl::unexpected<Problem> refused(const notifications::Error& error) {
  using notifications::ErrorCode;
  users::Error busy;
  busy.code = users::ErrorCode::database_unavailable;
  switch (error.code) {
    case ErrorCode::endpoint_syntax:
    case ErrorCode::endpoint_not_allowed:
      return tl::unexpected(field_invalid("/endpoint", error.message));
    case ErrorCode::subscription_key:
      return tl::unexpected(field_invalid("/keys/p256dh", error.message));
    case ErrorCode::subscription_auth:
      return tl::unexpected(field_invalid("/keys/auth", error.message));
    case ErrorCode::subscriptions_full: {
      Problem problem;
      problem.status = 409;
      problem.rule = "subscriptions-full";
      problem.title = "The person has as many subscribed browsers as one may have.";
      problem.detail = "unsubscribe one of them";
      return tl::unexpected(std::move(problem));
    }
    default:
      return refuse(busy);
  }
}

Problem no_push() {
  Problem problem;
  problem.status = 409;
  problem.rule = "push-unavailable";
  problem.title = "This node has no web push.";
  problem.detail = "its operator sets push.contact";
  return problem;
}

Task<Result<HttpResponse>> get_push(Push* push, Call& call) {
  json::object out;
  out["publicKey"] = nullptr;
  out["subscriptions"] = json::array();
  if (push == nullptr) co_return answer_json(200, out);
  const auto devices = co_await push->devices(user_of(call));
  if (!devices) co_return refused(devices.error());
  json::array entries;
  for (const notifications::PushDevice& device : *devices) entries.push_back(to_json(device));
  out["publicKey"] = push->public_key();
  out["subscriptions"] = std::move(entries);
  co_return answer_json(200, out);
}

// The body is what a browser's PushSubscription.toJSON() gives, whatever members it has beyond.
Task<Result<HttpResponse>> subscribe(Push* push, audit::AuditLog& log, Call& call) {
  if (push == nullptr) co_return tl::unexpected(no_push());
  auto subscription = notifications::parse_push_subscription(call.body);
  if (!subscription) co_return refused(subscription.error());
  const auto device = co_await push->subscribe_browser(log, user_of(call), std::move(*subscription));
  if (!device) co_return refused(device.error());
  co_return answer_json(201, to_json(*device));
}

// All of them where the path names none.
Task<Result<HttpResponse>> unsubscribe(Push* push, audit::AuditLog& log, Call& call) {
  const std::string id = call.parameters.empty() ? std::string() : call.id();
  if (push == nullptr && id.empty()) co_return no_content();
  if (push == nullptr) co_return tl::unexpected(not_found());
  const auto gone = co_await push->unsubscribe_browser(log, user_of(call), id);
  if (!gone) co_return refused(gone.error());
  if (*gone == 0 && !id.empty()) co_return tl::unexpected(not_found());
  co_return no_content();
}

}  // namespace

void add_push(Api& api, infra::HttpRouter& router, Push* push, audit::AuditLog& log) {
  api.add(router, "GET", "/api/v1/push", Access::person, Cost::request,
          [push](Call& call) { return get_push(push, call); });
  api.add(router, "POST", "/api/v1/push/subscriptions", Access::person, Cost::request,
          [push, &log](Call& call) { return subscribe(push, log, call); });
  for (const char* pattern : {"/api/v1/push/subscriptions", "/api/v1/push/subscriptions/{subscriptionId}"})
    api.add(router, "DELETE", pattern, Access::person, Cost::request,
            [push, &log](Call& call) { return unsubscribe(push, log, call); });
}

}  // namespace community::gateway::api_v1
