// SPDX-License-Identifier: Apache-2.0
// /node: what a page must know of this node before anybody is logged in; /openapi.json: this API in its own words.
#include "community/gateway/api_v1/openapi.hpp"
#include "community/gateway/api_v1/resources.hpp"
#include "community/keys/api/core_status.hpp"

namespace community::gateway::api_v1 {
namespace {

// Names that people know chains by, with the currency and its registered number for a phrase's keys (SLIP-44).
struct ChainWords {
  std::uint64_t chain_id;
  const char* name;
  const char* symbol;
  std::uint32_t coin_type;
  const char* explorer;
};

constexpr std::uint32_t kEther = 60;
constexpr ChainWords kChains[] = {
    {1, "Ethereum", "ETH", kEther, "https://etherscan.io"},
    {10, "OP Mainnet", "ETH", kEther, "https://optimistic.etherscan.io"},
    {56, "BNB Smart Chain", "BNB", 714, "https://bscscan.com"},
    {137, "Polygon", "POL", 966, "https://polygonscan.com"},
    {31'337, "Development chain", "ETH", kEther, nullptr},
    {11'155'111, "Sepolia", "ETH", kEther, "https://sepolia.etherscan.io"},
};
constexpr int kDecimals = 18;

ChainWords words_of(std::uint64_t chain_id) {
  for (const ChainWords& words : kChains)
    if (words.chain_id == chain_id) return words;
  return {chain_id, nullptr, "ETH", kEther, nullptr};
}

json::object to_json(const ChainFacts& chain) {
  const ChainWords words = words_of(chain.chain_id);
  json::object currency;
  currency["symbol"] = words.symbol;
  currency["decimals"] = kDecimals;
  json::object out;
  out["chainId"] = chain.chain_id;
  out["name"] = words.name != nullptr ? std::string(words.name) : "Chain " + std::to_string(chain.chain_id);
  out["currency"] = std::move(currency);
  out["factory"] = core::format_address(chain.factory);
  out["entryPoint"] = core::format_address(chain.entry_point);
  out["proxyInitCodeHash"] = core::to_hex(chain.proxy_init_code_hash);
  out["paymaster"] = nullptr;
  if (chain.paymaster) out["paymaster"] = core::format_address(*chain.paymaster);
  out["multisigFactory"] = core::format_address(chain.multisig_factory);
  out["multisigProxyInitCodeHash"] = core::to_hex(chain.multisig_proxy_init_code_hash);
  out["coinType"] = words.coin_type;
  if (words.explorer != nullptr) out["explorerUrl"] = words.explorer;
  return out;
}

const char* name_of(protocol::Body body) {
  switch (body) {
    case protocol::Body::optee_qemu:
      return "optee-qemu";
    case protocol::Body::optee_device:
      return "optee-device";
    default:
      return "process";
  }
}

const char* name_of(protocol::Protection protection) {
  switch (protection) {
    case protocol::Protection::hardware:
      return "hardware";
    case protocol::Protection::emulated:
      return "emulated";
    default:
      return "none";
  }
}

Task<Result<HttpResponse>> get_node(const std::function<NodeFacts()>& facts) {
  const NodeFacts node = facts();
  json::object core;
  core["body"] = name_of(node.body);
  core["protection"] = name_of(node.protection);
  core["connected"] = node.core_connected;
  core["description"] = keys::describe_protection(node.body, node.protection);
  json::array chains;
  for (const ChainFacts& chain : node.chains) chains.push_back(to_json(chain));
  json::object mail;
  mail["delivery"] = node.mail_by_smtp ? "smtp" : "outbox";
  json::object defaults;
  defaults["dailyLimit"] = core::format_decimal(node.daily_limit);
  defaults["gasCap"] = core::format_decimal(node.gas_cap);
  defaults["recoveryDelaySeconds"] = node.recovery_delay_s;
  json::object out;
  out["version"] = node.version;
  out["rpId"] = node.relying_party.id;
  out["origin"] = node.origin;
  out["chains"] = std::move(chains);
  out["core"] = std::move(core);
  out["mail"] = std::move(mail);
  out["development"] = node.development;
  out["defaults"] = std::move(defaults);
  co_return answer_json(200, out);
}

Task<Result<HttpResponse>> get_description() {
  static const auto text = std::make_shared<const std::string>(openapi_text());
  HttpResponse response;
  response.headers.add("content-type", "application/json");
  response.headers.add("cache-control", "public, max-age=300");
  response.shared_body = text;
  co_return response;
}

}  // namespace

void add_node(Api& api, infra::HttpRouter& router, std::function<NodeFacts()> facts) {
  api.add(router, "GET", "/api/v1/node", Access::open, Cost::request,
          [facts = std::move(facts)](Call&) { return get_node(facts); });
  api.add(router, "GET", "/api/v1/openapi.json", Access::open, Cost::request, [](Call&) { return get_description(); });
}

}  // namespace community::gateway::api_v1
