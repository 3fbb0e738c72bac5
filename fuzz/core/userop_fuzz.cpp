// SPDX-License-Identifier: Apache-2.0
// User operations as JSON: what is accepted packs, unpacks to itself and is echoed as the same operation.
#include "community/core/userop.hpp"

#include "fuzz/core/fuzz.hpp"

using namespace community::core;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto document = parse_json(community::base::text({data, size}));
  if (!document) return 0;
  for (UserOpParse mode : {UserOpParse::complete, UserOpParse::estimate}) {
    auto op = userop_from_json(*document, mode);
    if (!op) continue;
    require(userop_from_json(to_json(*op)) == *op, "the echo is the same operation");
    const auto packed = pack(*op);
    require(packed.has_value(), "an accepted operation packs");
    auto unpacked = unpack(*packed);
    require(unpacked.has_value(), "and unpacks");
    // The packed form has neither the authorization nor, behind data, the short spelling of the marker.
    unpacked->eip7702_auth = op->eip7702_auth;
    if (!op->factory_data.empty()) unpacked->marker_is_short = op->marker_is_short;
    require(*unpacked == *op, "to itself");
    (void)userop_hash(*op, EntryPointVersion::v0_7, op->sender, op->nonce);
    (void)userop_hash(*op, EntryPointVersion::v0_8, op->sender, op->nonce);
  }
  return 0;
}
