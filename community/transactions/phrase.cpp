// SPDX-License-Identifier: Apache-2.0
// The phrase of a wallet: made in the trusted core, its keys' addresses, and how it leaves (rules 6 and 7). Neither the
// phrase nor a key of it is ever in this program; what leaves is sealed to a key of the person's page.
#include "community/transactions/service.hpp"
#include "trusted/base/sha2.hpp"
#include "trusted/protocol/coin_type.hpp"

namespace community::transactions {
namespace {

// BIP-32: numbers from here on are hardened.
constexpr std::uint32_t kHardened = 0x8000'0000;

}  // namespace

std::string derivation_path(std::uint64_t chain_id, PhraseKey key) {
  return "m/44'/" + std::to_string(protocol::coin_type(chain_id)) + "'/" + std::to_string(key.account) + "'/0/" +
         std::to_string(key.index);
}

// Of what a key of the phrase signs, or the core changes: any passkey of the person's. Which of them the wallet has the
// trusted core knows.
void TransactionService::keep_own_signers(const Moment& now, Stored& row) {
  row.passkeys.clear();
  row.transaction.credential_ids.clear();
  std::uint8_t place = 0;
  for (const OwnedPasskey& one : now.own) {
    if (!one.is_active) continue;
    row.passkeys.push_back({place++, {one.public_key, {}}});
    row.transaction.credential_ids.push_back(one.credential_id);
  }
}

Task<Result<Address>> TransactionService::key_address(const Moment& now, PhraseKey key, std::string pointer) {
  if (key.account >= kHardened || key.index >= kHardened) co_return fail_field(pointer, "numbers below 2^31");
  const protocol::EoaKey eoa{now.chain->served.chain_id, key.account, key.index};
  const auto address = co_await d_.phrases.eoa_address(now.wallet.record, eoa);
  if (!address) co_return from_core(address.error());
  if (!*address) co_return fail(ErrorCode::phrase_missing, "make the wallet's phrase first (kind phrase)");
  co_return **address;
}

Task<Result<DerivedAddress>> TransactionService::derive_address(std::string user_id, std::string wallet_id,
                                                                std::uint64_t chain_id, PhraseKey key) {
  auto now = co_await begin_moment(std::move(user_id), std::move(wallet_id), chain_id);
  if (!now) co_return tl::unexpected(now.error());
  DerivedAddress out;
  out.key = key;
  out.path = derivation_path(chain_id, key);
  const auto address = co_await key_address(*now, key, "/key");
  if (!address && address.error().code == ErrorCode::phrase_missing) co_return out;
  if (!address) co_return tl::unexpected(address.error());
  out.address = *address;
  chain::ExecutionClient& chain = now->chain->served.chain;
  const auto [balance, nonce] = co_await infra::both(chain.balance(*address), chain.transaction_count(*address));
  if (!balance || !nonce)
    co_return fail(ErrorCode::chain_unavailable, (balance ? nonce.error() : balance.error()).text());
  out.balance = *balance;
  out.nonce = *nonce;
  co_return out;
}

Task<Result<Stored>> TransactionService::prepare_phrase(Moment now, PhraseOrder order) {
  if (order.words != 12 && order.words != 24) co_return fail_field("/words", "12 or 24");
  const auto address = co_await key_address(now, PhraseKey(), "/key");
  if (address) co_return fail(ErrorCode::phrase_exists, "the wallet has a phrase");
  if (address.error().code != ErrorCode::phrase_missing) co_return tl::unexpected(address.error());
  const auto described = co_await d_.wallets.describe_wallet(now.wallet.record, 0);
  if (!described) co_return from_core(described.error());
  Stored row = new_row(now, Kind::phrase);
  keep_own_signers(now, row);
  row.transaction.digest = protocol::wallet_change_challenge(now.wallet.record, described->revision,
                                                             keys::encode_phrase_change(order.words));
  row.transaction.content = PreparedPhrase{order.words, described->revision};
  core::json::object summary;
  summary["meaning"] = "phrase";
  summary["count"] = order.words;
  row.transaction.summary.push_back(std::move(summary));
  co_return row;
}

Task<Result<Stored>> TransactionService::prepare_export(Moment now, ExportOrder order) {
  if (order.recipient[0] != 4) co_return fail_field("/recipient", "an uncompressed point of P-256");
  const auto address = co_await key_address(now, PhraseKey(), "/key");
  if (!address) co_return tl::unexpected(address.error());
  Stored row = new_row(now, Kind::export_phrase);
  keep_own_signers(now, row);
  row.transaction.digest = protocol::phrase_export_challenge(now.wallet.record, order.recipient);
  row.transaction.content = PreparedExport{order.recipient, {}, {}};
  core::json::object summary;
  summary["meaning"] = "exportPhrase";
  row.transaction.summary.push_back(std::move(summary));
  row.transaction.warnings.push_back(warning_json(Warning::phrase_leaves));
  co_return row;
}

Task<Result<Stored>> TransactionService::sign_phrase(Stored row, SignRequest request) {
  auto assertion = to_core(request);
  if (!assertion) co_return fail(ErrorCode::passkey_refused, "signature_malformed");
  const std::uint8_t words = std::get<PreparedPhrase>(row.transaction.content).words;
  const auto made = co_await d_.phrases.make_phrase(row.wallet, words, std::move(*assertion));
  // An answer was lost: the phrase is there, and nobody but this wallet's person could have it made.
  const bool is_there =
      !made && made.error().code == keys::ErrorCode::refused && made.error().refusal == protocol::Error::phrase_exists;
  if (!made && !is_there) co_return from_core(made.error());
  co_return row;
}

Task<Result<Stored>> TransactionService::sign_export(Stored row, SignRequest request) {
  auto assertion = to_core(request);
  if (!assertion) co_return fail(ErrorCode::passkey_refused, "signature_malformed");
  auto& prepared = std::get<PreparedExport>(row.transaction.content);
  auto sealed = co_await d_.phrases.export_phrase(row.wallet, prepared.recipient, std::move(*assertion));
  if (!sealed) co_return from_core(sealed.error());
  prepared.enc = core::to_bytes(sealed->enc);
  prepared.cipher = std::move(sealed->cipher);
  co_return row;
}

}  // namespace community::transactions
