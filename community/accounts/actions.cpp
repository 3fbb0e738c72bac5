// SPDX-License-Identifier: Apache-2.0
// One list of fields an action makes all three of its forms: the EIP-712 document, its digest, and the call data.
#include "community/accounts/api/actions.hpp"

#include <algorithm>
#include <map>

#include "community/accounts/passkey_values.hpp"
#include "community/core/abi.hpp"
#include "community/core/eip712.hpp"
#include "trusted/base/keccak.hpp"

namespace community::accounts {
namespace {

namespace json = boost::json;
using core::AbiValue;

constexpr std::string_view kPasskeyType = "Passkey";
constexpr std::string_view kStampAbi = "(uint32,uint256,uint48)";
constexpr std::string_view kSignaturesAbi = "(uint8,bytes)[]";
constexpr std::string_view kGuardiansAbi = "(bytes32,bytes[],bytes[])";

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

AbiValue number(std::uint64_t value) { return AbiValue(value); }

AbiValue numbers_value(const std::vector<Uint256>& numbers) {
  AbiValue::List list;
  for (const Uint256& one : numbers) list.emplace_back(one);
  return AbiValue(std::move(list));
}

Fields fields_of(const Action& action) {
  return std::visit(
      Overloaded{
          [](const Freeze&) { return Fields{}; },
          [](const Unfreeze& a) {
            return Fields{{"votes", "uint8", number(a.votes)}};
          },
          [](const ChangeKeys& a) {
            return Fields{{"removed", "uint256[]", numbers_value(a.removed)},
                          {"added", "Passkey[]", passkeys_value(a.added)},
                          {"serverKey", "address", a.server_key},
                          {"escapeKey", "address", a.escape_key},
                          {"votes", "uint8", number(a.votes)}};
          },
          [](const ChangeRules& a) {
            return Fields{{"guardiansHash", "bytes32", a.guardians_hash},
                          {"guardianThreshold", "uint8", number(a.guardian_threshold)},
                          {"recoveryDelay", "uint32", number(a.recovery_delay_s)},
                          {"strict", "bool", number(a.strict)},
                          {"unlistedTokens", "bool", number(a.unlisted_tokens)},
                          {"votes", "uint8", number(a.votes)}};
          },
          [](const Escape& a) {
            return Fields{{"passkeys", "Passkey[]", passkeys_value(a.passkeys)},
                          {"serverKey", "address", a.server_key},
                          {"votes", "uint8", number(a.votes)}};
          },
          [](const Recover& a) {
            return Fields{{"passkeys", "Passkey[]", passkeys_value(a.passkeys)},
                          {"serverKey", "address", a.server_key},
                          {"escapeKey", "address", a.escape_key}};
          },
          [](const Upgrade& a) {
            return Fields{{"implementation", "address", a.implementation}, {"codeHash", "bytes32", a.code_hash}};
          },
          [](const ConfirmUpgrade& a) {
            return Fields{{"item", "bytes32", a.item}};
          },
          [](const Cancel& a) {
            return Fields{{"item", "bytes32", a.item}};
          },
          [](const LowerLimit& a) {
            return Fields{{"token", "address", a.token}, {"perDay", "uint256", a.per_day}};
          },
          [](const LowerGasCap& a) {
            return Fields{{"maxCost", "uint256", a.max_cost}};
          },
          [](const UnlistDomain& a) {
            return Fields{{"domainSeparator", "bytes32", a.domain_separator}};
          },
          [](const DisallowCall& a) {
            return Fields{{"target", "address", a.target}, {"selector", "bytes4", core::to_bytes(a.selector)}};
          },
          [](const RevokeGrant& a) {
            return Fields{{"grantId", "bytes32", a.grant_id}};
          },
      },
      action);
}

// In the order of the variant.
struct ActionNames {
  std::string_view type;
  std::string_view function;
  // Function that carries out what waited; empty when nothing waits.
  std::string_view finish;
  // The fields are one struct parameter of the function.
  bool as_struct;
};
constexpr ActionNames kNames[] = {
    {"Freeze", "freeze", "", false},
    {"Unfreeze", "unfreeze", "finishUnfreeze", false},
    {"ChangeKeys", "changeKeys", "finishChangeKeys", true},
    {"ChangeRules", "changeRules", "finishChangeRules", true},
    {"Escape", "escape", "finishEscape", false},
    {"Recover", "recover", "finishRecover", false},
    {"Upgrade", "upgrade", "", false},
    {"ConfirmUpgrade", "confirmUpgrade", "", false},
    {"Cancel", "cancel", "", false},
    {"LowerLimit", "lowerLimit", "", false},
    {"LowerGasCap", "lowerGasCap", "", false},
    {"UnlistDomain", "unlistDomain", "", false},
    {"DisallowCall", "disallowCall", "", false},
    {"RevokeGrant", "revokeGrant", "", false},
};
static_assert(std::size(kNames) == std::variant_size_v<Action>);

const ActionNames& names_of(const Action& action) { return kNames[action.index()]; }

std::string abi_type(std::string_view type) {
  return type == "Passkey[]" ? "(uint256,uint256,bytes32)[]" : std::string(type);
}

json::value json_value(std::string_view type, const AbiValue& value) {
  if (type == "bool") return !value.word().is_zero();
  if (type == "address") return json::value(core::format_address(value.address()));
  if (type.starts_with("bytes")) return json::value(core::to_hex(value.bytes()));
  if (type == "Passkey[]") {
    json::array list;
    for (const AbiValue& one : value.list()) {
      json::object passkey;
      passkey["x"] = core::format_decimal(one[0].word());
      passkey["y"] = core::format_decimal(one[1].word());
      passkey["rpIdHash"] = core::to_hex(one[2].bytes());
      list.emplace_back(std::move(passkey));
    }
    return list;
  }
  if (value.is_list()) {
    json::array list;
    for (const AbiValue& one : value.list()) list.emplace_back(core::format_decimal(one.word()));
    return list;
  }
  return json::value(core::format_decimal(value.word()));
}

json::object member(std::string_view name, std::string_view type) {
  json::object object;
  object["name"] = name;
  object["type"] = type;
  return object;
}

Fields stamped(Fields fields, const Stamp& stamp) {
  fields.push_back({"keyEpoch", "uint32", number(stamp.key_epoch)});
  fields.push_back({"nonce", "uint256", stamp.nonce});
  fields.push_back({"deadline", "uint48", number(stamp.deadline_s)});
  return fields;
}

AbiValue stamp_value(const Stamp& stamp) {
  return AbiValue(AbiValue::List{number(stamp.key_epoch), stamp.nonce, number(stamp.deadline_s)});
}

AbiValue guardians_value(const GuardianList& list, const std::vector<Bytes>& signatures) {
  AbiValue::List guardians, signed_by;
  for (const Bytes& guardian : list.guardians) guardians.emplace_back(guardian);
  for (const Bytes& signature : signatures) signed_by.emplace_back(signature);
  return AbiValue(AbiValue::List{AbiValue(list.salt), AbiValue(std::move(guardians)), AbiValue(std::move(signed_by))});
}

// A call under construction: parameter types beside their values.
class CallBuilder {
 public:
  explicit CallBuilder(std::string_view function) : text_(function) { text_ += '('; }

  CallBuilder& add(std::string_view type, AbiValue value) {
    if (!values_.empty()) text_ += ',';
    text_ += type;
    values_.push_back(std::move(value));
    return *this;
  }

  CallBuilder& add(Fields fields, bool as_struct) {
    if (!as_struct) {
      for (Field& field : fields) add(abi_type(field.type), std::move(field.value));
      return *this;
    }
    std::string type = "(";
    AbiValue::List values;
    for (Field& field : fields) {
      if (!values.empty()) type += ',';
      type += abi_type(field.type);
      values.push_back(std::move(field.value));
    }
    return add(type + ')', AbiValue(std::move(values)));
  }

  Result<Bytes> encode() const {
    auto function = core::parse_abi_function(text_ + ')');
    auto call = function ? function->encode(values_) : tl::unexpected(std::move(function.error()));
    if (!call) return fail(ErrorCode::action_invalid, call.error().message);
    return std::move(*call);
  }

 private:
  std::string text_;
  std::vector<AbiValue> values_;
};

Result<Bytes> encode_by_guardians(const Action& action, const Stamp& stamp, std::string_view function,
                                  const GuardianList& list, const std::vector<Bytes>& signatures) {
  if (signatures.size() != list.guardians.size())
    return fail(ErrorCode::guardians_invalid, "there must be one signature, or an empty one, a guardian");
  return CallBuilder(function)
      .add(fields_of(action), false)
      .add(kStampAbi, stamp_value(stamp))
      .add(kGuardiansAbi, guardians_value(list, signatures))
      .encode();
}

}  // namespace

std::string_view action_name(const Action& action) { return names_of(action).type; }

json::object action_typed_data(const AccountOnChain& where, const Action& action, const Stamp& stamp) {
  json::array domain_type{member("name", "string"), member("version", "string"), member("chainId", "uint256"),
                          member("verifyingContract", "address")};
  json::array passkey_type{member("x", "uint256"), member("y", "uint256"), member("rpIdHash", "bytes32")};
  json::array struct_type;
  json::object message;
  bool has_passkeys = false;
  for (const Field& field : stamped(fields_of(action), stamp)) {
    struct_type.emplace_back(member(field.name, field.type));
    message[field.name] = json_value(field.type, field.value);
    has_passkeys = has_passkeys || field.type == "Passkey[]";
  }
  json::object types;
  types["EIP712Domain"] = std::move(domain_type);
  types[names_of(action).type] = std::move(struct_type);
  if (has_passkeys) types[kPasskeyType] = std::move(passkey_type);
  json::object domain;
  domain["name"] = "CommunityAccount";
  domain["version"] = "1";
  domain["chainId"] = std::to_string(where.chain_id);
  domain["verifyingContract"] = core::format_address(where.account);
  json::object document;
  document["types"] = std::move(types);
  document["primaryType"] = names_of(action).type;
  document["domain"] = std::move(domain);
  document["message"] = std::move(message);
  return document;
}

Bytes32 action_digest(const AccountOnChain& where, const Action& action, const Stamp& stamp) {
  return core::hash_typed_data(action_typed_data(where, action, stamp)).value().digest;
}

Result<Bytes> encode_action(const Action& action, const Stamp& stamp, std::vector<ActionSignature> signatures) {
  if (std::holds_alternative<Recover>(action))
    return fail(ErrorCode::action_invalid, "guardians sign a recovery; it has a call of its own");
  std::ranges::sort(signatures, {}, &ActionSignature::signer);
  AbiValue::List list;
  for (std::size_t i = 0; i < signatures.size(); i++) {
    ActionSignature& one = signatures[i];
    if (one.signer > kServerSigner || (i > 0 && signatures[i - 1].signer == one.signer))
      return fail(ErrorCode::action_signer,
                  "signer " + std::to_string(one.signer) + " is there twice or does not exist");
    list.emplace_back(AbiValue::List{number(one.signer), AbiValue(std::move(one.data))});
  }
  CallBuilder call(names_of(action).function);
  if (const auto* confirm = std::get_if<ConfirmUpgrade>(&action)) {
    call.add(fields_of(confirm->upgrade), false).add(kStampAbi, stamp_value(confirm->started));
  } else {
    call.add(fields_of(action), names_of(action).as_struct);
  }
  return call.add(kStampAbi, stamp_value(stamp)).add(kSignaturesAbi, AbiValue(std::move(list))).encode();
}

Result<Bytes> encode_finish(const Action& action, const Stamp& stamp) {
  const ActionNames& names = names_of(action);
  if (names.finish.empty())
    return fail(ErrorCode::action_not_finishable, std::string(names.type) + " does not wait, or is confirmed by votes");
  return CallBuilder(names.finish).add(fields_of(action), names.as_struct).add(kStampAbi, stamp_value(stamp)).encode();
}

Result<GuardianList> GuardianList::make(const Bytes32& salt, std::vector<Bytes> guardians) {
  if (guardians.empty() || guardians.size() > kMaxGuardians)
    return fail(ErrorCode::guardians_invalid, "there are 1 to 16 guardians");
  std::map<Bytes32, Bytes> sorted;
  for (Bytes& guardian : guardians) {
    if (guardian.size() < 20) return fail(ErrorCode::guardians_invalid, "a guardian has 20 bytes at least");
    const Bytes32 id = base::keccak256(guardian);
    if (!sorted.emplace(id, std::move(guardian)).second)
      return fail(ErrorCode::guardians_invalid, "a guardian is there twice");
  }
  GuardianList list;
  list.salt = salt;
  for (auto& entry : sorted) list.guardians.push_back(std::move(entry.second));
  return list;
}

Bytes32 GuardianList::hash() const {
  AbiValue::List all;
  for (const Bytes& guardian : guardians) all.emplace_back(guardian);
  static const auto types = core::parse_abi_parameters("bytes32,bytes[]").value();
  return base::keccak256(core::abi_encode(types, {AbiValue(salt), AbiValue(std::move(all))}).value());
}

Result<Bytes> encode_recover(const Recover& recover, const Stamp& stamp, const GuardianList& list,
                             const std::vector<Bytes>& signatures) {
  return encode_by_guardians(recover, stamp, "recover", list, signatures);
}

Result<Bytes> encode_cancel_as_guardians(const Cancel& cancel, const Stamp& stamp, const GuardianList& list,
                                         const std::vector<Bytes>& signatures) {
  return encode_by_guardians(cancel, stamp, "cancelAsGuardians", list, signatures);
}

Bytes encode_approve(const Bytes32& digest) {
  static const core::AbiFunction function = core::parse_abi_function("approve(bytes32)").value();
  return function.encode({AbiValue(digest)}).value();
}

}  // namespace community::accounts
