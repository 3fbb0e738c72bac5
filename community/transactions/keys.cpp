// SPDX-License-Identifier: Apache-2.0
// Changes of an account's keys: passkeys come and go, the server key moves, the escape key is another. Votes by
// passkeys and the recovery file, the server key as gate; with one vote a change waits three days, with two it acts at
// once (spec/account.md, section 2). The trusted core obeys first: it signs only what its own record of the wallet says
// already. Then what people log in with follows, in the write that keeps the signature; then the courier brings it.
#include "community/core/ecdsa.hpp"
#include "community/infra/api/log.hpp"
#include "community/transactions/service.hpp"
#include "trusted/base/sha2.hpp"

namespace community::transactions {
namespace {

// It was asked for once: a signature of the core that the chain still takes is worth an hour's trying.
constexpr std::int64_t kGatedFor_ms = 3'600'000;

Uint256 x_of(const accounts::InitPasskey& key) { return Uint256::from_be(ByteView(key.public_key).first(32)); }

std::string at(const char* list, std::size_t i) { return std::string("/keys/") + list + "/" + std::to_string(i); }

const OwnedPasskey* find_own(const std::vector<OwnedPasskey>& own, const std::string& id) {
  const auto found =
      std::find_if(own.begin(), own.end(), [&id](const OwnedPasskey& one) { return one.passkey_id == id; });
  return found == own.end() ? nullptr : &*found;
}

core::json::object passkey_json(const std::string& id, const std::string& name) {
  core::json::object out;
  out["passkeyId"] = id.empty() ? core::json::value(nullptr) : core::json::value(id);
  out["name"] = name.empty() ? core::json::value(nullptr) : core::json::value(name);
  return out;
}

}  // namespace

// What goes: by slot, each once. A passkey that goes does not vote for it, the trusted core would refuse that.
Result<void> TransactionService::take_removed(const Moment& now, const KeysOrder& order, Stored& row,
                                              accounts::ChangeKeys& change, core::json::object& summary) {
  core::json::array shown;
  for (std::size_t i = 0; i < order.removed.size(); i++) {
    const std::uint8_t slot = order.removed[i];
    const auto known = std::find_if(now.state.passkeys.begin(), now.state.passkeys.end(),
                                    [slot](const accounts::ChainPasskey& one) { return one.slot == slot; });
    if (known == now.state.passkeys.end()) return fail_field(at("remove", i), "the account has no passkey there");
    if (std::find(order.removed.begin(), order.removed.begin() + static_cast<std::ptrdiff_t>(i), slot) !=
        order.removed.begin() + static_cast<std::ptrdiff_t>(i))
      return fail_field(at("remove", i), "this slot is named twice");
    change.removed.push_back(x_of(known->key));
    std::erase_if(row.passkeys, [slot](const accounts::ChainPasskey& one) { return one.slot == slot; });
    const OwnedPasskey* own = nullptr;
    for (const OwnedPasskey& one : now.own)
      if (one.public_key == known->key.public_key) own = &one;
    if (own != nullptr) row.plan->removed.push_back({own->passkey_id, own->credential_id});
    core::json::object one = passkey_json(own == nullptr ? "" : own->passkey_id, own == nullptr ? "" : own->name);
    one["slot"] = slot;
    shown.push_back(std::move(one));
  }
  summary["removed"] = std::move(shown);
  return {};
}

Result<void> TransactionService::take_added(const Moment& now, const KeysOrder& order, Stored& row,
                                            accounts::ChangeKeys& change, core::json::object& summary) const {
  const Bytes32 rp_id_hash = base::sha256(base::view(options_.rp_id));
  core::json::array shown;
  for (std::size_t i = 0; i < order.added.size(); i++) {
    const OwnedPasskey* own = find_own(now.own, order.added[i]);
    if (own == nullptr) return fail_field(at("add", i), "the person has no such passkey");
    for (const accounts::ChainPasskey& one : now.state.passkeys)
      if (one.key.public_key == own->public_key) return fail(ErrorCode::passkey_known, "the account has it already");
    for (const accounts::InitPasskey& one : change.added)
      if (one.public_key == own->public_key) return fail_field(at("add", i), "this passkey is named twice");
    change.added.push_back({own->public_key, rp_id_hash});
    row.plan->added.push_back({own->passkey_id, own->credential_id});
    shown.push_back(passkey_json(own->passkey_id, own->name));
  }
  if (auto taken = take_foreign(now, order, row, change, shown); !taken) return taken;
  summary["added"] = std::move(shown);
  return {};
}

// Passkeys that somebody has at the node whose server key the account gets. This node can check no assertion of theirs:
// they come with that server key or not at all.
Result<void> TransactionService::take_foreign(const Moment& now, const KeysOrder& order, Stored& row,
                                              accounts::ChangeKeys& change, core::json::array& shown) const {
  if (!order.foreign_passkeys.empty() && order.server_key != KeysOrder::ServerKey::foreign)
    return fail_field("/keys/addForeign", "passkeys of another node go with its server key alone");
  const Bytes32 rp_id_hash = base::sha256(base::view(options_.rp_id));
  for (std::size_t i = 0; i < order.foreign_passkeys.size(); i++) {
    const accounts::InitPasskey& one = order.foreign_passkeys[i];
    if (base::is_zero(one.rp_id_hash)) return fail_field(at("addForeign", i), "nobody's domain");
    if (one.rp_id_hash == rp_id_hash) return fail_field(at("addForeign", i), "passkeys of this node are named in add");
    for (const accounts::ChainPasskey& known : now.state.passkeys)
      if (x_of(known.key) == x_of(one)) return fail(ErrorCode::passkey_known, "the account has it already");
    for (const accounts::InitPasskey& named : change.added)
      if (x_of(named) == x_of(one)) return fail_field(at("addForeign", i), "this passkey is named twice");
    change.added.push_back(one);
    row.plan->added.push_back({});
    core::json::object passkey = passkey_json({}, {});
    passkey["publicKey"] = core::to_hex(one.public_key);
    passkey["rpIdHash"] = core::to_hex(one.rp_id_hash);
    shown.push_back(std::move(passkey));
  }
  return {};
}

Task<Result<void>> TransactionService::take_server_key(const Moment& now, const KeysOrder& order, Stored& row,
                                                       accounts::ChangeKeys& change, core::json::object& summary) {
  if (order.server_key == KeysOrder::ServerKey::next) {
    row.plan->own_server_key = row.server_key_index + 1;
    const auto described = co_await d_.wallets.describe_wallet(now.wallet.record, *row.plan->own_server_key);
    if (!described) co_return from_core(described.error());
    change.server_key = described->server_key;
  } else if (order.server_key == KeysOrder::ServerKey::foreign) {
    if (base::is_zero(order.foreign_server_key)) co_return fail_field("/keys/serverKey", "nobody's address");
    change.server_key = order.foreign_server_key;
    row.transaction.warnings.push_back(warning_json(Warning::moves_away, std::nullopt, change.server_key));
  }
  change.escape_key = order.escape_key;
  const auto text = [](const Address& key) {
    return base::is_zero(key) ? core::json::value(nullptr) : core::json::value(core::format_address(key));
  };
  summary["serverKey"] = text(change.server_key);
  summary["escapeKey"] = text(change.escape_key);
  co_return Result<void>{};
}

Task<Result<Stored>> TransactionService::prepare_keys(Moment now, KeysOrder order) {
  if (!now.state.deployed)
    co_return fail(ErrorCode::account_not_deployed, "its keys change from its first operation on");
  const bool changes_nothing = order.added.empty() && order.foreign_passkeys.empty() && order.removed.empty() &&
                               base::is_zero(order.escape_key) && order.server_key == KeysOrder::ServerKey::as_it_is;
  if (changes_nothing) co_return fail_field("/keys", "nothing is changed");
  Stored row = new_row(now, Kind::keys);
  const auto index = co_await server_key_index(now);
  if (!index) co_return tl::unexpected(index.error());
  row.server_key_index = *index;
  row.plan.emplace();
  accounts::ChangeKeys change;
  change.votes = order.votes;
  core::json::object summary;
  summary["meaning"] = "changeKeys";
  if (auto taken = take_removed(now, order, row, change, summary); !taken) co_return tl::unexpected(taken.error());
  if (auto taken = take_added(now, order, row, change, summary); !taken) co_return tl::unexpected(taken.error());
  auto server_key = co_await take_server_key(now, order, row, change, summary);
  if (!server_key) co_return tl::unexpected(server_key.error());

  // As the account will be, by the rules of the contract.
  std::vector<accounts::InitPasskey> keys = change.added;
  for (const accounts::ChainPasskey& one : now.state.passkeys)
    if (std::find(change.removed.begin(), change.removed.end(), x_of(one.key)) == change.removed.end())
      keys.push_back(one.key);
  const auto either = [](const Address& changed, const Address& kept) {
    return base::is_zero(changed) ? kept : changed;
  };
  const auto good = accounts::check_keys(keys, either(change.server_key, now.state.server_key),
                                         either(change.escape_key, now.state.escape_key));
  if (!good) co_return fail_field("/keys", good.error().text());
  row.transaction.summary.push_back(std::move(summary));
  row.transaction.warnings.push_back(warning_json(Warning::voids_what_waits));
  co_return prepare_gated(now, std::move(row), std::move(change), order.votes);
}

void TransactionService::let_escape_key_vote(const Moment& now, const Stored& row, PreparedAction& prepared) {
  const bool has_started = ((row.started_by >> accounts::kEscapeSigner) & 1) != 0;
  if (prepared.votes_needed == 2 && !has_started) prepared.escape_key = now.state.escape_key;
}

Result<Stored> TransactionService::prepare_gated(const Moment& now, Stored row, accounts::Action action,
                                                 std::uint8_t votes) {
  if (votes < 1 || votes > 2) return fail_field("/votes", "1 or 2");
  // The gate takes a passkey; the recovery file is the second vote.
  if (row.passkeys.empty())
    return fail(ErrorCode::votes_missing, "it takes one of the account's passkeys, which stays");
  keep_signers(now, row);
  PreparedAction prepared;
  prepared.action = std::move(action);
  prepared.votes_needed = votes;
  let_escape_key_vote(now, row, prepared);
  Bytes32 nonce{};
  d_.random.fill(nonce);
  prepared.stamp = {now.state.key_epoch, Uint256::from_be(nonce),
                    now.state.block_time_s + static_cast<std::uint64_t>(kGatedFor_ms / 1'000)};
  if (votes == 1) row.transaction.warnings.push_back(warning_json(Warning::second_passkey_or_wait));
  row.transaction.digest = accounts::action_digest(now.where(), prepared.action, prepared.stamp);
  row.transaction.payer = Payer::node;
  row.transaction.content = std::move(prepared);
  return row;
}

// Who may sign is whose passkeys are left.
void TransactionService::keep_signers(const Moment& now, Stored& row) {
  row.transaction.credential_ids.clear();
  for (std::size_t i = 0; i < now.usable.size(); i++)
    for (const accounts::ChainPasskey& one : row.passkeys)
      if (one.slot == now.usable[i].slot) row.transaction.credential_ids.push_back(now.credential_ids[i]);
}

// Written down before the core hears of it: what it commits to is finished here, whatever ends this program meanwhile.
Task<Result<void>> TransactionService::note_asked(Stored& row, const SignRequest& request) {
  row.asked = request;
  row.transaction.expires_ms = std::max(row.transaction.expires_ms, d_.clock.now_ms() + kGatedFor_ms);
  auto work = [row](soci::session& sql) -> Result<void> {
    const auto before = store::find(sql, row.transaction.user_id, row.transaction.transaction_id);
    if (!before || before->transaction.state != State::prepared) return fail(ErrorCode::not_prepared);
    Stored noted = row;
    // The vote of this request counts when the core has answered.
    noted.votes = before->votes;
    store::update(sql, noted);
    return {};
  };
  const auto written = co_await d_.database.write(work);
  if (!written) co_return fail(ErrorCode::database_unavailable, written.error().text());
  co_return *written;
}

Task<Result<core::Signature>> TransactionService::ask_key_change(Stored& row, const PreparedAction& prepared,
                                                                 const SignRequest& request, const SignRequest& given) {
  if (auto noted = co_await note_asked(row, request); !noted) co_return tl::unexpected(noted.error());
  const auto& change = std::get<accounts::ChangeKeys>(prepared.action);
  keys::KeyChangeRequest question;
  question.wallet = row.wallet;
  question.chain_id = row.transaction.chain_id;
  question.account = row.transaction.account;
  question.server_key_index = row.server_key_index;
  protocol::KeyChange& out = question.change;
  for (const Uint256& x : change.removed) out.removed[out.removed_count++].x = x.to_be();
  for (std::size_t i = 0; i < change.added.size(); i++) {
    protocol::Passkey& one = out.added[out.added_count++];
    // Nobody here knows the credential of a passkey of another node.
    if (const KeyPlan::Passkey& planned = row.plan->added[i]; !planned.is_foreign())
      one.credential_hash = base::sha256(planned.credential_id);
    one.public_key = change.added[i].public_key;
    one.rp_id_hash = change.added[i].rp_id_hash;
  }
  if (row.plan->own_server_key) {
    out.server_key = protocol::NewServerKey::own;
    out.new_index = *row.plan->own_server_key;
  } else if (!base::is_zero(change.server_key)) {
    out.server_key = protocol::NewServerKey::foreign;
    out.foreign_key = change.server_key;
  }
  out.escape_key = change.escape_key;
  out.votes = change.votes;
  out.stamp = {prepared.stamp.key_epoch, prepared.stamp.nonce, prepared.stamp.deadline_s};
  auto assertion = to_core(given);
  if (!assertion) co_return fail(ErrorCode::passkey_refused, "signature_malformed");
  question.assertion = std::move(*assertion);
  const auto answer = co_await d_.wallets.change_account_keys(std::move(question));
  if (!answer) co_return from_core(answer.error());
  if (answer->digest != *row.transaction.digest)
    co_return fail(ErrorCode::core_refused, "the trusted core computes another digest of the change");
  co_return answer->signature;
}

// What people log in with follows the core: nobody of whom no wallet knows any more.
Task<Result<void>> TransactionService::look_who_goes(Stored& row) {
  if (!row.plan) co_return Result<void>{};
  row.plan->retired.clear();
  for (const KeyPlan::Passkey& one : row.plan->removed) {
    const auto held =
        co_await d_.people.is_held_elsewhere(row.transaction.user_id, one.credential_id, row.transaction.wallet_id);
    if (!held) co_return tl::unexpected(held.error());
    if (!*held) row.plan->retired.push_back(one.passkey_id);
  }
  co_return Result<void>{};
}

// What the core was asked and nobody heard the answer of: asked again, it gives the same one.
Task<void> TransactionService::finish_interrupted() {
  while (!interrupted_.empty()) {
    Stored row = std::move(interrupted_.back());
    interrupted_.pop_back();
    const Transaction& t = row.transaction;
    const auto done = co_await sign_and_broadcast(t.user_id, t.transaction_id, *row.asked);
    count("community_transactions_reconciled_total", "Changes of keys that a stop interrupted, by what came of them.",
          {{"result", done ? "finished" : "given_up"}});
    if (!done)
      infra::log_warning("a change of keys was interrupted and is not finished",
                         {{"transaction", t.transaction_id}, {"why", std::string(name(done.error().code))}});
  }
}

}  // namespace community::transactions
