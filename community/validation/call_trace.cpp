// SPDX-License-Identifier: Apache-2.0
// Parsing is bounded; the arithmetic follows EIP-150 (63/64) and EIP-2929's stipend rule.
#include "community/validation/call_trace.hpp"

#include <algorithm>

namespace community::validation {
namespace {

namespace json = core::json;

// Yellow Paper, appendix G: a call with value gives this on top of what it hands over.
constexpr std::uint64_t kStipend = 2'300;

std::uint64_t number_or_zero(const json::object& object, std::string_view key) {
  const json::value* value = core::find_member(object, key);
  if (value == nullptr || !value->is_string()) return 0;
  const auto number = core::parse_hex_number(value->get_string());
  return number ? number->to_u64().value_or(0) : 0;
}

std::string_view text_or_empty(const json::object& object, std::string_view key) {
  const json::value* value = core::find_member(object, key);
  return value != nullptr && value->is_string() ? std::string_view(value->get_string()) : std::string_view();
}

bool parse_frame(const json::value& value, CallFrame& frame, std::size_t& count) {
  if (!value.is_object() || ++count > kMaxFrames) return false;
  const json::object& object = value.get_object();
  if (const auto to = core::parse_address(text_or_empty(object, "to"))) frame.to = *to;
  constexpr std::size_t kSelectorDigits = 10;
  const std::string_view input = text_or_empty(object, "input").substr(0, kSelectorDigits);
  if (const auto selector = core::parse_hex_array<4>(input)) frame.selector = *selector;
  frame.gas = number_or_zero(object, "gas");
  frame.gas_used = number_or_zero(object, "gasUsed");
  const std::string_view amount = text_or_empty(object, "value");
  if (!amount.empty()) {
    const auto parsed = core::parse_hex_number(amount);
    frame.has_value = text_or_empty(object, "type") == "CALL" && parsed && !parsed->is_zero();
  }
  frame.failed = core::find_member(object, "error") != nullptr;
  if (auto output = core::parse_hex(text_or_empty(object, "output"))) frame.output = std::move(*output);
  const json::value* calls = core::find_member(object, "calls");
  if (calls == nullptr) return true;
  if (!calls->is_array()) return false;
  frame.calls.resize(calls->get_array().size());
  for (std::size_t i = 0; i < frame.calls.size(); i++)
    if (!parse_frame(calls->get_array()[i], frame.calls[i], count)) return false;
  return true;
}

// What must be left in the caller so that 63 of 64 parts are `gas`.
std::uint64_t left_before_call(std::uint64_t gas) { return gas + (gas + 62) / 63; }

}  // namespace

Result<CallFrame> parse_call_frame(const json::value& value) {
  CallFrame frame;
  std::size_t count = 0;
  if (!parse_frame(value, frame, count)) return fail(ErrorCode::chain_unavailable, "the call trace has another shape");
  return frame;
}

std::uint64_t needed_gas(const CallFrame& frame) {
  std::uint64_t need = frame.gas_used;
  for (const CallFrame& child : frame.calls) {
    const std::uint64_t stipend = child.has_value ? kStipend : 0;
    const std::uint64_t handed = child.gas - std::min(child.gas, stipend);
    const std::uint64_t left = left_before_call(handed);
    // It asked for all gas only if the rest of the frame's gas was used before or inside.
    if (left > frame.gas || frame.gas - left > frame.gas_used) continue;
    const std::uint64_t used_before = frame.gas - left;
    const std::uint64_t child_need = needed_gas(child);
    need = std::max(need, used_before + left_before_call(child_need - std::min(child_need, stipend)));
  }
  return need;
}

}  // namespace community::validation
