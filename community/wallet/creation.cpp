// SPDX-License-Identifier: Apache-2.0
#include "community/wallet/api/creation.hpp"

namespace community::wallet {

keys::Passkey registered(const SoftwarePasskey& passkey) {
  keys::Passkey out;
  out.credential_id = passkey.credential_id();
  out.public_key = passkey.public_key();
  out.rp_id_hash = passkey.rp_id_hash();
  return out;
}

Task<Result<CreatedAccount>> create_account(keys::WalletKeys& wallets, NewAccount wanted) {
  const SoftwarePasskey passkey(wanted.passkey_secret, wanted.rp_id, wanted.web_origin);
  keys::Passkey first = registered(passkey);
  const auto wallet = co_await wallets.create_wallet(std::move(first), wanted.policy);
  if (!wallet) co_return fail(ErrorCode::node, "creating the wallet: " + wallet.error().text());

  accounts::AccountInit init = std::move(wanted.init);
  init.passkeys.clear();
  init.passkeys.push_back({passkey.public_key(), passkey.rp_id_hash()});
  init.server_key = wallet->server_key;
  init.escape_key = core::address_of(core::public_key_of(wanted.escape_secret).value());
  if (auto good = accounts::check_init(init); !good) co_return fail(ErrorCode::argument, good.error().text());
  auto init_data = accounts::encode_init_data(init);
  if (!init_data) co_return fail(ErrorCode::argument, init_data.error().text());
  keys::AccountBindRequest bind;
  bind.wallet = wallet->id;
  bind.chain_id = wanted.chain_id;
  bind.init_data = *init_data;
  const auto bound = co_await wallets.bind_account(std::move(bind));
  if (!bound) co_return fail(ErrorCode::node, "binding the account: " + bound.error().text());

  CreatedAccount created;
  created.server_key = wallet->server_key;
  AccountOrigin& origin = created.recovery.origin;
  origin.account = accounts::account_address(wanted.factory, wanted.proxy_init_code_hash, *init_data);
  origin.factory = wanted.factory;
  origin.entry_point = wanted.entry_point;
  origin.proxy_init_code_hash = wanted.proxy_init_code_hash;
  origin.init_data = std::move(*init_data);
  if (origin.account != *bound)
    co_return fail(ErrorCode::hash_differs, "the trusted core and this program compute different account addresses");
  created.recovery.escape_secret = wanted.escape_secret;
  created.recovery.created_at = wanted.created_at;
  created.account.origin = origin;
  created.account.wallet = wallet->id;
  created.account.rp_id = std::move(wanted.rp_id);
  created.account.web_origin = std::move(wanted.web_origin);
  created.account.passkey_secrets.push_back(wanted.passkey_secret);
  created.account.created_at = wanted.created_at;
  co_return created;
}

Task<Result<JoinedAccount>> join_account(keys::WalletKeys& wallets, JoiningAccount wanted) {
  const SoftwarePasskey passkey(wanted.passkey_secret, wanted.rp_id, wanted.web_origin);
  keys::Passkey first = registered(passkey);
  const auto wallet = co_await wallets.create_wallet(std::move(first), wanted.policy);
  if (!wallet) co_return fail(ErrorCode::node, "creating the wallet: " + wallet.error().text());
  const auto described = co_await wallets.describe_wallet(wallet->id, 0);
  if (!described) co_return fail(ErrorCode::node, "the trusted core: " + described.error().text());
  const Address account = wanted.origin.account;
  PasskeyAssertion assertion = passkey.assert_challenge(
      protocol::account_adoption_challenge(wallet->id, described->revision, wanted.chain_id, account, 0));
  keys::AccountAdoptRequest request;
  request.wallet = wallet->id;
  request.chain_id = wanted.chain_id;
  request.account = account;
  request.assertion = {std::move(assertion.credential_id), std::move(assertion.client_data),
                       std::move(assertion.authenticator_data), assertion.signature};
  const auto server_key = co_await wallets.adopt_account(std::move(request));
  if (!server_key) co_return fail(ErrorCode::node, "taking the account in: " + server_key.error().text());
  if (*server_key != wallet->server_key)
    co_return fail(ErrorCode::hash_differs, "the trusted core names two different server keys");
  JoinedAccount joined;
  joined.join = {account, wanted.chain_id, registered(passkey), *server_key};
  joined.account.origin = std::move(wanted.origin);
  joined.account.wallet = wallet->id;
  joined.account.rp_id = std::move(wanted.rp_id);
  joined.account.web_origin = std::move(wanted.web_origin);
  joined.account.passkey_secrets.push_back(wanted.passkey_secret);
  joined.account.created_at = std::move(wanted.created_at);
  co_return joined;
}

}  // namespace community::wallet
