// SPDX-License-Identifier: Apache-2.0
#include "community/devnet/api/main_job.hpp"

namespace community::devnet {
namespace {

// Wei; what the demonstration account holds before its first transfer, and may spend a day.
constexpr std::uint64_t kInitialBalance = 1'000'000'000'000'000'000;
// Wei; more than an operation of a development chain costs.
constexpr std::uint64_t kGasCap = 100'000'000'000'000'000;

Bytes32 new_secret(infra::Random& random) {
  Bytes32 secret;
  do random.fill(secret);
  while (!wallet::SoftwarePasskey::is_secret(secret) || !core::public_key_of(secret));
  return secret;
}

Task<wallet::Result<wallet::AccountFile>> make_account(const MainJobInput& in) {
  wallet::NewAccount wanted;
  wanted.chain_id = in.deployment.chain_id;
  wanted.factory = in.deployment.account_factory;
  wanted.entry_point = in.deployment.entry_point_v0_8;
  wanted.proxy_init_code_hash = in.deployment.proxy_init_code_hash;
  wanted.passkey_secret = new_secret(in.random);
  wanted.rp_id = in.rp_id;
  wanted.web_origin = in.web_origin;
  wanted.escape_secret = new_secret(in.random);
  wanted.policy.call_value_cap = wanted.policy.operation_value_cap = Uint256(kInitialBalance);
  wanted.policy.cost_cap = Uint256(kGasCap);
  wanted.init.limits.push_back({in.deployment.chain_id, {}, Uint256(kInitialBalance)});
  wanted.init.gas_caps.push_back({in.deployment.chain_id, Uint256(kGasCap)});
  wanted.created_at = in.created_at;
  auto created = co_await wallet::create_account(in.wallets, std::move(wanted));
  if (!created) co_return tl::unexpected(std::move(created.error()));
  created->recovery.chains.push_back({in.deployment.chain_id, "development chain", {}});
  if (auto kept = in.keep(*created); !kept) co_return tl::unexpected(std::move(kept.error()));
  in.step("the trusted core made a wallet; its server key is " + core::format_address(created->server_key));
  in.step("the account will be " + core::format_address(created->account.origin.account) + ", whoever deploys it");
  co_return std::move(created->account);
}

}  // namespace

Task<wallet::Result<MainJobResult>> perform_main_job(MainJobInput in) {
  if (!in.account) {
    auto made = co_await make_account(in);
    if (!made) co_return tl::unexpected(std::move(made.error()));
    in.account = std::move(*made);
  } else {
    in.step("the wallet of an earlier start is there; its account is " +
            core::format_address(in.account->origin.account));
  }
  MainJobResult result;
  result.account = in.account->origin.account;
  result.wallet = in.account->wallet;
  if (auto funded = co_await in.chain.fund(result.account, Uint256(kInitialBalance)); !funded)
    co_return wallet::fail(wallet::ErrorCode::chain, funded.error().message);
  wallet::WalletServices services{
      in.client, in.deployment.chain_id, in.random, nullptr, &in.wallets, &in.relay, nullptr, in.step};
  std::vector<wallet::WalletFile> files{*in.account};
  auto opened = wallet::Wallet::open(std::move(services), std::move(files));
  if (!opened) co_return tl::unexpected(std::move(opened.error()));
  const auto before = co_await opened->look();
  if (!before) co_return tl::unexpected(before.error());
  result.deployed = !before->state.deployed;
  std::vector<accounts::Call> calls;
  calls.push_back({in.recipient, in.amount, {}});
  const auto done = co_await opened->execute(std::move(calls), true);
  if (!done) co_return tl::unexpected(done.error());
  result.operation = *done;
  co_return result;
}

}  // namespace community::devnet
