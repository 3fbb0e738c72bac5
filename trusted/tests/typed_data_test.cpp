// SPDX-License-Identifier: Apache-2.0
// Typed data (EIP-712) for keys of the phrase, and messages of an account (ERC-1271, nested by ERC-7739).
#include <gtest/gtest.h>

#include "trusted/base/keccak.hpp"
#include "trusted/ethereum/account_message.hpp"
#include "trusted/tests/support/eoa.hpp"

namespace community::trusted::testing {
namespace {

namespace json = boost::json;

std::string text(const json::object& vector, std::string_view name) {
  return vector.at({name.data(), name.size()}).as_string().c_str();
}

// Typed data that owns its parts.
struct OwnedTypedData {
  std::uint8_t present =
      protocol::kDomainName | protocol::kDomainVersion | protocol::kDomainChainId | protocol::kDomainContract;
  std::string name = "Shop", version = "1";
  std::uint64_t chain_id = kChain;
  Address contract = kShop;
  Bytes32 salt{};
  std::vector<std::string> types{"Order(address buyer,uint256 price)"};
  std::uint8_t primary = 0;
  Bytes values = join({kStranger, Uint256(3).to_be()});

  protocol::TypedData view() const {
    protocol::TypedData data;
    data.domain = {present, base::view(name), base::view(version), chain_id, contract, salt};
    data.type_count = static_cast<std::uint16_t>(types.size());
    for (std::size_t i = 0; i < types.size() && i < data.types.size(); i++) data.types[i].text = base::view(types[i]);
    data.primary = primary;
    data.values = values;
    return data;
  }
  Bytes32 separator() const {
    return ethereum::domain_separator({present, base::view(name), base::view(version), chain_id, contract, salt});
  }
  // By the reader itself, which the vectors prove right; zero when it refuses.
  Bytes32 contents(ethereum::TypedTypes& read) const {
    Bytes32 hash{};
    for (const std::string& type : types)
      if (read.add(base::view(type)) != ethereum::TypedDataError::none) return {};
    if (read.close(primary) != ethereum::TypedDataError::none) return {};
    if (ethereum::TypedValues(read, values).hash(primary, hash) != ethereum::TypedDataError::none) return {};
    return hash;
  }
  Bytes32 digest() const {
    ethereum::TypedTypes read;
    return ethereum::typed_data_digest(separator(), contents(read));
  }
  Bytes32 nested(std::uint64_t chain, const Address& account) const {
    ethereum::TypedTypes read;
    const Bytes32 hash = contents(read);
    if (read.count() == 0) return {};
    return ethereum::nested_typed_data_digest(separator(), read, primary, hash, chain, account);
  }
};

OwnedTypedData from_vector(const json::object& vector) {
  OwnedTypedData data;
  data.types.clear();
  const auto& domain = vector.at("domain").as_object();
  auto member = [&](const char* name) { return std::string(domain.at(name).as_string().c_str()); };
  data.present = 0;
  if (domain.contains("name")) data.present |= protocol::kDomainName, data.name = member("name");
  if (domain.contains("version")) data.present |= protocol::kDomainVersion, data.version = member("version");
  if (domain.contains("chainId"))
    data.present |= protocol::kDomainChainId, data.chain_id = domain.at("chainId").to_number<std::uint64_t>();
  if (domain.contains("verifyingContract"))
    data.present |= protocol::kDomainContract, data.contract = address(member("verifyingContract"));
  if (domain.contains("salt")) data.present |= protocol::kDomainSalt, data.salt = word(member("salt"));
  for (const auto& type : vector.at("types").as_array()) data.types.emplace_back(type.as_string().c_str());
  data.primary = vector.at("primary").to_number<std::uint8_t>();
  data.values = unhex(text(vector, "values"));
  return data;
}

TEST(TypedData, HashesAsAnotherWalletDoes) {
  int count = 0;
  for_each_message_vector("typed", [&](const json::object& vector) {
    const OwnedTypedData data = from_vector(vector);
    EXPECT_EQ("0x" + to_hex(data.digest()), text(vector, "digest")) << json::serialize(vector);
    const Bytes32 nested = data.nested(31'337, address(text(vector, "account")));
    EXPECT_EQ("0x" + to_hex(nested), text(vector, "nested")) << json::serialize(vector);
    count++;
  });
  EXPECT_EQ(count, 101);
}

TEST(TypedData, APersonalMessageOfAnAccountHashesAsAnotherWalletDoes) {
  for_each_message_vector("personal", [&](const json::object& vector) {
    const Bytes message = unhex(text(vector, "message"));
    EXPECT_EQ("0x" + to_hex(ethereum::nested_personal_digest(31'337, address(text(vector, "account")), message)),
              text(vector, "nested"));
  });
}

// Every vector with a byte more or less, or another first byte of a type, is refused or hashes to something else.
TEST(TypedData, HasOneReading) {
  for_each_message_vector("typed", [&](const json::object& vector) {
    const OwnedTypedData good = from_vector(vector);
    ethereum::TypedTypes types;
    const Bytes32 hash = good.contents(types);
    auto differs = [&](const OwnedTypedData& bad) {
      ethereum::TypedTypes read;
      return bad.contents(read) != hash;
    };
    OwnedTypedData bad = good;
    bad.values.push_back(0);
    EXPECT_TRUE(differs(bad));
    for (std::size_t i = 0; i < good.values.size(); i += 1 + good.values.size() / 40) {
      bad = good;
      bad.values[i] ^= 1;
      EXPECT_TRUE(differs(bad)) << i;
      bad = good;
      bad.values.resize(i);
      EXPECT_TRUE(differs(bad)) << i;
    }
    for (std::size_t i = 0; i < good.types.size(); i++) {
      bad = good;
      bad.types[i][0]++;
      EXPECT_TRUE(differs(bad)) << i;
    }
  });
}

class TypedDataRules : public ::testing::Test {
 protected:
  TypedDataRules() {
    EXPECT_EQ(world.make_phrase(24), Error::ok);
    signer = world.describe().address;
  }
  Reply ask(const OwnedTypedData& data, const SignedAssertion& assertion,
            const protocol::EoaKey& eoa = {kChain, 0, 0}) {
    const OwnedProof proof = world.host.proof(world.wallet);
    return world.host.ask(Command::sign_typed_data,
                          protocol::SignTypedDataRequest{proof.view(), eoa, data.view(), assertion.view()});
  }
  Error sign(const OwnedTypedData& data) { return ask(data, world.passkey.sign(data.digest())).error; }
  Reply ask_account(const OwnedTypedData& data, const SignedAssertion& assertion) {
    protocol::SignAccountMessageRequest request;
    const OwnedProof proof = world.host.proof(world.wallet);
    request.record = proof.view();
    request.chain_id = kChain;
    request.account = world.account;
    request.data = data.view();
    request.assertion = assertion.view();
    return world.host.ask(Command::sign_account_message, request);
  }
  Error sign_account(const OwnedTypedData& data) {
    return ask_account(data, world.passkey.sign(data.nested(kChain, world.account))).error;
  }
  // Both kinds of signature refuse it for the same reason.
  void expect_both(const OwnedTypedData& data, Error error) {
    EXPECT_EQ(sign(data), error);
    EXPECT_EQ(sign_account(data), error);
  }
  EoaWorld world;
  Address signer{};
};

TEST_F(TypedDataRules, SignsWhatItHashedAndSaysWhatItIs) {
  const OwnedTypedData data;
  const Reply reply = ask(data, world.passkey.sign(data.digest()));
  ASSERT_EQ(reply.error, Error::ok);
  const auto answer = decoded<protocol::SignTypedDataReply>(reply.body);
  EXPECT_EQ(answer.digest, data.digest());
  EXPECT_EQ(answer.signer, signer);
  EXPECT_EQ(recover_address(answer.digest, answer.signature), signer);
  EXPECT_EQ(answer.summary.present, data.present);
  EXPECT_EQ(base::text(answer.summary.name), "Shop");
  EXPECT_EQ(answer.summary.chain_id, kChain);
  EXPECT_EQ(answer.summary.verifying_contract, kShop);
  EXPECT_EQ(base::text(answer.summary.primary_type), "Order");
  OwnedTypedData other = data;
  other.values.back()++;
  EXPECT_EQ(ask(data, world.passkey.sign(other.digest())).error, Error::challenge_mismatch);
}

TEST_F(TypedDataRules, AnAccountSignsTheNestedFormWithItsServerKey) {
  const OwnedTypedData data;
  const Bytes32 digest = data.nested(kChain, world.account);
  const Reply reply = ask_account(data, world.passkey.sign(digest));
  ASSERT_EQ(reply.error, Error::ok);
  const auto answer = decoded<protocol::SignAccountMessageReply>(reply.body);
  EXPECT_EQ(answer.digest, digest);
  EXPECT_EQ(recover_address(digest, answer.signature), world.server_key);
  EXPECT_EQ(base::text(answer.summary.primary_type), "Order");
  // An assertion over the message as it is, or nested for another account, is none over this.
  EXPECT_EQ(ask_account(data, world.passkey.sign(data.digest())).error, Error::challenge_mismatch);
  EXPECT_EQ(ask_account(data, world.passkey.sign(data.nested(kChain, kShop))).error, Error::challenge_mismatch);
  EXPECT_EQ(ask_account(data, world.passkey.sign(data.nested(1, world.account))).error, Error::challenge_mismatch);
}

TEST_F(TypedDataRules, AnAccountSignsPersonalMessagesNested) {
  protocol::SignAccountMessageRequest request;
  const Bytes message = to_bytes("log in to the library");
  const OwnedProof proof = world.host.proof(world.wallet);
  request.record = proof.view();
  request.chain_id = kChain;
  request.account = world.account;
  request.kind = protocol::AccountMessageKind::personal;
  request.message = message;
  const Bytes32 digest = ethereum::nested_personal_digest(kChain, world.account, message);
  const SignedAssertion assertion = world.passkey.sign(digest);
  request.assertion = assertion.view();
  const Reply reply = world.host.ask(Command::sign_account_message, request);
  ASSERT_EQ(reply.error, Error::ok);
  const auto answer = decoded<protocol::SignAccountMessageReply>(reply.body);
  EXPECT_EQ(recover_address(digest, answer.signature), world.server_key);
  const SignedAssertion plain = world.passkey.sign(ethereum::personal_message_hash(message));
  request.assertion = plain.view();
  EXPECT_EQ(world.host.refusal(Command::sign_account_message, request), Error::challenge_mismatch);
  request.account = kStranger;
  EXPECT_EQ(world.host.refusal(Command::sign_account_message, request), Error::sender_not_account);
  request.account = world.account;
  request.chain_id = kOtherChain;
  EXPECT_EQ(world.host.refusal(Command::sign_account_message, request), Error::sender_not_account);
  request.chain_id = 5;
  EXPECT_EQ(world.host.refusal(Command::sign_account_message, request), Error::unknown_chain);
  request.chain_id = kChain;
  request.kind = static_cast<protocol::AccountMessageKind>(3);
  EXPECT_EQ(world.host.refusal(Command::sign_account_message, request), Error::malformed_request);
}

TEST_F(TypedDataRules, RefusesDomainsOfEntryPoints) {
  OwnedTypedData data;
  for (const Address& entry_point : {kEntryPoint7, kEntryPoint8}) {
    data.contract = entry_point;
    expect_both(data, Error::typed_data_of_entry_point);
    // Without a chain id it would count on every chain.
    data.present = protocol::kDomainContract;
    expect_both(data, Error::typed_data_of_entry_point);
    data.present = OwnedTypedData{}.present;
  }
  data = {};
  data.name = "ERC4337";
  expect_both(data, Error::typed_data_of_entry_point);
}

TEST_F(TypedDataRules, RefusesDomainsOfAccounts) {
  OwnedTypedData data;
  data.contract = world.account;
  expect_both(data, Error::typed_data_of_account);
  data.present = protocol::kDomainName | protocol::kDomainContract;
  expect_both(data, Error::typed_data_of_account);
  data = {};
  data.name = "CommunityAccount";
  expect_both(data, Error::typed_data_of_account);
}

// The hash of an operation for EntryPoint 0.8, and an action of the account, as typed data.
TEST_F(TypedDataRules, RefusesOperationsAndActionsInDisguise) {
  OwnedTypedData operation;
  operation.name = "ERC4337";
  operation.contract = kEntryPoint8;
  operation.types = {
      "PackedUserOperation(address sender,uint256 nonce,bytes initCode,bytes callData,bytes32 accountGasLimits,"
      "uint256 preVerificationGas,bytes32 gasFees,bytes paymasterAndData)"};
  const TestUserop userop = world.good_userop();
  const protocol::UseropFields fields = userop.fields();
  Bytes length(4);
  base::store_be(length.data(), static_cast<std::uint32_t>(fields.call_data.size()));
  operation.values = join({fields.sender, fields.nonce, Bytes(4), length, fields.call_data, fields.account_gas_limits,
                           fields.pre_verification_gas, fields.gas_fees, Bytes(4)});
  // It is that hash indeed.
  EXPECT_EQ(operation.digest(), world.hash(userop));
  expect_both(operation, Error::typed_data_of_entry_point);
  OwnedTypedData action;
  action.name = "CommunityAccount";
  action.contract = world.account;
  action.types = {"Freeze(uint32 keyEpoch,uint256 nonce,uint48 deadline)"};
  action.values = Bytes(96);
  expect_both(action, Error::typed_data_of_account);
}

TEST_F(TypedDataRules, RefusesAnotherChain) {
  OwnedTypedData data;
  data.chain_id = kOtherChain;
  expect_both(data, Error::typed_data_other_chain);
  EXPECT_EQ(ask(data, world.passkey.sign(data.digest()), {kOtherChain, 0, 0}).error, Error::ok);
  EXPECT_EQ(ask(data, world.passkey.sign(data.digest()), {5, 0, 0}).error, Error::unknown_chain);
}

TEST_F(TypedDataRules, ADomainWithoutFieldsIsMalformed) {
  OwnedTypedData data;
  data.present = 0;
  expect_both(data, Error::malformed_request);
  data.present = 32;
  expect_both(data, Error::malformed_request);
}

TEST_F(TypedDataRules, RefusesTypesThatAreNotInTheOneForm) {
  const std::vector<std::vector<std::string>> bad{
      {""},
      {"Order"},
      {"Order("},
      {"Order(address buyer"},
      {"Order(address buyer,)"},
      {"Order(,address buyer)"},
      {"Order(address buyer)x"},
      {"Order(address  buyer)"},
      {"Order(address buyer, uint256 price)"},
      {"Order(address buyer,address buyer)"},
      {"Order(address)"},
      {"Order(Address buyer)"},
      {"Order(uint buyer)"},
      {"Order(int buyer)"},
      {"Order(uint7 buyer)"},
      {"Order(uint264 buyer)"},
      {"Order(uint08 buyer)"},
      {"Order(bytes33 buyer)"},
      {"Order(bytes0 buyer)"},
      {"Order(address[0] buyer)"},
      {"Order(address[01] buyer)"},
      {"Order(address[ buyer)"},
      {"Order(address] buyer)"},
      {"Order(address[x] buyer)"},
      {"Order(address[99999] buyer)"},
      {"1Order(address buyer)"},
      {"Or-der(address buyer)"},
      {"address(address buyer)"},
      {"uint(address buyer)"},
      {"EIP712Domain(address buyer)"},
      // Not part of the message, twice, not in order
      {"Order(address buyer)", "Other(address buyer)"},
      {"Order(Order buyer)", "Order(Order buyer)"},
      {"Order(Item buyer)", "Item(address who)"},
  };
  for (const auto& types : bad) {
    OwnedTypedData data;
    data.types = types;
    EXPECT_EQ(sign(data), Error::typed_data_types_malformed) << types[0];
  }
  OwnedTypedData data;
  data.types = {};
  EXPECT_EQ(sign(data), Error::malformed_request);
  data = {};
  data.primary = 1;
  EXPECT_EQ(sign(data), Error::malformed_request);
}

TEST_F(TypedDataRules, RefusesValuesThatAreNotOfTheirTypes) {
  auto refuses = [&](const std::string& type, const Bytes& values) {
    OwnedTypedData data;
    data.types = {"Order(" + type + " x)"};
    data.values = values;
    EXPECT_EQ(sign(data), Error::typed_data_values_malformed) << type << " " << to_hex(values);
  };
  auto takes = [&](const std::string& type, const Bytes& values) {
    OwnedTypedData data;
    data.types = {"Order(" + type + " x)"};
    data.values = values;
    EXPECT_EQ(sign(data), Error::ok) << type << " " << to_hex(values);
  };
  const Bytes minus_one(32, 0xff);
  Bytes low = Bytes(32), high = Bytes(32);
  low[31] = 0x80;
  high[30] = 1;
  takes("bool", {1});
  refuses("bool", {2});
  refuses("bool", {});
  takes("uint8", low);
  refuses("uint8", high);
  refuses("uint8", minus_one);
  takes("int8", minus_one);
  refuses("int8", low);
  Bytes smallest = minus_one;
  smallest[31] = 0x80;
  takes("int8", smallest);
  smallest[31] = 0x7f;
  refuses("int8", smallest);
  refuses("address", Bytes(19));
  refuses("address", Bytes(21));
  takes("bytes4", Bytes(4));
  refuses("bytes4", Bytes(5));
  takes("bytes", unhex("00000001aa"));
  refuses("bytes", unhex("00000002aa"));
  refuses("bytes", unhex("00000000aa"));
  refuses("string", unhex("ffffffff"));
  refuses("string", unhex("000000"));
  takes("bool[]", unhex("00020100"));
  refuses("bool[]", unhex("000301"));
  refuses("bool[]", unhex("00"));
  takes("bool[2]", unhex("0100"));
  refuses("bool[2]", unhex("01"));
  refuses("bool[2]", unhex("010001"));
}

TEST_F(TypedDataRules, RefusesWhatIsTooDeepOrTooMuch) {
  OwnedTypedData data;
  // Twelve structs inside one another, then thirteen.
  for (const std::size_t levels : {12u, 13u}) {
    data.types.clear();
    for (std::size_t i = 0; i + 1 < levels; i++)
      data.types.push_back(std::string(1, static_cast<char>('A' + i)) + "(" + static_cast<char>('B' + i) + " x)");
    data.types.push_back(std::string(1, static_cast<char>('A' + levels - 1)) + "(bool x)");
    data.values = {1};
    EXPECT_EQ(sign(data), levels == 12 ? Error::ok : Error::typed_data_too_complex) << levels;
  }
  // A list of itself ends where the depth does.
  data.types = {"Tree(Tree[] branches)"};
  data.values = unhex("0001000100010001000100010001");
  EXPECT_EQ(sign(data), Error::typed_data_too_complex);
  data.values = unhex("000100010000");
  EXPECT_EQ(sign(data), Error::ok);
  // Values that take no bytes are counted too.
  data.types = {"Many(None[4095] x)", "None()"};
  data.values = {};
  EXPECT_EQ(sign(data), Error::ok);
  data.types = {"Many(None[4096] x)", "None()"};
  EXPECT_EQ(sign(data), Error::typed_data_too_complex);
  data.types = {"Many(None[4095][4095] x)", "None()"};
  EXPECT_EQ(sign(data), Error::typed_data_too_complex);
  // Members, bytes of all definitions
  std::string members;
  for (int i = 0; i < 33; i++) members += (i == 0 ? "bool m" : ",bool m") + std::to_string(i);
  data.types = {"Wide(" + members + ")"};
  data.values = Bytes(33);
  EXPECT_EQ(sign(data), Error::typed_data_too_complex);
  const std::string padding(900, 'x');
  data.types = {"A(B a,C b,D c,E d,F e,G f,H g,I h,J i)"};
  for (char c = 'B'; c <= 'J'; c++) data.types.push_back(std::string(1, c) + "(bool " + padding + ")");
  data.values = Bytes(9);
  EXPECT_EQ(sign(data), Error::typed_data_too_complex);
}

TEST_F(TypedDataRules, AnAccountSignsNoPermits) {
  const std::vector<std::vector<std::string>> permits{
      {"Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"},
      {"Permit(address holder,address spender,uint256 nonce,uint256 expiry,bool allowed)"},
      {"PermitDetails(address token)", "PermitSingle(PermitDetails details,address spender)"},
      {"PermitBatch(address x)"},
      {"PermitTransferFrom(address x)"},
      {"PermitBatchTransferFrom(address x)"},
      {"PermitWitnessTransferFrom(address x)"},
      {"PermitBatchWitnessTransferFrom(address x)"},
      {"TransferWithAuthorization(address from)"},
      {"ReceiveWithAuthorization(address from)"},
      // By another name, and not at the top
      {"Allowance(address spender,uint160 amount)"},
      {"Inner(uint256 value,address spender)", "Outer(bool x,Inner y)"},
      {"Inner(bool allowed,address spender)", "Outer(Inner[] y)"},
      {"Outer(Permit x)", "Permit(bool y)"},
  };
  for (const auto& types : permits) {
    OwnedTypedData data;
    data.types = types;
    data.primary = static_cast<std::uint8_t>(types.size() - 1);
    if (types[0].starts_with("Outer")) data.primary = 0;
    // Values do not matter: the types alone are refused.
    EXPECT_EQ(sign_account(data), Error::typed_data_is_permit) << types[0];
  }
  OwnedTypedData data;
  data.types = {"Order(address spender,uint256 price)"};
  EXPECT_EQ(sign_account(data), Error::ok);
  data.types = {"Order(address buyer,uint256 amount)"};
  EXPECT_EQ(sign_account(data), Error::ok);
  // A key of one's own has no limits of tokens that a permit could pass by.
  data.types = {"Permit(address spender,uint256 value)"};
  EXPECT_EQ(sign(data), Error::ok);
}

TEST_F(TypedDataRules, AnAccountSignsOnlyContentsThatErc7739Nests) {
  OwnedTypedData data;
  data.types = {"order(address buyer,uint256 price)"};
  EXPECT_EQ(sign_account(data), Error::typed_data_types_malformed);
  EXPECT_EQ(sign(data), Error::ok);
  data.types = {"TypedDataSign(address buyer,uint256 price)"};
  EXPECT_EQ(sign_account(data), Error::typed_data_types_malformed);
}

TEST_F(TypedDataRules, ObeysTheListOfContracts) {
  world.policy.flags = protocol::kPolicyListedOnly | protocol::kPolicyAnyTransfer;
  world.policy.rule_count = 2;
  world.policy.rules[0] = {kShop, {}, protocol::kRuleAnyFunction};
  world.policy.rules[1] = {kStranger, {1, 2, 3, 4}, 0};
  ASSERT_EQ(world.set_policy(world.policy), Error::ok);
  OwnedTypedData data;
  expect_both(data, Error::ok);
  data.contract = kStranger;
  expect_both(data, Error::function_not_allowed);
  data.contract = kFactory;
  expect_both(data, Error::contract_not_allowed);
  data.present = protocol::kDomainName;
  expect_both(data, Error::contract_not_allowed);
}

}  // namespace
}  // namespace community::trusted::testing
