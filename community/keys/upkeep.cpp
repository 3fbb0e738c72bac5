// SPDX-License-Identifier: Apache-2.0
// What the node does about root keys by itself, beside what people ask: it re-seals records that are under an older
// key, and has the core count all records when the core cannot know their numbers. Nothing is remembered about it: what
// there is to do follows from the records and from what the core says, so a crash of either side costs nothing.
#include <algorithm>

#include "community/keys/messages.hpp"
#include "community/keys/service.hpp"
#include "trusted/protocol/root_key_messages.hpp"

namespace community::keys {

using protocol::Command;
using std::chrono::steady_clock;

namespace {

// Blocks of a count between two looks at what people ask.
constexpr int kBlocksAtOnce = 16;
// After each step the core, the database and the disk are left to others for as long as it took.
constexpr infra::Milliseconds kShortestPause{5}, kLongestPause{1'000};
constexpr std::chrono::seconds kLogEvery{10};

Bytes encode_proof(const protocol::TreePath& path, core::ByteView sealed) {
  return encode_message(protocol::RecordProof{sealed, path});
}

}  // namespace

std::uint64_t Service::Upkeep::records_left() const {
  std::uint64_t sum = 0;
  for (const auto& [version, records] : left) sum += records;
  return sum;
}

// The records are those of the database; which of them are current is the core's to say when their turn comes.
Task<Result<Service::Upkeep>> Service::find_upkeep() {
  const auto core = co_await status();
  if (!core) co_return tl::unexpected(core.error());
  const auto records = co_await store_.records_by_root();
  if (!records) co_return tl::unexpected(records.error());
  Upkeep found;
  found.newest = core->newest_root_key();
  std::map<std::uint32_t, std::uint64_t> unknown = *records;
  for (const protocol::RootKeyStatus& key : core->root_keys) {
    const auto entry = unknown.extract(key.version);
    if (entry.empty() || key.version == found.newest) continue;
    found.left[key.version] = entry.mapped();
    found.versions.push_back(key.version);
  }
  for (const auto& [version, number] : unknown) found.lost += number;
  // With one key there is nothing to retire, and so no need of numbers.
  found.counting = !core->records_counted && core->root_keys.size() > 1;
  co_return found;
}

Task<Result<void>> Service::begin_upkeep() {
  const std::uint64_t look = looks_wanted_;
  auto found = co_await find_upkeep();
  if (!found) co_return tl::unexpected(found.error());
  upkeep_ = std::move(*found);
  looks_done_ = look;
  upkeep_.log_due = steady_clock::now() + kLogEvery;
  if (upkeep_.lost != 0)
    infra::log_error("keys: records are sealed under a root key that was retired; nothing opens them",
                     {{"records", upkeep_.lost}});
  if (upkeep_.is_resealing())
    infra::log_info("keys: re-sealing begins", {{"root_key", upkeep_.newest}, {"records", upkeep_.records_left()}});
  show_records_left();
  co_return Result<void>{};
}

void Service::show_records_left() {
  if (dependencies_.metrics == nullptr) return;
  dependencies_.metrics->gauge("community_keys_records_to_reseal", "Sealed records under an older root key.")
      .set(static_cast<double>(upkeep_.records_left()));
}

bool Service::upkeep_due() const {
  if (!has_looked()) return true;
  return upkeep_.is_running() && steady_clock::now() >= upkeep_.due;
}

Task<void> Service::wait_for_work() {
  changes_waiting_.reset();
  if (!upkeep_.is_running()) co_return co_await changes_waiting_.wait();
  const auto rest = std::chrono::ceil<infra::Milliseconds>(upkeep_.due - steady_clock::now());
  if (rest.count() > 0) co_await changes_waiting_.wait_for(rest);
}

void Service::rest_after(steady_clock::time_point begin) {
  const auto now = steady_clock::now();
  upkeep_.due = now + std::clamp<steady_clock::duration>(now - begin, kShortestPause, kLongestPause);
  show_records_left();
  if (now < upkeep_.log_due || !upkeep_.is_resealing()) return;
  upkeep_.log_due = now + kLogEvery;
  infra::log_info("keys: re-sealing goes on", {{"root_key", upkeep_.newest}, {"records_left", upkeep_.records_left()}});
}

Task<Result<std::deque<Service::ChangePointer>>> Service::next_reseals() {
  std::deque<ChangePointer> reseals;
  while (reseals.empty() && upkeep_.is_resealing()) {
    auto records =
        co_await store_.records_under(upkeep_.versions.front(), upkeep_.next_leaf, protocol::kMaxPendingChanges);
    if (!records) co_return tl::unexpected(records.error());
    for (StoredRecord& record : *records) {
      auto change = std::make_shared<Change>();
      change->command = Command::reseal;
      change->kind = record.kind;
      change->record = record.id;
      change->build = encode_proof;
      change->stored = std::make_shared<const StoredRecord>(std::move(record));
      reseals.push_back(std::move(change));
    }
    if (reseals.empty()) end_walk();
  }
  co_return reseals;
}

// Every record under the oldest of the versions that are left had its turn.
void Service::end_walk() {
  upkeep_.versions.pop_front();
  upkeep_.next_leaf = 0;
  if (upkeep_.is_resealing()) return;
  show_records_left();
  if (upkeep_.refused != 0) {
    infra::log_error("keys: the trusted core refused to re-seal records; their root key must stay",
                     {{"records", upkeep_.refused}});
  } else {
    infra::log_info("keys: all records are under the newest root key; `community-node keys retire` drops older ones",
                    {{"root_key", upkeep_.newest}});
  }
}

void Service::take_refusal(const Change& reseal, protocol::Error refusal) {
  // Somebody's change of the same record was quicker.
  if (refusal == protocol::Error::record_under_newest_root) return;
  upkeep_.refused++;
  infra::log_error("keys: the trusted core refuses to re-seal a record",
                   {{"record", core::to_plain_hex(*reseal.record)}, {"rule", protocol::name(refusal)}});
}

void Service::take_resealed(const Batch& batch) {
  for (const auto& [version, records] : batch.resealed) {
    const auto left = upkeep_.left.find(version);
    if (left == upkeep_.left.end()) continue;
    left->second -= std::min(left->second, records);
    if (left->second == 0) upkeep_.left.erase(left);
  }
}

// No COMMIT is on its way: rows, tree and core are of one state. A block at least, so that a node that is never idle
// comes to the end as well.
Task<Result<void>> Service::count_blocks() {
  for (int i = 0; i < kBlocksAtOnce && upkeep_.counting && (i == 0 || changes_.empty()); i++) {
    const std::uint32_t leaf = upkeep_.count_leaf;
    const auto records = co_await store_.records_at(leaf, protocol::kCountBlock);
    if (!records) co_return tl::unexpected(records.error());
    if (auto loaded = co_await load_path(leaf); !loaded) co_return loaded;
    protocol::CountRecordsRequest request;
    const OwnedPath path = tree_.path_above(leaf, kChunkLevels);
    request.path = path.path;
    for (const StoredRecord& record : *records)
      request.records[request.record_count++] = {static_cast<std::uint8_t>(record.leaf - leaf), record.sealed};
    const auto answer = co_await call(Command::count_records, encode_message(request));
    if (!answer) {
      if (answer.error().code != ErrorCode::refused) co_return tl::unexpected(answer.error());
      upkeep_.counting = false;
      infra::log_error("keys: the trusted core does not count the records; no root key can be retired",
                       {{"rule", protocol::name(answer.error().refusal)}, {"leaf", leaf}});
      co_return Result<void>{};
    }
    const auto reply = decode_message<protocol::CountRecordsReply>(*answer);
    if (!reply) co_return tl::unexpected(reply.error());
    upkeep_.counting = reply->counted == 0;
    upkeep_.count_leaf = reply->next_leaf;
    if (!upkeep_.counting) infra::log_info("keys: the trusted core has counted all records", {});
  }
  co_return Result<void>{};
}

Task<Result<std::uint32_t>> Service::rotate_root_key(Bytes order, std::array<std::uint8_t, 64> signature) {
  const auto answer =
      co_await call(Command::rotate_root_key, encode_message(protocol::RootKeyOrderRequest{order, signature}));
  if (!answer) co_return tl::unexpected(answer.error());
  const auto reply = decode_message<protocol::RootKeyRotated>(*answer);
  if (!reply) co_return tl::unexpected(reply.error());
  looks_wanted_++;
  changes_waiting_.set();
  co_return reply->version;
}

Task<Result<void>> Service::retire_root_key(Bytes order, std::array<std::uint8_t, 64> signature) {
  const auto answer =
      co_await call(Command::retire_root_key, encode_message(protocol::RootKeyOrderRequest{order, signature}));
  if (!answer) co_return tl::unexpected(answer.error());
  co_return Result<void>{};
}

Task<Result<ResealProgress>> Service::reseal_progress() {
  Upkeep upkeep = upkeep_;
  // Between a rotation and the first look, and without a connection that serves, there is nothing at hand.
  const bool at_hand = is_connected() && has_looked();
  if (!at_hand) {
    auto found = co_await find_upkeep();
    if (!found) co_return tl::unexpected(found.error());
    upkeep = std::move(*found);
  }
  co_return ResealProgress{upkeep.records_left(), upkeep.refused, upkeep.lost, is_connected() && upkeep.is_running()};
}

}  // namespace community::keys
