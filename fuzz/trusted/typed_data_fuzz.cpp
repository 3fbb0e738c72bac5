// SPDX-License-Identifier: Apache-2.0
// The reader of typed data against a second one that keeps strings, sets and vectors: what the first accepts, the
// second reads to its last byte and hashes to the same.
#include <map>
#include <set>

#include "fuzz/trusted/fuzz.hpp"
#include "trusted/ethereum/typed_data.hpp"
#include "trusted/protocol/phrase_messages.hpp"

using namespace community::trusted::testing;
namespace base = community::base;
namespace ethereum = community::ethereum;
namespace protocol = community::protocol;

namespace {

using Members = std::vector<std::pair<std::string, std::string>>;
using Types = std::map<std::string, Members>;

// "Name(type name,type name)"; it has been accepted, so it is cut without looking.
void parse(const std::string& text, Types& types) {
  const std::size_t open = text.find('(');
  Members members;
  std::size_t at = open + 1;
  while (text[at] != ')') {
    const std::size_t space = text.find(' ', at), end = text.find_first_of(",)", space);
    members.emplace_back(text.substr(at, space - at), text.substr(space + 1, end - space - 1));
    at = text[end] == ',' ? end + 1 : end;
  }
  types[text.substr(0, open)] = members;
}

std::string element(const std::string& type) { return type.substr(0, type.find('[')); }

void collect(const Types& types, const std::string& name, std::set<std::string>& used) {
  if (!types.contains(name) || !used.insert(name).second) return;
  for (const auto& member : types.at(name)) collect(types, element(member.first), used);
}

Bytes32 type_hash(const Types& types, const std::string& name) {
  auto one = [&](const std::string& type) {
    std::string text = type + "(";
    for (const auto& member : types.at(type))
      text += (text.back() == '(' ? "" : ",") + member.first + " " + member.second;
    return text + ")";
  };
  std::set<std::string> used;
  collect(types, name, used);
  used.erase(name);
  std::string text = one(name);
  for (const std::string& other : used) text += one(other);
  return base::keccak256(base::view(text));
}

Bytes take(ByteView& rest, std::size_t n) {
  require(n <= rest.size(), "both find as many values");
  const Bytes taken = to_bytes(rest.first(n));
  rest = rest.subspan(n);
  return taken;
}

Bytes word_of(const Types& types, const std::string& type, ByteView& rest);

Bytes struct_hash(const Types& types, const std::string& name, ByteView& rest) {
  Bytes all = to_bytes(type_hash(types, name));
  for (const auto& member : types.at(name)) append(all, word_of(types, member.first, rest));
  return to_bytes(base::keccak256(all));
}

Bytes word_of(const Types& types, const std::string& type, ByteView& rest) {
  if (type.back() == ']') {
    const std::size_t open = type.rfind('[');
    const std::string count = type.substr(open + 1, type.size() - open - 2);
    const std::size_t n = count.empty() ? base::load_be<std::uint16_t>(take(rest, 2).data()) : std::stoul(count);
    Bytes all;
    for (std::size_t i = 0; i < n; i++) append(all, word_of(types, type.substr(0, open), rest));
    return to_bytes(base::keccak256(all));
  }
  if (types.contains(type)) return struct_hash(types, type, rest);
  if (type == "bytes" || type == "string") {
    const std::size_t size = base::load_be<std::uint32_t>(take(rest, 4).data());
    return to_bytes(base::keccak256(take(rest, size)));
  }
  Bytes word(32);
  const bool left = type.starts_with("bytes");
  const Bytes value = take(rest, left ? std::stoul(type.substr(5)) : type == "bool" ? 1 : type == "address" ? 20 : 32);
  base::copy(base::MutableByteView(word).subspan(left ? 0 : 32 - value.size()), value);
  return word;
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  protocol::TypedData message;
  if (!protocol::decode(ByteView(data, size), message)) return 0;
  ethereum::TypedTypes read;
  Types types;
  for (std::size_t i = 0; i < message.type_count; i++)
    if (read.add(message.types[i].text) != ethereum::TypedDataError::none) return 0;
  if (read.close(message.primary) != ethereum::TypedDataError::none) return 0;
  for (std::size_t i = 0; i < message.type_count; i++) parse(std::string(read.definition(i)), types);
  require(types.size() == message.type_count, "every type has a name of its own");
  for (std::size_t i = 0; i < message.type_count; i++)
    require(type_hash(types, std::string(read.name(i))) == read.type_hash(i), "both hash the type alike");
  Bytes32 hash{};
  if (ethereum::TypedValues(read, message.values).hash(message.primary, hash) != ethereum::TypedDataError::none)
    return 0;
  ByteView rest = message.values;
  require(struct_hash(types, std::string(read.name(message.primary)), rest) == to_bytes(hash), "both hash alike");
  require(rest.empty(), "nothing is left over");
  return 0;
}
