// SPDX-License-Identifier: Apache-2.0
// What an account calls on itself, and the call of a session operation (spec/account.md, sections 3 and 4), read in
// their one canonical encoding.
#pragma once
#include "trusted/base/keccak.hpp"
#include "trusted/ethereum/selectors.hpp"

namespace community::ethereum {

// queue(uint8,bytes,uint256), confirm(uint8,bytes,uint256)
inline constexpr Selector kQueue{0x78, 0x1d, 0x7f, 0xb0};
inline constexpr Selector kConfirm{0xd6, 0xfd, 0x29, 0xb3};
// createGrant((address,bytes4[],uint128,uint128,uint48,uint48,address,uint256)), and executeSession of such a grant and
// of bytes
inline constexpr Selector kCreateGrant{0xd8, 0x59, 0xae, 0xa9};
inline constexpr Selector kExecuteSession{0xb7, 0xb1, 0x2d, 0xda};

inline bool is_self_call(ByteView data) {
  if (data.size() < 4) return false;
  const Selector selector = selector_of(data);
  return selector == kQueue || selector == kConfirm || selector == kCreateGrant;
}

enum class QueueKind : std::uint8_t { spend = 0, limit = 1, gas_cap = 2, domain = 3, allowed_call = 4 };
inline constexpr std::uint8_t kLastQueueKind = 4;

struct QueueCall {
  // Any number a uint8 has: not all are a QueueKind.
  std::uint8_t kind = 0;
  ByteView content;
  Uint256 salt;
};

// The arguments of `queue` or `confirm`.
inline std::optional<QueueCall> read_queue_call(ByteView data) {
  if (data.size() < 4) return std::nullopt;
  auto arguments = AbiTuple::open(data.subspan(4), 3);
  if (!arguments || !base::is_zero(arguments->word(0).first(31))) return std::nullopt;
  const auto content = arguments->bytes(1);
  if (!content || !arguments->finished()) return std::nullopt;
  return QueueCall{arguments->word(0).back(), *content, arguments->number(2)};
}

// Content of a kind that is no batch of calls; each kind uses its members.
struct QueueContent {
  // Token of a limit, target of an allowed call
  Address subject{};
  // Limit a day, or largest cost of an operation
  Uint256 amount;
  Bytes32 domain{};
  Selector selector{};
};

// bytes4 in a word.
inline std::optional<Selector> read_selector_word(ByteView word) {
  if (!base::is_zero(word.subspan(4))) return std::nullopt;
  return selector_of(word);
}

inline std::optional<QueueContent> read_queue_content(QueueKind kind, ByteView content) {
  const std::size_t words = kind == QueueKind::limit || kind == QueueKind::allowed_call ? 2 : 1;
  const auto fields = AbiTuple::open(content, words);
  if (kind == QueueKind::spend || !fields || content.size() != 32 * words) return std::nullopt;
  QueueContent result;
  if (kind == QueueKind::domain) result.domain = fields->bytes32(0);
  if (kind == QueueKind::gas_cap) result.amount = fields->number(0);
  if (words == 1) return result;
  const auto subject = fields->address(0);
  if (!subject) return std::nullopt;
  result.subject = *subject;
  if (kind == QueueKind::limit) {
    result.amount = fields->number(1);
    return result;
  }
  const auto selector = read_selector_word(fields->word(1));
  if (!selector) return std::nullopt;
  result.selector = *selector;
  return result;
}

inline constexpr std::size_t kMaxGrantSelectors = 8;

struct Grant {
  Address target{};
  std::uint16_t selector_count = 0;
  std::array<Selector, kMaxGrantSelectors> selectors{};
  // wei, uint128
  Uint256 value_per_call, value_total;
  // Seconds since 1970, uint48
  std::uint64_t valid_after = 0, valid_until = 0;
  Address paymaster{};
  Uint256 salt;

  bool names(const Selector& selector) const {
    for (std::size_t i = 0; i < selector_count; i++)
      if (selectors[i] == selector) return true;
    return false;
  }
};

// keccak256(abi.encode(grant)), from the encoding of the struct itself.
inline Bytes32 grant_hash(ByteView encoded_grant) { return base::keccak256({Uint256(32).to_be(), encoded_grant}); }

// Bytes that a Grant with the count at the end of its head takes; nothing when `data` is too short to hold the count.
inline std::optional<std::size_t> grant_size(ByteView data) {
  constexpr std::size_t kHead = 8 * 32;
  if (data.size() < kHead + 32) return std::nullopt;
  const auto count = AbiTuple::small(data.subspan(kHead, 32));
  if (!count || *count == 0 || *count > kMaxGrantSelectors) return std::nullopt;
  return kHead + 32 + 32 * *count;
}

// Reads exactly one encoded Grant of 1 to 8 selectors; their order and everything else is the caller's to judge.
inline std::optional<Grant> read_grant(ByteView encoded) {
  auto fields = AbiTuple::open(encoded, 8);
  if (!fields) return std::nullopt;
  const auto target = fields->address(0);
  const auto paymaster = fields->address(6);
  const auto selectors = fields->static_array(1, 1);
  if (!target || !paymaster || !selectors || !fields->finished()) return std::nullopt;
  if (selectors->count == 0 || selectors->count > kMaxGrantSelectors) return std::nullopt;
  Grant grant;
  grant.target = *target;
  grant.paymaster = *paymaster;
  for (std::size_t i = 0; i < selectors->count; i++) {
    const auto selector = read_selector_word(selectors->elements.subspan(32 * i, 32));
    if (!selector) return std::nullopt;
    grant.selectors[grant.selector_count++] = *selector;
  }
  grant.value_per_call = fields->number(2);
  grant.value_total = fields->number(3);
  if (!grant.value_per_call.fits_u128() || !grant.value_total.fits_u128()) return std::nullopt;
  for (const std::size_t time : {4u, 5u})
    if (!base::is_zero(fields->word(time).first(26))) return std::nullopt;
  grant.valid_after = fields->number(4).limb[0];
  grant.valid_until = fields->number(5).limb[0];
  grant.salt = fields->number(7);
  return grant;
}

struct GrantCall {
  Grant grant;
  Bytes32 hash{};
  // abi.encode(Call[]) of a session operation
  ByteView execution_data;
};

// The argument of `createGrant`.
inline std::optional<GrantCall> read_create_grant(ByteView data) {
  if (data.size() < 4 || selector_of(data) != kCreateGrant) return std::nullopt;
  auto arguments = AbiTuple::open(data.subspan(4), 1);
  const auto encoded = arguments ? arguments->tuple(0, data.size() - 4 - 32) : std::nullopt;
  const auto grant = encoded ? read_grant(*encoded) : std::nullopt;
  if (!grant) return std::nullopt;
  return GrantCall{*grant, grant_hash(*encoded), {}};
}

// The arguments of `executeSession`.
inline std::optional<GrantCall> read_execute_session(ByteView call_data) {
  if (call_data.size() < 4 || selector_of(call_data) != kExecuteSession) return std::nullopt;
  auto arguments = AbiTuple::open(call_data.subspan(4), 2);
  if (!arguments) return std::nullopt;
  const auto size = grant_size(call_data.subspan(4 + 64));
  const auto encoded = size ? arguments->tuple(0, *size) : std::nullopt;
  const auto grant = encoded ? read_grant(*encoded) : std::nullopt;
  const auto execution_data = grant ? arguments->bytes(1) : std::nullopt;
  if (!execution_data || !arguments->finished()) return std::nullopt;
  return GrantCall{*grant, grant_hash(*encoded), *execution_data};
}

}  // namespace community::ethereum
