// SPDX-License-Identifier: Apache-2.0
// The factory's rules for init data: an address whose init data breaks one could be paid to and never deployed, so it
// is never bound (spec/wire-formats.md, section 2).
#include "trusted/core/call_rules.hpp"

namespace community::trusted {
namespace {

constexpr std::uint32_t kMinRecoveryDelay_s = 24 * 60 * 60;

// No two rows alike in their first `key` bytes.
Error check_rows(const ethereum::AbiTuple::Array& rows, std::size_t row, std::size_t key) {
  if (rows.count > protocol::kMaxInitRows) return Error::init_data_too_many_rows;
  for (std::size_t i = 0; i < rows.count; i++)
    for (std::size_t k = 0; k < i; k++)
      if (base::equal(rows.elements.subspan(i * row, key), rows.elements.subspan(k * row, key)))
        return Error::init_data_duplicate_row;
  return Error::ok;
}

}  // namespace

Error check_guardians(const Bytes32& guardians_hash, std::uint8_t threshold, std::uint32_t recovery_delay) {
  if (base::is_zero(guardians_hash) != (threshold == 0)) return Error::guardians_inconsistent;
  return recovery_delay < kMinRecoveryDelay_s ? Error::recovery_delay_too_short : Error::ok;
}

Error check_init_data(const Port& port, const ethereum::InitData& init) {
  for (std::size_t i = 0; i < init.passkey_count; i++) {
    const ethereum::InitPasskey& passkey = init.passkeys[i];
    if (!port.p256_public_key_valid(port.context, passkey.public_key.data())) return Error::passkey_key_invalid;
    if (base::is_zero(passkey.rp_id_hash)) return Error::passkey_without_rp_id;
    // A point and its negative are the same secret: one secret, one vote.
    for (std::size_t k = 0; k < i; k++)
      if (base::equal(ByteView(passkey.public_key).first(32), ByteView(init.passkeys[k].public_key).first(32)))
        return Error::passkey_named_twice;
  }
  if (base::is_zero(init.escape_key)) return Error::escape_key_zero;
  if (init.escape_key == init.server_key) return Error::escape_key_is_server_key;
  Error error = check_guardians(init.guardians_hash, init.guardian_threshold, init.recovery_delay);
  if (error == Error::ok) error = check_rows(init.gas_caps, 64, 32);
  if (error == Error::ok) error = check_rows(init.limits, 96, 64);
  return error;
}

}  // namespace community::trusted
