// SPDX-License-Identifier: Apache-2.0
// The commands of `community-node account multisig`. An owner acts as an account, by an operation of it, or with a key,
// by a transaction or by a signature that somebody else pays for.
#include "cmd/community-node/account_multisig.hpp"
#include "community/wallet/api/multisig_file.hpp"

namespace community::node {

namespace fs = std::filesystem;
using multisig::MultisigOnChain;
using multisig::MultisigState;
using wallet::ErrorCode;
using wallet::fail;
using Done = wallet::Result<void>;
using Paths = std::vector<fs::path>;

namespace {

constexpr std::uint64_t kSignatureLifetime_s = 3'600;

struct Arguments {
  // Multisig file or address.
  std::string place;
  fs::path file, key;
  Paths as;
  std::string to, amount, token, data, proposal, limit = "0", daily_limit;
  std::vector<std::string> owners, added, removed, tokens, calls;
  unsigned threshold = 0, days = 0;
  std::uint64_t blocks = 300'000;
  bool closed = false;
};
using Shared = std::shared_ptr<Arguments>;

// Who acts: an account by its operations, or a key by its own transactions. Neither: who pays, for what anybody may do.
struct Actor {
  std::optional<wallet::Wallet> account;
  std::unique_ptr<wallet::Payer> own;
  // As the multisig knows it; empty when neither.
  Bytes owner;
};

Task<wallet::Result<Actor>> actor_of(AccountContext& context, const Arguments& in) {
  Actor actor;
  if (!in.as.empty() && !in.key.empty()) co_return fail(ErrorCode::argument, "one acts: --as or --key");
  if (!in.as.empty()) {
    auto opened = co_await context.open(in.as);
    if (!opened) co_return tl::unexpected(std::move(opened.error()));
    actor.owner = multisig::address_owner(opened->where().account);
    actor.account.emplace(std::move(*opened));
  } else if (!in.key.empty()) {
    const auto secret = wallet::read_key_file(in.key);
    if (!secret) co_return tl::unexpected(secret.error());
    const auto id = co_await context.chain_id();
    if (!id) co_return tl::unexpected(id.error());
    chain::ExecutionClient& client = context.chain();
    actor.own = std::make_unique<wallet::Payer>(client, context.clock(), *id, *secret);
    actor.owner = multisig::address_owner(actor.own->address());
  }
  co_return actor;
}

// A call that anybody may make: an operation of the account, or a transaction.
Task<Done> send_call(AccountContext& context, Actor& actor, Address to, Bytes data, std::string what) {
  if (actor.account) {
    std::vector<accounts::Call> calls;
    calls.push_back({to, {}, std::move(data)});
    const auto done = co_await actor.account->execute(std::move(calls), !context.options().unsponsored);
    if (!done) co_return tl::unexpected(done.error());
    say_operation(*done, what);
    co_return Done{};
  }
  wallet::Carrier* carrier = actor.own.get();
  if (carrier == nullptr) {
    const auto payer = co_await context.payer();
    if (!payer) co_return tl::unexpected(payer.error());
    carrier = *payer;
  }
  if (carrier == nullptr)
    co_return fail(ErrorCode::argument, "say who sends it: --as ACCOUNTFILE, --key KEYFILE or --payer KEYFILE");
  const auto carried = co_await carrier->carry(to, std::move(data));
  if (!carried) co_return tl::unexpected(carried.error());
  say(what + ": transaction " + core::to_hex(carried->transaction_hash) + ", block " +
      std::to_string(carried->block_number));
  co_return Done{};
}

// The owner's signature over the action, with the multisig's call that takes it.
wallet::Result<Bytes> signed_call(AccountContext& context, const Arguments& in, const Actor& actor,
                                  const MultisigOnChain& where, const MultisigState& state,
                                  const multisig::Action& action) {
  const auto secret = wallet::read_key_file(in.key);
  if (!secret) return tl::unexpected(secret.error());
  const multisig::Stamp stamp{state.epoch, Uint256(context.random().u64()), state.time_s + kSignatureLifetime_s};
  const auto signature =
      core::sign_digest(*secret, multisig::action_digest(where, actor.owner, action, stamp)).value().to_rsv();
  auto call = multisig::encode_action_by_signature(action, actor.owner, stamp, signature);
  if (!call) return tl::unexpected(multisig_error(call.error()));
  return std::move(*call);
}

struct Opened {
  MultisigOnChain where;
  MultisigState state;
};

wallet::Result<Address> address_of_place(const std::string& place) {
  std::error_code ignored;
  if (!fs::exists(place, ignored)) return read_address(place, "MULTISIG is no file here and");
  const auto file = wallet::read_multisig_file(place);
  if (!file) return tl::unexpected(file.error());
  return file->multisig;
}

Task<wallet::Result<Opened>> open_multisig(AccountContext& context, const Arguments& in,
                                           std::vector<Address> tokens = {}) {
  const auto address = address_of_place(in.place);
  if (!address) co_return tl::unexpected(address.error());
  const auto id = co_await context.chain_id();
  if (!id) co_return tl::unexpected(id.error());
  chain::ExecutionClient& client = context.chain();
  multisig::MultisigView view(client);
  auto state = co_await view.state(*address, std::move(tokens));
  if (!state) co_return tl::unexpected(multisig_error(state.error()));
  // A call to an address without code succeeds and does nothing.
  if (!state->deployed)
    co_return fail(ErrorCode::account_missing, "no multisig is at " + core::format_address(*address) +
                                                   " on this chain; with its file, `account multisig deploy` makes it");
  co_return Opened{{*id, *address}, std::move(*state)};
}

// What only an owner does: by its account, by its own transaction, or by its signature when somebody else pays.
Task<Done> act(AccountContext& context, Shared in, Actor& actor, const Opened& multisig, multisig::Action action,
               std::string what) {
  if (!multisig.state.is_owner(actor.owner))
    co_return fail(ErrorCode::vote_missing, owner_text(actor.owner) + " is no owner of this multisig");
  auto call = multisig::encode_action(action);
  if (!call) co_return tl::unexpected(multisig_error(call.error()));
  const auto payer = co_await context.payer();
  if (!payer) co_return tl::unexpected(payer.error());
  if (!actor.own || *payer == nullptr)
    co_return co_await send_call(context, actor, multisig.where.multisig, std::move(*call), std::move(what));
  auto by_signature = signed_call(context, *in, actor, multisig.where, multisig.state, action);
  if (!by_signature) co_return tl::unexpected(std::move(by_signature.error()));
  Actor anybody;
  co_return co_await send_call(context, anybody, multisig.where.multisig, std::move(*by_signature), std::move(what));
}

Task<wallet::Result<Actor>> owner_of(AccountContext& context, const Arguments& in) {
  if (in.as.empty() && in.key.empty())
    co_return fail(ErrorCode::argument, "say which owner acts: --as ACCOUNTFILE or --key KEYFILE");
  co_return co_await actor_of(context, in);
}

// --- creation --------------------------------------------------------------------------------------------------------

Task<Done> deploy_file(AccountContext& context, Shared in, wallet::MultisigFile file) {
  chain::ExecutionClient& client = context.chain();
  const auto factory = co_await client.code(file.factory);
  if (!factory) co_return tl::unexpected(wallet::chain_refusal(factory.error()));
  if (factory->empty())
    co_return fail(ErrorCode::chain, "the factory " + core::format_address(file.factory) + " is not on this chain");
  auto actor = co_await actor_of(context, *in);
  if (!actor) co_return tl::unexpected(std::move(actor.error()));
  Bytes call = multisig::encode_create_multisig(file.init_data);
  std::string what = "deployed";
  auto sent = co_await send_call(context, *actor, file.factory, std::move(call), std::move(what));
  if (!sent) co_return sent;
  multisig::MultisigView view(client);
  const auto state = co_await view.state(file.multisig);
  if (!state) co_return tl::unexpected(multisig_error(state.error()));
  // The factory that was asked makes other addresses than the file says: money sent there would be lost.
  if (!state->deployed)
    co_return fail(ErrorCode::hash_differs, "the factory made no multisig at " + core::format_address(file.multisig));
  co_return Done{};
}

Task<wallet::Result<multisig::MultisigInit>> init_of(AccountContext& context, const Arguments& in,
                                                     std::uint64_t chain_id) {
  multisig::MultisigInit init;
  for (const std::string& text : in.owners) {
    auto owner = read_owner(text);
    if (!owner) co_return tl::unexpected(std::move(owner.error()));
    init.owners.push_back(std::move(*owner));
  }
  if (in.threshold > multisig::kMaxOwners) co_return fail(ErrorCode::argument, "the threshold is at most 32");
  init.threshold = static_cast<std::uint8_t>(in.threshold);
  const auto limit = parse_amount(in.limit, 18);
  if (!limit) co_return tl::unexpected(limit.error());
  if (!limit->is_zero()) init.limits.push_back({chain_id, {}, *limit});
  for (const std::string& row : in.tokens) {
    const std::size_t equals = row.find('=');
    const auto token = read_address(row.substr(0, equals), "--token");
    if (!token || equals == std::string::npos) co_return fail(ErrorCode::argument, "write --token ADDRESS=AMOUNT");
    const auto decimals = co_await decimals_of(context, *token);
    if (!decimals) co_return tl::unexpected(decimals.error());
    const auto amount = parse_amount(row.substr(equals + 1), *decimals);
    if (!amount) co_return tl::unexpected(amount.error());
    init.limits.push_back({chain_id, *token, *amount});
  }
  init.salt = Uint256(context.random().u64());
  co_return init;
}

Task<Done> create(AccountContext& context, Shared in) {
  const auto info = co_await context.node_info();
  if (!info) co_return tl::unexpected(info.error());
  const auto chain_id = co_await context.chain_id();
  if (!chain_id) co_return tl::unexpected(chain_id.error());
  // Its factory may be another one there.
  if (*chain_id != info->chain_id)
    co_return fail(ErrorCode::chain, "the node serves chain " + std::to_string(info->chain_id) + ", --chain is chain " +
                                         std::to_string(*chain_id));
  const auto init = co_await init_of(context, *in, info->chain_id);
  if (!init) co_return tl::unexpected(init.error());
  auto init_data = multisig::encode_init_data(*init);
  if (!init_data) co_return tl::unexpected(multisig_error(init_data.error()));
  wallet::MultisigFile file;
  file.factory = info->multisig_factory;
  file.proxy_init_code_hash = info->multisig_proxy_init_code_hash;
  file.multisig = multisig::multisig_address(file.factory, file.proxy_init_code_hash, *init_data);
  file.init_data = std::move(*init_data);
  if (auto kept = wallet::write_multisig_file(in->file, file); !kept) co_return kept;
  say("multisig   " + core::format_address(file.multisig) + ", the same on every chain");
  say("its file   " + in->file.string() + ": no secret; it makes the multisig on other chains");
  co_return co_await deploy_file(context, in, std::move(file));
}

Task<Done> deploy(AccountContext& context, Shared in) {
  auto file = wallet::read_multisig_file(in->place);
  if (!file) co_return tl::unexpected(std::move(file.error()));
  co_return co_await deploy_file(context, in, std::move(*file));
}

// --- proposals -------------------------------------------------------------------------------------------------------

// Native value with or without call data, or a transfer of a token.
Task<wallet::Result<multisig::Call>> call_of(AccountContext& context, std::string to_text, std::string amount_text,
                                             std::string token_text, std::string data_text) {
  const auto to = read_address(to_text, "TO");
  if (!to) co_return tl::unexpected(to.error());
  Address token{};
  if (!token_text.empty()) {
    const auto named = read_address(token_text, "--token");
    if (!named) co_return tl::unexpected(named.error());
    token = *named;
  }
  const auto decimals = co_await decimals_of(context, token);
  if (!decimals) co_return tl::unexpected(decimals.error());
  const auto amount = parse_amount(amount_text, *decimals);
  if (!amount) co_return tl::unexpected(amount.error());
  if (!base::is_zero(token)) {
    if (!data_text.empty()) co_return fail(ErrorCode::argument, "a transfer of a token has no other --data");
    static const auto transfer = core::parse_abi_function("transfer(address,uint256)").value();
    co_return multisig::Call{token, {}, transfer.encode({*to, *amount}).value()};
  }
  const auto data = data_text.empty() ? core::Result<Bytes>(Bytes{}) : core::parse_hex(data_text);
  if (!data) co_return fail(ErrorCode::argument, "--data: " + data.error().text());
  co_return multisig::Call{*to, *amount, *data};
}

// "TO,AMOUNT" or "TO,AMOUNT,DATA"
Task<wallet::Result<multisig::Call>> call_of_text(AccountContext& context, std::string text) {
  const std::size_t first = text.find(',');
  if (first == std::string::npos) co_return fail(ErrorCode::argument, "write --call TO,AMOUNT or TO,AMOUNT,0xDATA");
  const std::size_t second = text.find(',', first + 1);
  std::string to = text.substr(0, first), amount = text.substr(first + 1, second - first - 1), data, token;
  if (second != std::string::npos) data = text.substr(second + 1);
  co_return co_await call_of(context, std::move(to), std::move(amount), std::move(token), std::move(data));
}

wallet::Result<std::vector<Bytes>> owners_of(const std::vector<std::string>& texts) {
  std::vector<Bytes> owners;
  for (const std::string& text : texts) {
    auto owner = read_owner(text);
    if (!owner) return tl::unexpected(std::move(owner.error()));
    owners.push_back(std::move(*owner));
  }
  return owners;
}

Task<wallet::Result<multisig::SelfCall>> self_call_of(AccountContext& context, const Arguments& in,
                                                      std::size_t threshold) {
  if (!in.daily_limit.empty()) {
    multisig::SetDailyLimit limit;
    if (!in.token.empty()) {
      const auto token = read_address(in.token, "--token");
      if (!token) co_return tl::unexpected(token.error());
      limit.token = *token;
    }
    const auto decimals = co_await decimals_of(context, limit.token);
    if (!decimals) co_return tl::unexpected(decimals.error());
    const auto amount = parse_amount(in.daily_limit, *decimals);
    if (!amount) co_return tl::unexpected(amount.error());
    limit.per_day = *amount;
    co_return multisig::SelfCall(limit);
  }
  multisig::ChangeOwners change;
  auto removed = owners_of(in.removed), added = owners_of(in.added);
  if (!removed) co_return tl::unexpected(std::move(removed.error()));
  if (!added) co_return tl::unexpected(std::move(added.error()));
  change.removed = std::move(*removed);
  change.added = std::move(*added);
  if (in.threshold > multisig::kMaxOwners) co_return fail(ErrorCode::argument, "the threshold is at most 32");
  change.threshold = static_cast<std::uint8_t>(in.threshold == 0 ? threshold : in.threshold);
  co_return multisig::SelfCall(std::move(change));
}

Task<wallet::Result<std::vector<multisig::Call>>> proposed_calls(AccountContext& context, const Arguments& in,
                                                                 const Opened& multisig) {
  std::vector<multisig::Call> calls;
  const bool changes_owners = !in.added.empty() || !in.removed.empty() || in.threshold > 0;
  if (changes_owners || !in.daily_limit.empty()) {
    if (!in.to.empty() || !in.calls.empty() || (changes_owners && !in.daily_limit.empty()))
      co_return fail(ErrorCode::argument, "a change of owners or of a limit is a proposal of its own");
    const auto self_call = co_await self_call_of(context, in, multisig.state.threshold);
    if (!self_call) co_return tl::unexpected(self_call.error());
    auto call = multisig::encode_self_call(multisig.where.multisig, *self_call);
    if (!call) co_return tl::unexpected(multisig_error(call.error()));
    calls.push_back(std::move(*call));
    co_return calls;
  }
  if (in.to.empty() && !(in.token.empty() && in.data.empty()))
    co_return fail(ErrorCode::argument, "--token and --data belong to TO and AMOUNT");
  if (!in.to.empty()) {
    auto call = co_await call_of(context, in.to, in.amount, in.token, in.data);
    if (!call) co_return tl::unexpected(std::move(call.error()));
    calls.push_back(std::move(*call));
  }
  for (const std::string& text : in.calls) {
    auto call = co_await call_of_text(context, text);
    if (!call) co_return tl::unexpected(std::move(call.error()));
    calls.push_back(std::move(*call));
  }
  if (auto good = multisig::check_calls(multisig.where.multisig, calls); !good)
    co_return tl::unexpected(multisig_error(good.error()));
  co_return calls;
}

Task<Done> propose(AccountContext& context, Shared in) {
  const auto opened = co_await open_multisig(context, *in);
  if (!opened) co_return tl::unexpected(opened.error());
  auto actor = co_await owner_of(context, *in);
  if (!actor) co_return tl::unexpected(std::move(actor.error()));
  auto calls = co_await proposed_calls(context, *in, *opened);
  if (!calls) co_return tl::unexpected(std::move(calls.error()));
  multisig::Propose propose;
  propose.calls = std::move(*calls);
  propose.salt = Uint256(context.random().u64());
  if (in->days > 0) propose.expiry_s = opened->state.time_s + std::uint64_t{in->days} * 86'400;
  const multisig::Proposal proposal{multisig::owner_id(actor->owner), propose.calls, propose.salt, propose.expiry_s};
  const Bytes32 id = multisig::proposal_id(opened->where, proposal);
  for (const std::string& text : calls_text(opened->where.multisig, propose.calls)) say("  " + text);
  multisig::Action action = std::move(propose);
  std::string what = "proposed";
  auto done = co_await act(context, in, *actor, *opened, std::move(action), std::move(what));
  if (!done) co_return done;
  say("proposal " + core::to_hex(id));
  say("Other owners: community-node account multisig approve " + core::format_address(opened->where.multisig) + " " +
      core::to_hex(id));
  co_return Done{};
}

// The proposal with content that hashes to its id: nobody votes on what they have not seen.
Task<wallet::Result<multisig::Proposal>> find_proposal(AccountContext& context, const Arguments& in,
                                                       const Opened& multisig, Bytes32 id) {
  chain::ExecutionClient& client = context.chain();
  multisig::MultisigView view(client);
  const std::uint64_t head = multisig.state.block_number, from = head - std::min(head, in.blocks);
  auto found = co_await view.proposals(multisig.where, multisig.state, from, id);
  if (!found) co_return tl::unexpected(multisig_error(found.error()));
  if (found->empty())
    co_return fail(ErrorCode::not_found, "no such proposal in the last " + std::to_string(in.blocks) + " blocks");
  if (!found->front().content)
    co_return fail(ErrorCode::hash_differs, "the chain's server shows content that is not this proposal's");
  co_return std::move(*found->front().content);
}

struct Chosen {
  Opened multisig;
  Bytes32 id{};
  multisig::Proposal content;
};

Task<wallet::Result<Chosen>> choose(AccountContext& context, Shared in) {
  const auto id = read_hash(in->proposal, "PROPOSAL");
  if (!id) co_return tl::unexpected(id.error());
  auto opened = co_await open_multisig(context, *in);
  if (!opened) co_return tl::unexpected(std::move(opened.error()));
  auto content = co_await find_proposal(context, *in, *opened, *id);
  if (!content) co_return tl::unexpected(std::move(content.error()));
  for (const std::string& text : calls_text(opened->where.multisig, content->calls)) say("  " + text);
  co_return Chosen{std::move(*opened), *id, std::move(*content)};
}

template <class Vote>
Task<Done> vote(AccountContext& context, Shared in) {
  const auto chosen = co_await choose(context, in);
  if (!chosen) co_return tl::unexpected(chosen.error());
  auto actor = co_await owner_of(context, *in);
  if (!actor) co_return tl::unexpected(std::move(actor.error()));
  multisig::Action action = Vote{chosen->id};
  std::string what = std::is_same_v<Vote, multisig::Approve>  ? "approved"
                     : std::is_same_v<Vote, multisig::Reject> ? "rejected"
                     : std::is_same_v<Vote, multisig::Cancel> ? "cancelled"
                                                              : "approval withdrawn";
  co_return co_await act(context, in, *actor, chosen->multisig, std::move(action), std::move(what));
}

Task<Done> execute(AccountContext& context, Shared in) {
  const auto chosen = co_await choose(context, in);
  if (!chosen) co_return tl::unexpected(chosen.error());
  auto actor = co_await actor_of(context, *in);
  if (!actor) co_return tl::unexpected(std::move(actor.error()));
  auto call = multisig::encode_execute(chosen->content);
  if (!call) co_return tl::unexpected(multisig_error(call.error()));
  std::string what = "executed";
  co_return co_await send_call(context, *actor, chosen->multisig.where.multisig, std::move(*call), std::move(what));
}

Task<Done> spend(AccountContext& context, Shared in) {
  const auto opened = co_await open_multisig(context, *in);
  if (!opened) co_return tl::unexpected(opened.error());
  multisig::Spend spend;
  const auto to = read_address(in->to, "TO");
  if (!to) co_return tl::unexpected(to.error());
  spend.to = *to;
  if (!in->token.empty()) {
    const auto token = read_address(in->token, "--token");
    if (!token) co_return tl::unexpected(token.error());
    spend.token = *token;
  }
  const auto decimals = co_await decimals_of(context, spend.token);
  if (!decimals) co_return tl::unexpected(decimals.error());
  const auto amount = parse_amount(in->amount, *decimals);
  if (!amount) co_return tl::unexpected(amount.error());
  spend.amount = *amount;
  auto actor = co_await owner_of(context, *in);
  if (!actor) co_return tl::unexpected(std::move(actor.error()));
  multisig::Action action = spend;
  std::string what = "spent";
  co_return co_await act(context, in, *actor, *opened, std::move(action), std::move(what));
}

Task<Done> show(AccountContext& context, Shared in) {
  std::vector<Address> tokens;
  for (const std::string& text : in->tokens) {
    const auto token = read_address(text, "--token");
    if (!token) co_return tl::unexpected(token.error());
    tokens.push_back(*token);
  }
  const auto address = address_of_place(in->place);
  if (!address) co_return tl::unexpected(address.error());
  say("multisig " + core::format_address(*address));
  const std::vector<std::string> urls = context.chain_urls();
  unsigned answered = 0;
  for (std::size_t i = 0; i < urls.size(); i++) {
    chain::ExecutionClient& client = context.chain(i);
    const auto id = co_await client.chain_id();
    if (!id) {
      // One chain that is away hides nothing of the others.
      say("chain at " + urls[i] + " does not answer: " + id.error().text());
      continue;
    }
    multisig::MultisigView view(client);
    const MultisigOnChain where{*id, *address};
    const auto state = co_await view.state(*address, tokens);
    if (!state) co_return tl::unexpected(multisig_error(state.error()));
    answered++;
    say("chain " + std::to_string(*id));
    if (!state->deployed) {
      say("  not deployed; `account multisig deploy` makes it, from its file");
      continue;
    }
    const std::uint64_t from = state->block_number - std::min(state->block_number, in->blocks);
    const auto proposals = co_await view.proposals(where, *state, from);
    if (!proposals) co_return tl::unexpected(multisig_error(proposals.error()));
    say_multisig(*state, *address, *proposals, in->closed);
  }
  if (answered == 0) co_return fail(ErrorCode::chain, "no chain answered; say --chain URL");
  co_return Done{};
}

class Commands {
 public:
  Commands(CLI::App& group, AccountJob& job) : group_(group), job_(job) {}

  void add_creation() {
    {
      auto [made, in] = add("create", "make a multisig and write its file", create);
      made->add_option("FILE", in->file, "multisig file to write")->required();
      made->add_option("--owner", in->owners, "an address, or verifier and key in hex; several times")
          ->required()
          ->allow_extra_args(false);
      made->add_option("--threshold", in->threshold, "approvals that a proposal needs")->required();
      made->add_option("--limit", in->limit, "ether a day that one owner alone may spend")->capture_default_str();
      made->add_option("--token", in->tokens, "ADDRESS=AMOUNT a day for one owner alone; several times")
          ->allow_extra_args(false);
      add_sender(*made, in);
    }
    auto [made, in] = add("deploy", "make the multisig of a file on this chain too", deploy);
    made->add_option("FILE", in->place, "multisig file")->required();
    add_sender(*made, in);
  }

  void add_show() {
    auto [made, in] = add_on("show", "owners, limits, proposals and votes, chain by chain", show);
    made->add_option("--token", in->tokens, "its limit too; several times")->allow_extra_args(false);
    made->add_flag("--closed", in->closed, "proposals too that were executed, cancelled or ran out");
    add_blocks(*made, in);
  }

  void add_proposals() {
    {
      auto [made, in] = add_on("propose", "propose calls and approve them", propose);
      CLI::Option* to = made->add_option("TO", in->to, "recipient or contract");
      CLI::Option* amount = made->add_option("AMOUNT", in->amount, "in ether or the token's units, as in 0.25");
      to->needs(amount);
      made->add_option("--token", in->token, "an ERC-20 token");
      made->add_option("--data", in->data, "call data in hex");
      made->add_option("--call", in->calls, "TO,AMOUNT or TO,AMOUNT,0xDATA: one more call; several times")
          ->allow_extra_args(false);
      made->add_option("--add-owner", in->added, "several times")->allow_extra_args(false);
      made->add_option("--remove-owner", in->removed, "several times")->allow_extra_args(false);
      made->add_option("--threshold", in->threshold, "a new threshold, with or without other owners");
      made->add_option("--daily-limit", in->daily_limit, "a new daily limit of ether or of --token");
      made->add_option("--days", in->days, "until it expires, at most 30; 14 when nothing is said");
      add_owner(*made, in);
    }
    add_vote("approve", "approve a proposal", vote<multisig::Approve>);
    add_vote("withdraw", "take an approval back", vote<multisig::WithdrawApproval>);
    add_vote("reject", "vote against a proposal", vote<multisig::Reject>);
    add_vote("cancel", "cancel a proposal of one's own", vote<multisig::Cancel>);
    {
      auto [made, in] = add_on("execute", "carry out what enough owners approved; anybody may", execute);
      made->add_option("PROPOSAL", in->proposal, "its id")->required();
      add_sender(*made, in);
      add_blocks(*made, in);
    }
    auto [made, in] = add_on("spend", "send within what is left of the daily limit, by one owner alone", spend);
    made->add_option("TO", in->to, "recipient")->required();
    made->add_option("AMOUNT", in->amount, "in ether or the token's units, as in 0.25")->required();
    made->add_option("--token", in->token, "an ERC-20 token");
    add_owner(*made, in);
  }

 private:
  using Run = Task<Done> (*)(AccountContext&, Shared);

  std::pair<CLI::App*, Shared> add(const char* name, const char* help, Run run) {
    auto in = std::make_shared<Arguments>();
    CLI::App* made = group_.add_subcommand(name, help);
    made->callback([job = &job_, run, in] { *job = [run, in](AccountContext& context) { return run(context, in); }; });
    return {made, in};
  }
  std::pair<CLI::App*, Shared> add_on(const char* name, const char* help, Run run) {
    auto [made, in] = add(name, help, run);
    made->add_option("MULTISIG", in->place, "multisig file or address")->required();
    return {made, in};
  }
  void add_vote(const char* name, const char* help, Run run) {
    auto [made, in] = add_on(name, help, run);
    made->add_option("PROPOSAL", in->proposal, "its id")->required();
    add_owner(*made, in);
    add_blocks(*made, in);
  }
  static void add_owner(CLI::App& made, const Shared& in) {
    made.add_option("--as", in->as, "files of the account that is the owner: an operation of it acts")
        ->allow_extra_args(false);
    made.add_option("--key", in->key, "secret key of the owner; with --payer it only signs");
  }
  static void add_sender(CLI::App& made, const Shared& in) {
    made.add_option("--as", in->as, "files of the account whose operation it is")->allow_extra_args(false);
    made.add_option("--key", in->key, "file with the secret key whose transaction it is");
  }
  static void add_blocks(CLI::App& made, const Shared& in) {
    made.add_option("--blocks", in->blocks, "how far back proposals are looked for")->capture_default_str();
  }

  CLI::App& group_;
  AccountJob& job_;
};

}  // namespace

void add_multisig_commands(CLI::App& account, AccountJob& job) {
  CLI::App* group = account.add_subcommand("multisig", "a community's treasury: proposals, votes, small spends");
  group->require_subcommand(1);
  group->fallthrough();
  Commands commands(*group, job);
  commands.add_creation();
  commands.add_show();
  commands.add_proposals();
}

}  // namespace community::node
