// SPDX-License-Identifier: Apache-2.0
// A person's side of an account: the keys at hand, what the chain says, and everything spec/account.md lets them do.
// With a node it signs through the node's trusted core and sends through its relay and courier; without one, a keys
// file or the escape key, a funded key and any server of the chain are enough.
#pragma once
#include "community/accounts/api/items.hpp"
#include "community/accounts/api/state.hpp"
#include "community/infra/api/random.hpp"
#include "community/wallet/api/files.hpp"
#include "community/wallet/api/gate.hpp"
#include "community/wallet/api/operations.hpp"

namespace community::wallet {

// Of an account's kind: keys::WalletKeys and relay of a node, or neither. All outlive the wallet.
struct WalletServices {
  chain::ExecutionClient& chain;
  std::uint64_t chain_id = 0;
  infra::Random& random;
  // Who brings plain functions on chain. Null: nobody can.
  Carrier* carrier = nullptr;
  // The node's trusted core and JSON-RPC, where there is a node.
  keys::WalletKeys* node = nullptr;
  infra::RpcClient* relay = nullptr;
  // Pays for operations where there is no relay.
  Payer* payer = nullptr;
  Step step = [](std::string) {};
};

struct WaitingItem {
  accounts::WaitingItem item;
  // What it does; nothing when the chain's server shows a call that is not the item's.
  std::optional<accounts::StartedItem> content;
};

struct LiveGrant {
  Bytes32 id{};
  Uint256 value_left;
  // As with waiting items.
  std::optional<accounts::Grant> content;
};

struct Overview {
  accounts::AccountState state;
  // Seconds since 1970, of the latest block.
  std::uint64_t time_s = 0;
  std::vector<WaitingItem> waiting;
  std::vector<LiveGrant> grants;
};

// What became of a plain function.
struct Acted {
  // Digest that was signed: the item's id when it waits.
  Bytes32 id{};
  unsigned votes = 0;
  // 0: it acted at once.
  std::uint64_t waits_s = 0;
  Carried carried;
};

struct NewKeys {
  std::vector<accounts::InitPasskey> passkeys;
  Address server_key{};
};

class Wallet {
 public:
  // Files of one account: account_other. An account file or keys file brings passkeys and gate, a recovery file the
  // escape key. With a keys file alone `origin` is empty until a recovery or account file is there too.
  static Result<Wallet> open(WalletServices services, std::vector<WalletFile> files);
  Wallet(Wallet&&) noexcept;
  Wallet& operator=(Wallet&&) noexcept;
  ~Wallet();

  accounts::AccountOnChain where() const;
  const std::optional<AccountOrigin>& origin() const;

  // Items and grants are looked for in the last `blocks`.
  Task<Result<Overview>> look(std::vector<Address> tokens = {}, std::uint64_t blocks = 300'000);
  // Makes the account on this chain if it is not there: anybody may.
  Task<Result<void>> ensure_deployed();

  // --- plain functions: signed by as many votes as are at hand and useful, two at most ---
  Task<Result<Acted>> freeze();
  Task<Result<Acted>> unfreeze();
  Task<Result<Acted>> change_keys(KeyChangeOrder order);
  // The votes in it are filled in here.
  Task<Result<Acted>> change_rules(accounts::ChangeRules rules);
  Task<Result<Acted>> escape(NewKeys keys);
  Task<Result<Acted>> cancel(Bytes32 item);
  // LowerLimit, LowerGasCap, UnlistDomain, DisallowCall, RevokeGrant: one vote, at once.
  Task<Result<Acted>> lower(accounts::Action action);
  // Carries out what waited long enough. A queued item takes an operation: confirm.
  Task<Result<Carried>> finish(Bytes32 item);

  // --- operations ---
  Task<Result<OperationResult>> execute(std::vector<accounts::Call> calls, bool sponsored);
  // The id of what waits.
  Task<Result<std::pair<Bytes32, OperationResult>>> queue(accounts::Queued queued, bool sponsored);
  Task<Result<OperationResult>> confirm(Bytes32 item, bool sponsored);
  struct Granted {
    Bytes32 id{};
    // For sessions: the trusted core's proof that a person signed the grant.
    Bytes32 ticket{};
    OperationResult operation;
  };
  // With two votes' worth of nothing: a grant is a dual operation. The grant comes back normalised.
  Task<Result<Granted>> create_grant(accounts::Grant& grant, bool sponsored);
  // By the server key alone, within a grant; the grant's paymaster pays.
  Task<Result<OperationResult>> use_grant(accounts::Grant grant, Bytes32 ticket, std::vector<accounts::Call> calls);

  // x of every passkey of the account but the one that signs first: a trusted core lets none sign for its own removal.
  Task<Result<std::vector<Uint256>>> other_passkeys();
  // Index of a server key of the wallet in the node's core that the account does not have yet.
  Task<Result<std::uint32_t>> next_server_key();

 private:
  struct Body;
  explicit Wallet(std::unique_ptr<Body> body);
  std::unique_ptr<Body> body_;
};

}  // namespace community::wallet
