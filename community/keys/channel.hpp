// SPDX-License-Identifier: Apache-2.0
// One connection to the trusted core: hello, MACed frames, many requests on their way at the same time.
#pragma once
#include <memory>

#include "community/core/bytes.hpp"
#include "community/infra/api/random.hpp"
#include "community/infra/api/task.hpp"
#include "community/keys/api/error.hpp"

namespace community::keys {

struct ChannelOptions {
  std::string socket_path;
  core::Bytes32 channel_key{};
  // A request of the process body takes a millisecond, one with a durable write some ten.
  infra::Milliseconds call_timeout{10'000};
  // Beyond: queue_full. 1,024 requests of about 2 kB are 2 MB.
  std::size_t max_in_flight = 1'024;
};

class Channel {
 public:
  // Connects and proves the channel key in both directions.
  static infra::Task<Result<std::unique_ptr<Channel>>> connect(ChannelOptions options, infra::Random& random);
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
