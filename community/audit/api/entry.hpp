// SPDX-License-Identifier: Apache-2.0
// One entry of the audit log, what its hashes commit to (spec/audit.md), and the check of a whole chain. Pure: neither
// storage nor clock.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "community/audit/api/error.hpp"
#include "community/core/bytes.hpp"

namespace community::audit {

using core::Bytes32;

// What an entry says beyond event and subject: a JSON object as text, committed to under a salt of its own. Both go
// when a person asks to be forgotten.
struct Payload {
  Bytes32 salt{};
  std::string text;
};

struct Entry {
  // From 1, without gaps.
  std::uint64_t sequence = 0;
  // When it happened by the node's clock, which may have been set back: the order is that of `sequence`.
  std::int64_t time_ms = 0;
  // A word of events.hpp, or of a newer program.
  std::string event;
  // A user's id, or empty where nobody is known.
  std::string subject;
  Bytes32 payload_digest{};
  // `hash` of the entry before; zeros in the first.
  Bytes32 previous{};
  Bytes32 hash{};
  // Absent once it was erased.
  std::optional<Payload> payload;
};

// SHA-256 over tag, salt and text, each with its length.
Bytes32 payload_digest(const Payload& payload);
// SHA-256 over tag, sequence, time, event, subject, payload digest and previous hash; `hash` and `payload` are not
// read.
Bytes32 entry_hash(const Entry& entry);

// What a whole chain is known by. Sequence 0 and zeros: an empty log.
struct Head {
  std::uint64_t sequence = 0;
  Bytes32 hash{};

  // "12:0b5f…": decimal digits, a colon, 64 hexadecimal digits.
  std::string text() const;
  bool operator==(const Head&) const = default;
};
// head_syntax.
Result<Head> parse_head(std::string_view text);

#define COMMUNITY_AUDIT_FAULTS(X)                                                                  \
  X(entry_missing)         /* a number is left out, or comes twice */                              \
  X(entry_malformed)       /* a column does not hold what it should */                             \
  X(entry_changed)         /* its fields do not give its hash */                                   \
  X(link_broken)           /* it does not name the hash of the entry before */                     \
  X(payload_changed)       /* payload and salt do not give the digest that the entry commits to */ \
  X(payload_missing)       /* it is gone, and no later PayloadsErased of the subject says so */    \
  X(payload_without_entry) /* nothing commits to it */                                             \
  X(head_differs)          /* another hash stands where a kept head says which it was */           \
  X(tail_missing)          /* the log ends before a kept head */

COMMUNITY_RULES(Fault, COMMUNITY_AUDIT_FAULTS)

struct Finding {
  Fault fault{};
  // Of the entry that is wrong, or that is missing.
  std::uint64_t sequence = 0;
  // For a person.
  std::string words;
};

// Takes entries in the order of their numbers and remembers the first that is wrong. Memory: one line for each subject
// whose payloads are gone and whose erasure has not come yet.
class ChainVerifier {
 public:
  // Heads that were kept elsewhere, in any order.
  explicit ChainVerifier(std::vector<Head> kept = {});

  // False once something is wrong: what follows proves nothing.
  bool take(const Entry& entry);
  // For a row that is no entry at all.
  void malformed(std::uint64_t sequence, std::string words);
  // After the last entry: what can only be said at the end.
  std::optional<Finding> finish();

  const std::optional<Finding>& finding() const { return finding_; }
  // Of the last entry that was right.
  const Head& head() const { return head_; }
  // Entries whose payload was erased, as the log itself says.
  std::uint64_t erased() const { return erased_; }
  // Payloads that were there and right.
  std::uint64_t payloads() const { return payloads_; }

 private:
  bool wrong(Fault fault, std::uint64_t sequence, std::string words);

  std::multimap<std::uint64_t, Bytes32> kept_;
  Head head_;
  std::optional<Finding> finding_;
  std::uint64_t erased_ = 0, payloads_ = 0;
  // Subject to the first entry of it whose payload is gone without a word about it so far.
  std::map<std::string, std::uint64_t> unexplained_;
};

}  // namespace community::audit
