// SPDX-License-Identifier: Apache-2.0
// When requests travel to a core that is idle, busy, or slow: against a core that answers when it is told to.
#include "community/keys/channel.hpp"

#include <gtest/gtest.h>

#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <deque>

#include "community/infra/factory.hpp"
#include "community/infra/fake/temporary_directory.hpp"
#include "trusted/protocol/frame.hpp"
#include "trusted/protocol/messages.hpp"

namespace community::keys {
namespace {

namespace asio = boost::asio;
using asio::local::stream_protocol;
using core::Bytes;
using infra::Milliseconds;
using infra::Task;

constexpr core::Bytes32 kChannelKey{7};

// Speaks the channel's protocol and keeps every request until release().
class SlowCore {
 public:
  // `stale` is what the connection before left in the port.
  SlowCore(infra::EventLoop& loop, const std::string& path, Bytes stale)
      : acceptor_(loop.executor(), stream_protocol::endpoint(path)),
        socket_(loop.executor()),
        stale_(std::move(stale)) {}

  Task<void> serve() {
    co_await acceptor_.async_accept(socket_, asio::use_awaitable);
    co_await hello();
    Bytes input;
    std::array<std::uint8_t, 65'536> chunk{};
    for (;;) {
      boost::system::error_code over;
      const std::size_t got =
          co_await socket_.async_read_some(asio::buffer(chunk), asio::redirect_error(asio::use_awaitable, over));
      if (over) co_return;
      core::append(input, core::ByteView(chunk).first(got));
      std::size_t arrived = 0;
      while (input.size() >= protocol::kLengthBytes && protocol::frame_size(input) <= input.size()) {
        const std::size_t size = protocol::frame_size(input);
        protocol::Frame frame;
        EXPECT_EQ(protocol::open_frame(core::ByteView(input).first(size), keys_.to_core, frame), protocol::Error::ok);
        held_.push_back({frame.command, frame.request_id});
        input.erase(input.begin(), input.begin() + static_cast<std::ptrdiff_t>(size));
        arrived++;
      }
      if (arrived > 0) batches_.push_back(arrived);
      arrived_.set();
    }
  }

  // Requests by the writes that brought them, once there are `count` of them.
  Task<std::vector<std::size_t>> batches(std::size_t count) {
    while (held_.size() + answered_ < count) {
      arrived_.reset();
      const bool in_time = co_await arrived_.wait_for(Milliseconds(20'000));
      EXPECT_TRUE(in_time);
      if (!in_time) break;
    }
    co_return batches_;
  }
  std::size_t arrived() const { return held_.size() + answered_; }

  // Answers the oldest `count` requests.
  Task<void> release(std::size_t count) {
    for (; count > 0; count--) {
      const auto [command, id] = held_.front();
      held_.pop_front();
      answered_++;
      std::array<std::uint8_t, protocol::kMinFrame + 2> frame{};
      protocol::seal_frame(frame, 2, command | protocol::kReplyBit, id, sent_++, keys_.to_host);
      co_await asio::async_write(socket_, asio::buffer(frame), asio::use_awaitable);
    }
  }

 private:
  Task<void> hello() {
    co_await asio::async_write(socket_, asio::buffer(stale_), asio::use_awaitable);
    std::array<std::uint8_t, protocol::kMinFrame + 32> frame{};
    co_await asio::async_read(socket_, asio::buffer(frame), asio::use_awaitable);
    protocol::Frame in;
    protocol::Hello host, own;
    EXPECT_EQ(protocol::open_frame(frame, protocol::hello_key(kChannelKey, {}), in), protocol::Error::ok);
    EXPECT_TRUE(protocol::decode(in.body, host));
    own.nonce = {9};
    keys_ = protocol::session_keys(kChannelKey, host.nonce, own.nonce);
    base::copy(base::MutableByteView(frame).subspan(protocol::kHeaderBytes), own.nonce);
    const auto command = static_cast<std::uint16_t>(protocol::Command::hello) | protocol::kReplyBit;
    protocol::seal_frame(frame, 32, static_cast<std::uint16_t>(command), in.request_id, 0,
                         protocol::hello_key(kChannelKey, host.nonce));
    co_await asio::async_write(socket_, asio::buffer(frame), asio::use_awaitable);
  }

  stream_protocol::acceptor acceptor_;
  stream_protocol::socket socket_;
  const Bytes stale_;
  protocol::SessionKeys keys_;
  std::uint64_t sent_ = 1;
  std::deque<std::pair<std::uint16_t, std::uint64_t>> held_;
  std::size_t answered_ = 0;
  std::vector<std::size_t> batches_;
  infra::Event arrived_;
};

using Sizes = std::vector<std::size_t>;

class ChannelTest : public ::testing::Test {
 public:
  // Long enough that a request which waits for it is not there yet when a test looks.
  static constexpr Milliseconds kNever{3'600'000};

  void run(std::size_t batch_size, Milliseconds batch_timeout, Task<void> (ChannelTest::*work)()) {
    options_.socket_path = (folder_.path() / "core").string();
    options_.channel_key = kChannelKey;
    options_.calls.batch_size = batch_size;
    options_.calls.batch_timeout = batch_timeout;
    slow_.emplace(loop_, options_.socket_path, stale_);
    loop_.block_on(session(work));
  }

  Task<void> session(Task<void> (ChannelTest::*work)()) {
    infra::TaskGroup group(loop_.executor());
    group.spawn(slow_->serve());
    auto connected = co_await Channel::connect(options_, *random_);
    EXPECT_TRUE(connected.has_value());
    if (connected) {
      channel_ = std::move(*connected);
      co_await (this->*work)();
      channel_.reset();
    }
    group.cancel();
    co_await group.join();
  }

  void call(std::size_t count, protocol::Command command = protocol::Command::status) {
    for (; count > 0; count--) loop_.spawn("call", one_call(command));
  }

  Task<void> one_call(protocol::Command command) {
    const auto reply = co_await channel_->call(command, {});
    if (reply) answers_++;
    answered_.set();
  }

  Task<void> wait_for_answers(std::size_t count) {
    while (answers_ < count) {
      answered_.reset();
      const bool in_time = co_await answered_.wait_for(Milliseconds(20'000));
      EXPECT_TRUE(in_time);
      if (!in_time) break;
    }
  }

  // Everything that is ready has run: what is not there now waits for something.
  static Task<void> settle() {
    infra::Event never;
    (void)co_await never.wait_for(Milliseconds(50));
  }

  // Two batches on their way: the core is busy.
  Task<void> make_busy() {
    call(1);
    co_await slow_->batches(1);
    call(1);
    co_await slow_->batches(2);
  }

  Task<void> idle_core() {
    for (std::size_t i = 1; i <= 3; i++) {
      call(1);
      co_await slow_->batches(i);
      co_await slow_->release(1);
      co_await wait_for_answers(i);
    }
  }

  Task<void> busy_core() {
    co_await make_busy();
    call(5);
    co_await settle();
    EXPECT_EQ(slow_->arrived(), 2u);
    co_await slow_->release(1);
    const Sizes seen = co_await slow_->batches(7);
    EXPECT_EQ(seen, (Sizes{1, 1, 5}));
    co_await slow_->release(6);
    co_await wait_for_answers(7);
  }

  Task<void> full_batch() {
    co_await make_busy();
    call(2);
    co_await settle();
    EXPECT_EQ(slow_->arrived(), 2u);
    call(1);
    const Sizes seen = co_await slow_->batches(5);
    EXPECT_EQ(seen, (Sizes{1, 1, 3}));
    co_await slow_->release(5);
    co_await wait_for_answers(5);
  }

  Task<void> slow_quote() {
    call(1, protocol::Command::attest);
    co_await slow_->batches(1);
    infra::Event never;
    (void)co_await never.wait_for(options_.calls.timeout + options_.calls.timeout / 2);
    EXPECT_TRUE(channel_->is_open());
    co_await slow_->release(1);
    co_await wait_for_answers(1);
    call(1);
    co_await slow_->batches(2);
    (void)co_await never.wait_for(options_.calls.timeout + options_.calls.timeout / 2);
    EXPECT_FALSE(channel_->is_open());
  }

  Task<void> silent_core() {
    co_await make_busy();
    call(2);
    const Sizes seen = co_await slow_->batches(4);
    EXPECT_EQ(seen, (Sizes{1, 1, 2}));
  }

  infra::EventLoop loop_;
  infra::TemporaryDirectory folder_;
  std::unique_ptr<infra::Random> random_ = infra::make_system_random();
  ChannelOptions options_;
  Bytes stale_;
  std::optional<SlowCore> slow_;
  std::unique_ptr<Channel> channel_;
  std::size_t answers_ = 0;
  infra::Event answered_;
};

TEST_F(ChannelTest, NothingWaitsForAnIdleCore) { run(10, kNever, &ChannelTest::idle_core); }

TEST_F(ChannelTest, WhileTheCoreIsBusyRequestsGatherAndTravelTogether) { run(10, kNever, &ChannelTest::busy_core); }

TEST_F(ChannelTest, AFullBatchGoesAtOnce) { run(3, kNever, &ChannelTest::full_batch); }

TEST_F(ChannelTest, NoRequestGathersLongerThanTheBatchTimeout) { run(10, Milliseconds(20), &ChannelTest::silent_core); }

TEST_F(ChannelTest, AQuoteMayTakeThreeTimesAsLong) {
  options_.calls.timeout = Milliseconds(2'000);
  run(10, kNever, &ChannelTest::slow_quote);
}

// An answer of a connection before this one, by its own keys.
Bytes stale_answer(std::size_t body_size) {
  Bytes frame(protocol::kMinFrame + body_size);
  const core::Bytes32 key{5};
  protocol::seal_frame(frame, body_size, static_cast<std::uint16_t>(protocol::Command::status) | protocol::kReplyBit, 7,
                       9, key);
  return frame;
}

TEST_F(ChannelTest, AnswersToTheConnectionBeforeArePassedOver) {
  // A whole one as long as a hello, then the end of one that the last host did not live to read, with the mark of the
  // connection's end behind it.
  stale_ = stale_answer(32);
  const Bytes other = stale_answer(500);
  stale_.insert(stale_.end(), other.begin() + 100, other.end());
  stale_.resize(stale_.size() + protocol::kLengthBytes);
  run(10, kNever, &ChannelTest::idle_core);
}

TEST_F(ChannelTest, WhatNeverSaysHelloIsLeft) {
  options_.socket_path = (folder_.path() / "core").string();
  stream_protocol::acceptor acceptor(loop_.executor(), stream_protocol::endpoint(options_.socket_path));
  auto talk = [&acceptor]() -> Task<void> {
    auto socket = co_await acceptor.async_accept(asio::use_awaitable);
    const Bytes noise(10 * protocol::kMaxReplyFrame, 1);
    boost::system::error_code ignored;
    co_await asio::async_write(socket, asio::buffer(noise), asio::redirect_error(asio::use_awaitable, ignored));
  };
  auto connect = [&]() -> Task<void> {
    infra::TaskGroup group(loop_.executor());
    group.spawn(talk());
    const auto connected = co_await Channel::connect(options_, *random_);
    EXPECT_EQ(connected.has_value() ? ErrorCode::storage : connected.error().code, ErrorCode::protocol_violation);
    group.cancel();
    co_await group.join();
  };
  loop_.block_on(connect());
}

}  // namespace
}  // namespace community::keys
