// SPDX-License-Identifier: Apache-2.0
// What a call says it does, read from its bytes alone. A contract may do anything else with them: a summary names what
// a token that keeps to its standard would do. Pure.
#pragma once
#include <optional>

#include "community/accounts/api/account.hpp"
#include "community/core/rules.hpp"

namespace community::transactions {

using core::Address;
using core::ByteView;
using core::Uint256;

#define COMMUNITY_CALL_MEANINGS(X)                                                                           \
  X(payment)             /* value and no data */                                                             \
  X(token_transfer)      /* ERC-20 transfer */                                                               \
  X(token_transfer_from) /* ERC-20 or 721 transferFrom, ERC-721 safeTransferFrom */                          \
  X(allowance)           /* approve of ERC-20 or 721 */                                                      \
  X(allowance_increase)                                                                                      \
  X(allowance_decrease)                                                                                      \
  X(permit)                /* ERC-2612, DAI's, and the form with bytes */                                    \
  X(operator_approval)     /* setApprovalForAll of ERC-721 and 1155 */                                       \
  X(multi_transfer)        /* ERC-1155 safeTransferFrom */                                                   \
  X(multi_batch_transfer)  /* ERC-1155 safeBatchTransferFrom */                                              \
  X(unreadable_token_call) /* a token's function in bytes that are not its encoding, or one not read here */ \
  X(self_call)                                                                                               \
  X(contract_call)

COMMUNITY_RULES(Meaning, COMMUNITY_CALL_MEANINGS)

struct CallReading {
  Meaning meaning = Meaning::contract_call;
  // Absent without data; of less than four bytes of data, too.
  std::optional<std::array<std::uint8_t, 4>> selector;
  // Whose token it is, and who gets it or may take it.
  Address from{}, counterparty{};
  // ERC-20: how much. ERC-721: which. ERC-1155: how much of `token_id`.
  Uint256 amount;
  std::optional<Uint256> token_id;
  // operator_approval and DAI's permit: given or taken back.
  bool approved = true;
  // multi_batch_transfer: how many kinds.
  std::size_t count = 0;

  // Somebody gets something of the account's.
  bool is_transfer() const;
  // Somebody may take something later.
  bool is_permission() const;
};

CallReading read_call(const accounts::Call& call, const Address& account);

// More than anybody has: 2^255, or DAI's permit. Wallets write 2^256 - 1, some tokens count down from it.
bool is_unlimited(const CallReading& reading);

}  // namespace community::transactions
