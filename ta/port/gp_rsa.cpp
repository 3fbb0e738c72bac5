// SPDX-License-Identifier: Apache-2.0
// GlobalPlatform TEE Internal Core API 1.3.1, section 6.6.4 (TEE_AsymmetricVerifyDigest).
#include "ta/port/gp_rsa.hpp"

#include "ta/port/gp_api.hpp"

namespace community::trusted {
namespace {

constexpr std::size_t kKeyBytes = protocol::kQuoteKeyBytes;
constexpr std::uint32_t kKeyBits = kKeyBytes * 8;
constexpr std::uint32_t kSaltBytes = 32;

// A transient key and an operation with it.
class Verification {
 public:
  explicit Verification(const std::uint8_t modulus[kKeyBytes]) {
    static constexpr std::array<std::uint8_t, 3> kExponent{1, 0, 1};
    std::array<TEE_Attribute, 2> parts;
    TEE_InitRefAttribute(&parts[0], TEE_ATTR_RSA_MODULUS, modulus, kKeyBytes);
    TEE_InitRefAttribute(&parts[1], TEE_ATTR_RSA_PUBLIC_EXPONENT, kExponent.data(), kExponent.size());
    ready_ = TEE_AllocateTransientObject(TEE_TYPE_RSA_PUBLIC_KEY, kKeyBits, &key_) == TEE_SUCCESS &&
             TEE_PopulateTransientObject(key_, parts.data(), parts.size()) == TEE_SUCCESS &&
             TEE_AllocateOperation(&operation_, TEE_ALG_RSASSA_PKCS1_PSS_MGF1_SHA256, TEE_MODE_VERIFY, kKeyBits) ==
                 TEE_SUCCESS &&
             TEE_SetOperationKey(operation_, key_) == TEE_SUCCESS;
  }
  Verification(const Verification&) = delete;
  Verification& operator=(const Verification&) = delete;
  ~Verification() {
    if (operation_ != TEE_HANDLE_NULL) TEE_FreeOperation(operation_);
    if (key_ != TEE_HANDLE_NULL) TEE_FreeTransientObject(key_);
  }
  bool succeeds(const Bytes32& digest, const std::uint8_t signature[kKeyBytes]) {
    TEE_Attribute salt;
    TEE_InitValueAttribute(&salt, TEE_ATTR_RSA_PSS_SALT_LENGTH, kSaltBytes, 0);
    return ready_ && TEE_AsymmetricVerifyDigest(operation_, &salt, 1, digest.data(), digest.size(), signature,
                                                kKeyBytes) == TEE_SUCCESS;
  }

 private:
  TEE_ObjectHandle key_ = TEE_HANDLE_NULL;
  TEE_OperationHandle operation_ = TEE_HANDLE_NULL;
  bool ready_ = false;
};

bool rsa_pss_verify(void*, const std::uint8_t modulus[kKeyBytes], const Bytes32& digest,
                    const std::uint8_t signature[kKeyBytes]) {
  // RFC 8017, section 5.2.2: a number below the modulus. Also, an answer of OP-TEE's that is neither yes nor no ends
  // the application, and the signature comes from outside.
  if (std::memcmp(signature, modulus, kKeyBytes) >= 0) return false;
  return Verification(modulus).succeeds(digest, signature);
}

}  // namespace

void use_rsa(Port& port) { port.rsa_pss_verify = rsa_pss_verify; }

}  // namespace community::trusted
