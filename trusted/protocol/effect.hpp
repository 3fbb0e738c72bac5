// SPDX-License-Identifier: Apache-2.0
// What a user operation does beyond calling contracts: the one call to the account itself that it may consist of,
// decoded by the core, so that each class can be shown to the person in its own words.
#pragma once
#include "trusted/ethereum/account_calls.hpp"
#include "trusted/protocol/wire.hpp"

namespace community::protocol {

// Queue kinds stand in the order of their numbers on chain.
#define COMMUNITY_PROTOCOL_EFFECTS(X) \
  X(calls, 0)                         \
  X(queue_spend, 1)                   \
  X(queue_limit, 2)                   \
  X(queue_gas_cap, 3)                 \
  X(queue_domain, 4)                  \
  X(queue_allowed_call, 5)            \
  X(confirm_spend, 6)                 \
  X(confirm_limit, 7)                 \
  X(confirm_gas_cap, 8)               \
  X(confirm_domain, 9)                \
  X(confirm_allowed_call, 10)         \
  X(create_grant, 11)

enum class Effect : std::uint8_t {
#define COMMUNITY_EFFECT_VALUE(name, number) name = number,
  COMMUNITY_PROTOCOL_EFFECTS(COMMUNITY_EFFECT_VALUE)
#undef COMMUNITY_EFFECT_VALUE
};

constexpr std::string_view name(Effect effect) {
  switch (effect) {
#define COMMUNITY_EFFECT_NAME(name, number) \
  case Effect::name:                        \
    return #name;
    COMMUNITY_PROTOCOL_EFFECTS(COMMUNITY_EFFECT_NAME)
#undef COMMUNITY_EFFECT_NAME
  }
  return "unknown";
}

constexpr Effect effect_of(bool confirms, ethereum::QueueKind kind) {
  const Effect first = confirms ? Effect::confirm_spend : Effect::queue_spend;
  return static_cast<Effect>(static_cast<std::uint8_t>(first) + static_cast<std::uint8_t>(kind));
}

template <class C>
void grant_fields(C& c, ethereum::Grant& grant) {
  c.fixed(grant.target).number(grant.selector_count);
  if (grant.selector_count == 0 || grant.selector_count > grant.selectors.size()) {
    c.fail();
    return;
  }
  for (std::size_t i = 0; i < grant.selector_count; i++) c.fixed(grant.selectors[i]);
  c.word(grant.value_per_call).word(grant.value_total).number(grant.valid_after).number(grant.valid_until);
  c.fixed(grant.paymaster).word(grant.salt);
}

// What follows the effect's number depends on it. The calls of a queued spend stand among the calls of the reply.
struct SelfCall {
  Effect effect = Effect::calls;
  // Of queue and confirm
  Uint256 salt;
  ethereum::QueueContent content;
  // Of create_grant. The ticket is for sign_session: it proves that a person signed this grant.
  ethereum::Grant grant;
  Bytes32 ticket{};
  template <class C>
  void fields(C& c) {
    auto number = static_cast<std::uint8_t>(effect);
    c.number(number);
    effect = static_cast<Effect>(number);
    if (effect != Effect::calls && effect != Effect::create_grant) c.word(salt);
    switch (effect) {
      case Effect::calls:
      case Effect::queue_spend:
      case Effect::confirm_spend:
        break;
      case Effect::queue_limit:
      case Effect::confirm_limit:
        c.fixed(content.subject).word(content.amount);
        break;
      case Effect::queue_gas_cap:
      case Effect::confirm_gas_cap:
        c.word(content.amount);
        break;
      case Effect::queue_domain:
      case Effect::confirm_domain:
        c.fixed(content.domain);
        break;
      case Effect::queue_allowed_call:
      case Effect::confirm_allowed_call:
        c.fixed(content.subject).fixed(content.selector);
        break;
      case Effect::create_grant:
        grant_fields(c, grant);
        c.fixed(ticket);
        break;
      default:
        c.fail();
    }
  }
};

}  // namespace community::protocol
