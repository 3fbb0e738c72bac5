// SPDX-License-Identifier: Apache-2.0
#include "community/keys/channel.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <deque>
#include <unordered_map>

#include "trusted/protocol/frame.hpp"
#include "trusted/protocol/messages.hpp"

namespace community::keys {

namespace asio = boost::asio;
using asio::local::stream_protocol;
using core::Bytes;
using infra::Task;
using protocol::Command;

namespace {

constexpr std::size_t kReadChunk = 64 * 1'024;
// Seconds are plenty on one machine; a stray process that accepts and stays silent must not hold the node up.
constexpr infra::Milliseconds kHelloTimeout{5'000};
constexpr infra::Milliseconds kProvisionTimeout{60'000};
// Quotes are RSA signatures: a second for the two of an attestation in an emulator, and many on a machine that has
// other things to do. Any stranger may ask for one, and a time-out ends the body for everybody.
constexpr int kQuoteTimeouts = 3;

infra::Milliseconds timeout_of(Command command, const CallOptions& calls) {
  const bool quotes =
      command == Command::attest || command == Command::backup_share || command == Command::share_release;
  return quotes ? calls.timeout * kQuoteTimeouts : calls.timeout;
}

// What may stand before the answer to a hello: a few answers to the connection before.
constexpr std::size_t kMaxStaleBytes = 4 * protocol::kMaxReplyFrame;
// One batch in the core's hands and one that waits at its door, so that it is never idle between two.
constexpr std::size_t kBatchesAhead = 2;

}  // namespace

struct Channel::Body : std::enable_shared_from_this<Channel::Body> {
  struct Waiting {
    std::uint16_t command = 0;
    infra::Event done;
    Result<Bytes> result = fail(ErrorCode::unavailable, "the connection to the trusted core ended");
  };

  Body(const infra::AnyExecutor& executor, ChannelOptions channel_options)
      : options(std::move(channel_options)), socket(executor) {}

  ChannelOptions options;
  stream_protocol::socket socket;
  protocol::SessionKeys keys;
  std::uint64_t sent = 1, received = 1, next_id = 1;
  std::unordered_map<std::uint64_t, std::shared_ptr<Waiting>> waiting;
  // Requests that were not sent yet.
  Bytes output;
  std::size_t gathered = 0;
  std::chrono::steady_clock::time_point gathered_since;
  // Sequence of the last request of each batch that has unanswered ones; a core answers in order.
  std::deque<std::uint64_t> batches;
  infra::Event may_send;
  bool open = false;
  std::string reason;
  infra::Event ended;
  Bytes input;

  void close(std::string why) {
    if (!open) return;
    open = false;
    reason = std::move(why);
    boost::system::error_code ignored;
    socket.close(ignored);
    base::wipe(&keys, sizeof keys);
    for (auto& [id, request] : std::exchange(waiting, {})) request->done.set();
    may_send.set();
    ended.set();
  }

  Task<Result<void>> hello(infra::Random& random);
  bool find_hello(const protocol::Bytes32& nonce, protocol::Hello& answer);
  void enqueue(Command command, core::ByteView body, std::uint64_t id);
  infra::Milliseconds rest_of_gathering() const;
  Task<void> write_loop();
  Task<void> read_loop();
  bool take_frames();
  bool take(core::ByteView frame);
};

Task<Result<void>> Channel::Body::hello(infra::Random& random) {
  boost::system::error_code error;
  co_await socket.async_connect(stream_protocol::endpoint(options.socket_path),
                                asio::redirect_error(asio::use_awaitable, error));
  if (error) co_return fail(ErrorCode::unavailable, "cannot connect to the trusted core: " + error.message());
  protocol::Hello host, core_hello;
  random.fill(host.nonce);
  std::array<std::uint8_t, protocol::kMinFrame + 32> frame{};
  base::copy(base::MutableByteView(frame).subspan(protocol::kHeaderBytes), host.nonce);
  protocol::seal_frame(frame, 32, static_cast<std::uint16_t>(Command::hello), 0, 0,
                       protocol::hello_key(options.channel_key, {}));
  co_await asio::async_write(socket, asio::buffer(frame), asio::redirect_error(asio::use_awaitable, error));
  std::size_t came = 0;
  while (!error && !find_hello(host.nonce, core_hello)) {
    // A port that cannot be closed says so instead: a length that no frame has.
    if (came == protocol::kLengthBytes && input == Bytes(protocol::kLengthBytes))
      co_return fail(ErrorCode::protocol_violation,
                     "the trusted core did not take the hello: it has another channel key");
    if (came > kMaxStaleBytes)
      co_return fail(ErrorCode::protocol_violation, "what answers on the socket does not know the channel key");
    std::array<std::uint8_t, 4'096> chunk;
    const std::size_t got =
        co_await socket.async_read_some(asio::buffer(chunk), asio::redirect_error(asio::use_awaitable, error));
    core::append(input, core::ByteView(chunk).first(got));
    came += got;
  }
  if (error) co_return fail(ErrorCode::unavailable, "the trusted core did not answer the hello: " + error.message());
  keys = protocol::session_keys(options.channel_key, host.nonce, core_hello.nonce);
  open = true;
  co_return Result<void>{};
}

// Looks for the core's hello in what came, whatever stands before it, and keeps what follows. Before it there may be
// the end of an answer, and whole ones, to the connection before: an emulator's port hands them to whoever connects
// next. Only the hello's own MAC, which this connection's nonce is part of, decides.
bool Channel::Body::find_hello(const protocol::Bytes32& nonce, protocol::Hello& answer) {
  constexpr std::size_t kSize = protocol::kMinFrame + 32;
  const protocol::Bytes32 key = protocol::hello_key(options.channel_key, nonce);
  std::size_t at = 0;
  for (; at + kSize <= input.size(); at++) {
    const core::ByteView candidate = core::ByteView(input).subspan(at, kSize);
    protocol::Frame frame;
    const bool is_it = protocol::frame_size(candidate) == kSize &&
                       protocol::open_frame(candidate, key, frame) == protocol::Error::ok &&
                       frame.command == (static_cast<std::uint16_t>(Command::hello) | protocol::kReplyBit) &&
                       protocol::decode(frame.body, answer);
    if (!is_it) continue;
    input.erase(input.begin(), input.begin() + static_cast<std::ptrdiff_t>(at + kSize));
    return true;
  }
  // No hello begins there.
  input.erase(input.begin(), input.begin() + static_cast<std::ptrdiff_t>(at));
  return false;
}

void Channel::Body::enqueue(Command command, core::ByteView body, std::uint64_t id) {
  const std::size_t start = output.size();
  output.resize(start + protocol::kMinFrame + body.size());
  const base::MutableByteView frame = base::MutableByteView(output).subspan(start);
  base::copy(frame.subspan(protocol::kHeaderBytes), body);
  protocol::seal_frame(frame, body.size(), static_cast<std::uint16_t>(command), id, sent++, keys.to_core);
  if (gathered++ == 0) gathered_since = std::chrono::steady_clock::now();
  may_send.set();
}

// Zero when what gathered should go now: at once to a core that has nothing to do soon, else when a batch is full or
// its first request has waited long enough.
infra::Milliseconds Channel::Body::rest_of_gathering() const {
  if (batches.size() < kBatchesAhead || gathered >= options.calls.batch_size) return infra::Milliseconds(0);
  const auto waited = std::chrono::steady_clock::now() - gathered_since;
  const auto rest = std::chrono::ceil<infra::Milliseconds>(options.calls.batch_timeout - waited);
  return std::max(rest, infra::Milliseconds(0));
}

// Requests that come while the core works travel together: each batch costs a body one entry into its trusted world.
Task<void> Channel::Body::write_loop() {
  auto self = shared_from_this();
  while (open) {
    may_send.reset();
    if (gathered == 0) {
      co_await may_send.wait();
      continue;
    }
    const infra::Milliseconds rest = rest_of_gathering();
    if (rest.count() > 0) {
      (void)co_await may_send.wait_for(rest);
      continue;
    }
    const Bytes batch = std::exchange(output, {});
    gathered = 0;
    batches.push_back(sent - 1);
    boost::system::error_code error;
    co_await asio::async_write(socket, asio::buffer(batch), asio::redirect_error(asio::use_awaitable, error));
    if (error) close("sending to the trusted core failed: " + error.message());
  }
}

Task<void> Channel::Body::read_loop() {
  auto self = shared_from_this();
  Bytes chunk(kReadChunk);
  while (open) {
    boost::system::error_code error;
    const std::size_t got =
        co_await socket.async_read_some(asio::buffer(chunk), asio::redirect_error(asio::use_awaitable, error));
    if (error) {
      close("the trusted core closed the connection: " + error.message());
      break;
    }
    core::append(input, core::ByteView(chunk).first(got));
    if (!take_frames()) close("the trusted core sent a frame that is not its own");
  }
}

bool Channel::Body::take_frames() {
  std::size_t used = 0;
  while (open) {
    const core::ByteView rest = core::ByteView(input).subspan(used);
    const std::size_t size = protocol::frame_size(rest);
    if (size > protocol::kMaxReplyFrame) return false;
    if (size == 0 || size > rest.size()) break;
    if (!take(rest.first(size))) return false;
    used += size;
  }
  input.erase(input.begin(), input.begin() + static_cast<std::ptrdiff_t>(used));
  return true;
}

bool Channel::Body::take(core::ByteView bytes) {
  protocol::Frame frame;
  if (protocol::open_frame(bytes, keys.to_host, frame) != protocol::Error::ok || frame.sequence != received)
    return false;
  if (!batches.empty() && received == batches.front()) {
    batches.pop_front();
    may_send.set();
  }
  received++;
  const auto found = waiting.find(frame.request_id);
  if (found == waiting.end() || frame.command != (found->second->command | protocol::kReplyBit) ||
      frame.body.size() < 2)
    return false;
  const auto request = std::move(found->second);
  waiting.erase(found);
  const auto error = static_cast<protocol::Error>(base::load_be<std::uint16_t>(frame.body.data()));
  if (error == protocol::Error::ok) {
    request->result = core::to_bytes(frame.body.subspan(2));
  } else {
    request->result = refuse(error);
  }
  request->done.set();
  return true;
}

Channel::Channel(std::shared_ptr<Body> body) : body_(std::move(body)) {}
Channel::~Channel() { close("the node closed the connection"); }

Task<Result<std::unique_ptr<Channel>>> Channel::connect(ChannelOptions options, infra::Random& random) {
  const auto executor = co_await asio::this_coro::executor;
  auto body = std::make_shared<Body>(executor, std::move(options));
  auto greeted = co_await infra::with_timeout(kHelloTimeout, body->hello(random));
  if (!greeted) co_return fail(ErrorCode::timeout, "the trusted core did not answer the hello in time");
  if (!*greeted) co_return tl::unexpected(std::move(greeted->error()));
  asio::co_spawn(
      executor, [body] { return body->read_loop(); }, asio::detached);
  asio::co_spawn(
      executor, [body] { return body->write_loop(); }, asio::detached);
  co_return std::unique_ptr<Channel>(new Channel(std::move(body)));
}

namespace {

Task<Result<core::Bytes32>> exchange_provision(std::string socket_path, Bytes frame) {
  stream_protocol::socket socket(co_await asio::this_coro::executor);
  boost::system::error_code error;
  co_await socket.async_connect(stream_protocol::endpoint(socket_path),
                                asio::redirect_error(asio::use_awaitable, error));
  Bytes answer(protocol::kLengthBytes);
  if (!error) co_await asio::async_write(socket, asio::buffer(frame), asio::redirect_error(asio::use_awaitable, error));
  if (!error) co_await asio::async_read(socket, asio::buffer(answer), asio::redirect_error(asio::use_awaitable, error));
  if (error) co_return fail(ErrorCode::unavailable, "the trusted core did not answer: " + error.message());
  const std::size_t size = protocol::frame_size(answer);
  // A core that has keys takes this for a hello that is not its host's, and ends the connection.
  if (size > protocol::kMaxReplyFrame) co_return refuse(protocol::Error::already_provisioned);
  answer.resize(size);
  const auto rest = asio::buffer(answer.data() + protocol::kLengthBytes, size - protocol::kLengthBytes);
  co_await asio::async_read(socket, rest, asio::redirect_error(asio::use_awaitable, error));
  protocol::Frame reply;
  if (error || protocol::open_frame(answer, {}, reply) != protocol::Error::ok || reply.body.size() < 2)
    co_return fail(ErrorCode::protocol_violation, "what answers on the socket is no trusted core");
  const auto refusal = static_cast<protocol::Error>(base::load_be<std::uint16_t>(reply.body.data()));
  if (refusal != protocol::Error::ok) co_return refuse(refusal);
  protocol::ProvisionReply keys;
  if (!protocol::decode(reply.body.subspan(2), keys))
    co_return fail(ErrorCode::protocol_violation, "the trusted core answered no channel key");
  base::wipe(answer);
  co_return keys.channel_key;
}

}  // namespace

Task<Result<core::Bytes32>> Channel::provision(std::string socket_path,
                                               std::array<std::uint8_t, 64> operator_public_key,
                                               infra::Random& random) {
  protocol::ProvisionRequest request;
  request.operator_key = operator_public_key;
  Bytes frame(protocol::kMinFrame + request.operator_key.size());
  base::copy(base::MutableByteView(frame).subspan(protocol::kHeaderBytes), request.operator_key);
  std::array<std::uint8_t, 8> id{};
  random.fill(id);
  protocol::seal_frame(frame, request.operator_key.size(), static_cast<std::uint16_t>(Command::provision),
                       base::load_be<std::uint64_t>(id.data()), 0, {});
  auto answered =
      co_await infra::with_timeout(kProvisionTimeout, exchange_provision(std::move(socket_path), std::move(frame)));
  if (!answered) co_return fail(ErrorCode::timeout, "the trusted core did not make its keys in time");
  co_return *answered;
}

Task<Result<Bytes>> Channel::call(Command command, Bytes body) {
  std::uint64_t ignored = 0;
  co_return co_await call(command, std::move(body), ignored);
}

Task<Result<Bytes>> Channel::call(Command command, Bytes body, std::uint64_t& request_id) {
  const auto self = body_;
  if (!self->open) co_return fail(ErrorCode::unavailable, "no connection to the trusted core: " + self->reason);
  if (self->waiting.size() >= self->options.calls.max_in_flight)
    co_return fail(ErrorCode::queue_full, "too many requests to the trusted core are waiting");
  if (body.size() > protocol::kMaxBody) co_return refuse(protocol::Error::frame_too_large);
  const std::uint64_t id = request_id = self->next_id++;
  const auto request = std::make_shared<Body::Waiting>();
  request->command = static_cast<std::uint16_t>(command);
  self->waiting.emplace(id, request);
  self->enqueue(command, body, id);
  base::wipe(body);
  if (!co_await request->done.wait_for(timeout_of(command, self->options.calls))) {
    self->close("the trusted core did not answer in time");
    co_return fail(ErrorCode::timeout, "the trusted core did not answer in time");
  }
  co_return std::move(request->result);
}

bool Channel::is_open() const { return body_->open; }

Task<std::string> Channel::closed() {
  const auto self = body_;
  co_await self->ended.wait();
  co_return self->reason;
}

void Channel::close(std::string reason) { body_->close(std::move(reason)); }

}  // namespace community::keys
