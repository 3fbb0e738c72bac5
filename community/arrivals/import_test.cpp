// SPDX-License-Identifier: Apache-2.0
// What is read of another node's file: final transactions of accounts, in members and types that are known; and which
// file is refused for what.
#include <gtest/gtest.h>

#include "community/arrivals/import_reader.hpp"
#include "community/arrivals/imported_summary.hpp"
#include "community/arrivals/json_frame.hpp"

namespace community::arrivals {
namespace {

namespace json = core::json;

const std::string kAccount = std::string(39, '0') + "a", kHash = std::string(63, '0') + "b";

json::object row(int number) {
  json::object summary;
  summary["meaning"] = "payment";
  summary["to"] = "0x" + std::string(39, '0') + "c";
  summary["amount"] = "5";
  json::object content;
  content["summary"] = json::array{summary};
  json::object out;
  out["transaction_id"] = "whatever";
  out["sequence"] = number;
  out["account"] = kAccount;
  out["chain_id"] = 31'337;
  out["kind"] = "calls";
  out["state"] = 4;
  out["digest"] = kHash;
  out["content"] = std::move(content);
  out["created_at"] = "2026-01-02T03:04:05.678Z";
  out["transaction_hash"] = kHash;
  return out;
}

json::object file(json::array rows) {
  json::object tables, out;
  tables["users"] = json::array{json::object{{"email", "\"]}{[\\"}}};
  tables["transactions_entries"] = std::move(rows);
  out["format"] = "community-node person export";
  out["version"] = 1;
  out["exportedAt"] = "2026-01-03T00:00:00.000Z";
  out["origin"] = "https://old.example:8443";
  out["userId"] = "5f0f";
  out["keys"] = json::array();
  out["tables"] = std::move(tables);
  out["complete"] = true;
  return out;
}
std::string text(const json::object& value) { return json::serialize(value); }

// "field message", or what was read of how many.
std::string outcome(std::string_view text) {
  const auto read = read_export(text);
  if (!read) return std::string(name(read.error().code)) + " " + read.error().field + ": " + read.error().message;
  return std::to_string(read->entries.size()) + " kept, " + std::to_string(read->left_out) + " left out";
}
std::string outcome_of_row(const char* member, json::value value) {
  json::object changed = row(1);
  changed[member] = std::move(value);
  return outcome(text(file({changed})));
}
std::string outcome_of_file(const char* member, json::value value) {
  json::object changed = file({row(1)});
  changed[member] = std::move(value);
  return outcome(text(changed));
}

TEST(ImportReader, KeepsFinalTransactionsInTheirOrder) {
  json::object later = row(9), failed = row(2), message = row(3), freeze = row(4);
  later["created_at"] = "2026-01-02T03:04:06.000Z";
  failed["state"] = 5;
  message["kind"] = "message";
  freeze["kind"] = "revoke_grant";
  freeze["digest"] = "";
  const auto read = read_export(text(file({later, failed, message, freeze, row(1)})));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->origin, "https://old.example:8443");
  EXPECT_EQ(read->exported_ms, 1'767'398'400'000);
  EXPECT_EQ(read->left_out, 2u);
  ASSERT_EQ(read->entries.size(), 3u);
  EXPECT_EQ(read->entries[0].kind, "calls");
  EXPECT_EQ(read->entries[1].kind, "revokeGrant");
  EXPECT_EQ(read->entries[2].created_ms, 1'767'323'046'000);
  EXPECT_EQ(read->entries[0].created_ms, 1'767'323'045'678);
  EXPECT_EQ(read->entries[0].account.chain_id, 31'337u);
  EXPECT_EQ(core::to_plain_hex(read->entries[0].account.address), kAccount);
  EXPECT_EQ(core::to_plain_hex(read->entries[0].digest), kHash);
  EXPECT_TRUE(base::is_zero(read->entries[1].digest));
  EXPECT_EQ(json::serialize(read->entries[0].summary),
            R"([{"meaning":"payment","to":"0x000000000000000000000000000000000000000C","amount":"5"}])");
  ASSERT_EQ(read->accounts.size(), 1u);
}

TEST(ImportReader, SaysWhatIsWrongWithAFile) {
  EXPECT_EQ(outcome(text(file({}))), "0 kept, 0 left out");
  const std::string_view no_object = "import_invalid : this is no JSON object";
  for (const char* bad : {"", "nonsense", "[]", "{", "{}x", R"({"a" 1})", R"({"a":1,})", R"({"a":]})", R"({"a":"
"})",
                          R"({"a":{]}})", R"({"a":,})"})
    EXPECT_EQ(outcome(bad), no_object) << bad;
  EXPECT_EQ(outcome("{}"), "import_invalid /format: this is no export of a node");
  EXPECT_EQ(outcome_of_file("format", "other"), "import_invalid /format: this is no export of a node");
  EXPECT_EQ(outcome_of_file("version", 2), "import_invalid /version: this node reads version 1");
  EXPECT_EQ(outcome_of_file("exportedAt", "2026-13-01T00:00:00.000Z"),
            "import_invalid /exportedAt: a time is expected, as 2026-01-01T00:00:00.000Z");
  for (const char* origin : {"", "https://", "javascript:alert(1)", "https://Old.example", "https://a/<b>"})
    EXPECT_EQ(outcome_of_file("origin", origin),
              "import_invalid /origin: an origin is expected, as https://example.org");
  EXPECT_EQ(outcome_of_file("complete", false), "import_invalid /complete: the export was cut off");
  EXPECT_EQ(outcome_of_file("tables", json::array()), "import_invalid /tables: an object of tables is expected");
  EXPECT_EQ(outcome_of_file("tables", json::object()),
            "import_invalid /tables/transactions_entries: the file has no such member");
  EXPECT_EQ(outcome_of_file("tables", json::object{{"transactions_entries", 1}}),
            "import_invalid /tables/transactions_entries: a list of transactions is expected");
  std::string twice = text(file({row(1)}));
  twice.insert(1, "\"tables\":{\"transactions_entries\":[]},");
  EXPECT_EQ(outcome(twice), "import_invalid /tables: the member is there twice");
  const std::string whole = text(file({row(1), row(2)}));
  for (std::size_t size = 0; size < whole.size(); size++)
    EXPECT_TRUE(outcome(std::string_view(whole).substr(0, size)).starts_with("import_invalid")) << size;
}

TEST(ImportReader, SaysWhatIsWrongWithATransaction) {
  const auto at = [](const char* rest) { return std::string("import_invalid /tables/transactions_entries/0") + rest; };
  EXPECT_EQ(outcome(text(file({1}))), at(": a transaction is expected"));
  EXPECT_EQ(outcome_of_row("state", "4"), at("/state: a number is expected"));
  EXPECT_EQ(outcome_of_row("account", "0x12"), at("/account: an address is expected"));
  EXPECT_EQ(outcome_of_row("transaction_hash", ""), at("/transaction_hash: a hash is expected"));
  EXPECT_EQ(outcome_of_row("chain_id", 0), at("/chain_id: a chain's number is expected"));
  EXPECT_EQ(outcome_of_row("sequence", -1), at("/sequence: a number is expected"));
  EXPECT_EQ(outcome_of_row("created_at", nullptr), at("/created_at: a time is expected"));
  // Kinds that no account has on chain, and those of a later version.
  for (const char* kind : {"message", "eoa", "phrase", "constructor", ""})
    EXPECT_EQ(outcome_of_row("kind", kind), "0 kept, 1 left out") << kind;
}

TEST(ImportReader, IsBounded) {
  std::string deep = text(file({}));
  const std::string nested = "\"x\":" + std::string(100, '[') + std::string(100, ']') + ",";
  deep.insert(1, nested);
  EXPECT_EQ(outcome(deep), "import_invalid : this is no JSON object");
  EXPECT_EQ(outcome_of_row("reason", json::string(600'000, 'x')),
            "import_invalid /tables/transactions_entries/0: json_too_large");
  EXPECT_EQ(outcome(std::string(kMaxFileBytes + 1, ' ')), "import_invalid : larger than 16 MiB");
  json::array accounts;
  for (int i = 0; i < 257; i++) {
    json::object one = row(i);
    one["chain_id"] = i + 1;
    accounts.push_back(std::move(one));
  }
  EXPECT_EQ(outcome(text(file(accounts))), "import_invalid /tables/transactions_entries: more than 256 accounts");
}

TEST(ImportedSummary, KeepsKnownMembersOfTheirTypesAlone) {
  const auto kept = [](const char* summary) {
    return json::serialize(imported_summary(core::parse_json(summary).value()));
  };
  EXPECT_EQ(kept(R"([{"meaning":"payment","amount":5,"to":"<b>","approved":"yes","html":"<script>","value":"7"}])"),
            R"([{"meaning":"payment","value":"7"}])");
  EXPECT_EQ(kept(R"([{"meaning":"<img src=x onerror=alert(1)>"},{"meaning":7},{},"text",{"meaning":"freeze"}])"),
            R"([{"meaning":"freeze"}])");
  EXPECT_EQ(kept(R"([{"meaning":"tokenTransfer","token":{"address":"0x00000000000000000000000000000000000000aa",
                  "symbol":"A\u202eB","decimals":900,"standard":"erc20","more":1}}])"),
            R"([{"meaning":"tokenTransfer","token":{"address":"0x00000000000000000000000000000000000000AA",)"
            R"("symbol":null,"standard":"erc20","decimals":null}}])");
  EXPECT_EQ(kept(R"([{"meaning":"changeKeys","added":[{"passkeyId":"x","name":"Key"}],"removed":[{"slot":9}],
                  "serverKey":null}])"),
            R"([{"meaning":"changeKeys","added":[{"passkeyId":null,"name":"Key"}],"serverKey":null}])");
  EXPECT_EQ(kept("{}"), "[]");
  json::array many(34, json::object{{"meaning", "freeze"}});
  EXPECT_TRUE(imported_summary(many).empty());
}

TEST(JsonFrame, FollowsBracketsAndStrings) {
  std::vector<std::string> seen;
  const auto take = [&seen](std::string_view name, std::string_view value) {
    seen.push_back(std::string(name) + "=" + std::string(value));
    return true;
  };
  EXPECT_TRUE(walk_object(R"( { "a" : {"b":["}",1]} , "c\"d":"x\\" , "e" : -1.5e3 } )", take));
  EXPECT_EQ(seen, (std::vector<std::string>{R"(a={"b":["}",1]})", R"(c\"d="x\\")", "e=-1.5e3"}));
  const auto any = [](std::string_view) { return true; };
  EXPECT_TRUE(walk_array("[]", any));
  EXPECT_TRUE(walk_array("[1, [2], \"]\"]", any));
  for (const char* bad : {"", "[", "[1", "[1,", "[1,]", "[1] 2", "[\"]", "[[}]", "[\x01]", "[{]"})
    EXPECT_FALSE(walk_array(bad, any)) << bad;
}

}  // namespace
}  // namespace community::arrivals
