// SPDX-License-Identifier: Apache-2.0
#include "community/gateway/api_v1/problem.hpp"

#include "community/core/json.hpp"

namespace community::gateway::api_v1 {
namespace {

namespace json = core::json;
using users::ErrorCode;

std::pair<unsigned, const char*> status_and_title(ErrorCode code) {
  switch (code) {
    case ErrorCode::field_invalid:
      return {400, "A member of the request is not what it has to be."};
    case ErrorCode::code_wrong:
      return {400, "The code is wrong."};
    case ErrorCode::registration_expired:
      return {410, "The registration is unknown, used up or too old; begin again."};
    case ErrorCode::already_registered:
      return {409, "The address has an account; log in instead."};
    case ErrorCode::passkey_refused:
      return {400, "The passkey was refused."};
    case ErrorCode::not_logged_in:
      return {401, "Nobody is logged in."};
    case ErrorCode::not_found:
      return {404, "There is no such thing."};
    case ErrorCode::too_many_wallets:
      return {409, "The person has as many wallets as one may have."};
    case ErrorCode::too_many_passkeys:
      return {409, "The person has as many passkeys as an account takes."};
    case ErrorCode::passkey_in_use:
      return {409, "The passkey is in use."};
    case ErrorCode::too_many_requests:
      return {429, "Too many requests; wait."};
    case ErrorCode::core_refused:
      return {403, "The trusted core refused."};
    case ErrorCode::core_unavailable:
      return {503, "The trusted core is away or busy; try again."};
    case ErrorCode::database_unavailable:
      return {503, "The database is away or busy; try again."};
  }
  return {500, "An error of this node."};
}

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
  const auto [status, title] = status_and_title(error.code);
  Problem problem;
  problem.status = status;
  problem.rule = with_hyphens(name(error.code));
  problem.title = title;
  // Words of the database and of the core are for the log.
  const bool is_own = error.code != ErrorCode::database_unavailable && error.code != ErrorCode::core_unavailable;
  if (is_own) problem.detail = error.message;
  problem.field = error.field;
  problem.refusal = with_hyphens(error.refusal);
  problem.attempts_left = error.attempts_left;
  problem.retry_after_s = error.retry_after_s;
  if (problem.status == 503) problem.retry_after_s = 2;
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
