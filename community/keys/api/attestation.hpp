// SPDX-License-Identifier: Apache-2.0
// What the trusted core says of itself to a client's challenge, and the quotes of the body that measures it
// (spec/attestation.md).
#pragma once
#include <optional>
#include <utility>

#include "community/core/bytes.hpp"
#include "community/infra/api/task.hpp"
#include "community/keys/api/error.hpp"
#include "trusted/protocol/attestation.hpp"

namespace community::keys {

struct Attestation {
  protocol::AttestationStatement statement;
  // Application and system, both over this statement and by one key; nothing from a body without quotes.
  std::optional<std::pair<protocol::Quote, protocol::Quote>> quotes;
};

class AttestingCore {
 public:
  virtual ~AttestingCore() = default;
  // Holds the core for as long as two quotes take: half a second in an emulator. `unavailable` also when the core's
  // state went on between the two, each time it was tried.
  virtual infra::Task<Result<Attestation>> attest(core::Bytes32 challenge) = 0;
};

}  // namespace community::keys
