// SPDX-License-Identifier: Apache-2.0
#include "trusted/core/state.hpp"

namespace community::trusted {

Error load_state(const Port& port, State& state) {
  base::Secret<kMaxState> buffer;
  std::size_t size = 0;
  if (!port.store_read(port.context, buffer.bytes, &size) || size > kMaxState) return Error::store_failed;
  if (size == 0) return Error::not_provisioned;
  return protocol::decode(ByteView(buffer).first(size), state) ? Error::ok : Error::store_failed;
}

Error save_state(const Port& port, State& state) {
  base::Secret<kMaxState> buffer;
  state.revision++;
  const ByteView encoded = protocol::encode(state, buffer.bytes);
  if (!encoded.empty() && port.store_write(port.context, encoded)) return Error::ok;
  state.revision--;
  return Error::store_failed;
}

Error make_identity_key(const Port& port, State& state) {
  // Outside the range of a secret once in 2^128 times; a generator that gives it again is broken.
  for (int attempt = 0; attempt < 4; attempt++) {
    if (!port.random(port.context, state.identity_secret)) break;
    if (port.secp256k1_public_key(port.context, state.identity_secret, state.identity_key.data())) return Error::ok;
  }
  base::wipe(state.identity_secret);
  return Error::random_failed;
}

Error migrate_state(const Port& port, State& state) {
  if (state.format == kStateFormat) return Error::ok;
  const std::uint32_t before = state.format;
  const bool has_identity = before >= 3;
  Error error = has_identity ? Error::ok : make_identity_key(port, state);
  state.format = kStateFormat;
  if (error == Error::ok) error = save_state(port, state);
  if (error == Error::ok) return error;
  if (!has_identity) {
    base::wipe(state.identity_secret);
    state.identity_key = {};
  }
  state.format = before;
  return error;
}

}  // namespace community::trusted
