// SPDX-License-Identifier: Apache-2.0
// A new account: wallet in a node's trusted core, init data, address. The chain hears of it with its first operation.
#pragma once
#include "community/keys/api/key_service.hpp"
#include "community/wallet/api/files.hpp"
#include "community/wallet/api/join_file.hpp"
#include "community/wallet/api/passkey.hpp"

namespace community::wallet {

using infra::Task;

struct NewAccount {
  std::uint64_t chain_id = 0;
  Address factory{};
  Address entry_point{};
  Bytes32 proxy_init_code_hash{};
  // Of the software passkey that signs for it.
  Bytes32 passkey_secret{};
  std::string rp_id, web_origin;
  Bytes32 escape_secret{};
  // What a trusted core lets its server key sign; the contract has limits of its own.
  protocol::Policy policy;
  // Of the account: rows for all chains, guardians, mode, salt. Passkeys and keys are filled in.
  accounts::AccountInit init;
  std::string created_at;
};

struct CreatedAccount {
  AccountFile account;
  RecoveryFile recovery;
  Address server_key{};
};

// A software passkey as a trusted core registers it.
keys::Passkey registered(const SoftwarePasskey& passkey);

// node: the trusted core refused; hash_differs: it computes another address than we do.
Task<Result<CreatedAccount>> create_account(keys::WalletKeys& wallets, NewAccount wanted);

// An account that began elsewhere moves into a node: a wallet with a new passkey that takes the account in. It is the
// account's once its votes have put both keys on chain.
struct JoiningAccount {
  std::uint64_t chain_id = 0;
  AccountOrigin origin;
  Bytes32 passkey_secret{};
  std::string rp_id, web_origin;
  protocol::Policy policy;
  std::string created_at;
};

struct JoinedAccount {
  AccountFile account;
  JoinFile join;
};

// node: the trusted core refused.
Task<Result<JoinedAccount>> join_account(keys::WalletKeys& wallets, JoiningAccount wanted);

}  // namespace community::wallet
