// SPDX-License-Identifier: Apache-2.0
// Init data both ways, with the rules of the factory: an account that breaks one can be paid to and never deployed.
#include <algorithm>
#include <set>

#include "community/accounts/api/account.hpp"
#include "community/accounts/passkey_values.hpp"
#include "community/core/ecdsa.hpp"

namespace community::accounts {
namespace {

using core::AbiValue;

constexpr std::string_view kInitType =
    "((uint256 x,uint256 y,bytes32 rpIdHash)[] passkeys,address serverKey,address escapeKey,bytes32 guardiansHash,"
    "uint8 guardianThreshold,uint32 recoveryDelay,bool strict,(uint256 chainId,uint256 maxCost)[] gasCaps,"
    "(uint256 chainId,address token,uint256 perDay)[] limits,uint256 salt)";
constexpr std::size_t kMaxPasskeys = 8, kMaxRows = 32;
constexpr std::uint32_t kMinRecoveryDelay_s = 24 * 60 * 60;

const core::AbiType& init_type() {
  static const core::AbiType type = core::parse_abi_type(kInitType).value();
  return type;
}

tl::unexpected<Error> wrong(std::string what) { return fail(ErrorCode::init_data_invalid, std::move(what)); }

Bytes32 word(const AbiValue& value) {
  Bytes32 out{};
  base::copy(out, value.bytes());
  return out;
}

Result<std::uint64_t> chain_of(const AbiValue& value) {
  const auto id = value.word().to_u64();
  if (!id || *id == 0) return wrong("a row names no chain that this program knows numbers for");
  return *id;
}

}  // namespace

core::AbiValue passkeys_value(const std::vector<InitPasskey>& passkeys) {
  AbiValue::List list;
  for (const InitPasskey& passkey : passkeys) {
    const ByteView key(passkey.public_key);
    list.emplace_back(
        AbiValue::List{Uint256::from_be(key.first(32)), Uint256::from_be(key.last(32)), AbiValue(passkey.rp_id_hash)});
  }
  return AbiValue(std::move(list));
}

Result<void> check_keys(const std::vector<InitPasskey>& passkeys, const Address& server_key,
                        const Address& escape_key) {
  if (passkeys.empty() || passkeys.size() > kMaxPasskeys) return wrong("an account has one to eight passkeys");
  std::set<Uint256> seen;
  for (const InitPasskey& passkey : passkeys) {
    if (!core::is_p256_point(passkey.public_key)) return wrong("a passkey is no point of P-256");
    if (base::is_zero(passkey.rp_id_hash)) return wrong("a passkey has no relying party");
    if (!seen.insert(Uint256::from_be(ByteView(passkey.public_key).first(32))).second)
      return wrong("two passkeys have one x coordinate");
  }
  if (base::is_zero(server_key) || base::is_zero(escape_key)) return wrong("the server key or the escape key is zero");
  if (server_key == escape_key) return wrong("server key and escape key are the same");
  return {};
}

Result<void> check_init(const AccountInit& init) {
  if (auto keys = check_keys(init.passkeys, init.server_key, init.escape_key); !keys) return keys;
  if ((init.guardian_threshold == 0) != base::is_zero(init.guardians_hash))
    return wrong("guardians and their threshold belong together");
  if (init.guardian_threshold > kMaxGuardians) return wrong("the guardians' threshold is higher than there can be");
  if (init.recovery_delay_s < kMinRecoveryDelay_s) return wrong("a recovery takes a day at least");
  if (init.gas_caps.size() > kMaxRows || init.limits.size() > kMaxRows) return wrong("there are more than 32 rows");
  std::set<std::uint64_t> chains;
  for (const GasCap& cap : init.gas_caps)
    if (cap.chain_id == 0 || !chains.insert(cap.chain_id).second) return wrong("two gas caps of one chain, or of none");
  std::set<std::pair<std::uint64_t, Address>> tokens;
  for (const SpendingLimit& limit : init.limits)
    if (limit.chain_id == 0 || !tokens.insert({limit.chain_id, limit.token}).second)
      return wrong("two limits of one token on one chain, or of no chain");
  return {};
}

Result<Bytes> encode_init_data(const AccountInit& init) {
  if (init.passkeys.empty() || init.passkeys.size() > kMaxPasskeys)
    return fail(ErrorCode::init_data_invalid, "an account has one to eight passkeys");
  AbiValue::List gas_caps, limits;
  for (const GasCap& cap : init.gas_caps) gas_caps.emplace_back(AbiValue::List{cap.chain_id, cap.max_cost});
  for (const SpendingLimit& limit : init.limits)
    limits.emplace_back(AbiValue::List{limit.chain_id, AbiValue(limit.token), limit.per_day});
  AbiValue value(AbiValue::List{passkeys_value(init.passkeys), AbiValue(init.server_key), AbiValue(init.escape_key),
                                AbiValue(init.guardians_hash), std::uint64_t{init.guardian_threshold},
                                std::uint64_t{init.recovery_delay_s}, std::uint64_t{init.strict},
                                AbiValue(std::move(gas_caps)), AbiValue(std::move(limits)), init.salt});
  auto encoded = core::abi_encode({init_type()}, {std::move(value)});
  if (!encoded) return wrong(encoded.error().message);
  return std::move(*encoded);
}

Result<AccountInit> read_init_data(ByteView init_data) {
  auto values = core::abi_decode({init_type()}, init_data);
  if (!values) return wrong(values.error().text());
  const AbiValue& fields = values->front();
  AccountInit init;
  for (const AbiValue& one : fields[0].list()) {
    InitPasskey passkey;
    base::copy(passkey.public_key, one[0].word().to_be());
    base::copy(base::MutableByteView(passkey.public_key).subspan(32), one[1].word().to_be());
    passkey.rp_id_hash = word(one[2]);
    init.passkeys.push_back(passkey);
  }
  init.server_key = fields[1].address();
  init.escape_key = fields[2].address();
  init.guardians_hash = word(fields[3]);
  init.guardian_threshold = static_cast<std::uint8_t>(fields[4].word().limb[0]);
  init.recovery_delay_s = static_cast<std::uint32_t>(fields[5].word().limb[0]);
  init.strict = !fields[6].word().is_zero();
  for (const AbiValue& one : fields[7].list()) {
    const auto chain = chain_of(one[0]);
    if (!chain) return tl::unexpected(chain.error());
    init.gas_caps.push_back({*chain, one[1].word()});
  }
  for (const AbiValue& one : fields[8].list()) {
    const auto chain = chain_of(one[0]);
    if (!chain) return tl::unexpected(chain.error());
    init.limits.push_back({*chain, one[1].address(), one[2].word()});
  }
  init.salt = fields[9].word();
  if (auto checked = check_init(init); !checked) return tl::unexpected(std::move(checked.error()));
  return init;
}

}  // namespace community::accounts
