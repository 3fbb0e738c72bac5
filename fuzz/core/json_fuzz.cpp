// SPDX-License-Identifier: Apache-2.0
// Strict JSON: what it accepts, Boost.JSON accepts too, with the same value unless an integer was long.
#include "community/core/json.hpp"
#include "fuzz/core/fuzz.hpp"

using namespace community::core;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = community::base::text({data, size});
  const auto strict = parse_json(text);
  (void)parse_json(text, {.max_depth = 300, .long_integers_as_text = true});
  if (!strict) return 0;
  json::parse_options options;
  options.max_depth = JsonLimits{}.max_depth;
  boost::system::error_code code;
  const json::value plain = json::parse(text, code, {}, options);
  require(!code, "strict JSON is JSON");
  require(plain == *strict, "strict JSON has the same value");
  return 0;
}
