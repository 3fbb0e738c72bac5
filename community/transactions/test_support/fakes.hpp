// SPDX-License-Identifier: Apache-2.0
// What this module asks of others, right until a test says otherwise.
#pragma once
#include <mutex>
#include <set>

#include "community/chain/api/entry_point.hpp"
#include "community/core/ecdsa.hpp"
#include "community/core/secp256k1.hpp"
#include "community/transactions/factory.hpp"
#include "community/wallet/api/passkey.hpp"
#include "trusted/base/keccak.hpp"
#include "trusted/base/sha2.hpp"

namespace community::transactions::test_support {

template <class T>
using KeysResult = keys::Result<T>;

// A trusted core that checks what the real one checks of an assertion, and signs with a key in software.
class FakeCore final : public keys::WalletKeys {
 public:
  static Bytes32 secret() { return Uint256(1'000).to_be(); }
  static Address server_key() { return core::address_of(*core::public_key_of(secret())); }

  Task<KeysResult<keys::SignedUserop>> sign_userop(keys::UseropRequest request) override {
    co_await infra::reschedule();
    asked++;
    if (is_away) co_return keys::fail(keys::ErrorCode::unavailable, "away");
    if (refusal) co_return keys::refuse(*refusal);
    const auto op = core::unpack(request.userop);
    keys::SignedUserop out;
    out.hash = *core::userop_hash(*op, core::EntryPointVersion::v0_8, request.entry_point, Uint256(request.chain_id));
    if (!is_over(request.assertion, out.hash)) co_return keys::refuse(protocol::Error::challenge_mismatch);
    if (lies) out.hash[0] ^= 1;
    out.signature = *core::sign_digest(secret(), out.hash);
    out.self_call.ticket = Bytes32{0x71};
    co_return out;
  }
  Task<KeysResult<keys::SignedDigest>> sign_action(keys::ActionRequest request) override {
    co_await infra::reschedule();
    asked++;
    if (is_away) co_return keys::fail(keys::ErrorCode::unavailable, "away");
    keys::SignedDigest out;
    out.digest = protocol::action_digest(request.action, request.chain_id, request.account);
    if (!is_over(request.assertion, out.digest)) co_return keys::refuse(protocol::Error::challenge_mismatch);
    out.signature = *core::sign_digest(secret(), out.digest);
    co_return out;
  }
  std::uint64_t revision = 7;
  std::vector<std::array<std::uint8_t, 64>> sealed_to;
  static Address server_key_of(std::uint32_t index) {
    return index == 0 ? server_key() : core::address_from_word(Uint256(0x5e0000 + index).to_be());
  }
  Task<KeysResult<protocol::WalletDescribeReply>> describe_wallet(keys::RecordId, std::uint32_t index) override {
    co_await infra::reschedule();
    if (is_away) co_return keys::fail(keys::ErrorCode::unavailable, "away");
    protocol::WalletDescribeReply reply;
    reply.server_key = server_key_of(index);
    reply.revision = revision;
    for (const auto& key : sealed_to) reply.passkeys[reply.passkey_count++].public_key = key;
    co_return reply;
  }
  Task<KeysResult<keys::WalletInfo>> create_wallet(keys::Passkey, protocol::Policy) override { co_return not_here(); }
  Task<KeysResult<Address>> bind_account(keys::AccountBindRequest) override { co_return not_here(); }
  Task<KeysResult<Address>> adopt_account(keys::AccountAdoptRequest) override { co_return not_here(); }
  Task<KeysResult<keys::SignedSession>> sign_session(keys::SessionRequest request) override {
    co_await infra::reschedule();
    sessions.push_back(request);
    if (is_away) co_return keys::fail(keys::ErrorCode::unavailable, "away");
    if (request.ticket != Bytes32{0x71}) co_return keys::refuse(protocol::Error::grant_ticket_invalid);
    const auto op = core::unpack(request.userop);
    keys::SignedSession out;
    out.hash = *core::userop_hash(*op, core::EntryPointVersion::v0_8, request.entry_point, Uint256(request.chain_id));
    out.signature = *core::sign_digest(secret(), out.hash);
    co_return out;
  }
  // Commits, and its answer may be lost all the same.
  Task<KeysResult<keys::SignedDigest>> change_account_keys(keys::KeyChangeRequest request) override {
    co_await infra::reschedule();
    asked++;
    if (is_away) co_return keys::fail(keys::ErrorCode::unavailable, "away");
    Address named = request.change.foreign_key;
    if (request.change.server_key == protocol::NewServerKey::own) named = server_key_of(request.change.new_index);
    keys::SignedDigest out;
    out.digest = protocol::key_change_digest(request.change, named, request.chain_id, request.account);
    if (!is_over(request.assertion, out.digest)) co_return keys::refuse(protocol::Error::challenge_mismatch);
    changes.push_back(request.change);
    if (loses_answers) co_return keys::fail(keys::ErrorCode::unavailable, "the answer is lost");
    out.signature = *core::sign_digest(secret(), out.digest);
    co_return out;
  }

  std::size_t asked = 0;
  bool is_away = false, lies = false, loses_answers = false;
  std::vector<keys::SessionRequest> sessions;
  std::vector<protocol::KeyChange> changes;
  std::optional<protocol::Error> refusal;

  static bool is_over(const keys::Assertion& assertion, const Bytes32& digest) {
    const std::string wanted = accounts::client_data_for(digest, "");
    const std::string challenge = wanted.substr(0, wanted.find("\",\"origin"));
    const std::string text(assertion.client_data.begin(), assertion.client_data.end());
    return text.starts_with(challenge);
  }

 private:
  static tl::unexpected<keys::Error> not_here() { return keys::fail(keys::ErrorCode::unavailable, "not in this test"); }
};

class FakePeople final : public People {
 public:
  Task<Result<OwnedWallet>> wallet(std::string user_id, std::string wallet_id) override {
    co_await infra::reschedule();
    if (user_id != owner_id || wallet_id != owned.wallet_id) co_return fail(ErrorCode::not_found);
    co_return owned;
  }
  Task<Result<std::vector<OwnedWallet>>> wallets(std::string user_id) override {
    co_await infra::reschedule();
    std::vector<OwnedWallet> out;
    if (user_id != owner_id) co_return out;
    out.push_back(owned);
    out.insert(out.end(), more_wallets.begin(), more_wallets.end());
    co_return out;
  }
  Task<Result<std::optional<std::string>>> owner(std::uint64_t, Address account) override {
    co_await infra::reschedule();
    co_return account == owned.account ? std::optional<std::string>(owner_id) : std::nullopt;
  }
  Task<Result<std::vector<OwnedPasskey>>> passkeys(std::string user_id) override {
    co_await infra::reschedule();
    if (user_id != owner_id) co_return std::vector<OwnedPasskey>();
    co_return own;
  }
  Task<Result<bool>> is_held_elsewhere(std::string, Bytes credential_id, std::string) override {
    co_await infra::reschedule();
    co_return held_elsewhere.contains(credential_id);
  }
  // Called by the thread of the database.
  void enter_passkeys(soci::session&, const OwnedPasskeyChange& change) override {
    const std::lock_guard lock(mutex);
    changes.push_back(change);
  }
  void note_used(soci::session&, const std::string& wallet_id, std::uint64_t, std::int64_t) override {
    const std::lock_guard lock(mutex);
    used.push_back(wallet_id);
  }
  std::set<Bytes> held_elsewhere;
  std::mutex mutex;
  std::vector<OwnedPasskeyChange> changes;
  std::vector<std::string> used;
  std::string owner_id;
  OwnedWallet owned;
  std::vector<OwnedWallet> more_wallets;
  std::vector<OwnedPasskey> own;
};

class FakeEstimator final : public validation::Estimator {
 public:
  Task<validation::Result<validation::GasEstimate>> estimate(core::UserOperation op, validation::EntryPointId,
                                                             core::json::object, bool) override {
    co_await infra::reschedule();
    asked.push_back(op);
    if (trouble) co_return tl::unexpected(*trouble);
    validation::GasEstimate out;
    out.pre_verification_gas = Uint256(60'000);
    out.verification_gas_limit = Uint256(300'000);
    out.call_gas_limit = Uint256(100'000);
    if (op.paymaster) {
      out.paymaster_verification_gas_limit = Uint256(40'000);
      out.paymaster_post_op_gas_limit = Uint256(0);
    }
    co_return out;
  }
  void reverts_with(std::string_view error, std::vector<core::AbiValue> values) {
    const Bytes bytes = core::parse_abi_function(error).value().encode(values).value();
    trouble = validation::Error{validation::ErrorCode::execution_reverted, "execution reverted", "", bytes};
  }
  std::vector<core::UserOperation> asked;
  std::optional<validation::Error> trouble;
};

class FakeValidator final : public validation::Validator {
 public:
  const std::vector<validation::EntryPointId>& entry_points() const override { return ids_; }
  validation::Result<validation::EntryPointId> find_entry_point(const Address& address) const override {
    return validation::EntryPointId{address, core::EntryPointVersion::v0_8};
  }
  validation::Result<Bytes32> hash(const core::UserOperation& op, const validation::EntryPointId& id) const override {
    return *core::userop_hash(op, id.version, id.address, Uint256(1'337));
  }
  Task<validation::Result<validation::ValidatedUserop>> validate(core::UserOperation op, validation::EntryPointId id,
                                                                 std::vector<const core::UserOperation*>) override {
    co_await infra::reschedule();
    seen.push_back(op);
    if (auto once = std::exchange(next_trouble, std::nullopt)) co_return tl::unexpected(std::move(*once));
    if (trouble) co_return tl::unexpected(*trouble);
    validation::ValidatedUserop out;
    out.hash = *hash(op, id);
    out.entry_point = id;
    out.max_cost = Uint256(1);
    out.op = std::move(op);
    co_return out;
  }
  std::vector<core::UserOperation> seen;
  // Until it is taken away, and of the next question alone.
  std::optional<validation::Error> trouble, next_trouble;

 private:
  std::vector<validation::EntryPointId> ids_;
};

class FakeSponsor final : public paymaster::Sponsor {
 public:
  using Answer = paymaster::Result<paymaster::SponsorData>;
  std::vector<paymaster::PaymasterContract> contracts() const override {
    return {{chain::v0_8::make_entry_point()->address(), paymaster()}};
  }
  static Address paymaster() {
    Address out;
    out.fill(0xaf);
    return out;
  }
  Task<Answer> stub(core::UserOperation, Address, Uint256) override {
    co_await infra::reschedule();
    if (stub_refusal) co_return paymaster::fail(*stub_refusal, "as the test says");
    co_return data(1);
  }
  Task<Answer> sign(core::UserOperation, Address, Uint256) override {
    co_await infra::reschedule();
    signed_count++;
    if (sign_refusal) co_return paymaster::fail(*sign_refusal, "as the test says");
    co_return data(2);
  }
  void settle(const Address&, const Uint256&) override {}
  std::optional<paymaster::ErrorCode> stub_refusal, sign_refusal;
  std::size_t signed_count = 0;

 private:
  static paymaster::SponsorData data(std::uint8_t fill) {
    paymaster::SponsorData out;
    out.paymaster.fill(0xaf);
    out.data = Bytes(paymaster::kPaymasterDataBytes, fill);
    out.name = "The village";
    return out;
  }
};

// Outlives the service of a test, as a courier's table does.
class FakeCourier final : public courier::Courier {
 public:
  Task<courier::Result<Bytes32>> accept(Address to, Bytes call_data) override {
    co_await infra::reschedule();
    asked++;
    if (refusal) co_return courier::fail(*refusal, "as the test says");
    Bytes named = core::to_bytes(to);
    core::append(named, call_data);
    courier::Errand errand;
    errand.id = base::keccak256(named);
    errand.to = to;
    errands.emplace(errand.id, errand);
    calls[errand.id] = std::move(call_data);
    co_return errand.id;
  }
  Task<courier::Result<courier::Errand>> errand(Bytes32 id) override {
    co_await infra::reschedule();
    looked++;
    const auto found = errands.find(id);
    if (found == errands.end()) co_return courier::fail(courier::ErrorCode::not_found);
    co_return found->second;
  }
  Task<void> run() override { co_return; }
  std::optional<Address> address() const override { return Address{1}; }

  // All that it has, in this block, which is not final; with a reason it did nothing there.
  void mine(std::uint64_t block_number, const std::string& reason = {}) {
    for (auto& [id, errand] : errands) {
      errand.state = courier::ErrandState::sent;
      errand.transaction_hash = Bytes32{5};
      errand.block_number = block_number;
      errand.reason = reason;
    }
  }
  // As a reorganisation does.
  void take_out() { mine(0); }
  // In the blocks that they are in, for good.
  void finish() {
    for (auto& [id, errand] : errands)
      errand.state = errand.reason.empty() ? courier::ErrandState::included : courier::ErrandState::failed;
  }

  std::size_t asked = 0, looked = 0;
  std::map<Bytes32, courier::Errand> errands;
  std::map<Bytes32, Bytes> calls;
  std::optional<courier::ErrorCode> refusal;
};

class FakePolicy final : public RiskPolicy {
 public:
  Task<std::optional<std::string>> refuse(RiskQuestion question) override {
    co_await infra::reschedule();
    asked.push_back(std::move(question));
    co_return words;
  }
  std::vector<RiskQuestion> asked;
  std::optional<std::string> words;
};

// An account's passkey in software, as a page passes its assertions on.
class Device {
 public:
  explicit Device(std::uint64_t number, std::string origin = "https://example.org")
      : passkey_(Uint256(number).to_be(), "example.org", std::move(origin)) {}

  SignRequest sign(const Bytes32& digest) const {
    const wallet::PasskeyAssertion made = passkey_.assert_challenge(digest);
    SignRequest out;
    out.digest = digest;
    out.credential_id = made.credential_id;
    out.client_data = made.client_data;
    out.authenticator_data = made.authenticator_data;
    out.signature = der(made.signature);
    return out;
  }
  OwnedPasskey owned(std::string id, std::string name) const {
    return {std::move(id), std::move(name), passkey_.credential_id(), passkey_.public_key()};
  }
  accounts::InitPasskey on_chain() const { return {passkey_.public_key(), passkey_.rp_id_hash()}; }

 private:
  // SEQUENCE of two INTEGERs (X.690).
  static Bytes der(const std::array<std::uint8_t, 64>& raw) {
    Bytes body;
    for (std::size_t half = 0; half < 2; half++) {
      ByteView number = ByteView(raw).subspan(32 * half, 32);
      while (number.size() > 1 && number[0] == 0) number = number.subspan(1);
      const bool pads = (number[0] & 0x80) != 0;
      body.push_back(0x02);
      body.push_back(static_cast<std::uint8_t>(number.size() + (pads ? 1 : 0)));
      if (pads) body.push_back(0);
      core::append(body, number);
    }
    Bytes out{0x30, static_cast<std::uint8_t>(body.size())};
    core::append(out, body);
    return out;
  }
  wallet::SoftwarePasskey passkey_;
};

}  // namespace community::transactions::test_support
