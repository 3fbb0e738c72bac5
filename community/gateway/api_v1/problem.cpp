// SPDX-License-Identifier: Apache-2.0
#include "community/gateway/api_v1/problem.hpp"

#include "community/core/json.hpp"

namespace community::gateway::api_v1 {
namespace {

namespace json = core::json;
using users::ErrorCode;

constexpr ProblemRule<ErrorCode> kRules[] = {
    {ErrorCode::field_invalid, 400, "A member of the request is not what it has to be."},
    {ErrorCode::code_wrong, 400, "The code is wrong."},
    {ErrorCode::registration_expired, 410, "The registration is unknown, used up or too old; begin again."},
    {ErrorCode::already_registered, 409, "The address has an account; log in instead."},
    {ErrorCode::passkey_refused, 400, "The passkey was refused."},
    {ErrorCode::not_logged_in, 401, "Nobody is logged in."},
    {ErrorCode::not_found, 404, "There is no such thing."},
    {ErrorCode::too_many_wallets, 409, "The person has as many wallets as one may have."},
    {ErrorCode::too_many_passkeys, 409, "The person has as many passkeys as an account takes."},
    {ErrorCode::passkey_in_use, 409, "The passkey is in use."},
    {ErrorCode::too_many_requests, 429, "Too many requests; wait."},
    {ErrorCode::core_refused, 403, "The trusted core refused."},
    {ErrorCode::core_unavailable, 503, "The trusted core is away or busy; try again."},
    {ErrorCode::database_unavailable, 503, "The database is away or busy; try again."},
};
static_assert(rules_without_row(kRules) == 0);

}  // namespace

std::string with_hyphens(std::string_view rule) {
  std::string text(rule);
  std::replace(text.begin(), text.end(), '_', '-');
  return text;
}

std::string to_json_text(const Problem& problem) {
  json::object body;
  body["type"] = "urn:community-node:problem:" + problem.rule;
  body["title"] = problem.title;
  body["status"] = problem.status;
  if (!problem.detail.empty()) body["detail"] = problem.detail;
  if (!problem.field.empty()) body["field"] = problem.field;
  if (!problem.refusal.empty()) body["refusal"] = problem.refusal;
  if (!problem.revert.empty()) body["revert"] = problem.revert;
  if (!problem.domain_separator.empty()) body["domainSeparator"] = problem.domain_separator;
  if (problem.attempts_left) body["attemptsLeft"] = *problem.attempts_left;
  if (problem.retry_after_s) body["retryAfterSeconds"] = *problem.retry_after_s;
  return json::serialize(body);
}

Problem to_problem(const users::Error& error) {
  Problem problem = problem_of(error, kRules);
  problem.refusal = with_hyphens(error.refusal);
  problem.attempts_left = error.attempts_left;
  return problem;
}

Problem malformed_request(std::string detail) {
  Problem problem;
  problem.status = 400;
  problem.rule = "malformed-request";
  problem.title = "The request is not what this path takes.";
  problem.detail = std::move(detail);
  return problem;
}

Problem field_invalid(std::string pointer, std::string detail) {
  users::Error error;
  error.code = ErrorCode::field_invalid;
  error.message = std::move(detail);
  error.field = std::move(pointer);
  return to_problem(error);
}

Problem not_found() {
  users::Error error;
  error.code = ErrorCode::not_found;
  return to_problem(error);
}

}  // namespace community::gateway::api_v1
