// SPDX-License-Identifier: Apache-2.0
#include "community/devnet/api/deployment.hpp"

#include "community/core/abi.hpp"
#include "community/core/json.hpp"
#include "trusted/base/keccak.hpp"

namespace community::devnet {
namespace {

namespace json = boost::json;

// The deterministic deployer that development chains carry: call data is salt || init code.
constexpr Address kDeployer{0x4e, 0x59, 0xb4, 0x48, 0x47, 0xb3, 0x79, 0x57, 0x85, 0x88,
                            0x92, 0x0c, 0xa7, 0x8f, 0xbf, 0x26, 0xc0, 0xb4, 0x95, 0x6c};
constexpr Bytes32 kZeroSalt{};
// An EntryPoint takes 5 million; the cap of a transaction is 16,777,216 (EIP-7825).
constexpr std::uint64_t kDeployGas = 12'000'000;
// Ether
constexpr std::uint64_t kExecutorBalance = 100, kPaymasterDeposit = 1'000, kPaymasterStake = 1;
constexpr std::uint32_t kUnstakeDelay_s = 86'400;
// Blocks come each second on the development chain; the bound is generous for a loaded machine.
constexpr int kReceiptPolls = 600;
constexpr infra::Milliseconds kReceiptPause{100};
// The bundle carries the compiled code of a dozen contracts with their ABIs.
constexpr std::size_t kMaxBundleBytes = 16u << 20;

Uint256 ether(std::uint64_t amount) { return *multiply(Uint256(amount), Uint256(1'000'000'000'000'000'000)); }

template <class T>
tl::unexpected<Error> chain_failure(std::string what, const chain::ChainResult<T>& result) {
  return fail(std::move(what) + ": " + result.error().text());
}

Bytes with_words(Bytes code, std::initializer_list<Address> words) {
  for (const Address& address : words) core::append(code, core::word_from_address(address));
  return code;
}

Result<const json::object*> object_at(const json::value& root, std::initializer_list<std::string_view> path) {
  const json::object* object = root.if_object();
  for (const std::string_view key : path) {
    const json::value* next = object == nullptr ? nullptr : object->if_contains(key);
    object = next == nullptr ? nullptr : next->if_object();
    if (object == nullptr) return fail("the contract bundle has no '" + std::string(key) + "'; run `make contracts`");
  }
  return object;
}

Result<Bytes> init_code_at(const json::value& root, std::initializer_list<std::string_view> path) {
  const auto object = object_at(root, path);
  if (!object) return tl::unexpected(object.error());
  auto code = core::bytes_member(**object, "initCode");
  if (!code) return fail("the contract bundle is damaged: " + code.error().message);
  return std::move(*code);
}

Result<void> read_multisig(const json::value& root, ContractBundle& bundle) {
  const auto addresses = object_at(root, {"addresses", "multisig"});
  if (!addresses) return tl::unexpected(addresses.error());
  auto factory = init_code_at(root, {"contracts", "CommunityMultisigFactory"});
  if (!factory) return tl::unexpected(std::move(factory.error()));
  auto verifier = init_code_at(root, {"contracts", "PasskeyVerifier"});
  if (!verifier) return tl::unexpected(std::move(verifier.error()));
  const auto factory_address = core::address_member(**addresses, "factory");
  const auto verifier_address = core::address_member(**addresses, "passkeyVerifier");
  const auto proxy_hash = core::bytes32_member(**addresses, "proxyInitCodeHash");
  if (!factory_address || !verifier_address || !proxy_hash)
    return fail("the contract bundle lacks the addresses of the multisig; run `make contracts`");
  bundle.multisig_factory = {*factory_address, kZeroSalt, std::move(*factory)};
  bundle.passkey_verifier = {*verifier_address, kZeroSalt, std::move(*verifier)};
  bundle.multisig_proxy_init_code_hash = *proxy_hash;
  return {};
}

}  // namespace

Result<ContractBundle> ContractBundle::parse(std::string_view text) {
  core::JsonLimits limits;
  limits.max_bytes = kMaxBundleBytes;
  const auto root = core::parse_json(text, limits);
  if (!root) return fail("the contract bundle is not JSON: " + root.error().message);
  ContractBundle bundle;
  for (const char* version : {"0.7", "0.8"}) {
    const auto entry_point = object_at(*root, {"entryPoints", version});
    const auto factory = object_at(*root, {"addresses", "factories", version});
    if (!entry_point) return tl::unexpected(entry_point.error());
    if (!factory) return tl::unexpected(factory.error());
    auto code = core::bytes_member(**entry_point, "initCode");
    const auto address = core::address_member(**entry_point, "address");
    const auto salt = core::bytes32_member(**entry_point, "salt");
    const auto factory_address = core::address_member(**factory, "factory");
    const auto proxy_hash = core::bytes32_member(**factory, "proxyInitCodeHash");
    if (!code || !address || !salt || !factory_address || !proxy_hash)
      return fail("the contract bundle is damaged; run `make contracts`");
    bundle.entry_points[version] = {*address, *salt, std::move(*code)};
    bundle.factories[version] = {*factory_address, *proxy_hash};
    const auto simulations = object_at(*root, {"simulations", version});
    if (!simulations) return tl::unexpected(simulations.error());
    auto runtime = core::bytes_member(**simulations, "runtime");
    if (!runtime) return fail("the contract bundle is damaged; run `make contracts`");
    bundle.simulations[version] = std::move(*runtime);
  }
  auto verifier = init_code_at(*root, {"contracts", "P256Verifier"});
  auto factory = init_code_at(*root, {"contracts", "CommunityAccountFactory"});
  auto paymaster = init_code_at(*root, {"contracts", "CommunityPaymaster"});
  const auto addresses = object_at(*root, {"addresses"});
  if (!verifier || !factory || !paymaster || !addresses) return fail("the contract bundle lacks a contract");
  const auto verifier_address = core::address_member(**addresses, "p256Verifier");
  if (!verifier_address) return fail("the contract bundle lacks the address of the P-256 verifier");
  bundle.p256_verifier = std::move(*verifier);
  bundle.account_factory = std::move(*factory);
  bundle.paymaster = std::move(*paymaster);
  bundle.p256_verifier_address = *verifier_address;
  if (auto read = read_multisig(*root, bundle); !read) return tl::unexpected(std::move(read.error()));
  return bundle;
}

Task<Result<Address>> DevelopmentChain::funder() {
  chain::ChainCall call;
  call.method = "eth_accounts";
  const auto answer = co_await client_.request(std::move(call), {});
  if (!answer) co_return chain_failure("cannot ask the chain for its accounts", answer);
  const json::array* accounts = answer->if_array();
  if (accounts == nullptr || accounts->empty() || !accounts->front().is_string())
    co_return fail("this chain has no unlocked account: it is not a development chain");
  const auto address = core::parse_address(accounts->front().get_string());
  if (!address) co_return fail("the chain's first account is no address");
  co_return *address;
}

Task<Result<Bytes32>> DevelopmentChain::submit(Address to, Uint256 value, Bytes data) {
  const auto from = co_await funder();
  if (!from) co_return tl::unexpected(from.error());
  json::object transaction;
  transaction["from"] = core::format_address(*from);
  transaction["to"] = core::format_address(to);
  transaction["value"] = core::format_quantity(value);
  transaction["data"] = core::to_hex(data);
  transaction["gas"] = core::format_quantity(Uint256(kDeployGas));
  chain::ChainCall call;
  call.method = "eth_sendTransaction";
  call.params.push_back(std::move(transaction));
  const auto answer = co_await client_.request(std::move(call), {});
  if (!answer) co_return chain_failure("the development chain refused a transaction", answer);
  const auto hash = answer->is_string() ? core::parse_bytes32(answer->get_string()) : core::parse_bytes32("");
  if (!hash) co_return fail("the chain answered no transaction hash");
  co_return *hash;
}

Task<Result<void>> DevelopmentChain::wait_for(Bytes32 hash) {
  for (int poll = 0; poll < kReceiptPolls; poll++) {
    const auto receipt = co_await client_.receipt(hash);
    if (!receipt) co_return chain_failure("cannot read a receipt", receipt);
    if (*receipt) {
      if ((*receipt)->success) co_return Result<void>{};
      co_return fail("a transaction of the set-up reverted: " + core::to_hex(hash));
    }
    co_await infra::sleep_real(kReceiptPause);
  }
  co_return fail("a transaction of the set-up was not included: " + core::to_hex(hash));
}

Task<Result<std::optional<Bytes32>>> DevelopmentChain::create2(Address expected, Bytes32 salt, Bytes init_code) {
  const Address made = core::create2_address(kDeployer, salt, base::keccak256(init_code));
  if (made != expected)
    co_return fail("a contract would land at " + core::format_address(made) + " instead of " +
                   core::format_address(expected));
  const auto code = co_await client_.code(expected);
  if (!code) co_return chain_failure("cannot read code", code);
  if (!code->empty()) co_return std::optional<Bytes32>();
  Bytes data = core::to_bytes(salt);
  core::append(data, init_code);
  const auto hash = co_await submit(kDeployer, {}, std::move(data));
  if (!hash) co_return tl::unexpected(hash.error());
  co_return std::optional<Bytes32>(*hash);
}

Task<Result<void>> DevelopmentChain::fund(Address account, Uint256 amount) {
  const auto sent = co_await start_funding(account, amount);
  if (!sent) co_return tl::unexpected(sent.error());
  if (!*sent) co_return Result<void>{};
  co_return co_await wait_for(**sent);
}

Task<Result<std::optional<Bytes32>>> DevelopmentChain::start_funding(Address account, Uint256 amount) {
  const auto balance = co_await client_.balance(account);
  if (!balance) co_return chain_failure("cannot read a balance", balance);
  const auto missing = subtract(amount, *balance);
  if (!missing || missing->is_zero()) co_return std::optional<Bytes32>();
  const auto hash = co_await submit(account, *missing, Bytes());
  if (!hash) co_return tl::unexpected(hash.error());
  co_return std::optional<Bytes32>(*hash);
}

Task<Result<void>> DevelopmentChain::start_paymaster(Address entry_point, Address paymaster,
                                                     std::vector<Bytes32>& sent) {
  const auto contract = chain::v0_8::make_entry_point(entry_point);
  chain::CallRequest call;
  call.to = entry_point;
  call.data = contract->encode_get_deposit_info(paymaster);
  const auto returned = co_await client_.call(std::move(call));
  if (!returned) co_return chain_failure("cannot read the paymaster's deposit", returned);
  const auto info = contract->decode_deposit_info(*returned);
  if (!info) co_return fail("the EntryPoint's deposit info is malformed");
  // Half of it is the mark below which a start tops the deposit up.
  if (info->deposit < ether(kPaymasterDeposit / 2)) {
    const auto deposit = core::parse_abi_function("deposit()").value();
    const auto hash = co_await submit(paymaster, ether(kPaymasterDeposit), deposit.encode({}).value());
    if (!hash) co_return tl::unexpected(hash.error());
    sent.push_back(*hash);
  }
  if (info->staked) co_return Result<void>{};
  const auto add_stake = core::parse_abi_function("addStake(uint32)").value();
  std::vector<core::AbiValue> arguments;
  arguments.emplace_back(std::uint64_t{kUnstakeDelay_s});
  const auto hash = co_await submit(paymaster, ether(kPaymasterStake), add_stake.encode(arguments).value());
  if (!hash) co_return tl::unexpected(hash.error());
  sent.push_back(*hash);
  co_return Result<void>{};
}

Task<Result<Deployment>> DevelopmentChain::deploy(const ContractBundle& bundle, DeployInput input) {
  const auto chain_id = co_await client_.chain_id();
  if (!chain_id) co_return chain_failure("cannot ask for the chain id", chain_id);
  const auto owner = co_await funder();
  if (!owner) co_return tl::unexpected(owner.error());
  Deployment result;
  result.chain_id = *chain_id;
  result.entry_point_v0_7 = bundle.entry_points.at("0.7").address;
  result.entry_point_v0_8 = bundle.entry_points.at("0.8").address;
  result.account_factory = bundle.factories.at("0.8").address;
  result.proxy_init_code_hash = bundle.factories.at("0.8").proxy_init_code_hash;
  result.multisig_factory = bundle.multisig_factory.address;
  result.multisig_proxy_init_code_hash = bundle.multisig_proxy_init_code_hash;
  result.passkey_verifier = bundle.passkey_verifier.address;

  std::vector<Artifact> wanted;
  for (const auto& [version, artifact] : bundle.entry_points) wanted.push_back(artifact);
  wanted.push_back({bundle.p256_verifier_address, kZeroSalt, bundle.p256_verifier});
  wanted.push_back({result.account_factory, kZeroSalt,
                    with_words(bundle.account_factory, {result.entry_point_v0_8, bundle.p256_verifier_address})});
  wanted.push_back(bundle.multisig_factory);
  wanted.push_back(bundle.passkey_verifier);
  for (const Address& entry_point : {result.entry_point_v0_7, result.entry_point_v0_8}) {
    // Owner and treasury of the development paymaster are the chain's own first account.
    Bytes code = with_words(bundle.paymaster, {entry_point, *owner, *owner, input.paymaster_signer});
    const Address address = core::create2_address(kDeployer, kZeroSalt, base::keccak256(code));
    result.paymasters.push_back({address, entry_point});
    wanted.push_back({address, kZeroSalt, std::move(code)});
  }
  // All are sent before the first is waited for: the sender's nonces keep them in order, and blocks take a second.
  std::vector<Bytes32> sent;
  for (Artifact& artifact : wanted) {
    const auto made = co_await create2(artifact.address, artifact.salt, std::move(artifact.init_code));
    if (!made) co_return tl::unexpected(made.error());
    if (*made) sent.push_back(**made);
  }
  for (const Bytes32& hash : sent)
    if (auto done = co_await wait_for(hash); !done) co_return tl::unexpected(done.error());
  result.deployed = sent.size();
  sent.clear();
  for (const PaymasterDeployment& paymaster : result.paymasters)
    if (auto done = co_await start_paymaster(paymaster.entry_point, paymaster.paymaster, sent); !done)
      co_return tl::unexpected(done.error());
  std::vector<Address> funded = input.executors;
  if (input.treasury) funded.push_back(*input.treasury);
  for (const Address& address : funded) {
    const auto funding = co_await start_funding(address, ether(kExecutorBalance));
    if (!funding) co_return tl::unexpected(funding.error());
    if (*funding) sent.push_back(**funding);
  }
  for (const Bytes32& hash : sent)
    if (auto done = co_await wait_for(hash); !done) co_return tl::unexpected(done.error());
  co_return result;
}

}  // namespace community::devnet
