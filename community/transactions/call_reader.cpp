// SPDX-License-Identifier: Apache-2.0
#include "community/transactions/call_reader.hpp"

#include <algorithm>
#include <map>

#include "community/core/abi.hpp"
#include "trusted/ethereum/selectors.hpp"

namespace community::transactions {
namespace {

using core::AbiValue;
using Values = std::vector<AbiValue>;
using Read = void (*)(const Values&, const Address& account, CallReading&);

struct Form {
  std::string_view signature;
  Meaning meaning;
  Read read;
};

void to_whom(const Values& v, const Address& account, CallReading& out) {
  out.from = account;
  out.counterparty = v[0].address();
  out.amount = v[1].word();
}
void from_to(const Values& v, const Address&, CallReading& out) {
  out.from = v[0].address();
  out.counterparty = v[1].address();
  out.amount = v[2].word();
}
void multi(const Values& v, const Address& account, CallReading& out) {
  from_to(v, account, out);
  out.token_id = v[2].word();
  out.amount = v[3].word();
}
void multi_batch(const Values& v, const Address&, CallReading& out) {
  out.from = v[0].address();
  out.counterparty = v[1].address();
  out.count = v[2].list().size();
}
void operator_approval(const Values& v, const Address& account, CallReading& out) {
  out.from = account;
  out.counterparty = v[0].address();
  out.approved = !v[1].word().is_zero();
}
void permit(const Values& v, const Address&, CallReading& out) {
  out.from = v[0].address();
  out.counterparty = v[1].address();
  out.amount = v[2].word();
}
// owner, spender, nonce, expiry, allowed: everything or nothing.
void dai_permit(const Values& v, const Address&, CallReading& out) {
  out.from = v[0].address();
  out.counterparty = v[1].address();
  out.approved = !v[4].word().is_zero();
  out.amount = out.approved ? Uint256::max() : Uint256();
}

constexpr Form kForms[] = {
    {"transfer(address,uint256)", Meaning::token_transfer, to_whom},
    {"transferFrom(address,address,uint256)", Meaning::token_transfer_from, from_to},
    {"safeTransferFrom(address,address,uint256)", Meaning::token_transfer_from, from_to},
    {"safeTransferFrom(address,address,uint256,bytes)", Meaning::token_transfer_from, from_to},
    {"approve(address,uint256)", Meaning::allowance, to_whom},
    {"increaseAllowance(address,uint256)", Meaning::allowance_increase, to_whom},
    {"decreaseAllowance(address,uint256)", Meaning::allowance_decrease, to_whom},
    {"permit(address,address,uint256,uint256,uint8,bytes32,bytes32)", Meaning::permit, permit},
    {"permit(address,address,uint256,uint256,bytes)", Meaning::permit, permit},
    {"permit(address,address,uint256,uint256,bool,uint8,bytes32,bytes32)", Meaning::permit, dai_permit},
    {"setApprovalForAll(address,bool)", Meaning::operator_approval, operator_approval},
    {"safeTransferFrom(address,address,uint256,uint256,bytes)", Meaning::multi_transfer, multi},
    {"safeBatchTransferFrom(address,address,uint256[],uint256[],bytes)", Meaning::multi_batch_transfer, multi_batch},
};

struct Known {
  const Form* form = nullptr;
  core::AbiFunction function;
};

const std::map<std::array<std::uint8_t, 4>, Known>& known_forms() {
  static const auto table = [] {
    std::map<std::array<std::uint8_t, 4>, Known> made;
    for (const Form& form : kForms) {
      core::AbiFunction function = core::parse_abi_function(form.signature).value();
      const auto selector = function.selector;
      made.emplace(selector, Known{&form, std::move(function)});
    }
    return made;
  }();
  return table;
}

}  // namespace

bool CallReading::is_transfer() const {
  using enum Meaning;
  return meaning == payment || meaning == token_transfer || meaning == token_transfer_from ||
         meaning == multi_transfer || meaning == multi_batch_transfer;
}

bool CallReading::is_permission() const {
  using enum Meaning;
  if (meaning == operator_approval) return approved;
  return (meaning == allowance || meaning == allowance_increase || meaning == permit) && !amount.is_zero();
}

CallReading read_call(const accounts::Call& call, const Address& account) {
  CallReading out;
  out.from = account;
  if (call.data.empty()) {
    out.meaning = call.to == account ? Meaning::self_call : Meaning::payment;
    out.counterparty = call.to;
    out.amount = call.value;
    return out;
  }
  out.counterparty = call.to;
  if (call.to == account) out.meaning = Meaning::self_call;
  if (call.data.size() < 4) return out;
  out.selector.emplace();
  std::copy_n(call.data.begin(), 4, out.selector->begin());
  if (call.to == account) return out;
  const auto found = known_forms().find(*out.selector);
  const auto values =
      found == known_forms().end() ? core::Result<Values>(Values()) : found->second.function.decode(call.data);
  if (found != known_forms().end() && values) {
    out.meaning = found->second.form->meaning;
    found->second.form->read(*values, account, out);
    return out;
  }
  if (found != known_forms().end() || ethereum::is_token_function(*out.selector))
    out.meaning = Meaning::unreadable_token_call;
  return out;
}

bool is_unlimited(const CallReading& reading) {
  if (!reading.is_permission() || reading.meaning == Meaning::operator_approval) return false;
  return core::is_negative(reading.amount);
}

}  // namespace community::transactions
