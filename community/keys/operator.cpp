// SPDX-License-Identifier: Apache-2.0
#include "community/keys/api/operator.hpp"

#include <algorithm>

#include "community/core/secp256k1.hpp"

namespace community::keys {
namespace {

template <class Message>
Bytes encode_message(const Message& message) {
  Bytes bytes(protocol::kMaxConfiguration);
  bytes.resize(protocol::encode(message, bytes).size());
  return bytes;
}

template <class Message>
SignedMessage sign_message(const Bytes32& secret, std::string_view what, const Message& message) {
  SignedMessage result;
  result.message = encode_message(message);
  // The key was checked when the operator was made, so signing cannot fail.
  const core::Signature signature = core::sign_digest(secret, protocol::operator_digest(what, result.message)).value();
  base::copy(result.signature, signature.r);
  base::copy(base::MutableByteView(result.signature).subspan(32), signature.s);
  return result;
}

}  // namespace

Operator Operator::generate(infra::Random& random) {
  for (;;) {
    Bytes32 secret{};
    random.fill(secret);
    if (core::public_key_of(secret)) return Operator(secret);
  }
}

std::optional<Operator> Operator::from_secret(const Bytes32& secret) {
  if (!core::public_key_of(secret)) return std::nullopt;
  return Operator(secret);
}

std::array<std::uint8_t, 64> Operator::public_key() const { return core::public_key_of(secret_).value(); }

SignedMessage Operator::sign(const protocol::Configuration& configuration) const {
  return sign_message(secret_, "configuration", configuration);
}

SignedMessage Operator::sign(const protocol::Recovery& recovery) const {
  return sign_message(secret_, "recovery", recovery);
}

SignedMessage Operator::sign(const protocol::GenericKeyOrder& order) const {
  return sign_message(secret_, "generic key", order);
}

SignedMessage Operator::sign_rotation(const protocol::RootKeyOrder& order) const {
  return sign_message(secret_, "root key rotation", order);
}

SignedMessage Operator::sign_retirement(const protocol::RootKeyOrder& order) const {
  return sign_message(secret_, "root key retirement", order);
}

SignedMessage Operator::sign(const protocol::BackupOrder& order) const {
  return sign_message(secret_, "backup", order);
}

SignedMessage Operator::sign(const protocol::KeepOrder& order) const {
  return sign_message(secret_, "keep share", order);
}

SignedMessage Operator::sign(const protocol::RestoreOrder& order) const {
  return sign_message(secret_, "restore", order);
}

Bytes encode_configuration(const protocol::Configuration& configuration) { return encode_message(configuration); }

Task<Result<Bytes32>> ensure_configuration(KeyAdministration& administration, const Operator* op,
                                           protocol::Configuration wanted) {
  const auto status = co_await administration.status();
  if (!status) co_return tl::unexpected(status.error());
  wanted.core_id = status->core_id;
  wanted.sequence = status->configuration_sequence;
  if (wanted.sequence != 0 && base::sha256(encode_configuration(wanted)) == status->configuration_digest)
    co_return status->configuration_digest;
  if (op == nullptr)
    co_return fail(
        ErrorCode::not_found,
        "the trusted core needs a new configuration, which the operator signs: put operator.key back into the "
        "data folder for this start");
  wanted.sequence = std::max(status->configuration_sequence, status->configuration_floor) + 1;
  const SignedMessage message = op->sign(wanted);
  co_return co_await administration.configure(message.message, message.signature);
}

namespace {

// Enough to double the least budget beyond the largest that a message can carry.
constexpr int kBudgetRaises = 256;

// What is signed next so that `wanted` is left; nothing when it is. What was spent beyond a limit nobody tells, so the
// limit is doubled until something is left of it.
std::optional<Uint256> raised(const Uint256& limit, const Uint256& left, const Uint256& wanted) {
  if (left >= wanted) return std::nullopt;
  if (left.is_zero()) return add(limit, limit.is_zero() ? wanted : limit);
  return add(limit, *subtract(wanted, left));
}

}  // namespace

Task<Result<void>> renew_budgets(KeyAdministration& administration, const Operator& op,
                                 protocol::Configuration wanted) {
  protocol::Configuration next = wanted;
  for (int i = 0; i < kBudgetRaises; i++) {
    const auto configured = co_await ensure_configuration(administration, &op, next);
    if (!configured) co_return tl::unexpected(configured.error());
    const auto status = co_await administration.status();
    if (!status) co_return tl::unexpected(status.error());
    bool changed = false;
    for (const protocol::BudgetStatus& budget : status->budgets)
      for (std::size_t k = 0; k < wanted.chain_count; k++) {
        if (wanted.chains[k].chain_id != budget.chain_id) continue;
        const auto executor = raised(budget.executor_limit, budget.executor_left, wanted.chains[k].executor_budget);
        const auto sponsor = raised(budget.sponsor_limit, budget.sponsor_left, wanted.chains[k].sponsor_budget);
        if (executor) next.chains[k].executor_budget = *executor;
        if (sponsor) next.chains[k].sponsor_budget = *sponsor;
        changed = changed || executor || sponsor;
      }
    if (!changed) co_return Result<void>{};
  }
  co_return fail(ErrorCode::protocol_violation, "larger budgets do not become left");
}

void keep_budgets(const CoreStatus& core, protocol::Configuration& wanted) {
  for (const protocol::BudgetStatus& budget : core.budgets)
    for (std::size_t k = 0; k < wanted.chain_count; k++) {
      protocol::ChainConfig& chain = wanted.chains[k];
      if (chain.chain_id != budget.chain_id) continue;
      chain.executor_budget = std::max(chain.executor_budget, budget.executor_limit);
      chain.sponsor_budget = std::max(chain.sponsor_budget, budget.sponsor_limit);
    }
}

}  // namespace community::keys
