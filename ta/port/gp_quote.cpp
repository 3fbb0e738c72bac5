// SPDX-License-Identifier: Apache-2.0
#include "ta/port/gp_quote.hpp"

#include "ta/port/gp_api.hpp"
extern "C" {
#include <pta_attestation.h>
}

namespace community::trusted {
namespace {

constexpr TEE_UUID kAttestation = PTA_ATTESTATION_UUID;
constexpr std::size_t kExponentBytes = 8;

class AttestationSession {
 public:
  AttestationSession() {
    uint32_t origin = 0;
    open_ = TEE_OpenTASession(&kAttestation, TEE_TIMEOUT_INFINITE, 0, nullptr, &handle_, &origin) == TEE_SUCCESS;
  }
  AttestationSession(const AttestationSession&) = delete;
  AttestationSession& operator=(const AttestationSession&) = delete;
  ~AttestationSession() {
    if (open_) TEE_CloseTASession(handle_);
  }
  bool invoke(uint32_t command, uint32_t types, TEE_Param (&params)[TEE_NUM_PARAMS]) {
    uint32_t origin = 0;
    return open_ && TEE_InvokeTACommand(handle_, TEE_TIMEOUT_INFINITE, command, types, params, &origin) == TEE_SUCCESS;
  }

 private:
  TEE_TASessionHandle handle_ = TEE_HANDLE_NULL;
  bool open_ = false;
};

bool read_key(AttestationSession& session, protocol::Quote& out) {
  std::array<std::uint8_t, kExponentBytes> exponent{};
  TEE_Param params[TEE_NUM_PARAMS] = {};
  params[0].memref = {exponent.data(), exponent.size()};
  params[1].memref = {out.modulus.data(), out.modulus.size()};
  const uint32_t types = TEE_PARAM_TYPES(TEE_PARAM_TYPE_MEMREF_OUTPUT, TEE_PARAM_TYPE_MEMREF_OUTPUT,
                                         TEE_PARAM_TYPE_VALUE_OUTPUT, TEE_PARAM_TYPE_NONE);
  if (!session.invoke(PTA_ATTESTATION_GET_PUBKEY, types, params)) return false;
  const std::size_t size = params[0].memref.size;
  if (params[1].memref.size != out.modulus.size() || size == 0 || size > sizeof out.exponent) return false;
  out.exponent = 0;
  for (std::size_t i = 0; i < size; i++) out.exponent = out.exponent << 8 | exponent[i];
  return true;
}

bool quote(void*, protocol::QuoteKind kind, const Bytes32& report, protocol::Quote& out) {
  AttestationSession session;
  if (!read_key(session, out)) return false;
  std::array<std::uint8_t, 32 + protocol::kQuoteKeyBytes> measured{};
  Bytes32 nonce = report;
  TEE_Param params[TEE_NUM_PARAMS] = {};
  params[0].memref = {nonce.data(), nonce.size()};
  params[1].memref = {measured.data(), measured.size()};
  const uint32_t types = TEE_PARAM_TYPES(TEE_PARAM_TYPE_MEMREF_INPUT, TEE_PARAM_TYPE_MEMREF_OUTPUT, TEE_PARAM_TYPE_NONE,
                                         TEE_PARAM_TYPE_NONE);
  const uint32_t command =
      kind == protocol::QuoteKind::application ? PTA_ATTESTATION_HASH_TA_MEMORY : PTA_ATTESTATION_HASH_TEE_MEMORY;
  if (!session.invoke(command, types, params) || params[1].memref.size != measured.size()) return false;
  base::copy(out.measurement, ByteView(measured).first(32));
  base::copy(out.signature, ByteView(measured).subspan(32));
  out.signature_size = protocol::kQuoteKeyBytes;
  return true;
}

}  // namespace

void use_attestation(Port& port) { port.quote = quote; }

}  // namespace community::trusted
