// SPDX-License-Identifier: Apache-2.0
// What people's browsers ask to have prepared and signed, what a call's bytes say, and what strangers' texts become.
// The first byte says which reader gets the rest.
#include <utf8proc.h>

#include <cstdlib>

#include "community/core/uuid.hpp"
#include "community/gateway/api_v1/transaction_reader.hpp"
#include "community/transactions/call_reader.hpp"
#include "community/transactions/text.hpp"

namespace {

using namespace community;
using gateway::api_v1::JsonReader;

void expect(bool holds) {
  if (!holds) std::abort();
}

void check_problem(const gateway::api_v1::Problem& problem) {
  const auto value = core::parse_json(gateway::api_v1::to_json_text(problem));
  expect(value && value->is_object());
  expect(problem.field.empty() || problem.field.front() == '/');
}

void check_calls(const std::vector<accounts::Call>& calls) {
  expect(!calls.empty() && calls.size() <= transactions::kMaxCalls);
  for (const accounts::Call& call : calls) expect(call.data.size() <= transactions::kMaxCallData);
}

// Only what the service may be handed: every list and number within its limit.
void check_order(const transactions::Order& order) {
  if (const auto* calls = std::get_if<transactions::CallsOrder>(&order)) check_calls(calls->calls);
  if (const auto* session = std::get_if<transactions::SessionOrder>(&order)) check_calls(session->calls);
  const auto* queue = std::get_if<transactions::QueueOrder>(&order);
  if (queue != nullptr && queue->kind == accounts::QueueKind::spend) check_calls(queue->calls);
  if (const auto* keys = std::get_if<transactions::KeysOrder>(&order)) {
    expect(keys->added.size() <= 8 && keys->removed.size() <= 8 && (keys->votes == 1 || keys->votes == 2));
    for (const std::uint8_t slot : keys->removed) expect(slot < 8);
  }
  if (const auto* grant = std::get_if<transactions::GrantOrder>(&order)) expect(grant->selectors.size() <= 8);
  if (const auto* brought = std::get_if<transactions::BroughtOrder>(&order))
    expect(brought->call.size() <= transactions::kMaxCallData);
}

void read_request(std::string_view text, bool signs) {
  core::JsonLimits limits;
  limits.max_bytes = 256 * 1'024;
  limits.max_depth = 16;
  const auto value = core::parse_json(text, limits);
  if (!value || !value->is_object()) return;
  JsonReader in(value->get_object(), JsonReader::Unknown::refused);
  if (signs) {
    const auto request = gateway::api_v1::read_sign_request(in);
    if (const auto wrong = in.finish()) return check_problem(*wrong);
    expect(request.signature.size() <= 128 && request.authenticator_data.size() <= 512);
    return;
  }
  const auto request = gateway::api_v1::read_prepare_request(in);
  if (const auto wrong = in.finish()) return check_problem(*wrong);
  expect(core::parse_uuid(request.wallet_id).has_value());
  expect(request.chain_id > 0 && request.chain_id < (std::uint64_t{1} << 53));
  check_order(request.order);
}

core::Bytes word(const core::Address& address) {
  core::Bytes out(12, 0);
  core::append(out, address);
  return out;
}

// The account, where the call goes, and its data: what is read as a transfer or an allowance is nothing but that.
void read_call_bytes(core::ByteView bytes) {
  if (bytes.size() < 40) return;
  core::Address account;
  accounts::Call call;
  std::copy_n(bytes.begin(), 20, account.begin());
  std::copy_n(bytes.begin() + 20, 20, call.to.begin());
  call.data.assign(bytes.begin() + 40, bytes.end());
  const transactions::CallReading reading = transactions::read_call(call, account);
  expect(reading.selector.has_value() == (call.data.size() >= 4));
  using transactions::Meaning;
  expect((reading.meaning == Meaning::payment) == (call.data.empty() && call.to != account));
  expect((reading.meaning == Meaning::self_call) == (call.to == account));
  if (reading.meaning != Meaning::token_transfer && reading.meaning != Meaning::allowance_increase) return;
  core::Bytes again(reading.selector->begin(), reading.selector->end());
  core::append(again, word(reading.counterparty));
  core::append(again, reading.amount.to_be());
  expect(again == call.data);
}

void clean(std::string_view text) {
  for (const std::size_t most : {transactions::kMaxSymbolCharacters, transactions::kMaxRevertCharacters}) {
    const std::string once = transactions::clean_text(text, most);
    expect(core::is_utf8(base::view(once)) && once.size() <= 4 * most);
    expect(transactions::clean_text(once, most) == once);
    expect(once.empty() || (once.front() != ' ' && once.back() != ' '));
    expect(once.find("  ") == std::string::npos);
    const auto* next = reinterpret_cast<const utf8proc_uint8_t*>(once.data());
    for (auto left = static_cast<utf8proc_ssize_t>(once.size()); left > 0;) {
      utf8proc_int32_t c = 0;
      const utf8proc_ssize_t read = utf8proc_iterate(next, left, &c);
      expect(read > 0);
      const utf8proc_category_t category = utf8proc_category(c);
      expect(category != UTF8PROC_CATEGORY_CC && category != UTF8PROC_CATEGORY_CF && category != UTF8PROC_CATEGORY_CO);
      next += read;
      left -= read;
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0]) {
    case 'p':
      read_request(text, false);
      break;
    case 's':
      read_request(text, true);
      break;
    case 'c':
      read_call_bytes(base::view(text));
      break;
    default:
      clean(text);
  }
  return 0;
}
