// SPDX-License-Identifier: Apache-2.0
// A port for tests: the real software cryptography, randomness from a seed, and a store in memory that fails or loses
// power when it is told to.
#pragma once
#include "trusted/port/port.hpp"
#include "trusted/tests/support/bytes.hpp"
#include "trusted/tests/support/quote_maker.hpp"

namespace community::trusted::testing {

class MemoryStore {
 public:
  enum class Fault {
    none,
    // The write is refused and changes nothing.
    refuse,
    // The write takes place but is answered as failed, and the store answers nothing more: the power went just after.
    cut_after,
    // The power goes just before the write takes place.
    cut_before,
  };

  explicit MemoryStore(std::uint64_t seed = 1) : random_(seed) {}

  // The port's context is this store, which must outlive it.
  Port port();

  // The n-th write from now on (1 is the next) meets `fault`.
  void fail_write(std::size_t n, Fault fault) {
    countdown_ = n;
    fault_ = fault;
  }
  void restore_power() {
    powered_ = true;
    countdown_ = 0;
    fault_ = Fault::none;
  }
  void fail_random(bool fail) { random_fails_ = fail; }
  // Ports made from now on have quotes, made by `maker`, which must outlive them.
  void quote_with(QuoteMaker* maker) { quotes_ = maker; }
  // Ports made from now on say that they are of this body.
  void pretend(protocol::Body body, protocol::Protection protection) {
    body_ = body;
    protection_ = protection;
  }

  bool powered() const { return powered_; }
  std::size_t writes() const { return writes_; }
  const Bytes& contents() const { return contents_; }
  // What was written before the latest write: a body may keep it beside the present state.
  const Bytes& before() const { return before_; }
  void put(Bytes contents) { contents_ = std::move(contents); }

 private:
  static bool read(void* context, MutableByteView out, std::size_t* size);
  static bool write(void* context, ByteView state);
  static bool random(void* context, MutableByteView out);
  static bool quote(void* context, protocol::QuoteKind kind, const Bytes32& report, protocol::Quote& out);

  Bytes contents_, before_;
  Random random_;
  QuoteMaker* quotes_ = nullptr;
  protocol::Body body_ = protocol::Body::process;
  protocol::Protection protection_ = protocol::Protection::none;
  std::size_t writes_ = 0;
  std::size_t countdown_ = 0;
  Fault fault_ = Fault::none;
  bool powered_ = true;
  bool random_fails_ = false;
};

}  // namespace community::trusted::testing
