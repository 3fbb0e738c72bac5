// SPDX-License-Identifier: Apache-2.0
// Mnemonic phrases (BIP-39) in its ten languages. Text is compared and hashed in NFKD, as the standard says.
#pragma once
#include <optional>

#include "community/core/bytes.hpp"

namespace community::core {

enum class Language : std::uint8_t {
  english,
  japanese,
  korean,
  spanish,
  chinese_simplified,
  chinese_traditional,
  french,
  italian,
  czech,
  portuguese,
};

// "english" or a code such as "en", "ja", "zh_cn", "zh-tw", "cz": bip39_language_unknown.
Result<Language> parse_language(std::string_view name);

// 16, 20, 24, 28 or 32 bytes: bip39_entropy_length. Words are in NFKD; Japanese ones are joined by U+3000.
Result<std::string> mnemonic_from_entropy(Language language, ByteView entropy);
// bip39_word_count, bip39_word_unknown (the message has the word's number, not the word), bip39_bad_checksum,
// utf8_invalid.
Result<Bytes> entropy_from_mnemonic(Language language, std::string_view mnemonic);
// PBKDF2 of the phrase as it is given: a phrase with wrong words has a seed too. utf8_invalid.
Result<std::array<std::uint8_t, 64>> seed_from_mnemonic(std::string_view mnemonic, std::string_view passphrase);

// Unicode normalisation form KD: utf8_invalid.
Result<std::string> nfkd(std::string_view text);

}  // namespace community::core
