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

// The host keeps one connection; the others let it come back before the guest has told us that the old one is gone, and
// leave a place to whoever has not proved the channel key yet.
constexpr std::size_t kMaxSessions = 4;

// What the panics of this file say, for the log of the secure world.
constexpr TEE_Result kPanicSecp256k1 = 0x53454350;

// What this build says of itself (tools/optee --machine). Only whoever builds it can know: an application cannot tell a
// board from its emulation.
#ifdef COMMUNITY_TA_ON_A_BOARD
constexpr protocol::Body kBody = protocol::Body::optee_device;
constexpr protocol::Protection kProtection = protocol::Protection::hardware;
#else
constexpr protocol::Body kBody = protocol::Body::optee_qemu;
constexpr protocol::Protection kProtection = protocol::Protection::emulated;
#endif

bool random(void*, MutableByteView out) {
  TEE_GenerateRandom(out.data(), out.size());
  return true;
}

Port make_port(bool& works) {
  Port port;
  port.body = kBody;
  port.protection = kProtection;
  port.random = random;
  use_secure_storage(port);
  use_attestation(port);
  use_rsa(port);
  works = use_embedded_crypto(port) && self_test_passes(port);
  return port;
}

struct Place {
  // The number of the session that has it; 0: free. The higher the later.
  std::uintptr_t number = 0;
  Session session;
  // A hello can be a repeated one; only who has the channel key can send the frame after it.
  bool proven() const { return !session.closed && session.received > 1; }
};

struct Body {
  bool works = false;
  // Nothing was ever written to this device: it may be provisioned.
  bool empty = false;
  Port port;
  Core core;
  std::array<Place, kMaxSessions> places;
  std::uintptr_t last_number = 0;
  Body() : port(make_port(works)), core(port) {}
};

// Made once and never destroyed: there is no run time here that would call a destructor.
alignas(Body) std::uint8_t body_memory[sizeof(Body)];
Body* instance = nullptr;

Body& body() { return *instance; }

// A place for a new session: a free one, else the oldest that never proved the channel key.
Place* find_place() {
  Place* found = nullptr;
  for (Place& place : body().places) {
    if (place.number == 0) return &place;
    if (!place.proven() && (found == nullptr || place.number < found->number)) found = &place;
  }
  return found;
}

// Nothing when it had to make way.
Place* place_of(void* session) {
  const auto number = reinterpret_cast<std::uintptr_t>(session);
  for (Place& place : body().places)
    if (number != 0 && place.number == number) return &place;
  return nullptr;
}

void leave(Place& place) {
  body().core.end(place.session);
  place.number = 0;
}

bool asks_for_keys(ByteView frame) {
  protocol::Frame in;
  return protocol::open_frame(frame, {}, in) == Error::ok &&
         in.command == static_cast<std::uint16_t>(protocol::Command::provision);
}

// Keys that were made and never used are made anew for whoever asks: the answer that carried the channel key may have
// been lost, and on a board nobody could reach them again.
void forget_unused_keys() {
  if (!secure_storage_unused() || !erase_secure_storage()) return;
  for (Place& place : body().places) {
    body().core.end(place.session);
    place.session.closed = true;
  }
  body().empty = body().core.start() == Error::not_provisioned;
}

// Answers a frame; a provision frame as long as there is no core that was used.
ByteView answer(Session& session, ByteView frame, MutableByteView out) {
  Core& core = body().core;
  if (core.ready() && !session.established && asks_for_keys(frame)) {
    forget_unused_keys();
    session.closed = false;
  }
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
  Place* place = find_place();
  if (place == nullptr) return nullptr;
  if (place->number != 0) leave(*place);
  place->number = ++body().last_number;
  place->session = {};
  return reinterpret_cast<void*>(place->number);
}

void body_close_session(void* session) {
  if (Place* place = place_of(session)) leave(*place);
}

size_t body_frames(void* session, const uint8_t* in, size_t in_size, uint8_t* out, size_t out_room, size_t* out_size,
                   uint32_t* closed) {
  *out_size = 0;
  *closed = 1;
  Place* place = place_of(session);
  if (place == nullptr) return 0;
  std::size_t used = 0;
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
