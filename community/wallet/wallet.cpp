// SPDX-License-Identifier: Apache-2.0
#include "community/wallet/api/wallet.hpp"

#include <algorithm>
#include <bit>

namespace community::wallet {
namespace {

using accounts::Action;

// How long a signed struct may be submitted: long enough for a stuck transaction, short enough to be forgotten.
constexpr std::uint64_t kSignedFor_s = 86'400;
// With the server key's part in it: a hostile node could keep it back and land it during an escape, whose item the new
// key epoch would void.
constexpr std::uint64_t kGatedFor_s = 3'600;
// Of the contract: changes of keys and rules, unfreezing and escaping by one vote.
constexpr std::uint64_t kChangeDelay_s = 3 * 86'400;
// Moves within one node that this program looks back over.
constexpr std::uint32_t kMaxServerKeys = 16;
constexpr std::uint16_t kVoteBits = (1u << 9) - 1;

Error account_error(const accounts::Error& error) {
  const bool chain = error.code == accounts::ErrorCode::chain_failed;
  return {chain ? ErrorCode::chain : ErrorCode::argument, error.text()};
}

// One vote of the account that a key at hand can give.
struct Vote {
  std::uint8_t signer = 0;
  // Null: the escape key.
  const SoftwarePasskey* passkey = nullptr;
};

accounts::PasskeySignature to_accounts(const PasskeyAssertion& assertion) {
  return {assertion.client_data, assertion.authenticator_data, assertion.signature};
}

bool same_key(const accounts::InitPasskey& one, const SoftwarePasskey& other) {
  return one.public_key == other.public_key() && one.rp_id_hash == other.rp_id_hash();
}

// Passkey and server key, both over the same hash.
class DualSigner final : public OperationSigner {
 public:
  DualSigner(const SoftwarePasskey& passkey, std::uint8_t slot, Gate& gate)
      : passkey_(passkey), slot_(slot), gate_(gate) {}

  Bytes dummy(std::uint32_t day) const override { return accounts::dummy_dual_signature(passkey_.origin(), day); }
  Task<Result<Bytes>> sign(core::UserOperation op, Bytes32 hash, std::uint32_t day) override {
    const PasskeyAssertion assertion = passkey_.assert_challenge(hash);
    PasskeyAssertion for_gate = assertion;
    const auto server = co_await gate_.sign_operation(std::move(op), hash, std::move(for_gate));
    if (!server) co_return tl::unexpected(server.error());
    ticket_ = server->ticket;
    const accounts::PasskeySignature passkey = to_accounts(assertion);
    auto encoded = accounts::encode_dual_signature(slot_, day, server->signature, passkey);
    if (!encoded) co_return tl::unexpected(account_error(encoded.error()));
    co_return std::move(*encoded);
  }
  const Bytes32& ticket() const { return ticket_; }

 private:
  const SoftwarePasskey& passkey_;
  std::uint8_t slot_;
  Gate& gate_;
  Bytes32 ticket_{};
};

class SessionSigner final : public OperationSigner {
 public:
  SessionSigner(keys::WalletKeys& node, keys::SessionRequest request) : node_(node), request_(std::move(request)) {}

  Bytes dummy(std::uint32_t) const override { return accounts::dummy_session_signature(); }
  Task<Result<Bytes>> sign(core::UserOperation op, Bytes32 hash, std::uint32_t) override {
    auto packed = core::pack(op);
    if (!packed) co_return fail(ErrorCode::argument, packed.error().text());
    keys::SessionRequest request = request_;
    request.userop = std::move(*packed);
    const auto signature = co_await sign_session(node_, std::move(request), hash);
    if (!signature) co_return tl::unexpected(signature.error());
    co_return accounts::encode_session_signature(*signature);
  }

 private:
  keys::WalletKeys& node_;
  keys::SessionRequest request_;
};

std::uint8_t& votes_field(Action& action, std::uint8_t& none) {
  if (auto* unfreeze = std::get_if<accounts::Unfreeze>(&action)) return unfreeze->votes;
  if (auto* change = std::get_if<accounts::ChangeKeys>(&action)) return change->votes;
  if (auto* rules = std::get_if<accounts::ChangeRules>(&action)) return rules->votes;
  if (auto* escape = std::get_if<accounts::Escape>(&action)) return escape->votes;
  return none;
}

bool needs_gate(const Action& action) {
  return std::holds_alternative<accounts::Unfreeze>(action) || std::holds_alternative<accounts::ChangeKeys>(action) ||
         std::holds_alternative<accounts::ChangeRules>(action);
}

std::uint64_t delay_of(const Action& action, unsigned votes) {
  if (std::holds_alternative<accounts::Escape>(action)) return kChangeDelay_s;
  return needs_gate(action) && votes == 1 ? kChangeDelay_s : 0;
}

}  // namespace

struct Wallet::Body {
  explicit Body(WalletServices given) : services(std::move(given)) {}
  ~Body() {
    if (escape_secret) base::wipe(*escape_secret);
  }

  WalletServices services;
  Address account{};
  std::optional<AccountOrigin> origin;
  std::vector<SoftwarePasskey> passkeys;
  std::optional<Bytes32> escape_secret;
  std::unique_ptr<Gate> gate;
  // From a keys file: no trusted core is asked.
  bool own_gate = false;
  // Of the account file: the wallet in the node's trusted core.
  std::optional<protocol::RecordId> wallet;
  std::uint32_t server_key_index = 0;

  // What a step of an action needs to know of the chain, all of one moment.
  struct Moment {
    accounts::AccountState state;
    std::uint64_t time_s = 0;
  };

  accounts::AccountOnChain where() const { return {services.chain_id, account}; }
  Bytes32 random_word() const {
    Bytes32 word;
    services.random.fill(word);
    return word;
  }

  Result<void> take(WalletFile file);
  std::vector<Vote> votes(const accounts::AccountState& state) const;
  Task<Result<Moment>> moment(std::vector<Address> tokens = {});
  Task<Result<Moment>> deployed_moment();
  Task<Result<accounts::WaitingItem>> find_item(Bytes32 item);
  // not_found, too_early.
  Task<Result<accounts::WaitingItem>> ripe_item(Bytes32 item);
  Task<Result<std::vector<accounts::WaitingItem>>> waiting(std::uint64_t blocks);
  Task<Result<Acted>> act(Moment now, Action action, std::vector<Vote> signers, const KeyChangeOrder* order);
  Task<Result<Acted>> act_with_all(Action action, const KeyChangeOrder* order);
  Task<Result<core::Signature>> ask_gate(const Action& action, const accounts::Stamp& stamp,
                                         const KeyChangeOrder* order, const std::vector<Vote>& signers,
                                         const Bytes32& digest);
  Task<Result<OperationResult>> operate(Bytes call_data, bool sponsored, Bytes32* ticket);
  Task<Result<OperationResult>> send(OperationOrder order, OperationSigner& signer);
  Task<Result<Address>> server_key(std::uint32_t index);
  Task<Result<void>> match_server_key(Address on_chain);
};

Wallet::Wallet(std::unique_ptr<Body> body) : body_(std::move(body)) {}
Wallet::Wallet(Wallet&&) noexcept = default;
Wallet& Wallet::operator=(Wallet&&) noexcept = default;
Wallet::~Wallet() = default;

Result<void> Wallet::Body::take(WalletFile file) {
  const Address theirs = account_of(file);
  if (!base::is_zero(account) && theirs != account)
    return fail(ErrorCode::account_other,
                "the files are of " + core::format_address(account) + " and of " + core::format_address(theirs));
  account = theirs;
  if (auto* recovery = std::get_if<RecoveryFile>(&file)) {
    // Of two files the one that knows the account's beginning says more.
    if (!origin || !recovery->origin.init_data.empty()) origin = std::move(recovery->origin);
    escape_secret = recovery->escape_secret;
  } else if (auto* own = std::get_if<KeysFile>(&file)) {
    // Software passkeys of a keys file name this origin (spec/recovery-file.md, section 2).
    passkeys.emplace_back(own->passkey_secret, own->rp_id, "https://" + own->rp_id);
    gate = make_own_gate(own->server_secret);
    own_gate = true;
  } else {
    auto& held = std::get<AccountFile>(file);
    for (const Bytes32& secret : held.passkey_secrets) passkeys.emplace_back(secret, held.rp_id, held.web_origin);
    wallet = held.wallet;
    server_key_index = held.server_key_index;
    if (services.node != nullptr && !gate)
      gate = make_node_gate(*services.node, held.wallet, held.server_key_index, services.chain_id,
                            held.origin.entry_point);
    origin = std::move(held.origin);
  }
  return {};
}

Result<Wallet> Wallet::open(WalletServices services, std::vector<WalletFile> files) {
  auto body = std::make_unique<Body>(std::move(services));
  if (files.empty()) return fail(ErrorCode::argument, "name a file of the account");
  for (WalletFile& file : files)
    if (auto taken = body->take(std::move(file)); !taken) return tl::unexpected(std::move(taken.error()));
  return Wallet(std::move(body));
}

accounts::AccountOnChain Wallet::where() const { return body_->where(); }
const std::optional<AccountOrigin>& Wallet::origin() const { return body_->origin; }

// Passkeys before the escape key: a node's trusted core opens its gate for a passkey only.
std::vector<Vote> Wallet::Body::votes(const accounts::AccountState& state) const {
  std::vector<Vote> found;
  for (const SoftwarePasskey& passkey : passkeys)
    for (const accounts::ChainPasskey& on_chain : state.passkeys)
      if (same_key(on_chain.key, passkey)) found.push_back({on_chain.slot, &passkey});
  if (escape_secret && core::address_of(*core::public_key_of(*escape_secret)) == state.escape_key)
    found.push_back({accounts::kEscapeSigner, nullptr});
  return found;
}

Task<Result<Wallet::Body::Moment>> Wallet::Body::moment(std::vector<Address> tokens) {
  const auto block = co_await services.chain.block(chain::BlockRef::latest());
  if (!block) co_return tl::unexpected(chain_refusal(block.error()));
  if (!*block) co_return fail(ErrorCode::chain, "the chain has no latest block");
  auto state = co_await accounts::AccountView(services.chain).state(account, std::move(tokens));
  if (!state) co_return tl::unexpected(account_error(state.error()));
  co_return Moment{std::move(*state), (*block)->timestamp};
}

Task<Result<Wallet::Body::Moment>> Wallet::Body::deployed_moment() {
  auto now = co_await moment();
  if (now && !now->state.deployed)
    co_return fail(ErrorCode::account_missing, core::format_address(account) + " is not deployed on chain " +
                                                   std::to_string(services.chain_id) +
                                                   ": its first operation, or `account deploy`, makes it");
  co_return now;
}

Task<Result<std::vector<accounts::WaitingItem>>> Wallet::Body::waiting(std::uint64_t blocks) {
  const auto head = co_await services.chain.block_number();
  if (!head) co_return tl::unexpected(chain_refusal(head.error()));
  auto items = co_await accounts::AccountView(services.chain).waiting(account, *head > blocks ? *head - blocks : 0);
  if (!items) co_return tl::unexpected(account_error(items.error()));
  co_return std::move(*items);
}

Task<Result<accounts::WaitingItem>> Wallet::Body::find_item(Bytes32 item) {
  constexpr std::uint64_t kBlocks = 300'000;
  auto items = co_await waiting(kBlocks);
  if (!items) co_return tl::unexpected(std::move(items.error()));
  for (accounts::WaitingItem& one : *items)
    if (one.id == item) co_return std::move(one);
  co_return fail(ErrorCode::not_found,
                 core::to_hex(item) + " does not wait in this account; `account show` lists what does");
}

Task<Result<accounts::WaitingItem>> Wallet::Body::ripe_item(Bytes32 item) {
  auto found = co_await find_item(item);
  if (found && found->age_s < found->delay_s)
    co_return fail(ErrorCode::too_early,
                   "it waits " + std::to_string(found->delay_s - found->age_s) + " seconds more, by its own clock");
  co_return found;
}

Task<Result<Overview>> Wallet::look(std::vector<Address> tokens, std::uint64_t blocks) {
  auto now = co_await body_->moment(std::move(tokens));
  if (!now) co_return tl::unexpected(std::move(now.error()));
  Overview overview;
  overview.time_s = now->time_s;
  overview.state = std::move(now->state);
  if (!overview.state.deployed) co_return overview;
  auto items = co_await body_->waiting(blocks);
  if (!items) co_return tl::unexpected(std::move(items.error()));
  for (accounts::WaitingItem& one : *items) {
    auto content = accounts::read_started_item(one.call);
    const bool is_true = content && accounts::item_id(body_->where(), overview.state.key_epoch, *content) == one.id;
    WaitingItem item;
    item.item = std::move(one);
    if (is_true) item.content = std::move(*content);
    overview.waiting.push_back(std::move(item));
  }
  const auto head = co_await body_->services.chain.block_number();
  if (!head) co_return tl::unexpected(chain_refusal(head.error()));
  const auto grants =
      co_await accounts::AccountView(body_->services.chain).grants(body_->account, *head > blocks ? *head - blocks : 0);
  if (!grants) co_return tl::unexpected(account_error(grants.error()));
  for (const accounts::LiveGrant& one : *grants) {
    const auto content = accounts::read_grant(one.call);
    LiveGrant grant{one.id, one.value_left, std::nullopt};
    if (content && accounts::grant_id(body_->where(), overview.state.key_epoch, *content) == one.id)
      grant.content = *content;
    overview.grants.push_back(std::move(grant));
  }
  co_return overview;
}

Task<Result<void>> Wallet::ensure_deployed() {
  const auto now = co_await body_->moment();
  if (!now) co_return tl::unexpected(now.error());
  if (now->state.deployed) co_return Result<void>{};
  if (!body_->origin || body_->origin->init_data.empty())
    co_return fail(ErrorCode::account_missing, "the account is not deployed here; its recovery file can make it");
  if (body_->services.carrier == nullptr) co_return fail(ErrorCode::argument, "nobody pays: name a payer or a node");
  Bytes call = accounts::encode_create_account(body_->origin->init_data);
  const auto done = co_await body_->services.carrier->carry(body_->origin->factory, std::move(call));
  if (!done) co_return tl::unexpected(done.error());
  body_->services.step("the account is made on this chain");
  co_return Result<void>{};
}

Task<Result<core::Signature>> Wallet::Body::ask_gate(const Action& action, const accounts::Stamp& stamp,
                                                     const KeyChangeOrder* order, const std::vector<Vote>& signers,
                                                     const Bytes32& digest) {
  if (!gate)
    co_return fail(ErrorCode::gate_missing,
                   "this needs the server key: an account file and its running node, or a keys file");
  std::optional<PasskeyAssertion> assertion;
  if (signers.front().passkey != nullptr) assertion = signers.front().passkey->assert_challenge(digest);
  if (order != nullptr) {
    KeyChangeOrder copy = *order;
    copy.votes = static_cast<std::uint8_t>(signers.size());
    accounts::ChangeKeys change = std::get<accounts::ChangeKeys>(action);
    co_return co_await gate->sign_key_change(where(), std::move(copy), std::move(change), stamp, std::move(assertion));
  }
  co_return co_await gate->sign_action(where(), action, stamp, std::move(assertion));
}

Task<Result<Acted>> Wallet::Body::act(Moment now, Action action, std::vector<Vote> signers,
                                      const KeyChangeOrder* order) {
  if (signers.empty())
    co_return fail(ErrorCode::vote_missing,
                   "no key at hand has a vote in this account now: name its account file, keys file or recovery file");
  if (services.carrier == nullptr) co_return fail(ErrorCode::argument, "nobody pays: name a payer or a node");
  std::uint8_t none = 0;
  votes_field(action, none) = static_cast<std::uint8_t>(signers.size());
  accounts::Stamp stamp;
  stamp.key_epoch = now.state.key_epoch;
  stamp.nonce = Uint256::from_be(random_word());
  stamp.deadline_s = now.time_s + (needs_gate(action) ? kGatedFor_s : kSignedFor_s);
  Acted acted;
  acted.id = accounts::action_digest(where(), action, stamp);
  acted.votes = static_cast<unsigned>(signers.size());
  acted.waits_s = delay_of(action, acted.votes);
  std::vector<accounts::ActionSignature> signatures;
  for (const Vote& vote : signers) {
    if (vote.passkey == nullptr) {
      const auto rsv = core::sign_digest(*escape_secret, acted.id).value().to_rsv();
      signatures.push_back({vote.signer, core::to_bytes(rsv)});
      continue;
    }
    const accounts::PasskeySignature assertion = to_accounts(vote.passkey->assert_challenge(acted.id));
    auto encoded = accounts::encode_passkey_vote(assertion);
    if (!encoded) co_return tl::unexpected(account_error(encoded.error()));
    signatures.push_back({vote.signer, std::move(*encoded)});
  }
  if (needs_gate(action)) {
    if (auto matched = co_await match_server_key(now.state.server_key); !matched)
      co_return tl::unexpected(matched.error());
    const auto server = co_await ask_gate(action, stamp, order, signers, acted.id);
    if (!server) co_return tl::unexpected(server.error());
    const auto signer = core::recover_address(acted.id, *server);
    if (!signer || *signer != now.state.server_key)
      co_return fail(ErrorCode::invalid_signature,
                     "the server key that signed is not the account's on this chain; `account show` names it");
    signatures.push_back({accounts::kServerSigner, core::to_bytes(server->to_rsv())});
  }
  auto call = accounts::encode_action(action, stamp, std::move(signatures));
  if (!call) co_return tl::unexpected(account_error(call.error()));
  services.step(std::string(accounts::action_name(action)) + " is signed by " +
                (acted.votes == 1 ? "one vote" : "two votes") + (needs_gate(action) ? " and the server key" : ""));
  const auto carried = co_await services.carrier->carry(account, std::move(*call));
  if (!carried) co_return tl::unexpected(carried.error());
  acted.carried = *carried;
  co_return acted;
}

Task<Result<Acted>> Wallet::Body::act_with_all(Action action, const KeyChangeOrder* order) {
  auto now = co_await deployed_moment();
  if (!now) co_return tl::unexpected(std::move(now.error()));
  std::vector<Vote> signers = votes(now->state);
  if (signers.size() > 2) signers.resize(2);
  co_return co_await act(std::move(*now), std::move(action), std::move(signers), order);
}

Task<Result<Acted>> Wallet::freeze() { return lower(accounts::Freeze{}); }

Task<Result<Acted>> Wallet::lower(Action action) {
  auto now = co_await body_->deployed_moment();
  if (!now) co_return tl::unexpected(std::move(now.error()));
  std::vector<Vote> signers = body_->votes(now->state);
  if (signers.size() > 1) signers.resize(1);
  co_return co_await body_->act(std::move(*now), std::move(action), std::move(signers), nullptr);
}

Task<Result<Acted>> Wallet::unfreeze() {
  Action action = accounts::Unfreeze{};
  co_return co_await body_->act_with_all(std::move(action), nullptr);
}

Task<Result<Acted>> Wallet::change_rules(accounts::ChangeRules rules) {
  Action action = rules;
  co_return co_await body_->act_with_all(std::move(action), nullptr);
}

Task<Result<Acted>> Wallet::change_keys(KeyChangeOrder order) {
  accounts::ChangeKeys change;
  change.removed = order.removed;
  for (const keys::Passkey& passkey : order.added) change.added.push_back({passkey.public_key, passkey.rp_id_hash});
  if (order.own_server_key) {
    const auto key = co_await body_->server_key(*order.own_server_key);
    if (!key) co_return tl::unexpected(key.error());
    change.server_key = *key;
  } else if (order.foreign_server_key) {
    change.server_key = *order.foreign_server_key;
  }
  change.escape_key = order.escape_key;
  Action action = std::move(change);
  co_return co_await body_->act_with_all(std::move(action), &order);
}

Task<Result<Acted>> Wallet::escape(NewKeys keys) {
  const auto now = co_await body_->deployed_moment();
  if (!now) co_return tl::unexpected(now.error());
  if (auto checked = accounts::check_keys(keys.passkeys, keys.server_key, now->state.escape_key); !checked)
    co_return tl::unexpected(account_error(checked.error()));
  Action action = accounts::Escape{std::move(keys.passkeys), keys.server_key, 0};
  co_return co_await body_->act_with_all(std::move(action), nullptr);
}

Task<Result<Acted>> Wallet::cancel(Bytes32 item) {
  const auto found = co_await body_->find_item(item);
  if (!found) co_return tl::unexpected(found.error());
  auto now = co_await body_->deployed_moment();
  if (!now) co_return tl::unexpected(std::move(now.error()));
  using enum accounts::ItemKind;
  std::vector<Vote> signers = body_->votes(now->state);
  std::size_t wanted = 1;
  if (found->kind == recover) {
    wanted = 2;
  } else if (found->kind != queued && found->kind != upgrade) {
    // "Any other vote": one that did not start it. What two votes started, guardians alone end.
    if (std::popcount(static_cast<unsigned>(found->votes & kVoteBits)) != 1)
      co_return fail(ErrorCode::vote_missing, "two votes started it: only the guardians can cancel it");
    std::erase_if(signers, [&found](const Vote& vote) { return ((found->votes >> vote.signer) & 1) != 0; });
  }
  if (signers.size() < wanted)
    co_return fail(ErrorCode::vote_missing, wanted == 2 ? "two votes are needed to cancel a recovery"
                                                        : "it takes a vote other than the one that started it");
  signers.resize(wanted);
  Action action = accounts::Cancel{item};
  co_return co_await body_->act(std::move(*now), std::move(action), std::move(signers), nullptr);
}

Task<Result<Carried>> Wallet::finish(Bytes32 item) {
  const auto found = co_await body_->ripe_item(item);
  if (!found) co_return tl::unexpected(found.error());
  const auto content = accounts::read_started_item(found->call);
  const auto* started = content ? std::get_if<accounts::StartedAction>(&*content) : nullptr;
  if (started == nullptr)
    co_return fail(ErrorCode::argument, "a queued item is carried out by an operation: `account confirm`");
  auto call = accounts::encode_finish(started->action, started->stamp);
  if (!call) co_return tl::unexpected(account_error(call.error()));
  if (body_->services.carrier == nullptr) co_return fail(ErrorCode::argument, "nobody pays: name a payer or a node");
  co_return co_await body_->services.carrier->carry(body_->account, std::move(*call));
}

Task<Result<OperationResult>> Wallet::Body::send(OperationOrder order, OperationSigner& signer) {
  if (!origin) co_return fail(ErrorCode::argument, "name the account's recovery file or account file too");
  if (services.relay != nullptr && services.payer == nullptr) {
    const RelayClient relay{*services.relay, services.chain_id, origin->entry_point};
    co_return co_await send_through_relay(relay, std::move(order), signer, services.step);
  }
  if (services.payer == nullptr) co_return fail(ErrorCode::argument, "nobody pays: name a payer or a node");
  co_return co_await send_directly(*services.payer, origin->entry_point, std::move(order), signer, services.step);
}

Task<Result<OperationResult>> Wallet::Body::operate(Bytes call_data, bool sponsored, Bytes32* ticket) {
  auto now = co_await moment();
  if (!now) co_return tl::unexpected(std::move(now.error()));
  if (!gate)
    co_return fail(ErrorCode::gate_missing,
                   "an operation needs the server key: an account file and its running node, or a keys file");
  OperationOrder order;
  order.sender = account;
  order.call_data = std::move(call_data);
  // A key of its own for each operation: none waits for another.
  order.nonce_key = Uint256(services.random.u64());
  order.sponsored = sponsored;
  if (!now->state.deployed && origin && !origin->init_data.empty()) {
    // The keys that its init data names are the ones that count until it is made.
    auto init = accounts::read_init_data(origin->init_data);
    if (!init) co_return tl::unexpected(account_error(init.error()));
    for (std::size_t slot = 0; slot < init->passkeys.size(); slot++)
      now->state.passkeys.push_back({static_cast<std::uint8_t>(slot), init->passkeys[slot]});
    order.init_data = origin->init_data;
    order.factory = origin->factory;
  }
  if (auto matched = co_await match_server_key(now->state.server_key); !matched)
    co_return tl::unexpected(matched.error());
  const std::vector<Vote> all = votes(now->state);
  const auto vote = std::ranges::find_if(all, [](const Vote& one) { return one.passkey != nullptr; });
  if (vote == all.end())
    co_return fail(ErrorCode::vote_missing, "an operation needs a passkey of the account, and none is at hand");
  DualSigner signer(*vote->passkey, vote->signer, *gate);
  auto result = co_await send(std::move(order), signer);
  if (ticket != nullptr) *ticket = signer.ticket();
  co_return result;
}

Task<Result<OperationResult>> Wallet::execute(std::vector<accounts::Call> calls, bool sponsored) {
  auto batch = accounts::encode_batch(calls);
  if (!batch) co_return tl::unexpected(account_error(batch.error()));
  co_return co_await body_->operate(std::move(*batch), sponsored, nullptr);
}

Task<Result<std::pair<Bytes32, OperationResult>>> Wallet::queue(accounts::Queued queued, bool sponsored) {
  const auto now = co_await body_->moment();
  if (!now) co_return tl::unexpected(now.error());
  queued.salt = Uint256::from_be(body_->random_word());
  auto call = accounts::encode_queue(body_->account, queued);
  if (!call) co_return tl::unexpected(account_error(call.error()));
  auto done = co_await body_->operate(std::move(*call), sponsored, nullptr);
  if (!done) co_return tl::unexpected(std::move(done.error()));
  const Bytes32 id = accounts::queued_id(body_->where(), now->state.key_epoch, queued);
  co_return std::pair<Bytes32, OperationResult>(id, *done);
}

Task<Result<OperationResult>> Wallet::confirm(Bytes32 item, bool sponsored) {
  const auto found = co_await body_->ripe_item(item);
  if (!found) co_return tl::unexpected(found.error());
  const auto content = accounts::read_started_item(found->call);
  const auto* queued = content ? std::get_if<accounts::Queued>(&*content) : nullptr;
  if (queued == nullptr) co_return fail(ErrorCode::argument, "the item is not queued: `account finish` carries it out");
  auto call = accounts::encode_confirm(body_->account, *queued);
  if (!call) co_return tl::unexpected(account_error(call.error()));
  co_return co_await body_->operate(std::move(*call), sponsored, nullptr);
}

Task<Result<Wallet::Granted>> Wallet::create_grant(accounts::Grant& grant, bool sponsored) {
  const auto now = co_await body_->moment();
  if (!now) co_return tl::unexpected(now.error());
  grant.salt = Uint256::from_be(body_->random_word());
  if (auto good = accounts::normalise_grant(grant, body_->account); !good)
    co_return tl::unexpected(account_error(good.error()));
  auto call = accounts::encode_create_grant(body_->account, grant);
  if (!call) co_return tl::unexpected(account_error(call.error()));
  Granted granted;
  granted.id = accounts::grant_id(body_->where(), now->state.key_epoch, grant);
  auto done = co_await body_->operate(std::move(*call), sponsored, &granted.ticket);
  if (!done) co_return tl::unexpected(std::move(done.error()));
  granted.operation = *done;
  co_return granted;
}

Task<Result<OperationResult>> Wallet::use_grant(accounts::Grant grant, Bytes32 ticket,
                                                std::vector<accounts::Call> calls) {
  if (body_->services.node == nullptr || !body_->wallet || !body_->origin)
    co_return fail(ErrorCode::gate_missing, "a session is signed by the node's trusted core: name the account file");
  const auto now = co_await body_->deployed_moment();
  if (!now) co_return tl::unexpected(now.error());
  if (auto matched = co_await body_->match_server_key(now->state.server_key); !matched)
    co_return tl::unexpected(matched.error());
  auto call = accounts::encode_execute_session(grant, calls);
  if (!call) co_return tl::unexpected(account_error(call.error()));
  keys::SessionRequest request;
  request.wallet = *body_->wallet;
  request.chain_id = body_->services.chain_id;
  request.entry_point = body_->origin->entry_point;
  request.ticket = ticket;
  request.server_key_index = body_->server_key_index;
  SessionSigner signer(*body_->services.node, std::move(request));
  OperationOrder order;
  order.sender = body_->account;
  order.call_data = std::move(*call);
  order.nonce_key = Uint256(body_->services.random.u64());
  co_return co_await body_->send(std::move(order), signer);
}

Task<Result<Address>> Wallet::Body::server_key(std::uint32_t index) {
  if (services.node == nullptr || !wallet)
    co_return fail(ErrorCode::gate_missing, "the node keeps the account's server keys: name the account file");
  const auto described = co_await services.node->describe_wallet(*wallet, index);
  if (!described) co_return fail(ErrorCode::node, "the trusted core: " + described.error().text());
  co_return described->server_key;
}

// The file's index is a hint: a move may have been finished by anybody since.
Task<Result<void>> Wallet::Body::match_server_key(Address on_chain) {
  if (services.node == nullptr || !wallet || own_gate || base::is_zero(on_chain)) co_return Result<void>{};
  for (std::uint32_t i = 0; i <= kMaxServerKeys; i++) {
    // The hint first.
    const std::uint32_t index = i == 0 ? server_key_index : i - 1;
    const auto key = co_await server_key(index);
    if (!key) co_return tl::unexpected(key.error());
    if (*key != on_chain) continue;
    server_key_index = index;
    gate = make_node_gate(*services.node, *wallet, index, services.chain_id, origin->entry_point);
    co_return Result<void>{};
  }
  co_return fail(ErrorCode::gate_missing, "the account's server key " + core::format_address(on_chain) +
                                              " is none of this node's: the account moved to another one");
}

Task<Result<std::vector<Uint256>>> Wallet::other_passkeys() {
  const auto now = co_await body_->deployed_moment();
  if (!now) co_return tl::unexpected(now.error());
  const std::vector<Vote> all = body_->votes(now->state);
  std::vector<Uint256> others;
  for (const accounts::ChainPasskey& passkey : now->state.passkeys)
    if (all.empty() || all.front().signer != passkey.slot)
      others.push_back(Uint256::from_be(core::ByteView(passkey.key.public_key).first(32)));
  co_return others;
}

Task<Result<std::uint32_t>> Wallet::next_server_key() {
  const auto now = co_await body_->deployed_moment();
  if (!now) co_return tl::unexpected(now.error());
  if (auto matched = co_await body_->match_server_key(now->state.server_key); !matched)
    co_return tl::unexpected(matched.error());
  co_return body_->server_key_index + 1;
}

}  // namespace community::wallet
