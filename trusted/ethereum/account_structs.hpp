// SPDX-License-Identifier: Apache-2.0
// EIP-712 structs of an account's domain (spec/account.md, sections 1 and 2). Nobody is handed a digest: whoever signs
// or checks one computes it from the fields.
#pragma once
#include <string_view>

#include "trusted/base/keccak.hpp"
#include "trusted/base/uint256.hpp"

namespace community::ethereum {

using base::Address;
using base::Bytes32;
using base::ByteView;
using base::Uint256;

// The end of every signed struct.
struct Stamp {
  std::uint32_t key_epoch = 0;
  Uint256 nonce;
  // The last second, since 1970, at which it may be submitted; uint48
  std::uint64_t deadline = 0;
};

// Encodes the fields of one struct in their order; the stamp comes last.
class AccountStruct {
 public:
  // The types of the fields that the struct holds itself stand in `type`, the stamp's included.
  template <std::size_t N>
  explicit AccountStruct(const char (&type)[N]) {
    hash_.add(base::keccak256(base::view({type, N - 1})));
  }

  AccountStruct& word(const Bytes32& value) {
    hash_.add(value);
    return *this;
  }
  AccountStruct& number(const Uint256& value) { return word(value.to_be()); }
  AccountStruct& address(const Address& value) {
    Bytes32 padded{};
    base::copy(base::MutableByteView(padded).subspan(12), value);
    return word(padded);
  }
  AccountStruct& selector(const std::array<std::uint8_t, 4>& value) {
    Bytes32 padded{};
    base::copy(padded, value);
    return word(padded);
  }
  Bytes32 finish() { return hash_.finish(); }

  // What is signed: keccak256(0x1901 || domain || struct).
  Bytes32 digest(const Stamp& stamp, std::uint64_t chain_id, const Address& account) {
    number(stamp.key_epoch).number(stamp.nonce).number(stamp.deadline);
    static constexpr std::array<std::uint8_t, 2> kPrefix{0x19, 0x01};
    return base::keccak256({kPrefix, domain_separator(chain_id, account), finish()});
  }

  static Bytes32 domain_separator(std::uint64_t chain_id, const Address& account) {
    AccountStruct domain("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    domain.word(base::keccak256(base::view("CommunityAccount"))).word(base::keccak256(base::view("1")));
    return domain.number(chain_id).address(account).finish();
  }

 private:
  base::Keccak256 hash_;
};

}  // namespace community::ethereum
