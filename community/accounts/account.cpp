// SPDX-License-Identifier: Apache-2.0
#include "community/accounts/api/account.hpp"

#include "community/accounts/passkey_values.hpp"
#include "trusted/base/keccak.hpp"
#include "trusted/ethereum/calls.hpp"
#include "trusted/webauthn/assertion.hpp"

namespace community::accounts {
namespace {

constexpr std::string_view kCallsType = "(address to,uint256 value,bytes data)[]";
constexpr std::string_view kClientDataStart = "{\"type\":\"webauthn.get\",\"challenge\":\"";
// base64url of 32 bytes
constexpr std::size_t kChallengeText = 43;
constexpr std::size_t kMaxTail = 1'024;
constexpr std::size_t kMinAuthenticatorData = 37, kMaxAuthenticatorData = 512;
constexpr std::uint8_t kDualKind = 0x01;
// spec/wire-formats.md, section 1
constexpr std::size_t kDayOffset = 2, kServerOffset = 6, kDualHeader = 137;
constexpr std::size_t kMaxCalls = 32;

// Order of P-256.
constexpr Bytes32 kOrder{0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff,
                         0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17,
                         0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51};

core::AbiType parse_type(std::string_view text) { return core::parse_abi_type(text).value(); }

// At most half the order, so that a signature has one form on chain.
Uint256 low_s(const Uint256& s) {
  const Uint256 order = Uint256::from_be(kOrder);
  const Uint256 other = *base::subtract(order, s);
  return other < s ? other : s;
}

// r || s || length || authenticator data || client data tail
Bytes assemble_passkey(const Bytes32& r, const Bytes32& s, ByteView authenticator_data, std::string_view tail) {
  Bytes out;
  core::append(out, r);
  core::append(out, s);
  std::array<std::uint8_t, 2> length;
  base::store_be(length.data(), static_cast<std::uint16_t>(authenticator_data.size()));
  core::append(out, length);
  core::append(out, authenticator_data);
  core::append(out, base::view(tail));
  return out;
}

Bytes assemble_dual(std::uint8_t slot, std::uint32_t day, ByteView server, ByteView passkey) {
  Bytes out(kServerOffset, 0);
  out[0] = kDualKind;
  out[1] = slot;
  base::store_be(out.data() + kDayOffset, day);
  core::append(out, server);
  core::append(out, passkey);
  return out;
}

}  // namespace

Address account_address(const Address& factory, const Bytes32& proxy_init_code_hash, ByteView init_data) {
  return core::create2_address(factory, base::keccak256(init_data), proxy_init_code_hash);
}

Bytes encode_create_account(ByteView init_data) {
  static const core::AbiFunction function = core::parse_abi_function("createAccount(bytes)").value();
  return function.encode({core::to_bytes(init_data)}).value();
}

Result<Bytes> encode_calls(const std::vector<Call>& calls) {
  using core::AbiValue;
  if (calls.empty() || calls.size() > kMaxCalls)
    return fail(ErrorCode::calls_invalid, "a batch has 1 to 32 calls, this one " + std::to_string(calls.size()));
  AbiValue::List list;
  for (const Call& call : calls) list.emplace_back(AbiValue::List{AbiValue(call.to), call.value, AbiValue(call.data)});
  static const core::AbiType type = parse_type(kCallsType);
  auto encoded = core::abi_encode({type}, {AbiValue(std::move(list))});
  if (!encoded) return fail(ErrorCode::calls_invalid, encoded.error().message);
  return std::move(*encoded);
}

Result<Bytes> encode_batch(const std::vector<Call>& calls) {
  using core::AbiValue;
  static const core::AbiFunction function = core::parse_abi_function("execute(bytes32,bytes)").value();
  auto batch = encode_calls(calls);
  if (!batch) return batch;
  auto encoded = function.encode({AbiValue(ethereum::kBatchMode), AbiValue(std::move(*batch))});
  if (!encoded) return fail(ErrorCode::calls_invalid, encoded.error().message);
  return std::move(*encoded);
}

Result<Bytes> encode_passkey_vote(const PasskeySignature& passkey) {
  const std::string_view client_data = base::text(passkey.client_data);
  const std::size_t tail_start = kClientDataStart.size() + kChallengeText;
  if (!client_data.starts_with(kClientDataStart) || client_data.size() <= tail_start || client_data[tail_start] != '"')
    return fail(ErrorCode::client_data_form, "the client data does not begin with type and challenge");
  const std::string_view tail = client_data.substr(tail_start);
  if (tail.size() > kMaxTail || passkey.authenticator_data.size() < kMinAuthenticatorData ||
      passkey.authenticator_data.size() > kMaxAuthenticatorData)
    return fail(ErrorCode::signature_part_too_long,
                "client data or authenticator data are longer than an account takes");
  const ByteView bytes(passkey.signature);
  const Uint256 order = Uint256::from_be(kOrder), s = Uint256::from_be(bytes.last(32));
  if (s.is_zero() || s >= order)
    return fail(ErrorCode::signature_out_of_range, "the passkey's signature has no valid s");
  Bytes32 r;
  base::copy(r, bytes.first(32));
  return assemble_passkey(r, low_s(s).to_be(), passkey.authenticator_data, tail);
}

Result<Bytes> encode_dual_signature(std::uint8_t passkey_slot, std::uint32_t day, const core::Signature& server,
                                    const PasskeySignature& passkey) {
  auto part = encode_passkey_vote(passkey);
  if (!part) return part;
  return assemble_dual(passkey_slot, day, server.to_rsv(), *part);
}

bool set_signature_day(Bytes& signature, std::uint32_t day) {
  if (signature.size() < kDualHeader || signature[0] != kDualKind) return false;
  base::store_be(signature.data() + kDayOffset, day);
  return true;
}

std::string client_data_for(const Bytes32& challenge, std::string_view origin) {
  const auto text = webauthn::base64url(challenge);
  std::string json(kClientDataStart);
  json.append(text.data(), text.size()).append("\",\"origin\":\"").append(origin).append("\",\"crossOrigin\":false}");
  return json;
}

Bytes dummy_dual_signature(std::string_view origin, std::uint32_t day) {
  // Chromium adds this member now and then (WebAuthn level 3, section 5.8.1: parsers must expect unknown members).
  constexpr std::string_view kExtra =
      ",\"other_keys_can_be_added_here\":\"do not compare clientDataJSON against a template. See "
      "https://goo.gl/yabPex\"}";
  std::string client_data = client_data_for({}, origin);
  client_data.pop_back();
  client_data.append(kExtra);
  std::array<std::uint8_t, kMinAuthenticatorData> authenticator_data{};
  authenticator_data[32] = webauthn::kUserPresent | webauthn::kUserVerified;
  std::array<std::uint8_t, 65> server;
  server.fill(0x11);
  server[64] = 27;
  Bytes32 number;
  number.fill(0x11);
  const std::string_view tail = std::string_view(client_data).substr(kClientDataStart.size() + kChallengeText);
  return assemble_dual(0, day, server, assemble_passkey(number, number, authenticator_data, tail));
}

}  // namespace community::accounts
