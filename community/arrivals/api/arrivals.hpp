// SPDX-License-Identifier: Apache-2.0
// Accounts that people bring from elsewhere: a wallet of this node's trusted core makes the keys that the account has
// to be given; the person has it given them, at the node where it is or by an escape; then it is among their wallets.
// Naming an account gives no right to it and keeps nobody out: it comes when the chain says that it has these keys. All
// calls belong to the thread of the loop that the object was made on.
#pragma once
#include "community/accounts/api/state.hpp"
#include "community/arrivals/api/error.hpp"
#include "community/infra/api/task.hpp"
#include "community/transactions/api/transactions.hpp"
#include "community/users/api/users.hpp"

namespace community::arrivals {

using core::Address;
using core::Bytes;
using core::Bytes32;
using infra::Task;

// --- limits ----------------------------------------------------------------------------------------------------------

// Of a person, named or expected; each costs a question to the chain with each look, and a wallet at the most.
inline constexpr std::size_t kMaxOpen = 16;
// What the courier takes.
inline constexpr std::size_t kMaxCallBytes = 16'384;
// Calls that are brought at the node's cost, an arrival and a person, a day.
inline constexpr double kCallsPerArrival = 3, kCallsPerPerson = 6;
// Arrivals that a person may name in an hour.
inline constexpr double kNamedPerHour = 30;
// Expected arrivals that one block is compared with.
inline constexpr std::size_t kLookedAtPerBlock = 32;
// What waits is void 30 days after its time: with blocks of 12 seconds this is 41 days.
inline constexpr std::uint64_t kItemBlocks = 300'000;

// --- values ----------------------------------------------------------------------------------------------------------

enum class State : std::uint8_t {
  // The passkey has not agreed.
  named = 0,
  // The trusted core serves the account as soon as it has the keys.
  expected = 1,
  // It is among the person's wallets.
  arrived = 2,
};
// "named", "expected", "arrived".
std::string_view name(State state);

struct Arrival {
  // A random UUID.
  std::string arrival_id;
  std::string user_id, wallet_id;
  std::uint64_t chain_id = 0;
  Address account{};
  // Empty: none.
  std::string alias;
  State state = State::named;
  // What the account has to be given, together.
  accounts::InitPasskey passkey;
  std::uint32_t server_key_index = 0;
  Address server_key{};
  // Milliseconds since 1970; 0: not yet.
  std::int64_t created_ms = 0, arrived_ms = 0;
};

// What a passkey of the wallet signs: protocol::account_adoption_challenge of these.
struct Adoption {
  Bytes32 challenge{};
  std::uint64_t revision = 0;
  std::vector<Bytes> credential_ids;
};

struct OnChain {
  accounts::AccountState state;
  // Without summaries.
  std::vector<transactions::WaitingItem> waiting;
};

struct ArrivalReport {
  Arrival arrival;
  // In state named alone.
  std::optional<Adoption> adoption;
  // Nothing where the chain does not answer, nothing is there, or what is there is no account.
  std::optional<OnChain> on_chain;
};

struct NameRequest {
  // The caller's, a UUID.
  std::string request_id;
  std::uint64_t chain_id = 0;
  Address account{};
  // As a wallet's: users::check_name, or empty.
  std::string alias;
};

class Arrivals {
 public:
  virtual ~Arrivals() = default;
  // The same request, and the same account while it is on its way, answer the same arrival. The wallet is sealed to the
  // passkey of the session; one that this person has for the account already, or that waits for any, is taken first.
  // field_invalid, chain_unknown, too_many_arrivals, too_many_wallets, too_many_requests, core_refused,
  // core_unavailable.
  virtual Task<Result<ArrivalReport>> name(users::Identity identity, NameRequest request) = 0;
  // Earliest first. core_unavailable.
  virtual Task<Result<std::vector<ArrivalReport>>> list(std::string user_id) = 0;
  // not_found, core_unavailable.
  virtual Task<Result<ArrivalReport>> arrival(std::string user_id, std::string arrival_id) = 0;
  // The trusted core takes the account into the wallet. Again is a success. not_found, chain_unknown, passkey_refused,
  // challenge_stale, core_refused, core_unavailable.
  virtual Task<Result<ArrivalReport>> adopt(std::string user_id, std::string arrival_id,
                                            users::LogInAssertion assertion) = 0;
  // escape or recover with exactly the arrival's keys, or the finishing of an item that brings them. not_found,
  // not_expected, already_arrived, chain_unknown, call_refused, would_revert, refused_by_node, too_many_requests,
  // chain_unavailable, core_unavailable.
  virtual Task<Result<ArrivalReport>> bring(std::string user_id, std::string arrival_id, Bytes call) = 0;
  // The wallet stays in the trusted core, and serves the next arrival. not_found, already_arrived.
  virtual Task<Result<void>> forget(std::string user_id, std::string arrival_id) = 0;
  // Compares what is expected with the chain at each block, until cancelled.
  virtual Task<void> run() = 0;
};

}  // namespace community::arrivals
