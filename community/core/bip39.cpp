// SPDX-License-Identifier: Apache-2.0
// BIP-39 over the embedded lists. A word is found by searching the list's text: no tables to build or keep.
#include "community/core/bip39.hpp"

#include <utf8proc.h>

#include <cstdlib>
#include <memory>

#include "trusted/base/sha2.hpp"

namespace community::core {

// bip39_words.cpp is generated.
extern const std::string_view kBip39Words[];

namespace {

struct Name {
  std::string_view text;
  Language language;
};

constexpr Name kNames[] = {
    {"english", Language::english},
    {"en", Language::english},
    {"japanese", Language::japanese},
    {"ja", Language::japanese},
    {"jp", Language::japanese},
    {"korean", Language::korean},
    {"ko", Language::korean},
    {"spanish", Language::spanish},
    {"es", Language::spanish},
    {"chinese_simplified", Language::chinese_simplified},
    {"zh_cn", Language::chinese_simplified},
    {"zh", Language::chinese_simplified},
    {"zh_hans", Language::chinese_simplified},
    {"chinese_traditional", Language::chinese_traditional},
    {"zh_tw", Language::chinese_traditional},
    {"zh_hant", Language::chinese_traditional},
    {"french", Language::french},
    {"fr", Language::french},
    {"italian", Language::italian},
    {"it", Language::italian},
    {"czech", Language::czech},
    {"cz", Language::czech},
    {"cs", Language::czech},
    {"portuguese", Language::portuguese},
    {"pt", Language::portuguese},
};

std::string_view words_of(Language language) { return kBip39Words[static_cast<std::size_t>(language)]; }

// Lists begin with a line feed, so word n lies between line feeds n and n + 1.
std::string_view word_at(std::string_view list, std::size_t index) {
  std::size_t start = 0;
  for (std::size_t i = 0; i < index; i++) start = list.find('\n', start + 1);
  return list.substr(start + 1, list.find('\n', start + 1) - start - 1);
}

std::optional<std::size_t> index_of(std::string_view list, std::string_view word) {
  if (word.empty() || word.find('\n') != std::string_view::npos) return std::nullopt;
  const std::string line = "\n" + std::string(word) + "\n";
  const std::size_t place = list.find(line);
  if (place == std::string_view::npos) return std::nullopt;
  const std::string_view before = list.substr(0, place);
  return static_cast<std::size_t>(std::count(before.begin(), before.end(), '\n'));
}

// Word n of the bit string entropy || checksum; the checksum is the first size / 4 bits of the digest.
std::size_t eleven_bits(ByteView bits, std::size_t n) {
  std::size_t value = 0;
  for (std::size_t i = 11 * n; i < 11 * n + 11; i++) value = value << 1 | (bits[i / 8] >> (7 - i % 8) & 1u);
  return value;
}

bool is_entropy_size(std::size_t size) { return size >= 16 && size <= 32 && size % 4 == 0; }

}  // namespace

Result<Language> parse_language(std::string_view text) {
  std::string name(text.substr(0, 32));
  for (char& c : name) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if (c == '-' || c == ' ') c = '_';
  }
  for (const Name& known : kNames)
    if (known.text == name) return known.language;
  return fail(ErrorCode::bip39_language_unknown, name);
}

Result<std::string> nfkd(std::string_view text) {
  utf8proc_uint8_t* raw = nullptr;
  const auto options = static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT);
  const auto size = utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                                 static_cast<utf8proc_ssize_t>(text.size()), &raw, options);
  const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owned(raw, &std::free);
  if (size < 0) return fail(ErrorCode::utf8_invalid);
  return std::string(reinterpret_cast<const char*>(raw), static_cast<std::size_t>(size));
}

Result<std::string> mnemonic_from_entropy(Language language, ByteView entropy) {
  if (!is_entropy_size(entropy.size())) return fail(ErrorCode::bip39_entropy_length);
  Bytes bits = to_bytes(entropy);
  bits.push_back(base::sha256(entropy)[0]);
  std::string phrase;
  for (std::size_t n = 0; n < entropy.size() * 3 / 4; n++) {
    if (n > 0) phrase += language == Language::japanese ? "\u3000" : " ";
    phrase += word_at(words_of(language), eleven_bits(bits, n));
  }
  base::wipe(bits);
  return phrase;
}

Result<Bytes> entropy_from_mnemonic(Language language, std::string_view mnemonic) {
  const auto normal = nfkd(mnemonic);
  if (!normal) return tl::unexpected(normal.error());
  std::string_view rest = *normal;
  const auto count = static_cast<std::size_t>(std::count(rest.begin(), rest.end(), ' ')) + 1;
  if (!is_entropy_size(count / 3 * 4) || count % 3 != 0) return fail(ErrorCode::bip39_word_count);
  Bytes bits(33);
  for (std::size_t n = 0; n < count; n++) {
    const std::string_view word = rest.substr(0, rest.find(' '));
    const auto index = index_of(words_of(language), word);
    if (!index) return fail(ErrorCode::bip39_word_unknown, "word " + std::to_string(n + 1));
    rest.remove_prefix(std::min(rest.size(), word.size() + 1));
    for (std::size_t i = 0; i < 11; i++)
      if (*index >> (10 - i) & 1) bits[(11 * n + i) / 8] |= static_cast<std::uint8_t>(0x80 >> (11 * n + i) % 8);
  }
  const std::size_t size = count / 3 * 4;
  const auto mask = static_cast<std::uint8_t>(0xff00 >> size / 4);
  if (bits[size] != (base::sha256(ByteView(bits).first(size))[0] & mask)) return fail(ErrorCode::bip39_bad_checksum);
  bits.resize(size);
  return bits;
}

Result<std::array<std::uint8_t, 64>> seed_from_mnemonic(std::string_view mnemonic, std::string_view passphrase) {
  const auto phrase = nfkd(mnemonic);
  if (!phrase) return tl::unexpected(phrase.error());
  const auto password = nfkd(passphrase);
  if (!password) return tl::unexpected(password.error());
  const std::string salt = "mnemonic" + *password;
  std::array<std::uint8_t, 64> seed;
  base::pbkdf2<base::Sha512>(base::view(*phrase), base::view(salt), 2048, seed);
  return seed;
}

}  // namespace community::core
