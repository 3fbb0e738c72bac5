// SPDX-License-Identifier: Apache-2.0
// What happened to the node's accounts and needs somebody: alarms that stay on disk until they are acknowledged, the
// server freezes that the operator's rules ask for, and where the trusted core and the chain disagree about keys.
#pragma once
#include "community/alarms/api/alarm_rules.hpp"
#include "community/alarms/api/key_difference.hpp"
#include "community/core/json.hpp"
#include "community/infra/api/task.hpp"
#include "community/keys/api/key_service.hpp"

namespace community::alarms {

using infra::Task;

struct AlarmLimits {
  // Rows of one account, and of all. An alarm takes 1 kB, 40 kB with 32 of the largest events: 65,536 of them are 64 MB
  // and never more than 2.6 GB. Where one has to go, acknowledged and reorganised ones go first, then the oldest of the
  // account that fills the table; one whose freeze is under way stays.
  std::size_t per_account = 256;
  std::size_t total = 65'536;
  // Wallets of this node that say they have the same account. One has it; after a move within the node, two. Each may
  // cost a comparison 64 questions to the trusted core (kMaxServerKeysTried), all of them 1,024.
  std::size_t wallets_per_account = 16;
  // Events of one transaction and class that an alarm carries; more are counted.
  std::size_t events = 32;
  // Alarms or accounts that one answer lists.
  std::size_t listed = 1'000;
  // An event this much older than the chain's head, in seconds, is not answered with a freeze: a node that was away for
  // long would freeze people who have answered already.
  std::uint64_t freeze_within_s = 24 * 60 * 60;
  // How long a signed freeze may be submitted, in seconds of the chain.
  std::uint64_t freeze_deadline_s = 60 * 60;
  // Signatures for one freeze whose transactions fail; afterwards the alarm says why.
  unsigned freeze_attempts = 5;
};

#define COMMUNITY_FREEZE_STATES(X)                                                                \
  X(wanted)     /* asked for by a rule; nothing is signed */                                      \
  X(stamped)    /* what is going to be signed is on disk: from here on it cannot be called off */ \
  X(sent)       /* the courier has it */                                                          \
  X(frozen)     /* on chain for good */                                                           \
  X(not_needed) /* the account was frozen already */                                              \
  X(too_soon)   /* the contract allows no server freeze before 30 days after the last one */      \
  X(refused)    /* by a rule of the trusted core, which the reason names */                       \
  X(impossible) /* nothing to freeze, or not with a key of this node */                           \
  X(called_off) /* the alarm was acknowledged or reorganised away before */                       \
  X(failed)

COMMUNITY_RULES(FreezeState, COMMUNITY_FREEZE_STATES)

struct FreezeReport {
  FreezeState state = FreezeState::wanted;
  // The alarm that asked for it first; later ones of the account share it while it is under way.
  std::int64_t alarm = 0;
  // Why it ended as it did, in words; empty while it goes well.
  std::string reason;
  // courier::Courier::errand; zero before it is sent.
  Bytes32 errand{};
};

struct Alarm {
  // Ascending in the order of the alarms.
  std::int64_t id = 0;
  std::uint64_t chain_id = 0;
  Address account{};
  AlarmClass what{};
  std::uint64_t block_number = 0;
  Bytes32 transaction_hash{};
  // Who sent the transaction; nothing when the chain did not say.
  std::optional<Address> submitter;
  // Milliseconds since 1970 on the node's clock.
  std::int64_t seen_ms = 0;
  // accounts::to_json of the events of this class in this transaction, at most AlarmLimits::events of event_count.
  core::json::array events;
  std::size_t event_count = 0;
  // Milliseconds since 1970; 0: not yet.
  std::int64_t acknowledged_ms = 0;
  // A reorganisation took the transaction out of the chain.
  bool removed = false;
  // Nothing where no rule asked.
  std::optional<FreezeReport> freeze;
};

core::json::object to_json(const Alarm& alarm);

struct AlarmQuery {
  // Nothing: all accounts.
  std::optional<Address> account;
  // Alarms after this one.
  std::int64_t since_id = 0;
  // 1 to AlarmLimits::listed
  std::size_t limit = 100;
};

class Alarms {
 public:
  virtual ~Alarms() = default;
  // An account and a wallet of this node that says it has it: watched from the next block on and after every restart.
  // Saying the same again is a success. Several wallets may say so of one account, because a core lets any wallet adopt
  // any address; for freezes and comparisons the chain says which one it is (see difference).
  // too_many_wallets past AlarmLimits::wallets_per_account, unless the account's server key on chain, or before it is
  // deployed the init data of its address, is this wallet's: then it takes the place of the one that the chain named
  // longest ago or never. To find out: chain_failed, account_unreadable, keys_failed, account_unknown when the wallet
  // is not bound to the account. storage_failed.
  virtual Task<Result<void>> follow(Address account, keys::RecordId wallet) = 0;
  // Oldest first. limit_out_of_range, storage_failed.
  virtual Task<Result<std::vector<Alarm>>> list(AlarmQuery query) = 0;
  // Somebody has seen it; a freeze that it asked for and that is not stamped is called off. Again is a success.
  // alarm_unknown, storage_failed.
  virtual Task<Result<void>> acknowledge(std::int64_t id) = 0;
  // Compared now, with the wallet one of whose server keys is the account's on chain. Where none is: with the one for
  // which that was last so; else with one that the address commits to (bound with init data); else with the wallet that
  // was followed last. account_unknown: it is not followed, or no wallet that said so is bound to it on this chain;
  // chain_failed, account_unreadable, keys_failed, storage_failed.
  virtual Task<Result<KeyDifference>> difference(Address account) = 0;
  // Tells alarms, freezes, and compares keys, until cancelled. Joined by its owner.
  virtual Task<void> run() = 0;
};

}  // namespace community::alarms
