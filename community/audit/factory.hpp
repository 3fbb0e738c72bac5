// SPDX-License-Identifier: Apache-2.0
// The real body. Only programs (cmd/) and tests include this header.
#pragma once
#include "community/audit/api/audit_log.hpp"
#include "community/infra/api/clock.hpp"
#include "community/infra/api/random.hpp"

namespace community::audit {

struct AuditDependencies {
  infra::Database& database;
  // Of salts; used on the writer's thread, too.
  infra::Random& random;
  // For the pause after a failure of the database.
  infra::Clock& clock;
  // Of the loop that listeners belong to.
  infra::AnyExecutor executor;
};

std::unique_ptr<AuditLog> make_audit_log(AuditDependencies dependencies);

}  // namespace community::audit
