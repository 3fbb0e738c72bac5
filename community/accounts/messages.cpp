// SPDX-License-Identifier: Apache-2.0
#include "community/accounts/api/messages.hpp"

#include "community/core/address.hpp"
#include "trusted/base/bytes.hpp"

namespace community::accounts {
namespace {

namespace json = core::json;

constexpr std::string_view kName = "CommunityAccount", kVersion = "1";

json::object member(std::string_view name, std::string_view type) {
  json::object out;
  out["name"] = name;
  out["type"] = type;
  return out;
}

// EIP-191, version 0x45: the prefix and the length in decimal.
Bytes prefixed(ByteView message) {
  const std::string prefix =
      "\x19"
      "Ethereum Signed Message:\n" +
      std::to_string(message.size());
  Bytes out = core::to_bytes(base::view(prefix));
  core::append(out, message);
  return out;
}

}  // namespace

json::object nested_typed_data(const AccountOnChain& where, const json::object& document) {
  const json::value& primary = document.at("primaryType");
  json::object types = document.at("types").as_object();
  json::array members;
  members.push_back(member("contents", primary.as_string()));
  members.push_back(member("name", "string"));
  members.push_back(member("version", "string"));
  members.push_back(member("chainId", "uint256"));
  members.push_back(member("verifyingContract", "address"));
  members.push_back(member("salt", "bytes32"));
  types["TypedDataSign"] = std::move(members);
  json::object message;
  message["contents"] = document.at("message");
  message["name"] = kName;
  message["version"] = kVersion;
  message["chainId"] = where.chain_id;
  message["verifyingContract"] = core::format_address(where.account);
  message["salt"] = core::to_hex(Bytes32{});
  json::object out;
  out["types"] = std::move(types);
  out["primaryType"] = "TypedDataSign";
  out["domain"] = document.at("domain");
  out["message"] = std::move(message);
  return out;
}

json::object nested_personal(const AccountOnChain& where, ByteView message) {
  json::object types;
  json::array domain;
  domain.push_back(member("name", "string"));
  domain.push_back(member("version", "string"));
  domain.push_back(member("chainId", "uint256"));
  domain.push_back(member("verifyingContract", "address"));
  types["EIP712Domain"] = std::move(domain);
  json::array members;
  members.push_back(member("prefixed", "bytes"));
  types["PersonalSign"] = std::move(members);
  json::object out, values;
  out["types"] = std::move(types);
  out["primaryType"] = "PersonalSign";
  json::object account;
  account["name"] = kName;
  account["version"] = kVersion;
  account["chainId"] = where.chain_id;
  account["verifyingContract"] = core::format_address(where.account);
  out["domain"] = std::move(account);
  values["prefixed"] = core::to_hex(prefixed(message));
  out["message"] = std::move(values);
  return out;
}

Result<Bytes> encode_typed_signature(ByteView dual, const Bytes32& domain_separator, const Bytes32& contents,
                                     const std::vector<std::string>& types, std::size_t primary) {
  std::string description;
  for (const std::string& type : types) description += type;
  // ERC-7739: the name of the contents stands first, or behind all types.
  if (primary != 0) description += types[primary].substr(0, types[primary].find('('));
  if (description.size() > 0xffff) return fail(ErrorCode::signature_part_too_long, "types");
  Bytes out = core::to_bytes(dual);
  core::append(out, domain_separator);
  core::append(out, contents);
  core::append(out, base::view(description));
  out.push_back(static_cast<std::uint8_t>(description.size() >> 8));
  out.push_back(static_cast<std::uint8_t>(description.size() & 0xff));
  return out;
}

}  // namespace community::accounts
