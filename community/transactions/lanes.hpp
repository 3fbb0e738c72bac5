// SPDX-License-Identifier: Apache-2.0
// Nonce keys of accounts, which this module calls lanes: each operation gets the first lane of its account in which
// nothing is under way, so that no operation waits for another one, and few lanes are ever opened (the first use of a
// nonce key costs gas). Pure: neither chain nor storage.
#pragma once
#include <functional>
#include <map>
#include <set>
#include <string>

#include "community/transactions/api/transactions.hpp"

namespace community::transactions {

// Sequence numbers below this one are used; the EntryPoint takes exactly this one next.
enum class Standing : std::uint8_t {
  // The next to be included.
  next,
  // Operations before it are under way.
  behind,
  // Operations before it are missing: nobody will include it.
  gap,
  // Its number is used.
  past,
};
// `live`: sequence numbers of the lane with something under way.
Standing standing_of(std::uint64_t next, const std::set<std::uint64_t>& live, std::uint64_t sequence);
// How many numbers between `next` and `sequence` nobody fills.
std::uint64_t missing_before(std::uint64_t next, const std::set<std::uint64_t>& live, std::uint64_t sequence);

// Key and sequence number of a nonce (ERC-4337, semi-abstracted nonce); nothing for a key that is no lane.
struct NoncePlace {
  std::uint64_t lane = 0, sequence = 0;
};
std::optional<NoncePlace> place_of(const Uint256& nonce);

class LaneBook {
 public:
  struct Account {
    std::uint64_t chain_id = 0;
    Address address{};
    auto operator<=>(const Account&) const = default;
  };

  // The first lane that is free, kept for `id` until `until_ms`: a person is reading. Nothing when all are taken.
  // `is_busy`: others have something under way in it.
  std::optional<std::uint64_t> reserve(const Account& account, const std::string& id, std::int64_t until_ms,
                                       std::int64_t now_ms, const std::function<bool(std::uint64_t)>& is_busy);
  // Whose it is already: read back from disk, or a replacement of what has the lane. Does not ask who else has it.
  void share(const Account& account, const std::string& id, std::uint64_t lane, std::int64_t until_ms);
  // It was signed: the lane is taken until release.
  void hold(const Account& account, const std::string& id);
  void release(const Account& account, const std::string& id);
  // Whether something that is not over or void has it.
  bool is_free(const Account& account, std::uint64_t lane, std::int64_t now_ms) const;
  std::size_t accounts() const { return lanes_.size(); }

  // What the chain said last about the lane's next sequence number: a guess, which a reorganisation makes wrong.
  void note_next(const Account& account, const NoncePlace& next);
  std::optional<std::uint64_t> likely_next(const Account& account, std::uint64_t lane) const;

 private:
  struct Holder {
    std::uint64_t lane = 0;
    std::int64_t until_ms = 0;
  };
  using Holders = std::map<std::string, Holder>;
  std::map<Account, Holders> lanes_;
  // Accounts whose numbers are remembered, 16 at most each; one that is forgotten costs its next operation a question.
  static constexpr std::size_t kMaxRemembered = 4'096;
  std::map<Account, std::map<std::uint64_t, std::uint64_t>> next_;
};

}  // namespace community::transactions
