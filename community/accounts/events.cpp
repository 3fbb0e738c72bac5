// SPDX-License-Identifier: Apache-2.0
// One table of the contract's events makes topics, decoders and names.
#include "community/accounts/api/events.hpp"

#include <map>

namespace community::accounts {
namespace {

namespace json = boost::json;
using core::AbiType;
using core::AbiValue;

struct EventRule {
  // Solidity's text; indexed fields first, as the contract has them.
  std::string_view text;
  Loudness loudness;
};

constexpr EventRule kEvents[] = {
    {"ItemStarted(bytes32 indexed item,uint8 indexed kind,uint256 votes,bytes call)", Loudness::alarm},
    {"ItemCancelled(bytes32 indexed item,uint8 indexed kind,uint256 signers)", Loudness::notice},
    {"ItemFinished(bytes32 indexed item,uint8 indexed kind)", Loudness::alarm},
    {"DigestApproved(bytes32 indexed digest,address indexed guardian)", Loudness::quiet},
    {"Frozen(uint256 votes)", Loudness::alarm},
    {"ServerFrozen(uint48 until)", Loudness::alarm},
    {"Unfrozen()", Loudness::alarm},
    {"PasskeyAdded(uint256 indexed slot,uint256 x,uint256 y,bytes32 rpIdHash)", Loudness::alarm},
    {"PasskeyRemoved(uint256 indexed slot,uint256 x)", Loudness::alarm},
    {"ServerKeyChanged(address indexed serverKey)", Loudness::alarm},
    {"EscapeKeyChanged(address indexed escapeKey)", Loudness::alarm},
    {"GuardiansChanged(bytes32 guardiansHash,uint8 threshold,uint32 recoveryDelay)", Loudness::alarm},
    {"StrictModeChanged(bool strict)", Loudness::alarm},
    {"UnlistedTokensChanged(bool allowed)", Loudness::alarm},
    {"KeyEpochChanged(uint32 indexed keyEpoch)", Loudness::quiet},
    {"Upgraded(address indexed implementation)", Loudness::alarm},
    {"GasCapChanged(uint256 maxCost)", Loudness::alarm},
    {"SpendingLimitChanged(address indexed token,uint256 perDay)", Loudness::alarm},
    {"DomainListed(bytes32 indexed domainSeparator)", Loudness::alarm},
    {"DomainUnlisted(bytes32 indexed domainSeparator)", Loudness::notice},
    {"CallAllowed(address indexed target,bytes4 indexed selector)", Loudness::alarm},
    {"CallDisallowed(address indexed target,bytes4 indexed selector)", Loudness::notice},
    {"FirstUse(address indexed counterparty)", Loudness::notice},
    {"GrantCreated(bytes32 indexed grantId,bytes call)", Loudness::alarm},
    {"GrantRevoked(bytes32 indexed grantId)", Loudness::notice},
};

struct EventShape {
  std::string name;
  Loudness loudness;
  std::vector<AbiType> indexed;
  std::vector<AbiType> data;
};

AbiType named(std::string_view type, std::string_view name) {
  AbiType parsed = core::parse_abi_type(type).value();
  parsed.name = name;
  return parsed;
}

struct Events {
  std::map<Bytes32, EventShape> by_topic;
  std::vector<Bytes32> topics;

  Events() {
    for (const EventRule& rule : kEvents) add(rule);
  }

 private:
  void add(const EventRule& rule) {
    const std::size_t open = rule.text.find('(');
    EventShape shape{std::string(rule.text.substr(0, open)), rule.loudness, {}, {}};
    std::string canonical = shape.name + '(';
    std::string_view rest = rule.text.substr(open + 1, rule.text.size() - open - 2);
    while (!rest.empty()) {
      const std::string_view field = rest.substr(0, rest.find(','));
      rest.remove_prefix(std::min(rest.size(), field.size() + 1));
      const std::string_view type = field.substr(0, field.find(' '));
      const std::string_view name = field.substr(field.rfind(' ') + 1);
      if (canonical.back() != '(') canonical += ',';
      canonical += type;
      const bool indexed = field.find(" indexed ") != std::string_view::npos;
      (indexed ? shape.indexed : shape.data).push_back(named(type, name));
    }
    const Bytes32 topic = core::event_topic(canonical + ')');
    topics.push_back(topic);
    by_topic.emplace(topic, std::move(shape));
  }
};

const Events& events() {
  static const Events all;
  return all;
}

json::value json_value(const EventField& field) {
  using Kind = AbiType::Kind;
  switch (field.type.kind) {
    case Kind::boolean:
      return !field.value.word().is_zero();
    case Kind::address:
      return json::value(core::format_address(field.value.address()));
    case Kind::fixed_bytes:
    case Kind::bytes:
      return json::value(core::to_hex(field.value.bytes()));
    default:
      return json::value(core::format_decimal(field.value.word()));
  }
}

}  // namespace

const AbiValue* AccountEvent::field(std::string_view wanted) const {
  for (const EventField& one : fields)
    if (one.name == wanted) return &one.value;
  return nullptr;
}

const std::vector<Bytes32>& account_event_topics() { return events().topics; }

std::optional<AccountEvent> read_account_event(const chain::Log& log) {
  if (log.topics.empty()) return std::nullopt;
  const auto found = events().by_topic.find(log.topics.front());
  if (found == events().by_topic.end() || log.topics.size() != found->second.indexed.size() + 1) return std::nullopt;
  const EventShape& shape = found->second;
  AccountEvent event;
  event.name = shape.name;
  event.loudness = shape.loudness;
  event.account = log.address;
  event.block_number = log.block_number;
  event.block_hash = log.block_hash;
  event.transaction_hash = log.transaction_hash;
  event.log_index = log.log_index;
  for (std::size_t i = 0; i < shape.indexed.size(); i++) {
    auto value = core::abi_decode({shape.indexed[i]}, log.topics[i + 1]);
    if (!value) return std::nullopt;
    event.fields.push_back({shape.indexed[i].name, shape.indexed[i], std::move(value->front())});
  }
  auto values = core::abi_decode(shape.data, log.data);
  if (!values) return std::nullopt;
  for (std::size_t i = 0; i < shape.data.size(); i++)
    event.fields.push_back({shape.data[i].name, shape.data[i], std::move((*values)[i])});
  return event;
}

json::object to_json(const AccountEvent& event) {
  json::object object;
  object["event"] = event.name;
  object["loudness"] = name(event.loudness);
  object["account"] = core::format_address(event.account);
  object["block"] = event.block_number;
  object["transaction"] = core::to_hex(event.transaction_hash);
  for (const EventField& field : event.fields) object[field.name] = json_value(field);
  return object;
}

}  // namespace community::accounts
