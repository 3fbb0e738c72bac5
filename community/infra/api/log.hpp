// SPDX-License-Identifier: Apache-2.0
// Structured log lines: a fixed message and key=value fields, so that lines can be searched and never assembled from
// what a stranger sent. Values are escaped; secrets have no way in.
#pragma once
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>

#include "community/infra/api/clock.hpp"

namespace community::infra {

// Wraps what must not appear in a log while its presence may: prints as [redacted].
template <class T>
struct Redacted {
  T value;
};
template <class T>
Redacted(T) -> Redacted<T>;

struct LogField {
  LogField(std::string_view k, std::string_view v) : key(k), value(v) {}
  LogField(std::string_view k, const char* v) : key(k), value(v) {}
  LogField(std::string_view k, const std::string& v) : key(k), value(v) {}
  LogField(std::string_view k, bool v) : key(k), value(v ? "true" : "false") {}
  LogField(std::string_view k, double v) : key(k), value(std::to_string(v)) {}
  template <class T>
  requires(std::is_integral_v<T> && !std::is_same_v<T, bool> && !std::is_same_v<T, char>)
      LogField(std::string_view k, T v)
      : key(k), value(std::to_string(v)) {}
  template <class T>
  LogField(std::string_view k, const Redacted<T>&) : key(k), value("[redacted]") {}

  std::string_view key;
  std::string value;
};

enum class LogLevel { debug, info, warning, error, off };

struct LogOptions {
  LogLevel level = LogLevel::info;
  // Standard error when empty.
  std::string file;
};

// Once, in main(), before the first line; without it lines go to standard error at info.
void configure_log(const LogOptions& options);
// debug, info, warning, error or off.
bool parse_log_level(std::string_view text, LogLevel& level);
bool log_enabled(LogLevel level);

void log_line(LogLevel level, std::string_view message, std::initializer_list<LogField> fields);
inline void log_debug(std::string_view message, std::initializer_list<LogField> fields = {}) {
  if (log_enabled(LogLevel::debug)) log_line(LogLevel::debug, message, fields);
}
inline void log_info(std::string_view message, std::initializer_list<LogField> fields = {}) {
  log_line(LogLevel::info, message, fields);
}
inline void log_warning(std::string_view message, std::initializer_list<LogField> fields = {}) {
  log_line(LogLevel::warning, message, fields);
}
inline void log_error(std::string_view message, std::initializer_list<LogField> fields = {}) {
  log_line(LogLevel::error, message, fields);
}

// A warning an outsider can cause at will: at most one line per interval, the next says how many were held back.
class RateLimitedWarning {
 public:
  RateLimitedWarning(const Clock& clock, Milliseconds interval) : clock_(clock), interval_(interval) {}
  // True when the line was written.
  bool warn(std::string_view message, std::initializer_list<LogField> fields = {});
  std::uint64_t suppressed() const { return suppressed_; }

 private:
  const Clock& clock_;
  Milliseconds interval_;
  SteadyTime next_ = SteadyTime::min();
  std::uint64_t suppressed_ = 0;
};

}  // namespace community::infra
