// SPDX-License-Identifier: Apache-2.0
// Generic keys of the founders' interface: the operator orders them, whoever reaches the node has them sign. The node
// itself signs nothing with them. Orders are messages that the operator signed (api/operator.hpp).
#pragma once
#include <vector>

#include "community/core/bytes.hpp"
#include "community/infra/api/task.hpp"
#include "community/keys/api/error.hpp"
#include "trusted/protocol/founders_messages.hpp"

namespace community::keys {

// Each takes a record and a leaf of the tree, and one question to the core when all are listed.
inline constexpr std::size_t kMaxGenericKeys = 64;

struct GenericKey {
  protocol::RecordId id{};
  protocol::GenericKeyType type{};
  // Made to sign 32 bytes that somebody else hashed.
  bool signs_digests = false;
  // secp256k1: x || y; Ed25519: 32 bytes
  core::Bytes public_key;
};

class GenericKeys {
 public:
  virtual ~GenericKeys() = default;
  virtual infra::Task<Result<std::vector<GenericKey>>> generic_keys() = 0;
  // By an order to generate or to import; committed when it returns. too_many_keys beyond kMaxGenericKeys;
  // refused(generic_order_out_of_sequence) when the order was given before, also when its answer was lost.
  virtual infra::Task<Result<GenericKey>> create_generic_key(core::Bytes order,
                                                             std::array<std::uint8_t, 64> signature) = 0;
  // By an order that names this key; gone when it returns.
  virtual infra::Task<Result<void>> delete_generic_key(protocol::RecordId key, core::Bytes order,
                                                       std::array<std::uint8_t, 64> signature) = 0;
  // refused(generic_hash_refused) for a hash that the key's kind does not take.
  virtual infra::Task<Result<protocol::GenericSignature>> sign_generic(protocol::RecordId key,
                                                                       protocol::GenericHash hash,
                                                                       core::Bytes message) = 0;
};

}  // namespace community::keys
