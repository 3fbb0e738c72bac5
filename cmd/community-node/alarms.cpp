// SPDX-License-Identifier: Apache-2.0
// `community-node alarms`: what happened to the running node's accounts and needs somebody.
#include "cmd/community-node/account.hpp"

namespace community::node {

using wallet::ErrorCode;
using wallet::fail;
using Done = wallet::Result<void>;

namespace {

constexpr std::size_t kAtOnce = 1'000;

struct Arguments {
  std::string account;
  std::vector<std::int64_t> ids;
  bool all = false;
};
using Shared = std::shared_ptr<Arguments>;

std::string text_of(const boost::json::object& object, std::string_view member) {
  const boost::json::value* value = object.if_contains(member);
  if (value == nullptr || value->is_null()) return "-";
  return value->is_string() ? std::string(value->get_string()) : boost::json::serialize(*value);
}

std::string time_text(const boost::json::object& object, std::string_view member) {
  const boost::json::value* value = object.if_contains(member);
  if (value == nullptr || !value->is_int64()) return "-";
  return wallet::format_time(static_cast<std::uint64_t>(value->get_int64()) / 1'000);
}

void say_alarm(const boost::json::object& alarm) {
  say(text_of(alarm, "id") + "  " + text_of(alarm, "class") + "  " + text_of(alarm, "account") + "  seen " +
      time_text(alarm, "seenMs"));
  say("   block " + text_of(alarm, "block") + ", transaction " + text_of(alarm, "transaction") + ", sent by " +
      text_of(alarm, "submitter"));
  if (text_of(alarm, "removed") == "true") say("   a reorganisation took it out of the chain");
  if (text_of(alarm, "acknowledgedMs") != "-") say("   acknowledged " + time_text(alarm, "acknowledgedMs"));
  const boost::json::value* freeze = alarm.if_contains("freeze");
  if (freeze == nullptr || !freeze->is_object()) return;
  const std::string reason = text_of(freeze->get_object(), "reason");
  say("   server freeze: " + text_of(freeze->get_object(), "state") + (reason.empty() ? "" : "; " + reason));
}

Task<Done> list(AccountContext& context, Shared in) {
  std::optional<Address> account;
  if (!in->account.empty()) {
    const auto read = read_address(in->account, "--account");
    if (!read) co_return tl::unexpected(read.error());
    account = *read;
  }
  const auto node = co_await context.node();
  if (!node) co_return tl::unexpected(node.error());
  std::size_t shown = 0;
  for (std::int64_t since = 0;;) {
    const auto alarms = co_await (*node)->alarms(account, since, kAtOnce);
    if (!alarms) co_return fail(ErrorCode::node, alarms.error().text());
    for (const boost::json::value& one : *alarms) {
      if (!one.is_object()) co_return fail(ErrorCode::node, "the node answers in another form");
      const boost::json::object& alarm = one.get_object();
      since = alarm.at("id").to_number<std::int64_t>();
      if (!in->all && text_of(alarm, "acknowledgedMs") != "-") continue;
      say_alarm(alarm);
      shown++;
    }
    if (alarms->size() < kAtOnce) break;
  }
  if (shown == 0) say(in->all ? "no alarms" : "no alarms that wait; --all shows the acknowledged ones");
  co_return Done{};
}

Task<Done> acknowledge(AccountContext& context, Shared in) {
  const auto node = co_await context.node();
  if (!node) co_return tl::unexpected(node.error());
  for (const std::int64_t id : in->ids) {
    const auto done = co_await (*node)->acknowledge(id);
    if (!done) co_return fail(ErrorCode::node, done.error().text());
    say("acknowledged " + std::to_string(id));
  }
  co_return Done{};
}

}  // namespace

void add_alarm_commands(CLI::App& app, AccountOptions& options, AccountJob& job) {
  CLI::App* alarms = app.add_subcommand("alarms", "what happened to the node's accounts and needs somebody");
  alarms->require_subcommand(1);
  alarms->fallthrough();
  alarms->add_option("--data-dir", options.data_dir, "folder of the running node")->capture_default_str();
  {
    auto in = std::make_shared<Arguments>();
    CLI::App* made = alarms->add_subcommand("list", "alarms that wait for somebody, oldest first");
    made->add_option("--account", in->account, "of this account only");
    made->add_flag("--all", in->all, "acknowledged ones too");
    made->callback([&job, in] { job = [in](AccountContext& context) { return list(context, in); }; });
  }
  auto in = std::make_shared<Arguments>();
  CLI::App* made = alarms->add_subcommand("acknowledge", "somebody has seen them; freezes that can be are called off");
  made->add_option("ID", in->ids)->required()->expected(-1);
  made->callback([&job, in] { job = [in](AccountContext& context) { return acknowledge(context, in); }; });
}

}  // namespace community::node
