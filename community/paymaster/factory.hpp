// SPDX-License-Identifier: Apache-2.0
// The real body. Only programs (cmd/) and tests include this header.
#pragma once
#include <functional>
#include <memory>

#include "community/infra/api/clock.hpp"
#include "community/infra/api/metrics.hpp"
#include "community/paymaster/api/sponsor.hpp"

namespace community::paymaster {

struct SponsorOptions {
  std::uint64_t chain_id = 0;
  // `paymaster` key of the trusted core.
  keys::RecordId key{};
  std::vector<PaymasterContract> contracts;
  SponsorPolicy policy;
  // Time of the latest block, seconds since 1970; 0 while none was seen. A chain that is ahead of this machine counts:
  // it is the chain that says whether an approval is over.
  std::function<std::int64_t()> chain_time_s;
};

// Everything outlives the sponsor; `metrics` may be null.
std::unique_ptr<Sponsor> make_sponsor(keys::SponsorKeys& keys, infra::Clock& clock, infra::Metrics* metrics,
                                      SponsorOptions options);

}  // namespace community::paymaster
