// SPDX-License-Identifier: Apache-2.0
// Messages for applications: personal (EIP-191) and typed data (EIP-712), signed by the account or by a key of the
// wallet's phrase. What the trusted core would refuse is refused here already, by the core's own name, before anybody
// touches a passkey; the core decides again.
#include "community/accounts/api/messages.hpp"

#include "community/core/abi_json.hpp"
#include "community/core/eip712.hpp"
#include "community/core/transaction.hpp"
#include "community/transactions/service.hpp"
#include "community/transactions/text.hpp"
#include "trusted/ethereum/account_message.hpp"

namespace community::transactions {
namespace {

namespace json = core::json;
using protocol::Error::typed_data_is_permit;
using protocol::Error::typed_data_of_account;
using protocol::Error::typed_data_of_entry_point;
using protocol::Error::typed_data_other_chain;
using protocol::Error::typed_data_types_malformed;

// As JSON, the document that a person's program gives; more would make a history of it megabytes long.
constexpr std::size_t kMaxDocument = 32 * 1'024;

tl::unexpected<Error> refuse_message(protocol::Error rule, std::string message) {
  return fail_as_core(ErrorCode::message_refused, protocol::name(rule), std::move(message));
}

std::string_view text_of(const json::value& value) {
  const auto& text = value.get_string();
  return {text.data(), text.size()};
}

// The members of a document that was hashed, so that its types and values are well formed and end.
class Lines {
 public:
  explicit Lines(const json::object& types) : types_(types) {}

  void add(const std::string& path, std::string_view type, const json::value& value) {
    if (type.ends_with(']')) {
      std::size_t i = 0;
      for (const json::value& element : value.get_array())
        add(path + "[" + std::to_string(i++) + "]", type.substr(0, type.rfind('[')), element);
      return;
    }
    const json::value* members = types_.if_contains(type);
    if (members == nullptr) return add_line(path, type, value);
    for (const json::value& member : members->get_array()) {
      const std::string_view name = text_of(member.at("name"));
      const std::string inner = path.empty() ? std::string(name) : path + "." + std::string(name);
      add(inner, text_of(member.at("type")), value.get_object().at(name));
    }
  }

  json::array lines;
  bool has_all = true;

 private:
  void add_line(const std::string& path, std::string_view type, const json::value& value) {
    if (lines.size() == kMaxShownMembers) {
      has_all = false;
      return;
    }
    const auto parsed_type = core::parse_abi_type(type);
    const auto parsed = parsed_type ? core::abi_value_from_json(*parsed_type, value) : core::Result<core::AbiValue>();
    if (!parsed_type || !parsed) return;
    json::object line;
    line["path"] = clean_text(path, kMaxShownText);
    line["type"] = type;
    std::string text = text_of_value(*parsed_type, *parsed);
    if (text.size() > kMaxShownText) {
      text = clean_text(text, kMaxShownText);
      has_all = false;
    }
    line["value"] = std::move(text);
    lines.push_back(std::move(line));
  }

  static std::string text_of_value(const core::AbiType& type, const core::AbiValue& value) {
    using Kind = core::AbiType::Kind;
    if (type.kind == Kind::boolean) return value.word().is_zero() ? "false" : "true";
    if (type.kind == Kind::address) return core::format_address(value.address());
    if (value.is_bytes()) {
      const std::string_view text{reinterpret_cast<const char*>(value.bytes().data()), value.bytes().size()};
      return type.kind == Kind::string ? clean_text(text, kMaxShownText + 1) : core::to_hex(value.bytes());
    }
    if (type.kind != Kind::integer || !core::is_negative(value.word())) return core::format_decimal(value.word());
    // Two's complement; below zero the word is never 0, so that neither step leaves the 256 bits.
    return "-" + core::format_decimal(*base::add(*base::subtract(Uint256::max(), value.word()), Uint256(1)));
  }

  const json::object& types_;
};

// Text that a person can read whole: what cleaning would take away but line ends makes it unreadable.
bool is_readable(const Bytes& message) {
  std::string text(message.begin(), message.end());
  std::string squeezed = clean_text(text, text.size());
  const auto is_space = [](char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; };
  std::erase_if(text, is_space);
  std::erase_if(squeezed, is_space);
  return text == squeezed;
}

bool has_permit(const keys::TypedMessage& message) {
  return std::any_of(message.types.begin(), message.types.end(), [](const std::string& type) {
    return ethereum::is_permit(std::string_view(type).substr(0, type.find('(')), type);
  });
}

}  // namespace

void show_members(PreparedMessage& message) {
  if (message.personal) return;
  Lines lines(message.document.at("types").get_object());
  lines.add("", text_of(message.document.at("primaryType")), message.document.at("message"));
  message.members = std::move(lines.lines);
  message.shows_all = lines.has_all;
}

// The account answers isValidSignature for these alone.
Task<Result<void>> TransactionService::check_listed(const Moment& now, const Bytes32& domain_separator) {
  static const auto kIsListed = core::parse_abi_function("isListedDomain(bytes32)").value();
  if (!now.state.deployed)
    co_return fail(ErrorCode::account_not_deployed, "the account lists domains from its first operation on");
  if (now.is_frozen()) co_return fail(ErrorCode::account_frozen, "a frozen account confirms no signature");
  chain::CallRequest question;
  question.to = now.wallet.account;
  std::vector<core::AbiValue> arguments;
  arguments.emplace_back(domain_separator);
  question.data = kIsListed.encode(arguments).value();
  const auto answer = co_await now.chain->served.chain.call(std::move(question));
  const auto listed = answer ? chain::decode_word(*answer) : std::nullopt;
  if (!listed) co_return fail(ErrorCode::chain_unavailable, answer ? "isListedDomain" : answer.error().text());
  if (!listed->is_zero()) co_return Result<void>{};
  Error error;
  error.code = ErrorCode::domain_not_listed;
  error.message = "queue the domain (kind queue) and confirm it a day later";
  error.domain_separator = domain_separator;
  co_return tl::unexpected<Error>(std::move(error));
}

// What the core's check_domain refuses, as far as this node knows the same things.
Result<void> TransactionService::check_domain(const Moment& now, const keys::TypedMessage& message) const {
  const bool has_chain = (message.present & protocol::kDomainChainId) != 0;
  if (has_chain && message.chain_id != now.chain->served.chain_id)
    return refuse_message(typed_data_other_chain, "the domain names another chain");
  const bool has_name = (message.present & protocol::kDomainName) != 0;
  if (has_name && message.name == ethereum::kAccountDomainName)
    return refuse_message(typed_data_of_account, "actions of accounts are prepared by kinds of their own");
  bool is_entry_point = has_name && message.name == "ERC4337";
  const bool has_contract = (message.present & protocol::kDomainContract) != 0;
  for (const auto& chain : chains_)
    is_entry_point =
        is_entry_point || (has_contract && message.verifying_contract == chain->served.entry_point.address());
  if (is_entry_point) return refuse_message(typed_data_of_entry_point, "operations are prepared by kinds of their own");
  if (has_contract && message.verifying_contract == now.wallet.account)
    return refuse_message(typed_data_of_account, "the domain is the account's own");
  return {};
}

// ERC-7739 around what the application asks for.
Result<void> TransactionService::nest(const Moment& now, const keys::TypedDocument& typed, PreparedMessage& prepared,
                                      Stored& row) const {
  ethereum::TypedTypes types;
  for (const std::string& type : typed.message.types)
    if (types.add(base::view(type)) != ethereum::TypedDataError::none)
      return refuse_message(typed_data_types_malformed, type.substr(0, type.find('(')));
  if (types.close(typed.message.primary) != ethereum::TypedDataError::none)
    return refuse_message(typed_data_types_malformed, "primaryType");
  switch (ethereum::check_nesting(types, typed.message.primary)) {
    case ethereum::NestingError::permit:
      return refuse_message(typed_data_is_permit, "the account's limits would not see what such a signature moves");
    case ethereum::NestingError::name:
      return refuse_message(typed_data_types_malformed, "ERC-7739 nests no type of this name");
    case ethereum::NestingError::none:
      break;
  }
  prepared.nested = accounts::nested_typed_data(now.where(), prepared.document);
  row.transaction.digest =
      ethereum::nested_typed_data_digest(typed.domain_separator, types, typed.message.primary, typed.contents,
                                         now.chain->served.chain_id, now.wallet.account);
  // The page hashes the document, the core the parts: a difference would be this program's mistake.
  const auto shown = core::hash_typed_data(prepared.nested);
  if (!shown || shown->digest != *row.transaction.digest)
    return fail_field("/message/typedData", "the document cannot be nested");
  return {};
}

Task<Result<Stored>> TransactionService::prepare_message(Moment now, MessageOrder order) {
  Stored row = new_row(now, Kind::message);
  PreparedMessage prepared;
  prepared.key = order.key;
  prepared.signer = now.wallet.account;
  if (order.key) {
    const auto address = co_await key_address(now, *order.key, "/message/key");
    if (!address) co_return tl::unexpected(address.error());
    prepared.signer = *address;
    keep_own_signers(now, row);
  }
  json::object summary;
  summary["meaning"] = "message";
  json::array& warnings = row.transaction.warnings;
  std::optional<keys::TypedDocument> typed;
  if (auto* bytes = std::get_if<Bytes>(&order.content)) {
    if (bytes->size() > protocol::kMaxPersonalMessage)
      co_return fail_field("/message/personal", "16,384 bytes at most");
    prepared.hash = core::personal_message_digest(*bytes);
    summary["dataSize"] = bytes->size();
    if (!is_readable(*bytes)) warnings.push_back(warning_json(Warning::unreadable_message));
    prepared.personal = std::move(*bytes);
  } else {
    prepared.document = std::move(std::get<json::object>(order.content));
    if (json::serialize(prepared.document).size() > kMaxDocument)
      co_return fail_field("/message/typedData", "32,768 bytes at most");
    auto read = keys::typed_document(prepared.document);
    if (!read) co_return fail_field("/message/typedData", read.error().text());
    if (auto good = check_domain(now, read->message); !good) co_return tl::unexpected(good.error());
    prepared.hash = read->digest;
    prepared.domain_separator = read->domain_separator;
    summary["dataSize"] = read->message.values.size();
    if ((read->message.present & protocol::kDomainContract) != 0)
      summary["to"] = core::format_address(read->message.verifying_contract);
    if ((read->message.present & protocol::kDomainChainId) == 0)
      warnings.push_back(warning_json(Warning::message_names_no_chain));
    if (order.key && has_permit(read->message)) warnings.push_back(warning_json(Warning::permit_message));
    typed = std::move(*read);
  }
  row.transaction.digest = prepared.hash;
  if (!order.key) {
    if (auto listed = co_await check_listed(now, prepared.domain_separator); !listed)
      co_return tl::unexpected(listed.error());
    const auto index = co_await server_key_index(now);
    if (!index) co_return tl::unexpected(index.error());
    row.server_key_index = *index;
    if (typed) {
      if (auto nested = nest(now, *typed, prepared, row); !nested) co_return tl::unexpected(nested.error());
    } else {
      prepared.nested = accounts::nested_personal(now.where(), *prepared.personal);
      row.transaction.digest =
          ethereum::nested_personal_digest(now.chain->served.chain_id, now.wallet.account, *prepared.personal);
    }
  }
  show_members(prepared);
  row.transaction.summary.push_back(std::move(summary));
  row.transaction.content = std::move(prepared);
  co_return row;
}

Task<Result<Stored>> TransactionService::sign_message(Stored row, SignRequest request,
                                                      accounts::PasskeySignature passkey, std::uint8_t slot) {
  auto& prepared = std::get<PreparedMessage>(row.transaction.content);
  auto assertion = to_core(request);
  if (!assertion) co_return fail(ErrorCode::passkey_refused, "signature_malformed");
  std::optional<keys::TypedDocument> typed;
  if (!prepared.personal) {
    auto read = keys::typed_document(prepared.document);
    if (!read) co_return fail(ErrorCode::not_prepared, read.error().text());
    typed = std::move(*read);
  }
  const std::uint64_t chain_id = row.transaction.chain_id;
  const keys::SigningAccount account{chain_id, row.transaction.account, row.server_key_index};
  const protocol::EoaKey key =
      prepared.key ? protocol::EoaKey{chain_id, prepared.key->account, prepared.key->index} : protocol::EoaKey();
  const auto ask = [&]() -> Task<keys::Result<keys::SignedText>> {
    if (prepared.key && typed) return d_.phrases.sign_typed_data(row.wallet, key, typed->message, *assertion);
    if (prepared.key) return d_.phrases.sign_message(row.wallet, key, *prepared.personal, *assertion);
    if (typed) return d_.phrases.sign_account_message(row.wallet, account, typed->message, *assertion);
    return d_.phrases.sign_account_text(row.wallet, account, *prepared.personal, *assertion);
  };
  auto question = ask();
  const auto answer = co_await std::move(question);
  if (!answer) co_return from_core(answer.error());
  if (answer->digest != *row.transaction.digest)
    co_return fail(ErrorCode::core_refused, "the trusted core computes another digest of the message");
  if (prepared.key) {
    prepared.signature = core::to_bytes(answer->signature.to_rsv());
  } else {
    auto dual = accounts::encode_dual_signature(slot, 0, answer->signature, passkey);
    if (!dual) co_return fail(ErrorCode::passkey_refused, std::string(name(dual.error().code)));
    auto whole = typed ? accounts::encode_typed_signature(*dual, typed->domain_separator, typed->contents,
                                                          typed->message.types, typed->message.primary)
                       : std::move(dual);
    if (!whole) co_return tl::unexpected(from_accounts(whole.error()));
    prepared.signature = std::move(*whole);
  }
  row.submission = prepared.signature;
  co_return row;
}

}  // namespace community::transactions
