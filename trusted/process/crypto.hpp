// SPDX-License-Identifier: Apache-2.0
// Cryptographic primitives of the process body and of every test: OpenSSL 3 (AES-GCM, P-256) and libsecp256k1.
#pragma once
#include "trusted/port/port.hpp"

namespace community::trusted {

// Fills the cryptographic functions and `random` of a port; the store is the caller's. One thread at a time may use it.
void use_software_crypto(Port& port);

}  // namespace community::trusted
