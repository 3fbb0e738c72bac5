// SPDX-License-Identifier: Apache-2.0
// The trusted state in OP-TEE's secure storage: one persistent object, kept open, replaced by one write. The core of
// OP-TEE encrypts it under the device's unique key, writes it atomically and binds it to the counter in secure flash,
// so that an older disk is refused.
#pragma once
#include "trusted/port/port.hpp"

namespace community::trusted {

// Fills the store functions of a port. One store a trusted application.
void use_secure_storage(Port& port);

// Whether the state is still the first one: keys were made, and no change, configuration or budget was ever entrusted
// to them.
bool secure_storage_unused();
// Throws an unused state away. False when it stays.
bool erase_secure_storage();

}  // namespace community::trusted
