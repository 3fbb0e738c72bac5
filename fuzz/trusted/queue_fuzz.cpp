// SPDX-License-Identifier: Apache-2.0
// The readers of queue and confirm and of what they carry: what they accept is exactly what an encoder makes of the
// fields they read.
#include "fuzz/trusted/fuzz.hpp"
#include "trusted/tests/support/account.hpp"

using namespace community::trusted::testing;
namespace ethereum = community::ethereum;

namespace {

void check_content(ethereum::QueueKind kind, ByteView bytes) {
  const auto content = ethereum::read_queue_content(kind, bytes);
  if (!content) return;
  Bytes again;
  switch (kind) {
    case ethereum::QueueKind::spend:
      require(false, "a spend has no other content than calls");
      break;
    case ethereum::QueueKind::limit:
      again = join({abi_word(content->subject), abi_word(content->amount)});
      break;
    case ethereum::QueueKind::gas_cap:
      again = abi_word(content->amount);
      break;
    case ethereum::QueueKind::domain:
      again = to_bytes(content->domain);
      break;
    case ethereum::QueueKind::allowed_call:
      again = join({abi_word(content->subject), abi_selector(to_hex(content->selector))});
      break;
  }
  require(again == to_bytes(bytes), "one encoding of the content");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView input(data, size);
  for (std::uint8_t kind = 0; kind <= ethereum::kLastQueueKind; kind++)
    check_content(static_cast<ethereum::QueueKind>(kind), input);
  const auto call = ethereum::read_queue_call(input);
  if (!call) return 0;
  Bytes again = queue_call(call->kind, call->content, call->salt);
  // The reader looks behind the selector.
  community::base::copy(again, input.first(4));
  require(again == to_bytes(input), "one encoding of the call");
  return 0;
}
