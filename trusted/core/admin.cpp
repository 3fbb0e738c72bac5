// SPDX-License-Identifier: Apache-2.0
// Status and what only the operator may do (rule 5): configure, recover.
#include "trusted/core/core.hpp"

namespace community::trusted {
namespace {

// Every treasury is of a configured chain, and a chain has one at most.
Error check_treasuries(const protocol::Configuration& configuration) {
  for (std::size_t i = 0; i < configuration.treasury_count; i++) {
    const std::uint64_t chain_id = configuration.treasuries[i].chain_id;
    bool known = false;
    for (std::size_t j = 0; j < configuration.chain_count; j++)
      known = known || configuration.chains[j].chain_id == chain_id;
    for (std::size_t j = 0; j < i; j++)
      if (configuration.treasuries[j].chain_id == chain_id) known = false;
    if (!known) return Error::configuration_malformed;
  }
  return Error::ok;
}

}  // namespace

void Core::status(Writer& reply) const {
  protocol::StatusReply status;
  status.body = static_cast<std::uint8_t>(port_.body);
  status.protection = static_cast<std::uint8_t>(port_.protection);
  status.core_id = state_.core_id;
  status.epoch = state_.epoch;
  status.root = state_.root;
  status.recovery_count = state_.recovery_count;
  status.root_key_version = state_.active_root_key().version;
  status.configuration_sequence = configuration_.sequence;
  status.configuration_digest = configuration_digest_;
  status.hpke_key = state_.hpke_key;
  status.budget_count = configuration_.chain_count;
  for (std::size_t i = 0; i < configuration_.chain_count; i++) {
    const protocol::ChainConfig& chain = configuration_.chains[i];
    const protocol::TreasuryConfig* treasury = find_treasury(chain.chain_id);
    const Budget executors = executor_budget(chain), sponsors = sponsor_budget(chain);
    const Budget payments = treasury_budget(treasury == nullptr ? protocol::TreasuryConfig{} : *treasury);
    status.budgets[i] = {chain.chain_id,
                         executors.limit,
                         budgets_.left(state_, executors),
                         sponsors.limit,
                         budgets_.left(state_, sponsors),
                         payments.limit,
                         treasury == nullptr ? Uint256{} : budgets_.left(state_, payments)};
  }
  status.records_counted = state_.records_counted;
  status.root_key_count = state_.root_key_count;
  for (std::size_t i = 0; i < state_.root_key_count; i++)
    status.root_keys[i] = {state_.root_keys[i].version, state_.records_counted != 0 ? state_.root_keys[i].records : 0};
  status.revision = state_.revision;
  status.backup_generation = state_.backup_generation;
  status.fenced = state_.fenced;
  status.configuration_floor = state_.configuration_floor;
  status.order_sequence = state_.order_sequence;
  status.fields(reply);
}

Error Core::check_operator(std::string_view what, ByteView message,
                           const std::array<std::uint8_t, 64>& signature) const {
  const Bytes32 digest = protocol::operator_digest(what, message);
  const bool good = port_.secp256k1_verify(port_.context, state_.operator_key.data(), digest, signature.data());
  return good ? Error::ok : Error::operator_signature_invalid;
}

Error Core::load_configuration() {
  configuration_ = {};
  configuration_digest_ = {};
  if (state_.configuration_size == 0) return Error::ok;
  const ByteView bytes(state_.configuration_bytes.data(), state_.configuration_size);
  // The views of the configuration point into the state, which lives as long as the core.
  if (!protocol::decode(bytes, configuration_)) return Error::configuration_malformed;
  configuration_digest_ = base::sha256(bytes);
  return Error::ok;
}

Error Core::configure(ByteView body, Writer& reply) {
  protocol::ConfigureRequest request;
  if (!protocol::decode(body, request)) return Error::malformed_request;
  const Error signature = check_operator("configuration", request.configuration, request.signature);
  if (signature != Error::ok) return signature;
  protocol::Configuration configuration;
  if (!protocol::decode(request.configuration, configuration)) return Error::configuration_malformed;
  if (configuration.core_id != state_.core_id) return Error::configuration_foreign;
  // The same bytes again are no change: a host that crashed may ask twice.
  const bool same =
      base::equal(request.configuration, ByteView(state_.configuration_bytes.data(), state_.configuration_size));
  if (same) {
    reply.fixed(configuration_digest_);
    return Error::ok;
  }
  if (configuration.sequence <= configuration_.sequence || configuration.sequence <= state_.configuration_floor)
    return Error::configuration_sequence;
  for (std::size_t i = 0; i < configuration.chain_count; i++)
    for (std::size_t j = 0; j < i; j++)
      if (configuration.chains[i].chain_id == configuration.chains[j].chain_id) return Error::configuration_malformed;
  if (check_treasuries(configuration) != Error::ok) return Error::configuration_malformed;

  // Every chain needs its slot before anything is signed for it, or budgets could be counted nowhere.
  const std::uint16_t slots_before = state_.spent_count;
  const auto bytes_before = state_.configuration_bytes;
  const std::uint32_t size_before = state_.configuration_size;
  Error error = Error::ok;
  for (std::size_t i = 0; i < configuration.chain_count; i++)
    if (spent_slot(state_, configuration.chains[i].chain_id) == nullptr) error = Error::configuration_malformed;
  if (error == Error::ok) {
    base::copy(state_.configuration_bytes, request.configuration);
    state_.configuration_size = static_cast<std::uint32_t>(request.configuration.size());
    error = save_state(port_, state_);
  }
  if (error != Error::ok) {
    state_.spent_count = slots_before;
    state_.configuration_bytes = bytes_before;
    state_.configuration_size = size_before;
  }
  const Error loaded = load_configuration();
  if (error != Error::ok) return error;
  if (loaded == Error::ok) reply.fixed(configuration_digest_);
  return loaded;
}

Error Core::recover(ByteView body, Writer& reply) {
  protocol::RecoverRequest request;
  if (!protocol::decode(body, request)) return Error::malformed_request;
  const Error signature = check_operator("recovery", request.recovery, request.signature);
  if (signature != Error::ok) return signature;
  protocol::Recovery recovery;
  if (!protocol::decode(request.recovery, recovery)) return Error::recovery_malformed;
  if (recovery.core_id != state_.core_id) return Error::configuration_foreign;
  if (recovery.recovery_count != state_.recovery_count + 1) return Error::configuration_sequence;
  if (pending_.count != 0) return Error::pending_elsewhere;
  const Bytes32 root_before = state_.root;
  const std::uint8_t counted_before = state_.records_counted;
  state_.root = recovery.root;
  // What this tree holds is the host's word until the host has shown all of it (count_records).
  state_.records_counted = 0;
  state_.recovery_count++;
  state_.epoch++;
  const Error error = save_state(port_, state_);
  if (error != Error::ok) {
    state_.root = root_before;
    state_.records_counted = counted_before;
    state_.recovery_count--;
    state_.epoch--;
    return error;
  }
  old_roots_ = {};
  counting_ = {};
  reply.number(state_.epoch);
  return Error::ok;
}

}  // namespace community::trusted
