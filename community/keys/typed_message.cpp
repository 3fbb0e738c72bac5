// SPDX-License-Identifier: Apache-2.0
#include "community/keys/api/typed_message.hpp"

#include <set>

#include "community/core/abi_json.hpp"
#include "community/core/eip712.hpp"
#include "trusted/ethereum/typed_data.hpp"

namespace community::keys {
namespace {

namespace json = core::json;
using core::Bytes;

std::string_view text(const json::value& value) {
  const auto& string = value.get_string();
  return {string.data(), string.size()};
}

void append_number(Bytes& out, std::uint64_t number, std::size_t size) {
  for (std::size_t i = size; i-- > 0;) out.push_back(static_cast<std::uint8_t>(number >> 8 * i));
}

// Walks a document whose types and values core::hash_typed_data accepted.
class Document {
 public:
  explicit Document(const json::object& types) : types_(types) {}

  std::set<std::string> reached(std::string_view from) const {
    std::set<std::string> seen;
    std::vector<std::string_view> open{from};
    while (!open.empty()) {
      const std::string_view name = open.back().substr(0, open.back().find('['));
      open.pop_back();
      const json::value* members = types_.if_contains(name);
      if (members == nullptr || !seen.emplace(name).second) continue;
      for (const json::value& member : members->get_array()) open.push_back(text(member.at("type")));
    }
    return seen;
  }

  std::string definition(std::string_view name) const {
    std::string all(name);
    all += '(';
    for (const json::value& member : types_.at(name).get_array()) {
      if (all.back() != '(') all += ',';
      all.append(text(member.at("type"))).append(" ").append(text(member.at("name")));
    }
    return all + ')';
  }

  core::Result<void> write(std::string_view type, const json::value& value, Bytes& out) const {
    if (type.ends_with(']')) {
      const std::size_t open = type.rfind('[');
      const json::array& elements = value.get_array();
      if (type[open + 1] == ']') {
        if (elements.size() > 0xffff) return core::fail(core::ErrorCode::eip712_too_large, "array");
        append_number(out, elements.size(), 2);
      }
      for (const json::value& element : elements)
        if (auto done = write(type.substr(0, open), element, out); !done) return done;
      return {};
    }
    if (const json::value* members = types_.if_contains(type)) {
      for (const json::value& member : members->get_array()) {
        const auto& values = value.get_object();
        if (auto done = write(text(member.at("type")), values.at(text(member.at("name"))), out); !done) return done;
      }
      return {};
    }
    return write_elementary(type, value, out);
  }

 private:
  static core::Result<void> write_elementary(std::string_view name, const json::value& value, Bytes& out) {
    using Kind = core::AbiType::Kind;
    const auto type = core::parse_abi_type(name);
    if (!type) return tl::unexpected(type.error());
    const auto parsed = core::abi_value_from_json(*type, value);
    if (!parsed) return tl::unexpected(parsed.error());
    if (parsed->is_word()) {
      const core::Bytes32 word = parsed->word().to_be();
      const std::size_t size = type->kind == Kind::boolean ? 1 : type->kind == Kind::address ? 20 : 32;
      out.insert(out.end(), word.end() - static_cast<std::ptrdiff_t>(size), word.end());
      return {};
    }
    if (type->is_dynamic()) append_number(out, parsed->bytes().size(), 4);
    out.insert(out.end(), parsed->bytes().begin(), parsed->bytes().end());
    return {};
  }

  const json::object& types_;
};

core::Result<void> read_domain(const json::object& domain, TypedMessage& message) {
  if (core::find_member(domain, "name") != nullptr) {
    const auto name = core::string_member(domain, "name");
    if (!name) return tl::unexpected(name.error());
    message.name = *name;
    message.present |= protocol::kDomainName;
  }
  if (core::find_member(domain, "version") != nullptr) {
    const auto version = core::string_member(domain, "version");
    if (!version) return tl::unexpected(version.error());
    message.version = *version;
    message.present |= protocol::kDomainVersion;
  }
  if (core::find_member(domain, "chainId") != nullptr) {
    const auto number = core::number_member(domain, "chainId");
    if (!number) return tl::unexpected(number.error());
    if (!number->fits_u64()) return core::fail(core::ErrorCode::eip712_too_large, "chainId");
    message.chain_id = number->limb[0];
    message.present |= protocol::kDomainChainId;
  }
  if (core::find_member(domain, "verifyingContract") != nullptr) {
    const auto contract = core::address_member(domain, "verifyingContract");
    if (!contract) return tl::unexpected(contract.error());
    message.verifying_contract = *contract;
    message.present |= protocol::kDomainContract;
  }
  if (core::find_member(domain, "salt") != nullptr) {
    const auto salt = core::bytes32_member(domain, "salt");
    if (!salt) return tl::unexpected(salt.error());
    message.salt = *salt;
    message.present |= protocol::kDomainSalt;
  }
  return {};
}

// What the core will do with the message; the struct hash is nothing when it would refuse.
std::optional<core::Bytes32> core_struct_hash(const TypedMessage& message) {
  if (message.values.size() > protocol::kMaxTypedDataBytes) return std::nullopt;
  ethereum::TypedTypes types;
  core::Bytes32 hash{};
  for (const std::string& type : message.types) {
    const bool fits = type.size() <= protocol::kMaxTypeDefinition;
    if (!fits || types.add(base::view(type)) != ethereum::TypedDataError::none) return std::nullopt;
  }
  if (types.close(message.primary) != ethereum::TypedDataError::none) return std::nullopt;
  if (ethereum::TypedValues(types, message.values).hash(message.primary, hash) != ethereum::TypedDataError::none)
    return std::nullopt;
  return hash;
}

}  // namespace

core::Result<TypedDocument> typed_document(const json::object& document) {
  const auto hashes = core::hash_typed_data(document);
  if (!hashes) return tl::unexpected(hashes.error());
  TypedDocument result;
  result.digest = hashes->digest;
  result.domain_separator = hashes->domain_separator;
  result.contents = hashes->message_hash;
  TypedMessage& message = result.message;
  if (auto done = read_domain(document.at("domain").get_object(), message); !done) return tl::unexpected(done.error());
  const ethereum::TypedDomain domain{message.present,  base::view(message.name),   base::view(message.version),
                                     message.chain_id, message.verifying_contract, message.salt};
  const bool names_fit = std::max(message.name.size(), message.version.size()) <= protocol::kMaxTypedDataName;
  if (message.present == 0 || !names_fit || ethereum::domain_separator(domain) != hashes->domain_separator)
    return core::fail(core::ErrorCode::eip712_type_syntax, "domain");

  const Document walk(document.at("types").get_object());
  const std::string_view primary = text(document.at("primaryType"));
  const std::set<std::string> names = walk.reached(primary);
  if (!names.contains(std::string(primary)) || names.size() > protocol::kMaxTypedDataTypes)
    return core::fail(core::ErrorCode::eip712_too_large, "types");
  for (const std::string& name : names) {
    if (name == primary) message.primary = static_cast<std::uint8_t>(message.types.size());
    message.types.push_back(walk.definition(name));
  }
  if (auto done = walk.write(primary, document.at("message"), message.values); !done)
    return tl::unexpected(done.error());
  const auto hash = core_struct_hash(message);
  if (!hash || ethereum::typed_data_digest(hashes->domain_separator, *hash) != hashes->digest)
    return core::fail(core::ErrorCode::eip712_too_large, "message");
  return result;
}

}  // namespace community::keys
