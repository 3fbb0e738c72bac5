// SPDX-License-Identifier: Apache-2.0
// The one door for tests into the core: its check of an assertion over a challenge of the test's choice. A browser's
// published assertions are over random challenges that no operation hashes to.
#pragma once
#include "trusted/core/core.hpp"

namespace community::trusted {

struct CoreAccess {
  static Error check_assertion(const Core& core, const protocol::Assertion& assertion, const Bytes32& challenge,
                               const WalletRecord& wallet) {
    return core.check_assertion(assertion, challenge, wallet);
  }
};

}  // namespace community::trusted
