// SPDX-License-Identifier: Apache-2.0
// Init data both ways, with the rules of the factory: a multisig that breaks one can be paid to and never deployed.
#include <algorithm>
#include <set>

#include "community/core/abi.hpp"
#include "community/multisig/api/multisig.hpp"
#include "trusted/base/keccak.hpp"

namespace community::multisig {
namespace {

using core::AbiValue;

constexpr std::string_view kInitType = "(bytes[],uint8,(uint256,address,uint256)[],uint256)";
// A verifier's address and a point of a curve of 256 bits.
constexpr std::size_t kPointOwnerBytes = 84;

const std::vector<core::AbiType>& init_types() {
  static const auto types = core::parse_abi_parameters(kInitType).value();
  return types;
}

tl::unexpected<Error> wrong(std::string what) { return fail(ErrorCode::init_data_invalid, std::move(what)); }

// The same person twice as far as bytes tell (OwnerSet.sol): one address as owner and as verifier, or one x of a point,
// because a point and its negative are one secret.
bool same_owner(ByteView one, ByteView other) {
  const auto equal = [](ByteView a, ByteView b) { return std::ranges::equal(a, b); };
  if ((one.size() == kAddressOwnerBytes) != (other.size() == kAddressOwnerBytes))
    return equal(one.first(kAddressOwnerBytes), other.first(kAddressOwnerBytes));
  if (one.size() == kPointOwnerBytes && other.size() == kPointOwnerBytes)
    return equal(one.subspan(kAddressOwnerBytes, 32), other.subspan(kAddressOwnerBytes, 32));
  return equal(one, other);
}

Result<void> check_owner(ByteView owner, std::span<const Bytes> before) {
  if (owner.size() < kAddressOwnerBytes || owner.size() > kMaxOwnerBytes)
    return wrong("an owner is an address, or a verifier and a key: 20 to 512 bytes");
  if (std::ranges::all_of(owner.first(kAddressOwnerBytes), [](std::uint8_t byte) { return byte == 0; }))
    return wrong("the zero address is no owner and no verifier");
  for (const Bytes& other : before)
    if (same_owner(owner, other)) return wrong("an owner is there twice: " + core::to_hex(owner));
  return {};
}

}  // namespace

Result<void> check_init(const MultisigInit& init) {
  if (init.owners.empty() || init.owners.size() > kMaxOwners) return wrong("a multisig has 1 to 32 owners");
  for (std::size_t i = 0; i < init.owners.size(); i++)
    if (auto good = check_owner(init.owners[i], std::span(init.owners).first(i)); !good) return good;
  if (init.threshold == 0 || init.threshold > init.owners.size())
    return wrong("the threshold is 1 to the number of owners, " + std::to_string(init.owners.size()));
  if (init.limits.size() > kMaxLimits) return wrong("there are at most 32 daily limits, of all chains together");
  std::set<std::pair<std::uint64_t, Address>> rows;
  for (const LimitRow& row : init.limits)
    if (!rows.emplace(row.chain_id, row.token).second) return wrong("a token has two daily limits on one chain");
  return {};
}

Result<Bytes> encode_init_data(const MultisigInit& init) {
  if (auto good = check_init(init); !good) return tl::unexpected(std::move(good.error()));
  AbiValue::List owners, limits;
  for (const Bytes& owner : init.owners) owners.emplace_back(owner);
  for (const LimitRow& row : init.limits)
    limits.emplace_back(AbiValue::List{AbiValue(row.chain_id), AbiValue(row.token), row.per_day});
  AbiValue::List fields{AbiValue(std::move(owners)), AbiValue(std::uint64_t{init.threshold}),
                        AbiValue(std::move(limits)), AbiValue(init.salt)};
  return core::abi_encode(init_types(), {AbiValue(std::move(fields))}).value();
}

Result<MultisigInit> read_init_data(ByteView init_data) {
  const auto values = core::abi_decode(init_types(), init_data);
  if (!values) return wrong(values.error().text());
  const AbiValue& fields = values->front();
  MultisigInit init;
  for (const AbiValue& owner : fields[0].list()) init.owners.push_back(owner.bytes());
  init.threshold = static_cast<std::uint8_t>(fields[1].word().limb[0]);
  for (const AbiValue& row : fields[2].list()) {
    const auto chain_id = row[0].word().to_u64();
    if (!chain_id) return wrong("a row names no chain that this program knows numbers for");
    init.limits.push_back({*chain_id, row[1].address(), row[2].word()});
  }
  init.salt = fields[3].word();
  if (auto good = check_init(init); !good) return tl::unexpected(std::move(good.error()));
  return init;
}

Address multisig_address(const Address& factory, const Bytes32& proxy_init_code_hash, ByteView init_data) {
  return core::create2_address(factory, base::keccak256(init_data), proxy_init_code_hash);
}

bool is_multisig_code(ByteView code, const Bytes32& proxy_init_code_hash) {
  // What deploys a minimal proxy (ERC-1167): it returns the 44 bytes behind itself.
  static constexpr std::uint8_t kCreation[] = {0x60, 0x2c, 0x3d, 0x81, 0x60, 0x09, 0x3d, 0x39, 0xf3};
  constexpr std::size_t kProxyBytes = 44;
  if (code.size() != kProxyBytes) return false;
  Bytes init_code(std::begin(kCreation), std::end(kCreation));
  core::append(init_code, code);
  return base::keccak256(init_code) == proxy_init_code_hash;
}

Bytes encode_create_multisig(ByteView init_data) {
  static const core::AbiFunction function = core::parse_abi_function("createMultisig(bytes)").value();
  return function.encode({AbiValue(core::to_bytes(init_data))}).value();
}

}  // namespace community::multisig
