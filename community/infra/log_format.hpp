// SPDX-License-Identifier: Apache-2.0
// The text of one log line, apart from where it goes, so that a test can read it.
#pragma once
#include "community/infra/api/log.hpp"

namespace community::infra {

// Quoted and escaped when it holds anything but plain visible characters: a value can never forge a field or a line.
void append_log_value(std::string& line, std::string_view value);
std::string format_log_line(std::string_view message, std::initializer_list<LogField> fields);

}  // namespace community::infra
