// SPDX-License-Identifier: Apache-2.0
#include "community/accounts/api/items.hpp"

#include "community/core/abi.hpp"

namespace community::accounts {
namespace {

using core::AbiValue;
using Values = std::vector<AbiValue>;

constexpr std::string_view kPasskeys = "(uint256,uint256,bytes32)[]";
constexpr std::string_view kEnd = ",(uint32,uint256,uint48),(uint8,bytes)[])";
constexpr std::string_view kGuardiansEnd = ",(uint32,uint256,uint48),(bytes32,bytes[],bytes[]))";

std::uint64_t small(const AbiValue& value) { return value.word().limb[0]; }

Bytes32 word(const AbiValue& value) {
  Bytes32 out{};
  base::copy(out, value.bytes());
  return out;
}

std::vector<InitPasskey> passkeys_of(const AbiValue& list) {
  std::vector<InitPasskey> passkeys;
  for (const AbiValue& one : list.list()) {
    InitPasskey passkey;
    base::copy(passkey.public_key, one[0].word().to_be());
    base::copy(base::MutableByteView(passkey.public_key).subspan(32), one[1].word().to_be());
    passkey.rp_id_hash = word(one[2]);
    passkeys.push_back(passkey);
  }
  return passkeys;
}

Stamp stamp_of(const AbiValue& value) {
  return {static_cast<std::uint32_t>(small(value[0])), value[1].word(), small(value[2])};
}

std::vector<Uint256> numbers_of(const AbiValue& list) {
  std::vector<Uint256> numbers;
  for (const AbiValue& one : list.list()) numbers.push_back(one.word());
  return numbers;
}

// A function that starts an item, and how its arguments become one.
struct Starter {
  std::string signature;
  StartedItem (*read)(const Values& arguments);
};

StartedItem read_unfreeze(const Values& a) {
  return StartedAction{Unfreeze{static_cast<std::uint8_t>(small(a[0]))}, stamp_of(a[1])};
}
StartedItem read_change_keys(const Values& a) {
  const AbiValue& change = a[0];
  return StartedAction{ChangeKeys{numbers_of(change[0]), passkeys_of(change[1]), change[2].address(),
                                  change[3].address(), static_cast<std::uint8_t>(small(change[4]))},
                       stamp_of(a[1])};
}
StartedItem read_change_rules(const Values& a) {
  const AbiValue& change = a[0];
  ChangeRules rules;
  rules.guardians_hash = word(change[0]);
  rules.guardian_threshold = static_cast<std::uint8_t>(small(change[1]));
  rules.recovery_delay_s = static_cast<std::uint32_t>(small(change[2]));
  rules.strict = small(change[3]) != 0;
  rules.unlisted_tokens = small(change[4]) != 0;
  rules.votes = static_cast<std::uint8_t>(small(change[5]));
  return StartedAction{rules, stamp_of(a[1])};
}
StartedItem read_escape(const Values& a) {
  return StartedAction{Escape{passkeys_of(a[0]), a[1].address(), static_cast<std::uint8_t>(small(a[2]))},
                       stamp_of(a[3])};
}
StartedItem read_recover(const Values& a) {
  return StartedAction{Recover{passkeys_of(a[0]), a[1].address(), a[2].address()}, stamp_of(a[3])};
}
StartedItem read_upgrade(const Values& a) { return StartedAction{Upgrade{a[0].address(), word(a[1])}, stamp_of(a[2])}; }
StartedItem read_queue(const Values& a) {
  return Queued{static_cast<QueueKind>(small(a[0])), a[1].bytes(), a[2].word()};
}

const std::vector<std::pair<core::AbiFunction, StartedItem (*)(const Values&)>>& starters() {
  static const auto table = [] {
    const std::string end(kEnd), passkeys(kPasskeys);
    const Starter all[] = {
        {"unfreeze(uint8" + end, read_unfreeze},
        {"changeKeys((uint256[]," + passkeys + ",address,address,uint8)" + end, read_change_keys},
        {"changeRules((bytes32,uint8,uint32,bool,bool,uint8)" + end, read_change_rules},
        {"escape(" + passkeys + ",address,uint8" + end, read_escape},
        {"recover(" + passkeys + ",address,address" + std::string(kGuardiansEnd), read_recover},
        {"upgrade(address,bytes32" + end, read_upgrade},
        {"queue(uint8,bytes,uint256)", read_queue},
    };
    std::vector<std::pair<core::AbiFunction, StartedItem (*)(const Values&)>> made;
    for (const Starter& one : all) made.emplace_back(core::parse_abi_function(one.signature).value(), one.read);
    return made;
  }();
  return table;
}

}  // namespace

Result<StartedItem> read_started_item(ByteView call) {
  for (const auto& [function, read] : starters()) {
    const auto arguments = function.decode(call);
    if (!arguments) continue;
    StartedItem item = read(*arguments);
    const auto* queued = std::get_if<Queued>(&item);
    if (queued != nullptr && queued->kind > QueueKind::allowed_call) break;
    return item;
  }
  return fail(ErrorCode::action_invalid, "the call starts nothing that waits");
}

Bytes32 item_id(const AccountOnChain& where, std::uint32_t key_epoch, const StartedItem& item) {
  if (const auto* queued = std::get_if<Queued>(&item)) return queued_id(where, key_epoch, *queued);
  const auto& started = std::get<StartedAction>(item);
  return action_digest(where, started.action, started.stamp);
}

Result<Grant> read_grant(ByteView call) {
  static const auto function =
      core::parse_abi_function("createGrant((address,bytes4[],uint128,uint128,uint48,uint48,address,uint256))").value();
  const auto arguments = function.decode(call);
  if (!arguments) return fail(ErrorCode::grant_invalid, arguments.error().text());
  const AbiValue& fields = arguments->front();
  Grant grant;
  grant.target = fields[0].address();
  for (const AbiValue& one : fields[1].list()) {
    std::array<std::uint8_t, 4> selector{};
    base::copy(selector, one.bytes());
    grant.selectors.push_back(selector);
  }
  grant.value_per_call = fields[2].word();
  grant.value_total = fields[3].word();
  grant.valid_after_s = small(fields[4]);
  grant.valid_until_s = small(fields[5]);
  grant.paymaster = fields[6].address();
  grant.salt = fields[7].word();
  return grant;
}

Result<std::vector<Call>> read_calls(ByteView encoded) {
  static const auto types = core::parse_abi_parameters("(address,uint256,bytes)[]").value();
  const auto values = core::abi_decode(types, encoded);
  if (!values) return fail(ErrorCode::calls_invalid, values.error().text());
  std::vector<Call> calls;
  for (const AbiValue& one : values->front().list()) calls.push_back({one[0].address(), one[1].word(), one[2].bytes()});
  return calls;
}

}  // namespace community::accounts
