// SPDX-License-Identifier: Apache-2.0
// Backup: every message has one encoding; a hostile host that changes bytes of good requests, or seals what it likes to
// a restoring core, gets a named refusal, and never a share kept, a core restored or fenced that should not be.
#include <algorithm>

#include "fuzz/trusted/fuzz.hpp"
#include "trusted/tests/support/backup.hpp"

using namespace community::trusted;
using namespace community::trusted::testing;
namespace base = community::base;
namespace protocol = community::protocol;

namespace {

template <class Message>
void one_encoding(ByteView input) {
  auto message = std::make_unique<Message>();
  if (protocol::decode(input, *message)) require(encoded(*message) == to_bytes(input), "one encoding");
}

void every_encoding(ByteView input) {
  one_encoding<protocol::PeerDescription>(input);
  one_encoding<protocol::Evidence>(input);
  one_encoding<protocol::BackupOrder>(input);
  one_encoding<protocol::BackupDescription>(input);
  one_encoding<protocol::ShareContents>(input);
  one_encoding<protocol::SharePackage>(input);
  one_encoding<protocol::BackupShareRequest>(input);
  one_encoding<protocol::SharePackageReply>(input);
  one_encoding<protocol::KeepOrder>(input);
  one_encoding<protocol::ShareKeepRequest>(input);
  one_encoding<protocol::ShareDescribeReply>(input);
  one_encoding<protocol::Checkpoint>(input);
  one_encoding<protocol::CheckpointKeepRequest>(input);
  one_encoding<protocol::FenceCertificate>(input);
  one_encoding<protocol::RestoreOrder>(input);
  one_encoding<protocol::ShareReleaseRequest>(input);
  one_encoding<protocol::RestoreRequest>(input);
  one_encoding<protocol::RestoreReply>(input);
  one_encoding<ShareRecord>(input);
  one_encoding<CheckpointContents>(input);
}

struct Template {
  TestHost* host;
  Command command;
  Bytes body;
};

// A backup with shares and checkpoints at their holders, and a good request of every kind. Two contributions: nothing
// is restored, whatever a third one says.
struct Prepared {
  Prepared() {
    backup.distribute();
    const Bytes checkpoint = backup.checkpoint();
    for (const std::uint8_t index : {std::uint8_t{1}, std::uint8_t{2}})
      require(backup.keep_checkpoint(index, checkpoint) == Error::ok, "a checkpoint is kept");
    TestHost& holder = *backup.holders[0];
    templates.push_back(
        {&backup.source, Command::backup_create, encoded(sign_order(backup.source, "backup", backup.order()).view())});
    const Bytes of_holder = encoded(make_evidence(holder, peer_challenge(backup.source)));
    templates.push_back({&backup.source, Command::backup_share,
                         encoded(protocol::BackupShareRequest{backup.description, 1, {}, of_holder})});
    templates.push_back(
        {&backup.source, Command::backup_share, encoded(protocol::BackupShareRequest{backup.description, 5, {}, {}})});
    const SentShare sent = backup.send(1);
    const OwnedOrder keep = sign_order(holder, "keep share", backup.keep_order(1));
    const OwnedPath path = holder.tree.path(77);
    templates.push_back({&holder, Command::share_keep,
                         encoded(protocol::ShareKeepRequest{path.view(), keep.view(), backup.description, sent.evidence,
                                                            sent.package.view()})});
    const OwnedProof proof = holder.proof(backup.shares[0]);
    templates.push_back(
        {&holder, Command::checkpoint_keep, encoded(protocol::CheckpointKeepRequest{proof.view(), checkpoint, 1, {}})});
    templates.push_back({&holder, Command::share_describe, encoded(proof.view())});
    const OwnedOrder restore = backup.signed_restore_order();
    const Bytes of_device = encoded(make_evidence(backup.device, peer_challenge(holder)));
    templates.push_back({&holder, Command::share_release,
                         encoded(protocol::ShareReleaseRequest{proof.view(), restore.view(), {}, of_device})});
    contributions = {backup.contribute(1), backup.contribute(2)};
    templates.push_back({&backup.device, Command::restore, restore_request({})});
    templates.push_back({&backup.source, Command::fence, encoded(protocol::FenceCertificate{})});
    for (const Command command : {Command::peer_challenge, Command::checkpoint, Command::fence_certificate})
      templates.push_back({&backup.source, command, {}});
  }

  // With a third contribution of the offline holder, if its contents are not empty.
  Bytes restore_request(ByteView contents) {
    const OwnedOrder order = backup.signed_restore_order();
    protocol::RestoreRequest request;
    request.order = order.view();
    request.description = backup.description;
    for (const OwnedContribution& contribution : contributions)
      request.contributions[request.contribution_count++] = contribution.view();
    OwnedContribution third;
    third.index = 5;
    if (!contents.empty()) {
      third.package = backup.offline.seal(contents, backup.device.status().hpke_key);
      request.contributions[request.contribution_count++] = third.view();
    }
    return encoded(request);
  }

  BackupWorld backup;
  std::vector<OwnedContribution> contributions;
  std::vector<Template> templates;
};

void check(Prepared& prepared, const Template& chosen, const Bytes& body) {
  const Reply reply = chosen.host->call(chosen.command, body);
  require(reply.error != Error::no_session, "a well made frame is answered");
  require(protocol::name(reply.error) != "unknown", "every error has a name");
  require(reply.error == Error::ok || reply.body.empty(), "a refusal says nothing but its name");
  if (chosen.command == Command::share_keep && reply.error == Error::ok) {
    // Free to a host: where the record is to stand.
    const auto asked = decoded<protocol::ShareKeepRequest>(body),
               good = decoded<protocol::ShareKeepRequest>(chosen.body);
    require(to_bytes(asked.order.order) == to_bytes(good.order.order) &&
                to_bytes(asked.evidence) == to_bytes(good.evidence) && encoded(asked.package) == encoded(good.package),
            "only the share that was sent is kept");
  }
  require(prepared.backup.source.status().fenced == 0, "nothing fences without a certificate");
  require(prepared.backup.device.status().backup_generation == 0, "two shares restore nothing");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Prepared prepared;
  Input input({data, size});
  const std::uint8_t kind = input.byte();
  if (kind == 0xff) {
    every_encoding(input.rest());
    return 0;
  }
  if (kind == 0xfe) {
    // Whatever an offline holder seals.
    const Template& restore = *std::find_if(prepared.templates.begin(), prepared.templates.end(),
                                            [](const Template& t) { return t.command == Command::restore; });
    const ByteView contents = input.rest().first(std::min<std::size_t>(input.rest().size(), 2'500));
    const Reply reply = restore.host->call(Command::restore, prepared.restore_request(contents));
    require(reply.error == Error::ok, "the order is good");
    const auto answer = decoded<protocol::RestoreReply>(reply.body);
    require(answer.result == static_cast<std::uint16_t>(Error::too_few_shares), "two shares are too few");
    return 0;
  }
  const Template& chosen = prepared.templates[kind % prepared.templates.size()];
  require(chosen.host->reconnect(), "the host connects");
  Bytes body = chosen.body;
  for (int changes = input.byte() % 8; changes > 0 && !body.empty(); changes--) {
    const std::size_t at = input.size16() % body.size();
    body[at] = input.byte();
  }
  const std::size_t cut = input.byte();
  if (cut > 200) body.resize(body.size() - body.size() % cut);
  check(prepared, chosen, body);
  return 0;
}
