// SPDX-License-Identifier: Apache-2.0
// The host's end of one connection: hello, frames, sequences. It carries no bytes itself, so that tests can hold them
// back, repeat them or change them on the way.
#pragma once
#include <optional>
#include <ostream>

#include "trusted/protocol/frame.hpp"
#include "trusted/protocol/messages.hpp"
#include "trusted/tests/support/bytes.hpp"

namespace community::protocol {

// Lets a failed assertion say the error's name.
inline void PrintTo(Error error, std::ostream* out) { *out << name(error); }

}  // namespace community::protocol

namespace community::trusted::testing {

using protocol::Command;
using protocol::Error;

// An answer of the core: the error, and what follows it when that is ok.
struct Reply {
  Error error = Error::ok;
  Bytes body;
  std::uint64_t request_id = 0;
  std::uint16_t command = 0;
};

template <class Message>
Bytes encoded(const Message& message) {
  // Made once: clearing it for each message would take longer than the core does.
  static Bytes buffer(protocol::kMaxBody);
  const ByteView out = protocol::encode(message, buffer);
  return to_bytes(out);
}

class HostChannel {
 public:
  explicit HostChannel(const Bytes32& channel_key, std::uint64_t nonce_seed = 7)
      : channel_key_(channel_key), nonces_(nonce_seed) {}

  // The first frame of a connection.
  Bytes hello();
  // Takes the core's answer to it; false when it does not prove the channel key.
  bool established(ByteView reply);

  // The next request, framed. The overload with a sequence lets a test send what a real host never would.
  Bytes request(Command command, ByteView body);
  Bytes request_at(std::uint64_t sequence, std::uint16_t command, ByteView body);
  // The core's next answer; nothing when the frame is not one.
  std::optional<Reply> reply(ByteView frame);

  const protocol::SessionKeys& keys() const { return keys_; }
  std::uint64_t last_request_id() const { return request_id_; }

 private:
  Bytes32 channel_key_;
  Random nonces_;
  Bytes32 nonce_{};
  protocol::SessionKeys keys_;
  std::uint64_t sent_ = 0;
  std::uint64_t received_ = 0;
  std::uint64_t request_id_ = 100;
};

// A frame with the header fields given and the MAC of `key`.
Bytes make_frame(const Bytes32& key, std::uint16_t command, std::uint64_t request_id, std::uint64_t sequence,
                 ByteView body);

}  // namespace community::trusted::testing
