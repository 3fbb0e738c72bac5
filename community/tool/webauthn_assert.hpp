// SPDX-License-Identifier: Apache-2.0
// The tool's WebAuthn checks, and the software port of the trusted core that the checks share.
#pragma once
#include "community/tool/input.hpp"
#include "trusted/port/port.hpp"

namespace community::tool {

// The trusted core's primitives as the process body has them.
const trusted::Port& software_port();

void webauthn_assert(Input& in, json::object& out);
void webauthn_register(Input& in, json::object& out);

}  // namespace community::tool
