// SPDX-License-Identifier: Apache-2.0
// What a CommunityAccount's ERC-1271 is asked about: messages nested in the account's own domain (ERC-7739), so that a
// signature for one account is worth nothing to another of the same keys.
#pragma once
#include "trusted/ethereum/typed_data.hpp"

namespace community::ethereum {

inline constexpr std::string_view kAccountDomainName = "CommunityAccount";
inline constexpr std::string_view kAccountDomainVersion = "1";

inline TypedDomain account_domain(std::uint64_t chain_id, const Address& account) {
  return {15, base::view(kAccountDomainName), base::view(kAccountDomainVersion), chain_id, account, {}};
}

// Types by which a token moves, or lets somebody move it, on the word of a signature: the account's limits would not
// see it (spec/account.md, section 3).
inline bool is_permit(std::string_view name, std::string_view definition) {
  using namespace std::string_view_literals;
  if (name.starts_with("Permit"sv) || name == "TransferWithAuthorization"sv || name == "ReceiveWithAuthorization"sv)
    return true;
  bool spender = false, amount = false;
  TypedMembers members(definition);
  for (TypedMember member; members.next(member);) {
    spender = spender || member.name == "spender"sv;
    amount = amount || member.name == "amount"sv || member.name == "value"sv || member.name == "allowed"sv;
  }
  return spender && amount;
}

enum class NestingError : std::uint8_t { none, permit, name };

// Whether an account signs messages of these types. ERC-7739: the name of the contents must not look like a type of
// Solidity's own; nor can it nest what nests it.
inline NestingError check_nesting(const TypedTypes& types, std::size_t primary) {
  using namespace std::string_view_literals;
  for (std::size_t i = 0; i < types.count(); i++)
    if (is_permit(types.name(i), types.definition(i))) return NestingError::permit;
  const char first = types.name(primary).front();
  const bool good = !(first >= 'a' && first <= 'z') && types.find("TypedDataSign"sv) == types.count();
  return good ? NestingError::none : NestingError::name;
}

// The digest of TypedDataSign under the application's domain; `contents` is the hash of the message of type `primary`.
inline Bytes32 nested_typed_data_digest(const Bytes32& application_separator, const TypedTypes& types,
                                        std::size_t primary, const Bytes32& contents, std::uint64_t chain_id,
                                        const Address& account) {
  using base::keccak256;
  using base::view;
  static constexpr std::array<std::uint8_t, 12> kAddressPadding{};
  static constexpr Bytes32 kNoSalt{};
  Keccak256 type;
  type.add(view("TypedDataSign(")).add(view(types.name(primary)));
  type.add(view(" contents,string name,string version,uint256 chainId,address verifyingContract,bytes32 salt)"));
  // All types are part of the primary one and in the order of their names, as EIP-712 appends them.
  for (std::size_t i = 0; i < types.count(); i++) type.add(view(types.definition(i)));
  const Bytes32 nested =
      keccak256({type.finish(), contents, keccak256(view(kAccountDomainName)), keccak256(view(kAccountDomainVersion)),
                 base::Uint256(chain_id).to_be(), kAddressPadding, account, kNoSalt});
  return typed_data_digest(application_separator, nested);
}

// The digest of PersonalSign under the account's domain.
inline Bytes32 nested_personal_digest(std::uint64_t chain_id, const Address& account, ByteView message) {
  using base::keccak256;
  const Bytes32 nested =
      keccak256({keccak256(base::view("PersonalSign(bytes prefixed)")), personal_message_hash(message)});
  return typed_data_digest(domain_separator(account_domain(chain_id, account)), nested);
}

}  // namespace community::ethereum
