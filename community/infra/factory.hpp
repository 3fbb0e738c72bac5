// SPDX-License-Identifier: Apache-2.0
// The real bodies. Only programs (cmd/) and tests include this header.
#pragma once
#include <memory>

#include "community/infra/api/clock.hpp"
#include "community/infra/api/http_client.hpp"
#include "community/infra/api/random.hpp"

namespace community::infra {

std::unique_ptr<Clock> make_system_clock();
// getrandom(2); it cannot fail once the kernel's pool is ready.
std::unique_ptr<Random> make_system_random();
// Keep-alive connections over TCP and TLS; belongs to the loop whose tasks use it.
std::unique_ptr<HttpClient> make_http_client(HttpClientOptions options);

}  // namespace community::infra
