// SPDX-License-Identifier: Apache-2.0
// The reader of people's transactions: what it accepts is exactly what an encoder makes of the items it walked over,
// and its fields are those items.
#include "fuzz/trusted/fuzz.hpp"
#include "trusted/ethereum/eoa_transaction.hpp"
#include "trusted/tests/support/encode.hpp"

using namespace community::trusted::testing;
namespace ethereum = community::ethereum;

namespace {

// The items of a list encoded again, lists inside as lists, however deep.
Bytes encode_again(ethereum::RlpReader items) {
  Bytes payload;
  while (!items.empty()) {
    ethereum::RlpReader as_list = items;
    if (auto list = as_list.list()) {
      append(payload, encode_again(*list));
      items = as_list;
    } else {
      const auto string = items.string();
      require(string.has_value(), "every item is a string or a list");
      append(payload, rlp_string(*string));
    }
  }
  return rlp_list({payload});
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView input(data, size);
  ethereum::EoaTransaction tx;
  if (ethereum::read_eoa_transaction(input, tx) != ethereum::TransactionError::none) return 0;
  require(tx.type == 0 || tx.type == 1 || tx.type == 2 || tx.type == 4, "a type that is allowed");
  require((tx.type == 0) == (input[0] >= 0xc0), "legacy is a list");
  require(tx.chain_id != 0, "for one chain");
  require((tx.type == 4) == (tx.authorization_count != 0), "only type 4 has authorisations");
  require(tx.to.size() == 20 || (tx.to.empty() && tx.type != 4), "a destination or none");
  const ByteView list = input.subspan(tx.type == 0 ? 0 : 1);
  const Bytes again = encode_again(*ethereum::rlp_list(list));
  require(again == to_bytes(list), "one encoding");
  if (tx.type != 0 || !tx.to.empty()) return 0;
  require(rlp_list({rlp_number(Uint256(tx.nonce)), rlp_number(tx.max_fee_per_gas), rlp_number(Uint256(tx.gas_limit)),
                    rlp_string(tx.to), rlp_number(tx.value), rlp_string(tx.data), rlp_number(Uint256(tx.chain_id)),
                    rlp_string({}), rlp_string({})}) == to_bytes(input),
          "its fields are its items");
  return 0;
}
