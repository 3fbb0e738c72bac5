// SPDX-License-Identifier: Apache-2.0
// Apps over the real transactions with a trusted core and a chain in memory: whatever an app gets ends with whatever it
// was given by.
#include "community/apps/factory.hpp"
#include "community/core/base64url.hpp"
#include "community/transactions/test_support/transaction_world.hpp"

namespace community::apps {
namespace {

namespace json = core::json;
using core::Uint256;
using transactions::GrantOrder;
using transactions::State;
using transactions::test_support::test_address;

const std::string kGame = "https://game.example", kOther = "https://other.example";
const std::string kSession = "00000000-0000-4000-8000-0000000000e1";

class FakePeople final : public People {
 public:
  Task<Result<core::Address>> account(std::string user_id, std::string wallet_id, std::uint64_t chain_id) override {
    co_await infra::reschedule();
    if (user_id != owner || !wallets.contains(wallet_id) || chain_id != 1'337) co_return fail(ErrorCode::not_found);
    co_return test_address(0xa11ce);
  }
  Task<Result<std::int64_t>> session_end(std::string user_id, std::string session_id) override {
    co_await infra::reschedule();
    asked++;
    if (on_question) on_question();
    if (user_id != owner || session_id != kSession) co_return 0;
    co_return ends_ms;
  }
  std::string owner;
  std::set<std::string> wallets;
  std::int64_t ends_ms = INT64_MAX;
  std::size_t asked = 0;
  std::function<void()> on_question;
};

class AppsTest : public transactions::test_support::TransactionWorld {
 protected:
  AppsTest() {
    owners.owner = person;
    owners.wallets = {wallet_id, "00000000-0000-4000-8000-00000000000d"};
    more_migrations = {app_migrations()};
    restart();
    make();
  }
  ~AppsTest() override { apps.reset(); }

  void make() { apps = make_apps({*database, clock, random, *audit_log, owners, *service, &metrics}); }
  // As after kill -9: nothing in memory survives.
  void make_anew() {
    apps.reset();
    restart();
    make();
  }

  Result<Permission> connect(const std::string& origin = kGame, std::string wallet = {}) {
    ConnectRequest request{origin, wallet.empty() ? wallet_id : std::move(wallet), kChain};
    return loop.block_on(apps->connect(person, std::move(request)));
  }
  Permission connected(const std::string& origin = kGame) {
    auto made = connect(origin);
    EXPECT_TRUE(made) << made.error().message;
    return made ? std::move(*made) : Permission();
  }
  Bytes32 granted(const core::Address& target) {
    GrantOrder order;
    order.target = target;
    order.selectors = {{1, 2, 3, 4}};
    order.valid_for_s = 600;
    const Transaction t = prepared(order);
    (void)sent(t);
    include(t);
    return *core::parse_bytes32(t.summary[0].as_object().at("hash").as_string());
  }
  Result<NewToken> token_for(const Permission& permission, const Bytes32& grant_id) {
    return loop.block_on(apps->issue_token(person, kSession, permission.permission_id, grant_id));
  }
  NewToken issued(const Permission& permission, const Bytes32& grant_id) {
    auto made = token_for(permission, grant_id);
    EXPECT_TRUE(made) << made.error().message;
    return made ? std::move(*made) : NewToken();
  }
  static accounts::Call save(const core::Address& target) { return {target, Uint256(), {1, 2, 3, 4, 9}}; }
  AppRequest request(const NewToken& app_token, const core::Address& target) {
    AppRequest out{kGame, app_token.token, {}, {save(target)}};
    const std::string number = std::to_string(++requests_);
    out.request_id = "00000000-0000-4000-8000-" + std::string(12 - number.size(), '0') + number;
    return out;
  }
  Result<Transaction> send_calls(AppRequest request) { return loop.block_on(apps->send_calls(std::move(request))); }
  template <class T>
  static void expect_rule(const Result<T>& result, ErrorCode code) {
    ASSERT_FALSE(result) << "it was not refused";
    EXPECT_EQ(name(result.error().code), name(code)) << result.error().message;
  }
  void expect_cause(const Result<Transaction>& result, transactions::ErrorCode code) {
    expect_rule(result, ErrorCode::refused);
    ASSERT_TRUE(result.error().cause);
    EXPECT_EQ(name(result.error().cause->code), name(code)) << result.error().message;
  }
  // In a bundle with three logs, of which the second is this operation's.
  void include_among_others(const Transaction& transaction) {
    json::array logs_of_bundle;
    for (const char* data : {"0x06", "0x07", "0x08"}) {
      json::object log;
      log["address"] = core::to_hex(game);
      log["topics"] = json::array();
      log["data"] = data;
      log["blockNumber"] = log["transactionIndex"] = log["logIndex"] = "0x1";
      log["blockHash"] = log["transactionHash"] = core::to_hex(Bytes32{7});
      log["removed"] = false;
      logs_of_bundle.push_back(std::move(log));
    }
    json::object receipt;
    receipt["transactionHash"] = receipt["blockHash"] = core::to_hex(Bytes32{7});
    receipt["transactionIndex"] = receipt["status"] = receipt["blockNumber"] = "0x1";
    receipt["from"] = receipt["to"] = core::to_hex(bob);
    receipt["contractAddress"] = nullptr;
    receipt["gasUsed"] = receipt["cumulativeGasUsed"] = receipt["effectiveGasPrice"] = "0x5208";
    receipt["logs"] = std::move(logs_of_bundle);
    chain.on("eth_getTransactionReceipt",
             [receipt](const json::array&) -> chain::ChainResult<json::value> { return json::value(receipt); });
    pool::Inclusion inclusion;
    inclusion.hash = *transaction.digest;
    inclusion.transaction_hash = inclusion.block_hash = Bytes32{7};
    inclusion.block_number = chain.head().number;
    inclusion.success = true;
    inclusion.first_log = 1;
    inclusion.end_log = 2;
    ASSERT_TRUE(loop.block_on(pool->mark_included({inclusion}, pool::AlsoWrite())));
  }
  std::vector<Permission> permissions() { return *loop.block_on(apps->permissions(person)); }
  Result<CallsStatus> status(const std::string& origin, const std::string& id) {
    return loop.block_on(apps->calls_status(origin, id));
  }

  const core::Address game = test_address(0x9a3e);
  FakePeople owners;
  std::unique_ptr<Apps> apps;

 private:
  std::uint64_t requests_ = 0;
};

TEST_F(AppsTest, AnAppSavesWithoutATouchUntilItIsDisconnected) {
  const Permission permission = connected();
  EXPECT_EQ(permission.account, alice);
  const Bytes32 grant_id = granted(game);
  const NewToken app_token = issued(permission, grant_id);
  EXPECT_EQ(core::parse_base64url(app_token.token, 32)->size(), 32u);
  const std::size_t touches = core.asked;
  for (int i = 0; i < 3; i++) {
    const auto done = send_calls(request(app_token, game));
    ASSERT_TRUE(done) << done.error().message;
    EXPECT_EQ(done->kind, transactions::Kind::session);
    EXPECT_EQ(done->state, State::submitted);
  }
  EXPECT_EQ(core.asked, touches) << "nobody touched anything";
  EXPECT_EQ(core.sessions.size(), 3u);
  ASSERT_EQ(permissions().size(), 1u);
  EXPECT_EQ(permissions()[0].tokens.size(), 1u);
  EXPECT_EQ(permissions()[0].tokens[0].grant_id, grant_id);
  EXPECT_NE(permissions()[0].last_used_ms, 0);
  ASSERT_TRUE(loop.block_on(apps->disconnect(person, permission.permission_id)));
  expect_rule(send_calls(request(app_token, game)), ErrorCode::token_invalid);
  EXPECT_TRUE(permissions().empty());
  EXPECT_EQ(core.sessions.size(), 3u);
  EXPECT_EQ(count("AppConnected"), 1u);
  EXPECT_EQ(count("AppTokenIssued"), 1u);
  EXPECT_EQ(count("AppDisconnected"), 1u);
  EXPECT_NE(told_by("AppConnected").find(kGame), std::string::npos);
}

TEST_F(AppsTest, AnotherContractFunctionOrValueIsRefused) {
  const NewToken app_token = issued(connected(), granted(game));
  expect_cause(send_calls(request(app_token, bob)), transactions::ErrorCode::field_invalid);
  AppRequest other = request(app_token, game);
  other.calls[0].data = {4, 3, 2, 1};
  EXPECT_EQ(send_calls(std::move(other)).error().cause->field, "/calls/0/data");
  AppRequest dear = request(app_token, game);
  dear.calls[0].value = Uint256(1);
  EXPECT_EQ(send_calls(std::move(dear)).error().cause->field, "/calls/0/value");
  EXPECT_TRUE(core.sessions.empty());
}

TEST_F(AppsTest, ATokenIsOfOneOriginAndOneGrant) {
  const NewToken app_token = issued(connected(), granted(game));
  (void)issued(connected(kOther), granted(bob));
  for (const std::string& origin :
       {kOther, std::string("https://game.example:444"), std::string("null"), std::string()}) {
    AppRequest stolen = request(app_token, game);
    stolen.origin = origin;
    expect_rule(send_calls(std::move(stolen)), ErrorCode::origin_wrong);
  }
  EXPECT_NE(told_by("SecurityViolation").find("app_origin_wrong"), std::string::npos);
  EXPECT_EQ(told_by("SecurityViolation").find(app_token.token), std::string::npos);
  // What the other app's grant allows, this one's does not.
  expect_cause(send_calls(request(app_token, bob)), transactions::ErrorCode::field_invalid);
  for (const std::string& text : {std::string(), std::string("x"), std::string(43, 'A'), app_token.token + "A"}) {
    AppRequest unknown = request(app_token, game);
    unknown.token = text;
    expect_rule(send_calls(std::move(unknown)), ErrorCode::token_invalid);
  }
  EXPECT_TRUE(core.sessions.empty());
}

TEST_F(AppsTest, ATokenEndsWithItsTimeItsSessionAndItsWallet) {
  const Permission permission = connected();
  const Bytes32 grant_id = granted(game);
  const NewToken app_token = issued(permission, grant_id);
  EXPECT_LE(app_token.expires_ms, clock.now_ms() + kTokenLife.count());
  // A session that ends earlier than the grant is the end.
  owners.ends_ms = clock.now_ms() + 30'000;
  const NewToken brief = issued(permission, grant_id);
  EXPECT_EQ(brief.expires_ms, owners.ends_ms);
  clock.advance(infra::Milliseconds(30'000));
  expect_rule(send_calls(request(brief, game)), ErrorCode::token_invalid);
  // Logged out, or suspended by the operator.
  owners.ends_ms = 0;
  expect_rule(send_calls(request(app_token, game)), ErrorCode::token_invalid);
  owners.ends_ms = INT64_MAX;
  expect_rule(send_calls(request(app_token, game)), ErrorCode::token_invalid);

  const NewToken next = issued(permission, grant_id);
  ASSERT_TRUE(send_calls(request(next, game)));
  ASSERT_TRUE(connect(kGame, "00000000-0000-4000-8000-00000000000d"));
  expect_rule(send_calls(request(next, game)), ErrorCode::token_invalid);
  ASSERT_EQ(permissions().size(), 1u) << "one permission an origin";
  expect_rule(token_for(permission, grant_id), ErrorCode::not_found);
}

TEST_F(AppsTest, DisconnectedWhileItAsksNothingIsBrought) {
  const Permission permission = connected();
  const NewToken app_token = issued(permission, granted(game));
  bool done = false;
  auto disconnect = [&]() -> Task<void> {
    EXPECT_TRUE(co_await apps->disconnect(person, permission.permission_id));
    done = true;
  };
  // After the token was read, before the calls are noted.
  owners.on_question = [&] {
    owners.on_question = nullptr;
    group->spawn(disconnect());
  };
  const auto refused = send_calls(request(app_token, game));
  until([&] { return done; });
  if (!refused) {
    expect_rule(refused, ErrorCode::token_invalid);
    EXPECT_TRUE(core.sessions.empty());
  }
  expect_rule(send_calls(request(app_token, game)), ErrorCode::token_invalid);
}

TEST_F(AppsTest, TheSameRequestIsOneTransactionAlsoAfterACrash) {
  const NewToken app_token = issued(connected(), granted(game));
  const AppRequest wanted = request(app_token, game);
  const auto first_answer = send_calls(wanted);
  ASSERT_TRUE(first_answer);
  EXPECT_EQ(send_calls(wanted)->transaction_id, first_answer->transaction_id);
  make_anew();
  EXPECT_EQ(send_calls(wanted)->transaction_id, first_answer->transaction_id);
  EXPECT_EQ(core.sessions.size(), 1u);
  // Prepared and noted when the node died: brought by the repetition.
  core.is_away = true;
  const AppRequest interrupted = request(app_token, game);
  expect_cause(send_calls(interrupted), transactions::ErrorCode::core_unavailable);
  core.is_away = false;
  make_anew();
  const auto brought = send_calls(interrupted);
  ASSERT_TRUE(brought) << brought.error().message;
  EXPECT_EQ(brought->state, State::submitted);
}

TEST_F(AppsTest, WhoAsksTooOftenWaits) {
  const NewToken app_token = issued(connected(), granted(game));
  AppRequest wrong = request(app_token, bob);
  int refused = 0;
  for (int i = 0; i < 30 && refused == 0; i++) {
    const auto answer = send_calls(wrong);
    if (answer.error().code != ErrorCode::too_many_requests) continue;
    EXPECT_GE(*answer.error().retry_after_s, 1);
    EXPECT_EQ(i, static_cast<int>(kCallsPerMinute));
    refused++;
  }
  EXPECT_EQ(refused, 1);
  clock.advance(infra::Milliseconds(60'000));
  EXPECT_TRUE(send_calls(request(app_token, game)));
}

TEST_F(AppsTest, GrantAndPermissionAreThePersonsOwn) {
  const Permission permission = connected();
  const Bytes32 grant_id = granted(game);
  expect_rule(token_for(permission, Bytes32{9}), ErrorCode::not_found);
  expect_rule(loop.block_on(apps->issue_token(stranger, kSession, permission.permission_id, grant_id)),
              ErrorCode::not_found);
  expect_rule(loop.block_on(apps->disconnect(stranger, permission.permission_id)), ErrorCode::not_found);
  expect_rule(connect("https://game.example/path"), ErrorCode::field_invalid);
  expect_rule(connect("http://game.example"), ErrorCode::field_invalid);
  expect_rule(connect(kOther, "00000000-0000-4000-8000-0000000000ff"), ErrorCode::not_found);
  EXPECT_TRUE(loop.block_on(apps->permissions(stranger))->empty());
}

TEST_F(AppsTest, ThereAreLimits) {
  for (std::size_t i = 0; i < kMaxPermissions; i++)
    ASSERT_TRUE(connect("https://app" + std::to_string(i) + ".example"));
  expect_rule(connect(), ErrorCode::too_many_apps);
  ASSERT_TRUE(connect("https://app0.example")) << "the same again is none more";
  const Permission first_app = permissions().back();
  const Bytes32 grant_id = granted(game);
  NewToken oldest = issued(first_app, grant_id);
  for (std::size_t i = 0; i < kMaxTokens; i++) {
    clock.advance(infra::Milliseconds(1));
    (void)issued(first_app, grant_id);
  }
  AppRequest wanted = request(oldest, game);
  wanted.origin = first_app.origin;
  expect_rule(send_calls(std::move(wanted)), ErrorCode::token_invalid);
}

TEST_F(AppsTest, TheStatusIsForTheOriginThatWasTold) {
  const Permission permission = connected();
  const Transaction paid = payment();
  expect_rule(status(kGame, paid.transaction_id), ErrorCode::not_found);
  expect_rule(loop.block_on(apps->note_calls(stranger, permission.permission_id, paid.transaction_id)),
              ErrorCode::not_found);
  ASSERT_TRUE(loop.block_on(apps->note_calls(person, permission.permission_id, paid.transaction_id)));
  ASSERT_TRUE(loop.block_on(apps->note_calls(person, permission.permission_id, paid.transaction_id)));
  (void)sent(paid);
  const auto waiting = status(kGame, paid.transaction_id);
  ASSERT_TRUE(waiting);
  EXPECT_EQ(waiting->transaction.state, State::submitted);
  EXPECT_FALSE(waiting->receipt);
  expect_rule(status(kOther, paid.transaction_id), ErrorCode::not_found);

  include_among_others(paid);
  const auto done = status(kGame, paid.transaction_id);
  ASSERT_TRUE(done) << done.error().message;
  ASSERT_TRUE(done->receipt);
  EXPECT_TRUE(done->receipt->success);
  ASSERT_EQ(done->receipt->logs.size(), 1u) << "those of other people in the same bundle are not told";
  EXPECT_EQ(done->receipt->logs[0].as_object().at("data"), "0x07");
  ASSERT_TRUE(loop.block_on(apps->disconnect(person, permission.permission_id)));
  expect_rule(status(kGame, paid.transaction_id), ErrorCode::not_found);
}

}  // namespace
}  // namespace community::apps
