// SPDX-License-Identifier: Apache-2.0
// The contracts on a development chain: what the build made (contracts/tools/bundle.mjs), deployed by the deterministic
// deployer, funded from the accounts that the chain unlocks itself. Everything is idempotent.
#pragma once
#include <map>
#include <memory>

#include "community/chain/api/entry_point.hpp"
#include "community/chain/api/execution_client.hpp"
#include "community/devnet/api/error.hpp"

namespace community::devnet {

using core::Address;
using core::Bytes;
using core::Bytes32;
using core::Uint256;
using infra::Task;

struct Artifact {
  Address address{};
  Bytes32 salt{};
  Bytes init_code;
};

// The deployment file, read once.
struct ContractBundle {
  std::map<std::string, Artifact> entry_points;
  Bytes p256_verifier, account_factory, paymaster;
  Address p256_verifier_address{};
  // Of the multisig's contracts, which are the same whatever the EntryPoint.
  Artifact multisig_factory, passkey_verifier;
  Bytes32 multisig_proxy_init_code_hash{};
  // Runtime code of EntryPointSimulations by version, for estimates.
  std::map<std::string, Bytes> simulations;
  struct Factory {
    Address address{};
    Bytes32 proxy_init_code_hash{};
  };
  // By EntryPoint version: "0.7", "0.8".
  std::map<std::string, Factory> factories;

  static Result<ContractBundle> parse(std::string_view json);
};

struct DeployInput {
  // Signs sponsorships.
  Address paymaster_signer{};
  // Get ether for gas.
  std::vector<Address> executors;
  // Gets ether as executors do; nothing without one.
  std::optional<Address> treasury;
};

struct PaymasterDeployment {
  Address paymaster{};
  Address entry_point{};
};

struct Deployment {
  std::uint64_t chain_id = 0;
  // CommunityAccount lives on EntryPoint 0.8.
  Address account_factory{};
  Bytes32 proxy_init_code_hash{};
  Address entry_point_v0_7{}, entry_point_v0_8{};
  Address multisig_factory{};
  Bytes32 multisig_proxy_init_code_hash{};
  Address passkey_verifier{};
  std::vector<PaymasterDeployment> paymasters;
  // Contracts deployed by this call.
  std::size_t deployed = 0;
};

// A development chain whose node signs for its own accounts (anvil).
class DevelopmentChain {
 public:
  explicit DevelopmentChain(chain::ExecutionClient& client) : client_(client) {}

  Task<Result<Deployment>> deploy(const ContractBundle& bundle, DeployInput input);
  // Raises the balance of an account to `amount` at least.
  Task<Result<void>> fund(Address account, Uint256 amount);

 private:
  Task<Result<Address>> funder();
  // The hash of a transaction from the funder, sent and not waited for.
  Task<Result<Bytes32>> submit(Address to, Uint256 value, Bytes data);
  Task<Result<void>> wait_for(Bytes32 hash);
  // What was sent, when something had to be.
  Task<Result<std::optional<Bytes32>>> create2(Address expected, Bytes32 salt, Bytes init_code);
  Task<Result<std::optional<Bytes32>>> start_funding(Address account, Uint256 amount);
  Task<Result<void>> start_paymaster(Address entry_point, Address paymaster, std::vector<Bytes32>& sent);

  chain::ExecutionClient& client_;
};

}  // namespace community::devnet
