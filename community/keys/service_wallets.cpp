// SPDX-License-Identifier: Apache-2.0
// Wallets, and those that are made exactly once.
#include "community/keys/messages.hpp"
#include "community/keys/tag_in_use.hpp"
#include "trusted/base/sha2.hpp"

namespace community::keys {

Service::ChangePointer Service::wallet_change(const Passkey& passkey, const protocol::Policy& policy) {
  protocol::WalletCreateRequest request;
  request.passkey = {base::sha256(passkey.credential_id), passkey.public_key, passkey.rp_id_hash};
  request.policy = policy;
  auto change = std::make_shared<Change>();
  change->command = protocol::Command::wallet_create;
  change->kind = RecordKind::wallet;
  change->build = [request](const protocol::TreePath& path, core::ByteView) mutable {
    request.path = path;
    return encode_message(request);
  };
  return change;
}

Task<Result<WalletInfo>> Service::make_wallet(ChangePointer change) {
  const auto answer = co_await submit(std::move(change));
  if (!answer) co_return tl::unexpected(answer.error());
  const auto committed = decode_message<protocol::WalletCommitted>(*answer);
  if (!committed) co_return tl::unexpected(committed.error());
  co_return WalletInfo{committed->wallet_id, committed->server_key};
}

Task<Result<WalletInfo>> Service::create_wallet(Passkey passkey, protocol::Policy policy) {
  return make_wallet(wallet_change(passkey, policy));
}

Task<void> Service::until_free(WalletTag tag) {
  for (auto used = tags_in_use_.find(tag); used != tags_in_use_.end(); used = tags_in_use_.find(tag)) {
    const auto over = used->second;
    co_await over->wait();
  }
}

Task<Result<WalletInfo>> Service::create_wallet_once(WalletTag tag, Passkey passkey, protocol::Policy policy) {
  co_await until_free(tag);
  // Once connected, what an earlier connection left behind is entered or dropped.
  if (!is_connected()) co_return fail(ErrorCode::unavailable, "the trusted core is not connected");
  auto change = wallet_change(passkey, policy);
  change->tag = std::make_shared<TagInUse>(tags_in_use_, tag);
  const auto known = co_await store_.tagged_wallet(tag);
  if (!known) co_return tl::unexpected(known.error());
  if (!*known) co_return co_await make_wallet(std::move(change));
  const auto described = co_await describe_wallet(**known, 0);
  if (!described) co_return tl::unexpected(described.error());
  co_return WalletInfo{**known, described->server_key};
}

Task<Result<std::optional<RecordId>>> Service::find_wallet(WalletTag tag) {
  co_await until_free(tag);
  if (!is_connected()) co_return fail(ErrorCode::unavailable, "the trusted core is not connected");
  co_return co_await store_.tagged_wallet(tag);
}

}  // namespace community::keys
