// SPDX-License-Identifier: Apache-2.0
#include "community/alarms/api/key_difference.hpp"

#include <algorithm>

#include "community/core/json.hpp"

namespace community::alarms {
namespace {

namespace json = boost::json;
using accounts::ChainPasskey;
using accounts::InitPasskey;

bool same_key(const InitPasskey& a, const InitPasskey& b) {
  return a.public_key == b.public_key && a.rp_id_hash == b.rp_id_hash;
}

InitPasskey key_of(const protocol::Passkey& passkey) { return {passkey.public_key, passkey.rp_id_hash}; }

std::vector<CorePasskey> only_in_core(const KeyFacts& facts) {
  std::vector<CorePasskey> missing;
  for (std::size_t i = 0; i < facts.wallet.passkey_count; i++) {
    const protocol::Passkey& passkey = facts.wallet.passkeys[i];
    const bool there = std::ranges::any_of(facts.account.passkeys,
                                           [&](const ChainPasskey& one) { return same_key(one.key, key_of(passkey)); });
    if (!there) missing.push_back({passkey.credential_hash, key_of(passkey)});
  }
  return missing;
}

std::vector<ChainPasskey> only_on_chain(const KeyFacts& facts) {
  std::vector<ChainPasskey> unknown;
  for (const ChainPasskey& one : facts.account.passkeys) {
    const auto* end = facts.wallet.passkeys.data() + facts.wallet.passkey_count;
    const bool there = std::any_of(facts.wallet.passkeys.data(), end, [&](const protocol::Passkey& passkey) {
      return same_key(one.key, key_of(passkey));
    });
    if (!there) unknown.push_back(one);
  }
  return unknown;
}

Address server_key_in_core(const KeyFacts& facts) {
  if (!base::is_zero(facts.binding.moved_to)) return facts.binding.moved_to;
  const std::uint32_t agreed = std::max(facts.agreed.server_key_index, facts.binding.server_key_index);
  const bool named_no_newer = facts.binding.last_server_key_index <= agreed;
  return named_no_newer && facts.server_key_index ? facts.account.server_key : facts.last_server_key;
}

// Named by the core later than both agreed last, and not away again: account_adopt, or a key change on its way.
bool is_arriving(const KeyFacts& facts) {
  if (!base::is_zero(facts.binding.moved_to)) return false;
  if (facts.binding.last_server_key_index > facts.agreed.server_key_index) return true;
  return facts.binding.is_adopted() && facts.agreed == KeyAgreement{};
}

KeyStep next_step(const KeyFacts& facts, const KeyDifference& found) {
  if (!facts.account.deployed) return KeyStep::not_deployed;
  if (!facts.server_key_index) return is_arriving(facts) ? KeyStep::not_arrived : KeyStep::account_left;
  if (found.only_in_core.empty() && found.only_on_chain.empty() && !found.server_key_differs()) return KeyStep::agreed;
  if (facts.change_waits) return KeyStep::wait;
  return facts.account.key_epoch > facts.agreed.key_epoch ? KeyStep::chain_moved : KeyStep::repeat;
}

json::object passkey_json(const InitPasskey& key) {
  json::object passkey;
  passkey["x"] = core::to_hex(core::ByteView(key.public_key).first(32));
  passkey["y"] = core::to_hex(core::ByteView(key.public_key).subspan(32));
  passkey["rpIdHash"] = core::to_hex(key.rp_id_hash);
  return passkey;
}

}  // namespace

std::string_view describe(KeyStep step) {
  switch (step) {
    case KeyStep::agreed:
      return "The wallet and the account have the same keys.";
    case KeyStep::not_deployed:
      return "The account is not deployed on this chain yet.";
    case KeyStep::wait:
      return "A change of keys waits on chain: finish it when its time has come, or cancel it.";
    case KeyStep::repeat:
      return "The wallet has changed keys and this chain has not: submit the change again; sign a new one when its "
             "deadline has passed; or take it back in the wallet.";
    case KeyStep::chain_moved:
      return "The account's keys changed without this node (escape, recovery): bring the wallet's passkeys in line "
             "with the chain.";
    case KeyStep::not_arrived:
      return "This node has taken the account in, and the chain has not given it this wallet's server key yet: finish "
             "the move (change of keys, escape or recovery) on chain.";
    case KeyStep::account_left:
      return "The account's server key is not this node's: the account has left, and nothing is to be repeated.";
  }
  return "";
}

KeyDifference compare_keys(const KeyFacts& facts) {
  KeyDifference found;
  found.chain_id = facts.binding.chain_id;
  found.account = facts.binding.address;
  found.wallet = facts.wallet.wallet_id;
  found.agreed = facts.agreed;
  if (facts.account.deployed) {
    found.only_in_core = only_in_core(facts);
    found.only_on_chain = only_on_chain(facts);
    found.server_key = facts.account.server_key;
    found.server_key_in_core = server_key_in_core(facts);
    found.server_key_index = facts.server_key_index;
    found.key_epoch = facts.account.key_epoch;
  }
  found.next = next_step(facts, found);
  return found;
}

json::object to_json(const KeyDifference& difference) {
  json::object object;
  object["chainId"] = difference.chain_id;
  object["account"] = core::format_address(difference.account);
  object["wallet"] = core::to_hex(difference.wallet);
  object["next"] = name(difference.next);
  object["words"] = describe(difference.next);
  if (difference.next == KeyStep::not_deployed) return object;
  json::array in_core, on_chain;
  for (const CorePasskey& one : difference.only_in_core) {
    json::object passkey = passkey_json(one.key);
    passkey["credentialHash"] = core::to_hex(one.credential_hash);
    in_core.push_back(std::move(passkey));
  }
  for (const ChainPasskey& one : difference.only_on_chain) {
    json::object passkey = passkey_json(one.key);
    passkey["slot"] = one.slot;
    on_chain.push_back(std::move(passkey));
  }
  object["onlyInCore"] = std::move(in_core);
  object["onlyOnChain"] = std::move(on_chain);
  object["serverKey"] = core::format_address(difference.server_key);
  object["serverKeyInCore"] = core::format_address(difference.server_key_in_core);
  object["serverKeyIndex"] = difference.server_key_index ? json::value(*difference.server_key_index) : json::value();
  object["keyEpoch"] = difference.key_epoch;
  object["agreedKeyEpoch"] = difference.agreed.key_epoch;
  return object;
}

}  // namespace community::alarms
