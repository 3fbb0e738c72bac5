// SPDX-License-Identifier: Apache-2.0
// The real body and what it needs. Only programs (cmd/) and tests include this header.
#pragma once
#include <memory>

#include "community/audit/api/audit_log.hpp"
#include "community/infra/api/clock.hpp"
#include "community/infra/api/database.hpp"
#include "community/privacy/api/privacy.hpp"

namespace community::privacy {

// All outlive it and its exports.
struct PrivacyDependencies {
  infra::Database& database;
  infra::Clock& clock;
  audit::AuditLog& audit;
  // Called once a person is gone, with their id: what others keep of them in memory goes too.
  std::function<void(const std::string&)> forget;
  // Of the node, for exports: "https://example.org".
  std::string origin;
};

std::unique_ptr<Privacy> make_privacy(PrivacyDependencies dependencies);

}  // namespace community::privacy
