// SPDX-License-Identifier: Apache-2.0
// Codecs between the values of this module and the JSON of execution clients. A member that is missing or has another
// shape is `malformed` with its name; members we do not know are ignored, because clients add their own.
#include "community/chain/api/types.hpp"

#include <algorithm>

#include "community/core/userop.hpp"

namespace community::chain {
namespace {

// Logs of one answer. A block of 60 M gas holds at most 160,000 logs (375 gas each).
constexpr std::size_t kMaxLogs = 200'000;

tl::unexpected<ChainError> malformed(std::string message) {
  return chain_fail(ChainErrorKind::malformed, std::move(message));
}
tl::unexpected<ChainError> malformed(const core::Error& error) { return malformed(error.text()); }

ChainResult<const json::object*> object_of(const json::value& value, std::string_view what) {
  if (!value.is_object()) return malformed(std::string(what) + " is not an object");
  return &value.get_object();
}

// Reads members one after the other and keeps the first error: shorter than a check after every member.
class Reader {
 public:
  explicit Reader(const json::object& object) : object_(object) {}

  std::uint64_t u64(std::string_view key) { return to_u64(key, take(core::number_member(object_, key))); }
  std::uint64_t u64_or_zero(std::string_view key) { return has(key) ? u64(key) : 0; }
  Uint256 number(std::string_view key) { return take(core::number_member(object_, key)); }
  Uint256 number_or_zero(std::string_view key) { return has(key) ? number(key) : Uint256(); }
  Bytes32 bytes32(std::string_view key) { return take(core::bytes32_member(object_, key)); }
  Bytes32 bytes32_or_zero(std::string_view key) { return has(key) ? bytes32(key) : Bytes32{}; }
  Address address(std::string_view key) { return take(core::address_member(object_, key)); }
  std::optional<Address> optional_address(std::string_view key) {
    if (!has(key)) return std::nullopt;
    return address(key);
  }
  Bytes bytes(std::string_view key) { return take(core::bytes_member(object_, key)); }
  const json::array& array(std::string_view key) {
    static const json::array kEmpty;
    const json::value* value = core::find_member(object_, key);
    if (value != nullptr && value->is_array()) return value->get_array();
    fail(std::string(key) + " is not an array");
    return kEmpty;
  }
  bool has(std::string_view key) const { return core::find_member(object_, key) != nullptr; }
  void fail(std::string message) {
    if (!error_) error_ = std::move(message);
  }
  const std::optional<std::string>& error() const { return error_; }

 private:
  template <class T>
  T take(core::Result<T> result) {
    if (result) return std::move(*result);
    fail(result.error().text());
    return T{};
  }
  std::uint64_t to_u64(std::string_view key, const Uint256& value) {
    if (!value.fits_u64()) fail(std::string(key) + " does not fit 64 bits");
    return value.limb[0];
  }

  const json::object& object_;
  std::optional<std::string> error_;
};

json::object to_json(const std::map<Bytes32, Bytes32>& slots) {
  json::object object;
  for (const auto& [slot, value] : slots) object[core::to_hex(slot)] = core::to_hex(value);
  return object;
}

ChainResult<std::map<Bytes32, Bytes32>> slots_from_json(const json::value& value) {
  const auto object = object_of(value, "state");
  if (!object) return tl::unexpected(object.error());
  std::map<Bytes32, Bytes32> slots;
  for (const auto& [key, word] : **object) {
    auto slot = core::parse_hex_number(std::string_view(key));
    if (!slot) return malformed(slot.error());
    if (!word.is_string()) return malformed("a storage value is not a string");
    auto content = core::parse_hex_number(std::string_view(word.get_string()));
    if (!content) return malformed(content.error());
    slots[slot->to_be()] = content->to_be();
  }
  return slots;
}

}  // namespace

std::string ChainError::text() const {
  std::string all(name(kind));
  if (kind == ChainErrorKind::rpc) all += " " + std::to_string(code);
  if (!message.empty()) all.append(": ").append(message);
  return all;
}

BlockRef BlockRef::number(std::uint64_t number) { return BlockRef(core::format_quantity(number)); }

BlockRef BlockRef::hash(const Bytes32& hash) {
  BlockRef ref(core::to_hex(hash));
  ref.hash_ = hash;
  return ref;
}

json::value BlockRef::to_json() const {
  if (!hash_) return json::value(text_);
  json::object object;
  object["blockHash"] = text_;
  return object;
}

json::object to_json(const CallRequest& request) {
  json::object object;
  if (request.from) object["from"] = core::to_hex(*request.from);
  if (request.to) object["to"] = core::to_hex(*request.to);
  if (request.gas) object["gas"] = core::format_quantity(*request.gas);
  if (request.gas_price) object["gasPrice"] = core::format_quantity(*request.gas_price);
  if (request.max_fee_per_gas) object["maxFeePerGas"] = core::format_quantity(*request.max_fee_per_gas);
  if (request.max_priority_fee_per_gas)
    object["maxPriorityFeePerGas"] = core::format_quantity(*request.max_priority_fee_per_gas);
  if (request.value) object["value"] = core::format_quantity(*request.value);
  // Old clients know only `data`; `input` is its newer name and all accept the old one.
  if (!request.data.empty()) object["data"] = core::to_hex(request.data);
  if (!request.authorization_list.empty()) {
    json::array list;
    for (const auto& authorization : request.authorization_list) list.push_back(core::to_json(authorization));
    object["authorizationList"] = std::move(list);
  }
  return object;
}

json::object to_json(const StateOverrides& overrides) {
  json::object object;
  for (const auto& [address, account] : overrides) {
    json::object entry;
    if (account.balance) entry["balance"] = core::format_quantity(*account.balance);
    if (account.nonce) entry["nonce"] = core::format_quantity(*account.nonce);
    if (account.code) entry["code"] = core::to_hex(*account.code);
    if (account.state) entry["state"] = to_json(*account.state);
    if (!account.state_diff.empty()) entry["stateDiff"] = to_json(account.state_diff);
    object[core::to_hex(address)] = std::move(entry);
  }
  return object;
}

json::object to_json(const LogFilter& filter) {
  json::object object;
  if (filter.block_hash) {
    object["blockHash"] = core::to_hex(*filter.block_hash);
  } else {
    object["fromBlock"] = filter.from.to_json();
    object["toBlock"] = filter.to.to_json();
  }
  json::array addresses;
  for (const auto& address : filter.addresses) addresses.push_back(json::value(core::to_hex(address)));
  if (!addresses.empty()) object["address"] = std::move(addresses);
  json::array topics;
  for (const auto& choices : filter.topics) {
    json::array position;
    for (const auto& topic : choices) position.push_back(json::value(core::to_hex(topic)));
    topics.push_back(position.empty() ? json::value(nullptr) : json::value(std::move(position)));
  }
  if (!topics.empty()) object["topics"] = std::move(topics);
  return object;
}

ChainResult<StateOverrides> state_overrides_from_json(const json::value& value) {
  StateOverrides overrides;
  if (value.is_null()) return overrides;
  const auto object = object_of(value, "state overrides");
  if (!object) return tl::unexpected(object.error());
  for (const auto& [key, entry] : **object) {
    const auto address = core::parse_address(std::string_view(key));
    if (!address) return malformed(address.error());
    const auto fields = object_of(entry, "a state override");
    if (!fields) return tl::unexpected(fields.error());
    AccountOverride account;
    Reader reader(**fields);
    if (reader.has("balance")) account.balance = reader.number("balance");
    if (reader.has("nonce")) account.nonce = reader.u64("nonce");
    if (reader.has("code")) account.code = reader.bytes("code");
    if (reader.error()) return malformed(*reader.error());
    for (const char* member : {"state", "stateDiff"}) {
      const json::value* slots = core::find_member(**fields, member);
      if (slots == nullptr) continue;
      auto read = slots_from_json(*slots);
      if (!read) return tl::unexpected(read.error());
      if (std::string_view(member) == "state") {
        account.state = std::move(*read);
      } else {
        account.state_diff = std::move(*read);
      }
    }
    overrides[*address] = std::move(account);
  }
  return overrides;
}

ChainResult<Block> block_from_json(const json::value& value) {
  const auto object = object_of(value, "a block");
  if (!object) return tl::unexpected(object.error());
  Reader reader(**object);
  Block block;
  block.number = reader.u64("number");
  block.hash = reader.bytes32("hash");
  block.parent_hash = reader.bytes32("parentHash");
  block.timestamp = reader.u64("timestamp");
  block.base_fee = reader.number_or_zero("baseFeePerGas");
  block.gas_limit = reader.u64("gasLimit");
  block.gas_used = reader.u64("gasUsed");
  block.beneficiary = reader.optional_address("miner").value_or(Address{});
  block.mix_hash = reader.bytes32_or_zero("mixHash");
  if (reader.has("excessBlobGas")) block.excess_blob_gas = reader.u64("excessBlobGas");
  if (!reader.has("transactions")) reader.fail("transactions is missing");
  const auto& transactions = reader.array("transactions");
  block.transactions.reserve(transactions.size());
  for (const auto& entry : transactions) {
    const json::value* hash = entry.is_object() ? core::find_member(entry.get_object(), "hash") : &entry;
    if (hash == nullptr || !hash->is_string()) return malformed("a transaction of a block has no hash");
    const auto parsed = core::parse_bytes32(std::string_view(hash->get_string()));
    if (!parsed) return malformed(parsed.error());
    block.transactions.push_back(*parsed);
  }
  if (reader.error()) return malformed(*reader.error());
  return block;
}

ChainResult<Log> log_from_json(const json::value& value) {
  const auto object = object_of(value, "a log");
  if (!object) return tl::unexpected(object.error());
  Reader reader(**object);
  Log log;
  log.address = reader.address("address");
  log.data = reader.bytes("data");
  log.block_number = reader.u64_or_zero("blockNumber");
  log.block_hash = reader.bytes32_or_zero("blockHash");
  log.transaction_hash = reader.bytes32_or_zero("transactionHash");
  log.transaction_index = reader.u64_or_zero("transactionIndex");
  log.log_index = reader.u64_or_zero("logIndex");
  const json::value* removed = core::find_member(**object, "removed");
  log.removed = removed != nullptr && removed->is_bool() && removed->get_bool();
  for (const auto& topic : reader.array("topics")) {
    if (!topic.is_string() || log.topics.size() == 4) return malformed("topics are at most four strings");
    const auto parsed = core::parse_bytes32(std::string_view(topic.get_string()));
    if (!parsed) return malformed(parsed.error());
    log.topics.push_back(*parsed);
  }
  if (reader.error()) return malformed(*reader.error());
  return log;
}

ChainResult<Receipt> receipt_from_json(const json::value& value) {
  const auto object = object_of(value, "a receipt");
  if (!object) return tl::unexpected(object.error());
  Reader reader(**object);
  Receipt receipt;
  receipt.transaction_hash = reader.bytes32("transactionHash");
  receipt.transaction_index = reader.u64("transactionIndex");
  receipt.block_hash = reader.bytes32("blockHash");
  receipt.block_number = reader.u64("blockNumber");
  receipt.from = reader.address("from");
  receipt.to = reader.optional_address("to");
  receipt.contract_address = reader.optional_address("contractAddress");
  receipt.success = reader.u64("status") == 1;
  receipt.gas_used = reader.u64("gasUsed");
  receipt.cumulative_gas_used = reader.u64("cumulativeGasUsed");
  receipt.effective_gas_price = reader.number_or_zero("effectiveGasPrice");
  const auto& logs = reader.array("logs");
  if (reader.error()) return malformed(*reader.error());
  if (logs.size() > kMaxLogs) return malformed("more logs than a block can hold");
  receipt.logs.reserve(logs.size());
  for (const auto& entry : logs) {
    auto log = log_from_json(entry);
    if (!log) return tl::unexpected(log.error());
    receipt.logs.push_back(std::move(*log));
  }
  receipt.raw = **object;
  return receipt;
}

ChainResult<FeeHistory> fee_history_from_json(const json::value& value) {
  const auto object = object_of(value, "a fee history");
  if (!object) return tl::unexpected(object.error());
  Reader reader(**object);
  FeeHistory history;
  history.oldest_block = reader.u64("oldestBlock");
  for (const auto& fee : reader.array("baseFeePerGas")) {
    const auto parsed = core::number_value(fee);
    if (!parsed) return malformed(parsed.error());
    history.base_fees.push_back(*parsed);
  }
  for (const auto& ratio : reader.array("gasUsedRatio")) {
    boost::system::error_code error;
    history.gas_used_ratio.push_back(ratio.to_number<double>(error));
    if (error) return malformed("gasUsedRatio holds no number");
  }
  if (reader.has("reward")) {
    for (const auto& block : reader.array("reward")) {
      if (!block.is_array()) return malformed("reward is not an array of arrays");
      std::vector<Uint256> fees;
      for (const auto& fee : block.get_array()) {
        const auto parsed = core::number_value(fee);
        if (!parsed) return malformed(parsed.error());
        fees.push_back(*parsed);
      }
      history.rewards.push_back(std::move(fees));
    }
  }
  if (reader.error()) return malformed(*reader.error());
  return history;
}

Bytes revert_data_from_json(const json::value& data) {
  if (data.is_object()) {
    // Some clients wrap the bytes once more, under one of these names.
    for (const char* member : {"data", "result", "output"})
      if (const json::value* inner = core::find_member(data.get_object(), member))
        return inner->is_object() ? Bytes{} : revert_data_from_json(*inner);
    return {};
  }
  if (!data.is_string()) return {};
  std::string_view text(data.get_string());
  // "Reverted 0x08c379a0…".
  const std::size_t start = text.find("0x");
  if (start == std::string_view::npos) return {};
  auto bytes = core::parse_hex(text.substr(start));
  return bytes ? std::move(*bytes) : Bytes{};
}

}  // namespace community::chain
