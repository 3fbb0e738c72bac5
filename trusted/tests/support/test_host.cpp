// SPDX-License-Identifier: Apache-2.0
#include "trusted/tests/support/test_host.hpp"

namespace community::trusted::testing {

TestHost::TestHost(std::uint64_t seed, RemoteBody* remote) : store(seed), remote_(remote) {
  base::copy(operator_secret_, Random(seed ^ 0x09).bytes(32));
}

Error TestHost::provision() {
  const Port port = store.port();
  std::array<std::uint8_t, 64> operator_key{};
  port.secp256k1_public_key(port.context, operator_secret_, operator_key.data());
  if (remote_ != nullptr) return remote_->provision(operator_key, channel_key_);
  return Core::provision(port, operator_key.data(), channel_key_);
}

Error TestHost::start() {
  session_.reset();
  if (remote_ == nullptr) core_ = std::make_unique<Core>(store.port());
  const Error error = remote_ != nullptr ? remote_->start() : core_->start();
  if (error != Error::ok) return error;
  if (!reconnect()) return Error::no_session;
  epoch_ = status().epoch;
  return Error::ok;
}

bool TestHost::reconnect() {
  if (remote_ != nullptr && !remote_->connect()) return false;
  if (session_) core_->end(*session_);
  if (remote_ == nullptr) session_ = std::make_unique<Session>();
  channel_ = std::make_unique<HostChannel>(channel_key_, ++connections_);
  pending_tree = tree;
  return channel_->established(send(channel_->hello()));
}

Error TestHost::restart(bool clean) {
  if (clean && remote_ != nullptr && remote_->wants_release()) {
    const Error released = call(Command::release_leases).error;
    if (released != Error::ok) return released;
  }
  if (clean || remote_ != nullptr) {
    const Error error = remote_ != nullptr ? remote_->stop(clean) : core_->stop();
    if (error != Error::ok) return error;
  }
  store.restore_power();
  return start();
}

Bytes TestHost::send(ByteView frame) {
  if (remote_ != nullptr) return remote_->exchange(frame);
  static Bytes out(protocol::kMaxReplyFrame);
  return to_bytes(core_->handle(*session_, frame, out));
}

Reply TestHost::call(Command command, ByteView body) {
  const auto reply = channel_->reply(send(channel_->request(command, body)));
  if (!reply) {
    Reply none;
    none.error = Error::no_session;
    return none;
  }
  return *reply;
}

protocol::StatusReply TestHost::status() { return decoded<protocol::StatusReply>(call(Command::status).body); }

std::array<std::uint8_t, 64> TestHost::operator_sign(std::string_view what, ByteView message) const {
  Port port = MemoryStore().port();
  std::array<std::uint8_t, 65> signature{};
  port.secp256k1_sign(port.context, operator_secret_, protocol::operator_digest(what, message), signature.data());
  std::array<std::uint8_t, 64> out;
  base::copy(out, ByteView(signature).first(64));
  return out;
}

Error TestHost::configure(const protocol::Configuration& configuration) {
  const Bytes bytes = encoded(configuration);
  return refusal(Command::configure, protocol::ConfigureRequest{bytes, operator_sign("configuration", bytes)});
}

Uncommitted TestHost::take_change(const Reply& reply) {
  Uncommitted change;
  change.error = reply.error;
  change.request_id = reply.request_id;
  if (reply.error != Error::ok) return change;
  const auto pending = decoded<protocol::PendingReply>(reply.body);
  change.record = {pending.record_id, pending.revision, pending.leaf, to_bytes(pending.sealed)};
  change.root = pending.root;
  pending_tree.set(pending.leaf, protocol::leaf_value(pending.record_id, pending.revision, pending.sealed));
  return change;
}

Committed TestHost::commit_at(std::uint64_t epoch, const Bytes32& root) {
  const Reply reply = ask(Command::commit, protocol::CommitRequest{epoch, root});
  Committed result;
  result.error = reply.error;
  if (reply.error != Error::ok) return result;
  const auto answer = decoded<protocol::CommitReply>(reply.body);
  result.epoch = answer.epoch;
  for (std::size_t i = 0; i < answer.count; i++)
    result.changes.emplace_back(answer.changes[i].request_id, to_bytes(answer.changes[i].reply));
  return result;
}

Committed TestHost::commit() {
  Committed result = commit_at(epoch_ + 1, pending_tree.root());
  if (result.error == Error::ok) {
    epoch_ = result.epoch;
    tree = pending_tree;
  }
  return result;
}

void TestHost::settle(bool committed) {
  if (committed) {
    tree = pending_tree;
  } else {
    pending_tree = tree;
  }
}

}  // namespace community::trusted::testing
