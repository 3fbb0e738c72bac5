// SPDX-License-Identifier: Apache-2.0
// A trusted core that makes wallets in memory, once a tag, and can be away or lose its answers.
#pragma once
#include <map>

#include "community/accounts/api/account.hpp"
#include "community/keys/api/key_service.hpp"
#include "trusted/base/keccak.hpp"
#include "trusted/base/sha2.hpp"

namespace community::users::test_support {

class FakeCore final : public keys::WalletKeys, public keys::TaggedWallets {
 public:
  template <class T>
  using KeysResult = keys::Result<T>;
  template <class T>
  using Task = infra::Task<T>;

  struct Record {
    keys::Passkey passkey;
    protocol::Policy policy;
    std::vector<protocol::AccountBinding> accounts;
    core::Address server_key{};
    // Credential ids that changes of keys added.
    std::vector<core::Bytes> further;
  };

  FakeCore() { answers.set(); }

  Task<KeysResult<keys::WalletInfo>> create_wallet_once(keys::WalletTag tag, keys::Passkey passkey,
                                                        protocol::Policy policy) override {
    co_await answers.wait();
    if (is_away) co_return keys::fail(keys::ErrorCode::unavailable, "away");
    if (refusal) co_return keys::refuse(*refusal);
    if (!tags.contains(tag)) {
      keys::RecordId id{};
      base::store_be(id.data(), static_cast<std::uint64_t>(records.size() + 1));
      Record record;
      record.passkey = std::move(passkey);
      record.policy = policy;
      record.server_key.fill(static_cast<std::uint8_t>(records.size() + 1));
      records.emplace(id, std::move(record));
      tags.emplace(tag, id);
    }
    if (lose_created) co_return keys::fail(keys::ErrorCode::timeout, "the answer was lost");
    const keys::RecordId id = tags.at(tag);
    co_return keys::WalletInfo{id, records.at(id).server_key};
  }
  Task<KeysResult<std::optional<keys::RecordId>>> find_wallet(keys::WalletTag tag) override {
    const auto found = tags.find(tag);
    if (found == tags.end()) co_return std::optional<keys::RecordId>();
    co_return std::optional<keys::RecordId>(found->second);
  }
  Task<KeysResult<core::Address>> bind_account(keys::AccountBindRequest request) override {
    co_await infra::reschedule();
    if (is_away) co_return keys::fail(keys::ErrorCode::unavailable, "away");
    Record& record = records.at(request.wallet);
    for (const protocol::AccountBinding& account : record.accounts)
      if (account.chain_id == request.chain_id) co_return keys::refuse(protocol::Error::account_exists);
    const auto init = accounts::read_init_data(request.init_data);
    if (!init || init->server_key != record.server_key ||
        init->passkeys.front().public_key != record.passkey.public_key)
      co_return keys::refuse(protocol::Error::init_data_not_wallets);
    protocol::AccountBinding binding;
    binding.chain_id = request.chain_id;
    binding.address = accounts::account_address(factory, proxy_init_code_hash, request.init_data);
    binding.init_data_hash = base::keccak256(request.init_data);
    record.accounts.push_back(binding);
    if (lose_bound) co_return keys::fail(keys::ErrorCode::timeout, "the answer was lost");
    co_return binding.address;
  }
  Task<KeysResult<protocol::WalletDescribeReply>> describe_wallet(keys::RecordId id, std::uint32_t) override {
    co_await infra::reschedule();
    const Record& record = records.at(id);
    protocol::WalletDescribeReply reply;
    reply.wallet_id = id;
    reply.server_key = record.server_key;
    if (is_away) co_return keys::fail(keys::ErrorCode::unavailable, "away");
    std::vector<core::Bytes> credentials = record.further;
    credentials.push_back(record.passkey.credential_id);
    for (const core::Bytes& credential : credentials)
      reply.passkeys[reply.passkey_count++].credential_hash = base::sha256(credential);
    for (const protocol::AccountBinding& account : record.accounts) reply.accounts[reply.account_count++] = account;
    co_return reply;
  }

  // Nothing here asks for these.
  Task<KeysResult<keys::WalletInfo>> create_wallet(keys::Passkey, protocol::Policy) override { co_return none(); }
  Task<KeysResult<core::Address>> adopt_account(keys::AccountAdoptRequest) override { co_return none(); }
  Task<KeysResult<keys::SignedUserop>> sign_userop(keys::UseropRequest) override { co_return none(); }
  Task<KeysResult<keys::SignedSession>> sign_session(keys::SessionRequest) override { co_return none(); }
  Task<KeysResult<keys::SignedDigest>> sign_action(keys::ActionRequest) override { co_return none(); }
  Task<KeysResult<keys::SignedDigest>> change_account_keys(keys::KeyChangeRequest) override { co_return none(); }

  std::map<keys::RecordId, Record> records;
  std::map<keys::WalletTag, keys::RecordId> tags;
  core::Address factory{0xfa};
  core::Bytes32 proxy_init_code_hash{0x01};
  // Reset: wallets are asked for and do not come.
  infra::Event answers;
  bool is_away = false, lose_created = false, lose_bound = false;
  std::optional<protocol::Error> refusal;

 private:
  static tl::unexpected<keys::Error> none() {
    return keys::fail(keys::ErrorCode::unavailable, "not part of this test");
  }
};

}  // namespace community::users::test_support
