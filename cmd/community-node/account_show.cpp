// SPDX-License-Identifier: Apache-2.0
// An account on the terminal: what the chain says, and what it means for the person.
#include <array>

#include "cmd/community-node/account.hpp"

namespace community::node {

using wallet::ErrorCode;
using wallet::fail;

namespace {

std::string short_hex(core::ByteView bytes) {
  return core::to_hex(bytes.first(std::min<std::size_t>(8, bytes.size())));
}

std::string keys_text(const std::vector<accounts::InitPasskey>& passkeys) {
  std::string text = std::to_string(passkeys.size()) + (passkeys.size() == 1 ? " passkey" : " passkeys");
  for (const accounts::InitPasskey& passkey : passkeys) text += " " + short_hex(passkey.public_key) + "…";
  return text;
}

std::string limit_text(const accounts::LimitState& limit) {
  const bool native = base::is_zero(limit.token);
  const auto show = [native](const Uint256& amount) {
    return native ? ether_text(amount) : core::format_decimal(amount) + " base units";
  };
  const std::string what = native ? "native currency" : core::format_address(limit.token);
  if (!native && !limit.listed) return what + ": no limit listed, so every transfer waits a day";
  return what + ": " + show(limit.per_day) + " a day, " + show(limit.spent_today) + " spent today";
}

std::string frozen_text(const accounts::AccountState& state, std::uint64_t now) {
  if (state.frozen_until_s == accounts::kFrozenForever) return "frozen by a vote; `account unfreeze` ends it";
  if (state.frozen_until_s > now)
    return "frozen by the server key; it ends by itself in " + span_text(state.frozen_until_s - now);
  return "no";
}

std::string line(const char* name, const std::string& value) {
  std::string text = "  " + std::string(name);
  text.resize(20, ' ');
  return text + value;
}

void say_items(const wallet::Overview& overview) {
  if (overview.waiting.empty()) say(line("waiting", "nothing"));
  for (const wallet::WaitingItem& one : overview.waiting) {
    const accounts::WaitingItem& item = one.item;
    say(line("waiting", core::to_hex(item.id)));
    say(line("", one.content ? item_text(*one.content)
                             : "the chain's server shows content that is not this item's: do not act on it"));
    say(line("", item.age_s >= item.delay_s ? "ready: `account finish` or, when queued, `account confirm`"
                                            : "ready in " + span_text(item.delay_s - item.age_s)));
  }
}

void say_grants(const wallet::Overview& overview) {
  for (const wallet::LiveGrant& one : overview.grants) {
    // What has passed its time is dead whatever the chain's flag says.
    if (one.content && one.content->valid_until_s < overview.time_s) continue;
    say(line("grant", core::to_hex(one.id)));
    if (!one.content) {
      say(line("", "the chain's server shows content that is not this grant's"));
      continue;
    }
    std::string functions;
    for (const auto& selector : one.content->selectors) functions += " " + core::to_hex(selector);
    say(line("", "calls " + core::format_address(one.content->target) + functions + ", " + ether_text(one.value_left) +
                     " left, ends in " + span_text(one.content->valid_until_s - overview.time_s)));
  }
}

void say_overview(const wallet::Overview& overview) {
  const accounts::AccountState& state = overview.state;
  say(line("balance", ether_text(state.balance)));
  if (!state.deployed) {
    say(line("deployed", "no; its first operation or `account deploy` makes it"));
    return;
  }
  say(line("key epoch", std::to_string(state.key_epoch)));
  say(line("server key", core::format_address(state.server_key)));
  say(line("escape key", core::format_address(state.escape_key)));
  for (const accounts::ChainPasskey& passkey : state.passkeys)
    say(line("passkey", "slot " + std::to_string(passkey.slot) + ", x " +
                            core::to_hex(core::ByteView(passkey.key.public_key).first(32))));
  say(line("frozen", frozen_text(state, overview.time_s)));
  say(line("guardians", state.guardian_threshold == 0
                            ? std::string("none: whoever loses all keys loses the account")
                            : std::to_string(state.guardian_threshold) + " recover it in " +
                                  span_text(state.recovery_delay_s) + "; list " + core::to_hex(state.guardians_hash)));
  say(line("mode", state.strict ? "strict: only allowed calls and known recipients go at once" : "normal"));
  say(line("gas cap", ether_text(state.gas_cap) + " an operation that no paymaster pays"));
  for (const accounts::LimitState& limit : state.limits) say(line("limit", limit_text(limit)));
  say_items(overview);
  say_grants(overview);
}

// What the node's trusted core thinks of the keys, where a node runs here and serves this chain and account.
Task<void> say_difference(AccountContext& context, std::uint64_t chain_id, Address account) {
  const auto info = co_await context.node_info();
  if (!info || info->chain_id != chain_id) co_return;
  const auto node = co_await context.node();
  const auto difference = co_await (*node)->key_difference(account);
  if (!difference) co_return;
  const boost::json::value* words = difference->if_contains("words");
  if (words != nullptr && words->is_string()) say(line("this node", std::string(words->get_string())));
}

}  // namespace

std::string ether_text(const Uint256& wei) {
  std::string digits = core::format_decimal(wei);
  if (digits.size() <= 18) digits.insert(0, 19 - digits.size(), '0');
  std::string part = digits.substr(digits.size() - 18);
  digits.resize(digits.size() - 18);
  while (!part.empty() && part.back() == '0') part.pop_back();
  return digits + (part.empty() ? "" : "." + part);
}

std::string span_text(std::uint64_t seconds) {
  constexpr std::array<std::pair<std::uint64_t, const char*>, 4> kUnits{
      {{86'400, "day"}, {3'600, "hour"}, {60, "minute"}, {1, "second"}}};
  std::string text;
  int parts = 0;
  for (const auto& [size, unit] : kUnits) {
    const std::uint64_t count = seconds / size;
    seconds %= size;
    if (count == 0 || parts == 2) continue;
    text += (parts++ > 0 ? " " : "") + std::to_string(count) + " " + unit + (count == 1 ? "" : "s");
  }
  return parts == 0 ? "no time" : text;
}

std::string item_text(const accounts::StartedItem& item) {
  if (const auto* queued = std::get_if<accounts::Queued>(&item)) {
    switch (queued->kind) {
      case accounts::QueueKind::spend: {
        const auto calls = accounts::read_calls(queued->content);
        if (!calls) return "queued: a batch that cannot be read";
        std::string text = "queued spend:";
        for (const accounts::Call& call : *calls)
          text += " " + ether_text(call.value) + " to " + core::format_address(call.to) +
                  (call.data.empty() ? ";" : " with call " + short_hex(call.data) + "…;");
        text.pop_back();
        return text;
      }
      case accounts::QueueKind::limit:
        return "queued: a higher daily limit";
      case accounts::QueueKind::gas_cap:
        return "queued: a higher gas cap";
      case accounts::QueueKind::domain:
        return "queued: an application whose messages the account may sign";
      case accounts::QueueKind::allowed_call:
        return "queued: a call for strict mode's list";
    }
    return "queued";
  }
  const accounts::Action& action = std::get<accounts::StartedAction>(item).action;
  if (const auto* escape = std::get_if<accounts::Escape>(&action))
    return "escape to " + keys_text(escape->passkeys) + ", server key " + core::format_address(escape->server_key);
  if (const auto* recover = std::get_if<accounts::Recover>(&action))
    return "recovery by the guardians to " + keys_text(recover->passkeys) + ", server key " +
           core::format_address(recover->server_key) + ", escape key " + core::format_address(recover->escape_key);
  if (const auto* change = std::get_if<accounts::ChangeKeys>(&action)) {
    std::string text = "change of keys: " + std::to_string(change->removed.size()) + " passkeys removed, adds " +
                       keys_text(change->added);
    if (!base::is_zero(change->server_key)) text += ", server key " + core::format_address(change->server_key);
    if (!base::is_zero(change->escape_key)) text += ", escape key " + core::format_address(change->escape_key);
    return text;
  }
  if (const auto* rules = std::get_if<accounts::ChangeRules>(&action))
    return "change of rules: guardians' threshold " + std::to_string(rules->guardian_threshold) + ", recovery in " +
           span_text(rules->recovery_delay_s) + (rules->strict ? ", strict mode" : "") +
           (rules->unlisted_tokens ? ", unlisted tokens allowed" : "");
  if (const auto* upgrade = std::get_if<accounts::Upgrade>(&action))
    return "upgrade to the code at " + core::format_address(upgrade->implementation);
  return "end of the freeze";
}

Task<wallet::Result<void>> show_account(AccountContext& context, std::vector<std::filesystem::path> files,
                                        std::vector<Address> tokens) {
  std::vector<wallet::WalletFile> read;
  for (const auto& path : files) {
    auto file = wallet::read_wallet_file(path);
    if (!file) co_return tl::unexpected(std::move(file.error()));
    read.push_back(std::move(*file));
  }
  const std::vector<std::string> urls = context.chain_urls();
  unsigned answered = 0;
  say("account " + core::format_address(wallet::account_of(read.front())));
  for (std::size_t i = 0; i < urls.size(); i++) {
    chain::ExecutionClient& client = context.chain(i);
    const auto id = co_await client.chain_id();
    if (!id) {
      // One chain that is away hides nothing of the others.
      say("chain at " + urls[i] + " does not answer: " + id.error().text());
      continue;
    }
    wallet::WalletServices services{client, *id, context.random()};
    auto opened = wallet::Wallet::open(std::move(services), read);
    if (!opened) co_return tl::unexpected(std::move(opened.error()));
    const auto overview = co_await opened->look(tokens);
    if (!overview) co_return tl::unexpected(overview.error());
    answered++;
    say("chain " + std::to_string(*id));
    say_overview(*overview);
    co_await say_difference(context, *id, opened->where().account);
  }
  if (answered == 0) co_return fail(ErrorCode::chain, "no chain answered; say --chain URL");
  co_return wallet::Result<void>{};
}

void say_acted(const wallet::Acted& acted, std::string_view what) {
  say(std::string(what) + ": transaction " + core::to_hex(acted.carried.transaction_hash) + ", block " +
      std::to_string(acted.carried.block_number));
  if (acted.waits_s == 0) return;
  say("It waits " + span_text(acted.waits_s) + " as item " + core::to_hex(acted.id));
  say("Then: community-node account finish FILE " + core::to_hex(acted.id));
}

void say_operation(const wallet::OperationResult& done, std::string_view what) {
  say(std::string(what) + ": transaction " + core::to_hex(done.transaction_hash) + ", block " +
      std::to_string(done.block_number) + ", " + core::format_decimal(done.gas_used) + " gas");
}

}  // namespace community::node
