// SPDX-License-Identifier: Apache-2.0
// Sponsorship through one CommunityPaymaster for each EntryPoint. The node's policy keeps honest clients within bounds
// and says why not; the caps that hold against the node itself are the trusted core's.
#include <map>

#include "community/infra/api/log.hpp"
#include "community/paymaster/factory.hpp"

namespace community::paymaster {
namespace {

constexpr std::int64_t kSecondsPerMinute = 60;
// EntryPoint and paymaster copy and hash the operation; tests/clients compares with 2,000 and 40,000 bytes on anvil.
constexpr std::uint64_t kGasPerWord = 40;
// A client that raises the paymaster's limits pays for it out of the budget; more than four times the need is no
// estimate.
constexpr std::uint64_t kMostRaised = 4;

std::uint64_t verification_gas(const UserOperation& op) {
  return kPaymasterVerificationGas + kGasPerWord * ((op.call_data.size() + op.factory_data.size() + 31) / 32);
}

std::string text(const Uint256& value) { return core::format_decimal(value); }

std::optional<Uint256> max_cost(const UserOperation& op) {
  std::optional<Uint256> gas = op.pre_verification_gas;
  for (const Uint256* limit : {&op.verification_gas_limit, &op.call_gas_limit, &op.paymaster_verification_gas_limit,
                               &op.paymaster_post_op_gas_limit}) {
    gas = base::add(*gas, *limit);
    if (!gas) return std::nullopt;
  }
  return base::multiply(*gas, op.max_fee_per_gas);
}

// validUntil (6) || validAfter (6) || signature (65)
Bytes make_data(std::int64_t valid_until, const std::array<std::uint8_t, 65>& signature) {
  Bytes data(kPaymasterDataBytes, 0);
  std::array<std::uint8_t, 8> until{};
  base::store_be(until.data(), static_cast<std::uint64_t>(valid_until));
  std::copy(until.begin() + 2, until.end(), data.begin());
  std::copy(signature.begin(), signature.end(), data.begin() + 12);
  return data;
}

// Well-formed and of nobody: every step of the verification runs, none of it passes.
std::array<std::uint8_t, 65> stub_signature() {
  std::array<std::uint8_t, 65> signature{};
  std::fill_n(signature.begin(), 32, std::uint8_t{0x6b});
  std::fill_n(signature.begin() + 32, 32, std::uint8_t{0x2d});
  signature[64] = 28;
  return signature;
}

Error translate(const keys::Error& error) {
  using protocol::Error;
  if (error.code == keys::ErrorCode::refused) {
    switch (error.refusal) {
      case Error::budget_exhausted:
        return {ErrorCode::budget_exhausted, "the sponsor's budget is used up until its operator raises it"};
      case Error::sponsorship_cost_over_cap:
        return {ErrorCode::cost_over_limit, "the operation may cost more than the trusted core sponsors"};
      case Error::unknown_chain:
      case Error::unknown_entry_point:
      case Error::paymaster_not_configured:
        return {ErrorCode::entry_point_unsupported, "the trusted core is not configured for this sponsorship: " +
                                                        std::string(protocol::name(error.refusal))};
      default:
        return {ErrorCode::refused_by_core,
                "the trusted core refuses this sponsorship: " + std::string(protocol::name(error.refusal))};
    }
  }
  return {ErrorCode::keys_unavailable, "the trusted core does not sign now: " + error.text()};
}

class CommunitySponsor final : public Sponsor {
 public:
  CommunitySponsor(keys::SponsorKeys& keys, infra::Clock& clock, infra::Metrics* metrics, SponsorOptions options)
      : keys_(keys), clock_(clock), options_(std::move(options)) {
    if (metrics == nullptr) return;
    signed_.emplace(metrics->counter("community_sponsor_approvals_total", "Sponsorships signed"));
    refused_.emplace(metrics->counter("community_sponsor_refusals_total", "Sponsorships refused"));
    open_gauge_.emplace(metrics->gauge("community_sponsor_open_approvals", "Neither used nor ended"));
  }

  std::vector<PaymasterContract> contracts() const override { return options_.contracts; }

  Task<Result<SponsorData>> stub(UserOperation op, Address entry_point, Uint256 chain_id) override {
    auto contract = check_request(op, entry_point, chain_id);
    if (!contract) co_return tl::unexpected(std::move(contract.error()));
    SponsorData data;
    data.paymaster = *contract;
    data.data = make_data(valid_until(), stub_signature());
    data.verification_gas_limit = Uint256(verification_gas(op));
    data.name = options_.policy.name;
    co_return data;
  }

  Task<Result<SponsorData>> sign(UserOperation op, Address entry_point, Uint256 chain_id) override {
    auto answer = co_await try_sign(std::move(op), entry_point, chain_id);
    if (answer && signed_) signed_->add();
    if (!answer && refused_) refused_->add();
    if (open_gauge_) open_gauge_->set(static_cast<double>(open_total_));
    co_return answer;
  }

  void settle(const Address& sender, const Uint256& nonce) override {
    Approval* approval = find(sender, nonce);
    if (approval == nullptr) return;
    approval->until = 0;
    remove_if_free(sender, nonce);
  }

 private:
  struct Approval {
    // End of what was signed last, seconds since 1970; 0 while nothing is.
    std::int64_t until = 0;
    // Requests that the trusted core has not answered yet.
    std::size_t signing = 0;

    bool is_free(std::int64_t now) const { return signing == 0 && until < now; }
  };
  // By nonce.
  using Approvals = std::map<Uint256, Approval>;

  // The place of one request while the trusted core decides. What was signed before stays open when it refuses.
  class Reservation {
   public:
    Reservation(CommunitySponsor& owner, const Address& sender, const Uint256& nonce)
        : owner_(owner), sender_(sender), nonce_(nonce) {}
    ~Reservation() {
      owner_.find(sender_, nonce_)->signing--;
      owner_.remove_if_free(sender_, nonce_);
    }
    Reservation(const Reservation&) = delete;
    Reservation& operator=(const Reservation&) = delete;
    void keep(std::int64_t until) {
      Approval* approval = owner_.find(sender_, nonce_);
      approval->until = std::max(approval->until, until);
    }

   private:
    CommunitySponsor& owner_;
    Address sender_;
    Uint256 nonce_;
  };

  Approval* find(const Address& sender, const Uint256& nonce) {
    const auto of_sender = open_.find(sender);
    if (of_sender == open_.end()) return nullptr;
    const auto found = of_sender->second.find(nonce);
    return found == of_sender->second.end() ? nullptr : &found->second;
  }

  void remove_if_free(const Address& sender, const Uint256& nonce) {
    const Approval* approval = find(sender, nonce);
    if (approval == nullptr || !approval->is_free(now_s())) return;
    const auto of_sender = open_.find(sender);
    open_total_ -= of_sender->second.erase(nonce);
    if (of_sender->second.empty()) open_.erase(of_sender);
  }

  // The chain says whether an approval is over, so its clock counts when it is ahead.
  std::int64_t now_s() const {
    const std::int64_t here = clock_.now_s();
    return options_.chain_time_s ? std::max(here, options_.chain_time_s()) : here;
  }

  std::int64_t valid_until() const {
    return now_s() + kSecondsPerMinute * static_cast<std::int64_t>(options_.policy.validity_minutes);
  }

  Result<Address> check_request(const UserOperation& op, const Address& entry_point, const Uint256& chain_id) const {
    if (!options_.policy.enabled) return fail(ErrorCode::disabled, "this node sponsors no operations");
    if (chain_id != Uint256(options_.chain_id))
      return fail(ErrorCode::chain_unsupported, "operations of chain " + text(chain_id) + " are not sponsored, only " +
                                                    std::to_string(options_.chain_id));
    if (op.uses_eip7702() || op.eip7702_auth)
      return fail(ErrorCode::field_invalid, "EIP-7702 operations are not sponsored yet");
    for (const PaymasterContract& contract : options_.contracts)
      if (contract.entry_point == entry_point) return contract.paymaster;
    return fail(ErrorCode::entry_point_unsupported,
                "operations of entry point " + core::format_address(entry_point) + " are not sponsored");
  }

  static Result<void> fill_gas(UserOperation& op) {
    if (op.verification_gas_limit.is_zero() || op.pre_verification_gas.is_zero() || op.max_fee_per_gas.is_zero())
      return fail(ErrorCode::field_invalid,
                  "gas limits and fees must be final: estimate first, then ask for the sponsorship");
    const std::uint64_t need = verification_gas(op);
    op.paymaster_verification_gas_limit = std::max(op.paymaster_verification_gas_limit, Uint256(need));
    const Uint256 most(kMostRaised * need);
    if (op.paymaster_verification_gas_limit > most || op.paymaster_post_op_gas_limit > most)
      return fail(ErrorCode::field_invalid, "paymaster gas limits above " + text(most) +
                                                " are not sponsored; the paymaster needs " + std::to_string(need));
    return {};
  }

  // Ended approvals free their places.
  void sweep(Approvals& approvals) {
    const std::int64_t now = now_s();
    open_total_ -= std::erase_if(approvals, [now](const auto& row) { return row.second.is_free(now); });
  }

  // A Reservation follows.
  Result<void> reserve(const UserOperation& op) {
    if (open_total_ >= options_.policy.open_total) sweep_all();
    if (open_total_ >= options_.policy.open_total)
      return fail(ErrorCode::approvals_limit, "too many sponsorships wait to be used; try again later");
    Approvals& approvals = open_[op.sender];
    sweep(approvals);
    const std::size_t count = approvals.size();
    if (!approvals.contains(op.nonce) && count >= options_.policy.open_per_sender) {
      if (approvals.empty()) open_.erase(op.sender);
      return fail(ErrorCode::sender_limit, "the sender has " + std::to_string(count) +
                                               " sponsorships that are not used yet, the limit is " +
                                               std::to_string(options_.policy.open_per_sender) +
                                               "; each frees its place when it is used or has ended");
    }
    const auto [place, is_new] = approvals.try_emplace(op.nonce);
    open_total_ += is_new;
    place->second.signing++;
    return {};
  }

  void sweep_all() {
    for (auto it = open_.begin(); it != open_.end();) {
      sweep(it->second);
      it = it->second.empty() ? open_.erase(it) : std::next(it);
    }
  }

  Task<Result<SponsorData>> try_sign(UserOperation op, Address entry_point, Uint256 chain_id) {
    auto contract = check_request(op, entry_point, chain_id);
    if (!contract) co_return tl::unexpected(std::move(contract.error()));
    if (auto filled = fill_gas(op); !filled) co_return tl::unexpected(std::move(filled.error()));
    op.paymaster = *contract;
    op.paymaster_data.clear();
    const auto cost = max_cost(op);
    if (!cost || *cost > options_.policy.max_cost)
      co_return fail(ErrorCode::cost_over_limit,
                     "the operation may cost " + (cost ? text(*cost) : std::string("more than 2^256")) +
                         " wei, this node sponsors " + text(options_.policy.max_cost) + " at most");
    auto packed = core::pack(op);
    if (!packed) co_return fail(ErrorCode::field_invalid, packed.error().text());
    const std::int64_t until = valid_until();
    if (auto reserved = reserve(op); !reserved) co_return tl::unexpected(std::move(reserved.error()));
    Reservation reservation(*this, op.sender, op.nonce);

    keys::SponsorshipRequest request;
    request.chain_id = options_.chain_id;
    request.entry_point = entry_point;
    request.paymaster = *contract;
    request.userop = std::move(*packed);
    request.paymaster_verification_gas_limit = op.paymaster_verification_gas_limit;
    request.paymaster_post_op_gas_limit = op.paymaster_post_op_gas_limit;
    request.valid_until = static_cast<std::uint64_t>(until);
    auto answer = co_await keys_.sign_sponsorship(options_.key, std::move(request));
    if (!answer) co_return tl::unexpected(translate(answer.error()));
    reservation.keep(until);
    SponsorData data;
    data.paymaster = *contract;
    data.data = make_data(until, answer->signature.to_rsv());
    data.verification_gas_limit = op.paymaster_verification_gas_limit;
    data.post_op_gas_limit = op.paymaster_post_op_gas_limit;
    data.name = options_.policy.name;
    co_return data;
  }

  keys::SponsorKeys& keys_;
  infra::Clock& clock_;
  SponsorOptions options_;
  std::map<Address, Approvals> open_;
  std::size_t open_total_ = 0;
  std::optional<infra::Counter> signed_, refused_;
  std::optional<infra::Gauge> open_gauge_;
};

}  // namespace

std::unique_ptr<Sponsor> make_sponsor(keys::SponsorKeys& keys, infra::Clock& clock, infra::Metrics* metrics,
                                      SponsorOptions options) {
  return std::make_unique<CommunitySponsor>(keys, clock, metrics, std::move(options));
}

}  // namespace community::paymaster
