// SPDX-License-Identifier: Apache-2.0
// The trusted core's part for a wallet's phrase and messages: it computes each digest itself, asks for an assertion
// over it, and signs with keys in software, as the real one does.
#pragma once
#include "community/core/transaction.hpp"
#include "community/transactions/test_support/fakes.hpp"
#include "trusted/ethereum/account_message.hpp"

namespace community::transactions::test_support {

class FakePhrases final : public keys::PhraseKeys {
 public:
  static Bytes32 secret(std::uint64_t index = 0) { return Uint256(0xea0000 + index).to_be(); }
  static Address address(std::uint64_t index = 0) { return core::address_of(*core::public_key_of(secret(index))); }

  Task<KeysResult<void>> make_phrase(protocol::RecordId wallet, std::uint8_t words,
                                     keys::Assertion assertion) override {
    co_await infra::reschedule();
    asked++;
    if (has_phrase) co_return keys::refuse(protocol::Error::phrase_exists);
    const Bytes32 challenge = protocol::wallet_change_challenge(wallet, 7, keys::encode_phrase_change(words));
    if (!FakeCore::is_over(assertion, challenge)) co_return keys::refuse(protocol::Error::challenge_mismatch);
    has_phrase = true;
    if (loses_answers) co_return keys::fail(keys::ErrorCode::unavailable, "the answer is lost");
    co_return KeysResult<void>();
  }
  Task<KeysResult<std::optional<Address>>> eoa_address(protocol::RecordId, protocol::EoaKey eoa) override {
    co_await infra::reschedule();
    if (is_away) co_return keys::fail(keys::ErrorCode::unavailable, "away");
    co_return has_phrase ? std::optional<Address>(address(eoa.index)) : std::nullopt;
  }
  Task<KeysResult<keys::SignedEoaTransaction>> sign_eoa_transaction(protocol::RecordId, protocol::EoaKey eoa,
                                                                    Bytes transaction,
                                                                    keys::Assertion assertion) override {
    co_await infra::reschedule();
    asked++;
    keys::SignedEoaTransaction out;
    out.digest = base::keccak256(transaction);
    if (!FakeCore::is_over(assertion, out.digest)) co_return keys::refuse(protocol::Error::challenge_mismatch);
    if (lies) out.digest[0] ^= 1;
    out.signature = *core::sign_digest(secret(eoa.index), out.digest);
    out.signer = address(eoa.index);
    co_return out;
  }
  Task<KeysResult<keys::SignedText>> sign_message(protocol::RecordId, protocol::EoaKey eoa, Bytes message,
                                                  keys::Assertion assertion) override {
    return sign(core::personal_message_digest(message), secret(eoa.index), std::move(assertion));
  }
  Task<KeysResult<keys::SignedText>> sign_typed_data(protocol::RecordId, protocol::EoaKey eoa,
                                                     keys::TypedMessage message, keys::Assertion assertion) override {
    const auto [separator, types, contents] = read(message);
    return sign(ethereum::typed_data_digest(separator, contents), secret(eoa.index), std::move(assertion));
  }
  Task<KeysResult<keys::SignedText>> sign_account_message(protocol::RecordId, keys::SigningAccount account,
                                                          keys::TypedMessage message,
                                                          keys::Assertion assertion) override {
    const auto [separator, types, contents] = read(message);
    const Bytes32 digest = ethereum::nested_typed_data_digest(separator, types, message.primary, contents,
                                                              account.chain_id, account.address);
    return sign(digest, FakeCore::secret(), std::move(assertion));
  }
  Task<KeysResult<keys::SignedText>> sign_account_text(protocol::RecordId, keys::SigningAccount account, Bytes message,
                                                       keys::Assertion assertion) override {
    return sign(ethereum::nested_personal_digest(account.chain_id, account.address, message), FakeCore::secret(),
                std::move(assertion));
  }
  Task<KeysResult<keys::SealedSecret>> export_phrase(protocol::RecordId wallet, protocol::HpkeKey page,
                                                     keys::Assertion assertion) override {
    co_await infra::reschedule();
    asked++;
    if (!FakeCore::is_over(assertion, protocol::phrase_export_challenge(wallet, page)))
      co_return keys::refuse(protocol::Error::challenge_mismatch);
    co_return keys::SealedSecret{page, Bytes{1, 2, 3}};
  }
  Task<KeysResult<keys::SealedSecret>> session_secret(protocol::RecordId, keys::SealedSecret,
                                                      keys::Assertion) override {
    co_return keys::fail(keys::ErrorCode::unavailable, "not in this test");
  }
  Task<KeysResult<keys::SealedSecret>> open_content_root(protocol::RecordId, keys::SealedSecret,
                                                         keys::Assertion) override {
    co_return keys::fail(keys::ErrorCode::unavailable, "not in this test");
  }
  Task<KeysResult<void>> wrap_content_root(protocol::RecordId, keys::ContentRootChange, keys::Assertion) override {
    co_return keys::fail(keys::ErrorCode::unavailable, "not in this test");
  }

  bool has_phrase = true, is_away = false, loses_answers = false, lies = false;
  std::size_t asked = 0;

 private:
  struct Read {
    Bytes32 separator{};
    ethereum::TypedTypes types;
    Bytes32 contents{};
  };
  // The texts of the types live in `message`.
  static Read read(const keys::TypedMessage& message) {
    Read out;
    out.separator = ethereum::domain_separator({message.present, base::view(message.name), base::view(message.version),
                                                message.chain_id, message.verifying_contract, message.salt});
    for (const std::string& type : message.types) (void)out.types.add(base::view(type));
    (void)out.types.close(message.primary);
    (void)ethereum::TypedValues(out.types, message.values).hash(message.primary, out.contents);
    return out;
  }
  Task<KeysResult<keys::SignedText>> sign(Bytes32 digest, Bytes32 key, keys::Assertion assertion) {
    co_await infra::reschedule();
    asked++;
    if (is_away) co_return keys::fail(keys::ErrorCode::unavailable, "away");
    if (!FakeCore::is_over(assertion, digest)) co_return keys::refuse(protocol::Error::challenge_mismatch);
    keys::SignedText out;
    out.digest = digest;
    if (lies) out.digest[0] ^= 1;
    out.signature = *core::sign_digest(key, digest);
    co_return out;
  }
};

}  // namespace community::transactions::test_support
