// SPDX-License-Identifier: Apache-2.0
// The key service as its owner sees it, who starts the trusted core and says where it listens.
#pragma once
#include "community/infra/api/task.hpp"
#include "community/keys/api/attestation.hpp"
#include "community/keys/api/key_service.hpp"

namespace community::keys {

// How requests are given to the core.
struct CallOptions {
  // A request of the process body takes a millisecond, one with a durable write some ten. Three times as long for those
  // that make quotes.
  infra::Milliseconds timeout{10'000};
  // Beyond: queue_full. 1,024 requests of about 2 kB are 2 MB.
  std::size_t max_in_flight = 1'024;
  // While the core is busy, requests gather to be sent as one batch, which a body answers in one entry into its trusted
  // world: until there are `batch_size` of them, the first has waited `batch_timeout`, or the core has nothing left to
  // do. Each request of a batch is checked and answered by itself.
  std::size_t batch_size = 10;
  infra::Milliseconds batch_timeout{50};
};

struct ChannelOptions {
  std::string socket_path;
  core::Bytes32 channel_key{};
  CallOptions calls;
};

// A key service over a connection that comes and goes: the owner connects it each time the trusted core is there.
class ConnectedKeyService : public KeyService, public AttestingCore, public RestorableCore {
 public:
  // Connects, compares epochs and rolls the database forward or back, then serves until the connection ends; returns
  // why it ended. state_forked when database and core cannot be reconciled,
  // fenced when the core has ended for good.
  virtual Task<Error> serve(ChannelOptions options) = 0;
  // Connects for status and recover() alone, without comparing epochs: the way out of state_forked.
  virtual Task<Result<void>> attach(ChannelOptions options) = 0;
  // Asks a core that has no keys yet, and that only frames reach, to make them; answers the channel key. `refused` with
  // already_provisioned when it has some.
  virtual Task<Result<Bytes32>> provision(std::string socket_path,
                                          std::array<std::uint8_t, 64> operator_public_key) = 0;
  // Has the body make the key that its quotes are signed with. It is found by luck, in seconds or a minute, and a body
  // makes it with its first quote.
  virtual Task<Result<void>> make_attestation_key(ChannelOptions options) = 0;
  virtual bool is_connected() const = 0;
  // Set while connected.
  virtual infra::Event& connected() = 0;
  // Asks the core to return its leases; for a clean stop.
  virtual Task<Result<void>> release_leases() = 0;
};

}  // namespace community::keys
