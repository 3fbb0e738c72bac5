// SPDX-License-Identifier: Apache-2.0
// Every body runs this before its core answers the first frame.
#pragma once
#include "trusted/port/port.hpp"

namespace community::trusted {

// Runs every primitive of the port but RSA once against a known answer, which also makes libraries load all they need.
// False when one does not work: then nothing may be signed.
bool self_test_passes(const Port& port);

// The same for RSA, before its first use rather than at the start (FIPS 140-3 Implementation Guidance, 10.3.A allows
// either): it is asked for only when another core shows a quote, and its two answers take an emulated device half a
// second, a quarter of its whole start. Cheap once it has passed.
bool rsa_self_test_passes(const Port& port);

}  // namespace community::trusted
