// SPDX-License-Identifier: Apache-2.0
#include "trusted/core/record.hpp"

#include "trusted/base/keccak.hpp"

namespace community::trusted {
namespace {

constexpr std::array<std::uint8_t, 4> kMagic{'C', 'N', 'R', '1'};

// Each record has its own encryption key, so a random nonce never meets another record's.
void record_key(const RootKey& root, const RecordId& id, Bytes32& key) {
  base::hkdf<base::Sha256>(root.key, id, base::view("community sealed record"), key);
}

}  // namespace

Error seal_bytes(const Port& port, const State& state, const RecordHeader& header, ByteView plain, MutableByteView out,
                 std::size_t& size) {
  size = plain.size() + kRecordOverhead;
  if (size > out.size()) return Error::record_malformed;
  protocol::Writer writer(out);
  writer.fixed(kMagic).number(static_cast<std::uint8_t>(header.type)).number(state.active_root_key().version);
  writer.fixed(state.core_id).fixed(header.id).number(header.revision);
  const MutableByteView nonce = out.subspan(kRecordHeader, 12);
  if (!port.random(port.context, nonce)) return Error::random_failed;
  base::Secret<32> key;
  record_key(state.active_root_key(), header.id, key.bytes);
  const MutableByteView cipher = out.subspan(kRecordHeader + 12, plain.size());
  std::uint8_t* tag = out.data() + kRecordHeader + 12 + plain.size();
  const bool sealed =
      port.aes_gcm_seal(port.context, key.bytes, nonce.data(), out.first(kRecordHeader), plain, cipher, tag);
  return sealed ? Error::ok : Error::crypto_failed;
}

Error read_header(const State& state, ByteView sealed, RecordHeader& header) {
  if (sealed.size() < kRecordOverhead || sealed.size() > protocol::kMaxSealedRecord) return Error::record_malformed;
  std::array<std::uint8_t, 4> magic{};
  std::uint8_t type = 0;
  RecordId core_id{};
  protocol::Reader reader(sealed.first(kRecordHeader));
  reader.fixed(magic).number(type).number(header.root_version).fixed(core_id).fixed(header.id).number(header.revision);
  if (magic != kMagic) return Error::record_malformed;
  if (core_id != state.core_id) return Error::record_foreign;
  header.type = static_cast<RecordType>(type);
  return Error::ok;
}

Error open_bytes(const Port& port, const State& state, ByteView sealed, RecordType type, RecordHeader& header,
                 MutableByteView out, std::size_t& size) {
  const Error error = read_header(state, sealed, header);
  if (error != Error::ok) return error;
  if (header.type != type) return Error::record_wrong_type;
  const RootKey* root = state.find_root_key(header.root_version);
  if (root == nullptr) return Error::record_unknown_root;
  size = sealed.size() - kRecordOverhead;
  base::Secret<32> key;
  record_key(*root, header.id, key.bytes);
  const std::uint8_t* nonce = sealed.data() + kRecordHeader;
  const ByteView cipher = sealed.subspan(kRecordHeader + 12, size);
  const std::uint8_t* tag = cipher.data() + size;
  const bool opened =
      port.aes_gcm_open(port.context, key.bytes, nonce, sealed.first(kRecordHeader), cipher, tag, out.first(size));
  return opened ? Error::ok : Error::record_tampered;
}

bool is_secp256k1_secret(const Bytes32& secret) {
  // The order of the group, least significant limb first.
  constexpr std::uint64_t kOrder[4] = {0xbfd25e8cd0364141, 0xbaaedce6af48a03b, 0xfffffffffffffffe, 0xffffffffffffffff};
  std::uint64_t any = 0, borrow = 0;
  for (std::size_t i = 0; i < 4; i++) {
    const auto limb = base::load_be<std::uint64_t>(secret.data() + 24 - 8 * i);
    const base::Uint128 difference = static_cast<base::Uint128>(limb) - kOrder[i] - borrow;
    borrow = static_cast<std::uint64_t>(difference >> 64) & 1;
    any |= limb;
  }
  return borrow == 1 && any != 0;
}

Error derive_server_key(const WalletRecord& wallet, std::uint32_t index, Bytes32& secret) {
  std::array<std::uint8_t, 5> info{};
  base::store_be(info.data(), index);
  // A digest is outside [1, n - 1] once in 2^128 times; the second try cannot fail for the same reason.
  for (std::uint8_t attempt = 0; attempt < 4; attempt++) {
    info[4] = attempt;
    base::hkdf<base::Sha256>(wallet.server_secret, base::view("community server key"), info, secret);
    if (is_secp256k1_secret(secret)) return Error::ok;
  }
  return Error::crypto_failed;
}

Error server_key_address(const Port& port, const WalletRecord& wallet, std::uint32_t index,
                         protocol::Address& address) {
  base::Secret<32> secret;
  const Error error = derive_server_key(wallet, index, secret.bytes);
  if (error != Error::ok) return error;
  std::array<std::uint8_t, 64> public_key{};
  if (!port.secp256k1_public_key(port.context, secret.bytes, public_key.data())) return Error::crypto_failed;
  address = address_of(public_key.data());
  return Error::ok;
}

protocol::Address address_of(const std::uint8_t public_key[64]) {
  const Bytes32 hash = base::keccak256(ByteView(public_key, 64));
  protocol::Address address;
  base::copy(address, ByteView(hash).last(20));
  return address;
}

}  // namespace community::trusted
