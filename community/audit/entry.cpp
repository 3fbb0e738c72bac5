// SPDX-License-Identifier: Apache-2.0
// The encoding of spec/audit.md: every text behind its length, numbers of fixed width, a tag in front, so that no two
// different entries are the same bytes.
#include "community/audit/api/entry.hpp"

#include "trusted/base/sha2.hpp"

namespace community::audit {
namespace {

constexpr std::string_view kPayloadTag = "community-node audit payload 1";
constexpr std::string_view kEntryTag = "community-node audit entry 1";

class Encoder {
 public:
  Encoder& number(std::uint64_t value) {
    std::uint8_t bytes[8];
    base::store_be(bytes, value);
    hash_.add(bytes);
    return *this;
  }
  Encoder& text(std::string_view value) {
    std::uint8_t size[4];
    base::store_be(size, static_cast<std::uint32_t>(value.size()));
    hash_.add(size).add(base::view(value));
    return *this;
  }
  Encoder& digest(const Bytes32& value) {
    hash_.add(value);
    return *this;
  }
  Bytes32 finish() { return hash_.finish(); }

 private:
  base::Sha256 hash_;
};

}  // namespace

Bytes32 payload_digest(const Payload& payload) {
  return Encoder().text(kPayloadTag).digest(payload.salt).text(payload.text).finish();
}

Bytes32 entry_hash(const Entry& entry) {
  return Encoder()
      .text(kEntryTag)
      .number(entry.sequence)
      .number(static_cast<std::uint64_t>(entry.time_ms))
      .text(entry.event)
      .text(entry.subject)
      .digest(entry.payload_digest)
      .digest(entry.previous)
      .finish();
}

std::string Head::text() const { return std::to_string(sequence) + ":" + core::to_plain_hex(hash); }

Result<Head> parse_head(std::string_view text) {
  constexpr std::size_t kMostDigits = 18;
  const std::size_t colon = std::min(text.find(':'), text.size());
  const std::string_view digits = text.substr(0, colon);
  const bool number = !digits.empty() && digits.size() <= kMostDigits &&
                      digits.find_first_not_of("0123456789") == std::string_view::npos &&
                      (digits.size() == 1 || digits.front() != '0');
  if (!number || colon == text.size())
    return fail(ErrorCode::head_syntax, "a head is SEQUENCE:HASH, as `audit head` prints it");
  const std::string_view hash = text.substr(colon + 1);
  const auto bytes = core::parse_bytes32(hash, core::HexPrefix::optional);
  if (!bytes || hash.size() != 64) return fail(ErrorCode::head_syntax, "a head's hash has 64 hexadecimal digits");
  return Head{std::stoull(std::string(digits)), *bytes};
}

// --- the chain -------------------------------------------------------------------------------------------------------

ChainVerifier::ChainVerifier(std::vector<Head> kept) {
  for (const Head& head : kept) kept_.emplace(head.sequence, head.hash);
  const auto [first, last] = kept_.equal_range(0);
  for (auto it = first; it != last; ++it)
    if (!base::is_zero(it->second)) wrong(Fault::head_differs, 0, "the head of an empty log has a hash of zeros");
}

bool ChainVerifier::wrong(Fault fault, std::uint64_t sequence, std::string words) {
  if (!finding_) finding_ = Finding{fault, sequence, std::move(words)};
  return false;
}

void ChainVerifier::malformed(std::uint64_t sequence, std::string words) {
  wrong(Fault::entry_malformed, sequence, std::move(words));
}

bool ChainVerifier::take(const Entry& entry) {
  if (finding_) return false;
  const std::uint64_t expected = head_.sequence + 1;
  if (entry.sequence != expected)
    return wrong(Fault::entry_missing, expected,
                 "after " + std::to_string(head_.sequence) + " comes " + std::to_string(entry.sequence));
  if (entry.previous != head_.hash)
    return wrong(Fault::link_broken, expected,
                 "it does not name the hash of the entry before: one of the two was changed");
  if (entry_hash(entry) != entry.hash)
    return wrong(Fault::entry_changed, expected, "its time, event, subject, payload digest or hash was changed");
  if (!entry.payload) {
    unexplained_.try_emplace(entry.subject, expected);
    erased_++;
  } else {
    if (payload_digest(*entry.payload) != entry.payload_digest)
      return wrong(Fault::payload_changed, expected, "payload or salt are not those that the entry commits to");
    payloads_++;
  }
  if (entry.event == "PayloadsErased" && !entry.subject.empty()) {
    // It speaks of what came before it, not of itself.
    const auto gone = unexplained_.find(entry.subject);
    if (gone != unexplained_.end() && gone->second < expected) {
      unexplained_.erase(gone);
      if (!entry.payload) unexplained_.emplace(entry.subject, expected);
    }
  }
  const auto [first, last] = kept_.equal_range(expected);
  for (auto it = first; it != last; ++it)
    if (it->second != entry.hash)
      return wrong(Fault::head_differs, expected,
                   "its hash is " + core::to_plain_hex(entry.hash) + ", the kept head says " +
                       core::to_plain_hex(it->second) + ": the log was written anew before this point");
  head_ = {expected, entry.hash};
  return true;
}

std::optional<Finding> ChainVerifier::finish() {
  if (finding_) return finding_;
  if (!kept_.empty() && kept_.rbegin()->first > head_.sequence)
    wrong(Fault::tail_missing, head_.sequence + 1,
          "the log ends with " + std::to_string(head_.sequence) + ", and a kept head is of " +
              std::to_string(kept_.rbegin()->first));
  const auto earliest = std::min_element(unexplained_.begin(), unexplained_.end(),
                                         [](const auto& a, const auto& b) { return a.second < b.second; });
  if (earliest != unexplained_.end())
    wrong(Fault::payload_missing, earliest->second,
          "its payload is gone, and no later PayloadsErased of its subject says that it was erased");
  return finding_;
}

}  // namespace community::audit
