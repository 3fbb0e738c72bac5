// SPDX-License-Identifier: Apache-2.0
#include "community/attestation/api/manifest.hpp"

#include "community/attestation/api/document.hpp"
#include "community/attestation/names.hpp"

namespace community::attestation {
namespace {

// "2026-11-21T17:33:20Z"
bool is_time(std::string_view text) {
  constexpr std::string_view kForm = "0000-00-00T00:00:00Z";
  if (text.size() != kForm.size()) return false;
  for (std::size_t i = 0; i < kForm.size(); i++)
    if (kForm[i] == '0' ? text[i] < '0' || text[i] > '9' : text[i] != kForm[i]) return false;
  return true;
}

}  // namespace

Result<Manifest> parse_manifest(std::string_view text) {
  const auto value = read_document(text, kMaxListDocument);
  if (!value) return tl::unexpected(value.error());
  if (auto known = check_format(*value, kManifestFormat); !known) return tl::unexpected(known.error());
  Members members(*value, "manifest", {"format", "version", "commit", "images", "attestationKeys", "files"});
  members.text("format");
  Manifest manifest;
  manifest.version = members.text("version");
  manifest.commit = members.text("commit");
  members.list("images", kMaxListed, [&](const json::value& element) {
    Members image(element, "image", {"body", "protection", "application", "system"});
    Image read;
    read.body = read_name(image, "body", kBodyNames);
    read.protection = read_name(image, "protection", kProtectionNames);
    read.application = image.fixed<32>("application");
    read.system = image.fixed<32>("system");
    members.take(image.error());
    manifest.images.push_back(read);
  });
  members.list("attestationKeys", kMaxListed, [&](const json::value& element) {
    const std::string_view digits = element.is_string() ? std::string_view(element.get_string()) : std::string_view();
    if (digits.size() != 64 || !is_plain_hex(digits)) return members.wrong("attestationKeys");
    manifest.attestation_keys.push_back(core::parse_bytes32(digits, core::HexPrefix::optional).value());
  });
  members.list("files", kMaxListed, [&](const json::value& element) {
    Members file(element, "file", {"name", "sha256"});
    ManifestFile read;
    read.name = file.text("name");
    read.sha256 = file.fixed<32>("sha256");
    members.take(file.error());
    manifest.files.push_back(std::move(read));
  });
  if (members.error()) return tl::unexpected(*members.error());
  return manifest;
}

Result<Pins> parse_pins(std::string_view text) {
  const auto value = read_document(text, kMaxListDocument);
  if (!value) return tl::unexpected(value.error());
  if (auto known = check_format(*value, kPinsFormat); !known) return tl::unexpected(known.error());
  Members members(*value, "pins", {"format", "pins"});
  members.text("format");
  Pins pins;
  members.list("pins", kMaxListed, [&](const json::value& element) {
    Members pin(element, "pin", {"attestationKey", "coreId", "firstSeen"});
    Pin read;
    read.attestation_key = pin.fixed<32>("attestationKey");
    read.core_id = pin.fixed<16>("coreId");
    read.first_seen = pin.text("firstSeen");
    if (!pin.error() && !is_time(read.first_seen)) pin.wrong("firstSeen");
    members.take(pin.error());
    pins.pins.push_back(std::move(read));
  });
  if (members.error()) return tl::unexpected(*members.error());
  return pins;
}

std::string format_pins(const Pins& pins) {
  std::string text = "{\n  \"format\": \"" + std::string(kPinsFormat) + "\",\n  \"pins\": [";
  for (std::size_t i = 0; i < pins.pins.size(); i++) {
    const Pin& pin = pins.pins[i];
    text += std::string(i == 0 ? "" : ",") + "\n    {\n      \"attestationKey\": \"" +
            core::to_plain_hex(pin.attestation_key) + "\",\n      \"coreId\": \"" + core::to_plain_hex(pin.core_id) +
            "\",\n      \"firstSeen\": \"" + pin.first_seen + "\"\n    }";
  }
  return text + (pins.pins.empty() ? "]\n}\n" : "\n  ]\n}\n");
}

}  // namespace community::attestation
