// SPDX-License-Identifier: Apache-2.0
#include "trusted/tests/support/backup.hpp"

#include <gtest/gtest.h>

#include "trusted/hpke/hpke.hpp"

namespace community::trusted::testing {

QuoteMaker& source_quotes() {
  static QuoteMaker maker;
  return maker;
}

QuoteMaker& holder_quotes() {
  static QuoteMaker maker;
  return maker;
}

QuoteMaker& device_quotes() {
  static QuoteMaker maker;
  return maker;
}

Bytes32 peer_challenge(TestHost& host) {
  const Reply reply = host.call(Command::peer_challenge);
  EXPECT_EQ(reply.error, Error::ok);
  return decoded<protocol::PeerChallengeReply>(reply.body).challenge;
}

protocol::Evidence make_evidence(TestHost& host, const Bytes32& challenge) {
  protocol::Evidence evidence;
  for (const auto kind : {protocol::QuoteKind::application, protocol::QuoteKind::system}) {
    const protocol::AttestRequest request{challenge, static_cast<std::uint8_t>(kind)};
    Reply reply = host.ask(Command::attest, request);
    for (int attempt = 0; attempt < 5 && reply.error == Error::no_session && host.reconnect(); attempt++)
      reply = host.ask(Command::attest, request);
    EXPECT_EQ(reply.error, Error::ok);
    if (reply.error != Error::ok) break;
    const auto answer = decoded<protocol::AttestReply>(reply.body);
    evidence.statement = answer.statement;
    evidence.quoted = answer.kind != 0 ? 1 : 0;
    (kind == protocol::QuoteKind::application ? evidence.application : evidence.system) = answer.quote;
  }
  return evidence;
}

protocol::PeerDescription describe_peer(TestHost& host, QuoteMaker* maker) {
  const protocol::Evidence evidence = make_evidence(host, Bytes32{});
  const protocol::AttestationStatement& statement = evidence.statement;
  protocol::PeerDescription peer;
  peer.core_id = statement.core_id;
  peer.identity_key = statement.identity_key;
  peer.hpke_key = statement.hpke_key;
  peer.body = statement.body;
  if (maker != nullptr) {
    peer.attestation_key = maker->fingerprint();
    peer.application = QuoteMaker::measurement(protocol::QuoteKind::application);
    peer.system = QuoteMaker::measurement(protocol::QuoteKind::system);
  } else if (evidence.quoted == 1) {
    peer.attestation_key = attestation_key_fingerprint(evidence.application.modulus);
    peer.application = evidence.application.measurement;
    peer.system = evidence.system.measurement;
  }
  return peer;
}

OfflineHolder::OfflineHolder(std::uint64_t seed) : store(seed) {
  EXPECT_TRUE(hpke::make_key_pair(store.port(), secret, key));
}

Bytes OfflineHolder::open() const {
  Bytes plain(package.cipher.size() - hpke::kTag);
  const Bytes32 info = protocol::package_info(protocol::kShareKeep, package.view());
  const Port port = const_cast<MemoryStore&>(store).port();
  const bool opened = hpke::open(port, secret, key, package.package.enc, info, {}, package.cipher, plain);
  return opened ? plain : Bytes{};
}

OwnedPackage OfflineHolder::seal(ByteView contents, const protocol::HpkeKey& recipient) const {
  OwnedPackage out;
  out.cipher.resize(contents.size() + hpke::kTag);
  const Bytes32 info = protocol::package_info(protocol::kShareRelease, out.package);
  const Port port = const_cast<MemoryStore&>(store).port();
  EXPECT_TRUE(hpke::seal(port, recipient, info, {}, contents, out.package.enc, out.cipher));
  return out;
}

namespace {

// A core that says it is in a TEE.
void quote(TestHost& host, QuoteMaker& maker) {
  host.store.pretend(protocol::Body::optee_qemu, protocol::Protection::emulated);
  host.store.quote_with(&maker);
}

}  // namespace

BackupWorld::BackupWorld(RemoteBody* source_body, RemoteBody* device_body)
    : world(1, source_body),
      device(80, device_body),
      source_maker_(source_body == nullptr ? &source_quotes() : nullptr),
      device_maker_(device_body == nullptr ? &device_quotes() : nullptr) {
  for (QuoteMaker* maker : {&source_quotes(), &holder_quotes(), &device_quotes()}) {
    maker->requests.clear();
    maker->fail = false;
    maker->bend = nullptr;
  }
  if (source_maker_ != nullptr) {
    quote(source, *source_maker_);
    EXPECT_EQ(source.restart(false), Error::ok);
  }
  for (std::size_t i = 0; i < kCores; i++) {
    holders[i] = std::make_unique<TestHost>(20 + i);
    if (maker_of(i) != nullptr) quote(*holders[i], *maker_of(i));
    EXPECT_EQ(holders[i]->provision(), Error::ok);
    EXPECT_EQ(holders[i]->start(), Error::ok);
  }
  if (device_maker_ != nullptr) quote(device, *device_maker_);
  EXPECT_EQ(device.provision(), Error::ok);
  EXPECT_EQ(device.start(), Error::ok);
  // The first quote of a device in OP-TEE makes its key, which takes longer than a connection waits.
  if (source_maker_ == nullptr) make_evidence(source, Bytes32{});
  if (device_maker_ == nullptr) make_evidence(device, Bytes32{});
}

protocol::BackupOrder BackupWorld::order(std::uint32_t generation) {
  protocol::BackupOrder order;
  order.core_id = source.status().core_id;
  order.generation = generation;
  order.threshold = 3;
  order.holder_count = kCores + 1;
  for (std::size_t i = 0; i < kCores; i++) {
    order.holders[i].kind = static_cast<std::uint8_t>(protocol::HolderKind::core);
    order.holders[i].peer = describe_peer(*holders[i], maker_of(i));
  }
  order.holders[kCores].kind = static_cast<std::uint8_t>(protocol::HolderKind::offline);
  order.holders[kCores].offline_key = offline.key;
  return order;
}

Error BackupWorld::create(const protocol::BackupOrder& order) {
  const OwnedOrder owned = sign_order(source, "backup", order);
  const Reply reply = source.ask(Command::backup_create, owned.view());
  if (reply.error == Error::ok) description = to_bytes(decoded<protocol::BackupCreateReply>(reply.body).description);
  return reply.error;
}

namespace {

SentShare take_sent(const Reply& reply) {
  SentShare sent;
  sent.error = reply.error;
  if (reply.error != Error::ok) return sent;
  const auto answer = decoded<protocol::SharePackageReply>(reply.body);
  sent.evidence = encoded(answer.evidence);
  sent.package = OwnedPackage(answer.package);
  return sent;
}

}  // namespace

SentShare BackupWorld::send(std::uint8_t index) {
  const bool is_core = index <= kCores;
  protocol::BackupShareRequest request;
  request.description = description;
  request.index = index;
  Bytes evidence;
  if (is_core) {
    TestHost& holder = *holders[index - 1u];
    request.challenge = peer_challenge(holder);
    evidence = encoded(make_evidence(holder, peer_challenge(source)));
    request.evidence = evidence;
  }
  SentShare sent = take_sent(source.ask(Command::backup_share, request));
  if (!is_core && sent.error == Error::ok) offline.package = sent.package;
  return sent;
}

protocol::KeepOrder BackupWorld::keep_order(std::uint8_t index) {
  return {holders[index - 1u]->status().core_id, describe_peer(source, source_maker_), 1};
}

Uncommitted BackupWorld::ask_keep(std::uint8_t index, const SentShare& sent, const OwnedOrder& order) {
  TestHost& holder = *holders[index - 1u];
  protocol::ShareKeepRequest request;
  const OwnedPath path = holder.pending_tree.path(holder.next_leaf());
  request.path = path.view();
  request.order = order.view();
  request.description = description;
  request.evidence = sent.evidence;
  request.package = sent.package.view();
  return holder.change(Command::share_keep, request);
}

Error BackupWorld::keep(std::uint8_t index, const SentShare& sent) {
  TestHost& holder = *holders[index - 1u];
  const Uncommitted change = ask_keep(index, sent, sign_order(holder, "keep share", keep_order(index)));
  if (change.error != Error::ok) return change.error;
  const Committed committed = holder.commit();
  if (committed.error != Error::ok) return committed.error;
  EXPECT_EQ(decoded<protocol::ShareCommitted>(committed.changes.back().second).share_id, change.record.id);
  shares[index - 1u] = change.record;
  return Error::ok;
}

void BackupWorld::distribute(std::uint32_t generation) {
  ASSERT_EQ(create(order(generation)), Error::ok);
  for (std::uint8_t index = 1; index <= kCores; index++) ASSERT_EQ(keep(index, send(index)), Error::ok) << +index;
  ASSERT_EQ(send(kCores + 1).error, Error::ok);
}

Bytes BackupWorld::checkpoint_of(TestHost& host) {
  const Reply reply = host.call(Command::checkpoint);
  EXPECT_EQ(reply.error, Error::ok);
  return to_bytes(decoded<protocol::CheckpointReply>(reply.body).checkpoint);
}

Error BackupWorld::keep_checkpoint(std::uint8_t index, ByteView checkpoint,
                                   const protocol::FenceCertificate* certificate) {
  TestHost& holder = *holders[index - 1u];
  protocol::CheckpointKeepRequest request;
  const OwnedProof proof = holder.proof(shares[index - 1u]);
  request.record = proof.view();
  request.checkpoint = checkpoint;
  if (certificate != nullptr) {
    request.has_certificate = 1;
    request.certificate = *certificate;
  }
  const Uncommitted change = holder.change(Command::checkpoint_keep, request);
  if (change.error != Error::ok) return change.error;
  const Error committed = holder.commit().error;
  if (committed == Error::ok) shares[index - 1u] = change.record;
  return committed;
}

protocol::ShareDescribeReply BackupWorld::describe(std::uint8_t index) {
  TestHost& holder = *holders[index - 1u];
  const OwnedProof proof = holder.proof(shares[index - 1u]);
  const Reply reply = holder.ask(Command::share_describe, proof.view());
  EXPECT_EQ(reply.error, Error::ok);
  return decoded<protocol::ShareDescribeReply>(reply.body);
}

protocol::RestoreOrder BackupWorld::restore_order_for(TestHost& to, std::uint64_t floor) {
  const auto backup = decoded<protocol::BackupDescription>(description);
  protocol::RestoreOrder order;
  order.core_id = backup.core_id;
  order.generation = backup.generation;
  order.description = base::sha256(description);
  order.device = describe_peer(to, &to == &device ? device_maker_ : &device_quotes());
  order.configuration_floor = floor;
  return order;
}

SentShare BackupWorld::release_to(TestHost& to, std::uint8_t index, const OwnedOrder& order) {
  TestHost& holder = *holders[index - 1u];
  protocol::ShareReleaseRequest request;
  const OwnedProof proof = holder.proof(shares[index - 1u]);
  request.record = proof.view();
  request.order = order.view();
  request.challenge = peer_challenge(to);
  const Bytes evidence = encoded(make_evidence(to, peer_challenge(holder)));
  request.evidence = evidence;
  return take_sent(holder.ask(Command::share_release, request));
}

OwnedContribution BackupWorld::contribute_to(TestHost& to, std::uint8_t index) {
  OwnedContribution contribution;
  contribution.index = index;
  if (index > kCores) {
    contribution.package = offline.seal(offline.open(), to.status().hpke_key);
    return contribution;
  }
  const SentShare sent = release_to(to, index, sign_order(source, "restore", restore_order_for(to)));
  EXPECT_EQ(sent.error, Error::ok) << +index;
  contribution.evidence = sent.evidence;
  contribution.package = sent.package;
  return contribution;
}

Reply BackupWorld::restore_to(TestHost& to, const std::vector<OwnedContribution>& contributions,
                              const OwnedOrder& order) {
  protocol::RestoreRequest request;
  request.order = order.view();
  request.description = description;
  for (const OwnedContribution& contribution : contributions)
    request.contributions.at(request.contribution_count++) = contribution.view();
  return to.ask(Command::restore, request);
}

void BackupWorld::restore_now() {
  const Bytes now = checkpoint();
  for (std::uint8_t index = 1; index <= 3; index++) {
    const auto kept = describe(index);
    if (kept.has_checkpoint == 0 || kept.revision < source.status().revision) {
      ASSERT_EQ(keep_checkpoint(index, now), Error::ok);
    }
  }
  const Reply reply = restore({contribute(1), contribute(2), contribute(3)});
  ASSERT_EQ(reply.error, Error::ok);
  ASSERT_EQ(decoded<protocol::RestoreReply>(reply.body).result, 0u);
}

}  // namespace community::trusted::testing
