// SPDX-License-Identifier: Apache-2.0
// EntryPoint 0.8. The hash of an operation is EIP-712 typed data, and EIP-7702 accounts are known to it.
#include "community/chain/entry_point_base.hpp"

namespace community::chain::v0_8 {

// 0x4337084D9E255Ff0702461CF8895CE9E3b5Ff108
inline constexpr Address kAddress = {0x43, 0x37, 0x08, 0x4d, 0x9e, 0x25, 0x5f, 0xf0, 0x70, 0x24,
                                     0x61, 0xcf, 0x88, 0x95, 0xce, 0x9e, 0x3b, 0x5f, 0xf1, 0x08};

std::unique_ptr<EntryPoint> make_entry_point(std::optional<Address> address) {
  return std::make_unique<EntryPointBase>(EntryPointVersion::v0_8, "0.8", address.value_or(kAddress));
}

}  // namespace community::chain::v0_8
