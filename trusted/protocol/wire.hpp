// SPDX-License-Identifier: Apache-2.0
// Bounds-checked encoding of the trusted core's messages. A message lists its fields once, in `fields(codec)`; Writer
// and Reader are the two codecs, so that both sides of the channel cannot disagree about a layout.
#pragma once
#include <type_traits>

#include "trusted/base/bytes.hpp"
#include "trusted/base/uint256.hpp"

namespace community::protocol {

using base::Address;
using base::Bytes32;
using base::ByteView;
using base::MutableByteView;
using base::Uint256;

// Appends to a buffer of fixed capacity; `ok()` turns false and stays so when something does not fit.
class Writer {
 public:
  static constexpr bool kReads = false;
  explicit Writer(MutableByteView out) : out_(out) {}

  template <class T>
  requires std::is_unsigned_v<T> Writer& number(T value) {
    if (!take(sizeof(T))) return *this;
    base::store_be(out_.data() + size_ - sizeof(T), value);
    return *this;
  }
  Writer& word(const Uint256& value) { return raw(value.to_be()); }
  template <std::size_t N>
  Writer& fixed(const std::array<std::uint8_t, N>& bytes) {
    return raw(bytes);
  }
  // u32 length, then the bytes.
  Writer& bytes(ByteView bytes, std::size_t limit) {
    if (bytes.size() > limit) ok_ = false;
    number(static_cast<std::uint32_t>(bytes.size()));
    return raw(bytes);
  }
  // u16 count, then each element's fields; `items` is any struct with `count` and `at`.
  template <class T, std::size_t N>
  Writer& list(const std::array<T, N>& items, std::uint16_t count) {
    if (count > N) {
      ok_ = false;
      return *this;
    }
    number(count);
    for (std::size_t i = 0; i < count; i++) const_cast<T&>(items[i]).fields(*this);
    return *this;
  }
  Writer& raw(ByteView bytes) {
    if (!take(bytes.size())) return *this;
    base::copy(out_.subspan(size_ - bytes.size()), bytes);
    return *this;
  }

  bool ok() const { return ok_; }
  void fail() { ok_ = false; }
  ByteView written() const { return out_.first(size_); }
  std::size_t size() const { return size_; }

 private:
  bool take(std::size_t n) {
    if (!ok_ || n > out_.size() - size_) {
      ok_ = false;
      return false;
    }
    size_ += n;
    return true;
  }

  MutableByteView out_;
  std::size_t size_ = 0;
  bool ok_ = true;
};

// Reads in place: byte fields become views into the message. After the first violation every read yields zero.
class Reader {
 public:
  static constexpr bool kReads = true;
  explicit Reader(ByteView in) : rest_(in) {}

  template <class T>
  requires std::is_unsigned_v<T> Reader& number(T& value) {
    const ByteView bytes = take(sizeof(T));
    value = bytes.empty() ? T{0} : base::load_be<T>(bytes.data());
    return *this;
  }
  Reader& word(Uint256& value) {
    value = Uint256::from_be(take(32));
    return *this;
  }
  template <std::size_t N>
  Reader& fixed(std::array<std::uint8_t, N>& bytes) {
    const ByteView in = take(N);
    bytes = {};
    base::copy(bytes, in);
    return *this;
  }
  Reader& bytes(ByteView& bytes, std::size_t limit) {
    std::uint32_t length = 0;
    number(length);
    if (length > limit) ok_ = false;
    bytes = take(ok_ ? length : 0);
    return *this;
  }
  template <class T, std::size_t N>
  Reader& list(std::array<T, N>& items, std::uint16_t& count) {
    number(count);
    if (count > N) ok_ = false;
    if (!ok_) count = 0;
    for (std::size_t i = 0; i < count; i++) items[i].fields(*this);
    return *this;
  }

  bool ok() const { return ok_; }
  void fail() { ok_ = false; }
  // Nothing is left: an optional part at the end of a message is not there.
  bool at_end() const { return rest_.empty(); }
  // True when all was well formed and nothing is left over.
  bool finished() const { return ok_ && rest_.empty(); }

 private:
  ByteView take(std::size_t n) {
    if (!ok_ || n > rest_.size()) {
      ok_ = false;
      return {};
    }
    const ByteView taken = rest_.first(n);
    rest_ = rest_.subspan(n);
    return taken;
  }

  ByteView rest_;
  bool ok_ = true;
};

// Decodes a whole message; false when it is malformed or has trailing bytes.
template <class Message>
bool decode(ByteView in, Message& message) {
  Reader reader(in);
  message.fields(reader);
  return reader.finished();
}

// Encodes a message into `out`; nothing when it does not fit or breaks a limit.
template <class Message>
ByteView encode(const Message& message, MutableByteView out) {
  Writer writer(out);
  const_cast<Message&>(message).fields(writer);
  return writer.ok() ? writer.written() : ByteView{};
}

}  // namespace community::protocol
