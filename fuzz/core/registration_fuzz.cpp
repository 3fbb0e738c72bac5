// SPDX-License-Identifier: Apache-2.0
// Registrations of passkeys: the input is an attestation object, or behind a first byte of 0xff the DER of a
// certificate extension. Nobody can sign here, so what is accepted has no signature to check: format none, or a seed as
// it was.
#include "community/webauthn/api/registration.hpp"
#include "community/webauthn/der.hpp"
#include "fuzz/core/fuzz.hpp"
#include "trusted/base/sha2.hpp"

using namespace community;
using core::require;

namespace {

constexpr std::string_view kClientData =
    R"({"type":"webauthn.create","challenge":"","origin":"https://example.org","crossOrigin":false})";

// Every element lies in its parent, and all of them together are the whole.
void walk(core::ByteView in, int depth) {
  while (!in.empty() && depth > 0) {
    const std::size_t before = in.size();
    const auto element = webauthn::der_take(in);
    if (!element) return;
    require(element->content.size() < before && in.size() < before, "an element has a head");
    (void)webauthn::der_number(element->content);
    if ((element->tag.form & 0x20) != 0) walk(element->content, depth - 1);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const core::ByteView input(data, size);
  if (size > 0 && data[0] == 0xff) {
    walk(input.subspan(1), 16);
    return 0;
  }
  webauthn::Ceremony ceremony;
  ceremony.rp_id = "example.org";
  ceremony.origins = {"https://example.org"};
  ceremony.user_verification_required = false;
  const auto registration = webauthn::verify_registration(ceremony, {}, base::view(kClientData), input);
  if (!registration) {
    require(name(registration.error().code) != "unknown", "a refusal has a name");
    return 0;
  }
  require(!registration->trusted, "without trust roots nobody vouches");
  require(!registration->credential.credential_id.empty(), "a credential has an id");
  require(registration->credential.rp_id_hash == base::sha256(base::view(ceremony.rp_id)), "of this rp id");
  require((registration->credential.flags & 0x41) == 0x41, "with a person and a key");
  require(registration->backup_eligible() || !registration->backed_up(), "backed up only where eligible");
  return 0;
}
