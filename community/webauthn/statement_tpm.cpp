// SPDX-License-Identifier: Apache-2.0
// Format "tpm" (section 8.3): a TPM's certified key says that the TPM holds the credential's key. Structures are those
// of the TPM 2.0 library specification, part 2; numbers are big-endian.
#include <openssl/evp.h>

#include "community/webauthn/statement.hpp"

namespace community::webauthn {

namespace {

constexpr std::uint32_t kGenerated = 0xff544347;
constexpr std::uint16_t kAttestCertify = 0x8017;
constexpr std::uint16_t kAlgNull = 0x0010, kAlgEcc = 0x0023, kCurveP256 = 0x0003;
constexpr char kAikUsage[] = "2.23.133.8.3";

// Takes fields from the front; one that is not there makes all that follows empty, and `good` false.
class Fields {
 public:
  explicit Fields(ByteView in) : rest_(in) {}

  ByteView take(std::size_t size) {
    good_ = good_ && size <= rest_.size();
    if (!good_) return {};
    const ByteView bytes = rest_.first(size);
    rest_ = rest_.subspan(size);
    return bytes;
  }
  std::uint16_t u16() {
    const ByteView bytes = take(2);
    return good_ ? base::load_be<std::uint16_t>(bytes.data()) : 0;
  }
  std::uint32_t u32() {
    const ByteView bytes = take(4);
    return good_ ? base::load_be<std::uint32_t>(bytes.data()) : 0;
  }
  // TPM2B: size and bytes.
  ByteView sized() { return take(u16()); }
  bool ended() const { return good_ && rest_.empty(); }

 private:
  ByteView rest_;
  bool good_ = true;
};

const EVP_MD* digest_of_name(std::uint16_t algorithm) {
  switch (algorithm) {
    case 0x000b:
      return EVP_sha256();
    case 0x000c:
      return EVP_sha384();
    case 0x000d:
      return EVP_sha512();
    default:
      return nullptr;
  }
}

Bytes hash(const EVP_MD* digest, ByteView data) {
  Bytes out(static_cast<std::size_t>(EVP_MD_get_size(digest)));
  EVP_Digest(data.data(), data.size(), out.data(), nullptr, digest, nullptr);
  return out;
}

// A coordinate may come without its leading zeros.
bool is_coordinate(ByteView bytes, ByteView expected) {
  if (bytes.size() > expected.size()) return false;
  const std::size_t missing = expected.size() - bytes.size();
  for (const std::uint8_t byte : expected.first(missing))
    if (byte != 0) return false;
  return base::equal(bytes, expected.subspan(missing));
}

// TPMT_PUBLIC of an elliptic-curve key; answers the algorithm of its name.
Result<std::uint16_t> read_public_area(ByteView bytes, const P256Key& key) {
  Fields fields(bytes);
  const std::uint16_t type = fields.u16(), name_algorithm = fields.u16();
  // Attributes and policy: what else the key may do is not asked.
  fields.u32();
  fields.sized();
  if (type != kAlgEcc) return fail(ErrorCode::tpm_public_area_of_other_key, "type");
  // TPMT_SYM_DEF_OBJECT has key bits and mode, TPMT_ECC_SCHEME and TPMT_KDF_SCHEME a hash, unless they are null.
  if (fields.u16() != kAlgNull) fields.take(4);
  if (fields.u16() != kAlgNull) fields.take(2);
  const std::uint16_t curve = fields.u16();
  if (fields.u16() != kAlgNull) fields.take(2);
  const ByteView x = fields.sized(), y = fields.sized();
  if (!fields.ended()) return fail(ErrorCode::tpm_public_area_malformed);
  const ByteView expected(key);
  if (curve != kCurveP256 || !is_coordinate(x, expected.first(32)) || !is_coordinate(y, expected.subspan(32)))
    return fail(ErrorCode::tpm_public_area_of_other_key);
  return name_algorithm;
}

struct CertifyInfo {
  ByteView extra_data;
  ByteView name;
};

// TPMS_ATTEST that certifies a key.
Result<CertifyInfo> read_certify_info(ByteView bytes) {
  Fields fields(bytes);
  CertifyInfo info;
  const std::uint32_t magic = fields.u32();
  const std::uint16_t type = fields.u16();
  fields.sized();
  info.extra_data = fields.sized();
  // TPMS_CLOCK_INFO and the firmware's version.
  fields.take(17 + 8);
  info.name = fields.sized();
  fields.sized();
  if (!fields.ended() || magic != kGenerated || type != kAttestCertify)
    return fail(ErrorCode::tpm_certify_info_malformed);
  return info;
}

// Section 8.3.1.
Result<void> check_certificate(const Certificate& certificate, const core::AttestedCredential& credential) {
  if (const auto ok = certificate.check_end_entity(); !ok) return ok;
  if (certificate.has_subject()) return fail(ErrorCode::certificate_subject);
  if (const auto ok = certificate.check_tpm_names(); !ok) return ok;
  if (!certificate.has_extended_key_usage(kAikUsage)) return fail(ErrorCode::certificate_usage);
  return certificate.check_aaguid(credential.aaguid);
}

// The structures say: this key, for this registration.
Result<void> check_structures(const StatementInput& input, std::int64_t algorithm, ByteView public_area,
                              ByteView certify_info) {
  const auto name_algorithm = read_public_area(public_area, input.credential.public_key);
  if (!name_algorithm) return tl::unexpected(name_algorithm.error());
  const auto info = read_certify_info(certify_info);
  if (!info) return tl::unexpected(info.error());
  const EVP_MD* digest = digest_of(algorithm);
  if (digest == nullptr) return fail(ErrorCode::attestation_algorithm_unsupported, std::to_string(algorithm));
  if (!base::equal(info->extra_data, hash(digest, input.signed_data()))) return fail(ErrorCode::tpm_extra_data);
  // A name is its hash algorithm and the hash of the public area (part 1, section 16).
  const EVP_MD* name_digest = digest_of_name(*name_algorithm);
  if (name_digest == nullptr) return fail(ErrorCode::tpm_name, "algorithm");
  Bytes name{static_cast<std::uint8_t>(*name_algorithm >> 8), static_cast<std::uint8_t>(*name_algorithm)};
  core::append(name, hash(name_digest, public_area));
  if (!base::equal(info->name, name)) return fail(ErrorCode::tpm_name);
  return {};
}

}  // namespace

Result<Attestation> verify_tpm(const StatementInput& input) {
  Members members(input.statement);
  const std::string_view version = members.text("ver");
  const std::int64_t algorithm = members.integer("alg");
  const core::CborItem& x5c = members.array("x5c");
  const ByteView signature = members.bytes("sig");
  const ByteView certify_info = members.bytes("certInfo"), public_area = members.bytes("pubArea");
  if (const auto ok = members.end(); !ok) return tl::unexpected(ok.error());
  if (version != "2.0") return fail(ErrorCode::tpm_version);
  const auto chain = parse_chain(x5c);
  if (!chain) return tl::unexpected(chain.error());
  if (const auto ok = check_structures(input, algorithm, public_area, certify_info); !ok)
    return tl::unexpected(ok.error());
  if (const auto ok = chain->front().verify(algorithm, certify_info, signature); !ok) return tl::unexpected(ok.error());
  if (const auto ok = check_certificate(chain->front(), input.credential); !ok) return tl::unexpected(ok.error());
  const auto trusted = check_chain(*chain, input.policy);
  if (!trusted) return tl::unexpected(trusted.error());
  return Attestation{AttestationType::att_ca, *trusted};
}

}  // namespace community::webauthn
