// SPDX-License-Identifier: Apache-2.0
// GlobalPlatform TEE Internal Core API and OP-TEE's extensions, for C++.
#pragma once
extern "C" {
#include <tee_internal_api.h>
#include <tee_internal_api_extensions.h>
}
