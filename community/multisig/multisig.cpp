// SPDX-License-Identifier: Apache-2.0
// One list of fields an action makes its three forms: the call of an owner, the EIP-712 document, and the call with a
// signature.
#include "community/multisig/api/multisig.hpp"

#include "community/core/abi.hpp"
#include "community/core/eip712.hpp"
#include "trusted/base/keccak.hpp"

namespace community::multisig {
namespace {

namespace json = boost::json;
using core::AbiValue;

constexpr std::string_view kCallsType = "Call[]", kCallsAbi = "(address,uint256,bytes)[]";
constexpr std::string_view kStampAbi = "(uint32,uint256,uint48)";
constexpr std::string_view kChangeOwners = "changeOwners(bytes[],bytes[],uint8)";
constexpr std::string_view kSetDailyLimit = "setDailyLimit(address,uint112)";

struct Field {
  std::string_view name;
  // As in the EIP-712 struct.
  std::string_view type;
  AbiValue value;
};
using Fields = std::vector<Field>;

template <class... Visitors>
struct Overloaded : Visitors... {
  using Visitors::operator()...;
};

struct ActionNames {
  std::string_view type;
  std::string_view function;
};
// In the order of the variant.
constexpr ActionNames kNames[] = {
    {"Propose", "propose"}, {"Approve", "approve"}, {"WithdrawApproval", "withdrawApproval"},
    {"Reject", "reject"},   {"Cancel", "cancel"},   {"Spend", "spend"},
};
static_assert(std::size(kNames) == std::variant_size_v<Action>);

AbiValue calls_value(const std::vector<Call>& calls) {
  AbiValue::List list;
  for (const Call& call : calls) list.emplace_back(AbiValue::List{AbiValue(call.to), call.value, AbiValue(call.data)});
  return AbiValue(std::move(list));
}

AbiValue bytes_list(const std::vector<Bytes>& all) {
  AbiValue::List list;
  for (const Bytes& one : all) list.emplace_back(one);
  return AbiValue(std::move(list));
}

std::vector<Bytes> bytes_of(const AbiValue& list) {
  std::vector<Bytes> all;
  for (const AbiValue& one : list.list()) all.push_back(one.bytes());
  return all;
}

Fields on_proposal(const Bytes32& id) { return {{"proposal", "bytes32", AbiValue(id)}}; }

Fields fields_of(const Action& action) {
  return std::visit(Overloaded{
                        [](const Propose& a) {
                          return Fields{{"calls", kCallsType, calls_value(a.calls)},
                                        {"salt", "uint256", a.salt},
                                        {"expiry", "uint48", AbiValue(a.expiry_s)}};
                        },
                        [](const Approve& a) { return on_proposal(a.proposal); },
                        [](const WithdrawApproval& a) { return on_proposal(a.proposal); },
                        [](const Reject& a) { return on_proposal(a.proposal); },
                        [](const Cancel& a) { return on_proposal(a.proposal); },
                        [](const Spend& a) {
                          return Fields{{"token", "address", AbiValue(a.token)},
                                        {"to", "address", AbiValue(a.to)},
                                        {"amount", "uint256", a.amount}};
                        },
                    },
                    action);
}

json::object member(std::string_view name, std::string_view type) {
  json::object object;
  object["name"] = name;
  object["type"] = type;
  return object;
}

json::value json_value(std::string_view type, const AbiValue& value) {
  if (type == "address") return json::value(core::format_address(value.address()));
  if (type.starts_with("bytes")) return json::value(core::to_hex(value.bytes()));
  if (type != kCallsType) return json::value(core::format_decimal(value.word()));
  json::array list;
  for (const AbiValue& one : value.list()) {
    json::object call;
    call["to"] = core::format_address(one[0].address());
    call["value"] = core::format_decimal(one[1].word());
    call["data"] = core::to_hex(one[2].bytes());
    list.emplace_back(std::move(call));
  }
  return list;
}

// Parameter types and values of the function, as the fields are.
struct Arguments {
  std::string types;
  std::vector<AbiValue> values;

  void add(std::string_view type, AbiValue value) {
    if (!values.empty()) types += ',';
    types += type;
    values.push_back(std::move(value));
  }
};

Arguments arguments_of(const Action& action) {
  Arguments arguments;
  for (Field& field : fields_of(action))
    arguments.add(field.type == kCallsType ? kCallsAbi : field.type, std::move(field.value));
  return arguments;
}

Result<Bytes> encode_call(const std::string& function, const std::vector<AbiValue>& values) {
  auto call = core::parse_abi_function(function).value().encode(values);
  if (!call) return fail(ErrorCode::action_invalid, call.error().message);
  return std::move(*call);
}

}  // namespace

Bytes address_owner(const Address& address) { return core::to_bytes(address); }

Bytes passkey_owner(const Address& verifier, const std::array<std::uint8_t, 64>& public_key) {
  Bytes owner = core::to_bytes(verifier);
  core::append(owner, public_key);
  return owner;
}

Bytes32 owner_id(ByteView owner) { return base::keccak256(owner); }

std::string_view action_name(const Action& action) { return kNames[action.index()].type; }

Result<Bytes> encode_action(const Action& action) {
  const Arguments arguments = arguments_of(action);
  return encode_call(std::string(kNames[action.index()].function) + "(" + arguments.types + ")", arguments.values);
}

json::object action_typed_data(const MultisigOnChain& where, ByteView owner, const Action& action, const Stamp& stamp) {
  Fields fields{{"owner", "bytes", AbiValue(core::to_bytes(owner))}};
  for (Field& field : fields_of(action)) fields.push_back(std::move(field));
  fields.push_back({"epoch", "uint32", AbiValue(std::uint64_t{stamp.epoch})});
  fields.push_back({"nonce", "uint256", stamp.nonce});
  fields.push_back({"deadline", "uint48", AbiValue(stamp.deadline_s)});
  json::object types, message, domain, document;
  types["EIP712Domain"] = json::array{member("name", "string"), member("version", "string"),
                                      member("chainId", "uint256"), member("verifyingContract", "address")};
  json::array struct_type;
  for (const Field& field : fields) {
    struct_type.emplace_back(member(field.name, field.type));
    message[field.name] = json_value(field.type, field.value);
  }
  types[action_name(action)] = std::move(struct_type);
  if (std::holds_alternative<Propose>(action))
    types["Call"] = json::array{member("to", "address"), member("value", "uint256"), member("data", "bytes")};
  domain["name"] = "CommunityMultisig";
  domain["version"] = "1";
  domain["chainId"] = std::to_string(where.chain_id);
  domain["verifyingContract"] = core::format_address(where.multisig);
  document["types"] = std::move(types);
  document["primaryType"] = action_name(action);
  document["domain"] = std::move(domain);
  document["message"] = std::move(message);
  return document;
}

Bytes32 action_digest(const MultisigOnChain& where, ByteView owner, const Action& action, const Stamp& stamp) {
  return core::hash_typed_data(action_typed_data(where, owner, action, stamp)).value().digest;
}

Result<Bytes> encode_action_by_signature(const Action& action, ByteView owner, const Stamp& stamp, ByteView signature) {
  Arguments arguments = arguments_of(action);
  arguments.add("bytes", AbiValue(core::to_bytes(owner)));
  arguments.add(kStampAbi, AbiValue(AbiValue::List{AbiValue(std::uint64_t{stamp.epoch}), stamp.nonce,
                                                   AbiValue(stamp.deadline_s)}));
  arguments.add("bytes", AbiValue(core::to_bytes(signature)));
  return encode_call(std::string(kNames[action.index()].function) + "BySignature(" + arguments.types + ")",
                     arguments.values);
}

Result<void> check_calls(const Address& multisig, const std::vector<Call>& calls) {
  if (calls.empty() || calls.size() > kMaxProposalCalls)
    return fail(ErrorCode::calls_invalid, "a proposal has 1 to 32 calls, this one " + std::to_string(calls.size()));
  for (const Call& call : calls) {
    if (base::is_zero(call.to)) return fail(ErrorCode::calls_invalid, "a call to the zero address");
    if (call.to != multisig) continue;
    if (calls.size() != 1) return fail(ErrorCode::calls_invalid, "a call to the multisig itself stands alone");
    if (!call.value.is_zero()) return fail(ErrorCode::calls_invalid, "a call to the multisig itself has no value");
    if (!read_self_call(call.data))
      return fail(ErrorCode::calls_invalid, "a multisig calls changeOwners and setDailyLimit on itself, nothing else");
  }
  return {};
}

Bytes32 calls_hash(const std::vector<Call>& calls) {
  static const Bytes32 type = core::event_topic("Call(address to,uint256 value,bytes data)");
  static const auto types = core::parse_abi_parameters("bytes32,address,uint256,bytes32").value();
  Bytes hashes;
  for (const Call& call : calls) {
    const std::vector<AbiValue> fields{AbiValue(type), AbiValue(call.to), call.value,
                                       AbiValue(Bytes32(base::keccak256(call.data)))};
    core::append(hashes, base::keccak256(core::abi_encode(types, fields).value()));
  }
  return base::keccak256(hashes);
}

Bytes32 proposal_id(const MultisigOnChain& where, const Proposal& proposal) {
  static const auto types = core::parse_abi_parameters("uint256,address,bytes32,bytes32,uint256,uint48").value();
  const std::vector<AbiValue> fields{AbiValue(where.chain_id),
                                     AbiValue(where.multisig),
                                     AbiValue(proposal.proposer),
                                     AbiValue(calls_hash(proposal.calls)),
                                     proposal.salt,
                                     AbiValue(proposal.expiry_s)};
  return base::keccak256(core::abi_encode(types, fields).value());
}

Result<Bytes> encode_execute(const Proposal& proposal) {
  return encode_call(
      "execute(bytes32," + std::string(kCallsAbi) + ",uint256,uint48)",
      {AbiValue(proposal.proposer), calls_value(proposal.calls), AbiValue(proposal.salt), AbiValue(proposal.expiry_s)});
}

Result<Call> encode_self_call(const Address& multisig, const SelfCall& call) {
  Result<Bytes> data;
  if (const auto* change = std::get_if<ChangeOwners>(&call)) {
    data = encode_call(std::string(kChangeOwners), {bytes_list(change->removed), bytes_list(change->added),
                                                    AbiValue(std::uint64_t{change->threshold})});
  } else {
    const auto& limit = std::get<SetDailyLimit>(call);
    data = encode_call(std::string(kSetDailyLimit), {AbiValue(limit.token), AbiValue(limit.per_day)});
  }
  if (!data) return tl::unexpected(std::move(data.error()));
  return Call{multisig, {}, std::move(*data)};
}

std::optional<SelfCall> read_self_call(ByteView call_data) {
  static const auto change_owners = core::parse_abi_function(kChangeOwners).value();
  static const auto set_daily_limit = core::parse_abi_function(kSetDailyLimit).value();
  if (const auto change = change_owners.decode(call_data))
    return ChangeOwners{bytes_of((*change)[0]), bytes_of((*change)[1]),
                        static_cast<std::uint8_t>((*change)[2].word().limb[0])};
  if (const auto limit = set_daily_limit.decode(call_data))
    return SetDailyLimit{(*limit)[0].address(), (*limit)[1].word()};
  return std::nullopt;
}

}  // namespace community::multisig
