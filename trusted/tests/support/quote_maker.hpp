// SPDX-License-Identifier: Apache-2.0
// Stands for the attestation PTA in tests: an RSA-3072 key made anew, quotes as OP-TEE signs them, and what it was
// asked for.
#pragma once
#include <functional>
#include <memory>
#include <vector>

#include "trusted/port/port.hpp"

struct evp_pkey_st;

namespace community::trusted::testing {

// Whether a quote's key signed SHA-256(report || measurement) with RSASSA-PSS, SHA-256, MGF1-SHA-256 and a salt of 32
// bytes.
bool quote_verifies(const Bytes32& report, const protocol::Quote& quote);

class QuoteMaker {
 public:
  QuoteMaker();
  ~QuoteMaker();
  QuoteMaker(const QuoteMaker&) = delete;
  QuoteMaker& operator=(const QuoteMaker&) = delete;

  struct Request {
    protocol::QuoteKind kind{};
    Bytes32 report{};
  };
  // Port::quote; `requests` grows by one. False while `fail` is set.
  bool quote(protocol::QuoteKind kind, const Bytes32& report, protocol::Quote& out);
  // Whether `quote` names this key and is its signature.
  bool verifies(const Bytes32& report, const protocol::Quote& quote) const;

  // SHA-256 of the key's SubjectPublicKeyInfo, as OpenSSL encodes it.
  Bytes32 fingerprint() const;

  // The measurements it quotes, fixed and different.
  static Bytes32 measurement(protocol::QuoteKind kind);

  std::vector<Request> requests;
  bool fail = false;
  // Bends a quote before it is answered.
  std::function<void(protocol::Quote&)> bend;

 private:
  evp_pkey_st* key_ = nullptr;
};

}  // namespace community::trusted::testing
