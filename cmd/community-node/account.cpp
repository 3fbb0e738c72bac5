// SPDX-License-Identifier: Apache-2.0
// The commands of `community-node account`. Guardians' recovery and the escape are in account_recovery.cpp.
#include "cmd/community-node/account.hpp"
#include "community/infra/api/files.hpp"
#include "community/wallet/api/creation.hpp"
#include "community/wallet/api/grant_file.hpp"
#include "community/wallet/api/join_file.hpp"

namespace community::node {

namespace fs = std::filesystem;
using wallet::ErrorCode;
using wallet::fail;
using Done = wallet::Result<void>;
using Paths = std::vector<fs::path>;

namespace {

// What one command takes; it lives as long as the program parses and runs.
struct Arguments {
  fs::path file;
  // Both together, or all where a command takes several.
  Paths more, files;
  fs::path out, recovery_out, grant_file, join;
  std::string to, amount, token, data, item;
  std::string limit, gas_cap, value_per_call = "0", value_total = "0";
  std::vector<std::string> tokens, functions;
  unsigned minutes = 120;
  bool queue = false, strict = false;
};
using Shared = std::shared_ptr<Arguments>;

// A subcommand whose first argument is a file of the account: with `many` as many as there are, else one and --with.
CLI::App* command(CLI::App& parent, const char* name, const char* help, const Shared& in, bool many = false) {
  CLI::App* made = parent.add_subcommand(name, help);
  const char* what = "account file, keys file or recovery file";
  if (many) {
    made->add_option("FILE", in->files, what)->required()->expected(-1);
    return made;
  }
  made->add_option("FILE", in->file, what)->required();
  made->add_option("--with", in->more, "another file of the account: one more vote")->allow_extra_args(false);
  return made;
}

Task<wallet::Result<Address>> token_of(const Arguments& in) {
  if (in.token.empty()) co_return Address{};
  co_return read_address(in.token, "--token");
}

// Native value, or a transfer of a token; with --data a call.
Task<wallet::Result<accounts::Call>> call_of(AccountContext& context, const Arguments& in) {
  const auto to = read_address(in.to, "TO");
  if (!to) co_return tl::unexpected(to.error());
  const auto token = co_await token_of(in);
  if (!token) co_return tl::unexpected(token.error());
  const auto decimals = co_await decimals_of(context, *token);
  if (!decimals) co_return tl::unexpected(decimals.error());
  const auto amount = parse_amount(in.amount, *decimals);
  if (!amount) co_return tl::unexpected(amount.error());
  if (base::is_zero(*token)) {
    const auto data = in.data.empty() ? core::Result<Bytes>(Bytes{}) : core::parse_hex(in.data);
    if (!data) co_return fail(ErrorCode::argument, "--data: " + data.error().text());
    co_return accounts::Call{*to, *amount, *data};
  }
  if (!in.data.empty()) co_return fail(ErrorCode::argument, "a transfer of a token has no other --data");
  static const auto transfer = core::parse_abi_function("transfer(address,uint256)").value();
  co_return accounts::Call{*token, {}, transfer.encode({*to, *amount}).value()};
}

// The contract's daily limit is the bound that counts; the trusted core's lets queued spends through.
protocol::Policy policy_for(const Uint256& gas_cap) {
  protocol::Policy policy;
  policy.call_value_cap = policy.operation_value_cap = core::max_of_bits(128);
  policy.cost_cap = gas_cap;
  return policy;
}

Task<Done> create(AccountContext& context, Shared in) {
  auto info = co_await context.node_info();
  if (!info) co_return tl::unexpected(std::move(info.error()));
  std::error_code ignored;
  for (const fs::path& path : {in->out, in->recovery_out})
    if (fs::exists(path, ignored))
      co_return fail(ErrorCode::file_exists, path.string() + " is there already; name another one");
  wallet::NewAccount wanted;
  wanted.chain_id = info->chain_id;
  wanted.factory = info->factory;
  wanted.entry_point = info->entry_point;
  wanted.proxy_init_code_hash = info->proxy_init_code_hash;
  wanted.passkey_secret = new_secret(context.random());
  wanted.escape_secret = new_secret(context.random());
  wanted.rp_id = info->rp_id;
  wanted.web_origin = info->web_origin;
  const auto limit = parse_amount(in->limit, 18), cap = parse_amount(in->gas_cap, 18);
  if (!limit) co_return tl::unexpected(limit.error());
  if (!cap) co_return tl::unexpected(cap.error());
  wanted.policy = policy_for(*cap);
  wanted.init.limits.push_back({info->chain_id, {}, *limit});
  wanted.init.gas_caps.push_back({info->chain_id, *cap});
  for (const std::string& row : in->tokens) {
    const std::size_t equals = row.find('=');
    const auto token = read_address(row.substr(0, equals), "--token");
    if (!token || equals == std::string::npos) co_return fail(ErrorCode::argument, "write --token ADDRESS=AMOUNT");
    const auto decimals = co_await decimals_of(context, *token);
    if (!decimals) co_return tl::unexpected(decimals.error());
    const auto amount = parse_amount(row.substr(equals + 1), *decimals);
    if (!amount) co_return tl::unexpected(amount.error());
    wanted.init.limits.push_back({info->chain_id, *token, *amount});
  }
  wanted.init.strict = in->strict;
  wanted.init.salt = Uint256(context.random().u64());
  wanted.created_at = wallet::format_time(context.now_s());
  const auto node = co_await context.node();
  auto created = co_await wallet::create_account(**node, std::move(wanted));
  if (!created) co_return tl::unexpected(std::move(created.error()));
  created->recovery.chains.push_back({info->chain_id, "chain " + std::to_string(info->chain_id), {}});
  // The recovery file first: nothing else could replace it.
  if (auto kept = wallet::write_new_wallet_file(in->recovery_out, created->recovery); !kept) co_return kept;
  if (auto kept = wallet::write_new_wallet_file(in->out, created->account); !kept) co_return kept;
  say("account    " + core::format_address(created->account.origin.account));
  say("server key " + core::format_address(created->server_key) + ", in the node's trusted core");
  say("passkey    in " + in->out.string() + ": whoever reads it has one vote and, through the node, the daily limit");
  say("escape key in " + in->recovery_out.string() +
      ": keep it elsewhere; it gets the account out when all else is gone");
  co_return Done{};
}

Task<Done> send(AccountContext& context, Shared in) {
  auto call = co_await call_of(context, *in);
  if (!call) co_return tl::unexpected(std::move(call.error()));
  auto opened = co_await context.open(in->files);
  if (!opened) co_return tl::unexpected(std::move(opened.error()));
  std::vector<accounts::Call> calls{std::move(*call)};
  const bool sponsored = !context.options().unsponsored;
  if (in->queue) {
    auto queued = accounts::queued_spend(calls, {});
    if (!queued) co_return fail(ErrorCode::argument, queued.error().text());
    const auto done = co_await opened->queue(std::move(*queued), sponsored);
    if (!done) co_return tl::unexpected(done.error());
    say_operation(done->second, "queued");
    say("In 24 hours: community-node account confirm FILE " + core::to_hex(done->first));
    co_return Done{};
  }
  const auto done = co_await opened->execute(std::move(calls), sponsored);
  if (!done) co_return tl::unexpected(done.error());
  say_operation(*done, "sent");
  co_return Done{};
}

Task<Done> confirm(AccountContext& context, Shared in) {
  const auto item = read_hash(in->item, "ITEM");
  if (!item) co_return tl::unexpected(item.error());
  auto opened = co_await context.open(in->files);
  if (!opened) co_return tl::unexpected(std::move(opened.error()));
  const auto done = co_await opened->confirm(*item, !context.options().unsponsored);
  if (!done) co_return tl::unexpected(done.error());
  say_operation(*done, "confirmed");
  co_return Done{};
}

// Down at once with any vote; up by the queue.
Task<Done> limit(AccountContext& context, Shared in) {
  const auto token = co_await token_of(*in);
  if (!token) co_return tl::unexpected(token.error());
  const auto decimals = co_await decimals_of(context, *token);
  if (!decimals) co_return tl::unexpected(decimals.error());
  const auto amount = parse_amount(in->amount, *decimals);
  if (!amount) co_return tl::unexpected(amount.error());
  auto opened = co_await context.open(in->files);
  if (!opened) co_return tl::unexpected(std::move(opened.error()));
  std::vector<Address> tokens;
  if (!base::is_zero(*token)) tokens.push_back(*token);
  const auto now = co_await opened->look(std::move(tokens));
  if (!now) co_return tl::unexpected(now.error());
  if (!now->state.deployed) co_return fail(ErrorCode::account_missing, "deploy it first: `account deploy`");
  const accounts::LimitState& present = now->state.limits.back();
  const bool native = base::is_zero(*token);
  if ((native || present.listed) && *amount <= present.per_day) {
    accounts::Action action = accounts::LowerLimit{*token, *amount};
    const auto acted = co_await opened->lower(std::move(action));
    if (!acted) co_return tl::unexpected(acted.error());
    say_acted(*acted, "lowered");
    co_return Done{};
  }
  accounts::Queued queued = accounts::queued_limit(*token, *amount, {});
  const auto done = co_await opened->queue(std::move(queued), !context.options().unsponsored);
  if (!done) co_return tl::unexpected(done.error());
  say_operation(done->second, "queued");
  say("In 24 hours: community-node account confirm FILE " + core::to_hex(done->first));
  co_return Done{};
}

Task<Done> grant(AccountContext& context, Shared in) {
  wallet::GrantFile file;
  const auto target = read_address(in->to, "TARGET");
  const auto each = parse_amount(in->value_per_call, 18), total = parse_amount(in->value_total, 18);
  if (!target) co_return tl::unexpected(target.error());
  if (!each) co_return tl::unexpected(each.error());
  if (!total) co_return tl::unexpected(total.error());
  file.grant.target = *target;
  file.grant.value_per_call = *each;
  file.grant.value_total = *total;
  for (const std::string& text : in->functions) {
    const auto selector = read_selector(text);
    if (!selector) co_return tl::unexpected(selector.error());
    file.grant.selectors.push_back(*selector);
  }
  const auto info = co_await context.node_info();
  if (!info) co_return tl::unexpected(info.error());
  file.grant.paymaster = info->paymaster;
  auto opened = co_await context.open(in->files);
  if (!opened) co_return tl::unexpected(std::move(opened.error()));
  const auto now = co_await opened->look();
  if (!now) co_return tl::unexpected(now.error());
  // A minute of slack for the blocks until it is created: the contract takes two hours from then.
  file.grant.valid_after_s = now->time_s - 60;
  file.grant.valid_until_s = now->time_s + std::min(in->minutes, 120u) * 60;
  const auto granted = co_await opened->create_grant(file.grant, !context.options().unsponsored);
  if (!granted) co_return tl::unexpected(granted.error());
  file.id = granted->id;
  file.ticket = granted->ticket;
  file.account = opened->where().account;
  file.chain_id = opened->where().chain_id;
  if (auto kept = wallet::write_grant_file(in->out, file); !kept) co_return kept;
  say_operation(granted->operation, "granted");
  say("grant " + core::to_hex(granted->id) + " in " + in->out.string());
  co_return Done{};
}

Task<Done> session(AccountContext& context, Shared in) {
  const auto file = wallet::read_grant_file(in->grant_file);
  if (!file) co_return tl::unexpected(file.error());
  const auto value = parse_amount(in->amount, 18);
  if (!value) co_return tl::unexpected(value.error());
  const auto data = core::parse_hex(in->data);
  if (!data) co_return fail(ErrorCode::argument, "--data: " + data.error().text());
  auto opened = co_await context.open(in->files);
  if (!opened) co_return tl::unexpected(std::move(opened.error()));
  std::vector<accounts::Call> calls;
  calls.push_back({file->grant.target, *value, *data});
  const auto done = co_await opened->use_grant(file->grant, file->ticket, std::move(calls));
  if (!done) co_return tl::unexpected(done.error());
  say_operation(*done, "done by the server key alone");
  co_return Done{};
}

Task<Done> revoke(AccountContext& context, Shared in) {
  Bytes32 id{};
  std::error_code ignored;
  if (fs::exists(in->item, ignored)) {
    const auto file = wallet::read_grant_file(in->item);
    if (!file) co_return tl::unexpected(file.error());
    id = file->id;
  } else {
    const auto hash = read_hash(in->item, "GRANT");
    if (!hash) co_return tl::unexpected(hash.error());
    id = *hash;
  }
  auto opened = co_await context.open(in->files);
  if (!opened) co_return tl::unexpected(std::move(opened.error()));
  accounts::Action action = accounts::RevokeGrant{id};
  const auto acted = co_await opened->lower(std::move(action));
  if (!acted) co_return tl::unexpected(acted.error());
  say_acted(*acted, "revoked");
  co_return Done{};
}

Task<Done> freeze(AccountContext& context, Shared in) {
  auto opened = co_await context.open(in->files);
  if (!opened) co_return tl::unexpected(std::move(opened.error()));
  // An account that was never used can be frozen too.
  if (auto made = co_await opened->ensure_deployed(); !made) co_return made;
  const auto acted = co_await opened->freeze();
  if (!acted) co_return tl::unexpected(acted.error());
  say_acted(*acted, "frozen");
  co_return Done{};
}

Task<Done> unfreeze(AccountContext& context, Shared in) {
  auto opened = co_await context.open(in->files);
  if (!opened) co_return tl::unexpected(std::move(opened.error()));
  const auto acted = co_await opened->unfreeze();
  if (!acted) co_return tl::unexpected(acted.error());
  say_acted(*acted, acted->waits_s == 0 ? "unfrozen" : "unfreezing started");
  co_return Done{};
}

Task<Done> deploy(AccountContext& context, Shared in) {
  auto opened = co_await context.open(in->files);
  if (!opened) co_return tl::unexpected(std::move(opened.error()));
  if (auto made = co_await opened->ensure_deployed(); !made) co_return made;
  say("the account is on chain " + std::to_string(opened->where().chain_id));
  co_return Done{};
}

Task<Done> cancel(AccountContext& context, Shared in) {
  const auto item = read_hash(in->item, "ITEM");
  if (!item) co_return tl::unexpected(item.error());
  auto opened = co_await context.open(in->files);
  if (!opened) co_return tl::unexpected(std::move(opened.error()));
  const auto acted = co_await opened->cancel(*item);
  if (!acted) co_return tl::unexpected(acted.error());
  say_acted(*acted, "cancelled");
  co_return Done{};
}

Task<Done> finish(AccountContext& context, Shared in) {
  const auto item = read_hash(in->item, "ITEM");
  if (!item) co_return tl::unexpected(item.error());
  auto opened = co_await context.open(in->files);
  if (!opened) co_return tl::unexpected(std::move(opened.error()));
  const auto carried = co_await opened->finish(*item);
  if (!carried) co_return tl::unexpected(carried.error());
  say("finished: transaction " + core::to_hex(carried->transaction_hash));
  co_return Done{};
}

// The account file among the named ones, for the commands that change it.
wallet::Result<std::pair<fs::path, wallet::AccountFile>> account_file(const Paths& paths) {
  for (const fs::path& path : paths) {
    auto file = wallet::read_wallet_file(path);
    if (!file) return tl::unexpected(std::move(file.error()));
    if (auto* held = std::get_if<wallet::AccountFile>(&*file)) return std::pair(path, std::move(*held));
  }
  return fail(ErrorCode::argument, "this changes an account file: name one");
}

// The new passkey is in the file before anybody knows it: what is on chain is never lost.
Task<Done> add_passkey(AccountContext& context, Shared in) {
  auto held = account_file(in->files);
  if (!held) co_return tl::unexpected(std::move(held.error()));
  auto opened = co_await context.open(in->files);
  if (!opened) co_return tl::unexpected(std::move(opened.error()));
  if (held->second.passkey_secrets.size() >= protocol::kMaxPasskeys)
    co_return fail(ErrorCode::argument, "the file holds eight passkeys already, as many as an account has");
  const Bytes32 secret = new_secret(context.random());
  held->second.passkey_secrets.push_back(secret);
  if (auto kept = wallet::replace_wallet_file(held->first, held->second); !kept) co_return kept;
  wallet::KeyChangeOrder order;
  order.added.push_back(
      wallet::registered(wallet::SoftwarePasskey(secret, held->second.rp_id, held->second.web_origin)));
  const auto acted = co_await opened->change_keys(std::move(order));
  if (!acted) co_return tl::unexpected(acted.error());
  say_acted(*acted, acted->waits_s == 0 ? "passkey added" : "adding a passkey started");
  co_return Done{};
}

Task<Done> remove_passkey(AccountContext& context, Shared in) {
  const auto x = read_hash(in->item, "X");
  if (!x) co_return tl::unexpected(x.error());
  auto opened = co_await context.open(in->files);
  if (!opened) co_return tl::unexpected(std::move(opened.error()));
  wallet::KeyChangeOrder order;
  order.removed.push_back(Uint256::from_be(*x));
  const auto acted = co_await opened->change_keys(std::move(order));
  if (!acted) co_return tl::unexpected(acted.error());
  say_acted(*acted, acted->waits_s == 0 ? "passkey removed" : "removing a passkey started");
  co_return Done{};
}

// At the node that the account moves to: before anything happens on chain, so that a refusal comes before the move.
Task<Done> join(AccountContext& context, Shared in) {
  auto info = co_await context.node_info();
  if (!info) co_return tl::unexpected(std::move(info.error()));
  auto file = wallet::read_wallet_file(in->files.front());
  if (!file) co_return tl::unexpected(std::move(file.error()));
  wallet::JoiningAccount wanted;
  if (auto* recovery = std::get_if<wallet::RecoveryFile>(&*file)) {
    wanted.origin = std::move(recovery->origin);
  } else if (auto* held = std::get_if<wallet::AccountFile>(&*file)) {
    wanted.origin = std::move(held->origin);
  } else {
    co_return fail(ErrorCode::file_kind, "name the account's recovery file or account file");
  }
  if (wanted.origin.init_data.empty())
    co_return fail(ErrorCode::file_kind,
                   "this recovery file does not say how the account began: name the account file, or an older one");
  if (wanted.origin.entry_point != info->entry_point)
    co_return fail(ErrorCode::node, "this node does not serve the account's EntryPoint");
  wanted.chain_id = info->chain_id;
  wanted.passkey_secret = new_secret(context.random());
  wanted.rp_id = info->rp_id;
  wanted.web_origin = info->web_origin;
  // The account's own gas cap is on chain already; the trusted core follows it up to what its field holds.
  wanted.policy = policy_for(core::max_of_bits(96));
  wanted.created_at = wallet::format_time(context.now_s());
  const auto node = co_await context.node();
  auto joined = co_await wallet::join_account(**node, std::move(wanted));
  if (!joined) co_return tl::unexpected(std::move(joined.error()));
  if (auto kept = wallet::write_new_wallet_file(in->out, joined->account); !kept) co_return kept;
  if (auto kept = wallet::write_join_file(in->join, joined->join); !kept) co_return kept;
  say("server key " + core::format_address(joined->join.server_key) + ", in this node's trusted core");
  say("account file " + in->out.string() + ": it is of use once the account has the keys in " + in->join.string());
  say("Then, where the account is now: community-node account move FILE --to " + in->join.string());
  say("or, when its node is gone:      community-node account escape start RECOVERY --to " + in->join.string());
  co_return Done{};
}

// Another server key and another escape key at once: what somebody else may have seen of either is worth nothing then.
// To another node, with a passkey for its domain in place of the ones there are.
Task<Done> move(AccountContext& context, Shared in) {
  auto opened = co_await context.open(in->files);
  if (!opened) co_return tl::unexpected(std::move(opened.error()));
  if (!opened->origin()) co_return fail(ErrorCode::argument, "name the account file or the recovery file");
  wallet::KeyChangeOrder order;
  if (in->join.empty()) {
    const auto index = co_await opened->next_server_key();
    if (!index) co_return tl::unexpected(index.error());
    order.own_server_key = *index;
  } else {
    const auto join = wallet::read_join_file(in->join);
    if (!join) co_return tl::unexpected(join.error());
    if (join->account != opened->where().account || join->chain_id != opened->where().chain_id)
      co_return fail(ErrorCode::account_other, "the join file is of another account or chain");
    auto removed = co_await opened->other_passkeys();
    if (!removed) co_return tl::unexpected(std::move(removed.error()));
    order.removed = std::move(*removed);
    order.added.push_back(join->passkey);
    order.foreign_server_key = join->server_key;
  }
  wallet::RecoveryFile recovery;
  recovery.origin = *opened->origin();
  recovery.escape_secret = new_secret(context.random());
  recovery.escape_key_is_later = true;
  recovery.chains.push_back({opened->where().chain_id, "chain " + std::to_string(opened->where().chain_id), {}});
  recovery.created_at = wallet::format_time(context.now_s());
  order.escape_key = core::address_of(core::public_key_of(recovery.escape_secret).value());
  if (auto kept = wallet::write_new_wallet_file(in->recovery_out, recovery); !kept) co_return kept;
  say("the new escape key is in " + in->recovery_out.string() +
      "; keep the old file until this has happened on every chain");
  const auto acted = co_await opened->change_keys(std::move(order));
  if (!acted) co_return tl::unexpected(acted.error());
  say_acted(*acted, acted->waits_s == 0 ? "moved: server key and escape key are new" : "the move started");
  if (!in->join.empty())
    say("The passkey that signed is still the account's: end it from the other node, with `account remove-passkey`");
  co_return Done{};
}

Task<Done> show(AccountContext& context, Shared in) {
  std::vector<Address> tokens;
  for (const std::string& text : in->tokens) {
    const auto token = read_address(text, "--token");
    if (!token) co_return tl::unexpected(token.error());
    tokens.push_back(*token);
  }
  co_return co_await show_account(context, in->files, std::move(tokens));
}

AccountJob job_of(Task<Done> (*run)(AccountContext&, Shared), Shared in) {
  if (!in->file.empty()) in->files.push_back(in->file);
  in->files.insert(in->files.end(), in->more.begin(), in->more.end());
  return [run, in](AccountContext& context) { return run(context, in); };
}

}  // namespace

namespace {

// Adds commands to `account`; each has its own arguments.
class Commands {
 public:
  Commands(CLI::App& account, AccountJob& job) : account_(account), job_(job) {}

  std::pair<CLI::App*, Shared> add(const char* name, const char* help, Task<Done> (*run)(AccountContext&, Shared),
                                   bool many = false) {
    auto in = std::make_shared<Arguments>();
    CLI::App* made = command(account_, name, help, in, many);
    made->callback([job = &job_, run, in] { *job = job_of(run, in); });
    return {made, in};
  }

  void add_create() {
    auto in = std::make_shared<Arguments>();
    CLI::App* made = account_.add_subcommand("create", "a new account with a software passkey");
    made->add_option("FILE", in->out, "account file to write")->required();
    made->add_option("--recovery", in->recovery_out, "recovery file to write; keep it elsewhere")->required();
    in->limit = "0.1";
    in->gas_cap = "0.01";
    made->add_option("--limit", in->limit, "ether a day")->capture_default_str();
    made->add_option("--gas-cap", in->gas_cap, "ether an operation may cost that the account pays itself")
        ->capture_default_str();
    made->add_option("--token", in->tokens, "ADDRESS=AMOUNT a day; several times")->allow_extra_args(false);
    made->add_flag("--strict", in->strict, "unknown recipients and contracts wait a day");
    made->callback([job = &job_, in] { *job = job_of(create, in); });
  }

  void add_spending() {
    {
      auto [made, in] = add("send", "send ether or a token, or call a contract", send);
      made->add_option("TO", in->to, "recipient")->required();
      made->add_option("AMOUNT", in->amount, "in ether or the token's units, as in 0.25")->required();
      made->add_option("--token", in->token, "an ERC-20 token");
      made->add_option("--data", in->data, "call data in hex");
      made->add_flag("--queue", in->queue, "over the limit: let it wait 24 hours, then confirm");
    }
    {
      auto [made, in] = add("confirm", "carry out what was queued 24 hours ago", confirm);
      made->add_option("ITEM", in->item)->required();
    }
    auto [made, in] = add("limit", "lower the daily limit at once, or queue a higher one", limit);
    made->add_option("AMOUNT", in->amount, "a day")->required();
    made->add_option("--token", in->token, "an ERC-20 token");
  }

  void add_grants() {
    {
      auto [made, in] = add("grant", "let the server key alone call a contract for up to two hours", grant);
      made->add_option("TARGET", in->to, "the contract")->required();
      made->add_option("--function", in->functions, "as in save(uint256), or a selector; up to 8 times")
          ->required()
          ->allow_extra_args(false);
      made->add_option("--out", in->out, "grant file to write")->required();
      made->add_option("--value-per-call", in->value_per_call, "ether")->capture_default_str();
      made->add_option("--value-total", in->value_total, "ether")->capture_default_str();
      made->add_option("--minutes", in->minutes, "at most 120")->capture_default_str();
    }
    {
      auto [made, in] = add("session", "use a grant: no passkey is asked", session);
      in->amount = "0";
      made->add_option("GRANT", in->grant_file, "grant file")->required();
      made->add_option("--data", in->data, "call data in hex")->required();
      made->add_option("--value", in->amount, "ether")->capture_default_str();
    }
    auto [made, in] = add("revoke", "end a grant at once", revoke);
    made->add_option("GRANT", in->item, "grant file or id")->required();
  }

  void add_custody() {
    add("freeze", "stop everything, with any vote", freeze);
    add("unfreeze", "with two votes at once, with one in three days", unfreeze);
    {
      auto [made, in] = add("cancel", "stop something that waits", cancel);
      made->add_option("ITEM", in->item)->required();
    }
    {
      auto [made, in] = add("finish", "carry out what has waited long enough; anybody may", finish);
      made->add_option("ITEM", in->item)->required();
    }
    add("add-passkey", "one more software passkey in the account file", add_passkey);
    {
      auto [made, in] = add("remove-passkey", "a passkey of the account ends", remove_passkey);
      made->add_option("X", in->item, "its x coordinate, as `show` prints it")->required();
    }
    {
      auto [made, in] = add("join", "at another node: prepare to take an account in", join);
      made->add_option("--out", in->out, "account file to write, for this node")->required();
      made->add_option("--join", in->join, "join file to write: public keys for `move` or `escape`")->required();
    }
    auto [made, in] = add("move", "move house: new server key and new escape key at once", move);
    made->add_option("--to", in->join, "join file of another node; else a new server key of this one");
    made->add_option("--recovery", in->recovery_out, "recovery file to write for the new escape key")->required();
  }

 private:
  CLI::App& account_;
  AccountJob& job_;
};

// A number is the id of one of the configuration's chains.
std::string server_of(const AccountOptions& options, const std::string& text) {
  if (text.empty() || text.find_first_not_of("0123456789") != std::string::npos) return text;
  for (const auto& [id, url] : options.chains_by_id)
    if (std::to_string(id) == text) return url;
  throw CLI::ValidationError("the configuration has no chain " + text);
}

}  // namespace

void add_account_commands(CLI::App& app, AccountOptions& options, AccountJob& job) {
  CLI::App* account = app.add_subcommand("account", "make and use an account: keys in files, the rest on chain");
  account->require_subcommand(1);
  account->fallthrough();
  account->add_option("--data-dir", options.data_dir, "folder of the running node")->capture_default_str();
  account
      ->add_option("--chain", options.chains,
                   "a chain, by its JSON-RPC or by its id in the configuration; `show` takes several")
      ->transform([&options](const std::string& text) { return server_of(options, text); })
      ->allow_extra_args(false);
  account->add_option("--payer", options.payer, "file with a secret key that pays for transactions, 64 hex digits");
  account->add_flag("--unsponsored", options.unsponsored, "the account pays for its operation, not the node");

  Commands commands(*account, job);
  commands.add_create();
  auto [shown, in] = commands.add("show", "keys, limits, grants, freeze and what waits, chain by chain", show, true);
  shown->add_option("--token", in->tokens, "its limit too; several times")->allow_extra_args(false);
  commands.add("deploy", "make the account on the chain now", deploy);
  commands.add_spending();
  commands.add_grants();
  commands.add_custody();
  add_recovery_commands(*account, job);
  add_multisig_commands(*account, job);
}

}  // namespace community::node
