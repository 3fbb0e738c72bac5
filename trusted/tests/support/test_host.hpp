// SPDX-License-Identifier: Apache-2.0
// A host for tests that drives the trusted core only through frames, as a node does: it keeps the tree and the sealed
// records, and commits in two phases.
#pragma once
#include <deque>
#include <memory>

#include "trusted/core/core.hpp"
#include "trusted/tests/support/channel.hpp"
#include "trusted/tests/support/memory_store.hpp"
#include "trusted/tests/support/merkle_tree.hpp"

namespace community::trusted::testing {

// A sealed record and where it stands.
struct StoredRecord {
  protocol::RecordId id{};
  std::uint64_t revision = 0;
  std::uint32_t leaf = 0;
  Bytes sealed;
};

// A record and the path that proves it; owns both.
struct OwnedProof {
  Bytes sealed;
  OwnedPath path;
  protocol::RecordProof view() const { return {sealed, path.view()}; }
};

// A change that the core answered and that waits for its COMMIT.
struct Uncommitted {
  Error error = Error::ok;
  std::uint64_t request_id = 0;
  StoredRecord record;
  Bytes32 root{};
};

// What a COMMIT answered: the replies of its changes in order.
struct Committed {
  Error error = Error::ok;
  std::uint64_t epoch = 0;
  std::vector<std::pair<std::uint64_t, Bytes>> changes;
};

// A core that does not run in the test's own memory.
class RemoteBody {
 public:
  virtual ~RemoteBody() = default;
  virtual Error provision(const std::array<std::uint8_t, 64>& operator_key, Bytes32& channel_key) = 0;
  virtual Error start() = 0;
  // Ends the core; `clean` lets it return its leases, unless its host must ask for that first.
  virtual Error stop(bool clean) = 0;
  // Ends it at once, wherever it is.
  virtual void crash() = 0;
  // Whether its host must ask for leases to be returned before a clean stop.
  virtual bool wants_release() const { return false; }
  // Drops the connection, if there is one, and makes a new one.
  virtual bool connect() = 0;
  virtual bool send(ByteView frame) = 0;
  // The next frame; empty when the connection ended.
  virtual Bytes receive() = 0;
  // Waits until the connection is over, reading what comes. False when it goes on.
  virtual bool wait_for_end() = 0;
  Bytes exchange(ByteView frame) { return send(frame) ? receive() : Bytes{}; }
};

class TestHost {
 public:
  // Drives a core on the store below, or the remote one, which must outlive the host.
  explicit TestHost(std::uint64_t seed = 1, RemoteBody* remote = nullptr);

  MemoryStore store;
  // Of committed records, and with those that wait for their COMMIT entered as well.
  MerkleTree tree, pending_tree;

  // Makes keys in the store.
  Error provision();
  // A new core on the same store, and a connection to it. Uncommitted changes are gone.
  Error start();
  // Drops the connection and makes a new one to the same core.
  bool reconnect();
  // A clean stop returns leases; without it, it is a crash.
  Error restart(bool clean);

  // Sends one frame and gives the answer's bytes.
  Bytes send(ByteView frame);
  Reply call(Command command, ByteView body = {});
  template <class Request>
  Reply ask(Command command, const Request& request) {
    return call(command, encoded(request));
  }
  // The error of a request whose reply does not matter.
  template <class Request>
  Error refusal(Command command, const Request& request) {
    return ask(command, request).error;
  }

  Core& core() { return *core_; }
  Session& session() { return *session_; }
  HostChannel& channel() { return *channel_; }
  const Bytes32& channel_key() const { return channel_key_; }

  protocol::StatusReply status();

  // Operator's messages, signed with the operator's key.
  Error configure(const protocol::Configuration& configuration);
  std::array<std::uint8_t, 64> operator_sign(std::string_view what, ByteView message) const;

  // Changes. Each enters its record into the pending tree when the core accepts it.
  template <class Request>
  Uncommitted change(Command command, const Request& request) {
    return take_change(ask(command, request));
  }
  // The answer to one that was sent by call().
  Uncommitted take_change(const Reply& reply);
  Committed commit();
  Committed commit_at(std::uint64_t epoch, const Bytes32& root);
  // Adopts the pending tree as committed, or drops it: what a node does at its start by the core's epoch.
  void settle(bool committed);

  OwnedProof proof(const StoredRecord& record) const { return {record.sealed, tree.path(record.leaf)}; }
  OwnedProof pending_proof(const StoredRecord& record) const { return {record.sealed, pending_tree.path(record.leaf)}; }
  std::uint32_t next_leaf() { return next_leaf_++; }

 private:
  RemoteBody* remote_;
  Bytes32 operator_secret_{};
  Bytes32 channel_key_{};
  std::unique_ptr<Core> core_;
  std::unique_ptr<Session> session_;
  std::unique_ptr<HostChannel> channel_;
  std::uint64_t connections_ = 0;
  std::uint32_t next_leaf_ = 0;
  std::uint64_t epoch_ = 0;
};

// Reads a reply's message; aborts when it is not one, which the assertions before have excluded.
template <class Message>
Message decoded(ByteView bytes) {
  Message message;
  if (!protocol::decode(bytes, message)) std::abort();
  return message;
}

}  // namespace community::trusted::testing
