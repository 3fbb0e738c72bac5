// SPDX-License-Identifier: Apache-2.0
// Every body runs this before its core answers the first frame.
#pragma once
#include "trusted/port/port.hpp"

namespace community::trusted {

// Runs every primitive of the port once against a known answer, which also makes libraries load all they need. False
// when one does not work: then nothing may be signed.
bool self_test_passes(const Port& port);

}  // namespace community::trusted
