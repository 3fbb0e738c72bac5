// SPDX-License-Identifier: Apache-2.0
// `community-node keys`: the operator and the trusted core. Status and root keys through the control door of a running
// node; without one, and always for a recovery, the core alone without the rest of the node.
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstdio>

#include "cmd/community-node/backup_common.hpp"
#include "cmd/community-node/development.hpp"
#include "cmd/community-node/generic_keys.hpp"
#include "cmd/community-node/provision.hpp"
#include "cmd/community-node/reset.hpp"
#include "cmd/community-node/root_keys.hpp"
#include "community/bodies/factory.hpp"
#include "community/control/api/control.hpp"
#include "community/infra/api/files.hpp"
#include "community/infra/api/log.hpp"
#include "community/infra/factory.hpp"
#include "community/keys/factory.hpp"

namespace community::node {

using infra::Task;

namespace {

// As a shell tells of a program that SIGINT ended.
constexpr int kInterrupted = 130;
constexpr infra::Milliseconds kCallTimeout{10'000};

void print(const keys::CoreStatus& status) {
  std::printf("protection      %s\n", keys::describe_protection(status.body, status.protection).c_str());
  std::printf("core            %s\n", core::to_plain_hex(status.core_id).c_str());
  std::printf("epoch           %llu, recovered %u times\n", static_cast<unsigned long long>(status.epoch),
              status.recovery_count);
  std::printf("root            %s\n", core::to_hex(status.root).c_str());
  std::printf("configuration   number %llu, %s\n", static_cast<unsigned long long>(status.configuration_sequence),
              core::to_hex(status.configuration_digest).c_str());
  for (const protocol::BudgetStatus& budget : status.budgets) {
    const auto line = [&budget](const char* kind, const core::Uint256& left, const core::Uint256& limit) {
      std::printf("budget          chain %llu, %s: %s of %s wei left\n",
                  static_cast<unsigned long long>(budget.chain_id), kind, core::format_decimal(left).c_str(),
                  core::format_decimal(limit).c_str());
    };
    line("executor", budget.executor_left, budget.executor_limit);
    line("sponsor", budget.sponsor_left, budget.sponsor_limit);
    if (!budget.treasury_limit.is_zero()) line("treasury", budget.treasury_left, budget.treasury_limit);
  }
}

Task<int> status(const KeysOptions& options, keys::RootKeys& keys) {
  const auto core = co_await keys.status();
  if (!core) co_return failed(core.error().text());
  print(*core);
  const auto progress = co_await keys.reseal_progress();
  if (!progress) co_return failed(progress.error().text());
  print_root_keys(*core, *progress);
  print_backup(*core, options.data_dir, options.backup_interval);
  co_return 0;
}

// Accepts the database as it is: what the core knew beyond it (a removed passkey, say) is forgotten by this.
Task<int> recover(keys::ConnectedKeyService& service, const keys::Operator& op) {
  const auto core = co_await service.status();
  if (!core) co_return failed(core.error().text());
  protocol::Recovery recovery;
  recovery.core_id = core->core_id;
  recovery.recovery_count = core->recovery_count + 1;
  recovery.root = service.database_root();
  const keys::SignedMessage message = op.sign(recovery);
  const auto epoch = co_await service.recover(message.message, message.signature);
  if (!epoch) co_return failed(epoch.error().text());
  std::printf("The trusted core accepts this node's database; epoch %llu, recovered %u times.\n",
              static_cast<unsigned long long>(*epoch), recovery.recovery_count);
  co_return 0;
}

// What runs beside the serving of records; the same for a running node and for the core alone.
Task<int> act(const KeysOptions& options, keys::RootKeys& keys, keys::GenericKeys& generic,
              const std::optional<keys::Operator>& op) {
  if (options.action == KeysAction::rotate) co_return co_await rotate_root_key(keys, *op, options.then_retire);
  if (options.action == KeysAction::retire) co_return co_await retire_root_keys(keys, *op);
  if (is_generic(options.action)) co_return co_await use_generic_keys(options, keys, generic, op);
  co_return co_await status(options, keys);
}

// Connected for administration alone, without comparing epochs.
Task<int> with_core(bodies::Supervisor& body, const KeysOptions& options, keys::ConnectedKeyService& service,
                    const std::optional<keys::Operator>& op) {
  if (auto attached = co_await body.attach(); !attached) co_return failed(attached.error().text());
  int code = 0;
  if (options.action == KeysAction::recover) {
    code = co_await recover(service, *op);
  } else {
    code = co_await status(options, service);
  }
  co_await body.stop();
  co_return code;
}

struct Outcome {
  std::optional<int> code;
  std::string why_ended;
  infra::Event over;
};

Task<void> serve_core(bodies::Supervisor& body, Outcome& outcome) {
  outcome.why_ended = co_await body.run();
  outcome.over.set();
}

Task<void> act_when_connected(const KeysOptions& options, const bodies::Supervisor& body,
                              keys::ConnectedKeyService& service, const std::optional<keys::Operator>& op,
                              Outcome& outcome) {
  const bool connected = co_await service.connected().wait_for(body.start_patience());
  if (connected) {
    const int code = co_await act(options, service, service, op);
    outcome.code = code;
  } else {
    outcome.code = failed("the trusted core did not start: " + body.trouble());
  }
  outcome.over.set();
}

Task<void> act_through_door(const KeysOptions& options, control::ControlClient& node,
                            const std::optional<keys::Operator>& op, Outcome& outcome) {
  const int code = co_await act(options, node, node, op);
  outcome.code = code;
  outcome.over.set();
}

Task<void> wait_for_interrupt(infra::EventLoop& loop, Outcome& outcome) {
  boost::asio::signal_set signals(loop.executor(), SIGINT, SIGTERM);
  boost::system::error_code error;
  co_await signals.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, error));
  if (!error) outcome.over.set();
}

// The core serves records here, as it does inside of a node.
Task<int> with_serving_core(infra::EventLoop& loop, bodies::Supervisor& body, const KeysOptions& options,
                            keys::ConnectedKeyService& service, const std::optional<keys::Operator>& op) {
  Outcome outcome;
  infra::TaskGroup group(loop.executor());
  group.spawn(wait_for_interrupt(loop, outcome));
  group.spawn(act_when_connected(options, body, service, op, outcome));
  infra::TaskGroup core(loop.executor());
  core.spawn(serve_core(body, outcome));
  co_await outcome.over.wait();
  group.cancel();
  co_await group.join();
  co_await body.stop();
  core.cancel();
  co_await core.join();
  if (outcome.code) co_return *outcome.code;
  if (!outcome.why_ended.empty() && outcome.why_ended != "stopped") co_return failed(outcome.why_ended);
  std::printf("Interrupted. Nothing is lost: the next start of the node goes on.\n");
  co_return kInterrupted;
}

Task<int> with_node(infra::EventLoop& loop, const KeysOptions& options, control::ControlClient& node,
                    const std::optional<keys::Operator>& op) {
  Outcome outcome;
  infra::TaskGroup group(loop.executor());
  group.spawn(wait_for_interrupt(loop, outcome));
  group.spawn(act_through_door(options, node, op, outcome));
  co_await outcome.over.wait();
  group.cancel();
  co_await group.join();
  if (outcome.code) co_return *outcome.code;
  std::printf(
      "Interrupted. The node goes on re-sealing by itself: `community-node keys status` tells how far it is.\n");
  co_return kInterrupted;
}

int run_alone(infra::EventLoop& loop, const KeysOptions& options, infra::Random& random,
              const std::optional<keys::Operator>& op) {
  if (auto finished = finish_reset(options.data_dir, options.places); !finished) return failed(finished.error().text());
  auto database = infra::Database::open(options.database, {keys::key_migrations()});
  if (!database) return failed(database.error().text());
  const auto service = keys::make_key_service({**database, random});
  const auto choice = bodies::choose(options.body, options.places);
  if (!choice) return failed(choice.error().text());
  bodies::Supervisor body(loop, choice->body, options.places, *service, {.timeout = kCallTimeout});
  const bool serves =
      options.action == KeysAction::rotate || options.action == KeysAction::retire || is_generic(options.action);
  return loop.block_on(serves ? with_serving_core(loop, body, options, *service, op)
                              : with_core(body, options, *service, op));
}

bool needs_operator(KeysAction action) {
  return action != KeysAction::status && action != KeysAction::generic_list && action != KeysAction::generic_sign &&
         action != KeysAction::generic_public_key;
}

}  // namespace

int run_keys(const KeysOptions& options) {
  infra::LogOptions log;
  log.level = infra::LogLevel::warning;
  infra::configure_log(log);
  if (options.action == KeysAction::provision) return provision_keys(options);
  if (options.action == KeysAction::reset) return reset_keys(options);
  if (!exists(options.data_dir / "keys/channel.key"))
    return failed("no trusted core in " + options.data_dir.string() +
                  " yet; it is made by the first `run`, or by `keys provision`");
  if (options.action == KeysAction::recover && !options.yes)
    return failed(
        "recovering accepts the node's database as it is now. If it is older than the trusted core, changes since are "
        "forgotten: a passkey that was removed counts again. Say --yes when that is "
        "what you want");
  infra::EventLoop loop;
  const auto random = infra::make_system_random();
  std::optional<keys::Operator> op;
  if (needs_operator(options.action)) {
    auto read = read_operator_key(options.data_dir / "operator.key");
    if (!read) return failed(read.error().message);
    op = std::move(*read);
  }
  // Whoever holds the folder's lock has the core; a node that was killed leaves its place behind and no lock.
  const auto lock = infra::DirectoryLock::take(options.data_dir);
  if (lock) return run_alone(loop, options, *random, op);
  auto place = control::read_control_place(options.data_dir);
  if (options.action == KeysAction::recover || !place) return failed(lock.error().text());
  const auto http = infra::make_http_client({});
  control::ControlClient node(*http, std::move(*place));
  return loop.block_on(with_node(loop, options, node, op));
}

}  // namespace community::node
