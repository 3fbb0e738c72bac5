// SPDX-License-Identifier: Apache-2.0
// Expected failures are values: `Result<T>` with the one error enum of this module, whose values are named after the
// rule that was broken. Tests assert which rule, callers map it to their own answers.
#pragma once
#include "community/core/rules.hpp"

namespace community::core {

#define COMMUNITY_CORE_ERRORS(X)             \
  X(hex_prefix_missing)                      \
  X(hex_odd_length)                          \
  X(hex_bad_digit)                           \
  X(hex_wrong_length)                        \
  X(hex_too_long)                            \
  X(number_empty)                            \
  X(number_bad_digit)                        \
  X(number_leading_zero)                     \
  X(number_out_of_range)                     \
  X(address_bad_checksum)                    \
  X(json_syntax)                             \
  X(json_too_large)                          \
  X(json_too_deep)                           \
  X(json_duplicate_member)                   \
  X(json_number_out_of_range)                \
  X(json_member_missing)                     \
  X(json_wrong_type)                         \
  X(json_member_unknown)                     \
  X(rlp_truncated)                           \
  X(rlp_trailing_bytes)                      \
  X(rlp_single_byte_with_prefix)             \
  X(rlp_long_form_for_short)                 \
  X(rlp_length_leading_zero)                 \
  X(rlp_length_overflow)                     \
  X(rlp_too_deep)                            \
  X(rlp_too_many_items)                      \
  X(rlp_list_expected)                       \
  X(rlp_string_expected)                     \
  X(rlp_wrong_item_count)                    \
  X(rlp_integer_leading_zero)                \
  X(rlp_integer_out_of_range)                \
  X(abi_type_syntax)                         \
  X(abi_type_unknown)                        \
  X(abi_type_too_deep)                       \
  X(abi_type_too_large)                      \
  X(abi_element_without_size)                \
  X(abi_value_kind)                          \
  X(abi_value_count)                         \
  X(abi_value_range)                         \
  X(abi_truncated)                           \
  X(abi_trailing_bytes)                      \
  X(abi_offset_not_canonical)                \
  X(abi_dirty_bits)                          \
  X(abi_dirty_padding)                       \
  X(abi_count_too_large)                     \
  X(abi_wrong_selector)                      \
  X(utf8_invalid)                            \
  X(private_key_out_of_range)                \
  X(public_key_invalid)                      \
  X(shared_secret_zero)                      \
  X(signature_length)                        \
  X(signature_out_of_range)                  \
  X(signature_high_s)                        \
  X(signature_y_parity)                      \
  X(signature_not_recoverable)               \
  X(der_syntax)                              \
  X(transaction_type_unknown)                \
  X(transaction_too_large)                   \
  X(transaction_to_length)                   \
  X(transaction_to_missing)                  \
  X(transaction_storage_key_length)          \
  X(transaction_v_invalid)                   \
  X(transaction_nonce_too_high)              \
  X(transaction_priority_fee_above_max_fee)  \
  X(transaction_no_blobs)                    \
  X(transaction_blob_hash_version)           \
  X(transaction_no_authorizations)           \
  X(transaction_chain_id_missing)            \
  X(transaction_unsigned)                    \
  X(userop_gas_out_of_range)                 \
  X(userop_factory_data_without_factory)     \
  X(userop_paymaster_data_without_paymaster) \
  X(userop_paymaster_and_data_length)        \
  X(userop_init_code_length)                 \
  X(userop_auth_missing)                     \
  X(userop_too_large)                        \
  X(eip712_type_missing)                     \
  X(eip712_type_syntax)                      \
  X(eip712_too_deep)                         \
  X(eip712_too_large)                        \
  X(eip712_member_missing)                   \
  X(eip712_member_unknown)                   \
  X(eip712_value)                            \
  X(base58_bad_digit)                        \
  X(base58_bad_checksum)                     \
  X(base58_too_long)                         \
  X(bip32_length)                            \
  X(bip32_version)                           \
  X(bip32_depth_zero_with_parent)            \
  X(bip32_depth_zero_with_index)             \
  X(bip32_key_prefix)                        \
  X(bip32_key_invalid)                       \
  X(bip32_seed_length)                       \
  X(bip32_path_syntax)                       \
  X(bip32_path_too_deep)                     \
  X(bip32_hardened_from_public)              \
  X(bip39_language_unknown)                  \
  X(bip39_entropy_length)                    \
  X(bip39_word_count)                        \
  X(bip39_word_unknown)                      \
  X(bip39_bad_checksum)                      \
  X(cbor_syntax)                             \
  X(cbor_too_deep)                           \
  X(cbor_duplicate_key)                      \
  X(webauthn_attestation)                    \
  X(webauthn_authenticator_data)             \
  X(webauthn_key_algorithm)                  \
  X(webauthn_key_malformed)                  \
  X(geohash_length)                          \
  X(geohash_bad_digit)                       \
  X(geohash_out_of_range)

COMMUNITY_ERRORS(COMMUNITY_CORE_ERRORS)

}  // namespace community::core
