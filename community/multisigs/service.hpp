// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <map>

#include "community/multisigs/factory.hpp"

namespace community::multisigs {

class MultisigsService final : public Multisigs {
 public:
  explicit MultisigsService(MultisigsDependencies dependencies) : d_(std::move(dependencies)) {}

  // service.cpp
  Task<Result<KeptMultisig>> keep(std::string user_id, KeepRequest request) override;
  Task<Result<std::vector<KeptMultisig>>> list(std::string user_id) override;
  Task<Result<KeptMultisig>> rename(std::string user_id, std::string multisig_id, std::string name) override;
  Task<Result<void>> forget(std::string user_id, std::string multisig_id) override;
  // state.cpp
  Task<Result<MultisigState>> state(std::string user_id, std::string multisig_id, StateQuery query) override;

 private:
  const ServedChain* find_chain(std::uint64_t chain_id) const;
  // service.cpp: what is at the address, or may be made, is a multisig.
  static Task<Result<void>> check_deployed(const ServedChain& chain, Address address);
  static Task<Result<Bytes>> init_data_of(const ServedChain& chain, NewMultisig wanted);
  Task<Result<KeptMultisig>> enter(std::string user_id, KeptMultisig entry);
  // state.cpp
  Task<Result<std::vector<Address>>> limited_tokens(const ServedChain& chain, Address multisig,
                                                    core::ByteView init_data);
  static Task<Result<void>> read_proposals(const ServedChain& chain, MultisigState& out,
                                           multisig::MultisigState on_chain, std::optional<Bytes32> only);
  static Task<Result<void>> describe(const ServedChain& chain, Address multisig, std::vector<Proposal>& proposals);
  static void mark_own(const ServedChain& chain, const Own& own, std::vector<Owner>& owners);

  // Errors of the database in this module's words.
  template <class T>
  static Result<T> from_database(infra::Result<Result<T>> outcome) {
    if (!outcome) return fail(ErrorCode::database_unavailable, outcome.error().text());
    return std::move(*outcome);
  }

  // Tokens that had a limit up to a block. One that has none any more costs a question.
  struct Limited {
    std::uint64_t to_block = 0;
    std::vector<Address> tokens;
  };

  MultisigsDependencies d_;
  std::map<std::pair<std::uint64_t, Address>, Limited> limited_;
};

// chain_unavailable and not_a_multisig.
Error from_multisig(const multisig::Error& error);

}  // namespace community::multisigs
