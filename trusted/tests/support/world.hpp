// SPDX-License-Identifier: Apache-2.0
// A configured core with one wallet, one account, one executor and one paymaster key: where most tests begin.
#pragma once
#include "trusted/tests/support/encode.hpp"
#include "trusted/tests/support/passkey.hpp"
#include "trusted/tests/support/test_host.hpp"

namespace community::trusted::testing {

inline constexpr std::uint64_t kChain = 31'337;
inline constexpr std::uint64_t kOtherChain = 10;
inline const Address kEntryPoint8 = address("4337084d9e255ff0702461cf8895ce9e3b5ff108");
inline const Address kEntryPoint7 = address("0000000071727de22e5e9d8baf0edac6f37da032");
inline const Address kFactory = address("00000000000000000000000000000000000fac70");
inline const Address kPaymaster8 = address("0000000000000000000000000000000000009a88");
inline const Address kPaymaster7 = address("0000000000000000000000000000000000009a87");
inline const Address kShop = address("00000000000000000000000000000000000005a0");
inline const Address kStranger = address("000000000000000000000000000000000000beef");
inline constexpr std::string_view kOrigin = "http://localhost:9000";

struct World {
  explicit World(std::uint64_t seed = 1, RemoteBody* remote = nullptr);

  TestHost host;
  SoftPasskey passkey;
  protocol::Configuration configuration;
  protocol::Policy policy;
  StoredRecord wallet, executor, paymaster;
  Address server_key{}, account{}, executor_address{}, paymaster_signer{};
  Bytes init_data;

  // Makes a wallet with another passkey and policy, committed.
  StoredRecord make_wallet(const SoftPasskey& key, const protocol::Policy& wallet_policy,
                           Address* server_key_out = nullptr);
  StoredRecord make_key(protocol::Purpose purpose, std::uint64_t chain_id, Address* address_out = nullptr);
  // Binds an account to a wallet, committed; the record is replaced by its successor.
  Address bind(StoredRecord& record, ByteView account_init_data, std::uint64_t chain_id = kChain);
  // Replaces the policy of the wallet with an assertion of its passkey.
  Error set_policy(const protocol::Policy& changed);
  // A wallet change signed by `signer`, not committed.
  Uncommitted update(const StoredRecord& record, const protocol::WalletChange& change, const SoftPasskey& signer,
                     bool on_pending = false);

  // An operation that the rules allow: one call to a shop.
  TestUserop good_userop() const;
  // Signs the operation's hash with the passkey and asks for the server key's signature.
  Reply sign(const TestUserop& userop, const AssertionOptions& options = {});
  Reply sign(const TestUserop& userop, const SignedAssertion& assertion, const Address& entry_point = kEntryPoint8,
             std::uint64_t chain_id = kChain);
  Bytes32 hash(const TestUserop& userop) const { return userop.hash(kEntryPoint8, kChain); }

  // A bundle that the rules allow.
  TestTransaction good_transaction() const;
  Reply sign(const TestTransaction& transaction);
  Reply sign_transaction_bytes(ByteView transaction);

  struct Sponsorship {
    TestUserop userop;
    std::uint64_t chain_id = kChain;
    Address entry_point = kEntryPoint8, paymaster = kPaymaster8;
    std::uint64_t valid_until = 2'000'000'000, valid_after = 0;
    Uint256 verification_gas = 30'000, post_op_gas = 20'000;
  };
  Reply sign(const Sponsorship& sponsorship, const StoredRecord* key = nullptr);
};

}  // namespace community::trusted::testing
