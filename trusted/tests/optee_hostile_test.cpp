// SPDX-License-Identifier: Apache-2.0
// A guest whose root is the attacker: it reads what memory it can, calls the trusted application with whatever the
// client API lets through, keeps, bends and mixes the frames it carries, and dies in the middle of them.
#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>

#include "ta/ta_commands.h"
#include "trusted/tests/support/guest.hpp"
#include "trusted/tests/support/world.hpp"

namespace community::trusted::testing {
namespace {

// TEEC_Result (TEE Client API Specification 1.0, section 4.4.2) and where it came from (4.4.3)
constexpr std::uint32_t kSuccess = 0, kAccessConflict = 0xffff0003, kExcessData = 0xffff0004,
                        kBadParameters = 0xffff0006, kNotSupported = 0xffff000a, kBusy = 0xffff000d,
                        kShortBuffer = 0xffff0010;
constexpr std::uint32_t kFromApplication = 4;
constexpr std::uint32_t kNone = 0, kValueOut = 2, kMemoryIn = 5, kMemoryOut = 6;
constexpr std::uint32_t kRightTypes = kMemoryIn | kMemoryOut << 4 | kValueOut << 8;

bool long_run() { return std::getenv("COMMUNITY_TEST_LONG") != nullptr; }

std::uint32_t types(std::uint32_t first, std::uint32_t second, std::uint32_t third, std::uint32_t fourth) {
  return first | second << 4 | third << 8 | fourth << 12;
}

class GuestRoot : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!HostileGuest::exists()) GTEST_SKIP() << "no hostile guest: tools/optee tests";
  }
};

// Normal memory shows that the same program reads and changes what it may; everything of the secure world is a bus
// error.
TEST_F(GuestRoot, SeesNoSecureMemory) {
  HostileGuest guest("orders");
  ASSERT_TRUE(guest.device().create(optee_image()));
  // Memory that the kernel leaves alone: it hands out none of its own (CONFIG_STRICT_DEVMEM).
  guest.use_kernel_words("mem=112M");
  ASSERT_EQ(guest.start(), Error::ok) << guest.console();
  ASSERT_TRUE(guest.connect());
  using Touch = HostileGuest::Touch;
  EXPECT_EQ(guest.touch_memory(0x47000000, 256, Touch::read_write_and_read_back), Bytes(256, 0));
  const auto session = guest.open_session();
  ASSERT_EQ(session.result, kSuccess);
  struct Range {
    const char* name;
    std::uint64_t address;
    std::uint32_t pages;
  };
  // QEMU's machine `virt` with secure=on; OP-TEE and its applications are in all of secure RAM.
  // Of the flash's 64 MiB all that is ever written, and in the long run the rest.
  const std::uint32_t flash_pages = (long_run() ? 0x04000000 : 0x00300000) / 4096;
  for (const Range& range : {Range{"flash: firmware, unique key, seed, counter", 0, flash_pages},
                             Range{"secure RAM: firmware, OP-TEE, applications", 0x0e000000, 0x01000000 / 4096},
                             Range{"the secure world's serial line", 0x09040000, 1}}) {
    for (const Touch how : {Touch::read, Touch::write})
      EXPECT_EQ(guest.touch_memory(range.address, range.pages, how), Bytes(range.pages, SIGBUS)) << range.name;
  }
  EXPECT_EQ(guest.frames(session.session, {}).result, kSuccess);
}

// One guest for all tests of a suite: each begins with no session open.
class Parameters : public GuestRoot {
 protected:
  static void SetUpTestSuite() {
    if (!HostileGuest::exists()) return;
    guest = std::make_unique<HostileGuest>("orders");
    ASSERT_TRUE(guest->device().create(optee_image()));
    ASSERT_EQ(guest->start(), Error::ok) << guest->console();
    ASSERT_TRUE(guest->connect());
  }
  static void TearDownTestSuite() { guest.reset(); }
  void TearDown() override {
    if (guest) guest->close_all_sessions();
  }
  // Right in everything that the types do not say.
  static std::array<GuestParameter, 4> parameters() {
    std::array<GuestParameter, 4> all;
    all.fill({64, 0, {}});
    all[1].a = COMMUNITY_TA_MAX_OUTPUT;
    return all;
  }
  static inline std::unique_ptr<HostileGuest> guest;
};

TEST_F(Parameters, OfASessionMustBeNone) {
  for (std::uint32_t kind = 1; kind < 8; kind++) {
    if (kind == 4) continue;
    for (std::uint32_t place = 0; place < 4; place++) {
      const auto out = guest->open_session(kind << (4 * place), parameters());
      EXPECT_EQ(out.result, kBadParameters) << kind << " at " << place;
      EXPECT_EQ(out.origin, kFromApplication);
    }
  }
  EXPECT_EQ(guest->open_session().result, kSuccess);
}

TEST_F(Parameters, OfACallMustBeOfTheRightTypes) {
  const auto session = guest->open_session();
  ASSERT_EQ(session.result, kSuccess);
  const std::uint32_t kinds[] = {0, 1, 2, 3, 5, 6, 7};
  Random random(6);
  int tried = 0;
  for (const std::uint32_t a : kinds)
    for (const std::uint32_t b : kinds)
      for (const std::uint32_t c : kinds)
        for (const std::uint32_t d : kinds) {
          const std::uint32_t all = types(a, b, c, d);
          if (all == kRightTypes) continue;
          // One place wrong is always tried, more than one now and then.
          const int wrong = (a != kMemoryIn) + (b != kMemoryOut) + (c != kValueOut) + (d != kNone);
          if (wrong > 1 && !long_run() && !random.one_in(16)) continue;
          const auto out = guest->invoke(session.session, COMMUNITY_TA_FRAMES, all, parameters());
          ASSERT_EQ(out.result, kBadParameters) << std::hex << all;
          ASSERT_EQ(out.origin, kFromApplication) << std::hex << all;
          tried++;
        }
  EXPECT_GT(tried, 100);
  EXPECT_EQ(guest->frames(session.session, {}).result, kSuccess);
}

TEST_F(Parameters, OnlyOneCommandIsKnown) {
  const auto session = guest->open_session();
  ASSERT_EQ(session.result, kSuccess);
  for (const std::uint32_t command : {0u, 1u, 2u, 3u, 4u, 10u, 0xffu, 0x101u, 0x80000100u, 0xffffffffu})
    EXPECT_EQ(guest->invoke(session.session, command, kRightTypes, parameters()).result, kNotSupported) << command;
  EXPECT_EQ(guest->frames(session.session, {}).result, kSuccess);
}

TEST_F(Parameters, SizesAreThoseOfTheContract) {
  const auto session = guest->open_session();
  ASSERT_EQ(session.result, kSuccess);
  const auto call = [&](const GuestParameter& in, const GuestParameter& out) {
    auto all = parameters();
    all[0] = in;
    all[1] = out;
    return guest->invoke(session.session, COMMUNITY_TA_FRAMES, kRightTypes, all);
  };
  const GuestParameter room{COMMUNITY_TA_MAX_OUTPUT, 0, {}}, nothing{0, 0, {}};
  EXPECT_EQ(call({COMMUNITY_TA_MAX_INPUT + 1, 0, {}}, room).result, kExcessData);
  EXPECT_EQ(call({0x200000, 0, {}}, room).result, kExcessData);
  for (const std::uint32_t less : {0u, 1u, COMMUNITY_TA_MAX_OUTPUT / 2u, COMMUNITY_TA_MAX_OUTPUT - 1u}) {
    const auto out = call(nothing, {less, 0, {}});
    EXPECT_EQ(out.result, kShortBuffer) << less;
    EXPECT_EQ(out.parameters[1].a, COMMUNITY_TA_MAX_OUTPUT) << less;
  }
  // A size, and no memory at all.
  EXPECT_EQ(call({64, 1, {}}, room).result, kBadParameters);
  EXPECT_EQ(call({COMMUNITY_TA_MAX_INPUT, 1, {}}, room).result, kBadParameters);
  EXPECT_EQ(call(nothing, {COMMUNITY_TA_MAX_OUTPUT, 1, {}}).result, kBadParameters);
  EXPECT_EQ(call({64, 1, {}}, {COMMUNITY_TA_MAX_OUTPUT, 1, {}}).result, kBadParameters);
  // The largest that is allowed is looked at: zeros are no frame, and end the connection.
  const auto largest = call({COMMUNITY_TA_MAX_INPUT, 0, {}}, room);
  EXPECT_EQ(largest.result, kSuccess);
  EXPECT_EQ(largest.parameters[2].a, 0u);
  EXPECT_EQ(largest.parameters[2].b, 1u);
}

// The device is driven through its guest's client API, with the frames of a world that was made through tee-bridge.
class Frames : public GuestRoot {
 protected:
  // A session that belongs to nobody, and one that said hello as the node does.
  struct Connection {
    std::uint32_t session = 0;
    HostChannel channel;
  };
  static void SetUpTestSuite() {
    if (!HostileGuest::exists()) return;
    guest = std::make_unique<HostileGuest>("orders");
    // The world is made by an honest guest.
    const qemu::Image hostile = guest->image();
    guest->use_image(optee_image());
    world = std::make_unique<World>(1, guest.get());
    epoch = world->host.status().epoch;
    guest->kill();
    guest->use_image(hostile);
    ASSERT_EQ(guest->start(), Error::ok) << guest->console();
    ASSERT_TRUE(guest->connect());
  }
  static void TearDownTestSuite() {
    world.reset();
    guest.reset();
  }
  void TearDown() override {
    if (guest) guest->close_all_sessions();
  }

  std::uint32_t open() {
    const auto out = guest->open_session();
    EXPECT_EQ(out.result, kSuccess);
    return out.session;
  }
  Connection connect() {
    Connection made{open(), HostChannel(world->host.channel_key(), ++nonces)};
    const auto hello = guest->frames(made.session, made.channel.hello());
    EXPECT_TRUE(made.channel.established(hello.answers));
    return made;
  }
  // What the application answers to a frame in this session; no_session when nothing.
  Error answer_to(Connection& connection, ByteView frame, bool* closed = nullptr) {
    const auto out = guest->frames(connection.session, frame);
    EXPECT_EQ(out.result, kSuccess);
    if (closed != nullptr) *closed = out.closed;
    const auto reply = connection.channel.reply(out.answers);
    return reply ? reply->error : Error::no_session;
  }
  // Refused by this error, and the session is over: not even the right frame is answered any more.
  void expect_end(Connection& connection, ByteView frame, Error error, const std::string& what) {
    bool closed = false;
    EXPECT_EQ(answer_to(connection, frame, &closed), error) << what;
    EXPECT_TRUE(closed) << what;
    const auto after = guest->frames(connection.session, connection.channel.request(Command::status, {}));
    EXPECT_EQ(after.taken, 0u) << what;
    EXPECT_TRUE(after.answers.empty()) << what;
    guest->close_session(connection.session);
  }
  void expect_alive() {
    Connection connection = connect();
    EXPECT_EQ(answer_to(connection, connection.channel.request(Command::status, {})), Error::ok);
    guest->close_session(connection.session);
  }
  Bytes status_request(Connection& connection) { return connection.channel.request(Command::status, {}); }

  static inline std::unique_ptr<HostileGuest> guest;
  static inline std::unique_ptr<World> world;
  static inline std::uint64_t epoch = 0, nonces = 1'000;
};

TEST_F(Frames, EveryBitCounts) {
  Connection sample = connect();
  const std::size_t size = status_request(sample).size();
  guest->close_session(sample.session);
  Random random(13);
  for (std::size_t byte = protocol::kLengthBytes; byte < size; byte++)
    for (unsigned bit = 0; bit < 8; bit++) {
      if (!long_run() && bit != byte % 8) continue;
      Connection connection = connect();
      Bytes frame = status_request(connection);
      frame[byte] ^= static_cast<std::uint8_t>(1u << bit);
      const bool version = byte >= 4 && byte < 6;
      expect_end(connection, frame, version ? Error::unsupported_version : Error::bad_mac,
                 "byte " + std::to_string(byte) + " bit " + std::to_string(bit));
    }
  expect_alive();
}

TEST_F(Frames, ARepeatedOneEndsTheSession) {
  Connection connection = connect();
  const Bytes frame = status_request(connection);
  ASSERT_EQ(answer_to(connection, frame), Error::ok);
  expect_end(connection, frame, Error::bad_sequence, "repeated");
  expect_alive();
}

TEST_F(Frames, TheSecondBeforeTheFirstEndsTheSession) {
  Connection connection = connect();
  const Bytes first = status_request(connection), second = status_request(connection);
  expect_end(connection, second, Error::bad_sequence, "swapped");
  expect_alive();
}

TEST_F(Frames, OfAnotherSessionIsWorthless) {
  Connection one = connect(), other = connect();
  const Bytes frame = status_request(one);
  expect_end(other, frame, Error::bad_mac, "of another session");
  EXPECT_EQ(answer_to(one, frame), Error::ok);
  guest->close_session(one.session);
}

TEST_F(Frames, AnAnswerIsNoRequest) {
  Connection connection = connect();
  const Bytes answer = guest->frames(connection.session, status_request(connection)).answers;
  // As the application reads it, its own answer has a foreign MAC.
  Connection other = connect();
  expect_end(other, answer, Error::bad_mac, "reflected");
  EXPECT_TRUE(guest->frames(connection.session, answer).closed);
  guest->close_session(connection.session);
  expect_alive();
}

TEST_F(Frames, ASecondHelloEndsTheSession) {
  Connection connection = connect();
  HostChannel again(world->host.channel_key(), 77);
  expect_end(connection, again.hello(), Error::bad_mac, "second hello");
  expect_alive();
}

// A hello that was kept is answered, for it is genuine. What followed it then is worthless: the application's nonce is
// another.
TEST_F(Frames, ARepeatedHelloOpensNothing) {
  HostChannel channel(world->host.channel_key(), 78);
  const Bytes hello = channel.hello();
  const std::uint32_t first = open();
  ASSERT_TRUE(channel.established(guest->frames(first, hello).answers));
  const Bytes frame = channel.request(Command::status, {});
  ASSERT_TRUE(channel.reply(guest->frames(first, frame).answers));
  const std::uint32_t second = open();
  EXPECT_FALSE(guest->frames(second, hello).answers.empty());
  const auto repeated = guest->frames(second, frame);
  EXPECT_TRUE(repeated.closed);
  EXPECT_FALSE(channel.reply(repeated.answers));
}

TEST_F(Frames, CutOrOversizedOnesEndTheSession) {
  const auto expect_dropped = [&](ByteView bytes, const char* what) {
    Connection connection = connect();
    const auto out = guest->frames(connection.session, bytes);
    EXPECT_EQ(out.result, kSuccess) << what;
    EXPECT_TRUE(out.closed) << what;
    guest->close_session(connection.session);
  };
  Connection sample = connect();
  const Bytes frame = status_request(sample);
  guest->close_session(sample.session);
  for (std::size_t size = 1; size < frame.size(); size += 3) expect_dropped(ByteView(frame).first(size), "cut short");
  for (const std::string_view length :
       {"00000000", "00000001", "00000023", "00040001", "00043fff", "7fffffff", "ffffffff"}) {
    Bytes bent = frame;
    base::copy(bent, unhex(length));
    expect_dropped(bent, length.data());
  }
  // A length that is told and there, and beyond what a frame may have.
  Bytes long_one(COMMUNITY_TA_MAX_INPUT);
  base::store_be(long_one.data(), static_cast<std::uint32_t>(long_one.size() - 4));
  expect_dropped(long_one, "oversized");
  expect_alive();
}

TEST_F(Frames, TwoSessionsDoNotMixTheirChanges) {
  Connection one = connect(), other = connect();
  protocol::KeyCreateRequest request;
  const OwnedPath path = world->host.tree.path(world->host.next_leaf());
  request.path = path.view();
  request.purpose = static_cast<std::uint8_t>(protocol::Purpose::executor);
  ASSERT_EQ(answer_to(one, one.channel.request(Command::key_create, encoded(request))), Error::ok);
  EXPECT_EQ(answer_to(other, other.channel.request(Command::key_create, encoded(request))), Error::pending_elsewhere);
  const protocol::CommitRequest commit{epoch + 1, world->host.tree.root()};
  EXPECT_NE(answer_to(other, other.channel.request(Command::commit, encoded(commit))), Error::ok);
  // With the session its change dies, and the other may begin.
  guest->close_session(one.session);
  EXPECT_EQ(answer_to(other, other.channel.request(Command::key_create, encoded(request))), Error::ok);
}

// The guest opens sessions without end. Whoever proved the channel key stays, strangers push out each other.
TEST_F(Frames, StrangersSessionsDoNotKeepTheNodeOut) {
  Connection node = connect();
  ASSERT_EQ(answer_to(node, status_request(node)), Error::ok);
  std::vector<std::uint32_t> strangers;
  for (int i = 0; i < 40; i++) strangers.push_back(open());
  EXPECT_EQ(answer_to(node, status_request(node)), Error::ok);
  Connection again = connect();
  EXPECT_EQ(answer_to(again, status_request(again)), Error::ok);
  EXPECT_EQ(answer_to(node, status_request(node)), Error::ok);
  // The first of them made way: whatever it says, the connection is over.
  const auto out = guest->frames(strangers.front(), HostChannel(world->host.channel_key(), 5).hello());
  EXPECT_EQ(out.result, kSuccess);
  EXPECT_TRUE(out.closed);
  EXPECT_EQ(out.taken, 0u);
}

TEST_F(Frames, FourProvenSessionsAreAllThereAre) {
  std::vector<Connection> proven;
  for (int i = 0; i < 4; i++) {
    proven.push_back(connect());
    ASSERT_EQ(answer_to(proven.back(), status_request(proven.back())), Error::ok);
  }
  EXPECT_EQ(guest->open_session().result, kBusy);
  for (Connection& connection : proven) EXPECT_EQ(answer_to(connection, status_request(connection)), Error::ok);
  guest->close_session(proven.back().session);
  EXPECT_EQ(guest->open_session().result, kSuccess);
}

// The bridge is the guest's first process: when it dies the guest does, and the host sees QEMU end.
TEST_F(GuestRoot, ABridgeThatDiesAnywhereLosesNothing) {
  HostileGuest guest("victim");
  World world(1, &guest);
  Random random(2'027);
  for (int round = 0; round < (long_run() ? 100 : 5); round++) {
    const auto before = world.host.status();
    protocol::KeyCreateRequest request;
    const OwnedPath path = world.host.pending_tree.path(world.host.next_leaf());
    request.path = path.view();
    request.purpose = static_cast<std::uint8_t>(protocol::Purpose::executor);
    ASSERT_EQ(world.host.change(Command::key_create, request).error, Error::ok);
    const Bytes32 new_root = world.host.pending_tree.root();
    const MerkleTree with_change = world.host.pending_tree;
    const protocol::CommitRequest commit{before.epoch + 1, new_root};
    ASSERT_TRUE(guest.send(world.host.channel().request(Command::commit, encoded(commit))));
    wait_some(random.below(200'000));
    guest.type_line();
    const std::string last_words = guest.console_to_the_end();
    EXPECT_NE(last_words.find("tee-bridge was killed"), std::string::npos) << last_words;
    ASSERT_EQ(world.host.start(), Error::ok) << "round " << round;
    const auto after = world.host.status();
    if (after.epoch == before.epoch) {
      EXPECT_EQ(after.root, before.root);
    } else {
      EXPECT_EQ(after.epoch, before.epoch + 1);
      EXPECT_EQ(after.root, new_root);
      world.host.tree = with_change;
    }
    world.host.pending_tree = world.host.tree;
    ASSERT_EQ(world.sign(world.good_userop()).error, Error::ok);
  }
}

}  // namespace
}  // namespace community::trusted::testing
