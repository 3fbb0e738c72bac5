// SPDX-License-Identifier: Apache-2.0
// The recovery file's vote beside a passkey's: who has two votes from the first day need not wait three days.
#include "community/transactions/test_support/transaction_world.hpp"

namespace community::transactions::test_support {
namespace {

const char* const kThird = "00000000-0000-4000-8000-0000000000a3";

// One passkey, and the file.
class VotingWithTheFile : public TransactionWorld {
 protected:
  VotingWithTheFile() {
    people.own.pop_back();
    passkeys.pop_back();
    people.own.push_back(third.owned(kThird, "New telephone"));
    people.own.back().is_active = false;
  }
  static SignRequest file(const Bytes32& digest, const Bytes32& secret = escape_secret()) {
    SignRequest request;
    request.digest = digest;
    request.escape_signature = core::to_bytes(core::sign_digest(secret, digest)->to_rsv());
    return request;
  }
  static SignRequest file(const Transaction& t) { return file(*t.digest); }
  SignRequest both(const Transaction& t) const {
    SignRequest request = first.sign(*t.digest);
    request.escape_signature = file(t).escape_signature;
    return request;
  }
  Result<Transaction> ask(const Transaction& t, SignRequest request) {
    return loop.block_on(service->sign_and_broadcast(person, t.transaction_id, std::move(request)));
  }
  Transaction adding() {
    KeysOrder order;
    order.added = {kThird};
    order.votes = 2;
    return prepared(order);
  }
  static bool file_may_vote(const Transaction& t) { return may_escape_key_vote(t); }
  // The signers of the call that the courier has.
  std::vector<std::uint64_t> signers(std::string_view function) {
    const auto values = core::parse_abi_function(function).value().decode(courier.calls.begin()->second);
    EXPECT_TRUE(values);
    std::vector<std::uint64_t> out;
    if (values)
      for (const AbiValue& one : values->back().list()) out.push_back(one[0].word().limb[0]);
    return out;
  }
  std::vector<std::uint64_t> signers_of_unfreeze() {
    return signers("unfreeze(uint8,(uint32,uint256,uint48),(uint8,bytes)[])");
  }
  static std::vector<std::uint64_t> all() { return {0, accounts::kEscapeSigner, accounts::kServerSigner}; }
  Device third{13};
};

TEST_F(VotingWithTheFile, KeysChangeAtOnceWithAPasskeyBesideIt) {
  const Transaction t = adding();
  EXPECT_EQ(t.credential_ids.size(), 1u);
  EXPECT_TRUE(file_may_vote(t));
  EXPECT_FALSE(has(rules(t.warnings), "second-passkey-or-wait"));
  const auto one = ask(t, first.sign(*t.digest));
  ASSERT_TRUE(one) << one.error().message;
  EXPECT_EQ(one->state, State::prepared);
  EXPECT_TRUE(file_may_vote(*one));
  EXPECT_EQ(core.asked, 0u);
  restart();
  const auto done = ask(t, file(t));
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(done->state, State::submitted);
  ASSERT_EQ(core.changes.size(), 1u) << "the gate opened for the passkey's assertion";
  EXPECT_EQ(core.changes[0].votes, 2);
  EXPECT_EQ(people.changes.at(0).activated, std::vector<std::string>{kThird});
  EXPECT_NE(told_by("TransactionSigned").find("\"escapeKeyVoted\":true"), std::string::npos);
  EXPECT_FALSE(file_may_vote(*done));
}

TEST_F(VotingWithTheFile, InAnyOrderAndInOneRequest) {
  frozen_until_s = accounts::kFrozenForever;
  Transaction t = prepared(PlainOrder{accounts::Unfreeze{2}});
  auto one = ask(t, file(t));
  ASSERT_TRUE(one) << one.error().message;
  EXPECT_EQ(std::get<PreparedAction>(one->content).votes_given, 1);
  EXPECT_FALSE(file_may_vote(*one));
  restart();
  EXPECT_FALSE(file_may_vote(now(t))) << "read back from disk";
  ASSERT_TRUE(ask(t, first.sign(*t.digest)));
  EXPECT_EQ(signers_of_unfreeze(), all());
  courier.calls.clear();
  t = prepared(PlainOrder{accounts::Unfreeze{2}});
  const auto done = ask(t, both(t));
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(done->state, State::submitted);
  EXPECT_EQ(signers_of_unfreeze(), all());
  EXPECT_EQ(core.asked, 2u);
}

TEST_F(VotingWithTheFile, RulesChangeAtOnce) {
  accounts::ChangeRules rules;
  rules.guardians_hash = Bytes32{9};
  rules.guardian_threshold = 1;
  rules.votes = 2;
  const Transaction t = prepared(PlainOrder{rules});
  const auto done = ask(t, both(t));
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(signers("changeRules((bytes32,uint8,uint32,bool,bool,uint8),(uint32,uint256,uint48),(uint8,bytes)[])"),
            all());
}

TEST_F(VotingWithTheFile, ARecoveryIsCancelledByBoth) {
  item_waits(Bytes32{7}, {accounts::ItemKind::recover, 0, 0, 604'800}, Bytes{1, 2, 3, 4});
  const Transaction t = prepared(PlainOrder{accounts::Cancel{Bytes32{7}}});
  ASSERT_TRUE(ask(t, both(t)));
  EXPECT_EQ(core.asked, 0u) << "no gate";
  EXPECT_EQ(signers("cancel(bytes32,(uint32,uint256,uint48),(uint8,bytes)[])"),
            (std::vector<std::uint64_t>{0, accounts::kEscapeSigner}));
}

TEST_F(VotingWithTheFile, ASignatureOfSomethingElseIsRefusedByItsRule) {
  const Transaction t = adding(), other = prepared(PlainOrder{accounts::Freeze{}});
  const auto refused = [&](const SignRequest& request) {
    const auto answer = ask(t, request);
    expect_refusal(answer, ErrorCode::escape_signature_refused);
    return answer ? std::string() : answer.error().message;
  };
  EXPECT_EQ(refused(file(*t.digest, Uint256(0xbad).to_be())), "not_the_escape_key");
  SignRequest replayed = file(other);
  replayed.digest = *t.digest;
  EXPECT_EQ(refused(replayed), "not_the_escape_key");
  // The other form of the same signature: n - s, and the other parity.
  SignRequest high = file(t);
  const Uint256 order =
      Uint256::from_be(*core::parse_bytes32("0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141"));
  const auto s = Uint256::from_be(ByteView(high.escape_signature).subspan(32, 32));
  base::copy(base::MutableByteView(high.escape_signature).subspan(32), base::subtract(order, s)->to_be());
  high.escape_signature[64] = static_cast<std::uint8_t>(27 + 28 - high.escape_signature[64]);
  EXPECT_EQ(refused(high), "signature_high_s");
  SignRequest cut = file(t);
  cut.escape_signature.pop_back();
  EXPECT_EQ(refused(cut), "signature_length");
  SignRequest parity = file(t);
  parity.escape_signature[64] = 29;
  EXPECT_EQ(refused(parity), "signature_y_parity");
  EXPECT_EQ(std::get<PreparedAction>(now(t).content).votes_given, 0);
  EXPECT_EQ(count("SecurityViolation"), 5u);
  EXPECT_EQ(core.asked, 0u);
}

TEST_F(VotingWithTheFile, AVoteCountsOnce) {
  const Transaction t = adding();
  ASSERT_TRUE(ask(t, file(t)));
  expect_refusal(ask(t, file(t)), ErrorCode::escape_key_voted);
  expect_refusal(ask(t, both(t)), ErrorCode::escape_key_voted);
  ASSERT_TRUE(ask(t, first.sign(*t.digest)));
  EXPECT_EQ(core.changes.size(), 1u);
  const auto again = ask(t, file(t));
  ASSERT_TRUE(again) << "a repetition hears what became of it";
  EXPECT_EQ(core.changes.size(), 1u);
}

TEST_F(VotingWithTheFile, APasskeyVotesOnceBesideIt) {
  const Transaction t = adding();
  ASSERT_TRUE(ask(t, first.sign(*t.digest)));
  expect_refusal(ask(t, both(t)), ErrorCode::passkey_voted);
  EXPECT_TRUE(core.changes.empty());
}

TEST_F(VotingWithTheFile, AloneItOpensNoGate) {
  KeysOrder order;
  order.added = {kThird};
  const Transaction slow = prepared(order);
  EXPECT_FALSE(file_may_vote(slow));
  expect_refusal(ask(slow, file(slow)), ErrorCode::escape_key_has_no_vote);
  expect_refusal(ask(slow, both(slow)), ErrorCode::escape_key_has_no_vote);
  const Transaction paid = payment();
  expect_refusal(ask(paid, file(paid)), ErrorCode::escape_key_has_no_vote);
  SignRequest nothing;
  nothing.digest = *slow.digest;
  EXPECT_EQ(ask(slow, nothing).error().field, "/credential");
  EXPECT_EQ(core.asked, 0u);
}

TEST_F(VotingWithTheFile, WhatTheCoreCommittedIsFinishedAfterACrash) {
  const Transaction t = adding();
  ASSERT_TRUE(ask(t, first.sign(*t.digest)));
  core.loses_answers = true;
  expect_refusal(ask(t, file(t)), ErrorCode::core_unavailable);
  EXPECT_TRUE(people.changes.empty());
  core.loses_answers = false;
  restart();
  run();
  until_state(t, State::submitted);
  EXPECT_EQ(people.changes.at(0).activated, std::vector<std::string>{kThird});
  EXPECT_EQ(courier.calls.size(), 1u);
}

}  // namespace
}  // namespace community::transactions::test_support
