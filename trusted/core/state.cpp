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

Error save_state(const Port& port, const State& state) {
  base::Secret<kMaxState> buffer;
  const ByteView encoded = protocol::encode(state, buffer.bytes);
  if (encoded.empty() || !port.store_write(port.context, encoded)) return Error::store_failed;
  return Error::ok;
}

}  // namespace community::trusted
