// SPDX-License-Identifier: Apache-2.0
// Thin body of Estimator: traces simulateHandleOp of the published EntryPointSimulations, laid over the EntryPoint,
// once with ample limits and once with the limits found. The simulations tolerate a dummy signature and cost a little
// more than the EntryPoint itself (its immutables are storage there), so what passes here passes on chain.
//
// Operations of one shape need nearly the same. What the last one of a shape was given is tried first: the run shows at
// once that the operation goes through with it and what it needs, and where that is less or much more than what it has,
// both runs are made as for any other.
//
// All runs offer one wei per gas: an amount that ample limits do not turn into a prefund nobody has, while deposits
// are still charged and missing funds still paid, which zero would skip.
#include <algorithm>
#include <map>

#include "community/core/abi.hpp"
#include "community/validation/call_trace.hpp"
#include "community/validation/factory.hpp"
#include "community/validation/revert.hpp"

namespace community::validation {
namespace {

namespace json = core::json;
using Selector = std::array<std::uint8_t, 4>;

constexpr Selector kValidateUserOp{0x19, 0x82, 0x2f, 0x7c};
constexpr Selector kValidatePaymasterUserOp{0x52, 0xb7, 0x51, 0x2c};
constexpr Selector kInnerHandleOp{0x00, 0x42, 0xdc, 0x53};
constexpr Selector kPostOp{0x7c, 0x62, 0x7b, 0x21};

constexpr Address kStandIn{0xc0, 0x33, 0x75, 0x6e, 0x17, 0x79, 0x2d, 0x65, 0x73, 0x74,
                           0x69, 0x6d, 0x61, 0x74, 0x69, 0x6f, 0x6e, 0x2d, 0x30, 0x31};
// Ample: more than fits a transaction under EIP-7825, within the 50,000,000 that clients allow a call.
constexpr std::uint64_t kRunGas = 40'000'000;
constexpr std::uint64_t kAmpleCallGas = 15'000'000;
constexpr std::uint64_t kAmplePostOpGas = 3'000'000;
// Storage layout of EntryPoint 0.7 and 0.8: mapping of deposits, then mapping of nonces.
constexpr std::uint64_t kDepositsSlot = 0;
constexpr std::uint64_t kNoncesSlot = 1;

// The EntryPoint's own work around validatePaymasterUserOp, which counts as the paymaster's (AA36): deposit read and
// written, cold call, encoding. At least the first; the second with 30 a word covers it.
constexpr std::uint64_t kLeastPaymasterWork = 7'000;
constexpr std::uint64_t kMostPaymasterWork = 11'000;
constexpr std::uint64_t kPaymasterWorkPerWord = 30;
// Margins over what was seen: other operations may have changed a slot from set to empty in between.
constexpr std::uint64_t kMarginPercent = 4;
constexpr std::uint64_t kMarginGas = 1'500;
// ERC-4337: less cannot carry a call with value.
constexpr std::uint64_t kLeastCallGas = 9'000;
// A run at "latest" would stand in a block that is there already, and what a contract keeps of its time or number would
// be what it kept there before, which costs a tenth of a change. So runs stand in a block to come.
constexpr std::uint64_t kBlocksAhead = 2;
constexpr std::uint64_t kSecondsAhead = 24;
// Limits are raised by half this often before estimation gives up.
constexpr int kRaises = 5;
// Shapes that are remembered; the addresses of a paymaster and an EntryPoint, some numbers and four limits are 200
// bytes.
constexpr std::size_t kMaxShapes = 4'096;
// What was remembered is given when at least half of the margin is left, and at most this much more than it would be.
constexpr std::uint64_t kExcessPercent = 10;
constexpr std::uint64_t kExcessGas = 2'000;

std::uint64_t with_margin(std::uint64_t gas) { return gas == 0 ? 0 : gas + gas * kMarginPercent / 100 + kMarginGas; }

Bytes32 mapping_slot(const Bytes32& key, const Bytes32& slot) { return base::keccak256({key, slot}); }

struct Limits {
  std::uint64_t verification = 0;
  std::uint64_t call = 0;
  std::uint64_t paymaster_verification = 0;
  std::uint64_t post_op = 0;
};

// `fresh` is a limit as a run shows it, with its margin.
bool is_close(std::uint64_t given, std::uint64_t fresh) {
  if (fresh == 0 || given == 0) return given == fresh;
  const std::uint64_t half_margin = (fresh * kMarginPercent / 100 + kMarginGas) / 2;
  return given + half_margin >= fresh && given <= fresh + fresh * kExcessPercent / 100 + kExcessGas;
}

bool are_close(const Limits& given, const Limits& fresh) {
  return is_close(given.verification, fresh.verification) && is_close(given.call, fresh.call) &&
         is_close(given.paymaster_verification, fresh.paymaster_verification) && is_close(given.post_op, fresh.post_op);
}

// What operations that need about the same gas have in common. Whoever makes others remember something odd costs them
// one run at most.
struct Shape {
  Address entry_point{};
  std::optional<Address> factory, paymaster;
  Bytes selector;
  std::size_t call_data = 0, factory_data = 0, signature = 0, paymaster_data = 0;
  // The first use of a nonce key takes a new slot.
  bool is_first_of_key = false;
  auto operator<=>(const Shape&) const = default;
};

Shape shape_of(const UserOperation& op, const Address& entry_point) {
  Shape shape;
  shape.entry_point = entry_point;
  shape.factory = op.factory;
  shape.paymaster = op.paymaster;
  shape.selector = core::to_bytes(ByteView(op.call_data).first(std::min<std::size_t>(4, op.call_data.size())));
  shape.call_data = op.call_data.size();
  shape.factory_data = op.factory_data.size();
  shape.signature = op.signature.size();
  shape.paymaster_data = op.paymaster_data.size();
  shape.is_first_of_key = op.nonce.limb[0] == 0;
  return shape;
}

// What one run showed.
struct Run {
  // What the EntryPoint counted in the validation phase.
  std::uint64_t validation = 0;
  // Whether the account sent the EntryPoint what its deposit lacks.
  bool paid_missing_funds = false;
  std::optional<CallFrame> creation, account, paymaster, execution, post_op;

  bool execution_failed() const { return execution && execution->failed; }
  bool post_op_failed() const { return post_op && post_op->failed; }
};

bool pays(const CallFrame& frame, const Address& entry_point) {
  if (frame.has_value && frame.to == entry_point) return true;
  return std::any_of(frame.calls.begin(), frame.calls.end(),
                     [&](const CallFrame& child) { return pays(child, entry_point); });
}

json::object block_to_come(const chain::Block& head) {
  json::object block;
  block["number"] = core::format_quantity(Uint256(head.number + kBlocksAhead));
  block["time"] = core::format_quantity(Uint256(head.timestamp + kSecondsAhead));
  return block;
}

class TraceEstimator final : public Estimator {
 public:
  TraceEstimator(chain::ExecutionClient& chain, const chain::BlockWatcher& blocks, ValidationOptions options)
      : chain_(chain), blocks_(blocks), options_(std::move(options)) {}

  Task<Result<GasEstimate>> estimate(UserOperation op, EntryPointId entry_point, json::object overrides,
                                     bool nonce_pending) override {
    Request request;
    const bool has_overrides = !overrides.empty();
    if (auto made = prepare(request, std::move(op), entry_point, std::move(overrides), nonce_pending); !made)
      co_return tl::unexpected(std::move(made.error()));
    // Assumed state is nobody else's.
    const bool has_shape = !has_overrides && !nonce_pending;
    const Shape shape = shape_of(request.op, entry_point.address);
    if (const auto known = remembered_.find(shape); has_shape && known != remembered_.end()) {
      const Limits given = known->second;
      const bool enough = co_await is_enough(request, given);
      if (enough) co_return make_estimate(request, given);
    }
    Limits ample;
    ample.verification = options_.limits.verification_gas;
    ample.call = kAmpleCallGas;
    if (request.op.paymaster) {
      ample.paymaster_verification = options_.limits.verification_gas;
      ample.post_op = kAmplePostOpGas;
    }
    auto first = co_await run(request, ample);
    if (first && !first->paid_missing_funds && !request.op.paymaster) {
      auto lacking = co_await lacks_deposit(request, *first);
      if (!lacking) co_return tl::unexpected(std::move(lacking.error()));
      if (*lacking) first = co_await run(request, ample);
    }
    if (!first) co_return tl::unexpected(std::move(first.error()));
    if (first->execution_failed()) co_return tl::unexpected(reverted(*first));
    const Limits found = limits_of(request, *first);
    auto confirmed = co_await confirm(request, found);
    if (!confirmed) co_return tl::unexpected(std::move(confirmed.error()));
    if (has_shape) remember(shape, *confirmed);
    co_return make_estimate(request, *confirmed);
  }

 private:
  struct Request {
    const ServedEntryPoint* served = nullptr;
    UserOperation op;
    chain::StateOverrides overrides;
    std::uint64_t words = 0;
  };

  Result<void> prepare(Request& request, UserOperation op, const EntryPointId& entry_point, json::object overrides,
                       bool nonce_pending) const {
    for (const ServedEntryPoint& served : options_.entry_points)
      if (served.id() == entry_point) request.served = &served;
    if (request.served == nullptr) return fail(ErrorCode::entry_point_unknown, "this EntryPoint is not served");
    if (op.uses_eip7702() || op.eip7702_auth)
      return fail(ErrorCode::eip7702_not_supported, "this node does not bundle EIP-7702 operations yet");
    request.op = std::move(op);
    const auto packed = core::pack(request.op);
    if (!packed) return fail(ErrorCode::field_invalid, packed.error().text());
    const CalldataCost own = userop_calldata(*packed);
    if (own.bytes + bundle_calldata_base().bytes > options_.limits.bundle_bytes)
      return fail(ErrorCode::userop_too_large, "the operation fits no bundle");
    request.words = own.bytes / 32;
    if (!overrides.empty()) {
      auto parsed = chain::state_overrides_from_json(overrides);
      if (!parsed) return fail(ErrorCode::field_invalid, "state overrides: " + parsed.error().message);
      request.overrides = std::move(*parsed);
    }
    request.overrides[entry_point.address].code = request.served->simulations;
    if (nonce_pending) assume_nonce(request, entry_point.address);
    return {};
  }

  // nonceSequenceNumber[sender][key] as it will be once the waiting operations are included.
  static void assume_nonce(Request& request, const Address& entry_point) {
    const Bytes32 nonce = request.op.nonce.to_be();
    Bytes32 key{};
    std::copy_n(nonce.begin(), 24, key.begin() + 8);
    const Bytes32 of_sender = mapping_slot(core::word_from_address(request.op.sender), Uint256(kNoncesSlot).to_be());
    Bytes32 sequence{};
    std::copy_n(nonce.begin() + 24, 8, sequence.begin() + 24);
    request.overrides[entry_point].state_diff[mapping_slot(key, of_sender)] = sequence;
  }

  Task<Result<Run>> run(const Request& request, Limits limits) {
    UserOperation op = request.op;
    op.verification_gas_limit = Uint256(limits.verification);
    op.call_gas_limit = Uint256(limits.call);
    op.pre_verification_gas = Uint256();
    op.max_fee_per_gas = Uint256(1);
    op.max_priority_fee_per_gas = Uint256();
    if (op.paymaster) {
      op.paymaster_verification_gas_limit = Uint256(limits.paymaster_verification);
      op.paymaster_post_op_gas_limit = Uint256(limits.post_op);
    }
    static const auto kSimulate = core::parse_abi_function(
        "simulateHandleOp((address,uint256,bytes,bytes,bytes32,uint256,bytes32,bytes,bytes),address,bytes)");
    const auto data = kSimulate->encode({core::to_abi(*core::pack(op)), core::AbiValue(Address{}), Bytes{}});
    if (!data) co_return fail(ErrorCode::field_invalid, data.error().text());
    chain::CallRequest call;
    call.from = kStandIn;
    call.to = request.served->contract->address();
    call.gas = kRunGas;
    call.data = std::move(*data);
    json::object trace_options;
    trace_options["tracer"] = "callTracer";
    trace_options["stateOverrides"] = chain::to_json(request.overrides);
    if (blocks_.head()) trace_options["blockOverrides"] = block_to_come(*blocks_.head());
    auto answer = co_await chain_.trace_call(std::move(call), chain::BlockRef::latest(), std::move(trace_options));
    if (!answer) co_return fail(ErrorCode::chain_unavailable, answer.error().text());
    co_return read_run(request, *answer);
  }

  Result<Run> read_run(const Request& request, const json::value& value) const {
    auto root = parse_call_frame(value);
    if (!root) return tl::unexpected(std::move(root.error()));
    const auto& contract = *request.served->contract;
    if (root->failed) {
      if (const auto failure = contract.decode_failed_op(root->output)) return tl::unexpected(refusal_of(*failure));
      return fail(ErrorCode::account_rejected, "simulation reverted: " + reason_text(root->output), "", root->output);
    }
    // ExecutionResult is a dynamic tuple: an offset, then preOpGas, paid, both validation data …
    constexpr std::size_t kLeastOutput = 7 * 32;
    if (root->output.size() < kLeastOutput)
      return fail(ErrorCode::chain_unavailable, "the EntryPoint's simulations did not answer");
    const auto word = [&](std::size_t i) { return Uint256::from_be(ByteView(root->output).subspan(i * 32, 32)); };
    Run result;
    result.validation = word(1).to_u64().value_or(0);
    const Bytes32 account_data = word(3).to_be();
    // 0 and 1 mean right and wrong signature; any other address is an aggregator (ERC-7766).
    if (Uint256::from_be(ByteView(account_data).last(20)) > Uint256(1))
      return fail(ErrorCode::aggregator_unsupported, "signature aggregators are not supported");
    read_frames(request, std::move(*root), result);
    return result;
  }

  static void read_frames(const Request& request, CallFrame root, Run& result) {
    const auto& contract = *request.served->contract;
    const Address creator = contract.sender_creator();
    for (CallFrame& frame : root.calls) {
      if (frame.to == creator) {
        result.creation = std::move(frame);
      } else if (frame.to == request.op.sender && frame.selector == kValidateUserOp) {
        result.paid_missing_funds = pays(frame, contract.address());
        result.account = std::move(frame);
      } else if (request.op.paymaster == frame.to && frame.selector == kValidatePaymasterUserOp) {
        result.paymaster = std::move(frame);
      } else if (frame.to == contract.address() && frame.selector == kInnerHandleOp) {
        for (CallFrame& inner : frame.calls) {
          if (inner.to == request.op.sender && !result.execution && !request.op.call_data.empty())
            result.execution = std::move(inner);
          else if (request.op.paymaster == inner.to && inner.selector == kPostOp)
            result.post_op = std::move(inner);
        }
      }
    }
  }

  // The account's deposit covers one wei per gas but not its real maximum cost: it will have to send the rest, which
  // costs gas. The deposit is then assumed to be one wei, so that the next run takes that path.
  Task<Result<bool>> lacks_deposit(Request& request, const Run& seen) {
    if (request.op.max_fee_per_gas.is_zero()) co_return false;
    const auto& contract = *request.served->contract;
    chain::CallRequest call;
    call.to = contract.address();
    call.data = contract.encode_balance_of(request.op.sender);
    auto answer = co_await chain_.call(std::move(call));
    const auto deposit = answer ? chain::decode_word(*answer) : std::nullopt;
    if (!deposit) co_return fail(ErrorCode::chain_unavailable, "the EntryPoint does not tell the account's deposit");
    const Limits limits = limits_of(request, seen);
    const std::uint64_t gas = limits.verification + limits.call + pre_verification(request, limits);
    const auto cost = base::multiply(Uint256(gas), request.op.max_fee_per_gas);
    if (cost && *deposit >= *cost) co_return false;
    const Bytes32 slot = mapping_slot(core::word_from_address(request.op.sender), Uint256(kDepositsSlot).to_be());
    request.overrides[contract.address()].state_diff[slot] = Uint256(1).to_be();
    co_return true;
  }

  static Limits limits_of(const Request& request, const Run& seen) {
    Limits limits;
    std::uint64_t account_part = seen.validation;
    if (seen.paymaster) {
      account_part -= std::min(account_part, seen.paymaster->gas_used + kLeastPaymasterWork);
      const std::uint64_t work = kMostPaymasterWork + kPaymasterWorkPerWord * request.words;
      limits.paymaster_verification =
          with_margin(std::max(seen.paymaster->gas_used + work, needed_gas(*seen.paymaster)));
    }
    if (seen.creation) account_part = std::max(account_part, needed_gas(*seen.creation));
    if (seen.account) account_part = std::max(account_part, needed_gas(*seen.account));
    limits.verification = with_margin(account_part);
    if (seen.execution) limits.call = std::max(with_margin(needed_gas(*seen.execution)), kLeastCallGas);
    if (seen.post_op) limits.post_op = with_margin(needed_gas(*seen.post_op));
    return limits;
  }

  // One run with limits that were enough for another operation of its shape.
  Task<bool> is_enough(const Request& request, Limits given) {
    const auto seen = co_await run(request, given);
    if (!seen || seen->execution_failed() || seen->post_op_failed()) co_return false;
    // What an account without a paymaster does about missing funds is found out by two runs.
    if (!request.op.paymaster && !seen->paid_missing_funds) co_return false;
    co_return are_close(given, limits_of(request, *seen));
  }

  void remember(const Shape& shape, const Limits& limits) {
    if (remembered_.size() >= kMaxShapes && !remembered_.contains(shape)) remembered_.clear();
    remembered_[shape] = limits;
  }

  Task<Result<Limits>> confirm(const Request& request, Limits limits) {
    std::string last = "the execution fails";
    for (int i = 0; i <= kRaises; i++) {
      auto second = co_await run(request, limits);
      if (!second && second.error().code == ErrorCode::chain_unavailable)
        co_return tl::unexpected(std::move(second.error()));
      if (second && !second->execution_failed() && !second->post_op_failed()) co_return limits;
      // Gas was held back somewhere the trace does not show: the phase that failed gets half more.
      const auto raise = [](std::uint64_t& gas) { gas += gas / 2; };
      if (second) {
        if (second->execution_failed()) raise(limits.call);
        if (second->post_op_failed()) raise(limits.post_op);
      } else {
        last = second.error().message;
        raise(second.error().rule.starts_with("AA3") ? limits.paymaster_verification : limits.verification);
      }
    }
    co_return fail(ErrorCode::estimation_failed,
                   "no gas limits were found under which the operation goes through: " + last);
  }

  std::uint64_t pre_verification(const Request& request, const Limits& limits) const {
    UserOperation op = request.op;
    op.verification_gas_limit = Uint256(limits.verification);
    op.call_gas_limit = Uint256(limits.call);
    return estimated_pre_verification_gas(*core::pack(op), request.served->contract->version());
  }

  GasEstimate make_estimate(const Request& request, const Limits& limits) const {
    GasEstimate estimate;
    estimate.verification_gas_limit = Uint256(limits.verification);
    estimate.call_gas_limit = Uint256(limits.call);
    if (request.op.paymaster) {
      estimate.paymaster_verification_gas_limit = Uint256(limits.paymaster_verification);
      estimate.paymaster_post_op_gas_limit = Uint256(limits.post_op);
    }
    estimate.pre_verification_gas = Uint256(pre_verification(request, limits));
    return estimate;
  }

  static Error reverted(const Run& seen) {
    return {ErrorCode::execution_reverted, "execution reverted: " + reason_text(seen.execution->output), "",
            seen.execution->output};
  }

  chain::ExecutionClient& chain_;
  const chain::BlockWatcher& blocks_;
  ValidationOptions options_;
  std::map<Shape, Limits> remembered_;
};

}  // namespace

std::unique_ptr<Estimator> make_estimator(chain::ExecutionClient& chain, const chain::BlockWatcher& blocks,
                                          ValidationOptions options) {
  return std::make_unique<TraceEstimator>(chain, blocks, std::move(options));
}

}  // namespace community::validation
