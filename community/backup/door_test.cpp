// SPDX-License-Identifier: Apache-2.0
// The door as another node's client finds it: both ends of the wire, with a core that a test answers for.
#include <gtest/gtest.h>

#include "community/backup/api/exchange.hpp"
#include "community/backup/factory.hpp"
#include "community/backup/test_support/fake_keys.hpp"
#include "community/core/json.hpp"
#include "community/infra/api/files.hpp"
#include "community/infra/fake/clock.hpp"
#include "community/infra/fake/temporary_directory.hpp"

namespace community::backup {
namespace {

using infra::HttpRequest;
using infra::HttpResponse;
using infra::Milliseconds;

// Calls reach the router of one node; what it answered last is kept.
class Wire final : public infra::HttpClient {
 public:
  explicit Wire(infra::HttpRouter& router) : router_(router) {}
  Task<infra::Result<HttpResponse>> send(infra::HttpCall call) override {
    HttpRequest request;
    request.method = call.method;
    request.target = call.url.substr(std::string("http://holder").size());
    request.body = call.body;
    HttpResponse response = co_await router_.handle(std::move(request));
    status = response.status;
    co_return response;
  }
  unsigned status = 0;

 private:
  infra::HttpRouter& router_;
};

class BackupDoorTest : public ::testing::Test {
 protected:
  BackupDoorTest() {
    door.add_to(router);
    auto answer_quote = [this](HttpRequest request) -> Task<HttpResponse> {
      attestation::QuoteDocument document;
      document.statement.challenge =
          core::parse_bytes32(request.query_value("challenge").value(), core::HexPrefix::optional).value();
      document.statement.core_id = {0x10};
      document.statement.body = 1;
      co_return infra::http_json(200, attestation::format_quote(document));
    };
    router.add("GET", "/api/v1/attestation", infra::HttpHandler(answer_quote));
  }

  template <class T>
  T run(Task<T> task) {
    auto with_time = [this](Task<T> inner) -> Task<T> {
      std::optional<T> slot;
      infra::TaskGroup group(loop.executor());
      group.spawn(infra::detail::store(std::move(inner), slot));
      while (!slot) {
        clock.advance(Milliseconds(100));
        for (int turn = 0; turn < 20; turn++) co_await infra::reschedule();
      }
      co_await group.join();
      co_return std::move(*slot);
    };
    return loop.block_on(with_time(std::move(task)));
  }
  static std::string rule(const Result<void>& result) { return result ? "done" : result.error().rule; }

  void allow() {
    std::filesystem::create_directories(files.allowed(source.description.core_id).parent_path());
    protocol::KeepOrder order;
    order.source = FakeSource::peer(1);
    const std::string text = format_order(kKeepOrderFormat, source.op.sign(order));
    ASSERT_TRUE(infra::write_file_atomically(files.allowed(source.description.core_id), text));
  }
  CheckpointDocument checkpoint(std::uint64_t revision) {
    keys::CoreStatus core;
    core.core_id = source.description.core_id;
    core.backup_generation = source.description.generation;
    core.revision = revision;
    return {FakeKeys::checkpoint_of(core), std::nullopt};
  }

  infra::EventLoop loop;
  infra::FakeClock clock;
  infra::TemporaryDirectory folder;
  BackupFiles files{folder.path()};
  FakeKeys keys_;
  FakeSource source;
  infra::HttpRouter router;
  DoorLimits limits{.queue = 3, .rest = 3, .shares_of_source = 2, .shares = 3};
  std::unique_ptr<BackupDoor> made = make_backup_door({keys_, keys_, clock, files}, limits);
  BackupDoor& door = *made;
  Wire wire{router};
  PeerClient client{wire, clock, "http://holder/"};
};

TEST_F(BackupDoorTest, AShareGoesToAHolderWhoseOperatorAllowedTheSource) {
  FakeKeys source_keys;
  source_keys.sent = source.share().sent;
  const Bytes description = encoded(source.description);
  EXPECT_EQ(rule(run(give_share(source_keys, client, description, 2))), "source_not_allowed");
  EXPECT_TRUE(keys_.kept.empty());
  allow();
  EXPECT_EQ(rule(run(give_share(source_keys, client, description, 2))), "done");
  // Each side's evidence answers the other's challenge.
  EXPECT_EQ(source_keys.shared_challenge, Bytes32{7});
  const auto shown = to_quote(source_keys.shared_evidence);
  ASSERT_TRUE(shown);
  EXPECT_EQ(shown->statement.challenge, Bytes32{7});
  EXPECT_EQ(shown->statement.core_id, (RecordId{0x10}));
  EXPECT_EQ(source_keys.shared_index, 2);
  protocol::KeepOrder order;
  ASSERT_TRUE(protocol::decode(keys_.keep_order.message, order));
  EXPECT_EQ(order.source.core_id, (RecordId{1}));
  const auto held = run(client.shares(source.description.core_id));
  ASSERT_TRUE(held) << held.error().text();
  ASSERT_EQ(held->size(), 1u);
  EXPECT_EQ((*held)[0].generation, 3u);
  EXPECT_TRUE(run(client.shares({0xee}))->empty());
}

TEST_F(BackupDoorTest, TheSameShareAgainChangesNothingAndThereIsALimit) {
  allow();
  for (int again = 0; again < 3; again++) EXPECT_EQ(rule(run(client.keep_share(source.share()))), "done");
  EXPECT_EQ(keys_.kept.size(), 1u);
  source.description.generation = 4;
  EXPECT_EQ(rule(run(client.keep_share(source.share()))), "done");
  source.description.generation = 5;
  EXPECT_EQ(rule(run(client.keep_share(source.share()))), "too_many_shares");
  EXPECT_EQ(wire.status, 409u);
  EXPECT_EQ(keys_.kept.size(), 2u);
}

TEST_F(BackupDoorTest, TheCoresRefusalsAreToldByName) {
  allow();
  for (const auto refusal : {protocol::Error::peer_challenge_foreign, protocol::Error::evidence_other_code,
                             protocol::Error::share_not_committed}) {
    keys_.refusal = refusal;
    EXPECT_EQ(rule(run(client.keep_share(source.share()))), name(refusal));
    EXPECT_EQ(wire.status, 403u);
  }
  keys_.refusal = protocol::Error::fence_certificate_invalid;
  EXPECT_EQ(rule(run(client.fence({}))), "fence_certificate_invalid");
}

TEST_F(BackupDoorTest, CheckpointsGoToTheShareOfTheirGenerationAndOnlyForward) {
  EXPECT_EQ(rule(run(client.keep_checkpoint(checkpoint(5)))), "share_unknown");
  EXPECT_EQ(wire.status, 404u);
  allow();
  EXPECT_EQ(rule(run(client.keep_share(source.share()))), "done");
  EXPECT_EQ(rule(run(client.keep_checkpoint(checkpoint(5)))), "done");
  EXPECT_EQ(keys_.kept[0].revision, 5u);
  keys_.refusal = protocol::Error::checkpoint_signature_invalid;
  for (const std::uint64_t revision : {4, 5}) {
    EXPECT_EQ(rule(run(client.keep_checkpoint(checkpoint(revision)))), "checkpoint_not_newer") << "without the core";
    EXPECT_EQ(wire.status, 409u);
  }
  EXPECT_EQ(rule(run(client.keep_checkpoint(checkpoint(6)))), "checkpoint_signature_invalid");
  keys_.refusal.reset();
  CheckpointDocument restored = checkpoint(6);
  restored.certificate = FenceCertificate{{1}, 2, {3}, {4}};
  EXPECT_EQ(rule(run(client.keep_checkpoint(restored))), "done");
  ASSERT_TRUE(keys_.shown_certificate);
  EXPECT_EQ(keys_.shown_certificate->recovery_count, 2u);
}

TEST_F(BackupDoorTest, AShareIsReleasedByTheRecordThatTheOrderNames) {
  allow();
  EXPECT_EQ(rule(run(client.keep_share(source.share()))), "done");
  FakeKeys device;
  device.own_evidence = {1, 2, 3};
  protocol::RestoreOrder order;
  order.core_id = source.description.core_id;
  order.generation = 4;
  order.device = FakeSource::peer(9);
  auto collect = [&] { return run(collect_share(device, client, source.op.sign(order))); };
  EXPECT_EQ(collect().error().rule, "share_unknown");
  order.generation = 3;
  const auto contribution = collect();
  ASSERT_TRUE(contribution) << contribution.error().text();
  EXPECT_EQ(contribution->index, 1);
  EXPECT_EQ(contribution->evidence, keys_.sent.evidence);
  EXPECT_EQ(keys_.released, keys_.kept[0].share_id);
  // The holder's challenge was answered by the device, and the device's by the holder.
  EXPECT_EQ(device.attested, Bytes32{7});
  EXPECT_EQ(keys_.released_challenge, Bytes32{7});
  keys_.refusal = protocol::Error::operator_signature_invalid;
  EXPECT_EQ(collect().error().rule, "operator_signature_invalid");
}

TEST_F(BackupDoorTest, WhatIsNoDocumentNeverReachesTheCore) {
  const auto post = [this](const std::string& method, const std::string& path, std::string body) {
    HttpRequest request;
    request.method = method;
    request.target = "/api/v1/backup/" + path;
    request.body = std::move(body);
    const auto response = run(router.handle(std::move(request)));
    const auto value = core::parse_json(response.content());
    EXPECT_TRUE(value && value->is_object()) << response.body;
    return std::to_string(response.status) + " " + std::string(value->as_object().at("error").as_string());
  };
  const std::string fence = format_fence({});
  const std::pair<const char*, const char*> routes[] = {
      {"POST", "shares"}, {"PUT", "checkpoints"}, {"POST", "release"}, {"POST", "fence"}};
  for (const auto& [method, path] : routes) {
    EXPECT_EQ(post(method, path, ""), "400 document_malformed") << path;
    EXPECT_EQ(post(method, path, std::string(kMaxDocument + 1, '{')), "400 document_too_large") << path;
    EXPECT_EQ(post(method, path, format_challenge({})), "400 format_unknown") << path;
  }
  EXPECT_EQ(post("POST", "release", format_release({{{1, 2}, {}}, {}, {1}})), "400 backup_order_malformed");
  EXPECT_EQ(post("GET", "shares", ""), "400 core_id_malformed");
  EXPECT_EQ(post("GET", "shares?coreId=12", ""), "400 core_id_malformed");
  EXPECT_FALSE(keys_.fenced_by);
  EXPECT_TRUE(keys_.kept.empty());
}

TEST_F(BackupDoorTest, OneAtATimeAndAShortQueue) {
  infra::Event hold;
  keys_.hold = &hold;
  auto ask = [this](unsigned& status) -> Task<void> {
    HttpRequest request;
    request.target = "/api/v1/backup/shares?coreId=" + std::string(32, '0');
    const auto response = co_await router.handle(std::move(request));
    status = response.status;
    if (status == 503) {
      EXPECT_GE(std::stoi(std::string(response.headers.get("retry-after"))), 1);
    }
  };
  auto test = [&]() -> Task<void> {
    std::array<unsigned, 5> status{};
    infra::TaskGroup group(loop.executor());
    for (unsigned& one : status) group.spawn(ask(one));
    for (int turn = 0; turn < 50; turn++) co_await infra::reschedule();
    EXPECT_EQ(status, (std::array<unsigned, 5>{0, 0, 0, 503, 503}));
    clock.advance(Milliseconds(1'000));
    hold.set();
    for (int turn = 0; turn < 50; turn++) co_await infra::reschedule();
    // The first took a second; the core rests for three before the next begins.
    EXPECT_EQ(status[0], 200u);
    EXPECT_EQ(status[1], 0u);
    clock.advance(Milliseconds(2'900));
    for (int turn = 0; turn < 50; turn++) co_await infra::reschedule();
    EXPECT_EQ(status[1], 0u);
    clock.advance(Milliseconds(200));
    for (int turn = 0; turn < 50; turn++) co_await infra::reschedule();
    EXPECT_EQ(status[1], 200u);
    clock.advance(Milliseconds(10'000));
    co_await group.join();
    EXPECT_EQ(status[2], 200u);
  };
  loop.block_on(test());
}

TEST_F(BackupDoorTest, AnAwayCoreIsAskedAgainLater) {
  keys_.down = true;
  const auto challenge = run(client.challenge());
  ASSERT_FALSE(challenge);
  EXPECT_EQ(challenge.error().rule, "core_unavailable");
  EXPECT_EQ(keys_.calls.size(), 8u) << "as often as the client has patience";
}

}  // namespace
}  // namespace community::backup
