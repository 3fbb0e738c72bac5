// SPDX-License-Identifier: Apache-2.0
// Messages about root keys: the operator's orders to rotate and to retire one, re-sealing of a record, and the count of
// records under each key.
#pragma once
#include "trusted/protocol/messages.hpp"

namespace community::protocol {

// Version of the root key in the header of a sealed record (spec/trusted-core-protocol.md, section 4); 0, which no key
// has, when it is too short to have one.
inline std::uint32_t sealed_root_version(ByteView sealed) {
  return sealed.size() < 9 ? 0 : base::load_be<std::uint32_t>(sealed.data() + 5);
}

// What the operator signs (operator_digest) to rotate ("root key rotation") and to retire ("root key retirement").
struct RootKeyOrder {
  RecordId core_id{};
  // Rotation: the version it leads to, the newest plus one. Retirement: the version that goes.
  std::uint32_t version = 0;
  template <class C>
  void fields(C& c) {
    c.fixed(core_id).number(version);
  }
};

struct RootKeyOrderRequest {
  // An encoded RootKeyOrder
  ByteView order;
  std::array<std::uint8_t, 64> signature{};
  template <class C>
  void fields(C& c) {
    c.bytes(order, 64).fixed(signature);
  }
};

struct RootKeyRotated {
  // The newest version now.
  std::uint32_t version = 0;
  template <class C>
  void fields(C& c) {
    c.number(version);
  }
};

// One record of a block, at the block's first leaf plus `place`.
struct CountedRecord {
  std::uint8_t place = 0;
  ByteView sealed;
  template <class C>
  void fields(C& c) {
    c.number(place).bytes(sealed, kMaxSealedRecord);
    if (place >= kCountBlock) c.fail();
  }
};

// All records of the kCountBlock leaves from `path.leaf` on, which is a multiple of kCountBlock. The siblings are those
// of the block's own node and above: none at the heights inside of the block.
struct CountRecordsRequest {
  TreePath path;
  std::uint16_t record_count = 0;
  // Places ascend.
  std::array<CountedRecord, kCountBlock> records{};
  template <class C>
  void fields(C& c) {
    path.fields(c);
    c.list(records, record_count);
    if (path.leaf % kCountBlock != 0 || (path.present & (kCountBlock - 1)) != 0) c.fail();
    for (std::size_t i = 1; i < record_count; i++)
      if (records[i].place <= records[i - 1].place) c.fail();
  }
};

struct CountRecordsReply {
  // 1: all records are counted, nothing more is needed.
  std::uint8_t counted = 0;
  // First leaf of the block that is to come; 0 when nothing is.
  std::uint32_t next_leaf = 0;
  template <class C>
  void fields(C& c) {
    c.number(counted).number(next_leaf);
    if (counted > 1) c.fail();
  }
};

}  // namespace community::protocol
