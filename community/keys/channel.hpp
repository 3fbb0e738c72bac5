// SPDX-License-Identifier: Apache-2.0
// One connection to the trusted core: hello, MACed frames, many requests on their way at the same time.
#pragma once
#include <memory>

#include "community/core/bytes.hpp"
#include "community/infra/api/random.hpp"
#include "community/infra/api/task.hpp"
#include "community/keys/api/connected_key_service.hpp"

namespace community::keys {

class Channel {
 public:
  // Connects and proves the channel key in both directions.
  static infra::Task<Result<std::unique_ptr<Channel>>> connect(ChannelOptions options, infra::Random& random);
  // Asks a core that has no keys yet, and that only frames reach, to make them; answers the channel key. `refused` with
  // already_provisioned when it has some.
  static infra::Task<Result<core::Bytes32>> provision(std::string socket_path,
                                                      std::array<std::uint8_t, 64> operator_public_key,
                                                      infra::Random& random);
  ~Channel();
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  // The answer's body; `refused` with the core's reason; `unavailable` when the connection ended first; `timeout`,
  // which ends the connection, because what the core did is then unknown.
  infra::Task<Result<core::Bytes>> call(protocol::Command command, core::Bytes body);
  // As above, and tells the request id that a COMMIT will name.
  infra::Task<Result<core::Bytes>> call(protocol::Command command, core::Bytes body, std::uint64_t& request_id);

  bool is_open() const;
  // Returns once the connection is over, with the reason in words.
  infra::Task<std::string> closed();
  void close(std::string reason);

 private:
  struct Body;
  explicit Channel(std::shared_ptr<Body> body);
  std::shared_ptr<Body> body_;
};

}  // namespace community::keys
