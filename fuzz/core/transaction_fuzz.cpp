// SPDX-License-Identifier: Apache-2.0
// Signed transactions: what is accepted encodes to the same bytes.
#include "community/core/transaction.hpp"

#include "fuzz/core/fuzz.hpp"

using namespace community::core;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView input(data, size);
  const auto tx = decode_transaction(input);
  if (!tx) return 0;
  const auto encoded = tx->signed_encoding();
  require(encoded && community::base::equal(*encoded, input), "a transaction is canonical");
  (void)tx->sender();
  for (const Authorization& authorization : tx->authorization_list) (void)authorization.authority();
  return 0;
}
