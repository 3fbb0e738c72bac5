// SPDX-License-Identifier: Apache-2.0
// Rules 6 and 8: the phrase leaves encrypted to a page, the session key follows from a passkey's PRF output, and the
// content root outlives passkeys and root keys.
#include <gtest/gtest.h>

#include "trusted/base/keccak.hpp"
#include "trusted/core/phrase.hpp"
#include "trusted/hpke/hpke.hpp"
#include "trusted/process/crypto.hpp"
#include "trusted/tests/support/account.hpp"
#include "trusted/tests/support/eoa.hpp"
#include "trusted/tests/support/root_keys.hpp"

namespace community::trusted::testing {
namespace {

namespace json = boost::json;
using protocol::HpkeKey;
using protocol::SealedMessage;
using protocol::WalletChange;
using protocol::WalletChangeKind;

json::value read_json(const std::string& path) { return json::parse(read_source(path)); }
Bytes bytes_of(const json::value& object, const char* name) { return unhex(object.at(name).as_string().c_str()); }
template <std::size_t N>
std::array<std::uint8_t, N> fixed_of(const json::value& object, const char* name) {
  return fixed<N>(object.at(name).as_string().c_str());
}

class Secrets : public ::testing::Test {
 protected:
  // A page: its key pair, and what it seals to the core.
  struct Page {
    Bytes32 secret{};
    HpkeKey key{};
  };
  struct Sealed {
    HpkeKey enc{};
    Bytes cipher;
    SealedMessage view() const { return {enc, cipher}; }
  };

  Secrets() {
    use_software_crypto(port);
    EXPECT_TRUE(hpke::make_key_pair(port, page.secret, page.key));
    core_key = world.host.status().hpke_key;
  }
  static Bytes info_of(std::string_view purpose, const protocol::RecordId& wallet, ByteView more = {}) {
    return join({base::view(purpose), wallet, more});
  }
  Sealed seal(ByteView plain, ByteView info) {
    Sealed message;
    message.cipher.resize(plain.size() + hpke::kTag);
    EXPECT_TRUE(hpke::seal(port, core_key, info, {}, plain, message.enc, message.cipher));
    return message;
  }
  // Opens an answer with the page's key; empty when it does not open.
  Bytes open(const Reply& reply, std::string_view purpose) {
    SealedMessage message;
    if (reply.error != Error::ok || !protocol::decode(reply.body, message)) return {};
    Bytes plain(message.cipher.size() - hpke::kTag);
    if (!hpke::open(port, page.secret, page.key, message.enc, info_of(purpose, world.wallet.id), {}, message.cipher,
                    plain))
      return {};
    return plain;
  }
  Reply export_phrase(const HpkeKey& recipient, const SignedAssertion& assertion) {
    const OwnedProof proof = world.host.proof(world.wallet);
    return world.host.ask(Command::phrase_export,
                          protocol::PhraseExportRequest{proof.view(), recipient, assertion.view()});
  }
  Reply export_phrase(const HpkeKey& recipient) {
    return export_phrase(recipient, world.passkey.sign(protocol::phrase_export_challenge(world.wallet.id, recipient)));
  }
  Reply ask_sealed(Command command, const Sealed& message, const SignedAssertion& assertion) {
    const OwnedProof proof = world.host.proof(world.wallet);
    return world.host.ask(command, protocol::SealedRequest{proof.view(), message.view(), assertion.view()});
  }
  static std::string_view purpose_of(Command command) {
    return command == Command::session_secret ? protocol::kSessionSecret : protocol::kContentRootOpen;
  }
  Reply ask_sealed(Command command, ByteView output, const SoftPasskey& passkey) {
    const std::string_view purpose = purpose_of(command);
    const Sealed message = seal(join({output, page.key}), info_of(purpose, world.wallet.id));
    return ask_sealed(command, message,
                      passkey.sign(protocol::sealed_request_challenge(purpose, world.wallet.id, message.view())));
  }
  Bytes session_key(ByteView output, const SoftPasskey& passkey) {
    return open(ask_sealed(Command::session_secret, output, passkey), protocol::kSessionSecretReply);
  }
  Bytes content_root(ByteView output, const SoftPasskey& passkey) {
    return open(ask_sealed(Command::content_root_open, output, passkey), protocol::kContentRootReply);
  }
  Error apply(const WalletChange& change, const SoftPasskey& signer) {
    const Uncommitted update = world.update(world.wallet, change, signer);
    if (update.error != Error::ok) return update.error;
    world.wallet = update.record;
    return world.host.commit().error;
  }
  Error add(const SoftPasskey& passkey) {
    WalletChange change;
    change.kind = WalletChangeKind::add_passkey;
    change.passkey = passkey.passkey();
    return apply(change, world.passkey);
  }
  Error remove(const SoftPasskey& passkey, const SoftPasskey& signer) {
    WalletChange change;
    change.kind = WalletChangeKind::remove_passkey;
    change.passkey = passkey.passkey();
    return apply(change, signer);
  }
  Sealed sealed_prf(ByteView output, const SoftPasskey& of) {
    return seal(output, info_of(protocol::kContentRootWrap, world.wallet.id, of.passkey().credential_hash));
  }
  Error wrap(const SoftPasskey& signer, const Sealed& own, const SoftPasskey& target, const Sealed* others) {
    WalletChange change;
    change.kind = WalletChangeKind::wrap_content_root;
    change.passkey.credential_hash = target.passkey().credential_hash;
    change.secret_count = others == nullptr ? 1 : 2;
    change.secrets[0] = own.view();
    if (others != nullptr) change.secrets[1] = others->view();
    return apply(change, signer);
  }
  Error make_root(ByteView output, const SoftPasskey& passkey) {
    return wrap(passkey, sealed_prf(output, passkey), passkey, nullptr);
  }
  Error carry_root(const SoftPasskey& from, ByteView from_prf, const SoftPasskey& to, ByteView to_prf) {
    const Sealed own = sealed_prf(from_prf, from), other = sealed_prf(to_prf, to);
    return wrap(from, own, to, &other);
  }

  EoaWorld world;
  Port port;
  Page page;
  HpkeKey core_key{};
  const Bytes prf = Bytes(32, 0x51), other_prf = Bytes(32, 0x52);
};

TEST_F(Secrets, TheCoreKeepsItsHpkeKey) {
  EXPECT_TRUE(port.p256_public_key_valid(nullptr, core_key.data() + 1));
  EXPECT_EQ(core_key[0], 4);
  ASSERT_EQ(world.host.restart(false), Error::ok);
  EXPECT_EQ(world.host.status().hpke_key, core_key);
  World another(2);
  EXPECT_NE(another.host.status().hpke_key, core_key);
}

TEST_F(Secrets, ThePhraseReachesThePageAndIsTheOneThatSigns) {
  for (const std::uint8_t words : {std::uint8_t{12}, std::uint8_t{24}}) {
    if (words == 24) world.wallet = world.make_wallet(world.passkey, world.policy);
    ASSERT_EQ(world.make_phrase(words), Error::ok);
    const Bytes entropy = open(export_phrase(page.key), protocol::kPhraseExport);
    ASSERT_EQ(entropy.size(), words == 12 ? 16u : 32u);
    WalletRecord copy;
    base::copy(copy.entropy, entropy);
    copy.entropy_size = static_cast<std::uint8_t>(entropy.size());
    phrase_seed(entropy, copy.seed);
    Bytes32 secret;
    ASSERT_EQ(derive_eoa_key(port, copy, kChain, 0, 0, secret), Error::ok);
    std::array<std::uint8_t, 64> key{};
    ASSERT_TRUE(port.secp256k1_public_key(nullptr, secret, key.data()));
    EXPECT_EQ(address_of(key.data()), world.describe().address);
  }
}

TEST_F(Secrets, NoReplyHoldsTheEntropyInClear) {
  ASSERT_EQ(world.make_phrase(24), Error::ok);
  const Reply reply = export_phrase(page.key);
  const Bytes entropy = open(reply, protocol::kPhraseExport);
  ASSERT_EQ(entropy.size(), 32u);
  EXPECT_EQ(std::search(reply.body.begin(), reply.body.end(), entropy.begin(), entropy.begin() + 8), reply.body.end());
  EXPECT_EQ(open(reply, protocol::kSessionSecretReply), Bytes{});
}

TEST_F(Secrets, ThePhraseLeavesOnlyToTheKeyThePasskeySignedFor) {
  ASSERT_EQ(world.make_phrase(12), Error::ok);
  HpkeKey other = core_key;
  const auto over_other = world.passkey.sign(protocol::phrase_export_challenge(world.wallet.id, other));
  EXPECT_EQ(export_phrase(page.key, over_other).error, Error::challenge_mismatch);
  protocol::RecordId foreign = world.wallet.id;
  foreign[0] ^= 1;
  const auto over_foreign = world.passkey.sign(protocol::phrase_export_challenge(foreign, page.key));
  EXPECT_EQ(export_phrase(page.key, over_foreign).error, Error::challenge_mismatch);
  const auto stranger = SoftPasskey(88).sign(protocol::phrase_export_challenge(world.wallet.id, page.key));
  EXPECT_EQ(export_phrase(page.key, stranger).error, Error::passkey_unknown);
  other[64] ^= 1;
  EXPECT_EQ(export_phrase(other).error, Error::hpke_key_invalid);
  other = page.key;
  other[0] = 3;
  EXPECT_EQ(export_phrase(other).error, Error::hpke_key_invalid);
}

TEST_F(Secrets, WithoutAPhraseThereIsNothingToExport) {
  EXPECT_EQ(export_phrase(page.key).error, Error::phrase_missing);
}

TEST_F(Secrets, PrfSaltAndSessionKeysEqualThoseOfOthers) {
  const json::value file = read_json("tests/vectors/session_secrets.json");
  const json::value& salt = file.at("prf_salt");
  EXPECT_EQ(salt.at("text").as_string(),
            json::string_view(protocol::kPrfSaltText.data(), protocol::kPrfSaltText.size()));
  EXPECT_EQ(to_bytes(base::sha256(base::view(protocol::kPrfSaltText))), bytes_of(salt, "sha256"));
  for (const json::value& vector : file.at("session_keys").as_array()) {
    const Bytes32 fingerprint = base::Sha3_256().add(bytes_of(vector, "prf_output")).finish();
    EXPECT_EQ(to_bytes(fingerprint), bytes_of(vector, "fingerprint_hash"));
    EXPECT_EQ(to_bytes(base::hmac_sha256(fingerprint, {bytes_of(vector, "tee_key")})), bytes_of(vector, "session_key"));
  }
  for (const json::value& vector : file.at("content_roots").as_array()) {
    const Bytes associated = join(
        {base::view("community content root"), bytes_of(vector, "wallet_id"), bytes_of(vector, "credential_hash")});
    Bytes root(32);
    ASSERT_TRUE(port.aes_gcm_open(nullptr, fixed_of<32>(vector, "session_key"), bytes_of(vector, "nonce").data(),
                                  associated, bytes_of(vector, "cipher"), bytes_of(vector, "tag").data(), root));
    EXPECT_EQ(root, bytes_of(vector, "content_root"));
  }
}

TEST_F(Secrets, TheSessionKeyFollowsFromPrfOutputAndContentSecret) {
  RecordHeader header;
  WalletRecord wallet;
  const Port body = world.host.store.port();
  ASSERT_EQ(open_record(body, world.host.core().state(), world.wallet.sealed, RecordType::wallet, header, wallet),
            Error::ok);
  const Bytes32 fingerprint = base::Sha3_256().add(prf).finish();
  EXPECT_EQ(session_key(prf, world.passkey), to_bytes(base::hmac_sha256(fingerprint, {wallet.content_secret})));
  EXPECT_EQ(session_key(prf, world.passkey), session_key(prf, world.passkey));
  EXPECT_NE(session_key(other_prf, world.passkey), session_key(prf, world.passkey));
}

TEST_F(Secrets, ASecretRequestNeedsAnAssertionOverExactlyIt) {
  for (const Command command : {Command::session_secret, Command::content_root_open}) {
    const std::string_view purpose = purpose_of(command);
    ASSERT_TRUE(command != Command::content_root_open || make_root(prf, world.passkey) == Error::ok);
    const Sealed message = seal(join({prf, page.key}), info_of(purpose, world.wallet.id));
    const Bytes32 challenge = protocol::sealed_request_challenge(purpose, world.wallet.id, message.view());
    EXPECT_EQ(ask_sealed(command, message, world.passkey.sign(challenge)).error, Error::ok);
    const Sealed again = seal(join({prf, page.key}), info_of(purpose, world.wallet.id));
    EXPECT_EQ(ask_sealed(command, again, world.passkey.sign(challenge)).error, Error::challenge_mismatch);
    const std::string_view crossed =
        purpose_of(command == Command::session_secret ? Command::content_root_open : Command::session_secret);
    const auto other = world.passkey.sign(protocol::sealed_request_challenge(crossed, world.wallet.id, message.view()));
    EXPECT_EQ(ask_sealed(command, message, other).error, Error::challenge_mismatch);
    EXPECT_EQ(ask_sealed(command, message, SoftPasskey(88).sign(challenge)).error, Error::passkey_unknown);
  }
}

TEST_F(Secrets, ARootKeyThatIsReplacedAndRetiredLosesNoneOfThem) {
  ASSERT_EQ(world.make_phrase(12), Error::ok);
  ASSERT_EQ(make_root(prf, world.passkey), Error::ok);
  const Bytes session = session_key(prf, world.passkey), root = content_root(prf, world.passkey);
  const Bytes phrase = open(export_phrase(page.key), protocol::kPhraseExport);
  ASSERT_TRUE(session.size() == 32 && root.size() == 32 && phrase.size() == 16);
  for (const std::uint32_t version : {2u, 3u}) {
    ASSERT_EQ(rotate(world.host, version), Error::ok);
    for (StoredRecord* record : {&world.wallet, &world.executor, &world.paymaster}) {
      const Uncommitted change = reseal(world.host, *record, true);
      ASSERT_EQ(change.error, Error::ok);
      *record = change.record;
    }
    ASSERT_EQ(world.host.commit().error, Error::ok);
    ASSERT_EQ(retire(world.host, version - 1), Error::ok);
    EXPECT_EQ(session_key(prf, world.passkey), session);
    EXPECT_EQ(content_root(prf, world.passkey), root);
    EXPECT_EQ(open(export_phrase(page.key), protocol::kPhraseExport), phrase);
    EXPECT_EQ(world.host.status().hpke_key, core_key);
  }
}

TEST_F(Secrets, MessagesForAnotherPurposeWalletOrCoreAreNotOpened) {
  const std::string_view purpose = protocol::kSessionSecret;
  auto refusal = [&](const Sealed& message) {
    const Bytes32 challenge = protocol::sealed_request_challenge(purpose, world.wallet.id, message.view());
    return ask_sealed(Command::session_secret, message, world.passkey.sign(challenge)).error;
  };
  const Bytes plain = join({prf, page.key}), info = info_of(purpose, world.wallet.id);
  EXPECT_EQ(refusal(seal(plain, info)), Error::ok);
  EXPECT_EQ(refusal(seal(plain, info_of(protocol::kContentRootOpen, world.wallet.id))), Error::hpke_message_not_opened);
  EXPECT_EQ(refusal(seal(plain, info_of(purpose, protocol::RecordId{}))), Error::hpke_message_not_opened);
  const HpkeKey right = std::exchange(core_key, page.key);
  EXPECT_EQ(refusal(seal(plain, info)), Error::hpke_message_not_opened);
  core_key = right;
  Sealed bent = seal(plain, info);
  bent.cipher[40] ^= 1;
  EXPECT_EQ(refusal(bent), Error::hpke_message_not_opened);
  bent = seal(plain, info);
  bent.enc[64] ^= 1;
  EXPECT_EQ(refusal(bent), Error::hpke_message_not_opened);
  // Too short, too long, a page's key that is none.
  EXPECT_EQ(refusal(seal(ByteView(plain).first(96), info)), Error::hpke_message_malformed);
  EXPECT_EQ(refusal(seal(join({plain, Bytes(1)}), info)), Error::hpke_message_malformed);
  EXPECT_EQ(refusal(seal(join({prf, Bytes(65)}), info)), Error::hpke_key_invalid);
  Bytes off_curve = plain;
  off_curve.back() ^= 1;
  EXPECT_EQ(refusal(seal(off_curve, info)), Error::hpke_key_invalid);
}

TEST_F(Secrets, TheContentRootIsMadeOnceAndStays) {
  EXPECT_EQ(ask_sealed(Command::content_root_open, prf, world.passkey).error, Error::content_root_missing);
  ASSERT_EQ(make_root(prf, world.passkey), Error::ok);
  const Bytes root = content_root(prf, world.passkey);
  ASSERT_EQ(root.size(), 32u);
  EXPECT_NE(root, session_key(prf, world.passkey));
  EXPECT_EQ(make_root(prf, world.passkey), Error::content_root_exists);
  EXPECT_EQ(ask_sealed(Command::content_root_open, other_prf, world.passkey).error, Error::content_root_other_secret);
  ASSERT_EQ(world.host.restart(false), Error::ok);
  EXPECT_EQ(content_root(prf, world.passkey), root);
}

TEST_F(Secrets, TheRecordHoldsTheRootUnderTheSessionKey) {
  ASSERT_EQ(make_root(prf, world.passkey), Error::ok);
  RecordHeader header;
  WalletRecord wallet;
  const Port body = world.host.store.port();
  ASSERT_EQ(open_record(body, world.host.core().state(), world.wallet.sealed, RecordType::wallet, header, wallet),
            Error::ok);
  ASSERT_EQ(wallet.root_count, 1);
  const WrappedRoot& wrapped = wallet.roots[0];
  EXPECT_EQ(wrapped.credential_hash, world.passkey.passkey().credential_hash);
  Bytes32 key{};
  base::copy(key, session_key(prf, world.passkey));
  const Bytes associated = join({base::view("community content root"), world.wallet.id, wrapped.credential_hash});
  Bytes root(32);
  ASSERT_TRUE(
      port.aes_gcm_open(nullptr, key, wrapped.nonce.data(), associated, wrapped.cipher, wrapped.tag.data(), root));
  EXPECT_EQ(root, content_root(prf, world.passkey));
}

TEST_F(Secrets, ASecondPasskeyOpensTheSameRootAndOutlivesTheFirst) {
  const SoftPasskey second(50), third(51);
  ASSERT_EQ(make_root(prf, world.passkey), Error::ok);
  const Bytes root = content_root(prf, world.passkey);
  ASSERT_EQ(add(second), Error::ok);
  EXPECT_EQ(ask_sealed(Command::content_root_open, other_prf, second).error, Error::content_root_not_wrapped);
  ASSERT_EQ(carry_root(world.passkey, prf, second, other_prf), Error::ok);
  EXPECT_EQ(content_root(other_prf, second), root);
  EXPECT_EQ(content_root(prf, world.passkey), root);
  // Its own secret opens it, not the other passkey's.
  EXPECT_EQ(ask_sealed(Command::content_root_open, prf, second).error, Error::content_root_other_secret);
  ASSERT_EQ(remove(world.passkey, second), Error::ok);
  EXPECT_EQ(content_root(other_prf, second), root);
  world.passkey = second;
  ASSERT_EQ(add(third), Error::ok);
  ASSERT_EQ(carry_root(second, other_prf, third, prf), Error::ok);
  EXPECT_EQ(content_root(prf, third), root);
  // A passkey whose secret changed is wrapped for again.
  ASSERT_EQ(carry_root(second, other_prf, third, Bytes(32, 7)), Error::ok);
  EXPECT_EQ(content_root(Bytes(32, 7), third), root);
}

TEST_F(Secrets, ARemovedPasskeysRootIsGone) {
  const SoftPasskey second(50);
  ASSERT_EQ(make_root(prf, world.passkey), Error::ok);
  ASSERT_EQ(add(second), Error::ok);
  ASSERT_EQ(carry_root(world.passkey, prf, second, other_prf), Error::ok);
  ASSERT_EQ(remove(second, world.passkey), Error::ok);
  ASSERT_EQ(add(second), Error::ok);
  EXPECT_EQ(ask_sealed(Command::content_root_open, other_prf, second).error, Error::content_root_not_wrapped);
}

TEST_F(Secrets, APasskeyThatAKeyChangeRemovedLosesItsRoot) {
  const SoftPasskey second(50);
  ASSERT_EQ(make_root(prf, world.passkey), Error::ok);
  ASSERT_EQ(add(second), Error::ok);
  ASSERT_EQ(carry_root(world.passkey, prf, second, other_prf), Error::ok);
  const Uncommitted answered = change_keys(world, key_change({}, {second.passkey()}), world.passkey);
  ASSERT_EQ(answered.error, Error::ok);
  ASSERT_EQ(world.host.commit().error, Error::ok);
  world.wallet = answered.record;
  ASSERT_EQ(add(second), Error::ok);
  EXPECT_EQ(ask_sealed(Command::content_root_open, other_prf, second).error, Error::content_root_not_wrapped);
}

TEST_F(Secrets, EightPasskeysHaveRoomAndNoMore) {
  ASSERT_EQ(make_root(prf, world.passkey), Error::ok);
  for (std::uint64_t i = 0; i < 20; i++) {
    const SoftPasskey next(60 + i);
    ASSERT_EQ(add(next), Error::ok) << i;
    ASSERT_EQ(carry_root(world.passkey, prf, next, other_prf), Error::ok) << i;
    if (i < 6) continue;
    ASSERT_EQ(remove(SoftPasskey(60 + i - 6), world.passkey), Error::ok) << i;
  }
  EXPECT_FALSE(content_root(other_prf, SoftPasskey(79)).empty());
  EXPECT_FALSE(content_root(prf, world.passkey).empty());
}

TEST_F(Secrets, WrappingNeedsBothSecretsForTheirOwnPasskeys) {
  const SoftPasskey second(50), stranger(51);
  ASSERT_EQ(add(second), Error::ok);
  EXPECT_EQ(carry_root(world.passkey, prf, second, other_prf), Error::content_root_missing);
  // Nobody makes a root for another, or carries one to himself.
  EXPECT_EQ(wrap(world.passkey, sealed_prf(prf, world.passkey), second, nullptr), Error::malformed_request);
  ASSERT_EQ(make_root(prf, world.passkey), Error::ok);
  EXPECT_EQ(carry_root(world.passkey, prf, world.passkey, other_prf), Error::malformed_request);
  EXPECT_EQ(carry_root(world.passkey, prf, stranger, other_prf), Error::passkey_unknown);
  EXPECT_EQ(carry_root(second, other_prf, world.passkey, prf), Error::content_root_not_wrapped);
  EXPECT_EQ(carry_root(world.passkey, other_prf, second, other_prf), Error::content_root_other_secret);
  const Sealed own = sealed_prf(prf, world.passkey), others = sealed_prf(other_prf, second);
  EXPECT_EQ(wrap(world.passkey, others, second, &others), Error::hpke_message_not_opened);
  EXPECT_EQ(wrap(world.passkey, own, second, &own), Error::hpke_message_not_opened);
  const Sealed shorter = sealed_prf(Bytes(31), second);
  EXPECT_EQ(wrap(world.passkey, own, second, &shorter), Error::hpke_message_malformed);
  EXPECT_EQ(wrap(world.passkey, own, second, &others), Error::ok);
}

TEST_F(Secrets, WithoutRandomnessNothingIsMadeOrSent) {
  world.host.store.fail_random(true);
  EXPECT_EQ(world.make_phrase(12), Error::random_failed);
  EXPECT_EQ(make_root(prf, world.passkey), Error::random_failed);
  EXPECT_EQ(ask_sealed(Command::session_secret, prf, world.passkey).error, Error::random_failed);
  world.host.store.fail_random(false);
  EXPECT_EQ(world.make_phrase(12), Error::ok);
  world.host.store.fail_random(true);
  EXPECT_EQ(export_phrase(page.key).error, Error::random_failed);
}

// A change is nothing before its COMMIT: the root it makes opens only afterwards.
TEST_F(Secrets, AnUncommittedRootDoesNotOpen) {
  const Sealed own = sealed_prf(prf, world.passkey);
  WalletChange change;
  change.kind = WalletChangeKind::wrap_content_root;
  change.passkey.credential_hash = world.passkey.passkey().credential_hash;
  change.secret_count = 1;
  change.secrets[0] = own.view();
  const Uncommitted update = world.update(world.wallet, change, world.passkey);
  ASSERT_EQ(update.error, Error::ok);
  EXPECT_EQ(ask_sealed(Command::content_root_open, prf, world.passkey).error, Error::content_root_missing);
  world.wallet = update.record;
  ASSERT_EQ(world.host.commit().error, Error::ok);
  EXPECT_FALSE(content_root(prf, world.passkey).empty());
}

TEST_F(Secrets, AWrapIsNotReplayed) {
  const SoftPasskey second(50);
  ASSERT_EQ(make_root(prf, world.passkey), Error::ok);
  ASSERT_EQ(add(second), Error::ok);
  const Sealed own = sealed_prf(prf, world.passkey), others = sealed_prf(other_prf, second);
  WalletChange change;
  change.kind = WalletChangeKind::wrap_content_root;
  change.passkey.credential_hash = second.passkey().credential_hash;
  change.secret_count = 2;
  change.secrets = {own.view(), others.view()};
  const Bytes bytes = encoded(change);
  const SignedAssertion assertion =
      world.passkey.sign(protocol::wallet_change_challenge(world.wallet.id, world.wallet.revision, bytes));
  ASSERT_EQ(apply(change, world.passkey), Error::ok);
  const OwnedProof proof = world.host.proof(world.wallet);
  EXPECT_EQ(
      world.host.refusal(Command::wallet_update, protocol::WalletUpdateRequest{proof.view(), bytes, assertion.view()}),
      Error::challenge_mismatch);
}

TEST_F(Secrets, ASealedRecordNeverShowsWhatItHolds) {
  ASSERT_EQ(world.make_phrase(12), Error::ok);
  ASSERT_EQ(make_root(prf, world.passkey), Error::ok);
  const Bytes root = content_root(prf, world.passkey);
  const Bytes entropy = open(export_phrase(page.key), protocol::kPhraseExport);
  for (const Bytes& secret : {root, entropy, prf}) {
    const auto end = world.wallet.sealed.end();
    EXPECT_EQ(std::search(world.wallet.sealed.begin(), end, secret.begin(), secret.begin() + 8), end);
  }
}

}  // namespace
}  // namespace community::trusted::testing
