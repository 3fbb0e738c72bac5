// SPDX-License-Identifier: Apache-2.0
#include "community/keys/service.hpp"

#include "community/keys/messages.hpp"
#include "community/keys/tag_in_use.hpp"
#include "trusted/protocol/frame.hpp"
#include "trusted/protocol/root_key_messages.hpp"

namespace community::keys {

using protocol::Command;

namespace {

// About 400 bytes each: 2,048 wallets at hand take under 2 MB.
constexpr std::size_t kCachedRecords = 2'048;
// Changes waiting beyond the batch on its way.
constexpr std::size_t kMaxQueuedChanges = 4'096;
// A commit between building a request and its arrival makes the path stale; more than this in a row means a bug.
constexpr int kStaleRetries = 16;
// Re-seals in a COMMIT that carries a change somebody waits for: some 5 ms in the process body, 50 in an OP-TEE.
constexpr std::size_t kResealsBesideChanges = 32;

protocol::UseropFields to_protocol(const core::PackedUserOperation& op) {
  return {op.sender,    op.nonce.to_be(),      op.init_code,
          op.call_data, op.account_gas_limits, op.pre_verification_gas.to_be(),
          op.gas_fees,  op.paymaster_and_data};
}

bool is_refusal(const Error& error, protocol::Error refusal) {
  return error.code == ErrorCode::refused && error.refusal == refusal;
}

}  // namespace

std::string Error::text() const { return std::string(name(code)) + ": " + message; }

infra::MigrationSet key_migrations() { return RecordStore::migrations(); }

std::unique_ptr<ConnectedKeyService> make_key_service(KeyServiceDependencies dependencies) {
  return std::make_unique<Service>(dependencies);
}

Service::Service(KeyServiceDependencies dependencies) : dependencies_(dependencies), store_(dependencies.database) {
  if (dependencies_.metrics == nullptr) return;
  commit_changes_ = dependencies_.metrics->histogram("superrelay_optee_commit_changes",
                                                     "Changes of records that one durable write of the core carried.",
                                                     infra::Buckets::count);
}

// --- connection ------------------------------------------------------------------------------------------------------

Task<Error> Service::serve(ChannelOptions options) {
  auto opened = co_await open(std::move(options));
  if (!opened) {
    channel_.reset();
    co_return opened.error();
  }
  connected_.set();
  if (dependencies_.metrics != nullptr)
    dependencies_.metrics->gauge("superrelay_optee_sessions_active", "Connections to the trusted core.").set(1);
  std::string reason;
  // Both are children, so that whoever cancels this waits for both: a change that is being written uses this service.
  infra::TaskGroup group(co_await boost::asio::this_coro::executor);
  const auto watch = [this, &reason]() -> Task<void> {
    reason = co_await channel_->closed();
    connected_.reset();
    if (dependencies_.metrics != nullptr)
      dependencies_.metrics->gauge("superrelay_optee_sessions_active", "Connections to the trusted core.").set(0);
    changes_waiting_.set();
  };
  group.spawn(change_loop());
  group.spawn(watch());
  co_await group.join();
  channel_.reset();
  for (const ChangePointer& change : std::exchange(changes_, {})) change->done.set();
  co_return Error{ErrorCode::unavailable, protocol::Error::ok, reason};
}

Task<Result<void>> Service::attach(ChannelOptions options) {
  auto channel = co_await Channel::connect(std::move(options), dependencies_.random);
  if (!channel) co_return tl::unexpected(channel.error());
  channel_ = std::move(*channel);
  const auto stored = co_await store_.epoch();
  if (!stored) co_return tl::unexpected(stored.error());
  epoch_ = stored->epoch;
  tree_.reset(stored->root);
  co_return Result<void>{};
}

Task<Result<void>> Service::open(ChannelOptions options) {
  if (auto done = co_await attach(std::move(options)); !done) co_return done;
  if (auto done = co_await reconcile(); !done) co_return done;
  if (auto done = co_await describe_new_keys(); !done) co_return done;
  auto keys = co_await store_.keys();
  if (!keys) co_return tl::unexpected(keys.error());
  node_keys_ = std::move(*keys);
  upkeep_ = {};
  shares_.reset();
  share_changes_++;
  looks_wanted_++;
  entering_.clear();
  co_return Result<void>{};
}

// The core's root and epoch decide: it is at the database's epoch, or further on when the node died between COMMIT and
// apply, or when the core was restored or recovered.
Task<Result<void>> Service::reconcile() {
  const auto core = co_await status();
  if (!core) co_return tl::unexpected(core.error());
  infra::log_info("keys: connected to the trusted core",
                  {{"is", describe_protection(core->body, core->protection)}, {"epoch", core->epoch}});
  if (core->fenced)
    co_return fail(
        ErrorCode::fenced,
        "this trusted core was fenced: another device was restored from its backup and goes on in its place. "
        "Nothing here signs any more, and nothing undoes it; `community-node keys reset` erases what is left");
  const auto stored = co_await store_.epoch();
  if (!stored) co_return tl::unexpected(stored.error());
  records_.clear();
  record_order_.clear();
  tree_.reset(stored->root);
  epoch_ = stored->epoch;
  if (auto agreed = co_await agree(*core); !agreed) co_return agreed;
  if (core->epoch != epoch_ || core->root != tree_.root())
    co_return fail(ErrorCode::state_forked,
                   "the trusted core is at epoch " + std::to_string(core->epoch) + ", the node's database at epoch " +
                       std::to_string(stored->epoch) +
                       ": one of them was restored or replaced. Put back the copies that belong together, or run "
                       "`community-node keys recover`");
  const auto next = co_await store_.next_leaf();
  if (!next) co_return tl::unexpected(next.error());
  next_leaf_ = *next;
  co_return Result<void>{};
}

Task<Result<void>> Service::agree(const CoreStatus& core) {
  auto prepared = co_await store_.prepared();
  if (!prepared) co_return tl::unexpected(prepared.error());
  if (*prepared && (*prepared)->epoch == epoch_ + 1 && core.epoch > epoch_) {
    if (auto done = co_await take_prepared(std::move(**prepared), core); !done) co_return done;
  } else if (*prepared && core.epoch == epoch_) {
    if (auto done = co_await store_.drop_prepared(); !done) co_return done;
    infra::log_info("keys: a change the core had not committed was dropped after a crash", {{"epoch", epoch_}});
  }
  // The same records, so the core's epoch is only another number for them: it was restored from a checkpoint of this
  // database, or recovered by a node that died before it noted so.
  if (core.root == tree_.root() && core.epoch > epoch_) {
    if (auto done = co_await store_.set_epoch(core.epoch); !done) co_return done;
    infra::log_info("keys: the database has the records of the core, whose epoch is entered",
                    {{"epoch", core.epoch}, {"was", epoch_}});
    epoch_ = core.epoch;
  }
  co_return Result<void>{};
}

// The batch is entered when the core has its root.
Task<Result<void>> Service::take_prepared(Batch prepared, const CoreStatus& core) {
  for (const StoredRecord& record : prepared.records) {
    if (auto loaded = co_await load_path(record.leaf); !loaded) co_return loaded;
    tree_.set_pending(record.leaf, protocol::leaf_value(record.id, record.revision, record.sealed));
  }
  if (tree_.pending_root() != core.root) {
    tree_.drop_pending();
    co_return Result<void>{};
  }
  auto chunks = tree_.commit_pending();
  epoch_ = prepared.epoch = core.epoch;
  if (auto done = co_await store_.apply(std::move(prepared), std::move(chunks)); !done) co_return done;
  infra::log_info("keys: a change the core had committed was entered after a crash", {{"epoch", epoch_}});
  co_return Result<void>{};
}

Task<Result<void>> Service::describe_new_keys() {
  const auto ids = co_await store_.undescribed_keys();
  if (!ids) co_return tl::unexpected(ids.error());
  for (const RecordId& id : *ids) {
    auto answer = co_await ask(Command::key_describe, id, [](const auto& proof) { return encode_message(proof); });
    if (!answer) co_return tl::unexpected(answer.error());
    const auto key = decode_message<protocol::KeyDescribeReply>(*answer);
    if (!key) co_return tl::unexpected(key.error());
    const KeyInfo info{id, static_cast<Purpose>(key->purpose), key->chain_id, key->address};
    if (auto done = co_await store_.remember_key(info); !done) co_return done;
  }
  co_return Result<void>{};
}

Task<Result<Bytes>> Service::call(Command command, Bytes body) {
  std::uint64_t ignored = 0;
  co_return co_await call(command, std::move(body), ignored);
}

Task<Result<Bytes>> Service::call(Command command, Bytes body, std::uint64_t& request_id) {
  if (!channel_) co_return fail(ErrorCode::unavailable, "the trusted core is not connected");
  const auto begin = std::chrono::steady_clock::now();
  auto answer = co_await channel_->call(command, std::move(body), request_id);
  measure(command, answer, std::chrono::steady_clock::now() - begin);
  co_return answer;
}

// The names are those the product's founders gave to these series.
Service::CommandSeries& Service::series(Command command) {
  const auto known = series_.find(command);
  if (known != series_.end()) return known->second;
  infra::Metrics& metrics = *dependencies_.metrics;
  const infra::MetricLabels operation{{"operation", std::string(protocol::name(command))}};
  CommandSeries made{metrics.counter("superrelay_optee_operations_total", "Requests to the trusted core.", operation),
                     metrics.histogram("superrelay_optee_operation_duration_seconds", "From request to answer.",
                                       infra::Buckets::seconds, operation),
                     std::nullopt};
  const bool signs = command == Command::account_change_keys || command == Command::founders ||
                     protocol::name(command).starts_with("sign_");
  if (signs) made.signatures = metrics.counter("superrelay_optee_key_operations_total", "Signatures.", operation);
  return series_.emplace(command, std::move(made)).first->second;
}

void Service::count_signature(Command command) { series(command).signatures->add(); }

void Service::measure(Command command, const Result<Bytes>& answer, std::chrono::steady_clock::duration duration) {
  if (dependencies_.metrics == nullptr) return;
  CommandSeries& measured = series(command);
  measured.operations.add();
  measured.duration.observe(std::chrono::duration<double>(duration).count());
  if (!answer) {
    const Error& error = answer.error();
    const std::string reason(error.code == ErrorCode::refused ? protocol::name(error.refusal) : name(error.code));
    dependencies_.metrics
        ->counter("superrelay_optee_errors_total", "Requests that were not answered with a result.",
                  {{"reason", reason}})
        .add();
  } else if (measured.signatures && command != Command::founders) {
    measured.signatures->add();
  }
}

Task<Result<void>> Service::release_leases() {
  const auto answer = co_await call(Command::release_leases, {});
  if (!answer) co_return tl::unexpected(answer.error());
  co_return Result<void>{};
}

// --- records and paths
// -------------------------------------------------------------------------------------------------

Task<Result<void>> Service::load_path(std::uint32_t leaf) {
  // Another request may push a chunk out while this one waits for the database; it is loaded again then.
  for (auto missing = tree_.missing(leaf); !missing.empty(); missing = tree_.missing(leaf)) {
    const std::uint64_t epoch = epoch_;
    auto chunks = co_await store_.chunks(std::move(missing));
    if (!chunks) co_return tl::unexpected(chunks.error());
    // Rows read while a batch was entered may be older than the tree in memory.
    if (epoch != epoch_) continue;
    for (const auto& [id, chunk] : *chunks) tree_.insert(id, chunk);
  }
  co_return Result<void>{};
}

void Service::cache_record(StoredRecord record) {
  const RecordId id = record.id;
  if (!records_.contains(id)) record_order_.push_back(id);
  records_[id] = std::make_shared<const StoredRecord>(std::move(record));
  while (record_order_.size() > kCachedRecords) {
    records_.erase(record_order_.front());
    record_order_.pop_front();
  }
}

Task<Result<std::shared_ptr<const StoredRecord>>> Service::load_record(RecordId id) {
  for (int attempt = 0; attempt < kStaleRetries; attempt++) {
    // What is being entered is newer than its row.
    if (const auto entering = entering_.find(id); entering != entering_.end()) {
      if (entering->second.sealed.empty()) co_return fail(ErrorCode::not_found, "the record was deleted");
      cache_record(entering->second);
    }
    if (const auto known = records_.find(id); known != records_.end()) co_return known->second;
    const std::uint64_t epoch = epoch_;
    auto record = co_await store_.record(id);
    if (!record) co_return tl::unexpected(record.error());
    if (epoch == epoch_ && !records_.contains(id)) cache_record(std::move(*record));
  }
  co_return fail(ErrorCode::storage, "a record changed each time it was read");
}

Task<Result<Bytes>> Service::ask(Command command, RecordId id,
                                 std::function<Bytes(const protocol::RecordProof&)> build) {
  const auto build_one = [&build](const std::vector<protocol::RecordProof>& proofs) { return build(proofs[0]); };
  std::vector<RecordId> ids{id};
  co_return co_await ask_about(command, std::move(ids), build_one);
}

Task<Result<Bytes>> Service::ask_about(Command command, std::vector<RecordId> ids,
                                       std::function<Bytes(const std::vector<protocol::RecordProof>&)> build) {
  Result<Bytes> answer = refuse(protocol::Error::stale_path);
  for (int attempt = 0; attempt < kStaleRetries; attempt++) {
    std::vector<std::shared_ptr<const StoredRecord>> records;
    for (const RecordId& id : ids) {
      auto record = co_await load_record(id);
      if (!record) co_return tl::unexpected(record.error());
      if (auto loaded = co_await load_path((*record)->leaf); !loaded) co_return tl::unexpected(loaded.error());
      records.push_back(std::move(*record));
    }
    // A record may have changed while paths were loaded, and the first path been pushed out by the second; only what is
    // of one moment proves anything.
    const auto is_current = [this](const std::shared_ptr<const StoredRecord>& record) {
      const auto now = records_.find(record->id);
      return now != records_.end() && now->second == record && tree_.missing(record->leaf).empty();
    };
    if (!std::all_of(records.begin(), records.end(), is_current)) continue;
    std::vector<OwnedPath> paths;
    paths.reserve(records.size());
    for (const auto& record : records) paths.push_back(tree_.path(record->leaf, false));
    std::vector<protocol::RecordProof> proofs;
    for (std::size_t i = 0; i < records.size(); i++) proofs.push_back({records[i]->sealed, paths[i].path});
    answer = co_await call(command, build(proofs));
    if (answer || !is_refusal(answer.error(), protocol::Error::stale_path)) co_return answer;
  }
  co_return answer;
}

// --- changes
// -----------------------------------------------------------------------------------------------------------

Task<Result<Bytes>> Service::submit(ChangePointer change) {
  if (!is_connected()) co_return fail(ErrorCode::unavailable, "the trusted core is not connected");
  if (changes_.size() >= kMaxQueuedChanges) co_return fail(ErrorCode::queue_full, "too many changes are waiting");
  changes_.push_back(change);
  changes_waiting_.set();
  co_await change->done.wait();
  co_return std::move(change->result);
}

Task<void> Service::change_loop() {
  while (channel_->is_open()) {
    const bool with_upkeep = upkeep_due();
    if (changes_.empty() && !with_upkeep) {
      co_await wait_for_work();
      continue;
    }
    const auto done = co_await work(with_upkeep);
    if (done) continue;
    infra::log_error("keys: a batch of changes failed", {{"reason", done.error().text()}});
    // What is pending in the core dies with the connection; the next one reconciles.
    tree_.drop_pending();
    channel_->close(done.error().message);
  }
}

Task<Result<void>> Service::work(bool with_upkeep) {
  const auto begin = std::chrono::steady_clock::now();
  std::deque<ChangePointer> reseals;
  if (with_upkeep) {
    if (!has_looked())
      if (auto looked = co_await begin_upkeep(); !looked) co_return looked;
    auto next = co_await next_reseals();
    if (!next) co_return tl::unexpected(next.error());
    reseals = std::move(*next);
  }
  if (!changes_.empty() || !reseals.empty())
    if (auto done = co_await run_batch(std::move(reseals)); !done) co_return done;
  if (!with_upkeep) co_return Result<void>{};
  if (!upkeep_.is_resealing() && upkeep_.counting)
    if (auto done = co_await count_blocks(); !done) co_return done;
  rest_after(begin);
  co_return Result<void>{};
}

Task<Result<void>> Service::run_batch(std::deque<ChangePointer> reseals) {
  Batch batch;
  std::vector<ChangePointer> sent;
  std::size_t resealed_at_most = reseals.size();
  while (sent.size() < protocol::kMaxPendingChanges) {
    ChangePointer change;
    // What somebody waits for goes first, whenever it comes, and is then held up by a few re-seals at most.
    if (!changes_.empty()) {
      change = changes_.front();
      changes_.pop_front();
      resealed_at_most = std::min(resealed_at_most, kResealsBesideChanges);
    } else if (resealed_at_most > 0) {
      change = reseals.front();
      reseals.pop_front();
      resealed_at_most--;
      upkeep_.next_leaf = change->stored->leaf + 1;
    } else {
      break;
    }
    const auto done = co_await send_change(*change, batch);
    if (done) {
      sent.push_back(change);
      continue;
    }
    if (change->stored && done.error().code == ErrorCode::refused) take_refusal(*change, done.error().refusal);
    change->result = tl::unexpected(done.error());
    change->done.set();
    // A refusal concerns this change alone; anything else ends the batch.
    const bool alone = done.error().code == ErrorCode::refused || done.error().code == ErrorCode::not_found;
    if (alone) continue;
    for (const ChangePointer& other : sent) other->done.set();
    co_return done;
  }
  if (sent.empty()) co_return Result<void>{};
  auto committed = co_await commit(std::move(batch), sent);
  for (const ChangePointer& change : sent) change->done.set();
  co_return committed;
}

Task<Result<void>> Service::send_change(Change& change, Batch& batch) {
  StoredRecord record;
  record.kind = change.kind;
  record.leaf = next_leaf_;
  if (change.record) {
    // An earlier change of the same batch is newer than what the database holds.
    const StoredRecord* newest = nullptr;
    for (const StoredRecord& earlier : batch.records)
      if (earlier.id == *change.record) newest = &earlier;
    const auto known = records_.find(*change.record);
    if (newest != nullptr) {
      record = *newest;
    } else if (change.stored && known == records_.end()) {
      // Not through the records at hand: those are of people who transact now.
      record = *change.stored;
    } else {
      auto stored = co_await load_record(*change.record);
      if (!stored) co_return tl::unexpected(stored.error());
      record = **stored;
    }
  }
  if (change.record && record.sealed.empty())
    co_return fail(ErrorCode::not_found, "the record was deleted by a change of the same batch");
  if (auto loaded = co_await load_path(record.leaf); !loaded) co_return loaded;
  const OwnedPath path = tree_.path(record.leaf, true);
  auto answer = co_await call(change.command, change.build(path.path, record.sealed), change.request_id);
  if (!answer) co_return tl::unexpected(answer.error());
  const auto pending = decode_message<protocol::PendingReply>(*answer);
  if (!pending) co_return tl::unexpected(pending.error());
  if (auto loaded = co_await load_path(record.leaf); !loaded) co_return loaded;
  tree_.set_pending(record.leaf, protocol::leaf_value(pending->record_id, pending->revision, pending->sealed));
  if (pending->leaf != record.leaf || tree_.pending_root() != pending->root)
    co_return fail(ErrorCode::protocol_violation, "the trusted core and the node compute different trees");
  if (!change.record) next_leaf_++;
  const std::uint32_t root_before = protocol::sealed_root_version(record.sealed);
  if (change.record && root_before != protocol::sealed_root_version(pending->sealed)) batch.resealed[root_before]++;
  record.id = pending->record_id;
  record.tag = change.tag ? std::optional(change.tag->tag()) : std::nullopt;
  record.revision = pending->revision;
  record.sealed = core::to_bytes(pending->sealed);
  batch.root = pending->root;
  if (change.stored) {
    batch.in_passing.insert(record.id);
  } else {
    batch.in_passing.erase(record.id);
  }
  batch.records.push_back(std::move(record));
  co_return Result<void>{};
}

Task<Result<void>> Service::commit(Batch batch, std::vector<ChangePointer>& changes) {
  batch.epoch = epoch_ + 1;
  if (auto done = co_await store_.prepare(batch); !done) co_return done;
  protocol::CommitRequest request{batch.epoch, batch.root};
  auto answer = co_await call(Command::commit, encode_message(request));
  if (!answer) co_return tl::unexpected(answer.error());
  const auto committed = std::make_unique<protocol::CommitReply>();
  if (!protocol::decode(*answer, *committed) || committed->epoch != batch.epoch)
    co_return fail(ErrorCode::protocol_violation, "the answer to a commit is malformed");
  if (commit_changes_) commit_changes_->observe(static_cast<double>(batch.records.size()));
  auto chunks = tree_.commit_pending();
  epoch_ = batch.epoch;
  take_resealed(batch);
  for (const StoredRecord& record : batch.records) {
    if (record.sealed.empty()) {
      // Its row is still there until the batch is entered.
      records_.erase(record.id);
      entering_[record.id] = record;
      continue;
    }
    if (!batch.in_passing.contains(record.id) || records_.contains(record.id)) {
      cache_record(record);
    } else {
      entering_[record.id] = record;
    }
  }
  auto entered = co_await store_.apply(std::move(batch), std::move(chunks));
  entering_.clear();
  if (!entered) co_return entered;
  for (std::size_t i = 0; i < committed->count; i++)
    for (const ChangePointer& change : changes)
      if (change->request_id == committed->changes[i].request_id)
        change->result = core::to_bytes(committed->changes[i].reply);
  co_return Result<void>{};
}

// --- requests
// ----------------------------------------------------------------------------------------------------------

Task<Result<Address>> Service::bind_account(AccountBindRequest request) {
  auto change = std::make_shared<Change>();
  change->command = Command::account_bind;
  change->kind = RecordKind::wallet;
  change->record = request.wallet;
  change->build = [request](const protocol::TreePath& path, core::ByteView sealed) {
    return encode_message(
        protocol::AccountBindRequest{{sealed, path}, request.chain_id, request.server_key_index, request.init_data});
  };
  const auto answer = co_await submit(change);
  if (!answer) co_return tl::unexpected(answer.error());
  const auto committed = decode_message<protocol::AccountCommitted>(*answer);
  if (!committed) co_return tl::unexpected(committed.error());
  co_return committed->account;
}

Task<Result<Address>> Service::adopt_account(AccountAdoptRequest request) {
  auto change = std::make_shared<Change>();
  change->command = Command::account_adopt;
  change->kind = RecordKind::wallet;
  change->record = request.wallet;
  change->build = [request](const protocol::TreePath& path, core::ByteView sealed) {
    return encode_message(protocol::AccountAdoptRequest{
        {sealed, path}, request.chain_id, request.account, request.server_key_index, to_protocol(request.assertion)});
  };
  const auto answer = co_await submit(change);
  if (!answer) co_return tl::unexpected(answer.error());
  const auto committed = decode_message<protocol::AdoptionCommitted>(*answer);
  if (!committed) co_return tl::unexpected(committed.error());
  co_return committed->server_key;
}

Task<Result<SignedUserop>> Service::sign_userop(UseropRequest request) {
  const auto answer =
      co_await ask(Command::sign_userop, request.wallet, [&request](const protocol::RecordProof& proof) {
        return encode_message(protocol::SignUseropRequest{proof, request.chain_id, request.entry_point,
                                                          to_protocol(request.userop), to_protocol(request.assertion),
                                                          request.server_key_index});
      });
  if (!answer) co_return tl::unexpected(answer.error());
  const auto reply = decode_message<protocol::SignUseropReply>(*answer);
  if (!reply) co_return tl::unexpected(reply.error());
  SignedUserop result;
  result.signature = to_signature(reply->signature);
  result.hash = reply->userop_hash;
  result.deploys = reply->deploys != 0;
  result.sponsored = reply->sponsored != 0;
  result.max_cost = reply->max_cost;
  result.calls.assign(reply->calls.begin(), reply->calls.begin() + reply->call_count);
  result.self_call = reply->self_call;
  co_return result;
}

Task<Result<SignedSession>> Service::sign_session(SessionRequest request) {
  const auto answer =
      co_await ask(Command::sign_session, request.wallet, [&request](const protocol::RecordProof& proof) {
        return encode_message(protocol::SignSessionRequest{proof, request.chain_id, request.entry_point,
                                                           to_protocol(request.userop), request.ticket,
                                                           request.server_key_index});
      });
  if (!answer) co_return tl::unexpected(answer.error());
  const auto reply = decode_message<protocol::SignSessionReply>(*answer);
  if (!reply) co_return tl::unexpected(reply.error());
  SignedSession result;
  result.signature = to_signature(reply->signature);
  result.hash = reply->userop_hash;
  result.max_cost = reply->max_cost;
  result.calls.assign(reply->calls.begin(), reply->calls.begin() + reply->call_count);
  co_return result;
}

Task<Result<SignedDigest>> Service::sign_action(ActionRequest request) {
  const auto answer =
      co_await ask(Command::sign_action, request.wallet, [&request](const protocol::RecordProof& proof) {
        return encode_message(protocol::SignActionRequest{proof, request.chain_id, request.account,
                                                          request.server_key_index, request.action,
                                                          to_protocol(request.assertion)});
      });
  if (!answer) co_return tl::unexpected(answer.error());
  const auto reply = decode_message<protocol::SignActionReply>(*answer);
  if (!reply) co_return tl::unexpected(reply.error());
  co_return SignedDigest{to_signature(reply->signature), reply->digest};
}

Task<Result<SignedDigest>> Service::change_account_keys(KeyChangeRequest request) {
  auto change = std::make_shared<Change>();
  change->command = Command::account_change_keys;
  change->kind = RecordKind::wallet;
  change->record = request.wallet;
  change->build = [request](const protocol::TreePath& path, core::ByteView sealed) {
    return encode_message(protocol::AccountChangeKeysRequest{{sealed, path},
                                                             request.chain_id,
                                                             request.account,
                                                             request.server_key_index,
                                                             request.change,
                                                             to_protocol(request.assertion)});
  };
  const auto answer = co_await submit(change);
  if (!answer) co_return tl::unexpected(answer.error());
  const auto committed = decode_message<protocol::SignActionReply>(*answer);
  if (!committed) co_return tl::unexpected(committed.error());
  co_return SignedDigest{to_signature(committed->signature), committed->digest};
}

Task<Result<protocol::WalletDescribeReply>> Service::describe_wallet(RecordId wallet, std::uint32_t index) {
  const auto answer = co_await ask(Command::wallet_describe, wallet, [index](const protocol::RecordProof& proof) {
    return encode_message(protocol::WalletDescribeRequest{proof, index});
  });
  if (!answer) co_return tl::unexpected(answer.error());
  co_return decode_message<protocol::WalletDescribeReply>(*answer);
}

Task<Result<Signature>> Service::sign_transaction(RecordId executor, Bytes unsigned_transaction) {
  const auto answer =
      co_await ask(Command::sign_transaction, executor, [&unsigned_transaction](const protocol::RecordProof& proof) {
        return encode_message(protocol::SignTransactionRequest{proof, unsigned_transaction});
      });
  if (!answer) co_return tl::unexpected(answer.error());
  const auto reply = decode_message<protocol::SignTransactionReply>(*answer);
  if (!reply) co_return tl::unexpected(reply.error());
  co_return to_signature(reply->signature);
}

Task<Result<Sponsorship>> Service::sign_sponsorship(RecordId key, SponsorshipRequest request) {
  const auto answer = co_await ask(Command::sign_sponsorship, key, [&request](const protocol::RecordProof& proof) {
    return encode_message(protocol::SignSponsorshipRequest{
        proof, request.chain_id, request.entry_point, request.paymaster, to_protocol(request.userop),
        request.valid_until, request.valid_after, request.paymaster_verification_gas_limit,
        request.paymaster_post_op_gas_limit});
  });
  if (!answer) co_return tl::unexpected(answer.error());
  const auto reply = decode_message<protocol::SignSponsorshipReply>(*answer);
  if (!reply) co_return tl::unexpected(reply.error());
  co_return Sponsorship{to_signature(reply->signature), reply->max_cost};
}

Task<Result<std::vector<KeyInfo>>> Service::keys_for(Purpose purpose, std::uint64_t chain_id) {
  std::vector<KeyInfo> keys;
  for (const KeyInfo& key : node_keys_)
    if (key.purpose == purpose && (key.chain_id == 0 || key.chain_id == chain_id)) keys.push_back(key);
  co_return keys;
}

Task<Result<std::vector<KeyInfo>>> Service::executors(std::uint64_t chain_id) {
  return keys_for(Purpose::executor, chain_id);
}

Task<Result<std::vector<KeyInfo>>> Service::sponsors(std::uint64_t chain_id) {
  return keys_for(Purpose::paymaster, chain_id);
}

Task<Result<CoreStatus>> Service::status() {
  const auto answer = co_await call(Command::status, {});
  if (!answer) co_return tl::unexpected(answer.error());
  const auto reply = decode_message<protocol::StatusReply>(*answer);
  if (!reply) co_return tl::unexpected(reply.error());
  co_return to_core_status(*reply);
}

Task<Result<Bytes32>> Service::configure(Bytes configuration, std::array<std::uint8_t, 64> signature) {
  const auto answer =
      co_await call(Command::configure, encode_message(protocol::ConfigureRequest{configuration, signature}));
  if (!answer) co_return tl::unexpected(answer.error());
  if (answer->size() != 32) co_return fail(ErrorCode::protocol_violation, "the answer to configure is malformed");
  Bytes32 digest;
  base::copy(digest, *answer);
  co_return digest;
}

Task<Result<std::uint64_t>> Service::recover(Bytes recovery, std::array<std::uint8_t, 64> signature) {
  const auto answer = co_await call(Command::recover, encode_message(protocol::RecoverRequest{recovery, signature}));
  if (!answer) co_return tl::unexpected(answer.error());
  if (answer->size() != 8) co_return fail(ErrorCode::protocol_violation, "the answer to recover is malformed");
  const auto epoch = base::load_be<std::uint64_t>(answer->data());
  if (auto done = co_await store_.set_epoch(epoch); !done) co_return tl::unexpected(done.error());
  epoch_ = epoch;
  co_return epoch;
}

Task<Result<KeyInfo>> Service::create_key(Purpose purpose, std::uint64_t chain_id) {
  auto change = std::make_shared<Change>();
  change->command = Command::key_create;
  change->kind = RecordKind::key;
  change->build = [purpose, chain_id](const protocol::TreePath& path, core::ByteView) {
    return encode_message(protocol::KeyCreateRequest{path, static_cast<std::uint8_t>(purpose), chain_id});
  };
  const auto answer = co_await submit(change);
  if (!answer) co_return tl::unexpected(answer.error());
  const auto committed = decode_message<protocol::KeyCommitted>(*answer);
  if (!committed) co_return tl::unexpected(committed.error());
  const KeyInfo key{committed->key_id, purpose, chain_id, committed->address};
  if (auto done = co_await store_.remember_key(key); !done) co_return tl::unexpected(done.error());
  node_keys_.push_back(key);
  co_return key;
}

}  // namespace community::keys
