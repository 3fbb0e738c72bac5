// SPDX-License-Identifier: Apache-2.0
// A core's first hour: keys and an empty tree in a store that holds nothing yet.
#include "trusted/core/core.hpp"
#include "trusted/hpke/hpke.hpp"

namespace community::trusted {

Error Core::provision(const Port& port, const std::uint8_t operator_key[64], Bytes32& channel_key) {
  std::size_t size = 0;
  base::Secret<kMaxState> existing;
  if (!port.store_read(port.context, existing.bytes, &size)) return Error::store_failed;
  if (size != 0) return Error::already_provisioned;
  State state;
  base::copy(state.operator_key, ByteView(operator_key, 64));
  state.root_key_count = 1;
  state.root_keys[0].version = 1;
  state.records_counted = 1;
  const bool random = port.random(port.context, state.core_id) && port.random(port.context, state.channel_key) &&
                      port.random(port.context, state.root_keys[0].key) &&
                      hpke::make_key_pair(port, state.hpke_secret, state.hpke_key);
  Error error = random ? make_identity_key(port, state) : Error::random_failed;
  if (error == Error::ok) error = save_state(port, state);
  if (error == Error::ok) channel_key = state.channel_key;
  base::wipe(state.channel_key);
  base::wipe(state.root_keys[0].key);
  base::wipe(state.hpke_secret);
  base::wipe(state.identity_secret);
  return error;
}

ByteView Core::provision_by_frame(const Port& port, ByteView frame, MutableByteView out) {
  // There is no key yet that could protect this frame; the MAC under a key of zeros only shows that it arrived whole.
  const Bytes32 no_key{};
  protocol::Frame in;
  protocol::ProvisionRequest request;
  const bool asked = protocol::open_frame(frame, no_key, in) == Error::ok &&
                     in.command == static_cast<std::uint16_t>(protocol::Command::provision) &&
                     protocol::decode(in.body, request);
  if (!asked) return {};
  base::Secret<32> channel_key;
  const Error error = provision(port, request.operator_key.data(), channel_key.bytes);
  Writer reply(out.subspan(protocol::kHeaderBytes, protocol::kMaxReplyFrame - protocol::kMinFrame));
  reply.number(static_cast<std::uint16_t>(error));
  if (error == Error::ok) reply.fixed(channel_key.bytes);
  return protocol::seal_frame(out, reply.size(), in.command | protocol::kReplyBit, in.request_id, 0, no_key);
}

}  // namespace community::trusted
