// SPDX-License-Identifier: Apache-2.0
// The channel: without the channel key, or out of place, nothing is answered and nothing is done.
#include <gtest/gtest.h>

#include "trusted/tests/support/world.hpp"

namespace community::trusted::testing {
namespace {

class Channel : public ::testing::Test {
 protected:
  Channel() {
    EXPECT_EQ(host.provision(), Error::ok);
    EXPECT_EQ(host.start(), Error::ok);
  }
  // The core's answer to `frame` on the established session, which must then be closed.
  Error refusal(ByteView frame) {
    const auto reply = host.channel().reply(host.send(frame));
    EXPECT_TRUE(host.session().closed);
    // Whatever follows on a closed session is not answered.
    EXPECT_TRUE(host.send(host.channel().request(Command::status, {})).empty());
    return reply ? reply->error : Error::ok;
  }
  // Sends `frame` as the first of a new connection; true when it is answered.
  bool opens(ByteView frame) {
    Session session;
    Bytes out(protocol::kMaxReplyFrame);
    const ByteView reply = host.core().handle(session, frame, out);
    EXPECT_EQ(session.established, !reply.empty());
    EXPECT_EQ(session.closed, reply.empty());
    return !reply.empty();
  }
  TestHost host;
};

TEST_F(Channel, HelloThenRequestsInOrder) {
  EXPECT_EQ(host.call(Command::status).error, Error::ok);
  const Reply reply = host.call(Command::status);
  EXPECT_EQ(reply.error, Error::ok);
  EXPECT_EQ(reply.request_id, host.channel().last_request_id());
  EXPECT_EQ(reply.command, static_cast<std::uint16_t>(Command::status) | protocol::kReplyBit);
}

TEST_F(Channel, HelloWithAWrongKeyIsNotAnswered) {
  Bytes32 wrong = host.channel_key();
  wrong[0] ^= 1;
  HostChannel stranger(wrong);
  EXPECT_FALSE(opens(stranger.hello()));
  EXPECT_FALSE(opens(HostChannel(Bytes32{}).hello()));
}

TEST_F(Channel, EveryBitOfAHelloCounts) {
  HostChannel channel(host.channel_key());
  const Bytes good = channel.hello();
  EXPECT_TRUE(opens(good));
  for (std::size_t i = 0; i < good.size(); i++) {
    Bytes bad = good;
    bad[i] ^= 0x40;
    EXPECT_FALSE(opens(bad)) << i;
  }
  for (std::size_t size = 0; size < good.size(); size++) EXPECT_FALSE(opens(ByteView(good).first(size))) << size;
}

TEST_F(Channel, HelloOfTheWrongShapeIsNotAnswered) {
  const Bytes32 key = protocol::hello_key(host.channel_key(), {});
  const auto hello = static_cast<std::uint16_t>(Command::hello);
  const Bytes nonce(32, 1);
  EXPECT_TRUE(opens(make_frame(key, hello, 1, 0, nonce)));
  EXPECT_FALSE(opens(make_frame(key, hello, 1, 1, nonce)));
  EXPECT_FALSE(opens(make_frame(key, hello, 1, 0, Bytes(31, 1))));
  EXPECT_FALSE(opens(make_frame(key, hello, 1, 0, Bytes(33, 1))));
  EXPECT_FALSE(opens(make_frame(key, static_cast<std::uint16_t>(Command::status), 1, 0, {})));
  EXPECT_FALSE(opens(make_frame(key, hello | protocol::kReplyBit, 1, 0, nonce)));
}

TEST_F(Channel, ARequestBeforeHelloIsNotAnswered) { EXPECT_FALSE(opens(host.channel().request(Command::status, {}))); }

TEST_F(Channel, HelloFailsWithoutRandomness) {
  host.store.fail_random(true);
  EXPECT_FALSE(opens(HostChannel(host.channel_key()).hello()));
}

TEST_F(Channel, TheCoresHelloAnswersThisHostsNonce) {
  HostChannel first(host.channel_key(), 1), second(host.channel_key(), 2);
  first.hello();
  const Bytes other_hello = second.hello();
  Session session;
  Bytes out(protocol::kMaxReplyFrame);
  const Bytes answer = to_bytes(host.core().handle(session, other_hello, out));
  EXPECT_FALSE(first.established(answer));
  EXPECT_TRUE(second.established(answer));
}

TEST_F(Channel, ASecondHelloOnALiveSessionClosesIt) {
  EXPECT_EQ(refusal(HostChannel(host.channel_key()).hello()), Error::bad_mac);
}

TEST_F(Channel, HelloAsAnOrdinaryCommandIsUnknown) {
  EXPECT_EQ(host.call(Command::hello, Bytes(32, 1)).error, Error::unknown_command);
}

TEST_F(Channel, TruncatedFramesCloseTheSession) {
  const Bytes good = host.channel().request(Command::status, {});
  for (std::size_t size = 0; size < good.size(); size++) {
    ASSERT_TRUE(host.reconnect());
    EXPECT_EQ(refusal(ByteView(good).first(size)), Error::malformed_frame) << size;
  }
}

TEST_F(Channel, AFrameLongerThanItSaysClosesTheSession) {
  Bytes frame = host.channel().request(Command::status, {});
  frame.push_back(0);
  EXPECT_EQ(refusal(frame), Error::malformed_frame);
}

TEST_F(Channel, OversizedFramesCloseTheSession) {
  const Bytes frame = host.channel().request(Command::status, Bytes(protocol::kMaxBody + 1));
  EXPECT_EQ(protocol::frame_size(frame), protocol::kMaxFrame + 1);
  EXPECT_EQ(refusal(frame), Error::malformed_frame);
}

TEST_F(Channel, TheLargestFrameIsRead) {
  EXPECT_EQ(host.call(Command::status, Bytes(protocol::kMaxBody)).error, Error::malformed_request);
  EXPECT_EQ(host.call(Command::status).error, Error::ok);
}

TEST_F(Channel, LengthsNoFrameCanHaveAreTold) {
  EXPECT_EQ(protocol::frame_size({}), 0u);
  EXPECT_EQ(protocol::frame_size(unhex("000000")), 0u);
  EXPECT_EQ(protocol::frame_size(unhex("00000000")), protocol::kMaxFrame + 1);
  EXPECT_EQ(protocol::frame_size(unhex("00000023")), protocol::kMaxFrame + 1);
  EXPECT_EQ(protocol::frame_size(unhex("00000024")), protocol::kMinFrame);
  EXPECT_EQ(protocol::frame_size(unhex("ffffffff")), protocol::kMaxFrame + 1);
}

TEST_F(Channel, EveryBitOfAFrameCounts) {
  for (std::size_t i = 4; i < protocol::kMinFrame + 8; i++) {
    ASSERT_TRUE(host.reconnect());
    Bytes frame = host.channel().request(Command::commit, Bytes(8, 1));
    frame[i] ^= 1;
    EXPECT_EQ(refusal(frame), i < 6 ? Error::unsupported_version : Error::bad_mac) << i;
  }
}

TEST_F(Channel, AWrongVersionClosesTheSession) {
  Bytes frame = host.channel().request(Command::status, {});
  base::store_be<std::uint16_t>(frame.data() + 4, 2);
  EXPECT_EQ(refusal(frame), Error::unsupported_version);
}

TEST_F(Channel, AReplayedFrameClosesTheSession) {
  const Bytes frame = host.channel().request(Command::status, {});
  ASSERT_TRUE(host.channel().reply(host.send(frame)));
  EXPECT_EQ(refusal(frame), Error::bad_sequence);
}

TEST_F(Channel, AHeldBackFrameClosesTheSession) {
  const Bytes first = host.channel().request(Command::status, {}), second = host.channel().request(Command::status, {});
  EXPECT_EQ(refusal(second), Error::bad_sequence);
}

TEST_F(Channel, SequencesStartAtOneAndNeverJump) {
  for (const std::uint64_t sequence : {std::uint64_t{0}, std::uint64_t{2}, ~std::uint64_t{0}}) {
    ASSERT_TRUE(host.reconnect());
    EXPECT_EQ(refusal(host.channel().request_at(sequence, static_cast<std::uint16_t>(Command::status), {})),
              Error::bad_sequence);
  }
}

TEST_F(Channel, AReflectedAnswerIsNoRequest) {
  const Bytes answer = host.send(host.channel().request(Command::status, {}));
  ASSERT_TRUE(host.channel().reply(answer));
  EXPECT_EQ(refusal(answer), Error::bad_mac);
}

TEST_F(Channel, AReflectedHelloIsNoHello) {
  HostChannel channel(host.channel_key());
  Session session;
  Bytes out(protocol::kMaxReplyFrame);
  const Bytes answer = to_bytes(host.core().handle(session, channel.hello(), out));
  ASSERT_FALSE(answer.empty());
  EXPECT_FALSE(opens(answer));
}

TEST_F(Channel, AFrameOfAnEarlierConnectionIsWorthless) {
  const Bytes old = host.channel().request(Command::status, {});
  ASSERT_TRUE(host.reconnect());
  EXPECT_EQ(refusal(old), Error::bad_mac);
}

TEST_F(Channel, AFrameOfAParallelConnectionIsWorthless) {
  HostChannel other(host.channel_key(), 77);
  Session session;
  Bytes out(protocol::kMaxReplyFrame);
  ASSERT_TRUE(other.established(host.core().handle(session, other.hello(), out)));
  EXPECT_EQ(refusal(other.request(Command::status, {})), Error::bad_mac);
}

TEST_F(Channel, AReplayedHelloGivesKeysNobodyHas) {
  HostChannel channel(host.channel_key(), 5);
  const Bytes hello = channel.hello();
  Session first, second;
  Bytes out(protocol::kMaxReplyFrame);
  ASSERT_TRUE(channel.established(host.core().handle(first, hello, out)));
  const Bytes request = channel.request(Command::status, {});
  // The replayed hello is answered with another nonce, so what was recorded does not fit.
  ASSERT_FALSE(host.core().handle(second, hello, out).empty());
  EXPECT_NE(first.keys.to_core, second.keys.to_core);
  host.core().handle(second, request, out);
  EXPECT_TRUE(second.closed);
  EXPECT_FALSE(host.core().handle(first, request, out).empty());
  EXPECT_FALSE(first.closed);
}

TEST_F(Channel, FramesOfBeforeARestartAreWorthless) {
  HostChannel channel(host.channel_key(), 5);
  const Bytes hello = channel.hello();
  Session session;
  Bytes out(protocol::kMaxReplyFrame);
  ASSERT_TRUE(channel.established(host.core().handle(session, hello, out)));
  const Bytes request = channel.request(Command::status, {});
  ASSERT_EQ(host.restart(true), Error::ok);
  Session after;
  ASSERT_FALSE(host.core().handle(after, hello, out).empty());
  host.core().handle(after, request, out);
  EXPECT_TRUE(after.closed);
}

TEST_F(Channel, TheDirectionsHaveTheirOwnKeys) {
  EXPECT_NE(host.channel().keys().to_core, host.channel().keys().to_host);
}

TEST_F(Channel, UnknownCommandsAreRefusedAndTheSessionLivesOn) {
  for (const int command : {0, 14, 15, 23, 31, 36, 47, 61, 75, 95, 97, 0x8002, 0xffff}) {
    const Reply reply = host.call(static_cast<Command>(command), Bytes(40, 1));
    EXPECT_EQ(reply.error, Error::unknown_command) << command;
    EXPECT_TRUE(reply.body.empty());
  }
  EXPECT_EQ(host.call(Command::status).error, Error::ok);
}

TEST_F(Channel, EveryCommandRefusesAMalformedBody) {
  for (const Command command : {Command::configure,
                                Command::commit,
                                Command::recover,
                                Command::rotate_root_key,
                                Command::retire_root_key,
                                Command::reseal,
                                Command::count_records,
                                Command::wallet_create,
                                Command::wallet_update,
                                Command::account_bind,
                                Command::wallet_describe,
                                Command::key_create,
                                Command::key_describe,
                                Command::sign_userop,
                                Command::sign_transaction,
                                Command::sign_sponsorship,
                                Command::account_change_keys,
                                Command::account_adopt,
                                Command::sign_session,
                                Command::sign_action,
                                Command::attest}) {
    const int number = static_cast<int>(command);
    EXPECT_EQ(host.call(command, {}).error, Error::malformed_request) << number;
    EXPECT_EQ(host.call(command, Bytes(5, 0xff)).error, Error::malformed_request) << number;
    EXPECT_EQ(host.call(command, Bytes(20'000, 0x00)).error, Error::malformed_request) << number;
  }
  EXPECT_EQ(host.call(Command::status, Bytes(1)).error, Error::malformed_request);
  EXPECT_EQ(host.call(Command::release_leases, Bytes(1)).error, Error::malformed_request);
}

TEST(ChannelStart, ACoreThatIsNotProvisionedAnswersNothing) {
  MemoryStore store;
  Core core(store.port());
  EXPECT_EQ(core.start(), Error::not_provisioned);
  Session session;
  Bytes out(protocol::kMaxReplyFrame);
  EXPECT_TRUE(core.handle(session, HostChannel(Bytes32{}).hello(), out).empty());
  EXPECT_TRUE(session.closed);
}

TEST(ChannelStart, ACoreWhoseStoreCannotBeReadAnswersNothing) {
  TestHost host;
  ASSERT_EQ(host.provision(), Error::ok);
  const Bytes good = host.store.contents();
  for (std::size_t size = 1; size < good.size(); size++) {
    host.store.put(Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size)));
    Core core(host.store.port());
    EXPECT_EQ(core.start(), Error::store_failed) << size;
  }
  Bytes more = good;
  more.push_back(0);
  host.store.put(more);
  EXPECT_EQ(Core(host.store.port()).start(), Error::store_failed);
}

TEST(ChannelStart, ProvisioningTwiceIsRefused) {
  TestHost host;
  ASSERT_EQ(host.provision(), Error::ok);
  const Bytes before = host.store.contents();
  EXPECT_EQ(host.provision(), Error::already_provisioned);
  EXPECT_EQ(host.store.contents(), before);
}

TEST(ChannelStart, ProvisioningNeedsStoreAndRandomness) {
  TestHost host;
  host.store.fail_random(true);
  EXPECT_EQ(host.provision(), Error::random_failed);
  host.store.fail_random(false);
  host.store.fail_write(1, MemoryStore::Fault::refuse);
  EXPECT_EQ(host.provision(), Error::store_failed);
  EXPECT_TRUE(host.store.contents().empty());
  EXPECT_EQ(host.provision(), Error::ok);
}

}  // namespace
}  // namespace community::trusted::testing
