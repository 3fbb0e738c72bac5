// SPDX-License-Identifier: Apache-2.0
// Quotes of the real attestation PTA: over the statement the application made, by one key that the TEE keeps, with the
// measurements that tools/manifest computes from the build.
#include <gtest/gtest.h>

#include "trusted/tests/support/backup.hpp"
#include "trusted/tests/support/optee.hpp"
#include "trusted/tests/support/quote_maker.hpp"
#include "trusted/tests/support/source_files.hpp"
#include "trusted/tests/support/world.hpp"

namespace community::trusted::testing {
namespace {

using protocol::AttestReply;
using protocol::QuoteKind;

class OpteeQuotes : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!optee_image().complete()) GTEST_SKIP() << "no OP-TEE image: make optee";
  }
  // The first quote of a device waits for its RSA key, which may take longer than a connection waits.
  static Reply ask(World& world, QuoteKind kind, const Bytes32& challenge) {
    Reply reply;
    for (int attempt = 0; attempt < 5; attempt++) {
      reply = world.host.ask(Command::attest, protocol::AttestRequest{challenge, static_cast<std::uint8_t>(kind)});
      if (reply.error != Error::no_session) break;
      EXPECT_TRUE(world.host.reconnect());
    }
    return reply;
  }
  // What tools/manifest says the image's quotes will be, by the name of a measurement.
  std::string predicted(const std::string& name) const {
    const std::string out = optee.folder() + "/manifest.json";
    const std::string root = COMMUNITY_SOURCE_DIR;
    const auto done =
        run_program({root + "/tools/manifest", "--out", out, "--image",
                     "optee-qemu:emulated:" + optee_image().folder.string(), "--programs", optee.folder()});
    EXPECT_EQ(done.status, 0) << done.errors;
    std::ifstream file(out);
    std::stringstream text;
    text << file.rdbuf();
    const std::size_t at = text.str().find("\"" + name + "\": \"");
    EXPECT_NE(at, std::string::npos) << text.str() << done.output;
    return at == std::string::npos ? "" : text.str().substr(at + name.size() + 5, 64);
  }
  OpteeDevice optee;
};

TEST_F(OpteeQuotes, AreGenuineAndMeasureTheImage) {
  World world(1, &optee);
  const Bytes32 challenge = base::sha256(base::view("asked of a real TEE"));
  std::array<std::uint8_t, protocol::kQuoteKeyBytes> modulus{};
  for (const QuoteKind kind : {QuoteKind::application, QuoteKind::system}) {
    const Reply reply = ask(world, kind, challenge);
    ASSERT_EQ(reply.error, Error::ok);
    const auto answer = decoded<AttestReply>(reply.body);
    ASSERT_EQ(answer.kind, static_cast<std::uint8_t>(kind));
    EXPECT_EQ(answer.statement.challenge, challenge);
    EXPECT_EQ(answer.statement.body, static_cast<std::uint8_t>(protocol::Body::optee_qemu));
    EXPECT_EQ(answer.statement.protection, static_cast<std::uint8_t>(protocol::Protection::emulated));
    EXPECT_EQ(answer.quote.exponent, 65'537u);
    const Bytes32 report = protocol::attestation_report(kind, answer.statement);
    EXPECT_TRUE(quote_verifies(report, answer.quote));
    const QuoteKind other = kind == QuoteKind::system ? QuoteKind::application : QuoteKind::system;
    EXPECT_FALSE(quote_verifies(protocol::attestation_report(other, answer.statement), answer.quote));
    EXPECT_EQ(to_hex(answer.quote.measurement), predicted(kind == QuoteKind::system ? "system" : "application"));
    if (kind == QuoteKind::application) modulus = answer.quote.modulus;
    EXPECT_EQ(answer.quote.modulus, modulus);
  }
  // The key stays through a loss of power, and so does the identity.
  const auto before = decoded<AttestReply>(ask(world, QuoteKind::application, challenge).body);
  ASSERT_EQ(world.host.restart(false), Error::ok);
  const Reply again = ask(world, QuoteKind::application, challenge);
  ASSERT_EQ(again.error, Error::ok);
  const auto after = decoded<AttestReply>(again.body);
  EXPECT_EQ(after.quote.modulus, modulus);
  EXPECT_EQ(after.quote.measurement, before.quote.measurement);
  EXPECT_EQ(after.statement.identity_key, before.statement.identity_key);
  EXPECT_TRUE(quote_verifies(protocol::attestation_report(QuoteKind::application, after.statement), after.quote));
}

// Two devices with keys and measurements of their own: each verifies the other's real quotes before a share moves, and
// the second one takes over when the first is lost.
TEST_F(OpteeQuotes, TwoDevicesJudgeEachOtherAndOneTakesOverFromTheOther) {
  OpteeDevice second;
  BackupWorld backup(&optee, &second);
  // The second device is a holder first of all, of a backup beside the one that it will be restored from.
  protocol::BackupOrder order = backup.order();
  order.holders[0].peer = describe_peer(backup.device, nullptr);
  EXPECT_NE(order.holders[0].peer.attestation_key, describe_peer(backup.source, nullptr).attestation_key);
  ASSERT_EQ(backup.create(order), Error::ok);
  const Bytes evidence = encoded(make_evidence(backup.device, peer_challenge(backup.source)));
  const protocol::BackupShareRequest request{backup.description, 1, peer_challenge(backup.device), evidence};
  const Reply sent = backup.source.ask(Command::backup_share, request);
  ASSERT_EQ(sent.error, Error::ok);
  const auto answer = decoded<protocol::SharePackageReply>(sent.body);
  const Bytes shown = encoded(answer.evidence);
  protocol::KeepOrder keep{backup.device.status().core_id, describe_peer(backup.source, nullptr), 1};
  protocol::ShareKeepRequest kept;
  const OwnedPath path = backup.device.pending_tree.path(0);
  const auto keep_with = [&](const protocol::KeepOrder& order_of_holder) {
    const OwnedOrder signed_order = sign_order(backup.device, "keep share", order_of_holder);
    kept.path = path.view();
    kept.order = signed_order.view();
    kept.description = backup.description;
    kept.evidence = shown;
    kept.package = answer.package;
    return backup.device.refusal(Command::share_keep, kept);
  };
  EXPECT_EQ(keep_with(keep), Error::ok);
  keep.source.application[0] ^= 1;
  EXPECT_EQ(keep_with(keep), Error::evidence_other_code);
  ASSERT_TRUE(backup.device.reconnect());

  backup.distribute(2);
  backup.restore_now();
  ASSERT_EQ(backup.device.restart(false), Error::ok);
  EXPECT_EQ(backup.device.status().core_id, backup.source.status().core_id);
  const auto certificate = decoded<protocol::FenceCertificate>(BackupWorld::certificate(backup.device).body);
  ASSERT_EQ(backup.source.refusal(Command::fence, certificate), Error::ok);
  ASSERT_EQ(backup.source.restart(false), Error::ok);
  EXPECT_EQ(backup.world.sign(backup.world.good_userop()).error, Error::fenced);
}

}  // namespace
}  // namespace community::trusted::testing
