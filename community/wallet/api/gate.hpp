// SPDX-License-Identifier: Apache-2.0
// The server key's half: in a node's trusted core, which obeys its own rules, or in a keys file of the person's own.
#pragma once
#include <memory>

#include "community/accounts/api/actions.hpp"
#include "community/keys/api/key_service.hpp"
#include "community/wallet/api/error.hpp"
#include "community/wallet/api/passkey.hpp"

namespace community::wallet {

using core::Address;
using core::Uint256;
using infra::Task;

// What the server key's holder adds to an operation.
struct GateSignature {
  core::Signature signature;
  // Of an operation that creates a session grant, by a trusted core; zero otherwise.
  Bytes32 ticket{};
};

// A change of keys as a trusted core wants it: new passkeys with their credential ids.
struct KeyChangeOrder {
  // x coordinates
  std::vector<Uint256> removed;
  std::vector<keys::Passkey> added;
  // Another server key of the same wallet, or somebody else's; neither: as it is.
  std::optional<std::uint32_t> own_server_key;
  std::optional<Address> foreign_server_key;
  // Zero: as it is.
  Address escape_key{};
  std::uint8_t votes = 0;
};

class Gate {
 public:
  virtual ~Gate() = default;
  // Over `hash`, which a trusted core computes again from the fields: hash_differs.
  virtual Task<Result<GateSignature>> sign_operation(core::UserOperation op, Bytes32 hash,
                                                     PasskeyAssertion assertion) = 0;
  // The action is none of ChangeKeys, Escape, Recover. The assertion is one over its digest.
  virtual Task<Result<core::Signature>> sign_action(accounts::AccountOnChain where, accounts::Action action,
                                                    accounts::Stamp stamp,
                                                    std::optional<PasskeyAssertion> assertion) = 0;
  // The wallet obeys the change before the signature comes.
  virtual Task<Result<core::Signature>> sign_key_change(accounts::AccountOnChain where, KeyChangeOrder order,
                                                        accounts::ChangeKeys change, accounts::Stamp stamp,
                                                        std::optional<PasskeyAssertion> assertion) = 0;
};

// `entry_point` and `chain_id`: where the account's operations go. `wallets` outlives the gate.
std::unique_ptr<Gate> make_node_gate(keys::WalletKeys& wallets, protocol::RecordId wallet,
                                     std::uint32_t server_key_index, std::uint64_t chain_id, Address entry_point);
std::unique_ptr<Gate> make_own_gate(const Bytes32& server_secret);

// Operations of a session grant, by a trusted core alone.
Task<Result<core::Signature>> sign_session(keys::WalletKeys& wallets, keys::SessionRequest request, Bytes32 hash);

}  // namespace community::wallet
