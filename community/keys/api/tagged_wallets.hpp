// SPDX-License-Identifier: Apache-2.0
// Wallets that are made exactly once, whatever crashes: the caller names the wallet before it asks for it, and writes
// the name down. The name is entered in the node's database together with the wallet's record.
#pragma once
#include <optional>

#include "community/core/uuid.hpp"
#include "community/infra/api/task.hpp"
#include "community/keys/api/error.hpp"
#include "trusted/protocol/messages.hpp"

namespace community::keys {

struct Passkey;
struct WalletInfo;

// Random, so that no two callers meet; means nothing to the trusted core, which never sees it.
using WalletTag = core::Uuid;

class TaggedWallets {
 public:
  virtual ~TaggedWallets() = default;
  // Makes a wallet, or answers the one that this tag has made, also when its answer was lost, and when another call
  // with the tag is under way. Passkey and policy of a repetition are not looked at. Errors of WalletKeys.
  virtual infra::Task<Result<WalletInfo>> create_wallet_once(WalletTag tag, Passkey passkey,
                                                             protocol::Policy policy) = 0;
  // Nothing: this tag has made none, and no call with it is under way. `unavailable` while the core is away, because a
  // change may then wait to be entered.
  virtual infra::Task<Result<std::optional<protocol::RecordId>>> find_wallet(WalletTag tag) = 0;
};

}  // namespace community::keys
