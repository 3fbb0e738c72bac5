// SPDX-License-Identifier: Apache-2.0
// Three separate answers about a quote, and before them whether it is genuine. Pure: nothing is read or written here.
#pragma once
#include "community/attestation/api/manifest.hpp"

namespace community::attestation {

// A measurement against the manifest.
#define COMMUNITY_ATTESTATION_MATCHES(X)                                    \
  X(matches)                                                                \
  X(differs)                                                                \
  X(not_listed) /* the manifest has no image of this body and protection */ \
  X(no_manifest)                                                            \
  X(not_measured) /* a software body has no quotes */

// Who stands behind the attestation key.
#define COMMUNITY_ATTESTATION_VOUCHERS(X)                                                \
  X(pinned)                                                                              \
  X(listed) /* in the manifest, and no pins were given */                                \
  X(unknown)                                                                             \
  X(other_key_pinned) /* pins were given and none is of this key */                      \
  X(other_core)       /* the key is pinned, for another core: it was provisioned anew */ \
  X(no_key)           /* a software body has none */

COMMUNITY_RULES(Match, COMMUNITY_ATTESTATION_MATCHES)
COMMUNITY_RULES(Voucher, COMMUNITY_ATTESTATION_VOUCHERS)

struct CodeAnswer {
  Match application = Match::no_manifest;
  Match system = Match::no_manifest;
  bool matches() const { return application == Match::matches && system == Match::matches; }
};

struct KeyAnswer {
  Voucher voucher = Voucher::unknown;
  // Zero for a software body.
  Bytes32 fingerprint{};
  // When the client saw it first; empty unless pinned.
  std::string since;
  // In the manifest, whatever the pins say.
  bool listed = false;
  bool vouched() const { return voucher == Voucher::pinned || voucher == Voucher::listed; }
};

struct MachineAnswer {
  // protocol::Protection, as the code says it.
  std::uint8_t protection = 0;
  // The code that says it is the manifest's, and the key that says so is vouched for: anybody can make a key and sign
  // the right measurements with it.
  bool believed = false;
};

struct Verdict {
  // Not genuine: then nothing below means anything.
  std::optional<Error> refusal;
  QuoteDocument document;
  CodeAnswer code;
  KeyAnswer key;
  MachineAnswer machine;
};

// `manifest` and `pins` are null when the client has none.
Verdict verify(std::string_view quote, const Bytes32& challenge, const Manifest* manifest, const Pins* pins);

// All that the command's exit status stands for: genuine, both measurements match, the key is pinned or listed, and
// there is a machine that keeps secrets from its normal world, emulated or not. Show a person the three answers.
bool everything_holds(const Verdict& verdict);

// The answers in words, a line each; with an emulated machine never the word "protected".
std::vector<std::string> describe(const Verdict& verdict, const Manifest* manifest);

}  // namespace community::attestation
