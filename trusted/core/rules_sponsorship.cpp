// SPDX-License-Identifier: Apache-2.0
// Rule 4: a paymaster key signs only the sponsorship struct that the core hashed itself, with an end, under a cap an
// operation and a budget of signed maximum cost. What was really spent is the node's word and is not believed.
#include "trusted/core/core.hpp"

#include "trusted/base/keccak.hpp"

namespace community::trusted {
namespace {

constexpr std::string_view kSponsorshipType =
    "Sponsorship(address entryPoint,address sender,uint256 nonce,bytes32 initCodeHash,bytes32 callDataHash,"
    "bytes32 accountGasLimits,uint256 preVerificationGas,bytes32 gasFees,uint128 paymasterVerificationGasLimit,"
    "uint128 paymasterPostOpGasLimit,uint48 validUntil,uint48 validAfter)";

constexpr std::array<std::uint8_t, 12> kAddressPadding{};

// spec/wire-formats.md, section 4.
Bytes32 sponsorship_digest(const protocol::SignSponsorshipRequest& request) {
  using base::keccak256;
  using base::view;
  const protocol::UseropFields& op = request.userop;
  const Bytes32 domain =
      keccak256({keccak256(view("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)")),
                 keccak256(view("CommunityPaymaster")), keccak256(view("1")), Uint256(request.chain_id).to_be(),
                 kAddressPadding, request.paymaster});
  base::Keccak256 fields;
  fields.add(keccak256(view(kSponsorshipType))).add(kAddressPadding).add(request.entry_point);
  fields.add(kAddressPadding).add(op.sender).add(op.nonce);
  fields.add(keccak256(op.init_code)).add(keccak256(op.call_data));
  fields.add(op.account_gas_limits).add(op.pre_verification_gas).add(op.gas_fees);
  fields.add(request.paymaster_verification_gas_limit.to_be()).add(request.paymaster_post_op_gas_limit.to_be());
  fields.add(Uint256(request.valid_until).to_be()).add(Uint256(request.valid_after).to_be());
  static constexpr std::array<std::uint8_t, 2> kPrefix{0x19, 0x01};
  return keccak256({kPrefix, domain, fields.finish()});
}

}  // namespace

Error Core::sign_sponsorship(ByteView body, Writer& reply) {
  protocol::SignSponsorshipRequest request;
  if (!protocol::decode(body, request)) return Error::malformed_request;
  const bool numbers_fit = request.valid_until >> 48 == 0 && request.valid_after >> 48 == 0 &&
                           request.paymaster_verification_gas_limit.fits_u128() &&
                           request.paymaster_post_op_gas_limit.fits_u128();
  if (!numbers_fit) return Error::malformed_request;
  const protocol::ChainConfig* chain = find_chain(request.chain_id);
  if (chain == nullptr) return Error::unknown_chain;
  if (find_entry_point(*chain, request.entry_point) == nullptr) return Error::unknown_entry_point;
  if (find_paymaster(*chain, request.paymaster, request.entry_point) == nullptr) return Error::paymaster_not_configured;
  // Zero means "for ever" to an EntryPoint; an approval that never ends could be held back and used at any time.
  if (request.valid_until == 0) return Error::sponsorship_without_end;
  KeyRecord key;
  protocol::Address signer{};
  Error error = open_key(request.record, protocol::Purpose::paymaster, key, signer);
  if (error != Error::ok) return error;
  if (key.chain_id != 0 && key.chain_id != request.chain_id) return Error::unknown_chain;

  const Uint256 paymaster_gas = *add(request.paymaster_verification_gas_limit, request.paymaster_post_op_gas_limit);
  const auto cost = max_userop_cost(request.userop, paymaster_gas);
  if (!cost || *cost > chain->sponsorship_cost_cap) return Error::sponsorship_cost_over_cap;
  const Bytes32 approval =
      base::keccak256({base::view("sponsor"), Uint256(request.chain_id).to_be(), request.entry_point, request.paymaster,
                       request.userop.sender, request.userop.nonce});
  error = budgets_.spend(port_, state_, sponsor_budget(*chain), approval, *cost);
  if (error != Error::ok) return error;
  protocol::SignSponsorshipReply result;
  result.max_cost = *cost;
  if (!port_.secp256k1_sign(port_.context, key.secret, sponsorship_digest(request), result.signature.data()))
    return Error::crypto_failed;
  result.fields(reply);
  return Error::ok;
}

}  // namespace community::trusted
