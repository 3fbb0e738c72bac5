// SPDX-License-Identifier: Apache-2.0
// /activity: what the audit log says about the person.
#include <charconv>

#include "community/gateway/api_v1/resources.hpp"

namespace community::gateway::api_v1 {
namespace {

constexpr std::uint64_t kStandardPage = 50, kLargestPage = 100;

// A decimal number within the bounds, `standard` where there is none, nothing for anything else.
std::optional<std::uint64_t> number(const HttpRequest& request, std::string_view name, std::uint64_t standard,
                                    std::uint64_t most) {
  const auto text = request.query_value(name);
  if (!text) return standard;
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error != std::errc() || end != text->data() + text->size() || value == 0 || value > most) return std::nullopt;
  return value;
}

Task<Result<HttpResponse>> list(audit::AuditLog& log, Call& call) {
  const auto before = number(call.request, "before", INT64_MAX, INT64_MAX);
  const auto limit = number(call.request, "limit", kStandardPage, kLargestPage);
  if (!before || !limit)
    co_return tl::unexpected(malformed_request("before is a sequence number, limit a number from 1 to 100"));
  audit::Query query;
  query.subject = user_of(call);
  query.before = *before;
  query.newest_first = true;
  query.limit = static_cast<std::size_t>(*limit);
  const auto found = co_await log.read(std::move(query));
  if (!found) {
    users::Error error;
    error.code = users::ErrorCode::database_unavailable;
    co_return refuse(error);
  }
  json::array entries;
  for (const audit::Entry& entry : *found) {
    json::object shown;
    shown["sequence"] = entry.sequence;
    shown["time"] = format_time(entry.time_ms);
    shown["event"] = entry.event;
    auto details = core::parse_json(entry.payload ? std::string_view(entry.payload->text) : "{}");
    shown["details"] = details && details->is_object() ? std::move(*details) : json::value(json::object());
    entries.push_back(std::move(shown));
  }
  json::object out;
  out["next"] = nullptr;
  if (found->size() == *limit) out["next"] = found->back().sequence;
  out["entries"] = std::move(entries);
  co_return answer_json(200, out);
}

}  // namespace

void add_activity(Api& api, infra::HttpRouter& router, audit::AuditLog& log) {
  api.add(router, "GET", "/api/v1/activity", Access::person, Cost::request,
          [&log](Call& call) { return list(log, call); });
}

}  // namespace community::gateway::api_v1
