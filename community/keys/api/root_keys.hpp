// SPDX-License-Identifier: Apache-2.0
// Root keys, which everything of a person is sealed under: their rotation, the re-sealing that follows from it, and the
// retirement of an old one. The orders are messages that the operator signed (api/operator.hpp).
#pragma once
#include "community/core/bytes.hpp"
#include "community/infra/api/task.hpp"
#include "community/keys/api/core_status.hpp"
#include "community/keys/api/error.hpp"

namespace community::keys {

// How far the node is with what it does by itself after a rotation.
struct ResealProgress {
  // Records of the node's database under root keys that are not the newest.
  std::uint64_t left = 0;
  // Of them, those that the core refused to re-seal; the log says why. They are tried again at the next connection.
  std::uint64_t refused = 0;
  // Records under a root key that the core has no more, which a recovery brought back; nothing opens them.
  std::uint64_t lost = 0;
  // The node re-seals, or has the core count all records. False when there is nothing left to do, and while the core is
  // away.
  bool is_running = false;
};

class RootKeys {
 public:
  virtual ~RootKeys() = default;
  virtual infra::Task<Result<CoreStatus>> status() = 0;
  // Makes the next version, and begins to re-seal; the newest version now. Signing and changes go on meanwhile.
  // refused(root_key_out_of_order) when the order is not for the next version, refused(too_many_root_keys).
  virtual infra::Task<Result<std::uint32_t>> rotate_root_key(core::Bytes order,
                                                             std::array<std::uint8_t, 64> signature) = 0;
  // Drops a version for good. refused(root_key_in_use), refused(records_not_counted), refused(root_key_is_newest).
  virtual infra::Task<Result<void>> retire_root_key(core::Bytes order, std::array<std::uint8_t, 64> signature) = 0;
  virtual infra::Task<Result<ResealProgress>> reseal_progress() = 0;
};

}  // namespace community::keys
