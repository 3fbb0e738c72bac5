// SPDX-License-Identifier: Apache-2.0
// The file of another node: whatever is in it, what is taken obeys the limits and types that are promised, and what is
// refused says where.
#include <cstdlib>

#include "community/arrivals/import_reader.hpp"
#include "community/arrivals/imported_summary.hpp"
#include "community/arrivals/json_frame.hpp"

namespace {

using namespace community;

void expect(bool holds) {
  if (!holds) std::abort();
}

void check_text(std::string_view text) {
  for (const char c : text) expect(static_cast<unsigned char>(c) >= 0x20);
}

void check_value(const core::json::value& value) {
  if (value.is_string()) check_text(value.get_string());
  if (value.is_array())
    for (const auto& one : value.get_array()) check_value(one);
  if (value.is_object())
    for (const auto& member : value.get_object()) check_value(member.value());
}

void check_entry(const arrivals::ImportedEntry& entry) {
  expect(entry.account.chain_id != 0 && entry.created_ms >= 0 && !entry.kind.empty());
  expect(entry.summary.size() <= arrivals::kMaxSummaryItems);
  expect(core::json::serialize(entry.summary).size() <= arrivals::kMaxSummaryBytes);
  check_value(entry.summary);
  // What was kept is kept again, as it is.
  expect(arrivals::imported_summary(entry.summary) == entry.summary);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  // What is JSON is walked to its end.
  core::JsonLimits limits;
  limits.max_bytes = 1u << 20;
  limits.max_depth = 32;
  const auto value = core::parse_json(text, limits);
  std::size_t members = 0;
  const bool walked = arrivals::walk_object(text, [&members](std::string_view, std::string_view) {
    members++;
    return true;
  });
  if (value && value->is_object()) expect(walked && members == value->get_object().size());
  const auto read = arrivals::read_export(text);
  if (!read) {
    expect(read.error().code == arrivals::ErrorCode::import_invalid && !read.error().message.empty());
    expect(read.error().field.empty() || read.error().field.front() == '/');
    return 0;
  }
  check_text(read->origin);
  expect(read->accounts.size() <= arrivals::kMaxAccounts && read->exported_ms >= 0);
  for (const auto& entry : read->entries) check_entry(entry);
  return 0;
}
