// SPDX-License-Identifier: Apache-2.0
// Files come back as they were written, and everything that was changed, cut, mixed or misnamed is refused.
#include "community/wallet/api/files.hpp"

#include <gtest/gtest.h>

#include "community/core/json.hpp"
#include "community/infra/api/files.hpp"
#include "community/infra/fake/temporary_directory.hpp"
#include "community/wallet/api/grant_file.hpp"
#include "community/wallet/api/guardian_files.hpp"
#include "community/wallet/api/multisig_file.hpp"
#include "community/wallet/api/passkey.hpp"

namespace community::wallet {
namespace {

Bytes32 word(std::uint64_t n) { return Uint256(n).to_be(); }
Address address(std::uint64_t n) { return core::address_from_word(word(n)); }

const Bytes32 kPasskeySecret = word(11), kEscapeSecret = word(12), kServerSecret = word(13);

Address key_address(const Bytes32& secret) { return core::address_of(core::public_key_of(secret).value()); }

AccountOrigin origin() {
  const SoftwarePasskey passkey(kPasskeySecret, "localhost", "http://localhost:9000");
  accounts::AccountInit init;
  init.passkeys.push_back({passkey.public_key(), passkey.rp_id_hash()});
  init.server_key = key_address(kServerSecret);
  init.escape_key = key_address(kEscapeSecret);
  init.limits.push_back({31'337, {}, Uint256(5)});
  AccountOrigin made;
  made.factory = address(1);
  made.entry_point = address(2);
  made.proxy_init_code_hash = word(3);
  made.init_data = accounts::encode_init_data(init).value();
  made.account = accounts::account_address(made.factory, made.proxy_init_code_hash, made.init_data);
  return made;
}

RecoveryFile recovery() {
  RecoveryFile file;
  file.origin = origin();
  file.escape_secret = kEscapeSecret;
  file.chains.push_back({31'337, "development chain", {"http://localhost:8545"}});
  file.created_at = "2026-01-31T12:00:00Z";
  return file;
}
KeysFile keys_file() {
  return {origin().account, "escape.invalid", kPasskeySecret, kServerSecret, "2026-01-31T12:00:00Z"};
}
AccountFile account_file() {
  AccountFile file;
  file.origin = origin();
  file.wallet = {1, 2, 3};
  file.server_key_index = 4;
  file.rp_id = "localhost";
  file.web_origin = "http://localhost:9000";
  file.passkey_secrets = {kPasskeySecret, word(14)};
  file.created_at = "2026-01-31T12:00:00.123Z";
  return file;
}

// The text with one member changed; JSON null takes it away.
std::string with(const WalletFile& file, const std::string& member, boost::json::value value) {
  boost::json::object object = core::parse_json(format_wallet_file(file))->get_object();
  if (value.is_null()) object.erase(member);
  if (!value.is_null()) object[member] = std::move(value);
  return boost::json::serialize(object);
}

std::string with_text(const WalletFile& file, const std::string& member, const std::string& text) {
  return with(file, member, boost::json::value(text));
}

ErrorCode refused(const std::string& text) {
  const auto file = parse_wallet_file(text);
  EXPECT_FALSE(file) << text;
  return file ? ErrorCode::argument : file.error().code;
}

TEST(WalletFiles, EveryKindComesBackAsItWasWritten) {
  for (const WalletFile& file : {WalletFile(recovery()), WalletFile(keys_file()), WalletFile(account_file())}) {
    const std::string text = format_wallet_file(file);
    const auto read = parse_wallet_file(text);
    ASSERT_TRUE(read) << read.error().text();
    EXPECT_EQ(format_wallet_file(*read), text);
    EXPECT_EQ(account_of(*read), origin().account);
  }
}

TEST(WalletFiles, NoMemberMayBeMissingUnknownOrTwice) {
  for (const WalletFile& file : {WalletFile(recovery()), WalletFile(keys_file()), WalletFile(account_file())}) {
    const auto object = core::parse_json(format_wallet_file(file))->get_object();
    for (const auto& member : object) {
      const std::string name(member.key());
      const auto expected = name == "format" ? ErrorCode::file_kind : ErrorCode::file_malformed;
      EXPECT_EQ(refused(with(file, name, nullptr)), expected) << name;
      EXPECT_EQ(refused(with(file, name, boost::json::object())), expected) << name;
    }
    EXPECT_EQ(refused(with(file, "more", 1)), ErrorCode::file_malformed);
    std::string twice = format_wallet_file(file);
    twice.insert(twice.find('\n'), "\"createdAt\": \"2026-01-31T12:00:00Z\",");
    EXPECT_EQ(refused(twice), ErrorCode::file_malformed);
  }
}

TEST(WalletFiles, PartsThatDoNotBelongTogetherAreRefused) {
  EXPECT_EQ(refused(with_text(recovery(), "account", core::to_hex(address(77)))), ErrorCode::file_inconsistent);
  EXPECT_EQ(refused(with_text(recovery(), "factory", core::to_hex(address(77)))), ErrorCode::file_inconsistent);
  EXPECT_EQ(refused(with_text(recovery(), "escapeKey", core::to_hex(word(77)))), ErrorCode::file_inconsistent);
  EXPECT_EQ(refused(with_text(recovery(), "escapeKey", core::to_hex(word(0)))), ErrorCode::file_inconsistent);
  EXPECT_EQ(refused(with_text(account_file(), "initData", std::string("0x00"))), ErrorCode::file_inconsistent);
  KeysFile keys = keys_file();
  auto text = format_wallet_file(keys);
  const std::string secret = core::to_hex(kServerSecret), other = core::to_hex(word(78));
  text.replace(text.find(secret), secret.size(), other);
  EXPECT_EQ(refused(text), ErrorCode::file_inconsistent);
  EXPECT_EQ(refused(with_text(keys, "rpId", std::string("other.invalid"))), ErrorCode::file_inconsistent);
}

TEST(WalletFiles, ALaterEscapeKeyMustSayThatItIsOne) {
  RecoveryFile later = recovery();
  later.escape_secret = word(77);
  later.escape_key_is_later = true;
  const auto read = parse_wallet_file(format_wallet_file(later));
  ASSERT_TRUE(read) << read.error().text();
  EXPECT_TRUE(std::get<RecoveryFile>(*read).escape_key_is_later);
  EXPECT_EQ(refused(with(later, "escapeKeyIsLater", nullptr)), ErrorCode::file_inconsistent);
  EXPECT_EQ(refused(with(later, "escapeKeyIsLater", false)), ErrorCode::file_malformed);
  EXPECT_EQ(refused(with(recovery(), "escapeKeyIsLater", true)), ErrorCode::file_inconsistent);
}

TEST(WalletFiles, AnAccountThatCameFromElsewhereHasAFileWithoutItsBeginning) {
  RecoveryFile brought = recovery();
  AccountOrigin origin;
  origin.account = brought.origin.account;
  origin.entry_point = brought.origin.entry_point;
  brought.origin = origin;
  brought.escape_secret = word(77);
  brought.escape_key_is_later = true;
  const auto read = parse_wallet_file(format_wallet_file(brought));
  ASSERT_TRUE(read) << read.error().text();
  const RecoveryFile& file = std::get<RecoveryFile>(*read);
  EXPECT_EQ(file.origin.account, origin.account);
  EXPECT_EQ(file.origin.entry_point, origin.entry_point);
  EXPECT_TRUE(file.origin.init_data.empty());
  EXPECT_EQ(file.escape_secret, word(77));
  EXPECT_TRUE(file.escape_key_is_later);
  EXPECT_EQ(refused(with_text(brought, "account", core::to_hex(address(77)))), ErrorCode::file_inconsistent);
  EXPECT_EQ(refused(with_text(brought, "entryPoint", core::to_hex(address(77)))), ErrorCode::file_inconsistent);
  EXPECT_EQ(refused(with_text(brought, "escapeKey", core::to_hex(word(78)))), ErrorCode::file_inconsistent);
  EXPECT_EQ(refused(with_text(brought, "check", core::to_hex(word(1)))), ErrorCode::file_inconsistent);
  EXPECT_EQ(refused(with(brought, "check", nullptr)), ErrorCode::file_malformed);
  EXPECT_EQ(refused(with_text(brought, "initData", std::string("0x00"))), ErrorCode::file_malformed);
  EXPECT_EQ(refused(with_text(brought, "format", std::string(kRecoveryFormat))), ErrorCode::file_malformed);
}

TEST(WalletFiles, TextThatPeopleSeeHoldsNothingHidden) {
  const auto with_name = [](const char* name) {
    RecoveryFile file = recovery();
    file.chains[0].name = name;
    return format_wallet_file(file);
  };
  EXPECT_TRUE(parse_wallet_file(with_name("ประเทศไทย 中文")));
  for (const char* name : {"", "a\nb",
                           "a\xe2\x80\xae"
                           "b",
                           "a\xe2\x80\x8b"
                           "b",
                           "\xef\xbb\xbf"
                           "a",
                           "a\xc2\x85"})
    EXPECT_EQ(refused(with_name(name)), ErrorCode::file_malformed) << name;
  RecoveryFile file = recovery();
  for (const char* url : {"ftp://a", "http://user@host", "javascript:alert(1)", "http://a\xe2\x80\xae"}) {
    file.chains[0].rpc_urls = {url};
    EXPECT_EQ(refused(format_wallet_file(file)), ErrorCode::file_malformed) << url;
  }
}

TEST(WalletFiles, RelyingPartiesAndTimesHaveTheirForm) {
  for (const char* rp : {"", "a..b", "-a", "a-", "A", "a_b", ".a", "a."})
    EXPECT_EQ(refused(with_text(keys_file(), "rpId", std::string(rp))), ErrorCode::file_malformed) << rp;
  for (const char* time :
       {"", "2026-01-31", "2026-01-31T12:00:00", "2026-13-31T12:00:00Z", "2026-01-31T12:00:00.1234Z"})
    EXPECT_EQ(refused(with_text(keys_file(), "createdAt", std::string(time))), ErrorCode::file_malformed) << time;
}

TEST(WalletFiles, OtherFormatsAreNamed) {
  EXPECT_EQ(refused("{}"), ErrorCode::file_kind);
  EXPECT_EQ(refused("[]"), ErrorCode::file_kind);
  EXPECT_EQ(refused(with_text(recovery(), "format", std::string("community-recovery-3"))), ErrorCode::file_kind);
  EXPECT_EQ(refused("not json"), ErrorCode::file_malformed);
  EXPECT_EQ(refused(std::string(kMaxFileBytes + 1, ' ')), ErrorCode::file_malformed);
}

TEST(WalletFiles, AreForTheirOwnerAloneAndNeverWrittenOver) {
  const infra::TemporaryDirectory folder;
  const auto path = folder.path() / "account.json";
  ASSERT_TRUE(write_new_wallet_file(path, account_file()));
  EXPECT_EQ(std::filesystem::status(path).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  EXPECT_EQ(write_new_wallet_file(path, recovery()).error().code, ErrorCode::file_exists);
  EXPECT_TRUE(std::holds_alternative<AccountFile>(*read_wallet_file(path)));
  EXPECT_EQ(read_wallet_file(folder.path() / "none").error().code, ErrorCode::file_unreadable);
}

TEST(WalletFiles, KeyFilesAreOneSecret) {
  const infra::TemporaryDirectory folder;
  const auto path = folder.path() / "key";
  const auto write = [&path](const std::string& text) { return infra::write_file_atomically(path, text).has_value(); };
  ASSERT_TRUE(write(core::to_plain_hex(word(7)) + "\n"));
  EXPECT_EQ(read_key_file(path).value(), word(7));
  ASSERT_TRUE(write(core::to_hex(word(7))));
  EXPECT_EQ(read_key_file(path).value(), word(7));
  for (const std::string& text : {std::string(), std::string(64, '0'), std::string(64, 'f'), std::string("0x12")}) {
    ASSERT_TRUE(write(text));
    const auto read = read_key_file(path);
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().message.find(text.empty() ? "no such words" : text), std::string::npos)
        << "a secret in an error";
  }
}

TEST(GrantFiles, ComeBackAsTheyWereAndAreChecked) {
  GrantFile file;
  file.account = address(1);
  file.chain_id = 31'337;
  file.id = word(2);
  file.ticket = word(3);
  file.grant.target = address(4);
  file.grant.selectors = {{1, 2, 3, 4}};
  file.grant.value_total = core::max_of_bits(128);
  file.grant.valid_after_s = 5;
  file.grant.valid_until_s = 6;
  file.grant.paymaster = address(7);
  const std::string text = format_grant_file(file);
  const auto read = parse_grant_file(text);
  ASSERT_TRUE(read) << read.error().text();
  EXPECT_EQ(format_grant_file(*read), text);
  file.grant.target = file.account;
  EXPECT_EQ(parse_grant_file(format_grant_file(file)).error().code, ErrorCode::file_inconsistent);
  EXPECT_EQ(parse_grant_file(format_wallet_file(keys_file())).error().code, ErrorCode::file_kind);
}

MultisigFile multisig_file() {
  multisig::MultisigInit init;
  init.owners = {multisig::address_owner(address(1)), multisig::address_owner(address(2))};
  init.threshold = 2;
  init.limits.push_back({31'337, {}, Uint256(5)});
  MultisigFile file;
  file.factory = address(3);
  file.proxy_init_code_hash = word(4);
  file.init_data = multisig::encode_init_data(init).value();
  file.multisig = multisig::multisig_address(file.factory, file.proxy_init_code_hash, file.init_data);
  return file;
}

TEST(MultisigFiles, ComeBackAsTheyWereAndAreChecked) {
  const MultisigFile file = multisig_file();
  const auto read = parse_multisig_file(format_multisig_file(file));
  ASSERT_TRUE(read) << read.error().text();
  EXPECT_EQ(read->multisig, file.multisig);
  EXPECT_EQ(read->factory, file.factory);
  EXPECT_EQ(read->proxy_init_code_hash, file.proxy_init_code_hash);
  EXPECT_EQ(read->init_data, file.init_data);
  const auto code_of = [](const MultisigFile& changed) {
    return parse_multisig_file(format_multisig_file(changed)).error().code;
  };
  MultisigFile other = file;
  other.multisig = address(5);
  EXPECT_EQ(code_of(other), ErrorCode::file_inconsistent);
  other = file;
  other.factory = address(5);
  EXPECT_EQ(code_of(other), ErrorCode::file_inconsistent);
  // Its address follows, but no factory would make it: the threshold is zero, in the word after the owners' offset.
  other = file;
  other.init_data[2 * 32 + 31] = 0;
  other.multisig = multisig::multisig_address(other.factory, other.proxy_init_code_hash, other.init_data);
  EXPECT_EQ(code_of(other), ErrorCode::file_inconsistent);
  EXPECT_EQ(parse_multisig_file(format_wallet_file(recovery())).error().code, ErrorCode::file_kind);
  EXPECT_EQ(parse_multisig_file("{}").error().code, ErrorCode::file_kind);
  std::string more = format_multisig_file(file);
  more.insert(more.find('{') + 1, "\"note\": \"x\",");
  EXPECT_EQ(parse_multisig_file(more).error().code, ErrorCode::file_malformed);
}

TEST(MultisigFiles, TheLargestFits) {
  multisig::MultisigInit init;
  for (std::uint64_t n = 1; n <= multisig::kMaxOwners; n++) {
    Bytes owner = core::to_bytes(address(n));
    owner.resize(multisig::kMaxOwnerBytes, static_cast<std::uint8_t>(n));
    init.owners.push_back(std::move(owner));
  }
  init.threshold = multisig::kMaxOwners;
  for (std::uint64_t n = 0; n < multisig::kMaxLimits; n++) init.limits.push_back({1, address(n), Uint256(n)});
  MultisigFile file = multisig_file();
  file.init_data = multisig::encode_init_data(init).value();
  file.multisig = multisig::multisig_address(file.factory, file.proxy_init_code_hash, file.init_data);
  EXPECT_TRUE(parse_multisig_file(format_multisig_file(file)));
}

TEST(GuardianFiles, ComeBackAsTheyWereAndAreChecked) {
  const infra::TemporaryDirectory folder;
  GuardiansFile file;
  file.account = address(1);
  file.list = accounts::GuardianList::make(word(2), {Bytes(20, 3), Bytes(20, 4)}).value();
  file.threshold = 2;
  ASSERT_TRUE(write_guardians_file(folder.path() / "list", file));
  const auto read = read_guardians_file(folder.path() / "list");
  ASSERT_TRUE(read) << read.error().text();
  EXPECT_EQ(read->list.hash(), file.list.hash());
  file.threshold = 3;
  ASSERT_TRUE(write_guardians_file(folder.path() / "high", file));
  EXPECT_EQ(read_guardians_file(folder.path() / "high").error().code, ErrorCode::file_malformed);

  file.threshold = 1;
  RecoveryRequest request;
  request.chain_id = 31'337;
  request.guardians = file;
  const SoftwarePasskey passkey(kPasskeySecret, "escape.invalid", "https://escape.invalid");
  request.recover.passkeys.push_back({passkey.public_key(), passkey.rp_id_hash()});
  request.recover.server_key = address(8);
  request.recover.escape_key = address(9);
  request.stamp = {3, core::max_of_bits(256), 1'800'000'000};
  ASSERT_TRUE(write_recovery_request(folder.path() / "request", request));
  const auto again = read_recovery_request(folder.path() / "request");
  ASSERT_TRUE(again) << again.error().text();
  const accounts::AccountOnChain where{31'337, address(1)};
  EXPECT_EQ(accounts::action_digest(where, again->recover, again->stamp),
            accounts::action_digest(where, request.recover, request.stamp));
  request.recover.escape_key = request.recover.server_key;
  ASSERT_TRUE(write_recovery_request(folder.path() / "same", request));
  EXPECT_EQ(read_recovery_request(folder.path() / "same").error().code, ErrorCode::file_inconsistent);
}

}  // namespace
}  // namespace community::wallet
