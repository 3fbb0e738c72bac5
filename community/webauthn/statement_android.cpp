// SPDX-License-Identifier: Apache-2.0
// Format "android-key" (section 8.4): a certificate of the credential's own key, with Android's description of the key
// in an extension (KeyDescription of Android's key attestation).
#include "community/webauthn/der.hpp"
#include "community/webauthn/statement.hpp"

namespace community::webauthn {

namespace {

constexpr char kDescription[] = "1.3.6.1.4.1.11129.2.1.17";
// Numbers of an AuthorizationList's members.
constexpr std::uint32_t kPurpose = 1, kAllApplications = 600, kOrigin = 702;
constexpr std::uint32_t kOriginGenerated = 0, kPurposeSign = 2;

// What both lists together say, of which section 8.4 asks.
struct Authorizations {
  bool all_applications = false;
  bool has_origin = false;
  bool other_origin = false;
  bool has_purpose = false;
  bool may_sign = false;
};

bool read_purposes(ByteView tagged, Authorizations& out) {
  const auto set = der_only(tagged, kDerSet);
  if (!set) return false;
  out.has_purpose = true;
  for (ByteView rest = *set; !rest.empty();) {
    const auto number = der_take(rest, kDerInteger);
    if (!number) return false;
    out.may_sign = out.may_sign || der_number(*number) == kPurposeSign;
  }
  return true;
}

// AuthorizationList ::= SEQUENCE of members with explicit tags, most of which are nobody's business here.
bool read_list(ByteView list, Authorizations& out) {
  while (!list.empty()) {
    const auto member = der_take(list);
    if (!member) return false;
    if (member->tag == der_explicit(kAllApplications)) out.all_applications = true;
    if (member->tag == der_explicit(kPurpose) && !read_purposes(member->content, out)) return false;
    if (member->tag != der_explicit(kOrigin)) continue;
    const auto number = der_only(member->content, kDerInteger);
    if (!number) return false;
    out.has_origin = true;
    out.other_origin = out.other_origin || der_number(*number) != kOriginGenerated;
  }
  return true;
}

struct Description {
  ByteView challenge;
  Authorizations authorizations;
};

// KeyDescription ::= SEQUENCE { version, security level, version, security level, challenge, unique id, list that
// software enforces, list that the TEE enforces }. Levels are ENUMERATED; the standard's example writes INTEGER.
std::optional<Description> read_description(ByteView extension) {
  const auto sequence = der_only(extension, kDerSequence);
  if (!sequence) return std::nullopt;
  ByteView rest = *sequence;
  for (int i = 0; i < 4; i++) {
    const auto number = der_take(rest);
    if (!number || (number->tag != kDerInteger && number->tag != kDerEnumerated)) return std::nullopt;
  }
  const auto challenge = der_take(rest, kDerOctets), unique_id = der_take(rest, kDerOctets);
  const auto software = der_take(rest, kDerSequence), tee = der_take(rest, kDerSequence);
  Description description;
  if (!challenge || !unique_id || !software || !tee || !rest.empty() ||
      !read_list(*software, description.authorizations) || !read_list(*tee, description.authorizations))
    return std::nullopt;
  description.challenge = *challenge;
  return description;
}

Result<void> check_description(const Certificate& certificate, const StatementInput& input) {
  const auto extension = certificate.extension(kDescription);
  const auto description = extension ? read_description(*extension) : std::nullopt;
  if (!description) return fail(ErrorCode::android_description_malformed);
  if (!base::equal(description->challenge, input.client_data_hash)) return fail(ErrorCode::android_challenge);
  const Authorizations& said = description->authorizations;
  const bool may_be_empty = input.policy.android_description_may_be_empty;
  // A key for all applications is not bound to the rp id.
  if (said.all_applications) return fail(ErrorCode::android_all_applications);
  if (said.other_origin || (!said.has_origin && !may_be_empty)) return fail(ErrorCode::android_origin);
  if (!said.may_sign && (said.has_purpose || !may_be_empty)) return fail(ErrorCode::android_purpose);
  return {};
}

}  // namespace

Result<Attestation> verify_android_key(const StatementInput& input) {
  Members members(input.statement);
  const std::int64_t algorithm = members.integer("alg");
  const ByteView signature = members.bytes("sig");
  const core::CborItem& x5c = members.array("x5c");
  if (const auto ok = members.end(); !ok) return tl::unexpected(ok.error());
  const auto chain = parse_chain(x5c);
  if (!chain) return tl::unexpected(chain.error());
  if (const auto ok = chain->front().verify(algorithm, input.signed_data(), signature); !ok)
    return tl::unexpected(ok.error());
  if (chain->front().p256_key() != input.credential.public_key) return fail(ErrorCode::certificate_key);
  if (const auto ok = check_description(chain->front(), input); !ok) return tl::unexpected(ok.error());
  const auto trusted = check_chain(*chain, input.policy);
  if (!trusted) return tl::unexpected(trusted.error());
  return Attestation{AttestationType::basic, *trusted};
}

}  // namespace community::webauthn
