// SPDX-License-Identifier: Apache-2.0
#include "trusted/tests/support/memory_store.hpp"

#include <utility>

#include "trusted/process/crypto.hpp"

namespace community::trusted::testing {

Port MemoryStore::port() {
  Port port;
  use_software_crypto(port);
  port.context = this;
  port.body = body_;
  port.protection = protection_;
  port.random = random;
  port.store_read = read;
  port.store_write = write;
  if (quotes_ != nullptr) port.quote = quote;
  return port;
}

bool MemoryStore::read(void* context, MutableByteView out, std::size_t* size) {
  auto* self = static_cast<MemoryStore*>(context);
  if (!self->powered_ || self->contents_.size() > out.size()) return false;
  *size = self->contents_.size();
  base::copy(out, self->contents_);
  return true;
}

bool MemoryStore::write(void* context, ByteView state) {
  auto* self = static_cast<MemoryStore*>(context);
  if (!self->powered_) return false;
  if (self->countdown_ != 0 && --self->countdown_ == 0) {
    const Fault fault = std::exchange(self->fault_, Fault::none);
    if (fault == Fault::cut_after) self->before_ = std::exchange(self->contents_, to_bytes(state));
    if (fault != Fault::refuse) self->powered_ = false;
    return false;
  }
  self->writes_++;
  self->before_ = std::exchange(self->contents_, to_bytes(state));
  return true;
}

bool MemoryStore::random(void* context, MutableByteView out) {
  auto* self = static_cast<MemoryStore*>(context);
  if (self->random_fails_) return false;
  base::copy(out, self->random_.bytes(out.size()));
  return true;
}

bool MemoryStore::quote(void* context, protocol::QuoteKind kind, const Bytes32& report, protocol::Quote& out) {
  return static_cast<MemoryStore*>(context)->quotes_->quote(kind, report, out);
}

}  // namespace community::trusted::testing
