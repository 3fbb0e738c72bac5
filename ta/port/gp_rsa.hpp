// SPDX-License-Identifier: Apache-2.0
// Verification of other devices' quotes by OP-TEE's own RSA. Rare enough not to need a library of ours, and of public
// numbers alone.
#pragma once
#include "trusted/port/port.hpp"

namespace community::trusted {

// Fills Port::rsa_pss_verify.
void use_rsa(Port& port);

}  // namespace community::trusted
