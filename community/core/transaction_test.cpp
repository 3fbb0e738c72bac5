// SPDX-License-Identifier: Apache-2.0
// Transactions of every type: encoding and decoding are inverse, the sender is recovered, and each broken rule of a
// hand-damaged transaction is named.
#include "community/core/transaction.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <random>

#include "community/core/rlp.hpp"
#include "trusted/base/keccak.hpp"

namespace community::core {
namespace {

using Type = TransactionType;

const Bytes32 kKey = base::keccak256(base::view("a key"));

struct Generator {
  std::mt19937_64 random{10};

  Uint256 number(std::size_t bytes) {
    Bytes out(random() % (bytes + 1));
    for (auto& byte : out) byte = static_cast<std::uint8_t>(random());
    return Uint256::from_be(out);
  }
  template <std::size_t N>
  std::array<std::uint8_t, N> array() {
    std::array<std::uint8_t, N> out;
    for (auto& byte : out) byte = static_cast<std::uint8_t>(random());
    return out;
  }

  Transaction transaction(Type type) {
    Transaction tx;
    tx.type = type;
    if (type != Type::legacy || random() % 2 == 0) tx.chain_id = number(8);
    tx.nonce = number(7).limb[0];
    if (type == Type::legacy || type == Type::access_list) {
      tx.gas_price = number(10);
    } else {
      tx.max_priority_fee_per_gas = number(8);
      tx.max_fee_per_gas = *add(tx.max_priority_fee_per_gas, number(8));
    }
    tx.gas_limit = number(8);
    if (type >= Type::blob || random() % 3 != 0) tx.to = array<20>();
    tx.value = number(32);
    tx.data.resize(random() % 100);
    for (std::uint64_t i = random() % 3; type != Type::legacy && i > 0; i--) {
      AccessTuple tuple{array<20>(), {}};
      for (std::uint64_t k = random() % 3; k > 0; k--) tuple.storage_keys.push_back(array<32>());
      tx.access_list.push_back(tuple);
    }
    if (type == Type::blob) {
      tx.max_fee_per_blob_gas = number(8);
      tx.blob_versioned_hashes = {array<32>(), array<32>()};
      for (auto& hash : tx.blob_versioned_hashes) hash[0] = 1;
    }
    if (type == Type::set_code) {
      Authorization authorization;
      authorization.chain_id = number(8);
      authorization.address = array<20>();
      authorization.nonce = number(7).limb[0];
      tx.authorization_list.push_back(sign_authorization(authorization, kKey).value());
    }
    return tx;
  }
};

const Type kTypes[] = {Type::legacy, Type::access_list, Type::dynamic_fee, Type::blob, Type::set_code};

TEST(Transaction, DecodesWhatItSignedAndRecoversTheSender) {
  Generator generator;
  const Address sender = address_of(public_key_of(kKey).value());
  for (Type type : kTypes)
    for (int i = 0; i < 100; i++) {
      const Transaction tx = sign_transaction(generator.transaction(type), kKey).value();
      const Bytes encoded = tx.signed_encoding().value();
      const auto decoded = decode_transaction(encoded);
      ASSERT_TRUE(decoded) << decoded.error().text();
      ASSERT_EQ(*decoded, tx);
      ASSERT_EQ(decoded->sender().value(), sender);
      ASSERT_EQ(decoded->hash().value(), base::keccak256(encoded));
    }
}

TEST(Transaction, WhateverIsAcceptedIsCanonical) {
  Generator generator;
  int accepted = 0;
  for (int i = 0; i < 20'000; i++) {
    Bytes encoded = sign_transaction(generator.transaction(kTypes[i % 5]), kKey)->signed_encoding().value();
    encoded[generator.random() % encoded.size()] = static_cast<std::uint8_t>(generator.random());
    const auto decoded = decode_transaction(encoded);
    if (!decoded) continue;
    accepted++;
    ASSERT_EQ(decoded->signed_encoding().value(), encoded);
  }
  EXPECT_GT(accepted, 1000) << "the property was never put to the test";
}

TEST(Transaction, HashesTheExampleOfEip155) {
  Transaction tx;
  tx.type = Type::legacy;
  tx.chain_id = Uint256(1);
  tx.nonce = 9;
  tx.gas_price = Uint256(20'000'000'000);
  tx.gas_limit = Uint256(21000);
  tx.to.emplace();
  tx.to->fill(0x35);
  tx.value = Uint256(1'000'000'000'000'000'000);
  EXPECT_EQ(to_plain_hex(tx.signing_hash()), "daf5a779ae972f972197303d7b574746c7ef83eadac0f2791ad23db92e4c8e53");
  Bytes32 key;
  key.fill(0x46);
  EXPECT_EQ(to_plain_hex(sign_transaction(tx, key)->signature->r),
            "28ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276");
}

// Encodes the transaction with one field replaced by raw RLP.
std::string with_field(Type type, std::size_t field, std::string_view raw_hex) {
  Generator generator;
  Transaction tx = generator.transaction(type);
  tx.chain_id = Uint256(1);
  const Bytes encoded = sign_transaction(tx, kKey)->signed_encoding().value();
  const std::size_t prefix = type == Type::legacy ? 0 : 1;
  const RlpItem list = rlp_decode(ByteView(encoded).subspan(prefix)).value();
  RlpWriter rlp;
  rlp.add_raw(ByteView(encoded).first(prefix));
  const std::size_t start = rlp.begin_list();
  const std::function<void(const RlpItem&)> copy = [&](const RlpItem& item) {
    if (!item.is_list) return rlp.add(item.payload);
    const std::size_t inner = rlp.begin_list();
    for (const RlpItem& child : item.items) copy(child);
    rlp.end_list(inner);
  };
  for (std::size_t i = 0; i < list.items.size(); i++) {
    if (i == field) {
      rlp.add_raw(parse_hex(raw_hex, HexPrefix::optional).value());
    } else {
      copy(list.items[i]);
    }
  }
  rlp.end_list(start);
  const auto decoded = decode_transaction(rlp.bytes());
  return decoded ? "accepted" : std::string(name(decoded.error().code));
}

TEST(Transaction, RefusesByName) {
  const std::string high_s = "a0" + std::string(64, 'e'), zero = "80";
  EXPECT_EQ(with_field(Type::legacy, 8, high_s), "signature_high_s");
  EXPECT_EQ(with_field(Type::dynamic_fee, 11, high_s), "signature_high_s");
  EXPECT_EQ(with_field(Type::dynamic_fee, 11, zero), "signature_out_of_range");
  EXPECT_EQ(with_field(Type::dynamic_fee, 10, zero), "signature_out_of_range");
  EXPECT_EQ(with_field(Type::dynamic_fee, 9, "02"), "signature_y_parity");
  EXPECT_EQ(with_field(Type::dynamic_fee, 9, "1b"), "signature_y_parity");
  EXPECT_EQ(with_field(Type::legacy, 6, "1d"), "transaction_v_invalid");
  EXPECT_EQ(with_field(Type::legacy, 6, "22"), "transaction_v_invalid");
  EXPECT_EQ(with_field(Type::legacy, 6, "1c"), "accepted");
  EXPECT_EQ(with_field(Type::legacy, 0, "00"), "rlp_integer_leading_zero");
  EXPECT_EQ(with_field(Type::legacy, 0, "c0"), "rlp_string_expected");
  EXPECT_EQ(with_field(Type::legacy, 0, "88ffffffffffffffff"), "transaction_nonce_too_high");
  EXPECT_EQ(with_field(Type::legacy, 0, "89010000000000000000"), "rlp_integer_out_of_range");
  EXPECT_EQ(with_field(Type::legacy, 3, "821234"), "transaction_to_length");
  EXPECT_EQ(with_field(Type::legacy, 5, "c0"), "rlp_string_expected");
  EXPECT_EQ(with_field(Type::legacy, 5, ""), "rlp_wrong_item_count");
  EXPECT_EQ(with_field(Type::legacy, 5, "8080"), "transaction_v_invalid") << "one field more shifts the others";
  EXPECT_EQ(with_field(Type::access_list, 7, "80"), "rlp_list_expected");
  EXPECT_EQ(with_field(Type::access_list, 7, "c1c0"), "rlp_wrong_item_count");
  EXPECT_EQ(with_field(Type::access_list, 7, "c3c28080"), "transaction_to_length");
  EXPECT_EQ(with_field(Type::access_list, 7, "d8d794" + std::string(40, '1') + "c101"),
            "transaction_storage_key_length");
  EXPECT_EQ(with_field(Type::dynamic_fee, 2, "a0" + std::string(64, 'f')), "transaction_priority_fee_above_max_fee");
  EXPECT_EQ(with_field(Type::blob, 5, "80"), "transaction_to_missing");
  EXPECT_EQ(with_field(Type::blob, 10, "c0"), "transaction_no_blobs");
  EXPECT_EQ(with_field(Type::blob, 10, "e1a0" + std::string(64, '2')), "transaction_blob_hash_version");
  EXPECT_EQ(with_field(Type::set_code, 9, "c0"), "transaction_no_authorizations");
  EXPECT_EQ(with_field(Type::set_code, 5, "80"), "transaction_to_missing");
  EXPECT_EQ(decode_transaction(Bytes{0x05, 0xc0}).error().code, ErrorCode::transaction_type_unknown);
  EXPECT_EQ(decode_transaction(Bytes{0x00, 0xc0}).error().code, ErrorCode::transaction_type_unknown);
  EXPECT_EQ(decode_transaction({}).error().code, ErrorCode::rlp_truncated);
  EXPECT_EQ(decode_transaction(Bytes(kMaxTransactionBytes + 1)).error().code, ErrorCode::transaction_too_large);
  EXPECT_EQ(Transaction().signed_encoding().error().code, ErrorCode::transaction_unsigned);
  EXPECT_EQ(sign_transaction(Transaction(), kKey).error().code, ErrorCode::transaction_chain_id_missing);
}

TEST(Transaction, LargestChainIdStillHasAV) {
  Transaction tx;
  tx.type = Type::legacy;
  tx.chain_id = *subtract(max_of_bits(255), Uint256(18));
  const Transaction signed_tx = sign_transaction(tx, kKey).value();
  EXPECT_EQ(decode_transaction(signed_tx.signed_encoding().value()).value(), signed_tx);
  tx.chain_id = *add(*tx.chain_id, Uint256(1));
  EXPECT_EQ(sign_transaction(tx, kKey).error().code, ErrorCode::transaction_v_invalid);
}

TEST(Authorization, AuthorityIsTheSigner) {
  Authorization authorization;
  authorization.chain_id = Uint256(1);
  authorization.nonce = 7;
  const Authorization done = sign_authorization(authorization, kKey).value();
  EXPECT_EQ(done.authority().value(), address_of(public_key_of(kKey).value()));
  Authorization other = done;
  other.nonce++;
  EXPECT_NE(other.authority().value_or(Address{}), done.authority().value());
}

TEST(Signature, RefusesByName) {
  const Bytes32 digest = base::keccak256(base::view("digest"));
  const Signature good = sign_digest(kKey, digest).value();
  EXPECT_EQ(recover_address(digest, good).value(), address_of(public_key_of(kKey).value()));
  EXPECT_EQ(parse_rsv(good.to_rsv()).value(), good);
  const auto refusal = [&](auto change) {
    Signature changed = good;
    change(changed);
    const auto key = recover_public_key(digest, changed);
    return key ? "accepted" : std::string(name(key.error().code));
  };
  EXPECT_EQ(refusal([](Signature& s) { s.y_parity = 2; }), "signature_y_parity");
  EXPECT_EQ(refusal([](Signature& s) { s.r = {}; }), "signature_out_of_range");
  EXPECT_EQ(refusal([](Signature& s) { s.s = {}; }), "signature_out_of_range");
  EXPECT_EQ(refusal([](Signature& s) { s.r.fill(0xff); }), "signature_out_of_range");
  EXPECT_EQ(refusal([](Signature& s) { s.s.fill(0xee); }), "signature_high_s");
  EXPECT_EQ(parse_rsv(Bytes(64)).error().code, ErrorCode::signature_length);
  Bytes rsv = to_bytes(good.to_rsv());
  rsv[64] = 29;
  EXPECT_EQ(parse_rsv(rsv).error().code, ErrorCode::signature_y_parity);
  EXPECT_EQ(sign_digest(Bytes32{}, digest).error().code, ErrorCode::private_key_out_of_range);
  Bytes32 order;
  order.fill(0xff);
  EXPECT_EQ(public_key_of(order).error().code, ErrorCode::private_key_out_of_range);
}

TEST(Signature, KeysHaveTwoForms) {
  const PublicKey key = public_key_of(kKey).value();
  EXPECT_EQ(parse_public_key(compress(key)).value(), key);
  Bytes sec1{4};
  append(sec1, key);
  EXPECT_EQ(parse_public_key(sec1).value(), key);
  sec1[0] = static_cast<std::uint8_t>(6 + (key[63] & 1));
  EXPECT_EQ(parse_public_key(sec1).error().code, ErrorCode::public_key_invalid) << "hybrid form";
  sec1[0] = 4;
  sec1[64] ^= 1;
  EXPECT_EQ(parse_public_key(sec1).error().code, ErrorCode::public_key_invalid);
}

TEST(Message, DigestOfThePersonalPrefix) {
  EXPECT_EQ(to_plain_hex(personal_message_digest(base::view("hello world"))),
            "d9eba16ed0ecae432b71fe008c98cc872bb4cc214d3220a36f365326cf807d68");
}

}  // namespace
}  // namespace community::core
