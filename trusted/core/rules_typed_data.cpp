// SPDX-License-Identifier: Apache-2.0
// Rule 7 for typed data: of a key of the phrase, and of an account by its server key (ERC-1271), which signs nothing
// but the structs of ERC-7739 that the core itself nested and hashed.
#include "trusted/core/call_rules.hpp"
#include "trusted/ethereum/account_message.hpp"

namespace community::trusted {
namespace {

// Their length is known without a run time.
using namespace std::string_view_literals;

static_assert(protocol::kMaxTypedDataTypes == ethereum::kMaxTypes);
static_assert(protocol::kDomainSalt == 16 && protocol::kDomainContract == 8 && protocol::kDomainChainId == 4);

Error to_protocol(ethereum::TypedDataError error) {
  switch (error) {
    case ethereum::TypedDataError::none:
      return Error::ok;
    case ethereum::TypedDataError::types:
      return Error::typed_data_types_malformed;
    case ethereum::TypedDataError::values:
      return Error::typed_data_values_malformed;
    case ethereum::TypedDataError::complexity:
      break;
  }
  return Error::typed_data_too_complex;
}

Error read_types(const protocol::TypedData& data, ethereum::TypedTypes& types) {
  for (std::size_t i = 0; i < data.type_count; i++) {
    const auto error = types.add(data.types[i].text);
    if (error != ethereum::TypedDataError::none) return to_protocol(error);
  }
  return to_protocol(types.close(data.primary));
}

Error hash_values(const protocol::TypedData& data, const ethereum::TypedTypes& types, Bytes32& hash) {
  return to_protocol(ethereum::TypedValues(types, data.values).hash(data.primary, hash));
}

ethereum::TypedDomain to_ethereum(const protocol::TypedDataDomain& domain) {
  return {domain.present, domain.name, domain.version, domain.chain_id, domain.verifying_contract, domain.salt};
}

// A policy that lists contracts allows typed data for those it lists with all their functions: which of them a message
// is for, the core cannot tell.
Error check_contract_listed(const protocol::Policy& policy, const protocol::TypedDataDomain& domain) {
  if ((policy.flags & protocol::kPolicyListedOnly) == 0) return Error::ok;
  if ((domain.present & protocol::kDomainContract) == 0) return Error::contract_not_allowed;
  bool listed = false;
  for (std::size_t i = 0; i < policy.rule_count; i++) {
    if (policy.rules[i].contract != domain.verifying_contract) continue;
    if ((policy.rules[i].flags & protocol::kRuleAnyFunction) != 0) return Error::ok;
    listed = true;
  }
  return listed ? Error::function_not_allowed : Error::contract_not_allowed;
}

// A hash of EntryPoint 0.8 is typed data, and so are the actions of an account: they have commands and rules of their
// own.
Error check_domain(const protocol::Configuration& configuration, const WalletRecord& wallet, std::uint64_t chain_id,
                   const protocol::TypedDataDomain& domain) {
  if ((domain.present & protocol::kDomainChainId) != 0 && domain.chain_id != chain_id)
    return Error::typed_data_other_chain;
  if ((domain.present & protocol::kDomainName) != 0) {
    if (base::text(domain.name) == ethereum::kAccountDomainName) return Error::typed_data_of_account;
    if (base::text(domain.name) == "ERC4337"sv) return Error::typed_data_of_entry_point;
  }
  if ((domain.present & protocol::kDomainContract) != 0) {
    // Of any chain: without a chain id in the domain the same digest may count there too.
    for (std::size_t i = 0; i < configuration.chain_count; i++)
      if (find_entry_point(configuration.chains[i], domain.verifying_contract) != nullptr)
        return Error::typed_data_of_entry_point;
    for (std::size_t i = 0; i < wallet.account_count; i++)
      if (wallet.accounts[i].address == domain.verifying_contract) return Error::typed_data_of_account;
  }
  return check_contract_listed(wallet.policy, domain);
}

Error to_protocol(ethereum::NestingError error) {
  if (error == ethereum::NestingError::none) return Error::ok;
  return error == ethereum::NestingError::permit ? Error::typed_data_is_permit : Error::typed_data_types_malformed;
}

protocol::TypedDataSummary summary_of(const protocol::TypedDataDomain& domain, std::string_view primary_type) {
  return {domain.present, domain.name, domain.chain_id, domain.verifying_contract, base::view(primary_type)};
}

}  // namespace

Error Core::sign_typed_data(ByteView body, Writer& reply) {
  protocol::SignTypedDataRequest request;
  if (!protocol::decode(body, request)) return Error::malformed_request;
  const std::uint64_t chain_id = request.eoa.chain_id;
  if (find_chain(chain_id) == nullptr) return Error::unknown_chain;
  WalletRecord wallet;
  RecordHeader header;
  Error error = open_under(state_.root, request.record, RecordType::wallet, header, wallet);
  if (error == Error::ok) error = check_domain(configuration_, wallet, chain_id, request.data.domain);
  if (error != Error::ok) return error;
  ethereum::TypedTypes types;
  Bytes32 hash{};
  error = read_types(request.data, types);
  if (error == Error::ok) error = hash_values(request.data, types, hash);
  if (error != Error::ok) return error;
  protocol::SignTypedDataReply result;
  result.digest = ethereum::typed_data_digest(ethereum::domain_separator(to_ethereum(request.data.domain)), hash);
  result.summary = summary_of(request.data.domain, types.name(request.data.primary));
  error = sign_eoa_digest(request.eoa, request.assertion, wallet, result.digest, result.signer, result.signature);
  if (error == Error::ok) result.fields(reply);
  return error;
}

Error Core::account_message_digest(const protocol::SignAccountMessageRequest& request, const WalletRecord& wallet,
                                   protocol::SignAccountMessageReply& result) const {
  if (request.kind == protocol::AccountMessageKind::personal) {
    result.digest = ethereum::nested_personal_digest(request.chain_id, request.account, request.message);
    return Error::ok;
  }
  const protocol::TypedData& data = request.data;
  Error error = check_domain(configuration_, wallet, request.chain_id, data.domain);
  if (error != Error::ok) return error;
  ethereum::TypedTypes types;
  Bytes32 contents{};
  error = read_types(data, types);
  if (error == Error::ok) error = to_protocol(ethereum::check_nesting(types, data.primary));
  if (error == Error::ok) error = hash_values(data, types, contents);
  if (error != Error::ok) return error;
  const Bytes32 separator = ethereum::domain_separator(to_ethereum(data.domain));
  result.digest =
      ethereum::nested_typed_data_digest(separator, types, data.primary, contents, request.chain_id, request.account);
  result.summary = summary_of(data.domain, types.name(data.primary));
  return Error::ok;
}

Error Core::sign_account_message(ByteView body, Writer& reply) {
  protocol::SignAccountMessageRequest request;
  if (!protocol::decode(body, request)) return Error::malformed_request;
  if (find_chain(request.chain_id) == nullptr) return Error::unknown_chain;
  WalletRecord wallet;
  RecordHeader header;
  Error error = open_under(state_.root, request.record, RecordType::wallet, header, wallet);
  if (error != Error::ok) return error;
  const protocol::AccountBinding* account = find_account(wallet, request.chain_id, request.account);
  if (account == nullptr) return Error::sender_not_account;
  protocol::SignAccountMessageReply result;
  error = account_message_digest(request, wallet, result);
  if (error == Error::ok) error = check_assertion(request.assertion, result.digest, wallet);
  if (error != Error::ok) return error;
  error = sign_as_server(port_, wallet, *account, request.server_key_index, result.digest, result.signature);
  if (error == Error::ok) result.fields(reply);
  return error;
}

}  // namespace community::trusted
