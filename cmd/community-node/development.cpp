// SPDX-License-Identifier: Apache-2.0
#include "cmd/community-node/development.hpp"

#include <algorithm>
#include <ctime>

#include "community/core/base64url.hpp"
#include "community/infra/api/files.hpp"
#include "community/infra/api/log.hpp"

namespace community::node {

using infra::Milliseconds;
using infra::Task;

namespace {

constexpr Milliseconds kChainPoll{50};
// Twice as often as anvil writes its state, at least.
constexpr Milliseconds kChainCopy{250};
// Half a minute for an anvil that loads a large state on a loaded machine.
constexpr int kChainPolls = 600;
// 0.001 ether to an address nobody holds.
constexpr std::uint64_t kTransfer = 1'000'000'000'000'000;
// Half a minute for a mail that leaves at once.
constexpr Milliseconds kMailPoll{50};
constexpr int kMailPolls = 600;
constexpr std::size_t kMaxMail = 64 * 1'024;

core::Uint256 ether(std::uint64_t amount) {
  return *multiply(core::Uint256(amount), core::Uint256(1'000'000'000'000'000'000));
}

}  // namespace

infra::Result<core::Bytes32> secret_file(const std::filesystem::path& path, infra::Random& random) {
  core::Bytes32 secret{};
  if (!exists(path)) {
    do random.fill(secret);
    while (!core::public_key_of(secret));
    if (auto written = infra::write_file_atomically(path, core::to_plain_hex(secret)); !written)
      return tl::unexpected(written.error());
    return secret;
  }
  const auto text = infra::read_file(path, 64);
  if (!text) return tl::unexpected(text.error());
  const auto bytes = core::parse_bytes32(*text, core::HexPrefix::optional);
  if (!bytes) return infra::fail(infra::ErrorCode::io, path.string() + " is damaged");
  return *bytes;
}

std::unique_ptr<infra::Supervisor> supervise_development_chain(infra::EventLoop& loop, infra::Clock& clock,
                                                               const RunOptions& options,
                                                               std::shared_ptr<devnet::ChainStateFile> state,
                                                               std::function<Task<bool>()> answers,
                                                               std::function<Task<infra::Result<void>>()> ready) {
  infra::ChildOptions child;
  child.name = "anvil";
  child.executable = options.anvil.string();
  // The state is written every second and at the end, so that a second start finds the chain again.
  child.arguments = {"--host",
                     "127.0.0.1",
                     "--port",
                     options.chain_url.substr(options.chain_url.rfind(':') + 1),
                     "--quiet",
                     "--block-time",
                     "1",
                     "--enable-tx-gas-limit",
                     "--gas-limit",
                     "300000000",
                     "--state",
                     state->path().string(),
                     "--state-interval",
                     "1"};
  if (options.chain_id != 0) {
    child.arguments.push_back("--chain-id");
    child.arguments.push_back(std::to_string(options.chain_id));
  }
  child.before_start = [state] {
    if (state->repair()) infra::log_warning("the development chain's state was torn and is repaired");
  };
  auto wait_ready = [answers = std::move(answers),
                     ready = std::move(ready)](infra::ChildProcess& process) -> Task<infra::Result<void>> {
    for (int poll = 0; poll < kChainPolls && !process.exit(); poll++) {
      co_await infra::sleep_real(kChainPoll);
      if (co_await answers()) co_return co_await ready();
    }
    co_return infra::fail(infra::ErrorCode::process,
                          process.exit() ? process.exit()->text() : "the development chain does not answer");
  };
  return std::make_unique<infra::Supervisor>(loop, clock, std::move(child), infra::RestartPolicy{}, wait_ready);
}

Task<void> keep_chain_state(std::shared_ptr<devnet::ChainStateFile> state) {
  for (;;) {
    state->keep_copy();
    co_await infra::sleep_real(kChainCopy);
  }
}

protocol::ChainConfig development_configuration(const devnet::Deployment& deployment) {
  protocol::ChainConfig chain;
  chain.chain_id = deployment.chain_id;
  chain.entry_point_count = 2;
  chain.entry_points[0] = {deployment.entry_point_v0_7, 7};
  chain.entry_points[1] = {deployment.entry_point_v0_8, 8};
  chain.account_factory = deployment.account_factory;
  chain.proxy_init_code_hash = deployment.proxy_init_code_hash;
  for (const devnet::PaymasterDeployment& paymaster : deployment.paymasters)
    chain.paymasters[chain.paymaster_count++] = {paymaster.paymaster, paymaster.entry_point};
  chain.bundle_gas_cap = 16'777'216;
  // wei a gas: 1,000 gwei
  chain.fee_cap = core::Uint256(1'000'000'000'000);
  chain.sponsorship_cost_cap = ether(1);
  chain.executor_budget = ether(1'000'000);
  chain.sponsor_budget = ether(1'000'000);
  return chain;
}

namespace {

// A mail of ours: one text in base64 behind the header (RFC 2045, section 6.8), whose first run of eight digits is the
// code. Nothing when it is for somebody else.
std::optional<std::string> code_in(const std::string& mail, const std::string& address) {
  const auto end = mail.find("\r\n\r\n");
  if (end == std::string::npos || mail.find("To: <" + address + ">\r\n") > end) return std::nullopt;
  std::string encoded = mail.substr(end + 4);
  std::erase_if(encoded, [](char c) { return c == '\r' || c == '\n' || c == '='; });
  std::replace(encoded.begin(), encoded.end(), '+', '-');
  std::replace(encoded.begin(), encoded.end(), '/', '_');
  const auto text = core::parse_base64url(encoded, kMaxMail);
  std::string digits;
  for (const std::uint8_t c : text ? *text : core::Bytes()) {
    if (c >= '0' && c <= '9') {
      digits += static_cast<char>(c);
    } else {
      if (digits.size() == 8) return digits;
      digits.clear();
    }
  }
  return std::nullopt;
}

// As the person would, who looks into the folder where a node without a mail server puts its mails.
Task<wallet::Result<std::string>> read_code(std::filesystem::path outbox, std::string address) {
  if (outbox.empty())
    co_return wallet::fail(
        wallet::ErrorCode::node,
        "mails leave by SMTP, so nobody here reads the code of a scripted person; register in the page");
  for (int poll = 0; poll < kMailPolls; poll++) {
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator(outbox, ignored)) {
      const auto mail = infra::read_file(entry.path(), kMaxMail);
      auto code = mail ? code_in(*mail, address) : std::nullopt;
      if (code) co_return std::move(*code);
    }
    co_await infra::sleep_real(kMailPoll);
  }
  co_return wallet::fail(wallet::ErrorCode::node, "no mail with a code came into " + outbox.string());
}

}  // namespace

Task<wallet::Result<devnet::MainJobResult>> run_main_job(const RunOptions& options, MainJobServices services,
                                                         const devnet::Deployment& deployment, std::string api_url,
                                                         Step step) {
  const auto folder = options.data_dir / "person";
  if (auto made = infra::ensure_private_directory(folder); !made)
    co_return wallet::fail(wallet::ErrorCode::file_unreadable, made.error().text());
  // What a person's device and recovery file hold; the recovery file first, because nothing else could replace it.
  const auto account_path = folder / "account.json", recovery_path = folder / "recovery.json";
  std::optional<wallet::AccountFile> account;
  if (exists(account_path)) {
    auto file = wallet::read_wallet_file(account_path);
    if (!file) co_return tl::unexpected(std::move(file.error()));
    auto* held = std::get_if<wallet::AccountFile>(&*file);
    if (held == nullptr) co_return wallet::fail(wallet::ErrorCode::file_kind, account_path.string());
    // A software passkey signs whatever page it is told; the node may listen on another port today.
    account = std::move(*held);
  }
  auto keep = [account_path, recovery_path](const wallet::CreatedAccount& created) -> wallet::Result<void> {
    if (auto kept = wallet::replace_wallet_file(recovery_path, created.recovery); !kept) return kept;
    return wallet::replace_wallet_file(account_path, created.account);
  };
  auto report = [step](std::string text) { step("job", text); };
  auto code = [outbox = services.outbox](std::string address) { return read_code(outbox, std::move(address)); };
  core::Address recipient{};
  recipient.fill(0xd0);
  devnet::MainJobInput input{services.http,
                             services.random,
                             std::move(api_url),
                             deployment,
                             services.rp_id,
                             services.origin,
                             wallet::format_time(static_cast<std::uint64_t>(std::time(nullptr))),
                             std::move(account),
                             recipient,
                             core::Uint256(kTransfer),
                             code,
                             report,
                             keep};
  co_return co_await devnet::perform_main_job(std::move(input));
}

}  // namespace community::node
