// SPDX-License-Identifier: Apache-2.0
#include "community/control/codec.hpp"
#include "community/infra/api/files.hpp"
#include "trusted/base/sha2.hpp"

namespace community::control {
namespace {

constexpr std::size_t kMaxPlaceFile = 4'096, kMaxMessage = 16'384;
// A trusted core that starts again answers within seconds; the node says "unavailable" before.
constexpr infra::Milliseconds kPatience{30'000};

std::filesystem::path place_file(const std::filesystem::path& data_dir) { return data_dir / "control.json"; }

keys::Error malformed(const Members& members) {
  return {keys::ErrorCode::protocol_violation, protocol::Error::ok,
          "the node answers in another form: " + members.trouble()};
}

core::Signature read_signature(Members& members) {
  const auto signature = core::parse_rsv(members.bytes("signature", 65));
  if (!signature) members.wrong("signature");
  return signature.value_or(core::Signature{});
}

}  // namespace

Result<void> write_control_place(const std::filesystem::path& data_dir, const ControlPlace& place) {
  json::object object;
  object["url"] = place.url;
  object["token"] = place.token;
  if (auto done = infra::write_file_atomically(place_file(data_dir), json::serialize(object)); !done)
    return fail(ErrorCode::io, done.error().text());
  return {};
}

Result<ControlPlace> read_control_place(const std::filesystem::path& data_dir) {
  const auto file = place_file(data_dir);
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored))
    return fail(ErrorCode::not_running,
                "no node runs in " + data_dir.string() + "; start it with `community-node run`, or say --data-dir");
  const auto text = infra::read_file(file, kMaxPlaceFile);
  if (!text) return fail(ErrorCode::io, text.error().text());
  const auto value = core::parse_json(*text);
  const json::value none;
  Members members(value ? *value : none);
  ControlPlace place;
  place.url = members.text("url");
  place.token = members.text("token");
  if (!members.trouble().empty())
    return fail(ErrorCode::malformed, file.string() + " is damaged; start the node again");
  return place;
}

ControlPlace on_chain(ControlPlace place, std::uint64_t chain_id) {
  place.url += "?chain=" + std::to_string(chain_id);
  return place;
}

void remove_control_place(const std::filesystem::path& data_dir) {
  std::error_code ignored;
  std::filesystem::remove(place_file(data_dir), ignored);
}

struct ControlClient::Body {
  explicit Body(infra::HttpClient& http, ControlPlace place) : rpc(http, options(std::move(place))) {}

  static infra::RpcClientOptions options(ControlPlace place) {
    infra::RpcClientOptions options;
    options.url = std::move(place.url);
    options.bearer = std::move(place.token);
    options.timeout = kPatience;
    return options;
  }

  Task<keys::Result<json::value>> ask_keys(const char* method, json::object params) {
    json::value value(std::move(params));
    auto answer = co_await rpc.call(method, std::move(value));
    if (!answer) co_return keys::fail(keys::ErrorCode::unavailable, "the node: " + answer.error().text());
    if (!*answer) co_return tl::unexpected(to_keys(answer->error()));
    co_return std::move(**answer);
  }

  Task<Result<json::value>> ask(const char* method, json::object params) {
    json::value value(std::move(params));
    auto answer = co_await rpc.call(method, std::move(value));
    if (!answer) co_return fail(ErrorCode::unreachable, std::string(method) + ": " + answer.error().text());
    if (!*answer) co_return fail(ErrorCode::refused, answer->error().message);
    co_return std::move(**answer);
  }

  Task<Result<users::PersonSummary>> ask_user(json::object params) {
    const auto answer = co_await ask(kUser, std::move(params));
    if (!answer) co_return tl::unexpected(answer.error());
    Members members(*answer);
    users::PersonSummary person = read_person(members);
    if (!members.trouble().empty()) co_return fail(ErrorCode::malformed, members.trouble());
    co_return person;
  }

  Task<keys::Result<keys::SignedDigest>> sign_digest(const char* method, json::object params) {
    const auto answer = co_await ask_keys(method, std::move(params));
    if (!answer) co_return tl::unexpected(answer.error());
    Members members(*answer);
    keys::SignedDigest made;
    made.signature = read_signature(members);
    made.digest = members.fixed<32>("digest");
    if (!members.trouble().empty()) co_return tl::unexpected(malformed(members));
    co_return made;
  }

  infra::RpcClient rpc;
};

ControlClient::ControlClient(infra::HttpClient& http, ControlPlace place)
    : body_(std::make_unique<Body>(http, std::move(place))) {}
ControlClient::~ControlClient() = default;

Task<Result<NodeInfo>> ControlClient::info() {
  const auto answer = co_await body_->ask(kInfo, {});
  if (!answer) co_return tl::unexpected(answer.error());
  Members members(*answer);
  NodeInfo info = read_info(members);
  if (!members.trouble().empty()) co_return fail(ErrorCode::malformed, members.trouble());
  co_return info;
}

Task<Result<Bytes32>> ControlClient::bring(Address to, Bytes call_data) {
  json::object params;
  params["to"] = core::to_hex(to);
  params["callData"] = core::to_hex(call_data);
  const auto answer = co_await body_->ask(kBring, std::move(params));
  if (!answer) co_return tl::unexpected(answer.error());
  Members members(*answer);
  const auto id = members.fixed<32>("id");
  if (!members.trouble().empty()) co_return fail(ErrorCode::malformed, members.trouble());
  co_return id;
}

Task<Result<courier::Errand>> ControlClient::errand(Bytes32 id) {
  json::object params;
  params["id"] = core::to_hex(id);
  const auto answer = co_await body_->ask(kErrand, std::move(params));
  if (!answer) co_return tl::unexpected(answer.error());
  Members members(*answer);
  courier::Errand errand = read_errand(members);
  if (!members.trouble().empty()) co_return fail(ErrorCode::malformed, members.trouble());
  co_return errand;
}

Task<Result<json::array>> ControlClient::alarms(std::optional<Address> account, std::int64_t since_id,
                                                std::size_t limit) {
  json::object params;
  if (account) params["account"] = core::to_hex(*account);
  params["sinceId"] = since_id;
  params["limit"] = limit;
  const auto answer = co_await body_->ask(kAlarms, std::move(params));
  if (!answer) co_return tl::unexpected(answer.error());
  const json::value* list = answer->is_object() ? answer->get_object().if_contains("alarms") : nullptr;
  if (list == nullptr || !list->is_array()) co_return fail(ErrorCode::malformed, "alarms");
  co_return list->get_array();
}

Task<Result<void>> ControlClient::acknowledge(std::int64_t alarm) {
  json::object params;
  params["id"] = alarm;
  const auto answer = co_await body_->ask(kAcknowledge, std::move(params));
  if (!answer) co_return tl::unexpected(answer.error());
  co_return Result<void>{};
}

Task<Result<json::object>> ControlClient::key_difference(Address account) {
  json::object params;
  params["account"] = core::to_hex(account);
  const auto answer = co_await body_->ask(kKeyDifference, std::move(params));
  if (!answer) co_return tl::unexpected(answer.error());
  if (!answer->is_object()) co_return fail(ErrorCode::malformed, "key difference");
  co_return answer->get_object();
}

Task<Result<std::vector<users::PersonSummary>>> ControlClient::users(std::string after, std::size_t limit) {
  json::object params;
  if (!after.empty()) params["after"] = after;
  params["limit"] = limit;
  const auto answer = co_await body_->ask(kUsers, std::move(params));
  if (!answer) co_return tl::unexpected(answer.error());
  Members members(*answer);
  std::vector<users::PersonSummary> people;
  for (Members& one : members.list("users")) people.push_back(read_person(one));
  if (!members.trouble().empty()) co_return fail(ErrorCode::malformed, members.trouble());
  co_return people;
}

Task<Result<users::PersonSummary>> ControlClient::user(std::string user_id) {
  json::object params;
  params["user"] = user_id;
  co_return co_await body_->ask_user(std::move(params));
}

Task<Result<users::PersonSummary>> ControlClient::user_of_email(std::string email) {
  json::object params;
  params["email"] = email;
  co_return co_await body_->ask_user(std::move(params));
}

Task<Result<void>> ControlClient::set_user_active(std::string user_id, bool is_active) {
  json::object params;
  params["user"] = user_id;
  params["active"] = is_active;
  const auto answer = co_await body_->ask(kSetUserActive, std::move(params));
  if (!answer) co_return tl::unexpected(answer.error());
  co_return Result<void>{};
}

Task<Result<std::size_t>> ControlClient::end_user_sessions(std::string user_id) {
  json::object params;
  params["user"] = user_id;
  const auto answer = co_await body_->ask(kEndUserSessions, std::move(params));
  if (!answer) co_return tl::unexpected(answer.error());
  Members members(*answer);
  const std::uint64_t sessions = members.number("sessions", UINT32_MAX);
  if (!members.trouble().empty()) co_return fail(ErrorCode::malformed, members.trouble());
  co_return static_cast<std::size_t>(sessions);
}

Task<keys::Result<keys::WalletInfo>> ControlClient::create_wallet(keys::Passkey passkey, protocol::Policy policy) {
  json::object key, params;
  key["credentialId"] = core::to_hex(passkey.credential_id);
  key["publicKey"] = core::to_hex(passkey.public_key);
  key["rpIdHash"] = core::to_hex(passkey.rp_id_hash);
  params["passkey"] = std::move(key);
  params["policy"] = encode_hex(policy);
  const auto answer = co_await body_->ask_keys(kCreateWallet, std::move(params));
  if (!answer) co_return tl::unexpected(answer.error());
  Members members(*answer);
  keys::WalletInfo made;
  made.id = members.fixed<16>("wallet");
  made.server_key = members.fixed<20>("serverKey");
  if (!members.trouble().empty()) co_return tl::unexpected(malformed(members));
  co_return made;
}

Task<keys::Result<Address>> ControlClient::bind_account(keys::AccountBindRequest request) {
  json::object params;
  params["wallet"] = core::to_hex(request.wallet);
  params["chainId"] = request.chain_id;
  params["serverKeyIndex"] = request.server_key_index;
  params["initData"] = core::to_hex(request.init_data);
  const auto answer = co_await body_->ask_keys(kBindAccount, std::move(params));
  if (!answer) co_return tl::unexpected(answer.error());
  Members members(*answer);
  const Address account = members.fixed<20>("account");
  if (!members.trouble().empty()) co_return tl::unexpected(malformed(members));
  co_return account;
}

Task<keys::Result<Address>> ControlClient::adopt_account(keys::AccountAdoptRequest request) {
  json::object params;
  params["wallet"] = core::to_hex(request.wallet);
  params["chainId"] = request.chain_id;
  params["account"] = core::to_hex(request.account);
  params["serverKeyIndex"] = request.server_key_index;
  params["assertion"] = to_json(request.assertion);
  const auto answer = co_await body_->ask_keys(kAdoptAccount, std::move(params));
  if (!answer) co_return tl::unexpected(answer.error());
  Members members(*answer);
  const Address server_key = members.fixed<20>("serverKey");
  if (!members.trouble().empty()) co_return tl::unexpected(malformed(members));
  co_return server_key;
}

Task<keys::Result<keys::SignedUserop>> ControlClient::sign_userop(keys::UseropRequest request) {
  json::object params;
  params["wallet"] = core::to_hex(request.wallet);
  params["chainId"] = request.chain_id;
  params["entryPoint"] = core::to_hex(request.entry_point);
  params["userop"] = core::to_json(request.userop);
  params["assertion"] = to_json(request.assertion);
  params["serverKeyIndex"] = request.server_key_index;
  const auto answer = co_await body_->ask_keys(kSignUserop, std::move(params));
  if (!answer) co_return tl::unexpected(answer.error());
  Members members(*answer);
  keys::SignedUserop made;
  made.signature = read_signature(members);
  made.hash = members.fixed<32>("hash");
  made.max_cost = members.word("maxCost");
  made.self_call.ticket = members.fixed<32>("ticket");
  if (!members.trouble().empty()) co_return tl::unexpected(malformed(members));
  co_return made;
}

Task<keys::Result<keys::SignedSession>> ControlClient::sign_session(keys::SessionRequest request) {
  json::object params;
  params["wallet"] = core::to_hex(request.wallet);
  params["chainId"] = request.chain_id;
  params["entryPoint"] = core::to_hex(request.entry_point);
  params["userop"] = core::to_json(request.userop);
  params["ticket"] = core::to_hex(request.ticket);
  params["serverKeyIndex"] = request.server_key_index;
  const auto answer = co_await body_->ask_keys(kSignSession, std::move(params));
  if (!answer) co_return tl::unexpected(answer.error());
  Members members(*answer);
  keys::SignedSession made;
  made.signature = read_signature(members);
  made.hash = members.fixed<32>("hash");
  made.max_cost = members.word("maxCost");
  if (!members.trouble().empty()) co_return tl::unexpected(malformed(members));
  co_return made;
}

Task<keys::Result<keys::SignedDigest>> ControlClient::sign_action(keys::ActionRequest request) {
  json::object params;
  params["wallet"] = core::to_hex(request.wallet);
  params["chainId"] = request.chain_id;
  params["account"] = core::to_hex(request.account);
  params["serverKeyIndex"] = request.server_key_index;
  params["action"] = encode_hex(request.action);
  if (request.action.kind != protocol::ActionKind::freeze) params["assertion"] = to_json(request.assertion);
  co_return co_await body_->sign_digest(kSignAction, std::move(params));
}

Task<keys::Result<keys::SignedDigest>> ControlClient::change_account_keys(keys::KeyChangeRequest request) {
  json::object params;
  params["wallet"] = core::to_hex(request.wallet);
  params["chainId"] = request.chain_id;
  params["account"] = core::to_hex(request.account);
  params["serverKeyIndex"] = request.server_key_index;
  params["change"] = encode_hex(request.change);
  params["assertion"] = to_json(request.assertion);
  co_return co_await body_->sign_digest(kChangeKeys, std::move(params));
}

Task<keys::Result<protocol::WalletDescribeReply>> ControlClient::describe_wallet(keys::RecordId wallet,
                                                                                 std::uint32_t server_key_index) {
  json::object params;
  params["wallet"] = core::to_hex(wallet);
  params["serverKeyIndex"] = server_key_index;
  const auto answer = co_await body_->ask_keys(kDescribeWallet, std::move(params));
  if (!answer) co_return tl::unexpected(answer.error());
  Members members(*answer);
  auto described = members.message<protocol::WalletDescribeReply>("description", kMaxMessage);
  if (!members.trouble().empty()) co_return tl::unexpected(malformed(members));
  co_return described;
}

Task<keys::Result<keys::CoreStatus>> ControlClient::status() {
  const auto answer = co_await body_->ask_keys(kCoreStatus, {});
  if (!answer) co_return tl::unexpected(answer.error());
  Members members(*answer);
  const auto reply = members.message<protocol::StatusReply>("status", kMaxMessage);
  if (!members.trouble().empty()) co_return tl::unexpected(malformed(members));
  co_return keys::to_core_status(reply);
}

Task<keys::Result<std::uint32_t>> ControlClient::rotate_root_key(Bytes order, std::array<std::uint8_t, 64> signature) {
  json::object params;
  params["order"] = core::to_hex(order);
  params["signature"] = core::to_hex(signature);
  const auto answer = co_await body_->ask_keys(kRotateRootKey, std::move(params));
  if (!answer) co_return tl::unexpected(answer.error());
  Members members(*answer);
  const auto version = static_cast<std::uint32_t>(members.number("version", UINT32_MAX));
  if (!members.trouble().empty()) co_return tl::unexpected(malformed(members));
  co_return version;
}

Task<keys::Result<void>> ControlClient::retire_root_key(Bytes order, std::array<std::uint8_t, 64> signature) {
  json::object params;
  params["order"] = core::to_hex(order);
  params["signature"] = core::to_hex(signature);
  const auto answer = co_await body_->ask_keys(kRetireRootKey, std::move(params));
  if (!answer) co_return tl::unexpected(answer.error());
  co_return keys::Result<void>{};
}

Task<keys::Result<keys::ResealProgress>> ControlClient::reseal_progress() {
  const auto answer = co_await body_->ask_keys(kResealProgress, {});
  if (!answer) co_return tl::unexpected(answer.error());
  Members members(*answer);
  keys::ResealProgress progress;
  progress.left = members.number("left", UINT64_MAX);
  progress.refused = members.number("refused", UINT64_MAX);
  progress.lost = members.number("lost", UINT64_MAX);
  progress.is_running = members.flag("running");
  if (!members.trouble().empty()) co_return tl::unexpected(malformed(members));
  co_return progress;
}

Task<Result<treasury::TreasuryReport>> ControlClient::treasury() {
  const auto answer = co_await body_->ask(kTreasury, {});
  if (!answer) co_return tl::unexpected(answer.error());
  Members members(*answer);
  treasury::TreasuryReport report = read_report(members);
  if (!members.trouble().empty()) co_return fail(ErrorCode::malformed, members.trouble());
  co_return report;
}

Task<Result<std::uint64_t>> ControlClient::pay(treasury::PaymentKind kind, Address payee, core::Uint256 value) {
  json::object params;
  params["kind"] = treasury::name(kind);
  params["payee"] = core::to_hex(payee);
  params["value"] = core::format_decimal(value);
  const auto answer = co_await body_->ask(kPay, std::move(params));
  if (!answer) co_return tl::unexpected(answer.error());
  Members members(*answer);
  const std::uint64_t id = members.number("id", INT64_MAX);
  if (!members.trouble().empty()) co_return fail(ErrorCode::malformed, members.trouble());
  co_return id;
}

Task<Result<treasury::Payment>> ControlClient::payment(std::uint64_t id) {
  json::object params;
  params["id"] = id;
  const auto answer = co_await body_->ask(kPayment, std::move(params));
  if (!answer) co_return tl::unexpected(answer.error());
  Members members(*answer);
  treasury::Payment payment = read_payment(members);
  if (!members.trouble().empty()) co_return fail(ErrorCode::malformed, members.trouble());
  co_return payment;
}

Task<keys::Result<std::vector<keys::GenericKey>>> ControlClient::generic_keys() {
  const auto answer = co_await body_->ask_keys(kGenericKeys, {});
  if (!answer) co_return tl::unexpected(answer.error());
  Members members(*answer);
  std::vector<keys::GenericKey> keys;
  for (Members& one : members.list("keys")) keys.push_back(read_generic_key(one));
  if (!members.trouble().empty()) co_return tl::unexpected(malformed(members));
  co_return keys;
}

Task<keys::Result<keys::GenericKey>> ControlClient::create_generic_key(Bytes order,
                                                                       std::array<std::uint8_t, 64> signature) {
  json::object params;
  params["order"] = core::to_hex(order);
  params["signature"] = core::to_hex(signature);
  const auto answer = co_await body_->ask_keys(kCreateGenericKey, std::move(params));
  if (!answer) co_return tl::unexpected(answer.error());
  Members members(*answer);
  keys::GenericKey key = read_generic_key(members);
  if (!members.trouble().empty()) co_return tl::unexpected(malformed(members));
  co_return key;
}

Task<keys::Result<void>> ControlClient::delete_generic_key(keys::RecordId key, Bytes order,
                                                           std::array<std::uint8_t, 64> signature) {
  json::object params;
  params["id"] = core::to_hex(key);
  params["order"] = core::to_hex(order);
  params["signature"] = core::to_hex(signature);
  const auto answer = co_await body_->ask_keys(kDeleteGenericKey, std::move(params));
  if (!answer) co_return tl::unexpected(answer.error());
  co_return keys::Result<void>{};
}

Task<keys::Result<protocol::GenericSignature>> ControlClient::sign_generic(keys::RecordId key,
                                                                           protocol::GenericHash hash, Bytes message) {
  json::object params;
  params["id"] = core::to_hex(key);
  params["hash"] = static_cast<unsigned>(hash);
  params["message"] = core::to_hex(message);
  const auto answer = co_await body_->ask_keys(kSignGeneric, std::move(params));
  if (!answer) co_return tl::unexpected(answer.error());
  Members members(*answer);
  const auto made = members.message<protocol::GenericSignature>("signature", 128);
  if (!members.trouble().empty()) co_return tl::unexpected(malformed(members));
  co_return made;
}

Task<keys::Result<Bytes32>> ControlClient::peer_challenge() {
  const auto answer = co_await body_->ask_keys(kPeerChallenge, {});
  if (!answer) co_return tl::unexpected(answer.error());
  Members members(*answer);
  const auto challenge = members.fixed<32>("challenge");
  if (!members.trouble().empty()) co_return tl::unexpected(malformed(members));
  co_return challenge;
}

Task<keys::Result<Bytes>> ControlClient::evidence(Bytes32 challenge) {
  json::object params;
  params["challenge"] = core::to_hex(challenge);
  const auto answer = co_await body_->ask_keys(kEvidence, std::move(params));
  if (!answer) co_return tl::unexpected(answer.error());
  Members members(*answer);
  Bytes evidence = members.bytes("evidence", protocol::kMaxEvidence);
  if (!members.trouble().empty()) co_return tl::unexpected(malformed(members));
  co_return evidence;
}

Task<keys::Result<keys::MadeBackup>> ControlClient::create_backup(keys::SignedMessage order) {
  json::object params;
  params["order"] = core::to_hex(order.message);
  params["signature"] = core::to_hex(order.signature);
  const auto answer = co_await body_->ask_keys(kCreateBackup, std::move(params));
  if (!answer) co_return tl::unexpected(answer.error());
  Members members(*answer);
  keys::MadeBackup made;
  made.description = members.bytes("description", protocol::kMaxBackupDescription);
  made.signature = members.fixed<64>("signature");
  if (!members.trouble().empty()) co_return tl::unexpected(malformed(members));
  co_return made;
}

Task<keys::Result<keys::SentShare>> ControlClient::backup_share(Bytes description, std::uint8_t index,
                                                                Bytes32 challenge, Bytes evidence) {
  json::object params;
  params["description"] = core::to_hex(description);
  params["index"] = index;
  params["challenge"] = core::to_hex(challenge);
  params["evidence"] = core::to_hex(evidence);
  const auto answer = co_await body_->ask_keys(kBackupShare, std::move(params));
  if (!answer) co_return tl::unexpected(answer.error());
  Members members(*answer);
  keys::SentShare sent;
  sent.evidence = members.bytes("evidence", protocol::kMaxEvidence);
  sent.package = members.bytes("package", 2 * protocol::kMaxSharePackage);
  if (!members.trouble().empty()) co_return tl::unexpected(malformed(members));
  co_return sent;
}

Task<keys::Result<Bytes>> ControlClient::checkpoint() {
  const auto answer = co_await body_->ask_keys(kCheckpoint, {});
  if (!answer) co_return tl::unexpected(answer.error());
  Members members(*answer);
  Bytes checkpoint = members.bytes("checkpoint", protocol::kMaxCheckpoint);
  if (!members.trouble().empty()) co_return tl::unexpected(malformed(members));
  co_return checkpoint;
}

Task<keys::Result<protocol::FenceCertificate>> ControlClient::fence_certificate() {
  const auto answer = co_await body_->ask_keys(kFenceCertificate, {});
  if (!answer) co_return tl::unexpected(answer.error());
  Members members(*answer);
  const auto certificate = members.message<protocol::FenceCertificate>("certificate", kMaxMessage);
  if (!members.trouble().empty()) co_return tl::unexpected(malformed(members));
  co_return certificate;
}

Task<keys::Result<void>> ControlClient::fence(protocol::FenceCertificate certificate) {
  json::object params;
  params["certificate"] = encode_hex(certificate);
  const auto answer = co_await body_->ask_keys(kFence, std::move(params));
  if (!answer) co_return tl::unexpected(answer.error());
  co_return keys::Result<void>{};
}

}  // namespace community::control
