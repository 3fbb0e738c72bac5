// SPDX-License-Identifier: Apache-2.0
// Who may change a wallet and how; which accounts may be bound to it.
#include <gtest/gtest.h>

#include <functional>

#include "trusted/base/keccak.hpp"
#include "trusted/tests/support/world.hpp"

namespace community::trusted::testing {
namespace {

using protocol::WalletChange;
using protocol::WalletChangeKind;

class WalletChanges : public ::testing::Test {
 protected:
  static WalletChange adding(const protocol::Passkey& passkey) { return {WalletChangeKind::add_passkey, passkey, {}}; }
  static WalletChange removing(const SoftPasskey& key) { return {WalletChangeKind::remove_passkey, key.passkey(), {}}; }
  Error apply(const WalletChange& change, const SoftPasskey& signer) {
    const Uncommitted update = world.update(world.wallet, change, signer);
    if (update.error != Error::ok) return update.error;
    world.wallet = update.record;
    return world.host.commit().error;
  }
  Error create(const protocol::Passkey& passkey) {
    protocol::WalletCreateRequest request;
    const OwnedPath path = world.host.pending_tree.path(world.host.next_leaf());
    request.path = path.view();
    request.passkey = passkey;
    return world.host.refusal(Command::wallet_create, request);
  }
  Error bind(ByteView init_data, std::uint64_t chain_id = kChain, std::uint32_t index = 0) {
    const OwnedProof proof = world.host.proof(world.wallet);
    return world.host.refusal(Command::account_bind,
                              protocol::AccountBindRequest{proof.view(), chain_id, index, init_data});
  }
  TestInitData good_init(std::uint64_t salt = 1) {
    TestInitData init;
    init.passkeys = {world.passkey.passkey()};
    init.server_key = world.server_key;
    init.salt = Uint256(salt);
    return init;
  }
  World world;
};

TEST_F(WalletChanges, ASecondPasskeyMayRemoveTheFirst) {
  const SoftPasskey second(20);
  ASSERT_EQ(apply(adding(second.passkey()), world.passkey), Error::ok);
  ASSERT_EQ(apply(removing(world.passkey), second), Error::ok);
  EXPECT_EQ(apply(adding(SoftPasskey(21).passkey()), world.passkey), Error::passkey_unknown);
}

TEST_F(WalletChanges, APasskeyCannotSignItsOwnRemoval) {
  const SoftPasskey second(20);
  ASSERT_EQ(apply(adding(second.passkey()), world.passkey), Error::ok);
  EXPECT_EQ(apply(removing(second), second), Error::passkey_own_removal);
  EXPECT_EQ(apply(removing(world.passkey), world.passkey), Error::passkey_own_removal);
}

TEST_F(WalletChanges, TheLastPasskeyStays) {
  EXPECT_EQ(apply(removing(world.passkey), world.passkey), Error::passkey_last);
}

TEST_F(WalletChanges, APasskeyTheWalletDoesNotHaveCannotBeRemoved) {
  EXPECT_EQ(apply(removing(SoftPasskey(33)), world.passkey), Error::passkey_unknown);
}

TEST_F(WalletChanges, ThePasskeyInTheMiddleIsTheOneThatGoes) {
  const SoftPasskey second(20), third(21);
  ASSERT_EQ(apply(adding(second.passkey()), world.passkey), Error::ok);
  ASSERT_EQ(apply(adding(third.passkey()), world.passkey), Error::ok);
  ASSERT_EQ(apply(removing(second), third), Error::ok);
  const OwnedProof proof = world.host.proof(world.wallet);
  const auto wallet = decoded<protocol::WalletDescribeReply>(
      world.host.ask(Command::wallet_describe, protocol::WalletDescribeRequest{proof.view(), 0}).body);
  ASSERT_EQ(wallet.passkey_count, 2);
  EXPECT_EQ(wallet.passkeys[0].credential_hash, world.passkey.passkey().credential_hash);
  EXPECT_EQ(wallet.passkeys[1].credential_hash, third.passkey().credential_hash);
}

TEST_F(WalletChanges, TheSamePasskeyIsNotAddedTwice) {
  EXPECT_EQ(apply(adding(world.passkey.passkey()), world.passkey), Error::passkey_exists);
  // Nor the same key under another name, nor the same name with another key.
  protocol::Passkey alias = world.passkey.passkey();
  alias.credential_hash[0] ^= 1;
  EXPECT_EQ(apply(adding(alias), world.passkey), Error::passkey_exists);
  protocol::Passkey renamed = SoftPasskey(40).passkey();
  renamed.credential_hash = world.passkey.passkey().credential_hash;
  EXPECT_EQ(apply(adding(renamed), world.passkey), Error::passkey_exists);
}

TEST_F(WalletChanges, ANinthPasskeyIsRefused) {
  for (std::uint64_t i = 0; i < 7; i++)
    ASSERT_EQ(apply(adding(SoftPasskey(70 + i).passkey()), world.passkey), Error::ok) << i;
  EXPECT_EQ(apply(adding(SoftPasskey(77).passkey()), world.passkey), Error::too_many_passkeys);
}

TEST_F(WalletChanges, AKeyThatIsNoPointOfTheCurveIsRefused) {
  const Bytes prime = unhex("ffffffff00000001000000000000000000000000ffffffffffffffffffffffff");
  protocol::Passkey off_curve = SoftPasskey(40).passkey(), zero = off_curve, large = off_curve;
  off_curve.public_key[63] ^= 1;
  zero.public_key = {};
  base::copy(large.public_key, prime);
  for (const auto& bad : {off_curve, zero, large}) {
    EXPECT_EQ(apply(adding(bad), world.passkey), Error::passkey_key_invalid);
    EXPECT_EQ(create(bad), Error::passkey_key_invalid);
  }
}

TEST_F(WalletChanges, APasskeyOfAnUnknownRpIdIsRefused) {
  const SoftPasskey foreign(41, "evil.example");
  EXPECT_EQ(apply(adding(foreign.passkey()), world.passkey), Error::rp_id_not_configured);
  EXPECT_EQ(create(foreign.passkey()), Error::rp_id_not_configured);
}

TEST_F(WalletChanges, APasskeyOfAnotherConfiguredRpIdSignsUnderItsOwnOrigin) {
  const SoftPasskey other(42, "node.example");
  ASSERT_EQ(apply(adding(other.passkey()), world.passkey), Error::ok);
  const TestUserop userop = world.good_userop();
  AssertionOptions options;
  options.rp_id = "node.example";
  options.origin = "https://node.example";
  EXPECT_EQ(world.sign(userop, other.sign(world.hash(userop), options)).error, Error::ok);
  options.origin = kOrigin;
  EXPECT_EQ(world.sign(userop, other.sign(world.hash(userop), options)).error, Error::origin_not_allowed);
}

TEST_F(WalletChanges, AChangeNeedsAnAssertionOverExactlyIt) {
  const Bytes change = encoded(adding(SoftPasskey(43).passkey()));
  const Bytes other = encoded(adding(SoftPasskey(44).passkey()));
  const auto& wallet = world.wallet;
  auto ask = [&](const Bytes32& challenge) {
    const OwnedProof proof = world.host.proof(wallet);
    const SignedAssertion assertion = world.passkey.sign(challenge);
    return world.host.refusal(Command::wallet_update,
                              protocol::WalletUpdateRequest{proof.view(), change, assertion.view()});
  };
  protocol::RecordId other_id = wallet.id;
  other_id[0] ^= 1;
  EXPECT_EQ(ask(protocol::wallet_change_challenge(wallet.id, wallet.revision, other)), Error::challenge_mismatch);
  EXPECT_EQ(ask(protocol::wallet_change_challenge(wallet.id, wallet.revision - 1, change)), Error::challenge_mismatch);
  EXPECT_EQ(ask(protocol::wallet_change_challenge(other_id, wallet.revision, change)), Error::challenge_mismatch);
  EXPECT_EQ(ask(world.hash(world.good_userop())), Error::challenge_mismatch);
  EXPECT_EQ(ask(protocol::wallet_change_challenge(wallet.id, wallet.revision, change)), Error::ok);
}

TEST_F(WalletChanges, AChangeIsNotReplayed) {
  const WalletChange change{WalletChangeKind::set_policy, {}, world.policy};
  const Bytes bytes = encoded(change);
  const SignedAssertion assertion =
      world.passkey.sign(protocol::wallet_change_challenge(world.wallet.id, world.wallet.revision, bytes));
  ASSERT_EQ(apply(change, world.passkey), Error::ok);
  const OwnedProof proof = world.host.proof(world.wallet);
  EXPECT_EQ(
      world.host.refusal(Command::wallet_update, protocol::WalletUpdateRequest{proof.view(), bytes, assertion.view()}),
      Error::challenge_mismatch);
}

TEST_F(WalletChanges, MalformedChangesAreRefused) {
  const Bytes good = encoded(WalletChange{WalletChangeKind::set_policy, {}, world.policy});
  std::vector<Bytes> bad(4, good);
  bad[0][0] = 0;
  bad[1][0] = 9;
  bad[2].push_back(0);
  bad[3][1] = 0x80;
  const SignedAssertion assertion = world.passkey.sign(Bytes32{});
  const OwnedProof proof = world.host.proof(world.wallet);
  for (const Bytes& change : bad)
    EXPECT_EQ(world.host.refusal(Command::wallet_update,
                                 protocol::WalletUpdateRequest{proof.view(), change, assertion.view()}),
              Error::malformed_request);
}

TEST_F(WalletChanges, WalletsNeedAConfiguration) {
  TestHost host(9);
  ASSERT_EQ(host.provision(), Error::ok);
  ASSERT_EQ(host.start(), Error::ok);
  protocol::WalletCreateRequest request;
  const OwnedPath path = host.tree.path(0);
  request.path = path.view();
  request.passkey = world.passkey.passkey();
  EXPECT_EQ(host.refusal(Command::wallet_create, request), Error::not_configured);
}

TEST_F(WalletChanges, BindsTheAddressThatTheFactoryWillGive) {
  const auto& chain = world.configuration.chains[0];
  const Bytes32 salt = base::keccak256(world.init_data);
  const Bytes preimage = join({Bytes{0xff}, kFactory, salt, chain.proxy_init_code_hash});
  const Bytes32 hash = base::keccak256(preimage);
  EXPECT_EQ(to_hex(world.account), to_hex(ByteView(hash).last(20)));
}

TEST_F(WalletChanges, AnAccountIsBoundOnceAChain) {
  EXPECT_EQ(bind(world.init_data), Error::account_exists);
  EXPECT_EQ(bind(world.init_data, kOtherChain), Error::ok);
}

TEST_F(WalletChanges, InitDataOfAnotherServerKeyIsRefused) {
  TestInitData init = good_init();
  init.server_key = kStranger;
  EXPECT_EQ(bind(init.encode()), Error::init_data_foreign_server_key);
  // Ours, but of another index.
  EXPECT_EQ(bind(good_init().encode(), kChain, 1), Error::init_data_foreign_server_key);
}

TEST_F(WalletChanges, InitDataWithAForeignPasskeyIsRefused) {
  TestInitData init = good_init();
  init.passkeys.push_back(SoftPasskey(5).passkey());
  EXPECT_EQ(bind(init.encode()), Error::init_data_foreign_passkey);
  init = good_init();
  init.passkeys[0].rp_id_hash[0] ^= 1;
  EXPECT_EQ(bind(init.encode()), Error::init_data_foreign_passkey);
}

TEST_F(WalletChanges, InitDataThatIsNotCanonicalIsRefused) {
  const Bytes good = good_init().encode();
  for (std::size_t size = 0; size < good.size(); size += 16)
    EXPECT_EQ(bind(ByteView(good).first(size)), Error::init_data_malformed) << size;
  Bytes more = good;
  append(more, Bytes(32));
  EXPECT_EQ(bind(more), Error::init_data_malformed);
  // First byte of: the outer offset, an inner offset, the server key's and the escape key's padding, threshold, delay,
  // strict, the limit's token.
  std::vector<std::size_t> words{0, 1, 2, 3, 5, 6, 7, 8, 9};
  words.push_back(good.size() / 32 - 2);
  for (const std::size_t word : words) {
    Bytes bad = good;
    bad[word * 32] = 1;
    EXPECT_EQ(bind(bad), Error::init_data_malformed) << word;
  }
  Bytes strict = good;
  strict[8 * 32 - 1] = 2;
  EXPECT_EQ(bind(strict), Error::init_data_malformed);
  TestInitData none = good_init();
  none.passkeys.clear();
  EXPECT_EQ(bind(none.encode()), Error::init_data_malformed);
  TestInitData nine = good_init();
  nine.passkeys.assign(9, world.passkey.passkey());
  EXPECT_EQ(bind(nine.encode()), Error::init_data_malformed);
}

// What the factory refuses is never bound: it could be paid to and never be deployed.
class InitDataRules : public WalletChanges {
 protected:
  Error with(const std::function<void(TestInitData&)>& bend) {
    TestInitData init = good_init();
    bend(init);
    // What an earlier question left uncommitted goes.
    world.host.reconnect();
    return bind(init.encode());
  }
};

TEST_F(InitDataRules, PasskeysAreDifferentPointsWithAnRpId) {
  EXPECT_EQ(with([](TestInitData&) {}), Error::ok);
  EXPECT_EQ(with([](TestInitData& init) { init.passkeys[0].public_key[63] ^= 1; }), Error::passkey_key_invalid);
  EXPECT_EQ(with([](TestInitData& init) { init.passkeys[0].public_key = {}; }), Error::passkey_key_invalid);
  EXPECT_EQ(with([](TestInitData& init) { init.passkeys[0].rp_id_hash = {}; }), Error::passkey_without_rp_id);
  EXPECT_EQ(with([](TestInitData& init) { init.passkeys.push_back(init.passkeys[0]); }), Error::passkey_named_twice);
  // The negative of a point is the same secret: y becomes p - y.
  EXPECT_EQ(with([](TestInitData& init) {
              const Uint256 prime =
                  Uint256::from_be(unhex("ffffffff00000001000000000000000000000000ffffffffffffffffffffffff"));
              protocol::Passkey twin = init.passkeys[0];
              const Uint256 y = Uint256::from_be(ByteView(twin.public_key).subspan(32));
              base::copy(base::MutableByteView(twin.public_key).subspan(32), subtract(prime, y)->to_be());
              init.passkeys.push_back(twin);
            }),
            Error::passkey_named_twice);
}

TEST_F(InitDataRules, TheEscapeKeyIsSomebodyElses) {
  EXPECT_EQ(with([](TestInitData& init) { init.escape_key = {}; }), Error::escape_key_zero);
  EXPECT_EQ(with([](TestInitData& init) { init.escape_key = init.server_key; }), Error::escape_key_is_server_key);
}

TEST_F(InitDataRules, GuardiansAndDelayAreConsistent) {
  EXPECT_EQ(with([](TestInitData& init) { init.guardian_threshold = 1; }), Error::guardians_inconsistent);
  EXPECT_EQ(with([](TestInitData& init) { init.guardians_hash[0] = 1; }), Error::guardians_inconsistent);
  EXPECT_EQ(with([](TestInitData& init) {
              init.guardians_hash[0] = 1;
              init.guardian_threshold = 2;
            }),
            Error::ok);
  EXPECT_EQ(with([](TestInitData& init) { init.recovery_delay = 86'399; }), Error::recovery_delay_too_short);
  EXPECT_EQ(with([](TestInitData& init) { init.recovery_delay = 86'400; }), Error::ok);
}

TEST_F(InitDataRules, AtMost32RowsAndNoneTwice) {
  auto caps = [&](std::uint64_t count) {
    return with([count](TestInitData& init) {
      init.gas_caps.clear();
      for (std::uint64_t i = 0; i < count; i++) init.gas_caps.push_back({Uint256(i), Uint256(7)});
    });
  };
  auto limits = [&](std::uint64_t count) {
    return with([count](TestInitData& init) {
      init.limits.clear();
      // One chain, different tokens, then another chain.
      for (std::uint64_t i = 0; i < count; i++) init.limits.push_back({Uint256(i / 20), Uint256(i % 20), Uint256(7)});
    });
  };
  EXPECT_EQ(caps(0), Error::ok);
  EXPECT_EQ(caps(32), Error::ok);
  EXPECT_EQ(caps(33), Error::init_data_too_many_rows);
  EXPECT_EQ(limits(0), Error::ok);
  EXPECT_EQ(limits(32), Error::ok);
  EXPECT_EQ(limits(33), Error::init_data_too_many_rows);
  EXPECT_EQ(with([](TestInitData& init) {
              init.gas_caps.push_back({Uint256(31'337), Uint256(1)});
            }),
            Error::init_data_duplicate_row);
  EXPECT_EQ(with([](TestInitData& init) {
              init.limits.push_back({Uint256(31'337), Uint256(0), Uint256(1)});
            }),
            Error::init_data_duplicate_row);
}

TEST_F(WalletChanges, ANegatedKeyIsTheSameKey) {
  protocol::Passkey twin = world.passkey.passkey();
  twin.credential_hash[0] ^= 1;
  twin.public_key[63] ^= 1;
  EXPECT_EQ(apply(adding(twin), world.passkey), Error::passkey_exists);
}

TEST_F(WalletChanges, AnUnknownChainIsRefused) { EXPECT_EQ(bind(world.init_data, 5), Error::unknown_chain); }

TEST_F(WalletChanges, ASeventeenthAccountIsRefused) {
  for (std::uint64_t i = 1; i < 16; i++) world.bind(world.wallet, good_init(i).encode());
  EXPECT_EQ(bind(good_init(16).encode()), Error::too_many_accounts);
}

}  // namespace
}  // namespace community::trusted::testing
