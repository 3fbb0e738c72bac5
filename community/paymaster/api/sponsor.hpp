// SPDX-License-Identifier: Apache-2.0
// Who pays for an operation (ERC-7677). The node applies its policy, the trusted core its own caps, and signs.
#pragma once
#include <cstdint>

#include "community/core/userop.hpp"
#include "community/infra/api/task.hpp"
#include "community/keys/api/key_service.hpp"
#include "community/paymaster/api/error.hpp"

namespace community::paymaster {

using core::Address;
using core::Bytes;
using core::Uint256;
using core::UserOperation;
using infra::Task;

// validUntil (6) || validAfter (6) || signature (65), spec/wire-formats.md section 4; stub and real alike.
inline constexpr std::size_t kPaymasterDataBytes = 77;

// Gas of CommunityPaymaster's validation as the EntryPoint counts it (AA36), measured by paymaster_gas_test on anvil:
// cold storage, longest path. It has no postOp.
inline constexpr std::uint64_t kPaymasterVerificationGas = 40'000;
inline constexpr std::uint64_t kPaymasterPostOpGas = 0;

struct SponsorData {
  Address paymaster{};
  Bytes data;
  Uint256 verification_gas_limit{kPaymasterVerificationGas};
  Uint256 post_op_gas_limit{kPaymasterPostOpGas};
  // Of the person or community that pays, for the client's page.
  std::string name;
};

// One deployed CommunityPaymaster; it serves one EntryPoint.
struct PaymasterContract {
  Address entry_point{};
  Address paymaster{};
};

struct SponsorPolicy {
  bool enabled = false;
  std::string name = "Community Node";
  // wei; (all gas limits + preVerificationGas) * maxFeePerGas of one operation.
  Uint256 max_cost;
  // An approval that was not used ends after this many minutes.
  unsigned validity_minutes = 10;
  // Approvals of one sender that are neither used nor ended.
  std::size_t open_per_sender = 4;
  // 100,000 of about 100 bytes are 10 MB.
  std::size_t open_total = 100'000;
};

class Sponsor {
 public:
  virtual ~Sponsor() = default;
  virtual std::vector<PaymasterContract> contracts() const = 0;
  // pm_getPaymasterStubData: no signature, no key used.
  virtual Task<Result<SponsorData>> stub(UserOperation op, Address entry_point, Uint256 chain_id) = 0;
  // pm_getPaymasterData: gas limits and fees are final.
  virtual Task<Result<SponsorData>> sign(UserOperation op, Address entry_point, Uint256 chain_id) = 0;
  // The operation was included or will never be: its sender may have another approval.
  virtual void settle(const Address& sender, const Uint256& nonce) = 0;
};

}  // namespace community::paymaster
