// SPDX-License-Identifier: Apache-2.0
// Messages for applications and the phrase: what is shown is what is signed, and what the trusted core would refuse is
// refused before anybody touches a passkey.
#include "community/core/eip712.hpp"
#include "community/core/uuid.hpp"
#include "community/transactions/test_support/transaction_world.hpp"

namespace community::transactions::test_support {
namespace {

class Messages : public TransactionWorld {
 protected:
  Messages() { people.owned.record = *core::parse_uuid(wallet_id); }
  static json::object document(std::string_view text) {
    const auto parsed = core::parse_json(text);
    EXPECT_TRUE(parsed && parsed->is_object()) << text;
    return parsed->get_object();
  }
  static json::object order_for_shoes(std::string_view domain = R"("chainId": 1337,)") {
    return document(R"({"domain": {"name": "Shop", "version": "2", )" + std::string(domain) +
                    R"("verifyingContract": "0x00000000000000000000000000000000000000ff"},
      "types": {"Order": [{"name": "buyer", "type": "Person"}, {"name": "prices", "type": "uint256[]"},
                          {"name": "note", "type": "string"}, {"name": "gain", "type": "int8"}],
                "Person": [{"name": "wallet", "type": "address"}]},
      "primaryType": "Order",
      "message": {"buyer": {"wallet": "0x00000000000000000000000000000000000000aa"}, "prices": [7, "8"],
                  "note": "size 42", "gain": "-3"}})");
  }
  static MessageOrder by_account(json::object typed) { return {std::nullopt, std::move(typed)}; }
  static MessageOrder by_key(json::object typed, std::uint32_t index = 0) {
    return {PhraseKey{0, index}, std::move(typed)};
  }
  static MessageOrder text(std::string_view words, std::optional<PhraseKey> key = PhraseKey()) {
    return {key, core::to_bytes(base::view(words))};
  }
  static Bytes32 separator(const json::object& typed) { return core::hash_typed_data(typed)->domain_separator; }
  static const PreparedMessage& content(const Transaction& t) { return std::get<PreparedMessage>(t.content); }
  void expect_message_refusal(const Result<Transaction>& result, protocol::Error rule) {
    expect_refusal(result, ErrorCode::message_refused);
    EXPECT_EQ(result.error().refusal, protocol::name(rule));
  }
};

TEST_F(Messages, OfAKeyAreWhatTheApplicationRecovers) {
  const Transaction typed = prepared(by_key(order_for_shoes(), 3));
  EXPECT_EQ(*typed.digest, core::hash_typed_data(order_for_shoes())->digest);
  EXPECT_EQ(content(typed).signer, FakePhrases::address(3));
  const auto done = sign(typed, first);
  ASSERT_TRUE(done);
  EXPECT_EQ(done->state, State::final_) << "nothing comes on chain";
  const auto signature = core::parse_rsv(content(*done).signature);
  ASSERT_TRUE(signature);
  EXPECT_EQ(core::recover_address(*typed.digest, *signature), FakePhrases::address(3));

  const Transaction personal = prepared(text("hello"));
  EXPECT_EQ(*personal.digest, core::personal_message_digest(core::to_bytes(base::view("hello"))));
  EXPECT_TRUE(personal.warnings.empty());
  EXPECT_EQ(sent(personal).state, State::final_);
  EXPECT_EQ(count("MessageSigned"), 2u);
}

TEST_F(Messages, OfAnAccountAreNestedAndCarryWhatTheContractAsksFor) {
  const json::object typed = order_for_shoes();
  listed_domains.insert(separator(typed));
  const Transaction t = prepared(by_account(typed));
  EXPECT_EQ(content(t).hash, core::hash_typed_data(typed)->digest);
  EXPECT_EQ(*t.digest, core::hash_typed_data(content(t).nested)->digest) << "the page computes it";
  EXPECT_NE(*t.digest, content(t).hash);
  const Bytes signature = content(sent(t)).signature;
  // ERC-7739: separator || hashStruct || types || length, behind the dual signature.
  const std::string types = "Order(Person buyer,uint256[] prices,string note,int8 gain)Person(address wallet)";
  ASSERT_GT(signature.size(), types.size() + 66);
  const ByteView tail = ByteView(signature).last(types.size() + 66);
  EXPECT_TRUE(base::equal(tail.first(32), separator(typed)));
  EXPECT_TRUE(base::equal(tail.subspan(32, 32), core::hash_typed_data(typed)->message_hash));
  EXPECT_EQ(base::text(tail.subspan(64, types.size())), types);
  EXPECT_EQ(tail[tail.size() - 1], types.size());
  EXPECT_EQ(signature[0], 1) << "a dual signature";
}

TEST_F(Messages, AContentsTypeThatIsNotTheFirstByNameIsNamedBehindTheTypes) {
  json::object typed = document(R"({"domain": {"name": "Shop"}, "primaryType": "Zebra",
    "types": {"Zebra": [{"name": "coat", "type": "Coat"}], "Coat": [{"name": "stripes", "type": "uint8"}]},
    "message": {"coat": {"stripes": 9}}})");
  listed_domains.insert(separator(typed));
  const Transaction t = prepared(by_account(typed));
  EXPECT_TRUE(has(rules(t.warnings), "message-names-no-chain"));
  const Bytes signature = content(sent(t)).signature;
  const std::string wanted = "Coat(uint8 stripes)Zebra(Coat coat)Zebra";
  EXPECT_EQ(base::text(ByteView(signature).last(wanted.size() + 2).first(wanted.size())), wanted);
}

TEST_F(Messages, AnAccountSignsForListedDomainsAlone) {
  const auto typed = prepare(by_account(order_for_shoes()));
  expect_refusal(typed, ErrorCode::domain_not_listed);
  EXPECT_EQ(typed.error().domain_separator, separator(order_for_shoes()));
  const auto personal = prepare(text("hello", std::nullopt));
  expect_refusal(personal, ErrorCode::domain_not_listed);
  EXPECT_EQ(personal.error().domain_separator, Bytes32{});
  listed_domains.insert(Bytes32{});
  const Transaction t = prepared(text("hello", std::nullopt));
  EXPECT_EQ(*t.digest, core::hash_typed_data(content(t).nested)->digest);
  EXPECT_EQ(sent(t).state, State::final_);
  frozen_until_s = accounts::kFrozenForever;
  expect_refusal(prepare(text("hello", std::nullopt)), ErrorCode::account_frozen);
  EXPECT_TRUE(prepare(text("hello"))) << "a key of the phrase is not frozen";
  frozen_until_s = 0;
  chain.set_code(alice, {});
  people.owned.origin = OwnedOrigin{test_address(0xfac), {}};
  EXPECT_FALSE(prepare(text("hello", std::nullopt)));
}

TEST_F(Messages, AreShownMemberByMember) {
  const Transaction t = prepared(by_key(order_for_shoes()));
  const auto& lines = content(t).members;
  const auto line = [&](std::size_t i) {
    const auto& one = lines.at(i).as_object();
    return std::string(one.at("path").as_string()) + "|" + std::string(one.at("type").as_string()) + "|" +
           std::string(one.at("value").as_string());
  };
  ASSERT_EQ(lines.size(), 5u);
  EXPECT_EQ(line(0), "buyer.wallet|address|0x00000000000000000000000000000000000000AA");
  EXPECT_EQ(line(1), "prices[0]|uint256|7");
  EXPECT_EQ(line(2), "prices[1]|uint256|8");
  EXPECT_EQ(line(3), "note|string|size 42");
  EXPECT_EQ(line(4), "gain|int8|-3");
  EXPECT_TRUE(content(t).shows_all);
  EXPECT_EQ(t.summary[0].as_object().at("to"), "0x00000000000000000000000000000000000000ff");
}

TEST_F(Messages, ALongOneSaysThatNotAllIsShown) {
  json::object typed = order_for_shoes();
  json::array many;
  for (std::size_t i = 0; i <= kMaxShownMembers; i++) many.emplace_back(1);
  typed["message"].as_object()["prices"] = std::move(many);
  EXPECT_FALSE(content(prepared(by_key(typed))).shows_all);
  typed["message"].as_object()["prices"] = json::array();
  typed["message"].as_object()["note"] = std::string(kMaxShownText + 1, 'x');
  EXPECT_FALSE(content(prepared(by_key(typed))).shows_all);
  typed["message"].as_object()["note"] = std::string(40'000, 'x');
  expect_refusal(prepare(by_key(typed)), ErrorCode::field_invalid);
}

TEST_F(Messages, WhatTheCoreRefusesIsRefusedByItsName) {
  expect_message_refusal(prepare(by_key(order_for_shoes(R"("chainId": 1,)"))), protocol::Error::typed_data_other_chain);
  json::object typed = order_for_shoes();
  typed["domain"].as_object()["verifyingContract"] = core::format_address(entry_point->address());
  expect_message_refusal(prepare(by_key(typed)), protocol::Error::typed_data_of_entry_point);
  typed["domain"].as_object()["verifyingContract"] = core::format_address(alice);
  expect_message_refusal(prepare(by_key(typed)), protocol::Error::typed_data_of_account);
  typed = order_for_shoes();
  typed["domain"].as_object()["name"] = "CommunityAccount";
  expect_message_refusal(prepare(by_key(typed)), protocol::Error::typed_data_of_account);
  typed["domain"].as_object()["name"] = "ERC4337";
  expect_message_refusal(prepare(by_key(typed)), protocol::Error::typed_data_of_entry_point);

  json::object permit = document(R"({"domain": {"name": "Token", "chainId": 1337}, "primaryType": "Permit",
    "types": {"Permit": [{"name": "owner", "type": "address"}]},
    "message": {"owner": "0x00000000000000000000000000000000000000aa"}})");
  listed_domains.insert(separator(permit));
  expect_message_refusal(prepare(by_account(permit)), protocol::Error::typed_data_is_permit);
  EXPECT_TRUE(has(rules(prepared(by_key(permit)).warnings), "permit-message"));
  json::object small = document(R"({"domain": {"name": "Token", "chainId": 1337}, "primaryType": "order",
    "types": {"order": [{"name": "owner", "type": "address"}]},
    "message": {"owner": "0x00000000000000000000000000000000000000aa"}})");
  listed_domains.insert(separator(small));
  expect_message_refusal(prepare(by_account(small)), protocol::Error::typed_data_types_malformed);
  EXPECT_EQ(phrases.asked, 0u);
}

TEST_F(Messages, ThatAreNoDocumentsAreRefused) {
  json::object typed = order_for_shoes();
  typed["message"].as_object().erase("note");
  expect_refusal(prepare(by_key(typed)), ErrorCode::field_invalid);
  typed = order_for_shoes();
  typed["message"].as_object()["more"] = "shown and not signed";
  expect_refusal(prepare(by_key(typed)), ErrorCode::field_invalid);
  typed["types"] = 5;
  expect_refusal(prepare(by_key(typed)), ErrorCode::field_invalid);
  expect_refusal(prepare(by_key(json::object())), ErrorCode::field_invalid);
  expect_refusal(prepare(MessageOrder{PhraseKey{1u << 31, 0}, Bytes{1}}), ErrorCode::field_invalid);
  expect_refusal(prepare(MessageOrder{PhraseKey(), Bytes(16'385)}), ErrorCode::field_invalid);
}

TEST_F(Messages, BytesThatAreNoTextAreWarnedOf) {
  for (const std::string_view words : {"\x01\x02", "ok\xff",
                                       "a\xe2\x80\xae"
                                       "b"})
    EXPECT_TRUE(has(rules(prepared(text(words)).warnings), "unreadable-message"));
  for (const std::string_view words : {"", "two\nlines", "\xe0\xb8\xaa\xe0\xb8\xa7", "a  b "})
    EXPECT_TRUE(prepared(text(words)).warnings.empty()) << words;
}

TEST_F(Messages, SurviveARestart) {
  const json::object typed = order_for_shoes();
  listed_domains.insert(separator(typed));
  const Transaction waits = prepared(by_account(typed)), done = sent(prepared(text("hello")));
  restart();
  EXPECT_EQ(content(now(waits)).nested, content(waits).nested);
  EXPECT_EQ(content(now(waits)).members, content(waits).members);
  EXPECT_EQ(content(now(done)).signature, content(done).signature);
  EXPECT_EQ(sent(now(waits)).state, State::final_);
  // The same assertion again: what became of it.
  const auto again = loop.block_on(service->sign_and_broadcast(person, done.transaction_id, first.sign(*done.digest)));
  ASSERT_TRUE(again);
  EXPECT_EQ(content(*again).signature, content(done).signature);
  EXPECT_EQ(phrases.asked, 2u);
  expect_refusal(broadcast(done), ErrorCode::not_signed);
}

TEST_F(Messages, AnotherDigestOfTheCoreIsNotAccepted) {
  phrases.lies = true;
  expect_refusal(send(prepared(text("hello")), first), ErrorCode::core_refused);
  phrases.lies = false;
  const Transaction t = prepared(text("hello"));
  expect_refusal(loop.block_on(service->sign_and_broadcast(person, t.transaction_id, first.sign(Bytes32{9}))),
                 ErrorCode::digest_differs);
}

// --- the phrase ------------------------------------------------------------------------------------------------------

TEST_F(Messages, APhraseIsMadeOnce) {
  phrases.has_phrase = false;
  expect_refusal(prepare(text("hello")), ErrorCode::phrase_missing);
  expect_refusal(prepare(ExportOrder{{4}}), ErrorCode::phrase_missing);
  EXPECT_FALSE(loop.block_on(service->derive_address(person, wallet_id, kChain, {}))->address);
  expect_refusal(prepare(PhraseOrder{13}), ErrorCode::field_invalid);
  const Transaction t = prepared(PhraseOrder{24});
  EXPECT_EQ(std::get<PreparedPhrase>(t.content).revision, 7u);
  phrases.loses_answers = true;
  expect_refusal(send(t, first), ErrorCode::core_unavailable);
  phrases.loses_answers = false;
  EXPECT_EQ(sent(t).state, State::final_) << "the answer was lost, the phrase is there";
  expect_refusal(prepare(PhraseOrder{24}), ErrorCode::phrase_exists);
  EXPECT_EQ(count("AddressDerived"), 1u);
}

TEST_F(Messages, AddressesHaveTheCoinOfTheirChain) {
  chain.set_balance(FakePhrases::address(5), Uint256(77));
  const auto derived = loop.block_on(service->derive_address(person, wallet_id, kChain, {2, 5}));
  ASSERT_TRUE(derived);
  EXPECT_EQ(derived->path, "m/44'/60'/2'/0/5");
  EXPECT_EQ(derived->address, FakePhrases::address(5));
  EXPECT_EQ(derived->balance, Uint256(77));
  EXPECT_EQ(derivation_path(137, {}), "m/44'/966'/0'/0/0");
  EXPECT_EQ(derivation_path(56, {}), "m/44'/714'/0'/0/0");
  expect_refusal(loop.block_on(service->derive_address(stranger, wallet_id, kChain, {})), ErrorCode::not_found);
  expect_refusal(loop.block_on(service->derive_address(person, wallet_id, kChain, {1u << 31, 0})),
                 ErrorCode::field_invalid);
}

TEST_F(Messages, WhatLeavesIsInTheAnswerAlone) {
  expect_refusal(prepare(ExportOrder{{5}}), ErrorCode::field_invalid);
  ExportOrder order;
  order.recipient = {4, 1, 2};
  const Transaction t = prepared(order);
  EXPECT_TRUE(has(rules(t.warnings), "phrase-leaves"));
  EXPECT_EQ(*t.digest, protocol::phrase_export_challenge(people.owned.record, order.recipient));
  const Transaction done = sent(t);
  EXPECT_EQ(std::get<PreparedExport>(done.content).cipher, (Bytes{1, 2, 3}));
  EXPECT_TRUE(std::get<PreparedExport>(now(t).content).cipher.empty()) << "kept nowhere";
  EXPECT_EQ(count("PhraseExported"), 1u);
}

}  // namespace
}  // namespace community::transactions::test_support
