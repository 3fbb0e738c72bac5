// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdio>

#include "cmd/community-node/account.hpp"
#include "community/chain/factory.hpp"
#include "community/core/abi.hpp"
#include "community/infra/api/log.hpp"
#include "community/infra/factory.hpp"

namespace community::node {

using wallet::ErrorCode;
using wallet::fail;

AccountContext::AccountContext(const AccountOptions& options)
    : options_(options),
      random_(infra::make_system_random()),
      clock_(infra::make_system_clock()),
      http_(infra::make_http_client({})) {
  for (const std::string& url : chain_urls()) {
    chain::JsonRpcChainOptions chain;
    chain.urls = {url};
    chains_.push_back(chain::make_json_rpc_chain(*http_, *clock_, chain));
  }
}

AccountContext::~AccountContext() = default;

std::vector<std::string> AccountContext::chain_urls() const {
  return options_.chains.empty() ? std::vector<std::string>{options_.configured_chain} : options_.chains;
}

Task<wallet::Result<std::uint64_t>> AccountContext::chain_id() {
  const auto id = co_await chains_.front()->chain_id();
  if (!id)
    co_return fail(ErrorCode::chain,
                   "no chain answers at " + chain_urls().front() + "; say --chain URL (" + id.error().text() + ")");
  co_return *id;
}

Task<wallet::Result<wallet::Payer*>> AccountContext::payer() {
  if (options_.payer.empty()) co_return nullptr;
  if (!payer_) {
    const auto secret = wallet::read_key_file(options_.payer);
    if (!secret) co_return tl::unexpected(secret.error());
    const auto id = co_await chain_id();
    if (!id) co_return tl::unexpected(id.error());
    payer_ = std::make_unique<wallet::Payer>(*chains_.front(), *clock_, *id, *secret);
  }
  co_return payer_.get();
}

Task<wallet::Result<control::ControlClient*>> AccountContext::node() {
  if (!node_) {
    auto place = control::read_control_place(options_.data_dir);
    if (!place) co_return fail(ErrorCode::node, place.error().text());
    auto meant = options_.node_chain;
    if (!options_.chains.empty()) {
      const auto told = co_await chain_id();
      if (!told) co_return tl::unexpected(told.error());
      meant = *told;
    }
    if (meant) *place = control::on_chain(std::move(*place), *meant);
    node_ = std::make_unique<control::ControlClient>(*http_, std::move(*place));
  }
  co_return node_.get();
}

Task<wallet::Result<control::NodeInfo>> AccountContext::node_info() {
  const auto client = co_await node();
  if (!client) co_return tl::unexpected(client.error());
  auto info = co_await (*client)->info();
  if (!info) co_return fail(ErrorCode::node, info.error().text());
  co_return std::move(*info);
}

Task<wallet::Result<wallet::Carrier*>> AccountContext::carrier() {
  const auto own = co_await payer();
  if (!own) co_return tl::unexpected(own.error());
  if (*own != nullptr) co_return static_cast<wallet::Carrier*>(*own);
  const auto client = co_await node();
  if (!client) {
    co_return fail(ErrorCode::node, client.error().message + "; without a node, name who pays: --payer KEYFILE");
  }
  if (!carrier_) carrier_ = wallet::make_node_carrier(**client, *clock_);
  co_return carrier_.get();
}

Task<wallet::Result<wallet::Wallet>> AccountContext::open(std::vector<std::filesystem::path> paths) {
  std::vector<wallet::WalletFile> files;
  bool of_a_node = false;
  for (const auto& path : paths) {
    auto file = wallet::read_wallet_file(path);
    if (!file) co_return tl::unexpected(std::move(file.error()));
    of_a_node = of_a_node || std::holds_alternative<wallet::AccountFile>(*file);
    files.push_back(std::move(*file));
  }
  const auto id = co_await chain_id();
  if (!id) co_return tl::unexpected(id.error());
  const auto own = co_await payer();
  if (!own) co_return tl::unexpected(own.error());
  wallet::WalletServices services{*chains_.front(), *id, *random_};
  services.payer = *own;
  services.step = [](std::string words) { say("  " + words); };
  // With a payer a node is of use and not needed; without one it pays.
  if (of_a_node || *own == nullptr) {
    auto info = co_await node_info();
    if (!info && *own == nullptr) {
      info.error().message += "; without a node, name who pays: --payer KEYFILE";
      co_return tl::unexpected(std::move(info.error()));
    }
    if (info) {
      if (info->chain_id != *id)
        co_return fail(ErrorCode::chain, "the node serves chain " + std::to_string(info->chain_id) + ", and " +
                                             chain_urls().front() + " is chain " + std::to_string(*id));
      infra::RpcClientOptions relay;
      relay.url = info->rpc_url;
      relay_ = std::make_unique<infra::RpcClient>(*http_, std::move(relay));
      services.node = node_.get();
      services.relay = relay_.get();
    }
  }
  const auto brings = co_await carrier();
  if (!brings) co_return tl::unexpected(brings.error());
  services.carrier = *brings;
  co_return wallet::Wallet::open(std::move(services), std::move(files));
}

int run_account(const AccountOptions& options, const AccountJob& job) {
  infra::LogOptions log;
  log.level = infra::LogLevel::error;
  infra::configure_log(log);
  infra::EventLoop loop;
  AccountContext context(options);
  const auto done = loop.block_on(job(context));
  if (done) return 0;
  std::fprintf(stderr, "community-node: %s\n", done.error().text().c_str());
  return 1;
}

wallet::Result<Uint256> parse_amount(const std::string& text, unsigned decimals) {
  const std::size_t point = text.find('.');
  const std::string whole = text.substr(0, point);
  std::string part = point == std::string::npos ? std::string() : text.substr(point + 1);
  const auto digits = [](const std::string& s) {
    return std::ranges::all_of(s, [](char c) { return c >= '0' && c <= '9'; });
  };
  if (whole.empty() || (point != std::string::npos && part.empty()) || !digits(whole) || !digits(part))
    return fail(ErrorCode::argument, "\"" + text + "\" is no amount; write digits, as in 0.25");
  if (part.size() > decimals)
    return fail(ErrorCode::argument, "\"" + text + "\" has more than " + std::to_string(decimals) + " decimals");
  part.resize(decimals, '0');
  std::string all = whole + part;
  all.erase(0, std::min(all.find_first_not_of('0'), all.size() - 1));
  const auto amount = core::parse_decimal(all);
  if (!amount) return fail(ErrorCode::argument, "\"" + text + "\" is larger than anything there is");
  return *amount;
}

wallet::Result<Address> read_address(const std::string& text, std::string_view what) {
  const auto address = core::parse_address(text);
  if (!address) return fail(ErrorCode::argument, std::string(what) + " is no address: " + address.error().text());
  return *address;
}

wallet::Result<Bytes32> read_hash(const std::string& text, std::string_view what) {
  const auto hash = core::parse_bytes32(text);
  if (!hash) return fail(ErrorCode::argument, std::string(what) + ": " + hash.error().text());
  return *hash;
}

wallet::Result<std::array<std::uint8_t, 4>> read_selector(const std::string& text) {
  if (text.starts_with("0x")) {
    const auto selector = core::parse_hex_array<4>(text);
    if (!selector) return fail(ErrorCode::argument, text + " is no selector of four bytes");
    return *selector;
  }
  const auto function = core::parse_abi_function(text);
  if (!function) return fail(ErrorCode::argument, text + " is no function; write it as in transfer(address,uint256)");
  return function->selector;
}

Task<wallet::Result<unsigned>> decimals_of(AccountContext& context, Address token) {
  if (base::is_zero(token)) co_return 18u;
  chain::CallRequest request;
  request.to = token;
  request.data = core::parse_abi_function("decimals()").value().encode({}).value();
  const auto answer = co_await context.chain().call(std::move(request));
  const bool is_word = answer && answer->size() == 32;
  const auto decimals = is_word ? Uint256::from_be(*answer).to_u64() : std::nullopt;
  if (!decimals || *decimals > 77)
    co_return fail(ErrorCode::argument, core::format_address(token) + " says no decimals: is it a token?");
  co_return static_cast<unsigned>(*decimals);
}

Bytes32 new_secret(infra::Random& random) {
  Bytes32 secret;
  do random.fill(secret);
  while (!wallet::SoftwarePasskey::is_secret(secret) || !core::public_key_of(secret));
  return secret;
}

void say(const std::string& line) { std::printf("%s\n", line.c_str()); }

}  // namespace community::node
