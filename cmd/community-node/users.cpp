// SPDX-License-Identifier: Apache-2.0
// `community-node users`: the people of the running node, by numbers and ids. No address is shown or logged, and one
// that is looked for is read from standard input, where no other process sees it.
#include <iostream>

#include "cmd/community-node/account.hpp"

namespace community::node {

using wallet::ErrorCode;
using wallet::fail;
using Done = wallet::Result<void>;

namespace {

constexpr std::size_t kAtOnce = 1'000;
constexpr const char* kFooter =
    "USER is an id as `users list` prints it. Without one, `users show` reads an e-mail address from standard input.\n"
    "Who is locked is logged in nowhere and logs in nowhere until unlocked. Their account on chain is out of your "
    "reach:\n"
    "their recovery file takes it elsewhere without this node.";

struct Arguments {
  std::string user;
  std::size_t limit = 100;
  std::string after;
};
using Shared = std::shared_ptr<Arguments>;

std::string time_text(std::int64_t time_ms) {
  return time_ms == 0 ? "-" : wallet::format_time(static_cast<std::uint64_t>(time_ms) / 1'000);
}

void say_person(const users::PersonSummary& person) {
  say(person.user_id + "  " + (person.is_active ? "active" : "locked") + "  since " + time_text(person.created_ms) +
      "  passkeys " + std::to_string(person.passkeys) + "  wallets " + std::to_string(person.wallets) + "  sessions " +
      std::to_string(person.sessions) + "  last seen " + time_text(person.last_used_ms));
}

Task<Done> list(AccountContext& context, Shared in) {
  const auto node = co_await context.node();
  if (!node) co_return tl::unexpected(node.error());
  std::size_t left = in->limit;
  std::string after = in->after;
  while (left > 0) {
    const std::size_t wanted = std::min(left, kAtOnce);
    const auto page = co_await (*node)->users(after, wanted);
    if (!page) co_return fail(ErrorCode::node, page.error().text());
    for (const users::PersonSummary& person : *page) say_person(person);
    if (page->size() < wanted) co_return Done{};
    after = page->back().user_id;
    left -= page->size();
  }
  say("there may be more: --after " + after);
  co_return Done{};
}

Task<Done> show(AccountContext& context, Shared in) {
  const auto node = co_await context.node();
  if (!node) co_return tl::unexpected(node.error());
  std::string email;
  if (in->user.empty()) {
    std::getline(std::cin, email);
    if (email.empty()) co_return fail(ErrorCode::argument, "name a user's id, or give an address on standard input");
  }
  auto asked = email.empty() ? (*node)->user(in->user) : (*node)->user_of_email(std::move(email));
  const auto person = co_await std::move(asked);
  if (!person) co_return fail(ErrorCode::node, person.error().text());
  say_person(*person);
  co_return Done{};
}

Task<Done> set_active(AccountContext& context, Shared in, bool is_active) {
  const auto node = co_await context.node();
  if (!node) co_return tl::unexpected(node.error());
  const auto done = co_await (*node)->set_user_active(in->user, is_active);
  if (!done) co_return fail(ErrorCode::node, done.error().text());
  say(in->user + (is_active ? " is unlocked" : " is locked, and all sessions have ended"));
  co_return Done{};
}

Task<Done> end_sessions(AccountContext& context, Shared in) {
  const auto node = co_await context.node();
  if (!node) co_return tl::unexpected(node.error());
  const auto ended = co_await (*node)->end_user_sessions(in->user);
  if (!ended) co_return fail(ErrorCode::node, ended.error().text());
  say(std::to_string(*ended) + " sessions have ended");
  co_return Done{};
}

}  // namespace

void add_user_commands(CLI::App& app, AccountOptions& options, AccountJob& job) {
  CLI::App* users = app.add_subcommand("users", "the people of the running node: list, show, lock, unlock, sessions");
  users->require_subcommand(1);
  users->fallthrough();
  users->footer(kFooter);
  users->add_option("--data-dir", options.data_dir, "folder of the running node")->capture_default_str();
  auto in = std::make_shared<Arguments>();
  CLI::App* made = users->add_subcommand("list", "people by their ids");
  made->add_option("--limit", in->limit, "at most so many")->capture_default_str()->check(CLI::PositiveNumber);
  made->add_option("--after", in->after, "behind this id");
  made->callback([&job, in] { job = [in](AccountContext& context) { return list(context, in); }; });
  made = users->add_subcommand("show", "one of them");
  made->add_option("USER", in->user);
  made->callback([&job, in] { job = [in](AccountContext& context) { return show(context, in); }; });
  made = users->add_subcommand("lock", "log a person out everywhere, and in no more");
  made->add_option("USER", in->user)->required();
  made->callback([&job, in] { job = [in](AccountContext& context) { return set_active(context, in, false); }; });
  made = users->add_subcommand("unlock", "let a locked person log in again");
  made->add_option("USER", in->user)->required();
  made->callback([&job, in] { job = [in](AccountContext& context) { return set_active(context, in, true); }; });
  CLI::App* sessions = users->add_subcommand("sessions", "where a person is logged in");
  sessions->require_subcommand(1);
  made = sessions->add_subcommand("end", "all of them");
  made->add_option("USER", in->user)->required();
  made->callback([&job, in] { job = [in](AccountContext& context) { return end_sessions(context, in); }; });
}

}  // namespace community::node
