// SPDX-License-Identifier: Apache-2.0
#include "trusted/core/phrase.hpp"

#include "trusted/base/bip39_english.hpp"
#include "trusted/base/sha2.hpp"
#include "trusted/protocol/coin_type.hpp"

namespace community::trusted {
namespace {

constexpr std::size_t kMaxSentence = 24 * (base::kBip39WordSize + 1);
constexpr std::uint32_t kSeedRounds = 2'048;

// One step of BIP-32's CKDpriv: key and chain code become those of the child.
Error derive_child(const Port& port, std::uint32_t number, Bytes32& key, Bytes32& chain_code) {
  std::array<std::uint8_t, 4> index;
  base::store_be(index.data(), number);
  base::Hmac<base::Sha512> mac(chain_code);
  if ((number & kHardened) != 0) {
    constexpr std::array<std::uint8_t, 1> kPrivate{0};
    mac.add(kPrivate).add(key);
  } else {
    std::array<std::uint8_t, 64> point{};
    if (!port.secp256k1_public_key(port.context, key, point.data())) return Error::crypto_failed;
    // Compressed: 2 or 3 by the parity of y, then x.
    const std::array<std::uint8_t, 1> parity{static_cast<std::uint8_t>(2 + (point[63] & 1))};
    mac.add(parity).add(ByteView(point).first(32));
  }
  auto digest = mac.add(index).finish();
  Bytes32 tweak;
  base::copy(tweak, ByteView(digest).first(32));
  base::copy(chain_code, ByteView(digest).last(32));
  base::wipe(digest);
  const bool in_range = is_secp256k1_secret(tweak);
  if (in_range) add_modulo_order(key, tweak, key);
  base::wipe(tweak);
  return in_range && is_secp256k1_secret(key) ? Error::ok : Error::crypto_failed;
}

}  // namespace

void add_modulo_order(const Bytes32& a, const Bytes32& b, Bytes32& sum) {
  // The order, least significant limb first.
  constexpr std::uint64_t kOrder[4] = {0xbfd25e8cd0364141, 0xbaaedce6af48a03b, 0xfffffffffffffffe, 0xffffffffffffffff};
  std::uint64_t plain[4], reduced[4], carry = 0, borrow = 0;
  for (std::size_t i = 0; i < 4; i++) {
    const std::size_t at = 24 - 8 * i;
    const base::Uint128 t = static_cast<base::Uint128>(base::load_be<std::uint64_t>(a.data() + at)) +
                            base::load_be<std::uint64_t>(b.data() + at) + carry;
    plain[i] = static_cast<std::uint64_t>(t);
    carry = static_cast<std::uint64_t>(t >> 64);
  }
  for (std::size_t i = 0; i < 4; i++) {
    const base::Uint128 t = static_cast<base::Uint128>(plain[i]) - kOrder[i] - borrow;
    reduced[i] = static_cast<std::uint64_t>(t);
    borrow = static_cast<std::uint64_t>(t >> 64) & 1;
  }
  // All ones when the sum reached the order: it carried out of 256 bits, or subtracting did not borrow.
  const std::uint64_t mask = ~std::uint64_t{0} * (carry | (borrow ^ 1));
  for (std::size_t i = 0; i < 4; i++) base::store_be(sum.data() + 24 - 8 * i, (reduced[i] & mask) | (plain[i] & ~mask));
  base::wipe(plain, sizeof plain);
  base::wipe(reduced, sizeof reduced);
}

void phrase_seed(ByteView entropy, Seed& seed) {
  // Entropy and the first byte of its digest, of which the checksum takes one bit for each 32 of the entropy.
  base::Secret<33> bits;
  base::copy(bits.bytes, entropy);
  base::Sha256 hash;
  Bytes32 checksum = hash.add(entropy).finish();
  bits.bytes[entropy.size()] = checksum[0];
  hash.wipe_state();
  base::wipe(checksum);
  base::Secret<kMaxSentence> sentence;
  std::size_t size = 0;
  for (std::size_t word = 0; word < entropy.size() * 3 / 4; word++) {
    std::size_t number = 0;
    for (std::size_t bit = 11 * word; bit < 11 * word + 11; bit++)
      number = number << 1 | (bits.bytes[bit / 8] >> (7 - bit % 8) & 1u);
    if (word != 0) sentence.bytes[size++] = ' ';
    for (const std::uint8_t letter :
         base::view(base::kBip39English).subspan(number * base::kBip39WordSize, base::kBip39WordSize))
      if (letter != ' ') sentence.bytes[size++] = letter;
  }
  base::pbkdf2<base::Sha512>(ByteView(sentence).first(size), base::view("mnemonic"), kSeedRounds, seed);
}

Error make_phrase(const Port& port, std::uint8_t words, WalletRecord& wallet) {
  if (wallet.entropy_size != 0) return Error::phrase_exists;
  const std::size_t size = words == 12 ? 16 : 32;
  const MutableByteView entropy = MutableByteView(wallet.entropy).first(size);
  if (!port.random(port.context, entropy)) return Error::random_failed;
  wallet.entropy_size = static_cast<std::uint8_t>(size);
  phrase_seed(entropy, wallet.seed);
  return Error::ok;
}

Error derive_path(const Port& port, ByteView seed, std::span<const std::uint32_t> path, Bytes32& secret) {
  auto master = base::Hmac<base::Sha512>(base::view("Bitcoin seed")).add(seed).finish();
  base::Secret<32> chain_code;
  base::copy(secret, ByteView(master).first(32));
  base::copy(chain_code.bytes, ByteView(master).last(32));
  base::wipe(master);
  Error error = is_secp256k1_secret(secret) ? Error::ok : Error::crypto_failed;
  for (std::size_t i = 0; i < path.size() && error == Error::ok; i++)
    error = derive_child(port, path[i], secret, chain_code.bytes);
  if (error != Error::ok) base::wipe(secret);
  return error;
}

Error derive_eoa_key(const Port& port, const WalletRecord& wallet, std::uint64_t chain_id, std::uint32_t account,
                     std::uint32_t index, Bytes32& secret) {
  if (wallet.entropy_size == 0) return Error::phrase_missing;
  const std::array<std::uint32_t, 5> path{44 | kHardened, protocol::coin_type(chain_id) | kHardened,
                                          account | kHardened, 0, index};
  return derive_path(port, wallet.seed, path, secret);
}

}  // namespace community::trusted
