// SPDX-License-Identifier: Apache-2.0
// Frames of the channel between host and trusted core, and the session keys that keep a frame from being used on
// another connection, in the other direction or a second time. Both sides use this one source.
#pragma once
#include "trusted/base/sha2.hpp"
#include "trusted/protocol/protocol.hpp"

namespace community::protocol {

using base::Bytes32;
using base::ByteView;
using base::MutableByteView;

// u32 length of what follows | u16 version | u16 command | u64 request id | u64 sequence | body | 16 bytes MAC.
inline constexpr std::size_t kLengthBytes = 4;
inline constexpr std::size_t kHeaderBytes = kLengthBytes + 2 + 2 + 8 + 8;
inline constexpr std::size_t kMacBytes = 16;
inline constexpr std::size_t kMinFrame = kHeaderBytes + kMacBytes;
inline constexpr std::size_t kMaxBody = kMaxFrame - kMinFrame;

struct Frame {
  std::uint16_t command = 0;
  std::uint64_t request_id = 0;
  std::uint64_t sequence = 0;
  ByteView body;
};

// Bytes of the whole frame that begins at `in`, once its length field is there: 0 while it is incomplete. A length that
// no frame can have is answered as kMaxFrame + 1.
inline std::size_t frame_size(ByteView in) {
  if (in.size() < kLengthBytes) return 0;
  const std::size_t size = kLengthBytes + std::size_t{base::load_be<std::uint32_t>(in.data())};
  return size < kMinFrame || size > kMaxFrame ? kMaxFrame + 1 : size;
}

inline Bytes32 frame_mac(const Bytes32& key, ByteView frame_without_mac) {
  return base::hmac_sha256(key, {frame_without_mac});
}

// Writes header and MAC around the `body_size` bytes that already stand at `frame[kHeaderBytes]`.
inline ByteView seal_frame(MutableByteView frame, std::size_t body_size, std::uint16_t command,
                           std::uint64_t request_id, std::uint64_t sequence, const Bytes32& key) {
  const std::size_t signed_size = kHeaderBytes + body_size;
  base::store_be(frame.data(), static_cast<std::uint32_t>(signed_size + kMacBytes - kLengthBytes));
  base::store_be(frame.data() + 4, kProtocolVersion);
  base::store_be(frame.data() + 6, command);
  base::store_be(frame.data() + 8, request_id);
  base::store_be(frame.data() + 16, sequence);
  const Bytes32 mac = frame_mac(key, frame.first(signed_size));
  base::copy(frame.subspan(signed_size), ByteView(mac).first(kMacBytes));
  return frame.first(signed_size + kMacBytes);
}

// Checks shape, version and MAC of one whole frame; the sequence is the caller's to check.
inline Error open_frame(ByteView in, const Bytes32& key, Frame& frame) {
  if (in.size() < kMinFrame || in.size() > kMaxFrame || frame_size(in) != in.size()) return Error::malformed_frame;
  if (base::load_be<std::uint16_t>(in.data() + 4) != kProtocolVersion) return Error::unsupported_version;
  const ByteView signed_part = in.first(in.size() - kMacBytes);
  const Bytes32 mac = frame_mac(key, signed_part);
  if (!base::equal_constant_time(ByteView(mac).first(kMacBytes), in.last(kMacBytes))) return Error::bad_mac;
  frame.command = base::load_be<std::uint16_t>(in.data() + 6);
  frame.request_id = base::load_be<std::uint64_t>(in.data() + 8);
  frame.sequence = base::load_be<std::uint64_t>(in.data() + 16);
  frame.body = signed_part.subspan(kHeaderBytes);
  return Error::ok;
}

// Keys of one connection: one a direction, from the provisioned channel key and a fresh nonce of each side.
struct SessionKeys {
  Bytes32 to_core{};
  Bytes32 to_host{};
};

inline SessionKeys session_keys(const Bytes32& channel_key, const Bytes32& host_nonce, const Bytes32& core_nonce) {
  std::array<std::uint8_t, 64> salt;
  base::copy(salt, host_nonce);
  base::copy(MutableByteView(salt).subspan(32), core_nonce);
  SessionKeys keys;
  base::hkdf<base::Sha256>(channel_key, salt, base::view("community trusted core: host to core"), keys.to_core);
  base::hkdf<base::Sha256>(channel_key, salt, base::view("community trusted core: core to host"), keys.to_host);
  return keys;
}

// The hello of each side proves the channel key. The core's answers the host's nonce, so an old answer is worthless.
inline Bytes32 hello_key(const Bytes32& channel_key, ByteView host_nonce_or_empty) {
  return base::hmac_sha256(channel_key, {base::view("community trusted core: hello"), host_nonce_or_empty});
}

}  // namespace community::protocol
