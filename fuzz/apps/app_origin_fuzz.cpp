// SPDX-License-Identifier: Apache-2.0
// An origin that is accepted is short ASCII in one form: two parts that no path, user or white space hides in, and with
// the scheme's own port it would have been refused.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "community/apps/api/origin.hpp"

namespace {

void expect(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  if (!community::apps::is_app_origin(text)) return 0;
  expect(text.size() <= community::apps::kMaxOrigin);
  const bool is_https = text.starts_with("https://");
  expect(is_https || text.starts_with("http://"));
  const std::string rest = text.substr(is_https ? 8 : 7);
  expect(!rest.empty());
  for (const char c : rest) {
    const bool is_plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
    expect(is_plain || c == ':' || c == '[' || c == ']');
  }
  expect(!text.ends_with(is_https ? ":443" : ":80") || rest.back() == ']');
  for (const char* more : {"/", ".", ":", "?", "#", " ", "@x"}) expect(!community::apps::is_app_origin(text + more));
  return 0;
}
