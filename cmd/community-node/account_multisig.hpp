// SPDX-License-Identifier: Apache-2.0
// A community's treasury on the terminal: what the chain says of a multisig, in words.
#pragma once
#include "cmd/community-node/account.hpp"
#include "community/multisig/api/state.hpp"

namespace community::node {

// As people type them: an address, or verifier and key in hex.
wallet::Result<Bytes> read_owner(const std::string& text);
std::string owner_text(core::ByteView owner);
// One line a call, with what it does to the multisig itself.
std::vector<std::string> calls_text(const Address& multisig, const std::vector<multisig::Call>& calls);
// Balance, owners, limits and proposals; those that are over only when `closed`.
void say_multisig(const multisig::MultisigState& state, const Address& multisig,
                  const std::vector<multisig::ProposalState>& proposals, bool closed);

// The words of a module's errors: what broke a rule is the person's to change, what the chain said is not.
wallet::Error multisig_error(const multisig::Error& error);

}  // namespace community::node
