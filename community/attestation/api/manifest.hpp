// SPDX-License-Identifier: Apache-2.0
// What quotes are compared with: the manifest of a release or an installation, and the pins that a client keeps
// (spec/attestation.md, sections 4 and 5).
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "community/attestation/api/quote.hpp"

namespace community::attestation {

inline constexpr std::string_view kManifestFormat = "community-manifest-1";
inline constexpr std::string_view kPinsFormat = "community-attestation-pins-1";
// Images, keys, files or pins in a document: 64 of the largest take 20 kB.
inline constexpr std::size_t kMaxListed = 64;
inline constexpr std::size_t kMaxListDocument = 65'536;
// Of a version, a file's name or a time, in characters.
inline constexpr std::size_t kMaxText = 128;

// A trusted application and the TEE core it runs on, measured as their quotes will be.
struct Image {
  std::uint8_t body = 0;
  std::uint8_t protection = 0;
  Bytes32 application{}, system{};
};

struct ManifestFile {
  std::string name;
  // SHA-256 of its contents.
  Bytes32 sha256{};
};

struct Manifest {
  std::string version;
  // Of git; "unknown" outside a repository.
  std::string commit;
  std::vector<Image> images;
  // Fingerprints of attestation keys that whoever made the manifest vouches for.
  std::vector<Bytes32> attestation_keys;
  std::vector<ManifestFile> files;
};

// The errors of documents and format_unknown.
Result<Manifest> parse_manifest(std::string_view text);

struct Pin {
  // Fingerprint.
  Bytes32 attestation_key{};
  protocol::RecordId core_id{};
  // RFC 3339 in UTC, of the client's clock.
  std::string first_seen;
};

// Belongs to one client and one node.
struct Pins {
  std::vector<Pin> pins;
};

Result<Pins> parse_pins(std::string_view text);
std::string format_pins(const Pins& pins);

}  // namespace community::attestation
