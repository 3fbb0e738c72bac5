// SPDX-License-Identifier: Apache-2.0
// What the EntryPoint's words mean, as codes.
#include "community/validation/revert.hpp"

#include <algorithm>

namespace community::validation {
namespace {

struct CodeOfText {
  std::string_view prefix;
  ErrorCode code;
};

// Longer prefixes first. Texts of EntryPoint 0.7 and 0.8.
constexpr CodeOfText kCodes[] = {
    {"AA21", ErrorCode::account_rejected},
    {"AA22", ErrorCode::outside_time_range},
    {"AA24", ErrorCode::signature_invalid},
    {"AA25", ErrorCode::nonce_invalid},
    {"AA31", ErrorCode::paymaster_deposit_too_low},
    {"AA32", ErrorCode::outside_time_range},
    {"AA34", ErrorCode::signature_invalid},
    {"AA3", ErrorCode::paymaster_rejected},
    {"AA93", ErrorCode::paymaster_rejected},
    {"AA98", ErrorCode::paymaster_rejected},
    {"AA94", ErrorCode::field_invalid},
};

}  // namespace

std::string clean_text(std::string_view text) {
  text = text.substr(0, kMaxReasonBytes);
  if (!core::is_utf8(base::view(text))) return core::to_hex(base::view(text));
  std::string out(text);
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20; };
  std::replace_if(out.begin(), out.end(), is_control, ' ');
  return out;
}

std::string reason_text(ByteView revert) {
  return revert.empty() ? "no reason" : clean_text(chain::describe_revert(revert));
}

std::string aa_code(std::string_view reason) {
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  const bool is_code = reason.size() >= 4 && reason.starts_with("AA") && digit(reason[2]) && digit(reason[3]);
  return std::string(is_code ? reason.substr(0, 4) : std::string_view{});
}

Error refusal_of(const chain::FailedOp& failure) {
  ErrorCode code = ErrorCode::account_rejected;
  for (const CodeOfText& row : kCodes) {
    if (!failure.reason.starts_with(row.prefix)) continue;
    code = row.code;
    break;
  }
  std::string message = clean_text(failure.reason);
  if (!failure.inner.empty()) message += ": " + reason_text(failure.inner);
  return {code, std::move(message), aa_code(failure.reason), failure.inner};
}

}  // namespace community::validation
