// SPDX-License-Identifier: Apache-2.0
// `community-node treasury`: what the running node's treasury has and does, and payments that the operator orders.
#include "cmd/community-node/account.hpp"

namespace community::node {

using wallet::ErrorCode;
using wallet::fail;
using Done = wallet::Result<void>;

namespace {

constexpr unsigned kEtherDecimals = 18;

struct Arguments {
  std::string payee, amount;
};
using Shared = std::shared_ptr<Arguments>;

std::string payment_text(const treasury::Payment& payment) {
  std::string text = std::to_string(payment.id) + "  " + std::string(name(payment.state)) + "  " +
                     ether_text(payment.value) + " to the " + std::string(name(payment.kind)) + " " +
                     core::format_address(payment.payee);
  if (payment.automatic) text += ", a refill";
  if (payment.block_number != 0) text += ", block " + std::to_string(payment.block_number);
  if (!payment.reason.empty()) text += "; " + payment.reason;
  return text;
}

void say_budget(const keys::CoreStatus& core, std::uint64_t chain_id) {
  for (const protocol::BudgetStatus& budget : core.budgets)
    if (budget.chain_id == chain_id)
      say("budget     " + ether_text(budget.treasury_left) + " of " + ether_text(budget.treasury_limit) + " left");
}

Task<Done> status(AccountContext& context) {
  const auto node = co_await context.node();
  if (!node) co_return tl::unexpected(node.error());
  const auto report = co_await (*node)->treasury();
  if (!report) co_return fail(ErrorCode::node, report.error().text());
  const auto info = co_await (*node)->info();
  if (!info) co_return fail(ErrorCode::node, info.error().text());
  const auto core = co_await (*node)->status();
  if (!core) co_return fail(ErrorCode::node, core.error().text());
  say("treasury   " + core::format_address(report->address) + ": " + ether_text(report->balance));
  say_budget(*core, info->chain_id);
  for (const treasury::Holding& holding : report->holdings)
    say((holding.kind == treasury::PaymentKind::executor ? "executor   " : "deposit    ") +
        core::format_address(holding.payee) + ": " + ether_text(holding.balance));
  for (const treasury::Payment& payment : report->payments) say("payment    " + payment_text(payment));
  co_return Done{};
}

Task<Done> pay(AccountContext& context, Shared in, treasury::PaymentKind kind) {
  const auto payee = read_address(in->payee, "ADDRESS");
  if (!payee) co_return tl::unexpected(payee.error());
  const auto value = parse_amount(in->amount, kEtherDecimals);
  if (!value) co_return tl::unexpected(value.error());
  const auto node = co_await context.node();
  if (!node) co_return tl::unexpected(node.error());
  const auto id = co_await (*node)->pay(kind, *payee, *value);
  if (!id) co_return fail(ErrorCode::node, id.error().text());
  const auto made = co_await (*node)->payment(*id);
  if (!made) co_return fail(ErrorCode::node, made.error().text());
  say("payment    " + payment_text(*made));
  say("The node sends it and raises its fees when needed: community-node treasury status");
  co_return Done{};
}

}  // namespace

void add_treasury_commands(CLI::App& app, AccountOptions& options, AccountJob& job) {
  CLI::App* command = app.add_subcommand("treasury", "what fills up the node's executors and deposits");
  command->require_subcommand(1);
  command->fallthrough();
  command->add_option("--data-dir", options.data_dir, "folder of the running node")->capture_default_str();
  command->add_option("--chain", options.node_chain, "id of the chain whose treasury is meant; else the first chain's");
  CLI::App* made = command->add_subcommand("status", "balances, budget and the latest payments");
  made->callback([&job] { job = [](AccountContext& context) { return status(context); }; });
  const auto add = [command, &job](const char* name, const char* words, const char* whom, treasury::PaymentKind kind) {
    auto in = std::make_shared<Arguments>();
    CLI::App* one = command->add_subcommand(name, words);
    one->add_option("ADDRESS", in->payee, whom)->required();
    one->add_option("ETHER", in->amount)->required();
    one->callback([&job, in, kind] { job = [in, kind](AccountContext& c) { return pay(c, in, kind); }; });
  };
  add("pay-executor", "send ether to an executor of this node", "the executor", treasury::PaymentKind::executor);
  add("deposit", "raise the deposit of a paymaster of this node", "the paymaster", treasury::PaymentKind::deposit);
}

}  // namespace community::node
