// SPDX-License-Identifier: Apache-2.0
// Cryptographic primitives of a body without a C library: AES-256-GCM by BearSSL, secp256k1 by libsecp256k1, P-256 over
// s2n-bignum (trusted/p256). Nothing here needs OP-TEE, so the same source is tested on the host.
#pragma once
#include "trusted/port/port.hpp"

namespace community::trusted {

// Fills the cryptographic functions of a port but `random`, which must be set already: it blinds the multiplication
// with secp256k1's generator. False when randomness failed. One thread at a time may use it.
bool use_embedded_crypto(Port& port);

}  // namespace community::trusted
