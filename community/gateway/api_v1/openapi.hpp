// SPDX-License-Identifier: Apache-2.0
// spec/openapi.json as it was when this program was built.
#pragma once
#include <string_view>

namespace community::gateway::api_v1 {

std::string_view openapi_text();

}  // namespace community::gateway::api_v1
