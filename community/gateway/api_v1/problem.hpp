// SPDX-License-Identifier: Apache-2.0
// Errors of the HTTP API as problem documents (RFC 9457): the last part of `type` names the rule.
#pragma once
#include "community/users/api/error.hpp"

namespace community::gateway::api_v1 {

struct Problem {
  unsigned status = 500;
  // In words with hyphens: "code-wrong".
  std::string rule;
  // English, for developers.
  std::string title;
  // What to do next; never a secret, nor what somebody typed.
  std::string detail;
  // JSON pointer (RFC 6901) of the member that is wrong.
  std::string field;
  // The trusted core's name of its rule.
  std::string refusal;
  // What a contract said, cleaned.
  std::string revert;
  // 0x…; of domain-not-listed.
  std::string domain_separator;
  std::optional<int> attempts_left;
  std::optional<std::int64_t> retry_after_s;
};

template <class T>
using Result = tl::expected<T, Problem>;

// The name of a rule as problem documents have it: "code_wrong" as "code-wrong".
std::string with_hyphens(std::string_view rule);

// A row of what a module's rules are over HTTP.
template <class Code>
struct ProblemRule {
  Code code;
  unsigned status;
  const char* title;
};

// How many of a module's rules have no row. For static_assert: a rule that is new is not forgotten here.
template <class Code, std::size_t N>
constexpr std::size_t rules_without_row(const ProblemRule<Code> (&rules)[N]) {
  std::size_t missing = 0;
  for (std::uint8_t i = 0; name(static_cast<Code>(i)) != "unknown"; i++) {
    bool is_there = false;
    for (const ProblemRule<Code>& rule : rules) is_there = is_there || rule.code == static_cast<Code>(i);
    if (!is_there) missing++;
  }
  return missing;
}

// What the errors of the modules have in common; what is a module's own it adds. A rule without a row is an error of
// this node (500). What is away (503) may be asked again soon, and the words of database, chain and core are for the
// log.
template <class Error, class Code, std::size_t N>
Problem problem_of(const Error& error, const ProblemRule<Code> (&rules)[N]) {
  Problem problem;
  problem.rule = with_hyphens(name(error.code));
  for (const ProblemRule<Code>& rule : rules) {
    if (rule.code != error.code) continue;
    problem.status = rule.status;
    problem.title = rule.title;
  }
  problem.field = error.field;
  if constexpr (requires { error.retry_after_s; }) problem.retry_after_s = error.retry_after_s;
  if (problem.status == 503) {
    problem.retry_after_s = 2;
  } else {
    problem.detail = error.message;
  }
  return problem;
}

// The document; its media type is application/problem+json.
std::string to_json_text(const Problem& problem);

// The status and title of each rule of people.
Problem to_problem(const users::Error& error);

Problem malformed_request(std::string detail);
Problem field_invalid(std::string pointer, std::string detail);
Problem not_found();

}  // namespace community::gateway::api_v1
