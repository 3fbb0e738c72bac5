// SPDX-License-Identifier: Apache-2.0
// The reader of unsigned transactions: what it accepts is exactly what an encoder makes of the fields it read.
#include "fuzz/trusted/fuzz.hpp"
#include "trusted/ethereum/transaction.hpp"
#include "trusted/tests/support/encode.hpp"

using namespace community::trusted::testing;
namespace ethereum = community::ethereum;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView input(data, size);
  ethereum::UnsignedTransaction tx;
  if (ethereum::read_unsigned_transaction(input, tx) != ethereum::TransactionError::none) return 0;
  require(tx.type == 2 || tx.type == 4, "a type that is allowed");
  require((tx.type == 4) == (tx.authorization_count != 0), "only type 4 has authorisations");
  // The core signs nothing with an access list; authorisations are checked, not kept.
  if (tx.type != 2 || !tx.access_list_empty) return 0;
  TestTransaction again;
  again.chain_id = Uint256(tx.chain_id);
  again.nonce = Uint256(tx.nonce);
  again.priority_fee = tx.max_priority_fee_per_gas;
  again.fee = tx.max_fee_per_gas;
  again.gas_limit = Uint256(tx.gas_limit);
  again.to = to_bytes(tx.to);
  again.value = tx.value;
  again.data = to_bytes(tx.data);
  require(again.encode() == to_bytes(input), "one encoding");
  return 0;
}
