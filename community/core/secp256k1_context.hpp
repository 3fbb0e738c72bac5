// SPDX-License-Identifier: Apache-2.0
// The library's context for the few files of this module that call libsecp256k1 directly. It is never changed after
// its creation, so threads share it.
#pragma once
#include <secp256k1.h>

namespace community::core {

const secp256k1_context* secp256k1_shared_context();

}  // namespace community::core
