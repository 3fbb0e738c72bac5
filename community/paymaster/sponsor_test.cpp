// SPDX-License-Identifier: Apache-2.0
// What is sponsored, what not, and in which words. That the EntryPoint accepts the data is proven by tests/clients.
#include <gtest/gtest.h>

#include "community/infra/fake/clock.hpp"
#include "community/paymaster/factory.hpp"

namespace community::paymaster {
namespace {

class FakeSponsorKeys final : public keys::SponsorKeys {
 public:
  Task<keys::Result<std::vector<keys::KeyInfo>>> sponsors(std::uint64_t) override {
    co_return std::vector<keys::KeyInfo>();
  }
  Task<keys::Result<keys::Sponsorship>> sign_sponsorship(keys::RecordId, keys::SponsorshipRequest request) override {
    co_await infra::reschedule();
    requests.push_back(std::move(request));
    if (refuse_next > 0) {
      refuse_next--;
      co_return keys::refuse(protocol::Error::budget_exhausted);
    }
    if (refusal) co_return keys::refuse(*refusal);
    keys::Sponsorship sponsorship;
    sponsorship.signature.r.fill(0xaa);
    sponsorship.signature.s.fill(0x11);
    co_return sponsorship;
  }
  std::vector<keys::SponsorshipRequest> requests;
  std::optional<protocol::Error> refusal;
  // Requests from now on that are refused.
  std::size_t refuse_next = 0;
};

class sponsor_test : public testing::Test {
 protected:
  sponsor_test() {
    options.chain_id = 1'337;
    options.contracts.push_back({kEntryPoint, kPaymaster});
    options.policy.enabled = true;
    options.policy.max_cost = Uint256(1'000'000'000);
    op.sender[19] = 1;
    op.call_data = {1, 2, 3, 4};
    op.verification_gas_limit = Uint256(100'000);
    op.call_gas_limit = Uint256(50'000);
    op.pre_verification_gas = Uint256(60'000);
    op.max_fee_per_gas = Uint256(2);
    op.max_priority_fee_per_gas = Uint256(1);
    make();
  }
  void make() { sponsor = make_sponsor(keys, clock, nullptr, options); }
  Result<SponsorData> sign() { return loop.block_on(sponsor->sign(op, kEntryPoint, Uint256(1'337))); }
  Result<SponsorData> stub() { return loop.block_on(sponsor->stub(op, kEntryPoint, Uint256(1'337))); }
  static std::uint64_t valid_until(const SponsorData& data) {
    return Uint256::from_be(core::ByteView(data.data).first(6)).limb[0];
  }

  static constexpr Address kEntryPoint{0x43};
  static constexpr Address kPaymaster{0x99};
  infra::EventLoop loop;
  infra::FakeClock clock;
  FakeSponsorKeys keys;
  SponsorOptions options;
  UserOperation op;
  std::unique_ptr<Sponsor> sponsor;
};

TEST_F(sponsor_test, StubAndRealDataHaveTheSameLengthAndLimits) {
  const auto dummy = stub();
  const auto real = sign();
  ASSERT_TRUE(dummy);
  ASSERT_TRUE(real) << real.error().message;
  EXPECT_EQ(dummy->data.size(), 77u);
  EXPECT_EQ(real->data.size(), 77u);
  EXPECT_EQ(dummy->paymaster, kPaymaster);
  EXPECT_EQ(dummy->verification_gas_limit, real->verification_gas_limit);
  EXPECT_EQ(dummy->post_op_gas_limit, Uint256(0));
  EXPECT_EQ(keys.requests.size(), 1u);
  // r || s || v at the end.
  EXPECT_EQ(real->data[12], 0xaa);
  EXPECT_EQ(real->data[44], 0x11);
  EXPECT_EQ(real->data[76], 27);
}

TEST_F(sponsor_test, TheCoreGetsTheOperationWithFinalNumbers) {
  const auto real = sign();
  ASSERT_TRUE(real);
  const keys::SponsorshipRequest& request = keys.requests[0];
  EXPECT_EQ(request.chain_id, 1'337u);
  EXPECT_EQ(request.paymaster, kPaymaster);
  EXPECT_EQ(request.entry_point, kEntryPoint);
  EXPECT_EQ(request.userop.sender, op.sender);
  EXPECT_EQ(request.userop.pre_verification_gas, op.pre_verification_gas);
  EXPECT_EQ(request.paymaster_verification_gas_limit, real->verification_gas_limit);
  EXPECT_EQ(request.valid_until, valid_until(*real));
  EXPECT_EQ(request.valid_until, static_cast<std::uint64_t>(clock.now_s()) + 600);
}

TEST_F(sponsor_test, AChainThatIsAheadHasTheTimeThatCounts) {
  std::int64_t chain_time = clock.now_s() + 86'400;
  options.chain_time_s = [&chain_time] { return chain_time; };
  make();
  EXPECT_EQ(valid_until(*sign()), static_cast<std::uint64_t>(chain_time) + 600);
  // A chain that is behind shortens nothing.
  chain_time = 0;
  op.nonce = Uint256(77);
  EXPECT_EQ(valid_until(*sign()), static_cast<std::uint64_t>(clock.now_s()) + 600);
}

TEST_F(sponsor_test, RefusalsNameTheirRule) {
  const auto refused = [this](ErrorCode code) {
    const auto result = sign();
    return !result && result.error().code == code && !result.error().message.empty();
  };
  const UserOperation good = op;
  op.max_fee_per_gas = Uint256(100'000);
  EXPECT_TRUE(refused(ErrorCode::cost_over_limit));
  op = good;
  op.verification_gas_limit = Uint256();
  EXPECT_TRUE(refused(ErrorCode::field_invalid));
  op = good;
  op.paymaster_verification_gas_limit = Uint256(1'000'000);
  EXPECT_TRUE(refused(ErrorCode::field_invalid));
  op = good;
  op.factory = core::kEip7702Marker;
  EXPECT_TRUE(refused(ErrorCode::field_invalid));
  op = good;
  EXPECT_EQ(loop.block_on(sponsor->sign(op, Address{1}, Uint256(1'337))).error().code,
            ErrorCode::entry_point_unsupported);
  EXPECT_EQ(loop.block_on(sponsor->sign(op, kEntryPoint, Uint256(1))).error().code, ErrorCode::chain_unsupported);
  EXPECT_TRUE(keys.requests.empty());
  keys.refusal = protocol::Error::budget_exhausted;
  EXPECT_TRUE(refused(ErrorCode::budget_exhausted));
  keys.refusal = protocol::Error::sponsorship_cost_over_cap;
  EXPECT_TRUE(refused(ErrorCode::cost_over_limit));
  keys.refusal = protocol::Error::record_unknown_root;
  EXPECT_TRUE(refused(ErrorCode::refused_by_core));
  options.policy.enabled = false;
  make();
  EXPECT_TRUE(refused(ErrorCode::disabled));
}

TEST_F(sponsor_test, ASenderHasFewOpenApprovals) {
  options.policy.open_per_sender = 2;
  make();
  ASSERT_TRUE(sign());
  // The same nonce again is the same place.
  ASSERT_TRUE(sign());
  op.nonce = Uint256(1);
  ASSERT_TRUE(sign());
  op.nonce = Uint256(2);
  ASSERT_FALSE(sign());
  EXPECT_EQ(sign().error().code, ErrorCode::sender_limit);
  sponsor->settle(op.sender, Uint256(0));
  EXPECT_TRUE(sign());
  op.nonce = Uint256(3);
  EXPECT_FALSE(sign());
  clock.advance(infra::Milliseconds(601'000));
  EXPECT_TRUE(sign());
}

TEST_F(sponsor_test, ARefusedApprovalTakesNoPlace) {
  options.policy.open_per_sender = 1;
  make();
  keys.refusal = protocol::Error::budget_exhausted;
  EXPECT_FALSE(sign());
  keys.refusal.reset();
  op.nonce = Uint256(1);
  EXPECT_TRUE(sign());
}

TEST_F(sponsor_test, ARefusedSecondRequestLeavesTheFirstApprovalOpen) {
  options.policy.open_per_sender = 1;
  make();
  ASSERT_TRUE(sign());
  keys.refuse_next = 1;
  EXPECT_EQ(sign().error().code, ErrorCode::budget_exhausted);
  op.nonce = Uint256(1);
  EXPECT_EQ(sign().error().code, ErrorCode::sender_limit);
  sponsor->settle(op.sender, Uint256(0));
  EXPECT_TRUE(sign());
}

TEST_F(sponsor_test, OfTwoRequestsAtTheSameTimeTheSignedOneKeepsThePlace) {
  options.policy.open_per_sender = 1;
  make();
  keys.refuse_next = 1;
  const auto [first, second] = loop.block_on(
      infra::both(sponsor->sign(op, kEntryPoint, Uint256(1'337)), sponsor->sign(op, kEntryPoint, Uint256(1'337))));
  EXPECT_FALSE(first);
  ASSERT_TRUE(second);
  op.nonce = Uint256(1);
  EXPECT_EQ(sign().error().code, ErrorCode::sender_limit);
  clock.advance(infra::Milliseconds(601'000));
  EXPECT_TRUE(sign());
}

}  // namespace
}  // namespace community::paymaster
