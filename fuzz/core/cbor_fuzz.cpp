// SPDX-License-Identifier: Apache-2.0
// CBOR and what WebAuthn wraps in it. An accepted item covers exactly the bytes it took.
#include "community/core/ecdsa.hpp"
#include "community/core/webauthn.hpp"
#include "fuzz/core/fuzz.hpp"

using namespace community::core;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView input(data, size);
  ByteView rest = input;
  if (const auto item = cbor_take(rest); item)
    require(item->encoded.data() == input.data() && item->encoded.size() == input.size() - rest.size(),
            "an item covers what it took");
  if (const auto object = parse_attestation_object(input); object) (void)parse_attested_credential(object->auth_data);
  (void)parse_attested_credential(input);
  (void)parse_p256_spki(input);
  (void)parse_der_signature(input);
  return 0;
}
