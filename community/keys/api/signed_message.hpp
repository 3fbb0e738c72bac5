// SPDX-License-Identifier: Apache-2.0
// An order of an operator, as it travels: what it is for stands in the digest that is signed.
#pragma once
#include <array>

#include "community/core/bytes.hpp"

namespace community::keys {

struct SignedMessage {
  core::Bytes message;
  // secp256k1 r || s over protocol::operator_digest
  std::array<std::uint8_t, 64> signature{};
};

}  // namespace community::keys
