// SPDX-License-Identifier: Apache-2.0
#include "trusted/tests/support/channel.hpp"

namespace community::trusted::testing {

Bytes make_frame(const Bytes32& key, std::uint16_t command, std::uint64_t request_id, std::uint64_t sequence,
                 ByteView body) {
  Bytes frame(protocol::kMinFrame + body.size());
  base::copy(base::MutableByteView(frame).subspan(protocol::kHeaderBytes), body);
  protocol::seal_frame(frame, body.size(), command, request_id, sequence, key);
  return frame;
}

Bytes HostChannel::hello() {
  base::copy(nonce_, nonces_.bytes(32));
  return make_frame(protocol::hello_key(channel_key_, {}), static_cast<std::uint16_t>(Command::hello), ++request_id_, 0,
                    nonce_);
}

bool HostChannel::established(ByteView reply) {
  protocol::Frame frame;
  protocol::Hello core;
  if (protocol::open_frame(reply, protocol::hello_key(channel_key_, nonce_), frame) != Error::ok ||
      frame.command != (static_cast<std::uint16_t>(Command::hello) | protocol::kReplyBit) ||
      !protocol::decode(frame.body, core))
    return false;
  keys_ = protocol::session_keys(channel_key_, nonce_, core.nonce);
  sent_ = received_ = 1;
  return true;
}

Bytes HostChannel::request(Command command, ByteView body) {
  return request_at(sent_++, static_cast<std::uint16_t>(command), body);
}

Bytes HostChannel::request_at(std::uint64_t sequence, std::uint16_t command, ByteView body) {
  return make_frame(keys_.to_core, command, ++request_id_, sequence, body);
}

std::optional<Reply> HostChannel::reply(ByteView bytes) {
  protocol::Frame frame;
  if (protocol::open_frame(bytes, keys_.to_host, frame) != Error::ok || frame.sequence != received_ ||
      frame.body.size() < 2)
    return std::nullopt;
  received_++;
  Reply reply;
  reply.error = static_cast<Error>(base::load_be<std::uint16_t>(frame.body.data()));
  reply.body = to_bytes(frame.body.subspan(2));
  reply.request_id = frame.request_id;
  reply.command = frame.command;
  return reply;
}

}  // namespace community::trusted::testing
