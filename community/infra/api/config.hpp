// SPDX-License-Identifier: Apache-2.0
// One TOML file, checked against one table of keys with their types, defaults and explanations. What is not in the
// table is an error that names the nearest key; modules add their rows at start.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "community/infra/api/task.hpp"

namespace community::infra {

enum class ConfigType : std::uint8_t {
  text,
  integer,
  boolean,
  // "50ms", "30s", "15m", "24h", "7d".
  duration,
  // An array of strings; in the environment separated by commas.
  list,
};

struct ConfigKey {
  // "chain.rpc_url"; a segment "*" stands for any name: "chains.*.rpc_url".
  std::string path;
  ConfigType type = ConfigType::text;
  // As it would be written: "9000", "true", "50ms", "a,b". Empty text and empty lists mean: not set.
  std::string standard;
  // Whole sentences, with the unit where there is one.
  std::string help;
  // Of text: the only values allowed, when not empty.
  std::vector<std::string> choices;
  // Of integers, and of durations in milliseconds.
  std::int64_t least = 0;
  std::int64_t most = INT64_MAX;
  // Another name for this key, kept for the people who know it; it is documented and accepted, and the value arrives
  // under `path`. Setting both to different values is an error.
  std::string also = {};
  // Never printed and never logged.
  bool secret = false;
};

class ConfigSchema {
 public:
  // A section's explanation, printed above its keys.
  void section(std::string name, std::string help);
  // Each path once.
  void add(ConfigKey key);
  const std::vector<ConfigKey>& keys() const { return keys_; }
  // The key for a path as written, with wildcards resolved; null when unknown.
  const ConfigKey* find(std::string_view path) const;
  // The known path that is closest to a misspelt one.
  std::string nearest(std::string_view path) const;
  // A complete file with every key at its default and explained.
  std::string print() const;

 private:
  std::vector<ConfigKey> keys_;
  std::map<std::string, std::string> sections_;
};

// The sections of this round: node, keys, chain, relay, paymaster, database, limits, and the founders' names.
ConfigSchema standard_config_schema();

class Config {
 public:
  using Environment = std::map<std::string, std::string>;

  // `environment` entries COMMUNITY_NODE_SECTION__KEY override the file; others are ignored. Errors name file, line
  // or variable: config_syntax, config_unknown_key, config_type, config_value.
  static Result<Config> load(const ConfigSchema& schema, std::string_view toml, const Environment& environment = {});
  // The environment of this process.
  static Environment process_environment();

  // Asking for a key that the schema does not have, or with another type, is a bug.
  const std::string& text(std::string_view path) const;
  std::int64_t integer(std::string_view path) const;
  bool boolean(std::string_view path) const;
  Milliseconds duration(std::string_view path) const;
  const std::vector<std::string>& list(std::string_view path) const;
  // Whether file or environment set it.
  bool is_set(std::string_view path) const;
  // The names found for "*": names("chains") with "chains.*.rpc_url".
  std::vector<std::string> names(std::string_view section) const;
  // Every key with its value and where it came from; secrets hidden. For `config print`.
  std::string print() const;

 private:
  struct Value {
    const ConfigKey* key = nullptr;
    std::string text;
    std::int64_t number = 0;
    std::vector<std::string> list;
    // "default", "file", or the variable's name.
    std::string source;
  };
  static Result<Value> parse(const ConfigKey& key, std::string_view written);
  static Result<std::map<std::string, std::string>> read_toml(std::string_view toml);
  Result<void> set(const std::string& path, std::string_view written, std::string source);
  void fill_named_sections();
  const Value& value(std::string_view path, ConfigType type) const;

  // Shared, so that values may point into it.
  std::shared_ptr<const ConfigSchema> schema_;
  std::map<std::string, Value, std::less<>> values_;
};

}  // namespace community::infra
