// SPDX-License-Identifier: Apache-2.0
// Rule 7: what a key of the phrase signs, and every refusal by its name.
#include <gtest/gtest.h>

#include "trusted/base/keccak.hpp"
#include "trusted/tests/support/eoa.hpp"

namespace community::trusted::testing {
namespace {

// The fields of all four types; `encode` takes those of the type.
struct TestEoaTransaction {
  int type = 2;
  Uint256 chain_id = kChain, nonce = 7, priority_fee = 1'000'000, fee = 2'000'000, gas_limit = 21'000;
  Bytes to = to_bytes(kShop);
  Uint256 value = 5;
  Bytes data;
  Bytes access_list = Bytes{0xc0}, authorizations;

  Bytes encode() const {
    const Bytes common = join({rlp_number(gas_limit), rlp_string(to), rlp_number(value), rlp_string(data)});
    if (type == 0)
      return rlp_list(
          {rlp_number(nonce), rlp_number(fee), common, rlp_number(chain_id), rlp_string({}), rlp_string({})});
    Bytes out{static_cast<std::uint8_t>(type)};
    const Bytes head = join({rlp_number(chain_id), rlp_number(nonce)});
    if (type == 1) append(out, rlp_list({head, rlp_number(fee), common, access_list}));
    if (type != 1)
      append(out, rlp_list({head, rlp_number(priority_fee), rlp_number(fee), common, access_list, authorizations}));
    return out;
  }
};

Bytes authorizations(std::initializer_list<std::uint64_t> chains) {
  Bytes items;
  for (const std::uint64_t chain : chains)
    append(items, authorization(Uint256(chain), kShop, Uint256(1), Uint256(0), Uint256(9), Uint256(9)));
  return rlp_list({items});
}

class EoaRules : public ::testing::Test {
 protected:
  EoaRules() {
    EXPECT_EQ(world.make_phrase(12), Error::ok);
    signer = world.describe().address;
  }
  Reply ask(ByteView transaction, const SignedAssertion& assertion, const protocol::EoaKey& eoa = {kChain, 0, 0}) {
    const OwnedProof proof = world.host.proof(world.wallet);
    return world.host.ask(Command::sign_eoa_transaction,
                          protocol::SignEoaTransactionRequest{proof.view(), eoa, transaction, assertion.view()});
  }
  Error sign(ByteView transaction) { return ask(transaction, world.passkey.sign(base::keccak256(transaction))).error; }
  Error sign(const TestEoaTransaction& transaction) { return sign(transaction.encode()); }
  Reply message(ByteView text, const SignedAssertion& assertion, const protocol::EoaKey& eoa = {kChain, 0, 0}) {
    const OwnedProof proof = world.host.proof(world.wallet);
    return world.host.ask(Command::sign_message,
                          protocol::SignMessageRequest{proof.view(), eoa, text, assertion.view()});
  }
  EoaWorld world;
  Address signer{};
};

TEST_F(EoaRules, SignsEveryTypeAndSaysWhatItSigned) {
  for (const int type : {0, 1, 2, 4}) {
    TestEoaTransaction tx;
    tx.type = type;
    tx.data = unhex("a9059cbb0011");
    if (type == 4) tx.authorizations = authorizations({kChain, kChain});
    const Bytes bytes = tx.encode();
    const Bytes32 digest = base::keccak256(bytes);
    const Reply reply = ask(bytes, world.passkey.sign(digest));
    ASSERT_EQ(reply.error, Error::ok) << type;
    const auto answer = decoded<protocol::SignEoaTransactionReply>(reply.body);
    EXPECT_EQ(answer.digest, digest);
    EXPECT_EQ(answer.signer, signer);
    EXPECT_EQ(recover_address(digest, answer.signature), signer);
    EXPECT_TRUE(has_low_s(answer.signature));
    EXPECT_EQ(answer.type, type);
    EXPECT_EQ(answer.nonce, 7u);
    EXPECT_EQ(answer.max_cost, Uint256(21'000ull * 2'000'000));
    EXPECT_EQ(answer.call.to, kShop);
    EXPECT_EQ(answer.call.value, Uint256(5));
    EXPECT_EQ(to_hex(answer.call.selector), "a9059cbb");
    EXPECT_EQ(answer.call.data_bytes, 6u);
    EXPECT_EQ(answer.authorization_count, type == 4 ? 2 : 0);
  }
}

TEST_F(EoaRules, DigestsAreThoseOfAnotherWallet) {
  world.policy.cost_cap = world.policy.call_value_cap = world.policy.operation_value_cap = Uint256::max();
  ASSERT_EQ(world.set_policy(world.policy), Error::ok);
  int count = 0;
  for_each_message_vector("transaction", [&](const boost::json::object& vector) {
    auto text = [&](const char* name) { return std::string(vector.at(name).as_string().c_str()); };
    const Bytes32 digest = word(text("digest"));
    const Reply reply = ask(unhex(text("unsigned")), world.passkey.sign(digest));
    ASSERT_EQ(reply.error, Error::ok) << text("unsigned");
    const auto answer = decoded<protocol::SignEoaTransactionReply>(reply.body);
    EXPECT_EQ(answer.digest, digest);
    EXPECT_EQ(answer.type, vector.at("type").as_int64());
    EXPECT_EQ(answer.nonce, vector.at("nonce").to_number<std::uint64_t>());
    EXPECT_EQ(answer.call.to, address(text("to")));
    EXPECT_EQ(answer.call.value, Uint256(std::stoull(text("value"))));
    EXPECT_EQ(answer.max_cost, Uint256(std::stoull(text("gas")) * std::stoull(text("fee"))));
    EXPECT_EQ(answer.call.data_bytes, text("data").size() / 2 - 1);
    EXPECT_EQ(answer.authorization_count, vector.at("authorizations").as_int64());
    count++;
  });
  EXPECT_EQ(count, 24);
}

TEST_F(EoaRules, NeedsAnAssertionOverExactlyTheDigest) {
  const TestEoaTransaction tx;
  TestEoaTransaction other = tx;
  other.nonce = 8;
  const Bytes32 digest = base::keccak256(tx.encode());
  EXPECT_EQ(ask(tx.encode(), world.passkey.sign(base::keccak256(other.encode()))).error, Error::challenge_mismatch);
  EXPECT_EQ(ask(tx.encode(), SoftPasskey(9).sign(digest)).error, Error::passkey_unknown);
  SignedAssertion bent = world.passkey.sign(digest);
  bent.signature[5] ^= 1;
  EXPECT_EQ(ask(tx.encode(), bent).error, Error::passkey_signature_invalid);
}

TEST_F(EoaRules, WithoutAPhraseNothingIsSigned) {
  world.wallet = world.make_wallet(world.passkey, world.policy);
  EXPECT_EQ(sign(TestEoaTransaction{}), Error::phrase_missing);
  const Bytes text = to_bytes("hello");
  const Bytes framed = join({base::view("\x19"
                                        "Ethereum Signed Message:\n5"),
                             text});
  EXPECT_EQ(message(text, world.passkey.sign(base::keccak256(framed))).error, Error::phrase_missing);
}

TEST_F(EoaRules, RefusesACreation) {
  for (const int type : {0, 1, 2}) {
    TestEoaTransaction tx;
    tx.type = type;
    tx.to = {};
    tx.data = unhex("6000");
    EXPECT_EQ(sign(tx), Error::transaction_creates_contract) << type;
  }
  TestEoaTransaction tx;
  tx.type = 4;
  tx.to = {};
  tx.authorizations = authorizations({kChain});
  EXPECT_EQ(sign(tx), Error::transaction_malformed);
}

TEST_F(EoaRules, RefusesAuthorisationsForOtherChains) {
  TestEoaTransaction tx;
  tx.type = 4;
  for (const std::uint64_t chain : {std::uint64_t{0}, kOtherChain}) {
    tx.authorizations = authorizations({kChain, chain});
    EXPECT_EQ(sign(tx), Error::authorization_other_chain) << chain;
  }
  tx.authorizations = authorizations({});
  EXPECT_EQ(sign(tx), Error::authorization_malformed);
  tx.authorizations = rlp_list({rlp_list({rlp_number(Uint256(kChain))})});
  EXPECT_EQ(sign(tx), Error::authorization_malformed);
}

TEST_F(EoaRules, RefusesAWrongChain) {
  for (const int type : {0, 1, 2}) {
    TestEoaTransaction tx;
    tx.type = type;
    tx.chain_id = Uint256(kOtherChain);
    EXPECT_EQ(sign(tx), Error::transaction_wrong_chain);
    EXPECT_EQ(ask(tx.encode(), world.passkey.sign(base::keccak256(tx.encode())), {kOtherChain, 0, 0}).error, Error::ok);
    tx.chain_id = Uint256(5);
    EXPECT_EQ(ask(tx.encode(), world.passkey.sign(base::keccak256(tx.encode())), {5, 0, 0}).error,
              Error::transaction_wrong_chain);
    // Signed for chain 0 it would count on every chain; a legacy one is malformed without a chain.
    tx.chain_id = Uint256(0);
    EXPECT_EQ(sign(tx), Error::transaction_malformed);
  }
  const TestEoaTransaction tx;
  const Bytes without_chain = rlp_list({rlp_number(tx.nonce), rlp_number(tx.fee), rlp_number(tx.gas_limit),
                                        rlp_string(tx.to), rlp_number(tx.value), rlp_string(tx.data)});
  EXPECT_EQ(sign(without_chain), Error::transaction_malformed);
}

TEST_F(EoaRules, RefusesOtherTypes) {
  Bytes bytes = TestEoaTransaction{}.encode();
  for (const int type : {0, 3, 5, 0x19, 0x7f, 0xbf}) {
    bytes[0] = static_cast<std::uint8_t>(type);
    EXPECT_EQ(sign(bytes), Error::transaction_type_not_allowed) << type;
  }
  EXPECT_EQ(sign(Bytes{}), Error::transaction_malformed);
}

TEST_F(EoaRules, RefusesWhatIsNotCanonical) {
  for (const int type : {0, 1, 2, 4}) {
    TestEoaTransaction tx;
    tx.type = type;
    tx.access_list = rlp_list({rlp_list({rlp_string(kShop), rlp_list({rlp_string(Bytes(32, 1))})})});
    if (type == 4) tx.authorizations = authorizations({kChain});
    const Bytes good = tx.encode();
    ASSERT_EQ(sign(good), Error::ok) << type;
    for (std::size_t size = 1; size < good.size(); size++)
      EXPECT_NE(sign(ByteView(good).first(size)), Error::ok) << type << " " << size;
    Bytes more = good;
    more.push_back(0);
    EXPECT_EQ(sign(more), Error::transaction_malformed);
    tx.to = Bytes(19, 1);
    EXPECT_EQ(sign(tx), Error::transaction_malformed);
  }
  TestEoaTransaction tx;
  for (const Bytes& list : {rlp_list({rlp_string(kShop)}), rlp_list({rlp_list({rlp_string(kShop)})}),
                            rlp_list({rlp_list({rlp_string(Bytes(19)), rlp_list({})})}),
                            rlp_list({rlp_list({rlp_string(kShop), rlp_list({rlp_string(Bytes(31))})})}),
                            rlp_list({rlp_list({rlp_string(kShop), rlp_list({}), rlp_list({})})})}) {
    tx.access_list = list;
    EXPECT_EQ(sign(tx), Error::transaction_malformed) << to_hex(list);
  }
}

TEST_F(EoaRules, ObeysTheCaps) {
  TestEoaTransaction tx;
  tx.value = Uint256(1'000'000);
  EXPECT_EQ(sign(tx), Error::ok);
  tx.value = Uint256(1'000'001);
  EXPECT_EQ(sign(tx), Error::call_value_over_cap);
  world.policy.call_value_cap = Uint256(3'000'000);
  ASSERT_EQ(world.set_policy(world.policy), Error::ok);
  tx.value = Uint256(2'000'001);
  EXPECT_EQ(sign(tx), Error::operation_value_over_cap);

  for (const int type : {0, 1, 2}) {
    tx = {};
    tx.type = type;
    tx.gas_limit = Uint256(1'000'000);
    tx.fee = Uint256(1'000'000'000);
    EXPECT_EQ(sign(tx), Error::ok);
    tx.fee = Uint256(1'000'000'001);
    EXPECT_EQ(sign(tx), Error::cost_over_cap);
    tx.fee = Uint256::max();
    EXPECT_EQ(sign(tx), Error::cost_over_cap);
  }
  tx = {};
  tx.priority_fee = *add(tx.fee, Uint256(1));
  EXPECT_EQ(sign(tx), Error::transaction_fee_over_cap);
}

TEST_F(EoaRules, ObeysTheListOfContracts) {
  world.policy.flags = protocol::kPolicyListedOnly;
  world.policy.rule_count = 1;
  world.policy.rules[0] = {kShop, {0xa9, 0x05, 0x9c, 0xbb}, 0};
  ASSERT_EQ(world.set_policy(world.policy), Error::ok);
  TestEoaTransaction tx;
  tx.data = unhex("a9059cbb");
  EXPECT_EQ(sign(tx), Error::ok);
  tx.data = unhex("095ea7b3");
  EXPECT_EQ(sign(tx), Error::function_not_allowed);
  tx.to = to_bytes(kStranger);
  EXPECT_EQ(sign(tx), Error::contract_not_allowed);
  tx.data = {};
  EXPECT_EQ(sign(tx), Error::contract_not_allowed);
}

TEST_F(EoaRules, EveryChangedByteIsRefusedOrChangesTheDigest) {
  Random random(17);
  TestEoaTransaction tx;
  tx.data = unhex("a9059cbb");
  const Bytes good = tx.encode();
  const SignedAssertion assertion = world.passkey.sign(base::keccak256(good));
  for (std::size_t i = 0; i < good.size(); i++) {
    Bytes bad = good;
    bad[i] ^= static_cast<std::uint8_t>(1 + random.below(255));
    EXPECT_NE(ask(bad, assertion).error, Error::ok) << i;
  }
}

TEST_F(EoaRules, MessagesAreHashedAsAnotherWalletDoes) {
  int count = 0;
  for_each_message_vector("personal", [&](const boost::json::object& vector) {
    const Bytes bytes = unhex(vector.at("message").as_string().c_str());
    const Bytes32 digest = word(vector.at("digest").as_string().c_str());
    const Reply reply = message(bytes, world.passkey.sign(digest));
    ASSERT_EQ(reply.error, Error::ok) << bytes.size();
    const auto answer = decoded<protocol::SignMessageReply>(reply.body);
    EXPECT_EQ(answer.digest, digest);
    EXPECT_EQ(answer.signer, signer);
    EXPECT_EQ(recover_address(digest, answer.signature), signer);
    count++;
  });
  EXPECT_EQ(count, 13);
}

TEST_F(EoaRules, AMessageNeedsItsChainItsAssertionAndABound) {
  const Bytes text = to_bytes("hello");
  EXPECT_EQ(message(text, world.passkey.sign(Bytes32{})).error, Error::challenge_mismatch);
  EXPECT_EQ(message(text, world.passkey.sign(Bytes32{}), {5, 0, 0}).error, Error::unknown_chain);
  // What could be a transaction stays a message: the prefix stands before it.
  const Bytes transaction = TestEoaTransaction{}.encode();
  EXPECT_EQ(message(transaction, world.passkey.sign(base::keccak256(transaction))).error, Error::challenge_mismatch);
  EXPECT_EQ(message(Bytes(protocol::kMaxPersonalMessage + 1), world.passkey.sign(Bytes32{})).error,
            Error::malformed_request);
}

TEST_F(EoaRules, AnOldRecordSignsNothing) {
  const StoredRecord old = world.wallet;
  ASSERT_EQ(world.set_policy(world.policy), Error::ok);
  world.wallet = old;
  EXPECT_NE(sign(TestEoaTransaction{}), Error::ok);
}

}  // namespace
}  // namespace community::trusted::testing
