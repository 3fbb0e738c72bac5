// SPDX-License-Identifier: Apache-2.0
#include "community/devnet/api/main_job.hpp"

#include "community/core/base64url.hpp"
#include "community/core/userop.hpp"
#include "community/core/uuid.hpp"
#include "community/devnet/api_client.hpp"
#include "community/infra/api/random.hpp"
#include "community/wallet/api/passkey.hpp"

namespace community::devnet {
namespace {

using wallet::ErrorCode;
using wallet::Result;

constexpr infra::Milliseconds kPoll{200};
// Two minutes: a loaded machine, a chain of one-second blocks.
constexpr int kPolls = 600;
// Bytes; 32 rows of limits are 3 kB.
constexpr std::size_t kMaxInitData = 16 * 1'024;
constexpr std::string_view kFundsGiven = "funds-given";

Bytes32 new_secret(infra::Random& random) {
  Bytes32 secret;
  do random.fill(secret);
  while (!wallet::SoftwarePasskey::is_secret(secret) || !core::public_key_of(secret));
  return secret;
}

// A number of DER (X.690, section 8.3): no leading zero octets, and one where the first bit would be a sign.
void append_der_integer(Bytes& out, core::ByteView number) {
  while (number.size() > 1 && number.front() == 0) number = number.subspan(1);
  const bool padded = number.front() >= 0x80;
  out.push_back(0x02);
  out.push_back(static_cast<std::uint8_t>(number.size() + (padded ? 1 : 0)));
  if (padded) out.push_back(0);
  core::append(out, number);
}

// ECDSA-Sig-Value of RFC 3279, section 2.2.3, from r and s.
Bytes der_signature(const std::array<std::uint8_t, 64>& signature) {
  Bytes numbers;
  append_der_integer(numbers, core::ByteView(signature).first(32));
  append_der_integer(numbers, core::ByteView(signature).last(32));
  Bytes out{0x30, static_cast<std::uint8_t>(numbers.size())};
  core::append(out, numbers);
  return out;
}

json::object credential_json(const wallet::SoftwarePasskey& passkey, json::object response) {
  json::object out;
  out["id"] = out["rawId"] = core::to_base64url(passkey.credential_id());
  out["type"] = "public-key";
  out["response"] = std::move(response);
  out["clientExtensionResults"] = json::object();
  return out;
}

// AuthenticationResponseJSON.
json::object assertion_json(const wallet::SoftwarePasskey& passkey, const Bytes32& challenge) {
  const wallet::PasskeyAssertion assertion = passkey.assert_challenge(challenge);
  json::object response;
  response["clientDataJSON"] = core::to_base64url(assertion.client_data);
  response["authenticatorData"] = core::to_base64url(assertion.authenticator_data);
  response["signature"] = core::to_base64url(der_signature(assertion.signature));
  return credential_json(passkey, std::move(response));
}

// RegistrationResponseJSON.
json::object registration_json(const wallet::SoftwarePasskey& passkey, core::ByteView challenge) {
  const wallet::PasskeyRegistration registration = passkey.answer_registration(challenge);
  json::object response;
  response["clientDataJSON"] = core::to_base64url(registration.client_data);
  response["attestationObject"] = core::to_base64url(registration.attestation_object);
  return credential_json(passkey, std::move(response));
}

Result<Bytes32> challenge_of(const json::object& options) {
  const auto text = text_member(options, "challenge");
  if (!text) return tl::unexpected(text.error());
  const auto bytes = core::parse_base64url(*text, 32);
  if (!bytes || bytes->size() != 32) return wallet::fail(ErrorCode::node, "a challenge is 32 bytes");
  Bytes32 challenge;
  std::copy(bytes->begin(), bytes->end(), challenge.begin());
  return challenge;
}

class FirstPerson {
 public:
  explicit FirstPerson(MainJobInput in) : in_(std::move(in)), api_(in_.http, in_.api_url, in_.web_origin) {}

  Task<Result<MainJobResult>> run();

 private:
  Task<Result<void>> register_person();
  Result<void> take_account(const json::object& wallet, const Bytes32& passkey_secret, const Bytes32& escape_secret);
  Task<Result<void>> log_in();
  Task<Result<void>> ask_for_funds();
  Task<Result<json::object>> prepare_transfer();
  Result<Bytes32> digest_of(const json::object& prepared);
  Task<Result<json::object>> send(const json::object& prepared);

  json::object order() const {
    json::object out;
    out["walletId"] = core::format_uuid(in_.account->wallet);
    out["chainId"] = in_.deployment.chain_id;
    return out;
  }
  wallet::SoftwarePasskey passkey() const { return {in_.account->passkey_secrets.front(), in_.rp_id, in_.web_origin}; }

  MainJobInput in_;
  ApiClient api_;
  bool deploys_ = false;
};

Task<Result<void>> FirstPerson::register_person() {
  std::array<std::uint8_t, 4> number;
  in_.random.fill(number);
  // Nobody has an address below .invalid (RFC 2606).
  const std::string address = "first-person-" + core::to_plain_hex(number) + "@example.invalid";
  json::object asked;
  asked["email"] = address;
  const auto pending = co_await api_.post("/api/v1/registrations", std::move(asked));
  if (!pending) co_return tl::unexpected(pending.error());
  const auto id = text_member(*pending, "registrationId");
  if (!id) co_return tl::unexpected(id.error());
  const auto code = co_await in_.read_code(address);
  if (!code) co_return tl::unexpected(code.error());
  const std::string path = "/api/v1/registrations/" + *id;
  json::object typed;
  typed["code"] = *code;
  const auto proven = co_await api_.post(path + "/code", std::move(typed));
  if (!proven) co_return tl::unexpected(proven.error());
  const auto options = object_member(*proven, "passkey");
  if (!options) co_return tl::unexpected(options.error());
  const auto challenge = challenge_of(*options);
  if (!challenge) co_return tl::unexpected(challenge.error());
  in_.step("somebody registers with " + address + " and the code that was mailed to it");
  const Bytes32 passkey_secret = new_secret(in_.random), escape_secret = new_secret(in_.random);
  const wallet::SoftwarePasskey device(passkey_secret, in_.rp_id, in_.web_origin);
  json::object answer;
  answer["credential"] = registration_json(device, *challenge);
  answer["escapeKey"] = core::format_address(core::address_of(core::public_key_of(escape_secret).value()));
  answer["deviceName"] = "Software passkey of this program";
  const auto made = co_await api_.post(path + "/passkey", std::move(answer));
  if (!made) co_return tl::unexpected(made.error());
  in_.step("their passkey is a software one: a file of this program, which no device protects");
  const auto wallet = object_member(*made, "wallet");
  if (!wallet) co_return tl::unexpected(wallet.error());
  co_return take_account(*wallet, passkey_secret, escape_secret);
}

// Only an account of these keys, at the address that follows from them.
Result<void> FirstPerson::take_account(const json::object& wallet, const Bytes32& passkey_secret,
                                       const Bytes32& escape_secret) {
  const auto origin = object_member(wallet, "origin");
  if (!origin) return tl::unexpected(origin.error());
  const auto id = text_member(wallet, "walletId"), address = text_member(wallet, "address"),
             init_text = text_member(*origin, "initData");
  const auto record = id ? core::parse_uuid(*id) : std::nullopt;
  const auto init_data = core::parse_hex(init_text.value_or(""), core::HexPrefix::required, kMaxInitData);
  const auto init = accounts::read_init_data(init_data.value_or(Bytes()));
  if (!record || !init || !address) return wallet::fail(ErrorCode::node, "the answer shows no whole account");
  const wallet::SoftwarePasskey device(passkey_secret, in_.rp_id, in_.web_origin);
  wallet::CreatedAccount created;
  wallet::AccountOrigin& place = created.recovery.origin;
  place.factory = in_.deployment.account_factory;
  place.entry_point = in_.deployment.entry_point_v0_8;
  place.proxy_init_code_hash = in_.deployment.proxy_init_code_hash;
  place.init_data = *init_data;
  place.account = accounts::account_address(place.factory, place.proxy_init_code_hash, *init_data);
  const bool is_ours = init->passkeys.size() == 1 && init->passkeys[0].public_key == device.public_key() &&
                       init->passkeys[0].rp_id_hash == device.rp_id_hash() && init->guardian_threshold == 0 &&
                       init->escape_key == core::address_of(core::public_key_of(escape_secret).value());
  if (!is_ours || core::format_address(place.account) != *address)
    return wallet::fail(ErrorCode::hash_differs, "the node shows an account of other keys than this program made");
  created.server_key = init->server_key;
  created.recovery.escape_secret = escape_secret;
  created.recovery.created_at = created.account.created_at = in_.created_at;
  created.recovery.chains.push_back({in_.deployment.chain_id, "development chain", {}});
  created.account.origin = place;
  created.account.wallet = *record;
  created.account.rp_id = in_.rp_id;
  created.account.web_origin = in_.web_origin;
  created.account.passkey_secrets.push_back(passkey_secret);
  if (auto kept = in_.keep(created); !kept) return kept;
  in_.step("the trusted core made a wallet; its server key is " + core::format_address(created.server_key));
  in_.step("the account will be " + *address + ", whoever deploys it");
  in_.account = std::move(created.account);
  return {};
}

Task<Result<void>> FirstPerson::log_in() {
  in_.step("the person of an earlier start logs in; its account is " +
           core::format_address(in_.account->origin.account));
  json::object nothing;
  const auto options = co_await api_.post("/api/v1/session/challenge", std::move(nothing));
  if (!options) co_return tl::unexpected(options.error());
  const auto challenge = challenge_of(*options);
  if (!challenge) co_return tl::unexpected(challenge.error());
  json::object answer;
  answer["credential"] = assertion_json(passkey(), *challenge);
  const auto session = co_await api_.post("/api/v1/session", std::move(answer));
  if (!session) co_return tl::unexpected(session.error());
  co_return Result<void>{};
}

// Once for each account; the second time the API says that it gave them.
Task<Result<void>> FirstPerson::ask_for_funds() {
  const auto given = co_await api_.post("/api/v1/development/funds", order());
  if (given || given.error().message.find(kFundsGiven) != std::string::npos) co_return Result<void>{};
  co_return tl::unexpected(given.error());
}

Task<Result<json::object>> FirstPerson::prepare_transfer() {
  json::object call;
  call["to"] = core::format_address(in_.recipient);
  call["value"] = core::format_decimal(in_.amount);
  json::object transfer = order();
  transfer["kind"] = "calls";
  transfer["calls"] = json::array{std::move(call)};
  Result<json::object> prepared = wallet::fail(ErrorCode::funds, "the development funds do not arrive");
  for (int poll = 0; poll < kPolls; poll++) {
    prepared = co_await api_.post("/api/v1/transactions", transfer);
    // Funds are in the next block.
    const bool waits = !prepared && prepared.error().message.find("insufficient-funds") != std::string::npos;
    const bool reverts = !prepared && prepared.error().message.find("would-revert") != std::string::npos;
    if (!waits && !reverts) break;
    co_await infra::sleep_real(kPoll);
  }
  co_return prepared;
}

// What the passkey signs is computed here, from call data made here.
Result<Bytes32> FirstPerson::digest_of(const json::object& prepared) {
  const auto shown = object_member(prepared, "userOperation");
  const auto told = text_member(prepared, "digest");
  if (!shown || !told) return wallet::fail(ErrorCode::node, "the answer shows no operation");
  const auto operation = core::userop_from_json(*shown, core::UserOpParse::estimate);
  std::vector<accounts::Call> calls;
  calls.push_back({in_.recipient, in_.amount, {}});
  const auto expected = accounts::encode_batch(calls);
  if (!operation || !expected) return wallet::fail(ErrorCode::node, "the operation that is shown cannot be read");
  deploys_ = operation->factory.has_value();
  const auto digest = core::userop_hash(*operation, core::EntryPointVersion::v0_8, in_.deployment.entry_point_v0_8,
                                        Uint256(in_.deployment.chain_id));
  if (!digest || core::to_hex(*digest) != *told || operation->sender != in_.account->origin.account ||
      operation->call_data != *expected)
    return wallet::fail(ErrorCode::hash_differs,
                        "the node shows another operation than was asked for; nothing is signed");
  return *digest;
}

Task<Result<json::object>> FirstPerson::send(const json::object& prepared) {
  const auto digest = digest_of(prepared);
  if (!digest) co_return tl::unexpected(digest.error());
  const auto id = text_member(prepared, "transactionId");
  if (!id) co_return tl::unexpected(id.error());
  // The account could pay for itself; what is shown here is that the node does.
  const auto payer = text_member(prepared, "payer"), reason = text_member(prepared, "payerReason");
  if (payer != "sponsor")
    co_return wallet::fail(ErrorCode::node,
                           "nobody sponsors the transfer: " + (reason ? *reason : std::string("no reason")));
  in_.step("the transfer is prepared and somebody sponsors its gas: operation " + core::to_hex(*digest));
  const std::string path = "/api/v1/transactions/" + *id;
  json::object signature;
  signature["credential"] = assertion_json(passkey(), *digest);
  signature["digest"] = core::to_hex(*digest);
  const auto sent = co_await api_.post(path + "/signature", std::move(signature));
  if (!sent) co_return tl::unexpected(sent.error());
  in_.step("the passkey signed it, then the trusted core; the bundler has it on disk");
  for (int poll = 0; poll < kPolls; poll++) {
    auto now = co_await api_.get(path);
    if (!now) co_return now;
    const auto state = text_member(*now, "state");
    if (!state) co_return tl::unexpected(state.error());
    if (*state == "included" || *state == "final") co_return now;
    if (*state != "signed" && *state != "submitted")
      co_return wallet::fail(ErrorCode::not_included, "the transfer is " + *state);
    co_await infra::sleep_real(kPoll);
  }
  co_return wallet::fail(ErrorCode::not_included, "no block took the transfer");
}

Task<Result<MainJobResult>> FirstPerson::run() {
  Result<void> present;
  if (in_.account) {
    present = co_await log_in();
  } else {
    present = co_await register_person();
  }
  if (!present) co_return tl::unexpected(present.error());
  if (const auto funded = co_await ask_for_funds(); !funded) co_return tl::unexpected(funded.error());
  const auto prepared = co_await prepare_transfer();
  if (!prepared) co_return tl::unexpected(prepared.error());
  const auto done = co_await send(*prepared);
  if (!done) co_return tl::unexpected(done.error());
  MainJobResult result;
  result.account = in_.account->origin.account;
  result.deployed = deploys_;
  const auto hash = text_member(*done, "transactionHash"), cost = text_member(*done, "actualCost");
  const auto bytes = core::parse_bytes32(hash.value_or(""), core::HexPrefix::required);
  const auto wei = core::parse_decimal(cost.value_or(""));
  const json::value* block = done->if_contains("blockNumber");
  if (!bytes || !wei || block == nullptr || !block->is_int64())
    co_return wallet::fail(ErrorCode::node, "the transfer is in a block, and the answer does not say which");
  result.transaction_hash = *bytes;
  result.cost = *wei;
  result.block_number = static_cast<std::uint64_t>(block->get_int64());
  co_return result;
}

}  // namespace

Task<wallet::Result<MainJobResult>> perform_main_job(MainJobInput input) {
  FirstPerson person(std::move(input));
  co_return co_await person.run();
}

}  // namespace community::devnet
