// SPDX-License-Identifier: Apache-2.0
// Hex, numbers, addresses and phrases: what is accepted is printed in a form that reads back to the same value.
#include "community/core/address.hpp"
#include "community/core/bip39.hpp"
#include "community/core/hd.hpp"
#include "fuzz/core/fuzz.hpp"

using namespace community::core;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = community::base::text({data, size});
  if (const auto bytes = parse_hex(text, HexPrefix::optional); bytes)
    require(parse_hex(to_hex(*bytes)).value() == *bytes, "hex reads back");
  if (const auto number = parse_number(text); number) {
    require(parse_quantity(format_quantity(*number)).value() == *number, "quantity reads back");
    require(parse_decimal(format_decimal(*number)).value() == *number, "decimal reads back");
  }
  if (const auto quantity = parse_quantity(text); quantity) {
    std::string lower(text);
    for (char& c : lower)
      if (c >= 'A' && c <= 'F') c = static_cast<char>(c - 'A' + 'a');
    require(format_quantity(*quantity) == lower, "a quantity has one form");
  }
  if (const auto address = parse_address(text, HexPrefix::optional); address)
    require(parse_address(format_address(*address)).value() == *address, "address reads back");
  if (const auto entropy = entropy_from_mnemonic(Language::english, text); entropy)
    require(entropy_from_mnemonic(Language::english, *mnemonic_from_entropy(Language::english, *entropy)) == *entropy,
            "phrase reads back");
  (void)parse_path(text);
  (void)is_utf8({data, size});
  return 0;
}
