// SPDX-License-Identifier: Apache-2.0
// A holder that is no core: a person's key pair, kept away from any network. The secret key is used on that person's
// machine alone, by the tool's own commands.
#pragma once
#include "community/attestation/api/verifier.hpp"
#include "community/backup/api/documents.hpp"

namespace community::backup {

inline constexpr std::string_view kOfflineKeyFormat = "community-offline-key-1";
inline constexpr std::string_view kOfflineSecretFormat = "community-offline-secret-1";

// P-256, for HPKE (docs/adr/0011-hpke-suite.md).
struct OfflineKey {
  Bytes32 secret{};
  protocol::HpkeKey public_key{};

  OfflineKey() = default;
  OfflineKey(const OfflineKey&) = default;
  OfflineKey& operator=(const OfflineKey&) = default;
  ~OfflineKey() { base::wipe(secret); }
};

// io when the machine has no randomness.
Result<OfflineKey> make_offline_key();
std::string format_offline_secret(const OfflineKey& key);
// document_member_wrong also when the two keys do not belong together.
Result<OfflineKey> parse_offline_secret(std::string_view text);
std::string format_offline_public(const protocol::HpkeKey& key);
Result<protocol::HpkeKey> parse_offline_public(std::string_view text);

// What the person is asked about before a share leaves: a device that asks for it.
struct OfflineRequest {
  Share share;
  keys::SignedMessage order;
  // QUOTE.json of the device over `challenge`, which the person chose.
  std::string quote;
  Bytes32 challenge{};
  // The newest checkpoint that the person was given; empty: the cores among the holders have it.
  Bytes checkpoint;
};

// A share that was opened, and everything about the device that is no matter of judgement found right.
struct OfflineRelease {
  protocol::BackupDescription description;
  protocol::RestoreOrder order;
  std::uint8_t index = 0;
  ShareContribution contribution;
};

// Opens the package, compares the share with its commitment and the order with the backup's operator and the device,
// and seals the share to that device. not_opened; not_genuine with the rule that is broken: the names are those of the
// trusted core's and the verifier's refusals. What the quote is worth beyond that, the three answers say, and a person
// decides before the contribution is handed over.
Result<OfflineRelease> release_offline(const OfflineKey& key, const OfflineRequest& request);

}  // namespace community::backup
