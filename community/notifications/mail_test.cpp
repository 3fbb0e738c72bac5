// SPDX-License-Identifier: Apache-2.0
// Addresses, texts and messages. Python's e-mail package reads every message back: another implementation.
#include "community/notifications/api/mail.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <random>
#include <set>
#include <sstream>

#include "community/core/json.hpp"
#include "community/infra/fake/temporary_directory.hpp"

namespace community::notifications {
namespace {

namespace fs = std::filesystem;

const MailIdentity kIdentity{"Community Node", {"node", "example.org"}, "https://example.org"};
const std::string kAccount = "0x4337084d9e255ff0702461cf8895ce9e3b5ff108";

// Values of every kind that a text may ask for.
MailValues values_of(MailText text) {
  const MailValues all{{"code", "12345678"},           {"minutes", "15"},
                       {"device", "Firefox on Linux"}, {"time", "2026-01-01 12:00 UTC"},
                       {"account", kAccount},          {"change", "keys"}};
  MailValues values;
  // What is asked for is found by asking.
  for (;;) {
    const auto rendered = render(text, "en", values, kIdentity);
    if (rendered) return values;
    if (rendered.error().code != ErrorCode::value_missing) throw std::runtime_error(rendered.error().text());
    values[rendered.error().message] = all.at(rendered.error().message);
  }
}

std::vector<MailText> all_texts() {
  std::vector<MailText> texts;
  for (int i = 0; name(static_cast<MailText>(i)) != "unknown"; i++) texts.push_back(static_cast<MailText>(i));
  return texts;
}

int python(const std::string& arguments) { return std::system(("python3 " + arguments + " >/dev/null 2>&1").c_str()); }

TEST(MailAddress, TakesWhatServersTake) {
  for (const char* text : {"a@b.c", "alice+tag@example.org", "o'brien@sub.example.co.th", "x@xn--fsq.xn--0zwm56d",
                           "!#$%&'*+-/=?^_`{|}~@example.org", "a.b.c@1.example"}) {
    const auto address = parse_mail_address(text);
    ASSERT_TRUE(address) << text;
    EXPECT_EQ(address->text(), text);
  }
  EXPECT_TRUE(parse_mail_address(std::string(64, 'a') + "@example.org"));
}

TEST(MailAddress, RefusesEverythingElse) {
  const std::vector<std::string> refused{"",
                                         "a",
                                         "@example.org",
                                         "a@",
                                         "a@localhost",
                                         "a@example..org",
                                         "a@.example.org",
                                         "a@example.org.",
                                         "a@-example.org",
                                         "a@example-.org",
                                         "a@127.0.0.1",
                                         "a@[127.0.0.1]",
                                         "a@exa_mple.org",
                                         ".a@example.org",
                                         "a.@example.org",
                                         "a..b@example.org",
                                         "\"a b\"@example.org",
                                         "a b@example.org",
                                         "a@b@example.org",
                                         "a@example.org>",
                                         "<a@example.org",
                                         "a@example.org\r\nBcc: mallory@example.org",
                                         "a\r\nDATA@example.org",
                                         "a\n@example.org",
                                         std::string("a\0b@example.org", 15),
                                         "a@example.org,b@example.org",
                                         "a@ex\xc3\xa4mple.org",
                                         std::string(65, 'a') + "@example.org",
                                         "a@" + std::string(64, 'b') + ".org",
                                         "a@" + std::string(252, 'b')};
  for (const std::string& text : refused)
    EXPECT_EQ(parse_mail_address(text).error().code, ErrorCode::address_syntax) << text;
  EXPECT_EQ(parse_mail_address("\xc3\xa4@example.org").error().code, ErrorCode::address_needs_smtputf8);
  EXPECT_EQ(parse_mail_address("\xff@example.org").error().code, ErrorCode::address_syntax);
}

TEST(MailText, EveryTextReadsWellInEveryLanguage) {
  ASSERT_EQ(all_texts().size(), 10u);
  for (const MailText text : all_texts())
    for (const auto language : kLanguages) {
      const auto rendered = render(text, language, values_of(text), kIdentity);
      ASSERT_TRUE(rendered) << name(text);
      for (const std::string* part : {&rendered->subject, &rendered->body}) {
        EXPECT_EQ(part->find('{'), std::string::npos) << *part;
        EXPECT_NE(part->find("Community Node"), std::string::npos) << *part;
      }
      // The one link is the node's own.
      EXPECT_NE(rendered->body.find("https://example.org"), std::string::npos);
      for (std::size_t at = rendered->body.find("://"); at != std::string::npos;
           at = rendered->body.find("://", at + 1))
        EXPECT_EQ(rendered->body.compare(at - 5, 19, "https://example.org"), 0) << rendered->body;
    }
}

// What the account asks for, and not less (spec/account.md, section 2): who believed in one vote would be too late.
TEST(MailText, HowManyVotesCancelIsSaidInEveryLanguage) {
  const std::map<MailText, std::array<const char*, 3>> said{
      {MailText::recovery_started, {"two votes of yours", "您的两票", "สองเสียงของคุณ"}},
      {MailText::escape_started, {"another vote than the one that began it", "不能是发起它的那一票", "ไม่ใช่เสียงที่เริ่ม"}},
      {MailText::change_waiting,
       {"another vote of yours than the one that began it", "除发起该更改的那一票之外", "ไม่ใช่เสียงที่เริ่ม"}}};
  for (const auto& [text, words] : said)
    for (std::size_t i = 0; i < kLanguages.size(); i++) {
      const auto rendered = render(text, kLanguages[i], values_of(text), kIdentity);
      ASSERT_TRUE(rendered);
      EXPECT_NE(rendered->body.find(words[i]), std::string::npos) << rendered->body;
    }
}

TEST(MailText, ValuesAreOfTheirKindAndExactlyThoseOfTheText) {
  const auto code = [](MailText text, const MailValues& values, std::string_view language = "en") {
    const auto rendered = render(text, language, values, kIdentity);
    return rendered ? std::string_view("taken") : name(rendered.error().code);
  };
  EXPECT_EQ(code(MailText::registration_code, {{"code", "12345678"}}), "value_missing");
  EXPECT_EQ(code(MailText::registration_code, {{"code", "12345678"}, {"minutes", "15"}, {"more", "x"}}),
            "value_superfluous");
  EXPECT_EQ(code(MailText::registration_code, {{"code", "12345678"}, {"minutes", "15"}, {"node", "Mallory"}}),
            "value_superfluous");
  EXPECT_EQ(code(MailText::registration_code, {{"code", "12345678"}, {"minutes", "15"}}, "de"), "language_unknown");
  for (const char* bad : {"", "123", "12345678901", "1234567x", "1234\n"})
    EXPECT_EQ(code(MailText::registration_code, {{"code", bad}, {"minutes", "15"}}), "value_malformed") << bad;
  for (const char* bad : {"", "0", "015", "-1", "10081", "99999999999999999999"})
    EXPECT_EQ(code(MailText::registration_code, {{"code", "12345678"}, {"minutes", bad}}), "value_malformed") << bad;
  for (const char* bad :
       {"", " Firefox", "evil.example", "http://evil", "a@b", "two\nlines", "{origin}", "\xe2\x80\xae"})
    EXPECT_EQ(code(MailText::new_login, {{"device", bad}, {"time", "2026-01-01 12:00 UTC"}}), "value_malformed") << bad;
  for (const char* bad : {"", "tomorrow", "2026-01-01 12:00", "2026-01-01 12:00 UTC "})
    EXPECT_EQ(code(MailText::new_login, {{"device", "Firefox"}, {"time", bad}}), "value_malformed") << bad;
  for (const char* bad : {"", "0x", "4337084d9e255ff0702461cf8895ce9e3b5ff108xx"})
    EXPECT_EQ(code(MailText::account_frozen, {{"account", bad}, {"time", "2026-01-01 12:00 UTC"}}), "value_malformed");
  EXPECT_EQ(code(MailText::change_waiting,
                 {{"account", kAccount}, {"time", "2026-01-01 12:00 UTC"}, {"change", "something"}}),
            "value_malformed");
  EXPECT_EQ(format_mail_time(1'767'268'800'000), "2026-01-01 12:00 UTC");
}

TEST(MailText, AnIdentityThatCouldBreakAMessageIsRefused) {
  EXPECT_TRUE(check_identity(kIdentity));
  EXPECT_TRUE(check_identity({"\xe7\xa4\xbe\xe5\x8c\xba", kIdentity.from, "http://localhost:9000"}));
  const auto code = [](MailIdentity identity) { return check_identity(identity).error().code; };
  for (const char* name : {"", "a\r\nBcc: x", "a\"b", "a\\", "\xff"})
    EXPECT_EQ(code({name, kIdentity.from, kIdentity.origin}), ErrorCode::option_malformed) << name;
  for (const char* origin : {"", "http://example.org", "https://", "https://example.org/path", "javascript:alert(1)",
                             "https://example.org\n", "https://EXAMPLE.org"})
    EXPECT_EQ(code({"Node", kIdentity.from, origin}), ErrorCode::option_malformed) << origin;
  EXPECT_EQ(code({"Node", {"a\nb", "example.org"}, kIdentity.origin}), ErrorCode::option_malformed);
}

TEST(MailMessage, WhoWatchesTheConnectionDoesNotSeeWhoHasAnAccount) {
  const MessageHead head{{"alice", "example.org"}, "en", 1'767'268'800'000, "4f1c2f0a-8d3e-4a51-9f0e-1f2d3c4b5a69"};
  for (const auto language : kLanguages) {
    std::set<std::size_t> sizes;
    std::set<std::string> subjects;
    for (const MailText text : {MailText::registration_code, MailText::registration_repeated}) {
      const auto rendered = render(text, language, values_of(text), kIdentity).value();
      MessageHead own = head;
      own.language = std::string(language);
      sizes.insert(compose_message(kIdentity, own, rendered).size());
      subjects.insert(rendered.subject);
    }
    EXPECT_EQ(sizes.size(), 1u) << language;
    EXPECT_EQ(subjects.size(), 1u) << language;
  }
}

// Every text in every language, and random ones, read by Python's package `email` under its strict policy.
TEST(MailMessage, AnotherImplementationReadsWhatWasMeant) {
  const infra::TemporaryDirectory folder;
  core::json::array expected;
  int count = 0;
  const auto write = [&](const MailIdentity& identity, const MessageHead& head, const RenderedText& text) {
    const std::string file = (folder.path() / (std::to_string(count++) + ".eml")).string();
    std::ofstream(file, std::ios::binary) << compose_message(identity, head, text);
    core::json::object one;
    one["file"] = file;
    one["subject"] = text.subject;
    one["body"] = text.body;
    one["from"] = identity.from.text();
    one["name"] = identity.name;
    one["to"] = head.to.text();
    one["language"] = head.language;
    one["id"] = "<" + head.id + "@" + identity.from.domain + ">";
    one["seconds"] = head.date_ms / 1'000;
    expected.push_back(one);
  };
  MessageHead head{{"alice", "example.org"}, "en", 1'767'268'800'000, "4f1c2f0a-8d3e-4a51-9f0e-1f2d3c4b5a69"};
  for (const MailText text : all_texts())
    for (const auto language : kLanguages) {
      head.language = std::string(language);
      write(kIdentity, head, render(text, language, values_of(text), kIdentity).value());
    }
  std::mt19937_64 random(7);
  const std::vector<std::string> pieces{
      "a",     " ",  "=",    ".", "\xe4\xb8\xad",       "\xe0\xb8\x97", "\xf0\x9f\x94\x91",
      "From ", "?=", "word", "-", std::string(80, 'x'), "\n",           "\t"};
  const MailIdentity thai{
      "\xe0\xb8\x8a\xe0\xb8\xb8\xe0\xb8\xa1\xe0\xb8\x8a\xe0\xb8\x99", {"n", "example.org"}, "https://example.org"};
  for (int round = 0; round < 100; round++) {
    RenderedText text;
    for (std::size_t i = random() % 40; i > 0; i--) text.body += pieces[random() % pieces.size()];
    text.body += "end\n";
    text.subject = "s";
    for (std::size_t i = random() % 20; i > 0; i--) text.subject += pieces[random() % 4 + (round % 2 == 0 ? 4 : 0)];
    text.subject += "e";
    text.equal_length = round % 5 == 0;
    // A day in each of many years.
    head.date_ms = static_cast<std::int64_t>(random() % 4'000'000'000u) * 1'000;
    write(round % 3 == 0 ? thai : kIdentity, head, text);
  }
  const std::string list = (folder.path() / "expected.json").string();
  std::ofstream(list) << core::json::serialize(expected);
  const std::string script = std::string(COMMUNITY_SOURCE_DIR) + "/community/notifications/test_support/read_mails.py";
  FILE* pipe = ::popen(("python3 " + script + " " + list + " 2>&1").c_str(), "r");
  ASSERT_NE(pipe, nullptr);
  std::string output;
  char buffer[4'096];
  while (std::fgets(buffer, sizeof buffer, pipe) != nullptr) output += buffer;
  EXPECT_EQ(::pclose(pipe), 0) << output;
  EXPECT_EQ(output, std::to_string(count) + " messages\n");
}

// The build's own check refuses what must not be embedded.
TEST(MailStrings, ALanguageOrPlaceholderTooFewOrTooManyFailsTheBuild) {
  const std::string source = std::string(COMMUNITY_SOURCE_DIR) + "/community/notifications/";
  std::stringstream text;
  text << std::ifstream(source + "strings.json").rdbuf();
  const infra::TemporaryDirectory folder;
  const auto embeds = [&](const std::string& strings) {
    const std::string in = (folder.path() / "strings.json").string(), out = (folder.path() / "out.inc").string();
    std::ofstream(in) << strings;
    return python(source + "embed_strings.py " + in + " " + out) == 0;
  };
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string changed = text.str();
    const std::size_t at = changed.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return changed.replace(at, from.size(), to);
  };
  EXPECT_TRUE(embeds(text.str()));
  EXPECT_FALSE(embeds(with("Your code is {code}.", "Your code.")));
  EXPECT_FALSE(embeds(with("Your code is {code}.", "Your code is {code}, {more}.")));
  EXPECT_FALSE(embeds(with("Your code is {code}.", "Your code is {code}}.")));
  EXPECT_FALSE(embeds(with("Your code is {code}.", "Your code is {code}, see https://evil.example.")));
  EXPECT_FALSE(embeds(with("Your code is {code}.", "Your code is {code}.\\n")));
  EXPECT_FALSE(embeds(with("\"th\": {\n", "\"de\": {\n")));
  EXPECT_FALSE(embeds(with("Your code for {node}", "Welcome to {node}")));
  EXPECT_FALSE(embeds(with("\"code\": \"code\"", "\"code\": \"anything\"")));
  EXPECT_FALSE(embeds(with("\"code\": \"code\",", "\"code\": \"code\", \"code\": \"time\",")));
  EXPECT_FALSE(embeds(with("\"minutes\": \"minutes\"}", "\"minutes\": \"minutes\", \"device\": \"device\"}")));
  EXPECT_FALSE(embeds(with(", \"th\": \"การเพิ่มวงเงิน\"", "")));
}

}  // namespace
}  // namespace community::notifications
