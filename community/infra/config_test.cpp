// SPDX-License-Identifier: Apache-2.0
// The configuration file, its overrides, and what a mistake is answered with.
#include "community/infra/api/config.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "community/infra/api/database_config.hpp"
#include "community/infra/fake/temporary_directory.hpp"

namespace community::infra {
namespace {

Result<Config> load(std::string_view toml, const Config::Environment& environment = {}) {
  return Config::load(standard_config_schema(), toml, environment);
}

void expect_error(const Result<Config>& config, ErrorCode code, std::string_view words) {
  ASSERT_FALSE(config.has_value());
  EXPECT_EQ(config.error().code, code) << config.error().message;
  EXPECT_NE(config.error().message.find(words), std::string::npos) << config.error().message;
}

TEST(config_test, AnEmptyFileIsTheDefaults) {
  const auto config = load("");
  ASSERT_TRUE(config.has_value()) << config.error().message;
  EXPECT_EQ(config->text("node.http_api"), "localhost:9000");
  EXPECT_EQ(config->integer("relay.executors"), 2);
  EXPECT_EQ(config->duration("chain.poll"), Milliseconds(500));
  EXPECT_TRUE(config->boolean("paymaster_relay.enabled"));
  EXPECT_TRUE(config->list("chain.fallback_urls").empty());
  EXPECT_FALSE(config->is_set("node.http_api"));
}

TEST(config_test, TheFileOverridesDefaultsAndTheEnvironmentTheFile) {
  const Config::Environment environment{{"COMMUNITY_NODE_CHAIN__RPC_URL", "http://c"},
                                        {"COMMUNITY_NODE_CHAIN__FALLBACK_URLS", "http://d,http://e"},
                                        {"COMMUNITY_NODE_OPTEE_KMS__SECURITY__MAX_RETRIES", "7"},
                                        {"PATH", "/bin"}};
  const auto config = load("[chain]\nrpc_url = \"http://b\"\npoll = \"2s\"\n", environment);
  ASSERT_TRUE(config.has_value()) << config.error().message;
  EXPECT_EQ(config->text("chain.rpc_url"), "http://c");
  EXPECT_EQ(config->duration("chain.poll"), Milliseconds(2'000));
  EXPECT_EQ(config->list("chain.fallback_urls"), (std::vector<std::string>{"http://d", "http://e"}));
  EXPECT_EQ(config->integer("optee_kms.security.max_retries"), 7);
}

TEST(config_test, ATableOfAFreeNameHasTheDefaultsOfItsKind) {
  const auto config = load("[api_keys.shop]\nsha256 = \"00\"\n[api_keys.game]\nrequests_per_minute = 7\n");
  ASSERT_TRUE(config.has_value()) << config.error().message;
  EXPECT_EQ(config->names("api_keys"), (std::vector<std::string>{"game", "shop"}));
  EXPECT_EQ(config->text("api_keys.shop.sha256"), "00");
  EXPECT_EQ(config->integer("api_keys.shop.requests_per_minute"), 600);
  EXPECT_EQ(config->integer("api_keys.game.requests_per_minute"), 7);
  expect_error(load("[api_keys.shop]\nkey = \"x\"\n"), ErrorCode::config_unknown_key, "api_keys.shop.key");
}

TEST(config_test, TheFoundersNamesAreAccepted) {
  const auto config = load(R"(
[node]
http_api = "localhost:9000"
network = "dev"
node_http = "http://127.0.0.1:8545"
[paymaster_relay]
enabled = true
kms_backend = "process"
[optee_kms]
device_path = "/dev/tee1"
ta_uuid = "be2dc9a0-02b4-4b33-ba21-9964dbdf1573"
[optee_kms.keys]
bundler = "m/44/60/0"
[optee_kms.security]
session_timeout = "30m"
max_retries = 3
audit_logging = true
tamper_detection = true
[optee_kms.performance]
batch_size = 10
batch_timeout = "50ms"
connection_pool_size = 4
)");
  ASSERT_TRUE(config.has_value()) << config.error().message;
  EXPECT_EQ(config->text("keys.body"), "process");
  EXPECT_EQ(config->text("keys.tee_device"), "/dev/tee1");
  EXPECT_EQ(config->text("chain.rpc_url"), "http://127.0.0.1:8545");
  EXPECT_EQ(config->duration("keys.batch_timeout"), Milliseconds(50));
  EXPECT_EQ(config->names("optee_kms.keys"), std::vector<std::string>{"bundler"});
}

TEST(config_test, AnUnknownKeyIsAnErrorThatNamesTheNearest) {
  expect_error(load("[chain]\nrpc_ulr = \"x\"\n"), ErrorCode::config_unknown_key, "did you mean chain.rpc_url?");
  expect_error(load("", {{"COMMUNITY_NODE_NODE__HTP_API", "x"}}), ErrorCode::config_unknown_key, "node.http_api");
}

TEST(config_test, MistakesAreNamedByKindAndPlace) {
  expect_error(load("[chain\n"), ErrorCode::config_syntax, "line 1");
  expect_error(load("[chain]\npoll = 5\n"), ErrorCode::config_type, "chain.poll (file) is a duration");
  expect_error(load("[relay]\nexecutors = \"4\"\n"), ErrorCode::config_type, "relay.executors");
  expect_error(load("[relay]\nexecutors = 0\n"), ErrorCode::config_value, "between 1 and 64");
  expect_error(load("[keys]\nbody = \"cloud\"\n"), ErrorCode::config_value, "auto, optee-device, optee-qemu, process");
  expect_error(load("[chain]\npoll = \"5 minutes\"\n"), ErrorCode::config_type, "duration");
  expect_error(load("[chain]\nrpc_url = 1979-05-27\n"), ErrorCode::config_type, "chain.rpc_url");
  expect_error(load("", {{"COMMUNITY_NODE_RELAY__EXECUTORS", "many"}}), ErrorCode::config_type,
               "COMMUNITY_NODE_RELAY__EXECUTORS");
  expect_error(load("[chain]\nrpc_url = \"a\"\n[node]\nnode_http = \"b\"\n"), ErrorCode::config_value, "two values");
}

TEST(config_test, ThePrintedDefaultsAreAFileThatLoadsAndChangesNothing) {
  const auto schema = standard_config_schema();
  const std::string text = schema.print();
  const auto config = load(text);
  ASSERT_TRUE(config.has_value()) << config.error().message;
  EXPECT_EQ(config->text("node.http_api"), "localhost:9000");
  for (const auto& key : schema.keys()) {
    EXPECT_FALSE(key.help.empty()) << key.path;
    EXPECT_NE(text.find(key.path.substr(key.path.rfind('.') + 1)), std::string::npos) << key.path;
  }
}

// The file under spec/ is what people read; COMMUNITY_WRITE_SPEC=1 writes it anew after a change of the table.
TEST(config_test, TheSpecificationIsThePrintedTable) {
  const std::string path = std::string(COMMUNITY_SOURCE_DIR) + "/spec/config.default.toml";
  const std::string text = standard_config_schema().print();
  if (std::getenv("COMMUNITY_WRITE_SPEC") != nullptr) std::ofstream(path) << text;
  std::stringstream written;
  written << std::ifstream(path).rdbuf();
  EXPECT_EQ(written.str(), text);
}

TEST(config_test, SecretsAreNotPrinted) {
  ConfigSchema schema = standard_config_schema();
  ConfigKey password;
  password.path = "database.password";
  password.help = "A secret.";
  password.secret = true;
  schema.add(password);
  const auto config = Config::load(schema, "[database]\npassword = \"hunter2\"\n");
  ASSERT_TRUE(config.has_value());
  EXPECT_EQ(config->print().find("hunter2"), std::string::npos);
  EXPECT_NE(config->print().find("[redacted]"), std::string::npos);
}

TEST(config_test, TheDatabaseIsAFileUnlessTheSectionNamesAServer) {
  const auto options = [](std::string_view section) {
    return database_options(*load("[database]\n" + std::string(section)), "/data");
  };
  EXPECT_EQ(options("")->url, "sqlite:/data/node.db");
  EXPECT_EQ(options("readers = 5\n")->readers, 5u);
  EXPECT_EQ(options("url = \"postgresql://node@db.example/node\"\n")->url, "postgresql://node@db.example/node");
  EXPECT_EQ(options("host = \"/run/postgresql\"\nname = \"no de\"\n")->url,
            "postgresql://?dbname=no%20de&host=%2Frun%2Fpostgresql");
  EXPECT_EQ(options("name = \"node\"\n")->url, "postgresql://?dbname=node");
  const auto twice = options("url = \"postgresql://db.example/node\"\nhost = \"db.example\"\n");
  ASSERT_FALSE(twice.has_value());
  EXPECT_EQ(twice.error().code, ErrorCode::config_value);
}

TEST(config_test, ThePasswordOfTheDatabaseComesFromAFile) {
  const TemporaryDirectory folder;
  const std::string file = (folder.path() / "password").string();
  const auto options = [&](const std::string& url) {
    return database_options(*load("[database]\nurl = \"" + url + "\"\npassword_file = \"" + file + "\"\n"), "/data");
  };
  const std::string server = "postgresql://node@db.example/node";
  EXPECT_EQ(options(server).error().code, ErrorCode::io) << "there is no such file";
  std::ofstream(file) << "\n";
  EXPECT_EQ(options(server).error().code, ErrorCode::config_value) << "it is empty";
  std::ofstream(file) << " hunter2 \r\n";
  EXPECT_EQ(options(server)->password, " hunter2 ");
  EXPECT_EQ(options(server)->url, server);
  EXPECT_EQ(options("").error().code, ErrorCode::config_value) << "SQLite has none";
}

TEST(config_test, AskingForAKeyThatIsNotThereIsABug) {
  const auto config = load("");
  EXPECT_THROW(config->text("no.such"), std::logic_error);
  EXPECT_THROW(config->integer("node.http_api"), std::logic_error);
}

}  // namespace
}  // namespace community::infra
