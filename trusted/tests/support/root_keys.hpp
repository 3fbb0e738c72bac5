// SPDX-License-Identifier: Apache-2.0
// Root keys as an operator and a host handle them: orders, re-sealing, and the count of all records.
#pragma once
#include "trusted/tests/support/test_host.hpp"

namespace community::trusted::testing {

// The order, signed by the host's operator as `what`.
struct SignedOrder {
  SignedOrder(TestHost& host, std::uint32_t version, std::string_view what)
      : bytes(encoded(protocol::RootKeyOrder{host.status().core_id, version})),
        signature(host.operator_sign(what, bytes)) {}
  Bytes bytes;
  std::array<std::uint8_t, 64> signature{};
  protocol::RootKeyOrderRequest view() const { return {bytes, signature}; }
};

inline Error rotate(TestHost& host, std::uint32_t version) {
  return host.refusal(Command::rotate_root_key, SignedOrder(host, version, "root key rotation").view());
}

inline Error retire(TestHost& host, std::uint32_t version) {
  return host.refusal(Command::retire_root_key, SignedOrder(host, version, "root key retirement").view());
}

// Not committed.
inline Uncommitted reseal(TestHost& host, const StoredRecord& record, bool on_pending = false) {
  const OwnedProof proof = on_pending ? host.pending_proof(record) : host.proof(record);
  return host.change(Command::reseal, proof.view());
}

// The request of one step of a count: the block that begins at `first`, with those of `records` that stand in it.
inline Bytes count_request(TestHost& host, std::uint32_t first, const std::vector<StoredRecord>& records) {
  protocol::CountRecordsRequest request;
  OwnedPath path = host.tree.path(first);
  const std::uint32_t inside = path.present & (protocol::kCountBlock - 1);
  path.siblings.erase(path.siblings.begin(), path.siblings.begin() + 32 * std::popcount(inside));
  path.present &= ~inside;
  request.path = path.view();
  std::map<std::uint32_t, const StoredRecord*> in_block;
  for (const StoredRecord& record : records)
    if (record.leaf >= first && record.leaf < first + protocol::kCountBlock) in_block[record.leaf] = &record;
  for (const auto& [leaf, record] : in_block)
    request.records[request.record_count++] = {static_cast<std::uint8_t>(leaf - first), record->sealed};
  return encoded(request);
}

inline Reply count_block(TestHost& host, std::uint32_t first, const std::vector<StoredRecord>& records) {
  return host.call(Command::count_records, count_request(host, first, records));
}

// The whole count, block after block; the error of the first step that was refused.
inline Error count_records(TestHost& host, const std::vector<StoredRecord>& records) {
  for (std::uint32_t first = 0;;) {
    const Reply reply = count_block(host, first, records);
    if (reply.error != Error::ok) return reply.error;
    const auto answer = decoded<protocol::CountRecordsReply>(reply.body);
    if (answer.counted != 0) return Error::ok;
    first = answer.next_leaf;
  }
}

// What the core says of its root keys: version and number of records; nothing while they are not counted.
inline std::optional<std::map<std::uint32_t, std::uint32_t>> root_keys(TestHost& host) {
  const auto status = host.status();
  if (status.records_counted == 0) return std::nullopt;
  std::map<std::uint32_t, std::uint32_t> keys;
  for (std::size_t i = 0; i < status.root_key_count; i++)
    keys[status.root_keys[i].version] = status.root_keys[i].records;
  return keys;
}

}  // namespace community::trusted::testing
