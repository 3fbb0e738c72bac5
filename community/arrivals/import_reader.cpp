// SPDX-License-Identifier: Apache-2.0
#include "community/arrivals/import_reader.hpp"

#include <algorithm>
#include <charconv>
#include <set>

#include "community/arrivals/imported_summary.hpp"
#include "community/arrivals/json_frame.hpp"
#include "community/transactions/api/transaction.hpp"

namespace community::arrivals {
namespace {

namespace json = core::json;

constexpr std::string_view kFormat = "community-node person export";
constexpr std::size_t kMaxScalar = 4'096;
// A transaction with the largest call data, in hexadecimal, twice (content and submission), and some room.
constexpr std::size_t kMaxRow = 512 * 1'024, kMaxRowDepth = 16;
// Of one file: 16 MiB hold no more rows of any use.
constexpr std::size_t kMaxRows = 65'536;
// What every JSON reader holds exactly (RFC 8259, section 6).
constexpr std::int64_t kMaxChainId = 9'007'199'254'740'991;
constexpr std::size_t kMaxOrigin = 256;

tl::unexpected<Error> wrong(std::string message, std::string field = {}) {
  Error error;
  error.code = ErrorCode::import_invalid;
  error.message = std::move(message);
  error.field = std::move(field);
  return tl::unexpected<Error>(std::move(error));
}

// "https://example.org:8443"; shown to people, and never asked for anything.
bool is_origin(std::string_view text) {
  const std::string_view host = text.starts_with("https://")  ? text.substr(8)
                                : text.starts_with("http://") ? text.substr(7)
                                                              : std::string_view();
  return !host.empty() && text.size() <= kMaxOrigin && std::all_of(host.begin(), host.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == ':' || c == '[' || c == ']';
  });
}

// RFC 3339 in UTC with milliseconds, as exports have it: 2026-01-01T00:00:00.000Z.
std::optional<std::int64_t> read_time(std::string_view text) {
  constexpr std::string_view kForm = "dddd-dd-ddTdd:dd:dd.dddZ";
  if (text.size() != kForm.size()) return std::nullopt;
  for (std::size_t i = 0; i < text.size(); i++) {
    const bool is_digit = text[i] >= '0' && text[i] <= '9';
    if (kForm[i] == 'd' ? !is_digit : text[i] != kForm[i]) return std::nullopt;
  }
  const auto part = [text](std::size_t at, std::size_t size) {
    int value = 0;
    std::from_chars(text.data() + at, text.data() + at + size, value);
    return value;
  };
  const std::chrono::year_month_day day{std::chrono::year(part(0, 4)),
                                        std::chrono::month(static_cast<unsigned>(part(5, 2))),
                                        std::chrono::day(static_cast<unsigned>(part(8, 2)))};
  if (!day.ok() || part(11, 2) > 23 || part(14, 2) > 59 || part(17, 2) > 59) return std::nullopt;
  const auto at = std::chrono::sys_days(day) + std::chrono::hours(part(11, 2)) + std::chrono::minutes(part(14, 2)) +
                  std::chrono::seconds(part(17, 2)) + std::chrono::milliseconds(part(20, 3));
  const std::int64_t time_ms = std::chrono::duration_cast<std::chrono::milliseconds>(at.time_since_epoch()).count();
  if (time_ms < 0) return std::nullopt;
  return time_ms;
}

std::string_view text_of(const json::object& row, std::string_view member) {
  const json::value* value = row.if_contains(member);
  return value != nullptr && value->is_string() ? std::string_view(value->get_string()) : std::string_view();
}
std::optional<std::int64_t> number_of(const json::object& row, std::string_view member) {
  const json::value* value = row.if_contains(member);
  if (value == nullptr || !value->is_int64()) return std::nullopt;
  return value->get_int64();
}

// What an account did on chain; messages and keys of phrases are nothing of an account.
std::optional<transactions::Kind> kind_of(std::string_view text) {
  for (std::uint8_t i = 0; i <= static_cast<std::uint8_t>(transactions::Kind::recover); i++)
    if (transactions::name(static_cast<transactions::Kind>(i)) == text) return static_cast<transactions::Kind>(i);
  return std::nullopt;
}

// "lower_limit" as "lowerLimit".
std::string camel(std::string_view word) {
  std::string out;
  for (std::size_t i = 0; i < word.size(); i++)
    out += word[i] == '_' && i + 1 < word.size() ? static_cast<char>(word[++i] - 'a' + 'A') : word[i];
  return out;
}

class Reader {
 public:
  Result<ReadExport> read(std::string_view text) {
    if (text.size() > kMaxFileBytes) return wrong("larger than 16 MiB");
    const auto take = [this](std::string_view name, std::string_view value) { return take_member(name, value); };
    const bool whole = walk_object(text, take);
    if (error_) return tl::unexpected<Error>(std::move(*error_));
    if (!whole) return wrong("this is no JSON object");
    if (!seen_.contains("format")) return wrong("this is no export of a node", "/format");
    for (const char* name : {"version", "exportedAt", "origin", "tables"})
      if (!seen_.contains(name)) return wrong("the file has no such member", std::string("/") + name);
    if (!has_entries_) return wrong("the file has no such member", "/tables/transactions_entries");
    if (!is_complete_) return wrong("the export was cut off", "/complete");
    std::stable_sort(rows_.begin(), rows_.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    for (auto& [order, entry] : rows_) out_.entries.push_back(std::move(entry));
    return std::move(out_);
  }

 private:
  bool refuse(std::string message, std::string field) {
    error_ = wrong(std::move(message), std::move(field)).value();
    return false;
  }

  std::optional<json::value> scalar(std::string_view value) {
    core::JsonLimits limits;
    limits.max_bytes = kMaxScalar;
    limits.max_depth = 1;
    auto read = core::parse_json(value, limits);
    if (!read) return std::nullopt;
    return std::move(*read);
  }

  bool take_member(std::string_view name, std::string_view value) {
    constexpr std::string_view kWanted[] = {"format", "version", "exportedAt", "origin", "tables", "complete"};
    if (std::find(std::begin(kWanted), std::end(kWanted), name) == std::end(kWanted)) return true;
    const std::string field = "/" + std::string(name);
    if (!seen_.insert(std::string(name)).second) return refuse("the member is there twice", field);
    if (name == "tables") return take_tables(value);
    const auto read = scalar(value);
    const std::string_view text = read && read->is_string() ? std::string_view(read->get_string()) : std::string_view();
    if (name == "format") return text == kFormat || refuse("this is no export of a node", field);
    if (name == "version")
      return (read && read->is_int64() && read->get_int64() == 1) || refuse("this node reads version 1", field);
    if (name == "complete") {
      is_complete_ = read && read->is_bool() && read->get_bool();
      return true;
    }
    if (name == "origin") {
      out_.origin = text;
      return is_origin(text) || refuse("an origin is expected, as https://example.org", field);
    }
    const auto time = read_time(text);
    out_.exported_ms = time.value_or(0);
    return time.has_value() || refuse("a time is expected, as 2026-01-01T00:00:00.000Z", field);
  }

  bool take_tables(std::string_view tables) {
    const bool whole = walk_object(tables, [this](std::string_view name, std::string_view value) {
      if (name != "transactions_entries") return true;
      if (has_entries_) return refuse("the member is there twice", "/tables/transactions_entries");
      has_entries_ = true;
      const bool good = walk_array(value, [this](std::string_view row) { return take_row(row); });
      return good || error_ || refuse("a list of transactions is expected", "/tables/transactions_entries");
    });
    if (!whole && !error_) return refuse("an object of tables is expected", "/tables");
    return whole && !error_;
  }

  bool take_row(std::string_view text) {
    const std::string field = "/tables/transactions_entries/" + std::to_string(count_);
    if (++count_ > kMaxRows) return refuse("more than 65,536 transactions", "/tables/transactions_entries");
    core::JsonLimits limits;
    limits.max_bytes = kMaxRow;
    limits.max_depth = kMaxRowDepth;
    const auto row = core::parse_json(text, limits);
    if (!row) return refuse(std::string(core::name(row.error().code)), field);
    if (!row->is_object()) return refuse("a transaction is expected", field);
    return take_entry(row->get_object(), field);
  }

  bool take_entry(const json::object& row, const std::string& field) {
    const auto state = number_of(row, "state"), chain_id = number_of(row, "chain_id"),
               order = number_of(row, "sequence");
    if (!state) return refuse("a number is expected", field + "/state");
    const auto kind = kind_of(text_of(row, "kind"));
    if (*state != static_cast<std::int64_t>(transactions::State::final_) || !kind) {
      out_.left_out++;
      return true;
    }
    if (!order || *order < 0) return refuse("a number is expected", field + "/sequence");
    if (!chain_id || *chain_id <= 0 || *chain_id > kMaxChainId)
      return refuse("a chain's number is expected", field + "/chain_id");
    constexpr auto kPlain = core::HexPrefix::optional;
    const auto account = core::parse_hex_array<20>(text_of(row, "account"), kPlain);
    if (!account) return refuse("an address is expected", field + "/account");
    const auto hash = core::parse_hex_array<32>(text_of(row, "transaction_hash"), kPlain);
    if (!hash) return refuse("a hash is expected", field + "/transaction_hash");
    const auto time = read_time(text_of(row, "created_at"));
    if (!time) return refuse("a time is expected", field + "/created_at");
    ImportedEntry entry;
    entry.account = {static_cast<std::uint64_t>(*chain_id), *account};
    entry.kind = camel(transactions::name(*kind));
    entry.created_ms = *time;
    entry.transaction_hash = *hash;
    // Of what nobody signed there is none.
    entry.digest = core::parse_hex_array<32>(text_of(row, "digest"), kPlain).value_or(core::Bytes32{});
    const json::value* content = row.if_contains("content");
    const json::object* members = content == nullptr ? nullptr : content->if_object();
    if (const json::value* summary = members == nullptr ? nullptr : members->if_contains("summary"))
      entry.summary = imported_summary(*summary);
    if (std::find(out_.accounts.begin(), out_.accounts.end(), entry.account) == out_.accounts.end()) {
      if (out_.accounts.size() == kMaxAccounts) return refuse("more than 256 accounts", "/tables/transactions_entries");
      out_.accounts.push_back(entry.account);
    }
    rows_.emplace_back(*order, std::move(entry));
    return true;
  }

  ReadExport out_;
  std::set<std::string> seen_;
  bool has_entries_ = false, is_complete_ = false;
  std::size_t count_ = 0;
  // By the number that the other node gave them.
  std::vector<std::pair<std::int64_t, ImportedEntry>> rows_;
  std::optional<Error> error_;
};

}  // namespace

Result<ReadExport> read_export(std::string_view text) { return Reader().read(text); }

}  // namespace community::arrivals
