// SPDX-License-Identifier: Apache-2.0
// The reader of authenticator data, with its CBOR walker.
#include "fuzz/trusted/fuzz.hpp"
#include "trusted/webauthn/assertion.hpp"

using namespace community::trusted::testing;
namespace webauthn = community::webauthn;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView bytes(data, size);
  webauthn::AuthenticatorData out;
  if (webauthn::read_authenticator_data(bytes, out) != webauthn::AssertionError::none) return 0;
  require(size >= 37 && out.flags == bytes[32], "the fixed part is there");
  require((out.flags & webauthn::kAttestedCredential) == 0, "no attested credential data");
  const bool extensions = (out.flags & webauthn::kExtensions) != 0;
  require(extensions ? size > 37 : size == 37, "nothing is left over");
  if (!extensions) return 0;
  // Of what is accepted, nothing shorter and nothing longer is.
  Bytes longer = to_bytes(bytes);
  longer.push_back(0);
  require(webauthn::read_authenticator_data(longer, out) != webauthn::AssertionError::none, "one map, not more");
  require(webauthn::read_authenticator_data(bytes.first(size - 1), out) != webauthn::AssertionError::none,
          "a whole map");
  return 0;
}
