// SPDX-License-Identifier: Apache-2.0
// Reading and checking. TOML's own types are reduced to the text of the value, so that file and environment take the
// same road; a value of the wrong TOML type is still refused.
#include "community/infra/api/config.hpp"

#include <toml++/toml.h>
#include <unistd.h>

#include <algorithm>
#include <cassert>
#include <charconv>
#include <numeric>
#include <stdexcept>

extern char** environ;

namespace community::infra {
namespace {

constexpr std::string_view kPrefix = "COMMUNITY_NODE_";
// Separates the items of a list in its reduced text; no TOML string of ours holds it.
constexpr char kItem = '\x1f';

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

bool fits(std::string_view pattern, std::string_view path) {
  const auto a = split(pattern, '.'), b = split(path, '.');
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); i++)
    if (a[i] != "*" && a[i] != b[i]) return false;
  return true;
}

std::optional<std::int64_t> parse_integer(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<std::int64_t> parse_duration_ms(std::string_view text) {
  static constexpr std::pair<std::string_view, std::int64_t> kUnits[] = {
      {"ms", 1}, {"s", 1'000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}};
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const auto number = parse_integer(text.substr(0, digits));
  // 10^10 days still fit; more is a typing error.
  if (!number || digits > 10) return std::nullopt;
  for (const auto& [unit, factor] : kUnits)
    if (text.substr(digits) == unit) return *number * factor;
  return std::nullopt;
}

std::string_view describe(ConfigType type) {
  switch (type) {
    case ConfigType::text:
      return "a string";
    case ConfigType::integer:
      return "an integer";
    case ConfigType::boolean:
      return "true or false";
    case ConfigType::duration:
      return "a duration such as \"50ms\", \"30s\", \"15m\", \"24h\" or \"7d\"";
    case ConfigType::list:
      return "an array of strings";
  }
  return "a value";
}

// Letters to insert, remove or change to get from one text to the other.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); i++) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); j++) {
      const std::size_t change = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = std::exchange(row[j], std::min({row[j] + 1, row[j - 1] + 1, change}));
    }
  }
  return row.back();
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

std::string as_toml(const ConfigKey& key, std::string_view value) {
  switch (key.type) {
    case ConfigType::integer:
    case ConfigType::boolean:
      return std::string(value);
    case ConfigType::list: {
      std::string out = "[";
      if (!value.empty())
        for (const auto item : split(value, ',')) out += (out.size() > 1 ? ", " : "") + quoted(item);
      return out + "]";
    }
    default:
      return quoted(value);
  }
}

// Breaks `text` into comment lines of at most 110 characters.
void append_comment(std::string& out, std::string_view text) {
  while (!text.empty()) {
    std::size_t end = text.size();
    if (end > 110) {
      end = text.rfind(' ', 110);
      if (end == std::string_view::npos) end = text.size();
    }
    out.append("# ").append(text.substr(0, end)).append("\n");
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

// Leaves of a TOML tree as path and text; a kind that no key has is told by the type check later.
Result<void> flatten(const toml::table& table, const std::string& prefix, std::map<std::string, std::string>& out) {
  for (const auto& [name, node] : table) {
    const std::string path = prefix.empty() ? std::string(name.str()) : prefix + "." + std::string(name.str());
    if (const auto* inner = node.as_table()) {
      if (auto done = flatten(*inner, path, out); !done) return done;
    } else if (const auto* text = node.as_string()) {
      out[path] = "s" + text->get();
    } else if (const auto* number = node.as_integer()) {
      out[path] = "i" + std::to_string(number->get());
    } else if (const auto* flag = node.as_boolean()) {
      out[path] = flag->get() ? "btrue" : "bfalse";
    } else if (const auto* array = node.as_array()) {
      std::string joined = "l";
      for (const auto& item : *array) {
        const auto* item_text = item.as_string();
        if (item_text == nullptr) return fail(ErrorCode::config_type, path + " is an array of something but strings");
        if (joined.size() > 1) joined += kItem;
        joined += item_text->get();
      }
      out[path] = joined;
    } else {
      return fail(ErrorCode::config_type, path + " has a type that no key has");
    }
  }
  return {};
}

char written_as(ConfigType type) {
  switch (type) {
    case ConfigType::integer:
      return 'i';
    case ConfigType::boolean:
      return 'b';
    case ConfigType::list:
      return 'l';
    default:
      return 's';
  }
}

}  // namespace

void ConfigSchema::section(std::string name, std::string help) { sections_[std::move(name)] = std::move(help); }

void ConfigSchema::add(ConfigKey key) {
  assert(find(key.path) == nullptr);
  keys_.push_back(std::move(key));
}

const ConfigKey* ConfigSchema::find(std::string_view path) const {
  for (const auto& key : keys_)
    if (fits(key.path, path) || (!key.also.empty() && fits(key.also, path))) return &key;
  return nullptr;
}

std::string ConfigSchema::nearest(std::string_view path) const {
  std::string best;
  std::size_t least = SIZE_MAX;
  for (const auto& key : keys_) {
    for (const auto& candidate : {key.path, key.also}) {
      if (candidate.empty()) continue;
      const std::size_t d = distance(path, candidate);
      if (d >= least) continue;
      least = d;
      best = candidate;
    }
  }
  return best;
}

std::string ConfigSchema::print() const {
  std::string out;
  append_comment(out,
                 "Configuration of Community Node. Every key is shown with its default; each can also be set by a "
                 "variable such as COMMUNITY_NODE_CHAIN__RPC_URL.");
  std::map<std::string, std::vector<const ConfigKey*>> by_section;
  std::vector<std::string> order;
  for (const auto& key : keys_) {
    const std::string section = key.path.substr(0, key.path.rfind('.'));
    if (by_section[section].empty()) order.push_back(section);
    by_section[section].push_back(&key);
  }
  for (const auto& section : order) {
    const bool named = section.find('*') != std::string::npos || by_section[section].front()->path.ends_with(".*");
    out += "\n";
    if (const auto help = sections_.find(section); help != sections_.end()) append_comment(out, help->second);
    // A section with a free name has no default: it is shown as an example.
    out += (named ? "# [" : "[") + section + "]\n";
    for (const auto* key : by_section[section]) {
      append_comment(out, key->help);
      if (!key->choices.empty()) {
        std::string choices = "One of:";
        for (const auto& choice : key->choices) choices += " " + choice;
        append_comment(out, choices + ".");
      }
      if (!key->also.empty()) append_comment(out, "Also accepted as " + key->also + ".");
      out += (named ? "# " : "") + key->path.substr(section.size() + 1) + " = " + as_toml(*key, key->standard) + "\n";
    }
  }
  return out;
}

Result<Config::Value> Config::parse(const ConfigKey& key, std::string_view written) {
  Value value;
  value.key = &key;
  value.text = written;
  const auto refuse = [&](std::string_view what) { return fail(ErrorCode::config_value, std::string(what)); };
  if (key.type == ConfigType::list) {
    if (!written.empty())
      for (const auto item : split(written, written.find(kItem) != std::string_view::npos ? kItem : ','))
        value.list.emplace_back(item);
    return value;
  }
  if (key.type == ConfigType::text) {
    const auto& choices = key.choices;
    if (choices.empty() || std::find(choices.begin(), choices.end(), written) != choices.end()) return value;
    std::string all;
    for (const auto& choice : choices) all += (all.empty() ? "" : ", ") + choice;
    return refuse("is one of " + all);
  }
  if (key.type == ConfigType::boolean) {
    if (written != "true" && written != "false") return fail(ErrorCode::config_type, "is true or false");
    value.number = written == "true" ? 1 : 0;
    return value;
  }
  const auto number = key.type == ConfigType::integer ? parse_integer(written) : parse_duration_ms(written);
  if (!number) return fail(ErrorCode::config_type, "is " + std::string(describe(key.type)));
  if (*number < key.least || *number > key.most)
    return refuse("is between " + std::to_string(key.least) + " and " + std::to_string(key.most) +
                  (key.type == ConfigType::duration ? " milliseconds" : ""));
  value.number = *number;
  return value;
}

Result<std::map<std::string, std::string>> Config::read_toml(std::string_view text) {
  std::map<std::string, std::string> leaves;
  try {
    const toml::table table = toml::parse(text);
    if (auto done = flatten(table, "", leaves); !done) return tl::unexpected(done.error());
  } catch (const toml::parse_error& e) {
    return fail(ErrorCode::config_syntax,
                "line " + std::to_string(e.source().begin.line) + ": " + std::string(e.description()));
  }
  return leaves;
}

Result<void> Config::set(const std::string& path, std::string_view written, std::string source) {
  const ConfigKey* key = schema_->find(path);
  if (key == nullptr)
    return fail(ErrorCode::config_unknown_key,
                path + " (" + source + ") is not known; did you mean " + schema_->nearest(path) + "?");
  auto parsed = parse(*key, written);
  if (!parsed) return fail(parsed.error().code, path + " (" + source + ") " + parsed.error().message);
  // A founders' name arrives under the key's own.
  const std::string target = !key->also.empty() && fits(key->also, path) ? key->path : path;
  auto& slot = values_[target];
  if (slot.source == source && slot.text != parsed->text)
    return fail(ErrorCode::config_value, key->path + " and " + key->also + " are the same key with two values");
  slot = std::move(*parsed);
  slot.source = std::move(source);
  return {};
}

Result<Config> Config::load(const ConfigSchema& schema, std::string_view toml, const Environment& environment) {
  Config config;
  config.schema_ = std::make_shared<ConfigSchema>(schema);
  for (const auto& key : config.schema_->keys()) {
    if (key.path.find('*') != std::string::npos) continue;
    auto value = parse(key, key.standard);
    assert(value);
    value->source = "default";
    config.values_[key.path] = std::move(*value);
  }
  auto leaves = read_toml(toml);
  if (!leaves) return tl::unexpected(leaves.error());
  for (const auto& [path, leaf] : *leaves) {
    const ConfigKey* key = config.schema_->find(path);
    if (key != nullptr && leaf.front() != written_as(key->type))
      return fail(ErrorCode::config_type, path + " (file) is " + std::string(describe(key->type)));
    if (auto done = config.set(path, std::string_view(leaf).substr(1), "file"); !done)
      return tl::unexpected(done.error());
  }
  for (const auto& [name, written] : environment) {
    if (!std::string_view(name).starts_with(kPrefix)) continue;
    std::string path;
    for (std::size_t i = kPrefix.size(); i < name.size(); i++) {
      if (name.compare(i, 2, "__") == 0) {
        path += '.';
        i++;
      } else {
        path += name[i] >= 'A' && name[i] <= 'Z' ? static_cast<char>(name[i] + ('a' - 'A')) : name[i];
      }
    }
    if (auto done = config.set(path, written, name); !done) return tl::unexpected(done.error());
  }
  config.fill_named_sections();
  return config;
}

// A section with a free name that sets some of its keys has the others at their defaults.
void Config::fill_named_sections() {
  for (const auto& key : schema_->keys()) {
    const std::size_t star = key.path.find(".*.");
    if (star == std::string::npos) continue;
    const std::string section = key.path.substr(0, star);
    for (const auto& name : names(section)) {
      const std::string path = section + "." + name + key.path.substr(star + 2);
      if (values_.contains(path)) continue;
      auto value = parse(key, key.standard);
      assert(value);
      value->source = "default";
      values_[path] = std::move(*value);
    }
  }
}

Config::Environment Config::process_environment() {
  Environment environment;
  for (char** variable = environ; *variable != nullptr; variable++) {
    const std::string_view entry(*variable);
    const std::size_t equals = entry.find('=');
    if (equals != std::string_view::npos) environment.emplace(entry.substr(0, equals), entry.substr(equals + 1));
  }
  return environment;
}

const Config::Value& Config::value(std::string_view path, ConfigType type) const {
  const auto found = values_.find(path);
  if (found == values_.end() || found->second.key->type != type)
    throw std::logic_error("configuration has no such key of this type: " + std::string(path));
  return found->second;
}

const std::string& Config::text(std::string_view path) const { return value(path, ConfigType::text).text; }
std::int64_t Config::integer(std::string_view path) const { return value(path, ConfigType::integer).number; }
bool Config::boolean(std::string_view path) const { return value(path, ConfigType::boolean).number != 0; }
Milliseconds Config::duration(std::string_view path) const {
  return Milliseconds(value(path, ConfigType::duration).number);
}
const std::vector<std::string>& Config::list(std::string_view path) const { return value(path, ConfigType::list).list; }

bool Config::is_set(std::string_view path) const {
  const auto found = values_.find(path);
  return found != values_.end() && found->second.source != "default";
}

std::vector<std::string> Config::names(std::string_view section) const {
  std::vector<std::string> names;
  const std::string prefix = std::string(section) + ".";
  for (auto it = values_.lower_bound(prefix); it != values_.end() && it->first.starts_with(prefix); ++it) {
    if (it->second.key->path.find('*') == std::string::npos) continue;
    const std::string_view rest = std::string_view(it->first).substr(prefix.size());
    std::string name(rest.substr(0, rest.find('.')));
    if (names.empty() || names.back() != name) names.push_back(std::move(name));
  }
  return names;
}

std::string Config::print() const {
  std::string out;
  for (const auto& [path, value] : values_) {
    std::string shown = value.text;
    std::replace(shown.begin(), shown.end(), kItem, ',');
    const bool hidden = value.key->secret && !value.text.empty();
    out += path + " = " + (hidden ? "\"[redacted]\"" : as_toml(*value.key, shown)) + "  # " + value.source + "\n";
  }
  return out;
}

}  // namespace community::infra
