// SPDX-License-Identifier: Apache-2.0
// The OP-TEE body: one core, a few sessions, frames in, answers out.
#include "ta/port/body.h"

#include <new>

#include "ta/port/crypto.hpp"
#include "ta/port/gp_api.hpp"
#include "ta/port/gp_quote.hpp"
#include "ta/port/gp_rsa.hpp"
#include "ta/port/gp_store.hpp"
#include "trusted/core/core.hpp"
#include "trusted/port/self_test.hpp"

namespace community::trusted {
namespace {

// The host keeps one connection; the others let it come back before the guest has told us that the old one is gone.
constexpr std::size_t kMaxSessions = 4;

// What the panics of this file say, for the log of the secure world.
constexpr TEE_Result kPanicSecp256k1 = 0x53454350;

bool random(void*, MutableByteView out) {
  TEE_GenerateRandom(out.data(), out.size());
  return true;
}

Port make_port(bool& works) {
  Port port;
  port.body = protocol::Body::optee_qemu;
  port.protection = protocol::Protection::emulated;
  port.random = random;
  use_secure_storage(port);
  use_attestation(port);
  use_rsa(port);
  works = use_embedded_crypto(port) && self_test_passes(port);
  return port;
}

struct Place {
  bool taken = false;
  Session session;
};

struct Body {
  bool works = false;
  // Nothing was ever written to this device: it may be provisioned.
  bool empty = false;
  Port port;
  Core core;
  std::array<Place, kMaxSessions> places;
  Body() : port(make_port(works)), core(port) {}
};

// Made once and never destroyed: there is no run time here that would call a destructor.
alignas(Body) std::uint8_t body_memory[sizeof(Body)];
Body* instance = nullptr;

Body& body() { return *instance; }

// Answers a frame; a provision frame as long as there is no core.
ByteView answer(Session& session, ByteView frame, MutableByteView out) {
  Core& core = body().core;
  if (core.ready() || !body().empty) return core.handle(session, frame, out);
  const ByteView reply = Core::provision_by_frame(body().port, frame, out);
  body().empty = core.start() == Error::not_provisioned;
  if (reply.empty() || !core.ready()) session.closed = true;
  return reply;
}

}  // namespace
}  // namespace community::trusted

using namespace community;
using namespace community::trusted;

uint32_t body_create(void) {
  if (instance == nullptr) instance = new (body_memory) Body;
  if (!body().works) return TEE_ERROR_GENERIC;
  const protocol::Error error = body().core.start();
  body().empty = error == protocol::Error::not_provisioned;
  return error == protocol::Error::ok || body().empty ? TEE_SUCCESS : TEE_ERROR_CORRUPT_OBJECT;
}

void* body_open_session(void) {
  for (Place& place : body().places) {
    if (place.taken) continue;
    place.taken = true;
    place.session = {};
    return &place;
  }
  return nullptr;
}

void body_close_session(void* session) {
  auto* place = static_cast<Place*>(session);
  if (place == nullptr) return;
  body().core.end(place->session);
  place->taken = false;
}

size_t body_frames(void* session, const uint8_t* in, size_t in_size, uint8_t* out, size_t out_room, size_t* out_size,
                   uint32_t* closed) {
  auto* place = static_cast<Place*>(session);
  std::size_t used = 0;
  *out_size = 0;
  while (!place->session.closed && out_room - *out_size >= protocol::kMaxReplyFrame) {
    const ByteView rest(in + used, in_size - used);
    const std::size_t size = protocol::frame_size(rest);
    // The bridge hands over whole frames only; anything else is not from it.
    if (!rest.empty() && (size == 0 || size > rest.size())) place->session.closed = true;
    if (size == 0 || size > rest.size()) break;
    const MutableByteView room(out + *out_size, out_room - *out_size);
    *out_size += answer(place->session, rest.first(size), room).size();
    used += size;
  }
  *closed = place->session.closed ? 1 : 0;
  return used;
}

// libsecp256k1 calls these when it is used wrongly or its self-test fails: a bug, after which nothing may be signed.
extern "C" void secp256k1_default_illegal_callback_fn(const char*, void*) { TEE_Panic(kPanicSecp256k1); }
extern "C" void secp256k1_default_error_callback_fn(const char*, void*) { TEE_Panic(kPanicSecp256k1); }
