// SPDX-License-Identifier: Apache-2.0
#include "community/wallet/api/node_carrier.hpp"

namespace community::wallet {
namespace {

constexpr infra::Milliseconds kLook{200};
// Ten minutes.
constexpr int kLooks = 3'000;

class NodeCarrier final : public Carrier {
 public:
  NodeCarrier(control::ControlClient& node, infra::Clock& clock) : node_(node), clock_(clock) {}

  Task<Result<Carried>> carry(Address to, Bytes call_data) override {
    const auto id = co_await node_.bring(to, std::move(call_data));
    if (!id) co_return fail(ErrorCode::node, id.error().text());
    for (int look = 0; look < kLooks; look++) {
      const auto errand = co_await node_.errand(*id);
      // A node that starts again knows its errands still.
      if (errand && errand->state == courier::ErrandState::included)
        co_return Carried{errand->transaction_hash, errand->block_number};
      if (errand && errand->state == courier::ErrandState::failed)
        co_return fail(ErrorCode::reverted, "the node's courier: " + errand->reason);
      co_await clock_.sleep_for(kLook);
    }
    co_return fail(ErrorCode::not_included, "the node has it, and it is in no block yet: " + core::to_hex(*id));
  }

 private:
  control::ControlClient& node_;
  infra::Clock& clock_;
};

}  // namespace

std::unique_ptr<Carrier> make_node_carrier(control::ControlClient& node, infra::Clock& clock) {
  return std::make_unique<NodeCarrier>(node, clock);
}

}  // namespace community::wallet
