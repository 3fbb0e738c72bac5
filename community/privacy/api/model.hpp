// SPDX-License-Identifier: Apache-2.0
// Everything that the node's database holds about a person, table by table and column by column: which rows are
// theirs, who can read them, how long they stay, and what becomes of them when the person leaves. Export, overview and
// deletion are made of it, so that what people are told is what is done; a test compares it with the database itself.
#pragma once
#include <optional>
#include <span>
#include <string_view>

namespace community::privacy {

// What an export writes for a value of the column.
enum class ColumnKind : std::uint8_t {
  text,
  number,
  // Milliseconds since 1970, as RFC 3339; 0 as null.
  time,
  // 0 or 1.
  flag,
  // JSON as text.
  json,
};

enum class Protection : std::uint8_t {
  // Whoever reads the database reads it: the operator, and a thief of the disk or of a backup.
  clear,
  // A hash or MAC of a secret, by which that is recognized and from which it does not follow. Not exported.
  verifier,
  // Encrypted to the trusted core, which gives it to nobody. Not exported.
  sealed,
};

struct Column {
  std::string_view name;
  ColumnKind kind = ColumnKind::text;
  Protection protection = Protection::clear;
};

// Until when rows stay while the person does.
enum class Kept : std::uint8_t { while_person_stays, until_ended, quarter_hour, until_sent, while_wallet_is_made };

enum class OnLeaving : std::uint8_t {
  // Removed in the one write that removes the person.
  erased,
  // Its payload is; the entry with the person's random id, time and event stays, because later entries commit to it
  // (spec/audit.md).
  chained,
  // Sealed records of keys, which the account on chain goes on obeying, and its recovery may need.
  sealed_record,
  // About an account, whose every move is public on its chain.
  public_on_chain,
};

struct Table {
  std::string_view name;
  // SQL: a condition with one `:user`, the person's id.
  std::string_view rows;
  // SQL: tells a person's rows apart, in the order in which they are exported.
  std::string_view key;
  Kept kept;
  OnLeaving on_leaving;
  std::span<const Column> columns;
};

// In the order in which a deletion may go: what is found by way of another table comes before it.
std::span<const Table> model();

// Tables that hold nothing of a person, or what leads to nobody.
std::span<const std::string_view> impersonal_tables();

// Words of the API: "while-person-stays", "public-on-chain", …
std::string_view name(Protection protection);
std::string_view name(Kept kept);
std::string_view name(OnLeaving on_leaving);

}  // namespace community::privacy
