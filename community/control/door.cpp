// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "community/control/codec.hpp"
#include "community/control/factory.hpp"
#include "community/infra/api/log.hpp"

namespace community::control {
namespace {

using infra::HttpRequest;
using infra::HttpResponse;
using infra::RpcCall;
using infra::RpcResult;

constexpr std::size_t kMaxMessage = 16'384;
// An order about a root key takes 20 bytes.
constexpr std::size_t kMaxOrder = 64;
// One about a generic key, with a sealed secret.
constexpr std::size_t kMaxGenericOrder = 512;
constexpr std::string_view kBearer = "Bearer ";

tl::unexpected<infra::RpcError> invalid(const Members& members) {
  return infra::rpc_fail(infra::kRpcInvalidParams, members.trouble() + " is missing or wrong");
}

// What an operator signed, of at most `limit` bytes.
keys::SignedMessage read_order(Members& members, std::size_t limit) {
  keys::SignedMessage order;
  order.message = members.bytes("order", limit);
  order.signature = members.fixed<64>("signature");
  return order;
}

json::object signature_json(const core::Signature& signature) {
  json::object out;
  out["signature"] = core::to_hex(signature.to_rsv());
  return out;
}

RpcResult answer(const keys::Result<keys::SignedDigest>& made) {
  if (!made) return tl::unexpected(to_rpc(made.error()));
  json::object out = signature_json(made->signature);
  out["digest"] = core::to_hex(made->digest);
  return json::value(std::move(out));
}

class Door final : public ControlDoor {
 public:
  Door(ControlDependencies dependencies, NodeInfo info, std::string token)
      : d_(std::move(dependencies)), info_(std::move(info)), token_(std::move(token)) {
    add(kInfo, &Door::tell);
    add(kCreateWallet, &Door::create_wallet);
    add(kBindAccount, &Door::bind_account);
    add(kAdoptAccount, &Door::adopt_account);
    add(kSignUserop, &Door::sign_userop);
    add(kSignSession, &Door::sign_session);
    add(kSignAction, &Door::sign_action);
    add(kChangeKeys, &Door::change_keys);
    add(kDescribeWallet, &Door::describe_wallet);
    add(kBring, &Door::bring);
    add(kErrand, &Door::errand);
    add(kAlarms, &Door::list_alarms);
    add(kAcknowledge, &Door::acknowledge);
    add(kKeyDifference, &Door::key_difference);
    add(kCoreStatus, &Door::core_status);
    add(kRotateRootKey, &Door::rotate_root_key);
    add(kRetireRootKey, &Door::retire_root_key);
    add(kResealProgress, &Door::reseal_progress);
    add(kGenericKeys, &Door::generic_keys);
    add(kCreateGenericKey, &Door::create_generic_key);
    add(kDeleteGenericKey, &Door::delete_generic_key);
    add(kSignGeneric, &Door::sign_generic);
    add(kTreasury, &Door::treasury_report);
    add(kPay, &Door::pay);
    add(kPayment, &Door::payment);
    add(kPeerChallenge, &Door::peer_challenge);
    add(kEvidence, &Door::evidence);
    add(kCreateBackup, &Door::create_backup);
    add(kBackupShare, &Door::backup_share);
    add(kCheckpoint, &Door::checkpoint);
    add(kFenceCertificate, &Door::fence_certificate);
    add(kFence, &Door::fence);
    if (d_.users != nullptr) {
      add(kUsers, &Door::list_users);
      add(kUser, &Door::show_user);
      add(kSetUserActive, &Door::set_user_active);
      add(kEndUserSessions, &Door::end_user_sessions);
    }
  }

  infra::HttpHandler handler() override {
    return [this](HttpRequest request) { return serve(std::move(request)); };
  }

 private:
  using Method = Task<RpcResult> (Door::*)(Members members);

  void add(const char* name, Method method) {
    // A coroutine of its own: the members point into the call, which lives here.
    rpc_.add(name, [this, method](RpcCall call) -> Task<RpcResult> {
      Members members(call.params);
      auto answered = co_await (this->*method)(std::move(members));
      co_return answered;
    });
  }

  // The token in its header only: no page can set it without asking, none is answered, and it is in no address.
  Task<HttpResponse> serve(HttpRequest request) {
    const std::string_view authorization = request.headers.get("authorization");
    const std::string_view given = authorization.starts_with(kBearer) ? authorization.substr(kBearer.size()) : "";
    const bool good = given.size() == token_.size() && base::equal_constant_time(base::view(given), base::view(token_));
    // Empty in tests alone. The HTTP API may be bound to the world one day; this door is for this machine.
    const std::string& from = request.remote;
    const bool here = from.empty() || from == "127.0.0.1" || from == "::1" || from == "::ffff:127.0.0.1";
    if (!good || !here || request.headers.find("origin"))
      co_return infra::http_text(401, "the token is in control.json of the node's data folder\n");
    co_return co_await rpc_.handle_http(std::move(request));
  }

  Task<RpcResult> tell(Members) { co_return json::value(to_json(info_)); }

  Task<RpcResult> create_wallet(Members members) {
    keys::Passkey passkey;
    Members given = members.object("passkey");
    passkey.credential_id = given.bytes("credentialId", 1'023);
    passkey.public_key = given.fixed<64>("publicKey");
    passkey.rp_id_hash = given.fixed<32>("rpIdHash");
    const auto policy = members.message<protocol::Policy>("policy", kMaxMessage);
    if (!members.trouble().empty()) co_return invalid(members);
    const auto made = co_await d_.wallets.create_wallet(std::move(passkey), policy);
    if (!made) co_return tl::unexpected(to_rpc(made.error()));
    json::object out;
    out["wallet"] = core::to_hex(made->id);
    out["serverKey"] = core::to_hex(made->server_key);
    co_return json::value(std::move(out));
  }

  Task<RpcResult> bind_account(Members members) {
    keys::AccountBindRequest request;
    request.wallet = members.fixed<16>("wallet");
    request.chain_id = members.number("chainId", ~std::uint64_t{0});
    request.server_key_index = static_cast<std::uint32_t>(members.number("serverKeyIndex", UINT32_MAX));
    request.init_data = members.bytes("initData", protocol::kMaxInitData);
    if (!members.trouble().empty()) co_return invalid(members);
    const protocol::RecordId wallet = request.wallet;
    const auto bound = co_await d_.wallets.bind_account(std::move(request));
    if (!bound) co_return tl::unexpected(to_rpc(bound.error()));
    co_await follow(*bound, wallet);
    json::object out;
    out["account"] = core::to_hex(*bound);
    co_return json::value(std::move(out));
  }

  Task<RpcResult> adopt_account(Members members) {
    keys::AccountAdoptRequest request;
    request.wallet = members.fixed<16>("wallet");
    request.chain_id = members.number("chainId", ~std::uint64_t{0});
    request.account = members.fixed<20>("account");
    request.server_key_index = static_cast<std::uint32_t>(members.number("serverKeyIndex", UINT32_MAX));
    request.assertion = read_assertion(members.object("assertion"));
    if (!members.trouble().empty()) co_return invalid(members);
    const Address account = request.account;
    const protocol::RecordId wallet = request.wallet;
    const auto adopted = co_await d_.wallets.adopt_account(std::move(request));
    // account_exists: the wallet has the account already. Asked again after a lost answer, or after a move whose wallet
    // had no place among those of the account before, it is followed all the same.
    if (adopted || adopted.error().refusal == protocol::Error::account_exists) co_await follow(account, wallet);
    if (!adopted) co_return tl::unexpected(to_rpc(adopted.error()));
    json::object out;
    out["serverKey"] = core::to_hex(*adopted);
    co_return json::value(std::move(out));
  }

  Task<RpcResult> sign_userop(Members members) {
    keys::UseropRequest request;
    request.wallet = members.fixed<16>("wallet");
    request.chain_id = members.number("chainId", ~std::uint64_t{0});
    request.entry_point = members.fixed<20>("entryPoint");
    request.userop = read_packed(members.object("userop"));
    request.assertion = read_assertion(members.object("assertion"));
    request.server_key_index = static_cast<std::uint32_t>(members.number("serverKeyIndex", UINT32_MAX));
    if (!members.trouble().empty()) co_return invalid(members);
    const auto made = co_await d_.wallets.sign_userop(std::move(request));
    if (!made) co_return tl::unexpected(to_rpc(made.error()));
    json::object out = signature_json(made->signature);
    out["hash"] = core::to_hex(made->hash);
    out["deploys"] = made->deploys;
    out["sponsored"] = made->sponsored;
    out["maxCost"] = core::format_quantity(made->max_cost);
    out["ticket"] = core::to_hex(made->self_call.ticket);
    co_return json::value(std::move(out));
  }

  Task<RpcResult> sign_session(Members members) {
    keys::SessionRequest request;
    request.wallet = members.fixed<16>("wallet");
    request.chain_id = members.number("chainId", ~std::uint64_t{0});
    request.entry_point = members.fixed<20>("entryPoint");
    request.userop = read_packed(members.object("userop"));
    request.ticket = members.fixed<32>("ticket");
    request.server_key_index = static_cast<std::uint32_t>(members.number("serverKeyIndex", UINT32_MAX));
    if (!members.trouble().empty()) co_return invalid(members);
    const auto made = co_await d_.wallets.sign_session(std::move(request));
    if (!made) co_return tl::unexpected(to_rpc(made.error()));
    json::object out = signature_json(made->signature);
    out["hash"] = core::to_hex(made->hash);
    out["maxCost"] = core::format_quantity(made->max_cost);
    co_return json::value(std::move(out));
  }

  Task<RpcResult> sign_action(Members members) {
    keys::ActionRequest request;
    request.wallet = members.fixed<16>("wallet");
    request.chain_id = members.number("chainId", ~std::uint64_t{0});
    request.account = members.fixed<20>("account");
    request.server_key_index = static_cast<std::uint32_t>(members.number("serverKeyIndex", UINT32_MAX));
    request.action = members.message<protocol::AccountAction>("action", kMaxMessage);
    if (members.has("assertion")) request.assertion = read_assertion(members.object("assertion"));
    if (!members.trouble().empty()) co_return invalid(members);
    const auto made = co_await d_.wallets.sign_action(std::move(request));
    co_return answer(made);
  }

  Task<RpcResult> change_keys(Members members) {
    keys::KeyChangeRequest request;
    request.wallet = members.fixed<16>("wallet");
    request.chain_id = members.number("chainId", ~std::uint64_t{0});
    request.account = members.fixed<20>("account");
    request.server_key_index = static_cast<std::uint32_t>(members.number("serverKeyIndex", UINT32_MAX));
    request.change = members.message<protocol::KeyChange>("change", kMaxMessage);
    request.assertion = read_assertion(members.object("assertion"));
    if (!members.trouble().empty()) co_return invalid(members);
    const auto made = co_await d_.wallets.change_account_keys(std::move(request));
    co_return answer(made);
  }

  Task<RpcResult> describe_wallet(Members members) {
    const auto wallet = members.fixed<16>("wallet");
    const auto index = static_cast<std::uint32_t>(members.number("serverKeyIndex", UINT32_MAX));
    if (!members.trouble().empty()) co_return invalid(members);
    const auto described = co_await d_.wallets.describe_wallet(wallet, index);
    if (!described) co_return tl::unexpected(to_rpc(described.error()));
    json::object out;
    out["description"] = encode_hex(*described);
    co_return json::value(std::move(out));
  }

  Task<RpcResult> bring(Members members) {
    const auto to = members.fixed<20>("to");
    Bytes call = members.bytes("callData", courier::CourierLimits{}.bytes);
    if (!members.trouble().empty()) co_return invalid(members);
    const auto accepted = co_await d_.courier.accept(to, std::move(call));
    if (!accepted) co_return infra::rpc_fail(kRpcCourierError, accepted.error().text());
    json::object out;
    out["id"] = core::to_hex(*accepted);
    co_return json::value(std::move(out));
  }

  Task<RpcResult> errand(Members members) {
    const auto id = members.fixed<32>("id");
    if (!members.trouble().empty()) co_return invalid(members);
    const auto found = co_await d_.courier.errand(id);
    if (!found) co_return infra::rpc_fail(kRpcCourierError, found.error().text());
    co_return json::value(to_json(*found));
  }

  // The account is bound already: who asked has it, and a missing watch is a matter for the log.
  Task<void> follow(Address account, protocol::RecordId wallet) {
    const auto followed = co_await d_.alarms.follow(account, wallet);
    if (!followed) infra::log_error("an account is not watched", {{"why", followed.error().text()}});
  }

  Task<RpcResult> list_alarms(Members members) {
    alarms::AlarmQuery query;
    if (members.has("account")) query.account = members.fixed<20>("account");
    query.since_id = static_cast<std::int64_t>(members.number("sinceId", INT64_MAX));
    query.limit = members.number("limit", alarms::AlarmLimits{}.listed);
    if (!members.trouble().empty()) co_return invalid(members);
    const auto found = co_await d_.alarms.list(std::move(query));
    if (!found) co_return infra::rpc_fail(kRpcAlarmsError, found.error().text());
    json::array list;
    for (const alarms::Alarm& one : *found) list.emplace_back(to_json(one));
    json::object out;
    out["alarms"] = std::move(list);
    co_return json::value(std::move(out));
  }

  Task<RpcResult> acknowledge(Members members) {
    const auto id = static_cast<std::int64_t>(members.number("id", INT64_MAX));
    if (!members.trouble().empty()) co_return invalid(members);
    const auto done = co_await d_.alarms.acknowledge(id);
    if (!done) co_return infra::rpc_fail(kRpcAlarmsError, done.error().text());
    co_return json::value(json::object());
  }

  Task<RpcResult> key_difference(Members members) {
    const auto account = members.fixed<20>("account");
    if (!members.trouble().empty()) co_return invalid(members);
    const auto found = co_await d_.alarms.difference(account);
    if (!found) co_return infra::rpc_fail(kRpcAlarmsError, found.error().text());
    co_return json::value(to_json(*found));
  }

  // The rule's name; an address that was asked for is in no answer and no log.
  static tl::unexpected<infra::RpcError> users_refusal(const users::Error& error) {
    return infra::rpc_fail(kRpcUsersError, std::string(name(error.code)));
  }

  Task<RpcResult> list_users(Members members) {
    std::string after = members.has("after") ? members.text("after") : std::string();
    const auto limit = static_cast<std::size_t>(members.number("limit", users::kMaxPeoplePage));
    if (!members.trouble().empty()) co_return invalid(members);
    const auto found = co_await d_.users->list(std::move(after), limit);
    if (!found) co_return users_refusal(found.error());
    json::array list;
    for (const users::PersonSummary& one : *found) list.emplace_back(to_json(one));
    json::object out;
    out["users"] = std::move(list);
    co_return json::value(std::move(out));
  }

  // By `user`, an id, or by `email`.
  Task<RpcResult> show_user(Members members) {
    std::string id = members.has("email") ? std::string() : members.text("user");
    std::string email = members.has("email") ? members.text("email") : std::string();
    if (!members.trouble().empty()) co_return invalid(members);
    if (id.empty()) {
      const auto found = co_await d_.users->find(std::move(email));
      if (!found) co_return users_refusal(found.error());
      id = *found;
    }
    const auto person = co_await d_.users->show(std::move(id));
    if (!person) co_return users_refusal(person.error());
    co_return json::value(to_json(*person));
  }

  Task<RpcResult> set_user_active(Members members) {
    std::string id = members.text("user");
    const bool is_active = members.flag("active");
    if (!members.trouble().empty()) co_return invalid(members);
    const auto done = co_await d_.users->set_active(id, is_active);
    if (!done) co_return users_refusal(done.error());
    infra::log_info(is_active ? "the operator unlocked a person" : "the operator locked a person", {{"user", id}});
    co_return json::value(json::object());
  }

  Task<RpcResult> end_user_sessions(Members members) {
    std::string id = members.text("user");
    if (!members.trouble().empty()) co_return invalid(members);
    const auto ended = co_await d_.users->end_sessions(id);
    if (!ended) co_return users_refusal(ended.error());
    infra::log_info("the operator ended a person's sessions", {{"user", id}, {"sessions", *ended}});
    json::object out;
    out["sessions"] = *ended;
    co_return json::value(std::move(out));
  }

  Task<RpcResult> core_status(Members) {
    const auto status = co_await d_.root_keys.status();
    if (!status) co_return tl::unexpected(to_rpc(status.error()));
    json::object out;
    out["status"] = encode_hex(keys::to_status_reply(*status));
    co_return json::value(std::move(out));
  }

  Task<RpcResult> rotate_root_key(Members members) {
    keys::SignedMessage order = read_order(members, kMaxOrder);
    if (!members.trouble().empty()) co_return invalid(members);
    const auto version = co_await d_.root_keys.rotate_root_key(std::move(order.message), order.signature);
    if (!version) co_return tl::unexpected(to_rpc(version.error()));
    json::object out;
    out["version"] = *version;
    co_return json::value(std::move(out));
  }

  Task<RpcResult> retire_root_key(Members members) {
    keys::SignedMessage order = read_order(members, kMaxOrder);
    if (!members.trouble().empty()) co_return invalid(members);
    const auto retired = co_await d_.root_keys.retire_root_key(std::move(order.message), order.signature);
    if (!retired) co_return tl::unexpected(to_rpc(retired.error()));
    co_return json::value(json::object());
  }

  Task<RpcResult> reseal_progress(Members) {
    const auto progress = co_await d_.root_keys.reseal_progress();
    if (!progress) co_return tl::unexpected(to_rpc(progress.error()));
    json::object out;
    out["left"] = progress->left;
    out["refused"] = progress->refused;
    out["lost"] = progress->lost;
    out["running"] = progress->is_running;
    co_return json::value(std::move(out));
  }

  Task<RpcResult> generic_keys(Members) {
    const auto listed = co_await d_.generic_keys.generic_keys();
    if (!listed) co_return tl::unexpected(to_rpc(listed.error()));
    json::array list;
    for (const keys::GenericKey& key : *listed) list.emplace_back(to_json(key));
    json::object out;
    out["keys"] = std::move(list);
    co_return json::value(std::move(out));
  }

  Task<RpcResult> create_generic_key(Members members) {
    keys::SignedMessage order = read_order(members, kMaxGenericOrder);
    if (!members.trouble().empty()) co_return invalid(members);
    const auto made = co_await d_.generic_keys.create_generic_key(std::move(order.message), order.signature);
    if (!made) co_return tl::unexpected(to_rpc(made.error()));
    co_return json::value(to_json(*made));
  }

  Task<RpcResult> delete_generic_key(Members members) {
    const auto key = members.fixed<16>("id");
    keys::SignedMessage order = read_order(members, kMaxGenericOrder);
    if (!members.trouble().empty()) co_return invalid(members);
    const auto deleted = co_await d_.generic_keys.delete_generic_key(key, std::move(order.message), order.signature);
    if (!deleted) co_return tl::unexpected(to_rpc(deleted.error()));
    co_return json::value(json::object());
  }

  Task<RpcResult> sign_generic(Members members) {
    const auto key = members.fixed<16>("id");
    const auto hash = static_cast<protocol::GenericHash>(members.number("hash", 2));
    Bytes message = members.bytes("message", protocol::kMaxGenericMessage);
    if (!members.trouble().empty()) co_return invalid(members);
    const auto made = co_await d_.generic_keys.sign_generic(key, hash, std::move(message));
    if (!made) co_return tl::unexpected(to_rpc(made.error()));
    json::object out;
    out["signature"] = encode_hex(*made);
    co_return json::value(std::move(out));
  }

  static tl::unexpected<infra::RpcError> no_treasury() {
    return infra::rpc_fail(kRpcTreasuryError,
                           "this node has no treasury: treasury.budget_gwei of its configuration is 0");
  }

  Task<RpcResult> treasury_report(Members) {
    if (d_.treasurer == nullptr) co_return no_treasury();
    const auto report = co_await d_.treasurer->report();
    if (!report) co_return infra::rpc_fail(kRpcTreasuryError, report.error().text());
    co_return json::value(to_json(*report));
  }

  Task<RpcResult> pay(Members members) {
    const std::string kind = members.text("kind");
    const Address payee = members.fixed<20>("payee");
    const core::Uint256 value = members.word("value");
    const bool is_deposit = kind == treasury::name(treasury::PaymentKind::deposit);
    if (!is_deposit && kind != treasury::name(treasury::PaymentKind::executor)) members.wrong("kind");
    if (!members.trouble().empty()) co_return invalid(members);
    if (d_.treasurer == nullptr) co_return no_treasury();
    const auto what = is_deposit ? treasury::PaymentKind::deposit : treasury::PaymentKind::executor;
    const auto id = co_await d_.treasurer->pay(what, payee, value);
    if (!id) co_return infra::rpc_fail(kRpcTreasuryError, id.error().text());
    json::object out;
    out["id"] = *id;
    co_return json::value(std::move(out));
  }

  Task<RpcResult> payment(Members members) {
    const std::uint64_t id = members.number("id", INT64_MAX);
    if (!members.trouble().empty()) co_return invalid(members);
    if (d_.treasurer == nullptr) co_return no_treasury();
    const auto found = co_await d_.treasurer->payment(id);
    if (!found) co_return infra::rpc_fail(kRpcTreasuryError, found.error().text());
    co_return json::value(to_json(*found));
  }

  // One member, in hexadecimal.
  static RpcResult answer_bytes(const char* member, core::ByteView bytes) {
    json::object out;
    out[member] = core::to_hex(bytes);
    return json::value(std::move(out));
  }

  Task<RpcResult> peer_challenge(Members) {
    const auto challenge = co_await d_.backup.peer_challenge();
    if (!challenge) co_return tl::unexpected(to_rpc(challenge.error()));
    co_return answer_bytes("challenge", *challenge);
  }

  Task<RpcResult> evidence(Members members) {
    const auto challenge = members.fixed<32>("challenge");
    if (!members.trouble().empty()) co_return invalid(members);
    const auto evidence = co_await d_.backup.evidence(challenge);
    if (!evidence) co_return tl::unexpected(to_rpc(evidence.error()));
    co_return answer_bytes("evidence", *evidence);
  }

  Task<RpcResult> create_backup(Members members) {
    keys::SignedMessage order = read_order(members, protocol::kMaxBackupDescription);
    if (!members.trouble().empty()) co_return invalid(members);
    const auto made = co_await d_.backup.create_backup(std::move(order));
    if (!made) co_return tl::unexpected(to_rpc(made.error()));
    json::object out;
    out["description"] = core::to_hex(made->description);
    out["signature"] = core::to_hex(made->signature);
    co_return json::value(std::move(out));
  }

  Task<RpcResult> backup_share(Members members) {
    Bytes description = members.bytes("description", protocol::kMaxBackupDescription);
    const auto index = static_cast<std::uint8_t>(members.number("index", protocol::kMaxHolders));
    const auto challenge = members.fixed<32>("challenge");
    Bytes evidence = members.bytes("evidence", protocol::kMaxEvidence);
    if (!members.trouble().empty()) co_return invalid(members);
    const auto sent = co_await d_.backup.backup_share(std::move(description), index, challenge, std::move(evidence));
    if (!sent) co_return tl::unexpected(to_rpc(sent.error()));
    json::object out;
    out["evidence"] = core::to_hex(sent->evidence);
    out["package"] = core::to_hex(sent->package);
    co_return json::value(std::move(out));
  }

  Task<RpcResult> checkpoint(Members) {
    const auto checkpoint = co_await d_.backup.checkpoint();
    if (!checkpoint) co_return tl::unexpected(to_rpc(checkpoint.error()));
    co_return answer_bytes("checkpoint", *checkpoint);
  }

  Task<RpcResult> fence_certificate(Members) {
    const auto certificate = co_await d_.backup.fence_certificate();
    if (!certificate) co_return tl::unexpected(to_rpc(certificate.error()));
    json::object out;
    out["certificate"] = encode_hex(*certificate);
    co_return json::value(std::move(out));
  }

  Task<RpcResult> fence(Members members) {
    const auto certificate = members.message<protocol::FenceCertificate>("certificate", kMaxMessage);
    if (!members.trouble().empty()) co_return invalid(members);
    const auto done = co_await d_.backup.fence(certificate);
    if (!done) co_return tl::unexpected(to_rpc(done.error()));
    co_return json::value(json::object());
  }

  ControlDependencies d_;
  NodeInfo info_;
  std::string token_;
  infra::RpcDispatcher rpc_;
};

}  // namespace

std::unique_ptr<ControlDoor> make_control_door(ControlDependencies dependencies, NodeInfo info, std::string token) {
  return std::make_unique<Door>(std::move(dependencies), std::move(info), std::move(token));
}

namespace {

Task<HttpResponse> refuse_chain() { co_return infra::http_text(404, "the node serves no such chain\n"); }

}  // namespace

infra::HttpHandler door_by_chain(std::vector<DoorOfChain> doors) {
  return [doors = std::move(doors)](HttpRequest request) -> Task<HttpResponse> {
    const auto asked = request.query_value("chain");
    const auto is_meant = [&asked](const DoorOfChain& door) {
      return !asked || *asked == std::to_string(door.chain_id);
    };
    const auto door = std::find_if(doors.begin(), doors.end(), is_meant);
    if (door != doors.end()) return door->handler(std::move(request));
    return refuse_chain();
  };
}

}  // namespace community::control
