// SPDX-License-Identifier: Apache-2.0
// A running node as the carrier of plain functions: its courier pays.
#pragma once
#include "community/control/api/control.hpp"
#include "community/wallet/api/payer.hpp"

namespace community::wallet {

// Both outlive the carrier.
std::unique_ptr<Carrier> make_node_carrier(control::ControlClient& node, infra::Clock& clock);

}  // namespace community::wallet
