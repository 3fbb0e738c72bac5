// SPDX-License-Identifier: Apache-2.0
// Sealed records: no bytes but those the core sealed open; and the layouts inside have one encoding.
#include "fuzz/trusted/fuzz.hpp"
#include "trusted/tests/support/world.hpp"

using namespace community::trusted;
using namespace community::trusted::testing;
namespace protocol = community::protocol;

namespace {

template <class Message>
void one_encoding(ByteView input) {
  auto message = std::make_unique<Message>();
  if (protocol::decode(input, *message)) require(encoded(*message) == to_bytes(input), "one encoding");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static World world;
  static const Port port = world.host.store.port();
  const ByteView input(data, size);
  one_encoding<WalletRecord>(input);
  one_encoding<KeyRecord>(input);
  one_encoding<State>(input);
  one_encoding<protocol::Configuration>(input);
  one_encoding<protocol::WalletChange>(input);
  one_encoding<protocol::SignUseropRequest>(input);
  one_encoding<protocol::SignTypedDataRequest>(input);
  one_encoding<protocol::SignAccountMessageRequest>(input);
  one_encoding<protocol::SealedRequest>(input);
  one_encoding<protocol::AttestRequest>(input);
  one_encoding<protocol::AttestReply>(input);
  one_encoding<protocol::StatusReply>(input);
  one_encoding<protocol::RootKeyOrderRequest>(input);
  one_encoding<protocol::CountRecordsRequest>(input);

  // The header is good, the rest is the input's; or the input is changes to a good record.
  Bytes sealed = world.wallet.sealed;
  Input pieces(input);
  if ((pieces.byte() & 1) != 0) {
    sealed.resize(kRecordHeader);
    append(sealed, pieces.rest());
  } else {
    while (!pieces.empty()) {
      const std::size_t at = pieces.size16() % sealed.size();
      sealed[at] = pieces.byte();
    }
  }
  RecordHeader header;
  WalletRecord wallet;
  const Error error = open_record(port, world.host.core().state(), sealed, RecordType::wallet, header, wallet);
  require((error == Error::ok) == (sealed == world.wallet.sealed), "only the sealed record opens");
  return 0;
}
