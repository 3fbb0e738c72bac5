// SPDX-License-Identifier: Apache-2.0
// Rule 9 for an account that began elsewhere, or left and comes home. The core does not see the chain, so it cannot
// know whose account this is. It need not: a server key follows from the wallet's secret and the index alone, never
// from the account (derive_server_key), and every digest names the account. Whatever is signed after an adoption
// therefore counts only on an account to which its own votes gave a key of this very wallet. Whoever has a wallet adopt
// another person's account gets signatures that this account refuses, for operations, freezes, messages and changes of
// keys alike.
//
// The assertion is there for the wallet's owner: without it a host could fill the places for accounts, which nothing
// frees again, and have freezes signed, which need no person, for accounts that the owner never named.
#include "trusted/core/call_rules.hpp"
#include "trusted/protocol/account_messages.hpp"

namespace community::trusted {
namespace {

// Contracts of the operator's configuration are accounts of nobody; one of them here is a mistake.
Error check_account_address(const protocol::ChainConfig& chain, const protocol::Address& address) {
  const bool refused = base::is_zero(address) || address == chain.account_factory ||
                       find_entry_point(chain, address) != nullptr || is_paymaster(chain, address);
  return refused ? Error::account_address_refused : Error::ok;
}

// Enters the account, or the key into the account that is there already.
Error enter_adoption(const protocol::AccountAdoptRequest& request, WalletRecord& wallet) {
  const std::uint32_t index = request.server_key_index;
  const protocol::AccountBinding* found = find_account(wallet, request.chain_id, request.account);
  if (found != nullptr) {
    protocol::AccountBinding& account = wallet.accounts[static_cast<std::size_t>(found - wallet.accounts.data())];
    const bool has_key = index >= account.server_key_index && index <= account.last_server_key_index;
    // Bound or adopted, it is served with this key already. What is left to say is that it came home, or, after an
    // escape or a recovery, in which no server key has a part, that the next key is the account's.
    if (has_key && base::is_zero(account.moved_to)) return Error::account_exists;
    return name_server_key(index, account);
  }
  if (wallet.account_count == protocol::kMaxAccountsPerWallet) return Error::too_many_accounts;
  protocol::AccountBinding& account = wallet.accounts[wallet.account_count++];
  account.chain_id = request.chain_id;
  account.address = request.account;
  account.server_key_index = account.last_server_key_index = index;
  return Error::ok;
}

}  // namespace

Error Core::account_adopt(Session& session, const protocol::Frame& frame, Writer& reply) {
  protocol::AccountAdoptRequest request;
  if (!protocol::decode(frame.body, request)) return Error::malformed_request;
  const protocol::ChainConfig* chain = find_chain(request.chain_id);
  if (chain == nullptr) return Error::unknown_chain;
  Error error = check_account_address(*chain, request.account);
  if (error != Error::ok) return error;
  Bytes32 root;
  error = change_base(session, root);
  if (error != Error::ok) return error;
  WalletRecord wallet;
  RecordHeader header;
  error = open_under(root, request.record, RecordType::wallet, header, wallet);
  if (error != Error::ok) return error;

  // Before the assertion, which is of an earlier revision when an answer was lost: the host shall hear account_exists.
  error = enter_adoption(request, wallet);
  if (error != Error::ok) return error;
  const Bytes32 challenge = protocol::account_adoption_challenge(header.id, header.revision, request.chain_id,
                                                                 request.account, request.server_key_index);
  error = check_assertion(request.assertion, challenge, wallet);
  if (error != Error::ok) return error;
  protocol::AdoptionCommitted committed;
  error = server_key_address(port_, wallet, request.server_key_index, committed.server_key);
  if (error != Error::ok) return error;
  std::array<std::uint8_t, protocol::kMaxChangeReply> answer;
  return enter(session, frame, request.record.path, header, wallet, protocol::encode(committed, answer), reply);
}

}  // namespace community::trusted
