// SPDX-License-Identifier: Apache-2.0
// Hashing of EIP-712 documents. Types are read and checked first; values are then walked along their type.
#include "community/core/eip712.hpp"

#include <map>
#include <set>

#include "community/core/abi_json.hpp"
#include "trusted/base/keccak.hpp"

namespace community::core {

namespace {

constexpr std::string_view kDomainName = "EIP712Domain";

struct Member {
  std::string name;
  // As written, for encodeType.
  std::string type;
  // Without array suffixes.
  std::string base;
};

struct Struct {
  std::vector<Member> members;
  std::optional<Bytes32> type_hash;
};

bool is_identifier(std::string_view text) {
  if (text.empty() || (text[0] >= '0' && text[0] <= '9')) return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$';
  });
}

bool is_elementary(std::string_view name) {
  return name.find('(') == std::string_view::npos && name.find(' ') == std::string_view::npos && name != "function" &&
         parse_abi_type(name).has_value();
}

class Types {
 public:
  Result<void> read(const json::object& types) {
    if (types.size() > kMaxTypedDataStructs) return fail(ErrorCode::eip712_too_large, "structs");
    std::size_t total = 0;
    for (const auto& [key, value] : types) {
      const std::string name(key);
      if (!is_identifier(name) || is_elementary(name) || !value.is_array())
        return fail(ErrorCode::eip712_type_syntax, name.substr(0, 64));
      total += value.get_array().size();
      if (total > kMaxTypedDataMembers) return fail(ErrorCode::eip712_too_large, "members");
      Struct& entry = structs_[name];
      std::set<std::string_view> names;
      for (const json::value& item : value.get_array()) {
        auto member = read_member(item);
        if (!member) return tl::unexpected(member.error());
        entry.members.push_back(std::move(*member));
      }
      for (const Member& member : entry.members)
        if (!names.insert(member.name).second)
          return fail(ErrorCode::eip712_type_syntax, name + " has two members " + member.name);
    }
    for (const auto& [name, entry] : structs_)
      for (const Member& member : entry.members)
        if (!structs_.contains(member.base) && !is_elementary(member.base))
          return fail(ErrorCode::eip712_type_missing, member.base.substr(0, 64));
    return {};
  }

  void add(std::string_view name, std::vector<Member> members) { structs_[std::string(name)].members = members; }
  Struct* find(std::string_view name) {
    const auto found = structs_.find(name);
    return found == structs_.end() ? nullptr : &found->second;
  }
  const std::map<std::string, Struct, std::less<>>& all() const { return structs_; }

  // The struct itself first, then those it refers to in the order of their names.
  std::string text(std::string_view name) const {
    std::set<std::string_view> referred;
    collect(name, referred);
    referred.erase(name);
    std::string all = text_of_one(name);
    for (std::string_view other : referred) all += text_of_one(other);
    return all;
  }

 private:
  static Result<Member> read_member(const json::value& item) {
    if (!item.is_object()) return fail(ErrorCode::eip712_type_syntax, "member is not an object");
    const auto name = string_member(item.get_object(), "name");
    const auto type = string_member(item.get_object(), "type");
    if (!name || !type || !is_identifier(*name)) return fail(ErrorCode::eip712_type_syntax, "member name");
    const std::string_view base = type->substr(0, type->find('['));
    // The element type stands in: only the brackets are checked here.
    const auto brackets = wrap_abi_arrays(*parse_abi_type("uint256"), type->substr(base.size()));
    if (!is_identifier(base) || !brackets) return fail(ErrorCode::eip712_type_syntax, std::string(type->substr(0, 64)));
    return Member{std::string(*name), std::string(*type), std::string(base)};
  }

  void collect(std::string_view name, std::set<std::string_view>& seen) const {
    std::vector<std::string_view> open{name};
    while (!open.empty()) {
      const auto found = structs_.find(open.back());
      open.pop_back();
      if (found == structs_.end() || !seen.insert(found->first).second) continue;
      for (const Member& member : found->second.members) open.push_back(member.base);
    }
  }

  std::string text_of_one(std::string_view name) const {
    std::string all(name);
    all += '(';
    const auto& members = structs_.find(name)->second.members;
    for (std::size_t i = 0; i < members.size(); i++)
      all.append(i == 0 ? "" : ",").append(members[i].type).append(" ").append(members[i].name);
    return all + ')';
  }

  std::map<std::string, Struct, std::less<>> structs_;
};

Error at(Error error, std::string_view place) {
  const bool ours = error.code == ErrorCode::eip712_value || error.code == ErrorCode::eip712_member_missing ||
                    error.code == ErrorCode::eip712_member_unknown || error.code == ErrorCode::eip712_too_deep;
  if (!ours) error = Error{ErrorCode::eip712_value, error.text()};
  if (error.message.size() < 200) error.message = std::string(place.substr(0, 64)) + ": " + error.message;
  return error;
}

class Hasher {
 public:
  explicit Hasher(Types& types) : types_(types) {}

  // typeHash || encodeData.
  Result<Bytes> encode_struct(std::string_view name, const json::object& object, unsigned depth) {
    if (depth > kMaxTypedDataDepth) return fail(ErrorCode::eip712_too_deep);
    Struct* type = types_.find(name);
    if (type == nullptr) return fail(ErrorCode::eip712_type_missing, std::string(name.substr(0, 64)));
    if (!type->type_hash) type->type_hash = base::keccak256(base::view(types_.text(name)));
    Bytes out = to_bytes(*type->type_hash);
    for (const Member& member : type->members) {
      const json::value* value = object.if_contains(member.name);
      if (value == nullptr) return fail(ErrorCode::eip712_member_missing, member.name.substr(0, 64));
      auto word = encode_value(member.type, *value, depth + 1);
      if (!word) return tl::unexpected(at(std::move(word.error()), member.name));
      append(out, *word);
    }
    // Names in the type differ, and so do those of a strict document: equal counts mean equal sets.
    if (object.size() != type->members.size())
      for (const auto& entry : object)
        if (std::none_of(type->members.begin(), type->members.end(),
                         [&](const Member& member) { return member.name == entry.key(); }))
          return fail(ErrorCode::eip712_member_unknown, std::string(entry.key()).substr(0, 64));
    return out;
  }

  Result<Bytes32> hash_struct(std::string_view name, const json::object& object, unsigned depth) {
    const auto encoded = encode_struct(name, object, depth);
    if (!encoded) return tl::unexpected(encoded.error());
    return base::keccak256(*encoded);
  }

 private:
  Result<Bytes32> encode_value(std::string_view type, const json::value& value, unsigned depth) {
    if (depth > kMaxTypedDataDepth) return fail(ErrorCode::eip712_too_deep);
    if (type.ends_with(']')) return encode_array(type, value, depth);
    if (types_.find(type) != nullptr) {
      if (!value.is_object()) return fail(ErrorCode::eip712_value, "not an object");
      return hash_struct(type, value.get_object(), depth);
    }
    const auto elementary = parse_abi_type(type);
    if (!elementary) return tl::unexpected(elementary.error());
    const auto parsed = abi_value_from_json(*elementary, value);
    if (!parsed) return tl::unexpected(parsed.error());
    if (elementary->is_dynamic()) return base::keccak256(parsed->bytes());
    Bytes32 word{};
    if (parsed->is_word()) {
      word = parsed->word().to_be();
    } else {
      std::copy(parsed->bytes().begin(), parsed->bytes().end(), word.begin());
    }
    return word;
  }

  // keccak256 of the encoded elements one after the other.
  Result<Bytes32> encode_array(std::string_view type, const json::value& value, unsigned depth) {
    const std::size_t open = type.rfind('[');
    const std::string_view length = type.substr(open + 1, type.size() - open - 2);
    if (!value.is_array()) return fail(ErrorCode::eip712_value, "not an array");
    const json::array& elements = value.get_array();
    if (!length.empty() && length != std::to_string(elements.size()))
      return fail(ErrorCode::eip712_value, "array of another length");
    base::Keccak256 hash;
    for (const json::value& element : elements) {
      const auto word = encode_value(type.substr(0, open), element, depth + 1);
      if (!word) return word;
      hash.add(*word);
    }
    return hash.finish();
  }

  Types& types_;
};

std::vector<Member> domain_members(const json::object& domain) {
  static constexpr std::pair<const char*, const char*> kStandard[] = {{"name", "string"},
                                                                      {"version", "string"},
                                                                      {"chainId", "uint256"},
                                                                      {"verifyingContract", "address"},
                                                                      {"salt", "bytes32"}};
  std::vector<Member> members;
  for (const auto& [name, type] : kStandard)
    if (find_member(domain, name) != nullptr) members.push_back({name, type, type});
  return members;
}

// The one struct that no other struct refers to.
Result<std::string> only_root(const Types& types) {
  std::set<std::string_view> referred;
  for (const auto& [name, entry] : types.all())
    for (const Member& member : entry.members)
      if (member.base != name) referred.insert(member.base);
  std::string root;
  for (const auto& [name, entry] : types.all()) {
    if (name == kDomainName || referred.contains(name)) continue;
    if (!root.empty()) return fail(ErrorCode::eip712_type_missing, "primaryType");
    root = name;
  }
  if (root.empty()) return fail(ErrorCode::eip712_type_missing, "primaryType");
  return root;
}

}  // namespace

Result<TypedDataHashes> hash_typed_data(const json::object& domain, const json::object& type_members,
                                        std::string_view primary_type, const json::object& message) {
  Types types;
  if (auto read = types.read(type_members); !read) return tl::unexpected(read.error());
  if (types.find(kDomainName) == nullptr) types.add(kDomainName, domain_members(domain));
  std::string primary(primary_type);
  if (primary.empty()) {
    auto root = only_root(types);
    if (!root) return tl::unexpected(root.error());
    primary = std::move(*root);
  }
  // A null domain member counts as absent where the type is made from the domain itself.
  json::object present;
  for (const auto& entry : domain)
    if (!entry.value().is_null()) present.insert(entry);
  Hasher hasher(types);
  TypedDataHashes hashes;
  const auto separator = hasher.hash_struct(kDomainName, present, 0);
  if (!separator) return tl::unexpected(at(separator.error(), "domain"));
  hashes.domain_separator = *separator;
  static constexpr std::uint8_t kPrefix[2] = {0x19, 0x01};
  auto encoded = hasher.encode_struct(primary, message, 0);
  if (!encoded) return tl::unexpected(encoded.error());
  hashes.encoded = std::move(*encoded);
  // eth_signTypedData_v4: a document about its own domain signs the separator alone.
  if (primary == kDomainName) {
    hashes.digest = base::keccak256({kPrefix, hashes.domain_separator});
    return hashes;
  }
  hashes.message_hash = base::keccak256(hashes.encoded);
  hashes.digest = base::keccak256({kPrefix, hashes.domain_separator, hashes.message_hash});
  return hashes;
}

Result<TypedDataHashes> hash_typed_data(const json::object& document) {
  const auto domain = object_member(document, "domain");
  if (!domain) return tl::unexpected(domain.error());
  const auto types = object_member(document, "types");
  if (!types) return tl::unexpected(types.error());
  const auto primary = string_member(document, "primaryType");
  if (!primary) return tl::unexpected(primary.error());
  const auto message = object_member(document, "message");
  if (!message) return tl::unexpected(message.error());
  return hash_typed_data(**domain, **types, *primary, **message);
}

Result<std::string> typed_data_type_text(const json::object& type_members, std::string_view name) {
  Types types;
  if (auto read = types.read(type_members); !read) return tl::unexpected(read.error());
  if (types.find(name) == nullptr) return fail(ErrorCode::eip712_type_missing, std::string(name.substr(0, 64)));
  return types.text(name);
}

}  // namespace community::core
