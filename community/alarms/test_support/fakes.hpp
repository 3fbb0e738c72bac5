// SPDX-License-Identifier: Apache-2.0
// A trusted core that signs with keys in software, and a courier that keeps what it is given: for the tests of this
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

  // The server key of an index, of `wallet` (0) or of the nth of `others`.
  static Bytes32 secret(std::uint32_t index, std::size_t nth = 0) {
    return Uint256(1'000 + 1'000 * nth + index).to_be();
  }
  static Address server_key(std::uint32_t index, std::size_t nth = 0) {
    return core::address_of(*core::public_key_of(secret(index, nth)));
  }

  Task<KeysResult<keys::SignedDigest>> sign_action(keys::ActionRequest request) override {
    co_await infra::reschedule();
    requests.push_back(request.action);
    signers.push_back(request.wallet);
    if (is_away) co_return keys::fail(keys::ErrorCode::unavailable, "away");
    if (refusal) co_return keys::refuse(*refusal);
    const auto nth = find(request.wallet);
    if (!nth) co_return keys::fail(keys::ErrorCode::not_found, "no such wallet");
    keys::SignedDigest result;
    result.digest = protocol::action_digest(request.action, request.chain_id, request.account);
    result.signature = *core::sign_digest(secret(request.server_key_index, *nth), result.digest);
    co_return result;
  }
  Task<KeysResult<protocol::WalletDescribeReply>> describe_wallet(keys::RecordId id, std::uint32_t index) override {
    co_await infra::reschedule();
    described++;
    co_await answers.wait();
    if (is_away || id == unreadable) co_return keys::fail(keys::ErrorCode::unavailable, "away");
    const auto nth = find(id);
    if (!nth) co_return keys::fail(keys::ErrorCode::not_found, "no such wallet");
    protocol::WalletDescribeReply reply = *nth == 0 ? wallet : others[*nth - 1];
    reply.server_key = server_key(index, *nth);
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

  std::optional<std::size_t> find(const keys::RecordId& id) const {
    if (id == wallet.wallet_id) return 0;
    for (std::size_t i = 0; i < others.size(); i++)
      if (others[i].wallet_id == id) return i + 1;
    return std::nullopt;
  }

  protocol::WalletDescribeReply wallet;
  // More wallets of the same node.
  std::vector<protocol::WalletDescribeReply> others;
  // Reset: descriptions are asked for and do not come.
  infra::Event answers;
  std::size_t described = 0;
  bool is_away = false;
  // Of this wallet the core tells nothing, as of a record that does not open.
  std::optional<keys::RecordId> unreadable;
  std::optional<protocol::Error> refusal;
  // What was asked to be signed, in order.
  std::vector<protocol::AccountAction> requests;
  // For which wallet each of them.
  std::vector<keys::RecordId> signers;
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
