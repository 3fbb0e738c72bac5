// SPDX-License-Identifier: Apache-2.0
// What the EntryPoint contracts of versions 0.7 and 0.8 have in common: functions, events and errors are the same,
// address and hash of an operation differ. Inside of the module; included by the versions' files.
#pragma once
#include "community/chain/api/entry_point.hpp"

namespace community::chain {

class EntryPointBase : public EntryPoint {
 public:
  EntryPointBase(EntryPointVersion version, std::string_view text, const Address& address)
      : version_(version), text_(text), address_(address) {}

  EntryPointVersion version() const override { return version_; }
  std::string_view version_text() const override { return text_; }
  const Address& address() const override { return address_; }
  Address sender_creator() const override;

  core::Result<Bytes32> userop_hash(const core::UserOperation& op, const Uint256& chain_id,
                                    const std::optional<Address>& delegate) const override;
  core::Result<Bytes> encode_handle_ops(const std::vector<PackedUserOperation>& ops,
                                        const Address& beneficiary) const override;
  Bytes encode_get_nonce(const Address& sender, const Uint256& key) const override;
  Bytes encode_balance_of(const Address& account) const override;
  Bytes encode_get_deposit_info(const Address& account) const override;
  core::Result<DepositInfo> decode_deposit_info(ByteView returned) const override;
  std::optional<EntryPointEvent> decode_event(const Log& log) const override;
  std::optional<FailedOp> decode_failed_op(ByteView revert) const override;

 private:
  EntryPointVersion version_;
  std::string_view text_;
  Address address_;
};

}  // namespace community::chain
