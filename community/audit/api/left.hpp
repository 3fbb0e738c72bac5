// SPDX-License-Identifier: Apache-2.0
// Whether a person was deleted, for writes of requests that were under way meanwhile.
#pragma once
#include <string>

namespace soci {
class session;
}

namespace community::audit {

// Inside of Database::write: UserDeleted is the last that the log tells of this person. Whoever writes rows about a
// person that refer to no row of users asks here first, and fails its write, so that nothing of somebody who left comes
// back. False for the empty subject.
bool has_left(soci::session& sql, const std::string& subject);

}  // namespace community::audit
