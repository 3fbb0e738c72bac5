// SPDX-License-Identifier: Apache-2.0
// Quotes by OP-TEE's attestation pseudo trusted application, which measures memory and signs with a key of its own that
// never leaves the secure world.
#pragma once
#include "trusted/port/port.hpp"

namespace community::trusted {

// Fills the quote function of a port. The first quote of a device makes its RSA-3072 key, which takes seconds.
void use_attestation(Port& port);

}  // namespace community::trusted
