// SPDX-License-Identifier: Apache-2.0
// spdlog writes the lines; this file decides what a line looks like.
#include "community/infra/api/log.hpp"

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "community/infra/log_format.hpp"

namespace community::infra {
namespace {

// A field longer than this is cut: 512 bytes show any hash, address or error text; a body is not for the log.
constexpr std::size_t kMaxFieldBytes = 512;

spdlog::level::level_enum native(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return spdlog::level::debug;
    case LogLevel::info:
      return spdlog::level::info;
    case LogLevel::warning:
      return spdlog::level::warn;
    case LogLevel::error:
      return spdlog::level::err;
    case LogLevel::off:
      return spdlog::level::off;
  }
  return spdlog::level::info;
}

bool needs_quotes(std::string_view value) {
  if (value.empty()) return true;
  for (const char c : value)
    if (c <= ' ' || c == '"' || c == '=' || c == '\\' || c == 0x7f) return true;
  return false;
}

}  // namespace

void append_log_value(std::string& line, std::string_view value) {
  const bool cut = value.size() > kMaxFieldBytes;
  if (cut) value = value.substr(0, kMaxFieldBytes);
  if (!needs_quotes(value) && !cut) {
    line += value;
    return;
  }
  line += '"';
  for (const char c : value) {
    if (c == '"' || c == '\\') {
      line += '\\';
      line += c;
    } else if (c == '\n') {
      line += "\\n";
    } else if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) {
      static constexpr char kDigits[] = "0123456789abcdef";
      line += "\\x";
      line += kDigits[static_cast<unsigned char>(c) >> 4];
      line += kDigits[c & 15];
    } else {
      line += c;
    }
  }
  line += cut ? "…\"" : "\"";
}

std::string format_log_line(std::string_view message, std::initializer_list<LogField> fields) {
  std::string line(message);
  for (const auto& field : fields) {
    line += ' ';
    line += field.key;
    line += '=';
    append_log_value(line, field.value);
  }
  return line;
}

void configure_log(const LogOptions& options) {
  std::shared_ptr<spdlog::logger> logger;
  if (options.file.empty()) {
    logger = std::make_shared<spdlog::logger>("node", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  } else {
    logger =
        std::make_shared<spdlog::logger>("node", std::make_shared<spdlog::sinks::basic_file_sink_mt>(options.file));
  }
  logger->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l %v", spdlog::pattern_time_type::utc);
  logger->set_level(native(options.level));
  logger->flush_on(spdlog::level::info);
  spdlog::set_default_logger(std::move(logger));
}

bool parse_log_level(std::string_view text, LogLevel& level) {
  static constexpr std::pair<std::string_view, LogLevel> kNames[] = {{"debug", LogLevel::debug},
                                                                     {"info", LogLevel::info},
                                                                     {"warning", LogLevel::warning},
                                                                     {"error", LogLevel::error},
                                                                     {"off", LogLevel::off}};
  for (const auto& [name, value] : kNames) {
    if (name != text) continue;
    level = value;
    return true;
  }
  return false;
}

bool log_enabled(LogLevel level) { return spdlog::should_log(native(level)); }

void log_line(LogLevel level, std::string_view message, std::initializer_list<LogField> fields) {
  if (!log_enabled(level)) return;
  spdlog::default_logger_raw()->log(native(level), spdlog::string_view_t(format_log_line(message, fields)));
}

bool RateLimitedWarning::warn(std::string_view message, std::initializer_list<LogField> fields) {
  const SteadyTime now = clock_.steady();
  if (now < next_) {
    suppressed_++;
    return false;
  }
  next_ = now + interval_;
  std::string line = format_log_line(message, fields);
  if (suppressed_ != 0) line += " suppressed=" + std::to_string(std::exchange(suppressed_, 0));
  if (log_enabled(LogLevel::warning))
    spdlog::default_logger_raw()->log(spdlog::level::warn, spdlog::string_view_t(line));
  return true;
}

}  // namespace community::infra
