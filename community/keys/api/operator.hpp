// SPDX-License-Identifier: Apache-2.0
// The operator's key: it alone configures and recovers the trusted core. Made at `init`, kept outside the node's
// reach by choice; the node needs it only while the operator gives an order.
#pragma once
#include "community/infra/api/random.hpp"
#include "community/keys/api/key_service.hpp"
#include "community/keys/api/signed_message.hpp"
#include "trusted/protocol/backup_messages.hpp"
#include "trusted/protocol/founders_messages.hpp"
#include "trusted/protocol/root_key_messages.hpp"

namespace community::keys {

class Operator {
 public:
  static Operator generate(infra::Random& random);
  // Nothing when the bytes are no secret key.
  static std::optional<Operator> from_secret(const Bytes32& secret);
  Operator(const Operator&) = default;
  Operator& operator=(const Operator&) = default;
  ~Operator() { base::wipe(secret_); }

  const Bytes32& secret() const { return secret_; }
  // x || y
  std::array<std::uint8_t, 64> public_key() const;

  SignedMessage sign(const protocol::Configuration& configuration) const;
  SignedMessage sign(const protocol::Recovery& recovery) const;
  SignedMessage sign(const protocol::GenericKeyOrder& order) const;
  SignedMessage sign_rotation(const protocol::RootKeyOrder& order) const;
  SignedMessage sign_retirement(const protocol::RootKeyOrder& order) const;
  // Of the source: who holds shares of which backup.
  SignedMessage sign(const protocol::BackupOrder& order) const;
  // Of a holder: whose shares it takes.
  SignedMessage sign(const protocol::KeepOrder& order) const;
  // Of the source: which device goes on.
  SignedMessage sign(const protocol::RestoreOrder& order) const;

 private:
  explicit Operator(const Bytes32& secret) : secret_(secret) {}
  Bytes32 secret_;
};

// What the operator signs, without a signature.
Bytes encode_configuration(const protocol::Configuration& configuration);

// Brings the core's configuration to `wanted` (its core id and sequence are filled in here: the next one above the
// floor of a core that was restored). Nothing is sent, and no operator is needed, when the core has it already. The
// digest of what is in force.
Task<Result<Bytes32>> ensure_configuration(KeyAdministration& administration, const Operator* op,
                                           protocol::Configuration wanted);

// Signs larger budgets until as much is left on each chain as `wanted` says, whatever was spent, or counts as spent
// since the core was restored. The budgets that are in force then stand in the core's status.
Task<Result<void>> renew_budgets(KeyAdministration& administration, const Operator& op, protocol::Configuration wanted);
// Puts budgets that are in force into `wanted` where they are larger: what the operator signed is not taken back by a
// configuration that is about something else.
void keep_budgets(const CoreStatus& core, protocol::Configuration& wanted);

}  // namespace community::keys
