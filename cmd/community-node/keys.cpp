// SPDX-License-Identifier: Apache-2.0
// `community-node keys status` and `keys recover`: the operator and the trusted core, without the rest of the node.
#include <cstdio>

#include "cmd/community-node/development.hpp"
#include "cmd/community-node/key_process.hpp"
#include "community/infra/api/files.hpp"
#include "community/infra/api/log.hpp"
#include "community/infra/factory.hpp"

namespace community::node {

using infra::Task;

namespace {

int failed(const std::string& words) {
  std::fprintf(stderr, "community-node: %s\n", words.c_str());
  return 1;
}

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
  }
}

Task<int> status(keys::ConnectedKeyService& service) {
  const auto core = co_await service.status();
  if (!core) co_return failed(core.error().text());
  print(*core);
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

Task<int> with_core(infra::EventLoop& loop, const KeysOptions& options, keys::ConnectedKeyService& service,
                    const std::optional<keys::Operator>& op) {
  KeyProcess process(loop, {options.key_enclave, options.data_dir / "keys", infra::Milliseconds(10'000)}, service);
  if (auto attached = co_await process.attach(); !attached) co_return failed(attached.error().text());
  int code = 0;
  if (op) {
    code = co_await recover(service, *op);
  } else {
    code = co_await status(service);
  }
  co_await process.stop();
  co_return code;
}

}  // namespace

int run_keys(const KeysOptions& options) {
  infra::LogOptions log;
  log.level = infra::LogLevel::warning;
  infra::configure_log(log);
  if (!exists(options.data_dir / "keys/channel.key"))
    return failed("no trusted core in " + options.data_dir.string() + " yet; it is made by the first `run`");
  const auto lock = infra::DirectoryLock::take(options.data_dir);
  if (!lock) return failed(lock.error().text());
  if (options.recover && !options.yes)
    return failed(
        "recovering accepts the node's database as it is now. If it is older than the trusted core, changes since are "
        "forgotten: a passkey that was removed counts again. Say --yes when that is "
        "what you want");
  infra::EventLoop loop;
  const auto random = infra::make_system_random();
  std::optional<keys::Operator> op;
  if (options.recover) {
    if (!exists(options.data_dir / "operator.key"))
      return failed("recovering needs the operator's key: put operator.key back into " + options.data_dir.string());
    const auto secret = secret_file(options.data_dir / "operator.key", *random);
    if (!secret) return failed(secret.error().text());
    op = keys::Operator::from_secret(*secret);
    if (!op) return failed("operator.key is no key");
  }
  infra::DatabaseOptions database_options;
  database_options.url = "sqlite:" + (options.data_dir / "node.db").string();
  auto database = infra::Database::open(database_options, {keys::key_migrations()});
  if (!database) return failed(database.error().text());
  const auto service = keys::make_key_service({**database, *random});
  return loop.block_on(with_core(loop, options, *service, op));
}

}  // namespace community::node
