// SPDX-License-Identifier: Apache-2.0
// Frames of whoever does not hold the channel key: nothing they send is answered with more than a refusal, and nothing
// changes.
#include "fuzz/trusted/fuzz.hpp"
#include "trusted/tests/support/world.hpp"

using namespace community::trusted::testing;
namespace protocol = community::protocol;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static World world;
  static const Bytes state = world.host.store.contents();
  Input input({data, size});
  const bool established = (input.byte() & 1) != 0;
  require(world.host.reconnect(), "the host connects");
  community::trusted::Session fresh;
  community::trusted::Session& session = established ? world.host.session() : fresh;
  static Bytes out(protocol::kMaxReplyFrame);
  while (!input.empty() && !session.closed) {
    const ByteView reply = world.host.core().handle(session, input.take(input.size16()), out);
    require(session.closed, "a frame without the key closes the session");
    require(established || reply.empty(), "a stranger gets no answer");
    require(reply.size() <= protocol::kMinFrame + 2, "the answer is a bare refusal");
  }
  require(world.host.store.contents() == state, "the state is as it was");
  return 0;
}
