// SPDX-License-Identifier: Apache-2.0
// A trusted core that signs with one key in software, and a courier that keeps what it is given: for the tests of this
// module.
#pragma once
#include "community/core/ecdsa.hpp"
#include "community/courier/api/courier.hpp"
#include "community/keys/api/key_service.hpp"

namespace community::alarms {

class FakeWalletKeys final : public keys::WalletKeys {
 public:
  template <class T>
  using KeysResult = keys::Result<T>;

  // The server key of an index.
  static Bytes32 secret(std::uint32_t index) { return Uint256(1'000 + index).to_be(); }
  static Address server_key(std::uint32_t index) { return core::address_of(*core::public_key_of(secret(index))); }

  Task<KeysResult<keys::SignedDigest>> sign_action(keys::ActionRequest request) override {
    co_await infra::reschedule();
    requests.push_back(request.action);
    if (is_away) co_return keys::fail(keys::ErrorCode::unavailable, "away");
    if (refusal) co_return keys::refuse(*refusal);
    keys::SignedDigest result;
    result.digest = protocol::action_digest(request.action, request.chain_id, request.account);
    result.signature = *core::sign_digest(secret(request.server_key_index), result.digest);
    co_return result;
  }
  Task<KeysResult<protocol::WalletDescribeReply>> describe_wallet(keys::RecordId id, std::uint32_t index) override {
    co_await infra::reschedule();
    described++;
    co_await answers.wait();
    if (is_away) co_return keys::fail(keys::ErrorCode::unavailable, "away");
    if (id != wallet.wallet_id) co_return keys::fail(keys::ErrorCode::not_found, "no such wallet");
    protocol::WalletDescribeReply reply = wallet;
    reply.server_key = server_key(index);
    co_return reply;
  }

  // Nothing here asks for these.
  Task<KeysResult<keys::WalletInfo>> create_wallet(keys::Passkey, protocol::Policy) override {
    co_return keys::fail(keys::ErrorCode::unavailable, "not part of this test");
  }
  Task<KeysResult<Address>> bind_account(keys::AccountBindRequest) override {
    co_return keys::fail(keys::ErrorCode::unavailable, "not part of this test");
  }
  Task<KeysResult<Address>> adopt_account(keys::AccountAdoptRequest) override {
    co_return keys::fail(keys::ErrorCode::unavailable, "not part of this test");
  }
  Task<KeysResult<keys::SignedUserop>> sign_userop(keys::UseropRequest) override {
    co_return keys::fail(keys::ErrorCode::unavailable, "not part of this test");
  }
  Task<KeysResult<keys::SignedSession>> sign_session(keys::SessionRequest) override {
    co_return keys::fail(keys::ErrorCode::unavailable, "not part of this test");
  }
  Task<KeysResult<keys::SignedDigest>> change_account_keys(keys::KeyChangeRequest) override {
    co_return keys::fail(keys::ErrorCode::unavailable, "not part of this test");
  }

  FakeWalletKeys() { answers.set(); }

  protocol::WalletDescribeReply wallet;
  // Reset: descriptions are asked for and do not come.
  infra::Event answers;
  std::size_t described = 0;
  bool is_away = false;
  std::optional<protocol::Error> refusal;
  // What was asked to be signed, in order.
  std::vector<protocol::AccountAction> requests;
};

// Outlives the node of a test, as a courier's table does.
class FakeCourier final : public courier::Courier {
 public:
  struct Call {
    Address to{};
    Bytes data;
    bool operator==(const Call&) const = default;
  };

  Task<courier::Result<Bytes32>> accept(Address to, Bytes call_data) override {
    co_await infra::reschedule();
    if (refusal) co_return courier::fail(*refusal, "as the test says");
    Bytes named = core::to_bytes(to);
    core::append(named, call_data);
    courier::Errand errand;
    errand.id = base::keccak256(named);
    errand.to = to;
    const Call call{to, std::move(call_data)};
    if (!errands.contains(errand.id)) calls.push_back(call);
    asked++;
    errands.emplace(errand.id, errand);
    // Taken, and the answer never comes: what a crash leaves behind.
    if (is_silent) co_await never_.wait();
    co_return errand.id;
  }
  Task<courier::Result<courier::Errand>> errand(Bytes32 id) override {
    co_await infra::reschedule();
    const auto found = errands.find(id);
    if (found == errands.end()) co_return courier::fail(courier::ErrorCode::not_found);
    co_return found->second;
  }
  Task<void> run() override { co_return; }
  std::optional<Address> address() const override { return Address{1}; }

  void end(courier::ErrandState state, std::string reason = {}) {
    for (auto& [id, errand] : errands) {
      if (errand.state > courier::ErrandState::sent) continue;
      errand.state = state;
      errand.reason = reason;
    }
  }

  // Different ones, in the order of their coming.
  std::vector<Call> calls;
  std::size_t asked = 0;
  std::map<Bytes32, courier::Errand> errands;
  std::optional<courier::ErrorCode> refusal;
  bool is_silent = false;

 private:
  infra::Event never_;
};

}  // namespace community::alarms
