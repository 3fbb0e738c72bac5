// SPDX-License-Identifier: Apache-2.0
// EntryPoint 0.7. The hash of an operation is keccak over its packed fields.
#include "community/chain/entry_point_base.hpp"

namespace community::chain::v0_7 {

// 0x0000000071727De22E5E9d8BAf0edAc6f37da032
inline constexpr Address kAddress = {0x00, 0x00, 0x00, 0x00, 0x71, 0x72, 0x7d, 0xe2, 0x2e, 0x5e,
                                     0x9d, 0x8b, 0xaf, 0x0e, 0xda, 0xc6, 0xf3, 0x7d, 0xa0, 0x32};

std::unique_ptr<EntryPoint> make_entry_point(std::optional<Address> address) {
  return std::make_unique<EntryPointBase>(EntryPointVersion::v0_7, "0.7", address.value_or(kAddress));
}

}  // namespace community::chain::v0_7
