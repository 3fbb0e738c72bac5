// SPDX-License-Identifier: Apache-2.0
// The answers of the chain in memory.
#include "community/chain/fake/fake_chain.hpp"

#include <algorithm>

#include "community/core/abi.hpp"

namespace community::chain {
namespace {

constexpr std::uint64_t kGasLimit = 30'000'000;

ChainError node_error(int code, std::string message) {
  ChainError error;
  error.kind = ChainErrorKind::rpc;
  error.code = code;
  error.message = std::move(message);
  return error;
}
tl::unexpected<ChainError> refuse(int code, std::string message) {
  return tl::unexpected<ChainError>(node_error(code, std::move(message)));
}

std::string text_at(const json::array& params, std::size_t i) {
  return i < params.size() && params[i].is_string() ? std::string(params[i].get_string()) : std::string();
}
Address address_at(const json::array& params, std::size_t i) {
  return core::parse_address(text_at(params, i)).value_or(Address{});
}
Bytes32 word_at(const json::array& params, std::size_t i) {
  return core::parse_hex_number(text_at(params, i)).value_or(Uint256()).to_be();
}

json::value quantity(const Uint256& value) { return json::value(core::format_quantity(value)); }
json::value hex(ByteView bytes) { return json::value(core::to_hex(bytes)); }

json::object block_json(const Block& block) {
  json::object object;
  object["number"] = quantity(block.number);
  object["hash"] = hex(block.hash);
  object["parentHash"] = hex(block.parent_hash);
  object["timestamp"] = quantity(block.timestamp);
  object["baseFeePerGas"] = quantity(block.base_fee);
  object["gasLimit"] = quantity(block.gas_limit);
  object["gasUsed"] = quantity(block.gas_used);
  object["miner"] = hex(block.beneficiary);
  object["mixHash"] = hex(block.mix_hash);
  json::array transactions;
  for (const auto& hash : block.transactions) transactions.push_back(hex(hash));
  object["transactions"] = std::move(transactions);
  return object;
}

json::object log_json(const Log& log) {
  json::object object;
  object["address"] = hex(log.address);
  json::array topics;
  for (const auto& topic : log.topics) topics.push_back(hex(topic));
  object["topics"] = std::move(topics);
  object["data"] = hex(log.data);
  object["blockNumber"] = quantity(log.block_number);
  object["blockHash"] = hex(log.block_hash);
  object["transactionHash"] = hex(log.transaction_hash);
  object["transactionIndex"] = quantity(log.transaction_index);
  object["logIndex"] = quantity(log.log_index);
  object["removed"] = false;
  return object;
}

// Whether a log fits the address and topics members of a filter.
bool fits(const json::object& filter, const json::object& log) {
  const auto one_of = [](const json::value& wanted, const json::value& value) {
    if (wanted.is_null()) return true;
    if (!wanted.is_array()) return wanted == value;
    return std::find(wanted.get_array().begin(), wanted.get_array().end(), value) != wanted.get_array().end();
  };
  if (const auto* addresses = filter.if_contains("address"); addresses && !one_of(*addresses, log.at("address")))
    return false;
  const auto* topics = filter.if_contains("topics");
  if (topics == nullptr) return true;
  const auto& has = log.at("topics").as_array();
  for (std::size_t i = 0; i < topics->as_array().size(); i++) {
    const auto& wanted = topics->as_array()[i];
    if (wanted.is_null()) continue;
    if (i >= has.size() || !one_of(wanted, has[i])) return false;
  }
  return true;
}

CallRequest call_request(const json::value& value) {
  CallRequest request;
  const auto& object = value.as_object();
  if (core::find_member(object, "from") != nullptr)
    request.from = core::address_member(object, "from").value_or(Address{});
  if (core::find_member(object, "to") != nullptr) request.to = core::address_member(object, "to").value_or(Address{});
  if (core::find_member(object, "data") != nullptr) request.data = core::bytes_member(object, "data").value_or(Bytes{});
  if (core::find_member(object, "value") != nullptr)
    request.value = core::number_member(object, "value").value_or(Uint256());
  if (core::find_member(object, "gas") != nullptr)
    request.gas = core::number_member(object, "gas").value_or(Uint256()).to_u64();
  return request;
}

}  // namespace

FakeChain::FakeChain(std::uint64_t chain_id) : chain_id_(chain_id) { append_block(); }

void FakeChain::append_block() {
  Block block;
  block.number = blocks_.size();
  if (!blocks_.empty()) block.parent_hash = blocks_.back().hash;
  // Any text has a digest: block, branch and parent make it unique.
  block.hash = core::event_topic("block " + std::to_string(block.number) + " " + std::to_string(salt_) + " " +
                                 core::to_hex(block.parent_hash));
  block.timestamp = 1'767'225'600 + block.number + passed_s_;
  block.base_fee = base_fee_;
  block.gas_limit = kGasLimit;
  blocks_.push_back(std::move(block));
}

const Block& FakeChain::mine(std::size_t blocks) {
  for (std::size_t i = 0; i < blocks; i++) {
    append_block();
    // A transaction may make the next one of its sender ready: until nothing changes.
    for (bool progress = true; progress;) {
      progress = false;
      for (const Bytes32 hash : std::vector<Bytes32>(pending_)) {
        const Known& known = transactions_.at(hash);
        if (known.transaction.nonce != nonces_[known.from]) continue;
        const bool legacy = known.transaction.type == core::TransactionType::legacy;
        if ((legacy ? known.transaction.gas_price : known.transaction.max_fee_per_gas) < base_fee_) continue;
        include(hash, blocks_.back());
        progress = true;
      }
    }
  }
  return blocks_.back();
}

void FakeChain::include(const Bytes32& hash, Block& block) {
  Known& known = transactions_.at(hash);
  std::erase(pending_, hash);
  nonces_[known.from]++;
  Executed executed;
  if (on_transaction_) executed = on_transaction_(known.transaction, known.from);
  json::object receipt;
  receipt["transactionHash"] = hex(hash);
  receipt["transactionIndex"] = quantity(block.transactions.size());
  receipt["blockHash"] = hex(block.hash);
  receipt["blockNumber"] = quantity(block.number);
  receipt["from"] = hex(known.from);
  receipt["to"] = known.transaction.to ? hex(*known.transaction.to) : json::value(nullptr);
  receipt["contractAddress"] = nullptr;
  receipt["status"] = executed.success ? "0x1" : "0x0";
  receipt["gasUsed"] = quantity(executed.gas_used);
  block.gas_used += executed.gas_used;
  receipt["cumulativeGasUsed"] = quantity(block.gas_used);
  receipt["effectiveGasPrice"] =
      quantity(add(base_fee_, known.transaction.max_priority_fee_per_gas).value_or(base_fee_));
  receipt["type"] = quantity(static_cast<std::uint64_t>(known.transaction.type));
  json::array logs;
  for (auto& log : executed.logs) {
    log.block_number = block.number;
    log.block_hash = block.hash;
    log.transaction_hash = hash;
    log.transaction_index = block.transactions.size();
    log.log_index = logs.size();
    logs.push_back(log_json(log));
  }
  receipt["logs"] = std::move(logs);
  known.receipt = std::move(receipt);
  block.transactions.push_back(hash);
}

void FakeChain::reorg(std::size_t depth, std::size_t blocks) {
  salt_++;
  for (std::size_t i = 0; i < depth && blocks_.size() > 1; i++) {
    for (const auto& hash : blocks_.back().transactions) {
      Known& known = transactions_.at(hash);
      known.receipt = nullptr;
      nonces_[known.from]--;
      pending_.push_back(hash);
    }
    blocks_.pop_back();
  }
  for (std::size_t i = 0; i < blocks; i++) append_block();
}

void FakeChain::reset() {
  salt_++;
  blocks_.clear();
  transactions_.clear();
  pending_.clear();
  append_block();
}

void FakeChain::drop_pending(const Bytes32& hash) {
  std::erase(pending_, hash);
  transactions_.erase(hash);
}

std::size_t FakeChain::count(std::string_view method) const {
  return static_cast<std::size_t>(
      std::count_if(calls_.begin(), calls_.end(), [method](const ChainCall& call) { return call.method == method; }));
}

Task<ChainResult<json::value>> FakeChain::request(ChainCall call, ChainCallOptions) {
  co_await infra::reschedule();
  requests_++;
  calls_.push_back(call);
  if (!failures_.empty()) {
    ChainError error = std::move(failures_.front());
    failures_.pop_front();
    co_return tl::unexpected(std::move(error));
  }
  co_return answer(call);
}

Task<ChainResult<std::vector<ChainResult<json::value>>>> FakeChain::batch(std::vector<ChainCall> calls,
                                                                          ChainCallOptions) {
  co_await infra::reschedule();
  requests_++;
  calls_.insert(calls_.end(), calls.begin(), calls.end());
  if (!failures_.empty()) {
    ChainError error = std::move(failures_.front());
    failures_.pop_front();
    co_return tl::unexpected(std::move(error));
  }
  std::vector<ChainResult<json::value>> answers;
  for (const auto& call : calls) answers.push_back(answer(call));
  co_return answers;
}

ChainResult<json::value> FakeChain::answer(const ChainCall& call) {
  if (const auto found = methods_.find(call.method); found != methods_.end()) return found->second(call.params);
  if (call.method == "eth_chainId") return quantity(chain_id_);
  if (call.method == "eth_blockNumber") return quantity(blocks_.back().number);
  if (call.method == "eth_getBlockByNumber" || call.method == "eth_getBlockByHash") return answer_block(call);
  if (call.method == "eth_call" || call.method == "eth_estimateGas") return answer_call(call);
  if (call.method == "eth_sendRawTransaction") return send(call);
  if (call.method == "eth_feeHistory" || call.method == "eth_maxPriorityFeePerGas" || call.method == "eth_gasPrice")
    return answer_fees(call);
  if (call.method == "eth_getLogs") return find_logs(call.params.at(0).as_object());
  return answer_state(call);
}

ChainResult<json::value> FakeChain::answer_state(const ChainCall& call) {
  const Address address = address_at(call.params, 0);
  if (call.method == "eth_getBalance") return quantity(balances_[address]);
  if (call.method == "eth_getCode") return hex(codes_[address]);
  if (call.method == "eth_getStorageAt") return hex(storage_[{address, word_at(call.params, 1)}]);
  if (call.method == "eth_getTransactionCount") {
    std::uint64_t nonce = nonces_[address];
    const std::string block(text_at(call.params, 1));
    if (const auto number = core::parse_quantity(block)) {
      // As of an earlier block: without what came later.
      for (const auto& [hash, known] : transactions_) {
        if (known.from != address || known.receipt.is_null()) continue;
        const auto included = core::parse_quantity(text_at(json::array{known.receipt.at("blockNumber")}, 0));
        if (*included > *number) nonce--;
      }
      return quantity(nonce);
    }
    if (block != "pending") return quantity(nonce);
    const auto is_next = [&](const Bytes32& hash) {
      const Known& known = transactions_.at(hash);
      return known.from == address && known.transaction.nonce == nonce;
    };
    while (std::any_of(pending_.begin(), pending_.end(), is_next)) nonce++;
    return quantity(nonce);
  }
  const auto found = transactions_.find(word_at(call.params, 0));
  if (call.method == "eth_getTransactionReceipt")
    return found == transactions_.end() ? json::value(nullptr) : found->second.receipt;
  if (call.method == "eth_getTransactionByHash") {
    if (found == transactions_.end()) return json::value(nullptr);
    json::object object;
    object["hash"] = hex(found->first);
    object["nonce"] = quantity(found->second.transaction.nonce);
    object["from"] = hex(found->second.from);
    object["blockNumber"] =
        found->second.receipt.is_null() ? json::value(nullptr) : found->second.receipt.at("blockNumber");
    return json::value(std::move(object));
  }
  return refuse(-32'601, "the fake chain does not know " + call.method);
}

ChainResult<json::value> FakeChain::answer_call(const ChainCall& call) {
  const CallRequest request = call_request(call.params.at(0));
  const auto many = request.to ? std::nullopt : decode_view_calls(request.data);
  ChainResult<Bytes> result = many ? answer_view_calls(*many) : answer_contract(request);
  if (!result) return tl::unexpected(result.error());
  if (call.method == "eth_estimateGas") return quantity(21'000 + request.data.size() * 16);
  return hex(*result);
}

ChainResult<Bytes> FakeChain::answer_contract(const CallRequest& request) {
  const auto handler = request.to ? call_handlers_.find(*request.to) : call_handlers_.end();
  if (handler == call_handlers_.end()) return Bytes{};
  return handler->second(request);
}

ChainResult<Bytes> FakeChain::answer_view_calls(const std::vector<ViewCall>& calls) {
  std::vector<ViewAnswer> answers;
  for (const ViewCall& one : calls) {
    CallRequest request;
    request.to = one.to;
    request.data = one.data;
    auto answer = answer_contract(request);
    // A chain that is away answers none of them.
    if (!answer && !answer.error().reverted) return tl::unexpected(answer.error());
    answers.push_back({answer.has_value(), answer ? std::move(*answer) : answer.error().data});
  }
  return encode_view_answers(answers);
}

ChainResult<json::value> FakeChain::answer_block(const ChainCall& call) const {
  const std::string which = text_at(call.params, 0);
  if (call.method == "eth_getBlockByHash") {
    for (const auto& block : blocks_)
      if (core::to_hex(block.hash) == which) return json::value(block_json(block));
    return json::value(nullptr);
  }
  if (which == "earliest") return json::value(block_json(blocks_.front()));
  if (which == "latest" || which == "pending" || which == "safe" || which == "finalized")
    return json::value(block_json(blocks_.back()));
  const auto number = core::parse_quantity(which);
  if (!number || *number >= Uint256(blocks_.size())) return json::value(nullptr);
  return json::value(block_json(blocks_[number->limb[0]]));
}

ChainResult<json::value> FakeChain::answer_fees(const ChainCall& call) const {
  if (call.method == "eth_maxPriorityFeePerGas") return quantity(priority_fee_);
  if (call.method == "eth_gasPrice") return quantity(add(base_fee_, priority_fee_).value_or(base_fee_));
  const std::uint64_t wanted = core::parse_number(text_at(call.params, 0)).value_or(Uint256(1)).limb[0];
  const std::uint64_t blocks = std::min<std::uint64_t>(wanted, blocks_.size());
  json::array base_fees, ratios, rewards;
  for (std::uint64_t i = 0; i < blocks; i++) {
    base_fees.push_back(quantity(blocks_[blocks_.size() - blocks + i].base_fee));
    ratios.push_back(0.5);
    json::array row;
    for (std::size_t k = 0; k < call.params.at(2).as_array().size(); k++) row.push_back(quantity(priority_fee_));
    rewards.push_back(std::move(row));
  }
  base_fees.push_back(quantity(base_fee_));
  json::object history;
  history["oldestBlock"] = quantity(blocks_.size() - blocks);
  history["baseFeePerGas"] = std::move(base_fees);
  history["gasUsedRatio"] = std::move(ratios);
  history["reward"] = std::move(rewards);
  return json::value(std::move(history));
}

ChainResult<json::value> FakeChain::send(const ChainCall& call) {
  const auto raw = core::parse_hex(text_at(call.params, 0));
  if (!raw) return refuse(-32'602, raw.error().text());
  auto transaction = core::decode_transaction(*raw);
  if (!transaction) return refuse(-32'602, transaction.error().text());
  const auto from = transaction->sender();
  const auto hash = transaction->hash();
  if (!from || !hash) return refuse(-32'602, "the signature is not valid");
  if (transactions_.contains(*hash)) return refuse(-32'000, "already known");
  if (transaction->nonce < nonces_[*from]) return refuse(-32'000, "nonce too low");
  for (const Bytes32& other : pending_) {
    const Known& known = transactions_.at(other);
    if (known.from != *from || known.transaction.nonce != transaction->nonce) continue;
    // Nodes want ten percent more.
    const Uint256 least = divide(*multiply(known.transaction.max_fee_per_gas, Uint256(110)), 100).quotient;
    if (transaction->max_fee_per_gas < least) return refuse(-32'000, "replacement transaction underpriced");
    drop_pending(Bytes32(other));
    break;
  }
  sent_.push_back(*transaction);
  transactions_[*hash] = Known{std::move(*transaction), *from, nullptr};
  pending_.push_back(*hash);
  return hex(*hash);
}

ChainResult<json::value> FakeChain::find_logs(const json::object& filter) const {
  const auto bound = [&](const char* member) -> std::uint64_t {
    const auto* value = filter.if_contains(member);
    if (value == nullptr || !value->is_string()) return head().number;
    if (*value == "earliest") return 0;
    return core::parse_quantity(std::string_view(value->get_string())).value_or(Uint256(head().number)).limb[0];
  };
  const std::uint64_t from = bound("fromBlock"), to = bound("toBlock");
  const auto* block_hash = filter.if_contains("blockHash");
  json::array found;
  for (const auto& block : blocks_) {
    if (block_hash != nullptr ? *block_hash != hex(block.hash) : block.number < from || block.number > to) continue;
    for (const auto& hash : block.transactions)
      for (const auto& log : transactions_.at(hash).receipt.at("logs").as_array())
        if (fits(filter, log.as_object())) found.push_back(log);
  }
  return json::value(std::move(found));
}

}  // namespace community::chain
