// SPDX-License-Identifier: Apache-2.0
// The ways back: the escape by one vote, and the recovery by guardians, who sign on machines of their own.
#include <algorithm>

#include "cmd/community-node/account.hpp"
#include "community/wallet/api/guardian_files.hpp"
#include "community/wallet/api/join_file.hpp"

namespace community::node {

namespace fs = std::filesystem;
using wallet::ErrorCode;
using wallet::fail;
using Done = wallet::Result<void>;
using Paths = std::vector<fs::path>;

namespace {

// Looking is a few dozen questions on a chain with public servers: often near the end, rarely before.
constexpr std::uint64_t kLeastPause_s = 5, kMostPause_s = 600;

struct Arguments {
  Paths files;
  fs::path keys_out, join, list, request, key, recovery_out;
  std::string rp_id = "escape.invalid";
  std::vector<std::string> guardians, signatures;
  unsigned threshold = 0, days = 7;
  bool strict = false, unlisted = false, freeze = false;
};
using Shared = std::shared_ptr<Arguments>;

// New keys in a file, before anything names them.
wallet::Result<wallet::NewKeys> make_keys(AccountContext& context, Address account, const fs::path& out,
                                          const std::string& rp_id) {
  wallet::KeysFile file;
  file.account = account;
  file.rp_id = rp_id;
  file.passkey_secret = new_secret(context.random());
  file.server_secret = new_secret(context.random());
  file.created_at = wallet::format_time(context.now_s());
  // Read back, so that a file which could not be used later is noticed now.
  if (auto good = wallet::parse_wallet_file(wallet::format_wallet_file(file)); !good)
    return tl::unexpected(std::move(good.error()));
  if (auto kept = wallet::write_new_wallet_file(out, file); !kept) return tl::unexpected(std::move(kept.error()));
  const wallet::SoftwarePasskey passkey(file.passkey_secret, rp_id, "https://" + rp_id);
  wallet::NewKeys keys;
  keys.passkeys.push_back({passkey.public_key(), passkey.rp_id_hash()});
  keys.server_key = core::address_of(core::public_key_of(file.server_secret).value());
  say("the new keys are in " + out.string() + ": with both in one file, the file is the account");
  return keys;
}

// Of a node that takes the account in, or the person's own.
wallet::Result<wallet::NewKeys> escape_keys(AccountContext& context, const accounts::AccountOnChain& where,
                                            const Arguments& in) {
  if (in.join.empty() == in.keys_out.empty())
    return fail(ErrorCode::argument, "say --keys to make keys of your own, or --to with a node's join file");
  if (in.join.empty()) return make_keys(context, where.account, in.keys_out, in.rp_id);
  const auto join = wallet::read_join_file(in.join);
  if (!join) return tl::unexpected(join.error());
  if (join->account != where.account || join->chain_id != where.chain_id)
    return fail(ErrorCode::account_other, "the join file is of another account or chain");
  wallet::NewKeys keys;
  keys.passkeys.push_back({join->passkey.public_key, join->passkey.rp_id_hash});
  keys.server_key = join->server_key;
  return keys;
}

Task<Done> escape_start(AccountContext& context, Shared in) {
  auto opened = co_await context.open(in->files);
  if (!opened) co_return tl::unexpected(std::move(opened.error()));
  if (auto made = co_await opened->ensure_deployed(); !made) co_return made;
  if (in->freeze) {
    const auto frozen = co_await opened->freeze();
    // Somebody may have frozen it already; that is what was wanted.
    if (!frozen && frozen.error().code != ErrorCode::reverted) co_return tl::unexpected(frozen.error());
    say(frozen ? "frozen: nobody moves anything until the escape is finished" : "it is frozen already");
  }
  auto keys = escape_keys(context, opened->where(), *in);
  if (!keys) co_return tl::unexpected(std::move(keys.error()));
  const auto acted = co_await opened->escape(std::move(*keys));
  if (!acted) co_return tl::unexpected(acted.error());
  say_acted(*acted, "the escape is started");
  say("Watch it: whoever holds another vote can cancel it. `account escape watch` waits and finishes it");
  co_return Done{};
}

// Finishes the first escape that is ripe; nothing when none waits.
Task<wallet::Result<bool>> finish_ripe_escape(wallet::Wallet& account, bool& seen, std::uint64_t& left) {
  const auto now = co_await account.look();
  if (!now) co_return tl::unexpected(now.error());
  seen = false;
  for (const wallet::WaitingItem& one : now->waiting) {
    if (one.item.kind != accounts::ItemKind::escape) continue;
    seen = true;
    left = one.item.age_s >= one.item.delay_s ? 0 : one.item.delay_s - one.item.age_s;
    if (left > 0) continue;
    const auto carried = co_await account.finish(one.item.id);
    if (!carried) co_return tl::unexpected(carried.error());
    say("finished: transaction " + core::to_hex(carried->transaction_hash));
    co_return true;
  }
  co_return false;
}

Task<Done> escape_finish(AccountContext& context, Shared in) {
  auto opened = co_await context.open(in->files);
  if (!opened) co_return tl::unexpected(std::move(opened.error()));
  bool seen = false;
  std::uint64_t left = 0;
  const auto finished = co_await finish_ripe_escape(*opened, seen, left);
  if (!finished) co_return tl::unexpected(finished.error());
  if (*finished) co_return Done{};
  if (!seen) co_return fail(ErrorCode::not_found, "no escape waits: it was finished, cancelled, or never started");
  co_return fail(ErrorCode::too_early, "it waits " + span_text(left) + " more");
}

Task<Done> escape_watch(AccountContext& context, Shared in) {
  auto opened = co_await context.open(in->files);
  if (!opened) co_return tl::unexpected(std::move(opened.error()));
  std::string said;
  for (;;) {
    bool seen = false;
    std::uint64_t left = 0;
    const auto finished = co_await finish_ripe_escape(*opened, seen, left);
    // A server of the chain that is away for a while ends no watch of three days.
    if (!finished && finished.error().code != ErrorCode::chain) co_return tl::unexpected(finished.error());
    if (finished && *finished) co_return Done{};
    if (finished && !seen)
      co_return fail(ErrorCode::not_found,
                     "the escape is gone: somebody finished or cancelled it; `account show` tells");
    const std::string words = finished ? "waiting, " + span_text(left / 60 * 60) + " left" : finished.error().text();
    if (words != said) say(words);
    said = words;
    const infra::Milliseconds pause(1'000 * std::clamp(left / 4, kLeastPause_s, kMostPause_s));
    co_await context.clock().sleep_for(pause);
  }
}

// --- guardians -------------------------------------------------------------------------------------------------------

Task<Done> set_guardians(AccountContext& context, Shared in) {
  std::vector<Bytes> signers;
  for (const std::string& text : in->guardians) {
    const auto bytes = core::parse_hex(text);
    if (!bytes) co_return fail(ErrorCode::argument, text + ": " + bytes.error().text());
    signers.push_back(*bytes);
  }
  auto opened = co_await context.open(in->files);
  if (!opened) co_return tl::unexpected(std::move(opened.error()));
  const auto now = co_await opened->look();
  if (!now) co_return tl::unexpected(now.error());
  accounts::ChangeRules rules;
  rules.strict = in->strict;
  rules.unlisted_tokens = in->unlisted;
  rules.recovery_delay_s = in->days * 86'400;
  if (!signers.empty()) {
    wallet::GuardiansFile file;
    file.account = opened->where().account;
    Bytes32 salt;
    context.random().fill(salt);
    auto list = accounts::GuardianList::make(salt, std::move(signers));
    if (!list) co_return fail(ErrorCode::argument, list.error().text());
    if (in->threshold == 0 || in->threshold > list->guardians.size())
      co_return fail(ErrorCode::argument, "--threshold is between 1 and the number of guardians");
    file.list = std::move(*list);
    file.threshold = static_cast<std::uint8_t>(in->threshold);
    rules.guardians_hash = file.list.hash();
    rules.guardian_threshold = file.threshold;
    if (auto kept = wallet::write_guardians_file(in->list, file); !kept) co_return kept;
    say("the list is in " + in->list.string() + ": the chain holds its hash only, so keep it where guardians find it");
  }
  const auto acted = co_await opened->change_rules(rules);
  if (!acted) co_return tl::unexpected(acted.error());
  say_acted(*acted, acted->waits_s == 0 ? "the rules are changed" : "the change is started");
  co_return Done{};
}

Task<Done> recover_prepare(AccountContext& context, Shared in) {
  const auto guardians = wallet::read_guardians_file(in->list);
  if (!guardians) co_return tl::unexpected(guardians.error());
  const auto id = co_await context.chain_id();
  if (!id) co_return tl::unexpected(id.error());
  const auto state = co_await accounts::AccountView(context.chain()).state(guardians->account);
  if (!state) co_return fail(ErrorCode::chain, state.error().text());
  if (!state->deployed) co_return fail(ErrorCode::account_missing, "the account is not on this chain");
  if (state->guardians_hash != guardians->list.hash())
    co_return fail(ErrorCode::file_inconsistent, "the account has another list of guardians now");
  auto keys = make_keys(context, guardians->account, in->keys_out, in->rp_id);
  if (!keys) co_return tl::unexpected(std::move(keys.error()));
  wallet::RecoveryRequest request;
  request.chain_id = *id;
  request.guardians = *guardians;
  request.recover.passkeys = std::move(keys->passkeys);
  request.recover.server_key = keys->server_key;
  // A new escape key too: the old one may be what was lost to somebody.
  const Bytes32 escape_secret = new_secret(context.random());
  request.recover.escape_key = core::address_of(core::public_key_of(escape_secret).value());
  if (auto kept = wallet::write_secret_file(in->recovery_out, escape_secret); !kept) co_return kept;
  request.stamp.key_epoch = state->key_epoch;
  Bytes32 nonce;
  context.random().fill(nonce);
  request.stamp.nonce = Uint256::from_be(nonce);
  // Guardians are people on their way: a week to sign.
  request.stamp.deadline_s = context.now_s() + 7 * 86'400;
  if (auto kept = wallet::write_recovery_request(in->request, request); !kept) co_return kept;
  say("the new escape key is in " + in->recovery_out.string());
  say("Send " + in->request.string() +
      " to the guardians; each runs `account recover sign` or signs its document in a wallet");
  co_return Done{};
}

Task<Done> recover_document(AccountContext&, Shared in) {
  const auto request = wallet::read_recovery_request(in->request);
  if (!request) co_return tl::unexpected(request.error());
  const accounts::AccountOnChain where{request->chain_id, request->guardians.account};
  say(boost::json::serialize(accounts::action_typed_data(where, request->recover, request->stamp)));
  co_return Done{};
}

Task<Done> recover_sign(AccountContext&, Shared in) {
  const auto request = wallet::read_recovery_request(in->request);
  if (!request) co_return tl::unexpected(request.error());
  const auto secret = wallet::read_key_file(in->key);
  if (!secret) co_return tl::unexpected(secret.error());
  const Address guardian = core::address_of(core::public_key_of(*secret).value());
  const bool listed = std::ranges::any_of(request->guardians.list.guardians,
                                          [&guardian](const Bytes& one) { return base::equal(one, guardian); });
  if (!listed) co_return fail(ErrorCode::argument, core::format_address(guardian) + " is no guardian of this account");
  const accounts::AccountOnChain where{request->chain_id, request->guardians.account};
  const Bytes32 digest = accounts::action_digest(where, request->recover, request->stamp);
  say("You agree that " + core::format_address(where.account) + " gets new keys:");
  say("  " + item_text(accounts::StartedAction{request->recover, request->stamp}));
  say(core::to_hex(guardian) + "=" + core::to_hex(core::sign_digest(*secret, digest).value().to_rsv()));
  co_return Done{};
}

Task<Done> recover_start(AccountContext& context, Shared in) {
  const auto request = wallet::read_recovery_request(in->request);
  if (!request) co_return tl::unexpected(request.error());
  const std::vector<Bytes>& guardians = request->guardians.list.guardians;
  std::vector<Bytes> signatures(guardians.size());
  std::size_t count = 0;
  for (const std::string& text : in->signatures) {
    const std::size_t equals = text.find('=');
    const auto who = core::parse_hex(text.substr(0, equals));
    const auto what = equals == std::string::npos ? core::Result<Bytes>(tl::unexpect, core::Error{})
                                                  : core::parse_hex(text.substr(equals + 1));
    const auto place = who ? std::ranges::find(guardians, *who) : guardians.end();
    if (!what || place == guardians.end())
      co_return fail(ErrorCode::argument, "write --signature GUARDIAN=SIGNATURE, with a guardian of the list");
    Bytes& slot = signatures[static_cast<std::size_t>(place - guardians.begin())];
    count += slot.empty() ? 1 : 0;
    slot = *what;
  }
  if (count < request->guardians.threshold)
    co_return fail(ErrorCode::vote_missing, std::to_string(count) + " guardians signed, " +
                                                std::to_string(request->guardians.threshold) + " are needed");
  auto call = accounts::encode_recover(request->recover, request->stamp, request->guardians.list, signatures);
  if (!call) co_return fail(ErrorCode::argument, call.error().text());
  const auto id = co_await context.chain_id();
  if (!id) co_return tl::unexpected(id.error());
  if (*id != request->chain_id)
    co_return fail(ErrorCode::chain, "the guardians signed for chain " + std::to_string(request->chain_id));
  const auto carrier = co_await context.carrier();
  if (!carrier) co_return tl::unexpected(carrier.error());
  const auto carried = co_await (*carrier)->carry(request->guardians.account, std::move(*call));
  if (!carried) co_return tl::unexpected(carried.error());
  const accounts::AccountOnChain where{request->chain_id, request->guardians.account};
  say("the recovery is started: transaction " + core::to_hex(carried->transaction_hash));
  say("When its time has come: community-node account finish KEYSFILE " +
      core::to_hex(accounts::action_digest(where, request->recover, request->stamp)));
  co_return Done{};
}

AccountJob job_of(Task<Done> (*run)(AccountContext&, Shared), Shared in) {
  return [run, in](AccountContext& context) { return run(context, in); };
}

void add_files(CLI::App& made, const Shared& in) {
  made.add_option("FILE", in->files, "recovery file, account file or keys file; several: several votes")
      ->required()
      ->expected(-1);
}

void add_escape(CLI::App& account, AccountJob& job) {
  CLI::App* escape = account.add_subcommand(
      "escape", "new keys by one vote after three days, without the node: recovery file, --payer and --chain suffice");
  escape->require_subcommand(1);
  escape->fallthrough();
  {
    auto in = std::make_shared<Arguments>();
    CLI::App* made = escape->add_subcommand("start", "freeze and start");
    add_files(*made, in);
    made->add_option("--keys", in->keys_out, "keys file to write: the new passkey and server key");
    made->add_option("--to", in->join, "join file of a node instead");
    made->add_option("--rp-id", in->rp_id, "relying party of the new passkey")->capture_default_str();
    made->add_flag("--freeze", in->freeze, "freeze first, so that nobody spends meanwhile");
    made->callback([&job, in] { job = job_of(escape_start, in); });
  }
  {
    auto in = std::make_shared<Arguments>();
    CLI::App* made = escape->add_subcommand("watch", "wait, say what happens, finish");
    add_files(*made, in);
    made->callback([&job, in] { job = job_of(escape_watch, in); });
  }
  {
    auto in = std::make_shared<Arguments>();
    CLI::App* made = escape->add_subcommand("finish", "finish an escape whose three days are over");
    add_files(*made, in);
    made->callback([&job, in] { job = job_of(escape_finish, in); });
  }
}

void add_recover(CLI::App& account, AccountJob& job) {
  CLI::App* recover = account.add_subcommand("recover", "all keys new, by the guardians");
  recover->require_subcommand(1);
  recover->fallthrough();
  {
    auto in = std::make_shared<Arguments>();
    CLI::App* made = recover->add_subcommand("prepare", "new keys, and the request that guardians sign");
    made->add_option("LIST", in->list, "the guardians' file")->required();
    made->add_option("--request", in->request, "request to write")->required();
    made->add_option("--keys", in->keys_out, "keys file to write")->required();
    made->add_option("--escape-key", in->recovery_out, "file to write for the new escape key")->required();
    made->add_option("--rp-id", in->rp_id, "relying party of the new passkey")->capture_default_str();
    made->callback([&job, in] { job = job_of(recover_prepare, in); });
  }
  {
    auto in = std::make_shared<Arguments>();
    CLI::App* made = recover->add_subcommand("document", "the request for eth_signTypedData_v4");
    made->add_option("REQUEST", in->request)->required();
    made->callback([&job, in] { job = job_of(recover_document, in); });
  }
  {
    auto in = std::make_shared<Arguments>();
    CLI::App* made = recover->add_subcommand("sign", "as a guardian who is an EOA");
    made->add_option("REQUEST", in->request)->required();
    made->add_option("--key", in->key, "file with the guardian's secret key")->required();
    made->callback([&job, in] { job = job_of(recover_sign, in); });
  }
  {
    auto in = std::make_shared<Arguments>();
    CLI::App* made = recover->add_subcommand("start", "with enough signatures; --payer or the node brings it");
    made->add_option("REQUEST", in->request)->required();
    made->add_option("--signature", in->signatures, "GUARDIAN=SIGNATURE, as `sign` prints it")
        ->required()
        ->allow_extra_args(false);
    made->callback([&job, in] { job = job_of(recover_start, in); });
  }
}

}  // namespace

void add_recovery_commands(CLI::App& account, AccountJob& job) {
  add_escape(account, job);
  add_recover(account, job);
  auto in = std::make_shared<Arguments>();
  CLI::App* made = account.add_subcommand("rules", "guardians and mode: two votes at once, one in three days");
  add_files(*made, in);
  made->add_option("--guardian", in->guardians,
                   "address of a guardian, or verifier and key (ERC-7913); none: no guardians")
      ->allow_extra_args(false);
  made->add_option("--threshold", in->threshold, "how many guardians recover together");
  made->add_option("--days", in->days, "until a recovery acts")->capture_default_str();
  made->add_option("--list", in->list, "guardians' file to write");
  made->add_flag("--strict", in->strict, "unknown recipients and contracts wait a day");
  made->add_flag("--unlisted-tokens", in->unlisted, "tokens without a limit go at once");
  made->callback([&job, in] { job = job_of(set_guardians, in); });
}

}  // namespace community::node
