// SPDX-License-Identifier: Apache-2.0
// Typed data documents. A document that has a hash keeps it when it is written and read again.
#include "community/core/eip712.hpp"
#include "fuzz/core/fuzz.hpp"

using namespace community::core;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto document = parse_json(community::base::text({data, size}));
  if (!document || !document->is_object()) return 0;
  const auto hashes = hash_typed_data(document->get_object());
  if (!hashes) return 0;
  const auto again = parse_json(json::serialize(*document));
  require(again && hash_typed_data(again->get_object())->digest == hashes->digest, "the hash is stable");
  return 0;
}
