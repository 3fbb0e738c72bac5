// SPDX-License-Identifier: Apache-2.0
#include "community/transactions/queue.hpp"

#include "community/core/abi.hpp"

namespace community::transactions {
namespace {

namespace json = core::json;

json::object change_json(const char* meaning) {
  json::object out;
  out["meaning"] = meaning;
  return out;
}

}  // namespace

json::object queue_json(const QueueOrder& order) {
  switch (order.kind) {
    case accounts::QueueKind::limit: {
      json::object out = change_json("changeLimit");
      out["token"] = nullptr;
      if (!base::is_zero(order.subject)) out["to"] = core::format_address(order.subject);
      out["amount"] = core::format_decimal(order.amount);
      return out;
    }
    case accounts::QueueKind::gas_cap: {
      json::object out = change_json("changeGasCap");
      out["amount"] = core::format_decimal(order.amount);
      return out;
    }
    case accounts::QueueKind::domain: {
      json::object out = change_json("listDomain");
      out["hash"] = core::to_hex(order.domain);
      return out;
    }
    case accounts::QueueKind::allowed_call: {
      json::object out = change_json("allowCall");
      out["to"] = core::format_address(order.subject);
      out["selector"] = core::to_hex(order.selector);
      return out;
    }
    case accounts::QueueKind::spend:
      break;
  }
  return change_json("spend");
}

accounts::Result<accounts::Queued> queued_of(const QueueOrder& order, const Uint256& salt) {
  switch (order.kind) {
    case accounts::QueueKind::limit:
      return accounts::queued_limit(order.subject, order.amount, salt);
    case accounts::QueueKind::gas_cap:
      return accounts::queued_gas_cap(order.amount, salt);
    case accounts::QueueKind::domain:
      return accounts::queued_domain(order.domain, salt);
    case accounts::QueueKind::allowed_call:
      return accounts::queued_allowed_call(order.subject, order.selector, salt);
    case accounts::QueueKind::spend:
      break;
  }
  return accounts::queued_spend(order.calls, salt);
}

std::optional<QueueOrder> order_of(const accounts::Queued& queued) {
  QueueOrder order;
  order.kind = queued.kind;
  const auto read = [&queued](std::string_view types) {
    return core::abi_decode(core::parse_abi_parameters(types).value(), queued.content);
  };
  switch (queued.kind) {
    case accounts::QueueKind::spend: {
      auto calls = accounts::read_calls(queued.content);
      if (!calls) return std::nullopt;
      order.calls = std::move(*calls);
      return order;
    }
    case accounts::QueueKind::limit: {
      const auto values = read("address,uint256");
      if (!values) return std::nullopt;
      order.subject = (*values)[0].address();
      order.amount = (*values)[1].word();
      return order;
    }
    case accounts::QueueKind::gas_cap: {
      const auto values = read("uint256");
      if (!values) return std::nullopt;
      order.amount = (*values)[0].word();
      return order;
    }
    case accounts::QueueKind::domain: {
      const auto values = read("bytes32");
      if (!values) return std::nullopt;
      base::copy(order.domain, (*values)[0].bytes());
      return order;
    }
    case accounts::QueueKind::allowed_call: {
      const auto values = read("address,bytes4");
      if (!values) return std::nullopt;
      order.subject = (*values)[0].address();
      base::copy(order.selector, (*values)[1].bytes());
      return order;
    }
  }
  return std::nullopt;
}

}  // namespace community::transactions
