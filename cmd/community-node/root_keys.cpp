// SPDX-License-Identifier: Apache-2.0
#include "cmd/community-node/root_keys.hpp"

#include <cinttypes>
#include <cstdio>

namespace community::node {

using infra::Task;

namespace {

constexpr infra::Milliseconds kPoll{200};
// A node or core that is away for a moment is asked again: 150 times 200 ms.
constexpr int kPatience = 150;
// Lines about progress: one a second, and one when it is done.
constexpr int kPollsALine = 5;

int failed(const std::string& words) {
  std::fprintf(stderr, "community-node: %s\n", words.c_str());
  return 1;
}

void say(const std::string& words) {
  std::printf("%s\n", words.c_str());
  std::fflush(stdout);
}

// What the operator can do about a refusal, after the refusal's own words.
std::string advice(const keys::Error& error) {
  switch (error.refusal) {
    case protocol::Error::too_many_root_keys:
      return error.text() + ". Drop those that no record needs: community-node keys retire";
    case protocol::Error::operator_signature_invalid:
      return error.text() + ". The key in operator.key is not the one this trusted core was made with";
    case protocol::Error::root_key_in_use:
      return error.text() + ". Records are sealed under it: community-node keys status";
    case protocol::Error::records_not_counted:
      return error.text() + ". The node has the records counted while it serves; the log says when it cannot";
    default:
      return error.text();
  }
}

// Records under older root keys, shown until there are none and all are counted. Nothing when it cannot be told.
Task<std::optional<keys::ResealProgress>> wait_for_upkeep(keys::RootKeys& keys) {
  int silent = 0, polls = 0;
  std::uint64_t shown = 0;
  for (;; polls++) {
    const auto progress = co_await keys.reseal_progress();
    if (!progress) {
      if (++silent < kPatience) {
        co_await infra::sleep_real(kPoll);
        continue;
      }
      failed(progress.error().text());
      co_return std::nullopt;
    }
    silent = 0;
    if (!progress->is_running) co_return *progress;
    if (polls % kPollsALine == 0 && progress->left != shown) {
      shown = progress->left;
      say("  " + std::to_string(progress->left) + " records left under older root keys");
    }
    co_await infra::sleep_real(kPoll);
  }
}

Task<int> finish_upkeep(keys::RootKeys& keys) {
  const auto progress = co_await wait_for_upkeep(keys);
  if (!progress) co_return 1;
  if (progress->refused != 0)
    co_return failed("the trusted core refused to re-seal " + std::to_string(progress->refused) +
                     " records; the node's log names them and the rule. Their root key must stay; the node tries again "
                     "when it starts");
  if (progress->left != 0)
    co_return failed(std::to_string(progress->left) +
                     " records are left under older root keys and nobody re-seals them: the trusted core is away. It "
                     "goes on when the node serves again");
  if (progress->lost != 0)
    say("  " + std::to_string(progress->lost) +
        " records are under a root key that was retired before this database was put back; nothing opens them");
  co_return 0;
}

Task<int> retire_older(keys::RootKeys& keys, const keys::Operator& op) {
  const auto status = co_await keys.status();
  if (!status) co_return failed(status.error().text());
  if (status->root_keys.size() == 1)
    say("There is one root key, number " + std::to_string(status->newest_root_key()) + ": nothing to retire.");
  for (const protocol::RootKeyStatus& key : status->root_keys) {
    if (key.version == status->newest_root_key()) continue;
    const keys::SignedMessage order = op.sign_retirement({status->core_id, key.version});
    const auto retired = co_await keys.retire_root_key(order.message, order.signature);
    if (!retired)
      co_return failed("root key " + std::to_string(key.version) + " is not retired: " + advice(retired.error()));
    say("Root key " + std::to_string(key.version) +
        " is gone for good. Copies of the database from before its records were re-sealed open nowhere any more.");
  }
  co_return 0;
}

}  // namespace

Task<int> rotate_root_key(keys::RootKeys& keys, const keys::Operator& op, bool retire) {
  const auto status = co_await keys.status();
  if (!status) co_return failed(status.error().text());
  const std::uint32_t next = status->newest_root_key() + 1;
  const keys::SignedMessage order = op.sign_rotation({status->core_id, next});
  const auto made = co_await keys.rotate_root_key(order.message, order.signature);
  if (!made) co_return failed("no new root key: " + advice(made.error()));
  say("Root key " + std::to_string(*made) + " is the newest. Records are being re-sealed under it; Ctrl-C is safe.");
  if (const int code = co_await finish_upkeep(keys); code != 0) co_return code;
  say("Every record is under root key " + std::to_string(*made) + ".");
  if (retire) co_return co_await retire_older(keys, op);
  say("Older root keys are kept, so that a backup of the database from before can still be put back. When none is "
      "wanted any more: community-node keys retire");
  co_return 0;
}

Task<int> retire_root_keys(keys::RootKeys& keys, const keys::Operator& op) {
  if (const int code = co_await finish_upkeep(keys); code != 0) co_return code;
  co_return co_await retire_older(keys, op);
}

void print_root_keys(const keys::CoreStatus& status, const keys::ResealProgress& progress) {
  for (const protocol::RootKeyStatus& key : status.root_keys) {
    const std::string records =
        status.records_counted ? std::to_string(key.records) + " records" : "records not counted yet";
    std::printf("root key        number %u%s: %s\n", key.version,
                key.version == status.newest_root_key() ? ", the newest" : "", records.c_str());
  }
  if (progress.left != 0)
    std::printf("re-sealing      %" PRIu64 " records left%s\n", progress.left,
                progress.is_running ? "" : "; goes on when the node serves");
  if (progress.refused != 0)
    std::printf("re-sealing      %" PRIu64 " records refused: see the log\n", progress.refused);
  if (progress.lost != 0)
    std::printf("lost            %" PRIu64 " records under a root key that was retired\n", progress.lost);
}

}  // namespace community::node
